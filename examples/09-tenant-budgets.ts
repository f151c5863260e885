/**
 * Each tenant has a budget of their own, and what everybody used is told as it happens.
 */
import { Console, Effect, Redacted, Stream } from "effect"
import { Anthropic, Budget, Cache, Cost, Events, LlmService } from "../src/index.ts"
import { layerHttpClient } from "../src/node.ts"
import * as Simulator from "../src/testing/Simulator.ts"

const apiKey = Redacted.make("simulated-key")

// #region budgets
const stack = (baseUrl: string) =>
  Anthropic.layer({ apiKey, baseUrl, model: "claude-haiku-4-5" }).pipe(
    // Ten cents per tenant and day. With `store: Budget.storeRedis()` it holds over all processes.
    Budget.policy({ limit: 0.1, scope: "user", window: "1 day" }),
    // Cost says what an answer cost; outside of it, an answer from the cache costs nothing.
    Cost.policy(),
    Cache.policy({ partition: (request) => request.scope?.userId }),
    Events.policy()
  )
// #endregion

const program = Effect.gen(function*() {
  const simulator = yield* Simulator.make({ respondWith: () => Simulator.text("A short answer. ".repeat(400)) })
  const bills = new Map<string, number>()
  yield* Events.stream.pipe(
    Stream.runForEach((event) =>
      Effect.sync(() => {
        const user = event.scope?.userId ?? "nobody"
        if (event._tag === "CostRecorded") bills.set(user, (bills.get(user) ?? 0) + event.cost)
      })
    ),
    Effect.forkScoped({ startImmediately: true })
  )

  // The budget reserves the longest answer a request allows, so say how long it may be.
  const ask = (userId: string, prompt: string) =>
    LlmService.generate({ prompt, maxTokens: 8000, scope: { userId } }).pipe(
      Effect.map((response) => Cache.isHit(response) ? "from the cache" : `$${response.cost?.toFixed(4) ?? "unknown"}`),
      Effect.catchReason(
        "LlmError",
        "BudgetExceeded",
        (reason) => Effect.succeed(`refused: $${reason.spent.toFixed(4)} of $${reason.limit} are gone`)
      ),
      Effect.flatMap((outcome) => Console.log(`${userId}: ${prompt}: ${outcome}`))
    )

  yield* Effect.gen(function*() {
    yield* Effect.forEach(Array.from({ length: 12 }, (_, index) => index), (index) => ask("ada", `Question ${index}`))
    yield* ask("ada", "Question 0")
    yield* ask("bob", "Question 0")
  }).pipe(Effect.provide(stack(`${simulator.url}/v1`)))

  for (const [user, dollars] of bills) yield* Console.log(`${user} pays $${dollars.toFixed(4)}`)
})

await Effect.runPromise(
  program.pipe(Effect.scoped, Effect.provide([Events.layer(), layerHttpClient]))
)
