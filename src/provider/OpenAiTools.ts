/**
 * Tools that OpenAI defines, over the Responses API: those it runs itself, and those it leaves to the application, which take a handler.
 *
 * Shapes are those of the `openai` SDK 7.55 (resources/responses). What a tool of OpenAI's gave comes as `server-tool` parts, and as sources
 * where it cites. Calls of {@link shell}, {@link applyPatch} and {@link computer} are tool calls like any other. Other wires know none of
 * these tools; a conversation that has such calls goes on there all the same.
 *
 * @see https://developers.openai.com/api/docs/guides/tools
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import * as LlmTool from "../LlmTool.ts"
import type { JsonObject, Open } from "../Message.ts"
import { definitionOf } from "./toolDefinition.ts"

/**
 * Searches the web.
 *
 * @see https://developers.openai.com/api/docs/guides/tools-web-search
 * @stability experimental
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
 * @stability experimental
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
 * @stability experimental
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
 * @stability experimental
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
 * @stability experimental
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

// =============================================================================
// Tools that the application runs
// =============================================================================

/** How a tool is run, without what it is. */
type Execution<S extends Schema.Top> = LlmTool.Execution<S["Type"], unknown>

/**
 * Arguments of {@link shell}: commands to run one after the other, and how long they may take and say.
 *
 * @stability experimental
 * @category schemas
 * @since 0.1.0
 */
export const ShellParameters = Schema.Struct({
  commands: Schema.Array(Schema.String),
  /** Milliseconds. */
  timeout_ms: Schema.optional(Schema.Finite),
  /** Characters of standard output and standard error together. */
  max_output_length: Schema.optional(Schema.Finite)
})

/**
 * What one command gave.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface CommandOutput {
  /** Its standard output, cut to `max_output_length` where that is asked for. */
  readonly stdout: string
  /** Its standard error, cut likewise. */
  readonly stderr: string
  /** How it ended: by itself, or at `timeout_ms`. */
  readonly outcome:
    | {
      readonly type: "exit"
      /** 0 when it succeeded, as it says itself. */
      readonly exit_code: number
    }
    | { readonly type: "timeout" }
}

/**
 * A shell, which the application runs. The handler gives a {@link CommandOutput} for each command, or a text, which stands for the output of
 * one. Needs a model that knows the tool. The older `local_shell` is for one model only and not offered here.
 *
 * @see https://developers.openai.com/api/docs/guides/tools-shell
 * @stability experimental
 * @category application tools
 * @since 0.1.0
 */
export const shell = (
  options: Execution<typeof ShellParameters> & {
    /** Skills in folders that the shell can read. @default none */
    readonly skills?:
      | ReadonlyArray<{
        /** The skill's name. */
        readonly name: string
        /** What it is for. */
        readonly description: string
        /** Its folder. */
        readonly path: string
      }>
      | undefined
  } = {}
) => {
  const { skills, ...execution } = options
  const environment: JsonObject = { type: "local", ...(skills === undefined ? undefined : { skills: [...skills] }) }
  return LlmTool.providerDefined("shell", { type: "shell", environment }, {
    ...execution,
    parameters: ShellParameters
  })
}

/**
 * Arguments of {@link applyPatch}: one change of one file. `diff` is in the V4A format of the guide; paths are relative to the workspace,
 * which is for the handler to hold them to.
 *
 * @stability experimental
 * @category schemas
 * @since 0.1.0
 */
export const ApplyPatchParameters = Schema.Union([
  Schema.Struct({ type: Schema.Literal("create_file"), path: Schema.String, diff: Schema.String }),
  Schema.Struct({ type: Schema.Literal("update_file"), path: Schema.String, diff: Schema.String }),
  Schema.Struct({ type: Schema.Literal("delete_file"), path: Schema.String })
])

/**
 * Changes of files, which the application makes. The handler gives a text for the model's log; a result that is an error says that the
 * change was not made.
 *
 * @see https://developers.openai.com/api/docs/guides/tools-apply-patch
 * @stability experimental
 * @category application tools
 * @since 0.1.0
 */
export const applyPatch = (options: Execution<typeof ApplyPatchParameters> = {}) =>
  LlmTool.providerDefined("apply_patch", { type: "apply_patch" }, { ...options, parameters: ApplyPatchParameters })

const held = Schema.optional(Schema.NullOr(Schema.Array(Schema.String)))
const at = { x: Schema.Finite, y: Schema.Finite, keys: held }

/**
 * Arguments of {@link computer}: actions to do one after the other, in pixels of the last screenshot, and what OpenAI found questionable
 * about them. `keys` are held down meanwhile.
 *
 * @stability experimental
 * @category schemas
 * @since 0.1.0
 */
export const ComputerParameters = Schema.Struct({
  actions: Schema.Array(Schema.Union([
    Schema.Struct({
      type: Schema.Literal("click"),
      button: Schema.Literals(["left", "right", "wheel", "back", "forward"]),
      ...at
    }),
    Schema.Struct({ type: Schema.Literal("double_click"), ...at }),
    Schema.Struct({
      type: Schema.Literal("drag"),
      path: Schema.Array(Schema.Struct({ x: Schema.Finite, y: Schema.Finite })),
      keys: held
    }),
    Schema.Struct({ type: Schema.Literal("keypress"), keys: Schema.Array(Schema.String) }),
    Schema.Struct({ type: Schema.Literal("move"), ...at }),
    Schema.Struct({ type: Schema.Literal("screenshot") }),
    Schema.Struct({ type: Schema.Literal("scroll"), scroll_x: Schema.Finite, scroll_y: Schema.Finite, ...at }),
    Schema.Struct({ type: Schema.Literal("type"), text: Schema.String }),
    Schema.Struct({ type: Schema.Literal("wait") })
  ])),
  /** To be acknowledged by whoever lets the call run. */
  pending_safety_checks: Schema.optional(Schema.Array(Schema.Struct({
    id: Schema.String,
    code: Schema.optional(Schema.String),
    message: Schema.optional(Schema.String)
  })))
})

/**
 * A screen, a mouse and a keyboard, which the application runs; answer with one image of the screen (`Handlers.output`). A call that ran
 * acknowledges its safety checks.
 *
 * @see https://developers.openai.com/api/docs/guides/tools-computer-use
 * @stability experimental
 * @category application tools
 * @since 0.1.0
 */
export const computer = (
  options: Execution<typeof ComputerParameters> & {
    /** Who lets a call run. @default somebody is asked about calls with safety checks */
    readonly needsApproval?: LlmTool.NeedsApproval<typeof ComputerParameters.Type> | undefined
  } = {}
) =>
  LlmTool.providerDefined("computer", { type: "computer" }, {
    ...options,
    needsApproval: options.needsApproval ??
      (({ pending_safety_checks: checks }: typeof ComputerParameters.Type) => (checks?.length ?? 0) > 0),
    parameters: ComputerParameters
  })
