/**
 * The secrets that a request carries beside the key it was made with: in headers of a layer or a request, in the
 * user, password and query of its URL.
 *
 * A server that echoes any of them is scrubbed like one that echoes the key. What is made unreadable, and in which
 * encodings, is the business of `Redaction.ts`.
 *
 * @since 0.1.0
 */
import { parseJson } from "../../json/parse.ts"
import { credentialNamed } from "../../validation/credentialNames.ts"

/**
 * What of a request is looked at.
 *
 * @category models
 * @since 0.1.0
 */
export interface Carrier {
  readonly url: string
  readonly headers: { readonly [name: string]: string }
  /** What is known to be secret. */
  readonly secrets: ReadonlyArray<string>
}

/** Query values of that length are taken for credentials whatever they are called. */
const longValue = 20

/** Below it, a value that only the form of its name makes a secret is more likely a setting. */
const minimumByForm = 4

/** Settings, not secrets, under a name that only looks like a credential's. */
const setting = /^(?:\d{1,7}|true|false|none|null|on|off|yes|no|auto|enabled|disabled)$/i

/** Users of Basic authentication that are words of the language of errors. */
const plainUsers =
  /^(?:user(?:name)?|admin|root|api|api_?key|key|token|x-token-auth|basic|bearer|client|guest|default)$/i

const decodedBase64 = (text: string): string | undefined => {
  try {
    const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"))
    return new TextDecoder().decode(Uint8Array.from(binary, (character) => character.charCodeAt(0)))
  } catch {
    return undefined
  }
}

/** `user:password`: the whole, the password, and the user unless it is an ordinary word. */
const pairOf = (pair: string): ReadonlyArray<string> => {
  const at = pair.indexOf(":")
  if (at < 0) return [pair]
  const user = pair.slice(0, at)
  const password = pair.slice(at + 1)
  const isSecret = password === "" || (user.length >= minimumByForm && !plainUsers.test(user))
  return [pair, password, ...(isSecret ? [user] : [])]
}

const unquoted = (text: string): string => /^"(.*)"$/s.exec(text)?.[1] ?? text

/** Parameters of `Authorization` that are no secret: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html */
const plainParameters = /^(?:signedheaders|realm|algorithm|qop|uri|opaque|domain|charset)$/i

const parametersOf = (text: string): ReadonlyArray<string> =>
  text.split(",").flatMap((parameter) => {
    const at = parameter.indexOf("=")
    const value = unquoted(parameter.slice(at + 1).trim())
    return at < 1 || value.length < 8 || plainParameters.test(parameter.slice(0, at).trim())
      ? []
      : [value, ...value.split("/").filter((part) => part.length >= longValue - 4)]
  })

/** The parts of `Bearer …`, `Basic …`, `AWS4-HMAC-SHA256 Credential=…, Signature=…`, or a bare token. */
const credentialsIn = (value: string): ReadonlyArray<string> => {
  const trimmed = value.trim()
  const space = trimmed.search(/\s/)
  if (space < 0) return [trimmed]
  const scheme = trimmed.slice(0, space)
  const rest = trimmed.slice(space).trim()
  if (/^basic$/i.test(scheme)) {
    const decoded = decodedBase64(rest)
    return [trimmed, rest, ...(decoded === undefined ? [] : pairOf(decoded))]
  }
  return rest.includes("=") && rest.includes(",") ? [trimmed, rest, ...parametersOf(rest)] : [trimmed, rest]
}

const cookiesIn = (value: string): ReadonlyArray<string> =>
  value.split(";").flatMap((cookie) => {
    const found = unquoted(cookie.slice(cookie.indexOf("=") + 1).trim())
    return found.length < minimumByForm || setting.test(found) ? [] : [found]
  })

const maxJsonHeader = 65_536
const maxJsonLevels = 6

/** Gateways take whole configurations in a header: https://portkey.ai/docs/product/ai-gateway/configs */
const jsonCredentials = (u: unknown, named: boolean, level: number): ReadonlyArray<string> => {
  if (typeof u === "string") return named && u.length >= minimumByForm && !setting.test(u) ? credentialsIn(u) : []
  if (typeof u !== "object" || u === null || level > maxJsonLevels) return []
  return Object.entries(u).flatMap(([name, value]) =>
    jsonCredentials(value, Array.isArray(u) ? named : credentialNamed(name) !== undefined, level + 1)
  )
}

const jsonIn = (value: string): ReadonlyArray<string> => {
  if (!/^\s*[[{]/.test(value) || value.length > maxJsonHeader) return []
  return jsonCredentials(parseJson(value), false, 0)
}

const headerSecrets = (name: string, value: string): ReadonlyArray<string> => {
  const named = credentialNamed(name)
  if (named === undefined) return jsonIn(value)
  if (/cookie2?$/i.test(name)) return [value, ...cookiesIn(value)]
  const trimmed = value.trim()
  return named === "form" && (trimmed.length < minimumByForm || setting.test(trimmed))
    ? []
    : [...credentialsIn(value), ...jsonIn(value)]
}

const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

const urlSecrets = (given: string): ReadonlyArray<string> => {
  if (!/[?@]/.test(given)) return []
  const url = URL.parse(given)
  if (url === null) return []
  const secrets: Array<string> = []
  if (url.password !== "") secrets.push(url.password, ...pairOf(decoded(`${url.username}:${url.password}`)))
  else if (url.username !== "") secrets.push(url.username, decoded(url.username))
  for (const [name, value] of url.searchParams) {
    if (value.length < minimumByForm || setting.test(value)) continue
    if (credentialNamed(name) !== undefined || value.length >= longValue) secrets.push(value)
  }
  return secrets
}

/**
 * Every secret of a request, each once.
 *
 * @category accessors
 * @since 0.1.0
 */
export const secretsOf = ({ headers, secrets, url }: Carrier): ReadonlyArray<string> => {
  const found = new Set(secrets)
  for (const name of Object.keys(headers)) {
    const value = headers[name]
    if (typeof value === "string") { for (const secret of headerSecrets(name, value)) found.add(secret) }
  }
  for (const secret of urlSecrets(url)) found.add(secret)
  return [...found]
}
