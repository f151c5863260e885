/**
 * A complete answer, and the fold that makes one from events.
 *
 * `LlmResponse` holds parts in the order of the wire; `text`, `reasoningText`, `toolCalls` and
 * `message` are derived from them. A value that a provider did not send is absent, never 0 or "".
 * The same class holds the partial output of a failed call (`LlmError.partial`); only a `Finish`
 * event carries a whole one.
 *
 * @since 0.1.0
 */
import type { LlmEvent } from "./LlmEvent.ts"
import { PartsFold } from "./message/partsFold.ts"
import type { LlmResponse } from "./message/response.ts"

export * from "./message/response.ts"
export * from "./message/usage.ts"

// =============================================================================
// Fold
// =============================================================================

/**
 * Folds the events of one stream to its response; `undefined` when no `Finish` came.
 *
 * @stability stable
 * @category fold
 * @since 0.1.0
 */
export const fold = (events: Iterable<LlmEvent>): LlmResponse | undefined => {
  const parts = new PartsFold()
  for (const event of events) {
    if (event._tag === "Finish") return event.response.with({ parts: parts.parts() })
    parts.add(event)
  }
  return undefined
}

/**
 * The events that replay a stored answer as a stream.
 *
 * @stability stable
 * @category fold
 * @since 0.1.0
 */
export const toEvents = (response: LlmResponse): Array<LlmEvent> => {
  const events: Array<LlmEvent> = [{ _tag: "ResponseStart", id: response.id, model: response.model }]
  response.parts.forEach((part, index) => {
    switch (part.type) {
      case "text":
        events.push({ _tag: "TextStart", index })
        if (part.text !== "") events.push({ _tag: "TextDelta", index, text: part.text })
        events.push({ _tag: "TextEnd", index, part })
        break
      case "reasoning":
        events.push({ _tag: "ReasoningStart", index })
        if (part.text !== "") events.push({ _tag: "ReasoningDelta", index, text: part.text })
        events.push({ _tag: "ReasoningEnd", index, part })
        break
      case "tool-call": {
        const { id, name } = part
        const delta = typeof part.arguments === "string" ? part.arguments : JSON.stringify(part.arguments)
        events.push({ _tag: "ToolCallStart", index, id, name })
        if (delta !== "") events.push({ _tag: "ToolCallDelta", index, id, delta })
        events.push({ _tag: "ToolCallEnd", index, part })
        break
      }
      case "source":
        events.push({ _tag: "Source", index, part })
        break
      case "server-tool":
        events.push({ _tag: "ServerTool", index, part })
        break
      case "image":
      case "audio":
      case "file":
        events.push({ _tag: "File", index, part })
        break
    }
  })
  events.push({ _tag: "UsageUpdate", usage: response.usage })
  events.push({ _tag: "Finish", response })
  return events
}
