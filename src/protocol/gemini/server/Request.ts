/**
 * Reads a request of the Gemini API, from AI Studio and Vertex AI alike: https://ai.google.dev/api/generate-content#request-body
 *
 * Members come in camel or snake case. Calls without an id are given one by their place, and a result without one answers the first
 * open call of its name.
 *
 * @since 0.1.0
 */
import type { LlmRequest, RequestOptions } from "../../../LlmRequest.ts"
import type { LlmTool } from "../../../LlmTool.ts"
import type { Json, JsonObject, Part, TextPart, ToolResultPart } from "../../../Message.ts"
import type { ThinkingLevel } from "../../../Model.ts"
import { blank, type JsonFields } from "../../Probe.ts"
import type { Decoded, Incoming, Unreadable } from "../../Server.ts"
import type { Layout } from "../../server/Changes.ts"
import * as Body from "../../server/Json.ts"
import {
  distinct,
  functionTool,
  instructions,
  mediaOfUrl,
  oneAnswer,
  placeless,
  present,
  providerTool,
  stopsOf
} from "../../server/Reading.ts"
import { decoded, Transcript } from "../../server/Transcript.ts"
import { wire } from "../Encode.ts"
import { field, recordField } from "../Fields.ts"

const origin = { wire }

const layout: Layout = { messages: "contents", parts: "parts" }

const methodPath = /\/models\/(.+):(generateContent|streamGenerateContent|countTokens)$/

/**
 * The model and the method that a path names.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const calledIn = (path: string): { readonly model: string; readonly method: string } | undefined => {
  const found = methodPath.exec(path)
  if (found === null) return undefined
  try {
    return { model: decodeURIComponent(found[1]!), method: found[2]! }
  } catch {
    return { model: found[1]!, method: found[2]! }
  }
}

const fieldsOf = (value: unknown): JsonFields => Body.object(value) as JsonFields

const known: ReadonlySet<string> = new Set([
  "contents",
  "systemInstruction",
  "system_instruction",
  "tools",
  "toolConfig",
  "tool_config",
  "generationConfig",
  "generation_config",
  "model"
])

const knownConfig: ReadonlySet<string> = new Set([
  "maxOutputTokens",
  "temperature",
  "topP",
  "topK",
  "seed",
  "presencePenalty",
  "frequencyPenalty",
  "stopSequences",
  "responseLogprobs",
  "logprobs",
  "responseMimeType",
  "responseSchema",
  "responseJsonSchema",
  "thinkingConfig"
])

// =============================================================================
// Contents
// =============================================================================

/** Calls that wait for a result, in order. */
interface Waiting {
  readonly calls: Array<{ readonly id: string; readonly name: string }>
  count: number
}

const mediaOf = (part: JsonFields) => {
  const inline = recordField(part, "inlineData")
  const data = inline === undefined ? undefined : field(inline, "data")
  if (inline !== undefined && typeof data === "string") {
    const mediaType = Body.string(field(inline, "mimeType")) || "application/octet-stream"
    return { type: "base64" as const, mediaType, data }
  }
  const file = recordField(part, "fileData")
  const uri = file === undefined ? undefined : field(file, "fileUri")
  const type = file === undefined ? undefined : field(file, "mimeType")
  return typeof uri === "string" ? mediaOfUrl(uri, typeof type === "string" ? type : undefined) : undefined
}

const resultOf = (response: JsonFields, waiting: Waiting): ToolResultPart => {
  const name = Body.string(field(response, "name"))
  const given = field(response, "id")
  const at = typeof given === "string" && given !== ""
    ? waiting.calls.findIndex((call) => call.id === given)
    : waiting.calls.findIndex((call) => call.name === name)
  const call = at === -1 ? undefined : waiting.calls.splice(at, 1)[0]
  const body = fieldsOf(field(response, "response"))
  const failed = body["output"] === undefined && body["result"] === undefined && body["error"] !== undefined
  const said = body["output"] ?? (failed ? body["error"] : body["result"]) ?? body
  const text = typeof said === "string" ? said : JSON.stringify(said)
  const media = Body.array(field(response, "parts")).flatMap((part): ReadonlyArray<Part> => {
    const source = mediaOf(fieldsOf(part))
    return source === undefined ? [] : [mediaPart(source)]
  }).filter((part) => part.type === "image" || part.type === "file")
  return {
    type: "tool-result",
    toolCallId: typeof given === "string" && given !== "" ? given : call?.id ?? (name || "unknown"),
    ...(name === "" ? undefined : { name }),
    content: media.length === 0 ? text : [{ type: "text", text }, ...media],
    ...(failed ? { isError: true } : undefined)
  }
}

const mediaPart = (source: NonNullable<ReturnType<typeof mediaOf>>): Part => {
  const type = source.mediaType ?? ""
  if (type.startsWith("image/")) return { type: "image", source }
  return type.startsWith("audio/") ? { type: "audio", source } : { type: "file", source }
}

const partOf = (part: JsonFields, waiting: Waiting): Part => {
  const signature = field(part, "thoughtSignature")
  const signed = typeof signature === "string" && signature !== "" ? { signature } : undefined
  const call = recordField(part, "functionCall")
  if (call !== undefined) {
    const name = Body.string(field(call, "name")) || "unnamed_tool"
    const id = Body.string(field(call, "id")) || `${name}_${++waiting.count}`
    waiting.calls.push({ id, name })
    return { type: "tool-call", id, name, arguments: (field(call, "args") ?? {}) as Json, ...signed, origin }
  }
  const response = recordField(part, "functionResponse")
  if (response !== undefined) return resultOf(response, waiting)
  const text = part["text"]
  if (part["thought"] === true && (typeof text === "string" || signed !== undefined)) {
    return { type: "reasoning", text: Body.string(text), ...signed, origin }
  }
  if (typeof text === "string") {
    return { type: "text", text, ...(signed === undefined ? undefined : { ...signed, origin }) }
  }
  const source = mediaOf(part)
  if (source !== undefined) return mediaPart(source)
  const name = Object.keys(part).find((name) => name !== "thoughtSignature") ?? "part"
  return { type: "server-tool", name, kind: "block", data: part as JsonObject, origin }
}

const partsOf = (content: JsonFields): ReadonlyArray<JsonFields> => {
  const { parts } = content
  return (Array.isArray(parts) ? parts as ReadonlyArray<Json> : parts === undefined ? [] : [parts])
    .map((part) => typeof part === "string" ? { text: part } : fieldsOf(part))
}

const addContent = (transcript: Transcript, content: JsonFields, at: number, waiting: Waiting): void => {
  const parts = partsOf(content).map((part) => partOf(part, waiting))
  if (content["role"] === "model") {
    return transcript.add("assistant", parts.filter((part) => part.type !== "tool-result"), at)
  }
  transcript.add("tool", parts.filter((part) => part.type === "tool-result"), at)
  transcript.add("user", parts.filter((part) => part.type !== "tool-result" && part.type !== "tool-call"), at)
}

// =============================================================================
// Options
// =============================================================================

const named: ReadonlySet<string> = new Set(["properties", "$defs", "definitions"])

/** OpenAPI schemas write types in capitals. What stands below a name of the schema's own is a schema, whatever the name. */
const lowerTypes = (value: unknown, isMap = false): unknown =>
  Array.isArray(value)
    ? value.map((one) => lowerTypes(one))
    : Body.isObject(value)
    ? Object.fromEntries(
      Object.entries(value).map(([key, child]) => [
        key,
        !isMap && key === "type" && typeof child === "string"
          ? child.toLowerCase()
          : lowerTypes(child, !isMap && named.has(key))
      ])
    )
    : value

const toolsOf = (body: JsonFields): ReadonlyArray<LlmTool> =>
  distinct(
    Body.array(body["tools"]).map(fieldsOf).flatMap((tool): ReadonlyArray<LlmTool> => {
      const declared = Body.array(field(tool, "functionDeclarations")).map(fieldsOf).flatMap((one) => {
        const name = Body.string(field(one, "name"))
        const parameters = field(one, "parametersJsonSchema") ?? lowerTypes(field(one, "parameters"))
        return name === "" ? [] : [functionTool({ name, description: field(one, "description"), parameters })]
      })
      const own = Object.entries(tool)
        .filter(([name, value]) => !/^function_?declarations$/i.test(name) && value !== undefined)
        .map(([name, value]) => providerTool({ [name]: value }, name))
      return [...declared, ...own]
    })
  )

const choiceOf = (body: JsonFields): RequestOptions["toolChoice"] => {
  const config = recordField(recordField(body, "toolConfig") ?? {}, "functionCallingConfig") ?? {}
  const names = Body.array(field(config, "allowedFunctionNames")).filter((name) => typeof name === "string")
  switch (field(config, "mode")) {
    case "NONE":
      return "none"
    case "ANY":
      return names.length === 1 ? { name: names[0]! } : "required"
    case "AUTO":
      return "auto"
    default:
      return undefined
  }
}

const levels: { readonly [word: string]: ThinkingLevel } = {
  MINIMAL: "minimal",
  LOW: "low",
  MEDIUM: "medium",
  HIGH: "high"
}

/** A budget of -1 leaves it to the model, as thoughts that are asked for without a budget do. */
const thinkingOf = (config: JsonFields): RequestOptions["thinking"] => {
  const thinking = recordField(config, "thinkingConfig") ?? {}
  const level = Body.string(field(thinking, "thinkingLevel")).toUpperCase()
  if (Object.hasOwn(levels, level)) return levels[level]
  const budget = field(thinking, "thinkingBudget")
  if (budget === 0) return "off"
  if (typeof budget === "number" && budget > 0) return { budgetTokens: Math.floor(budget) }
  return budget === -1 || field(thinking, "includeThoughts") === true ? "medium" : undefined
}

const formatOf = (config: JsonFields): LlmRequest["responseFormat"] => {
  const schema = field(config, "responseJsonSchema") ?? lowerTypes(field(config, "responseSchema"))
  if (Body.isObject(schema) && !blank(schema)) return { type: "json-schema", schema: Body.asJson(schema) }
  return field(config, "responseMimeType") === "application/json" ? { type: "json" } : undefined
}

const logprobsOf = (config: JsonFields): RequestOptions["logprobs"] => {
  if (field(config, "responseLogprobs") !== true) return undefined
  const most = field(config, "logprobs")
  return typeof most === "number" && Number.isInteger(most) && most > 0 ? most : true
}

const camel = (name: string): string => name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())

/** A body that asks for one candidate, and whether it asked for several. */
const single = (body: JsonFields): { readonly body: JsonFields; readonly several: boolean } => {
  const config = recordField(body, "generationConfig") ?? {}
  const count = field(config, "candidateCount")
  if (typeof count !== "number" || count <= 1) return { body, several: false }
  const at = body["generationConfig"] === undefined ? "generation_config" : "generationConfig"
  const { candidateCount: _, candidate_count: __, ...others } = config
  return { body: { ...body, [at]: others } as JsonFields, several: true }
}

/**
 * Reads a request.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const decodeRequest = ({ body: given, path }: Incoming): Decoded | Unreadable => {
  const called = calledIn(path)
  if (!Body.isObject(given)) {
    return { refused: { status: 400, message: "Invalid JSON payload received. Unexpected end of string." } }
  }
  // Counting may ask for a whole request inside of another one.
  const inner = fieldsOf(given)["generateContentRequest"]
  const { body, several } = single(fieldsOf(called?.method === "countTokens" && Body.isObject(inner) ? inner : given))
  if (body["contents"] !== undefined && !Array.isArray(body["contents"]) && !Body.isObject(body["contents"])) {
    return { refused: { status: 400, message: "Invalid value at 'contents': must be a list." } }
  }
  const transcript = new Transcript()
  const system = field(body, "systemInstruction")
  const texts = partsOf(typeof system === "string" ? { parts: system } : fieldsOf(system))
    .filter((part) => typeof part["text"] === "string" && part["text"] !== "")
    .map((part): TextPart => ({ type: "text", text: Body.string(part["text"]) }))
  const top = instructions(texts)
  for (const message of top.messages) transcript.add(message.role, message.content as ReadonlyArray<Part>)
  const waiting: Waiting = { calls: [], count: 0 }
  const contents = Array.isArray(body["contents"]) ? body["contents"] : [body["contents"] ?? {}]
  contents.map(fieldsOf).forEach((content, at) => addContent(transcript, content, at, waiting))
  const config = recordField(body, "generationConfig") ?? {}
  const tools = toolsOf(body)
  const options: RequestOptions = {
    system: top.system,
    maxTokens: Body.number(field(config, "maxOutputTokens")),
    temperature: Body.number(field(config, "temperature")),
    topP: Body.number(field(config, "topP")),
    topK: Body.number(field(config, "topK")),
    seed: Body.number(field(config, "seed")),
    presencePenalty: Body.number(field(config, "presencePenalty")),
    frequencyPenalty: Body.number(field(config, "frequencyPenalty")),
    stop: stopsOf(field(config, "stopSequences")),
    tools: tools.length === 0 ? undefined : tools,
    toolChoice: tools.length === 0 ? undefined : choiceOf(body),
    responseFormat: formatOf(config),
    thinking: thinkingOf(config),
    logprobs: logprobsOf(config)
  }
  const camelled = Object.fromEntries(Object.entries(config).map(([name, value]) => [camel(name), value]))
  const warnings = [...placeless(body, known), ...placeless(camelled, knownConfig, "generationConfig.")]
  const stream = called?.method === "streamGenerateContent"
  const read = decoded(
    { wire, layout, body, model: called?.model ?? "", stream },
    present(options),
    transcript,
    warnings
  )
  return several ? { ...read, dropped: [oneAnswer("generationConfig.candidateCount")] } : read
}
