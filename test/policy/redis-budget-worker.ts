/**
 * One process of several that share a budget or a cache over Redis: reads commands, a JSON object per line, and answers each with a
 * line.
 *
 *     node redis-budget-worker.ts budget|cache URL PREFIX
 *     {"times":3,"lasts":0,"prompt":"x"}  ->  {"outcomes":["ok","ok","BudgetExceeded"],"sent":2,"hits":0}
 */
import { NodeRedis, NodeRuntime } from "@effect/platform-node"
import { Effect, Exit, Stream } from "effect"
import { createInterface } from "node:readline"
import { LlmResponse } from "../../src/LlmResponse.ts"
import * as Budget from "../../src/policy/Budget.ts"
import * as Cache from "../../src/policy/Cache.ts"
import * as TestLlm from "../../src/testing/TestLlm.ts"

/** What the worker is told: calls in parallel. */
export interface Command {
  readonly times: number
  /** Milliseconds the provider takes. */
  readonly lasts: number
  readonly prompt: string
}

export interface Reply {
  /** `ok` or the tag of the reason, in order. */
  readonly outcomes: ReadonlyArray<string>
  /** Requests this worker's provider saw. */
  readonly sent: number
  /** Answers from the cache. */
  readonly hits: number
}

/** A dollar for each token: ten are reserved for the output of a call, and six are used. */
export const budget = {
  limit: 100,
  lease: "1 second",
  prices: { "test/test-model": { input: 0, output: 1e6 } }
} as const

export const answer = new LlmResponse({
  parts: [{ type: "text", text: "Hi!" }],
  finishReason: "stop",
  usage: { input: { total: 0 }, output: { total: 6 } },
  model: "test-model",
  provider: "test",
  warnings: []
})

const program = Effect.fnUntraced(function*(kind: string, prefix: string) {
  let current: Command = { times: 0, lasts: 0, prompt: "" }
  const { control, service } = TestLlm.make({ answers: () => TestLlm.delayed(current.lasts, answer) })
  const llm = kind === "budget"
    ? yield* Budget.policy({ ...budget, store: Budget.storeRedis({ prefix }) }).wrap(service)
    : yield* Cache.policy({ partition: () => prefix, store: Cache.storeRedis }).wrap(service)
  const call = Effect.suspend(() => llm.generate({ prompt: current.prompt, maxTokens: 10 })).pipe(
    Effect.match({
      onFailure: (error) => ({ outcome: error.reason._tag as string, hit: false }),
      onSuccess: (response) => ({ outcome: "ok", hit: Cache.isHit(response) })
    })
  )
  const lines = Stream.fromAsyncIterable(createInterface({ input: process.stdin }), (error) => error)
  yield* Stream.runForEach(lines, (line) =>
    Effect.gen(function*() {
      current = JSON.parse(line) as Command
      const before = control.started
      const exits = yield* Effect.forEach(
        Array.from({ length: current.times }),
        () => Effect.exit(call),
        { concurrency: "unbounded" }
      )
      const results = exits.filter(Exit.isSuccess).map((exit) => exit.value)
      const reply: Reply = {
        outcomes: results.map(({ outcome }) => outcome),
        sent: control.started - before,
        hits: results.filter(({ hit }) => hit).length
      }
      process.stdout.write(`${JSON.stringify(reply)}\n`)
    }))
})

const [, script = "", kind = "", url = "", prefix = ""] = process.argv
if (script.endsWith("redis-budget-worker.ts")) {
  NodeRuntime.runMain(program(kind, prefix).pipe(Effect.scoped, Effect.provide(NodeRedis.layer({ url }))))
}
