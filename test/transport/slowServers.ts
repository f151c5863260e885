// Servers of every kind of slowness, by the clock of the test.
import { Effect, Fiber, type Scope } from "effect"
import * as Http from "node:http"
import type { AddressInfo, Socket } from "node:net"

export interface Exchange {
  readonly req: Http.IncomingMessage
  readonly res: Http.ServerResponse
}

export type Behaviour = (exchange: Exchange) => Effect.Effect<void>

export interface Server {
  readonly url: string
  readonly exchanges: Array<Exchange>
  readonly sockets: Set<Socket>
}

/** A server whose n-th request gets the n-th behaviour, and those after the last one the last. */
export const serve = (...behaviours: ReadonlyArray<Behaviour>): Effect.Effect<Server, never, Scope.Scope> =>
  Effect.gen(function*() {
    const context = yield* Effect.context<never>()
    const exchanges: Array<Exchange> = []
    const sockets = new Set<Socket>()
    const fibers: Array<Fiber.Fiber<void>> = []
    const server = Http.createServer((req, res) => {
      const behave = behaviours[Math.min(exchanges.length, behaviours.length - 1)]!
      exchanges.push({ req, res })
      fibers.push(Effect.runForkWith(context)(behave({ req, res })))
    })
    server.on("connection", (socket) => {
      sockets.add(socket)
      socket.on("close", () => sockets.delete(socket))
    })
    yield* Effect.callback<void>((resume) => void server.listen(0, "127.0.0.1", () => resume(Effect.void)))
    yield* Effect.addFinalizer(() =>
      Effect.andThen(
        Fiber.interruptAll(fibers),
        Effect.callback<void>((resume) => {
          server.close(() => resume(Effect.void))
          server.closeAllConnections()
        })
      )
    )
    return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`, exchanges, sockets }
  })

export const story = "Once upon a time."
const document = JSON.stringify({
  id: "1",
  object: "chat.completion",
  model: "m",
  choices: [{ index: 0, message: { role: "assistant", content: story }, finish_reason: "stop" }],
  usage: { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 }
})
const frame = (delta: object, finish: string | null = null) =>
  `data: ${JSON.stringify({ id: "1", model: "m", choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`
const opening = frame({ role: "assistant", content: "Once upon" })
const events = `${opening}${frame({ content: " a time." })}${frame({}, "stop")}data: [DONE]\n\n`

/** How many servers wait for bytes that are on their way: the clock stands still for them. */
export const waiting = { count: 0 }
const arriving = <A>(bytes: Effect.Effect<A>): Effect.Effect<A> =>
  Effect.acquireUseRelease(
    Effect.sync(() => void waiting.count++),
    () => bytes,
    () => Effect.sync(() => void waiting.count--)
  )

const received = ({ req }: Exchange): Effect.Effect<string> =>
  arriving(Effect.callback((resume) => {
    const chunks: Array<Buffer> = []
    req.on("data", (chunk: Buffer) => chunks.push(chunk))
    req.on("end", () => resume(Effect.succeed(Buffer.concat(chunks).toString())))
  }))

/** After the request has come, with whether a stream was asked for. */
const asked = (then: (exchange: Exchange, streamed: boolean) => Effect.Effect<void>): Behaviour => (exchange) =>
  Effect.flatMap(received(exchange), (body) => then(exchange, body.includes("\"stream\":true")))

const head = ({ res }: Exchange, streamed: boolean) => {
  res.writeHead(200, { "content-type": streamed ? "text/event-stream" : "application/json" })
  res.flushHeaders()
}

const whole = (streamed: boolean) => streamed ? events : document

export const answers = asked((exchange, streamed) =>
  Effect.sync(() => {
    head(exchange, streamed)
    exchange.res.end(whole(streamed))
  })
)

export const late = (seconds: number): Behaviour =>
  asked((exchange, streamed) =>
    Effect.andThen(
      Effect.sleep(seconds * 1000),
      Effect.sync(() => {
        head(exchange, streamed)
        exchange.res.end(whole(streamed))
      })
    )
  )

export const silentAfterHeaders = asked((exchange, streamed) => Effect.sync(() => head(exchange, streamed)))

/** One byte a second that never adds up to an answer, after a beginning that does. */
export const drips = asked((exchange, streamed) =>
  Effect.andThen(
    Effect.sync(() => {
      head(exchange, streamed)
      exchange.res.write(streamed ? opening : document.slice(0, 20))
    }),
    Effect.forever(Effect.andThen(Effect.sleep("1 second"), Effect.sync(() => void exchange.res.write(" "))))
  )
)

export const completeButOpen = asked((exchange, streamed) =>
  Effect.sync(() => {
    head(exchange, streamed)
    exchange.res.write(whole(streamed))
  })
)

export const cut = asked((exchange, streamed) =>
  Effect.sync(() => {
    head(exchange, streamed)
    exchange.res.end(streamed ? opening : document.slice(0, 60))
  })
)

/** Reads two megabytes every 15 seconds, in all longer than `connect`, and then answers. */
export const readsSlowly: Behaviour = (exchange) =>
  Effect.gen(function*() {
    const { req } = exchange
    let left = Number(req.headers["content-length"])
    let streamed = false
    while (left > 0) {
      yield* Effect.sleep("15 seconds")
      for (let budget = 2 * 1024 * 1024; budget > 0 && left > 0;) {
        const chunk = req.read() as Buffer | null
        if (chunk === null) {
          yield* arriving(Effect.callback<void>((resume) => void req.once("readable", () => resume(Effect.void))))
          continue
        }
        streamed ||= chunk.includes("\"stream\":true")
        budget -= chunk.length
        left -= chunk.length
      }
    }
    head(exchange, streamed)
    exchange.res.end(whole(streamed))
  })

export const neverReads: Behaviour = () => Effect.never
