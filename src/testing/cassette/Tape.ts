/**
 * What a cassette file is: exchanges in the order in which they were asked for, as JSON that a person can read and compare.
 *
 * Text of a body is a list of its lines, JSON is JSON, anything else is base64; beside it stand the sizes of the chunks in which it came.
 *
 * @since 0.1.0
 */
import { Buffer } from "node:buffer"
import type { Json } from "../../Message.ts"

/** Bytes, and how they came. */
export interface RecordedBody {
  /** A body of one JSON document, where that spells the same text again. */
  readonly json?: Json | undefined
  /** The lines of any other text. */
  readonly text?: ReadonlyArray<string> | undefined
  /** Anything else. */
  readonly base64?: string | undefined
  /** Bytes of each chunk; absent when it came in one. */
  readonly chunks?: ReadonlyArray<number> | undefined
  /** Milliseconds from the request to each chunk. */
  readonly millis?: ReadonlyArray<number> | undefined
  /** Set when it broke: the system's code, and what was said. */
  readonly broken?: Broken | undefined
  /** `true` when the reader had enough before the end: no more is known, and it stays open when it is played. */
  readonly open?: boolean | undefined
}

/** How a connection failed. */
export interface Broken {
  /** The system's code, such as `ECONNRESET`; absent when it had none. */
  readonly code?: string | undefined
  /** What went wrong, scrubbed. */
  readonly message: string
}

/** A request, as far as it may be written down. */
export interface RecordedRequest {
  /** HTTP method, in capitals. */
  readonly method: string
  /** Address with its query, secrets masked. */
  readonly url: string
  /** Names in lower case; only those that matter to the answer, secrets masked. */
  readonly headers: { readonly [name: string]: string }
  /** The JSON that was sent, secrets masked; absent for a request without one. */
  readonly body?: Json | undefined
}

/** A response. */
export interface RecordedResponse {
  /** HTTP status. */
  readonly status: number
  /** Names in lower case, without those of the connection, secrets masked. */
  readonly headers: { readonly [name: string]: string }
  /** The bytes in their chunks, as text or JSON where they are. */
  readonly body: RecordedBody
}

/** A request and what became of it. */
export interface RecordedExchange {
  /** What was sent. */
  readonly request: RecordedRequest
  /** What came back; absent when the connection failed. */
  readonly response?: RecordedResponse | undefined
  /** In place of a response: the connection failed. */
  readonly failed?: Broken | undefined
}

const format = "effect-llm cassette"

/**
 * The text of a file.
 *
 * @stability experimental
 * @category encoding
 * @since 0.1.0
 */
export const print = (exchanges: ReadonlyArray<RecordedExchange>): string =>
  `${JSON.stringify({ format, exchanges }, undefined, 2)}\n`

const isRecord = (u: unknown): u is { readonly [name: string]: unknown } =>
  typeof u === "object" && u !== null && !Array.isArray(u)

const isExchange = (u: unknown): u is RecordedExchange => {
  if (!isRecord(u) || !isRecord(u["request"])) return false
  const { method, url } = u["request"]
  const { failed, response } = u
  if (typeof method !== "string" || typeof url !== "string") return false
  if (isRecord(failed)) return typeof failed["message"] === "string"
  return isRecord(response) && Number.isInteger(response["status"]) && isRecord(response["headers"]) &&
    isRecord(response["body"])
}

/**
 * The exchanges of a file, or why it is none.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const parse = (text: string): ReadonlyArray<RecordedExchange> | string => {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    return error instanceof Error ? error.message : "It is no JSON."
  }
  if (!isRecord(value) || value["format"] !== format || !Array.isArray(value["exchanges"])) {
    return `It is no cassette: "format" must be "${format}".`
  }
  const exchanges: ReadonlyArray<unknown> = value["exchanges"]
  const broken = exchanges.findIndex((exchange) => !isExchange(exchange))
  return broken === -1 ? exchanges as ReadonlyArray<RecordedExchange> : `Exchange ${broken + 1} is none.`
}

// =============================================================================
// Bodies
// =============================================================================

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })
const utf8 = new TextEncoder()

/** The text of bytes, `undefined` for what is none. */
export const textIn = (bytes: Uint8Array): string | undefined => {
  try {
    const text = strict.decode(bytes)
    // oxlint-disable-next-line no-control-regex -- what a person cannot read is better off as base64
    return /[\u0000-\u0008\u000e-\u001f]/.test(text) ? undefined : text
  } catch {
    return undefined
  }
}

const jsonIn = (text: string): { readonly json: Json } | undefined => {
  if (!/^\s*[[{]/.test(text)) return undefined
  try {
    const json = JSON.parse(text) as Json
    return JSON.stringify(json) === text ? { json } : undefined
  } catch {
    return undefined
  }
}

/**
 * Chunks as they are written down. What was scrubbed has another length: the sizes are then those of the nearest cuts.
 *
 * @stability experimental
 * @category encoding
 * @since 0.1.0
 */
export const bodyOf = (
  chunks: ReadonlyArray<Uint8Array>,
  scrub: (text: string) => string,
  maskJson: (json: Json) => Json
): Pick<RecordedBody, "base64" | "chunks" | "json" | "text"> => {
  const bytes = Buffer.concat(chunks)
  const text = textIn(bytes)
  const sizes = chunks.map((chunk) => chunk.length)
  if (text === undefined) {
    const binary = bytes.toString("latin1")
    const clean = Buffer.from(scrub(binary), "latin1")
    return { base64: scrub(clean.toString("base64")), ...cuts(sizes, clean.length) }
  }
  const parsed = jsonIn(text)
  const clean = scrub(parsed === undefined ? text : JSON.stringify(maskJson(parsed.json)))
  const body = jsonIn(clean) ?? { text: clean.split("\n") }
  return { ...body, ...cuts(sizes, utf8.encode(clean).length) }
}

const cuts = (sizes: ReadonlyArray<number>, length: number): Pick<RecordedBody, "chunks"> => {
  const chunks: Array<number> = []
  let left = length
  for (const [at, size] of sizes.entries()) {
    const taken = at === sizes.length - 1 ? left : Math.min(size, left)
    if (taken > 0) chunks.push(taken)
    left -= taken
  }
  return chunks.length > 1 ? { chunks } : {}
}

/**
 * The chunks of a body that was written down.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const chunksOf = ({ base64, chunks, json, text }: RecordedBody): ReadonlyArray<Uint8Array> => {
  const bytes = base64 === undefined
    ? utf8.encode(json === undefined ? (text ?? []).join("\n") : JSON.stringify(json))
    : new Uint8Array(Buffer.from(base64, "base64"))
  const out: Array<Uint8Array> = []
  let at = 0
  for (const size of chunks ?? []) {
    if (!(size > 0) || at >= bytes.length) continue
    out.push(bytes.subarray(at, at + size))
    at += size
  }
  if (at < bytes.length) out.push(bytes.subarray(at))
  return out
}
