/**
 * JSON that is not whole yet, and what models write in its place: the readers of `LlmService.streamObject`, for arguments of tools as they
 * stream and for text from elsewhere.
 *
 * @example
 * ```ts
 * const reader = PartialJson.reader({ type: "object", properties: { city: { type: "string" } } })
 * reader.push("{\"city\":\"Par")
 * reader.value // { city: "Par" }
 * ```
 *
 * @since 0.1.0
 */
import { GrowingJson, unguided } from "../json/growing.ts"
import { parsePartialJson } from "../json/partial.ts"
import type { JsonObject } from "../json/value.ts"
import { guideOf } from "./guide.ts"
import { readObject } from "./read.ts"

export type { GrowingJson } from "../json/growing.ts"

/**
 * A reader of one JSON text that comes in pieces. By a JSON Schema it shows a word of a fixed list only when it is whole; numbers and
 * literals always.
 *
 * @stability experimental
 * @category constructors
 * @since 0.1.0
 */
export const reader = (schema?: JsonObject): GrowingJson =>
  new GrowingJson(schema === undefined ? unguided : guideOf(schema))

/**
 * The value of a JSON text that ends too early, as far as it goes; `undefined` where there is none and where it is no JSON.
 *
 * @stability experimental
 * @category parsing
 * @since 0.1.0
 */
export const parse: typeof parsePartialJson = parsePartialJson

/**
 * What a text means by a JSON Schema, `{}` for any, with the names of what was mended; `undefined` where that cannot be said. Sound JSON that
 * fits comes back as it is. With `partial`, the text is still being written.
 *
 * @stability experimental
 * @category parsing
 * @since 0.1.0
 */
export const repair: typeof readObject = readObject
