/**
 * The parts of an answer while its events come.
 *
 * Owns which part an event belongs to and what an answer holds that was cut. Whether it counts as finished is the
 * business of whoever reads.
 *
 * @since 0.1.0
 */
import type { LlmEvent } from "../LlmEvent.ts"
import type * as Message from "../Message.ts"
import { Pieces } from "./pieces.ts"
import type { Usage } from "./usage.ts"

interface OpenPart {
  readonly open: "text" | "reasoning" | "tool-call"
  readonly text: Pieces
  readonly id: string
  readonly name: string
}

const openPart = (open: OpenPart["open"], id = "", name = ""): OpenPart => ({ open, text: new Pieces(), id, name })

/**
 * Collects the parts that events describe, open ones included.
 *
 * `parts()` at any moment is what has been sent so far: open text and reasoning as far as they came,
 * open tool calls left out, because a call that was not closed is not a call.
 *
 * @stability stable
 * @category fold
 * @since 0.1.0
 */
export class PartsFold {
  private readonly slots: Array<Message.Part | OpenPart | undefined> = []
  usage: Usage | undefined
  id: string | undefined
  model: string | undefined

  add(event: LlmEvent): void {
    switch (event._tag) {
      case "TextDelta":
        return this.write(event.index, "text", event.text)
      case "ReasoningDelta":
        return this.write(event.index, "reasoning", event.text)
      case "ToolCallDelta":
        return this.write(event.index, "tool-call", event.delta)
      case "TextStart":
        this.slots[event.index] = openPart("text")
        return
      case "ReasoningStart":
        this.slots[event.index] = openPart("reasoning")
        return
      case "ToolCallStart":
        this.slots[event.index] = openPart("tool-call", event.id, event.name)
        return
      case "TextEnd":
      case "ReasoningEnd":
      case "ToolCallEnd":
      case "Source":
      case "File":
      case "ServerTool":
        this.slots[event.index] = event.part
        return
      case "UsageUpdate":
        this.usage = event.usage
        return
      case "ResponseStart":
        this.id = event.id ?? this.id
        this.model = event.model ?? this.model
        return
    }
  }

  /**
   * Events of services that are not ours may break the laws: a delta opens a part that nobody opened, and adds nothing to one
   * that is closed.
   */
  private write(index: number, kind: OpenPart["open"], text: string): void {
    const slot = this.slots[index] as OpenPart | undefined
    if (slot === undefined) (this.slots[index] = openPart(kind)).text.add(text)
    else if (slot.open !== undefined) slot.text.add(text)
  }

  /** The text collected so far of an open text or reasoning part. */
  openText(index: number): string {
    const slot = this.slots[index]
    return slot !== undefined && "open" in slot && slot.open !== "tool-call" ? slot.text.read() : ""
  }

  /** The text of a text or reasoning part, open or closed. */
  textOf(index: number): string {
    const slot = this.slots[index]
    if (slot === undefined) return ""
    if ("open" in slot) return this.openText(index)
    return slot.type === "text" || slot.type === "reasoning" ? slot.text : ""
  }

  /** The argument text collected so far of an open tool call. */
  openArguments(index: number): string {
    const slot = this.slots[index]
    return slot !== undefined && "open" in slot && slot.open === "tool-call" ? slot.text.read() : ""
  }

  /** Characters collected so far of an open part. */
  openLength(index: number): number {
    const slot = this.slots[index]
    return slot !== undefined && "open" in slot ? slot.text.length : 0
  }

  parts(): ReadonlyArray<Message.Part> {
    const out: Array<Message.Part> = []
    for (const slot of this.slots) {
      if (slot === undefined) continue
      if (!("open" in slot)) {
        out.push(slot)
      } else if (slot.open !== "tool-call") {
        const text = slot.text.read()
        if (text !== "") out.push({ type: slot.open, text: text.isWellFormed() ? text : text.toWellFormed() })
      }
    }
    return out
  }

  /** Argument text of tool calls that were begun and not closed, for diagnosis. */
  unfinishedToolCalls(): ReadonlyArray<{ readonly id: string; readonly name: string; readonly text: string }> {
    const out: Array<{ readonly id: string; readonly name: string; readonly text: string }> = []
    for (const slot of this.slots) {
      if (slot !== undefined && "open" in slot && slot.open === "tool-call") {
        out.push({ id: slot.id, name: slot.name, text: slot.text.read() })
      }
    }
    return out
  }
}
