// Values that nobody should give, and some that they may; what laws throw at every entry.
import * as Redacted from "effect/Redacted"
import * as fc from "fast-check"

const nested = (levels: number, wrap: (inner: unknown) => unknown): unknown => {
  let value: unknown = 1
  for (let level = 0; level < levels; level++) value = wrap(value)
  return value
}

const circular = (): unknown => {
  const value: Record<string, unknown> = { a: 1 }
  value["self"] = { list: [value] }
  return value
}

/** Forty levels that share their halves: a million million values when it is written out. */
const bomb = (): unknown => nested(40, (inner) => [inner, inner])

const throwing = (): unknown =>
  new Proxy({}, {
    get: () => {
      throw new Error("no")
    },
    has: () => {
      throw new Error("no")
    },
    ownKeys: () => {
      throw new Error("no")
    },
    getPrototypeOf: () => {
      throw new Error("no")
    }
  })

const revoked = (list: boolean): unknown => {
  const { proxy, revoke } = Proxy.revocable<object>(list ? [] : {}, {})
  revoke()
  return proxy
}

const getter = (name: string): unknown =>
  Object.defineProperty({ type: "text" }, name, {
    enumerable: true,
    get: () => {
      throw new Error("no")
    }
  })

/** Says something else each time it is read. */
const fickle = (): unknown => {
  let reads = 0
  return Object.defineProperty({}, "type", { enumerable: true, get: () => ++reads % 2 === 1 ? "text" : 1n })
}

class Named {
  readonly name = "x"
}

/** Makes a value, so that what only looks at values, such as a report of a failure, does not stumble over it. */
export type Junk = () => unknown

/** Values of every kind that is no plain data, or not what is asked for. */
export const junk: fc.Arbitrary<Junk> = fc.oneof(
  fc.anything({
    withBigInt: true,
    withDate: true,
    withMap: true,
    withSet: true,
    withSparseArray: true,
    withTypedArray: true,
    withNullPrototype: true,
    withBoxedValues: true
  }).map((value) => () => value),
  fc.constantFrom<unknown>(
    null,
    undefined,
    "",
    " ",
    "x",
    "\ud83d",
    "..",
    "../../admin",
    "a\r\nb",
    0,
    -1,
    1.5,
    NaN,
    Infinity,
    -Infinity,
    true,
    false,
    10n,
    Symbol("s"),
    () => 1,
    [],
    [null],
    [undefined],
    [[]],
    {},
    { type: "text" },
    { type: "base64" },
    { name: 5 },
    { toJSON: () => 1n },
    { __proto__: null },
    JSON.parse("{\"__proto__\": {\"polluted\": true}, \"constructor\": 1}"),
    Redacted.make("x"),
    Redacted.make(5),
    Redacted.make("a\nb")
  ).map((value) => () => value),
  fc.constantFrom<Junk>(
    circular,
    bomb,
    throwing,
    fickle,
    () => revoked(true),
    () => revoked(false),
    () => getter("text"),
    () => getter("length"),
    () => getter("name"),
    () => nested(5000, (inner) => [inner]),
    () => nested(5000, (inner) => ({ inner })),
    () => new Date(NaN),
    () => new Named(),
    () => Named,
    () => new URL("https://example.com"),
    () => Object.create({ inherited: 1 }),
    () => Promise.resolve(1),
    () => new Error("x"),
    () => Object.assign([], { length: 2 ** 32 - 1 }),
    () => new Proxy([], { get: (target, key) => key === "length" ? 2 ** 31 : Reflect.get(target, key) })
  )
)

/** The places of a value, itself included. */
export const placesOf = (value: unknown, path: ReadonlyArray<string> = []): ReadonlyArray<ReadonlyArray<string>> =>
  typeof value === "object" && value !== null && Object.getPrototypeOf(value) !== null && !Redacted.isRedacted(value)
    ? [path, ...Object.keys(value).flatMap((key) => placesOf((value as Record<string, unknown>)[key], [...path, key]))]
    : [path]

/** A copy with another value at a place. */
export const replaced = (value: unknown, [key, ...rest]: ReadonlyArray<string>, by: unknown): unknown => {
  if (key === undefined) return by
  const copy: Record<string, unknown> = Array.isArray(value)
    ? [...value] as unknown as Record<string, unknown>
    : { ...(value as Record<string, unknown>) }
  copy[key] = replaced(copy[key], rest, by)
  return copy
}
