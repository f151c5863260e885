/**
 * An approval across two processes: the first stops where somebody has to decide and stores the run; the second takes the decision and
 * goes on. Started without arguments this program runs itself twice.
 */
import { Console, Effect, Redacted, Schema } from "effect"
import { spawnSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Agent, Anthropic, Handlers, LlmTool, Run } from "../src/index.ts"
import { layerHttpClient } from "../src/node.ts"
import * as Simulator from "../src/testing/Simulator.ts"

// #region tools
const transfer = LlmTool.make("transfer", {
  description: "Transfers money",
  parameters: Schema.Struct({ to: Schema.String, euros: Schema.Number }),
  needsApproval: ({ euros }) => euros > 10
})

const agent = Agent.make({
  tools: Handlers.make([transfer], {
    transfer: ({ euros, to }) => Console.log(`  transferred ${euros} euros to ${to}`)
  }),
  approvalKey: "kept on the server"
})
// #endregion

const simulated = Effect.fnUntraced(function*(...answers: ReadonlyArray<Simulator.Answer>) {
  const simulator = yield* Simulator.make()
  yield* simulator.enqueue(...answers)
  return Anthropic.layer({ apiKey: Redacted.make("simulated-key"), baseUrl: `${simulator.url}/v1` })
})

const asking = Effect.fnUntraced(function*(file: string) {
  const llm = yield* simulated({
    parts: [
      { type: "tool-call", name: "transfer", arguments: { to: "Ann", euros: 5 } },
      { type: "tool-call", name: "transfer", arguments: { to: "Bob", euros: 500 } }
    ]
  })
  // #region ask
  const outcome = yield* Agent.run(agent, { prompt: "Pay Ann and Bob." }).pipe(Effect.provide(llm))
  for (const { arguments: args, toolName } of outcome.waiting.approvals) {
    yield* Console.log(`  waits for approval: ${toolName} ${JSON.stringify(args)}`)
  }
  writeFileSync(file, JSON.stringify(outcome.state))
  // #endregion
})

const deciding = Effect.fnUntraced(function*(file: string) {
  const llm = yield* simulated(Simulator.text("Ann has her money, and Bob half of it."))
  // #region decide
  const state = yield* Effect.fromResult(Run.decode(JSON.parse(readFileSync(file, "utf8"))))
  const [request] = Run.waiting(state).approvals
  const decision = Run.sign(Run.approve(request!, { arguments: { to: "Bob", euros: 250 } }), "kept on the server")
  const outcome = yield* Agent.run(agent, { state, decisions: [decision] }).pipe(Effect.provide(llm))
  yield* Console.log(outcome.text)
  // A decision counts once.
  const refusal = yield* Effect.flip(Agent.decide(agent, outcome.state, decision))
  yield* Console.log(`Again: ${refusal.message}`)
  // #endregion
})

const [part, file] = process.argv.slice(2)

if (part === undefined) {
  const folder = mkdtempSync(join(tmpdir(), "approval-"))
  for (const part of ["ask", "decide"]) {
    console.log(`process ${part}:`)
    const run = spawnSync(process.execPath, [import.meta.filename, part, join(folder, "run.json")], {
      stdio: "inherit"
    })
    if (run.status !== 0) process.exitCode = 1
  }
  rmSync(folder, { recursive: true })
} else {
  const program = part === "ask" ? asking(file!) : deciding(file!)
  await Effect.runPromise(program.pipe(Effect.scoped, Effect.provide(layerHttpClient)))
}
