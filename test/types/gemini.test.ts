// Holds the encoded body to the official SDK's types: it is the compiler that checks, the test only runs what it read.
import { assert, it } from "@effect/vitest"
import type {
  Content,
  FunctionCallingConfig,
  FunctionDeclaration,
  FunctionResponse,
  GenerateContentConfig,
  Part,
  ThinkingConfig
} from "@google/genai"
import type { Body } from "../../src/protocol/GeminiGenerateContent.ts"

/** The SDK's enums as the words they stand for. */
type Words<A> = A extends string ? `${A}` : A extends ReadonlyArray<infer B> ? Array<Words<B>> : A

// Without the parts and tools that travel unchanged in the caller's or the provider's own words.
type Known = Body<never>
type Generation = NonNullable<Known["generationConfig"]>
type ToolConfig = NonNullable<Known["toolConfig"]>["functionCallingConfig"]
type Tool = NonNullable<Known["tools"]>[number]
type KnownPart = Known["contents"][number]["parts"][number]

const contents = (body: Known): Array<Content> => body.contents as Array<Known["contents"][number]>
const part = (known: KnownPart): Part => known
const result = (
  known: Extract<KnownPart, { functionResponse: unknown }>["functionResponse"]
): Pick<FunctionResponse, "id" | "name" | "response" | "parts"> => known
// `parameters` is plain JSON here and a schema class of its own there.
const declarations = (
  tool: Tool
): Array<Omit<FunctionDeclaration, "parameters"> & { parameters?: unknown }> => tool.functionDeclarations
const options = (
  config: Omit<Generation, "thinkingConfig" | "responseSchema">
): Pick<GenerateContentConfig, keyof Omit<Generation, "thinkingConfig" | "responseSchema">> => config
const mode = (config: ToolConfig): { mode?: Words<NonNullable<FunctionCallingConfig["mode"]>> } => config
const thinking = (
  config: NonNullable<Generation["thinkingConfig"]>
): Omit<ThinkingConfig, "thinkingLevel"> & { thinkingLevel?: string } => config

it("The body of the Gemini wire has the types of the official SDK", () => {
  const body: Known = { contents: [{ role: "user", parts: [{ text: "Hi" }] }] }
  assert.deepStrictEqual(contents(body), body.contents)
  assert.deepStrictEqual(part({ text: "Hi", thoughtSignature: "c2ln" }), { text: "Hi", thoughtSignature: "c2ln" })
  assert.deepStrictEqual(result({ name: "f", response: { output: "x" } }), { name: "f", response: { output: "x" } })
  assert.deepStrictEqual(declarations({ functionDeclarations: [{ name: "f" }] }), [{ name: "f" }])
  assert.deepStrictEqual(options({ temperature: 1, topK: 3 }), { temperature: 1, topK: 3 })
  assert.deepStrictEqual(mode({ mode: "VALIDATED" }), { mode: "VALIDATED" })
  assert.deepStrictEqual(thinking({ thinkingBudget: 1 }), { thinkingBudget: 1 })
})
