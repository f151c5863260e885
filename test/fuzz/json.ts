// JSON as hostile hosts write it: values that JSON.stringify cannot make, and damage to values that it can.
import type { Random } from "./random.ts"

/** JSON text that stands where a value stands, such as numbers without end or nesting without bottom. */
export class Raw {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}

/** The text of a value, with what is raw in it as it is. */
export const spell = (value: unknown): string => {
  if (value instanceof Raw) return value.text
  if (Array.isArray(value)) return `[${value.map(spell).join(",")}]`
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null"
  return `{${Object.entries(value).map(([key, one]) => `${JSON.stringify(key)}:${spell(one)}`).join(",")}}`
}

/** An array or object so many levels deep; cut short where it is to be broken. */
export const nested = (depth: number, kind: "array" | "object" | "both", inner = "1"): string => {
  const open = { array: "[", object: "{\"a\":", both: "[{\"a\":" }[kind]
  const close = { array: "]", object: "}", both: "}]" }[kind]
  return open.repeat(depth) + inner + close.repeat(depth)
}

/** Around the bound, around what a stack bears, and beyond. */
const depths = [10, 255, 300, 500, 510, 511, 512, 513, 514, 600, 1025, 2000, 4000, 6000, 12_000]

export const deep = (random: Random): Raw => {
  const text = nested(random.pick(depths), random.pick(["array", "object", "both"] as const))
  return new Raw(random.chance(0.4) ? JSON.stringify(text) : text)
}

/** Names that objects have already. */
export const reserved = [
  "__proto__",
  "constructor",
  "prototype",
  "toString",
  "hasOwnProperty",
  "length",
  "then",
  "toJSON"
]

const strings = [
  "",
  " ",
  "x",
  "null",
  "{}",
  "[]",
  "{\"a\":",
  "[DONE]",
  "data: x\n\n",
  "\ud800",
  "\u0000",
  "\u2028",
  "<think>",
  "</think>",
  "data:image/png;base64,",
  "data:image/png;base64,AAAA",
  "9".repeat(400),
  "call_1",
  "tool_use",
  "stop",
  "length",
  "-1",
  "2020-01-01T00:00:00Z",
  "1e400",
  "%",
  "../..",
  "$.a[999999999].b",
  "$",
  "a\r\nb",
  ...reserved
]

const numbers = [
  "0",
  "-0",
  "-1",
  "1.5",
  "1e308",
  "-1e308",
  "1e999",
  "-1e999",
  "9007199254740993",
  "4294967296",
  "1e-320"
]

/** A value that nobody expects at its place. */
export const wild = (random: Random): unknown => {
  if (random.chance(0.04)) return deep(random)
  switch (random.int(11)) {
    case 0:
      return null
    case 1:
      return random.chance(0.5)
    case 2:
    case 3:
      return new Raw(random.pick(numbers))
    case 4:
    case 5:
      return random.pick(strings)
    case 6:
      return random.chance(0.5) ? [] : {}
    case 7:
      return Array.from({ length: random.between(1, 3) }, () => wild(random))
    case 8:
      return new Raw(`{${JSON.stringify(random.pick(reserved))}:${spell(wild(random))}}`)
    case 9:
      return new Raw("{\"__proto__\":{\"polluted\":true},\"constructor\":{\"prototype\":{\"polluted\":true}}}")
    default:
      return { type: random.pick(strings), text: random.pick(strings), index: random.int(5), id: random.pick(strings) }
  }
}

/** Another type with the same content, where there is one. */
const swapped = (random: Random, value: unknown): unknown => {
  switch (random.int(6)) {
    case 0:
      return [value]
    case 1:
      return spell(value)
    case 2:
      return { value }
    case 3:
      return typeof value === "string" ? { text: value } : String(value)
    case 4:
      return typeof value === "string" && value.length > 1 ? value.slice(0, random.int(value.length)) : null
    default:
      return Array.isArray(value) ? Object.fromEntries(value.entries()) : typeof value === "object" && value !== null
        ? Object.values(value)
        : wild(random)
  }
}

const isTree = (value: unknown): value is object =>
  typeof value === "object" && value !== null && !(value instanceof Raw)

/** The value with one place in it changed, removed, doubled, renamed or added to. */
export const damaged = (random: Random, value: unknown): unknown => {
  if (!isTree(value)) return random.chance(0.5) ? wild(random) : swapped(random, value)
  const entries: Array<readonly [string, unknown]> = Object.entries(value)
  if (entries.length === 0 || random.chance(0.08)) return random.chance(0.5) ? wild(random) : swapped(random, value)
  const at = random.int(entries.length)
  const [key, child] = entries[at]!
  const goOn = isTree(child) && random.chance(0.8)
  if (goOn) {
    entries[at] = [key, damaged(random, child)]
  } else {
    switch (random.int(7)) {
      case 0:
        entries.splice(at, 1)
        break
      case 1:
        entries.push([random.pick(reserved), wild(random)])
        break
      case 2:
        entries[at] = [random.pick(reserved), child]
        break
      case 3:
        entries.splice(at, 0, [key, child])
        break
      case 4:
        entries[at] = [key, swapped(random, child)]
        break
      default:
        entries[at] = [key, wild(random)]
    }
  }
  if (Array.isArray(value)) return entries.map(([, one]) => one)
  // Written out, because an object cannot hold a name twice, nor every name.
  return new Raw(`{${entries.map(([name, one]) => `${JSON.stringify(name)}:${spell(one)}`).join(",")}}`)
}
