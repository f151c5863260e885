/** A thousand streams at once, of which every other hangs up in the middle: nothing of them may stay behind. */
import { Effect } from "effect"
import { existsSync, readFileSync, rmSync } from "node:fs"
import { Agent, request } from "node:http"
import { join } from "node:path"
import * as Simulator from "../../src/testing/Simulator.ts"
import { heapFile } from "./heap.ts"
import { type Finding, makeWorld, root } from "./world.ts"

const judge = "Hanging up"
const streams = 1000
const rounds = 4
const body = JSON.stringify({ model: "gpt-5", stream: true, input: "Tell a long story." })
const story = "Once upon a time there was a gateway. ".repeat(12)

/** Resident memory of a process in MiB (`proc(5)`, `VmRSS`). */
const memoryOf = (pid: number): number =>
  Math.round(Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) / 1024)

/** Reads a stream to its end, or hangs up after its first words. Says whether it was whole. */
const read = (url: string, agent: Agent, hangsUp: boolean): Promise<boolean> =>
  new Promise((resolve) => {
    const asked = request(`${url}/v1/responses`, {
      method: "POST",
      agent,
      headers: { "content-type": "application/json", authorization: "Bearer sk-any" }
    }, (answer) => {
      let text = ""
      answer.on("data", (chunk) => {
        text += String(chunk)
        if (hangsUp && text.includes("output_text.delta")) {
          asked.destroy()
          resolve(false)
        }
      })
      answer.on("end", () => resolve(text.includes("response.completed")))
      answer.on("error", () => resolve(false))
    })
    asked.on("error", () => resolve(false))
    asked.end(body)
  })

const valueOf = (metrics: string, name: string): number =>
  metrics.split("\n").filter((line) => line.startsWith(name)).reduce(
    (sum, line) => sum + Number(line.split(" ").at(-1)),
    0
  )

const until = (holds: () => boolean, millis: number) =>
  Effect.promise(async () => {
    const limit = performance.now() + millis
    while (!holds() && performance.now() < limit) await new Promise((resolve) => setTimeout(resolve, 100))
    return holds()
  })

/** MiB in use by a process after its garbage was collected. */
const heapOf = (pid: number) =>
  Effect.gen(function*() {
    const file = heapFile(pid)
    rmSync(file, { force: true })
    process.kill(pid, "SIGUSR2")
    yield* until(() => existsSync(file) && readFileSync(file, "utf8") !== "", 10_000)
    const bytes = Number(readFileSync(file, "utf8"))
    rmSync(file, { force: true })
    return Math.round(bytes / 1024 / 102.4) / 10
  })

export const judgeHangingUp: Effect.Effect<ReadonlyArray<Finding>> = Effect.gen(function*() {
  const world = yield* makeWorld({ primary: "openai", backup: "openai" }, [
    "--expose-gc",
    "--import",
    join(root, "scripts/judges/heap.ts")
  ])
  const { pid, primary, url } = world
  yield* primary.respondWith(() => Simulator.text(story, { chunkSize: 12, delayMillis: 200 }))
  const findings: Array<Finding> = []
  const add = (name: string, good: boolean, note: string) => {
    findings.push({ judge, name, good, note })
    console.log(`${good ? "good" : "BAD "}  ${judge}: ${name}: ${note}`)
  }
  const idle = yield* heapOf(pid)
  const after: Array<number> = []
  let peak = 0
  for (let round = 1; round <= rounds; round++) {
    const before = primary.requests.length
    const agent = new Agent({ keepAlive: false, maxSockets: Number.POSITIVE_INFINITY })
    const watch = setInterval(() => (peak = Math.max(peak, memoryOf(pid))), 100)
    const whole = yield* Effect.promise(() =>
      Promise.all(Array.from({ length: streams }, (_, i) => read(url, agent, i % 2 === 0)))
    )
    clearInterval(watch)
    agent.destroy()
    const came = primary.requests.slice(before)
    const ended = yield* until(() => came.every(({ outcome }) => outcome !== undefined), 5000)
    const stopped = came.filter(({ outcome }) => outcome === "closed-by-client").length
    const answered = whole.filter(Boolean).length
    add(
      `round ${round}: ${streams} streams`,
      ended && answered === streams / 2 && stopped === streams / 2,
      `${answered} read to their end, ${stopped} stopped upstream`
    )
    const gone = yield* until(() => primary.connections.open === 0, 20_000)
    const metrics = yield* Effect.promise(() => fetch(`${url}/metrics`).then((answer) => answer.text()))
    const running = valueOf(metrics, "effect_llm_gateway_in_flight")
    add(
      `round ${round}: afterwards`,
      gone && running === 0,
      `${primary.connections.open} connections upstream, ${running} calls in flight, ${memoryOf(pid)} MiB`
    )
    after.push(yield* heapOf(pid))
  }
  add(
    "memory",
    after.at(-1)! <= after[0]! * 1.1 + 2,
    `heap in use ${idle} MiB before, ${after.join(", ")} MiB after each round; ${peak} MiB resident at most`
  )
  return findings
}).pipe(Effect.scoped)
