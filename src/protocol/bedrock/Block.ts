/**
 * Content blocks of an answer while they are open: what each kind collects and what part it becomes.
 *
 * A block of a whole answer and the start of a streamed one have the same members, so both are opened here. Indexes
 * and the end of the answer are the decoder's business.
 * https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ContentBlock.html
 *
 * @since 0.1.0
 */
import type { Json, Media, SourcePart } from "../../Message.ts"
import type { Assembler } from "../assembling.ts"
import { asText, blank, callArguments, firstText, type JsonFields, jsonOf, nonEmpty, parsed, record } from "../Probe.ts"
import { mediaTypeOf } from "./Formats.ts"

/**
 * What a block collects. `server` blocks are steps of a tool that the provider runs, kept as the wire sent them;
 * `ignored` ones are not kept.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export type Kind = "text" | "reasoning" | "tool" | "server" | "media" | "ignored"

/**
 * An open block.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export class Block {
  /** What the wire calls it: its index, or the block itself when it has none. */
  readonly key: unknown
  readonly kind: Kind
  /** Part index; -1 for kinds that have none while open. */
  readonly index: number
  /** The member of the block that names its kind, such as `toolUse`, and its fields as they came first. */
  readonly member: string
  readonly start: JsonFields
  /** Whether argument text came in deltas. */
  streamed = false
  /** Arguments that came whole. */
  input: Json | undefined
  signature: string | undefined = undefined
  /** Pieces of base64. */
  encrypted: Array<string> | undefined = undefined
  citations: Array<Json> | undefined = undefined
  /** Input text of a server tool's call, or base64 of media. */
  readonly pieces: Array<string> = []
  /** Content of a server tool's result. */
  readonly results: Array<Json> = []

  constructor(key: unknown, kind: Kind, index: number, member: string, start: JsonFields) {
    this.key = key
    this.kind = kind
    this.index = index
    this.member = member
    this.start = start
    this.input = callArguments(start["input"], start["arguments"], start["parameters"]) as Json | undefined
  }
}

const mediaMembers = ["image", "audio", "video", "document"]

/** Whether a member names the block: where one says something, the others are placeholders. */
const named = (fields: JsonFields): (member: string) => boolean => {
  const filled = !blank(fields)
  return (name) => filled ? !blank(fields[name]) : name in fields
}

/**
 * Opens a block of the kind that a delta, a start or a whole block names, without its content. One whose members this
 * version does not know is `ignored`.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const openBlock = (assembler: Assembler, key: unknown, fields: JsonFields): Block => {
  const is = named(fields)
  const call = is("toolUse") ? record(fields["toolUse"]) : undefined
  if (call !== undefined) {
    return call["type"] === "server_tool_use"
      ? new Block(key, "server", -1, "toolUse", call)
      : new Block(
        key,
        "tool",
        assembler.openToolCall(nonEmpty(call["toolUseId"]), asText(call["name"])),
        "toolUse",
        call
      )
  }
  if (is("toolResult")) return new Block(key, "server", -1, "toolResult", record(fields["toolResult"]) ?? {})
  if (is("reasoningContent") && record(fields["reasoningContent"]) !== undefined) {
    return new Block(key, "reasoning", assembler.openReasoning(), "reasoningContent", {})
  }
  if (is("text") || is("citation") || is("citationsContent")) {
    return new Block(key, "text", assembler.openText(), "text", {})
  }
  const member = mediaMembers.find((name) => is(name) && record(fields[name]) !== undefined)
  return member === undefined
    ? new Block(key, "ignored", -1, "", fields)
    : new Block(key, "media", -1, member, record(fields[member])!)
}

/**
 * Adds everything that a whole block or a start holds.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const fill = (assembler: Assembler, block: Block, fields: JsonFields): void => {
  switch (block.kind) {
    case "text": {
      const cited = record(fields["citationsContent"])
      const text = firstText(fields["text"])
      assembler.text(block.index, text)
      if (cited === undefined) return
      if (text === "") {
        for (const one of listOf(cited["content"])) assembler.text(block.index, firstText(record(one)?.["text"]))
      }
      for (const one of listOf(cited["citations"])) cite(assembler, block, one)
      return
    }
    case "reasoning": {
      const reasoning = reasoningOf(fields["reasoningContent"])
      assembler.reasoning(block.index, reasoning.text)
      block.signature = reasoning.signature
      if (reasoning.encrypted !== undefined) block.encrypted = [reasoning.encrypted]
      return
    }
    case "server":
      if (block.member === "toolResult") { for (const one of listOf(block.start["content"])) block.results.push(one) }
      return
    case "media":
      block.pieces.push(asText(record(block.start["source"])?.["bytes"]))
      return
  }
}

const listOf = (value: Json | undefined): ReadonlyArray<Json> => Array.isArray(value) ? value : []

/**
 * What a piece of reasoning holds, in any of its spellings: `text`, `signature` and `redactedContent` of deltas,
 * `reasoningText` of whole blocks, `redactedReasoning` of older models.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const reasoningOf = (
  value: Json | undefined
): { readonly text: string; readonly signature: string | undefined; readonly encrypted: string | undefined } => {
  const fields = record(value) ?? {}
  const inner = record(fields["reasoningText"])
  return {
    text: firstText(inner?.["text"], inner === undefined ? fields["reasoningText"] : undefined, fields["text"]),
    signature: nonEmpty(inner?.["signature"]) ?? nonEmpty(fields["signature"]),
    encrypted: nonEmpty(fields["redactedContent"]) ?? nonEmpty(record(fields["redactedReasoning"])?.["data"]) ??
      nonEmpty(fields["data"])
  }
}

/**
 * Joins base64 texts whose bytes belong together.
 */
const joinBase64 = (pieces: ReadonlyArray<string>): string => {
  const joined = pieces.join("")
  const padded = pieces.slice(0, -1).some((piece) => piece.endsWith("=") || piece.length % 4 !== 0)
  if (!padded) return joined
  try {
    return btoa(pieces.map((piece) => atob(piece)).join(""))
  } catch {
    return joined
  }
}

/**
 * Adds a citation to a text block. Any of its fields may be missing.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const cite = (assembler: Assembler, block: Block, citation: Json | undefined): void => {
  const fields = record(citation)
  if (fields === undefined) return
  const location = record(fields["location"])
  const web = record(location?.["web"]) ?? record(location?.["WebLocation"])
  const source = nonEmpty(fields["source"])
  const url = nonEmpty(web?.["url"]) ??
    (source !== undefined && /^[a-z][a-z0-9+.-]*:/i.test(source) ? source : undefined)
  const title = nonEmpty(fields["title"]) ?? (url === source ? undefined : source)
  const citedText = listOf(fields["sourceContent"]).map((one) => asText(record(one)?.["text"])).join("")
  const part: SourcePart = {
    type: "source",
    ...(url === undefined ? undefined : { url }),
    ...(title === undefined ? undefined : { title }),
    ...(citedText === "" ? undefined : { citedText }),
    raw: jsonOf(fields)
  }
  ;(block.citations ??= []).push(jsonOf(fields))
  assembler.source(part)
}

// =============================================================================
// Closing
// =============================================================================

/**
 * Whether a call has come without any arguments so far.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const hasNoInput = (block: Block): boolean => {
  if (block.streamed) return false
  const input = block.input
  if (input === undefined || input === null || input === "") return true
  return typeof input === "object" && Object.keys(input).length === 0
}

/**
 * Closes a call. Arguments come from deltas, else whole, else they are `{}`. `cut` says that the answer stopped at a
 * limit within this call: it is then not one to run.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const closeCall = (assembler: Assembler, block: Block, cut = false): void => {
  const { index, input } = block
  const invalid = cut || asText(block.start["name"]) === "" ? { invalid: true as const } : undefined
  if (block.streamed || hasNoInput(block)) return assembler.endToolCall(index, invalid)
  if (typeof input === "string" || invalid !== undefined) {
    assembler.toolCallDelta(index, asText(input))
    return assembler.endToolCall(index, invalid)
  }
  assembler.toolCallDelta(index, JSON.stringify(input))
  assembler.endToolCall(index, { arguments: input! })
}

/** Emits a step of a server tool as a block that can be sent back. */
const closeServer = (assembler: Assembler, block: Block, unfinished: boolean): void => {
  const { member, start } = block
  const id = nonEmpty(start["toolUseId"])
  if (member === "toolResult") {
    return assembler.serverTool({
      name: nonEmpty(start["type"]) ?? "toolResult",
      kind: "result",
      ...(id === undefined ? undefined : { id }),
      data: { toolResult: { ...jsonOf(start), content: block.results } }
    })
  }
  const text = block.pieces.join("").trim()
  let input: Json = block.input ?? {}
  if (text !== "") {
    const whole = parsed(text)
    if (whole === undefined && unfinished) return
    input = whole === undefined ? text : whole
  }
  assembler.serverTool({
    name: asText(start["name"]),
    kind: "call",
    ...(id === undefined ? undefined : { id }),
    data: { toolUse: { ...jsonOf(start), input } }
  })
}

const closeMedia = (assembler: Assembler, block: Block): void => {
  const mediaType = mediaTypeOf(block.member, asText(block.start["format"]))
  const data = joinBase64(block.pieces.filter((piece) => piece !== ""))
  const uri = nonEmpty(record(record(block.start["source"])?.["s3Location"])?.["uri"])
  const source: Media | undefined = data !== ""
    ? { type: "base64", mediaType, data }
    : uri === undefined
    ? undefined
    : { type: "file", fileId: uri, mediaType }
  if (source === undefined) return
  switch (block.member) {
    case "image":
      return assembler.file({ type: "image", source })
    case "audio":
      return assembler.file({ type: "audio", source })
    default: {
      const filename = nonEmpty(block.start["name"])
      assembler.file({ type: "file", source, ...(filename === undefined ? undefined : { filename }) })
    }
  }
}

/**
 * Closes a block. A call that is `unfinished`, because the wire gave its index away, is left for the end of the answer.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const closeBlock = (assembler: Assembler, block: Block, unfinished = false): void => {
  switch (block.kind) {
    case "text":
      return assembler.endText(
        block.index,
        block.citations === undefined
          ? undefined
          : { replay: { citations: block.citations }, origin: assembler.origin }
      )
    case "reasoning":
      return assembler.endReasoning(block.index, {
        ...(block.signature === undefined ? undefined : { signature: block.signature }),
        ...(block.encrypted === undefined ? undefined : { encrypted: joinBase64(block.encrypted) })
      })
    case "tool":
      return unfinished ? undefined : closeCall(assembler, block)
    case "server":
      return closeServer(assembler, block, unfinished)
    case "media":
      return closeMedia(assembler, block)
  }
}
