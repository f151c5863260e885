/**
 * What a lowering works with: schemas as they are sent, and where they stand.
 *
 * @since 0.1.0
 */
import type { Json, JsonObject } from "../../Message.ts"
import type { Document } from "../../validation/jsonSchema/document.ts"
import type { Dialect } from "./Dialect.ts"
import type { Shape, Shapes } from "./Shape.ts"
import type { Undo } from "./Undo.ts"

/** JSON being written. @stability experimental @category models @since 0.1.0 */
export type Draft = { [key: string]: Json }

/** A schema as it is sent. @stability experimental @category models @since 0.1.0 */
export interface Lowered {
  readonly schema: JsonObject
  readonly undo: Undo | undefined
  /** Whether null is a value of it. */
  readonly nullable: boolean
  /** Types of what is sent. */
  readonly kinds: ReadonlySet<string>
  /** Whether some of it is JSON text in a string that no other string may stand beside. */
  readonly text: boolean
  /** Levels within it. */
  readonly height: number
  /** Values within it. */
  readonly size: number
  /** Recursions that lead out of it. */
  readonly loops: ReadonlySet<Frame>
}

/** A shape whose lowering has begun. @stability experimental @category models @since 0.1.0 */
export interface Frame {
  readonly definition: { undo: Undo | undefined; name: string | undefined }
  recursive: boolean
}

/** What is said on our side. @stability experimental @category models @since 0.1.0 */
export interface Unheld {
  /** Where in the schema. */
  readonly at: string
  readonly keyword: string
}

/** Where a schema stands. @stability experimental @category models @since 0.1.0 */
export interface Place {
  /** Levels of objects and lists around it. */
  readonly depth: number
  readonly at: string
}

/** How a schema is lowered. @stability experimental @category models @since 0.1.0 */
export interface Settings {
  readonly dialect: Dialect
  /** Whether members that an open object does not name are asked for too. */
  readonly kept: boolean
  /** Whether titles, descriptions and what cannot be said go along. */
  readonly described: boolean
  /** Shapes that are lowered at most; what is left is JSON text. */
  readonly steps: number
  /** Levels at most, where the dialect has more. */
  readonly depth: number
}

/**
 * What lowers the parts of a schema.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Lowering {
  readonly settings: Settings
  readonly dialect: Dialect
  readonly document: Document
  readonly shapes: Shapes
  /** Levels at most. */
  readonly deepest: number
  /** Schemas that all hold; `undefined` when nothing can fit them. */
  lower(nodes: ReadonlyArray<Json>, place: Place): Lowered | undefined
  /** JSON text in a string. */
  text(shape: Shape, place: Place, why: string | undefined): Lowered
  /** A schema of one type. */
  plain(schema: JsonObject, kind: string): Lowered
  /** One of several forms; `undefined` of none. */
  union(forms: ReadonlyArray<Lowered>, shape: Shape, place: Place): Lowered | undefined
  /** A value as the only member of an object. */
  wrapped(form: Lowered, name: string): Lowered
  /** The form, or null. */
  orNull(form: Lowered): Lowered | undefined
  /** Whether the dialect holds the model to a keyword. */
  says(keyword: string, value: Json): boolean
  /** Notes what is held on our side. */
  note(place: Place, keyword: string): void
  /** Takes the room of an object's members, where there is some. */
  room(names: ReadonlyArray<string>): boolean
  /** Takes the room of the values of an enum, where there is some. */
  values(values: ReadonlyArray<Json>): boolean
  /** Whether one more member may be left out. */
  leave(): boolean
  describe(out: Draft, shape: Shape, notes: ReadonlyArray<readonly [string, Json]>, more?: string): void
}

/** No recursion leads out. @stability experimental @category constructors @since 0.1.0 */
export const noLoops: ReadonlySet<Frame> = new Set()

/** Recursions that lead out of any of the forms. @stability experimental @category reading @since 0.1.0 */
export const loopsOf = (forms: ReadonlyArray<Lowered>): ReadonlySet<Frame> => {
  const some = forms.filter(({ loops }) => loops.size > 0)
  return some.length === 0 ? noLoops : new Set(some.flatMap(({ loops }) => [...loops]))
}
