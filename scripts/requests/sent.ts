/**
 * Sends requests through the services of providers to a client that notes what came and answers as the wire does, without a network.
 */
import { Effect, Stream } from "effect"
import { HttpClient, HttpClientResponse } from "effect/http"
import { type LlmError, type LlmRequest, LlmResponse, type LlmService } from "../../src/index.ts"
import * as Simulator from "../../src/testing/Simulator.ts"
import { fieldsOf, type Sent } from "./Fault.ts"
import type { Target } from "./targets.ts"

/** What became of a request. */
export interface Outcome {
  /** What left; the last one where several did. */
  readonly sent: Sent | undefined
  readonly response: LlmResponse.LlmResponse | undefined
  readonly error: LlmError.LlmError | undefined
}

const wires = new Map(Simulator.defaultWires.map((wire) => [wire.wire, wire]))

interface Noted {
  readonly method: string
  readonly url: string
  readonly headers: { readonly [name: string]: string }
  readonly text: string
}

const decoder = new TextDecoder()

const textOf = (body: { readonly _tag: string }): string => {
  if (!("body" in body)) return ""
  return body.body instanceof Uint8Array ? decoder.decode(body.body) : typeof body.body === "string" ? body.body : ""
}

const encoder = new TextEncoder()

const bytesOf = (frames: ReadonlyArray<Simulator.Frame>): Uint8Array<ArrayBuffer> =>
  new Uint8Array(Buffer.concat(frames.map(({ data }) => typeof data === "string" ? encoder.encode(data) : data)))

const answer = new LlmResponse.LlmResponse({
  parts: [{ type: "text", text: "Rain." }],
  finishReason: "stop",
  usage: { input: { total: 5 }, output: { total: 2 } },
  id: "answer_1",
  model: "model",
  provider: "someone",
  warnings: []
})

const answered = (wire: Simulator.Wire, noted: Noted): Response => {
  const url = new URL(noted.url)
  const incoming = {
    method: noted.method,
    path: url.pathname,
    query: url.searchParams,
    headers: noted.headers,
    body: noted.text === "" ? undefined : JSON.parse(noted.text)
  }
  const context = { incoming, requestId: "request_1", created: 0 }
  const read = wire.decodeRequest(incoming)
  if ("refused" in read || !read.stream) {
    return new Response(JSON.stringify(wire.encodeAnswer(answer, context).body), {
      headers: { "content-type": "application/json" }
    })
  }
  const encoding = wire.answerEncoder(context)
  return new Response(bytesOf(LlmResponse.toEvents(answer).flatMap((event) => encoding.add(event))), {
    headers: { "content-type": wire.streamContentType(context) }
  })
}

/** A target that is ready: asks it, and tells what became of the request. */
export type Ask = (request: LlmRequest.LlmRequest, operation: "generate" | "stream") => Effect.Effect<Outcome>

/** Makes the service of a target. */
export const ready = Effect.fnUntraced(function*(target: Target) {
  const wire = wires.get(target.wire)!
  let noted: Noted | undefined
  const client = HttpClient.make((request, url) =>
    Effect.sync(() => {
      const seen = { method: request.method, url: url.href, headers: request.headers, text: textOf(request.body) }
      noted = seen
      return HttpClientResponse.fromWeb(request, answered(wire, seen))
    })
  )
  const service: LlmService.Service = yield* Effect.provideService(target.make, HttpClient.HttpClient, client)
  const ask: Ask = (request, operation) =>
    Effect.suspend(() => {
      noted = undefined
      const call = operation === "generate"
        ? service.generate(request)
        : Effect.map(Stream.runLast(service.stream(request)), (last) =>
          last._tag === "Some" && last.value._tag === "Finish" ? last.value.response : undefined)
      return Effect.map(Effect.result(call), (result): Outcome => ({
        sent: noted === undefined ? undefined : {
          provider: target.provider,
          model: target.model,
          operation,
          method: noted.method,
          url: new URL(noted.url),
          headers: noted.headers,
          body: fieldsOf(noted.text === "" ? undefined : JSON.parse(noted.text)),
          request
        },
        response: result._tag === "Success" ? result.success : undefined,
        error: result._tag === "Failure" ? result.failure : undefined
      }))
    })
  return ask
})
