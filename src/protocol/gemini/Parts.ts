/**
 * Parts of an answer to events: text, thoughts, calls (whole or streamed), media, and steps of the provider's own tools.
 *
 * Neighbouring text grows together; a part with a thought signature stays a part of its own, because the signature must
 * go back on the part it came with. What a part is called and when the answer ends is the decoder's business.
 * https://ai.google.dev/api/caching#Part and https://ai.google.dev/gemini-api/docs/thought-signatures
 *
 * @since 0.1.0
 */
import type { Json, Media } from "../../Message.ts"
import type { Assembler } from "../assembling.ts"
import { asText, blank, callArguments, firstText, type JsonFields, jsonOf, nonEmpty } from "../Probe.ts"
import { field, recordField, recordsField } from "./Fields.ts"
import { PartialArguments } from "./PartialArguments.ts"

/**
 * Name of the block that keeps the signature of a generated image, sound or file.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export const signatureBlock = "thoughtSignature"

/** Parts kept as they are: the provider's own tools and their results. */
const serverParts = [
  ["executableCode", "call"],
  ["codeExecutionResult", "result"],
  ["toolCall", "call"],
  ["toolResponse", "result"],
  ["functionResponse", "result"]
] as const

const mediaOf = (part: JsonFields): Media | undefined => {
  const inline = recordField(part, "inlineData")
  const data = inline === undefined ? undefined : nonEmpty(field(inline, "data"))
  if (inline !== undefined && data !== undefined) {
    const mediaType = nonEmpty(field(inline, "mimeType")) ?? "application/octet-stream"
    return { type: "base64", mediaType, data }
  }
  const file = recordField(part, "fileData")
  if (file === undefined) return undefined
  const url = nonEmpty(field(file, "fileUri"))
  const mediaType = nonEmpty(field(file, "mimeType"))
  return url === undefined ? undefined : { type: "url", url, ...(mediaType === undefined ? undefined : { mediaType }) }
}

const callMembers: ReadonlySet<string> = new Set([
  "functionCall",
  "function_call",
  "thoughtSignature",
  "thought_signature"
])

const isNothing = (args: Json | undefined): boolean =>
  args === undefined || args === null || (typeof args === "object" && Object.keys(args).length === 0)

interface StreamedCall {
  readonly index: number
  readonly name: string
  readonly args: PartialArguments
  signature: string | undefined
}

/**
 * Turns parts into events, in their order.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export class Parts {
  private readonly assembler: Assembler
  private kind: "text" | "reasoning" | undefined
  private index = -1
  private call: StreamedCall | undefined

  constructor(assembler: Assembler) {
    this.assembler = assembler
  }

  /**
   * Reads one part; gives whether it was content. A part is one thing, but hosts that fill every member send the others as
   * placeholders; should several say something, all of it counts.
   */
  add(part: JsonFields): boolean {
    const signature = nonEmpty(field(part, "thoughtSignature"))
    const given = recordField(part, "functionCall")
    const call = given === undefined || blank(given) ? undefined : given
    const thought = part["thought"] === true
    const said = part["text"]
    const text = typeof said === "string" ? said : firstText(said)
    if (call !== undefined) {
      if (text !== "") this.onText(thought ? "reasoning" : "text", text, undefined)
      this.onCall(call, signature)
      return true
    }
    if (text !== "") {
      this.onText(thought ? "reasoning" : "text", text, signature)
      return true
    }
    if (this.onServerPart(part)) return true
    const media = mediaOf(part)
    if (media !== undefined) {
      this.onMedia(part, media, thought, signature)
      return true
    }
    // The end of a streamed call may say no more than that; beside other members it is a placeholder.
    if (given !== undefined && this.call !== undefined && Object.keys(part).every((name) => callMembers.has(name))) {
      this.onCall(given, signature)
      return true
    }
    if (signature === undefined) return false
    this.onText(thought ? "reasoning" : "text", "", signature)
    return true
  }

  /** Ends open text. A streamed call that is still open stays so: it is not a call. */
  close(): void {
    if (this.kind === "text") this.assembler.endText(this.index)
    else if (this.kind === "reasoning") this.assembler.endReasoning(this.index)
    this.kind = undefined
  }

  // ---------------------------------------------------------------------------
  // Text
  // ---------------------------------------------------------------------------

  private onText(kind: "text" | "reasoning", text: string, signature: string | undefined): void {
    const assembler = this.assembler
    if (signature === undefined) {
      if (text === "") return
      if (this.kind !== kind) {
        this.close()
        this.index = kind === "text" ? assembler.openText() : assembler.openReasoning()
        this.kind = kind
      }
      if (kind === "text") assembler.text(this.index, text)
      else assembler.reasoning(this.index, text)
      return
    }
    this.close()
    if (kind === "text") {
      const index = assembler.openText()
      assembler.text(index, text)
      assembler.endText(index, { signature, origin: assembler.origin })
    } else {
      const index = assembler.openReasoning()
      assembler.reasoning(index, text)
      assembler.endReasoning(index, { signature })
    }
  }

  // ---------------------------------------------------------------------------
  // Calls
  // ---------------------------------------------------------------------------

  private onCall(call: JsonFields, signature: string | undefined): void {
    const name = nonEmpty(field(call, "name"))
    const args = callArguments(field(call, "args"), field(call, "arguments"), field(call, "parameters")) as
      | Json
      | undefined
    const pieces = recordsField(call, "partialArgs")
    const more = field(call, "willContinue") === true
    const open = this.call
    const streams = more || pieces.length > 0
    if (open !== undefined && (name === undefined || (name === open.name && isNothing(args) && streams))) {
      open.signature ??= signature
      this.onPieces(open, pieces, more)
      return
    }
    // The end of a call that is closed already.
    if (name === undefined && args === undefined && pieces.length === 0) return
    this.close()
    this.drop()
    const id = nonEmpty(field(call, "id"))
    const signed = signature === undefined ? undefined : { signature }
    if (streams) {
      const index = this.assembler.openToolCall(id, name ?? "")
      const initial = typeof args === "object" && !Array.isArray(args) ? args as JsonFields : undefined
      this.call = { index, name: name ?? "", args: new PartialArguments(initial), signature }
      this.onPieces(this.call, pieces, more)
    } else if (name === undefined) {
      const index = this.assembler.openToolCall(id, "")
      this.assembler.toolCallDelta(index, asText(args))
      this.assembler.endToolCall(index, { invalid: true, ...signed })
    } else {
      this.assembler.toolCall(id, name, args, signed)
    }
  }

  private onPieces(call: StreamedCall, pieces: ReadonlyArray<JsonFields>, more: boolean): void {
    const { args, index } = call
    for (const piece of pieces) this.assembler.toolCallDelta(index, args.add(piece))
    if (more) return
    this.call = undefined
    this.assembler.toolCallDelta(index, args.end())
    this.assembler.endToolCall(index, {
      ...(args.broken || call.name === "" ? { invalid: true } : { arguments: args.value as Json }),
      ...(call.signature === undefined ? undefined : { signature: call.signature })
    })
  }

  /** Another call begins although the last one was not closed. */
  private drop(): void {
    if (this.call === undefined) return
    this.assembler.endToolCall(this.call.index, { invalid: true })
    this.call = undefined
  }

  // ---------------------------------------------------------------------------
  // Whole parts
  // ---------------------------------------------------------------------------

  private onServerPart(part: JsonFields): boolean {
    for (const [name, kind] of serverParts) {
      const step = recordField(part, name)
      if (step === undefined || blank(step)) continue
      this.close()
      const id = nonEmpty(field(step, "id"))
      this.assembler.serverTool({
        name: nonEmpty(field(step, "toolType")) ?? nonEmpty(field(step, "name")) ?? name,
        kind,
        ...(id === undefined ? undefined : { id }),
        data: jsonOf(part)
      })
      return true
    }
    return false
  }

  private onMedia(part: JsonFields, media: Media, thought: boolean, signature: string | undefined): void {
    const assembler = this.assembler
    this.close()
    // A draft the model made while thinking, not its answer: https://ai.google.dev/gemini-api/docs/image-generation
    if (thought) return assembler.serverTool({ name: "thought", kind: "block", data: jsonOf(part) })
    const type = media.mediaType ?? ""
    if (type.startsWith("image/")) assembler.file({ type: "image", source: media })
    else if (type.startsWith("audio/")) assembler.file({ type: "audio", source: media })
    else assembler.file({ type: "file", source: media })
    if (signature === undefined) return
    assembler.serverTool({ name: signatureBlock, kind: "block", data: { thoughtSignature: signature } })
  }
}
