/**
 * Draws one picture per policy, docs/policies/NAME.svg, of a real run in virtual time: what the caller saw, and what each provider was asked.
 * Grey is waiting, blue is content, a green dot an end, a red cross a failure with its reason.
 *
 * `--check` writes nothing and fails when a picture is not what the policies do.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Random from "effect/Random"
import * as Stream from "effect/Stream"
import { TestClock } from "effect/testing"
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import {
  Balance,
  Budget,
  Cache,
  CircuitBreaker,
  Concurrency,
  Continue,
  Fallback,
  Hedge,
  RateLimit,
  Retry,
  Timeout
} from "../src/index.ts"
import { LlmError } from "../src/LlmError.ts"
import type { LlmRequest } from "../src/LlmRequest.ts"
import { LlmService, type Service } from "../src/LlmService.ts"
import * as TestLlm from "../src/testing/TestLlm.ts"
import { draw, type Span } from "./timelines/draw.ts"

type Llm = Layer.Layer<LlmService, LlmError>

/** What happens when: the calls of an application, each with when it begins. */
interface Scenario {
  readonly title: string
  readonly providers: Readonly<Record<string, (index: number) => TestLlm.Answer>>
  readonly stack: (...layers: ReadonlyArray<Llm>) => Llm
  /** When calls begin, in seconds. @default one at 0 */
  readonly calls?: ReadonlyArray<number>
  /** Real milliseconds for each step of time, where more than timers is waited for, such as a digest. @default 0 */
  readonly settle?: number
}

/** Eleven words in about two seconds, after half a second. */
const answer = TestLlm.delayed(
  "500 millis",
  TestLlm.paced("150 millis", "Whatever one asks, an answer comes after a while, in words.")
)

const inTurn = (...answers: ReadonlyArray<TestLlm.Answer>) => (index: number) => answers[index] ?? answers.at(-1)!

const scenarios: Readonly<Record<string, Scenario>> = {
  Retry: {
    title: "Two attempts fail before any content; the third one answers",
    providers: { primary: inTurn(TestLlm.overloaded(), TestLlm.rateLimit({ retryAfter: "2 seconds" }), answer) },
    stack: (primary) => primary!.pipe(Retry.policy({ retries: 3, base: "1 second" }))
  },
  Timeout: {
    title: "Nothing comes within the limit for the first token",
    providers: { primary: () => TestLlm.never },
    stack: (primary) => primary!.pipe(Timeout.policy({ firstToken: "3 seconds" }))
  },
  Fallback: {
    title:
      "The primary asks for eight seconds; the backup takes over, and later calls go to it at once until they have passed",
    providers: {
      primary: (index) =>
        index < 3 ? TestLlm.delayed("300 millis", TestLlm.rateLimit({ retryAfter: "8 seconds" })) : answer,
      backup: () => answer
    },
    stack: (primary, backup) => primary!.pipe(Fallback.policy(backup!)),
    calls: [0, 3, 6, 9, 12, 17]
  },
  Balance: {
    title: "Two regions take calls in turn; one that is overloaded is left alone for a while",
    providers: { "region 1": () => answer, "region 2": inTurn(TestLlm.overloaded(), answer) },
    stack: (one, two) => one!.pipe(Balance.policy([two!], { strategy: "round-robin" })),
    calls: [0, 1, 2, 3]
  },
  Hedge: {
    title: "The first token is late, so a second call begins; whoever speaks first answers, the other one is ended",
    providers: { primary: () => TestLlm.delayed("6 seconds", answer), backup: () => answer },
    stack: (primary, backup) => primary!.pipe(Hedge.policy({ candidate: backup!, after: "2 seconds" }))
  },
  Continue: {
    title: "The connection breaks after some words; another provider goes on from there, and nothing is said twice",
    providers: { primary: () => TestLlm.failAfter(8, answer, TestLlm.network()), backup: () => answer },
    stack: (primary, backup) => primary!.pipe(Fallback.policy(backup!), Continue.policy())
  },
  CircuitBreaker: {
    title: "After failures the circuit is open and calls are refused at once; a probe closes it",
    providers: {
      primary: (index) => index < 5 ? TestLlm.delayed("300 millis", TestLlm.serverError()) : answer
    },
    stack: (primary) => primary!.pipe(CircuitBreaker.policy()),
    calls: [0, 1, 2, 3, 4, 5.5, 7.5, 10, 13.5]
  },
  RateLimit: {
    title: "Three requests a minute: what is beyond them waits for its turn",
    providers: { primary: () => answer },
    stack: (primary) => primary!.pipe(RateLimit.policy({ requestsPerMinute: 3, maxWait: "1 minute" })),
    calls: [0, 2, 4, 6, 8]
  },
  Concurrency: {
    title: "Two permits: others wait in the queue, and the queue has an end",
    providers: { primary: () => answer },
    stack: (primary) => primary!.pipe(Concurrency.policy({ permits: 2, maxQueue: 2 })),
    calls: [0, 0.1, 0.2, 0.3, 0.4]
  },
  Cache: {
    title: "The same question again: two at once are asked once, and later ones not at all",
    providers: { primary: () => answer },
    stack: (primary) => primary!.pipe(Cache.policy({ partition: () => "all" })),
    calls: [0, 1, 4],
    settle: 25
  },
  Budget: {
    title: "What a call may cost is reserved before it is sent; one that does not fit is refused",
    providers: { primary: () => answer },
    stack: (primary) =>
      primary!.pipe(Budget.policy({
        limit: 0.03,
        expect: 500,
        prices: { "primary/test-model": { input: 1, output: 20 } }
      })),
    calls: [0, 0.2, 0.4, 0.6, 4]
  }
}

const now = Effect.map(Clock.currentTimeMillis, (millis) => millis / 1000)

/** Notes when a stream began, first said something and ended. */
const noted = (
  spans: Array<Span>,
  lane: string,
  stream: ReturnType<Service["stream"]>
): ReturnType<Service["stream"]> =>
  Stream.unwrap(Effect.map(now, (from) => {
    let content: number | undefined
    return stream.pipe(
      Stream.tap((event) =>
        content === undefined && event._tag === "TextDelta"
          ? Effect.map(now, (time) => void (content = time))
          : Effect.void
      ),
      Stream.onExit((exit) =>
        Effect.map(now, (to) => {
          const error = Exit.isFailure(exit)
            ? exit.cause.reasons.find((reason) => reason._tag === "Fail")?.error
            : undefined
          const failed = Exit.isSuccess(exit)
            ? undefined
            : error instanceof LlmError
            ? error.reason._tag
            : "interrupted"
          spans.push({ lane, from, content, to, failed })
        })
      )
    )
  }))

const play = Effect.fnUntraced(function*({ calls = [0], providers, settle, stack, title }: Scenario) {
  const spans: Array<Span> = []
  const layers = Object.entries(providers).map(([provider, script]): Llm => {
    const { service } = TestLlm.make({ provider, answers: (_request, { index }) => script(index) })
    return Layer.succeed(LlmService, {
      ...service,
      stream: (request: LlmRequest) => noted(spans, provider, service.stream(request))
    })
  })
  const run = Effect.gen(function*() {
    const service = yield* LlmService
    yield* Effect.forEach(calls, (at) =>
      Effect.sleep(`${at * 1000} millis`).pipe(
        Effect.andThen(Stream.runDrain(noted(spans, "caller", service.stream({ prompt: "Hello" })))),
        Effect.ignore
      ), { concurrency: "unbounded", discard: true })
  }).pipe(Effect.provide(stack(...layers)))
  const fiber = yield* Effect.forkChild(run)
  for (let tick = 0; tick < 6000 && fiber.pollUnsafe() === undefined; tick++) {
    if (settle !== undefined) yield* Effect.promise(() => new Promise((resolve) => setTimeout(resolve, settle)))
    yield* TestClock.adjust("50 millis")
  }
  yield* Fiber.join(fiber)
  const order = spans.toSorted((one, other) => one.from - other.from || one.to - other.to)
  return draw(title, ["caller", ...Object.keys(providers)], order)
})

const run = (scenario: Scenario) =>
  Effect.runPromise(play(scenario).pipe(Random.withSeed("timelines"), Effect.provide(TestClock.layer()), Effect.scoped))

const folder = new URL("../docs/policies/", import.meta.url)
const check = process.argv.includes("--check")
mkdirSync(folder, { recursive: true })
const stale: Array<string> = []
for (const [name, scenario] of Object.entries(scenarios)) {
  // Where real time passes, a slow machine would draw another picture, so it is not compared; the run before loads what would be waited for.
  if (scenario.settle !== undefined) {
    if (check) continue
    await run(scenario)
  }
  const svg = await run(scenario)
  const file = new URL(`${name}.svg`, folder)
  if (existsSync(file) && readFileSync(file, "utf8") === svg) continue
  if (check) stale.push(`docs/policies/${name}.svg is not what the policy does. Run: npm run docs`)
  else writeFileSync(file, svg)
}
if (stale.length > 0) {
  process.stderr.write(`${stale.join("\n")}\n`)
  process.exitCode = 1
}
