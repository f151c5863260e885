/**
 * Tools that xAI runs itself, over its Responses API.
 *
 * What a tool gave comes as `server-tool` parts, and as sources where it cites.
 *
 * @see https://docs.x.ai/docs/guides/tools/overview
 * @since 0.1.0
 */
import * as LlmTool from "../LlmTool.ts"
import { definitionOf } from "./toolDefinition.ts"

/**
 * Searches the web.
 *
 * @see https://docs.x.ai/docs/guides/tools/search-tools
 * @stability experimental
 * @category provider tools
 * @since 0.1.0
 */
export const webSearch = (options: {
  /** Only these; not together with `excludedDomains`. */
  readonly allowedDomains?: ReadonlyArray<string> | undefined
  /** None of these; not together with `allowedDomains`. */
  readonly excludedDomains?: ReadonlyArray<string> | undefined
} = {}) =>
  LlmTool.provider(
    "web_search",
    definitionOf({
      type: "web_search",
      filters: options.allowedDomains === undefined && options.excludedDomains === undefined
        ? undefined
        : definitionOf({ allowed_domains: options.allowedDomains, excluded_domains: options.excludedDomains })
    })
  )

/**
 * Searches posts of X.
 *
 * @see https://docs.x.ai/docs/guides/tools/search-tools
 * @stability experimental
 * @category provider tools
 * @since 0.1.0
 */
export const xSearch = (options: {
  /** Only these authors; not together with `excludedHandles`. */
  readonly allowedHandles?: ReadonlyArray<string> | undefined
  /** None of these authors; not together with `allowedHandles`. */
  readonly excludedHandles?: ReadonlyArray<string> | undefined
  /** ISO 8601 days. */
  readonly fromDate?: string | undefined
  /** Last day of posts, ISO 8601. @default today */
  readonly toDate?: string | undefined
} = {}) =>
  LlmTool.provider(
    "x_search",
    definitionOf({
      type: "x_search",
      allowed_x_handles: options.allowedHandles,
      excluded_x_handles: options.excludedHandles,
      from_date: options.fromDate,
      to_date: options.toDate
    })
  )

/**
 * Runs Python.
 *
 * @see https://docs.x.ai/docs/guides/tools/code-execution-tool
 * @stability experimental
 * @category provider tools
 * @since 0.1.0
 */
export const codeExecution = () => LlmTool.provider("code_interpreter", { type: "code_interpreter" })

/**
 * Tools of an MCP server that xAI calls itself.
 *
 * @see https://docs.x.ai/docs/guides/tools/remote-mcp-tools
 * @stability experimental
 * @category provider tools
 * @since 0.1.0
 */
export const mcp = (options: {
  /** Tells the server apart in a request. */
  readonly label: string
  /** Address of the server. */
  readonly url: string
  /** Names of tools; all when left out. */
  readonly allowedTools?: ReadonlyArray<string> | undefined
  /** Value of the `Authorization` header for the server. @default none */
  readonly authorization?: string | undefined
}) =>
  LlmTool.provider(
    options.label,
    definitionOf({
      type: "mcp",
      server_label: options.label,
      server_url: options.url,
      allowed_tools: options.allowedTools,
      authorization: options.authorization
    })
  )
