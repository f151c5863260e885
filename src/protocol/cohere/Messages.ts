/**
 * Spells prepared turns as messages of Cohere's Chat API v2.
 *
 * A tool plan travels as the opaque part it came as. Text files become documents, which the model cites: those of the
 * user at the request's top level, those of tool results in the result. Images of tool results follow in a user
 * message; that a tool failed is said in its text. What the API cannot carry (PDFs, sound) is refused, because leaving it out would change the question.
 *
 * @see https://docs.cohere.com/reference/chat
 * @since 0.1.0
 */
import { jsonText } from "../../json/text.ts"
import type { Issue, LlmRequest } from "../../LlmRequest.ts"
import type { Warning } from "../../LlmResponse.ts"
import type { FilePart, ImagePart, Part, ToolResultPart } from "../../Message.ts"
import * as Conversation from "../Conversation.ts"
import { isTextType, textOfBase64 } from "../conversation/Media.ts"
import { dataUrl } from "../DataUrl.ts"
import { type Findings, refuse, warn } from "../Findings.ts"
import { nonEmpty } from "../Probe.ts"
import type { AssistantContent, ToolContent, UserContent, WireDocument, WireMessage, WireToolCall } from "./Body.ts"
import { wire } from "./name.ts"

export { wire } from "./name.ts"

/** Name of the opaque part that holds what the model plans to do with its tools. @stability experimental @category constants @since 0.1.0 */
export const toolPlan = "tool_plan"

/** Messages with the documents they hold, or why they cannot be spelled. @stability experimental @category models @since 0.1.0 */
export type Spelled =
  | { readonly messages: Array<WireMessage>; readonly documents: Array<WireDocument> }
  | { readonly refused: Issue }

class Speller implements Findings {
  readonly messages: Array<WireMessage> = []
  readonly documents: Array<WireDocument> = []
  refused: Issue | undefined
  readonly warnings: Array<Warning>

  constructor(warnings: Array<Warning>) {
    this.warnings = warnings
  }

  turn(turn: Conversation.Turn): void {
    if (turn.parts.some((part) => "cacheControl" in part && part.cacheControl !== undefined)) {
      warn(this, "cache", "Cohere has no cache breakpoints; they were left out.")
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
    const content: Array<UserContent> = []
    for (const part of parts) {
      switch (part.type) {
        case "text":
          content.push({ type: "text", text: part.text })
          break
        case "image": {
          const image = this.image(part)
          if (image !== undefined) content.push(image)
          break
        }
        case "file": {
          const document = this.document(part)
          if (document !== undefined) this.documents.push(document)
          if (this.messages.some(({ role }) => role === "assistant")) {
            warn(
              this,
              "messages",
              "Documents stand before all messages: a prompt cache from before this one ends there."
            )
          }
          break
        }
        case "audio":
          refuse(this, "Cohere takes no audio: send a transcript as text.")
          break
      }
    }
    const only = content[0]
    this.messages.push({
      role: "user",
      content: only === undefined ? "" : content.length === 1 && only.type === "text" ? only.text : content
    })
  }

  private image(part: ImagePart): UserContent | undefined {
    const { source } = part
    if (source.type === "file") {
      refuse(this, "Cohere keeps no files: give the image as base64 or as a URL.")
      return undefined
    }
    const url = source.type === "url" ? source.url : dataUrl(source.mediaType, source.data)
    return {
      type: "image_url",
      image_url: { url, ...(part.detail === undefined ? undefined : { detail: part.detail }) }
    }
  }

  private document(part: FilePart): WireDocument | undefined {
    const { source } = part
    const text = source.type === "base64" && isTextType(source.mediaType) ? textOfBase64(source.data) : undefined
    if (text === undefined) {
      refuse(this, "Cohere takes text documents as base64 only: extract the text of other files first.")
      return undefined
    }
    return {
      ...(part.filename === undefined ? undefined : { id: part.filename }),
      data: { ...(part.filename === undefined ? undefined : { title: part.filename }), text }
    }
  }

  // -------------------------------------------------------------------------
  // Assistant
  // -------------------------------------------------------------------------

  private assistant(parts: ReadonlyArray<Part>): void {
    const content: Array<AssistantContent> = []
    const calls: Array<WireToolCall> = []
    let plan = ""
    for (const part of parts) {
      switch (part.type) {
        case "text":
          if (part.text !== "") content.push({ type: "text", text: part.text })
          break
        case "reasoning":
          content.push({ type: "thinking", thinking: part.text })
          break
        case "server-tool":
          if (part.name === toolPlan) plan += nonEmpty(part.data[toolPlan]) ?? ""
          break
        case "tool-call":
          calls.push({
            id: part.id,
            type: "function",
            function: { name: part.name, arguments: jsonText(part.arguments) }
          })
          break
      }
    }
    if (content.length === 0 && calls.length === 0 && plan === "") return
    const texts = content.every((one) => one.type === "text")
    this.messages.push({
      role: "assistant",
      ...(content.length === 0
        ? calls.length === 0 ? { content: "" } : undefined
        : { content: texts ? content.map((one) => one.text).join("") : content }),
      ...(plan === "" ? undefined : { tool_plan: plan }),
      ...(calls.length === 0 ? undefined : { tool_calls: calls })
    })
  }

  // -------------------------------------------------------------------------
  // Tool results
  // -------------------------------------------------------------------------

  private results(parts: ReadonlyArray<ToolResultPart>): void {
    for (const part of parts) {
      this.messages.push({
        role: "tool",
        tool_call_id: part.toolCallId,
        content: typeof part.content === "string" ? part.content : this.result(part.content)
      })
    }
  }

  private result(parts: Exclude<ToolResultPart["content"], string>): string | Array<ToolContent> {
    const content: Array<ToolContent> = []
    for (const part of parts) {
      if (part.type === "text") content.push({ type: "text", text: part.text })
      else if (part.type === "file") {
        const document = this.document(part)
        if (document !== undefined) content.push({ type: "document", document })
      }
    }
    const only = content[0]
    return only === undefined ? "" : content.length === 1 && only.type === "text" ? only.text : content
  }
}

/** What the API takes of a history. It goes on from no assistant message. */
const rules: Conversation.Rules = {
  wire,
  keepReasoning: (part) => part.text !== "",
  resultErrors: "words",
  resultMedia: (part) => part.type === "image" ? "after" : "keep",
  assistantMedia: false,
  userFirst: true,
  userLast: true,
  reasoningNeeds: "something-beside"
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
  return speller.refused === undefined
    ? { messages: speller.messages, documents: speller.documents }
    : { refused: speller.refused }
}
