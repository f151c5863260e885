/**
 * Documented errors of companies that serve their own models, clouds included.
 *
 * Data for tests and for the documentation. Samples are of the documented kind, with invented numbers and names.
 *
 * @since 0.1.0
 */
import type { ErrorTableRow } from "./ErrorRow.ts"
import { github, rowsOf } from "./ErrorRow.ts"

const no = undefined

/**
 * Rows of model makers.
 *
 * @stability experimental
 * @category data
 * @since 0.1.0
 */
export const labErrors: ReadonlyArray<ErrorTableRow> = [
  ...rowsOf("Anthropic", "https://docs.anthropic.com/en/api/errors", [
    [400, "invalid_request_error", no, "messages: roles must alternate", "Validation"],
    [400, "invalid_request_error", no, "Your credit balance is too low to access the Anthropic API.", "QuotaExhausted"],
    [400, "invalid_request_error", no, "You have reached your specified API usage limits.", "QuotaExhausted"],
    [400, "invalid_request_error", no, "Output blocked by content filtering policy", "ContentPolicy"],
    [
      400,
      "invalid_request_error",
      no,
      "max_tokens: 90000 > 8192, which is the maximum allowed number of output tokens",
      "Validation"
    ],
    [401, "authentication_error", no, "invalid x-api-key", "Authentication"],
    [402, "billing_error", no, "There is a problem with your billing information.", "QuotaExhausted"],
    [
      403,
      "permission_error",
      no,
      "Your API key does not have permission to use the specified resource.",
      "PermissionDenied"
    ],
    [404, "not_found_error", no, "model: claude-unknown", "NotFound"],
    [413, "request_too_large", no, "Request exceeds the maximum allowed number of bytes.", "ContextLength", "bytes"],
    [
      429,
      "rate_limit_error",
      no,
      "This request would exceed your organization's rate limit of 50,000 input tokens per minute.",
      "RateLimit"
    ],
    [500, "api_error", no, "Internal server error", "Provider"],
    [504, "timeout_error", no, "The request timed out while processing.", "Provider"],
    [529, "overloaded_error", no, "Overloaded", "Overloaded"],
    [no, "overloaded_error", no, "Overloaded", "Overloaded"],
    [no, "api_error", no, "Internal server error", "Provider"],
    [no, "invalid_request_error", no, "prompt is too long: 208310 tokens > 200000 maximum", "ContextLength"]
  ]),
  ...rowsOf("Anthropic", github("anthropics/anthropic-sdk-python/issues/938"), [
    [413, "request_too_large", no, "Request exceeds the maximum size", "ContextLength", "bytes"]
  ]),
  ...rowsOf("Anthropic", github("anthropics/claude-code/issues/5769"), [
    [429, "rate_limit_error", no, "This request would exceed the rate limit for your organization.", "RateLimit"]
  ]),
  ...rowsOf("Anthropic", github("anthropics/claude-code/issues/42616"), [
    [429, "rate_limit_error", no, "Extra usage is required for long context requests.", "ContextLength"]
  ]),
  ...rowsOf("Anthropic", "https://docs.anthropic.com/en/docs/build-with-claude/vision", [
    [
      400,
      "invalid_request_error",
      no,
      "messages.0.content.1.image.source.base64: image exceeds 5 MB maximum: 6234567 bytes > 5242880 bytes",
      "ContextLength",
      "media"
    ]
  ]),
  ...rowsOf("Anthropic", github("anthropics/claude-code/issues/4778"), [
    [
      400,
      "invalid_request_error",
      no,
      "messages.7.content.2.image.source.base64.data: At least one of the image dimensions exceed max allowed size: 8000 pixels",
      "ContextLength",
      "media"
    ]
  ]),
  ...rowsOf("Anthropic", github("anthropics/claude-code/issues/6231"), [
    [
      400,
      "invalid_request_error",
      no,
      "messages.3.content.0.pdf.source.base64.data: A maximum of 100 PDF pages may be provided.",
      "ContextLength",
      "media"
    ]
  ]),
  ...rowsOf("OpenAI", github("VectorlyApp/bluebox/issues/31"), [
    [
      400,
      "invalid_request_error",
      "string_above_max_length",
      "Invalid 'input[0].content': string too long. Expected a string with maximum length 10485760, but got a string with length 62114761 instead.",
      "ContextLength",
      "bytes"
    ]
  ]),
  ...rowsOf("OpenAI", github("rusiaaman/wcgw/issues/51"), [
    [
      400,
      "invalid_request_error",
      "string_above_max_length",
      "Invalid 'tools[5].function.description': string too long. Expected a string with maximum length 1024, but got a string with length 2357 instead.",
      "Validation"
    ]
  ]),
  ...rowsOf("OpenAI", github("chidiwilliams/buzz/issues/381"), [
    [
      413,
      "server_error",
      no,
      "Maximum content size limit (26214400) exceeded (222592852 bytes read)",
      "ContextLength",
      "bytes"
    ]
  ]),
  ...rowsOf("OpenAI", "https://platform.openai.com/docs/api-reference/responses/object#responses/object-error", [
    [no, no, "image_too_large", "The image is too large.", "ContextLength", "media"]
  ]),
  ...rowsOf("OpenAI", "https://platform.openai.com/docs/guides/error-codes", [
    [
      400,
      "invalid_request_error",
      "unsupported_parameter",
      "Unsupported parameter: 'max_tokens' is not supported with this model.",
      "Validation"
    ],
    [
      400,
      "invalid_request_error",
      "context_length_exceeded",
      "Your input exceeds the context window of this model.",
      "ContextLength"
    ],
    [
      400,
      "invalid_request_error",
      "content_policy_violation",
      "Your request was rejected as a result of our safety system.",
      "ContentPolicy"
    ],
    [
      400,
      "invalid_request_error",
      "invalid_prompt",
      "Invalid prompt: your prompt was flagged as potentially violating our usage policy.",
      "ContentPolicy"
    ],
    [401, "invalid_request_error", "invalid_api_key", "Incorrect API key provided: nothing.", "Authentication"],
    [
      401,
      "invalid_request_error",
      no,
      "You have insufficient permissions for this operation. Missing scopes: model.request",
      "PermissionDenied"
    ],
    [
      403,
      "request_forbidden",
      "unsupported_country_region_territory",
      "Country, region, or territory not supported",
      "PermissionDenied"
    ],
    [
      404,
      "invalid_request_error",
      "model_not_found",
      "The model `gpt-unknown` does not exist or you do not have access to it.",
      "NotFound"
    ],
    [409, "invalid_request_error", no, "The resource was updated by another request.", "Provider"],
    [429, "requests", "rate_limit_exceeded", "Rate limit reached for requests. Please try again in 20ms.", "RateLimit"],
    [
      429,
      "insufficient_quota",
      "insufficient_quota",
      "You exceeded your current quota, please check your plan and billing details.",
      "QuotaExhausted"
    ],
    [429, "billing_error", "billing_hard_limit_reached", "Billing hard limit has been reached", "QuotaExhausted"],
    [500, "server_error", no, "The server had an error while processing your request.", "Provider"],
    [503, "server_error", no, "The engine is currently overloaded, please try again later", "Overloaded"],
    [503, "server_error", "slow_down", "Slow Down", "Overloaded"],
    [
      no,
      "invalid_request_error",
      "rate_limit_exceeded",
      "Rate limit reached for tokens. Please try again in 2.5s.",
      "RateLimit"
    ],
    [no, no, "server_error", "The model produced an error.", "Provider"],
    [no, "insufficient_quota", "insufficient_quota", "You exceeded your current quota.", "QuotaExhausted"]
  ]),
  ...rowsOf("OpenAI", github("openai/openai-dotnet/issues/404"), [
    [
      429,
      "tokens",
      "rate_limit_exceeded",
      "Rate limit reached on tokens per day. Please try again in 114h18m0s.",
      "QuotaExhausted"
    ],
    [
      429,
      "requests",
      "rate_limit_exceeded",
      "Rate limit reached on requests per day (RPD): Limit 10000, Used 10000, Requested 1. Please try again in 8.64s.",
      "RateLimit"
    ]
  ]),
  ...rowsOf("Azure OpenAI", "https://learn.microsoft.com/azure/ai-services/openai/concepts/content-filter", [
    [
      400,
      no,
      "content_filter",
      "The response was filtered due to the prompt triggering our content management policy.",
      "ContentPolicy"
    ]
  ]),
  ...rowsOf("Azure OpenAI", github("openai/openai-dotnet/issues/838"), [
    [
      429,
      no,
      "429",
      "Requests have exceeded the call rate limit of your pricing tier. Please retry after 2 seconds.",
      "RateLimit"
    ]
  ]),
  ...rowsOf("Azure OpenAI", "https://learn.microsoft.com/azure/ai-services/openai/quotas-limits", [
    [403, no, "403", "Out of call volume quota. Quota will be replenished in 10 days.", "QuotaExhausted"],
    [404, no, "DeploymentNotFound", "The API deployment for this resource does not exist.", "NotFound"]
  ]),
  ...rowsOf("Google Gemini", "https://ai.google.dev/gemini-api/docs/troubleshooting", [
    [400, "INVALID_ARGUMENT", 400, "Request contains an invalid argument.", "Validation"],
    [400, "INVALID_ARGUMENT", 400, "API key not valid. Please pass a valid API key.", "Authentication"],
    [400, "FAILED_PRECONDITION", 400, "User location is not supported for the API use.", "PermissionDenied"],
    [403, "PERMISSION_DENIED", 403, "The caller does not have permission.", "PermissionDenied"],
    [404, "NOT_FOUND", 404, "models/gemini-unknown is not found for API version v1beta.", "NotFound"],
    [429, "RESOURCE_EXHAUSTED", 429, "Resource has been exhausted.", "RateLimit"],
    [500, "INTERNAL", 500, "An internal error has occurred.", "Provider"],
    [503, "UNAVAILABLE", 503, "The model is overloaded. Please try again later.", "Overloaded"],
    [504, "DEADLINE_EXCEEDED", 504, "Deadline expired before operation could complete.", "Provider"],
    [no, "UNAVAILABLE", 503, "The service is currently unavailable.", "Overloaded"],
    [no, "INTERNAL", 500, "An internal error has occurred.", "Provider"]
  ]),
  ...rowsOf("Google Gemini", "https://ai.google.dev/gemini-api/docs/rate-limits", [
    [
      429,
      "RESOURCE_EXHAUSTED",
      429,
      "You exceeded your current quota, please check your plan and billing details. Quota exceeded for metric: free_tier_requests, limit: 15. Please retry in 21.5s.",
      "RateLimit"
    ],
    [
      429,
      "RESOURCE_EXHAUSTED",
      429,
      "You exceeded your current quota, please check your plan and billing details. Quota exceeded for metric: free_tier_requests, limit: 0. Please retry in 21.5s.",
      "QuotaExhausted"
    ],
    [
      429,
      "RESOURCE_EXHAUSTED",
      429,
      "You exceeded your current quota, please check your plan and billing details.",
      "QuotaExhausted"
    ]
  ]),
  ...rowsOf("Google Gemini", github("google-gemini/deprecated-generative-ai-android/issues/26"), [
    [400, "INVALID_ARGUMENT", 400, "Request payload size exceeds the limit: 20971520 bytes.", "ContextLength", "bytes"]
  ]),
  ...rowsOf("Google Gemini", github("google-gemini/gemini-cli/issues/15745"), [
    [503, "UNAVAILABLE", 503, "The model is overloaded. Please try again later.", "Overloaded"]
  ]),
  ...rowsOf("Google Vertex AI", "https://cloud.google.com/vertex-ai/generative-ai/docs/error-code-429", [
    [429, "RESOURCE_EXHAUSTED", 429, "Resource exhausted. Please try again later.", "RateLimit"]
  ]),
  ...rowsOf("Google Vertex AI", "https://cloud.google.com/apis/design/errors", [
    [401, "UNAUTHENTICATED", 401, "Request had invalid authentication credentials.", "Authentication"],
    [409, "ABORTED", 409, "The operation was aborted.", "Provider"],
    [499, "CANCELLED", 499, "The operation was cancelled.", "Provider"]
  ]),
  ...rowsOf("Amazon Bedrock", "https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html", [
    [400, "ValidationException", no, "The provided model identifier is invalid.", "NotFound"],
    [400, "ValidationException", no, "This model doesn't support the stopSequences field.", "Validation"],
    [400, "ValidationException", no, "Input is too long for requested model.", "ContextLength"],
    [
      403,
      "AccessDeniedException",
      no,
      "You don't have access to the model with the specified model ID.",
      "PermissionDenied"
    ],
    [
      403,
      "UnrecognizedClientException",
      no,
      "The security token included in the request is invalid.",
      "Authentication"
    ],
    [
      404,
      "ResourceNotFoundException",
      no,
      "Could not resolve the foundation model from the model identifier.",
      "NotFound"
    ],
    [408, "ModelTimeoutException", no, "The model did not respond in time.", "Provider"],
    [424, "ModelErrorException", no, "The request failed due to an error while processing the model.", "Provider"],
    [429, "ThrottlingException", no, "Too many tokens, please wait before trying again.", "RateLimit"],
    [429, "ThrottlingException", no, "Too many tokens per day, please wait before trying again.", "QuotaExhausted"],
    [429, "ModelNotReadyException", no, "The model is not ready for inference.", "Overloaded"],
    [500, "InternalServerException", no, "The system encountered an unexpected error.", "Provider"],
    [503, "ServiceUnavailableException", no, "Bedrock is unable to process your request.", "Overloaded"],
    [no, "throttlingException", no, "Too many tokens, please wait before trying again.", "RateLimit"],
    [no, "modelStreamErrorException", no, "The stream of the model broke.", "Provider"],
    [no, "internalServerException", no, "The system encountered an unexpected error.", "Provider"],
    [no, "validationException", no, "The request is not valid.", "Validation"]
  ]),
  ...rowsOf("Amazon Bedrock", github("cline/cline/issues/1844"), [
    [400, "ValidationException", no, "messages: too many images and documents: 21 + 0 > 20", "ContextLength", "media"]
  ]),
  ...rowsOf("Amazon Bedrock", github("aws-samples/generative-ai-use-cases/issues/1685"), [
    [400, "ValidationException", no, "You can't include more than 5 documents in a request.", "ContextLength", "media"]
  ]),
  ...rowsOf("Mistral", github("cline/cline/issues/9085"), [
    [429, "rate_limited", "1300", "Rate limit exceeded", "RateLimit"]
  ]),
  ...rowsOf("Mistral", github("BerriAI/litellm/pull/25078"), [
    [503, "service_tier_capacity_exceeded", "3505", "Service tier capacity exceeded for this model.", "Overloaded"]
  ]),
  ...rowsOf("Mistral", github("continuedev/continue/issues/6185"), [
    [429, "invalid_request_error", no, "Service tier capacity exceeded for this model.", "Overloaded"]
  ]),
  ...rowsOf("Mistral", "https://docs.mistral.ai/", [
    [400, "invalid_model", "1500", "Invalid model: mistral-unknown", "NotFound"],
    [422, "invalid_request_error", no, "Input should be a valid list", "Validation"]
  ]),
  ...rowsOf("Cohere", "https://docs.cohere.com/reference/errors", [
    [400, "TOO_MANY_TOKENS", no, "too many tokens: size limit exceeded by 12 tokens.", "ContextLength"],
    [401, no, no, "invalid api token", "Authentication"],
    [402, no, no, "Please add or update your payment method to continue", "QuotaExhausted"],
    [404, no, no, "model 'command-unknown' not found", "NotFound"],
    [422, no, no, "invalid request: message must be at least 1 token long", "Validation"],
    [429, no, no, "You are using a Trial key, which is limited to 20 API calls / minute.", "RateLimit"],
    [
      429,
      no,
      no,
      "You are using a Trial key, which is limited to 1000 API calls / month.",
      "QuotaExhausted"
    ],
    [498, no, no, "invalid token", "ContentPolicy"],
    [499, no, no, "request cancelled", "Provider"],
    [503, no, no, "service unavailable", "Overloaded"]
  ]),
  ...rowsOf("Groq", "https://console.groq.com/docs/errors", [
    [400, "invalid_request_error", "tool_use_failed", "Failed to call a function.", "Validation"],
    [
      400,
      "invalid_request_error",
      "model_decommissioned",
      "The model `llama-old` has been decommissioned.",
      "NotFound"
    ],
    [
      413,
      "tokens",
      "rate_limit_exceeded",
      "Request too large for model on tokens per minute (TPM): Limit 6000, Requested 9000.",
      "ContextLength"
    ],
    [422, "invalid_request_error", no, "The request was well-formed but had semantic errors.", "Validation"],
    [
      429,
      "tokens",
      "rate_limit_exceeded",
      "Rate limit reached for model on tokens per minute (TPM). Please try again in 7.66s.",
      "RateLimit"
    ],
    [
      429,
      "tokens",
      "rate_limit_exceeded",
      "Rate limit reached for model `llama-3.3-70b-versatile` on tokens per day (TPD): Limit 100000, Used 97050, Requested 3619. Please try again in 9m38.016s.",
      "QuotaExhausted"
    ],
    [498, no, "capacity_exceeded", "Flex tier capacity exceeded.", "Overloaded"],
    [499, no, no, "Request Cancelled", "Provider"],
    [502, no, no, "Bad Gateway", "Provider"]
  ]),
  ...rowsOf("DeepSeek", "https://api-docs.deepseek.com/quick_start/error_codes", [
    [400, "invalid_request_error", "invalid_request_error", "Model Not Exist", "NotFound"],
    [400, "invalid_request_error", "invalid_request_error", "Content Exists Risk", "ContentPolicy"],
    [401, "authentication_error", "invalid_request_error", "Authentication Fails (no such user)", "Authentication"],
    [402, "unknown_error", "invalid_request_error", "Insufficient Balance", "QuotaExhausted"],
    [422, "invalid_request_error", no, "Invalid Parameters", "Validation"],
    [429, no, no, "Rate Limit Reached", "RateLimit"],
    [503, no, no, "Server Overloaded", "Overloaded"],
    [no, "insufficient_system_resource", no, "The request was interrupted.", "Overloaded"]
  ]),
  ...rowsOf("xAI", "https://docs.x.ai/docs/key-information/debugging", [
    [400, no, "Client specified an invalid argument", "Incorrect API key provided: nothing.", "Authentication"],
    [
      403,
      no,
      "The caller does not have permission to execute the specified operation",
      "Content violates usage guidelines.",
      "ContentPolicy"
    ],
    [
      429,
      no,
      "Some resource has been exhausted",
      "Your team has either used all available credits or reached its monthly spending limit.",
      "QuotaExhausted"
    ],
    [429, no, "Some resource has been exhausted", "Too many requests. Please slow down.", "RateLimit"]
  ]),
  ...rowsOf("Moonshot", github("MoonshotAI/Kimi-K2/issues/5"), [
    [429, "engine_overloaded_error", no, "The engine is currently overloaded, please try again later", "Overloaded"],
    [
      429,
      "rate_limit_reached_error",
      no,
      "Your account reached max concurrency: 1, please try again after 1 seconds",
      "RateLimit"
    ]
  ]),
  ...rowsOf("Moonshot", github("LLM-Red-Team/kimi-cc/issues/41"), [
    [
      403,
      "exceeded_current_quota_error",
      no,
      "Your account is suspended, please check your plan and billing details",
      "QuotaExhausted"
    ],
    [
      429,
      "exceeded_current_quota_error",
      no,
      "You exceeded your current token quota, please check your account balance",
      "QuotaExhausted"
    ]
  ]),
  ...rowsOf("Moonshot", "https://platform.moonshot.ai/docs", [
    [400, "content_filter", no, "The request was rejected because it was considered high risk", "ContentPolicy"],
    [401, "invalid_authentication_error", no, "Invalid Authentication", "Authentication"],
    [404, "resource_not_found_error", no, "Not found the model kimi-unknown or Permission denied", "NotFound"]
  ]),
  ...rowsOf("z.ai", "https://docs.z.ai/api-reference/api-code", [
    [400, no, "1210", "Incorrect API call parameters, please check the documentation", "Validation"],
    [400, no, "1210", "tokens in request more than max tokens allowed", "ContextLength"],
    [400, no, "1211", "Model does not exist, please check the model code", "NotFound"],
    [400, no, "1261", "Prompt exceeds max length", "ContextLength"],
    [400, no, "1301", "System detected potentially unsafe or sensitive content.", "ContentPolicy"],
    [401, no, "1002", "Invalid Authentication Token", "Authentication"],
    [429, no, "1113", "Insufficient balance or no resource package. Please recharge.", "QuotaExhausted"],
    [429, no, "1302", "High concurrency usage of this API, please reduce concurrency", "RateLimit"],
    [429, no, "1308", "Usage limit reached for 5 hour. Your limit will reset at 12:00", "QuotaExhausted"],
    [429, no, "1312", "This model is currently experiencing high traffic", "Overloaded"]
  ]),
  ...rowsOf("MiniMax", "https://platform.minimax.io/docs/api-reference/errorcode", [
    [no, no, 1000, "unknown error", "Provider"],
    [no, no, 1002, "rate limit", "RateLimit"],
    [no, no, 1004, "not authorized", "Authentication"],
    [no, no, 1008, "insufficient balance", "QuotaExhausted"],
    [no, no, 1026, "input new_sensitive", "ContentPolicy"],
    [no, no, 1039, "token limit", "RateLimit"],
    [no, no, 2013, "invalid params", "Validation"],
    [no, no, 2013, "invalid params, context window exceeds limit", "ContextLength"]
  ]),
  ...rowsOf("Alibaba DashScope", "https://www.alibabacloud.com/help/en/model-studio/error-code", [
    [400, no, "DataInspectionFailed", "Input data may contain inappropriate content.", "ContentPolicy"],
    [400, no, "Arrearage", "Access denied, please make sure your account is in good standing.", "QuotaExhausted"],
    [401, no, "InvalidApiKey", "Invalid API-key provided.", "Authentication"],
    [403, no, "AllocationQuota.FreeTierOnly", "The free tier of the model has been exhausted.", "QuotaExhausted"],
    [429, no, "Throttling.RateQuota", "Requests rate limit exceeded, please try again later.", "RateLimit"]
  ]),
  ...rowsOf("Xiaomi MiMo", "https://platform.xiaomimimo.com/docs/en-US/quick-start/error-codes", [
    [421, no, "421", "Content Filter: the content was blocked by moderation", "ContentPolicy"]
  ])
]
