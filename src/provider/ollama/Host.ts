/**
 * Addresses of Ollama servers, in the forms that `OLLAMA_HOST` and people use.
 *
 * @see https://docs.ollama.com/faq#how-do-i-configure-ollama-server
 * @since 0.1.0
 */
import { withoutTrailingSlashes } from "../../address/slashes.ts"

/**
 * Where Ollama listens unless it is told otherwise.
 *
 * @stability stable
 * @category addresses
 * @since 0.1.0
 */
export const localUrl = "http://127.0.0.1:11434"

/**
 * Where Ollama runs models for others: https://docs.ollama.com/cloud
 *
 * @stability stable
 * @category addresses
 * @since 0.1.0
 */
export const cloudUrl = "https://ollama.com"

/**
 * The URL of a server given as `host`, `host:port`, `:port` or a URL, without the API's path. A host without a scheme
 * has port 11434; the address to listen on everywhere is asked on this machine.
 *
 * @stability stable
 * @category addresses
 * @since 0.1.0
 */
export const serverUrl = (given: string): string => {
  const trimmed = given.trim()
  if (trimmed === "") return localUrl
  const explicit = trimmed.includes("://")
  const url = URL.parse(explicit ? trimmed : `http://${trimmed.startsWith(":") ? `127.0.0.1${trimmed}` : trimmed}`)
  // Left as it is, so that the error about it shows what was given.
  if (url === null) return trimmed
  const host = url.hostname === "0.0.0.0" || url.hostname === "[::]" ? "127.0.0.1" : url.hostname
  const port = url.port !== "" ? `:${url.port}` : explicit || hasPort(trimmed) ? "" : ":11434"
  const path = withoutTrailingSlashes(url.pathname).replace(/\/(?:api|v1)$/, "")
  // Kept for the check of base URLs: what it holds must not vanish in silence.
  const user = url.username === "" && url.password === "" ? "" : `${url.username}:${url.password}@`
  return `${url.protocol}//${user}${host}${port}${path}${url.search}${url.hash}`
}

/** `URL` drops port 80, which is http's own. */
const hasPort = (host: string): boolean => /:80(?:\/|$)/.test(host)
