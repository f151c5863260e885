import { assert, describe, it } from "@effect/vitest"
import * as Data from "effect/Data"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as Agent from "../../src/agent/Agent.ts"
import * as Handlers from "../../src/agent/Handlers.ts"
import * as Run from "../../src/agent/Run.ts"
import { IncompleteStream } from "../../src/LlmError.ts"
import * as LlmTool from "../../src/LlmTool.ts"
import * as Message from "../../src/Message.ts"
import { TestLlm } from "../../src/testing/index.ts"
import { refusedBy, unpaired } from "./schedules.ts"

const call = (id: string, name: string, args: Message.Json = {}): Message.ToolCallPart => ({
  type: "tool-call",
  id,
  name,
  arguments: args
})

const city = Schema.Struct({ city: Schema.String })
const weather = LlmTool.make("get_weather", { parameters: city, success: Schema.Struct({ celsius: Schema.Number }) })
const transfer = LlmTool.make("transfer", {
  parameters: Schema.Struct({ amount: Schema.Number }),
  needsApproval: ({ amount }) => amount > 10
})

const with_ = (answers: TestLlm.Options["answers"]) => Effect.provide(TestLlm.layer({ answers }))

const stored = (state: Run.State): Run.State => Result.getOrThrow(Run.decode(JSON.parse(JSON.stringify(state))))

const results = (state: Run.State) =>
  state.messages.flatMap((message) =>
    Message.parts(message).flatMap((part) => part.type === "tool-result" ? [part.content] : [])
  )

describe("Agent", () => {
  it.effect("runs calls side by side and goes on with their results", () =>
    Effect.gen(function*() {
      const control = yield* TestLlm.TestLlm
      const both = yield* Deferred.make<void>()
      let running = 0
      const agent = Agent.make({
        instructions: "Be brief.",
        tools: Handlers.make([weather], {
          get_weather: ({ city }) =>
            Effect.gen(function*() {
              if (++running === 2) yield* Deferred.succeed(both, undefined)
              yield* Deferred.await(both)
              return { celsius: city.length }
            })
        })
      })
      const outcome = yield* Agent.run(agent, { prompt: "Where is it warmer?" })
      assert.strictEqual(outcome.status, "done")
      assert.strictEqual(outcome.text, "Lisbon.")
      assert.deepStrictEqual(results(outcome.state), ["{\"celsius\":6}", "{\"celsius\":4}"])
      assert.isUndefined(unpaired(outcome.state.messages) ?? refusedBy(outcome.state.messages))
      assert.strictEqual(control.requests[1]!.system, "Be brief.")
      assert.strictEqual(outcome.spent.steps, 2)
      assert.strictEqual(outcome.spent.toolCalls, 2)
    }).pipe(with_([
      [call("a", "get_weather", { city: "Lisbon" }), call("b", "get_weather", { city: "Oslo" })],
      "Lisbon."
    ])))

  it.effect("waits for an approval, takes it once in another process, and refuses what is forged, replayed or mistyped", () =>
    Effect.gen(function*() {
      const ran: Array<number> = []
      const agent = Agent.make({
        tools: Handlers.make([transfer], {
          transfer: ({ amount }) => Effect.sync(() => void ran.push(amount))
        })
      })
      const first = yield* Agent.run(agent, { prompt: "Pay." })
      assert.strictEqual(first.status, "waiting")
      assert.deepStrictEqual(ran, [5])
      const [request] = first.waiting.approvals
      assert.strictEqual(request!.toolName, "transfer")
      assert.deepStrictEqual(request!.arguments, { amount: 500 })
      const kind = (decision: unknown, state = stored(first.state)) =>
        Effect.map(
          Effect.result(Agent.decide(agent, state, decision)),
          (result) => Result.isFailure(result) ? result.failure.kind : "taken"
        )
      const decision = Run.approve(request!)
      assert.strictEqual(yield* kind({ ...decision, approved: "true" }), "Malformed")
      assert.strictEqual(yield* kind({ ...decision, approvalId: "x" }), "Stale")
      assert.strictEqual(yield* kind({ ...decision, runId: "other" }), "Foreign")
      assert.strictEqual(yield* kind({ ...decision, fingerprint: "x" }), "ToolChanged")
      assert.strictEqual(yield* kind({ ...decision, arguments: { amount: "many" } }), "Malformed")
      assert.strictEqual(yield* kind({ ...decision, toolCallId: "x", approvalId: "x" }), "UnknownCall")
      const decided = yield* Agent.decide(agent, stored(first.state), decision)
      assert.strictEqual(yield* kind(decision, decided), "AlreadyDecided")
      const last = yield* Agent.run(agent, { state: stored(decided) })
      assert.strictEqual(last.text, "Paid.")
      assert.deepStrictEqual(ran, [5, 500])
      assert.strictEqual(yield* kind(decision, stored(last.state)), "Stale")
      assert.isUndefined(unpaired(last.state.messages))
    }).pipe(with_([[call("a", "transfer", { amount: 500 }), call("b", "transfer", { amount: 5 })], "Paid."])))

  it.effect("approves one of two calls under one id, and no other", () =>
    Effect.gen(function*() {
      const ran: Array<number> = []
      const agent = Agent.make({
        tools: Handlers.make([transfer], { transfer: ({ amount }) => Effect.sync(() => void ran.push(amount)) })
      })
      const first = yield* Agent.run(agent, { prompt: "Pay." })
      const [, second] = first.waiting.approvals
      const then = yield* Agent.run(agent, { state: first.state, decisions: [Run.approve(second!)] })
      assert.strictEqual(then.status, "waiting")
      assert.deepStrictEqual(ran, [200])
      const last = yield* Agent.run(agent, {
        state: then.state,
        decisions: [Run.deny(then.waiting.approvals[0]!, { reason: "Too much." })]
      })
      assert.strictEqual(last.status, "done")
      assert.deepStrictEqual(ran, [200])
      assert.include(results(last.state)[0], "Too much.")
    }).pipe(with_([[call("a", "transfer", { amount: 100 }), call("a", "transfer", { amount: 200 })], "Done."])))

  it.effect("runs a call with the arguments of the approver, and tells the model", () =>
    Effect.gen(function*() {
      const ran: Array<number> = []
      const agent = Agent.make({
        approvalKey: "secret",
        tools: Handlers.make([transfer], { transfer: ({ amount }) => Effect.sync(() => void ran.push(amount)) })
      })
      const first = yield* Agent.run(agent, { prompt: "Pay." })
      const decision = Run.approve(first.waiting.approvals[0]!, { arguments: { amount: 20 } })
      const unsigned = yield* Effect.flip(Agent.decide(agent, first.state, decision))
      assert.strictEqual(unsigned.kind, "BadSignature")
      const forged = { ...Run.sign(decision, "secret"), arguments: { amount: 9000 } }
      assert.strictEqual((yield* Effect.flip(Agent.decide(agent, first.state, forged))).kind, "BadSignature")
      const last = yield* Agent.run(agent, { state: first.state, decisions: [Run.sign(decision, "secret")] })
      assert.deepStrictEqual(ran, [20])
      assert.include(results(last.state)[0], "{\"amount\":20}")
    }).pipe(with_([[call("a", "transfer", { amount: 100 })], "Done."])))

  it.effect("tells the model of arguments that do not decode, and of tools that are not there", () =>
    Effect.gen(function*() {
      const agent = Agent.make({
        tools: Handlers.make([weather], { get_weather: () => Effect.succeed({ celsius: 1 }) })
      })
      const outcome = yield* Agent.run(agent, { prompt: "Weather?" })
      const [wrong, none] = results(outcome.state)
      assert.include(wrong, "do not fit get_weather")
      assert.include(wrong, "city")
      assert.include(none, "there is no tool \"rain\"")
    }).pipe(with_([[call("a", "get_weather", { town: 1 }), call("b", "rain")], "Sorry."])))

  it.effect("never runs the calls of an answer that was cut, and does not ask for it again", () =>
    Effect.gen(function*() {
      const control = yield* TestLlm.TestLlm
      let ran = 0
      const agent = Agent.make({
        tools: Handlers.make([weather], { get_weather: () => Effect.sync(() => ({ celsius: ++ran })) })
      })
      const outcome = yield* Agent.run(agent, { prompt: "Weather?" })
      assert.strictEqual(outcome.finishReason, "length")
      assert.strictEqual(ran, 0)
      assert.strictEqual(control.requests.length, 1)
      assert.isUndefined(unpaired(outcome.state.messages))
    }).pipe(with_([(request) => {
      const events = TestLlm.make({ answers: [[call("a", "get_weather", { city: "Oslo" })]] }).service.stream(request)
      return Stream.map(
        events,
        (event) =>
          event._tag === "Finish" ? { ...event, response: event.response.with({ finishReason: "length" }) } : event
      )
    }])))

  class Broke extends Data.TaggedError("Broke")<{ readonly message: string }> {}

  it.effect("fails with the error of a handler, keeps what is finished, and goes on from there", () =>
    Effect.gen(function*() {
      let times = 0
      const fragile = LlmTool.make("fragile", {})
      const agent = Agent.make({
        tools: Handlers.make([fragile, weather], {
          fragile: () => Effect.fail(new Broke({ message: "no luck" })),
          get_weather: () => Effect.sync(() => ({ celsius: ++times }))
        })
      })
      const failed = yield* Effect.flip(Agent.run(agent, { prompt: "Go." }))
      assert.strictEqual(failed._tag, "RunFailed")
      if (failed._tag !== "RunFailed") return
      assert.strictEqual(failed.error._tag, "Broke")
      const outcome = yield* Agent.run(agent, { state: stored(failed.state) })
      assert.strictEqual(outcome.text, "Fine.")
      assert.strictEqual(times, 1)
      assert.include(results(outcome.state)[0], "no luck")
    }).pipe(with_([[call("a", "fragile"), call("b", "get_weather", { city: "Oslo" })], "Fine."])))

  it.effect("takes results from outside in any order, partly", () =>
    Effect.gen(function*() {
      const job = LlmTool.make("job", {})
      const agent = Agent.make({ tools: Handlers.make([job], { job: () => Effect.succeed(Handlers.later) }) })
      const first = yield* Agent.run(agent, { prompt: "Go." })
      const [a, b] = first.waiting.deferred
      const then = yield* Agent.run(agent, { state: stored(first.state), results: [{ call: b!.call, content: "B" }] })
      assert.strictEqual(then.status, "waiting")
      const last = yield* Agent.run(agent, { state: stored(then.state), results: [{ call: a!.call, content: "A" }] })
      assert.deepStrictEqual(results(last.state), ["A", "B"])
      assert.strictEqual(last.text, "Both.")
    }).pipe(with_([[call("a", "job"), call("b", "job", { n: 2 })], "Both."])))

  it.effect("asks again when an answer breaks off, and says so", () =>
    Effect.gen(function*() {
      const events = yield* Stream.runCollect(Agent.stream(Agent.make({}), { prompt: "Go." }))
      const tags = events.map(({ _tag }) => _tag)
      const again = tags.indexOf("AttemptStart")
      assert.isAbove(again, tags.indexOf("TextDelta"))
      assert.strictEqual(tags.filter((tag) => tag === "StepStart").length, 1)
      const last = events.at(-1)!
      assert.strictEqual(last._tag === "RunEnd" && last.outcome.text, "All of it.")
    }).pipe(
      with_([TestLlm.failAfter(3, "Half of", new IncompleteStream({ message: "cut" })), "All of it."])
    ))

  it.effect("is not held up by a handler that ignores interruption", () =>
    Effect.gen(function*() {
      const stubborn = LlmTool.make("stubborn", { timeout: "10 seconds" })
      const agent = Agent.make({
        tools: Handlers.make([stubborn], { stubborn: () => Effect.uninterruptible(Effect.never) })
      })
      const fiber = yield* Effect.forkChild(Agent.run(agent, { prompt: "Go." }))
      yield* TestClock.adjust("10 seconds")
      yield* TestClock.adjust("2 seconds")
      const outcome = yield* Fiber.join(fiber)
      assert.strictEqual(outcome.status, "waiting")
      assert.strictEqual(outcome.waiting.unknown.length, 1)
      const other = yield* Effect.forkChild(Agent.run(agent, { prompt: "Go." }))
      yield* TestClock.adjust("1 second")
      const interrupted = yield* Effect.forkChild(Fiber.interrupt(other))
      yield* TestClock.adjust("2 seconds")
      yield* Fiber.join(interrupted)
    }).pipe(with_([[call("a", "stubborn")], [call("a", "stubborn")]])))

  it.effect("stops with what is there, and takes messages in between", () =>
    Effect.gen(function*() {
      const control = yield* Agent.control
      const llm = yield* TestLlm.TestLlm
      const agent = Agent.make({
        tools: Handlers.make([weather], {
          get_weather: () => Effect.as(control.steer(Message.user("Hurry.")), { celsius: 1 })
        })
      })
      const fiber = yield* Effect.forkChild(Agent.run(agent, { prompt: "Go.", control }))
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(llm.requests[1]!.messages!.map(({ role }) => role), ["user", "assistant", "tool", "user"])
      yield* control.stop("enough")
      const outcome = yield* Fiber.join(fiber)
      assert.strictEqual(outcome.status, "stopped")
      assert.strictEqual(outcome.reason, "enough")
      assert.include(outcome.text, "Half")
    }).pipe(with_([[call("a", "get_weather", { city: "Oslo" })], TestLlm.hangAfter(3, "Half of it")])))

  it.effect("goes on with an agent that is a tool, through an approval below", () =>
    Effect.gen(function*() {
      const ran: Array<number> = []
      const inner = Agent.make({
        tools: Handlers.make([transfer], { transfer: ({ amount }) => Effect.sync(() => void ran.push(amount)) })
      })
      const outer = Agent.make({ tools: Agent.asTool(inner, { name: "clerk", description: "Pays." }) })
      const first = yield* Agent.run(outer, { prompt: "Have it paid." })
      assert.strictEqual(first.status, "waiting")
      const [request] = first.waiting.approvals
      assert.notStrictEqual(request!.runId, first.state.id)
      const last = yield* Agent.run(outer, { state: stored(first.state), decisions: [Run.approve(request!)] })
      assert.strictEqual(last.text, "It is paid.")
      assert.deepStrictEqual(ran, [500])
      assert.deepStrictEqual(results(last.state), ["Paid 500."])
      assert.strictEqual(last.spent.steps, 4)
    }).pipe(with_([
      [call("o", "clerk", { prompt: "Pay 500." })],
      [call("i", "transfer", { amount: 500 })],
      "Paid 500.",
      "It is paid."
    ])))
})
