/**
 * Judges what the library sends: every provider, with every option alone and in pairs, in every form of message, streamed and whole,
 * by validators written from the providers' specifications. Nothing is sent over a network.
 *
 * `npm run requests` judges all and prints a table; it exits with 1 when a request that a validator refuses was sent without a warning.
 * `-- --fetch` first brings the public specifications into `.specs/`; without them their validators are named as left out.
 * `-- --provider groq` judges one, `-- --quick` only the usual model of each, `-- --json file` writes the kinds of faults.
 */
import { Effect } from "effect"
import { writeFileSync } from "node:fs"
import { parseArgs } from "node:util"
import { cases } from "./requests/cases.ts"
import { hostValidators } from "./requests/hosts.ts"
import { judge, type Tally } from "./requests/judge.ts"
import { fetchAll, load } from "./requests/specifications.ts"
import { targets } from "./requests/targets.ts"
import { wireValidators } from "./requests/wires.ts"

const { values: asked } = parseArgs({
  options: {
    fetch: { type: "boolean", default: false },
    quick: { type: "boolean", default: false },
    warned: { type: "boolean", default: false },
    provider: { type: "string", multiple: true },
    json: { type: "string" }
  }
})

if (asked.fetch) { for (const failed of await fetchAll()) console.error(`Not fetched: ${failed}`) }
const specifications = load()

const begun = performance.now()
const columns = ["requests", "clean", "changed", "refused", "warned", "invalid", "astray"] as const
const row = (name: string, cells: ReadonlyArray<number | string>) =>
  console.log(name.padEnd(62) + cells.map((cell) => String(cell).padStart(9)).join(""))
row("target", columns)

const tallies: Array<Tally> = []
const chosen = (await Effect.runPromise(targets(!asked.quick))).filter(({ provider }) =>
  asked.provider?.includes(provider) ?? true
)
for (const target of chosen) {
  const { model, provider, wire } = target
  const validators = [
    ...wireValidators(wire),
    ...hostValidators(provider, wire),
    ...specifications.validators(provider, wire, model)
  ]
  const tally = await Effect.runPromise(judge(target, cases, validators))
  tallies.push(tally)
  row(`${provider} ${wire.replace(/^openai-/, "")} ${model}`.slice(0, 61), columns.map((column) => tally[column]))
}

const total = (count: (tally: Tally) => number): number => tallies.reduce((sum, tally) => sum + count(tally), 0)
row("all", columns.map((column) => total((tally) => tally[column])))

const kinds = tallies.flatMap((tally) => [...tally.kinds.values()]).filter(({ warned }) => asked.warned || !warned)
for (const { cases, count, fault, target, validator, warned } of kinds) {
  console.log(
    `\n${target.provider} ${target.wire} ${target.model}: ${count} × ${fault.at || "body"} ${fault.message}${
      warned ? " (warned about)" : ""
    }\n  ${validator}: ${fault.source}\n  ${cases.join("; ")}`
  )
}
if (specifications.leftOut.length > 0) {
  console.log(`\nLeft out, because .specs/ does not hold them (see --fetch): ${specifications.leftOut.join(", ")}`)
}
const unjudged = tallies.filter(({ validators }) => validators.length === 0).map(({ target }) => target.provider)
if (unjudged.length > 0) console.log(`\nNot judged, for want of a validator: ${[...new Set(unjudged)].join(", ")}`)
console.log(
  `\n${total(({ requests }) => requests)} requests in ${((performance.now() - begun) / 1000).toFixed(0)} s: ` +
    `${total(({ invalid }) => invalid)} invalid, ${total(({ astray }) => astray)} astray`
)
if (asked.json !== undefined) writeFileSync(asked.json, JSON.stringify(kinds, undefined, 2))
if (total(({ invalid, astray }) => invalid + astray) > 0) process.exitCode = 1
