// Small answers of every wire, streamed and whole, from which the fuzzer makes its cases.
import { eventStreamMessage } from "../../src/testing/simulator/BedrockWire.ts"
import { spell } from "./json.ts"

/** A frame of a stream: an event name where the framing has one, and JSON, or text where it is none. */
export interface Frame {
  readonly event?: string
  readonly data: unknown
  readonly text?: true
}

export interface StreamSeed {
  readonly frames: ReadonlyArray<Frame>
  /** The frame without which the answer is not complete; what follows it is bookkeeping. */
  readonly completeAt: number
}

export type FramingName = "sse" | "ndjson" | "json-array" | "event-stream"

export interface WireSeeds {
  readonly framing: FramingName
  readonly streams: ReadonlyArray<StreamSeed>
  readonly bodies: ReadonlyArray<unknown>
}

const encoder = new TextEncoder()

export const dataOf = (frame: Frame): string => frame.text === true ? String(frame.data) : spell(frame.data)

/** One frame as bytes. `ending` ends lines. */
export const frameBytes = (framing: FramingName, frame: Frame, first: boolean, ending = "\n"): Uint8Array => {
  const data = dataOf(frame)
  switch (framing) {
    case "sse":
      return encoder.encode(
        `${frame.event === undefined ? "" : `event: ${frame.event}${ending}`}data: ${data}${ending}${ending}`
      )
    case "ndjson":
      return encoder.encode(`${data}${ending}`)
    case "json-array":
      return encoder.encode(`${first ? "[" : ","}${data}`)
    case "event-stream":
      return eventStreamMessage(
        { ":event-type": frame.event ?? "", ":content-type": "application/json", ":message-type": "event" },
        data
      )
  }
}

const named = (data: { readonly type: string }): Frame => ({ event: data.type, data })
const plain = (data: unknown): Frame => ({ data })
const done: Frame = { data: "[DONE]", text: true }

// ---------------------------------------------------------------------------
// Anthropic Messages
// ---------------------------------------------------------------------------

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

const anthropic: WireSeeds = {
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

// ---------------------------------------------------------------------------
// OpenAI Chat Completions
// ---------------------------------------------------------------------------

const chunk = (delta: object, more: object = {}, finish: string | null = null) => ({
  id: "chatcmpl-1",
  object: "chat.completion.chunk",
  created: 1,
  model: "gpt-test",
  choices: [{ index: 0, delta, finish_reason: finish, logprobs: null }],
  ...more
})

const chatUsage = {
  prompt_tokens: 9,
  completion_tokens: 5,
  total_tokens: 14,
  prompt_tokens_details: { cached_tokens: 2 },
  completion_tokens_details: { reasoning_tokens: 1 }
}

const chat: WireSeeds = {
  framing: "sse",
  streams: [
    {
      frames: [
        plain(chunk({ role: "assistant", content: "" })),
        plain(chunk({ reasoning_content: "Hm." })),
        plain(chunk({ content: "Hello" })),
        plain(chunk({ content: " there" })),
        plain(
          chunk({
            tool_calls: [{ index: 0, id: "call_1", type: "function", function: { name: "weigh", arguments: "" } }]
          })
        ),
        plain(chunk({ tool_calls: [{ index: 0, function: { arguments: "{\"item\":" } }] })),
        plain(chunk({ tool_calls: [{ index: 0, function: { arguments: "\"salt\"}" } }] })),
        plain(
          chunk({
            tool_calls: [{
              index: 1,
              id: "call_2",
              type: "function",
              function: { name: "oven", arguments: "{\"celsius\":180}" }
            }]
          })
        ),
        plain(chunk({}, {}, "tool_calls")),
        plain({ ...chunk({}), choices: [], usage: chatUsage }),
        done
      ],
      completeAt: 8
    },
    {
      frames: [
        plain(chunk({ content: [{ type: "thinking", thinking: [{ type: "text", text: "Hm." }] }] })),
        plain(chunk({ reasoning_details: [{ type: "reasoning.text", text: "So.", signature: "c2ln", index: 0 }] })),
        plain(
          chunk({
            content: "<think>x</think>Hi",
            annotations: [{ type: "url_citation", url_citation: { url: "https://a.example", title: "A" } }]
          })
        ),
        plain(chunk({ images: [{ type: "image_url", image_url: { url: "data:image/png;base64,AAAA" } }] })),
        plain(
          chunk({}, { citations: ["https://b.example"], search_results: [{ title: "B", url: "https://b.example" }] })
        ),
        plain(chunk({ audio: { id: "audio_1", data: "AAAA", transcript: "Hi" } })),
        plain({ ...chunk({}, { usage: chatUsage }, "stop"), x_groq: { id: "req_1", usage: chatUsage } }),
        done
      ],
      completeAt: 6
    },
    {
      frames: [
        plain(chunk({ content: "Hello" })),
        plain({ error: { message: "The server is overloaded", type: "server_error", code: 503, param: null } }),
        done
      ],
      completeAt: 3
    }
  ],
  bodies: [
    {
      id: "chatcmpl-1",
      object: "chat.completion",
      model: "gpt-test",
      choices: [{
        index: 0,
        message: {
          role: "assistant",
          content: "Hello",
          reasoning_content: "Hm.",
          refusal: null,
          tool_calls: [{
            id: "call_1",
            type: "function",
            function: { name: "weigh", arguments: "{\"item\":\"salt\"}" }
          }]
        },
        finish_reason: "tool_calls",
        logprobs: { content: [{ token: "Hello", logprob: -0.1, bytes: [72], top_logprobs: [] }] }
      }],
      usage: chatUsage
    },
    { error: { message: "Incorrect API key provided", type: "invalid_request_error", code: "invalid_api_key" } }
  ]
}

// ---------------------------------------------------------------------------
// OpenAI Responses
// ---------------------------------------------------------------------------

const response = (more: object) => ({
  id: "resp_1",
  object: "response",
  status: "in_progress",
  error: null,
  incomplete_details: null,
  model: "gpt-test",
  output: [],
  usage: null,
  ...more
})

const responsesItems = [
  { id: "rs_1", type: "reasoning", summary: [{ type: "summary_text", text: "Hm." }], encrypted_content: "b3BhcXVl" },
  {
    id: "msg_1",
    type: "message",
    status: "completed",
    role: "assistant",
    content: [{
      type: "output_text",
      text: "Hello",
      annotations: [{ type: "url_citation", url: "https://a.example", title: "A", start_index: 0, end_index: 2 }]
    }]
  },
  {
    id: "fc_1",
    type: "function_call",
    status: "completed",
    call_id: "call_1",
    name: "weigh",
    arguments: "{\"item\":\"salt\"}"
  }
]

const responsesUsage = {
  input_tokens: 9,
  input_tokens_details: { cached_tokens: 2 },
  output_tokens: 5,
  output_tokens_details: { reasoning_tokens: 1 },
  total_tokens: 14
}

const completed = response({ status: "completed", output: responsesItems, usage: responsesUsage })

const responses: WireSeeds = {
  framing: "sse",
  streams: [
    {
      frames: [
        { type: "response.created", response: response({}) },
        { type: "response.output_item.added", output_index: 0, item: { id: "rs_1", type: "reasoning", summary: [] } },
        {
          type: "response.reasoning_summary_part.added",
          item_id: "rs_1",
          output_index: 0,
          summary_index: 0,
          part: { type: "summary_text", text: "" }
        },
        {
          type: "response.reasoning_summary_text.delta",
          item_id: "rs_1",
          output_index: 0,
          summary_index: 0,
          delta: "Hm."
        },
        { type: "response.output_item.done", output_index: 0, item: responsesItems[0] },
        {
          type: "response.output_item.added",
          output_index: 1,
          item: { id: "msg_1", type: "message", role: "assistant", content: [] }
        },
        {
          type: "response.content_part.added",
          item_id: "msg_1",
          output_index: 1,
          content_index: 0,
          part: { type: "output_text", text: "", annotations: [] }
        },
        { type: "response.output_text.delta", item_id: "msg_1", output_index: 1, content_index: 0, delta: "Hel" },
        { type: "response.output_text.delta", item_id: "msg_1", output_index: 1, content_index: 0, delta: "lo" },
        {
          type: "response.output_text.annotation.added",
          item_id: "msg_1",
          output_index: 1,
          content_index: 0,
          annotation_index: 0,
          annotation: { type: "url_citation", url: "https://a.example", title: "A" }
        },
        { type: "response.output_text.done", item_id: "msg_1", output_index: 1, content_index: 0, text: "Hello" },
        { type: "response.output_item.done", output_index: 1, item: responsesItems[1] },
        { type: "response.output_item.added", output_index: 2, item: { ...responsesItems[2], arguments: "" } },
        { type: "response.function_call_arguments.delta", item_id: "fc_1", output_index: 2, delta: "{\"item\":" },
        { type: "response.function_call_arguments.delta", item_id: "fc_1", output_index: 2, delta: "\"salt\"}" },
        {
          type: "response.function_call_arguments.done",
          item_id: "fc_1",
          output_index: 2,
          arguments: "{\"item\":\"salt\"}"
        },
        { type: "response.output_item.done", output_index: 2, item: responsesItems[2] },
        { type: "response.completed", response: completed }
      ].map(named),
      completeAt: 17
    },
    {
      frames: [
        { type: "response.created", response: response({}) },
        {
          type: "response.output_item.done",
          output_index: 0,
          item: { id: "ws_1", type: "web_search_call", status: "completed", action: { type: "search", query: "salt" } }
        },
        {
          type: "response.output_item.done",
          output_index: 1,
          item: { id: "ig_1", type: "image_generation_call", status: "completed", result: "AAAA", output_format: "png" }
        },
        {
          type: "response.output_item.done",
          output_index: 2,
          item: { id: "ct_1", type: "custom_tool_call", call_id: "call_2", name: "note", input: "free text" }
        },
        { type: "response.refusal.delta", item_id: "msg_1", output_index: 3, content_index: 0, delta: "No." },
        {
          type: "response.incomplete",
          response: response({
            status: "incomplete",
            incomplete_details: { reason: "max_output_tokens" },
            usage: responsesUsage
          })
        }
      ].map(named),
      completeAt: 5
    },
    {
      frames: [
        { type: "response.created", response: response({}) },
        {
          type: "response.failed",
          response: response({ status: "failed", error: { code: "rate_limit_exceeded", message: "Slow down" } })
        }
      ].map(named),
      completeAt: 2
    }
  ],
  bodies: [completed, {
    error: { message: "No such model", type: "invalid_request_error", code: "model_not_found", param: "model" }
  }]
}

// ---------------------------------------------------------------------------
// Gemini
// ---------------------------------------------------------------------------

const candidate = (parts: ReadonlyArray<object>, more: object = {}) => ({
  candidates: [{ index: 0, content: { role: "model", parts }, ...more }],
  modelVersion: "gemini-test",
  responseId: "r1"
})

const geminiUsage = {
  promptTokenCount: 9,
  candidatesTokenCount: 4,
  thoughtsTokenCount: 2,
  totalTokenCount: 15,
  promptTokensDetails: [{ modality: "TEXT", tokenCount: 9 }]
}

const gemini: WireSeeds = {
  framing: "sse",
  streams: [
    {
      frames: [
        plain(candidate([{ text: "Hm.", thought: true }])),
        plain(candidate([{ text: "Hello" }])),
        plain(candidate([{ text: " there", thoughtSignature: "c2ln" }])),
        plain(candidate([{ functionCall: { id: "c1", name: "weigh", args: { item: "salt", of: [1, { a: null }] } } }])),
        plain({ ...candidate([{ text: "" }], { finishReason: "STOP" }), usageMetadata: geminiUsage })
      ],
      completeAt: 4
    },
    {
      frames: [
        plain(
          candidate([{
            functionCall: {
              name: "order",
              willContinue: true,
              partialArgs: [{ jsonPath: "$.a.b[0]", stringValue: "x", willContinue: true }]
            }
          }])
        ),
        plain(
          candidate([{
            functionCall: { willContinue: true, partialArgs: [{ jsonPath: "$.a.b[0]", stringValue: "y" }] }
          }])
        ),
        plain(candidate([{ functionCall: { partialArgs: [{ jsonPath: "$.n", numberValue: 3 }] } }])),
        plain(
          candidate([{ executableCode: { language: "PYTHON", code: "1" } }, {
            codeExecutionResult: { outcome: "OUTCOME_OK", output: "1" }
          }, { inlineData: { mimeType: "image/png", data: "AAAA" } }])
        ),
        plain({
          ...candidate([], {
            finishReason: "STOP",
            groundingMetadata: {
              groundingChunks: [{ web: { uri: "https://a.example", title: "A" } }],
              groundingSupports: [{ segment: { startIndex: 0, endIndex: 1, text: "x" }, groundingChunkIndices: [0] }]
            },
            citationMetadata: { citationSources: [{ uri: "https://b.example", startIndex: 0 }] },
            safetyRatings: [{ category: "HARM", probability: "LOW" }]
          }),
          usageMetadata: geminiUsage
        })
      ],
      completeAt: 4
    },
    {
      frames: [
        plain(candidate([{ text: "Hello" }])),
        plain({
          error: {
            code: 429,
            message: "Quota",
            status: "RESOURCE_EXHAUSTED",
            details: [{ "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay: "3s" }]
          }
        })
      ],
      completeAt: 2
    }
  ],
  bodies: [
    {
      ...candidate([{ text: "Hello" }, { functionCall: { name: "weigh", args: { item: "salt" } } }], {
        finishReason: "STOP",
        avgLogprobs: -0.1,
        logprobsResult: { chosenCandidates: [{ token: "Hello", logProbability: -0.1 }], topCandidates: [] }
      }),
      usageMetadata: geminiUsage
    },
    { promptFeedback: { blockReason: "SAFETY" }, usageMetadata: geminiUsage },
    { error: { code: 400, message: "API key not valid.", status: "INVALID_ARGUMENT" } }
  ]
}

// ---------------------------------------------------------------------------
// Ollama
// ---------------------------------------------------------------------------

const line = (message: object, more: object = {}) => ({
  model: "test",
  created_at: "2026-01-01T00:00:00Z",
  message: { role: "assistant", ...message },
  done: false,
  ...more
})
const ollamaEnd = { done: true, done_reason: "stop", total_duration: 5, prompt_eval_count: 9, eval_count: 4 }

const ollama: WireSeeds = {
  framing: "ndjson",
  streams: [
    {
      frames: [
        plain(line({ content: "", thinking: "Hm." })),
        plain(line({ content: "Hello" })),
        plain(line({ content: " there" })),
        plain(
          line({ content: "", tool_calls: [{ function: { name: "weigh", arguments: { item: "salt", of: [1] } } }] })
        ),
        plain(line({ content: "", images: ["AAAA"] }, { logprobs: [{ token: "H", logprob: -0.1 }] })),
        plain(line({ content: "" }, ollamaEnd))
      ],
      completeAt: 5
    },
    {
      frames: [plain(line({ content: "Hello" })), plain({ error: "an error was encountered while running the model" })],
      completeAt: 2
    }
  ],
  bodies: [
    line({
      content: "Hello",
      thinking: "Hm.",
      tool_calls: [{ id: "c", function: { name: "weigh", arguments: { item: "salt" } } }]
    }, ollamaEnd),
    { error: "model \"test\" not found, try pulling it first" }
  ]
}

// ---------------------------------------------------------------------------
// Cohere
// ---------------------------------------------------------------------------

const cohereUsage = {
  billed_units: { input_tokens: 9, output_tokens: 4 },
  tokens: { input_tokens: 20, output_tokens: 4 }
}

const cohere: WireSeeds = {
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

// ---------------------------------------------------------------------------
// Bedrock Converse
// ---------------------------------------------------------------------------

const bedrockEvent = ([event, data]: readonly [string, unknown]): Frame => ({ event, data })
const bedrockUsage = {
  inputTokens: 9,
  outputTokens: 4,
  totalTokens: 13,
  cacheReadInputTokens: 1,
  cacheWriteInputTokens: 0
}

const bedrock: WireSeeds = {
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

export const seeds = { anthropic, chat, responses, gemini, ollama, cohere, bedrock }

export type WireName = keyof typeof seeds
