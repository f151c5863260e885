/**
 * Ollama's native API as the simulator plays it: `/api/chat` and `/api/tags`; `/api/pull` succeeds at once.
 *
 * As on a real server a request needs no credential, and streams unless it says not to. Tool calls come whole, with
 * object arguments; a broken argument text is sent as the string it is.
 *
 * https://docs.ollama.com/api/chat, errors: https://docs.ollama.com/api/errors
 *
 * @since 0.1.0
 */
import type { ErrorDetails } from "./Answer.ts"
import * as Json from "./Json.ts"
import type { Frame, IncomingRequest, Operation, Prompt, Reply, ReplyToolCall, Wire } from "./Wire.ts"
import { idNumber, pieces } from "./Wire.ts"

const created = "2026-01-01T00:00:00.000000Z"

// =============================================================================
// Reading
// =============================================================================

const prompt = (request: IncomingRequest): Prompt => {
  const body = Json.object(request.body)
  const messages = Json.array(body.messages).map(Json.object)
  const users = messages.filter((message) => message.role === "user")
  const afterLastCall = messages.slice(messages.findLastIndex((message) => message.role !== "tool") + 1)
  const maxTokens = Json.object(body.options).num_predict
  const tools = Json.array(body.tools).map((tool) => Json.object(Json.object(tool).function))
  return {
    model: Json.string(body.model),
    userText: Json.string(users.at(-1)?.content),
    toolResults: afterLastCall.map((message) => Json.string(message.content)),
    tools: tools.map((tool) => ({
      name: Json.string(tool.name),
      description: Json.string(tool.description),
      schema: Json.object(tool.parameters)
    })),
    toolChoice: "auto",
    responseSchema: Json.isObject(body.format) ? body.format : body.format === "json" ? { type: "object" } : undefined,
    reasoning: body.think === true || (typeof body.think === "string" && body.think !== ""),
    maxTokens: typeof maxTokens === "number" && maxTokens > 0 ? maxTokens : undefined,
    inputText: [...messages.map((message) => Json.string(message.content)), JSON.stringify(body.tools) ?? ""]
      .filter((text) => text !== "")
      .join("\n")
  }
}

// =============================================================================
// Answers
// =============================================================================

const doneReasons: Readonly<Record<string, string>> = {
  "tool-calls": "stop",
  refusal: "stop",
  "content-filter": "stop"
}

const call = (part: ReplyToolCall, reply: Reply, index: number) => ({
  id: part.id ?? `call_sim${idNumber(reply.number)}_${index}`,
  function: {
    index,
    name: part.name,
    arguments: part.argumentsText === "" ? {} : Json.parse(part.argumentsText) ?? part.argumentsText
  }
})

const ending = (reply: Reply) => ({
  done: true,
  done_reason: doneReasons[reply.finish] ?? reply.finish,
  total_duration: 120_000_000,
  load_duration: 20_000_000,
  prompt_eval_count: reply.usage.input,
  prompt_eval_duration: 30_000_000,
  eval_count: reply.usage.output,
  eval_duration: 70_000_000
})

const joined = (reply: Reply, type: "text" | "reasoning"): string =>
  reply.parts.map((part) => part.type === type ? part.text : "").join("")

const whole = (reply: Reply) => {
  const thinking = joined(reply, "reasoning")
  const calls = reply.parts.filter((part) => part.type === "tool-call")
  return {
    model: reply.model,
    created_at: created,
    message: {
      role: "assistant",
      content: joined(reply, "text"),
      ...(thinking === "" ? {} : { thinking }),
      ...(calls.length === 0 ? {} : { tool_calls: calls.map((part, index) => call(part, reply, index)) })
    },
    ...ending(reply)
  }
}

const line = (payload: unknown): string => `${JSON.stringify(payload)}\n`

const stream = (reply: Reply): ReadonlyArray<Frame> => {
  const head = { model: reply.model, created_at: created }
  let calls = 0
  const messages = reply.parts.flatMap((part): ReadonlyArray<Json.JsonObject> => {
    switch (part.type) {
      case "text":
        return pieces(part.text, reply.chunkSize).map((content) => ({ content }))
      case "reasoning":
        return pieces(part.text, reply.chunkSize).map((thinking) => ({ content: "", thinking }))
      case "tool-call":
        return [{ content: "", tool_calls: [call(part, reply, calls++)] }]
    }
  })
  return [
    ...messages.map((message): Frame => ({
      kind: "content",
      data: line({ ...head, message: { role: "assistant", ...message }, done: false })
    })),
    { kind: "terminal", data: line({ ...head, message: { role: "assistant", content: "" }, ...ending(reply) }) }
  ]
}

// =============================================================================
// Errors
// =============================================================================

const usualErrors: Readonly<Record<number, string>> = {
  400: "invalid request",
  401: "unauthorized",
  404: "model not found, try pulling it first",
  429: "you've reached your hourly usage limit, please upgrade to continue",
  500: "an error was encountered while running the model: unexpected EOF",
  503: "server busy, please try again.  maximum pending requests exceeded"
}

const error = ({ message, status }: ErrorDetails) => ({
  error: message ?? usualErrors[status === 200 ? 500 : status] ?? usualErrors[status < 500 ? 400 : 500]
})

const invalid = (message: string): ErrorDetails => ({ status: 400, message })

/** The server decodes into typed structures and says what did not fit. */
const unmarshal = (kind: string, field: string, type: string): ErrorDetails =>
  invalid(`json: cannot unmarshal ${kind} into Go struct field ${field} of type ${type}`)

const validate = (request: IncomingRequest, operation: Operation): ErrorDetails | undefined => {
  if (operation !== "generate") return undefined
  if (request.bodyText === "") return invalid("missing request body")
  if (!Json.isObject(request.body)) return invalid("invalid character in request body: not a JSON object")
  const body = request.body
  if (typeof body.model !== "string" || body.model === "") return invalid("model is required")
  if (body.messages !== undefined && !Array.isArray(body.messages)) {
    return unmarshal("object", "ChatRequest.messages", "[]api.Message")
  }
  const { format, think } = body
  if (format !== undefined && format !== null && format !== "" && format !== "json" && !Json.isObject(format)) {
    return invalid(`invalid format: ${JSON.stringify(format)}; expected "json" or a valid JSON Schema object`)
  }
  if (typeof think === "string" && !["high", "medium", "low"].includes(think)) {
    return invalid(`invalid think value: ${JSON.stringify(think)} (must be "high", "medium", "low", true, or false)`)
  }
  for (const message of Json.array(body.messages).map(Json.object)) {
    const problem = checkMessage(message)
    if (problem !== undefined) return problem
  }
  return undefined
}

const checkMessage = (message: Json.JsonObject): ErrorDetails | undefined => {
  if (message.content !== undefined && typeof message.content !== "string") {
    return unmarshal(Array.isArray(message.content) ? "array" : "object", "ChatRequest.messages.content", "string")
  }
  for (const image of Json.array(message.images)) {
    if (typeof image !== "string" || !/^[A-Za-z0-9+/]*={0,2}$/.test(image)) {
      return invalid("illegal base64 data at input byte 4")
    }
  }
  for (const one of Json.array(message.tool_calls)) {
    if (!Json.isObject(Json.object(Json.object(one).function).arguments)) {
      return unmarshal("string", "ChatRequest.messages.tool_calls.function.arguments", "map[string]interface {}")
    }
  }
  return undefined
}

const model = (id: string) => ({
  name: id,
  model: id,
  modified_at: created,
  size: 4_661_224_676,
  digest: "365c0bd3c000a25d28ddbf732fe1c6add414de7275464c4e4d1c3b5fcb5d8ad1",
  details: {
    parent_model: "",
    format: "gguf",
    family: "simulator",
    families: ["simulator"],
    parameter_size: "8.0B",
    quantization_level: "Q4_0"
  }
})

/**
 * Ollama's native chat API.
 *
 * @category wires
 * @since 0.1.0
 */
export const ollamaChat: Wire = {
  name: "ollama-chat",
  operation: ({ method, path }) =>
    method === "POST"
      ? path.endsWith("/api/chat") ? "generate" : path.endsWith("/api/pull") ? "model" : undefined
      : method === "GET" && path.endsWith("/api/tags")
      ? "models"
      : undefined,
  // A server of one's own asks for none.
  credential: ({ headers }) => headers.authorization?.replace(/^bearer\s+/i, "") ?? "none",
  unauthorized: () => ({ status: 401, message: "unauthorized" }),
  validate,
  unknownModel: (model) => ({ status: 404, message: `model "${model}" not found, try pulling it first` }),
  prompt,
  streams: (request) => Json.object(request.body).stream !== false,
  headers: () => ({}),
  whole,
  streamContentType: "application/x-ndjson",
  stream,
  error,
  streamError: (details) => line(error(details)),
  malformed: "{\"model\":\"sim\",\"mess\n",
  // The API has no keep-alive; a blank line is what a proxy could send.
  ping: "\n",
  tokenCount: (tokens) => ({ tokens }),
  models: (ids) => ({ models: ids.map(model) }),
  model: () => ({ status: "success" }),
  usualModels: ["qwen3:8b", "gpt-oss:20b"]
}
