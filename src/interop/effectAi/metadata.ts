/**
 * What a part of `effect/ai` carries of ours, and a part of ours of `effect/ai`, so that nothing is lost on the way there and back.
 *
 * Parts and messages of `effect/ai` have metadata by provider; ours is under one key, with the fields of the part that `effect/ai` has no
 * place for: signatures, encrypted reasoning, ids, cache marks. Metadata of other providers travels in `replay`, with `effect-ai` as origin.
 * What comes back is checked: a history may have been stored and edited by anybody.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { setOwn } from "../../json/own.ts"
import { parseJson } from "../../json/parse.ts"
import type { Json, JsonObject, Origin } from "../../Message.ts"
import { Attributes, Part } from "../../Message.ts"

/** Our key among those of providers. */
export const key = "effect-llm"

/** The wire that parts of a `LanguageModel` name as their origin. */
export const wire = "effect-ai"

/** Metadata or options of a part, by provider. */
export type Metadata = { readonly [provider: string]: Json }

/** Whatever a caller or a model gave, as JSON: what JSON cannot say is left out, and what is nested too deep is `null`. */
export const jsonOf = (value: unknown): Json => {
  try {
    const text = JSON.stringify(value)
    return (text === undefined ? undefined : parseJson(text)) ?? null
  } catch {
    return null
  }
}

/** An object, as far as it is one. */
export const objectOf = (value: unknown): JsonObject | undefined =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? value as JsonObject : undefined

/** Metadata with these fields under our key; none when all are absent. */
export const metadataOf = (fields: object): Metadata => {
  const own = objectOf(jsonOf(fields)) ?? {}
  return Object.keys(own).length === 0 ? {} : { [key]: own }
}

/** What metadata say under our key. */
export const ownOf = (metadata: unknown): JsonObject | undefined => objectOf(objectOf(metadata)?.[key])

/** Metadata of other providers; `undefined` when there are none. */
export const othersOf = (metadata: unknown): Metadata | undefined => {
  const others: { [provider: string]: Json } = {}
  for (const [provider, value] of Object.entries(objectOf(metadata) ?? {})) {
    if (provider !== key && value !== null) setOwn(others, provider, jsonOf(value))
  }
  return Object.keys(others).length === 0 ? undefined : others
}

const isPart = Schema.is(Part)
const isAttributes = Schema.is(Attributes)

/** A part with the fields that were kept for it; as it is when they do not make a part together. */
export const restored = <A extends Part>(plain: A, own: JsonObject | undefined): A => {
  if (own === undefined) return plain
  const part = { ...own, ...plain } as A
  return isPart(part) ? part : plain
}

/** A part that was kept whole. */
export const wholeOf = (own: JsonObject | undefined): Part | undefined => {
  const part: unknown = own?.["part"]
  return isPart(part) ? part : undefined
}

/** Attributes that were kept for a message. */
export const attributesOf = (own: JsonObject | undefined): Attributes | undefined => {
  const attributes: unknown = own?.["attributes"]
  return isAttributes(attributes) ? attributes : undefined
}

/** Fields of a part of ours that carry what other providers said of it. */
export const carrying = (others: Metadata | undefined): { readonly replay?: JsonObject; readonly origin?: Origin } =>
  others === undefined ? {} : { replay: { metadata: others }, origin: { wire } }

/** What a part of ours carries of other providers. */
export const carriedBy = (
  part: { readonly replay?: JsonObject | undefined; readonly origin?: Origin | undefined }
): Metadata | undefined => part.origin?.wire === wire ? othersOf(part.replay?.["metadata"]) : undefined

/** Arguments of a call. Those of a free-form tool are a text, which stands in an object where only objects are called with. */
export const argumentsOf = (params: unknown, own: JsonObject | undefined): Json => {
  const args = jsonOf(params)
  const input = own?.["custom"] === true ? objectOf(args)?.["input"] : undefined
  return typeof input === "string" ? input : args
}
