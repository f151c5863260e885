/**
 * JSON Schemas as hosts take them, and their answers back: dialects as data, and what spells a schema in one.
 *
 * Objects that name members and do not say whether there are others have none; `additionalProperties: true` keeps them.
 *
 * @example
 * ```ts
 * const { schema, undo } = SchemaDialect.compile({ type: "object", properties: { a: { type: "string" } } }, SchemaDialect.openAiStrict)
 * undo({ a: null }) // {}
 * ```
 *
 * @since 0.1.0
 */
export type { Misfit } from "../validation/jsonSchema/misfits.ts"
export { compile, type Compiled, type CompileOptions, type SchemaWarning } from "./schema/compile.ts"
export type { Dialect, Dialects, Limits, PlainDialect } from "./schema/Dialect.ts"
export * from "./schema/dialects.ts"
