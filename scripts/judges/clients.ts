/** LangChain and the AI SDK, as they come from npm, ask the gateway: texts, streams, tools, objects and errors, on every wire they speak. */
import { Effect } from "effect"
import { existsSync } from "node:fs"
import { join } from "node:path"
import * as Simulator from "../../src/testing/Simulator.ts"
import { runProgram } from "./programs.ts"
import { failures, type Finding, folder, makeWorld, root, type Wires } from "./world.ts"

const expected: Readonly<Record<string, RegExp>> = {
  text: /^You said: Say hello\.$/,
  stream: /^You said: Say hello\.$/,
  tools: /^The tool says: .*12 degrees in Oslo/,
  "streamed tools": /^The tool says: .*12 degrees in Oslo/,
  object: /^string$/,
  // An answer of 429 is one for each client, by its own field.
  error: /429|MODEL_RATE_LIMIT/
}

/** The built-in model, but for the request that every instance refuses. */
const failing = ({ bodyText }: Simulator.RecordedRequest): Simulator.Answer | undefined =>
  bodyText.includes("FAIL") ? Simulator.error(429, { retryAfter: 7 }) : undefined

type Told = Readonly<Record<string, Readonly<Record<string, string>>>>

const asked = (script: string, wires: Wires, failure?: readonly [string, Simulator.Answer]) =>
  Effect.gen(function*() {
    const world = yield* makeWorld(wires)
    const streamOnly = failure !== undefined && "parts" in failure[1]
    yield* world.primary.respondWith((request) =>
      failing(request) ??
        (request.operation === "generate" &&
            !(streamOnly && !/"stream":\s*true|streamGenerate/.test(request.bodyText + request.path))
          ? failure?.[1]
          : undefined)
    )
    yield* world.backup.respondWith(failing)
    const ended = yield* runProgram({
      command: process.execPath,
      args: [join(root, "judges/clients", script), world.url, "gpt-5"],
      cwd: root,
      env: { HOME: yield* folder, LANGSMITH_TRACING: "false", LANGCHAIN_TRACING_V2: "false", DO_NOT_TRACK: "1" },
      limitMillis: 90_000
    })
    const told: Told = ended.out.startsWith("{") ? JSON.parse(ended.out) : { [script]: { all: ended.err.slice(-500) } }
    const how = failure === undefined ? `${wires.primary} behind` : `primary fails: ${failure[0]}`
    return Object.entries(told).map(([client, answers]): Finding => {
      const wrong = Object.entries(answers).filter(([what, answer]) => !(expected[what]?.test(answer) ?? false))
      const good = wrong.length === 0
      const note = good
        ? Object.keys(answers).join(", ")
        : wrong.map(([what, answer]) => `${what}: ${answer}`).join("; ")
      console.log(`${good ? "good" : "BAD "}  ${client}: ${how}: ${note}`)
      return { judge: client, name: how, good, note }
    })
  }).pipe(Effect.scoped)

const behind: ReadonlyArray<Wires["primary"]> = ["openai", "anthropic", "gemini"]

export const judgeClients: Effect.Effect<ReadonlyArray<Finding>> = Effect.gen(function*() {
  const judge = "Clients"
  if (!existsSync(join(root, "judges/clients/node_modules"))) {
    return [{ judge, name: "all", good: false, note: "not installed: npm ci --prefix judges/clients" }]
  }
  const findings: Array<Finding> = []
  for (const script of ["langchain.mjs", "ai-sdk.mjs"]) {
    for (const primary of behind) findings.push(...yield* asked(script, { primary, backup: primary }))
    for (const failure of failures) {
      findings.push(...yield* asked(script, { primary: "anthropic", backup: "openai" }, failure))
    }
  }
  return findings.toSorted((a, b) => a.judge.localeCompare(b.judge, "en"))
})
