/**
 * Parts of a `LanguageModel`'s answer as events of ours, through the one `Assembler`, which keeps the laws of the grammar.
 *
 * @since 0.1.0
 */
import type * as Response from "effect/ai/Response"
import * as Base64 from "effect/encoding/Base64"
import * as Schema from "effect/Schema"
import type { LlmEvent } from "../../LlmEvent.ts"
import { Fields, type FinishReason, LlmResponse, type Usage } from "../../LlmResponse.ts"
import type * as Message from "../../Message.ts"
import { Assembler } from "../../protocol/Assembler.ts"
import type { DecodeContext, Failure } from "../../protocol/decoding.ts"
import { type FileFields, mediaOf } from "./media.ts"
import { argumentsOf, carrying, jsonOf, objectOf, othersOf, ownOf, restored, wholeOf, wire } from "./metadata.ts"
import { reasoningOf } from "./vendors.ts"

/** Why an answer cannot be completed: the model's own error, or what is wrong with its parts. */
export type Broken = { readonly error: unknown } | { readonly failure: Failure }

const cut: Failure = { kind: "incomplete", message: "The stream ended before its terminal event." }

const reasons: { readonly [reason in Response.FinishReason]: FinishReason } = {
  stop: "stop",
  length: "length",
  "content-filter": "content-filter",
  "tool-calls": "tool-calls",
  error: "error",
  pause: "pause",
  other: "other",
  unknown: "other"
}

const isFields = Schema.is(Fields)

/** What a service of ours said of an answer that has come through a `LanguageModel`. */
const keptOf = (own: Message.JsonObject | undefined): Omit<Fields, "parts"> | undefined => {
  const response = objectOf(own?.["response"])
  if (response === undefined || !isFields({ ...response, parts: [] })) return undefined
  const { parts: _, ...fields } = response
  return fields as unknown as Omit<Fields, "parts">
}

const usageOf = ({ inputTokens, outputTokens }: Response.Usage): Usage => {
  const counts = <A extends object>(all: A) =>
    Object.fromEntries(Object.entries(all).filter(([, count]) => count !== undefined)) as A
  return { input: counts(inputTokens), output: counts(outputTokens) }
}

/** The events of one answer, of the parts that it comes in. */
export class Answer {
  /** Set when nothing more can come of it. */
  broken: Broken | undefined
  private readonly assembler: Assembler
  private readonly open = new Map<string, { readonly index: number; readonly kind: "text" | "reasoning" | "call" }>()
  /** Reasoning that has begun and not said anything: it may turn out to be a part of ours that `effect/ai` has no place for. */
  private readonly begun = new Set<string>()
  /** Parts that are to be others, by the parts that the assembler made. */
  private readonly kept = new Map<Message.Part, Message.Part>()
  private response: Omit<Fields, "parts"> | undefined

  constructor(context: Omit<DecodeContext, "wire">) {
    this.assembler = new Assembler({ ...context, wire })
  }

  get finished(): boolean {
    return this.assembler.finished
  }

  /** What has come so far. */
  get partial(): LlmResponse | undefined {
    const partial = this.assembler.partial()
    return partial?.with({ parts: partial.parts.map((part) => this.kept.get(part) ?? part) })
  }

  /** The events that parts are. After the end, and after what broke it, there are none. */
  push(parts: ReadonlyArray<Response.AnyPart>): ReadonlyArray<LlmEvent> {
    for (const part of parts) {
      if (this.broken !== undefined || this.assembler.finished) break
      this.add(part)
      this.settle()
    }
    return this.taken()
  }

  /** The end of the parts. `stated` says that it is known to be the end of the answer. */
  end(stated: boolean): ReadonlyArray<LlmEvent> {
    if (this.broken !== undefined || this.assembler.finished) return []
    if (stated) this.assembler.finish("other", undefined, false)
    else this.broken = { failure: cut }
    this.settle()
    return this.taken()
  }

  private settle(): void {
    const { failure } = this.assembler
    if (failure !== undefined) this.broken ??= { failure }
  }

  private taken(): ReadonlyArray<LlmEvent> {
    return this.assembler.out.splice(0).map((event): LlmEvent => {
      switch (event._tag) {
        case "TextEnd":
        case "ReasoningEnd":
        case "ToolCallEnd":
        case "Source":
        case "File":
        case "ServerTool": {
          const part = this.kept.get(event.part)
          return part === undefined ? event : { ...event, part } as LlmEvent
        }
        case "Finish": {
          const parts = event.response.parts.map((part) => this.kept.get(part) ?? part)
          const warnings = [...this.response?.warnings ?? [], ...event.response.warnings]
          return { ...event, response: new LlmResponse({ ...this.response ?? event.response, parts, warnings }) }
        }
        default:
          return event
      }
    })
  }

  /** Lets the last part that was told be another. */
  private instead(change: (plain: Message.Part) => Message.Part): void {
    const last = this.assembler.out.at(-1)
    if (last !== undefined && "part" in last) {
      const part = change(last.part)
      if (part !== last.part) this.kept.set(last.part, part)
    }
  }

  private add(part: Response.AnyPart): void {
    const { assembler } = this
    const own = ownOf(part.metadata)
    const whole = wholeOf(own)
    switch (part.type) {
      case "response-metadata":
        return assembler.start(part.id, part.modelId)
      case "text-start":
        return this.begin(part.id, "text")
      case "text-delta":
        return assembler.text(this.opened(part.id, "text"), part.delta)
      case "text-end":
        return this.close(part.id, "text", part.metadata)
      case "text": {
        const index = assembler.openText()
        assembler.text(index, part.text)
        return this.closeText(index, part.metadata)
      }
      case "reasoning-start":
        this.begun.add(part.id)
        return
      case "reasoning-delta":
        return assembler.reasoning(this.opened(part.id, "reasoning"), part.delta)
      case "reasoning-end":
        if (whole !== undefined && !this.open.has(part.id)) {
          this.begun.delete(part.id)
          return this.restore(whole)
        }
        if (this.begun.has(part.id)) this.begin(part.id, "reasoning")
        return this.close(part.id, "reasoning", part.metadata)
      case "reasoning": {
        if (whole !== undefined && part.text === "") return this.restore(whole)
        const index = assembler.openReasoning()
        assembler.reasoning(index, part.text)
        return this.closeReasoning(index, part.metadata)
      }
      case "tool-params-start":
        return part.providerExecuted ? undefined : this.beginCall(part.id, part.name)
      case "tool-params-delta": {
        const open = this.open.get(part.id)
        return open?.kind === "call" ? assembler.toolCallDelta(open.index, part.delta) : undefined
      }
      case "tool-params-end":
        return
      case "tool-call":
        if (whole !== undefined) return this.restore(whole)
        if (part.providerExecuted) {
          return this.step("call", part.name, part.id, { params: part.params }, part.metadata)
        }
        return this.call(part, own)
      case "tool-result":
        if (whole !== undefined) return this.restore(whole)
        if (!part.providerExecuted || part.preliminary) return
        return this.step(
          "result",
          part.name,
          part.id,
          { result: part.encodedResult, isFailure: part.isFailure },
          part.metadata
        )
      case "tool-approval-request":
        return this.step("block", part.type, part.toolCallId, { approvalId: part.approvalId }, part.metadata)
      case "file": {
        if (whole !== undefined) return this.restore(whole)
        const file: FileFields = { mediaType: part.mediaType, data: Base64.encode(part.data) }
        const media = mediaOf(file, own)
        return assembler.file(restored(media, own))
      }
      case "source": {
        if (whole?.type === "source") return assembler.source(whole)
        const raw = jsonOf(part)
        const { title } = part
        return assembler.source(
          part.sourceType === "url"
            ? { type: "source", url: part.url.href, title, raw }
            : { type: "source", title, raw }
        )
      }
      case "finish": {
        this.response = keptOf(own)
        assembler.usage(this.response?.usage ?? usageOf(part.usage))
        for (const [id, { index, kind }] of this.open) {
          if (kind !== "call") this.close(id, kind, {})
          else assembler.endToolCall(index, { invalid: true })
        }
        return assembler.finish(reasons[part.reason], part.reason, part.reason !== "unknown")
      }
      case "error":
        this.broken = { error: part.error }
    }
  }

  private begin(id: string, kind: "text" | "reasoning"): void {
    if (this.open.has(id)) this.close(id, kind, {})
    this.begun.delete(id)
    const index = kind === "text" ? this.assembler.openText() : this.assembler.openReasoning()
    this.open.set(id, { index, kind })
  }

  private opened(id: string, kind: "text" | "reasoning"): number {
    if (this.open.get(id)?.kind !== kind) this.begin(id, kind)
    return this.open.get(id)!.index
  }

  private close(id: string, kind: "text" | "reasoning", metadata: unknown): void {
    const open = this.open.get(id)
    if (open === undefined || open.kind === "call") return
    this.open.delete(id)
    if (open.kind === "text") this.closeText(open.index, metadata)
    else this.closeReasoning(open.index, metadata)
  }

  private closeText(index: number, metadata: unknown): void {
    const own = ownOf(metadata)
    this.assembler.endText(index, carrying(othersOf(own === undefined ? metadata : undefined)))
    if (own !== undefined) {
      this.instead((plain) => restored({ type: "text", text: (plain as Message.TextPart).text }, own))
    }
  }

  private closeReasoning(index: number, metadata: unknown): void {
    const own = ownOf(metadata)
    const others = othersOf(metadata)
    const { origin: _, ...more } = carrying(others)
    this.assembler.endReasoning(index, more)
    this.instead((plain) => {
      const { text } = plain as Message.ReasoningPart
      if (own !== undefined) return restored({ type: "reasoning", text }, own)
      const known = reasoningOf(others)
      return known === undefined ? plain : { type: "reasoning", text, ...known }
    })
  }

  private beginCall(id: string, name: string): void {
    if (this.open.has(id)) return
    this.open.set(id, { index: this.assembler.openToolCall(id, name), kind: "call" })
  }

  private call(part: Response.ToolCallPart<string, unknown>, own: Message.JsonObject | undefined): void {
    const { assembler } = this
    const { id, metadata, name, params } = part
    this.beginCall(id, name)
    const open = this.open.get(id)!
    const args = argumentsOf(params, own)
    const index = open.kind === "call" ? open.index : assembler.openToolCall(id, name)
    this.open.delete(id)
    if (assembler.openLength(index) === 0) {
      assembler.toolCallDelta(index, typeof args === "string" && own !== undefined ? args : JSON.stringify(args))
    }
    const { origin: _, ...more } = carrying(own === undefined ? othersOf(metadata) : undefined)
    assembler.endToolCall(index, { arguments: args, ...more })
    if (own !== undefined) {
      this.instead((plain) => {
        const { arguments: read, id: unique, name: called } = plain as Message.ToolCallPart
        return restored({ type: "tool-call", id: unique, name: called, arguments: read }, own)
      })
    }
  }

  private step(
    kind: Message.ServerToolPart["kind"],
    name: string,
    id: string,
    data: object,
    metadata: unknown
  ): void {
    const others = othersOf(metadata)
    this.assembler.serverTool({
      name,
      kind,
      id,
      data: objectOf(jsonOf({ ...data, ...(others === undefined ? undefined : { metadata: others }) })) ?? {}
    })
  }

  /** A part of ours that was kept whole. */
  private restore(part: Message.Part): void {
    switch (part.type) {
      case "server-tool":
        this.assembler.serverTool(part)
        return this.instead(() => part)
      case "image":
      case "audio":
      case "file":
        return this.assembler.file(part)
      case "source":
        return this.assembler.source(part)
      default:
        return
    }
  }
}
