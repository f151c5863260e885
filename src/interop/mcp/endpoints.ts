/**
 * From where a server is said to be to a transport of the SDK, watched and bounded.
 *
 * The SDK is loaded when the first server is connected: it is an optional peer.
 *
 * @since 0.1.0
 */
import type * as Client from "@modelcontextprotocol/client"
import type { Transport } from "@modelcontextprotocol/client"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { makeScrubber, type Scrub } from "../../transport/secrets/Redaction.ts"
import { boundedFetch } from "./bounded.ts"
import { McpError } from "./errors.ts"
import { guard } from "./guard.ts"
import type { Bounds } from "./limits.ts"
import type { Endpoint, Http } from "./options.ts"

type Sdk = Pick<typeof Client, "Client" | "StreamableHTTPClientTransport">

/** Loads the client of the SDK. @stability experimental @category loading @since 0.1.0 */
export const loadClient = (server: string): Effect.Effect<Sdk, McpError> =>
  Effect.tryPromise({
    try: () => import("@modelcontextprotocol/client"),
    catch: () =>
      new McpError({
        server,
        kind: "Connection",
        message: "The package @modelcontextprotocol/client could not be loaded. Is it installed?"
      })
  })

const plain = (value: string | Redacted.Redacted): string => Redacted.isRedacted(value) ? Redacted.value(value) : value

const plainFields = (
  fields: Readonly<Record<string, string | Redacted.Redacted>> | undefined
): Record<string, string> =>
  Object.fromEntries(Object.entries(fields ?? {}).map(([name, value]) => [name, plain(value)]))

/** What must never show of an endpoint. */
const secretsIn = (endpoint: Endpoint): ReadonlyArray<string> => {
  switch (endpoint.type) {
    case "http": {
      const values = Object.values(plainFields(endpoint.headers))
      const url = URL.canParse(endpoint.url) ? new URL(endpoint.url) : undefined
      const inUrl = url === undefined ? [] : [url.password, url.username, ...url.searchParams.values()]
      return [...values.flatMap((value) => [value, value.replace(/^\S+ /, "")]), ...inUrl].filter((one) => one !== "")
    }
    case "stdio":
      return Object.values(endpoint.env ?? {}).flatMap((value) => Redacted.isRedacted(value) ? [plain(value)] : [])
    case "transport":
      return []
  }
}

/** Credentials that were sent of late, such as tokens that a provider renews. */
const maxSeen = 8

/** Secrets of an endpoint, those that its provider gets on the way included. @stability experimental @category secrets @since 0.1.0 */
export interface Secrets {
  readonly scrub: Scrub
  readonly sent: (headers: Headers) => void
}

/** Keeps in mind what must not show. @stability experimental @category secrets @since 0.1.0 */
export const secretsOf = (endpoint: Endpoint): Secrets => {
  const own = secretsIn(endpoint)
  const seen: Array<string> = []
  let scrub = makeScrubber(own)
  return {
    scrub: (text, maxBytes) => scrub(text, maxBytes),
    sent: (headers) => {
      const credential = headers.get("authorization")?.replace(/^\S+ /, "")
      if (credential === undefined || credential === "" || seen.includes(credential) || own.includes(credential)) return
      if (seen.push(credential) > maxSeen) seen.shift()
      scrub = makeScrubber([...own, ...seen])
    }
  }
}

/** A transport, and where it listens. @stability experimental @category models @since 0.1.0 */
export interface Opened {
  readonly transport: Transport
  /** Tells the server that the session is over, if there is one. */
  readonly terminate: () => Promise<void>
  /** Takes what an authorization server sent a person back with. */
  readonly finishAuth?: ((callback: URLSearchParams) => Promise<void>) | undefined
}

const failed = (server: string, message: string) => new McpError({ server, kind: "Connection", message })

const http = (
  sdk: Sdk,
  server: string,
  endpoint: Http,
  bounds: Bounds,
  secrets: Secrets,
  initialize: Initialize
): Effect.Effect<Opened, McpError> =>
  Effect.gen(function*() {
    if (!URL.canParse(endpoint.url) || !/^https?:$/.test(new URL(endpoint.url).protocol)) {
      return yield* failed(server, "The URL of the server is none of HTTP.")
    }
    const url = new URL(endpoint.url)
    if (url.username !== "" || url.password !== "") {
      return yield* failed(server, "The URL of the server holds a credential; put it into a header.")
    }
    let told: ReturnType<typeof guard> | undefined
    const transport = yield* Effect.try({
      try: () =>
        new sdk.StreamableHTTPClientTransport(url, {
          requestInit: { headers: plainFields(endpoint.headers) },
          ...(endpoint.authProvider === undefined ? undefined : { authProvider: endpoint.authProvider }),
          fetch: boundedFetch(endpoint.fetch ?? ((url, init) => globalThis.fetch(url, init)), {
            maxBytes: bounds.messageBytes,
            tooLarge: (body) => told?.tooLarge(body),
            unanswered: (body) => told?.unanswered(body),
            sent: secrets.sent
          })
        }),
      catch: () => failed(server, "The headers of the server cannot be sent.")
    })
    told = guard(transport, { initialize })
    return {
      transport: told.transport,
      terminate: () => transport.terminateSession(),
      finishAuth: (callback) => transport.finishAuth(callback)
    }
  })

/** Changes what the handshake of the older era says. */
type Initialize = (params: unknown) => unknown

/**
 * A new transport to a server.
 *
 * @stability experimental
 * @category opening
 * @since 0.1.0
 */
export const open = (
  sdk: Sdk,
  server: string,
  endpoint: Endpoint,
  bounds: Bounds,
  secrets: Secrets,
  initialize: Initialize
): Effect.Effect<Opened, McpError> => {
  switch (endpoint.type) {
    case "http":
      return http(sdk, server, endpoint, bounds, secrets, initialize)
    case "stdio":
      return Effect.tryPromise({
        try: () => import("@modelcontextprotocol/client/stdio"),
        catch: () => failed(server, "Programs cannot be started here.")
      }).pipe(Effect.map(({ StdioClientTransport }) => {
        const { args, command, cwd, env, stderr = "ignore" } = endpoint
        const transport = new StdioClientTransport({
          command,
          args: [...args ?? []],
          env: plainFields(env),
          ...(cwd === undefined ? undefined : { cwd }),
          stderr,
          maxBufferSize: bounds.messageBytes
        })
        return { transport: guard(transport, { initialize }).transport, terminate: () => Promise.resolve() }
      }))
    case "transport":
      return endpoint.open.pipe(
        Effect.catchCause(() => Effect.fail(failed(server, "Its transport could not be opened."))),
        Effect.map((transport) => ({
          transport: guard(transport, { initialize }).transport,
          terminate: () => Promise.resolve()
        }))
      )
  }
}
