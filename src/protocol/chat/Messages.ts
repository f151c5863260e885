/**
 * Spells prepared turns as Chat Completions messages.
 *
 * Tool results hold text only on this wire: their images follow in a user message after the results.
 * Assistant turns cannot hold images or files; these are left out with a warning.
 *
 * @since 0.1.0
 */
import type { Issue } from "../../LlmRequest.ts"
import type { Warning } from "../../LlmResponse.ts"
import type {
  CacheControl,
  FilePart,
  JsonObject,
  Part,
  ReasoningPart,
  ToolCallPart,
  ToolResultPart
} from "../../Message.ts"
import { withBreakpoints } from "../Breakpoints.ts"
import * as Conversation from "../Conversation.ts"
import { type Findings, refuse, warn } from "../Findings.ts"
import { list, nonEmpty, record } from "../Probe.ts"
import type { EncodeInput } from "../Protocol.ts"
import type { Quirks } from "./Quirks.ts"
import type { Call, Content, TextContent, WireMessage } from "./Wire.ts"

/**
 * Name of this wire.
 *
 * @category constants
 * @since 0.1.0
 */
export const wire = "openai-chat"

// ---------------------------------------------------------------------------
// Tool call ids
// ---------------------------------------------------------------------------

const letters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

/** A short name of a text: two FNV-1a hashes, spelled in base 62. Not for secrets. */
const shortName = (text: string, length: number): string => {
  let out = ""
  for (let seed = 0; out.length < length; seed++) {
    let hash = (0x811c9dc5 ^ seed) >>> 0
    for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193) >>> 0
    for (let i = 0; i < 5 && out.length < length; i++) {
      out += letters[hash % 62]!
      hash = Math.floor(hash / 62)
    }
  }
  return out
}

const idRules: { readonly [name: string]: Conversation.Rules["toolCallId"] } = {
  // https://platform.openai.com/docs/api-reference/chat: ids above 40 characters are rejected.
  openai: {
    isValid: (id) => id.length <= 40,
    rewrite: (id, attempt) => `call_${shortName(`${attempt}:${id}`, 20)}`
  },
  // Mistral rejects everything but nine letters or digits.
  mistral: {
    isValid: (id) => /^[a-zA-Z0-9]{9}$/.test(id),
    rewrite: (id, attempt) => shortName(`${attempt}:${id}`, 9)
  }
}

// ---------------------------------------------------------------------------
// Messages
// ---------------------------------------------------------------------------

/**
 * Messages, or why they cannot be spelled.
 *
 * @category models
 * @since 0.1.0
 */
export type Spelled = { readonly messages: Array<WireMessage>; readonly toolCalls: boolean } | {
  readonly refused: Issue
}

class Speller implements Findings {
  readonly messages: Array<WireMessage> = []
  refused: Issue | undefined
  toolCalls = false
  private readonly quirks: Quirks
  readonly warnings: Array<Warning>
  private readonly sentDetails = new Set<string>()

  constructor(quirks: Quirks, warnings: Array<Warning>) {
    this.quirks = quirks
    this.warnings = warnings
  }

  turn(turn: Conversation.Turn): void {
    switch (turn.role) {
      case "system":
        return this.system(turn.parts)
      case "user":
        return this.user(this.contents(turn.parts))
      case "assistant":
        return this.assistant(turn.parts)
      case "tool":
        return this.results(turn.parts as ReadonlyArray<ToolResultPart>)
    }
  }

  system(parts: ReadonlyArray<Part>): void {
    const content = this.content(this.texts(parts))
    const role = this.quirks.systemRole ?? "system"
    this.messages.push({ role, content } as WireMessage)
  }

  user(contents: Array<Content>): void {
    if (this.quirks.assistantAfterTool === true && this.messages.at(-1)?.role === "tool") {
      this.messages.push({ role: "assistant", content: "I have the tool results." })
    }
    this.messages.push({ role: "user", content: this.content(contents) })
  }

  /** One text is a string; anything else is parts, unless the host takes strings only. */
  private content<A extends Content>(contents: Array<A>): string | Array<A> {
    if (contents.length === 0) return ""
    const only = contents[0]!
    if (contents.length === 1 && only.type === "text" && !("cache_control" in only)) return only.text
    if (this.quirks.textAsString === true) {
      const texts = contents.flatMap((one) => one.type === "text" ? [one.text] : [])
      if (texts.length === contents.length) return texts.join("\n")
    }
    if (this.quirks.contentMustBeString !== true) return contents
    const texts: Array<string> = []
    for (const one of contents) {
      if (one.type === "text") texts.push(one.text)
      else refuse(this, "The provider takes text only: leave out images, files and audio.")
    }
    return texts.join("\n")
  }

  private cached<A extends object>(content: A, control: CacheControl | undefined): A {
    if (control === undefined) return content
    if (this.quirks.cacheControl !== true) {
      warn(this, "cache", "The provider has no cache breakpoints; they were left out.")
      return content
    }
    return { ...content, cache_control: cacheControlOf(control) }
  }

  private texts(parts: ReadonlyArray<Part>): Array<TextContent> {
    return parts.filter((part) => part.type === "text").map((part) =>
      this.cached<TextContent>({ type: "text", text: part.text }, part.cacheControl)
    )
  }

  private contents(parts: ReadonlyArray<Part>): Array<Content> {
    const out: Array<Content> = []
    for (const part of parts) {
      const content = this.one(part)
      if (content !== undefined) out.push("cacheControl" in part ? this.cached(content, part.cacheControl) : content)
    }
    return out
  }

  private one(part: Part): Content | undefined {
    switch (part.type) {
      case "text":
        return { type: "text", text: part.text }
      case "image": {
        const source = part.source
        if (source.type === "file") return { type: "file", file: { file_id: source.fileId } }
        const url = source.type === "url" ? source.url : dataUrl(source.mediaType, source.data)
        return {
          type: "image_url",
          image_url: { url, ...(part.detail === undefined ? undefined : { detail: part.detail }) }
        }
      }
      case "file": {
        const source = part.source
        if (this.quirks.fileForm === "document_url") return documentOf(part)
        if (source.type === "file") return { type: "file", file: { file_id: source.fileId } }
        if (source.type === "url" && this.quirks.fileUrls !== true) {
          refuse(this, "The provider takes no file URLs: give the bytes as base64, or upload the file.")
          return undefined
        }
        const data = source.type === "url" ? source.url : dataUrl(source.mediaType, source.data)
        return { type: "file", file: { filename: part.filename ?? filenameOf(source.mediaType), file_data: data } }
      }
      case "audio": {
        const source = part.source
        if (source.type !== "base64") {
          refuse(this, "The provider takes audio as base64 only.")
          return undefined
        }
        if (this.quirks.audioForm === "string") {
          return { type: "input_audio", input_audio: source.data } as unknown as Content
        }
        // OpenAI knows wav and mp3; other hosts know more, so another subtype is passed on as it is.
        const format = audioFormat(source.mediaType) as "wav" | "mp3"
        return { type: "input_audio", input_audio: { data: source.data, format } }
      }
      default:
        return undefined
    }
  }

  // -------------------------------------------------------------------------
  // Assistant
  // -------------------------------------------------------------------------

  private assistant(parts: ReadonlyArray<Part>): void {
    const quirks = this.quirks
    const texts: Array<TextContent> = []
    const calls: Array<Call> = []
    const reasoning: Array<ReasoningPart> = []
    let extra: JsonObject | undefined
    for (const part of parts) {
      switch (part.type) {
        case "text":
          texts.push(this.cached<TextContent>({ type: "text", text: part.text }, part.cacheControl))
          extra = record(part.replay?.["extra_content"]) as JsonObject | undefined ?? extra
          break
        case "tool-call":
          calls.push(this.call(part))
          break
        case "reasoning":
          reasoning.push(part)
          break
        case "audio":
          if (part.transcript !== undefined) texts.push({ type: "text", text: part.transcript })
          else warn(this, "messages", "Audio of an assistant turn cannot be sent back; it was left out.")
          break
        case "image":
        case "file":
          warn(this, "messages", "Images and files of an assistant turn cannot be sent back; they were left out.")
          break
      }
    }
    if (calls.length > 0) this.toolCalls = true
    const replay = this.replay(reasoning)
    const thinking = quirks.reasoningReplay === "thinking_parts" ? thinkingParts(reasoning) : []
    if (texts.length === 0 && calls.length === 0 && thinking.length === 0 && Object.keys(replay).length === 0) return
    const plain = texts.every((one) => !("cache_control" in one))
    const content = thinking.length > 0
      ? [...thinking, ...texts] as Array<TextContent>
      : texts.length === 0
      ? undefined
      : plain || quirks.contentMustBeString === true
      ? texts.map((one) => one.text).join("")
      : texts
    this.messages.push({
      role: "assistant",
      ...(content !== undefined ? { content } : calls.length === 0 ? { content: "" } : emptyContent(quirks)),
      ...(calls.length === 0 ? undefined : { tool_calls: calls }),
      ...replay,
      ...(extra === undefined ? undefined : { extra_content: extra })
    })
  }

  private call(part: ToolCallPart): Call {
    const { id, name } = part
    const extra = part.replay?.["extra_content"]
    const echoed = extra === undefined ? undefined : { extra_content: extra }
    if (part.custom && this.quirks.customTools !== false) {
      const input = typeof part.arguments === "string" ? part.arguments : JSON.stringify(part.arguments)
      return { id, type: "custom", custom: { name, input }, ...echoed }
    }
    const args = part.custom ? { input: part.arguments } : part.arguments
    return { id, type: "function", function: { name, arguments: JSON.stringify(args) }, ...echoed }
  }

  private replay(parts: ReadonlyArray<ReasoningPart>): JsonObject {
    const text = () => parts.map((part) => part.text).join("")
    switch (this.quirks.reasoningReplay) {
      case "reasoning_content": {
        const all = text()
        return all === "" ? {} : { reasoning_content: all }
      }
      case "reasoning_content_always":
        return { reasoning_content: text() }
      case "reasoning": {
        const all = text()
        return all === "" ? {} : { reasoning: all }
      }
      case "reasoning_details": {
        const details: Array<JsonObject> = []
        for (const part of parts) {
          for (const one of list(part.replay?.["reasoning_details"])) {
            const detail = record(one)
            if (detail === undefined) continue
            // The same entry sent in two turns is rejected as a duplicate item by OpenAI behind OpenRouter.
            const id = detail["type"] === "reasoning.encrypted" ? nonEmpty(detail["id"]) : undefined
            if (id !== undefined) {
              if (this.sentDetails.has(id)) continue
              this.sentDetails.add(id)
            }
            details.push(detail as JsonObject)
          }
        }
        if (details.length > 0) return { reasoning_details: details }
        const all = text()
        return all === "" ? {} : { reasoning: all }
      }
      default:
        return {}
    }
  }

  // -------------------------------------------------------------------------
  // Tool results
  // -------------------------------------------------------------------------

  private results(parts: ReadonlyArray<ToolResultPart>): void {
    const shown: Array<Content> = []
    for (const part of parts) {
      const content = typeof part.content === "string" ? part.content : this.result(part, shown)
      const named = this.quirks.toolResultName === true && part.name !== undefined ? { name: part.name } : undefined
      this.messages.push({
        role: "tool",
        tool_call_id: part.toolCallId,
        content: part.cacheControl === undefined || typeof content !== "string"
          ? content
          : this.content([this.cached<TextContent>({ type: "text", text: content }, part.cacheControl)]),
        ...named
      })
    }
    if (shown.length > 0) this.user(shown)
  }

  private result(part: ToolResultPart, shown: Array<Content>): string | Array<TextContent> {
    const texts: Array<TextContent> = []
    for (const one of part.content as Exclude<ToolResultPart["content"], string>) {
      if (one.type === "text") {
        texts.push(this.cached<TextContent>({ type: "text", text: one.text }, one.cacheControl))
        continue
      }
      const kind = one.type === "image" ? "image" : "file"
      if (this.quirks.contentMustBeString === true) {
        texts.push({ type: "text", text: `[${kind} left out]` })
        warn(this, "messages", "The provider takes text only; images and files of tool results were left out.")
        continue
      }
      const content = this.one(one)
      if (content === undefined) continue
      texts.push({ type: "text", text: `[The tool returned this ${kind}: see the next user message.]` })
      if (shown.length === 0) shown.push({ type: "text", text: "Returned by the tools above:" })
      shown.push(content)
    }
    return this.content(texts)
  }
}

const thinkingParts = (parts: ReadonlyArray<ReasoningPart>): ReadonlyArray<unknown> =>
  parts.filter((part) => part.text !== "").map((part) => ({
    type: "thinking",
    thinking: [{ type: "text", text: part.text }],
    ...(part.signature === undefined ? undefined : { signature: part.signature })
  }))

const emptyContent = (quirks: Quirks): { content?: string | null } =>
  quirks.emptyContent === "omit" ? {} : { content: quirks.emptyContent === "empty" ? "" : null }

/** https://docs.mistral.ai/capabilities/document_ai/document_qna */
const documentOf = (part: FilePart): Content => {
  const { filename, source } = part
  const document = source.type === "file" ? { type: "file", file_id: source.fileId } : {
    type: "document_url",
    document_url: source.type === "url" ? source.url : dataUrl(source.mediaType, source.data),
    ...(filename === undefined ? undefined : { document_name: filename })
  }
  return document as unknown as Content
}

const dataUrl = (mediaType: string, data: string): string => `data:${mediaType};base64,${data}`

const filenameOf = (mediaType: string | undefined): string =>
  `file.${mediaType?.split("/")[1]?.split(/[;+]/)[0] ?? "bin"}`

const audioFormat = (mediaType: string): string => {
  const subtype = mediaType.split("/")[1]?.split(";")[0] ?? ""
  return subtype === "mpeg" || subtype === "mp3" ? "mp3" : subtype.replace(/^(x-|vnd\.)/, "").replace(/^wave?$/, "wav")
}

/**
 * Anthropic's cache marker, as hosts in front of it take it.
 *
 * @category encoding
 * @since 0.1.0
 */
export const cacheControlOf = (control: CacheControl): JsonObject =>
  control === "extended" ? { type: "ephemeral", ttl: "1h" } : { type: "ephemeral" }

/**
 * The messages of a request. `instructions` are added to its system prompt.
 *
 * @category encoding
 * @since 0.1.0
 */
export const messagesFor = (
  input: EncodeInput,
  quirks: Quirks,
  warnings: Array<Warning>,
  instructions: string | undefined
): Spelled => {
  const replay = quirks.reasoningReplay ?? "none"
  const prepared = Conversation.prepare(input.request, {
    wire,
    toolCallId: idRules[quirks.toolCallId ?? "openai"],
    // Signatures hold for one model of one provider; plain text may go anywhere. What is only not replayed, because
    // the host wants none back, is no loss worth a warning.
    keepReasoning: (part) => {
      const own = part.origin === undefined || part.origin.provider === input.provider
      if (replay !== "reasoning_details") return own || replay !== "none"
      return own && (part.origin?.model === undefined || part.origin.model === input.model)
    }
  })
  warnings.push(...prepared.warnings)
  const speller = new Speller(quirks, warnings)
  const turns = withBreakpoints(
    prepared.turns,
    input.request.cache,
    prepared.turns.findLastIndex((turn) => turn.role === "system")
  )
  if (instructions !== undefined) {
    const at = turns.findIndex((turn) => turn.role !== "system")
    turns.splice(at < 0 ? turns.length : at, 0, { role: "system", parts: [{ type: "text", text: instructions }] })
  }
  for (const turn of turns) speller.turn(turn)
  return speller.refused === undefined
    ? { messages: speller.messages, toolCalls: speller.toolCalls }
    : { refused: speller.refused }
}
