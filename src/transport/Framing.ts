/**
 * Cuts bytes into frames and hands each to a decoder.
 *
 * Owns server-sent events and NDJSON, their line endings, size limits and oddities, and the case that
 * the body is no stream at all: the first character tells a JSON document or an HTML page from a
 * stream, whatever the content type says; a JSON document in which a line of a stream follows is a stream. What a frame means is the decoder's business.
 *
 * SSE: https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
 *
 * @since 0.1.0
 */
import type { Decoder, Framing, FramingKind } from "../protocol/Protocol.ts"
import { Utf8Chunks } from "./Utf8.ts"

/**
 * Largest frame that is read, in characters.
 *
 * @category limits
 * @since 0.1.0
 */
const maxFrameLength = 16 * 1024 * 1024

/**
 * Largest body of a whole (not streamed) answer, in characters.
 *
 * @category limits
 * @since 0.1.0
 */
const maxDocumentLength = 128 * 1024 * 1024

/**
 * The framing of a wire.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (kind: FramingKind, decoder: Decoder): Framing => {
  const text = () => new TextFraming(decoder, kind === "ndjson" ? new NdjsonLines(decoder) : new SseLines(decoder))
  return typeof kind === "function" ? kind(decoder, text) : text()
}

// =============================================================================
// Lines
// =============================================================================

interface LineSink {
  /** A line: from `from` to before `to`, so that only what is kept of it is cut out. */
  line(text: string, from: number, to: number): void
  end(): void
  /** Set when the bytes have ended: what still comes was not terminated and may be cut. */
  ending: boolean
  /** Whether the bytes have ended within a frame. */
  readonly cut: boolean
}

const tooLong = (decoder: Decoder, limit: number) =>
  decoder.assembler.fail({ kind: "parse", message: `The provider sent a frame of more than ${limit} characters.` })

const stopped = (decoder: Decoder) => decoder.assembler.finished || decoder.assembler.failure !== undefined

/**
 * Whether the text stops inside a JSON object or list. At the end of the bytes that is a cut, which the decoder tells
 * from an answer that only lacks its bookkeeping; anywhere else it is no JSON.
 */
const isUnfinished = (text: string): boolean => {
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

const isSpace = (code: number) => code === 32 || code === 10 || code === 13 || code === 9

/**
 * Decodes text, decides by its first character what the body is, and splits a stream into lines.
 */
class TextFraming implements Framing {
  private readonly text = new Utf8Chunks()
  private readonly decoder: Decoder
  private readonly sink: LineSink
  private document: Document | undefined
  private decided = false
  private partial: Array<string> = []
  private partialLength = 0
  private carriageReturn = false

  constructor(decoder: Decoder, sink: LineSink) {
    this.decoder = decoder
    this.sink = sink
  }

  push(bytes: Uint8Array): void {
    this.accept(this.text.decode(bytes))
  }

  end(): void {
    this.accept(this.text.end())
    if (this.document !== undefined) return this.document.end()
    this.sink.ending = true
    if (this.partialLength > 0) this.wholeLine("")
    if (!stopped(this.decoder)) this.sink.end()
    if (!stopped(this.decoder)) this.decoder.end(this.sink.cut)
  }

  private accept(text: string): void {
    if (text === "" || stopped(this.decoder)) return
    if (!this.decided) {
      let at = 0
      while (at < text.length && isSpace(text.charCodeAt(at))) at++
      if (at === text.length) return
      this.decided = true
      const first = text[at]!
      if (first === "<") this.document = new HtmlDocument(this.decoder)
      else if (first === "[") this.document = new ArrayDocument(this.decoder)
      else if (first === "{" && this.sink instanceof SseLines) this.document = new JsonDocument(this.decoder)
    }
    const { document } = this
    if (document === undefined) return this.lines(text)
    document.push(text)
    if (!(document instanceof JsonDocument) || !document.isStream) return
    // A proxy put its error, or the first frame without the field name, before the stream.
    this.document = undefined
    this.lines(document.text())
  }

  private lines(chunk: string): void {
    let text = chunk
    if (this.carriageReturn) {
      this.carriageReturn = false
      if (text.charCodeAt(0) === 10) text = text.slice(1)
    }
    if (text.includes("\r")) {
      this.carriageReturn = text.endsWith("\r")
      text = text.replace(/\r\n?/g, "\n")
    }
    let from = 0
    let to = text.indexOf("\n")
    while (to !== -1) {
      if (this.partialLength === 0) this.sink.line(text, from, to)
      else this.wholeLine(text.slice(from, to))
      if (stopped(this.decoder)) return
      from = to + 1
      to = text.indexOf("\n", from)
    }
    if (from < text.length) {
      this.partial.push(from === 0 ? text : text.slice(from))
      this.partialLength += text.length - from
      if (this.partialLength > maxFrameLength) tooLong(this.decoder, maxFrameLength)
    }
  }

  /** A line whose beginning came earlier. */
  private wholeLine(end: string): void {
    this.partial.push(end)
    const line = this.partial.join("")
    this.partial = []
    this.partialLength = 0
    this.sink.line(line, 0, line.length)
  }
}

// =============================================================================
// Server-sent events
// =============================================================================

class SseLines implements LineSink {
  ending = false
  cut = false
  private readonly decoder: Decoder
  private data: string | undefined
  private event = ""
  /** Lines of a JSON object without the field name that spans several, as Google appends errors. */
  private bare: Array<string> | undefined
  private bareLength = 0
  /** The last line that named an event, and its name: most lines repeat it. */
  private eventLine = ""
  private eventName = ""

  constructor(decoder: Decoder) {
    this.decoder = decoder
  }

  line(text: string, from: number, to: number): void {
    if (this.bare !== undefined) return this.bareLine(text.slice(from, to))
    if (from === to) return this.dispatch()
    switch (text.charCodeAt(from)) {
      case 100: // d
        if (text.startsWith("data:", from)) {
          this.dataLine(text.slice(text.charCodeAt(from + 5) === 32 ? from + 6 : from + 5, to))
        }
        return
      case 101: // e
        return this.eventOrError(text.slice(from, to))
      case 123: // { : a JSON object without the field name, as some proxies append errors
        this.dispatch()
        if (text.slice(from, to).trimEnd().endsWith("}")) this.decoder.frame(text.slice(from, to), "")
        else this.bare = [text.slice(from, to)]
        return
    }
    // Comments (":"), "id:", "retry:" and unknown fields mean nothing here.
  }

  private eventOrError(line: string): void {
    if (line === this.eventLine || line.startsWith("event:")) {
      // An event name after data means that the blank line between two events was left out.
      if (this.data !== undefined) this.dispatch()
      if (line !== this.eventLine) {
        this.eventLine = line
        this.eventName = line.slice(6).trim()
      }
      this.event = this.eventName
    } else if (line.startsWith("error:")) {
      this.dispatch()
      this.decoder.frame(line.slice(6).trim(), "error")
    }
  }

  end(): void {
    if (this.bare !== undefined) this.endBare()
    this.dispatch()
  }

  private bareLine(line: string): void {
    if (line.startsWith("data:") || line.startsWith("event:")) {
      this.endBare()
      if (!stopped(this.decoder)) this.line(line, 0, line.length)
      return
    }
    this.bare!.push(line)
    this.bareLength += line.length
    if (this.bareLength > maxFrameLength) return tooLong(this.decoder, maxFrameLength)
    // Pretty-printed: the last line is the only one that begins with the brace.
    if (line.startsWith("}")) this.endBare()
  }

  private endBare(): void {
    const text = this.bare!.join("\n")
    this.bare = undefined
    this.bareLength = 0
    if (this.ending && isUnfinished(text)) this.cut = true
    else this.decoder.frame(text, "")
  }

  private dataLine(value: string): void {
    const pending = this.data
    if (pending === undefined) {
      this.data = value
      return
    }
    // Two whole objects on consecutive lines: the blank line between two events was left out.
    if (pending.endsWith("}") && (value.startsWith("{") || value === "[DONE]")) {
      const event = this.event
      this.dispatch()
      this.event = event
      this.data = value
      return
    }
    this.data = `${pending}\n${value}`
    if (this.data.length > maxFrameLength) tooLong(this.decoder, maxFrameLength)
  }

  private dispatch(): void {
    const data = this.data
    const event = this.event
    this.data = undefined
    this.event = ""
    // A comment that a proxy wrapped into a data line begins with ":".
    if (data === undefined || data === "") return
    const first = data.charCodeAt(0)
    if (first === 58 || (first !== 123 && data.trim() === "")) return
    if (this.ending && isUnfinished(data)) this.cut = true
    else if (!stopped(this.decoder)) this.decoder.frame(data, event)
  }
}

// =============================================================================
// NDJSON
// =============================================================================

class NdjsonLines implements LineSink {
  ending = false
  cut = false
  private readonly decoder: Decoder
  private document: JsonDocument | undefined
  /** Whether the document's last brace has come, which is the only one that begins a line. */
  private documentEnded = false
  private first = true
  /** The event that a proxy named for the data that follows. */
  private event = ""

  constructor(decoder: Decoder) {
    this.decoder = decoder
  }

  line(text: string, from: number, to: number): void {
    const line = text.slice(from, to)
    if (this.document !== undefined) {
      if (!this.goesOn(line)) return
      this.decoder.frame(this.document.text(), "")
      this.document = undefined
      if (stopped(this.decoder)) return
    }
    if (line.trim() === "") return
    const isData = line.startsWith("data:")
    if (this.ending && isUnfinished(isData ? line.slice(5) : line)) {
      this.cut = true
      return
    }
    if (this.first) {
      this.first = false
      // A pretty-printed object: the body is one document, not lines.
      if (line.trim() === "{") {
        this.document = new JsonDocument(this.decoder)
        return this.document.push(`${line}\n`)
      }
    }
    // Some proxies speak SSE where NDJSON is promised.
    if (isData) {
      const data = line.slice(5).trim()
      const event = this.event
      this.event = ""
      if (data !== "" && data !== "[DONE]") this.decoder.frame(data, event)
    } else if (line.startsWith("event:")) {
      this.event = line.slice(6).trim()
    } else if (line.startsWith("error:")) {
      this.decoder.frame(line.slice(6).trim(), "error")
    } else if (!line.startsWith(":")) {
      this.decoder.frame(line, "")
    }
  }

  /** Adds a line to the document; gives whether it is the first of a stream that goes on after it. */
  private goesOn(line: string): boolean {
    if (this.documentEnded ? line.trim() !== "" : streamField.test(line)) return true
    this.documentEnded ||= line.startsWith("}")
    this.document!.push(`${line}\n`)
    return false
  }

  end(): void {
    this.document?.end()
  }
}

// =============================================================================
// Documents
// =============================================================================

interface Document {
  push(text: string): void
  end(): void
}

/** A field of an event stream, or a comment. No line of a JSON document begins so. */
const streamField = /^(?:data|event|id|retry|error)?:/
const streamLine = /[\r\n](?:data|event|id|retry|error)?:/
/** How much of such a line may lie in the chunk before. */
const streamLineLength = 6

class JsonDocument implements Document {
  /** Whether a line of an event stream has come: then this is no document. */
  isStream = false
  private readonly decoder: Decoder
  private readonly pieces: Array<string> = []
  private length = 0
  private last = ""

  constructor(decoder: Decoder) {
    this.decoder = decoder
  }

  push(text: string): void {
    this.isStream ||= streamLine.test(text) ||
      (this.last !== "" && streamLine.test(this.last + text.slice(0, streamLineLength)))
    this.last = text.length < streamLineLength
      ? (this.last + text).slice(-streamLineLength)
      : text.slice(-streamLineLength)
    this.pieces.push(text)
    this.length += text.length
    if (this.length > maxDocumentLength) tooLong(this.decoder, maxDocumentLength)
  }

  text(): string {
    return this.pieces.join("")
  }

  end(): void {
    if (stopped(this.decoder)) return
    const text = this.text()
    let body
    try {
      body = JSON.parse(text)
    } catch {
      return this.notOneDocument(text)
    }
    this.decoder.whole(body)
    if (!stopped(this.decoder)) this.decoder.end()
  }

  /** One object per line without "data:" is still a stream; its last line may be cut. */
  private notOneDocument(text: string): void {
    const lines = text.split(/\r\n|\r|\n/).filter((line) => line.trim() !== "")
    const last = lines.at(-1)!
    const cut = isUnfinished(last)
    if (cut) lines.pop()
    const isFrame = (line: string) => (line.startsWith("{") && line.trimEnd().endsWith("}")) || line.trim() === "[DONE]"
    if (lines.length > (cut ? 0 : 1) && lines.every(isFrame)) {
      for (const line of lines) if (!stopped(this.decoder)) this.decoder.frame(line, "")
      if (!stopped(this.decoder)) this.decoder.end(cut)
      return
    }
    this.decoder.assembler.fail(
      isUnfinished(text)
        ? { kind: "incomplete", message: "The body ended inside the JSON document.", body: text.slice(-200) }
        : { kind: "parse", message: "The body is not JSON.", body: text }
    )
  }
}

/** A stream spelled as one JSON array: each element is a frame as soon as it is whole. */
class ArrayDocument implements Document {
  private readonly decoder: Decoder
  private pieces: Array<string> = []
  private length = 0
  private depth = 0
  private inString = false
  private escaped = false

  constructor(decoder: Decoder) {
    this.decoder = decoder
  }

  push(text: string): void {
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
          this.decoder.frame(frame, "")
          if (stopped(this.decoder)) return
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
    if (!stopped(this.decoder)) this.decoder.end(this.depth !== 0)
  }
}

class HtmlDocument implements Document {
  private readonly decoder: Decoder
  private text = ""

  constructor(decoder: Decoder) {
    this.decoder = decoder
  }

  push(text: string): void {
    if (this.text.length < 2048) this.text += text.slice(0, 2048)
  }

  end(): void {
    const title = /<title[^>]*>([^<]*)/i.exec(this.text)?.[1]?.trim()
    this.decoder.assembler.fail({
      kind: "parse",
      message: `The body is a page, not an answer${
        title === undefined ? "" : ` ("${title}")`
      }. Check the base URL and any proxy.`,
      body: this.text
    })
  }
}
