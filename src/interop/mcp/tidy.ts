/**
 * Results of servers that are not quite what the protocol says, made so that the rest of them counts: one entry that is wrong does not take
 * a list with it, one block that nobody knows does not take a result.
 *
 * Works on values that were read from a message and belong to nobody else.
 *
 * @since 0.1.0
 */
import { isObject } from "./values.ts"

type Fields = { [name: string]: unknown }

const isText = (value: unknown): value is string => typeof value === "string"

/** Keeps a field if it is what it should be. */
const keep = (from: Fields, to: Fields, name: string, fits: (value: unknown) => boolean): void => {
  if (name in from && fits(from[name])) to[name] = from[name]
}

const isBoolean = (value: unknown): value is boolean => typeof value === "boolean"
const isNumber = (value: unknown): value is number => typeof value === "number" && Number.isFinite(value)

const described = (entry: Fields, to: Fields): Fields => {
  keep(entry, to, "title", isText)
  keep(entry, to, "description", isText)
  keep(entry, to, "_meta", isObject)
  return to
}

const annotations = (value: unknown): Fields | undefined => {
  if (!isObject(value)) return undefined
  const out: Fields = {}
  keep(value, out, "title", isText)
  for (const hint of ["readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint"]) {
    keep(value, out, hint, isBoolean)
  }
  return out
}

const tool = (entry: unknown): Fields | undefined => {
  if (!isObject(entry) || !isText(entry.name) || entry.name === "") return undefined
  const { inputSchema = { type: "object" } } = entry
  // `true`, an empty schema and one without a type take any object; `false` and other types take none.
  const schema = inputSchema === true ? { type: "object" } : inputSchema
  if (!isObject(schema) || (schema.type !== undefined && schema.type !== "object")) return undefined
  const out = described(entry, { name: entry.name, inputSchema: { ...schema, type: "object" } })
  keep(entry, out, "outputSchema", isObject)
  const hints = annotations(entry.annotations)
  return hints === undefined ? out : { ...out, annotations: hints }
}

const resource = (place: "uri" | "uriTemplate") => (entry: unknown): Fields | undefined => {
  if (!isObject(entry) || !isText(entry[place]) || entry[place] === "") return undefined
  const out = described(entry, { [place]: entry[place], name: isText(entry.name) ? entry.name : entry[place] })
  keep(entry, out, "mimeType", isText)
  keep(entry, out, "size", isNumber)
  return out
}

const prompt = (entry: unknown): Fields | undefined => {
  if (!isObject(entry) || !isText(entry.name) || entry.name === "") return undefined
  const out = described(entry, { name: entry.name })
  if (!Array.isArray(entry.arguments)) return out
  const named = entry.arguments.flatMap((argument: unknown) => {
    if (!isObject(argument) || !isText(argument.name)) return []
    const one = described(argument, { name: argument.name })
    keep(argument, one, "required", isBoolean)
    return [one]
  })
  return { ...out, arguments: named }
}

const list = (result: Fields, name: string, entry: (value: unknown) => Fields | undefined): Fields => {
  const given = Array.isArray(result[name]) ? result[name] as ReadonlyArray<unknown> : []
  const out: Fields = {
    ...("resultType" in result ? { resultType: result.resultType } : undefined),
    [name]: given.flatMap((one) => entry(one) ?? []),
    ttlMs: isNumber(result.ttlMs) && result.ttlMs >= 0 ? result.ttlMs : 0,
    cacheScope: result.cacheScope === "public" ? "public" : "private"
  }
  keep(result, out, "nextCursor", isText)
  // Who reads it tells how many entries were nothing.
  out._meta = { [droppedKey]: given.length - (out[name] as ReadonlyArray<unknown>).length }
  if (isNumber(result.ttlMs) && result.ttlMs >= 0) out._meta = { ...out._meta as Fields, [timedKey]: true }
  return out
}

/** Of entries that were left out, in `_meta` of a tidied list. @category keys @since 0.1.0 */
export const droppedKey = "effect-llm/dropped"

/** That the server said how long the list counts. @category keys @since 0.1.0 */
export const timedKey = "effect-llm/timed"

/** A block as the protocol has it, or what it says as a text. */
const block = (value: unknown): Fields => {
  if (isObject(value)) {
    const { data, mimeType, resource: held, text, type, uri } = value
    switch (type) {
      case "text":
        if (isText(text)) return { type, text }
        break
      case "image":
      case "audio":
        if (isText(data) && isText(mimeType)) return { type, data, mimeType }
        break
      case "resource":
        if (isObject(held) && (isText(held.text) || isText(held.blob))) {
          const content = contents(held)
          return { type, resource: content }
        }
        break
      case "resource_link":
        if (isText(uri)) return { type, ...resource("uri")(value) }
        break
    }
  }
  return { type: "text", text: isText(value) ? value : JSON.stringify(value) ?? "" }
}

const contents = (held: Fields): Fields => {
  const out: Fields = { uri: isText(held.uri) ? held.uri : "" }
  keep(held, out, "mimeType", isText)
  return isText(held.text) ? { ...out, text: held.text } : { ...out, blob: held.blob }
}

const called = (result: Fields): Fields => {
  const out: Fields = {
    ...("resultType" in result ? { resultType: result.resultType } : undefined),
    content: Array.isArray(result.content)
      ? result.content.map(block)
      // The first revision of the protocol called it so.
      : "toolResult" in result
      ? [block(result.toolResult)]
      : isText(result.content)
      ? [{ type: "text", text: result.content }]
      : []
  }
  if (result.structuredContent !== undefined) out.structuredContent = result.structuredContent
  if (result.isError === true) out.isError = true
  return out
}

/** A result of the method, as the protocol has it. @category tidying @since 0.1.0 */
export const tidied = (method: string, result: unknown): unknown => {
  if (!isObject(result) || (result.resultType !== undefined && result.resultType !== "complete")) return result
  switch (method) {
    case "tools/list":
      return list(result, "tools", tool)
    case "resources/list":
      return list(result, "resources", resource("uri"))
    case "resources/templates/list":
      return list(result, "resourceTemplates", resource("uriTemplate"))
    case "prompts/list":
      return list(result, "prompts", prompt)
    case "tools/call":
      return called(result)
    default:
      return result
  }
}
