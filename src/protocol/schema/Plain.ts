/**
 * A schema that only hints, for hosts that want an object at the root: https://platform.openai.com/docs/guides/function-calling
 *
 * Below the root nothing is changed. A root of another form is merged into an object, or becomes the member of one.
 *
 * @since 0.1.0
 */
import { setOwn } from "../../json/own.ts"
import type { Json, JsonObject } from "../../Message.ts"
import { type Document, isNode, isSame } from "../../validation/jsonSchema/document.ts"
import { shown } from "../../validation/jsonSchema/shown.ts"
import type { Unheld } from "./Lowered.ts"
import { hasStructure, type Shape, Shapes, typesIn } from "./Shape.ts"
import type { Undo } from "./Undo.ts"

/** Keywords that may not stand at the root. */
const joints = [
  "anyOf",
  "oneOf",
  "allOf",
  "not",
  "enum",
  "const",
  "if",
  "then",
  "else",
  "$ref",
  "$dynamicRef",
  "$recursiveRef"
]

/** A root as an object. @stability experimental @category models @since 0.1.0 */
export interface PlainRoot {
  readonly schema: JsonObject
  readonly undo: Undo | undefined
  readonly checks: ReadonlyArray<Unheld>
}

/**
 * The schema with an object at the root.
 *
 * @stability experimental
 * @category encoding
 * @since 0.1.0
 */
export const plainRoot = (document: Document, properties: boolean): PlainRoot => {
  const { root } = document
  if (root["type"] === "object" && joints.every((key) => root[key] === undefined)) {
    return {
      schema: isNode(root["properties"]) || !properties
        ? root
        // Any object: without the word it would be one without members.
        : { ...root, properties: {}, additionalProperties: root["additionalProperties"] ?? true },
      undo: undefined,
      checks: []
    }
  }
  const shapes = new Shapes(document)
  const shape = shapes.of([root], new Set())
  const types = typesIn(shape.parts)
  const object = shape.lost.length === 0 && !shape.never &&
    (shape.parts.length === 0 || (types !== undefined && types.includes("object") && types.length <= 2 &&
      types.every((type) => type === "object" || type === "null"))) &&
    shape.parts.every((part) => part["enum"] === undefined && part["const"] === undefined) &&
    shape.unions.every(({ list }) => list.every((one) => !hasStructure(shapes.of([one], new Set()))))
  const merged = object ? mergedOf(root, shape) : undefined
  return merged ?? wrapped(root)
}

const definitionsOf = (root: JsonObject): JsonObject => {
  const { $defs, definitions } = root
  return {
    ...($defs === undefined ? undefined : { $defs }),
    ...(definitions === undefined ? undefined : { definitions })
  } as JsonObject
}

/** All parts as one object; `undefined` where they say one thing in two ways. */
const mergedOf = (root: JsonObject, shape: Shape): PlainRoot | undefined => {
  const out: { [key: string]: Json } = { type: "object" }
  const properties: { [name: string]: Json } = {}
  const required = new Set<Json>()
  const lost: { [key: string]: Json } = {}
  const description = shape.description
  for (const part of shape.parts) {
    for (const [key, value] of Object.entries(part)) {
      if (value === undefined) continue
      switch (key) {
        case "type":
        case "nullable":
        case "allOf":
        case "$ref":
        case "$defs":
        case "definitions":
        case "description":
        case "$schema":
          break
        case "properties":
          for (const [name, one] of Object.entries(isNode(value) ? value : {})) {
            if (one === undefined) continue
            const known = Object.hasOwn(properties, name) ? properties[name] : undefined
            setOwn(properties, name, known === undefined || isSame(known, one) ? one : { allOf: [known, one] })
          }
          break
        case "required":
          for (const name of Array.isArray(value) ? value as ReadonlyArray<Json> : []) required.add(name)
          break
        case "additionalProperties":
        case "patternProperties":
          // Of the members of this part alone: it cannot be said of those of others.
          if (shape.parts.filter((one) => isNode(one["properties"])).length > 1) lost[key] ??= value
          else out[key] = value
          break
        default:
          if (joints.includes(key) || Object.hasOwn(out, key)) lost[key] ??= value
          else out[key] = value
      }
    }
  }
  const notes = Object.entries(lost)
  const text = [
    ...(description === undefined ? [] : [description]),
    ...(notes.length === 0
      ? []
      : [`Must hold: ${notes.map(([key, value]) => `${key}: ${shown(value, 1000)}`).join("; ")}.`])
  ].join("\n")
  const schema: JsonObject = {
    ...(text === "" ? undefined : { description: text }),
    ...out,
    properties,
    ...(required.size === 0 ? undefined : { required: [...required] }),
    ...definitionsOf(root)
  }
  return { schema, undo: undefined, checks: notes.map(([keyword]) => ({ at: "", keyword })) }
}

const name = "value"

/** The root as the member of an object; what refers into it is led there. */
const wrapped = (root: JsonObject): PlainRoot => {
  const { $defs, $schema: _, definitions, ...rest } = root
  const moved = (reference: string): string =>
    reference === "#"
      ? `#/properties/${name}`
      : /^#\/(?!\$defs\/|definitions\/)/.test(reference)
      ? `#/properties/${name}${reference.slice(1)}`
      : reference
  const led = (value: Json): Json => {
    if (Array.isArray(value)) return (value as ReadonlyArray<Json>).map(led)
    if (!isNode(value)) return value
    const out: { [key: string]: Json } = {}
    for (const [key, one] of Object.entries(value)) {
      if (one === undefined) continue
      setOwn(
        out,
        key,
        key === "$ref" && typeof one === "string" ? moved(one) : key === "enum" || key === "const" ? one : led(one)
      )
    }
    return out
  }
  return {
    schema: {
      type: "object",
      properties: { [name]: led(rest as JsonObject) },
      required: [name],
      ...($defs === undefined ? undefined : { $defs: led($defs) }),
      ...(definitions === undefined ? undefined : { definitions: led(definitions) })
    },
    undo: { kind: "wrapped", name, undo: undefined },
    checks: []
  }
}
