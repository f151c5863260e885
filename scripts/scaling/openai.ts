// Repeatable things of Chat Completions and Responses.
import * as OpenAiChat from "../../src/protocol/OpenAiChat.ts"
import * as OpenAiResponses from "../../src/protocol/OpenAiResponses.ts"
import { type Frame, many, type Wire } from "./Case.ts"

// =============================================================================
// Chat Completions
// =============================================================================

const chunk = (delta: object, more: object = {}): Frame => ({
  id: "c",
  object: "chat.completion.chunk",
  model: "m",
  choices: [{ index: 0, delta, finish_reason: null, ...more }]
})

const finished = { finish_reason: "stop" }

const call = (index: number, args: string, id?: string) => ({
  index,
  ...(id === undefined ? undefined : { id, type: "function" }),
  function: { ...(id === undefined ? undefined : { name: "f" }), arguments: args }
})

const completion = (message: object): object => ({
  id: "c",
  object: "chat.completion",
  model: "m",
  choices: [{ index: 0, message: { role: "assistant", ...message }, finish_reason: "stop" }]
})

export const chat: Wire = {
  name: "chat",
  protocol: OpenAiChat.make(),
  begin: [chunk({ role: "assistant", content: "" })],
  end: [chunk({}, finished)],
  frames: {
    text: (n) => many(n, () => chunk({ content: "word " })),
    "text that needs unescaping": (n) => many(n, (at) => chunk({ content: `"${at}"\n` })),
    reasoning: (n) => many(n, () => chunk({ reasoning_content: "word " })),
    "reasoning and text in turn": (n) => many(n, (at) => chunk(at % 2 === 0 ? { reasoning: "a" } : { content: "b" })),
    "reasoning details": (n) =>
      many(n, () => chunk({ reasoning_details: [{ type: "reasoning.text", index: 0, text: "word " }] })),
    "encrypted reasoning": (n) =>
      many(n, (at) => chunk({ reasoning_details: [{ type: "reasoning.encrypted", index: at, data: "abcd" }] })),
    arguments: (
      n
    ) => [chunk({ tool_calls: [call(0, "", "a")] }), ...many(n, () => chunk({ tool_calls: [call(0, "[")] }))],
    "arguments that look whole": (n) => [
      chunk({ tool_calls: [call(0, "{\"a\":", "a")] }),
      ...many(n, () => chunk({ tool_calls: [call(0, "{}}")] }))
    ],
    "arguments that look whole, with a finish reason each": (n) => [
      chunk({ tool_calls: [call(0, "{\"a\":", "a")] }),
      ...many(n, () => chunk({ tool_calls: [call(0, "}")] }, finished))
    ],
    "arguments repeated whole": (n) => many(n, () => chunk({ tool_calls: [call(0, "{\"a\":1}", "a")] })),
    calls: (n) => many(n, (at) => chunk({ tool_calls: [call(at, "{\"a\":1}", `id${at}`)] })),
    "calls in one chunk": (n) => [chunk({ tool_calls: many(n, (at) => call(at, "{\"a\":1}", `id${at}`)) })],
    "calls with one id": (n) => many(n, (at) => chunk({ tool_calls: [call(at, "{\"a\":1}", "same")] })),
    "calls that stay open": (n) => many(n, (at) => chunk({ tool_calls: [call(at, "{", `id${at}`)] })),
    "calls with a finish reason each": (n) =>
      many(n, (at) => chunk({ tool_calls: [call(at, "{", `id${at}`)] }, finished)),
    "calls without a name": (n) =>
      many(n, (at) => chunk({ tool_calls: [{ index: at, function: { arguments: "{" } }] })),
    "text for a closed call": (n) => [
      chunk({ tool_calls: [call(0, "{\"a\":1}", "a")] }),
      chunk({ tool_calls: [call(1, "{\"a\":1}", "b")] }),
      ...many(n, () => chunk({ tool_calls: [call(0, "x")] }))
    ],
    "deltas of two calls in turn": (n) => many(n, (at) => chunk({ tool_calls: [call(at % 2, "1", `id${at % 2}`)] })),
    "legacy function calls": (n) => many(n, () => chunk({ function_call: { name: "f", arguments: "{\"a\":1}" } })),
    choices: (n) => [{ id: "c", choices: many(n, (at) => ({ index: at + 1, delta: { content: "a" } })) }],
    annotations: (n) =>
      many(n, (at) => chunk({ annotations: [{ type: "url_citation", url_citation: { url: `http://a/${at}` } }] })),
    citations: (n) => [{ ...chunk({ content: "a" }), citations: many(n, (at) => `http://a/${at}`) }],
    "citations on every chunk": (n) => many(n, () => ({ ...chunk({ content: "a" }), citations: ["http://a"] })),
    images: (n) => many(n, () => chunk({ images: [{ image_url: { url: "data:image/png;base64,AAAA" } }] })),
    "image bytes": (n) => [chunk({ images: [{ image_url: { url: `data:image/png;base64,${"A".repeat(16 * n)}` } }] })],
    "image bytes without a comma": (n) => [chunk({ images: [{ image_url: { url: `data:${"A".repeat(16 * n)}` } }] })],
    "parameters of a data URL": (n) => [chunk({ images: [{ image_url: { url: `data:a${";b".repeat(n)}` } }] })],
    sound: (n) => many(n, () => chunk({ audio: { data: "AAA=", transcript: "a" } })),
    "executed tools": (n) => many(n, (at) => chunk({ executed_tools: [{ index: at, name: "t" }] })),
    "fields of an executed tool": (n) => many(n, (at) => chunk({ executed_tools: [{ index: 0, [`f${at}`]: 1 }] })),
    "log probabilities": (n) => many(n, () => chunk({ content: "a" }, { logprobs: { content: [{ token: "a" }] } })),
    usage: (n) => many(n, (at) => ({ ...chunk({ content: "a" }), usage: { prompt_tokens: at } })),
    "fields of usage": (n) => many(n, (at) => ({ ...chunk({ content: "a" }), usage: { [`f${at}`]: 1 } })),
    "fields of usage details": (n) =>
      many(n, (at) => ({ ...chunk({ content: "a" }), usage: { prompt_tokens_details: { [`f${at}`]: 1 } } })),
    "whole completions in a stream": (n) => [
      ...many(n, () => chunk({ content: "word " })),
      ...many(n, () => completion({ content: "" }) as Frame)
    ],
    "whole completions after sources": (n) => [
      chunk({ content: "a" }),
      ...many(n, (at) => chunk({ annotations: [{ url: `http://a/${at}` }] })),
      ...many(n, () => completion({ content: "a" }) as Frame)
    ],
    "unknown chunks": (n) => many(n, () => ({ type: "ping" })),
    "whitespace in structured content": (n) => [chunk({ content: many(n, () => ({ type: "text", text: "a" })) })]
  },
  bodies: {
    calls: (n) => completion({ tool_calls: many(n, (at) => call(at, "{}", `id${at}`)) }),
    "calls with one id": (n) => completion({ tool_calls: many(n, () => call(0, "{}", "same")) }),
    annotations: (n) => completion({ content: "a", annotations: many(n, (at) => ({ url: `http://a/${at}` })) }),
    choices: (n) => ({ choices: many(n, (at) => ({ index: at + 1, message: { content: "a" } })) }),
    text: (n) => completion({ content: "word ".repeat(n) })
  }
}

/** A host that writes its reasoning between tags. */
export const chatWithTags: Wire = {
  ...chat,
  name: "chat with think tags",
  protocol: OpenAiChat.make({ thinkTags: true }),
  frames: {
    text: (n) => many(n, () => chunk({ content: "word " })),
    "think tags": (n) => many(n, () => chunk({ content: "<think>a</think>b" })),
    "think tags in one text": (n) => [chunk({ content: "<think>a</think>b".repeat(n) })],
    "beginnings of think tags": (n) => many(n, () => chunk({ content: "<thin" }))
  },
  bodies: {}
}

// =============================================================================
// Responses
// =============================================================================

const event = (type: string, fields: object): Frame => [type, { type, ...fields }]

const messageItem = (id: string, text: string) => ({
  type: "message",
  id,
  role: "assistant",
  content: [{ type: "output_text", text, annotations: [] }]
})

const callItem = (id: string, callId: string) => ({
  type: "function_call",
  id,
  call_id: callId,
  name: "f",
  arguments: "{}"
})

const done = (item: object, index: number): Frame => event("response.output_item.done", { output_index: index, item })

const completed = (output: ReadonlyArray<object>): Frame =>
  event("response.completed", { response: { id: "r", object: "response", status: "completed", output } })

const delta = (fields: object): Frame =>
  event("response.output_text.delta", { output_index: 0, content_index: 0, delta: "word ", ...fields })

const reversed = (n: number, item: (at: number) => object): ReadonlyArray<Frame> => [
  ...many(n, (at) => done(item(at), at)),
  completed(many(n, (at) => item(n - 1 - at)))
]

export const responses: Wire = {
  name: "responses",
  protocol: OpenAiResponses.make(),
  begin: [event("response.created", { response: { id: "r", model: "m" } })],
  end: [completed([])],
  sizes: { sections: 50_000 },
  frames: {
    text: (n) => many(n, () => delta({})),
    "text with the whole after each": (n) =>
      many(
        n,
        (at) =>
          at % 2 === 0
            ? delta({})
            : event("response.output_text.done", { output_index: 0, content_index: 0, text: "w" })
      ),
    "contents of a message": (n) => many(n, (at) => delta({ content_index: at })),
    "contents of a closed message": (n) => [
      done(messageItem("m", "a"), 0),
      ...many(n, (at) => event("response.output_text.done", { output_index: 0, content_index: at + 1, text: "a" }))
    ],
    "log probabilities": (n) => many(n, () => delta({ logprobs: [{ token: "a", logprob: 0 }] })),
    arguments: (n) => [
      event("response.output_item.added", { output_index: 0, item: { ...callItem("i", "c"), arguments: "" } }),
      ...many(n, () => event("response.function_call_arguments.delta", { output_index: 0, delta: "[" }))
    ],
    "arguments that are done after each": (n) => [
      event("response.output_item.added", { output_index: 0, item: { ...callItem("i", "c"), arguments: "" } }),
      ...many(n, (at) =>
        at % 2 === 0
          ? event("response.function_call_arguments.delta", { output_index: 0, delta: "[" })
          : event("response.function_call_arguments.done", { output_index: 0 }))
    ],
    "arguments of a call without a name": (n) =>
      many(n, (at) =>
        at % 2 === 0
          ? event("response.function_call_arguments.delta", { output_index: 0, delta: "[" })
          : event("response.function_call_arguments.done", { output_index: 0, arguments: "[" })),
    reasoning: (n) =>
      many(n, () => event("response.reasoning_summary_text.delta", { output_index: 0, summary_index: 0, delta: "a" })),
    "reasoning with the whole after each": (n) =>
      many(n, (at) =>
        at % 2 === 0
          ? event("response.reasoning_summary_text.delta", { output_index: 0, summary_index: 0, delta: "a" })
          : event("response.reasoning_summary_text.done", { output_index: 0, summary_index: 0, text: "a" })),
    sections: (n) =>
      many(
        n,
        (at) => event("response.reasoning_summary_text.delta", { output_index: 0, summary_index: at, delta: "a" })
      ),
    "reasoning items with a far section": (n) =>
      many(
        n,
        (at) => event("response.reasoning_summary_text.delta", { output_index: at, summary_index: 99_999, delta: "a" })
      ),
    items: (n) => many(n, (at) => done(messageItem(`m${at}`, "a"), at)),
    "items without an index": (n) =>
      many(n, (at) => ["response.output_item.done", { item: messageItem(`m${at}`, "a") }]),
    "messages in another order": (n) => reversed(n, (at) => messageItem(`m${at}`, "a")),
    "messages in another order with other ids": (n) => [
      ...many(n, (at) => done(messageItem(`m${at}`, "a"), n - 1 - at)),
      completed(many(n, (at) => messageItem(`other${at}`, "a")))
    ],
    "calls in another order": (n) => reversed(n, (at) => callItem(`i${at}`, `c${at}`)),
    "calls in another order with other ids": (n) => [
      ...many(n, (at) => done(callItem(`i${at}`, `c${at}`), at)),
      completed(many(n, (at) => callItem(`other${at}`, `c${n - 1 - at}`)))
    ],
    "calls that the final output does not know": (n) => [
      ...many(n, (at) => done(callItem(`i${at}`, `c${at}`), at)),
      completed(many(n, (at) => callItem(`other${at}`, `d${at}`)))
    ],
    annotations: (n) =>
      many(n, (at) =>
        event("response.output_text.annotation.added", {
          output_index: 0,
          content_index: 0,
          annotation: { type: "url_citation", url: `http://a/${at}` }
        })),
    previews: (n) =>
      many(
        n,
        () => event("response.image_generation_call.partial_image", { output_index: 0, partial_image_b64: "AA" })
      ),
    "unknown events": (n) => many(n, () => event("response.unknown", {}))
  },
  bodies: {
    items: (n) => ({ object: "response", status: "completed", output: many(n, (at) => messageItem(`m${at}`, "a")) }),
    "contents of a message": (n) => ({
      object: "response",
      status: "completed",
      output: [{ type: "message", content: many(n, () => ({ type: "output_text", text: "a" })) }]
    }),
    "image bytes": (n) => ({
      object: "response",
      status: "completed",
      output: [{ type: "image_generation_call", result: `data:${"A".repeat(16 * n)}` }]
    }),
    calls: (n) => ({ object: "response", status: "completed", output: many(n, () => callItem("i", "same")) })
  }
}
