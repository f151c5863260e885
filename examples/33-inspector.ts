/**
 * A page that shows calls as they go, for an application in development: attempts on a time line, failovers, costs, failures.
 *
 * `node examples/33-inspector.ts --stay` keeps the page and makes calls, to be looked at in a browser.
 */
import { NodeHttpServer } from "@effect/platform-node"
import { Console, Effect, Layer, Redacted, Schedule, Stream } from "effect"
import { HttpRouter, HttpServer } from "effect/http"
import { createServer } from "node:http"
import * as Inspector from "../src/gateway/Inspector.ts"
import { Anthropic, Cost, Fallback, LlmService, OpenAi, Retry } from "../src/index.ts"
import { layerHttpClient } from "../src/node.ts"
import * as Simulator from "../src/testing/Simulator.ts"

const key = Redacted.make("simulated-key-1")

// Idle connections are not kept, so that the example ends when it is done.
const server = () => createServer({ keepAliveTimeout: 1, keepAliveTimeoutBuffer: 0 })

const stay = process.argv.includes("--stay")

const program = Effect.gen(function*() {
  // A provider that is overloaded now and then, and another one.
  const simulator = yield* Simulator.make()
  let asked = 0
  yield* simulator.respondWith(({ wire }) =>
    wire === "anthropic-messages" && asked++ % 3 !== 2 ? Simulator.error(529) : undefined
  )
  const claude = Anthropic.layer({ apiKey: key, model: "claude-sonnet-4-5", baseUrl: `${simulator.url}/v1` })
  const gpt = OpenAi.layer({ apiKey: key, model: "gpt-5", baseUrl: `${simulator.url}/v1` })

  // #region stack
  const llm = claude.pipe(
    Retry.policy({ retries: 1, base: "20 millis", floor: "20 millis" }),
    Fallback.policy(gpt),
    Cost.policy(),
    // Outermost: it sees what the policies inside do.
    Inspector.policy()
  )
  // #endregion

  // #region page
  const page = HttpRouter.serve(Inspector.layer(), { disableLogger: true, disableListenLog: true }).pipe(
    Layer.provideMerge(NodeHttpServer.layer(server, { host: "127.0.0.1", port: 0 }))
  )
  const development = Layer.mergeAll(llm, page).pipe(Layer.provide(Inspector.recorder()))
  // #endregion

  yield* Effect.gen(function*() {
    const url = yield* HttpServer.addressFormattedWith(Effect.succeed)
    const ask = LlmService.stream({ prompt: "Where is the lighthouse?", label: "desk" }).pipe(
      Stream.runDrain,
      Effect.catch((error) => Console.log(error.reason._tag))
    )
    if (stay) {
      yield* Console.log(`${url}/inspector`)
      return yield* Effect.repeat(ask, Schedule.spaced("2 seconds"))
    }
    yield* ask
    const seen = yield* Effect.promise(async () => {
      const answer = await fetch(`${url}/inspector/calls/1`)
      return await answer.json() as { readonly call: { readonly events: ReadonlyArray<{ readonly text: string }> } }
    })
    for (const { text } of seen.call.events) yield* Console.log(text)
  }).pipe(Effect.provide(development))
})

await Effect.runPromise(program.pipe(Effect.scoped, Effect.provide(layerHttpClient)))
