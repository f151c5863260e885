/**
 * What a configuration holds, as schemas.
 *
 * Public through `LlmConfig`, which re-exports everything here.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { providerIds } from "../provider/Llm.ts"
import {
  Balance,
  Candidates,
  ContinueRoute,
  Fallback,
  KeyPool,
  orTrue,
  policyNames,
  stackFields
} from "./schema/policies.ts"
import { count, optional, redacted, secretFile, text, variableName } from "./schema/values.ts"

export {
  Balance,
  Budget,
  Cache,
  Candidate,
  Candidates,
  CircuitBreaker,
  Concurrency,
  Continue,
  ContinueCandidate,
  ContinueRoute,
  Cost,
  Fallback,
  Hedge,
  KeyPool,
  type PolicyName,
  policyNames,
  PoolKey,
  Prices,
  RateLimit,
  Retry,
  Routes,
  Timeouts
} from "./schema/policies.ts"
export { Key, type Span } from "./schema/values.ts"

/**
 * Options of every request that the request does not set itself; see `RequestOptions`.
 *
 * @stability stable
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

const order = optional(Schema.Array(Schema.Literals(policyNames)))

/**
 * One instance of a provider, with the policies that belong to it alone.
 *
 * @stability stable
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
  /** File that holds the key, such as a mounted secret. White space around it does not count. */
  apiKeyFile: optional(secretFile),
  /** In code, the key itself. */
  apiKey: optional(redacted),
  /** Headers of every request; none that carry credentials. */
  headers: optional(Schema.Record(Schema.String, Schema.String)),
  defaults: optional(Defaults),
  keyPool: optional(KeyPool),
  ...stackFields,
  /** Names of the instances that are asked when this one fails, in order; their own `fallback`, `timeout` and `cost` do not count. */
  fallback: optional(Schema.Array(text)),
  /** All policies of the instance from the inside out. @default the recommended order */
  order,
  /** What only this provider has, such as `region` of Bedrock or `version` of Anthropic. */
  options: optional(Schema.Record(Schema.String, Schema.Json))
})

/**
 * An instance, decoded.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export type Instance = typeof Instance.Type

/**
 * A named chain: what chooses between instances (or other routes), and the policies around them all. It falls back in the order of its
 * candidates, unless it has `balance` or `hedge`.
 *
 * @stability stable
 * @category schemas
 * @since 0.1.0
 */
export const Route = Schema.Struct({
  candidates: Candidates,
  fallback: optional(Fallback),
  balance: orTrue(Balance),
  ...stackFields,
  continue: orTrue(ContinueRoute),
  /** All policies of the route from the inside out, but for what chooses. @default the recommended order */
  order
})

/**
 * A route, decoded.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export type Route = typeof Route.Type

/**
 * A configuration: instances and routes by name, and which one is the default. Instances and routes have no name in common.
 *
 * @stability stable
 * @category schemas
 * @since 0.1.0
 */
export const LlmConfig = Schema.Struct({
  /** Where an editor finds the JSON Schema of the file. */
  $schema: optional(Schema.String),
  default: text,
  instances: Schema.Record(Schema.String, Instance),
  routes: optional(Schema.Record(Schema.String, Route)),
  /** Belongs to the gateway, which reads and checks it; see `extension`. */
  gateway: optional(Schema.Record(Schema.String, Schema.Json))
})

/**
 * A configuration, decoded.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export type LlmConfig = typeof LlmConfig.Type
