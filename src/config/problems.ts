/**
 * What is wrong with a configuration, in words that name the place, the known names and the likely one.
 *
 * No value of a file is ever repeated, except the name of a provider or instance, and that only where it looks like one: a key that
 * stands in the wrong place must not get into an error.
 *
 * @since 0.1.0
 */
import * as SchemaAST from "effect/SchemaAST"
import * as SchemaIssue from "effect/SchemaIssue"
import * as LlmError from "../LlmError.ts"
import { isShown, looksLikeKey, nearest, plain, quoted, unknownName } from "../provider/names.ts"
import { holdsCredential } from "../validation/credentialNames.ts"

/**
 * A place in a configuration and what is wrong there.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Found {
  readonly path: ReadonlyArray<PropertyKey>
  readonly message: string
  /** What was probably meant, or is to stand there instead. */
  readonly suggestion?: string | undefined
  /** Whether it is a field that nobody knows, which who is not strict reads over. */
  readonly isUnknownField?: boolean | undefined
}

/**
 * A name that nobody knows, at a place.
 *
 * @stability experimental
 * @category constructors
 * @since 0.1.0
 */
export const ofName = (
  path: ReadonlyArray<PropertyKey>,
  what: string,
  name: string,
  known: ReadonlyArray<string>
): Found => ({ path, message: `${what}. ${unknownName(name, known)}`, suggestion: nearest(name, known) })

const secretName =
  /^(?:.*(?:keys?|secret|password|passwd|credentials?)|(?:access|api|auth|bearer|session)?token|authorization)$/

/** Whether a key of that name would hold a credential. */
const namesSecret = (name: string): boolean => secretName.test(plain(name))

/**
 * What a credential in a file is answered with.
 *
 * @stability experimental
 * @category combinators
 * @since 0.1.0
 */
export const noSecrets =
  "Keys do not stand in the configuration. Put the key into an environment variable and name that with apiKeyEnv."

const credential = (path: ReadonlyArray<PropertyKey>): Found => ({
  path,
  message: noSecrets,
  suggestion: "apiKeyEnv"
})

/** What is not looked through: a prompt can be about anything. */
const isProse = (path: ReadonlyArray<PropertyKey>): boolean => path[2] === "defaults" && path[3] === "system"

export { quoted, unknownName }

/**
 * Where credentials stand in a configuration: values that look like one, and fields of `metadata` that are named like one. The
 * configuration is plain data of bounded depth.
 *
 * @stability experimental
 * @category constructors
 * @since 0.1.0
 */
export const credentialsIn = (value: unknown, path: ReadonlyArray<PropertyKey> = []): ReadonlyArray<Found> => {
  if (typeof value === "string") {
    const isNamed = path.includes("metadata") && value.length >= 16 && holdsCredential(String(path.at(-1)))
    return isNamed || (!isProse(path) && looksLikeKey(value)) ? [credential(path)] : []
  }
  if (typeof value !== "object" || value === null) return []
  return Object.entries(value).flatMap(([key, inner]) => [
    ...(looksLikeKey(key) ? [credential([...path, key])] : []),
    ...credentialsIn(inner, [...path, key])
  ])
}

const format = SchemaIssue.makeFormatterStandardSchemaV1()

/** What stands at a place of a value. @stability experimental @category accessors @since 0.1.0 */
export const at = (value: unknown, path: ReadonlyArray<PropertyKey>): unknown =>
  path.reduce<unknown>(
    (inner, key) =>
      typeof inner === "object" && inner !== null && Object.hasOwn(inner, key)
        ? (inner as Record<PropertyKey, unknown>)[key]
        : undefined,
    value
  )

const literalsOf = (ast: SchemaAST.AST): ReadonlyArray<string> => {
  if (SchemaAST.isUnion(ast)) return ast.types.flatMap(literalsOf)
  return SchemaAST.isLiteral(ast) && typeof ast.literal === "string" ? [ast.literal] : []
}

/** A key as such is for code only. */
const inFiles = (name: string): boolean => name !== "apiKey"

const astOf = (issue: SchemaIssue.Issue): SchemaAST.AST | undefined => "ast" in issue ? issue.ast : undefined

/** What fits none of several forms has one problem, in the words of all. */
const together = (problems: ReadonlyArray<Found>): ReadonlyArray<Found> => {
  const [first, ...others] = problems
  if (first === undefined || others.some(({ path }) => path.length !== first.path.length)) return problems
  if (problems.some(({ isUnknownField, message }) => isUnknownField === true || !message.startsWith("Expected "))) {
    return problems
  }
  const expected = problems.map(({ message }) =>
    message.replace(/^Expected /, "").replace(/\.( Did you mean .*)?$/, "")
  )
  const suggestion = problems.find((each) => each.suggestion !== undefined)?.suggestion
  const message = `Expected ${expected.join(", or ")}.`
  return [
    suggestion === undefined
      ? { path: first.path, message }
      : { path: first.path, message: `${message} Did you mean "${suggestion}"?`, suggestion }
  ]
}

/**
 * The problems behind an issue of a schema; `value` is what was decoded, `base` its place.
 *
 * @stability experimental
 * @category constructors
 * @since 0.1.0
 */
export const ofIssue = (
  issue: SchemaIssue.Issue,
  value: unknown,
  base: ReadonlyArray<PropertyKey> = []
): ReadonlyArray<Found> => {
  const collect = (issue: SchemaIssue.Issue, inner: ReadonlyArray<PropertyKey>): ReadonlyArray<Found> => {
    const path = [...base, ...inner]
    switch (issue._tag) {
      case "Pointer":
        return collect(issue.issue, [...inner, ...issue.path])
      case "Encoding":
        return collect(issue.issue, inner)
      case "Composite":
        return issue.issues.flatMap((each) => collect(each, inner))
      case "AnyOf":
        if (issue.issues.length > 0) return together(issue.issues.flatMap((each) => collect(each, inner)))
        break
      case "MissingKey":
        return [{ path, message: "Is missing." }]
      case "UnexpectedKey": {
        const name = String(path.at(-1))
        const known = SchemaAST.isObjects(issue.ast)
          ? issue.ast.propertySignatures.map(({ name }) => String(name)).filter(inFiles)
          : []
        return namesSecret(name) && nearest(name, ["apiKeyEnv", "apiKeyFile"]) === undefined
          ? [credential(path)]
          : [{ ...ofName(path, "Unknown key", name, known), isUnknownField: true }]
      }
    }
    if (path.at(-1) === "apiKey") return [credential(path)]
    const ast = astOf(issue)
    if (ast !== undefined && SchemaAST.isNever(ast)) {
      return [{ ...ofName(path, "Unknown key", String(path.at(-1)), []), isUnknownField: true }]
    }
    const given = at(value, inner)
    const literals = ast === undefined ? [] : literalsOf(ast)
    const meant = typeof given === "string" ? nearest(given, literals) : undefined
    const said = (format(issue).issues[0]?.message ?? "Is not valid").replace(/ \| undefined$/, "").replace(
      /\bobject\b/,
      "table"
    )
    return [{
      path,
      message: meant === undefined ? `${said}.` : `${said}. Did you mean "${meant}"?`,
      suggestion: meant
    }]
  }
  return collect(issue, [])
}

/** A place as people write it; what may be a key is not shown. @stability experimental @category combinators @since 0.1.0 */
export const placeOf = (path: ReadonlyArray<PropertyKey>): string =>
  path.map((name) => isShown(String(name)) ? String(name) : "…").join(".")

/** Problems that an error repeats; `problems` gives them all. */
const mostSaid = 50

/**
 * A `Configuration` error out of problems.
 *
 * @stability experimental
 * @category constructors
 * @since 0.1.0
 */
export const error = (
  problems: ReadonlyArray<Found>,
  options: {
    /** Where the configuration comes from, such as the path of a file. */
    readonly source?: string | undefined
    /** What a place is called there. @default names joined with dots */
    readonly place?: ((path: ReadonlyArray<PropertyKey>) => string) | undefined
  } = {}
): LlmError.LlmError => {
  const place = options.place ?? placeOf
  const sentences = problems.slice(0, mostSaid).map(({ message, path }) =>
    path.length === 0 ? message : `${place(path)}: ${message}`
  )
  if (problems.length > mostSaid) sentences.push(`There are ${problems.length - mostSaid} more.`)
  return configuration(
    `${options.source === undefined ? "" : `${options.source}: `}${sentences.join(" ")}`,
    problems[0] === undefined || problems[0].path.length === 0 ? undefined : place(problems[0].path)
  )
}

/**
 * A `Configuration` error.
 *
 * @stability experimental
 * @category constructors
 * @since 0.1.0
 */
export const configuration = (message: string, field?: string | undefined): LlmError.LlmError =>
  new LlmError.LlmError({
    provider: "config",
    model: "",
    operation: "layer",
    reason: new LlmError.Configuration({ message, field }),
    attempts: 1
  })
