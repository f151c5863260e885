/**
 * `npm run live -- [--record folder] [--only id,id]`: asks each provider whose key is in the environment for text, a stream, a tool call, an
 * object, an image, thinking, prompt caching and a token count, and prints what was answered and what was refused. It costs money, and
 * is no part of the tests. Without keys it says which variables it looks for. Exits with 1 when something failed that was not refused.
 */
import { Console, Effect } from "effect"
import { parseArgs } from "node:util"
import { layerHttpClient } from "../src/node.ts"
import { candidates, chosen, matrix, table, variables } from "./live/matrix.ts"

const { values } = parseArgs({ options: { record: { type: "string" }, only: { type: "string" } } })
const options = { env: process.env, record: values.record, only: values.only?.split(",").map((id) => id.trim()) }

const program = Effect.gen(function*() {
  const all = yield* candidates
  if (chosen(all, options).length === 0) {
    yield* Console.log(`No provider can be asked: none of these variables is set.\n${variables(all)}`)
    return 0
  }
  const rows = yield* matrix(options)
  yield* Console.log(table(rows))
  return rows.some(({ outcomes }) => Object.values(outcomes).some(({ status }) => status === "failed")) ? 1 : 0
})

process.exitCode = await Effect.runPromise(Effect.provide(program, layerHttpClient))
