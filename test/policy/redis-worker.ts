/**
 * One process of several that share state over Redis: reads commands, a JSON object per line, and answers each with a line.
 *
 *     node redis-worker.ts breaker|limit|budget|cache URL PREFIX
 *     {"do":"call","times":3}  ->  {"outcomes":["ok","ok","RateLimit"],"retryAfter":2000,"sent":2,"hits":0}
 *
 * Time stands still in here until a command lets it pass, so that no test depends on how fast a machine is. Redis keeps its own
 * time; what is to lapse there is long, and is made older by `RedisTime`.
 */
import * as NodeRedis from "@effect/platform-node/NodeRedis"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Duration, Effect, Fiber, Stream } from "effect"
import { TestClock } from "effect/testing"
import { createInterface } from "node:readline"
import { LlmResponse } from "../../src/LlmResponse.ts"
import * as Budget from "../../src/policy/Budget.ts"
import * as Cache from "../../src/policy/Cache.ts"
import * as CircuitBreaker from "../../src/policy/CircuitBreaker.ts"
import * as RateLimit from "../../src/policy/RateLimit.ts"
import * as TestLlm from "../../src/testing/TestLlm.ts"

/** Calls in parallel, and how the provider answers them. They take `lasts` milliseconds, which pass by `pass`. */
export interface Calls {
  readonly times: number
  /** @default "ok" */
  readonly outcome?: "ok" | "overloaded" | "limit"
  /** @default 0 */
  readonly lasts?: number
  /** @default "Hello" */
  readonly prompt?: string
}

export type Command =
  /** Begins calls, and answers when they have ended. */
  | { readonly do: "call" } & Calls
  /** Begins calls, and answers when each of them has ended or is with the provider. */
  | { readonly do: "begin" } & Calls
  /** Lets milliseconds pass, and answers with the ends of the calls that were begun, all of which must end by then. */
  | { readonly do: "finish"; readonly after: number }
  /** Lets milliseconds pass. */
  | { readonly do: "pass"; readonly millis: number }

export interface Reply {
  /** `ok` or the tag of the reason, of the calls that have ended, in the order in which they began. */
  readonly outcomes: ReadonlyArray<string>
  /** Longest `retryAfter` among the errors, in milliseconds. */
  readonly retryAfter: number
  /** Requests this worker's provider saw because of the command. */
  readonly sent: number
  /** Answers from the cache. */
  readonly hits: number
}

/** Longer than any test, however slow the machine is. */
export const lease = "1 hour"

/** A dollar for each token: ten are reserved for the output of a call, and six are used. */
export const budget = { limit: 100, lease, prices: { "test/test-model": { input: 0, output: 1e6 } } } as const

export const answer = new LlmResponse({
  parts: [{ type: "text", text: "Hi!" }],
  finishReason: "stop",
  usage: { input: { total: 0 }, output: { total: 6 } },
  model: "test-model",
  provider: "test",
  warnings: []
})

const policies = {
  breaker: (prefix: string) =>
    CircuitBreaker.policy({ store: CircuitBreaker.storeRedis({ prefix, probeLease: lease }), openFor: lease }),
  limit: (prefix: string) =>
    RateLimit.policy({ store: RateLimit.storeRedis({ prefix }), requestsPerMinute: 30, maxWait: 0 }),
  budget: (prefix: string) => Budget.policy({ ...budget, store: Budget.storeRedis({ prefix }) }),
  cache: (prefix: string) => Cache.policy({ partition: () => prefix, store: Cache.storeRedis })
}

export type Kind = keyof typeof policies

const answers = { ok: answer, overloaded: TestLlm.overloaded(), limit: TestLlm.rateLimit({ retryAfter: lease }) }

interface Result {
  readonly outcome: string
  readonly retryAfter: number
  readonly hit: boolean
}

const program = Effect.fnUntraced(function*(kind: Kind, prefix: string) {
  let now: Calls = { times: 0 }
  const { control, service } = TestLlm.make({
    answers: () => TestLlm.delayed(now.lasts ?? 0, answers[now.outcome ?? "ok"])
  })
  const guarded = yield* policies[kind](prefix).wrap(service)
  const call = Effect.suspend(() => guarded.generate({ prompt: now.prompt ?? "Hello", maxTokens: 10 })).pipe(
    Effect.match({
      onSuccess: (response): Result => ({ outcome: "ok", retryAfter: 0, hit: Cache.isHit(response) }),
      onFailure: (error): Result => ({
        outcome: error.reason._tag,
        retryAfter: error.retryAfter === undefined ? 0 : Duration.toMillis(error.retryAfter),
        hit: false
      })
    })
  )
  /** A turn of the event loop, in which answers of Redis arrive. */
  const turn = Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
  let begun: ReadonlyArray<Fiber.Fiber<Result>> = []
  const begin = (calls: Calls) =>
    Effect.gen(function*() {
      now = calls
      const before = control.started
      begun = yield* Effect.replicateEffect(Effect.forkChild(call), calls.times)
      return before
    })
  const ended = () => begun.flatMap((fiber) => fiber.pollUnsafe() ?? [])
  const reply = (results: ReadonlyArray<Result>, before: number): Reply => ({
    outcomes: results.map(({ outcome }) => outcome),
    retryAfter: Math.max(0, ...results.map(({ retryAfter }) => retryAfter)),
    sent: control.started - before,
    hits: results.filter(({ hit }) => hit).length
  })
  const run = (command: Command) =>
    Effect.gen(function*() {
      switch (command.do) {
        case "call": {
          const before = yield* begin(command)
          return reply(yield* Fiber.joinAll(begun), before)
        }
        case "begin": {
          const before = yield* begin(command)
          while (ended().length + control.started - before < command.times) yield* turn
          return reply(yield* Effect.all(ended()), before)
        }
        case "finish": {
          yield* TestClock.adjust(command.after)
          return reply(yield* Fiber.joinAll(begun), control.started)
        }
        case "pass": {
          yield* TestClock.adjust(command.millis)
          return reply([], control.started)
        }
      }
    })
  const lines = Stream.fromAsyncIterable(createInterface({ input: process.stdin }), String)
  yield* Effect.orDie(Stream.runForEach(lines, (line) =>
    Effect.map(run(JSON.parse(line) as Command), (reply) => {
      process.stdout.write(`${JSON.stringify(reply)}\n`)
    })))
})

const [, script = "", kind = "", url = "", prefix = ""] = process.argv
if (script.endsWith("redis-worker.ts")) {
  // Commands come when they come: nobody has forgotten to move the clock.
  const clock = TestClock.layer({ warningDelay: "1 day" })
  NodeRuntime.runMain(
    program(kind as Kind, prefix).pipe(Effect.scoped, Effect.provide([NodeRedis.layer({ url }), clock]))
  )
}
