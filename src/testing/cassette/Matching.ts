/**
 * Which recorded exchange answers a request, and how the nearest one differs when none does.
 *
 * @since 0.1.0
 */
import type { Json } from "../../Message.ts"
import type { RecordedRequest } from "./Tape.ts"

/** One spelling for equal values: members in the order of their names. */
const canonical = (json: Json | undefined): string =>
  JSON.stringify(json, (_, value: unknown) =>
    typeof value === "object" && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => a < b ? -1 : 1))
      : value) ?? ""

/** Takes members out of a body, by paths such as `metadata.user_id`; `*` is any member. */
const without = (json: Json | undefined, path: ReadonlyArray<string>): Json | undefined => {
  const [name, ...rest] = path
  if (name === undefined || typeof json !== "object" || json === null) return json
  if (Array.isArray(json)) {
    return json.map((one, at) => name === "*" || name === String(at) ? without(one, rest) ?? null : one)
  }
  return Object.fromEntries(
    Object.entries(json).flatMap(([key, value]) =>
      name !== "*" && key !== name
        ? [[key, value]]
        : rest.length === 0
        ? []
        : [[key, without(value, rest) ?? null]]
    )
  )
}

/**
 * What of a request decides whether it is the one that was recorded.
 *
 * @stability experimental
 * @category matching
 * @since 0.1.0
 */
export interface Compared {
  readonly method: string
  readonly url: string
  readonly body: Json | undefined
}

/**
 * A request without what is ignored.
 *
 * @stability experimental
 * @category matching
 * @since 0.1.0
 */
export const compared = ({ body, method, url }: RecordedRequest, ignore: ReadonlyArray<string>): Compared => ({
  method,
  url,
  body: ignore.reduce<Json | undefined>((rest, path) => without(rest, path.split(".")), body)
})

/**
 * Equal for requests that are the same.
 *
 * @stability experimental
 * @category matching
 * @since 0.1.0
 */
export const keyOf = ({ body, method, url }: Compared): string => `${method} ${url}\n${canonical(body)}`

// =============================================================================
// Differences
// =============================================================================

interface Difference {
  readonly path: string
  readonly recorded: string
  readonly now: string
}

const maxShown = 80
const nothing = "nothing"

const shown = (json: Json | undefined): string => {
  if (json === undefined) return nothing
  const text = JSON.stringify(json)
  return text.length > maxShown ? `${text.slice(0, maxShown)}…` : text
}

/** Two long texts, from shortly before they part. */
const parted = (path: string, recorded: string, now: string): Difference => {
  let at = 0
  while (at < recorded.length && recorded[at] === now[at]) at++
  const from = at > maxShown / 2 ? at - 20 : 0
  const part = (text: string) =>
    `${from > 0 ? "…" : ""}${JSON.stringify(text.slice(from, from + maxShown))}${
      text.length > from + maxShown ? "…" : ""
    }`
  return { path, recorded: part(recorded), now: part(now) }
}

const isObject = (json: Json | undefined): json is { readonly [name: string]: Json } | ReadonlyArray<Json> =>
  typeof json === "object" && json !== null

const step = (path: string, name: string, isList: boolean): string => isList ? `${path}[${name}]` : `${path}.${name}`

const differ = (path: string, recorded: Json | undefined, now: Json | undefined, out: Array<Difference>): void => {
  if (isObject(recorded) && isObject(now) && Array.isArray(recorded) === Array.isArray(now)) {
    const [before, after] = [recorded, now] as ReadonlyArray<{ readonly [name: string]: Json }>
    for (const name of new Set([...Object.keys(before!), ...Object.keys(after!)])) {
      const member = (value: { readonly [name: string]: Json }) => Object.hasOwn(value, name) ? value[name] : undefined
      differ(step(path, name, Array.isArray(recorded)), member(before!), member(after!), out)
    }
  } else if (canonical(recorded) !== canonical(now)) {
    out.push(
      typeof recorded === "string" && typeof now === "string"
        ? parted(path, recorded, now)
        : { path, recorded: shown(recorded), now: shown(now) }
    )
  }
}

const differences = (recorded: Compared, now: Compared): ReadonlyArray<Difference> => {
  const out: Array<Difference> = []
  for (const field of ["method", "url", "body"] as const) differ(field, recorded[field], now[field], out)
  return out
}

/** Requests to another place, or of another kind, are far from each other, however alike their bodies are. */
const distance = (recorded: Compared, now: Compared, found: ReadonlyArray<Difference>): number =>
  found.length + (recorded.method === now.method ? 0 : 2000) + (recorded.url === now.url ? 0 : 1000)

const maxDifferences = 12

/**
 * The nearest recorded request and what differs, one line each.
 *
 * @stability experimental
 * @category matching
 * @since 0.1.0
 */
export const nearest = (recorded: ReadonlyArray<Compared>, now: Compared): string => {
  let best: { readonly at: number; readonly far: number; readonly found: ReadonlyArray<Difference> } | undefined
  for (const [at, one] of recorded.entries()) {
    const found = differences(one, now)
    const far = distance(one, now, found)
    if (best === undefined || far < best.far) best = { at, far, found }
  }
  if (best === undefined) return "It has no exchange at all."
  if (best.found.length === 0) return `Exchange ${best.at + 1} is the same and was played already.`
  const lines = best.found.slice(0, maxDifferences).map(({ now, path, recorded }) =>
    `\n  ${path}: recorded ${recorded}, now ${now}`
  )
  const more = best.found.length - lines.length
  return `Exchange ${best.at + 1} of ${recorded.length} is the nearest. It differs in${lines.join("")}${
    more > 0 ? `\n  and ${more} more` : ""
  }`
}
