/**
 * What a caller asks for: one request shape for every provider, validated before any I/O.
 *
 * Portable options mean the same everywhere; what a provider cannot do is a `Validation` error when it
 * would change the meaning, and a response warning when it would not. `providerOptions` holds the rest, typed
 * per provider and merged last into the body.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import type { Redacted } from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as SchemaTransformation from "effect/SchemaTransformation"
import type { Json } from "./json/value.ts"
import type { FunctionTool, JsonSchema, LlmTool, ToolChoice } from "./LlmTool.ts"
import { type JsonObject, Message } from "./Message.ts"
import type { ThinkingLevel } from "./Model.ts"
import { relations, shape } from "./validation/request.ts"
import type { Issue } from "./validation/values.ts"
import { headersWithoutSecrets, jsonWithoutSecrets } from "./validation/withoutSecrets.ts"

/**
 * Options only one provider has, under its name. Provider modules add their own by module augmentation.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
// eslint-disable-next-line @typescript-eslint/no-empty-object-type -- provider modules augment it
export interface ProviderOptions {}

/**
 * What to cache of the prompt, on providers with explicit prompt caching.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface CacheOptions {
  /** Cache up to the end of the system prompt. @default false */
  readonly systemPrompt?: boolean | undefined
  /** Cache the tool definitions, which are always sent sorted by name. @default false */
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
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export type ResponseFormat =
  | { readonly type: "text" }
  | { readonly type: "json" }
  | {
    readonly type: "json-schema"
    /** JSON Schema of the answer, draft 2020-12. Compiled for the host's dialect; what that cannot say is checked after. */
    readonly schema: JsonSchema
    /** @default "response" */
    readonly name?: string | undefined
    /** Tells the model what the object is for, on wires that have a place for it. @default none */
    readonly description?: string | undefined
    /** Hold the model to the schema. @default strict where the provider can hold it to this schema, else not, with a warning */
    readonly strict?: boolean | undefined
  }

/**
 * Time limits of one attempt. Each is a `Duration` input such as `"20 seconds"`.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface Timeouts {
  /**
   * Until the connection stands and the request is written; each piece of a long request that the network takes begins it anew.
   *
   * Only the client of `effect-llm/node` can tell when that is. Over any other, such as `fetch`, it limits a `stream` until
   * the response headers, and `generate` not at all, since a whole answer sends its headers when it is done. @default 120 seconds
   */
  readonly connect?: Duration.Input | undefined
  /**
   * Until the first content event of a stream, headers included; pings do not count. No limit of `generate`, unless that is streamed
   * below (see `RequestOptions.whole`). @default 10 minutes
   */
  readonly firstToken?: Duration.Input | undefined
  /**
   * From the response headers of a `generate` to the first byte of its body: some hosts send headers at once and then think. No
   * limit of `stream`, which has `firstToken`. The body of a refusal is waited for no longer than this or `idle`, 10 seconds at most;
   * its status says enough. @default 5 minutes
   */
  readonly firstByte?: Duration.Input | undefined
  /**
   * Between signs of life, from the first byte of the body on, for both operations; pings and white space count. After the finish reason
   * it fails no call: a stream waits that long, and 2 seconds at most, for what may still come, such as usage, and is whole
   * without it. @default 2 minutes
   */
  readonly idle?: Duration.Input | undefined
  /** For the whole call, whatever comes of it. @default 10 minutes for `generate`, none for `stream` */
  readonly total?: Duration.Input | undefined
}

/**
 * Who a call is made for; goes to events, budgets and telemetry, never to the provider.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface CallScope {
  /** The application's id of this call, such as that of the HTTP request it serves. */
  readonly requestId?: string | undefined
  /** Keeps the calls of one conversation together, as `Balance` can. */
  readonly sessionId?: string | undefined
  /** Who the call is for, as budgets and limits per user count. */
  readonly userId?: string | undefined
}

/**
 * What a request says to one provider only.
 *
 * @stability stable
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
 * @stability stable
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
  /** Samples among so many of the likeliest tokens only; a positive integer. @default the provider's own */
  readonly topK?: number | undefined
  /** Above 0 makes tokens less likely the more often they occurred; -2 to 2 on most providers. @default the provider's own, mostly 0 */
  readonly frequencyPenalty?: number | undefined
  /** Above 0 makes tokens less likely once they occurred; -2 to 2 on most providers. @default the provider's own, mostly 0 */
  readonly presencePenalty?: number | undefined
  /** Texts that end the answer; not part of it. */
  readonly stop?: ReadonlyArray<string> | undefined
  /** Integer for repeatable sampling, as far as the provider can; none promises equal answers. @default random */
  readonly seed?: number | undefined
  /** What the model may call; names are unique in a request. @default none */
  readonly tools?: ReadonlyArray<LlmTool> | undefined
  /** @default "auto" when there are tools */
  readonly toolChoice?: ToolChoice | undefined
  /** `false`: at most one call per answer. @default the provider's own, mostly `true` */
  readonly parallelToolCalls?: boolean | undefined
  /** Text, any JSON object, or JSON of a schema. @default text */
  readonly responseFormat?: ResponseFormat | undefined
  /** How much to reason: a portable level or a budget in tokens. */
  readonly thinking?: ThinkingLevel | {
    /** Most tokens to think, within `maxTokens`. A model that has levels only takes the nearest one, with a warning. */
    readonly budgetTokens: number
  } | undefined
  /** Overall thoroughness, apart from thinking. */
  readonly effort?: "low" | "medium" | "high" | "xhigh" | "max" | undefined
  /** How much of the prompt providers are to cache, and for how long. @default only parts and messages that are marked */
  readonly cache?: CacheOptions | undefined
  /** Log probabilities: `true`, or how many alternatives per token. */
  readonly logprobs?: boolean | number | undefined
  /** Names the call in telemetry, events and budgets; part of the response. */
  readonly label?: string | undefined
  /** Who the call is for: stays here, in events, budgets and telemetry. */
  readonly scope?: CallScope | undefined
  /** Application data; sent to providers that have a metadata field only through `providerOptions`. */
  readonly metadata?: JsonObject | undefined
  /** Higher is served first by queues. @default 0 */
  readonly priority?: number | undefined
  /** Options of single providers by provider id, merged last into the body; others ignore them. */
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
  /** Limits of this call, field by field over those of the layer. */
  readonly timeouts?: Timeouts | undefined
  /**
   * How `generate` gets its answer. `auto` asks for a whole one, except where the provider refuses or endangers long whole answers:
   * there it is streamed below and folded, and has the time limits of a stream, with `total` as for `generate`. `streamed` always does
   * that, so that a call that ends early keeps its partial output; `whole` never does. `stream` takes no notice. @default "auto"
   */
  readonly whole?: "auto" | "streamed" | "whole" | undefined
  /** Keep the raw body or frames in `response.raw`. @default false */
  readonly includeRaw?: boolean | undefined
}

/**
 * A request: messages, or a `prompt` for a single user message, and options.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export type LlmRequest =
  & RequestOptions
  & (
    | {
      /** The conversation, oldest first; at least one message. */
      readonly messages: ReadonlyArray<Message>
      readonly prompt?: undefined
    }
    | {
      /** The text of a single user message. */
      readonly prompt: string
      readonly messages?: undefined
    }
  )

/**
 * The messages of a request, `prompt` included, without `system`.
 *
 * @stability stable
 * @category accessors
 * @since 0.1.0
 */
export const messagesOf = (request: LlmRequest): ReadonlyArray<Message> =>
  request.messages ?? [{ role: "user", content: request.prompt }]

export type {
  /**
   * A problem found before any I/O.
   *
   * @stability stable
   * @category validation
   * @since 0.1.0
   */
  Issue
} from "./validation/values.ts"

/**
 * The first problem of a request, or `undefined`. Pure and total: it takes whatever it is given and never throws; what a getter or a
 * proxy throws is a problem of its field. Every service runs it before any I/O. Linear in the length of the request.
 *
 * @stability stable
 * @category validation
 * @since 0.1.0
 */
export const validate = (request: LlmRequest): Issue | undefined => shape(request) ?? relations(request)

// =============================================================================
// Schema
// =============================================================================

/** A request as it is stored. */
const makeStored = () => {
  const text = Schema.optional(Schema.String)
  const flag = Schema.optional(Schema.Boolean)
  const number = Schema.optional(Schema.Finite)
  const json = Schema.Record(Schema.String, Schema.Json)
  const headers = Schema.optional(Schema.Record(Schema.String, Schema.String))
  const cacheControl = Schema.optional(Schema.Literals(["ephemeral", "extended"]))
  /** `Duration.Input`, but for a `Duration` and a `bigint`, which are a text such as `"5000 millis"` here. */
  const time = Schema.optional(Schema.Json)

  const execution = Schema.optional(Schema.Struct({
    needsApproval: flag,
    idempotent: flag,
    loopKey: Schema.optional(Schema.Literal(false)),
    timeout: time,
    concurrency: number,
    maxResultBytes: number
  }))

  const tool = Schema.Union([
    Schema.Struct({
      type: Schema.Literal("function"),
      name: Schema.String,
      description: text,
      parameters: json,
      strict: flag,
      cacheControl,
      failureMode: Schema.optional(Schema.Literals(["error", "return"])),
      execution
    }),
    Schema.Struct({
      type: Schema.Literal("custom"),
      name: Schema.String,
      description: text,
      format: Schema.optional(json)
    }),
    Schema.Struct({
      type: Schema.Literal("provider"),
      name: Schema.String,
      definition: json,
      execution
    })
  ])

  return Schema.Struct({
    messages: Schema.optional(Schema.Array(Message)),
    prompt: text,
    system: text,
    model: text,
    maxTokens: number,
    temperature: number,
    topP: number,
    topK: number,
    frequencyPenalty: number,
    presencePenalty: number,
    stop: Schema.optional(Schema.Array(Schema.String)),
    seed: number,
    tools: Schema.optional(Schema.Array(tool)),
    toolChoice: Schema.optional(Schema.Union([Schema.String, Schema.Struct({ name: Schema.String })])),
    parallelToolCalls: flag,
    responseFormat: Schema.optional(Schema.Struct({
      type: Schema.String,
      schema: Schema.optional(json),
      name: text,
      description: text,
      strict: flag
    })),
    thinking: Schema.optional(Schema.Union([Schema.String, Schema.Struct({ budgetTokens: Schema.Finite })])),
    effort: text,
    cache: Schema.optional(json),
    logprobs: Schema.optional(Schema.Union([Schema.Boolean, Schema.Finite])),
    label: text,
    scope: Schema.optional(Schema.Struct({ requestId: text, sessionId: text, userId: text })),
    metadata: Schema.optional(json),
    priority: number,
    providerOptions: Schema.optional(Schema.Record(Schema.String, json)),
    headers,
    providers: Schema.optional(
      Schema.Record(Schema.String, Schema.Struct({ headers, model: text, origin: text }))
    ),
    timeouts: Schema.optional(Schema.Record(Schema.String, Schema.Json)),
    whole: text,
    includeRaw: flag
  })
}

type Stored = ReturnType<typeof makeStored>["Type"]

/** Without members that are `undefined`. */
const present = (fields: object): object =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))

const mapped = <A, B>(record: { readonly [name: string]: A | undefined }, to: (value: A) => B): object => {
  const entries: Array<readonly [string, B]> = []
  for (const [name, value] of Object.entries(record)) if (value !== undefined) entries.push([name, to(value)])
  return Object.fromEntries(entries)
}

const storedTime = (time: Duration.Input): Json =>
  typeof time === "bigint" ? `${time} nanos` : Duration.isDuration(time) ? String(time) : time as Json

/** Who asks by a function asks always: a tool that is read back must not run without what it asked for. */
const storedExecution = (execution: FunctionTool["execution"]): object | undefined => {
  if (execution === undefined) return undefined
  const { concurrency, idempotent, loopKey, maxResultBytes, needsApproval, timeout } = execution
  return present({
    needsApproval: typeof needsApproval === "function" ? true : needsApproval,
    idempotent,
    loopKey: loopKey === false ? false : undefined,
    timeout: timeout === undefined ? undefined : storedTime(timeout),
    concurrency,
    maxResultBytes
  })
}

const storedTool = (tool: LlmTool): object => {
  switch (tool.type) {
    case "function": {
      const { cacheControl, description, execution, failureMode, name, parameters, strict, type } = tool
      return present({
        type,
        name,
        description,
        parameters,
        strict,
        cacheControl,
        failureMode,
        execution: storedExecution(execution)
      })
    }
    case "custom":
      return present({ type: tool.type, name: tool.name, description: tool.description, format: tool.format })
    case "provider":
      return present({
        type: tool.type,
        name: tool.name,
        definition: jsonWithoutSecrets(tool.definition),
        execution: storedExecution(tool.execution)
      })
  }
}

const storedProvider = ({ headers, model, origin }: ProviderRequest): object =>
  present({ headers: headers === undefined ? undefined : headersWithoutSecrets(headers), model, origin })

const toStored = ({ apiKey: _apiKey, ...request }: LlmRequest): Stored =>
  present({
    ...request,
    tools: request.tools?.map(storedTool),
    headers: request.headers === undefined ? undefined : headersWithoutSecrets(request.headers),
    providers: request.providers === undefined ? undefined : mapped(request.providers, storedProvider),
    providerOptions: jsonWithoutSecrets(request.providerOptions),
    timeouts: request.timeouts === undefined ? undefined : mapped({ ...request.timeouts }, storedTime)
  }) as Stored

const isObject = (u: unknown): u is LlmRequest => typeof u === "object" && u !== null

const makeSchema = () =>
  makeStored().pipe(
    Schema.decodeTo(
      Schema.declare(isObject, { expected: "LlmRequest" }).check(Schema.makeFilter((request) => {
        const issue = shape(request)
        return issue === undefined ? undefined : `${issue.field}: ${issue.message}`
      })),
      SchemaTransformation.transform({
        decode: (stored) => stored as LlmRequest,
        encode: toStored
      })
    )
  )

/**
 * Schema of a request as JSON: to queue it, to send it to another process, to replay it.
 *
 * It has everything but what JSON cannot say and what nobody may read. A `Redacted` (`apiKey`, at large and by provider) is left out, and so
 * are headers, options of providers and tools in a provider's own shape under a name of a credential (`authorization`, `x-api-key` …), and
 * the user, password and keys of URLs in them: a request that is read back is made with the credentials of the layer that it is given to.
 * Of a tool its functions are left out, so that calls are read as plain JSON; one whose `needsApproval` is a function always asks. A
 * `Duration` is a text such as `"5000 millis"`. Both ways the shape of a request is checked as {@link validate} checks it. Fields of
 * later versions are ignored.
 *
 * @stability stable
 * @category schemas
 * @since 0.1.0
 */
export const schema = /* @__PURE__ */ makeSchema() as unknown as Schema.Codec<LlmRequest, Json>
