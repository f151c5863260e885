/**
 * The OpenAI Chat Completions API as the simulator plays it: `…/chat/completions` and `…/models`, under any
 * prefix, as compatible providers serve them.
 *
 * Reasoning goes out as `reasoning_content`, which compatible providers send and OpenAI itself does not.
 * What makes a request wrong is in `OpenAiChatValidation.ts`.
 *
 * Chunks: https://platform.openai.com/docs/api-reference/chat-streaming/streaming
 *
 * @since 0.1.0
 */
import type { ErrorDetails } from "./Answer.ts"
import * as Json from "./Json.ts"
import { validate } from "./OpenAiChatValidation.ts"
import type { Frame, IncomingRequest, Prompt, Reply, Wire } from "./Wire.ts"
import { idNumber, pieces } from "./Wire.ts"

// Seconds of 2026-01-01T00:00:00Z: answers are the same on every day.
const created = 1_767_225_600

const callId = (reply: Reply, index: number): string => `call_sim${idNumber(reply.number)}_${index}`

// =============================================================================
// Reading
// =============================================================================

const prompt = (request: IncomingRequest): Prompt => {
  const body = Json.object(request.body)
  const messages = Json.array(body.messages).map(Json.object)
  const users = messages.filter((message) => message.role === "user")
  const afterLastCall = messages.slice(messages.findLastIndex((message) => message.role !== "tool") + 1)
  const choice = body.tool_choice
  const format = Json.object(body.response_format)
  const maxTokens = body.max_completion_tokens ?? body.max_tokens
  const tools = Json.array(body.tools).map((tool) => Json.object(Json.object(tool).function))
  return {
    model: Json.string(body.model),
    userText: Json.contentText(users.at(-1)?.content),
    toolResults: afterLastCall.map((message) => Json.contentText(message.content)),
    tools: tools.map((tool) => ({
      name: Json.string(tool.name),
      description: Json.string(tool.description),
      schema: Json.object(tool.parameters)
    })),
    toolChoice: choice === "none" || choice === "required"
      ? choice
      : Json.isObject(choice)
      ? { name: Json.string(Json.object(choice.function).name) }
      : "auto",
    responseSchema: format.type === "json_schema"
      ? Json.object(Json.object(format.json_schema).schema)
      : format.type === "json_object"
      ? { type: "object" }
      : undefined,
    // Chat Completions counts reasoning but never shows it.
    reasoning: false,
    maxTokens: typeof maxTokens === "number" ? maxTokens : undefined,
    inputText: [...messages.map((message) => message.content), body.tools]
      .map((content) => typeof content === "string" ? content : JSON.stringify(content) ?? "")
      .filter((text) => text !== "")
      .join("\n")
  }
}

// =============================================================================
// Answers
// =============================================================================

const finishReasons: Readonly<Record<string, string>> = {
  "tool-calls": "tool_calls",
  "content-filter": "content_filter",
  refusal: "stop"
}

const finishReason = (reply: Reply): string => finishReasons[reply.finish] ?? reply.finish

const usage = ({ usage }: Reply) => ({
  prompt_tokens: usage.input,
  completion_tokens: usage.output,
  total_tokens: usage.input + usage.output,
  prompt_tokens_details: { cached_tokens: usage.cacheRead, audio_tokens: 0 },
  completion_tokens_details: {
    reasoning_tokens: usage.reasoning,
    audio_tokens: 0,
    accepted_prediction_tokens: 0,
    rejected_prediction_tokens: 0
  }
})

const envelope = (reply: Reply, object: string) => ({
  id: `chatcmpl-sim${idNumber(reply.number)}`,
  object,
  created,
  model: reply.model,
  service_tier: "default",
  system_fingerprint: null
})

const joined = (reply: Reply, type: "text" | "reasoning"): string =>
  reply.parts.map((part) => part.type === type ? part.text : "").join("")

const whole = (reply: Reply) => {
  const text = joined(reply, "text")
  const reasoning = joined(reply, "reasoning")
  const refused = reply.finish === "refusal"
  const calls = reply.parts.filter((part) => part.type === "tool-call")
  return {
    ...envelope(reply, "chat.completion"),
    choices: [{
      index: 0,
      message: {
        role: "assistant",
        content: refused || (text === "" && calls.length > 0) ? null : text,
        ...(reasoning === "" ? {} : { reasoning_content: reasoning }),
        ...(calls.length === 0 ? {} : {
          tool_calls: calls.map((call, index) => ({
            id: call.id ?? callId(reply, index),
            type: "function",
            function: { name: call.name, arguments: call.argumentsText }
          }))
        }),
        refusal: refused ? text : null,
        annotations: []
      },
      logprobs: null,
      finish_reason: finishReason(reply)
    }],
    usage: usage(reply)
  }
}

const data = (payload: unknown): string => `data: ${JSON.stringify(payload)}\n\n`

const deltas = (reply: Reply): ReadonlyArray<Json.JsonObject> => {
  let calls = 0
  return reply.parts.flatMap((part): ReadonlyArray<Json.JsonObject> => {
    switch (part.type) {
      case "text":
        return pieces(part.text, reply.chunkSize).map((text) =>
          reply.finish === "refusal" ? { refusal: text } : { content: text }
        )
      case "reasoning":
        return pieces(part.text, reply.chunkSize).map((text) => ({ reasoning_content: text }))
      case "tool-call": {
        const index = calls++
        const first = { index, id: part.id ?? callId(reply, index), type: "function" }
        return [
          { tool_calls: [{ ...first, function: { name: part.name, arguments: "" } }] },
          ...pieces(part.argumentsText, reply.chunkSize).map((json) => ({
            tool_calls: [{ index, function: { arguments: json } }]
          }))
        ]
      }
    }
  })
}

const stream = (reply: Reply, request: IncomingRequest): ReadonlyArray<Frame> => {
  const includeUsage = Json.object(Json.object(request.body).stream_options).include_usage === true
  const chunk = (choices: ReadonlyArray<unknown>, counts: unknown = null) =>
    data({ ...envelope(reply, "chat.completion.chunk"), choices, ...(includeUsage ? { usage: counts } : {}) })
  const choice = (delta: Json.JsonObject, finish_reason: string | null = null) =>
    chunk([{ index: 0, delta, logprobs: null, finish_reason }])
  const onlyCalls = reply.parts.length > 0 && reply.parts.every((part) => part.type === "tool-call")
  const role = { role: "assistant", content: onlyCalls ? null : "", refusal: null }
  return [
    ...[role, ...deltas(reply)].map((delta): Frame => ({ kind: "content", data: choice(delta) })),
    { kind: "terminal", data: choice({}, finishReason(reply)) },
    ...(includeUsage ? [{ kind: "terminal" as const, data: chunk([], usage(reply)) }] : []),
    { kind: "done", data: "data: [DONE]\n\n" }
  ]
}

// =============================================================================
// Errors and lists
// =============================================================================

// https://platform.openai.com/docs/guides/error-codes
const usualErrors: Readonly<Record<number, readonly [type: string, code: string | null, message: string]>> = {
  400: ["invalid_request_error", null, "Invalid request."],
  401: ["invalid_request_error", "invalid_api_key", "Incorrect API key provided."],
  403: ["invalid_request_error", "unsupported_country_region_territory", "Country, region, or territory not supported"],
  404: ["invalid_request_error", "model_not_found", "The model does not exist or you do not have access to it."],
  413: ["invalid_request_error", null, "Request too large."],
  429: ["requests", "rate_limit_exceeded", "Rate limit reached for requests. Please try again in 20ms."],
  500: ["server_error", null, "The server had an error while processing your request. Sorry about that!"],
  503: ["server_error", null, "The server is currently overloaded with other requests. Sorry about that!"]
}

const error = ({ code, message, param, status, type }: ErrorDetails) => {
  const usual = usualErrors[status === 200 ? 503 : status] ?? usualErrors[status < 500 ? 400 : 500]!
  return {
    error: {
      message: message ?? usual[2],
      type: type ?? usual[0],
      param: param ?? null,
      // An own type or message must not come with the code of the usual error.
      code: code ?? (type === undefined && message === undefined ? usual[1] : null)
    }
  }
}

/** The API shows the ends of a long key and all of a short one. */
const masked = (key: string): string =>
  key.length <= 12 ? key : `${key.slice(0, 8)}${"*".repeat(key.length - 12)}${key.slice(-4)}`

const model = (id: string) => ({ id, object: "model", created, owned_by: "simulator" })

/**
 * The OpenAI Chat Completions API.
 *
 * @category wires
 * @since 0.1.0
 */
export const openAiChat: Wire = {
  name: "openai-chat",
  operation: ({ method, path }) =>
    method === "POST"
      ? path.endsWith("/chat/completions") ? "generate" : undefined
      : method !== "GET"
      ? undefined
      : path.endsWith("/models")
      ? "models"
      : /\/models\/.+$/.test(path)
      ? "model"
      : undefined,
  credential: ({ headers }) => headers.authorization?.replace(/^bearer\s+/i, "") ?? headers["api-key"],
  unauthorized: (credential) => ({
    status: 401,
    type: "invalid_request_error",
    ...(credential === undefined
      ? {
        message: "You didn't provide an API key. You need to provide your API key in an Authorization header using " +
          "Bearer auth (i.e. Authorization: Bearer YOUR_KEY)."
      }
      : {
        code: "invalid_api_key",
        message: `Incorrect API key provided: ${masked(credential)}. You can find your API key at ` +
          "https://platform.openai.com/account/api-keys."
      })
  }),
  validate,
  unknownModel: (model) => ({
    status: 404,
    type: "invalid_request_error",
    code: "model_not_found",
    message: `The model \`${model}\` does not exist or you do not have access to it.`
  }),
  prompt,
  streams: (request) => Json.object(request.body).stream === true,
  headers: ({ number }) => ({
    "x-request-id": `req_sim${idNumber(number)}`,
    "openai-organization": "org-simulator",
    "openai-processing-ms": "12",
    "openai-version": "2020-10-01",
    "x-ratelimit-limit-requests": "10000",
    "x-ratelimit-limit-tokens": "2000000",
    "x-ratelimit-remaining-requests": String(Math.max(0, 10_000 - number)),
    "x-ratelimit-remaining-tokens": String(Math.max(0, 2_000_000 - number * 1000)),
    "x-ratelimit-reset-requests": "6ms",
    "x-ratelimit-reset-tokens": "30ms"
  }),
  whole,
  streamContentType: "text/event-stream; charset=utf-8",
  stream,
  error,
  streamError: (details) => data(error(details)),
  malformed: "data: {\"id\":\"chatcmpl-sim\",\"object\":\"chat.completion.chunk\",\"choi\n\n",
  ping: ": keep-alive\n\n",
  // Chat Completions has no token count.
  tokenCount: (tokens) => ({ input_tokens: tokens }),
  models: (ids) => ({ object: "list", data: ids.map(model) }),
  model,
  usualModels: ["gpt-4.1", "gpt-4.1-mini", "gpt-4o-mini"]
}
