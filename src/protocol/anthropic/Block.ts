/**
 * Content blocks of an answer while they are open: what each kind collects and what part it becomes.
 *
 * Frames, indexes and the end of the answer are the decoder's business; this file knows blocks.
 * https://platform.claude.com/docs/en/build-with-claude/streaming
 *
 * @since 0.1.0
 */
import type { ImagePart, Json, JsonObject, Media, ServerToolPart, SourcePart } from "../../Message.ts"
import type { Assembler } from "../assembling.ts"
import {
  asText,
  blank,
  callArguments,
  filledRecord,
  firstText,
  type JsonFields,
  jsonOf,
  nonEmpty,
  parsed,
  record
} from "../Probe.ts"

/**
 * What a block collects. `opaque` is kept as the wire sent it, `ignored` is not kept at all.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export type Kind = "text" | "reasoning" | "tool" | "opaque" | "ignored"

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
  /** The block as it was started. */
  readonly start: JsonFields
  /** Whether argument text came in deltas. */
  streamed = false
  signature: string | undefined = undefined
  encrypted: string | undefined = undefined
  citations: Array<Json> | undefined = undefined
  /** Input text of an opaque block. */
  input: Array<string> | undefined = undefined
  /** Fields of an opaque block that deltas changed. */
  changed: { [key: string]: Json } | undefined = undefined

  constructor(key: unknown, kind: Kind, index: number, start: JsonFields) {
    this.key = key
    this.kind = kind
    this.index = index
    this.start = start
  }
}

/** Blocks that are neither calls nor results of a server tool and must be sent back unchanged. */
const opaqueBlocks: ReadonlySet<string> = new Set([
  "compaction",
  "fallback",
  "container_upload",
  "mcp_tool_listing",
  "connector_text",
  "search_result",
  "document",
  "tool_reference",
  "tool_addition",
  "tool_removal"
])

const typeOf = (start: JsonFields): string => {
  const type = nonEmpty(start["type"])
  if (type !== undefined) return type
  if (!blank(start["thinking"])) return "thinking"
  if (!blank(start["name"])) return "tool_use"
  if ("text" in start) return "text"
  if ("thinking" in start) return "thinking"
  return "name" in start ? "tool_use" : ""
}

const mediaOf = (source: JsonFields | undefined): Media | undefined => {
  if (source === undefined) return undefined
  const mediaType = nonEmpty(source["media_type"])
  const data = nonEmpty(source["data"])
  if (data !== undefined) return { type: "base64", mediaType: mediaType ?? "image/png", data }
  const url = nonEmpty(source["url"])
  if (url !== undefined) return { type: "url", url, ...(mediaType === undefined ? undefined : { mediaType }) }
  const fileId = nonEmpty(source["file_id"])
  return fileId === undefined ? undefined : { type: "file", fileId }
}

/**
 * Starts a block, with whatever content came in its start.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const openBlock = (assembler: Assembler, key: unknown, start: JsonFields): Block => {
  const type = typeOf(start)
  switch (type) {
    case "text": {
      const block = new Block(key, "text", assembler.openText(), start)
      assembler.text(block.index, firstText(start["text"]))
      const citations = start["citations"]
      if (Array.isArray(citations)) { for (const citation of citations) cite(assembler, block, citation) }
      return block
    }
    case "thinking": {
      const block = new Block(key, "reasoning", assembler.openReasoning(), start)
      assembler.reasoning(block.index, firstText(start["thinking"], start["text"]))
      block.signature = nonEmpty(start["signature"])
      return block
    }
    case "redacted_thinking": {
      const block = new Block(key, "reasoning", assembler.openReasoning(), start)
      block.encrypted = nonEmpty(start["data"])
      return block
    }
    case "tool_use":
      return new Block(key, "tool", assembler.openToolCall(nonEmpty(start["id"]), asText(start["name"])), start)
    case "image": {
      const source = mediaOf(record(start["source"]))
      if (source !== undefined) assembler.file({ type: "image", source } satisfies ImagePart)
      return new Block(key, "ignored", -1, start)
    }
    default: {
      const opaque = type.endsWith("_tool_use") || type.endsWith("tool_result") || opaqueBlocks.has(type)
      return new Block(key, opaque ? "opaque" : "ignored", -1, start)
    }
  }
}

/**
 * Adds a citation to a text block. Any of its fields may be missing.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const cite = (assembler: Assembler, block: Block | undefined, citation: Json | undefined): void => {
  const fields = filledRecord(citation)
  if (fields === undefined) return
  const url = nonEmpty(fields["url"]) ?? nonEmpty(fields["source"])
  const title = nonEmpty(fields["title"]) ?? nonEmpty(fields["document_title"])
  const citedText = nonEmpty(fields["cited_text"])
  const part: SourcePart = {
    type: "source",
    ...(url === undefined ? undefined : { url }),
    ...(title === undefined ? undefined : { title }),
    ...(citedText === undefined ? undefined : { citedText }),
    raw: jsonOf(fields)
  }
  if (block?.kind === "text") (block.citations ??= []).push(jsonOf(fields))
  assembler.source(part)
}

/**
 * Closes text or reasoning.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const closeContent = (assembler: Assembler, block: Block): void => {
  if (block.kind === "text") {
    assembler.endText(
      block.index,
      block.citations === undefined
        ? undefined
        : { replay: { citations: block.citations }, origin: assembler.origin }
    )
  } else {
    assembler.endReasoning(block.index, {
      ...(block.signature === undefined ? undefined : { signature: block.signature }),
      ...(block.encrypted === undefined ? undefined : { encrypted: block.encrypted })
    })
  }
}

/** What must go back with a call beside its id, name and input: who called it, and the toolset it is of. */
const replayOf = (start: JsonFields): { readonly replay: JsonObject } | undefined => {
  const caller = record(start["caller"])
  const toolset = nonEmpty(start["toolset_name"])
  const called = caller !== undefined && caller["type"] !== "direct"
  if (!called && toolset === undefined) return undefined
  return {
    replay: {
      ...(called ? { caller: jsonOf(caller) } : undefined),
      ...(toolset === undefined ? undefined : { toolset_name: toolset })
    }
  }
}

/**
 * Whether a call has come without any arguments so far.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const hasNoInput = (block: Block): boolean => {
  if (block.streamed) return false
  const input = inputOf(block.start)
  if (input === undefined || input === null || input === "") return true
  return typeof input === "object" && Object.keys(input).length === 0
}

/** Proxies of other APIs call the input what those call it. */
const inputOf = (start: JsonFields): Json | undefined =>
  callArguments(start["input"], start["arguments"], start["parameters"]) as Json | undefined

/**
 * Closes a call. Arguments come from deltas, else whole from the block's start, else they are `{}`. `cut` says that the
 * answer stopped at a limit within this call: it is then not one to run.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const closeCall = (assembler: Assembler, block: Block, cut = false): void => {
  const { index, start } = block
  const input = inputOf(start)
  const invalid = cut || asText(start["name"]) === "" ? { invalid: true as const } : undefined
  if (block.streamed || hasNoInput(block)) {
    assembler.endToolCall(index, { ...invalid, ...replayOf(start) })
  } else if (typeof input === "string" || invalid !== undefined) {
    assembler.toolCallDelta(index, asText(input))
    assembler.endToolCall(index, { ...invalid, ...replayOf(start) })
  } else {
    assembler.toolCallDelta(index, JSON.stringify(input))
    assembler.endToolCall(index, { arguments: input!, ...replayOf(start) })
  }
}

const kindOf = (type: string): ServerToolPart["kind"] =>
  type.endsWith("_tool_use") ? "call" : type.endsWith("tool_result") ? "result" : "block"

/**
 * Emits a server-tool block as the wire sent it, with streamed input put in place. With `settledOnly`, a call whose
 * input was cut is left out.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const closeOpaque = (assembler: Assembler, block: Block, settledOnly = false): void => {
  const type = typeOf(block.start)
  const kind = kindOf(type)
  const changed: { [key: string]: Json } = { ...block.changed }
  const text = block.input?.join("").trim() ?? ""
  if (text !== "") {
    const whole = parsed(text)
    if (whole === undefined && settledOnly) return
    changed["input"] = whole === undefined ? text : whole
  }
  const id = nonEmpty(block.start["id"]) ?? nonEmpty(block.start["tool_use_id"])
  assembler.serverTool({
    name: kind === "call" ? nonEmpty(block.start["name"]) ?? type : type,
    kind,
    ...(id === undefined ? undefined : { id }),
    data: { ...jsonOf(block.start), ...changed }
  })
}
