/**
 * An application that imports each module by its own subpath, and adds options of a server of its own to requests.
 */
import { Effect, Stream } from "effect"
import type { LlmRequest as FromBarrel } from "effect-llm"
import { LlmService as ServiceFromBarrel } from "effect-llm"
import * as Anthropic from "effect-llm/Anthropic"
import * as Fallback from "effect-llm/Fallback"
import { LlmError } from "effect-llm/LlmError"
import type { LlmRequest, ProviderOptions } from "effect-llm/LlmRequest"
import * as LlmService from "effect-llm/LlmService"
import * as Message from "effect-llm/Message"
import * as OpenAiCompatible from "effect-llm/OpenAiCompatible"
import type { Protocol } from "effect-llm/protocol/Protocol"
import * as Retry from "effect-llm/Retry"
import { HttpClient, HttpClientResponse } from "effect/http"

declare module "effect-llm/LlmRequest" {
  interface ProviderOptions {
    readonly inHouse?: { readonly priority?: "low" | "high" } | undefined
  }
}

export const backed = Anthropic.layer({ model: "claude-sonnet-4-5" }).pipe(
  Retry.policy(),
  Fallback.policy(OpenAiCompatible.layer({ model: "gpt-4.1" }))
)
export const unused: Protocol | undefined = undefined

// What the application adds stands beside what provider modules add, by subpath and by the barrel.
export const request: LlmRequest = {
  messages: [Message.user("Hello")],
  providerOptions: { inHouse: { priority: "high" }, anthropic: { service_tier: "auto" } }
}
export const sameRequest: FromBarrel.LlmRequest = request
// @ts-expect-error not one of its priorities
export const wrongPriority: ProviderOptions = { inHouse: { priority: "middle" } }
// @ts-expect-error by the barrel neither
export const wrongByBarrel: FromBarrel.ProviderOptions = { inHouse: { priority: "middle" } }

// One module is one module, whichever door it came through.
if (LlmService.LlmService !== ServiceFromBarrel.LlmService) throw new Error("two services")

const frames = [
  { choices: [{ index: 0, delta: { content: "Hi!" } }] },
  { choices: [{ index: 0, delta: {}, finish_reason: "stop" }] }
].map((frame) => `data: ${JSON.stringify(frame)}\n\n`)
const headers = { "content-type": "text/event-stream" }
let status = 500
const client = HttpClient.make((request) =>
  Effect.sync(() => {
    const response = new Response(status === 200 ? `${frames.join("")}data: [DONE]\n\n` : "{}", { status, headers })
    status = 200
    return HttpClientResponse.fromWeb(request, response)
  })
)
const text = await LlmService.stream(request).pipe(
  Stream.map((event) => event._tag === "TextDelta" ? event.text : ""),
  Stream.mkString,
  Effect.provide(OpenAiCompatible.layer({ model: "gpt-4.1" }).pipe(Retry.policy({ base: 0 }))),
  Effect.provideService(HttpClient.HttpClient, client),
  Effect.runPromise
)
if (text !== "Hi!") throw new Error(text)

// A failure is made of the same class.
status = 401
const failure = await LlmService.generate(request).pipe(
  Effect.provide(OpenAiCompatible.layer({ model: "gpt-4.1" })),
  Effect.provideService(HttpClient.HttpClient, client),
  Effect.flip,
  Effect.runPromise
)
if (!(failure instanceof LlmError) || failure.reason._tag !== "Authentication") throw new Error(String(failure))
