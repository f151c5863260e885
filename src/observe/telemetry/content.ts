/**
 * Prompts and answers as the GenAI conventions record them, redacted. Loaded when content is captured, which is off by default.
 *
 * Media are told by their kind, type and length, never recorded. Signatures, encrypted reasoning and raw data are left out.
 *
 * @see https://github.com/open-telemetry/semantic-conventions-genai/blob/v0.1.0/model/gen-ai/gen-ai-input-messages.json
 * @since 0.1.0
 */
import * as Redacted from "effect/Redacted"
import { type LlmRequest, messagesOf } from "../../LlmRequest.ts"
import type { LlmResponse } from "../../LlmResponse.ts"
import type { LlmTool } from "../../LlmTool.ts"
import type { Media } from "../../Message.ts"
import type { Part as MessagePart } from "../../message/parts.ts"
import { makeScrubber, type Scrub } from "../../transport/secrets/Redaction.ts"
import type { Resolved } from "./settings.ts"

type Part = Readonly<Record<string, unknown>>

const kinds: { readonly [type: string]: string } = { image: "image", audio: "audio" }

const mediaPart = (type: string, source: Media): Part => {
  const modality = kinds[type] ?? "document"
  const mime = source.mediaType === undefined ? undefined : { mime_type: source.mediaType }
  switch (source.type) {
    case "base64":
      return { type: "generic", generic_type: "blob", modality, ...mime, length: source.data.length }
    case "url":
      return { type: "uri", modality, ...mime, uri: source.url }
    case "file":
      return { type: "file", modality, ...mime, file_id: source.fileId }
  }
}

const partOf = (part: MessagePart): Part | undefined => {
  switch (part.type) {
    case "text":
      return { type: "text", content: part.text }
    case "reasoning":
      return part.text === "" ? undefined : { type: "reasoning", content: part.text }
    case "tool-call":
      return { type: "tool_call", id: part.id, name: part.name, arguments: part.arguments }
    case "tool-result":
      return {
        type: "tool_call_response",
        id: part.toolCallId,
        response: typeof part.content === "string" ? part.content : partsOf(part.content)
      }
    case "source":
      return { type: "generic", generic_type: "source", url: part.url, title: part.title }
    case "server-tool":
      return { type: "generic", generic_type: "server_tool", name: part.name, kind: part.kind, id: part.id }
    default:
      return mediaPart(part.type, part.source)
  }
}

const partsOf = (content: string | ReadonlyArray<MessagePart>): ReadonlyArray<Part> =>
  typeof content === "string"
    ? [{ type: "text", content }]
    : content.flatMap((part): ReadonlyArray<Part> => {
      const shown = partOf(part)
      return shown === undefined ? [] : [shown]
    })

const finishReasons: { readonly [reason: string]: string } = {
  "tool-calls": "tool_call",
  "content-filter": "content_filter"
}

const toolOf = (tool: LlmTool): Part => ({
  type: tool.type === "provider" ? "builtin" : "function",
  name: tool.name,
  ...("description" in tool && tool.description !== undefined ? { description: tool.description } : undefined)
})

/** Keys that the request itself brings; that of the layer is known by its form. */
const keysOf = (request: LlmRequest): ReadonlyArray<string> =>
  [request.apiKey, ...Object.values(request.providers ?? {}).map(({ apiKey }) => apiKey)]
    .flatMap((key) => key === undefined || !Redacted.isRedacted(key) ? [] : [Redacted.value(key)])
    .filter((key) => typeof key === "string")

const unredacted = makeScrubber([])

const cut = (text: string, length: number): string =>
  text.length <= length ? text : `${text.slice(0, Math.max(0, length)).toWellFormed()}… (${text.length} characters)`

/** JSON of a value whose every text was redacted, also names of fields, cut to the length. Never throws. */
const recorded = (value: unknown, { maxContentLength, redact }: Resolved, scrub: Scrub): string => {
  try {
    const masked = (text: string): string => {
      const own = scrub(text)
      return redact === undefined ? own : redact(own)
    }
    const walked = (value: unknown, depth: number): unknown => {
      if (typeof value === "string") return masked(value)
      if (typeof value !== "object" || value === null) return value
      if (depth > 100) return "…"
      return Array.isArray(value)
        ? value.map((item) => walked(item, depth + 1))
        : Object.fromEntries(Object.entries(value).map(([key, field]) => [masked(key), walked(field, depth + 1)]))
    }
    return cut(JSON.stringify(walked(value, 0)) ?? "", maxContentLength)
  } catch {
    return "(could not be redacted)"
  }
}

/** Attributes with content. */
export type Content = Readonly<Record<string, string>>

/** What is wrong with a request is the service's to say; here it only must not throw. */
const total = (make: () => Content): Content => {
  try {
    return make()
  } catch {
    return {}
  }
}

/**
 * What is asked.
 *
 * @stability stable
 * @category recording
 * @since 0.1.0
 */
export const inputOf = (request: LlmRequest, settings: Resolved): Content => total(() => asked(request, settings))

const asked = (request: LlmRequest, settings: Resolved): Content => {
  const keys = keysOf(request)
  const scrub = keys.length === 0 ? unredacted : makeScrubber(keys)
  const record = (value: unknown) => recorded(value, settings, scrub)
  const messages = messagesOf(request).map(({ content, role }) => ({ role, parts: partsOf(content) }))
  return {
    ...(request.system === undefined
      ? undefined
      : { "gen_ai.system_instructions": record([{ type: "text", content: request.system }]) }),
    "gen_ai.input.messages": record(messages),
    ...(request.tools === undefined ? undefined : { "gen_ai.tool.definitions": record(request.tools.map(toolOf)) })
  }
}

/**
 * What was answered.
 *
 * @stability stable
 * @category recording
 * @since 0.1.0
 */
export const outputOf = (request: LlmRequest, response: LlmResponse, settings: Resolved): Content =>
  total(() => answered(request, response, settings))

const answered = (request: LlmRequest, response: LlmResponse, settings: Resolved): Content => {
  const keys = keysOf(request)
  const message = {
    role: "assistant",
    parts: partsOf(response.parts),
    finish_reason: finishReasons[response.finishReason] ?? response.finishReason
  }
  const scrub = keys.length === 0 ? unredacted : makeScrubber(keys)
  return { "gen_ai.output.messages": recorded([message], settings, scrub) }
}

/**
 * One value, such as the arguments of a tool call.
 *
 * @stability stable
 * @category recording
 * @since 0.1.0
 */
export const valueOf = (value: unknown, settings: Resolved): string => recorded(value, settings, unredacted)
