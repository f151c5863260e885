/**
 * The AI SDK (https://ai-sdk.dev), both ways: a service of this library as a language model of its functions, and any of its models as a
 * service.
 *
 * `languageModel` is a `LanguageModelV4`, for `generateText`, `streamText`, agents and whatever else takes one: failover, limits and typed
 * failures come along. `layer` makes an `LlmService` of any model of specification v2 to v4, with the laws that every service keeps.
 *
 * - What the AI SDK has no field for (signatures, encrypted reasoning, steps of the provider's own tools) rides along in metadata under
 *   `effect-llm`, so a conversation survives there.
 * - Failures are errors of the AI SDK by its own markers, with status, delay and whether another attempt makes sense. A stream that fails
 *   before its first content is a call that failed; one that fails later has an error part and no finish part.
 * - Retries are somebody's business once: with `Retry` in the stack, say `maxRetries: 0` to the AI SDK.
 *
 * Needs the types of the optional peer `@ai-sdk/provider`, and no code of it.
 *
 * @since 0.1.0
 */
import type { LanguageModelV4 } from "@ai-sdk/provider"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Scope from "effect/Scope"
import { Configuration, LlmError } from "../LlmError.ts"
import { LlmService, type Service, type ServiceInfo } from "../LlmService.ts"
import { checked } from "../service/checked.ts"
import type { Outside } from "../stream/outside.ts"
import { errorOf } from "./aiSdk/errors.ts"
import { modelOver } from "./aiSdk/languageModel.ts"
import { type AnyLanguageModel, describe, serviceOf } from "./aiSdk/service.ts"

export { aiSdkError } from "./aiSdk/errors.ts"
export type { CallOptions } from "./aiSdk/request.ts"
export type { AnyLanguageModel } from "./aiSdk/service.ts"

/**
 * Options of {@link languageModel}.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface LanguageModelOptions {
  /** Name of the provider, as the AI SDK shows it. @default the service's; `effect-llm` until a layer is built */
  readonly provider?: string | undefined
  /** Name of the model. @default the service's; `default` until a layer is built */
  readonly modelId?: string | undefined
  /**
   * URLs that the provider fetches itself, by media type. The AI SDK downloads all others and gives their bytes, which every provider
   * takes. @default none
   */
  readonly supportedUrls?: { readonly [mediaType: string]: ReadonlyArray<RegExp> } | undefined
}

/**
 * A language model with a runtime of its own.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface DisposableModel extends AsyncDisposable {
  /** Gives back what the layer holds. Calls that still run are interrupted. */
  readonly dispose: () => Promise<void>
}

const signalled = (signal: AbortSignal | undefined): Effect.RunOptions => signal === undefined ? {} : { signal }

const plain: Outside = {
  run: (effect, signal) => Effect.runPromiseExit(effect, signalled(signal)),
  scope: () => Scope.makeUnsafe()
}

const over = (
  options: LanguageModelOptions,
  known: () => ServiceInfo | undefined,
  service: (signal: AbortSignal | undefined) => Promise<Service>,
  outside: Outside
): LanguageModelV4 =>
  modelOver(
    () => ({
      provider: options.provider ?? known()?.provider ?? "effect-llm",
      modelId: options.modelId ?? known()?.model ?? "default"
    }),
    Object.fromEntries(Object.entries(options.supportedUrls ?? {}).map(([type, urls]) => [type, [...urls]])),
    service,
    outside
  )

/**
 * A language model for the functions of the AI SDK, over a service, or over a layer that is built with its first call and given back by
 * `dispose`.
 *
 * @example
 * ```ts
 * const model = AiSdk.languageModel(Anthropic.layerEnv.pipe(Fallback.policy(OpenAi.layerEnv), Layer.provide(layerHttpClient)))
 * const { text } = await generateText({ model, prompt: "Hello", maxRetries: 0 })
 * ```
 *
 * @stability experimental
 * @category constructors
 * @since 0.1.0
 */
export const languageModel: {
  (service: Service, options?: LanguageModelOptions): LanguageModelV4
  <E>(layer: Layer.Layer<LlmService, E>, options?: LanguageModelOptions): LanguageModelV4 & DisposableModel
} = (given: Service | Layer.Layer<LlmService, unknown>, options: LanguageModelOptions = {}): never => {
  if ("info" in given) {
    return over(options, () => given.info, () => Promise.resolve(given), plain) as never
  }
  const runtime = ManagedRuntime.make(given)
  let info: ServiceInfo | undefined
  const service = async (signal: AbortSignal | undefined): Promise<Service> => {
    const exit = await runtime.runPromiseExit(LlmService, signalled(signal))
    if (exit._tag === "Failure") throw errorOf(exit.cause, signal)
    info = exit.value.info
    return exit.value
  }
  const model = over(options, () => info, service, {
    run: (effect, signal) => runtime.runPromiseExit(effect, signalled(signal)) as never,
    scope: () => Scope.forkUnsafe(runtime.scope)
  })
  const dispose = () => runtime.dispose()
  return Object.defineProperties({} as DisposableModel, {
    ...Object.getOwnPropertyDescriptors(model),
    dispose: { value: dispose, enumerable: true },
    [Symbol.asyncDispose]: { value: dispose, enumerable: false }
  }) as never
}

/**
 * The service in the context as a language model, whose calls run with that context: its tracer, its metrics, its `Events`.
 *
 * @stability experimental
 * @category constructors
 * @since 0.1.0
 */
export const fromContext = (options: LanguageModelOptions = {}): Effect.Effect<LanguageModelV4, never, LlmService> =>
  Effect.map(Effect.context<LlmService>(), (context) => {
    const service = Context.get(context, LlmService)
    const runExit = Effect.runPromiseExitWith(context)
    return over(
      options,
      () => service.info,
      () => Promise.resolve(service),
      { run: (effect, signal) => runExit(effect, signalled(signal)), scope: plain.scope }
    )
  })

/**
 * Options of {@link layer} and {@link make}.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** Tells instances of one provider apart in telemetry and responses. */
  readonly label?: string | undefined
  /** What the model takes. @default nothing said */
  readonly capabilities?: ServiceInfo["capabilities"] | undefined
}

/**
 * A service over a model of the AI SDK. Fails with `Configuration` when it is none of specification v2 to v4.
 *
 * @stability experimental
 * @category constructors
 * @since 0.1.0
 */
export const make = (model: AnyLanguageModel, options: Options = {}): Effect.Effect<Service, LlmError> =>
  Effect.suspend(() => {
    const described = describe(model)
    if (described === undefined) {
      return Effect.fail(
        new LlmError({
          provider: "ai-sdk",
          model: "",
          operation: "layer",
          reason: new Configuration({
            field: "model",
            message: "AiSdk: model: Must be a language model of the AI SDK, of specification v2, v3 or v4."
          }),
          attempts: 0
        })
      )
    }
    return Effect.succeed(
      checked(serviceOf(model, described.version, {
        provider: described.provider,
        model: described.modelId,
        ...(options.label === undefined ? undefined : { label: options.label }),
        capabilities: options.capabilities ?? {}
      }))
    )
  })

/**
 * Any model of the AI SDK as `LlmService`, with the laws of every service: a stream that ends without its finish part is
 * `IncompleteStream`, whatever is thrown is a typed failure, an interruption aborts the call.
 *
 * @example
 * ```ts
 * const llm = AiSdk.layer(someProvider("some-model")).pipe(Retry.policy())
 * ```
 *
 * @stability experimental
 * @category layers
 * @since 0.1.0
 */
export const layer = (model: AnyLanguageModel, options: Options = {}): Layer.Layer<LlmService, LlmError> =>
  Layer.effect(LlmService, make(model, options))
