/**
 * The services of a configuration, and those of the next one, which takes over from the last what did not change.
 *
 * Every name has two slots. Of an instance: its core, which others fall back to, and the whole, which is the core with its own fallbacks. Of
 * a route: what chooses, which is another as soon as one of its candidates is, and the stack around it, whose state (budgets, caches,
 * queues) outlives that, because it asks for what chooses at each call.
 *
 * @since 0.1.0
 */
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as FileSystem from "effect/FileSystem"
import * as HttpClient from "effect/http/HttpClient"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import type * as LlmError from "../LlmError.ts"
import type * as LlmService from "../LlmService.ts"
import { candidate, takesPrefill } from "../policy/candidates/traits.ts"
import { borrow, forward, type ServiceSlot } from "./forwarding.ts"
import * as Instances from "./instances.ts"
import type { Instance, LlmConfig, Route } from "./schema.ts"
import { Slot } from "./slot.ts"
import * as Stack from "./stack.ts"

// =============================================================================
// Models
// =============================================================================

/** What the stack of a route asks, now. */
interface Asked {
  choice: ServiceSlot
  goOnWith: ReadonlyArray<ServiceSlot>
}

interface InstanceEntry {
  readonly _tag: "Instance"
  readonly instance: Instance
  /** The core. */
  readonly inner: ServiceSlot
  readonly whole: ServiceSlot
}

interface RouteEntry {
  readonly _tag: "Route"
  readonly route: Route
  /** What chooses. */
  readonly inner: ServiceSlot
  readonly whole: ServiceSlot
  /** Shared by all generations with the same stack. */
  readonly asked: Asked
  /** What is asked once this generation is in force. */
  readonly next: Asked
}

/**
 * An instance or a route.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export type Entry = InstanceEntry | RouteEntry

/**
 * A configuration and its services, by name: instances first, then routes.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface Generation {
  readonly config: LlmConfig
  readonly entries: ReadonlyMap<string, Entry>
}

/** Before the first. @stability stable @category constructors @since 0.1.0 */
export const empty: Generation = { config: { default: "", instances: {} }, entries: new Map() }

/** Makes the core of an instance when it is needed. @stability stable @category models @since 0.1.0 */
export type Build = (name: string, instance: Instance) => ServiceSlot

/**
 * How cores are made, with the client, the variables and the files of where this runs: calls build what they need first, and keys come from here
 * all the same.
 *
 * @stability stable
 * @category constructors
 * @since 0.1.0
 */
export const builder: Effect.Effect<Build, never, HttpClient.HttpClient> = Effect.gen(function*() {
  const client = yield* HttpClient.HttpClient
  const variables = yield* ConfigProvider.ConfigProvider
  const files = Option.getOrUndefined(yield* Effect.serviceOption(FileSystem.FileSystem))
  return (name, instance) => {
    const core = Instances.core(name, instance).pipe(
      Effect.provideService(HttpClient.HttpClient, client),
      Effect.provideService(ConfigProvider.ConfigProvider, variables)
    )
    return new Slot(files === undefined ? core : Effect.provideService(core, FileSystem.FileSystem, files))
  }
})

// =============================================================================
// The next generation
// =============================================================================

const ofCore = (given: Instance) => ({ ...given, fallback: undefined, timeout: undefined, cost: undefined })
const ofChoice = ({ balance, candidates, fallback, hedge }: Route) => ({ balance, candidates, fallback, hedge })
const ofStack = (route: Route) => ({
  ...route,
  balance: undefined,
  candidates: undefined,
  fallback: undefined,
  hedge: undefined
})

const isSame = (a: ReadonlyArray<ServiceSlot>, b: ReadonlyArray<ServiceSlot | undefined>): boolean =>
  a.length === b.length && a.every((slot, at) => slot === b[at])

/** Builds what slots hold, and lends it for as long as the scope is open. */
const borrowed = (slots: ReadonlyArray<ServiceSlot>) => Effect.forEach(slots, (slot) => borrow(() => slot))

const goOnOf = (route: Route) => typeof route.continue === "object" ? route.continue.candidates ?? [] : []

const namesOf = (candidates: Parameters<typeof Stack.describedFor>[0]): ReadonlyArray<string> =>
  candidates.map((each) => Stack.candidateOf(each).name)

/** The stack of a route, around whatever is asked at each call. */
const stackOf = (name: string, route: Route, asked: Asked): ServiceSlot =>
  new Slot(
    Effect.gen(function*() {
      const standing = (choose: () => ServiceSlot) =>
        Effect.map(Effect.scoped(borrow(choose)), (now) =>
          // What is known of it goes along.
          candidate(forward(choose, now.info), { prefill: takesPrefill(now) }))
      const choice = yield* standing(() => asked.choice)
      const others = yield* Effect.forEach(asked.goOnWith, (_, at) => standing(() => asked.goOnWith[at]!))
      return yield* Stack.aroundChoice(choice, route, { goOnWith: Stack.describedFor(goOnOf(route), others) })
    }).pipe(Effect.mapError(Instances.placed(`routes.${name}`)))
  )

/**
 * The next generation; what did not change is taken over from the last. Nothing is built yet, and nothing of the last one changes.
 *
 * @stability stable
 * @category constructors
 * @since 0.1.0
 */
export const nextOf = (last: Generation, config: LlmConfig, build: Build): Generation => {
  const before = (name: string): InstanceEntry | undefined => {
    const entry = last.entries.get(name)
    return entry?._tag === "Instance" ? entry : undefined
  }
  const instances = Object.entries(config.instances)
  const cores = new Map(instances.map(([name, instance]) => {
    const known = before(name)
    const isKnown = known !== undefined && Equal.equals(ofCore(known.instance), ofCore(instance))
    return [name, isKnown ? known.inner : build(name, instance)]
  }))
  const entries = new Map<string, Entry>()
  for (const [name, instance] of instances) {
    const known = before(name)
    const slots = [name, ...instance.fallback ?? []].map((each) => cores.get(each)!)
    const isKnown = known !== undefined &&
      Equal.equals(known.instance.timeout, instance.timeout) &&
      Equal.equals(known.instance.cost, instance.cost) &&
      isSame(slots, [name, ...known.instance.fallback ?? []].map((each) => before(each)?.inner))
    entries.set(name, {
      _tag: "Instance",
      instance,
      inner: cores.get(name)!,
      whole: isKnown ? known.whole : new Slot(
        Effect.flatMap(
          borrowed(slots),
          ([first, ...others]) =>
            Stack.aroundFallback(instance, [first!, ...others]).pipe(
              Effect.mapError(Instances.placed(`instances.${name}`))
            )
        )
      )
    })
  }
  const routes = config.routes ?? {}
  /** The whole of a name; routes are made when another route names them first. */
  const wholeOf = (name: string): ServiceSlot => {
    const there = entries.get(name)
    if (there !== undefined) return there.whole
    const route = routes[name]!
    const slots = namesOf(route.candidates).map(wholeOf)
    const entry = last.entries.get(name)
    const known = entry?._tag === "Route" ? entry : undefined
    const isKnownChoice = known !== undefined && Equal.equals(ofChoice(known.route), ofChoice(route)) &&
      isSame(slots, namesOf(known.route.candidates).map((each) => last.entries.get(each)?.whole))
    const inner: ServiceSlot = isKnownChoice ? known.inner : new Slot(
      Effect.map(borrowed(slots), ([first, ...others]) => Stack.choice(route, [first!, ...others]))
    )
    const next: Asked = { choice: inner, goOnWith: namesOf(goOnOf(route)).map(wholeOf) }
    const isKnownStack = known !== undefined && Equal.equals(ofStack(known.route), ofStack(route))
    const asked = isKnownStack ? known.asked : { ...next }
    entries.set(name, {
      _tag: "Route",
      route,
      inner,
      whole: isKnownStack ? known.whole : stackOf(name, route, asked),
      asked,
      next
    })
    return entries.get(name)!.whole
  }
  for (const name of Object.keys(routes)) wholeOf(name)
  return { config, entries }
}

/**
 * Puts a generation in force: the stacks that it has in common with the last one ask what chooses in this one.
 *
 * @stability stable
 * @category combinators
 * @since 0.1.0
 */
export const enforce = ({ entries }: Generation): void => {
  for (const entry of entries.values()) {
    if (entry._tag === "Route") Object.assign(entry.asked, entry.next)
  }
}

/**
 * All slots of a generation; those that use others come first.
 *
 * @stability stable
 * @category accessors
 * @since 0.1.0
 */
export const slotsOf = ({ entries }: Generation): Set<ServiceSlot> =>
  new Set([...entries.values()].toReversed().flatMap(({ inner, whole }) => [whole, inner]))

/**
 * Builds a name with all that it uses.
 *
 * @stability stable
 * @category combinators
 * @since 0.1.0
 */
export const ready = (generation: Generation, name: string): Effect.Effect<LlmService.Service, LlmError.LlmError> => {
  const entry = generation.entries.get(name)
  if (entry === undefined) return Effect.fail(Instances.unknown(generation.config, name))
  if (entry._tag === "Instance") return entry.whole.ready
  const asked = [entry.next.choice, ...entry.next.goOnWith]
  return Effect.andThen(Effect.forEach(asked, (slot) => slot.ready, { discard: true }), entry.whole.ready)
}

/**
 * Whether two generations serve a name by the same.
 *
 * @stability stable
 * @category guards
 * @since 0.1.0
 */
export const isUnchanged = (last: Generation, next: Generation, name: string): boolean => {
  const [before, after] = [last.entries.get(name), next.entries.get(name)]
  return before?.whole === after?.whole && (before?._tag !== "Route" || before.inner === after?.inner)
}

/**
 * The service of one name of a configuration, for as long as the scope is open.
 *
 * @stability stable
 * @category constructors
 * @since 0.1.0
 */
export const service = (
  config: LlmConfig,
  name: string
): Effect.Effect<LlmService.Service, LlmError.LlmError, HttpClient.HttpClient | Scope.Scope> =>
  Effect.gen(function*() {
    const generation = nextOf(empty, config, yield* builder)
    yield* Effect.addFinalizer(() => Effect.forEach(slotsOf(generation), (slot) => slot.close, { discard: true }))
    return yield* ready(generation, name)
  })
