/**
 * The Amazon Bedrock Converse API as the simulator plays it: `/model/{modelId}/converse`, `/converse-stream` and
 * `/count-tokens`, with answers as AWS event streams.
 *
 * Spells answers, recognises requests and reads them; what makes a request wrong is in `BedrockValidation.ts`. Signatures
 * are not verified: an access key in the Authorization header is a credential like an API key.
 *
 * https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html
 *
 * @since 0.1.0
 */
import { crc32 } from "../../protocol/bedrock/EventStream.ts"
import type { ErrorDetails, Headers } from "./Answer.ts"
import { validate } from "./BedrockValidation.ts"
import * as Json from "./Json.ts"
import type { Frame, IncomingRequest, Prompt, Reply, Wire } from "./Wire.ts"
import { idNumber, pieces } from "./Wire.ts"

const encoder = new TextEncoder()

/** `00000000-0000-4000-8000-000000000001` */
const requestId = (request: IncomingRequest): string =>
  `00000000-0000-4000-8000-${String(request.number).padStart(12, "0")}`

const callId = (reply: Reply, index: number): string => `tooluse_sim${idNumber(reply.number)}_${index}`

const pathPattern = /\/model\/([^/]+)\/(converse|converse-stream|count-tokens)$/

// =============================================================================
// Event stream
// =============================================================================

/**
 * A message of an AWS event stream, with string headers: https://smithy.io/2.0/aws/amazon-eventstream.html
 *
 * @category event streams
 * @since 0.1.0
 */
export const eventStreamMessage = (headers: Headers, payload: string | Uint8Array): Uint8Array => {
  const body = typeof payload === "string" ? encoder.encode(payload) : payload
  const head = Object.entries(headers).flatMap(([name, value]) => {
    const [key, text] = [encoder.encode(name), encoder.encode(value)]
    return [key.length, ...key, 7, text.length >> 8, text.length & 0xff, ...text]
  })
  const bytes = new Uint8Array(16 + head.length + body.length)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, bytes.length)
  view.setUint32(4, head.length)
  view.setUint32(8, crc32(bytes, 0, 8))
  bytes.set(head, 12)
  bytes.set(body, 12 + head.length)
  view.setUint32(bytes.length - 4, crc32(bytes, 0, bytes.length - 4))
  return bytes
}

/** An event. `p` fills up its length, so that lengths on the network tell nothing of the text. */
const event = (name: string, fields: Json.JsonObject, padding = 0): Uint8Array =>
  eventStreamMessage(
    { ":event-type": name, ":content-type": "application/json", ":message-type": "event" },
    JSON.stringify(padding === 0 ? fields : { ...fields, p: "abcdefghijklmnopqrstuvwxyz".slice(0, padding) })
  )

const exception = (name: string, message: string): Uint8Array =>
  eventStreamMessage(
    { ":exception-type": name, ":content-type": "application/json", ":message-type": "exception" },
    JSON.stringify({ message })
  )

// =============================================================================
// Reading
// =============================================================================

const modelOf = (request: IncomingRequest): string => {
  const found = pathPattern.exec(request.path)?.[1] ?? ""
  try {
    return decodeURIComponent(found)
  } catch {
    return found
  }
}

const converseOf = (request: IncomingRequest): Json.JsonObject => {
  const body = Json.object(request.body)
  return request.path.endsWith("/count-tokens") ? Json.object(Json.object(body.input).converse) : body
}

const blocksOf = (message: unknown): ReadonlyArray<Json.JsonObject> =>
  Json.array(Json.object(message).content).map(Json.object)

const schemaOf = (body: Json.JsonObject): Json.JsonObject | undefined => {
  const structure = Json.object(Json.object(Json.object(body.outputConfig).textFormat).structure)
  const schema = Json.object(structure.jsonSchema).schema
  const parsed = typeof schema === "string" ? Json.parse(schema) : undefined
  return Json.isObject(parsed) ? parsed : undefined
}

const prompt = (request: IncomingRequest): Prompt => {
  const body = converseOf(request)
  const messages = Json.array(body.messages).map(Json.object)
  const asked = messages.filter((message) => message.role === "user").map((message) =>
    Json.contentText(message.content)
  )
    .filter((text) => text !== "")
  const last = messages.at(-1)
  const results = last?.role === "user" ? blocksOf(last).filter((block) => block.toolResult !== undefined) : []
  const config = Json.object(body.toolConfig)
  const choice = Json.object(config.toolChoice)
  const chosen = Json.object(choice.tool).name
  const more = Json.object(body.additionalModelRequestFields)
  const thinking = Json.object(more.thinking).type
  const maxTokens = Json.object(body.inferenceConfig).maxTokens
  return {
    model: modelOf(request),
    userText: asked.at(-1) ?? "",
    toolResults: results.map((block) => Json.contentText(Json.object(block.toolResult).content)),
    tools: Json.array(config.tools).map((tool) => Json.object(Json.object(tool).toolSpec))
      .filter((spec) => typeof spec.name === "string").map((spec) => ({
        name: Json.string(spec.name),
        description: Json.string(spec.description),
        schema: Json.object(Json.object(spec.inputSchema).json)
      })),
    toolChoice: typeof chosen === "string" ? { name: chosen } : choice.any === undefined ? "auto" : "required",
    responseSchema: schemaOf(body),
    reasoning: thinking === "enabled" || thinking === "adaptive" ||
      Json.object(more.reasoningConfig).type === "enabled" || more.reasoning_effort !== undefined,
    maxTokens: typeof maxTokens === "number" ? maxTokens : undefined,
    inputText: [body.system, ...messages.map((message) => message.content), config.tools]
      .map((content) => content === undefined ? "" : JSON.stringify(content)).join("\n")
  }
}

/** The API key, or the access key that signed. */
const credential = ({ headers }: IncomingRequest): string | undefined => {
  const given = headers.authorization
  if (given === undefined) return undefined
  return /^AWS4-HMAC-SHA256\s.*Credential=([^/,\s]+)\//.exec(given)?.[1] ?? given.replace(/^bearer\s+/i, "")
}

// =============================================================================
// Answers
// =============================================================================

const stopReasons: Readonly<Record<string, string>> = {
  stop: "end_turn",
  length: "max_tokens",
  "tool-calls": "tool_use",
  "content-filter": "content_filtered",
  "context-window": "model_context_window_exceeded",
  error: "malformed_model_output"
}

const stopReason = (reply: Reply): string => stopReasons[reply.finish] ?? reply.finish

/** Input tokens exclude what a cache read or wrote. */
const usage = ({ usage }: Reply) => ({
  inputTokens: Math.max(0, usage.input - usage.cacheRead - usage.cacheWrite),
  outputTokens: usage.output,
  totalTokens: usage.input + usage.output,
  cacheReadInputTokens: usage.cacheRead,
  cacheWriteInputTokens: usage.cacheWrite
})

const contentBlock = (reply: Reply) => (part: Reply["parts"][number], index: number): Json.JsonObject => {
  switch (part.type) {
    case "text":
      return { text: part.text }
    case "reasoning":
      return part.encrypted !== undefined ? { reasoningContent: { redactedContent: part.encrypted } } : {
        reasoningContent: {
          reasoningText: { text: part.text, ...(part.signature === undefined ? {} : { signature: part.signature }) }
        }
      }
    case "tool-call":
      return {
        toolUse: {
          toolUseId: part.id ?? callId(reply, index),
          name: part.name,
          input: Json.parse(part.argumentsText === "" ? "{}" : part.argumentsText) ?? part.argumentsText
        }
      }
  }
}

const whole = (reply: Reply) => ({
  metrics: { latencyMs: 100 },
  output: { message: { content: reply.parts.map(contentBlock(reply)), role: "assistant" } },
  stopReason: stopReason(reply),
  usage: usage(reply)
})

/** Only calls have a start; the others begin with their first delta. */
const startOf = (reply: Reply, index: number): Json.JsonObject | undefined => {
  const part = reply.parts[index]!
  return part.type === "tool-call"
    ? { toolUse: { toolUseId: part.id ?? callId(reply, index), name: part.name } }
    : undefined
}

const deltasOf = (reply: Reply, index: number): ReadonlyArray<Json.JsonObject> => {
  const part = reply.parts[index]!
  switch (part.type) {
    case "text":
      return pieces(part.text, reply.chunkSize).map((text) => ({ text }))
    case "reasoning":
      return part.encrypted !== undefined ? [{ reasoningContent: { redactedContent: part.encrypted } }] : [
        ...pieces(part.text, reply.chunkSize).map((text) => ({ reasoningContent: { text } })),
        ...(part.signature === undefined ? [] : [{ reasoningContent: { signature: part.signature } }])
      ]
    case "tool-call":
      return pieces(part.argumentsText, reply.chunkSize).map((input) => ({ toolUse: { input } }))
  }
}

const stream = (reply: Reply): ReadonlyArray<Frame> => {
  const frames: Array<Frame> = []
  const content = (name: string, fields: Json.JsonObject) =>
    frames.push({ kind: "content", data: event(name, fields, 1 + (frames.length % 26)) })
  content("messageStart", { role: "assistant" })
  for (const index of reply.parts.keys()) {
    const start = startOf(reply, index)
    if (start !== undefined) content("contentBlockStart", { contentBlockIndex: index, start })
    for (const delta of deltasOf(reply, index)) content("contentBlockDelta", { contentBlockIndex: index, delta })
    content("contentBlockStop", { contentBlockIndex: index })
  }
  frames.push({ kind: "terminal", data: event("messageStop", { stopReason: stopReason(reply) }, 5) })
  frames.push({ kind: "done", data: event("metadata", { usage: usage(reply), metrics: { latencyMs: 100 } }, 9) })
  return frames
}

// https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html#API_runtime_Converse_Errors
const usualErrors: Readonly<Record<number, readonly [type: string, message: string]>> = {
  400: ["ValidationException", "The request is not valid."],
  401: ["UnrecognizedClientException", "The security token included in the request is invalid."],
  403: ["AccessDeniedException", "You don't have access to the model with the specified model ID."],
  404: ["ResourceNotFoundException", "Could not resolve the foundation model from the provided model identifier."],
  408: ["ModelTimeoutException", "The model took too long to answer. Try again."],
  413: ["ValidationException", "Input is too long for requested model."],
  424: ["ModelErrorException", "The model could not process the request."],
  429: ["ThrottlingException", "Too many requests, please wait before trying again."],
  500: [
    "InternalServerException",
    "The system encountered an unexpected error during processing. Try your request again."
  ],
  503: ["ServiceUnavailableException", "Bedrock is unable to process your request."]
}

const errorOf = (details: ErrorDetails): { readonly type: string; readonly message: string } => {
  const [type, message] = usualErrors[details.status === 200 ? 503 : details.status] ?? usualErrors[500]!
  return { type: details.type ?? type, message: details.message ?? message }
}

/**
 * The Amazon Bedrock Converse API. Its stream has no keep-alive; the simulator's is an event that no client knows.
 *
 * @category wires
 * @since 0.1.0
 */
export const bedrockConverse: Wire = {
  name: "bedrock-converse",
  operation: ({ method, path }) => {
    const found = method === "POST" ? pathPattern.exec(path)?.[2] : undefined
    if (found !== undefined) return found === "count-tokens" ? "countTokens" : "generate"
    return method === "GET" && path.endsWith("/foundation-models") ? "models" : undefined
  },
  credential,
  unauthorized: (credential) => ({
    status: 403,
    ...(credential === undefined
      ? { type: "MissingAuthenticationTokenException", message: "Missing Authentication Token" }
      : { type: "UnrecognizedClientException", message: "The security token included in the request is invalid." })
  }),
  validate,
  unknownModel: () => ({ status: 400, message: "The provided model identifier is invalid." }),
  prompt,
  streams: ({ path }) => path.endsWith("/converse-stream"),
  headers: (request) => ({ "x-amzn-requestid": requestId(request) }),
  whole,
  streamContentType: "application/vnd.amazon.eventstream",
  stream,
  error: (details) => ({ message: errorOf(details).message }),
  errorHeaders: (details) => ({
    "x-amzn-errortype": `${errorOf(details).type}:http://internal.amazon.com/coral/com.amazon.bedrock/`
  }),
  streamError: (details) => {
    const { message, type } = errorOf(details)
    return exception(type.charAt(0).toLowerCase() + type.slice(1), message)
  },
  malformed: eventStreamMessage(
    { ":event-type": "contentBlockDelta", ":content-type": "application/json", ":message-type": "event" },
    "{\"contentBlockIndex\":0,\"del"
  ),
  ping: event("keepAlive", {}),
  tokenCount: (tokens) => ({ inputTokens: tokens }),
  models: (ids) => ({
    modelSummaries: ids.map((modelId) => ({
      modelArn: `arn:aws:bedrock:us-east-1::foundation-model/${modelId}`,
      modelId,
      modelName: modelId,
      inferenceTypesSupported: ["ON_DEMAND"],
      responseStreamingSupported: true
    }))
  }),
  model: (id) => ({ modelDetails: { modelId: id, modelName: id } }),
  usualModels: ["anthropic.claude-sonnet-4-5-20250929-v1:0", "amazon.nova-lite-v1:0"]
}
