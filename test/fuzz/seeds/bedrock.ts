// Small answers of Bedrock Converse, streamed and whole.
import type { Frame, WireSeeds } from "./frames.ts"

const bedrockEvent = ([event, data]: readonly [string, unknown]): Frame => ({ event, data })
const bedrockUsage = {
  inputTokens: 9,
  outputTokens: 4,
  totalTokens: 13,
  cacheReadInputTokens: 1,
  cacheWriteInputTokens: 0
}

export const bedrock: WireSeeds = {
  framing: "event-stream",
  streams: [
    {
      frames: ([
        ["messageStart", { role: "assistant" }],
        ["contentBlockDelta", { contentBlockIndex: 0, delta: { reasoningContent: { text: "Hm." } } }],
        ["contentBlockDelta", { contentBlockIndex: 0, delta: { reasoningContent: { signature: "c2ln" } } }],
        ["contentBlockStop", { contentBlockIndex: 0 }],
        ["contentBlockDelta", { contentBlockIndex: 1, delta: { text: "Hello" } }],
        ["contentBlockDelta", {
          contentBlockIndex: 1,
          delta: {
            citation: {
              title: "D",
              source: "d",
              location: { documentChar: { documentIndex: 0, start: 0, end: 1 } },
              sourceContent: [{ text: "x" }]
            }
          }
        }],
        ["contentBlockStop", { contentBlockIndex: 1 }],
        ["contentBlockStart", { contentBlockIndex: 2, start: { toolUse: { toolUseId: "t1", name: "weigh" } } }],
        ["contentBlockDelta", { contentBlockIndex: 2, delta: { toolUse: { input: "{\"item\":" } } }],
        ["contentBlockDelta", { contentBlockIndex: 2, delta: { toolUse: { input: "\"salt\"}" } } }],
        ["contentBlockStop", { contentBlockIndex: 2 }],
        ["messageStop", { stopReason: "tool_use", additionalModelResponseFields: { a: 1 } }],
        ["metadata", { usage: bedrockUsage, metrics: { latencyMs: 5 }, trace: { guardrail: { a: 1 } } }]
      ] as const).map(bedrockEvent),
      completeAt: 11
    },
    {
      frames: ([
        ["messageStart", { role: "assistant" }],
        ["contentBlockStart", {
          contentBlockIndex: 0,
          start: { toolUse: { toolUseId: "s1", name: "search", type: "server_tool_use" } }
        }],
        ["contentBlockDelta", { contentBlockIndex: 0, delta: { toolUse: { input: "{}" } } }],
        ["contentBlockStop", { contentBlockIndex: 0 }],
        ["contentBlockStart", {
          contentBlockIndex: 1,
          start: { toolResult: { toolUseId: "s1", type: "r", status: "success" } }
        }],
        ["contentBlockDelta", { contentBlockIndex: 1, delta: { toolResult: [{ text: "x" }, { json: { a: 1 } }] } }],
        ["contentBlockStop", { contentBlockIndex: 1 }],
        ["contentBlockStart", { contentBlockIndex: 2, start: { image: { format: "png" } } }],
        ["contentBlockDelta", { contentBlockIndex: 2, delta: { image: { source: { bytes: "AAAA" } } } }],
        ["contentBlockStop", { contentBlockIndex: 2 }],
        ["messageStop", { stopReason: "end_turn" }],
        ["metadata", { usage: bedrockUsage }]
      ] as const).map(bedrockEvent),
      completeAt: 10
    }
  ],
  bodies: [
    {
      output: {
        message: {
          role: "assistant",
          content: [
            { reasoningContent: { reasoningText: { text: "Hm.", signature: "c2ln" } } },
            { text: "Hello" },
            { toolUse: { toolUseId: "t1", name: "weigh", input: { item: "salt", of: [1, { a: null }] } } },
            {
              citationsContent: {
                content: [{ text: "x" }],
                citations: [{ title: "D", sourceContent: [{ text: "x" }] }]
              }
            }
          ]
        }
      },
      stopReason: "tool_use",
      usage: bedrockUsage,
      metrics: { latencyMs: 5 }
    },
    { message: "The security token included in the request is invalid." }
  ]
}
