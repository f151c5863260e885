/**
 * Parts to content blocks: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ContentBlock.html
 *
 * What the API rejects is left out, spelled otherwise with a warning, or refuses the request when its
 * meaning would change. Bytes are base64 on this wire.
 *
 * @since 0.1.0
 */
import type { CacheControl, FilePart, Json, JsonObject, Media, Part, ToolResultPart } from "../../Message.ts"
import { type Findings, refuse } from "../Findings.ts"
import { record } from "../Probe.ts"
import { formatOf, formatOfName, kindOf, type MediaKind } from "./Formats.ts"

/**
 * A content block, and the cache point asked for after it.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Entry {
  readonly block: JsonObject
  cache: CacheControl | undefined
}

/**
 * What building content needs and collects.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Building extends Findings {
  /** Names of the documents so far, which the API wants distinct, and how far each was counted. */
  readonly documents: Map<string, number>
}

/** The API refuses text without anything to read in it. */
const isBlank = (text: string): boolean => text.trim() === ""

// =============================================================================
// Media
// =============================================================================

const s3 = "s3://"

const uriOf = (source: Media): string | undefined => {
  const uri = source.type === "url" ? source.url : source.type === "file" ? source.fileId : undefined
  return uri?.startsWith(s3) === true ? uri : undefined
}

const sourceOf = (source: Media, building: Building): JsonObject | undefined => {
  if (source.type === "base64") return { bytes: source.data }
  const uri = uriOf(source)
  if (uri !== undefined) return { s3Location: { uri } }
  return refuse(building, "Media on this wire is bytes or an s3:// URI; other URLs and file ids cannot be read.")
}

/** The format is what the media type says, else what the URI or the name ends in. */
const mediaBlock = (kind: MediaKind, source: Media, name: string, building: Building): JsonObject | undefined => {
  const format = source.mediaType === undefined
    ? formatOfName(kind, uriOf(source) ?? "") ?? formatOfName(kind, name)
    : formatOf(kind, source.mediaType)
  const found = sourceOf(source, building)
  if (found === undefined) return undefined
  if (format === undefined) {
    return refuse(building, `"${source.mediaType ?? "unknown"}" is no type of ${kind} that this wire takes.`)
  }
  return { [kind]: { format, source: found } }
}

/**
 * Letters, digits, single spaces, hyphens, parentheses and brackets are all that a document's name can hold:
 * https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_DocumentBlock.html
 */
const documentName = (part: FilePart, building: Building): string => {
  const given = (part.filename ?? "").replace(/\.[a-z0-9]{1,5}$/i, "")
    .replace(/[^a-z0-9\s()[\]-]/gi, "-").replace(/\s+/g, " ").trim().slice(0, 190)
  const base = /[a-z0-9]/i.test(given) ? given : "Document"
  const { documents } = building
  let count = documents.get(base) ?? 0
  let name = base
  // Counting goes on where it stopped, however many have the same name.
  while (documents.has(name)) name = `${base} ${++count}`
  documents.set(base, Math.max(count, 1))
  if (name !== base) documents.set(name, 1)
  return name
}

const fileBlock = (part: FilePart, building: Building): JsonObject | undefined => {
  const type = part.source.mediaType
  const kind = type === undefined ? "document" : kindOf(type)
  const block = mediaBlock(kind, part.source, part.filename ?? "", building)
  if (kind !== "document") return block
  const document = record(block?.["document"]) as JsonObject | undefined
  if (document === undefined) return undefined
  return {
    document: {
      ...document,
      name: documentName(part, building),
      ...(part.citations === undefined ? undefined : { citations: { enabled: part.citations } })
    }
  }
}

// =============================================================================
// Tools
// =============================================================================

const nothing: JsonObject = { text: "(empty)" }

const resultContent = (part: ToolResultPart, building: Building): ReadonlyArray<JsonObject> => {
  if (typeof part.content === "string") return isBlank(part.content) ? [nothing] : [{ text: part.content }]
  const blocks: Array<JsonObject> = []
  for (const one of part.content) {
    if (one.type === "text") {
      if (!isBlank(one.text)) blocks.push({ text: one.text })
    } else {
      const block = one.type === "image" ? mediaBlock("image", one.source, "", building) : fileBlock(one, building)
      if (block !== undefined) blocks.push(block)
    }
  }
  return blocks.length === 0 ? [nothing] : blocks
}

/** Only some models take a status; without one a result is a success. */
const resultBlock = (part: ToolResultPart, building: Building): JsonObject => ({
  toolResult: {
    toolUseId: part.toolCallId,
    content: resultContent(part, building),
    ...(part.isError === true ? { status: "error" } : undefined)
  }
})

// =============================================================================
// Parts
// =============================================================================

const textBlock = (text: string, replay: JsonObject | undefined): JsonObject => {
  const citations = replay?.["citations"]
  return Array.isArray(citations) && citations.length > 0
    ? { citationsContent: { content: [{ text }], citations: citations as Json } }
    : { text }
}

const blockOf = (role: "user" | "assistant", part: Part, building: Building): JsonObject | undefined => {
  switch (part.type) {
    case "text":
      return isBlank(part.text) ? undefined : textBlock(part.text, role === "assistant" ? part.replay : undefined)
    case "image":
    case "file":
    case "audio":
      return part.type === "file" ? fileBlock(part, building) : mediaBlock(part.type, part.source, "", building)
    case "reasoning":
      return role === "user"
        ? undefined
        : part.encrypted !== undefined
        ? { reasoningContent: { redactedContent: part.encrypted } }
        : {
          reasoningContent: {
            reasoningText: {
              text: part.text,
              ...(part.signature === undefined ? undefined : { signature: part.signature })
            }
          }
        }
    case "tool-call":
      return { toolUse: { toolUseId: part.id, name: part.name, input: part.arguments } }
    case "tool-result":
      return resultBlock(part, building)
    case "server-tool":
      return role === "assistant" ? part.data : undefined
    case "source":
      return undefined
  }
}

/**
 * Whether a cache point may follow a block.
 *
 * @stability experimental
 * @category encoding
 * @since 0.1.0
 */
export const cacheable = (entry: Entry): boolean => !("reasoningContent" in entry.block)

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
): Array<Entry> => {
  const entries: Array<Entry> = []
  let last: Entry | undefined
  for (const part of parts) {
    const block = blockOf(role, part, building)
    const cache = "cacheControl" in part ? part.cacheControl : undefined
    if (block !== undefined) {
      const entry: Entry = { block, cache }
      entries.push(entry)
      if (cacheable(entry)) last = entry
    } else if (cache !== undefined && last !== undefined && last.cache !== "extended") {
      last.cache = cache
    }
  }
  return entries
}
