import { NodeHttpClient } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import * as fc from "fast-check"
import type { Provider } from "../../src/index.ts"
import { Anthropic, Bedrock, Cohere, Gemini, LlmTool, Message, Ollama, OpenAi } from "../../src/index.ts"
import { chatDefinition } from "../../src/provider/OpenAi.ts"
import * as Simulator from "../../src/testing/Simulator.ts"
import { spelled } from "../encoding.ts"

const parameters = { type: "object", properties: { key: { type: "string" } } } as const
const toolNamed = (name: string) => LlmTool.make(name, { parameters })

const definitions = [
  Anthropic.definition,
  Bedrock.definition,
  Cohere.definition,
  Gemini.definition,
  OpenAi.definition,
  chatDefinition
]

const encoded = (definition: Provider.Definition, tools: ReadonlyArray<string>, called: string, choice?: string) => {
  const made = spelled(
    definition,
    {
      messages: [
        Message.user("Begin"),
        Message.assistant([{ type: "tool-call", id: "1", name: called, arguments: {} }]),
        Message.toolResult({ id: "1", name: called }, "done")
      ],
      tools: tools.map(toolNamed),
      ...(choice === undefined ? {} : { toolChoice: { name: choice } })
    },
    "a-model",
    false
  )
  if ("field" in made) throw new Error(made.message)
  return made
}

/** Every value under `name`, `tool_name` or `allowedFunctionNames`. */
const namesIn = (value: unknown): ReadonlyArray<string> => {
  if (typeof value !== "object" || value === null) return []
  return Object.entries(value).flatMap(([key, one]) =>
    (key === "name" || key === "tool_name") && typeof one === "string" ? [one] : namesIn(one)
  )
}

const name = fc.oneof(
  fc.constantFrom("a.b", "a_b", "a/b", "a b", "n".repeat(80), "n".repeat(81), "1st", "über", "..", "mcp__files__read"),
  fc.string({ minLength: 1, maxLength: 90, unit: "binary" })
)

describe("names of tools", () => {
  it("are what each wire takes, one for one, and known again", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...definitions),
        fc.uniqueArray(name, { minLength: 1, maxLength: 5 }),
        (definition, tools) => {
          const made = encoded(definition, tools, tools[0]!)
          const sent = new Set(namesIn(made.body))
          assert.strictEqual(sent.size, tools.length)
          for (const one of sent) assert.match(one, /^[a-zA-Z0-9_-]{1,64}$/)
          assert.sameMembers([...sent].map((one) => made.toolNames?.get(one) ?? one), tools)
        }
      ),
      { numRuns: 150 }
    )
  })

  it("stay the same whatever other tools there are, in whatever order", () => {
    const one = (tools: ReadonlyArray<string>) =>
      [...encoded(chatDefinition, tools, "files.read").toolNames ?? []].find(([, given]) => given === "files.read")?.[0]
    assert.strictEqual(one(["files.read", "a.b", "files_read"]), one(["c.d", "files.read"]))
    assert.match(one(["files.read"])!, /^files_read_\w{6}$/)
  })

  it("of a forced tool follow, and good names are left alone", () => {
    const made = encoded(chatDefinition, ["files.read", "fine-name"], "fine-name", "files.read")
    const [sent] = [...made.toolNames ?? []].map(([name]) => name)
    assert.deepStrictEqual(made.body["tool_choice"], { type: "function", function: { name: sent! } })
    assert.isUndefined(encoded(chatDefinition, ["fine-name"], "fine-name").toolNames)
  })

  for (
    const [title, provider, path] of [
      ["Anthropic", Anthropic, "/v1"],
      ["OpenAI", OpenAi, "/v1"],
      ["Gemini", Gemini, "/v1beta"],
      ["Cohere", Cohere, "/v2"],
      ["Bedrock", Bedrock, ""],
      ["Ollama", Ollama, ""]
    ] as const
  ) {
    it.live(`come back as the application's own: ${title}`, () =>
      Effect.scoped(Effect.gen(function*() {
        const simulator = yield* Simulator.make({
          respondWith: ({ body }) => Simulator.toolCall(namesIn(body).find((one) => one !== "a-model")!, { key: "x" })
        })
        const service = yield* provider.make({
          apiKey: Redacted.make("tool-names-key"),
          baseUrl: `${simulator.url}${path}`,
          model: "a-model",
          models: { "a-model": { capabilities: {} } }
        })
        const { message, toolCalls } = yield* service.generate({ prompt: "Go", tools: [toolNamed("files.read")] })
        assert.deepStrictEqual(toolCalls.map((call) => call.name), ["files.read"])
        const [part] = Message.parts(message)
        assert.strictEqual(part?.type === "tool-call" ? part.name : undefined, "files.read")
      })).pipe(Effect.provide(NodeHttpClient.layerUndici)))
  }
})
