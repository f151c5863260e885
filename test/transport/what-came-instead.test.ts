// What comes in place of an answer: errors of the client, pages of proxies, bytes in an encoding that nobody decodes. Each is told as what it is.
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientError from "effect/http/HttpClientError"
import type { HttpClientRequest } from "effect/http/HttpClientRequest"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Redacted from "effect/Redacted"
import * as fc from "fast-check"
import type { LlmError } from "../../src/LlmError.ts"
import * as OpenAiCompatible from "../../src/provider/OpenAiCompatible.ts"

const key = "sk-planted-0123456789-secret-value"

const errorOf = (
  answer: (
    request: HttpClientRequest
  ) => Effect.Effect<HttpClientResponse.HttpClientResponse, HttpClientError.HttpClientError>,
  baseUrl = "https://llm.example.com/v1"
): Promise<LlmError> =>
  Effect.runPromise(
    Effect.flatMap(
      OpenAiCompatible.make({ baseUrl, model: "m", apiKey: Redacted.make(key) }),
      (service) => Effect.flip(service.generate({ prompt: "Hi" }))
    ).pipe(Effect.provideService(HttpClient.HttpClient, HttpClient.make(answer)))
  )

const failing = (cause: unknown, baseUrl?: string) =>
  errorOf(
    (request) =>
      Effect.fail(
        new HttpClientError.HttpClientError({ reason: new HttpClientError.TransportError({ request, cause }) })
      ),
    baseUrl
  )

const answering = (
  body: string | Uint8Array<ArrayBuffer>,
  status: number,
  headers: { readonly [name: string]: string } = {}
) => errorOf((request) => Effect.succeed(HttpClientResponse.fromWeb(request, new Response(body, { status, headers }))))

describe("A failure of the client", () => {
  /** An error that was caused by others, the innermost last. */
  const chain = (...codes: ReadonlyArray<unknown>): Error =>
    codes.reduceRight<Error | undefined>(
      (cause, code) =>
        Object.assign(
          new Error("fetch failed", cause === undefined ? {} : { cause }),
          code === undefined ? {} : { code }
        ),
      undefined
    )!

  it("has the outermost code that is a name, of an error or of what caused it", async () => {
    const codeOf = async (...codes: ReadonlyArray<unknown>) => {
      const { reason } = await failing(chain(...codes))
      assert.strictEqual(reason._tag, "Network")
      return reason._tag === "Network" ? reason.code : undefined
    }
    assert.strictEqual(await codeOf("ECONNREFUSED"), "ECONNREFUSED")
    assert.strictEqual(await codeOf(undefined, "ECONNRESET"), "ECONNRESET")
    assert.strictEqual(await codeOf(undefined, undefined, "EPIPE"), "EPIPE")
    // Codes of DOM exceptions are numbers.
    assert.strictEqual(await codeOf(20, "UND_ERR_SOCKET"), "UND_ERR_SOCKET")
    assert.strictEqual(await codeOf("OUTER", "INNER"), "OUTER")
    assert.isUndefined(await codeOf(undefined))
  })

  it("of a chain without an end is told all the same", async () => {
    const circle: { cause?: unknown } = new Error("again")
    circle.cause = circle
    assert.strictEqual((await failing(circle)).reason._tag, "Network")
    for (const odd of [undefined, null, "a text", 5, { code: 5 }, Object.create(null)]) {
      assert.strictEqual((await failing(odd)).reason._tag, "Network")
    }
  })

  it("is what its code says: a cut, a broken encoding, else the network", async () => {
    const tagOf = async (code: string) => (await failing(chain(undefined, code))).reason._tag
    assert.strictEqual(await tagOf("Z_BUF_ERROR"), "IncompleteStream")
    for (
      const code of ["Z_DATA_ERROR", "Z_NEED_DICT", "ERR_BROTLI_DECODER", "ERR__ERROR_FORMAT_PADDING_1", "ZSTD_error_x"]
    ) {
      assert.strictEqual(await tagOf(code), "ResponseParse", code)
    }
    for (const code of ["Z_MEM_ERROR", "ECONNRESET", "CERT_HAS_EXPIRED"]) {
      assert.strictEqual(await tagOf(code), "Network")
    }
  })

  it("is shown without the query of the URL and without the key", async () => {
    const error = await failing(
      new Error(`connect to https://llm.example.com/v1/chat/completions?tenant=planted-query with ${key}`),
      "https://llm.example.com/v1?tenant=planted-query"
    )
    assert.notInclude(error.message, "planted")
    assert.include(error.message, "llm.example.com")
  })

  it("to build the request is the application's to mend", async () => {
    for (const Reason of [HttpClientError.EncodeError, HttpClientError.InvalidUrlError]) {
      const { isRetryable, reason } = await errorOf((request) =>
        Effect.fail(new HttpClientError.HttpClientError({ reason: new Reason({ request, cause: new Error("no") }) }))
      )
      assert.deepStrictEqual([reason._tag, isRetryable], ["Configuration", false])
    }
  })
})

describe("A page", () => {
  it("is told by its title, wherever that stands in its beginning", () =>
    fc.assert(
      fc.asyncProperty(
        fc.constantFrom("", "<!DOCTYPE html>", "\n<!-- a comment -->\n"),
        fc.constantFrom("<title>", "<TITLE>", "<title lang=\"en\">", "<title\n>"),
        fc.constantFrom("502 Bad Gateway", "Wartung", "x"),
        fc.nat(3000),
        async (before, tag, title, padding) => {
          const page = `<html>${before}${" ".repeat(padding)}${tag} ${title} </title><body>Nobody reads this.`
          const { message } = await answering(page, 502)
          assert.include(message, `with a page: ${title}.`)
          assert.notInclude(message, "Nobody")
        }
      ),
      { numRuns: 20 }
    ))

  it("without a title, or with one that does not end where titles do, has none", async () => {
    const far = " ".repeat(5000)
    for (
      const page of [
        "<html><body>Hello",
        "<html><title",
        "<html><title>Never ends",
        `<html>${far}<title>Late</title>`,
        `<html><title>${far}</title>`
      ]
    ) {
      const { message } = await answering(page, 502)
      assert.match(message, /with a page\./)
    }
  })
})

describe("A body of an error", () => {
  it("that is a plain text is the message, a blank one is none", async () => {
    assert.include((await answering("  upstream is down \n", 500)).message, ": upstream is down")
    assert.include((await answering(" \n", 500)).message, "without a body")
    const long = await answering("x".repeat(5000), 500)
    assert.isAtMost(long.reason.message.length, 1100)
    assert.isAtLeast(long.reason.message.length, 900)
  })

  it("in an encoding that the client does not decode is told so, and text that only claims one is read", async () => {
    const text = JSON.stringify({
      error: { message: `${"é".repeat(5)}x${"é".repeat(60)} is wrong`, type: "invalid_request_error" }
    })
    const binary = new Uint8Array(200).map((_, at) => (at * 37 + 128) % 256)
    for (const encoding of ["x-custom", "zstd"]) {
      const headers = { "content-encoding": encoding }
      assert.include((await answering(text, 400, headers)).message, "is wrong")
      const { message, reason } = await answering(binary, 400, headers)
      assert.include(message, encoding)
      assert.strictEqual("status" in reason ? reason.status : undefined, 400)
    }
    assert.include((await answering(text, 400, { "content-encoding": "identity" })).message, "is wrong")
    // Whether the first bytes end within a character does not matter.
    for (let shift = 0; shift < 4; shift++) {
      const shifted = `${" ".repeat(shift)}${text}`
      assert.include(
        (await answering(shifted, 400, { "content-encoding": "x-custom" })).message,
        "is wrong",
        String(shift)
      )
    }
  })

  it("of AWS is typed by its header, without what stands behind the colon", async () => {
    const typed = async (header: string) => {
      const { reason } = await answering("{}", 400, { "x-amzn-errortype": header })
      return "type" in reason ? reason.type : undefined
    }
    assert.strictEqual(await typed("ThrottlingException:http://internal.amazon.com/"), "ThrottlingException")
    assert.strictEqual(await typed(" ValidationException "), "ValidationException")
    assert.isUndefined(await typed(":"))
  })

  it("with the server's own word on retrying has that word", async () => {
    const word = async (header: string, status: number) =>
      (await answering("{\"error\":{\"message\":\"no\"}}", status, { "x-should-retry": header })).isRetryable
    assert.deepStrictEqual(
      [await word("true", 400), await word("false", 500), await word("perhaps", 500), await word("perhaps", 400)],
      [true, false, true, false]
    )
  })
})
