import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as fc from "fast-check"
import { goDuration, rateLimits, requestId, requestIdHeaders, retryAfter } from "../../src/transport/RetryAfter.ts"

const now = Date.UTC(2031, 4, 6, 7, 8, 9)
const millis = (headers: Record<string, string | undefined>): number | undefined => {
  const delay = retryAfter(headers, now)
  return delay === undefined ? undefined : Duration.toMillis(delay)
}

describe("RetryAfter", () => {
  it("prefers retry-after-ms to every other header", () => {
    assert.strictEqual(
      millis({
        "retry-after-ms": "250",
        "retry-after": "9",
        "x-ratelimit-remaining-requests": "0",
        "x-ratelimit-reset-requests": "5s"
      }),
      250
    )
  })

  it("reads whole and fractional seconds", () => {
    assert.strictEqual(millis({ "retry-after": "7" }), 7000)
    assert.strictEqual(millis({ "Retry-After": " 1.5 " }), 1500)
    assert.strictEqual(millis({ "retry-after": "0" }), 0)
  })

  it("reads the three formats of HTTP dates, past ones as 0", () => {
    assert.strictEqual(millis({ "retry-after": "Tue, 06 May 2031 07:08:39 GMT" }), 30_000)
    assert.strictEqual(millis({ "retry-after": "Tuesday, 06-May-31 07:08:39 GMT" }), 30_000)
    assert.strictEqual(millis({ "retry-after": "Tue May  6 07:08:39 2031" }), 30_000)
    assert.strictEqual(millis({ "retry-after": "Sun, 06 Nov 1994 08:49:37 GMT" }), 0)
  })

  it("ignores negative, blank and unreadable values, and asks the next header", () => {
    for (const bad of ["-1", "", "soon", "NaN", "Infinity", "1e3", "0x10", "12abc", "Tue, 99 Foo 2031 99:99:99 GMT"]) {
      assert.isUndefined(millis({ "retry-after": bad }), bad)
      assert.strictEqual(millis({ "retry-after-ms": bad, "retry-after": "2" }), 2000)
    }
  })

  it("waits for the last of the exhausted limits and for no other", () => {
    assert.strictEqual(
      millis({
        "x-ratelimit-remaining-requests": "0",
        "x-ratelimit-reset-requests": "1m30.5s",
        "x-ratelimit-remaining-tokens": "0",
        "x-ratelimit-reset-tokens": "20ms",
        "x-ratelimit-remaining-images": "3",
        "x-ratelimit-reset-images": "6m0s"
      }),
      90_500
    )
  })

  it("takes no delay from limits that have something remaining", () => {
    assert.isUndefined(millis({ "x-ratelimit-remaining-requests": "14999", "x-ratelimit-reset-requests": "4ms" }))
  })

  it("takes the first reset when no header says what remains", () => {
    assert.strictEqual(millis({ "x-ratelimit-reset-requests": "12s", "x-ratelimit-reset-tokens": "3" }), 3000)
  })

  it("ignores limits of -1 and resets of 0, as Azure sends them", () => {
    assert.isUndefined(millis({ "x-ratelimit-remaining-requests": "-1", "x-ratelimit-reset-requests": "60" }))
    assert.isUndefined(millis({ "x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "0" }))
    assert.isUndefined(millis({ "x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "-1" }))
  })

  it("reads RFC 3339 resets of Anthropic's limits", () => {
    assert.strictEqual(
      millis({
        "anthropic-ratelimit-input-tokens-remaining": "0",
        "anthropic-ratelimit-input-tokens-reset": "2031-05-06T07:08:51Z"
      }),
      42_000
    )
  })

  it("counts Anthropic's subscription limit only when it rejected the request", () => {
    const reset = String(now / 1000 + 90)
    const headers = { "anthropic-ratelimit-unified-5h-reset": reset }
    assert.isUndefined(millis({ ...headers, "anthropic-ratelimit-unified-5h-status": "allowed" }))
    assert.strictEqual(millis({ ...headers, "anthropic-ratelimit-unified-5h-status": "rejected" }), 90_000)
  })

  it("reads resets given as moments in epoch milliseconds and seconds", () => {
    assert.strictEqual(millis({ "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": String(now + 5000) }), 5000)
    assert.strictEqual(millis({ "x-ratelimit-remaining": "0", "x-ratelimit-reset": String(now / 1000 + 5) }), 5000)
  })

  it("parses Go durations", () => {
    const cases: ReadonlyArray<readonly [string, number | undefined]> = [
      ["6m0s", 360_000],
      ["20ms", 20],
      ["1m30.5s", 90_500],
      ["114h18m0s", 411_480_000],
      ["1d2h", 93_600_000],
      ["500µs", 0.5],
      ["7.66s", 7660],
      [".5s", 500],
      ["0", 0],
      ["-5s", undefined],
      ["5", undefined],
      ["", undefined],
      ["s", undefined],
      ["5 s", undefined],
      ["5x", undefined]
    ]
    for (const [text, expected] of cases) assert.strictEqual(goDuration(text), expected, text)
  })

  it("collects rate limits by what they count", () => {
    assert.deepStrictEqual(
      rateLimits({
        "anthropic-ratelimit-requests-limit": "50",
        "anthropic-ratelimit-requests-remaining": "49",
        "anthropic-ratelimit-requests-reset": "2031-05-06T07:08:10Z",
        "anthropic-ratelimit-input-tokens-remaining": "1000",
        "anthropic-ratelimit-output-tokens-limit": "8000"
      }, now),
      {
        requests: { limit: 50, remaining: 49, resetMillis: 1000 },
        inputTokens: { remaining: 1000 },
        outputTokens: { limit: 8000 }
      }
    )
  })

  it("gives the shortest window of a limit, or the one that is exhausted", () => {
    const headers = {
      "x-ratelimit-remaining-requests-day": "700",
      "x-ratelimit-remaining-requests-minute": "7",
      "x-ratelimit-limit-tokens-minute": "5000"
    }
    assert.deepStrictEqual(rateLimits(headers, now), { requests: { remaining: 7 }, tokens: { limit: 5000 } })
    assert.deepStrictEqual(rateLimits({ ...headers, "x-ratelimit-remaining-requests-day": "0" }, now)?.requests, {
      remaining: 0
    })
  })

  it("knows no rate limits where none are sent", () => {
    assert.isUndefined(rateLimits({}, now))
    assert.isUndefined(rateLimits({ "content-type": "text/html", "x-ratelimit-limit-requests": "-1" }, now))
  })

  it("finds the request id in the documented order, the edge's ray last", () => {
    assert.strictEqual(requestId({ "cf-ray": "ray", "X-Request-Id": "one" }), "one")
    assert.strictEqual(requestId({ "cf-ray": "ray", "x-request-id": "  " }), "ray")
    assert.strictEqual(requestId({ "x-request-id": "one", "request-id": "two" }), "two")
    assert.isUndefined(requestId({ date: "now" }))
    assert.strictEqual(requestIdHeaders.at(-1), "cf-ray")
  })

  it("never throws and never gives a negative or infinite delay, whatever the headers", () => {
    const names = fc.constantFrom(
      "retry-after-ms",
      "retry-after",
      "x-ratelimit-remaining-requests",
      "x-ratelimit-reset-requests",
      "x-ratelimit-reset",
      "anthropic-ratelimit-tokens-reset",
      "anthropic-ratelimit-tokens-remaining",
      "__proto__"
    )
    const values = fc.oneof(
      fc.string(),
      fc.double().map(String),
      fc.integer().map(String),
      fc.date({ noInvalidDate: true }).map((date) => date.toUTCString()),
      fc.constantFrom("0", "-1", "6m0s", "9".repeat(400), "2031-99-99T99:99:99Z")
    )
    fc.assert(fc.property(fc.dictionary(names, values), (headers) => {
      const delay = millis(headers)
      assert.isTrue(delay === undefined || (delay >= 0 && Number.isFinite(delay)))
      for (const limit of Object.values(rateLimits(headers, now) ?? {})) {
        assert.isTrue(limit.resetMillis === undefined || limit.resetMillis >= 0)
      }
      requestId(headers)
    }))
    fc.assert(fc.property(fc.string(), (text) => {
      const value = goDuration(text)
      assert.isTrue(value === undefined || value >= 0)
    }))
  })
})
