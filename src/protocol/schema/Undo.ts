/**
 * What was done to the form of a value, so that an answer is read back, and a value written as the model would write it.
 *
 * Reading is total: what does not have the form that was asked for stays as it is, and is left to the check of the schema.
 *
 * @since 0.1.0
 */
import { ownOf, setOwn } from "../../json/own.ts"
import { parseJson } from "../../json/parse.ts"
import type { Json, JsonObject } from "../../Message.ts"
import type { Document } from "../../validation/jsonSchema/document.ts"
import { isNode } from "../../validation/jsonSchema/document.ts"
import { misfitOf } from "../../validation/jsonSchema/misfits.ts"

/** A member of an object as it is sent. @stability experimental @category models @since 0.1.0 */
export interface Member {
  /** Its name in the value. */
  readonly name: string
  readonly undo: Undo | undefined
  /**
   * What stands for an absent member: nothing, null, null beside `{ value }` where null is a value too, or an empty list
   * beside a list of one.
   */
  readonly absent: "absent" | "null" | "wrapped" | "list"
}

/** A change of form; `undefined` is none. @stability experimental @category models @since 0.1.0 */
export type Undo =
  /** The value stands in a string, as JSON text. */
  | { readonly kind: "text" }
  /** Members by the names they are sent with; `others` is of all members that are not named, `rest` the list of such. */
  | {
    readonly kind: "object"
    readonly members: ReadonlyMap<string, Member>
    readonly others?: Undo | undefined
    readonly rest?: { readonly name: string; readonly undo: Undo | undefined } | undefined
  }
  /** A map is a list of `{ key, value }`. */
  | { readonly kind: "pairs"; readonly undo: Undo | undefined }
  | { readonly kind: "list"; readonly items: ReadonlyArray<Undo | undefined>; readonly rest: Undo | undefined }
  /** A tuple is an object with a member for each place. */
  | {
    readonly kind: "tuple"
    readonly places: ReadonlyArray<Member>
    readonly rest?: { readonly name: string; readonly undo: Undo | undefined } | undefined
  }
  /** The value is the only member of an object. */
  | { readonly kind: "wrapped"; readonly name: string; readonly undo: Undo | undefined }
  /** The first form that fits says how to read it. */
  | {
    readonly kind: "union"
    readonly forms: ReadonlyArray<{ readonly schema: JsonObject; readonly undo: Undo | undefined }>
  }
  | { readonly kind: "reference"; readonly to: { readonly undo: Undo | undefined } }

/**
 * Whether a change of form changes nothing, recursive ones included.
 *
 * @stability experimental
 * @category predicates
 * @since 0.1.0
 */
export const isNothing = (undo: Undo | undefined, seen: Set<object> = new Set()): boolean => {
  if (undo === undefined) return true
  if (undo.kind === "reference") {
    if (seen.has(undo.to)) return true
    seen.add(undo.to)
    return isNothing(undo.to.undo, seen)
  }
  if (undo.kind === "list") return isNothing(undo.rest, seen) && undo.items.every((one) => isNothing(one, seen))
  if (undo.kind === "union") return undo.forms.every((one) => isNothing(one.undo, seen))
  if (undo.kind !== "object" || undo.rest !== undefined || !isNothing(undo.others, seen)) return false
  for (const [name, member] of undo.members) {
    if (member.name !== name || member.absent !== "absent" || !isNothing(member.undo, seen)) return false
  }
  return true
}

/** Wraps an object's value that can be null and absent. */
const valueName = "value"

/**
 * The value of an answer. `sent` is the schema as it was sent.
 *
 * @stability experimental
 * @category reading
 * @since 0.1.0
 */
export const read = (undo: Undo | undefined, value: Json, sent: Document): Json => {
  if (undo === undefined) return value
  switch (undo.kind) {
    case "text":
      return textual(value)
    case "reference":
      return read(undo.to.undo, value, sent)
    case "wrapped": {
      const inner = isNode(value) && Object.keys(value).length === 1 ? ownOf(value, undo.name) : undefined
      return inner === undefined ? value : read(undo.undo, inner, sent)
    }
    case "union": {
      const form = undo.forms.find(({ schema }) => misfitOf(sent, value, schema) === undefined)
      return form === undefined ? value : read(form.undo, value, sent)
    }
    case "list":
      return Array.isArray(value)
        ? (value as ReadonlyArray<Json>).map((one, at) =>
          read(at < undo.items.length ? undo.items[at] : undo.rest, one, sent)
        )
        : value
    case "pairs":
      return Array.isArray(value) ? fromPairs({}, value as ReadonlyArray<Json>, undo.undo, sent) ?? value : value
    case "tuple":
      return isNode(value) ? readTuple(undo, value, sent) : value
    case "object":
      return isNode(value) ? readObject(undo, value, sent) : value
  }
}

const textual = (value: Json): Json => {
  const found = typeof value === "string" ? parseJson(value) : undefined
  return found === undefined ? value : found
}

const fromPairs = (
  out: { [name: string]: Json },
  pairs: ReadonlyArray<Json>,
  undo: Undo | undefined,
  sent: Document
): { [name: string]: Json } | undefined => {
  for (const pair of pairs) {
    if (!isNode(pair)) return undefined
    const { key, value } = pair
    if (typeof key !== "string" || value === undefined) return undefined
    setOwn(out, key, read(undo, value, sent))
  }
  return out
}

/** The value of a member, `undefined` when it is absent. */
const readMember = ({ absent, undo }: Member, value: Json, sent: Document): Json | undefined => {
  if (value === null && (absent === "null" || absent === "wrapped")) return undefined
  if (absent === "wrapped") {
    const inner = isNode(value) && Object.keys(value).length === 1 ? ownOf(value, valueName) : undefined
    return inner === undefined ? value : read(undo, inner, sent)
  }
  if (absent === "list" && Array.isArray(value)) {
    const list = value as ReadonlyArray<Json>
    if (list.length === 0) return undefined
    if (list.length === 1) return read(undo, list[0]!, sent)
  }
  return read(undo, value, sent)
}

const readObject = (undo: Undo & { readonly kind: "object" }, value: JsonObject, sent: Document): Json => {
  const out: { [name: string]: Json } = {}
  for (const [name, one] of Object.entries(value)) {
    if (one === undefined) continue
    if (undo.rest !== undefined && name === undo.rest.name && Array.isArray(one)) {
      if (fromPairs(out, one as ReadonlyArray<Json>, undo.rest.undo, sent) === undefined) setOwn(out, name, one)
      continue
    }
    const member = undo.members.get(name)
    if (member === undefined) {
      setOwn(out, name, read(undo.others, one, sent))
      continue
    }
    const found = readMember(member, one, sent)
    if (found !== undefined) setOwn(out, member.name, found)
  }
  return out
}

const readTuple = (undo: Undo & { readonly kind: "tuple" }, value: JsonObject, sent: Document): Json => {
  const out: Array<Json> = []
  for (const place of undo.places) {
    const one = ownOf(value, place.name)
    const found = one === undefined ? undefined : readMember(place, one, sent)
    if (found === undefined) return out
    out.push(found)
  }
  const rest = undo.rest === undefined ? undefined : ownOf(value, undo.rest.name)
  if (Array.isArray(rest)) {
    for (const one of rest as ReadonlyArray<Json>) out.push(read(undo.rest!.undo, one, sent))
  }
  return out
}

/**
 * A value in the form that was sent, as the model would write it; the reverse of `read`.
 *
 * @stability experimental
 * @category writing
 * @since 0.1.0
 */
export const write = (undo: Undo | undefined, value: Json, sent: Document): Json => {
  if (undo === undefined) return value
  switch (undo.kind) {
    case "text":
      return JSON.stringify(value)
    case "reference":
      return write(undo.to.undo, value, sent)
    case "wrapped":
      return { [undo.name]: write(undo.undo, value, sent) }
    case "union": {
      for (const form of undo.forms) {
        const made = write(form.undo, value, sent)
        if (misfitOf(sent, made, form.schema) === undefined) return made
      }
      return value
    }
    case "list":
      return Array.isArray(value)
        ? (value as ReadonlyArray<Json>).map((one, at) =>
          write(at < undo.items.length ? undo.items[at] : undo.rest, one, sent)
        )
        : value
    case "pairs":
      return isNode(value) ? pairsOf(Object.entries(value), undo.undo, sent) : value
    case "tuple":
      return Array.isArray(value) ? writeTuple(undo, value as ReadonlyArray<Json>, sent) : value
    case "object":
      return isNode(value) ? writeObject(undo, value, sent) : value
  }
}

const pairsOf = (
  entries: ReadonlyArray<readonly [string, Json | undefined]>,
  undo: Undo | undefined,
  sent: Document
): Json => entries.map(([key, one]) => ({ key, value: write(undo, one!, sent) }))

const writeMember = ({ absent, undo }: Member, value: Json | undefined, sent: Document): Json | undefined => {
  if (value === undefined) return absent === "absent" ? undefined : absent === "list" ? [] : null
  const made = write(undo, value, sent)
  return absent === "wrapped" ? { [valueName]: made } : absent === "list" ? [made] : made
}

const writeObject = (undo: Undo & { readonly kind: "object" }, value: JsonObject, sent: Document): Json => {
  const out: { [name: string]: Json } = {}
  const named = new Set<string>()
  for (const [name, member] of undo.members) {
    named.add(member.name)
    const made = writeMember(member, ownOf(value, member.name), sent)
    if (made !== undefined) setOwn(out, name, made)
  }
  const others = Object.entries(value).filter(([name]) => !named.has(name))
  if (undo.rest !== undefined) setOwn(out, undo.rest.name, pairsOf(others, undo.rest.undo, sent))
  else for (const [name, one] of others) setOwn(out, name, write(undo.others, one!, sent))
  return out
}

const writeTuple = (
  undo: Undo & { readonly kind: "tuple" },
  value: ReadonlyArray<Json>,
  sent: Document
): Json => {
  const out: { [name: string]: Json } = {}
  for (const [at, place] of undo.places.entries()) {
    const made = writeMember(place, value[at], sent)
    if (made !== undefined) setOwn(out, place.name, made)
  }
  if (undo.rest !== undefined) {
    setOwn(out, undo.rest.name, value.slice(undo.places.length).map((one) => write(undo.rest!.undo, one, sent)))
  }
  return out
}
