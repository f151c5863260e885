// Every option of every policy in a file does what the policy says of it: each is observed with and without it.
import { assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { TestClock } from "effect/testing"
import { LlmConfig } from "../../src/index.ts"
import { type Call, happens, instanceOf, type Reply, type Run, type Sent } from "./world.ts"

interface Row {
  /** Where it stands in an instance or a route. */
  readonly option: string
  readonly value: unknown
  /** What stands there otherwise, if nothing cannot. */
  readonly otherwise?: unknown
  /** The rest of the stack. */
  readonly beside?: object
  readonly calls?: ReadonlyArray<Call>
  readonly answer?: (sent: Sent) => Reply
  readonly see: (run: Run) => unknown
  readonly expect: unknown
  readonly upTo?: number
}

const tags = ({ ended }: Run) => ended.map(({ tag }) => tag)
const endings = ({ ended }: Run) => ended.map(({ at, tag }) => `${tag} at ${at}`)
const times = ({ sent }: Run) => sent.map(({ at }) => at)
const hosts = ({ sent }: Run) => sent.map(({ host }) => host).join("")
const keys = ({ sent }: Run) => sent.map(({ key }) => key)
const requests = ({ sent }: Run) => sent.length

const user = (userId: string, at = 0): Call => ({ at, request: { scope: { userId } } })
const at = (...times: ReadonlyArray<number>): ReadonlyArray<Call> => times.map((at) => ({ at }))
const always = (reply: Reply) => () => reply
const onceThen = (first: Reply, then: Reply = {}) => ({ number }: Sent) => number === 1 ? first : then
const ofA = (reply: Reply) => ({ host }: Sent) => host === "a" ? reply : {}

const down: Reply = { status: 503 }
const limited: Reply = { status: 429 }
const limitedFor = (seconds: number): Reply => ({ status: 429, headers: { "retry-after": String(seconds) } })
const slow: Reply = { wait: Infinity }
const broken: Reply = { text: "The answer is", close: "break" }
/** Ten cents a token: an answer costs $1.50, and what is reserved for one of 5 tokens is $0.60. */
const prices = { "openai-compatible/m": { input: 100_000, output: 100_000 } }
const brief = { request: { maxTokens: 5 } }
const briefly = (...times: ReadonlyArray<number>): ReadonlyArray<Call> => times.map((at) => ({ at, ...brief }))
const brieflyBy = (userId: string, at: number): Call => ({ at, request: { maxTokens: 5, scope: { userId } } })

const ofInstances: ReadonlyArray<Row> = [
  // Time limits
  {
    option: "timeouts.connect",
    value: "3 seconds",
    calls: [{ stream: true }],
    answer: always(slow),
    see: endings,
    expect: ["Timeout at 3000"]
  },
  {
    option: "timeouts.firstToken",
    value: "4 seconds",
    calls: [{ stream: true }],
    answer: always({ text: "", close: "hang" }),
    see: endings,
    expect: ["Timeout at 4000"]
  },
  {
    option: "timeouts.firstByte",
    value: "5 seconds",
    answer: always({ close: "hang" }),
    see: endings,
    expect: ["Timeout at 5000"]
  },
  {
    option: "timeouts.idle",
    value: "6 seconds",
    calls: [{ stream: true }],
    answer: always({ close: "hang" }),
    see: endings,
    expect: ["Timeout at 6000"]
  },
  { option: "timeouts.total", value: "7 seconds", answer: always(slow), see: endings, expect: ["Timeout at 7000"] },
  {
    option: "timeout",
    value: "8 seconds",
    beside: { timeouts: { total: "3 seconds" }, retry: { base: "1 second", jitter: false } },
    answer: always(slow),
    see: endings,
    expect: ["Timeout at 8000"]
  },
  // Rate limits
  {
    option: "rateLimit.requestsPerMinute",
    value: 1,
    beside: { rateLimit: { maxWait: "1 milli" } },
    calls: at(0, 250),
    see: tags,
    expect: ["ok", "RateLimit"]
  },
  {
    option: "rateLimit.tokensPerMinute",
    value: 20,
    beside: { rateLimit: { maxWait: "1 milli" } },
    calls: at(0, 250).map((call) => ({ ...call, request: { maxTokens: 10 } })),
    see: tags,
    expect: ["ok", "RateLimit"]
  },
  {
    option: "rateLimit.inputTokensPerMinute",
    value: 12,
    beside: { rateLimit: { maxWait: "1 milli" } },
    calls: at(0, 250).map((call) => ({ ...call, request: { prompt: "word ".repeat(6) } })),
    see: tags,
    expect: ["ok", "RateLimit"]
  },
  {
    option: "rateLimit.outputTokensPerMinute",
    value: 10,
    beside: { rateLimit: { maxWait: "1 milli" } },
    calls: at(0, 250).map((call) => ({ ...call, request: { maxTokens: 8 } })),
    see: tags,
    expect: ["ok", "RateLimit"]
  },
  {
    option: "rateLimit.key",
    value: "user",
    beside: { rateLimit: { requestsPerMinute: 1, maxWait: "1 milli" } },
    calls: [user("u", 0), user("v", 250), user("u", 500)],
    see: tags,
    expect: ["ok", "ok", "RateLimit"]
  },
  {
    option: "rateLimit.maxWait",
    value: "2 minutes",
    beside: { rateLimit: { requestsPerMinute: 1 } },
    calls: at(0, 0),
    see: endings,
    expect: ["ok at 0", "ok at 60000"],
    upTo: 70_000
  },
  {
    option: "rateLimit.learn",
    value: false,
    beside: { rateLimit: { requestsPerMinute: 60, maxWait: "1 milli" } },
    calls: at(0, 250),
    answer: always({
      headers: {
        "x-ratelimit-limit-requests": "60",
        "x-ratelimit-remaining-requests": "0",
        "x-ratelimit-reset-requests": "50s"
      }
    }),
    see: tags,
    expect: ["ok", "ok"]
  },
  {
    option: "rateLimit.maxRetryAfter",
    value: "1 second",
    upTo: 25_000,
    beside: { rateLimit: { requestsPerMinute: 1000 } },
    calls: at(0, 2000),
    answer: onceThen(limitedFor(20)),
    see: endings,
    expect: ["RateLimit at 0", "ok at 2000"]
  },
  // Retry
  {
    option: "retry",
    value: true,
    otherwise: false,
    calls: at(0),
    answer: onceThen(down),
    see: requests,
    expect: 2
  },
  {
    option: "retry.retries",
    value: 1,
    beside: { retry: { jitter: false } },
    answer: always(down),
    see: requests,
    expect: 2
  },
  {
    option: "retry.base",
    value: "2 seconds",
    beside: { retry: { jitter: false, retries: 1 } },
    answer: always(down),
    see: times,
    expect: [0, 2000]
  },
  {
    option: "retry.factor",
    value: 3,
    beside: { retry: { jitter: false, retries: 2 } },
    answer: always(down),
    see: times,
    expect: [0, 1000, 4000]
  },
  {
    option: "retry.cap",
    value: "1500 millis",
    beside: { retry: { jitter: false, retries: 2 } },
    answer: always(down),
    see: times,
    expect: [0, 1000, 2500]
  },
  {
    option: "retry.floor",
    value: "3 seconds",
    beside: { retry: { jitter: false, retries: 1 } },
    answer: always(down),
    see: times,
    expect: [0, 3000]
  },
  {
    option: "retry.jitter",
    value: false,
    beside: { retry: { retries: 2 } },
    answer: always(down),
    see: times,
    expect: [0, 1000, 3000]
  },
  {
    option: "retry.retryOn",
    value: ["RateLimit"],
    beside: { retry: {} },
    answer: always(down),
    see: requests,
    expect: 1
  },
  // Keys
  {
    option: "keyPool.keys.apiKeyEnv",
    value: [{ apiKeyEnv: "K1" }, { apiKeyEnv: "K2" }],
    otherwise: [{ apiKeyEnv: "K1" }],
    calls: at(0, 250),
    see: keys,
    expect: ["one", "two"]
  },
  {
    option: "keyPool.keys.apiKeyFile",
    value: [{ apiKeyFile: "/keys/three" }],
    otherwise: [{ apiKeyEnv: "K1" }],
    see: keys,
    expect: ["three"]
  },
  {
    option: "keyPool.keys.weight",
    value: [{ apiKeyEnv: "K1", weight: 2 }, { apiKeyEnv: "K2" }],
    otherwise: [{ apiKeyEnv: "K1" }, { apiKeyEnv: "K2" }],
    calls: at(0, 250, 500, 750),
    see: keys,
    expect: ["one", "two", "one", "one"]
  },
  {
    option: "keyPool.bench",
    value: "5 seconds",
    beside: { keyPool: { keys: [{ apiKeyEnv: "K1" }] } },
    calls: at(0, 6000),
    answer: onceThen(limited),
    see: tags,
    expect: ["RateLimit", "ok"]
  },
  {
    option: "keyPool.maxRetryAfter",
    value: "5 seconds",
    beside: { keyPool: { keys: [{ apiKeyEnv: "K1" }] } },
    calls: at(0, 6000),
    answer: onceThen(limitedFor(20)),
    see: tags,
    expect: ["RateLimit", "ok"]
  },
  {
    option: "keyPool.key",
    value: "user",
    beside: { keyPool: { keys: [{ apiKeyEnv: "K1" }] } },
    calls: [user("u"), user("v", 250)],
    answer: onceThen(limited),
    see: tags,
    expect: ["RateLimit", "ok"]
  },
  // Circuit
  {
    option: "circuitBreaker",
    value: true,
    calls: at(0, 250, 500, 750, 1000, 1250),
    answer: always(down),
    see: requests,
    expect: 5
  },
  {
    option: "circuitBreaker.failures",
    value: 1,
    beside: { circuitBreaker: {} },
    calls: at(0, 250),
    answer: always(down),
    see: tags,
    expect: ["Overloaded", "CircuitBreakerOpen"]
  },
  {
    option: "circuitBreaker.rate.threshold",
    value: 1,
    beside: { circuitBreaker: { rate: { window: 2 } } },
    calls: at(0, 250, 500),
    answer: onceThen(down),
    see: tags,
    expect: ["Overloaded", "ok", "ok"]
  },
  {
    option: "circuitBreaker.rate.window",
    value: 2,
    beside: { circuitBreaker: { rate: {} } },
    calls: at(0, 250, 500),
    answer: always(down),
    see: requests,
    expect: 2
  },
  {
    option: "circuitBreaker.rate.minimumCalls",
    value: 1,
    beside: { circuitBreaker: { rate: {} } },
    calls: at(0, 250),
    answer: always(down),
    see: requests,
    expect: 1
  },
  {
    option: "circuitBreaker.openFor",
    value: "2 seconds",
    beside: { circuitBreaker: { failures: 1 } },
    calls: at(0, 2500),
    answer: onceThen(down),
    see: tags,
    expect: ["Overloaded", "ok"]
  },
  {
    option: "circuitBreaker.maxOpenFor",
    value: "5 seconds",
    beside: { circuitBreaker: { failures: 1 } },
    calls: at(0, 5250, 10_500),
    answer: ({ number }) => number < 3 ? down : {},
    see: tags,
    expect: ["Overloaded", "Overloaded", "ok"]
  },
  {
    option: "circuitBreaker.maxRetryAfter",
    value: "1 second",
    beside: { circuitBreaker: { failures: 1 } },
    calls: at(0, 2000),
    answer: onceThen(limitedFor(20)),
    see: tags,
    expect: ["RateLimit", "ok"]
  },
  {
    option: "circuitBreaker.key",
    value: "user",
    beside: { circuitBreaker: { failures: 1 } },
    calls: [user("u"), user("v", 250)],
    answer: onceThen(down),
    see: tags,
    expect: ["Overloaded", "ok"]
  },
  // Hedge
  {
    option: "hedge",
    value: true,
    calls: [...at(...Array.from({ length: 20 }, (_, i) => i * 250)), { at: 10_000 }],
    answer: ({ number }) => number === 21 ? slow : {},
    see: requests,
    expect: 22
  },
  {
    option: "hedge.after",
    value: "2 seconds",
    beside: { hedge: {} },
    answer: onceThen(slow),
    see: times,
    expect: [0, 2000]
  },
  {
    option: "hedge.initial",
    value: "3 seconds",
    beside: { hedge: {} },
    answer: onceThen(slow),
    see: times,
    expect: [0, 3000]
  },
  {
    option: "hedge.samples",
    value: 1,
    beside: { hedge: {} },
    calls: at(0, 5000),
    answer: ({ number }) => number === 1 ? { wait: 1000 } : number === 2 ? slow : {},
    see: times,
    expect: [0, 5000, 6000]
  },
  {
    option: "hedge.key",
    value: "user",
    beside: { hedge: { samples: 1 } },
    calls: [user("u"), user("v", 5000)],
    answer: ({ number }) => number === 1 ? { wait: 1000 } : number === 2 ? slow : {},
    see: times,
    expect: [0, 5000]
  },
  // Streams that go on
  {
    option: "continue",
    value: true,
    calls: [{ stream: true }],
    answer: onceThen(broken),
    see: tags,
    expect: ["ok"]
  },
  {
    option: "continue.maxContinuations",
    value: 1,
    beside: { continue: {} },
    calls: [{ stream: true }],
    answer: always(broken),
    see: requests,
    expect: 2
  },
  // Cache
  {
    option: "cache.partition",
    value: "user",
    otherwise: "all",
    calls: [user("u"), user("v", 250), user("u", 500), { at: 750 }, { at: 1000 }],
    see: requests,
    expect: 4
  },
  {
    option: "cache.ttl",
    value: "5 seconds",
    beside: { cache: { partition: "all" } },
    calls: at(0, 6000),
    see: requests,
    expect: 2
  },
  {
    option: "cache.coalesce",
    value: false,
    beside: { cache: { partition: "all" } },
    calls: at(0, 250),
    answer: always({ wait: 1000 }),
    see: requests,
    expect: 2
  },
  {
    option: "cache.maxWait",
    value: "2 seconds",
    beside: { cache: { partition: "all" } },
    calls: at(0, 250),
    answer: onceThen({ wait: 10_000 }),
    see: times,
    expect: [0, 2250]
  },
  {
    option: "cache.capacity",
    value: 1,
    beside: { cache: { partition: "all" } },
    calls: ["p", "q", "p"].map((prompt, i) => ({ at: i * 250, request: { prompt } })),
    see: requests,
    expect: 3
  },
  // Concurrency
  { option: "concurrency", value: 1, calls: at(0, 0), answer: always({ wait: 1000 }), see: times, expect: [0, 1000] },
  {
    option: "concurrency.permits",
    value: 1,
    otherwise: 2,
    calls: at(0, 0),
    answer: always({ wait: 1000 }),
    see: times,
    expect: [0, 1000]
  },
  {
    option: "concurrency.maxQueue",
    value: 0,
    beside: { concurrency: { permits: 1 } },
    calls: at(0, 250),
    answer: always({ wait: 1000 }),
    see: tags,
    expect: ["ok", "QueueFull"]
  },
  {
    option: "concurrency.queueDeadline",
    value: "500 millis",
    beside: { concurrency: { permits: 1 } },
    calls: at(0, 250),
    answer: always({ wait: 1000 }),
    see: endings,
    expect: ["ok at 1000", "QueueFull at 750"]
  },
  {
    option: "concurrency.key",
    value: "user",
    beside: { concurrency: { permits: 1 } },
    calls: [user("u"), user("v")],
    answer: always({ wait: 1000 }),
    see: times,
    expect: [0, 0]
  },
  // Budget
  {
    option: "budget.limit",
    value: "$2",
    otherwise: 100,
    beside: { budget: { prices } },
    calls: briefly(0, 250),
    see: tags,
    expect: ["ok", "BudgetExceeded"]
  },
  {
    option: "budget.limits",
    value: { u: "100 USD" },
    beside: { budget: { prices, limit: 2, scope: "user" } },
    calls: [brieflyBy("u", 0), brieflyBy("u", 250), brieflyBy("v", 500), brieflyBy("v", 750)],
    see: tags,
    expect: ["ok", "ok", "ok", "BudgetExceeded"]
  },
  {
    option: "budget.scope",
    value: "user",
    beside: { budget: { prices, limit: 2 } },
    calls: [brieflyBy("u", 0), brieflyBy("v", 250)],
    see: tags,
    expect: ["ok", "ok"]
  },
  {
    option: "budget.window",
    value: "1 minute",
    beside: { budget: { prices, limit: 2 } },
    calls: briefly(0, 250, 61_000),
    see: tags,
    expect: ["ok", "BudgetExceeded", "ok"],
    upTo: 62_000
  },
  {
    option: "budget.name",
    value: "monthly",
    beside: { budget: { prices, limit: 2 } },
    calls: briefly(0),
    see: ({ budgets }) => budgets,
    expect: ["monthly"]
  },
  {
    option: "budget.prices",
    value: prices,
    beside: { budget: { limit: 2 } },
    calls: briefly(0),
    see: tags,
    expect: ["ok"]
  },
  {
    option: "budget.expect",
    value: 1,
    beside: { budget: { prices, limit: 50 } },
    see: tags,
    expect: ["ok"]
  },
  {
    option: "budget.onExceeded",
    value: "wait",
    beside: { budget: { prices, limit: 1 } },
    calls: briefly(0, 0),
    answer: always({ wait: 1000, usage: { input: 1, output: 1 } }),
    see: tags,
    expect: ["ok", "ok"]
  },
  {
    option: "budget.maxWait",
    value: "500 millis",
    beside: { budget: { prices, limit: 1, onExceeded: "wait" } },
    calls: briefly(0, 0),
    answer: always({ wait: 1000, usage: { input: 1, output: 1 } }),
    see: endings,
    expect: ["ok at 1000", "BudgetExceeded at 500"]
  },
  { option: "budget.unknownPrice", value: "allow", beside: { budget: { limit: 2 } }, see: tags, expect: ["ok"] },
  {
    option: "budget.unscoped",
    value: "allow",
    beside: { budget: { prices, limit: 2, scope: "user" } },
    calls: briefly(0),
    see: tags,
    expect: ["ok"]
  },
  {
    option: "budget.keep",
    value: "10 seconds",
    beside: { budget: { prices, limit: 2 } },
    calls: briefly(0, 11_000),
    see: tags,
    expect: ["ok", "ok"]
  },
  // Cost
  {
    option: "cost.prices",
    value: prices,
    beside: { cost: {} },
    see: ({ ended }) => ended[0]?.cost,
    expect: 1.5
  },
  // Orders and fallbacks
  {
    option: "order",
    value: ["concurrency", "retry"],
    beside: { concurrency: 1, retry: { jitter: false, retries: 1 } },
    calls: at(0, 250),
    answer: always(down),
    see: times,
    expect: [0, 250, 1000, 1250]
  },
  { option: "fallback", value: ["b"], answer: ofA(down), see: hosts, expect: "ab" },
  { option: "label", value: "mine", see: ({ ended }) => ended[0]?.label, expect: "mine" },
  { option: "apiKeyFile", value: "/keys/three", see: keys, expect: ["three"] }
]

const permission: Reply = { status: 403 }

const ofRoutes: ReadonlyArray<Row> = [
  {
    option: "fallback.on",
    value: { PermissionDenied: "next" },
    beside: { candidates: ["a", "b"] },
    answer: ofA(permission),
    see: hosts,
    expect: "ab"
  },
  {
    option: "fallback.benchAfter",
    value: 1,
    beside: { candidates: ["a", "b"] },
    calls: at(0, 250),
    answer: ofA(limited),
    see: hosts,
    expect: "abb"
  },
  {
    option: "fallback.benchAfter",
    value: "never",
    beside: { candidates: ["a", "b"] },
    calls: at(0, 250, 500, 750),
    answer: ofA(limited),
    see: hosts,
    expect: "abababab"
  },
  {
    option: "fallback.benchFor",
    value: "2 seconds",
    beside: { candidates: ["a", "b"], fallback: { benchAfter: 1 } },
    calls: at(0, 3000),
    answer: ofA(limited),
    see: hosts,
    expect: "abab"
  },
  {
    option: "fallback.key",
    value: "user",
    beside: { candidates: ["a", "b"], fallback: { benchAfter: 1 } },
    calls: [user("u"), user("v", 250)],
    answer: ofA(limited),
    see: hosts,
    expect: "abab"
  },
  {
    option: "balance.strategy",
    value: "round-robin",
    beside: { candidates: ["a", { name: "b", weight: 0 }], balance: {} },
    calls: at(0, 250, 500),
    see: hosts,
    expect: "aba"
  },
  {
    option: "balance",
    value: true,
    beside: { candidates: [{ name: "a" }, "b"] },
    answer: ({ host }) => ({ ...(host === "a" ? { wait: 0 } : {}) }),
    // What chooses at random asks both sooner or later; in order it is always the first.
    calls: at(...Array.from({ length: 40 }, (_, i) => i * 250)),
    see: (run) => new Set(hosts(run)).size,
    expect: 2
  },
  {
    option: "balance.stickyBy",
    value: "user",
    beside: { candidates: ["a", "b"], balance: { strategy: "round-robin" } },
    calls: [user("u"), user("u", 250), user("u", 500)],
    see: (run) => new Set(hosts(run)).size,
    expect: 1
  },
  {
    option: "balance.on",
    value: { PermissionDenied: "next" },
    beside: { candidates: ["a", "b"], balance: { strategy: "round-robin" } },
    answer: ofA(permission),
    see: hosts,
    expect: "ab"
  },
  {
    option: "balance.benchFor",
    value: "2 seconds",
    beside: { candidates: ["a", "b"], balance: { strategy: "round-robin" } },
    calls: at(0, 250, 3000),
    answer: ofA(limited),
    see: hosts,
    expect: "abbab"
  },
  {
    option: "balance.key",
    value: "user",
    beside: { candidates: ["a", "b"], balance: { strategy: "round-robin" } },
    calls: [user("u"), user("u", 250), user("v", 500)],
    answer: ofA(limited),
    see: hosts,
    expect: "abbab"
  },
  {
    option: "balance.smoothing",
    value: 1,
    beside: { candidates: ["a", "b"], balance: { strategy: "lowest-latency" } },
    calls: at(0, 5000, 10_000, 15_000),
    answer: ({ host, ofHost }) => ({ wait: host === "a" ? 1000 : ofHost === 1 ? 500 : 1750 }),
    see: hosts,
    expect: "abba"
  },
  {
    option: "hedge.after",
    value: "2 seconds",
    beside: { candidates: ["a", "b"], hedge: {} },
    answer: ofA(slow),
    see: hosts,
    expect: "ab"
  },
  {
    option: "candidates.models",
    value: ["a", { name: "b", models: { gpt: "mb" } }],
    otherwise: ["a", "b"],
    calls: [{ request: { model: "gpt" } }],
    answer: ofA(down),
    see: ({ sent }) => sent.map(({ model }) => model),
    expect: ["gpt", "mb"]
  },
  {
    option: "candidates.contextWindow",
    value: ["a", { name: "b", contextWindow: 1_000_000 }],
    otherwise: ["a", "b"],
    answer: ofA({ status: 400, body: { error: { code: "context_length_exceeded", message: "too long" } } }),
    see: hosts,
    expect: "ab"
  },
  {
    option: "candidates.prefill",
    value: ["a", { name: "b", prefill: false }],
    otherwise: ["a", { name: "b", prefill: true }],
    calls: [{
      request: {
        prompt: undefined,
        messages: [{ role: "user", content: "Count." }, { role: "assistant", content: "One," }]
      } as object
    }],
    answer: ofA(down),
    see: ({ sent }) => sent.at(-1)?.body.messages.at(-1)?.role,
    expect: "user"
  },
  {
    option: "candidates.weight",
    value: [{ name: "a", weight: 0 }, "b"],
    otherwise: ["a", { name: "b", weight: 0 }],
    beside: { balance: true },
    calls: at(0, 250, 500),
    see: hosts,
    expect: "bbb"
  },
  {
    option: "candidates.tier",
    value: [{ name: "a", tier: 1 }, "b"],
    otherwise: ["a", "b"],
    beside: { balance: { strategy: "round-robin" } },
    calls: at(0, 250, 500),
    see: hosts,
    expect: "bbb"
  },
  {
    option: "candidates.prices",
    value: [{ name: "a", prices: { input: 2, output: 2 } }, { name: "b", prices: { input: 1, output: 1 } }],
    otherwise: ["a", "b"],
    beside: { balance: { strategy: "cheapest" } },
    see: hosts,
    expect: "b"
  },
  {
    option: "candidates.name",
    value: [{ name: "b" }],
    otherwise: [{ name: "a" }],
    see: hosts,
    expect: "b"
  },
  {
    option: "continue.candidates",
    value: ["b"],
    beside: { candidates: ["a"], continue: {} },
    calls: [{ stream: true }],
    answer: ({ host }) => host === "a" ? broken : {},
    see: hosts,
    expect: "ab"
  },
  {
    option: "continue.candidates.name",
    value: [{ name: "b" }],
    otherwise: [{ name: "a" }],
    calls: [{ stream: true }],
    answer: ofA(broken),
    see: hosts,
    expect: "ab"
  },
  {
    option: "continue.candidates.models",
    value: [{ name: "b", models: { gpt: "mb" } }],
    otherwise: ["b"],
    calls: [{ stream: true, request: { model: "gpt" } }],
    answer: ofA(broken),
    see: ({ sent }) => sent.map(({ model }) => model),
    expect: ["gpt", "mb"]
  },
  {
    option: "continue.candidates.prefill",
    value: [{ name: "b", prefill: true }],
    otherwise: ["b"],
    calls: [{ stream: true }],
    answer: ofA(broken),
    see: ({ sent }) => sent[1]?.body.messages.at(-1)?.role,
    expect: "assistant"
  },
  {
    option: "continue.maxContinuations",
    value: 1,
    beside: { candidates: ["a", "b"], continue: {} },
    calls: [{ stream: true }],
    answer: always(broken),
    see: requests,
    expect: 2
  },
  {
    option: "order",
    value: ["budget", "concurrency"],
    beside: { candidates: ["a"], concurrency: 1, budget: { prices, limit: 2 } },
    calls: briefly(0, 0, 0),
    answer: always({ wait: 1000 }),
    see: endings,
    // The budget is inside: who waits for a permit has reserved nothing yet.
    expect: ["ok at 1000", "BudgetExceeded at 1000", "BudgetExceeded at 1000"]
  },
  {
    option: "timeout",
    value: "8 seconds",
    beside: { candidates: ["a", "b"] },
    answer: always(slow),
    see: endings,
    expect: ["Timeout at 8000"]
  },
  {
    option: "concurrency",
    value: 1,
    beside: { candidates: ["a", "b"] },
    calls: at(0, 0),
    answer: always({ wait: 1000 }),
    see: times,
    expect: [0, 1000]
  },
  {
    option: "budget.limit",
    value: 2,
    otherwise: 100,
    beside: { candidates: ["a", "b"], budget: { prices } },
    calls: briefly(0, 250),
    see: tags,
    expect: ["ok", "BudgetExceeded"]
  },
  {
    option: "cache.partition",
    value: "all",
    otherwise: "user",
    beside: { candidates: ["a", "b"] },
    calls: at(0, 250),
    see: requests,
    expect: 1
  },
  {
    option: "retry.retries",
    value: 1,
    beside: { candidates: ["a", "b"], retry: { jitter: false } },
    answer: always(down),
    see: hosts,
    expect: "abab"
  },
  {
    option: "circuitBreaker.failures",
    value: 1,
    beside: { candidates: ["a"], circuitBreaker: {} },
    calls: at(0, 250),
    answer: always(down),
    see: requests,
    expect: 1
  },
  {
    option: "rateLimit.requestsPerMinute",
    value: 1,
    beside: { candidates: ["a"], rateLimit: { maxWait: "1 milli" } },
    calls: at(0, 250),
    see: tags,
    expect: ["ok", "RateLimit"]
  },
  {
    option: "timeouts.total",
    value: "7 seconds",
    beside: { candidates: ["a"] },
    answer: always(slow),
    see: endings,
    expect: ["Timeout at 7000"]
  },
  {
    option: "cost.prices",
    value: prices,
    beside: { candidates: ["a"], cost: {} },
    see: ({ ended }) => ended[0]?.cost,
    expect: 1.5
  }
]

/** A stack in which a value stands at a path; the names of entries of a list are no steps. */
const withValue = (stack: object, path: ReadonlyArray<string>, value: unknown): object => {
  const [first, ...rest] = path as [string, ...Array<string>]
  if (value === undefined) return stack
  const inner = (stack as { readonly [name: string]: unknown })[first]
  const isList = Array.isArray(value) && (first === "candidates" || first === "keys")
  return {
    ...stack,
    [first]: rest.length === 0 || isList ? value : withValue(typeof inner === "object" ? inner! : {}, rest, value)
  }
}

const configOf = (kind: "instances" | "routes", row: Row, value: unknown) => {
  const stack = withValue(row.beside ?? {}, row.option.split("."), value)
  const plain = { a: instanceOf("a"), b: instanceOf("b") }
  return kind === "instances"
    ? { default: "a", instances: { ...plain, a: instanceOf("a", stack) } }
    : { default: "chosen", instances: plain, routes: { chosen: { candidates: ["a"], ...stack } } }
}

// Modules that are loaded with the first call take real time, while that of the tests runs on.
beforeAll(() =>
  Effect.runPromise(
    happens({ default: "a", instances: { a: instanceOf("a") } }, [{}, { stream: true }]).pipe(
      Effect.provide(TestClock.layer())
    )
  )
)

for (const [kind, rows] of [["instances", ofInstances], ["routes", ofRoutes]] as const) {
  describe(`an option of ${kind} does what it says:`, () => {
    for (const row of rows) {
      it.effect(`${row.option} = ${JSON.stringify(row.value)}`, () =>
        Effect.gen(function*() {
          const look = (value: unknown) =>
            Effect.map(
              happens(configOf(kind, row, value), row.calls ?? [{}], row.answer, row.upTo),
              row.see
            )
          assert.deepStrictEqual(yield* look(row.value), row.expect)
          assert.notDeepEqual(yield* look(row.otherwise), row.expect)
        }))
    }
  })
}

describe("the table", () => {
  type JsonSchema = {
    readonly properties?: { readonly [name: string]: JsonSchema }
    readonly anyOf?: ReadonlyArray<JsonSchema>
    readonly items?: JsonSchema
    readonly additionalProperties?: JsonSchema | boolean
  }
  /** Whole values of their own, which other tests observe. */
  const whole = new Set(["on", "prices", "limits", "models", "defaults", "headers", "options"])
  const pathsOf = (schema: JsonSchema, path: string): ReadonlyArray<string> => {
    const inner = [schema, ...schema.anyOf ?? []].flatMap((
      each
    ) => [each, ...each.items === undefined ? [] : [each.items]])
      .flatMap((each) => [each, ...each.anyOf ?? []])
      .flatMap((each) => Object.entries(each.properties ?? {}))
    return inner.length === 0 || whole.has(path.split(".").at(-1)!)
      ? [path]
      : inner.flatMap(([name, each]) => pathsOf(each, `${path}.${name}`))
  }
  const tables = (LlmConfig.jsonSchema() as JsonSchema).properties!
  const known = (kind: "instances" | "routes") =>
    Object.entries((tables[kind]!.additionalProperties as JsonSchema).properties!)
      .flatMap(([name, schema]) => pathsOf(schema, name))
  /** What is no policy, and observed in llm-config.test.ts. */
  const elsewhere = /^(provider|model|baseUrl|apiKeyEnv|headers|defaults|options)$/

  it("has a row for every option that a file can have", () => {
    const rows = new Set([...ofInstances, ...ofRoutes].map(({ option }) => option))
    const missing = new Set(
      [...known("instances"), ...known("routes")].filter((path) => !rows.has(path) && !elsewhere.test(path))
    )
    assert.deepStrictEqual([...missing], [])
  })
})
