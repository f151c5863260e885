/**
 * AG-UI events, judged by the schemas of its own package and by the order that its clients hold streams to.
 */
import { EventSchemas } from "@ag-ui/core/schemas"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as fc from "fast-check"
import * as Agent from "../../src/agent/Agent.ts"
import * as Handlers from "../../src/agent/Handlers.ts"
import * as AgUi from "../../src/interop/AgUi.ts"
import type { AnyEvent } from "../../src/interop/UiMessageStream.ts"
import * as LlmError from "../../src/LlmError.ts"
import * as LlmService from "../../src/LlmService.ts"
import * as LlmTool from "../../src/LlmTool.ts"
import type { Part } from "../../src/Message.ts"
import * as Retry from "../../src/policy/Retry.ts"
import * as TestLlm from "../../src/testing/TestLlm.ts"

const origin = { wire: "anthropic-messages", provider: "anthropic", model: "m" }
const every: ReadonlyArray<Part> = [
  { type: "reasoning", text: "Hm.", signature: "sig-1", origin },
  { type: "text", text: "Look at this" },
  { type: "server-tool", kind: "call", name: "web_search", id: "s", data: { type: "x" }, origin },
  { type: "source", url: "https://example.com/a", title: "A" },
  { type: "image", source: { type: "base64", mediaType: "image/png", data: "AQID" } },
  { type: "tool-call", id: "call_1", name: "weather", arguments: { city: "Oslo" }, signature: "call-sig", origin },
  { type: "text", text: "" }
]

const answer = (...answers: ReadonlyArray<TestLlm.Answer>) => TestLlm.make({ answers }).service.stream({ prompt: "x" })

/** What a client of AG-UI refuses: https://docs.ag-ui.com/concepts/events */
const inOrder = (events: ReadonlyArray<AgUi.AgUiEvent>): void => {
  assert.strictEqual(events[0]!.type, "RUN_STARTED")
  const last = events.at(-1)!
  assert.include(["RUN_FINISHED", "RUN_ERROR"], last.type)
  const open = new Set<string>()
  for (const [at, event] of events.entries()) {
    EventSchemas.parse(event)
    assert.strictEqual(event.type === "RUN_STARTED", at === 0)
    assert.strictEqual(event.type === "RUN_FINISHED" || event.type === "RUN_ERROR", at === events.length - 1)
    const name = "messageId" in event
      ? event.messageId
      : "toolCallId" in event
      ? event.toolCallId
      : "stepName" in event
      ? event.stepName
      : ""
    const kind = /^(TEXT_MESSAGE|REASONING_MESSAGE|REASONING|TOOL_CALL|STEP)_(START|STARTED|END|FINISHED|CONTENT|ARGS)$/
      .exec(event.type)
    if (kind === null) continue
    const key = `${kind[1]} ${name}`
    if (kind[2]!.startsWith("START")) {
      assert.isFalse(open.has(key), key)
      open.add(key)
    } else if (kind[2] === "CONTENT" || kind[2] === "ARGS") assert.isTrue(open.has(key), key)
    else assert.isTrue(open.delete(key), key)
  }
  if (last.type === "RUN_FINISHED") assert.strictEqual(open.size, 0)
}

const eventsOf = (
  stream: Stream.Stream<AnyEvent, unknown>,
  options?: AgUi.Options
): Effect.Effect<ReadonlyArray<AgUi.AgUiEvent>> => Effect.tap(Stream.runCollect(AgUi.events(stream, options)), inOrder_)
const inOrder_ = (events: ReadonlyArray<AgUi.AgUiEvent>) => Effect.sync(() => inOrder(events))

const run = (tools: Handlers.Handlers<never, never>, ...answers: ReadonlyArray<TestLlm.Answer>) =>
  Agent.stream(Agent.make({ tools }), { prompt: "x" }).pipe(Stream.provide(TestLlm.layer({ answers })))

describe("AgUi", () => {
  it.effect("tells of every kind of part", () =>
    Effect.gen(function*() {
      const events = yield* eventsOf(answer(every), { threadId: "t", runId: "r" })
      assert.deepStrictEqual(events[0], { type: "RUN_STARTED", threadId: "t", runId: "r" })
      assert.deepInclude(events.at(-1) as object, { threadId: "t", runId: "r", outcome: { type: "success" } })
      const text = events.map((event) => event.type === "TEXT_MESSAGE_CONTENT" ? event.delta : "").join("")
      assert.strictEqual(text, "Look at this")
      assert.deepStrictEqual(
        events.flatMap((event) => event.type === "REASONING_ENCRYPTED_VALUE" ? [event.subtype] : []),
        ["message", "tool-call"]
      )
      assert.deepStrictEqual(
        events.flatMap((event) => event.type === "CUSTOM" ? [event.name] : []),
        ["effect-llm.step", "effect-llm.source", "effect-llm.file"]
      )
    }))

  it.effect("keeps its order for answers of any parts, whole and cut", () =>
    Effect.promise(() =>
      fc.assert(
        fc.asyncProperty(fc.shuffledSubarray([...every]), fc.nat(30), async (parts, cut) => {
          await Effect.runPromise(eventsOf(answer(parts)))
          const events = await Effect.runPromise(eventsOf(answer(TestLlm.cutAfter(cut, parts))))
          assert.deepInclude(events.at(-1) as object, { type: "RUN_ERROR", code: "IncompleteStream" })
        }),
        { numRuns: 40 }
      )
    ))

  it.effect("tells of a run with its steps, calls and results, also of one that broke off and began anew", () =>
    Effect.gen(function*() {
      const tools = Handlers.make([LlmTool.make("weather", {})], { weather: () => Effect.succeed("cold") })
      const events = yield* eventsOf(run(
        tools,
        { type: "tool-call", id: "c", name: "weather", arguments: {} },
        TestLlm.cutAfter(4, "This will break off"),
        "It is cold."
      ))
      assert.deepStrictEqual(events.filter(({ type }) => type === "TOOL_CALL_RESULT") as ReadonlyArray<unknown>, [
        { type: "TOOL_CALL_RESULT", messageId: "c-result", toolCallId: "c", content: "cold", role: "tool" }
      ])
      assert.deepInclude(events.at(-1) as object, { outcome: { type: "success" } })
      const custom = events.flatMap((event) => event.type === "CUSTOM" ? [event] : [])
      assert.deepStrictEqual(custom.map(({ name }) => name), ["effect-llm.attempt", "effect-llm.void"])
      assert.strictEqual((custom[1]!.value as { readonly messages: ReadonlyArray<string> }).messages.length, 1)
    }))

  it.effect("ends with an interrupt where somebody has to decide", () =>
    Effect.gen(function*() {
      const tools = Handlers.make([LlmTool.make("pay", { needsApproval: true })], { pay: () => Effect.succeed("paid") })
      const events = yield* eventsOf(run(tools, { type: "tool-call", id: "c", name: "pay", arguments: { sum: 3 } }))
      const last = events.at(-1)!
      assert.strictEqual(last.type, "RUN_FINISHED")
      const { outcome } = last as Extract<typeof last, { type: "RUN_FINISHED" }>
      assert.strictEqual(outcome!.type, "interrupt")
      assert.deepInclude((outcome as { readonly interrupts: ReadonlyArray<object> }).interrupts[0]!, {
        reason: "tool_approval",
        toolCallId: "c"
      })
    }))

  it.effect("announces attempts, and fails in words of its own", () =>
    Effect.gen(function*() {
      const reason = new LlmError.Overloaded({ message: "busy: sk-ant-REALLY-SECRET-0123456789" })
      const retried = TestLlm.layer({ answers: [reason, reason] }).pipe(Retry.policy({ retries: 1, base: 0 }))
      const fiber = yield* Effect.forkChild(eventsOf(Stream.provide(LlmService.stream({ prompt: "x" }), retried)))
      yield* TestClock.adjust("1 minute")
      const events = yield* Fiber.join(fiber)
      assert.deepInclude(events[1] as object, { type: "CUSTOM", name: "effect-llm.attempt" })
      assert.deepStrictEqual(events.at(-1), {
        type: "RUN_ERROR",
        message: "The model is overloaded at the moment.",
        code: "Overloaded",
        metadata: { isRetryable: true }
      })
      assert.notInclude(JSON.stringify(events), "SECRET")
    }))

  it.effect("is a response of server-sent events", () =>
    Effect.gen(function*() {
      const response = HttpServerResponse.toWeb(yield* AgUi.response(answer("Hello")))
      assert.strictEqual(response.headers.get("content-type"), "text/event-stream")
      const text = yield* Effect.promise(() => response.text())
      inOrder(text.split("\n\n").flatMap((event) => event.startsWith("data: ") ? [JSON.parse(event.slice(6))] : []))
    }))
})
