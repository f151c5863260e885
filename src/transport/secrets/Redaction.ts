/**
 * Keeps secrets out of every text that leaves: errors, logs, spans, cassettes.
 *
 * Secrets that are known are replaced by value, in every encoding in which a provider or a proxy may echo them
 * (`SecretSearch.ts`); what only looks like a key is masked by its form (`transport/secrets/keyShapes.ts`). Half a key is not found by value
 * any more: let the scrubber cut. What is scrubbed where is the transport's business, and what of a request is secret that
 * of `RequestSecrets.ts`.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Headers from "effect/http/Headers"
import * as UrlParams from "effect/http/UrlParams"
import { credentialForm, redactedHeaderNames } from "../../validation/credentialNames.ts"
import { maskShapes, mayHoldKey } from "./keyShapes.ts"
import { SecretSearch, shortestEcho } from "./SecretSearch.ts"

export { redactedHeaderNames } from "../../validation/credentialNames.ts"

/**
 * Removes secrets from text. Given a size, the result has at most so many bytes of UTF-8, and no more of the text is read
 * than that takes; no part of a secret is left at the cut.
 *
 * @category models
 * @since 0.1.0
 */
export type Scrub = (text: string, maxBytes?: number) => string

/** What may stand in place of a secret; the first in which no secret is found. */
const marks = ["<redacted>", "***", "[hidden]", "\u2588\u2588\u2588"]

/** A key that is known by its form only is taken to be no longer. */
const shapeReach = 4096
const maxReach = 65_536

/** What a replacement leaves side by side may look like a key again; more often than that only on purpose. */
const maxPasses = 8

/**
 * Makes the function that removes secrets from text.
 *
 * It replaces each secret by `<redacted>`, plain, in base64 or hex, behind escapes of any kind and mixture, and with
 * "Bearer" in front; from 16 characters on also in any case, with white space in it, or as a list of numbers. It masks what
 * looks like a key of some known provider. Secrets of fewer than 8 characters are replaced as whole words only; blank ones
 * are ignored. The result is a fixed point: scrubbing twice changes nothing more. The time it takes is linear in the text.
 *
 * @category scrubbing
 * @since 0.1.0
 */
export const makeScrubber = (secrets: ReadonlyArray<string>): Scrub => {
  const least = shortestEcho(secrets)
  // Made when a text comes that can hold a secret or a key: ids and names of models hardly ever can.
  let made: { readonly search: SecretSearch; readonly mark: string; readonly reach: number } | undefined
  const make = () => {
    const search = new SecretSearch(secrets)
    const mark = marks.find((one) => search.find(one).length === 0) ?? ""
    return made = { search, mark, reach: Math.min(maxReach, Math.max(shapeReach, search.reach)) }
  }
  const known = (text: string): string => {
    if (text.length < least) return text
    const { mark, search } = made ?? make()
    const found = search.find(text)
    if (found.length === 0) return text
    let out = ""
    let last = 0
    for (const { end, start } of found) {
      out += text.slice(last, start) + mark
      last = end
    }
    return out + text.slice(last)
  }
  const whole = (text: string): string => {
    let out = text
    for (let pass = 0; pass < maxPasses; pass++) {
      const rest = known(out)
      const next = mayHoldKey(rest) ? maskShapes(rest, (made ?? make()).mark) : rest
      if (next === out) break
      out = next
    }
    return out
  }
  return (text, maxBytes) => {
    if (maxBytes === undefined) return whole(text)
    if (text.length <= maxBytes) return cap(whole(text), maxBytes)
    const { reach } = made ?? make()
    if (text.length <= maxBytes + reach) return cap(whole(text), maxBytes)
    // A secret that the first cut went through begins within `reach` of it, so that much is dropped.
    const out = whole(text.slice(0, maxBytes + reach))
    return cap(`${out.slice(0, Math.max(0, out.length - reach))}${ellipsis}`, maxBytes)
  }
}

/** Requests are made with few sets of secrets, and a scrubber takes longer to make than to use. */
const maxScrubbers = 64

/**
 * Scrubbers by what they remove, each made once.
 *
 * @category scrubbing
 * @since 0.1.0
 */
export class Scrubbers {
  private readonly made = new Map<string, Scrub>()

  of(secrets: ReadonlyArray<string>): Scrub {
    const key = secrets.join("\n")
    let scrub = this.made.get(key)
    if (scrub === undefined) {
      if (this.made.size >= maxScrubbers) this.made.clear()
      scrub = makeScrubber(secrets)
      this.made.set(key, scrub)
    }
    return scrub
  }
}

// =============================================================================
// Size
// =============================================================================

/** Marks the cut, where there is room for it. */
const ellipsis = "…"
const ellipsisBytes = 3

/**
 * The text, cut to at most `maxBytes` bytes of UTF-8 between characters, with "…" at the cut.
 *
 * @default maxBytes 65536
 * @category size
 * @since 0.1.0
 */
export const cap = (text: string, maxBytes = 65_536): string => {
  const limit = Number.isFinite(maxBytes) ? Math.max(0, Math.floor(maxBytes)) : maxBytes > 0 ? Infinity : 0
  if (text.length * 3 <= limit || limit === Infinity) return text
  if (bytesUntil(text, limit) === text.length) return text
  return limit < ellipsisBytes ? "" : text.slice(0, bytesUntil(text, limit - ellipsisBytes)) + ellipsis
}

const utf8 = new TextEncoder()

/** How many UTF-16 units fit into so many bytes. */
const bytesUntil = (text: string, limit: number): number => utf8.encodeInto(text, new Uint8Array(limit)).read

// =============================================================================
// Requests
// =============================================================================

/**
 * A context in which requests are rendered without their credentials: in spans, in logs of clients and middlewares. Names
 * that the application hides stay hidden.
 *
 * @category requests
 * @since 0.1.0
 */
export const redactedRequest = <R>(context: Context.Context<R>): Context.Context<R> => {
  const headers = Context.get(context, Headers.CurrentRedactedNames)
  const parameters = Context.get(context, UrlParams.CurrentRedactedNames)
  if (headers === defaultHeaders && parameters === defaultParameters) return Context.merge(context, redacting)
  return Context.add(
    Context.add(context, Headers.CurrentRedactedNames, [...headers, ...hiddenNames]),
    UrlParams.CurrentRedactedNames,
    [...parameters, credentialForm]
  )
}

const hiddenNames: ReadonlyArray<string | RegExp> = [...redactedHeaderNames, credentialForm]
const defaultHeaders = Context.get(Context.empty(), Headers.CurrentRedactedNames)
const defaultParameters = Context.get(Context.empty(), UrlParams.CurrentRedactedNames)
const redacting = Context.add(
  Context.make(Headers.CurrentRedactedNames, [...defaultHeaders, ...hiddenNames]),
  UrlParams.CurrentRedactedNames,
  [...defaultParameters, credentialForm]
)

// =============================================================================
// Causes
// =============================================================================

const maxLevels = 5
const maxCauseBytes = 2048

/** A property of a foreign object, whose getter may throw. */
const property = (u: object, key: string): unknown => {
  try {
    return (u as Record<string, unknown>)[key]
  } catch {
    return undefined
  }
}

const shown = (u: unknown): string | undefined => {
  if (typeof u === "string") return u.trim() === "" ? undefined : u
  return typeof u === "number" || typeof u === "bigint" ? String(u) : undefined
}

const describeLevel = (u: unknown): string | undefined => {
  if (typeof u !== "object" || u === null) {
    return shown(u) ?? (typeof u === "symbol" || typeof u === "boolean" ? String(u) : undefined)
  }
  const name = shown(property(u, "_tag")) ?? shown(property(u, "name"))
  const code = shown(property(u, "code"))
  const message = shown(property(u, "message")) ?? shown(property(u, "description"))
  const head = [name, code].filter((part) => part !== undefined).join(" ")
  if (message === undefined) return head === "" ? undefined : head
  return head === "" ? message : `${head}: ${message}`
}

/** Where errors keep what caused them: ES2022, Effect's reasons and exits, `AggregateError`. */
const causeOf = (u: unknown): unknown => {
  if (typeof u !== "object" || u === null) return undefined
  for (const key of ["cause", "reason", "error", "defect", "failure"]) {
    const value = property(u, key)
    if (value !== undefined && value !== null && value !== u && typeof value !== "function") return value
  }
  for (const key of ["reasons", "errors"]) {
    const value = property(u, key)
    if (Array.isArray(value) && value.length > 0) return property(value, "0")
  }
  return undefined
}

/**
 * One line about an unknown cause: name, code and message of it and of what caused it, outermost first, at most five
 * levels, scrubbed. Never more than 2048 bytes; "unknown cause" where there is nothing to say. Never throws.
 *
 * @category causes
 * @since 0.1.0
 */
export const describeCause = (cause: unknown, scrub: Scrub): string => {
  try {
    // White space may be what keeps a secret in two, so it is looked for before and after.
    const line = oneLine(scrub(oneLine(scrub(levelsOf(cause).join(" <- "), 4 * maxCauseBytes)), maxCauseBytes))
    return cap(line === "" ? "unknown cause" : line, maxCauseBytes)
  } catch {
    // A revoked proxy, say: foreign objects can throw at any touch.
    return "unknown cause"
  }
}

const oneLine = (text: string): string => text.replace(/\s+/g, " ").trim()

const levelsOf = (cause: unknown): ReadonlyArray<string> => {
  const levels: Array<string> = []
  const seen = new Set<unknown>()
  let current = cause
  while (current !== undefined && current !== null && levels.length < maxLevels && seen.size < 2 * maxLevels) {
    if (seen.has(current)) break
    seen.add(current)
    const level = describeLevel(current)
    if (level !== undefined && level !== levels.at(-1)) levels.push(level)
    current = causeOf(current)
  }
  return levels
}
