/**
 * Goes on with a stream of text that broke after the caller had seen its beginning; nothing is ever said twice.
 *
 * Where `Retry` and `Fallback` must stop, the next attempt is given the text so far and asked to go on: as an assistant
 * message at the end where the candidate takes such a prefill (`prefill` of the candidate or its capabilities), else as
 * an unfinished answer with an instruction to go on from its last characters. A prefill that is refused with 400 is put into
 * the instruction, and the candidate remembered for it. What the continuation repeats at the seam is cut away. The caller
 * gets one stream: a `Continued` event at the seam, indexes that go on, one `Finish` with all parts and summed usage.
 *
 * Only text goes on: never a tool call, structured output, reasoning that was cut, or an answer in which tools ran. A call
 * that broke for other reasons than the provider's trouble stops too, and so does one past its total time limit. When the
 * continuations fail, the error is the first one, with all text that came. Before the first content and for `generate` it
 * does nothing: put `Retry` and `Fallback` inside. It waits for nothing between attempts. A request's `apiKey`, `headers` and `model`
 * are for the service, or for those that `providers` names; a candidate of another company does not get them.
 *
 * It is opt-in because the seam is a guess of the model: the same words in another voice are possible.
 *
 * @since 0.1.0
 */
import * as Arr from "effect/Array"
import * as Cause from "effect/Cause"
import * as Channel from "effect/Channel"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as Pull from "effect/Pull"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { LlmError, Reason } from "../LlmError.ts"
import type { LlmEvent } from "../LlmEvent.ts"
import type { LlmRequest } from "../LlmRequest.ts"
import type { LlmResponse, PriorAttempt } from "../LlmResponse.ts"
import type { LlmService, Service, ServiceInfo } from "../LlmService.ts"
import { answeredBy, viewsOf } from "../service/addressee.ts"
import { checked, layer as aLayer, optionsIssue, refusing, service as aService, unchecked } from "../service/checked.ts"
import { Broken, Serving } from "../service/choosing.ts"
import { Activity } from "../stream/activity.ts"
import { emit } from "../stream/emit.ts"
import { endedEarly, errorOf, priorAttempt, untilCommit } from "../stream/gate.ts"
import { millisBy } from "../stream/monotonic.ts"
import { type Events, type EventsPull, Relay, watched } from "../stream/source.ts"
import { countFrom, fields, listOf, optional } from "../validation/values.ts"
import { asInstruction, prefillOf, refusesPrefill, tailOf, withPrefill } from "./candidates/prefill.ts"
import { nameOf } from "./candidates/routes.ts"
import * as Traits from "./candidates/traits.ts"
import { Joined } from "./continue/joined.ts"
import { Seam } from "./continue/seam.ts"
import * as Policy from "./Policy.ts"

// =============================================================================
// Models
// =============================================================================

/**
 * How streams go on.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** Most attempts to go on in one call. @default 2 */
  readonly maxContinuations?: number | undefined
}

/**
 * What is said of a candidate that goes on.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface CandidateOptions extends Traits.Rewriting {
  /** Whether it goes on from an assistant message at the end. @default what its capabilities say, else `false` */
  readonly prefill?: boolean | undefined
}

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
 * Broken streams that went on, by `from`, `to` (providers) and `reason`.
 *
 * @stability stable
 * @category metrics
 * @since 0.1.0
 */
export const continuations = Metric.counter("effect_llm.continue.continuations", {
  description: "Broken streams that went on",
  incremental: true
})

// =============================================================================
// One call
// =============================================================================

/** Whether a stream that broke with this reason may go on. */
const canGoOnAfter = (reason: Reason): boolean => {
  switch (reason._tag) {
    case "Network":
    case "IncompleteStream":
    case "Overloaded":
    case "RateLimit":
    case "ResponseParse":
      return true
    case "Timeout":
      return reason.phase !== "total"
    case "Provider":
      return reason.status === undefined || reason.status >= 500
    default:
      return false
  }
}

const isPlainText = ({ responseFormat }: LlmRequest): boolean =>
  responseFormat === undefined || responseFormat.type === "text"

const withPartial = (reason: Reason, partial: LlmResponse): Reason =>
  Reflect.construct(reason.constructor, [{ ...reason, message: reason.message, partial }]) as Reason

/** Who answers. */
interface Name {
  readonly provider: string
  readonly model: string
}

/** A candidate and what was learned of it. */
interface Target {
  readonly service: Service
  refusesPrefill: boolean
}

const takesPrefill = (target: Target, request: LlmRequest): boolean =>
  // Where reasoning is on, a prefill is refused or would take the place of the reasoning.
  !target.refusesPrefill && Traits.takesPrefill(target.service) === true &&
  (request.thinking === undefined || request.thinking === "off")

const charactersPerToken = 4

/** The request to go on from a text, with what it took of the token limit. */
const requestFor = (request: LlmRequest, text: string, prefill: boolean): LlmRequest => {
  const begun = withPrefill(request, text)
  const { maxTokens } = begun
  const left = maxTokens === undefined
    ? undefined
    : { maxTokens: Math.max(1, maxTokens - Math.floor(text.length / charactersPerToken)) }
  return { ...(prefill ? begun : asInstruction(begun, true)), ...left }
}

/** A call as it goes on. */
class Call {
  private readonly request: LlmRequest
  /** How each service sees it. */
  private readonly views: (service: Service) => LlmRequest
  private readonly first: Service
  private readonly targets: ReadonlyArray<Target>
  private readonly scope: Scope.Scope
  private readonly outer: Activity
  private readonly clock: Clock.Clock
  private left: number
  private used = 0
  private readonly joined = new Joined()
  private readonly prior: Array<PriorAttempt> = []
  private firstError: LlmError | undefined
  private requests = 0
  private startedAt = 0
  private servedBy: ServiceInfo | undefined
  /** Those that broke after they had begun: whoever chooses asks the others first. */
  private readonly broken = new Set<ServiceInfo>()
  private attemptScope: Scope.Closeable | undefined
  private read: (() => LlmResponse | undefined) | undefined
  private readonly relay = new Relay(Effect.suspend(() => this.begin))

  constructor(
    request: LlmRequest,
    first: Service,
    targets: ReadonlyArray<Target>,
    left: number,
    scope: Scope.Scope,
    outer: Activity,
    clock: Clock.Clock
  ) {
    this.request = request
    this.views = viewsOf(request, [first, ...targets.map(({ service }) => service)])
    this.first = first
    this.targets = targets
    this.left = left
    this.scope = scope
    this.outer = outer
    this.clock = clock
    outer.partialFrom(() => this.partial)
  }

  get pull(): EventsPull {
    return this.relay.pull
  }

  /** What a time limit further out finds. */
  private get partial(): LlmResponse | undefined {
    const partial = this.read?.()
    return this.used === 0 ? partial : this.joined.partial(partial, this.first.info.provider, this.first.info.model)
  }

  /** Opens an attempt and runs it to its first content. */
  private open(service: Service, request: LlmRequest) {
    return Effect.suspend(() => {
      this.startedAt = millisBy(this.clock)
      this.servedBy = undefined
      this.read = undefined
      this.attemptScope = Scope.forkUnsafe(this.scope)
      const activity: Activity = {
        ...this.outer,
        partialFrom: (read) => {
          this.read = read
        }
      }
      return untilCommit({ service, request }, this.attemptScope).pipe(
        Effect.provideService(Activity, activity),
        Effect.provideService(Serving, (info) => {
          this.servedBy ??= info
        }),
        Effect.provideService(Broken, this.broken)
      )
    })
  }

  private close(cause: Cause.Cause<LlmError | Cause.Done>): Effect.Effect<void> {
    const scope = this.attemptScope
    this.attemptScope = undefined
    return scope === undefined ? Effect.void : Scope.close(scope, Exit.failCause(cause))
  }

  private get begin(): EventsPull {
    return Effect.matchCauseEffect(this.open(this.first, this.views(this.first)), {
      onSuccess: ({ events, rest }): EventsPull => {
        const keptBelow = this.read !== undefined
        const remember = (events: Events) => {
          if (keptBelow) this.joined.follow(events)
          else this.joined.observe(events)
          return undefined
        }
        remember(events)
        this.relay.become(watched(rest, {
          onEvents: remember,
          onFailure: (cause) => Pull.isDoneCause(cause) ? this.done(this.first) : this.failed(cause)
        }))
        return Effect.succeed(events)
      },
      // Nothing was seen yet, so this failure is for others to handle.
      onFailure: (cause) => Effect.andThen(this.close(cause), Effect.failCause(cause))
    })
  }

  private done(service: Service): EventsPull {
    return this.joined.finished
      ? Cause.done()
      : this.failed(Cause.fail(endedEarly({ service, request: this.request })))
  }

  /** An attempt broke after commit. */
  private failed(cause: Cause.Cause<LlmError | Cause.Done>): EventsPull {
    const error = errorOf(cause)
    const partial = error?.partial ?? this.read?.()
    if (error === undefined) return Effect.andThen(this.close(cause), Effect.failCause(cause))
    return Effect.andThen(
      this.close(cause),
      Effect.suspend(() => {
        this.outer.rest()
        this.requests += error.attempts
        this.firstError ??= error
        this.joined.broke(error.partial?.usage)
        this.prior.push(this.priorOf(error))
        const goesOn = canGoOnAfter(error.reason) && isPlainText(this.request) && this.joined.recall(partial) &&
          this.joined.canGoOn
        if (!goesOn || this.left === 0) return Effect.fail(this.finalError)
        const { servedBy } = this
        if (servedBy !== undefined) this.broken.add(servedBy)
        const from = servedBy === undefined || servedBy.provider === error.provider ? error : servedBy
        return this.goOn(error, { provider: from.provider, model: from.model })
      })
    )
  }

  private priorOf(error: LlmError): PriorAttempt {
    return priorAttempt(error, millisBy(this.clock) - this.startedAt)
  }

  /** The first error, with everything that came. An error that was nobody's to change stays itself. */
  private get finalError(): LlmError {
    const first = this.firstError!
    if (this.used === 0) return first
    const partial = this.joined.partial(first.partial, first.provider, first.model)
    return first.with({ reason: withPartial(first.reason, partial), attempts: this.requests })
  }

  private goOn(broken: LlmError, from: Name): EventsPull {
    this.left--
    return this.attempt(this.targets[this.used++ % this.targets.length]!, broken, from)
  }

  private attempt(target: Target, broken: LlmError, from: Name): EventsPull {
    const { service } = target
    const { text } = this.joined
    const prefill = takesPrefill(target, this.request)
    const request = requestFor(this.views(service), text, prefill)
    const seam = new Seam(text, prefill ? {} : { repeat: tailOf(prefillOf(withPrefill(this.request, text))) })
    return Effect.matchCauseEffect(this.open(service, request), {
      onSuccess: ({ events, rest }): EventsPull => {
        this.joined.goOn(seam)
        const to = this.nameOf(service, events)
        const reason = broken.reason._tag
        const continued: LlmEvent = { _tag: "Continued", from, to, reason }
        this.relay.become(this.rest(rest, service))
        const out = Arr.prepend(this.joined.translate(events, this.prior), continued)
        return Metric.update(
          Metric.withAttributes(continuations, { from: from.provider, to: to.provider, reason }),
          1
        ).pipe(
          Effect.andThen(
            from.provider === to.provider && from.model === to.model
              ? Effect.void
              : emit(this.request, () => ({ _tag: "FailOver", from, to, reason }))
          ),
          Effect.as(out)
        )
      },
      onFailure: (cause): EventsPull => {
        const error = errorOf(cause)
        if (error === undefined) return Effect.andThen(this.close(cause), Effect.failCause(cause))
        return Effect.andThen(
          this.close(cause),
          Effect.suspend(() => {
            this.outer.rest()
            this.requests += error.attempts
            this.joined.broke(error.partial?.usage)
            this.prior.push(this.priorOf(error))
            if (prefill && refusesPrefill(error, request)) {
              target.refusesPrefill = true
              return this.attempt(target, broken, from)
            }
            const another = this.left > 0 && (this.targets.length > 1 || error.isRetryable)
            return another ? this.goOn(broken, from) : Effect.fail(this.finalError)
          })
        )
      }
    })
  }

  /** Who goes on: as the innermost gate said, and by the provider's own name of the model. */
  private nameOf(service: Service, events: Events): Name {
    const served = this.servedBy ?? nameOf(service)
    const start = events.find((event) => event._tag === "ResponseStart")
    return { provider: served.provider, model: start?.model ?? served.model }
  }

  private rest(rest: EventsPull, service: Service): EventsPull {
    const step: EventsPull = Pull.matchEffect(rest, {
      onSuccess: (events): EventsPull => {
        const out = this.joined.translate(events, this.prior)
        return Arr.isArrayNonEmpty(out) ? Effect.succeed(out) : step
      },
      onFailure: (cause) => this.failed(cause),
      onDone: () => this.done(service)
    })
    return step
  }
}

// =============================================================================
// Policy
// =============================================================================

const numbers = { maxContinuations: optional(countFrom(0)) }

/**
 * A service whose broken text streams go on with the candidates in turn, or with itself when there are none.
 *
 * @stability stable
 * @category constructors
 * @since 0.1.0
 */
export const make = (service: Service, candidates: ReadonlyArray<Service> = [], options: Options = {}): Service => {
  const issue = optionsIssue(fields({ service: aService, candidates: listOf(aService) }), { service, candidates }) ??
    optionsIssue(fields(numbers), options)
  return issue === undefined
    ? checked(going(unchecked(service), candidates, options))
    : refusing(service, "Continue", issue)
}

const going = (service: Service, candidates: ReadonlyArray<Service>, options: Options): Service => {
  const max = Math.max(0, options.maxContinuations ?? 2)
  const targets = (candidates.length === 0 ? [service] : candidates).map((service): Target => ({
    service,
    refusesPrefill: false
  }))
  const all = [service, ...candidates]
  return {
    ...answeredBy(service, all),
    generate: (request) => Effect.suspend(() => service.generate(viewsOf(request, all)(service))),
    stream: (request) =>
      Stream.fromChannel(
        Channel.fromTransform((_: unknown, scope: Scope.Scope) =>
          Effect.withFiber((fiber) =>
            Effect.succeed(
              new Call(request, service, targets, max, scope, fiber.getRef(Activity), fiber.getRef(Clock.Clock)).pull
            )
          )
        )
      )
  }
}

/**
 * Goes on with broken text streams: with the `candidates` in turn, or with the service itself.
 *
 * @example
 * ```ts
 * Continue.policy()
 * Continue.policy({ candidates: [Continue.candidate(Mistral.layerEnv, { prefill: true })] })
 * ```
 *
 * @stability stable
 * @category policies
 * @since 0.1.0
 */
export const policy = <const Layers extends ReadonlyArray<Layer.Layer<LlmService, unknown, unknown>> = readonly []>(
  options: Options & {
    /** Layers of those that go on, asked in turn. @default the service itself */
    readonly candidates?: Layers | undefined
  } = {}
): Policy.Policy<Layer.Error<Layers[number]> | LlmError, Layer.Services<Layers[number]> | Scope.Scope> =>
  Policy.makeChecked(
    "Continue",
    options,
    fields({ ...numbers, candidates: optional(listOf(aLayer)) }),
    (service) =>
      Effect.map(Traits.buildAll(options.candidates ?? []), (candidates) => going(service, candidates, options))
  ) as Policy.Policy<
    Layer.Error<Layers[number]> | LlmError,
    Layer.Services<Layers[number]> | Scope.Scope
  >
