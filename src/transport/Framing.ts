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
import { whyNotJson } from "../internal/json.ts"
import type { Json } from "../Message.ts"
import type { Decoder, Framing, FramingKind } from "../protocol/Protocol.ts"
import { JsonEnd } from "./JsonEnd.ts"
import { titleOf } from "./Page.ts"
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
  /** Takes over from the lines: the body turned out to be one document. */
  readonly document: Document | undefined
  /** Whether a line that is a whole JSON document may be handed on before its end has come. */
  readonly lineIsDocument: boolean
  /** Set when the bytes have ended: what still comes was not terminated and may be cut. */
  ending: boolean
  /** The beginning of the lines that are none of a stream; `undefined` once one has come that is. */
  readonly stray: string | undefined
}

/** How much of a body that is no answer is shown. */
const maxStray = 512

const addStray = (stray: string, text: string, from: number, to: number): string =>
  stray.length < maxStray ? `${stray}${text.slice(from, Math.min(to, from + maxStray))}\n` : stray

/** A body that was read to its end and is nothing a provider sends: plain text, a number, `null`, a list of such. */
const noAnswer = (decoder: Decoder, body: string) =>
  decoder.assembler.fail({
    kind: "parse",
    message: "The body is not an answer of this API. Check the base URL and any proxy.",
    body: body.trimEnd()
  })

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
    if (!stopped(this.decoder)) this.decoder.end()
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
    const document = this.document ?? this.sink.document
    if (document !== undefined) document.push(text)
    else this.lines(text)
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
      if (this.sink.document !== undefined) return this.sink.document.push(text.slice(from))
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
    if (!this.ending || !isUnfinished(text)) this.decoder.frame(text, "")
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
    if (this.ending && isUnfinished(data)) return
    if (!stopped(this.decoder)) this.decoder.frame(data, event)
  }
}

// =============================================================================
// NDJSON
// =============================================================================

class NdjsonLines implements LineSink {
  ending = false
  stray: string | undefined = ""
  document: JsonDocument | undefined
  readonly lineIsDocument = true
  private readonly decoder: Decoder
  private first = true

  constructor(decoder: Decoder) {
    this.decoder = decoder
  }

  line(text: string, from: number, to: number): void {
    const line = text.slice(from, to)
    const first = line.trimStart().charCodeAt(0)
    if (Number.isNaN(first)) return
    if (first === 123 || line.startsWith("data:") || line.startsWith("event:") || first === 58) this.stray = undefined
    else if (this.stray !== undefined) this.stray = addStray(this.stray, text, from, to)
    if (this.ending && isUnfinished(line.startsWith("data:") ? line.slice(5) : line)) return
    if (this.first) {
      this.first = false
      // A pretty-printed object: the body is one document, not lines.
      if (line.trim() === "{") {
        this.document = new JsonDocument(this.decoder)
        return this.document.push(`${line}\n`)
      }
    }
    // Some proxies speak SSE where NDJSON is promised.
    if (line.startsWith("data:")) {
      const data = line.slice(5).trim()
      if (data !== "" && data !== "[DONE]") this.decoder.frame(data, "")
    } else if (!line.startsWith("event:") && !line.startsWith(":")) {
      this.decoder.frame(line, "")
    }
  }

  end(): void {}
}

// =============================================================================
// Documents
// =============================================================================

interface Document {
  push(text: string): void
  pause?(): "document" | "line" | undefined
  end(): void
}

class JsonDocument implements Document {
  private readonly decoder: Decoder
  private readonly json = new JsonEnd()
  private length = 0

  constructor(decoder: Decoder) {
    this.decoder = decoder
  }

  pause(): "document" | "line" | undefined {
    return this.json.closed ? (this.json.isLine ? "line" : "document") : undefined
  }

  push(text: string): void {
    this.json.push(text)
    this.length += text.length
    if (this.length > maxDocumentLength) tooLong(this.decoder, maxDocumentLength)
  }

  end(): void {
    if (stopped(this.decoder)) return
    if (!this.json.closed) return this.notOneDocument(this.json.text)
    this.decoder.whole(this.json.body as Json)
    if (!stopped(this.decoder)) this.decoder.end()
  }

  /** One object per line without "data:" is still a stream. */
  private notOneDocument(text: string): void {
    const lines = text.split(/\r\n|\r|\n/).filter((line) => line.trim() !== "")
    if (lines.length > 1 && lines.every((line) => line.startsWith("{") && line.trimEnd().endsWith("}"))) {
      for (const line of lines) if (!stopped(this.decoder)) this.decoder.frame(line, "")
      if (!stopped(this.decoder)) this.decoder.end()
      return
    }
    this.decoder.assembler.fail(
      isUnfinished(text)
        ? { kind: "incomplete", message: "The body ended inside the JSON document.", body: text.slice(-200) }
        : { kind: "parse", message: `The body ${whyNotJson(text)}.`, body: text }
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
          return this.decoder.end()
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
    this.decoder.end()
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
