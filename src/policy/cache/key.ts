/**
 * The key of an answer: a digest of everything in a request that shapes it.
 *
 * Two requests that say the same in other words have one key: `prompt` and a single user message, a string and one text part,
 * fields in another order. What is for this side only has no part in it: label, scope, metadata, priority, credentials, time
 * limits, and hints to the provider's prompt cache.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Rec from "effect/Record"
import { type LlmRequest, messagesOf, type RequestOptions } from "../../LlmRequest.ts"
import type { ServiceInfo } from "../../LlmService.ts"
import type { LlmTool } from "../../LlmTool.ts"
import { type Message, parts } from "../../Message.ts"
import { receivedOf } from "../../protocol/Verbatim.ts"
import { modelOf } from "../../service/addressee.ts"
import { defaultsOf } from "../../service/layerDefaults.ts"
import { json, withJsonBudget } from "../../validation/json.ts"

/** JSON with sorted keys and without absent fields. */
const canonical = (value: unknown): string => {
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null"
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`
  if ("toJSON" in value && typeof value.toJSON === "function") return canonical(value.toJSON())
  const object = value as { readonly [key: string]: unknown }
  const fields = Object.keys(object).toSorted().flatMap((key) =>
    object[key] === undefined || typeof object[key] === "function"
      ? []
      : [`${JSON.stringify(key)}:${canonical(object[key])}`]
  )
  return `{${fields.join(",")}}`
}

const messageOf = (message: Message) => ({
  role: message.role,
  content: parts(message),
  // It can reorder messages.
  priority: message.attributes?.priority
})

const toolOf = (tool: LlmTool) =>
  tool.type === "function" ? { ...tool, cacheControl: undefined, decode: undefined } : tool

const lowerCased = (headers: { readonly [name: string]: string } | undefined) =>
  headers && Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))

/** Fields that do not shape the answer, or are spelled anew here. */
type Apart =
  | "system"
  | "model"
  | "tools"
  | "headers"
  | "providers"
  | "label"
  | "scope"
  | "metadata"
  | "priority"
  | "apiKey"
  | "timeouts"
  | "whole"
  | "cache"

/** Every field of a request is either here or in {@link Apart}; a new one is a type error until somebody decides. */
const shaping: { readonly [K in Exclude<keyof RequestOptions, Apart>]-?: true } = {
  maxTokens: true,
  temperature: true,
  topP: true,
  topK: true,
  frequencyPenalty: true,
  presencePenalty: true,
  stop: true,
  seed: true,
  toolChoice: true,
  parallelToolCalls: true,
  responseFormat: true,
  thinking: true,
  effort: true,
  logprobs: true,
  providerOptions: true,
  includeRaw: true
}

/** What is sent on with a request that came in on a wire, though its fields do not say it. */
const receivedBody = (request: LlmRequest) => {
  const known = receivedOf(request)
  if (known === undefined) return undefined
  const { model: _, stream: __, ...body } = known.body
  return { wire: known.wire, body }
}

const keyedBy = (request: LlmRequest, info: ServiceInfo, partition: string, version: string): object => {
  const options: Record<string, unknown> = {}
  for (const field of Object.keys(shaping) as ReadonlyArray<keyof typeof shaping>) options[field] = request[field]
  return {
    version,
    partition,
    provider: info.provider,
    origin: info.origin,
    // What its layer adds to every request.
    defaults: { ...defaultsOf(info), timeouts: undefined },
    instance: info.label,
    model: modelOf(request, info),
    system: request.system,
    messages: messagesOf(request).map(messageOf),
    received: receivedBody(request),
    tools: request.tools?.map(toolOf),
    headers: lowerCased(request.headers),
    providers: request.providers &&
      Rec.map(request.providers, ({ headers, model, origin }) => ({ headers: lowerCased(headers), model, origin })),
    options
  }
}

/**
 * What is digested, as text; `undefined` for a request that is no plain data throughout.
 *
 * @stability stable
 * @category keys
 * @since 0.1.0
 */
export const keyText = (
  request: LlmRequest,
  info: ServiceInfo,
  partition: string,
  version: string
): string | undefined => {
  try {
    const keyed = keyedBy(request, info, partition, version)
    return withJsonBudget(() => json(keyed)) === undefined ? canonical(keyed) : undefined
  } catch {
    // It says something else each time it is read.
    return undefined
  }
}

/**
 * SHA-256 of a text, in hexadecimal; `undefined` where the runtime has no Web Crypto (a page that is not served securely).
 *
 * @stability stable
 * @category keys
 * @since 0.1.0
 */
export const digest = (text: string): Effect.Effect<string | undefined> =>
  Effect.match(Effect.tryPromise(() => globalThis.crypto.subtle.digest("SHA-256", new TextEncoder().encode(text))), {
    onFailure: () => undefined,
    onSuccess: (bytes) => Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, "0")).join("")
  })
