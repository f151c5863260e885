/**
 * Tools that Anthropic defines: those it runs itself, and those it leaves to the application, which take a handler.
 *
 * Shapes and versions are those of `@anthropic-ai/sdk` 1.11 (resources/messages, resources/beta/messages). What a tool of the provider's
 * gave comes as `server-tool` parts, and as sources where it cites.
 *
 * @see https://platform.claude.com/docs/en/agents-and-tools/tool-use/overview
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import * as LlmTool from "../LlmTool.ts"
import type { JsonObject } from "../Message.ts"
import { definitionOf } from "./toolDefinition.ts"

/**
 * How a tool that searches or fetches is limited.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Domains {
  /** Uses within one answer. */
  readonly maxUses?: number | undefined
  /** Only these; not together with `blockedDomains`. */
  readonly allowedDomains?: ReadonlyArray<string> | undefined
  /** None of these; not together with `allowedDomains`. */
  readonly blockedDomains?: ReadonlyArray<string> | undefined
}

const domains = ({ allowedDomains, blockedDomains, maxUses }: Domains) => ({
  max_uses: maxUses,
  allowed_domains: allowedDomains,
  blocked_domains: blockedDomains
})

/**
 * Searches the web; Anthropic runs it.
 *
 * @see https://platform.claude.com/docs/en/agents-and-tools/tool-use/web-search-tool
 * @stability experimental
 * @category provider tools
 * @since 0.1.0
 */
export const webSearch = (options: Domains & {
  /** Where the user is, `{ type: "approximate", city, region, country, timezone }`. @default not told */
  readonly userLocation?: JsonObject | undefined
} = {}) =>
  LlmTool.provider(
    "web_search",
    definitionOf({
      type: "web_search_20260318",
      name: "web_search",
      ...domains(options),
      user_location: options.userLocation
    })
  )

/**
 * Reads pages and documents of the web; Anthropic runs it.
 *
 * @see https://platform.claude.com/docs/en/agents-and-tools/tool-use/web-fetch-tool
 * @stability experimental
 * @category provider tools
 * @since 0.1.0
 */
export const webFetch = (
  options: Domains & {
    /** Whether the answer cites what was read. @default false */
    readonly citations?: boolean | undefined
    /** Most tokens of one page or document; the rest is cut off. @default no limit of its own */
    readonly maxContentTokens?: number | undefined
  } = {}
) =>
  LlmTool.provider(
    "web_fetch",
    definitionOf({
      type: "web_fetch_20260318",
      name: "web_fetch",
      ...domains(options),
      citations: options.citations === undefined ? undefined : { enabled: options.citations },
      max_content_tokens: options.maxContentTokens
    })
  )

/**
 * Runs code in a container of Anthropic's.
 *
 * @see https://platform.claude.com/docs/en/agents-and-tools/tool-use/code-execution-tool
 * @stability experimental
 * @category provider tools
 * @since 0.1.0
 */
export const codeExecution = () =>
  LlmTool.provider("code_execution", { type: "code_execution_20260521", name: "code_execution" })

/** How a tool is run, without what it is. */
type Execution<S extends Schema.Top> = LlmTool.Execution<S["Type"], unknown>

/**
 * Arguments of {@link bash}.
 *
 * @stability experimental
 * @category schemas
 * @since 0.1.0
 */
export const BashParameters = Schema.Struct({
  command: Schema.optional(Schema.String),
  /** Begins the shell anew, instead of a command. */
  restart: Schema.optional(Schema.Boolean)
})

/**
 * A shell, which the application runs.
 *
 * @see https://platform.claude.com/docs/en/agents-and-tools/tool-use/bash-tool
 * @stability experimental
 * @category application tools
 * @since 0.1.0
 */
export const bash = (options: Execution<typeof BashParameters> = {}) =>
  LlmTool.providerDefined("bash", { type: "bash_20250124", name: "bash" }, { ...options, parameters: BashParameters })

const lines = Schema.optional(Schema.Array(Schema.Int))

/**
 * Arguments of {@link textEditor}, by command.
 *
 * @stability experimental
 * @category schemas
 * @since 0.1.0
 */
export const TextEditorParameters = Schema.Union([
  Schema.Struct({ command: Schema.Literal("view"), path: Schema.String, view_range: lines }),
  Schema.Struct({ command: Schema.Literal("create"), path: Schema.String, file_text: Schema.String }),
  Schema.Struct({
    command: Schema.Literal("str_replace"),
    path: Schema.String,
    old_str: Schema.String,
    new_str: Schema.optional(Schema.String)
  }),
  Schema.Struct({
    command: Schema.Literal("insert"),
    path: Schema.String,
    insert_line: Schema.Int,
    insert_text: Schema.String
  })
])

/**
 * An editor of text files, which the application runs. `maxCharacters` is how much of a file the model means to see.
 *
 * @see https://platform.claude.com/docs/en/agents-and-tools/tool-use/text-editor-tool
 * @stability experimental
 * @category application tools
 * @since 0.1.0
 */
export const textEditor = (
  options: Execution<typeof TextEditorParameters> & {
    /** Most characters of a file that `view` is to give. @default no limit */
    readonly maxCharacters?: number | undefined
  } = {}
) => {
  const { maxCharacters, ...execution } = options
  return LlmTool.providerDefined(
    "str_replace_based_edit_tool",
    definitionOf({
      type: "text_editor_20250728",
      name: "str_replace_based_edit_tool",
      max_characters: maxCharacters
    }),
    { ...execution, parameters: TextEditorParameters }
  )
}

/**
 * Arguments of {@link memory}, by command.
 *
 * @stability experimental
 * @category schemas
 * @since 0.1.0
 */
export const MemoryParameters = Schema.Union([
  ...TextEditorParameters.members,
  Schema.Struct({ command: Schema.Literal("delete"), path: Schema.String }),
  Schema.Struct({ command: Schema.Literal("rename"), old_path: Schema.String, new_path: Schema.String })
])

/**
 * Files that outlive a conversation, which the application keeps. Paths begin with `/memories`; hold them to that.
 *
 * @see https://platform.claude.com/docs/en/agents-and-tools/tool-use/memory-tool
 * @stability experimental
 * @category application tools
 * @since 0.1.0
 */
export const memory = (options: Execution<typeof MemoryParameters> = {}) =>
  LlmTool.providerDefined("memory", { type: "memory_20250818", name: "memory" }, {
    ...options,
    parameters: MemoryParameters
  })

/**
 * Arguments of {@link computer}: an action, and what it needs.
 *
 * @stability experimental
 * @category schemas
 * @since 0.1.0
 */
export const ComputerParameters = Schema.Struct({
  action: Schema.String,
  coordinate: lines,
  start_coordinate: lines,
  region: lines,
  text: Schema.optional(Schema.String),
  duration: Schema.optional(Schema.Finite),
  scroll_direction: Schema.optional(Schema.Literals(["up", "down", "left", "right"])),
  scroll_amount: Schema.optional(Schema.Finite)
})

/**
 * A screen, a mouse and a keyboard, which the application runs; answer with an image of the screen. Needs the beta
 * `computer-use-2025-11-24`: see `betas` of `Anthropic.Options`.
 *
 * @see https://platform.claude.com/docs/en/agents-and-tools/tool-use/computer-use-tool
 * @stability experimental
 * @category application tools
 * @since 0.1.0
 */
export const computer = (
  options: Execution<typeof ComputerParameters> & {
    /** Pixels. */
    readonly width: number
    /** Pixels. */
    readonly height: number
    /** Lets the model ask for a part of the screen in full detail. @default false */
    readonly enableZoom?: boolean | undefined
  }
) => {
  const { enableZoom, height, width, ...execution } = options
  return LlmTool.providerDefined(
    "computer",
    definitionOf({
      type: "computer_20251124",
      name: "computer",
      display_width_px: width,
      display_height_px: height,
      enable_zoom: enableZoom
    }),
    { ...execution, parameters: ComputerParameters }
  )
}
