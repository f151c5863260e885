/**
 * The values that a configuration is made of: spans of time, money, whose state a call has a part in.
 *
 * Patterns are of Unicode: others have no place in a JSON Schema. What a schema reads from a file is what its JSON Schema says: values that only code can give (a `Duration`, a `Redacted`) are
 * declarations, which the JSON Schema leaves out.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Fallback from "../../policy/Fallback.ts"

/**
 * A length of time in a configuration: a `Duration`, or text such as `"20 seconds"`. A bare number is not one, because
 * it does not say its unit.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export type Span = Duration.Duration | `${number} ${Duration.Unit}`

/** Written so that what it accepts is never rounded to nothing: nanoseconds are whole. */
const spanText =
  /^(?=[0-9.]*[1-9])([0-9]{1,15}(\.[0-9]{1,6})?\s+(millis?|seconds?|minutes?|hours?|days?|weeks?)|[0-9]{1,15}\s+(nanos?|micros?))$/u

const isSpan = (given: unknown): given is Span =>
  typeof given === "string"
    ? spanText.test(given)
    : Duration.isDuration(given) && Duration.isPositive(given)

/** Of a declaration: the pattern of the texts of a file that it accepts. @stability stable @category annotations @since 0.1.0 */
export const filePattern = "effect-llm/filePattern"

/** @stability stable @category schemas @since 0.1.0 */
export const span = Schema.declare(isSpan, {
  expected: "a duration such as \"20 seconds\"",
  [filePattern]: spanText.source
})

/** @stability stable @category schemas @since 0.1.0 */
export const optional: <S extends Schema.Constraint>(schema: S) => Schema.optional<S> = Schema.optional

/** @stability stable @category schemas @since 0.1.0 */
export const text = Schema.String.check(Schema.isNonEmpty({ expected: "a text that is not empty" }))

/** @stability stable @category schemas @since 0.1.0 */
export const count = Schema.Int.check(Schema.isGreaterThan(0, { expected: "a whole number above 0" }))

/** @stability stable @category schemas @since 0.1.0 */
export const fromZero = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0, { expected: "a whole number from 0" }))

/** @stability stable @category schemas @since 0.1.0 */
export const notNegative = Schema.Finite.check(
  Schema.isGreaterThanOrEqualTo(0, { expected: "a number that is not negative" })
)

/** @stability stable @category schemas @since 0.1.0 */
export const positive = Schema.Finite.check(Schema.isGreaterThan(0, { expected: "a number above 0" }))

/** @stability stable @category schemas @since 0.1.0 */
export const share = Schema.Finite.check(
  Schema.isGreaterThan(0, { expected: "a number above 0, up to 1" }),
  Schema.isLessThanOrEqualTo(1, { expected: "a number above 0, up to 1" })
)

/** Also keeps out keys that were pasted here: those have small letters or dashes. @stability stable @category schemas @since 0.1.0 */
export const variableName = Schema.String.check(
  Schema.isPattern(/^[A-Z_][A-Z0-9_]{0,99}$/u, {
    expected: "the name of an environment variable, in capitals, such as \"OPENAI_API_KEY\""
  })
)

/** Also keeps out keys that were pasted here: those have no slash or dot before their end. @stability stable @category schemas @since 0.1.0 */
export const secretFile = Schema.String.check(
  Schema.isPattern(/^[^\0\n]*[/\\.][^\0\n]*$/u, { expected: "the path of a file, such as \"/run/secrets/openai\"" })
)

/** A key that code gives; in a file there is none. @stability stable @category schemas @since 0.1.0 */
export const redacted = Schema.declare(
  (given): given is Redacted.Redacted<string> =>
    Redacted.isRedacted(given) && typeof Redacted.value(given) === "string",
  { expected: "a Redacted key" }
)

/** Money, as texts: `"$2.50"` or `"2.50 USD"`. */
const dollars = Schema.String.check(
  Schema.isPattern(/^(\$ ?[0-9]{1,12}(\.[0-9]{1,9})?|[0-9]{1,12}(\.[0-9]{1,9})? ?USD)$/u, {
    expected: "US dollars such as 2.5, \"$2.50\" or \"2.50 USD\""
  })
)

/**
 * US dollars: a number, or text such as `"$2.50"` or `"2.50 USD"`.
 *
 * @stability stable
 * @category schemas
 * @since 0.1.0
 */
export const money = Schema.Union([notNegative, dollars])

/** The number of dollars. @stability stable @category accessors @since 0.1.0 */
export const dollarsOf = (given: typeof money.Type): number =>
  typeof given === "number" ? given : Number(given.replace(/[$ ]|USD/g, ""))

const metadataField = Schema.String.check(
  Schema.isPattern(/^metadata\.[A-Za-z0-9_-]{1,64}$/u, {
    expected: "a field of the metadata such as \"metadata.team\""
  })
)

/**
 * Whose state a call has a part in: `all` share one, or each `label`, `user` (`scope.userId`), `session` (`scope.sessionId`), `tenant` (the
 * credentials that a request brings) or field of the request's metadata (`metadata.team`) has its own.
 *
 * @stability stable
 * @category schemas
 * @since 0.1.0
 */
export const Key = Schema.Union([
  Schema.Literals(["all", "label", "user", "session", "tenant"]),
  metadataField
])

/**
 * Reasons of errors, as a file names them.
 *
 * @stability stable
 * @category schemas
 * @since 0.1.0
 */
export const reasons = Object.keys(Fallback.defaultRoutes).toSorted() as ReadonlyArray<
  keyof typeof Fallback.defaultRoutes
>
