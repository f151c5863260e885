/**
 * How a model is asked for a value of a schema, and how its answer is read.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { parseJson } from "../json/parse.ts"
import type { Json, JsonObject } from "../json/value.ts"
import { LlmError, StructuredOutput, Validation } from "../LlmError.ts"
import { type Issue, type LlmRequest, validate } from "../LlmRequest.ts"
import type { LlmResponse } from "../LlmResponse.ts"
import type { FunctionTool } from "../LlmTool.ts"
import * as Message from "../Message.ts"
import type { Capabilities } from "../Model.ts"
import { jsonSchemaOf } from "../validation/jsonSchema/ofEffect.ts"
import { fields, flag, integerFrom, oneOf, optional, under, unreadable } from "../validation/values.ts"
import { unfenced } from "./fence.ts"
import { readObject } from "./read.ts"

/**
 * How an object is asked for.
 *
 * @stability experimental
 * @category options
 * @since 0.1.0
 */
export interface ObjectOptions {
  /**
   * What makes the model write it: the provider's own structured output (`native`), a tool that it must call (`tool`), or instructions
   * (`prompted`). @default `native`, where the service does not say that it has none; then `tool`, then `prompted`
   */
  readonly strategy?: "native" | "tool" | "prompted" | undefined
  /** How often the model is asked again, with what was wrong, after an answer that does not fit. From 0 to 10. @default 0 */
  readonly retries?: number | undefined
  /**
   * Whether what a model wrote around or in place of JSON is read: fences, prose, comments, quotes, commas, a missing end, values in another
   * form than the schema's. Sound JSON that fits is never changed, nothing is invented, and every repair is a warning of the response.
   * @default true with the strategy `prompted`
   */
  readonly repair?: boolean | undefined
}

const checkedOptions = fields({
  strategy: optional(oneOf("native", "tool", "prompted")),
  retries: optional(integerFrom(0, 10)),
  repair: optional(flag)
})

/** Of a service: what asking needs to know. */
interface Info {
  readonly provider: string
  readonly model: string
  readonly label?: string | undefined
  readonly capabilities: Capabilities
}

/**
 * A request for a value, and what reads it.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Asked<out A, out RD> {
  readonly request: LlmRequest
  readonly schema: JsonObject
  /** Name of the tool whose arguments are the answer; `undefined` when its text is. */
  readonly tool: string | undefined
  readonly retries: number
  readonly repair: boolean
  readonly decode: (json: Json) => Effect.Effect<A, Schema.SchemaError, RD>
}

const freeName = (request: LlmRequest): string => {
  const taken = new Set(request.tools?.map(({ name }) => name))
  let name = "answer"
  for (let i = 2; taken.has(name); i++) name = `answer_${i}`
  return name
}

const instructions = (schema: JsonObject): string =>
  `Answer with JSON that fits this JSON Schema, and with nothing else:\n${JSON.stringify(schema)}`

/**
 * Total: what a schema, a request or an option is not is told before anything is sent.
 *
 * @stability experimental
 * @category constructors
 * @since 0.1.0
 */
export const ask = <A, I, RD>(
  info: Info,
  schema: Schema.Codec<A, I, RD>,
  request: LlmRequest,
  options: ObjectOptions,
  operation: "generate" | "stream"
): Effect.Effect<Asked<A, RD>, LlmError> => {
  const { capabilities, label, model, provider } = info
  const fail = ({ field, message }: Issue) =>
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
  const wrong = checkedOptions(options)
  const issue = validate(request) ?? (wrong === undefined ? undefined : under("options", wrong))
  if (issue !== undefined) return fail(issue)
  let decode: Asked<A, RD>["decode"]
  try {
    decode = Schema.decodeEffect(Schema.toCodecJson(schema)) as typeof decode
  } catch {
    return fail({ field: "schema", message: "Must be a Schema whose values JSON can hold." })
  }
  const strategy = options.strategy ??
    (capabilities.structuredOutput !== false ? "native" : capabilities.tools === false ? "prompted" : "tool")
  try {
    const json = jsonSchemaOf(schema) as JsonObject
    const tool = strategy === "tool" ? freeName(request) : undefined
    return Effect.succeed({
      request: requestFor(strategy, tool, json, request),
      schema: json,
      tool,
      retries: options.retries ?? 0,
      repair: options.repair ?? strategy === "prompted",
      decode
    })
  } catch {
    return fail({ field: "request", message: unreadable })
  }
}

const requestFor = (
  strategy: ObjectOptions["strategy"],
  tool: string | undefined,
  schema: JsonObject,
  request: LlmRequest
): LlmRequest => {
  if (tool !== undefined) {
    const answer: FunctionTool = {
      type: "function",
      name: tool,
      description: "Gives the answer.",
      parameters: schema
    }
    return { ...request, tools: [...request.tools ?? [], answer], toolChoice: { name: tool } }
  }
  if (strategy === "prompted") {
    const system = request.system === undefined ? instructions(schema) : `${request.system}\n\n${instructions(schema)}`
    return { ...request, system }
  }
  return { ...request, responseFormat: request.responseFormat ?? { type: "json-schema", schema } }
}

/**
 * The request that asks again, with the answer that did not fit and what is wrong with it.
 *
 * @stability experimental
 * @category constructors
 * @since 0.1.0
 */
export const askAgain = (
  request: LlmRequest,
  tool: string | undefined,
  error: LlmError,
  reason: StructuredOutput
): LlmRequest => {
  const { messages, prompt, ...rest } = request
  const before = messages ?? (prompt === undefined ? [] : [Message.user(prompt)])
  const answer = reason.partial?.parts.length === 0 || reason.partial === undefined
    ? Message.assistant(reason.text === "" ? "(no answer)" : reason.text)
    : reason.partial.message
  const call = reason.partial?.toolCalls.find(({ name }) => name === tool)
  const wrong = `${error.reason.message} Answer again with the whole value, corrected.`
  const told = call === undefined
    ? Message.user(wrong)
    : Message.toolResult(call, wrong, { isError: true })
  return { ...rest, messages: [...before, answer, told] }
}

const notJson = (response: LlmResponse): Pick<StructuredOutput, "message" | "kind"> => {
  switch (response.finishReason) {
    case "length":
    case "context-window":
      return { kind: "length", message: "The answer ended at a limit on its length before the value was whole." }
    case "refusal":
    case "content-filter":
      return {
        kind: "refusal",
        message: `The model declined to give the value: finish reason "${response.finishReason}".`
      }
    case "stop":
      return { kind: "not-json", message: "The answer is not JSON." }
    default:
      return {
        kind: "not-json",
        message: `The answer is not JSON; it ended with finish reason "${response.finishReason}".`
      }
  }
}

/** An answer that was read. */
interface Found<out A> {
  readonly value: A
  readonly response: LlmResponse
}

/**
 * Reads an answer. Sound JSON that the schema decodes is taken as it is; only what is not is repaired, where that was asked for.
 *
 * @stability experimental
 * @category combinators
 * @since 0.1.0
 */
export const readAnswer = <A, RD>(
  asked: Asked<A, RD>,
  response: LlmResponse,
  operation: "generate" | "stream"
): Effect.Effect<Found<A>, LlmError, RD> => {
  const call = asked.tool === undefined ? undefined : response.toolCalls.find(({ name }) => name === asked.tool)
  const text = call === undefined || typeof call.arguments === "string"
    ? String(call?.arguments ?? response.text)
    : JSON.stringify(call.arguments)
  const failed = (reason: Pick<StructuredOutput, "message" | "kind">) =>
    new LlmError({
      provider: response.provider,
      model: response.model,
      label: response.label,
      operation,
      requestId: response.requestId,
      attempts: 1,
      reason: new StructuredOutput({ ...reason, text, partial: response })
    })
  const isWhole = response.finishReason !== "length" && response.finishReason !== "context-window"
  const repaired = (or: LlmError): Effect.Effect<Found<A>, LlmError, RD> => {
    const read = asked.repair && isWhole ? readObject(text, asked.schema) : undefined
    return read === undefined ? Effect.fail(or) : Effect.matchEffect(Effect.suspend(() => asked.decode(read.value)), {
      onFailure: () => Effect.fail(or),
      onSuccess: (value) =>
        Effect.succeed({
          value,
          response: response.with({
            warnings: [
              ...response.warnings,
              ...read.repairs.map((repair) => ({
                field: "responseFormat",
                message: `The answer was repaired: ${repair}.`
              }))
            ]
          })
        })
    })
  }
  const json = call !== undefined && typeof call.arguments !== "string" ? call.arguments : parseJson(unfenced(text))
  if (json === undefined) return repaired(failed(notJson(response)))
  return Effect.matchEffect(Effect.suspend(() => asked.decode(json)), {
    onFailure: (error) =>
      repaired(failed({ kind: "misfit", message: `The answer does not match the schema: ${error.message}` })),
    onSuccess: (value) => Effect.succeed({ value, response })
  })
}
