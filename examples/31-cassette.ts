/**
 * Tests without a network: a scripted model with a gate, real exchanges that are recorded once and played after, and a guard.
 */
import { Console, Effect, Fiber, Layer, Redacted } from "effect"
import { mkdtemp, readFile, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Anthropic, LlmService } from "../src/index.ts"
import { layerHttpClient } from "../src/node.ts"
import * as Cassette from "../src/testing/Cassette.ts"
import * as Simulator from "../src/testing/Simulator.ts"
import * as TestLlm from "../src/testing/TestLlm.ts"

// #region gate
/** What the application does while the model thinks, looked at without a clock. */
const whileItThinks = Effect.gen(function*() {
  const gate = yield* TestLlm.gate
  const { control, service } = TestLlm.make({
    answers: [TestLlm.when("capital of France", gate.hold("Paris")), TestLlm.when(/weather/i, "Sunny")]
  })
  const call = yield* Effect.forkChild(service.generate({ prompt: "What is the capital of France?" }))
  yield* gate.arrived()
  yield* Console.log(`under way: ${control.running}`)
  yield* gate.release
  yield* Console.log(`answered: ${(yield* Fiber.join(call)).text}`)
  yield* Console.log(`still expected: ${control.open.join(", ")}`)
})
// #endregion

const question = { prompt: "Hello, who are you?" }

// A provider to record; yours is at its own address, and needs its key only while you record.
const record = (file: string) =>
  Effect.gen(function*() {
    const simulator = yield* Simulator.make()
    // #region record
    const llm = Anthropic.layer({ apiKey: Redacted.make("sk-mine"), baseUrl: `${simulator.url}/v1` }).pipe(
      Layer.provide(Cassette.layer({ file, mode: "record" })),
      Layer.provide(layerHttpClient)
    )
    const response = yield* Effect.provide(LlmService.generate(question), llm)
    // #endregion
    yield* Console.log(`recorded: ${response.text}`)
  })

const play = (file: string) =>
  Effect.gen(function*() {
    // #region replay
    const llm = Anthropic.layer({ apiKey: Redacted.make("any"), baseUrl: "http://127.0.0.1:1/v1" }).pipe(
      Layer.provide(Cassette.replay({ file }))
    )
    const response = yield* Effect.provide(LlmService.generate(question), llm)
    const miss = yield* Effect.flip(Effect.provide(LlmService.generate({ prompt: "Hello, who is he?" }), llm))
    // #endregion
    yield* Console.log(`played: ${response.text}`)
    yield* Console.log(miss.reason.message.split("\n").slice(1).join("\n"))
  })

const program = Effect.gen(function*() {
  yield* whileItThinks
  const folder = yield* Effect.acquireRelease(
    Effect.promise(() => mkdtemp(join(tmpdir(), "cassette-"))),
    (folder) => Effect.promise(() => rm(folder, { recursive: true }))
  )
  const file = join(folder, "hello.json")
  yield* record(file)
  yield* play(file)
  const text = yield* Effect.promise(() => readFile(file, "utf8"))
  yield* Console.log(`the key is in the file: ${text.includes("sk-mine")}`)
})

await Effect.runPromise(Effect.scoped(program))
