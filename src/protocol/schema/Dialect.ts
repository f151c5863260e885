/**
 * What a host takes of JSON Schema, as data.
 *
 * @since 0.1.0
 */

/**
 * Bounds of a schema, counted over what is sent. Absent is unbounded.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Limits {
  /** Objects and lists within each other, the root counted. */
  readonly depth?: number
  /** Properties of all objects together. */
  readonly properties?: number
  /** Values of all enums together. */
  readonly enumValues?: number
  /** Characters of names of properties and definitions and of the values of enums, together. */
  readonly names?: number
  /** Characters of the values of one enum that has more than 250. */
  readonly longEnum?: number
  /** Characters of the schema as JSON. */
  readonly length?: number
  /** Properties that may be left out, of all objects together. */
  readonly optional?: number
  /** Unions (`anyOf`, lists of types), together. */
  readonly unions?: number
  /** Strict tools of one request. */
  readonly strictTools?: number
  /** Members of one `anyOf`. */
  readonly branches?: number
}

/**
 * The part of JSON Schema that a host takes where it holds the model to the schema.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Dialect {
  /** Tells dialects apart in warnings. */
  readonly name: string
  /** Where the host's documentation says so. */
  readonly url: string
  /** Whether the root has to be an object, must at least have a type of its own (no reference, no union), or may be anything. */
  readonly root: "object" | "typed" | "any"
  /** Whether members of an object may be left out; else all are required, and null stands for absent. */
  readonly optional: boolean
  /** Whether `additionalProperties` may be a schema or `true`; else objects are closed, and maps become lists of pairs. */
  readonly maps: boolean
  /** Whether a schema may leave the type open; else such a value is written as JSON text. */
  readonly open: boolean
  /** Whether `prefixItems` are known; else tuples become objects. */
  readonly tuples: boolean
  /** Whether `type` may be a list. */
  readonly typeLists: boolean
  /** Whether `anyOf` is known; else unions are written as JSON text. */
  readonly unions: boolean
  /** Kinds of values that an enum may have. */
  readonly literals: ReadonlyArray<"string" | "number" | "boolean" | "null">
  /**
   * Which references are known: all; none that leads back to itself; such only below members that may be left out; none
   * at all.
   */
  readonly references: "all" | "acyclic" | "optional" | "none"
  /** Keywords of strings, numbers and lists that it holds the model to. */
  readonly keywords: ReadonlyArray<string>
  /** Values of `format` that the host holds to; others are left out and checked after. */
  readonly formats: ReadonlyArray<string> | "all"
  /** Regular expressions of `pattern`: those of formal languages, without what looks around, refers back or finds borders of words. */
  readonly patterns: "regular" | "simple" | "all" | "none"
  /** Largest `minItems` that is taken. @default any */
  readonly mostMinItems?: number
  /** Names that properties may have. @default any */
  readonly names?: RegExp
  /** Whether objects without properties are taken. @default true */
  readonly emptyObjects?: boolean
  /** How large a schema may be. @default as large as it is */
  readonly limits: Limits
  /** How types are spelled; OpenAPI's are in capitals, with `nullable` for null. @default "json-schema" */
  readonly spelling?: "json-schema" | "openapi"
}

/**
 * What a host takes where it reads the schema only as a hint to the model.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface PlainDialect {
  readonly plain: true
  /** Tells dialects apart in warnings. */
  readonly name: string
  /** Where the host's documentation says so. */
  readonly url: string
  /** Whether the root has to be an object without `anyOf`, `oneOf`, `allOf`, `not`, `enum` and `$ref` beside it. */
  readonly root: "object" | "any"
  /** Whether the root has to say `properties`. @default false */
  readonly properties?: boolean
}

/**
 * The dialects of a host by what a schema is for.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Dialects {
  /** Of tools that the host is not to hold the model to. */
  readonly tools: Dialect | PlainDialect
  /** Of strict tools. @default the host has none */
  readonly strictTools?: Dialect | undefined
  /** Of the answer, where the host holds the model to it. @default what it takes as a hint */
  readonly answer?: Dialect | undefined
  /** Of the answer, where the host is not to hold the model to it. @default any schema */
  readonly plainAnswer?: Dialect | PlainDialect | undefined
}
