// A server that puts a credential wherever it can put a string: it must not come out in anything that is rendered.
import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Exit, Logger, Metric, PubSub, Redacted, Stream, Tracer } from "effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientError from "effect/http/HttpClientError"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as fc from "fast-check"
import { inspect } from "node:util"
import {
  Anthropic,
  Bedrock,
  Cohere,
  Cost,
  Events,
  Gemini,
  Groq,
  LlmError,
  type LlmService,
  Ollama,
  OpenAi
} from "../../src/index.ts"
import { eventStreamMessage } from "../../src/protocol/bedrock/server/EventStreamMessage.ts"
import type * as Provider from "../../src/provider/Provider.ts"
import { type Disguised, disguised } from "../transport/disguises.ts"

// =============================================================================
// What the server says
// =============================================================================

interface Answer {
  readonly status?: number
  readonly headers?: { readonly [name: string]: string }
  readonly body: string | Uint8Array
  /** The connection itself fails with these words. */
  readonly broken?: string
}

type Make = (options: Provider.Options) => Effect.Effect<LlmService.Service, LlmError.LlmError, HttpClient.HttpClient>

interface Wire {
  readonly name: string
  readonly make: Make
  readonly path: string
  /** Begins, says a word, and fails with this error. */
  readonly failing: (echo: string) => Answer
  /** Begins, says the echo as a word, and ends too early. */
  readonly cut: (echo: string) => Answer
  /** A complete answer, whose id, model and finish reason are the echo. */
  readonly streamed: (echo: string) => Answer
  readonly whole: (echo: string) => Answer
}

const sse = (...frames: ReadonlyArray<readonly [event: string, data: unknown]>): Answer => ({
  headers: { "content-type": "text/event-stream" },
  body: frames.map(([event, data]) => `${event === "" ? "" : `event: ${event}\n`}data: ${JSON.stringify(data)}\n\n`)
    .join("")
})

const lines = (...frames: ReadonlyArray<unknown>): Answer => ({
  headers: { "content-type": "application/x-ndjson" },
  body: frames.map((frame) => `${JSON.stringify(frame)}\n`).join("")
})

const json = (body: unknown): Answer => ({
  headers: { "content-type": "application/json" },
  body: JSON.stringify(body)
})

const binary = (...frames: ReadonlyArray<readonly [type: string, data: unknown]>): Answer => ({
  headers: { "content-type": "application/vnd.amazon.eventstream" },
  body: Buffer.concat(frames.map(([type, data]) =>
    eventStreamMessage(
      type.endsWith("Exception")
        ? { ":exception-type": type, ":content-type": "application/json", ":message-type": "exception" }
        : { ":event-type": type, ":content-type": "application/json", ":message-type": "event" },
      JSON.stringify(data)
    )
  ))
})

/** Every member that some host has for an error. */
const errorOf = (echo: string) => ({
  message: `Incorrect key: ${echo}.`,
  type: `bad ${echo}`,
  code: echo,
  param: `headers.${echo}`,
  request_id: echo,
  metadata: { raw: `{"key":"${echo}"}`, provider_name: echo }
})

const named = <A extends { readonly type: string }>(data: A) => [data.type, data] as const

const anthropicStart = (id: string, model: string) =>
  named({
    type: "message_start",
    message: {
      id,
      type: "message",
      role: "assistant",
      model,
      content: [],
      usage: { input_tokens: 1, output_tokens: 1 }
    }
  })
const anthropicText = (text: string) => [
  named({ type: "content_block_start", index: 0, content_block: { type: "text", text: "" } }),
  named({ type: "content_block_delta", index: 0, delta: { type: "text_delta", text } })
]

const chatChunk = (id: string, model: string, delta: object, finish_reason: string | null = null) =>
  ["", { id, model, object: "chat.completion.chunk", choices: [{ index: 0, delta, finish_reason }] }] as const

const message = (text: string) => ({
  type: "message",
  id: "m",
  role: "assistant",
  status: "completed",
  content: [{ type: "output_text", text, annotations: [] }]
})

const gemini = (id: string, model: string, text: string, finishReason?: string) =>
  ["", {
    responseId: id,
    modelVersion: model,
    candidates: [{ content: { role: "model", parts: [{ text }] }, finishReason }]
  }] as const

const ollama = (model: string, content: string, more: object = { done: false }) => ({
  model,
  message: { role: "assistant", content },
  ...more
})

const cohere = (id: string, text: string) => [
  named({ id, type: "message-start", delta: { message: { role: "assistant" } } }),
  named({ type: "content-start", index: 0, delta: { message: { content: { type: "text", text: "" } } } }),
  named({ type: "content-delta", index: 0, delta: { message: { content: { text } } } })
]

const wires: ReadonlyArray<Wire> = [
  {
    name: "Anthropic Messages",
    make: Anthropic.make,
    path: "/v1",
    failing: (echo) =>
      sse(
        anthropicStart(echo, echo),
        ...anthropicText("word"),
        named({ type: "error", error: errorOf(echo), request_id: echo })
      ),
    cut: (echo) => sse(anthropicStart("i", "m"), ...anthropicText(echo)),
    streamed: (echo) =>
      sse(
        anthropicStart(echo, echo),
        ...anthropicText("word"),
        named({ type: "content_block_stop", index: 0 }),
        named({ type: "message_delta", delta: { stop_reason: echo }, usage: { output_tokens: 2 } }),
        named({ type: "message_stop" })
      ),
    whole: (echo) =>
      json({
        id: echo,
        type: "message",
        role: "assistant",
        model: echo,
        content: [{ type: "text", text: "word" }],
        stop_reason: echo,
        usage: { input_tokens: 1, output_tokens: 2 }
      })
  },
  {
    name: "Chat Completions",
    make: Groq.make,
    path: "/openai/v1",
    failing: (echo) =>
      sse(chatChunk(echo, echo, { content: "word" }), ["", { error: errorOf(echo), request_id: echo, id: echo }]),
    cut: (echo) => sse(chatChunk("i", "m", { content: echo })),
    streamed: (echo) => sse(chatChunk(echo, echo, { content: "word" }), chatChunk(echo, echo, {}, echo)),
    whole: (echo) =>
      json({
        id: echo,
        model: echo,
        object: "chat.completion",
        choices: [{ index: 0, message: { role: "assistant", content: "word" }, finish_reason: echo }]
      })
  },
  {
    name: "Responses",
    make: OpenAi.make,
    path: "/v1",
    failing: (echo) =>
      sse(
        named({ type: "response.created", response: { id: echo, model: echo, status: "in_progress", output: [] } }),
        named({
          type: "response.failed",
          response: { id: echo, model: echo, status: "failed", error: errorOf(echo), output: [] }
        })
      ),
    cut: (echo) =>
      sse(
        named({ type: "response.created", response: { id: "i", model: "m", status: "in_progress", output: [] } }),
        named({ type: "response.output_item.added", output_index: 0, item: { ...message(""), content: [] } }),
        named({ type: "response.output_text.delta", output_index: 0, content_index: 0, item_id: "m", delta: echo })
      ),
    streamed: (echo) =>
      sse(
        named({ type: "response.created", response: { id: echo, model: echo, status: "in_progress", output: [] } }),
        named({
          type: "response.completed",
          response: { id: echo, model: echo, status: "completed", output: [message("word")] }
        })
      ),
    whole: (echo) => json({ id: echo, model: echo, object: "response", status: "completed", output: [message("word")] })
  },
  {
    name: "Gemini",
    make: Gemini.make,
    path: "/v1beta",
    failing: (echo) =>
      sse(gemini(echo, echo, "word"), ["", {
        error: { ...errorOf(echo), code: 500, status: `X ${echo}`, details: [] }
      }]),
    cut: (echo) => sse(gemini("i", "m", echo)),
    streamed: (echo) => sse(gemini(echo, echo, "word", echo)),
    whole: (echo) => json(gemini(echo, echo, "word", echo)[1])
  },
  {
    name: "Ollama",
    make: Ollama.make,
    path: "",
    failing: (echo) => lines(ollama(echo, "word"), { error: `Incorrect key: ${echo}` }),
    cut: (echo) => lines(ollama("m", echo)),
    streamed: (echo) => lines(ollama(echo, "word"), ollama(echo, "", { done: true, done_reason: echo })),
    whole: (echo) => json(ollama(echo, "word", { done: true, done_reason: echo }))
  },
  {
    name: "Cohere",
    make: Cohere.make,
    path: "/v2",
    failing: (echo) => sse(...cohere(echo, "word"), named({ ...errorOf(echo), type: "error" })),
    cut: (echo) => sse(...cohere("i", echo)),
    streamed: (echo) =>
      sse(...cohere(echo, "word"), named({ type: "message-end", delta: { finish_reason: echo, usage: {} } })),
    whole: (echo) =>
      json({
        id: echo,
        finish_reason: echo,
        message: { role: "assistant", content: [{ type: "text", text: "word" }] },
        usage: {}
      })
  },
  {
    name: "Bedrock",
    make: Bedrock.make,
    path: "",
    failing: (echo) =>
      binary(
        ["messageStart", { role: "assistant" }],
        ["contentBlockDelta", { contentBlockIndex: 0, delta: { text: "word" } }],
        ["modelStreamErrorException", { message: `Incorrect key: ${echo}`, originalMessage: echo }]
      ),
    cut: (echo) =>
      binary(
        ["messageStart", { role: "assistant" }],
        ["contentBlockDelta", { contentBlockIndex: 0, delta: { text: echo } }]
      ),
    streamed: (echo) =>
      binary(
        ["messageStart", { role: "assistant" }],
        ["contentBlockDelta", { contentBlockIndex: 0, delta: { text: "word" } }],
        ["contentBlockStop", { contentBlockIndex: 0 }],
        ["messageStop", { stopReason: echo }],
        ["metadata", { usage: { inputTokens: 1, outputTokens: 1, totalTokens: 2 }, metrics: { latencyMs: 1 } }]
      ),
    whole: (echo) =>
      json({
        output: { message: { role: "assistant", content: [{ text: "word" }] } },
        stopReason: echo,
        usage: { inputTokens: 1, outputTokens: 1, totalTokens: 2 }
      })
  }
]

/** Fit for a header. */
const oneLine = (text: string): string => text.replace(/\s+/g, "")

/** Where a server puts it, on any wire. */
const places: Readonly<Record<string, (wire: Wire, echo: string) => Answer>> = {
  "an error body": (_, echo) => ({
    ...json({ error: errorOf(echo), request_id: echo, id: echo, message: echo, __type: echo, detail: echo }),
    status: 401
  }),
  "request ids": (_, echo) => ({
    status: 500,
    headers: {
      "x-request-id": oneLine(echo),
      "request-id": oneLine(echo),
      "cf-ray": oneLine(echo),
      "x-amzn-errortype": oneLine(echo),
      "x-ratelimit-limit-requests": oneLine(echo),
      "retry-after": oneLine(echo)
    },
    body: ""
  }),
  "request ids of an answer": (wire, echo) => {
    const answer = wire.failing(echo)
    return {
      ...answer,
      headers: { ...answer.headers, "x-request-id": oneLine(echo), "x-amzn-requestid": oneLine(echo) }
    }
  },
  "plain text": (_, echo) => ({ status: 502, body: `${"upstream ".repeat(109)}${echo} and more` }),
  "a page": (_, echo) => ({ status: 403, body: `<html><head><title>No ${echo}</title></head><body>${echo}` }),
  "a page instead of an answer": (_, echo) => ({ body: `<html><head><title>No ${echo}</title></head><body>${echo}` }),
  "no JSON at all": (_, echo) => ({
    headers: { "content-type": "application/json" },
    body: `{"a":"${"x".repeat(400)} ${echo}`
  }),
  "a broken frame": (_, echo) => ({
    headers: { "content-type": "text/event-stream" },
    body: `data: {"id": ${echo}\n\n`
  }),
  "a long error body": (_, echo) => ({ status: 400, body: `${"words ".repeat(10_900)}${`${echo} `.repeat(400)}` }),
  "an error in the answer": (wire, echo) => wire.failing(echo),
  "the text of an answer that was cut": (wire, echo) => wire.cut(echo),
  "a streamed answer": (wire, echo) => wire.streamed(echo),
  "a whole answer": (wire, echo) => wire.whole(echo),
  "a redirect": (_, echo) => ({
    status: 307,
    headers: { location: `https://elsewhere.example/${oneLine(echo)}` },
    body: ""
  }),
  "a redirect to a host": (_, echo) => ({
    status: 307,
    headers: { location: `https://${oneLine(echo)}.example/` },
    body: ""
  }),
  "what the client says": (_, echo) => ({ body: "", broken: `connect failed for ${echo}` })
}

// =============================================================================
// The caller
// =============================================================================

const clientOf = (answer: Answer): HttpClient.HttpClient =>
  HttpClient.make((request) =>
    answer.broken === undefined
      ? Effect.sync(() =>
        HttpClientResponse.fromWeb(
          request,
          new Response(typeof answer.body === "string" ? answer.body : answer.body.slice(), {
            status: answer.status ?? 200,
            headers: { ...answer.headers }
          })
        )
      )
      : Effect.fail(
        new HttpClientError.HttpClientError({
          reason: new HttpClientError.TransportError({ request, cause: new Error(answer.broken) })
        })
      )
  )

/** Everything that was rendered while calls ran, by what rendered it. */
type Rendered = Record<string, string>

const renderedError = (error: unknown): Rendered => {
  const cause = Cause.fail(error)
  const parts: Rendered = {
    string: String(error),
    json: JSON.stringify(error) ?? "",
    inspect: inspect(error, { depth: 10, showHidden: true }),
    inspectNested: inspect({ error: [error] }, { depth: 10 }),
    pretty: Cause.pretty(cause),
    prettyErrors: inspect(Cause.prettyErrors(cause), { depth: 10 }),
    cause: inspect(cause, { depth: 10 }),
    causeString: String(cause),
    causeJson: JSON.stringify(cause)
  }
  if (error instanceof Error) {
    parts["message"] = error.message
    parts["stack"] = error.stack ?? ""
  }
  if (LlmError.isLlmError(error)) {
    const { reason } = error
    parts["reason"] = inspect(reason, { depth: 10, showHidden: true })
    parts["reasonJson"] = JSON.stringify(reason)
    parts["reasonString"] = `${String(reason)} ${reason.stack}`
    parts["requestId"] = error.requestId ?? ""
    parts["fields"] = ["type", "code", "param", "body", "snippet"].map((key) =>
      String((reason as unknown as Record<string, unknown>)[key] ?? "")
    ).join(" \n ")
  }
  return parts
}

interface Planted {
  readonly apiKey: string
  readonly gateway: string
  readonly cookie: string
  readonly password: string
  readonly query: string
}

const run = (wire: Wire, answer: Answer, planted: Planted, which: keyof Planted): Effect.Effect<Rendered> =>
  Effect.scoped(Effect.gen(function*() {
    const spans: Array<Tracer.NativeSpan> = []
    const tracer = Tracer.make({
      span: (options) => {
        const span = new Tracer.NativeSpan(options)
        spans.push(span)
        return span
      }
    })
    const logged: Array<string> = []
    const loggers = [Logger.formatSimple, Logger.formatLogFmt, Logger.formatJson, Logger.formatStructured].map((
      format
    ) =>
      Logger.map(format as Logger.Logger<unknown, unknown>, (line) => void logged.push(inspect(line, { depth: 10 })))
    )
    const bus = yield* Events.Events
    const events = yield* bus.subscribe
    const made = yield* wire.make({
      apiKey: Redacted.make(planted.apiKey),
      baseUrl: `https://api.example.com${wire.path}?api-version=1&key=${encodeURIComponent(planted.query)}`,
      model: "asked",
      headers: { "cf-aig-authorization": `Bearer ${planted.gateway}` },
      defaults: { headers: { cookie: `theme=1; sid=${planted.cookie}` } }
    }).pipe(Effect.provideService(HttpClient.HttpClient, clientOf(answer)))
    const service = yield* Events.policy().wrap(yield* Cost.policy().wrap(made))
    const request = { prompt: "Hi", headers: { "proxy-authorization": `Basic ${btoa(`someone:${planted.password}`)}` } }
    const calls: ReadonlyArray<Effect.Effect<unknown, LlmError.LlmError>> = [
      service.generate(request),
      Stream.runDrain(service.stream(request)),
      service.models,
      service.health,
      service.countTokens(request)
    ]
    const rendered: Rendered = {}
    for (const [index, call] of calls.entries()) {
      // What only a request had is not known to a call without it.
      if (which === "password" && (index === 2 || index === 3)) continue
      const exit = yield* Effect.tapCause(call, (cause) => Effect.logError("failed", cause, Cause.squash(cause))).pipe(
        Effect.withTracer(tracer),
        Effect.provide(Logger.layer(loggers)),
        Effect.exit
      )
      if (Exit.isFailure(exit)) {
        const found = renderedError(Cause.squash(exit.cause))
        for (const name of Object.keys(found)) rendered[`${index} ${name}`] = found[name]!
        rendered[`${index} exit`] = inspect(exit, { depth: 10 }) + JSON.stringify(exit)
      }
    }
    const told = yield* PubSub.takeUpTo(events, 100)
    return {
      ...rendered,
      spans: inspect(spans.map(({ attributes, name, status }) => ({ attributes, name, status })), { depth: 12 }),
      events: JSON.stringify(told),
      metrics: inspect(yield* Metric.snapshot, { depth: 6 }) + (yield* Metric.dump),
      logs: logged.join("\n")
    }
  })).pipe(Effect.provide(Events.layer()), Effect.provideService(Metric.MetricRegistry, new Map()), Effect.orDie)

// =============================================================================
// Law
// =============================================================================

const letters = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"
const secret = fc.oneof(
  fc.string({ minLength: 16, maxLength: 60, unit: fc.constantFrom(...letters, ..."-_") }),
  fc.string({ minLength: 16, maxLength: 40, unit: fc.constantFrom(...letters, ..."!#$%&'*+./:<=>?@^`|~\"\\") })
).filter((text) => /[a-zA-Z0-9]{4}/.test(text))

const planted: fc.Arbitrary<Planted> = fc.record({
  apiKey: secret,
  gateway: secret,
  cookie: secret,
  password: secret,
  query: secret
})

describe("an echo of a credential", () => {
  for (const wire of wires) {
    it(`is rendered nowhere: ${wire.name}`, async () => {
      const cases = fc.tuple(
        planted,
        fc.constantFrom("apiKey", "gateway", "cookie", "password", "query") as fc.Arbitrary<keyof Planted>,
        disguised,
        fc.constantFrom(...Object.keys(places))
      )
      await fc.assert(
        fc.asyncProperty(
          cases,
          async ([known, which, { form, name }, place]: [Planted, keyof Planted, Disguised, string]) => {
            const echo = form(known[which])
            const rendered = await Effect.runPromise(run(wire, places[place]!(wire, echo), known, which))
            for (const [where, text] of Object.entries(rendered)) {
              for (const value of Object.values(known)) {
                assert.isFalse(text.includes(value), `${which} as ${name} from ${place} is in ${where}: ${text}`)
              }
              assert.isFalse(text.includes(echo), `${which} as ${name} from ${place} is in ${where}: ${text}`)
            }
          }
        ),
        { numRuns: 12 }
      )
    }, 60_000)
  }
})
