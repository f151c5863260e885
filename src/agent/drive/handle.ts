/**
 * Runs one call to its result, within its time limit, and never longer than that because its handler does not stop.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import type { LlmTool } from "../../LlmTool.ts"
import type { ToolResultPart } from "../../Message.ts"
import type { CallContext, Handlers, Later, Lost, Output } from "../Handlers.ts"
import { decodeArguments, executionOf } from "../handlers/check.ts"
import { cut, defaultMaxResultBytes, textOf, wordsOf } from "../handlers/texts.ts"
import type { OpenCall } from "../run/happened.ts"
import type { CallResult, Spent, State } from "../run/state.ts"

/** What came of a call. @stability experimental @category models @since 0.1.0 */
export type Handled =
  | {
    readonly _tag: "Result"
    readonly result: CallResult
    readonly spent?: Spent | undefined
    /** The error of a handler whose tool ends the run. */
    readonly error?: { readonly value: unknown } | undefined
  }
  | { readonly _tag: "Later"; readonly nested?: State | undefined }
  | { readonly _tag: "Lost" }

/** Longest time of a call, unless its tool says otherwise. */
const defaultTimeout = Duration.minutes(5)

const isOutput = (value: unknown): value is Output | Later | Lost =>
  typeof value === "object" && value !== null && "_tag" in value &&
  ((value._tag === "Output" && "content" in value && "isError" in value) || value._tag === "Later" ||
    value._tag === "Lost")

const failed = (words: string): Handled => ({ _tag: "Result", result: { content: words, isError: true } })

/** What the model sees of what a handler gave. */
const shown = (tool: LlmTool, value: unknown): Effect.Effect<Handled> =>
  Effect.gen(function*() {
    const { maxResultBytes = defaultMaxResultBytes, toModel } = executionOf(tool)
    if (isOutput(value)) {
      if (value._tag !== "Output") return value
      const content = cut(value.content, maxResultBytes)
      const { spent } = value
      return {
        _tag: "Result",
        result: { content, ...(value.isError ? { isError: true } : undefined) },
        ...(spent === undefined ? undefined : { spent })
      } as const
    }
    let content: ToolResultPart["content"]
    if (toModel !== undefined) content = toModel(value as never)
    else if (tool.type === "function" && tool.encode !== undefined) content = textOf(yield* tool.encode(value))
    else content = textOf(value)
    return { _tag: "Result", result: { content: cut(content, maxResultBytes) } } as const
  }).pipe(
    Effect.catchCause((cause) =>
      Effect.succeed(failed(`The tool gave a result that cannot be shown: ${wordsOf(Cause.squash(cause))}`))
    )
  )

const ofExit = (tool: LlmTool, exit: Exit.Exit<unknown, unknown>): Effect.Effect<Handled> => {
  if (Exit.isSuccess(exit)) return shown(tool, exit.value)
  const { cause } = exit
  const failure = cause.reasons.find(Cause.isFailReason)
  if (failure === undefined) {
    return Effect.succeed(failed(Cause.hasInterruptsOnly(cause) ? "The tool was interrupted." : "The tool broke down."))
  }
  const words = wordsOf(failure.error)
  const tells = tool.type === "function" && tool.failureMode === "return"
  return Effect.succeed({
    _tag: "Result",
    result: { content: `The tool failed: ${words}`, isError: true },
    ...(tells ? undefined : { error: { value: failure.error } })
  })
}

/** Asks a fiber to stop, and waits for that only so long. */
const stop = (fiber: Fiber.Fiber<unknown, unknown>, grace: Duration.Input) =>
  Effect.andThen(
    Effect.forkDetach(Fiber.interrupt(fiber)),
    Effect.timeoutOption(Fiber.await(fiber), grace)
  )

/**
 * Runs a call. The handler runs in a fiber of its own, so that one that ignores interruption holds nobody up longer than `grace`; what
 * came of it is then unknown.
 *
 * @stability experimental
 * @category running
 * @since 0.1.0
 */
export const handle = <R>(
  handlers: Handlers<unknown, R>,
  tool: LlmTool,
  call: OpenCall,
  context: CallContext,
  limits: {
    readonly leftMillis: number | undefined
    readonly grace: Duration.Input
    readonly stopped: Deferred.Deferred<string | undefined>
  }
): Effect.Effect<Handled, never, R> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.gen(function*() {
      const decoded = yield* Effect.result(decodeArguments(tool, call))
      if (decoded._tag === "Failure") return failed(`The arguments do not fit. ${decoded.failure}`)
      const handler = handlers.handlerOf(tool.name)
      if (handler === undefined) return { _tag: "Later" } as const
      const fiber = yield* Effect.forkDetach(Effect.suspend(() => handler(decoded.success, context)))
      const own = Duration.fromInputUnsafe(executionOf(tool).timeout ?? defaultTimeout)
      const limit = limits.leftMillis === undefined ? own : Duration.min(own, Duration.millis(limits.leftMillis))
      const ended = yield* restore(Effect.raceFirst(
        Effect.timeoutOption(Fiber.await(fiber), limit),
        Effect.as(Deferred.await(limits.stopped), "stopped" as const)
      )).pipe(Effect.onInterrupt(() => stop(fiber, limits.grace)))
      if (ended !== "stopped" && Option.isSome(ended)) return yield* ofExit(tool, ended.value)
      const late = yield* stop(fiber, limits.grace)
      if (Option.isNone(late)) return { _tag: "Lost" } as const
      // It may have come to its end while it was asked to stop.
      if (Exit.isSuccess(late.value)) return yield* ofExit(tool, late.value)
      return failed(
        ended === "stopped"
          ? "The tool was interrupted: the run was stopped."
          : `The tool was interrupted: it took longer than ${Duration.format(limit)}.`
      )
    })
  )
