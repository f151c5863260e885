/**
 * Spells prepared turns as messages of Ollama's native chat API: content is one string, images are base64 beside it, and
 * the arguments of a call are an object.
 *
 * Tool results hold text only: their images follow in a user message. What the API cannot carry (image URLs, PDFs,
 * sound) is refused, because leaving it out would change the question.
 *
 * @see https://docs.ollama.com/api/chat
 * @since 0.1.0
 */
import type { Issue, LlmRequest } from "../../LlmRequest.ts"
import type { Warning } from "../../LlmResponse.ts"
import type { ImagePart, JsonObject, Part, ToolResultPart } from "../../Message.ts"
import * as Conversation from "../Conversation.ts"
import { type Findings, refuse, warn } from "../Findings.ts"
import type { WireMessage, WireToolCall } from "./Body.ts"
import { wire } from "./name.ts"

export { wire } from "./name.ts"

/** Messages, or why they cannot be spelled. @stability experimental @category models @since 0.1.0 */
export type Spelled = { readonly messages: Array<WireMessage> } | { readonly refused: Issue }

class Speller implements Findings {
  readonly messages: Array<WireMessage> = []
  refused: Issue | undefined
  readonly warnings: Array<Warning>

  constructor(warnings: Array<Warning>) {
    this.warnings = warnings
  }

  turn(turn: Conversation.Turn): void {
    if (turn.parts.some((part) => "cacheControl" in part && part.cacheControl !== undefined)) {
      warn(this, "cache", "Ollama has no cache breakpoints; they were left out.")
    }
    switch (turn.role) {
      case "system":
        this.messages.push({ role: "system", content: Conversation.textOf(turn.parts) })
        return
      case "user":
        return this.user(turn.parts)
      case "assistant":
        return this.assistant(turn.parts)
      case "tool":
        return this.results(turn.parts as ReadonlyArray<ToolResultPart>)
    }
  }

  private user(parts: ReadonlyArray<Part>): void {
    const images: Array<string> = []
    const texts: Array<string> = []
    for (const part of parts) {
      switch (part.type) {
        case "text":
          texts.push(part.text)
          break
        case "image": {
          const data = this.image(part)
          if (data !== undefined) images.push(data)
          break
        }
        case "file":
          refuse(this, "Ollama takes no files: put the document's text into the message.")
          break
        case "audio":
          refuse(this, "Ollama takes no audio: send a transcript as text.")
          break
      }
    }
    this.messages.push({
      role: "user",
      content: texts.join("\n"),
      ...(images.length === 0 ? undefined : { images })
    })
  }

  private image(part: ImagePart): string | undefined {
    if (part.source.type === "base64") return part.source.data
    refuse(this, "Ollama takes images as base64 only: it fetches no URLs and keeps no files.")
    return undefined
  }

  private assistant(parts: ReadonlyArray<Part>): void {
    const calls: Array<WireToolCall> = []
    let thinking = ""
    for (const part of parts) {
      switch (part.type) {
        case "tool-call":
          calls.push({ id: part.id, function: { name: part.name, arguments: part.arguments as JsonObject } })
          break
        case "reasoning":
          thinking += part.text
          break
      }
    }
    const content = Conversation.textOf(parts)
    if (content === "" && thinking === "" && calls.length === 0) return
    this.messages.push({
      role: "assistant",
      content,
      ...(thinking === "" ? undefined : { thinking }),
      ...(calls.length === 0 ? undefined : { tool_calls: calls })
    })
  }

  private results(parts: ReadonlyArray<ToolResultPart>): void {
    for (const part of parts) {
      this.messages.push({
        role: "tool",
        content: typeof part.content === "string" ? part.content : Conversation.textOf(part.content),
        ...(part.name === undefined ? undefined : { tool_name: part.name }),
        tool_call_id: part.toolCallId
      })
    }
  }
}

/** What the API takes of a history. */
const rules: Conversation.Rules = {
  wire,
  keepReasoning: (part) => part.text !== "",
  resultErrors: "words",
  resultMedia: (part) => part.type === "image" && part.source.type === "base64" ? "after" : "leave-out",
  assistantMedia: false
}

/**
 * The messages of a request.
 *
 * @stability experimental
 * @category encoding
 * @since 0.1.0
 */
export const messagesFor = (request: LlmRequest, warnings: Array<Warning>): Spelled => {
  const prepared = Conversation.prepare(request, rules)
  if (prepared.refused !== undefined) return { refused: prepared.refused }
  warnings.push(...prepared.warnings)
  const speller = new Speller(warnings)
  for (const turn of prepared.turns) speller.turn(turn)
  return speller.refused === undefined ? { messages: speller.messages } : { refused: speller.refused }
}
