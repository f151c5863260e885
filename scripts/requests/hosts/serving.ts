/**
 * What hosts refuse that serve the models of others over Chat Completions.
 */
import { fieldsOf, listOf } from "../Fault.ts"
import { oneOf, only, type Rule, without } from "../rules.ts"
import { partsOnly, saysJson, stops } from "../wires/chat.ts"

const cerebras = "https://inference-docs.cerebras.ai/resources/openai"
const cloudflare = "https://developers.cloudflare.com/workers-ai/configuration/open-ai-compatibility"
const databricks = "https://docs.databricks.com/aws/en/machine-learning/foundation-model-apis/api-reference"
const fireworks = "https://docs.fireworks.ai/api-reference/post-chatcompletions"
const github = "https://docs.github.com/en/rest/models/inference"
const groq = "https://console.groq.com/docs/api-reference#chat-create"
const groqReasoning = "https://console.groq.com/docs/reasoning"
const nvidia = "https://docs.api.nvidia.com/nim/reference/llm-apis"
const sambanova = "https://docs.sambanova.ai/docs/en/api-reference/endpoints/chat"
const together = "https://docs.together.ai/reference/chat-completions-1"
const writer = "https://dev.writer.com/api-reference/completion-api/chat-completion"

/** Effort words by family of models. */
const effort = (source: string, models: RegExp, words: ReadonlyArray<string>): Rule =>
  oneOf(source, "reasoning_effort", words, models)

/** Rules by provider. */
export const servingHosts: { readonly [provider: string]: ReadonlyArray<Rule> } = {
  baseten: [partsOnly("https://docs.baseten.co/reference/inference-api/chat-completions", ["text", "image_url"])],
  cerebras: [
    without(cerebras, ["logit_bias", "service_tier"]),
    partsOnly(cerebras, ["text", "image_url", "image"])
  ],
  cloudflare: [
    without(cloudflare, ["parallel_tool_calls", "logprobs", "top_logprobs"]),
    partsOnly(cloudflare, ["text", "image_url"])
  ],
  databricks: [
    without(databricks, ["stream_options", "parallel_tool_calls", "seed"]),
    partsOnly(databricks, ["text", "image_url"])
  ],
  deepinfra: [partsOnly("https://deepinfra.com/docs/openai_api", ["text", "image_url", "video_url", "input_audio"])],
  fireworks: [
    {
      source: "https://docs.fireworks.ai/api-reference/post-chatcompletions#body-max-tokens",
      check: ({ body }, refuse) => {
        if (Number(body["max_tokens"] ?? 0) > 4096 && body["stream"] !== true) {
          refuse("max_tokens", "above 4096 needs stream")
        }
      }
    },
    partsOnly(fireworks, ["text", "image_url", "video_url"]),
    stops(fireworks, 4)
  ],
  "github-models": [
    only(github, [
      "model",
      "messages",
      "frequency_penalty",
      "max_tokens",
      "max_completion_tokens",
      "modalities",
      "presence_penalty",
      "response_format",
      "seed",
      "stream",
      "stream_options",
      "stop",
      "temperature",
      "tool_choice",
      "tools",
      "top_p",
      "reasoning_effort"
    ]),
    {
      source: github,
      check: ({ body }, refuse) => {
        if (typeof body["tool_choice"] === "object") refuse("tool_choice", "must be auto, required or none")
      }
    },
    partsOnly(github, ["text", "image_url", "input_audio"])
  ],
  groq: [
    saysJson("https://console.groq.com/docs/structured-outputs#json-object-mode"),
    {
      source: "https://console.groq.com/docs/structured-outputs",
      check: ({ body }, refuse) => {
        const type = fieldsOf(body["response_format"])["type"]
        if ((type === "json_object" || type === "json_schema") && listOf(body["tools"]).length > 0) {
          refuse("response_format", "of JSON cannot be combined with tool calling")
        }
      }
    },
    effort(groqReasoning, /gpt-oss/, ["low", "medium", "high"]),
    effort(groqReasoning, /qwen/, ["none", "default"]),
    without(groqReasoning, ["reasoning_effort"], /llama/),
    stops(groq, 4),
    partsOnly("https://console.groq.com/docs/vision", ["text", "image_url", "document"])
  ],
  huggingface: [
    partsOnly("https://huggingface.co/docs/inference-providers/tasks/chat-completion", ["text", "image_url"])
  ],
  hyperbolic: [partsOnly("https://docs.hyperbolic.xyz/docs/rest-api", ["text", "image_url"])],
  nebius: [
    partsOnly("https://docs.tokenfactory.nebius.com/api-reference/introduction", ["text", "image_url", "video_url"])
  ],
  nvidia: [
    without(nvidia, ["parallel_tool_calls"]),
    {
      source: nvidia,
      check: ({ body }, refuse) => {
        for (const [index, { content }] of listOf(body["messages"]).map(fieldsOf).entries()) {
          if (Array.isArray(content) && content.every((part) => fieldsOf(part)["type"] === "text")) {
            refuse(`messages[${index}].content`, "must be a string")
          }
        }
      }
    },
    partsOnly(nvidia, ["text", "image_url", "video_url", "input_audio"])
  ],
  sambanova: [partsOnly(sambanova, ["text", "image_url"])],
  snowflake: [
    partsOnly("https://docs.snowflake.com/en/user-guide/snowflake-cortex/open_ai_sdk", ["text", "image_url"])
  ],
  together: [partsOnly(together, ["text", "image_url", "video_url", "audio_url", "input_audio"])],
  writer: [
    {
      source: writer,
      check: ({ url }, refuse) => {
        if (url.pathname !== "/v1/chat") refuse("", `must be sent to /v1/chat, is sent to ${url.pathname}`)
      }
    },
    partsOnly(writer, ["text", "image_url"])
  ]
}
