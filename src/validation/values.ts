/**
 * Checks of values that may be anything: what a caller gave to a request, a layer or a policy.
 *
 * A check never throws, whatever it is given: getters and proxies that throw are a problem of the field that was read. It tells
 * the first problem, with the path to it and what to do, and never quotes a text, which may be a secret or megabytes long.
 * What the fields of a request are is `requestChecks`' and `messageChecks`', what policies take is `optionChecks`'.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"

/**
 * A problem found before any I/O.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface Issue {
  /** Path of the field, such as `messages[2].content`. */
  readonly field: string
  /** What is wrong and what to do. */
  readonly message: string
}

/**
 * Tells the first problem of a value; its `field` is the path below the value: empty, or begins with `.` or `[`.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export type Check = (value: unknown) => Issue | undefined

/**
 * Checks by field.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface Fields {
  readonly [field: string]: Check
}

/**
 * Entries of a list: a bound for proxies and sparse arrays that claim to be without end.
 *
 * @stability stable
 * @category limits
 * @since 0.1.0
 */
export const maxEntries = 1_000_000

/**
 * A problem of the value itself.
 *
 * @stability stable
 * @category constructors
 * @since 0.1.0
 */
export const problem = (message: string): Issue => ({ field: "", message })

/**
 * A problem, seen from one level up; `key` is `.name` or `[index]`.
 *
 * @stability stable
 * @category constructors
 * @since 0.1.0
 */
export const under = (key: string, issue: Issue): Issue => ({ field: `${key}${issue.field}`, message: issue.message })

/**
 * A problem with the path as people write it.
 *
 * @stability stable
 * @category constructors
 * @since 0.1.0
 */
export const rooted = (issue: Issue | undefined, root: string): Issue | undefined =>
  issue === undefined ? undefined : { ...issue, field: issue.field === "" ? root : issue.field.replace(/^\./, "") }

/**
 * What is said of a value that cannot be read.
 *
 * @stability stable
 * @category messages
 * @since 0.1.0
 */
export const unreadable = "Cannot be read: a getter or proxy throws. Give plain data."

/** How a key of a path is shown: keys can be as long as their author likes. */
const shown = (key: string): string => (key.length > 60 ? `${key.slice(0, 60)}…` : key).toWellFormed()

/** A value that can be copied, as whoever passes options on does. @stability stable @category checks @since 0.1.0 */
export const copyable: Check = (value) => {
  try {
    Object.assign({}, value)
    return undefined
  } catch {
    return problem(unreadable)
  }
}

/**
 * What a value is, without what is in it.
 *
 * @stability stable
 * @category messages
 * @since 0.1.0
 */
export const kindOf = (value: unknown): string => {
  switch (typeof value) {
    case "number":
    case "boolean":
      return String(value)
    case "undefined":
      return "nothing"
    case "string":
      return value === "" ? "an empty text" : "a text"
    case "bigint":
      return "a bigint"
    case "symbol":
      return "a symbol"
    case "function":
      return "a function"
    case "object":
      return value === null ? "null" : isList(value) ? "an array" : "an object"
  }
}

/** `Array.isArray` throws for a proxy that was revoked. */
const isList = (value: unknown): value is ReadonlyArray<unknown> => {
  try {
    return Array.isArray(value)
  } catch {
    return false
  }
}

/**
 * Whether a value is an object that is not an array.
 *
 * @stability stable
 * @category guards
 * @since 0.1.0
 */
export const isRecord = (value: unknown): value is { readonly [key: string]: unknown } =>
  typeof value === "object" && value !== null && !isList(value)

/**
 * Runs a check that reads; what throws is a problem of the value.
 *
 * @stability stable
 * @category combinators
 * @since 0.1.0
 */
export const reading = (check: Check): Check => (value) => {
  try {
    return check(value)
  } catch {
    return problem(unreadable)
  }
}

/**
 * Allows `undefined`.
 *
 * @stability stable
 * @category combinators
 * @since 0.1.0
 */
export const optional = (check: Check): Check => (value) => value === undefined ? undefined : check(value)

/**
 * The first problem that one of several checks finds.
 *
 * @stability stable
 * @category combinators
 * @since 0.1.0
 */
export const all = (...checks: ReadonlyArray<Check>): Check => (value) => {
  for (const check of checks) {
    const found = check(value)
    if (found !== undefined) return found
  }
  return undefined
}

/**
 * A test with what is said when it fails.
 *
 * @stability stable
 * @category combinators
 * @since 0.1.0
 */
export const that = (test: (value: unknown) => boolean, message: string): Check => (value) =>
  test(value) ? undefined : problem(`${message} Got ${kindOf(value)}.`)

/** Any value. @stability stable @category checks @since 0.1.0 */
export const anything: Check = () => undefined

/** A text. @stability stable @category checks @since 0.1.0 */
export const text: Check = that((value) => typeof value === "string", "Must be a text.")

/** A text with something in it. @stability stable @category checks @since 0.1.0 */
export const filledText: Check = that(
  (value) => typeof value === "string" && value.trim() !== "",
  "Must be a text that is not empty."
)

/** `true` or `false`. @stability stable @category checks @since 0.1.0 */
export const flag: Check = that((value) => typeof value === "boolean", "Must be true or false.")

/** A function. @stability stable @category checks @since 0.1.0 */
export const callable: Check = that((value) => typeof value === "function", "Must be a function.")

/**
 * A number in a range, both ends included.
 *
 * @stability stable
 * @category checks
 * @since 0.1.0
 */
export const within = (low: number, high: number): Check =>
  that(
    (value) => typeof value === "number" && value >= low && value <= high,
    `Must be a number from ${low} to ${high}.`
  )

/** A number that is not `NaN` or infinite. @stability stable @category checks @since 0.1.0 */
export const finite: Check = that((value) => Number.isFinite(value), "Must be a finite number.")

/** A number above 0. @stability stable @category checks @since 0.1.0 */
export const positive: Check = that(
  (value) => typeof value === "number" && Number.isFinite(value) && value > 0,
  "Must be a number above 0."
)

/** A number from 0 on. @stability stable @category checks @since 0.1.0 */
export const notNegative: Check = that(
  (value) => typeof value === "number" && Number.isFinite(value) && value >= 0,
  "Must be a number from 0 on."
)

/**
 * A number of at least `low`, or infinity for no limit.
 *
 * @stability stable
 * @category checks
 * @since 0.1.0
 */
export const countFrom = (low: number): Check =>
  that((value) => typeof value === "number" && value >= low, `Must be a number from ${low} on.`)

/**
 * A whole number of at least `low`.
 *
 * @stability stable
 * @category checks
 * @since 0.1.0
 */
export const integerFrom = (low: number, high: number = Number.MAX_SAFE_INTEGER): Check =>
  that(
    (value) => Number.isSafeInteger(value) && (value as number) >= low && (value as number) <= high,
    `Must be an integer from ${low} to ${high}.`
  )

/**
 * One of some words.
 *
 * @stability stable
 * @category checks
 * @since 0.1.0
 */
export const oneOf = (...words: ReadonlyArray<string>): Check => {
  const known = new Set<unknown>(words)
  return that((value) => known.has(value), `Must be ${words.map((word) => `"${word}"`).join(" or ")}.`)
}

/** A `Duration` input that is not negative; infinite is no limit. @stability stable @category checks @since 0.1.0 */
export const duration: Check = reading((value) => {
  const found = isNoTime(value) ? Option.none() : Duration.fromInput(value as Duration.Input)
  if (Option.isSome(found) && Duration.toMillis(found.value) >= 0) return undefined
  return problem(`Must be a duration that is not negative, such as "20 seconds". Got ${kindOf(value)}.`)
})

/** Units of a duration that is written as an object. */
const units: ReadonlySet<string> = new Set(
  [
    "weeks",
    "days",
    "hours",
    "minutes",
    "seconds",
    "milliseconds",
    "microseconds",
    "nanoseconds"
  ] satisfies ReadonlyArray<keyof Duration.DurationObject>
)

/**
 * Effect takes `NaN` for a duration of nothing, and so it does an object that has none of its units, such as a Date or `{ second: 5 }`;
 * and it writes out what is none, however large that is.
 */
const isNoTime = (value: unknown): boolean => {
  if (typeof value === "number") return Number.isNaN(value)
  if (typeof value !== "object" || value === null || Duration.isDuration(value)) return typeof value === "symbol"
  const isAmount = (part: unknown) => typeof part === "number" && !Number.isNaN(part)
  if (Array.isArray(value)) return value.length !== 2 || !value.every(isAmount)
  return !isPlain(value) ||
    !Object.entries(value).every(([unit, part]) => units.has(unit) && (part === undefined || isAmount(part)))
}

/**
 * An object with these fields; others are left alone.
 *
 * @stability stable
 * @category combinators
 * @since 0.1.0
 */
export const fields = (spec: Fields, message = "Must be an object."): Check => {
  const entries = Object.entries(spec)
  return (value) => {
    if (!isRecord(value)) return problem(`${message} Got ${kindOf(value)}.`)
    for (const [field, check] of entries) {
      let found: Issue | undefined
      try {
        found = check(value[field])
      } catch {
        found = problem(unreadable)
      }
      if (found !== undefined) return under(`.${field}`, found)
    }
    return undefined
  }
}

/**
 * An array of values that pass a check.
 *
 * @stability stable
 * @category combinators
 * @since 0.1.0
 */
export const listOf = (check: Check, message = "Must be an array."): Check => (value) => {
  if (!isList(value)) return problem(`${message} Got ${kindOf(value)}.`)
  let at = 0
  try {
    const { length } = value
    if (length > maxEntries) return problem(`Has more than ${maxEntries} entries.`)
    for (; at < length; at++) {
      const found = check(value[at])
      if (found !== undefined) return under(`[${at}]`, found)
    }
    return undefined
  } catch {
    return under(`[${at}]`, problem(unreadable))
  }
}

const plainPrototypes: ReadonlySet<unknown> = new Set([Object.prototype, Array.prototype, null])

/**
 * Whether an object is of no class.
 *
 * @stability stable
 * @category tests
 * @since 0.1.0
 */
export const isPlain = (value: object): boolean =>
  plainPrototypes.has(Object.getPrototypeOf(value)) || Array.isArray(value)

/**
 * Whether the content of an object is its own fields: not so of a Date, a Map or the Headers of `fetch`, whose fields are none.
 *
 * @stability stable
 * @category tests
 * @since 0.1.0
 */
export const hasFields = (value: object): boolean =>
  isPlain(value) || Object.prototype.toString.call(value) === "[object Object]"

/**
 * An object whose values all pass a check.
 *
 * @stability stable
 * @category combinators
 * @since 0.1.0
 */
export const recordOf = (check: Check, message = "Must be an object."): Check => (value) => {
  if (!isRecord(value)) return problem(`${message} Got ${kindOf(value)}.`)
  let key = ""
  try {
    // Whatever such an object holds would be left out in silence.
    if (!hasFields(value)) return problem(`${message} Got one of a class: give plain data, as with Object.fromEntries.`)
    for (key of Object.keys(value)) {
      const found = check(value[key])
      if (found !== undefined) return under(`.${shown(key)}`, found)
    }
    return undefined
  } catch {
    return key === "" ? problem(unreadable) : under(`.${shown(key)}`, problem(unreadable))
  }
}

/**
 * The key of an object as a step of a path.
 *
 * @stability stable
 * @category messages
 * @since 0.1.0
 */
export const stepTo = (key: string | number): string => typeof key === "number" ? `[${key}]` : `.${shown(key)}`
