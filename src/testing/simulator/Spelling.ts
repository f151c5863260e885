/**
 * Turns what a request deserves into a response in the words of its wire: refusals, listings, and answers
 * with every default filled in.
 *
 * @since 0.1.0
 */
import type { Answer, ErrorDetails, Faults, Headers, ReplyAnswer } from "./Answer.ts"
import type { Frame, IncomingRequest, Operation, Reply, ReplyToolCall, Wire } from "./Wire.ts"
import { tokensOf } from "./Wire.ts"

/**
 * What a request must fulfil to be answered.
 *
 * @category models
 * @since 0.1.0
 */
export interface Entrance {
  /** Credentials that are accepted; any other is answered with 401. @default any */
  readonly keys?: ReadonlyArray<string> | undefined
  /** Whether a request needs a credential; local servers need none. @default true */
  readonly requireKey?: boolean | undefined
  /** Models that exist; any other is answered with 404. @default any */
  readonly models?: ReadonlyArray<string> | undefined
  /** Refuses requests that the real API would refuse. @default true */
  readonly validate?: boolean | undefined
}

/**
 * The error that a request gets before any answer is looked for, in the order in which APIs check.
 *
 * @category spelling
 * @since 0.1.0
 */
export const refuse = (
  request: IncomingRequest,
  wire: Wire,
  operation: Operation,
  options: Entrance
): ErrorDetails | undefined => {
  const credential = wire.credential(request)
  const mayEnter = credential === undefined || credential === ""
    ? options.requireKey === false
    : options.keys?.includes(credential) ?? true
  if (!mayEnter) return wire.unauthorized(credential)
  const invalid = options.validate === false ? undefined : wire.validate(request, operation)
  if (invalid !== undefined || options.models === undefined || operation === "models") return invalid
  const model = operation === "model" ? modelInPath(request) : wire.prompt(request).model
  return options.models.includes(model) ? undefined : wire.unknownModel(model)
}

const modelInPath = ({ path }: IncomingRequest): string =>
  decodeURIComponent(path.slice(path.lastIndexOf("/models/") + 8))

// =============================================================================
// Responses
// =============================================================================

/**
 * A response ready to be sent.
 *
 * @category models
 * @since 0.1.0
 */
export interface Response {
  readonly status: number
  readonly headers: Headers
  readonly frames: ReadonlyArray<Frame>
  readonly delayMillis: number
  readonly faults: Faults
  /** In-stream error, broken frame and keep-alive in the words of the wire. */
  readonly streamError: string | Uint8Array
  readonly malformed: string | Uint8Array
  readonly ping: string | Uint8Array
}

/**
 * The body for an operation that no model is needed for.
 *
 * @category spelling
 * @since 0.1.0
 */
export const listing = (
  request: IncomingRequest,
  wire: Wire,
  operation: Operation,
  models: ReadonlyArray<string> = wire.usualModels
): unknown =>
  operation === "countTokens"
    ? wire.tokenCount(tokensOf(wire.prompt(request).inputText))
    : operation === "model"
    ? wire.model(modelInPath(request))
    : wire.models(models)

/**
 * An answer as the wire sends it.
 *
 * @category spelling
 * @since 0.1.0
 */
export const spell = (request: IncomingRequest, wire: Wire, answer: Answer): Response => {
  if ("raw" in answer) {
    const { body, headers, status } = answer.raw
    const chunks = typeof body === "string" || body instanceof Uint8Array ? [body] : body
    return {
      ...json(request, wire, undefined, answer),
      status: status ?? 200,
      headers: { ...(headers ?? { "content-type": "application/json" }), ...answer.headers },
      frames: chunks.map((data): Frame => ({ kind: "content", data }))
    }
  }
  if ("error" in answer) {
    const { error } = answer
    return json(request, wire, wire.error(withEcho(error, wire, request), request), {
      ...answer,
      headers: {
        ...wire.errorHeaders?.(error, request),
        ...(error.retryAfter === undefined ? {} : { "retry-after": String(error.retryAfter) }),
        ...error.headers,
        ...answer.headers
      }
    }, error.status)
  }
  const reply = complete(answer, request, wire)
  const response = json(request, wire, wire.streams(request) ? undefined : wire.whole(reply, request), answer)
  return wire.streams(request)
    ? {
      ...response,
      headers: {
        ...wire.headers(request),
        "content-type": wire.streamContentType,
        "cache-control": "no-cache",
        ...answer.headers
      },
      frames: wire.stream(reply, request)
    }
    : response
}

/**
 * A JSON response, in two frames so that faults can act within it.
 *
 * @category spelling
 * @since 0.1.0
 */
export const json = (
  request: IncomingRequest,
  wire: Wire,
  body: unknown,
  answer: Partial<Pick<Answer, "delayMillis" | "faults" | "headers">> = {},
  status = 200
): Response => {
  const text = JSON.stringify(body) ?? ""
  const half = Math.ceil(text.length / 2)
  return {
    status,
    headers: { ...wire.headers(request), "content-type": "application/json", ...answer.headers },
    frames: [text.slice(0, half), text.slice(half)].map((data) => ({ kind: "content", data })),
    delayMillis: answer.delayMillis ?? 0,
    faults: answer.faults ?? {},
    streamError: wire.streamError(
      withEcho(answer.faults?.streamError ?? { status: 200 }, wire, request),
      request
    ),
    malformed: wire.malformed,
    ping: wire.ping
  }
}

const withEcho = (error: ErrorDetails, wire: Wire, request: IncomingRequest): ErrorDetails =>
  error.echoKey === true
    ? { ...error, message: `${error.message ?? "Invalid credential"}: ${wire.credential(request) ?? ""}` }
    : error

/**
 * The response to a request that no wire recognises.
 *
 * @category spelling
 * @since 0.1.0
 */
export const notFound = (request: IncomingRequest): Response => ({
  status: 404,
  headers: { "content-type": "application/json" },
  frames: [{
    kind: "content",
    data: JSON.stringify({
      error: {
        message: `Invalid URL (${request.method} ${request.path})`,
        type: "invalid_request_error",
        param: null,
        code: null
      }
    })
  }],
  delayMillis: 0,
  faults: {},
  streamError: "",
  malformed: "",
  ping: ""
})

const lengthOf = (part: Reply["parts"][number]): number =>
  tokensOf(part.type === "tool-call" ? part.name + part.argumentsText : part.text)

const complete = (answer: ReplyAnswer, request: IncomingRequest, wire: Wire): Reply => {
  const { inputText, model } = wire.prompt(request)
  const parts = answer.parts.map((part) =>
    part.type === "tool-call"
      ? {
        type: part.type,
        id: part.id,
        name: part.name,
        argumentsText: typeof part.arguments === "string" ? part.arguments : JSON.stringify(part.arguments ?? {})
      } satisfies ReplyToolCall
      : part
  )
  const reasoning = parts.filter((part) => part.type === "reasoning").reduce((sum, part) => sum + lengthOf(part), 0)
  const usage = answer.usage ?? {
    input: tokensOf(inputText),
    output: parts.reduce((sum, part) => sum + lengthOf(part), 0),
    reasoning
  }
  return {
    number: request.number,
    model,
    parts,
    finish: answer.finish ?? (parts.some((part) => part.type === "tool-call") ? "tool-calls" : "stop"),
    usage: {
      ...usage,
      reasoning: usage.reasoning ?? 0,
      cacheRead: usage.cacheRead ?? 0,
      cacheWrite: usage.cacheWrite ?? 0
    },
    chunkSize: answer.chunkSize ?? 8
  }
}
