// One line about what an unknown cause says of itself: complete, bounded, without secrets, and never a throw.
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as fc from "fast-check"
import { describeCause } from "../../src/transport/secrets/Redaction.ts"

const plain = (text: string, maxBytes = Infinity) => text.slice(0, maxBytes)
const described = (cause: unknown) => describeCause(cause, plain)

describe("A cause", () => {
  it.each<readonly [what: string, cause: unknown, line: string]>([
    ["an error", new TypeError("fetch failed"), "TypeError: fetch failed"],
    ["an error with a code", Object.assign(new Error("no"), { code: "ECONNRESET" }), "Error ECONNRESET: no"],
    ["a code alone", { code: 20 }, "20"],
    ["a name alone", { name: "AbortError" }, "AbortError"],
    ["a message alone", { message: "no" }, "no"],
    ["a tag before a name", { _tag: "TransportError", name: "Error", message: "no" }, "TransportError: no"],
    ["a description", { _tag: "A", description: "no" }, "A: no"],
    ["a message before a description", { message: "yes", description: "no" }, "yes"],
    ["blanks, which say nothing", { name: " ", message: "", description: "no" }, "no"],
    ["a text", "no", "no"],
    ["a number", 5, "5"],
    ["a bigint", 5n, "5"],
    ["a truth", false, "false"],
    ["a symbol", Symbol("a"), "Symbol(a)"],
    ["nothing", undefined, "unknown cause"],
    ["null", null, "unknown cause"],
    ["an empty object", {}, "unknown cause"],
    ["a blank", "  ", "unknown cause"],
    ["lines", "one\n  two\t three ", "one two three"],
    [
      "an error of several",
      new AggregateError([new Error("one"), new Error("two")], "both"),
      "AggregateError: both <- Error: one"
    ],
    ["a failure of Effect", Cause.fail(new Error("no")), "Fail: <- Error: no"],
    ["a getter that throws", Object.defineProperty({ message: "no" }, "cause", { get: () => assert.fail() }), "no"]
  ])("is told: %s", (what, cause, line) => {
    if (what === "a failure of Effect") assert.include(described(cause), "Error: no")
    else assert.strictEqual(described(cause), line)
  })

  it("is told with what caused it, the outermost first, at most five of them and each once", () =>
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom("a", "b", "c"), { minLength: 1, maxLength: 8 }),
        fc.constantFrom("cause", "reason", "error", "defect", "failure"),
        (messages, key) => {
          const cause = messages.reduceRight<object | undefined>(
            (inner, message) => ({ message, [key]: inner }),
            undefined
          )
          const told = messages.filter((message, at) => message !== messages[at - 1]).slice(0, 5)
          assert.strictEqual(described(cause), told.join(" <- "))
        }
      )
    ))

  it("that is its own cause, that throws at any touch, or that never ends is told all the same", () => {
    const circle: { message: string; cause?: unknown } = { message: "again" }
    circle.cause = { message: "and", cause: circle }
    assert.strictEqual(described(circle), "again <- and")
    const { proxy, revoke } = Proxy.revocable({}, {})
    revoke()
    assert.strictEqual(described(proxy), "unknown cause")
    // Levels that say nothing are not counted without end either.
    let empty: object = { message: "deep" }
    for (let at = 0; at < 9; at++) empty = { cause: empty }
    assert.strictEqual(described(empty), "deep")
    assert.strictEqual(described({ cause: empty }), "unknown cause")
    assert.strictEqual(described({ message: "a", cause: () => "no" }), "a")
  })

  it("is at most 2048 bytes, in whole characters, and without what is scrubbed", () => {
    const long = described(new Error("é".repeat(5000)))
    assert.isAtMost(new TextEncoder().encode(long).length, 2048)
    assert.isAbove(new TextEncoder().encode(long).length, 2000)
    assert.isTrue(long.isWellFormed())
    // White space may keep a secret in two.
    const scrub = (text: string) => text.replaceAll("my secret", "<redacted>")
    assert.strictEqual(describeCause(new Error("my\n  secret"), scrub), "Error: <redacted>")
    assert.strictEqual(describeCause(new Error("no"), () => assert.fail()), "unknown cause")
  })
})
