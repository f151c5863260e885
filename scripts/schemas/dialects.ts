/**
 * What hosts' documentation says they refuse, written for this script alone and without the compiler: for each dialect a
 * function that says why a schema would be refused.
 *
 * @since 0.1.0
 */
type Node = { readonly [key: string]: unknown }

const isNode = (value: unknown): value is Node => typeof value === "object" && value !== null && !Array.isArray(value)
const listOf = (value: unknown): ReadonlyArray<unknown> => Array.isArray(value) ? value : []

interface Rules {
  /** Keywords a schema may have, by type; `""` are those of any. */
  readonly keywords: { readonly [type: string]: ReadonlyArray<string> }
  readonly rootObject: boolean
  readonly allRequired: boolean
  readonly closed: boolean
  readonly typed: boolean
  readonly typeLists: boolean
  readonly enumKinds?: ReadonlyArray<string>
  readonly formats?: ReadonlyArray<string>
  readonly recursion: "yes" | "no" | "optional"
  readonly depth?: number
  readonly properties?: number
  readonly enums?: number
  readonly names?: number
  readonly longEnum?: readonly [above: number, characters: number]
  readonly length?: number
  readonly optional?: number
  readonly unions?: number
  readonly branches?: number
  readonly minItems?: ReadonlyArray<number>
  readonly propertyName?: RegExp
  readonly lookaround?: boolean
}

const general = ["type", "title", "description", "enum", "anyOf", "$ref", "$defs"]

/** https://platform.openai.com/docs/guides/structured-outputs#supported-schemas */
const openAi: Rules = {
  keywords: {
    "": general,
    string: ["pattern", "format"],
    number: ["multipleOf", "maximum", "exclusiveMaximum", "minimum", "exclusiveMinimum"],
    object: ["properties", "required", "additionalProperties"],
    array: ["items", "minItems", "maxItems"]
  },
  rootObject: true,
  allRequired: true,
  closed: true,
  typed: true,
  typeLists: true,
  formats: ["date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"],
  recursion: "yes",
  depth: 10,
  properties: 5000,
  enums: 1000,
  names: 120_000,
  longEnum: [250, 15_000],
  lookaround: false
}

/** https://platform.claude.com/docs/en/build-with-claude/structured-outputs#json-schema-limitations */
const anthropic: Rules = {
  keywords: {
    "": [...general, "const", "default", "allOf"],
    string: ["pattern", "format"],
    number: [],
    object: ["properties", "required", "additionalProperties"],
    array: ["items", "minItems"]
  },
  rootObject: true,
  allRequired: false,
  closed: true,
  typed: true,
  typeLists: true,
  formats: ["date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"],
  recursion: "no",
  optional: 24,
  unions: 16,
  minItems: [0, 1],
  propertyName: /^[a-zA-Z0-9_.-]{1,64}$/,
  lookaround: false
}

/** https://ai.google.dev/api/generate-content#FIELDS.response_json_schema */
const gemini: Rules = {
  keywords: {
    "": [...general, "$id", "$anchor", "oneOf"],
    string: ["format"],
    number: ["minimum", "maximum", "format"],
    object: ["properties", "required", "additionalProperties", "propertyOrdering"],
    array: ["items", "prefixItems", "minItems", "maxItems"]
  },
  rootObject: false,
  allRequired: false,
  closed: false,
  typed: true,
  typeLists: true,
  enumKinds: ["string", "number"],
  recursion: "optional"
}

/** https://inference-docs.cerebras.ai/capabilities/structured-outputs */
const cerebras: Rules = {
  keywords: {
    "": general,
    string: [],
    number: [],
    object: ["properties", "required", "additionalProperties"],
    array: ["items", "prefixItems"]
  },
  rootObject: true,
  allRequired: true,
  closed: true,
  typed: true,
  typeLists: false,
  recursion: "no",
  depth: 10,
  properties: 500,
  enums: 500,
  longEnum: [250, 7500],
  length: 5000,
  branches: 5
}

/** https://learn.microsoft.com/azure/ai-foundry/openai/how-to/structured-outputs */
const azure: Rules = {
  ...openAi,
  keywords: {
    "": general,
    string: [],
    number: [],
    object: ["properties", "required", "additionalProperties"],
    array: ["items"]
  },
  depth: 5,
  properties: 100
}

/** Rules by name of dialect. */
export const rules: { readonly [name: string]: Rules } = { openAi, anthropic, gemini, cerebras, azure }

interface Counts {
  properties: number
  enums: number
  names: number
  optional: number
  unions: number
}

/** Why a host with these rules refuses a schema, or `undefined`. */
export const refusal = (schema: Node, given: Rules): string | undefined => {
  const counts: Counts = { properties: 0, enums: 0, names: 0, optional: 0, unions: 0 }
  const definitions = isNode(schema["$defs"]) ? schema["$defs"] : {}
  if (given.rootObject && schema["type"] !== "object") return "the root is no object"
  if (schema["anyOf"] !== undefined || schema["$ref"] !== undefined) return "the root is a union or a reference"
  if (given.length !== undefined && JSON.stringify(schema).length > given.length) return "too long"
  const heights = new Map<string, number>()
  const under = new Set<string>()
  let problem: string | undefined
  const fail = (message: string, at: string) => {
    problem ??= `${message} at ${at === "" ? "the root" : at}`
  }

  /** Levels of objects and lists below. `free` says that a member that may be left out is above. */
  const visit = (node: unknown, at: string, free: ReadonlySet<string>): number => {
    if (problem !== undefined) return 0
    if (!isNode(node)) {
      fail("a schema that is no object", at)
      return 0
    }
    const reference = node["$ref"]
    if (reference !== undefined) {
      if (Object.keys(node).length > 1) fail("a reference with siblings", at)
      const name = /^#\/\$defs\/([^/]+)$/.exec(String(reference))?.[1]
      if (name === undefined || !isNode(definitions[name])) {
        fail(`a reference ${String(reference)} that is not one of $defs`, at)
        return 0
      }
      if (under.has(name)) {
        if (given.recursion === "no") fail("recursion", at)
        if (given.recursion === "optional" && !free.has(name)) fail("recursion below a required member", at)
        return 0
      }
      const known = heights.get(name)
      if (known !== undefined) return known
      under.add(name)
      const height = visit(definitions[name], `$defs.${name}`, new Set([...free].filter((one) => one !== name)))
      under.delete(name)
      heights.set(name, height)
      return height
    }
    const types = typeof node["type"] === "string" ? [node["type"]] : listOf(node["type"]).map(String)
    if (Array.isArray(node["type"]) && !given.typeLists) fail("a list of types", at)
    const branches = node["anyOf"]
    if (branches !== undefined && types.length > 0) fail("anyOf beside type", at)
    if (branches === undefined && types.length === 0 && given.typed) fail("a schema without a type", at)
    if (types.length > 1 || branches !== undefined) counts.unions++
    const kinds = types.map((type) => type === "integer" ? "number" : type)
    const known = new Set([...given.keywords[""]!, ...kinds.flatMap((kind) => given.keywords[kind] ?? [])])
    for (const key of Object.keys(node)) if (!known.has(key)) fail(`the keyword ${key}`, at)
    const { enum: values, format, items, minItems, pattern, prefixItems } = node
    if (values !== undefined) {
      const list = listOf(values)
      if (list.length === 0) fail("an empty enum", at)
      if (list.some((one) => typeof one === "object" && one !== null)) fail("an enum of objects", at)
      if (given.enumKinds !== undefined && list.some((one) => !given.enumKinds!.includes(typeof one))) {
        fail("an enum of other values", at)
      }
      const characters = list.reduce<number>((all, one) => all + String(one).length, 0)
      counts.enums += list.length
      counts.names += characters
      if (given.longEnum !== undefined && list.length > given.longEnum[0] && characters > given.longEnum[1]) {
        fail("an enum that is too long", at)
      }
    }
    if (format !== undefined && given.formats !== undefined && !given.formats.includes(String(format))) {
      fail(`the format ${String(format)}`, at)
    }
    if (minItems !== undefined && given.minItems !== undefined && !given.minItems.includes(Number(minItems))) {
      fail("minItems", at)
    }
    if (typeof pattern === "string" && given.lookaround === false && /\(\?[=!<]|\\[1-9bB]/.test(pattern)) {
      fail("a pattern that looks around", at)
    }
    let height = 0
    if (branches !== undefined) {
      const list = listOf(branches)
      if (list.length === 0) fail("an empty anyOf", at)
      if (given.branches !== undefined && list.length > given.branches) fail("too many members of anyOf", at)
      for (const [i, one] of list.entries()) height = Math.max(height, visit(one, `${at}.anyOf[${i}]`, free))
    }
    if (types.includes("array")) {
      if (items === undefined && prefixItems === undefined && given.typed) fail("a list without items", at)
      let inner = 0
      for (const [i, one] of listOf(prefixItems).entries()) inner = Math.max(inner, visit(one, `${at}[${i}]`, free))
      if (items !== undefined && !(items === false && prefixItems !== undefined)) {
        inner = Math.max(inner, visit(items, `${at}.items`, free))
      }
      height = Math.max(height, 1 + inner)
    }
    if (types.includes("object")) height = Math.max(height, 1 + members(node, at, free))
    return height
  }

  const members = (node: Node, at: string, free: ReadonlySet<string>): number => {
    const { additionalProperties, properties, required } = node
    const names = isNode(properties) ? Object.keys(properties) : []
    const needed = new Set(listOf(required).map(String))
    let height = 0
    counts.properties += names.length
    counts.names += names.reduce((all, name) => all + name.length, 0)
    if (given.closed && additionalProperties !== false) fail("an open object", at)
    if (given.closed && properties === undefined && given.allRequired) fail("an object without properties", at)
    for (const name of needed) if (!names.includes(name)) fail(`a required member ${name} without a schema`, at)
    for (const name of names) {
      if (given.propertyName !== undefined && !given.propertyName.test(name)) fail(`a member named ${name}`, at)
      if (!needed.has(name)) {
        counts.optional++
        if (given.allRequired) fail(`the member ${name}, which is not required,`, at)
      }
      const inside = needed.has(name) ? free : new Set([...free, ...under])
      height = Math.max(height, visit((properties as Node)[name], `${at}.${name}`, inside))
    }
    if (isNode(additionalProperties)) height = Math.max(height, visit(additionalProperties, `${at}.*`, free))
    return height
  }

  const height = visit(schema, "", new Set())
  for (const name of Object.keys(definitions)) if (!heights.has(name)) visit({ $ref: `#/$defs/${name}` }, "", new Set())
  if (problem !== undefined) return problem
  if (height > (given.depth ?? Infinity)) return `${height} levels`
  if (counts.properties > (given.properties ?? Infinity)) return `${counts.properties} properties`
  if (counts.enums > (given.enums ?? Infinity)) return `${counts.enums} values of enums`
  if (counts.names > (given.names ?? Infinity)) return `${counts.names} characters of names`
  if (counts.optional > (given.optional ?? Infinity)) return `${counts.optional} members that may be left out`
  if (counts.unions > (given.unions ?? Infinity)) return `${counts.unions} unions`
  return undefined
}
