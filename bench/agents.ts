/**
 * The benchmark of agents and growing objects: `npm run bench:agents`. This library and others run the same script of a mock server.
 *
 * One process per client and scenario, rounds interleaved, CPU time of the client's process as the figure, medians, ratios measured in the
 * same run. Other libraries are pinned in bench/peers, each with its own lockfile, and installed when they are first asked for.
 *
 * --rounds n      rounds, default 3; a client that needs more than half of the limit runs once
 * --only text     scenarios whose id contains one of these, separated by commas
 * --clients text  clients whose name contains one of these, separated by commas
 * --limit s       seconds a process may take, default 90
 * --write         write docs/benchmarks-agents.md
 */
import { execFileSync, fork, spawn } from "node:child_process"
import { once } from "node:events"
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { cpus, totalmem, type } from "node:os"
import { parseArgs } from "node:util"
import type { AgentJob, AgentResult } from "./agents-child.ts"
import { type AgentScenario, scenarios } from "./agents-work.ts"

const { values: options } = parseArgs({
  options: {
    rounds: { type: "string", default: "3" },
    only: { type: "string", default: "" },
    clients: { type: "string", default: "" },
    limit: { type: "string", default: "90" },
    write: { type: "boolean", default: false }
  }
})

interface Client {
  readonly name: string
  readonly module: URL
  /** Folder of a library that is installed on its own, and the package whose version is shown. */
  readonly peer?: { readonly folder: URL; readonly package: string }
  /** What it has no way to do. */
  readonly without: ReadonlyArray<AgentScenario["kind"]>
}

const peer = (folder: string, name: string, packageName: string, without: Client["without"] = []): Client => ({
  name,
  module: new URL(`peers/${folder}/agents.mjs`, import.meta.url),
  peer: { folder: new URL(`peers/${folder}/`, import.meta.url), package: packageName },
  without
})

const ours = "effect-llm"
const all: ReadonlyArray<Client> = [
  { name: ours, module: new URL("agents-client.ts", import.meta.url), without: [] },
  peer("ai-sdk", "AI SDK", "ai"),
  peer("effect-ai", "effect/ai (beta)", "@effect/ai-anthropic", ["object"]),
  peer("langchain-agents", "LangChain", "langchain")
]

const chosen = (text: string, names: string) => names.split(",").some((name) => text.includes(name))
const clients = all.filter(({ name }) => chosen(name, options.clients))
const asked = scenarios.filter(({ id }) => chosen(id, options.only))
const limit = Number(options.limit) * 1000

for (const { peer } of clients) {
  if (peer === undefined || existsSync(new URL("node_modules/", peer.folder))) continue
  execFileSync("npm", ["ci", "--no-audit", "--no-fund"], { cwd: peer.folder, stdio: "inherit" })
}

type Outcome = AgentResult | "late" | "failed"

const measure = async (job: AgentJob): Promise<Outcome> => {
  const child = spawn(process.execPath, [
    new URL("agents-child.ts", import.meta.url).pathname,
    JSON.stringify(job)
  ], { stdio: ["ignore", "pipe", "pipe"] })
  let out = ""
  let problems = ""
  let late = false
  child.stdout.on("data", (chunk) => out += chunk)
  child.stderr.on("data", (chunk) => problems += chunk)
  const timer = setTimeout(() => {
    late = true
    child.kill("SIGKILL")
  }, limit)
  await once(child, "close")
  clearTimeout(timer)
  if (late) return "late"
  if (out !== "") return JSON.parse(out)
  process.stderr.write(`${problems.slice(0, 2000)}\n`)
  return "failed"
}

const median = (values: ReadonlyArray<number>): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!
const number = (value: number): string =>
  value >= 100 ? Math.round(value).toLocaleString("en") : value.toFixed(value < 10 ? 2 : 1)

const server = fork(new URL("agents-server.ts", import.meta.url))
const [{ url }] = await once(server, "message") as [{ readonly url: string }]

const sections: Array<string> = []
const warm = new Map<string, number>()
for (const scenario of asked) {
  const here = clients.filter(({ without }) => !without.includes(scenario.kind))
  const results = new Map<Client, Array<Outcome>>(here.map((client) => [client, []]))
  const slow = new Set<Client>()
  for (let round = 0; round < Number(options.rounds); round++) {
    for (const client of here) {
      if (slow.has(client)) continue
      const start = performance.now()
      const outcome = await measure({ scenario, module: client.module.href, url })
      if (typeof outcome === "string" || performance.now() - start > limit / 2) slow.add(client)
      results.get(client)!.push(outcome)
      process.stderr.write(
        `${scenario.id} ${client.name}: ${typeof outcome === "string" ? outcome : number(outcome.cpu)}\n`
      )
    }
  }
  const base = results.get(here.find(({ name }) => name === ours)!) ?? []
  const rows = clients.map((client) => {
    const outcomes = results.get(client)
    if (outcomes === undefined) return `| ${client.name} | has none | | | | | |`
    const figures = outcomes.filter((outcome) => typeof outcome !== "string")
    if (figures.length === 0) {
      const what = outcomes[0] === "late" ? `not done in ${options.limit} s` : "fails"
      return `| ${client.name} | ${what} | | | | | |`
    }
    const of = (field: "cpu" | "first" | "memory") => median(figures.map((figure) => figure[field]))
    // Of the same round.
    const ratio = (field: "cpu" | "first") => {
      const ratios = outcomes.flatMap((outcome, round) => {
        const other = base[round]
        return typeof outcome === "string" || other === undefined || typeof other === "string"
          ? []
          : [outcome[field] / other[field]]
      })
      return ratios.length === 0 ? "" : number(median(ratios))
    }
    if (client.name === ours) warm.set(scenario.id, of("cpu"))
    return `| ${client.name} | ${number(of("cpu"))} | ${ratio("cpu")} | ${number(of("first"))} | ${ratio("first")} | ${
      number(of("memory") / 2 ** 20)
    } | ${figures[0]!.partials?.toLocaleString("en") ?? ""} |`
  })
  sections.push([
    `### ${scenario.title}`,
    "",
    `Scenario \`${scenario.id}\`, rounds: ${Math.max(...[...results.values()].map(({ length }) => length))}.`,
    "",
    `| client | CPU ms, warm | x ${ours} | CPU ms, first | x ${ours} | peak MB | states seen |`,
    "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ...rows,
    ""
  ].join("\n"))
}
server.disconnect()

const [object, plain] = ["object-2mb", "plain-2mb"].map((id) => warm.get(id))
if (object !== undefined && plain !== undefined) {
  sections.push(
    `A growing object of 2 MB costs ${number(object / plain)} times the CPU of the same stream read as plain text.\n`
  )
}

const versionOf = ({ folder, package: name }: NonNullable<Client["peer"]>): string =>
  `${name} ${
    (JSON.parse(readFileSync(new URL(`node_modules/${name}/package.json`, folder), "utf8")) as { version: string })
      .version
  }`

const page = `# Benchmarks of agents and growing objects

What it costs the client's process, in CPU time, to run the same script of a mock model on the Anthropic wire: an agent of 50 steps, 20 tools at
once, a long history, an object that grows in deltas of ten characters. Each figure is the median of the rounds, interleaved, one process per
client and scenario; "x ${ours}" is the median of the ratios of the same rounds. "First" is the first call of a process, after its imports. A client that is so slow
that its process takes more than ${options.limit} seconds has no figure; one that takes more than half of that has one round, and one whose first call takes more than 12 seconds of CPU only that.

- Command: \`npm run bench:agents -- --rounds ${options.rounds} --write\`
- Machine: ${type()}, ${cpus().length} x ${cpus()[0]!.model.split(" ").slice(0, 2).join(" ")}, ${
  Math.round(totalmem() / 2 ** 30)
} GB
- Date: ${new Date().toISOString().slice(0, 10)}
- Versions: Node ${process.versions.node}, ${
  clients.flatMap(({ peer }) => peer === undefined ? [] : [versionOf(peer)]).join(", ")
}

${readFileSync(new URL("agents-notes.md", import.meta.url), "utf8").trim()}

## Results

${sections.join("\n")}`

if (options.write) writeFileSync(new URL("../docs/benchmarks-agents.md", import.meta.url), page)
else process.stdout.write(`${page}\n`)
