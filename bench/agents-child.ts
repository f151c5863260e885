/** One client in one scenario of the agent benchmark, in a process of its own; see agents.ts. The job comes as JSON, the result goes as JSON. */
import type { AgentScenario, MakeAgentClient, Message } from "./agents-work.ts"

export interface AgentJob {
  readonly scenario: AgentScenario
  readonly module: string
  readonly url: string
}

export interface AgentResult {
  /** CPU milliseconds of a warm call, or of the first where that took too long for another, and of the first. */
  readonly cpu: number
  readonly first: number
  readonly memory: number
  /** States of a growing object that were seen. */
  readonly partials?: number
}

const { module, scenario, url }: AgentJob = JSON.parse(process.argv[2]!)

const turn = "All work and no play makes a dull conversation, so \"quotes\" and\nline breaks are in it too. ".repeat(
  100
)
const turns = Math.ceil(scenario.history / turn.length)
const messages: ReadonlyArray<Message> = [
  ...Array.from({ length: turns - turns % 2 }, (_, i): Message => ({
    role: i % 2 === 0 ? "user" : "assistant",
    content: turn
  })),
  { role: "user", content: "Look it up." }
]

const { make } = await import(module) as { readonly make: MakeAgentClient }
const client = await make({ url: `${url}/${scenario.script}` })
let partials: number | undefined

const one = async () => {
  if (scenario.kind === "plain") {
    if (await client.plain!() < 10_000) throw new Error("the answer is too short")
    return
  }
  if (scenario.kind === "object") {
    const seen = await client.object!()
    partials = seen.partials
    if (seen.entries < 100) throw new Error(`the object has ${seen.entries} entries`)
    return
  }
  let tools = 0
  const text = await client.agent({ messages, streaming: scenario.streaming, onTool: () => void tools++ })
  if (text !== "done" || tools !== scenario.tools) throw new Error(`"${text}" after ${tools} runs of tools`)
}

const millis = (from: NodeJS.CpuUsage) => {
  const { system, user } = process.cpuUsage(from)
  return (user + system) / 1000
}

/** A slow client makes fewer calls, a very slow one only the first. */
const enough = 6000
const run = async (calls: number): Promise<number> => {
  const limit = performance.now() + enough
  for (let i = 0; i < calls; i++) {
    if (i > 0 && performance.now() > limit) return i
    await one()
  }
  return calls
}

let cpu = process.cpuUsage()
await one()
const first = millis(cpu)
let warm = first
if (first < 2 * enough) {
  await run(scenario.warmup - 1)
  cpu = process.cpuUsage()
  const calls = await run(scenario.calls)
  warm = millis(cpu) / calls
}
const result: AgentResult = {
  cpu: warm,
  first,
  memory: process.resourceUsage().maxRSS * 1024,
  ...(partials === undefined ? {} : { partials })
}
process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(0))
