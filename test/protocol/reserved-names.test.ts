// Names that every object answers for (`__proto__`, `constructor`, …) are names like others, in what comes and what goes.
import { afterEach, assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import type { LlmRequest, LlmResponse } from "../../src/index.ts"
import { LlmTool } from "../../src/index.ts"
import { ownOf, setOwn } from "../../src/json/own.ts"
import { copyPresent } from "../../src/protocol/Probe.ts"
import { question } from "../fuzz/calls.ts"
import { inMemory } from "../fuzz/clients.ts"
import { Raw, spell } from "../fuzz/json.ts"
import { changedPrototypes } from "../fuzz/oracle.ts"
import { seeds, type WireName } from "../fuzz/seeds.ts"
import { speakers } from "../fuzz/wires.ts"

afterEach(() => assert.deepStrictEqual(changedPrototypes(), []))

const names = ["__proto__", "constructor", "prototype", "toString", "hasOwnProperty"]

/** An object with all of the names, as text. */
const hostile = `{${names.map((name) => `${JSON.stringify(name)}:{"polluted":true}`).join()}}`
const parsed: unknown = JSON.parse(hostile)

const utf8 = new TextEncoder()

const answered = (wire: WireName, body: unknown): Effect.Effect<LlmResponse.LlmResponse, unknown> => {
  const client = inMemory({ status: 200, headers: [], chunks: [utf8.encode(spell(body))], ending: "close" })
  return Effect.flatMap(
    Effect.provideService(
      Object.values(speakers[wire])[0]!({ baseUrl: "http://test.invalid/v1", key: "k" }),
      HttpClient.HttpClient,
      client
    ),
    (service) => service.generate({ ...question, includeRaw: true })
  )
}

/** The value with the object `{ item: "salt" … }` of arguments replaced, and text of it too. */
const withArguments = (value: unknown): unknown => {
  if (value === "{\"item\":\"salt\"}") return hostile
  if (typeof value !== "object" || value === null) return value
  if ("item" in value) return new Raw(hostile)
  return Array.isArray(value)
    ? value.map(withArguments)
    : Object.fromEntries(Object.entries(value).map(([key, one]) => [key, withArguments(one)]))
}

/** Adds the names to every object. */
const withNames = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(withNames)
  if (typeof value !== "object" || value === null) return value
  const own = Object.entries(value).map(([key, one]) => `${JSON.stringify(key)}:${spell(withNames(one))}`)
  return new Raw(`{${[...own, ...names.map((name) => `${JSON.stringify(name)}:{"polluted":[true]}`)].join()}}`)
}

describe("reserved names", () => {
  it.effect.each(Object.keys(seeds) as ReadonlyArray<WireName>)(
    "reach tool arguments as they came: %s",
    (wire) =>
      Effect.gen(function*() {
        const response = yield* answered(wire, withArguments(seeds[wire].bodies[0]))
        const [call] = response.toolCalls
        assert.strictEqual(JSON.stringify(call?.arguments), JSON.stringify(parsed))
        assert.isTrue(Object.hasOwn(call!.arguments as object, "__proto__"))
        assert.strictEqual(Object.getPrototypeOf(call!.arguments), Object.prototype)
      })
  )

  it.effect.each(Object.keys(seeds) as ReadonlyArray<WireName>)(
    "change nothing wherever they stand: %s",
    (wire) =>
      Effect.gen(function*() {
        const plain = yield* answered(wire, seeds[wire].bodies[0])
        const named = yield* answered(wire, withNames(seeds[wire].bodies[0]))
        assert.strictEqual(named.text, plain.text)
        assert.strictEqual(named.finishReason, plain.finishReason)
        assert.deepStrictEqual(named.usage.output, plain.usage.output)
        assert.deepStrictEqual(named.toolCalls.map(({ name }) => name), plain.toolCalls.map(({ name }) => name))
        for (const object of [named, named.extra ?? {}, named.usage, named.logprobs ?? {}, ...named.parts]) {
          assert.notProperty(object, "polluted")
        }
      })
  )

  it.effect("are no fields that were there before, where objects are laid over each other", () =>
    Effect.gen(function*() {
      const chunk = (more: string) =>
        `data: {"choices":[{"index":0,"delta":{"content":"x"},"logprobs":{"content":[1],"constructor":[2],"__proto__":[3]}}],"usage":{"completion_tokens":1,${more}}}\n\n`
      const text = `${chunk("\"constructor\":{\"a\":1},\"__proto__\":{\"b\":1}")}${
        chunk("\"constructor\":null,\"__proto__\":{\"c\":2},\"toString\":null")
      }data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n`
      const response = yield* answered("chat", new Raw(text))
      assert.strictEqual(
        JSON.stringify(response.logprobs),
        "{\"content\":[1,1],\"constructor\":[2,2],\"__proto__\":[3,3]}"
      )
      assert.include(JSON.stringify(response.usage.raw), "\"constructor\":{\"a\":1},\"__proto__\":{\"b\":1,\"c\":2}")
    }))

  it.effect("are kept in a schema and in options of a provider", () =>
    Effect.gen(function*() {
      const sent: Array<string> = []
      const client = HttpClient.make((request) => {
        if (request.body._tag === "Raw" && typeof request.body.body === "string") sent.push(request.body.body)
        return inMemory({ status: 500, headers: [], chunks: [], ending: "close" }).execute(request)
      })
      const parameters = JSON.parse(
        "{\"type\":\"object\",\"properties\":{\"__proto__\":{\"type\":\"string\"},\"constructor\":{\"type\":\"string\"}},\"required\":[\"__proto__\",\"constructor\"],\"additionalProperties\":false}"
      )
      for (const [wire, makes] of Object.entries(speakers)) {
        const make = Object.values(makes)[0]!
        const service = yield* Effect.provideService(
          make({ baseUrl: "http://test.invalid/v1", key: "k" }),
          HttpClient.HttpClient,
          client
        )
        yield* Effect.exit(service.generate({
          prompt: "x",
          tools: [LlmTool.make("look_up", { parameters, strict: true })],
          providerOptions: JSON.parse(
            `{${JSON.stringify(service.info.provider)}:{"__proto__":{"own":1}}}`
          ) as LlmRequest.ProviderOptions
        }))
        const body = sent.pop() ?? ""
        assert.match(body, /"__proto__":\{"(?:type|description)"/, wire)
        assert.include(body, "\"__proto__\":{\"own\":1}", wire)
      }
    }))

  it("are set and read as an object's own", () => {
    const target: { [name: string]: unknown } = {}
    for (const name of names) {
      assert.isUndefined(ownOf(target, name))
      setOwn(target, name, { polluted: true })
    }
    assert.deepStrictEqual(Object.keys(target), names)
    const copied: { [name: string]: never } = {}
    copyPresent(copied, target as never, new Set(["constructor"]))
    assert.deepStrictEqual(Object.keys(copied), names.filter((name) => name !== "constructor"))
    assert.notProperty(copied, "polluted")
  })
})
