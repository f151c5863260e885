/**
 * The one service of this library: every provider is a layer of it, every policy a function on it.
 *
 * `generate` answers whole, `stream` answers as events; both succeed only with a complete answer. Applications
 * depend on this tag and choose the provider by the layer they provide.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { LlmError, Network } from "./LlmError.ts"
import type { LlmEvent } from "./LlmEvent.ts"
import type { LlmRequest } from "./LlmRequest.ts"
import type { LlmResponse } from "./LlmResponse.ts"
import type { Capabilities, ModelMeta } from "./Model.ts"
import type { ObjectOptions } from "./object/asking.ts"
import type * as Objects from "./object/objects.ts"
import type { ObjectEvent, ObjectResponse } from "./object/objects.ts"

export type { ObjectOptions } from "./object/asking.ts"
export type { DeepPartial } from "./object/DeepPartial.ts"
export type { ObjectEvent, ObjectResponse } from "./object/objects.ts"

/**
 * Who a service talks to.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface ServiceInfo {
  /** Provider id, such as `anthropic`. */
  readonly provider: string
  /**
   * Origin of the base URL, such as `https://api.anthropic.com`. With `provider` it says which company a credential is for.
   */
  readonly origin?: string | undefined
  /** Model used when a request names none. */
  readonly model: string
  /** Tells instances of one provider apart in telemetry and responses. */
  readonly label?: string | undefined
  /** What the provider takes at large; a field that is absent is not known. Facts of a model are in `models`. */
  readonly capabilities: Capabilities
}

/**
 * A count of input tokens.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface TokenCount {
  /** Tokens of the whole input: system prompt, messages, tools and schemas. */
  readonly inputTokens: number
  /** `true` when it was estimated locally rather than counted by the provider. */
  readonly estimated: boolean
}

/**
 * Whether a provider can be used now.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface Health {
  /** Milliseconds until the answer to the cheap request was there. */
  readonly latencyMillis: number
}

/**
 * What a provider, or a policy around providers, offers.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface Service {
  /** Who answers, known without asking. */
  readonly info: ServiceInfo
  /** The whole answer. */
  readonly generate: (request: LlmRequest) => Effect.Effect<LlmResponse, LlmError>
  /** The answer as it comes; the last event is `Finish`, or the stream fails. */
  readonly stream: (request: LlmRequest) => Stream.Stream<LlmEvent, LlmError>
  /** How many input tokens a request has. */
  readonly countTokens: (request: LlmRequest) => Effect.Effect<TokenCount, LlmError>
  /** The models the provider lists. */
  readonly models: Effect.Effect<ReadonlyArray<ModelMeta>, LlmError>
  /** A cheap request that shows whether the provider answers and accepts the credential. */
  readonly health: Effect.Effect<Health, LlmError>
}

/**
 * The tag every provider layer provides.
 *
 * @stability stable
 * @category services
 * @since 0.1.0
 */
export class LlmService extends Context.Service<LlmService, Service>()("effect-llm/LlmService") {}

/**
 * Answers a request as a whole.
 *
 * @stability stable
 * @category accessors
 * @since 0.1.0
 */
export const generate = (request: LlmRequest): Effect.Effect<LlmResponse, LlmError, LlmService> =>
  Effect.flatMap(LlmService, (service) => service.generate(request))

/**
 * Answers a request as a stream of events.
 *
 * @stability stable
 * @category accessors
 * @since 0.1.0
 */
export const stream = (request: LlmRequest): Stream.Stream<LlmEvent, LlmError, LlmService> =>
  Stream.unwrap(Effect.map(LlmService, (service) => service.stream(request)))

let loaded: typeof Objects | undefined

/** Structured output, which is loaded when it is first asked for. */
const objects = ({ info }: Service): Effect.Effect<typeof Objects, LlmError> =>
  loaded !== undefined ? Effect.succeed(loaded) : Effect.map(
    Effect.tryPromise({
      try: () => import("./object/objects.ts"),
      catch: () =>
        new LlmError({
          provider: info.provider,
          model: info.model,
          label: info.label,
          operation: "generate",
          reason: new Network({ message: "A module of effect-llm could not be loaded." }),
          attempts: 0
        })
    }),
    (module) => loaded = module
  )

/**
 * Answers with a value of a schema, of any kind that JSON can hold: an object, a list, a choice, a number. The provider is asked to keep to it
 * where it can; the answer is decoded in any case. Fails with reason `StructuredOutput`, which holds the text and says what is wrong, when
 * it does not fit after all `retries`, and with `Validation`, before anything is sent, when the schema has no JSON Schema.
 *
 * @stability stable
 * @category accessors
 * @since 0.1.0
 */
export const generateObject = <A, I, RD>(
  schema: Schema.Codec<A, I, RD>,
  request: LlmRequest,
  options: ObjectOptions = {}
): Effect.Effect<ObjectResponse<A>, LlmError, LlmService | RD> =>
  Effect.flatMap(
    LlmService,
    (service) => Effect.flatMap(objects(service), ({ generate }) => generate(service, schema, request, options))
  )

/**
 * Answers with a value of a schema as it is being written: what is certain of it with each piece that changes it, the decoded value last. Text
 * shows as it grows; numbers, and words of a fixed list, when they are whole. What did not change is the same object as before. Of lists longer
 * than some hundred elements a value is left out now and then.
 *
 * @stability stable
 * @category accessors
 * @since 0.1.0
 */
export const streamObject = <A, I, RD>(
  schema: Schema.Codec<A, I, RD>,
  request: LlmRequest,
  options: ObjectOptions = {}
): Stream.Stream<ObjectEvent<A, I>, LlmError, LlmService | RD> =>
  Stream.unwrap(
    Effect.flatMap(
      LlmService,
      (service) => Effect.map(objects(service), ({ stream }) => stream(service, schema, request, options))
    )
  )

/**
 * Answers with a list, element by element, each as soon as it is whole, decoded. Elements that were given stay given: when a later one does not
 * fit, the stream fails with `StructuredOutput`.
 *
 * @stability stable
 * @category accessors
 * @since 0.1.0
 */
export const streamArray = <A, I, RD>(
  element: Schema.Codec<A, I, RD>,
  request: LlmRequest,
  options: Omit<ObjectOptions, "retries"> = {}
): Stream.Stream<A, LlmError, LlmService | RD> =>
  Stream.unwrap(
    Effect.flatMap(
      LlmService,
      (service) => Effect.map(objects(service), ({ streamArray }) => streamArray(service, element, request, options))
    )
  )

/**
 * Counts the input tokens of a request.
 *
 * @stability stable
 * @category accessors
 * @since 0.1.0
 */
export const countTokens = (request: LlmRequest): Effect.Effect<TokenCount, LlmError, LlmService> =>
  Effect.flatMap(LlmService, (service) => service.countTokens(request))

/**
 * Lists the provider's models.
 *
 * @stability stable
 * @category accessors
 * @since 0.1.0
 */
export const models: Effect.Effect<ReadonlyArray<ModelMeta>, LlmError, LlmService> = Effect.flatMap(
  LlmService,
  (service) => service.models
)

/**
 * Probes the provider.
 *
 * @stability stable
 * @category accessors
 * @since 0.1.0
 */
export const health: Effect.Effect<Health, LlmError, LlmService> = Effect.flatMap(
  LlmService,
  (service) => service.health
)
