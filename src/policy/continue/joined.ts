/**
 * Several broken attempts as one stream that keeps the laws of events.
 *
 * The first attempt passes and is remembered; the events of those after it get the indexes that follow, their first
 * text joins the text that was left open, usage is summed, and the last `Finish` holds all parts. Which
 * attempts there are and what they are asked is `Continue`'s.
 *
 * @since 0.1.0
 */
import type { LlmEvent } from "../../LlmEvent.ts"
import { emptyUsage, LlmResponse, type PriorAttempt, sumUsage, type Usage } from "../../LlmResponse.ts"
import type { Part } from "../../Message.ts"
import { PartsFold } from "../../message/partsFold.ts"
import type { Seam } from "./seam.ts"

/**
 * A stream made of attempts.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export class Joined {
  private readonly fold = new PartsFold()
  private nextIndex = 0
  /** The text part that is being written. */
  private openText: number | undefined
  /** Characters of it that were followed and not remembered. */
  private unread = 0
  private openReasoning = 0
  private textOnly = true
  /** Usage of the attempts before the current one, and what is known of the current one's. */
  private usageBefore: Usage | undefined
  private usageNow: Usage | undefined
  private seam: Seam | undefined
  /** Whether the text left open by the attempt before waits for its continuation. */
  private joining = false
  private readonly indexes = new Map<number, number>()
  finished = false

  /** Remembers events of the first attempt. */
  observe(events: ReadonlyArray<LlmEvent>): void {
    for (const event of events) this.note(event)
  }

  /**
   * Remembers events of a first attempt whose partial output is known to somebody else: all but the text of deltas, of which
   * only the length is kept. Before it goes on, `recall` must find the text.
   */
  follow(events: ReadonlyArray<LlmEvent>): void {
    for (const event of events) {
      if (event._tag === "TextDelta") this.unread += event.text.length
      else if (event._tag !== "ReasoningDelta" && event._tag !== "ToolCallDelta") this.note(event)
    }
  }

  /** Takes the text that was followed from the partial output; `false` when it is not there as it was seen. */
  recall(partial: LlmResponse | undefined): boolean {
    if (this.unread === 0) return true
    const part = partial?.parts.findLast((part) => part.type === "text")
    if (this.openText === undefined || part?.type !== "text" || part.text.length !== this.unread) return false
    this.fold.add({ _tag: "TextDelta", index: this.openText, text: part.text })
    this.unread = 0
    return true
  }

  private note(event: LlmEvent): void {
    this.fold.add(event)
    switch (event._tag) {
      case "TextDelta":
      case "ReasoningDelta":
      case "ToolCallDelta":
      case "ToolCallEnd":
      case "ResponseStart":
      case "Continued":
        return
      case "UsageUpdate":
        this.usageNow = event.usage
        return
      case "Finish":
        this.finished = true
        return
      case "TextStart":
        this.openText = event.index
        this.unread = 0
        break
      case "TextEnd":
        this.openText = undefined
        this.unread = 0
        return
      case "ReasoningStart":
        this.openReasoning++
        break
      case "ReasoningEnd":
        this.openReasoning--
        return
      case "ToolCallStart":
      case "File":
      case "ServerTool":
        this.textOnly = false
        break
      case "Source":
        break
    }
    this.nextIndex = Math.max(this.nextIndex, event.index + 1)
  }

  /** All text so far. */
  get text(): string {
    let text = ""
    for (const part of this.fold.parts()) if (part.type === "text") text += part.text
    return text
  }

  /** Whether there is text, and nothing but text was being written or had been called. */
  get canGoOn(): boolean {
    return this.textOnly && this.openReasoning === 0 && this.text.trim() !== ""
  }

  get parts(): ReadonlyArray<Part> {
    return this.fold.parts()
  }

  get usage(): Usage | undefined {
    return this.usageBefore === undefined
      ? this.usageNow
      : this.usageNow === undefined
      ? this.usageBefore
      : sumUsage(this.usageBefore, this.usageNow)
  }

  /** The current attempt is over; its events so far stand. Text that was held back repeats what stands, so it is dropped. */
  broke(usage: Usage | undefined): void {
    this.usageNow = usage ?? this.usageNow
    this.usageBefore = this.usage
    this.usageNow = undefined
  }

  /** Another attempt goes on. */
  goOn(seam: Seam): void {
    this.seam = seam
    this.joining = this.openText !== undefined
    this.openReasoning = 0
    this.indexes.clear()
  }

  /** Events of the current attempt as events of the whole; may be none. */
  translate(events: ReadonlyArray<LlmEvent>, prior: ReadonlyArray<PriorAttempt>): Array<LlmEvent> {
    const out: Array<LlmEvent> = []
    const emit = (event: LlmEvent) => {
      this.fold.add(event)
      out.push(event)
    }
    const indexOf = (own: number): number => {
      const known = this.indexes.get(own)
      if (known !== undefined) return known
      const index = this.nextIndex++
      this.indexes.set(own, index)
      return index
    }
    const write = (index: number, text: string) => {
      if (text !== "") emit({ _tag: "TextDelta", index, text })
    }
    const endText = (index: number) => {
      this.openText = undefined
      const text = this.fold.openText(index)
      emit({ _tag: "TextEnd", index, part: { type: "text", text: text.isWellFormed() ? text : text.toWellFormed() } })
    }
    for (const event of events) {
      switch (event._tag) {
        case "ResponseStart":
          break
        case "TextStart":
          if (this.joining) {
            this.joining = false
            this.indexes.set(event.index, this.openText!)
          } else {
            this.openText = indexOf(event.index)
            emit({ _tag: "TextStart", index: this.openText })
          }
          break
        case "TextDelta":
          write(indexOf(event.index), this.seam === undefined ? event.text : this.seam.push(event.text))
          break
        case "TextEnd": {
          const index = indexOf(event.index)
          if (this.seam === undefined) {
            this.openText = undefined
            emit({ ...event, index })
          } else {
            // Only the first text has a seam; its part is no longer the wire's own.
            write(index, this.seam.flush())
            this.seam = undefined
            endText(index)
          }
          break
        }
        case "ReasoningStart":
          this.openReasoning++
          emit({ ...event, index: indexOf(event.index) })
          break
        case "ReasoningEnd":
          this.openReasoning--
          emit({ ...event, index: indexOf(event.index) })
          break
        case "ToolCallStart":
        case "File":
        case "ServerTool":
          this.textOnly = false
          emit({ ...event, index: indexOf(event.index) })
          break
        case "ReasoningDelta":
        case "ToolCallDelta":
        case "ToolCallEnd":
        case "Source":
          emit({ ...event, index: indexOf(event.index) })
          break
        case "UsageUpdate":
          this.usageNow = event.usage
          emit({ _tag: "UsageUpdate", usage: this.usage! })
          break
        case "Continued":
          emit(event)
          break
        case "Finish":
          if (this.openText !== undefined) endText(this.openText)
          this.finished = true
          this.usageNow = event.response.usage
          out.push({
            _tag: "Finish",
            response: event.response.with({
              parts: this.fold.parts(),
              usage: this.usage ?? emptyUsage,
              // What the last attempt cost is not what the call cost.
              cost: undefined,
              priorAttempts: [...prior, ...event.response.priorAttempts ?? []]
            })
          })
      }
    }
    return out
  }

  /** Everything that came, as the partial output of an error. */
  partial(last: LlmResponse | undefined, provider: string, model: string): LlmResponse {
    const base = last ?? new LlmResponse({
      parts: [],
      finishReason: "other",
      usage: emptyUsage,
      provider,
      model,
      warnings: []
    })
    return base.with({ parts: this.fold.parts(), usage: this.usage ?? emptyUsage })
  }
}
