/**
 * The last calls, as they go: what the page shows.
 *
 * A call is looked on at from outside of its policies. It has a sink of events of its own, so that events need no id to belong together,
 * and looks on at each request that is sent for it. Whoever listened before still does. Calls, attempts, events, circuits and watchers are
 * bounded; the oldest go first.
 *
 * @since 0.1.0
 */
import * as Channel from "effect/Channel"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type { Scope } from "effect/Scope"
import * as Stream from "effect/Stream"
import { isContent } from "../../LlmEvent.ts"
import type { LlmRequest } from "../../LlmRequest.ts"
import type { LlmResponse, Usage } from "../../LlmResponse.ts"
import type { Service } from "../../LlmService.ts"
import { modelOf } from "../../service/addressee.ts"
import { type Candidate, type Event, EventSink, type Sink } from "../../stream/emit.ts"
import { type Ending, observed } from "../../stream/held.ts"
import { millisBy } from "../../stream/monotonic.ts"
import { type RequestObserver, RequestWatch, type SentRequest } from "../../stream/requests.ts"
import { isServed } from "../../stream/served.ts"
import { shownName } from "../../stream/shownNames.ts"
import { type Events, provided } from "../../stream/source.ts"
import { type Allowed, answered, asked, line, type ShownMessage, type ShownPart } from "./contents.ts"
import { sentenceOf } from "./sentences.ts"

type Status = "running" | "finished" | "failed" | "interrupted"

/** A request of a call. Times are milliseconds since the call began. */
interface Attempt extends Candidate {
  readonly label?: string | undefined
  readonly at: number
  /** How long policies held it back before that. */
  readonly waited: number
  status: Status
  firstChunk?: number
  firstContent?: number
  end?: number
  reason?: string | undefined
  httpStatus?: number | undefined
  requestId?: string | undefined
}

interface Happened {
  readonly at: number
  readonly tag: Event["_tag"]
  readonly text: string
}

/**
 * A call, for the page. Times are milliseconds since it began, but for `startedAt`.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface ShownCall extends Candidate {
  readonly id: number
  readonly operation: "generate" | "stream"
  readonly label?: string | undefined
  readonly requestId?: string | undefined
  readonly user?: string | undefined
  /** Milliseconds since 1970. */
  readonly startedAt: number
  status: Status
  end?: number
  firstContent?: number
  /** Of the answer so far. */
  characters: number
  readonly attempts: Array<Attempt>
  readonly events: Array<Happened>
  servedBy?: Candidate
  /** Answered by the cache of responses. */
  cached?: boolean
  finishReason?: string
  usage?: {
    readonly input?: number | undefined
    readonly output?: number | undefined
    readonly cached?: number | undefined
  }
  /** US dollars. */
  cost?: number
  error?: { readonly reason: string; readonly message: string; readonly status?: number | undefined }
}

/**
 * What was said in a call, for the page.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Contents {
  readonly asked: ReadonlyArray<ShownMessage>
  answered?: ReadonlyArray<ShownPart>
}

/**
 * A circuit or a candidate that is left out, for the page.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Health {
  readonly name: string
  readonly state: "open" | "closed" | "benched"
  /** Milliseconds since 1970. */
  readonly since: number
  /** Milliseconds since 1970; absent when it is not known. */
  readonly until?: number | undefined
  readonly reason?: string | undefined
}

const maxAttempts = 32
const maxEvents = 64
const maxHealth = 64
const maxWatchers = 16

const characters = (events: Events): number => {
  let count = 0
  for (const event of events) {
    if (event._tag === "TextDelta" || event._tag === "ReasoningDelta") count += event.text.length
    else if (event._tag === "ToolCallDelta") count += event.delta.length
  }
  return count
}

const usageOf = ({ input, output }: Usage): NonNullable<ShownCall["usage"]> => ({
  input: input.total,
  output: output.total,
  cached: input.cacheRead
})

const named = (text: string | undefined): string | undefined => text === undefined ? undefined : shownName(line(text))

/** One call while it runs. */
class Recording {
  readonly call: ShownCall
  readonly contents: Contents
  private readonly request: LlmRequest
  private readonly recorder: Recorder
  private readonly clock: Clock.Clock
  private readonly begin: number

  constructor(
    id: number,
    recorder: Recorder,
    service: Service,
    request: LlmRequest,
    operation: "generate" | "stream",
    clock: Clock.Clock
  ) {
    this.recorder = recorder
    this.request = request
    this.clock = clock
    this.begin = millisBy(clock)
    this.contents = { asked: asked(request, recorder.content) }
    this.call = {
      id,
      operation,
      provider: service.info.provider,
      model: shownName(modelOf(request, service.info)),
      label: named(request.label ?? service.info.label),
      requestId: named(request.scope?.requestId),
      user: named(request.scope?.userId),
      startedAt: clock.currentTimeMillisUnsafe(),
      status: "running",
      characters: 0,
      attempts: [],
      events: []
    }
  }

  private get now(): number {
    return Math.max(0, Math.round((millisBy(this.clock) - this.begin) * 10) / 10)
  }

  private changed(): void {
    this.recorder.changed(this.call.id)
  }

  readonly happened = (event: Event): void => {
    this.recorder.noted(event, this.clock.currentTimeMillisUnsafe())
    const text = sentenceOf(event)
    if (text === undefined || this.call.events.length >= maxEvents) return
    this.call.events.push({ at: this.now, tag: event._tag, text })
    this.changed()
  }

  readonly sent = ({ label, model, provider, queuedMillis }: SentRequest): RequestObserver => {
    const attempt: Attempt = {
      provider,
      model: shownName(model),
      label: named(label),
      at: this.now,
      waited: queuedMillis,
      status: "running"
    }
    if (this.call.attempts.length < maxAttempts) this.call.attempts.push(attempt)
    this.changed()
    return {
      onBegin: () => {
        attempt.firstChunk = this.now
        this.changed()
      },
      onContent: () => {
        attempt.firstContent = this.now
        this.changed()
      },
      onEnd: ({ httpStatus, reason, requestId, status }) => {
        attempt.end = this.now
        attempt.status = status
        attempt.reason = reason
        attempt.httpStatus = httpStatus
        attempt.requestId = named(requestId)
        this.changed()
      }
    }
  }

  readonly onEvents = (events: Events): void => {
    const more = characters(events)
    this.call.characters += more
    if (this.call.firstContent === undefined && events.some(isContent)) {
      this.call.firstContent = this.now
      this.changed()
    } else if (more > 0) {
      this.changed()
    }
  }

  private answer(response: LlmResponse): void {
    this.contents.answered = answered(this.request, response, this.recorder.content)
    this.call.usage = usageOf(response.usage)
    const cost = response.usage.billedCost ?? response.cost
    if (cost !== undefined) this.call.cost = cost
  }

  /** A service that nobody instruments is one attempt. */
  private alone(by: Candidate, ended: Pick<Attempt, "status" | "reason" | "requestId">): void {
    const { call } = this
    if (call.attempts.length > 0 || call.cached === true) return
    const attempt: Attempt = { ...by, ...ended, at: 0, waited: 0, end: call.end ?? this.now }
    if (call.firstContent !== undefined) attempt.firstContent = call.firstContent
    call.attempts.push(attempt)
  }

  readonly onEnd = (ending: Ending): void => {
    const { call } = this
    call.end = this.now
    switch (ending._tag) {
      case "Finished": {
        const { response } = ending
        call.status = "finished"
        call.servedBy = { provider: response.provider, model: shownName(response.model) }
        call.finishReason = response.finishReason
        if (isServed(response)) call.cached = true
        this.answer(response)
        this.alone(call.servedBy, { status: "finished", requestId: named(response.requestId) })
        break
      }
      case "Failed": {
        const { attempts, model, partial, provider, reason, requestId } = ending.error
        call.status = "failed"
        call.error = {
          reason: reason._tag,
          message: line(reason.message),
          ...("status" in reason && reason.status !== undefined ? { status: reason.status } : undefined)
        }
        if (partial !== undefined) this.answer(partial)
        if (attempts > 0) {
          this.alone({ provider, model: shownName(model) }, {
            status: "failed",
            reason: reason._tag,
            requestId: named(requestId)
          })
        }
        break
      }
      case "Abandoned":
        call.status = "interrupted"
    }
    this.changed()
  }

  /** What those inside are given: whoever listened before still does. */
  context(fiber: { readonly getRef: <A>(ref: Context.Reference<A>) => A }): Context.Context<never> {
    const sink = fiber.getRef(EventSink)
    const watch = fiber.getRef(RequestWatch)
    const both: Sink = sink === undefined ? this.happened : (event) => {
      this.happened(event)
      sink(event)
    }
    return Context.make(EventSink, both).pipe(
      Context.add(RequestWatch, watch === undefined ? this.sent : beside(this.sent, watch))
    ) as Context.Context<never>
  }
}

type Watch = (sent: SentRequest) => RequestObserver

const beside = (own: Watch, other: Watch): Watch => (sent) => {
  const observers = [own(sent), other(sent)]
  return {
    onBegin: () => observers.forEach(({ onBegin }) => onBegin()),
    onContent: () => observers.forEach(({ onContent }) => onContent()),
    onEnd: (ending) => observers.forEach(({ onEnd }) => onEnd(ending))
  }
}

/**
 * What has changed since a page looked.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Changes {
  readonly version: number
  readonly calls: ReadonlyArray<ShownCall>
  readonly health: ReadonlyArray<Health> | undefined
}

/**
 * The last calls.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export class Recorder {
  /** Calls that are kept. */
  readonly most: number
  readonly content: Allowed
  private readonly recordings = new Map<number, Recording>()
  private readonly versions = new Map<number, number>()
  private readonly health = new Map<string, Health>()
  private readonly watchers = new Set<() => void>()
  private version = 0
  private healthVersion = 0
  private last = 0

  constructor(most: number, content: Allowed) {
    this.most = most
    this.content = content
  }

  /** The version of the latest change. */
  get current(): number {
    return this.version
  }

  /** Looks on at a call. */
  record(service: Service, request: LlmRequest, operation: "generate" | "stream", clock: Clock.Clock): Recording {
    const id = ++this.last
    const recording = new Recording(id, this, service, request, operation, clock)
    this.recordings.set(id, recording)
    this.changed(id)
    while (this.recordings.size > this.most) {
      const oldest = this.recordings.keys().next().value!
      this.recordings.delete(oldest)
      this.versions.delete(oldest)
    }
    return recording
  }

  /** The call of that number has changed. */
  changed(id: number): void {
    if (!this.recordings.has(id)) return
    // The latest change stands last.
    this.versions.delete(id)
    this.versions.set(id, ++this.version)
    for (const wake of this.watchers) wake()
  }

  /** What an event says of candidates and circuits. */
  noted(event: Event, now: number): void {
    switch (event._tag) {
      case "CircuitOpened":
        return this.known({ name: event.key, state: "open", since: now, until: until(now, event.retryAfterMillis) })
      case "CircuitClosed":
        return this.known({ name: event.key, state: "closed", since: now })
      case "Benched":
        return this.known({
          name: `${event.provider}/${event.model}`,
          state: "benched",
          since: now,
          until: until(now, event.benchMillis),
          reason: event.reason
        })
    }
  }

  private known(health: Health): void {
    const name = shownName(line(health.name))
    this.health.delete(name)
    this.health.set(name, { ...health, name })
    if (this.health.size > maxHealth) this.health.delete(this.health.keys().next().value!)
    this.healthVersion = ++this.version
    for (const wake of this.watchers) wake()
  }

  /** What was said in a call; `undefined` for one that is not kept. */
  opened(id: number): { readonly call: ShownCall; readonly contents: Contents } | undefined {
    const recording = this.recordings.get(id)
    return recording === undefined ? undefined : { call: recording.call, contents: recording.contents }
  }

  /** What has changed after a version, the oldest change first; at most so many calls. */
  since(version: number, most: number): Changes {
    const calls: Array<ShownCall> = []
    let seen = version
    for (const [id, at] of this.versions) {
      if (at <= version) continue
      if (calls.length >= most) return { version: seen, calls, health: undefined }
      calls.push(this.recordings.get(id)!.call)
      seen = at
    }
    const health = this.healthVersion > version ? [...this.health.values()] : undefined
    return { version: this.version, calls, health }
  }

  /** Wakes whoever watches, until it is told not to; `undefined` when enough do. */
  watch(wake: () => void): (() => void) | undefined {
    if (this.watchers.size >= maxWatchers) return undefined
    this.watchers.add(wake)
    return () => void this.watchers.delete(wake)
  }
}

const until = (now: number, millis: number | undefined): number | undefined =>
  millis === undefined ? undefined : now + millis

/** A service whose calls know who looks on. */
const within = (service: Service, recording: Recording): Service => ({
  ...service,
  generate: (request) =>
    Effect.withFiber((fiber) => Effect.provideContext(service.generate(request), recording.context(fiber))),
  stream: (request) =>
    Stream.fromChannel(Channel.fromTransform((_: unknown, scope: Scope) =>
      Effect.withFiber((fiber) => {
        const context = recording.context(fiber)
        return Effect.map(
          Effect.provideContext(Channel.toPullScoped(service.stream(request).channel, scope), context),
          (pull) => provided(pull, Effect.provideContext(context))
        )
      })
    ))
})

/**
 * A service whose calls are recorded.
 *
 * @stability experimental
 * @category combinators
 * @since 0.1.0
 */
export const recorded = (service: Service, recorder: Recorder): Service => {
  const around = (request: LlmRequest, operation: "generate" | "stream"): Effect.Effect<Service> =>
    Effect.map(Clock.Clock, (clock) => {
      const recording = recorder.record(service, request, operation, clock)
      return observed(within(service, recording), () => recording)
    })
  return {
    ...service,
    generate: (request) => Effect.flatMap(around(request, "generate"), (one) => one.generate(request)),
    stream: (request) => Stream.unwrap(Effect.map(around(request, "stream"), (one) => one.stream(request)))
  }
}
