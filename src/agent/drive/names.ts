/**
 * Names that every provider takes.
 *
 * Providers refuse dots, slashes, spaces and more than 64 characters. Tools with such names are offered under another one, which the
 * history keeps; handlers are found by their own.
 *
 * https://developers.openai.com/api/docs/guides/function-calling, https://ai.google.dev/api/caching#FunctionDeclaration
 *
 * @since 0.1.0
 */
import type { LlmTool } from "../../LlmTool.ts"
import type { Handlers } from "../Handlers.ts"
import { digest } from "../run/digest.ts"

const longest = 64
const accepted = /^[A-Za-z_][A-Za-z0-9_-]{0,63}$/

/** Handlers under names that every provider takes, and the tools' own names by those. @stability experimental @category names @since 0.1.0 */
export interface Named<out E, out R> {
  readonly handlers: Handlers<E, R>
  readonly ownName: (name: string) => string
}

const rewritten = (name: string, taken: ReadonlySet<string>): string => {
  const plain = name.replaceAll(/[^A-Za-z0-9_-]/g, "_").replace(/^(?![A-Za-z_])/, "_")
  if (plain.length <= longest && !taken.has(plain)) return plain
  const mark = digest(name).replaceAll(/[^A-Za-z0-9]/g, "").slice(0, 8)
  return `${plain.slice(0, longest - 9)}_${mark}`
}

/** Gives tools names that every provider takes. @stability experimental @category names @since 0.1.0 */
export const withNames = <E, R>(handlers: Handlers<E, R>): Named<E, R> => {
  const isOurs = (tool: LlmTool) => tool.type !== "provider"
  if (handlers.tools.every((tool) => !isOurs(tool) || accepted.test(tool.name))) {
    return { handlers, ownName: (name) => name }
  }
  const taken = new Set(handlers.tools.map(({ name }) => name))
  const own = new Map<string, string>()
  const tools = handlers.tools.map((tool) => {
    if (!isOurs(tool) || accepted.test(tool.name)) return tool
    const name = rewritten(tool.name, taken)
    taken.add(name)
    own.set(name, tool.name)
    return { ...tool, name }
  })
  const ownName = (name: string) => own.get(name) ?? name
  return { handlers: { tools, handlerOf: (name) => handlers.handlerOf(ownName(name)) }, ownName }
}
