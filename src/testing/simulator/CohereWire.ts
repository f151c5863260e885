/**
 * Cohere's API as the simulator plays it: `/v2/chat`, `/v1/models` and `/v1/tokenize`.
 *
 * Models are listed under the path that OpenAI's API has too: the query or the name of the SDK tells them apart.
 *
 * Events: https://docs.cohere.com/docs/streaming, errors: https://docs.cohere.com/reference/errors
 *
 * @since 0.1.0
 */
import type { ErrorDetails } from "./Answer.ts"
import * as Json from "./Json.ts"
import type { Frame, IncomingRequest, Operation, Prompt, Reply, ReplyToolCall, Wire } from "./Wire.ts"
import { idNumber, pieces } from "./Wire.ts"

// =============================================================================
// Reading
// =============================================================================

const resultText = (content: unknown): string =>
  typeof content === "string"
    ? content
    : Json.array(content).map(Json.object).map((part) =>
      part.type === "document" ? JSON.stringify(Json.object(part.document).data) : Json.string(part.text)
    ).join("")

const prompt = (request: IncomingRequest): Prompt => {
  const body = Json.object(request.body)
  const messages = Json.array(body.messages).map(Json.object)
  const users = messages.filter((message) => message.role === "user")
  const afterLastCall = messages.slice(messages.findLastIndex((message) => message.role !== "tool") + 1)
  const format = Json.object(body.response_format)
  const tools = Json.array(body.tools).map((tool) => Json.object(Json.object(tool).function))
  return {
    model: Json.string(body.model),
    userText: Json.contentText(users.at(-1)?.content),
    toolResults: afterLastCall.map((message) => resultText(message.content)),
    tools: tools.map((tool) => ({
      name: Json.string(tool.name),
      description: Json.string(tool.description),
      schema: Json.object(tool.parameters)
    })),
    toolChoice: body.tool_choice === "REQUIRED" ? "required" : body.tool_choice === "NONE" ? "none" : "auto",
    responseSchema: format.type !== "json_object"
      ? undefined
      : Json.isObject(format.json_schema)
      ? format.json_schema
      : { type: "object" },
    reasoning: Json.object(body.thinking).type === "enabled",
    maxTokens: typeof body.max_tokens === "number" ? body.max_tokens : undefined,
    inputText: [...messages.map((message) => message.content), body.tools, body.documents, body.text]
      .map((content) => typeof content === "string" ? content : JSON.stringify(content) ?? "")
      .filter((text) => text !== "")
      .join("\n")
  }
}

// =============================================================================
// Answers
// =============================================================================

const finishReasons: Readonly<Record<string, string>> = {
  stop: "COMPLETE",
  length: "MAX_TOKENS",
  "tool-calls": "TOOL_CALL",
  "content-filter": "ERROR_TOXIC",
  error: "ERROR"
}

const finishReason = (reply: Reply): string => finishReasons[reply.finish] ?? reply.finish

const responseId = (reply: Reply): string => `00000000-0000-4000-8000-${String(reply.number).padStart(12, "0")}`

const call = (part: ReplyToolCall, reply: Reply, index: number) => ({
  id: part.id ?? `${part.name}_sim${idNumber(reply.number)}${index}`,
  type: "function",
  function: { name: part.name, arguments: part.argumentsText }
})

const usage = ({ usage }: Reply) => ({
  billed_units: { input_tokens: usage.input, output_tokens: usage.output },
  tokens: {
    input_tokens: usage.input,
    output_tokens: usage.output,
    ...(usage.reasoning === 0 ? {} : { reasoning_tokens: usage.reasoning })
  },
  cached_tokens: usage.cacheRead
})

const whole = (reply: Reply) => {
  const content = reply.parts.flatMap((part): ReadonlyArray<unknown> =>
    part.type === "text"
      ? [{ type: "text", text: part.text }]
      : part.type === "reasoning"
      ? [{ type: "thinking", thinking: part.text }]
      : []
  )
  const calls = reply.parts.filter((part) => part.type === "tool-call")
  return {
    id: responseId(reply),
    message: {
      role: "assistant",
      ...(content.length === 0 ? {} : { content }),
      ...(calls.length === 0 ? {} : { tool_calls: calls.map((part, index) => call(part, reply, index)) })
    },
    finish_reason: finishReason(reply),
    usage: usage(reply)
  }
}

const event = (type: string, payload: Json.JsonObject): string =>
  `event: ${type}\ndata: ${JSON.stringify({ type, ...payload })}\n\n`

const contentEvents = (index: number, field: "text" | "thinking", all: string, size: number): ReadonlyArray<string> => [
  event("content-start", { index, delta: { message: { content: { type: field, [field]: "" } } } }),
  ...pieces(all, size).map((text) =>
    event("content-delta", { index, delta: { message: { content: { [field]: text } } } })
  ),
  event("content-end", { index })
]

const stream = (reply: Reply): ReadonlyArray<Frame> => {
  let contents = 0
  let calls = 0
  const parts = reply.parts.flatMap((part): ReadonlyArray<string> => {
    switch (part.type) {
      case "text":
        return contentEvents(contents++, "text", part.text, reply.chunkSize)
      case "reasoning":
        return contentEvents(contents++, "thinking", part.text, reply.chunkSize)
      case "tool-call": {
        const index = calls++
        return [
          event("tool-call-start", {
            index,
            delta: { message: { tool_calls: call({ ...part, argumentsText: "" }, reply, index) } }
          }),
          ...pieces(part.argumentsText, reply.chunkSize).map((text) =>
            event("tool-call-delta", { index, delta: { message: { tool_calls: { function: { arguments: text } } } } })
          ),
          event("tool-call-end", { index })
        ]
      }
    }
  })
  const start = event("message-start", {
    id: responseId(reply),
    delta: { message: { role: "assistant", content: [], tool_plan: "", tool_calls: [], citations: [] } }
  })
  const end = event("message-end", { delta: { finish_reason: finishReason(reply), usage: usage(reply) } })
  return [
    ...[start, ...parts].map((data): Frame => ({ kind: "content", data })),
    { kind: "terminal", data: end },
    { kind: "done", data: "data: [DONE]\n\n" }
  ]
}

// =============================================================================
// Errors
// =============================================================================

const usualErrors: Readonly<Record<number, string>> = {
  400: "invalid request",
  401: "invalid api token",
  402: "Please add or update your payment method at https://dashboard.cohere.com/billing to continue",
  404: "model not found, make sure the correct model ID was used and that you have access to the model.",
  422: "failed to tokenize: invalid special token",
  429: "You are past the per minute request limit, please wait and try again later.",
  498: "blocked token",
  499: "request cancelled by user",
  500: "internal server error",
  503: "service unavailable",
  504: "gateway timeout"
}

const error = ({ message, status }: ErrorDetails, request: IncomingRequest) => ({
  id: `00000000-0000-4000-9000-${String(request.number).padStart(12, "0")}`,
  message: message ?? usualErrors[status === 200 ? 500 : status] ?? usualErrors[status < 500 ? 400 : 500]
})

const invalid = (message: string): ErrorDetails => ({ status: 400, message: `invalid request: ${message}` })

const validate = (request: IncomingRequest, operation: Operation): ErrorDetails | undefined => {
  if (operation !== "generate") return undefined
  if (!Json.isObject(request.body)) return invalid("the body is not valid JSON")
  const body = request.body
  if (typeof body.model !== "string" || body.model === "") return invalid("model is required")
  if (!Array.isArray(body.messages) || body.messages.length === 0) return invalid("list of messages must not be empty")
  return checkRanges(body) ?? checkMessages(body.messages.map(Json.object)) ?? checkTools(body)
}

// https://docs.cohere.com/reference/chat
const ranges: ReadonlyArray<readonly [name: string, low: number, high: number]> = [
  ["p", 0.01, 0.99],
  ["k", 0, 500],
  ["frequency_penalty", 0, 1],
  ["presence_penalty", 0, 1],
  ["temperature", 0, Number.POSITIVE_INFINITY]
]

const checkRanges = (body: Json.JsonObject): ErrorDetails | undefined => {
  for (const [name, low, high] of ranges) {
    const value = body[name]
    if (typeof value === "number" && (value < low || value > high)) {
      return invalid(`${name} must be between ${low} and ${high}, got ${value}`)
    }
  }
  return undefined
}

const checkMessages = (messages: ReadonlyArray<Json.JsonObject>): ErrorDetails | undefined => {
  let called = new Set<string>()
  for (const [index, message] of messages.entries()) {
    const { content, role } = message
    if (typeof role !== "string" || !["system", "user", "assistant", "tool"].includes(role)) {
      return invalid(`message at index ${index} has an unknown role`)
    }
    for (const part of Json.array(content).map(Json.object)) {
      if (typeof part.type !== "string") return invalid(`message at index ${index} has content without a type`)
    }
    if (role === "assistant") {
      const calls = Json.array(message.tool_calls).map(Json.object)
      if (content === undefined && calls.length === 0) {
        return invalid(`message at index ${index} must have content or tool_calls`)
      }
      for (const one of calls) {
        if (typeof Json.object(one.function).arguments !== "string") {
          return invalid(`message at index ${index} has a tool call whose arguments are not a string`)
        }
      }
      called = new Set(calls.map((one) => Json.string(one.id)))
    } else if (role === "tool") {
      if (!called.has(Json.string(message.tool_call_id))) {
        return invalid(`tool call id ${Json.string(message.tool_call_id)} not found in previous tool calls`)
      }
    } else if (content === undefined || content === null) {
      return invalid(`message at index ${index} must have content`)
    }
  }
  return undefined
}

const checkTools = (body: Json.JsonObject): ErrorDetails | undefined => {
  const tools = Json.array(body.tools).map(Json.object)
  if (body.tool_choice !== undefined && tools.length === 0) return invalid("tool_choice cannot be set without tools")
  if (body.tool_choice !== undefined && body.tool_choice !== "REQUIRED" && body.tool_choice !== "NONE") {
    return invalid("tool_choice must be REQUIRED or NONE")
  }
  for (const tool of tools) {
    if (typeof Json.object(tool.function).name !== "string") return invalid("all tools must have a name")
  }
  return undefined
}

const model = (id: string) => ({
  name: id,
  endpoints: ["chat"],
  finetuned: false,
  context_length: 256_000,
  tokenizer_url: null,
  default_endpoints: [],
  features: ["tools", "json_mode", "strict_tools"]
})

const isCohere = ({ headers, query }: IncomingRequest): boolean =>
  headers["x-fern-sdk-name"] === "cohere-ai" || query.has("endpoint") || query.has("page_size")

/**
 * Cohere's Chat API v2.
 *
 * @category wires
 * @since 0.1.0
 */
export const cohereChat: Wire = {
  name: "cohere-chat",
  operation: (request) => {
    const { method, path } = request
    if (method === "POST") {
      return path.endsWith("/v2/chat") ? "generate" : path.endsWith("/v1/tokenize") ? "countTokens" : undefined
    }
    if (method !== "GET" || !isCohere(request)) return undefined
    return path.endsWith("/v1/models") ? "models" : /\/v1\/models\/.+$/.test(path) ? "model" : undefined
  },
  credential: ({ headers }) => headers.authorization?.replace(/^bearer\s+/i, ""),
  unauthorized: (credential) => ({
    status: 401,
    message: credential === undefined || credential === "" ? "no api key supplied" : "invalid api token"
  }),
  validate,
  unknownModel: (model) => ({
    status: 404,
    message:
      `model '${model}' not found, make sure the correct model ID was used and that you have access to the model.`
  }),
  prompt,
  streams: (request) => Json.object(request.body).stream === true,
  headers: ({ number }) => ({ "x-debug-trace-id": `sim${idNumber(number)}`, "x-endpoint-monthly-call-limit": "1000" }),
  whole,
  streamContentType: "text/event-stream",
  stream,
  error,
  // A broken answer ends with a message-end that says why.
  streamError: (details, request) =>
    event("message-end", { delta: { finish_reason: "ERROR", error: error(details, request).message } }),
  malformed: "event: content-delta\ndata: {\"type\":\"content-delta\",\"ind\n\n",
  ping: ": keep-alive\n\n",
  tokenCount: (tokens) => ({
    tokens: Array.from({ length: tokens }, (_, index) => index),
    token_strings: Array.from({ length: tokens }, () => "tokn"),
    meta: { api_version: { version: "1" } }
  }),
  models: (ids) => ({ models: ids.map(model) }),
  model,
  usualModels: ["command-a-03-2025", "command-r7b-12-2024"]
}
