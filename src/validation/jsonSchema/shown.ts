/**
 * JSON values in messages for people and models.
 *
 * @since 0.1.0
 */
import type { Json, JsonObject } from "../../json/value.ts"

/**
 * JSON for people, cut where it is long. Its cost is what is shown, not the size of the value.
 *
 * @stability stable
 * @category rendering
 * @since 0.1.0
 */
export const shown = (value: Json, most = 120): string => {
  const pieces: Array<string> = []
  let left = most
  const add = (piece: string): boolean => {
    pieces.push(piece)
    left -= piece.length
    return left >= 0
  }
  const write = (one: Json): boolean => {
    if (typeof one === "string") return add(JSON.stringify(one.length > most ? one.slice(0, most) : one))
    if (typeof one !== "object" || one === null) return add(String(one))
    let first = true
    if (Array.isArray(one)) {
      for (const item of one as ReadonlyArray<Json>) {
        if (!add(first ? "[" : ",") || !write(item)) return false
        first = false
      }
      return add(first ? "[]" : "]")
    }
    for (const name in one as JsonObject) {
      const item = (one as JsonObject)[name]
      if (item === undefined) continue
      if (!add(`${first ? "{" : ","}${JSON.stringify(name)}:`) || !write(item)) return false
      first = false
    }
    return add(first ? "{}" : "}")
  }
  const text = write(value) ? pieces.join("") : ""
  return text !== "" && text.length <= most ? text : `${pieces.join("").slice(0, most)}…`
}
