/**
 * Images, documents and sounds: parts of ours as files of `effect/ai`, and the other way.
 *
 * @see https://github.com/Effect-TS/effect-smol/blob/main/packages/effect/src/unstable/ai/Prompt.ts
 * @since 0.1.0
 */
import * as Base64 from "effect/encoding/Base64"
import type { AudioPart, FilePart, ImagePart, JsonObject, Media } from "../../Message.ts"

type MediaPart = ImagePart | AudioPart | FilePart

/** Of a file of `effect/ai`, what it is. */
export interface FileFields {
  readonly mediaType: string
  readonly fileName?: string | undefined
  readonly data: string | Uint8Array | URL
}

/** A media type for what has none. */
const typeOf = (part: MediaPart): string =>
  part.source.mediaType ??
    (part.type === "image" ? "image/*" : part.type === "audio" ? "audio/*" : "application/octet-stream")

/** A part as a file. Bytes are base64, as in what `effect/ai` makes of answers; an uploaded file is its id. */
export const fileOf = (part: MediaPart): FileFields => {
  const { source } = part
  return {
    mediaType: typeOf(part),
    ...(part.type === "file" && part.filename !== undefined ? { fileName: part.filename } : undefined),
    data: source.type === "base64"
      ? source.data
      : source.type === "file"
      ? source.fileId
      : URL.canParse(source.url)
      ? new URL(source.url)
      : source.url
  }
}

/** What a file has no place for. The bytes are not among it. */
export const besideFile = (part: MediaPart): object => {
  const { source, ...rest } = part
  const { filename: _, ...fields } = rest as Partial<FilePart>
  const { mediaType } = source
  return {
    ...fields,
    source: source.type === "url"
      // A URL may be spelled in several ways; this one is kept.
      ? { type: "url", url: source.url, ...(mediaType === undefined ? undefined : { mediaType }) }
      : { type: source.type, ...(mediaType === undefined ? undefined : { mediaType }) }
  }
}

const dataUrl = /^data:([^;,]*)(?:;[^,]*)?;base64,(.*)$/s
const base64 = /^[A-Za-z0-9+/]+={0,2}$/

/** Half a type is no type to send bytes with; which formats these are is what the provider packages assume too. */
const whole = (mediaType: string): string =>
  mediaType === "image/*" ? "image/jpeg" : mediaType === "audio/*" ? "audio/wav" : mediaType

const read = ({ data, mediaType }: FileFields): Media => {
  if (data instanceof Uint8Array) return { type: "base64", mediaType: whole(mediaType), data: Base64.encode(data) }
  const text = data instanceof URL ? data.href : data
  const inline = dataUrl.exec(text)
  if (inline !== null) return { type: "base64", mediaType: inline[1] || whole(mediaType), data: inline[2]! }
  if (data instanceof URL || /^(?:https?|gs|s3):\/\//i.test(text)) return { type: "url", url: text, mediaType }
  // An id of an uploaded file is no base64: `file-…` and `file_…` have signs that it has not.
  return base64.test(text) && text.length % 4 === 0
    ? { type: "base64", mediaType: whole(mediaType), data: text }
    : { type: "file", fileId: text, mediaType }
}

/** The source that was kept, with the bytes or the id that the file has. */
const kept = (file: FileFields, own: JsonObject | undefined): Media | undefined => {
  const source = own?.["source"] as { readonly type?: unknown; readonly [field: string]: unknown } | undefined
  const { data } = file
  switch (source?.type) {
    case "base64":
      return typeof data === "string" || data instanceof Uint8Array
        ? {
          type: "base64",
          mediaType: file.mediaType,
          data: typeof data === "string" ? data : Base64.encode(data)
        }
        : undefined
    case "file":
      return typeof data === "string"
        ? {
          type: "file",
          fileId: data,
          ...(typeof source["mediaType"] === "string" ? { mediaType: source["mediaType"] } : undefined)
        }
        : undefined
    case "url": {
      const { mediaType, url } = source
      const same = typeof url === "string" &&
        (data instanceof URL ? URL.canParse(url) && new URL(url).href === data.href : data === url || data === "")
      return same ? { type: "url", url, ...(typeof mediaType === "string" ? { mediaType } : undefined) } : undefined
    }
    default:
      return undefined
  }
}

/** The part that a file is. */
export const mediaOf = (file: FileFields, own: JsonObject | undefined): MediaPart => {
  const source = kept(file, own) ?? read(file)
  const type = own?.["type"] ?? file.mediaType.slice(0, file.mediaType.indexOf("/"))
  if (type === "image") return { type, source }
  if (type === "audio") return { type, source }
  return { type: "file", source, ...(file.fileName === undefined ? undefined : { filename: file.fileName }) }
}
