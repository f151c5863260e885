/**
 * What labs refuse that serve their own models over Chat Completions.
 */
import { type Fields, fieldsOf, listOf } from "../Fault.ts"
import { oneOf, only, type Rule, within, without } from "../rules.ts"
import { alternation, autoWhileThinking, partsOnly, reasoningBack, saysJson, stops } from "../wires/chat.ts"

const alibaba = "https://www.alibabacloud.com/help/en/model-studio/deep-thinking"
const deepseek = "https://api-docs.deepseek.com/guides/thinking_mode"
const minimax = "https://platform.minimax.io/docs/api-reference/text-openai-api"
const mistral = "https://docs.mistral.ai/api/endpoint/chat"
const moonshot = "https://platform.kimi.ai/docs/api/chat"
const perplexity = "https://docs.perplexity.ai/api-reference/chat-completions-post"
const xai = "https://docs.x.ai/docs/guides/reasoning"
const xiaomi = "https://platform.xiaomimimo.com/#/docs/api/chat/openai-api"
const zai = "https://docs.z.ai/api-reference/llm/chat-completion"

const switchedOn = (body: Fields): boolean => fieldsOf(body["thinking"])["type"] === "enabled"
const notOff = (body: Fields): boolean => fieldsOf(body["thinking"])["type"] !== "disabled"

/** A response format of these types only. */
const formats = (source: string, types: ReadonlyArray<string>): Rule => ({
  source,
  check: ({ body }, refuse) => {
    const type = fieldsOf(body["response_format"])["type"]
    if (type !== undefined && !types.includes(String(type))) {
      refuse("response_format.type", `must be one of ${types.join(", ")}, is ${String(type)}`)
    }
  }
})

/** Rules by provider. */
export const labHosts: { readonly [provider: string]: ReadonlyArray<Rule> } = {
  alibaba: [
    autoWhileThinking(alibaba, (body) => body["enable_thinking"] === true),
    saysJson("https://www.alibabacloud.com/help/en/model-studio/json-mode"),
    {
      source: "https://www.alibabacloud.com/help/en/model-studio/json-mode",
      check: ({ body }, refuse) => {
        if (body["enable_thinking"] === true && fieldsOf(body["response_format"])["type"] === "json_object") {
          refuse("response_format", "of JSON is refused while the model thinks")
        }
      }
    },
    {
      source: "https://www.alibabacloud.com/help/en/model-studio/error-code",
      check: ({ body }, refuse) => {
        if (body["enable_thinking"] === true && body["stream"] !== true) {
          refuse("enable_thinking", "must be set to false for non-streaming calls")
        }
      }
    },
    partsOnly("https://www.alibabacloud.com/help/en/model-studio/vision", [
      "text",
      "image_url",
      "video_url",
      "video",
      "input_audio"
    ])
  ],
  deepseek: [
    autoWhileThinking(deepseek, notOff),
    reasoningBack(deepseek),
    saysJson("https://api-docs.deepseek.com/guides/json_mode"),
    formats("https://api-docs.deepseek.com/api/create-chat-completion", ["text", "json_object"]),
    partsOnly("https://api-docs.deepseek.com/api/create-chat-completion", ["text"]),
    without("https://api-docs.deepseek.com/api/create-chat-completion", [
      "parallel_tool_calls",
      "seed",
      "top_k",
      "max_completion_tokens"
    ]),
    stops("https://api-docs.deepseek.com/api/create-chat-completion", 16)
  ],
  minimax: [
    without(minimax, ["seed", "logprobs", "top_logprobs", "top_k"]),
    partsOnly(minimax, ["text", "image_url", "video_url"])
  ],
  mistral: [
    {
      source: mistral,
      check: ({ body }, refuse) => {
        const messages = listOf(body["messages"]).map(fieldsOf)
        for (const [index, message] of messages.entries()) {
          const before = messages[index - 1]?.["role"]
          if (message["role"] === "user" && before === "tool") {
            refuse(`messages[${index}]`, "Unexpected role 'user' after role 'tool'")
          }
          if (message["role"] === "system" && before === "tool") {
            refuse(`messages[${index}]`, "Unexpected role 'system' after role 'tool'")
          }
          for (const call of listOf(message["tool_calls"])) {
            if (!/^[a-zA-Z0-9]{9}$/.test(String(fieldsOf(call)["id"]))) {
              refuse(`messages[${index}].tool_calls`, "ids must be 9 of a-z, A-Z, 0-9")
            }
          }
        }
        const last = messages.at(-1)
        if (last?.["role"] === "assistant" && last["prefix"] !== true) {
          refuse("messages", "the last must be of the user, a tool, or a prefix")
        }
        if (last?.["role"] === "system") refuse("messages", "the last must be of the user, a tool, or a prefix")
      }
    },
    partsOnly(mistral, ["text", "image_url", "document_url", "input_audio", "thinking", "reference", "file"])
  ],
  moonshot: [
    autoWhileThinking(moonshot, notOff, /kimi-k2/),
    {
      source: moonshot,
      models: /kimi-k3/,
      check: ({ body }, refuse) => {
        if (typeof body["tool_choice"] === "object") refuse("tool_choice", "must be auto, none or required")
      }
    },
    reasoningBack(moonshot, /kimi-k[23]/),
    stops(moonshot, 5),
    partsOnly(moonshot, ["text", "image_url", "video_url"]),
    {
      source: moonshot,
      check: ({ body }, refuse) => {
        for (const [index, message] of listOf(body["messages"]).map(fieldsOf).entries()) {
          const { content, role, tool_calls: calls } = message
          if (
            (role === "user" || (role === "assistant" && calls === undefined)) && (content === "" || content === null)
          ) {
            refuse(`messages[${index}].content`, "must not be empty")
          }
        }
      }
    }
  ],
  perplexity: [
    alternation(perplexity),
    partsOnly("https://docs.perplexity.ai/guides/image-attachments", [
      "text",
      "image_url",
      "file_url",
      "pdf_url",
      "video_url"
    ])
  ],
  xai: [
    without(xai, ["presence_penalty", "frequency_penalty", "stop"], /grok-(?:[4-9]|3-mini|build)/),
    partsOnly("https://docs.x.ai/docs/guides/image-understanding", ["text", "image_url", "file"])
  ],
  xiaomi: [
    without(xiaomi, ["seed", "logprobs", "top_logprobs", "top_k", "parallel_tool_calls"]),
    stops(xiaomi, 4),
    formats(xiaomi, ["text", "json_object"]),
    partsOnly(xiaomi, ["text", "image_url", "video_url", "input_audio"]),
    reasoningBack(xiaomi),
    { ...autoWhileThinking(xiaomi, switchedOn) }
  ],
  zai: [
    only(zai, [
      "model",
      "messages",
      "request_id",
      "user_id",
      "do_sample",
      "stream",
      "stream_options",
      "temperature",
      "top_p",
      "max_tokens",
      "stop",
      "tools",
      "tool_choice",
      "tool_stream",
      "response_format",
      "thinking",
      "reasoning_effort"
    ]),
    oneOf(zai, "tool_choice", ["auto"]),
    stops(zai, 1),
    within(zai, "temperature", 0, 1),
    within(zai, "top_p", 0.01, 1),
    formats(zai, ["text", "json_object"]),
    partsOnly(zai, ["text", "image_url", "video_url", "file_url"])
  ]
}
