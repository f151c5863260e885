/**
 * Sends requests through the services of providers to a client that notes what came and answers as the wire does, without a network.
 */
import { Effect, Stream } from "effect"
import { HttpClient, HttpClientResponse } from "effect/http"
import type { LlmError, LlmRequest, LlmResponse, LlmService } from "../../src/index.ts"
import { answersOf } from "./answers.ts"
import { fieldsOf, type Sent } from "./Fault.ts"
import type { Target } from "./targets.ts"

/** What became of a request. */
export interface Outcome {
  /** What left; the last one where several did. */
  readonly sent: Sent | undefined
  readonly response: LlmResponse.LlmResponse | undefined
  readonly error: LlmError.LlmError | undefined
}

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

const streams = ({ text, url }: Noted): boolean =>
  /[:-]stream|:stream/i.test(new URL(url).pathname) ||
  fieldsOf(text === "" ? undefined : JSON.parse(text))["stream"] === true

/** A target that is ready: asks it, and tells what became of the request. */
export type Ask = (request: LlmRequest.LlmRequest, operation: "generate" | "stream") => Effect.Effect<Outcome>

/** Makes the service of a target. */
export const ready = Effect.fnUntraced(function*(target: Target) {
  const answers = answersOf(target.wire)
  let noted: Noted | undefined
  const client = HttpClient.make((request, url) =>
    Effect.sync(() => {
      const seen = { method: request.method, url: url.href, headers: request.headers, text: textOf(request.body) }
      noted = seen
      return HttpClientResponse.fromWeb(request, streams(seen) ? answers.streamed() : answers.whole())
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
