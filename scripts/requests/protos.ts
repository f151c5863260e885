/**
 * Schemas from protocol buffers, as `protobufjs` writes descriptors, in their JSON mapping.
 * https://protobuf.dev/programming-guides/json/
 */
import { type Fields, fieldsOf } from "./Fault.ts"

const scalars: { readonly [type: string]: Fields } = {
  string: { type: "string" },
  bytes: { type: "string" },
  bool: { type: "boolean" },
  double: { type: "number" },
  float: { type: "number" },
  int32: { type: "integer" },
  uint32: { type: "integer" },
  int64: { type: ["integer", "string"] },
  uint64: { type: ["integer", "string"] },
  "google.protobuf.Struct": { type: "object" },
  "google.protobuf.Value": {},
  "google.protobuf.ListValue": { type: "array" },
  "google.protobuf.Duration": { type: "string" },
  "google.protobuf.Timestamp": { type: "string" }
}

/** Reads the messages of a package as a document of schemas, each below `#/definitions` by its full name. */
export const schemasOfProtos = (descriptor: unknown, packageName: string): Fields => {
  let scope: Fields = fieldsOf(descriptor)
  for (const step of packageName.split(".")) scope = fieldsOf(fieldsOf(scope["nested"])[step])
  const definitions: { [name: string]: unknown } = {}
  const declared = new Set<string>()
  const declare = (node: Fields, prefix: string): void => {
    for (const [name, child] of Object.entries(fieldsOf(node["nested"]))) {
      declared.add(prefix + name)
      declare(fieldsOf(child), `${prefix}${name}.`)
    }
  }
  declare(scope, "")

  /** The innermost scope that declares the type wins. */
  const find = (type: string, within: string): Fields => {
    const scalar = scalars[type] ?? scalars[`google.protobuf.${type}`]
    if (scalar !== undefined) return scalar
    const steps = within.split(".")
    for (let depth = steps.length; depth >= 0; depth--) {
      const name = [...steps.slice(0, depth), type].join(".")
      if (declared.has(name)) return { $ref: `#/definitions/${name}` }
    }
    return {}
  }

  const read = (node: Fields, prefix: string): void => {
    for (const [name, value] of Object.entries(fieldsOf(node["nested"]))) {
      const child = fieldsOf(value)
      const full = prefix + name
      if ("values" in child) definitions[full] = { type: "string", enum: Object.keys(fieldsOf(child["values"])) }
      if ("fields" in child) {
        const properties: { [field: string]: unknown } = {}
        const required: Array<string> = []
        for (const [field, about] of Object.entries(fieldsOf(child["fields"]))) {
          const { keyType, options, rule, type } = fieldsOf(about)
          const one = find(String(type), full)
          properties[field] = rule === "repeated"
            ? { type: "array", items: one }
            : keyType === undefined
            ? one
            : { type: "object", additionalProperties: one }
          if (JSON.stringify(options ?? "").includes("\"REQUIRED\"")) required.push(field)
        }
        definitions[full] = { type: "object", properties, required, additionalProperties: false }
      }
      read(child, `${full}.`)
    }
  }
  read(scope, "")
  return { definitions }
}
