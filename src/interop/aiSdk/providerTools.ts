/**
 * Tools of providers as the AI SDK names them, in the words of their wires.
 *
 * The AI SDK's providers translate `anthropic.web_search_20250305` with `{ maxUses: 3 }` themselves; here it is done by the rule that
 * their translations follow: the second half of the id is the wire's type, arguments are spelled with underscores. An id that says
 * `effect-llm.tool` brings the wire's entry as it is.
 *
 * @see https://github.com/vercel/ai/blob/main/packages/anthropic/src/anthropic-prepare-tools.ts
 * @see https://github.com/vercel/ai/blob/main/packages/openai/src/responses/openai-responses-prepare-tools.ts
 * @see https://github.com/vercel/ai/blob/main/packages/google/src/google-prepare-tools.ts
 * @since 0.1.0
 */
import type { LanguageModelV4ProviderTool } from "@ai-sdk/provider"
import * as LlmTool from "../../LlmTool.ts"
import type { JsonObject } from "../../Message.ts"
import { record } from "../../protocol/Probe.ts"
import { key, plainJson } from "./own.ts"

/**
 * A tool and what its provider calls it.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Translated {
  readonly tool: LlmTool.LlmTool
  readonly wireName: string
}

const withUnderscores = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
const withHumps = (name: string): string => name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())

/** What callers chose themselves, such as the names of metadata, is theirs to spell. */
const asGiven = new Set(["headers", "filters", "metadata", "inputSchema"])

const spelled = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(spelled)
  const fields = record(value)
  return fields === undefined ? value : Object.fromEntries(
    Object.entries(fields).map(([name, given]) => [withUnderscores(name), asGiven.has(name) ? given : spelled(given)])
  )
}

/** Names that Anthropic's tools have beside their dated types, where they are not the type without its date. */
const anthropicNames: ReadonlyArray<readonly [type: RegExp, name: string]> = [
  [/^text_editor_20(?:24|250[1-4])/, "str_replace_editor"],
  [/^text_editor_/, "str_replace_based_edit_tool"],
  [/^tool_search_regex_/, "tool_search_tool_regex"],
  [/^tool_search_bm25_/, "tool_search_tool_bm25"]
]

const anthropicName = (type: string): string =>
  anthropicNames.find(([pattern]) => pattern.test(type))?.[1] ?? type.replace(/_\d{8}$/, "")

/**
 * A tool of a provider, or `undefined` for one whose provider is not known.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const providerTool = ({ args, id, name }: LanguageModelV4ProviderTool): Translated | undefined => {
  const at = id.indexOf(".")
  const type = id.slice(at + 1)
  const given = record(plainJson(args)) ?? {}
  const made = (definition: object, wireName: string): Translated => ({
    tool: LlmTool.provider(wireName, definition as JsonObject),
    wireName
  })
  switch (id.slice(0, at)) {
    case key: {
      const definition = record(given["definition"])
      return definition === undefined
        ? undefined
        : { tool: LlmTool.provider(name, definition as JsonObject), wireName: name }
    }
    case "anthropic": {
      const wireName = anthropicName(type)
      return made({ type, name: wireName, ...spelled(given) as object }, wireName)
    }
    case "openai": {
      if (type !== "custom") return made({ type, ...spelled(given) as object }, type)
      const { description, format } = given
      return {
        tool: LlmTool.custom(name, {
          ...(typeof description === "string" ? { description } : undefined),
          ...(record(format) === undefined ? undefined : { format: format as JsonObject })
        }),
        wireName: name
      }
    }
    case "google":
      return made({ [withHumps(type)]: given }, type)
    default:
      return undefined
  }
}
