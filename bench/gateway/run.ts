/**
 * What the gateway costs: added latency per call and per streamed token, calls per second, streams at once, memory; beside a plain proxy
 * of `node:http` and the gateway of Portkey, all in the same run, against the same mock server, in turns.
 *
 * `npm run bench:gateway` builds the package and prints; `-- --write` puts the tables into docs/benchmarks-gateway.md. `-- --rounds 3`,
 * `-- --quick`, `-- --only gateway,plain`; `-- --profile` writes CPU profiles of the gateway to bench/results. Portkey's is measured when
 * `npm ci --prefix bench/gateway/peers/portkey` has installed it.
 */
import { type ChildProcess, fork, spawn } from "node:child_process"
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { cpus, loadavg, tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"
import type { Load, Measured } from "./load.ts"

const { values: options } = parseArgs({
  options: {
    rounds: { type: "string", default: "3" },
    quick: { type: "boolean", default: false },
    write: { type: "boolean", default: false },
    profile: { type: "boolean", default: false },
    only: { type: "string" },
    scenario: { type: "string" }
  }
})

const root = fileURLToPath(new URL("../../", import.meta.url))
const scratch = mkdtempSync(join(tmpdir(), "effect-llm-bench-"))
const children: Array<ChildProcess> = []
const file = (name: string) => fileURLToPath(new URL(name, import.meta.url))

// =============================================================================
// Contenders
// =============================================================================

interface Target {
  readonly url: string
  readonly pid: number | undefined
  readonly headers: Readonly<Record<string, string>>
  readonly stop: () => Promise<void>
}

/** Starts a program that prints the address it listens on. */
const start = (args: ReadonlyArray<string>, env: Record<string, string> = {}): Promise<Target> =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, {
      env: { PATH: process.env["PATH"], NODE_ENV: "production", ...env },
      stdio: ["ignore", "pipe", "inherit"]
    })
    children.push(child)
    let said = ""
    const ended = new Promise<void>((done) => child.on("close", () => done()))
    child.on("close", (code) => reject(new Error(`${args.join(" ")} ended with ${code}`)))
    child.stdout.on("data", (piece) => {
      said += String(piece)
      const found = /http:\/\/127\.0\.0\.1:[1-9]\d*/.exec(said)
      if (found === null) return
      const stop = async () => {
        child.kill("SIGINT")
        const hard = setTimeout(() => child.kill("SIGKILL"), 3000)
        await ended
        clearTimeout(hard)
      }
      resolve({ url: found[0], pid: child.pid, headers: {}, stop })
    })
  })

const portkey = join(root, "bench/gateway/peers/portkey/node_modules/@portkey-ai/gateway/build/start-server.js")

const startGateway = (upstream: string): Promise<Target> => {
  const config = join(scratch, "llm.json")
  writeFileSync(
    config,
    JSON.stringify({
      default: "mock",
      instances: {
        mock: { provider: "openai", model: "gpt-4.1", options: { api: "chat" }, baseUrl: `${upstream}/v1` }
      },
      gateway: { routes: [{ model: "*", to: "mock", as: "*" }], limits: { drain: "1 second" } }
    })
  )
  const results = join(root, "bench/results")
  mkdirSync(results, { recursive: true })
  const profile = options.profile ? ["--cpu-prof", `--cpu-prof-dir=${results}`] : []
  return start([...profile, join(root, "dist/gateway/main.js"), "gateway", "--config", config, "--port", "0"], {
    OPENAI_API_KEY: "sk-bench-0123456789"
  })
}

const contenders: Readonly<Record<string, (upstream: string) => Promise<Target>>> = {
  direct: (upstream) => Promise.resolve({ url: upstream, pid: undefined, headers: {}, stop: () => Promise.resolve() }),
  plain: (upstream) => start([file("plain.ts"), upstream]),
  gateway: startGateway,
  ...(existsSync(portkey)
    ? {
      portkey: async (upstream: string) => ({
        ...await start(["--import", file("loopback.ts"), portkey, "--headless", "--port=0"]),
        headers: { "x-portkey-provider": "openai", "x-portkey-custom-host": `${upstream}/v1` }
      })
    }
    : undefined)
}

const names: Readonly<Record<string, string>> = {
  direct: "no proxy",
  plain: "plain `node:http` proxy",
  gateway: "effect-llm gateway",
  portkey: "@portkey-ai/gateway"
}

// =============================================================================
// Measuring
// =============================================================================

interface Scenario {
  readonly name: string
  readonly answer: string
  readonly stream: boolean
  readonly concurrency: number
  readonly calls: number
  readonly warmup: number
  readonly deltas?: number
}

const scale = options.quick ? 0.2 : 1
const scenarios: ReadonlyArray<Scenario> = [
  { name: "whole-1", answer: "kind-json", stream: false, concurrency: 1, calls: 1000, warmup: 600 },
  { name: "whole-64", answer: "kind-json", stream: false, concurrency: 64, calls: 6000, warmup: 2000 },
  {
    name: "stream-1",
    answer: "kind-text.deltas-400.per-1",
    stream: true,
    concurrency: 1,
    calls: 60,
    warmup: 20,
    deltas: 400
  },
  {
    name: "stream-64",
    answer: "kind-text.deltas-400.per-1",
    stream: true,
    concurrency: 64,
    calls: 256,
    warmup: 64,
    deltas: 400
  },
  // 50 deltas a second each.
  {
    name: "paced-200",
    answer: "kind-text.deltas-100.pace-20",
    stream: true,
    concurrency: 200,
    calls: 400,
    warmup: 0,
    deltas: 100
  }
]

const loadOf = (scenario: Scenario, target: Target, upstream: string, contender: string): Load => ({
  url: contender === "direct" ? upstream : target.url,
  headers: target.headers,
  stream: scenario.stream,
  concurrency: scenario.concurrency,
  calls: Math.ceil(scenario.calls * (scenario.name === "paced-200" ? 1 : scale)),
  warmup: scenario.warmup
})

const measure = (load: Load): Promise<Measured> =>
  new Promise((resolve) => {
    const child = fork(file("load.ts"), { stdio: "inherit" })
    children.push(child)
    child.once("message", (measured) => {
      child.disconnect()
      resolve(measured as Measured)
    })
    child.send(load)
  })

/** Resident memory in MiB, from `/proc` (Linux). */
const memoryOf = (pid: number | undefined, field: "VmRSS" | "VmHWM"): number | undefined => {
  if (pid === undefined) return undefined
  try {
    const found = new RegExp(`${field}:\\s+(\\d+)`).exec(readFileSync(`/proc/${pid}/status`, "utf8"))
    return found === null ? undefined : Math.round(Number(found[1]) / 1024)
  } catch {
    return undefined
  }
}

/** CPU time of all threads of a process so far, in milliseconds (Linux: `/proc/PID/task/TID/schedstat`, in nanoseconds). */
const cpuOf = (pid: number | undefined): number => {
  if (pid === undefined) return Number.NaN
  try {
    return readdirSync(`/proc/${pid}/task`).reduce(
      (sum, task) => sum + Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, "utf8").split(" ")[0]) / 1e6,
      0
    )
  } catch {
    return Number.NaN
  }
}

const quantile = (values: ReadonlyArray<number>, q: number): number =>
  values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * q))] ?? Number.NaN

const median = (values: ReadonlyArray<number>): number => quantile(values, 0.5)

interface Figures {
  readonly p50: number
  readonly p99: number
  readonly perSecond: number
  readonly first: number
  readonly lag50: number
  readonly lag99: number
  readonly failed: number
  /** CPU milliseconds of the proxy per call, those of the warm-up among them. */
  readonly cpu: number
}

const figuresOf = ({ failed, first, lags, millis, seconds }: Measured, cpu: number): Figures => ({
  p50: quantile(millis, 0.5),
  p99: quantile(millis, 0.99),
  perSecond: millis.length / seconds,
  first: quantile(first, 0.5),
  lag50: quantile(lags, 0.5),
  lag99: quantile(lags, 0.99),
  failed,
  cpu
})

const results = new Map<string, Array<Figures>>()
const memory = new Map<string, Array<{ readonly idle: number | undefined; readonly peak: number | undefined }>>()

const startServer = (): Promise<string> =>
  new Promise((resolve) => {
    const server = fork(file("../server.ts"), { stdio: "inherit" })
    children.push(server)
    server.once("message", (port) => resolve(`http://127.0.0.1:${Number(port)}`))
  })

const asked = Object.keys(contenders).filter((name) =>
  name === "direct" || (options.only?.split(",").includes(name) ?? true)
)
const chosen = scenarios.filter(({ name }) => options.scenario === undefined || name === options.scenario)
const loads: Array<number> = []
const origin = await startServer()
try {
  for (let round = 0; round < Number(options.rounds); round++) {
    for (const scenario of chosen) {
      for (const contender of asked) {
        const upstream = `${origin}/${scenario.answer}`
        const target = await contenders[contender]!(upstream)
        const idle = memoryOf(target.pid, "VmRSS")
        const load = loadOf(scenario, target, upstream, contender)
        const used = cpuOf(target.pid)
        const measured = await measure(load)
        const figures = figuresOf(measured, (cpuOf(target.pid) - used) / (load.calls + load.warmup))
        const peak = memoryOf(target.pid, "VmHWM")
        await target.stop()
        loads.push(loadavg()[0]!)
        const key = `${scenario.name} ${contender}`
        results.set(key, [...results.get(key) ?? [], figures])
        memory.set(key, [...memory.get(key) ?? [], { idle, peak }])
        console.log(
          `${round + 1} ${key.padEnd(20)} p50 ${figures.p50.toFixed(2)} p99 ${figures.p99.toFixed(2)} ms, ` +
            `${figures.perSecond.toFixed(0)}/s, first ${figures.first.toFixed(2)} ms, lag ${figures.lag50.toFixed(2)}/${
              figures.lag99.toFixed(2)
            } ms, failed ${figures.failed}, CPU ${figures.cpu.toFixed(3)} ms, ${idle ?? "-"} to ${peak ?? "-"} MiB`
        )
      }
    }
  }
} finally {
  for (const child of children) if (child.exitCode === null) child.kill("SIGKILL")
  rmSync(scratch, { recursive: true, force: true })
}

// =============================================================================
// Report
// =============================================================================

const of = (scenario: string, contender: string, field: keyof Figures): number =>
  median((results.get(`${scenario} ${contender}`) ?? []).map((figures) => figures[field]))

const proxies = asked.filter((name) => name !== "direct")
const ms = (value: number): string => Number.isNaN(value) ? "-" : value.toFixed(2)
const table = (head: ReadonlyArray<string>, rows: ReadonlyArray<ReadonlyArray<string>>): string =>
  [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n")

const added = (scenario: string, contender: string, field: "p50" | "p99" | "first"): string =>
  ms(of(scenario, contender, field) - of(scenario, "direct", field))

const perToken = (scenario: string, contender: string): string => {
  const { concurrency, deltas } = scenarios.find(({ name }) => name === scenario)!
  const each = (name: string) => concurrency / (of(scenario, name, "perSecond") * concurrency * deltas!)
  return ((each(contender) - each("direct")) * 1e6).toFixed(1)
}

const memoryText = (contender: string): string => {
  const all = ["whole-64", "stream-64", "paced-200"].map((name) => memory.get(`${name} ${contender}`) ?? [])
  const idle = median(all.flat().flatMap((one) => one.idle ?? []))
  return `${idle} | ${all.map((one) => median(one.flatMap((run) => run.peak ?? []))).join(" / ")}`
}

const report = `${
  table(
    [
      "Whole answers",
      "added p50, 1 at once",
      "added p99",
      "added p50, 64 at once",
      "added p99",
      "calls/s, 64 at once",
      "ratio to plain",
      "CPU ms a call"
    ],
    ["direct", ...proxies].map((name) => [
      names[name]!,
      name === "direct" ? `(${ms(of("whole-1", name, "p50"))})` : added("whole-1", name, "p50"),
      name === "direct" ? `(${ms(of("whole-1", name, "p99"))})` : added("whole-1", name, "p99"),
      name === "direct" ? `(${ms(of("whole-64", name, "p50"))})` : added("whole-64", name, "p50"),
      name === "direct" ? `(${ms(of("whole-64", name, "p99"))})` : added("whole-64", name, "p99"),
      of("whole-64", name, "perSecond").toFixed(0),
      (of("whole-64", name, "perSecond") / of("whole-64", "plain", "perSecond")).toFixed(2),
      name === "direct" ? "" : of("whole-64", name, "cpu").toFixed(2)
    ])
  )
}

${
  table(
    [
      "Streams of 400 deltas",
      "added to the first byte, 1 at once",
      "µs per delta, 1 at once",
      "µs per delta, 64 at once",
      "streams/s, 64 at once",
      "CPU µs a delta"
    ],
    ["direct", ...proxies].map((name) => [
      names[name]!,
      name === "direct" ? `(${ms(of("stream-1", name, "first"))})` : added("stream-1", name, "first"),
      name === "direct" ? "" : perToken("stream-1", name),
      name === "direct" ? "" : perToken("stream-64", name),
      of("stream-64", name, "perSecond").toFixed(1),
      name === "direct" ? "" : (of("stream-64", name, "cpu") * 1000 / 400).toFixed(1)
    ])
  )
}

${
  table(
    [
      "200 streams at once, 50 deltas a second each",
      "delta p50",
      "delta p99",
      "failed",
      "MiB idle",
      "MiB at most: whole / streams / paced"
    ],
    ["direct", ...proxies].map((name) => [
      names[name]!,
      ms(of("paced-200", name, "lag50")),
      ms(of("paced-200", name, "lag99")),
      String(of("paced-200", name, "failed")),
      ...(name === "direct" ? ["", ""] : memoryText(name).split(" | "))
    ])
  )
}
`

const busy = `${Math.min(...loads).toFixed(1)} to ${Math.max(...loads).toFixed(1)}`
const about = `${new Date().toISOString().slice(0, 10)}, Node ${process.version}, ${cpus().length} × ${
  cpus()[0]?.model.trim()
}, ${options.rounds} rounds${options.quick ? " of a fifth of the calls" : ""}, load average during the run ${busy}.`
console.log(`\n${about}\n\n${report}`)

if (options.write) {
  const path = join(root, "docs/benchmarks-gateway.md")
  const text = readFileSync(path, "utf8")
  const [begin, end] = ["<!-- figures -->", "<!-- /figures -->"]
  writeFileSync(
    path,
    `${text.slice(0, text.indexOf(begin) + begin.length)}\n\n${about}\n\n${report}\n${text.slice(text.indexOf(end))}`
  )
}
