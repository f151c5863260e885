/**
 * Spells prepared turns as input items of the Responses API.
 *
 * Instructions that begin the conversation become `instructions`. Reasoning, item ids and phases go back only to the
 * provider and model they came from; items of built-in tools go back unchanged. When a request names
 * `previous_response_id` or `conversation`, the host knows everything up to the last assistant turn, and only what
 * follows it is sent.
 *
 * @see https://platform.openai.com/docs/guides/conversation-state
 * @since 0.1.0
 */
import { jsonText } from "../../json/text.ts"
import type { Issue } from "../../LlmRequest.ts"
import type { Warning } from "../../LlmResponse.ts"
import type { JsonObject, Origin, Part, ReasoningPart, TextPart, ToolCallPart, ToolResultPart } from "../../Message.ts"
import { asksForBreakpoints, withBreakpoints } from "../Breakpoints.ts"
import * as Conversation from "../Conversation.ts"
import { idsUpTo } from "../conversation/Ids.ts"
import { dataUrl } from "../DataUrl.ts"
import { type Findings, warn } from "../Findings.ts"
import { list, nonEmpty, record } from "../Probe.ts"
import type { EncodeInput } from "../Protocol.ts"
import type { InputContent, InputItem, OutputContent, Phase } from "./Body.ts"
import { wire } from "./name.ts"
import type { Quirks } from "./Quirks.ts"
import { type ToolItem, toolItemsOf } from "./ToolItems.ts"

export { wire } from "./name.ts"

/** Longest id of a call or an item that the API takes. */
const maxIdLength = 64

/** Items of an input, or why they cannot be spelled. @stability experimental @category models @since 0.1.0 */
export type Spelled =
  | {
    readonly instructions: string | undefined
    readonly items: Array<InputItem | JsonObject>
    readonly warnings: ReadonlyArray<Warning>
  }
  | { readonly refused: Issue }

/** What the encoder knows beside the messages. @stability experimental @category models @since 0.1.0 */
export interface State {
  /** Whether the host stores the answers. */
  readonly stored: boolean
  /** Whether the host has what came up to the last assistant turn. */
  readonly continues: boolean
  /** Whether content can end a cached prefix. */
  readonly breakpoints: boolean
}

type ReasoningInput = Extract<InputItem, { type: "reasoning" }>

class Speller implements Findings {
  readonly instructions: Array<string> = []
  items: Array<InputItem | JsonObject> = []
  readonly warnings: Array<Warning> = []
  refused: Issue | undefined
  private readonly input: EncodeInput
  private readonly quirks: Quirks
  /** Whether the host stores answers, so that ids alone stand for them. */
  private readonly stored: boolean
  private readonly breakpoints: boolean
  /** Whether all texts are parts, so that a mark which moves on changes nothing else. */
  private readonly asParts: boolean
  private readonly customCalls = new Set<string>()
  private readonly toolItems: ReadonlyMap<string, ToolItem>
  /** Results by the ids of their calls, as far as they decide how the call is spelled. */
  private readonly results: ReadonlyMap<string, ToolResultPart>
  /** Items of results whose calls are items of their own. */
  private readonly answers = new Map<string, JsonObject>()

  constructor(input: EncodeInput, quirks: Quirks, state: State, turns: ReadonlyArray<Conversation.Turn>) {
    this.input = input
    this.toolItems = toolItemsOf(input.request)
    this.results = new Map(
      (this.toolItems.size === 0 ? [] : turns).flatMap(({ parts }) =>
        parts.flatMap((part) => part.type === "tool-result" ? [[part.toolCallId, part] as const] : [])
      )
    )
    this.quirks = quirks
    this.stored = state.stored
    this.breakpoints = state.breakpoints
    this.asParts = state.breakpoints && asksForBreakpoints(input.request)
  }

  turn(turn: Conversation.Turn): void {
    switch (turn.role) {
      case "system":
        return this.system(turn.parts)
      case "user":
        this.items.push({ role: "user", content: this.plain(this.contents(turn.parts)) })
        return
      case "assistant":
        return this.assistant(turn.parts)
      case "tool":
        for (const part of turn.parts) if (part.type === "tool-result") this.result(part)
        return
    }
  }

  private system(parts: ReadonlyArray<Part>): void {
    const contents = this.contents(parts.filter((part) => part.type === "text"))
    // `instructions` cannot hold a breakpoint.
    if (this.items.length > 0 || contents.some((one) => one.prompt_cache_breakpoint !== undefined)) {
      this.items.push({ role: this.quirks.systemRole ?? "developer", content: this.plain(contents) })
      return
    }
    const text = contents.map((one) => one.type === "input_text" ? one.text : "").join("")
    if (text !== "") this.instructions.push(text)
  }

  /** One text is a string; anything else is parts. */
  private plain(contents: Array<InputContent>): string | Array<InputContent> {
    const only = contents[0]
    if (only === undefined) return ""
    const bare = contents.length === 1 && only.prompt_cache_breakpoint === undefined && !this.asParts
    return bare && only.type === "input_text" ? only.text : contents
  }

  private contents(parts: ReadonlyArray<Part>): Array<InputContent> {
    return parts.flatMap((part) => {
      const content = this.content(part)
      if (content === undefined) return []
      const control = "cacheControl" in part ? part.cacheControl : undefined
      if (control === undefined) return [content]
      if (!this.breakpoints) {
        warn(this, "cache", "The model caches prompts by itself and has no breakpoints; they were left out.")
        return [content]
      }
      return [{
        ...content,
        prompt_cache_breakpoint: { mode: "explicit", ...(control === "extended" ? { ttl: "12h" } : undefined) }
      }]
    })
  }

  private content(part: Part): InputContent | undefined {
    switch (part.type) {
      case "text":
        return { type: "input_text", text: part.text }
      case "image": {
        const source = part.source
        const detail = part.detail ?? "auto"
        if (source.type === "file") return { type: "input_image", detail, file_id: source.fileId }
        const url = source.type === "url" ? source.url : dataUrl(source.mediaType, source.data)
        return { type: "input_image", detail, image_url: url }
      }
      case "file": {
        const source = part.source
        if (source.type === "file") return { type: "input_file", file_id: source.fileId }
        // A file URL comes with its own name.
        if (source.type === "url") return { type: "input_file", file_url: source.url }
        return {
          type: "input_file",
          filename: part.filename ?? filenameOf(source.mediaType),
          file_data: dataUrl(source.mediaType, source.data)
        }
      }
      case "audio":
        this.refused ??= {
          field: "messages",
          message: "The Responses API takes no audio: use the Chat Completions API, or send the transcript."
        }
        return undefined
      default:
        return undefined
    }
  }

  // -------------------------------------------------------------------------
  // Assistant
  // -------------------------------------------------------------------------

  private isOwn(part: { readonly origin?: TextPart["origin"] }): boolean {
    const origin = part.origin
    return origin?.provider === this.input.provider && (origin.model === undefined || origin.model === this.input.model)
  }

  private assistant(parts: ReadonlyArray<Part>): void {
    const reasoning = new Map<string, ReasoningInput>()
    // An item that was made after reasoning may carry its id only where that reasoning is sent as well:
    // https://platform.openai.com/docs/guides/reasoning#keeping-reasoning-items-in-context
    const replayed = this.replayed(parts)
    const whole = parts.every((part) => part.type !== "reasoning" || replayed.has(part))
    const hosted = parts.some((part) => part.type === "server-tool" && part.name === "image_generation_call")
    const begin = this.items.length
    for (let at = 0; at < parts.length; at++) {
      const part = parts[at]!
      switch (part.type) {
        case "text": {
          const texts = [part]
          // Contents of one message follow each other and share its id.
          for (let next = parts[at + 1]; next?.type === "text" && sameMessage(part, next); next = parts[at + 1]) {
            texts.push(next)
            at++
          }
          this.items.push(this.message(texts, whole))
          break
        }
        case "reasoning":
          if (replayed.has(part)) this.reasoning(part, reasoning)
          break
        case "tool-call":
          this.items.push(this.call(part, whole))
          break
        case "server-tool":
          this.items.push(part.data)
          break
        case "audio":
          if (part.transcript !== undefined) this.items.push({ role: "assistant", content: part.transcript })
          else warn(this, "messages", "Audio of an assistant turn cannot be sent back; it was left out.")
          break
        case "image":
        case "file":
          // A generated image goes back inside the item of the tool that made it.
          if (!hosted) {
            warn(this, "messages", "Images and files of an assistant turn cannot be sent back; they were left out.")
          }
          break
      }
    }
    // The API refuses reasoning that nothing follows, as when the answer was cut in it.
    while (this.items.length > begin && isReasoning(this.items.at(-1))) this.items.pop()
  }

  private message(texts: ReadonlyArray<TextPart>, whole: boolean): InputItem {
    const first = texts[0]!
    const phase = phaseOf(first)
    const id = whole && this.isOwn(first) ? itemId(first.replay, "msg_") : undefined
    if (id === undefined) {
      return {
        role: "assistant",
        content: texts.map((part) => part.text).join(""),
        ...(phase === undefined ? undefined : { phase })
      }
    }
    return {
      type: "message",
      id,
      role: "assistant",
      status: "completed",
      content: texts.map((part): OutputContent =>
        part.replay?.["refusal"] === true
          ? { type: "refusal", refusal: part.text }
          : { type: "output_text", text: part.text, annotations: [] }
      ),
      ...(phase === undefined ? undefined : { phase })
    }
  }

  /**
   * Reasoning that the host can use: encrypted, as open models need it back, or stored with the host; and what belongs
   * to the same item.
   */
  private replayed(parts: ReadonlyArray<Part>): ReadonlySet<Part> {
    const own = parts.filter((part) => part.type === "reasoning" && this.isOwn(part)) as ReadonlyArray<ReasoningPart>
    const idOf = (part: ReasoningPart) => nonEmpty(part.replay?.["id"])
    const usable = new Set(
      own.filter((part) =>
        part.encrypted !== undefined || part.signature !== undefined || part.replay?.["content"] !== undefined ||
        (this.stored && idOf(part) !== undefined)
      )
    )
    const ids = new Set([...usable].map(idOf))
    return new Set(own.filter((part) => usable.has(part) || (idOf(part) !== undefined && ids.has(idOf(part)))))
  }

  private reasoning(part: ReasoningPart, sent: Map<string, ReasoningInput>): void {
    const id = nonEmpty(part.replay?.["id"]) ?? `rs_${this.items.length}`
    const known = sent.get(id)
    if (known !== undefined) {
      // Encrypted content that came later than the text it belongs to.
      if (part.encrypted !== undefined) known.encrypted_content ??= part.encrypted
      return
    }
    const content = textsIn(part.replay?.["content"])
    const summaries = textsIn(part.replay?.["summary"]) ??
      (part.text === "" || content !== undefined ? [] : [part.text])
    const item: ReasoningInput = {
      type: "reasoning",
      id,
      summary: summaries.map((text) => ({ type: "summary_text", text })),
      ...(content === undefined
        ? undefined
        : { content: content.map((text) => ({ type: "reasoning_text" as const, text })) }),
      ...(part.encrypted === undefined ? undefined : { encrypted_content: part.encrypted })
    }
    sent.set(id, item)
    const format = nonEmpty(part.replay?.["format"])
    this.items.push(Object.assign(item, {
      ...(part.signature === undefined ? undefined : { signature: part.signature }),
      ...(format === undefined ? undefined : { format })
    }))
  }

  private call(part: ToolCallPart, whole: boolean): InputItem | JsonObject {
    const own = this.isOwn(part)
    const custom = part.custom === true
    const id = own && whole ? itemId(part.replay, custom ? "ctc_" : "fc_") : undefined
    const namespace = own ? nonEmpty(part.replay?.["namespace"]) : undefined
    const caller = own ? part.replay?.["caller"] : undefined
    const more = {
      ...(id === undefined ? undefined : { id }),
      ...(namespace === undefined ? undefined : { namespace }),
      ...(caller === undefined ? undefined : { caller })
    }
    const { name } = part
    const toolItem = this.toolItem(part, own && whole ? nonEmpty(part.replay?.["id"]) : undefined)
    if (toolItem !== undefined) return { ...toolItem, ...(caller === undefined ? undefined : { caller }) }
    if (custom) {
      this.customCalls.add(part.id)
      const input = typeof part.arguments === "string" ? part.arguments : jsonText(part.arguments)
      return { type: "custom_tool_call", call_id: part.id, name, input, ...more }
    }
    return { type: "function_call", call_id: part.id, name, arguments: jsonText(part.arguments), ...more }
  }

  /** A call that is an item of its own. */
  private toolItem(part: ToolCallPart, id: string | undefined): JsonObject | undefined {
    const item = this.toolItems.get(part.name)
    const result = this.results.get(part.id)
    const args = record(part.arguments)
    if (item === undefined || result === undefined || args === undefined || part.invalid === true) return undefined
    const call = item.spell(args)
    const answer = item.answer(result, args)
    if (call === undefined || answer === undefined) return undefined
    if (answer.lost !== undefined) warn(this, "messages", answer.lost)
    this.answers.set(part.id, { type: item.output, call_id: part.id, ...answer.fields })
    const known = id !== undefined && id.startsWith(item.prefix) && id.length <= maxIdLength
    const named = known ? id : item.needsId === true ? `${item.prefix}${part.id}`.slice(0, maxIdLength) : undefined
    return {
      type: item.call,
      ...(named === undefined ? undefined : { id: named }),
      call_id: part.id,
      status: "completed",
      ...call
    }
  }

  // -------------------------------------------------------------------------
  // Tool results
  // -------------------------------------------------------------------------

  private result(part: ToolResultPart): void {
    const answer = this.answers.get(part.toolCallId)
    if (answer !== undefined) {
      this.items.push(answer)
      return
    }
    const output = typeof part.content === "string" ? part.content : this.plain(this.contents(part.content))
    const type = this.customCalls.has(part.toolCallId) ? "custom_tool_call_output" : "function_call_output"
    this.items.push({ type, call_id: part.toolCallId, output })
  }
}

const isReasoning = (item: InputItem | JsonObject | undefined): boolean =>
  item !== undefined && "type" in item && item["type"] === "reasoning"

const textsIn = (value: unknown): ReadonlyArray<string> | undefined =>
  value === undefined ? undefined : list(value).filter((one) => typeof one === "string")

/** Ids of other hosts may be of any form and length; the API takes its own only. */
const itemId = (replay: JsonObject | undefined, prefix: string): string | undefined => {
  const id = nonEmpty(replay?.["id"])
  return id !== undefined && id.startsWith(prefix) && id.length <= maxIdLength ? id : undefined
}

const sameMessage = (a: TextPart, b: TextPart): boolean => {
  const id = nonEmpty(a.replay?.["id"])
  return id !== undefined && id === b.replay?.["id"]
}

const phaseOf = (part: TextPart): Phase | undefined => {
  const phase = part.replay?.["phase"]
  return phase === "commentary" || phase === "final_answer" ? phase : undefined
}

const filenameOf = (mediaType: string): string => `file.${mediaType.split("/")[1]?.split(/[;+]/)[0] ?? "bin"}`

/**
 * The input of a request.
 *
 * @stability experimental
 * @category encoding
 * @since 0.1.0
 */
export const inputFor = (
  input: EncodeInput,
  quirks: Quirks,
  state: State
): Spelled => {
  const isOwn = (origin: Origin | undefined) => origin?.provider === undefined || origin.provider === input.provider
  const prepared = Conversation.prepare(input.request, {
    wire,
    toolCallId: idsUpTo(maxIdLength),
    // What is only not replayed, because the host wants none back, is no loss worth a warning.
    keepReasoning: ({ origin }) => origin === undefined || origin.provider === input.provider,
    keepServerTool: ({ origin }) => isOwn(origin),
    customCalls: quirks.customTools !== false,
    resultErrors: "words"
  })
  if (prepared.refused !== undefined) return { refused: prepared.refused }
  const speller = new Speller(input, quirks, state, prepared.turns)
  // Without breakpoints the host's own caching has to do.
  const first = prepared.turns.findIndex((turn) => turn.role !== "system")
  const begun = first < 0 ? prepared.turns.length : first
  const turns = state.breakpoints ? withBreakpoints(prepared.turns, input.request.cache, begun - 1) : prepared.turns
  const last = state.continues ? turns.findLastIndex((turn) => turn.role === "assistant") : -1
  turns.forEach((turn, at) => {
    speller.turn(turn)
    if (at === last) speller.items = []
  })
  if (speller.refused !== undefined) return { refused: speller.refused }
  if (speller.items.length === 0 && !state.continues) return { refused: Conversation.nothingToSend }
  return {
    instructions: speller.instructions.length === 0 ? undefined : speller.instructions.join("\n\n"),
    items: speller.items,
    warnings: [...prepared.warnings, ...speller.warnings]
  }
}
