/**
 * What of an exchange may be written down.
 *
 * Headers are written only when they are known to matter and to be harmless. Every secret of a request (headers, user and query of its URL,
 * members of its body under a name of a credential, what the application named) is replaced by value wherever it stands, in any encoding
 * that `transport/secrets` knows; what looks like a key of some provider, and ids of accounts, are replaced by their form.
 *
 * @since 0.1.0
 */
import type { Json } from "../../Message.ts"
import { makeScrubber } from "../../transport/secrets/Redaction.ts"
import { secretsOf } from "../../transport/secrets/RequestSecrets.ts"
import { holdsCredential } from "../../validation/credentialNames.ts"
import type { RecordedRequest } from "./Tape.ts"

const mark = "<redacted>"

/** Headers of requests that say how a body is to be read. */
const keptOfRequests =
  /^(?:accept|content-type|anthropic-version|anthropic-beta|openai-beta|x-amz-target|x-goog-api-client)$/i

/** Headers of responses that this library reads (`transport/RetryAfter` and `Failing`), ids by which a provider finds a call again. */
const keptOfResponses =
  /^(?:content-type|content-encoding|date|location|retry-after(?:-ms)?|x-should-retry|x-amzn-errortype|openai-(?:version|processing-ms|model))$|ratelimit|(?:^|-)(?:request-?id|generation-id|trace-id)$/i

/** The headers of a response that are kept, in the order of their names. */
export const responseHeaders = (
  headers: { readonly [name: string]: string | undefined },
  scrub: (text: string) => string
): { readonly [name: string]: string } => kept(headers, keptOfResponses, scrub)

const kept = (
  headers: { readonly [name: string]: string | undefined },
  names: RegExp,
  scrub: (text: string) => string
): { readonly [name: string]: string } => {
  const out: Record<string, string> = {}
  for (const name of Object.keys(headers).toSorted()) {
    const value = headers[name]
    if (value !== undefined && names.test(name)) out[name.toLowerCase()] = scrub(value)
  }
  return out
}

// =============================================================================
// Accounts
// =============================================================================

const accounts: ReadonlyArray<readonly [RegExp, string]> = [
  // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html
  [/(\barn(?::|%3A)aws[\w-]*(?::|%3A)[\w-]*(?::|%3A)[\w-]*(?::|%3A))\d{12}/gi, "$1000000000000"],
  // https://developers.cloudflare.com/ai-gateway/usage/chat-completion/
  [/(\/(?:accounts|v1)\/)[0-9a-f]{32}(?=\/|$)/gi, "$100000000000000000000000000000000"],
  // https://cloud.google.com/vertex-ai/docs/reference/rest
  [/(\bprojects\/)[^/\s"'?#]+(?=\/locations\/)/gi, "$1project"],
  // https://platform.openai.com/docs/api-reference/authentication
  [/(?<![A-Za-z0-9])(org|proj|user|acct)([-_])(?=[A-Za-z]*\d)[A-Za-z0-9]{12,}/g, "$1$2account"]
]

const withoutAccounts = (text: string): string => {
  let out = text
  for (const [pattern, replacement] of accounts) out = out.replace(pattern, replacement)
  return out
}

// =============================================================================
// Requests
// =============================================================================

/** Names of members whose text is a credential, in bodies of any API: of token endpoints, of MCP servers in a request. */
const credentialMember =
  /^(?:(?:access|id|refresh|session|security|bearer|auth|authorization|oauth)[-_]?token|authorization|assertion|(?:secret[-_]?)?access[-_]?key(?:[-_]?id)?|api[-_]?key|x-api-key|client[-_]?secret|private[-_]?key|password)$/i

/** Texts under such names. */
const secretMembers = (json: unknown, found: Array<string> = []): Array<string> => {
  if (typeof json !== "object" || json === null) return found
  for (const [name, member] of Object.entries(json)) {
    if (typeof member === "string" && credentialMember.test(name)) found.push(member)
    else secretMembers(member, found)
  }
  return found
}

/** JSON with a mark in place of such texts. */
export const maskJson = (json: Json): Json => {
  if (Array.isArray(json)) return json.map(maskJson)
  if (typeof json !== "object" || json === null) return json
  return Object.fromEntries(
    Object.entries(json).map(([name, member]) => [
      name,
      typeof member === "string" && credentialMember.test(name) ? mark : maskJson(member)
    ])
  )
}

const isForm = (contentType: string | undefined) => /^application\/x-www-form-urlencoded/i.test(contentType ?? "")

const formSecrets = (text: string): ReadonlyArray<string> =>
  [...new URLSearchParams(text)].filter(([name]) => credentialMember.test(name) || holdsCredential(name))
    .map(([, value]) => value)

/** A request as it goes out. */
export interface Outgoing {
  readonly method: string
  readonly url: string
  readonly headers: { readonly [name: string]: string }
  readonly body: Json | undefined
}

/** The port of a server on this machine is another one each time. */
const origin = (url: URL): string =>
  /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(url.hostname) ? `${url.protocol}//${url.hostname}` : url.origin

const cleanUrl = (given: string, scrub: (text: string) => string): string => {
  const url = URL.parse(given)
  if (url === null) return scrub(given)
  for (const [name] of [...url.searchParams]) if (holdsCredential(name)) url.searchParams.set(name, "redacted")
  return scrub(`${origin(url)}${url.pathname}${url.search}`)
}

/**
 * A request as it is written down, and what takes its secrets out of everything else of the exchange.
 *
 * @stability experimental
 * @category scrubbing
 * @since 0.1.0
 */
export const scrubbed = (
  request: Outgoing,
  secrets: ReadonlyArray<string>
): { readonly request: RecordedRequest; readonly scrub: (text: string) => string } => {
  const { body, headers, method, url } = request
  const inBody = typeof body === "string"
    ? (isForm(headers["content-type"]) ? formSecrets(body) : [])
    : secretMembers(body)
  const known = secretsOf({ url, headers, secrets: [...secrets, ...inBody] }).filter((secret) => secret !== mark)
  const search = makeScrubber(known)
  const scrub = (text: string) => withoutAccounts(search(text))
  return {
    scrub,
    request: {
      method,
      url: cleanUrl(url, scrub),
      headers: kept(headers, keptOfRequests, scrub),
      ...(body === undefined ? undefined : { body: textsOf(maskJson(body), scrub) })
    }
  }
}

/** JSON with every text of it scrubbed, names of members too. */
const textsOf = (json: Json, scrub: (text: string) => string): Json => {
  if (typeof json === "string") return scrub(json)
  if (typeof json !== "object" || json === null) return json
  if (Array.isArray(json)) return json.map((one) => textsOf(one, scrub))
  return Object.fromEntries(Object.entries(json).map(([name, member]) => [scrub(name), textsOf(member, scrub)]))
}
