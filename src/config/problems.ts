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
import { maskShapes, mayHoldKey } from "../transport/secrets/keyShapes.ts"
import { holdsCredential } from "../validation/credentialNames.ts"

/**
 * A place in a configuration and what is wrong there.
 *
 * @category models
 * @since 0.1.0
 */
export interface Problem {
  readonly path: ReadonlyArray<PropertyKey>
  readonly message: string
}

const plain = (name: string): string => name.toLowerCase().replace(/[-_\s]/g, "")

/** Edits between two names, a swap of neighbours counting as two. */
const distance = (a: string, b: string): number => {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)))
    }
    row = next
  }
  return row[b.length]!
}

/** Longer names are no slips of the pen: comparing them would cost their length times that of the known ones. */
const longestSlip = 64
/** Names that are compared and listed; a file can name any number of instances. */
const mostKnown = 100

/** The known name that was probably meant. */
const suggestion = (name: string, known: ReadonlyArray<string>): string | undefined => {
  if (name.length > longestSlip) return undefined
  const given = plain(name)
  const limit = Math.min(2, Math.floor(given.length / 2))
  let best: string | undefined
  let least = limit + 1
  for (const candidate of known.slice(0, mostKnown)) {
    if (!isShown(candidate)) continue
    const edits = distance(given, plain(candidate))
    if (edits < least) {
      best = candidate
      least = edits
    }
  }
  return best
}

/**
 * What a name that nobody knows is answered with.
 *
 * @category combinators
 * @since 0.1.0
 */
export const unknownName = (name: string, known: ReadonlyArray<string>): string => {
  if (typeof name !== "string") return `Give a name. ${unknownName("", known)}`
  const meant = suggestion(name, known)
  const more = known.length > mostKnown ? ` and ${known.length - mostKnown} more` : ""
  const shown = known.slice(0, mostKnown).map((each) => isShown(each) ? each : "…")
  const names = known.length === 0 ? "There are none." : `Known: ${shown.join(", ")}${more}.`
  return meant === undefined ? names : `Did you mean "${meant}"? ${names}`
}

const secretName =
  /^(?:.*(?:keys?|secret|password|passwd|credentials?)|(?:access|api|auth|bearer|session)?token|authorization)$/

/** Whether a key of that name would hold a credential. */
const namesSecret = (name: string): boolean => secretName.test(plain(name))

/**
 * What a credential in a file is answered with.
 *
 * @category combinators
 * @since 0.1.0
 */
export const noSecrets =
  "Keys do not stand in the configuration. Put the key into an environment variable and name that with apiKeyEnv."

const looksLikeKey = (text: string): boolean => mayHoldKey(text) && maskShapes(text, "<redacted>") !== text

/**
 * A name in quotes, if it can be shown: keys have digits among their letters, or are longer than names.
 *
 * @category combinators
 * @since 0.1.0
 */
export const quoted = (name: string): string =>
  name.length > longestSlip ? "Such a long name" : isShown(name) ? `"${name}"` : "What stands there"

const isShown = (name: string): boolean =>
  name.length <= longestSlip && !looksLikeKey(name) && !/[A-Za-z0-9]{20,}/.test(name)

/** What is not looked through: a prompt can be about anything. */
const isProse = (path: ReadonlyArray<PropertyKey>): boolean => path[2] === "defaults" && path[3] === "system"

/**
 * Where credentials stand in a configuration: values that look like one, and fields of `metadata` that are named like one. The
 * configuration is plain data of bounded depth.
 *
 * @category constructors
 * @since 0.1.0
 */
export const credentialsIn = (value: unknown, path: ReadonlyArray<PropertyKey> = []): ReadonlyArray<Problem> => {
  if (typeof value === "string") {
    const isNamed = path.includes("metadata") && value.length >= 16 && holdsCredential(String(path.at(-1)))
    return isNamed || (!isProse(path) && looksLikeKey(value)) ? [{ path, message: noSecrets }] : []
  }
  if (typeof value !== "object" || value === null) return []
  return Object.entries(value).flatMap(([key, inner]) => [
    ...(looksLikeKey(key) ? [{ path: [...path, key], message: noSecrets }] : []),
    ...credentialsIn(inner, [...path, key])
  ])
}

const format = SchemaIssue.makeFormatterStandardSchemaV1()

/**
 * The problems behind an issue of a schema.
 *
 * @category constructors
 * @since 0.1.0
 */
export const ofIssue = (issue: SchemaIssue.Issue, path: ReadonlyArray<PropertyKey> = []): ReadonlyArray<Problem> => {
  switch (issue._tag) {
    case "Pointer":
      return ofIssue(issue.issue, [...path, ...issue.path])
    case "Encoding":
      return ofIssue(issue.issue, path)
    case "Composite":
      return issue.issues.flatMap((inner) => ofIssue(inner, path))
    case "AnyOf":
      if (issue.issues.length > 0) return issue.issues.flatMap((inner) => ofIssue(inner, path))
      break
    case "MissingKey":
      return [{ path, message: "Is missing." }]
    case "UnexpectedKey": {
      const name = String(path.at(-1))
      const known = SchemaAST.isObjects(issue.ast) ? issue.ast.propertySignatures.map(({ name }) => String(name)) : []
      return [{
        path,
        message: namesSecret(name) && suggestion(name, ["apiKeyEnv"]) === undefined
          ? noSecrets
          : `Unknown key. ${unknownName(name, known)}`
      }]
    }
  }
  return [{ path, message: `${format(issue).issues[0]?.message ?? "Is not valid"}.` }]
}

const placeOf = (path: ReadonlyArray<PropertyKey>): string =>
  path.map((name) => isShown(String(name)) ? String(name) : "…").join(".")

/**
 * A `Configuration` error out of problems.
 *
 * @category constructors
 * @since 0.1.0
 */
export const error = (
  problems: ReadonlyArray<Problem>,
  options: {
    /** Where the configuration comes from, such as the path of a file. */
    readonly source?: string | undefined
    /** What a place is called there. @default names joined with dots */
    readonly place?: ((path: ReadonlyArray<PropertyKey>) => string) | undefined
  } = {}
): LlmError.LlmError => {
  const place = options.place ?? placeOf
  const sentences = problems.map(({ message, path }) => path.length === 0 ? message : `${place(path)}: ${message}`)
  return configuration(
    `${options.source === undefined ? "" : `${options.source}: `}${sentences.join(" ")}`,
    problems[0] === undefined || problems[0].path.length === 0 ? undefined : place(problems[0].path)
  )
}

/**
 * A `Configuration` error.
 *
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
