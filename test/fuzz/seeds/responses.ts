// Small answers of OpenAI Responses, streamed and whole.
import { named, type WireSeeds } from "./frames.ts"

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

export const responses: WireSeeds = {
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
