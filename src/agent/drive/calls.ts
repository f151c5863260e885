/**
 * Checks the calls of a turn together, and runs those that may run side by side.
 *
 * @since 0.1.0
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Semaphore from "effect/Semaphore"
import { LlmError, ToolFailure } from "../../LlmError.ts"
import type { LlmTool } from "../../LlmTool.ts"
import type { Json } from "../../Message.ts"
import { executeTool } from "../../observe/telemetry/agents.ts"
import { emit } from "../../stream/emit.ts"
import type { CallContext } from "../Handlers.ts"
import { check, executionOf, type InvalidArguments } from "../handlers/check.ts"
import type { OpenCall } from "../run/happened.ts"
import type { RunRefusal } from "../run/refusal.ts"
import { remaining } from "../run/spending.ts"
import type { Early } from "./early.ts"
import type { AgentEvent } from "./events.ts"
import { handle, type Handled } from "./handle.ts"
import type { Named } from "./names.ts"
import { defaultConcurrency, defaultGrace, type Options } from "./options.ts"
import { RunFailed, type Session } from "./session.ts"

type AnyOptions = Options<unknown, unknown, unknown, unknown>
type Done = Effect.Effect<void, RunFailed<unknown> | RunRefusal, unknown>

const repairOf = (
  session: Session,
  { invalidArguments = "tell", request }: AnyOptions
): ((invalid: InvalidArguments) => Effect.Effect<Json | undefined, RunFailed<unknown>, unknown>) | undefined => {
  if (invalidArguments === "tell") return undefined
  if (invalidArguments === "fail") {
    return ({ problem, toolCallId, toolName }) =>
      Effect.fail(
        new RunFailed({
          error: new LlmError({
            provider: "",
            model: "",
            operation: "generate",
            attempts: 1,
            reason: new ToolFailure({
              message: `The arguments do not fit ${toolName}. ${problem}`,
              toolName,
              toolCallId
            })
          }),
          state: session.state
        })
      )
  }
  return (invalid) =>
    Effect.tap(
      Effect.mapError(invalidArguments(invalid), (error) => new RunFailed({ error, state: session.state })),
      (repaired) => {
        const { toolCallId, toolName } = invalid
        return repaired === undefined
          ? Effect.void
          : emit(request ?? {}, () => ({ _tag: "ArgumentsRepaired", toolCallId, toolName }))
      }
    )
}

/** Checks calls together, so that none starts before all are known to be in order. @stability experimental @category running @since 0.1.0 */
export const checkAll = (
  session: Session,
  options: AnyOptions,
  { handlers }: Named<unknown, unknown>,
  calls: ReadonlyArray<OpenCall>
): Done =>
  Effect.gen(function*() {
    const repair = repairOf(session, options)
    const { messages } = session.state
    const checks = yield* Effect.forEach(calls, (call) => check(handlers, call, messages, repair))
    const before = session.state
    yield* session.apply({ _tag: "CallsChecked", checks })
    yield* session.tell(told(session, before, calls))
  })

/** Calls that got a result without having been run. */
const told = (
  session: Session,
  before: Session["state"],
  calls: ReadonlyArray<OpenCall>
): ReadonlyArray<AgentEvent> => {
  const done = session.state.turn === undefined ? session.state.messages.at(-1) : undefined
  const results = session.state.turn?.calls ?? []
  return calls.flatMap(({ call, toolCallId, toolName }): ReadonlyArray<AgentEvent> => {
    const open = results.find(({ at }) => `${before.step}.${at}` === call)
    const part = done !== undefined && typeof done.content !== "string"
      ? done.content.find((part) => part.type === "tool-result" && part.toolCallId === toolCallId)
      : undefined
    const result = open?.result ?? (part?.type === "tool-result" ? part : undefined)
    if (result !== undefined) {
      const { content, isError } = result
      return [{ _tag: "ToolResult", toolCallId, toolName, result: { content, ...(isError && { isError }) } }]
    }
    return open?.status === "deferred" ? [{ _tag: "ToolDeferred", toolCallId, toolName }] : []
  })
}

/** What telemetry says of a call that has ended. */
const outcomeOf = (handled: Handled) => {
  switch (handled._tag) {
    case "Result": {
      const { content, isError } = handled.result
      return { result: content, ...(isError === true ? { errorType: "tool_error" } : undefined) }
    }
    case "Later":
      return {}
    case "Lost":
      return { errorType: "lost" }
  }
}

/** Runs calls side by side, each to its end. @stability experimental @category running @since 0.1.0 */
export const runAll = (
  session: Session,
  options: AnyOptions,
  { handlers, ownName }: Named<unknown, unknown>,
  calls: ReadonlyArray<OpenCall>,
  early: Early | undefined
): Done => {
  const slots = new Map<string, Semaphore.Semaphore>()
  const errors: Array<unknown> = []

  const runOne = (tool: LlmTool, call: OpenCall): Done =>
    Effect.gen(function*() {
      // What happened meanwhile may have ended the run.
      if (session.state.end !== undefined || (yield* Deferred.isDone(session.held.stopped))) return
      if ((yield* session.leftMillis) === 0) return
      const { toolCallId } = call
      const toolName = ownName(call.toolName)
      yield* session.apply({ _tag: "CallStarted", call: call.call })
      const underWay = early?.take(call)
      if (underWay === undefined) {
        yield* session.tell([{ _tag: "ToolStart", toolCallId, toolName, arguments: call.arguments }])
      }
      const context: CallContext = {
        runId: session.state.id,
        toolCallId,
        idempotencyKey: call.idempotencyKey,
        progress: (value) => session.tell([{ _tag: "ToolProgress", toolCallId, toolName, value }]),
        tellChild: (events) =>
          session.tell(events.map((event): AgentEvent => ({ _tag: "ChildEvent", toolCallId, toolName, event }))),
        left: remaining(session.state),
        nested: call.nested,
        wentOn: (nested) =>
          Effect.asVoid(session.tryApply({ _tag: "CallWentOn", call: call.call, nested })).pipe(
            Effect.catch((error) => Effect.sync(() => void errors.push(error.error)))
          ) as Effect.Effect<void>
      }
      session.made.toolCalls++
      const handling = underWay ?? handle(handlers, tool, call, context, {
        leftMillis: yield* session.leftMillis,
        grace: options.grace ?? defaultGrace,
        stopped: session.held.stopped
      })
      const handled = yield* executeTool(
        {
          name: toolName,
          type: "function",
          description: "description" in tool ? tool.description : undefined,
          callId: toolCallId,
          arguments: call.arguments,
          agentName: options.name,
          conversationId: options.request?.scope?.sessionId
        },
        outcomeOf,
        handling
      )
      switch (handled._tag) {
        case "Result": {
          const { error, result, spent } = handled
          yield* session.tryApply({ _tag: "CallFinished", call: call.call, result, ...(spent && { spent }) })
          if (error !== undefined) errors.push(error.value)
          return yield* session.tell([{ _tag: "ToolResult", toolCallId, toolName, result }])
        }
        case "Later":
          yield* session.tryApply({
            _tag: "CallDeferred",
            call: call.call,
            ...(handled.nested === undefined ? undefined : { nested: handled.nested })
          })
          return yield* session.tell([{ _tag: "ToolDeferred", toolCallId, toolName }])
        case "Lost":
          yield* session.tryApply({ _tag: "CallLost", call: call.call })
          return yield* session.tell([{ _tag: "ToolLost", toolCallId, toolName }])
      }
    })

  const slotOf = (tool: LlmTool): Semaphore.Semaphore | undefined => {
    const { concurrency } = executionOf(tool)
    if (concurrency === undefined) return undefined
    const slot = slots.get(tool.name) ?? Semaphore.makeUnsafe(Math.max(1, concurrency))
    slots.set(tool.name, slot)
    return slot
  }

  return Effect.gen(function*() {
    yield* Effect.forEach(
      calls,
      (call) =>
        Effect.suspend(() => {
          const tool = handlers.tools.find(({ name }) => name === call.toolName)
          if (tool === undefined) return Effect.void
          const slot = slotOf(tool)
          return slot === undefined ? runOne(tool, call) : slot.withPermit(runOne(tool, call))
        }),
      { concurrency: Math.max(1, options.concurrency ?? defaultConcurrency), discard: true }
    )
    if (errors.length > 0) return yield* new RunFailed({ error: errors[0], state: session.state })
  })
}
