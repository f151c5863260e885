/** What the agent benchmark asks of every library, and what a client of it is. */

/** An entry of the large object, some hundred characters with an escape. */
export const entryOf = (n: number) => ({
  id: n,
  name: `Entry no. ${n}`,
  text: `A line with a "quotation", and some\nwords after it. `.repeat(2),
  done: n % 2 === 0
})

/** What the tool gives. */
export const resultOf = (n: number) => ({ n, text: `The entry ${n} is in the list, at place ${n * 7}. `.repeat(2) })

export interface Message {
  readonly role: "user" | "assistant"
  readonly content: string
}

/** Asked once per measured call. */
export interface Work {
  readonly messages: ReadonlyArray<Message>
  readonly streaming: boolean
  /** Each run of the tool. */
  readonly onTool: () => void
}

export interface AgentClient {
  /** Runs the agent to its end and gives its last text. */
  readonly agent: (work: Work) => Promise<string>
  /** Reads a growing object to its end: how many states of it were seen, and how many entries the last had. */
  readonly object?: () => Promise<{ readonly partials: number; readonly entries: number }>
  /** Reads the same answer as plain text. */
  readonly plain?: () => Promise<number>
}

export type MakeAgentClient = (setup: { readonly url: string }) => Promise<AgentClient>

export interface AgentScenario {
  readonly id: string
  readonly title: string
  /** The script of the server; see agents-server.ts. */
  readonly script: string
  readonly kind: "agent" | "object" | "plain"
  readonly streaming: boolean
  /** Runs of the tool that are expected. */
  readonly tools: number
  /** Characters of history before the question. */
  readonly history: number
  /** Calls before the measurement, and measured ones. */
  readonly warmup: number
  readonly calls: number
}

const agent = (id: string, title: string, more: Partial<AgentScenario> = {}): AgentScenario => ({
  id,
  title,
  script: "steps-50",
  kind: "agent",
  streaming: true,
  tools: 50,
  history: 0,
  warmup: 10,
  calls: 10,
  ...more
})

const object = (id: string, title: string, characters: number, more: Partial<AgentScenario> = {}): AgentScenario =>
  agent(id, title, { script: `object-${characters}`, kind: "object", tools: 0, warmup: 2, calls: 3, ...more })

export const scenarios: ReadonlyArray<AgentScenario> = [
  agent("steps-50", "50 steps, streamed"),
  agent("steps-50-whole", "50 steps, whole answers", { streaming: false }),
  agent("parallel-20", "20 parallel tools, streamed", { script: "parallel-20", tools: 20, warmup: 50, calls: 50 }),
  agent("history-10mb", "10 MB of history, 5 steps, streamed", {
    script: "steps-5",
    tools: 5,
    history: 10_000_000,
    warmup: 2,
    calls: 3
  }),
  object("object-20k", "A growing object of 20 KB, deltas of 10 characters", 20_000, { warmup: 10, calls: 10 }),
  object("object-200k", "A growing object of 200 KB, deltas of 10 characters", 200_000),
  object("object-2mb", "A growing object of 2 MB, deltas of 10 characters", 2_000_000),
  object("plain-2mb", "The same 2 MB as plain text", 2_000_000, { kind: "plain" })
]
