/**
 * Samples of the texts in which providers say that a conversation does not fit: data for tests and for the documentation.
 *
 * @since 0.1.0
 */
import type { overflowPatterns } from "./ContextOverflow.ts"

/**
 * One vendor's sentence.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface OverflowText {
  /** Id of the provider that says so. */
  readonly provider: keyof typeof overflowPatterns
  /** A text that the vendor's pattern matches; numbers are examples. */
  readonly sample: string
  /** Where the text is documented or was reported; absent where only the 400 itself is. */
  readonly source?: string | undefined
}

/**
 * Texts of a context overflow, by vendor.
 *
 * @stability experimental
 * @category data
 * @since 0.1.0
 */
export const overflowTexts: ReadonlyArray<OverflowText> = [
  {
    provider: "Anthropic",
    sample: "prompt is too long: 208310 tokens > 200000 maximum",
    source: "https://docs.anthropic.com/en/docs/build-with-claude/context-windows"
  },
  {
    provider: "Anthropic",
    sample: "input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000, decrease input length"
  },
  {
    provider: "OpenAI",
    sample: "This model's maximum context length is 128000 tokens. However, your messages resulted in 130001 tokens."
  },
  {
    provider: "OpenAI Responses",
    sample: "Your input exceeds the context window of this model. Please adjust your input and try again."
  },
  {
    provider: "Google Gemini",
    sample: "The input token count (1200000) exceeds the maximum number of tokens allowed (1048575)."
  },
  {
    provider: "Amazon Bedrock",
    sample: "The model returned the following errors: Input is too long for requested model."
  },
  {
    provider: "Amazon Titan",
    sample: "400 Bad Request: Too many input tokens. Max input tokens: 8192, request input token count: 9001"
  },
  {
    provider: "Groq",
    sample: "Please reduce the length of the messages or completion.",
    source: "https://console.groq.com/docs/errors"
  },
  {
    provider: "Cerebras",
    sample: "Current length is 9001 while limit is 8192"
  },
  {
    provider: "Cerebras gateway",
    sample: "400 status code (no body)"
  },
  {
    provider: "llama.cpp",
    sample: "the request exceeds the available context size, try increasing it",
    source: "https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md"
  },
  {
    provider: "Ollama",
    sample: "prompt too long; exceeded max context length by 512 tokens"
  },
  {
    provider: "LM Studio",
    sample:
      "Trying to keep the first 9000 tokens when context the overflows. However, the model is loaded with context " +
      "length of only 4096 tokens, which is not enough.",
    source: "https://github.com/lmstudio-ai/lmstudio-bug-tracker/issues/546"
  },
  {
    provider: "LM Studio (MLX)",
    sample: "Cannot truncate prompt with n_keep (9000) >= n_ctx (4096)",
    source: "https://github.com/anomalyco/opencode/issues/11141"
  },
  {
    provider: "vLLM",
    sample: "The decoder prompt (length 5000) is longer than the maximum model length of 4096."
  },
  {
    provider: "SGLang",
    sample: "The input (5000 tokens) is longer than the model's context length (4096 tokens)."
  },
  {
    provider: "Hugging Face TGI",
    sample: "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096. Given: 4000 `inputs` tokens"
  },
  {
    provider: "Mistral",
    sample: "Prompt contains 40000 tokens and 0 draft tokens, too large for model with 32768 maximum context length"
  },
  {
    provider: "Cohere",
    sample: "too many tokens: size limit exceeded by 12 tokens. Try using shorter or fewer inputs.",
    source: "https://docs.cohere.com/reference/errors"
  },
  {
    provider: "Together",
    sample: "The total number of tokens exceeds the model context limit of 32769"
  },
  {
    provider: "Fireworks",
    sample: "The prompt is too long: 140000, model maximum context length: 131071"
  },
  {
    provider: "DeepSeek",
    sample: "This model's maximum context length is 131072 tokens. However, you requested 140000 tokens."
  },
  {
    provider: "xAI",
    sample: "This model's maximum prompt length is 131072 but the request contains 140000 tokens."
  },
  {
    provider: "Moonshot",
    sample: "Invalid request: Your request exceeded model token limit: 262144 (requested: 270000)"
  },
  {
    provider: "MiniMax",
    sample: "invalid params, context window exceeds limit (2013)",
    source: "https://platform.minimax.io/docs/api-reference/errorcode"
  },
  {
    provider: "z.ai",
    sample: "Prompt exceeds max length",
    source: "https://docs.z.ai/api-reference/api-code"
  },
  {
    provider: "z.ai",
    sample: "tokens in request more than max tokens allowed",
    source: "https://docs.z.ai/api-reference/api-code"
  },
  {
    provider: "OpenRouter",
    sample: "This endpoint's maximum context length is 131072 tokens. However, you requested about 140000 tokens."
  },
  {
    provider: "GitHub Copilot",
    sample: "prompt token count of 140000 exceeds the limit of 128000"
  },
  {
    provider: "GitHub Models",
    sample: "Request body too large for gpt-4o model. Max size: 8000 tokens."
  },
  {
    provider: "Alibaba DashScope",
    sample: "Range of input length should be [1, 98304]",
    source: "https://www.alibabacloud.com/help/en/model-studio/error-code"
  },
  {
    provider: "Cloudflare Workers AI",
    sample:
      "The estimated number of input and maximum output tokens (9000) exceeded this model context window limit (8192)."
  },
  {
    provider: "Volcengine",
    sample: "Total tokens of image and text exceed max message tokens."
  },
  {
    provider: "Baidu Qianfan",
    sample: "prompt tokens too long"
  },
  {
    provider: "LiteLLM and other gateways",
    sample: "litellm.ContextWindowExceededError: context window exceeded"
  }
]
