/**
 * Reading of token counts, shared by the providers that count.
 *
 * @since 0.1.0
 */
import * as Rec from "effect/Record"
import type { Json, JsonObject } from "../Message.ts"

/**
 * Reads a number field of an answer.
 *
 * @stability stable
 * @category reading
 * @since 0.1.0
 */
export const numberAt = (field: string) => (answer: unknown): number | undefined => {
  const value = (answer as { readonly [name: string]: unknown } | null | undefined)?.[field]
  return typeof value === "number" ? value : undefined
}

/**
 * The fields of a body that count, in its order.
 *
 * @stability stable
 * @category bodies
 * @since 0.1.0
 */
export const only = (body: JsonObject, fields: ReadonlyArray<string>): { [field: string]: Json } =>
  Rec.filter(body as { [field: string]: Json }, (_, field) => fields.includes(field))
