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

/** What was read of a result, under a name of ours in its `_meta`: no schema of the SDK looks at it there. */
const rawKey = "effect-llm/raw"

/** Of entries that were left out of a list. @stability experimental @category keys @since 0.1.0 */
export const droppedKey = "effect-llm/dropped"

/** That the server said how long the list counts. @stability experimental @category keys @since 0.1.0 */
export const timedKey = "effect-llm/timed"

const kind = (result: Fields): Fields => "resultType" in result ? { resultType: result.resultType } : {}

const list = (result: Fields, name: string, entry: (value: unknown) => Fields | undefined): Fields => {
  const given = Array.isArray(result[name]) ? result[name] as ReadonlyArray<unknown> : []
  const entries = given.flatMap((one) => entry(one) ?? [])
  const isTimed = isNumber(result.ttlMs) && result.ttlMs >= 0
  const out: Fields = {
    ...kind(result),
    [name]: [],
    ttlMs: isTimed ? Math.floor(result.ttlMs as number) : 0,
    cacheScope: result.cacheScope === "public" ? "public" : "private",
    _meta: { [rawKey]: entries, [droppedKey]: given.length - entries.length, [timedKey]: isTimed }
  }
  keep(result, out, "nextCursor", isText)
  return out
}

const called = (result: Fields): Fields => {
  const { content, isError, structuredContent, toolResult } = result
  const blocks = Array.isArray(content)
    ? content as ReadonlyArray<unknown>
    // The first revision of the protocol called it so.
    : toolResult !== undefined
    ? [toolResult]
    : isText(content)
    ? [content]
    : []
  return {
    ...kind(result),
    content: [],
    _meta: {
      [rawKey]: {
        content: blocks,
        ...(structuredContent === undefined ? undefined : { structuredContent }),
        isError: isError === true
      }
    }
  }
}

/** A result whose one field is a list that is looked at elsewhere. */
const holding = (result: Fields, name: string): Fields => ({
  ...kind(result),
  [name]: [],
  ttlMs: 0,
  cacheScope: "private",
  _meta: { [rawKey]: result[name] }
})

/**
 * A result of the method that no schema refuses, with what was read of it under {@link rawKey}.
 *
 * @stability experimental
 * @category tidying
 * @since 0.1.0
 */
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
    case "resources/read":
      return holding(result, "contents")
    case "prompts/get":
      return holding(result, "messages")
    default:
      return result
  }
}

/** What was read of a result that is tidied. @stability experimental @category reading @since 0.1.0 */
export const rawOf = (result: unknown): unknown => {
  const meta = isObject(result) ? result._meta : undefined
  return isObject(meta) ? meta[rawKey] : undefined
}
