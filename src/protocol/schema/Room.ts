/**
 * What is left of a host's bounds of a schema.
 *
 * @since 0.1.0
 */
import type { Json } from "../../Message.ts"
import type { Limits } from "./Dialect.ts"

/** An enum above this has a bound of its own. */
const manyValues = 250

/**
 * Counts what has been sent.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export class Room {
  private readonly limits: Limits
  private optional = 0
  private unions = 0
  private properties = 0
  private characters = 0
  private enumValues = 0

  constructor(limits: Limits) {
    this.limits = limits
  }

  /** Takes the members of an object, where there is room. */
  members(names: ReadonlyArray<string>): boolean {
    const { names: characters = Infinity, properties = Infinity } = this.limits
    const more = names.reduce((all, name) => all + name.length, 0)
    if (this.properties + names.length > properties || this.characters + more > characters) return false
    this.properties += names.length
    this.characters += more
    return true
  }

  /** Takes the name of a definition. */
  definition(name: string): void {
    this.characters += name.length
  }

  /** Takes the values of an enum, where there is room. */
  values(values: ReadonlyArray<Json>): boolean {
    const { enumValues = Infinity, longEnum = Infinity, names = Infinity } = this.limits
    const more = values.reduce<number>((all, one) => all + String(one).length, 0)
    if (values.length > manyValues && more > longEnum) return false
    if (this.enumValues + values.length > enumValues || this.characters + more > names) return false
    this.enumValues += values.length
    this.characters += more
    return true
  }

  /** Takes a member that may be left out, where there is room. */
  leave(): boolean {
    if (this.optional >= (this.limits.optional ?? Infinity)) return false
    this.optional++
    return true
  }

  /** Takes a union, where there is room. */
  union(): boolean {
    if (this.unions >= (this.limits.unions ?? Infinity)) return false
    this.unions++
    return true
  }
}
