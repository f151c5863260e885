/**
 * What servers refuse that run on one's own machine.
 */
import { fieldsOf } from "../Fault.ts"
import type { Rule } from "../rules.ts"
import { partsOnly } from "../wires/chat.ts"

const lmstudio = "https://lmstudio.ai/docs/developer/openai-compat/tools"
const llamacpp = "https://github.com/ggml-org/llama.cpp/blob/master/common/chat.cpp"

const wordOnly = (source: string): Rule => ({
  source,
  check: ({ body }, refuse) => {
    if (typeof body["tool_choice"] === "object") refuse("tool_choice", "must be a string")
  }
})

/** Rules by provider. */
export const localHosts: { readonly [provider: string]: ReadonlyArray<Rule> } = {
  llamacpp: [
    wordOnly(llamacpp),
    partsOnly("https://github.com/ggml-org/llama.cpp/blob/master/docs/multimodal.md", [
      "text",
      "image_url",
      "input_audio"
    ])
  ],
  lmstudio: [
    wordOnly(lmstudio),
    {
      source: "https://github.com/lmstudio-ai/lmstudio-bug-tracker/issues/189",
      check: ({ body }, refuse) => {
        if (fieldsOf(body["response_format"])["type"] === "json_object") {
          refuse("response_format.type", "must be json_schema or text")
        }
      }
    },
    partsOnly("https://lmstudio.ai/docs/developer/openai-compat/chat-completions", ["text", "image_url"])
  ],
  vllm: [
    partsOnly("https://docs.vllm.ai/en/latest/features/multimodal_inputs.html", [
      "text",
      "image_url",
      "video_url",
      "audio_url",
      "input_audio"
    ])
  ]
}
