/**
 * Applications of `effect/ai` and services of this library, each over the other.
 *
 * `layerLanguageModel` puts any `LlmService`, with all policies around it, behind the `LanguageModel` of `effect/ai`: `Chat`, `Toolkit`,
 * `generateObject`, streams, approvals and `ExecutionPlan` work over it, and get its failover, its limits and its typed failures. `layer` makes
 * a `LanguageModel`, such as one of a provider package of `effect/ai`, an `LlmService`. `tool`, `handlers`, `aiTool` and `toolkit` do the
 * same for tools with what runs them, `messages` and `prompt` for histories.
 *
 * What one side has no place for travels in the metadata of the other, so that reasoning, signatures and steps of provider tools come back
 * unchanged. A stream that breaks off is an error on both sides, at every place. The modules of `effect/ai` are tagged unstable: a
 * new minor version of Effect may need a new version of this module.
 *
 * @since 0.1.0
 */
import type * as AiError from "effect/ai/AiError"
import * as LanguageModel from "effect/ai/LanguageModel"
import * as AiModel from "effect/ai/Model"
import type * as Prompt from "effect/ai/Prompt"
import type * as Tool from "effect/ai/Tool"
import type * as Toolkit from "effect/ai/Toolkit"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { dual } from "effect/Function"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type { Handlers } from "../agent/Handlers.ts"
import type { LlmError } from "../LlmError.ts"
import { LlmService, type Service } from "../LlmService.ts"
import type { LlmTool } from "../LlmTool.ts"
import type { Message } from "../Message.ts"
import * as Errors from "./effectAi/errors.ts"
import { fromPrompt } from "./effectAi/fromPrompt.ts"
import { handlersOf, type RunnableTool, toolkitOf } from "./effectAi/handlers.ts"
import * as Asking from "./effectAi/languageModel.ts"
import type { LanguageModelOptions, Request } from "./effectAi/languageModel.ts"
import * as Answering from "./effectAi/service.ts"
import { fromTool, toTool } from "./effectAi/tools.ts"
import { toPrompt } from "./effectAi/toPrompt.ts"

export type { RunnableTool } from "./effectAi/handlers.ts"
export type { LanguageModelOptions, Request } from "./effectAi/languageModel.ts"
export type { Options } from "./effectAi/service.ts"

// =============================================================================
// An LlmService as LanguageModel
// =============================================================================

/**
 * A service as the `LanguageModel` of `effect/ai`.
 *
 * @stability experimental
 * @category constructors
 * @since 0.1.0
 */
export const languageModel = (
  service: Service,
  options: LanguageModelOptions = {}
): Effect.Effect<LanguageModel.LanguageModel> => Asking.languageModel(service, options)

/**
 * The `LlmService` in the context as the `LanguageModel` of `effect/ai`, with the names that `effect/ai` has for provider and model.
 *
 * @example
 * ```ts
 * const model = EffectAi.layerLanguageModel().pipe(
 *   Layer.provide(Anthropic.layerEnv.pipe(Retry.policy(), Fallback.policy(OpenAi.layerEnv)))
 * )
 * ```
 *
 * @stability experimental
 * @category layers
 * @since 0.1.0
 */
export const layerLanguageModel = (
  options: LanguageModelOptions = {}
): Layer.Layer<LanguageModel.LanguageModel | AiModel.ProviderName | AiModel.ModelName, never, LlmService> =>
  Layer.effectContext(Effect.gen(function*() {
    const service = yield* LlmService
    const model = yield* Asking.languageModel(service, options)
    return Context.make(LanguageModel.LanguageModel, model).pipe(
      Context.add(AiModel.ProviderName, service.info.provider),
      Context.add(AiModel.ModelName, service.info.model)
    )
  }))

/**
 * What requests say that are made inside: limits, temperature, thinking and whatever else `effect/ai` has no words for. It goes over the
 * `request` of the layer, field by field.
 *
 * @example
 * ```ts
 * LanguageModel.generateText({ prompt }).pipe(EffectAi.withRequest({ thinking: "high", maxTokens: 4_000 }))
 * ```
 *
 * @stability experimental
 * @category combinators
 * @since 0.1.0
 */
export const withRequest: {
  (request: Request): <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  <A, E, R>(self: Effect.Effect<A, E, R>, request: Request): Effect.Effect<A, E, R>
} = dual(
  2,
  <A, E, R>(self: Effect.Effect<A, E, R>, request: Request): Effect.Effect<A, E, R> =>
    Effect.updateService(self, Asking.CurrentRequest, (outer) => ({ ...outer, ...request }))
)

/**
 * What requests of this fiber say, see {@link withRequest}. For streams: `Stream.provideService(EffectAi.CurrentRequest, { … })`.
 *
 * @stability experimental
 * @category references
 * @since 0.1.0
 */
export const CurrentRequest: Context.Reference<Request> = Asking.CurrentRequest

// =============================================================================
// A LanguageModel as LlmService
// =============================================================================

/**
 * A `LanguageModel` of `effect/ai` as a service. Tools are never run by it: calls come back as calls.
 *
 * @stability experimental
 * @category constructors
 * @since 0.1.0
 */
export const service = (model: LanguageModel.LanguageModel, options: Answering.Options = {}): Service =>
  Answering.make(model, options)

/**
 * The `LanguageModel` in the context as `LlmService`.
 *
 * @example
 * ```ts
 * const llm = EffectAi.layer().pipe(Layer.provide(OpenAiLanguageModel.model("gpt-5")), Retry.policy())
 * ```
 *
 * @stability experimental
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: Answering.Options = {}): Layer.Layer<LlmService, never, LanguageModel.LanguageModel> =>
  Layer.effect(
    LlmService,
    Effect.gen(function*() {
      const model = yield* LanguageModel.LanguageModel
      const provider = Option.getOrUndefined(yield* Effect.serviceOption(AiModel.ProviderName))
      const name = Option.getOrUndefined(yield* Effect.serviceOption(AiModel.ModelName))
      return Answering.make(model, {
        ...options,
        provider: options.provider ?? provider,
        model: options.model ?? name
      })
    })
  )

// =============================================================================
// Tools
// =============================================================================

/**
 * A tool of `effect/ai` as one of this library: user-defined, dynamic or of a provider. Its schema must not need services; see
 * {@link handlers} for one that does.
 *
 * @stability experimental
 * @category tools
 * @since 0.1.0
 */
export const tool = (tool: Tool.Any): LlmTool => fromTool(tool)

/**
 * A tool of this library as one of `effect/ai`, to be put into a `Toolkit`. Its handler is given decoded arguments and gives JSON.
 *
 * @stability experimental
 * @category tools
 * @since 0.1.0
 */
export const aiTool = (tool: LlmTool): Tool.Any => toTool(tool)

/**
 * A toolkit of `effect/ai` as tools with handlers, for an `Agent`. Preliminary results are progress; what `toModelOutput` gives is what the
 * model sees; approvals are asked for as the tools say.
 *
 * @example
 * ```ts
 * const agent = Effect.map(EffectAi.handlers(WeatherToolkit), (tools) => Agent.make({ tools }))
 * ```
 *
 * @stability experimental
 * @category tools
 * @since 0.1.0
 */
export const handlers = <Tools extends Record<string, Tool.Any>, E = never, R = never>(
  toolkit: LanguageModel.ToolkitInput<Tools, E, R>
): Effect.Effect<
  Handlers<Tool.HandlerError<Tools[keyof Tools]>>,
  E,
  R | Tool.HandlerServices<Tools[keyof Tools]>
> => handlersOf(toolkit)

/**
 * Tools with handlers as a toolkit of `effect/ai`, to be given to `generateText`, `streamText` and `Chat`. Time limits and sizes of results
 * are kept as the tools say. A result that comes later cannot be waited for: such a call fails with `ToolConfigurationError`.
 *
 * @stability experimental
 * @category tools
 * @since 0.1.0
 */
export const toolkit = <E, R>(
  handlers: Handlers<E, R>
): Toolkit.WithHandler<Record<string, RunnableTool<E, R>>> => toolkitOf(handlers)

// =============================================================================
// Histories and errors
// =============================================================================

/**
 * Messages of a prompt, such as the history of a `Chat`. Nothing is lost: `prompt(messages(history))` is the same history.
 *
 * @stability experimental
 * @category histories
 * @since 0.1.0
 */
export const messages = (prompt: Prompt.Prompt): ReadonlyArray<Message> => fromPrompt(prompt)

/**
 * A prompt of messages, for a `Chat` to go on with. Nothing is lost: `messages(prompt(conversation))` is the same conversation.
 *
 * @stability experimental
 * @category histories
 * @since 0.1.0
 */
export const prompt = (messages: ReadonlyArray<Message>): Prompt.Prompt => toPrompt(messages)

/**
 * The `LlmError` that an `AiError` of {@link languageModel} was made of, with its attempts, its request id and what had come of the answer.
 * `undefined` for an error of somebody else, and for one that was encoded and decoded.
 *
 * @stability experimental
 * @category errors
 * @since 0.1.0
 */
export const llmError = (error: AiError.AiError): LlmError | undefined => Errors.originalOf(error)
