/**
 * What comes beside text: citations, generated images and sound. Every field may be missing; nothing here fails an
 * answer.
 *
 * @since 0.1.0
 */
import type { AudioPart, ImagePart, JsonObject, SourcePart } from "../../Message.ts"
import { readDataUrl } from "../DataUrl.ts"
import { type Fields, nonEmpty, record } from "../Probe.ts"

/**
 * The source that an annotation names.
 *
 * @see https://platform.openai.com/docs/api-reference/responses-streaming/response/output_text/annotation
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const sourceFrom = (annotation: unknown): SourcePart | undefined => {
  const fields = record(annotation)
  if (fields === undefined) return undefined
  const inner = record(fields["url_citation"]) ?? record(fields["file_citation"]) ?? fields
  const url = nonEmpty(inner["url"])
  const title = nonEmpty(inner["title"]) ?? nonEmpty(inner["filename"])
  const citedText = nonEmpty(inner["quote"]) ?? nonEmpty(inner["content"])
  return {
    type: "source",
    ...(url === undefined ? undefined : { url }),
    ...(title === undefined ? undefined : { title }),
    ...(citedText === undefined ? undefined : { citedText }),
    raw: fields as JsonObject
  }
}

/**
 * The image of an image generation call; `preview` stands in for a final one that never came.
 *
 * @see https://platform.openai.com/docs/guides/tools-image-generation
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const imageFrom = (item: Fields, preview: string | undefined): ImagePart | undefined => {
  const result = nonEmpty(item["result"]) ?? preview
  if (result === undefined) return undefined
  if (/^https?:/.test(result)) return { type: "image", source: { type: "url", url: result } }
  const inline = readDataUrl(result)
  const mediaType = nonEmpty(inline?.mediaType) ?? `image/${nonEmpty(item["output_format"]) ?? "png"}`
  return { type: "image", source: { type: "base64", mediaType, data: inline?.data ?? result } }
}

/**
 * The sound of an `output_audio` content part. The wire does not name its format: `audio/pcm` unless the part does.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const audioFrom = (part: Fields): AudioPart | undefined => {
  const data = nonEmpty(part["data"])
  if (data === undefined) return undefined
  const transcript = nonEmpty(part["transcript"])
  return {
    type: "audio",
    source: { type: "base64", mediaType: `audio/${nonEmpty(part["format"]) ?? "pcm"}`, data },
    ...(transcript === undefined ? undefined : { transcript })
  }
}
