/**
 * One span and a few metrics per call, by the OpenTelemetry conventions for generative AI.
 *
 * Every provider service is instrumented. Without a tracer and without a parent span no span is made; nothing is
 * done per event. Prompts and answers are never recorded; errors are, by tag, with scrubbed messages. Of names that others
 * choose, each is cut to 256 characters, and metrics know 256 models asked for and 64 names for the answers of each; all
 * others are `_OTHER`.
 *
 * Names: https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-spans/ and …/gen-ai-metrics/
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
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Tracer from "effect/Tracer"
import { isLlmError, type LlmError } from "../LlmError.ts"
import { isContent } from "../LlmEvent.ts"
import type { LlmRequest } from "../LlmRequest.ts"
import type { LlmResponse } from "../LlmResponse.ts"
import type { Service, ServiceInfo } from "../LlmService.ts"
import { shownName, ShownNames } from "../stream/shownNames.ts"
import { type Events, watched } from "../stream/source.ts"

// =============================================================================
// Metrics
// =============================================================================

/** As the conventions advise: from 0.01 to 81.92, each twice the one before; from 1 to 67,108,864, each four times it. */
const durationBoundaries = Array.from({ length: 14 }, (_, power) => 2 ** power / 100)
const tokenBoundaries = Array.from({ length: 14 }, (_, power) => 4 ** power)

const makeTokenUsage = () =>
  Metric.histogram("gen_ai.client.token.usage", {
    description: "Number of input and output tokens used",
    boundaries: tokenBoundaries
  })

/** The same series as `tokenUsage`: a metric remembers its last attributes, and the two kinds of tokens take turns. */
const outputTokenUsage = makeTokenUsage()

/**
 * Seconds per call, by operation, provider, model and `error.type`.
 *
 * @category metrics
 * @since 0.1.0
 */
export const operationDuration = Metric.histogram("gen_ai.client.operation.duration", {
  description: "GenAI operation duration in seconds",
  boundaries: durationBoundaries
})

/**
 * Tokens per call, by `gen_ai.token.type` input or output.
 *
 * @category metrics
 * @since 0.1.0
 */
export const tokenUsage = makeTokenUsage()

/**
 * Seconds from the call to the first content of a stream.
 *
 * @category metrics
 * @since 0.1.0
 */
export const timeToFirstToken = Metric.histogram("gen_ai.client.operation.time_to_first_chunk", {
  description: "Time to the first content of a streamed answer in seconds",
  boundaries: durationBoundaries
})

/**
 * Seconds per output token after the first.
 *
 * @category metrics
 * @since 0.1.0
 */
export const timePerOutputToken = Metric.histogram("gen_ai.client.operation.time_per_output_chunk", {
  description: "Time per output token after the first, in seconds",
  boundaries: durationBoundaries
})

// =============================================================================
// One call
// =============================================================================

type Attributes = Readonly<Record<string, string>>

/** Attributes of the successful calls to one model; made once, because metrics know series by them. */
interface ModelAttributes {
  readonly request: Attributes
  readonly response: Attributes
  readonly input: Attributes
  readonly output: Attributes
}

/** Models asked for, by provider, that have series of their own; a tenant may choose the model. */
const maxModels = 256
/** Names under which one of them answers: dated snapshots, what a router picked. Of a router with more, the rest share one. */
const maxAnswers = 64

interface Requested {
  readonly request: Attributes
  readonly names: ShownNames
  readonly answers: Map<string, ModelAttributes>
}

class Series {
  private readonly provider: string
  private readonly names = new ShownNames(maxModels)
  private readonly models = new Map<string, Requested>()
  private last:
    | { readonly requested: string; readonly answered: string; readonly attributes: ModelAttributes }
    | undefined

  constructor(provider: string) {
    this.provider = provider
  }

  /** Most calls are for the model of the call before. */
  of(requested: string, answered: string): ModelAttributes {
    const { last } = this
    if (last !== undefined && last.requested === requested && last.answered === answered) return last.attributes
    const attributes = this.find(requested, answered)
    this.last = { requested, answered, attributes }
    return attributes
  }

  private find(requested: string, answered: string): ModelAttributes {
    const { answers, names, request } = this.requested(this.names.of(requested))
    const name = names.of(answered)
    let attributes = answers.get(name)
    if (attributes === undefined) {
      attributes = {
        request,
        response: { ...request, "gen_ai.response.model": name },
        input: { ...request, "gen_ai.token.type": "input" },
        output: { ...request, "gen_ai.token.type": "output" }
      }
      answers.set(name, attributes)
    }
    return attributes
  }

  private requested(name: string): Requested {
    let found = this.models.get(name)
    if (found === undefined) {
      const request = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": this.provider,
        "gen_ai.request.model": name
      }
      found = { request, names: new ShownNames(maxAnswers), answers: new Map() }
      this.models.set(name, found)
    }
    return found
  }
}

const seconds = (from: bigint, to: bigint) => Number(to - from) / 1e9

const defaultTracer = Context.get(Context.empty(), Tracer.Tracer)

/** A tracer other than the default one, or a parent span, means that somebody listens. */
const listens = (fiber: Fiber.Fiber<unknown, unknown>): boolean =>
  fiber.getRef(Tracer.Tracer) !== defaultTracer || Option.isSome(Context.getOption(fiber.context, Tracer.ParentSpan))

class CallRecord {
  private readonly context: Context.Context<never>
  private readonly clock: Clock.Clock
  private readonly begin: bigint
  private readonly series: Series
  private readonly requested: string
  private readonly span: Tracer.Span | undefined
  private first: bigint | undefined
  private ended = false

  constructor(
    fiber: Fiber.Fiber<unknown, unknown>,
    span: Tracer.Span | undefined,
    series: Series,
    requested: string
  ) {
    this.context = fiber.context
    this.clock = fiber.getRef(Clock.Clock)
    this.begin = this.clock.currentTimeNanosUnsafe()
    this.span = span
    this.series = series
    this.requested = requested
  }

  content(): void {
    this.first = this.clock.currentTimeNanosUnsafe()
    timeToFirstToken.updateUnsafe(
      seconds(this.begin, this.first),
      this.withAttributes(this.series.of(this.requested, this.requested).request)
    )
  }

  private withAttributes(attributes: Attributes): Context.Context<never> {
    return Context.add(this.context, Metric.CurrentMetricAttributes, attributes)
  }

  success(response: LlmResponse): void {
    if (this.ended) return
    const now = this.clock.currentTimeNanosUnsafe()
    const { input, output } = response.usage
    const attributes = this.series.of(this.requested, response.model)
    const context = this.withAttributes(attributes.response)
    operationDuration.updateUnsafe(seconds(this.begin, now), context)
    if (input.total !== undefined) {
      tokenUsage.updateUnsafe(input.total, this.withAttributes(attributes.input))
    }
    if (output.total !== undefined) {
      outputTokenUsage.updateUnsafe(output.total, this.withAttributes(attributes.output))
      if (this.first !== undefined && output.total > 1) {
        timePerOutputToken.updateUnsafe(seconds(this.first, now) / (output.total - 1), context)
      }
    }
    const span = this.span
    if (span !== undefined) {
      span.attribute("gen_ai.response.model", shownName(response.model))
      span.attribute("gen_ai.response.finish_reasons", [response.finishReason])
      const optional: ReadonlyArray<readonly [string, unknown]> = [
        ["gen_ai.response.id", response.id === undefined ? undefined : shownName(response.id)],
        ["gen_ai.usage.input_tokens", input.total],
        ["gen_ai.usage.output_tokens", output.total],
        ["gen_ai.usage.cache_read.input_tokens", input.cacheRead],
        ["gen_ai.usage.cache_creation.input_tokens", input.cacheWrite],
        ["gen_ai.usage.reasoning.output_tokens", output.reasoning],
        ["effect_llm.request_id", response.requestId === undefined ? undefined : shownName(response.requestId)]
      ]
      for (const [key, value] of optional) if (value !== undefined) span.attribute(key, value)
    }
    this.end(now, Exit.void)
  }

  failure(cause: Cause.Cause<LlmError>): void {
    if (this.ended) return
    const now = this.clock.currentTimeNanosUnsafe()
    const error = Cause.squash(cause)
    const type = isLlmError(error) ? error.reason._tag : "_OTHER"
    operationDuration.updateUnsafe(
      seconds(this.begin, now),
      this.withAttributes({ ...this.series.of(this.requested, this.requested).request, "error.type": type })
    )
    if (this.span !== undefined) {
      this.span.attribute("error.type", type)
      if (isLlmError(error) && error.requestId !== undefined) {
        this.span.attribute("effect_llm.request_id", shownName(error.requestId))
      }
    }
    this.end(now, Exit.failCause(cause))
  }

  /** The consumer went away before the end. */
  abandoned(): void {
    if (!this.ended) this.end(this.clock.currentTimeNanosUnsafe(), Exit.interrupt())
  }

  private end(now: bigint, exit: Exit.Exit<unknown, unknown>): void {
    this.ended = true
    this.span?.end(now, exit)
  }
}

const requestAttributes = (info: ServiceInfo, request: LlmRequest): Record<string, unknown> => {
  const attributes: Record<string, unknown> = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": info.provider,
    "gen_ai.request.model": request.model ?? info.model
  }
  const optional: ReadonlyArray<readonly [string, unknown]> = [
    ["gen_ai.request.max_tokens", request.maxTokens],
    ["gen_ai.request.temperature", request.temperature],
    ["gen_ai.request.top_p", request.topP],
    ["gen_ai.request.top_k", request.topK],
    ["gen_ai.request.stop_sequences", request.stop],
    ["gen_ai.request.seed", request.seed],
    ["gen_ai.conversation.id", request.scope?.sessionId],
    ["effect_llm.label", request.label ?? info.label]
  ]
  for (const [key, value] of optional) if (value !== undefined) attributes[key] = value
  return attributes
}

/** What is wrong with a request is the service's to say; here it only must not throw. */
const attributesOf = (info: ServiceInfo, request: LlmRequest): Record<string, unknown> => {
  try {
    return requestAttributes(info, request)
  } catch {
    return requestAttributes(info, { prompt: "" })
  }
}

const modelOf = (info: ServiceInfo, request: LlmRequest): string => {
  try {
    return typeof request.model === "string" ? request.model : info.model
  } catch {
    return info.model
  }
}

const start = (info: ServiceInfo, series: Series, request: LlmRequest): Effect.Effect<CallRecord> =>
  Effect.withFiber((fiber) => {
    const requested = modelOf(info, request)
    if (!listens(fiber)) return Effect.succeed(new CallRecord(fiber, undefined, series, requested))
    return Effect.map(
      Effect.makeSpan(`chat ${requested}`, { kind: "client", attributes: attributesOf(info, request) }),
      (span) => new CallRecord(fiber, span, series, requested)
    )
  })

/**
 * Instruments a service. Provider layers are instrumented already; use it for services of your own.
 *
 * @category combinators
 * @since 0.1.0
 */
export const instrument = (service: Service): Service => {
  const series = new Series(service.info.provider)
  return {
    ...service,
    generate: (request) =>
      Effect.flatMap(
        start(service.info, series, request),
        (record) =>
          Effect.onExit(service.generate(request), (exit) =>
            Effect.sync(() => Exit.isSuccess(exit) ? record.success(exit.value) : record.failure(exit.cause)))
      ),
    stream: (request) =>
      Stream.fromChannel(
        Channel.fromTransform((_: unknown, scope: Scope.Scope) =>
          Effect.flatMap(start(service.info, series, request), (record) => {
            let waiting = true
            const seen = (events: Events): undefined => {
              if (waiting && events.some(isContent)) {
                waiting = false
                record.content()
              }
              const last = events[events.length - 1]!
              if (last._tag === "Finish") record.success(last.response)
              return undefined
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
