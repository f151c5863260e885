/**
 * Tools that OpenAI defines and the application runs: their calls and results are items of their own.
 *
 * Shapes are those of the `openai` SDK 7.55 (resources/responses). A call is a tool call like any other, whose arguments are what its item
 * says; it goes back as its item when the request has the tool, and as a function call otherwise, as when its result cannot be told
 * in the item's way.
 *
 * @see https://developers.openai.com/api/docs/guides/tools-shell
 * @see https://developers.openai.com/api/docs/guides/tools-apply-patch
 * @see https://developers.openai.com/api/docs/guides/tools-computer-use
 * @since 0.1.0
 */
import { parseJson } from "../../json/parse.ts"
import type { LlmRequest } from "../../LlmRequest.ts"
import type { Json, JsonObject, ToolResultPart } from "../../Message.ts"
import { dataUrl } from "../DataUrl.ts"
import { type Fields, list, nonEmpty, record } from "../Probe.ts"

/** How calls and results of one such tool are items. @stability experimental @category models @since 0.1.0 */
export interface ToolItem {
  /** Type of the item of a call. */
  readonly call: string
  /** Type of the item of a result. */
  readonly output: string
  /** What its ids begin with. */
  readonly prefix: string
  /** Whether a call has to have an id of its own beside that of the call; one is made up where it came from elsewhere. @default false */
  readonly needsId?: boolean
  /** Arguments in a call's item; `undefined` when it has none. */
  readonly read: (item: Fields) => JsonObject | undefined
  /** Fields of a call's item; `undefined` for arguments of another form. */
  readonly spell: (args: Fields) => JsonObject | undefined
  /** Fields of a result's item, and what it has no place for; `undefined` when it cannot say the result at all. */
  readonly answer: (result: ToolResultPart, args: Fields) => Answer | undefined
}

/** A result as an item. @stability experimental @category models @since 0.1.0 */
export interface Answer {
  readonly fields: JsonObject
  /** What was left out. */
  readonly lost?: string | undefined
}

const textOf = ({ content }: ToolResultPart): string =>
  typeof content === "string"
    ? content
    : content.flatMap((part) => part.type === "text" ? [part.text] : []).join("\n")

const lostOf = ({ content }: ToolResultPart): Pick<Answer, "lost"> =>
  typeof content === "string" || content.every(({ type }) => type === "text")
    ? {}
    : { lost: "The result of this tool is text; images and files were left out." }

/** The API writes `null` for what is not given. */
const given = (fields: Fields): JsonObject => {
  const out: { [field: string]: Json } = {}
  for (const [field, value] of Object.entries(fields)) {
    if (value !== null && value !== undefined) out[field] = value as Json
  }
  return out
}

const isText = (value: unknown): value is string => typeof value === "string"

const isCommandOutput = (value: unknown): boolean => {
  const one = record(value)
  const outcome = record(one?.["outcome"])
  return isText(one?.["stdout"]) && isText(one["stderr"]) &&
    (outcome?.["type"] === "timeout" || (outcome?.["type"] === "exit" && Number.isInteger(outcome["exit_code"])))
}

const commandOutputs = (result: ToolResultPart): ReadonlyArray<Json> => {
  const text = textOf(result)
  const said = parseJson(text)
  if (Array.isArray(said) && said.length > 0 && said.every(isCommandOutput)) return said
  const failed = result.isError === true
  return [{
    stdout: failed ? "" : text,
    stderr: failed ? text : "",
    outcome: { type: "exit", exit_code: failed ? 1 : 0 }
  }]
}

const shell: ToolItem = {
  call: "shell_call",
  output: "shell_call_output",
  prefix: "sh_",
  read: (item) => {
    const action = record(item["action"])
    return action === undefined ? undefined : given(action)
  },
  spell: (args) => {
    const { commands } = args
    return Array.isArray(commands) && commands.every(isText)
      ? { action: given(args), environment: { type: "local" } }
      : undefined
  },
  answer: (result, args) => {
    const most = args["max_output_length"]
    return {
      fields: {
        output: commandOutputs(result),
        ...(typeof most === "number" ? { max_output_length: most } : undefined)
      },
      ...lostOf(result)
    }
  }
}

const patchTypes: ReadonlySet<unknown> = new Set(["create_file", "update_file", "delete_file"])

const applyPatch: ToolItem = {
  call: "apply_patch_call",
  output: "apply_patch_call_output",
  prefix: "apc_",
  read: (item) => record(item["operation"]) as JsonObject | undefined,
  spell: (args) =>
    patchTypes.has(args["type"]) && isText(args["path"]) && (args["type"] === "delete_file" || isText(args["diff"]))
      ? { operation: args as JsonObject }
      : undefined,
  answer: (result) => ({
    fields: { status: result.isError === true ? "failed" : "completed", output: textOf(result) },
    ...lostOf(result)
  })
}

const checksOf = (fields: Fields): ReadonlyArray<JsonObject> =>
  list(fields["pending_safety_checks"]).flatMap((check) => {
    const one = record(check)
    return nonEmpty(one?.["id"]) === undefined ? [] : [given(one!)]
  })

const computer: ToolItem = {
  call: "computer_call",
  output: "computer_call_output",
  prefix: "cu_",
  needsId: true,
  read: (item) => {
    const actions = list(item["actions"])
    const single = record(item["action"])
    const all = actions.length > 0 ? actions : single === undefined ? [] : [single]
    if (all.length === 0) return undefined
    const checks = checksOf(item)
    return { actions: all as ReadonlyArray<Json>, ...(checks.length === 0 ? {} : { pending_safety_checks: checks }) }
  },
  spell: (args) => {
    const { actions } = args
    return Array.isArray(actions) && actions.every((action) => nonEmpty(record(action)?.["type"]) !== undefined)
      ? { actions: actions as ReadonlyArray<Json>, pending_safety_checks: checksOf(args) }
      : undefined
  },
  // It has to be a picture of the screen. A call that ran was let run in spite of its checks.
  answer: (result, args) => {
    if (typeof result.content === "string") return undefined
    const images = result.content.filter((part) => part.type === "image")
    const source = images.at(-1)?.source
    if (source === undefined) return undefined
    const checks = result.isError === true ? [] : checksOf(args)
    return {
      fields: {
        output: {
          type: "computer_screenshot",
          ...(source.type === "file"
            ? { file_id: source.fileId }
            : { image_url: source.type === "url" ? source.url : dataUrl(source.mediaType, source.data) })
        },
        ...(checks.length === 0 ? undefined : { acknowledged_safety_checks: checks })
      },
      ...(result.content.length === 1
        ? undefined
        : { lost: "The result of this tool is one screenshot; what else it held was left out." })
    }
  }
}

/** By the type of the tool's entry. A shell with another environment is the host's to run. */
const toolItemOf = (definition: JsonObject): ToolItem | undefined => {
  switch (definition["type"]) {
    case "shell":
      return record(definition["environment"])?.["type"] === "local" ? shell : undefined
    case "apply_patch":
      return applyPatch
    case "computer":
      return computer
    default:
      return undefined
  }
}

/**
 * The tools of a request whose calls are items of their own, by name.
 *
 * @stability experimental
 * @category encoding
 * @since 0.1.0
 */
export const toolItemsOf = ({ tools = [] }: LlmRequest): ReadonlyMap<string, ToolItem> =>
  new Map(tools.flatMap((tool) => {
    const item = tool.type === "provider" ? toolItemOf(tool.definition) : undefined
    return item === undefined ? [] : [[tool.name, item] as const]
  }))

const byCall = new Map([shell, applyPatch, computer].map((item) => [item.call, item]))

/**
 * The names of the tools that the application runs itself, by the type of a call's item. Those that are only passed on, as a gateway does,
 * are not among them: their items stay as they are.
 *
 * @stability experimental
 * @category encoding
 * @since 0.1.0
 */
export const calledItemsOf = (request: LlmRequest): ReadonlyMap<string, string> => {
  const items = toolItemsOf(request)
  return new Map((request.tools ?? []).flatMap((tool) => {
    const item = tool.type === "provider" && tool.decode !== undefined ? items.get(tool.name) : undefined
    return item === undefined ? [] : [[item.call, tool.name] as const]
  }))
}

/**
 * Arguments in the item of a call; `undefined` when it has none.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const argumentsIn = (type: string, item: Fields): JsonObject | undefined => byCall.get(type)?.read(item)
