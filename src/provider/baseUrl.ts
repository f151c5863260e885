/**
 * Base URLs as they are given: checked, and taken apart into what a path comes after and what comes after the path.
 *
 * User and password in a URL are refused, because whoever prints the URL prints them; a key has an option of its own. A query,
 * such as `?api-version=…`, stays at the end of every URL. Nothing of a given URL is ever repeated in a message.
 *
 * @since 0.1.0
 */
import { type Base, baseIssue, baseOf } from "../address/paths.ts"
import * as LlmError from "../LlmError.ts"
import type { Definition } from "./definition.ts"

/**
 * A base URL in its parts.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface BaseUrl extends Base {
  /** A URL below it, with the query of the base. */
  readonly withQuery: (url: string) => string
}

/** Whether user or password stand before the host, whatever form the address has. */
const hasUser = (given: string): boolean => {
  const url = URL.parse(given)
  if (url !== null && (url.username !== "" || url.password !== "")) return true
  const authority = given.trim().replace(/^[a-z][a-z0-9+.-]*:(?=[/\\])/i, "").replace(/^[/\\]+/, "")
  return authority.split(/[/\\?#]/, 1)[0]!.includes("@")
}

const configuration = (message: string) => new LlmError.Configuration({ field: "baseUrl", message })

const withQuery = (query: string) => (url: string): string => {
  if (query === "") return url
  const at = url.indexOf("?")
  if (at < 0) return `${url}?${query}`
  // What the path itself asks for wins.
  const asked = new URLSearchParams(url.slice(at))
  const more = query.split("&").filter((pair) => ![...new URLSearchParams(pair).keys()].some((name) => asked.has(name)))
  return more.length === 0 ? url : `${url}&${more.join("&")}`
}

/**
 * The base URL of a provider, or of an application's own choice.
 *
 * @stability stable
 * @category constructors
 * @since 0.1.0
 */
export const readBaseUrl = (
  definition: Pick<Definition, "name" | "baseUrl" | "baseUrlOf"> & { readonly env?: Definition["env"] },
  given: string | undefined
): BaseUrl | LlmError.Configuration => {
  const whole = (given ?? definition.baseUrl).trim()
  if (hasUser(whole)) {
    return configuration(
      `The base URL of ${definition.name} has a user or a password in it, which would be printed with it. Take them out; give a key as apiKey, other credentials as headers.`
    )
  }
  const address = whole.split(/[?#]/, 1)[0]!
  const query = /^[^?#]*\?([^#]*)/.exec(whole)?.[1] ?? ""
  const url = given === undefined ? address : definition.baseUrlOf?.(address) ?? address
  const blank = /\{\w{1,64}\}/.exec(url)?.[0]
  if (blank !== undefined) {
    const where = given === undefined ? definition.baseUrl : "the one that was given"
    const variable = definition.env?.baseUrl === undefined ? "" : `, or set ${definition.env.baseUrl}`
    return configuration(`${definition.name} needs a base URL of your own: replace ${blank} in ${where}${variable}.`)
  }
  const issue = baseIssue(whole.includes("#") ? `${url}#fragment` : url)
  if (issue !== undefined) {
    const example = definition.baseUrl.split(/[?#]/, 1)[0]
    return configuration(`The base URL of ${definition.name} cannot be used. ${issue} Give one such as ${example}.`)
  }
  return { ...baseOf(query === "" ? url : `${url}?${query}`), withQuery: withQuery(query) }
}
