/**
 * Reads as much as there is of a JSON text that ends too early.
 *
 * @since 0.1.0
 */
import { GrowingJson } from "./growing.ts"
import type { Json } from "./value.ts"

/**
 * The value of a JSON text as far as it goes, `undefined` where there is none and where it is no JSON.
 *
 * @category parsing
 * @since 0.1.0
 */
export const parsePartialJson = (text: string): Json | undefined => {
  const reader = new GrowingJson()
  const trimmed = text.trim()
  if (reader.push(trimmed) < trimmed.length) return undefined
  reader.end()
  return reader.isBroken ? undefined : reader.value
}
