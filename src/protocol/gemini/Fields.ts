/**
 * Reading the wire's objects by field name: the API writes `finishReason`, proxies and proto dumps write
 * `finish_reason`, and any field may be missing or null.
 *
 * @since 0.1.0
 */
import type { Json } from "../../Message.ts"
import { blank, type JsonFields, record } from "../Probe.ts"

const snakeNames = new Map<string, string>()

const snakeOf = (name: string): string => {
  let snake = snakeNames.get(name)
  if (snake === undefined) {
    snake = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
    snakeNames.set(name, snake)
  }
  return snake
}

/**
 * The value of a field under its name in lower camel case or in snake case, the filled one; null is nothing.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const field = (from: JsonFields, name: string): Json | undefined =>
  from[name] === undefined ? from[snakeOf(name)] ?? undefined : either(from, name)

/** Which of two spellings counts: a placeholder gives way to what says something. */
const either = (from: JsonFields, name: string): Json | undefined => {
  const camel = from[name]!
  if (typeof camel === "string" ? camel !== "" : typeof camel === "number" && camel !== 0) return camel
  const other = snakeOf(name)
  const snake = other === name ? undefined : from[other] ?? undefined
  return camel === null || (snake !== undefined && blank(camel) && !blank(snake)) ? snake : camel
}

/**
 * The value of a field when it says anything.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const filledField = (from: JsonFields, name: string): Json | undefined => {
  const value = field(from, name)
  return blank(value) ? undefined : value
}

/**
 * The value of a field when it is an object.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const recordField = (from: JsonFields, name: string): JsonFields | undefined => record(field(from, name))

/**
 * The objects in a field that is a list.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const recordsField = (from: JsonFields | undefined, name: string): ReadonlyArray<JsonFields> => {
  const value = from === undefined ? undefined : field(from, name)
  if (!Array.isArray(value)) return []
  return value.flatMap((one: Json) => {
    const found = record(one)
    return found === undefined ? [] : [found]
  })
}
