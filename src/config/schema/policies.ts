/**
 * What a configuration may say of policies, as schemas: the options that are data of each.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import {
  count,
  fromZero,
  Key,
  money,
  notNegative,
  optional,
  positive,
  reasons,
  redacted,
  secretFile,
  share,
  span,
  text,
  variableName
} from "./values.ts"

const flag = Schema.Boolean

/**
 * Time limits of one attempt; those left out are the library's.
 *
 * @stability stable
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
 * @stability stable
 * @category schemas
 * @since 0.1.0
 */
export const Retry = Schema.Struct({
  retries: optional(fromZero),
  base: optional(span),
  factor: optional(positive),
  cap: optional(span),
  floor: optional(span),
  jitter: optional(flag),
  retryOn: optional(Schema.Array(Schema.Literals(reasons)))
})

/**
 * Requests and tokens per minute.
 *
 * @stability stable
 * @category schemas
 * @since 0.1.0
 */
export const RateLimit = Schema.Struct({
  requestsPerMinute: optional(count),
  tokensPerMinute: optional(count),
  inputTokensPerMinute: optional(count),
  outputTokensPerMinute: optional(count),
  key: optional(Key),
  maxWait: optional(span),
  learn: optional(flag),
  maxRetryAfter: optional(span)
})

/**
 * Where the keys of a pool are: each in a variable or a file, or, in code, `Redacted`.
 *
 * @stability stable
 * @category schemas
 * @since 0.1.0
 */
export const PoolKey = Schema.Struct({
  apiKeyEnv: optional(variableName),
  apiKeyFile: optional(secretFile),
  apiKey: optional(redacted),
  weight: optional(notNegative)
})

/**
 * Several keys of one provider.
 *
 * @stability stable
 * @category schemas
 * @since 0.1.0
 */
export const KeyPool = Schema.Struct({
  keys: Schema.Array(PoolKey).check(Schema.isMinLength(1, { expected: "at least one key" })),
  bench: optional(span),
  maxRetryAfter: optional(span),
  key: optional(Key)
})

/**
 * When calls to what keeps failing stop; `true` is the standard.
 *
 * @stability stable
 * @category schemas
 * @since 0.1.0
 */
export const CircuitBreaker = Schema.Struct({
  key: optional(Key),
  failures: optional(count),
  rate: optional(Schema.Struct({
    threshold: optional(share),
    window: optional(count),
    minimumCalls: optional(count)
  })),
  openFor: optional(span),
  maxOpenFor: optional(span),
  maxRetryAfter: optional(span)
})

/**
 * When a slow beginning gets a second call; `true` is the 95th percentile of what was measured.
 *
 * @stability stable
 * @category schemas
 * @since 0.1.0
 */
export const Hedge = Schema.Struct({
  after: optional(span),
  initial: optional(span),
  samples: optional(count),
  key: optional(Key)
})

/**
 * Where an error leads, by its reason.
 *
 * @stability stable
 * @category schemas
 * @since 0.1.0
 */
export const Routes = Schema.Struct(
  Object.fromEntries(
    reasons.map((reason) => [reason, optional(Schema.Literals(["next", "larger-window", "stop"]))])
  ) as {
    readonly [Reason in typeof reasons[number]]: Schema.optional<
      Schema.Literals<readonly ["next", "larger-window", "stop"]>
    >
  }
)

/**
 * How the next candidate is chosen when one fails.
 *
 * @stability stable
 * @category schemas
 * @since 0.1.0
 */
export const Fallback = Schema.Struct({
  on: optional(Routes),
  /** `"never"` benches nobody. */
  benchAfter: optional(Schema.Union([count, Schema.Literal("never")])),
  benchFor: optional(span),
  key: optional(Key)
})

/**
 * How calls are spread over candidates.
 *
 * @stability stable
 * @category schemas
 * @since 0.1.0
 */
export const Balance = Schema.Struct({
  strategy: optional(
    Schema.Literals([
      "weighted",
      "round-robin",
      "least-busy",
      "lowest-latency",
      "cheapest",
      "inverse-square-price"
    ])
  ),
  stickyBy: optional(Schema.Union([Schema.Literal("conversation"), Key])),
  on: optional(Routes),
  benchFor: optional(span),
  key: optional(Key),
  smoothing: optional(share)
})

const priceFields = {
  input: notNegative,
  output: notNegative,
  cacheRead: optional(notNegative),
  cacheWrite: optional(notNegative),
  cacheWrite1h: optional(notNegative)
}

/**
 * US dollars per million tokens.
 *
 * @stability stable
 * @category schemas
 * @since 0.1.0
 */
export const Prices = Schema.Struct({
  ...priceFields,
  tiers: optional(Schema.Array(Schema.Struct({ ...priceFields, aboveInputTokens: notNegative })))
})

/**
 * One of those a route chooses between: the name of an instance or of another route, and what is said of it here.
 *
 * @stability stable
 * @category schemas
 * @since 0.1.0
 */
export const Candidate = Schema.Struct({
  name: text,
  /** Its names for the models that callers ask for. */
  models: optional(Schema.Record(Schema.String, text)),
  /** Of `fallback`: tokens of input and output together. */
  contextWindow: optional(count),
  /** Of `fallback` and `continue`: whether it goes on from an assistant message at the end. */
  prefill: optional(flag),
  /** Of `balance`: its share; 0 is a last resort. */
  weight: optional(notNegative),
  /** Of `balance`: lower ones go first. */
  tier: optional(Schema.Finite),
  /** Of `balance`: for the strategies that go by price. */
  prices: optional(Prices)
})

/** @stability stable @category schemas @since 0.1.0 */
export const Candidates = Schema.Array(Schema.Union([text, Candidate])).check(
  Schema.isMinLength(1, { expected: "at least one candidate" })
)

/**
 * How broken streams of text go on; `true` is the standard.
 *
 * @stability stable
 * @category schemas
 * @since 0.1.0
 */
export const Continue = Schema.Struct({
  maxContinuations: optional(fromZero)
})

/**
 * One of those that a broken stream goes on with, in turn: the name of an instance or of another route, and what is said of it here.
 *
 * @stability stable
 * @category schemas
 * @since 0.1.0
 */
export const ContinueCandidate = Schema.Struct({
  name: text,
  models: optional(Schema.Record(Schema.String, text)),
  prefill: optional(flag)
})

/**
 * The same for a route, whose streams can go on with others than who broke off.
 *
 * @stability stable
 * @category schemas
 * @since 0.1.0
 */
export const ContinueRoute = Schema.Struct({
  maxContinuations: optional(fromZero),
  candidates: optional(
    Schema.Array(Schema.Union([text, ContinueCandidate])).check(
      Schema.isMinLength(1, { expected: "at least one candidate" })
    )
  )
})

/**
 * Whose answers are kept for whom, and how long.
 *
 * @stability stable
 * @category schemas
 * @since 0.1.0
 */
export const Cache = Schema.Struct({
  /** Who may share answers; a request that does not say is not cached. `all` is everybody. */
  partition: Key,
  ttl: optional(span),
  coalesce: optional(flag),
  maxWait: optional(span),
  /** Answers kept. */
  capacity: optional(count)
})

/**
 * Calls that run at once, and those that wait.
 *
 * @stability stable
 * @category schemas
 * @since 0.1.0
 */
export const Concurrency = Schema.Struct({
  permits: count,
  maxQueue: optional(fromZero),
  queueDeadline: optional(span),
  key: optional(Key)
})

/**
 * What calls may cost.
 *
 * @stability stable
 * @category schemas
 * @since 0.1.0
 */
export const Budget = Schema.Struct({
  limit: money,
  /** Other limits than `limit`, by the label, user, session, … that `scope` says. */
  limits: optional(Schema.Record(Schema.String, money)),
  scope: optional(Schema.Union([Schema.Literal("request"), Key])),
  window: optional(span),
  name: optional(text),
  prices: optional(Schema.Record(Schema.String, Prices)),
  expect: optional(fromZero),
  onExceeded: optional(Schema.Literals(["fail", "wait"])),
  maxWait: optional(span),
  unknownPrice: optional(Schema.Literals(["refuse", "allow"])),
  unscoped: optional(Schema.Literals(["refuse", "allow"])),
  keep: optional(span)
})

/**
 * What answers cost; `true` takes the catalogue's prices.
 *
 * @stability stable
 * @category schemas
 * @since 0.1.0
 */
export const Cost = Schema.Struct({
  prices: optional(Schema.Record(Schema.String, Prices))
})

/** The options, or `true` for the usual ones and `false` for none. @stability stable @category schemas @since 0.1.0 */
export const orTrue = <S extends Schema.Top>(schema: S) => optional(Schema.Union([schema, flag]))

/** What an instance and a route may both have. @stability stable @category schemas @since 0.1.0 */
export const stackFields = {
  /** Limits of one attempt. */
  timeouts: optional(Timeouts),
  rateLimit: optional(RateLimit),
  /** `false` never tries again. @default `Retry.standard` for an instance, none for a route */
  retry: orTrue(Retry),
  circuitBreaker: orTrue(CircuitBreaker),
  hedge: orTrue(Hedge),
  continue: orTrue(Continue),
  cache: optional(Cache),
  /** Most calls that run at once: a number of permits, or all options. */
  concurrency: optional(Schema.Union([count, Concurrency])),
  budget: optional(Budget),
  /** Limit of a whole call: retries, waits and fallback included. @default none */
  timeout: optional(span),
  cost: orTrue(Cost)
}

/**
 * The policies of a stack as the documentation recommends to order them, from the inside out.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export const policyNames = [
  "timeouts",
  "keyPool",
  "rateLimit",
  "retry",
  "circuitBreaker",
  "hedge",
  "continue",
  "cache",
  "concurrency",
  "budget",
  "timeout",
  "cost"
] as const

/**
 * Name of a policy in a stack.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export type PolicyName = typeof policyNames[number]
