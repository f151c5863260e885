/**
 * A run that survives `kill -9`: its state is stored before a call starts and after each change. Started without arguments this program
 * kills itself in the middle of a payment, and resumes.
 */
import { Console, Effect, Redacted } from "effect"
import { spawnSync } from "node:child_process"
import { appendFileSync, existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Agent, Anthropic, Handlers, LlmTool, Run } from "../src/index.ts"
import { layerHttpClient } from "../src/node.ts"
import * as Simulator from "../src/testing/Simulator.ts"

const [folder] = process.argv.slice(2)

const worker = Effect.fnUntraced(function*(folder: string) {
  const file = join(folder, "run.json")
  const log = (line: string) => Effect.sync(() => appendFileSync(join(folder, "log"), `${line}\n`))

  // #region tools
  const look = LlmTool.make("look_up", { description: "Looks up a price", idempotent: true })
  const pay = LlmTool.make("pay", { description: "Pays a bill" })

  const tools = Handlers.make([look, pay], {
    look_up: () => Effect.as(log("looked up"), "12 euros"),
    pay: () =>
      Effect.gen(function*() {
        yield* log("paid")
        process.kill(process.pid, "SIGKILL")
        return yield* Effect.never
      })
  })
  // #endregion

  // #region save
  const agent = Agent.make({
    tools,
    save: (state) =>
      Effect.sync(() => {
        // A file that is renamed is there whole or not at all.
        writeFileSync(`${file}.new`, JSON.stringify(state))
        renameSync(`${file}.new`, file)
      })
  })
  // #endregion

  const simulator = yield* Simulator.make()
  const llm = Anthropic.layer({ apiKey: Redacted.make("simulated-key"), baseUrl: `${simulator.url}/v1` })
  if (!existsSync(file)) {
    yield* simulator.enqueue(
      Simulator.toolCall("look_up", {}),
      Simulator.toolCall("pay", { euros: 12 })
    )
    return yield* Agent.run(agent, { prompt: "Pay the bill." }).pipe(Effect.provide(llm))
  }
  yield* simulator.enqueue(Simulator.text("The bill is paid."))
  // #region resume
  const state = yield* Effect.fromResult(Run.decode(JSON.parse(readFileSync(file, "utf8"))))
  const found = yield* Agent.run(agent, { state }).pipe(Effect.provide(llm))
  const [lost] = found.waiting.unknown
  yield* Console.log(`${found.status}: nobody knows what came of ${lost!.toolName}`)
  // The application asks its bank, by the key of the call, and says what came of it.
  const outcome = yield* Agent.run(agent, {
    state: found.state,
    results: [{ call: lost!.call, content: "paid" }]
  }).pipe(Effect.provide(llm))
  // #endregion
  yield* Console.log(outcome.text)
  return outcome
})

if (folder === undefined) {
  const made = mkdtempSync(join(tmpdir(), "resumable-"))
  const start = () =>
    spawnSync(process.execPath, [import.meta.filename, made], { stdio: ["ignore", "inherit", "inherit"] })
  console.log(`first process: ended by ${start().signal}`)
  const second = start()
  console.log(`what was done: ${readFileSync(join(made, "log"), "utf8").trim().split("\n").join(", ")}`)
  rmSync(made, { recursive: true })
  process.exitCode = second.status ?? 1
} else {
  await Effect.runPromise(worker(folder).pipe(Effect.scoped, Effect.provide(layerHttpClient)))
}
