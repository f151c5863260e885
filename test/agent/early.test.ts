import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Schema, Stream } from "effect"
import { Agent, Handlers, type LlmEvent, LlmService, LlmTool } from "../../src/index.ts"
import { network } from "../../src/testing/scripted/Reasons.ts"
import * as TestLlm from "../../src/testing/TestLlm.ts"

const options = { parameters: Schema.Struct({ q: Schema.String }) }
const safe = LlmTool.make("look_up", { ...options, idempotent: true })
const unsafe = LlmTool.make("order", options)
const asking = LlmTool.make("pay", { ...options, idempotent: true, needsApproval: true })

/** The events of a turn with calls, and then whatever `rest` says. */
const turn = (names: ReadonlyArray<string>, rest: Stream.Stream<LlmEvent.LlmEvent, TestLlm.Failure>): TestLlm.Answer =>
  Stream.concat(
    Stream.fromIterable<LlmEvent.LlmEvent>([
      { _tag: "ResponseStart" },
      ...names.flatMap((name, index): ReadonlyArray<LlmEvent.LlmEvent> => [
        { _tag: "ToolCallStart", index, id: `call-${index}`, name },
        {
          _tag: "ToolCallEnd",
          index,
          part: { type: "tool-call", id: `call-${index}`, name, arguments: { q: "a" } }
        }
      ])
    ]),
    rest
  )

const finish = (names: ReadonlyArray<string>): Stream.Stream<LlmEvent.LlmEvent, TestLlm.Failure> =>
  Stream.unwrap(Effect.map(
    Stream.runCollect(
      TestLlm.make({
        answers: [
          names.map((name, index) => ({
            type: "tool-call" as const,
            id: `call-${index}`,
            name,
            arguments: { q: "a" }
          }))
        ]
      }).service.stream({ prompt: "Hello" })
    ),
    (events) => Stream.fromIterable([...events].filter(({ _tag }) => _tag === "Finish"))
  )).pipe(Stream.mapError((error) => error.reason))

/** Long enough for whoever is about to begin. */
const turns = Effect.repeat(Effect.yieldNow, { times: 20 })

describe("calls that start early", () => {
  it.effect("run while the model still speaks, once, with the key that the run would give them", () =>
    Effect.gen(function*() {
      const started = yield* Deferred.make<string>()
      const keys: Array<string> = []
      const agent = Agent.make({
        startTools: "call",
        tools: Handlers.make([safe], {
          look_up: (_, context) => {
            keys.push(context.idempotencyKey)
            return Effect.as(Deferred.succeed(started, "yes"), "found")
          }
        })
      })
      const { control, service } = TestLlm.make({
        answers: [
          // The turn is complete only once the handler has begun.
          turn(["look_up"], Stream.unwrap(Effect.as(Deferred.await(started), finish(["look_up"])))),
          "Done"
        ]
      })
      const outcome = yield* Agent.run(agent, { prompt: "Hello", id: "run" }).pipe(
        Effect.provideService(LlmService.LlmService, service)
      )
      assert.strictEqual(outcome.text, "Done")
      assert.deepStrictEqual(keys, ["run:1.0"])
      assert.containSubset(control.requests[1]?.messages?.at(-1)?.content, [{ type: "tool-result", content: "found" }])
    }))

  it.effect("are not those that change something, need approval, or have arguments that do not decode", () =>
    Effect.gen(function*() {
      const started: Array<string> = []
      const note = (name: string) => () => Effect.sync(() => void started.push(name)).pipe(Effect.as("ok"))
      const agent = Agent.make({
        startTools: "call",
        tools: Handlers.make([safe, unsafe, asking], {
          look_up: note("look_up"),
          order: note("order"),
          pay: note("pay")
        })
      })
      const names = ["order", "pay", "look_up"]
      const { service } = TestLlm.make({
        answers: [turn(
          names,
          Stream.unwrap(Effect.map(turns, () => {
            assert.deepStrictEqual(started, ["look_up"])
            return finish(names)
          }))
        )]
      })
      const outcome = yield* Agent.run(agent, { prompt: "Hello" }).pipe(
        Effect.provideService(LlmService.LlmService, service)
      )
      assert.strictEqual(outcome.status, "waiting")
      assert.deepStrictEqual(started.filter((name) => name === "pay"), [])
    }))

  it.effect("are stopped with a turn that breaks off, which is not asked for again", () =>
    Effect.gen(function*() {
      let interrupted = false
      const started = yield* Deferred.make<void>()
      const agent = Agent.make({
        startTools: "call",
        tools: Handlers.make([safe], {
          look_up: () =>
            Effect.andThen(Deferred.succeed(started, undefined), Effect.never).pipe(
              Effect.onInterrupt(() => Effect.sync(() => void (interrupted = true)))
            )
        })
      })
      const { control, service } = TestLlm.make({
        answers: [turn(["look_up"], Stream.unwrap(Effect.as(Deferred.await(started), Stream.fail(network())))), "Again"]
      })
      const exit = yield* Effect.exit(
        Agent.run(agent, { prompt: "Hello" }).pipe(Effect.provideService(LlmService.LlmService, service))
      )
      assert.strictEqual(Exit.isFailure(exit), true)
      assert.strictEqual(interrupted, true)
      assert.strictEqual(control.requests.length, 1)
    }))

  it.effect("start with the turn unless the agent says so", () =>
    Effect.gen(function*() {
      let runs = 0
      const agent = Agent.make({
        tools: Handlers.make([safe], { look_up: () => Effect.sync(() => void runs++).pipe(Effect.as("ok")) })
      })
      const { service } = TestLlm.make({
        answers: [
          turn(
            ["look_up"],
            Stream.unwrap(Effect.map(turns, () => {
              assert.strictEqual(runs, 0)
              return finish(["look_up"])
            }))
          ),
          "Done"
        ]
      })
      yield* Agent.run(agent, { prompt: "Hello" }).pipe(Effect.provideService(LlmService.LlmService, service))
      assert.strictEqual(runs, 1)
    }))
})
