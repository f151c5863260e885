/**
 * Named instances and routes of a configuration as services at run time, and the exchange of the configuration while calls run.
 *
 * An instance is built at its first use and kept with its state: limits, queues, benches. Two names are two instances,
 * however alike their configurations. `get(name)` and `default` give services that forward every call to the instance
 * which has that name now.
 *
 * A new configuration is taken over at once or not at all. It is checked, and the default and those instances that were
 * in use are built, before anything changes; if that fails the old one stays and `reloads` and the log tell why.
 * Instances that are not different in it keep their state. Calls and streams that run end on the instance they began
 * with, which is closed with the last of them; its limits no longer count the new instance's calls.
 *
 * It changes no code: what an application does with the instances, and policies it puts around them, stay as they are.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import type * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import type * as LlmError from "../LlmError.ts"
import * as LlmService from "../LlmService.ts"
import { optionsIssue } from "../service/checked.ts"
import { anything, duration, fields, flag, optional, recordOf } from "../validation/values.ts"
import { borrow, forward } from "./forwarding.ts"
import * as Generations from "./generations.ts"
import * as Instances from "./instances.ts"
import * as LlmConfig from "./LlmConfig.ts"
import * as Problems from "./problems.ts"
import { follow, type Seen } from "./watching.ts"

// =============================================================================
// Models
// =============================================================================

/**
 * How the last configuration fared. `changed` are the names that are new, gone or different.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export type Reload =
  | {
    readonly _tag: "Applied"
    /** The configuration that counts from now on. */
    readonly config: LlmConfig.LlmConfig
    /** Names of instances and routes that are new, gone or different. */
    readonly changed: ReadonlyArray<string>
  }
  | {
    readonly _tag: "Rejected"
    /** What is wrong with the new one; the old one stays. */
    readonly error: LlmError.LlmError
  }

/**
 * The instances of a configuration.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface Service {
  /**
   * The instance of a name, built if it was not. The service stays valid when the configuration changes; when the name
   * is gone, its calls fail with `Configuration`. So does this, for an unknown name or a missing key.
   */
  readonly get: (name: string) => Effect.Effect<LlmService.Service, LlmError.LlmError>
  /** The names there are now, in the order of the configuration. */
  readonly names: Effect.Effect<ReadonlyArray<string>>
  /** Forwards to the instance that is the default now. */
  readonly default: LlmService.Service
  /** The configuration in force. */
  readonly config: Effect.Effect<LlmConfig.LlmConfig>
  /** Takes over a configuration; fails, and changes nothing, when it is not valid. */
  readonly update: (config: LlmConfig.LlmConfig) => Effect.Effect<void, LlmError.LlmError>
  /**
   * Reads the source again, as after a change of the file. A registry without a file takes its own configuration over
   * again.
   */
  readonly reload: Effect.Effect<void, LlmError.LlmError>
  /** How the last reload went, and then each that follows. */
  readonly reloads: Stream.Stream<Reload>
}

/**
 * The tag of the registry.
 *
 * @stability stable
 * @category services
 * @since 0.1.0
 */
export class Registry extends Context.Service<Registry, Service>()("effect-llm/config/Registry") {}

// =============================================================================
// Construction
// =============================================================================

/** What is there before the first instance is. */
const noInfo: LlmService.ServiceInfo = { provider: "config", model: "", capabilities: {} }

type Source = Effect.Effect<LlmConfig.LlmConfig, LlmError.LlmError>

const makeFrom = (
  source: Source,
  options?: LlmConfig.ReadOptions
): Effect.Effect<Service, LlmError.LlmError, HttpClient.HttpClient | Scope.Scope> =>
  Effect.gen(function*() {
    const build = yield* Generations.builder
    const lock = Semaphore.makeUnsafe(1)
    let current = Generations.empty
    let closed = false
    yield* Effect.addFinalizer(() => {
      closed = true
      return Effect.forEach(Generations.slotsOf(current), (slot) => slot.close, { discard: true })
    })

    const replace = Effect.fnUntraced(function*(config: LlmConfig.LlmConfig) {
      const next = Generations.nextOf(current, config, build)
      const before = Generations.slotsOf(current)
      const after = Generations.slotsOf(next)
      const needed = [...next.entries.keys()].filter((name) =>
        name === config.default || current.entries.get(name)?.whole.value !== undefined
      )
      yield* Effect.forEach(needed, (name) => Generations.ready(next, name), { discard: true }).pipe(
        Effect.onError(() => Effect.forEach(after, (slot) => before.has(slot) ? Effect.void : slot.close))
      )
      const changed = [...new Set([...current.entries.keys(), ...next.entries.keys()])].filter((name) =>
        !Generations.isUnchanged(current, next, name)
      )
      current = next
      Generations.enforce(next)
      yield* Effect.forEach(before, (slot) => after.has(slot) ? Effect.void : slot.retire, { discard: true })
      return { _tag: "Applied", config, changed } satisfies Reload
    })

    const history = yield* SubscriptionRef.make<Reload>(yield* Effect.flatMap(source, replace))

    const take = (config: Source) =>
      lock.withPermits(1)(Effect.uninterruptibleMask((restore) =>
        Effect.matchEffect(Effect.flatMap(restore(config), replace), {
          onSuccess: (applied) => SubscriptionRef.set(history, applied),
          onFailure: (error) =>
            SubscriptionRef.set(history, { _tag: "Rejected", error }).pipe(
              Effect.andThen(Effect.logWarning(`Configuration not taken over: ${error.reason.message}`)),
              Effect.andThen(Effect.fail(error))
            )
        })
      ))

    const slotOf = (name: string) =>
      closed
        ? Problems.configuration("The registry is closed: its scope has ended.")
        : current.entries.get(name)?.whole ?? Instances.unknown(current.config, name)
    const toDefault = forward(() =>
      slotOf(current.config.default), noInfo)

    return {
      get: (name) =>
        Effect.map(
          Effect.scoped(borrow(() => slotOf(name))),
          ({ info }) => forward(() => slotOf(name), info)
        ),
      names: Effect.sync(() => [...current.entries.keys()]),
      default: toDefault,
      config: Effect.sync(() => current.config),
      update: (config) => take(LlmConfig.decode(config, undefined, options)),
      reload: take(source),
      reloads: SubscriptionRef.changes(history)
    }
  })

/**
 * Makes a registry of a configuration. The default instance is built at once.
 *
 * @stability stable
 * @category constructors
 * @since 0.1.0
 */
export const make = (
  config: LlmConfig.LlmConfig,
  options?: LlmConfig.ReadOptions
): Effect.Effect<Service, LlmError.LlmError, HttpClient.HttpClient | Scope.Scope> =>
  makeFrom(LlmConfig.decode(config, undefined, options), options)

/**
 * Options of {@link layerWatch}.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface WatchOptions extends LlmConfig.ReadOptions {
  /** How long a file must have been quiet before it is read. @default 200 milliseconds */
  readonly debounce?: Duration.Input | undefined
  /** How long to wait before watching again when watching broke. @default 5 seconds */
  readonly rewatch?: Duration.Input | undefined
}

const watchOptions = fields({
  debounce: optional(duration),
  rewatch: optional(duration),
  strict: optional(flag),
  extensions: optional(recordOf(anything))
})

const sourceOf = (path: string, options: LlmConfig.ReadOptions | undefined) =>
  Effect.map(
    FileSystem.FileSystem,
    (files) => LlmConfig.fromFile(path, options).pipe(Effect.provideService(FileSystem.FileSystem, files))
  )

/**
 * Makes a registry of a file and follows its changes, for as long as the scope is open. The first reading must succeed.
 *
 * The folder is watched rather than the file, because editors and deployments replace files; a file whose text is the
 * same is not read as a change.
 *
 * @stability stable
 * @category constructors
 * @since 0.1.0
 */
export const makeWatch = (
  path: string,
  options: WatchOptions = {}
): Effect.Effect<Service, LlmError.LlmError, HttpClient.HttpClient | FileSystem.FileSystem | Scope.Scope> =>
  Effect.gen(function*() {
    const issue = optionsIssue(watchOptions, options)
    if (issue !== undefined) return yield* Problems.configuration(`${issue.field}: ${issue.message}`, issue.field)
    const files = yield* FileSystem.FileSystem
    const format = yield* LlmConfig.formatOf(path)
    const text = Effect.provideService(LlmConfig.readText(path), FileSystem.FileSystem, files)
    const seen: Seen = { text: undefined }
    const registry = yield* makeFrom(
      Effect.flatMap(text, (found) => {
        seen.text = found
        return LlmConfig.parse(found, format, path, options)
      }),
      options
    )
    yield* follow({ path, files, text, seen, reload: registry.reload, ...options })
    return registry
  })

// =============================================================================
// Layers
// =============================================================================

/**
 * A registry of a configuration.
 *
 * @stability stable
 * @category layers
 * @since 0.1.0
 */
export const layer = (
  config: LlmConfig.LlmConfig,
  options?: LlmConfig.ReadOptions
): Layer.Layer<Registry, LlmError.LlmError, HttpClient.HttpClient> => Layer.effect(Registry, make(config, options))

/**
 * A registry of a configuration text.
 *
 * @stability stable
 * @category layers
 * @since 0.1.0
 */
export const layerText = (
  text: string,
  format: LlmConfig.Format,
  options?: LlmConfig.ReadOptions
): Layer.Layer<Registry, LlmError.LlmError, HttpClient.HttpClient> =>
  Layer.effect(Registry, makeFrom(LlmConfig.parse(text, format, undefined, options), options))

/**
 * A registry of a file, which is read again only by `reload`.
 *
 * @stability stable
 * @category layers
 * @since 0.1.0
 */
export const layerFile = (
  path: string,
  options?: LlmConfig.ReadOptions
): Layer.Layer<Registry, LlmError.LlmError, HttpClient.HttpClient | FileSystem.FileSystem> =>
  Layer.effect(Registry, Effect.flatMap(sourceOf(path, options), (source) => makeFrom(source, options)))

/**
 * A registry of a file that follows the changes of the file; see {@link makeWatch}.
 *
 * @example
 * ```ts
 * const llm = Registry.service.pipe(Layer.provideMerge(Registry.layerWatch("llm.toml")))
 * ```
 *
 * @stability stable
 * @category layers
 * @since 0.1.0
 */
export const layerWatch = (
  path: string,
  options?: WatchOptions
): Layer.Layer<Registry, LlmError.LlmError, HttpClient.HttpClient | FileSystem.FileSystem> =>
  Layer.effect(Registry, makeWatch(path, options))

/**
 * `LlmService` as the instance that is the default at each call, so that what depends on the tag sees every change.
 *
 * @stability stable
 * @category layers
 * @since 0.1.0
 */
export const service: Layer.Layer<LlmService.LlmService, never, Registry> = Layer.effect(
  LlmService.LlmService,
  Effect.map(Registry, (registry) => registry.default)
)

/**
 * `LlmService` as the instance that has a name at each call.
 *
 * @stability stable
 * @category layers
 * @since 0.1.0
 */
export const serviceOf = (name: string): Layer.Layer<LlmService.LlmService, LlmError.LlmError, Registry> =>
  Layer.effect(LlmService.LlmService, get(name))

// =============================================================================
// Accessors
// =============================================================================

/**
 * The service of an instance; it follows changes of the configuration.
 *
 * @stability stable
 * @category accessors
 * @since 0.1.0
 */
export const get = (name: string): Effect.Effect<LlmService.Service, LlmError.LlmError, Registry> =>
  Effect.flatMap(Registry, (registry) => registry.get(name))

/**
 * The names of the instances there are now.
 *
 * @stability stable
 * @category accessors
 * @since 0.1.0
 */
export const names: Effect.Effect<ReadonlyArray<string>, never, Registry> = Effect.flatMap(
  Registry,
  (registry) => registry.names
)

const defaultInstance: Effect.Effect<LlmService.Service, never, Registry> = Effect.map(
  Registry,
  (registry) => registry.default
)

export {
  /**
   * The service of the default instance; it follows changes of the configuration.
   *
   * @stability stable
   * @category accessors
   * @since 0.1.0
   */
  defaultInstance as default
}

/**
 * How the last reload went, and then each that follows.
 *
 * @stability stable
 * @category accessors
 * @since 0.1.0
 */
export const reloads: Stream.Stream<Reload, never, Registry> = Stream.unwrap(
  Effect.map(Registry, (registry) => registry.reloads)
)

/**
 * Reads the file again.
 *
 * @stability stable
 * @category accessors
 * @since 0.1.0
 */
export const reload: Effect.Effect<void, LlmError.LlmError, Registry> = Effect.flatMap(
  Registry,
  (registry) => registry.reload
)

/**
 * Takes over a configuration.
 *
 * @stability stable
 * @category accessors
 * @since 0.1.0
 */
export const update = (config: LlmConfig.LlmConfig): Effect.Effect<void, LlmError.LlmError, Registry> =>
  Effect.flatMap(Registry, (registry) => registry.update(config))
