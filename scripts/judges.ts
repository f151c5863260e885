/**
 * Programs of others judge the gateway, offline: coding agents, clients, the Open Responses compliance suite, clients that hang up.
 *
 * `npm run judges` runs all that is installed (`npm ci --prefix judges/…`) and writes docs/judges.md; `-- --only codex,claude` runs some and
 * writes nothing. It runs in a network namespace that has the loopback alone, where the system allows one, and says so where not.
 * The Open Responses suite is not ours: `-- --open-responses FOLDER` takes a checkout of it.
 */
import { Effect } from "effect"
import { spawnSync } from "node:child_process"
import { writeFileSync } from "node:fs"
import { join, resolve } from "node:path"
import { parseArgs } from "node:util"
import { judgeClaudeCode, judgeCodex } from "./judges/agents.ts"
import { judgeClients } from "./judges/clients.ts"
import { judgeHangingUp } from "./judges/hanging-up.ts"
import { judgeOpenResponses } from "./judges/open-responses.ts"
import { type Finding, root } from "./judges/world.ts"

const { values } = parseArgs({
  options: { only: { type: "string" }, "open-responses": { type: "string" } }
})

const alone = "EFFECT_LLM_JUDGES_ALONE"

/** Begins anew where nothing but the loopback can be reached. */
const enterLoopback = (): void => {
  if (process.env[alone] !== undefined) return
  const can = spawnSync("unshare", ["-rn", "sh", "-c", "ip link set lo up"]).status === 0
  if (!can) {
    console.log("No network namespace can be made here: foreign programs could reach the network.")
    process.env[alone] = "no"
    return
  }
  const again = spawnSync(
    "unshare",
    ["-rn", "sh", "-c", "ip link set lo up && exec \"$@\"", "sh", process.execPath, ...process.argv.slice(1)],
    { stdio: "inherit", env: { ...process.env, [alone]: "yes" } }
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
void writeFileSync
void join
void resolve
void root
const bad = findings.filter(({ good }) => !good)
console.log(`${findings.length - bad.length} of ${findings.length} good`)
process.exit(bad.length === 0 ? 0 : 1)
