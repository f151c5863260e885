// What a call costs and says of its provider, whatever became of it: only what was sent counts, and of it what was used.
import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Stream from "effect/Stream"
import { TestClock } from "effect/testing"
import * as fc from "fast-check"
import * as LlmError from "../../src/LlmError.ts"
import type { LlmEvent } from "../../src/LlmEvent.ts"
import { emptyUsage, LlmResponse, type Usage } from "../../src/LlmResponse.ts"
import type { Service } from "../../src/LlmService.ts"
import * as CircuitBreaker from "../../src/policy/CircuitBreaker.ts"
import * as Concurrency from "../../src/policy/Concurrency.ts"
import * as RateLimit from "../../src/policy/RateLimit.ts"
import * as TestLlm from "../../src/testing/TestLlm.ts"

const message = "as it happens"
const retryAfter = Duration.seconds(1)
const reasons: ReadonlyArray<LlmError.Reason> = [
  new LlmError.Configuration({ message }),
  new LlmError.Validation({ message, status: 400 }),
  new LlmError.Authentication({ message, status: 401 }),
  new LlmError.PermissionDenied({ message, status: 403 }),
  new LlmError.QuotaExhausted({ message, status: 429 }),
  new LlmError.RateLimit({ message, status: 429 }),
  new LlmError.Overloaded({ message, status: 529 }),
  new LlmError.NotFound({ message, status: 404 }),
  new LlmError.ContextLength({ message, status: 400, kind: "tokens" }),
  new LlmError.ContentPolicy({ message, status: 400 }),
  new LlmError.Provider({ message, status: 500 }),
  new LlmError.Provider({ message, status: 599 }),
  new LlmError.Provider({ message }),
  new LlmError.Provider({ message, status: 499 }),
  new LlmError.Network({ message }),
  LlmError.timeout("idle", "1 second"),
  new LlmError.ResponseParse({ message }),
  new LlmError.IncompleteStream({ message }),
  new LlmError.StructuredOutput({ message, text: "" }),
  new LlmError.ToolFailure({ message, toolName: "t" }),
  new LlmError.CircuitBreakerOpen({ message, key: "k", retryAfter }),
  new LlmError.QueueFull({ message }),
  new LlmError.BudgetExceeded({ message, scope: "s", limit: 1, spent: 1 }),
  new LlmError.FallbackExhausted({ message, attempts: [] })
]

/** What says that a provider is not well: the header of the circuit breaker. */
const isIll = (reason: LlmError.Reason): boolean =>
  ["Overloaded", "Network", "Timeout", "IncompleteStream", "RateLimit"].includes(reason._tag) ||
  (reason._tag === "Provider" && (reason.status === undefined || reason.status >= 500))

const named = reasons.map((reason) =>
  [`${reason._tag}${"status" in reason && reason.status !== undefined ? ` ${reason.status}` : ""}`, reason] as const
)

/** A service of which every call ends alike. */
const ending = (end: LlmError.LlmError | LlmResponse): Service => ({
  ...TestLlm.make({ answers: () => "Hi" }).service,
  generate: () => end instanceof LlmResponse ? Effect.succeed(end) : Effect.fail(end),
  stream: (): Stream.Stream<LlmEvent, LlmError.LlmError> =>
    end instanceof LlmResponse ? Stream.make({ _tag: "Finish", response: end } as LlmEvent) : Stream.fail(end)
})

const failing = (reason: LlmError.Reason, attempts: number): Service =>
  ending(new LlmError.LlmError({ provider: "p", model: "m", operation: "generate", reason, attempts }))

type Operation = "generate" | "stream"
const call = (service: Service, operation: Operation, maxTokens = 1): Effect.Effect<unknown, LlmError.LlmError> =>
  operation === "generate"
    ? service.generate({ prompt: "Hello", maxTokens })
    : Stream.runDrain(service.stream({ prompt: "Hello", maxTokens }))

const operations: ReadonlyArray<Operation> = ["generate", "stream"]

describe("An error", () => {
  it.effect.each(named)(
    "opens a circuit if it was the provider's and something was sent: %s",
    ([, reason]) =>
      Effect.gen(function*() {
        for (const attempts of [0, 1, 2]) {
          for (const operation of operations) {
            const service = yield* CircuitBreaker.policy({ failures: 1 }).wrap(failing(reason, attempts))
            const [first, second] = [
              yield* Effect.flip(call(service, operation)),
              yield* Effect.flip(call(service, operation))
            ]
            assert.strictEqual(first.reason._tag, reason._tag)
            const isOpen = second.reason._tag === "CircuitBreakerOpen" && second.attempts === 0 &&
              reason !== second.reason
            assert.strictEqual(isOpen, attempts > 0 && isIll(reason), `${operation}, ${attempts}`)
          }
        }
      })
  )

  it.effect.each(named)(
    "takes one request of a rate limit if something was sent, and no tokens: %s",
    ([, reason]) =>
      Effect.gen(function*() {
        for (const attempts of [0, 1]) {
          for (const operation of operations) {
            const waits = (limits: RateLimit.Options) =>
              Effect.gen(function*() {
                const estimate = () => ({ input: 10, output: 20 })
                const service = yield* RateLimit.policy({ ...limits, estimate, maxWait: 0 }).wrap(
                  failing(reason, attempts)
                )
                yield* Effect.flip(call(service, operation))
                const { reason: second, retryAfter } = yield* Effect.flip(call(service, operation))
                return second === reason || retryAfter === undefined ? 0 : Duration.toMillis(retryAfter)
              })
            assert.strictEqual(yield* waits({ requestsPerMinute: 1 }), attempts === 0 ? 0 : 60_000)
            assert.strictEqual(yield* waits({ tokensPerMinute: 30 }), 0)
            assert.strictEqual(yield* waits({ inputTokensPerMinute: 10 }), 0)
            assert.strictEqual(yield* waits({ outputTokensPerMinute: 20 }), 0)
          }
        }
      })
  )

  it.effect.each(named)("holds no permit: %s", ([, reason]) =>
    Effect.gen(function*() {
      for (const operation of operations) {
        const service = yield* Concurrency.policy({ permits: 1, maxQueue: 0 }).wrap(failing(reason, 1))
        for (let i = 0; i < 3; i++) assert.strictEqual((yield* Effect.flip(call(service, operation))).reason, reason)
      }
    }))
})

describe("A rate limit of tokens", () => {
  const limits = { tokensPerMinute: "tokens", inputTokensPerMinute: "input", outputTokensPerMinute: "output" } as const
  const amount = fc.option(fc.nat(500), { nil: undefined })
  const usages: fc.Arbitrary<Usage> = fc.record({ total: amount, cacheRead: fc.nat(100), output: amount }).map(
    ({ cacheRead, output, total }) => ({
      input: total === undefined ? {} : { total: total + cacheRead, cacheRead },
      output: output === undefined ? {} : { total: output }
    })
  )
  const response = (usage: Usage) =>
    new LlmResponse({
      parts: [{ type: "text", text: "Hi" }],
      finishReason: "stop",
      usage,
      model: "m",
      provider: "p",
      warnings: []
    })
  const limit = 2000

  /** How long a call has to wait that wants all of the limit, after a call that was estimated and ended so. */
  const waitAfter = (
    limited: keyof typeof limits,
    estimated: RateLimit.Estimate,
    end: LlmError.LlmError | LlmResponse,
    operation: Operation
  ): Effect.Effect<number> =>
    Effect.gen(function*() {
      let calls = 0
      const estimate = (): RateLimit.Estimate =>
        calls++ === 0
          ? estimated
          : limited === "outputTokensPerMinute"
          ? { input: 0, output: limit }
          : { input: limit, output: 0 }
      const service = yield* RateLimit.policy({ [limited]: limit, estimate, maxWait: 0, learn: false }).wrap(
        ending(end)
      )
      yield* Effect.exit(call(service, operation))
      const exit = yield* Effect.exit(call(service, operation))
      if (Exit.isSuccess(exit)) return 0
      const { reason, retryAfter } = yield* Effect.flip(exit)
      return reason._tag === "RateLimit" && retryAfter !== undefined ? Duration.toMillis(retryAfter) : 0
    }).pipe(Effect.orDie)

  const used = (limited: keyof typeof limits, estimated: RateLimit.Estimate, usage: Usage): number => {
    const input = usage.input.total ?? estimated.input
    const output = usage.output.total ?? estimated.output
    const read = usage.input.total === undefined ? 0 : usage.input.cacheRead ?? 0
    return limits[limited] === "tokens" ? input + output : limits[limited] === "input" ? input - read : output
  }

  it("takes what was used of each kind, and the estimate of what nobody counted", () =>
    fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...Object.keys(limits) as Array<keyof typeof limits>),
        fc.record({ input: fc.nat(400), output: fc.nat(400) }),
        usages,
        fc.constantFrom(...operations),
        fc.boolean(),
        async (limited, estimated, usage, operation, broken) => {
          const whole = response(usage)
          const end = broken
            ? new LlmError.LlmError({
              provider: "p",
              model: "m",
              operation,
              reason: new LlmError.IncompleteStream({ message, partial: whole }),
              attempts: 1
            })
            : whole
          const wait = await Effect.runPromise(
            Effect.provide(waitAfter(limited, estimated, end, operation), TestClock.layer())
          )
          // What broke before its usage was told has cost its input.
          const expected = broken && usage.output.total === undefined
            ? used(limited, { ...estimated, output: 0 }, emptyUsage)
            : used(limited, estimated, usage)
          assert.strictEqual(wait, Math.ceil(expected * 60_000 / limit - 1e-6))
        }
      ),
      { numRuns: 120 }
    ))
})
