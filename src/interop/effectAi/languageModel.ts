/**
 * A service of ours as the `LanguageModel` of `effect/ai`.
 *
 * @since 0.1.0
 */
import * as AiError from "effect/ai/AiError"
import * as LanguageModel from "effect/ai/LanguageModel"
import type * as Prompt from "effect/ai/Prompt"
import type * as Response from "effect/ai/Response"
import * as Telemetry from "effect/ai/Telemetry"
import type * as Tool from "effect/ai/Tool"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { parseJson } from "../../json/parse.ts"
import type { LlmError } from "../../LlmError.ts"
import type { LlmRequest, RequestOptions } from "../../LlmRequest.ts"
import type { LlmResponse } from "../../LlmResponse.ts"
import type { Service } from "../../LlmService.ts"
import type { LlmTool } from "../../LlmTool.ts"
import { jsonSchemaOf } from "../../LlmTool.ts"
import type { ObjectOptions } from "../../object/asking.ts"
import * as Objects from "../../object/objects.ts"
import { modelOf } from "../../service/addressee.ts"
import { cutOff, toAiError } from "./errors.ts"
import { fromPrompt } from "./fromPrompt.ts"
import { fromTool } from "./tools.ts"
import { Parts, partsOf, passes, type Tools } from "./toParts.ts"

/**
 * What requests say beside what `effect/ai` has words for.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export type Request = Omit<RequestOptions, "tools" | "toolChoice" | "responseFormat">

/**
 * How a service is made a `LanguageModel`.
 *
 * @stability experimental
 * @category options
 * @since 0.1.0
 */
export interface LanguageModelOptions {
  /** What every request says: limits, temperature, thinking, cache and so on. */
  readonly request?: Request | undefined
  /** How `generateObject` asks for objects. */
  readonly objects?: ObjectOptions | undefined
  /**
   * How a request names the answer it goes on from, where a provider keeps answers. With it, and with the `ResponseIdTracker` of
   * `effect/ai`, only messages that are new are sent. @default all messages are sent each time
   */
  readonly previousResponse?: ((id: string) => Request) | undefined
}

/** What requests of this fiber say. */
export const CurrentRequest: Context.Reference<Request> = Context.Reference<Request>(
  "effect-llm/EffectAi/CurrentRequest",
  {
    defaultValue: () => ({})
  }
)

type Asked = LanguageModel.ProviderOptions

// =============================================================================
// Requests
// =============================================================================

const known = new WeakMap<Tool.Any, LlmTool>()

const toolOf = (tool: Tool.Any): LlmTool => {
  let made = known.get(tool)
  if (made === undefined) known.set(tool, made = fromTool(tool))
  return made
}

/** What the model calls a tool that the application knows under its own name. */
const wireName = (tools: ReadonlyArray<Tool.Any>, name: string): string => {
  const tool = tools.find((one) => one.name === name)
  return tool === undefined ? name : toolOf(tool).name
}

const choiceOf = (asked: Asked): LlmRequest["toolChoice"] => {
  const { toolChoice, tools } = asked
  if (typeof toolChoice === "string") return toolChoice
  if ("tool" in toolChoice) return { name: wireName(tools, toolChoice.tool) }
  // The tools are already no others than those it names.
  return toolChoice.mode ?? "auto"
}

const requestOf = (asked: Asked, current: Request, options: LanguageModelOptions): LlmRequest => {
  const { incrementalPrompt, previousResponseId, tools } = asked
  const goesOn = options.previousResponse !== undefined && previousResponseId !== undefined &&
    incrementalPrompt !== undefined
  const prompt = goesOn ? incrementalPrompt : asked.prompt
  return {
    ...options.request,
    ...current,
    ...(goesOn ? options.previousResponse(previousResponseId) : undefined),
    messages: fromPrompt(prompt, (name) => wireName(tools, name)),
    ...(tools.length === 0 ? undefined : { tools: tools.map(toolOf), toolChoice: choiceOf(asked) })
  }
}

// =============================================================================
// Answers
// =============================================================================

const describe = (asked: Asked, service: Service, request: LlmRequest): void =>
  Telemetry.addGenAIAnnotations(asked.span, {
    provider: { name: service.info.provider },
    operation: { name: "chat" },
    request: {
      model: modelOf(request, service.info),
      temperature: request.temperature,
      topP: request.topP,
      topK: request.topK,
      maxTokens: request.maxTokens
    }
  })

const describeAnswer = (asked: Asked, response: LlmResponse): void =>
  Telemetry.addGenAIAnnotations(asked.span, {
    response: { id: response.id, model: response.model, finishReasons: [response.finishReason] },
    usage: { inputTokens: response.usage.input.total, outputTokens: response.usage.output.total }
  })

/** A call whose arguments broke off and would pass for arguments all the same, so that its tool would be run. */
const unfit = (
  asked: Asked,
  tools: Tools,
  parts: ReadonlyArray<LlmResponse["parts"][number]>,
  method: string
): AiError.AiError | undefined => {
  if (asked.toolCallValidation === "deferred") return undefined
  const call = parts.find((part) => part.type === "tool-call" && part.invalid === true && passes(part, tools))
  return call?.type !== "tool-call" ? undefined : AiError.make({
    module: "EffectAi",
    method,
    reason: new AiError.ToolParameterValidationError({
      toolName: call.name,
      description: "The model's arguments are not valid JSON."
    })
  })
}

/** A value that was asked for, as the text that `effect/ai` reads. */
const asText = (response: LlmResponse, text: string): LlmResponse => {
  const others = response.parts.filter((part) => part.type !== "text" && part.type !== "tool-call")
  return response.with({
    parts: [...others, { type: "text", text }],
    finishReason: response.finishReason === "tool-calls" ? "stop" : response.finishReason
  })
}

type Codec = Schema.Codec<unknown, unknown>

/** Answers with an object: the answer as it is where the provider was held to the schema, else what was read of it. */
const objectOf = (
  service: Service,
  request: LlmRequest,
  schema: Codec,
  name: string,
  objects: ObjectOptions
): Effect.Effect<LlmResponse, LlmError> => {
  const { capabilities } = service.info
  const native = (objects.strategy ?? (capabilities.structuredOutput === false ? "other" : "native")) === "native"
  const wanted: LlmRequest = native
    ? {
      ...request,
      responseFormat: {
        type: "json-schema",
        schema: jsonSchemaOf(schema),
        name: name.replace(/[^\w-]+/g, "_").slice(0, 64) || "response"
      }
    }
    : request
  return Effect.flatMap(Objects.generate(service, schema, wanted, objects), ({ response, value }) => {
    const sound = native && objects.repair !== true && parseJson(response.text) !== undefined
    return sound ? Effect.succeed(response) : Effect.map(
      Schema.encodeUnknownEffect(Schema.toCodecJson(schema))(value),
      (json) => asText(response, JSON.stringify(json))
    ).pipe(Effect.orElseSucceed(() => response))
  })
}

const unsupported = (error: LlmError): boolean =>
  error.reason._tag === "Validation" && error.reason.status === undefined &&
  /^(?:schema|responseFormat)\b/.test(error.reason.field ?? "")

/** Objects of a schema that is told and read as JSON. */
const codecTransformer: LanguageModel.CodecTransformer = (schema) => ({
  codec: Schema.toCodecJson(schema as unknown as Codec) as never,
  jsonSchema: jsonSchemaOf(schema) as never
})

/** The `LanguageModel` of a service. */
export const languageModel = (
  service: Service,
  options: LanguageModelOptions = {}
): Effect.Effect<LanguageModel.LanguageModel> => {
  /** Requests that were refused: `effect/ai` asks again with all messages, which were sent already. */
  const refused = new WeakMap<Prompt.Prompt, AiError.AiError>()

  const failed = (asked: Asked, method: string) => (error: LlmError): AiError.AiError => {
    const ai = unsupported(error)
      ? AiError.make({
        module: "EffectAi",
        method,
        reason: new AiError.UnsupportedSchemaError({ description: error.reason.message })
      })
      : toAiError(error, method)
    if (asked.incrementalPrompt !== undefined && options.previousResponse === undefined) refused.set(asked.prompt, ai)
    return ai
  }

  const toolsOf = (asked: Asked): Tools => new Map(asked.tools.map((tool) => [toolOf(tool).name, tool]))

  const generateText = (asked: Asked): Effect.Effect<Array<Response.PartEncoded>, AiError.AiError> =>
    Effect.gen(function*() {
      const before = asked.incrementalFallback === true ? refused.get(asked.prompt) : undefined
      if (before !== undefined) return yield* before
      const request = requestOf(asked, yield* CurrentRequest, options)
      const { responseFormat } = asked
      const method = responseFormat.type === "json" ? "generateObject" : "generateText"
      describe(asked, service, request)
      const answer = responseFormat.type === "json"
        ? objectOf(
          service,
          request,
          responseFormat.schema as unknown as Codec,
          responseFormat.objectName,
          options.objects ?? {}
        )
        : service.generate(request)
      const response = yield* Effect.mapError(answer, failed(asked, method))
      describeAnswer(asked, response)
      const tools = toolsOf(asked)
      const problem = unfit(asked, tools, response.parts, method)
      if (problem !== undefined) return yield* problem
      return partsOf(response, tools)
    })

  const streamText = (asked: Asked): Stream.Stream<Response.StreamPartEncoded, AiError.AiError> =>
    Stream.unwrap(Effect.gen(function*() {
      const current = yield* CurrentRequest
      const before = asked.incrementalFallback === true ? refused.get(asked.prompt) : undefined
      if (before !== undefined) return Stream.fail(before)
      const request = requestOf(asked, current, options)
      describe(asked, service, request)
      const tools = toolsOf(asked)
      const parts = new Parts(tools)
      let problem: AiError.AiError | undefined
      return service.stream(request).pipe(
        Stream.mapError(failed(asked, "streamText")),
        Stream.mapAccumArray(
          () => parts,
          (state, events) => {
            const last = events.at(-1)
            if (last?._tag === "Finish") {
              describeAnswer(asked, last.response)
              problem = unfit(asked, tools, last.response.parts, "streamText")
              if (problem !== undefined) return [state, []]
            }
            return [state, state.push(events)]
          }
        ),
        Stream.takeUntil(({ type }) => type === "finish"),
        Stream.concat(Stream.suspend(() => {
          if (problem !== undefined) return Stream.fail(problem)
          if (parts.finished) return Stream.empty
          const { label, model, provider } = service.info
          return Stream.fail(
            toAiError(cutOff({ provider, model, label, operation: "stream" }, undefined), "streamText")
          )
        }))
      )
    }))

  return LanguageModel.make({ generateText, streamText, codecTransformer })
}
