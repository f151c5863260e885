/**
 * Parts to content blocks: https://platform.claude.com/docs/en/api/messages/create#body-messages
 *
 * What the API rejects is left out, spelled otherwise with a warning, or refuses the request when its
 * meaning would change.
 *
 * @since 0.1.0
 */
import type {
  FilePart,
  ImagePart,
  Json,
  JsonObject,
  Part,
  TextPart,
  ToolCallPart,
  ToolResultPart
} from "../../Message.ts"
import { isTextType, textOfBase64 } from "../conversation/Media.ts"
import { type Findings, refuse } from "../Findings.ts"
import { record } from "../Probe.ts"
import type {
  CacheableBlock,
  ContentBlock,
  DocumentBlock,
  ImageBlock,
  ImageMediaType,
  TextBlock,
  ToolResultBlock,
  ToolUseBlock
} from "./Body.ts"
import { cacheable, want, type Wanted } from "./Cache.ts"
import type { Quirks } from "./Quirks.ts"

/**
 * What building content needs and collects.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Building extends Findings {
  readonly quirks: Quirks
  readonly wanted: Wanted
}

const imageTypes: ReadonlySet<string> = new Set<ImageMediaType>(["image/jpeg", "image/png", "image/gif", "image/webp"])

const imageBlock = (source: ImagePart["source"], building: Building): ImageBlock | undefined => {
  switch (source.type) {
    case "url":
      return { type: "image", source: { type: "url", url: source.url } }
    case "file":
      return { type: "image", source: { type: "file", file_id: source.fileId } }
    case "base64": {
      const { mediaType } = source
      if (!imageTypes.has(mediaType)) {
        return refuse(building, `Images are JPEG, PNG, GIF or WebP; "${mediaType}" is none of them.`)
      }
      return { type: "image", source: { type: "base64", media_type: mediaType as ImageMediaType, data: source.data } }
    }
  }
}

const documentSource = (part: FilePart, building: Building): DocumentBlock["source"] | undefined => {
  const source = part.source
  switch (source.type) {
    case "url":
      return { type: "url", url: source.url }
    case "file":
      return { type: "file", file_id: source.fileId }
    case "base64": {
      const { mediaType } = source
      if (mediaType === "application/pdf") return { type: "base64", media_type: "application/pdf", data: source.data }
      if (!isTextType(mediaType)) {
        return refuse(building, `Files are PDF, text or images; "${source.mediaType}" is none of them.`)
      }
      const data = textOfBase64(source.data)
      if (data === undefined) return refuse(building, "A file's data is not base64.")
      return { type: "text", media_type: "text/plain", data }
    }
  }
}

const fileBlock = (part: FilePart, building: Building): DocumentBlock | ImageBlock | undefined => {
  if (part.source.mediaType?.startsWith("image/") === true) return imageBlock(part.source, building)
  const source = documentSource(part, building)
  if (source === undefined) return undefined
  return {
    type: "document",
    source,
    ...(part.filename === undefined || part.filename === "" ? undefined : { title: part.filename }),
    ...(part.citations === undefined ? undefined : { citations: { enabled: part.citations } })
  }
}

/** The API refuses text without anything to read in it. */
const isBlank = (text: string): boolean => text.trim() === ""

/** A citation as the request takes it: without the field that only answers have. */
const citationOf = (citation: Json): JsonObject | undefined => {
  const fields = record(citation)
  if (fields === undefined || typeof fields["type"] !== "string") return undefined
  const { file_id: _, ...rest } = fields
  return rest as JsonObject
}

const textBlock = (part: TextPart): TextBlock => {
  const given = part.replay?.["citations"]
  const citations = Array.isArray(given) ? given.map(citationOf).filter((one) => one !== undefined) : []
  return { type: "text", text: part.text, ...(citations.length === 0 ? undefined : { citations }) }
}

const resultContent = (part: ToolResultPart, building: Building): ToolResultBlock["content"] => {
  if (typeof part.content === "string") return part.content === "" ? undefined : part.content
  const blocks: Array<TextBlock | ImageBlock | DocumentBlock> = []
  for (const one of part.content) {
    if (one.type === "text") {
      if (!isBlank(one.text)) blocks.push({ type: "text", text: one.text })
    } else {
      const block = one.type === "image" ? imageBlock(one.source, building) : fileBlock(one, building)
      if (block !== undefined) blocks.push(block)
    }
  }
  return blocks.length === 0 ? undefined : blocks
}

const resultBlock = (part: ToolResultPart, building: Building): ToolResultBlock => {
  const content = resultContent(part, building)
  return {
    type: "tool_result",
    tool_use_id: part.toolCallId,
    ...(content === undefined ? undefined : { content }),
    ...(part.isError === undefined ? undefined : { is_error: part.isError })
  }
}

const callBlock = (part: ToolCallPart): ToolUseBlock => {
  const caller = record(part.replay?.["caller"])
  const toolset = part.replay?.["toolset_name"]
  return {
    type: "tool_use",
    id: part.id,
    name: part.name,
    input: part.arguments as JsonObject,
    ...(caller === undefined ? undefined : { caller: caller as JsonObject }),
    ...(typeof toolset === "string" ? { toolset_name: toolset } : undefined)
  }
}

const blockOf = (role: "user" | "assistant", part: Part, building: Building): ContentBlock | undefined => {
  switch (part.type) {
    case "text":
      return isBlank(part.text) ? undefined : textBlock(part)
    case "image":
      return imageBlock(part.source, building)
    case "file":
      return fileBlock(part, building)
    case "audio":
      return refuse(building, "This wire takes no audio: send a transcript as text.")
    case "reasoning":
      return role === "user"
        ? undefined
        : part.encrypted !== undefined
        ? { type: "redacted_thinking", data: part.encrypted }
        : { type: "thinking", thinking: part.text, signature: part.signature ?? "" }
    case "tool-call":
      return callBlock(part)
    case "tool-result":
      return resultBlock(part, building)
    case "server-tool":
      return role === "assistant" ? part.data : undefined
    case "source":
      return undefined
  }
}

/**
 * The blocks of a turn's parts.
 *
 * @stability experimental
 * @category encoding
 * @since 0.1.0
 */
export const contentOf = (
  role: "user" | "assistant",
  parts: ReadonlyArray<Part>,
  building: Building
): Array<ContentBlock> => {
  const blocks: Array<ContentBlock> = []
  let last: CacheableBlock | undefined
  for (const part of parts) {
    const block = blockOf(role, part, building)
    if (block !== undefined) blocks.push(block)
    if (block !== undefined && cacheable(block)) last = block
    const control = "cacheControl" in part ? part.cacheControl : undefined
    if (control === undefined) continue
    if (block !== undefined) building.wanted.set(block as CacheableBlock, control)
    else if (last !== undefined) want(building.wanted, last, control)
  }
  return blocks
}
