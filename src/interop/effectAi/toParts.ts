/**
 * Answers of ours as parts of `effect/ai`, whole or as they come.
 *
 * Each part carries under our key what `effect/ai` has no field for, the last one what is known of the answer. Calls of tools, and what comes
 * after the first of them, wait for the end of the answer: `effect/ai` runs a tool as soon as it has its call, and an answer that breaks off
 * after a call has asked for nothing.
 *
 * @since 0.1.0
 */
import type * as Response from "effect/ai/Response"
import * as Tool from "effect/ai/Tool"
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import type { LlmEvent } from "../../LlmEvent.ts"
import type { FinishReason, LlmResponse, Usage } from "../../LlmResponse.ts"
import type * as Message from "../../Message.ts"
import { besideFile } from "./media.ts"
import { carriedBy, jsonOf, key, type Metadata, metadataOf } from "./metadata.ts"

/** The tools of a request, by what the model calls them. */
export type Tools = ReadonlyMap<string, Tool.Any>

/** What `effect/ai` calls a tool that the model called. */
const nameOf = (tools: Tools, name: string): string => tools.get(name)?.name ?? name

const metadataFor = (part: Message.Part, beside: object): Metadata => ({
  ...("origin" in part && part.type !== "server-tool" ? carriedBy(part) : undefined),
  // A mark that it is ours, so that nobody takes what says nothing more for another's.
  [key]: {},
  ...metadataOf(beside)
})

/** A file of a prompt has a name, one of an answer has none. */
const named = (part: Message.Part): { readonly filename?: string } =>
  part.type === "file" && part.filename !== undefined ? { filename: part.filename } : {}

const readBase64 = Schema.decodeUnknownExit(Schema.Uint8ArrayFromBase64)

const fileOf = (part: Message.ImagePart | Message.AudioPart | Message.FilePart): Response.FilePartEncoded => {
  const { source } = part
  const inline = source.type === "base64" && Exit.isSuccess(readBase64(source.data))
  return {
    type: "file",
    mediaType: source.mediaType ??
      (part.type === "image" ? "image/*" : part.type === "audio" ? "audio/*" : "application/octet-stream"),
    // Bytes that are elsewhere are none here; the metadata say where.
    data: inline ? source.data : "",
    metadata: metadataOf(inline ? { ...besideFile(part), ...named(part) } : { part })
  }
}

const sourceOf = (
  part: Message.SourcePart,
  id: string
): Response.UrlSourcePartEncoded | Response.DocumentSourcePartEncoded => {
  const metadata = metadataOf({ part })
  return part.url !== undefined && URL.canParse(part.url)
    ? { type: "source", sourceType: "url", id, url: part.url, title: part.title ?? part.url, metadata }
    : {
      type: "source",
      sourceType: "document",
      id,
      mediaType: "text/plain",
      title: part.title ?? part.url ?? "",
      metadata
    }
}

const accepts = (schema: Schema.Constraint, value: unknown): boolean =>
  Schema.isSchema(schema) &&
  Exit.isSuccess(Schema.decodeUnknownExit(schema as unknown as Schema.Codec<unknown, unknown>)(value))

/** Members that the blocks of wires have what they were called with, and what came of it, in. */
const given = ["input", "action", "arguments"]
const gave = ["content", "output", "outputs", "results", "result"]

/** A step of a tool that the provider runs, where the application has said that it knows it and its schema reads it. */
const stepOf = (
  part: Message.ServerToolPart,
  tools: Tools
): Response.ToolCallPartEncoded | Response.ToolResultPartEncoded | undefined => {
  const tool = [...tools.values()].find((one) =>
    Tool.isProviderDefined(one) && (one.providerName === part.name || one.name === part.name)
  )
  if (tool === undefined || part.id === undefined || part.kind === "block") return undefined
  const { data, id } = part
  const named = (part.kind === "call" ? given : gave).flatMap((name) => Object.hasOwn(data, name) ? [data[name]] : [])
  const schema = part.kind === "call" ? tool.parametersSchema : tool.successSchema
  const value = [...named, data].find((one) => accepts(schema, one))
  if (value === undefined) return undefined
  const common = { id, name: tool.name as string, providerExecuted: true, metadata: metadataOf({ part }) }
  return part.kind === "call"
    ? { type: "tool-call", ...common, params: value }
    : { type: "tool-result", ...common, result: value, isFailure: false }
}

const callOf = (part: Message.ToolCallPart, tools: Tools): Response.ToolCallPartEncoded => {
  const { arguments: args, id, name, type: _, ...beside } = part
  const tool = tools.get(name)
  // A free-form tool has an object of one text where it is described by a schema.
  const params = part.custom === true && tool !== undefined && Tool.isDynamic(tool) ? { input: args } : args
  return { type: "tool-call", id, name: nameOf(tools, name), params, metadata: metadataFor(part, beside) }
}

const reasons: { readonly [reason in FinishReason]: Response.FinishReason } = {
  stop: "stop",
  length: "length",
  "tool-calls": "tool-calls",
  "content-filter": "content-filter",
  refusal: "content-filter",
  pause: "pause",
  "context-window": "length",
  error: "error",
  other: "other"
}

const whole = (count: number | undefined): number | undefined => count === undefined ? undefined : Math.round(count)

const usageOf = ({ input, output }: Usage): typeof Response.Usage.Encoded => ({
  inputTokens: {
    uncached: whole(input.uncached),
    total: whole(input.total),
    cacheRead: whole(input.cacheRead),
    cacheWrite: whole(input.cacheWrite)
  },
  outputTokens: { total: whole(output.total), text: whole(output.text), reasoning: whole(output.reasoning) }
})

const finishOf = (response: LlmResponse): Response.FinishPartEncoded => {
  const { parts: _, ...fields } = response
  return {
    type: "finish",
    reason: reasons[response.finishReason],
    usage: usageOf(response.usage),
    metadata: metadataOf({ response: fields })
  }
}

const answeredBy = (id: string | undefined, model: string | undefined): Response.ResponseMetadataPartEncoded => ({
  type: "response-metadata",
  ...(id === undefined ? undefined : { id }),
  ...(model === undefined ? undefined : { modelId: model })
})

/** An answer as parts. */
export const partsOf = (response: LlmResponse, tools: Tools): Array<Response.PartEncoded> => [
  answeredBy(response.id, response.model),
  ...response.parts.map((part, index): Response.PartEncoded => {
    switch (part.type) {
      case "text": {
        const { text, type: _, ...beside } = part
        return { type: "text", text, metadata: metadataFor(part, beside) }
      }
      case "reasoning": {
        const { text, type: _, ...beside } = part
        return { type: "reasoning", text, metadata: metadataFor(part, beside) }
      }
      case "tool-call":
        return callOf(part, tools)
      case "image":
      case "audio":
      case "file":
        return fileOf(part)
      case "source":
        return sourceOf(part, `${index}`)
      case "server-tool":
        return stepOf(part, tools) ?? { type: "reasoning", text: "", metadata: metadataOf({ part }) }
      case "tool-result":
        return { type: "reasoning", text: "", metadata: metadataOf({ part }) }
    }
  }),
  finishOf(response)
]

/** The parts of one answer that streams. */
export class Parts {
  /** Whether the answer is whole. */
  finished = false
  private readonly tools: Tools
  private readonly waiting: Array<Response.StreamPartEncoded> = []
  private id: string | undefined
  private holds = false
  private mixed = false

  constructor(tools: Tools) {
    this.tools = tools
  }

  /** The parts that events are, as far as they may be seen. */
  push(events: ReadonlyArray<LlmEvent>): ReadonlyArray<Response.StreamPartEncoded> {
    const out: Array<Response.StreamPartEncoded> = []
    for (const event of events) {
      for (const part of this.partsOf(event)) {
        // Arguments of calls side by side may be seen as they come; what is between calls keeps its place.
        const isCall = part.type === "tool-call"
        this.holds ||= isCall
        if (this.mixed || (this.holds && !part.type.startsWith("tool-params"))) {
          this.waiting.push(part)
          this.mixed ||= !isCall
        } else out.push(part)
      }
      if (event._tag === "Finish") {
        this.finished = true
        out.push(...this.waiting.splice(0))
        break
      }
    }
    return out
  }

  private partsOf(event: LlmEvent): ReadonlyArray<Response.StreamPartEncoded> {
    switch (event._tag) {
      case "ResponseStart":
        this.id = event.id
        return [answeredBy(event.id, event.model)]
      case "TextStart":
        return [{ type: "text-start", id: `${event.index}` }]
      case "TextDelta":
        return [{ type: "text-delta", id: `${event.index}`, delta: event.text }]
      case "TextEnd": {
        const { text: _, type: __, ...beside } = event.part
        return [{ type: "text-end", id: `${event.index}`, metadata: metadataFor(event.part, beside) }]
      }
      case "ReasoningStart":
        return [{ type: "reasoning-start", id: `${event.index}` }]
      case "ReasoningDelta":
        return [{ type: "reasoning-delta", id: `${event.index}`, delta: event.text }]
      case "ReasoningEnd": {
        const { text: _, type: __, ...beside } = event.part
        return [{ type: "reasoning-end", id: `${event.index}`, metadata: metadataFor(event.part, beside) }]
      }
      case "ToolCallStart":
        return [{ type: "tool-params-start", id: event.id, name: nameOf(this.tools, event.name) }]
      case "ToolCallDelta":
        return [{ type: "tool-params-delta", id: event.id, delta: event.delta }]
      case "ToolCallEnd":
        return [{ type: "tool-params-end", id: event.part.id }, callOf(event.part, this.tools)]
      case "Source":
        return [sourceOf(event.part, `${event.index}`)]
      case "File":
        return [fileOf(event.part)]
      case "ServerTool": {
        const step = stepOf(event.part, this.tools)
        return step === undefined ? opaque(event.index, event.part) : [step]
      }
      case "UsageUpdate":
      case "Continued":
        return []
      case "Finish": {
        const { id, model } = event.response
        return [...(id === this.id || id === undefined ? [] : [answeredBy(id, model)]), finishOf(event.response)]
      }
    }
  }
}

const opaque = (index: number, part: Message.ServerToolPart): ReadonlyArray<Response.StreamPartEncoded> => [
  { type: "reasoning-start", id: `${index}` },
  { type: "reasoning-end", id: `${index}`, metadata: metadataOf({ part }) }
]

/** Whether the arguments of a call that broke off would pass for arguments. */
export const passes = (call: Message.ToolCallPart, tools: Tools): boolean => {
  const tool = tools.get(call.name)
  return tool !== undefined && accepts(tool.parametersSchema, jsonOf(call.arguments))
}
