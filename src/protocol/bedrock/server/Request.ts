/**
 * Reads a request of the Converse API: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html
 *
 * The path names model and method. Cache points mark what stands before them; what models take beside the API's own members is read
 * from `additionalModelRequestFields`.
 *
 * @since 0.1.0
 */
import type { LlmRequest, RequestOptions } from "../../../LlmRequest.ts"
import type { LlmTool } from "../../../LlmTool.ts"
import type { CacheControl, Json, Media, Part, TextPart, ToolResultPart } from "../../../Message.ts"
import { levelOf } from "../../chat/server/Request.ts"
import type { Decoded, Incoming, Unreadable } from "../../Server.ts"
import type { Layout } from "../../server/Changes.ts"
import * as Body from "../../server/Json.ts"
import {
  distinct,
  functionTool,
  instructions,
  objectIn,
  placeless,
  present,
  providerTool,
  stopsOf
} from "../../server/Reading.ts"
import { decoded, Transcript } from "../../server/Transcript.ts"
import { wire } from "../Encode.ts"
import { mediaTypeOf } from "../Formats.ts"

const origin = { wire }

const layout: Layout = { messages: "messages", parts: "content" }

const known: ReadonlySet<string> = new Set([
  "messages",
  "system",
  "inferenceConfig",
  "toolConfig",
  "additionalModelRequestFields",
  "outputConfig"
])

const knownMore: ReadonlySet<string> = new Set([
  "thinking",
  "reasoningConfig",
  "reasoning_effort",
  "top_k",
  "inferenceConfig",
  "tool_choice"
])

const methodPath = /\/model\/([^/]+)\/(converse|converse-stream|count-tokens)$/

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

// =============================================================================
// Content
// =============================================================================

const opaque = (block: Body.JsonObject): Part => {
  const member = Object.keys(block)[0] ?? "block"
  const inner = Body.object(block[member])
  return {
    type: "server-tool",
    name: Body.string(inner.name) || Body.string(inner.type) || member,
    kind: member === "toolUse" ? "call" : member === "toolResult" ? "result" : "block",
    ...(typeof inner.toolUseId === "string" ? { id: inner.toolUseId } : undefined),
    data: Body.asJson(block),
    origin
  }
}

const mediaOf = (kind: string, media: Body.JsonObject): Media | undefined => {
  const { bytes, s3Location } = Body.object(media.source)
  const mediaType = mediaTypeOf(kind, Body.string(media.format))
  if (typeof bytes === "string") return { type: "base64", mediaType, data: bytes }
  const { uri } = Body.object(s3Location)
  return typeof uri === "string" ? { type: "file", fileId: uri, mediaType } : undefined
}

const resultOf = (result: Body.JsonObject): ToolResultPart => {
  const parts = Body.array(result.content).map(Body.object).map((block) => {
    const part = "json" in block ? undefined : partOf(block)
    return part?.type === "text" || part?.type === "image" || part?.type === "file"
      ? part
      : { type: "text" as const, text: JSON.stringify(block.json ?? block) }
  })
  const only = parts[0]
  return {
    type: "tool-result",
    toolCallId: Body.string(result.toolUseId) || "unknown",
    content: parts.length === 0 ? "" : parts.length === 1 && only?.type === "text" ? only.text : parts,
    ...(result.status === "error" ? { isError: true } : undefined)
  }
}

const reasoningOf = (block: Body.JsonObject): Part => {
  const content = Body.object(block.reasoningContent)
  const { signature, text } = Body.object(content.reasoningText)
  return typeof content.redactedContent === "string"
    ? { type: "reasoning", text: "", encrypted: content.redactedContent, origin }
    : {
      type: "reasoning",
      text: Body.string(text),
      ...(typeof signature === "string" ? { signature } : undefined),
      origin
    }
}

const partOf = (block: Body.JsonObject): Part => {
  if (typeof block.text === "string") return { type: "text", text: block.text }
  if (Body.isObject(block.toolUse)) {
    const { input, name, toolUseId, type } = block.toolUse
    if (type !== undefined) return opaque(block)
    return {
      type: "tool-call",
      id: Body.string(toolUseId) || "unknown",
      name: Body.string(name) || "unnamed_tool",
      arguments: (input ?? {}) as Json,
      origin
    }
  }
  if (Body.isObject(block.toolResult)) {
    return block.toolResult.type === undefined ? resultOf(block.toolResult) : opaque(block)
  }
  if (Body.isObject(block.reasoningContent)) return reasoningOf(block)
  if (Body.isObject(block.citationsContent)) {
    const { citations, content } = block.citationsContent
    return {
      type: "text",
      text: Body.contentText(content),
      replay: { citations: Body.array(citations) as ReadonlyArray<Json> },
      origin
    }
  }
  for (const kind of ["image", "document", "video", "audio"] as const) {
    const media = block[kind]
    if (!Body.isObject(media)) continue
    const source = mediaOf(kind, media)
    if (source === undefined) return opaque(block)
    if (kind === "image" || kind === "audio") return { type: kind, source }
    const { enabled } = Body.object(media.citations)
    return {
      type: "file",
      source,
      ...(typeof media.name === "string" ? { filename: media.name } : undefined),
      ...(typeof enabled === "boolean" ? { citations: enabled } : undefined)
    }
  }
  return opaque(block)
}

const pointIn = (block: Body.JsonObject): CacheControl | undefined =>
  !Body.isObject(block.cachePoint) ? undefined : block.cachePoint.ttl === "1h" ? "extended" : "ephemeral"

const isMarkable = (part: Part): boolean =>
  part.type !== "reasoning" && part.type !== "server-tool" && part.type !== "audio"

/** The parts of blocks; a cache point marks the last one that can be. */
const partsOf = (content: unknown): ReadonlyArray<Part> => {
  const parts: Array<Part> = []
  for (const block of Body.array(content).map(Body.object)) {
    const point = pointIn(block)
    if (point === undefined) {
      parts.push(partOf(block))
      continue
    }
    const at = parts.findLastIndex(isMarkable)
    if (at !== -1) parts[at] = { ...parts[at]!, cacheControl: point } as Part
  }
  return parts
}

const isResult = (part: Part): boolean => part.type === "tool-result"

const addMessage = (transcript: Transcript, message: Body.JsonObject, at: number): void => {
  const parts = partsOf(message.content)
  if (message.role === "assistant") return transcript.add("assistant", parts.filter((part) => !isResult(part)), at)
  transcript.add("tool", parts.filter(isResult), at)
  transcript.add("user", parts.filter((part) => !isResult(part) && part.type !== "tool-call"), at)
}

// =============================================================================
// Options
// =============================================================================

const toolsOf = (config: Body.JsonObject): ReadonlyArray<LlmTool> => {
  const tools: Array<LlmTool> = []
  for (const tool of Body.array(config.tools).map(Body.object)) {
    const cacheControl = pointIn(tool)
    const last = tools.at(-1)
    if (cacheControl !== undefined) {
      if (last?.type === "function") tools[tools.length - 1] = { ...last, cacheControl }
      continue
    }
    const { description, inputSchema, name, strict } = Body.object(tool.toolSpec)
    tools.push(
      typeof name !== "string" || name === ""
        ? providerTool(tool, Body.object(tool.systemTool).name, Object.keys(tool)[0])
        : functionTool(
          { name, description, parameters: Body.object(inputSchema).json },
          typeof strict === "boolean" ? { strict } : undefined
        )
    )
  }
  return distinct(tools)
}

const choiceOf = (choice: Body.JsonObject): RequestOptions["toolChoice"] => {
  const { name } = Body.object(choice.tool)
  if (typeof name === "string") return { name }
  return choice.any !== undefined ? "required" : choice.auto !== undefined ? "auto" : undefined
}

/** Claude's, Nova's, and the effort of open models. */
const thinkingOf = (
  more: Body.JsonObject,
  output: Body.JsonObject
): Pick<RequestOptions, "thinking" | "effort"> => {
  const { budget_tokens: budget, type } = Body.object(more.thinking)
  const nova = Body.object(more.reasoningConfig)
  const level = levelOf(output.effort)
  const effort = level === "off" || level === "minimal" ? undefined : level
  if (type === "disabled" || nova.type === "disabled") return present({ thinking: "off" as const, effort })
  if (type === "adaptive") return { thinking: effort ?? "high" }
  if (type === "enabled") {
    return present({
      thinking: typeof budget === "number" && budget >= 1 ? { budgetTokens: Math.floor(budget) } : "high" as const,
      effort
    })
  }
  if (nova.type === "enabled") return { thinking: levelOf(nova.maxReasoningEffort) ?? "medium" }
  return present({ thinking: levelOf(more.reasoning_effort), effort })
}

const formatOf = (output: Body.JsonObject): LlmRequest["responseFormat"] => {
  const { description, name, schema } = Body.object(Body.object(Body.object(output.textFormat).structure).jsonSchema)
  const read = objectIn(schema)
  return read === undefined ? undefined : {
    type: "json-schema",
    schema: read,
    ...present({
      name: typeof name === "string" && name !== "" ? name : undefined,
      description: typeof description === "string" ? description : undefined
    })
  }
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
    return {
      refused: {
        status: 400,
        type: "SerializationException",
        message: "Start of structure or map found where not expected."
      }
    }
  }
  const body = called?.method === "count-tokens" ? Body.object(Body.object(given.input).converse) : given
  const transcript = new Transcript()
  const top = instructions(
    partsOf(body.system).filter((part): part is TextPart => part.type === "text")
  )
  for (const message of top.messages) transcript.add(message.role, message.content as ReadonlyArray<Part>)
  Body.array(body.messages).map(Body.object).forEach((message, at) => addMessage(transcript, message, at))
  const config = Body.object(body.toolConfig)
  const more = Body.object(body.additionalModelRequestFields)
  const output = Body.object(body.outputConfig)
  const inference = Body.object(body.inferenceConfig)
  const serial = Body.object(more.tool_choice).disable_parallel_tool_use
  const tools = toolsOf(config)
  const options: RequestOptions = {
    system: top.system,
    maxTokens: Body.number(inference.maxTokens),
    temperature: Body.number(inference.temperature),
    topP: Body.number(inference.topP),
    topK: Body.number(more.top_k ?? Body.object(more.inferenceConfig).topK),
    stop: stopsOf(inference.stopSequences),
    tools: tools.length === 0 ? undefined : tools,
    toolChoice: tools.length === 0 ? undefined : choiceOf(Body.object(config.toolChoice)),
    parallelToolCalls: typeof serial === "boolean" ? !serial : undefined,
    ...thinkingOf(more, output),
    responseFormat: formatOf(output)
  }
  const warnings = [
    ...placeless(body, known),
    ...placeless(more, knownMore, "additionalModelRequestFields.")
  ]
  const from = { wire, layout, body, model: called?.model ?? "", stream: called?.method === "converse-stream" }
  return decoded(from, options, transcript, warnings)
}
