/**
 * Programs of others judge the gateway, offline: coding agents, clients, the Open Responses compliance suite, clients that hang up.
 *
 * `npm run judges` runs all that is installed (`npm ci --prefix judges/…`) and writes docs/judges.md; `-- --only codex,claude` runs some and
 * replaces what they found there. It runs in a network namespace that has the loopback alone, where the system allows one, and says so where not.
 * The Open Responses suite is not ours: `-- --open-responses FOLDER` takes a checkout of it.
 */
import { Effect } from "effect"
import { spawnSync } from "node:child_process"
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { parseArgs } from "node:util"
import { judgeClaudeCode, judgeCodex } from "./judges/agents.ts"
import { judgeClients } from "./judges/clients.ts"
import { judgeHangingUp } from "./judges/hanging-up.ts"
import { judgeOpenResponses } from "./judges/open-responses.ts"
import { type Finding, root } from "./judges/world.ts"

const { values } = parseArgs({
  options: { only: { type: "string" }, "open-responses": { type: "string" } }
})

const variable = "EFFECT_LLM_JUDGES_ALONE"

/** Begins anew where nothing but the loopback can be reached. */
const enterLoopback = (): void => {
  if (process.env[variable] !== undefined) return
  const can = spawnSync("unshare", ["-rn", "sh", "-c", "ip link set lo up"]).status === 0
  if (!can) {
    console.log("No network namespace can be made here: foreign programs could reach the network.")
    process.env[variable] = "no"
    return
  }
  const again = spawnSync(
    "unshare",
    ["-rn", "sh", "-c", "ip link set lo up && exec \"$@\"", "sh", process.execPath, ...process.argv.slice(1)],
    { stdio: "inherit", env: { ...process.env, [variable]: "yes" } }
  )
  process.exit(again.status ?? 1)
}

enterLoopback()

const judges: Readonly<Record<string, Effect.Effect<ReadonlyArray<Finding>>>> = {
  codex: judgeCodex,
  claude: judgeClaudeCode,
  "open-responses": judgeOpenResponses(values["open-responses"]),
  clients: judgeClients,
  "hanging-up": judgeHangingUp
}

const asked = values.only?.split(",") ?? Object.keys(judges)
const findings: Array<Finding> = []
for (const name of asked) {
  const judge = judges[name]
  if (judge === undefined) {
    console.error(`There is no judge ${name}; there are: ${Object.keys(judges).join(", ")}.`)
    process.exit(1)
  }
  findings.push(...await Effect.runPromise(judge))
}

const bad = findings.filter(({ good }) => !good)
const summary = `${findings.length - bad.length} of ${findings.length} good`
console.log(`\n${summary}`)

// =============================================================================
// Report
// =============================================================================

/** A sentence about a table: the last runs of all. */
const introduction = `# Judged by others

The last output of \`npm run judges -- --open-responses FOLDER\` (scripts/judges.ts): programs of others, as they come from npm, in front of
the program \`effect-llm gateway\`, with simulators behind it. Nothing else can be reached: it runs in a network namespace with
the loopback alone. "Seen" is what passed between a program and the gateway, which a proxy writes down, and what the program itself tells.
A primary that fails does so on every call, before its first word; after content a failure is an error of the client's wire, as
[limits](limits.md) has it. The compliance suite is that of Open Responses, from a fork of July 2026 that has all 17 tests; none of it is
in this repository. Versions stand in the lockfiles of \`judges/\`.
`

const cell = (text: string): string => text.replaceAll("|", "\\|").replaceAll(/\s+/g, " ").slice(0, 300)

const tableOf = (of: ReadonlyArray<Finding>): string =>
  [
    "| What | Verdict | Seen |",
    "| --- | --- | --- |",
    ...of.map(({ good, name, note }) => `| ${cell(name)} | ${good ? "good" : "**bad**"} | ${cell(note)} |`)
  ].join("\n")

const report = join(root, "docs/judges.md")

/** Sections of the last report, by judge; those that judged now are replaced. */
const earlier = existsSync(report)
  ? readFileSync(report, "utf8").split(/^## /m).slice(1).map((section) =>
    [section.slice(0, section.indexOf("\n")), `## ${section}`.trimEnd() + "\n"] as const
  )
  : []
const now = [...Map.groupBy(findings, ({ judge }) => judge)].map(([judge, of]) =>
  [judge, `## ${judge}\n\n${tableOf(of)}\n`] as const
)
const sections = [...new Map(values.only === undefined ? now : [...earlier, ...now]).values()]
const good = sections.join("").split("| good |").length - 1
const bads = sections.join("").split("| **bad** |").length - 1
const alone = process.env[variable] === "yes" ? "with the loopback alone" : "**without a network namespace**"
const when = `Last run ${new Date().toISOString().slice(0, 10)}, Node ${process.version}, ${alone}: ${good} of ${
  good + bads
} good.\n`
writeFileSync(report, [introduction, when, ...sections].join("\n"))
process.exit(bad.length === 0 ? 0 : 1)
