/**
 * What servers of several wires read alike: media in URLs, arguments in text, schemas, tools, and what there is no place for.
 *
 * @since 0.1.0
 */
import type { Warning } from "../../LlmResponse.ts"
import type { FunctionTool, JsonSchema, LlmTool, ProviderTool } from "../../LlmTool.ts"
import type { CacheControl, Json, JsonObject, Media, Message, Part, TextPart } from "../../Message.ts"
import { readArguments } from "../assembling.ts"
import { readDataUrl } from "../DataUrl.ts"
import * as Body from "./Json.ts"

/**
 * The media that a URL names or, as a data URL, is.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const mediaOfUrl = (url: string, mediaType?: string): Media => {
  const inline = readDataUrl(url)
  if (inline !== undefined) {
    return { type: "base64", mediaType: inline.mediaType || mediaType || "application/octet-stream", data: inline.data }
  }
  return { type: "url", url, ...(mediaType === undefined ? undefined : { mediaType }) }
}

/**
 * The arguments of a call that are JSON text, or the JSON itself.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const argumentsOf = (value: unknown): { readonly arguments: Json; readonly invalid?: true } =>
  typeof value === "string" ? readArguments(value) : { arguments: (value ?? {}) as Json }

/**
 * How long a mark such as `{ "type": "ephemeral", "ttl": "1h" }` keeps a prefix.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const cacheControlOf = (mark: unknown): CacheControl | undefined =>
  !Body.isObject(mark) ? undefined : mark.ttl === "1h" ? "extended" : "ephemeral"

/**
 * A message of one text that says nothing else is a string.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const message = (role: Message["role"], parts: ReadonlyArray<Part>): Message => {
  const only = parts[0]
  const isPlain = parts.length === 1 && only?.type === "text" && Object.keys(only).length === 2
  return { role, content: isPlain ? (only as TextPart).text : parts }
}

/**
 * Instructions at the top of a body: a text of their own where that says it all, else a message.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const instructions = (
  parts: ReadonlyArray<TextPart>
): { readonly system?: string; readonly messages: ReadonlyArray<Message> } => {
  if (parts.length === 0) return { messages: [] }
  const made = message("system", parts)
  return typeof made.content === "string" ? { system: made.content, messages: [] } : { messages: [made] }
}

/** A schema whose root is an object; the empty one where a tool has none. */
const schemaOf = (value: unknown): JsonSchema =>
  Body.isObject(value) && Object.keys(value).length > 0
    ? Body.asJson(value)
    : { type: "object", properties: {} }

/**
 * A tool that the application runs.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const functionTool = (
  fields: { readonly name: string; readonly description: unknown; readonly parameters: unknown },
  more?: Pick<FunctionTool, "strict" | "cacheControl">
): FunctionTool => ({
  type: "function",
  name: fields.name,
  ...(typeof fields.description === "string" ? { description: fields.description } : undefined),
  parameters: schemaOf(fields.parameters),
  ...more
})

/**
 * A tool of the vendor's, by the first of some names that is any.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const providerTool = (definition: Body.JsonObject, ...names: ReadonlyArray<unknown>): ProviderTool => ({
  type: "provider",
  name: names.find((name): name is string => typeof name === "string" && name !== "") ?? "tool",
  definition: Body.asJson(definition)
})

/**
 * Tools with names that tell them apart: a vendor's own may come several times.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const distinct = (tools: ReadonlyArray<LlmTool>): ReadonlyArray<LlmTool> => {
  const taken = new Set(tools.filter((tool) => tool.type !== "provider").map((tool) => tool.name))
  return tools.map((tool) => {
    if (tool.type !== "provider") return tool
    let name = tool.name
    for (let count = 2; taken.has(name); count++) name = `${tool.name}_${count}`
    taken.add(name)
    return name === tool.name ? tool : { ...tool, name }
  })
}

/**
 * The fields that say something.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const present = <A extends object>(fields: A): { [K in keyof A]?: Exclude<A[K], undefined> } => {
  const out: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(fields)) if (value !== undefined) out[name] = value
  return out as { [K in keyof A]?: Exclude<A[K], undefined> }
}

/**
 * A warning for each member of the body that no request has a place for.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const placeless = (body: Body.JsonObject, known: ReadonlySet<string>, below = ""): Array<Warning> =>
  Object.keys(body)
    .filter((name) => !known.has(name) && body[name] !== undefined && body[name] !== null)
    .map((name) => ({ field: `${below}${name}`, message: onlyHere }))

/**
 * Says what becomes of what a request has no place for.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const onlyHere = "Is passed on only where the request leaves on the wire it came in on."

/**
 * Texts that end the answer: one, or a list.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const stopsOf = (value: unknown): ReadonlyArray<string> | undefined => {
  const stops = (typeof value === "string" ? [value] : Body.array(value)).filter((one) => typeof one === "string")
  return stops.length === 0 ? undefined : stops
}

/**
 * The JSON object that a value is, or that its text is.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const objectIn = (value: unknown): JsonObject | undefined => {
  const read = typeof value === "string" ? Body.parse(value) : value
  return Body.isObject(read) ? Body.asJson(read) : undefined
}

/**
 * What is said of several answers to one request: an answer is one, and nobody is made to pay for more.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const oneAnswer = (field: string): Warning => ({ field, message: "One answer is given, and asked for." })
