/**
 * Which names say that their value is a credential: of headers, of query parameters, of members of a JSON header.
 *
 * Names that are known, and names by their form, because every gateway has a header of its own. What becomes of the
 * values is the business of `transport/secrets/RequestSecrets.ts`.
 *
 * @since 0.1.0
 */

/**
 * Names of headers whose values are secret, in lower case.
 *
 * @stability stable
 * @category data
 * @since 0.1.0
 */
export const redactedHeaderNames: ReadonlyArray<string> = [
  "authorization",
  "proxy-authorization",
  "x-api-key",
  "api-key",
  "apikey",
  "x-goog-api-key",
  "x-goog-iam-authorization-token",
  "x-amz-security-token",
  "x-auth-token",
  "x-access-token",
  "ocp-apim-subscription-key",
  "cf-aig-authorization",
  "cf-access-client-secret",
  "x-portkey-api-key",
  "helicone-auth",
  "cookie",
  "set-cookie",
  "openai-organization",
  "openai-project"
]

const listed: ReadonlySet<string> = new Set(redactedHeaderNames)

/**
 * Forms of names that hold credentials. A key is a word of its own (`x-portkey-provider` names none), `tokens` counts
 * something, and an author is nobody's secret.
 *
 * @stability stable
 * @category data
 * @since 0.1.0
 */
export const credentialForm =
  /(?:^|[-_.]|api|access|secret|private|auth|subscription|master|virtual|account|service|license|client|shared|encryption|signing)keys?(?:$|[-_.])|token(?!s|iz)|secret|auth(?!or(?!iz))|cookie|credential|passw|passphrase|passcode|signature|jwt|bearer|^sig$|(?:^|[-_])pat$/i

/** What a name about a credential ends with when it does not hold it, such as Snowflake's `…-token-type`. */
const aboutCredential = /[-_](?:type|version|limit|count|mode|scheme|method|algorithm|url|uri|ttl|expiry|expires)$/i

/**
 * Whether the value under a name is a credential: `listed` when the name is known for it, `form` when it looks like it.
 *
 * @stability stable
 * @category guards
 * @since 0.1.0
 */
export const credentialNamed = (name: string): "listed" | "form" | undefined =>
  listed.has(name.toLowerCase())
    ? "listed"
    : credentialForm.test(name) && !aboutCredential.test(name)
    ? "form"
    : undefined

/** Names of accounts: private, but nothing can be called with them. */
const accountNames: ReadonlySet<string> = new Set(["openai-organization", "openai-project"])

/**
 * Whether somebody who has the value under a name can make calls with it.
 *
 * @stability stable
 * @category guards
 * @since 0.1.0
 */
export const holdsCredential = (name: string): boolean =>
  credentialNamed(name) !== undefined && !accountNames.has(name.toLowerCase())
