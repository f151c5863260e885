/**
 * Runs scenarios made from the public faults of other agents against ours, and prints what came of each.
 *
 * `npm run run-faults` prints the table; `npm run run-faults -- --write` puts it into docs/run-faults.md. Exits with 1 when one fails.
 */
import { Cause, Effect, Exit } from "effect"
import { readFileSync, writeFileSync } from "node:fs"
import { approvals } from "./run-faults/approvals.ts"
import { runs } from "./run-faults/runs.ts"

const scenarios = [...approvals, ...runs]

/** What went wrong in a scenario, if anything did. */
const verdictOf = async ({ run }: typeof scenarios[number]): Promise<string | undefined> => {
  const exit = await Effect.runPromiseExit(Effect.timeout(run, "30 seconds"))
  return Exit.isSuccess(exit) ? exit.value : Cause.pretty(exit.cause).split("\n")[0]
}

const rows: Array<string> = []
for (const scenario of scenarios) {
  const verdict = await verdictOf(scenario)
  const { kind, source, title } = scenario
  if (verdict !== undefined) process.exitCode = 1
  const where = source.replace("https://github.com/", "").replace(/\/(?:issues|pull)\//, "#")
  rows.push(`| ${kind} | ${title} | [${where}](${source}) | ${verdict === undefined ? "holds" : `fails: ${verdict}`} |`)
}

const kinds = [...Map.groupBy(scenarios, ({ kind }) => kind)].map(([kind, all]) => `${kind} ${all.length}`).join(", ")
const table = [
  `${scenarios.length} scenarios (${kinds}); ${rows.filter((row) => row.endsWith("| holds |")).length} hold.`,
  "",
  "| kind | what has to hold | seen in | ours |",
  "| --- | --- | --- | --- |",
  ...rows
].join("\n")

console.log(table)

if (process.argv.includes("--write")) {
  const file = new URL("../docs/run-faults.md", import.meta.url)
  const page = readFileSync(file, "utf8")
  const begin = "<!-- table -->\n"
  const end = "<!-- end of table -->"
  const [before] = page.split(begin)
  const after = page.split(end)[1]
  writeFileSync(
    file,
    `${before}${begin}\n<!-- dprint-ignore-start -->\n\n${table}\n\n<!-- dprint-ignore-end -->\n\n${end}${after}`
  )
}
