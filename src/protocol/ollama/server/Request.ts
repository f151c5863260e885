/**
 * Reads a request of Ollama's native chat API: https://docs.ollama.com/api/chat
 *
 * Content is one string, images are base64 beside it. Calls without an id are given one by their place, and a result without one
 * answers the first open call of its tool.
 *
 * @since 0.1.0
 */
import type { LlmRequest, RequestOptions } from "../../../LlmRequest.ts"
import type { LlmTool } from "../../../LlmTool.ts"
import type { Part } from "../../../Message.ts"
import { levelOf } from "../../chat/server/Request.ts"
import type { Decoded, Incoming, Unreadable } from "../../Server.ts"
import type { Layout } from "../../server/Changes.ts"
import * as Body from "../../server/Json.ts"
import { argumentsOf, distinct, functionTool, placeless, present, providerTool, stopsOf } from "../../server/Reading.ts"
import { decoded, Transcript } from "../../server/Transcript.ts"
import { wire } from "../Messages.ts"

const origin = { wire }

const layout: Layout = { messages: "messages", model: "model", systemListed: true }

const known: ReadonlySet<string> = new Set([
  "model",
  "messages",
  "stream",
  "tools",
  "format",
  "think",
  "logprobs",
  "top_logprobs",
  "options"
])

const knownOptions: ReadonlySet<string> = new Set([
  "num_predict",
  "temperature",
  "top_p",
  "top_k",
  "seed",
  "stop",
  "frequency_penalty",
  "presence_penalty"
])

/** What the first bytes say, in base64: the API does not name the type. */
const imageType = (data: string): string =>
  data.startsWith("/9j/")
    ? "image/jpeg"
    : data.startsWith("R0lGOD")
    ? "image/gif"
    : data.startsWith("UklGR")
    ? "image/webp"
    : "image/png"

const imagesOf = (images: unknown): ReadonlyArray<Part> =>
  Body.array(images).filter((data) => typeof data === "string" && data !== "").map((data): Part => ({
    type: "image",
    source: { type: "base64", mediaType: imageType(data as string), data: data as string }
  }))

const textOf = (text: unknown): ReadonlyArray<Part> =>
  typeof text === "string" && text !== "" ? [{ type: "text", text }] : []

interface Waiting {
  readonly calls: Array<{ readonly id: string; readonly name: string }>
  count: number
}

const callOf = (call: Body.JsonObject, waiting: Waiting): Part => {
  const { arguments: args, name } = Body.object(call.function)
  const called = Body.string(name) || "unnamed_tool"
  const id = Body.string(call.id) || `${called}_${++waiting.count}`
  waiting.calls.push({ id, name: called })
  return { type: "tool-call", id, name: called, ...argumentsOf(args), origin }
}

const resultOf = (message: Body.JsonObject, waiting: Waiting): Part => {
  const name = Body.string(message.tool_name)
  const given = Body.string(message.tool_call_id)
  const at = given === ""
    ? Math.max(0, waiting.calls.findIndex((call) => name === "" || call.name === name))
    : waiting.calls.findIndex((call) => call.id === given)
  const call = at === -1 ? undefined : waiting.calls.splice(at, 1)[0]
  return {
    type: "tool-result",
    toolCallId: given || call?.id || name || "unknown",
    ...(name === "" ? undefined : { name }),
    content: Body.string(message.content)
  }
}

const addMessage = (transcript: Transcript, message: Body.JsonObject, at: number, waiting: Waiting): void => {
  switch (message.role) {
    case "system":
      return transcript.add("system", textOf(message.content), at)
    case "tool":
      return transcript.add("tool", [resultOf(message, waiting)], at)
    case "assistant":
      return transcript.add("assistant", [
        ...(typeof message.thinking === "string" && message.thinking !== ""
          ? [{ type: "reasoning" as const, text: message.thinking, origin }]
          : []),
        ...textOf(message.content),
        ...Body.array(message.tool_calls).map(Body.object).map((call) => callOf(call, waiting))
      ], at)
    default:
      return transcript.add("user", [...textOf(message.content), ...imagesOf(message.images)], at)
  }
}

const toolOf = (tool: Body.JsonObject): LlmTool => {
  const { description, name, parameters } = Body.object(tool.function)
  return typeof name !== "string" || name === ""
    ? providerTool(tool, tool.name, tool.type)
    : functionTool({ name, description, parameters })
}

const formatOf = (format: unknown): LlmRequest["responseFormat"] =>
  Body.isObject(format)
    ? { type: "json-schema", schema: Body.asJson(format) }
    : format === "json"
    ? { type: "json" }
    : undefined

const thinkingOf = (think: unknown): RequestOptions["thinking"] =>
  think === true ? "medium" : think === false ? "off" : levelOf(think)

/**
 * Reads a request.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const decodeRequest = ({ body }: Incoming): Decoded | Unreadable => {
  if (!Body.isObject(body)) {
    return { refused: { status: 400, message: "invalid character in request body: not a JSON object" } }
  }
  const transcript = new Transcript()
  const waiting: Waiting = { calls: [], count: 0 }
  Body.array(body.messages).map(Body.object).forEach((message, at) => addMessage(transcript, message, at, waiting))
  const tools = distinct(Body.array(body.tools).map(Body.object).map(toolOf))
  const given = Body.object(body.options)
  const most = Body.number(given.num_predict)
  const { top_logprobs: alternatives } = body
  const options: RequestOptions = {
    // -1 is no limit.
    maxTokens: most !== undefined && most >= 1 ? most : undefined,
    temperature: Body.number(given.temperature),
    topP: Body.number(given.top_p),
    topK: Body.number(given.top_k),
    frequencyPenalty: Body.number(given.frequency_penalty),
    presencePenalty: Body.number(given.presence_penalty),
    seed: Body.number(given.seed),
    stop: stopsOf(given.stop),
    tools: tools.length === 0 ? undefined : tools,
    responseFormat: formatOf(body.format),
    thinking: thinkingOf(body.think),
    logprobs: body.logprobs !== true
      ? undefined
      : typeof alternatives === "number" && Number.isInteger(alternatives) && alternatives >= 0
      ? alternatives
      : true
  }
  const warnings = [...placeless(body, known), ...placeless(given, knownOptions, "options.")]
  const from = { wire, layout, body, model: Body.string(body.model), stream: body.stream !== false }
  return decoded(from, present(options), transcript, warnings)
}
