/**
 * The words in which providers say that a conversation does not fit.
 *
 * There is no common code for it: most hosts send 400 with a sentence of their own. One entry per vendor; a
 * sample of each is in `OverflowTexts.ts`, which an application does not load. A throttle that counts tokens is not an
 * overflow (`notOverflow`).
 *
 * @since 0.1.0
 */

/**
 * Patterns of a context overflow, by vendor.
 *
 * @stability experimental
 * @category data
 * @since 0.1.0
 */
export const overflowPatterns = {
  Anthropic: /prompt is too long|input length and `?max_tokens`? exceed context limit/i,
  OpenAI: /maximum context length/i,
  "OpenAI Responses": /exceeds? the context window/i,
  "Google Gemini": /input (?:token|context) (?:count|size)[^\n]{0,80}exceeds/i,
  "Amazon Bedrock": /input is too long/i,
  "Amazon Titan": /too many input tokens/i,
  Groq: /reduce the length of (?:the|your) (?:messages|prompt|input)/i,
  Cerebras: /current length is \d{1,12} while limit is/i,
  // Its gateway refuses oversized bodies without any body of its own; SDKs spell that so.
  "Cerebras gateway": /^\s*4(?:00|13)\s{0,3}(?:status code)?\s{0,3}\(no body\)/i,
  "llama.cpp": /exceeds? the available context size/i,
  Ollama: /exceed(?:ed|s) (?:the )?(?:max(?:imum)? )?context length/i,
  "LM Studio": /context length of only|greater than the context length/i,
  "LM Studio (MLX)": /n_keep[^\n]{0,40}n_ctx|reached context length/i,
  vLLM: /longer than the maximum model length/i,
  SGLang: /longer than the model's context length/i,
  "Hugging Face TGI": /`?inputs`? (?:tokens )?(?:\+ `?max_new_tokens`? )?must (?:be|have) (?:<=|less than)/i,
  Mistral: /too large for model with \d{1,12} maximum context/i,
  Cohere: /too many tokens/i,
  Together: /context length[^\n]{0,40}exceed|exceed[^\n]{0,60}context (?:length|limit|size|window)/i,
  Fireworks: /prompt is too long|model maximum context/i,
  DeepSeek: /maximum context length/i,
  xAI: /maximum prompt length is \d/i,
  Moonshot: /exceeded model token limit|input token length too long/i,
  MiniMax: /context window exceeds limit/i,
  "z.ai": /prompt exceeds max(?:imum)? length|tokens? in (?:the )?request (?:is |are )?more than max/i,
  OpenRouter: /endpoint's maximum context length/i,
  "GitHub Copilot": /token count of \d{1,12} exceeds the limit of \d/i,
  "GitHub Models": /request body too large for/i,
  "Alibaba DashScope": /range of input length should be/i,
  "Cloudflare Workers AI": /exceeded this model context window limit/i,
  Volcengine: /total tokens of[^\n]{0,40}exceed/i,
  "Baidu Qianfan": /prompt tokens? (?:is |are )?too long|max input (?:characters|tokens)/i,
  "LiteLLM and other gateways":
    /context[ _-]?(?:length|window|size)[ _-]?(?:limit )?(?:was |is |has been )?exceeded|token limit exceeded/i
} as const satisfies { readonly [vendor: string]: RegExp }

/**
 * What a throttle says, even where it counts tokens ("ThrottlingException: Too many tokens, please wait before trying again").
 *
 * @stability experimental
 * @category data
 * @since 0.1.0
 */
export const notOverflow =
  /throttl|rate[ _-]?limit|please wait|\bper[ _-]?(?:second|minute|min|hour|day)\b|\b[tr]p[md]\b|quota exceeded/i
