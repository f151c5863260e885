// What tests of providers have in common: environments, a real client, and one that only records.
import { NodeHttpClient } from "@effect/platform-node"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import type * as Scope from "effect/Scope"

/** The environment that holds these variables and no others. */
export const env = (variables: { readonly [name: string]: string }) =>
  ConfigProvider.layer(ConfigProvider.fromEnv({ env: variables }))

/** With the HTTP client of Node, in a scope of its own. */
export const overHttp = <A, E>(effect: Effect.Effect<A, E, Scope.Scope | HttpClient.HttpClient>): Effect.Effect<A, E> =>
  Effect.scoped(effect).pipe(Effect.provide(NodeHttpClient.layerUndici))

/** A request as a client was given it. */
export interface Sent {
  readonly url: string
  readonly headers: { readonly [name: string]: string }
}

/** A client that answers everything alike and keeps what was sent. */
export const recorder = (sent: Array<Sent>, answer: unknown, status = 200): HttpClient.HttpClient =>
  HttpClient.make((request) =>
    Effect.sync(() => {
      sent.push({ url: request.url, headers: request.headers })
      return HttpClientResponse.fromWeb(
        request,
        new Response(JSON.stringify(answer), { status, headers: { "content-type": "application/json" } })
      )
    })
  )
