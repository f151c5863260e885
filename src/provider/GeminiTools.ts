/**
 * Tools that Google runs itself with Gemini.
 *
 * Shapes are those of `@google/genai` 3.1 (`Tool` and what it holds). What a tool gave comes as `server-tool` parts, and as sources where
 * it cites.
 *
 * @see https://ai.google.dev/gemini-api/docs/tools
 * @since 0.1.0
 */
import * as LlmTool from "../LlmTool.ts"
import { definitionOf } from "./toolDefinition.ts"

/**
 * Searches the web.
 *
 * @see https://ai.google.dev/gemini-api/docs/google-search
 * @stability experimental
 * @category provider tools
 * @since 0.1.0
 */
export const googleSearch = () => LlmTool.provider("google_search", { googleSearch: {} })

/**
 * Knows places and ways.
 *
 * @see https://ai.google.dev/gemini-api/docs/maps-grounding
 * @stability experimental
 * @category provider tools
 * @since 0.1.0
 */
export const googleMaps = (options: {
  /** Asks for the token of a map widget, which Google means to remove. @default false */
  readonly enableWidget?: boolean | undefined
} = {}) => LlmTool.provider("google_maps", { googleMaps: definitionOf({ enableWidget: options.enableWidget }) })

/**
 * Reads the pages whose URLs stand in the prompt.
 *
 * @see https://ai.google.dev/gemini-api/docs/url-context
 * @stability experimental
 * @category provider tools
 * @since 0.1.0
 */
export const urlContext = () => LlmTool.provider("url_context", { urlContext: {} })

/**
 * Runs Python.
 *
 * @see https://ai.google.dev/gemini-api/docs/code-execution
 * @stability experimental
 * @category provider tools
 * @since 0.1.0
 */
export const codeExecution = () => LlmTool.provider("code_execution", { codeExecution: {} })

/**
 * Searches files that were uploaded to file search stores.
 *
 * @see https://ai.google.dev/gemini-api/docs/file-search
 * @stability experimental
 * @category provider tools
 * @since 0.1.0
 */
export const fileSearch = (options: {
  /** Names of file search stores, such as `fileSearchStores/my-store-123`. */
  readonly stores: ReadonlyArray<string>
  /** Only files whose metadata fit this filter. @default all */
  readonly metadataFilter?: string | undefined
  /** How many pieces of files are looked at. @default Google's own */
  readonly topK?: number | undefined
}) =>
  LlmTool.provider("file_search", {
    fileSearch: definitionOf({
      fileSearchStoreNames: options.stores,
      metadataFilter: options.metadataFilter,
      topK: options.topK
    })
  })
