/**
 * Asks the model for one step.
 *
 * @since 0.1.0
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { LlmError } from "../../LlmError.ts"
import type { ToolCallEnd } from "../../LlmEvent.ts"
import type { LlmRequest } from "../../LlmRequest.ts"
import type { LlmResponse } from "../../LlmResponse.ts"
import { LlmService } from "../../LlmService.ts"
import type { LlmTool } from "../../LlmTool.ts"
import { PartsFold } from "../../message/partsFold.ts"
import * as Cost from "../../observe/Cost.ts"
import type { Action } from "../run/happened.ts"
import type { RunRefusal } from "../run/refusal.ts"
import type { Early } from "./early.ts"
import type { Options } from "./options.ts"
import { RunFailed, type Session } from "./session.ts"

type Ask = Action & { readonly _tag: "Ask" }
type AnyOptions = Options<unknown, unknown, unknown, unknown>
type Asked<A> = Effect.Effect<A, RunFailed<unknown> | RunRefusal, unknown>

/** A tool as it is sent: how it is run is nobody else's business. */
const sent = (tool: LlmTool): LlmTool => {
  switch (tool.type) {
    case "function": {
      const { cacheControl, description, name, parameters, strict, type } = tool
      return {
        type,
        name,
        ...(description === undefined ? undefined : { description }),
        parameters,
        ...(strict === undefined ? undefined : { strict }),
        ...(cacheControl === undefined ? undefined : { cacheControl })
      }
    }
    case "custom":
      return tool
    case "provider": {
      const { decode, definition, name, type } = tool
      // That it decodes calls says that the application runs it, for wires that tell such calls apart.
      return { type, name, definition, ...(decode === undefined ? undefined : { decode }) }
    }
  }
}

const requestOf = (
  session: Session,
  options: AnyOptions,
  tools: ReadonlyArray<LlmTool>,
  ownName: (name: string) => string,
  action: Ask
): Asked<LlmRequest> =>
  Effect.gen(function*() {
    const context = { step: action.step, state: session.state, messages: action.messages }
    const given = options.prepareStep?.(context)
    const changes = Effect.isEffect(given)
      ? yield* Effect.mapError(given, (error) => new RunFailed({ error, state: session.state }))
      : given
    const offered = changes?.tools === undefined
      ? tools
      : tools.filter(({ name }) => changes.tools!.includes(ownName(name)))
    const { toolChoice, ...request } = { ...options.request, ...changes?.request }
    const choice = changes?.toolChoice ?? toolChoice
    const named = typeof choice === "object" ? tools.find(({ name }) => ownName(name) === choice.name) : undefined
    const system = changes?.instructions ?? options.instructions
    return {
      ...request,
      ...(changes?.model === undefined ? undefined : { model: changes.model }),
      ...(system === undefined ? undefined : { system }),
      messages: changes?.messages ?? action.messages,
      // The last answer of a run that reached a bound has no tools: without the option providers refuse histories with calls.
      ...(offered.length === 0 ? undefined : { tools: offered.map(sent) }),
      ...(!action.withTools && offered.length > 0
        ? { toolChoice: "none" as const }
        : choice === undefined || offered.length === 0
        ? undefined
        : { toolChoice: named === undefined ? choice : { name: named.name } })
    }
  })

type Answered =
  | { readonly _tag: "Response"; readonly response: LlmResponse }
  | { readonly _tag: "Failed"; readonly error: LlmError }
  | { readonly _tag: "Stopped"; readonly fold: PartsFold }
  | { readonly _tag: "TimedOut" }

/** One attempt, with the events of the model as they come. */
const attempt = (
  session: Session,
  request: LlmRequest,
  step: number,
  early: Early | undefined
): Effect.Effect<Answered, never, unknown> =>
  Effect.gen(function*() {
    const service = yield* LlmService
    const fold = new PartsFold()
    let response: LlmResponse | undefined
    const read = Stream.runForEachArray(service.stream(request), (events) =>
      Effect.suspend(() => {
        const calls: Array<ToolCallEnd> = []
        for (const event of events) {
          if (event._tag === "Finish") response = event.response
          else fold.add(event)
          if (early !== undefined && event._tag === "ToolCallEnd") calls.push(event)
        }
        return early === undefined || calls.length === 0
          ? session.emit(events)
          : Effect.andThen(
            session.emit(events),
            Effect.forEach(calls, ({ index, part }) => early.start(part, `${step}.${index}`), { discard: true })
          )
      }))
    const whole: Effect.Effect<Answered, never, unknown> = Effect.match(read, {
      onFailure: (error) => ({ _tag: "Failed", error }),
      onSuccess: () => ({ _tag: "Response", response: response! })
    })
    const left = yield* session.leftMillis
    const inTime: Effect.Effect<Answered, never, unknown> = left === undefined
      ? whole
      : Effect.map(Effect.timeoutOption(whole, left), Option.getOrElse((): Answered => ({ _tag: "TimedOut" })))
    return yield* Effect.raceFirst(
      inTime,
      Effect.as(Deferred.await(session.held.stopped), { _tag: "Stopped", fold } as Answered)
    )
  })

/** What a run keeps of a response. */
const priced = (response: LlmResponse): Effect.Effect<LlmResponse> =>
  response.cost !== undefined
    ? Effect.succeed(response)
    : Effect.catchCause(Cost.withCost(response), () => Effect.succeed(response))

/** Whether another attempt of ours can help: an answer that broke off is one that no policy may begin anew. */
const brokeOff = (error: LlmError): boolean => error.isRetryable && (error.partial?.parts.length ?? 0) > 0

const outgrown = ({ reason }: LlmError): boolean => reason._tag === "ContextLength" && reason.kind === "tokens"

/**
 * Asks for a step and applies what comes of it. Gives the response, if there is one.
 *
 * @stability experimental
 * @category running
 * @since 0.1.0
 */
export const ask = (
  session: Session,
  options: AnyOptions,
  tools: ReadonlyArray<LlmTool>,
  ownName: (name: string) => string,
  action: Ask,
  compactedAt: { messages: number },
  early: Early | undefined
): Asked<LlmResponse | undefined> =>
  Effect.gen(function*() {
    if (early !== undefined) yield* early.clear
    const { attempt: number, step } = action
    let seen = false
    const request = yield* requestOf(session, options, tools, ownName, action)
    yield* session.apply({ _tag: "ModelStarted", step })
    if (number === 1) yield* session.tell([{ _tag: "StepStart", step }])
    // Another process had begun this step; what it showed is void.
    else if (session.announced !== number) {
      yield* session.tell([{ _tag: "AttemptStart", step, attempt: number, reason: "Resumed" }])
    }
    const answered = yield* attempt(session, request, step, action.withTools ? early : undefined)
    if (early !== undefined && answered._tag !== "Response") {
      seen = early.any
      yield* early.clear
    }
    switch (answered._tag) {
      case "TimedOut":
        return undefined
      case "Stopped": {
        const reason = yield* Deferred.await(session.held.stopped)
        yield* session.tryApply({ _tag: "Stopped", reason, partial: answered.fold.parts() })
        return undefined
      }
      case "Response": {
        const response = yield* priced(answered.response)
        const { cost, finishReason, parts, usage } = response
        yield* session.apply({
          _tag: "ModelAnswered",
          step,
          answer: { parts, finishReason, usage: withoutRaw(usage), cost }
        })
        yield* session.tell([{
          _tag: "StepEnd",
          step,
          finishReason,
          usage,
          ...(cost === undefined ? undefined : { cost }),
          spent: session.state.spent
        }])
        return response
      }
      case "Failed":
        return yield* failed(session, options, answered.error, action, compactedAt, seen)
    }
  })

const withoutRaw = (usage: LlmResponse["usage"]): LlmResponse["usage"] => {
  const { raw: _, ...rest } = usage
  return rest
}

const failed = (
  session: Session,
  options: AnyOptions,
  error: LlmError,
  { attempt: number, step }: Ask,
  compactedAt: { messages: number },
  seen: boolean
): Asked<undefined> =>
  Effect.gen(function*() {
    const { compact } = options
    const length = session.state.messages.length
    // Once for each length, or a context that stays too long would be compacted in circles.
    const compaction = compact !== undefined && outgrown(error) && compactedAt.messages < length
      ? yield* Effect.mapError(compact(session.state), (error) => new RunFailed({ error, state: session.state }))
      : undefined
    const usage = error.partial?.usage
    yield* session.apply({
      _tag: "ModelFailed",
      step,
      failure: { tag: error.reason._tag, message: error.reason.message },
      again: compaction !== undefined || (brokeOff(error) && !seen),
      ...(usage === undefined ? undefined : { usage: withoutRaw(usage) })
    })
    if (session.state.end?.status === "failed") return yield* new RunFailed({ error, state: session.state })
    if (session.state.end !== undefined) return undefined
    if (compaction !== undefined) {
      compactedAt.messages = length
      yield* session.apply({ _tag: "Compacted", compaction })
      yield* session.tell([{ _tag: "Compacted", compaction }])
    }
    session.announced = number + 1
    yield* session.tell([{ _tag: "AttemptStart", step, attempt: number + 1, reason: error.reason._tag }])
    return undefined
  })
