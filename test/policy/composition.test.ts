import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Metric from "effect/Metric"
import * as Random from "effect/Random"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import { TestClock } from "effect/testing"
import * as fc from "fast-check"
import type { LlmError } from "../../src/LlmError.ts"
import type { LlmEvent } from "../../src/LlmEvent.ts"
import { fold, type LlmResponse } from "../../src/LlmResponse.ts"
import type { Service } from "../../src/LlmService.ts"
import * as Cost from "../../src/observe/Cost.ts"
import * as Balance from "../../src/policy/Balance.ts"
import * as Budget from "../../src/policy/Budget.ts"
import * as Cache from "../../src/policy/Cache.ts"
import * as CircuitBreaker from "../../src/policy/CircuitBreaker.ts"
import * as Concurrency from "../../src/policy/Concurrency.ts"
import * as Continue from "../../src/policy/Continue.ts"
import * as Fallback from "../../src/policy/Fallback.ts"
import * as Hedge from "../../src/policy/Hedge.ts"
import * as KeyPool from "../../src/policy/KeyPool.ts"
import type * as Policy from "../../src/policy/Policy.ts"
import * as RateLimit from "../../src/policy/RateLimit.ts"
import * as Retry from "../../src/policy/Retry.ts"
import * as Timeout from "../../src/policy/Timeout.ts"
import * as TestLlm from "../../src/testing/TestLlm.ts"

const story = "Once upon a time there was a lighthouse"

// =============================================================================
// Providers
// =============================================================================

/** What a provider does, in words, so that a counterexample can be read. */
type Deed =
  | { readonly does: "answer" | "never" }
  | { readonly does: "late"; readonly seconds: number }
  | { readonly does: "hang" | "cut"; readonly after: number }
  | { readonly does: "fail"; readonly after: number; readonly how: keyof typeof failures }

const failures = {
  network: TestLlm.network(),
  busy: TestLlm.overloaded(),
  limited: TestLlm.rateLimit({ retryAfter: "2 seconds" }),
  broken: TestLlm.serverError(),
  refused: TestLlm.authentication(),
  invalid: TestLlm.validation(),
  long: TestLlm.contextLength(),
  total: TestLlm.timeout("total")
}

const answerOf = (deed: Deed): TestLlm.Answer => {
  switch (deed.does) {
    case "answer":
      return story
    case "never":
      return TestLlm.never
    case "late":
      return TestLlm.delayed(`${deed.seconds} seconds`, story)
    case "hang":
      return TestLlm.hangAfter(deed.after, story)
    case "cut":
      return TestLlm.cutAfter(deed.after, story)
    case "fail":
      return TestLlm.failAfter(deed.after, story, failures[deed.how])
  }
}

const after = fc.integer({ min: 0, max: 11 })

const deed: fc.Arbitrary<Deed> = fc.oneof(
  { weight: 2, arbitrary: fc.constant<Deed>({ does: "answer" }) },
  { weight: 1, arbitrary: fc.constant<Deed>({ does: "never" }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant("late" as const), seconds: fc.integer({ min: 1, max: 9 }) }) },
  { weight: 2, arbitrary: fc.record({ does: fc.constantFrom("hang" as const, "cut" as const), after }) },
  {
    weight: 6,
    arbitrary: fc.record({
      does: fc.constant("fail" as const),
      after,
      how: fc.constantFrom(...(Object.keys(failures) as Array<keyof typeof failures>))
    })
  }
)

/** A provider's deeds, over and over. */
const deeds = fc.array(deed, { minLength: 1, maxLength: 4 })

// =============================================================================
// Stacks
// =============================================================================

type Layered =
  | { readonly policy: "retry"; readonly retries: number }
  | { readonly policy: "continue"; readonly continuations: number }
  | { readonly policy: "fallback" | "balance" | "hedge"; readonly other: ReadonlyArray<Deed> }
  | {
    readonly policy:
      | "timeout"
      | "hedgeItself"
      | "circuitBreaker"
      | "concurrency"
      | "rateLimit"
      | "keyPool"
      | "cache"
      | "budget"
      | "cost"
  }

const layered: fc.Arbitrary<Layered> = fc.oneof(
  fc.record({ policy: fc.constant("retry" as const), retries: fc.integer({ min: 0, max: 2 }) }),
  fc.record({ policy: fc.constant("continue" as const), continuations: fc.integer({ min: 0, max: 2 }) }),
  fc.record({ policy: fc.constantFrom("fallback" as const, "balance" as const, "hedge" as const), other: deeds }),
  fc.record({
    policy: fc.constantFrom(
      "timeout" as const,
      "hedgeItself" as const,
      "circuitBreaker" as const,
      "concurrency" as const,
      "rateLimit" as const,
      "keyPool" as const,
      "cache" as const,
      "budget" as const,
      "cost" as const
    )
  })
)

const stack = fc.array(layered, { maxLength: 6 })

interface Built {
  readonly service: Service
  /** Most calls of providers that one call may make. */
  readonly most: number
  readonly controls: Array<TestLlm.Control>
}

const provider = (name: string, deeds: ReadonlyArray<Deed>, controls: Array<TestLlm.Control>): Service => {
  const { control, service } = TestLlm.make({
    provider: name,
    model: `${name}-1`,
    answers: (_, call) => answerOf(deeds[call.index % deeds.length]!)
  })
  controls.push(control)
  return service
}

const wrap = (built: Built, layered: Layered) => {
  const { controls, most } = built
  const other = "other" in layered ? provider(`p${controls.length}`, layered.other, controls) : undefined
  const made = (service: Service, most: number): Effect.Effect<Built> => Effect.succeed({ controls, service, most })
  const piped = (policy: Policy.Policy, times = 1) =>
    Effect.map(policy.wrap(built.service), (service): Built => ({ controls, service, most: most * times }))
  switch (layered.policy) {
    case "retry":
      return piped(Retry.policy({ retries: layered.retries, base: "100 millis" }), 1 + layered.retries)
    case "continue":
      return made(
        Continue.make(built.service, [], { maxContinuations: layered.continuations }),
        most * (1 + layered.continuations)
      )
    case "fallback":
      return made(Fallback.make([built.service, other!]), most + 1)
    case "balance":
      return made(Balance.make([built.service, other!]), most + 1)
    case "hedge":
      return made(Hedge.make(built.service, other, { after: "1 second" }), most + 1)
    case "hedgeItself":
      return piped(Hedge.policy({ after: "1 second" }), 2)
    case "timeout":
      return piped(Timeout.policy({ firstToken: "4 seconds", idle: "3 seconds", total: "1 minute" }))
    case "circuitBreaker":
      return piped(CircuitBreaker.policy({ failures: 2 }))
    case "concurrency":
      return piped(Concurrency.policy({ permits: 2 }))
    case "rateLimit":
      return piped(RateLimit.policy({ requestsPerMinute: 1000 }))
    case "keyPool":
      return Effect.match(
        KeyPool.policy({ keys: [{ apiKey: Redacted.make("one") }, { apiKey: Redacted.make("two") }] }).wrap(
          built.service
        ),
        {
          onSuccess: (service): Built => ({ controls, service, most: most * 2 }),
          // Around several companies there is no pool.
          onFailure: () => built
        }
      )
    case "cache":
      return piped(Cache.policy({ partition: () => "tests" }))
    case "budget":
      return piped(Budget.policy({ limit: 1000, unknownPrice: "allow" }))
    case "cost":
      return piped(Cost.policy())
  }
}

const build = (first: ReadonlyArray<Deed>, stack: ReadonlyArray<Layered>) =>
  Effect.gen(function*() {
    const controls: Array<TestLlm.Control> = []
    let built: Built = { controls, most: 1, service: provider("p0", first, controls) }
    for (const layered of stack) built = yield* wrap(built, layered)
    return built
  })

// =============================================================================
// Calls
// =============================================================================

interface Seen {
  readonly events: ReadonlyArray<LlmEvent>
  readonly text: string
  readonly exit: Exit.Exit<LlmResponse | undefined, LlmError>
}

/** Runs a call while time passes, and interrupts it at some moment, or after a long time. */
const run = (service: Service, operation: "generate" | "stream", interruptAt: number | undefined) =>
  Effect.gen(function*() {
    const events: Array<LlmEvent> = []
    const request = { prompt: "Tell me a story." }
    const fiber = yield* Effect.forkChild(Effect.exit(
      operation === "generate"
        ? service.generate(request)
        : Effect.as(
          Stream.runForEach(service.stream(request), (event) => Effect.sync(() => void events.push(event))),
          undefined
        )
    ))
    for (let millis = 0; millis < (interruptAt ?? 600_000) && fiber.pollUnsafe() === undefined;) {
      const step = Math.min((interruptAt ?? Infinity) - millis, millis < 20_000 ? 500 : 20_000)
      yield* TestClock.adjust(step)
      millis += step
    }
    yield* Fiber.interrupt(fiber)
    const ended = yield* Fiber.await(fiber)
    return {
      events,
      text: events.map((event) => event._tag === "TextDelta" ? event.text : "").join(""),
      exit: Exit.isSuccess(ended) ? ended.value : Exit.failCause(ended.cause)
    } satisfies Seen
  })

/** Counts the fibers that run under it. */
const fibers = () => {
  let running = 0
  return {
    get running() {
      return running
    },
    metrics: {
      recordFiberStart: () => void running++,
      recordFiberEnd: () => void running--
    } satisfies Metric.FiberRuntimeMetricsService
  }
}

const check = (
  first: ReadonlyArray<Deed>,
  stack: ReadonlyArray<Layered>,
  operation: "generate" | "stream",
  interruptAt: number | undefined
) => {
  const counter = fibers()
  return Effect.gen(function*() {
    const built = yield* build(first, stack)
    const started = () => built.controls.reduce((sum, control) => sum + control.started, 0)
    const before = counter.running
    let startedBefore = 0
    // The second call meets what the first one left: open circuits, benches, measured times.
    for (let call = 0; call < 2; call++) {
      const { events, exit, text } = yield* run(built.service, operation, interruptAt)

      // At most the declared attempts, and every one of them accounted for.
      assert.isAtMost(started() - startedBefore, built.most)
      startedBefore = started()
      for (const control of built.controls) {
        assert.strictEqual(control.running, 0)
        assert.strictEqual(control.started, control.finished + control.failed + control.interrupted)
      }

      // Nothing that was seen is said again.
      assert.isTrue(story.startsWith(text), text)
      assert.isAtMost(events.filter((event) => event._tag === "ResponseStart").length, 1)
      if (Exit.isSuccess(exit)) {
        if (operation === "stream") {
          assert.strictEqual(text, story)
          assert.strictEqual(events.at(-1)?._tag, "Finish")
          const last = events.at(-1)
          assert.deepStrictEqual(fold(events)?.parts, last?._tag === "Finish" ? last.response.parts : [])
        }
        const response = exit.value ?? fold(events)
        assert.strictEqual(response?.text, story)
      } else if (!Exit.hasInterrupts(exit)) {
        const error = yield* Effect.flip(exit)
        assert.strictEqual(error._tag, "LlmError")
        if (text !== "") assert.strictEqual(error.partial?.text, text)
      }

      // And nothing goes on behind the caller's back.
      assert.strictEqual(counter.running, before)
      yield* TestClock.adjust("1 hour")
      assert.strictEqual(started(), startedBefore)
    }
  }).pipe(
    Random.withSeed("composition"),
    Effect.provideService(Metric.FiberRuntimeMetrics, counter.metrics),
    Effect.scoped,
    Effect.provide(TestClock.layer())
  )
}

describe("Any stack of policies", () => {
  // The assertions are in `check`.
  // oxlint-disable-next-line vitest/expect-expect
  it("never replays, makes at most the declared attempts, accounts for every call and leaves no fiber", () =>
    fc.assert(
      fc.asyncProperty(
        deeds,
        stack,
        fc.constantFrom("generate" as const, "stream" as const),
        fc.option(fc.integer({ min: 0, max: 8000 }), { nil: undefined }),
        (first, stack, operation, interruptAt) => Effect.runPromise(check(first, stack, operation, interruptAt))
      ),
      { numRuns: 200 }
    ), 60_000)
})
