/**
 * What a configuration holds, as schemas.
 *
 * Public through `LlmConfig`, which re-exports everything here.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { providerIds } from "../provider/Llm.ts"

/**
 * A length of time in a configuration: a `Duration`, or text such as `"20 seconds"`. A bare number is not one, because
 * it does not say its unit.
 *
 * @category models
 * @since 0.1.0
 */
export type Span = Duration.Duration | `${number} ${Duration.Unit}`

const isSpan = (given: unknown): given is Span => {
  if (typeof given !== "string" && !Duration.isDuration(given)) return false
  const span = Duration.fromInput(given as Span)
  return Option.isSome(span) && Duration.isPositive(span.value)
}

const span = Schema.declare(isSpan, { expected: "a duration such as \"20 seconds\"" })
const optional = Schema.optional
const text = Schema.String.check(Schema.isNonEmpty({ expected: "a text that is not empty" }))
const count = Schema.Int.check(Schema.isGreaterThan(0, { expected: "a whole number above 0" }))

/** Also keeps out keys that were pasted here: those have small letters or dashes. */
const variableName = Schema.String.check(
  Schema.isPattern(/^[A-Z_][A-Z0-9_]{0,99}$/, {
    expected: "the name of an environment variable, in capitals, such as \"OPENAI_API_KEY\""
  })
)

/**
 * Time limits of one attempt; those left out are the library's.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Timeouts = Schema.Struct({
  connect: optional(span),
  firstToken: optional(span),
  firstByte: optional(span),
  idle: optional(span),
  total: optional(span)
})

/**
 * How calls are tried again; what is left out is `Retry.standard`'s.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Retry = Schema.Struct({
  retries: optional(Schema.Int.check(Schema.isGreaterThanOrEqualTo(0, { expected: "a whole number from 0" }))),
  base: optional(span),
  cap: optional(span)
})

/**
 * Requests and tokens per minute.
 *
 * @category schemas
 * @since 0.1.0
 */
export const RateLimit = Schema.Struct({
  requestsPerMinute: optional(count),
  tokensPerMinute: optional(count),
  inputTokensPerMinute: optional(count),
  outputTokensPerMinute: optional(count)
})

/**
 * Options of every request that the request does not set itself; see `RequestOptions`.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Defaults = Schema.Struct({
  system: optional(Schema.String),
  maxTokens: optional(count),
  temperature: optional(Schema.Finite),
  topP: optional(Schema.Finite),
  topK: optional(count),
  frequencyPenalty: optional(Schema.Finite),
  presencePenalty: optional(Schema.Finite),
  stop: optional(Schema.Array(Schema.String)),
  seed: optional(Schema.Int),
  parallelToolCalls: optional(Schema.Boolean),
  thinking: optional(Schema.Union([
    Schema.Literals(["off", "minimal", "low", "medium", "high", "xhigh", "max"]),
    Schema.Struct({ budgetTokens: count })
  ])),
  effort: optional(Schema.Literals(["low", "medium", "high", "xhigh", "max"])),
  cache: optional(Schema.Struct({
    systemPrompt: optional(Schema.Boolean),
    tools: optional(Schema.Boolean),
    recentTurns: optional(Schema.Int),
    extendedTtl: optional(Schema.Boolean),
    key: optional(Schema.String)
  })),
  priority: optional(Schema.Finite),
  whole: optional(Schema.Literals(["auto", "streamed", "whole"])),
  metadata: optional(Schema.Record(Schema.String, Schema.Json)),
  providerOptions: optional(Schema.Record(Schema.String, Schema.Record(Schema.String, Schema.Json)))
})

/**
 * One instance of a provider.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Instance = Schema.Struct({
  /** Id of the provider, as in `LLM_PROVIDER`. */
  provider: Schema.Literals(providerIds),
  /** Model of requests that name none. */
  model: optional(text),
  /** Tells the instance apart in telemetry and responses. @default its name */
  label: optional(text),
  baseUrl: optional(text),
  /** Environment variable that holds the key. @default the provider's usual ones */
  apiKeyEnv: optional(variableName),
  /** Headers of every request; none that carry credentials. */
  headers: optional(Schema.Record(Schema.String, Schema.String)),
  /** Limits of one attempt. */
  timeouts: optional(Timeouts),
  defaults: optional(Defaults),
  /** `false` never tries again. @default `Retry.standard` */
  retry: optional(Schema.Union([Retry, Schema.Literal(false)])),
  /** Limit of a whole call: retries, waits and fallback included. @default none */
  timeout: optional(span),
  rateLimit: optional(RateLimit),
  /** Most calls that run at once. */
  concurrency: optional(count),
  /** Names of the instances that are asked when this one fails, in order; their own `fallback` and `timeout` do not count. */
  fallback: optional(Schema.Array(text)),
  /** What only this provider has, such as `region` of Bedrock or `version` of Anthropic. */
  options: optional(Schema.Record(Schema.String, Schema.Json))
})

/**
 * An instance, decoded.
 *
 * @category models
 * @since 0.1.0
 */
export type Instance = typeof Instance.Type

/**
 * A configuration: instances by name, and which one is the default.
 *
 * @category schemas
 * @since 0.1.0
 */
export const LlmConfig = Schema.Struct({
  default: text,
  instances: Schema.Record(Schema.String, Instance)
})

/**
 * A configuration, decoded.
 *
 * @category models
 * @since 0.1.0
 */
export type LlmConfig = typeof LlmConfig.Type
