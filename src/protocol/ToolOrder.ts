/**
 * The order in which tools are sent.
 *
 * Providers cache by prefix, and tools come first: they are sorted by name, so that the prefix is the same however an application lists
 * them.
 *
 * @since 0.1.0
 */
import type { LlmRequest } from "../LlmRequest.ts"
import type { LlmTool } from "../LlmTool.ts"

const byName = (a: LlmTool, b: LlmTool): number => a.name < b.name ? -1 : a.name > b.name ? 1 : 0

/**
 * The tools of a request in the order in which they are sent.
 *
 * @stability experimental
 * @category encoding
 * @since 0.1.0
 */
export const orderedTools = ({ tools = [] }: LlmRequest): ReadonlyArray<LlmTool> => tools.toSorted(byName)

/**
 * The tools in the order in which they are sent, each with its place in the request.
 *
 * @stability experimental
 * @category encoding
 * @since 0.1.0
 */
export const placedTools = (request: LlmRequest): ReadonlyArray<readonly [tool: LlmTool, at: string]> => {
  const { tools = [] } = request
  const places = new Map<LlmTool, string>()
  for (let at = tools.length - 1; at >= 0; at--) places.set(tools[at]!, `tools[${at}]`)
  return orderedTools(request).map((tool) => [tool, places.get(tool)!])
}
