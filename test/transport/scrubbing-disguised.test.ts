// A long secret is found in any case, torn apart by white space, as a list of numbers, and in UTF-16, and nothing else is taken for it.
import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { makeScrubber } from "../../src/transport/secrets/Redaction.ts"

const characters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

const secrets = fc.string({ unit: fc.constantFrom(...characters), minLength: 16, maxLength: 48 })

const disguises: { readonly [name: string]: (secret: string, gap: string) => string } = {
  "upper case": (secret) => secret.toUpperCase(),
  "lower case": (secret) => secret.toLowerCase(),
  "broken in two": (secret, gap) => `${secret.slice(0, 9)}${gap}${secret.slice(9)}`,
  spaced: (secret, gap) => Array.from(secret).join(gap),
  "as numbers": (secret) => Array.from(Buffer.from(secret)).join(", "),
  "as a buffer": (secret) => JSON.stringify(Buffer.from(secret)),
  "UTF-16 in base64": (secret) => Buffer.from(secret, "utf16le").toString("base64"),
  "UTF-16 the other way round": (secret) => Buffer.from(secret, "utf16le").swap16().toString("base64"),
  "UTF-16 in hex": (secret) => Buffer.from(secret, "utf16le").toString("hex")
}

const gaps = fc.constantFrom(" ", "\n", "\r\n  ", "\u200b", "\u00ad", "\ufeff", "\\n", "%20", "&nbsp;", "\\u200b")

describe("a long secret", () => {
  it.each(Object.entries(disguises))("is not shown %s", (_, disguise) => {
    fc.assert(fc.property(secrets, gaps, fc.string(), fc.string(), (secret, gap, before, after) => {
      const scrub = makeScrubber([secret])
      const shown = disguise(secret, gap)
      const out = scrub(`${before} ${shown} ${after}`)
      assert.notInclude(out, shown)
      assert.include(out, "redacted")
      assert.strictEqual(scrub(out), out)
    }))
  })

  it("hides nothing but itself", () => {
    const scrub = makeScrubber(["prod-Acme-gateway-key-0017"])
    for (
      const text of [
        "The key of prod Acme gateway is wrong.",
        "prod-acme-gateway-key-0018",
        "112, 114, 111, 100, 45, 65",
        Buffer.from("prod-Acme", "utf16le").toString("base64")
      ]
    ) assert.strictEqual(scrub(text), text)
  })
})
