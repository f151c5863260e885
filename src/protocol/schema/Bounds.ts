/**
 * Whether a schema that was lowered is within a host's bounds: the last look before it is sent, at the schema itself.
 *
 * @since 0.1.0
 */
import type { Json, JsonObject } from "../../Message.ts"
import { isNode } from "../../validation/jsonSchema/document.ts"
import type { Dialect } from "./Dialect.ts"

/** What some hosts bound, counted. @stability experimental @category models @since 0.1.0 */
export interface Counts {
  readonly optional: number
  readonly unions: number
}

/** Counts, and why the host would refuse. @stability experimental @category models @since 0.1.0 */
export interface Looked {
  readonly counts: Counts
  readonly problem: string | undefined
  /** Definitions that something refers to. */
  readonly used: ReadonlySet<string>
}

const prefix = "#/$defs/"

class Looking {
  readonly definitions: JsonObject
  readonly used = new Set<string>()
  optional = 0
  unions = 0
  properties = 0
  enumValues = 0
  characters = 0
  lost = false
  /** Whether something leads back to itself without a member that may be left out between. */
  bound = false
  private readonly heights = new Map<string, number>()
  private readonly under = new Map<string, number>()
  /** Members that may be left out, around where we are. */
  private free = 0

  constructor(definitions: JsonObject) {
    this.definitions = definitions
  }

  height(node: Json | undefined): number {
    if (!isNode(node)) return 0
    const { $ref: reference, additionalProperties, anyOf, items, prefixItems, properties, required, type } = node
    if (typeof reference === "string") return this.definition(reference.slice(prefix.length))
    if (Array.isArray(anyOf) || (Array.isArray(type) && type.length > 1)) this.unions++
    const { enum: values } = node
    if (Array.isArray(values)) {
      this.enumValues += values.length
      for (const one of values as ReadonlyArray<Json>) this.characters += String(one).length
    }
    let most = 0
    for (const one of Array.isArray(anyOf) ? anyOf as ReadonlyArray<Json> : []) most = Math.max(most, this.height(one))
    let inner = this.height(items)
    for (const one of Array.isArray(prefixItems) ? prefixItems as ReadonlyArray<Json> : []) {
      inner = Math.max(inner, this.height(one))
    }
    inner = Math.max(inner, this.height(additionalProperties))
    if (isNode(properties)) {
      const needed = new Set(Array.isArray(required) ? required as ReadonlyArray<Json> : [])
      for (const [name, one] of Object.entries(properties)) {
        this.properties++
        this.characters += name.length
        if (needed.has(name)) inner = Math.max(inner, this.height(one))
        else {
          this.optional++
          this.free++
          inner = Math.max(inner, this.height(one))
          this.free--
        }
      }
    }
    const level = type === "object" || type === "array" || properties !== undefined || items !== undefined
    return Math.max(most, level ? 1 + inner : inner)
  }

  private definition(name: string): number {
    const begun = this.under.get(name)
    if (begun !== undefined) {
      if (this.free === begun) this.bound = true
      return 0
    }
    const known = this.heights.get(name)
    if (known !== undefined) return known
    this.used.add(name)
    this.characters += name.length
    if (!Object.hasOwn(this.definitions, name)) {
      this.lost = true
      return 0
    }
    this.under.set(name, this.free)
    const height = this.height(this.definitions[name])
    this.under.delete(name)
    this.heights.set(name, height)
    return height
  }
}

/**
 * Looks at a schema.
 *
 * @stability experimental
 * @category checking
 * @since 0.1.0
 */
export const look = (schema: JsonObject, { limits, references }: Dialect): Looked => {
  const definitions = isNode(schema["$defs"]) ? schema["$defs"] : {}
  const looking = new Looking(definitions)
  const height = looking.height(schema)
  const { characters, enumValues, optional, properties, unions } = looking
  const over = (what: string, count: number, most: number | undefined): string | undefined =>
    most !== undefined && count > most ? `${count} ${what}, of which the host takes ${most}` : undefined
  const bound = looking.bound && references === "optional"
    ? "recursion that no member that may be absent interrupts"
    : undefined
  return {
    counts: { optional, unions },
    used: looking.used,
    problem: looking.lost
      ? "a reference that leads nowhere"
      : over("levels", height, limits.depth) ?? over("members that may be absent", optional, limits.optional) ??
        over("unions", unions, limits.unions) ?? over("properties", properties, limits.properties) ??
        over("values of enums", enumValues, limits.enumValues) ??
        over("characters of names", characters, limits.names) ?? bound
  }
}
