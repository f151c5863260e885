/**
 * The Gemini API as the simulator plays it, under the paths of AI Studio and of Vertex AI: `generateContent`,
 * `streamGenerateContent` (server-sent events with `alt=sse`, else one JSON array), `countTokens` and `models`.
 *
 * Spells answers, recognises requests and reads them; what makes a request wrong is in `GeminiValidation.ts`.
 *
 * https://ai.google.dev/api/generate-content and https://ai.google.dev/gemini-api/docs/troubleshooting
 *
 * @since 0.1.0
 */
import type { ErrorDetails } from "./Answer.ts"
import { validate } from "./GeminiValidation.ts"
import * as Json from "./Json.ts"
import type { Frame, IncomingRequest, Operation, Prompt, Reply, Wire } from "./Wire.ts"
import { idNumber, pieces } from "./Wire.ts"

const methodPath = /\/models\/([^/:]+):(generateContent|streamGenerateContent|countTokens)$/

const credential = ({ headers, query }: IncomingRequest): string | undefined =>
  headers["x-goog-api-key"] ?? query.get("key") ?? headers.authorization?.replace(/^bearer\s+/i, "") ?? undefined

const operation = (request: IncomingRequest): Operation | undefined => {
  const { headers, method, path, query } = request
  if (method === "POST") {
    const called = methodPath.exec(path)?.[2]
    return called === undefined ? undefined : called === "countTokens" ? "countTokens" : "generate"
  }
  // Others have the same paths: Google's own ways to send a key tell.
  if (method !== "GET" || (headers["x-goog-api-key"] === undefined && !query.has("key"))) return undefined
  return path.endsWith("/models") ? "models" : /\/models\/[^/]+$/.test(path) ? "model" : undefined
}

// =============================================================================
// Reading
// =============================================================================

const partsOf = (content: unknown): ReadonlyArray<Json.JsonObject> => {
  const { parts } = Json.object(content)
  return (Array.isArray(parts) ? parts : [parts]).map(Json.object)
}

const textOf = (content: unknown): string => partsOf(content).map((part) => Json.string(part.text)).join("")

const resultText = (part: Json.JsonObject): string => {
  const response = Json.object(Json.object(part.functionResponse).response)
  const output = response.output ?? response.error ?? response.result
  return typeof output === "string" ? output : JSON.stringify(output ?? response)
}

const toolsOf = (body: Json.JsonObject): Prompt["tools"] =>
  Json.array(body.tools).flatMap((tool) =>
    Json.array(Json.object(tool).functionDeclarations).map(Json.object).map((declared) => ({
      name: Json.string(declared.name),
      description: Json.string(declared.description),
      schema: Json.object(declared.parametersJsonSchema ?? lowerTypes(declared.parameters))
    }))
  )

/** OpenAPI schemas write types in capitals. */
const lowerTypes = (value: unknown): unknown =>
  Array.isArray(value)
    ? value.map(lowerTypes)
    : Json.isObject(value)
    ? Object.fromEntries(
      Object.entries(value).map(([key, child]) => [
        key,
        key === "type" && typeof child === "string" ? child.toLowerCase() : lowerTypes(child)
      ])
    )
    : value

const choiceOf = (body: Json.JsonObject): Prompt["toolChoice"] => {
  const config = Json.object(Json.object(body.toolConfig).functionCallingConfig)
  if (config.mode === "NONE") return "none"
  if (config.mode !== "ANY") return "auto"
  const names = Json.array(config.allowedFunctionNames)
  return names.length === 1 ? { name: Json.string(names[0]) } : "required"
}

const prompt = (request: IncomingRequest): Prompt => {
  const body = Json.object(request.body)
  const contents = Json.array(body.contents).map(Json.object)
  const last = contents.at(-1)
  const config = Json.object(body.generationConfig)
  const thinking = Json.object(config.thinkingConfig)
  const schema = config.responseJsonSchema ?? lowerTypes(config.responseSchema)
  const asked = contents.filter((content) => content.role !== "model").map(textOf).filter((text) => text !== "")
  return {
    model: decodeURIComponent(methodPath.exec(request.path)?.[1] ?? ""),
    userText: asked.at(-1) ?? "",
    toolResults: partsOf(last).filter((part) => part.functionResponse !== undefined).map(resultText),
    tools: toolsOf(body),
    toolChoice: choiceOf(body),
    responseSchema: Json.isObject(schema) ? schema : undefined,
    reasoning: thinking.includeThoughts === true,
    maxTokens: typeof config.maxOutputTokens === "number" ? config.maxOutputTokens : undefined,
    inputText: JSON.stringify([body.systemInstruction, contents, body.tools])
  }
}

// =============================================================================
// Answers
// =============================================================================

const finishReasons: Readonly<Record<string, string>> = {
  stop: "STOP",
  "tool-calls": "STOP",
  length: "MAX_TOKENS",
  "context-window": "MAX_TOKENS",
  "content-filter": "SAFETY",
  refusal: "SAFETY",
  error: "MALFORMED_FUNCTION_CALL",
  other: "OTHER"
}

/** Candidates exclude thoughts; what came from a cache is part of the prompt. */
const usageOf = ({ usage }: Reply) => ({
  promptTokenCount: usage.input,
  ...(usage.cacheRead > 0 ? { cachedContentTokenCount: usage.cacheRead } : {}),
  candidatesTokenCount: Math.max(0, usage.output - usage.reasoning),
  totalTokenCount: usage.input + usage.output,
  promptTokensDetails: [{ modality: "TEXT", tokenCount: usage.input }],
  ...(usage.reasoning > 0 ? { thoughtsTokenCount: usage.reasoning } : {})
})

const envelope = (reply: Reply) => ({ modelVersion: reply.model, responseId: `sim${idNumber(reply.number)}` })

const partOf = (part: Reply["parts"][number]): Json.JsonObject => {
  switch (part.type) {
    case "text":
      return { text: part.text }
    case "reasoning":
      return {
        text: part.text,
        thought: true,
        ...(part.signature === undefined ? {} : { thoughtSignature: part.signature })
      }
    case "tool-call":
      return {
        functionCall: {
          ...(part.id === undefined ? {} : { id: part.id }),
          name: part.name,
          args: Json.parse(part.argumentsText === "" ? "{}" : part.argumentsText) ?? part.argumentsText
        }
      }
  }
}

const candidateOf = (parts: ReadonlyArray<Json.JsonObject>, finishReason?: string) => ({
  content: { parts, role: "model" },
  ...(finishReason === undefined ? {} : { finishReason }),
  index: 0
})

const finishOf = (reply: Reply): string => finishReasons[reply.finish] ?? reply.finish

const whole = (reply: Reply) => ({
  candidates: [candidateOf(reply.parts.map(partOf), finishOf(reply))],
  usageMetadata: usageOf(reply),
  ...envelope(reply)
})

/** Text comes in pieces, the signature of a thought with its last one; a call comes whole. */
const piecesOf = (reply: Reply, part: Reply["parts"][number]): ReadonlyArray<Json.JsonObject> => {
  if (part.type === "tool-call") return [partOf(part)]
  const texts = pieces(part.text, reply.chunkSize)
  return (texts.length === 0 ? [""] : texts).map((text, i) => {
    const { thoughtSignature, ...rest } = partOf(part)
    return { ...rest, text, ...(thoughtSignature !== undefined && i >= texts.length - 1 ? { thoughtSignature } : {}) }
  })
}

const isSse = (request: IncomingRequest): boolean => request.query.get("alt") === "sse"

const stream = (reply: Reply, request: IncomingRequest): ReadonlyArray<Frame> => {
  const responses: Array<{ readonly kind: Frame["kind"]; readonly body: unknown }> = []
  const input = { promptTokenCount: reply.usage.input, totalTokenCount: reply.usage.input }
  for (const part of reply.parts) {
    for (const piece of piecesOf(reply, part)) {
      responses.push({
        kind: "content",
        body: { candidates: [candidateOf([piece])], usageMetadata: input, ...envelope(reply) }
      })
    }
  }
  // The last response repeats an empty text and says how the answer finished.
  responses.push({
    kind: "terminal",
    body: {
      candidates: [candidateOf([{ text: "" }], finishOf(reply))],
      usageMetadata: usageOf(reply),
      ...envelope(reply)
    }
  })
  if (isSse(request)) {
    return responses.map(({ body, kind }) => ({ kind, data: `data: ${JSON.stringify(body)}\r\n\r\n` }))
  }
  return [
    ...responses.map(({ body, kind }, i): Frame => ({
      kind,
      data: `${i === 0 ? "[" : ",\r\n"}${JSON.stringify(body)}`
    })),
    { kind: "done", data: "\n]\n" }
  ]
}

// =============================================================================
// Errors and lists
// =============================================================================

const usualErrors: Readonly<Record<number, readonly [status: string, message: string]>> = {
  400: ["INVALID_ARGUMENT", "Request contains an invalid argument."],
  401: ["UNAUTHENTICATED", "Request had invalid authentication credentials."],
  403: ["PERMISSION_DENIED", "The caller does not have permission"],
  404: ["NOT_FOUND", "Requested entity was not found."],
  429: ["RESOURCE_EXHAUSTED", "Resource has been exhausted (e.g. check quota)."],
  499: ["CANCELLED", "The operation was cancelled."],
  500: ["INTERNAL", "An internal error has occurred. Please retry."],
  503: ["UNAVAILABLE", "The model is overloaded. Please try again later."],
  504: ["DEADLINE_EXCEEDED", "Deadline expired before operation could complete."]
}

const error = (details: ErrorDetails) => {
  const code = details.status === 200 ? 503 : details.status
  const [status, message] = usualErrors[code] ?? usualErrors[500]!
  const given = details.code === undefined ? code : Number(details.code)
  return {
    error: {
      code: Number.isNaN(given) ? code : given,
      message: details.message ?? message,
      status: details.type ?? status
    }
  }
}

const model = (id: string) => ({
  name: `models/${id}`,
  version: "001",
  displayName: id,
  inputTokenLimit: 1_048_576,
  outputTokenLimit: 65_536,
  supportedGenerationMethods: ["generateContent", "countTokens"]
})

/**
 * The Gemini API.
 *
 * @category wires
 * @since 0.1.0
 */
export const geminiGenerateContent: Wire = {
  name: "gemini-generate-content",
  operation,
  credential,
  // https://ai.google.dev/gemini-api/docs/troubleshooting: a wrong key is an invalid argument.
  unauthorized: (credential) =>
    credential === undefined
      ? {
        status: 403,
        message:
          "Method doesn't allow unregistered callers (callers without established identity). Please use API Key or other form of API consumer identity to call this API."
      }
      : { status: 400, message: "API key not valid. Please pass a valid API key." },
  validate,
  unknownModel: (model) => ({
    status: 404,
    message:
      `models/${model} is not found for API version v1beta, or is not supported for generateContent. Call ListModels to see the list of available models and their supported methods.`
  }),
  prompt,
  streams: ({ path }) => path.endsWith(":streamGenerateContent"),
  headers: () => ({ "x-gemini-service-tier": "standard", vary: "Origin" }),
  whole,
  streamContentType: "text/event-stream",
  stream,
  error,
  streamError: (details, request) =>
    isSse(request) ? `data: ${JSON.stringify(error(details))}\r\n\r\n` : `,\r\n${JSON.stringify(error(details))}]`,
  malformed: "data: {\"candidates\": [{\"content\": {\"par\r\n\r\n",
  ping: ": ping\r\n\r\n",
  tokenCount: (tokens) => ({ totalTokens: tokens, promptTokensDetails: [{ modality: "TEXT", tokenCount: tokens }] }),
  models: (ids) => ({ models: ids.map(model) }),
  model,
  usualModels: ["gemini-3.5-flash", "gemini-3.1-pro-preview", "gemini-2.5-flash"]
}
