/**
 * The rules that turn a provider's failure into a reason, in the order in which they are asked; the first that matches wins.
 *
 * Data only: statuses, names (types and codes), texts. Matching is `classify` in `ErrorMap.ts`. The order matters and is
 * this: no credit, no capacity, size, throttle, overflow, content, credential, model, permission, then statuses. A name
 * that says what happened beats a text, a text beats a bare status, and 402, 413, 429 and 401 speak for themselves.
 *
 * @since 0.1.0
 */
import type { ReasonTag } from "../../LlmError.ts"
import { notOverflow, overflowPatterns } from "./ContextOverflow.ts"
import { byteNames, bytePatterns, mediaNames, mediaPatterns, notMedia } from "./Overflow.ts"

/**
 * The reasons that a provider's answer can give.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export type ProviderReasonTag = Extract<
  ReasonTag,
  | "Validation"
  | "Authentication"
  | "PermissionDenied"
  | "QuotaExhausted"
  | "RateLimit"
  | "Overloaded"
  | "NotFound"
  | "ContextLength"
  | "ContentPolicy"
  | "Provider"
>

/**
 * One rule. All conditions that it states must hold.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Rule {
  /** Tag of the reason that a match becomes. */
  readonly reason: ProviderReasonTag
  /** HTTP statuses, single or as ranges; 0 stands for "no status", as in a stream. Absent: any. */
  readonly status?: ReadonlyArray<number | readonly [number, number]>
  /** Types or codes, compared without case and punctuation. */
  readonly names?: ReadonlyArray<string>
  /** Patterns of the message, one of which must match. @default any message */
  readonly text?: ReadonlyArray<RegExp>
  /** Texts to which the rule does not apply. */
  readonly unless?: RegExp
}

const none = 0
const clientErrors = [400, 499] as const
const serverErrors = [500, 599] as const

/**
 * The rules, first match wins.
 *
 * @stability experimental
 * @category data
 * @since 0.1.0
 */
export const rules: ReadonlyArray<Rule> = [
  {
    // A plan without the long window: no wait helps, a shorter conversation does, and short ones are still served.
    // https://github.com/anthropics/claude-code/issues/42616
    reason: "ContextLength",
    status: [none, 400, 402, 403, 429],
    text: [/extra usage is required for (?:long context|1m context)/i]
  },
  // ---------------------------------------------------------------------------
  // No credit: before throttles, because it comes as 429 too
  // ---------------------------------------------------------------------------
  {
    reason: "QuotaExhausted",
    names: [
      "insufficient_quota",
      "insufficient_balance",
      "insufficient_funds",
      "insufficient_credits",
      "insufficient_user_quota",
      "exceeded_current_quota_error",
      "billing_error",
      "billing_hard_limit_reached",
      "billing_not_active",
      "BILLING_DISABLED",
      "quota_exceeded",
      "quota_exhausted",
      "usage_limit_reached",
      "usage_not_included",
      "payment_required",
      "credits_exhausted",
      "spending_limit_exceeded",
      "Arrearage",
      "AllocationQuota.FreeTierOnly",
      "CommodityNotPurchased",
      "PrepaidBillOverdue",
      "PostpaidBillOverdue",
      "AccountOverdueError",
      "ServiceQuotaExceededException",
      // z.ai: in arrears, daily limit, usage limit of the plan, plan expired, weekly limit. https://docs.z.ai/api-reference/api-code
      "1113",
      "1304",
      "1308",
      "1309",
      "1310",
      // MiniMax: balance, plan usage. https://platform.minimax.io/docs/api-reference/errorcode
      "1008",
      "2056",
      // Workers AI: daily free allocation. https://developers.cloudflare.com/workers-ai/platform/errors/
      "3036"
    ]
  },
  {
    // Gemini words a per-minute throttle as a quota; it then names the wait. A limit of 0 or per day is a real quota.
    reason: "RateLimit",
    status: [none, 429],
    text: [/quota[\s\S]{0,2000}retry in \d/i],
    unless: /limit: 0\b|per ?day/i
  },
  {
    reason: "QuotaExhausted",
    status: [none, 400, 401, 402, 403, 412, 429],
    text: [
      /insufficient[_ ](?:account |wallet |user )?(?:balance|credits?|funds|quota)/i,
      /credit balance is too low/i,
      /(?:balance|wallet)[^.\n]{0,40}(?:too low|insufficient|not enough|exhausted)/i,
      /exceeded (?:your|its|the) (?:current |monthly |included )?(?:token )?(?:quota|included credits|monthly included)/i,
      /check your (?:account balance|plan and billing)/i,
      /(?:reached|exceeded|hit)\b[^.\n]{0,40}\b(?:spending|spend|usage|billing|budget|credit|monthly) (?:limit|cap|quota)/i,
      /(?:spending|spend|usage|billing|budget|credit) (?:hard |soft )?(?:limit|cap)s? (?:has been |have been |was )?(?:reached|exceeded|hit)/i,
      /(?:run|ran) out of (?:credits|funds|quota)|out of (?:credits|call volume quota)/i,
      /used (?:up )?(?:all|your)[^.\n]{0,30}(?:credits|free allocation|quota)/i,
      /(?:not enough|no remaining|(?:does not|doesn't|don't) have (?:any|enough)) credits/i,
      /never purchased credits|requires more credits|purchase more credits/i,
      /free (?:tier|quota)[^.\n]{0,40}exhausted/i,
      /\barrears\b|please (?:recharge|top[- ]?up)|payment (?:is )?required|overdue (?:payment|balance|bill)/i,
      /quota[\s\S]{0,400}limit: 0\b/i,
      // Cohere's trial keys; their limit per minute is a throttle.
      /\d API calls \/ month/i
    ],
    unless: /\bper[ _-]?(?:second|minute|min)\b|\b[tr]pm\b/i
  },
  { reason: "QuotaExhausted", status: [402] },

  // ---------------------------------------------------------------------------
  // No capacity
  // ---------------------------------------------------------------------------
  {
    reason: "Overloaded",
    names: [
      "overloaded_error",
      "overloaded",
      "engine_overloaded_error",
      "engine_overloaded",
      "server_overloaded",
      "server_is_overloaded",
      "model_overloaded",
      "slow_down",
      "capacity_exceeded",
      "service_tier_capacity_exceeded",
      "no_capacity",
      "insufficient_system_resource",
      "service_unavailable",
      "service_unavailable_error",
      "ServiceUnavailableException",
      "ModelNotReadyException",
      "UNAVAILABLE",
      // Mistral, z.ai (high traffic), Workers AI (out of capacity)
      "3505",
      "1312",
      "3040"
    ]
  },
  {
    reason: "Overloaded",
    status: [none, 429, 498, serverErrors],
    text: [
      /\boverload(?:ed)?\b/i,
      /\b(?:at|exceed(?:s|ed)?|over|out of|no|insufficient|limited) (?:available )?capacity\b/i,
      /\bcapacity (?:is |has been |was )?(?:exceeded|exhausted|reached|constraints?)\b/i,
      /(?:server|model|service|engine|system) is (?:currently |too |very )?busy/i,
      /\bserver busy\b|\bpending requests exceeded/i,
      /(?:experiencing|due to|under) (?:high|heavy|unusually high|exceptionally high) (?:demand|load|traffic)/i,
      /insufficient (?:system )?resources?|not enough resources/i,
      /model is (?:not ready|(?:currently )?loading)/i
    ]
  },

  // ---------------------------------------------------------------------------
  // Size, by name or status
  // ---------------------------------------------------------------------------
  { reason: "ContextLength", status: [none, 400, 413, 422], names: mediaNames },
  { reason: "ContextLength", status: [none, 400, 413, 422], text: mediaPatterns, unless: notMedia },
  {
    // The limit of a name or description is no matter of the conversation's size: https://github.com/rusiaaman/wcgw/issues/51
    reason: "Validation",
    status: [none, 400, 422],
    names: ["string_above_max_length"],
    text: [/'(?:tools|functions|metadata|user|safety_identifier|prompt_cache_key|response_format|text)\b/]
  },
  { reason: "ContextLength", status: [none, 400, 413, 422], text: bytePatterns, unless: notOverflow },
  {
    reason: "ContextLength",
    status: [none, 400, 413, 414, 422, serverErrors],
    names: [
      ...byteNames,
      "context_length_exceeded",
      "context_window_exceeded",
      "model_context_window_exceeded",
      "ContextWindowExceededError",
      "exceed_context_size_error",
      "prompt_too_long",
      "input_too_long",
      "too_many_tokens",
      "tokens_limit_reached",
      "token_limit_exceeded",
      "model_max_prompt_tokens_exceeded",
      "max_message_tokens_exceeded",
      // z.ai
      "1261"
    ],
    unless: /please wait/i
  },
  { reason: "ContextLength", status: [413] },

  // ---------------------------------------------------------------------------
  // Throttle
  // ---------------------------------------------------------------------------
  {
    reason: "RateLimit",
    status: [none, clientErrors, 503],
    names: [
      "rate_limit_error",
      "rate_limit_exceeded",
      "rate_limit_exceeded_error",
      "rate_limit_reached_error",
      "rate_limited",
      "rate_limit",
      "RateLimitReached",
      "too_many_requests",
      "too_many_requests_error",
      "TooManyRequestsException",
      "ThrottlingException",
      "Throttling",
      "Throttling.RateQuota",
      "Throttling.AllocationQuota",
      "Throttling.BurstRate",
      "limit_requests",
      "limit_burst_rate",
      "RequestLimitExceeded",
      "RESOURCE_EXHAUSTED",
      "requests",
      "tokens",
      // Mistral; z.ai: concurrency, frequency, rate limit; MiniMax: tokens per minute, connections
      "1300",
      "1302",
      "1303",
      "1305",
      "1039",
      "1041"
    ]
  },
  // MiniMax's "rate limit" is z.ai's "invalid token", which comes with 401.
  { reason: "RateLimit", status: [none, 429], names: ["1002"] },
  { reason: "RateLimit", status: [429, 420] },

  // ---------------------------------------------------------------------------
  // Context overflow, by text
  // ---------------------------------------------------------------------------
  {
    reason: "ContextLength",
    status: [none, 400, 414, 422, 431, serverErrors],
    text: Object.values(overflowPatterns),
    unless: notOverflow
  },

  // ---------------------------------------------------------------------------
  // Content
  // ---------------------------------------------------------------------------
  {
    reason: "ContentPolicy",
    status: [none, clientErrors],
    names: [
      "content_filter",
      "content_filter_error",
      "content_policy_violation",
      "content_policy_violation_error",
      "content_blocked",
      "content_moderation",
      "moderation_blocked",
      "moderation_error",
      "responsible_ai_policy_violation",
      "data_inspection_failed",
      "sensitive_content",
      "SensitiveContentDetected",
      "InputTextSensitiveContentDetected",
      "OutputTextSensitiveContentDetected",
      "safety_violation",
      "SAFETY",
      "PROHIBITED_CONTENT",
      // z.ai; MiniMax: input, output
      "1301",
      "1026",
      "1027"
    ]
  },
  {
    reason: "ContentPolicy",
    status: [none, 400, 403, 421, 422, 451],
    text: [
      /content (?:management |filtering |usage )?polic(?:y|ies)|content filter(?:ing|ed)?\b/i,
      /(?:violat|against)[^.\n]{0,60}(?:usage (?:policy|policies|guidelines)|safety|responsible ai|terms of (?:use|service))/i,
      /responsible ai/i,
      /(?:input|prompt|request|content|message|output)[^.\n]{0,40}\bflagged\b/i,
      /rejected[^.\n]{0,40}(?:safety system|high risk)|considered high risk/i,
      /(?:inappropriate|unsafe|sensitive|prohibited|harmful) (?:or (?:unsafe|sensitive|inappropriate|harmful) )?(?:content|words|data)/i,
      /content exists risk/i,
      /blocked (?:by|due to|for)[^.\n]{0,30}(?:safety|moderation|guardrail)/i,
      /for safety reasons/i
    ]
  },

  // ---------------------------------------------------------------------------
  // Credential
  // ---------------------------------------------------------------------------
  {
    reason: "PermissionDenied",
    status: [401],
    text: [/missing scopes|insufficient permissions/i]
  },
  {
    reason: "Authentication",
    status: [none, 400, 401, 403],
    names: [
      "authentication_error",
      "invalid_api_key",
      "incorrect_api_key",
      "API_KEY_INVALID",
      "invalid_authentication_error",
      "incorrect_api_key_error",
      "UNAUTHENTICATED",
      "unauthorized",
      "invalid_token",
      "token_expired",
      "account_deactivated",
      "UnrecognizedClientException",
      "InvalidSignatureException",
      "SignatureDoesNotMatch",
      "IncompleteSignature",
      "ExpiredTokenException",
      "ExpiredToken",
      "MissingAuthenticationTokenException",
      "InvalidClientTokenId",
      // MiniMax
      "1004",
      "2049"
    ]
  },
  {
    reason: "Authentication",
    status: [none, 400, 403],
    text: [
      /(?:invalid|incorrect|missing|malformed|expired|wrong|no)\b[^.\n]{0,20}\b(?:api[ _-]?key|apikey|access token|(?:auth|authentication|authorization) (?:token|header|credentials)|credentials)\b/i,
      /api[ _-]?key (?:is )?(?:not valid|invalid|missing|expired|not found|required|was reported)/i,
      /security token included in the request is (?:invalid|expired)/i,
      /could not (?:parse|validate|verify)[^.\n]{0,20}(?:token|credentials|key)/i,
      /unregistered callers|authentication (?:failed|fails|failure|required|is required)|not authenticated|unauthenticated/i
    ]
  },
  { reason: "Authentication", status: [401, 407] },

  // ---------------------------------------------------------------------------
  // Model
  // ---------------------------------------------------------------------------
  {
    reason: "NotFound",
    status: [none, 400, 404, 410, 422],
    names: [
      "not_found_error",
      "not_found",
      "model_not_found",
      "model_not_exist",
      "resource_not_found_error",
      "ResourceNotFoundException",
      "DeploymentNotFound",
      "InvalidEndpointOrModel.NotFound",
      "invalid_model",
      "model_decommissioned",
      // z.ai: model, interface. Workers AI: model (two codes). Mistral: model.
      "1211",
      "1222",
      "5007",
      "3042",
      "1500"
    ]
  },
  {
    reason: "NotFound",
    status: [none, 400, 422],
    text: [
      /\bmodels?\b[^\n]{0,100}(?:not found|does not exist|doesn't exist|not exist|is not available|was removed|decommissioned)/i,
      /(?:unknown|no such|invalid) model\b(?! (?:output|input|parameter|argument|response))/i,
      /model identifier is invalid|not a valid model id|no models? (?:is |are )?loaded|no endpoints found/i
    ]
  },

  // ---------------------------------------------------------------------------
  // Permission
  // ---------------------------------------------------------------------------
  {
    reason: "PermissionDenied",
    status: [none, 400, 403, 412],
    names: [
      "permission_error",
      "permission_denied",
      "permission_denied_error",
      "AccessDeniedException",
      "access_denied",
      "access_terminated_error",
      "Model.AccessDenied",
      "unsupported_country_region_territory",
      "forbidden",
      // z.ai
      "1220"
    ]
  },
  {
    reason: "PermissionDenied",
    status: [none, 400, 412],
    text: [
      /user location is not supported|not (?:supported|available) in your (?:country|region)/i,
      /permission denied|access denied|access is denied|(?:don't|do not|doesn't|does not) have (?:permission|access)/i,
      /not (?:authorized|authorised|permitted) to\b|account (?:is|has been) (?:suspended|disabled|deactivated)/i
    ]
  },
  { reason: "PermissionDenied", status: [403] },
  { reason: "NotFound", status: [404, 410] },

  // ---------------------------------------------------------------------------
  // Statuses
  // ---------------------------------------------------------------------------
  // Timeouts and conflicts on the provider's side: its own failure, retryable by status.
  { reason: "Provider", status: [408, 409, 424, 425, 499] },
  // A proxy that cannot reach its backend says 503 too, and that is no statement about capacity.
  { reason: "Provider", status: [503], text: [/upstream connect error|connection refused|internal server error/i] },
  // Cohere says 498 when a request or response contains a deny-listed token, Groq when it has no flex capacity.
  { reason: "ContentPolicy", status: [498], text: [/\btokens?\b|\bblocked\b/i] },
  { reason: "Overloaded", status: [498, 503, 529] },
  { reason: "Provider", status: [serverErrors] },
  {
    reason: "Validation",
    status: [none],
    names: [
      "invalid_request_error",
      "invalid_request",
      "invalid_argument",
      "invalid_value",
      "invalid_prompt",
      "invalid_image",
      "InvalidParameter",
      "missing_required_parameter",
      "unsupported_parameter",
      "unsupported_value",
      "BadRequestError",
      "bad_request",
      "UnprocessableEntityError",
      "FAILED_PRECONDITION",
      "OUT_OF_RANGE",
      "ValidationException",
      "validation_error",
      // z.ai; MiniMax
      "1210",
      "1213",
      "1214",
      "1215",
      "2013"
    ]
  },
  { reason: "Validation", status: [clientErrors] },
  { reason: "RateLimit", status: [none], text: [/rate[ _-]?limit|too many (?:requests|tokens)|throttl/i] }
]
