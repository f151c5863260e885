/**
 * A request that leaves on the wire it came in on is sent as it came, with all that this library does not know; only what was
 * changed on the way differs.
 */
import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import type { LlmRequest } from "../../../src/LlmRequest.ts"
import * as LlmTool from "../../../src/LlmTool.ts"
import * as Message from "../../../src/Message.ts"
import type { JsonObject } from "../../../src/Message.ts"
import { encoderOf } from "../../encoding.ts"
import { samples } from "./samples.ts"
import { decode, encode, forgotten, incomingOf, names, roundTrip, type Wire, wires } from "./wires.ts"

/** As text, so that the order of members counts as well. */
const textOf = (body: unknown): string => JSON.stringify(body, null, 1)

// =============================================================================
// What is not known
// =============================================================================

const unknown = fc.record({
  at: fc.array(fc.nat(20), { maxLength: 6 }),
  name: fc.stringMatching(/^x_[a-z]{1,6}$/),
  value: fc.jsonValue({ maxDepth: 2 }),
  first: fc.boolean()
})

/** Puts a member into an object somewhere in a body; not where the names of members are data. */
const withMember = (
  value: unknown,
  { at, first, name, value: added }: typeof unknown extends fc.Arbitrary<infer A> ? A : never
): unknown => {
  if (typeof value !== "object" || value === null) return value
  const [step, ...rest] = at
  const entries = Object.entries(value)
  const deeper = entries.map(([key, child], i) => [key, child, i] as const)
    .filter(([, child]) => typeof child === "object" && child !== null)
  const chosen = step === undefined ? undefined : deeper[step % Math.max(1, deeper.length)]
  if (chosen !== undefined) {
    const changed = entries.map(([key, child], i) =>
      i === chosen[2] ? [key, withMember(child, { at: rest, first, name, value: added })] : [key, child]
    )
    return Array.isArray(value)
      ? changed.map(([, child]) => child)
      : Object.fromEntries(changed as Array<[string, unknown]>)
  }
  if (Array.isArray(value)) return value
  return first ? { [name]: added, ...value } : { ...value, [name]: added }
}

const bodyOf = (kind: string) => fc.constantFrom(...samples[kind]!)

describe.each(names)("%s: the same wire in and out", (kind) => {
  const wire: Wire = wires[kind]!

  it("is verbatim", () => {
    for (const { body, path } of samples[kind]!) {
      const sent = roundTrip(wire, body, path)
      assert.strictEqual(textOf(sent.body), textOf(body))
      assert.strictEqual(sent.path, path)
      assert.deepStrictEqual(sent.warnings, [])
    }
  })

  it("keeps members that nobody knows, wherever they are", () => {
    fc.assert(
      fc.property(bodyOf(kind), fc.array(unknown, { minLength: 1, maxLength: 4 }), ({ body, path }, members) => {
        const given = JSON.parse(JSON.stringify(members.reduce<unknown>(withMember, body))) as JsonObject
        assert.strictEqual(textOf(roundTrip(wire, given, path).body), textOf(given))
      }),
      { numRuns: 50 }
    )
  })

  it("changes what an option says, and nothing else", () => {
    fc.assert(
      fc.property(bodyOf(kind), fc.array(unknown, { maxLength: 3 }), ({ body, path }, members) => {
        const given = JSON.parse(JSON.stringify(members.reduce<unknown>(withMember, body))) as JsonObject
        const read = decode(wire, incomingOf(wire, { body: given, path }))
        const sent = encode(wire, { ...read.request, topP: 0.97 }, { model: read.model, stream: read.stream })
        const { request } = decode(wire, incomingOf(wire, sent))
        // What keeps an option from being sent keeps it from that here as well.
        if (request.topP !== 0.97) assert.isTrue(sent.warnings.some(({ field }) => field === "topP"))
        assert.strictEqual(textOf(decodedBody(kind, sent.body)), textOf(decodedBody(kind, given)))
      }),
      { numRuns: 50 }
    )
  })

  it("has another model, and nothing else", () => {
    for (const { body, path } of samples[kind]!) {
      const read = decode(wire, incomingOf(wire, { body, path }))
      const sent = encode(wire, read.request, { model: "another-model", stream: read.stream })
      assert.strictEqual(textOf(sent.body), textOf("model" in body ? { ...body, model: "another-model" } : body))
      assert.strictEqual(decode(wire, incomingOf(wire, sent)).model, "another-model")
    }
  })

  it("grows at the end by what was said since, and keeps what came before it", () => {
    for (const { body, path } of samples[kind]!) {
      const read = decode(wire, incomingOf(wire, { body, path }))
      if (typeof body["input"] === "string") continue
      const messages = [...read.request.messages!, Message.assistant("I have seen it."), Message.user("Go on.")]
      const sent = encode(wire, { ...read.request, prompt: undefined, messages }, {
        model: read.model,
        stream: read.stream
      })
      const [came, now] = [listOf(kind, body), listOf(kind, sent.body)]
      assert.isAbove(now.length, came.length - 1)
      // The last entry may have grown where the assistant went on in it.
      assert.strictEqual(JSON.stringify(now.slice(0, came.length - 1)), JSON.stringify(came.slice(0, -1)))
      assert.include(JSON.stringify(now.slice(came.length - 1)), "I have seen it.")
      assert.include(JSON.stringify(now.at(-1)), "Go on.")
      assert.include(JSON.stringify(now[came.length - 1]), JSON.stringify(came.at(-1)).slice(0, -3))
      assert.strictEqual(textOf(without(kind, sent.body)), textOf(without(kind, body)))
    }
  })

  it("loses what was dropped from its beginning, and keeps what comes after it", () => {
    for (const { body, path } of samples[kind]!) {
      const read = decode(wire, incomingOf(wire, { body, path }))
      const messages = read.request.messages!
      const at = messages.findLastIndex((message) => message.role === "user")
      if (at < 1 || typeof body["input"] === "string") continue
      const kept = messages.slice(at)
      const sent = encode(wire, {
        ...read.request,
        prompt: undefined,
        messages: [Message.user("In short: it went well."), Message.assistant("I see."), ...kept]
      }, {
        model: read.model,
        stream: read.stream
      })
      const [came, now] = [listOf(kind, body), listOf(kind, sent.body)]
      assert.strictEqual(JSON.stringify(now.at(-1)), JSON.stringify(came.at(-1)))
      assert.include(JSON.stringify(now[0]), "In short: it went well.")
    }
  })

  it("keeps the rest of a conversation of which one message was changed", () => {
    for (const { body, path } of samples[kind]!) {
      const read = decode(wire, incomingOf(wire, { body, path }))
      const messages = read.request.messages!
      const at = messages.findIndex((message, index) =>
        index > 0 && message.role === "user" && typeof message.content === "string"
      )
      if (at === -1 || typeof body["input"] === "string") continue
      const changed = messages.map((message, index) => index === at ? Message.user("(not shown)") : message)
      const sent = encode(wire, { ...read.request, prompt: undefined, messages: changed }, {
        model: read.model,
        stream: read.stream
      })
      const [came, now] = [listOf(kind, body), listOf(kind, sent.body)]
      assert.strictEqual(now.length, came.length)
      const different = now.filter((entry, index) => JSON.stringify(entry) !== JSON.stringify(came[index]))
      assert.strictEqual(different.length, 1, JSON.stringify(different))
      assert.include(JSON.stringify(different), "(not shown)")
    }
  })

  it("has one tool more, and the others as they came", () => {
    for (const { body, path } of samples[kind]!) {
      const read = decode(wire, incomingOf(wire, { body, path }))
      if (read.request.tools === undefined || read.request.toolChoice !== undefined) continue
      const tools = [...read.request.tools, LlmTool.make("one_more", { description: "One more" })]
      const sent = encode(wire, { ...read.request, tools }, { model: read.model, stream: read.stream })
      const text = JSON.stringify(sent.body)
      assert.include(text, "one_more")
      assert.strictEqual(JSON.stringify(listOf(kind, sent.body)), JSON.stringify(listOf(kind, body)))
      const names = decode(wire, incomingOf(wire, sent)).request.tools!.map(({ name }) => name)
      // Functions stand together on some wires.
      assert.deepStrictEqual(names.toSorted(), tools.map(({ name }) => name).toSorted())
    }
  })

  it("is spelled anew where it was stored in between, or goes to another wire", () => {
    for (const { body, path } of samples[kind]!) {
      const read = decode(wire, incomingOf(wire, { body, path }))
      for (const other of [wire, ...Object.values(wires)]) {
        const request: LlmRequest = other === wire ? forgotten(read.request) : read.request
        const made = encoderOf(other.client)({ request, model: "model-1", stream: false, provider: "someone" })
        // What the other wire cannot say is refused by name, never sent.
        if ("refused" in made) assert.notStrictEqual(made.refused.message, "")
        else assert.isFalse(other !== wire && JSON.stringify(made.body).includes("x_client_only"))
      }
    }
  })
})

describe("a vendor's own tools", () => {
  const vendor: JsonObject = { type: "namespace", name: "vendors_own", tools: [{ type: "function", name: "inner" }] }
  const tools = [vendor, { type: "function", name: "get_weather", parameters: { type: "object", properties: {} } }]
  const choices: ReadonlyArray<unknown> = ["auto", "required", { type: "function", name: "get_weather" }, undefined]
  const named = (more: object) =>
    decode(
      wires["responses"]!,
      incomingOf(wires["responses"]!, {
        path: "/responses",
        body: JSON.parse(JSON.stringify({ model: "model-1", input: "Hello", ...more })) as JsonObject
      })
    ).request

  it.each(names.filter((kind) => kind !== "responses"))("stay on its wire, which a warning tells: %s", (kind) => {
    // Ollama knows no choice.
    for (const tool_choice of kind === "ollama" ? ["auto", undefined] : choices) {
      const made = encode(wires[kind]!, named({ tools, tool_choice }))
      assert.notInclude(JSON.stringify(made.body), "vendors_own")
      assert.include(JSON.stringify(made.body), "get_weather")
      assert.isTrue(made.warnings.some(({ message }) => message.includes("vendors_own")))
    }
    // Without any other tool there is nothing to choose from.
    const alone = encode(wires[kind]!, named({ tools: [vendor], tool_choice: "required" }))
    assert.notMatch(JSON.stringify(alone.body), /vendors_own|tool_choice|toolChoice|toolConfig/)
  })
})

const list: { readonly [kind: string]: string } = { responses: "input", gemini: "contents" }

const listOf = (kind: string, body: JsonObject): ReadonlyArray<unknown> =>
  body[list[kind] ?? "messages"] as ReadonlyArray<unknown>

const without = (kind: string, body: JsonObject): JsonObject =>
  Object.fromEntries(Object.entries(body).filter(([name]) => name !== (list[kind] ?? "messages")))

/** A body without what says `topP`. */
const decodedBody = (kind: string, body: JsonObject): JsonObject => {
  const groups: { readonly [kind: string]: RegExp } = {
    gemini: /^generation_?config$/i,
    bedrock: /^inferenceConfig$/,
    ollama: /^options$/
  }
  const own = new Set(["p", "top_p", "topP"])
  const group = groups[kind]
  const left = Object.entries(body).filter(([name]) => group !== undefined || !own.has(name)).map(([name, value]) =>
    group?.test(name) !== true
      ? [name, value]
      : [name, Object.fromEntries(Object.entries(value as JsonObject).filter(([inner]) => !own.has(inner)))]
  ).filter(([name, value]) => group?.test(name as string) !== true || Object.keys(value as JsonObject).length > 0)
  return Object.fromEntries(left as Array<[string, JsonObject]>)
}

// =============================================================================
// Recorded
// =============================================================================

// Recorded traffic stands beside the repository where there is any; nothing of it is in here.
const recorded = process.env["WIRE_CASES"] ?? fileURLToPath(new URL("../../../../shared/wire/cases/", import.meta.url))

const kinds: { readonly [api: string]: string } = {
  "anthropic-messages": "anthropic",
  "openai-chat": "chat",
  mistral: "chat",
  "openai-responses": "responses",
  gemini: "gemini",
  "bedrock-converse": "bedrock",
  cohere: "cohere",
  "ollama-native": "ollama"
}

interface Case {
  readonly id: string
  readonly api: string
  readonly request: { readonly url: string; readonly body: unknown } | null
}

describe.skipIf(!existsSync(recorded))("recorded requests", () => {
  it("leave as they came", () => {
    let count = 0
    for (const file of readdirSync(recorded)) {
      const { api, id, request } = JSON.parse(readFileSync(`${recorded}/${file}`, "utf8")) as Case
      const kind = kinds[api]
      const body = typeof request?.body === "string" ? JSON.parse(request.body) as unknown : request?.body
      if (kind === undefined || typeof body !== "object" || body === null || Array.isArray(body)) continue
      const wire = wires[kind]!
      const { pathname, searchParams } = new URL(request!.url.replace(/^https?:\/\/[^/]*/, ""), "http://127.0.0.1")
      const read = wire.server.decodeRequest({
        method: "POST",
        path: pathname,
        query: searchParams,
        headers: {},
        body
      })
      if ("refused" in read) return assert.fail(`${id}: ${JSON.stringify(read.refused)}`)
      const model = read.model === "" ? "model-1" : read.model
      const sent = encode(wire, read.request, { model, stream: read.stream })
      const named = "model" in body || kind === "gemini" || kind === "bedrock" ? body : { ...body, model }
      assert.strictEqual(JSON.stringify(sent.body), JSON.stringify(named), id)
      // What was read says something, and can be said again.
      assert.isAbove(read.request.messages?.length ?? 0, 0, id)
      const again = encoderOf(wire.client)({
        request: forgotten(read.request),
        model,
        stream: read.stream,
        provider: "someone"
      })
      assert.isFalse("refused" in again, `${id}: ${JSON.stringify(again)}`)
      count++
    }
    assert.isAbove(count, 0)
  })
})
