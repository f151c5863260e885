// Serves a case: in memory, as a web response, which is what `fetch` gives; or over a real connection.
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import { createServer, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import type { Answer } from "./answers.ts"

const bodiless: ReadonlySet<number> = new Set([204, 205, 304])

const streamOf = ({ chunks, ending }: Answer): ReadableStream<Uint8Array<ArrayBuffer>> => {
  let at = 0
  return new ReadableStream({
    pull(controller) {
      const chunk = chunks[at++]
      if (chunk !== undefined) return controller.enqueue(chunk as Uint8Array<ArrayBuffer>)
      if (ending === "close") return controller.close()
      if (ending === "break") {
        return controller.error(Object.assign(new TypeError("terminated"), { code: "ECONNRESET" }))
      }
      return new Promise<void>(() => {})
    }
  })
}

/** A client that answers everything alike. */
export const inMemory = (answer: Answer): HttpClient.HttpClient =>
  HttpClient.make((request) =>
    Effect.sync(() => {
      const headers = new Headers()
      for (const [name, value] of answer.headers) headers.append(name, value)
      const body = bodiless.has(answer.status) ? null : streamOf(answer)
      return HttpClientResponse.fromWeb(request, new Response(body, { status: answer.status, headers }))
    })
  )

/** A server on the loopback that answers as it is told last. */
export const serve = async (): Promise<{
  readonly url: string
  readonly server: Server
  answer: Answer
}> => {
  const server = createServer((request, response) => {
    request.resume()
    const { answer } = served
    response.on("error", () => {})
    const headers = answer.headers.filter(([, value]) => !/[\r\n\0]/.test(value))
    for (const [name, value] of headers) response.appendHeader(name, value)
    response.writeHead(answer.status)
    // Over at once for the client: what became of the connection then would be the next case's.
    if (bodiless.has(answer.status)) return response.end()
    response.flushHeaders()
    const write = (at: number): void => {
      const chunk = answer.chunks[at]
      if (chunk !== undefined) {
        response.write(chunk)
        setImmediate(write, at + 1)
      } else if (answer.ending === "close") response.end()
      else if (answer.ending === "break") response.destroy()
    }
    write(0)
  })
  // Longer than a case, so that no connection ends while the next one takes it.
  server.keepAliveTimeout = 120_000
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const served = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    server,
    answer: { status: 200, headers: [], chunks: [], ending: "close" } as Answer
  }
  return served
}
