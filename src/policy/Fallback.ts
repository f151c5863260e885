/**
 * Goes to the next candidate when one fails in a way that another may not.
 *
 * Candidates are layers in order of preference, each built once, in the scope of the whole, and kept. Which
 * reasons move on is data: `defaultRoutes`, overridden reason by reason with `on`. A stream moves on only before its first
 * content. Every call begins with the first candidate, unless that is benched: after 3 calls in a row that ended in
 * `RateLimit` a candidate is skipped for its `retryAfter`, or 30 seconds; when all are benched, none is. A conversation that
 * is too long goes only to candidates that say their `contextWindow` is larger.
 *
 * When all candidates fail, the error is `FallbackExhausted` with every attempt; an error that is not routed is given as it
 * is. A response says in `provider` and `model` who answered and in `priorAttempts` who failed before.
 *
 * Requests go to every candidate as they are, unless `candidate` rewrites them, but for what belongs to one company: `apiKey`,
 * `headers` and `model` are for the first candidate, or for those that `providers` names, and nobody else gets them. To the others a
 * model's name can be mapped (`models`); else each answers with its own. One rewriting is built in: a later candidate that refuses an assistant message at the end (400) is
 * asked once more, in a form that every API takes. `countTokens`, `models`, `health` and `info` are the first
 * candidate's. It retries nothing, waits for nothing and does not go on with broken streams: put `Retry` on the
 * candidates and `Continue` around.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import type { Scope } from "effect/Scope"
import type * as LlmError from "../LlmError.ts"
import type { LlmRequest } from "../LlmRequest.ts"
import { LlmService, type Service, type ServiceInfo } from "../LlmService.ts"
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
import { millisBy, monotonicMillis } from "../stream/monotonic.ts"
import { countFrom, duration, fields, optional } from "../validation/values.ts"
import { asInstruction, refusesPrefill } from "./candidates/prefill.ts"
import { defaultRoutes, exhausted, nameOf, routeOf, routeOverrides, type Routes } from "./candidates/routes.ts"
import * as Traits from "./candidates/traits.ts"
import { countWaste } from "./candidates/wasted.ts"
import { keyBy, type KeyOption, keyOption, PerKey } from "./perKey.ts"
import * as Policy from "./Policy.ts"

export { defaultRoutes, type Route, type Routes } from "./candidates/routes.ts"
export { wastedTokens } from "./candidates/wasted.ts"

// =============================================================================
// Models
// =============================================================================

/**
 * How candidates follow each other.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** Routes that differ from {@link defaultRoutes}. */
  readonly on?: Partial<Routes> | undefined
  /** Calls in a row that end in `RateLimit` before a candidate is benched; `Infinity` never benches. @default 3 */
  readonly benchAfter?: number | undefined
  /** How long a candidate is benched that did not name a time itself. @default 30 seconds */
  readonly benchFor?: Duration.Input | undefined
  /**
   * Whose state a call has a part in, so that callers with different keys never influence one another. At most 10,000 keys are
   * remembered, idle ones for an hour.
   *
   * @default one for each credential that requests bring, and one for all that bring none
   */
  readonly key?: KeyOption | undefined
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
 * What is said of one candidate.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface CandidateOptions extends Traits.Rewriting {
  /** Tokens of input and output together. Without it, no conversation comes here because it was too long elsewhere. */
  readonly contextWindow?: number | undefined
  /**
   * Whether it goes on from an assistant message at the end. `false` sends such a conversation in another form at once.
   *
   * @default what its capabilities say, else found out
   */
  readonly prefill?: boolean | undefined
}

/**
 * Describes a candidate, a layer or a service, and rewrites what is sent to it.
 *
 * @example
 * ```ts
 * Fallback.policy(Fallback.candidate(Gemini.layerEnv, {
 *   contextWindow: 1_000_000,
 *   request: (request) => ({ ...request, maxTokens: 8192, thinking: "off" })
 * }))
 * ```
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
 * Calls that went from one candidate to the next, by `from`, `to` (providers) and `reason`.
 *
 * @stability stable
 * @category metrics
 * @since 0.1.0
 */
export const failovers = Metric.counter("effect_llm.fallback.failovers", {
  description: "Calls that went on to another candidate",
  incremental: true
})

// =============================================================================
// Candidates in order
// =============================================================================

/** What is remembered of a candidate between calls. */
class Standing {
  private rateLimits = 0
  private benchedUntil = -Infinity

  isBenched(now: number): boolean {
    return now < this.benchedUntil
  }

  answered(): void {
    this.rateLimits = 0
    this.benchedUntil = -Infinity
  }

  /** Gives the time until which it is benched for that, if it is. */
  failed(error: LlmError.LlmError, now: number, benchAfter: number, benchFor: number): number | undefined {
    if (error.reason._tag !== "RateLimit") {
      this.rateLimits = 0
      return undefined
    }
    if (++this.rateLimits < benchAfter) return undefined
    const asked = error.retryAfter
    this.benchedUntil = Math.max(this.benchedUntil, now + (asked === undefined ? benchFor : Duration.toMillis(asked)))
    return this.benchedUntil
  }
}

/** Whether a conversation may fit where it did not fit before. What a window is must be known of the candidate. */
const isLarger = (candidate: Service, than: number | undefined, request: LlmRequest): boolean => {
  const window = Traits.traitsOf(candidate).contextWindow
  return window !== undefined && (than === undefined ? window > Estimate.inputTokens(request) : window > than)
}

type Views = ReturnType<typeof viewsOf>

/** An attempt that remembers which candidate it is for. */
interface Try extends Attempt {
  readonly index: number
  /** Whether the prefill was put into words because this candidate had refused it. */
  readonly reworded: boolean
}

const checkedOptions = optional(fields({
  on: optional(routeOverrides),
  benchAfter: optional(countFrom(1)),
  benchFor: optional(duration),
  key: optional(keyOption)
}))

const issueWith = (candidates: unknown, options: unknown, check: typeof aLayer) =>
  optionsIssue(fields({ candidates: oneOrMore(check) }), { candidates }) ?? optionsIssue(checkedOptions, options)

/**
 * One service out of candidates, tried in order. Its memory of rate limits is its own. Every call fails with `Configuration` when an
 * option cannot be.
 *
 * @stability stable
 * @category constructors
 * @since 0.1.0
 */
export const make = (candidates: readonly [Service, ...Array<Service>], options: Options = {}): Service => {
  const issue = issueWith(candidates, options, aService)
  if (issue !== undefined) return refusingAll(candidates, "Fallback", issue)
  return candidates.length === 1 ? candidates[0] : checked(inOrder(candidates, options))
}

const inOrder = (candidates: readonly [Service, ...Array<Service>], options: Options): Service => {
  const routes: Routes = { ...defaultRoutes, ...options.on }
  const benchAfter = Math.max(1, options.benchAfter ?? 3)
  const benchFor = Duration.toMillis(Duration.fromInputUnsafe(options.benchFor ?? "30 seconds"))
  const standings = candidates.map(() => new PerKey(() => new Standing()))
  const keyOf = keyBy(options.key)
  /** Learned: those that answered only after a prefill was put into words. */
  const refusingPrefill = new Set<number>()

  const attempt = (index: number, views: Views): Try => {
    const service = candidates[index]!
    const request = views(service)
    const refuses = Traits.takesPrefill(service) === false || refusingPrefill.has(index)
    return { index, service, request: refuses ? asInstruction(request, false) : request, reworded: false }
  }

  const begin = (request: LlmRequest, now: number, broken: ReadonlySet<ServiceInfo>) => {
    const views = viewsOf(request, candidates)
    const standingOf = (index: number, now: number): Standing => {
      const service = candidates[index]!
      return standings[index]!.get(keyOf(views(service), service.info), now)
    }
    const allBenched = candidates.every((_, index) => standingOf(index, now).isBenched(now))
    /** In order of preference; those that have just broken after the others. */
    const order = brokenLast([...candidates.keys()], (index) => candidates[index]!, broken)
    /** The first place from `from` on whose candidate may be asked. */
    const findNext = (from: number, may: (index: number) => boolean): number => {
      let at = from
      while (at < order.length && !may(order[at]!)) at++
      return at
    }
    const attemptAt = (at: number, now: number): Try => {
      const next = findNext(at + 1, (index) => allBenched || !standingOf(index, now).isBenched(now))
      return { ...attempt(order[at]!, views), hasAlternative: next < order.length }
    }
    let at = findNext(0, (index) => allBenched || !standingOf(index, now).isBenched(now))
    let current = attemptAt(at, now)
    /** Set once a conversation was too long: smaller windows need not be asked. */
    let tooSmall: { readonly window: number | undefined } | undefined

    const next = (failure: FailedAttempt): Effect.Effect<Attempt, LlmError.LlmError> =>
      Effect.flatMap(monotonicMillis, (now) => {
        const { error } = failure
        const last = current
        const wasted = countWaste("fallback", error.provider, error.partial?.usage)
        if (at > 0 && !last.reworded && refusesPrefill(error, last.request)) {
          current = { ...last, request: asInstruction(last.request, false), reworded: true }
          return Effect.as(wasted, current)
        }
        const until = standingOf(last.index, now).failed(error, now, benchAfter, benchFor)
        const waste = until === undefined ? wasted : Effect.andThen(
          wasted,
          emit(request, () => ({
            _tag: "Benched",
            ...nameOf(last.service),
            reason: error.reason._tag,
            benchMillis: until - now
          }), last.service.info)
        )
        const route = routeOf(routes, error)
        if (route === "larger-window") tooSmall = { window: Traits.traitsOf(last.service).contextWindow }
        const small = tooSmall
        at = route === "stop" ? order.length : findNext(
          at + 1,
          (index) =>
            (allBenched || !standingOf(index, now).isBenched(now)) &&
            (small === undefined || isLarger(candidates[index]!, small.window, request))
        )
        if (at === order.length) {
          const final = route === "next" ? exhausted("fallback", failure) : error
          return Effect.andThen(waste, Effect.fail(final))
        }
        current = attemptAt(at, now)
        const from = nameOf(last.service)
        const to = nameOf(current.service)
        const reason = error.reason._tag
        return waste.pipe(
          Effect.andThen(
            Metric.update(Metric.withAttributes(failovers, { from: from.provider, to: to.provider, reason }), 1)
          ),
          Effect.andThen(emit(request, () => ({ _tag: "FailOver", from, to, reason }), last.service.info)),
          Effect.as(current)
        )
      })

    const onCommit = () => {
      standingOf(current.index, now).answered()
      if (current.reworded) refusingPrefill.add(current.index)
    }

    return { first: current, next, onCommit }
  }

  return withAttempts(
    Traits.together(candidates),
    (request: LlmRequest) =>
      Effect.withFiber((fiber) =>
        Effect.succeed(begin(request, millisBy(fiber.getRef(Clock.Clock)), fiber.getRef(Broken)))
      )
  )
}

// =============================================================================
// Policies and layers
// =============================================================================

/**
 * Adds a candidate after a layer.
 *
 * @stability stable
 * @category policies
 * @since 0.1.0
 */
export const policy = <E, R>(
  next: Layer.Layer<LlmService, E, R>,
  options?: Options
): Policy.Policy<E | LlmError.LlmError, R | Scope> =>
  Policy.make((service): Effect.Effect<Service, E | LlmError.LlmError, R | Scope> => {
    const issue = optionsIssue(fields({ next: aLayer }), { next }) ?? optionsIssue(checkedOptions, options)
    return issue !== undefined
      ? Effect.fail(misconfigured("Fallback", issue, service.info.provider))
      : Effect.map(Traits.build(next), (candidate) => inOrder([service, candidate], options ?? {}))
  })

/**
 * A layer out of candidates, tried in order.
 *
 * @stability stable
 * @category layers
 * @since 0.1.0
 */
export const layer = <const Layers extends readonly [Candidate, ...Array<Candidate>]>(
  candidates: Layers,
  options?: Options
): Layer.Layer<LlmService, Layer.Error<Layers[number]> | LlmError.LlmError, Layer.Services<Layers[number]>> =>
  Layer.effect(
    LlmService,
    Effect.suspend(() => {
      const issue = issueWith(candidates, options, aLayer)
      return issue !== undefined
        ? Effect.fail(misconfigured("Fallback", issue))
        : Effect.map(Traits.buildAll(candidates), ([head, ...tail]) => make([head!, ...tail], options))
    })
  ) as Layer.Layer<LlmService, Layer.Error<Layers[number]> | LlmError.LlmError, Layer.Services<Layers[number]>>
