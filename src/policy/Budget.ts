/**
 * Limits what calls may cost, per request, session, user or label, in total or per day.
 *
 * Before a call its estimated cost is reserved: a quarter of the request's characters as input, and `maxTokens` as output, at the
 * model's prices. A call without room fails with `BudgetExceeded`; nothing was sent. Afterwards the reservation gives way
 * to what was really used: the billed cost, else usage at its prices. A failed or interrupted call settles what its partial output shows
 * and frees the rest. So a budget is never overspent by more than what calls in flight use beyond their reservations.
 *
 * Without `maxTokens` the output to reserve for is learned from the answers of the model, or given as `expect`. A call that finds no room
 * while others have more reserved than they will use can wait for them to settle (`onExceeded`). A model without a known price is refused unless `unknownPrice` says otherwise. Outside of `Retry` it reserves
 * once per call and counts what the last attempt used; inside, each attempt. It does not count tokens or requests (`RateLimit`), and
 * `countTokens`, `models` and `health` are free.
 *
 * Accounts are in this process by default, or in Redis with `store: Budget.storeRedis()`, where reserving and settling are atomic
 * over all processes. When a shared store does not answer, each process goes on with accounts of its own, starting at
 * zero (`onStoreError`); what it could not settle is settled when the store is back.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import { Redis } from "effect/persistence/Redis"
import * as Random from "effect/Random"
import type { Scope } from "effect/Scope"
import * as LlmError from "../LlmError.ts"
import type { LlmRequest } from "../LlmRequest.ts"
import type { Service } from "../LlmService.ts"
import { inputTokens } from "../model/estimate.ts"
import { priceOf, type PriceOverrides, priceOverrides } from "../model/pricing.ts"
import { modelOf } from "../service/addressee.ts"
import { checkedLayer, layer, misconfigured } from "../service/checked.ts"
import { emitWait } from "../stream/emit.ts"
import { type Begin, type Ending, type Hold, turnedAway, withHold } from "../stream/held.ts"
import { monotonicMillis } from "../stream/monotonic.ts"
import { withPartials } from "../stream/partials.ts"
import { countFrom, duration, fields, oneOf, optional, text } from "../validation/values.ts"
import { costs, ExpectedOutput } from "./budget/costs.ts"
import { type Account, Ledger, type Reserve, type Reserved, type Settle } from "./budget/ledger.ts"
import * as RedisBooks from "./budget/redis.ts"
import { untilRoom } from "./budget/room.ts"
import * as Policy from "./Policy.ts"
import * as SharedStore from "./sharedStore.ts"

// =============================================================================
// Metrics
// =============================================================================

/**
 * US dollars settled, by `budget` and `provider`.
 *
 * @stability stable
 * @category metrics
 * @since 0.1.0
 */
export const spent = Metric.counter("effect_llm.budget.spent", {
  description: "US dollars settled on budgets",
  incremental: true
})

/**
 * Calls turned away, by `budget`, `provider` and `cause` (`limit`, `price`, `scope` or `store`).
 *
 * @stability stable
 * @category metrics
 * @since 0.1.0
 */
export const rejections = Metric.counter("effect_llm.budget.rejections", {
  description: "Calls a budget turned away",
  incremental: true
})

// =============================================================================
// Stores
// =============================================================================

export type { Account, Reserve, Reserved, Settle } from "./budget/ledger.ts"

/**
 * A shared store failed.
 *
 * @stability stable
 * @category errors
 * @since 0.1.0
 */
export class StoreError extends Data.TaggedError("BudgetStoreError")<{
  /** What the store failed with, without its credentials. */
  readonly message: string
}> {}

/**
 * Where accounts live. Amounts are whole billionths of a dollar.
 *
 * @stability stable
 * @category stores
 * @since 0.1.0
 */
export class Store extends Context.Service<Store, {
  /** Reserves an amount, if spent, reserved and it stay within the limit; atomically. */
  readonly reserve: (options: Reserve) => Effect.Effect<Reserved, StoreError>
  /** Puts what was really spent in the place of a reservation; a second time it does nothing. */
  readonly settle: (options: Settle) => Effect.Effect<void, StoreError>
  /** What an account has spent and reserved now; zero for one that is not known. */
  readonly read: (key: string) => Effect.Effect<Account, StoreError>
}>()("effect-llm/Budget/Store") {}

const makeMemory = (): Store["Service"] => {
  const ledger = new Ledger()
  return {
    reserve: (options) => Effect.map(monotonicMillis, (now) => ledger.reserve(options, now)),
    settle: (options) => Effect.map(monotonicMillis, (now) => ledger.settle(options, now)),
    read: (key) => Effect.map(monotonicMillis, (now) => ledger.read(key, now))
  }
}

/**
 * The store in the context, for several policies that are to share one: each needs `Store`, provided once for all.
 *
 * @stability stable
 * @category stores
 * @since 0.1.0
 */
export const storeShared: Layer.Layer<Store, never, Store> = Layer.effect(Store, Store)

/**
 * A store in this process.
 *
 * @stability stable
 * @category stores
 * @since 0.1.0
 */
export const storeMemory: Layer.Layer<Store> = Layer.sync(Store, makeMemory)

/**
 * A store in Redis 5 or later, so that many processes share one budget per key.
 *
 * @stability stable
 * @category stores
 * @since 0.1.0
 */
export const storeRedis = (options?: {
  /** What the Redis keys begin with. @default "effect-llm:budget:" */
  readonly prefix?: string | undefined
}): Layer.Layer<Store, LlmError.LlmError, Redis> =>
  checkedLayer("Budget", options, optional(fields({ prefix: optional(text) })), () =>
    Layer.effect(
      Store,
      Effect.map(Redis, (redis) => {
        const books = RedisBooks.make(redis, options?.prefix ?? "effect-llm:budget:")
        const failed = () => new StoreError({ message: "Redis did not carry out the command." })
        return {
          reserve: (options) => Effect.mapError(books.reserve(options), failed),
          settle: (options) => Effect.mapError(books.settle(options), failed),
          read: (key) => Effect.mapError(books.read(key), failed)
        }
      })
    ))

// =============================================================================
// Options
// =============================================================================

/**
 * A budget.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** US dollars, or a function that says how many for the account of a request, as by tenant, user or label. */
  readonly limit: number | ((request: LlmRequest) => number)
  /**
   * Whose budget: `request` (`scope.requestId`, or each call on its own without one), `session` (`scope.sessionId`), `user`
   * (`scope.userId`), `label`, one for `all` calls, or a function that names the account.
   *
   * @default "all"
   */
  readonly scope?:
    | "all"
    | "request"
    | "session"
    | "user"
    | "label"
    | ((request: LlmRequest) => string | undefined)
    | undefined
  /** The budget begins anew in every such window, counted from midnight UTC of 1 January 1970. @default one window for ever */
  readonly window?: Duration.Input | undefined
  /** Tells budgets apart that share a store. @default "budget" */
  readonly name?: string | undefined
  /** Prices by `provider/model`, before those of the catalogue. */
  readonly prices?: PriceOverrides | undefined
  /**
   * Output tokens to reserve for; never more than `maxTokens` of the request.
   *
   * @default `maxTokens`, else what answers of the model usually have: the mean of the latest and three times their deviation, 1000 at first
   */
  readonly expect?: number | ((request: LlmRequest) => number) | undefined
  /**
   * What becomes of a call for which there is no room only because of what others have reserved: `fail` it, or `wait` until they have
   * settled, at most `maxWait`.
   *
   * @default "fail"
   */
  readonly onExceeded?: "fail" | "wait" | undefined
  /** Longest wait of `onExceeded: "wait"`. @default 30 seconds */
  readonly maxWait?: Duration.Input | undefined
  /**
   * What becomes of a call whose price is not known: `refuse` it, or `allow` it and count only what the provider bills.
   *
   * @default "refuse"
   */
  readonly unknownPrice?: "refuse" | "allow" | undefined
  /** What becomes of a call that lacks the id of the scope: `refuse` it, or `allow` it uncounted. @default "refuse" */
  readonly unscoped?: "refuse" | "allow" | undefined
  /** How long an account without a `window` is kept after its last call. @default 30 days, for scope `request` 1 day */
  readonly keep?: Duration.Input | undefined
  /** After this long a shared store takes the process of an unsettled call for dead. @default 1 hour */
  readonly lease?: Duration.Input | undefined
  /**
   * What a call does when the shared store does not answer: `local` keeps to accounts of this process, `fail` fails it
   * with `BudgetExceeded`.
   *
   * @default "local"
   */
  readonly onStoreError?: "local" | "fail" | undefined
  /** How long the shared store may take to answer. @default 500 milliseconds */
  readonly storeTimeout?: Duration.Input | undefined
}

const nanosPerDollar = 1_000_000_000

const millis = (input: Duration.Input): number =>
  Math.max(1, Math.min(2 ** 47, Duration.toMillis(Duration.fromInputUnsafe(input))))

const idOf = (request: LlmRequest, scope: Options["scope"]): string | undefined => {
  switch (scope) {
    case undefined:
    case "all":
      return ""
    case "request":
      return request.scope?.requestId
    case "session":
      return request.scope?.sessionId
    case "user":
      return request.scope?.userId
    case "label":
      return request.label
    default:
      return scope(request)
  }
}

const field = { request: "scope.requestId", session: "scope.sessionId", user: "scope.userId", label: "label" } as const

// =============================================================================
// Policy
// =============================================================================

interface Shared {
  readonly store: Store["Service"]
  readonly run: SharedStore.RunStore
}

/** Settlements that wait for the store to come back; more are given up. */
const maxPending = 10_000

const make = (given: Service, shared: Shared | undefined, options: Options): Service => {
  const { partialOf, service } = withPartials(given)
  const { info } = service
  const { name = "budget", scope } = options
  const limitOf = (request: LlmRequest): number => {
    const dollars = typeof options.limit === "number" ? options.limit : options.limit(request)
    // What cannot be a limit allows nothing.
    return dollars >= 0 ? dollars : 0
  }
  const expected = new ExpectedOutput(options.expect)
  const maxWait = options.onExceeded === "wait" ? millis(options.maxWait ?? "30 seconds") : 0
  const windowMillis = options.window === undefined ? undefined : millis(options.window)
  const leaseMillis = millis(options.lease ?? "1 hour")
  const keepMillis = windowMillis === undefined
    ? millis(options.keep ?? (scope === "request" ? "1 day" : "30 days"))
    : windowMillis + leaseMillis
  const memory: Shared = { store: makeMemory(), run: SharedStore.local }
  const price = costs(options.prices, info)
  const attributes = { budget: name, provider: info.provider }
  const settled = Metric.withAttributes(spent, attributes)
  const kind = typeof scope === "string" ? scope : scope === undefined ? "all" : "account"
  const pending: Array<Settle> = []
  let calls = 0

  /** Settles what could not be settled before, as far as the store answers now. */
  const flush: Effect.Effect<void> = Effect.suspend(() => {
    const [next] = pending
    if (next === undefined || shared === undefined) return Effect.void
    pending.shift()
    return Effect.flatMap(shared.run(Effect.as(shared.store.settle(next), true)), (done) => {
      if (done === true) return flush
      pending.unshift(next)
      return Effect.void
    })
  })

  const settle = ({ run, store }: Shared, settlement: Settle): Effect.Effect<void> =>
    Effect.flatMap(run(Effect.as(store.settle(settlement), true)), (done) => {
      if (done !== true && pending.length < maxPending) pending.push(settlement)
      return Metric.update(settled, settlement.spent / nanosPerDollar)
    })

  const begin: Begin = (given, operation, restore) =>
    Effect.gen(function*() {
      const request: LlmRequest = { ...given }
      const model = modelOf(request, info)
      const reject = (cause: string, reason: LlmError.Reason) =>
        Effect.andThen(
          Metric.update(Metric.withAttributes(rejections, { ...attributes, cause }), 1),
          turnedAway(service, request, operation, { policy: "Budget", cause }, reason)
        )

      let id = idOf(request, scope)
      let keep = keepMillis
      if (id === undefined || (id === "" && scope !== undefined && scope !== "all")) {
        if (scope === "request") {
          // A call that names no request is a request of its own, and nobody comes back to it.
          id = `call ${yield* Random.nextInt} ${++calls}`
          keep = 1
        } else if (options.unscoped === "allow") {
          const hold: Hold = { request, end: () => Effect.void }
          return hold
        } else {
          const at = typeof scope === "string" && scope !== "all" ? field[scope] : "scope"
          return yield* reject(
            "scope",
            new LlmError.Validation({ field: at, message: `${at}: Is missing, but the budget is per ${kind}.` })
          )
        }
      }
      if (typeof id !== "string") {
        const issue = { field: "scope", message: "Must give a text, or nothing." }
        return yield* misconfigured("Budget", issue, info.provider, operation)
      }
      const account = id === "" ? kind : `${kind}:${id}`
      const limit = limitOf(request)

      const prices = yield* price.find(info.provider, model)
      const inputEstimate = inputTokens(request)
      const outputEstimate = yield* expected.of(request, info.provider, model, yield* monotonicMillis)
      const estimate = priceOf(
        { input: { total: inputEstimate, uncached: inputEstimate }, output: { total: outputEstimate } },
        prices
      )
      if (estimate === undefined && options.unknownPrice !== "allow") {
        return yield* reject(
          "price",
          new LlmError.BudgetExceeded({
            scope: account,
            limit,
            spent: 0,
            message: `The price of ${info.provider}/${model} is not known, so it cannot be held to a budget. ` +
              "Give prices, or unknownPrice: \"allow\"."
          })
        )
      }

      const now = yield* Clock.currentTimeMillis
      const window = windowMillis === undefined ? "" : `:${Math.floor(now / windowMillis)}`
      const key = `${name}:${account}${window}`
      const reservation: Reserve = {
        key,
        id: `${(yield* Random.nextInt).toString(36)}.${now.toString(36)}.${(++calls).toString(36)}`,
        amount: Math.ceil((estimate ?? 0) * nanosPerDollar),
        limit: Math.min(Number.MAX_SAFE_INTEGER, Math.round(limit * nanosPerDollar)),
        keepMillis: keep,
        leaseMillis
      }
      const settlement = (dollars: number): Settle => ({
        key,
        id: reservation.id,
        keepMillis: keep,
        spent: Math.round(dollars * nanosPerDollar)
      })
      yield* flush
      let books = shared ?? memory
      const asked = yield* monotonicMillis
      let reserved = yield* untilRoom(books.run(books.store.reserve(reservation)), reservation, maxWait, restore)
      // It may have been reserved although the answer was lost.
      if (reserved === undefined && shared !== undefined) pending.push(settlement(0))
      if (reserved === undefined && options.onStoreError === "fail") {
        return yield* reject(
          "store",
          new LlmError.BudgetExceeded({
            scope: account,
            limit,
            spent: 0,
            message: "The store of the budget does not answer."
          })
        )
      }
      if (reserved === undefined) {
        books = memory
        const local = memory.store.reserve(reservation).pipe(
          Effect.orElseSucceed((): Reserved => ({ granted: true, committed: 0 }))
        )
        reserved = (yield* untilRoom(local, reservation, maxWait, restore)) ?? { granted: true, committed: 0 }
      }
      if (!reserved.granted) {
        const committed = reserved.committed / nanosPerDollar
        return yield* reject(
          "limit",
          new LlmError.BudgetExceeded({
            scope: account,
            limit,
            spent: committed,
            message: `Of the budget of $${limit} for ${account}, $${committed} is spent or reserved; the call may ` +
              `cost $${reservation.amount / nanosPerDollar}.` +
              (request.maxTokens === undefined ? " A smaller maxTokens reserves less." : "")
          })
        )
      }

      const seenAt = yield* monotonicMillis
      const queuedMillis = maxWait > 0 ? seenAt - asked : 0
      yield* emitWait(request, { provider: info.provider, model, label: info.label }, "Budget", queuedMillis)
      const spentIn = (ending: Ending): Effect.Effect<number | undefined> => {
        if (ending._tag === "Finished") {
          expected.learn(ending.response, info.provider, model, seenAt)
          // What cannot be priced took what was reserved for it.
          return Effect.map(price.whole(ending.response, model), (cost) => cost ?? estimate)
        }
        const partial = ending._tag === "Failed" ? ending.error.partial : partialOf(request)
        return partial === undefined
          ? Effect.succeed(0)
          : Effect.map(price.partial(partial, model, inputEstimate), (cost) => cost ?? estimate)
      }
      const hold: Hold = {
        request,
        queuedMillis,
        end: (ending) => Effect.flatMap(spentIn(ending), (dollars = 0) => settle(books, settlement(dollars)))
      }
      return hold
    })

  return withHold(service, begin)
}

const checkedOptions = fields({
  limit: (value) => typeof value === "function" ? undefined : countFrom(0)(value),
  scope: optional((value) =>
    typeof value === "function" ? undefined : oneOf("all", "request", "session", "user", "label")(value)
  ),
  window: optional(duration),
  name: optional(text),
  prices: optional(priceOverrides),
  expect: optional((value) => typeof value === "function" ? undefined : countFrom(0)(value)),
  onExceeded: optional(oneOf("fail", "wait")),
  maxWait: optional(duration),
  unknownPrice: optional(oneOf("refuse", "allow")),
  unscoped: optional(oneOf("refuse", "allow")),
  keep: optional(duration),
  lease: optional(duration),
  onStoreError: optional(oneOf("local", "fail")),
  storeTimeout: optional(duration),
  store: optional(layer)
})

/**
 * Limits what calls may cost, in this process unless a `store` is given.
 *
 * @example
 * ```ts
 * Budget.policy({ limit: 5, scope: "user", window: "1 day" })
 * Budget.policy({ limit: 0.5, scope: "request", store: Budget.storeRedis() }) // needs Redis
 * ```
 *
 * @stability stable
 * @category policies
 * @since 0.1.0
 */
export function policy(options: Options & { readonly store?: undefined }): Policy.Policy<LlmError.LlmError>
export function policy<E, R>(
  options: Options & {
    /** Where amounts are kept. @default in this process */
    readonly store: Layer.Layer<Store, E, R>
  }
): Policy.Policy<E | LlmError.LlmError, R | Scope>
export function policy<E, R>(
  options: Options & {
    /** Where amounts are kept. @default in this process */
    readonly store?: Layer.Layer<Store, E, R> | undefined
  }
): Policy.Policy<E | LlmError.LlmError, R | Scope> {
  return Policy.makeChecked(
    "Budget",
    options,
    checkedOptions,
    (service): Service | Effect.Effect<Service, E, R | Scope> =>
      options.store === undefined
        ? make(service, undefined, options)
        : Effect.map(Layer.build(options.store), (context) =>
          make(service, {
            store: Context.get(context, Store),
            run: SharedStore.make("budget", options.storeTimeout)
          }, options))
  )
}
