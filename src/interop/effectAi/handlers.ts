/**
 * Toolkits of `effect/ai` as handlers of ours, and the other way.
 *
 * @since 0.1.0
 */
import * as AiError from "effect/ai/AiError"
import type * as LanguageModel from "effect/ai/LanguageModel"
import type * as Tool from "effect/ai/Tool"
import type * as Toolkit from "effect/ai/Toolkit"
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import * as Random from "effect/Random"
import type * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { handle, type Handled } from "../../agent/drive/handle.ts"
import * as Handlers from "../../agent/Handlers.ts"
import { textOf } from "../../agent/handlers/texts.ts"
import { ownOf, setOwn } from "../../json/own.ts"
import { parseJson } from "../../json/parse.ts"
import type { ToolResultPart } from "../../Message.ts"
import { jsonOf, objectOf } from "./metadata.ts"
import { contentOf, fromTool, partsOf, toTool } from "./tools.ts"

// =============================================================================
// From effect/ai
// =============================================================================

type AnyTools = Record<string, Tool.Any>

type AnyHandle = (
  name: string,
  params: unknown,
  toolCallId: string
) => Effect.Effect<Stream.Stream<Tool.HandlerResult<Tool.Any>, unknown>, unknown>

const shown = ({ encodedResult, isFailure, modelOutput }: Tool.HandlerResult<Tool.Any>): Handlers.Output =>
  Handlers.output(modelOutput === undefined ? textOf(encodedResult) : contentOf(modelOutput), { isError: isFailure })

/** The tools of a toolkit with what runs them, with the services there are. */
export const handlersOf = <Tools extends AnyTools, E = never, R = never>(
  input: LanguageModel.ToolkitInput<Tools, E, R>
): Effect.Effect<
  Handlers.Handlers<Tool.HandlerError<Tools[keyof Tools]>>,
  E,
  R | Tool.HandlerServices<Tools[keyof Tools]>
> =>
  Effect.gen(function*() {
    const services = yield* Effect.context<never>()
    const toolkit = (Effect.isEffect(input) ? yield* input : input) as unknown as Toolkit.WithHandler<Tools>
    const run = toolkit.handle as unknown as AnyHandle
    const own = Object.values(toolkit.tools)
    const tools = own.map((tool) => fromTool(tool, services))
    const names = new Map(tools.map(({ name }, at) => [name, own[at]!.name as string]))
    const runnable = new Set(
      own.flatMap((tool, at) => "requiresHandler" in tool && tool.requiresHandler !== true ? [] : [tools[at]!.name])
    )
    const handlerOf = (name: string) =>
      !runnable.has(name) ?
        undefined :
        (params: unknown, context: Handlers.CallContext) =>
          run(names.get(name)!, params, context.toolCallId).pipe(
            Effect.flatMap((results) =>
              Stream.runFoldEffect(
                results,
                (): Handlers.Output => Handlers.output("The tool gave no result.", { isError: true }),
                (last, result) =>
                  result.preliminary
                    ? Effect.as(context.progress(jsonOf(result.encodedResult)), last)
                    : Effect.succeed(shown(result))
              )
            ),
            Effect.provideContext(services)
          )
    return { tools, handlerOf }
  }) as never

// =============================================================================
// To effect/ai
// =============================================================================

/**
 * A tool whose arguments and results are known at run time; `E` is what running it may fail with, `R` what it needs.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface RunnableTool<out E, out R> extends
  Tool.Tool<string, {
    /** Arguments are decoded by the tool they come from. */
    readonly parameters: Schema.Unknown
    /** Results are encoded by the tool they come from. */
    readonly success: Schema.Unknown
    /** What the handler may fail with. */
    readonly failure: Schema.Codec<E, unknown>
    /** A failure ends the call as an error. */
    readonly failureMode: "error"
  }, R>
{}

type Result = Tool.HandlerResult<Tool.Any>

const resultOf = (content: ToolResultPart["content"], isError: boolean): Result => {
  const modelOutput = partsOf(content)
  // A text of JSON is its value again, so that who renders it for a model gives the same text.
  const parsed = typeof content === "string" && /^\s*[[{]/.test(content) ? parseJson(content) : undefined
  const value = parsed ?? (typeof content === "string"
    ? content
    : content.map((part) => part.type === "text" ? part.text : `[${part.type} omitted]`).join("\n"))
  return {
    result: value,
    encodedResult: value,
    isFailure: isError,
    ...(isError ? { failureOrigin: "handler" as const } : undefined),
    ...(modelOutput === undefined ? undefined : { modelOutput }),
    preliminary: false
  } as Result
}

const failing = (name: string, reason: AiError.AiErrorReason): AiError.AiError =>
  AiError.make({ module: "EffectAi", method: `${name}.handle`, reason })

const ended = (name: string, handled: Handled): Effect.Effect<Result, unknown> => {
  switch (handled._tag) {
    case "Result":
      return handled.error === undefined
        ? Effect.succeed(resultOf(handled.result.content, handled.result.isError === true))
        : Effect.fail(handled.error.value)
    case "Later":
      return Effect.fail(failing(
        name,
        new AiError.ToolConfigurationError({
          toolName: name,
          description: "Its result comes from outside, later; only an agent of effect-llm waits for it."
        })
      ))
    case "Lost":
      return Effect.succeed(resultOf("The tool did not end in time; whether it did its work is not known.", true))
  }
}

/** The handlers as a toolkit, ready to be given to `generateText`. */
export const toolkitOf = <E, R>(
  handlers: Handlers.Handlers<E, R>
): Toolkit.WithHandler<Record<string, RunnableTool<E, R>>> => {
  const tools: Record<string, Tool.Any> = {}
  for (const tool of handlers.tools) {
    if (!Object.hasOwn(tools, tool.name)) setOwn(tools, tool.name, toTool(tool))
  }

  const run = (name: string, params: unknown, id: string | undefined) =>
    Effect.gen(function*() {
      const tool = handlers.tools.find((one) => one.name === name)
      if (tool === undefined || ownOf(tools, name) === undefined) {
        return yield* failing(
          name,
          new AiError.ToolNotFoundError({ toolName: name, availableTools: Object.keys(tools) })
        )
      }
      // Ids of calls are unique in a conversation at most.
      const runId = `effect-ai_${Math.abs(yield* Random.nextInt).toString(36)}${
        Math.abs(yield* Random.nextInt).toString(36)
      }`
      const toolCallId = id ?? runId
      const idempotencyKey = `${runId}.${toolCallId}`
      const queue = yield* Queue.bounded<Result, unknown>(64)
      const context: Handlers.CallContext = {
        runId,
        toolCallId,
        idempotencyKey,
        progress: (value) =>
          Effect.asVoid(Queue.offer(queue, {
            result: value,
            encodedResult: value,
            isFailure: false,
            preliminary: true
          } as Result)),
        left: {},
        nested: undefined,
        wentOn: () => Effect.void
      }
      const given = tool.type === "custom" ? objectOf(params)?.["input"] : params
      const call = { call: toolCallId, toolCallId, toolName: name, arguments: jsonOf(given), idempotencyKey }
      const stopped = yield* Deferred.make<string | undefined>()
      const limits = { leftMillis: undefined, grace: "2 seconds", stopped } as const
      const working = handle(handlers, tool, call, context, limits).pipe(
        Effect.flatMap((handled) => ended(name, handled)),
        Effect.flatMap((result) => Queue.offer(queue, result)),
        Effect.matchCauseEffect({
          onFailure: (cause) => Queue.failCause(queue, cause),
          onSuccess: () => Queue.fail(queue, Cause.Done())
        })
      )
      return Stream.fromQueue(queue as Queue.Dequeue<Result, Cause.Done>).pipe(
        Stream.merge(Stream.fromEffectDrain(working), { haltStrategy: "left" })
      )
    })

  return { tools, handle: run } as never
}
