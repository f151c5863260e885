/**
 * A request of ours as call options of the AI SDK, in the specification that a model has.
 *
 * @since 0.1.0
 */
import type { LanguageModelV4CallOptions, LanguageModelV4Message } from "@ai-sdk/provider"
import { type Issue, type LlmRequest, messagesOf } from "../../LlmRequest.ts"
import type { Warning } from "../../LlmResponse.ts"
import type { LlmTool } from "../../LlmTool.ts"
import type {
  CacheControl,
  FilePart,
  ImagePart,
  JsonObject,
  Media,
  Part,
  ToolCallPart,
  ToolResultPart
} from "../../Message.ts"
import { prepare, type Rules, type Turn } from "../../protocol/Conversation.ts"
import { type Findings, warn } from "../../protocol/Findings.ts"
import { record } from "../../protocol/Probe.ts"

/**
 * Name of the AI SDK as a wire: origin of what only its models can read.
 *
 * @stability experimental
 * @category constants
 * @since 0.1.0
 */
export const wire = "ai-sdk"

/**
 * Versions of the specification that are spoken.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export type Version = "v2" | "v3" | "v4"

/**
 * A model to spell for.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Target {
  readonly version: Version
  readonly provider: string
  readonly modelId: string
  /** Whether the model fetches such a URL itself. */
  readonly fetches: (mediaType: string, url: string) => boolean
}

/**
 * Options in the form of the target's version, or why there are none.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Spelled {
  /** Of specification v4 in name: earlier ones differ in files, results and tools. */
  readonly options: LanguageModelV4CallOptions
  readonly warnings: Array<Warning>
  readonly refused?: Issue | undefined
}

interface Options {
  readonly providerOptions?: { readonly [provider: string]: JsonObject }
}

/** What a part of a model of the AI SDK had in `providerMetadata`, for that provider alone. */
const replayed = (part: Part, { provider }: Target): { readonly [provider: string]: JsonObject } => {
  if (!("replay" in part) || part.origin?.wire !== wire || part.origin.provider !== provider) return {}
  return record(part.replay?.["providerMetadata"]) as { readonly [provider: string]: JsonObject } | undefined ?? {}
}

/** As Anthropic's provider has it; others do not look at it. https://ai-sdk.dev/providers/ai-sdk-providers/anthropic#cache-control */
const cached = (mark: CacheControl | undefined): { readonly anthropic?: JsonObject } =>
  mark === undefined
    ? {}
    : { anthropic: { cacheControl: { type: "ephemeral", ...(mark === "extended" ? { ttl: "1h" } : undefined) } } }

const optionsOf = (part: Part, target: Target): Options => {
  const mark = "cacheControl" in part ? cached(part.cacheControl) : {}
  const own = replayed(part, target)
  const merged = { ...mark, ...own }
  if (mark.anthropic !== undefined && own["anthropic"] !== undefined) {
    merged["anthropic"] = { ...own["anthropic"], ...mark.anthropic }
  }
  return Object.keys(merged).length === 0 ? {} : { providerOptions: merged }
}

// =============================================================================
// Files
// =============================================================================

const typeOf = (part: Part, source: Media): string =>
  source.mediaType ?? (part.type === "file" ? "application/octet-stream" : `${part.type}/*`)

/** The data of a file: v4 tags it, earlier ones tell text from URL by its type. */
const dataOf = (source: Media, mediaType: string, target: Target, findings: Findings): unknown => {
  const isNew = target.version === "v4"
  switch (source.type) {
    case "base64":
      return isNew ? { type: "data", data: source.data } : source.data
    case "url": {
      if (!URL.canParse(source.url)) {
        findings.refused ??= { field: "messages", message: "A file has a URL that is none." }
        return undefined
      }
      if (!target.fetches(mediaType, source.url)) {
        findings.refused ??= {
          field: "messages",
          message: `${target.provider} does not fetch this URL of ${mediaType} itself: send the bytes.`
        }
      }
      const url = new URL(source.url)
      return isNew ? { type: "url", url } : url
    }
    case "file": {
      if (isNew) return { type: "reference", reference: { [target.provider.split(".", 1)[0]!]: source.fileId } }
      findings.refused ??= { field: "messages", message: `Uploaded files need a model of specification v4.` }
      return undefined
    }
  }
}

const fileOf = (part: Extract<Part, { source: Media }>, target: Target, findings: Findings): object => {
  const mediaType = typeOf(part, part.source)
  return {
    type: "file",
    mediaType,
    data: dataOf(part.source, mediaType, target, findings),
    ...("filename" in part && part.filename !== undefined ? { filename: part.filename } : undefined),
    ...optionsOf(part, target)
  }
}

/** A file in a result, which each version has in a form of its own. */
const resultFile = (part: ImagePart | FilePart, target: Target, findings: Findings): object => {
  const { source } = part
  const mediaType = typeOf(part, source)
  if (target.version === "v4") return fileOf(part, target, findings)
  if (source.type !== "base64") {
    if (target.version === "v3" && source.type === "url") return { type: "file-url", url: source.url }
    warn(findings, "messages", "A file in a tool result was left out: it is not there as bytes.")
    return { type: "text", text: "[A file was left out.]" }
  }
  return target.version === "v3"
    ? { type: "file-data", data: source.data, mediaType }
    : { type: "media", data: source.data, mediaType }
}

const outputOf = (part: ToolResultPart, target: Target, findings: Findings): object => {
  if (typeof part.content === "string") {
    return { type: part.isError === true ? "error-text" : "text", value: part.content }
  }
  if (part.content.every((one) => one.type === "text")) {
    return { type: part.isError === true ? "error-text" : "text", value: part.content.map(({ text }) => text).join("") }
  }
  if (part.isError === true) warn(findings, "messages", "That a tool failed is not told beside files.")
  return {
    type: "content",
    value: part.content.map((one) =>
      one.type === "text" ? { type: "text", text: one.text } : resultFile(one, target, findings)
    )
  }
}

// =============================================================================
// Messages
// =============================================================================

const callOf = (part: ToolCallPart, target: Target): object => ({
  type: "tool-call",
  toolCallId: part.id,
  toolName: part.name,
  input: part.arguments,
  ...optionsOf(part, target)
})

const partOf = (part: Part, target: Target, findings: Findings): ReadonlyArray<object> => {
  switch (part.type) {
    case "text":
      return [{ type: "text", text: part.text, ...optionsOf(part, target) }]
    case "reasoning":
      return [{ type: "reasoning", text: part.text, ...optionsOf(part, target) }]
    case "image":
    case "audio":
    case "file":
      return [fileOf(part, target, findings)]
    case "tool-call":
      return [callOf(part, target)]
    case "tool-result":
      return [{
        type: "tool-result",
        toolCallId: part.toolCallId,
        toolName: part.name ?? "",
        output: outputOf(part, target, findings),
        ...optionsOf(part, target)
      }]
    case "server-tool":
      return stepOf(part.data, target)
    case "source":
      return []
  }
}

/** What a model gave of its provider's own tools, in the form in which a prompt has it. */
const stepOf = (data: JsonObject, { version }: Target): ReadonlyArray<object> => {
  const { providerMetadata, type } = data
  const options = record(providerMetadata) === undefined ? {} : { providerOptions: providerMetadata }
  switch (type) {
    case "tool-call":
      return [{
        type,
        toolCallId: data["toolCallId"],
        toolName: data["toolName"],
        input: data["input"] ?? {},
        providerExecuted: true,
        ...options
      }]
    case "tool-result":
      return [{
        type,
        toolCallId: data["toolCallId"],
        toolName: data["toolName"],
        output: { type: data["isError"] === true ? "error-json" : "json", value: data["result"] ?? null },
        ...options
      }]
    case "custom":
      return version === "v4" ? [{ type, kind: data["kind"], ...options }] : []
    default:
      return []
  }
}

const messageOf = ({ parts, role }: Turn, target: Target, findings: Findings): LanguageModelV4Message => {
  if (role !== "system") {
    return { role, content: parts.flatMap((part) => partOf(part, target, findings)) } as LanguageModelV4Message
  }
  const mark = parts.find((part) => "cacheControl" in part && part.cacheControl !== undefined)
  return {
    role,
    content: parts.flatMap((part) => part.type === "text" ? [part.text] : []).join("\n\n"),
    ...(mark === undefined ? undefined : optionsOf(mark, target))
  }
}

/** Names of results are asked for everywhere here; a result knows its call. */
const withNames = (turns: ReadonlyArray<Turn>): ReadonlyArray<Turn> => {
  const names = new Map<string, string>()
  return turns.map((turn) => {
    for (const part of turn.parts) if (part.type === "tool-call") names.set(part.id, part.name)
    return turn.role !== "tool" ? turn : {
      ...turn,
      parts: turn.parts.map((part) =>
        part.type === "tool-result" && part.name === undefined
          ? { ...part, name: names.get(part.toolCallId) ?? "tool" }
          : part
      )
    }
  })
}

const rulesFor = ({ provider }: Target): Rules => ({
  wire,
  keepReasoning: (part) => part.origin === undefined || part.origin.provider === provider,
  keepServerTool: (part) => part.origin.provider === provider
})

// =============================================================================
// Tools and options
// =============================================================================

const toolOf = (tool: LlmTool, { version }: Target, findings: Findings): ReadonlyArray<object> => {
  switch (tool.type) {
    case "function": {
      const { cacheControl, description, name, parameters: inputSchema, strict } = tool
      return [{
        type: "function",
        name,
        inputSchema,
        ...(description === undefined ? undefined : { description }),
        ...(strict === undefined || version === "v2" ? undefined : { strict }),
        ...(cacheControl === undefined ? undefined : { providerOptions: cached(cacheControl) })
      }]
    }
    case "provider": {
      const { args, id } = tool.definition
      if (typeof id === "string" && /^[^.]+\../.test(id)) {
        return [{ type: version === "v2" ? "provider-defined" : "provider", id, name: tool.name, args: args ?? {} }]
      }
      findings.refused ??= {
        field: "tools",
        message: `"${tool.name}" needs the AI SDK's definition: { id: "openai.web_search", args: {} }.`
      }
      return []
    }
    case "custom":
      findings.refused ??= {
        field: "tools",
        message: `"${tool.name}" is a free-form tool, which the AI SDK has no place for.`
      }
      return []
  }
}

const formatOf = (format: LlmRequest["responseFormat"]): object => {
  if (format === undefined) return {}
  if (format.type !== "json-schema") return { responseFormat: { type: format.type } }
  const { description, name, schema } = format
  return {
    responseFormat: {
      type: "json",
      schema,
      ...(name === undefined ? undefined : { name }),
      ...(description === undefined ? undefined : { description })
    }
  }
}

const thinkingOf = ({ thinking }: LlmRequest, { version }: Target, findings: Findings): object => {
  if (thinking === undefined) return {}
  if (version !== "v4" || typeof thinking === "object") {
    warn(
      findings,
      "thinking",
      version === "v4"
        ? "A budget of tokens for thinking is the provider's own option here; say a level."
        : `Models of specification ${version} take thinking as an option of the provider's own: use providerOptions.`
    )
    return {}
  }
  return { reasoning: thinking === "off" ? "none" : thinking }
}

const numbers = [
  ["maxTokens", "maxOutputTokens"],
  ["temperature", "temperature"],
  ["topP", "topP"],
  ["topK", "topK"],
  ["presencePenalty", "presencePenalty"],
  ["frequencyPenalty", "frequencyPenalty"],
  ["seed", "seed"]
] as const

const without = {
  apiKey: "The model has a credential of its own.",
  effort: "The AI SDK has no such setting.",
  logprobs: "The AI SDK has no such setting.",
  parallelToolCalls: "The AI SDK has no such setting.",
  cache: "Mark messages, parts and tools with cacheControl instead."
} as const

/**
 * Call options for a target.
 *
 * @stability experimental
 * @category encoding
 * @since 0.1.0
 */
export const spell = (request: LlmRequest, target: Target): Spelled => {
  const findings: Findings = { warnings: [], refused: undefined }
  for (const [field, why] of Object.entries(without)) {
    if (request[field as keyof typeof without] !== undefined) warn(findings, field, `${field} is not used: ${why}`)
  }
  if (request.model !== undefined && request.model !== target.modelId) {
    warn(findings, "model", `The model answers as ${target.modelId}, whatever the request names.`)
  }
  const { refused, turns, warnings } = prepare(
    { ...request, messages: messagesOf(request), prompt: undefined },
    rulesFor(target)
  )
  const tools = (request.tools ?? []).flatMap((tool) => toolOf(tool, target, findings))
  const choice = request.toolChoice
  const { headers, includeRaw, providerOptions, stop } = request
  const options = {
    prompt: withNames(turns).map((turn) => messageOf(turn, target, findings)),
    ...Object.fromEntries(
      numbers.flatMap(([ours, theirs]) => request[ours] === undefined ? [] : [[theirs, request[ours]]])
    ),
    ...(stop === undefined ? undefined : { stopSequences: [...stop] }),
    ...(tools.length === 0 ? undefined : {
      tools,
      toolChoice: typeof choice === "object" ? { type: "tool", toolName: choice.name } : { type: choice ?? "auto" }
    }),
    ...formatOf(request.responseFormat),
    ...thinkingOf(request, target, findings),
    ...(headers === undefined ? undefined : { headers: { ...headers } }),
    ...(providerOptions === undefined ? undefined : { providerOptions: { ...providerOptions } }),
    ...(includeRaw === true ? { includeRawChunks: true } : undefined)
  }
  return {
    options: options as unknown as LanguageModelV4CallOptions,
    warnings: [...warnings, ...findings.warnings],
    refused: refused ?? findings.refused
  }
}
