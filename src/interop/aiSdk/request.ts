/**
 * Call options of the AI SDK as a request of ours, and what of them cannot be said.
 *
 * @since 0.1.0
 */
import type {
  LanguageModelV4CallOptions,
  LanguageModelV4FunctionTool,
  LanguageModelV4ProviderTool,
  SharedV4ProviderOptions,
  SharedV4Warning
} from "@ai-sdk/provider"
import type { LlmRequest, RequestOptions } from "../../LlmRequest.ts"
import type { LlmTool } from "../../LlmTool.ts"
import type { JsonObject } from "../../Message.ts"
import { record } from "../../protocol/Probe.ts"
import { dataIn, key, type Tell } from "./own.ts"
import { cacheMark, messagesOfPrompt } from "./prompt.ts"
import { providerTool } from "./providerTools.ts"

/**
 * What is said under `effect-llm` in `providerOptions` of a call: options of a request that the AI SDK has no setting for. They go over
 * what its settings say.
 *
 * @example
 * ```ts
 * generateText({ model, prompt, providerOptions: { "effect-llm": { label: "summary", effort: "low" } } })
 * ```
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export type CallOptions = Pick<
  RequestOptions,
  | "cache"
  | "effort"
  | "label"
  | "logprobs"
  | "metadata"
  | "model"
  | "parallelToolCalls"
  | "priority"
  | "providerOptions"
  | "scope"
  | "thinking"
  | "timeouts"
  | "whole"
>

const ownOptions: ReadonlyArray<keyof CallOptions> = [
  "cache",
  "effort",
  "label",
  "logprobs",
  "metadata",
  "model",
  "parallelToolCalls",
  "priority",
  "providerOptions",
  "scope",
  "thinking",
  "timeouts",
  "whole"
]

/**
 * A request and what had to be left out of it.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Asked {
  readonly request: LlmRequest
  readonly warnings: ReadonlyArray<SharedV4Warning>
  /** The caller's name of a provider's tool by the provider's. */
  readonly toolNames: ReadonlyMap<string, string>
}

const functionTool = (tool: LanguageModelV4FunctionTool, tell: Tell): LlmTool => {
  if (tool.inputExamples !== undefined) tell("inputExamples", "Examples of a tool's input are not sent.")
  const cacheControl = cacheMark(tool.providerOptions)
  return {
    type: "function",
    name: tool.name,
    parameters: tool.inputSchema as JsonObject,
    ...(tool.description === undefined ? undefined : { description: tool.description }),
    ...(tool.strict === undefined ? undefined : { strict: tool.strict }),
    ...(cacheControl === undefined ? undefined : { cacheControl })
  }
}

const toolsOf = (
  tools: ReadonlyArray<LanguageModelV4FunctionTool | LanguageModelV4ProviderTool>,
  toolNames: Map<string, string>,
  tell: Tell
): ReadonlyArray<LlmTool> =>
  tools.flatMap((tool): ReadonlyArray<LlmTool> => {
    if (tool.type === "function") return [functionTool(tool, tell)]
    const made = tool.type === "provider" ? providerTool(tool) : undefined
    if (made === undefined) {
      tell(
        `provider tool ${tool.id ?? tool.name}`,
        `Give it as "effect-llm.tool" with the wire's own entry as args.definition.`
      )
      return []
    }
    if (made.wireName !== tool.name) toolNames.set(made.wireName, tool.name)
    return [made.tool]
  })

const thinkingOf = (reasoning: LanguageModelV4CallOptions["reasoning"]): Pick<RequestOptions, "thinking"> => {
  switch (reasoning) {
    case undefined:
    case "provider-default":
      return {}
    case "none":
      return { thinking: "off" }
    default:
      return { thinking: reasoning }
  }
}

/** Options of AI SDK providers that have a portable form here. */
const portable = (options: SharedV4ProviderOptions): RequestOptions => {
  const of = (provider: string) => record(options[provider]) ?? {}
  const budget = (value: unknown) =>
    typeof value === "number" && Number.isSafeInteger(value) && value > 0
      ? { thinking: { budgetTokens: value } } as const
      : {}
  const thinking = record(of("anthropic")["thinking"])
  const level = of("openai")["reasoningEffort"]
  const parallel = of("openai")["parallelToolCalls"]
  const cacheKey = of("openai")["promptCacheKey"]
  return {
    ...(thinking?.["type"] === "disabled" ? { thinking: "off" } : budget(thinking?.["budgetTokens"])),
    ...budget(record(of("google")["thinkingConfig"])?.["thinkingBudget"]),
    ...(typeof level === "string" && isLevel(level) ? thinkingOf(level) : undefined),
    ...(typeof parallel === "boolean" ? { parallelToolCalls: parallel } : undefined),
    ...(typeof cacheKey === "string" ? { cache: { key: cacheKey } } : undefined)
  }
}

const isLevel = (word: string): word is NonNullable<LanguageModelV4CallOptions["reasoning"]> =>
  ["none", "minimal", "low", "medium", "high", "xhigh", "max"].includes(word)

const carried: { readonly [provider: string]: ReadonlyArray<string> } = {
  anthropic: ["thinking", "cacheControl"],
  openai: ["reasoningEffort", "parallelToolCalls", "promptCacheKey"],
  google: ["thinkingConfig"]
}

const tellOptions = (options: SharedV4ProviderOptions, tell: Tell): void => {
  for (const [provider, given] of Object.entries(options)) {
    if (provider === key) continue
    for (const option of Object.keys(record(given) ?? {})) {
      if (carried[provider]?.includes(option) === true) continue
      tell(
        `providerOptions.${provider}.${option}`,
        `Options in the words of AI SDK providers are not sent. Say it in the words of the wire: providerOptions["${key}"].providerOptions.`
      )
    }
  }
}

const ownOf = (options: SharedV4ProviderOptions, tell: Tell): CallOptions => {
  const data = dataIn(options) ?? {}
  for (const option of Object.keys(data)) {
    if (!(ownOptions as ReadonlyArray<string>).includes(option)) {
      tell(`providerOptions.${key}.${option}`, "There is no such option.")
    }
  }
  return Object.fromEntries(ownOptions.flatMap((option) => data[option] === undefined ? [] : [[option, data[option]]]))
}

const formatOf = (format: LanguageModelV4CallOptions["responseFormat"]): Pick<RequestOptions, "responseFormat"> => {
  if (format?.type !== "json") return {}
  const { description, name, schema } = format
  return {
    responseFormat: schema === undefined ? { type: "json" } : {
      type: "json-schema",
      schema: schema as JsonObject,
      ...(name === undefined ? undefined : { name }),
      ...(description === undefined ? undefined : { description })
    }
  }
}

const choiceOf = (choice: LanguageModelV4CallOptions["toolChoice"]): Pick<RequestOptions, "toolChoice"> =>
  choice === undefined || choice.type === "auto"
    ? {}
    : { toolChoice: choice.type === "tool" ? { name: choice.toolName } : choice.type }

/** The AI SDK names itself in `user-agent`; a provider gets to know who really sends. */
const headersOf = (headers: LanguageModelV4CallOptions["headers"]): Pick<RequestOptions, "headers"> => {
  const given = Object.entries(headers ?? {}).filter((entry): entry is [string, string] =>
    entry[1] !== undefined && !(entry[0].toLowerCase() === "user-agent" && /^ai\/\S+(?: |$)/.test(entry[1]))
  )
  return given.length === 0 ? {} : { headers: Object.fromEntries(given) }
}

const settings = [
  ["maxOutputTokens", "maxTokens"],
  ["temperature", "temperature"],
  ["topP", "topP"],
  ["topK", "topK"],
  ["presencePenalty", "presencePenalty"],
  ["frequencyPenalty", "frequencyPenalty"],
  ["stopSequences", "stop"],
  ["seed", "seed"]
] as const

/**
 * A request of call options. `provider` is whose uploaded files are meant.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const requestOf = (options: LanguageModelV4CallOptions, provider: string): Asked => {
  const warnings: Array<SharedV4Warning> = []
  const tell: Tell = (feature, details) => {
    if (!warnings.some((warning) => warning.type === "unsupported" && warning.feature === feature)) {
      warnings.push({ type: "unsupported", feature, details })
    }
  }
  const toolNames = new Map<string, string>()
  const providerOptions = options.providerOptions ?? {}
  const tools = options.tools === undefined ? [] : toolsOf(options.tools, toolNames, tell)
  tellOptions(providerOptions, tell)
  const request: LlmRequest = {
    messages: messagesOfPrompt(options.prompt, provider, tell),
    ...Object.fromEntries(
      settings.flatMap(([theirs, ours]) => options[theirs] === undefined ? [] : [[ours, options[theirs]]])
    ),
    ...(tools.length === 0 ? undefined : { tools, ...choiceOf(options.toolChoice) }),
    ...formatOf(options.responseFormat),
    ...portable(providerOptions),
    ...thinkingOf(options.reasoning),
    ...headersOf(options.headers),
    ...(options.includeRawChunks === true ? { includeRaw: true } : undefined),
    ...ownOf(providerOptions, tell)
  }
  return { request, warnings, toolNames }
}
