/**
 * What of a request may be written down: everything but what somebody could make calls with.
 *
 * A `Redacted` is left out wherever it stands. Of headers, options and tools in a provider's own shape, so are texts under a name that says
 * that they are a credential, and the user, password and keys of a URL. Content of messages is not looked at.
 *
 * @since 0.1.0
 */
import * as Redacted from "effect/Redacted"
import { setOwn } from "../json/own.ts"
import { parseJson } from "../json/parse.ts"
import { holdsCredential } from "./credentialNames.ts"

/** Names that routes of caches have: a key by its form, but none to anything. */
const cacheKey = /cache[-_]?key$/i

const isSecret = (name: string, value: unknown): boolean =>
  typeof value === "string" && holdsCredential(name) && !cacheKey.test(name)

/** A URL without its user and password, and without parameters that hold a credential; any other text as it is. */
const withoutKeys = (text: string): string => {
  if (!/^[a-z][a-z\d+.-]*:\/\/[^\s]*[?@]/i.test(text)) return text
  const url = URL.parse(text)
  if (url === null) return text
  const keys = [...url.searchParams.keys()].filter((name) => holdsCredential(name))
  if (url.username === "" && url.password === "" && keys.length === 0) return text
  url.username = ""
  url.password = ""
  for (const name of keys) url.searchParams.delete(name)
  return url.href
}

/**
 * A copy of a JSON value without what is secret in it. Functions and what is no JSON are left out too.
 *
 * @stability stable
 * @category combinators
 * @since 0.1.0
 */
export const jsonWithoutSecrets = (value: unknown): unknown => {
  if (typeof value === "string") return withoutKeys(value)
  if (typeof value !== "object" || value === null) return value
  if (Array.isArray(value)) return value.filter((one) => !Redacted.isRedacted(one)).map(jsonWithoutSecrets)
  const copy: Record<string, unknown> = {}
  for (const [name, member] of Object.entries(value)) {
    if (member === undefined || typeof member === "function" || Redacted.isRedacted(member)) continue
    if (!isSecret(name, member)) setOwn(copy, name, jsonWithoutSecrets(member))
  }
  return copy
}

/** Some gateways take a whole configuration in a header, keys included. */
const hidesSecrets = (value: string): boolean => {
  if (!/^\s*[[{]/.test(value)) return false
  const parsed = parseJson(value)
  return parsed === undefined || JSON.stringify(jsonWithoutSecrets(parsed)) !== JSON.stringify(parsed)
}

/**
 * Headers without those that hold a credential.
 *
 * @stability stable
 * @category combinators
 * @since 0.1.0
 */
export const headersWithoutSecrets = (
  headers: { readonly [name: string]: string }
): { readonly [name: string]: string } => {
  const kept: Record<string, string> = {}
  for (const [name, value] of Object.entries(headers)) {
    if (typeof value === "string" && !holdsCredential(name) && !hidesSecrets(value)) setOwn(kept, name, value)
  }
  return kept
}
