/**
 * Reads a request of the Messages API: https://platform.claude.com/docs/en/api/messages/create
 *
 * Takes what clients send and the API's page does not show, such as `system` messages inside `messages` (Claude Code). Blocks that
 * have no equal are opaque parts.
 *
 * @since 0.1.0
 */
import type { LlmRequest, RequestOptions } from "../../../LlmRequest.ts"
import type { LlmTool } from "../../../LlmTool.ts"
import type { Json, Media, Part, TextPart, ToolResultPart } from "../../../Message.ts"
import { thinkingLevels } from "../../../Model.ts"
import type { Decoded, Incoming, Unreadable } from "../../Server.ts"
import type { Layout } from "../../server/Changes.ts"
import * as Body from "../../server/Json.ts"
import {
  cacheControlOf,
  distinct,
  functionTool,
  instructions,
  placeless,
  present,
  providerTool,
  stopsOf
} from "../../server/Reading.ts"
import { decoded, Transcript } from "../../server/Transcript.ts"
import { wire } from "../Encode.ts"

const origin = { wire }

// https://platform.claude.com/docs/en/api/beta-headers: members of a beta are refused without its header.
const layout: Layout = { messages: "messages", parts: "content", model: "model", headers: ["anthropic-beta"] }

/** Members that the view has, or that say nothing to others. */
const known: ReadonlySet<string> = new Set([
  "max_tokens",
  "messages",
  "model",
  "output_config",
  "output_format",
  "stop_sequences",
  "stream",
  "system",
  "temperature",
  "thinking",
  "tool_choice",
  "tools",
  "top_k",
  "top_p"
])

// =============================================================================
// Content
// =============================================================================

const mediaOf = (source: unknown): Media | undefined => {
  const { data, file_id: fileId, media_type: mediaType, type, url } = Body.object(source)
  switch (type) {
    case "base64":
      return typeof data === "string" && typeof mediaType === "string" ? { type, mediaType, data } : undefined
    case "text":
      // Plain text, which bytes are made of for other wires.
      return typeof data === "string" ? { type: "base64", mediaType: "text/plain", data: base64(data) } : undefined
    case "url":
      return typeof url === "string" ? { type, url } : undefined
    case "file":
      return typeof fileId === "string" ? { type, fileId } : undefined
    default:
      return undefined
  }
}

const base64 = (text: string): string => {
  let binary = ""
  for (const byte of new TextEncoder().encode(text)) binary += String.fromCharCode(byte)
  return btoa(binary)
}

const opaque = (block: Body.JsonObject): Part => {
  const type = Body.string(block.type)
  const id = typeof block.id === "string" ? block.id : block.tool_use_id
  return {
    type: "server-tool",
    name: type.endsWith("_tool_use") && typeof block.name === "string" ? block.name : type,
    kind: type.endsWith("_tool_use") ? "call" : type.endsWith("tool_result") ? "result" : "block",
    ...(typeof id === "string" ? { id } : undefined),
    data: Body.asJson(block),
    origin
  }
}

const textOf = (block: Body.JsonObject): TextPart => {
  const cacheControl = cacheControlOf(block.cache_control)
  return {
    type: "text",
    text: Body.string(block.text),
    ...(cacheControl === undefined ? undefined : { cacheControl }),
    ...(Array.isArray(block.citations) && block.citations.length > 0
      ? { replay: { citations: block.citations as ReadonlyArray<Json> }, origin }
      : undefined)
  }
}

const resultOf = (block: Body.JsonObject): ToolResultPart => {
  const { content, is_error: isError } = block
  const cacheControl = cacheControlOf(block.cache_control)
  const parts = Array.isArray(content)
    ? content.map(Body.object).map(partOf).map((part) =>
      part.type === "text" || part.type === "image" || part.type === "file"
        ? part
        : { type: "text" as const, text: JSON.stringify(part.type === "server-tool" ? part.data : part) }
    )
    : Body.string(content)
  const only = typeof parts === "string" ? undefined : parts[0]
  return {
    type: "tool-result",
    toolCallId: Body.string(block.tool_use_id) || "unknown",
    content: typeof parts === "string" || parts.length !== 1 || only?.type !== "text" || only.cacheControl !== undefined
      ? parts
      : only.text,
    ...(typeof isError === "boolean" ? { isError } : undefined),
    ...(cacheControl === undefined ? undefined : { cacheControl })
  }
}

/** What goes back with a call beside its id, name and input. */
const replayOf = ({ caller, toolset_name: toolset }: Body.JsonObject) => {
  const called = Body.isObject(caller) && caller.type !== "direct"
  if (!called && typeof toolset !== "string") return undefined
  return {
    replay: {
      ...(called ? { caller: Body.asJson(caller) } : undefined),
      ...(typeof toolset === "string" ? { toolset_name: toolset } : undefined)
    }
  }
}

const partOf = (block: Body.JsonObject): Part => {
  const cacheControl = cacheControlOf(block.cache_control)
  const cached = cacheControl === undefined ? undefined : { cacheControl }
  switch (block.type) {
    case "text":
      return textOf(block)
    case "image": {
      const source = mediaOf(block.source)
      return source === undefined ? opaque(block) : { type: "image", source, ...cached }
    }
    case "document": {
      const source = mediaOf(block.source)
      if (source === undefined) return opaque(block)
      const citations = Body.object(block.citations).enabled
      return {
        type: "file",
        source,
        ...(typeof block.title === "string" ? { filename: block.title } : undefined),
        ...(typeof citations === "boolean" ? { citations } : undefined),
        ...cached
      }
    }
    case "thinking":
      return {
        type: "reasoning",
        text: Body.string(block.thinking),
        ...(typeof block.signature === "string" ? { signature: block.signature } : undefined),
        origin
      }
    case "redacted_thinking":
      return { type: "reasoning", text: "", encrypted: Body.string(block.data), origin }
    case "tool_use":
      return {
        type: "tool-call",
        id: Body.string(block.id) || "unknown",
        name: Body.string(block.name) || "unnamed_tool",
        arguments: (block.input ?? {}) as Json,
        ...replayOf(block),
        origin,
        ...cached
      }
    case "tool_result":
      return resultOf(block)
    default:
      return opaque(block)
  }
}

const blocksOf = (content: unknown): ReadonlyArray<Body.JsonObject> =>
  typeof content === "string" ? [{ type: "text", text: content }] : Body.array(content).map(Body.object)

const addMessage = (transcript: Transcript, message: Body.JsonObject, at: number): void => {
  const blocks = blocksOf(message.content)
  switch (message.role) {
    case "assistant":
      return transcript.add("assistant", blocks.filter((block) => block.type !== "tool_result").map(partOf), at)
    case "system":
      return transcript.add("system", blocks.map(textOf), at)
    default: {
      transcript.add("tool", blocks.filter((block) => block.type === "tool_result").map(resultOf), at)
      const others = blocks.filter((block) => block.type !== "tool_result")
      // The call of a tool is the assistant's alone.
      transcript.add("user", others.map((block) => block.type === "tool_use" ? opaque(block) : partOf(block)), at)
    }
  }
}

// =============================================================================
// Options
// =============================================================================

const toolOf = (tool: Body.JsonObject): LlmTool => {
  const { description, input_schema: schema, name, strict, type } = tool
  if (typeof name !== "string" || name === "" || !Body.isObject(schema) || (type ?? "custom") !== "custom") {
    return providerTool(tool, name, tool.mcp_server_name, type)
  }
  const cacheControl = cacheControlOf(tool.cache_control)
  return functionTool({ name, description, parameters: schema }, {
    ...(typeof strict === "boolean" ? { strict } : undefined),
    ...(cacheControl === undefined ? undefined : { cacheControl })
  })
}

const choiceOf = (choice: Body.JsonObject): Pick<RequestOptions, "toolChoice" | "parallelToolCalls"> => {
  const serial = choice.disable_parallel_tool_use
  const toolChoice = choice.type === "any"
    ? "required"
    : choice.type === "none" || choice.type === "auto"
    ? choice.type
    : choice.type === "tool"
    ? { name: Body.string(choice.name) }
    : undefined
  return present({ toolChoice, parallelToolCalls: typeof serial === "boolean" ? !serial : undefined })
}

const isLevel = (word: unknown): word is "low" | "medium" | "high" | "xhigh" | "max" =>
  word !== "off" && word !== "minimal" && (thinkingLevels as ReadonlyArray<unknown>).includes(word)

/** The level of models that decide how much to think is their effort; without one they think as hard as with "high". */
const thinkingOf = (body: Body.JsonObject): Pick<RequestOptions, "thinking" | "effort"> => {
  const { budget_tokens: budget, type } = Body.object(body.thinking)
  const { effort } = Body.object(body.output_config)
  const word = isLevel(effort) ? effort : undefined
  switch (type) {
    case "disabled":
      return present({ thinking: "off" as const, effort: word })
    case "enabled":
      return present({
        thinking: typeof budget === "number" && budget >= 1 ? { budgetTokens: Math.floor(budget) } : "high" as const,
        effort: word
      })
    case "adaptive":
      return { thinking: word ?? "high" }
    default:
      return present({ effort: word })
  }
}

const formatOf = (body: Body.JsonObject): LlmRequest["responseFormat"] => {
  const format = Body.object(Body.object(body.output_config).format ?? body.output_format)
  return format.type === "json_schema" && Body.isObject(format.schema)
    ? { type: "json-schema", schema: Body.asJson(format.schema) }
    : undefined
}

/**
 * Reads a request.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const decodeRequest = ({ body: given, headers }: Incoming): Decoded | Unreadable => {
  if (!Body.isObject(given)) {
    return { refused: { status: 400, type: "invalid_request_error", message: "The request body is not valid JSON" } }
  }
  if (!Array.isArray(given.messages)) {
    return {
      refused: { status: 400, type: "invalid_request_error", message: "messages: Input should be a valid list" }
    }
  }
  const transcript = new Transcript()
  const { messages, system } = instructions(
    typeof given.system === "string"
      ? given.system === "" ? [] : [{ type: "text", text: given.system }]
      : Body.array(given.system).map(Body.object).map(textOf)
  )
  for (const message of messages) transcript.add(message.role, message.content as ReadonlyArray<Part>)
  given.messages.map(Body.object).forEach((message, at) => addMessage(transcript, message, at))
  const tools = distinct(Body.array(given.tools).map(Body.object).map(toolOf))
  const options: RequestOptions = {
    system,
    maxTokens: Body.number(given.max_tokens),
    temperature: Body.number(given.temperature),
    topP: Body.number(given.top_p),
    topK: Body.number(given.top_k),
    stop: stopsOf(given.stop_sequences),
    tools: tools.length === 0 ? undefined : tools,
    ...(tools.length === 0 ? undefined : choiceOf(Body.object(given.tool_choice))),
    ...thinkingOf(given),
    responseFormat: formatOf(given)
  }
  const from = { wire, layout, body: given, model: Body.string(given.model), stream: given.stream === true, headers }
  return decoded(from, options, transcript, placeless(given, known))
}
