import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import type { LlmError } from "../../src/LlmError.ts"
import type { StructuredOutput } from "../../src/LlmError.ts"
import * as LlmService from "../../src/LlmService.ts"
import type { Json } from "../../src/Message.ts"
import type { Capabilities } from "../../src/Model.ts"
import * as TestLlm from "../../src/testing/TestLlm.ts"

const Recipe = Schema.Struct({ title: Schema.String, minutes: Schema.Int, kind: Schema.Literals(["soup", "souffle"]) })
const sound = JSON.stringify({ title: "Pea soup", minutes: 45, kind: "soup" })
const value = { title: "Pea soup", minutes: 45, kind: "soup" } as const
const request = { prompt: "A recipe" }

const call = (given: Json): TestLlm.Answer => [{ type: "tool-call", id: "call_1", name: "answer", arguments: given }]

const modelOf = (answers: ReadonlyArray<TestLlm.Answer>, capabilities: Capabilities = {}) => {
  const { control, service } = TestLlm.make({ answers })
  const llm: LlmService.Service = { ...service, info: { ...service.info, capabilities } }
  return {
    control,
    ask: <A, E>(effect: Effect.Effect<A, E, LlmService.LlmService>) =>
      Effect.provideService(effect, LlmService.LlmService, llm)
  }
}

const misfit = (error: LlmError): StructuredOutput => {
  assert(error.reason._tag === "StructuredOutput", error.reason._tag)
  return error.reason
}

describe("Objects", () => {
  it.effect("asks natively where the service can, by a tool where it cannot, and by words where there are no tools", () =>
    Effect.gen(function*() {
      const asked = (capabilities: Capabilities, answer: TestLlm.Answer) => {
        const { ask, control } = modelOf([answer], capabilities)
        return Effect.map(ask(LlmService.generateObject(Recipe, request)), ({ value: got }) => {
          assert.deepStrictEqual(got, value)
          return control.calls[0]!.request
        })
      }
      const native = yield* asked({}, sound)
      assert.strictEqual(native.responseFormat?.type, "json-schema")
      const tool = yield* asked(
        { structuredOutput: false, tools: true },
        call(value)
      )
      assert.deepStrictEqual(tool.toolChoice, { name: "answer" })
      assert.isUndefined(tool.responseFormat)
      const prompted = yield* asked({ structuredOutput: false, tools: false }, `Sure!\n\`\`\`json\n${sound}\n\`\`\``)
      assert.include(prompted.system ?? "", "\"souffle\"")
    }))

  it.effect("asks again with what was wrong, as often as it is told, and counts all that was paid for", () =>
    Effect.gen(function*() {
      const wrong = sound.replace("45", "\"soon\"")
      const { ask, control } = modelOf([wrong, "no", sound])
      const { response, value: got } = yield* ask(LlmService.generateObject(Recipe, request, { retries: 2 }))
      assert.deepStrictEqual(got, value)
      assert.lengthOf(control.calls, 3)
      const again = control.calls[1]!.request.messages ?? []
      assert.deepStrictEqual(again.map(({ role }) => role), ["user", "assistant", "user"])
      assert.include(JSON.stringify(again.at(-1)), "minutes")
      const single = modelOf([sound])
      const alone = yield* single.ask(LlmService.generateObject(Recipe, request))
      assert.isAbove(response.usage.output.total ?? 0, alone.response.usage.output.total ?? 0)
    }))

  it.effect("fails with what is wrong and where, and does not ask again by itself", () =>
    Effect.gen(function*() {
      const { ask, control } = modelOf([sound.replace("45", "\"soon\"")])
      const reason = misfit(yield* Effect.flip(ask(LlmService.generateObject(Recipe, request))))
      assert.strictEqual(reason.kind, "misfit")
      assert.include(reason.message, "minutes")
      assert.lengthOf(control.calls, 1)
    }))

  it.effect("reads what is around and in place of JSON only where that is asked for, and says so", () =>
    Effect.gen(function*() {
      const weak = "Here it is: {title: 'Pea soup', minutes: \"45\", kind: Soup,} Enjoy!"
      const strict = modelOf([weak])
      assert.strictEqual(
        misfit(yield* Effect.flip(strict.ask(LlmService.generateObject(Recipe, request)))).kind,
        "not-json"
      )
      const { ask } = modelOf([weak])
      const { response, value: got } = yield* ask(LlmService.generateObject(Recipe, request, { repair: true }))
      assert.deepStrictEqual(got, value)
      assert.isTrue(response.warnings.some(({ message }) => message.includes("$.minutes: a number from text")))
    }))

  it.effect("gives values of every kind that JSON can hold", () =>
    Effect.gen(function*() {
      const read = <A, I>(schema: Schema.Codec<A, I>, answer: string) =>
        Effect.map(modelOf([answer]).ask(LlmService.generateObject(schema, request)), ({ value }) => value)
      assert.strictEqual(yield* read(Schema.Literals(["yes", "no"]), "\"no\""), "no")
      assert.strictEqual(yield* read(Schema.Number, "12"), 12)
      assert.deepStrictEqual(yield* read(Schema.Array(Schema.String), "[\"a\"]"), ["a"])
      assert.deepStrictEqual(yield* read(Schema.Union([Schema.Struct({ a: Schema.Int }), Schema.Null]), "null"), null)
      interface Tree {
        readonly value: number
        readonly children: ReadonlyArray<Tree>
      }
      const Tree = Schema.Struct({
        value: Schema.Number,
        children: Schema.Array(Schema.suspend((): Schema.Codec<Tree> => Tree))
      })
      const tree: Tree = { value: 1, children: [{ value: 2, children: [] }] }
      assert.deepStrictEqual(yield* read(Tree, JSON.stringify(tree)), tree)
    }))

  it.effect("shows text as it grows, numbers and words of a list when they are whole, and the value last", () =>
    Effect.gen(function*() {
      const { ask } = modelOf([`\`\`\`json\n${sound}\n\`\`\``])
      const events = yield* ask(Stream.runCollect(LlmService.streamObject(Recipe, request)))
      const partials = [...events].flatMap((event) => event._tag === "Partial" ? [event.json] : [])
      const distinct = (of: (json: typeof partials[number]) => unknown) => [...new Set(partials.map(of))]
      assert.deepStrictEqual(distinct(({ minutes }) => minutes), [undefined, 45])
      assert.deepStrictEqual(distinct(({ kind }) => kind), [undefined, "soup"])
      assert.deepStrictEqual(distinct(({ title }) => title), ["Pea", "Pea soup"])
      const last = [...events].at(-1)!
      assert(last._tag === "Object")
      assert.deepStrictEqual(last.value, value)
    }))

  it.effect("streams the arguments of the tool and begins anew after an answer that does not fit", () =>
    Effect.gen(function*() {
      const bad = { ...value, minutes: "soon" }
      const { ask } = modelOf([
        call(bad),
        call(value)
      ])
      const events = [
        ...yield* ask(Stream.runCollect(LlmService.streamObject(Recipe, request, { strategy: "tool", retries: 1 })))
      ]
      const tags = [...new Set(events.map(({ _tag }) => _tag))]
      assert.deepStrictEqual(tags, ["Partial", "Retry", "Object"])
    }))

  it.effect("streams the elements of a list as soon as each is whole", () =>
    Effect.gen(function*() {
      const elements = [{ n: 1 }, { n: 22 }, { n: 333 }]
      const { ask } = modelOf([JSON.stringify({ elements })])
      const seen = yield* ask(Stream.runCollect(LlmService.streamArray(Schema.Struct({ n: Schema.Int }), request)))
      assert.deepStrictEqual([...seen], elements)
      const cut = modelOf([JSON.stringify({ elements }).replace("333", "\"x\"")])
      const given: Array<unknown> = []
      const error = yield* cut.ask(Effect.flip(
        LlmService.streamArray(Schema.Struct({ n: Schema.Int }), request).pipe(
          Stream.runForEach((one) => Effect.sync(() => given.push(one)))
        )
      ))
      assert.deepStrictEqual(given, elements.slice(0, 2))
      assert.strictEqual(misfit(error).kind, "misfit")
    }))

  it.effect("refuses options that cannot be before anything is sent", () =>
    Effect.gen(function*() {
      const { ask, control } = modelOf([sound])
      const error = yield* Effect.flip(ask(LlmService.generateObject(Recipe, request, { retries: -1 })))
      assert(error.reason._tag === "Validation")
      assert.strictEqual(error.reason.field, "options.retries")
      assert.lengthOf(control.calls, 0)
    }))
})
