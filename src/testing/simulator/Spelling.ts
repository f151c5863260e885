/**
 * Turns what a request deserves into a response in the words of its wire: refusals, listings, and answers
 * with every default filled in.
 *
 * @since 0.1.0
 */
import { inputTokens } from "../../model/estimate.ts"
import type { AnswerContext, Decoded, EncodedError, Frame, Operation, ServerProtocol } from "../../protocol/Server.ts"
import type { Answer, ErrorDetails, Faults, Headers, ReplyAnswer } from "./Answer.ts"
import { type Played, played } from "./Reply.ts"
import { contextOf, type IncomingRequest, vendorOf } from "./Vendor.ts"

/**
 * What a request must fulfil to be answered.
 *
 * @stability stable
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
 * @stability stable
 * @category spelling
 * @since 0.1.0
 */
export const refuse = (
  request: IncomingRequest,
  wire: ServerProtocol,
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
  const model = operation === "model" ? modelInPath(request) : decoded(request, wire).model
  return options.models.includes(model) ? undefined : wire.unknownModel(model)
}

const empty: Decoded = {
  request: { messages: [{ role: "user", content: "" }] },
  model: "",
  stream: false,
  warnings: []
}

/**
 * What a request says; one that cannot be read, and is not refused for it, says nothing.
 *
 * @stability stable
 * @category spelling
 * @since 0.1.0
 */
export const decoded = (request: IncomingRequest, wire: ServerProtocol): Decoded => {
  const read = wire.decodeRequest(request)
  return "refused" in read ? empty : read
}

const modelInPath = ({ path }: IncomingRequest): string =>
  decodeURIComponent(path.slice(path.lastIndexOf("/models/") + 8))

// =============================================================================
// Responses
// =============================================================================

/**
 * A response ready to be sent.
 *
 * @stability stable
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
 * @stability stable
 * @category spelling
 * @since 0.1.0
 */
export const listing = (
  request: IncomingRequest,
  wire: ServerProtocol,
  operation: Operation,
  models: ReadonlyArray<string> = vendorOf(wire).usualModels
): unknown =>
  operation === "countTokens"
    ? wire.encodeTokenCount(inputTokens(decoded(request, wire).request))
    : operation === "model"
    ? wire.encodeModel(modelInPath(request))
    : wire.encodeModels(models)

/**
 * An answer as the wire sends it.
 *
 * @stability stable
 * @category spelling
 * @since 0.1.0
 */
export const spell = (request: IncomingRequest, wire: ServerProtocol, answer: Answer): Response => {
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
  const context = contextOf(request, wire)
  if ("error" in answer) {
    const { body, headers, status }: EncodedError = wire.encodeErrorDetails(
      withEcho(answer.error, wire, request),
      context
    )
    return json(request, wire, body, { ...answer, headers: { ...headers, ...answer.headers } }, status)
  }
  const { response, events, stream } = replied(answer, request, wire)
  const refused = response.finishReason === "refusal"
  if (!stream) return json(request, wire, wire.encodeAnswer(response, context).body, answer)
  const encoder = wire.answerEncoder({ ...context, refused })
  return {
    ...json(request, wire, undefined, answer),
    headers: {
      ...headersOf(request, wire, context),
      "content-type": wire.streamContentType(context),
      "cache-control": "no-cache",
      ...answer.headers
    },
    frames: events.flatMap((event) => encoder.add(event))
  }
}

const replied = (
  answer: ReplyAnswer,
  request: IncomingRequest,
  wire: ServerProtocol
): Played & { readonly stream: boolean } => {
  const { model, request: asked, stream } = decoded(request, wire)
  const { number } = request
  const custom = new Set((asked.tools ?? []).filter((tool) => tool.type === "custom").map((tool) => tool.name))
  const to = { wire: wire.wire, vendor: vendorOf(wire), number, model, inputTokens: inputTokens(asked), custom }
  return { ...played(answer, to), stream }
}

const headersOf = (request: IncomingRequest, wire: ServerProtocol, context: AnswerContext): Headers => ({
  ...wire.headers(context),
  ...vendorOf(wire).headers(request.number)
})

/**
 * A JSON response, in two frames so that faults can act within it.
 *
 * @stability stable
 * @category spelling
 * @since 0.1.0
 */
export const json = (
  request: IncomingRequest,
  wire: ServerProtocol,
  body: unknown,
  answer: Partial<Pick<Answer, "delayMillis" | "faults" | "headers">> = {},
  status = 200
): Response => {
  const text = JSON.stringify(body) ?? ""
  const half = Math.ceil(text.length / 2)
  const context = contextOf(request, wire)
  return {
    status,
    headers: { ...headersOf(request, wire, context), "content-type": "application/json", ...answer.headers },
    frames: [text.slice(0, half), text.slice(half)].map((data) => ({ kind: "content", data })),
    delayMillis: answer.delayMillis ?? 0,
    faults: answer.faults ?? {},
    streamError: wire.encodeStreamError(
      withEcho(answer.faults?.streamError ?? { status: 200 }, wire, request),
      context,
      answer.faults?.errorAfter ?? 0
    ),
    malformed: vendorOf(wire).malformed,
    ping: wire.ping
  }
}

const withEcho = (error: ErrorDetails, wire: ServerProtocol, request: IncomingRequest): ErrorDetails =>
  error.echoKey === true
    ? { ...error, message: `${error.message ?? "Invalid credential"}: ${wire.credential(request) ?? ""}` }
    : error

/**
 * The response to a request that no wire recognises.
 *
 * @stability stable
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
