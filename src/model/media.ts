/**
 * The media of a request: their types in one spelling for all wires, and what hosts do not take of them.
 *
 * A type is sent in lower case, without parameters and by its registered name: strict APIs refuse `image/jpg` and
 * `text/plain; charset=utf-8`. https://www.iana.org/assignments/media-types/media-types.xhtml
 *
 * @since 0.1.0
 */
import type { LlmRequest } from "../LlmRequest.ts"
import { messagesOf } from "../LlmRequest.ts"
import type { Media, Part, TextPart } from "../Message.ts"

// =============================================================================
// Types
// =============================================================================

/** Names that are no registered types, and those that they stand for. */
const registered: ReadonlyMap<string, string> = new Map([
  ["image/jpg", "image/jpeg"],
  ["image/pjpeg", "image/jpeg"],
  ["image/x-png", "image/png"],
  ["audio/mp3", "audio/mpeg"],
  ["audio/x-mp3", "audio/mpeg"],
  ["audio/x-mpeg", "audio/mpeg"],
  ["audio/wave", "audio/wav"],
  ["audio/x-wav", "audio/wav"],
  ["audio/vnd.wave", "audio/wav"],
  ["audio/x-flac", "audio/flac"],
  ["audio/x-m4a", "audio/mp4"],
  ["application/x-pdf", "application/pdf"],
  ["text/x-markdown", "text/markdown"]
])

/**
 * A media type as it is sent.
 *
 * @stability stable
 * @category types
 * @since 0.1.0
 */
export const canonicalType = (given: string): string => {
  const bare = given.split(";", 1)[0]!.trim().toLowerCase()
  return registered.get(bare) ?? bare
}

/** The head of a data URL is short; what comes after the comma is not looked at. */
const canonicalUrl = (url: string): string => {
  const head = /^data:([^,;]{1,255})((?:;[^,;]{1,255}){0,8}),/i.exec(url.slice(0, 2048))
  if (head === null) return url
  const [whole, type = "", parameters = ""] = head
  const base64 = /;\s*base64\s*$/i.test(parameters)
  // Without base64 the text is in the charset that a parameter names.
  return base64 ? `data:${canonicalType(type)};base64,${url.slice(whole.length)}` : url
}

const canonicalMedia = (media: Media): Media => {
  const { mediaType } = media
  const type = mediaType === undefined ? undefined : canonicalType(mediaType)
  const url = media.type === "url" ? canonicalUrl(media.url) : undefined
  if (type === mediaType && (media.type !== "url" || url === media.url)) return media
  return {
    ...media,
    ...(type === undefined ? undefined : { mediaType: type }),
    ...(url === undefined ? undefined : { url })
  } as Media
}

const canonicalPart = (part: Part): Part => {
  if (part.type !== "image" && part.type !== "file" && part.type !== "audio") return part
  const source = canonicalMedia(part.source)
  return source === part.source ? part : { ...part, source } as Part
}

// =============================================================================
// Parts
// =============================================================================

const mapped = (parts: ReadonlyArray<Part>, change: (part: Part) => Part): ReadonlyArray<Part> => {
  let out: Array<Part> | undefined
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i]!
    let next = change(part)
    if (next.type === "tool-result" && typeof next.content !== "string") {
      const content = mapped(next.content, change)
      if (content !== next.content) next = { ...next, content } as Part
    }
    if (next !== part) (out ??= parts.slice())[i] = next
  }
  return out ?? parts
}

/**
 * A request with its parts changed; the same request when none is.
 *
 * @stability stable
 * @category combinators
 * @since 0.1.0
 */
export const mapParts = (request: LlmRequest, change: (part: Part) => Part): LlmRequest => {
  if (request.messages === undefined) return request
  let changed = false
  const messages = request.messages.map((message) => {
    if (typeof message.content === "string") return message
    const content = mapped(message.content as ReadonlyArray<Part>, change)
    if (content === message.content) return message
    changed = true
    return { ...message, content } as typeof message
  })
  return changed ? { ...request, messages } : request
}

const placeIn = (parts: ReadonlyArray<Part>, at: string, is: (part: Part) => boolean): string | undefined => {
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i]!
    if (is(part)) return `${at}[${i}]`
    if (part.type === "tool-result" && typeof part.content !== "string") {
      const found = placeIn(part.content, `${at}[${i}].content`, is)
      if (found !== undefined) return found
    }
  }
  return undefined
}

/**
 * Where the first such part of a request stands, of what the model has not made itself.
 *
 * @stability stable
 * @category accessors
 * @since 0.1.0
 */
export const placeOf = (request: LlmRequest, is: (part: Part) => boolean): string | undefined => {
  const messages = messagesOf(request)
  for (let i = 0; i < messages.length; i++) {
    const { content, role } = messages[i]!
    // What a model drew itself is its wire's to replay or drop.
    if (typeof content === "string" || role === "assistant") continue
    const field = placeIn(content, `messages[${i}].content`, is)
    if (field !== undefined) return field
  }
  return undefined
}

/**
 * A request whose media have their types in one spelling.
 *
 * @stability stable
 * @category combinators
 * @since 0.1.0
 */
export const withCanonicalTypes = (request: LlmRequest): LlmRequest => mapParts(request, canonicalPart)

/**
 * Kinds of media that a host may not take.
 *
 * @stability stable
 * @category guards
 * @since 0.1.0
 */
export const isMedia = {
  audio: (part: Part): boolean => part.type === "audio",
  files: (part: Part): boolean => part.type === "file" || (part.type === "image" && part.source.type === "file"),
  "image.detail": (part: Part): boolean => part.type === "image" && part.detail !== undefined
}

/** What is text in any case: https://www.rfc-editor.org/rfc/rfc6838#section-4.2.1 */
const textType = /^text\/|^application\/(?:json|xml|yaml|x-yaml|x-ndjson)$/

const decoded = (data: string): string | undefined => {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(Uint8Array.from(atob(data), (one) => one.charCodeAt(0)))
  } catch {
    return undefined
  }
}

/**
 * A file that holds text, as text, with its name before it; any other part as it is.
 *
 * @stability stable
 * @category combinators
 * @since 0.1.0
 */
export const fileAsText = (part: Part): Part => {
  if (part.type !== "file" || part.source.type !== "base64" || !textType.test(canonicalType(part.source.mediaType))) {
    return part
  }
  const text = decoded(part.source.data)
  if (text === undefined) return part
  const made: TextPart = {
    type: "text",
    text: part.filename === undefined ? text : `${part.filename}:\n${text}`,
    ...(part.cacheControl === undefined ? undefined : { cacheControl: part.cacheControl })
  }
  return made
}

/**
 * A part without the option that a host does not know.
 *
 * @stability stable
 * @category combinators
 * @since 0.1.0
 */
export const withoutDetail = (part: Part): Part => {
  if (part.type !== "image" || part.detail === undefined) return part
  const { detail: _, ...rest } = part
  return rest
}
