/**
 * The Anthropic Messages API as the simulator plays it: `/v1/messages`, `/v1/messages/count_tokens` and
 * `/v1/models`.
 *
 * Spells answers, recognises requests and reads them; what makes a request wrong is in
 * `AnthropicValidation.ts`. Consecutive messages of one role are accepted, as the API merges them.
 *
 * Events: https://docs.claude.com/en/docs/build-with-claude/streaming
 * Errors: https://docs.claude.com/en/api/errors
 *
 * @since 0.1.0
 */
import type { ErrorDetails } from "./Answer.ts"
import { validate } from "./AnthropicValidation.ts"
import * as Json from "./Json.ts"
import type { Frame, IncomingRequest, Prompt, Reply, Wire } from "./Wire.ts"
import { idNumber, pieces } from "./Wire.ts"

const requestId = (request: IncomingRequest): string => `req_sim${idNumber(request.number)}`

const messageId = (reply: Reply): string => `msg_sim${idNumber(reply.number)}`

const callId = (reply: Reply, index: number): string => `toolu_sim${idNumber(reply.number)}_${index}`

// https://docs.claude.com/en/api/rate-limits#response-headers
const rateLimits = [["requests", 4000, 1], ["input-tokens", 400_000, 1000], ["output-tokens", 80_000, 100]] as const

const rateLimitHeaders = (number: number) =>
  Object.fromEntries(
    rateLimits.flatMap(([name, limit, each]) => [
      [`anthropic-ratelimit-${name}-limit`, String(limit)],
      [`anthropic-ratelimit-${name}-remaining`, String(Math.max(0, limit - number * each))],
      [`anthropic-ratelimit-${name}-reset`, "2026-01-01T00:01:00Z"]
    ])
  )

// =============================================================================
// Reading
// =============================================================================

const promptText = (body: Json.JsonObject): string =>
  [body.system, ...Json.array(body.messages).map((message) => Json.object(message).content), body.tools]
    .map((content) => typeof content === "string" ? content : JSON.stringify(content) ?? "")
    .filter((text) => text !== "")
    .join("\n")

const prompt = (request: IncomingRequest): Prompt => {
  const body = Json.object(request.body)
  const messages = Json.array(body.messages).map(Json.object)
  const users = messages.filter((message) => message.role === "user")
  const last = messages.at(-1)
  const results = Json.array(last?.role === "user" ? last.content : undefined)
    .map(Json.object)
    .filter((block) => block.type === "tool_result")
  const choice = Json.object(body.tool_choice)
  const format = Json.object(Json.object(body.output_config).format ?? body.output_format)
  const thinking = Json.object(body.thinking).type
  const asked = users.map((message) => Json.contentText(message.content)).filter((text) => text !== "")
  return {
    model: Json.string(body.model),
    userText: asked.at(-1) ?? "",
    toolResults: results.map((block) => Json.contentText(block.content)),
    tools: Json.array(body.tools).map(Json.object).filter((tool) => Json.isObject(tool.input_schema)).map((tool) => ({
      name: Json.string(tool.name),
      description: Json.string(tool.description),
      schema: Json.object(tool.input_schema)
    })),
    toolChoice: choice.type === "none"
      ? "none"
      : choice.type === "any"
      ? "required"
      : choice.type === "tool"
      ? { name: Json.string(choice.name) }
      : "auto",
    responseSchema: format.type === "json_schema" ? Json.object(format.schema) : undefined,
    reasoning: thinking === "enabled" || thinking === "adaptive",
    maxTokens: typeof body.max_tokens === "number" ? body.max_tokens : undefined,
    inputText: promptText(body)
  }
}

const bearer = (authorization: string | undefined): string | undefined => authorization?.replace(/^bearer\s+/i, "")

// =============================================================================
// Answers
// =============================================================================

const stopReasons: Readonly<Record<string, string>> = {
  stop: "end_turn",
  length: "max_tokens",
  "tool-calls": "tool_use",
  "content-filter": "refusal",
  pause: "pause_turn",
  "context-window": "model_context_window_exceeded"
}

/** Input tokens exclude what a cache read or wrote. */
const inputUsage = ({ usage }: Reply) => ({
  input_tokens: Math.max(0, usage.input - usage.cacheRead - usage.cacheWrite),
  cache_creation_input_tokens: usage.cacheWrite,
  cache_read_input_tokens: usage.cacheRead
})

const startUsage = (reply: Reply, outputTokens: number) => ({
  ...inputUsage(reply),
  cache_creation: { ephemeral_5m_input_tokens: reply.usage.cacheWrite, ephemeral_1h_input_tokens: 0 },
  output_tokens: outputTokens,
  service_tier: "standard",
  inference_geo: "not_available"
})

const outputDetails = ({ usage }: Reply) =>
  usage.reasoning > 0 ? { output_tokens_details: { thinking_tokens: usage.reasoning } } : {}

const stop = (reply: Reply) => ({
  stop_reason: stopReasons[reply.finish] ?? reply.finish,
  stop_sequence: null,
  stop_details: null
})

const envelope = (reply: Reply) => ({
  model: reply.model,
  id: messageId(reply),
  type: "message",
  role: "assistant"
})

const contentBlock = (reply: Reply) => (part: Reply["parts"][number], index: number): Json.JsonObject => {
  switch (part.type) {
    case "text":
      return { type: "text", text: part.text }
    case "reasoning":
      return part.encrypted !== undefined
        ? { type: "redacted_thinking", data: part.encrypted }
        : { type: "thinking", thinking: part.text, signature: part.signature ?? "" }
    case "tool-call":
      return {
        type: "tool_use",
        id: part.id ?? callId(reply, index),
        name: part.name,
        input: Json.parse(part.argumentsText === "" ? "{}" : part.argumentsText) ?? part.argumentsText,
        caller: { type: "direct" }
      }
  }
}

const whole = (reply: Reply) => ({
  ...envelope(reply),
  content: reply.parts.map(contentBlock(reply)),
  ...stop(reply),
  container: null,
  usage: { ...startUsage(reply, reply.usage.output), ...outputDetails(reply) }
})

const event = (type: string, fields?: Json.JsonObject): string =>
  `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`

/** The block as it starts, and its deltas. */
const streamedBlock = (reply: Reply, index: number): [Json.JsonObject, ReadonlyArray<Json.JsonObject>] => {
  const part = reply.parts[index]!
  const block = contentBlock(reply)(part, index)
  switch (part.type) {
    case "text":
      return [{ ...block, text: "" }, pieces(part.text, reply.chunkSize).map((text) => ({ type: "text_delta", text }))]
    case "reasoning":
      return part.encrypted !== undefined ? [block, []] : [
        { ...block, thinking: "", signature: "" },
        [
          ...pieces(part.text, reply.chunkSize).map((thinking) => ({ type: "thinking_delta", thinking })),
          ...(part.signature === undefined ? [] : [{ type: "signature_delta", signature: part.signature }])
        ]
      ]
    case "tool-call":
      return [
        { ...block, input: {} },
        // The API begins every call with an empty piece.
        ["", ...pieces(part.argumentsText, reply.chunkSize)].map((json) => ({
          type: "input_json_delta",
          partial_json: json
        }))
      ]
  }
}

const ping = "event: ping\ndata: {\"type\": \"ping\"}\n\n"

const stream = (reply: Reply): ReadonlyArray<Frame> => {
  const frames: Array<Frame> = []
  const content = (type: string, fields: Json.JsonObject) => frames.push({ kind: "content", data: event(type, fields) })
  content("message_start", {
    message: { ...envelope(reply), content: [], stop_reason: null, stop_sequence: null, usage: startUsage(reply, 1) }
  })
  for (const index of reply.parts.keys()) {
    const [block, deltas] = streamedBlock(reply, index)
    content("content_block_start", { index, content_block: block })
    if (index === 0) frames.push({ kind: "ping", data: ping })
    for (const delta of deltas) content("content_block_delta", { index, delta })
    content("content_block_stop", { index })
  }
  frames.push({
    kind: "terminal",
    data: event("message_delta", {
      delta: stop(reply),
      usage: { ...inputUsage(reply), output_tokens: reply.usage.output, ...outputDetails(reply) }
    })
  })
  frames.push({ kind: "done", data: event("message_stop") })
  return frames
}

// =============================================================================
// Errors and lists
// =============================================================================

const usualErrors: Readonly<Record<number, readonly [type: string, message: string]>> = {
  400: ["invalid_request_error", "messages: Field required"],
  401: ["authentication_error", "invalid x-api-key"],
  402: ["billing_error", "There is an issue with your billing or payment information."],
  403: ["permission_error", "Your API key does not have permission to use the specified resource."],
  404: ["not_found_error", "Not Found"],
  413: ["request_too_large", "Request exceeds the maximum size"],
  429: ["rate_limit_error", "This request would exceed your organization's rate limit. Please try again later."],
  500: ["api_error", "Internal server error"],
  504: ["timeout_error", "The request timed out."],
  529: ["overloaded_error", "Overloaded"]
}

const error = (details: ErrorDetails, request: IncomingRequest) => {
  const [type, message] = usualErrors[details.status === 200 ? 529 : details.status] ?? usualErrors[500]!
  const body = { type: details.type ?? type, message: details.message ?? message }
  // 413 comes from the proxy in front of the API, which knows neither `type` nor a request id.
  return details.status === 413
    ? { error: body }
    : { type: "error", error: { details: null, ...body }, request_id: requestId(request) }
}

const model = (id: string) => ({
  type: "model",
  id,
  display_name: id,
  created_at: "2026-01-01T00:00:00Z",
  max_input_tokens: 200_000,
  max_tokens: 64_000
})

/**
 * The Anthropic Messages API.
 *
 * @category wires
 * @since 0.1.0
 */
export const anthropicMessages: Wire = {
  name: "anthropic-messages",
  operation: ({ headers, method, path }) => {
    if (method === "POST") {
      return path.endsWith("/messages")
        ? "generate"
        : path.endsWith("/messages/count_tokens")
        ? "countTokens"
        : undefined
    }
    // OpenAI has the same paths: the API's own headers tell.
    if (method !== "GET" || (headers["anthropic-version"] ?? headers["x-api-key"]) === undefined) return undefined
    return path.endsWith("/models") ? "models" : /\/models\/[^/]+$/.test(path) ? "model" : undefined
  },
  credential: ({ headers }) => headers["x-api-key"] ?? bearer(headers.authorization),
  unauthorized: (credential) => ({
    status: 401,
    message: credential === undefined ? "x-api-key header is required" : "invalid x-api-key"
  }),
  validate,
  unknownModel: (model) => ({ status: 404, message: `model: ${model}` }),
  prompt,
  streams: (request) => Json.object(request.body).stream === true,
  headers: (request) => ({
    "request-id": requestId(request),
    "anthropic-organization-id": "00000000-0000-4000-8000-000000000000",
    ...rateLimitHeaders(request.number)
  }),
  whole,
  streamContentType: "text/event-stream; charset=utf-8",
  stream,
  error,
  streamError: (details, request) => event("error", { error: Json.object(error(details, request)).error }),
  malformed: "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"del\n\n",
  ping,
  tokenCount: (tokens) => ({ input_tokens: tokens }),
  models: (ids) => ({ data: ids.map(model), first_id: ids[0] ?? null, has_more: false, last_id: ids.at(-1) ?? null }),
  model,
  usualModels: ["claude-opus-4-5", "claude-sonnet-4-5", "claude-haiku-4-5"]
}
