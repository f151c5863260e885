/**
 * Cuts bytes into frames and hands each to a decoder.
 *
 * Owns server-sent events and NDJSON, their line endings, size limits and oddities, and the case that
 * the body is no stream at all: the first character tells a JSON document or an HTML page from a
 * stream, whatever the content type says. What a frame means is the decoder's business.
 *
 * SSE: https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
 *
 * @since 0.1.0
 */
import type { Decoder, Framing, FramingKind } from "../protocol/Protocol.ts"
import {
  addStray,
  ArrayDocument,
  type Document,
  HtmlDocument,
  isUnfinished,
  JsonDocument,
  maxFrameLength,
  noAnswer,
  stopped,
  tooLong
} from "./Documents.ts"
import { JsonEnd } from "./JsonEnd.ts"
import { Utf8Chunks } from "./Utf8.ts"

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
  /** Takes over from the lines: the body turned out to be one document. */
  readonly document: JsonDocument | undefined
  /** The document turned out to be the beginning of a stream: takes it, and gives the text of the lines that follow. */
  readStream?(): string
  /** Whether a line that is a whole JSON document may be handed on before its end has come. */
  readonly lineIsDocument: boolean
  /** Set when the bytes have ended: what still comes was not terminated and may be cut. */
  ending: boolean
  /** Whether the bytes have ended within a frame. */
  readonly cut: boolean
  /** The beginning of the lines that are none of a stream; `undefined` once one has come that is. */
  readonly stray: string | undefined
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
  /** Looks at the first {@link fed} pieces of the line that has begun. */
  private lineEnd: JsonEnd | undefined
  private fed = 0
  private carriageReturn = false

  constructor(decoder: Decoder, sink: LineSink) {
    this.decoder = decoder
    this.sink = sink
  }

  push(bytes: Uint8Array): void {
    this.accept(this.text.decode(bytes))
  }

  pause(): "document" | "line" | undefined {
    const document = this.document ?? this.sink.document
    if (document !== undefined) return document.pause?.()
    if (!this.sink.lineIsDocument || this.partialLength === 0) return undefined
    const end = this.lineEnd ??= new JsonEnd()
    while (this.fed < this.partial.length) end.push(this.partial[this.fed++]!)
    if (end.closed) this.wholeLine("")
    return undefined
  }

  end(): void {
    this.accept(this.text.end())
    const document = this.document ?? this.sink.document
    if (document !== undefined) return document.end()
    this.sink.ending = true
    if (this.partialLength > 0) this.wholeLine("")
    if (!stopped(this.decoder)) this.sink.end()
    const { stray } = this.sink
    if (stray !== undefined && !stopped(this.decoder) && !isCutField(stray)) noAnswer(this.decoder, stray)
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
    if (this.document !== undefined) return this.grow(this.document, text)
    if (this.sink.document !== undefined) return this.growSink(this.sink.document, text)
    this.lines(text)
  }

  private grow(document: Document, text: string): void {
    document.push(text)
    if (!(document instanceof JsonDocument) || !document.isStream) return
    // A proxy put its error, or the first frame without the field name, before the stream.
    this.document = undefined
    this.lines(document.text())
  }

  private growSink(document: JsonDocument, text: string): void {
    document.push(text)
    const stream = document.isStream ? this.sink.readStream?.() : undefined
    if (stream !== undefined && !stopped(this.decoder)) this.lines(stream)
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
      if (this.partialLength + to - from > maxFrameLength) return tooLong(this.decoder, maxFrameLength)
      if (this.partialLength === 0) this.sink.line(text, from, to)
      else this.wholeLine(text.slice(from, to))
      if (stopped(this.decoder)) return
      from = to + 1
      if (this.sink.document !== undefined) return this.growSink(this.sink.document, text.slice(from))
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
    this.lineEnd = undefined
    this.fed = 0
    this.sink.line(line, 0, line.length)
  }
}

// =============================================================================
// Server-sent events
// =============================================================================

const field = /^(?:data|event|id|retry)(?::|$)/

/** Whether text is nothing, or the beginning of a stream whose rest did not come. */
const isCutField = (text: string): boolean =>
  ["data", "event", "id", "retry", "error"].some((name) => name.startsWith(text.trim()))

class SseLines implements LineSink {
  ending = false
  cut = false
  stray: string | undefined = ""
  readonly document = undefined
  readonly lineIsDocument = false
  private readonly decoder: Decoder
  /** The first data line of the event, and those after it: joined once, when the event is whole. */
  private data: string | undefined
  private more: Array<string> | undefined
  private dataLength = 0
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
          this.stray = undefined
          this.dataLine(text.slice(text.charCodeAt(from + 5) === 32 ? from + 6 : from + 5, to))
          return
        }
        break
      case 101: // e
        if (this.eventOrError(text.slice(from, to))) return
        break
      case 123: // { : a JSON object without the field name, as some proxies append errors
        this.stray = undefined
        this.dispatch()
        if (text.slice(from, to).trimEnd().endsWith("}")) this.decoder.frame(text.slice(from, to), "")
        else this.bare = [text.slice(from, to)]
        return
    }
    // Comments (":"), "id:", "retry:" and unknown fields mean nothing here.
    if (this.stray === undefined) return
    if (text.charCodeAt(from) === 58 || field.test(text.slice(from, Math.min(to, from + 8)))) this.stray = undefined
    else this.stray = addStray(this.stray, text, from, to)
  }

  /** `false` when the line is neither. */
  private eventOrError(line: string): boolean {
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
    } else {
      return false
    }
    this.stray = undefined
    return true
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
    const { data, more } = this
    if (data === undefined) {
      this.data = value
      return
    }
    const last = more === undefined ? data : more[more.length - 1]!
    // Two whole objects on consecutive lines: the blank line between two events was left out.
    if (last.endsWith("}") && (value.startsWith("{") || value === "[DONE]")) {
      const event = this.event
      this.dispatch()
      this.event = event
      this.data = value
      return
    }
    if (more === undefined) {
      this.more = [value]
      this.dataLength = data.length + 1 + value.length
    } else {
      more.push(value)
      this.dataLength += 1 + value.length
    }
    if (this.dataLength > maxFrameLength) tooLong(this.decoder, maxFrameLength)
  }

  private dispatch(): void {
    const { event, more } = this
    let { data } = this
    this.data = undefined
    this.event = ""
    if (more !== undefined) {
      this.more = undefined
      data = `${data}\n${more.join("\n")}`
    }
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
  stray: string | undefined = ""
  document: JsonDocument | undefined
  readonly lineIsDocument = true
  private readonly decoder: Decoder
  private first = true
  /** The event that a proxy named for the data that follows. */
  private event = ""

  constructor(decoder: Decoder) {
    this.decoder = decoder
  }

  line(text: string, from: number, to: number): void {
    const line = text.slice(from, to)
    const first = line.trimStart().charCodeAt(0)
    if (Number.isNaN(first)) return
    const isData = line.startsWith("data:")
    const isField = isData || line.startsWith("event:") || line.startsWith("error:") || first === 58
    if (first === 123 || isField) this.stray = undefined
    else if (this.stray !== undefined) this.stray = addStray(this.stray, text, from, to)
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
    if (isField) this.field(line)
    else this.decoder.frame(line, "")
  }

  /** Some proxies speak SSE where NDJSON is promised. */
  private field(line: string): void {
    const value = line.slice(line.indexOf(":") + 1).trim()
    if (line.startsWith("data:")) {
      const { event } = this
      this.event = ""
      if (value !== "" && value !== "[DONE]") this.decoder.frame(value, event)
    } else if (line.startsWith("event:")) {
      this.event = value
    } else if (line.startsWith("error:")) {
      this.decoder.frame(value, "error")
    }
  }

  readStream(): string {
    const { before, stream } = this.document!.split()
    this.document = undefined
    this.decoder.frame(before, "")
    return stream
  }

  end(): void {}
}
