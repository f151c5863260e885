/**
 * The model behind the simulator when nothing is scripted: small, believable and deterministic.
 *
 * It repeats what the user said, calls the first tool whose name or description shares a word with it,
 * answers from tool results, fills JSON schemas, and stops at the token limit. It understands nothing.
 *
 * @since 0.1.0
 */
import type { Part, ReplyAnswer } from "./Answer.ts"
import * as Json from "./Json.ts"
import type { Prompt, PromptTool } from "./Wire.ts"
import { pieces } from "./Wire.ts"

/**
 * Answers a prompt.
 *
 * @category models
 * @since 0.1.0
 */
export const answer = (prompt: Prompt): ReplyAnswer => {
  const tool = toolFor(prompt)
  const thought: ReadonlyArray<Part> = prompt.reasoning
    ? [{
      type: "reasoning",
      text: tool === undefined ? "A plain answer will do." : `The tool ${tool.name} can tell.`,
      signature: "c2ltdWxhdG9yLXNpZ25hdHVyZQ=="
    }]
    : []
  if (tool !== undefined) {
    return {
      parts: [...thought, { type: "tool-call", name: tool.name, arguments: valueOf(tool.schema, prompt.userText) }]
    }
  }
  const whole = replyText(prompt)
  const limit = prompt.maxTokens === undefined ? Number.POSITIVE_INFINITY : prompt.maxTokens * 4
  const cut = whole.length > limit ? pieces(whole, limit)[0]! : whole
  return { parts: [...thought, { type: "text", text: cut }], ...(cut === whole ? {} : { finish: "length" }) }
}

const replyText = (prompt: Prompt): string => {
  if (prompt.responseSchema !== undefined) return JSON.stringify(valueOf(prompt.responseSchema, prompt.userText))
  if (prompt.toolResults.length > 0) return `The tool says: ${prompt.toolResults.join(" ")}`
  return prompt.userText.trim() === "" ? "Hello! How can I help you today?" : `You said: ${prompt.userText}`
}

// =============================================================================
// Tools
// =============================================================================

const fillers = new Set(
  "about and current for from gets give given into look that the this tool what when with your".split(" ")
)

const words = (text: string): ReadonlyArray<string> =>
  text.replaceAll(/([a-z])([A-Z])/g, "$1 $2").toLowerCase().split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word.length >= 3 && word !== "get" && !fillers.has(word))

const toolFor = ({ toolChoice, toolResults, tools, userText }: Prompt): PromptTool | undefined => {
  if (toolChoice === "none" || toolResults.length > 0) return undefined
  if (typeof toolChoice === "object") return tools.find((tool) => tool.name === toolChoice.name)
  const said = new Set(words(userText))
  const fitting = tools.find((tool) => words(`${tool.name} ${tool.description}`).some((word) => said.has(word)))
  return fitting ?? (toolChoice === "required" ? tools[0] : undefined)
}

// =============================================================================
// Values
// =============================================================================

/** The last name in a text: a capitalised word that does not begin it. */
const nameIn = (text: string): string | undefined => text.match(/(?<=\s)\p{Lu}[\p{L}\p{M}-]+/gu)?.at(-1)

const numberIn = (text: string): number => {
  const found = text.match(/-?\d+(\.\d+)?/)
  return found === null ? 1 : Number(found[0])
}

/**
 * A value that fits a JSON schema, with names and numbers from the text.
 *
 * @category models
 * @since 0.1.0
 */
const valueOf = (schema: Json.JsonObject, text: string): unknown => fill(schema, schema, text, 0)

const fill = (schema: Json.JsonObject, root: Json.JsonObject, text: string, depth: number): unknown => {
  if (depth > 20) return null
  const nested = (value: unknown) => fill(Json.object(value), root, text, depth + 1)
  if (schema.const !== undefined) return schema.const
  if (Array.isArray(schema.enum)) {
    return schema.enum.find((value) => typeof value === "string" && text.includes(value)) ?? schema.enum[0]
  }
  if (typeof schema.$ref === "string") return nested(resolve(schema.$ref, root))
  const choice = Json.array(schema.anyOf ?? schema.oneOf)[0]
  if (choice !== undefined) return nested(choice)
  if (Array.isArray(schema.allOf)) {
    return nested(
      Object.assign({}, ...schema.allOf.map(Json.object), { type: schema.type ?? Json.object(schema.allOf[0]).type })
    )
  }
  const type = Array.isArray(schema.type) ? schema.type.find((type) => type !== "null") : schema.type
  switch (type) {
    case "string":
      return text === "" ? "example" : nameIn(text) ?? text
    case "integer":
      return within(schema, Math.trunc(numberIn(text)))
    case "number":
      return within(schema, numberIn(text))
    case "boolean":
      return true
    case "null":
      return null
    case "array":
      return Array.from({ length: Math.max(1, Number(schema.minItems ?? 1)) }, () => nested(schema.items))
    default: {
      const properties = Json.object(schema.properties)
      const wanted = Array.isArray(schema.required) ? schema.required.map(Json.string) : Object.keys(properties)
      return Object.fromEntries(wanted.map((name) => [name, nested(properties[name])]))
    }
  }
}

const within = (schema: Json.JsonObject, value: number): number => {
  const { maximum, minimum } = schema
  if (typeof minimum === "number" && value < minimum) return minimum
  return typeof maximum === "number" && value > maximum ? maximum : value
}

/** Follows a reference inside the schema, such as `#/$defs/City`. */
const resolve = (reference: string, root: Json.JsonObject): unknown =>
  reference.split("/").slice(1).reduce<unknown>(
    (value, step) => Json.object(value)[step.replaceAll("~1", "/").replaceAll("~0", "~")],
    root
  )
