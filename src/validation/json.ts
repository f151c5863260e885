/**
 * Whether a value that may be anything is JSON, so that it can be sent as it is.
 *
 * JSON here is what `JSON.stringify` gives back unchanged: no `BigInt`, function or symbol, no number that is not finite, no object of
 * a class that says more than its fields (`Date`, `Map`), nothing circular, nothing deeper than `maxJsonDepth`. A field that is
 * `undefined` is an absent one. The walk has a stack of its own, since the engine's ends some thousand levels down, and a budget, since
 * objects that are shared can mean more text than there is memory.
 *
 * @since 0.1.0
 */
import { maxJsonDepth } from "../json/depth.ts"
import { type Check, hasFields, isPlain, type Issue, kindOf, problem, stepTo, unreadable } from "./values.ts"

/**
 * Values in all JSON of one request, shared ones counted as often as they are sent.
 *
 * @stability stable
 * @category limits
 * @since 0.1.0
 */
const maxJsonValues = 2_000_000

/** Characters of all JSON of one request: the longest text that engines hold is twice that. */
const maxJsonCharacters = 2 ** 28

/** What the walks of one request may still do. */
interface Budget {
  values: number
  characters: number
}

let budget: Budget = { values: maxJsonValues, characters: maxJsonCharacters }

/**
 * Runs checks with one budget together.
 *
 * @stability stable
 * @category combinators
 * @since 0.1.0
 */
export const withJsonBudget = <A>(checks: () => A): A => {
  const outer = budget
  budget = { values: maxJsonValues, characters: maxJsonCharacters }
  try {
    return checks()
  } finally {
    // A getter of the value may have begun checks of its own.
    budget = outer
  }
}

interface Frame {
  readonly value: object
  /** `undefined` for an array. */
  readonly keys: ReadonlyArray<string> | undefined
  readonly length: number
  at: number
}

const unsayable = (value: unknown): string | undefined => {
  switch (typeof value) {
    case "boolean":
      return undefined
    case "string":
      budget.characters -= value.length
      return undefined
    case "number":
      return Number.isFinite(value) ? undefined : `JSON has no ${value}: give a finite number or a text.`
    case "undefined":
      return "JSON has no undefined in an array: give null, or leave it out."
    case "bigint":
      return "JSON has no bigint: give a number, or a text of its digits."
    default:
      return `JSON has no ${kindOf(value).replace(/^an? /, "")}: leave it out.`
  }
}

/** Objects whose text would be empty, or not that of their fields. */
const isExotic = (value: object): boolean =>
  !isPlain(value) && (!hasFields(value) || typeof (value as { readonly toJSON?: unknown }).toJSON === "function")

const pathOf = (frames: ReadonlyArray<Frame>): string => {
  let path = ""
  for (const { at, keys } of frames) {
    path += stepTo(keys === undefined ? at : keys[at] ?? "")
    // The beginning tells where to look; a path of hundreds of levels tells nobody more.
    if (path.length > 200) return `${path}…`
  }
  return path
}

/** Objects that are taken as they are. */
type Leaf = (value: unknown) => boolean

const walk = (root: object, leaf?: Leaf): Issue | undefined => {
  const frames: Array<Frame> = []
  const open = new Set<object>()
  const fail = (message: string): Issue => ({ field: pathOf(frames), message })
  const enter = (value: object): Issue | undefined => {
    if (open.has(value)) return fail("Is circular: JSON cannot hold a value that contains itself.")
    if (frames.length === maxJsonDepth) {
      return fail(`Is nested deeper than ${maxJsonDepth} levels. Give a flatter value, or its JSON as a text.`)
    }
    if (isExotic(value)) {
      return fail(
        "Is an object of a class that JSON cannot hold, such as Date or Map. Give plain data, such as a text."
      )
    }
    const keys = Array.isArray(value) ? undefined : Object.keys(value)
    open.add(value)
    frames.push({
      value,
      keys,
      length: keys === undefined ? (value as ReadonlyArray<unknown>).length : keys.length,
      at: -1
    })
    return undefined
  }
  try {
    const refused = enter(root)
    if (refused !== undefined) return refused
    while (frames.length > 0) {
      const frame = frames[frames.length - 1]!
      if (++frame.at >= frame.length) {
        open.delete(frame.value)
        frames.pop()
        continue
      }
      if (--budget.values < 0 || budget.characters < 0) {
        return { field: "", message: `Is too large: a request holds at most ${maxJsonValues} JSON values.` }
      }
      const { keys } = frame
      const key = keys?.[frame.at]
      const value: unknown = key === undefined
        ? (frame.value as ReadonlyArray<unknown>)[frame.at]
        : (frame.value as { readonly [key: string]: unknown })[key]
      if (key !== undefined) {
        budget.characters -= key.length
        if (value === undefined) continue
      }
      if (value === null) continue
      if (typeof value === "object") {
        if (leaf?.(value)) continue
        const refused = enter(value)
        if (refused !== undefined) return refused
        continue
      }
      const message = unsayable(value)
      if (message !== undefined) return fail(message)
    }
    return undefined
  } catch {
    return fail(unreadable)
  }
}

/**
 * A JSON value; `leaf` tells objects that may stand in it although they are none.
 *
 * @stability stable
 * @category checks
 * @since 0.1.0
 */
export const json = (value: unknown, leaf?: (value: unknown) => boolean): Issue | undefined => {
  if (typeof value === "object" && value !== null) return walk(value, leaf)
  if (value === null) return undefined
  const message = unsayable(value)
  return message === undefined ? undefined : problem(message)
}

/**
 * A JSON object.
 *
 * @stability stable
 * @category checks
 * @since 0.1.0
 */
export const jsonObject: Check = (value) => {
  try {
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      return problem(`Must be an object. Got ${kindOf(value)}.`)
    }
  } catch {
    return problem(unreadable)
  }
  return walk(value)
}
