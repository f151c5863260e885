/**
 * The mock server, in a process of its own, so that its work is not counted as the client's.
 *
 * The first path segment says what to answer: `kind-text.deltas-20000.size-5.per-16.pace-0`; the rest of the path is
 * the API's own and tells the wire. `per` deltas go into one write (0: the whole answer is one write), writes are a
 * turn of the event loop apart, or `pace` milliseconds. A paced delta says when it was written, in microseconds of the
 * machine's monotonic clock. Answers are built once and kept as buffers.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { bodyOf, framesOf, type Kind, texts, type Wire } from "./answers.ts"

interface Spec {
  readonly kind: Kind
  readonly deltas: number
  readonly size: number
  readonly varied: boolean
  readonly per: number
  readonly pace: number
}

const specOf = (segment: string): Spec => {
  const fields = new Map(segment.split(".").map((field) => field.split("-") as [string, string]))
  const number = (name: string, fallback: number) => Number(fields.get(name) ?? fallback)
  return {
    kind: (fields.get("kind") ?? "text") as Kind,
    deltas: number("deltas", 100),
    size: number("size", 5),
    varied: number("varied", 0) === 1,
    per: number("per", 16),
    pace: number("pace", 0)
  }
}

const wireOf = (path: string): Wire =>
  path.endsWith("/messages")
    ? "anthropic"
    : path.endsWith("/responses")
    ? "responses"
    : path.includes("enerateContent")
    ? "gemini"
    : "chat"

interface Answer {
  readonly spec: Spec
  /** Writes of a stream, or the one body. */
  readonly writes: ReadonlyArray<Buffer>
  /** Offset of the time stamp in a paced write. */
  readonly stamp: number
  readonly head: Buffer
  readonly tail: Buffer
}

const answers = new Map<string, Answer>()
const stampWidth = 16

const answerOf = (segment: string, wire: Wire): Answer => {
  const key = `${segment} ${wire}`
  const known = answers.get(key)
  if (known !== undefined) return known
  const spec = specOf(segment)
  const frames = framesOf(wire, spec.kind)
  const head = Buffer.from(frames.head)
  const tail = Buffer.from(frames.tail)
  const writes: Array<Buffer> = []
  let stamp = -1
  if (spec.kind === "json") {
    writes.push(Buffer.from(bodyOf(wire, "Lisbon is mild in spring. ".repeat(8))))
  } else if (spec.pace > 0) {
    const frame = frames.delta("0".repeat(stampWidth))
    stamp = frame.lastIndexOf("0".repeat(stampWidth))
    writes.push(Buffer.from(frame))
  } else {
    const deltas = texts(spec).map(frames.delta)
    if (spec.per === 0) {
      writes.push(Buffer.from(frames.head + deltas.join("") + frames.tail))
    } else {
      writes.push(head)
      for (let i = 0; i < deltas.length; i += spec.per) writes.push(Buffer.from(deltas.slice(i, i + spec.per).join("")))
      writes.push(tail)
    }
  }
  const answer = { spec, writes, stamp, head, tail }
  answers.set(key, answer)
  return answer
}

const stream = (response: ServerResponse, writes: ReadonlyArray<Buffer>) => {
  let at = 0
  const next = () => {
    if (response.destroyed) return
    if (at === writes.length) return void response.end()
    if (response.write(writes[at++]!)) setImmediate(next)
    else response.once("drain", next)
  }
  next()
}

const paced = (response: ServerResponse, answer: Answer) => {
  const template = answer.writes[0]!
  let left = answer.spec.deltas
  response.write(answer.head)
  const timer = setInterval(() => {
    if (response.destroyed) return clearInterval(timer)
    const write = Buffer.from(template)
    write.write(String(process.hrtime.bigint() / 1000n).padStart(stampWidth, "0"), answer.stamp, "latin1")
    response.write(write)
    if (--left > 0) return
    clearInterval(timer)
    response.end(answer.tail)
  }, answer.spec.pace)
}

const respond = (request: IncomingMessage, response: ServerResponse) => {
  const path = (request.url ?? "/").split("?")[0]!
  const answer = answerOf(path.split("/")[1]!, wireOf(path))
  if (answer.spec.kind === "json") {
    const body = answer.writes[0]!
    response.writeHead(200, {
      "content-type": "application/json",
      "content-length": body.length,
      "request-id": "req_bench01"
    })
    return void response.end(body)
  }
  response.writeHead(200, {
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-cache",
    "request-id": "req_bench01"
  })
  if (answer.spec.pace > 0) paced(response, answer)
  else stream(response, answer.writes)
}

const server = createServer((request, response) => {
  response.socket?.setNoDelay(true)
  request.on("data", () => {})
  request.on("end", () => respond(request, response))
})
server.keepAliveTimeout = 60_000
server.listen(0, "127.0.0.1", () => {
  process.send?.((server.address() as AddressInfo).port)
})
process.on("disconnect", () => process.exit(0))
