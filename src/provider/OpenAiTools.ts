/**
 * Tools that OpenAI runs itself, over the Responses API.
 *
 * Shapes are those of the `openai` SDK 7.55 (resources/responses). What a tool gave comes as `server-tool` parts, and as sources where it
 * cites. A shell, a screen and patches, which OpenAI leaves to the application, answer in items of their own, which this library does
 * not write yet; give such a tool as a function of your own.
 *
 * @see https://developers.openai.com/api/docs/guides/tools
 * @since 0.1.0
 */
import * as LlmTool from "../LlmTool.ts"
import type { JsonObject, Open } from "../Message.ts"
import { definitionOf } from "./toolDefinition.ts"

/**
 * Searches the web.
 *
 * @see https://developers.openai.com/api/docs/guides/tools-web-search
 * @category provider tools
 * @since 0.1.0
 */
export const webSearch = (options: {
  /** Only these domains and those below them. */
  readonly allowedDomains?: ReadonlyArray<string> | undefined
  /** How much of what was found the model reads. @default "medium" */
  readonly searchContextSize?: Open<"low" | "medium" | "high"> | undefined
  /** Where the user is, `{ type: "approximate", city, region, country, timezone }`. @default not told */
  readonly userLocation?: JsonObject | undefined
} = {}) =>
  LlmTool.provider(
    "web_search",
    definitionOf({
      type: "web_search",
      filters: options.allowedDomains === undefined ? undefined : { allowed_domains: options.allowedDomains },
      search_context_size: options.searchContextSize,
      user_location: options.userLocation
    })
  )

/**
 * Searches files that were uploaded to vector stores.
 *
 * @see https://developers.openai.com/api/docs/guides/tools-file-search
 * @category provider tools
 * @since 0.1.0
 */
export const fileSearch = (options: {
  /** The stores to search, by id. */
  readonly vectorStoreIds: ReadonlyArray<string>
  /** Most results, 1 to 50. @default OpenAI's own */
  readonly maxResults?: number | undefined
  /** Comparison of file attributes, or several joined by `and` and `or`. @default all files */
  readonly filters?: JsonObject | undefined
}) =>
  LlmTool.provider(
    "file_search",
    definitionOf({
      type: "file_search",
      vector_store_ids: options.vectorStoreIds,
      max_num_results: options.maxResults,
      filters: options.filters
    })
  )

/**
 * Runs code in a container: one of its own, or one by its id.
 *
 * @see https://developers.openai.com/api/docs/guides/tools-code-interpreter
 * @category provider tools
 * @since 0.1.0
 */
export const codeInterpreter = (options: {
  /** @default a container of its own */
  readonly container?: string | JsonObject | undefined
} = {}) =>
  LlmTool.provider("code_interpreter", {
    type: "code_interpreter",
    container: options.container ?? { type: "auto" }
  })

/**
 * Makes and changes images.
 *
 * @see https://developers.openai.com/api/docs/guides/tools-image-generation
 * @category provider tools
 * @since 0.1.0
 */
export const imageGeneration = (options: {
  /** Which model makes the image. @default OpenAI's own */
  readonly model?: string | undefined
  /** Pixels, such as `1024x1536`, or `auto`. @default "auto" */
  readonly size?: string | undefined
  /** How carefully it is made; higher costs more. @default "auto" */
  readonly quality?: Open<"low" | "medium" | "high" | "auto"> | undefined
  /** `transparent` needs a format that has transparency. @default "auto" */
  readonly background?: Open<"transparent" | "opaque" | "auto"> | undefined
  /** Format of the file. @default "png" */
  readonly outputFormat?: Open<"png" | "webp" | "jpeg"> | undefined
} = {}) =>
  LlmTool.provider(
    "image_generation",
    definitionOf({
      type: "image_generation",
      model: options.model,
      size: options.size,
      quality: options.quality,
      background: options.background,
      output_format: options.outputFormat
    })
  )

/**
 * Tools of an MCP server that OpenAI calls itself. `authorization` is sent to OpenAI as it is: mind where requests are logged.
 *
 * @see https://developers.openai.com/api/docs/guides/tools-connectors-mcp
 * @category provider tools
 * @since 0.1.0
 */
export const mcp = (options: {
  /** Tells the server apart in a request. */
  readonly label: string
  /** Address of the server. */
  readonly url: string
  /** Tells the model what the server is for. @default none */
  readonly description?: string | undefined
  /** Names of tools; all when left out. */
  readonly allowedTools?: ReadonlyArray<string> | undefined
  /** HTTP headers for the server, for authentication among others. @default none */
  readonly headers?: { readonly [name: string]: string } | undefined
  /** OAuth access token for the server. @default none */
  readonly authorization?: string | undefined
  /** Calls that OpenAI asks approval for cannot be answered by this library yet. @default "never" */
  readonly requireApproval?: "always" | "never" | undefined
}) =>
  LlmTool.provider(
    options.label,
    definitionOf({
      type: "mcp",
      server_label: options.label,
      server_url: options.url,
      server_description: options.description,
      allowed_tools: options.allowedTools,
      headers: options.headers,
      authorization: options.authorization,
      require_approval: options.requireApproval ?? "never"
    })
  )
