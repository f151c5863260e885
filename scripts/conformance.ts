/**
 * `npm run conformance -- <folder> [--only text] [--split bytes] [--all]`: replays recorded traffic through the
 * public API and prints every mismatch; exits with 1 on any, and on a case whose `api` no provider speaks.
 */
import { NodeHttpClient, NodeRuntime } from "@effect/platform-node"
import { Console, Effect } from "effect"
import { parseArgs } from "node:util"
import * as Conformance from "../src/testing/Conformance.ts"

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    only: { type: "string" },
    split: { type: "string" },
    fetch: { type: "boolean", default: false }
  }
})

const shorten = (value: unknown) => {
  const text = typeof value === "string" ? JSON.stringify(value) : JSON.stringify(value) ?? String(value)
  return text.length > 160 ? `${text.slice(0, 110)} … ${text.slice(-45)}` : text
}

const program = Effect.gen(function*() {
  const folder = positionals[0]
  if (folder === undefined) {
    yield* Console.error("Usage: npm run conformance -- <folder> [--only text] [--split bytes]")
    return 2
  }
  const results = yield* Conformance.run(folder, {
    only: values.only,
    split: values.split === undefined ? undefined : Number(values.split)
  })
  const rows = new Map<string, { cases: number; passed: number; unsupported: number }>()
  for (const result of results) {
    const name = `${result.api} ${result.streaming ? "stream" : "whole"}`
    const row = rows.get(name) ?? { cases: 0, passed: 0, unsupported: 0 }
    row.cases++
    if (result.unsupported) row.unsupported++
    else if (result.mismatches.length === 0) row.passed++
    rows.set(name, row)
    if (result.unsupported) yield* Console.log(`UNSUPPORTED ${result.id}`)
    for (const mismatch of result.mismatches) {
      yield* Console.log(
        `MISMATCH ${result.id}\n  ${mismatch.field}\n    expected ${shorten(mismatch.expected)}\n    actual   ${
          shorten(mismatch.actual)
        }`
      )
    }
  }
  const width = Math.max(...[...rows.keys()].map((name) => name.length), 4)
  yield* Console.log(`${"wire".padEnd(width)}  cases  passed  failed  unsupported`)
  for (const [name, row] of [...rows].toSorted(([a], [b]) => a < b ? -1 : 1)) {
    const failed = row.cases - row.passed - row.unsupported
    yield* Console.log(
      `${name.padEnd(width)}  ${String(row.cases).padStart(5)}  ${String(row.passed).padStart(6)}  ${
        String(failed).padStart(6)
      }  ${String(row.unsupported).padStart(11)}`
    )
  }
  const passed = results.filter((result) => !result.unsupported && result.mismatches.length === 0).length
  yield* Console.log(`${passed} of ${results.length} cases conform`)
  return passed === results.length ? 0 : 1
})

program.pipe(
  Effect.tap((code) => Effect.sync(() => void (process.exitCode = code))),
  Effect.provide(values.fetch ? NodeHttpClient.layerFetch : NodeHttpClient.layerUndici),
  NodeRuntime.runMain
)
