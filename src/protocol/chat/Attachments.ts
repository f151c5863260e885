/**
 * What comes beside text: citations, images, sound, hosted tools and log probabilities. All of it is optional and
 * may lack fields; nothing here fails an answer.
 *
 * @since 0.1.0
 */
import { ownOf, setOwn } from "../../json/own.ts"
import type { AudioPart, ImagePart, Json, JsonObject, SourcePart } from "../../Message.ts"
import type { Assembler } from "../assembling.ts"
import { readDataUrl } from "../DataUrl.ts"
import { blank, blankBut, type Fields, filled, filledRecord, list, nonEmpty, record } from "../Probe.ts"

/** An image given as a data URL, a URL, or base64. */
const imageFrom = (value: unknown): ImagePart | undefined => {
  const fields = record(value)
  const inner = filled(fields?.["image_url"]) ?? filled(fields?.["url"]) ?? value
  const url = nonEmpty(inner) ?? nonEmpty(record(inner)?.["url"]) ?? nonEmpty(fields?.["url"])
  if (url !== undefined) {
    const inline = readDataUrl(url)
    return inline === undefined
      ? { type: "image", source: { type: "url", url } }
      : {
        type: "image",
        source: { type: "base64", mediaType: inline.mediaType || "image/png", data: inline.data }
      }
  }
  const data = nonEmpty(fields?.["b64_json"])
  return data === undefined
    ? undefined
    : { type: "image", source: { type: "base64", mediaType: nonEmpty(fields?.["media_type"]) ?? "image/png", data } }
}

const sourceFrom = (value: unknown): SourcePart | undefined => {
  const plain = nonEmpty(value)
  if (plain !== undefined) return { type: "source", url: plain, raw: plain }
  const fields = record(value)
  if (fields === undefined || blank(fields)) return undefined
  const inner = filledRecord(fields["url_citation"]) ?? filledRecord(fields["file_citation"]) ?? fields
  const url = nonEmpty(inner["url"]) ?? nonEmpty(inner["uri"])
  const title = nonEmpty(inner["title"]) ?? nonEmpty(inner["filename"])
  const citedText = nonEmpty(inner["content"]) ?? nonEmpty(inner["snippet"]) ?? nonEmpty(inner["quote"])
  return {
    type: "source",
    ...(url === undefined ? undefined : { url }),
    ...(title === undefined ? undefined : { title }),
    ...(citedText === undefined ? undefined : { citedText }),
    raw: fields as JsonObject
  }
}

/** Not an assignment, which would change the prototype for the name `__proto__`. */
const copyAll = (target: { [key: string]: unknown }, source: Fields): void => {
  for (const key in source) {
    Object.defineProperty(target, key, { value: source[key], writable: true, enumerable: true, configurable: true })
  }
}

/** What the first bytes say, in base64: the wire does not name the format it was asked for. */
const audioType = (data: string): string =>
  data.startsWith("UklGR")
    ? "audio/wav"
    : data.startsWith("SUQz") || data.startsWith("//")
    ? "audio/mpeg"
    : data.startsWith("T2dnUw")
    ? "audio/ogg"
    : data.startsWith("ZkxhQ")
    ? "audio/flac"
    : "audio/pcm"

const hostedLabels: ReadonlySet<string> = new Set(["index", "type"])

/** Joins base64 pieces; pieces that were padded one by one are decoded first. */
const joinBase64 = (pieces: ReadonlyArray<string>): string => {
  if (!pieces.slice(0, -1).some((piece) => piece.endsWith("="))) return pieces.join("")
  try {
    return btoa(pieces.map((piece) => atob(piece)).join(""))
  } catch {
    return pieces.join("")
  }
}

/**
 * Collects everything beside text of one answer.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export class Attachments {
  private readonly assembler: Assembler
  private citations: ReadonlyArray<unknown> = []
  private searchResults: ReadonlyArray<unknown> = []
  private annotated = false
  private audioId: string | undefined
  private readonly audioPieces: Array<string> = []
  private transcript = ""
  private readonly hosted = new Map<number, { [key: string]: unknown }>()
  private logprobs: Record<string, Array<unknown>> | undefined

  constructor(assembler: Assembler) {
    this.assembler = assembler
  }

  /** Takes the fields of a delta or message. */
  delta(delta: Fields): void {
    for (const one of list(delta["annotations"])) this.source(one)
    if (delta["images"] !== undefined) { for (const one of list(delta["images"])) this.image(one) }
    const audio = record(delta["audio"])
    if (audio !== undefined) this.audio(audio)
    const executed = delta["executed_tools"]
    if (executed !== undefined) {
      list(executed).forEach((one, at) => {
        const fields = record(one)
        if (fields === undefined || blankBut(fields, hostedLabels)) return
        const index = typeof fields["index"] === "number" ? fields["index"] : at
        let known = this.hosted.get(index)
        if (known === undefined) this.hosted.set(index, known = {})
        copyAll(known, fields)
      })
    }
    this.references(delta)
  }

  /** Takes the citation lists that Perplexity and xAI put on the frame; they repeat, so the last counts. */
  references(frame: Fields): void {
    const { citations, search_results: results } = frame
    if (Array.isArray(citations) && !blank(citations)) this.citations = citations
    if (Array.isArray(results) && !blank(results)) this.searchResults = results
  }

  source(value: unknown): void {
    const part = sourceFrom(value)
    if (part === undefined) return
    this.annotated = true
    this.assembler.source(part)
  }

  image(value: unknown): void {
    const part = imageFrom(value)
    if (part !== undefined) this.assembler.file(part)
  }

  /** Adds the log probabilities of a choice to those before. */
  addLogprobs(logprobs: Fields): void {
    for (const key in logprobs) {
      const values = logprobs[key]
      if (!Array.isArray(values) || values.length === 0) continue
      this.logprobs ??= {}
      const known = ownOf(this.logprobs, key)
      if (known === undefined) setOwn(this.logprobs, key, values.slice())
      else for (const value of values) known.push(value)
    }
  }

  /** Gives out what had to wait for the end. */
  end(): void {
    if (this.audioPieces.length > 0) {
      const data = joinBase64(this.audioPieces)
      const part: AudioPart = {
        type: "audio",
        source: { type: "base64", mediaType: audioType(data), data },
        ...(this.transcript === "" ? undefined : { transcript: this.transcript })
      }
      this.assembler.file(part)
    }
    if (this.audioId !== undefined) this.assembler.extra["audio_id"] = this.audioId
    const urls = new Set<string>()
    for (const one of this.searchResults) {
      const part = sourceFrom(one)
      if (part === undefined) continue
      if (part.url !== undefined) urls.add(part.url)
      this.assembler.source(part)
    }
    // Hosts that annotate the text repeat the same pages in `citations`.
    if (!this.annotated) {
      for (const one of this.citations) {
        const part = sourceFrom(one)
        if (part !== undefined && (part.url === undefined || !urls.has(part.url))) this.assembler.source(part)
      }
    }
    for (const fields of this.hosted.values()) {
      this.assembler.serverTool({
        name: nonEmpty(fields["name"]) ?? nonEmpty(fields["type"]) ?? "executed_tool",
        kind: "block",
        ...(nonEmpty(fields["id"]) === undefined ? undefined : { id: nonEmpty(fields["id"]) }),
        data: fields as JsonObject
      })
    }
    if (this.logprobs !== undefined) this.assembler.logprobs = this.logprobs as { [key: string]: Array<Json> }
  }

  private audio(audio: Fields): void {
    this.audioId ??= nonEmpty(audio["id"])
    const data = nonEmpty(audio["data"])
    if (data !== undefined) this.audioPieces.push(data)
    const transcript = nonEmpty(audio["transcript"])
    if (transcript !== undefined) this.transcript += transcript
  }
}
