/**
 * Tools the model may call, and the choice among them.
 *
 * A tool is a name, a description and a JSON Schema; `make` also takes an Effect `Schema`, from which it
 * derives the JSON Schema once. `provider` passes a tool that the provider runs itself through
 * unchanged. Running tools in a loop is the application's (or the agent module's) business.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { LlmError, ToolFailure } from "./LlmError.ts"
import type { Json, JsonObject, ToolCallPart } from "./Message.ts"
import { withoutJsonSchema } from "./validation/unspellable.ts"

/**
 * A JSON Schema, draft 2020-12.
 *
 * @category models
 * @since 0.1.0
 */
export type JsonSchema = JsonObject

/**
 * A tool the application runs.
 *
 * @category models
 * @since 0.1.0
 */
export interface FunctionTool<out Name extends string = string, out Params = unknown> {
  readonly type: "function"
  /** Unique in a request; letters, digits, `_` and `-`, at most 64 characters on most providers. */
  readonly name: Name
  readonly description?: string | undefined
  /** JSON Schema of the arguments object. */
  readonly parameters: JsonSchema
  /** Asks the provider to hold the model to the schema, where it can. */
  readonly strict?: boolean | undefined
  readonly cacheControl?: "ephemeral" | "extended" | undefined
  /** Decodes the arguments of a call; present when the tool was made from a `Schema`. */
  readonly decode?: ((input: unknown) => Effect.Effect<Params, Schema.SchemaError>) | undefined
}

/**
 * A tool whose input is free-form text, on wires that have such (OpenAI custom tools).
 *
 * @category models
 * @since 0.1.0
 */
export interface CustomTool<out Name extends string = string> {
  readonly type: "custom"
  readonly name: Name
  readonly description?: string | undefined
  /** Grammar or other format, in the provider's own shape. */
  readonly format?: JsonObject | undefined
}

/**
 * A tool that the provider runs itself, in the provider's own shape.
 *
 * @category models
 * @since 0.1.0
 */
export interface ProviderTool {
  readonly type: "provider"
  /** Name that tells it apart in a request. */
  readonly name: string
  /** The tool entry of the wire, sent unchanged. */
  readonly definition: JsonObject
}

/**
 * Everything `LlmRequest.tools` can hold.
 *
 * @category models
 * @since 0.1.0
 */
export type LlmTool = FunctionTool | CustomTool | ProviderTool

/**
 * Whether the model must, may or must not call a tool, or which one it must call.
 *
 * @category models
 * @since 0.1.0
 */
export type ToolChoice = "auto" | "none" | "required" | { readonly name: string }

const jsonSchemas = new WeakMap<Schema.Constraint, JsonSchema>()

/**
 * The JSON Schema (draft 2020-12, self-contained) of an Effect `Schema`; generated once per schema value. For a schema that has none
 * it is empty, and requests with it are refused with `Validation`, which tells why.
 *
 * @category schemas
 * @since 0.1.0
 */
export const jsonSchemaOf = (schema: Schema.Constraint): JsonSchema => {
  const known = jsonSchemas.get(schema)
  if (known !== undefined) return known
  const made = generated(schema)
  ofSchemas.add(made)
  // What is no schema at all may be no object either.
  if (isSchema(schema)) jsonSchemas.set(schema, made)
  return made
}

/**
 * Whether a JSON Schema was made of an Effect `Schema`, whose decoder holds more than it says.
 *
 * @category schemas
 * @since 0.1.0
 */
export const isOfSchema = (schema: JsonSchema): boolean => ofSchemas.has(schema)

const ofSchemas = new WeakSet<JsonSchema>()

const generated = (schema: Schema.Constraint): JsonSchema => {
  try {
    // Members that a struct does not name are never asked for.
    const document = Schema.toJsonSchemaDocument(schema, { onExcessProperty: "error" })
    const definitions = Object.keys(document.definitions)
    return (definitions.length === 0
      ? document.schema
      : { ...document.schema, $defs: document.definitions }) as JsonSchema
  } catch (error) {
    return withoutJsonSchema(error)
  }
}

const isSchema = (given: unknown): given is Schema.Constraint => {
  try {
    return Schema.isSchema(given)
  } catch {
    return false
  }
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
 * A tool from an Effect `Schema` or a JSON Schema.
 *
 * @example
 * ```ts
 * const weather = LlmTool.make("get_weather", {
 *   description: "The weather in a city, now",
 *   parameters: Schema.Struct({ city: Schema.String })
 * })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make: {
  <const Name extends string, S extends Schema.Codec<unknown, unknown>>(
    name: Name,
    options: {
      readonly description?: string | undefined
      readonly parameters: S
      readonly strict?: boolean | undefined
    }
  ): FunctionTool<Name, S["Type"]>
  <const Name extends string>(
    name: Name,
    options: {
      readonly description?: string | undefined
      readonly parameters?: JsonSchema | undefined
      readonly strict?: boolean | undefined
    }
  ): FunctionTool<Name, Json>
} = (
  name: string,
  options: {
    readonly description?: string | undefined
    readonly parameters?: Schema.Codec<unknown, unknown> | JsonSchema | undefined
    readonly strict?: boolean | undefined
  }
): FunctionTool<never, never> => {
  const { parameters = { type: "object", properties: {} }, ...rest } = options
  const made: FunctionTool = isSchema(parameters)
    ? {
      type: "function",
      name,
      ...rest,
      parameters: jsonSchemaOf(parameters),
      ...decoderOf(parameters as Schema.Codec<unknown, unknown>)
    }
    : { type: "function", name, ...rest, parameters: parameters as JsonSchema }
  return made as FunctionTool<never, never>
}

/**
 * A tool with free-form text input.
 *
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
 * @category constructors
 * @since 0.1.0
 */
export const provider = (name: string, definition: JsonObject): ProviderTool => ({ type: "provider", name, definition })

/**
 * Decodes the arguments of a call with the tool's schema. Fails with reason `ToolFailure` when the call is
 * `invalid`, names another tool, or does not fit the schema.
 *
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
