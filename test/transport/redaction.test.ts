import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { cap, describeCause, makeScrubber, redactedHeaderNames } from "../../src/transport/secrets/Redaction.ts"

const secret = "pa$$/w\"rd+ü&key=7?"
const base64 = (text: string): string => Buffer.from(text, "utf8").toString("base64")
const encodings = (value: string): ReadonlyArray<string> => [
  value,
  encodeURIComponent(value.toWellFormed()),
  JSON.stringify(value).slice(1, -1),
  JSON.stringify(JSON.stringify(value)).slice(3, -3),
  base64(value),
  Buffer.from(value, "utf8").toString("base64url"),
  `Bearer ${value}`
]

describe("Redaction", () => {
  it("replaces a secret by value in every encoding", () => {
    const scrub = makeScrubber([secret])
    for (const form of encodings(secret)) {
      const out = scrub(`before ${form} after`)
      assert.isFalse(out.includes(form), form)
      assert.isTrue(out.startsWith("before ") && out.endsWith(" after"), out)
    }
    assert.strictEqual(scrub(secret), "<redacted>")
    assert.strictEqual(scrub(`Bearer ${secret}`), "<redacted>")
  })

  it("replaces a secret inside the base64 of something longer, wherever it stands", () => {
    const key = "plainkeywithoutanyform"
    const scrub = makeScrubber([key])
    for (const user of ["", "u:", "us:", "use:", "user:"]) {
      const encoded = base64(`${user}${key}:x`)
      const out = scrub(encoded)
      assert.isFalse(Buffer.from(out.replace("<redacted>", ""), "base64").toString().includes(key.slice(4, -4)), user)
      assert.isTrue(out.includes("<redacted>"), user)
    }
  })

  it("never leaves a secret in any encoding, whatever surrounds it", () => {
    const value = fc.string({ minLength: 8, maxLength: 40, unit: "grapheme" }).filter((s) => s.trim().length >= 8)
    fc.assert(fc.property(value, fc.string(), fc.string(), (key, before, after) => {
      fc.pre(!"<redacted>".includes(key) && !key.includes("redacted"))
      const scrub = makeScrubber([key])
      for (const form of encodings(key)) {
        const out = scrub(before + form + after)
        for (const other of encodings(key)) assert.isFalse(out.includes(other), `${form} in ${out}`)
      }
    }))
  })

  it("changes nothing more when it scrubs twice", () => {
    const word = fc.oneof(
      fc.string(),
      fc.constantFrom("sk-", "Bearer ", "?key=", "abcdefgh1", secret, "://", ":", "@", "authorization: ")
    )
    const scrub = makeScrubber([secret, "short"])
    fc.assert(fc.property(fc.array(word), (words) => {
      const once = scrub(words.join(""))
      assert.strictEqual(scrub(once), once)
    }))
  })

  it("replaces short secrets as whole words only and ignores blank ones", () => {
    const scrub = makeScrubber(["test", "", "  "])
    assert.strictEqual(
      scrub("Incorrect API key provided: test. See the latest tests."),
      "Incorrect API key provided: <redacted>. See the latest tests."
    )
  })

  it("uses another mark when the secret is part of the usual one", () => {
    assert.isFalse(makeScrubber(["redacted"])("a redacted b").includes("redacted"))
  })

  it("masks what looks like a key although nobody told it", () => {
    const scrub = makeScrubber([])
    for (
      const key of [
        "sk-0123456789abcdefABCD",
        "sk-ant-api03-invented_Value-99",
        "sk-or-v1-00aa11bb22cc",
        "sk-inv*********ted1",
        `AIza${"Sy0".repeat(12)}`,
        `gsk_${"aB3".repeat(10)}`,
        `xai-${"aB3".repeat(10)}`,
        `hf_${"aB3".repeat(10)}`,
        "AKIAINVENTED12345678",
        "Bearer abcdef0123456789abcdef",
        `eyJ${"hbGci0".repeat(3)}.eyJ${"zdWIi1".repeat(3)}.c2ln`
      ]
    ) {
      assert.strictEqual(scrub(`got ${key}, sorry`), "got <redacted>, sorry", key)
    }
    assert.strictEqual(scrub("GET https://host/v1?key=abc123&alt=sse"), "GET https://host/v1?key=<redacted>&alt=sse")
    assert.strictEqual(scrub("https://me:hush@host/"), "https://<redacted>@host/")
    assert.strictEqual(scrub("{\"x-api-key\":\"invented-123\"}"), "{\"x-api-key\":\"<redacted>\"}")
  })

  it("leaves ordinary provider texts alone", () => {
    const scrub = makeScrubber([secret])
    for (
      const text of [
        "Bearer authentication is required",
        "invalid x-api-key",
        "The model `sk-learn` does not exist",
        "risk-2024-assessment took 3s (request req_0123456789abcdef)",
        "Please pass a valid API key."
      ]
    ) {
      assert.strictEqual(scrub(text), text)
    }
  })

  it("cuts to a number of bytes between characters", () => {
    assert.strictEqual(cap("short"), "short")
    assert.strictEqual(cap("äöü", 6), "äöü")
    assert.strictEqual(cap("äöüx", 6), "ä…")
    assert.strictEqual(cap("abcdef", 2), "")
    fc.assert(fc.property(fc.string({ unit: "grapheme" }), fc.integer({ min: -1, max: 40 }), (text, limit) => {
      assert.isAtMost(Buffer.byteLength(cap(text, limit), "utf8"), Math.max(0, limit))
    }))
    assert.strictEqual(cap("x", NaN), "")
  })

  it("describes a chain of causes in one scrubbed line of at most five levels", () => {
    const scrub = makeScrubber([secret])
    const inner = Object.assign(new Error(`connect refused\nwith ${secret}`), { code: "ECONNREFUSED" })
    assert.strictEqual(
      describeCause(new TypeError("fetch failed", { cause: inner }), scrub),
      "TypeError: fetch failed <- Error ECONNREFUSED: connect refused with <redacted>"
    )
    let deep: unknown = "bottom"
    for (let level = 9; level > 0; level--) deep = new Error(`level ${level}`, { cause: deep })
    assert.strictEqual(describeCause(deep, scrub).split(" <- ").length, 5)
    assert.strictEqual(describeCause(new AggregateError([inner], "all failed"), (text) => text).split(" <- ").length, 2)
  })

  it("describes anything at all without throwing", () => {
    const scrub = makeScrubber([])
    const cyclic: { cause?: unknown } = {}
    cyclic.cause = cyclic
    const hostile = {
      get message() {
        throw new Error("no")
      }
    }
    const { proxy, revoke } = Proxy.revocable([], {})
    revoke()
    for (const cause of [undefined, null, cyclic, hostile, { errors: proxy }, () => 1, Object.create(null)]) {
      assert.strictEqual(describeCause(cause, scrub), "unknown cause")
    }
    assert.strictEqual(describeCause(Symbol("s"), scrub), "Symbol(s)")
    fc.assert(fc.property(fc.anything(), (cause) => {
      assert.notInclude(describeCause(cause, scrub), "\n")
    }))
  })

  it("lists header names in lower case, once each", () => {
    assert.deepStrictEqual(redactedHeaderNames.map((name) => name.toLowerCase()), redactedHeaderNames)
    assert.strictEqual(new Set(redactedHeaderNames).size, redactedHeaderNames.length)
    for (const name of ["authorization", "x-api-key", "api-key", "x-goog-api-key", "cookie", "set-cookie"]) {
      assert.include(redactedHeaderNames, name)
    }
  })
})
