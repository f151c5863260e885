/**
 * Who may reach the gateway from where: names under which it is asked for, against DNS rebinding, and web pages by their origin.
 *
 * A page can send what needs no preflight to any address, and reads answers of a name that was made to point here. So an `Origin`
 * that is not allowed is refused whatever it asks for, and so is a `Host` that is none of the gateway's names. Where the gateway asks
 * for keys any name will do, unless some are given: no page has a key that it was not given.
 * https://fetch.spec.whatwg.org/#http-cors-protocol
 *
 * @since 0.1.0
 */
import type { Headers } from "../protocol/Server.ts"
import { isLoopback } from "./config.ts"
import { keyHeader } from "./keys.ts"

/**
 * What a guard is told.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Allowed {
  readonly hosts?: ReadonlyArray<string> | undefined
  readonly origins?: ReadonlyArray<string> | undefined
  /** Whether the gateway asks for keys. */
  readonly asks: boolean
}

/** The name in a `Host`, without the port; `undefined` for what is none. */
const nameIn = (host: string | undefined): string | undefined =>
  host === undefined ? undefined : /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::\d{1,5})?$/i.exec(host)?.[1]?.toLowerCase()

const isLocal = (name: string): boolean => isLoopback(name) || name.endsWith(".localhost")

/**
 * Why a request may not come in, `undefined` when it may.
 *
 * @stability experimental
 * @category guards
 * @since 0.1.0
 */
export const refused = ({ asks, hosts, origins }: Allowed, headers: Headers): string | undefined => {
  const name = nameIn(headers["host"])
  if (name === undefined) return "The request names no host that can be."
  const anyHost = hosts === undefined ? asks : hosts.includes("*")
  if (!anyHost && !isLocal(name) && hosts?.includes(name) !== true) {
    return "The gateway is not known by that host name: add it to hosts of the gateway."
  }
  const origin = headers["origin"]
  if (origin === undefined || isAllowed(origins, origin) || isOwn(origin, headers["host"]!)) return undefined
  return "Pages of that origin may not use the gateway: add it to origins of the gateway."
}

const isAllowed = (origins: ReadonlyArray<string> | undefined, origin: string): boolean =>
  origins !== undefined && (origins.includes("*") || origins.includes(origin))

/** A page that the gateway itself has served. */
const isOwn = (origin: string, host: string): boolean => URL.parse(origin)?.host === host.toLowerCase()

const exposed = "retry-after, request-id, x-request-id, x-effect-llm-served-by, x-effect-llm-instance, " +
  "x-effect-llm-attempts, x-effect-llm-cost, x-effect-llm-request-id, x-effect-llm-warnings"

/**
 * Headers for a page that may use the gateway.
 *
 * @stability experimental
 * @category headers
 * @since 0.1.0
 */
export const corsHeaders = ({ origins }: Allowed, headers: Headers): Headers => {
  const origin = headers["origin"]
  return origin === undefined || !isAllowed(origins, origin)
    ? {}
    : { "access-control-allow-origin": origin, "access-control-expose-headers": exposed, vary: "Origin" }
}

/** Names of headers as they are asked for in a preflight; anything else is not repeated. */
const asked = (headers: Headers): string => {
  const names = headers["access-control-request-headers"]
  return names !== undefined && /^[a-z0-9_, -]{1,2000}$/i.test(names)
    ? names
    : `authorization, content-type, x-api-key, x-goog-api-key, ${keyHeader}`
}

/**
 * Headers that answer a preflight.
 *
 * @stability experimental
 * @category headers
 * @since 0.1.0
 */
export const preflightHeaders = (allowed: Allowed, headers: Headers): Headers => ({
  ...corsHeaders(allowed, headers),
  "access-control-allow-methods": "GET, POST, OPTIONS",
  "access-control-allow-headers": asked(headers),
  "access-control-max-age": "600"
})
