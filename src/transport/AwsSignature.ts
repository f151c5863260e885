/**
 * AWS Signature Version 4 in the Authorization header, with Web Crypto.
 *
 * Owns the canonical request, the key derivation and the headers that come of them. Where credentials come from and
 * when they are renewed is the provider's business.
 *
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 *
 * @since 0.1.0
 */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as LlmError from "../LlmError.ts"

/**
 * AWS credentials: long-lived ones of a user, or temporary ones of a role, which have a session token.
 *
 * @category models
 * @since 0.1.0
 */
export interface AwsCredentials {
  /** Access key id, such as `AKIA…`; names the key and is sent. */
  readonly accessKeyId: string
  /** The secret that signs; never sent. */
  readonly secretAccessKey: Redacted.Redacted<string>
  /** Goes with temporary credentials, and is sent. @default none */
  readonly sessionToken?: Redacted.Redacted<string> | undefined
  /** When they end, in milliseconds since 1970. */
  readonly expiration?: number | undefined
}

/**
 * What is signed: a request, for a service in a region, at a time.
 *
 * @category models
 * @since 0.1.0
 */
export interface Signable {
  readonly method: string
  /** With the path percent-encoded, as it goes out. */
  readonly url: string
  /** Only `content-type`, `host` and `x-amz-*` are signed: proxies change others. */
  readonly headers: { readonly [name: string]: string }
  readonly body: string | Uint8Array<ArrayBuffer>
  /** Name of the service in the credential scope, such as `bedrock`. */
  readonly service: string
  readonly region: string
  readonly credentials: AwsCredentials
  /** Milliseconds since 1970; AWS accepts 5 minutes of difference. */
  readonly now: number
}

const algorithm = "AWS4-HMAC-SHA256"
const encoder = new TextEncoder()

const bytesOf = (data: string | Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> =>
  typeof data === "string" ? encoder.encode(data) : data

const hex = (bytes: ArrayBuffer): string => {
  let out = ""
  for (const byte of new Uint8Array(bytes)) out += byte.toString(16).padStart(2, "0")
  return out
}

/**
 * Percent-encodes all but the unreserved characters of RFC 3986.
 *
 * @category encoding
 * @since 0.1.0
 */
export const uriEncode = (text: string): string =>
  encodeURIComponent(text.toWellFormed()).replace(
    /[!'()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`
  )

/** The path is encoded once more than it goes out, and without empty and dot segments. */
const canonicalPath = (path: string): string => {
  const segments: Array<string> = []
  for (const segment of path.split("/")) {
    if (segment === "..") segments.pop()
    else if (segment !== "" && segment !== ".") segments.push(uriEncode(segment))
  }
  return `/${segments.join("/")}${segments.length > 0 && path.endsWith("/") ? "/" : ""}`
}

const canonicalQuery = (query: URLSearchParams): string =>
  [...query].map(([name, value]) => [uriEncode(name), uriEncode(value)] as const)
    .toSorted(([a, x], [b, y]) => a < b ? -1 : a > b ? 1 : x < y ? -1 : x > y ? 1 : 0)
    .map(([name, value]) => `${name}=${value}`)
    .join("&")

const isSigned = (name: string): boolean => name === "content-type" || name === "host" || name.startsWith("x-amz-")

/** `20150830T123600Z` */
const stamp = (now: number): string => DateTime.formatIso(DateTime.makeUnsafe(now)).replace(/[-:]|\.\d{3}/g, "")

const sha256 = async (data: string | Uint8Array<ArrayBuffer>): Promise<string> =>
  hex(await crypto.subtle.digest("SHA-256", bytesOf(data)))

const hmac = async (key: Uint8Array<ArrayBuffer> | ArrayBuffer, data: string): Promise<ArrayBuffer> => {
  const imported = await crypto.subtle.importKey("raw", key, { name: "HMAC", hash: "SHA-256" }, false, ["sign"])
  return crypto.subtle.sign("HMAC", imported, encoder.encode(data))
}

const signed = async (signable: Signable): Promise<{ readonly [name: string]: string }> => {
  const { credentials, now, region, service } = signable
  const url = new URL(signable.url)
  const time = stamp(now)
  const day = time.slice(0, 8)
  const added: Record<string, string> = { "x-amz-date": time }
  if (credentials.sessionToken !== undefined) {
    added["x-amz-security-token"] = Redacted.value(credentials.sessionToken).trim()
  }
  const headers = new Map([["host", url.host]])
  for (const [name, value] of [...Object.entries(signable.headers), ...Object.entries(added)]) {
    const lower = name.toLowerCase()
    if (isSigned(lower)) headers.set(lower, value.trim().replace(/\s+/g, " "))
  }
  const names = [...headers.keys()].toSorted()
  const signedNames = names.join(";")
  const canonicalRequest = [
    signable.method.toUpperCase(),
    canonicalPath(url.pathname),
    canonicalQuery(url.searchParams),
    ...names.map((name) => `${name}:${headers.get(name)}`),
    "",
    signedNames,
    await sha256(signable.body)
  ].join("\n")
  const scope = `${day}/${region}/${service}/aws4_request`
  const toSign = [algorithm, time, scope, await sha256(canonicalRequest)].join("\n")
  let key: Uint8Array<ArrayBuffer> | ArrayBuffer = encoder.encode(
    `AWS4${Redacted.value(credentials.secretAccessKey).trim()}`
  )
  for (const step of [day, region, service, "aws4_request"]) key = await hmac(key, step)
  const signature = hex(await hmac(key, toSign))
  return {
    ...added,
    authorization:
      `${algorithm} Credential=${credentials.accessKeyId.trim()}/${scope}, SignedHeaders=${signedNames}, ` +
      `Signature=${signature}`
  }
}

/**
 * The headers to add to a request: `authorization`, `x-amz-date` and, for temporary credentials,
 * `x-amz-security-token`. Fails where there is no Web Crypto, as on insecure origins of browsers.
 *
 * @category signing
 * @since 0.1.0
 */
export const sign = (
  signable: Signable
): Effect.Effect<{ readonly [name: string]: string }, LlmError.Configuration> =>
  Effect.tryPromise({
    try: () => signed(signable),
    // The cause is not shown: it could hold what was signed.
    catch: () =>
      new LlmError.Configuration({ message: "The request could not be signed: it needs Web Crypto and a valid URL." })
  })
