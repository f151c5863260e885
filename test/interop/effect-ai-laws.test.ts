import { assert, describe, it } from "@effect/vitest"
import * as Prompt from "effect/ai/Prompt"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as fc from "fast-check"
import * as EffectAi from "../../src/interop/EffectAi.ts"
import { LlmError } from "../../src/LlmError.ts"
import type { LlmEvent } from "../../src/LlmEvent.ts"
import { LlmResponse } from "../../src/LlmResponse.ts"
import { Message, type Part } from "../../src/Message.ts"
import { PartsFold } from "../../src/message/partsFold.ts"
import * as TestLlm from "../../src/testing/TestLlm.ts"
import * as arbitrary from "./effect-ai-arbitraries.ts"

const json = <A>(value: A): A => JSON.parse(JSON.stringify(value)) as A

const PromptJson = Schema.fromJsonString(Prompt.Prompt)

/** A history as a store gives it back. */
const stored = (prompt: Prompt.Prompt): Prompt.Prompt =>
  Schema.decodeSync(PromptJson)(Schema.encodeSync(PromptJson)(prompt))

describe("Messages of EffectAi", () => {
  it("come back from a prompt as they were, also when it was stored", () => {
    fc.assert(
      fc.property(fc.array(arbitrary.message, { maxLength: 4 }), (messages) => {
        const prompt = EffectAi.prompt(messages)
        assert.deepStrictEqual(json(EffectAi.messages(prompt)), json(arbitrary.spelled(messages)))
        assert.deepStrictEqual(json(EffectAi.messages(stored(prompt))), json(arbitrary.spelled(messages)))
      }),
      { numRuns: 60 }
    )
  })

  it("are again the prompt that they were made of, with what other providers have said of it", () => {
    const part = fc.record({ options: fc.constantFrom<Prompt.ProviderOptions>({}, { openai: { itemId: "a" } }) })
    const content: fc.Arbitrary<Prompt.AssistantMessagePart> = fc.oneof(
      part.map(({ options }) => Prompt.textPart({ text: "a", options })),
      part.map(({ options }) => Prompt.reasoningPart({ text: "b", options })),
      part.map(({ options }) =>
        Prompt.toolCallPart({ id: "c", name: "search", params: { a: 1 }, providerExecuted: false, options })
      ),
      part.map(({ options }) =>
        Prompt.toolCallPart({ id: "d", name: "web", params: { a: 1 }, providerExecuted: true, options })
      ),
      part.map(({ options }) =>
        Prompt.toolResultPart({
          id: "d",
          name: "web",
          result: { pages: [] },
          isFailure: false,
          providerExecuted: true,
          options
        })
      ),
      fc.constant(Prompt.toolApprovalRequestPart({ approvalId: "e", toolCallId: "c" }))
    )
    fc.assert(
      fc.property(fc.array(content, { maxLength: 4 }), (content) => {
        const prompt = Prompt.fromMessages([
          Prompt.systemMessage({ content: "s", options: { anthropic: { cacheControl: { type: "ephemeral" } } } }),
          Prompt.userMessage({ content: [Prompt.textPart({ text: "u" })] }),
          Prompt.assistantMessage({ content }),
          Prompt.toolMessage({
            content: [
              Prompt.toolApprovalResponsePart({ approvalId: "e", approved: false, reason: "no" }),
              Prompt.toolResultPart({
                id: "c",
                name: "search",
                isFailure: true,
                result: { why: "no" },
                providerExecuted: false
              })
            ]
          })
        ])
        const back = json(EffectAi.prompt(EffectAi.messages(prompt)).content)
        const plain = json(prompt.content) as unknown as Array<{ options: object }>
        // Beside what was there stands what ours makes of it.
        assert.deepStrictEqual(withoutOwn(back), plain)
      }),
      { numRuns: 40 }
    )
  })

  it("keep what provider packages of effect/ai have a signature or a cache mark in", () => {
    const [message] = EffectAi.messages(Prompt.fromMessages([Prompt.assistantMessage({
      content: [
        Prompt.reasoningPart({ text: "a", options: { anthropic: { info: { type: "thinking", signature: "sig" } } } }),
        Prompt.reasoningPart({ text: "", options: { anthropic: { info: { redactedData: "data" } } } }),
        Prompt.reasoningPart({ text: "b", options: { openai: { itemId: "rs_1", encryptedContent: "enc" } } }),
        Prompt.textPart({ text: "c", options: { anthropic: { cacheControl: { type: "ephemeral", ttl: "1h" } } } })
      ]
    })]))
    const parts = message!.content as ReadonlyArray<Part>
    assert.deepStrictEqual(parts.slice(0, 3), [
      { type: "reasoning", text: "a", signature: "sig", origin: { wire: "anthropic-messages" } },
      { type: "reasoning", text: "", encrypted: "data", origin: { wire: "anthropic-messages" } },
      { type: "reasoning", text: "b", encrypted: "enc", replay: { id: "rs_1" }, origin: { wire: "openai-responses" } }
    ])
    assert.strictEqual((parts[3] as { readonly cacheControl?: string }).cacheControl, "extended")
  })

  it("are whole messages, whatever stands in metadata", () => {
    const junk = fc.jsonValue({ maxDepth: 3 }) as fc.Arbitrary<Schema.Json>
    fc.assert(
      fc.property(junk, junk, (own, part) => {
        const options = { "effect-llm": own, x: part } as Prompt.ProviderOptions
        const kept = { "effect-llm": { part, source: own, attributes: part, content: own } } as Prompt.ProviderOptions
        const made = [options, kept].map((options) =>
          Prompt.fromMessages([
            Prompt.systemMessage({ content: "s", options }),
            Prompt.userMessage({
              content: [
                Prompt.textPart({ text: "t", options }),
                Prompt.filePart({ mediaType: "image/png", data: "AAAA", options })
              ],
              options
            }),
            Prompt.assistantMessage({
              content: [
                Prompt.reasoningPart({ text: "r", options }),
                Prompt.toolCallPart({ id: "c", name: "n", params: {}, providerExecuted: false, options })
              ]
            })
          ])
        )
        for (const prompt of made) {
          const messages = EffectAi.messages(prompt)
          assert.isTrue(messages.every(Schema.is(Message)))
          assert.strictEqual(EffectAi.prompt(messages).content.length, prompt.content.length)
        }
      }),
      { numRuns: 40 }
    )
  })
})

const withoutOwn = (value: unknown): unknown =>
  Array.isArray(value)
    ? value.map(withoutOwn)
    : typeof value === "object" && value !== null
    ? Object.fromEntries(
      Object.entries(value).filter(([name]) => name !== "effect-llm").map(([name, one]) => [name, withoutOwn(one)])
    )
    : value

// =============================================================================
// Answers
// =============================================================================

/** A service, over a LanguageModel, over a service. */
const thereAndBack = (answers: ReadonlyArray<TestLlm.Answer>) => {
  const { control, service } = TestLlm.make({ answers, provider: "anthropic", model: "claude" })
  return Effect.map(EffectAi.languageModel(service), (model) => ({ control, service: EffectAi.service(model) }))
}

const check = (events: ReadonlyArray<LlmEvent>) => {
  assert.strictEqual(events[0]?._tag, "ResponseStart")
  assert.strictEqual(events.filter(({ _tag }) => _tag === "ResponseStart").length, 1)
  assert.strictEqual(events.findIndex(({ _tag }) => _tag === "Finish"), events.length - 1)
  const open = new Set<number>()
  for (const event of events) {
    if (event._tag.endsWith("Start") && "index" in event) {
      assert.isFalse(open.has(event.index))
      open.add(event.index)
    } else if (event._tag.endsWith("Delta") && "index" in event) assert.isTrue(open.has(event.index))
    else if (event._tag.endsWith("End") && "index" in event) assert.isTrue(open.delete(event.index))
  }
  assert.strictEqual(open.size, 0)
  const fold = new PartsFold()
  for (const event of events) fold.add(event)
  const last = events.at(-1)
  if (last?._tag === "Finish") assert.deepStrictEqual(fold.parts(), last.response.parts)
}

describe("Answers of EffectAi", () => {
  it.effect("come back as they were, whole and streamed, and keep the laws of the grammar", () =>
    Effect.promise(() =>
      fc.assert(
        fc.asyncProperty(arbitrary.response, (fields) =>
          Effect.gen(function*() {
            const response = new LlmResponse(fields)
            const { service } = yield* thereAndBack([response, response])
            const whole = yield* service.generate({ prompt: "Hello" })
            assert.deepStrictEqual(json(whole), json(response))
            const events = Array.from(yield* Stream.runCollect(service.stream({ prompt: "Hello" })))
            check(events)
            const last = events.at(-1)
            assert.deepStrictEqual(last?._tag === "Finish" && json(last.response), json(response))
          }).pipe(Effect.runPromise)),
        { numRuns: 40 }
      )
    ))

  it.effect("fail wherever they are cut, with what had come", () =>
    Effect.gen(function*() {
      const parts: ReadonlyArray<Part> = [
        { type: "reasoning", text: "let me see", signature: "s", origin: { wire: "anthropic-messages" } },
        { type: "text", text: "some words of it" },
        { type: "tool-call", id: "call_1", name: "look", arguments: { a: 1 } },
        { type: "text", text: "and more" }
      ]
      const response = new LlmResponse({
        parts,
        finishReason: "tool-calls",
        usage: { input: {}, output: {} },
        model: "claude",
        provider: "anthropic",
        warnings: []
      })
      const whole = Array.from(
        yield* Stream.runCollect(TestLlm.make({ answers: [response] }).service.stream({ prompt: "x" }))
      )
      assert.isAbove(whole.length, 10)
      for (let at = 0; at < whole.length; at++) {
        const { service } = TestLlm.make({ answers: [TestLlm.cutAfter(at, response)] })
        const model = yield* EffectAi.languageModel(service)
        const seen: Array<string> = []
        const cut = yield* Effect.exit(
          model.streamText({ prompt: "x", disableToolCallResolution: true, toolCallValidation: "deferred" }).pipe(
            Stream.runForEach((part) => Effect.sync(() => void seen.push(part.type)))
          )
        )
        const error = Exit.isFailure(cut) ? Cause.squash(cut.cause) : undefined
        assert.strictEqual((error as { readonly _tag?: string } | undefined)?._tag, "AiError", `cut after ${at}`)
        assert.isTrue((error as { readonly isRetryable?: boolean }).isRetryable)
        assert.notInclude(seen, "finish")
        // An answer that broke off has asked for nothing.
        assert.notInclude(seen, "tool-call")
        // And the same through the other side.
        const again = yield* thereAndBack([TestLlm.cutAfter(at, response)])
        const failed = yield* Effect.flip(Stream.runDrain(again.service.stream({ prompt: "x" })))
        assert.instanceOf(failed, LlmError)
        assert.strictEqual(failed.reason._tag, "IncompleteStream")
      }
    }))
})
