import { assert, describe, it } from "@effect/vitest"
import { Client, InMemoryTransport, StreamableHTTPClientTransport } from "@modelcontextprotocol/client"
import { Deferred, Effect, Fiber, Schema } from "effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as Agent from "../../src/agent/Agent.ts"
import * as Handlers from "../../src/agent/Handlers.ts"
import * as Mcp from "../../src/interop/Mcp.ts"
import * as LlmTool from "../../src/LlmTool.ts"
import { TestLlm } from "../../src/testing/index.ts"
import { answerWith, call, calling, listening } from "./mcp-partner.ts"

const city = Schema.Struct({ city: Schema.String })

const tools = [
  LlmTool.make("weather", {
    description: "The weather",
    parameters: city,
    success: Schema.Struct({ celsius: Schema.Finite }),
    idempotent: true
  }),
  LlmTool.make("fails", { parameters: Schema.Struct({}), failureMode: "return" }),
  LlmTool.make("pay", { parameters: Schema.Struct({}), needsApproval: true }),
  LlmTool.make("slow", { parameters: Schema.Struct({}) }),
  LlmTool.make("picture", { parameters: Schema.Struct({}) }),
  LlmTool.make("defers", { parameters: Schema.Struct({}) }),
  LlmTool.custom("shell", { description: "Runs a line" }),
  LlmTool.provider("web_search", { type: "web_search" })
] as const

const served = (more: { readonly slow?: Effect.Effect<string> } = {}) =>
  Mcp.serve(
    Handlers.make(tools, {
      weather: ({ city }, { progress }) =>
        Effect.as(progress({ progress: 1, message: `asking ${city}` }), { celsius: 7 }),
      fails: () => Effect.fail(new LlmTool.Misfit({ message: "no luck" })),
      pay: () => Effect.succeed("paid"),
      slow: () => more.slow ?? Effect.succeed("at last"),
      picture: () =>
        Effect.succeed(Handlers.output([
          { type: "text", text: "Here:" },
          { type: "image", source: { type: "base64", mediaType: "image/png", data: "iVBORw0KGgo=" } },
          { type: "file", source: { type: "url", url: "https://example.com/a.pdf" } }
        ])),
      defers: () => Effect.succeed(Handlers.later),
      shell: (line) => Effect.succeed(`ran ${line}`)
    }),
    { name: "tools", version: "1.0.0", instructions: "Use them well." }
  )

for (const era of ["modern", "legacy"] as const) {
  describe(`Mcp.serve, ${era}`, () => {
    it.effect("offers tools to a client of ours", () =>
      Effect.gen(function*() {
        const { fetch } = yield* served()
        const { url } = yield* listening((request, response) => void answerWith(fetch)(request, response))
        const handlers = yield* (yield* Mcp.make({ t: { endpoint: Mcp.http(url), prefix: "", era } })).tools
        assert.deepStrictEqual(
          handlers.tools.map(({ name }) => name),
          ["defers", "fails", "pay", "picture", "shell", "slow", "weather"]
        )
        const progress: Array<unknown> = []
        assert.strictEqual((yield* calling(handlers, "weather", { city: "Oslo" }, progress)).content, "{\"celsius\":7}")
        assert.deepStrictEqual(progress, [{ progress: 1, message: "asking Oslo" }])
        assert.strictEqual((yield* calling(handlers, "shell", { input: "ls" })).content, "ran ls")
        for (
          const [name, args, words] of [
            ["fails", {}, "no luck"],
            ["pay", {}, "needs an approval"],
            ["defers", {}, "comes later"],
            ["weather", { city: 5 }, "city"]
          ] as const
        ) {
          const { content, isError } = yield* calling(handlers, name, args)
          assert.isTrue(isError, name)
          assert.include(content as string, words)
        }
        assert.deepStrictEqual((yield* calling(handlers, "picture", {})).content, [
          { type: "text", text: "Here:" },
          { type: "image", source: { type: "base64", mediaType: "image/png", data: "iVBORw0KGgo=" } },
          { type: "text", text: "[resource https://example.com/a.pdf: file-3]" }
        ])
      }))

    it.effect("interrupts the call of a client that cancels", () =>
      Effect.gen(function*() {
        if (era === "legacy") return
        const started = yield* Deferred.make<void>()
        const interrupted = yield* Deferred.make<void>()
        const { fetch } = yield* served({
          slow: Effect.andThen(Deferred.succeed(started, undefined), Effect.never).pipe(
            Effect.onInterrupt(() => Deferred.succeed(interrupted, undefined))
          )
        })
        const { url } = yield* listening((request, response) => void answerWith(fetch)(request, response))
        const handlers = yield* (yield* Mcp.make({ t: { endpoint: Mcp.http(url), era } })).tools
        const fiber = yield* Effect.forkChild(call(handlers, "t_slow", {}))
        yield* Deferred.await(started)
        yield* Fiber.interrupt(fiber)
        yield* Deferred.await(interrupted)
      }))

    it.effect("is an agent as a tool, over a transport", () =>
      Effect.gen(function*() {
        const agent = Agent.make({ instructions: "Be brief." })
        const server = yield* Mcp.serve(agent, { name: "clerk", version: "1", tool: "ask_clerk", description: "Knows" })
        const open = Effect.gen(function*() {
          const [ours, theirs] = InMemoryTransport.createLinkedPair()
          yield* Effect.forkDetach(server.connect(theirs as never))
          return ours
        })
        const handlers = yield* (yield* Mcp.make({ a: { endpoint: Mcp.transport(open), prefix: "", era } })).tools
        assert.deepStrictEqual(
          handlers.tools.map((
            { description, name }: LlmTool.LlmTool & { description?: string | undefined }
          ) => [name, description]),
          [["ask_clerk", "Knows"]]
        )
        assert.strictEqual((yield* calling(handlers, "ask_clerk", { prompt: "Who?" })).content, "The clerk.")
      }).pipe(Effect.provide(TestLlm.layer({ answers: ["The clerk."] }))))
  })
}

describe("Mcp.serve", () => {
  it.effect("speaks to the official client, and as a route", () =>
    Effect.gen(function*() {
      const server = yield* served()
      const { dispose, handler } = HttpRouter.toWebHandler(server.route("/mcp"), { disableLogger: true })
      yield* Effect.addFinalizer(() => Effect.promise(dispose))
      const { url } = yield* listening((request, response) => void answerWith((web) => handler(web))(request, response))
      for (const mode of ["auto", "legacy"] as const) {
        const client = new Client({ name: "official", version: "1" }, { versionNegotiation: { mode } })
        yield* Effect.promise(() => client.connect(new StreamableHTTPClientTransport(new URL(url)) as never))
        const { tools } = yield* Effect.promise(() => client.listTools())
        assert.strictEqual(tools.length, 7)
        assert.strictEqual(client.getInstructions(), "Use them well.")
        const result = yield* Effect.promise(() => client.callTool({ name: "weather", arguments: { city: "Oslo" } }))
        assert.deepStrictEqual(result.content, [{ type: "text", text: "{\"celsius\":7}" }])
        const unknown = yield* Effect.flip(
          Effect.tryPromise(() => client.callTool({ name: "constructor", arguments: {} }))
        )
        assert.isDefined(unknown)
        yield* Effect.promise(() => client.close())
      }
    }))

  it.effect("is not for pages of other hosts, nor for bodies without end", () =>
    Effect.gen(function*() {
      const { fetch } = yield* served()
      const ask = (host: string, headers: Record<string, string> = {}, body = "{}") =>
        Effect.promise(async () => {
          const all = {
            "content-type": "application/json",
            accept: "application/json, text/event-stream",
            host,
            ...headers
          }
          return (await fetch(new Request(`http://${host}/mcp`, { method: "POST", headers: all, body }))).status
        })
      assert.strictEqual(yield* ask("evil.example"), 403)
      assert.strictEqual(yield* ask("127.0.0.1:3000", { origin: "https://evil.example" }), 403)
      assert.strictEqual(yield* ask("127.0.0.1:3000"), 400)
      assert.strictEqual(yield* ask("127.0.0.1:3000", {}, `{"a":"${"x".repeat(5_000_000)}"}`), 413)
    }))
})
