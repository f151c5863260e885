/**
 * What the `[gateway]` table of a configuration holds, as schemas, and what is wrong with one beyond its shape.
 *
 * Public through `Gateway`, which re-exports the schemas. Keys of clients never stand in it: their SHA-256 does, or the name of the
 * environment variable that holds one.
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Problems from "../config/problems.ts"
import { Instance, type LlmConfig, RateLimit } from "../config/schema.ts"

const optional = Schema.optional
const span = Instance.fields.timeout
const count = RateLimit.fields.requestsPerMinute
const text = Schema.String.check(Schema.isNonEmpty({ expected: "a text that is not empty" }))
const amount = Schema.Finite.check(Schema.isGreaterThanOrEqualTo(0, { expected: "a number from 0" }))

const pattern = Schema.String.check(
  Schema.isPattern(/^(?=.)[^*]{0,256}(?:\*[^*]{0,256})?$/, { expected: "a name, or a pattern with one *" })
)

/**
 * Which models of clients lead where.
 *
 * @stability experimental
 * @category schemas
 * @since 0.1.0
 */
export const Route = Schema.Struct({
  /** The model as clients name it, or a pattern: one `*` stands for any text. */
  model: pattern,
  /** Name of the instance that answers, with its policies. */
  to: text,
  /** The model that is asked there; a `*` in it is what the `*` of the pattern stood for. @default the instance's own */
  as: optional(pattern),
  /** What becomes of a streamed call whose client hangs up: it is stopped at once, or goes on to its end. @default "cancel" */
  onDisconnect: optional(Schema.Literals(["cancel", "continue"])),
  /**
   * Whose credential the instance is asked with: its own, or the one that the client sends where its wire has one, which goes to
   * that instance's company alone. Virtual keys then come in the header `x-effect-llm-key`. @default "gateway"
   */
  credentials: optional(Schema.Literals(["gateway", "client"])),
  /** Refuses requests of which something would be left out. @default that of the gateway */
  strict: optional(Schema.Boolean),
  /** Limit of a whole call. @default that of the gateway */
  timeout: span
})

/**
 * A route, decoded.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export type Route = typeof Route.Type

/**
 * What a key may spend.
 *
 * @stability experimental
 * @category schemas
 * @since 0.1.0
 */
export const KeyBudget = Schema.Struct({
  /** US dollars. */
  limit: amount,
  /** The budget begins anew in every such window, counted from midnight UTC. @default one window for ever */
  window: span,
  /** What becomes of calls whose price is not known. @default "refuse" */
  unknownPrice: optional(Schema.Literals(["refuse", "allow"]))
})

const hash = Schema.String.check(
  Schema.isPattern(/^sha256:[0-9a-f]{64}$/, { expected: "sha256: and 64 hexadecimal digits" })
)

const moment = Schema.String.check(
  Schema.makeFilter((given: string) => !Number.isNaN(Date.parse(given)) || "a date such as \"2027-01-31T00:00:00Z\"")
)

/**
 * A key that the gateway gives to a client.
 *
 * @stability experimental
 * @category schemas
 * @since 0.1.0
 */
export const Key = Schema.Struct({
  /** Tells keys apart in metrics and logs. */
  name: Schema.String.check(
    Schema.isPattern(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, { expected: "a name of letters, digits, dots and dashes" })
  ),
  /** `sha256:` and the SHA-256 of the key in hexadecimal, as `effect-llm key` prints it. */
  hash: optional(hash),
  /** Environment variable that holds the key, in place of its hash. */
  env: Instance.fields.apiKeyEnv,
  /** Names and patterns of models that it may ask. @default all */
  routes: optional(Schema.Array(pattern)),
  budget: optional(KeyBudget),
  rateLimit: optional(RateLimit),
  /** Its calls are served first by queues, higher before lower. @default 0 */
  priority: optional(Schema.Finite),
  /** From when on it is refused. @default never */
  expires: optional(moment),
  /** Whether it may read `/metrics` and the inspector, which tell of all keys together. @default false */
  admin: optional(Schema.Boolean)
})

/**
 * A key, decoded.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export type Key = typeof Key.Type

/**
 * What a gateway takes on.
 *
 * @stability experimental
 * @category schemas
 * @since 0.1.0
 */
export const Limits = Schema.Struct({
  /** Bytes of a request's body. @default 33554432 (32 MiB, as the Messages API has it) */
  bodyBytes: count,
  /** Until the body of a request has come. @default 30 seconds */
  bodyTimeout: span,
  /** Of a whole call, from its request to the end of its answer. @default none but those of the instances */
  callTimeout: span,
  /** Calls that run at once; more are told to come again. @default 2000 */
  calls: count,
  /** Connections that are open at once; of the program only. @default 4096 */
  connections: count,
  /** Silence of a stream after which a sign of life is sent. @default 15 seconds */
  heartbeat: span,
  /** How long a stream waits for its first content before its headers are sent; after that a failure is an event of the stream. @default 60 seconds */
  firstContent: span,
  /** How long a client may take nothing of its stream before the call is stopped. @default 2 minutes */
  stall: span,
  /** How long calls may go on after SIGTERM; of the program only. @default 30 seconds */
  drain: span,
  /** Answers of the Responses API that are kept for `previous_response_id`, the oldest going first. @default 1000 */
  storedResponses: Schema.optional(Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))),
  /** Bytes that they may have together. @default 67108864 (64 MiB) */
  storedBytes: count,
  /** How long they are kept. @default 1 hour */
  storedFor: span
})

/**
 * A gateway.
 *
 * @stability experimental
 * @category schemas
 * @since 0.1.0
 */
export const GatewayConfig = Schema.Struct({
  /** Address that the program listens on. @default "127.0.0.1" */
  host: optional(text),
  /** Port that the program listens on; 0 takes a free one. @default 4141 */
  port: optional(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 65535 }))),
  /** Refuses requests of which something would be left out on their way. @default false: a header tells */
  strict: optional(Schema.Boolean),
  /** Names by which clients may reach it, beside those of the loopback; `*` is any. @default any with keys, none without */
  hosts: optional(Schema.Array(text)),
  /** Origins of web pages that may use it; `*` is any. @default none */
  origins: optional(Schema.Array(text)),
  /** Whether `/metrics` is served: to anybody without keys, to keys with `admin` where there are some. @default true */
  metrics: optional(Schema.Boolean),
  /**
   * Whether `/inspector`, a page of the last 500 calls, is served: to this machine alone, and where there are keys to those with `admin`.
   * `"content"` keeps and shows what is said in them as well. @default false
   */
  inspector: optional(Schema.Union([Schema.Boolean, Schema.Literal("content")])),
  limits: optional(Limits),
  /** Asked in order, names before patterns. Names of instances and `provider/model` are routes without being listed. */
  routes: optional(Schema.Array(Route)),
  /** Without keys anybody who reaches the gateway may use it. */
  keys: optional(Schema.Array(Key))
})

/**
 * A gateway's configuration, decoded.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export type GatewayConfig = typeof GatewayConfig.Type

const decodeShape = Schema.decodeUnknownResult(GatewayConfig, { onExcessProperty: "error", errors: "all" })

/**
 * A `[gateway]` table that has the right shape, whatever else may be wrong with it.
 *
 * @stability experimental
 * @category constructors
 * @since 0.1.0
 */
export const shapeOf = (value: unknown): GatewayConfig | undefined =>
  Result.getOrElse(decodeShape(value), () => undefined)

const loopback: ReadonlySet<string> = new Set(["127.0.0.1", "localhost", "::1", "[::1]"])

/**
 * Whether an address is reached from this machine alone.
 *
 * @stability experimental
 * @category guards
 * @since 0.1.0
 */
export const isLoopback = (host: string): boolean => loopback.has(host) || /^127(?:\.\d{1,3}){3}$/.test(host)

/** A place and what is wrong there. */
type Problem = Parameters<typeof Problems.error>[0][number]

/**
 * Names that routes can lead to: instances, and named chains where the configuration has such.
 *
 * @stability experimental
 * @category accessors
 * @since 0.1.0
 */
export const targetsOf = (
  { instances, routes = {} }: Pick<LlmConfig, "instances" | "routes">
): ReadonlyArray<string> => [
  ...Object.keys(instances),
  ...Object.keys(routes)
]

const furtherProblems = (config: GatewayConfig, names: ReadonlyArray<string> | undefined): ReadonlyArray<Problem> => {
  const problems: Array<Problem> = []
  const add = (message: string, ...path: ReadonlyArray<PropertyKey>) =>
    problems.push({ path: ["gateway", ...path], message })
  for (const [index, route] of (config.routes ?? []).entries()) {
    if (names !== undefined && !names.includes(route.to)) {
      add(
        `There is no instance ${Problems.quoted(route.to)}. ${Problems.unknownName(route.to, names)}`,
        "routes",
        index,
        "to"
      )
    }
    if (route.as?.includes("*") === true && !route.model.includes("*")) {
      add("Has a * although the model of the route has none.", "routes", index, "as")
    }
    if (config.routes!.findIndex((other) => other.model === route.model) < index) {
      add("Is there twice: the first one counts.", "routes", index, "model")
    }
  }
  const seen = new Set<string>()
  for (const [index, key] of (config.keys ?? []).entries()) {
    if ((key.hash === undefined) === (key.env === undefined)) add("Give either hash or env.", "keys", index)
    if (seen.has(key.name)) add("Is there twice.", "keys", index, "name")
    seen.add(key.name)
  }
  if (config.host !== undefined && !isLoopback(config.host) && (config.keys ?? []).length === 0) {
    add("Others can reach this address, and there are no keys: add some under [[gateway.keys]].", "host")
  }
  return problems
}

/** Problems as sentences that name their place. */
const sentencesOf = (problems: ReadonlyArray<Problem>): ReadonlyArray<string> =>
  problems.map((problem) => Problems.error([problem]).reason.message)

/**
 * What is wrong with a gateway beyond its shape, one sentence each.
 *
 * @stability experimental
 * @category validation
 * @since 0.1.0
 */
export const problemsOf = (config: GatewayConfig, names: ReadonlyArray<string>): ReadonlyArray<string> =>
  sentencesOf(furtherProblems(config, names))

/**
 * Reads a `[gateway]` table; what routes lead to is looked up where the names are known.
 *
 * @stability experimental
 * @category constructors
 * @since 0.1.0
 */
export const decode = (
  value: unknown,
  names?: ReadonlyArray<string>
): Result.Result<GatewayConfig, ReadonlyArray<Problem>> => {
  const decoded = decodeShape(value ?? {})
  if (Result.isFailure(decoded)) return Result.fail(Problems.ofIssue(decoded.failure.issue, value, ["gateway"]))
  const problems = furtherProblems(decoded.success, names)
  return problems.length === 0 ? Result.succeed(decoded.success) : Result.fail(problems)
}
