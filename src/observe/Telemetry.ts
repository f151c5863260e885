/**
 * One span and a few metrics per request, by the OpenTelemetry conventions for generative AI.
 *
 * Every provider service is instrumented, and so are agents and their tools. Without a tracer and without a parent span no span is
 * made; per event nothing is done, per chunk of a stream one histogram is updated. Prompts and answers are not recorded unless
 * `Settings.captureContent` or `OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT` asks for them; errors are, by tag, with
 * scrubbed messages. Of names that others choose, each is cut to 256 characters, and metrics know 256 models asked for and 64 names
 * for the answers of each; all others are `_OTHER`.
 *
 * The names are those of https://github.com/open-telemetry/semantic-conventions-genai v0.1.0. The older ones, of semantic conventions
 * 1.37 to 1.41, stay by `Settings.conventions` or `OTEL_SEMCONV_STABILITY_OPT_IN`. Our own begin with `effect_llm.`: of spans `attempt`,
 * `candidate`, `queue.duration` and `gate.duration` (seconds), `label`, `request_id`.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Channel from "effect/Channel"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type * as Tracer from "effect/Tracer"
import { isLlmError, type LlmError } from "../LlmError.ts"
import { isContent } from "../LlmEvent.ts"
import type { LlmRequest } from "../LlmRequest.ts"
import type { LlmResponse, Usage } from "../LlmResponse.ts"
import type { Service, ServiceInfo } from "../LlmService.ts"
import { emit } from "../stream/emit.ts"
import { CallNotes } from "../stream/notes.ts"
import { type RequestEnding, type RequestObserver, RequestWatch } from "../stream/requests.ts"
import { shownName } from "../stream/shownNames.ts"
import { type Events, watched } from "../stream/source.ts"
import { type Content, content } from "./telemetry/capture.ts"
import {
  cacheReadTokens,
  cacheWriteTokens,
  inferenceDuration,
  inputTokens,
  inputTokensPerCall,
  operationDuration,
  outputTokens,
  outputTokensPerCall,
  outputTokenUsage,
  reasoningTokens,
  timePerOutputChunk,
  timePerOutputToken,
  timeToFirstChunk,
  timeToFirstToken,
  tokenUsage
} from "./telemetry/metrics.ts"
import { type Attributes, providerName, Series, serverOf } from "./telemetry/series.ts"
import { type Resolved, type Settings, TelemetrySettings, withSettings } from "./telemetry/settings.ts"
import { listens, seconds } from "./telemetry/spans.ts"

export {
  cacheReadTokens,
  cacheWriteTokens,
  executeToolDuration,
  inferenceCalls,
  inferenceDuration,
  inputTokens,
  inputTokensPerCall,
  invokeAgentDuration,
  operationDuration,
  outputTokens,
  outputTokensPerCall,
  reasoningTokens,
  timePerOutputChunk,
  timePerOutputToken,
  timeToFirstChunk,
  timeToFirstToken,
  tokenUsage,
  toolCalls
} from "./telemetry/metrics.ts"
export { type Settings, TelemetrySettings } from "./telemetry/settings.ts"

/**
 * Settings for all calls of an application.
 *
 * @example
 * ```ts
 * const telemetry = Telemetry.layer({ captureContent: "span", redact: (text) => text.replaceAll(/\d{16}/g, "<card>") })
 * ```
 *
 * @stability stable
 * @category layers
 * @since 0.1.0
 */
export const layer = (settings: Settings): Layer.Layer<never> => Layer.succeed(TelemetrySettings, settings)

// =============================================================================
// One call
// =============================================================================

/** What is looked up once for a call. */
interface Call {
  readonly info: ServiceInfo
  readonly request: LlmRequest
  readonly requested: string
  readonly series: Series
  readonly settings: Resolved
  readonly capture: Content | undefined
}

const endingOf = (error: unknown): RequestEnding => {
  if (!isLlmError(error)) return { status: "interrupted" }
  const { reason, requestId } = error
  return {
    status: "failed",
    reason: reason._tag,
    httpStatus: "status" in reason ? reason.status : undefined,
    requestId
  }
}

class CallRecord {
  readonly call: Call
  private readonly context: Context.Context<never>
  private readonly clock: Clock.Clock
  private readonly begin: bigint
  private readonly span: Tracer.Span | undefined
  private readonly observer: RequestObserver | undefined
  private chunk: bigint | undefined
  /** The same for all chunks of a call, and made with the first. */
  private chunks: Context.Context<never> | undefined
  private first: bigint | undefined
  private ended = false

  constructor(fiber: Fiber.Fiber<unknown, unknown>, span: Tracer.Span | undefined, call: Call) {
    this.context = fiber.context
    this.clock = fiber.getRef(Clock.Clock)
    this.begin = this.clock.currentTimeNanosUnsafe()
    this.span = span
    this.call = call
    const { info, request, requested } = call
    this.observer = fiber.getRef(RequestWatch)?.({
      ...fiber.getRef(CallNotes),
      provider: info.provider,
      model: requested,
      label: request.label ?? info.label
    })
  }

  private get asked(): Attributes {
    const { requested, series } = this.call
    return series.of(requested, requested).request
  }

  private withAttributes(attributes: Attributes): Context.Context<never> {
    return Context.add(this.context, Metric.CurrentMetricAttributes, attributes)
  }

  /** The array of events of one chunk. */
  arrived(events: Events): void {
    if (this.ended) return
    const { settings } = this.call
    const now = this.clock.currentTimeNanosUnsafe()
    const before = this.chunk
    const context = this.chunks ??= this.withAttributes(this.asked)
    this.chunk = now
    if (before === undefined) {
      this.observer?.onBegin()
      const waited = seconds(this.begin, now)
      if (settings.current) timeToFirstChunk.updateUnsafe(waited, context)
      this.span?.attribute("gen_ai.response.time_to_first_chunk", waited)
    } else if (settings.current) {
      timePerOutputChunk.updateUnsafe(seconds(before, now), context)
    }
    if (this.first !== undefined || !events.some(isContent)) return
    this.first = now
    this.observer?.onContent()
    if (settings.older) timeToFirstToken.updateUnsafe(seconds(this.begin, now), context)
    this.span?.attribute("effect_llm.gate.duration", seconds(before ?? now, now))
  }

  /** Counts tokens; of what is not known nothing, and 0 where there is no answer, as the conventions say. */
  private count(usage: Usage | undefined, attributes: Attributes, operation: Attributes): void {
    const counted = this.withAttributes(attributes)
    const total = this.withAttributes(operation)
    const input = usage?.input.total ?? 0
    const output = usage?.output.total ?? 0
    inputTokens.updateUnsafe(input, counted)
    outputTokens.updateUnsafe(output, counted)
    cacheReadTokens.updateUnsafe(usage?.input.cacheRead ?? 0, counted)
    cacheWriteTokens.updateUnsafe(usage?.input.cacheWrite ?? 0, counted)
    reasoningTokens.updateUnsafe(usage?.output.reasoning ?? 0, counted)
    inputTokensPerCall.updateUnsafe(input, total)
    outputTokensPerCall.updateUnsafe(output, total)
  }

  private told(usage: Usage): void {
    const { span } = this
    if (span === undefined) return
    const { input, output } = usage
    const { current, older } = this.call.settings
    const optional: ReadonlyArray<readonly [string, unknown]> = [
      ["gen_ai.usage.input_tokens", input.total],
      ["gen_ai.usage.output_tokens", output.total],
      ["gen_ai.usage.cache_read.input_tokens", input.cacheRead],
      ["gen_ai.usage.cache_write.input_tokens", current ? input.cacheWrite : undefined],
      ["gen_ai.usage.cache_creation.input_tokens", older ? input.cacheWrite : undefined],
      ["gen_ai.usage.reasoning.output_tokens", output.reasoning]
    ]
    for (const [key, value] of optional) if (value !== undefined) span.attribute(key, value)
  }

  success(response: LlmResponse): void {
    if (this.ended) return
    const now = this.clock.currentTimeNanosUnsafe()
    const { capture, request, requested, series, settings } = this.call
    const { input, output } = response.usage
    const attributes = series.of(requested, response.model)
    const context = this.withAttributes(attributes.response)
    const took = seconds(this.begin, now)
    if (settings.current) {
      inferenceDuration.updateUnsafe(took, context)
      this.count(response.usage, attributes.usage, attributes.response)
    }
    if (settings.older) {
      operationDuration.updateUnsafe(took, context)
      if (input.total !== undefined) tokenUsage.updateUnsafe(input.total, this.withAttributes(attributes.input))
      if (output.total !== undefined) {
        outputTokenUsage.updateUnsafe(output.total, this.withAttributes(attributes.output))
        if (this.first !== undefined && output.total > 1) {
          timePerOutputToken.updateUnsafe(seconds(this.first, now) / (output.total - 1), context)
        }
      }
    }
    const { span } = this
    if (span !== undefined) {
      span.attribute("gen_ai.response.model", shownName(response.model))
      span.attribute("gen_ai.response.finish_reasons", [response.finishReason])
      if (response.id !== undefined) span.attribute("gen_ai.response.id", shownName(response.id))
      if (response.requestId !== undefined) span.attribute("effect_llm.request_id", shownName(response.requestId))
      this.told(response.usage)
      capture?.answered(span, now, request, response)
    }
    this.end(now, Exit.void, { status: "finished", requestId: response.requestId })
  }

  failure(cause: Cause.Cause<LlmError>): void {
    if (this.ended) return
    const now = this.clock.currentTimeNanosUnsafe()
    const { settings } = this.call
    const error = Cause.squash(cause)
    const type = isLlmError(error) ? error.reason._tag : "_OTHER"
    const usage = isLlmError(error) ? error.partial?.usage : undefined
    const failed = this.withAttributes({ ...this.asked, "error.type": type })
    const took = seconds(this.begin, now)
    if (settings.current) {
      inferenceDuration.updateUnsafe(took, failed)
      this.count(
        usage,
        { ...this.asked, "gen_ai.token.modality": "unknown" },
        { ...this.asked, "error.type": type }
      )
    }
    if (settings.older) operationDuration.updateUnsafe(took, failed)
    if (this.span !== undefined) {
      this.span.attribute("error.type", type)
      this.span.attribute("gen_ai.response.finish_reasons", ["error"])
      if (usage !== undefined) this.told(usage)
      if (isLlmError(error) && error.requestId !== undefined) {
        this.span.attribute("effect_llm.request_id", shownName(error.requestId))
      }
    }
    this.end(now, Exit.failCause(cause), endingOf(error))
  }

  /** The consumer went away before the end. */
  abandoned(): void {
    if (!this.ended) this.end(this.clock.currentTimeNanosUnsafe(), Exit.interrupt(), { status: "interrupted" })
  }

  private end(now: bigint, exit: Exit.Exit<unknown, unknown>, ending: RequestEnding): void {
    this.ended = true
    this.observer?.onEnd(ending)
    this.span?.end(now, exit)
  }
}

const levelOf = ({ effort, thinking }: LlmRequest): string | undefined =>
  effort ?? (typeof thinking === "string" ? thinking : undefined)

const requestAttributes = (
  info: ServiceInfo,
  request: LlmRequest,
  streamed: boolean,
  notes: CallNotes
): Record<string, unknown> => {
  const attributes: Record<string, unknown> = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": providerName(info.provider)
  }
  const server = serverOf(info)
  const optional: ReadonlyArray<readonly [string, unknown]> = [
    ["gen_ai.request.model", (request.model ?? info.model) || undefined],
    ["server.address", server?.address],
    ["server.port", server?.port],
    ["gen_ai.request.stream", streamed || undefined],
    ["gen_ai.request.max_tokens", request.maxTokens],
    ["gen_ai.request.temperature", request.temperature],
    ["gen_ai.request.top_p", request.topP],
    ["gen_ai.request.top_k", request.topK],
    ["gen_ai.request.frequency_penalty", request.frequencyPenalty],
    ["gen_ai.request.presence_penalty", request.presencePenalty],
    ["gen_ai.request.stop_sequences", request.stop],
    ["gen_ai.request.seed", request.seed],
    ["gen_ai.request.reasoning.level", levelOf(request)],
    ["gen_ai.output.type", outputType(request)],
    ["gen_ai.conversation.id", request.scope?.sessionId],
    ["effect_llm.label", request.label ?? info.label],
    ["effect_llm.attempt", notes.attempt],
    ["effect_llm.candidate", notes.candidate === undefined ? undefined : shownName(notes.candidate)],
    ["effect_llm.queue.duration", notes.queuedMillis > 0 ? notes.queuedMillis / 1000 : undefined]
  ]
  for (const [key, value] of optional) if (value !== undefined) attributes[key] = value
  return attributes
}

const outputType = ({ responseFormat }: LlmRequest): string | undefined =>
  responseFormat === undefined ? undefined : responseFormat.type === "text" ? "text" : "json"

/** What is wrong with a request is the service's to say; here it only must not throw. */
const attributesOf = (...[info, request, streamed, notes]: Parameters<typeof requestAttributes>) => {
  try {
    return requestAttributes(info, request, streamed, notes)
  } catch {
    return requestAttributes(info, { prompt: "" }, streamed, notes)
  }
}

const modelOf = (info: ServiceInfo, request: LlmRequest): string => {
  try {
    return typeof request.model === "string" ? request.model : info.model
  } catch {
    return info.model
  }
}

const start = (
  info: ServiceInfo,
  series: Series,
  request: LlmRequest,
  streamed: boolean
): Effect.Effect<CallRecord> =>
  Effect.withFiber((fiber) =>
    withSettings(fiber, (settings) => {
      const requested = modelOf(info, request)
      const call: Call = { info, request, requested, series, settings, capture: undefined }
      if (!listens(fiber)) return Effect.succeed(new CallRecord(fiber, undefined, call))
      return Effect.flatMap(
        Effect.makeSpan(`chat ${requested}`, {
          kind: "client",
          attributes: attributesOf(info, request, streamed, fiber.getRef(CallNotes))
        }),
        (span) =>
          Effect.map(content(settings), (capture) => {
            capture?.asked(span, fiber.getRef(Clock.Clock).currentTimeNanosUnsafe(), request)
            return new CallRecord(fiber, span, { ...call, capture })
          })
      )
    })
  )

/** Tells what the provider or the wire had to leave out or to do in another way. */
const warned = ({ info, request }: Call, { model, provider, warnings }: LlmResponse): Effect.Effect<void> | undefined =>
  warnings.length === 0 ? undefined : Effect.forEach(
    warnings,
    ({ field, message }) =>
      emit(request, () => ({ _tag: "Warning", provider, model, field, message }), { label: info.label }),
    { discard: true }
  )

/**
 * Instruments a service. Provider layers are instrumented already; use it for services of your own.
 *
 * @stability stable
 * @category combinators
 * @since 0.1.0
 */
export const instrument = (service: Service): Service => {
  const { info } = service
  const series = new Series(info)
  return {
    ...service,
    generate: (request) =>
      Effect.flatMap(
        start(info, series, request, false),
        (record) =>
          Effect.onExit(service.generate(request), (exit) =>
            Effect.suspend(() => {
              if (Exit.isFailure(exit)) {
                record.failure(exit.cause)
                return Effect.void
              }
              record.success(exit.value)
              return warned(record.call, exit.value) ?? Effect.void
            }))
      ),
    stream: (request) =>
      Stream.fromChannel(
        Channel.fromTransform((_: unknown, scope: Scope.Scope) =>
          Effect.flatMap(start(info, series, request, true), (record) => {
            const seen = (events: Events) => {
              record.arrived(events)
              const last = events[events.length - 1]!
              if (last._tag !== "Finish") return undefined
              record.success(last.response)
              const warnings = warned(record.call, last.response)
              return warnings === undefined ? undefined : Effect.as(warnings, events)
            }
            return Effect.andThen(
              Scope.addFinalizer(scope, Effect.sync(() => record.abandoned())),
              Effect.map(Channel.toPullScoped(service.stream(request).channel, scope), (pull) =>
                watched(pull, {
                  onEvents: seen,
                  onFailure: (cause) => {
                    const error = Option.getOrUndefined(Cause.findErrorOption(cause))
                    if (isLlmError(error)) record.failure(cause as Cause.Cause<LlmError>)
                    return undefined
                  }
                }))
            )
          })
        )
      )
  }
}
