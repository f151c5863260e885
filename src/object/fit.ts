/**
 * Brings a value that a model wrote into the form its schema asks for, where there is one way only: `"12"` for a number, one element for a
 * list of one, `positive` for `POSITIVE`, a name in another case.
 *
 * What fits already is handed back as it is. Nothing is made up: a missing required field, a number that is not to be found, a word that
 * may be two, an element that fits nothing end in `undefined`. Of several ways, and of several alternatives of a schema, the one that changes
 * least is taken, of equals the first.
 *
 * @since 0.1.0
 */
import { candidatesIn } from "../json/extract.ts"
import { setOwn } from "../json/own.ts"
import type { Json, JsonObject } from "../json/value.ts"
import { alternativesAt, elementOf, namedValues, objectOf, propertyOf, typeOf, typesOf } from "./schemaNode.ts"

/**
 * A value in its form.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Fitted {
  readonly value: Json
  /** How much was changed; 0 for nothing. */
  readonly cost: number
  /** What was changed, with its place, such as `$.age: a number from text`. */
  readonly changes: ReadonlyArray<string>
}

const maxDepth = 64
/** Places that are looked at for one value, over all alternatives: a bound on what a crafted schema can cost. */
const maxVisits = 200_000

interface Walk {
  readonly root: JsonObject
  visits: number
}

const unchanged = (value: Json): Fitted => ({ value, cost: 0, changes: [] })

const changed = (value: Json, cost: number, path: string, what: string): Fitted => ({
  value,
  cost,
  changes: [`${path}: ${what}`]
})

const also = (fitted: Fitted | undefined, cost: number, path: string, what: string): Fitted | undefined =>
  fitted === undefined
    ? undefined
    : { value: fitted.value, cost: fitted.cost + cost, changes: [...fitted.changes, `${path}: ${what}`] }

// =============================================================================
// Words
// =============================================================================

const bare = (text: string): string => text.normalize("NFKD").toLowerCase().replace(/[^\p{L}\p{N}]+/gu, "")

const spaced = (text: string): string =>
  ` ${text.normalize("NFKD").toLowerCase().replace(/[^\p{L}\p{N}]+/gu, " ").trim()} `

/** Where each of the words stands in a text, as words of their own; the longest first, so that no other is found within it. */
const mentions = (
  text: string,
  words: ReadonlyArray<string>,
  form: (text: string) => string
): ReadonlyMap<string, number> => {
  let rest = form(text)
  const counts = new Map<string, number>()
  for (const word of words.toSorted((a, b) => b.length - a.length)) {
    const wanted = form(word)
    if (wanted.trim() === "") continue
    const pieces = rest.split(wanted)
    if (pieces.length > 1) {
      counts.set(word, pieces.length - 1)
      rest = pieces.join(" | ")
    }
  }
  return counts
}

const exactly = (text: string): string => ` ${text.replace(/[^\p{L}\p{N}_]+/gu, " ").trim()} `

/** The one word of a list that a text names; `undefined` for none, or for several. */
const wordIn = (
  text: string,
  words: ReadonlyArray<string>
): { readonly word: string; readonly cost: number } | undefined => {
  const trimmed = text.trim()
  if (words.includes(trimmed)) return { word: trimmed, cost: 1 }
  const alike = words.filter((word) => bare(word) === bare(trimmed))
  if (alike.length === 1) return { word: alike[0]!, cost: 2 }
  if (alike.length > 1) return undefined
  // `ONE: what it means`
  for (const form of [exactly, spaced]) {
    const found = [...mentions(text, words, form)]
    if (found.length === 0) continue
    const most = Math.max(...found.map(([, count]) => count))
    const top = found.filter(([, count]) => count === most)
    return top.length === 1 ? { word: top[0]![0], cost: 4 } : undefined
  }
  return undefined
}

// =============================================================================
// Numbers
// =============================================================================

const numeral = /[-+\u2212]?(?:\d[\d.,' \u00a0\u202f_]*\d|\d|\.\d+)(?:[eE][+-]?\d+)?(?:\s*\/\s*\d+(?:\.\d+)?)?/g

/** A number as people write it: `1,234.5`, `1.234,5`, `1 234`, `3/4`. */
const readNumeral = (text: string): number | undefined => {
  const compact = text.replaceAll(/['\s\u00a0\u202f_]/g, "").replace("\u2212", "-")
  const fraction = /^([^/]+)\/(\d+(?:\.\d+)?)$/.exec(compact)
  if (fraction !== null) {
    const [top, bottom] = [readNumeral(fraction[1]!), Number(fraction[2])]
    return top === undefined || bottom === 0 ? undefined : top / bottom
  }
  const plain = (form: string) => {
    const value = Number(form)
    return Number.isFinite(value) ? value : undefined
  }
  if (/^[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(compact)) return plain(compact)
  if (/^[-+]?\d{1,3}(?:,\d{2,3})*,\d{3}(?:\.\d+)?$/.test(compact)) return plain(compact.replaceAll(",", ""))
  if (/^[-+]?\d{1,3}(?:\.\d{3})+(?:,\d+)?$/.test(compact)) return plain(compact.replaceAll(".", "").replace(",", "."))
  if (/^[-+]?\d+,\d+$/.test(compact)) return plain(compact.replace(",", "."))
  return undefined
}

/** The one number in a text. */
const numberIn = (text: string): number | undefined => {
  const found = text.match(numeral) ?? []
  return found.length === 1 ? readNumeral(found[0]!.trim().replace(/[.,]$/, "")) : undefined
}

/** A number with its unit is short; longer text is prose. */
const longestQuantity = 100
const quantity =
  /^[\s$\u20ac\u00a3\u00a5~]*[-+\u2212]?[\d.,' \u00a0\u202f_/]+(?:[eE][+-]?\d+)?[\s$\u20ac\u00a3\u00a5%.]*$/u

const numberFrom = (text: string): { readonly value: number; readonly cost: number } | undefined => {
  const value = numberIn(text)
  if (value === undefined) return undefined
  return { value, cost: text.length <= longestQuantity && quantity.test(text) ? 2 : 5 }
}

const truths = new Map<string, boolean>([["true", true], ["false", false]])

const booleanIn = (text: string): { readonly value: boolean; readonly cost: number } | undefined => {
  const known = truths.get(bare(text))
  if (known !== undefined) return { value: known, cost: 2 }
  const found = wordIn(text, ["true", "false"])
  return found === undefined ? undefined : { value: found.word === "true", cost: 5 }
}

// =============================================================================
// Values
// =============================================================================

/** JSON that a model wrote into a string. */
const unwrapped = (text: string): ReadonlyArray<Json> =>
  /[[{]/.test(text)
    ? candidatesIn(text).map(({ value }) => value).filter((value) => typeof value === "object" && value !== null)
    : []

const fitNamed = (value: Json, named: ReadonlyArray<Json>, path: string): Fitted | undefined => {
  if (named.includes(value)) return unchanged(value)
  if (Array.isArray(value)) {
    return value.length === 0
      ? undefined
      : also(fitNamed(value[0]!, named, path), 4, path, "the first of a list")
  }
  const object = objectOf(value)
  if (object !== undefined) {
    const values = Object.values(object)
    const [only] = values
    return values.length === 1 && typeof only !== "object" && only !== undefined
      ? also(fitNamed(only, named, path), 4, path, "the only field of an object")
      : undefined
  }
  if (typeof value === "string") {
    const words = named.filter((one) => typeof one === "string")
    const found = wordIn(value, words)
    if (found !== undefined) return changed(found.word, found.cost, path, "a word of the list in another form")
    const others = named.filter((one) => typeof one !== "string")
    const same = others.filter((one) => String(one) === value.trim().toLowerCase())
    if (same.length === 1) return changed(same[0]!, 3, path, "a value from text")
    const number = numberIn(value)
    if (number !== undefined && others.includes(number)) return changed(number, 5, path, "a value from text")
    return undefined
  }
  return named.includes(String(value)) ? changed(String(value), 2, path, "text from a value") : undefined
}

const fitNumber = (value: Json, isInteger: boolean, path: string): Fitted | undefined => {
  const checked = (fitted: Fitted | undefined) =>
    fitted === undefined || (isInteger && !Number.isInteger(fitted.value)) ? undefined : fitted
  if (typeof value === "number") return checked(unchanged(value))
  if (typeof value === "string") {
    const found = numberFrom(value)
    return found === undefined ? undefined : checked(changed(found.value, found.cost, path, "a number from text"))
  }
  return undefined
}

const fitString = (value: Json, path: string): Fitted | undefined => {
  if (typeof value === "string") return unchanged(value)
  return typeof value === "number" || typeof value === "boolean"
    ? changed(String(value), 3, path, "text from a value")
    : undefined
}

const fitArray = (walk: Walk, value: Json, node: JsonObject, path: string, depth: number): Fitted | undefined => {
  if (!Array.isArray(value)) {
    if (value === null) return undefined
    if (typeof value === "string") {
      for (const inner of unwrapped(value)) {
        const fitted = Array.isArray(inner) ? fitArray(walk, inner, node, path, depth + 1) : undefined
        if (fitted !== undefined) return also(fitted, 3, path, "JSON within a string")
      }
    }
    return also(fitArray(walk, [value], node, path, depth + 1), 3, path, "a list of the one element")
  }
  let cost = 0
  let isSame = true
  const changes: Array<string> = []
  const list: Array<Json> = []
  for (let i = 0; i < value.length; i++) {
    const place = elementOf(node, i)
    const fitted = fitAt(walk, value[i]!, place ?? true, `${path}[${i}]`, depth + 1)
    if (fitted === undefined) return undefined
    cost += fitted.cost
    changes.push(...fitted.changes)
    isSame &&= fitted.value === value[i]
    list.push(fitted.value)
  }
  return { value: isSame ? value : list, cost, changes }
}

const fitObject = (walk: Walk, value: Json, node: JsonObject, path: string, depth: number): Fitted | undefined => {
  const given = objectOf(value)
  const declared = Object.keys(objectOf(node["properties"]) ?? {})
  const required = Array.isArray(node["required"]) ? node["required"].filter((name) => typeof name === "string") : []
  if (given === undefined) {
    if (Array.isArray(value)) {
      return value.length === 1
        ? also(fitObject(walk, value[0]!, node, path, depth + 1), 4, path, "the only element of a list")
        : undefined
    }
    if (typeof value === "string") {
      for (const inner of unwrapped(value)) {
        const fitted = objectOf(inner) === undefined ? undefined : fitObject(walk, inner, node, path, depth + 1)
        if (fitted !== undefined) return also(fitted, 3, path, "JSON within a string")
      }
      return undefined
    }
    return value === null ? undefined : fitOnly(walk, value, node, required, path, depth)
  }
  const names = Object.keys(given)
  const renamed = renamings(names, declared)
  const isClosed = node["additionalProperties"] === false
  let cost = 0
  let isSame = true
  const changes: Array<string> = []
  const fields: { [name: string]: Json } = {}
  let met = 0
  for (const name of names) {
    const target = renamed.get(name) ?? name
    if (target !== name) {
      cost += 1
      isSame = false
      changes.push(`${path}.${target}: a name in another form`)
    }
    const isDeclared = declared.includes(target)
    if (isDeclared) met++
    if (!isDeclared && isClosed) {
      cost += 1
      isSame = false
      changes.push(`${path}: a field too many`)
      continue
    }
    const fitted = fitAt(walk, given[name]!, propertyOf(node, target) ?? true, `${path}.${target}`, depth + 1)
    if (fitted === undefined) {
      // An optional field may be missing; one that says nothing is.
      if (given[name] !== null || required.includes(target)) return fitOnly(walk, value, node, required, path, depth)
      cost += 1
      isSame = false
      changes.push(`${path}.${target}: null for an absent field`)
      continue
    }
    cost += fitted.cost
    changes.push(...fitted.changes)
    isSame &&= fitted.value === given[name]
    setOwn(fields, target, fitted.value)
  }
  for (const name of required) {
    if (Object.hasOwn(fields, name)) continue
    const missing = fitAt(walk, null, propertyOf(node, name) ?? true, `${path}.${name}`, depth + 1)
    if (missing === undefined || missing.value !== null || missing.cost > 0) {
      return fitOnly(walk, value, node, required, path, depth)
    }
    cost += 2
    isSame = false
    changes.push(`${path}.${name}: null for an absent field`)
    setOwn(fields, name, null)
  }
  if (declared.length > 0 && met === 0 && names.length > 0 && isClosed) {
    return fitOnly(walk, value, node, required, path, depth)
  }
  return { value: isSame ? value : fields, cost, changes }
}

/** Which names stand for which fields that are not there under their own. */
const renamings = (names: ReadonlyArray<string>, declared: ReadonlyArray<string>): ReadonlyMap<string, string> => {
  const found = new Map<string, string>()
  const missing = declared.filter((name) => !names.includes(name))
  if (missing.length === 0) return found
  const byForm = Map.groupBy(missing, bare)
  const foreign = Map.groupBy(names.filter((name) => !declared.includes(name)), bare)
  for (const [form, [name, ...others]] of foreign) {
    const fields = byForm.get(form)
    if (form !== "" && name !== undefined && others.length === 0 && fields?.length === 1) found.set(name, fields[0]!)
  }
  return found
}

/** A value in place of the object that holds nothing but it. */
const fitOnly = (
  walk: Walk,
  value: Json,
  node: JsonObject,
  required: ReadonlyArray<string>,
  path: string,
  depth: number
): Fitted | undefined => {
  const [only, ...others] = required
  if (only === undefined || others.length > 0 || typeof value === "string" || value === null) return undefined
  if (objectOf(value) !== undefined && Object.hasOwn(objectOf(value)!, only)) return undefined
  const fitted = fitAt(walk, value, propertyOf(node, only) ?? true, `${path}.${only}`, depth + 1)
  if (fitted === undefined) return undefined
  const fields: { [name: string]: Json } = {}
  setOwn(fields, only, fitted.value)
  return {
    value: fields,
    cost: fitted.cost + 6,
    changes: [...fitted.changes, `${path}: the only field without its object`]
  }
}

const fitNode = (walk: Walk, value: Json, node: JsonObject, path: string, depth: number): Fitted | undefined => {
  const named = namedValues(node)
  if (named !== undefined) return fitNamed(value, named, path)
  const types = typesOf(node)
  if (types === undefined) return unchanged(value)
  let best: Fitted | undefined
  for (const type of types) {
    const fitted = fitType(walk, type, value, node, path, depth)
    if (fitted !== undefined && (best === undefined || fitted.cost < best.cost)) best = fitted
    if (best?.cost === 0) break
  }
  return best
}

const fitType = (
  walk: Walk,
  type: string,
  value: Json,
  node: JsonObject,
  path: string,
  depth: number
): Fitted | undefined => {
  switch (type) {
    case "string":
      return fitString(value, path)
    case "integer":
    case "number":
      return fitNumber(value, type === "integer", path)
    case "boolean": {
      if (typeof value === "boolean") return unchanged(value)
      const found = typeof value === "string" ? booleanIn(value) : undefined
      return found === undefined ? undefined : changed(found.value, found.cost, path, "a truth value from text")
    }
    case "null":
      if (value === null) return unchanged(value)
      return typeof value === "string" && /^\s*(?:null|none)\s*$/i.test(value)
        ? changed(null, 4, path, "null from text")
        : undefined
    case "array":
      return fitArray(walk, value, node, path, depth)
    case "object":
      return fitObject(walk, value, node, path, depth)
    default:
      return unchanged(value)
  }
}

const fitAt = (walk: Walk, value: Json, place: Json, path: string, depth: number): Fitted | undefined => {
  if (place === false) return undefined
  const node = objectOf(place)
  if (node === undefined || Object.keys(node).length === 0) return unchanged(value)
  if (depth > maxDepth || ++walk.visits > maxVisits) return undefined
  const alternatives = alternativesAt({ node, root: walk.root })
  if (alternatives.length === 0) return unchanged(value)
  let best: Fitted | undefined
  for (const one of alternatives) {
    const fitted = fitNode(walk, value, one, path, depth)
    if (fitted !== undefined && (best === undefined || fitted.cost < best.cost)) best = fitted
    if (best?.cost === 0 && isSureOf(one, value)) break
  }
  return best
}

/** Whether a node that takes the value as it is says enough to be the one meant. */
const isSureOf = (node: JsonObject, value: Json): boolean =>
  typeof value !== "object" || value === null || typesOf(node) !== undefined || typeOf(value) === "null"

/**
 * The value in the form of the schema, if there is one way to it.
 *
 * @stability experimental
 * @category combinators
 * @since 0.1.0
 */
export const fit = (value: Json, schema: JsonObject): Fitted | undefined =>
  fitAt({ root: schema, visits: 0 }, value, schema, "$", 0)
