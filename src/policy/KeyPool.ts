/**
 * Spreads calls over several keys of one provider, and goes on with another key when one is refused.
 *
 * Each attempt gets the next key by weighted rotation as its `request.apiKey`. A key that is rejected
 * (`Authentication`, `PermissionDenied`, `QuotaExhausted`) is dead until other credentials are given; one that is
 * limited (`RateLimit`) sits on the bench for its `retryAfter`, else for 30 seconds. Before the first content of a
 * stream the call then goes on with the next key, each at most once; after it the key is marked and the error is
 * given. Other errors are not the key's and are given at once.
 *
 * With no key left the error is the last one seen; while some key is only benched, the last one of a benched key, and
 * `retryAfter` is when the first of them returns. A request that brings its own `apiKey` passes untouched.
 *
 * Keys stay `Redacted`; metrics name a key by a short hash. State is in this process. Put it next to the provider,
 * whose layer then needs no key. Around candidates of several companies, which would all get the keys, it is refused with
 * `Configuration` when it is made. `countTokens` takes the first key that can be used; `models` and `health` have no
 * request and use the layer's key. It waits for nothing and retries nothing with the same key.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import * as LlmError from "../LlmError.ts"
import type { LlmRequest } from "../LlmRequest.ts"
import type { Service } from "../LlmService.ts"
import { addressedTo, companiesOf, infosOf, lentTo, modelOf, nameOf } from "../service/addressee.ts"
import { misconfigured, optionsIssue } from "../service/checked.ts"
import { emit } from "../stream/emit.ts"
import { type Attempt, withAttempts } from "../stream/gate.ts"
import { type Ending, rejection, withHold } from "../stream/held.ts"
import { monotonicMillis } from "../stream/monotonic.ts"
import { credential } from "../validation/credential.ts"
import { type Check, duration, fields, listOf, notNegative, optional } from "../validation/values.ts"
import { type Key, type KeyReason, KeyRing, type Member } from "./keys/ring.ts"
import { keyBy, type KeyOption, keyOption, PerKey } from "./perKey.ts"
import * as Policy from "./Policy.ts"

// =============================================================================
// Metrics
// =============================================================================

/**
 * Requests sent with a key, by `provider` and `key`, a short hash.
 *
 * @stability stable
 * @category metrics
 * @since 0.1.0
 */
export const requests = Metric.counter("effect_llm.key_pool.requests", {
  description: "Requests sent with a key",
  incremental: true
})

/**
 * Keys taken out, by `provider`, `key` (a short hash), `state` (`dead` or `benched`) and `error.type`.
 *
 * @stability stable
 * @category metrics
 * @since 0.1.0
 */
export const removals = Metric.counter("effect_llm.key_pool.removals", {
  description: "Keys taken out of the rotation",
  incremental: true
})

// =============================================================================
// Policy
// =============================================================================

export type { Key } from "./keys/ring.ts"

/**
 * The keys, and how long one that is limited rests.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /**
   * The keys, or an effect that gives them as they are now; it runs before each call. A weight of 0 keeps a key
   * unused.
   */
  readonly keys: ReadonlyArray<Key> | Effect.Effect<ReadonlyArray<Key>, LlmError.LlmError>
  /** How long a limited key rests when the provider does not say. @default 30 seconds */
  readonly bench?: Duration.Input | undefined
  /** Longest `retryAfter` of a provider that is believed. @default 1 hour */
  readonly maxRetryAfter?: Duration.Input | undefined
  /**
   * Gives each key of callers, such as a tenant, a memory of its own of which credentials are limited or dead. At most 10,000 are
   * remembered, idle ones for an hour.
   *
   * @default one memory: a credential that is limited is so for everybody
   */
  readonly key?: KeyOption | undefined
}

/** A pool around several companies would give each the keys of the others. */
const severalCompanies = (service: Service): LlmError.LlmError | undefined => {
  const companies = companiesOf([service])
  if (companies.length === 1) return undefined
  return new LlmError.LlmError({
    provider: "keyPool",
    model: "",
    operation: "layer",
    reason: new LlmError.Configuration({
      field: "keys",
      message: `The keys of a pool are of one company, but ${
        companies.map(nameOf).join(" and ")
      } are behind it. Put a pool around each of them, inside of what chooses between them.`
    }),
    attempts: 0
  })
}

const isKeyReason = (reason: LlmError.Reason): reason is KeyReason =>
  reason._tag === "RateLimit" || reason._tag === "Authentication" || reason._tag === "PermissionDenied" ||
  reason._tag === "QuotaExhausted"

/** A reason as later calls may see it: nothing of the request or the answer of the call that met it. */
const remembered = ({ _tag, code, message, status, type }: KeyReason, retryAfter?: Duration.Duration): KeyReason => {
  const fields = { message, status, type, code, ...(retryAfter === undefined ? undefined : { retryAfter }) }
  switch (_tag) {
    case "Authentication":
      return new LlmError.Authentication(fields)
    case "PermissionDenied":
      return new LlmError.PermissionDenied(fields)
    case "QuotaExhausted":
      return new LlmError.QuotaExhausted(fields)
    case "RateLimit":
      return new LlmError.RateLimit(fields)
  }
}

/** The benched key that returns first. */
const firstBack = (members: ReadonlyArray<Member>, now: number): Member | undefined =>
  members
    .filter((member) => !member.dead && member.benchedUntil > now)
    .reduce<Member | undefined>((a, b) => a === undefined || b.benchedUntil < a.benchedUntil ? b : a, undefined)

const listedKeys = listOf(
  fields({ apiKey: credential, weight: optional(notNegative) }, "Must be { apiKey, weight? }."),
  "Must be an array of keys, or an effect that gives one."
)

const keys: Check = (value) => Effect.isEffect(value) ? undefined : listedKeys(value)

const checkedOptions = fields({
  keys,
  bench: optional(duration),
  maxRetryAfter: optional(duration),
  key: optional(keyOption)
})

/**
 * Spreads calls over keys. Fails with `Configuration` when keys or times of it cannot be; so do calls, when the effect gives no keys.
 *
 * @example
 * ```ts
 * const llm = OpenAi.layer({ model: "gpt-4.1" }).pipe(
 *   KeyPool.policy({ keys: [{ apiKey: first, weight: 2 }, { apiKey: second }] })
 * )
 * ```
 *
 * @stability stable
 * @category policies
 * @since 0.1.0
 */
export const policy = (options: Options): Policy.Policy<LlmError.LlmError> =>
  Policy.makeChecked("KeyPool", options, checkedOptions, (service) => {
    const refused = severalCompanies(service)
    return refused === undefined ? Effect.succeed(make(service, options)) : Effect.fail(refused)
  })

const make = (service: Service, options: Options): Service => {
  const rings = new PerKey(() => new KeyRing(), () => options.key === undefined)
  const keyOf = keyBy(options.key ?? "")
  const ringOf = (request: LlmRequest): Effect.Effect<KeyRing> =>
    Effect.map(monotonicMillis, (now) => rings.get(keyOf(request, service.info), now))
  const { keys } = options
  const millis = (input: Duration.Input) => Duration.toMillis(Duration.fromInputUnsafe(input))
  const bench = millis(options.bench ?? "30 seconds")
  const maxRetryAfter = millis(options.maxRetryAfter ?? "1 hour")
  const { provider } = service.info
  /** Whose keys they are, also when the service is exchanged for one of another company. */
  const [owner] = infosOf(service)
  const bringsKey = (request: LlmRequest): boolean => addressedTo(request, service.info)?.apiKey !== undefined
  const update = (ring: KeyRing): Effect.Effect<void, LlmError.LlmError> =>
    Effect.isEffect(keys)
      ? Effect.flatMap(keys, (found) => {
        const issue = found === ring.given ? undefined : optionsIssue(fields({ keys: listedKeys }), { keys: found })
        if (issue !== undefined) return Effect.fail(misconfigured("KeyPool", issue, provider, "generate"))
        ring.update(found)
        return Effect.void
      })
      : Effect.sync(() => ring.update(keys))

  /** What an attempt's end says of its key. */
  const mark = (request: LlmRequest, ring: KeyRing, member: Member, ending: Ending): Effect.Effect<void> =>
    Effect.flatMap(monotonicMillis, (now) => {
      const reason = ending._tag === "Failed" ? ending.error.reason : undefined
      if (reason === undefined || !isKeyReason(reason)) return Effect.void
      const rest = reason._tag !== "RateLimit"
        ? undefined
        : reason.retryAfter === undefined
        ? bench
        : Math.min(Duration.toMillis(reason.retryAfter), maxRetryAfter)
      ring.remove(member, remembered(reason), rest === undefined ? undefined : now + rest)
      const attributes = {
        provider,
        key: member.hash,
        state: rest === undefined ? "dead" : "benched",
        "error.type": reason._tag
      }
      return Effect.andThen(
        Metric.update(Metric.withAttributes(removals, attributes), 1),
        emit(request, () => ({
          _tag: "KeyRemoved",
          provider,
          model: modelOf(request, service.info),
          key: member.hash,
          state: rest === undefined ? "dead" : "benched",
          reason: reason._tag,
          ...(rest === undefined ? undefined : { benchMillis: rest })
        }), service.info)
      )
    })

  const marked = withHold(service, (request) =>
    Effect.flatMap(ringOf(request), (ring) => {
      const member = request.apiKey === undefined ? undefined : ring.find(request.apiKey)
      if (member === undefined) return Effect.succeed({ request, end: () => Effect.void })
      return Effect.as(Metric.update(Metric.withAttributes(requests, { provider, key: member.hash }), 1), {
        request,
        end: (ending: Ending) => mark(request, ring, member, ending)
      })
    }))

  /** The error of a call for which there is no key; `last` is its own, if it made an attempt. */
  const exhausted = (
    ring: KeyRing,
    request: LlmRequest,
    operation: "generate" | "stream",
    now: number,
    last: LlmError.LlmError | undefined
  ): LlmError.LlmError => {
    const fail = (reason: LlmError.Reason) =>
      rejection(service, request, operation, reason).with({ attempts: last?.attempts ?? 0 })
    const back = firstBack(ring.all, now)
    if (back === undefined) {
      return last ?? fail(
        ring.all.findLast(({ reason }) => reason !== undefined)?.reason ??
          new LlmError.Configuration({ field: "keys", message: "The key pool has no key to use." })
      )
    }
    const retryAfter = Duration.millis(back.benchedUntil - now)
    return last?.reason._tag === "RateLimit"
      ? last.with({ reason: remembered(last.reason, retryAfter) })
      : fail(remembered(back.reason!, retryAfter))
  }

  const pooled = withAttempts(marked, (request, operation) =>
    Effect.gen(function*() {
      const ring = yield* ringOf(request)
      const tried = new Set<Member>()
      /** The next attempt, or the error when there is no key for one. */
      const attempt = (last?: LlmError.LlmError) =>
        Effect.flatMap(monotonicMillis, (now): Effect.Effect<Attempt, LlmError.LlmError> => {
          const member = ring.take(now, tried)
          if (member !== undefined) {
            tried.add(member)
            return Effect.succeed({ service: marked, request: lentTo(request, owner, member.apiKey) })
          }
          return Effect.fail(exhausted(ring, request, operation, now, last))
        })
      yield* update(ring)
      return {
        first: yield* attempt(),
        next: ({ error }) => isKeyReason(error.reason) ? attempt(error) : Effect.fail(error)
      }
    }))

  return {
    ...service,
    generate: (request) => bringsKey(request) ? service.generate(request) : pooled.generate(request),
    stream: (request) => bringsKey(request) ? service.stream(request) : pooled.stream(request),
    countTokens: (request) =>
      bringsKey(request)
        ? service.countTokens(request)
        : Effect.flatMap(ringOf(request), (ring) =>
          Effect.flatMap(
            Effect.andThen(update(ring), monotonicMillis),
            (now) => {
              const apiKey = ring.peek(now)?.apiKey
              return service.countTokens(apiKey === undefined ? request : lentTo(request, owner, apiKey))
            }
          ))
  }
}
