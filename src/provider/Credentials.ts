/**
 * Credentials that are fetched, kept while they are valid, and replaced when they expire or are rejected.
 *
 * For tokens with a lifetime, such as those of Google Cloud and Microsoft Entra. Concurrent calls share one fetch. How a token
 * is obtained is the application's effect; static keys need none of this.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Semaphore from "effect/Semaphore"
import type { LlmError } from "../LlmError.ts"
import { misconfigured, optionsIssue } from "../service/checked.ts"
import { credential } from "../validation/credential.ts"
import { duration, fields, type Issue, optional } from "../validation/values.ts"
import type { Credentials } from "./definition.ts"

/**
 * A token and how long it is valid.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface Token {
  /** The token itself. */
  readonly value: Redacted.Redacted<string>
  /** @default until it is rejected */
  readonly expiresIn?: Duration.Input | undefined
}

const refreshingOptions = optional(fields({ early: optional(duration) }))

const aToken = fields({ value: credential, expiresIn: optional(duration) }, "Must be { value, expiresIn? }.")

const notFetching: Issue = { field: "fetch", message: "Must be an effect that gives a token." }

/**
 * Credentials from an effect that fetches a token. A kept token is used until shortly before it expires; one that the provider
 * rejects is fetched anew, once per call. Fails with `Configuration` when a time cannot be; so do calls, when the effect gives no token.
 *
 * @example
 * ```ts
 * const credentials = yield* Credentials.refreshing(fetchGoogleToken)
 * const layer = Vertex.layer({ project, location, accessToken: credentials })
 * ```
 *
 * @stability stable
 * @category constructors
 * @since 0.1.0
 */
export const refreshing = (
  fetch: Effect.Effect<Token, LlmError>,
  options?: {
    /** How long before it expires a token is replaced. @default 1 minute */
    readonly early?: Duration.Input | undefined
  }
): Effect.Effect<Credentials, LlmError> =>
  Effect.flatMap(Semaphore.make(1), (lock) => {
    const issue = optionsIssue(refreshingOptions, options) ?? (Effect.isEffect(fetch) ? undefined : notFetching)
    if (issue !== undefined) return Effect.fail(misconfigured("Credentials", issue))
    const early = Duration.toMillis(Duration.fromInputUnsafe(options?.early ?? "1 minute"))
    let kept: { readonly value: Redacted.Redacted<string>; readonly until: number } | undefined
    const load = Effect.flatMap(fetch, (token) =>
      Effect.flatMap(Clock.currentTimeMillis, (now) => {
        const issue = optionsIssue(fields({ token: aToken }), { token })
        if (issue !== undefined) return Effect.fail(misconfigured("Credentials", issue, "", "generate"))
        const { expiresIn, value } = token
        const lifetime = expiresIn === undefined ? Infinity : Duration.toMillis(Duration.fromInputUnsafe(expiresIn))
        kept = { value, until: now + Math.max(0, lifetime - early) }
        return Effect.succeed(value)
      }))
    const current = Effect.map(Clock.currentTimeMillis, (now) =>
      kept !== undefined && now < kept.until ? kept : undefined)
    /** Who waited for another caller's fetch takes what that one got, however soon it expires. */
    const get = Effect.flatMap(current, (found) => {
      if (found !== undefined) {
        return Effect.succeed(found.value)
      }
      const before = kept
      return lock.withPermits(1)(
        Effect.suspend(() =>
          kept === undefined || kept === before ? load : Effect.succeed(kept.value)
        )
      )
    })
    /** A caller whose token was rejected after another caller had replaced it takes the new one. */
    const refresh = Effect.suspend(() => {
      const rejected = kept?.value
      return lock.withPermits(1)(
        Effect.suspend(() =>
          kept !== undefined && rejected !== undefined && Redacted.value(kept.value) !== Redacted.value(rejected)
            ? Effect.succeed(kept.value)
            : load
        )
      )
    })
    return Effect.succeed({ get, refresh })
  })

/**
 * The effect that gives the key of a request, and the one that replaces a rejected key, where there is one.
 *
 * @stability stable
 * @category accessors
 * @since 0.1.0
 */
export const parts = (key: Redacted.Redacted<string> | Credentials | undefined): {
  readonly get: Effect.Effect<Redacted.Redacted<string>, LlmError> | undefined
  readonly refresh: Effect.Effect<Redacted.Redacted<string>, LlmError> | undefined
} => {
  if (key === undefined) return { get: undefined, refresh: undefined }
  if (Redacted.isRedacted(key)) return { get: Effect.succeed(key), refresh: undefined }
  return Effect.isEffect(key) ? { get: key, refresh: undefined } : key
}
