/**
 * One client in one scenario, in a process of its own. The job comes as JSON in the first argument, the result goes as
 * JSON to standard output. Cost is the CPU time of this process, all its threads included.
 */
import type { Client, Make, Prompt, Setup } from "./client.ts"
import type { Scenario } from "./scenarios.ts"

export interface Job {
  readonly scenario: Scenario
  /** URL of the client's module. */
  readonly module: string
  readonly setup: Setup
}

export interface Result {
  /** CPU microseconds per unit of the measured calls. */
  readonly cpu: number
  /** Wall-clock microseconds per unit. */
  readonly wall: number
  /** CPU microseconds per unit of the first call of the process. */
  readonly first: number
  /** Peak resident memory in bytes. */
  readonly memory: number
  /** Microseconds from the server's write to the client's delta. */
  readonly latency?: { readonly p50: number; readonly p99: number } | undefined
}

const job: Job = JSON.parse(process.argv[2]!)
const { scenario, setup } = job

const turns = (characters: number): ReadonlyArray<string> => {
  const one = "All work and no play makes a dull conversation, so \"quotes\" and\nline breaks are in it too. ".repeat(
    100
  )
  const count = Math.ceil(characters / one.length)
  return Array.from({ length: count % 2 === 0 ? count + 1 : count }, () => one)
}

const prompt: Prompt = { turns: scenario.history === undefined ? ["Say hello."] : turns(scenario.history) }
const spent = (from: NodeJS.CpuUsage) => {
  const { system, user } = process.cpuUsage(from)
  return user + system
}

/** A slow client makes fewer calls, but never less than these. */
const minCalls = 2
const maxMillis = 2000

const latencies: Array<number> = []
const onText = scenario.latency
  ? (text: string) => {
    if (text.length === 16) latencies.push(Number(process.hrtime.bigint() / 1000n) - Number(text))
  }
  : undefined

/** Makes calls until there are enough or time is up; gives how many were made. */
const run = async (client: Client, calls: number): Promise<number> => {
  const limit = performance.now() + maxMillis
  for (let i = 0; i < calls; i++) {
    if (i >= minCalls && performance.now() > limit) return i
    const one = () => scenario.mode === "stream" ? client.stream(prompt, onText) : client.generate(prompt)
    const results = await Promise.all(Array.from({ length: scenario.concurrency ?? 1 }, one))
    for (const characters of results) if (characters === 0) throw new Error("an answer was empty")
  }
  return calls
}

const percentile = (sorted: ReadonlyArray<number>, p: number) =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * p))]!

let cpu = process.cpuUsage()
let start = performance.now()
const { make } = await import(job.module) as { readonly make: Make }
const client = await make(setup)
const units = scenario.units * (scenario.concurrency ?? 1)
let first = 0
if (scenario.mode !== "cold") {
  cpu = process.cpuUsage()
  if (scenario.warmup > 0) {
    await run(client, 1)
    first = spent(cpu) / units
    const { answer, warmupAnswer = answer } = scenario
    const same = warmupAnswer === answer
    const warm = same ? client : await make({ ...setup, url: setup.url.replace(answer, warmupAnswer) })
    await run(warm, scenario.warmup - 1)
  }
  latencies.length = 0
  cpu = process.cpuUsage()
  start = performance.now()
}
const calls = await run(client, scenario.calls)
const wall = performance.now() - start
const total = spent(cpu)
latencies.sort((a, b) => a - b)
const result: Result = {
  cpu: total / (units * calls),
  wall: wall * 1000 / (units * calls),
  first,
  memory: process.resourceUsage().maxRSS * 1024,
  latency: latencies.length === 0
    ? undefined
    : { p50: percentile(latencies, 0.5), p99: percentile(latencies, 0.99) }
}
process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(0))
