/**
 * Reads a request of Cohere's Chat API v2: https://docs.cohere.com/reference/chat
 *
 * Documents of the request are files of the message that ends it, which is the one that is asked of them.
 *
 * @since 0.1.0
 */
import type { LlmRequest, RequestOptions } from "../../../LlmRequest.ts"
import type { LlmTool } from "../../../LlmTool.ts"
import type { FilePart, Part, TextPart, ToolResultPart } from "../../../Message.ts"
import type { Decoded, Incoming, Unreadable } from "../../Server.ts"
import type { Layout } from "../../server/Changes.ts"
import * as Body from "../../server/Json.ts"
import {
  argumentsOf,
  distinct,
  functionTool,
  mediaOfUrl,
  placeless,
  present,
  providerTool,
  stopsOf
} from "../../server/Reading.ts"
import { decoded, Transcript } from "../../server/Transcript.ts"
import { wire } from "../Messages.ts"
import { toolPlan } from "../Messages.ts"

const origin = { wire }

const layout: Layout = { messages: "messages", model: "model", systemListed: true }

const known: ReadonlySet<string> = new Set([
  "model",
  "messages",
  "stream",
  "documents",
  "tools",
  "strict_tools",
  "tool_choice",
  "max_tokens",
  "temperature",
  "p",
  "k",
  "frequency_penalty",
  "presence_penalty",
  "seed",
  "stop_sequences",
  "logprobs",
  "response_format",
  "thinking"
])

// =============================================================================
// Messages
// =============================================================================

const opaque = (block: Body.JsonObject): Part => ({
  type: "server-tool",
  name: Body.string(block.type) || "block",
  kind: "block",
  data: Body.asJson(block),
  origin
})

const base64 = (text: string): string => {
  let binary = ""
  for (const byte of new TextEncoder().encode(text)) binary += String.fromCharCode(byte)
  return btoa(binary)
}

/** Text stands in `text`; any other document is its JSON. */
const documentOf = (given: unknown): FilePart => {
  const document = Body.object(given)
  const data = Body.object(document.data)
  const text = typeof document.data === "string"
    ? document.data
    : typeof data.text === "string"
    ? data.text
    : JSON.stringify(document.data ?? given)
  const name = data.title ?? document.id
  return {
    type: "file",
    source: { type: "base64", mediaType: "text/plain", data: base64(text) },
    ...(typeof name === "string" ? { filename: name } : undefined)
  }
}

const details: ReadonlySet<unknown> = new Set(["auto", "low", "high"])

const partOf = (block: Body.JsonObject): Part => {
  switch (block.type) {
    case "text":
      return { type: "text", text: Body.string(block.text) }
    case "thinking":
      return { type: "reasoning", text: Body.string(block.thinking), origin }
    case "image_url": {
      const { detail, url } = Body.object(block.image_url)
      return typeof url !== "string" ? opaque(block) : {
        type: "image",
        source: mediaOfUrl(url),
        ...(details.has(detail) ? { detail: detail as "auto" | "low" | "high" } : undefined)
      }
    }
    case "document":
      return documentOf(block.document)
    default:
      return opaque(block)
  }
}

const partsOf = (content: unknown): ReadonlyArray<Part> =>
  typeof content === "string"
    ? content === "" ? [] : [{ type: "text", text: content }]
    : Body.array(content).map(Body.object).map(partOf)

const resultOf = (message: Body.JsonObject): ToolResultPart => {
  const { content } = message
  const parts = partsOf(content).filter((part) => part.type === "text" || part.type === "file")
  const only = parts[0]
  return {
    type: "tool-result",
    toolCallId: Body.string(message.tool_call_id) || "unknown",
    content: typeof content === "string" ? content : parts.length === 1 && only?.type === "text" ? only.text : parts
  }
}

const callOf = (call: Body.JsonObject): Part => {
  const { arguments: args, name } = Body.object(call.function)
  const called = Body.string(name) || "unnamed_tool"
  return { type: "tool-call", id: Body.string(call.id) || called, name: called, ...argumentsOf(args), origin }
}

const planOf = (plan: unknown): ReadonlyArray<Part> =>
  typeof plan !== "string" || plan === ""
    ? []
    : [{ type: "server-tool", name: toolPlan, kind: "block", data: { [toolPlan]: plan }, origin }]

const addMessage = (transcript: Transcript, message: Body.JsonObject, at: number): void => {
  switch (message.role) {
    case "system":
    case "developer":
      return transcript.add(
        "system",
        partsOf(message.content).filter((part): part is TextPart => part.type === "text"),
        at
      )
    case "tool":
      return transcript.add("tool", [resultOf(message)], at)
    case "assistant":
      return transcript.add("assistant", [
        ...planOf(message.tool_plan),
        ...partsOf(message.content),
        ...Body.array(message.tool_calls).map(Body.object).map(callOf)
      ], at)
    default:
      return transcript.add("user", partsOf(message.content), at)
  }
}

/** Puts documents into the last message of the user's. */
const withDocuments = (transcript: Transcript, documents: ReadonlyArray<FilePart>): void => {
  if (documents.length === 0) return
  const at = transcript.messages.findLastIndex((message) => message.role === "user")
  const last = transcript.messages[at]
  if (last === undefined) return transcript.add("user", documents)
  const parts: ReadonlyArray<Part> = typeof last.content === "string"
    ? [{ type: "text", text: last.content }]
    : last.content
  transcript.messages[at] = { role: "user", content: [...parts, ...documents] }
}

// =============================================================================
// Options
// =============================================================================

const toolOf = (strict: boolean) => (tool: Body.JsonObject): LlmTool => {
  const { description, name, parameters } = Body.object(tool.function)
  return typeof name !== "string" || name === ""
    ? providerTool(tool, tool.name, tool.type)
    : functionTool({ name, description, parameters }, strict ? { strict } : undefined)
}

const choices: { readonly [word: string]: "required" | "none" } = { REQUIRED: "required", NONE: "none" }

const choiceOf = (choice: unknown): RequestOptions["toolChoice"] =>
  typeof choice === "string" && Object.hasOwn(choices, choice) ? choices[choice] : undefined

const formatOf = (format: Body.JsonObject): LlmRequest["responseFormat"] => {
  if (format.type !== "json_object") return undefined
  const schema = format.json_schema ?? format.schema
  return Body.isObject(schema) ? { type: "json-schema", schema: Body.asJson(schema) } : { type: "json" }
}

const thinkingOf = (thinking: Body.JsonObject): RequestOptions["thinking"] => {
  const { token_budget: budget, type } = thinking
  if (type === "disabled") return "off"
  if (type !== "enabled") return undefined
  // Without a budget the model thinks as long as it wants.
  return typeof budget === "number" && budget >= 1 ? { budgetTokens: Math.floor(budget) } : "high"
}

/**
 * Reads a request.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const decodeRequest = ({ body }: Incoming): Decoded | Unreadable => {
  if (!Body.isObject(body)) {
    return { refused: { status: 400, message: "invalid request: the body is not valid JSON" } }
  }
  const transcript = new Transcript()
  Body.array(body.messages).map(Body.object).forEach((message, at) => addMessage(transcript, message, at))
  withDocuments(transcript, Body.array(body.documents).map(documentOf))
  const tools = distinct(Body.array(body.tools).map(Body.object).map(toolOf(body.strict_tools === true)))
  const options: RequestOptions = {
    maxTokens: Body.number(body.max_tokens),
    temperature: Body.number(body.temperature),
    topP: Body.number(body.p),
    topK: Body.number(body.k),
    frequencyPenalty: Body.number(body.frequency_penalty),
    presencePenalty: Body.number(body.presence_penalty),
    seed: Body.number(body.seed),
    stop: stopsOf(body.stop_sequences),
    tools: tools.length === 0 ? undefined : tools,
    toolChoice: tools.length === 0 ? undefined : choiceOf(body.tool_choice),
    responseFormat: formatOf(Body.object(body.response_format)),
    thinking: thinkingOf(Body.object(body.thinking)),
    logprobs: body.logprobs === true ? true : undefined
  }
  const from = { wire, layout, body, model: Body.string(body.model), stream: body.stream === true }
  return decoded(from, present(options), transcript, placeless(body, known))
}
