/**
 * Who calls: virtual keys, known by their SHA-256 alone, and the credential for a provider that a client brings.
 *
 * Without keys anybody may call. With some, a call without one, with a wrong or an expired one is refused as `Authentication`, a model
 * that is not among those of the key as `PermissionDenied`. Keys are compared by their digests, each whole, whatever the others say.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { configuration } from "../config/problems.ts"
import * as LlmError from "../LlmError.ts"
import { digest } from "../policy/cache/key.ts"
import type { Incoming, ServerProtocol } from "../protocol/Server.ts"
import type { Key } from "./config.ts"
import { isAmong } from "./routing.ts"

/**
 * Where keys are that the configuration does not have: a table, a secret store. It is asked with the SHA-256 of a key in hexadecimal.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface KeyStore {
  /** The key of that digest; `undefined` when there is none. A failure refuses the call as overloaded. */
  readonly find: (sha256: string) => Effect.Effect<Key | undefined, LlmError.LlmError>
}

/**
 * Who calls.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Client {
  /** The virtual key; absent where the gateway has none. */
  readonly key?: Key | undefined
  /** The client's credential for the provider of its wire. */
  readonly credential?: Redacted.Redacted<string> | undefined
}

/**
 * Finds out who calls.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Doorkeeper {
  /** Whether there are keys at all, so that what one client leaves behind must not be seen by another. */
  readonly asks: boolean
  readonly identify: (incoming: Incoming, wire: ServerProtocol) => Effect.Effect<Client, LlmError.LlmError>
}

/**
 * The header of a virtual key where the wire's own place for credentials has another one.
 *
 * @stability experimental
 * @category headers
 * @since 0.1.0
 */
export const keyHeader = "x-effect-llm-key"

/**
 * A refusal of the gateway's own; nothing was sent.
 *
 * @stability experimental
 * @category errors
 * @since 0.1.0
 */
export const refusal = (reason: LlmError.Reason): LlmError.LlmError =>
  new LlmError.LlmError({ provider: "gateway", model: "", operation: "generate", reason, attempts: 0 })

const unauthenticated = (message: string) => refusal(new LlmError.Authentication({ message, status: 401 }))

/** Eight words of a digest. */
const wordsOf = (hex: string): Uint32Array =>
  Uint32Array.from({ length: 8 }, (_, at) => Number.parseInt(hex.slice(at * 8, at * 8 + 8), 16))

/** Whether two digests are the same, in a time that does not tell where they differ. */
const isSame = (a: Uint32Array, b: Uint32Array): boolean => {
  let difference = 0
  for (let at = 0; at < 8; at++) difference |= a[at]! ^ b[at]!
  return difference === 0
}

/**
 * The SHA-256 of a key as the configuration has it.
 *
 * @stability experimental
 * @category keys
 * @since 0.1.0
 */
export const hashOf = (key: string): Effect.Effect<string, LlmError.LlmError> =>
  Effect.flatMap(digest(key), (hex) =>
    hex === undefined
      ? Effect.fail(configuration("Keys need Web Crypto, which this runtime does not have."))
      : Effect.succeed(`sha256:${hex}`))

const hashed = (key: Key): Effect.Effect<string, LlmError.LlmError> =>
  key.hash !== undefined ? Effect.succeed(key.hash) : Effect.flatMap(
    Effect.option(Config.Redacted(key.env ?? "")),
    (found) => {
      const value = Option.getOrUndefined(found)
      return value === undefined || Redacted.value(value).trim() === ""
        ? Effect.fail(configuration(`gateway.keys: The variable ${key.env} is not set.`, key.env))
        : hashOf(Redacted.value(value))
    }
  )

/**
 * Whoever looks after the door: with the keys of the configuration, and those of a store.
 *
 * @stability experimental
 * @category constructors
 * @since 0.1.0
 */
export const doorkeeper = (
  keys: ReadonlyArray<Key>,
  store: KeyStore | undefined
): Effect.Effect<Doorkeeper, LlmError.LlmError> =>
  Effect.map(
    Effect.forEach(keys, (key) => Effect.map(hashed(key), (hash) => ({ key, words: wordsOf(hash.slice(7)) }))),
    (known): Doorkeeper => {
      const asks = known.length > 0 || store !== undefined
      const find = (hex: string) => {
        const words = wordsOf(hex)
        let found: Key | undefined
        // No way out before the end.
        for (const one of known) if (isSame(one.words, words)) found = one.key
        return found !== undefined || store === undefined ? Effect.succeed(found) : store.find(hex)
      }
      return {
        asks,
        identify: (incoming, wire) => {
          const usual = wire.credential(incoming)
          const brought = usual === undefined || usual === "" ? undefined : Redacted.make(usual)
          if (!asks) return Effect.succeed({ credential: brought })
          const own = incoming.headers[keyHeader]
          const shown = own ?? usual
          if (shown === undefined || shown === "") return Effect.fail(unauthenticated("No key of this gateway came."))
          return Effect.flatMap(hashOf(shown), (hash) =>
            Effect.flatMap(find(hash.slice(7)), (key) => {
              if (key === undefined) return Effect.fail(unauthenticated("That is no key of this gateway."))
              // A virtual key is never sent to a provider.
              const client: Client = { key, ...(own === undefined ? undefined : { credential: brought }) }
              if (key.expires === undefined) return Effect.succeed(client)
              const ends = Date.parse(key.expires)
              return Effect.flatMap(
                Clock.currentTimeMillis,
                (now) => now < ends ? Effect.succeed(client) : Effect.fail(unauthenticated("The key has expired."))
              )
            }))
        }
      }
    }
  )

/**
 * Whether a client may ask for a model.
 *
 * @stability experimental
 * @category guards
 * @since 0.1.0
 */
export const mayAsk = ({ key }: Client, model: string): boolean => isAmong(key?.routes, model)
