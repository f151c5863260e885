/**
 * The model behind the simulator when nothing is scripted: small, believable and deterministic.
 *
 * It repeats what the user said, calls the first tool whose name or description shares a word with it,
 * answers from tool results, fills JSON schemas, and stops at the token limit. It understands nothing.
 *
 * @since 0.1.0
 */
import { type LlmRequest, messagesOf } from "../../LlmRequest.ts"
import type { FunctionTool, ToolChoice } from "../../LlmTool.ts"
import { type FilePart, type Message, textOf, type ToolResultPart } from "../../Message.ts"
import * as Json from "../../protocol/server/Json.ts"
import type { Part, ReplyAnswer } from "./Answer.ts"
import { pieces } from "./Reply.ts"

/** What is read of a request. */
interface Prompt {
  /** Text of the last user message that has any. */
  readonly userText: string
  /** Texts of the tool results that end the history; empty when it ends otherwise. */
  readonly toolResults: ReadonlyArray<string>
  readonly tools: ReadonlyArray<FunctionTool>
  readonly toolChoice: ToolChoice
  /** The schema of the JSON asked for, if any. */
  readonly responseSchema: Json.JsonObject | undefined
  readonly maxTokens: number | undefined
}

const fileText = ({ source }: FilePart): string =>
  source.type === "base64" && source.mediaType.startsWith("text/")
    ? Buffer.from(source.data, "base64").toString("utf8")
    : ""

const resultText = ({ content }: ToolResultPart): string =>
  typeof content === "string"
    ? content
    : content.map((part) => part.type === "text" ? part.text : part.type === "file" ? fileText(part) : "").join("")

const resultsOf = (messages: ReadonlyArray<Message>): ReadonlyArray<string> =>
  messages.slice(messages.findLastIndex((message) => message.role !== "tool") + 1).flatMap(({ content }) =>
    typeof content === "string"
      ? []
      : content.filter((part): part is ToolResultPart => part.type === "tool-result").map(resultText)
  )

const promptOf = (request: LlmRequest): Prompt => {
  const messages = messagesOf(request)
  const asked = messages.filter((message) => message.role === "user").map(textOf)
  const format = request.responseFormat
  return {
    userText: asked.findLast((text) => text !== "") ?? "",
    toolResults: resultsOf(messages),
    tools: (request.tools ?? []).filter((tool) => tool.type === "function"),
    toolChoice: request.toolChoice ?? "auto",
    responseSchema: format?.type === "json-schema"
      ? format.schema
      : format?.type === "json"
      ? { type: "object" }
      : undefined,
    maxTokens: request.maxTokens
  }
}

/**
 * Answers a request. `thinks` says whether it is to show reasoning.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export const answer = (request: LlmRequest, thinks: boolean): ReplyAnswer => {
  const prompt = promptOf(request)
  const tool = toolFor(prompt)
  const thought: ReadonlyArray<Part> = thinks
    ? [{
      type: "reasoning",
      text: tool === undefined ? "A plain answer will do." : `The tool ${tool.name} can tell.`,
      signature: "c2ltdWxhdG9yLXNpZ25hdHVyZQ=="
    }]
    : []
  if (tool !== undefined) {
    return {
      parts: [...thought, { type: "tool-call", name: tool.name, arguments: valueOf(tool.parameters, prompt.userText) }]
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

const toolFor = ({ toolChoice, toolResults, tools, userText }: Prompt): FunctionTool | undefined => {
  if (toolChoice === "none" || toolResults.length > 0) return undefined
  if (typeof toolChoice === "object") return tools.find((tool) => tool.name === toolChoice.name)
  const said = new Set(words(userText))
  const fitting = tools.find((tool) => words(`${tool.name} ${tool.description ?? ""}`).some((word) => said.has(word)))
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
 * @stability stable
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
