/**
 * An application that has installed nothing beside `effect`: what its compiler and its Node make of `effect-llm`.
 * See scripts/consumers.ts.
 */
import { Effect, type Layer, pipe, Schema, Stream } from "effect"
import { Anthropic, LlmService, LlmTool, Message, OpenAiCompatible, Retry, Timeout } from "effect-llm"
import type { LlmError, LlmRequest } from "effect-llm"
import { HttpClient, HttpClientResponse } from "effect/http"

type Equals<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true : false
const holds = <T extends true>(): T => true as T

const layer = Anthropic.layer({ model: "claude-sonnet-4-5" }).pipe(
  Timeout.policy({ firstToken: "20 seconds" }),
  Retry.policy()
)
holds<Equals<Layer.Success<typeof layer>, LlmService.LlmService>>()

// What provider modules add to the request's options arrives with them.
export const request: LlmRequest.LlmRequest = {
  messages: [Message.user("Hello").pipe(Message.cacheable, Message.priority(10)), { role: "assistant", content: "Hi" }],
  temperature: undefined,
  providerOptions: { anthropic: { service_tier: "auto" }, openrouter: { provider: { order: ["x"] } } }
}
// Tiers that Anthropic may add are words as well.
export const newTier: LlmRequest.ProviderOptions = { anthropic: { service_tier: "gold" } }
// @ts-expect-error a tier is a word
export const wrongTier: LlmRequest.ProviderOptions = { anthropic: { service_tier: 1 } }
// @ts-expect-error no provider has this id
export const wrongProvider: LlmRequest.ProviderOptions = { antropic: {} }

// A copy of a message has no `pipe`.
const copy = { ...Message.user("Hello") }
// @ts-expect-error it is not there
void copy.pipe
export const marked: Message.Message = pipe(copy, Message.cacheable)

const weather = LlmTool.make("weather", { parameters: Schema.Struct({ city: Schema.String }) })
export const decoded = (call: Message.ToolCallPart) => LlmTool.decodeCall(weather, call)
holds<Equals<ReturnType<typeof decoded>, Effect.Effect<{ readonly city: string }, LlmError.LlmError>>>()

export const text = LlmService.stream(request).pipe(
  Stream.map((event) => event._tag === "TextDelta" ? event.text : ""),
  Stream.mkString,
  Effect.catchReason("LlmError", "RateLimit", () => Effect.succeed("later"))
)
holds<Equals<typeof text, Effect.Effect<string, LlmError.LlmError, LlmService.LlmService>>>()

// Whole and streamed over a client that answers from memory.
const body = { id: "1", model: "gpt-4.1", choices: [{ index: 0, message: { content: "Hi!" }, finish_reason: "stop" }] }
const client = HttpClient.make((request) => Effect.succeed(HttpClientResponse.fromWeb(request, Response.json(body))))
const response = await LlmService.generate({ prompt: "Hello" }).pipe(
  Effect.provide(OpenAiCompatible.layer({ model: "gpt-4.1" })),
  Effect.provideService(HttpClient.HttpClient, client),
  Effect.runPromise
)
if (response.text !== "Hi!" || response.finishReason !== "stop") throw new Error(JSON.stringify(response))
