import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as fc from "fast-check"
import { createHash, createHmac } from "node:crypto"
import * as Agent from "../../src/agent/Agent.ts"
import * as Conversation from "../../src/agent/Conversation.ts"
import * as Handlers from "../../src/agent/Handlers.ts"
import { canonical, digest, keyedDigest } from "../../src/agent/run/digest.ts"
import * as LlmTool from "../../src/LlmTool.ts"
import * as Message from "../../src/Message.ts"
import { TestLlm } from "../../src/testing/index.ts"
import { misfits } from "../../src/validation/jsonSchema/misfits.ts"
import { unpaired } from "./schedules.ts"

const call = (id: string, name: string, args: Message.Json = {}): Message.ToolCallPart => ({
  type: "tool-call",
  id,
  name,
  arguments: args
})

const counter = () => {
  let ran = 0
  const tool = LlmTool.make("tool", {})
  const handlers = Handlers.make([tool], { tool: () => Effect.sync(() => ++ran) })
  return { handlers, ran: () => ran }
}

const endless: TestLlm.Options["answers"] = (_, { index }) => call(`c${index}`, "tool", { index })

describe("Bounds of an agent", () => {
  it.effect("give open calls a result, and a last answer without tools where it is asked for", () =>
    Effect.gen(function*() {
      const { handlers, ran } = counter()
      const control = yield* TestLlm.TestLlm
      const agent = Agent.make({ tools: handlers, bounds: { maxSteps: 3, lastTurn: true } })
      const outcome = yield* Agent.run(agent, { prompt: "Go." })
      assert.deepStrictEqual([outcome.status, outcome.bound], ["stopped", "steps"])
      assert.strictEqual(outcome.text, "That is all.")
      assert.strictEqual(ran(), 2)
      assert.strictEqual(control.requests[3]!.toolChoice, "none")
      assert.isUndefined(unpaired(outcome.state.messages))
    }).pipe(Effect.provide(TestLlm.layer({
      answers: (request, { index }) =>
        request.toolChoice === "none" ? "That is all." : call(`c${index}`, "tool", { index })
    }))))

  it.effect("count calls, tokens and cost, and tell when four fifths are used", () =>
    Effect.gen(function*() {
      const { handlers } = counter()
      const bounds = [
        [{ maxToolCalls: 5 }, "tool-calls"],
        [{ maxTokens: 6 }, "tokens"]
      ] as const
      for (const [bound, name] of bounds) {
        const events = yield* Stream.runCollect(
          Agent.stream(Agent.make({ tools: handlers, bounds: { ...bound, maxSteps: 50 } }), {
            prompt: "One two three."
          })
        )
        const near = events.findIndex((event) => event._tag === "BoundNear" && event.bound === name)
        const end = events.at(-1)!
        assert.isAbove(near, 0)
        assert.isTrue(end._tag === "RunEnd" && end.outcome.bound === name)
        assert.strictEqual(events.filter(({ _tag }) => _tag === "BoundNear").length, 1)
      }
    }).pipe(Effect.provide(TestLlm.layer({ answers: endless }))))

  it.effect("hold an absolute deadline, over waiting too", () =>
    Effect.gen(function*() {
      const slow = LlmTool.make("slow", {})
      const agent = Agent.make({
        tools: Handlers.make([slow], { slow: () => Effect.never }),
        bounds: { maxTime: "1 minute" }
      })
      const fiber = yield* Effect.forkChild(Agent.run(agent, { prompt: "Go." }))
      yield* TestClock.adjust("1 minute")
      const outcome = yield* Fiber.join(fiber)
      assert.deepStrictEqual([outcome.status, outcome.bound], ["stopped", "time"])
      assert.isUndefined(unpaired(outcome.state.messages))
      const hanging = yield* Effect.forkChild(Agent.run(agent, { prompt: "Go." }))
      yield* TestClock.adjust("1 minute")
      assert.strictEqual((yield* Fiber.join(hanging)).bound, "time")
    }).pipe(Effect.provide(TestLlm.layer({ answers: [call("a", "slow"), TestLlm.never] }))))
})

describe("An agent", () => {
  it.effect("takes handlers from a layer, with what they need", () =>
    Effect.gen(function*() {
      const hello = LlmTool.make("hello", {
        parameters: Schema.Struct({ name: Schema.String }),
        success: Schema.String
      })
      const Tools = Handlers.tag("test/Hello", [hello])
      const agent = Agent.make({ tools: Tools })
      const { state } = yield* Agent.run(agent, { prompt: "Go." }).pipe(
        Effect.provide(Tools.layer({ hello: ({ name }) => Effect.succeed(`Hello, ${name}.`) }))
      )
      assert.include(JSON.stringify(state.messages), "Hello, Ann.")
    }).pipe(Effect.provide(TestLlm.layer({ answers: [call("a", "hello", { name: "Ann" }), "Done."] }))))

  it.effect("offers tools under names that every provider takes, and finds them by their own", () =>
    Effect.gen(function*() {
      const control = yield* TestLlm.TestLlm
      const names = ["fs.read", "fs/read", "x".repeat(80), "1st", "plain"]
      const ran: Array<string> = []
      const agent = Agent.make({
        tools: Handlers.through(
          names.map((name) => LlmTool.make(name, {})),
          (name) => Effect.sync(() => void ran.push(name))
        )
      })
      const events = yield* Stream.runCollect(Agent.stream(agent, { prompt: "Go." }))
      const sent = control.requests[0]!.tools!.map(({ name }) => name)
      assert.strictEqual(new Set(sent).size, names.length)
      for (const name of sent) assert.match(name, /^[A-Za-z_][A-Za-z0-9_-]{0,63}$/)
      assert.deepStrictEqual(ran.toSorted(), names.toSorted())
      assert.deepStrictEqual(
        events.flatMap((event) => event._tag === "ToolStart" ? [event.toolName] : []).toSorted(),
        names.toSorted()
      )
    }).pipe(Effect.provide(TestLlm.layer({
      answers: (request, { index }) => index > 0 ? "Done." : request.tools!.map(({ name }, at) => call(`c${at}`, name))
    }))))

  it.effect("changes a step, and ends after one", () =>
    Effect.gen(function*() {
      const { handlers } = counter()
      const control = yield* TestLlm.TestLlm
      const agent = Agent.make({
        instructions: "First.",
        tools: handlers,
        prepareStep: ({ step }) =>
          step === 2
            ? { instructions: "Second.", tools: [], model: "other", messages: [Message.user("Only this.")] }
            : undefined,
        stopWhen: ({ state }) => Effect.succeed(state.step === 2)
      })
      const outcome = yield* Agent.run(agent, { prompt: "Go." })
      assert.strictEqual(control.requests[0]!.system, "First.")
      const second = control.requests[1]!
      assert.deepStrictEqual([second.system, second.model, second.tools, second.messages!.length], [
        "Second.",
        "other",
        undefined,
        1
      ])
      assert.deepStrictEqual([outcome.status, outcome.reason], ["stopped", "stopWhen"])
    }).pipe(Effect.provide(TestLlm.layer({ answers: endless }))))

  it.effect("repairs arguments by an effect, or fails by them", () =>
    Effect.gen(function*() {
      const ran: Array<number> = []
      const tool = LlmTool.make("tool", { parameters: Schema.Struct({ n: Schema.Finite }) })
      const tools = Handlers.make([tool], { tool: ({ n }) => Effect.sync(() => void ran.push(n)) })
      yield* Agent.run(Agent.make({ tools, invalidArguments: () => Effect.succeed({ n: 7 }) }), { prompt: "Go." })
      assert.deepStrictEqual(ran, [7])
      const failed = yield* Effect.flip(Agent.run(Agent.make({ tools, invalidArguments: "fail" }), { prompt: "Go." }))
      assert.include(failed.message, "do not fit")
    }).pipe(
      Effect.provide(TestLlm.layer({ answers: [call("a", "tool", { n: "x" }), "Done.", call("a", "tool", {})] }))
    ))

  it.effect("limits how many calls run at once, for all and for a tool", () =>
    Effect.gen(function*() {
      let running = 0
      let most = 0
      const single = LlmTool.make("single", { concurrency: 1 })
      const agent = Agent.make({
        tools: Handlers.make([single], {
          single: () =>
            Effect.gen(function*() {
              most = Math.max(most, ++running)
              yield* Effect.sleep("1 second")
              running--
            })
        })
      })
      const fiber = yield* Effect.forkChild(Agent.run(agent, { prompt: "Go." }))
      for (let n = 0; n < 4; n++) yield* TestClock.adjust("1 second")
      yield* Fiber.join(fiber)
      assert.strictEqual(most, 1)
    }).pipe(Effect.provide(TestLlm.layer({
      answers: [[1, 2, 3].map((n) => call(`c${n}`, "single", { n })), "Done."]
    }))))

  it.effect("goes on without a reader where that is asked for, and is interrupted else", () =>
    Effect.gen(function*() {
      for (const onDisconnect of ["continue", "interrupt"] as const) {
        const begun = yield* Deferred.make<void>()
        const go = yield* Deferred.make<void>()
        const done = yield* Deferred.make<string>()
        const tool = LlmTool.make("tool", {})
        const agent = Agent.make({
          tools: Handlers.make([tool], {
            tool: () =>
              Effect.andThen(Deferred.succeed(begun, undefined), Deferred.await(go)).pipe(
                Effect.onExit((exit) => Deferred.succeed(done, Exit.isSuccess(exit) ? "finished" : "interrupted"))
              )
          })
        })
        yield* Stream.runDrain(Stream.interruptWhen(
          Agent.stream(agent, { prompt: "Go." }, { onDisconnect }),
          Deferred.await(begun)
        ))
        yield* Deferred.succeed(go, undefined)
        assert.strictEqual(yield* Deferred.await(done), onDisconnect === "continue" ? "finished" : "interrupted")
      }
    }).pipe(
      Effect.provide(TestLlm.layer({ answers: (_, { index }) => index % 2 === 0 ? call("a", "tool") : "Done." }))
    ))
})

describe("A conversation", () => {
  it.effect("is saved over the revision it was loaded with, and no other", () =>
    Effect.gen(function*() {
      const store = yield* Conversation.memoryStore
      const first = yield* Conversation.save(store, Conversation.make("c", [Message.user("One.")]))
      const loaded = Option.getOrThrow(yield* Conversation.load(store, "c"))
      assert.deepStrictEqual(loaded, first)
      yield* Conversation.save(store, Conversation.append(loaded, [Message.assistant("Two.")]))
      const late = yield* Effect.flip(Conversation.save(store, loaded))
      assert.strictEqual(late._tag, "Conflict")
      assert.isTrue(Option.isNone(yield* Conversation.load(store, "d")))
    }))

  it("edits what a user said, and drops what came of it", () => {
    const whole = Conversation.make("c", [Message.user("a"), Message.assistant("b"), Message.user("c")])
    assert.deepStrictEqual(Conversation.edit(whole, 0, Message.user("x"))?.messages.length, 1)
    assert.isUndefined(Conversation.edit(whole, 1, Message.assistant("x")))
  })
})

describe("Digests of a run", () => {
  it("are SHA-256 and HMAC-SHA-256", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 300 }), fc.string({ maxLength: 100 }), (text, key) => {
        const data = canonical(text)
        assert.strictEqual(digest(text), createHash("sha256").update(data).digest("base64url"))
        assert.strictEqual(keyedDigest(key, text), createHmac("sha256", key).update(data).digest("base64url"))
      }),
      { numRuns: 100 }
    )
  })
})

describe("Arguments against a JSON Schema", () => {
  const cases: ReadonlyArray<readonly [schema: Message.Json, good: Message.Json, bad: Message.Json]> = [
    [{ type: "string", format: "date-time" }, "2026-02-28T10:00:00Z", "2026-02-30T10:00:00Z"],
    [{ type: "string", format: "email" }, "a@b.org", "a@"],
    [{ type: "string", format: "uuid" }, "123e4567-e89b-12d3-a456-426614174000", "123"],
    [{ $defs: { A: { type: "string" } }, properties: { a: { $ref: "#/$defs/A" } } }, { a: "x" }, { a: 1 }],
    [{ type: "object", properties: { child: { $ref: "#" }, n: { type: "number" } } }, { child: { n: 1 } }, {
      child: { n: "1" }
    }],
    [
      {
        oneOf: [{ properties: { k: { const: 1 } }, required: ["k"] }, {
          properties: { k: { const: 2 } },
          required: ["k"]
        }]
      },
      { k: 2 },
      { k: 3 }
    ],
    [{ not: { required: ["x"] } }, {}, { x: 1 }],
    [{ if: { properties: { a: { const: 1 } }, required: ["a"] }, else: { required: ["b"] } }, { a: 1 }, { a: 2 }],
    [{ dependentRequired: { a: ["b"] } }, { a: 1, b: 2 }, { a: 1 }],
    [{ contains: { type: "number" } }, ["a", 1], ["a"]],
    [{ additionalProperties: false, properties: { a: {} } }, { a: 1 }, { b: 1 }],
    [{ allOf: [{ properties: { a: {} } }], unevaluatedProperties: false }, { a: 1 }, { b: 1 }],
    [{ type: "number", multipleOf: 0.1 }, 0.3, 0.35],
    [{ enum: [{ a: [1] }] }, { a: [1] }, { a: [2] }]
  ]

  it("are held to all of it", () => {
    for (const [schema, good, bad] of cases) {
      assert.deepStrictEqual(misfits(schema, good), [])
      assert.isAbove(misfits(schema, bad).length, 0)
    }
  })

  it("never end in an exception or without an end, whatever schema and value are", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (schema, value) => {
        assert.isArray(misfits(schema as Message.Json, value as Message.Json))
      }),
      { numRuns: 200 }
    )
    for (
      const schema of [{ $ref: "#" }, { allOf: [{ $ref: "#" }] }, { $ref: "#/$defs/none" }, { $ref: "https://a.org/b" }]
    ) {
      assert.isAbove(misfits(schema, 1).length, 0)
    }
  })
})
