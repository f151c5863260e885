/**
 * Effect's own fetch client and its streams with the hand-written reader of the raw clients: what a program pays for Effect
 * before any library. Each read of the web response wakes the fiber by one callback; `response.stream` costs a little more.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpBody from "effect/http/HttpBody"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Option from "effect/Option"
import type * as Pull from "effect/Pull"
import * as Stream from "effect/Stream"
import { bodyOf, headersOf, type Make, pathOf, RawReader, rawText } from "../client.ts"

const bytesOf = (response: HttpClientResponse.HttpClientResponse): Stream.Stream<Uint8Array> => {
  const reader = Option.getOrThrow(HttpClientResponse.toWeb(response)).body!.getReader()
  const read: Pull.Pull<readonly [Uint8Array]> = Effect.callback((resume) => {
    reader.read().then(
      ({ done, value }) => resume(done ? Cause.done() : Effect.succeed([value])),
      (error: unknown) => resume(Effect.die(error))
    )
  })
  return Stream.fromPull(Effect.succeed(read))
}

export const make: Make = async ({ url, wire }) => {
  const headers = headersOf(wire)
  const target = url + pathOf(wire)
  const runtime = ManagedRuntime.make(FetchHttpClient.layer)
  const send = (body: string) =>
    HttpClient.execute(HttpClientRequest.post(target, { headers, body: HttpBody.raw(body) }))
  return {
    stream: (prompt, onText) =>
      runtime.runPromise(Effect.flatMap(send(bodyOf(wire, prompt, true)), (response) => {
        const reader = new RawReader(wire, onText)
        const push = (chunks: ReadonlyArray<Uint8Array>) =>
          Effect.sync(() => {
            for (const bytes of chunks) reader.push(bytes)
          })
        return Effect.map(Stream.runForEachArray(bytesOf(response), push), () => reader.end())
      })),
    generate: (prompt) =>
      runtime.runPromise(
        Effect.map(
          Effect.flatMap(send(bodyOf(wire, prompt, false)), (response) => response.text),
          (text) => rawText(wire, text)
        )
      )
  }
}
