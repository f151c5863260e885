/**
 * Any error of a call, written by any server: a client of that wire reads the same reason, status and delay again.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as fc from "fast-check"
import { decoderOf as clientDecoder } from "../decoder-of.ts"
import "../../seed.ts"
import * as LlmError from "../../../src/LlmError.ts"
import { type EncodedError } from "../../../src/protocol/Server.ts"
import { type Failing, refusal } from "../../../src/transport/Failing.ts"
import * as Framing from "../../../src/transport/Framing.ts"
import { reasonOf } from "../../../src/transport/Reasons.ts"
import { contextOf, names, wires } from "./wires.ts"

const failing: Failing = {
  scrub: (text) => text,
  named: (name) => name,
  described: String,
  error: (reason, requestId) =>
    new LlmError.LlmError({
      provider: "someone",
      model: "model-1",
      operation: "generate",
      requestId,
      reason,
      attempts: 1
    })
}

const readBack = ({ body, headers, status }: EncodedError): LlmError.LlmError => {
  const text = JSON.stringify(body)
  const web = new Response(text, { status, headers: { ...headers, "content-type": "application/json" } })
  const response = HttpClientResponse.fromWeb(HttpClientRequest.post("http://127.0.0.1/"), web)
  return refusal(response, text, false, 0, failing)
}

const provided = {
  Validation: LlmError.Validation,
  Authentication: LlmError.Authentication,
  PermissionDenied: LlmError.PermissionDenied,
  QuotaExhausted: LlmError.QuotaExhausted,
  RateLimit: LlmError.RateLimit,
  Overloaded: LlmError.Overloaded,
  NotFound: LlmError.NotFound,
  ContentPolicy: LlmError.ContentPolicy,
  Provider: LlmError.Provider
}

const tags = Object.keys(provided) as ReadonlyArray<keyof typeof provided>

/** Words that mean something to somebody, and words that mean nothing. */
const message = fc.oneof(
  fc.string({ minLength: 1, maxLength: 40 }).filter((text) => text.trim() !== ""),
  fc.constantFrom(
    "Overloaded",
    "Rate limit reached for requests. Please try again in 20ms.",
    "This model's maximum context length is 8192 tokens.",
    "You exceeded your current quota, please check your plan and billing details.",
    "The model `x` does not exist",
    "invalid x-api-key",
    "Permission denied",
    "Internal server error",
    "Blocked by our content policy"
  )
)

const delay = fc.option(
  fc.oneof(fc.integer({ min: 0, max: 90 }).map((s) => s * 1000), fc.integer({ min: 1, max: 5000 })),
  {
    nil: undefined
  }
)

/** The statuses that a reason comes with, by vendor. */
const statuses: { readonly [tag in keyof typeof provided]: ReadonlyArray<number> } = {
  Validation: [400, 422],
  Authentication: [401],
  PermissionDenied: [403],
  QuotaExhausted: [402, 429],
  RateLimit: [429],
  Overloaded: [503, 529],
  NotFound: [404],
  ContentPolicy: [400],
  Provider: [500, 502, 504, 408]
}

const errorOf = fc.constantFrom(...tags).chain((tag) =>
  fc.record({
    tag: fc.constant(tag),
    message,
    status: fc.option(fc.constantFrom(...statuses[tag]), { nil: undefined }),
    delay
  })
).map(({ delay, message, status, tag }) =>
  failing.error(
    new provided[tag]({
      message,
      ...(status === undefined ? undefined : { status }),
      ...(delay === undefined ? undefined : { retryAfter: Duration.millis(delay) })
    })
  )
)

const millisOf = (error: LlmError.LlmError) =>
  error.retryAfter === undefined ? undefined : Duration.toMillis(error.retryAfter)

/** Reasons of this side, and what a client is to read. */
const ownReasons: ReadonlyArray<readonly [LlmError.Reason, LlmError.ReasonTag]> = [
  [new LlmError.Network({ message: "The connection failed." }), "Provider"],
  [LlmError.timeout("firstToken", "1 second"), "Provider"],
  [new LlmError.IncompleteStream({ message: "The stream ended." }), "Provider"],
  [new LlmError.ResponseParse({ message: "Not JSON." }), "Provider"],
  [
    new LlmError.CircuitBreakerOpen({ message: "Open.", key: "k", retryAfter: Duration.seconds(3) }),
    "Overloaded"
  ],
  [new LlmError.QueueFull({ message: "Full.", retryAfter: Duration.seconds(3) }), "Overloaded"],
  [new LlmError.BudgetExceeded({ message: "Spent.", scope: "s", limit: 1, spent: 2 }), "QuotaExhausted"],
  [new LlmError.Configuration({ message: "No such thing." }), "Provider"],
  [
    new LlmError.FallbackExhausted({
      message: "All failed.",
      attempts: [
        { provider: "a", model: "m", reason: "Authentication", isRetryable: false },
        { provider: "b", model: "m", reason: "RateLimit", isRetryable: true }
      ],
      retryAfter: Duration.seconds(7)
    }),
    "RateLimit"
  ]
]

describe.each(names)("%s: errors in both directions", (kind) => {
  const { client, server } = wires[kind]!
  const context = contextOf({ method: "POST", path: "/", query: new URLSearchParams("alt=sse"), headers: {}, body: {} })

  it("keeps reason, status and delay", () => {
    fc.assert(
      fc.property(errorOf, (error) => {
        const read = readBack(server.encodeError(error, context))
        assert.strictEqual(read.reason._tag, error.reason._tag)
        assert.strictEqual(read.isRetryable, error.isRetryable)
        if (error.retryAfter !== undefined) assert.strictEqual(millisOf(read), millisOf(error))
        const { status } = error.reason as { readonly status?: number }
        if (status !== undefined) assert.strictEqual((read.reason as { readonly status?: number }).status, status)
      }),
      { numRuns: 200 }
    )
  })

  it("tells a full context as one", () => {
    const error = failing.error(new LlmError.ContextLength({ message: "Too much.", kind: "tokens", status: 400 }))
    assert.strictEqual(readBack(server.encodeError(error, context)).reason._tag, "ContextLength")
  })

  it.each(ownReasons.map(([reason, tag]) => [reason._tag, tag, reason] as const))(
    "tells %s as %s, retryable or not as it is",
    (_, tag, reason) => {
      const error = failing.error(reason)
      const read = readBack(server.encodeError(error, context))
      assert.strictEqual(read.reason._tag, tag)
      assert.strictEqual(read.isRetryable, tag === "QuotaExhausted" ? false : error.isRetryable)
      if (error.retryAfter !== undefined) assert.strictEqual(millisOf(read), millisOf(error))
    }
  )

  it("ends a stream with the reason, after content too", () => {
    // What has no type in a frame is told by its text.
    const spoken = kind === "ollama" || kind === "cohere"
    const told = spoken ? tags.filter((tag) => tag !== "Validation") : tags
    for (const tag of told) {
      const error = failing.error(new provided[tag]({ message: "So it is." }))
      const decoder = clientDecoder(client, {
        wire: client.wire,
        provider: "someone",
        model: "model-1",
        warnings: [],
        idSeed: "s",
        includeRaw: false
      })
      const framing = Framing.make(client.framing, decoder)
      const encoder = server.answerEncoder(context)
      const frames = [
        ...encoder.add({ _tag: "ResponseStart", id: "answer-1", model: "model-1" }),
        ...encoder.add({ _tag: "TextStart", index: 0 }),
        ...encoder.add({ _tag: "TextDelta", index: 0, text: "Well" })
      ]
      const last = server.encodeStreamError(error, context, frames.length)
      for (const data of [...frames.map(({ data }) => data), last]) {
        framing.push(typeof data === "string" ? new TextEncoder().encode(data) : data)
      }
      framing.end()
      const { failure } = decoder.assembler
      assert.isDefined(failure, tag)
      assert.strictEqual(reasonOf(failure, { scrub: failing.scrub })._tag, tag)
    }
  })
})
