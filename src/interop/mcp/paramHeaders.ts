/**
 * Tools that want arguments sent as headers, so that what lies in between can see them. Over HTTP a client leaves out tools that ask for it
 * wrongly; the SDK does so in its own lists only, which are not used here.
 *
 * https://modelcontextprotocol.io/specification/2026-07-28/basic/transports (custom headers from tool parameters)
 *
 * @since 0.1.0
 */
import { isObject } from "./values.ts"

const key = "x-mcp-header"
const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
const types = new Set(["string", "integer", "boolean"])

/** Whether what a schema says of headers can be done. @stability experimental @category checks @since 0.1.0 */
export const headersFit = (schema: unknown): boolean => {
  const names = new Set<string>()
  // Headers are of properties alone, and of theirs: anywhere else the word is wrong.
  const fits = (node: unknown, isProperty: boolean): boolean => {
    if (Array.isArray(node)) return node.every((one) => fits(one, false))
    if (!isObject(node)) return true
    const header = node[key]
    if (header !== undefined) {
      if (!isProperty || typeof header !== "string" || !token.test(header)) return false
      if (typeof node.type !== "string" || !types.has(node.type) || names.has(header.toLowerCase())) return false
      names.add(header.toLowerCase())
    }
    return Object.entries(node).every(([name, value]) => {
      if (name === key || name === "default" || name === "const" || name === "enum" || name === "examples") return true
      if (name !== "properties" || !isObject(value)) return fits(value, false)
      return Object.values(value).every((one) => fits(one, reaches(node, isProperty)))
    })
  }
  /** The root, and properties of what is itself reached by properties alone. */
  const reaches = (node: unknown, isProperty: boolean): boolean => isProperty || node === schema
  return fits(schema, false)
}
