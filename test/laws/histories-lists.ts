/**
 * Lists of messages, random ones that only the types and the validation of a request limit, and sane ones as agents make them; and the
 * targets they are put to. Every text, call and result has a mark of its own, by which a judge finds it again.
 */
import {
  Anthropic,
  Bedrock,
  Cohere,
  DeepSeek,
  Gemini,
  Groq,
  type LlmRequest,
  type LlmTool,
  Message,
  Mistral,
  Moonshot,
  Ollama,
  OpenAi,
  Perplexity,
  type Provider,
  Vertex
} from "../../src/index.ts"
import { chatDefinition } from "../../src/provider/OpenAi.ts"
import type { Random } from "../fuzz/random.ts"
import { type Judge, judges } from "./histories-grammar.ts"

export interface Target {
  readonly name: string
  readonly definition: Provider.Definition
  readonly model: string
  readonly judge: Judge
  readonly prefill?: boolean
  /** Whether calls stand in words, so that none can be matched with its result. */
  readonly inWords?: boolean
}

export const targets: ReadonlyArray<Target> = [
  {
    name: "Anthropic, budget",
    definition: Anthropic.definition,
    model: "claude-sonnet-4-5",
    judge: judges.anthropic,
    prefill: true
  },
  { name: "Anthropic, adaptive", definition: Anthropic.definition, model: "claude-opus-5-5", judge: judges.anthropic },
  { name: "OpenAI Chat", definition: chatDefinition, model: "gpt-5.4-mini", judge: judges.openAiChat },
  { name: "OpenAI Responses", definition: OpenAi.definition, model: "gpt-5.4-mini", judge: judges.responses },
  { name: "Gemini", definition: Gemini.definition, model: "gemini-3.5-flash", judge: judges.gemini },
  { name: "Gemini 2.5", definition: Gemini.definition, model: "gemini-2.5-flash", judge: judges.gemini },
  { name: "Vertex", definition: Vertex.definition, model: "gemini-3.5-flash", judge: judges.gemini },
  {
    name: "Bedrock, Claude",
    definition: Bedrock.definition,
    model: "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
    judge: judges.bedrock,
    prefill: true
  },
  {
    name: "Bedrock, Nova",
    definition: Bedrock.definition,
    model: "amazon.nova-2-lite-v1:0",
    judge: judges.bedrock,
    prefill: true
  },
  { name: "Mistral", definition: Mistral.definition, model: "mistral-medium-latest", judge: judges.mistral },
  { name: "Cohere", definition: Cohere.definition, model: "command-a-03-2025", judge: judges.cohere },
  { name: "Moonshot", definition: Moonshot.definition, model: "kimi-k3", judge: judges.moonshot },
  { name: "DeepSeek", definition: DeepSeek.definition, model: "deepseek-flash", judge: judges.deepSeek },
  { name: "Perplexity", definition: Perplexity.definition, model: "sonar", judge: judges.perplexity, inWords: true },
  { name: "Groq", definition: Groq.definition, model: "openai/gpt-oss-120b", judge: judges.groq },
  { name: "Ollama", definition: Ollama.definition, model: "qwen3", judge: judges.ollama }
]

// ---------------------------------------------------------------------------
// What answers hold
// ---------------------------------------------------------------------------

interface World {
  readonly wire: string
  readonly provider: string
  readonly model: string
  readonly id: (random: Random, at: number) => string
}

const worlds: ReadonlyArray<World> = [
  {
    wire: "anthropic-messages",
    provider: "anthropic",
    model: "claude-sonnet-4-5",
    id: (_, at) => `toolu_01${String(at).padStart(20, "A")}`
  },
  { wire: "openai-chat", provider: "openai", model: "gpt-5.4-mini", id: (_, at) => `call_${at}` },
  { wire: "openai-responses", provider: "openai", model: "gpt-5.4-mini", id: (_, at) => `call_${at}x` },
  { wire: "gemini-generate-content", provider: "gemini", model: "gemini-3.5-flash", id: (_, at) => `call_g${at}` },
  {
    wire: "gemini-generate-content",
    provider: "vertex",
    model: "gemini-3.5-flash",
    id: (random) => `call_${random.int(3)}`
  },
  {
    wire: "bedrock-converse",
    provider: "bedrock",
    model: "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
    id: (_, at) => `tooluse_${at}-_b`
  },
  {
    wire: "openai-chat",
    provider: "mistral",
    model: "mistral-medium-latest",
    id: (_, at) => `m${String(at).padStart(8, "0")}`
  },
  { wire: "openai-chat", provider: "moonshot", model: "kimi-k3", id: (_, at) => `functions.look_up:${at % 4}` },
  {
    wire: "openai-chat",
    provider: "deepseek",
    model: "deepseek-flash",
    id: (_, at) => `call_00_${"d".repeat(20)}${at}`
  },
  { wire: "cohere-chat", provider: "cohere", model: "command-a-03-2025", id: (_, at) => `look_up_${at}é` },
  { wire: "ollama-chat", provider: "ollama", model: "qwen3", id: (random) => `call_${random.int(2)}` },
  {
    wire: "openai-chat",
    provider: "openai-compatible",
    model: "x",
    id: (random) => random.pick(["1", "", "a b", "x".repeat(90), "\ud800"]) || "0"
  }
]

export const names = [
  "look_up",
  "files.read",
  "mcp__server__do",
  "n".repeat(80),
  "über tool",
  "look up",
  "a.b",
  "a_b",
  "1st"
] as const

/** Marks: a text that no other part has. */
export class Marks {
  private next = 0
  of(kind: string): string {
    return `<${kind}${this.next++}>`
  }
}

const own = (random: Random, world: World, chance: number): World => random.chance(chance) ? world : random.pick(worlds)

const reasoningOf = (random: Random, marks: Marks, { model, provider, wire }: World): Message.ReasoningPart => {
  const origin = { wire, provider, model }
  const said = random.chance(0.85) ? `thought ${marks.of("R")}` : ""
  if (wire === "gemini-generate-content") {
    return { type: "reasoning", text: said, ...(random.chance(0.5) ? { signature: "c2lnbmF0dXJl" } : {}), origin }
  }
  if (wire === "openai-responses") {
    return {
      type: "reasoning",
      text: said,
      ...(random.chance(0.7) ? { encrypted: `enc${marks.of("E")}` } : {}),
      replay: { id: `rs_${marks.of("I").slice(1, -1)}` },
      origin
    }
  }
  return {
    type: "reasoning",
    text: said,
    ...(random.chance(0.8) ? { signature: "c2lnbmF0dXJl" } : {}),
    ...(random.chance(0.1) ? { encrypted: "cmVkYWN0ZWQ=" } : {}),
    origin
  }
}

let calls = 0

const callOf = (random: Random, marks: Marks, world: World): Message.ToolCallPart => {
  const { model, provider, wire } = world
  return {
    type: "tool-call",
    id: world.id(random, calls++),
    name: random.pick(names),
    arguments: random.chance(0.93)
      ? { key: marks.of("C"), ...(random.chance(0.1) ? { odd: "\ud83d" } : {}) }
      : random.pick<Message.Json>([`text ${marks.of("C")}`, [marks.of("C")]]),
    ...(random.chance(0.03) ? { invalid: true as const, arguments: `{"key": "${marks.of("C")}` } : {}),
    ...(wire === "gemini-generate-content" && random.chance(0.6) ? { signature: "c2lnbmF0dXJl" } : {}),
    ...(wire === "openai-responses" && random.chance(0.7)
      ? { replay: { id: `fc_${marks.of("I").slice(1, -1)}` } }
      : {}),
    origin: { wire, provider, model }
  }
}

const pixel = "iVBORw0KGgo="
const image = (random: Random): Message.ImagePart =>
  Message.image(random.pick<Message.Media>([
    { type: "base64", mediaType: random.pick(["image/png", "image/jpg", "image/PNG; x=1"]), data: pixel },
    { type: "url", url: `data:image/png;base64,${pixel}` },
    { type: "url", url: "https://example.com/a.png" }
  ]))

const serverSteps = (random: Random, { model, provider, wire }: World): ReadonlyArray<Message.Part> => {
  if (wire !== "anthropic-messages") return []
  const origin = { wire, provider, model }
  const id = `srvtoolu_${random.int(1000)}`
  const call: Message.Part = {
    type: "server-tool",
    name: "web_search",
    kind: "call",
    id,
    data: { type: "server_tool_use", id, name: "web_search", input: {} },
    origin
  }
  return [call, {
    type: "server-tool",
    name: "web_search",
    kind: "result",
    id,
    data: { type: "web_search_tool_result", tool_use_id: id, content: [] },
    origin
  }]
}

export const answerOf = (random: Random, marks: Marks, world: World, most: number): ReadonlyArray<Message.Part> => {
  const { model, provider, wire } = world
  const parts: Array<Message.Part> = []
  if (random.chance(0.4)) parts.push(reasoningOf(random, marks, world))
  if (random.chance(0.05)) parts.push(...serverSteps(random, world))
  const amount = most === 0 ? 0 : random.between(1, most)
  if (amount === 0 || random.chance(0.5)) {
    parts.push({ type: "text", text: `said ${marks.of("T")}`, origin: { wire, provider, model } })
  }
  for (let at = 0; at < amount; at++) parts.push(callOf(random, marks, world))
  return parts
}

const contentOf = (random: Random, marks: Marks): Message.ToolResultPart["content"] => {
  if (random.chance(0.8)) return `gave ${marks.of("D")}`
  return [Message.text(`gave ${marks.of("D")}`), ...(random.chance(0.6) ? [image(random)] : [])]
}

const resultOf = (random: Random, marks: Marks, id: string): Message.ToolResultPart => ({
  type: "tool-result",
  toolCallId: id,
  content: contentOf(random, marks),
  ...(random.chance(0.2) ? { isError: random.chance(0.7) } : {})
})

// ---------------------------------------------------------------------------
// Lists
// ---------------------------------------------------------------------------

/** A conversation as an agent has it, of answers of any provider, ending where a request is made. */
export const saneList = (random: Random, marks: Marks): Array<Message.Message> => {
  const messages: Array<Message.Message> = []
  const home = random.pick(worlds)
  const turns = random.between(1, 4)
  if (random.chance(0.4)) messages.push(Message.system(`rules ${marks.of("T")}`))
  for (let turn = 0; turn < turns; turn++) {
    const asked = `asks ${marks.of("T")}`
    messages.push(random.chance(0.1) ? Message.user([Message.text(asked), image(random)]) : Message.user(asked))
    if (random.chance(0.05)) messages.push(Message.user(`and ${marks.of("T")}`))
    const last = turn === turns - 1
    for (let step = random.int(4); step > 0; step--) {
      const answer = answerOf(random, marks, own(random, home, 0.6), 3)
      messages.push(Message.assistant(answer))
      const results = answer.flatMap((part) => part.type === "tool-call" ? [resultOf(random, marks, part.id)] : [])
      if (random.chance(0.2)) results.reverse()
      if (random.chance(0.5)) messages.push(Message.tool(results))
      else for (const one of results) messages.push(Message.tool([one]))
    }
    if (!last) messages.push(Message.assistant(answerOf(random, marks, own(random, home, 0.6), 0)))
  }
  return messages
}

const anyPart = (random: Random, marks: Marks, role: Message.Role, ids: Array<string>): Message.Part => {
  const world = random.pick(worlds)
  if (role === "tool") {
    return resultOf(random, marks, ids.length > 0 && random.chance(0.8) ? random.pick(ids) : `none${random.int(9)}`)
  }
  const kinds = role === "assistant" ? 9 : role === "user" ? 6 : 4
  switch (random.int(kinds)) {
    case 0:
      return Message.text(random.pick(["", " ", "\n"]))
    case 1:
    case 2:
      return Message.text(
        `says ${marks.of("T")}${random.pick(["", " ", "\ud800"])}`,
        random.chance(0.1) ? { cacheControl: "ephemeral" } : {}
      )
    case 3:
      return role === "assistant"
        ? callOf(random, marks, world)
        : random.chance(0.5)
        ? image(random)
        : Message.text(`x ${marks.of("T")}`)
    case 4:
      return role === "assistant"
        ? callOf(random, marks, world)
        : resultOf(random, marks, ids.length > 0 ? random.pick(ids) : "none")
    case 5:
      return role === "assistant" || random.chance(0.3)
        ? reasoningOf(random, marks, world)
        : Message.text(`y ${marks.of("T")}`)
    case 6:
      return {
        type: "audio",
        source: { type: "base64", mediaType: "audio/wav", data: "AAAA" },
        ...(random.chance(0.5) ? { transcript: `heard ${marks.of("T")}` } : {})
      }
    case 7: {
      const steps = serverSteps(random, worlds[0]!)
      return random.chance(0.3) ? random.pick(steps) : image(random)
    }
    default:
      return { type: "source", url: "https://example.com" }
  }
}

/** Any list of messages. */
export const randomList = (random: Random, marks: Marks): Array<Message.Message> => {
  const ids: Array<string> = []
  const list = Array.from({ length: random.between(1, 10) }, (): Message.Message => {
    const role = random.pick<Message.Role>([
      "user",
      "user",
      "assistant",
      "assistant",
      "assistant",
      "tool",
      "tool",
      "system"
    ])
    const content = role !== "tool" && random.chance(0.3)
      ? random.pick([`plain ${marks.of("T")}`, `plain ${marks.of("T")}\n`, ""])
      : Array.from({ length: random.int(4) }, () => anyPart(random, marks, role, ids))
    if (typeof content !== "string") { for (const part of content) if (part.type === "tool-call") ids.push(part.id) }
    const attributes = random.chance(0.1) ? { attributes: { priority: random.int(3) } } : {}
    return { role, content, ...attributes }
  })
  const from = random.chance(0.3) ? random.int(list.length) : 0
  return list.slice(from)
}

const toolOf = (name: string): LlmTool.LlmTool => ({
  type: "function",
  name,
  parameters: { type: "object", properties: { key: { type: "string" } } }
})

/** The request around a list: thinking at any level, tools in any order, marks. */
export const requestOf = (random: Random, messages: ReadonlyArray<Message.Message>): LlmRequest.LlmRequest => ({
  messages,
  ...(random.chance(0.7) ? { tools: names.map(toolOf).toSorted(() => random.next() - 0.5) } : {}),
  ...(random.chance(0.5)
    ? {
      thinking: random.pick<NonNullable<LlmRequest.RequestOptions["thinking"]>>(["off", "low", "high", {
        budgetTokens: 2048
      }])
    }
    : {}),
  ...(random.chance(0.2)
    ? { cache: { recentTurns: random.int(4), systemPrompt: random.chance(0.5), tools: random.chance(0.5) } }
    : {}),
  ...(random.chance(0.1) ? { system: "Be brief." } : {})
})
