/**
 * The answers of the mock server, spelled as each API spells them. Content is invented; the framing, the field names and
 * the size of a frame are those of the documented APIs.
 */

export type Wire = "anthropic" | "chat" | "responses" | "gemini"

/** What an answer holds: text in deltas, one tool call whose arguments come in deltas, or one whole JSON body. */
export type Kind = "text" | "tool" | "json"

export interface Shape {
  readonly kind: Kind
  readonly deltas: number
  /** Characters of one delta. */
  readonly size: number
  /** Whether the deltas of a text differ in length, by half of `size` up and down. @default false */
  readonly varied?: boolean | undefined
}

/** A streamed answer: what comes before the deltas, each delta, what comes after. */
export interface Frames {
  readonly head: string
  readonly delta: (text: string) => string
  readonly tail: string
}

const words = "the quick brown fox jumps over lazy dogs while seven boxing wizards vex my bad liquor jug ".split(" ")

/** Texts of the deltas: words cut to `size` characters each, or to so many on average. */
export const texts = (shape: Shape): Array<string> => {
  if (shape.kind === "tool") return toolArguments(shape)
  const spread = shape.varied === true ? Math.floor(shape.size / 2) : 0
  return Array.from({ length: shape.deltas }, (_, i) => {
    // Each length as often as the others, in no simple order.
    const size = shape.size - spread + ((i * 7) % (2 * spread + 1))
    return ` ${words[i % (words.length - 1)]!}`.padEnd(size, "e").slice(0, size)
  })
}

/** A JSON object cut into pieces of `size` characters. */
const toolArguments = (shape: Shape): Array<string> => {
  const filler = (n: number) => words.join(" ").repeat(Math.ceil(n / 80) + 1).slice(0, n)
  const length = shape.deltas * shape.size
  const text = `{"path":"notes.md","content":"${filler(length - 32)}"}`.padEnd(length, " ")
  return Array.from({ length: shape.deltas }, (_, i) => text.slice(i * shape.size, (i + 1) * shape.size))
}

const event = (name: string, data: unknown) => `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`
const data = (value: unknown) => `data: ${JSON.stringify(value)}\n\n`

const anthropicUsage = (output: number) => ({
  input_tokens: 25,
  cache_creation_input_tokens: 0,
  cache_read_input_tokens: 0,
  cache_creation: { ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: 0 },
  output_tokens: output,
  server_tool_use: null,
  service_tier: "standard",
  inference_geo: "not_available",
  iterations: null,
  speed: "standard"
})

const anthropic = (kind: Kind): Frames => ({
  head: event("message_start", {
    type: "message_start",
    message: {
      id: "msg_01BenchBenchBenchBench01",
      type: "message",
      role: "assistant",
      model: "claude-sonnet-4-5",
      content: [],
      stop_reason: null,
      stop_sequence: null,
      container: null,
      context_management: null,
      usage: anthropicUsage(1)
    }
  }) +
    event("content_block_start", {
      type: "content_block_start",
      index: 0,
      content_block: kind === "tool"
        ? { type: "tool_use", id: "toolu_01BenchBenchBenchBench01", name: "write_file", input: {} }
        : { type: "text", text: "" }
    }) + event("ping", { type: "ping" }),
  delta: (text) =>
    event("content_block_delta", {
      type: "content_block_delta",
      index: 0,
      delta: kind === "tool" ? { type: "input_json_delta", partial_json: text } : { type: "text_delta", text }
    }),
  tail: event("content_block_stop", { type: "content_block_stop", index: 0 }) +
    event("message_delta", {
      type: "message_delta",
      delta: { stop_reason: kind === "tool" ? "tool_use" : "end_turn", stop_sequence: null, container: null },
      context_management: null,
      usage: {
        input_tokens: 25,
        cache_creation_input_tokens: 0,
        cache_read_input_tokens: 0,
        output_tokens: 4242,
        server_tool_use: null,
        iterations: null
      }
    }) +
    event("message_stop", { type: "message_stop" })
})

const chatChunk = (delta: unknown, finish: string | null, usage: unknown = null) => ({
  id: "chatcmpl-BenchBenchBenchBenchBench01",
  object: "chat.completion.chunk",
  created: 1760000000,
  model: "gpt-4.1-2025-04-14",
  service_tier: "default",
  system_fingerprint: "fp_0123456789",
  choices: delta === undefined ? [] : [{ index: 0, delta, logprobs: null, finish_reason: finish }],
  usage
})

const chatUsage = {
  prompt_tokens: 25,
  completion_tokens: 4242,
  total_tokens: 4267,
  prompt_tokens_details: { cached_tokens: 0, audio_tokens: 0 },
  completion_tokens_details: {
    reasoning_tokens: 0,
    audio_tokens: 0,
    accepted_prediction_tokens: 0,
    rejected_prediction_tokens: 0
  }
}

const chat = (kind: Kind): Frames => ({
  head: data(chatChunk({ role: "assistant", content: kind === "tool" ? null : "", refusal: null }, null)) +
    (kind === "tool"
      ? data(chatChunk({
        tool_calls: [{
          index: 0,
          id: "call_Bench01",
          type: "function",
          function: { name: "write_file", arguments: "" }
        }]
      }, null))
      : ""),
  delta: (text) =>
    data(chatChunk(
      kind === "tool" ? { tool_calls: [{ index: 0, function: { arguments: text } }] } : { content: text },
      null
    )),
  tail: data(chatChunk({}, kind === "tool" ? "tool_calls" : "stop")) +
    data(chatChunk(undefined, null, chatUsage)) + "data: [DONE]\n\n"
})

const geminiChunk = (text: string, finish: string | undefined) => ({
  candidates: [{
    content: { parts: [{ text }], role: "model" },
    ...(finish === undefined ? {} : { finishReason: finish }),
    index: 0
  }],
  usageMetadata: { promptTokenCount: 25, candidatesTokenCount: 4242, totalTokenCount: 4267 },
  modelVersion: "gemini-2.5-flash",
  responseId: "benchbenchbench"
})

const gemini: Frames = {
  head: "",
  delta: (text) => data(geminiChunk(text, undefined)),
  tail: data(geminiChunk("", "STOP"))
}

const responsesItem = (text: string, status: string) => ({
  id: "msg_bench01",
  type: "message",
  status,
  role: "assistant",
  content: status === "completed" ? [{ type: "output_text", text, annotations: [], logprobs: [] }] : []
})

const responsesBody = (status: string, text: string) => ({
  id: "resp_bench01",
  object: "response",
  created_at: 1760000000,
  status,
  background: false,
  error: null,
  incomplete_details: null,
  instructions: null,
  max_output_tokens: null,
  max_tool_calls: null,
  model: "gpt-4.1-2025-04-14",
  output: status === "completed" ? [responsesItem(text, "completed")] : [],
  parallel_tool_calls: true,
  previous_response_id: null,
  prompt_cache_key: null,
  reasoning: { effort: null, summary: null },
  safety_identifier: null,
  service_tier: "default",
  store: true,
  temperature: 1,
  text: { format: { type: "text" }, verbosity: "medium" },
  tool_choice: "auto",
  tools: [],
  top_logprobs: 0,
  top_p: 1,
  truncation: "disabled",
  usage: status === "completed"
    ? {
      input_tokens: 25,
      input_tokens_details: { cached_tokens: 0 },
      output_tokens: 4242,
      output_tokens_details: { reasoning_tokens: 0 },
      total_tokens: 4267
    }
    : null,
  user: null,
  metadata: {}
})

const responses: Frames = {
  head: event("response.created", {
    type: "response.created",
    sequence_number: 0,
    response: responsesBody("in_progress", "")
  }) +
    event("response.output_item.added", {
      type: "response.output_item.added",
      sequence_number: 1,
      output_index: 0,
      item: responsesItem("", "in_progress")
    }) +
    event("response.content_part.added", {
      type: "response.content_part.added",
      sequence_number: 2,
      item_id: "msg_bench01",
      output_index: 0,
      content_index: 0,
      part: { type: "output_text", text: "", annotations: [], logprobs: [] }
    }),
  delta: (text) =>
    event("response.output_text.delta", {
      type: "response.output_text.delta",
      sequence_number: 3,
      item_id: "msg_bench01",
      output_index: 0,
      content_index: 0,
      delta: text,
      logprobs: []
    }),
  tail: event("response.output_item.done", {
    type: "response.output_item.done",
    sequence_number: 4,
    output_index: 0,
    item: responsesItem("the end", "completed")
  }) +
    event("response.completed", {
      type: "response.completed",
      sequence_number: 5,
      response: responsesBody("completed", "the end")
    })
}

export const framesOf = (wire: Wire, kind: Kind): Frames => {
  switch (wire) {
    case "anthropic":
      return anthropic(kind)
    case "chat":
      return chat(kind)
    case "gemini":
      return gemini
    case "responses":
      return responses
  }
}

/** A whole answer. */
export const bodyOf = (wire: Wire, text: string): string => {
  switch (wire) {
    case "anthropic":
      return JSON.stringify({
        id: "msg_01BenchBenchBenchBench01",
        type: "message",
        role: "assistant",
        model: "claude-sonnet-4-5",
        content: [{ type: "text", text }],
        stop_reason: "end_turn",
        stop_sequence: null,
        container: null,
        context_management: null,
        usage: anthropicUsage(42)
      })
    case "chat":
      return JSON.stringify({
        ...chatChunk(undefined, null, chatUsage),
        object: "chat.completion",
        choices: [{
          index: 0,
          message: { role: "assistant", content: text, refusal: null, annotations: [] },
          logprobs: null,
          finish_reason: "stop"
        }]
      })
    case "gemini":
      return JSON.stringify(geminiChunk(text, "STOP"))
    case "responses":
      return JSON.stringify(responsesBody("completed", text))
  }
}
