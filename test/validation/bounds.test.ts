// Where what is taken ends: of every option the last value on either side, and of every form the nearest that is none.
import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Redacted from "effect/Redacted"
import * as fc from "fast-check"
import { type LlmRequest, validate } from "../../src/LlmRequest.ts"
import { credential } from "../../src/validation/credential.ts"
import { credentialNamed, holdsCredential } from "../../src/validation/credentialNames.ts"
import { headerIssue, headerValueIssue, sentHeaders } from "../../src/validation/headers.ts"
import { duration, kindOf, listOf, maxEntries, recordOf, text } from "../../src/validation/values.ts"

const field = (given: object): string | undefined => validate({ prompt: "Hi", ...given } as LlmRequest)?.field
const most = Number.MAX_SAFE_INTEGER
const function_ = (more: object = {}) => ({ type: "function", name: "t", parameters: { type: "object" }, ...more })

/** Of each option: what is taken, and what is not. */
const options: { readonly [name: string]: readonly [taken: ReadonlyArray<unknown>, refused: ReadonlyArray<unknown>] } =
  {
    system: [["", "a"], [null, 1, {}]],
    model: [["m"], ["", "  ", null, 1]],
    label: [["", "a"], [null, 1]],
    maxTokens: [[1, most], [0, -1, 1.5, most + 1, "1", Number.NaN]],
    temperature: [[0, 2, 0.7], [-0.01, 2.01, Number.NaN, "1"]],
    topP: [[0, 1], [-0.01, 1.01, null]],
    topK: [[1], [0, 1.5]],
    frequencyPenalty: [[-100, 0, 1.5], [Infinity, Number.NaN, "0"]],
    presencePenalty: [[-100, 0, 1.5], [-Infinity, "0"]],
    stop: [[[], ["a", ""]], ["a", [1], {}]],
    seed: [[-most, 0, most], [most + 1, 0.5, "1"]],
    tools: [[[], [function_()]], [{}, [{}], [{ type: "other", name: "t" }], [{ type: "toString" }]]],
    toolChoice: [["auto", "none"], ["any", {}, { name: 1 }, null, { name: "nobody" }]],
    parallelToolCalls: [[true, false], [0, "true", null]],
    responseFormat: [
      [{ type: "text" }, { type: "json" }, { type: "json-schema", schema: {} }],
      ["json", {}, { type: "json_object" }, { type: "constructor" }, { type: "json-schema", schema: {}, name: "" }]
    ],
    thinking: [
      ["off", "minimal", "low", "medium", "high", "xhigh", "max", { budgetTokens: 1 }],
      ["none", { budgetTokens: 0 }, {}, true]
    ],
    effort: [["low", "medium", "high", "xhigh", "max"], ["minimal", "off", 1]],
    cache: [[{}, { recentTurns: 0, key: "", tools: true }], [{ recentTurns: -1 }, { tools: 1 }, { key: 1 }, true]],
    logprobs: [[true, false, 0, 20], [-1, 0.5, "1", null]],
    scope: [[{}, { requestId: "a", sessionId: "b", userId: "c" }], [{ requestId: 1 }, { sessionId: null }, "a"]],
    metadata: [[{}, { a: [null, 1, "x"] }], [[], "a", { a: 1n }, { a: [undefined] }]],
    priority: [[-1, 0, 0.5, 1e9], [Infinity, "1"]],
    providerOptions: [[{}, { openai: {} }], [{ openai: [] }, [], 1]],
    headers: [[{}, { a: "b", c: undefined }], [{ a: 1 }, [], "a"]],
    timeouts: [[{}, { idle: 0 }, { total: "1 minute" }], [{ idle: -1 }, { total: "a" }, []]],
    whole: [["auto", "streamed", "whole"], ["stream", true]],
    includeRaw: [[true, false], [1, "yes"]],
    apiKey: [[Redacted.make("a")], ["a", Redacted.make(1), {}]],
    providers: [
      [{}, { openai: { model: "m", origin: "https://api.openai.com" } }, { a: { origin: "HTTP://x/path" } }],
      [
        [],
        { openai: 1 },
        { openai: { model: "" } },
        { openai: { origin: "api.openai.com" } },
        {
          openai: { origin: "ftp://api.openai.com" }
        },
        { openai: { origin: "https://" } },
        { openai: { apiKey: "a" } }
      ]
    ]
  }

describe("An option", () => {
  it.each(Object.entries(options))(
    "%s is taken up to its last legal value and no further",
    (name, [taken, refused]) => {
      assert.isUndefined(field({ [name]: undefined }))
      for (const value of taken) assert.isUndefined(field({ [name]: value }), String(value))
      for (const value of refused) assert.match(field({ [name]: value }) ?? "taken", new RegExp(`^${name}(?:$|[.[])`))
    }
  )

  it("is checked as a layer's default by the same rules", async () => {
    const { issueOf } = await import("../../src/provider/options.ts")
    for (const [name, [taken, refused]] of Object.entries(options)) {
      if (["apiKey", "providers", "model", "label"].includes(name)) continue
      if (name === "toolChoice") continue
      for (const value of taken) assert.isUndefined(issueOf({ defaults: { [name]: value } }), name)
      for (const value of refused) {
        assert.match(issueOf({ defaults: { [name]: value } })?.field ?? "taken", new RegExp(`^defaults\\.${name}`))
      }
    }
  })
})

describe("Tools", () => {
  it.each<readonly [tool: unknown, field: string | undefined]>([
    [function_({ parameters: {} }), undefined],
    [function_({ parameters: { type: "string" } }), "tools[0].parameters.type"],
    [function_({ parameters: { type: ["object"] } }), "tools[0].parameters.type"],
    [function_({ parameters: { properties: { a: { type: ["string", "null"] }, b: true } } }), undefined],
    [function_({ parameters: { properties: { a: { type: "text" } } } }), "tools[0].parameters.properties.a.type"],
    [function_({ parameters: { properties: { a: 1 } } }), "tools[0].parameters.properties.a"],
    [function_({ parameters: { properties: [] } }), "tools[0].parameters.properties"],
    [function_({ parameters: { required: ["a"] } }), undefined],
    [function_({ parameters: { required: "a" } }), "tools[0].parameters.required"],
    [function_({ parameters: { required: [1] } }), "tools[0].parameters.required"],
    [function_({ strict: true, cacheControl: "extended", description: "" }), undefined],
    [function_({ strict: 1 }), "tools[0].strict"],
    [function_({ cacheControl: "forever" }), "tools[0].cacheControl"],
    [function_({ name: "" }), "tools[0].name"],
    [{ type: "custom", name: "c", format: { type: "text" } }, undefined],
    [{ type: "custom", name: "c", format: 1 }, "tools[0].format"],
    [{ type: "provider", name: "p", definition: {} }, undefined],
    [{ type: "provider", name: "p" }, "tools[0].definition"]
  ])("are of a kind, with a name and a schema of an object: %j", (tool, expected) => {
    assert.strictEqual(field({ tools: [tool] }), expected)
  })

  it("have names of their own, and a choice is among them", () => {
    const tools = [function_(), function_({ name: "u" })]
    assert.isUndefined(field({ tools, toolChoice: { name: "u" } }))
    assert.isUndefined(field({ tools, toolChoice: "required" }))
    assert.strictEqual(field({ tools, toolChoice: { name: "v" } }), "toolChoice")
    assert.strictEqual(field({ tools: [], toolChoice: "required" }), "toolChoice")
    assert.strictEqual(field({ toolChoice: "required" }), "toolChoice")
    assert.strictEqual(field({ tools: [...tools, function_()] }), "tools[2].name")
  })
})

describe("What is said", () => {
  it.each<readonly [given: object, field: string | undefined]>([
    [{ prompt: "" }, "prompt"],
    [{ prompt: undefined }, "messages"],
    [{ messages: [{ role: "user", content: "a" }] }, "prompt"],
    [{ prompt: undefined, messages: [] }, "messages"],
    [{ prompt: undefined, messages: [{ role: "system", content: "a" }] }, "messages"],
    [{ prompt: undefined, messages: [{ role: "tool", content: [] }] }, "messages"],
    [
      { prompt: undefined, messages: [{ role: "system", content: "a" }, { role: "assistant", content: "b" }] },
      undefined
    ],
    [{ prompt: undefined, messages: [{ role: "bot", content: "a" }] }, "messages[0].role"],
    [{ prompt: undefined, messages: [{ role: "tool", content: "a" }] }, "messages[0].content"]
  ])("is a prompt or a conversation that can begin: %j", (given, expected) => {
    assert.strictEqual(field(given), expected)
  })

  const part = (role: string, content: object) =>
    field({ prompt: undefined, messages: [{ role: "user", content: "a" }, { role, content: [content] }] })

  it.each<readonly [part: object, roles: string]>([
    [{ type: "text", text: "" }, "system user assistant"],
    [{ type: "reasoning", text: "" }, "system user assistant"],
    [{ type: "tool-call", id: "1", name: "t", arguments: {} }, "assistant"],
    [{ type: "tool-result", toolCallId: "1", content: "" }, "user tool"],
    [{ type: "tool-result", toolCallId: "", content: "" }, ""],
    [{ type: "tool-call", id: "", name: "t", arguments: {} }, ""],
    [{ type: "tool-call", id: "1", name: "t", arguments: {}, invalid: false }, ""],
    [{ type: "video" }, ""],
    [{ type: "toString" }, ""],
    [{ type: "image", source: { type: "file", fileId: " " } }, "assistant"],
    [{ type: "image", source: { type: "file", fileId: "f" }, detail: "huge" }, ""],
    [{ type: "file", source: { type: "url", url: "https://a/b" }, citations: 1 }, ""],
    [{ type: "audio", source: { type: "toString" } }, ""]
  ])("has each part where it belongs: %j", (given, roles) => {
    const found = ["system", "user", "assistant", "tool"].filter((role) => part(role, given) === undefined)
    assert.deepStrictEqual(found, roles.split(" ").filter((role) => role !== ""))
  })

  it("has media that are whole", () => {
    const source = (source: object) => part("user", { type: "image", source })
    const data = (data: string, mediaType = "image/png") => source({ type: "base64", data, mediaType })
    for (const good of ["AAAA", "AAA=", "AA==", "+/+/"]) assert.isUndefined(data(good), good)
    for (const bad of ["A===", "AA=A", "AAAA=", "AAAAA", "====", "AAA\n", "AA-_", ""]) assert.isDefined(data(bad), bad)
    for (const good of ["image/png", "text/plain; charset=utf-8", `a/${"b".repeat(253)}`]) {
      assert.isUndefined(data("AAAA", good))
    }
    for (const bad of ["image", "/png", "image/", "image/png\r\n", `a/${"b".repeat(254)}`]) {
      assert.isDefined(data("AAAA", bad))
    }
    const url = (url: string) => source({ type: "url", url })
    const far = "x".repeat(1_000_000)
    for (const good of ["https://a/b", "data:,a", "DATA:image/png;BASE64,AAAA", `https://a/${far.slice(10)}`]) {
      assert.isUndefined(url(good))
    }
    for (
      const bad of [
        "a/b",
        "https://a/\nb",
        "data:image/png;base64,AAA",
        "data:png;base64,AAAA",
        "data:a",
        "data:a/b,",
        `data:a/b;${far.slice(0, 1000)},a`,
        `https://a/${far}`
      ]
    ) assert.isDefined(url(bad), bad.slice(0, 40))
    for (const bad of ["", "a/../b", "a\u0000b", "."]) assert.isDefined(source({ type: "file", fileId: bad }))
    assert.isUndefined(source({ type: "file", fileId: "files/a" }))
  })
})

describe("A duration", () => {
  it("is any that Effect knows, none that is negative, and no other thing", () => {
    const good = [0, 1.5, Infinity, 5n, "20 seconds", "Infinity", [1, 2], { seconds: 1 }, {
      minutes: 1,
      hours: undefined
    }, {}]
    const bad = [
      -1,
      Number.NaN,
      "soon",
      "-1 second",
      [1],
      [1, 2, 3],
      [1, "2"],
      { seconds: "1" },
      { years: 1 },
      null,
      true,
      Symbol("a"),
      new Date(0),
      Duration.millis(-1)
    ]
    for (const value of [...good, Duration.infinity, Duration.seconds(1)]) assert.isUndefined(duration(value))
    for (const value of bad) assert.isDefined(duration(value), kindOf(value))
  })
})

describe("Lists and records", () => {
  it("have as many entries as can be checked, and each is told by its place", () => {
    // The first of them is none: so far it is looked at.
    assert.strictEqual(listOf(text)(Array(maxEntries))?.field, "[0]")
    assert.strictEqual(listOf(text)(Array(maxEntries + 1))?.field, "")
    assert.strictEqual(listOf(text)(["a", 1])?.field, "[1]")
    assert.strictEqual(recordOf(text)({ a: "a", b: 1 })?.field, ".b")
    const long = "k".repeat(61)
    assert.strictEqual(recordOf(text)({ [long]: 1 })?.field, `.${"k".repeat(60)}…`)
    assert.strictEqual(recordOf(text)({ [long.slice(1)]: 1 })?.field, `.${"k".repeat(60)}`)
    for (const other of [new Map(), new Date(0), [], "a", null]) assert.isDefined(recordOf(text)(other))
  })

  it("say what they got", () => {
    const kinds: ReadonlyArray<readonly [unknown, string]> = [
      [1, "1"],
      [true, "true"],
      [undefined, "nothing"],
      [
        "",
        "an empty text"
      ],
      ["a", "a text"],
      [1n, "a bigint"],
      [() => 1, "a function"],
      [null, "null"],
      [[], "an array"],
      [{}, "an object"]
    ]
    for (const [value, kind] of kinds) assert.strictEqual(kindOf(value), kind)
    const { proxy, revoke } = Proxy.revocable([], {})
    revoke()
    assert.strictEqual(kindOf(proxy), "an object")
  })
})

describe("A header", () => {
  it("has a name that is a token, a value of its bytes, and is not the client's own", () => {
    const issue = (name: string, value = "a") => headerIssue({ "x-first": "a", [name]: value })
    for (const name of ["x-a", "X_1", "a".repeat(256), "!#$%&'*+.^_`|~"]) assert.isUndefined(issue(name), name)
    for (const name of ["", "a b", "a:", "é", "a".repeat(257), "a\n"]) {
      assert.strictEqual(issue(name)?.field, "", name)
      assert.include(issue(name)?.message, "header 2")
    }
    for (const name of ["host", "Content-Length", "TRANSFER-encoding", "connection", "upgrade", "te", "expect"]) {
      assert.strictEqual(issue(name)?.field, `.${name}`)
    }
    for (const value of ["", " a\t", "é", "~", "a".repeat(64 * 1024), "a\n", "\r\na"]) {
      assert.isUndefined(issue("x", value))
    }
    for (const value of ["a\nb", "a\u0000", "ключ", "a\u007f", "a".repeat(64 * 1024 + 1)]) {
      assert.strictEqual(issue("x", value)?.field, ".x")
      assert.isDefined(headerValueIssue(value))
    }
    assert.isUndefined(headerIssue(undefined))
    assert.isUndefined(headerIssue({ host: undefined }))
  })

  it("is sent without the space around it, and not where it is undefined", () =>
    fc.assert(fc.property(fc.dictionary(fc.constantFrom("a", "b"), fc.constantFrom("", " x ", undefined)), (given) => {
      const expected = Object.entries(given).filter(([, value]) => value !== undefined)
      assert.deepStrictEqual(Object.entries(sentHeaders(given)), expected.map(([name, value]) => [name, value!.trim()]))
    })))
})

describe("A credential", () => {
  it("is a redacted text with something in it that a header can hold, and is never told", () => {
    const taken = [Redacted.make("a"), Redacted.make(" key\n")]
    const refused = [
      "a",
      undefined,
      Redacted.make(""),
      Redacted.make(" \n"),
      Redacted.make(1),
      Redacted.make("planted\nkey")
    ]
    for (const value of taken) assert.isUndefined(credential(value))
    for (const value of refused) {
      assert.isDefined(credential(value))
      assert.notInclude(credential(value)!.message, "planted")
    }
  })

  it("is known by the name that it stands under", () => {
    const listed = ["Authorization", "x-api-key", "API-KEY", "cookie", "x-goog-api-key"]
    const formed = [
      "x-portkey-virtual-key",
      "X-Gateway-Token",
      "my-secret",
      "X-Amz-Signature",
      "x-auth",
      "subscriptionKey",
      "apikey2-jwt",
      "sig",
      "x-pat",
      "x-vault-passphrase"
    ]
    const none = [
      "content-type",
      "x-portkey-provider",
      "x-max-tokens",
      "x-author",
      "x-snowflake-authorization-token-type",
      "keyboard",
      "x-tokenizer",
      "monkey",
      "signal",
      "x-key-id-count",
      "path"
    ]
    for (const name of listed) assert.strictEqual(credentialNamed(name), "listed", name)
    for (const name of formed) assert.strictEqual(credentialNamed(name), "form", name)
    for (const name of none) assert.isUndefined(credentialNamed(name), name)
    for (const name of [...listed, ...formed]) assert.isTrue(holdsCredential(name))
    // An account is private, but nothing can be called with it.
    assert.strictEqual(credentialNamed("OpenAI-Organization"), "listed")
    for (const name of [...none, "OpenAI-Organization", "openai-project"]) assert.isFalse(holdsCredential(name))
  })
})
