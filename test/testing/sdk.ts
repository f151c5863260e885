// What tests that put a vendor's official client before the simulator have in common.
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { type IncomingMessage, request } from "node:http"

/** What a promise is rejected with. */
export const rejection = <A>(promise: () => PromiseLike<A>): Effect.Effect<unknown> =>
  Effect.promise(() =>
    promise().then(
      () => assert.fail("expected a rejection"),
      (error: unknown) => error
    )
  )

/** The same, of a client that has one class of errors. */
export const rejectionOf = <A, E>(
  error: abstract new(...args: never) => E,
  promise: () => PromiseLike<A>
): Effect.Effect<E> =>
  Effect.map(
    rejection(promise),
    (rejected) => rejected instanceof error ? rejected : assert.fail(`not a ${error.name}: ${String(rejected)}`)
  )

/** Everything that a stream gives. */
export const collect = <A>(stream: AsyncIterable<A>): Effect.Effect<ReadonlyArray<A>> =>
  Effect.promise(async () => {
    const all: Array<A> = []
    for await (const one of stream) all.push(one)
    return all
  })

/** A function tool in the words of most vendors. */
export const getWeather = {
  name: "get_weather",
  description: "Current weather of a city",
  parameters: { type: "object" as const, properties: { city: { type: "string" } }, required: ["city"] }
}

interface SdkRequest {
  readonly method: string
  readonly path: string
  readonly headers: Record<string, string>
  readonly body?: unknown
}

/** How AWS clients send: of its own accord this client speaks HTTP/2 without asking. */
export const http1 = (origin: string) => ({
  metadata: { handlerProtocol: "http/1.1" },
  updateHttpClientConfig: () => {},
  httpHandlerConfigs: () => ({}),
  handle: (sent: SdkRequest) =>
    new Promise<{ response: { statusCode: number; headers: Record<string, string>; body: IncomingMessage } }>(
      (resolve, reject) => {
        const url = new URL(sent.path, origin)
        const outgoing = request(url, { method: sent.method, headers: sent.headers }, (response) =>
          resolve({
            response: {
              statusCode: response.statusCode ?? 0,
              headers: response.headers as Record<string, string>,
              body: response
            }
          }))
        outgoing.on("error", reject)
        outgoing.end(sent.body)
      }
    )
})
