/**
 * Whether a request that may be anything is one: every field of it, and what fields say together.
 *
 * `shape` is what everything that reads a request relies on; `relations` is what must be true of fields together once the defaults of a
 * layer are in; `defaults` are the options of a layer. None of them throws, and all are linear in what they are given. What the
 * messages are is `messageChecks`'; what a provider cannot do is its encoder's to refuse.
 *
 * @since 0.1.0
 */
import * as Redacted from "effect/Redacted"
import { headers } from "./headers.ts"
import { jsonObject, withJsonBudget } from "./json.ts"
import { messages } from "./messages.ts"
import { unspellable } from "./unspellable.ts"
import {
  type Check,
  copyable,
  duration,
  type Fields,
  fields,
  filledText,
  finite,
  flag,
  integerFrom,
  isRecord,
  type Issue,
  kindOf,
  listOf,
  oneOf,
  optional,
  problem,
  reading,
  recordOf,
  rooted,
  stepTo,
  text,
  that,
  under,
  within
} from "./values.ts"

// =============================================================================
// Schemas and tools
// =============================================================================

const schemaTypes: ReadonlySet<unknown> = new Set([
  "object",
  "array",
  "string",
  "number",
  "integer",
  "boolean",
  "null"
])

/** Of JSON already, and so no deeper than that may be. */
const schemaIssue = (schema: unknown): Issue | undefined => {
  if (!isRecord(schema)) return problem(`Must be a JSON Schema object. Got ${kindOf(schema)}.`)
  const { properties, required, type } = schema
  const types: ReadonlyArray<unknown> = Array.isArray(type) ? type : type === undefined ? [] : [type]
  for (const one of types) {
    if (!schemaTypes.has(one)) {
      const word = typeof one === "string" && one.length <= 40 ? `"${one.toWellFormed()}"` : kindOf(one)
      return under(".type", problem(`${word} is not a JSON Schema type.`))
    }
  }
  if (properties !== undefined) {
    if (!isRecord(properties)) return under(".properties", problem("Must be an object of schemas."))
    for (const [key, value] of Object.entries(properties)) {
      if (typeof value === "boolean") continue
      const found = schemaIssue(value)
      if (found !== undefined) return under(`.properties${stepTo(key)}`, found)
    }
  }
  return required === undefined || (Array.isArray(required) && required.every((name) => typeof name === "string"))
    ? undefined
    : under(".required", problem("Must be an array of property names."))
}

/**
 * A JSON Schema, of its own words only.
 *
 * @stability stable
 * @category checks
 * @since 0.1.0
 */
const jsonSchema: Check = reading((schema) => {
  const why = unspellable(schema)
  return why === undefined ? jsonObject(schema) ?? schemaIssue(schema) : problem(why)
})

const argumentsSchema: Check = reading((schema) => {
  const found = jsonSchema(schema)
  if (found !== undefined) return found
  const { type } = schema as { readonly type?: unknown }
  return type === undefined || type === "object"
    ? undefined
    : under(".type", problem("Tool arguments are an object: the schema's type must be \"object\"."))
})

const toolName: Check = (value) =>
  typeof value === "string" && value !== "" ? undefined : problem(`A tool needs a name. Got ${kindOf(value)}.`)
const optionalText = optional(text)
const cacheControl = optional(oneOf("ephemeral", "extended"))

const toolTypes: { readonly [type: string]: Check | undefined } = {
  function: fields({
    name: toolName,
    description: optionalText,
    parameters: argumentsSchema,
    strict: optional(flag),
    cacheControl
  }),
  custom: fields({ name: toolName, description: optionalText, format: optional(jsonObject) }),
  provider: fields({ name: toolName, definition: jsonObject })
}

const tool: Check = reading((value) => {
  if (!isRecord(value)) return problem(`Not a tool. Use LlmTool.make. Got ${kindOf(value)}.`)
  const { type } = value
  const check = typeof type === "string" && Object.hasOwn(toolTypes, type) ? toolTypes[type] : undefined
  return check === undefined
    ? under(".type", problem("Must be \"function\", \"custom\" or \"provider\". Use LlmTool.make."))
    : check(value)
})

const tools = listOf(tool, "Must be an array of tools.")

const toolChoice: Check = reading((value) =>
  value === "auto" || value === "none" || value === "required" || (isRecord(value) && typeof value["name"] === "string")
    ? undefined
    : problem(`Must be "auto", "none", "required" or { name } of a tool. Got ${kindOf(value)}.`)
)

// =============================================================================
// Options
// =============================================================================

const thinkingLevel = oneOf("off", "minimal", "low", "medium", "high", "xhigh", "max")

const thinking: Check = (value) =>
  isRecord(value) ? fields({ budgetTokens: integerFrom(1) })(value) : thinkingLevel(value)

const formats: { readonly [type: string]: Check | undefined } = {
  text: () => undefined,
  json: () => undefined,
  "json-schema": fields({
    schema: jsonSchema,
    name: optional(filledText),
    description: optionalText,
    strict: optional(flag)
  })
}

const responseFormat: Check = reading((value) => {
  const type = isRecord(value) ? value["type"] : undefined
  const check = typeof type === "string" && Object.hasOwn(formats, type) ? formats[type] : undefined
  return check === undefined
    ? problem(`Must be { type: "text" }, { type: "json" } or { type: "json-schema", schema }. Got ${kindOf(value)}.`)
    : check(value)
})

const cache = fields({
  systemPrompt: optional(flag),
  tools: optional(flag),
  recentTurns: optional(integerFrom(0)),
  extendedTtl: optional(flag),
  globalScope: optional(flag),
  key: optionalText
})

const logprobs: Check = (value) => typeof value === "boolean" ? undefined : integerFrom(0)(value)

/**
 * Time limits of a request or layer.
 *
 * @stability stable
 * @category checks
 * @since 0.1.0
 */
export const timeouts: Check = recordOf(optional(duration), "Must be an object of time limits.")

const apiKey: Check = reading((value) =>
  Redacted.isRedacted(value) && typeof Redacted.value(value) === "string"
    ? undefined
    : problem("Must be a Redacted text: Redacted.make(key).")
)

/** What only providers read; each its own. A field that is `undefined` is no option. */
const providerOptions = recordOf(optional(jsonObject), "Must be an object of options by provider.")

/** Options of requests that layers may have defaults for. */
const shared: Fields = {
  system: optionalText,
  maxTokens: optional(integerFrom(1)),
  temperature: optional(within(0, 2)),
  topP: optional(within(0, 1)),
  topK: optional(integerFrom(1)),
  frequencyPenalty: optional(finite),
  presencePenalty: optional(finite),
  stop: optional(listOf(text, "Must be an array of texts.")),
  seed: optional(integerFrom(Number.MIN_SAFE_INTEGER)),
  tools: optional(tools),
  toolChoice: optional(toolChoice),
  parallelToolCalls: optional(flag),
  responseFormat: optional(responseFormat),
  thinking: optional(thinking),
  effort: optional(oneOf("low", "medium", "high", "xhigh", "max")),
  cache: optional(cache),
  logprobs: optional(logprobs),
  scope: optional(fields({ requestId: optionalText, sessionId: optionalText, userId: optionalText })),
  metadata: optional(jsonObject),
  priority: optional(finite),
  providerOptions: optional(providerOptions),
  headers: optional(headers),
  timeouts: optional(timeouts),
  whole: optional(oneOf("auto", "streamed", "whole")),
  includeRaw: optional(flag)
}

const model: Check = (value) =>
  typeof value === "string" && value.trim() !== ""
    ? undefined
    : problem(
      value === undefined || typeof value === "string"
        ? "Is empty: name a model, or leave it out."
        : `Must be the name of a model. Got ${kindOf(value)}.`
    )

/** Any other text would name nobody, and what is meant for that one would be left out in silence. */
const origin: Check = that(
  (value) => typeof value === "string" && /^https?:/i.test(value) && URL.canParse(value),
  "Must be an origin such as https://api.openai.com."
)

/** What a request says to one provider. */
const personalFields: Fields = { apiKey: optional(apiKey), headers: optional(headers), model: optional(model) }

const personalAndNamed: Fields = {
  ...personalFields,
  providers: optional(recordOf(fields({ ...personalFields, origin: optional(origin) })))
}

/**
 * What a request says to one provider, and to others by name: all that is laid over each other before a provider validates the rest.
 *
 * @stability stable
 * @category checks
 * @since 0.1.0
 */
export const personal: Check = fields(personalAndNamed)

const ofRequest = fields({ ...shared, ...personalAndNamed, label: optionalText, messages: optional(messages) })

const ofDefaults = fields(shared, "Must be an object of request options.")

const spoken: Check = reading((value) => {
  const { messages, prompt } = value as { readonly messages?: unknown; readonly prompt?: unknown }
  if (messages === undefined && prompt === undefined) {
    return under(".messages", problem("Is missing: give messages, or a prompt."))
  }
  if (messages !== undefined && prompt !== undefined) {
    return under(".prompt", problem("Give either messages or a prompt, not both."))
  }
  return messages !== undefined || (typeof prompt === "string" && prompt !== "")
    ? undefined
    : under(".prompt", problem(`Must be a text that is not empty. Got ${kindOf(prompt)}.`))
})

/**
 * The first problem of a request by itself.
 *
 * @stability stable
 * @category validation
 * @since 0.1.0
 */
export const shape = (request: unknown): Issue | undefined =>
  isRecord(request)
    ? rooted(withJsonBudget(() => spoken(request) ?? ofRequest(request) ?? copyable(request)), "request")
    : { field: "request", message: `Must be an object with messages or a prompt. Got ${kindOf(request)}.` }

/**
 * The first problem of options that a layer gives to every request; `field` begins below them.
 *
 * @stability stable
 * @category validation
 * @since 0.1.0
 */
export const defaults: Check = (options) => withJsonBudget(() => ofDefaults(options))

/** Of a request with a legal shape. */
interface Related {
  readonly tools?: ReadonlyArray<{ readonly name: string }> | undefined
  readonly toolChoice?: "auto" | "none" | "required" | { readonly name: string } | undefined
}

/**
 * The first contradiction between fields that are legal by themselves, once what the layer adds is in.
 *
 * @stability stable
 * @category validation
 * @since 0.1.0
 */
export const relations = (request: object): Issue | undefined =>
  rooted(
    reading((value) => {
      const { toolChoice: choice, tools = [] } = value as Related
      const names = new Set<string>()
      for (const [at, { name }] of tools.entries()) {
        if (names.has(name)) {
          return under(`.tools[${at}].name`, problem(`Two tools are named "${name}": tool names must be unique.`))
        }
        names.add(name)
      }
      if (typeof choice === "object" && !names.has(choice.name)) {
        return under(".toolChoice", problem(`There is no tool "${choice.name}" in tools.`))
      }
      return choice === "required" && tools.length === 0
        ? under(".toolChoice", problem("Requires a tool, but tools is empty."))
        : undefined
    })(request),
    "request"
  )
