import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import * as LlmError from "../../src/LlmError.ts"
import type { ErrorBody } from "../../src/protocol/ErrorMap.ts"
import {
  classify,
  errorTable,
  isErrorBody,
  overflowPatterns,
  overflowTexts,
  readErrorBody,
  readErrorText,
  retryDelayFromMessage
} from "../../src/protocol/ErrorMap.ts"

const reasons = {
  Validation: LlmError.Validation,
  Authentication: LlmError.Authentication,
  PermissionDenied: LlmError.PermissionDenied,
  QuotaExhausted: LlmError.QuotaExhausted,
  RateLimit: LlmError.RateLimit,
  Overloaded: LlmError.Overloaded,
  NotFound: LlmError.NotFound,
  ContextLength: LlmError.ContextLength,
  ContentPolicy: LlmError.ContentPolicy,
  Provider: LlmError.Provider
}

const message = "the lamp is out of oil"

describe("readErrorBody", () => {
  const shapes: ReadonlyArray<readonly [name: string, body: unknown, expected: ErrorBody | undefined]> = [
    ["an OpenAI error", { error: { message, type: "t", code: "c", param: "p" } }, {
      message,
      type: "t",
      code: "c",
      param: "p"
    }],
    ["nulls as absent", { error: { message, type: null, code: null, param: null } }, { message }],
    ["a numeric code as a status too", { error: { message, code: 429 } }, { message, code: 429, status: 429 }],
    [
      "an Anthropic error with its request id",
      { type: "error", error: { details: null, type: "overloaded_error", message }, request_id: "req_7" },
      { message, type: "overloaded_error", requestId: "req_7" }
    ],
    ["an error that is a text", { error: message }, { message }],
    ["a code beside a text", { code: "c", error: message }, { message, code: "c" }],
    ["a label beside the text", { error: "Not Found", message, status: 404 }, {
      message,
      type: "Not Found",
      status: 404
    }],
    ["a list with an error", [{ error: { message, code: 503, status: "UNAVAILABLE" } }], {
      message,
      type: "UNAVAILABLE",
      code: 503,
      status: 503
    }],
    ["an error that is a list", { error: [{ code: 2009, message }], success: false }, { message, code: 2009 }],
    [
      "a Mistral error",
      { object: "error", message, type: "invalid", param: null, code: "3051", raw_status_code: 400 },
      { message, type: "invalid", code: "3051", status: 400 }
    ],
    [
      "a Mistral validation error",
      {
        object: "error",
        message: { detail: [{ type: "missing", loc: ["body", "n"], msg: message }] },
        type: "invalid"
      },
      { message, type: "invalid", param: "body.n" }
    ],
    ["a detail", { detail: message }, { message }],
    ["details of fields", { detail: [{ loc: ["body", 0], msg: message }, { loc: [], msg: "and" }] }, {
      message: `${message}; and`,
      param: "body.0"
    }],
    ["a detail object", { detail: { code: "c", message } }, { message, code: "c" }],
    ["a list of errors", { success: false, errors: [{ code: 7000, message }], result: null }, { message, code: 7000 }],
    [
      "a Google error with a delay",
      {
        error: {
          code: 429,
          status: "RESOURCE_EXHAUSTED",
          message,
          details: [{ "@type": "type.googleapis.com/google.rpc.ErrorInfo", reason: "R" }, { retryDelay: "12s" }]
        }
      },
      { message, type: "RESOURCE_EXHAUSTED", code: 429, status: 429, retryAfterMillis: 12_000 }
    ],
    [
      "JSON inside the message",
      { error: { message: JSON.stringify({ error: { code: 503, message, status: "UNAVAILABLE" } }), param: "p" } },
      { message, type: "UNAVAILABLE", code: 503, param: "p", status: 503 }
    ],
    ["a message that only looks like JSON", { error: { message: "{\"a\":1}" } }, { message: "{\"a\":1}" }],
    ["an AWS error", { __type: "com.amazon#ThrottlingException", Message: message }, {
      message,
      type: "ThrottlingException"
    }],
    ["an AWS exception member", { throttlingException: { message } }, { message, type: "throttlingException" }],
    ["a Cohere error", { error_type: "T", id: "id-1", message }, { message, type: "T", requestId: "id-1" }],
    ["a flat error", { code: 400, message, type: "Bad Request" }, {
      message,
      type: "Bad Request",
      code: 400,
      status: 400
    }],
    ["a problem document", { type: "about:blank", title: "Oil", detail: message, status: 422 }, {
      message,
      status: 422
    }],
    ["a fault", { fault: { faultstring: message } }, { message }],
    ["a MiniMax error", { choices: null, base_resp: { status_code: 1008, status_msg: message } }, {
      message,
      code: 1008
    }],
    ["no MiniMax error at 0", { base_resp: { status_code: 0, status_msg: "success" } }, undefined],
    ["a status word", { status: "error", message }, { message }],
    ["msg and code", { msg: message, code: 1002 }, { message, code: 1002 }],
    ["error_message", { error_message: message }, { message }],
    ["reason", { reason: message }, { message }],
    ["an error of a Responses event", { type: "error", code: "c", message, param: null, sequence_number: 3 }, {
      message,
      code: "c"
    }],
    ["a failed response", { type: "response.failed", response: { error: { code: "c", message } } }, {
      message,
      code: "c"
    }],
    ["an error of a choice", { id: "g", choices: [{ error: { code: 502, message }, finish_reason: "error" }] }, {
      message,
      code: 502,
      status: 502
    }],
    ["an error without a text", { error: { type: "server_error", code: null } }, {
      message: "server_error",
      type: "server_error"
    }],
    ["Hugging Face's estimate", { error: message, estimated_time: 20 }, { message, retryAfterMillis: 20_000 }],
    ["a delay in the text", { error: { message: "Try again in 2.5s." } }, {
      message: "Try again in 2.5s.",
      retryAfterMillis: 2500
    }],
    ["nothing in an answer", { message: { role: "assistant", content: "hi" }, done: true }, undefined],
    ["nothing in an empty object", {}, undefined],
    ["nothing in a number", 7, undefined]
  ]
  for (const [name, body, expected] of shapes) {
    it(`reads ${name}`, () => assert.deepStrictEqual(readErrorBody(body), expected))
  }

  it("takes the type of an AWS event from its name", () => {
    assert.deepStrictEqual(readErrorBody({ message }, "throttlingException"), { message, type: "throttlingException" })
    assert.deepStrictEqual(readErrorBody({ message }, "error"), { message })
  })

  it("keeps the provider's text exactly", () => {
    const text = "  two\nlines, \u00e9\ud83d\ude00 and a tail  "
    assert.strictEqual(readErrorBody({ error: { message: text } })?.message, text)
  })

  it("never throws, whatever the JSON", () => {
    const key = fc.constantFrom(
      "error",
      "message",
      "detail",
      "errors",
      "type",
      "code",
      "details",
      "base_resp",
      "status",
      "choices",
      "msg"
    )
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof(
        { maxDepth: 6 },
        fc.jsonValue(),
        fc.json(),
        fc.array(tie("tree"), { maxLength: 3 }),
        fc.dictionary(key, tie("tree"), { maxKeys: 5 })
      )
    }))
    fc.assert(fc.property(tree, fc.option(fc.string(), { nil: undefined }), (json, event) => {
      const found = readErrorBody(json, event)
      if (found !== undefined) {
        assert.isString(found.message)
        classify(found)
      }
      assert.isTrue(!isErrorBody(json) || readErrorBody(json) !== undefined)
    }))
  })
})

describe("readErrorText", () => {
  it.each<readonly [name: string, body: string, expected: ErrorBody | undefined]>([
    ["JSON", JSON.stringify({ error: { message } }), { message }],
    ["a JSON text", JSON.stringify(message), { message }],
    ["an error event", `event: error\ndata: {"error":{"message":"${message}","type":"t"}}\n\n`, { message, type: "t" }],
    [
      "an event with comments and CRLF",
      `id:1\r\nevent:error\r\n:HTTP_STATUS/400\r\ndata:{"code":"c","message":"${message}"}\r\n\r\n`,
      { message, code: "c" }
    ],
    ["an event before [DONE]", `data: {"error":"${message}"}\n\ndata: [DONE]\n\n`, { message }],
    ["an event of plain text", `event: error\ndata: ${message}\n\ndata: [DONE]\n`, { message }],
    ["a field named error", `: hello\nerror: {"message":"${message}"}\n`, { message }],
    ["a line of JSON after another", `{"ok":true}\n{"error":"${message}"}\n`, { message }],
    ["plain text", "upstream connect error\n\"reset\" before headers", undefined],
    ["a page", "<html>\n<h1>502</h1>\n</html>", undefined],
    ["nothing", "", undefined],
    ["an end without an error", "data: [DONE]\n\n", undefined]
  ])("reads %s", (_, body, expected) => {
    assert.deepStrictEqual(readErrorText(body), expected)
  })
})

describe("isErrorBody", () => {
  it("takes a status that has no text for no word of failure", () => {
    assert.isFalse(isErrorBody({ message, status: { toString: null, valueOf: null } }))
  })

  const errors: ReadonlyArray<unknown> = [
    { error: { message } },
    { error: message },
    [{ error: { code: 400, message } }],
    { id: "x", choices: [{ delta: {}, finish_reason: "error" }], error: { code: 502, message } },
    { type: "error", error: { type: "api_error", message } },
    { type: "error", code: "c", message },
    { object: "error", message, code: 40_301 },
    { detail: message },
    { success: false, errors: [{ code: 1, message }] },
    { base_resp: { status_code: 1002, status_msg: message }, choices: null },
    { __type: "ValidationException", message },
    { code: "1302", msg: message },
    { error_type: "TOO_MANY_TOKENS", id: "1", message },
    { id: "1", message },
    { status: 503, title: "t", detail: message }
  ]
  const answers: ReadonlyArray<unknown> = [
    {},
    [],
    null,
    "text",
    { error: null, object: "response", status: "completed", output: [] },
    { error: {}, choices: [{ message: { content: "hi" } }] },
    { error: "", response: "hi", done: false },
    { error: { code: 0, message: "success" }, choices: [] },
    { type: "message", role: "assistant", content: [{ type: "text", text: "error: invalid" }] },
    { type: "message_start", message: { id: "m", content: [] } },
    { type: "ping" },
    { type: "content_block_delta", delta: { text: "error" } },
    { candidates: [{ content: { parts: [{ text: "hi" }] } }] },
    { promptFeedback: { blockReason: "SAFETY" } },
    { model: "m", message: { role: "assistant", content: "" }, done: false },
    { id: "1", message: { role: "assistant", content: [] }, finish_reason: "COMPLETE" },
    { code: 0, msg: "ok", data: {} },
    { base_resp: { status_code: 0, status_msg: "" }, choices: [{ delta: { content: "x" } }] },
    { type: "response.completed", response: { error: null } }
  ]
  for (const body of errors) it(`holds for ${JSON.stringify(body)}`, () => assert.isTrue(isErrorBody(body)))
  for (const body of answers) it(`does not hold for ${JSON.stringify(body)}`, () => assert.isFalse(isErrorBody(body)))
})

describe("errorTable", () => {
  for (const row of errorTable) {
    const sent = [row.status ?? "in-stream", row.type, row.code].filter((part) => part !== undefined).join(" ")
    it(`maps ${row.provider} ${sent} "${row.message.slice(0, 60)}" to ${row.reason}`, () => {
      assert.strictEqual(classify(row), row.reason)
      const reason = new reasons[row.reason]({ message: row.message, status: row.status, kind: "tokens" })
      assert.strictEqual(reason.isRetryable, row.retryable)
      assert.match(row.source, /^https:\/\//)
    })
  }

  it("covers every status and reason that providers document", () => {
    const statuses = new Set(errorTable.map((row) => row.status))
    for (
      const status of [400, 401, 402, 403, 404, 408, 409, 413, 422, 425, 429, 498, 499, 500, 502, 503, 504]
        .concat([520, 521, 522, 523, 524, 525, 526, 527, 528, 529])
    ) {
      assert.isTrue(statuses.has(status), String(status))
    }
    assert.strictEqual(new Set(errorTable.map((row) => row.reason)).size, 10)
    assert.isAtLeast(errorTable.length, 80)
    assert.isAtLeast(new Set(overflowTexts.map((row) => row.provider)).size, 20)
    assert.sameMembers([...new Set(overflowTexts.map((row) => row.provider))], Object.keys(overflowPatterns))
  })
})

describe("classify", () => {
  for (const { provider, sample } of overflowTexts) {
    it(`knows ${provider}'s "${sample.slice(0, 50)}" with 400, with 500 and in a stream`, () => {
      assert.match(sample, overflowPatterns[provider])
      for (const status of [400, 500, undefined]) {
        assert.strictEqual(classify({ status, message: sample }), "ContextLength")
      }
    })
  }

  it("does not take a throttle that counts tokens for an overflow", () => {
    for (const status of [undefined, 429, 400]) {
      assert.strictEqual(
        classify({ status, type: "ThrottlingException", message: "Too many tokens, please wait before trying again." }),
        "RateLimit"
      )
    }
    assert.strictEqual(classify({ message: "ThrottlingException: Too many tokens" }), "RateLimit")
  })

  it("takes 413 without a body for an overflow, a 400 without a text for a validation error", () => {
    assert.strictEqual(classify({ status: 413, message: "" }), "ContextLength")
    assert.strictEqual(classify({ status: 400, message: "" }), "Validation")
  })

  it("takes a numeric code inside a 200 for the status", () => {
    assert.strictEqual(classify({ status: 200, code: 429, message }), "RateLimit")
    assert.strictEqual(classify({ code: "503", message }), "Overloaded")
    assert.strictEqual(classify({ code: 401, message }), "Authentication")
    assert.strictEqual(classify({ code: 200, message }), "Provider")
  })

  it("looks into the body where a gateway's message says nothing", () => {
    const body = JSON.stringify({ metadata: { raw: "prompt is too long: 208310 tokens > 200000 maximum" } })
    assert.strictEqual(classify({ status: 400, message: "Provider returned error", body }), "ContextLength")
    assert.strictEqual(classify({ status: 400, message, body }), "Validation")
  })

  it("gives every status from 400 to 599 a reason, retryable as the conventions say", () => {
    for (let status = 400; status < 600; status++) {
      const reason = new reasons[classify({ status, message: "" })]({ message: "", status, kind: "tokens" })
      const expected = status === 420 || status === 498 || LlmError.isRetryableStatus(status)
      assert.strictEqual(reason.isRetryable, expected, String(status))
    }
  })

  it("never throws and stays quick on hostile text", () => {
    fc.assert(fc.property(
      fc.record({
        status: fc.option(fc.integer(), { nil: undefined }),
        type: fc.string(),
        code: fc.oneof(fc.string(), fc.double()),
        message: fc.string()
      }),
      (failure) => assert.isString(classify(failure))
    ))
    // Time of the processor, which a loaded machine has less of but does not need more of.
    const started = process.cpuUsage()
    for (const piece of ["quota ", "exceeded ", "model ", "input ", "  ", "retry in ", "context length ", "no ", "1"]) {
      const text = piece.repeat(20_000)
      classify({ status: 400, message: text })
      classify({ status: 429, message: text })
      retryDelayFromMessage(text)
    }
    assert.isBelow(process.cpuUsage(started).user / 1000, 2000)
  })
})

describe("retryDelayFromMessage", () => {
  const cases: ReadonlyArray<readonly [string, number | undefined]> = [
    ["Rate limit reached. Please try again in 2.5s.", 2500],
    ["Please retry after 30 seconds.", 30_000],
    ["Please wait 114h18m0s", 411_480_000],
    ["in 6m0s", 360_000],
    ["in 20ms", 20],
    ["try again in 1 minute", 60_000],
    ["wait 1 hour and 30 minutes", 5_400_000],
    ["please try again after 1 seconds", 1000],
    ["Please retry in 21.5s.", 21_500],
    ["Quota will be replenished in 10 days.", 864_000_000],
    ["limit of 10 requests in 1 minute", undefined],
    ["try again later", undefined],
    ["try again in 5 models", undefined],
    ["", undefined]
  ]
  for (const [text, expected] of cases) {
    it(`finds ${expected} ms in "${text}"`, () => assert.strictEqual(retryDelayFromMessage(text), expected))
  }

  it("never throws and never gives a negative delay", () => {
    fc.assert(fc.property(fc.string(), (text) => {
      const delay = retryDelayFromMessage(`retry in ${text}`)
      assert.isTrue(delay === undefined || delay >= 0)
    }))
  })
})
