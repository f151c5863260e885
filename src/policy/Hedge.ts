/**
 * Asks a second time when the first answer is slow to begin, and takes whichever begins first.
 *
 * After `after`, or the measured 95th percentile of the time to the first token, the request goes to a second candidate, or
 * once more to the same service. The first stream to commit, or the first whole answer, wins; the other call is interrupted,
 * its connection closed, and its tokens counted as wasted. At most two requests are sent. A call that fails before the delay
 * fails as it is; afterwards the other one decides, and when both fail the error is the first one's.
 *
 * A request's `apiKey`, `headers` and `model` are for the service, or for those that `providers` names; a candidate of another company
 * does not get them.
 *
 * Requests with tools that the provider runs are never sent twice, because such tools can act. It retries nothing and,
 * before the delay, falls back to nobody: put `Retry` around or inside, `Fallback` around. It costs money by design: the tokens
 * of lost calls are mostly not reported, so they are estimated where they must be.
 *
 * @since 0.1.0
 */
import * as Channel from "effect/Channel"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import type * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { LlmError } from "../LlmError.ts"
import type { LlmRequest } from "../LlmRequest.ts"
import { emptyUsage, type LlmResponse, type Usage } from "../LlmResponse.ts"
import type { LlmService, Service } from "../LlmService.ts"
import * as Estimate from "../model/estimate.ts"
import { answeredBy, modelOf, viewsOf } from "../service/addressee.ts"
import { checked, layer, optionsIssue, refusing, service as aService, unchecked } from "../service/checked.ts"
import { Activity } from "../stream/activity.ts"
import { emit } from "../stream/emit.ts"
import { type Attempt, type Committed, errorOf, Journal, knowing, untilCommit } from "../stream/gate.ts"
import { millisBy, monotonicMillis } from "../stream/monotonic.ts"
import { type EventsPull, Relay } from "../stream/source.ts"
import { countFrom, duration, fields, optional } from "../validation/values.ts"
import * as Traits from "./candidates/traits.ts"
import { countWaste } from "./candidates/wasted.ts"
import { keyBy, type KeyOption, keyOption, PerKey } from "./perKey.ts"
import * as Policy from "./Policy.ts"

// =============================================================================
// Models
// =============================================================================

/**
 * When the second request is sent.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** A fixed delay. @default the 95th percentile of the latest calls, see `samples` */
  readonly after?: Duration.Input | undefined
  /** Without `after`: the delay as long as too few calls were measured. @default none: such calls are not hedged */
  readonly initial?: Duration.Input | undefined
  /** Without `after`: calls that must have been measured; the latest five times as many count. @default 20 */
  readonly samples?: number | undefined
  /** Without `after`: whose calls are measured together; at most 10,000 keys are remembered. @default all */
  readonly key?: KeyOption | undefined
}

/**
 * What is said of the second candidate.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface CandidateOptions extends Traits.Rewriting {}

/**
 * Describes the second candidate, a layer or a service.
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
 * Second requests, by `provider` (who was slow), `outcome`: `won` when the second was first, `lost` when not, `failed` when
 * both failed.
 *
 * @stability stable
 * @category metrics
 * @since 0.1.0
 */
export const hedges = Metric.counter("effect_llm.hedge.requests", {
  description: "Second requests for slow answers",
  incremental: true
})

export { wastedTokens } from "./candidates/wasted.ts"

// =============================================================================
// Measuring
// =============================================================================

/** The latest times until an answer began, and their 95th percentile. */
class Latencies {
  private readonly times: Array<number> = []
  private next = 0
  private readonly needed: number
  private known: number | undefined

  constructor(needed: number) {
    this.needed = needed
  }

  add(millis: number): void {
    this.times[this.next] = millis
    this.next = (this.next + 1) % (this.needed * 5)
    this.known = undefined
  }

  get p95(): number | undefined {
    if (this.times.length < this.needed) return undefined
    return this.known ??= this.times.toSorted((a, b) => a - b)[Math.ceil(this.times.length * 0.95) - 1]
  }
}

// =============================================================================
// Racing
// =============================================================================

/** One of the two calls. */
interface Racer<A> {
  readonly attempt: Attempt
  readonly fiber: Fiber.Fiber<A, LlmError>
  readonly scope: Scope.Closeable
  readonly startedAt: number
  /** Where the output received so far can be read, once whoever reads the network has said so. */
  readonly partial: () => LlmResponse | undefined
}

interface Won<A> {
  readonly value: A
  readonly racer: Racer<A>
  readonly journal: Journal
}

/** What a lost call cost: what the provider said, else at least its input. */
const wasteOf = (racer: Racer<unknown>): Usage => {
  const usage = racer.partial()?.usage
  return usage?.input.total !== undefined || usage?.output.total !== undefined
    ? usage
    : { ...emptyUsage, input: { total: Estimate.inputTokens(racer.attempt.request) } }
}

const candidateOf = ({ request, service }: Attempt) => ({
  provider: service.info.provider,
  model: modelOf(request, service.info)
})

/**
 * Runs one call, and after the delay a second. Everything runs in children of `scope`; that of the winner stays open and
 * is closed with it, every other fiber and scope is closed when this ends, however it ends.
 */
const race = <A>(
  run: (attempt: Attempt, scope: Scope.Scope) => Effect.Effect<A, LlmError>,
  first: Attempt,
  second: Attempt,
  delay: number | undefined,
  scope: Scope.Scope,
  latencies: Latencies
): Effect.Effect<Won<A>, LlmError> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.gen(function*() {
      const clock = yield* Clock.Clock
      const outer = yield* Activity
      const journal = new Journal(clock, outer)
      const racers: Array<Racer<A>> = []

      const start = (attempt: Attempt, earlier: number): Effect.Effect<Racer<A>> => {
        let read: (() => LlmResponse | undefined) | undefined
        // The outer limits may see only the winner's partial output, and who that is turns out later.
        const activity: Activity = {
          ...outer,
          rest: () => {},
          partialFrom: (from) => {
            read = from
          }
        }
        const attemptScope = Scope.forkUnsafe(scope)
        return Effect.map(
          Effect.forkIn(
            Effect.interruptible(
              Effect.provideService(knowing(attempt, earlier)(run(attempt, attemptScope)), Activity, activity)
            ),
            attemptScope,
            { startImmediately: true }
          ),
          (fiber) => {
            const startedAt = millisBy(clock)
            const racer = { attempt, fiber, scope: attemptScope, startedAt, partial: () => read?.() }
            racers.push(racer)
            return racer
          }
        )
      }

      const stop = (racer: Racer<A>): Effect.Effect<void> =>
        Effect.andThen(Fiber.interrupt(racer.fiber), Scope.close(racer.scope, Exit.void))

      const lose = (racer: Racer<A>): Effect.Effect<void> =>
        Effect.suspend(() => {
          const waste = wasteOf(racer)
          return Effect.andThen(stop(racer), countWaste("hedge", racer.attempt.service.info.provider, waste))
        })

      const win = (racer: Racer<A>, value: A): Won<A> => {
        outer.partialFrom(racer.partial)
        if (racer === racers[0]) latencies.add(millisBy(clock) - racer.startedAt)
        // It was this slow at least: left out, only the fast calls would be known.
        else latencies.add(millisBy(clock) - racers[0]!.startedAt)
        return { value, racer, journal }
      }

      const counted = (outcome: string) =>
        Metric.update(Metric.withAttributes(hedges, { provider: first.service.info.provider, outcome }), 1)

      const settle = Effect.gen(function*() {
        const primary = yield* start(first, 0)
        const alone = delay === undefined
          ? yield* restore(Fiber.await(primary.fiber))
          : yield* restore(settledWithin(primary.fiber, delay))
        if (alone !== undefined) {
          return Exit.isSuccess(alone) ? win(primary, alone.value) : yield* Effect.failCause(alone.cause)
        }
        const hedge = yield* start(second, 1)
        yield* emit(first.request, () => ({
          _tag: "Hedged",
          from: candidateOf(first),
          to: candidateOf(second),
          delayMillis: delay ?? 0
        }), first.service.info)
        const exits = yield* restore(firstOf(primary.fiber, hedge.fiber))
        const [sooner, later, exit] = exits.first === primary.fiber
          ? [primary, hedge, exits.exit] as const
          : [hedge, primary, exits.exit] as const
        if (Exit.isSuccess(exit)) {
          yield* lose(later)
          yield* counted(sooner === hedge ? "won" : "lost")
          return win(sooner, exit.value)
        }
        const error = errorOf(exit.cause)
        if (error === undefined) return yield* Effect.failCause(exit.cause)
        const other = yield* restore(Fiber.await(later.fiber))
        const failed = journal.fail(sooner.attempt, error)
        if (Exit.isSuccess(other)) {
          yield* stop(sooner)
          yield* counted(later === hedge ? "won" : "lost")
          return win(later, other.value)
        }
        yield* counted("failed")
        const otherError = errorOf(other.cause)
        if (otherError === undefined) return yield* Effect.failCause(other.cause)
        const primaryError = sooner === primary ? error : otherError
        return yield* primaryError.with({ attempts: failed.error.attempts + otherError.attempts })
      })

      return yield* Effect.onExit(
        settle,
        (exit) => Exit.isSuccess(exit) ? Effect.void : Effect.forEach(racers, stop, { discard: true })
      )
    })
  )

/** The exit of a fiber, or `undefined` when it still runs after the delay. */
const settledWithin = <A, E>(fiber: Fiber.Fiber<A, E>, millis: number): Effect.Effect<Exit.Exit<A, E> | undefined> =>
  Effect.map(Effect.timeoutOption(Fiber.await(fiber), millis), Option.getOrUndefined)

/** The fiber that ends first, without a fiber to wait for it. */
const firstOf = <A, E>(
  a: Fiber.Fiber<A, E>,
  b: Fiber.Fiber<A, E>
): Effect.Effect<{ readonly first: Fiber.Fiber<A, E>; readonly exit: Exit.Exit<A, E> }> =>
  Effect.callback((resume) => {
    const removeA = a.addObserver((exit) => resume(Effect.succeed({ first: a, exit })))
    const removeB = b.addObserver((exit) => resume(Effect.succeed({ first: b, exit })))
    return Effect.sync(() => {
      removeA()
      removeB()
    })
  })

// =============================================================================
// Policy
// =============================================================================

const canRunTwice = (request: LlmRequest): boolean => request.tools?.some((tool) => tool.type === "provider") !== true

const delays = {
  after: optional(duration),
  initial: optional(duration),
  samples: optional(countFrom(1)),
  key: optional(keyOption)
}

const checkedOptions = fields(delays)

/**
 * Hedges a service with another one, or with itself. Every call fails with `Configuration` when an option cannot be.
 *
 * @stability stable
 * @category constructors
 * @since 0.1.0
 */
export const make = (service: Service, other: Service = service, options: Options = {}): Service => {
  const issue = optionsIssue(fields({ service: aService, other: aService }), { service, other }) ??
    optionsIssue(checkedOptions, options)
  return issue === undefined
    ? checked(hedged(unchecked(service), other, options))
    : refusing(service, "Hedge", issue)
}

const hedged = (service: Service, other: Service, options: Options): Service => {
  const samples = Math.max(1, options.samples ?? 20)
  const millis = (input: Duration.Input | undefined) =>
    input === undefined ? undefined : Duration.toMillis(Duration.fromInputUnsafe(input))
  const fixed = millis(options.after)
  const initial = millis(options.initial)
  const measured = new PerKey(
    () => ({ generate: new Latencies(samples), stream: new Latencies(samples) }),
    () => options.key === undefined
  )
  const keyOf = keyBy(options.key ?? "")
  const delayOf = (latencies: Latencies) => fixed ?? latencies.p95 ?? initial
  const both = [service, other]
  const attemptsOf = (request: LlmRequest): readonly [Attempt, Attempt] => {
    const views = viewsOf(request, both)
    return [{ service, request: views(service) }, { service: other, request: views(other) }]
  }

  /** Races by what was measured of such calls. */
  const raced = <A>(
    run: (attempt: Attempt, scope: Scope.Scope) => Effect.Effect<A, LlmError>,
    operation: "generate" | "stream",
    request: LlmRequest,
    scope: Scope.Scope
  ) =>
    Effect.flatMap(monotonicMillis, (now) => {
      const latencies = measured.get(keyOf(request, service.info), now)[operation]
      return race(run, ...attemptsOf(request), delayOf(latencies), scope, latencies)
    })

  const generate = (request: LlmRequest): Effect.Effect<LlmResponse, LlmError> =>
    Effect.scopedWith((scope) =>
      Effect.map(
        raced(({ request, service }) => service.generate(request), "generate", request, scope),
        ({ journal, value }) => journal.onResponse(value)
      )
    )

  const stream = (request: LlmRequest) =>
    Stream.fromChannel(
      Channel.fromTransform((_: unknown, scope: Scope.Scope) =>
        Effect.sync((): EventsPull => {
          const relay: Relay = new Relay(Effect.flatMap(
            raced<Committed>(untilCommit, "stream", request, scope),
            ({ journal, value }) => {
              relay.become(journal.onRest(value.rest))
              return Effect.succeed(journal.onEvents(value.events))
            }
          ))
          return relay.pull
        })
      )
    )

  const alone = (request: LlmRequest): LlmRequest => viewsOf(request, both)(service)
  return {
    ...answeredBy(service, both),
    generate: (request) =>
      Effect.suspend(() => canRunTwice(request) ? generate(request) : service.generate(alone(request))),
    stream: (request) => Stream.suspend(() => canRunTwice(request) ? stream(request) : service.stream(alone(request)))
  }
}

/**
 * Hedges calls, with a `candidate` or with the same service.
 *
 * @example
 * ```ts
 * Hedge.policy({ after: "3 seconds" })
 * Hedge.policy({ initial: "5 seconds", candidate: Bedrock.layerEnv })
 * ```
 *
 * @stability stable
 * @category policies
 * @since 0.1.0
 */
export function policy(options?: Options & { readonly candidate?: undefined }): Policy.Policy<LlmError>
export function policy<E, R>(
  options: Options & {
    /** Layer of who is asked beside the first. @default the service itself, once more */
    readonly candidate: Layer.Layer<LlmService, E, R>
  }
): Policy.Policy<E | LlmError, R | Scope.Scope>
export function policy<E, R>(
  options: Options & {
    /** Layer of who is asked beside the first. @default the service itself, once more */
    readonly candidate?: Layer.Layer<LlmService, E, R> | undefined
  } = {}
): Policy.Policy<E | LlmError, R | Scope.Scope> {
  return Policy.makeChecked(
    "Hedge",
    options,
    fields({ ...delays, candidate: optional(layer) }),
    (service): Effect.Effect<Service, E, R | Scope.Scope> =>
      options.candidate === undefined
        ? Effect.sync(() => hedged(service, service, options))
        : Effect.map(Traits.build(options.candidate), (other) => hedged(service, other, options))
  )
}
