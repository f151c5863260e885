/**
 * Messages of ours as a prompt of `effect/ai`.
 *
 * Every part goes where it is what it says; fields without a place, and parts without one, are kept under our key, so that `fromPrompt` gives
 * back the same messages.
 *
 * @since 0.1.0
 */
import * as Prompt from "effect/ai/Prompt"
import { parseJson } from "../../json/parse.ts"
import * as Message from "../../Message.ts"
import { besideFile, fileOf } from "./media.ts"
import { carriedBy, type Metadata, metadataOf, objectOf, wire } from "./metadata.ts"

/** What is said of a part: by others, and by us. */
const optionsOf = (part: Message.Part, beside: object): Metadata => {
  const carried = "replay" in part || part.type === "reasoning" ? carriedBy(part) : undefined
  return { ...carried, ...metadataOf(beside) }
}

/** A part that nothing of `effect/ai` can say. Reasoning without a text is what other providers leave out. */
const opaque = (part: Message.Part): Prompt.ReasoningPart =>
  Prompt.reasoningPart({ text: "", options: metadataOf({ part }) })

const textOf = (part: Message.TextPart): Prompt.TextPart => {
  const { text, type: _, ...beside } = part
  return Prompt.textPart({ text, options: optionsOf(part, beside) })
}

const mediaOf = (part: Message.ImagePart | Message.FilePart | Message.AudioPart): Prompt.FilePart =>
  Prompt.filePart({ ...fileOf(part), options: metadataOf(besideFile(part)) })

/** JSON as a value, so that who renders it again gives the same text; any other text as it is. */
const valueOf = (content: string): unknown => {
  if (!/^\s*[[{]/.test(content)) return content
  const value = parseJson(content)
  return value !== undefined && JSON.stringify(value) === content ? value : content
}

const resultOf = (part: Message.ToolResultPart, names: ReadonlyMap<string, string>): Prompt.ToolResultPart => {
  const { content, isError, name, toolCallId: id, type: _, ...rest } = part
  const output = typeof content === "string"
    ? undefined
    : content.map((piece) => piece.type === "text" ? textOf(piece) : mediaOf(piece))
  return Prompt.toolResultPart({
    id,
    name: name ?? names.get(id) ?? "",
    isFailure: isError === true,
    result: output === undefined ? valueOf(content as string) : Prompt.toolModelOutputToText(output),
    ...(output === undefined ? undefined : { modelOutput: output }),
    providerExecuted: false,
    options: metadataOf({
      ...rest,
      ...(name === undefined ? { name: null } : undefined),
      ...(isError === false ? { isError } : undefined)
    })
  })
}

/** A step of a tool of a provider that a `LanguageModel` ran, as it told it. */
const stepOf = (part: Message.ServerToolPart): Prompt.AssistantMessagePart | undefined => {
  if (part.origin.wire !== wire || part.id === undefined) return undefined
  const { data, id, kind, name } = part
  const options = objectOf(data["metadata"]) ?? {}
  if (kind === "call") return Prompt.toolCallPart({ id, name, params: data["params"], providerExecuted: true, options })
  if (kind === "result") {
    return Prompt.toolResultPart({
      id,
      name,
      isFailure: data["isFailure"] === true,
      result: data["result"],
      providerExecuted: true,
      options
    })
  }
  const approvalId = data["approvalId"]
  return name === "tool-approval-request" && typeof approvalId === "string"
    ? Prompt.toolApprovalRequestPart({ approvalId, toolCallId: id, options })
    : undefined
}

const partOf = (part: Message.Part, names: ReadonlyMap<string, string>): Prompt.AssistantMessagePart => {
  switch (part.type) {
    case "text":
      return textOf(part)
    case "image":
    case "file":
    case "audio":
      return mediaOf(part)
    case "reasoning": {
      const { text, type: _, ...beside } = part
      return Prompt.reasoningPart({ text, options: optionsOf(part, beside) })
    }
    case "tool-call": {
      const { arguments: params, id, name, type: _, ...beside } = part
      return Prompt.toolCallPart({ id, name, params, providerExecuted: false, options: optionsOf(part, beside) })
    }
    case "tool-result":
      return resultOf(part, names)
    case "server-tool":
      return stepOf(part) ?? opaque(part)
    case "source":
      return opaque(part)
  }
}

/** A decision on an approval. */
const decisionOf = (part: Message.Part): Prompt.ToolMessagePart | undefined => {
  if (part.type !== "server-tool" || part.origin.wire !== wire || part.name !== "tool-approval-response") {
    return undefined
  }
  const { approvalId, approved, metadata, reason } = part.data
  return typeof approvalId !== "string" ? undefined : Prompt.toolApprovalResponsePart({
    approvalId,
    approved: approved === true,
    ...(typeof reason === "string" ? { reason } : undefined),
    options: objectOf(metadata) ?? {}
  })
}

const messageOf = (message: Message.Message, names: ReadonlyMap<string, string>): Prompt.Message => {
  const { attributes, content, role } = message
  const parts = Message.parts(message)
  const others = objectOf(attributes?.metadata?.[wire])
  const options = { ...others, ...metadataOf(attributes === undefined ? {} : { attributes }) }
  switch (role) {
    case "system": {
      const kept = typeof content === "string" ? {} : { content }
      return Prompt.systemMessage({
        content: Message.textOf(message),
        options: { ...others, ...metadataOf({ ...kept, ...(attributes === undefined ? undefined : { attributes }) }) }
      })
    }
    case "user":
      return Prompt.userMessage({
        content: parts.map((part): Prompt.UserMessagePart => {
          const made = partOf(part, names)
          return made.type === "text" || made.type === "file"
            ? made
            : Prompt.textPart({ text: "", options: metadataOf({ part }) })
        }),
        options
      })
    case "assistant":
      return Prompt.assistantMessage({ content: parts.map((part) => partOf(part, names)), options })
    case "tool":
      return Prompt.toolMessage({
        content: parts.flatMap((part) => {
          const made = part.type === "tool-result" ? resultOf(part, names) : decisionOf(part)
          return made === undefined ? [] : [made]
        }),
        options
      })
  }
}

/** A prompt of messages; `system` comes before them. */
export const toPrompt = (messages: ReadonlyArray<Message.Message>, system?: string): Prompt.Prompt => {
  const names = new Map<string, string>()
  for (const message of messages) {
    if (typeof message.content === "string") continue
    for (const part of message.content) if (part.type === "tool-call") names.set(part.id, part.name)
  }
  const made = messages.map((message) => messageOf(message, names))
  return Prompt.fromMessages(
    system === undefined ? made : [Prompt.systemMessage({ content: system }), ...made]
  )
}
