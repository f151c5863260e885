/**
 * What of an object that is still being written may be shown, by its JSON Schema: text as it grows, a word of a fixed list only when it is
 * whole.
 *
 * @since 0.1.0
 */
import { type Guide, unguided } from "../json/growing.ts"
import type { Json, JsonObject } from "../json/value.ts"
import { alternativesAt, elementOf, propertyOf, typesOf } from "./schemaNode.ts"

/** Whether any beginning of a string of this node says as much as there is of it. */
const isFree = (node: JsonObject): boolean => {
  const types = typesOf(node)
  if (types !== undefined && !types.includes("string")) return true
  return node["enum"] === undefined && node["const"] === undefined && node["pattern"] === undefined &&
    node["format"] === undefined
}

class SchemaGuide implements Guide {
  private readonly places: ReadonlyArray<Json>
  private readonly root: JsonObject
  private nodes: ReadonlyArray<JsonObject> | undefined
  private readonly properties = new Map<string, Guide>()
  private readonly elements = new Map<number, Guide>()

  constructor(places: ReadonlyArray<Json>, root: JsonObject) {
    this.places = places
    this.root = root
  }

  private get alternatives(): ReadonlyArray<JsonObject> {
    return this.nodes ??= this.places.flatMap((node) => alternativesAt({ node, root: this.root }))
  }

  get grows(): boolean {
    return this.alternatives.every(isFree)
  }

  property(name: string): Guide {
    // What is remembered is bounded by the names a schema has, not by those an answer has.
    const known = this.properties.get(name)
    if (known !== undefined) return known
    const made = this.below((node) => propertyOf(node, name))
    if (this.properties.size < 1024) this.properties.set(name, made)
    return made
  }

  element(index: number): Guide {
    const at = Math.min(index, 64)
    const known = this.elements.get(at)
    if (known !== undefined) return known
    const made = this.below((node) => elementOf(node, at))
    this.elements.set(at, made)
    return made
  }

  private below(step: (node: JsonObject) => Json | undefined): Guide {
    const places = this.alternatives.flatMap((node) => {
      const place = step(node)
      return typeof place === "object" && place !== null ? [place] : []
    })
    return places.length === 0 ? unguided : new SchemaGuide(places, this.root)
  }
}

/**
 * The guide of a JSON Schema.
 *
 * @stability experimental
 * @category guides
 * @since 0.1.0
 */
export const guideOf = (schema: JsonObject): Guide => new SchemaGuide([schema], schema)
