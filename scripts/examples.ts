/**
 * Runs every numbered example as a reader would, without input, and fails when one of them does.
 *
 * Those that bring no provider of their own find a key in the environment, and a simulator behind it.
 *
 * `npm run examples -- 03` runs those whose name begins with `03`.
 */
import { Effect } from "effect"
import { spawn } from "node:child_process"
import { globSync, readFileSync } from "node:fs"
import { basename, join } from "node:path"
import { fileURLToPath } from "node:url"
import * as Simulator from "../src/testing/Simulator.ts"

const root = fileURLToPath(new URL("../", import.meta.url))
const prefix = process.argv[2] ?? ""
// Long enough for a slow machine; an example that waits for ever must not hold up CI for ever.
const timeout = 120_000

const files = globSync("examples/[0-9][0-9]-*.ts", { cwd: root })
  .filter((file) => basename(file).startsWith(prefix))
  .toSorted()

if (files.length === 0) {
  console.error(`no example begins with "${prefix}"`)
  process.exitCode = 1
}

interface Outcome {
  readonly output: string
  /** Why it failed. */
  readonly why: string | undefined
}

const bringsProvider = (file: string): boolean => readFileSync(join(root, file), "utf8").includes("../src/testing/")

const run = (file: string, env: Readonly<Record<string, string>>): Promise<Outcome> =>
  new Promise((resolve) => {
    const child = spawn(process.execPath, [file], {
      cwd: root,
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "pipe"],
      timeout
    })
    let output = ""
    const read = (chunk: Buffer) => void (output += chunk.toString())
    child.stdout.on("data", read)
    child.stderr.on("data", read)
    child.on("error", (error) => resolve({ output, why: error.message }))
    child.on("close", (code, signal) =>
      resolve({ output, why: code === 0 ? undefined : signal === null ? `exit code ${code}` : `signal ${signal}` }))
  })

const all = Effect.gen(function*() {
  const simulator = yield* Simulator.make()
  const env = { ANTHROPIC_API_KEY: "simulated-key", ANTHROPIC_BASE_URL: simulator.url }
  for (const file of files) {
    const started = performance.now()
    const { output, why } = yield* Effect.promise(() => run(file, bringsProvider(file) ? {} : env))
    const seconds = ((performance.now() - started) / 1000).toFixed(1)
    console.log(`${why === undefined ? "ok    " : "failed"} ${file} (${seconds} s)`)
    if (why === undefined) continue
    console.error(`${why}\n${output}`.trimEnd())
    process.exitCode = 1
  }
})

await Effect.runPromise(Effect.scoped(all))
