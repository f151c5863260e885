/**
 * The prefix of a request that a provider may cache, piece by piece in the order in which providers read it, and where two of them differ.
 *
 * @since 0.1.0
 */
import { type LlmRequest, messagesOf } from "../../LlmRequest.ts"
import type { LlmTool } from "../../LlmTool.ts"
import type { Message } from "../../Message.ts"
import type { Part } from "../../message/parts.ts"
import type { PrefixDifference } from "../../stream/emit.ts"

type Place = Omit<PrefixDifference, "character">

interface Piece {
  readonly place: Place
  readonly text: string
}

/**
 * What of a request is to be cached.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface Prefix {
  /** Tools, system prompt, messages up to the last mark. The texts are those of the request, not copies. */
  readonly pieces: ReadonlyArray<Piece>
  /** Characters of tools and system prompt, which conversations share. */
  readonly shared: number
  readonly characters: number
  /** The first message, by which conversations are told apart. */
  readonly opening: string
  /** Options that are no text but that hosts cache by. */
  readonly options: string
  readonly extended: boolean
}

const withoutMark = (value: object): object => {
  const { cacheControl: _, ...rest } = value as { readonly cacheControl?: unknown }
  return rest
}

const toolText = (tool: LlmTool): string => {
  switch (tool.type) {
    case "function":
      return JSON.stringify([tool.name, tool.description, tool.parameters])
    case "custom":
      return JSON.stringify(withoutMark(tool))
    case "provider":
      return JSON.stringify([tool.name, tool.definition])
  }
}

const partPiece = (part: Part): { readonly field: string; readonly text: string } =>
  part.type === "text" || part.type === "reasoning"
    ? { field: "text", text: part.text }
    : "source" in part && part.source.type === "base64"
    ? { field: "source", text: part.source.data }
    : { field: part.type, text: JSON.stringify(withoutMark(part)) }

const marksOf = ({ attributes, content }: Message): boolean =>
  attributes?.cacheControl !== undefined ||
  (typeof content !== "string" && content.some((part) => "cacheControl" in part && part.cacheControl !== undefined))

/** How many messages from the first on are to be cached; nothing when nothing of the request is. */
const marked = (request: LlmRequest, messages: ReadonlyArray<Message>, automatic: boolean): number | undefined => {
  if (automatic || (request.cache?.recentTurns ?? 0) > 0) return messages.length
  const last = messages.findLastIndex(marksOf)
  if (last >= 0) return last + 1
  const { cache, tools } = request
  return cache?.systemPrompt === true || cache?.tools === true ||
      tools?.some((tool) => "cacheControl" in tool && tool.cacheControl !== undefined) === true
    ? 0
    : undefined
}

const read = (request: LlmRequest, automatic: boolean): Prefix | undefined => {
  const messages = messagesOf(request)
  const until = marked(request, messages, automatic)
  if (until === undefined) return undefined
  const pieces: Array<Piece> = []
  const tools = (request.tools ?? []).toSorted((a, b) => a.name < b.name ? -1 : a.name > b.name ? 1 : 0)
  for (const [index, tool] of tools.entries()) pieces.push({ place: { in: "tools", index }, text: toolText(tool) })
  // Marked tools end the prefix, unless something behind them is marked as well.
  const { cache, system } = request
  if (system !== undefined && (until > 0 || cache?.systemPrompt === true)) {
    pieces.push({ place: { in: "system" }, text: system })
  }
  const shared = pieces.reduce((sum, { text }) => sum + text.length, 0)
  for (const [index, { content, role }] of messages.slice(0, until).entries()) {
    pieces.push({ place: { in: "messages", index, field: "role" }, text: role })
    const parts = typeof content === "string" ? [{ type: "text", text: content } as const] : content
    for (const [part, value] of parts.entries()) {
      const { field, text } = partPiece(value)
      pieces.push({ place: { in: "messages", index, part, field }, text })
    }
  }
  const { content: first } = messages[0] ?? { content: "" }
  return {
    pieces,
    shared,
    characters: pieces.reduce((sum, { text }) => sum + text.length, 0),
    opening: typeof first === "string" ? first : JSON.stringify(first.map(withoutMark)),
    options: JSON.stringify([request.thinking, request.effort, request.toolChoice, request.responseFormat]),
    extended: cache?.extendedTtl === true
  }
}

/**
 * What of a request is to be cached, or nothing: it is not marked, or cannot be read. With `automatic` the whole of it.
 *
 * @stability stable
 * @category accessors
 * @since 0.1.0
 */
export const prefixOf = (request: LlmRequest, automatic: boolean): Prefix | undefined => {
  try {
    return read(request, automatic)
  } catch {
    return undefined
  }
}

const characterOf = (a: string, b: string): number => {
  const end = Math.min(a.length, b.length)
  let at = 0
  while (at < end && a.charCodeAt(at) === b.charCodeAt(at)) at++
  return at
}

/**
 * Where a request departs from the prefix of the one before it; nothing when it is an extension of it.
 *
 * @stability stable
 * @category comparing
 * @since 0.1.0
 */
export const differenceOf = (before: Prefix, after: Prefix): PrefixDifference | undefined => {
  for (const [at, { place, text }] of before.pieces.entries()) {
    const other = after.pieces[at]
    if (other === undefined) return { ...place, character: 0 }
    const same = other.place.in === place.in && other.place.index === place.index && other.place.part === place.part &&
      other.place.field === place.field
    if (!same) {
      // Whichever comes first: a tool that was added stands before the system prompt.
      const order = ["tools", "system", "messages"]
      const first = order.indexOf(other.place.in) < order.indexOf(place.in) ? other.place : place
      return { ...first, character: 0 }
    }
    if (other.text === text) continue
    return { ...place, character: characterOf(text, other.text) }
  }
  return before.options === after.options ? undefined : { in: "options" }
}
