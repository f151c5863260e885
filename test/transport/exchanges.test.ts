// One exchange with a server, whatever it answers: which answers count, which are followed, how much of them is read and how long they are
// waited for. The client answers from memory, and time is the test's.
import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import { TestClock } from "effect/testing"
import * as fc from "fast-check"
import type { LlmError } from "../../src/LlmError.ts"
import type { LlmRequest, Timeouts } from "../../src/LlmRequest.ts"
import type { Service } from "../../src/LlmService.ts"
import * as Ollama from "../../src/provider/Ollama.ts"
import * as OpenAiCompatible from "../../src/provider/OpenAiCompatible.ts"
import { turn } from "../turns.ts"

interface Sent {
  readonly method: string
  readonly url: string
  readonly headers: { readonly [name: string]: string }
  readonly body: unknown
}

type Answer = (index: number) => Response | "never"

const clientOf = (answer: Answer, sent: Array<Sent>): HttpClient.HttpClient =>
  HttpClient.make((request) =>
    Effect.suspend(() => {
      sent.push({ method: request.method, url: request.url, headers: { ...request.headers }, body: request.body })
      const response = answer(sent.length - 1)
      return response === "never"
        ? Effect.never
        : Effect.succeed(HttpClientResponse.fromWeb(request, response))
    })
  )

const baseUrl = "https://llm.example.com/v1"
const apiKey = Redacted.make("key-of-this-test")

const serviceOf = (answer: Answer, sent: Array<Sent> = [], timeouts?: Timeouts): Service =>
  Effect.runSync(Effect.provideService(
    OpenAiCompatible.make({
      baseUrl,
      model: "m",
      apiKey,
      ...(timeouts === undefined ? undefined : { timeouts })
    }),
    HttpClient.HttpClient,
    clientOf(answer, sent)
  ))

const whole = JSON.stringify({
  id: "a",
  model: "m",
  choices: [{ index: 0, message: { role: "assistant", content: "Hello" }, finish_reason: "stop" }]
})
const frame = (content: string, finish: string | null = null) =>
  `data: ${JSON.stringify({ id: "a", choices: [{ index: 0, delta: { content }, finish_reason: finish }] })}\n\n`
const done = "data: [DONE]\n\n"

const json = (body: string, status = 200, headers: { readonly [name: string]: string } = {}) =>
  new Response([204, 205, 304].includes(status) ? null : body, {
    status,
    headers: { "content-type": "application/json", ...headers }
  })

/** What a server sends, and whether it was told to stop. */
interface Sending {
  readonly body: ReadableStream<Uint8Array>
  pulled: number
  cancelled: boolean
}

/** A body of these pieces, one for each read, and then its end, silence, a break, or more for ever. */
const sending = (pieces: ReadonlyArray<string>, then: "end" | "silence" | "break" | "flood"): Sending => {
  const sending = { pulled: 0, cancelled: false, body: undefined as unknown as ReadableStream<Uint8Array> }
  sending.body = new ReadableStream<Uint8Array>({
    pull: (controller) => {
      const piece = pieces[sending.pulled] ?? (then === "flood" ? pieces.at(-1)! : undefined)
      sending.pulled++
      if (piece !== undefined) return controller.enqueue(new TextEncoder().encode(piece))
      if (then === "end") return controller.close()
      if (then === "break") return controller.error(new TypeError("terminated"))
      return new Promise<void>(() => {})
    },
    cancel: () => {
      sending.cancelled = true
    }
  }, { highWaterMark: 0 })
  return sending
}

const hello: LlmRequest = { prompt: "Hi" }
const operations = {
  generate: (service: Service, request: LlmRequest = hello): Effect.Effect<unknown, LlmError> =>
    service.generate(request),
  stream: (service: Service, request: LlmRequest = hello): Effect.Effect<unknown, LlmError> =>
    Stream.runCollect(service.stream(request))
}
type Operation = keyof typeof operations
const operationNames = Object.keys(operations) as ReadonlyArray<Operation>

const answerOf = (operation: Operation): Response =>
  operation === "generate"
    ? json(whole)
    : new Response(`${frame("Hello", "stop")}${done}`, { headers: { "content-type": "text/event-stream" } })

const failure = <A>(effect: Effect.Effect<A, LlmError>): Promise<LlmError> => Effect.runPromise(Effect.flip(effect))

describe("A redirect", () => {
  const to = (status: number, location?: string) =>
    new Response(null, { status, headers: location === undefined ? {} : { location } })

  it("on one origin is followed three times with all that was sent, when it keeps the method", () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom(307, 308), { maxLength: 5 }),
        fc.constantFrom(...operationNames),
        async (statuses, operation) => {
          const sent: Array<Sent> = []
          const service = serviceOf(
            (index) => index < statuses.length ? to(statuses[index]!, `/moved/${index}`) : answerOf(operation),
            sent
          )
          const run = Effect.runPromiseExit(operations[operation](service))
          const exit = await run
          assert.strictEqual(exit._tag, statuses.length > 3 ? "Failure" : "Success")
          assert.strictEqual(sent.length, Math.min(statuses.length, 3) + 1)
          for (const [index, { body, headers, method, url }] of sent.entries()) {
            assert.deepStrictEqual([method, headers, body], [sent[0]!.method, sent[0]!.headers, sent[0]!.body])
            if (index > 0) assert.strictEqual(url, `https://llm.example.com/moved/${index - 1}`)
          }
        }
      ),
      { numRuns: 20 }
    ))

  it.each(operationNames)(
    "of any other kind is the provider's fault, and nothing is sent after it: %s",
    async (operation) => {
      const places: ReadonlyArray<readonly [status: number, location: string | undefined]> = [
        ...[300, 301, 302, 303, 305, 306, 399].map((status) => [status, "/moved"] as const),
        [307, undefined],
        [308, "https://["],
        ...[
          "http://llm.example.com/v1",
          "https://llm.example.com:8443/v1",
          "https://example.com/v1",
          "//elsewhere.example.com",
          "https://user@evil.example.com"
        ].map((location) => [307, location] as const)
      ]
      for (const [status, location] of places) {
        const sent: Array<Sent> = []
        const error = await failure(operations[operation](serviceOf(() => to(status, location), sent)))
        assert.deepStrictEqual(
          [error.reason._tag, "status" in error.reason ? error.reason.status : undefined, sent.length],
          ["Provider", status, 1],
          `${status} ${location}`
        )
        assert.strictEqual(error.isRetryable, false)
      }
    }
  )

  it("elsewhere says where to", async () => {
    const { message } = await failure(serviceOf(() => to(307, "https://elsewhere.example.com/v1?a=b")).generate(hello))
    assert.include(message, "https://elsewhere.example.com")
    assert.notInclude(message, "a=b")
  })
})

describe("A status", () => {
  it.each(operationNames)("from 200 to 299 is an answer, every other an error that names it: %s", async (operation) => {
    for (const status of [200, 201, 203, 206, 299, 304, 400, 401, 404, 418, 499, 500, 503, 599]) {
      const service = serviceOf(() => {
        if (status >= 300) return json("{\"error\":{\"message\":\"no\"}}", status)
        const { body, headers } = answerOf(operation)
        return new Response(body, { status, headers })
      })
      const exit = await Effect.runPromiseExit(operations[operation](service))
      assert.strictEqual(exit._tag, status < 300 ? "Success" : "Failure", String(status))
      if (status < 300) continue
      const { reason } = await failure(operations[operation](service))
      assert.strictEqual("status" in reason ? reason.status : undefined, status)
    }
  })
})

describe("The body of an error", () => {
  const kept = (error: LlmError) => ("body" in error.reason ? error.reason.body : undefined)

  it("is kept whole up to 64 KiB, and beyond as far as that", async () => {
    for (const length of [1000, 65_535, 65_536, 65_537, 131_072, 131_073, 400_000]) {
      const text = "x".repeat(length)
      const error = await failure(serviceOf(() => new Response(text, { status: 500 })).generate(hello))
      const body = kept(error)!
      if (length <= 65_536) assert.strictEqual(body, text)
      else {
        assert.isAtMost(new TextEncoder().encode(body).length, 65_536)
        assert.isAbove(body.length, 65_000)
      }
    }
  })

  it.each(operationNames)(
    "is read no further than twice that, and the connection is told to stop: %s",
    async (operation) => {
      const server = sending(["x".repeat(1024)], "flood")
      const service = serviceOf(() => new Response(server.body, { status: 400 }))
      const { reason } = await failure(operations[operation](service))
      assert.strictEqual(reason._tag, "Validation")
      assert.isAtLeast(server.pulled, 128)
      assert.isAtMost(server.pulled, 132)
      assert.isTrue(server.cancelled)
    }
  )

  it.effect.each<readonly [name: string, timeouts: Timeouts, seconds: number]>([
    ["ten seconds", {}, 10],
    ["firstByte, where that is less", { firstByte: "3 seconds" }, 3],
    ["idle, where that is less", { idle: "2 seconds", firstByte: "4 seconds" }, 2],
    ["ten seconds, where both are more", { idle: "1 minute", firstByte: "1 minute" }, 10]
  ])("that does not end is waited for as long as: %s", ([, timeouts, seconds]) =>
    Effect.gen(function*() {
      const server = sending(["{\"error\":{\"message\":\"overloaded, try later\"}"], "silence")
      const service = serviceOf(() => new Response(server.body, { status: 503 }), [], timeouts)
      const fiber = yield* Effect.forkChild(Effect.flip(service.generate(hello)))
      for (let i = 0; i < 20; i++) yield* turn
      yield* TestClock.adjust(Duration.millis(1000 * seconds - 1))
      for (let i = 0; i < 20; i++) yield* turn
      assert.isUndefined(fiber.pollUnsafe())
      yield* TestClock.adjust("1 millis")
      const error = yield* Fiber.join(fiber)
      assert.strictEqual("status" in error.reason ? error.reason.status : undefined, 503)
      assert.include(kept(error) ?? "", "overloaded")
      assert.isTrue(server.cancelled)
    }))
})

describe("The request id of a server", () => {
  const id = "req_0123456789"
  const answers: ReadonlyArray<readonly [what: string, tag: string, answer: (operation: Operation) => Response]> = [
    ["a refusal", "Provider", () => json("{\"error\":{\"message\":\"no\"}}", 500)],
    ["a page", "ResponseParse", () => new Response("<html>", { headers: { "content-type": "text/html" } })],
    ["an answer that breaks off", "Network", () =>
      new Response(sending([frame("Hel")], "break").body, {
        headers: { "content-type": "text/event-stream" }
      })],
    ["an answer that ends early", "IncompleteStream", () =>
      new Response(frame("Hel"), {
        headers: { "content-type": "text/event-stream" }
      })],
    ["an error in the answer", "Overloaded", () =>
      new Response(
        `data: ${JSON.stringify({ error: { message: "Overloaded", code: 503, type: "overloaded_error" } })}\n\n`,
        { headers: { "content-type": "text/event-stream" } }
      )]
  ]
  it.each(answers)("is in the error of %s", async (_, tag, answer) => {
    const service = serviceOf(() => {
      const { body, headers, status } = answer("stream")
      return new Response(body, { status, headers: [...headers, ["x-request-id", id]] })
    })
    const error = await failure(Stream.runDrain(service.stream(hello)))
    assert.deepStrictEqual([error.reason._tag, error.requestId], [tag, id])
  })

  it.each(operationNames)("is in the answer, and in the error of a limit that passes: %s", async (operation) => {
    const silent = sending(operation === "stream" ? [frame("Hel")] : ["{"], "silence")
    const service = serviceOf(() => new Response(silent.body, { headers: { "x-request-id": id } }))
    const run = Effect.gen(function*() {
      const fiber = yield* Effect.forkChild(
        Effect.flip(operations[operation](service, { ...hello, timeouts: { idle: "1 second" } }))
      )
      for (let i = 0; i < 20; i++) yield* turn
      yield* TestClock.adjust("1 second")
      return yield* Fiber.join(fiber)
    })
    const error = await Effect.runPromise(Effect.provide(run, TestClock.layer()))
    assert.deepStrictEqual([error.reason._tag, error.requestId], ["Timeout", id])
    assert.isTrue(silent.cancelled)
    const answered = serviceOf(() => json(whole, 200, { "x-request-id": id }))
    assert.strictEqual((await Effect.runPromise(answered.generate(hello))).requestId, id)
  })
})

describe("The limits of a call that names none", () => {
  /** When, in milliseconds, and by which limit a call ends on this answer. */
  const ending = (operation: Operation, answer: () => Response | "never", timeouts?: Timeouts) =>
    Effect.gen(function*() {
      const service = serviceOf(answer, [], timeouts)
      const fiber = yield* Effect.forkChild(Effect.flip(operations[operation](service)))
      for (let seconds = 0; seconds < 3600; seconds += 30) {
        for (let i = 0; i < 8; i++) yield* turn
        if (fiber.pollUnsafe() !== undefined) {
          const { reason } = yield* Fiber.join(fiber)
          return [reason._tag === "Timeout" ? reason.phase : reason._tag, seconds]
        }
        yield* TestClock.adjust("30 seconds")
      }
      return ["none", Infinity]
    })

  const events = (pieces: ReadonlyArray<string>) => () =>
    new Response(sending(pieces, "silence").body, { headers: { "content-type": "text/event-stream" } })

  it.effect("are those of the documentation", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* ending("stream", () => "never"), ["connect", 120])
      assert.deepStrictEqual(yield* ending("generate", () => "never"), ["total", 600])
      assert.deepStrictEqual(yield* ending("generate", events([])), ["firstByte", 300])
      assert.deepStrictEqual(yield* ending("generate", events(["{"])), ["idle", 120])
      assert.deepStrictEqual(yield* ending("stream", events([])), ["firstToken", 600])
      assert.deepStrictEqual(yield* ending("stream", events([frame("Hel")])), ["idle", 120])
    }))

  it.effect("give way to those that are named", () =>
    Effect.gen(function*() {
      const limit = {
        connect: "1 minute",
        firstByte: "90 seconds",
        firstToken: "150 seconds",
        idle: "1 minute"
      } as const
      assert.deepStrictEqual(yield* ending("stream", () => "never", limit), ["connect", 60])
      assert.deepStrictEqual(yield* ending("generate", () => "never", { total: "3 minutes" }), ["total", 180])
      assert.deepStrictEqual(yield* ending("generate", events([]), limit), ["firstByte", 90])
      assert.deepStrictEqual(yield* ending("stream", events([]), limit), ["firstToken", 150])
      assert.deepStrictEqual(yield* ending("stream", events([frame("Hel")]), limit), ["idle", 60])
      assert.deepStrictEqual(yield* ending("stream", events([frame("Hel")]), { total: "1 minute" }), ["total", 60])
    }))

  it.effect("do not keep a finished answer waiting for its end: two seconds, or idle where that is less", () =>
    Effect.gen(function*() {
      for (const [idle, millis] of [[undefined, 2000], ["500 millis", 500]] as const) {
        const finished = sending([frame("Hello"), frame("", "stop")], "silence")
        const service = serviceOf(
          () => new Response(finished.body, { headers: { "content-type": "text/event-stream" } }),
          [],
          { idle }
        )
        const fiber = yield* Effect.forkChild(Stream.runCollect(service.stream(hello)))
        for (let i = 0; i < 20; i++) yield* turn
        yield* TestClock.adjust(Duration.millis(millis - 1))
        for (let i = 0; i < 20; i++) yield* turn
        assert.isUndefined(fiber.pollUnsafe())
        yield* TestClock.adjust("1 millis")
        assert.strictEqual((yield* Fiber.join(fiber)).at(-1)?._tag, "Finish")
      }
    }))
})

describe("An answer of lines that is cut anywhere", () => {
  const lines = ["Hel", "lo", " there"].map((content) =>
    JSON.stringify({ model: "m", message: { role: "assistant", content }, done: false })
  )
  const last = JSON.stringify({
    model: "m",
    message: { role: "assistant", content: "" },
    done: true,
    done_reason: "stop"
  })
  const text = [...lines, last].map((line) => `${line}\n`).join("")
  const ollama = (answer: Answer) =>
    Effect.runSync(Effect.provideService(Ollama.make({ model: "m" }), HttpClient.HttpClient, clientOf(answer, [])))

  it("is no answer before its last line is there, and one from then on", () =>
    fc.assert(
      fc.asyncProperty(fc.nat(text.length), fc.constantFrom("end", "break"), async (at, then) => {
        const service = ollama(() =>
          new Response(sending(at === 0 ? [] : [text.slice(0, at)], then).body, {
            headers: { "content-type": "application/x-ndjson" }
          })
        )
        const exit = await Effect.runPromiseExit(Stream.runCollect(service.stream(hello)))
        const isWhole = at >= text.length - 1
        assert.strictEqual(exit._tag, isWhole ? "Success" : "Failure", `${at} of ${text.length}, ${then}`)
        if (isWhole) return
        const { partial, reason } = await failure(Stream.runDrain(
          ollama(() => new Response(sending(at === 0 ? [] : [text.slice(0, at)], then).body)).stream(hello)
        ))
        assert.include(["IncompleteStream", "Network"], reason._tag)
        assert.isTrue("Hello there".startsWith(partial?.text ?? ""))
      }),
      { numRuns: 40, examples: [[text.length, "end"], [text.length - 1, "end"], [text.length - 2, "end"]] }
    ))
})
