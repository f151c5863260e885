// What is rendered of requests and errors beside their messages, and how much of what servers say.
import { assert, describe, it } from "@effect/vitest"
import { Cause, Duration, Effect, Metric, PubSub, Redacted, Schema, Stream, Tracer } from "effect"
import * as Headers from "effect/http/Headers"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as UrlParams from "effect/http/UrlParams"
import { inspect } from "node:util"
import {
  Bedrock,
  Cost,
  Events,
  Files,
  Groq,
  LlmError,
  LlmResponse,
  LlmService,
  Ollama,
  Telemetry
} from "../../src/index.ts"
import * as TestLlm from "../../src/testing/TestLlm.ts"
import { redactedHeaderNames } from "../../src/transport/secrets/Redaction.ts"

const answering = (answer: (request: Parameters<typeof HttpClientResponse.fromWeb>[0]) => Response) =>
  HttpClient.make((request) => Effect.sync(() => HttpClientResponse.fromWeb(request, answer(request))))

const said = "what the model said"
const partial = new LlmResponse.LlmResponse({
  parts: [{ type: "text", text: said }],
  finishReason: "other",
  usage: LlmResponse.emptyUsage,
  model: "m",
  provider: "p",
  warnings: []
})

describe("an error", () => {
  it("shows how much was said, not what, however it is rendered", () => {
    const reasons: ReadonlyArray<LlmError.Reason> = [
      new LlmError.IncompleteStream({ message: "cut", partial }),
      new LlmError.Provider({ message: "broken", partial, body: said, retryAfter: Duration.seconds(3) }),
      new LlmError.StructuredOutput({ message: "no match", text: said, partial }),
      LlmError.timeout("idle", "3 seconds", partial)
    ]
    for (const reason of reasons) {
      const error = new LlmError.LlmError({ provider: "p", model: "m", operation: "stream", attempts: 1, reason })
      for (
        const one of [error, reason, { error }, [reason], Cause.fail(error), Cause.fail(reason), Cause.die(reason)]
      ) {
        const text = `${inspect(one, { depth: 10, showHidden: true })} ${JSON.stringify(one)} ${String(one)}`
        assert.notInclude(text, said)
        assert.include(text, reason.message)
      }
      assert.notInclude(inspect(Cause.prettyErrors(Cause.fail(error)), { depth: 10 }), said)
      // It is there for who reads the field.
      assert.strictEqual(error.partial?.text, said)
      assert.include(JSON.stringify(reason), `"textLength":${said.length}`)
    }
  })

  it.effect("of an answer in the wrong shape does not hold the answer in its rendered forms", () =>
    Effect.gen(function*() {
      const llm = TestLlm.make({ answers: [`{"a":"${said}"}`] })
      const error = yield* Effect.flip(
        LlmService.generateObject(Schema.Struct({ a: Schema.Finite }), { prompt: "x" }).pipe(
          Effect.provideService(LlmService.LlmService, llm.service)
        )
      )
      assert.notInclude(`${inspect(error, { depth: 10 })} ${JSON.stringify(error)} ${String(error)}`, said)
    }))
})

describe("a request", () => {
  it.effect("is rendered without its credentials where a client or a middleware renders it", () =>
    Effect.gen(function*() {
      let rendered = ""
      const client = HttpClient.make((request) =>
        Effect.withFiber((fiber) => {
          rendered = `${inspect(request, { depth: 10 })} ${JSON.stringify(request)} ${
            inspect(Headers.redact(request.headers, fiber.getRef(Headers.CurrentRedactedNames)))
          } ${fiber.getRef(UrlParams.CurrentRedactedNames).join(" ")}`
          return Effect.succeed(HttpClientResponse.fromWeb(request, new Response("{}", { status: 500 })))
        })
      )
      const groq = yield* Groq.make({
        apiKey: Redacted.make("planted-key-1"),
        headers: {
          ...Object.fromEntries(redactedHeaderNames.map((name) => [name, `planted-${name}`])),
          "x-our-gateway-token": "planted-token",
          "x-plain": "plain"
        }
      }).pipe(Effect.provideService(HttpClient.HttpClient, client))
      const call = Effect.exit(groq.generate({ prompt: "x" }))
      yield* call
      assert.notInclude(rendered, "planted-")
      assert.include(rendered, "plain")
      assert.include(rendered, "X-Amz-Signature")
      yield* Effect.provideService(call, Headers.CurrentRedactedNames, ["x-plain"])
      assert.notInclude(rendered, "planted-")
      assert.notInclude(rendered, "'x-plain': 'plain'")
    }))

  it.effect("that is signed, for a file, or for a model to pull has secrets like any other", () =>
    Effect.gen(function*() {
      const client = answering((request) => {
        const echo = JSON.stringify({ ...request.headers })
        return new Response(JSON.stringify({ error: { message: echo, type: echo, code: echo } }), {
          status: 400,
          headers: { "x-request-id": echo, "x-amzn-requestid": echo }
        })
      })
      const headers = { "helicone-auth": "Bearer planted-gateway", cookie: "sid=planted-cookie" }
      const run = Effect.gen(function*() {
        const bedrock = yield* Bedrock.make({
          headers,
          credentials: {
            accessKeyId: "AKPLANTEDIDPLANTEDID",
            secretAccessKey: Redacted.make("planted-secret-access-key"),
            sessionToken: Redacted.make("planted-session-token")
          }
        })
        const upload = { bytes: new Uint8Array(1), mediaType: "text/plain", filename: "a.txt" }
        const errors: Array<unknown> = [
          yield* Effect.flip(bedrock.generate({ prompt: "x" })),
          yield* Effect.flip(Stream.runDrain(bedrock.stream({ prompt: "x" }))),
          yield* Effect.flip(Stream.runDrain(Ollama.pull("m", { headers, apiKey: Redacted.make("planted-pull-key") })))
        ]
        for (
          const [make, fileId] of [[Files.anthropic, "f"], [Files.openAi, "f"], [Files.gemini, "files/f"]] as const
        ) {
          const files = yield* make({ apiKey: Redacted.make("planted-file-key"), headers })
          errors.push(yield* Effect.flip(files.upload(upload)))
          errors.push(yield* Effect.flip(files.remove({ type: "file", fileId, mediaType: "text/plain" })))
        }
        return errors
      })
      for (const error of yield* Effect.provideService(run, HttpClient.HttpClient, client)) {
        const fields = LlmError.isLlmError(error)
          ? Object.values({ ...error.reason, id: error.requestId }).join(" ")
          : ""
        const text = `${String(error)} ${inspect(error, { depth: 10 })} ${fields}`
        assert.notMatch(text, /planted|AKPLANTED|Signature=[0-9a-f]/)
        assert.include(text, "<redacted>")
      }
    }))

  it.effect("that is redirected to another origin says where to, unless that is a secret", () =>
    Effect.gen(function*() {
      const to = (location: string) =>
        Effect.gen(function*() {
          const client = answering(() => new Response(null, { status: 307, headers: { location } }))
          const groq = yield* Groq.make({ apiKey: Redacted.make("PlantedKey0123") }).pipe(
            Effect.provideService(HttpClient.HttpClient, client)
          )
          return String(yield* Effect.flip(groq.generate({ prompt: "x" })))
        })
      assert.include(yield* to("https://elsewhere.example/x"), "https://elsewhere.example")
      for (
        const location of [
          "https://PlantedKey0123.example/",
          "https://plantedKey0123@evil.example",
          "//%50lantedKey0123.x/"
        ]
      ) {
        assert.notMatch(yield* to(location), /plantedkey/i)
      }
    }))
})

describe("names that a server chooses", () => {
  it.effect("are bounded in spans, metrics and events", () =>
    Effect.gen(function*() {
      const spans: Array<Tracer.NativeSpan> = []
      const tracer = Tracer.make({
        span: (options) => {
          const span = new Tracer.NativeSpan(options)
          spans.push(span)
          return span
        }
      })
      let turn = 0
      const client = answering(() => {
        const name = `flood-${turn++}-${"x".repeat(3000)}`
        return new Response(
          JSON.stringify({
            id: name,
            model: name,
            choices: [{ index: 0, message: { role: "assistant", content: "word" }, finish_reason: "stop" }],
            usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 }
          }),
          { headers: { "x-request-id": name } }
        )
      })
      const made = yield* Groq.make({ apiKey: Redacted.make("planted-key-1"), model: "asked" }).pipe(
        Effect.provideService(HttpClient.HttpClient, client)
      )
      const service = yield* Events.policy().wrap(yield* Cost.policy().wrap(made))
      const events = yield* (yield* Events.Events).subscribe
      yield* Effect.withTracer(
        Effect.repeat(service.generate({ prompt: "x" }), { times: 400 }),
        tracer
      )
      const metrics = (yield* Metric.snapshot).filter(({ attributes }) =>
        Object.values(attributes ?? {}).some((value) => value.startsWith("flood-"))
      )
      const names = new Set(metrics.flatMap(({ attributes }) => Object.values(attributes ?? {})))
      assert.isAtMost([...names].filter((name) => name.startsWith("flood-")).length, 256 + 64)
      for (const name of names) assert.isAtMost(name.length, 256)
      const byModel = metrics.filter(({ id }) => id === "gen_ai.client.operation.duration")
      assert.isAtMost(byModel.length, 65)
      for (const span of spans) {
        for (const value of span.attributes.values()) if (typeof value === "string") assert.isAtMost(value.length, 256)
      }
      for (const event of yield* PubSub.takeUpTo(events, 1000)) assert.isAtMost(JSON.stringify(event).length, 1500)
    }).pipe(Effect.provide(Events.layer()), Effect.scoped, Effect.provideService(Metric.MetricRegistry, new Map())))

  it.effect("are bounded when the caller chooses them", () =>
    Effect.gen(function*() {
      const service = Telemetry.instrument(TestLlm.make({ answers: () => "word" }).service)
      for (let turn = 0; turn < 400; turn++) yield* service.generate({ prompt: "x", model: `tenant-${turn}` })
      const names = new Set(
        (yield* Metric.snapshot).flatMap(({ attributes }) =>
          Object.values(attributes ?? {}).filter((value) => value.startsWith("tenant-"))
        )
      )
      assert.isAtMost(names.size, 256 + 64)
    }).pipe(Effect.provideService(Metric.MetricRegistry, new Map())))
})
