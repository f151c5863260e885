/**
 * Spans and metrics of agents and their tools.
 *
 * @see https://github.com/open-telemetry/semantic-conventions-genai/blob/v0.1.0/docs/gen-ai/gen-ai-agent-spans.md
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Metric from "effect/Metric"
import * as Tracer from "effect/Tracer"
import { shownName, ShownNames } from "../../stream/shownNames.ts"
import { content } from "./capture.ts"
import { executeToolDuration, inferenceCalls, invokeAgentDuration, toolCalls } from "./metrics.ts"
import { type Resolved, withSettings } from "./settings.ts"
import { listens, seconds } from "./spans.ts"

const agentNames = new ShownNames(256)
const toolNames = new ShownNames(256)

/** What is there to be told of an operation that is under way. */
interface Ended {
  /** Class of the error that it ended with, if it did. */
  readonly errorType?: string | undefined
  readonly attributes?: Readonly<Record<string, unknown>> | undefined
}

/** Measures and traces one operation; what runs in it has its span as parent. */
const traced = <A, E, R>(
  self: Effect.Effect<A, E, R>,
  options: {
    readonly name: string
    readonly attributes: () => Readonly<Record<string, unknown>>
    readonly onStart?: ((span: Tracer.Span, settings: Resolved) => Effect.Effect<void>) | undefined
    readonly onEnd: (
      exit: Exit.Exit<A, E>,
      durationSeconds: number,
      context: Context.Context<never>,
      span: Tracer.Span | undefined,
      settings: Resolved
    ) => Effect.Effect<Ended>
  }
): Effect.Effect<A, E, R> =>
  Effect.withFiber((fiber) =>
    withSettings(fiber, (settings) => {
      const clock = fiber.getRef(Clock.Clock)
      const begin = clock.currentTimeNanosUnsafe()
      const ended = (span: Tracer.Span | undefined) => (exit: Exit.Exit<A, E>) =>
        Effect.suspend(() => {
          const now = clock.currentTimeNanosUnsafe()
          return Effect.map(
            options.onEnd(exit, seconds(begin, now), fiber.context, span, settings),
            ({ attributes = {}, errorType }) => {
              if (span === undefined) return
              for (const [key, value] of Object.entries(attributes)) {
                if (value !== undefined) span.attribute(key, value)
              }
              if (errorType !== undefined) span.attribute("error.type", errorType)
              span.end(now, Exit.isFailure(exit) ? exit : errorType === undefined ? Exit.void : Exit.fail(errorType))
            }
          )
        })
      if (!listens(fiber)) return Effect.onExit(self, ended(undefined))
      return Effect.flatMap(
        Effect.makeSpan(options.name, { kind: "internal", attributes: options.attributes() }),
        (span) =>
          Effect.andThen(
            options.onStart?.(span, settings) ?? Effect.void,
            Effect.onExit(Effect.provideService(self, Tracer.ParentSpan, span), ended(span))
          )
      )
    })
  )

const withAttributes = (context: Context.Context<never>, attributes: Readonly<Record<string, string>>) =>
  Context.add(context, Metric.CurrentMetricAttributes, attributes)

/** The tag of a failure; of an error around another one, that of the other. */
const errorTypeOf = (cause: Cause.Cause<unknown>): string => {
  if (Cause.hasInterruptsOnly(cause)) return "interrupted"
  let error: unknown = Cause.squash(cause)
  for (let depth = 0; depth < 3; depth++) {
    if (typeof error !== "object" || error === null) break
    const inner: unknown = "reason" in error ? error.reason : "error" in error ? error.error : undefined
    if (typeof inner !== "object" || inner === null || !("_tag" in inner)) break
    error = inner
  }
  const tag = typeof error === "object" && error !== null && "_tag" in error ? error._tag : undefined
  return typeof tag === "string" ? shownName(tag) : "_OTHER"
}

/**
 * What is told of an agent.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface AgentInfo {
  readonly name?: string | undefined
  readonly description?: string | undefined
  /** Set when all its steps ask one model. */
  readonly model?: string | undefined
  readonly conversationId?: string | undefined
  readonly request?: {
    readonly maxTokens?: number | undefined
    readonly temperature?: number | undefined
    readonly topP?: number | undefined
  } | undefined
}

/**
 * What an invocation made, when it has ended.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface Invocation {
  readonly inferenceCalls: number
  readonly toolCalls: number
  readonly inputTokens?: number | undefined
  readonly outputTokens?: number | undefined
  readonly finishReason?: string | undefined
}

/**
 * Traces one invocation of an agent as `invoke_agent`.
 *
 * @stability stable
 * @category tracing
 * @since 0.1.0
 */
export const invokeAgent = <A, E, R>(
  info: AgentInfo,
  made: () => Invocation,
  self: Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> =>
  traced(self, {
    name: info.name === undefined ? "invoke_agent" : `invoke_agent ${shownName(info.name)}`,
    attributes: () => {
      const attributes: Record<string, unknown> = { "gen_ai.operation.name": "invoke_agent" }
      const optional: ReadonlyArray<readonly [string, unknown]> = [
        ["gen_ai.agent.name", info.name === undefined ? undefined : shownName(info.name)],
        ["gen_ai.agent.description", info.description],
        ["gen_ai.request.model", info.model],
        ["gen_ai.conversation.id", info.conversationId],
        ["gen_ai.request.max_tokens", info.request?.maxTokens],
        ["gen_ai.request.temperature", info.request?.temperature],
        ["gen_ai.request.top_p", info.request?.topP]
      ]
      for (const [key, value] of optional) if (value !== undefined) attributes[key] = value
      return attributes
    },
    onEnd: (exit, took, context) =>
      Effect.sync(() => {
        const errorType = Exit.isFailure(exit) ? errorTypeOf(exit.cause) : undefined
        const { finishReason, inferenceCalls: inference, inputTokens, outputTokens, toolCalls: tools } = made()
        const named: Record<string, string> = info.name === undefined
          ? {}
          : { "gen_ai.agent.name": agentNames.of(info.name) }
        const timed = {
          ...named,
          ...(info.model === undefined ? undefined : { "gen_ai.request.model": shownName(info.model) }),
          ...(errorType === undefined ? undefined : { "error.type": errorType })
        }
        invokeAgentDuration.updateUnsafe(took, withAttributes(context, timed))
        inferenceCalls.updateUnsafe(inference, withAttributes(context, named))
        toolCalls.updateUnsafe(tools, withAttributes(context, named))
        return {
          errorType,
          attributes: {
            "gen_ai.usage.input_tokens": inputTokens,
            "gen_ai.usage.output_tokens": outputTokens,
            "gen_ai.response.finish_reasons": errorType !== undefined
              ? ["error"]
              : finishReason === undefined
              ? undefined
              : [finishReason]
          }
        }
      })
  })

/**
 * What is told of a tool that is run.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface ToolRun {
  readonly name: string
  readonly type: "function" | "extension"
  readonly description?: string | undefined
  readonly callId: string
  readonly arguments: unknown
  readonly agentName?: string | undefined
  readonly conversationId?: string | undefined
}

/**
 * Traces one run of a tool as `execute_tool`. `failed` says of what came of it which class of error it was, if any, and what of it
 * may be recorded as its result.
 *
 * @stability stable
 * @category tracing
 * @since 0.1.0
 */
export const executeTool = <A, E, R>(
  run: ToolRun,
  outcomeOf: (value: A) => { readonly errorType?: string | undefined; readonly result?: unknown },
  self: Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> =>
  traced(self, {
    name: `execute_tool ${shownName(run.name)}`,
    attributes: () => {
      const attributes: Record<string, unknown> = {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": shownName(run.name),
        "gen_ai.tool.type": run.type,
        "gen_ai.tool.call.id": shownName(run.callId)
      }
      if (run.description !== undefined) attributes["gen_ai.tool.description"] = run.description
      if (run.agentName !== undefined) attributes["gen_ai.agent.name"] = shownName(run.agentName)
      if (run.conversationId !== undefined) attributes["gen_ai.conversation.id"] = run.conversationId
      return attributes
    },
    onStart: (span, settings) =>
      Effect.map(content(settings), (capture) => capture?.value(span, "gen_ai.tool.call.arguments", run.arguments)),
    onEnd: (exit, took, context, span, settings) =>
      Effect.map(span === undefined ? Effect.undefined : content(settings), (capture) => {
        const outcome = Exit.isSuccess(exit) ? outcomeOf(exit.value) : { errorType: errorTypeOf(exit.cause) }
        executeToolDuration.updateUnsafe(
          took,
          withAttributes(context, {
            "gen_ai.tool.name": toolNames.of(run.name),
            "gen_ai.tool.type": run.type,
            ...(run.agentName === undefined ? undefined : { "gen_ai.agent.name": agentNames.of(run.agentName) }),
            ...(outcome.errorType === undefined ? undefined : { "error.type": outcome.errorType })
          })
        )
        if (span !== undefined && "result" in outcome && outcome.result !== undefined) {
          capture?.value(span, "gen_ai.tool.call.result", outcome.result)
        }
        return { errorType: outcome.errorType }
      })
  })
