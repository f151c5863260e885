// Repeatable things of the Anthropic, Gemini, Bedrock, Cohere and Ollama wires.
import * as AnthropicMessages from "../../src/protocol/AnthropicMessages.ts"
import * as BedrockConverse from "../../src/protocol/BedrockConverse.ts"
import * as CohereChat from "../../src/protocol/CohereChat.ts"
import * as GeminiGenerateContent from "../../src/protocol/GeminiGenerateContent.ts"
import * as OllamaChat from "../../src/protocol/OllamaChat.ts"
import { type Frame, many, type Wire } from "./Case.ts"

const typed = (type: string, fields: object): Frame => [type, { type, ...fields }]

// =============================================================================
// Anthropic
// =============================================================================

const start = (index: unknown, block: object): Frame => typed("content_block_start", { index, content_block: block })
const piece = (index: unknown, delta: object): Frame => typed("content_block_delta", { index, delta })
const stop = (index: unknown): Frame => typed("content_block_stop", { index })
const textBlock = { type: "text", text: "" }
const callBlock = (at: number) => ({ type: "tool_use", id: `t${at}`, name: "f", input: {} })

export const anthropic: Wire = {
  name: "anthropic",
  protocol: AnthropicMessages.make(),
  begin: [typed("message_start", { message: { id: "m", model: "m", content: [] } })],
  end: [typed("message_delta", { delta: { stop_reason: "end_turn" } }), typed("message_stop", {})],
  frames: {
    text: (n) => [start(0, textBlock), ...many(n, () => piece(0, { type: "text_delta", text: "word " })), stop(0)],
    "text with an unknown index": (n) => many(n, (at) => piece(at, { type: "text_delta", text: "word " })),
    thinking: (n) => [
      start(0, { type: "thinking", thinking: "" }),
      ...many(n, () => piece(0, { type: "thinking_delta", thinking: "word " })),
      stop(0)
    ],
    arguments: (n) => [
      start(0, callBlock(0)),
      ...many(n, () => piece(0, { type: "input_json_delta", partial_json: "[" })),
      stop(0)
    ],
    blocks: (n) =>
      many(n, (at) => [start(at, textBlock), piece(at, { type: "text_delta", text: "a" }), stop(at)]).flat(),
    "open blocks": (n) => many(n, (at) => start(at, textBlock)),
    "open blocks with deltas of no block": (n) => [
      ...many(n, (at) => start(at, textBlock)),
      ...many(n, (at) => piece(`x${at}`, { type: "thinking_delta", thinking: "a" }))
    ],
    "blocks at one index": (n) => many(n, (at) => start(0, callBlock(at))),
    calls: (n) => many(n, (at) => [start(at, callBlock(at)), stop(at)]).flat(),
    "stops of no block": (n) => [start(0, textBlock), ...many(n, (at) => stop(at + 1))],
    citations: (n) => [
      start(0, textBlock),
      ...many(n, (at) => piece(0, { type: "citations_delta", citation: { url: `http://a/${at}` } }))
    ],
    "server tools": (n) => many(n, (at) => [start(at, { type: "server_tool_use", id: `s${at}` }), stop(at)]).flat(),
    compaction: (n) => [
      start(0, { type: "compaction", content: "" }),
      ...many(n, () => piece(0, { type: "compaction_delta", content: "word " })),
      stop(0)
    ],
    usage: (n) => many(n, (at) => typed("message_delta", { delta: {}, usage: { output_tokens: at } })),
    "fields of usage": (n) => many(n, (at) => typed("message_delta", { delta: {}, usage: { [`f${at}`]: 1 } })),
    "fields of the message": (n) => many(n, (at) => typed("message_delta", { delta: { [`f${at}`]: 1 } })),
    pings: (n) => many(n, () => typed("ping", {}))
  },
  bodies: {
    blocks: (n) => ({
      type: "message",
      content: many(n, () => ({ type: "text", text: "a" })),
      stop_reason: "end_turn"
    }),
    calls: (n) => ({ type: "message", content: many(n, callBlock), stop_reason: "tool_use" })
  }
}

// =============================================================================
// Gemini
// =============================================================================

const parts = (list: ReadonlyArray<object>, more: object = {}): Frame => ({
  candidates: [{ index: 0, content: { role: "model", parts: list }, ...more }]
})

const partial = (fields: object): object => ({ functionCall: { name: "f", willContinue: true, ...fields } })

export const gemini: Wire = {
  name: "gemini",
  protocol: GeminiGenerateContent.make(),
  begin: [],
  end: [parts([{ text: "." }], { finishReason: "STOP" })],
  sizes: { "elements left out of a list": 20_000 },
  frames: {
    text: (n) => many(n, () => parts([{ text: "word " }])),
    "text and thoughts in turn": (n) => many(n, (at) => parts([{ text: "a", thought: at % 2 === 0 }])),
    "parts of a frame": (n) => [parts(many(n, () => ({ text: "a" })))],
    signatures: (n) => many(n, () => parts([{ text: "a", thoughtSignature: "AAAA" }])),
    calls: (n) => many(n, () => parts([{ functionCall: { name: "f", args: { a: 1 } } }])),
    arguments: (n) =>
      many(n, () => parts([partial({ partialArgs: [{ jsonPath: "$.a", stringValue: "word ", willContinue: true }] })])),
    "members of arguments": (n) =>
      many(n, (at) => parts([partial({ partialArgs: [{ jsonPath: `$.a${at}`, numberValue: 1 }] })])),
    "elements of arguments": (n) =>
      many(n, (at) => parts([partial({ partialArgs: [{ jsonPath: `$.a[${at}]`, numberValue: 1 }] })])),
    "elements left out of a list": (n) =>
      many(n, (at) => parts([partial({ partialArgs: [{ jsonPath: `$.a[${at * 900}]`, numberValue: 1 }] })])),
    "sources repeated in each frame": (n) =>
      many(n, () => parts([{ text: "a" }], { groundingMetadata: { groundingChunks: [{ web: { uri: "http://a" } }] } })),
    sources: (n) =>
      many(
        n,
        (at) => parts([{ text: "a" }], { groundingMetadata: { groundingChunks: [{ web: { uri: `http://a/${at}` } }] } })
      ),
    "finish reasons": (n) => many(n, () => parts([{ text: "a" }], { finishReason: "STOP" })),
    candidates: (n) => [{ candidates: many(n, (at) => ({ index: at + 1 })) }],
    usage: (n) => many(n, (at) => ({ ...parts([{ text: "a" }]), usageMetadata: { promptTokenCount: at } })),
    "fields of usage": (n) => many(n, (at) => ({ ...parts([{ text: "a" }]), usageMetadata: { [`f${at}`]: 1 } })),
    "log probabilities": (n) =>
      many(n, () => parts([{ text: "a" }], { logprobsResult: { chosenCandidates: [{ token: "a" }] } })),
    images: (n) => many(n, () => parts([{ inlineData: { mimeType: "image/png", data: "AAAA" } }]))
  },
  bodies: {
    parts: (n) => parts(many(n, () => ({ text: "a" })), { finishReason: "STOP" }) as object,
    calls: (n) => parts(many(n, () => ({ functionCall: { name: "f", args: {} } })), { finishReason: "STOP" }) as object
  }
}

// =============================================================================
// Bedrock
// =============================================================================

const blockStart = (at: unknown, given: object): Frame => ["contentBlockStart", { contentBlockIndex: at, start: given }]
const blockDelta = (at: unknown, given: object): Frame => ["contentBlockDelta", { contentBlockIndex: at, delta: given }]
const blockStop = (at: unknown): Frame => ["contentBlockStop", { contentBlockIndex: at }]
const toolUse = (at: number) => ({ toolUse: { toolUseId: `t${at}`, name: "f" } })

export const bedrock: Wire = {
  name: "bedrock",
  protocol: BedrockConverse.make(),
  begin: [["messageStart", { role: "assistant" }]],
  end: [["messageStop", { stopReason: "end_turn" }], ["metadata", { usage: { inputTokens: 1 } }]],
  sizes: { "encrypted reasoning": 50_000 },
  frames: {
    text: (n) => many(n, () => blockDelta(0, { text: "word " })),
    arguments: (n) => [blockStart(0, toolUse(0)), ...many(n, () => blockDelta(0, { toolUse: { input: "[" } }))],
    blocks: (n) => many(n, (at) => [blockDelta(at, { text: "a" }), blockStop(at)]).flat(),
    "open blocks": (n) => many(n, (at) => blockDelta(at, { text: "a" })),
    "open blocks with deltas of no block": (n) => [
      ...many(n, (at) => blockDelta(at, { text: "a" })),
      ...many(n, (at) => blockDelta(`x${at}`, { toolResult: [] }))
    ],
    "open calls with text at their index": (n) => [
      ...many(n, (at) => blockStart(at, toolUse(at))),
      ...many(n, (at) => blockDelta(at, { text: "a" }))
    ],
    "open blocks with arguments of no call": (n) => [
      ...many(n, (at) => blockDelta(at, { text: "a" })),
      blockStart("call", toolUse(0)),
      ...many(n, (at) => blockDelta(at, { toolUse: { input: "1" } }))
    ],
    "stops without an index": (n) => [
      ...many(n, (at) => blockDelta(at, { text: "a" })),
      ...many(n, () => blockStop(undefined))
    ],
    calls: (n) => many(n, (at) => [blockStart(at, toolUse(at)), blockStop(at)]).flat(),
    reasoning: (n) => many(n, () => blockDelta(0, { reasoningContent: { text: "word " } })),
    "encrypted reasoning": (n) => many(n, () => blockDelta(0, { reasoningContent: { redactedContent: "AAAAAAA=" } })),
    "text and encrypted reasoning in turn": (n) =>
      many(n, (at) => blockDelta(0, { reasoningContent: at % 2 === 0 ? { text: "a" } : { redactedContent: "AAAA" } })),
    citations: (n) => many(n, () => blockDelta(0, { citation: { title: "t" } })),
    "results of server tools": (n) => [
      blockStart(0, { toolResult: { toolUseId: "t" } }),
      ...many(n, () => blockDelta(0, { toolResult: [{ text: "a" }] }))
    ],
    "results in one delta": (n) => [
      blockStart(0, { toolResult: { toolUseId: "t" } }),
      blockDelta(0, { toolResult: many(n, () => ({ text: "a" })) })
    ],
    "images in pieces": (n) => [
      blockStart(0, { image: { format: "png" } }),
      ...many(n, () => blockDelta(0, { image: { source: { bytes: "AAAA" } } }))
    ],
    "fields of usage": (n) => many(n, (at) => ["metadata", { usage: { [`f${at}`]: 1 } }])
  },
  bodies: {
    blocks: (n) => ({
      output: { message: { role: "assistant", content: many(n, () => ({ text: "a" })) } },
      stopReason: "end_turn"
    }),
    calls: (n) => ({
      output: { message: { role: "assistant", content: many(n, toolUse) } },
      stopReason: "tool_use"
    })
  }
}

// =============================================================================
// Cohere
// =============================================================================

const cohereEvent = (type: string, index: number, message: object): Frame => typed(type, { index, delta: { message } })

const cohereCall = (at: number) => ({ id: `t${at}`, type: "function", function: { name: "f", arguments: "" } })

export const cohere: Wire = {
  name: "cohere",
  protocol: CohereChat.make(),
  begin: [typed("message-start", { id: "m" })],
  end: [typed("message-end", { delta: { finish_reason: "COMPLETE" } })],
  frames: {
    text: (n) => many(n, () => cohereEvent("content-delta", 0, { content: { text: "word " } })),
    contents: (n) => many(n, (at) => cohereEvent("content-delta", at, { content: { text: "a" } })),
    plan: (n) => many(n, () => cohereEvent("tool-plan-delta", 0, { tool_plan: "word " })),
    arguments: (n) => [
      cohereEvent("tool-call-start", 0, { tool_calls: cohereCall(0) }),
      ...many(n, () => cohereEvent("tool-call-delta", 0, { tool_calls: { function: { arguments: "[" } } }))
    ],
    "open calls": (n) => many(n, (at) => cohereEvent("tool-call-start", at, { tool_calls: cohereCall(at) })),
    citations: (n) => many(n, (at) => cohereEvent("citation-start", at, { citations: { text: "a", sources: [] } }))
  },
  bodies: {
    calls: (n) => ({ id: "m", message: { tool_calls: many(n, cohereCall) }, finish_reason: "TOOL_CALL" }),
    citations: (n) => ({
      message: { content: [{ text: "a" }], citations: many(n, () => ({})) },
      finish_reason: "COMPLETE"
    }),
    "documents of version 1": (n) => ({
      text: "a",
      generation_id: "g",
      finish_reason: "COMPLETE",
      documents: many(n, (at) => ({ id: `d${at}`, url: "http://a" })),
      citations: many(n, (at) => ({ text: "a", document_ids: [`d${n - 1 - at}`] }))
    })
  }
}

// =============================================================================
// Ollama
// =============================================================================

const line = (message: object): Frame => ({
  model: "m",
  message: { role: "assistant", content: "", ...message },
  done: false
})

export const ollama: Wire = {
  name: "ollama",
  protocol: OllamaChat.make({ thinkTags: true }),
  begin: [],
  end: [{ model: "m", message: { role: "assistant", content: "" }, done: true, done_reason: "stop" }],
  frames: {
    text: (n) => many(n, () => line({ content: "word " })),
    "text and thinking in turn": (n) => many(n, (at) => line(at % 2 === 0 ? { content: "a" } : { thinking: "a" })),
    "think tags": (n) => many(n, () => line({ content: "<think>a</think>" })),
    calls: (n) => many(n, () => line({ tool_calls: [{ function: { name: "f", arguments: { a: 1 } } }] })),
    "calls of a line": (n) => [line({ tool_calls: many(n, () => ({ function: { name: "f", arguments: {} } })) })],
    images: (n) => many(n, () => line({ images: ["AAAA"] })),
    "log probabilities": (n) => many(n, () => ({ ...line({ content: "a" }), logprobs: [{ token: "a" }] })),
    counts: (n) => many(n, (at) => ({ ...line({ content: "a" }), eval_count: at }))
  },
  bodies: {
    calls: (n) => ({
      message: { role: "assistant", tool_calls: many(n, () => ({ function: { name: "f", arguments: {} } })) },
      done: true
    })
  }
}
