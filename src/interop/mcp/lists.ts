/**
 * Lists of a server: all pages within bounds, kept for as long as they count, in an order of their own.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Semaphore from "effect/Semaphore"
import { type Connection, type Link, longest } from "./connection.ts"
import { type Failure, McpError } from "./errors.ts"
import { droppedKey, rawOf, timedKey } from "./tidy.ts"
import { isObject } from "./values.ts"

/** Bytes of one entry, as JSON. */
const maxEntryBytes = 256 * 1024

/** No list counts longer, whatever its server says. */
const longestAge = 86_400_000

/** After a list could not be read it is not tried again before this. */
const pauseAfterFailure = 1000

/** A list as it was read. @stability experimental @category models @since 0.1.0 */
export interface Read {
  readonly entries: ReadonlyArray<{ readonly [name: string]: unknown }>
  /** Milliseconds; absent when the server did not say. */
  readonly ttl: number | undefined
  /** What is missing, in plain words. */
  readonly problems: ReadonlyArray<string>
}

type Method = "tools/list" | "resources/list" | "resources/templates/list" | "prompts/list"

/** Reads all pages of a list, as far as the bounds go. */
const readAll = (
  connection: Connection,
  link: Link,
  method: Method
): Effect.Effect<Read, Failure> =>
  Effect.gen(function*() {
    const { bounds } = connection
    const entries: Array<{ readonly [name: string]: unknown }> = []
    const problems: Array<string> = []
    const seen = new Set<string>()
    let cursor: string | undefined
    let ttl: number | undefined
    let bytes = 0
    let dropped = 0
    for (let page = 1;; page++) {
      const asked = (cursor === undefined ? { method } : { method, params: { cursor } }) as { method: Method }
      const result: unknown = yield* connection.request(
        link,
        (signal) => link.client.request(asked, { signal, timeout: longest })
      )
      if (!isObject(result)) break
      const meta = isObject(result._meta) ? result._meta : {}
      if (typeof meta[droppedKey] === "number") dropped += meta[droppedKey]
      // The shortest of all pages is the list's.
      if (meta[timedKey] === true && typeof result.ttlMs === "number") ttl = Math.min(ttl ?? longestAge, result.ttlMs)
      let full = false
      for (const entry of rawOf(result) as ReadonlyArray<unknown> ?? []) {
        if (!isObject(entry)) continue
        const size = JSON.stringify(entry).length
        if (size > maxEntryBytes) {
          dropped++
          continue
        }
        bytes += size
        full = entries.length >= bounds.listItems || bytes > bounds.messageBytes
        if (full) break
        entries.push(entry)
      }
      const next = typeof result.nextCursor === "string" ? result.nextCursor : undefined
      if (full || (next !== undefined && entries.length >= bounds.listItems)) {
        problems.push(`${method}: the list is longer than is read; the rest was left out.`)
        break
      }
      if (next === undefined) break
      if (seen.has(next) || page >= bounds.listPages) {
        problems.push(
          seen.has(next)
            ? `${method}: the server gives the same page again; what came before it counts.`
            : `${method}: the list has more pages than are read; the rest was left out.`
        )
        break
      }
      seen.add(next)
      cursor = next
    }
    if (dropped > 0) problems.push(`${method}: entries that are wrong or too large were left out (${dropped}).`)
    return { entries, ttl, problems }
  })

/** A list that is kept. @stability experimental @category models @since 0.1.0 */
export interface Kept<A> {
  /** What there is now: read anew when it has changed or does not count any more, as it was when it cannot be read. */
  readonly get: Effect.Effect<ReadonlyArray<A>>
  /** What there was, read anew only when it is known to have changed. */
  readonly current: Effect.Effect<ReadonlyArray<A>>
  readonly stale: () => void
  readonly problems: () => ReadonlyArray<string>
}

/** Keeps a list. `wanted` says whether the server has such lists. @stability experimental @category constructors @since 0.1.0 */
export const kept = <A>(
  connection: Connection,
  method: Method,
  wanted: (link: Link) => boolean,
  read: (entries: Read["entries"], link: Link) => {
    readonly items: ReadonlyArray<A>
    readonly problems: ReadonlyArray<string>
  }
): Kept<A> => {
  const { bounds, server } = connection
  const reading = Semaphore.makeUnsafe(1)
  let items: ReadonlyArray<A> | undefined
  let problems: ReadonlyArray<string> = []
  let until = 0
  let isStale = true

  const once = Effect.gen(function*() {
    const link = yield* connection.link
    // What changes while the list is read is read the next time.
    isStale = false
    if (!wanted(link)) return { link, read: { entries: [], ttl: undefined, problems: [] } }
    const first = yield* Effect.result(readAll(connection, link, method))
    if (Result.isSuccess(first)) return { link, read: first.success }
    const { error, fate } = first.failure
    // A list may be asked for again: once on a connection that is new.
    if (fate === "refused") return yield* error
    if (fate === "expired" || !link.alive()) yield* connection.drop(link)
    const again = yield* connection.link
    isStale = false
    return {
      link: again,
      read: yield* Effect.mapError(readAll(connection, again, method), (failure) => failure.error)
    }
  }).pipe(
    Effect.timeoutOrElse({
      duration: bounds.list + bounds.connect,
      orElse: () =>
        Effect.fail(
          new McpError({ server, kind: "Timeout", message: `${server}: ${method} took too long.` })
        )
    })
  )

  const refreshed = Effect.gen(function*() {
    const now = yield* Clock.currentTimeMillis
    if (items !== undefined && !isStale && now < until) return items
    const result = yield* Effect.result(once)
    const at = yield* Clock.currentTimeMillis
    if (Result.isSuccess(result)) {
      const { link, read: { entries, problems: found, ttl } } = result.success
      const made = read(entries, link)
      items = made.items
      problems = [...found, ...made.problems]
      until = at + Math.min(ttl ?? bounds.listAge, longestAge)
    } else {
      problems = [result.failure.message]
      isStale = false
      until = at + pauseAfterFailure
    }
    return items ??= []
  })

  return {
    get: Effect.suspend(() => reading.withPermit(refreshed)),
    current: Effect.suspend(() =>
      items !== undefined && !isStale ? Effect.succeed(items) : reading.withPermit(refreshed)
    ),
    stale: () => {
      isStale = true
    },
    problems: () => problems
  }
}
