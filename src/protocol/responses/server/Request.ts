/**
 * Reads a request of the Responses API: https://platform.openai.com/docs/api-reference/responses/create
 *
 * Items of one turn of the assistant become one message. Takes what Codex sends: reasoning with `content: null`, tools of type
 * `namespace`, which are the vendor's own. Items that have no equal are opaque parts.
 *
 * @since 0.1.0
 */
import type { LlmRequest, RequestOptions } from "../../../LlmRequest.ts"
import type { LlmTool } from "../../../LlmTool.ts"
import type { JsonObject, Media, Part, TextPart, ToolResultPart } from "../../../Message.ts"
import { levelOf, logprobsOf } from "../../chat/server/Request.ts"
import { unparsable, wrongType } from "../../chat/server/Validation.ts"
import type { Decoded, Incoming, Unreadable } from "../../Server.ts"
import type { Layout } from "../../server/Changes.ts"
import * as Body from "../../server/Json.ts"
import {
  argumentsOf,
  distinct,
  functionTool,
  instructions,
  mediaOfUrl,
  onlyHere,
  placeless,
  present,
  providerTool
} from "../../server/Reading.ts"
import { decoded, Transcript } from "../../server/Transcript.ts"
import { wire } from "../Input.ts"

const origin = { wire }

const layout: Layout = { messages: "input", model: "model" }

/** Members that the view has, or that say nothing to others. */
const known: ReadonlySet<string> = new Set([
  "model",
  "input",
  "instructions",
  "stream",
  "stream_options",
  "include",
  "store",
  "max_output_tokens",
  "temperature",
  "top_p",
  "top_logprobs",
  "tools",
  "tool_choice",
  "parallel_tool_calls",
  "text",
  "reasoning",
  "prompt_cache_key",
  "prompt_cache_retention"
])

// =============================================================================
// Items
// =============================================================================

const opaque = (item: Body.JsonObject): Part => {
  const type = Body.string(item.type) || "item"
  return {
    type: "server-tool",
    name: type,
    kind: type.endsWith("_output") ? "result" : type.endsWith("_call") ? "call" : "block",
    ...(typeof item.id === "string" ? { id: item.id } : undefined),
    data: Body.asJson(item),
    origin
  }
}

const details: ReadonlySet<unknown> = new Set(["auto", "low", "high"])

const marked = (block: Body.JsonObject) => {
  const mark = block.prompt_cache_breakpoint
  return Body.isObject(mark)
    ? { cacheControl: mark.ttl === undefined ? "ephemeral" as const : "extended" as const }
    : undefined
}

const fileSource = (block: Body.JsonObject): Media | undefined => {
  const { file_data: data, file_id: fileId, file_url: url } = block
  if (typeof data === "string") return mediaOfUrl(data)
  if (typeof fileId === "string") return { type: "file", fileId }
  return typeof url === "string" ? { type: "url", url } : undefined
}

const partOf = (block: Body.JsonObject): Part => {
  const mark = marked(block)
  switch (block.type) {
    case undefined:
    case "input_text":
    case "output_text":
    case "text":
      return { type: "text", text: Body.string(block.text), ...mark }
    case "refusal":
      return { type: "text", text: Body.string(block.refusal), replay: { refusal: true }, origin }
    case "input_image": {
      const { detail, file_id: fileId, image_url: url } = block
      const source = typeof url === "string"
        ? mediaOfUrl(url)
        : typeof fileId === "string"
        ? { type: "file" as const, fileId }
        : undefined
      return source === undefined ? opaque(block) : {
        type: "image",
        source,
        // This API wants one on every image: its default says nothing.
        ...(details.has(detail) && detail !== "auto" ? { detail: detail as "low" | "high" } : undefined),
        ...mark
      }
    }
    case "input_file": {
      const source = fileSource(block)
      const name = typeof block.filename === "string" ? { filename: block.filename } : undefined
      return source === undefined ? opaque(block) : { type: "file", source, ...name, ...mark }
    }
    default:
      return opaque(block)
  }
}

const partsOf = (content: unknown): ReadonlyArray<Part> =>
  typeof content === "string"
    ? content === "" ? [] : [{ type: "text", text: content }]
    : Body.array(content).map(Body.object).map(partOf)

const assistantParts = (item: Body.JsonObject): ReadonlyArray<Part> => {
  const { id, phase } = item
  const replay: JsonObject = {
    ...(typeof id === "string" ? { id } : undefined),
    ...(typeof phase === "string" ? { phase } : undefined)
  }
  return partsOf(item.content).map((part) =>
    part.type === "text" && Object.keys(replay).length > 0
      ? { ...part, replay: { ...part.replay, ...replay }, origin }
      : part
  )
}

const textsIn = (value: unknown): ReadonlyArray<string> =>
  Body.array(value).map((one) => Body.string(Body.object(one).text)).filter((text) => text !== "")

const reasoningOf = (item: Body.JsonObject): Part => {
  const { encrypted_content: encrypted, format, id, signature } = item
  const summary = textsIn(item.summary)
  const content = textsIn(item.content)
  const replay: JsonObject = {
    ...(typeof id === "string" ? { id } : undefined),
    ...(summary.length > 1 ? { summary } : undefined),
    ...(content.length > 0 ? { content } : undefined),
    ...(typeof format === "string" ? { format } : undefined)
  }
  return {
    type: "reasoning",
    text: (summary.length > 0 ? summary : content).join(""),
    ...(typeof signature === "string" ? { signature } : undefined),
    ...(typeof encrypted === "string" && encrypted !== "" ? { encrypted } : undefined),
    ...(Object.keys(replay).length > 0 ? { replay } : undefined),
    origin
  }
}

const callOf = (item: Body.JsonObject): Part => {
  const custom = item.type === "custom_tool_call"
  const { call_id: callId, caller, id, name, namespace } = item
  const replay: JsonObject = {
    ...(typeof id === "string" ? { id } : undefined),
    ...(typeof namespace === "string" ? { namespace } : undefined),
    ...(Body.isObject(caller) ? { caller: Body.asJson(caller) } : undefined)
  }
  const called = Body.string(name) || "unnamed_tool"
  return {
    type: "tool-call",
    id: Body.string(callId) || Body.string(id) || called,
    name: called,
    ...(custom ? { arguments: Body.string(item.input), custom: true as const } : argumentsOf(item.arguments)),
    ...(Object.keys(replay).length > 0 ? { replay } : undefined),
    origin
  }
}

const resultOf = (item: Body.JsonObject): ToolResultPart => {
  const { output } = item
  const parts = Array.isArray(output)
    ? partsOf(output).map((part) =>
      part.type === "text" || part.type === "image" || part.type === "file"
        ? part
        : { type: "text" as const, text: JSON.stringify(part.type === "server-tool" ? part.data : part) }
    )
    : undefined
  const only = parts?.[0]
  return {
    type: "tool-result",
    toolCallId: Body.string(item.call_id) || "unknown",
    content: parts === undefined
      ? typeof output === "string" ? output : JSON.stringify(output ?? "")
      : parts.length === 1 && only?.type === "text" && only.cacheControl === undefined
      ? only.text
      : parts
  }
}

const addItem = (transcript: Transcript, item: Body.JsonObject, at: number): void => {
  switch (item.type ?? "message") {
    case "message":
      if (item.role === "assistant") return transcript.extend(assistantParts(item), at)
      return transcript.add(
        item.role === "system" || item.role === "developer" ? "system" : "user",
        item.role === "system" || item.role === "developer"
          ? partsOf(item.content).filter((part): part is TextPart => part.type === "text")
          : partsOf(item.content),
        at
      )
    case "reasoning":
      return transcript.extend([reasoningOf(item)], at)
    case "function_call":
    case "custom_tool_call":
      return transcript.extend([callOf(item)], at)
    case "function_call_output":
    case "custom_tool_call_output":
      return transcript.add("tool", [resultOf(item)], at)
    default:
      return transcript.extend([opaque(item)], at)
  }
}

// =============================================================================
// Options
// =============================================================================

const toolOf = (tool: Body.JsonObject): LlmTool => {
  const { description, format, name, parameters, server_label: label, strict, type } = tool
  if (typeof name === "string" && name !== "" && type === "function") {
    return functionTool({ name, description, parameters }, typeof strict === "boolean" ? { strict } : undefined)
  }
  if (typeof name !== "string" || name === "" || type !== "custom") return providerTool(tool, name, label, type)
  return {
    type,
    name,
    ...(typeof description === "string" ? { description } : undefined),
    ...(Body.isObject(format) ? { format: Body.asJson(format) } : undefined)
  }
}

/** A tool of the vendor's is chosen by its type or label. */
const choiceOf = (choice: unknown, tools: ReadonlyArray<LlmTool>): RequestOptions["toolChoice"] => {
  if (choice === "auto" || choice === "none" || choice === "required") return choice
  const { name, server_label: label, type } = Body.object(choice)
  const chosen = tools.find((tool) =>
    typeof name === "string"
      ? tool.name === name
      : tool.type === "provider" && tool.definition["type"] === type &&
        (label === undefined || tool.definition["server_label"] === label)
  )
  return chosen === undefined ? undefined : { name: chosen.name }
}

const formatOf = (format: Body.JsonObject): LlmRequest["responseFormat"] => {
  const { description, name, schema, strict, type } = format
  if (type === "json_object") return { type: "json" }
  return type !== "json_schema" || !Body.isObject(schema) ? undefined : {
    type: "json-schema",
    schema: Body.asJson(schema),
    ...present({
      name: typeof name === "string" && name !== "" ? name : undefined,
      description: typeof description === "string" ? description : undefined,
      strict: typeof strict === "boolean" ? strict : undefined
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
export const decodeRequest = ({ body }: Incoming): Decoded | Unreadable => {
  if (!Body.isObject(body)) return { refused: unparsable }
  const { input } = body
  if (input !== undefined && input !== null && typeof input !== "string" && !Array.isArray(input)) {
    return { refused: wrongType("input", "one of a string or array of input items", input) }
  }
  const transcript = new Transcript()
  const { messages, system } = instructions(partsOf(body.instructions) as ReadonlyArray<TextPart>)
  for (const message of messages) transcript.add(message.role, message.content as ReadonlyArray<Part>)
  if (typeof input === "string") transcript.add("user", partsOf(input))
  else Body.array(input).map(Body.object).forEach((item, at) => addItem(transcript, item, at))
  const tools = distinct(Body.array(body.tools).map(Body.object).map(toolOf))
  const toolChoice = choiceOf(body.tool_choice, tools)
  const text = Body.object(body.text)
  const reasoning = Body.object(body.reasoning)
  const key = body.prompt_cache_key
  const extended = body.prompt_cache_retention === "24h"
  const options: RequestOptions = {
    system,
    maxTokens: Body.number(body.max_output_tokens),
    temperature: Body.number(body.temperature),
    topP: Body.number(body.top_p),
    tools: tools.length === 0 ? undefined : tools,
    toolChoice: tools.length === 0 ? undefined : toolChoice,
    parallelToolCalls: typeof body.parallel_tool_calls === "boolean" ? body.parallel_tool_calls : undefined,
    responseFormat: formatOf(Body.object(text.format)),
    thinking: levelOf(reasoning.effort),
    logprobs: logprobsOf(Body.array(body.include).includes("message.output_text.logprobs"), body.top_logprobs),
    cache: typeof key === "string" || extended
      ? { ...(typeof key === "string" ? { key } : undefined), ...(extended ? { extendedTtl: true } : undefined) }
      : undefined
  }
  const warnings = [
    ...placeless(body, known),
    ...placeless(text, new Set(["format"]), "text."),
    ...placeless(reasoning, new Set(["effort", "summary"]), "reasoning.")
  ]
  if (Body.isObject(body.tool_choice) && toolChoice === undefined) {
    warnings.push({ field: "tool_choice", message: onlyHere })
  }
  const from = { wire, layout, body, model: Body.string(body.model), stream: body.stream === true }
  return decoded(from, options, transcript, warnings)
}
