/**
 * Names of tools that every provider takes and that mean one tool of one server for ever.
 *
 * A name depends on nothing but the server, its prefix and the server's own name for the tool: not on what other tools there are, which
 * servers answer, or in which order. A name that is changed on the way carries a mark made of all that it stands for, and so do all names of
 * a server whose prefix overlaps with that of an earlier one.
 *
 * @since 0.1.0
 */
import { digest } from "../../agent/run/digest.ts"

const longest = 64
const markLength = 9

/** A prefix in characters that providers take. @stability experimental @category names @since 0.1.0 */
export const prefixOf = (prefix: string): string =>
  prefix.replaceAll(/[^A-Za-z0-9_-]/g, "_").replace(/^(?=[^A-Za-z_])/, "_").slice(0, 32)

/** Whether names of two prefixes can be the same. @stability experimental @category names @since 0.1.0 */
export const overlaps = (a: string, b: string): boolean => a.startsWith(b) || b.startsWith(a)

/** The name under which a tool is offered. @stability experimental @category names @since 0.1.0 */
export const nameOf = (server: string, prefix: string, marked: boolean, name: string): string => {
  const wanted = `${prefix}${name}`
  const plain = wanted.replaceAll(/[^A-Za-z0-9_-]/g, "_").replace(/^(?=[^A-Za-z_])/, "_")
  // A name that looks marked is marked, so that no server can give a tool the name of another one.
  const looksMarked = /_[A-Za-z0-9]{8}$/.test(plain) && /[A-Z0-9]/.test(plain.slice(-8))
  if (!marked && plain === wanted && plain.length > 0 && plain.length <= longest && !looksMarked) return plain
  const mark = digest([server, name]).replaceAll(/[^A-Za-z0-9]/g, "").padEnd(8, "0").slice(0, 8)
  return `${plain.slice(0, longest - markLength)}_${mark}`
}
