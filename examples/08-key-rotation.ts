/**
 * Several keys of one provider: calls are spread over them, and a key that is refused costs no call.
 */
import { Console, Effect, Redacted, Ref } from "effect"
import { KeyPool, LlmService, OpenAi, Retry } from "../src/index.ts"
import { layerHttpClient } from "../src/node.ts"
import * as Simulator from "../src/testing/Simulator.ts"

// #region pool
/** The layer has no key of its own: the pool gives every attempt one. */
const pooled = (baseUrl: string, keys: KeyPool.Options["keys"]) =>
  OpenAi.layer({ baseUrl, model: "gpt-4.1" }).pipe(
    KeyPool.policy({ keys, bench: "30 seconds" }),
    Retry.policy()
  )
// #endregion

const key = (name: string, weight = 1): KeyPool.Key => ({ apiKey: Redacted.make(`sk-${name}`), weight })

const program = Effect.gen(function*() {
  const simulator = yield* Simulator.make({
    respondWith: ({ headers }) => {
      switch (headers["authorization"]) {
        case "Bearer sk-revoked":
          return Simulator.error(401)
        case "Bearer sk-busy":
          return Simulator.error(429, { retryAfter: 20 })
        default:
          return undefined
      }
    }
  })
  // Keys may change while the program runs: an effect is asked before each call.
  const keys = yield* Ref.make([key("revoked"), key("busy"), key("large", 2), key("small")])

  const ask = (prompt: string) =>
    Effect.gen(function*() {
      const before = simulator.requests.length
      const response = yield* LlmService.generate({ prompt })
      const used = simulator.requests.slice(before).map(({ headers }) =>
        headers["authorization"]?.slice("Bearer ".length)
      )
      yield* Console.log(`${prompt}: ${response.finishReason}, after ${used.join(", ")}`)
    })

  yield* Effect.gen(function*() {
    yield* ask("first call")
    yield* ask("second call")
    yield* ask("third call")
    yield* Ref.set(keys, [key("new")])
    yield* ask("after the keys were changed")
  }).pipe(Effect.provide(pooled(`${simulator.url}/v1`, Ref.get(keys))))
})

await Effect.runPromise(program.pipe(Effect.scoped, Effect.provide(layerHttpClient)))
