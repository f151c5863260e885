// Small answers of Anthropic Messages, streamed and whole.
import { named, type WireSeeds } from "./frames.ts"

const anthropicMessage = {
  id: "msg_1",
  type: "message",
  role: "assistant",
  model: "claude-test",
  content: [],
  stop_reason: null,
  stop_sequence: null,
  usage: {
    input_tokens: 10,
    output_tokens: 1,
    cache_read_input_tokens: 2,
    cache_creation: { ephemeral_1h_input_tokens: 1 }
  }
}

export const anthropic: WireSeeds = {
  framing: "sse",
  streams: [
    {
      frames: [
        { type: "message_start", message: anthropicMessage },
        { type: "content_block_start", index: 0, content_block: { type: "thinking", thinking: "", signature: "" } },
        { type: "content_block_delta", index: 0, delta: { type: "thinking_delta", thinking: "Let me see." } },
        { type: "content_block_delta", index: 0, delta: { type: "signature_delta", signature: "c2ln" } },
        { type: "content_block_stop", index: 0 },
        { type: "content_block_start", index: 1, content_block: { type: "text", text: "" } },
        { type: "ping" },
        { type: "content_block_delta", index: 1, delta: { type: "text_delta", text: "Hello" } },
        { type: "content_block_delta", index: 1, delta: { type: "text_delta", text: " there" } },
        {
          type: "content_block_delta",
          index: 1,
          delta: {
            type: "citations_delta",
            citation: {
              type: "char_location",
              cited_text: "x",
              document_index: 0,
              start_char_index: 0,
              end_char_index: 1
            }
          }
        },
        { type: "content_block_stop", index: 1 },
        {
          type: "content_block_start",
          index: 2,
          content_block: { type: "tool_use", id: "toolu_1", name: "weigh", input: {} }
        },
        { type: "content_block_delta", index: 2, delta: { type: "input_json_delta", partial_json: "{\"item\":" } },
        { type: "content_block_delta", index: 2, delta: { type: "input_json_delta", partial_json: "\"salt\"}" } },
        { type: "content_block_stop", index: 2 },
        {
          type: "message_delta",
          delta: { stop_reason: "tool_use", stop_sequence: null },
          usage: { output_tokens: 20 }
        },
        { type: "message_stop" }
      ].map(named),
      completeAt: 15
    },
    {
      frames: [
        { type: "message_start", message: anthropicMessage },
        {
          type: "content_block_start",
          index: 0,
          content_block: { type: "server_tool_use", id: "srv_1", name: "web_search", input: {} }
        },
        {
          type: "content_block_delta",
          index: 0,
          delta: { type: "input_json_delta", partial_json: "{\"query\":\"salt\"}" }
        },
        { type: "content_block_stop", index: 0 },
        {
          type: "content_block_start",
          index: 1,
          content_block: {
            type: "web_search_tool_result",
            tool_use_id: "srv_1",
            content: [{ type: "web_search_result", url: "https://a.example", title: "A", encrypted_content: "x" }]
          }
        },
        { type: "content_block_stop", index: 1 },
        { type: "content_block_start", index: 2, content_block: { type: "redacted_thinking", data: "b3BhcXVl" } },
        { type: "content_block_stop", index: 2 },
        { type: "content_block_start", index: 3, content_block: { type: "text", text: "Salt." } },
        { type: "content_block_stop", index: 3 },
        {
          type: "message_delta",
          delta: { stop_reason: "end_turn" },
          usage: { output_tokens: 9, server_tool_use: { web_search_requests: 1 } }
        },
        { type: "message_stop" }
      ].map(named),
      completeAt: 10
    },
    {
      frames: [
        { type: "message_start", message: anthropicMessage },
        { type: "error", error: { type: "overloaded_error", message: "Overloaded" }, request_id: "req_1" }
      ].map(named),
      completeAt: 2
    }
  ],
  bodies: [
    {
      ...anthropicMessage,
      content: [
        { type: "thinking", thinking: "Hm.", signature: "c2ln" },
        {
          type: "text",
          text: "Hello",
          citations: [{ type: "web_search_result_location", url: "https://a.example", title: "A", cited_text: "x" }]
        },
        { type: "tool_use", id: "toolu_1", name: "weigh", input: { item: "salt", of: [1, { a: null }] } }
      ],
      stop_reason: "tool_use"
    },
    { type: "error", error: { type: "invalid_request_error", message: "max_tokens: required" }, request_id: "req_1" }
  ]
}
