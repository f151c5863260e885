// Small answers of Cohere, streamed and whole.
import { named, plain, type WireSeeds } from "./frames.ts"

const cohereUsage = {
  billed_units: { input_tokens: 9, output_tokens: 4 },
  tokens: { input_tokens: 20, output_tokens: 4 }
}

export const cohere: WireSeeds = {
  framing: "sse",
  streams: [
    {
      frames: [
        {
          type: "message-start",
          id: "m1",
          delta: { message: { role: "assistant", content: [], tool_plan: "", tool_calls: [] } }
        },
        { type: "content-start", index: 0, delta: { message: { content: { type: "thinking", thinking: "" } } } },
        { type: "content-delta", index: 0, delta: { message: { content: { thinking: "Hm." } } } },
        { type: "content-end", index: 0 },
        { type: "content-start", index: 1, delta: { message: { content: { type: "text", text: "" } } } },
        { type: "content-delta", index: 1, delta: { message: { content: { text: "Hello" } } } },
        {
          type: "citation-start",
          index: 0,
          delta: {
            message: {
              citations: {
                start: 0,
                end: 5,
                text: "Hello",
                sources: [{ type: "document", id: "d1", document: { title: "D" } }]
              }
            }
          }
        },
        { type: "citation-end", index: 0 },
        { type: "content-end", index: 1 },
        { type: "tool-plan-delta", delta: { message: { tool_plan: "I will weigh." } } },
        {
          type: "tool-call-start",
          index: 0,
          delta: { message: { tool_calls: { id: "c1", type: "function", function: { name: "weigh", arguments: "" } } } }
        },
        {
          type: "tool-call-delta",
          index: 0,
          delta: { message: { tool_calls: { function: { arguments: "{\"item\":\"salt\"}" } } } }
        },
        { type: "tool-call-end", index: 0 },
        { type: "message-end", delta: { finish_reason: "TOOL_CALL", usage: cohereUsage } }
      ].map(named),
      completeAt: 13
    },
    {
      frames: [
        plain({ is_finished: false, event_type: "stream-start", generation_id: "g1" }),
        plain({ is_finished: false, event_type: "text-generation", text: "Hello" }),
        plain({
          is_finished: true,
          event_type: "stream-end",
          finish_reason: "COMPLETE",
          response: {
            generation_id: "g1",
            text: "Hello",
            finish_reason: "COMPLETE",
            tool_calls: [{ name: "weigh", parameters: { item: "salt" } }],
            meta: cohereUsage
          }
        })
      ],
      completeAt: 2
    },
    {
      frames: [
        { type: "message-start", id: "m1", delta: { message: { role: "assistant", content: [] } } },
        { type: "message-end", delta: { finish_reason: "ERROR", error: "it broke" } }
      ].map(named),
      completeAt: 2
    }
  ],
  bodies: [
    {
      id: "m1",
      message: {
        role: "assistant",
        content: [{ type: "thinking", thinking: "Hm." }, { type: "text", text: "Hello" }],
        tool_plan: "I will weigh.",
        tool_calls: [{ id: "c1", type: "function", function: { name: "weigh", arguments: "{\"item\":\"salt\"}" } }],
        citations: [{ start: 0, end: 5, text: "Hello", sources: [{ type: "tool", id: "t1", tool_output: { a: 1 } }] }]
      },
      finish_reason: "TOOL_CALL",
      usage: cohereUsage,
      logprobs: [{ token_ids: [1], text: "Hello", logprobs: [-0.1] }]
    },
    { id: "e1", message: "invalid api token" }
  ]
}
