/**
 * Credentials that are replaced when the provider rejects them: once per call, before the caller has seen anything.
 *
 * An attempt says with what it was made, because its rejection can come when others have long replaced that: then the call is made again
 * with what there is now, and nothing is fetched.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import type { LlmError } from "../LlmError.ts"
import type { Service } from "../LlmService.ts"
import { emit } from "../stream/emit.ts"
import { withAttempts } from "../stream/gate.ts"

/**
 * With what one attempt is made, and was.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface Made {
  /** In place of what the layer would give. */
  readonly apiKey?: Redacted.Redacted<string> | undefined
  /** The key, or what it was signed with, once it is known. */
  used?: unknown
}

/**
 * A service whose rejected credential is replaced. `attemptOf` gives the operations of one attempt; `renew` gets what was rejected and
 * gives the key to go on with, or nothing where the next attempt finds it by itself.
 *
 * @stability stable
 * @category combinators
 * @since 0.1.0
 */
export const withRenewal = (
  service: Service,
  attemptOf: (made: Made) => Pick<Service, "generate" | "stream">,
  renew: (rejected: unknown) => Effect.Effect<Redacted.Redacted<string> | undefined, LlmError>
): Service =>
  withAttempts(service, (request) =>
    Effect.sync(() => {
      let renewed = false
      let made: Made = {}
      const attempt = () => ({ service: { ...service, ...attemptOf(made) }, request })
      return {
        first: attempt(),
        next: ({ error }) => {
          if (renewed || request.apiKey !== undefined || error.reason._tag !== "Authentication") {
            return Effect.fail(error)
          }
          renewed = true
          return Effect.flatMap(renew(made.used), (apiKey) => {
            made = { apiKey }
            const { model, provider } = error
            const reason = error.reason._tag
            return Effect.as(emit(request, () => ({ _tag: "KeyRenewed", provider, model, reason }), error), attempt())
          })
        }
      }
    }))
