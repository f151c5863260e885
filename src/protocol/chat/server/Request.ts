/**
 * Reads a request of the Chat Completions API: https://platform.openai.com/docs/api-reference/chat/create
 *
 * Also as compatible clients write it: legacy functions, `max_tokens`, reasoning in the words of OpenRouter, DeepSeek and Qwen.
 *
 * @since 0.1.0
 */
import type { LlmRequest, RequestOptions } from "../../../LlmRequest.ts"
import type { LlmTool } from "../../../LlmTool.ts"
import type { Part, TextPart, ToolCallPart, ToolResultPart } from "../../../Message.ts"
import type { ThinkingLevel } from "../../../Model.ts"
import type { Decoded, Incoming, Unreadable } from "../../Server.ts"
import type { Layout } from "../../server/Changes.ts"
import * as Body from "../../server/Json.ts"
import {
  argumentsOf,
  cacheControlOf,
  distinct,
  functionTool,
  mediaOfUrl,
  oneAnswer,
  onlyHere,
  placeless,
  present,
  providerTool,
  stopsOf
} from "../../server/Reading.ts"
import { decoded, Transcript } from "../../server/Transcript.ts"
import { wire } from "../Messages.ts"
import { unparsable, wrongType } from "./Validation.ts"

const origin = { wire }

const layout: Layout = { messages: "messages", model: "model", systemListed: true, usage: "stream_options" }

/** Members that the view has, or that say nothing to others. */
const known: ReadonlySet<string> = new Set([
  "model",
  "messages",
  "stream",
  "stream_options",
  "max_completion_tokens",
  "max_tokens",
  "temperature",
  "top_p",
  "top_k",
  "frequency_penalty",
  "presence_penalty",
  "stop",
  "seed",
  "random_seed",
  "logprobs",
  "top_logprobs",
  "tools",
  "tool_choice",
  "functions",
  "function_call",
  "parallel_tool_calls",
  "response_format",
  "reasoning_effort",
  "reasoning",
  "thinking",
  "enable_thinking",
  "thinking_budget",
  "prompt_cache_key",
  "prompt_cache_retention"
])

// =============================================================================
// Messages
// =============================================================================

const cached = (mark: unknown) => {
  const cacheControl = cacheControlOf(mark)
  return cacheControl === undefined ? undefined : { cacheControl }
}

const opaque = (block: Body.JsonObject): Part => ({
  type: "server-tool",
  name: Body.string(block.type) || "block",
  kind: "block",
  data: Body.asJson(block),
  origin
})

const details: ReadonlySet<unknown> = new Set(["auto", "low", "high"])

const partOf = (block: Body.JsonObject): Part => {
  const mark = cached(block.cache_control)
  switch (block.type) {
    case undefined:
    case "text":
    case "input_text":
    case "output_text":
      return { type: "text", text: Body.string(block.text), ...mark }
    case "refusal":
      return { type: "text", text: Body.string(block.refusal), ...mark }
    case "image_url": {
      const image = Body.object(block.image_url)
      const url = Body.string(image.url) || Body.string(block.image_url)
      if (url === "") return opaque(block)
      const detail = details.has(image.detail) ? { detail: image.detail as "auto" | "low" | "high" } : undefined
      return { type: "image", source: mediaOfUrl(url), ...detail, ...mark }
    }
    case "input_audio": {
      const { data, format } = Body.object(block.input_audio)
      if (typeof data !== "string") return opaque(block)
      const type = format === "mp3" ? "mpeg" : Body.string(format) || "wav"
      return { type: "audio", source: { type: "base64", mediaType: `audio/${type}`, data } }
    }
    case "file": {
      const { file_data: data, file_id: fileId, filename } = Body.object(block.file)
      const source = typeof data === "string"
        ? mediaOfUrl(data)
        : typeof fileId === "string"
        ? { type: "file" as const, fileId }
        : undefined
      return source === undefined
        ? opaque(block)
        : { type: "file", source, ...(typeof filename === "string" ? { filename } : undefined), ...mark }
    }
    default:
      return opaque(block)
  }
}

const partsOf = (content: unknown): ReadonlyArray<Part> =>
  typeof content === "string"
    ? content === "" ? [] : [{ type: "text", text: content }]
    : Body.array(content).map((block) =>
      typeof block === "string" ? { type: "text", text: block } : partOf(Body.object(block))
    )

const textsOf = (content: unknown): ReadonlyArray<TextPart> => partsOf(content).filter((part) => part.type === "text")

/** Reasoning as compatible hosts send it back: its text under one of three names, details with what must not change. */
const reasoningOf = (message: Body.JsonObject): ReadonlyArray<Part> => {
  const entries = Body.array(message.reasoning_details).map(Body.object)
  if (entries.length > 0) {
    return entries.map((entry): Part => ({
      type: "reasoning",
      text: Body.string(entry.text) || Body.string(entry.summary),
      ...(typeof entry.signature === "string" ? { signature: entry.signature } : undefined),
      ...(typeof entry.data === "string" ? { encrypted: entry.data } : undefined),
      replay: { reasoning_details: [Body.asJson(entry)] },
      origin
    }))
  }
  const text = [message.reasoning_content, message.reasoning, message.reasoning_text]
    .map(Body.string).find((one) => one !== "")
  return text === undefined ? [] : [{ type: "reasoning", text, origin }]
}

const thinkingBlock = (block: Body.JsonObject): Part => ({
  type: "reasoning",
  text: Body.contentText(block.thinking),
  ...(typeof block.signature === "string" ? { signature: block.signature } : undefined),
  origin
})

const callOf = (call: Body.JsonObject): ToolCallPart => {
  const custom = call.type === "custom"
  const inner = Body.object(custom ? call.custom : call.function)
  const name = Body.string(inner.name) || "unnamed_tool"
  const extra = Body.isObject(call.extra_content)
    ? { replay: { extra_content: Body.asJson(call.extra_content) } }
    : undefined
  return {
    type: "tool-call",
    id: Body.string(call.id) || name,
    name,
    ...(custom
      ? { arguments: Body.string(inner.input), custom: true as const }
      : argumentsOf(inner.arguments)),
    ...extra,
    origin
  }
}

const contentOf = (content: unknown): ToolResultPart["content"] => {
  if (typeof content === "string") return content
  const parts = partsOf(content).filter((part) => part.type === "text" || part.type === "image" || part.type === "file")
  const only = parts[0]
  return parts.length === 1 && only?.type === "text" && only.cacheControl === undefined ? only.text : parts
}

const resultOf = (message: Body.JsonObject): ToolResultPart => {
  const content = contentOf(message.content)
  const mark = typeof content === "string" || content.length !== 1 ? undefined : content[0]!.cacheControl
  const only = mark === undefined || typeof content === "string" ? undefined : content[0] as TextPart
  return {
    type: "tool-result",
    toolCallId: Body.string(message.tool_call_id) || Body.string(message.name) || "unknown",
    ...(typeof message.name === "string" ? { name: message.name } : undefined),
    content: only?.type === "text" ? only.text : content,
    ...(only === undefined ? undefined : { cacheControl: mark })
  }
}

const addMessage = (transcript: Transcript, message: Body.JsonObject, at: number): void => {
  switch (message.role) {
    case "system":
    case "developer":
      return transcript.add("system", textsOf(message.content), at)
    case "tool":
    case "function":
      return transcript.add("tool", [resultOf(message)], at)
    case "assistant": {
      const blocks = Body.array(message.content).map(Body.object)
      const thinking = blocks.filter((block) => block.type === "thinking").map(thinkingBlock)
      const content = Array.isArray(message.content)
        ? message.content.filter((block) => Body.object(block).type !== "thinking")
        : message.content
      const legacy = Body.isObject(message.function_call) ? [{ function: message.function_call }] : []
      const extra = Body.isObject(message.extra_content) ? Body.asJson(message.extra_content) : undefined
      const texts = [...partsOf(content), ...partsOf(message.refusal)]
      return transcript.add("assistant", [
        ...reasoningOf(message),
        ...thinking,
        ...texts.map((part, index) =>
          extra !== undefined && part.type === "text" && index === texts.length - 1
            ? { ...part, replay: { extra_content: extra }, origin }
            : part
        ),
        ...[...Body.array(message.tool_calls), ...legacy].map(Body.object).map(callOf)
      ], at)
    }
    default:
      return transcript.add("user", partsOf(message.content), at)
  }
}

// =============================================================================
// Options
// =============================================================================

const toolOf = (tool: Body.JsonObject): LlmTool => {
  const fields = Body.object(tool.function)
  const custom = Body.object(tool.custom)
  const { description, name, parameters, strict } = fields
  if ((tool.type ?? "function") === "function" && typeof name === "string" && name !== "") {
    return functionTool({ name, description, parameters }, {
      ...(typeof strict === "boolean" ? { strict } : undefined),
      ...cached(tool.cache_control)
    })
  }
  if (tool.type !== "custom" || typeof custom.name !== "string" || custom.name === "") {
    return providerTool(tool, name, tool.name, tool.type)
  }
  return {
    type: "custom",
    name: custom.name,
    ...(typeof custom.description === "string" ? { description: custom.description } : undefined),
    ...(Body.isObject(custom.format) ? { format: Body.asJson(custom.format) } : undefined)
  }
}

const choiceOf = (choice: unknown): RequestOptions["toolChoice"] => {
  if (choice === "auto" || choice === "none" || choice === "required") return choice
  if (choice === "any") return "required"
  const { custom, function: named, name } = Body.object(choice)
  const chosen = Body.object(named).name ?? Body.object(custom).name ?? name
  return typeof chosen === "string" && chosen !== "" ? { name: chosen } : undefined
}

const formatOf = (format: Body.JsonObject): LlmRequest["responseFormat"] => {
  if (format.type === "json_object") return { type: "json" }
  const { description, name, schema, strict } = Body.object(format.json_schema)
  return format.type !== "json_schema" || !Body.isObject(schema) ? undefined : {
    type: "json-schema",
    schema: Body.asJson(schema),
    ...present({
      name: typeof name === "string" && name !== "" ? name : undefined,
      description: typeof description === "string" ? description : undefined,
      strict: typeof strict === "boolean" ? strict : undefined
    })
  }
}

const levels: { readonly [word: string]: ThinkingLevel } = {
  none: "off",
  minimal: "minimal",
  low: "low",
  medium: "medium",
  high: "high",
  xhigh: "xhigh",
  max: "max"
}

/**
 * The level that a word for effort asks for.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const levelOf = (word: unknown): ThinkingLevel | undefined =>
  typeof word === "string" && Object.hasOwn(levels, word) ? levels[word] : undefined

const budgetOf = (tokens: unknown) =>
  typeof tokens === "number" && tokens >= 1 ? { budgetTokens: Math.floor(tokens) } : undefined

const thinkingOf = (body: Body.JsonObject): RequestOptions["thinking"] => {
  const { effort, enabled, max_tokens: most } = Body.object(body.reasoning)
  const { budget_tokens: budget, type } = Body.object(body.thinking)
  const on = body.enable_thinking ?? enabled ?? (type === "enabled" ? true : type === "disabled" ? false : undefined)
  return levelOf(body.reasoning_effort) ?? levelOf(effort) ?? budgetOf(most) ?? budgetOf(budget) ??
    (on === false ? "off" : budgetOf(body.thinking_budget) ?? (on === true ? "medium" : undefined))
}

const legacyTools = (body: Body.JsonObject): ReadonlyArray<Body.JsonObject> =>
  Body.array(body.functions).map((declared) => ({ type: "function", function: declared }))

const legacyChoice = (choice: unknown): unknown => Body.isObject(choice) ? { function: choice } : choice

/**
 * Log probabilities as they are asked for.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const logprobsOf = (wanted: unknown, alternatives: unknown): RequestOptions["logprobs"] =>
  wanted !== true
    ? undefined
    : typeof alternatives === "number" && Number.isInteger(alternatives) && alternatives >= 0
    ? alternatives
    : true

/**
 * Reads a request.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const decodeRequest = ({ body: given }: Incoming): Decoded | Unreadable => {
  if (!Body.isObject(given)) return { refused: unparsable }
  const { n, ...others } = given
  const several = typeof n === "number" && n > 1
  const body: Body.JsonObject = several ? others : given
  if (!Array.isArray(body.messages)) {
    return { refused: wrongType("messages", "an array of objects", body.messages ?? null) }
  }
  const transcript = new Transcript()
  body.messages.map(Body.object).forEach((message, at) => addMessage(transcript, message, at))
  const tools = distinct([...Body.array(body.tools).map(Body.object), ...legacyTools(body)].map(toolOf))
  const key = body.prompt_cache_key
  const extended = body.prompt_cache_retention === "24h"
  const options: RequestOptions = {
    maxTokens: Body.number(body.max_completion_tokens ?? body.max_tokens),
    temperature: Body.number(body.temperature),
    topP: Body.number(body.top_p),
    topK: Body.number(body.top_k),
    frequencyPenalty: Body.number(body.frequency_penalty),
    presencePenalty: Body.number(body.presence_penalty),
    stop: stopsOf(body.stop),
    seed: Body.number(body.seed ?? body.random_seed),
    tools: tools.length === 0 ? undefined : tools,
    toolChoice: tools.length === 0 ? undefined : choiceOf(body.tool_choice ?? legacyChoice(body.function_call)),
    parallelToolCalls: typeof body.parallel_tool_calls === "boolean" ? body.parallel_tool_calls : undefined,
    responseFormat: formatOf(Body.object(body.response_format)),
    thinking: thinkingOf(body),
    logprobs: logprobsOf(body.logprobs, body.top_logprobs),
    cache: typeof key === "string" || extended
      ? { ...(typeof key === "string" ? { key } : undefined), ...(extended ? { extendedTtl: true } : undefined) }
      : undefined
  }
  const warnings = placeless(body, body.n === 1 ? new Set([...known, "n"]) : known)
  if (Body.isObject(body.tool_choice) && options.toolChoice === undefined && tools.length > 0) {
    warnings.push({ field: "tool_choice", message: onlyHere })
  }
  const from = { wire, layout, body, model: Body.string(body.model), stream: body.stream === true }
  const read = decoded(from, options, transcript, warnings)
  return several ? { ...read, dropped: [oneAnswer("n")] } : read
}
