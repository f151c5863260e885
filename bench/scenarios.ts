/**
 * What is measured. A scenario is an answer of the mock server and a way to ask for it.
 */
import type { Wire } from "./answers.ts"

export interface Scenario {
  readonly id: string
  readonly title: string
  readonly wire: Wire
  /** First path segment of the mock server; see server.ts. */
  readonly answer: string
  readonly mode: "stream" | "generate" | "cold"
  /** What the cost is divided by: units of one call. */
  readonly units: number
  readonly unit: "delta" | "call" | "start"
  /** Calls before the measurement, and measured calls. */
  readonly warmup: number
  readonly calls: number
  /** The answer of the calls before the measurement after the first, where another makes them shorter. @default `answer` */
  readonly warmupAnswer?: string | undefined
  /** Calls at the same time. */
  readonly concurrency?: number | undefined
  /** Characters of conversation history sent with each call. */
  readonly history?: number | undefined
  /** Deltas carry the time at which they were written. */
  readonly latency?: boolean | undefined
  /** Whether each client is one bundle, minified, with all that it imports. @default false */
  readonly bundled?: boolean | undefined
  /** Whether other libraries take part. @default true */
  readonly peers?: boolean | undefined
  /** Clients beside the usual ones: ways of using this library. */
  readonly variants?: ReadonlyArray<string> | undefined
}

const streams = (
  id: string,
  title: string,
  wire: Wire,
  deltas: number,
  per: number,
  more: Partial<Scenario> = {}
): Scenario => ({
  id,
  title,
  wire,
  answer: `kind-text.deltas-${deltas}.size-5.per-${per}`,
  mode: "stream",
  units: deltas,
  unit: "delta",
  // Compiled code settles after some twenty answers of this length.
  warmup: 25,
  calls: 20,
  ...more
})

const policies = ["fetch,arrays,policies", "node,arrays,policies"]
const consumption = ["fetch,each", "node,each", "fetch,fold", "node,fold"]

export const scenarios: ReadonlyArray<Scenario> = [
  streams("anthropic-16", "Anthropic stream, 20,000 deltas, 16 per write", "anthropic", 20_000, 16, {
    variants: [...consumption, ...policies, "fetch,arrays,traced"]
  }),
  streams(
    "policies",
    "Anthropic stream, 20,000 deltas, 16 per write: a stack of seven policies, at length",
    "anthropic",
    20_000,
    16,
    {
      // A difference of a few per cent needs a longer measurement than the other rows.
      calls: 120,
      peers: false,
      variants: policies
    }
  ),
  streams("chat-16", "Chat stream, 20,000 deltas, 16 per write", "chat", 20_000, 16, { variants: consumption }),
  streams("anthropic-1", "Anthropic stream, 20,000 deltas, 1 per write", "anthropic", 20_000, 1, {
    variants: consumption.slice(0, 2)
  }),
  streams("chat-1", "Chat stream, 20,000 deltas, 1 per write", "chat", 20_000, 1, {
    variants: consumption.slice(0, 2)
  }),
  streams("anthropic-all", "Anthropic stream, 20,000 deltas in one write", "anthropic", 20_000, 0),
  streams("chat-all", "Chat stream, 20,000 deltas in one write", "chat", 20_000, 0),
  // What a process sees that answers a few calls and ends, such as a function in the cloud: the code is hardly compiled.
  ...(["anthropic", "chat"] as const).flatMap((wire) =>
    [16, 1].map((per) =>
      streams(
        `short-${wire}-${per}`,
        `Short-lived: ${wire} streams of 2,000 deltas of 12 characters, ${per} per write, after 5`,
        wire,
        2000,
        per,
        {
          answer: `kind-text.deltas-2000.size-12.varied-1.per-${per}`,
          warmup: 5,
          calls: 20,
          peers: false
        }
      )
    )
  ),
  ...(["anthropic", "chat"] as const).map((wire): Scenario => ({
    id: `short-json-${wire}`,
    title: `Short-lived: whole answers, one after the other (${wire}), after 20`,
    wire,
    answer: "kind-json",
    mode: "generate",
    units: 1,
    unit: "call",
    warmup: 20,
    calls: 200,
    peers: false
  })),
  streams("anthropic-40k", "Anthropic stream, 40,000 deltas, 16 per write", "anthropic", 40_000, 16, {
    warmup: 25,
    calls: 20,
    peers: false
  }),
  {
    id: "tool-200k",
    title: "Tool call with 200 KB of arguments in 20-character deltas, 16 per write",
    wire: "anthropic",
    answer: "kind-tool.deltas-10000.size-20.per-16",
    mode: "stream",
    units: 10_000,
    unit: "delta",
    warmup: 40,
    calls: 30
  },
  {
    id: "tool-400k",
    title: "Tool call with 400 KB of arguments in 20-character deltas, 16 per write",
    wire: "anthropic",
    answer: "kind-tool.deltas-20000.size-20.per-16",
    mode: "stream",
    units: 20_000,
    unit: "delta",
    warmup: 25,
    calls: 20,
    peers: false
  },
  {
    id: "json-anthropic",
    title: "Small whole answers, one after the other (Anthropic)",
    wire: "anthropic",
    answer: "kind-json",
    mode: "generate",
    units: 1,
    unit: "call",
    warmup: 3000,
    calls: 2000,
    variants: policies
  },
  {
    id: "json-chat",
    title: "Small whole answers, one after the other (Chat)",
    wire: "chat",
    answer: "kind-json",
    mode: "generate",
    units: 1,
    unit: "call",
    warmup: 3000,
    calls: 2000
  },
  {
    id: "history-2mb",
    title: "Small whole answers to a conversation of 2 MB",
    wire: "anthropic",
    answer: "kind-json",
    mode: "generate",
    units: 1,
    unit: "call",
    warmup: 10,
    calls: 30,
    history: 2_000_000
  },
  {
    id: "paced",
    title: "One stream, a delta every 5 ms",
    wire: "anthropic",
    answer: "kind-text.deltas-400.pace-5",
    mode: "stream",
    units: 400,
    unit: "delta",
    warmup: 9,
    warmupAnswer: "kind-text.deltas-400.pace-1",
    calls: 2,
    latency: true
  },
  {
    id: "concurrent-100",
    title: "100 streams at once, a delta every 20 ms each",
    wire: "anthropic",
    answer: "kind-text.deltas-100.pace-20",
    mode: "stream",
    units: 100,
    unit: "delta",
    warmup: 7,
    warmupAnswer: "kind-text.deltas-100.pace-4",
    calls: 1,
    concurrency: 100,
    latency: true
  },
  {
    id: "concurrent-500",
    title: "500 streams at once, a delta every 100 ms each",
    wire: "anthropic",
    answer: "kind-text.deltas-40.pace-100",
    mode: "stream",
    units: 40,
    unit: "delta",
    warmup: 4,
    warmupAnswer: "kind-text.deltas-40.pace-20",
    calls: 1,
    concurrency: 500,
    latency: true
  },
  {
    id: "cold",
    title: "Cold start: import to the end of the first call",
    wire: "anthropic",
    answer: "kind-json",
    mode: "cold",
    units: 1,
    unit: "start",
    warmup: 0,
    calls: 1
  },
  ...(["anthropic", "chat"] as const).map((wire): Scenario => ({
    id: `bundled-${wire}`,
    title: `Cold start of a bundle (esbuild, minified, one provider, ${wire}): import to the end of the first call`,
    wire,
    answer: "kind-json",
    mode: "cold",
    units: 1,
    unit: "start",
    warmup: 0,
    calls: 1,
    bundled: true
  }))
]
