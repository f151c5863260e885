import { NodeHttpClient } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import type { HttpClient } from "effect/http/HttpClient"
import type * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import { TestClock } from "effect/testing"
import type { LlmError, ReasonTag } from "../../src/LlmError.ts"
import type { LlmEvent } from "../../src/LlmEvent.ts"
import type { LlmRequest } from "../../src/LlmRequest.ts"
import { fold, type LlmResponse } from "../../src/LlmResponse.ts"
import { LlmService, type Service } from "../../src/LlmService.ts"
import * as Message from "../../src/Message.ts"
import { layerHttpClient } from "../../src/node.ts"
import * as CircuitBreaker from "../../src/policy/CircuitBreaker.ts"
import * as Concurrency from "../../src/policy/Concurrency.ts"
import * as Continue from "../../src/policy/Continue.ts"
import * as Fallback from "../../src/policy/Fallback.ts"
import * as Hedge from "../../src/policy/Hedge.ts"
import * as KeyPool from "../../src/policy/KeyPool.ts"
import * as Policy from "../../src/policy/Policy.ts"
import * as Retry from "../../src/policy/Retry.ts"
import * as Timeout from "../../src/policy/Timeout.ts"
import * as Anthropic from "../../src/provider/Anthropic.ts"
import * as OpenAi from "../../src/provider/OpenAi.ts"
import * as Simulator from "../../src/testing/Simulator.ts"
import { inTurns } from "../turns.ts"

// =============================================================================
// Providers
// =============================================================================

interface Wire {
  readonly name: string
  readonly provider: string
  readonly layer: (url: string, key?: string) => Layer.Layer<LlmService, LlmError, HttpClient>
  /** Frames of a stream until so many deltas of text were sent. */
  readonly frames: (deltas: number) => number
  readonly tooLong: Simulator.Answer
  readonly filtered: Simulator.Answer
}

const anthropic: Wire = {
  name: "Anthropic",
  provider: "anthropic",
  layer: (url, key = "test-key") => Anthropic.layer({ apiKey: Redacted.make(key), baseUrl: `${url}/v1` }),
  frames: (deltas) => deltas + 3,
  tooLong: Simulator.error(400, { message: "prompt is too long: 250000 tokens > 200000 maximum" }),
  filtered: Simulator.error(400, { message: "Output blocked by content filtering policy" })
}

const chat: Wire = {
  name: "OpenAI Chat",
  provider: "openai",
  layer: (url, key = "test-key") => OpenAi.layer({ apiKey: Redacted.make(key), baseUrl: `${url}/v1`, api: "chat" }),
  frames: (deltas) => deltas + 1,
  tooLong: Simulator.error(400, {
    code: "context_length_exceeded",
    message: "This model's maximum context length is 128000 tokens."
  }),
  filtered: Simulator.error(400, { code: "content_filter", message: "The response was filtered." })
}

const chunks = 60
const chunkSize = 8
const story = Array.from({ length: chunks }, (_, i) => `word${String(i).padStart(3, "0")} `).join("").trimEnd() + "."

const told = (faults?: Simulator.Faults, text = story): Simulator.Answer => Simulator.text(text, { chunkSize, faults })

/** What a good model answers: the story; its end after an unfinished answer. */
const narrator: Simulator.Responder = ({ body }) => {
  const { messages = [] } = body as { readonly messages?: ReadonlyArray<{ role: string; content: unknown }> }
  const last = messages.at(-1)!
  const said = typeof last.content === "string" ? last.content : JSON.stringify(last.content)
  const tail = /<<<(.*)>>>/.exec(said)?.[1]
  return told({}, tail === undefined ? story : story.slice(story.indexOf(tail)))
}

/** First these answers, then those of the responder. */
const script = (
  answers: ReadonlyArray<Simulator.Answer>,
  then: Simulator.Responder = narrator
): Simulator.Responder => {
  const left = [...answers]
  return (request) => left.shift() ?? then(request)
}

const always = (answer: Simulator.Answer): Simulator.Responder => () => answer

// =============================================================================
// Scenarios
// =============================================================================

type Mode = "streamed" | "whole"

interface Expected {
  /** Who answers, or the reason of the error. */
  readonly ends: "primary" | "backup" | ReasonTag
  readonly primary: number
  readonly backup: number
  /** Reason of the break that the stream went on after. */
  readonly continued?: ReasonTag
}

interface Scenario {
  readonly name: string
  readonly primary: (wire: Wire, mode: Mode) => Simulator.Responder
  readonly backup?: Simulator.Responder
  readonly request?: LlmRequest
  readonly backupWindow?: number
  /** Short time limits and no retries; elsewhere the limits are too long for a slow machine to reach them. */
  readonly limited?: true
  readonly streamed: Expected
  /** @default as streamed */
  readonly whole?: Expected
  /** Requests to the backup where that is Claude. @default as others */
  readonly askedClaude?: number
  /** Milliseconds it may not be faster than. */
  readonly atLeast?: number
}

const first = (...answers: ReadonlyArray<Simulator.Answer>) => () => script(answers)
const each = (answer: Simulator.Answer) => () => always(answer)
const onPrimary = (primary: number): Expected => ({ ends: "primary", primary, backup: 0 })
const onBackup = (primary: number): Expected => ({ ends: "backup", primary, backup: 1 })
const wentOn = (reason: ReasonTag): Expected => ({ ends: "backup", primary: 1, backup: 1, continued: reason })

const prefilled: LlmRequest = { messages: [Message.user("Tell me the story."), Message.assistant("Well:")] }
const refusesPrefill: Simulator.Responder = (request) => {
  const { messages = [] } = request.body as { readonly messages?: ReadonlyArray<{ role: string }> }
  return messages.at(-1)?.role === "assistant"
    ? Simulator.error(400, {
      message: "This model does not support assistant message prefill. The conversation must end with a user message."
    })
    : narrator(request)
}

const scenarios: ReadonlyArray<Scenario> = [
  {
    name: "1. a 429 with Retry-After is waited for",
    primary: first(Simulator.error(429, { retryAfter: 0.06 })),
    streamed: onPrimary(2),
    atLeast: 60
  },
  {
    name: "2. a 429 that stays goes to the next provider",
    primary: each(Simulator.error(429, { retryAfter: 0.001 })),
    streamed: onBackup(3)
  },
  { name: "3. one 500 is tried again", primary: first(Simulator.error(500)), streamed: onPrimary(2) },
  { name: "4. a 503 that stays goes to the next provider", primary: each(Simulator.error(503)), streamed: onBackup(3) },
  { name: "5. a TCP reset is tried again", primary: first(Simulator.reset), streamed: onPrimary(2) },
  {
    name: "6. no response at all times out and goes on",
    primary: each(Simulator.hang),
    limited: true,
    streamed: onBackup(1),
    // Whether a whole answer is still thought about nobody can tell: only its total time ends it, and that is the caller's limit.
    whole: { ends: "Timeout", primary: 1, backup: 0 }
  },
  {
    name: "6b. no response at all times out and goes on, where whole answers are streamed below",
    primary: each(Simulator.hang),
    request: { prompt: "Tell me the story.", whole: "streamed" },
    limited: true,
    streamed: onBackup(1)
  },
  {
    name: "7. a slow first token times out and goes on",
    // A whole answer has no first token: there the first byte is late, after the headers.
    primary: (_, mode) => always(mode === "streamed" ? told({ pingsAfter: 1 }) : told({ stallAfter: 0 })),
    limited: true,
    streamed: onBackup(1)
  },
  {
    name: "7b. a slow first token times out and goes on, where whole answers are streamed below",
    primary: each(told({ pingsAfter: 1 })),
    request: { prompt: "Tell me the story.", whole: "streamed" },
    limited: true,
    streamed: onBackup(1)
  },
  {
    name: "8. a stream cut at 40 of 60 chunks goes on; a cut body is asked for again",
    primary: (wire, mode) => script([told({ cutAfter: mode === "streamed" ? wire.frames(40) : 1 })]),
    streamed: wentOn("IncompleteStream"),
    whole: onPrimary(2)
  },
  {
    name: "9. a stall is noticed and goes on",
    primary: (wire, mode) => script([told({ stallAfter: mode === "streamed" ? wire.frames(40) : 1 })]),
    limited: true,
    streamed: wentOn("Timeout"),
    whole: onBackup(1)
  },
  {
    name: "10. a malformed chunk is no answer",
    primary: (wire, mode) =>
      script([mode === "streamed" ? told({ malformedAfter: wire.frames(40) }) : Simulator.raw("{\"id\": nonsense}")]),
    streamed: wentOn("ResponseParse"),
    whole: onBackup(1)
  },
  {
    name: "11. a missing last frame after the finish reason is complete",
    primary: first(told({ omitDone: true })),
    streamed: onPrimary(1)
  },
  {
    name: "12a. a conversation too long goes to a larger window",
    primary: (wire) => always(wire.tooLong),
    backupWindow: 1_000_000,
    streamed: onBackup(1)
  },
  {
    name: "12b. a conversation too long stops where no larger window is known",
    primary: (wire) => always(wire.tooLong),
    streamed: { ends: "ContextLength", primary: 1, backup: 0 }
  },
  {
    name: "13. refused content is refused once",
    primary: (wire) => always(wire.filtered),
    streamed: { ends: "ContentPolicy", primary: 1, backup: 0 }
  },
  {
    name: "14. a fallback that rejects a prefill gets the conversation in a legal form",
    primary: each(Simulator.error(529, { type: "overloaded_error", message: "Overloaded" })),
    backup: refusesPrefill,
    request: prefilled,
    streamed: { ends: "backup", primary: 3, backup: 2 },
    // Of Claude it is known, and none is sent.
    askedClaude: 1
  },
  {
    name: "529 bursts are ridden out",
    primary: first(...Array.from({ length: 2 }, () => Simulator.error(529, { message: "Overloaded" }))),
    streamed: onPrimary(3)
  },
  {
    name: "a Retry-After beyond the cap goes to the next provider at once",
    primary: each(Simulator.error(429, { retryAfter: 3600 })),
    streamed: onBackup(1)
  },
  {
    name: "an error inside 200 is an error",
    primary: (wire, mode) =>
      script([mode === "streamed" ? told({ errorAfter: wire.frames(0) }) : Simulator.errorBody200()]),
    streamed: onPrimary(2)
  },
  {
    name: "an error after the first words goes on",
    primary: (wire, mode) =>
      script([mode === "streamed" ? told({ errorAfter: wire.frames(40) }) : Simulator.errorBody200()]),
    streamed: { ...wentOn("Overloaded") },
    whole: onPrimary(2)
  },
  {
    name: "a reset after the first words goes on",
    primary: (wire, mode) => script([told({ resetAfter: mode === "streamed" ? wire.frames(40) : 1 })]),
    streamed: wentOn("Network"),
    whole: onPrimary(2)
  },
  {
    name: "a break whose continuation goes to the next provider",
    primary: (wire, mode) =>
      mode === "streamed"
        ? script([told({ cutAfter: wire.frames(40) })], always(Simulator.error(503)))
        : always(Simulator.error(503)),
    streamed: wentOn("IncompleteStream"),
    whole: onBackup(3)
  },
  {
    name: "a page of a proxy is no answer",
    primary: each(Simulator.html()),
    streamed: onBackup(1)
  },
  {
    name: "a rejected key goes to the next provider",
    primary: each(Simulator.error(401)),
    streamed: onBackup(1)
  }
]

interface Outcome {
  readonly events: ReadonlyArray<LlmEvent>
  readonly response: LlmResponse | undefined
  readonly error: LlmError | undefined
  readonly text: string
}

const call = (service: Service, mode: Mode, request: LlmRequest): Effect.Effect<Outcome> =>
  Effect.gen(function*() {
    const events: Array<LlmEvent> = []
    const exit = yield* Effect.exit(
      mode === "whole"
        ? service.generate(request)
        : Effect.as(
          Stream.runForEach(service.stream(request), (event) => Effect.sync(() => void events.push(event))),
          undefined
        )
    )
    const last = events.at(-1)
    const response = Exit.isSuccess(exit)
      ? exit.value ?? (last?._tag === "Finish" ? last.response : undefined)
      : undefined
    return {
      events,
      response,
      error: Exit.isSuccess(exit) ? undefined : yield* Effect.flip(exit) as Effect.Effect<LlmError>,
      text: mode === "whole"
        ? response?.text ?? ""
        : events.map((event) => event._tag === "TextDelta" ? event.text : "").join("")
    }
  })

const limits = { connect: "250 millis", firstToken: "250 millis", firstByte: "250 millis", idle: "250 millis" } as const
const short = (mode: Mode) => Timeout.policy(mode === "whole" ? { ...limits, total: "600 millis" } : limits)
const retries = Retry.policy({ retries: 2, base: "2 millis", floor: "1 millis", cap: "500 millis" })

const setUp = (wire: Wire, scenario: Scenario, mode: Mode) =>
  Effect.gen(function*() {
    const primary = yield* Simulator.make({ respondWith: scenario.primary(wire, mode) })
    const backup = yield* Simulator.make({ respondWith: scenario.backup ?? narrator })
    const other = wire === anthropic ? chat : anthropic
    const next = other.layer(backup.url).pipe(retries)
    const stack = wire.layer(primary.url).pipe(
      scenario.limited ? short(mode) : retries,
      Fallback.policy(
        scenario.backupWindow === undefined ? next : Fallback.candidate(next, { contextWindow: scenario.backupWindow })
      ),
      Continue.policy()
    )
    return { primary, backup, other, stack }
  })

const assertOutcome = (outcome: Outcome, expected: Expected, mode: Mode, wire: Wire, other: Wire) => {
  const { error, events, response } = outcome
  assert.strictEqual(
    response === undefined ? error?.reason._tag : response.provider === wire.provider ? "primary" : "backup",
    expected.ends,
    error?.message
  )
  const continued = events.find((event) => event._tag === "Continued")
  assert.strictEqual(continued?.reason, expected.continued)
  if (response === undefined) return
  assert.strictEqual(outcome.text, story)
  assert.strictEqual(response.text, story)
  assert.strictEqual(response.finishReason, "stop")
  if (mode === "streamed") {
    assert.strictEqual(events.filter((event) => event._tag === "ResponseStart").length, 1)
    assert.deepStrictEqual(fold(events)?.parts, response.parts)
  }
  if (expected.continued !== undefined) {
    assert.strictEqual(continued?.from.provider, wire.provider)
    assert.strictEqual(continued?.to.provider, expected.ends === "primary" ? wire.provider : other.provider)
  }
}

/** One is read through its stream, as any client; the other polled. */
const clients = [["undici", NodeHttpClient.layerUndici], ["the Node client", layerHttpClient]] as const
const modes = ["streamed", "whole"] as const

for (const [clientName, client] of clients) {
  for (const [wire, mode] of [anthropic, chat].flatMap((wire) => modes.map((mode) => [wire, mode] as const))) {
    describe(`${wire.name}, ${mode}, over ${clientName}`, () => {
      for (const scenario of scenarios) {
        it.effect(scenario.name, () =>
          Effect.gen(function*() {
            const { backup, other, primary, stack } = yield* setUp(wire, scenario, mode)
            const expected = mode === "whole" ? scenario.whole ?? scenario.streamed : scenario.streamed
            const startedAt = yield* Clock.currentTimeMillis
            yield* Effect.gen(function*() {
              // What a wire's default is, `auto`, is tested elsewhere: here a whole answer is one, unless the scenario says otherwise.
              const request: LlmRequest = { whole: "whole", ...(scenario.request ?? { prompt: "Tell me the story." }) }
              const outcome = yield* inTurns(call(yield* LlmService, mode, request))
              assertOutcome(outcome, expected, mode, wire, other)
            }).pipe(Effect.provide(stack))
            assert.isAtLeast((yield* Clock.currentTimeMillis) - startedAt, scenario.atLeast ?? 0)
            assert.deepStrictEqual([primary.requests.length, backup.requests.length], [
              expected.primary,
              wire === chat ? scenario.askedClaude ?? expected.backup : expected.backup
            ])
            // Nothing is left behind: every request was answered to its end, given up or reset.
            for (const request of [...primary.requests, ...backup.requests]) yield* request.ended
          }).pipe(Effect.scoped, Effect.provide(client)))
      }

      it.effect("15. a minute of flapping under 20 requests", () =>
        Effect.gen(function*() {
          const faults: ReadonlyArray<(wire: Wire) => Simulator.Answer> = [
            () => Simulator.error(503),
            () => Simulator.error(429),
            () => Simulator.reset,
            (wire) => told({ cutAfter: mode === "streamed" ? wire.frames(20) : 1 })
          ]
          let up = true
          let failures = 0
          const primary = yield* Simulator.make({
            respondWith: (request) => up ? narrator(request) : faults[failures++ % faults.length]!(wire)
          })
          const backup = yield* Simulator.make({ respondWith: narrator })
          const other = wire === anthropic ? chat : anthropic
          const stack = wire.layer(primary.url).pipe(
            Fallback.policy(other.layer(backup.url)),
            Continue.policy()
          )
          yield* Effect.gen(function*() {
            const service = yield* LlmService
            const served: Array<string> = []
            for (let i = 0; i < 20; i++) {
              up = i % 6 < 3
              const outcome = yield* call(service, mode, { prompt: `Tell me the story, ${i}.` })
              assert.isUndefined(outcome.error, outcome.error?.message)
              assert.strictEqual(outcome.text, story)
              served.push(outcome.response!.provider)
              yield* TestClock.adjust("3 seconds")
            }
            assert.isAtLeast(served.filter((provider) => provider === wire.provider).length, 10)
            assert.isAtLeast(served.filter((provider) => provider === other.provider).length, 6)
          }).pipe(Effect.provide(stack))
        }).pipe(Effect.scoped, Effect.provide(client)))

      it.effect("16. the accounts add up", () =>
        Effect.gen(function*() {
          const answers: Array<Simulator.Answer> = [
            Simulator.error(503),
            told(),
            Simulator.error(529),
            told(mode === "streamed" ? { cutAfter: wire.frames(30) } : { cutAfter: 1 }),
            Simulator.error(400, { message: "messages: no" }),
            Simulator.reset
          ]
          const primary = yield* Simulator.make({ respondWith: script(answers) })
          const backup = yield* Simulator.make({ respondWith: script([Simulator.error(500)]) })
          const tally = { started: 0, finished: 0, failed: 0, interrupted: 0 }
          const other = wire === anthropic ? chat : anthropic
          const stack = wire.layer(primary.url).pipe(
            counting(tally),
            Fallback.policy(other.layer(backup.url).pipe(counting(tally))),
            Continue.policy()
          )
          yield* Effect.gen(function*() {
            const service = yield* LlmService
            let requests = 0
            for (let i = 0; i < 10; i++) {
              const { error, events, response } = yield* call(service, mode, { prompt: `Tell me the story, ${i}.` })
              const own = error?.attempts ?? 1 + (response?.priorAttempts?.length ?? 0)
              assert.strictEqual(primary.requests.length + backup.requests.length, requests + own)
              requests += own
              const update = events.findLast((event) => event._tag === "UsageUpdate")
              if (update !== undefined) assert.deepStrictEqual(update.usage, (response ?? error?.partial)?.usage)
            }
            assert.strictEqual(tally.started, requests)
            assert.strictEqual(tally.started, tally.finished + tally.failed + tally.interrupted)
            assert.strictEqual(tally.interrupted, 0)
          }).pipe(Effect.provide(stack))
          for (const request of [...primary.requests, ...backup.requests]) yield* request.ended
        }).pipe(Effect.scoped, Effect.provide(client)))

      it.live("a silent provider is hedged, and its connection closed", () =>
        Effect.gen(function*() {
          const slow = yield* Simulator.make({ respondWith: always(Simulator.hang) })
          const quick = yield* Simulator.make({ respondWith: narrator })
          const other = wire === anthropic ? chat : anthropic
          const stack = wire.layer(slow.url).pipe(
            Hedge.policy({ after: "50 millis", candidate: other.layer(quick.url) })
          )
          yield* Effect.gen(function*() {
            const { response, text } = yield* call(yield* LlmService, mode, { prompt: "Tell me the story." })
            assert.strictEqual(text, story)
            assert.strictEqual(response?.provider, other.provider)
            assert.strictEqual(yield* slow.requests[0]!.ended, "closed-by-client")
            assert.deepStrictEqual([slow.requests.length, quick.requests.length], [1, 1])
          }).pipe(Effect.provide(stack))
        }).pipe(Effect.scoped, Effect.provide(client)))

      it.effect("a key that is refused leaves the work to the others", () =>
        Effect.gen(function*() {
          const provider = yield* Simulator.make({ respondWith: narrator, keys: ["good-key-0123456789"] })
          const keys = ["bad-key-0123456789", "good-key-0123456789"].map((key) => ({ apiKey: Redacted.make(key) }))
          yield* Effect.gen(function*() {
            const service = yield* LlmService
            for (let i = 0; i < 6; i++) {
              const { text } = yield* call(service, mode, { prompt: "Tell me the story." })
              assert.strictEqual(text, story)
            }
            assert.strictEqual(provider.requests.length, 7)
          }).pipe(Effect.provide(wire.layer(provider.url).pipe(KeyPool.policy({ keys }))))
        }).pipe(Effect.scoped, Effect.provide(client)))

      it.effect("a stampede of 80 callers meets a provider with one probe, and comes back when it has recovered", () =>
        Effect.gen(function*() {
          let up = false
          const primary = yield* Simulator.make({
            respondWith: () => up ? told({}, "Here.") : Simulator.error(503)
          })
          const backup = yield* Simulator.make({ respondWith: always(told({}, "Here.")) })
          const other = wire === anthropic ? chat : anthropic
          const stack = wire.layer(primary.url).pipe(
            CircuitBreaker.policy({ failures: 3, openFor: "30 seconds" }),
            Fallback.policy(other.layer(backup.url)),
            Concurrency.policy({ permits: 20, maxQueue: 80 })
          )
          yield* Effect.gen(function*() {
            const service = yield* LlmService
            const stampede = Effect.gen(function*() {
              const fibers = yield* Effect.forEach(
                Array.from({ length: 80 }),
                () => Effect.forkChild(call(service, mode, { prompt: "Are you there?" }))
              )
              for (const fiber of fibers) assert.strictEqual((yield* Fiber.join(fiber)).text, "Here.")
            })
            yield* stampede
            const whileDown = primary.requests.length
            // As many as ran when it opened, and nobody after that.
            assert.isAtMost(whileDown, 20)
            yield* TestClock.adjust("30 seconds")
            yield* stampede
            const probed = primary.requests.length
            assert.strictEqual(probed, whileDown + 1)
            yield* TestClock.adjust("1 minute")
            up = true
            yield* stampede
            assert.isAbove(primary.requests.length - probed, 40)
            assert.strictEqual(primary.requests.length + backup.requests.length, 240 + probed)
          }).pipe(Effect.provide(stack))
        }).pipe(Effect.scoped, Effect.provide(client)))
    })
  }
}

interface Tally {
  started: number
  finished: number
  failed: number
  interrupted: number
}

/** Counts the calls that reach a provider, and how they end. */
const counting = (tally: Tally) => {
  const count = <E>(exit: Exit.Exit<unknown, E>) =>
    Effect.sync(() => {
      if (Exit.isSuccess(exit)) tally.finished++
      else if (Exit.hasInterrupts(exit)) tally.interrupted++
      else tally.failed++
    })
  return Policy.make((service) => ({
    ...service,
    generate: (request) =>
      Effect.suspend(() => {
        tally.started++
        return Effect.onExit(service.generate(request), count)
      }),
    stream: (request) =>
      Stream.suspend(() => {
        tally.started++
        return Stream.onExit(service.stream(request), count)
      })
  }))
}

describe("a 429 that stays", () => {
  it.effect("benches the provider after three calls, and asks it again when the time has come", () =>
    Effect.gen(function*() {
      const primary = yield* Simulator.make({ respondWith: always(Simulator.error(429, { retryAfter: 20 })) })
      const backup = yield* Simulator.make({ respondWith: narrator })
      yield* Effect.gen(function*() {
        const service = yield* LlmService
        for (let i = 0; i < 10; i++) assert.strictEqual((yield* call(service, "whole", { prompt: "Go." })).text, story)
        assert.strictEqual(primary.requests.length, 3)
        yield* TestClock.adjust("20 seconds")
        yield* call(service, "streamed", { prompt: "Go." })
        assert.strictEqual(primary.requests.length, 4)
      }).pipe(Effect.provide(anthropic.layer(primary.url).pipe(Fallback.policy(chat.layer(backup.url)))))
    }).pipe(Effect.scoped, Effect.provide(NodeHttpClient.layerUndici)))
})
