/**
 * Bodies that are one document and no stream, whatever their content type says: JSON, a list of frames, a page.
 *
 * @since 0.1.0
 */
import { whyNotJson } from "../json/parse.ts"
import type { Json } from "../Message.ts"
import type { Decoder } from "../protocol/Protocol.ts"
import { JsonEnd } from "./JsonEnd.ts"
import { titleOf } from "./Page.ts"

/**
 * Largest frame that is read, in characters.
 *
 * @category limits
 * @since 0.1.0
 */
export const maxFrameLength = 16 * 1024 * 1024

/**
 * Largest body of a whole (not streamed) answer, in characters.
 *
 * @category limits
 * @since 0.1.0
 */
const maxDocumentLength = 128 * 1024 * 1024

// =============================================================================
// What is no answer
// =============================================================================

/**
 * How much of a body that is no answer is shown, in characters.
 *
 * @category limits
 * @since 0.1.0
 */
const maxStray = 512

/**
 * Adds a line that is none of a stream to those before it, as far as they are shown.
 *
 * @category decoding
 * @since 0.1.0
 */
export const addStray = (stray: string, text: string, from: number, to: number): string =>
  stray.length < maxStray ? `${stray}${text.slice(from, Math.min(to, from + maxStray))}\n` : stray

/**
 * A body that was read to its end and is nothing a provider sends: plain text, a number, `null`, a list of such.
 *
 * @category decoding
 * @since 0.1.0
 */
export const noAnswer = (decoder: Decoder, body: string) =>
  decoder.assembler.fail({
    kind: "parse",
    message: "The body is not an answer of this API. Check the base URL and any proxy.",
    body: body.trimEnd()
  })

/**
 * A frame or document beyond its bound.
 *
 * @category decoding
 * @since 0.1.0
 */
export const tooLong = (decoder: Decoder, limit: number) =>
  decoder.assembler.fail({ kind: "parse", message: `The provider sent a frame of more than ${limit} characters.` })

/**
 * Whether nothing that still comes counts.
 *
 * @category decoding
 * @since 0.1.0
 */
export const stopped = (decoder: Decoder) => decoder.assembler.finished || decoder.assembler.failure !== undefined

/**
 * Whether the text stops inside a JSON object or list. At the end of the bytes that is a cut, which the decoder tells
 * from an answer that only lacks its bookkeeping; anywhere else it is no JSON.
 *
 * @category decoding
 * @since 0.1.0
 */
export const isUnfinished = (text: string): boolean => {
  if (!/^\s*[[{]/.test(text)) return false
  let depth = 0
  let inString = false
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === 34) inString = !inString
    else if (inString) at += code === 92 ? 1 : 0
    else if (code === 123 || code === 91) depth++
    else if (code === 125 || code === 93) depth--
  }
  return inString || depth > 0
}

// =============================================================================
// Documents
// =============================================================================

/**
 * A body that is no stream, on its way.
 *
 * @category models
 * @since 0.1.0
 */
export interface Document {
  push(text: string): void
  /** What has closed, if nothing more should come: the document, or one line of several that may come. */
  pause?(): "document" | "line" | undefined
  end(): void
}

/** A field of an event stream, or a comment. No line of a JSON document begins so. */
const streamLine = /[\r\n](?:data|event|id|retry|error)?:/
/** How much of such a line may lie in the chunk before. */
const streamLineLength = 6

const isFrame = (line: string): boolean =>
  (line.startsWith("{") && line.trimEnd().endsWith("}")) || line.trim() === "[DONE]"

/**
 * A JSON object that is the whole body, or the beginning of a stream that a proxy put before it.
 *
 * @category models
 * @since 0.1.0
 */
export class JsonDocument implements Document {
  /** Whether a line of an event stream has come: then this is no document. */
  isStream = false
  private readonly decoder: Decoder
  private readonly json = new JsonEnd()
  private length = 0
  private last = ""

  constructor(decoder: Decoder) {
    this.decoder = decoder
  }

  pause(): "document" | "line" | undefined {
    return this.json.closed ? (this.json.isLine ? "line" : "document") : undefined
  }

  push(text: string): void {
    this.isStream ||= streamLine.test(text) ||
      (this.last !== "" && streamLine.test(this.last + text.slice(0, streamLineLength)))
    this.last = text.length < streamLineLength
      ? (this.last + text).slice(-streamLineLength)
      : text.slice(-streamLineLength)
    this.json.push(text)
    this.length += text.length
    if (this.length > maxDocumentLength) tooLong(this.decoder, maxDocumentLength)
  }

  /** All that has come. */
  text(): string {
    return this.json.text
  }

  /** What has come before the first line of a stream, and from it on. */
  split(): { readonly before: string; readonly stream: string } {
    const { text } = this.json
    const at = text.search(streamLine)
    return at === -1 ? { before: text, stream: "" } : { before: text.slice(0, at), stream: text.slice(at + 1) }
  }

  end(): void {
    if (stopped(this.decoder)) return
    if (!this.json.closed) return this.notOneDocument(this.json.text)
    this.decoder.whole(this.json.body as Json)
    if (!stopped(this.decoder)) this.decoder.end()
  }

  /** One object per line without "data:" is still a stream; its last line may be cut. */
  private notOneDocument(text: string): void {
    const lines = text.split(/\r\n|\r|\n/).filter((line) => line.trim() !== "")
    const cut = isUnfinished(lines.at(-1)!)
    if (cut) lines.pop()
    if (lines.length > (cut ? 0 : 1) && lines.every(isFrame)) {
      for (const line of lines) if (!stopped(this.decoder)) this.decoder.frame(line, "")
      if (!stopped(this.decoder)) this.decoder.end(cut)
      return
    }
    this.decoder.assembler.fail(
      isUnfinished(text)
        ? { kind: "incomplete", message: "The body ended inside the JSON document.", body: text.slice(-200) }
        : { kind: "parse", message: `The body ${whyNotJson(text)}.`, body: text }
    )
  }
}

/**
 * A stream spelled as one JSON array: each element is a frame as soon as it is whole.
 *
 * @category models
 * @since 0.1.0
 */
export class ArrayDocument implements Document {
  private readonly decoder: Decoder
  private pieces: Array<string> = []
  private length = 0
  private depth = 0
  private inString = false
  private escaped = false
  /** Whether an element was an object. */
  private any = false
  private beginning = ""

  constructor(decoder: Decoder) {
    this.decoder = decoder
  }

  push(text: string): void {
    if (this.beginning.length < maxStray) this.beginning += text.slice(0, maxStray)
    let from = 0
    for (let at = 0; at < text.length; at++) {
      const code = text.charCodeAt(at)
      if (this.inString) {
        if (this.escaped) this.escaped = false
        else if (code === 92) this.escaped = true
        else if (code === 34) this.inString = false
        continue
      }
      if (code === 34) {
        this.inString = true
      } else if (code === 123 || code === 91) {
        if (this.depth === 1) from = at
        this.depth++
      } else if (code === 125 || code === 93) {
        this.depth--
        if (this.depth === 1) {
          this.pieces.push(text.slice(from, at + 1))
          const frame = this.pieces.join("")
          this.pieces = []
          this.length = 0
          if (frame.charCodeAt(0) === 123) this.any = true
          this.decoder.frame(frame, "")
          if (stopped(this.decoder)) return
        } else if (this.depth === 0) {
          // Whatever follows the list, it has ended, be the connection still open.
          return this.end()
        }
      }
    }
    if (this.depth > 1) {
      this.pieces.push(text.slice(from))
      this.length += text.length - from
      if (this.length > maxFrameLength) tooLong(this.decoder, maxFrameLength)
    }
  }

  end(): void {
    if (stopped(this.decoder)) return
    // A list that was closed with nothing in it that could be an answer.
    if (this.depth === 0 && !this.any) return noAnswer(this.decoder, this.beginning)
    this.decoder.end(this.depth !== 0)
  }
}

/** Far more than is shown of a page: what is cut here is not cut within a secret that is shown. */
const maxPage = 131_072

/**
 * A page, which is never an answer.
 *
 * @category models
 * @since 0.1.0
 */
export class HtmlDocument implements Document {
  private readonly decoder: Decoder
  private text = ""

  constructor(decoder: Decoder) {
    this.decoder = decoder
  }

  push(text: string): void {
    if (this.text.length < maxPage) this.text += text
  }

  end(): void {
    const title = titleOf(this.text)
    this.decoder.assembler.fail({
      kind: "parse",
      message: `The body is a page, not an answer${
        title === undefined ? "" : ` ("${title}")`
      }. Check the base URL and any proxy.`,
      body: this.text
    })
  }
}
