/**
 * Two tenants on one layer, each with a key of its own. The provider refuses the noisy one; the quiet one does not notice.
 */
import { Console, Effect, Redacted } from "effect"
import { Anthropic, CircuitBreaker, Concurrency, type LlmRequest, LlmService, Retry } from "../src/index.ts"
import { layerHttpClient } from "../src/node.ts"
import * as Simulator from "../src/testing/Simulator.ts"

const noisy = { name: "noisy", key: Redacted.make("key-of-the-noisy-tenant"), calls: 200 }
const quiet = { name: "quiet", key: Redacted.make("key-of-the-quiet-tenant"), calls: 10 }

// #region stack
/** Whose calls wait for each other. */
const tenant = ({ scope }: LlmRequest.LlmRequest) => scope?.userId ?? "nobody"

const stack = (baseUrl: string) =>
  Anthropic.layer({ apiKey: Redacted.make("key-of-the-application"), baseUrl }).pipe(
    Retry.policy({ retries: 1, floor: "10 millis", base: "10 millis" }),
    // A circuit for each key that requests bring: this is the default.
    CircuitBreaker.policy(),
    // Permits and a queue for each tenant, and around them a limit for all.
    Concurrency.policy({ permits: 4, maxQueue: 40, key: tenant }),
    Concurrency.policy({ permits: 400 })
  )
// #endregion

// #region shared
/** What to leave alone: one circuit and one queue for all. */
const shared = (baseUrl: string) =>
  Anthropic.layer({ apiKey: Redacted.make("key-of-the-application"), baseUrl }).pipe(
    Retry.policy({ retries: 1, floor: "10 millis", base: "10 millis" }),
    CircuitBreaker.policy({ key: "everybody" }),
    Concurrency.policy({ permits: 4, maxQueue: 40 })
  )
// #endregion

const program = Effect.gen(function*() {
  const simulator = yield* Simulator.make({
    respondWith: ({ headers }) =>
      headers["x-api-key"] === Redacted.value(noisy.key)
        ? Simulator.error(429, { retryAfter: 60 })
        : Simulator.text("An answer.")
  })

  const outcomes = ({ calls, key, name }: typeof noisy) =>
    Effect.forEach(
      Array.from({ length: calls }, (_, i) => i),
      (i) =>
        LlmService.generate({ prompt: `Question ${i}`, apiKey: key, scope: { userId: name } }).pipe(
          Effect.match({ onSuccess: () => "answered", onFailure: ({ reason }) => reason._tag })
        ),
      { concurrency: "unbounded" }
    )

  const tell = (name: string, outcomes: ReadonlyArray<string>) => {
    const answered = outcomes.filter((outcome) => outcome === "answered").length
    return Console.log(`  ${name}: ${answered} of ${outcomes.length} calls answered`)
  }

  for (const [title, layer] of [["of its own", stack], ["shared", shared]] as const) {
    yield* Console.log(`State ${title}:`)
    yield* Effect.gen(function*() {
      const [loud, silent] = yield* Effect.all([outcomes(noisy), outcomes(quiet)], { concurrency: 2 })
      yield* tell(noisy.name, loud)
      yield* tell(quiet.name, silent)
    }).pipe(Effect.provide(layer(`${simulator.url}/v1`)))
  }
})

await Effect.runPromise(program.pipe(Effect.scoped, Effect.provide(layerHttpClient)))
