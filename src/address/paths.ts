/**
 * Addresses: how the words of callers and servers get into a URL, and how a path gets below a base URL.
 *
 * A name is one segment: it is percent-encoded, and refused where a URL would take it for something else. `encodeURIComponent` alone is
 * not enough: it leaves `..` as it is, and `/models/..` is another address, to which the key would go. Servers and proxies
 * undo encoding before they look at segments, so that encoded dots and slashes count as well.
 * Every URL that holds such words is built here, and looked at once more when it is whole: its origin and the path of its base
 * must be those of the base URL. What a wire's paths are is the wire's.
 * https://www.rfc-editor.org/rfc/rfc3986#section-5.2.4
 *
 * @since 0.1.0
 */

// =============================================================================
// Names
// =============================================================================

/** A dot, plain or encoded, however often. */
const dots = /^(?:\.|%(?:25)*2e){1,2}(?:(?:;|%(?:25)*3b).*)?$/is

/** What parts a path, plain or encoded. */
const parting = /[/\\]|%(?:25)*(?:2f|5c)/i

/** No name has these; URLs drop or turn some of them in silence. */
// eslint-disable-next-line no-control-regex
const unfit = /[\u0000-\u001f\u007f-\u009f\\?#]/

/**
 * Why a text cannot be a name in a URL, or `undefined`.
 *
 * @category names
 * @since 0.1.0
 */
export const nameIssue = (name: unknown): string | undefined => {
  if (typeof name !== "string") return "Must be a text."
  if (name.trim() === "") return "Is empty: give the name."
  if (name.length > 2048) return "Is longer than a name can be."
  if (!name.isWellFormed()) return "Holds half a character, which a URL cannot."
  if (unfit.test(name)) return "Is no name: it must not hold ?, #, \\ or control characters."
  if (leadsElsewhere(name)) return "Is no name: . and .. lead to another address."
  return name.split("/").includes("") ? "Is no name: a part between slashes is empty." : undefined
}

/**
 * Whether a text has a part that a URL takes for a way to somewhere else. Names such as the ARN of a model may have parts.
 *
 * @category names
 * @since 0.1.0
 */
export const leadsElsewhere = (text: string): boolean => text.split(parting).some((part) => dots.test(part))

/** All but the unreserved characters, and those that are harmless in a segment. */
const encoded = (name: string): string =>
  encodeURIComponent(name).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)

/**
 * A name as one segment of a path, whatever stands in it; `undefined` when {@link nameIssue} has one.
 *
 * @category names
 * @since 0.1.0
 */
export const segment = (name: unknown): string | undefined =>
  typeof name === "string" && nameIssue(name) === undefined ? encoded(name) : undefined

/**
 * A name of several segments, where the API documents such names: each pattern is the segments of one form, `*` for a name. Any other
 * name is one segment below `otherwise`. `undefined` when {@link nameIssue} has an issue.
 *
 * @example
 * ```ts
 * resource("tunedModels/mine", ["models/*", "tunedModels/*"], "models") // "tunedModels/mine"
 * resource("mine", ["models/*"], "models")                              // "models/mine"
 * ```
 *
 * @category names
 * @since 0.1.0
 */
export const resource = (name: string, forms: ReadonlyArray<string>, otherwise: string): string | undefined => {
  const whole = segment(name)
  if (whole === undefined) return undefined
  const parts = name.split("/")
  const fits = (form: string): boolean => {
    const steps = form.split("/")
    return steps.length === parts.length &&
      steps.every((step, at) => step === "*" ? parts[at] !== "" : step === parts[at])
  }
  return forms.some(fits) ? parts.map(encoded).join("/") : `${otherwise}/${whole}`
}

/** A label of a host name: https://www.rfc-editor.org/rfc/rfc1123#section-2.1 */
const hostLabel = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/i

/**
 * Why a text cannot be a part of a host name, or `undefined`.
 *
 * @category names
 * @since 0.1.0
 */
export const hostLabelIssue = (name: unknown): string | undefined =>
  typeof name === "string" && hostLabel.test(name)
    ? undefined
    : "Must be a name of letters, digits and dashes, since it becomes part of a host name."

// =============================================================================
// Base URLs
// =============================================================================

/**
 * A base URL in its parts.
 *
 * @category models
 * @since 0.1.0
 */
export interface Base {
  /** Without a slash at its end, query and fragment: paths come after it. */
  readonly url: string
  /** Without its question mark; empty when there is none. It goes along with every request. */
  readonly query: string
  readonly origin: string
  /** Path of the base URL, without a slash at its end. */
  readonly path: string
}

/**
 * Why a text cannot be a base URL, or `undefined`. The text is not quoted: it may hold a password.
 *
 * @category base URLs
 * @since 0.1.0
 */
export const baseIssue = (given: unknown): string | undefined => {
  if (typeof given !== "string") return "Must be a text."
  const url = URL.parse(given)
  if (url === null || (url.protocol !== "http:" && url.protocol !== "https:")) return "Is not an http(s) URL."
  if (url.username !== "" || url.password !== "") {
    return "Holds a user or password, which would get into logs: give the credential as apiKey or in headers."
  }
  return url.hash !== "" ? "Holds a fragment (#…), which is never sent: leave it out." : undefined
}

/**
 * The parts of a base URL without {@link baseIssue}.
 *
 * @category base URLs
 * @since 0.1.0
 */
export const baseOf = (given: string): Base => {
  const { origin, pathname, search } = new URL(given)
  let end = pathname.length
  while (pathname[end - 1] === "/") end--
  const path = pathname.slice(0, end)
  return { url: `${origin}${path}`, query: search.slice(1), origin, path }
}

/**
 * Whether a URL is where its base URL is: the same origin, and below its path. What dot segments, backslashes and user names do to a
 * URL, its parser has done here.
 *
 * @category base URLs
 * @since 0.1.0
 */
export const isBelow = (base: Base, url: string, path: string = base.path): boolean => {
  const whole = URL.parse(url)
  return whole !== null && whole.origin === base.origin && whole.username === "" && whole.password === "" &&
    whole.pathname.startsWith(`${path}/`)
}
