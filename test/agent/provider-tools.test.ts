import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { readFileSync } from "node:fs"
import * as Agent from "../../src/agent/Agent.ts"
import { AnthropicTools, GeminiTools, Handlers, type LlmTool, OpenAiTools, XaiTools } from "../../src/index.ts"
import { TestLlm } from "../../src/testing/index.ts"

const typesOf = (file: string): string => readFileSync(new URL(`../../node_modules/${file}`, import.meta.url), "utf8")

const anthropic = typesOf("@anthropic-ai/sdk/resources/beta/messages/messages.d.ts")
const openai = typesOf("openai/resources/responses/responses.d.ts")
const google = typesOf("@google/genai/dist/genai.d.ts")

const fieldsKnown = (tools: ReadonlyArray<LlmTool.ProviderTool>, types: string) =>
  tools.flatMap(({ definition }) => Object.keys(definition)).filter((field) =>
    !new RegExp(`\\b${field}\\??:`).test(types)
  )

describe("Tools of providers", () => {
  it("have the types and fields of Anthropic's SDK", () => {
    const tools = [
      AnthropicTools.webSearch({ maxUses: 2, allowedDomains: ["a.org"], userLocation: { type: "approximate" } }),
      AnthropicTools.webFetch({ citations: true, maxContentTokens: 10 }),
      AnthropicTools.codeExecution(),
      AnthropicTools.bash(),
      AnthropicTools.textEditor({ maxCharacters: 100 }),
      AnthropicTools.memory(),
      AnthropicTools.computer({ width: 1, height: 2, enableZoom: true })
    ]
    for (const { definition } of tools) assert.include(anthropic, `type: '${definition["type"]}'`)
    assert.deepStrictEqual(fieldsKnown(tools, anthropic), [])
  })

  it("have the types and fields of OpenAI's SDK", () => {
    const tools = [
      OpenAiTools.webSearch({ allowedDomains: ["a.org"], searchContextSize: "low" }),
      OpenAiTools.fileSearch({ vectorStoreIds: ["v"], maxResults: 1 }),
      OpenAiTools.codeInterpreter(),
      OpenAiTools.imageGeneration({ size: "auto", outputFormat: "png" }),
      OpenAiTools.mcp({ label: "l", url: "https://a.org", allowedTools: ["t"] }),
      OpenAiTools.shell({ skills: [{ name: "s", description: "d", path: "/s" }] }),
      OpenAiTools.applyPatch(),
      OpenAiTools.computer()
    ]
    for (const { definition } of tools) assert.include(openai, `'${definition["type"]}'`)
    assert.deepStrictEqual(fieldsKnown(tools, openai), [])
    // xAI speaks the same API, and adds a search of its own.
    const xai = [
      XaiTools.webSearch({ allowedDomains: ["a.org"] }),
      XaiTools.codeExecution(),
      XaiTools.mcp({ label: "l", url: "https://a.org" })
    ]
    for (const { definition } of xai) assert.include(openai, `'${definition["type"]}'`)
    assert.deepStrictEqual(XaiTools.xSearch({ allowedHandles: ["a"] }).definition, {
      type: "x_search",
      allowed_x_handles: ["a"]
    })
  })

  it("have the fields of Google's SDK", () => {
    const tools = [
      GeminiTools.googleSearch(),
      GeminiTools.googleMaps({ enableWidget: true }),
      GeminiTools.urlContext(),
      GeminiTools.codeExecution(),
      GeminiTools.fileSearch({ stores: ["s"], topK: 2 })
    ]
    assert.deepStrictEqual(fieldsKnown(tools, google), [])
  })

  it.effect("run in the application where the provider leaves them to it", () =>
    Effect.gen(function*() {
      const llm = yield* TestLlm.TestLlm
      const agent = Agent.make({
        tools: Handlers.make([AnthropicTools.bash(), AnthropicTools.webSearch()], {
          bash: ({ command }) => Effect.succeed(`ran ${command}`)
        })
      })
      const { state } = yield* Agent.run(agent, { prompt: "Go." })
      assert.include(JSON.stringify(state.messages), "ran ls")
      assert.deepStrictEqual(llm.requests[0]!.tools!.map(({ name, type }) => `${type} ${name}`), [
        "provider bash",
        "provider web_search"
      ])
    }).pipe(Effect.provide(TestLlm.layer({
      answers: [{ type: "tool-call", id: "a", name: "bash", arguments: { command: "ls" } }, "Done."]
    }))))
})
