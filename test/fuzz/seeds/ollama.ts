// Small answers of Ollama, streamed and whole.
import { plain, type WireSeeds } from "./frames.ts"

const line = (message: object, more: object = {}) => ({
  model: "test",
  created_at: "2026-01-01T00:00:00Z",
  message: { role: "assistant", ...message },
  done: false,
  ...more
})
const ollamaEnd = { done: true, done_reason: "stop", total_duration: 5, prompt_eval_count: 9, eval_count: 4 }

export const ollama: WireSeeds = {
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
