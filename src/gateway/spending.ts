/**
 * What a virtual key may spend: its budget and its rate, over all routes together, by the policies that applications use.
 *
 * Accounts and buckets live in stores of the gateway's, by the name of the key. A key that has nothing left is refused at once: it does
 * not wait. Several processes share the stores where they are given as layers over Redis.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import type * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { Scope } from "effect/Scope"
import type { LlmError } from "../LlmError.ts"
import type { LlmRequest } from "../LlmRequest.ts"
import type { Service } from "../LlmService.ts"
import * as Budget from "../policy/Budget.ts"
import * as RateLimit from "../policy/RateLimit.ts"
import type { Key } from "./config.ts"

/**
 * The stores of accounts and buckets.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export type Stores = Context.Context<Budget.Store | RateLimit.Store>

/** Services that are kept wrapped; more are made anew for each call. */
const maxWrapped = 10_000

const nameOf = (request: LlmRequest): string => request.scope?.userId ?? ""

/**
 * Puts the limits of a key around a service. Wrapped services are remembered by instance, and by what the key may spend.
 *
 * @stability experimental
 * @category constructors
 * @since 0.1.0
 */
export const limiter = (stores: Stores, scope: Scope) => {
  const wrapped = new Map<string, Service>()

  const wrap = (service: Service, { budget, name, rateLimit }: Key): Effect.Effect<Service, LlmError> =>
    Effect.gen(function*() {
      let limited = service
      if (budget !== undefined) {
        limited = yield* Budget.policy({
          limit: budget.limit,
          scope: nameOf,
          name: "gateway",
          unknownPrice: budget.unknownPrice,
          store: Budget.storeShared,
          ...(budget.window === undefined ? undefined : { window: budget.window })
        }).wrap(limited)
      }
      if (rateLimit !== undefined) {
        limited = yield* RateLimit.policy({
          ...rateLimit,
          key: `gateway:${name}`,
          // A client is told when to come again; it is not kept waiting.
          maxWait: 0,
          // What a provider allows is no matter of the key's.
          learn: false,
          maxRetryAfter: 1,
          store: RateLimit.storeShared
        }).wrap(limited)
      }
      return limited
    }).pipe(Effect.provideContext(stores), Effect.provideService(Scope, scope))

  return (instance: string, service: Service, key: Key | undefined): Effect.Effect<Service, LlmError> => {
    if (key === undefined || (key.budget === undefined && key.rateLimit === undefined)) return Effect.succeed(service)
    const id = JSON.stringify([instance, key.name, key.budget, key.rateLimit])
    const known = wrapped.get(id)
    if (known !== undefined) return Effect.succeed(known)
    return Effect.map(wrap(service, key), (made) => {
      if (wrapped.size < maxWrapped) wrapped.set(id, made)
      return made
    })
  }
}

/**
 * Seconds until the budget of a key begins anew; `undefined` when it never does.
 *
 * @stability experimental
 * @category accessors
 * @since 0.1.0
 */
export const renewedIn = ({ budget }: Key): Effect.Effect<number | undefined> => {
  const { window } = budget ?? {}
  if (window === undefined) return Effect.undefined
  const millis = Duration.toMillis(Duration.fromInputUnsafe(window))
  return Effect.map(Clock.currentTimeMillis, (now) => Math.ceil((millis - now % millis) / 1000))
}

/**
 * Whether what a call uses has to be counted.
 *
 * @stability experimental
 * @category guards
 * @since 0.1.0
 */
export const isCounted = (key: Key | undefined): boolean =>
  key?.budget !== undefined || key?.rateLimit?.tokensPerMinute !== undefined ||
  key?.rateLimit?.outputTokensPerMinute !== undefined
