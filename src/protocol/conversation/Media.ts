/**
 * Media in one form for all wires: what stands in a URL becomes base64, media types lose parameters and old names. And where media of
 * assistant turns and of results can go.
 *
 * @since 0.1.0
 */
import type { FilePart, ImagePart, Media, Part, ToolResultPart } from "../../Message.ts"
import { readDataUrl } from "../DataUrl.ts"
import { mapped, mappedParts, type MediaPlace, type Rules, type Step, tell, type Turn } from "./Turn.ts"

// =============================================================================
// Forms
// =============================================================================

/**
 * Names that are in use beside the registered ones, which are all that some APIs know.
 * https://www.iana.org/assignments/media-types/media-types.xhtml
 */
const registered: { readonly [name: string]: string } = {
  "image/jpg": "image/jpeg",
  "image/pjpeg": "image/jpeg",
  "image/x-png": "image/png",
  "application/x-pdf": "application/pdf",
  "audio/x-wav": "audio/wav",
  "audio/wave": "audio/wav",
  "audio/vnd.wave": "audio/wav",
  "audio/x-flac": "audio/flac",
  "text/x-markdown": "text/markdown"
}

/** A media type without parameters, in lower case, by its registered name: `image/jpeg` for `image/JPG; q=1`. */
const bareType = (mediaType: string): string => {
  const bare = mediaType.split(";", 1)[0]!.trim().toLowerCase()
  return Object.hasOwn(registered, bare) ? registered[bare]! : bare
}

const sourceOf = (source: Media): Media => {
  if (source.type === "url") {
    const inline = readDataUrl(source.url)
    if (inline !== undefined) {
      const mediaType = bareType(source.mediaType ?? (inline.mediaType || "text/plain"))
      return { type: "base64", mediaType, data: inline.data }
    }
  }
  if (source.mediaType === undefined) return source
  const mediaType = bareType(source.mediaType)
  return mediaType === source.mediaType ? source : { ...source, mediaType }
}

const inForm = <A extends Part>(part: A): A => {
  if (part.type === "image" || part.type === "file" || part.type === "audio") {
    const source = sourceOf(part.source)
    return source === part.source ? part : { ...part, source }
  }
  if (part.type !== "tool-result" || typeof part.content === "string") return part
  const content = mapped(part.content, inForm)
  return content === part.content ? part : { ...part, content }
}

/**
 * Gives all media one form.
 *
 * @stability experimental
 * @category steps
 * @since 0.1.0
 */
export const mediaForms: Step = {
  name: "media forms",
  isNeeded: () => true,
  run: (turns) => mappedParts(turns, (parts) => mapped(parts, inForm))
}

const textTypes = /^(?:text\/|application\/(?:[\w.+-]*(?:json|xml|yaml|javascript|ndjson)|typescript|toml|sql|x-sh)$)/

/**
 * Whether a media type is one of text.
 *
 * @stability experimental
 * @category media
 * @since 0.1.0
 */
export const isTextType = (mediaType: string): boolean => textTypes.test(bareType(mediaType))

/**
 * The text that base64 holds; `undefined` when it is not base64.
 *
 * @stability experimental
 * @category media
 * @since 0.1.0
 */
export const textOfBase64 = (data: string): string | undefined => {
  try {
    return new TextDecoder().decode(Uint8Array.from(atob(data), (char) => char.charCodeAt(0)))
  } catch {
    return undefined
  }
}

// =============================================================================
// Assistant turns
// =============================================================================

const isMedia = (part: Part): boolean => part.type === "audio" || part.type === "image" || part.type === "file"

/**
 * Leaves media out of assistant turns, and says in words what was spoken.
 *
 * @stability experimental
 * @category steps
 * @since 0.1.0
 */
export const assistantMedia: Step = {
  name: "assistant media",
  isNeeded: (rules) => rules.assistantMedia === false,
  run: (turns, _, findings) => {
    let left = false
    const out = mappedParts(turns, (parts, { role }) => {
      if (role !== "assistant" || !parts.some(isMedia)) return parts
      return parts.flatMap((part): ReadonlyArray<Part> => {
        if (part.type === "audio" && part.transcript !== undefined && part.transcript.trim() !== "") {
          return [{ type: "text", text: part.transcript }]
        }
        if (!isMedia(part)) return [part]
        left = true
        return []
      })
    })
    if (left) {
      tell(findings, "Images, files and audio of an assistant turn cannot be sent back; they were left out.")
    }
    return out
  }
}

// =============================================================================
// Results
// =============================================================================

const kindOf = (part: ImagePart | FilePart): string => part.type

interface Placed {
  readonly result: ToolResultPart
  readonly after: ReadonlyArray<ImagePart | FilePart>
  readonly left: boolean
}

const placed = (
  result: ToolResultPart,
  placeOf: (part: ImagePart | FilePart, result: ToolResultPart) => MediaPlace
): Placed => {
  const { content } = result
  if (typeof content === "string" || content.every((one) => one.type === "text" || placeOf(one, result) === "keep")) {
    return { result, after: [], left: false }
  }
  const after: Array<ImagePart | FilePart> = []
  let left = false
  const kept = content.map((one): typeof one => {
    if (one.type === "text") return one
    const place = placeOf(one, result)
    if (place === "keep") return one
    if (place === "after") {
      after.push(one)
      return { type: "text", text: `[The tool returned this ${kindOf(one)}: see the next user message.]` }
    }
    left = true
    return { type: "text", text: `[${kindOf(one)} left out]` }
  })
  return { result: { ...result, content: kept }, after, left }
}

/**
 * Moves media out of results that cannot hold it, into a user turn after them.
 *
 * @stability experimental
 * @category steps
 * @since 0.1.0
 */
export const resultMedia: Step = {
  name: "result media",
  isNeeded: (rules) => rules.resultMedia !== undefined,
  run: (turns, rules: Rules, findings) => {
    let left = false
    const out: Array<Turn> = []
    for (const turn of turns) {
      if (turn.role !== "tool") {
        out.push(turn)
        continue
      }
      const after: Array<Part> = []
      const parts = mapped(turn.parts, (part) => {
        if (part.type !== "tool-result" || typeof part.content === "string") return part
        const one = placed(part, rules.resultMedia!)
        for (const media of one.after) after.push(media)
        left ||= one.left
        return one.result
      })
      out.push(parts === turn.parts ? turn : { role: "tool", parts })
      if (after.length > 0) {
        out.push({ role: "user", parts: [{ type: "text", text: "Returned by the tools above:" }, ...after] })
      }
    }
    if (left) tell(findings, "Images and files that a result cannot hold here were replaced by a note.")
    return out
  }
}
