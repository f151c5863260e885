/**
 * One process of several that share limits over Redis: reads commands, a JSON object per line, and answers each with a line.
 *
 *     node redis-worker.ts breaker|limit URL PREFIX
 *     {"outcome":"ok","times":3,"lasts":0}  ->  {"outcomes":["ok","ok","RateLimit"],"sent":2}
 */
import { NodeRedis, NodeRuntime } from "@effect/platform-node"
import { Duration, Effect, Stream } from "effect"
import { createInterface } from "node:readline"
import * as CircuitBreaker from "../../src/policy/CircuitBreaker.ts"
import * as RateLimit from "../../src/policy/RateLimit.ts"
import * as TestLlm from "../../src/testing/TestLlm.ts"

/** What the worker is told: calls in parallel, and how the provider answers them. */
export interface Command {
  readonly outcome: "ok" | "overloaded" | "limit"
  readonly times: number
  /** Milliseconds the provider takes. */
  readonly lasts: number
}

export interface Reply {
  /** `ok` or the tag of the reason, in order. */
  readonly outcomes: ReadonlyArray<string>
  /** Longest `retryAfter` among the errors, in milliseconds. */
  readonly retryAfter: number
  /** Requests this worker's provider saw. */
  readonly sent: number
}

/** A loaded machine is slow, not without Redis. */
const storeTimeout = "10 seconds"

const program = Effect.fnUntraced(function*(kind: string, prefix: string) {
  let current: Command = { outcome: "ok", times: 0, lasts: 0 }
  const { control, service } = TestLlm.make({
    answers: () =>
      TestLlm.delayed(
        current.lasts,
        current.outcome === "ok"
          ? "Hi!"
          : current.outcome === "limit"
          ? TestLlm.rateLimit({ retryAfter: "2 seconds" })
          : TestLlm.overloaded()
      )
  })
  const policy = kind === "breaker"
    ? CircuitBreaker.policy({
      store: CircuitBreaker.storeRedis({ prefix, probeLease: "600 millis" }),
      openFor: "1 second",
      storeTimeout
    })
    : RateLimit.policy({ store: RateLimit.storeRedis({ prefix }), requestsPerMinute: 30, maxWait: 0, storeTimeout })
  const guarded = yield* policy.wrap(service)
  const call = Effect.match(guarded.generate({ prompt: "Hello" }), {
    onSuccess: () => ({ outcome: "ok", retryAfter: 0 }),
    onFailure: (error) => ({
      outcome: error.reason._tag,
      retryAfter: error.retryAfter === undefined ? 0 : Duration.toMillis(error.retryAfter)
    })
  })
  const lines = Stream.fromAsyncIterable(createInterface({ input: process.stdin }), String)
  yield* Effect.orDie(Stream.runForEach(lines, (line) =>
    Effect.gen(function*() {
      current = JSON.parse(line) as Command
      const before = control.started
      const results = yield* Effect.all(Array.from({ length: current.times }, () => call), { concurrency: "unbounded" })
      const reply: Reply = {
        outcomes: results.map(({ outcome }) => outcome),
        retryAfter: Math.max(0, ...results.map(({ retryAfter }) => retryAfter)),
        sent: control.started - before
      }
      process.stdout.write(`${JSON.stringify(reply)}\n`)
    })))
})

const [, script = "", kind = "", url = "", prefix = ""] = process.argv
if (script.endsWith("redis-worker.ts")) {
  NodeRuntime.runMain(program(kind, prefix).pipe(Effect.scoped, Effect.provide(NodeRedis.layer({ url }))))
}
