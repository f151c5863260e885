// The laws of the scrubber: a secret is found in every encoding, and ordinary text stays as it is. `npm run scaling` measures its time.
import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { describeCause, makeScrubber } from "../../src/transport/secrets/Redaction.ts"
import { secretsOf } from "../../src/transport/secrets/RequestSecrets.ts"
import { disguised, disguises, readings } from "./disguises.ts"

const alphanumeric = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
const odd = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"

/** Long enough to be looked for inside words. */
const longSecret = fc.oneof(
  fc.string({ minLength: 12, maxLength: 60, unit: fc.constantFrom(...alphanumeric, ..."-_.") }),
  fc.string({ minLength: 10, maxLength: 40, unit: fc.constantFrom(...alphanumeric, ...odd) }),
  fc.string({
    minLength: 8,
    maxLength: 24,
    unit: fc.constantFrom(...alphanumeric, "ü", "é", "€", "密", "😀", "/", "\"")
  })
).filter((secret) => /[A-Za-z0-9]{3}/.test(secret) && secret === secret.trim())

const prose = fc.constantFrom(
  "",
  "Incorrect API key provided: ",
  "key=",
  "{\"k\":\"",
  "see https://h/x?a=b&k=",
  "(",
  "é ",
  "100% "
)

describe("a scrubbed text", () => {
  it("holds a secret in no encoding, wherever it stood", () => {
    fc.assert(
      fc.property(longSecret, disguised, prose, prose, (secret, { form, name }, before, after) => {
        const echo = form(secret)
        const out = makeScrubber([secret])(`${before}${echo} ${after}`)
        assert.include(out, "<redacted>", `${name}: ${echo}`)
        for (const reading of readings(out)) assert.notInclude(reading, secret, `${name}: ${echo} left ${out}`)
        assert.isTrue(out.startsWith(before) || /key=|Bearer|:/.test(before + echo), out)
      }),
      { numRuns: 1000 }
    )
  })

  it("holds no key that is a number in hex, in either case, with or without dashes", () => {
    const key = "0F8fad5b-d9cb-469f-A165-70867728950e"
    for (const form of [key.toLowerCase(), key.toUpperCase(), key.replaceAll("-", ""), key.replaceAll("-", ":")]) {
      assert.strictEqual(makeScrubber([key])(form), "<redacted>")
    }
  })

  it("holds no secret whose ends make up escapes with what stands beside it", () => {
    const secret = fc.string({ minLength: 26, maxLength: 60, unit: fc.constantFrom(..."0123456789abcdefntux;#/-_") })
    const before = fc.constantFrom("100%", "\\", "\\u0", "\\u00", "%a", "&", "&#", "&#x", "%25", "\\\\")
    const after = fc.constantFrom("41", "1", ";", "amp;", "lt;", "n", "u0041", "\\", "%")
    fc.assert(
      fc.property(secret, disguised, before, after, (key, { form, name }, left, right) => {
        fc.pre(/[0-9a-f]{6}/.test(key.slice(8, -8)) && !/hex|base64/.test(name))
        const out = makeScrubber([key])(`key ${left}${form(key)}${right} is wrong`)
        assert.include(out, "<redacted>", name)
        assert.notInclude(out, form(key).slice(8, -8))
      }),
      { numRuns: 300 }
    )
  })

  it("holds none of several secrets, and is a fixed point", () => {
    const secrets = fc.array(longSecret, { minLength: 1, maxLength: 4 })
    const text = fc.array(fc.tuple(fc.nat(3), disguised, fc.string()), { minLength: 1, maxLength: 6 })
    fc.assert(fc.property(secrets, text, (known, pieces) => {
      const scrub = makeScrubber(known)
      const out = scrub(pieces.map(([at, { form }, more]) => `${form(known[at % known.length]!)} ${more} `).join(""))
      for (const secret of known) assert.notInclude(out, secret)
      assert.strictEqual(scrub(out), out)
    }))
  })

  it("holds a short secret as a word in no encoding", () => {
    const short = fc.string({ minLength: 4, maxLength: 7, unit: fc.constantFrom(..."ghjkqvwxyzGHJKQVWXYZ0189") })
    const forms = Object.keys(disguises).filter((name) => !/inside|twice|lines|Dump/i.test(name))
    fc.assert(fc.property(short, disguised, (secret, { form, name }) => {
      fc.pre(forms.includes(name))
      assert.include(
        ["key (<redacted>) is wrong", "key (***) is wrong"],
        makeScrubber([secret])(`key (${form(secret)}) is wrong`),
        name
      )
    }))
  })

  it("is not cut within a secret, at any size", () => {
    fc.assert(
      fc.property(
        longSecret,
        disguised,
        fc.nat(400),
        fc.integer({ min: 20, max: 300 }),
        (secret, { form }, lead, size) => {
          const scrub = makeScrubber([secret])
          const text = `${"word ".repeat(lead)}${form(secret)} ${`${form(secret)} more words `.repeat(40)}`
          const out = scrub(text.repeat(40), size)
          assert.isAtMost(Buffer.byteLength(out), size)
          for (let from = 0; from + 8 <= secret.length; from++) assert.notInclude(out, secret.slice(from, from + 8))
        }
      ),
      { numRuns: 200 }
    )
  })

  it("holds no secret that a cause has in two lines, and none of a cause without end", () => {
    const secret = "first part second part of a pass phrase"
    const scrub = makeScrubber([secret])
    assert.notInclude(describeCause(new Error(secret.replaceAll(" ", "\n  ")), scrub), "second part")
    const line = describeCause(new Error(`${"x".repeat(2040)} ${secret} `.repeat(500)), scrub)
    assert.isAtMost(Buffer.byteLength(line), 2048)
    assert.notInclude(line, "first")
  })

  it("is the text itself where no secret is in it", () => {
    const scrub = makeScrubber([
      "sk-ant-api03-AbCdEfGh0123456789",
      "hunter2-and-more",
      "k3y",
      "0123456789abcdef0123456789abcdef"
    ])
    for (
      const text of [
        "Bearer authentication is required. Basic authentication is not supported.",
        "The model `claude-sonnet-4-5-20250929` does not exist or you do not have access to it.",
        "request 6f1d2c3b-4a5e-6789-abcd-ef0123456789 failed; see https://docs.example.com/errors?code=429&lang=en#rate",
        "You are at 99% of your quota: 100%25 is &lt;the limit&gt; \\u0041nd C:\\new\\table stays.",
        "gpt-5.2-codex, gemini-2.5-flash-preview-09-2025, anthropic.claude-opus-4-1-20250805-v1:0, meta-llama/Llama-3.3-70B-Instruct",
        "{\"error\":{\"message\":\"Invalid \\\"authorization\\\" header\",\"type\":\"invalid_request_error\",\"code\":null}}",
        "Please set the header x-api-key: your key. Cookie: must be enabled.",
        "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08, risk-2024-assessment, disk-0",
        "ssh://git@github.com and mailto:someone@example.com",
        "chatcmpl-CQ2p0kXyZ, msg_01XFDUDYJgAACzvnptvVoYEL, resp_67ccd2bed1ec8190b14f964abc0542670bb6a6b452d3795b",
        "日本語のエラー: トークンが多すぎます 😀"
      ]
    ) assert.strictEqual(scrub(text), text)
    fc.assert(fc.property(fc.lorem({ maxCount: 40 }), (text) => assert.strictEqual(scrub(text), text)))
  })
})

describe("the secrets of a request", () => {
  const of = (headers: { readonly [name: string]: string }, url = "https://api.example.com/v1") =>
    secretsOf({ headers, url, secrets: [] })

  it("are the values of credential headers, by name and by the form of the name, and what is in them", () => {
    assert.includeMembers([...of({ Authorization: "Bearer abc123def" })], ["abc123def", "Bearer abc123def"])
    for (
      const name of [
        "cf-aig-authorization",
        "x-portkey-api-key",
        "x-portkey-virtual-key",
        "helicone-auth",
        "api-key",
        "x-my-gateway-token",
        "X-Session-Secret",
        "x-goog-signature",
        "x-client-credential",
        "x-db-password",
        "openai-organization"
      ]
    ) assert.include(of({ [name]: "planted-value-1" }), "planted-value-1", name)
    for (
      const name of [
        "anthropic-beta",
        "x-max-tokens",
        "content-type",
        "x-title",
        "x-auth-type",
        "author",
        "x-portkey-provider"
      ]
    ) {
      assert.deepStrictEqual(of({ [name]: "planted-value-1" }), [], name)
    }
    assert.deepStrictEqual(of({ "x-key-count": "2", "x-use-token": "true", "x-token-limit": "4096" }), [])
  })

  it("are every cookie, the parts of Basic, the parameters of a signature, the credentials in a JSON header", () => {
    assert.includeMembers([...of({ cookie: "sid=s3cr3t-one; theme=\"dark-blue\"; consent=1" })], [
      "s3cr3t-one",
      "dark-blue"
    ])
    assert.notInclude(of({ cookie: "consent=1" }), "1")
    const basic = btoa("alice:open sesame")
    assert.includeMembers([...of({ authorization: `Basic ${basic}` })], [
      basic,
      "alice:open sesame",
      "open sesame",
      "alice"
    ])
    assert.notInclude(of({ authorization: `Basic ${btoa("user:open sesame")}` }), "user")
    assert.include(of({ authorization: `Basic ${btoa("only-a-key:")}` }), "only-a-key")
    const signed = of({
      authorization:
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLEEXAMPLE12/20261201/us-east-1/bedrock/aws4_request, SignedHeaders=host;x-amz-date, Signature=0123456789abcdef0123456789abcdef"
    })
    assert.includeMembers([...signed], ["AKIDEXAMPLEEXAMPLE12", "0123456789abcdef0123456789abcdef"])
    assert.notInclude(signed, "us-east-1")
    assert.notInclude(signed, "host;x-amz-date")
    const config = JSON.stringify({ provider: "openai", targets: [{ api_key: "planted-in-json", weight: 1 }] })
    assert.deepStrictEqual([...of({ "x-portkey-config": config })], ["planted-in-json"])
  })

  it("are user and password of its URL, and what in its query is named like a credential or is long", () => {
    assert.includeMembers([...of({}, "https://me%40home:hush%2Fhush@host/v1")], ["hush/hush", "me@home"])
    const query = of(
      {},
      "https://host/v1?api-version=2024-10-21&key=abcd1234&sig=a%2Fb%3Dc&x=0123456789012345678901234"
    )
    assert.deepStrictEqual([...query], ["abcd1234", "a/b=c", "0123456789012345678901234"])
  })
})
