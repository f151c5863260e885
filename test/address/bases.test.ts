// Base URLs: what is below one, and what only looks so.
import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { baseIssue, baseOf, isBelow } from "../../src/address/paths.ts"
import { withoutTrailingSlashes } from "../../src/address/slashes.ts"
import { readBaseUrl } from "../../src/provider/baseUrl.ts"

const origins = fc.constantFrom("https://llm.example.com", "http://127.0.0.1:8080", "https://[::1]:8443")
const paths = fc.array(fc.constantFrom("v1", "api", "a-b", "v1beta"), { maxLength: 3 }).map((parts) =>
  parts.map((part) => `/${part}`).join("")
)
const slashes = fc.nat(3).map((count) => "/".repeat(count))
const queries = fc.constantFrom("", "?api-version=1", "?a=1&b=2")

describe("A base URL", () => {
  it("is taken apart into what a path comes after and what comes after the path", () =>
    fc.assert(fc.property(origins, paths, slashes, queries, (origin, path, slash, query) => {
      const base = baseOf(`${origin}${path}${slash}${query}`)
      assert.deepStrictEqual(base, { origin, path, url: `${origin}${path}`, query: query.slice(1) })
    })))

  it("has below it what adds to its path, and nothing else", () =>
    fc.assert(fc.property(origins, paths, fc.constantFrom("models", "x/y"), (origin, path, rest) => {
      const base = baseOf(`${origin}${path}`)
      assert.isTrue(isBelow(base, `${origin}${path}/${rest}`))
      assert.isTrue(isBelow(base, `${origin}${path}/${rest}?a=b#c`))
      const host = origin.slice(origin.indexOf("//") + 2)
      for (
        const other of [
          `${origin}${path}`.replace(/\/$/, ""),
          `${origin}${path}x/${rest}`,
          `${origin}${path}/../${rest}/..`.replace("/..", path === "" ? "" : "/.."),
          `ftp://${host}${path}/${rest}`,
          `https://user@${host}${path}/${rest}`,
          `https://:password@${host}${path}/${rest}`,
          `https://elsewhere.example.com${path}/${rest}`,
          "no url"
        ]
      ) {
        const isInside = path === "" && other.startsWith(origin)
        if (!isInside) assert.isFalse(isBelow(base, other), other)
      }
    })))

  it.each<readonly [given: unknown, isRight: boolean]>([
    ["https://example.com/v1", true],
    ["http://localhost", true],
    ["https://example.com/v1?a=b", true],
    ["ftp://example.com", false],
    ["example.com", false],
    ["https://user@example.com", false],
    ["https://:word@example.com", false],
    ["https://example.com/#there", false],
    ["", false],
    [undefined, false],
    [{}, false]
  ])("is an HTTP address without credentials and fragment: %s", (given, isRight) => {
    assert.strictEqual(baseIssue(given) === undefined, isRight)
  })

  it("keeps its query behind every path, where what the path itself asks for wins", () => {
    const definition = { name: "Example", baseUrl: "https://example.com/v1" }
    const base = readBaseUrl(definition, "https://example.com/v1?a=1&b=2")
    if ("_tag" in base) assert.fail(base.message)
    assert.strictEqual(base.withQuery("https://example.com/v1/x"), "https://example.com/v1/x?a=1&b=2")
    assert.strictEqual(base.withQuery("https://example.com/v1/x?b=3"), "https://example.com/v1/x?b=3&a=1")
    assert.strictEqual(base.withQuery("https://example.com/v1/x?a=0&b=3"), "https://example.com/v1/x?a=0&b=3")
    const plain = readBaseUrl(definition, undefined)
    if ("_tag" in plain) assert.fail(plain.message)
    assert.strictEqual(plain.withQuery("https://example.com/v1/x?b=3"), "https://example.com/v1/x?b=3")
  })

  it("that a company changes is changed when it was given, and as it is when it is the company's own", () => {
    const definition = {
      name: "Example",
      baseUrl: "https://example.com/v1",
      baseUrlOf: (given: string) => `${given}/openai`
    }
    const own = readBaseUrl(definition, undefined)
    const given = readBaseUrl(definition, " https://example.org?a=b ")
    if ("_tag" in own || "_tag" in given) return assert.fail("refused")
    assert.deepStrictEqual([own.url, given.url, given.query], [
      "https://example.com/v1",
      "https://example.org/openai",
      "a=b"
    ])
  })
})

describe("Slashes at the end of a URL", () => {
  it("go, all of them and no others", () =>
    fc.assert(fc.property(fc.constantFrom("https://a/b", "/a", "", "a//b"), fc.nat(5), (url, count) => {
      assert.strictEqual(withoutTrailingSlashes(url + "/".repeat(count)), url)
    })))
})
