/**
 * Stops sending requests to a provider that keeps failing, and finds out with one request when it is back.
 *
 * Closed, calls run; 5 failures in a row, or a failure rate, open the circuit. Open, calls fail at once with
 * `CircuitBreakerOpen` for 5 seconds, doubling with each opening up to 20. Then one call is the probe, the
 * others still fail; its `Finish` closes the circuit, its failure opens it again. The doubling ends once the circuit
 * stayed closed as long as it was last open.
 *
 * A stream is watched to its end. Failures are `Overloaded`, `Provider` without status or with 5xx, `Network`,
 * `Timeout` and `IncompleteStream`, also after content. `RateLimit` opens at once for its `retryAfter`, and is a
 * failure without one. Everything else is the caller's own and changes nothing, and so do interruption, an abandoned
 * stream, and errors of calls that were never sent; in a probe, they let the next call be the probe.
 *
 * It never waits and never retries: put `Retry` and `Timeout` inside it, so that it sees one outcome per call, and
 * `Fallback` outside. A timeout outside it is an interruption to it.
 *
 * The state is `effect/persistence`'s `CircuitBreakerStore`: in this process by default, in Redis with `store:
 * CircuitBreaker.storeRedis()`. Policies that share a store and a key share one circuit, and should have the same
 * options.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as Persistence from "effect/persistence/CircuitBreaker"
import { Redis } from "effect/persistence/Redis"
import * as Scope from "effect/Scope"
import * as LlmError from "../LlmError.ts"
import type { LlmRequest } from "../LlmRequest.ts"
import type { Service } from "../LlmService.ts"
import { checkedLayer, layer, misconfigured } from "../service/checked.ts"
import { emit } from "../stream/emit.ts"
import { type Ending, type Hold, turnedAway, withHold } from "../stream/held.ts"
import { byMonotonicTime, monotonicMillis } from "../stream/monotonic.ts"
import { countFrom, duration, fields, oneOf, optional, text, within } from "../validation/values.ts"
import { type KeyOption, keyOption, modelKey, PerKey } from "./perKey.ts"
import * as Policy from "./Policy.ts"
import * as SharedStore from "./sharedStore.ts"

// =============================================================================
// Metrics
// =============================================================================

/**
 * Changes of state, by `provider`, `from` and `to` (`Closed`, `Open`, `HalfOpen`).
 *
 * @stability stable
 * @category metrics
 * @since 0.1.0
 */
export const transitions = Metric.counter("effect_llm.circuit_breaker.transitions", {
  description: "Changes of state of circuit breakers",
  incremental: true
})

/**
 * Calls turned away, by `provider`.
 *
 * @stability stable
 * @category metrics
 * @since 0.1.0
 */
export const rejections = Metric.counter("effect_llm.circuit_breaker.rejections", {
  description: "Calls turned away by an open circuit breaker",
  incremental: true
})

// =============================================================================
// Stores
// =============================================================================

/**
 * Where circuits live: the store of `effect/persistence`.
 *
 * @stability stable
 * @category stores
 * @since 0.1.0
 */
export type Store = Persistence.CircuitBreakerStore

const storeOptions = optional(fields({
  prefix: optional(text),
  probeLease: optional(duration),
  idleTimeToLive: optional(duration)
}))

/**
 * A store in this process. A circuit that was idle for `idleTimeToLive` (1 hour) is forgotten.
 *
 * @stability stable
 * @category stores
 * @since 0.1.0
 */
export const storeMemory = (
  options?: {
    /** How long a circuit that nobody uses is remembered. @default 1 hour */
    readonly idleTimeToLive?: Duration.Input | undefined
  }
): Layer.Layer<Store, LlmError.LlmError> =>
  checkedLayer("CircuitBreaker", options, storeOptions, () => Persistence.layerStoreMemory(options))

/**
 * A store in Redis 5 or later, so that many processes share one circuit per key. Redis keys are `prefix`
 * (`effect-llm:`), `circuit-breaker:` and the key; `probeLease` (10 seconds) is how long a probe is trusted to live
 * without a renewal, which it sends as long as it runs, `idleTimeToLive` (1 hour) after how long a circuit is
 * forgotten.
 *
 * @stability stable
 * @category stores
 * @since 0.1.0
 */
export const storeRedis = (options?: {
  /** Comes before every key in Redis. @default "effect-llm:" */
  readonly prefix?: string | undefined
  /** How long a probe is trusted to live without a renewal, which it sends as long as it runs. @default 10 seconds */
  readonly probeLease?: Duration.Input | undefined
  /** How long a circuit that nobody uses is remembered. @default 1 hour */
  readonly idleTimeToLive?: Duration.Input | undefined
}): Layer.Layer<Store, LlmError.LlmError, Redis> =>
  checkedLayer(
    "CircuitBreaker",
    options,
    storeOptions,
    () => {
      const prefix = `${options?.prefix ?? "effect-llm:"}circuit-breaker:`
      return Layer.provide(replacing(prefix), Persistence.layerStoreRedis({ ...options, prefix }))
    }
  )

/** What is no circuit under a key is removed and the question asked again. */
const replacing = (prefix: string): Layer.Layer<Store, never, Store | Redis> =>
  Layer.effect(
    Persistence.CircuitBreakerStore,
    Effect.gen(function*() {
      const redis = yield* Redis
      const store = yield* Persistence.CircuitBreakerStore
      return {
        ...store,
        admit: (key) =>
          Effect.catchIf(
            store.admit(key),
            ({ reason }) => reason._tag === "CircuitBreakerStoreError" && SharedStore.isOfValue(reason),
            () => Effect.andThen(Effect.ignore(redis.send("DEL", prefix + key)), store.admit(key))
          )
      }
    })
  )

/**
 * The store in the context, for several policies that are to share one: each needs `Store`, provided once for all.
 *
 * @stability stable
 * @category stores
 * @since 0.1.0
 */
export const storeShared: Layer.Layer<Store, never, Store> = Layer.effect(
  Persistence.CircuitBreakerStore,
  Persistence.CircuitBreakerStore
)

// =============================================================================
// Policy
// =============================================================================

/**
 * When a circuit opens and for how long.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /**
   * Which calls share a circuit. In this process at most 10,000 keys are remembered, idle ones for an hour.
   *
   * @default provider and model, as in `anthropic/claude-sonnet-4-5`, and a fingerprint of the credential that a request brings
   */
  readonly key?: KeyOption | undefined
  /** Failures in a row that open it. @default 5 */
  readonly failures?: number | undefined
  /** Opens by a failure rate instead of failures in a row. */
  readonly rate?: FailureRate | undefined
  /** How long it stays open the first time; doubles with each opening. @default 5 seconds */
  readonly openFor?: Duration.Input | undefined
  /** Most that doubling comes to, and so about the longest that a provider that is back is not used. @default 20 seconds */
  readonly maxOpenFor?: Duration.Input | undefined
  /** Longest `retryAfter` of a provider that is believed. @default 1 hour */
  readonly maxRetryAfter?: Duration.Input | undefined
  /**
   * What a call does when the shared store does not answer: `allow` runs it unguarded, `fail` fails it with
   * `CircuitBreakerOpen`.
   *
   * @default "allow"
   */
  readonly onStoreError?: "allow" | "fail" | undefined
  /** How long the shared store may take to answer. @default 500 milliseconds */
  readonly storeTimeout?: Duration.Input | undefined
}

/**
 * A share of failures among the latest calls.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface FailureRate {
  /** Opens when this share of the window failed; 0 to 1. @default 0.5 */
  readonly threshold?: number | undefined
  /** How many of the latest calls count. @default 100 */
  readonly window?: number | undefined
  /** Calls in the window before the rate means anything. @default the window */
  readonly minimumCalls?: number | undefined
}

const atLeastOne = (value: number): number => Math.max(1, Math.floor(value) || 1)

const tripPolicyOf = ({ failures, rate }: Options): Persistence.TripPolicy => {
  if (rate === undefined) return { _tag: "Consecutive", failures: atLeastOne(failures ?? 5) }
  const size = atLeastOne(rate.window ?? 100)
  return {
    _tag: "Rate",
    threshold: Math.min(1, Math.max(0, rate.threshold ?? 0.5)),
    size,
    minimumCalls: Math.min(size, atLeastOne(rate.minimumCalls ?? size))
  }
}

/** What an error says of the provider's health. */
const isFailure = ({ reason }: LlmError.LlmError): boolean => {
  switch (reason._tag) {
    case "Overloaded":
    case "Network":
    case "Timeout":
    case "IncompleteStream":
    case "RateLimit":
      return true
    case "Provider":
      return reason.status === undefined || reason.status >= 500
    default:
      return false
  }
}

/** What to tell the store of a call. */
interface Judgement {
  readonly outcome: "Success" | "Failure" | "Ignored"
  readonly openFor: Duration.Duration
  readonly tripPolicy: Persistence.TripPolicy
}

const opensAtOnce: Persistence.TripPolicy = { _tag: "Consecutive", failures: 1 }

const judgement = (options: Options) => {
  const tripPolicy = tripPolicyOf(options)
  const millis = (input: Duration.Input) => Duration.toMillis(Duration.fromInputUnsafe(input))
  const first = millis(options.openFor ?? "5 seconds")
  const most = Math.max(first, millis(options.maxOpenFor ?? "20 seconds"))
  const maxRetryAfter = Duration.fromInputUnsafe(options.maxRetryAfter ?? "1 hour")
  return (ending: Ending, { consecutiveOpenings }: Persistence.Admission): Judgement => {
    const backOff = Duration.millis(Math.min(most, first * 2 ** consecutiveOpenings))
    if (ending._tag === "Finished") return { outcome: "Success", openFor: backOff, tripPolicy }
    if (ending._tag === "Abandoned" || ending.error.attempts === 0 || !isFailure(ending.error)) {
      return { outcome: "Ignored", openFor: backOff, tripPolicy }
    }
    const { reason, retryAfter } = ending.error
    if (retryAfter === undefined) return { outcome: "Failure", openFor: backOff, tripPolicy }
    const asked = Duration.min(retryAfter, maxRetryAfter)
    return reason._tag === "RateLimit"
      ? { outcome: "Failure", openFor: asked, tripPolicy: opensAtOnce }
      : { outcome: "Failure", openFor: Duration.max(backOff, asked), tripPolicy }
  }
}

/** What the store said to a call: the error when it was turned away, `undefined` when the store is away. */
type Admitted = Persistence.Admission | Persistence.CircuitOpen | Persistence.CircuitHalfOpen | undefined

type StoreService = Persistence.CircuitBreakerStore["Service"]

const make = (
  service: Service,
  storeOf: (key: string) => Effect.Effect<StoreService>,
  run: SharedStore.RunStore,
  options: Options
): Service => {
  const { key = modelKey, onStoreError } = options
  const judge = judgement(options)
  const attributes = { provider: service.info.provider }
  const rejected = Metric.withAttributes(rejections, attributes)
  /** Counts a change of state, and tells whoever listens to the events of this call. */
  const report = (request: LlmRequest, transition: Persistence.Transition | undefined): Effect.Effect<void> => {
    if (transition === undefined) return Effect.void
    const { from, key, to } = transition
    const counted = Metric.update(Metric.withAttributes(transitions, { ...attributes, from, to }), 1)
    switch (transition.to) {
      case "Open": {
        const retryAfterMillis = Duration.toMillis(transition.retryAfter)
        return Effect.andThen(
          counted,
          emit(request, () => ({ _tag: "CircuitOpened", key, retryAfterMillis }), service.info)
        )
      }
      case "HalfOpen":
        return counted
      case "Closed":
        return Effect.andThen(counted, emit(request, () => ({ _tag: "CircuitClosed", key }), service.info))
    }
  }
  /** The scope lives as long as the call: a shared store renews the probe's lease in it. */
  const admit = (store: StoreService, key: string, scope: Scope.Scope): Effect.Effect<Admitted> =>
    run(
      Effect.catchReasons(Scope.provide(store.admit(key), scope), "CircuitBreakerError", {
        CircuitOpen: (reason) => Effect.succeed(reason),
        CircuitHalfOpen: (reason) => Effect.succeed(reason),
        // The reason has the cause, which the log names; its wrapper has none.
        CircuitBreakerStoreError: (reason) => Effect.fail(reason)
      })
    )

  return withHold(service, (request, operation) =>
    Effect.gen(function*() {
      const name: unknown = typeof key === "string" ? key : key(request, service.info)
      if (typeof name !== "string") {
        const issue = { field: "key", message: "Must give a text." }
        return yield* misconfigured("CircuitBreaker", issue, service.info.provider, operation)
      }
      const scope = Scope.makeUnsafe()
      const store = yield* storeOf(name)
      const admitted = yield* admit(store, name, scope)
      if (admitted !== undefined && "generation" in admitted) {
        yield* report(request, admitted.transition)
        const end = (ending: Ending): Effect.Effect<void> =>
          run(
            Effect.mapError(
              store.record({ key: name, generation: admitted.generation, ...judge(ending, admitted) }),
              ({ reason }) => reason
            )
          ).pipe(
            Effect.flatMap((transition) => report(request, transition)),
            Effect.andThen(Scope.close(scope, Exit.void))
          )
        return { request, end } satisfies Hold
      }
      yield* Scope.close(scope, Exit.void)
      if (admitted === undefined && onStoreError !== "fail") return { request, end: () => Effect.void } satisfies Hold
      yield* Metric.update(rejected, 1)
      const retryAfter = admitted?._tag === "CircuitOpen" ? admitted.retryAfter : undefined
      return yield* turnedAway(
        service,
        request,
        operation,
        {
          policy: "CircuitBreaker",
          cause: admitted === undefined ? "store" : retryAfter === undefined ? "probe" : "open"
        },
        new LlmError.CircuitBreakerOpen({
          key: name,
          retryAfter,
          message: admitted === undefined
            ? "The store of the circuit breaker does not answer."
            : retryAfter === undefined
            ? `The circuit of ${name} is half open: its probe still runs.`
            : `The circuit of ${name} is open for another ${Duration.format(retryAfter)}.`
        })
      )
    }))
}

/** A store that holds one circuit, so that it can be forgotten; it has nothing that a scope would have to close. */
const circuitInMemory = (): StoreService =>
  Context.get(
    Effect.runSync(Effect.scoped(Layer.build(Persistence.layerStoreMemory()))),
    Persistence.CircuitBreakerStore
  )

/** Nothing is shared with other machines, so nothing has to be wall time. */
const inThisProcess: SharedStore.RunStore = (operation) => SharedStore.local(byMonotonicTime(operation))

const checkedOptions = optional(fields({
  key: optional(keyOption),
  failures: optional(countFrom(1)),
  rate: optional(fields({
    threshold: optional(within(0, 1)),
    window: optional(countFrom(1)),
    minimumCalls: optional(countFrom(1))
  })),
  openFor: optional(duration),
  maxOpenFor: optional(duration),
  maxRetryAfter: optional(duration),
  onStoreError: optional(oneOf("allow", "fail")),
  storeTimeout: optional(duration),
  store: optional(layer)
}))

/**
 * Guards calls with a circuit breaker, in this process unless a `store` is given.
 *
 * @example
 * ```ts
 * CircuitBreaker.policy()                                          // needs nothing
 * CircuitBreaker.policy({ store: CircuitBreaker.storeRedis() })    // needs Redis
 * ```
 *
 * @stability stable
 * @category policies
 * @since 0.1.0
 */
export function policy(options?: Options & { readonly store?: undefined }): Policy.Policy<LlmError.LlmError>
export function policy<E, R>(
  options: Options & {
    /** Where circuits are kept. @default in this process */
    readonly store: Layer.Layer<Store, E, R>
  }
): Policy.Policy<E | LlmError.LlmError, R | Scope.Scope>
export function policy<E, R>(
  options: Options & {
    /** Where circuits are kept. @default in this process */
    readonly store?: Layer.Layer<Store, E, R> | undefined
  } = {}
): Policy.Policy<E | LlmError.LlmError, R | Scope.Scope> {
  return Policy.makeChecked("CircuitBreaker", options, checkedOptions, (service) => {
    const shared = options.store
    if (shared === undefined) {
      const stores = new PerKey(circuitInMemory)
      return Effect.succeed(
        make(service, (key) => Effect.map(monotonicMillis, (now) => stores.get(key, now)), inThisProcess, options)
      )
    }
    return Effect.map(Layer.build(shared), (context) => {
      const store = Context.get(context, Persistence.CircuitBreakerStore)
      const run = SharedStore.make("circuit_breaker", options.storeTimeout)
      return make(service, () => Effect.succeed(store), run, options)
    })
  })
}
