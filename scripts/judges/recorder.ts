/** A proxy between a client and a server that writes down what both said; WebSockets are passed as they are, but uncompressed. */
import { Effect, type Scope } from "effect"
import { createServer, type IncomingHttpHeaders, request as ask } from "node:http"
import { type AddressInfo, connect } from "node:net"
import { messagesIn } from "./frames.ts"

export interface Exchange {
  readonly method: string
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
  status: number | undefined
  answer: string
}

export interface Socket {
  readonly path: string
  /** What both sides wrote after the handshake. */
  readonly sent: ReadonlyArray<Buffer>
  readonly received: ReadonlyArray<Buffer>
}

export interface Recorder {
  readonly url: string
  readonly exchanges: ReadonlyArray<Exchange>
  readonly sockets: ReadonlyArray<Socket>
  /** Forgets what was written down. */
  readonly clear: () => void
}

/** Failures that the client has seen: statuses, events of streams, messages of sockets. */
export const failuresIn = ({ exchanges, sockets }: Recorder): ReadonlyArray<string> => [
  ...exchanges.flatMap(({ answer, method, path, status }) =>
    status === undefined
      ? [`${method} ${path}: no answer`]
      : status >= 400
      ? [`${method} ${path}: ${status} ${answer.slice(0, 200)}`]
      : /^data: \{"type":"(?:error|response\.failed|response\.incomplete)"|^event: error/m.test(answer)
      ? [`${method} ${path}: an error in the stream`]
      : []
  ),
  ...sockets.flatMap(({ path, received }) =>
    messagesIn(Buffer.concat(received))
      .filter((text) => /^\{"type":"(?:error|response\.failed|response\.incomplete)"/.test(text))
      .map((text) => `socket ${path}: ${text.slice(0, 200)}`)
  )
]

export const makeRecorder = (target: string): Effect.Effect<Recorder, never, Scope.Scope> =>
  Effect.gen(function*() {
    const exchanges: Array<Exchange> = []
    const sockets: Array<Socket> = []
    const { hostname, port } = new URL(target)
    const server = createServer((incoming, outgoing) => {
      const chunks: Array<Buffer> = []
      incoming.on("data", (chunk: Buffer) => chunks.push(chunk))
      incoming.on("end", () => {
        const body = Buffer.concat(chunks)
        const exchange: Exchange = {
          method: incoming.method ?? "GET",
          path: incoming.url ?? "/",
          headers: incoming.headers,
          body: body.toString("utf8"),
          status: undefined,
          answer: ""
        }
        exchanges.push(exchange)
        const { connection: _, "content-length": __, host: ___, "transfer-encoding": ____, ...headers } =
          incoming.headers
        const upstream = ask(
          {
            hostname,
            port,
            method: exchange.method,
            path: exchange.path,
            headers: {
              ...headers,
              host: `${hostname}:${port}`,
              ...(body.length > 0 ? { "content-length": body.length } : undefined)
            }
          },
          (answer) => {
            exchange.status = answer.statusCode
            outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
            answer.on("data", (chunk: Buffer) => {
              exchange.answer += chunk.toString("utf8")
              outgoing.write(chunk)
            })
            answer.on("end", () => outgoing.end())
            answer.on("error", () => {
              exchange.status = undefined
              outgoing.destroy()
            })
          }
        )
        upstream.on("error", () => outgoing.destroy())
        outgoing.on("close", () => upstream.destroy())
        upstream.end(body)
      })
    })
    server.on("upgrade", (incoming, client, head) => {
      const sent: Array<Buffer> = []
      const received: Array<Buffer> = []
      sockets.push({ path: incoming.url ?? "/", sent, received })
      const upstream = connect(Number(port), hostname, () => {
        const headers = Object.entries({ ...incoming.headers, host: `${hostname}:${port}` })
          // Without compression messages can be read.
          .filter(([name]) => name !== "sec-websocket-extensions")
          .map(([name, value]) => `${name}: ${String(value)}\r\n`)
        upstream.write(`GET ${incoming.url} HTTP/1.1\r\n${headers.join("")}\r\n`)
        upstream.write(head)
        if (head.length > 0) sent.push(head)
      })
      let begun: Buffer | undefined = Buffer.alloc(0)
      upstream.on("data", (chunk: Buffer) => {
        client.write(chunk)
        if (begun === undefined) return void received.push(chunk)
        begun = Buffer.concat([begun, chunk])
        const end = begun.indexOf("\r\n\r\n")
        if (end < 0) return
        received.push(begun.subarray(end + 4))
        begun = undefined
      })
      client.on("data", (chunk: Buffer) => {
        sent.push(chunk)
        upstream.write(chunk)
      })
      for (const [one, other] of [[client, upstream], [upstream, client]] as const) {
        one.on("error", () => other.destroy())
        one.on("close", () => other.destroy())
      }
    })
    yield* Effect.acquireRelease(
      Effect.callback<void>((resume) => {
        server.listen(0, "127.0.0.1", () => resume(Effect.void))
      }),
      () =>
        Effect.sync(() => {
          server.close()
          server.closeAllConnections()
        })
    )
    return {
      url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      exchanges,
      sockets,
      clear: () => {
        exchanges.length = 0
        sockets.length = 0
      }
    }
  })
