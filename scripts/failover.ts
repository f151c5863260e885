/**
 * Runs the recommended stack of docs/policies.md against faults, and prints what a caller and a provider see of each.
 *
 * The first sixteen are those of the public list of https://github.com/failoverbench/failoverbench (methodology 0.1, its full
 * times), the others those that gateways were seen to get wrong. Every one runs on two wires, streamed and whole, against
 * servers on this machine. Verdicts as there: `pass`: the caller has the whole answer and nothing is amiss; `partial`: has it, but an
 * advice was not followed; `safe`: has a typed error in time; `fail`: anything else. Exits with 1 when one fails.
 *
 * `npm run failover` prints the table; `npm run failover -- --write` puts it into docs/failover.md. `-- --only 07` runs one.
 */
import { Array as Arr, Duration, Effect, Exit, Fiber, Redacted, Stream } from "effect"
import { readFileSync, writeFileSync } from "node:fs"
import { parseArgs } from "node:util"
import { guarded, recommended } from "../examples/recommended.ts"
import {
  Anthropic,
  type LlmError,
  type LlmEvent,
  type LlmRequest,
  LlmResponse,
  LlmService,
  OpenAi
} from "../src/index.ts"
import { layerHttpClient } from "../src/node.ts"
import * as Simulator from "../src/testing/Simulator.ts"

// =============================================================================
// Servers
// =============================================================================

const words = 60
const story = Array.from({ length: words }, (_, i) => `word${String(i + 1).padStart(2, "0")}`).join(" ") + "."
const told = (options?: Parameters<typeof Simulator.text>[1]) => Simulator.text(story, { chunkSize: 7, ...options })
const key = Redacted.make("a-key-of-this-machine")
const defaults = { whole: "streamed" } as const

const wires = {
  anthropic: {
    layer: (url: string) => Anthropic.layer({ apiKey: key, baseUrl: `${url}/v1`, defaults }),
    /** Frames before the first word. */
    frames: 2,
    tooLong: { message: "prompt is too long: 250000 tokens > 200000 maximum" },
    filtered: { message: "Output blocked by content filtering policy" }
  },
  chat: {
    layer: (url: string) => OpenAi.layer({ apiKey: key, baseUrl: `${url}/v1`, api: "chat", defaults }),
    frames: 1,
    tooLong: { code: "context_length_exceeded", message: "This model's maximum context length is 128000 tokens." },
    filtered: { code: "content_policy_violation", message: "The request was rejected by the safety system." }
  }
} as const
type Wire = keyof typeof wires

/** How long ago the world began, and when each request came. */
interface World {
  readonly primary: ReadonlyArray<number>
  readonly backup: ReadonlyArray<number>
}

interface Seen {
  readonly world: World
  readonly seconds: number
  readonly text: string | undefined
  readonly model: string | undefined
  readonly hasUsage: boolean
  readonly error: LlmError.LlmError | undefined
  /** Whether the caller got an answer that is not the whole one. */
  readonly cut: boolean
}

type Verdict = "pass" | "partial" | "safe" | "fail"

interface Scenario {
  readonly id: string
  readonly title: string
  readonly primary: (wire: Wire) => (attempt: number, seconds: number) => Simulator.Answer
  readonly backup?: (wire: Wire) => (attempt: number, seconds: number) => Simulator.Answer
  /** Whether the backup refuses conversations that end with the assistant. */
  readonly refusesPrefill?: true
  readonly request?: LlmRequest.LlmRequest
  /** The error that is right, where there is no answer to be had. */
  readonly error?: LlmError.ReasonTag
  /** A call may not take longer. */
  readonly within: number
  /** What must hold, by name. */
  readonly must?: { readonly [name: string]: (seen: Seen) => boolean }
  /** What should. */
  readonly should?: { readonly [name: string]: (seen: Seen) => boolean }
  /** Calls one after another, this many seconds apart; each is judged, and the primary must be used again by second `backBy`. */
  readonly sequence?: { readonly count: number; readonly every: number; readonly backBy: number }
}

const once = (fault: Simulator.Answer) => () => (attempt: number) => attempt === 1 ? fault : told()
const always = (answer: Simulator.Answer) => () => () => answer
const atWord = (wire: Wire, word: number) => word + wires[wire].frames
const onePrimary = ({ world }: Seen) => world.primary.length === 1
const twoPrimaries = ({ world }: Seen) => world.primary.length >= 2
const atMostThree = ({ world }: Seen) => world.primary.length <= 3
const gap = ({ world }: Seen) => (world.primary[1] ?? Infinity) - (world.primary[0] ?? 0)

const scenarios: ReadonlyArray<Scenario> = [
  {
    id: "01",
    title: "429 with Retry-After: 2, then healthy",
    primary: once(Simulator.error(429, { retryAfter: 2 })),
    within: 20,
    must: { "no tight loop": atMostThree },
    should: { "tried again": twoPrimaries, "waited as asked": (seen) => gap(seen) >= 1.8 }
  },
  {
    id: "02",
    title: "429 without Retry-After, for ever",
    primary: always(Simulator.error(429)),
    within: 40,
    must: { "at most 3 requests": atMostThree, "a wait between them": (seen) => gap(seen) >= 0.15 }
  },
  {
    id: "03",
    title: "500 once, then healthy",
    primary: once(Simulator.error(500)),
    within: 20,
    should: { "same provider again": twoPrimaries }
  },
  {
    id: "04",
    title: "503 for ever",
    primary: always(Simulator.error(503)),
    within: 40,
    must: { bounded: atMostThree }
  },
  { id: "05", title: "connection reset before headers, once", primary: once(Simulator.reset), within: 20 },
  {
    id: "06",
    title: "no response at all",
    primary: always(Simulator.hang),
    within: 100,
    should: { "silence not waited for twice": onePrimary }
  },
  {
    id: "07",
    title: "first token after 20 s",
    primary: () => () => told({ faults: { slowHeaders: 0 }, delayMillis: 20_000 }),
    within: 60,
    should: { "left for the backup": ({ seconds }) => seconds <= 15 }
  },
  {
    id: "08",
    title: "stream cut after 40 of 60 words",
    primary: (wire) => () => told({ faults: { cutAfter: atWord(wire, 40) } }),
    within: 40
  },
  {
    id: "09",
    title: "stream stalls after 20 words",
    primary: (wire) => () => told({ faults: { stallAfter: atWord(wire, 20) } }),
    within: 45
  },
  {
    id: "10",
    title: "tenth chunk is no JSON",
    primary: (wire) => () => told({ faults: { malformedAfter: atWord(wire, 10) } }),
    within: 30,
    should: { "whole answer": ({ text }) => text === story }
  },
  {
    id: "11",
    title: "stream without its last frame",
    primary: () => () => told({ faults: { omitDone: true } }),
    within: 8,
    should: { usage: ({ hasUsage }) => hasUsage }
  },
  {
    id: "12",
    title: "context length exceeded",
    primary: (wire) => () => Simulator.error(400, wires[wire].tooLong),
    within: 20,
    must: { "asked once": onePrimary }
  },
  {
    id: "13",
    title: "content filter",
    primary: (wire) => () => Simulator.error(400, wires[wire].filtered),
    error: "ContentPolicy",
    within: 20,
    must: { "asked once": onePrimary }
  },
  {
    id: "14",
    title: "stream cut, and the backup refuses a prefill",
    primary: (wire) => () => told({ faults: { cutAfter: atWord(wire, 40) } }),
    refusesPrefill: true,
    within: 40,
    must: { "no refusal of a prefill shown": ({ error }) => error?.reason._tag !== "Validation" }
  },
  {
    id: "15",
    title: "down for 60 s, then healthy; a call every 4 s",
    primary: () => (_, seconds) => seconds < 60 ? Simulator.error(503) : told(),
    within: 30,
    sequence: { count: 24, every: 4, backBy: 90 }
  },
  {
    id: "16",
    title: "accounting of a failover",
    primary: always(Simulator.error(503)),
    within: 40,
    must: { "the backup's model is told": ({ model }) => model === "backup-model", bounded: atMostThree },
    should: { usage: ({ hasUsage }) => hasUsage }
  },
  {
    id: "17",
    title: "Retry-After: 0, for ever",
    primary: always(Simulator.error(429, { retryAfter: 0 })),
    within: 20,
    must: { bounded: atMostThree, "a floor": (seen) => gap(seen) >= 0.15 }
  },
  {
    id: "18",
    title: "Retry-After: 3, then healthy",
    primary: once(Simulator.error(429, { retryAfter: 3 })),
    within: 20,
    should: { "waited as asked": (seen) => gap(seen) >= 2.8 && gap(seen) < 5 }
  },
  {
    id: "19",
    title: "Retry-After: 60",
    primary: always(Simulator.error(429, { retryAfter: 60 })),
    within: 5,
    should: { "left at once": onePrimary }
  },
  {
    id: "20",
    title: "a redirect to another origin",
    primary: always(Simulator.redirect("http://127.0.0.1:9/")),
    within: 10
  },
  {
    id: "21",
    title: "a page of a proxy",
    primary: always(Simulator.html()),
    within: 10,
    must: { "asked once": onePrimary }
  },
  {
    id: "22",
    title: "200 with an error in JSON",
    primary: always(Simulator.errorBody200({ type: "api_error" })),
    within: 20
  },
  { id: "23", title: "200 with an empty body", primary: always(Simulator.emptyBody()), within: 20 },
  {
    id: "24",
    title: "rejected key",
    primary: always(Simulator.error(401)),
    within: 10,
    must: { "asked once": onePrimary }
  },
  {
    id: "25",
    title: "no credit",
    primary: always(Simulator.error(402)),
    within: 10,
    must: { "asked once": onePrimary }
  },
  {
    id: "26",
    title: "no such model",
    primary: always(Simulator.error(404)),
    within: 10,
    must: { "asked once": onePrimary }
  },
  {
    id: "27",
    title: "the request is refused",
    primary: always(Simulator.error(400, { message: "messages: field required" })),
    error: "Validation",
    within: 10,
    must: { "asked once": onePrimary }
  },
  {
    id: "28",
    title: "overloaded in the stream, before any word",
    primary: (wire) => () => told({ faults: { errorAfter: wires[wire].frames - 1 } }),
    within: 20
  },
  {
    id: "29",
    title: "overloaded in the stream, after 30 words",
    primary: (wire) => () => told({ faults: { errorAfter: atWord(wire, 30) } }),
    within: 20
  },
  {
    id: "30",
    title: "reset after 30 words",
    primary: (wire) => () => told({ faults: { resetAfter: atWord(wire, 30) } }),
    within: 20
  },
  {
    id: "31",
    title: "keep-alives for ever, and no word",
    primary: (wire) => () => told({ faults: { pingsAfter: wires[wire].frames - 1 } }),
    within: 30,
    should: { "silence not waited for twice": onePrimary }
  },
  {
    id: "32",
    title: "headers one byte at a time",
    primary: always(told({ faults: { slowHeaders: 2000 } })),
    within: 30
  },
  {
    id: "33",
    title: "a slow, healthy answer of 25 s",
    primary: always(told({ delayMillis: 400 })),
    within: 40,
    must: { "paid for once": ({ world }) => world.primary.length === 1 && world.backup.length === 0 }
  },
  {
    id: "34",
    title: "complete, and the connection stays open",
    primary: always(told({ faults: { keepOpen: true } })),
    within: 8,
    must: { "paid for once": ({ world }) => world.primary.length === 1 && world.backup.length === 0 }
  },
  {
    id: "35",
    title: "both down",
    primary: always(Simulator.error(503)),
    backup: always(Simulator.error(529)),
    error: "FallbackExhausted",
    within: 20,
    must: { bounded: ({ world }) => world.primary.length <= 3 && world.backup.length <= 3 }
  },
  {
    id: "36",
    title: "an answer nested 100,000 deep",
    primary: always(Simulator.raw(`${"[".repeat(100_000)}${"]".repeat(100_000)}`)),
    within: 10
  },
  {
    id: "37",
    title: "the primary breaks, and the backup breaks too",
    primary: (wire) => () => told({ faults: { cutAfter: atWord(wire, 20) } }),
    backup: (wire) => (attempt) => attempt === 1 ? told({ faults: { cutAfter: atWord(wire, 40) } }) : told(),
    within: 30
  }
]

// =============================================================================
// Running
// =============================================================================

const now = () => performance.now() / 1000

const endsWithAssistant = (body: unknown): boolean =>
  (body as { readonly messages?: ReadonlyArray<{ readonly role: string }> }).messages?.at(-1)?.role === "assistant"

/** What a good model answers: the story, or its end after an unfinished answer. */
const goesOn = (answer: Simulator.Answer, body: unknown): Simulator.Answer => {
  const { messages = [] } = body as { readonly messages?: ReadonlyArray<{ readonly content: unknown }> }
  const last = messages.at(-1)?.content
  const said = typeof last === "string" ? last : JSON.stringify(last ?? "")
  const tail = /<<<(.*)>>>/.exec(said)?.[1]
  return tail === undefined || !("parts" in answer)
    ? answer
    : { ...answer, parts: [{ type: "text", text: story.slice(Math.max(0, story.indexOf(tail))) }] }
}

const call = (streamed: boolean, request: LlmRequest.LlmRequest) =>
  Effect.gen(function*() {
    const events: Array<LlmEvent.LlmEvent> = []
    const service = yield* LlmService.LlmService
    const started = now()
    const exit = yield* Effect.exit(
      streamed
        ? Effect.map(
          Stream.runForEach(service.stream(request), (event) => Effect.sync(() => void events.push(event))),
          () => LlmResponse.fold(events)!
        )
        : service.generate(request)
    )
    const response = Exit.isSuccess(exit) ? exit.value : undefined
    const failure = Exit.isSuccess(exit) ? undefined : exit.cause.reasons[0]
    return {
      seconds: now() - started,
      text: response?.text,
      model: response?.model,
      hasUsage: response?.usage.output.total !== undefined,
      error: failure !== undefined && "error" in failure ? failure.error as LlmError.LlmError : undefined,
      cut: response !== undefined && response.text !== story
    }
  })

const judge = (scenario: Scenario, seen: Seen): { readonly verdict: Verdict; readonly why: string } => {
  const broken = (rules: Scenario["must"]) =>
    Object.entries(rules ?? {}).flatMap(([name, holds]) => holds(seen) ? [] : name)
  const late = seen.seconds > scenario.within ? [`${seen.seconds.toFixed(1)} s`] : []
  const untyped = seen.text === undefined && seen.error === undefined ? ["untyped end"] : []
  const wrong = [...(seen.cut ? ["not the whole answer"] : []), ...late, ...untyped, ...broken(scenario.must)]
  if (wrong.length > 0) return { verdict: "fail", why: wrong.join(", ") }
  if (scenario.error !== undefined) {
    return seen.error?.reason._tag === scenario.error
      ? { verdict: "pass", why: "" }
      : { verdict: "partial", why: seen.error?.reason._tag ?? "answered" }
  }
  if (seen.error !== undefined) return { verdict: "safe", why: seen.error.reason._tag }
  const amiss = broken(scenario.should)
  return amiss.length === 0 ? { verdict: "pass", why: "" } : { verdict: "partial", why: `not ${amiss.join(", ")}` }
}

const run = (scenario: Scenario, wire: Wire, streamed: boolean) =>
  Effect.gen(function*() {
    const began = now()
    const came = { primary: [] as Array<number>, backup: [] as Array<number> }
    const server = (name: "primary" | "backup", answers: (attempt: number, seconds: number) => Simulator.Answer) =>
      Simulator.make({
        respondWith: ({ body }) => {
          came[name].push(now() - began)
          return name === "backup" && scenario.refusesPrefill === true && endsWithAssistant(body)
            ? Simulator.error(400, { message: "This model does not support assistant message prefill." })
            : goesOn(answers(came[name].length, now() - began), body)
        }
      })
    const primary = yield* server("primary", scenario.primary(wire))
    const other: Wire = wire === "anthropic" ? "chat" : "anthropic"
    const backup = yield* server("backup", scenario.backup?.(other) ?? (() => told()))
    const stack = recommended(guarded(wires[wire].layer(primary.url)), guarded(backupOf(other, backup.url)))
    const request = scenario.request ?? { prompt: "Tell me the story." }
    return yield* Effect.gen(function*() {
      const { sequence } = scenario
      if (sequence === undefined) {
        const seen = yield* Effect.timeoutOption(call(streamed, request), Duration.seconds(scenario.within + 60))
        return seen._tag === "None"
          ? { verdict: "fail" as const, why: "no end" }
          : judge(scenario, { ...seen.value, world: came })
      }
      const verdicts: Array<{ readonly verdict: Verdict; readonly why: string }> = []
      for (let i = 0; i < sequence.count; i++) {
        const fiber = yield* Effect.forkChild(call(streamed, request))
        const seen = yield* Fiber.join(fiber)
        verdicts.push(judge(scenario, { ...seen, world: came }))
        yield* Effect.sleep(Duration.seconds(Math.max(0, began + (i + 1) * sequence.every - now())))
      }
      const worst = verdicts.find(({ verdict }) => verdict !== "pass")
      if (worst !== undefined) return worst
      const back = came.primary.find((at) => at >= 60)
      return back !== undefined && back <= sequence.backBy
        ? { verdict: "pass" as const, why: `used again ${(back - 60).toFixed(0)} s after it was back` }
        : { verdict: "fail" as const, why: "the primary is not used again" }
    }).pipe(Effect.provide(stack))
  }).pipe(Effect.scoped, Effect.provide(layerHttpClient))

const backupOf = (wire: Wire, url: string) =>
  wire === "anthropic"
    ? Anthropic.layer({ apiKey: key, baseUrl: `${url}/v1`, model: "backup-model", defaults })
    : OpenAi.layer({ apiKey: key, baseUrl: `${url}/v1`, api: "chat", model: "backup-model", defaults })

const { values } = parseArgs({ options: { write: { type: "boolean" }, only: { type: "string" } } })

const cells = scenarios
  .filter(({ id }) => values.only === undefined || id === values.only)
  .flatMap((scenario) =>
    (["anthropic", "chat"] as const).flatMap((wire) => [true, false].map((streamed) => ({ scenario, wire, streamed })))
  )

const results = await Effect.runPromise(
  Effect.forEach(
    cells,
    (cell) => Effect.map(run(cell.scenario, cell.wire, cell.streamed), (result) => ({ ...cell, ...result })),
    {
      concurrency: 48
    }
  )
)

const tally = Arr.groupBy(results, ({ verdict }) => verdict)
const sums = (["pass", "partial", "safe", "fail"] as const).map((verdict) =>
  `${tally[verdict]?.length ?? 0} ${verdict}`
)
const rows = Object.values(Arr.groupBy(results, ({ scenario }) => scenario.id)).map((row) => {
  const { scenario } = row[0]
  const why = [...new Set(row.map(({ why }) => why).filter((why) => why !== ""))].join("; ")
  return `| ${scenario.id} | ${scenario.title} | ${row.map(({ verdict }) => verdict).join(" | ")} | ${why} |`
}).toSorted()
const table = [
  "| no. | fault of the primary | Anthropic, streamed | Anthropic, whole | Chat, streamed | Chat, whole | notes |",
  "| --- | --- | --- | --- | --- | --- | --- |",
  ...rows
].join("\n")
console.log(`${table}\n\n${results.length} runs: ${sums.join(", ")}`)

if (values.write === true) {
  const page = new URL("../docs/failover.md", import.meta.url)
  const text = readFileSync(page, "utf8")
  const marked = /(<!-- failover -->\n)[^]*(<!-- end -->)/
  writeFileSync(page, text.replace(marked, `$1\n${table}\n\n${results.length} runs: ${sums.join(", ")}.\n\n$2`))
}
process.exitCode = results.some(({ verdict }) => verdict === "fail") ? 1 : 0
