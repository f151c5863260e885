// Nothing that comes is a defect: what framing, decoders and the making of errors throw is a typed error, on every client.
import { NodeHttpClient } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Exit, Stream } from "effect"
import { HttpClient, HttpClientResponse } from "effect/http"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import type { LlmError, LlmEvent } from "../../src/index.ts"
import { layerHttpClient } from "../../src/node.ts"
import { Assembler } from "../../src/protocol/Assembler.ts"
import type { DecodeContext, Decoder, FramingKind, Protocol } from "../../src/protocol/Protocol.ts"
import * as Transport from "../../src/transport/Transport.ts"

type Place = "decoder" | "framing" | "frame" | "whole" | "end" | "settled" | "partial" | "grace"

const thrown = new RangeError("Maximum call stack size exceeded; sk-planted-0123456789-secret")

/** Says one word per frame and throws in one place. */
class Throwing implements Decoder {
  readonly assembler: Assembler
  private readonly place: Place
  private frames = 0

  constructor(context: DecodeContext, place: Place) {
    this.assembler = new Assembler(context)
    this.place = place
    if (place === "decoder") throw thrown
    if (place === "partial") {
      this.assembler.partial = () => {
        throw thrown
      }
    }
  }

  get settled(): boolean {
    if (this.place === "settled" && this.frames > 0) throw thrown
    return this.place === "grace" && this.frames > 0
  }

  frame(): void {
    if (this.frames++ === 0) {
      this.assembler.start("id", "model")
      this.assembler.text(this.assembler.openText(), "Hello")
    } else if (this.place === "frame" || this.place === "partial") throw thrown
  }

  whole(): void {
    this.frame()
    if (this.place === "whole" || this.place === "partial") throw thrown
  }

  end(): void {
    if (this.place === "end" || this.settled) throw thrown
  }
}

const protocolOf = (place: Place): Protocol => ({
  wire: "test",
  framing: place === "framing"
    ? ((() => {
      throw thrown
    }) satisfies FramingKind)
    : "sse",
  encoder: () => ({ path: "/", body: {}, warnings: [] }),
  decoder: (context) => new Throwing(context, place)
})

const bodyOf = (place: Place): string => place === "whole" ? "{\"a\":1}" : "data: {}\n\ndata: {}\n\n"

const callTo = (url: string, place: Place): Transport.Call => ({
  protocol: protocolOf(place),
  provider: "test",
  model: "m",
  operation: "stream",
  url,
  headers: {},
  body: "{}",
  secrets: ["sk-planted-0123456789-secret"],
  timeouts: { idle: "50 millis" },
  warnings: [],
  includeRaw: false,
  idSeed: ""
})

/** Answers with the body, and leaves the connection open where the end is not to come. */
const server = (place: Place) =>
  Effect.acquireRelease(
    Effect.promise(async () => {
      const made = createServer((_, response) => {
        response.writeHead(200, { "content-type": "text/event-stream", "x-request-id": "req-1" })
        response.write(bodyOf(place))
        if (place !== "grace") setImmediate(() => response.end())
      })
      await new Promise<void>((resolve) => made.listen(0, "127.0.0.1", resolve))
      return made
    }),
    (made) =>
      Effect.sync(() => {
        made.closeAllConnections()
        made.close()
      })
  )

/** A client whose body is a stream of Effect's and nothing else. */
const streamOnly = HttpClient.make((request) =>
  Effect.promise(async () => {
    const text = bodyOf(request.url.split("/").at(-1) as Place)
    const web = new Response("", { headers: { "content-type": "text/event-stream", "x-request-id": "req-1" } })
    // Read already, so that nothing but the stream is left.
    await web.text()
    const response = HttpClientResponse.fromWeb(request, web)
    const open = request.url.endsWith("grace") ? Stream.never : Stream.empty
    return Object.defineProperties(Object.create(response) as HttpClientResponse.HttpClientResponse, {
      stream: { value: Stream.concat(Stream.make(new TextEncoder().encode(text)), open) },
      headers: { value: response.headers },
      status: { value: 200 },
      request: { value: request }
    })
  })
)

const clients = [
  ["fetch", NodeHttpClient.layerFetch],
  ["undici", NodeHttpClient.layerUndici],
  ["the Node entry", layerHttpClient]
] as const

const judge = (exit: Exit.Exit<unknown, LlmError.LlmError>, events: ReadonlyArray<LlmEvent.LlmEvent>, place: Place) => {
  assert.isTrue(Exit.isFailure(exit) && !Cause.hasDies(exit.cause), String(exit))
  const error = Exit.isFailure(exit) ? Cause.findErrorOption(exit.cause) : undefined
  assert.strictEqual(error?._tag, "Some")
  if (error?._tag !== "Some") return
  assert.strictEqual(error.value.reason._tag, "ResponseParse", String(error.value))
  assert.notInclude(JSON.stringify(error.value) + String(error.value) + (error.value.stack ?? ""), "sk-planted")
  assert.strictEqual(error.value.requestId, "req-1")
  if (place === "decoder" || place === "framing") return
  assert.strictEqual(error.value.partial?.text, place === "partial" ? undefined : "Hello", String(error.value))
  assert.strictEqual(events.find((event) => event._tag === "TextDelta")?.text, "Hello")
}

const places: ReadonlyArray<Place> = ["decoder", "framing", "frame", "whole", "end", "settled", "partial", "grace"]

const run = (transport: Transport.Transport, url: string, place: Place) =>
  Effect.gen(function*() {
    const events: Array<LlmEvent.LlmEvent> = []
    const stream = transport.stream(callTo(url, place))
    judge(
      yield* Effect.exit(Stream.runForEach(stream, (event) => Effect.sync(() => void events.push(event)))),
      events,
      place
    )
    const whole = transport.generate({ ...callTo(url, place), operation: "generate" })
    judge(yield* Effect.exit(whole), events, place)
  })

for (const place of places) {
  describe(`what is thrown by ${place}`, () => {
    for (const [name, client] of clients) {
      it.live(`is ResponseParse with partial and request id, over ${name}`, () =>
        Effect.gen(function*() {
          const made = yield* server(place)
          const transport = Transport.make(yield* HttpClient.HttpClient)
          yield* run(transport, `http://127.0.0.1:${(made.address() as AddressInfo).port}/${place}`, place)
        }).pipe(Effect.scoped, Effect.provide(client)))
    }

    it.live("is ResponseParse with partial and request id, where the body cannot be polled", () =>
      run(Transport.make(streamOnly), `http://test.invalid/${place}`, place))
  })
}

describe("making an error", () => {
  /** Secrets that cannot be searched for. */
  const unsearchable = new Proxy<ReadonlyArray<string>>([], {
    get: () => {
      throw thrown
    }
  })
  const answering = (body: string, status: number) =>
    Transport.make(
      HttpClient.make((request) => Effect.succeed(HttpClientResponse.fromWeb(request, new Response(body, { status }))))
    )

  it.effect.each([[200, "no answer"], [401, "{\"error\":{\"message\":\"no sk-planted-0123456789-secret\"}}"]] as const)(
    "is no defect when the text cannot be scrubbed, which is not shown then: status %s",
    ([status, body]) =>
      Effect.gen(function*() {
        const call = { ...callTo("http://test.invalid/frame", "end"), secrets: unsearchable }
        const error = yield* Effect.flip(Stream.runDrain(answering(body, status).stream(call)))
        assert.strictEqual(error.reason._tag, status === 401 ? "Authentication" : "ResponseParse")
        assert.notInclude(JSON.stringify(error) + error.message, "sk-planted")
        assert.notInclude(JSON.stringify(error) + error.message, "no answer")
      })
  )

  it.effect("is no defect where a JSON answer cannot be read", () =>
    Effect.gen(function*() {
      const call: Transport.JsonCall = { ...callTo("http://test.invalid/", "end"), method: "GET", operation: "models" }
      const reading = {
        read: () => {
          throw thrown
        },
        nothing: "Nothing."
      }
      const error = yield* Effect.flip(answering("{}", 200).json(call, reading))
      assert.strictEqual(error.reason._tag, "ResponseParse")
      assert.notInclude(JSON.stringify(error), "sk-planted")
    }))
})
