/**
 * Spells prepared turns as Chat Completions messages.
 *
 * Tool results hold text only on this wire: their images follow in a user message after the results, and that a tool failed is said in
 * their text. Assistant turns cannot hold images or files; these are left out with a warning.
 *
 * @since 0.1.0
 */
import { jsonText } from "../../json/text.ts"
import type { Issue } from "../../LlmRequest.ts"
import type { Warning } from "../../LlmResponse.ts"
import type { CacheControl, JsonObject, Part, ReasoningPart, ToolCallPart, ToolResultPart } from "../../Message.ts"
import { asksForBreakpoints, withBreakpoints } from "../Breakpoints.ts"
import * as Conversation from "../Conversation.ts"
import { idsOf, idsUpTo } from "../conversation/Ids.ts"
import { type Findings, refuse, warn } from "../Findings.ts"
import { list, nonEmpty, record } from "../Probe.ts"
import type { EncodeInput } from "../Protocol.ts"
import { mediaOf } from "./Media.ts"
import { wire } from "./name.ts"
import { marksParts, type Quirks } from "./Quirks.ts"
import type { Call, Content, TextContent, WireMessage } from "./Wire.ts"

export { wire } from "./name.ts"

// ---------------------------------------------------------------------------
// Rules
// ---------------------------------------------------------------------------

const idRules: { readonly [name: string]: Conversation.IdRule } = {
  // https://platform.openai.com/docs/api-reference/chat: ids above 40 characters are rejected.
  openai: idsUpTo(40),
  // Mistral rejects everything but nine letters or digits.
  mistral: idsOf(9)
}

/** Whether reasoning has anything that this host takes back. */
const hasReplay = (part: ReasoningPart, replay: NonNullable<Quirks["reasoningReplay"]>): boolean =>
  replay !== "none" &&
  (part.text !== "" || (replay === "reasoning_details" && list(part.replay?.["reasoning_details"]).length > 0))

const rulesOf = (input: EncodeInput, quirks: Quirks): Conversation.Rules => {
  const wanted = quirks.reasoningReplayByModel !== true || input.meta?.thinking?.replay === true
  const replay = wanted ? quirks.reasoningReplay ?? "none" : "none"
  const isOwn = ({ origin }: ReasoningPart) => origin === undefined || origin.provider === input.provider
  // Signatures hold for one model of one provider; plain text may go anywhere.
  const fits = (part: ReasoningPart) =>
    replay !== "reasoning_details" ||
    (isOwn(part) && (part.origin?.model === undefined || part.origin.model === input.model))
  return {
    wire,
    toolCallId: idRules[quirks.toolCallId ?? "openai"],
    keepReasoning: (part) => fits(part) && hasReplay(part, replay),
    // What is only not replayed, because the host wants none back, is no loss worth a warning.
    unwantedReasoning: (part) => isOwn(part) && fits(part) && !hasReplay(part, replay),
    customCalls: quirks.customTools !== false,
    toolTurns: quirks.toolTurns,
    resultErrors: "words",
    resultMedia: () => quirks.contentMustBeString === true ? "leave-out" : "after",
    assistantMedia: false,
    leadingSystem: quirks.leadingSystem,
    alternating: quirks.alternatingRoles,
    userFirst: quirks.userFirst,
    userLast: quirks.lastAssistant === "refused" && input.meta?.capabilities.prefill !== true,
    assistantAfterTool: quirks.assistantAfterTool,
    reasoningNeeds: "something-beside"
  }
}

// ---------------------------------------------------------------------------
// Messages
// ---------------------------------------------------------------------------

/**
 * Messages, or why they cannot be spelled.
 *
 * @stability experimental
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
  /** Whether all texts are parts, so that a mark which moves on changes nothing else. */
  private readonly asParts: boolean

  constructor(quirks: Quirks, warnings: Array<Warning>, asParts: boolean) {
    this.quirks = quirks
    this.warnings = warnings
    this.asParts = asParts
  }

  turn(turn: Conversation.Turn): void {
    switch (turn.role) {
      case "system":
        return this.system(turn.parts)
      case "user":
        this.messages.push({ role: "user", content: this.content(this.contents(turn.parts)) })
        return
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

  /** One text is a string; anything else is parts, unless the host takes strings only. */
  private content<A extends Content>(contents: Array<A>): string | Array<A> {
    if (contents.length === 0) return ""
    const only = contents[0]!
    if (contents.length === 1 && only.type === "text" && !("cache_control" in only) && !this.asParts) return only.text
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
    if (!marksParts(this.quirks)) {
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
      if (content === undefined) continue
      const control = "cacheControl" in part ? part.cacheControl : undefined
      if (this.quirks.cacheControl === "text" && content.type !== "text" && control !== undefined) {
        out.push(content)
        this.markText(out, control)
      } else out.push(this.cached(content, control))
    }
    return out
  }

  /** Marks the last text there is, where nothing else can be marked. */
  private markText(out: Array<Content>, control: CacheControl): void {
    const at = out.findLastIndex(({ type }) => type === "text")
    warn(
      this,
      "cache",
      at === -1
        ? "Only text can be a cache breakpoint; one was left out."
        : "Only text can be a cache breakpoint; one was moved to the text before it."
    )
    if (at !== -1 && !("cache_control" in out[at]!)) out[at] = this.cached(out[at]!, control)
  }

  private one(part: Part): Content | undefined {
    switch (part.type) {
      case "text":
        return { type: "text", text: part.text }
      case "image":
      case "file":
      case "audio":
        return mediaOf(part, this.quirks, this)
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
      }
    }
    if (calls.length > 0) this.toolCalls = true
    const replay = this.replay(reasoning, calls.length > 0)
    const thinking = quirks.reasoningReplay === "thinking_parts" ? thinkingParts(reasoning) : []
    const plain = !this.asParts && texts.every((one) => !("cache_control" in one))
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
    if (part.custom === true) {
      const input = typeof part.arguments === "string" ? part.arguments : jsonText(part.arguments)
      return { id, type: "custom", custom: { name, input }, ...echoed }
    }
    return { id, type: "function", function: { name, arguments: jsonText(part.arguments) }, ...echoed }
  }

  private replay(parts: ReadonlyArray<ReasoningPart>, calls: boolean): JsonObject {
    const text = () => parts.map((part) => part.text).join("")
    switch (this.quirks.reasoningReplay) {
      case "reasoning_content": {
        const all = text()
        return all === "" ? {} : { reasoning_content: all }
      }
      case "reasoning_content_always":
        return { reasoning_content: text() }
      case "reasoning_content_with_calls": {
        const all = text()
        return all !== "" ? { reasoning_content: all } : calls ? { reasoning_content: unsaid } : {}
      }
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
    for (const part of parts) {
      const texts: Array<TextContent> = typeof part.content === "string"
        ? [this.cached<TextContent>({ type: "text", text: part.content }, part.cacheControl)]
        : this.texts(part.content)
      if (typeof part.content !== "string" && part.cacheControl !== undefined && texts.length > 0) {
        texts.push(this.cached(texts.pop()!, part.cacheControl))
      }
      const named = this.quirks.toolResultName === true && part.name !== undefined ? { name: part.name } : undefined
      this.messages.push({ role: "tool", tool_call_id: part.toolCallId, content: this.content(texts), ...named })
    }
  }

  /** The last message is to be gone on from, where the host has a word for that. */
  end(): void {
    const last = this.messages.at(-1)
    if (this.quirks.lastAssistant === "prefix" && last?.role === "assistant" && last.tool_calls === undefined) {
      this.messages[this.messages.length - 1] = { ...last, prefix: true } as WireMessage
    }
  }
}

/** What stands for the reasoning of a turn that has none, on a host that counts "" as none. */
const unsaid = " "

const thinkingParts = (parts: ReadonlyArray<ReasoningPart>): ReadonlyArray<unknown> =>
  parts.filter((part) => part.text !== "").map((part) => ({
    type: "thinking",
    thinking: [{ type: "text", text: part.text }],
    ...(part.signature === undefined ? undefined : { signature: part.signature })
  }))

const emptyContent = (quirks: Quirks): { content?: string | null } =>
  quirks.emptyContent === "omit" ? {} : { content: quirks.emptyContent === "empty" ? "" : null }

/**
 * Anthropic's cache marker, as hosts in front of it take it.
 *
 * @stability experimental
 * @category encoding
 * @since 0.1.0
 */
export const cacheControlOf = (control: CacheControl): JsonObject =>
  control === "extended" ? { type: "ephemeral", ttl: "1h" } : { type: "ephemeral" }

/**
 * The messages of a request. `instructions` are added to its system prompt.
 *
 * @stability experimental
 * @category encoding
 * @since 0.1.0
 */
export const messagesFor = (
  input: EncodeInput,
  quirks: Quirks,
  warnings: Array<Warning>,
  instructions: string | undefined
): Spelled => {
  const prepared = Conversation.prepare(input.request, rulesOf(input, quirks))
  if (prepared.refused !== undefined) return { refused: prepared.refused }
  warnings.push(...prepared.warnings)
  const asParts = marksParts(quirks) && asksForBreakpoints(input.request)
  const speller = new Speller(quirks, warnings, asParts)
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
  speller.end()
  return speller.refused === undefined
    ? { messages: speller.messages, toolCalls: speller.toolCalls }
    : { refused: speller.refused }
}
