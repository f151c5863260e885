/**
 * Narrow readings of a request's body. They never fail: what is not there, or is of another kind, reads as nothing, and whether
 * that is wrong is the wire's business.
 *
 * @since 0.1.0
 */
import { parseJson } from "../../json/parse.ts"
import type { JsonObject as Json } from "../../Message.ts"

/**
 * A JSON object.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export type JsonObject = { readonly [key: string]: unknown }

/**
 * Whether a value is a JSON object.
 *
 * @stability experimental
 * @category guards
 * @since 0.1.0
 */
export const isObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/**
 * The value as an object, else an empty one.
 *
 * @stability experimental
 * @category readings
 * @since 0.1.0
 */
export const object = (value: unknown): JsonObject => isObject(value) ? value : {}

/**
 * The value as an array, else an empty one.
 *
 * @stability experimental
 * @category readings
 * @since 0.1.0
 */
export const array = (value: unknown): ReadonlyArray<unknown> => Array.isArray(value) ? value : []

/**
 * The value as a string, else an empty one.
 *
 * @stability experimental
 * @category readings
 * @since 0.1.0
 */
export const string = (value: unknown): string => typeof value === "string" ? value : ""

/**
 * The value as a finite number.
 *
 * @stability experimental
 * @category readings
 * @since 0.1.0
 */
export const number = (value: unknown): number | undefined =>
  typeof value === "number" && Number.isFinite(value) ? value : undefined

/**
 * The text of content that is a string or a list of parts with a `text`.
 *
 * @stability experimental
 * @category readings
 * @since 0.1.0
 */
export const contentText = (content: unknown): string =>
  typeof content === "string" ? content : array(content).map((part) => string(object(part).text)).join("")

/**
 * Parses JSON text; `undefined` when it is none.
 *
 * @stability experimental
 * @category readings
 * @since 0.1.0
 */
export const parse = (text: string): unknown => parseJson(text)

/**
 * An object of a body as the JSON it is.
 *
 * @stability experimental
 * @category readings
 * @since 0.1.0
 */
export const asJson = (value: JsonObject): Json => value as Json
