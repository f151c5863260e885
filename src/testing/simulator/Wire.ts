/**
 * What the simulator asks of a wire: to recognise its requests, to judge them as the real API does,
 * and to spell answers in its own words. A new wire is one file that implements {@link Wire} and one
 * more entry in `Simulator.defaultWires`. Wires are pure; sockets and faults are none of their business.
 *
 * @since 0.1.0
 */
import type { FinishReason } from "../../LlmResponse.ts"
import type { ErrorDetails, Headers, ReasoningPart, ReplyUsage, TextPart } from "./Answer.ts"
import type { JsonObject } from "./Json.ts"

/**
 * A request as it came.
 *
 * @category models
 * @since 0.1.0
 */
export interface IncomingRequest {
  /** Number of the request on this simulator, from 1. */
  readonly number: number
  readonly method: string
  /** The path without the query. */
  readonly path: string
  readonly query: URLSearchParams
  /** Names in lower case; repeated headers are joined with a comma. */
  readonly headers: Headers
  readonly bodyText: string
  /** The parsed body, `undefined` when it is empty or no JSON. */
  readonly body: unknown
}

/**
 * What a request asks for.
 *
 * @category models
 * @since 0.1.0
 */
export type Operation = "generate" | "countTokens" | "models" | "model"

/**
 * A function tool as the request declares it.
 *
 * @category models
 * @since 0.1.0
 */
export interface PromptTool {
  readonly name: string
  readonly description: string
  readonly schema: JsonObject
}

/**
 * The neutral reading of a request, which the built-in model answers.
 *
 * @category models
 * @since 0.1.0
 */
export interface Prompt {
  readonly model: string
  /** Text of the last user message. */
  readonly userText: string
  /** Texts of the tool results that end the history; empty when it ends otherwise. */
  readonly toolResults: ReadonlyArray<string>
  readonly tools: ReadonlyArray<PromptTool>
  readonly toolChoice: "auto" | "none" | "required" | { readonly name: string }
  /** The schema of the JSON asked for, if any. */
  readonly responseSchema?: JsonObject | undefined
  readonly reasoning: boolean
  readonly maxTokens?: number | undefined
  /** Everything the model reads, for counting. */
  readonly inputText: string
}

/**
 * A tool call with what the wire needs to send it.
 *
 * @category models
 * @since 0.1.0
 */
export interface ReplyToolCall {
  readonly type: "tool-call"
  /** Set when the answer gave one. */
  readonly id?: string | undefined
  readonly name: string
  readonly argumentsText: string
}

/**
 * A reply with every default filled in.
 *
 * @category models
 * @since 0.1.0
 */
export interface Reply {
  readonly number: number
  readonly model: string
  readonly parts: ReadonlyArray<TextPart | ReasoningPart | ReplyToolCall>
  readonly finish: FinishReason | (string & {})
  readonly usage: ReplyUsage & { readonly reasoning: number; readonly cacheRead: number; readonly cacheWrite: number }
  readonly chunkSize: number
}

/**
 * What one frame is for: `terminal` says how the answer finished, `done` only that it is over.
 *
 * @category models
 * @since 0.1.0
 */
export interface Frame {
  readonly kind: "content" | "ping" | "terminal" | "done"
  readonly data: string | Uint8Array
}

/**
 * A wire of the simulator.
 *
 * @category models
 * @since 0.1.0
 */
export interface Wire {
  readonly name: string
  /** What a request asks for, `undefined` when it is not of this wire. */
  readonly operation: (request: IncomingRequest) => Operation | undefined
  readonly credential: (request: IncomingRequest) => string | undefined
  readonly unauthorized: (credential: string | undefined) => ErrorDetails
  /** The error the API would report, `undefined` for a proper request. */
  readonly validate: (request: IncomingRequest, operation: Operation) => ErrorDetails | undefined
  readonly unknownModel: (model: string) => ErrorDetails
  readonly prompt: (request: IncomingRequest) => Prompt
  readonly streams: (request: IncomingRequest) => boolean
  /** Headers of every response. */
  readonly headers: (request: IncomingRequest) => Headers
  /** The body of a whole answer. */
  readonly whole: (reply: Reply, request: IncomingRequest) => unknown
  readonly streamContentType: string
  readonly stream: (reply: Reply, request: IncomingRequest) => ReadonlyArray<Frame>
  /** The body of an error response. */
  readonly error: (error: ErrorDetails, request: IncomingRequest) => unknown
  /** Headers that only error responses have. */
  readonly errorHeaders?: ((error: ErrorDetails, request: IncomingRequest) => Headers) | undefined
  /** An error in the middle of a stream. */
  readonly streamError: (error: ErrorDetails, request: IncomingRequest) => string | Uint8Array
  /** A frame of this wire whose payload is broken. */
  readonly malformed: string | Uint8Array
  /** A keep-alive. */
  readonly ping: string | Uint8Array
  readonly tokenCount: (tokens: number) => unknown
  readonly models: (ids: ReadonlyArray<string>) => unknown
  readonly model: (id: string) => unknown
  /** Models that are listed when the simulator is not told which exist. */
  readonly usualModels: ReadonlyArray<string>
}

/**
 * The tokens a text counts as: a token is four characters.
 *
 * @category counting
 * @since 0.1.0
 */
export const tokensOf = (text: string): number => Math.ceil(text.length / 4)

/**
 * Cuts a text into pieces of so many UTF-16 units, one more where a piece would end in half a character.
 *
 * @category counting
 * @since 0.1.0
 */
export const pieces = (text: string, size: number): ReadonlyArray<string> => {
  const result: Array<string> = []
  for (let from = 0; from < text.length;) {
    let to = Math.min(text.length, from + Math.max(1, size))
    // Half a surrogate pair at the end takes its other half along.
    if (to < text.length && text.codePointAt(to - 1)! > 0xffff) to++
    result.push(text.slice(from, to))
    from = to
  }
  return result
}

/**
 * A counted number in the form that ids end in.
 *
 * @category counting
 * @since 0.1.0
 */
export const idNumber = (number: number): string => String(number).padStart(6, "0")
