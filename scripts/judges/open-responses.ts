/**
 * The compliance suite of Open Responses (https://github.com/openresponses/openresponses) asks the gateway. Nothing of the suite is in this
 * repository: a checkout of it is given, `bin/compliance-test.ts` of it is bundled to be run by Node.
 */
import { Effect } from "effect"
import { build } from "esbuild"
import { existsSync } from "node:fs"
import { join } from "node:path"
import { runProgram } from "./programs.ts"
import { type Finding, folder, makeWorld, root } from "./world.ts"

interface Told {
  readonly results: ReadonlyArray<{
    readonly name: string
    readonly status: string
    readonly errors?: ReadonlyArray<string>
    readonly streamEvents?: number
  }>
}

const judge = "Open Responses"

const missing = (note: string): ReadonlyArray<Finding> => [{ judge, name: "all", good: false, note }]

export const judgeOpenResponses = (checkout: string | undefined): Effect.Effect<ReadonlyArray<Finding>> =>
  Effect.gen(function*() {
    if (checkout === undefined) return missing("left out: no checkout was given with --open-responses")
    const zod = join(root, "judges/open-responses/node_modules/zod")
    if (!existsSync(zod)) return missing("not installed: npm ci --prefix judges/open-responses")
    const outfile = join(yield* folder, "compliance.mjs")
    yield* Effect.promise(() =>
      build({
        entryPoints: [join(checkout, "bin/compliance-test.ts")],
        bundle: true,
        platform: "node",
        format: "esm",
        alias: { zod },
        // Its own extends packages that are not installed.
        tsconfigRaw: {},
        logLevel: "error",
        outfile
      })
    )
    const findings: Array<Finding> = []
    for (
      const wires of [
        { primary: "openai", backup: "openai" },
        { primary: "anthropic", backup: "openai" }
      ] as const
    ) {
      const world = yield* makeWorld(wires)
      const { err, out } = yield* runProgram({
        command: process.execPath,
        args: [
          outfile,
          "--base-url",
          `${world.url}/v1`,
          "--api-key",
          "sk-any-0123456789",
          "--model",
          "gpt-5",
          "--json"
        ],
        cwd: root,
        env: {},
        limitMillis: 90_000
      })
      const told: Told | undefined = out.startsWith("{") ? JSON.parse(out) : undefined
      if (told === undefined) return missing(`The suite did not tell its results: ${err.slice(-300)}`)
      const behind = wires.primary === "openai" ? "Responses behind" : "Messages behind"
      for (const { errors = [], name, status, streamEvents } of told.results) {
        const good = status === "passed"
        const note = good ? streamEvents === undefined ? "passed" : `passed, ${streamEvents} events` : errors.join("; ")
        findings.push({ judge, name: `${name} (${behind})`, good, note })
        console.log(`${good ? "good" : "BAD "}  ${judge}: ${name} (${behind}): ${note}`)
      }
    }
    return findings
  }).pipe(Effect.scoped)
