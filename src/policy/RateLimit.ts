/**
 * Keeps calls within requests and tokens per minute, by waiting before they are sent.
 *
 * A call reserves one request and its estimated tokens (a quarter of its characters, and `maxTokens`) from token
 * buckets that refill evenly, waits until they are there, and settles the reservation from the response's `usage`.
 * Calls go in the order they came. The limiter also learns: from the remaining and reset headers of every response,
 * with or without limits of your own, and from a 429 with `retryAfter`, after which it sends nothing until then. A
 * call that would wait longer than `maxWait` fails at once with `RateLimit` and the wait as `retryAfter`; it has no
 * `status`, `attempts` is 0 and nothing was sent, so `Fallback` and `Retry` treat it like the provider's own refusal.
 *
 * A bucket begins full, so the first minute can see twice a minute's units. A failed call gives its tokens back, an
 * interrupted one those of its output, an interrupted wait everything. It does not retry a 429, and it has no
 * priorities: that is `Concurrency`. Put it inside `Retry`, so that every attempt is counted.
 *
 * Buckets are in this process by default, or in Redis with `store: RateLimit.storeRedis()`. When a shared store does
 * not answer, each process goes on with buckets of its own (`onStoreError`).
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import { Redis, type RedisError } from "effect/persistence/Redis"
import type { Scope } from "effect/Scope"
import * as LlmError from "../LlmError.ts"
import type { LlmRequest } from "../LlmRequest.ts"
import type { Usage } from "../LlmResponse.ts"
import type { Service } from "../LlmService.ts"
import * as Estimates from "../model/estimate.ts"
import { modelOf } from "../service/addressee.ts"
import { checkedLayer, layer, misconfigured, optionsIssue } from "../service/checked.ts"
import { emitWait } from "../stream/emit.ts"
import { type Begin, type Ending, turnedAway, withHold } from "../stream/held.ts"
import { monotonicMillis } from "../stream/monotonic.ts"
import {
  callable,
  countFrom,
  duration,
  fields,
  flag,
  notNegative,
  oneOf,
  optional,
  text
} from "../validation/values.ts"
import { type KeyOption, keyOption, modelKey } from "./perKey.ts"
import * as Policy from "./Policy.ts"
import {
  type Amounts,
  type Reservation,
  type Reserve,
  resources,
  type Settle,
  TokenBuckets
} from "./rateLimit/buckets.ts"
import * as RedisBuckets from "./rateLimit/redis.ts"
import * as SharedStore from "./sharedStore.ts"

// =============================================================================
// Metrics
// =============================================================================

/**
 * Seconds a call waited for the limit, by `provider`; calls that did not wait are not counted.
 *
 * @stability stable
 * @category metrics
 * @since 0.1.0
 */
export const waitTime = Metric.histogram("effect_llm.rate_limit.wait", {
  description: "Wait for the rate limit in seconds",
  boundaries: [0.01, 0.04, 0.16, 0.64, 2.56, 10.24, 40.96]
})

/**
 * Calls turned away because they would have waited too long, by `provider`.
 *
 * @stability stable
 * @category metrics
 * @since 0.1.0
 */
export const rejections = Metric.counter("effect_llm.rate_limit.rejections", {
  description: "Calls turned away because they would have waited too long",
  incremental: true
})

// =============================================================================
// Stores
// =============================================================================

export type { Amounts, Reservation, Reserve, Resource, Settle } from "./rateLimit/buckets.ts"

/**
 * A shared store failed.
 *
 * @stability stable
 * @category errors
 * @since 0.1.0
 */
export class StoreError extends Data.TaggedError("RateLimitStoreError")<{
  /** What the store failed with, without its credentials. */
  readonly message: string
}> {}

/**
 * Where buckets live. Both operations must be atomic.
 *
 * @stability stable
 * @category stores
 * @since 0.1.0
 */
export class Store extends Context.Service<Store, {
  /** Takes what a call needs, or nothing when the wait would be too long. */
  readonly reserve: (options: Reserve) => Effect.Effect<Reservation, StoreError>
  /** Gives back or takes more, and learns. */
  readonly settle: (options: Settle) => Effect.Effect<void, StoreError>
}>()("effect-llm/RateLimit/Store") {}

const makeMemory = () => {
  const buckets = new TokenBuckets()
  return {
    reserve: (options: Reserve) => Effect.map(monotonicMillis, (now) => buckets.reserve(options, now)),
    settle: (options: Settle) => Effect.map(monotonicMillis, (now) => buckets.settle(options, now))
  }
}

/**
 * The store in the context, for several policies that are to share one: each needs `Store`, provided once for all.
 *
 * @stability stable
 * @category stores
 * @since 0.1.0
 */
export const storeShared: Layer.Layer<Store, never, Store> = Layer.effect(Store, Store)

/**
 * A store in this process. Keys whose buckets are full again are forgotten.
 *
 * @stability stable
 * @category stores
 * @since 0.1.0
 */
export const storeMemory: Layer.Layer<Store> = Layer.sync(Store, makeMemory)

/**
 * A store in Redis 5 or later, so that many processes share one limit per key.
 *
 * @stability stable
 * @category stores
 * @since 0.1.0
 */
export const storeRedis = (options?: {
  /** What the Redis keys begin with; `rate-limit:` and the key follow. @default "effect-llm:" */
  readonly prefix?: string | undefined
}): Layer.Layer<Store, LlmError.LlmError, Redis> =>
  checkedLayer("RateLimit", options, optional(fields({ prefix: optional(text) })), () =>
    Layer.effect(
      Store,
      Effect.map(Redis, (redis) => {
        const buckets = RedisBuckets.make(redis, `${options?.prefix ?? "effect-llm:"}rate-limit:`)
        const failed = ({ cause }: RedisError) =>
          new StoreError({ message: cause instanceof Error ? cause.message : "Redis did not carry out the command." })
        return {
          reserve: (options) => Effect.mapError(buckets.reserve(options), failed),
          settle: (options) => Effect.mapError(buckets.settle(options), failed)
        }
      })
    ))

// =============================================================================
// Policy
// =============================================================================

/**
 * The limits and how to keep them. Without any number the limiter only learns.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** Requests, refilled evenly over the minute. @default no limit but what headers teach */
  readonly requestsPerMinute?: number | undefined
  /** Input and output tokens together. */
  readonly tokensPerMinute?: number | undefined
  /** Input tokens, without those read from a cache, as Anthropic counts them. */
  readonly inputTokensPerMinute?: number | undefined
  /** Output tokens, reasoning included. @default no limit but what headers teach */
  readonly outputTokensPerMinute?: number | undefined
  /**
   * Which calls share the limits. In this process at most 10,000 keys are remembered, each until its buckets are full again.
   *
   * @default provider and model, as in `anthropic/claude-sonnet-4-5`, and a fingerprint of the credential that a request brings
   */
  readonly key?: KeyOption | undefined
  /** Longest wait. @default 30 seconds */
  readonly maxWait?: Duration.Input | undefined
  /** The tokens to reserve. @default a quarter of the request's characters, and `maxTokens` or 1024 */
  readonly estimate?: ((request: LlmRequest) => Estimate) | undefined
  /** Learn from the rate-limit headers of responses. @default true */
  readonly learn?: boolean | undefined
  /** Longest `retryAfter` of a provider that is believed. @default 1 hour */
  readonly maxRetryAfter?: Duration.Input | undefined
  /**
   * What a call does when the shared store does not answer: `local` keeps to buckets of this process, `fail` fails it
   * with `RateLimit`.
   *
   * @default "local"
   */
  readonly onStoreError?: "local" | "fail" | undefined
  /** How long the shared store may take to answer. @default 500 milliseconds */
  readonly storeTimeout?: Duration.Input | undefined
}

/**
 * The tokens a call may use.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface Estimate {
  /** Input tokens to reserve. */
  readonly input: number
  /** Output tokens to reserve; what was not used goes back when the call ends. */
  readonly output: number
}

/** Usual length of an answer to a request without `maxTokens`, rather high. */
const defaultOutputTokens = 1024

const estimateOf = (request: LlmRequest): Estimate => ({
  input: Estimates.inputTokens(request),
  output: request.maxTokens ?? defaultOutputTokens
})

const limitsOf = (options: Options): Amounts => {
  const limits: { -readonly [K in keyof Amounts]: Amounts[K] } = {}
  const given = {
    requests: options.requestsPerMinute,
    tokens: options.tokensPerMinute,
    inputTokens: options.inputTokensPerMinute,
    outputTokens: options.outputTokensPerMinute
  }
  for (const resource of resources) {
    const limit = given[resource]
    if (limit !== undefined && limit > 0 && Number.isFinite(limit)) limits[resource] = limit
  }
  return limits
}

const amountsOf = ({ input, output }: Estimate): Amounts => ({
  requests: 1,
  tokens: input + output,
  inputTokens: input,
  outputTokens: output
})

/** What goes back of an estimate when so much was used. */
const unused = (estimate: Estimate, usage: Usage): Amounts => {
  const input = usage.input.total ?? estimate.input
  const output = usage.output.total ?? estimate.output
  return {
    tokens: estimate.input + estimate.output - input - output,
    // Cache reads do not count: https://platform.claude.com/docs/en/api/rate-limits#cache-aware-itpm
    inputTokens: estimate.input - input + (usage.input.total === undefined ? 0 : usage.input.cacheRead ?? 0),
    outputTokens: estimate.output - output
  }
}

const onlyInput = ({ output }: Estimate): Amounts => ({ tokens: output, outputTokens: output })

const backOf = (estimate: Estimate, ending: Ending): Amounts => {
  switch (ending._tag) {
    case "Finished":
      return unused(estimate, ending.response.usage)
    case "Abandoned":
      return onlyInput(estimate)
    case "Failed": {
      const { attempts, partial } = ending.error
      if (partial !== undefined) {
        return partial.usage.output.total === undefined ? onlyInput(estimate) : unused(estimate, partial.usage)
      }
      const { requests, ...tokens } = amountsOf(estimate)
      return attempts === 0 ? { requests, ...tokens } : tokens
    }
  }
}

interface Shared {
  readonly store: Store["Service"]
  readonly run: SharedStore.RunStore
}

const make = (service: Service, shared: Shared | undefined, options: Options): Service => {
  const { estimate: estimator = estimateOf, key = modelKey, learn = true } = options
  const limits = limitsOf(options)
  const memory = makeMemory()
  const local: Shared = { store: memory, run: SharedStore.local }
  const millis = (input: Duration.Input) =>
    Math.min(Number.MAX_SAFE_INTEGER, Duration.toMillis(Duration.fromInputUnsafe(input)))
  const maxWaitMillis = millis(options.maxWait ?? "30 seconds")
  const maxRetryAfter = millis(options.maxRetryAfter ?? "1 hour")
  const attributes = { provider: service.info.provider }
  const waits = Metric.withAttributes(waitTime, attributes)
  const rejected = Metric.withAttributes(rejections, attributes)

  const begin: Begin = (request, operation, restore) =>
    Effect.gen(function*() {
      const name: unknown = typeof key === "string" ? key : key(request, service.info)
      if (typeof name !== "string") {
        const issue = { field: "key", message: "Must give a text." }
        return yield* misconfigured("RateLimit", issue, service.info.provider, operation)
      }
      const estimate = estimator(request)
      const wrong = optionsIssue(anEstimate, { estimate })
      if (wrong !== undefined) return yield* misconfigured("RateLimit", wrong, service.info.provider, operation)
      const amounts = amountsOf(estimate)
      const reject = (message: string, retryAfterMillis?: number) =>
        Effect.andThen(
          Metric.update(rejected, 1),
          turnedAway(
            service,
            request,
            operation,
            { policy: "RateLimit" },
            new LlmError.RateLimit({
              message,
              ...(retryAfterMillis === undefined ? undefined : { retryAfter: Duration.millis(retryAfterMillis) })
            })
          )
        )
      const tooLong = (wait: number) =>
        reject(
          `The rate limit of ${name} asks for a wait of ${Duration.format(Duration.millis(wait))}, longer than ${
            Duration.format(Duration.millis(maxWaitMillis))
          }.`,
          wait
        )

      const wanted: Reserve = { key: name, limits, amounts, maxWaitMillis }
      let { run, store } = shared ?? local
      let reservation = yield* run(store.reserve(wanted))
      if (reservation === undefined) {
        if (options.onStoreError === "fail") return yield* reject("The store of the rate limit does not answer.")
        ;({ run, store } = local)
        reservation = yield* memory.reserve(wanted)
      }
      if (!reservation.granted) return yield* tooLong(reservation.waitMillis)

      const settle = (settlement: Pick<Settle, "back" | "pauseMillis" | "seen">): Effect.Effect<void> =>
        run(store.settle({ key: name, limits, ...settlement }))
      let waited = 0
      let wait = reservation.waitMillis
      while (wait > 0) {
        const exit = yield* Effect.exit(restore(Effect.sleep(wait)))
        if (Exit.isFailure(exit)) {
          yield* settle({ back: amounts })
          return yield* Effect.failCause(exit.cause)
        }
        waited += wait
        // Another call may have met a 429 meanwhile.
        const pause = yield* run(store.reserve({ key: name, limits, amounts: {}, maxWaitMillis }))
        wait = pause?.waitMillis ?? 0
        if (waited + wait > maxWaitMillis) {
          yield* settle({ back: amounts })
          return yield* tooLong(wait)
        }
      }
      if (waited > 0) {
        const { info } = service
        yield* Metric.update(waits, waited / 1000)
        const { label, provider } = info
        yield* emitWait(request, { provider, model: modelOf(request, info), label }, "RateLimit", waited)
      }

      const end = (ending: Ending): Effect.Effect<void> => {
        const error = ending._tag === "Failed" ? ending.error : undefined
        const asked = error?.reason._tag === "RateLimit" ? error.retryAfter : undefined
        return settle({
          back: backOf(estimate, ending),
          seen: learn && ending._tag === "Finished" ? ending.response.rateLimits : undefined,
          pauseMillis: asked === undefined ? undefined : Math.min(Math.ceil(Duration.toMillis(asked)), maxRetryAfter)
        })
      }
      return { request, queuedMillis: waited, end }
    })
  return withHold(service, begin)
}

const anEstimate = fields({ estimate: fields({ input: notNegative, output: notNegative }) })

const checkedOptions = optional(fields({
  requestsPerMinute: optional(countFrom(0)),
  tokensPerMinute: optional(countFrom(0)),
  inputTokensPerMinute: optional(countFrom(0)),
  outputTokensPerMinute: optional(countFrom(0)),
  key: optional(keyOption),
  maxWait: optional(duration),
  estimate: optional(callable),
  learn: optional(flag),
  maxRetryAfter: optional(duration),
  onStoreError: optional(oneOf("local", "fail")),
  storeTimeout: optional(duration),
  store: optional(layer)
}))

/**
 * Limits requests and tokens per minute, in this process unless a `store` is given.
 *
 * @example
 * ```ts
 * RateLimit.policy({ requestsPerMinute: 50, tokensPerMinute: 40_000 })
 * RateLimit.policy({ requestsPerMinute: 50, store: RateLimit.storeRedis() })    // needs Redis
 * ```
 *
 * @stability stable
 * @category policies
 * @since 0.1.0
 */
export function policy(options?: Options & { readonly store?: undefined }): Policy.Policy<LlmError.LlmError>
export function policy<E, R>(
  options: Options & {
    /** Where the buckets are kept. @default in this process */
    readonly store: Layer.Layer<Store, E, R>
  }
): Policy.Policy<E | LlmError.LlmError, R | Scope>
export function policy<E, R>(
  options: Options & {
    /** Where the buckets are kept. @default in this process */
    readonly store?: Layer.Layer<Store, E, R> | undefined
  } = {}
): Policy.Policy<E | LlmError.LlmError, R | Scope> {
  return Policy.makeChecked(
    "RateLimit",
    options,
    checkedOptions,
    (service): Effect.Effect<Service, E, R | Scope> =>
      options.store === undefined
        ? Effect.sync(() => make(service, undefined, options))
        : Effect.map(Layer.build(options.store), (context) => {
          const run = SharedStore.make("rate_limit", options.storeTimeout)
          return make(service, { store: Context.get(context, Store), run }, options)
        })
  )
}
