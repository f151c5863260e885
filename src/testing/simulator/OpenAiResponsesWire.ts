/**
 * The OpenAI Responses API as the simulator plays it: `…/responses` and `…/responses/input_tokens`, under any prefix.
 *
 * Errors, headers and model lists are those of `OpenAiChatWire.ts`. Answers are not kept, so `previous_response_id`
 * is accepted and adds nothing. What makes a request wrong is in `OpenAiResponsesValidation.ts`.
 *
 * Events: https://platform.openai.com/docs/api-reference/responses-streaming
 *
 * @since 0.1.0
 */
import type { ErrorDetails, ReasoningPart } from "./Answer.ts"
import * as Json from "./Json.ts"
import { openAiChat } from "./OpenAiChatWire.ts"
import { validate } from "./OpenAiResponsesValidation.ts"
import type { Frame, IncomingRequest, Prompt, Reply, ReplyToolCall, Wire } from "./Wire.ts"
import { idNumber, pieces } from "./Wire.ts"

// Seconds of 2026-01-01T00:00:00Z: answers are the same on every day.
const created = 1_767_225_600

// =============================================================================
// Reading
// =============================================================================

const inputItems = (body: Json.JsonObject): ReadonlyArray<Json.JsonObject> =>
  typeof body.input === "string"
    ? [{ role: "user", content: body.input }]
    : Json.array(body.input).map(Json.object)

const isOutput = (item: Json.JsonObject): boolean =>
  item.type === "function_call_output" || item.type === "custom_tool_call_output"

const prompt = (request: IncomingRequest): Prompt => {
  const body = Json.object(request.body)
  const items = inputItems(body)
  const choice = body.tool_choice
  const format = Json.object(Json.object(body.text).format)
  const tools = Json.array(body.tools).map(Json.object).filter((tool) => tool.type === "function")
  return {
    model: Json.string(body.model),
    userText: Json.contentText(items.findLast((item) => item.role === "user")?.content),
    toolResults: items.slice(items.findLastIndex((item) => !isOutput(item)) + 1)
      .map((item) => Json.contentText(item.output)),
    tools: tools.map((tool) => ({
      name: Json.string(tool.name),
      description: Json.string(tool.description),
      schema: Json.object(tool.parameters)
    })),
    toolChoice: choice === "none" || choice === "required"
      ? choice
      : Json.isObject(choice)
      ? { name: Json.string(choice.name) }
      : "auto",
    responseSchema: format.type === "json_schema"
      ? Json.object(format.schema)
      : format.type === "json_object"
      ? { type: "object" }
      : undefined,
    // Reasoning shows only in summaries, which have to be asked for.
    reasoning: typeof Json.object(body.reasoning).summary === "string",
    maxTokens: typeof body.max_output_tokens === "number" ? body.max_output_tokens : undefined,
    inputText: [body.instructions, ...items.map((item) => item.content ?? item.output ?? item.arguments), body.tools]
      .map((content) => typeof content === "string" ? content : JSON.stringify(content) ?? "")
      .filter((text) => text !== "")
      .join("\n")
  }
}

// =============================================================================
// Answers
// =============================================================================

interface Status {
  readonly status: string
  readonly incomplete_details: { readonly reason: string } | null
  readonly error: { readonly code: string; readonly message: string } | null
}

const statusOf = (reply: Reply): Status => {
  const plain = { incomplete_details: null, error: null }
  switch (reply.finish) {
    case "stop":
    case "tool-calls":
    case "refusal":
      return { status: "completed", ...plain }
    case "length":
      return { status: "incomplete", ...plain, incomplete_details: { reason: "max_output_tokens" } }
    case "content-filter":
      return { status: "incomplete", ...plain, incomplete_details: { reason: "content_filter" } }
    case "error":
      return {
        status: "failed",
        ...plain,
        error: { code: "server_error", message: "The server had an error while processing your request." }
      }
    case "pause":
      return { status: "queued", ...plain }
    default:
      return { status: reply.finish, ...plain }
  }
}

const usage = ({ usage }: Reply) => ({
  input_tokens: usage.input,
  input_tokens_details: { cached_tokens: usage.cacheRead, cache_write_tokens: usage.cacheWrite },
  output_tokens: usage.output,
  output_tokens_details: { reasoning_tokens: usage.reasoning },
  total_tokens: usage.input + usage.output
})

/** The response object; fields of the request are repeated in it. */
const envelope = (reply: Reply, request: IncomingRequest): Json.JsonObject => {
  const body = Json.object(request.body)
  return {
    id: `resp_sim${idNumber(reply.number)}`,
    object: "response",
    created_at: created,
    background: false,
    instructions: body.instructions ?? null,
    max_output_tokens: body.max_output_tokens ?? null,
    max_tool_calls: null,
    metadata: body.metadata ?? {},
    model: reply.model,
    parallel_tool_calls: body.parallel_tool_calls ?? true,
    previous_response_id: body.previous_response_id ?? null,
    reasoning: body.reasoning ?? { effort: null, summary: null },
    service_tier: "default",
    store: body.store ?? true,
    temperature: body.temperature ?? 1,
    text: body.text ?? { format: { type: "text" } },
    tool_choice: body.tool_choice ?? "auto",
    tools: body.tools ?? [],
    top_p: body.top_p ?? 1,
    truncation: body.truncation ?? "disabled",
    user: null
  }
}

const begun = { status: "in_progress", error: null, incomplete_details: null, output: [], usage: null }

const idOf = (prefix: string, reply: Reply, index: number): string => `${prefix}_sim${idNumber(reply.number)}_${index}`

const isCustom = (call: ReplyToolCall, request: IncomingRequest): boolean =>
  Json.array(Json.object(request.body).tools).map(Json.object)
    .some((tool) => tool.type === "custom" && tool.name === call.name)

const encryptedOf = (part: ReasoningPart, request: IncomingRequest): Json.JsonObject =>
  Json.array(Json.object(request.body).include).includes("reasoning.encrypted_content")
    ? { encrypted_content: part.encrypted ?? part.signature ?? "c2ltdWxhdG9yLXJlYXNvbmluZw==" }
    : {}

const contentPart = (text: string, refused: boolean): Json.JsonObject =>
  refused ? { type: "refusal", refusal: text } : { type: "output_text", annotations: [], logprobs: [], text }

const outputItem = (reply: Reply, request: IncomingRequest, index: number): Json.JsonObject => {
  const part = reply.parts[index]!
  const cut = statusOf(reply).status === "incomplete" && index === reply.parts.length - 1
  const status = cut ? "incomplete" : "completed"
  switch (part.type) {
    case "text":
      return {
        id: idOf("msg", reply, index),
        type: "message",
        status,
        role: "assistant",
        content: [contentPart(part.text, reply.finish === "refusal")]
      }
    case "reasoning":
      return {
        id: idOf("rs", reply, index),
        type: "reasoning",
        ...encryptedOf(part, request),
        summary: part.encrypted !== undefined || part.text === "" ? [] : [{ type: "summary_text", text: part.text }]
      }
    case "tool-call": {
      const custom = isCustom(part, request)
      return {
        id: idOf(custom ? "ctc" : "fc", reply, index),
        type: custom ? "custom_tool_call" : "function_call",
        status,
        call_id: part.id ?? `call_sim${idNumber(reply.number)}_${index}`,
        name: part.name,
        [custom ? "input" : "arguments"]: part.argumentsText
      }
    }
  }
}

const response = (reply: Reply, request: IncomingRequest) => ({
  ...envelope(reply, request),
  ...statusOf(reply),
  output: reply.parts.map((_, index) => outputItem(reply, request, index)),
  usage: usage(reply)
})

// =============================================================================
// Streams
// =============================================================================

type Event = readonly [type: string, fields: Json.JsonObject]

/** The events between the beginning and the end of an item. */
const itemEvents = (reply: Reply, request: IncomingRequest, index: number): ReadonlyArray<Event> => {
  const part = reply.parts[index]!
  const item = outputItem(reply, request, index)
  const at = { item_id: item.id, output_index: index }
  switch (part.type) {
    case "text": {
      const refused = reply.finish === "refusal"
      const name = refused ? "response.refusal" : "response.output_text"
      const where = { ...at, content_index: 0 }
      const logprobs = refused ? {} : { logprobs: [] }
      return [
        ["response.content_part.added", { ...where, part: contentPart("", refused) }],
        ...pieces(part.text, reply.chunkSize).map((
          delta
        ): Event => [`${name}.delta`, { ...where, delta, ...logprobs }]),
        [`${name}.done`, { ...where, [refused ? "refusal" : "text"]: part.text, ...logprobs }],
        ["response.content_part.done", { ...where, part: contentPart(part.text, refused) }]
      ]
    }
    case "reasoning": {
      if (Json.array(item.summary).length === 0) return []
      const where = { ...at, summary_index: 0 }
      return [
        ["response.reasoning_summary_part.added", { ...where, part: { type: "summary_text", text: "" } }],
        ...pieces(part.text, reply.chunkSize).map((delta): Event => [
          "response.reasoning_summary_text.delta",
          { ...where, delta }
        ]),
        ["response.reasoning_summary_text.done", { ...where, text: part.text }],
        ["response.reasoning_summary_part.done", { ...where, part: { type: "summary_text", text: part.text } }]
      ]
    }
    case "tool-call": {
      const custom = item.type === "custom_tool_call"
      const name = custom ? "response.custom_tool_call_input" : "response.function_call_arguments"
      return [
        ...pieces(part.argumentsText, reply.chunkSize).map((delta): Event => [`${name}.delta`, { ...at, delta }]),
        [`${name}.done`, { ...at, [custom ? "input" : "arguments"]: part.argumentsText }]
      ]
    }
  }
}

/** An item as it begins: nothing of its content is there yet. */
const beginning = (item: Json.JsonObject): Json.JsonObject => {
  switch (item.type) {
    case "message":
      return { ...item, status: "in_progress", content: [] }
    case "reasoning":
      return { ...item, summary: [] }
    case "custom_tool_call":
      return { ...item, status: "in_progress", input: "" }
    default:
      return { ...item, status: "in_progress", arguments: "" }
  }
}

const event = (type: string, fields: Json.JsonObject): string =>
  `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`

const stream = (reply: Reply, request: IncomingRequest): ReadonlyArray<Frame> => {
  const frames: Array<Frame> = []
  const push = (kind: Frame["kind"], type: string, fields: Json.JsonObject) =>
    frames.push({ kind, data: event(type, { sequence_number: frames.length, ...fields }) })
  const content = (type: string, fields: Json.JsonObject) => push("content", type, fields)
  const first = { response: { ...envelope(reply, request), ...begun } }
  content("response.created", first)
  content("response.in_progress", first)
  for (const index of reply.parts.keys()) {
    const item = outputItem(reply, request, index)
    content("response.output_item.added", { output_index: index, item: beginning(item) })
    for (const [type, fields] of itemEvents(reply, request, index)) content(type, fields)
    content("response.output_item.done", { output_index: index, item })
  }
  const { status } = statusOf(reply)
  const ends = status === "incomplete" || status === "failed" ? status : "completed"
  push("terminal", `response.${ends}`, { response: response(reply, request) })
  return frames
}

const streamError = (details: ErrorDetails, request: IncomingRequest): string => {
  const { code, message, param, type } = Json.object(Json.object(openAiChat.error(details, request)).error)
  return event("error", { sequence_number: 0, code: code ?? type, message, param })
}

/**
 * The OpenAI Responses API.
 *
 * @category wires
 * @since 0.1.0
 */
export const openAiResponses: Wire = {
  ...openAiChat,
  name: "openai-responses",
  operation: ({ method, path }) =>
    method !== "POST"
      ? undefined
      : path.endsWith("/responses")
      ? "generate"
      : path.endsWith("/responses/input_tokens")
      ? "countTokens"
      : undefined,
  validate,
  prompt,
  whole: response,
  stream,
  streamError,
  malformed: "event: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\",\"del\n\n",
  tokenCount: (tokens) => ({ object: "response.input_tokens", input_tokens: tokens })
}
