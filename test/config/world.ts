// A configuration in a world without a network: hosts that answer as a test says, and a clock that runs as fast as it can.
import * as Clock from "effect/Clock"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FileSystem from "effect/FileSystem"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import { TestClock } from "effect/testing"
import { LlmConfig, type LlmRequest, type LlmResponse, LlmService } from "../../src/index.ts"

/** A request as a host got it. */
export interface Sent {
  /** First letter of the host: the name of the instance. */
  readonly host: string
  readonly key: string
  readonly at: number
  readonly model: string
  readonly body: { readonly messages: ReadonlyArray<{ readonly role: string }> }
  /** Counts the requests of all hosts from 1, and those of this host. */
  readonly number: number
  readonly ofHost: number
}

/** What a host does: after `wait` it answers with a whole or a streamed text, and at the end of a stream it may hang or break off. */
export interface Reply {
  readonly status?: number
  readonly headers?: { readonly [name: string]: string }
  readonly wait?: number
  readonly body?: unknown
  readonly usage?: { readonly input: number; readonly output: number }
  readonly text?: string
  readonly close?: "end" | "hang" | "break"
}

export interface Call {
  readonly at?: number
  readonly request?: Partial<LlmRequest.LlmRequest>
  readonly stream?: boolean
}

/** How a call ended: `ok`, the reason it failed for, or `pending`. */
export interface Ended {
  readonly tag: string
  readonly at: number
  readonly cost?: number | undefined
  readonly label?: string | undefined
}

export interface Run {
  readonly sent: ReadonlyArray<Sent>
  readonly ended: ReadonlyArray<Ended>
  /** Names of budgets that were spent on. */
  readonly budgets: ReadonlyArray<string>
}

const chunk = (delta: object, finish: string | null = null) =>
  `data: ${JSON.stringify({ id: "1", model: "m", choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`

const streamed = ({ text = "ok", close = "end" }: Reply): ReadableStream<Uint8Array> => {
  const encoder = new TextEncoder()
  return new ReadableStream({
    start(controller) {
      if (text !== "") controller.enqueue(encoder.encode(chunk({ role: "assistant", content: text })))
      if (close === "end") controller.enqueue(encoder.encode(`${chunk({}, "stop")}data: [DONE]\n\n`))
      if (close !== "hang") controller.close()
    }
  })
}

const never = (): ReadableStream<Uint8Array> => new ReadableStream({})

const responseOf = (reply: Reply, isStream: boolean): Response => {
  const { body, headers, status = 200, text = "ok", usage = { input: 10, output: 5 } } = reply
  const json = { "content-type": "application/json", ...headers }
  if (status !== 200) {
    return new Response(JSON.stringify(body ?? { error: { message: "no" } }), { status, headers: json })
  }
  if (isStream) {
    return new Response(streamed(reply), { status, headers: { "content-type": "text/event-stream", ...headers } })
  }
  if (reply.close === "hang") return new Response(never(), { status, headers: json })
  return new Response(
    JSON.stringify({
      id: "1",
      model: "m",
      choices: [{ index: 0, message: { role: "assistant", content: text }, finish_reason: "stop" }],
      usage: {
        prompt_tokens: usage.input,
        completion_tokens: usage.output,
        total_tokens: usage.input + usage.output
      }
    }),
    { status, headers: json }
  )
}

const client = (sent: Array<Sent>, answer: (sent: Sent) => Reply): HttpClient.HttpClient =>
  HttpClient.make((request, url) =>
    Effect.gen(function*() {
      const text = request.body._tag === "Raw" ? String(request.body.body) : "{}"
      const body = JSON.parse(text) as { readonly model: string; readonly stream?: boolean } & Sent["body"]
      const host = url.hostname[0]!
      const one: Sent = {
        host,
        key: (request.headers["authorization"] ?? "").replace("Bearer ", ""),
        at: yield* Clock.currentTimeMillis,
        model: body.model,
        body,
        number: sent.length + 1,
        ofHost: sent.filter((other) => other.host === host).length + 1
      }
      sent.push(one)
      const reply = answer(one)
      if (reply.wait !== undefined) yield* reply.wait === Infinity ? Effect.never : Effect.sleep(reply.wait)
      return HttpClientResponse.fromWeb(request, responseOf(reply, body.stream === true))
    })
  )

const files = FileSystem.layerNoop({
  readFileString: (path) => Effect.succeed(path === "/keys/three" ? "three\n" : "")
})

const variables = ConfigProvider.layer(ConfigProvider.fromEnv({ env: { K1: "one", K2: "two" } }))

/** An instance whose host has its name. */
export const instanceOf = (name: string, more: object = {}): object => ({
  provider: "openai-compatible",
  baseUrl: `http://${name}.test/v1`,
  model: "m",
  retry: false,
  ...more
})

const outcome = (response: LlmResponse.LlmResponse): Omit<Ended, "at"> => ({
  tag: "ok",
  cost: response.cost,
  label: response.label
})

/** Turns of the loop in which bodies are read and digests are made; one more digest is done after those before it. */
const settled = async (): Promise<void> => {
  await new Promise((done) => setImmediate(done))
  await crypto.subtle.digest("SHA-256", new Uint8Array(1))
  await new Promise((done) => setImmediate(done))
}

/** Everything that happens to some calls of a configuration within a time. */
export const happens = (
  config: unknown,
  calls: ReadonlyArray<Call>,
  answer: (sent: Sent) => Reply = () => ({}),
  upTo = 15_000
): Effect.Effect<Run, unknown> =>
  Effect.scoped(Effect.gen(function*() {
    const sent: Array<Sent> = []
    const ended: Array<Ended> = calls.map(() => ({ tag: "pending", at: Infinity }))
    const decoded = yield* LlmConfig.decode(config)
    const context = yield* Layer.build(LlmConfig.layer(decoded)).pipe(
      Effect.provideService(HttpClient.HttpClient, client(sent, answer)),
      Effect.provide([files, variables])
    )
    const service = yield* Effect.provide(LlmService.LlmService, context)
    const start = yield* Clock.currentTimeMillis
    const fibers = yield* Effect.forEach(calls, ({ at = 0, request, stream }, index) => {
      const asked = { prompt: "Hi", ...request } as LlmRequest.LlmRequest
      const call = stream === true
        ? Effect.map(Stream.runLast(service.stream(asked)), (last) =>
          last._tag === "Some" && last.value._tag === "Finish" ? outcome(last.value.response) : { tag: "nothing" })
        : Effect.map(service.generate(asked), outcome)
      return call.pipe(
        Effect.catch((error) =>
          Effect.succeed({ tag: error.reason._tag })
        ),
        Effect.flatMap((how) =>
          Effect.map(Clock.currentTimeMillis, (now) => void (ended[index] = { ...how, at: now - start }))
        ),
        Effect.delay(at),
        Effect.forkChild
      )
    })
    // Bodies come in real turns of the loop, time in virtual ones.
    const step = 250
    for (let passed = 0; passed < upTo && ended.some(({ tag }) => tag === "pending"); passed += step) {
      yield* Effect.promise(settled)
      yield* TestClock.adjust(step)
    }
    yield* Effect.forEach(fibers, Fiber.interrupt, { discard: true })
    const budgets = (yield* Metric.snapshot).flatMap(({ attributes, id }) =>
      id === "effect_llm.budget.spent" ? attributes?.["budget"] ?? [] : []
    )
    return { sent: sent.map((one) => ({ ...one, at: one.at - start })), ended, budgets }
  })).pipe(Effect.provideService(Metric.MetricRegistry, new Map()))

/** A key as code gives it. */
export const redacted = (key: string): Redacted.Redacted<string> => Redacted.make(key)
