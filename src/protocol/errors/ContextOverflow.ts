/**
 * The words in which providers say that a conversation does not fit.
 *
 * There is no common code for it: most hosts send 400 with a sentence of their own. One row per vendor and
 * sentence, with a sample that the tests match. A throttle that counts tokens is not an overflow
 * (`notOverflow`).
 *
 * @since 0.1.0
 */

/**
 * One vendor's sentence.
 *
 * @category models
 * @since 0.1.0
 */
export interface OverflowText {
  readonly provider: string
  readonly pattern: RegExp
  /** A text of this kind; numbers are examples. */
  readonly sample: string
  /** Where the text is documented or was reported; absent where only the 400 itself is. */
  readonly source?: string | undefined
}

/**
 * Texts of a context overflow, by vendor.
 *
 * @category data
 * @since 0.1.0
 */
export const overflowTexts: ReadonlyArray<OverflowText> = [
  {
    provider: "Anthropic",
    pattern: /prompt is too long/i,
    sample: "prompt is too long: 208310 tokens > 200000 maximum",
    source: "https://docs.anthropic.com/en/docs/build-with-claude/context-windows"
  },
  {
    provider: "Anthropic",
    pattern: /input length and `?max_tokens`? exceed context limit/i,
    sample: "input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000, decrease input length"
  },
  {
    provider: "OpenAI",
    pattern: /maximum context length/i,
    sample: "This model's maximum context length is 128000 tokens. However, your messages resulted in 130001 tokens."
  },
  {
    provider: "OpenAI Responses",
    pattern: /exceeds? the context window/i,
    sample: "Your input exceeds the context window of this model. Please adjust your input and try again."
  },
  {
    provider: "Google Gemini",
    pattern: /input (?:token|context) (?:count|size)[^\n]{0,80}exceeds/i,
    sample: "The input token count (1200000) exceeds the maximum number of tokens allowed (1048575)."
  },
  {
    provider: "Amazon Bedrock",
    pattern: /input is too long/i,
    sample: "The model returned the following errors: Input is too long for requested model."
  },
  {
    provider: "Amazon Titan",
    pattern: /too many input tokens/i,
    sample: "400 Bad Request: Too many input tokens. Max input tokens: 8192, request input token count: 9001"
  },
  {
    provider: "Groq",
    pattern: /reduce the length of (?:the|your) (?:messages|prompt|input)/i,
    sample: "Please reduce the length of the messages or completion.",
    source: "https://console.groq.com/docs/errors"
  },
  {
    provider: "Cerebras",
    pattern: /current length is \d{1,12} while limit is/i,
    sample: "Current length is 9001 while limit is 8192"
  },
  {
    // Its gateway refuses oversized bodies without any body of its own; SDKs spell that so.
    provider: "Cerebras gateway",
    pattern: /^\s*4(?:00|13)\s{0,3}(?:status code)?\s{0,3}\(no body\)/i,
    sample: "400 status code (no body)"
  },
  {
    provider: "llama.cpp",
    pattern: /exceeds? the available context size/i,
    sample: "the request exceeds the available context size, try increasing it",
    source: "https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md"
  },
  {
    provider: "Ollama",
    pattern: /exceed(?:ed|s) (?:the )?(?:max(?:imum)? )?context length/i,
    sample: "prompt too long; exceeded max context length by 512 tokens"
  },
  {
    provider: "LM Studio",
    pattern: /context length of only|greater than the context length/i,
    sample:
      "Trying to keep the first 9000 tokens when context the overflows. However, the model is loaded with context " +
      "length of only 4096 tokens, which is not enough.",
    source: "https://github.com/lmstudio-ai/lmstudio-bug-tracker/issues/546"
  },
  {
    provider: "LM Studio (MLX)",
    pattern: /n_keep[^\n]{0,40}n_ctx|reached context length/i,
    sample: "Cannot truncate prompt with n_keep (9000) >= n_ctx (4096)",
    source: "https://github.com/anomalyco/opencode/issues/11141"
  },
  {
    provider: "vLLM",
    pattern: /longer than the maximum model length/i,
    sample: "The decoder prompt (length 5000) is longer than the maximum model length of 4096."
  },
  {
    provider: "SGLang",
    pattern: /longer than the model's context length/i,
    sample: "The input (5000 tokens) is longer than the model's context length (4096 tokens)."
  },
  {
    provider: "Hugging Face TGI",
    pattern: /`?inputs`? (?:tokens )?(?:\+ `?max_new_tokens`? )?must (?:be|have) (?:<=|less than)/i,
    sample: "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096. Given: 4000 `inputs` tokens"
  },
  {
    provider: "Mistral",
    pattern: /too large for model with \d{1,12} maximum context/i,
    sample: "Prompt contains 40000 tokens and 0 draft tokens, too large for model with 32768 maximum context length"
  },
  {
    provider: "Cohere",
    pattern: /too many tokens/i,
    sample: "too many tokens: size limit exceeded by 12 tokens. Try using shorter or fewer inputs.",
    source: "https://docs.cohere.com/reference/errors"
  },
  {
    provider: "Together",
    pattern: /context length[^\n]{0,40}exceed|exceed[^\n]{0,60}context (?:length|limit|size|window)/i,
    sample: "The total number of tokens exceeds the model context limit of 32769"
  },
  {
    provider: "Fireworks",
    pattern: /prompt is too long|model maximum context/i,
    sample: "The prompt is too long: 140000, model maximum context length: 131071"
  },
  {
    provider: "DeepSeek",
    pattern: /maximum context length/i,
    sample: "This model's maximum context length is 131072 tokens. However, you requested 140000 tokens."
  },
  {
    provider: "xAI",
    pattern: /maximum prompt length is \d/i,
    sample: "This model's maximum prompt length is 131072 but the request contains 140000 tokens."
  },
  {
    provider: "Moonshot",
    pattern: /exceeded model token limit|input token length too long/i,
    sample: "Invalid request: Your request exceeded model token limit: 262144 (requested: 270000)"
  },
  {
    provider: "MiniMax",
    pattern: /context window exceeds limit/i,
    sample: "invalid params, context window exceeds limit (2013)",
    source: "https://platform.minimax.io/docs/api-reference/errorcode"
  },
  {
    provider: "z.ai",
    pattern: /prompt exceeds max(?:imum)? length/i,
    sample: "Prompt exceeds max length",
    source: "https://docs.z.ai/api-reference/api-code"
  },
  {
    provider: "OpenRouter",
    pattern: /endpoint's maximum context length/i,
    sample: "This endpoint's maximum context length is 131072 tokens. However, you requested about 140000 tokens."
  },
  {
    provider: "GitHub Copilot",
    pattern: /token count of \d{1,12} exceeds the limit of \d/i,
    sample: "prompt token count of 140000 exceeds the limit of 128000"
  },
  {
    provider: "GitHub Models",
    pattern: /request body too large for/i,
    sample: "Request body too large for gpt-4o model. Max size: 8000 tokens."
  },
  {
    provider: "Alibaba DashScope",
    pattern: /range of input length should be/i,
    sample: "Range of input length should be [1, 98304]",
    source: "https://www.alibabacloud.com/help/en/model-studio/error-code"
  },
  {
    provider: "Cloudflare Workers AI",
    pattern: /exceeded this model context window limit/i,
    sample:
      "The estimated number of input and maximum output tokens (9000) exceeded this model context window limit (8192)."
  },
  {
    provider: "Volcengine",
    pattern: /total tokens of[^\n]{0,40}exceed/i,
    sample: "Total tokens of image and text exceed max message tokens."
  },
  {
    provider: "Baidu Qianfan",
    pattern: /prompt tokens? (?:is |are )?too long|max input (?:characters|tokens)/i,
    sample: "prompt tokens too long"
  },
  {
    provider: "LiteLLM and other gateways",
    pattern:
      /context[ _-]?(?:length|window|size)[ _-]?(?:limit )?(?:was |is |has been )?exceeded|token limit exceeded/i,
    sample: "litellm.ContextWindowExceededError: context window exceeded"
  }
]

/**
 * What a throttle says, even where it counts tokens ("ThrottlingException: Too many tokens, please wait before trying again").
 *
 * @category data
 * @since 0.1.0
 */
export const notOverflow =
  /throttl|rate[ _-]?limit|please wait|\bper[ _-]?(?:second|minute|min|hour|day)\b|\b[tr]p[md]\b|quota exceeded/i
