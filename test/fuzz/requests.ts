// Requests that no caller should make, but some will: values of any type in any place of a request.
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import { inspect } from "node:util"
import { type LlmRequest, Message } from "../../src/index.ts"
import { type Operation, operations } from "./answers.ts"
import { call, judged, wrapped } from "./calls.ts"
import { inMemory } from "./clients.ts"
import { nested, reserved, spell } from "./json.ts"
import { findings } from "./oracle.ts"
import type { Random } from "./random.ts"
import { seeds, type WireName } from "./seeds.ts"
import { speakers } from "./wires.ts"

const circular = (): unknown => {
  const value: Record<string, unknown> = { a: 1 }
  value["self"] = value
  return value
}

const throwing = (): unknown =>
  Object.defineProperty({}, "a", {
    enumerable: true,
    get: () => {
      throw new Error("a getter that throws")
    }
  })

/** A value of any type. */
const anything = (random: Random): unknown => {
  switch (random.int(22)) {
    case 0:
      return null
    case 1:
      return undefined
    case 2:
      return random.chance(0.5)
    case 3:
      return random.pick([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 1e308, 2 ** 53])
    case 4:
      return 10n
    case 5:
      return Symbol("x")
    case 6:
      return () => 1
    case 7:
      return circular()
    case 8:
      return throwing()
    case 9:
      return JSON.parse(nested(random.pick([300, 600, 3000, 20_000]), random.pick(["array", "object"] as const)))
    case 10:
      return []
    case 11:
      return {}
    case 12:
      return [null]
    case 13:
      return Object.create(null)
    case 14:
      return JSON.parse("{\"__proto__\":{\"polluted\":true},\"constructor\":{\"prototype\":{\"polluted\":true}}}")
    case 15:
      return new Map([["a", 1]])
    case 16:
      return new Date(Number.NaN)
    case 17:
      return random.pick(["", " ", "\ud800", "a\r\nb", "\u0000", "../..", "é", "%", "x".repeat(5000), ...reserved])
    case 18:
      return Duration.infinity
    case 19:
      return random.pick(["5 parsecs", "-1 seconds", "Infinity", "5 seconds"])
    case 20:
      return {
        type: random.pick([
          "text",
          "image",
          "file",
          "audio",
          "reasoning",
          "tool-call",
          "tool-result",
          "source",
          "server-tool",
          "function",
          "custom",
          "provider",
          "json-schema"
        ])
      }
    default:
      return new Uint8Array(3)
  }
}

/** A request with something of everything. */
const full = (): LlmRequest.LlmRequest => ({
  system: "Be brief.",
  model: "some-model",
  messages: [
    Message.system("Also this."),
    Message.user([
      Message.text("How much?"),
      Message.image({ type: "base64", mediaType: "image/png", data: "AAAA" }),
      Message.image({ type: "url", url: "https://a.example/b.png" }),
      Message.file({ type: "base64", mediaType: "application/pdf", data: "AAAA" }, { filename: "a.pdf" }),
      Message.file({ type: "file", fileId: "file_1" }),
      Message.audio({ type: "base64", mediaType: "audio/wav", data: "AAAA" })
    ]),
    Message.assistant([
      {
        type: "reasoning",
        text: "Hm.",
        signature: "c2ln",
        origin: { wire: "anthropic-messages", provider: "anthropic" }
      },
      Message.text("Let me see."),
      { type: "tool-call", id: "call_1", name: "weigh", arguments: { item: "salt" } }
    ]),
    Message.toolResult({ id: "call_1", name: "weigh" }, "5 g"),
    { role: "user", content: "And?", attributes: { cacheControl: "ephemeral", priority: 1, metadata: { a: 1 } } }
  ],
  maxTokens: 100,
  temperature: 0.5,
  topP: 0.9,
  topK: 5,
  frequencyPenalty: 0.1,
  presencePenalty: 0.1,
  stop: ["END"],
  seed: 1,
  tools: [
    {
      type: "function",
      name: "weigh",
      description: "Weighs.",
      parameters: { type: "object", properties: { item: { type: "string", enum: ["salt"] } }, required: ["item"] },
      strict: true
    },
    { type: "custom", name: "note", description: "Notes." }
  ] as unknown as LlmRequest.RequestOptions["tools"],
  toolChoice: "auto",
  parallelToolCalls: true,
  responseFormat: { type: "json-schema", name: "r", schema: { type: "object", properties: { a: { type: "number" } } } },
  thinking: { budgetTokens: 1024 },
  effort: "low",
  cache: { systemPrompt: true, tools: true, recentTurns: 1, key: "k" },
  logprobs: 2,
  label: "label",
  scope: { requestId: "r", sessionId: "s", userId: "u" },
  metadata: { a: { b: 1 } },
  priority: 1,
  providerOptions: { anthropic: { x: 1 }, openai: { x: 1 }, gemini: { x: { y: 1 } } } as LlmRequest.ProviderOptions,
  headers: { "x-own": "1" },
  timeouts: { connect: "5 seconds", firstToken: "4 seconds", idle: "3 seconds", total: "8 seconds" },
  includeRaw: true
})

const isOpen = (value: unknown): value is object =>
  typeof value === "object" && value !== null && [Object.prototype, null].includes(Object.getPrototypeOf(value))

/** A place in the request that was given something else: its path, and what it was given. */
interface Change {
  readonly path: string
  readonly value: unknown
}

/** The value with one place in it changed; objects that are not plain are left as they are. */
const changed = (random: Random, value: unknown, path: string, note: (change: Change) => void): unknown => {
  if (Array.isArray(value)) {
    if (value.length === 0 || random.chance(0.15)) return put(random, path, note)
    const at = random.int(value.length)
    return value.with(at, changed(random, value[at], `${path}[${at}]`, note))
  }
  if (!isOpen(value) && !(typeof value === "object" && value !== null && "role" in value)) {
    return put(random, path, note)
  }
  const keys = Object.keys(value)
  const computed = Object.values(Object.getOwnPropertyDescriptors(value)).some(({ get }) => get !== undefined)
  if (keys.length === 0 || computed || random.chance(0.1)) return put(random, path, note)
  if (random.chance(0.08)) {
    const key = random.pick(reserved)
    return Object.defineProperty({ ...value }, key, {
      value: put(random, `${path}.${key}`, note),
      enumerable: true,
      configurable: true,
      writable: true
    })
  }
  const key = random.pick(keys)
  return { ...value, [key]: changed(random, (value as Record<string, unknown>)[key], `${path}.${key}`, note) }
}

const put = (random: Random, path: string, note: (change: Change) => void): unknown => {
  const value = anything(random)
  note({ path, value })
  return value
}

const shown = ({ path, value }: Change): string => {
  const text = inspect(value, { depth: 2, breakLength: Infinity })
  return `${path || "request"} = ${text.length > 200 ? `${text.slice(0, 200)} …` : text}`
}

/** The answer that the request would get: one that is whole. */
const answerTo = (wire: WireName, operation: Operation) => ({
  status: 200,
  headers: [["content-type", "application/json"]] as const,
  chunks: [
    new TextEncoder().encode(
      operation === "models" || operation === "health" ? "{\"data\":[],\"models\":[]}" : spell(seeds[wire].bodies[0])
    )
  ],
  ending: "close" as const
})

/** Makes a request that is wrong in one place or a few and sends it; gives what went wrong with it. */
export const requestFindings = async (
  random: Random
): Promise<{ readonly description: string; readonly found: ReadonlyArray<string> }> => {
  const wire = random.pick(Object.keys(seeds) as Array<WireName>)
  const provider = random.pick(Object.keys(speakers[wire]))
  const operation = random.pick(operations.filter((one) => one !== "models" && one !== "health" && one !== "batch"))
  const changes: Array<Change> = []
  let request: unknown = full()
  if (random.chance(0.3)) request = { ...full(), messages: undefined, prompt: "How much?" }
  // A choice of parts, so that a refusal of one field does not hide all others.
  if (random.chance(0.7)) {
    request = Object.fromEntries(
      Object.entries(request as object).filter(([key]) => key === "messages" || key === "prompt" || random.chance(0.3))
    )
  }
  for (let times = 1 + random.few(2); times > 0; times--) {
    request = changed(random, request, "", (change) => void changes.push(change))
  }
  const policies = random.chance(0.3) ? random.int(64) : 0
  const effect = Effect.gen(function*() {
    const made = yield* speakers[wire][provider]!({
      baseUrl: "http://fuzz.test/v1",
      key: "sk-planted-0123456789-secret"
    })
    const service = yield* wrapped(made, policies)
    return findings(yield* call(service, operation, request as LlmRequest.LlmRequest), false)
  }).pipe(
    Effect.provideService(HttpClient.HttpClient, inMemory(answerTo(wire, operation))),
    Effect.scoped
  )
  const found = await judged(effect, true)
  return {
    description: `${wire} (${provider}) ${operation}, policies ${policies}: ${changes.map(shown).join("; ")}`,
    found
  }
}
