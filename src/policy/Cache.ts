/**
 * Answers a request that was answered before from a store, and identical requests at the same time by one call.
 *
 * The key is a digest of everything in a request that shapes its answer, and of a `partition`, which says who may see whose answers and
 * has no default. Only complete answers are stored: finished by themselves, by a tool call or at `maxTokens`; never a failure,
 * a refusal or a filtered, paused or broken answer. `generate` and `stream` share entries; a stored answer is streamed
 * as events at once. Requests whose tools the provider runs itself are not cached, since such tools act and look things up; of
 * your own tools only the call is stored, and a hit asks to run it again. Temperature is no obstacle: a hit is the old answer.
 *
 * A hit is marked (`Cache.isHit`); its usage is the stored one, its cost 0, and rate limits and earlier attempts of the
 * stored call are left out. While a call runs, identical ones wait for it, at most `maxWait`; when its caller goes away one of them
 * calls instead; its failure is theirs too, unless it concerns the caller alone.
 *
 * Answers live in this process by default, in any backing of `effect/persistence` with `store`. A store that fails or is slow is done
 * without: calls go to the provider. Two hosts of one model, and layers with other `defaults`, have entries of their own; what policies
 * further in do to requests is not seen here: when stacks that differ in it share a store, tell them apart by `version`. It knows nothing
 * of similar questions: only the same one hits.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import type { KeyValueStore } from "effect/persistence/KeyValueStore"
import * as Persistence from "effect/persistence/Persistence"
import type { Redis } from "effect/persistence/Redis"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { isValueTooDeep } from "../json/parse.ts"
import type { LlmError, ReasonTag } from "../LlmError.ts"
import type { LlmEvent } from "../LlmEvent.ts"
import type { LlmRequest } from "../LlmRequest.ts"
import { Fields, LlmResponse, toEvents } from "../LlmResponse.ts"
import type { Service } from "../LlmService.ts"
import { checkedLayer, layer, misconfigured } from "../service/checked.ts"
import { emit } from "../stream/emit.ts"
import { type Ending, type Restore, withHold } from "../stream/held.ts"
import { asServed, isServed } from "../stream/served.ts"
import { callable, countFrom, duration, fields, flag, optional, text } from "../validation/values.ts"
import { type Flight, Flights, type Outcome } from "./cache/flights.ts"
import { digest, keyText } from "./cache/key.ts"
import * as Memory from "./cache/memory.ts"
import * as Policy from "./Policy.ts"
import * as SharedStore from "./sharedStore.ts"

// =============================================================================
// Metrics
// =============================================================================

/**
 * Requests, by `provider` and `result`: `hit`, `coalesced` (answered by a call that ran already), `miss` or `bypass`.
 *
 * @stability stable
 * @category metrics
 * @since 0.1.0
 */
export const requests = Metric.counter("effect_llm.cache.requests", {
  description: "Requests by what the response cache had for them",
  incremental: true
})

/**
 * Answers written to the store, by `provider`.
 *
 * @stability stable
 * @category metrics
 * @since 0.1.0
 */
export const writes = Metric.counter("effect_llm.cache.writes", {
  description: "Answers written to the response cache",
  incremental: true
})

// =============================================================================
// Stores
// =============================================================================

/**
 * Where answers live: a backing of `effect/persistence`.
 *
 * @stability stable
 * @category stores
 * @since 0.1.0
 */
export type Store = Persistence.BackingPersistence

/**
 * A store in this process that drops the least recently used answer when it is full.
 *
 * @stability stable
 * @category stores
 * @since 0.1.0
 */
export const storeMemory = (options?: {
  /** Answers kept. @default 1000 */
  readonly capacity?: number | undefined
}): Layer.Layer<Store, LlmError> =>
  checkedLayer(
    "Cache",
    options,
    optional(fields({ capacity: optional(countFrom(1)) })),
    () => Layer.sync(Persistence.BackingPersistence, () => Memory.make(options?.capacity ?? 1000))
  )

/**
 * A store in Redis, shared by processes.
 *
 * @stability stable
 * @category stores
 * @since 0.1.0
 */
export const storeRedis: Layer.Layer<Store, never, Redis> = Persistence.layerBackingRedis

/**
 * A store in a `KeyValueStore`, such as files.
 *
 * @stability stable
 * @category stores
 * @since 0.1.0
 */
export const storeKeyValue: Layer.Layer<Store, never, KeyValueStore> = Persistence.layerBackingKvs

/**
 * The store in the context, for several policies that are to share one: each needs `Store`, provided once for all.
 *
 * @stability stable
 * @category stores
 * @since 0.1.0
 */
export const storeShared: Layer.Layer<Store, never, Store> = Layer.effect(
  Persistence.BackingPersistence,
  Persistence.BackingPersistence
)

// =============================================================================
// Options
// =============================================================================

/**
 * How the calls of a fiber use the cache: `use` it, `bypass` it altogether, or `refresh` the entry by a new call.
 *
 * @example
 * ```ts
 * LlmService.generate(request).pipe(Effect.provideService(Cache.Mode, "refresh"))
 * ```
 *
 * @stability stable
 * @category references
 * @since 0.1.0
 */
export const Mode: Context.Reference<"use" | "bypass" | "refresh"> = Context.Reference<"use" | "bypass" | "refresh">(
  "effect-llm/Cache/Mode",
  { defaultValue: () => "use" as const }
)

/**
 * A cache of answers.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /**
   * Who may share answers, such as the tenant or the user: only requests of one partition share entries. `undefined` keeps a
   * request out of the cache; an empty text, as of a tenant that was forgotten, fails it with `Configuration`.
   */
  readonly partition: (request: LlmRequest) => string | undefined
  /** How long an answer is served. @default 1 hour */
  readonly ttl?: Duration.Input | undefined
  /** Which requests are cached at all. @default those without tools that the provider runs */
  readonly when?: ((request: LlmRequest) => boolean) | undefined
  /** Part of every key: change it to leave all entries behind. @default "1" */
  readonly version?: string | undefined
  /** Let identical requests at the same time share one call. @default true */
  readonly coalesce?: boolean | undefined
  /** How long a request waits for an identical one before it calls by itself. @default 1 minute */
  readonly maxWait?: Duration.Input | undefined
  /** How long the store may take to answer. @default 500 milliseconds */
  readonly storeTimeout?: Duration.Input | undefined
}

/**
 * Whether a response was served from a cache.
 *
 * @stability stable
 * @category guards
 * @since 0.1.0
 */
export const isHit: (response: LlmResponse) => boolean = isServed

// =============================================================================
// Policy
// =============================================================================

const withoutServerTools = (request: LlmRequest): boolean =>
  request.tools === undefined || request.tools.every((tool) => tool.type !== "provider")

const complete = ({ finishReason, toolCalls }: LlmResponse): boolean =>
  (finishReason === "stop" || finishReason === "length" || finishReason === "tool-calls") &&
  toolCalls.every((call) => call.invalid !== true)

/** Failures of the one who called: its key, its account, its limits. Others may fare better. */
const personal: ReadonlySet<ReasonTag> = new Set<ReasonTag>([
  "Authentication",
  "PermissionDenied",
  "QuotaExhausted",
  "BudgetExceeded",
  "Configuration",
  "QueueFull",
  "Timeout"
])

const outcomeOf = (ending: Ending): Outcome => {
  switch (ending._tag) {
    case "Finished":
      return { _tag: "Answered", response: ending.response }
    case "Failed":
      return personal.has(ending.error.reason._tag) ? { _tag: "Gone" } : { _tag: "Failed", error: ending.error }
    case "Abandoned":
      return { _tag: "Gone" }
  }
}

const decode = Schema.decodeUnknownOption(Fields)

/** What to do about a request. */
type Decision =
  | { readonly _tag: "Serve"; readonly response: LlmResponse }
  | { readonly _tag: "Call" }
  | { readonly _tag: "CallAndStore"; readonly key: string; readonly flight: Flight | undefined }

const call: Decision = { _tag: "Call" }

const make = (
  service: Service,
  store: Persistence.BackingPersistenceStore,
  run: SharedStore.RunStore,
  options: Options
): Service => {
  const { coalesce = true, partition, version = "1", when = withoutServerTools } = options
  const ttl = Duration.fromInputUnsafe(options.ttl ?? "1 hour")
  const maxWait = options.maxWait ?? "1 minute"
  const flights = new Flights()
  const { info } = service
  const written = Metric.withAttributes(writes, { provider: info.provider })
  const counted = (result: "hit" | "coalesced" | "miss" | "bypass") =>
    Metric.update(Metric.withAttributes(requests, { provider: info.provider, result }), 1)

  const stored = (key: string): Effect.Effect<LlmResponse | undefined> =>
    Effect.map(run(Effect.suspend(() => store.get(key))), (found) => {
      const fields = found === undefined || isValueTooDeep(found) ? undefined : Option.getOrUndefined(decode(found))
      return fields === undefined ? undefined : new LlmResponse(fields)
    })

  const serve = (request: LlmRequest, response: LlmResponse, result: "hit" | "coalesced"): Effect.Effect<Decision> => {
    const { input, output } = response.usage
    const tokensSaved = input.total === undefined && output.total === undefined
      ? undefined
      : (input.total ?? 0) + (output.total ?? 0)
    return Effect.as(
      Effect.andThen(
        counted(result),
        emit(request, () => ({
          _tag: "CacheHit",
          cache: "response",
          provider: response.provider,
          model: response.model,
          tokensSaved
        }))
      ),
      { _tag: "Serve", response: asServed(withoutCallFacts(response).with({ label: request.label ?? info.label })) }
    )
  }

  const write = (request: LlmRequest, key: string, response: LlmResponse): Effect.Effect<void> =>
    Effect.flatMap(
      run(Effect.suspend(() => Effect.as(store.set(key, { ...withoutCallFacts(response) }, ttl), true))),
      (done) =>
        done !== true ? Effect.void : Effect.andThen(
          Metric.update(written, 1),
          emit(request, () => ({
            _tag: "CacheWrite",
            cache: "response",
            provider: response.provider,
            model: response.model,
            tokensWritten: response.usage.output.total
          }))
        )
    )

  /** Waits for a call in flight; `undefined` says to go and see again. */
  const join = (request: LlmRequest, flight: Flight): Effect.Effect<Decision | undefined, LlmError> =>
    Effect.flatMap(
      Effect.timeoutOption(Deferred.await(flight.outcome), maxWait),
      (outcome): Effect.Effect<Decision | undefined, LlmError> => {
        if (Option.isNone(outcome)) return Effect.as(counted("miss"), call)
        switch (outcome.value._tag) {
          case "Answered":
            return serve(request, outcome.value.response, "coalesced")
          case "Failed":
            // For this request nothing was sent.
            return Effect.fail(outcome.value.error.with({ attempts: 0, label: request.label ?? info.label }))
          case "Gone":
            return Effect.undefined
        }
      }
    )

  /** Runs uninterruptibly, so that whoever takes the lead is known to have it; waits are interruptible. */
  const decide = (
    request: LlmRequest,
    operation: "generate" | "stream",
    restore: Restore
  ): Effect.Effect<Decision, LlmError> =>
    Effect.withFiber((fiber) => {
      const mode = fiber.getRef(Mode)
      const owner = mode === "bypass" || !when(request) ? undefined : partition(request)
      if (owner === undefined) return Effect.as(counted("bypass"), call)
      if (typeof owner !== "string" || owner === "") {
        const issue = { field: "partition", message: "Must give a text that is not empty, or undefined for none." }
        return Effect.fail(misconfigured("Cache", issue, info.provider, operation))
      }
      return Effect.gen(function*() {
        const key = yield* restore(Effect.suspend(() => {
          const text = keyText(request, info, owner, version)
          return text === undefined ? Effect.undefined : digest(text)
        }))
        if (key === undefined) return yield* Effect.as(counted("bypass"), call)
        if (mode === "refresh") {
          yield* counted("miss")
          return { _tag: "CallAndStore", key, flight: undefined }
        }
        let looked = false
        while (true) {
          const flight = coalesce ? flights.get(key) : undefined
          if (flight !== undefined) {
            const decision = yield* restore(join(request, flight))
            if (decision !== undefined) return decision
          } else if (!looked) {
            looked = true
            const found = yield* restore(stored(key))
            if (found !== undefined) return yield* serve(request, found, "hit")
          } else {
            // Nothing waits between the look at the flights and this.
            const lead = coalesce ? flights.lead(key) : undefined
            yield* counted("miss")
            return { _tag: "CallAndStore", key, flight: lead }
          }
        }
      })
    })

  const end = (request: LlmRequest, key: string, flight: Flight | undefined, ending: Ending): Effect.Effect<void> =>
    Effect.suspend(() => {
      if (flight !== undefined) flights.tell(flight, outcomeOf(ending))
      const close = Effect.sync(() => {
        if (flight !== undefined) flights.close(flight)
      })
      // The flight stays until the store has the answer, so that nobody falls between the two.
      return ending._tag === "Finished" && complete(ending.response) && !isServed(ending.response)
        ? Effect.ensuring(write(request, key, ending.response), close)
        : close
    })

  /** The service for one call that is stored in the end. */
  const storing = (key: string, flight: Flight | undefined): Service =>
    withHold(service, (request) => Effect.succeed({ request, end: (ending) => end(request, key, flight, ending) }))

  return {
    ...service,
    generate: (request) =>
      Effect.uninterruptibleMask((restore) =>
        Effect.flatMap(decide(request, "generate", restore), (decision): Effect.Effect<LlmResponse, LlmError> => {
          switch (decision._tag) {
            case "Serve":
              return Effect.succeed(decision.response)
            case "Call":
              return restore(service.generate(request))
            case "CallAndStore":
              return restore(storing(decision.key, decision.flight).generate(request)).pipe(
                Effect.onExit(() => abandon(flights, decision.flight))
              )
          }
        })
      ),
    stream: (request) =>
      Stream.unwrap(
        Effect.uninterruptibleMask((restore) =>
          Effect.flatMap(
            decide(request, "stream", restore),
            (decision): Effect.Effect<Stream.Stream<LlmEvent, LlmError>, never, Scope.Scope> => {
              switch (decision._tag) {
                case "Serve":
                  return Effect.succeed(Stream.fromIterable(toEvents(decision.response)))
                case "Call":
                  return Effect.succeed(service.stream(request))
                case "CallAndStore":
                  return Effect.as(
                    Effect.addFinalizer(() => abandon(flights, decision.flight)),
                    storing(decision.key, decision.flight).stream(request)
                  )
              }
            }
          )
        )
      )
  }
}

/** For a lead that was taken but whose call never began. */
const abandon = (flights: Flights, flight: Flight | undefined): Effect.Effect<void> =>
  Effect.sync(() => {
    if (flight !== undefined) flights.close(flight)
  })

/** What is true of the call that was made, and not of the answer. */
const withoutCallFacts = (response: LlmResponse): LlmResponse =>
  response.with({ priorAttempts: undefined, rateLimits: undefined })

const checkedOptions = fields({
  partition: callable,
  ttl: optional(duration),
  when: optional(callable),
  version: optional(text),
  coalesce: optional(flag),
  maxWait: optional(duration),
  storeTimeout: optional(duration),
  store: optional(layer)
})

/**
 * Caches answers, in this process unless a `store` is given.
 *
 * @example
 * ```ts
 * Cache.policy({ partition: (request) => request.scope?.userId, ttl: "1 day" })
 * Cache.policy({ partition: () => "everyone", store: Cache.storeRedis }) // needs Redis
 * ```
 *
 * @stability stable
 * @category policies
 * @since 0.1.0
 */
export function policy(options: Options & { readonly store?: undefined }): Policy.Policy<LlmError>
export function policy<E, R>(
  options: Options & {
    /** Where answers are kept. @default in this process */
    readonly store: Layer.Layer<Store, E, R>
  }
): Policy.Policy<E | LlmError, R | Scope.Scope>
export function policy<E, R>(
  options: Options & {
    /** Where answers are kept. @default in this process */
    readonly store?: Layer.Layer<Store, E, R> | undefined
  }
): Policy.Policy<E | LlmError, R | Scope.Scope> {
  const storeId = "effect-llm-cache"
  return Policy.makeChecked(
    "Cache",
    options,
    checkedOptions,
    (service): Effect.Effect<Service, E, R | Scope.Scope> =>
      options.store === undefined
        ? Effect.scoped(
          Effect.map(Memory.make(1000).make(storeId), (backing) => make(service, backing, SharedStore.local, options))
        )
        : Effect.flatMap(Layer.build(options.store), (context) =>
          Effect.map(Context.get(context, Persistence.BackingPersistence).make(storeId), (backing) =>
            make(service, backing, SharedStore.make("cache", options.storeTimeout), options)))
  )
}
