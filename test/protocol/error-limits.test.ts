/**
 * Which limits free up soon and which do not, and which of three things was too much: tokens, bytes or a medium.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as fc from "fast-check"
import * as LlmError from "../../src/LlmError.ts"
import { defaultRoutes, routeOf } from "../../src/policy/candidates/routes.ts"
import { classify, errorTable, overflowIn, overflowTexts, readErrorBody } from "../../src/protocol/ErrorMap.ts"
import type { Failure } from "../../src/protocol/Protocol.ts"
import { reasonOf } from "../../src/transport/Reasons.ts"

const said = "You exceeded your current quota, please check your plan and billing details."

/** Google's error with the details it sends. */
const google = (details: ReadonlyArray<unknown>, message = said) => ({
  error: { code: 429, message, status: "RESOURCE_EXHAUSTED", details }
})

const violation = (quotaId: string, more: object = {}) => ({
  "@type": "type.googleapis.com/google.rpc.QuotaFailure",
  violations: [{
    quotaMetric: "generativelanguage.googleapis.com/generate_content_free_tier_requests",
    quotaId,
    ...more
  }]
})

const retry = (retryDelay: string) => ({ "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay })

const info = (metadata: object) => ({
  "@type": "type.googleapis.com/google.rpc.ErrorInfo",
  reason: "RATE_LIMIT_EXCEEDED",
  domain: "googleapis.com",
  metadata
})

const perMinute = "GenerateRequestsPerMinutePerProjectPerModel-FreeTier"
const perDay = "GenerateRequestsPerDayPerProjectPerModel-FreeTier"

/** How bodies come: by itself, in a list, as text inside a message, and as what a gateway says of its upstream. */
const wrappings: ReadonlyArray<readonly [string, (body: unknown) => unknown]> = [
  ["by itself", (body) => body],
  ["in a list, as the OpenAI-compatible endpoint sends it", (body) => [body]],
  ["as text inside a message", (body) => ({ error: { message: JSON.stringify(body), code: 429 } })],
  ["as a gateway's raw upstream error", (body) => ({
    error: {
      message: "Provider returned error",
      code: 429,
      metadata: { raw: JSON.stringify(body), provider_name: "Google AI Studio" }
    }
  })],
  ["inside a longer message", (body) => ({
    error: { message: `litellm.RateLimitError: GeminiException - ${JSON.stringify(body)}`, code: "429" }
  })]
]

const reasonFor = (body: unknown) => classify({ status: 429, ...readErrorBody(body)!, body: JSON.stringify(body) })

describe("limits that Google names in details", () => {
  const cases: ReadonlyArray<readonly [string, unknown, string]> = [
    ["a quota per minute with a delay", google([violation(perMinute), retry("37s")]), "RateLimit"],
    [
      "a quota of tokens per minute",
      google([violation("GenerateContentInputTokensPerModelPerMinute-FreeTier")]),
      "RateLimit"
    ],
    ["a quota per day", google([violation(perDay)]), "QuotaExhausted"],
    ["a quota per day with a delay of seconds", google([violation(perDay), retry("7s")]), "QuotaExhausted"],
    ["quotas per minute and per day", google([violation(perMinute), violation(perDay), retry("7s")]), "QuotaExhausted"],
    ["a quota of nothing", google([violation(perMinute, { quotaValue: "0" }), retry("7s")]), "QuotaExhausted"],
    [
      "Vertex's limit per minute",
      google([info({ quota_limit: "RequestsPerMinutePerProject", quota_unit: "1/min/{project}" })], "Quota exceeded."),
      "RateLimit"
    ],
    [
      "Vertex's limit per day",
      google([info({ quota_unit: "1/d/{project}", quota_limit: "RequestsPerDayPerProject" })], "Quota exceeded."),
      "QuotaExhausted"
    ]
  ]
  for (const [name, body, expected] of cases) {
    for (const [how, wrap] of wrappings) {
      it(`takes ${name}, ${how}, for ${expected}`, () => assert.strictEqual(reasonFor(wrap(body)), expected))
    }
  }

  it("takes a delay of seconds without any quota for RateLimit, and no details at all for QuotaExhausted", () => {
    assert.strictEqual(reasonFor(google([retry("37s")])), "RateLimit")
    assert.strictEqual(reasonFor(google([])), "QuotaExhausted")
  })

  it("gives every wire the same reason, in a stream too", () => {
    assert.strictEqual(classify(readErrorBody(google([violation(perMinute), retry("37s")]))!), "RateLimit")
    assert.strictEqual(classify(readErrorBody(google([violation(perDay), retry("37s")]))!), "QuotaExhausted")
  })

  it("reads the reason of a key that is not valid from its details", () => {
    const body = {
      error: {
        code: 400,
        message: "The request is not acceptable.",
        status: "INVALID_ARGUMENT",
        details: [{ "@type": "type.googleapis.com/google.rpc.ErrorInfo", reason: "API_KEY_INVALID" }]
      }
    }
    assert.strictEqual(classify({ status: 400, ...readErrorBody(body)! }), "Authentication")
  })
})

describe("limits that others name in words", () => {
  const cases: ReadonlyArray<readonly [string, string]> = [
    ["Rate limit reached on tokens per minute (TPM): Limit 6000, Used 5000, Requested 2000.", "RateLimit"],
    ["Rate limit reached on tokens per day (TPD): Limit 100000. Please try again in 9m38.016s.", "QuotaExhausted"],
    ["Rate limit reached on requests per day (RPD): Limit 200. Please try again in 8.64s.", "RateLimit"],
    ["Rate limit reached for requests (RPD).", "QuotaExhausted"],
    ["Number of requests has exceeded your daily rate limit.", "QuotaExhausted"],
    ["Requests per day limit exceeded - too many requests processed.", "QuotaExhausted"],
    ["Requests per hour limit exceeded.", "RateLimit"],
    ["You have exceeded your monthly limit.", "QuotaExhausted"],
    ["Weekly rate limit exceeded.", "QuotaExhausted"],
    [
      "Rate limit of 150 per 86400s exceeded for UserByModelByDay. Please wait 4567 seconds before retrying.",
      "QuotaExhausted"
    ],
    ["Rate limit of 10 per 60s exceeded for UserByModelByMinute. Please wait 12 seconds before retrying.", "RateLimit"],
    ["Rate limit exceeded: free-models-per-min. Add 10 credits to unlock 1000 requests per day", "RateLimit"],
    ["Rate limit exceeded: free-models-per-day-high-balance.", "QuotaExhausted"],
    ["Too many requests.", "RateLimit"]
  ]
  for (const [message, expected] of cases) {
    it(`takes "${message}" for ${expected}`, () => {
      assert.strictEqual(classify({ status: 429, code: "rate_limit_exceeded", message }), expected)
    })
  }

  const reasonWith = (failure: Omit<Failure, "kind">, retryAfter?: Duration.Duration) =>
    reasonOf({ kind: "provider", ...failure }, { scrub: (text) => text, retryAfter })

  it("goes by the delay in the headers before that in the text", () => {
    const message = "Daily rate limit reached."
    assert.strictEqual(reasonWith({ status: 429, message }, Duration.seconds(20))._tag, "RateLimit")
    const spent = reasonWith({ status: 429, message }, Duration.hours(3))
    assert.strictEqual(spent._tag, "QuotaExhausted")
    assert.isFalse(spent.isRetryable)
    assert.deepStrictEqual((spent as LlmError.QuotaExhausted).retryAfter, Duration.hours(3))
  })

  it("leaves an empty account what it is, whatever delay comes with it", () => {
    const message = "Insufficient balance, please recharge."
    assert.strictEqual(
      reasonWith({ status: 429, message, retryAfterMillis: 1000 }, Duration.seconds(1))._tag,
      "QuotaExhausted"
    )
  })
})

describe("overflow", () => {
  for (const row of errorTable.filter(({ reason }) => reason === "ContextLength")) {
    it(`knows that ${row.provider}'s "${row.message.slice(0, 60)}" is of ${row.kind}`, () => {
      assert.strictEqual(overflowIn(row).kind, row.kind)
    })
  }

  const amounts: ReadonlyArray<
    readonly [string, "tokens" | "bytes" | "media", number | undefined, number | undefined]
  > = [
    ["prompt is too long: 208310 tokens > 200000 maximum", "tokens", 200_000, 208_310],
    [
      "input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000, decrease input length",
      "tokens",
      200_000,
      210_000
    ],
    [
      "This model's maximum context length is 128000 tokens. However, your messages resulted in 130001 tokens.",
      "tokens",
      128_000,
      130_001
    ],
    [
      "The input token count (1200000) exceeds the maximum number of tokens allowed (1048575).",
      "tokens",
      1_048_575,
      1_200_000
    ],
    ["Too many input tokens. Max input tokens: 8192, request input token count: 9001", "tokens", 8192, 9001],
    ["Current length is 9001 while limit is 8192", "tokens", 8192, 9001],
    ["The decoder prompt (length 5000) is longer than the maximum model length of 4096.", "tokens", 4096, 5000],
    ["The input (5000 tokens) is longer than the model's context length (4096 tokens).", "tokens", 4096, 5000],
    [
      "Prompt contains 40000 tokens and 0 draft tokens, too large for model with 32768 maximum context length",
      "tokens",
      32_768,
      40_000
    ],
    ["The total number of tokens exceeds the model context limit of 32769", "tokens", 32_769, undefined],
    ["The prompt is too long: 140000, model maximum context length: 131071", "tokens", 131_071, 140_000],
    [
      "This model's maximum prompt length is 131072 but the request contains 140000 tokens.",
      "tokens",
      131_072,
      140_000
    ],
    ["Your request exceeded model token limit: 262144 (requested: 270000)", "tokens", 262_144, 270_000],
    [
      "This endpoint's maximum context length is 131072 tokens. However, you requested about 140000 tokens.",
      "tokens",
      131_072,
      140_000
    ],
    ["prompt token count of 140000 exceeds the limit of 128000", "tokens", 128_000, 140_000],
    ["Request body too large for gpt-4o model. Max size: 8000 tokens.", "tokens", 8000, undefined],
    ["Range of input length should be [1, 98304]", "tokens", 98_304, undefined],
    ["Cannot truncate prompt with n_keep (9000) >= n_ctx (4096)", "tokens", 4096, 9000],
    ["Request too large for model on tokens per minute (TPM): Limit 6000, Requested 9000.", "tokens", 6000, 9000],
    ["tokens in request more than max tokens allowed", "tokens", undefined, undefined],
    ["Extra usage is required for long context requests.", "tokens", undefined, undefined],
    ["Request payload size exceeds the limit: 20971520 bytes.", "bytes", 20_971_520, undefined],
    ["Maximum content size limit (26214400) exceeded (222592852 bytes read)", "bytes", 26_214_400, 222_592_852],
    ["Maximum request body size 1048576 exceeded, actual body size 1056562", "bytes", 1_048_576, 1_056_562],
    [
      "Invalid 'input[0].content': string too long. Expected a string with maximum length 10485760, but got a string with length 62114761 instead.",
      "bytes",
      10_485_760,
      62_114_761
    ],
    [
      "String value length (20054016) exceeds the maximum allowed (20000000, from a reader)",
      "bytes",
      20_000_000,
      20_054_016
    ],
    [
      "messages.0.content.1.image.source.base64: image exceeds 5 MB maximum: 6234567 bytes > 5242880 bytes",
      "media",
      5_242_880,
      6_234_567
    ],
    ["At least one of the image dimensions exceed max allowed size: 8000 pixels", "media", 8000, undefined],
    ["image exceeds the maximum of 4 MB", "media", 4 * 1024 * 1024, undefined],
    ["A maximum of 100 PDF pages may be provided.", "media", 100, undefined],
    ["messages: too many images and documents: 21 + 0 > 20", "media", 20, 21],
    ["You can't include more than 5 documents in a request.", "media", 5, undefined],
    ["At most 1 image(s) may be provided in one request.", "media", 1, undefined],
    ["Audio duration of 1800 seconds is longer than the maximum of 1500 seconds", "media", 1500, 1800]
  ]
  for (const [message, kind, limit, actual] of amounts) {
    it(`reads ${kind}, ${limit} and ${actual} from "${message.slice(0, 70)}"`, () => {
      const status = message.startsWith("Request too large") || message.startsWith("Maximum") ? 413 : 400
      const reason = reasonOf({ kind: "provider", status, message }, {
        scrub: (text) => text
      }) as LlmError.ContextLength
      assert.strictEqual(reason._tag, "ContextLength")
      assert.deepStrictEqual([reason.kind, reason.limit, reason.actual], [kind, limit, actual])
      assert.isFalse(reason.isRetryable)
    })
  }

  it("takes a bare 413 of any host or proxy for bytes", () => {
    for (const message of ["", "413 Request Entity Too Large", "Payload Too Large", "request entity too large"]) {
      assert.strictEqual(classify({ status: 413, message }), "ContextLength")
      assert.strictEqual(overflowIn({ status: 413, message }).kind, "bytes")
    }
  })

  it("reads what llama.cpp says in fields", () => {
    const body = JSON.stringify({
      error: {
        code: 400,
        type: "exceed_context_size_error",
        message: "the request exceeds the available context size",
        n_prompt_tokens: 5000,
        n_ctx: 4096
      }
    })
    assert.deepInclude(overflowIn({ status: 400, message: "the request exceeds the available context size", body }), {
      kind: "tokens",
      limit: 4096,
      actual: 5000
    })
  })

  it("does not take other complaints about media or lengths for an overflow", () => {
    for (
      const message of [
        "The PDF specified was not valid",
        "Unable to process input image",
        "image format is not supported, maximum compatibility is PNG",
        "max_tokens: 90000 > 8192, which is the maximum allowed number of output tokens",
        "Messages can't contain duplicate document names.",
        "Could not download the image"
      ]
    ) {
      assert.strictEqual(classify({ status: 400, type: "invalid_request_error", message }), "Validation", message)
    }
  })

  it("leads tokens to a larger window, bytes and media to the next candidate", () => {
    const route = (kind: LlmError.ContextLength["kind"]) =>
      routeOf(
        defaultRoutes,
        new LlmError.LlmError({
          provider: "p",
          model: "m",
          operation: "generate",
          attempts: 1,
          reason: new LlmError.ContextLength({ message: "", kind })
        })
      )
    assert.deepStrictEqual((["tokens", "bytes", "media"] as const).map(route), ["larger-window", "next", "next"])
  })

  it("never gives a limit that the text does not hold, and stays quick on hostile text", () => {
    fc.assert(fc.property(fc.string({ maxLength: 200 }), fc.nat(9_999_999), (text, n) => {
      const { actual, limit } = overflowIn({ status: 400, message: `${text} ${n}` })
      for (const value of [actual, limit]) assert.isTrue(value === undefined || Number.isSafeInteger(value))
    }))
    for (const { sample } of overflowTexts) assert.isDefined(overflowIn({ status: 400, message: sample.repeat(200) }))
  })
})
