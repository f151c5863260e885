/**
 * Content of MCP as parts of messages, and back. Texts, images, sounds, resources and links to them; what the model cannot be shown is told of.
 *
 * https://modelcontextprotocol.io/specification/2026-07-28/server/tools,
 * https://modelcontextprotocol.io/specification/2025-11-25/server/tools
 *
 * @since 0.1.0
 */
import { canonical } from "../../agent/run/digest.ts"
import { parseJson } from "../../json/parse.ts"
import { wellFormed } from "../../json/text.ts"
import type { FilePart, ImagePart, Json, TextPart } from "../../Message.ts"
import type { Bounds } from "./limits.ts"
import { isObject } from "./values.ts"

/** What a message and a tool result may hold. @stability experimental @category models @since 0.1.0 */
export type ContentPart = TextPart | ImagePart | FilePart

/** Blocks of one result; what comes after is told of. */
const maxBlocks = 256

const text = (value: string): TextPart => ({ type: "text", text: wellFormed(value) })

const base64 = /^[A-Za-z0-9+/_-]*={0,2}$/

const mediaTypeOf = (value: unknown): string | undefined =>
  typeof value === "string" && /^[\w.+-]+\/[\w.+-]+(?:\s*;.*)?$/.test(value) && value.length <= 256
    ? value.split(";", 1)[0]!.trim().toLowerCase()
    : undefined

/** Reads one block after the other, within what is left of the bounds. */
class Reader {
  private bytes: number

  constructor(bounds: Pick<Bounds, "mediaBytes">) {
    this.bytes = bounds.mediaBytes
  }

  private media(data: unknown, mimeType: unknown, what: string): ContentPart {
    const mediaType = mediaTypeOf(mimeType)
    if (typeof data !== "string" || mediaType === undefined) return text(`[${what} that cannot be read]`)
    const plain = data.replaceAll(/\s+/g, "")
    if (plain === "" || !base64.test(plain)) return text(`[${what} (${mediaType}) that cannot be read]`)
    const bytes = Math.floor(plain.length * 3 / 4)
    if (bytes > this.bytes) return text(`[${what} (${mediaType}, ${bytes} bytes) was left out: it is too large]`)
    this.bytes -= bytes
    const source = { type: "base64", mediaType, data: plain.replaceAll("-", "+").replaceAll("_", "/") } as const
    return mediaType.startsWith("image/") ? { type: "image", source } : { type: "file", source }
  }

  private resource(held: unknown): ContentPart {
    if (!isObject(held)) return text("[a resource that cannot be read]")
    if (typeof held.text === "string") return text(held.text)
    const uri = typeof held.uri === "string" ? held.uri : ""
    const part = this.media(held.blob, held.mimeType ?? "application/octet-stream", `the resource ${uri}`)
    const name = uri.split(/[?#]/)[0]!.split("/").at(-1)
    return part.type === "file" && name ? { ...part, filename: name.slice(0, 256) } : part
  }

  block(value: Json): ContentPart {
    if (!isObject(value)) return text(typeof value === "string" ? value : JSON.stringify(value) ?? "")
    switch (value.type) {
      case "text":
        return text(typeof value.text === "string" ? value.text : JSON.stringify(value))
      case "image":
        return this.media(value.data, value.mimeType, "an image")
      case "audio":
        return this.media(value.data, value.mimeType, "a sound")
      case "resource":
        return this.resource(value.resource)
      case "resource_link": {
        const { description, mimeType, name, title, uri } = value
        const said = [title ?? name, mimeType, description].filter((one) => typeof one === "string" && one !== uri)
        return text(`[resource ${String(uri)}${said.length === 0 ? "" : `: ${said.join(", ")}`}]`)
      }
      default:
        return text(JSON.stringify(value) ?? "")
    }
  }

  contents(value: unknown): ContentPart {
    return this.resource(value)
  }
}

/** Blocks as parts. @stability experimental @category reading @since 0.1.0 */
export const partsOf = (
  blocks: ReadonlyArray<Json>,
  bounds: Pick<Bounds, "mediaBytes">
): ReadonlyArray<ContentPart> => {
  const reader = new Reader(bounds)
  const parts = blocks.slice(0, maxBlocks).map((block) => reader.block(block))
  return blocks.length <= maxBlocks
    ? parts
    : [...parts, text(`[${blocks.length - maxBlocks} more parts of this were left out]`)]
}

/** What was read of a resource, as parts. @stability experimental @category reading @since 0.1.0 */
export const contentsOf = (
  contents: ReadonlyArray<unknown>,
  bounds: Pick<Bounds, "mediaBytes">
): ReadonlyArray<ContentPart> => {
  const reader = new Reader(bounds)
  return contents.slice(0, maxBlocks).map((one) => reader.contents(one))
}

/** Texts alone, one below the other, are a text. */
const plainer = (parts: ReadonlyArray<ContentPart>): string | ReadonlyArray<ContentPart> =>
  parts.every((part) => part.type === "text") ? parts.map((part) => (part as TextPart).text).join("\n") : parts

/** A server that gives a value beside its content says it there as well, so that older clients see it. */
const saysSame = (parts: ReadonlyArray<ContentPart>, value: Json): boolean => {
  const wanted = canonical(value)
  return parts.some((part) => {
    if (part.type !== "text" || part.text.length > 4 * wanted.length + 1024) return false
    const read = parseJson(part.text)
    return read !== undefined && canonical(read) === wanted
  })
}

/**
 * The content of a result as the model sees it: the blocks, and the value beside them unless they say it.
 *
 * @stability experimental
 * @category reading
 * @since 0.1.0
 */
export const resultContent = (
  result: { readonly content?: unknown; readonly structuredContent?: unknown },
  bounds: Pick<Bounds, "mediaBytes">
): string | ReadonlyArray<ContentPart> => {
  const blocks = Array.isArray(result.content) ? result.content as ReadonlyArray<Json> : []
  const parts = partsOf(blocks, bounds)
  const value = result.structuredContent as Json | undefined
  return plainer(value === undefined || saysSame(parts, value) ? parts : [...parts, text(JSON.stringify(value))])
}

// =============================================================================
// To MCP
// =============================================================================

/** A block of MCP. @stability experimental @category models @since 0.1.0 */
export type Block =
  | { type: "text"; text: string }
  | { type: "image"; data: string; mimeType: string }
  | { type: "audio"; data: string; mimeType: string }
  | { type: "resource_link"; uri: string; name: string; mimeType?: string }
  | { type: "resource"; resource: { uri: string; mimeType: string; blob: string } }

/** What the model of somebody else is shown of a tool's result. @stability experimental @category encoding @since 0.1.0 */
export const blocksOf = (content: string | ReadonlyArray<ContentPart>): Array<Block> => {
  if (typeof content === "string") return [{ type: "text", text: content }]
  return content.map((part, at): Block => {
    if (part.type === "text") return { type: "text", text: part.text }
    const { source } = part
    const name = part.type === "file" ? part.filename ?? `file-${at + 1}` : `image-${at + 1}`
    switch (source.type) {
      case "base64": {
        const { data, mediaType } = source
        if (mediaType.startsWith("image/")) return { type: "image", data, mimeType: mediaType }
        if (mediaType.startsWith("audio/")) return { type: "audio", data, mimeType: mediaType }
        const uri = `attachment:${encodeURIComponent(name)}`
        return { type: "resource", resource: { uri, mimeType: mediaType, blob: data } }
      }
      case "url":
        return {
          type: "resource_link",
          uri: source.url,
          name,
          ...(source.mediaType === undefined ? undefined : { mimeType: source.mediaType })
        }
      case "file":
        return { type: "text", text: `[${name}: a file kept by a provider, ${source.fileId}]` }
    }
  })
}
