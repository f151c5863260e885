/**
 * The page and what it reads, over HTTP: `/inspector`, `/inspector/events` as server-sent events, `/inspector/calls/<id>`.
 *
 * Everything is for this machine alone: the `Host`, the `Origin` and the other end of the connection have to be of the loopback, so that
 * neither another machine nor a page under a name that was made to point here reads it. The page itself holds nothing of a call; what it
 * reads needs the token or the key, where there is one. It may load nothing, and nothing may frame it.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import type { Headers, Incoming } from "../../protocol/Server.ts"
import { isLoopback } from "../config.ts"
import * as Guard from "../guard.ts"
import { page } from "./page.ts"
import type { Recorder } from "./recorder.ts"

/** Calls in one event. */
const batch = 50

const headers: Headers = {
  "cache-control": "no-store",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY"
}

const policyOf = (nonce: string): string =>
  `default-src 'none'; script-src 'nonce-${nonce}'; style-src 'nonce-${nonce}'; img-src data:; connect-src 'self'; ` +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"

const json = (body: unknown, status = 200, more: Headers = {}) =>
  HttpServerResponse.text(JSON.stringify(body), {
    status,
    contentType: "application/json",
    headers: { ...headers, ...more }
  })

const refused = (status: number, message: string, more?: Headers) => json({ error: message }, status, more)

const shown = () => {
  const nonce = globalThis.crypto.randomUUID()
  return HttpServerResponse.text(page(nonce), {
    contentType: "text/html; charset=utf-8",
    headers: { ...headers, "content-security-policy": policyOf(nonce) }
  })
}

const encoder = new TextEncoder()

/** The events of a page: all calls that are kept, and then what changes, at most ten times a second. */
const events = (recorder: Recorder, closed: Deferred.Deferred<void>) =>
  Effect.map(
    Effect.acquireRelease(
      Effect.map(Queue.dropping<void>(1), (queue) => ({
        queue,
        stop: recorder.watch(() => void Queue.offerUnsafe(queue, undefined))
      })),
      ({ stop }) => Effect.sync(() => stop?.())
    ),
    ({ queue, stop }) => {
      if (stop === undefined) return refused(503, "Enough pages are open.", { "retry-after": "5" })
      let version = -1
      const changes = (first: boolean) =>
        Effect.map(Clock.currentTimeMillis, (now) => {
          const { calls, health, version: seen } = recorder.since(version, batch)
          version = seen
          if (seen < recorder.current) Queue.offerUnsafe(queue, undefined)
          const about = first ? { reset: true, most: recorder.most, content: recorder.content !== false } : undefined
          return `data: ${JSON.stringify({ ...about, now, calls, health })}\n\n`
        })
      const next = Effect.flatMap(
        Effect.timeoutOption(Queue.take(queue), "15 seconds"),
        (woken) =>
          Option.isNone(woken)
            ? Effect.succeed(":\n\n")
            : Effect.andThen(Effect.sleep("100 millis"), Effect.suspend(() => changes(false)))
      )
      const text = Stream.concat(Stream.fromEffect(Effect.suspend(() => changes(true))), Stream.fromEffectRepeat(next))
      return HttpServerResponse.stream(
        text.pipe(Stream.map((one) => encoder.encode(one)), Stream.interruptWhen(Deferred.await(closed))),
        { contentType: "text/event-stream", headers: { ...headers, "x-accel-buffering": "no" } }
      )
    }
  )

const opened = (recorder: Recorder, id: string) => {
  const found = /^\d{1,15}$/.test(id) ? recorder.opened(Number(id)) : undefined
  return found === undefined ? refused(404, "That call is not kept.") : json(found)
}

/** Why a request may not come in, `undefined` when it may. */
const denied = (request: HttpServerRequest, { headers }: Incoming): string | undefined => {
  const peers = [request.remoteAddress, request.peerAddress].flatMap(Option.toArray)
  if (peers.some((address) => !isLoopback(address.replace(/^::ffff:/i, "")))) {
    return "The inspector is for this machine alone."
  }
  const foreign = headers["sec-fetch-site"]
  if (foreign === "cross-site" || foreign === "same-site") return "Other pages may not use the inspector."
  return Guard.refused({ asks: false }, headers)
}

/**
 * What is served of a recorder.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Inspected {
  readonly recorder: Recorder
  /** Done when no more pages are served: an open one would be waited for. */
  readonly closed: Deferred.Deferred<void>
  /** Whether who asks may see calls. */
  readonly mayLook: (incoming: Incoming) => Effect.Effect<boolean>
}

/**
 * Whether a path is one of the inspector's.
 *
 * @stability experimental
 * @category guards
 * @since 0.1.0
 */
export const isInspector = (path: string): boolean => path === "/inspector" || path.startsWith("/inspector/")

/**
 * Answers a request of the page, or for it.
 *
 * @stability experimental
 * @category serving
 * @since 0.1.0
 */
export const respond = ({ closed, mayLook, recorder }: Inspected, request: HttpServerRequest, incoming: Incoming) =>
  Effect.suspend(() => {
    const why = denied(request, incoming)
    if (why !== undefined) return Effect.succeed(refused(403, why))
    const { method, path } = incoming
    if (method !== "GET" && method !== "HEAD") {
      return Effect.succeed(refused(405, "Only looking is possible here.", { allow: "GET" }))
    }
    if (path === "/inspector" || path === "/inspector/") return Effect.succeed(shown())
    return Effect.flatMap(mayLook(incoming), (may) => {
      if (!may) return Effect.succeed(refused(401, "A key is needed."))
      if (path === "/inspector/events" && method === "GET") return events(recorder, closed)
      const id = /^\/inspector\/calls\/([^/]+)$/.exec(path)?.[1]
      return Effect.succeed(id === undefined ? refused(404, "There is nothing here.") : opened(recorder, id))
    })
  })
