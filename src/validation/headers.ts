/**
 * What an HTTP header can hold, checked before anything is sent.
 *
 * HTTP clients refuse such headers too, each in its own way: one quotes the value, which may be a key, another drops it, and all of
 * them fail in a way that looks like trouble of the network. Values are never shown here, nor are names that are not names, since a
 * key may stand in the place of one.
 * https://www.rfc-editor.org/rfc/rfc9110#section-5.5 and https://www.rfc-editor.org/rfc/rfc9110#section-5.6.2
 *
 * @since 0.1.0
 */
import { type Check, type Issue, optional, problem, recordOf, text } from "./values.ts"

const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/

/** A line break would begin a header of its own, and what is not Latin-1 has no bytes here. */
const unfit = /[^\t\x20-\x7e\x80-\xff]/

/**
 * Headers of the connection and the framing of the body, which are the client's alone: `fetch` drops them in silence, other clients
 * send them beside their own, and proxies then disagree about where a request ends.
 * https://www.rfc-editor.org/rfc/rfc9110#section-7.6.1 and https://fetch.spec.whatwg.org/#forbidden-request-header
 */
const reserved: ReadonlySet<string> = new Set([
  "connection",
  "content-encoding",
  "content-length",
  "expect",
  "host",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade"
])

/** Longest value of a header: servers refuse less. */
const maxLength = 64 * 1024

/**
 * Headers as an object of texts; what the texts hold is told by {@link headerIssue}.
 *
 * @stability stable
 * @category checks
 * @since 0.1.0
 */
export const headers: Check = recordOf(optional(text), "Must be an object of texts.")

/**
 * Why a text cannot be the value of a header, or `undefined`.
 *
 * @stability stable
 * @category checks
 * @since 0.1.0
 */
export const headerValueIssue = (value: string): string | undefined =>
  value.length > maxLength
    ? `Is longer than the ${maxLength} characters that a header can hold.`
    : unfit.test(value.trim())
    ? "Holds characters that a header cannot, such as a line break or letters beyond Latin-1. Was it copied whole?"
    : undefined

/**
 * Why headers cannot be sent, or `undefined`. They are texts already.
 *
 * @stability stable
 * @category checks
 * @since 0.1.0
 */
export const headerIssue = (given: { readonly [name: string]: string | undefined } | undefined): Issue | undefined => {
  if (given === undefined) return undefined
  let at = 0
  for (const [name, value] of Object.entries(given)) {
    at++
    if (!token.test(name) || name.length > 256) {
      return problem(`The name of header ${at} is none: names have letters, digits and dashes.`)
    }
    if (value === undefined) continue
    if (reserved.has(name.toLowerCase())) {
      return { field: `.${name}`, message: "Is the HTTP client's own header: leave it out." }
    }
    const message = headerValueIssue(value)
    if (message !== undefined) return { field: `.${name}`, message }
  }
  return undefined
}

/**
 * Headers that are lists, of which what several layers say is joined: https://platform.claude.com/docs/en/api/beta-headers. Of every
 * other the last layer's stands. https://www.rfc-editor.org/rfc/rfc9110#section-5.6.1
 */
const lists: ReadonlySet<string> = new Set(["anthropic-beta", "openai-beta"])

const members = (value: string): ReadonlyArray<string> =>
  value.split(",").map((member) => member.trim()).filter((member) => member !== "")

/**
 * The headers of several layers as one: names are the same in whatever case, lists are joined, each member once, and of others the
 * last stands.
 *
 * @stability stable
 * @category combinators
 * @since 0.1.0
 */
export const joinedHeaders = (
  ...layers: ReadonlyArray<{ readonly [name: string]: string | undefined } | undefined>
): Record<string, string> => {
  const found = new Map<string, readonly [name: string, value: string]>()
  for (const layer of layers) {
    for (const [name, value] of Object.entries(layer ?? {})) {
      if (value === undefined) continue
      const key = name.toLowerCase()
      const before = found.get(key)
      found.set(
        key,
        before === undefined || !lists.has(key)
          ? [name, value]
          : [before[0], [...new Set([...members(before[1]), ...members(value)])].join(",")]
      )
    }
  }
  return Object.fromEntries(found.values())
}

/**
 * Headers as they are sent: without what is `undefined`, and without space around values.
 *
 * @stability stable
 * @category combinators
 * @since 0.1.0
 */
export const sentHeaders = (
  given: { readonly [name: string]: string | undefined }
): Record<string, string> => {
  const sent: Record<string, string> = {}
  for (const [name, value] of Object.entries(given)) {
    if (value !== undefined) sent[name] = value.trim()
  }
  return sent
}
