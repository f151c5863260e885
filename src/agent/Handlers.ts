/**
 * Tools with what runs them: one typed value, or a layer that tests can swap.
 *
 * `make` pairs tools with handlers; a name that no tool has, a missing handler, a wrong argument or result does not compile. Handlers
 * are effects: what they may fail with and what they need stand in the type, and with it in the type of whoever runs them. `tag` makes a
 * service of a set of tools, so that handlers come from a layer.
 *
 * A handler gives data (a text, or what the tool's `success` says), `output` for parts or an error in its own words, `later` when the
 * result comes from outside, or `lost` when nobody knows it. Which call is run when, and what becomes of it, is `Run`'s and `Agent`'s business.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { CustomTool, FailureMode, FunctionTool, LlmTool, ProviderTool } from "../LlmTool.ts"
import type { Json, ToolResultPart } from "../Message.ts"
import type { AgentEvent } from "./drive/events.ts"
import type { Bounds, Spent, State } from "./run/state.ts"

// =============================================================================
// What handlers get and give
// =============================================================================

/**
 * The call a handler runs for.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface CallContext {
  /** The run that the call belongs to. */
  readonly runId: string
  /** The model's id of the call; another run may have the same. To tell calls apart use `idempotencyKey`. */
  readonly toolCallId: string
  /** The same each time this call is run, and nobody else's: for services that take each key once. */
  readonly idempotencyKey: string
  /** Tells whoever reads the run how far the call is. */
  readonly progress: (value: Json) => Effect.Effect<void>
  /** What the run may still use. */
  readonly left: Bounds
  /** Where a run below stood, when the tool is an agent. */
  readonly nested: State | undefined
  /** Stores where a run below stands. */
  readonly wentOn: (nested: State) => Effect.Effect<void>
  /** Tells whoever reads the run what happens in a run below. @default nobody reads */
  readonly tellChild?: ((events: ReadonlyArray<AgentEvent>) => Effect.Effect<void>) | undefined
}

/**
 * A result in the words the model reads.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Output {
  readonly _tag: "Output"
  /** What the model sees; cut to the tool's `maxResultBytes`. */
  readonly content: ToolResultPart["content"]
  /** The tool failed, and the content tells the model why. The run goes on. */
  readonly isError: boolean
  /** What a run below has used. */
  readonly spent?: Spent | undefined
}

/**
 * There is no result yet.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Later {
  readonly _tag: "Later"
  /** The run below that waits. */
  readonly nested?: State | undefined
  /** What a run below has used. */
  readonly spent?: Spent | undefined
}

/**
 * The call was sent away, and nobody knows what came of it.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Lost {
  readonly _tag: "Lost"
}

/**
 * A text or parts (images, files) for the model; `isError` says that the tool failed.
 *
 * @stability experimental
 * @category results
 * @since 0.1.0
 */
export const output = (
  content: ToolResultPart["content"],
  options: {
    /** The tool failed, and the content tells the model why. @default false */
    readonly isError?: boolean | undefined
    /** What a run below has used, which counts for the run above. @default nothing */
    readonly spent?: Spent | undefined
  } = {}
): Output => ({
  _tag: "Output",
  content,
  isError: options.isError ?? false,
  ...(options.spent === undefined ? undefined : { spent: options.spent })
})

/**
 * The result comes from outside: a job, a person, another system. The run stops when nothing else is left to do, and goes on when the
 * result is given to it.
 *
 * @stability experimental
 * @category results
 * @since 0.1.0
 */
export const later: Later = { _tag: "Later" }

/**
 * The answer to a call was lost on its way, such as with a connection: it may have had its effect. The call is `unknown`, as one whose
 * process died, and runs again only if the application says so.
 *
 * @stability experimental
 * @category results
 * @since 0.1.0
 */
export const lost: Lost = { _tag: "Lost" }

// =============================================================================
// Types
// =============================================================================

type Runnable<T> = T extends ProviderTool<infer Name, infer Params> ? [Params] extends [never] ? never : Name
  : T extends LlmTool ? T["name"]
  : never

/**
 * The arguments of a tool, decoded.
 *
 * @stability experimental
 * @category types
 * @since 0.1.0
 */
export type ParamsOf<T> = T extends FunctionTool<string, infer Params> ? Params
  : T extends CustomTool ? string
  : T extends ProviderTool<string, infer Params> ? Params
  : never

/**
 * What the handler of a tool gives.
 *
 * @stability experimental
 * @category types
 * @since 0.1.0
 */
export type SuccessOf<T> = T extends FunctionTool<string, unknown, infer Success> ?
  unknown extends Success ? Json | void
  : Success
  : Json | void

/**
 * What the handler of a tool may fail with; `unknown` when the tool does not say.
 *
 * @stability experimental
 * @category types
 * @since 0.1.0
 */
export type FailureOf<T> = T extends FunctionTool<string, unknown, unknown, infer Failure> ? Failure : unknown

type ModeOf<T> = T extends FunctionTool<string, unknown, unknown, unknown, infer Mode> ? Mode : FailureMode

/**
 * Runs a tool.
 *
 * @stability experimental
 * @category types
 * @since 0.1.0
 */
export type Handler<T, E = FailureOf<T>> = (
  params: ParamsOf<T>,
  context: CallContext
) => Effect.Effect<SuccessOf<T> | Output | Later | Lost, E, unknown>

/**
 * A handler for each tool that the application runs.
 *
 * @stability experimental
 * @category types
 * @since 0.1.0
 */
export type HandlersOf<Tools extends ReadonlyArray<LlmTool>> = {
  readonly [T in Tools[number] as Runnable<T>]: Handler<T>
}

type Returned<H> = H extends (...args: never) => infer Out ? Out : never

type ErrorOf<T, H> = [ModeOf<T>] extends ["return"] ? never
  : Returned<H> extends Effect.Effect<unknown, infer E, unknown> ? E
  : never

/**
 * What running tools with these handlers may fail with: their errors, but for tools that tell the model.
 *
 * @stability experimental
 * @category types
 * @since 0.1.0
 */
export type ErrorsOf<Tools extends ReadonlyArray<LlmTool>, H> = {
  [T in Tools[number] as Runnable<T>]: Runnable<T> extends keyof H ? ErrorOf<T, H[Runnable<T>]> : never
} extends infer Errors ? Errors[keyof Errors] : never

/**
 * What handlers need.
 *
 * @stability experimental
 * @category types
 * @since 0.1.0
 */
export type ServicesOf<H> = Returned<H[keyof H]> extends Effect.Effect<unknown, unknown, infer R> ? R : never

/** Whose handlers of tools that are not there do not compile. */
type Known<Tools extends ReadonlyArray<LlmTool>, H> = {
  readonly [Name in keyof H]: Name extends keyof HandlersOf<Tools> ? unknown : never
}

/**
 * Tools and what runs them. `E` is what running them may fail with, `R` what it needs.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Handlers<out E = never, out R = never> {
  /** What models are offered. */
  readonly tools: ReadonlyArray<LlmTool>
  /** The handler of a tool, if the application runs it. */
  readonly handlerOf: (
    name: string
  ) => ((params: unknown, context: CallContext) => Effect.Effect<unknown, unknown, R>) | undefined
  /** Types of failures; no value has it. */
  readonly "~error"?: E | undefined
}

// =============================================================================
// Constructors
// =============================================================================

/** A call of a tool that nobody has is not run: names come from a model. */
const handlersOf = <E, R>(tools: ReadonlyArray<LlmTool>, handlers: object): Handlers<E, R> => ({
  tools,
  handlerOf: (name) =>
    tools.some((tool) => tool.name === name) && Object.hasOwn(handlers, name)
      ? (handlers as { readonly [name: string]: NonNullable<ReturnType<Handlers<E, R>["handlerOf"]>> })[name]
      : undefined
})

/**
 * Tools with their handlers, by name. Tools that a provider runs itself have none.
 *
 * @example
 * ```ts
 * const tools = Handlers.make([weather], {
 *   get_weather: ({ city }) => Effect.map(Weather.read(city), (celsius) => ({ celsius }))
 * })
 * ```
 *
 * @stability experimental
 * @category constructors
 * @since 0.1.0
 */
export const make = <const Tools extends ReadonlyArray<LlmTool>, H extends HandlersOf<Tools>>(
  tools: Tools,
  handlers: H & Known<Tools, H>
): Handlers<ErrorsOf<Tools, H>, ServicesOf<H>> => handlersOf(tools, handlers)

/**
 * Tools that one function runs, such as those of an MCP server. They are known only at run time, and so are their names.
 *
 * @stability experimental
 * @category constructors
 * @since 0.1.0
 */
export const through = <E, R>(
  tools: ReadonlyArray<LlmTool>,
  handler: (
    name: string,
    params: Json,
    context: CallContext
  ) => Effect.Effect<Json | void | Output | Later | Lost, E, R>
): Handlers<E, R> =>
  handlersOf(
    tools,
    Object.fromEntries(
      tools.map(({ name }) => [name, (params: Json, context: CallContext) => handler(name, params, context)])
    )
  )

/**
 * No tools.
 *
 * @stability experimental
 * @category constructors
 * @since 0.1.0
 */
export const empty: Handlers = handlersOf([], {})

/**
 * All tools of several sets. Of tools with one name the first is run; a request with both is refused.
 *
 * @stability experimental
 * @category combinators
 * @since 0.1.0
 */
export const merge = <const All extends ReadonlyArray<Handlers<unknown, unknown>>>(
  ...all: All
): Handlers<
  All[number] extends Handlers<infer E, unknown> ? E : never,
  All[number] extends Handlers<unknown, infer R> ? R : never
> => {
  type R = All[number] extends Handlers<unknown, infer R> ? R : never
  return {
    tools: all.flatMap(({ tools }) => tools),
    handlerOf: (name) => {
      for (const one of all) {
        const handler = one.handlerOf(name)
        if (handler !== undefined) return handler as ReturnType<Handlers<unknown, R>["handlerOf"]>
      }
      return undefined
    }
  }
}

// =============================================================================
// Layers
// =============================================================================

/**
 * Stands in the requirements of whoever uses a {@link Tag}.
 *
 * @stability experimental
 * @category services
 * @since 0.1.0
 */
export interface Provided<in out Id extends string> {
  /** Name of the tag whose layer gives the handlers. */
  readonly "~handlers": Id
}

/** What handlers of a layer may fail with: what their tools say, and nothing when they do not. */
type Declared<T> = unknown extends FailureOf<T> ? never : FailureOf<T>

/**
 * Handlers that a layer provides: they fail with nothing but what their tools declare.
 *
 * @stability experimental
 * @category types
 * @since 0.1.0
 */
export type LayerHandlersOf<Tools extends ReadonlyArray<LlmTool>> = {
  readonly [T in Tools[number] as Runnable<T>]: Handler<T, Declared<T>>
}

type DeclaredErrors<Tools extends ReadonlyArray<LlmTool>> = {
  [T in Tools[number] as Runnable<T>]: [ModeOf<T>] extends ["return"] ? never : Declared<T>
} extends infer Errors ? Errors[keyof Errors] : never

/**
 * A set of tools whose handlers come from a layer.
 *
 * @stability experimental
 * @category services
 * @since 0.1.0
 */
export interface Tag<Id extends string, Tools extends ReadonlyArray<LlmTool>> {
  /** What models are offered, known before a layer gives the handlers. */
  readonly tools: Tools
  /** The service in the context that holds the handlers. */
  readonly service: Context.Service<Provided<Id>, Handlers<DeclaredErrors<Tools>>>
  /** A layer of handlers. What they need, the layer needs. */
  readonly layer: <H extends LayerHandlersOf<Tools>>(
    handlers: H & Known<Tools, H>
  ) => Layer.Layer<Provided<Id>, never, ServicesOf<H>>
  /** A layer of handlers that an effect makes. */
  readonly layerEffect: <H extends LayerHandlersOf<Tools>, E, R>(
    handlers: Effect.Effect<H & Known<Tools, H>, E, R>
  ) => Layer.Layer<Provided<Id>, E, R | ServicesOf<H>>
}

/**
 * Makes a service of a set of tools. `id` is the key of the service, unique in the application.
 *
 * @example
 * ```ts
 * const WeatherTools = Handlers.tag("app/WeatherTools", [weather])
 * const live = WeatherTools.layer({ get_weather: ({ city }) => Weather.read(city) })
 * const agent = Agent.make({ tools: WeatherTools })
 * ```
 *
 * @stability experimental
 * @category constructors
 * @since 0.1.0
 */
export const tag = <const Id extends string, const Tools extends ReadonlyArray<LlmTool>>(
  id: Id,
  tools: Tools
): Tag<Id, Tools> => {
  const service = Context.Service<Provided<Id>, Handlers<DeclaredErrors<Tools>>>(id)
  const layerEffect = (given: Effect.Effect<object, unknown, unknown>) =>
    Layer.effect(
      service,
      Effect.gen(function*() {
        const context = yield* Effect.context<unknown>()
        const own = handlersOf<DeclaredErrors<Tools>, unknown>(tools, yield* given)
        return {
          tools,
          handlerOf: (name) => {
            const handler = own.handlerOf(name)
            return handler &&
              ((params, call) => Effect.provideContext(Effect.suspend(() => handler(params, call)), context))
          }
        }
      })
    )
  return {
    tools,
    service,
    layer: ((handlers: object) => layerEffect(Effect.succeed(handlers))) as Tag<Id, Tools>["layer"],
    layerEffect: layerEffect as Tag<Id, Tools>["layerEffect"]
  }
}
