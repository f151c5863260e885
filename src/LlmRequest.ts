/**
 * What a caller asks for: one request shape for every provider, validated before any I/O.
 *
 * Portable options mean the same everywhere; what a provider cannot do is a `Validation` error when it
 * would change the meaning, and a response warning when it would not. `providerOptions` holds the rest, typed
 * per provider and merged last into the body.
 *
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"
import { isObject } from "effect/Predicate"
import type { Redacted } from "effect/Redacted"
import type { JsonSchema, LlmTool, ToolChoice } from "./LlmTool.ts"
import type { JsonObject, Message, Part } from "./Message.ts"
import type { ThinkingLevel } from "./Model.ts"

/**
 * Options only one provider has, under its name. Provider modules add their own by module augmentation.
 *
 * @category models
 * @since 0.1.0
 */
// eslint-disable-next-line @typescript-eslint/no-empty-object-type -- provider modules augment it
export interface ProviderOptions {}

/**
 * What to cache of the prompt, on providers with explicit prompt caching.
 *
 * @category models
 * @since 0.1.0
 */
export interface CacheOptions {
  /** Cache up to the end of the system prompt. @default false */
  readonly systemPrompt?: boolean | undefined
  /** Cache the tool definitions, which are then sent sorted by name. @default false */
  readonly tools?: boolean | undefined
  /** Cache up to each of the last N user turns. @default 0 */
  readonly recentTurns?: number | undefined
  /** Keep entries for 1 hour instead of 5 minutes. @default false */
  readonly extendedTtl?: boolean | undefined
  /** Stable key that routes similar prompts to the same cache (OpenAI `prompt_cache_key`). */
  readonly key?: string | undefined
}

/**
 * The form of the answer.
 *
 * @category models
 * @since 0.1.0
 */
export type ResponseFormat =
  | { readonly type: "text" }
  | { readonly type: "json" }
  | {
    readonly type: "json-schema"
    readonly schema: JsonSchema
    /** @default "response" */
    readonly name?: string | undefined
    readonly description?: string | undefined
    /** Hold the model to the schema. @default strict where the provider can hold it to this schema, else not, with a warning */
    readonly strict?: boolean | undefined
  }

/**
 * Time limits of one attempt. Each is a `Duration` input such as `"20 seconds"`.
 *
 * @category models
 * @since 0.1.0
 */
export interface Timeouts {
  /** Until the response headers. @default 120 seconds */
  readonly connect?: Duration.Input | undefined
  /** Until the first content event of a stream; pings do not count. @default 10 minutes */
  readonly firstToken?: Duration.Input | undefined
  /**
   * Between signs of life of a stream; pings count. After the finish reason it fails no call: a stream waits that long, and 2
   * seconds at most, for what may still come, such as usage, and is whole without it. @default 2 minutes
   */
  readonly idle?: Duration.Input | undefined
  /** For the whole call. @default 10 minutes for `generate`, none for `stream` */
  readonly total?: Duration.Input | undefined
}

/**
 * Who a call is made for; goes to events, budgets and telemetry, never to the provider.
 *
 * @category models
 * @since 0.1.0
 */
export interface CallScope {
  readonly requestId?: string | undefined
  readonly sessionId?: string | undefined
  readonly userId?: string | undefined
}

/**
 * What a request says to one provider only.
 *
 * @category models
 * @since 0.1.0
 */
export interface ProviderRequest {
  /** Overrides the credential of that provider's layer. */
  readonly apiKey?: Redacted<string> | undefined
  /** Extra HTTP headers. */
  readonly headers?: { readonly [name: string]: string } | undefined
  /** Overrides the model of that provider's layer. */
  readonly model?: string | undefined
  /**
   * Origin of the base URL, such as `https://api.openai.com`, where several layers of that provider talk to different hosts.
   *
   * @default the first of them
   */
  readonly origin?: string | undefined
}

/**
 * Everything a request can say beside its messages.
 *
 * @category models
 * @since 0.1.0
 */
export interface RequestOptions {
  /** Instructions that rank above the user's; put before any system messages. */
  readonly system?: string | undefined
  /**
   * Overrides the model of the layer. Like `apiKey` and `headers` it is for the provider that the call is first meant for:
   * of several candidates the first one. Others answer with their own model, with a warning; see `providers`.
   */
  readonly model?: string | undefined
  /** Most tokens to generate, reasoning included; a positive safe integer. @default the provider's own */
  readonly maxTokens?: number | undefined
  /** 0 to 1 or 2, by provider. */
  readonly temperature?: number | undefined
  /** Nucleus sampling, above 0 and up to 1. */
  readonly topP?: number | undefined
  readonly topK?: number | undefined
  readonly frequencyPenalty?: number | undefined
  readonly presencePenalty?: number | undefined
  /** Texts that end the answer; not part of it. */
  readonly stop?: ReadonlyArray<string> | undefined
  readonly seed?: number | undefined
  readonly tools?: ReadonlyArray<LlmTool> | undefined
  /** @default "auto" when there are tools */
  readonly toolChoice?: ToolChoice | undefined
  readonly parallelToolCalls?: boolean | undefined
  readonly responseFormat?: ResponseFormat | undefined
  /** How much to reason: a portable level or a budget in tokens. */
  readonly thinking?: ThinkingLevel | { readonly budgetTokens: number } | undefined
  /** Overall thoroughness, apart from thinking. */
  readonly effort?: "low" | "medium" | "high" | "xhigh" | "max" | undefined
  readonly cache?: CacheOptions | undefined
  /** Log probabilities: `true`, or how many alternatives per token. */
  readonly logprobs?: boolean | number | undefined
  /** Names the call in telemetry, events and budgets; part of the response. */
  readonly label?: string | undefined
  readonly scope?: CallScope | undefined
  /** Application data; sent to providers that have a metadata field only through `providerOptions`. */
  readonly metadata?: JsonObject | undefined
  /** Higher is served first by queues. @default 0 */
  readonly priority?: number | undefined
  readonly providerOptions?: ProviderOptions | undefined
  /** Extra HTTP headers, for the provider that the call is first meant for and no other; see `providers`. */
  readonly headers?: { readonly [name: string]: string } | undefined
  /**
   * Overrides the credential of the layer for this call. Goes to the provider that the call is first meant for and to no other;
   * see `providers`.
   */
  readonly apiKey?: Redacted<string> | undefined
  /**
   * Credentials, headers and models by provider id, each for that provider alone. They go over what the request says at large.
   *
   * @example `{ anthropic: { apiKey: theirs, model: "claude-sonnet-4-5" }, openai: { apiKey: others } }`
   */
  readonly providers?: { readonly [provider: string]: ProviderRequest } | undefined
  readonly timeouts?: Timeouts | undefined
  /** Keep the raw body or frames in `response.raw`. @default false */
  readonly includeRaw?: boolean | undefined
}

/**
 * A request: messages, or a `prompt` for a single user message, and options.
 *
 * @category models
 * @since 0.1.0
 */
export type LlmRequest =
  & RequestOptions
  & (
    | { readonly messages: ReadonlyArray<Message>; readonly prompt?: undefined }
    | { readonly prompt: string; readonly messages?: undefined }
  )

/**
 * The messages of a request, `prompt` included, without `system`.
 *
 * @category accessors
 * @since 0.1.0
 */
export const messagesOf = (request: LlmRequest): ReadonlyArray<Message> =>
  request.messages ?? [{ role: "user", content: request.prompt }]

/**
 * A problem found before any I/O.
 *
 * @category validation
 * @since 0.1.0
 */
export interface Issue {
  /** Path of the field, such as `messages[2].content`. */
  readonly field: string
  /** What is wrong and what to do. */
  readonly message: string
}

const roles: ReadonlySet<string> = new Set(["system", "user", "assistant", "tool"])
const partTypes: ReadonlySet<string> = new Set([
  "text",
  "image",
  "file",
  "audio",
  "reasoning",
  "tool-call",
  "tool-result",
  "source",
  "server-tool"
])
const schemaTypes: ReadonlySet<string> = new Set([
  "object",
  "array",
  "string",
  "number",
  "integer",
  "boolean",
  "null"
])

const issue = (field: string, message: string): Issue => ({ field, message })

const checkPart = (role: string, part: Part, at: string): Issue | undefined => {
  if (!isObject(part) || !partTypes.has(part.type)) {
    return issue(at, `Not a part. Use Message.text, Message.image, Message.file or another part constructor.`)
  }
  switch (part.type) {
    case "text":
    case "reasoning":
      return typeof part.text === "string" ? undefined : issue(`${at}.text`, "Must be a string.")
    case "tool-call":
      if (role !== "assistant") return issue(at, "A tool call belongs in an assistant message.")
      if (part.name === "") return issue(`${at}.name`, "A tool call needs the name of its tool.")
      return part.id === "" ? issue(`${at}.id`, "A tool call needs an id.") : undefined
    case "tool-result":
      if (role !== "tool" && role !== "user") {
        return issue(at, "A tool result belongs in a tool message: Message.toolResult(call, content).")
      }
      return part.toolCallId === "" ? issue(`${at}.toolCallId`, "Must name the call it answers.") : undefined
    case "image":
    case "audio":
    case "file":
      if (!isObject(part.source)) return issue(`${at}.source`, "Needs base64 data, a url or a fileId.")
      if (part.source.type === "base64" && part.source.data === "") {
        return issue(`${at}.source.data`, "Is empty: give the bytes as base64.")
      }
      return undefined
    default:
      return undefined
  }
}

const checkMessages = (messages: ReadonlyArray<Message>): Issue | undefined => {
  if (messages.length === 0) {
    return issue("messages", "Is empty: give at least one message, or a prompt.")
  }
  let spoken = false
  for (let i = 0; i < messages.length; i++) {
    const message = messages[i]!
    const at = `messages[${i}]`
    if (!isObject(message) || !roles.has(message.role)) {
      return issue(`${at}.role`, "Must be system, user, assistant or tool.")
    }
    if (message.role !== "system") spoken = true
    const content = message.content
    if (typeof content === "string") {
      if (message.role === "tool") {
        return issue(`${at}.content`, "A tool message holds tool results: Message.toolResult(call, content).")
      }
      continue
    }
    if (!Array.isArray(content)) return issue(`${at}.content`, "Must be a string or an array of parts.")
    for (let j = 0; j < content.length; j++) {
      const found = checkPart(message.role, content[j], `${at}.content[${j}]`)
      if (found !== undefined) return found
    }
    if (message.role === "tool" && !content.every((part: Part) => part.type === "tool-result")) {
      return issue(`${at}.content`, "A tool message holds nothing but tool results.")
    }
  }
  if (!spoken) return issue("messages", "Has only system messages: add a user message.")
  const first = messages.find((message) => message.role !== "system")!
  if (first.role === "tool") {
    return issue("messages", "Begins with a tool result: put the assistant message with the call before it.")
  }
  return undefined
}

const checkSchema = (schema: unknown, at: string): Issue | undefined => {
  if (!isObject(schema) || Array.isArray(schema)) return issue(at, "Must be a JSON Schema object.")
  const { properties, required, type } = schema as { properties?: unknown; required?: unknown; type?: unknown }
  const types = Array.isArray(type) ? type : type === undefined ? [] : [type]
  for (const one of types) {
    if (typeof one !== "string" || !schemaTypes.has(one)) {
      return issue(`${at}.type`, `"${String(one)}" is not a JSON Schema type.`)
    }
  }
  if (properties !== undefined) {
    if (!isObject(properties)) return issue(`${at}.properties`, "Must be an object of schemas.")
    for (const [key, value] of Object.entries(properties)) {
      if (typeof value === "boolean") continue
      const found = checkSchema(value, `${at}.properties.${key}`)
      if (found !== undefined) return found
    }
  }
  if (required !== undefined && !(Array.isArray(required) && required.every((name) => typeof name === "string"))) {
    return issue(`${at}.required`, "Must be an array of property names.")
  }
  return undefined
}

const checkTools = (tools: ReadonlyArray<LlmTool>, choice: ToolChoice | undefined): Issue | undefined => {
  const names = new Set<string>()
  for (let i = 0; i < tools.length; i++) {
    const tool = tools[i]!
    const at = `tools[${i}]`
    if (typeof tool.name !== "string" || tool.name === "") return issue(`${at}.name`, "A tool needs a name.")
    if (names.has(tool.name)) {
      return issue(`${at}.name`, `Two tools are named "${tool.name}": tool names must be unique.`)
    }
    names.add(tool.name)
    if (tool.type === "function") {
      const found = checkSchema(tool.parameters, `${at}.parameters`)
      if (found !== undefined) return found
      const type = tool.parameters["type"]
      if (type !== undefined && type !== "object") {
        return issue(`${at}.parameters.type`, "Tool arguments are an object: the schema's type must be \"object\".")
      }
    }
  }
  if (isObject(choice) && !names.has(choice.name)) {
    return issue("toolChoice", `There is no tool "${choice.name}" in tools.`)
  }
  if (choice === "required" && tools.length === 0) return issue("toolChoice", "Requires a tool, but tools is empty.")
  return undefined
}

const checkRange = (
  field: string,
  value: number | undefined,
  low: number,
  high: number,
  integer = false
): Issue | undefined =>
  value === undefined || (typeof value === "number" && value >= low && value <= high &&
      (!integer || Number.isSafeInteger(value)))
    ? undefined
    : issue(field, `Must be ${integer ? "an integer" : "a number"} from ${low} to ${high}; got ${String(value)}.`)

/**
 * The first problem of a request, or `undefined`. Pure; every service runs it before any I/O.
 *
 * @category validation
 * @since 0.1.0
 */
export const validate = (request: LlmRequest): Issue | undefined => {
  if (!isObject(request)) return issue("request", "Must be an object with messages or a prompt.")
  if (request.messages === undefined && request.prompt === undefined) {
    return issue("messages", "Is missing: give messages, or a prompt.")
  }
  if (request.messages !== undefined && request.prompt !== undefined) {
    return issue("prompt", "Give either messages or a prompt, not both.")
  }
  if (request.messages !== undefined && !Array.isArray(request.messages)) {
    return issue("messages", "Must be an array of messages.")
  }
  if (request.messages === undefined && (typeof request.prompt !== "string" || request.prompt === "")) {
    return issue("prompt", "Must be a non-empty string.")
  }
  const thinking = request.thinking
  return (request.messages === undefined ? undefined : checkMessages(request.messages)) ??
    (request.model === "" ? issue("model", "Is empty: name a model, or leave it out.") : undefined) ??
    checkTools(request.tools ?? [], request.toolChoice) ??
    checkRange("maxTokens", request.maxTokens, 1, Number.MAX_SAFE_INTEGER, true) ??
    checkRange("temperature", request.temperature, 0, 2) ??
    checkRange("topP", request.topP, 0, 1) ??
    checkRange("topK", request.topK, 1, Number.MAX_SAFE_INTEGER, true) ??
    checkRange("seed", request.seed, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER, true) ??
    (isObject(thinking)
      ? checkRange("thinking.budgetTokens", thinking.budgetTokens, 1, Number.MAX_SAFE_INTEGER, true)
      : undefined) ??
    (request.responseFormat?.type === "json-schema"
      ? checkSchema(request.responseFormat.schema, "responseFormat.schema")
      : undefined)
}
