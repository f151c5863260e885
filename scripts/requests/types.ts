/**
 * Schemas from the TypeScript types of vendors' SDKs, where those spell the wire itself.
 */
import { fileURLToPath } from "node:url"
import ts from "typescript-5.9"
import type { Fields } from "./Fault.ts"

/** A type by its name in the entry of a package: `Chat.ChatCompletionCreateParams`. */
export interface TypeName {
  /** File of declarations. */
  readonly file: string
  readonly name: string
}

const { SymbolFlags, TypeFlags } = ts

/** The name of a type in the document that `schemasOf` makes. */
export const nameOf = ({ file, name }: TypeName): string => `${file}#${name}`.replaceAll("/", ":")

/** Reads types as a document of schemas: each asked for is below `#/definitions` by its `nameOf`. */
export const schemasOf = (asked: ReadonlyArray<TypeName>): Fields => {
  const program = ts.createProgram([...new Set(asked.map(({ file }) => file))], {
    skipLibCheck: true,
    strict: true,
    noEmit: true,
    types: [],
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext
  })
  const types = program.getTypeChecker()
  const definitions: { [name: string]: unknown } = {}
  const names = new Map<ts.Type, string>()

  const objectOf = (type: ts.Type): Fields => {
    const properties: { [name: string]: unknown } = {}
    const required: Array<string> = []
    for (const property of types.getPropertiesOfType(type)) {
      const place = property.valueDeclaration ?? property.declarations?.[0]
      const own = place === undefined
        ? types.getTypeOfSymbol(property)
        : types.getTypeOfSymbolAtLocation(property, place)
      properties[property.name] = schemaOf(own)
      if ((property.flags & SymbolFlags.Optional) === 0) required.push(property.name)
    }
    const index = types.getIndexInfoOfType(type, ts.IndexKind.String)
    return {
      type: "object",
      properties,
      required,
      additionalProperties: index === undefined ? false : schemaOf(index.type)
    }
  }

  const isBytes = (type: ts.Type) => /^(?:Uint8Array|Buffer|Blob|Date)\b/.test(type.symbol?.name ?? "")

  /** Streams, iterators and the like; not records and the mapped types made of an SDK's own. */
  const isOfTheLanguage = (type: ts.Type) =>
    type.aliasSymbol === undefined &&
    (type.symbol?.declarations ?? []).some((one) => program.isSourceFileDefaultLibrary(one.getSourceFile())) &&
    (type.symbol.flags & SymbolFlags.TypeLiteral) === 0

  const schemaOf = (type: ts.Type): unknown => {
    if ((type.flags & (TypeFlags.Any | TypeFlags.Unknown | TypeFlags.NonPrimitive)) !== 0) return {}
    if ((type.flags & TypeFlags.Null) !== 0) return { type: "null" }
    if (type.isStringLiteral() || type.isNumberLiteral()) return { const: type.value }
    if ((type.flags & TypeFlags.Boolean) !== 0) return { type: "boolean" }
    if ((type.flags & TypeFlags.BooleanLiteral) !== 0) return { const: types.typeToString(type) === "true" }
    if ((type.flags & TypeFlags.StringLike) !== 0) return { type: "string" }
    if ((type.flags & TypeFlags.NumberLike) !== 0) return { type: "number" }
    if (type.isIntersection() && type.types.some((one) => (one.flags & TypeFlags.StringLike) !== 0)) {
      return { type: "string" }
    }
    if (isBytes(type)) return { type: "string" }
    if (!type.isUnion() && !isList(type) && (type.getCallSignatures().length > 0 || isOfTheLanguage(type))) return {}
    if ((type.flags & (TypeFlags.Object | TypeFlags.Intersection | TypeFlags.Union)) === 0) return {}
    const before = names.get(type)
    if (before !== undefined) return { $ref: `#/definitions/${before}` }
    const name = `T${names.size}`
    names.set(type, name)
    definitions[name] = type.isUnion() ? unionOf(type) : isList(type) ? arrayOf(type) : objectOf(type)
    return { $ref: `#/definitions/${name}` }
  }

  const isList = (type: ts.Type) =>
    types.isArrayType(type) || types.isTupleType(type) || /^(?:Readonly)?Array$/.test(type.symbol?.name ?? "")

  const arrayOf = (type: ts.Type): Fields => {
    const [item] = types.getTypeArguments(type as ts.TypeReference)
    return { type: "array", ...(item === undefined ? {} : { items: schemaOf(item) }) }
  }

  const unionOf = (type: ts.UnionType): unknown => {
    const members = type.types.filter((one) => (one.flags & (TypeFlags.Undefined | TypeFlags.Void)) === 0)
    const literals = members.filter((one) => one.isStringLiteral()).map((one) => (one as ts.StringLiteralType).value)
    const others = members.filter((one) => !one.isStringLiteral()).map(schemaOf)
    const parts = literals.length === 0 ? others : [{ enum: literals }, ...others]
    return parts.length === 1 ? parts[0] : { anyOf: parts }
  }

  const exported = (file: string): ReadonlyArray<ts.Symbol> => {
    const source = program.getSourceFile(file)
    const symbol = source === undefined ? undefined : types.getSymbolAtLocation(source)
    return symbol === undefined ? [] : types.getExportsOfModule(symbol)
  }

  for (const { file, name } of asked) {
    let scope = exported(file)
    let found: ts.Symbol | undefined
    for (const step of name.split(".")) {
      found = scope.find((one) => one.name === step)
      if (found === undefined) break
      if ((found.flags & SymbolFlags.Alias) !== 0) found = types.getAliasedSymbol(found)
      scope = [...found.exports?.values() ?? []]
    }
    if (found !== undefined) definitions[nameOf({ file, name })] = schemaOf(types.getDeclaredTypeOfSymbol(found))
  }
  return { definitions }
}

/** A file of an installed package. */
export const installed = (file: string): string => fileURLToPath(new URL(`../../node_modules/${file}`, import.meta.url))
