/**
 * Tries a call again when its error says that can help.
 *
 * When and how often is a `Schedule` of `LlmError`: `standard`, one made by `make(options)`, or any of yours. Around it
 * four rules always hold: only retryable errors (`error.isRetryable`, where the provider's `x-should-retry` counts), never sooner
 * than the provider asks, a stream only before its first content, its events so far being dropped, and no `Timeout` where `Fallback` or
 * `Balance` around has another candidate: the silence was waited for once, and the other one may answer at once. There is
 * one budget for all errors of a call, and a first event does not renew it.
 *
 * The final error counts all requests in `attempts`; a response lists what failed before it in `priorAttempts`.
 * Retry changes neither provider nor request: that is `Fallback`.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Pull from "effect/Pull"
import * as Random from "effect/Random"
import * as Schedule from "effect/Schedule"
import type { LlmError, ReasonTag } from "../LlmError.ts"
import type { LlmRequest } from "../LlmRequest.ts"
import type { Service } from "../LlmService.ts"
import { misconfigured, optionsIssue } from "../service/checked.ts"
import { HasAlternative } from "../service/choosing.ts"
import { emit } from "../stream/emit.ts"
import { type Attempt, type FailedAttempt, withAttempts } from "../stream/gate.ts"
import {
  countFrom,
  duration,
  fields,
  flag,
  type Issue,
  listOf,
  optional,
  positive,
  text
} from "../validation/values.ts"
import * as Policy from "./Policy.ts"

/**
 * Numbers of a retry schedule.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** Most retries of one call, whatever its errors; one request more than this can be sent. @default 3 */
  readonly retries?: number | undefined
  /** Back-off before the first retry, without jitter. @default 1 second */
  readonly base?: Duration.Input | undefined
  /** How the back-off grows with each retry. @default 2 */
  readonly factor?: number | undefined
  /**
   * Longest wait. A provider that asks for more is not waited for, not even so long, because it would refuse again: the call fails at
   * once, with that delay in the error, so that a fallback can act.
   *
   * @default 30 seconds
   */
  readonly cap?: Duration.Input | undefined
  /** Shortest wait, also when the provider asks for less. @default 200 milliseconds */
  readonly floor?: Duration.Input | undefined
  /**
   * Spreads waits, so that calls that failed together do not return together: a back-off evenly between `floor` and its full length, at
   * least twice the floor; a delay that the provider names is lengthened by up to a tenth, at least by up to the floor.
   *
   * @default true
   */
  readonly jitter?: boolean | undefined
  /** Narrows what is retried to these reasons. @default every retryable one */
  readonly retryOn?: ReadonlyArray<ReasonTag> | undefined
}

const defaultCap: Duration.Input = "30 seconds"
const defaultFloor = 200

const millisOf = (duration: Duration.Input): number => Duration.toMillis(Duration.fromInputUnsafe(duration))

const checkedOptions = fields({
  retries: optional(countFrom(0)),
  base: optional(duration),
  factor: optional(positive),
  cap: optional(duration),
  floor: optional(duration),
  jitter: optional(flag),
  retryOn: optional(listOf(text, "Must be an array of reasons."))
}, "Must be a schedule, or an object of numbers for one.")

/** What is wrong with the options of a schedule. It never retries, and a policy of it is not made. */
const issues = new WeakMap<object, Issue>()

const impossible = (issue: Issue): Schedule.Schedule<Duration.Duration, LlmError> => {
  const schedule = Schedule.fromStep<LlmError, Duration.Duration, never, never, never, never>(
    Effect.succeed(() => Cause.done(Duration.zero))
  )
  issues.set(schedule, issue)
  return schedule
}

const wanted = (error: LlmError, retryOn: ReadonlyArray<ReasonTag> | undefined): boolean =>
  error.isRetryable && (retryOn === undefined || retryOn.includes(error.reason._tag))

/**
 * A retry schedule: exponential back-off with full jitter, in which a delay the provider names wins. It gives the
 * delay, and ends at an error that is not to be retried or whose delay exceeds the cap. A schedule of options that cannot be never
 * retries, and a policy made of it fails with `Configuration`.
 *
 * @stability stable
 * @category schedules
 * @since 0.1.0
 */
export const make = (options: Options = {}): Schedule.Schedule<Duration.Duration, LlmError> => {
  const issue = optionsIssue(checkedOptions, options)
  if (issue !== undefined) return impossible(issue)
  const retries = options.retries ?? 3
  const base = millisOf(options.base ?? "1 second")
  const factor = options.factor ?? 2
  const cap = millisOf(options.cap ?? defaultCap)
  const floor = Math.min(millisOf(options.floor ?? defaultFloor), cap)
  const jitter = options.jitter ?? true
  return Schedule.fromStepWithMetadata(
    Effect.succeed(({ attempt, input }: Schedule.InputMetadata<LlmError>) => {
      const asked = input.retryAfter === undefined ? undefined : Duration.toMillis(input.retryAfter)
      if (attempt > retries || !wanted(input, options.retryOn) || (asked !== undefined && asked > cap)) {
        return Cause.done(Duration.zero)
      }
      const backOff = Math.min(cap, base * factor ** (attempt - 1))
      const least = Math.max(floor, asked ?? (jitter ? 0 : backOff))
      if (!jitter) return Effect.succeed(delay(least))
      const most = asked === undefined ? Math.max(2 * floor, backOff) : least + spreadOf(asked, floor)
      return Effect.map(Random.next, (random) => delay(least + random * (most - least)))
    })
  )
}

/** By how much a delay that the provider names may be lengthened. */
const spreadOf = (asked: number, floor: number): number => Math.max(floor, asked / 10)

const delay = (millis: number): [Duration.Duration, Duration.Duration] => {
  const duration = Duration.millis(millis)
  return [duration, duration]
}

/**
 * The schedule for most applications: at most 3 retries, 1 s doubling up to 30 s, full jitter but at least 200 ms.
 *
 * @stability stable
 * @category schedules
 * @since 0.1.0
 */
export const standard: Schedule.Schedule<Duration.Duration, LlmError> = make()

/**
 * Makes any schedule keep the rules: it ends at an error that is not to be retried, and a delay the provider names
 * lengthens its own, to that and up to a tenth more, at least 200 milliseconds; one above `cap` (30 seconds unless given) ends it.
 *
 * `policy` does this to every schedule; call it to choose the cap or the reasons.
 *
 * @stability stable
 * @category schedules
 * @since 0.1.0
 */
export const fromSchedule = <Output, Env>(
  schedule: Schedule.Schedule<Output, LlmError, never, Env>,
  options: Pick<Options, "cap" | "jitter" | "retryOn"> = {}
): Schedule.Schedule<Output | Duration.Duration, LlmError, never, Env> => {
  const issue = (typeof schedule === "object" || typeof schedule === "function") && schedule !== null
    ? issues.get(schedule) ?? optionsIssue(checkedOptions, options)
    : { field: "schedule", message: "Must be a schedule." }
  if (issue !== undefined) return impossible(issue)
  const cap = millisOf(options.cap ?? defaultCap)
  return Schedule.fromStep(
    Effect.map(Schedule.toStep(schedule), (step) => (now: number, error: LlmError) => {
      if (!wanted(error, options.retryOn)) return Cause.done<Output | Duration.Duration>(Duration.zero)
      return Effect.flatMap(
        step(now, error),
        ([output, own]): Pull.Pull<[Output, Duration.Duration], never, Output | Duration.Duration> => {
          const asked = error.retryAfter
          if (asked === undefined) return Effect.succeed([output, own])
          const least = Math.max(defaultFloor, Duration.toMillis(asked))
          if (Duration.toMillis(own) >= least) return Effect.succeed([output, own])
          if (Duration.toMillis(asked) > cap) return Cause.done(asked)
          if (options.jitter === false) return Effect.succeed([output, Duration.millis(least)])
          return Effect.map(Random.next, (random) => [
            output,
            Duration.millis(least + random * spreadOf(least, defaultFloor))
          ])
        }
      )
    })
  )
}

const isSchedule = <Env>(
  given: Schedule.Schedule<unknown, LlmError, never, Env> | Options
): given is Schedule.Schedule<unknown, LlmError, never, Env> => {
  try {
    return Schedule.isSchedule(given)
  } catch {
    return false
  }
}

/**
 * Retries calls by a schedule, or by options for one.
 *
 * @stability stable
 * @category policies
 * @since 0.1.0
 */
export const policy = <Env = never>(
  scheduleOrOptions: Schedule.Schedule<unknown, LlmError, never, Env> | Options = standard
): Policy.Policy<LlmError, Env> =>
  Policy.make((service): Effect.Effect<Service, LlmError, Env> => {
    const schedule = fromSchedule<unknown, Env>(
      isSchedule(scheduleOrOptions) ? scheduleOrOptions : make(scheduleOrOptions)
    )
    const issue = issues.get(schedule)
    if (issue !== undefined) return Effect.fail(misconfigured("Retry", issue, service.info.provider))
    return Effect.contextWith((made: Context.Context<Env>) => {
      /** What the caller has in its context, such as a clock, wins over what was there when the policy was made. */
      const provide = <A, E>(effect: Effect.Effect<A, E, Env>): Effect.Effect<A, E> =>
        Effect.updateContext(effect, (caller: Context.Context<never>) => Context.merge(made, caller))
      const begin = (request: LlmRequest) =>
        Effect.map(provide(Schedule.toStep(schedule)), (step) => {
          const attempt: Attempt = { service, request }
          const next = ({ error, failed }: FailedAttempt): Effect.Effect<Attempt, LlmError> =>
            Effect.withFiber((fiber) => {
              if (error.reason._tag === "Timeout" && fiber.getRef(HasAlternative)) return Effect.fail(error)
              const now = fiber.getRef(Clock.Clock).currentTimeMillisUnsafe()
              const decision: Pull.Pull<[unknown, Duration.Duration], never, unknown> = provide(step(now, error))
              return Pull.matchEffect(decision, {
                onSuccess: ([, wait]) =>
                  emit(request, () => ({
                    _tag: "Retry",
                    provider: error.provider,
                    model: error.model,
                    retry: failed.length,
                    reason: error.reason._tag,
                    delayMillis: Duration.toMillis(wait)
                  }), error).pipe(Effect.andThen(Effect.sleep(wait)), Effect.as(attempt)),
                onFailure: Effect.failCause,
                onDone: () => Effect.fail(error)
              })
            })
          return { first: attempt, next }
        })
      return Effect.succeed(withAttempts(service, begin))
    })
  })
