/**
 * The JSON Schema of a configuration file, out of the schemas that read it.
 *
 * Effect's own conversion describes the JSON codec of a schema, in which a field that may be absent may also be null, and leaves objects
 * open; a file is read more strictly. So objects, lists and unions are converted here, and Effect is asked for the leaves.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import * as SchemaAST from "effect/SchemaAST"
import type { Json, JsonObject } from "../json/value.ts"
import { providerIds } from "../provider/Llm.ts"
import * as OwnOptions from "./ownOptions.ts"
import { LlmConfig } from "./schema.ts"
import { filePattern } from "./schema/values.ts"

/** What only code can give is in no file. */
const never = Symbol("never")

const anyOf = (schemas: ReadonlyArray<JsonObject>): JsonObject =>
  schemas.length === 1 ? schemas[0]! : { anyOf: schemas }

const leaf = (ast: SchemaAST.AST): JsonObject =>
  Schema.toJsonSchemaDocument(Schema.make(ast)).schema as unknown as JsonObject

/** What is checked of a list as a whole is Effect's to say. */
const minItemsOf = (ast: SchemaAST.AST): JsonObject => {
  const { minItems } = ast.checks === undefined ? {} as JsonObject : leaf(ast)
  return minItems === undefined ? {} : { minItems }
}

const convert = (ast: SchemaAST.AST): JsonObject | typeof never => {
  if (SchemaAST.isUndefined(ast)) return never
  if (SchemaAST.isDeclaration(ast)) {
    if (ast === Schema.Json.ast) return {}
    const pattern = ast.annotations?.[filePattern]
    return typeof pattern === "string" ? { type: "string", pattern } : never
  }
  if (SchemaAST.isUnion(ast)) {
    if (ast.types.every(SchemaAST.isLiteral)) return leaf(ast)
    const inner = ast.types.map(convert).filter((each) => each !== never)
    return inner.length === 0 ? never : anyOf(inner)
  }
  if (SchemaAST.isArrays(ast)) {
    const items = convert(ast.rest[0]!)
    return { type: "array", items: items === never ? false : items, ...minItemsOf(ast) }
  }
  if (SchemaAST.isObjects(ast)) {
    const properties: Record<string, Json> = {}
    const required: Array<string> = []
    for (const { name, type } of ast.propertySignatures) {
      const inner = convert(type)
      if (inner === never) continue
      properties[String(name)] = inner
      if (type.context?.isOptional !== true) required.push(String(name))
    }
    const [index] = ast.indexSignatures
    const others = index === undefined ? false : convert(index.type)
    return {
      type: "object",
      ...(ast.propertySignatures.length === 0 ? undefined : { properties }),
      ...(required.length === 0 ? undefined : { required }),
      additionalProperties: others === never ? false : others
    }
  }
  return leaf(ast)
}

const objectOf = (schema: Schema.Top): JsonObject => {
  const converted = convert(schema.ast)
  return converted === never ? { not: {} } : converted
}

/** What an instance may say in `options` is its provider's matter; those that may say the same stand together. */
const optionsByProvider = (): ReadonlyArray<JsonObject> => {
  const alike = new Map<Schema.Top, Array<string>>()
  for (const provider of providerIds) {
    const { schema } = OwnOptions.of(provider)
    alike.set(schema, [...alike.get(schema) ?? [], provider])
  }
  return [...alike].map(([schema, providers]) => ({
    if: { properties: { provider: { enum: providers } }, required: ["provider"] },
    // oxlint-disable-next-line unicorn/no-thenable -- a keyword of JSON Schema
    then: { properties: { options: objectOf(schema) } }
  }))
}

/**
 * Tables of a file that belong to others, by name, with the schema that each owner reads its own with.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export type Extensions = { readonly [name: string]: Schema.ConstraintDecoder<unknown> }

/**
 * The JSON Schema (draft 2020-12) of a configuration file, for editors. A file that fits it can still name what is not there: an instance,
 * an order without one of its policies; `problems` tells those too.
 *
 * @stability stable
 * @category json schema
 * @since 0.1.0
 */
export const jsonSchema = (extensions: Extensions = {}): JsonObject => {
  const { properties, ...rest } = objectOf(LlmConfig) as JsonObject & {
    readonly properties: { readonly instances: JsonObject & { readonly additionalProperties: JsonObject } }
  }
  const { instances } = properties
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "Configuration of effect-llm",
    ...rest,
    properties: {
      ...properties,
      instances: {
        ...instances,
        additionalProperties: { ...instances.additionalProperties, allOf: optionsByProvider() }
      },
      ...Object.fromEntries(
        Object.entries(extensions).map(([name, schema]) => [name, objectOf(schema as unknown as Schema.Top)])
      )
    }
  }
}
