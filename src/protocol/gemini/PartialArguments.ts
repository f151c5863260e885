/**
 * Arguments of a call that stream in pieces, each with the JSON path it belongs to (`$.orders[0].name`).
 *
 * Builds the value, and as long as pieces come in document order also its JSON text, so that readers of partial
 * arguments see it grow. A path that cannot be read or does not fit the value makes the arguments unusable.
 * https://cloud.google.com/vertex-ai/generative-ai/docs/multimodal/function-calling#streaming-fc
 *
 * @since 0.1.0
 */
import { ownOf, setOwn } from "../../json/own.ts"
import type { Json } from "../../Message.ts"
import { blank, count, type JsonFields, nonEmpty, record } from "../Probe.ts"
import { field } from "./Fields.ts"

type Path = ReadonlyArray<string | number>
type Container = { [key: string]: Json } | Array<Json>

const deepest = 100
/** How many elements of lists may be left out in one call, which are then null. */
const maxGaps = 1000

const step = /\.([^.[\]*]+)|\[(\d{1,9})\]|\['((?:[^'\\]|\\.)*)'\]|\["((?:[^"\\]|\\.)*)"\]/y

const unescape = (text: string): string => text.replace(/\\(.)/g, "$1")

/**
 * The steps of a JSON path; `undefined` when it is not a path to a member.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const readPath = (text: string): Path | undefined => {
  let at = text.startsWith("$") ? 1 : 0
  const source = at === 1 || text.startsWith("[") ? text : `.${text}`
  const path: Array<string | number> = []
  while (at < source.length) {
    step.lastIndex = at
    const found = step.exec(source)
    if (found === null || path.length === deepest) return undefined
    at = step.lastIndex
    path.push(found[2] === undefined ? found[1] ?? unescape(found[3] ?? found[4] ?? "") : Number(found[2]))
  }
  // The arguments are an object.
  return typeof path[0] === "string" ? path : undefined
}

const child = (container: Container, key: string | number): Json | undefined =>
  Array.isArray(container)
    ? typeof key === "number" ? container[key] : undefined
    : typeof key === "string"
    ? ownOf(container, key)
    : undefined

/** Puts a value into an object or list; `false` when the key does not fit. */
const put = (container: Container, key: string | number, value: Json): boolean => {
  if (Array.isArray(container)) {
    if (typeof key !== "number") return false
    while (container.length < key) container.push(null)
    container[key] = value
    return true
  }
  if (typeof key !== "string") return false
  setOwn(container, key, value)
  return true
}

/** One of several members; hosts that fill every member send 0, "" and false under the others. */
const valueOf = (piece: JsonFields): Json | undefined => {
  const text = field(piece, "stringValue")
  const bool = field(piece, "boolValue")
  const values = [
    typeof text === "string" ? text : undefined,
    count(field(piece, "numberValue")),
    typeof bool === "boolean" ? bool : undefined
  ]
  const value = values.find((one) => !blank(one)) ?? values.find((one) => one !== undefined)
  return value !== undefined ? value : "nullValue" in piece || "null_value" in piece ? null : undefined
}

/**
 * Collects the pieces of one call.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export class PartialArguments {
  readonly value: { [key: string]: Json } = {}
  /** Elements of lists that were left out. */
  private gaps = 0
  /** Whether a piece could not be placed. */
  broken = false
  private last: Path | undefined
  private lastText = ""
  private inString = false
  /** Whether the text so far is the beginning of the value's JSON. */
  private ordered = true

  constructor(initial?: JsonFields) {
    if (initial === undefined) return
    for (const [key, value] of Object.entries(initial)) if (value !== undefined) put(this.value, key, value)
    if (Object.keys(this.value).length > 0) this.ordered = false
  }

  /** Adds a piece and gives the argument text it adds. */
  add(piece: JsonFields): string {
    const text = nonEmpty(field(piece, "jsonPath"))
    const path = text === undefined ? undefined : text === this.lastText ? this.last : readPath(text)
    if (path === undefined) {
      this.broken = true
      return ""
    }
    const more = field(piece, "willContinue") === true
    const value = valueOf(piece)
    const goesOn = text === this.lastText && this.last !== undefined
    if (value === undefined) return goesOn && !more ? this.endString() : ""
    const written = goesOn && this.inString && typeof value === "string"
      ? JSON.stringify(value).slice(1, -1) + (more ? "" : this.endString())
      : this.write(path, value, more)
    if (!this.set(path, value)) this.broken = true
    this.last = path
    this.lastText = text!
    return this.ordered ? written : ""
  }

  /** The text that closes what is open. */
  end(): string {
    if (!this.ordered) return ""
    const path = this.last
    return path === undefined ? "{}" : `${this.endString()}${this.closers(path, 0)}}`
  }

  private endString(): string {
    if (!this.inString) return ""
    this.inString = false
    return this.ordered ? "\"" : ""
  }

  /** Closes the containers on the way to a member that lie deeper than `depth`. */
  private closers(path: Path, depth: number): string {
    let out = ""
    for (let i = path.length - 1; i > depth; i--) out += typeof path[i] === "number" ? "]" : "}"
    return out
  }

  private write(path: Path, value: Json, more: boolean): string {
    const before = this.last
    let out = this.endString()
    let from = 0
    if (before === undefined) {
      out += "{"
    } else {
      while (from < before.length && from < path.length && before[from] === path[from]) from++
      const at = path[from]
      const was = before[from]
      const follows = at !== undefined && was !== undefined &&
        (typeof at === "number" ? typeof was === "number" && at === was + 1 : typeof was === "string") &&
        this.get(path, from + 1) === undefined
      if (!follows) this.ordered = false
      out += `${this.closers(before, from)},`
    }
    for (let i = from; i < path.length; i++) {
      const key = path[i]!
      if (typeof key === "string") out += `${JSON.stringify(key)}:`
      else if (i > from && key !== 0) this.ordered = false
      const next = path[i + 1]
      if (next !== undefined) out += typeof next === "number" ? "[" : "{"
    }
    this.inString = more && typeof value === "string"
    const json = JSON.stringify(value)
    return out + (this.inString ? json.slice(0, -1) : json)
  }

  private put(container: Container, key: string | number, value: Json): boolean {
    const gap = Array.isArray(container) && typeof key === "number" ? Math.max(0, key - container.length) : 0
    this.gaps += gap
    return this.gaps <= maxGaps && put(container, key, value)
  }

  private get(path: Path, length: number): Json | undefined {
    let at: Json | undefined = this.value
    for (let i = 0; i < length; i++) {
      if (typeof at !== "object" || at === null) return undefined
      at = child(at as Container, path[i]!)
    }
    return at
  }

  private set(path: Path, value: Json): boolean {
    let at: Container = this.value
    for (let i = 0; i < path.length - 1; i++) {
      const key = path[i]!
      let next = child(at, key)
      if (next === undefined || next === null) {
        next = typeof path[i + 1] === "number" ? [] : {}
        if (!this.put(at, key, next)) return false
      }
      if (!Array.isArray(next) && record(next) === undefined) return false
      at = next as Container
    }
    const key = path[path.length - 1]!
    const known = child(at, key)
    return this.put(at, key, typeof known === "string" && typeof value === "string" ? known + value : value)
  }
}
