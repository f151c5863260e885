/**
 * A connection to one server that comes up when it is needed and again when it was lost, waits longer after each time it did not, and is
 * given back with its scope.
 *
 * @since 0.1.0
 */
import type { Client, ClientCapabilities, PriorDiscovery } from "@modelcontextprotocol/client"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import { loadClient, open, type Opened, secretsOf } from "./endpoints.ts"
import { type Failure, failureOf, McpError } from "./errors.ts"
import { type Answered, type Budget, inputs, maxRequestsOf } from "./input.ts"
import { type Bounds, boundsOf } from "./limits.ts"
import type { ServerOptions } from "./options.ts"
import { isObject } from "./values.ts"

/** A connection that is up. @stability experimental @category models @since 0.1.0 */
export interface Link {
  readonly client: Client
  readonly era: "modern" | "legacy"
  /** The revision of the protocol, such as `2025-11-25`. */
  readonly version: string
  readonly alive: () => boolean
  readonly hasSession: () => boolean
  /** Whether tools with headers of their own have to be looked at, see `paramHeaders`. */
  readonly isHttp: boolean
}

/** What may change of a server. @stability experimental @category models @since 0.1.0 */
export type Kind = "tools" | "resources" | "prompts"

/** A server's connection. @stability experimental @category models @since 0.1.0 */
export interface Connection {
  readonly server: string
  readonly bounds: Bounds
  readonly scrub: (text: string) => string
  /** Connects, unless it is. */
  readonly link: Effect.Effect<Link, McpError>
  readonly current: () => Link | undefined
  readonly problem: () => McpError | undefined
  /** Gives a connection up that is of no use any more; requests that run on it are waited for. */
  readonly drop: (link: Link) => Effect.Effect<void>
  /** Sends a request; interrupting cancels it. */
  readonly request: <A>(link: Link, run: (signal: AbortSignal) => Promise<A>) => Effect.Effect<A, Failure>
  /** Answers what a server asks back. */
  readonly input: (request: unknown, budget: Budget) => Effect.Effect<Answered, McpError>
  /** Goes on with an authorization that a person came back from. */
  readonly finishAuth: (callback: URLSearchParams) => Effect.Effect<void, McpError>
  /** Lets the server ask back for as long as a call of ours runs. */
  readonly during: <A, E>(call: Effect.Effect<A, E>) => Effect.Effect<A, E>
}

/** No limit of the SDK is reached before ours. @stability experimental @category limits @since 0.1.0 */
export const longest = 2_000_000_000

const firstPause = 1000
const longestPause = 30_000
const closing = "5 seconds"
/** Requests of an older server that are answered at once. */
const maxServerRequests = 4

interface Up {
  readonly link: Link
  readonly opened: Opened
}

const rpcError = (code: number, message: string): Error => Object.assign(new Error(message), { code })

/** Capabilities of ours. Whether a call can wait for a person is known to the newer era only. */
const capabilitiesOf = ({ defer = true, elicit, roots, sampling }: ServerOptions): ClientCapabilities => ({
  ...(elicit !== undefined || defer ? { elicitation: { form: {}, url: {} } } : undefined),
  ...(sampling === undefined ? undefined : { sampling: {} }),
  ...(roots === undefined ? undefined : { roots: {} })
})

/** In the older era somebody has to answer at once. */
const withoutWaiting = ({ elicit }: ServerOptions) => (params: unknown): unknown => {
  if (elicit !== undefined || !isObject(params) || !isObject(params.capabilities)) return params
  const { elicitation: _, ...capabilities } = params.capabilities
  return { ...params, capabilities }
}

/**
 * Makes the connection of a server. `changed` is told what may differ from now on.
 *
 * @stability experimental
 * @category constructors
 * @since 0.1.0
 */
export const connection = (
  server: string,
  options: ServerOptions,
  identity: { readonly name: string; readonly version: string },
  changed: (kinds: ReadonlyArray<Kind>) => void
): Effect.Effect<Connection, never, Scope.Scope> =>
  Effect.gen(function*() {
    const scope = yield* Effect.scope
    const context = yield* Effect.context<never>()
    const runPromise = Effect.runPromiseWith(context)
    const bounds = boundsOf(options.limits)
    const secrets = secretsOf(options.endpoint)
    const input = inputs(server, options, bounds)
    const connecting = yield* Semaphore.make(1)
    let up: Up | undefined
    let problem: McpError | undefined
    let failures = 0
    let notBefore = 0
    let closed = false
    /** The transport that knows of an authorization under way. */
    let last: Opened | undefined
    /** What a program was found to speak: it speaks the same when it is started again. */
    let verdict: PriorDiscovery | undefined
    let calls = 0
    let budget: Budget = { left: 0 }
    let asked = 0

    /** Answers a request that an older server sends, for as long as a call of ours runs. */
    const answered = async (request: unknown, signal: AbortSignal): Promise<never> => {
      if (calls === 0) throw rpcError(-32_600, "Nothing is asked for while no request runs.")
      if (asked >= maxServerRequests) throw rpcError(-32_600, "Too much is asked for at once.")
      asked++
      try {
        const one = await runPromise(
          Effect.match(input(request, budget), {
            onFailure: ({ message }) => ({ _tag: "Failed", message } as const),
            onSuccess: (one) => one
          }),
          { signal }
        )
        if (one._tag === "Failed") throw rpcError(-1, one.message)
        return (one._tag === "Now" ? one.response : { action: "cancel" }) as never
      } finally {
        asked--
      }
    }

    const listen = (link: Link): Effect.Effect<void> =>
      Effect.gen(function*() {
        const offered = link.client.getServerCapabilities()
        const filter = {
          ...(offered?.tools?.listChanged === true ? { toolsListChanged: true } : undefined),
          ...(offered?.prompts?.listChanged === true ? { promptsListChanged: true } : undefined),
          ...(offered?.resources?.listChanged === true ? { resourcesListChanged: true } : undefined)
        }
        if (link.era === "legacy" || Object.keys(filter).length === 0) return
        let pause = firstPause
        while (link.alive()) {
          const subscribed = yield* Effect.option(
            Effect.tryPromise((signal) => link.client.listen(filter, { timeout: bounds.connect, signal }))
          )
          if (Option.isSome(subscribed)) {
            const since = yield* Clock.currentTimeMillis
            yield* Effect.promise(() => subscribed.value.closed)
            // What changed in between was not told.
            changed(["tools", "prompts", "resources"])
            if ((yield* Clock.currentTimeMillis) - since > longestPause) pause = firstPause
          }
          yield* Effect.sleep(pause)
          pause = Math.min(2 * pause, longestPause)
        }
      })

    const giveBack = ({ opened }: { readonly opened: Opened }, client: Client | undefined): Effect.Effect<void> =>
      Effect.tryPromise(async () => {
        await opened.terminate().catch(() => undefined)
        await (client?.transport === undefined ? opened.transport.close() : client.close())
      }).pipe(Effect.timeoutOption(closing), Effect.ignore)

    const connect: Effect.Effect<Link, McpError> = Effect.gen(function*() {
      const sdk = yield* loadClient(server)
      const opened = yield* open(sdk, server, options.endpoint, bounds, secrets, withoutWaiting(options))
      last = opened
      const { era = "auto" } = options
      const client = new sdk.Client(identity, {
        capabilities: capabilitiesOf(options),
        versionNegotiation: {
          mode: era === "modern" ? { pin: "2026-07-28" } : era,
          // A program that does not answer what it does not know is one of the older era.
          ...(options.endpoint.type === "stdio"
            ? { probe: { timeoutMs: Math.max(1, Math.ceil(bounds.connect / 3)) } }
            : undefined)
        },
        inputRequired: { autoFulfill: false }
      })
      let alive = true
      Object.assign(client, {
        onclose: () => {
          alive = false
        }
      })
      if (options.elicit !== undefined || options.defer !== false) {
        client.setRequestHandler("elicitation/create", (request, { mcpReq }) => answered(request, mcpReq.signal))
      }
      if (options.sampling !== undefined) {
        client.setRequestHandler("sampling/createMessage", (request, { mcpReq }) => answered(request, mcpReq.signal))
      }
      if (options.roots !== undefined) {
        const roots = options.roots.map(({ name, uri }) => ({ uri, ...(name === undefined ? undefined : { name }) }))
        client.setRequestHandler("roots/list", () => ({ roots }))
      }
      client.setNotificationHandler("notifications/tools/list_changed", () => changed(["tools"]))
      client.setNotificationHandler("notifications/prompts/list_changed", () => changed(["prompts"]))
      client.setNotificationHandler("notifications/resources/list_changed", () => changed(["resources"]))
      yield* Effect.tryPromise({
        try: (signal) =>
          client.connect(opened.transport, {
            timeout: Math.max(1, bounds.connect),
            signal,
            ...(verdict === undefined ? undefined : { prior: verdict })
          }),
        catch: (thrown) => failureOf(server, thrown, secrets.scrub).error
      }).pipe(
        Effect.timeoutOrElse({
          duration: bounds.connect,
          orElse: () =>
            Effect.fail(new McpError({ server, kind: "Timeout", message: `${server}: Connecting took too long.` }))
        }),
        Effect.onError(() => {
          verdict = undefined
          return giveBack({ opened }, client)
        })
      )
      if (options.endpoint.type === "stdio") {
        const discover = client.getDiscoverResult()
        verdict = discover === undefined ? { kind: "legacy" } : { kind: "modern", discover }
      }
      const link: Link = {
        client,
        era: client.getProtocolEra() ?? "legacy",
        version: client.getNegotiatedProtocolVersion() ?? "",
        alive: () => alive,
        hasSession: () => opened.transport.sessionId !== undefined,
        isHttp: options.endpoint.type !== "stdio"
      }
      up = { link, opened }
      changed(["tools", "prompts", "resources"])
      yield* Effect.forkIn(listen(link), scope)
      return link
    })

    const settled = Effect.fnUntraced(function*(): Effect.fn.Return<Link, McpError> {
      if (up?.link.alive() === true) return up.link
      if (closed) return yield* new McpError({ server, kind: "Connection", message: `${server} was given up.` })
      if (up !== undefined) yield* drop(up.link)
      const now = yield* Clock.currentTimeMillis
      if (problem !== undefined && now < notBefore) return yield* problem
      return yield* Effect.matchEffect(connect, {
        onFailure: (error) =>
          Effect.flatMap(Clock.currentTimeMillis, (at) => {
            // Whatever became of a handshake, no call was lost with it.
            problem = error.kind === "Lost"
              ? new McpError({ ...error, kind: "Connection", message: error.message })
              : error
            notBefore = at + Math.min(longestPause, firstPause * 2 ** Math.min(failures++, 10))
            return Effect.fail(problem)
          }),
        onSuccess: (link) => {
          problem = undefined
          failures = 0
          return Effect.succeed(link)
        }
      })
    })

    /** Requests that run, by connection, and connections that wait for their end to be given back. */
    const running = new Map<Link, number>()
    const retired = new Map<Link, Up>()

    const drop = (link: Link): Effect.Effect<void> =>
      Effect.suspend(() => {
        if (up?.link !== link) return Effect.void
        const given = up
        up = undefined
        if (link.alive() && (running.get(link) ?? 0) > 0) {
          retired.set(link, given)
          return Effect.void
        }
        return giveBack(given, link.client)
      })

    const finished = (link: Link): Effect.Effect<void> =>
      Effect.suspend(() => {
        const left = (running.get(link) ?? 1) - 1
        if (left > 0) running.set(link, left)
        else running.delete(link)
        const given = left > 0 ? undefined : retired.get(link)
        if (given === undefined) return Effect.void
        retired.delete(link)
        return Effect.asVoid(Effect.forkIn(giveBack(given, link.client), scope))
      })

    yield* Effect.addFinalizer(() =>
      Effect.suspend(() => {
        closed = true
        const all = [...retired.values(), ...(up === undefined ? [] : [up])]
        retired.clear()
        up = undefined
        return Effect.forEach(all, (one) => giveBack(one, one.link.client), { concurrency: "unbounded", discard: true })
      })
    )

    return {
      server,
      bounds,
      scrub: secrets.scrub,
      link: Effect.suspend(() =>
        up?.link.alive() === true ? Effect.succeed(up.link) : connecting.withPermit(Effect.suspend(settled))
      ),
      current: () => up?.link.alive() === true ? up.link : undefined,
      problem: () => problem,
      drop,
      request: (link, run) =>
        Effect.acquireUseRelease(
          Effect.sync(() => running.set(link, (running.get(link) ?? 0) + 1)),
          () =>
            Effect.tryPromise({
              try: run,
              catch: (thrown) => failureOf(server, thrown, secrets.scrub, link.hasSession())
            }),
          () => finished(link)
        ),
      input,
      finishAuth: (callback) =>
        Effect.suspend(() => {
          const finish = (up?.opened ?? last)?.finishAuth
          return finish === undefined
            ? Effect.fail(
              new McpError({ server, kind: "Input", message: `${server} waits for no authorization.` })
            )
            : Effect.tryPromise({
              try: () => finish(callback),
              catch: (thrown) => {
                const { message } = failureOf(server, thrown, secrets.scrub).error
                return new McpError({ server, kind: "Unauthorized", message })
              }
            })
        }).pipe(Effect.andThen(Effect.sync(() => {
          notBefore = 0
          changed(["tools", "prompts", "resources"])
        }))),
      during: (call) =>
        Effect.acquireUseRelease(
          Effect.sync(() => {
            if (calls++ === 0) budget = { left: maxRequestsOf(options.sampling) }
          }),
          () => call,
          () => Effect.sync(() => void calls--)
        )
    }
  })
