/**
 * Parts that a model of the AI SDK gives, as events: streams of specifications v2 to v4, and whole answers as the stream that they stand for.
 *
 * A model is foreign code: a part may be anything, and throw when it is touched. What is not known is ignored; what is known and not of
 * its shape counts as absent. The grammar of the events is the assembler's.
 *
 * @since 0.1.0
 */
import * as Base64 from "effect/encoding/Base64"
import type { FinishReason, Usage, Warning } from "../../LlmResponse.ts"
import type { AudioPart, FilePart, ImagePart, Json, JsonObject, Media, ServerToolPart } from "../../Message.ts"
import { Assembler, readArguments } from "../../protocol/Assembler.ts"
import { finishReasonOf } from "../../protocol/FinishReasons.ts"
import { record } from "../../protocol/Probe.ts"
import type { DecodeContext } from "../../protocol/Protocol.ts"
import { plainJson } from "./own.ts"

type Given = { readonly [field: string]: unknown }

const text = (value: unknown): string | undefined => typeof value === "string" ? value : undefined
const count = (value: unknown): number | undefined => typeof value === "number" ? value : undefined

const reasons: ReadonlySet<string> = new Set<FinishReason>(["stop", "length", "tool-calls", "content-filter", "error"])

/** The wire's own word says more where it is known: a refusal, a pause, a full window. */
const reasonOf = (unified: string | undefined, raw: string | undefined): FinishReason => {
  const more = finishReasonOf(raw)
  if (more === "refusal" || more === "pause" || more === "context-window") return more
  return unified !== undefined && reasons.has(unified) ? unified as FinishReason : "other"
}

const tokens = (fields: object): object =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))

/** Counts of v3 and v4, which are nested, or of v2, where cached tokens are part of the input. */
const usageOf = (given: unknown): Usage | undefined => {
  const usage = record(given)
  if (usage === undefined) return undefined
  const input = record(usage["inputTokens"])
  const output = record(usage["outputTokens"])
  if (input !== undefined || output !== undefined) {
    const raw = plainJson(usage["raw"])
    return {
      input: tokens({
        total: count(input?.["total"]),
        uncached: count(input?.["noCache"]),
        cacheRead: count(input?.["cacheRead"]),
        cacheWrite: count(input?.["cacheWrite"])
      }),
      output: tokens({
        total: count(output?.["total"]),
        text: count(output?.["text"]),
        reasoning: count(output?.["reasoning"])
      }),
      ...(raw === undefined ? undefined : { raw })
    }
  }
  return {
    input: tokens({ total: count(usage["inputTokens"]), cacheRead: count(usage["cachedInputTokens"]) }),
    output: tokens({ total: count(usage["outputTokens"]), reasoning: count(usage["reasoningTokens"]) })
  }
}

const warningOf = (given: unknown): ReadonlyArray<Warning> => {
  const warning = record(given)
  if (warning === undefined) return []
  const tool = record(warning["tool"])
  const field = text(warning["feature"]) ?? text(warning["setting"]) ?? text(tool?.["name"]) ?? "request"
  const message = text(warning["details"]) ?? text(warning["message"])
  return [{ field, message: message ?? `${field}: ${text(warning["type"]) ?? "unsupported"}` }]
}

/** Bytes, base64 or a URL: tagged in v4, as they are before. */
const mediaOf = (given: unknown, mediaType: string): Media | undefined => {
  const tagged = record(given)
  const data = tagged?.["type"] === "data" ? tagged["data"] : tagged?.["type"] === "url" ? tagged["url"] : given
  if (data instanceof Uint8Array) return { type: "base64", mediaType, data: Base64.encode(data) }
  if (data instanceof URL) return { type: "url", url: data.href, mediaType }
  if (typeof data !== "string") return undefined
  return tagged?.["type"] === "url" || /^https?:/i.test(data)
    ? { type: "url", url: data, mediaType }
    : { type: "base64", mediaType, data }
}

const filePart = (source: Media, mediaType: string): ImagePart | AudioPart | FilePart => {
  const kind = mediaType.split("/", 1)[0]
  return { type: kind === "image" || kind === "audio" ? kind : "file", source }
}

interface OpenCall {
  readonly index: number
  /** Argument text so far, to see whether the whole call says the same. */
  length: number
  ended: boolean
}

/**
 * Reads the parts of one answer.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export class AnswerIn {
  readonly assembler: Assembler
  private readonly warnings: Array<Warning>
  private readonly custom: ReadonlySet<string>
  private readonly texts = new Map<string, number>()
  private readonly thoughts = new Map<string, number>()
  private readonly calls = new Map<string, OpenCall>()
  /** What came with the beginning of a part and may not come with its end. */
  private readonly metadata = new Map<string, unknown>()

  constructor(context: DecodeContext, warnings: Array<Warning>, custom: ReadonlySet<string> = new Set()) {
    this.assembler = new Assembler(context)
    this.warnings = warnings
    this.custom = custom
  }

  /** Reads a part; whatever is thrown meanwhile is the part's own doing. */
  read(part: unknown): void {
    try {
      const given = record(part)
      if (given !== undefined) this.part(given as Given)
    } catch {
      this.assembler.fail({ kind: "parse", message: "The model gave a part that cannot be read." })
    }
  }

  /** What has to go back with a part. */
  private replay(given: Given, before?: string): { readonly replay?: JsonObject } {
    const held = before === undefined ? undefined : this.metadata.get(before)
    const now = record(plainJson(given["providerMetadata"]))
    const merged = held === undefined ? now : { ...record(held), ...now }
    return merged === undefined ? {} : { replay: { providerMetadata: merged as JsonObject } }
  }

  private keep(kind: string, id: string, given: Given): string {
    const name = `${kind}:${id}`
    const metadata = record(plainJson(given["providerMetadata"]))
    if (metadata !== undefined) this.metadata.set(name, { ...record(this.metadata.get(name)), ...metadata })
    return name
  }

  private part(given: Given): void {
    const { assembler } = this
    const id = text(given["id"]) ?? ""
    switch (given["type"]) {
      case "stream-start":
        if (Array.isArray(given["warnings"])) this.warnings.push(...given["warnings"].flatMap(warningOf))
        return
      case "response-metadata":
        return assembler.start(text(given["id"]), text(given["modelId"]))
      case "text-start":
        this.endText(id, {})
        this.keep("text", id, given)
        this.texts.set(id, assembler.openText())
        return
      case "text-delta":
        this.keep("text", id, given)
        return assembler.text(this.openText(id), text(given["delta"]) ?? "")
      case "text-end":
        this.endText(id, given)
        return this.citations(given)
      case "text":
        assembler.text(this.openText(id), text(given["text"]) ?? "")
        this.endText(id, given)
        return this.citations(given)
      case "reasoning-start":
        this.endReasoning(id, {})
        this.keep("reasoning", id, given)
        this.thoughts.set(id, assembler.openReasoning())
        return
      case "reasoning-delta":
        this.keep("reasoning", id, given)
        return assembler.reasoning(this.openReasoning(id), text(given["delta"]) ?? "")
      case "reasoning-end":
        return this.endReasoning(id, given)
      case "reasoning":
        assembler.reasoning(this.openReasoning(id), text(given["text"]) ?? "")
        return this.endReasoning(id, given)
      case "tool-input-start":
        if (given["providerExecuted"] !== true) this.openCall(id, text(given["toolName"]) ?? "", given)
        return
      case "tool-input-delta":
        return this.argumentsDelta(id, text(given["delta"]) ?? "")
      case "tool-input-end": {
        const call = this.calls.get(id)
        if (call !== undefined) call.ended = true
        return
      }
      case "tool-call":
        return given["providerExecuted"] === true ? this.step("call", given) : this.toolCall(given)
      case "tool-result":
        return given["preliminary"] === true ? undefined : this.step("result", given)
      case "tool-approval-request":
      case "custom":
        return this.step("block", given)
      case "reasoning-file":
        return
      case "file":
        return this.file(given)
      case "source":
        return this.source(given)
      case "raw":
        assembler.raw?.push(plainJson(given["rawValue"]) ?? null)
        return
      case "finish":
        return this.finish(given)
      default:
        return
    }
  }

  // ---------------------------------------------------------------------------
  // Text and reasoning
  // ---------------------------------------------------------------------------

  private openText(id: string): number {
    let index = this.texts.get(id)
    if (index === undefined) this.texts.set(id, index = this.assembler.openText())
    return index
  }

  private endText(id: string, given: Given): void {
    const index = this.texts.get(id)
    if (index === undefined) return
    this.texts.delete(id)
    const more = this.replay(given, `text:${id}`)
    this.metadata.delete(`text:${id}`)
    this.assembler.endText(index, more.replay === undefined ? {} : { ...more, origin: this.assembler.origin })
  }

  private openReasoning(id: string): number {
    let index = this.thoughts.get(id)
    if (index === undefined) this.thoughts.set(id, index = this.assembler.openReasoning())
    return index
  }

  private endReasoning(id: string, given: Given): void {
    const index = this.thoughts.get(id)
    if (index === undefined) return
    this.thoughts.delete(id)
    const more = this.replay(given, `reasoning:${id}`)
    this.metadata.delete(`reasoning:${id}`)
    this.assembler.endReasoning(index, more)
  }

  // ---------------------------------------------------------------------------
  // Calls
  // ---------------------------------------------------------------------------

  private openCall(id: string, name: string, given: Given): OpenCall {
    const call: OpenCall = { index: this.assembler.openToolCall(id, name), length: 0, ended: false }
    this.keep("call", id, given)
    this.calls.set(id, call)
    return call
  }

  private argumentsDelta(id: string, delta: string): void {
    const call = this.calls.get(id)
    if (call === undefined) return
    call.length += delta.length
    this.assembler.toolCallDelta(call.index, delta)
  }

  private toolCall(given: Given): void {
    const { assembler } = this
    const id = text(given["toolCallId"]) ?? ""
    const name = text(given["toolName"]) ?? ""
    const { input } = given
    const sent = typeof input === "string" ? input : input === undefined ? "" : JSON.stringify(plainJson(input) ?? {})
    const call = this.calls.get(id) ?? this.openCall(id, name, given)
    this.calls.delete(id)
    const more = this.replay(given, `call:${id}`)
    this.metadata.delete(`call:${id}`)
    const same = call.length === 0 || assembler.openArguments(call.index) === sent
    if (call.length === 0) assembler.toolCallDelta(call.index, sent)
    const read = readArguments(sent)
    if (this.custom.has(name) && typeof read.arguments === "string" && read.invalid === undefined) {
      return assembler.endToolCall(call.index, { ...more, arguments: read.arguments, custom: true })
    }
    assembler.endToolCall(call.index, same ? more : { ...more, ...read })
  }

  private step(kind: ServerToolPart["kind"], given: Given): void {
    const data = record(plainJson(given)) as { [field: string]: Json } | undefined
    if (data === undefined) return
    if (kind === "call" && typeof data["input"] === "string") data["input"] = readArguments(data["input"]).arguments
    const id = text(data["toolCallId"])
    this.assembler.serverTool({
      kind,
      name: text(data["toolName"]) ?? text(data["kind"]) ?? String(data["type"]),
      ...(id === undefined ? undefined : { id }),
      data
    })
  }

  // ---------------------------------------------------------------------------
  // Whole parts
  // ---------------------------------------------------------------------------

  private file(given: Given): void {
    const mediaType = text(given["mediaType"]) ?? "application/octet-stream"
    const source = mediaOf(given["data"], mediaType)
    if (source !== undefined) this.assembler.file(filePart(source, mediaType))
  }

  private source(given: Given, citedText?: string): void {
    const [url, title] = [text(given["url"]), text(given["title"])]
    const raw = plainJson(given)
    this.assembler.source({
      type: "source",
      ...(url === undefined ? undefined : { url }),
      ...(title === undefined ? undefined : { title }),
      ...(citedText === undefined ? undefined : { citedText }),
      ...(raw === undefined ? undefined : { raw })
    })
  }

  private citations(given: Given): void {
    if (!Array.isArray(given["citations"])) return
    for (const one of given["citations"]) {
      const citation = record(one)
      const source = record(citation?.["source"])
      if (source !== undefined) this.source(source, text(citation?.["citedText"]))
    }
  }

  // ---------------------------------------------------------------------------
  // The end
  // ---------------------------------------------------------------------------

  private finish(given: Given): void {
    const { assembler } = this
    const reason = record(given["finishReason"])
    const unified = text(reason?.["unified"]) ?? text(given["finishReason"])
    const raw = text(reason?.["raw"])
    const usage = usageOf(given["usage"])
    if (usage !== undefined) assembler.usage(usage)
    // The provider's stream had no end, as v4 says: https://github.com/vercel/ai/blob/main/packages/provider/src/language-model/v4/language-model-v4-finish-reason.ts
    if (unified === "interrupted") return this.cut()
    for (const { ended, index } of this.calls.values()) if (ended) assembler.endToolCall(index)
    const metadata = record(plainJson(given["providerMetadata"]))
    if (metadata !== undefined) assembler.extra["providerMetadata"] = metadata as JsonObject
    const read = reasonOf(unified, raw)
    assembler.finish(read === "stop" && assembler.hasToolCalls ? "tool-calls" : read, raw, unified !== undefined)
  }

  /** The answer ended without an end. */
  cut(): void {
    this.assembler.fail({ kind: "incomplete", message: "The model's stream ended before its finish part." })
  }
}
