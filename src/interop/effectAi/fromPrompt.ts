/**
 * A prompt of `effect/ai` as messages of ours.
 *
 * @since 0.1.0
 */
import type * as Prompt from "effect/ai/Prompt"
import type * as Message from "../../Message.ts"
import { type FileFields, mediaOf } from "./media.ts"
import {
  argumentsOf,
  attributesOf,
  carrying,
  jsonOf,
  objectOf,
  othersOf,
  ownOf,
  restored,
  wholeOf,
  wire
} from "./metadata.ts"
import { cacheControlOf, reasoningOf } from "./vendors.ts"

/** What a tool is called on the wire, by its name in `effect/ai`. */
export type WireName = (name: string) => string

const cached = (options: unknown): { readonly cacheControl?: Message.CacheControl } => {
  const cacheControl = cacheControlOf(othersOf(options))
  return cacheControl === undefined ? {} : { cacheControl }
}

const textOf = (part: Prompt.TextPart): Message.TextPart => {
  const own = ownOf(part.options)
  const plain: Message.TextPart = { type: "text", text: part.text }
  return own === undefined
    ? { ...plain, ...cached(part.options), ...carrying(othersOf(part.options)) }
    : restored(plain, own)
}

const fileOf = (part: Prompt.FilePart): Message.ImagePart | Message.FilePart | Message.AudioPart => {
  const own = ownOf(part.options)
  const media = mediaOf(part as FileFields, own)
  return own === undefined && media.type !== "audio" ? { ...media, ...cached(part.options) } : restored(media, own)
}

const jsonText = (value: unknown): string => typeof value === "string" ? value : JSON.stringify(jsonOf(value))

const resultOf = (part: Prompt.ToolResultPart, nameOf: WireName): Message.ToolResultPart => {
  const { name, ...own } = ownOf(part.options) ?? {}
  const content = part.modelOutput === undefined
    ? jsonText(part.result)
    : part.modelOutput.map((piece): Message.TextPart | Message.ImagePart | Message.FilePart => {
      if (piece.type === "text") return textOf(piece)
      const media = fileOf(piece)
      // A tool result has no sounds, but it has files.
      return media.type === "audio" ? { type: "file", source: media.source } : media
    })
  return restored<Message.ToolResultPart>({
    type: "tool-result",
    toolCallId: part.id,
    ...(name === null || part.name === "" ? undefined : { name: nameOf(part.name) }),
    content,
    ...(part.isFailure ? { isError: true } : undefined),
    ...cached(part.options)
  }, own)
}

/** A step that is no business of the application, kept for whom it came from. */
const stepOf = (
  kind: Message.ServerToolPart["kind"],
  name: string,
  id: string,
  data: object,
  options: unknown
): Message.ServerToolPart => {
  const metadata = othersOf(options)
  return {
    type: "server-tool",
    name,
    kind,
    id,
    data: objectOf(jsonOf({ ...data, ...(metadata === undefined ? undefined : { metadata }) })) ?? {},
    origin: { wire }
  }
}

const partOf = (part: Prompt.Part, nameOf: WireName): Message.Part => {
  const own = ownOf(part.options)
  const whole = wholeOf(own)
  if (whole !== undefined) return whole
  switch (part.type) {
    case "text":
      return textOf(part)
    case "file":
      return fileOf(part)
    case "reasoning": {
      const plain: Message.ReasoningPart = { type: "reasoning", text: part.text }
      if (own !== undefined) return restored(plain, own)
      const others = othersOf(part.options)
      return { ...plain, ...(reasoningOf(others) ?? carrying(others)) }
    }
    case "tool-call": {
      const { id, name, params } = part
      if (part.providerExecuted) return stepOf("call", name, id, { params }, part.options)
      const plain: Message.ToolCallPart = {
        type: "tool-call",
        id,
        name: nameOf(name),
        arguments: argumentsOf(params, own)
      }
      return own === undefined
        ? { ...plain, ...cached(part.options), ...carrying(othersOf(part.options)) }
        : restored(plain, own)
    }
    case "tool-result": {
      const { id, isFailure, name, providerExecuted, result } = part
      return providerExecuted
        ? stepOf("result", name, id, { result, isFailure }, part.options)
        : resultOf(part, nameOf)
    }
    case "tool-approval-request":
      return stepOf("block", part.type, part.toolCallId, { approvalId: part.approvalId }, part.options)
    case "tool-approval-response": {
      const { approvalId, approved, reason } = part
      return stepOf("block", part.type, approvalId, { approvalId, approved, reason }, part.options)
    }
  }
}

const isBare = (part: Message.Part): part is Message.TextPart => part.type === "text" && Object.keys(part).length === 2

const isTexts = (value: unknown): value is ReadonlyArray<Message.TextPart> =>
  Array.isArray(value) && value.every((part) => wholeOf({ part })?.type === "text")

const attributed = (message: Prompt.Message): Message.Attributes | undefined => {
  const own = attributesOf(ownOf(message.options))
  if (own !== undefined) return own
  const others = othersOf(message.options)
  if (others === undefined) return undefined
  const cacheControl = cacheControlOf(others)
  return { ...(cacheControl === undefined ? undefined : { cacheControl }), metadata: { [wire]: others } }
}

const messageOf = (message: Prompt.Message, nameOf: WireName): Message.Message => {
  const attributes = attributed(message)
  const more = attributes === undefined ? undefined : { attributes }
  if (message.role === "system") {
    const kept: unknown = ownOf(message.options)?.["content"]
    return isTexts(kept) && kept.map(({ text }) => text).join("") === message.content
      ? { role: "system", content: kept, ...more }
      : { role: "system", content: message.content, ...more }
  }
  const parts = message.content.map((part) => partOf(part, nameOf))
  const [first] = parts
  return {
    role: message.role,
    content: parts.length === 1 && first !== undefined && isBare(first) ? first.text : parts,
    ...more
  }
}

/** Messages of a prompt. Nothing is left out; what only `effect/ai` reads is kept as steps of a foreign wire, which is sent to none. */
export const fromPrompt = (
  prompt: Prompt.Prompt,
  nameOf: WireName = (name) => name
): ReadonlyArray<Message.Message> => prompt.content.map((message) => messageOf(message, nameOf))
