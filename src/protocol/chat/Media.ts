/**
 * Images, files and sound of a user message, in the form that the host takes.
 *
 * A text file is told as text where the host has no files: nothing is lost by that. What would be lost is refused.
 *
 * @see https://platform.openai.com/docs/api-reference/chat/create
 * @since 0.1.0
 */
import type { AudioPart, FilePart, ImagePart } from "../../Message.ts"
import { isTextType, textOfBase64 } from "../conversation/Media.ts"
import { dataUrl } from "../DataUrl.ts"
import { type Findings, refuse } from "../Findings.ts"
import type { Quirks } from "./Quirks.ts"
import type { Content } from "./Wire.ts"

const imageOf = ({ detail, source }: ImagePart, quirks: Quirks, findings: Findings): Content | undefined => {
  if (source.type === "file") {
    return (quirks.files ?? "file") === "file"
      ? { type: "file", file: { file_id: source.fileId } }
      : refuse(findings, "The provider takes no uploaded images: give the bytes as base64, or a URL.")
  }
  if (source.type === "url" && quirks.imageUrls === false) {
    return refuse(findings, "The provider fetches no images: give the bytes as base64.")
  }
  const url = source.type === "url" ? source.url : dataUrl(source.mediaType, source.data)
  return { type: "image_url", image_url: { url, ...(detail === undefined ? undefined : { detail }) } }
}

const filenameOf = (mediaType: string | undefined): string =>
  `file.${mediaType?.split("/")[1]?.split("+", 1)[0] ?? "bin"}`

/** The name and the text of a text file, as text. */
const asText = ({ filename, source }: FilePart): Content | undefined => {
  const text = source.type === "base64" && isTextType(source.mediaType) ? textOfBase64(source.data) : undefined
  return text === undefined
    ? undefined
    : { type: "text", text: filename === undefined ? text : `${filename}:\n${text}` }
}

const fileOf = (part: FilePart, quirks: Quirks, findings: Findings): Content | undefined => {
  const { filename, source } = part
  if (source.mediaType?.startsWith("image/") === true && quirks.files !== undefined) {
    return imageOf({ type: "image", source }, quirks, findings)
  }
  // What only some hosts know, beside the types of OpenAI's own API.
  const own = (content: { readonly type: string; readonly [field: string]: unknown }) => content as unknown as Content
  switch (quirks.contentMustBeString === true ? "none" : quirks.files ?? "file") {
    case "file":
    case "file_data":
      if (source.type === "file") {
        return quirks.files === "file_data"
          ? refuse(findings, "The provider keeps no files: give the bytes as base64.")
          : { type: "file", file: { file_id: source.fileId } }
      }
      if (source.type === "url" && quirks.fileUrls !== true) {
        return refuse(findings, "The provider takes no file URLs: give the bytes as base64, or upload the file.")
      }
      return {
        type: "file",
        file: {
          filename: filename ?? filenameOf(source.mediaType),
          file_data: source.type === "url" ? source.url : dataUrl(source.mediaType, source.data)
        }
      }
    case "document_url":
      if (source.type === "file") return own({ type: "file", file_id: source.fileId })
      return asText(part) ?? own({
        type: "document_url",
        document_url: source.type === "url" ? source.url : dataUrl(source.mediaType, source.data),
        ...(filename === undefined ? undefined : { document_name: filename })
      })
    case "file_url":
      if (source.type === "file") {
        return refuse(findings, "The provider keeps no files: give the bytes as base64, or a URL.")
      }
      return own({
        type: "file_url",
        file_url: { url: source.type === "url" ? source.url : source.data },
        ...(filename === undefined ? undefined : { file_name: filename })
      })
    case "none":
      return asText(part) ??
        refuse(findings, "The provider takes no files: put the document's text into the message.")
  }
}

const audioFormat = (mediaType: string): string => {
  const subtype = mediaType.split("/")[1] ?? ""
  return subtype === "mpeg" || subtype === "mp3" ? "mp3" : subtype.replace(/^(x-|vnd\.)/, "").replace(/^wave?$/, "wav")
}

const audioOf = ({ source }: AudioPart, quirks: Quirks, findings: Findings): Content | undefined => {
  if (source.type !== "base64") return refuse(findings, "The provider takes audio as base64 only.")
  if (quirks.audioForm === "string") return { type: "input_audio", input_audio: source.data } as unknown as Content
  // OpenAI knows wav and mp3; other hosts know more, so another subtype is passed on as it is.
  const format = audioFormat(source.mediaType) as "wav" | "mp3"
  return { type: "input_audio", input_audio: { data: source.data, format } }
}

/**
 * Spells a part that is no text, or refuses the request.
 *
 * @stability experimental
 * @category encoding
 * @since 0.1.0
 */
export const mediaOf = (
  part: ImagePart | FilePart | AudioPart,
  quirks: Quirks,
  findings: Findings
): Content | undefined => {
  switch (part.type) {
    case "image":
      return imageOf(part, quirks, findings)
    case "file":
      return fileOf(part, quirks, findings)
    case "audio":
      return audioOf(part, quirks, findings)
  }
}
