/**
 * What the types promise. Checked by `tsc`; nothing runs.
 */
import type { Effect, Layer, Schema, Stream } from "effect"
import type { HttpClient } from "effect/http"
import {
  Anthropic,
  Fallback,
  Groq,
  type LlmError,
  type LlmEvent,
  type LlmRequest,
  type LlmResponse,
  LlmService,
  LlmTool,
  Message,
  OpenRouter,
  Retry,
  Timeout
} from "../../src/index.ts"

type Equals<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true : false
const holds = <T extends true>(): T => true as T

declare const request: LlmRequest.LlmRequest
declare const recipe: Schema.Codec<{ readonly title: string }>

// Errors and requirements show in the signature.
export const generate = LlmService.generate(request)
holds<Equals<typeof generate, Effect.Effect<LlmResponse.LlmResponse, LlmError.LlmError, LlmService.LlmService>>>()
export const stream = LlmService.stream(request)
holds<Equals<typeof stream, Stream.Stream<LlmEvent.LlmEvent, LlmError.LlmError, LlmService.LlmService>>>()
export const object = LlmService.generateObject(recipe, request)
holds<
  Equals<
    typeof object,
    Effect.Effect<LlmService.ObjectResponse<{ readonly title: string }>, LlmError.LlmError, LlmService.LlmService>
  >
>()

// A policy changes neither what a layer provides, nor its errors, nor what it needs.
type ProviderLayer = Layer.Layer<LlmService.LlmService, LlmError.LlmError, HttpClient.HttpClient>
export const stack = Anthropic.layerEnv.pipe(
  Timeout.policy({ firstToken: "20 seconds" }),
  Retry.policy(Retry.standard),
  Fallback.policy(Groq.layerEnv)
)
holds<Equals<typeof stack, ProviderLayer>>()

// Options of a provider are its own.
export const routed: LlmRequest.LlmRequest = {
  prompt: "x",
  providerOptions: { openrouter: { provider: { order: ["Anthropic"], allow_fallbacks: false } } }
}
export const misrouted: LlmRequest.LlmRequest = {
  prompt: "x",
  // @ts-expect-error -- not a sort OpenRouter has
  providerOptions: { openrouter: { provider: { sort: "alphabetical" } } }
}
// @ts-expect-error -- no such provider
export const nobody: LlmRequest.LlmRequest = { prompt: "x", providerOptions: { nobody: {} } }

// Wrong options do not compile.
// @ts-expect-error -- neither messages nor a prompt
export const empty: LlmRequest.LlmRequest = { temperature: 1 }
// @ts-expect-error -- both messages and a prompt
export const both: LlmRequest.LlmRequest = { prompt: "x", messages: [] }
// @ts-expect-error -- not a level
export const level: LlmRequest.LlmRequest = { prompt: "x", thinking: "enormous" }
// @ts-expect-error -- a duration with a misspelt unit
Timeout.policy({ idle: "30 secnds" })
// @ts-expect-error -- the version belongs to Anthropic
Groq.layer({ version: "2023-06-01" })
// @ts-expect-error -- a key is Redacted
OpenRouter.layer({ apiKey: "sk-plain" })
// @ts-expect-error -- a user does not call tools
Message.user([{ type: "tool-call", id: "1", name: "a", arguments: {} }])
// @ts-expect-error -- a system message has no images
Message.system([Message.image({ type: "url", url: "https://example.com/a.png" })])

// A tool knows its name and the type of its arguments.
declare const city: Schema.Codec<{ readonly city: string }>
export const weather = LlmTool.make("get_weather", { parameters: city })
holds<Equals<typeof weather, LlmTool.FunctionTool<"get_weather", { readonly city: string }>>>()
declare const call: Message.ToolCallPart
export const decoded = LlmTool.decodeCall(weather, call)
holds<Equals<typeof decoded, Effect.Effect<{ readonly city: string }, LlmError.LlmError>>>()

// Messages are plain data, and their schemas mean the same type.
export const literal: LlmRequest.LlmRequest = { messages: [{ role: "user", content: "Hi" }] }
holds<Equals<(typeof Message.Message)["Type"], Message.Message>>()
holds<Equals<(typeof Message.Part)["Type"], Message.Part>>()
