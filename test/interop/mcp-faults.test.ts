import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import * as TestClock from "effect/testing/TestClock"
import * as fc from "fast-check"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import type { IncomingMessage, ServerResponse } from "node:http"
import { tmpdir } from "node:os"
import { fileURLToPath } from "node:url"
import * as Agent from "../../src/agent/Agent.ts"
import * as Mcp from "../../src/interop/Mcp.ts"
import { TestLlm } from "../../src/testing/index.ts"
import { bodyOf, call, calling, legacy, listening, modern, partner } from "./mcp-partner.ts"

const text = (value: string) => ({ content: [{ type: "text", text: value }] })
const eras = { modern, legacy }

// =============================================================================
// Connections that are cut
// =============================================================================

/** Where a call's answer is cut: before the call is passed on, before it is answered, or so many bytes into the answer. */
type Cut = "unread" | "unanswered" | number

/** Stands before a server and cuts the answers to calls for as long as it is told to. */
const cutting = (target: string) => {
  const cuts: Array<Cut> = []
  return Effect.map(
    listening((request, response) =>
      void (async () => {
        const body = await bodyOf(request)
        const cut = body.includes("\"tools/call\"") ? cuts.shift() : undefined
        if (cut === "unread") return request.socket.destroy()
        const upstream = await fetch(target, {
          method: request.method!,
          headers: Object.entries(request.headers).flatMap(([name, value]) =>
            ["host", "connection", "content-length"].includes(name) ? [] : [[name, String(value)] as [string, string]]
          ),
          ...(request.method === "POST" ? { body } : undefined)
        })
        const headers = Object.fromEntries([...upstream.headers].filter(([name]) => name !== "content-length"))
        if (request.method === "GET") {
          response.writeHead(upstream.status, headers).flushHeaders()
          return await upstream.body?.cancel()
        }
        const answer = Buffer.from(await upstream.arrayBuffer())
        if (cut === "unanswered") return request.socket.destroy()
        response.writeHead(upstream.status, headers)
        if (cut === undefined) return response.end(answer)
        response.flushHeaders()
        response.write(answer.subarray(0, Math.min(cut, answer.length - 3)), () => request.socket.destroy())
      })().catch(() => response.destroy())
    ),
    ({ url }) => ({ url, cuts })
  )
}

for (const era of ["modern", "legacy"] as const) {
  describe(`A call whose connection is cut, ${era}`, () => {
    const tools = (calls: Array<string>) =>
      partner([
        { name: "pay", run: () => text("paid") },
        { name: "read", annotations: { readOnlyHint: true }, run: () => text("read") },
        { name: "put", annotations: { idempotentHint: true }, run: () => text("put") }
      ], { calls })

    it.effect("is made once and unknown, or repeated where that does no harm, wherever it was cut", () =>
      Effect.gen(function*() {
        const calls: Array<string> = []
        const { url } = yield* eras[era](tools(calls))
        const proxy = yield* cutting(url)
        const handlers = yield* (yield* Mcp.make({ s: { endpoint: Mcp.http(proxy.url) } })).tools
        for (const cut of ["unread", "unanswered", 1, 20, 60, 1_000_000] as const) {
          calls.length = 0
          proxy.cuts.push(cut)
          assert.strictEqual((yield* call(handlers, "s_pay", {}))._tag, "Lost", `cut ${cut}`)
          assert.deepStrictEqual(calls, cut === "unread" ? [] : ["pay"])
          calls.length = 0
          proxy.cuts.push(cut)
          const name = cut === 1 ? "put" : "read"
          assert.strictEqual((yield* calling(handlers, `s_${name}`, {})).content, name, `cut ${cut}`)
          assert.deepStrictEqual(calls, cut === "unread" ? [name] : [name, name])
        }
      }))

    it.effect("gives up repeating, and says so", () =>
      Effect.gen(function*() {
        const calls: Array<string> = []
        const { url } = yield* eras[era](tools(calls))
        const proxy = yield* cutting(url)
        proxy.cuts.push(...Array.from({ length: 9 }, () => "unanswered" as const))
        const servers = yield* Mcp.make({
          s: { endpoint: Mcp.http(proxy.url) },
          told: { endpoint: Mcp.http(proxy.url), onLost: "tell" },
          wary: { endpoint: Mcp.http(proxy.url), trustAnnotations: false }
        })
        const handlers = yield* servers.tools
        assert.isTrue((yield* calling(handlers, "s_read", {})).isError)
        assert.deepStrictEqual(calls, ["read", "read", "read"])
        assert.include(
          (yield* calling(handlers, "told_pay", {})).content as string,
          "Whether it had an effect is not known"
        )
        assert.strictEqual((yield* call(handlers, "wary_read", {}))._tag, "Lost")
      }))

    it.effect("is a call of unknown outcome to its run, which goes on as the application says", () =>
      Effect.gen(function*() {
        const calls: Array<string> = []
        const { url } = yield* eras[era](tools(calls))
        const proxy = yield* cutting(url)
        proxy.cuts.push("unanswered")
        const agent = Agent.make({ tools: yield* (yield* Mcp.make({ s: { endpoint: Mcp.http(proxy.url) } })).tools })
        const llm = TestLlm.layer({ answers: [[{ type: "tool-call", id: "a", name: "s_pay", arguments: {} }], "done"] })
        yield* Effect.gen(function*() {
          const first = yield* Agent.run(agent, { prompt: "Pay." })
          assert.deepStrictEqual([first.status, first.waiting.unknown.length, calls], ["waiting", 1, ["pay"]])
          const { status } = yield* Agent.run(agent, {
            state: first.state,
            repeat: [{ call: first.waiting.unknown[0]!.call }]
          })
          assert.deepStrictEqual([status, calls], ["done", ["pay", "pay"]])
        }).pipe(Effect.provide(llm))
      }))
  })
}

describe("A program", () => {
  const program = fileURLToPath(new URL("mcp-stdio.ts", import.meta.url))
  const started = (kind: "modern" | "legacy" | "raw", limits?: Mcp.Limits) =>
    Effect.gen(function*() {
      const folder = yield* Effect.acquireRelease(
        Effect.sync(() => mkdtempSync(`${tmpdir()}/mcp-`)),
        (folder) => Effect.sync(() => rmSync(folder, { recursive: true }))
      )
      const log = `${folder}/log`
      const servers = yield* Mcp.make({
        s: {
          endpoint: Mcp.stdio(process.execPath, { args: [program, kind, log], env: { MINE: "1" } }),
          era: kind === "modern" ? "auto" : "legacy",
          limits
        }
      })
      return { servers, handlers: yield* servers.tools, log: () => readFileSync(log, "utf8").split("\n").slice(0, -1) }
    })

  for (const kind of ["modern", "legacy"] as const) {
    it.live(
      `that is the official server (${kind}) is started again when it died, and its call is not made again`,
      () =>
        Effect.gen(function*() {
          const { handlers, log, servers } = yield* started(kind)
          assert.strictEqual((yield* calling(handlers, "s_echo", { value: "hi" })).content, "hi")
          assert.strictEqual((yield* call(handlers, "s_pay", {}))._tag, "Lost")
          assert.deepStrictEqual(log(), ["pay"])
          assert.strictEqual((yield* calling(handlers, "s_echo", { value: "again" })).content, "again")
          assert.strictEqual((yield* servers.status)[0]!.version, kind === "modern" ? "2026-07-28" : "2025-11-25")
        }),
      60_000
    )
  }

  it.live(
    "knows little of us, is heard no further than is said, and read from again where that does no harm",
    () =>
      Effect.gen(function*() {
        const { handlers, log } = yield* started("raw", { messageBytes: 100_000, repeats: 1 })
        const environment = (yield* calling(handlers, "s_environment", {})).content as string
        assert.include(environment, "MINE")
        assert.notInclude(environment, "VITEST")
        assert.strictEqual((yield* calling(handlers, "s_noise", {})).content, "heard")
        assert.isTrue((yield* calling(handlers, "s_read", {})).isError)
        assert.deepStrictEqual(log(), ["read", "read"])
        assert.strictEqual((yield* call(handlers, "s_flood", {}))._tag, "Lost")
        assert.strictEqual((yield* calling(handlers, "s_echo", { value: "hi" })).content, "hi")
      }),
    60_000
  )
})

// =============================================================================
// Servers that mean harm
// =============================================================================

type Answer = unknown | ((response: ServerResponse, id: number, request: IncomingMessage) => void)

/** A modern server that answers each method with what is given. */
const hostile = (answers: { readonly [method: string]: (params: Record<string, unknown>) => Answer }) =>
  listening((request, response) =>
    void (async () => {
      const body = JSON.parse(await bodyOf(request)) as { id?: number; method: string; params: Record<string, unknown> }
      const { id, method, params } = body
      const made = answers[method]?.(params)
      const answer = method === "server/discover"
        ? {
          resultType: "complete",
          supportedVersions: ["2026-07-28"],
          capabilities: { tools: {}, resources: {}, prompts: {} },
          ttlMs: 0,
          cacheScope: "private"
        }
        : made
      if (typeof answer === "function") return answer(response, id, request)
      response.writeHead(200, { "content-type": "application/json" })
      response.end(JSON.stringify({
        jsonrpc: "2.0",
        id,
        ...(answer === undefined
          ? { error: { code: -32_601, message: "Method not found" } }
          : { result: answer })
      }))
    })().catch(() => response.destroy())
  )

const complete = (fields: object) => ({ resultType: "complete", ...fields })
const tool = (name: unknown, more: object = {}) => ({ name, inputSchema: { type: "object" }, ...more })
const list = (tools: unknown, more: object = {}) => () =>
  complete({ tools, ttlMs: 3_600_000, cacheScope: "private", ...more })

const withTools = (
  answers: Parameters<typeof hostile>[0],
  limits: Mcp.Limits = {},
  headers: Record<string, string> = {}
) =>
  Effect.gen(function*() {
    const { url } = yield* hostile(answers)
    const servers = yield* Mcp.make({ s: { endpoint: Mcp.http(url, { headers }), prefix: "", limits } })
    return { servers, handlers: yield* servers.tools }
  })

const raw =
  (status: number, headers: Record<string, string>, body: string | Buffer): Answer => (response: ServerResponse) =>
    void response.writeHead(status, headers).end(body)

const json = { "content-type": "application/json" }

describe("A server that means harm", () => {
  it.effect("gives lists without end, and is read so far", () =>
    Effect.gen(function*() {
      let page = 0
      const endless = yield* withTools({
        "tools/list": () =>
          complete({ tools: [tool(`t${page++}`)], nextCursor: `c${page}`, ttlMs: 3_600_000, cacheScope: "private" })
      })
      assert.deepStrictEqual([endless.handlers.tools.length, page], [64, 64])
      assert.include((yield* endless.servers.status)[0]!.problems.join(), "more pages")
      page = 0
      const circle = yield* withTools({
        "tools/list": () =>
          complete({ tools: [tool(`t${page++}`)], nextCursor: "same", ttlMs: 3_600_000, cacheScope: "private" })
      })
      assert.deepStrictEqual([circle.handlers.tools.length, page], [2, 2])
      const huge = yield* withTools({ "tools/list": list(Array.from({ length: 5000 }, (_, n) => tool(`t${n}`))) })
      assert.strictEqual(huge.handlers.tools.length, 512)
      assert.include((yield* huge.servers.status)[0]!.problems.join(), "longer than is read")
      const fat = yield* withTools({
        "tools/list": list([tool("a", { description: "x".repeat(300 * 1024) }), tool("b")])
      })
      assert.deepStrictEqual(fat.handlers.tools.map(({ name }) => name), ["b"])
    }))

  it.effect("describes tools wrongly, and the others are there", () =>
    Effect.gen(function*() {
      const { handlers, servers } = yield* withTools({
        "tools/list": list([
          null,
          "text",
          7,
          tool(""),
          tool(5),
          tool("no-schema", { inputSchema: undefined }),
          tool("true", { inputSchema: true }),
          tool("string", { inputSchema: { type: "string" } }),
          tool("bad-description", { description: { a: 1 } }),
          tool("bad-hints", { annotations: "none", outputSchema: [] }),
          tool("ref", { inputSchema: { type: "object", $ref: "#/$defs/a", $defs: { a: { $ref: "#/$defs/a" } } } }),
          tool("header", {
            inputSchema: { type: "object", properties: { a: { type: "object", "x-mcp-header": "A" } } }
          }),
          tool("twice", { description: "first" }),
          tool("twice", { description: "second" }),
          tool("__proto__"),
          tool("constructor"),
          tool("with space"),
          tool("a.b"),
          tool("a/b"),
          tool("名前")
        ]),
        "tools/call": ({ name }) => complete(text(`ran ${String(name)}`))
      })
      const names = handlers.tools.map(({ name }) => name)
      assert.strictEqual(new Set(names).size, names.length)
      assert.isTrue(names.every((name) => /^[A-Za-z_][A-Za-z0-9_-]{0,63}$/.test(name)))
      for (const kept of ["no-schema", "true", "bad-description", "bad-hints", "ref", "twice", "constructor"]) {
        assert.include(names, kept)
      }
      for (const dropped of ["string", "header"]) assert.notInclude(names, dropped)
      const described = yield* servers.describe
      for (const own of ["__proto__", "with space", "a.b", "a/b", "名前"]) {
        const { offeredAs } = described.find(({ name }) => name === own)!
        assert.strictEqual((yield* calling(handlers, offeredAs, {})).content, `ran ${own}`)
      }
      assert.strictEqual(described.find(({ name }) => name === "twice")!.description, "first")
    }))

  it.effect("answers calls with anything, and is told of as an error or is lost, never more", () =>
    Effect.gen(function*() {
      let answer: Answer
      const { handlers } = yield* withTools(
        { "tools/list": list([tool("t")]), "tools/call": () => answer },
        { messageBytes: 50_000, mediaBytes: 100 }
      )
      const outcome = Effect.suspend(() => call(handlers, "t", {}))
      const deep = `${"[".repeat(2000)}${"]".repeat(2000)}`
      const told: ReadonlyArray<readonly [string, Answer, string]> = [
        ["a protocol error", undefined, "Method not found"],
        ["no result type", {}, "cannot be read"],
        ["another result type", { resultType: "later" }, "cannot be read"],
        ["neither state nor requests", { resultType: "input_required" }, "cannot be read"],
        ["requests that are none", { resultType: "input_required", inputRequests: { a: 5 } }, "asked for something"],
        ["a page that is none", {
          resultType: "input_required",
          inputRequests: {
            a: { method: "elicitation/create", params: { mode: "url", message: "m", url: "javascript:alert(1)" } }
          }
        }, "cannot be shown"],
        ["a model", {
          resultType: "input_required",
          inputRequests: { a: { method: "sampling/createMessage", params: {} } }
        }, "a model"],
        ["too many requests", {
          resultType: "input_required",
          inputRequests: Object.fromEntries(
            Array.from({ length: 100 }, (_, n) => [`k${n}`, { method: "elicitation/create", params: { message: "m" } }])
          )
        }, "more at once"],
        ["too large", complete(text("x".repeat(60_000))), "larger than is read"],
        [
          "too deep",
          (response: ServerResponse, id: number) =>
            void response.writeHead(200, json).end(
              `{"jsonrpc":"2.0","id":${id},"result":{"resultType":"complete","content":[],"structuredContent":${deep}}}`
            ),
          "deeper"
        ],
        ["HTML", raw(200, { "content-type": "text/html" }, "<h1>Sign in</h1>"), "cannot be read"],
        ["401", raw(401, json, "{}"), "HTTP 401"],
        ["429", raw(429, json, "slow down"), "slow down"],
        ["503", raw(503, json, "x".repeat(1_000_000)), "HTTP 503"]
      ]
      for (const [name, given, words] of told) {
        answer = given
        const result = yield* outcome
        assert.strictEqual(result._tag, "Output", name)
        assert.include(String((result as { content: unknown }).content), words, name)
      }
      const lost: ReadonlyArray<readonly [string, Answer]> = [
        ["502", raw(502, json, "bad gateway")],
        ["202", raw(202, {}, "")],
        ["no JSON", raw(200, json, "{\"jsonrpc\":")],
        ["no message", raw(200, json, "{\"hello\":1}")],
        [
          "events without an answer",
          raw(
            200,
            { "content-type": "text/event-stream" },
            "event: message\ndata: {\"x\":1}\n\n: ping\n\ndata: nothing\n\n"
          )
        ],
        ["an empty stream", raw(200, { "content-type": "text/event-stream" }, "")]
      ]
      for (const [name, given] of lost) {
        answer = given
        assert.strictEqual((yield* outcome)._tag, "Lost", name)
      }
      const shown: ReadonlyArray<readonly [object, unknown]> = [
        [{ content: "plain" }, "plain"],
        [{ content: [{ type: "video", src: 1 }] }, "{\"type\":\"video\",\"src\":1}"],
        [{ content: [null, 5, { type: "text" }] }, "null\n5\n{\"type\":\"text\"}"],
        [{}, ""],
        [{ toolResult: { a: 1 } }, "{\"a\":1}"],
        [
          { content: [{ type: "image", data: "!!", mimeType: "image/png" }] },
          "[an image (image/png) that cannot be read]"
        ],
        [
          { content: [{ type: "image", data: "AAAA".repeat(100), mimeType: "image/png" }] },
          "[an image (image/png, 300 bytes) was left out: it is too large]"
        ],
        [{ content: [{ type: "text", text: "a" }], structuredContent: null }, "a\nnull"]
      ]
      for (const [result, content] of shown) {
        answer = complete(result)
        assert.deepStrictEqual((yield* calling(handlers, "t", {})).content, content as never)
      }
      answer = complete({ content: Array.from({ length: 1000 }, () => ({ type: "text", text: "y" })) })
      assert.include((yield* calling(handlers, "t", {})).content as string, "744 more parts")
    }))

  it.effect("never comes to an end, or says nothing, and is waited for so long", () =>
    Effect.gen(function*() {
      const events = { "content-type": "text/event-stream" }
      const progress = (token: unknown, n: number) =>
        `data: ${
          JSON.stringify({
            jsonrpc: "2.0",
            method: "notifications/progress",
            params: { progressToken: token, progress: n }
          })
        }\n\n`
      const { handlers } = yield* withTools({
        "tools/list": list([tool("silent"), tool("busy")]),
        "tools/call": ({ _meta, name }) => (response: ServerResponse) => {
          response.writeHead(200, events).flushHeaders()
          if (name === "silent") return
          let n = 0
          const timer = setInterval(
            () => response.write(progress((_meta as { progressToken: number }).progressToken, n++)),
            1
          )
          response.on("close", () => clearInterval(timer))
        }
      })
      const ended = (name: string, step: string) =>
        Effect.gen(function*() {
          const told: Array<unknown> = []
          const fiber = yield* Effect.forkChild(call(handlers, name, {}, told))
          let seconds = 0
          while (fiber.pollUnsafe() === undefined) {
            yield* TestClock.adjust(step as "1 second")
            seconds++
            yield* Effect.promise(() => new Promise((resolve) => setTimeout(resolve, 3)))
          }
          assert.strictEqual((yield* Fiber.join(fiber))._tag, "Lost")
          return { told: told.length, seconds }
        })
      assert.strictEqual((yield* ended("silent", "10 seconds")).told, 0)
      const busy = yield* ended("busy", "5 seconds")
      assert.isAbove(busy.told, 0)
    }))

  it.effect("shows no secret that it was sent", () =>
    Effect.gen(function*() {
      const secret = "Bearer key-of-mine-1234567890"
      const { handlers, servers } = yield* withTools(
        {
          "tools/list": list([tool("t")]),
          "tools/call": () => (response: ServerResponse, _: number, request: IncomingMessage) =>
            void response.writeHead(400, json).end(`you sent ${request.headers.authorization}`),
          "resources/read": () => (response: ServerResponse, id: number, request: IncomingMessage) =>
            void response.writeHead(200, json).end(
              JSON.stringify({
                jsonrpc: "2.0",
                id,
                error: { code: -1, message: `no: ${request.headers.authorization}` }
              })
            )
        },
        {},
        { authorization: secret }
      )
      const { content } = yield* calling(handlers, "t", {})
      const failure = yield* Effect.flip(servers.resource("s", "a://b"))
      for (const said of [content as string, failure.message, JSON.stringify(failure), String(failure)]) {
        assert.notInclude(said, "key-of-mine")
      }
      assert.include(failure.message, "<redacted>")
    }))

  it.effect("changes its names and tools with every list, and nothing grows or moves", () =>
    Effect.gen(function*() {
      let n = 0
      const { servers } = yield* withTools({
        "tools/list": () =>
          complete({
            tools: [tool(`t${n++}`), tool("kept", { description: `now ${n}` })],
            ttlMs: 0,
            cacheScope: "private"
          })
      })
      for (let turn = 0; turn < 20; turn++) {
        const names = (yield* servers.tools).tools.map(({ name }) => name)
        assert.deepStrictEqual(names.filter((name) => name === "kept"), ["kept"])
      }
      assert.deepStrictEqual(
        (yield* servers.describe).filter(({ name }) => name === "kept").map(({ changed }) => changed),
        [true]
      )
    }))
})

describe("Whatever a server answers", () => {
  const anything = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 3 },
      fc.constantFrom(null, true, 0, "", "text", "image", "complete", "input_required", "name", -1),
      fc.string({ maxLength: 8 }),
      fc.array(tie("value"), { maxLength: 4 }),
      fc.dictionary(
        fc.constantFrom(
          "type",
          "text",
          "name",
          "tools",
          "content",
          "inputSchema",
          "resultType",
          "nextCursor",
          "__proto__",
          "uri",
          "ttlMs",
          "structuredContent",
          "isError",
          "requestState",
          "inputRequests",
          "data",
          "mimeType",
          "resource",
          "method",
          "params"
        ),
        tie("value"),
        { maxKeys: 6 }
      )
    )
  })).value

  it.effect("ends in tools that providers take and outcomes that runs know", () =>
    Effect.gen(function*() {
      let page: unknown
      let result: unknown
      const { url } = yield* hostile({ "tools/list": () => page, "tools/call": () => result })
      const samples = fc.sample(fc.tuple(anything, anything), 25)
      for (const [one, two] of samples) {
        yield* Effect.scoped(Effect.gen(function*() {
          const fields = typeof one === "object" && one !== null && !Array.isArray(one) ? one : { tools: one }
          const { tools } = fields as { readonly tools?: unknown }
          page = { ...fields, ...complete({ tools: [tool("sure"), ...(Array.isArray(tools) ? tools : [])] }) }
          result = typeof two === "object" && two !== null ? { resultType: "complete", ...two } : two
          const servers = yield* Mcp.make({ s: { endpoint: Mcp.http(url), prefix: "", limits: { rounds: 1 } } })
          const handlers = yield* servers.tools
          assert.isTrue(handlers.tools.every(({ name }) => /^[A-Za-z_][A-Za-z0-9_-]{0,63}$/.test(name)))
          assert.include(["Output", "Lost", "Later"], (yield* call(handlers, "sure", {}))._tag)
        }))
      }
    }))
})
