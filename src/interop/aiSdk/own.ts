/**
 * What of our parts rides along in the AI SDK's metadata, so that it survives a conversation there: signatures, encrypted reasoning,
 * steps of the provider's own tools, and whatever else the AI SDK has no field for.
 *
 * It stands under `effect-llm` in `providerMetadata` of what a model gives, and comes back in `providerOptions` of the prompt, where it
 * may have been through a browser: it is decoded like everything from outside.
 *
 * @see https://ai-sdk.dev/docs/reference/ai-sdk-core/provider-options
 * @since 0.1.0
 */
import type { JSONObject } from "@ai-sdk/provider"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { parseJson } from "../../json/parse.ts"
import { jsonText } from "../../json/text.ts"
import * as Message from "../../Message.ts"
import { record } from "../../protocol/Probe.ts"

/**
 * Under which name our data stands beside that of providers.
 *
 * @stability experimental
 * @category constants
 * @since 0.1.0
 */
export const key = "effect-llm"

/**
 * Takes what could not be carried over, by what it is and why.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export type Tell = (feature: string, details: string) => void

const fields = ["signature", "encrypted", "replay", "origin", "custom", "invalid"] as const

/**
 * A value as plain JSON, or `undefined` where it is none: what comes from elsewhere may hold anything, or throw when it is touched.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const plainJson = (value: unknown): Message.Json | undefined => {
  try {
    return value === undefined ? undefined : parseJson(jsonText(value))
  } catch {
    return undefined
  }
}

/**
 * Our data under its name; nothing for nothing.
 *
 * @stability experimental
 * @category encoding
 * @since 0.1.0
 */
export const named = (data: object): { readonly providerMetadata?: { readonly [name: string]: JSONObject } } => {
  const plain = record(plainJson(data))
  return plain === undefined || Object.keys(plain).length === 0
    ? {}
    : { providerMetadata: { [key]: plain as JSONObject } }
}

/**
 * The fields of a part that only its provider can read, and what says whose they are; `undefined` for none.
 *
 * @stability experimental
 * @category encoding
 * @since 0.1.0
 */
export const opaque = (part: Message.TextPart | Message.ReasoningPart | Message.ToolCallPart): object | undefined => {
  const given: { readonly [field: string]: unknown } = { ...part }
  const found = fields.flatMap((field) => given[field] === undefined ? [] : [[field, given[field]]])
  return part.type === "reasoning" || found.some(([field]) => field !== "origin")
    ? Object.fromEntries(found)
    : undefined
}

/**
 * What of a part the AI SDK's own fields cannot say.
 *
 * @stability experimental
 * @category encoding
 * @since 0.1.0
 */
export const besides = (part: Message.Part): ReturnType<typeof named> => {
  switch (part.type) {
    case "text":
    case "reasoning":
    case "tool-call":
      return named(opaque(part) ?? {})
    case "source":
      return part.citedText === undefined ? {} : named({ citedText: part.citedText })
    case "audio":
      return part.transcript === undefined ? {} : named({ transcript: part.transcript })
    case "server-tool":
      return named({ part })
    default:
      return {}
  }
}

const decodePart = Schema.decodeUnknownOption(Message.Part)

/**
 * What stands under our name in options or metadata.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const dataIn = (options: unknown): { readonly [field: string]: unknown } | undefined =>
  record(record(options)?.[key])

/**
 * A part with what rode along with it; as it is where that is not ours.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const withData = <A extends Message.Part>(part: A, options: unknown): A => {
  const data = dataIn(options)
  if (data === undefined) return part
  const more = Object.fromEntries(fields.flatMap((field) => field in data ? [[field, data[field]]] : []))
  return Option.getOrElse(decodePart({ ...part, ...more }), () => part) as A
}

/**
 * A part that rode along whole, such as a step of a provider's own tool.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const wholePart = (options: unknown): Message.Part | undefined =>
  Option.getOrUndefined(decodePart(dataIn(options)?.["part"]))
