/**
 * Spreads calls over candidates that are as good as each other: keys, regions, hosts of one model.
 *
 * `strategy` orders them: by weight at random, in turn, by calls in flight, by time to the first token, by price, or at random by the
 * inverse square of the price. A lower `tier` goes before a higher one, whatever the strategy. With `stickyBy` calls of one
 * key, such as a conversation, go to the same candidate as long as it can be asked, so that its prompt cache is used.
 *
 * A candidate that fails before the first content, in a way that another may not (`on`, as in `Fallback`), hands over to the
 * next one and is skipped for its `retryAfter`; without one, after `RateLimit` or `Overloaded` for `benchFor`. When all are
 * skipped, none is. Each candidate is asked once per call; when all fail the error is `FallbackExhausted`. A request's `apiKey`,
 * `headers` and `model` are for the first candidate's company, or for those that `providers` names; the others do not get them.
 *
 * What it measures is its own and of this process. It retries nothing, waits for nothing, sends nothing twice and knows no prices
 * but those it is told. `countTokens`, `models`, `health` and `info` are the first candidate's.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as Random from "effect/Random"
import type { Scope } from "effect/Scope"
import type { LlmError } from "../LlmError.ts"
import { type LlmRequest, messagesOf } from "../LlmRequest.ts"
import { LlmService, type Service, type ServiceInfo } from "../LlmService.ts"
import { textOf } from "../Message.ts"
import type { Prices } from "../Model.ts"
import * as Estimate from "../model/estimate.ts"
import { viewsOf } from "../service/addressee.ts"
import {
  checked,
  layer as aLayer,
  misconfigured,
  oneOrMore,
  optionsIssue,
  refusingAll,
  service as aService
} from "../service/checked.ts"
import { Broken, brokenLast } from "../service/choosing.ts"
import { emit } from "../stream/emit.ts"
import { type Attempt, type FailedAttempt, withAttempts } from "../stream/gate.ts"
import { withHold } from "../stream/held.ts"
import { millisBy, monotonicMillis } from "../stream/monotonic.ts"
import { duration, fields, oneOf, optional, within } from "../validation/values.ts"
import { type Numbers, priceOf, rank, rendezvous, strategies, type Strategy } from "./candidates/ranking.ts"
import { defaultRoutes, exhausted, nameOf, routeOf, routeOverrides, type Routes } from "./candidates/routes.ts"
import * as Traits from "./candidates/traits.ts"
import { countWaste } from "./candidates/wasted.ts"
import { keyBy, type KeyOption, keyOption, PerKey } from "./perKey.ts"
import * as Policy from "./Policy.ts"

export type { Strategy } from "./candidates/ranking.ts"
export { wastedTokens } from "./candidates/wasted.ts"

// =============================================================================
// Models
// =============================================================================

/**
 * How calls are spread.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** @default "weighted" */
  readonly strategy?: Strategy | undefined
  /**
   * Calls with the same key go to the same candidate; `conversation` takes the key from the request, see
   * {@link conversationKey}. A call without a key goes by the strategy.
   */
  readonly stickyBy?: "conversation" | ((request: LlmRequest) => string | undefined) | undefined
  /** Routes that differ from `Fallback.defaultRoutes`. Candidates are alike, so `larger-window` stops. */
  readonly on?: Partial<Routes> | undefined
  /** How long a candidate is skipped that is out of capacity and did not say how long. @default 30 seconds */
  readonly benchFor?: Duration.Input | undefined
  /**
   * Whose state a call has a part in, so that callers with different keys never influence one another. At most 10,000 keys are
   * remembered, idle ones for an hour.
   *
   * @default one for each credential that requests bring, and one for all that bring none
   */
  readonly key?: KeyOption | undefined
  /** How much the latest call counts in the average time to the first token; above 0, up to 1. @default 0.2 */
  readonly smoothing?: number | undefined
}

/**
 * What is said of one candidate.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface CandidateOptions extends Traits.Rewriting {
  /** Tells candidates apart for `stickyBy`, whatever their order. @default label, or provider and model */
  readonly id?: string | undefined
  /** Its share; 0 is a last resort. @default 1 */
  readonly weight?: number | undefined
  /** Lower ones go first; a higher one is asked only when all lower ones are skipped or have failed. @default 0 */
  readonly tier?: number | undefined
  /** For the strategies that go by price; a candidate whose price is unknown counts as the dearest. */
  readonly prices?: Prices | undefined
}

/**
 * A layer that can be a candidate.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export type Candidate = Layer.Layer<LlmService, unknown, unknown>

/**
 * Describes a candidate, a layer or a service.
 *
 * @stability stable
 * @category constructors
 * @since 0.1.0
 */
export const candidate: <A extends Service | Layer.Layer<LlmService, unknown, unknown>>(
  self: A,
  options: CandidateOptions
) => A = Traits.candidate

/**
 * Calls that went on to another candidate, by `from`, `to` (providers) and `reason`.
 *
 * @stability stable
 * @category metrics
 * @since 0.1.0
 */
export const handovers = Metric.counter("effect_llm.balance.handovers", {
  description: "Calls that went on to another candidate",
  incremental: true
})

/**
 * The key of a conversation: the request's `cache.key`, else its `scope.sessionId`, else its system prompt and first user message,
 * which stay while the conversation grows.
 *
 * @stability stable
 * @category keys
 * @since 0.1.0
 */
export const conversationKey = (request: LlmRequest): string => {
  const named = request.cache?.key ?? request.scope?.sessionId
  if (named !== undefined) return named
  const messages = messagesOf(request)
  const system = messages.find((message) => message.role === "system")
  const user = messages.find((message) => message.role === "user")
  return [request.system ?? "", system === undefined ? "" : textOf(system), user === undefined ? "" : textOf(user)]
    .join("\n")
}

// =============================================================================
// Candidates
// =============================================================================

/** Output that is counted on for prices when a request sets no limit. */
const usualOutput = 1000

type Operation = "generate" | "stream"

/** A candidate and what was measured of it. */
class Member {
  readonly service: Service
  readonly traits: Traits.Traits
  readonly tier: number
  busy = 0
  /** Average time until a stream began, and until a whole answer was there. */
  private readonly latency: { [operation in Operation]?: number } = {}
  private readonly benches = new PerKey(() => ({ until: -Infinity }))
  private readonly smoothing: number
  private readonly benchFor: number

  constructor(service: Service, smoothing: number, benchFor: number, keyOf: (request: LlmRequest) => string) {
    this.traits = Traits.traitsOf(service)
    this.tier = this.traits.tier ?? 0
    this.smoothing = smoothing
    this.benchFor = benchFor
    this.service = withHold(service, (request) =>
      Effect.sync(() => {
        this.busy++
        return {
          request,
          end: (ending) =>
            Effect.flatMap(monotonicMillis, (now) => {
              this.busy--
              if (ending._tag !== "Failed") return Effect.void
              // A stream that breaks late tells of the candidate as well.
              const benchMillis = this.failed(ending.error, now, keyOf(request))
              return benchMillis <= 0 ? Effect.void : emit(request, () => ({
                _tag: "Benched",
                ...nameOf(service),
                reason: ending.error.reason._tag,
                benchMillis
              }), service.info)
            })
        }
      }))
  }

  get weight(): number {
    return Math.max(0, this.traits.weight ?? 1)
  }

  isBenched(now: number, key: string): boolean {
    return now < this.benches.get(key, now).until
  }

  answered(operation: Operation, millis: number, now: number, key: string): void {
    const average = this.latency[operation] ?? millis
    this.benches.get(key, now).until = -Infinity
    this.latency[operation] = average + this.smoothing * (millis - average)
  }

  /** Gives for how long it is left out. */
  private failed(error: LlmError, now: number, key: string): number {
    const asked = error.retryAfter
    const full = error.reason._tag === "RateLimit" || error.reason._tag === "Overloaded"
    const millis = asked !== undefined ? Duration.toMillis(asked) : full ? this.benchFor : 0
    const bench = this.benches.get(key, now)
    bench.until = Math.max(bench.until, now + millis)
    return millis
  }

  numbers(request: LlmRequest, operation: Operation): Numbers {
    const { prices } = this.traits
    return {
      weight: this.weight,
      busy: this.busy,
      latency: this.latency[operation],
      price: prices && priceOf(prices, Estimate.inputTokens(request), request.maxTokens ?? usualOutput)
    }
  }
}

/** Ids that stay when the list changes; equal ones are numbered. */
const idsOf = (members: ReadonlyArray<Member>): ReadonlyArray<string> => {
  const seen = new Map<string, number>()
  return members.map(({ service: { info }, traits }) => {
    const id = traits.id ?? info.label ?? `${info.provider}/${info.model}`
    const count = seen.get(id) ?? 0
    seen.set(id, count + 1)
    return count === 0 ? id : `${id}#${count}`
  })
}

const checkedOptions = optional(fields({
  strategy: optional(oneOf(...strategies)),
  stickyBy: optional((value) => typeof value === "function" ? undefined : oneOf("conversation")(value)),
  on: optional(routeOverrides),
  benchFor: optional(duration),
  key: optional(keyOption),
  smoothing: optional(within(0, 1))
}))

const issueWith = (candidates: unknown, options: unknown, check: typeof aLayer) =>
  optionsIssue(fields({ candidates: oneOrMore(check) }), { candidates }) ?? optionsIssue(checkedOptions, options)

/**
 * One service out of candidates. What it measures is its own. Every call fails with `Configuration` when an option cannot be.
 *
 * @stability stable
 * @category constructors
 * @since 0.1.0
 */
export const make = (candidates: readonly [Service, ...Array<Service>], options: Options = {}): Service => {
  const issue = issueWith(candidates, options, aService)
  if (issue !== undefined) return refusingAll(candidates, "Balance", issue)
  return candidates.length === 1 ? candidates[0] : checked(balanced(candidates, options))
}

const balanced = (candidates: readonly [Service, ...Array<Service>], options: Options): Service => {
  const { stickyBy, strategy = "weighted" } = options
  const routes: Routes = { ...defaultRoutes, ...options.on }
  const keyOf = stickyBy === "conversation" ? conversationKey : stickyBy
  const smoothing = Math.min(1, Math.max(Number.MIN_VALUE, options.smoothing ?? 0.2))
  const benchFor = Duration.toMillis(Duration.fromInputUnsafe(options.benchFor ?? "30 seconds"))
  const keyOfCall = keyBy(options.key)
  const members = candidates.map((service) =>
    new Member(service, smoothing, benchFor, (request) => keyOfCall(request, service.info))
  )
  const ids = idsOf(members)
  const tiers = [...new Set(members.map((member) => member.tier))].toSorted((a, b) => a - b)
  let turns = 0

  /** The order of those that may be asked: tier by tier, each by key or strategy. */
  const orderOf = (
    available: ReadonlyArray<number>,
    request: LlmRequest,
    operation: Operation,
    random: () => number
  ): ReadonlyArray<Member> => {
    const given: unknown = keyOf?.(request)
    const key = typeof given === "string" ? given : undefined
    const turn = key === undefined ? turns++ : 0
    const numbers = new Map(available.map((index) => [index, members[index]!.numbers(request, operation)]))
    return tiers.flatMap((tier) => {
      const indexes = available.filter((index) => members[index]!.tier === tier)
      const order = key === undefined
        ? rank(strategy, indexes, (index) => numbers.get(index)!, turn, random)
        : rendezvous(key, indexes, (index) => ids[index]!, (index) => members[index]!.weight)
      return order.map((index) => members[index]!)
    })
  }

  const begin = (
    request: LlmRequest,
    operation: Operation,
    clock: Clock.Clock,
    broken: ReadonlySet<ServiceInfo>,
    random: () => number
  ) => {
    const now = millisBy(clock)
    const views = viewsOf(request, candidates)
    const callKey = ({ service }: Member): string => keyOfCall(views(service), service.info)
    const isBenched = (member: Member, now: number): boolean => member.isBenched(now, callKey(member))
    const all = [...members.keys()]
    const free = all.filter((index) => !isBenched(members[index]!, now))
    const preferred = orderOf(free.length === 0 ? all : free, request, operation, random)
    const order = brokenLast(preferred, ({ service }) => service, broken)
    /** Others may have been benched since the call began. */
    const find = (from: number, now: number): number => {
      if (free.length === 0) return from
      let at = from
      while (at < order.length && isBenched(order[at]!, now)) at++
      return at
    }
    let at = find(0, now)
    let startedAt = now
    const attemptAt = (at: number, now: number): Attempt => {
      const { service } = order[at]!
      return { service, request: views(service), hasAlternative: find(at + 1, now) < order.length }
    }

    const next = (failure: FailedAttempt): Effect.Effect<Attempt, LlmError> =>
      Effect.suspend(() => {
        const { error } = failure
        const last = order[at]!
        const now = millisBy(clock)
        const waste = countWaste("balance", error.provider, error.partial?.usage)
        if (routeOf(routes, error) !== "next") return Effect.andThen(waste, Effect.fail(error))
        at = find(at + 1, now)
        startedAt = now
        const member = order[at]
        if (member === undefined) return Effect.andThen(waste, Effect.fail(exhausted("balance", failure)))
        const from = nameOf(last.service)
        const to = nameOf(member.service)
        const reason = error.reason._tag
        return waste.pipe(
          Effect.andThen(
            Metric.update(Metric.withAttributes(handovers, { from: from.provider, to: to.provider, reason }), 1)
          ),
          Effect.andThen(emit(request, () => ({ _tag: "FailOver", from, to, reason }), last.service.info)),
          Effect.as(attemptAt(at, now))
        )
      })

    return {
      first: attemptAt(at, now),
      next,
      onCommit: () => {
        const now = millisBy(clock)
        order[at]!.answered(operation, now - startedAt, now, callKey(order[at]!))
      }
    }
  }

  return withAttempts(Traits.together(candidates), (request, operation) =>
    Effect.withFiber((fiber) => {
      const random = fiber.getRef(Random.Random)
      return Effect.succeed(
        begin(request, operation, fiber.getRef(Clock.Clock), fiber.getRef(Broken), () => random.nextDoubleUnsafe())
      )
    }))
}

// =============================================================================
// Policies and layers
// =============================================================================

/**
 * Spreads the calls of a layer over itself and others; it is described by `candidate` as they are.
 *
 * @stability stable
 * @category policies
 * @since 0.1.0
 */
export const policy = <const Layers extends readonly [Candidate, ...Array<Candidate>]>(
  others: Layers,
  options?: Options
): Policy.Policy<Layer.Error<Layers[number]> | LlmError, Layer.Services<Layers[number]> | Scope> =>
  Policy.make((service) => {
    const issue = issueWith(others, options, aLayer)
    return issue !== undefined
      ? Effect.fail(misconfigured("Balance", issue, service.info.provider))
      : Effect.map(Traits.buildAll(others), (candidates) => balanced([service, ...candidates], options ?? {}))
  }) as Policy.Policy<Layer.Error<Layers[number]> | LlmError, Layer.Services<Layers[number]> | Scope>

/**
 * A layer out of candidates.
 *
 * @stability stable
 * @category layers
 * @since 0.1.0
 */
export const layer = <const Layers extends readonly [Candidate, ...Array<Candidate>]>(
  candidates: Layers,
  options?: Options
): Layer.Layer<LlmService, Layer.Error<Layers[number]> | LlmError, Layer.Services<Layers[number]>> =>
  Layer.effect(
    LlmService,
    Effect.suspend(() => {
      const issue = issueWith(candidates, options, aLayer)
      return issue !== undefined
        ? Effect.fail(misconfigured("Balance", issue))
        : Effect.map(Traits.buildAll(candidates), ([head, ...tail]) => make([head!, ...tail], options))
    })
  ) as Layer.Layer<LlmService, Layer.Error<Layers[number]> | LlmError, Layer.Services<Layers[number]>>
