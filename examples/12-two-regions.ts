/**
 * One model in two regions: a conversation stays in its region, whose prompt cache knows it; when a region is overloaded or slow
 * to begin, the other one takes over, and another provider when both are.
 */
import { Console, Effect, Redacted } from "effect"
import { Anthropic, Balance, LlmService, Message, OpenAi } from "../src/index.ts"
import { layerHttpClient } from "../src/node.ts"
import * as Simulator from "../src/testing/Simulator.ts"
import { guarded, recommended } from "./recommended.ts"

const apiKey = Redacted.make("simulated-key")
/** Whole answers are streamed below, so that they have the time limits of streams. */
const defaults = { whole: "streamed" } as const

// #region regions
const region = (label: string, baseUrl: string) => guarded(Anthropic.layer({ apiKey, baseUrl, label, defaults }))

/** A conversation stays in its region, whose prompt cache knows it. */
const stack = (eu: string, us: string, backup: string) =>
  recommended(
    Balance.layer([region("eu", eu), region("us", us)], { stickyBy: "conversation" }),
    guarded(OpenAi.layer({ apiKey, baseUrl: backup, defaults: { ...defaults, thinking: "low" } }))
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
