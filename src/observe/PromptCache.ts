/**
 * Watches whether prefixes that are to be cached by the provider are read from its cache, and says where requests differ when they are not.
 *
 * A prompt cache is lost without an error: one character that changes near the beginning of each prompt, such as the time of day in the
 * system prompt, and every call pays for writing a prefix that is never read. Around a service this policy compares what is read with
 * what the call before had read and written. After `misses` misses in a row it emits `PromptCacheMissed`, which is logged at `Warn`, with
 * the place of the first difference; then again at twice as many, so that a lasting fault fills no log.
 *
 * A request counts when it has cache marks or `cache` options; of hosts that cache on their own all requests count with `automatic`. Not
 * judged are requests whose predecessor is older than the cache keeps entries, prefixes below `minTokens`, answers that do not say what
 * was read from a cache, and calls that ran side by side.
 *
 * It holds the text of the last request per route, no copies of it, at most `maxCharacters` in all. It changes no request; what caching
 * saved is `Cost`'s to tell.
 *
 * @example
 * ```ts
 * const llm = Anthropic.layerEnv.pipe(PromptCache.policy(), Retry.policy(), Cost.policy())
 * ```
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type { LlmError } from "../LlmError.ts"
import type { LlmRequest } from "../LlmRequest.ts"
import type { LlmResponse } from "../LlmResponse.ts"
import type { ServiceInfo } from "../LlmService.ts"
import { type KeyOption, keyOption, tenantOf } from "../policy/perKey.ts"
import * as Policy from "../policy/Policy.ts"
import { modelOf } from "../service/addressee.ts"
import { emit } from "../stream/emit.ts"
import { withHold } from "../stream/held.ts"
import { monotonicMillis } from "../stream/monotonic.ts"
import { isServed } from "../stream/served.ts"
import { countFrom, fields, flag, optional } from "../validation/values.ts"
import { differenceOf, type Prefix, prefixOf } from "./promptCache/prefix.ts"

export type { PrefixDifference } from "../stream/emit.ts"

/**
 * What is watched.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** Misses in a row that are told. @default 3 */
  readonly misses?: number | undefined
  /** Prefixes of fewer tokens are not judged: most providers cache none below 1024. @default 1024 */
  readonly minTokens?: number | undefined
  /** Judges requests without marks as well, for hosts that cache on their own. @default false */
  readonly automatic?: boolean | undefined
  /**
   * Which calls are to share a prefix. @default those of one provider, model, label, cache key and credential, and of one session once it has an answer
   */
  readonly key?: KeyOption | undefined
  /** Characters of requests that are held at most, of all routes; the oldest route is forgotten. @default 4194304 */
  readonly maxCharacters?: number | undefined
}

const checkedOptions = fields({
  misses: optional(countFrom(1)),
  minTokens: optional(countFrom(0)),
  automatic: optional(flag),
  key: optional(keyOption),
  maxCharacters: optional(countFrom(0))
})

/** Anthropic keeps entries for 5 minutes, or an hour: https://platform.claude.com/docs/en/build-with-claude/prompt-caching */
const keptMillis = 300_000
const keptExtendedMillis = 3_600_000

/** A rough token, where only the characters are known. */
const charactersPerToken = 4

const maxRoutes = 1024

interface Last {
  readonly prefix: Prefix
  /** Input tokens that the provider has in its cache since then. */
  readonly cached: number
  readonly at: number
}

/** Remembers the last request of each route, the most recently used last. */
class Routes {
  private readonly last = new Map<string, Last>()
  private readonly misses = new Map<string, number>()
  private held = 0
  private readonly capacity: number

  constructor(capacity: number) {
    this.capacity = capacity
  }

  get(key: string): Last | undefined {
    return this.last.get(key)
  }

  set(key: string, last: Last): void {
    this.forget(key)
    if (last.prefix.characters > this.capacity) return
    this.last.set(key, last)
    this.held += last.prefix.characters
    for (const [oldest] of this.last) {
      if (this.held <= this.capacity && this.last.size <= maxRoutes) break
      this.forget(oldest)
    }
  }

  private forget(key: string): void {
    const known = this.last.get(key)
    if (known === undefined) return
    this.held -= known.prefix.characters
    this.last.delete(key)
  }

  /** Misses in a row of a route, after one more or after none. */
  count(route: string, missed: boolean): number {
    const count = missed ? (this.misses.get(route) ?? 0) + 1 : 0
    this.misses.delete(route)
    if (missed) this.misses.set(route, count)
    if (this.misses.size > maxRoutes) {
      const [oldest] = this.misses.keys()
      if (oldest !== undefined) this.misses.delete(oldest)
    }
    return count
  }
}

/** Whether so many misses are told: the first time, then at each doubling. */
const isTold = (count: number, first: number): boolean => {
  let told = first
  while (told < count) told *= 2
  return told === count
}

const keysOf = (
  key: KeyOption | undefined,
  request: LlmRequest,
  info: ServiceInfo
): { readonly route: string; readonly own: string; readonly fresh: boolean } => {
  const given: unknown = typeof key === "function" ? key(request, info) : key
  if (typeof given === "string") return { route: given, own: given, fresh: false }
  const fresh = request.messages?.some(({ role }) => role === "assistant") !== true
  const { cache, label = info.label ?? "" } = request
  const parts = [info.provider, modelOf(request, info), label, cache?.key ?? "", tenantOf(request)]
  const route = JSON.stringify(parts)
  const session = request.scope?.sessionId
  return { route, own: session === undefined ? route : JSON.stringify([...parts, session]), fresh }
}

/** What was to be read from the cache, in tokens. */
const expectedOf = (last: Last, prefix: Prefix): number =>
  last.prefix.opening === prefix.opening
    ? last.cached
    // Another conversation: it has tools and system prompt in common with that one, and nothing else.
    : Math.min(last.cached, Math.floor(last.prefix.shared / charactersPerToken))

/** Input tokens that are in the provider's cache after an answer. Unmarked, all of them may be. */
const cachedBy = ({ usage: { input } }: LlmResponse, automatic: boolean): number | undefined => {
  if (input.cacheRead === undefined && input.cacheWrite === undefined) return undefined
  const marked = (input.cacheRead ?? 0) + (input.cacheWrite ?? 0)
  return automatic && !(input.cacheWrite! > 0) ? input.total ?? marked : marked
}

/**
 * Watches the prompt cache of a service. Fails with `Configuration` when an option cannot be.
 *
 * @stability experimental
 * @category policies
 * @since 0.1.0
 */
export const policy = (options: Options = {}): Policy.Policy<LlmError> =>
  Policy.makeChecked("PromptCache", options, checkedOptions, (service) => {
    const { automatic = false, key, minTokens = 1024, misses: firstTold = 3 } = options
    const routes = new Routes(options.maxCharacters ?? 4_194_304)

    return withHold(service, (request) =>
      Effect.map(monotonicMillis, (begun) => {
        const prefix = prefixOf(request, automatic)
        if (prefix === undefined) return { request, end: () => Effect.void }
        const { fresh, own, route } = keysOf(key, request, service.info)
        const last = routes.get(fresh ? route : own)
        return {
          request,
          end: (ending) => {
            if (ending._tag !== "Finished" || isServed(ending.response)) return Effect.void
            const { response } = ending
            return Effect.flatMap(monotonicMillis, (now) => {
              const cached = cachedBy(response, automatic)
              if (cached === undefined) return Effect.void
              const kept: Last = { prefix, cached, at: now }
              routes.set(own, kept)
              if (fresh && own !== route) routes.set(route, kept)
              const reach = prefix.extended ? keptExtendedMillis : keptMillis
              if (last === undefined || last.at > begun || begun - last.at > reach) return Effect.void
              const expected = expectedOf(last, prefix)
              if (expected < minTokens) return Effect.void
              const found = response.usage.input.cacheRead ?? 0
              const missed = found < expected / 2
              const count = routes.count(route, missed)
              if (!missed || !isTold(count, firstTold)) return Effect.void
              const { model, provider } = response
              return emit(request, () => {
                const difference = differenceOf(last.prefix, prefix)
                return {
                  _tag: "PromptCacheMissed",
                  provider,
                  model,
                  misses: count,
                  tokensMissed: expected - found,
                  ...(difference === undefined ? undefined : { difference })
                }
              }, { level: "Warn", label: service.info.label })
            })
          }
        }
      }))
  })
