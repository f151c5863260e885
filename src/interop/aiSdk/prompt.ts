/**
 * A prompt of the AI SDK as messages of ours.
 *
 * @since 0.1.0
 */
import type {
  LanguageModelV4Message,
  LanguageModelV4Prompt,
  LanguageModelV4ToolResultOutput,
  LanguageModelV4ToolResultPart,
  SharedV4FileData,
  SharedV4ProviderOptions
} from "@ai-sdk/provider"
import * as Base64 from "effect/encoding/Base64"
import { jsonText } from "../../json/text.ts"
import type {
  AudioPart,
  CacheControl,
  FilePart,
  ImagePart,
  Media,
  Message,
  Part,
  TextPart,
  ToolCallPart,
  ToolResultPart
} from "../../Message.ts"
import { readDataUrl } from "../../protocol/DataUrl.ts"
import { record } from "../../protocol/Probe.ts"
import { dataIn, plainJson, type Tell, wholePart, withData } from "./own.ts"

// =============================================================================
// Cache marks
// =============================================================================

/**
 * A cache mark as the AI SDK's Anthropic provider has it, which is where its users know them from.
 *
 * @see https://ai-sdk.dev/providers/ai-sdk-providers/anthropic#cache-control
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const cacheMark = (options: SharedV4ProviderOptions | undefined): CacheControl | undefined => {
  const anthropic = record(record(options)?.["anthropic"])
  const mark = record(anthropic?.["cacheControl"] ?? anthropic?.["cache_control"])
  return mark?.["type"] !== "ephemeral" ? undefined : mark["ttl"] === "1h" ? "extended" : "ephemeral"
}

const marked = (options: SharedV4ProviderOptions | undefined): { readonly cacheControl?: CacheControl } => {
  const cacheControl = cacheMark(options)
  return cacheControl === undefined ? {} : { cacheControl }
}

// =============================================================================
// Files
// =============================================================================

/** How the base64 of images begins whose type was left open, as `image` or `image/*`. */
const beginnings: ReadonlyArray<readonly [beginning: string, type: string]> = [
  ["iVBORw0KGgo", "image/png"],
  ["/9j/", "image/jpeg"],
  ["R0lGOD", "image/gif"],
  ["UklGR", "image/webp"],
  ["JVBERi0", "application/pdf"]
]

const isWhole = (mediaType: string): boolean => /^[^/*]+\/[^/*]+$/.test(mediaType)

const typeOf = (mediaType: string, data: string): string =>
  isWhole(mediaType)
    ? mediaType
    : beginnings.find(([beginning]) => data.startsWith(beginning))?.[1] ?? `${mediaType.split("/", 1)[0]!}/octet-stream`

interface GivenFile {
  readonly data: SharedV4FileData
  readonly mediaType: string
  readonly filename?: string | undefined
}

const inline = (mediaType: string, data: string): Media => ({
  type: "base64",
  mediaType: typeOf(mediaType, data),
  data
})

const linked = (mediaType: string, url: string): Media => {
  const held = readDataUrl(url)
  if (held !== undefined) {
    return inline(isWhole(mediaType) || held.mediaType === "" ? mediaType : held.mediaType, held.data)
  }
  return { type: "url", url, ...(isWhole(mediaType) ? { mediaType } : undefined) }
}

const sourceOf = ({ data, mediaType }: GivenFile, provider: string, tell: Tell): Media | undefined => {
  switch (data.type) {
    case "data":
      return inline(mediaType, typeof data.data === "string" ? data.data : Base64.encode(data.data))
    case "url":
      return linked(mediaType, String(data.url))
    case "text":
      return {
        type: "base64",
        mediaType: isWhole(mediaType) ? mediaType : "text/plain",
        data: Base64.encode(data.text)
      }
    case "reference": {
      const fileId = data.reference[provider]
      if (fileId !== undefined) {
        return { type: "file", fileId, ...(isWhole(mediaType) ? { mediaType } : undefined) }
      }
      tell("file reference", `The file is known to ${Object.keys(data.reference).join(", ")}, not to ${provider}.`)
      return undefined
    }
    default:
      tell("file", "A file in a form that is not known was left out.")
      return undefined
  }
}

const fileOf = (
  given: GivenFile,
  options: SharedV4ProviderOptions | undefined,
  provider: string,
  tell: Tell
): ImagePart | AudioPart | FilePart | undefined => {
  const source = sourceOf(given, provider, tell)
  if (source === undefined) return undefined
  const kind = (source.mediaType ?? given.mediaType).split("/", 1)[0]
  if (kind === "image") {
    const detail = record(record(options)?.["openai"])?.["imageDetail"]
    return {
      type: "image",
      source,
      ...(detail === "auto" || detail === "low" || detail === "high" ? { detail } : undefined),
      ...marked(options)
    }
  }
  if (kind === "audio") {
    const transcript = dataIn(options)?.["transcript"]
    return { type: "audio", source, ...(typeof transcript === "string" ? { transcript } : undefined) }
  }
  return {
    type: "file",
    source,
    ...(given.filename === undefined ? undefined : { filename: given.filename }),
    ...marked(options)
  }
}

const some = <A>(part: A | undefined): ReadonlyArray<A> => part === undefined ? [] : [part]

// =============================================================================
// Results
// =============================================================================

const withText = (text: string): TextPart => ({ type: "text", text })

const contentOf = (
  output: LanguageModelV4ToolResultOutput,
  provider: string,
  tell: Tell
): Pick<ToolResultPart, "content" | "isError"> => {
  switch (output.type) {
    case "text":
      return { content: output.value }
    case "json":
      return { content: jsonText(plainJson(output.value) ?? null) }
    case "error-text":
      return { content: output.value, isError: true }
    case "error-json":
      return { content: jsonText(plainJson(output.value) ?? null), isError: true }
    case "execution-denied":
      return { content: output.reason ?? "The call was not approved.", isError: true }
    case "content":
      return {
        content: output.value.flatMap((one): ReadonlyArray<TextPart | ImagePart | FilePart> => {
          if (one.type === "text") return [{ ...withText(one.text), ...marked(one.providerOptions) }]
          const file = one.type === "file" ? fileOf(one, one.providerOptions, provider, tell) : undefined
          if (file !== undefined && file.type !== "audio") return [file]
          tell(`tool result content ${file?.type ?? one.type}`, "It was left out.")
          return []
        })
      }
    default:
      tell("tool result", "A result in a form that is not known was given as JSON.")
      return { content: jsonText(plainJson(output) ?? null) }
  }
}

const resultOf = (part: LanguageModelV4ToolResultPart, provider: string, tell: Tell): ToolResultPart => ({
  type: "tool-result",
  toolCallId: part.toolCallId,
  name: part.toolName,
  ...contentOf(part.output, provider, tell),
  ...marked(part.providerOptions)
})

// =============================================================================
// Messages
// =============================================================================

type Given<Role> = Extract<LanguageModelV4Message, { role: Role }>

const userParts = (message: Given<"user">, provider: string, tell: Tell): Message["content"] =>
  message.content.flatMap((part): ReadonlyArray<Part> => {
    switch (part.type) {
      case "text":
        return [{ ...withText(part.text), ...marked(part.providerOptions) }]
      case "file":
        return some(fileOf(part, part.providerOptions, provider, tell))
      default:
        tell(`user content ${String((part as { type: unknown }).type)}`, "It was left out.")
        return []
    }
  })

/** A step of a provider's own tool goes back where it came from as it was; one that did not ride along is nobody's any more. */
const ownStep = (
  part: { readonly type: string; readonly providerOptions?: unknown },
  tell: Tell
): ReadonlyArray<Part> => {
  const whole = wholePart(part.providerOptions)
  if (whole !== undefined) return [whole]
  tell(`assistant content ${part.type}`, "A step of a provider's own tool that another library recorded was left out.")
  return []
}

const assistantParts = (message: Given<"assistant">, provider: string, tell: Tell): Message["content"] =>
  message.content.flatMap((part): ReadonlyArray<Part> => {
    const { providerOptions } = part
    switch (part.type) {
      case "text":
        return [withData({ ...withText(part.text), ...marked(providerOptions) }, providerOptions)]
      case "reasoning":
        return [withData({ type: "reasoning", text: part.text }, providerOptions)]
      case "file":
        return some(fileOf(part, providerOptions, provider, tell))
      case "tool-call": {
        if (part.providerExecuted === true) return ownStep(part, tell)
        const call: ToolCallPart = {
          type: "tool-call",
          id: part.toolCallId,
          name: part.toolName,
          arguments: plainJson(part.input) ?? {},
          ...marked(providerOptions)
        }
        return [withData(call, providerOptions)]
      }
      default:
        return ownStep(part, tell)
    }
  })

const toolParts = (message: Given<"tool">, provider: string, tell: Tell): Message["content"] =>
  message.content.flatMap((part): ReadonlyArray<Part> => {
    if (part.type === "tool-result") return [resultOf(part, provider, tell)]
    tell(String(part.type), "Calls that a provider asks approval for cannot be answered.")
    return []
  })

const contentIn = (message: LanguageModelV4Message, provider: string, tell: Tell): Message["content"] => {
  switch (message.role) {
    case "system":
      return message.content
    case "user":
      return userParts(message, provider, tell)
    case "assistant":
      return assistantParts(message, provider, tell)
    case "tool":
      return toolParts(message, provider, tell)
  }
}

/**
 * The messages of a prompt. `provider` is whose uploaded files are meant. A message of nothing is left out.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const messagesOfPrompt = (
  prompt: LanguageModelV4Prompt,
  provider: string,
  tell: Tell
): ReadonlyArray<Message> =>
  prompt.flatMap((message): ReadonlyArray<Message> => {
    const content = contentIn(message, provider, tell)
    if (content.length === 0 && message.role !== "assistant" && message.role !== "system") return []
    const { cacheControl } = marked(message.providerOptions)
    return [{
      role: message.role,
      content,
      ...(cacheControl === undefined ? undefined : { attributes: { cacheControl } })
    }]
  })
