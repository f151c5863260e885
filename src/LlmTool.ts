/**
 * Tools the model may call, and the choice among them.
 *
 * A tool is a name, a description and a JSON Schema; `make` also takes an Effect `Schema`, from which it
 * derives the JSON Schema once. `provider` passes a tool that the provider runs itself through
 * unchanged. What runs a tool is `Handlers`' business, and the loop is `Agent`'s; how a tool is to be run (approval, time limit, what
 * the model sees of a result) stands with its definition, and never leaves the process.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { LlmError, ToolFailure } from "./LlmError.ts"
import type { Json, JsonObject, Message, ToolCallPart, ToolResultPart } from "./Message.ts"
import { misfits } from "./validation/jsonSchema/misfits.ts"
import { isSchema, jsonSchemaOf } from "./validation/jsonSchema/ofEffect.ts"

export { isOfSchema, jsonSchemaOf } from "./validation/jsonSchema/ofEffect.ts"

/**
 * A JSON Schema, draft 2020-12.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export type JsonSchema = JsonObject

/**
 * What a call is about to be run with, for who decides whether somebody has to approve it.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface ApprovalContext {
  /** Id of the call that waits to be run. */
  readonly toolCallId: string
  /** The conversation so far, without the answer that makes the call. */
  readonly messages: ReadonlyArray<Message>
}

/**
 * Whether somebody has to approve a call: always, by its arguments, or by an effect. An effect that fails asks.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export type NeedsApproval<Params> =
  | boolean
  | ((params: Params, context: ApprovalContext) => boolean | Effect.Effect<boolean, unknown>)

/**
 * How a tool is to be run. None of it is sent.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface Execution<in Params, in Success> {
  /** @default false */
  readonly needsApproval?: NeedsApproval<Params> | undefined
  /** Running a call again has no further effect, so that it may be repeated when its outcome was lost. @default false */
  readonly idempotent?: boolean | undefined
  /**
   * What makes two calls the same, for who looks for circles; `false` for a tool that may be called over and over, such as one that
   * polls. @default the arguments
   */
  readonly loopKey?: false | ((params: Params) => string) | undefined
  /** Longest time of one call. @default "5 minutes" */
  readonly timeout?: Duration.Input | undefined
  /** Calls of this tool that run at once. @default no limit of its own */
  readonly concurrency?: number | undefined
  /** UTF-8 bytes of a result that the model sees; of a longer one it sees head and tail. @default 51,200 */
  readonly maxResultBytes?: number | undefined
  /** What the model sees of a result. @default a text as it is, anything else as JSON */
  readonly toModel?: ((success: Success) => ToolResultPart["content"]) | undefined
}

/**
 * What becomes of a handler that fails: `error` ends the run with that error, resumable; `return` tells the model.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export type FailureMode = "error" | "return"

/**
 * A tool the application runs.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface FunctionTool<
  out Name extends string = string,
  out Params = unknown,
  out Success = unknown,
  out Failure = unknown,
  out Mode extends FailureMode = FailureMode
> {
  readonly type: "function"
  /** Unique in a request; letters, digits, `_` and `-`, at most 64 characters on most providers. */
  readonly name: Name
  /** Tells the model when and how to use it. @default none */
  readonly description?: string | undefined
  /** JSON Schema of the arguments object. */
  readonly parameters: JsonSchema
  /** Asks the provider to hold the model to the schema, where it can. */
  readonly strict?: boolean | undefined
  /** Ends a cached prompt prefix at this tool; `extended` for a lifetime of 1 hour where the provider has one, else 5 minutes. */
  readonly cacheControl?: "ephemeral" | "extended" | undefined
  /** Decodes the arguments of a call; absent when any object will do. */
  readonly decode?: ((input: unknown) => Effect.Effect<Params, Schema.SchemaError | Misfit>) | undefined
  /** Encodes a result as JSON; present when the tool was made with `success`. */
  readonly encode?: ((success: unknown) => Effect.Effect<Json, Schema.SchemaError>) | undefined
  /** @default "error" */
  readonly failureMode?: Mode | undefined
  /** How it is to be run. */
  readonly execution?: Execution<never, never> | undefined
  /** Types of results and failures; no value has it. */
  readonly "~results"?: {
    /** What the handler gives. */
    readonly success: Success
    /** What the handler may fail with. */
    readonly failure: Failure
  } | undefined
}

/**
 * Arguments that do not fit a JSON Schema.
 *
 * @stability stable
 * @category errors
 * @since 0.1.0
 */
export class Misfit extends Data.TaggedError("Misfit")<{
  /** Where the arguments are wrong and how, in words the model can act on. */
  readonly message: string
}> {}

/**
 * A tool whose input is free-form text, on wires that have such (OpenAI custom tools).
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface CustomTool<out Name extends string = string> {
  readonly type: "custom"
  /** Unique in a request; letters, digits, `_` and `-`, at most 64 characters on most providers. */
  readonly name: Name
  /** Tells the model when and how to use it, and what to write. @default none */
  readonly description?: string | undefined
  /** Grammar or other format, in the provider's own shape. */
  readonly format?: JsonObject | undefined
}

/**
 * A tool in the provider's own shape: one that it runs itself, or one that it only defines and leaves to the application, such as a
 * shell.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface ProviderTool<out Name extends string = string, out Params = unknown> {
  readonly type: "provider"
  /** Name that tells it apart in a request; the model's name for it, when the application runs it. */
  readonly name: Name
  /** The tool entry of the wire, sent unchanged. */
  readonly definition: JsonObject
  /** Decodes the arguments of a call; present when the application runs it. */
  readonly decode?: ((input: unknown) => Effect.Effect<Params, Schema.SchemaError>) | undefined
  /** How it is to be run, by an application. */
  readonly execution?: Execution<never, never> | undefined
}

/**
 * Everything `LlmRequest.tools` can hold.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export type LlmTool = FunctionTool | CustomTool | ProviderTool

/**
 * Whether the model must, may or must not call a tool, or which one it must call.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export type ToolChoice = "auto" | "none" | "required" | {
  /** The tool the model must call; one of `tools`. */
  readonly name: string
}

/** A schema that cannot be spelled has no calls either, so that it decodes none. */
const decoderOf = (schema: Schema.Codec<unknown, unknown>): Pick<FunctionTool, "decode"> => {
  try {
    return { decode: Schema.decodeUnknownEffect(Schema.toCodecJson(schema)) }
  } catch {
    return {}
  }
}

/**
 * Options of {@link make}.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface Options<in Params, in Success, out Mode extends FailureMode> extends Execution<Params, Success> {
  /** Tells the model when and how to use it. @default none */
  readonly description?: string | undefined
  /**
   * Asks the provider to hold the model to the schema. @default the provider's own; strict where a wire asks for it and the schema allows
   */
  readonly strict?: boolean | undefined
  /** What becomes of a handler that fails. @default "error" */
  readonly failureMode?: Mode | undefined
}

const executionOf = (options: Execution<never, never>): Pick<FunctionTool, "execution"> => {
  const { concurrency, idempotent, loopKey, maxResultBytes, needsApproval, timeout, toModel } = options
  const given = { concurrency, idempotent, loopKey, maxResultBytes, needsApproval, timeout, toModel }
  return Object.values(given).some((option) => option !== undefined) ? { execution: given } : {}
}

const encoderOf = (schema: Schema.Codec<unknown, unknown> | undefined): Pick<FunctionTool, "encode"> => {
  if (schema === undefined) return {}
  try {
    return { encode: Schema.encodeUnknownEffect(Schema.toCodecJson(schema)) as NonNullable<FunctionTool["encode"]> }
  } catch {
    return {}
  }
}

/**
 * A tool from an Effect `Schema` or a JSON Schema. `success` and `failure` say what its handler gives; how it is run stands beside
 * them.
 *
 * @example
 * ```ts
 * const weather = LlmTool.make("get_weather", {
 *   description: "The weather in a city, now",
 *   parameters: Schema.Struct({ city: Schema.String }),
 *   success: Schema.Struct({ celsius: Schema.Number })
 * })
 * ```
 *
 * @stability stable
 * @category constructors
 * @since 0.1.0
 */
export const make: {
  <
    const Name extends string,
    S extends Schema.Codec<unknown, unknown>,
    Success extends Schema.Codec<unknown, unknown> = Schema.Codec<unknown>,
    Failure extends Schema.Top = Schema.Codec<unknown>,
    const Mode extends FailureMode = FailureMode
  >(
    name: Name,
    options: Options<S["Type"], Success["Type"], Mode> & {
      /**
       * Schema of the arguments object, an Effect `Schema` or a JSON Schema; calls are decoded with it. @default an object without
       * members
       */
      readonly parameters: S
      /** What the handler gives; encoded as JSON for the model. @default any JSON */
      readonly success?: Success | undefined
      /** What the handler may fail with. @default anything */
      readonly failure?: Failure | undefined
    }
  ): FunctionTool<Name, S["Type"], Success["Type"], Failure["Type"], Mode>
  <
    const Name extends string,
    Success extends Schema.Codec<unknown, unknown> = Schema.Codec<unknown>,
    Failure extends Schema.Top = Schema.Codec<unknown>,
    const Mode extends FailureMode = FailureMode
  >(
    name: Name,
    options: Options<Json, Success["Type"], Mode> & {
      /**
       * Schema of the arguments object, an Effect `Schema` or a JSON Schema; calls are decoded with it. @default an object without
       * members
       */
      readonly parameters?: JsonSchema | undefined
      /** What the handler gives; encoded as JSON for the model. @default any JSON */
      readonly success?: Success | undefined
      /** What the handler may fail with. @default anything */
      readonly failure?: Failure | undefined
    }
  ): FunctionTool<Name, Json, Success["Type"], Failure["Type"], Mode>
} = (
  name: string,
  options: Options<never, never, FailureMode> & {
    /**
     * Schema of the arguments object, an Effect `Schema` or a JSON Schema; calls are decoded with it. @default an object without members
     */
    readonly parameters?: Schema.Codec<unknown, unknown> | JsonSchema | undefined
    /** What the handler gives; encoded as JSON for the model. @default any JSON */
    readonly success?: Schema.Codec<unknown, unknown> | undefined
  }
): FunctionTool<never, never, never, never, never> => {
  const { description, failureMode, parameters = { type: "object", properties: {} }, strict, success } = options
  const made: FunctionTool = {
    type: "function",
    name,
    ...("description" in options ? { description } : undefined),
    ...("strict" in options ? { strict } : undefined),
    ...(failureMode === undefined ? undefined : { failureMode }),
    ...(isSchema(parameters)
      ? {
        parameters: jsonSchemaOf(parameters),
        ...decoderOf(parameters as Schema.Codec<unknown, unknown>)
      }
      : { parameters: parameters as JsonSchema }),
    ...encoderOf(success),
    ...executionOf(options)
  }
  return made as FunctionTool<never, never, never, never, never>
}

/**
 * A tool from elsewhere, known by its JSON Schema, such as one of an MCP server. Arguments are held to all of the schema (references,
 * unions, conditions, formats, patterns); what does not fit is told with its place.
 *
 * @stability stable
 * @category constructors
 * @since 0.1.0
 */
export const fromJsonSchema = <
  const Name extends string,
  Success extends Schema.Codec<unknown, unknown> = Schema.Codec<unknown>,
  Failure extends Schema.Top = Schema.Codec<unknown>,
  const Mode extends FailureMode = FailureMode
>(
  name: Name,
  options: Options<Json, Success["Type"], Mode> & {
    /** JSON Schema of the arguments object, draft 2020-12; calls are held to all of it. */
    readonly parameters: JsonSchema
    /** What the handler gives; encoded as JSON for the model. @default any JSON */
    readonly success?: Success | undefined
    /** What the handler may fail with. @default anything */
    readonly failure?: Failure | undefined
  }
): FunctionTool<Name, Json, Success["Type"], Failure["Type"], Mode> => ({
  ...make(name, options),
  decode: (input) =>
    Effect.suspend(() => {
      const found = misfits(options.parameters, input as Json)
      return found.length === 0
        ? Effect.succeed(input as Json)
        : Effect.fail(
          new Misfit({
            message: found.map(({ message, path }) => `${path === "" ? "arguments" : path}: ${message}`).join("\n")
          })
        )
    })
})

/**
 * A tool with free-form text input.
 *
 * @stability stable
 * @category constructors
 * @since 0.1.0
 */
export const custom = <const Name extends string>(
  name: Name,
  options?: Omit<CustomTool, "type" | "name">
): CustomTool<Name> => ({ type: "custom", name, ...options })

/**
 * A tool that the provider runs itself, such as web search; `definition` is the wire's own entry.
 *
 * @stability stable
 * @category constructors
 * @since 0.1.0
 */
export const provider = <const Name extends string>(name: Name, definition: JsonObject): ProviderTool<Name, never> => ({
  type: "provider",
  name,
  definition
})

/**
 * A tool that the provider defines and the application runs, such as a shell; `name` is what the model calls it, `parameters` what it
 * calls it with.
 *
 * @stability stable
 * @category constructors
 * @since 0.1.0
 */
export const providerDefined = <const Name extends string, S extends Schema.Codec<unknown, unknown>>(
  name: Name,
  definition: JsonObject,
  options: Execution<S["Type"], Json> & {
    /** Decodes the arguments of a call. Not sent: the provider knows its own tool. */
    readonly parameters: S
  }
): ProviderTool<Name, S["Type"]> => ({
  type: "provider",
  name,
  definition,
  ...decoderOf(options.parameters) as Pick<ProviderTool<Name, S["Type"]>, "decode">,
  ...executionOf(options)
})

/**
 * Decodes the arguments of a call with the tool's schema. Fails with reason `ToolFailure` when the call is
 * `invalid`, names another tool, or does not fit the schema.
 *
 * @stability stable
 * @category combinators
 * @since 0.1.0
 */
export const decodeCall = <Name extends string, Params>(
  tool: FunctionTool<Name, Params>,
  call: ToolCallPart
): Effect.Effect<Params, LlmError> => {
  const fail = (message: string) =>
    Effect.fail(
      new LlmError({
        provider: call.origin?.provider ?? "",
        model: call.origin?.model ?? "",
        operation: "generate",
        attempts: 1,
        reason: new ToolFailure({ message, toolName: call.name, toolCallId: call.id })
      })
    )
  if (call.name !== tool.name) return fail(`The call is for "${call.name}", not for "${tool.name}".`)
  if (call.invalid) return fail("The model's arguments are not valid JSON; tell it so in a tool result.")
  if (tool.decode === undefined) return Effect.succeed(call.arguments as Params)
  return Effect.catch(tool.decode(call.arguments), (error) => fail(error.message))
}
