/**
 * Turns to contents: https://ai.google.dev/api/caching#Content
 *
 * Thought signatures go back on the part they came with, to the model they came from; where a model demands one and there
 * is none, the documented placeholder stands in. Empty text is left out, because the API rejects it.
 * https://ai.google.dev/gemini-api/docs/thought-signatures
 *
 * @since 0.1.0
 */
import { segment } from "../../address/paths.ts"
import type { Json, Media, Origin, Part, ToolCallPart, ToolResultPart } from "../../Message.ts"
import type { Rules, Turn } from "../Conversation.ts"
import type { Blob, BodyPart, CallPart, Content, FileData, MediaPart, ResultPart } from "./Body.ts"
import { signatureBlock } from "./Parts.ts"
import type { Quirks } from "./Quirks.ts"

/**
 * Whom signatures are for.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Signing {
  readonly quirks: Quirks
  readonly provider: string
  readonly model: string
}

/**
 * What building content needs and collects.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Building extends Signing {
  /** Whether the model demands signatures on calls, and takes media in results. */
  readonly byLevel: boolean
}

/** Stands in for a signature that is not to be had: https://ai.google.dev/gemini-api/docs/thought-signatures#faqs */
const placeholder = "skip_thought_signature_validator"

const base64 = /^[A-Za-z0-9+/_-]+={0,2}$/

const bareModel = (model: string): string => model.slice(model.lastIndexOf("/") + 1)

/** A signature is valid for the model that made it. */
const isOwn = (origin: Origin | undefined, building: Signing): boolean => {
  if (origin === undefined) return true
  const { model, provider } = origin
  if (model !== undefined && bareModel(model) !== bareModel(building.model)) return false
  return provider === undefined || provider === building.provider ||
    building.quirks.signaturesFrom?.includes(provider) === true
}

const signed = (
  signature: string | undefined,
  origin: Origin | undefined,
  building: Signing
): { thoughtSignature: string } | undefined =>
  signature !== undefined && isOwn(origin, building) && base64.test(signature)
    ? { thoughtSignature: signature }
    : undefined

/**
 * What the wire takes of a history: signed thoughts of the model, steps of the provider's own tools. A function call comes right after a
 * user turn or results, and the model's turn is not the last: https://github.com/google-gemini/gemini-cli/issues/26486 and
 * https://github.com/crewAIInc/crewAI/pull/6973
 *
 * @stability experimental
 * @category encoding
 * @since 0.1.0
 */
export const rulesOf = (wire: string, signing: Signing, prefill: boolean | undefined): Rules => {
  const isSigned = (part: { readonly signature?: string | undefined; readonly origin?: Origin | undefined }) =>
    signed(part.signature, part.origin, signing) !== undefined
  return {
    wire,
    keepReasoning: isSigned,
    // Thoughts themselves need not go back, only what is signed.
    unwantedReasoning: (part) => !isSigned(part),
    keepServerTool: ({ name, origin }) =>
      name === signatureBlock
        ? isOwn(origin, signing)
        : name !== "thought" && (origin.provider === undefined || origin.provider === signing.provider),
    keepEmpty: isSigned,
    leadingSystem: true,
    alternating: true,
    userFirst: true,
    userLast: prefill !== true
  }
}

// =============================================================================
// Media
// =============================================================================

const mediaTypes: { readonly [extension: string]: string } = {
  png: "image/png",
  jpg: "image/jpeg",
  jpeg: "image/jpeg",
  webp: "image/webp",
  gif: "image/gif",
  heic: "image/heic",
  heif: "image/heif",
  pdf: "application/pdf",
  txt: "text/plain",
  md: "text/markdown",
  csv: "text/csv",
  html: "text/html",
  json: "application/json",
  mp3: "audio/mp3",
  wav: "audio/wav",
  ogg: "audio/ogg",
  flac: "audio/flac",
  aac: "audio/aac",
  mp4: "video/mp4",
  mov: "video/quicktime",
  webm: "video/webm"
}

const typeOfUrl = (url: string): string | undefined => {
  const path = url.split(/[?#]/, 1)[0]!
  return mediaTypes[path.slice(path.lastIndexOf(".") + 1).toLowerCase()]
}

const mediaOf = (source: Media, building: Building): { inlineData: Blob } | { fileData: FileData } => {
  switch (source.type) {
    case "base64":
      return { inlineData: { mimeType: source.mediaType, data: source.data } }
    case "url": {
      const mimeType = source.mediaType ?? typeOfUrl(source.url)
      return { fileData: { fileUri: source.url, ...(mimeType === undefined ? undefined : { mimeType }) } }
    }
    case "file": {
      const { filesUrl } = building.quirks
      const id = source.fileId.startsWith("files/") ? segment(source.fileId.slice("files/".length)) : undefined
      const fileUri = filesUrl !== undefined && id !== undefined ? `${filesUrl}/files/${id}` : source.fileId
      return { fileData: { fileUri, ...(source.mediaType === undefined ? undefined : { mimeType: source.mediaType }) } }
    }
  }
}

// =============================================================================
// Calls and results
// =============================================================================

const callPart = (part: ToolCallPart, building: Building): CallPart => ({
  functionCall: {
    ...(building.quirks.toolCallIds === false ? undefined : { id: part.id }),
    name: part.name,
    args: part.arguments as { [key: string]: Json }
  },
  ...signed(part.signature, part.origin, building)
})

/** The parts of a result: media are its own where the model takes that, else they come after it. */
const resultParts = (part: ToolResultPart, building: Building): Array<BodyPart> => {
  const media: Array<{ inlineData: Blob } | { fileData: FileData }> = []
  let text = ""
  if (typeof part.content === "string") {
    text = part.content
  } else {
    for (const one of part.content) {
      if (one.type === "text") text += one.text
      else media.push(mediaOf(one.source, building))
    }
  }
  const own = building.byLevel && media.length > 0
  const result: ResultPart = {
    functionResponse: {
      ...(building.quirks.toolCallIds === false ? undefined : { id: part.toolCallId }),
      name: part.name ?? part.toolCallId,
      // The keys that the API itself knows: https://ai.google.dev/api/caching#FunctionResponse
      response: part.isError === true ? { error: text } : { output: text },
      ...(own ? { parts: media } : undefined)
    }
  }
  return own ? [result] : [result, ...media]
}

// =============================================================================
// Turns
// =============================================================================

const partsOf = (role: Content["role"], part: Part, into: Array<BodyPart>, building: Building): void => {
  switch (part.type) {
    case "text": {
      const signature = role === "model" ? signed(part.signature, part.origin, building) : undefined
      if (part.text !== "" || signature !== undefined) into.push({ text: part.text, ...signature })
      return
    }
    case "image":
    case "file":
    case "audio":
      // What the model has spoken elsewhere is told, not played.
      if (role === "model" && part.type === "audio" && part.transcript !== undefined && part.transcript !== "") {
        into.push({ text: part.transcript })
      } else into.push(mediaOf(part.source, building))
      return
    case "reasoning": {
      // Thoughts themselves need not go back, only what is signed.
      const signature = signed(part.signature, part.origin, building)
      if (signature !== undefined) into.push({ text: part.text, thought: true, ...signature })
      return
    }
    case "tool-call":
      into.push(callPart(part, building))
      return
    case "tool-result":
      for (const one of resultParts(part, building)) into.push(one)
      return
    case "server-tool": {
      if (role !== "model" || part.name === "thought") return
      const { thoughtSignature, thought_signature: _, ...data } = part.data
      const signature = signed(
        typeof thoughtSignature === "string" ? thoughtSignature : undefined,
        part.origin,
        building
      )
      if (part.name !== signatureBlock) {
        into.push({ ...data, ...signature })
        return
      }
      const last = into.at(-1) as MediaPart | undefined
      if (last !== undefined && ("inlineData" in last || "fileData" in last)) Object.assign(last, signature)
      return
    }
    case "source":
      return
  }
}

/** Only the first of parallel calls is signed. */
const withPlaceholder = (parts: Array<BodyPart>): void => {
  const first = parts.find((part): part is CallPart => "functionCall" in part)
  if (first !== undefined && first.thoughtSignature === undefined) first.thoughtSignature = placeholder
}

/**
 * The contents of turns: roles alternate, turns of one role are merged.
 *
 * @stability experimental
 * @category encoding
 * @since 0.1.0
 */
export const contentsOf = (turns: ReadonlyArray<Turn>, building: Building): Array<Content> => {
  const contents: Array<Content> = []
  for (const turn of turns) {
    const role = turn.role === "assistant" ? "model" : "user"
    const parts: Array<BodyPart> = []
    for (const part of turn.parts) partsOf(role, part, parts, building)
    if (parts.length === 0) continue
    if (role === "model" && building.byLevel) withPlaceholder(parts)
    const last = contents.at(-1)
    if (last?.role === role) { for (const part of parts) last.parts.push(part) }
    else contents.push({ role, parts })
  }
  return contents
}
