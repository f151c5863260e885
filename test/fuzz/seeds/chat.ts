// Small answers of OpenAI Chat Completions, streamed and whole.
import { done, plain, type WireSeeds } from "./frames.ts"

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

export const chat: WireSeeds = {
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
