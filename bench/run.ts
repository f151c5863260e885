/**
 * The benchmark: `npm run bench`, or `npm run bench -- --full` with other libraries.
 *
 * One process per client and scenario, rounds interleaved (A B C, A B C, …), CPU time of the client's process as the figure,
 * medians, and ratios to raw `fetch` measured in the same run. The mock server is a process of its own. Other libraries
 * are pinned in bench/peers, each with its own lockfile, and installed there when `--full` is first asked for.
 *
 * --full          other libraries too
 * --rounds n      rounds of each scenario, default 5
 * --only text     scenarios whose id is, or where none is contains, one of these, separated by commas
 * --clients text  clients whose name contains one of these, separated by commas
 * --write         write docs/benchmarks.md and docs/benchmarks.svg
 * --from files    write them from the results of earlier runs (bench/results/last.json), several joined by commas, and measure
 *                 nothing
 * --out file      where the results go, beside bench/results/; written after each scenario. @default last.json
 * --profile       write a .cpuprofile of each process to .tmp/bench/profiles
 */
import { buildSync } from "esbuild"
import { execFileSync, fork, spawnSync } from "node:child_process"
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { cpus, totalmem, type } from "node:os"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"
import type { Job, Result } from "./child.ts"
import { type Measured, type Report, table, write } from "./report.ts"
import { type Scenario, scenarios } from "./scenarios.ts"

const { values: options } = parseArgs({
  options: {
    full: { type: "boolean", default: false },
    rounds: { type: "string", default: "5" },
    only: { type: "string" },
    clients: { type: "string" },
    write: { type: "boolean", default: false },
    from: { type: "string" },
    out: { type: "string", default: "last.json" },
    profile: { type: "boolean", default: false }
  }
})

const root = new URL("../", import.meta.url)
const scratch = new URL(".tmp/bench/", root)
const library = new URL("lib/", scratch)
const say = (text: string) => void process.stderr.write(`${text}\n`)

// -----------------------------------------------------------------------------
// Clients
// -----------------------------------------------------------------------------

/** What an application with one provider imports, as files of the built library. */
const door = ["provider/Anthropic.js", "LlmService.js", "Message.js"]

/** The modules of `effect` that importing those imports. */
const effectModules = (): ReadonlyArray<string> => {
  const seen = new Set<string>()
  const found = new Set<string>()
  const visit = (file: URL) => {
    if (seen.has(file.href)) return
    seen.add(file.href)
    for (const [, name] of readFileSync(file, "utf8").matchAll(/^(?:import|export) [^;]*?from "([^"]+)"/gm)) {
      if (name!.startsWith(".")) visit(new URL(name!, file))
      else found.add(name!)
    }
  }
  for (const path of door) visit(new URL(path, library))
  return [...found].toSorted()
}

interface Contender {
  readonly name: string
  readonly module: string
  readonly variant: string
  readonly version?: string | undefined
  readonly accepts: (scenario: Scenario) => boolean
}

const own = (file: string) => new URL(`clients/${file}.ts`, import.meta.url).href
const unbundled = (scenario: Scenario) => scenario.bundled !== true
const always = () => true

const ours = (variant: string): Contender => ({
  name: `effect-llm, ${variant.replaceAll(",", ", ")}`,
  module: own("effect-llm"),
  variant,
  accepts: (scenario) =>
    unbundled(scenario) &&
    (variant === "fetch,arrays" || variant === "node,arrays" || (scenario.variants?.includes(variant) ?? false))
})

const variants = ["fetch,arrays", "node,arrays", ...new Set(scenarios.flatMap((scenario) => scenario.variants ?? []))]

const base: ReadonlyArray<Contender> = [
  { name: "raw fetch", module: own("fetch"), variant: "", accepts: always },
  { name: "raw node:http", module: own("node-http"), variant: "", accepts: always },
  { name: "raw effect/http", module: own("effect-http"), variant: "", accepts: always },
  {
    name: "import \"effect\" alone",
    module: own("import-effect"),
    variant: "",
    accepts: (scenario) => scenario.mode === "cold" && unbundled(scenario)
  },
  {
    name: "import effect-llm alone",
    module: own("import-effect-llm"),
    variant: "",
    accepts: (scenario) => scenario.mode === "cold" && unbundled(scenario)
  },
  {
    name: "import effect-llm/Anthropic, LlmService, Message alone",
    module: own("import-used"),
    variant: door.map((path) => new URL(path, library).href).join(","),
    accepts: (scenario) => scenario.id === "cold"
  },
  {
    name: "import the effect modules of those alone",
    module: own("import-used"),
    get variant() {
      return effectModules().join(",")
    },
    accepts: (scenario) => scenario.id === "cold"
  },
  {
    name: "effect-llm",
    module: own("bundled-anthropic"),
    variant: "",
    accepts: (scenario) => scenario.id === "bundled-anthropic"
  },
  {
    name: "effect-llm",
    module: own("bundled-openai"),
    variant: "",
    accepts: (scenario) => scenario.id === "bundled-chat"
  },
  ...variants.map(ours)
]

interface Peer {
  /** Client name by wire; `*` when one name fits all. */
  readonly name: string
  readonly wires: ReadonlyArray<string>
  /** The package whose version is shown. */
  readonly package: string
  readonly file?: string | undefined
  /** Scenarios it cannot run, by id, with the reason. */
  readonly skip?: { readonly [id: string]: string } | undefined
}

const peersFolder = new URL("peers/", import.meta.url)

/** Installs what bench/peers pins, from each folder's own lockfile. */
const install = (folder: URL) => {
  if (existsSync(new URL("node_modules/", folder))) return
  say(`installing ${fileURLToPath(folder)}`)
  const npm = process.platform === "win32" ? "npm.cmd" : "npm"
  const done = spawnSync(npm, ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], {
    cwd: folder,
    stdio: ["ignore", "ignore", "inherit"]
  })
  if (done.status !== 0) say(`not installed: ${fileURLToPath(folder)}; left out`)
}

const peers = (): Array<Contender> =>
  readdirSync(peersFolder, { withFileTypes: true }).filter((entry) => entry.isDirectory()).flatMap((entry) => {
    const folder = new URL(`${entry.name}/`, peersFolder)
    install(folder)
    const manifest = JSON.parse(readFileSync(new URL("package.json", folder), "utf8")) as {
      readonly bench: ReadonlyArray<Peer>
      readonly dependencies: { readonly [name: string]: string }
    }
    if (!existsSync(new URL("node_modules/", folder))) return []
    return manifest.bench.map((peer): Contender => ({
      name: peer.name,
      module: new URL(peer.file ?? "client.mjs", folder).href,
      variant: "",
      version: `${peer.package} ${manifest.dependencies[peer.package]}`,
      accepts: (scenario) =>
        scenario.peers !== false && peer.wires.includes(scenario.wire) && peer.skip?.[scenario.id] === undefined
    }))
  })

// -----------------------------------------------------------------------------
// Measuring
// -----------------------------------------------------------------------------

const build = () => {
  mkdirSync(scratch, { recursive: true })
  const tsc = fileURLToPath(new URL("node_modules/.bin/tsc", root))
  const done = spawnSync(tsc, [
    "-p",
    "tsconfig.build.json",
    "--outDir",
    fileURLToPath(library),
    "--declaration",
    "false",
    "--declarationMap",
    "false",
    "--sourceMap",
    "false"
  ], { cwd: root, encoding: "utf8" })
  if (done.status !== 0) say(`The library does not compile cleanly:\n${done.stdout}`)
}

/** The module of a client, alone or with all that it imports in one file. */
const moduleOf = ({ module }: Contender, { bundled }: Scenario): string => {
  if (bundled !== true) return module
  const outfile = new URL(`bundles/${module.replaceAll(/\W+/g, "-").slice(-80)}.mjs`, scratch)
  const require = "import { createRequire } from \"node:module\"; const require = createRequire(import.meta.url);"
  buildSync({
    entryPoints: [fileURLToPath(module)],
    outfile: fileURLToPath(outfile),
    bundle: true,
    minify: true,
    format: "esm",
    platform: "node",
    target: "node24",
    banner: { js: require },
    logLevel: "error"
  })
  return outfile.href
}

const startServer = () =>
  new Promise<{ readonly port: number; readonly stop: () => void }>((resolve) => {
    const server = fork(fileURLToPath(new URL("server.ts", import.meta.url)), { stdio: "inherit" })
    server.once("message", (port) => resolve({ port: Number(port), stop: () => void server.disconnect() }))
  })

const modules = new Map<string, string>()

const measure = (contender: Contender, scenario: Scenario, port: number): Result | undefined => {
  const job: Job = {
    scenario,
    module: modules.get(`${contender.module} ${scenario.bundled}`)!,
    setup: {
      wire: scenario.wire,
      url: `http://127.0.0.1:${port}/${scenario.answer}`,
      variant: contender.variant,
      library: library.href
    }
  }
  const profile = options.profile
    ? ["--cpu-prof", "--cpu-prof-interval=200", `--cpu-prof-dir=${fileURLToPath(new URL("profiles/", scratch))}`]
    : []
  const child = spawnSync(
    process.execPath,
    [...profile, fileURLToPath(new URL("child.ts", import.meta.url)), JSON.stringify(job)],
    { encoding: "utf8", timeout: 300_000, maxBuffer: 1 << 26 }
  )
  try {
    return JSON.parse(child.stdout.trim().split("\n").at(-1)!)
  } catch {
    say(`  ${contender.name}: failed\n${child.stderr.slice(0, 2000)}`)
    return undefined
  }
}

const matches = (text: string, filter: string | undefined) =>
  filter === undefined || filter.split(",").some((word) => text.includes(word))

/** `chat-1` is that scenario alone, though `chat-16` begins with it. */
const isChosen = ({ id }: Scenario): boolean =>
  options.only === undefined ||
  options.only.split(",").some((word) => scenarios.some((one) => one.id === word) ? id === word : id.includes(word))

const versionOf = (name: string): string => {
  const file = new URL(`node_modules/${name}/package.json`, root)
  return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")).version : "?"
}

const rounds = Number(options.rounds)

/** A client whose process takes longer than this is measured in one round only. */
const slowMillis = 25_000

const run = async (onMeasured: (measured: ReadonlyArray<Measured>) => void): Promise<ReadonlyArray<Measured>> => {
  build()
  if (options.profile) mkdirSync(new URL("profiles/", scratch), { recursive: true })
  const server = await startServer()
  const contenders = [...base, ...(options.full ? peers() : [])].filter((one) =>
    one.name === "raw fetch" || matches(one.name, options.clients)
  )
  const measured: Array<Measured> = []
  for (const scenario of scenarios.filter(isChosen)) {
    const taking = contenders.filter((one) => one.accepts(scenario))
    for (const one of taking) modules.set(`${one.module} ${scenario.bundled}`, moduleOf(one, scenario))
    const results = new Map(taking.map((one) => [one, [] as Array<Result>]))
    const done = new Set<Contender>()
    for (let round = 0; round < rounds; round++) {
      for (const contender of taking) {
        if (done.has(contender)) continue
        const begun = performance.now()
        const result = measure(contender, scenario, server.port)
        if (result === undefined || performance.now() - begun > slowMillis) done.add(contender)
        if (result !== undefined) results.get(contender)!.push(result)
      }
    }
    const one: Measured = {
      scenario,
      rows: taking.flatMap((contender) => {
        const own = results.get(contender)!
        return own.length === 0 ? [] : [{ name: contender.name, version: contender.version, results: own }]
      })
    }
    measured.push(one)
    onMeasured(measured)
    process.stdout.write(`\n${table(one)}\n`)
  }
  server.stop()
  return measured
}

const git = (...args: Array<string>) => {
  try {
    return execFileSync("git", args, { cwd: root, encoding: "utf8" }).trim()
  } catch {
    return "unknown"
  }
}

/** What was built; read before anything is measured. */
const commit = git("rev-parse", "--short", "HEAD") +
  (git("status", "--porcelain", "--", "src") === "" ? "" : " and changes")

const reportOf = (measured: ReadonlyArray<Measured>): Report => ({
  measured,
  rounds,
  date: new Date().toISOString().slice(0, 10),
  commit,
  command: `npm run bench -- ${process.argv.slice(2).join(" ")}`.trim(),
  machine: `${type()}, ${cpus().length} x ${cpus()[0]?.model.trim() ?? "?"}, ${Math.round(totalmem() / 2 ** 30)} GB`,
  versions: [
    `Node ${process.versions.node}`,
    `effect ${versionOf("effect")}`,
    ...new Set(measured.flatMap(({ rows }) => rows.flatMap((row) => row.version ?? [])))
  ]
})

const results = new URL("results/", import.meta.url)
const docs = new URL("docs/", root)

const publish = (report: Report) => {
  write(report, docs)
  const dprint = fileURLToPath(new URL("node_modules/.bin/dprint", root))
  spawnSync(dprint, ["fmt", "--config", "dprint.markdown.json", "docs/benchmarks.md"], { cwd: root })
}

/** Several runs as one; the scenarios of each were measured within it. */
const joined = (reports: ReadonlyArray<Report>): Report => {
  const order = (one: Measured) => scenarios.findIndex(({ id }) => id === one.scenario.id)
  const distinct = (pick: (report: Report) => string) => [...new Set(reports.map(pick))].join(", ")
  return {
    measured: reports.flatMap((report) => report.measured).toSorted((a, b) => order(a) - order(b)),
    rounds: Math.min(...reports.map((report) => report.rounds)),
    date: distinct((report) => report.date),
    commit: distinct((report) => report.commit),
    command: reports.map((report) => report.command).join("`, `"),
    machine: distinct((report) => report.machine),
    versions: [...new Set(reports.flatMap((report) => report.versions))]
  }
}

if (options.from !== undefined) {
  publish(joined(options.from.split(",").map((file) => JSON.parse(readFileSync(file, "utf8")) as Report)))
} else {
  mkdirSync(results, { recursive: true })
  const report = reportOf(
    await run((measured) =>
      writeFileSync(new URL(options.out, results), JSON.stringify(reportOf(measured), undefined, 1))
    )
  )
  if (options.write) publish(report)
}
