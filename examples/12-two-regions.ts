/**
 * One model in two regions: a conversation stays in its region, whose prompt cache knows it; when a region is overloaded or slow
 * to begin, the other one takes over, and another provider when both are.
 */
import { Console, Effect, Redacted } from "effect"
import {
  Anthropic,
  Balance,
  CircuitBreaker,
  Concurrency,
  Continue,
  Fallback,
  LlmService,
  Message,
  OpenAi,
  Retry,
  Timeout
} from "../src/index.ts"
import { layerHttpClient } from "../src/node.ts"
import { Simulator } from "../src/testing/index.ts"

const apiKey = Redacted.make("simulated-key")

// #region stack
/** What belongs to one provider: its time limits, its retries, its circuit. */
const region = (label: string, baseUrl: string) =>
  Anthropic.layer({ apiKey, baseUrl, label }).pipe(
    Timeout.policy({ connect: "5 seconds", firstToken: "20 seconds", idle: "30 seconds" }),
    Retry.policy({ retries: 2, base: "100 millis", cap: "2 seconds" }),
    CircuitBreaker.policy({ key: label })
  )

/** What chooses between providers, and around it what belongs to the call. */
const stack = (eu: string, us: string, backup: string) =>
  Balance.layer([region("eu", eu), region("us", us)], { stickyBy: "conversation" }).pipe(
    Fallback.policy(Fallback.candidate(OpenAi.layer({ apiKey, baseUrl: backup }), {
      contextWindow: 1_000_000,
      request: (request) => ({ ...request, thinking: "low" })
    })),
    Continue.policy(),
    Concurrency.policy({ permits: 100, maxQueue: 500 }),
    Timeout.policy({ total: "3 minutes" })
  )
// #endregion

const program = Effect.gen(function*() {
  const busy = { eu: false, us: false }
  const simulated = (name: "eu" | "us") =>
    Simulator.make({
      respondWith: () =>
        busy[name] ? Simulator.error(529, { retryAfter: 20 }) : Simulator.text(`An answer from the ${name} region.`)
    })
  const eu = yield* simulated("eu")
  const us = yield* simulated("us")
  const backup = yield* Simulator.make({ respondWith: () => Simulator.text("An answer from elsewhere.") })

  const ask = (conversation: number, turn: string) =>
    Effect.gen(function*() {
      const response = yield* LlmService.generate({
        messages: [Message.user(`Conversation number ${conversation}`), Message.user(turn)]
      })
      const before = response.priorAttempts?.map(({ reason }) => reason).join(", ")
      yield* Console.log(
        `conversation ${conversation}, ${turn}: ${response.text}${before === undefined ? "" : ` (after ${before})`}`
      )
      return response.label === "eu" ? "eu" as const : "us" as const
    })

  yield* Effect.gen(function*() {
    const homes: Array<"eu" | "us"> = []
    for (let i = 1; i <= 4; i++) homes.push(yield* ask(i, "first turn"))
    for (let i = 1; i <= 4; i++) yield* ask(i, "second turn")
    const home = homes[0]!
    busy[home] = true
    yield* Console.log(`The ${home} region is overloaded.`)
    for (let i = 1; i <= 4; i++) yield* ask(i, "third turn")
    busy.eu = busy.us = true
    yield* Console.log("Both are.")
    yield* ask(5, "first turn")
    yield* Console.log(`${eu.requests.length} requests to eu, ${us.requests.length} to us`)
  }).pipe(Effect.provide(stack(`${eu.url}/v1`, `${us.url}/v1`, `${backup.url}/v1`)))
})

await Effect.runPromise(program.pipe(Effect.scoped, Effect.provide(layerHttpClient)))
