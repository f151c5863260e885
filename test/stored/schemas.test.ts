import { assert, describe, it } from "@effect/vitest"
import { Duration, Redacted, Schema } from "effect"
import * as fc from "fast-check"
import { LlmError, LlmEvent, LlmRequest, LlmResponse, type LlmTool } from "../../src/index.ts"
import * as given from "./arbitraries.ts"

/** Through text, as a database or a socket has it. */
const stored = <A>(schema: Schema.Codec<A, unknown>) => {
  const text = Schema.fromJsonString(schema)
  const [encode, decode] = [Schema.encodeSync(text), Schema.decodeUnknownSync(text)]
  return (value: A): A => decode(encode(value))
}

/** A later version has more to say, at any depth. */
const withMore = (value: unknown): unknown =>
  Array.isArray(value)
    ? value.map(withMore)
    : typeof value === "object" && value !== null
    ? Object.fromEntries([...Object.entries(value).map(([name, member]) => [name, withMore(member)] as const), [
      "ofTomorrow",
      { a: 1 }
    ]])
    : value

describe("An answer, stored", () => {
  const through = stored(LlmResponse.schema)

  it("is what it was", () => {
    fc.assert(fc.property(given.response, (response) => {
      const read = through(response)
      assert.deepStrictEqual<unknown>(read, response)
      assert.instanceOf(read, LlmResponse.LlmResponse)
      assert.strictEqual(read.text, response.text)
    }))
  })

  it("is read with fields of later versions, which are left out", () => {
    const response = new LlmResponse.LlmResponse({
      parts: [{ type: "text", text: "Hi", origin: { wire: "x" } }],
      finishReason: "stop",
      usage: { input: { total: 1 }, output: {} },
      model: "m",
      provider: "p",
      warnings: [{ field: "a", message: "b" }],
      priorAttempts: [{ provider: "p", model: "m", reason: "RateLimit" }]
    })
    const later = withMore(Schema.encodeSync(LlmResponse.schema)(response))
    assert.deepStrictEqual<unknown>(Schema.decodeUnknownSync(LlmResponse.schema)(later), response)
  })

  it("with a finish reason of a later version ended for another reason, whose word is kept", () => {
    const fields = { parts: [], usage: { input: {}, output: {} }, model: "m", provider: "p", warnings: [] }
    const read = Schema.decodeUnknownSync(LlmResponse.schema)
    assert.strictEqual(read({ ...fields, finishReason: "budget" }).finishReason, "other")
    assert.strictEqual(read({ ...fields, finishReason: "budget" }).rawFinishReason, "budget")
    assert.strictEqual(read({ ...fields, finishReason: "budget", rawFinishReason: "x" }).rawFinishReason, "x")
  })

  it("may have fields that are set to nothing", () => {
    const response = new LlmResponse.LlmResponse({
      parts: [{ type: "text", text: "Hi", signature: undefined }],
      finishReason: "stop",
      usage: { input: { total: undefined }, output: {} },
      model: "m",
      provider: "p",
      warnings: [{ field: "a", message: "b", url: undefined }]
    })
    assert.strictEqual(through(response).text, "Hi")
  })
})

describe("An event, stored", () => {
  for (const [tag, event] of Object.entries(given.events)) {
    it(`is what it was: ${tag}`, () => {
      const through = stored(LlmEvent.schema)
      fc.assert(fc.property(event, (event) => assert.deepStrictEqual<unknown>(through(event), event)), { numRuns: 12 })
    })
  }

  it("of a tag that is not known is none", () => {
    assert.isFalse(Schema.is(LlmEvent.schema)({ _tag: "Tomorrow", index: 0 }))
  })

  it("belongs to a part that an answer can have", () => {
    for (const index of [-1, 0.5, LlmEvent.maxIndex + 1, 2 ** 31, Number.NaN]) {
      assert.isFalse(Schema.is(LlmEvent.schema)({ _tag: "TextStart", index }))
    }
    assert.isTrue(Schema.is(LlmEvent.schema)({ _tag: "TextStart", index: LlmEvent.maxIndex }))
  })
})

describe("An error, stored", () => {
  const through = stored(LlmError.schema)

  for (const [tag, reason] of Object.entries(given.reasons)) {
    it(`is what it was: ${tag}`, () => {
      fc.assert(
        fc.property(given.errorOf(reason), (error) => {
          const read = through(error)
          assert.deepStrictEqual<unknown>(given.anatomy(read), given.anatomy(error))
          assert.isTrue(LlmError.isLlmError(read))
        }),
        { numRuns: 12 }
      )
    })
  }

  it("is read with fields of later versions", () => {
    fc.assert(
      fc.property(given.error, (error) => {
        const read = Schema.decodeUnknownSync(LlmError.schema)({
          ...Object(Schema.encodeSync(LlmError.schema)(error)),
          ofTomorrow: 1
        })
        assert.deepStrictEqual<unknown>(given.anatomy(read), given.anatomy(error))
      }),
      { numRuns: 12 }
    )
  })

  it("with a reason of a later version is the provider's, under that name", () => {
    const read = Schema.decodeUnknownSync(LlmError.schema)({
      _tag: "LlmError",
      provider: "p",
      model: "m",
      operation: "stream",
      attempts: 1,
      reason: { _tag: "Tired", message: "Too late.", status: 503, ofTomorrow: true }
    })
    assert.strictEqual(read.reason._tag, "Provider")
    assert.strictEqual((read.reason as LlmError.Provider).type, "Tired")
    assert.strictEqual((read.reason as LlmError.Provider).status, 503)
    assert.isTrue(read.isRetryable)
  })

  it("is not taken from a reason that lacks what it is made of", () => {
    const broken = { _tag: "LlmError", provider: "p", model: "m", operation: "stream", attempts: 1 }
    for (const reason of [{ _tag: "Timeout", message: "x" }, { _tag: "RateLimit" }, {}, null, "RateLimit"]) {
      assert.isFalse(Schema.decodeUnknownResult(LlmError.schema)({ ...broken, reason })._tag === "Success")
    }
  })
})

describe("A request, stored", () => {
  const through = stored(LlmRequest.schema)
  const millis = (timeouts: LlmRequest.Timeouts | undefined) =>
    timeouts && Object.entries(timeouts).map(([name, time]) => [name, String(Duration.fromInputUnsafe(time))])

  it("is what it was, without what nobody may read and what JSON cannot say", () => {
    fc.assert(fc.property(given.request, (request) => {
      const read = through(request)
      const { apiKey: _apiKey, headers, providers, providerOptions, timeouts, tools, ...plain } = request
      const {
        headers: headers2,
        providers: providers2,
        providerOptions: options2,
        timeouts: timeouts2,
        tools: tools2,
        ...plain2
      } = read
      assert.deepStrictEqual<unknown>(plain2, plain)
      assert.deepStrictEqual<unknown>(millis(timeouts2), millis(timeouts))
      assert.strictEqual(tools2?.length, tools?.length)
      for (const [at, tool] of (tools ?? []).entries()) {
        assert.strictEqual(tools2![at]!.name, tool.name)
        if (tool.type !== "function") continue
        const copy = tools2![at]! as LlmTool.FunctionTool
        assert.deepStrictEqual<unknown>(copy.parameters, tool.parameters)
        assert.strictEqual(copy.execution?.idempotent, tool.execution?.idempotent)
        const { needsApproval } = tool.execution ?? {}
        assert.strictEqual(copy.execution?.needsApproval, typeof needsApproval === "function" ? true : needsApproval)
      }
      for (const name of ["x-trace", "anthropic-beta", "accept-language"]) {
        assert.strictEqual(headers2?.[name], headers?.[name])
      }
      for (const name of Object.keys(providers ?? {})) {
        assert.strictEqual(providers2![name]!.model, providers![name]!.model)
        assert.isUndefined(providers2![name]!.apiKey)
      }
      assert.deepStrictEqual<unknown>(options2?.openai, providerOptions?.openai)
      assert.strictEqual(LlmRequest.validate(read) === undefined, LlmRequest.validate(request) === undefined)
    }))
  })

  it("holds no secret, wherever one stood", () => {
    const encode = Schema.encodeSync(Schema.fromJsonString(LlmRequest.schema))
    fc.assert(fc.property(given.request, (request) => {
      const text = encode(request)
      assert.notInclude(text, given.secret)
      assert.notInclude(text, encodeURIComponent(given.secret))
      assert.notInclude(text, "redacted")
    }))
  })

  it("leaves out a configuration in a header that holds a key, and keeps one that does not", () => {
    const encode = Schema.encodeSync(LlmRequest.schema)
    const headers = {
      "x-portkey-config": `{"provider":"openai","api_key":"${given.secret}"}`,
      "x-other-config": "{\"retry\":3}"
    }
    assert.deepStrictEqual<unknown>(Object(encode({ prompt: "x", headers })).headers, {
      "x-other-config": "{\"retry\":3}"
    })
  })

  it("is refused when it is none, both ways, with the field", () => {
    const problem = (result: { readonly _tag: string; readonly failure?: unknown }) => String(result.failure)
    const encoded = Schema.encodeUnknownResult(LlmRequest.schema)({ prompt: "x", temperature: 9 })
    assert.include(problem(encoded), "temperature")
    assert.include(problem(Schema.decodeUnknownResult(LlmRequest.schema)({})), "messages")
    assert.include(problem(Schema.decodeUnknownResult(LlmRequest.schema)({ prompt: "x", effort: 3 })), "effort")
  })

  it("keeps no key that somebody wrapped and put where none belongs", () => {
    const request = { prompt: "x", providerOptions: { openai: { nested: [Redacted.make(given.secret), 1] } } }
    const result = Schema.encodeUnknownResult(Schema.fromJsonString(LlmRequest.schema))(request)
    assert.notInclude(JSON.stringify(result), given.secret)
  })
})
