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
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { parseJson } from "./json/parse.ts"
import { LlmError, StructuredOutput, Validation } from "./LlmError.ts"
import type { LlmEvent } from "./LlmEvent.ts"
import { type LlmRequest, type ResponseFormat, validate } from "./LlmRequest.ts"
import type { LlmResponse } from "./LlmResponse.ts"
import { jsonSchemaOf } from "./LlmTool.ts"
import type { Json } from "./Message.ts"
import type { Capabilities, ModelMeta } from "./Model.ts"
import { unfenced } from "./object/fence.ts"
import { parsePartialJson } from "./object/partialJson.ts"
import { unreadable } from "./validation/values.ts"

/**
 * Who a service talks to.
 *
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
  readonly capabilities: Capabilities
}

/**
 * A count of input tokens.
 *
 * @category models
 * @since 0.1.0
 */
export interface TokenCount {
  readonly inputTokens: number
  /** `true` when it was estimated locally rather than counted by the provider. */
  readonly estimated: boolean
}

/**
 * Whether a provider can be used now.
 *
 * @category models
 * @since 0.1.0
 */
export interface Health {
  readonly latencyMillis: number
}

/**
 * What a provider, or a policy around providers, offers.
 *
 * @category models
 * @since 0.1.0
 */
export interface Service {
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
 * @category services
 * @since 0.1.0
 */
export class LlmService extends Context.Service<LlmService, Service>()("effect-llm/LlmService") {}

/**
 * Answers a request as a whole.
 *
 * @category accessors
 * @since 0.1.0
 */
export const generate = (request: LlmRequest): Effect.Effect<LlmResponse, LlmError, LlmService> =>
  Effect.flatMap(LlmService, (service) => service.generate(request))

/**
 * Answers a request as a stream of events.
 *
 * @category accessors
 * @since 0.1.0
 */
export const stream = (request: LlmRequest): Stream.Stream<LlmEvent, LlmError, LlmService> =>
  Stream.unwrap(Effect.map(LlmService, (service) => service.stream(request)))

/**
 * A value of a schema, and the response it was read from.
 *
 * @category models
 * @since 0.1.0
 */
export interface ObjectResponse<out A> {
  readonly value: A
  readonly response: LlmResponse
}

/**
 * What `streamObject` emits: ever more of the value as plain JSON, then the value itself.
 *
 * @category models
 * @since 0.1.0
 */
export type ObjectEvent<A> =
  | { readonly _tag: "Partial"; readonly json: Json }
  | { readonly _tag: "Object"; readonly value: A; readonly response: LlmResponse }

const formatOf = (schema: Schema.Constraint): ResponseFormat => ({ type: "json-schema", schema: jsonSchemaOf(schema) })

/** A request for an object, and what reads the object. */
interface Asked<out A, out RD> {
  readonly request: LlmRequest
  readonly decode: (json: Json) => Effect.Effect<A, Schema.SchemaError, RD>
}

/** Total: what a schema or a request is not is told before anything is sent. */
const askFor = <A, I, RD>(
  service: Service,
  schema: Schema.Codec<A, I, RD>,
  request: LlmRequest,
  operation: "generate" | "stream"
): Effect.Effect<Asked<A, RD>, LlmError> => {
  const { label, model, provider } = service.info
  const fail = (field: string, message: string) =>
    Effect.fail(
      new LlmError({
        provider,
        model,
        label,
        operation,
        reason: new Validation({ field, message: `${field}: ${message}` }),
        attempts: 0
      })
    )
  const issue = validate(request)
  if (issue !== undefined) return fail(issue.field, issue.message)
  let decode: Asked<A, RD>["decode"]
  try {
    decode = Schema.decodeEffect(Schema.toCodecJson(schema)) as typeof decode
  } catch {
    return fail("schema", "Must be a Schema whose values JSON can hold.")
  }
  try {
    return Effect.succeed({
      request: { ...request, responseFormat: request.responseFormat ?? formatOf(schema) },
      decode
    })
  } catch {
    return fail("request", unreadable)
  }
}

const decodeObject = <A, RD>(
  decode: Asked<A, RD>["decode"],
  response: LlmResponse,
  operation: "generate" | "stream"
): Effect.Effect<ObjectResponse<A>, LlmError, RD> => {
  const failed = (message: string) =>
    new LlmError({
      provider: response.provider,
      model: response.model,
      label: response.label,
      operation,
      requestId: response.requestId,
      attempts: 1,
      reason: new StructuredOutput({ message, text: response.text, partial: response })
    })
  const json = parseObject(response.text)
  if (json === undefined) {
    return Effect.fail(failed(
      response.finishReason === "stop"
        ? "The answer is not JSON."
        : `The answer is not JSON; it ended with finish reason "${response.finishReason}".`
    ))
  }
  return Effect.mapBoth(Effect.suspend(() => decode(json)), {
    onFailure: (error) => failed(`The answer does not match the schema: ${error.message}`),
    onSuccess: (value) => ({ value, response })
  })
}

const parseObject = (text: string): Json | undefined => {
  return parseJson(unfenced(text))
}

/**
 * Answers with a value of a schema. The provider is asked to keep to it where it can; the answer is decoded in any
 * case. Fails with reason `StructuredOutput`, which holds the text, when it does not fit, and with `Validation`, before anything is
 * sent, when the schema has no JSON Schema.
 *
 * @category accessors
 * @since 0.1.0
 */
export const generateObject = <A, I, RD>(
  schema: Schema.Codec<A, I, RD>,
  request: LlmRequest
): Effect.Effect<ObjectResponse<A>, LlmError, LlmService | RD> =>
  Effect.flatMap(
    LlmService,
    (service) =>
      Effect.flatMap(askFor(service, schema, request, "generate"), ({ decode, request }) =>
        Effect.flatMap(service.generate(request), (response) =>
          decodeObject(decode, response, "generate")))
  )

/**
 * Answers with a value of a schema as it is being written: partial JSON first, the decoded value last.
 *
 * @category accessors
 * @since 0.1.0
 */
export const streamObject = <A, I, RD>(
  schema: Schema.Codec<A, I, RD>,
  request: LlmRequest
): Stream.Stream<ObjectEvent<A>, LlmError, LlmService | RD> =>
  Stream.unwrap(Effect.gen(function*() {
    const service = yield* LlmService
    const asked = yield* askFor(service, schema, request, "stream")
    let text = ""
    let shownAt = 0
    return Stream.mapEffect(
      Stream.filter(
        service.stream(asked.request),
        (event) => event._tag === "TextDelta" || event._tag === "Finish"
      ),
      (event): Effect.Effect<ReadonlyArray<ObjectEvent<A>>, LlmError, RD> => {
        if (event._tag === "Finish") {
          return Effect.map(
            decodeObject(asked.decode, event.response, "stream"),
            (found) => [{ _tag: "Object", ...found }]
          )
        }
        text += event._tag === "TextDelta" ? event.text : ""
        // Reading anew only after growth in proportion keeps the work linear in the length of the answer.
        if (text.length - shownAt < text.length / 16) return Effect.succeed([])
        shownAt = text.length
        const json = parsePartialJson(text)
        return Effect.succeed(json === undefined ? [] : [{ _tag: "Partial", json }])
      }
    ).pipe(Stream.flatMap(Stream.fromIterable))
  }))

/**
 * Counts the input tokens of a request.
 *
 * @category accessors
 * @since 0.1.0
 */
export const countTokens = (request: LlmRequest): Effect.Effect<TokenCount, LlmError, LlmService> =>
  Effect.flatMap(LlmService, (service) => service.countTokens(request))

/**
 * Lists the provider's models.
 *
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
 * @category accessors
 * @since 0.1.0
 */
export const health: Effect.Effect<Health, LlmError, LlmService> = Effect.flatMap(
  LlmService,
  (service) => service.health
)
