/**
 * What each model takes of the options, by an open catalogue of parameters: ranges, words, and which exclude each other.
 * https://github.com/mnfst/modelparams.dev
 */
import { existsSync, readFileSync } from "node:fs"
import { type Fault, type Fields, fieldsOf, listOf, type Sent, type Validator } from "./Fault.ts"

/** A parameter of a model, as the catalogue has it. */
interface Parameter {
  readonly path: string
  readonly type: string
  readonly description?: string
  readonly range?: { readonly min?: number; readonly max?: number }
  readonly values?: ReadonlyArray<string>
  readonly applicability?: { readonly only?: Conditions; readonly except?: Conditions | ReadonlyArray<Conditions> }
}

type Conditions = { readonly [path: string]: unknown }

interface Model {
  readonly provider: string
  readonly authType: string
  readonly model: string
  readonly params: ReadonlyArray<Parameter>
}

/** Providers by their names here, where the catalogue has others. */
const names: { readonly [provider: string]: string } = {
  gemini: "google",
  "vertex-anthropic": "anthropic",
  zai: "z-ai"
}

/** Sampling, which every entry lists when the model takes it; OpenAI's newer models take it where they do not reason. */
const alwaysListed = ["temperature", "top_p"]

const plain = (model: string): string =>
  model.toLowerCase().replace(/^.*\//, "").replace(/^(?:global\.|us\.|eu\.)?(?:anthropic|amazon|openai|meta)\./, "")
    .replace(/(?:-v1)?(?::0)?$/, "").replace(/-v1$/, "")

const valueAt = (body: Fields, path: string): unknown => {
  let found: unknown = body
  for (const step of path.replace(/^extra_body\./, "").split(".")) found = fieldsOf(found)[step]
  return found
}

const meets = (value: unknown, condition: unknown): boolean => {
  const not = fieldsOf(condition)
  if ("not" in not) return value !== undefined && value !== not["not"]
  return Array.isArray(condition) ? condition.includes(value) : value === condition
}

const holds = (body: Fields, conditions: Conditions): boolean =>
  Object.entries(conditions).every(([path, condition]) => meets(valueAt(body, path), condition))

/**
 * Entries that the hosts' own documentation contradicts: what can be asked of formats, which it knows better, Groq's efforts, and that Kimi
 * is never forced to call: "tool_choice 'required' is incompatible with thinking enabled" is all that Moonshot says, so that it may be
 * without thinking (https://github.com/can1357/oh-my-pi/issues/1077).
 */
const contradicted = (provider: string, path: string, body: Fields): boolean =>
  (provider === "moonshot" && path === "tool_choice" &&
    fieldsOf(body["thinking"])["type"] === "disabled") ||
  path.startsWith("response_format") || path.startsWith("text.format") ||
  (provider === "groq" && path === "reasoning_effort")

const faultsOf = (body: Fields, { params, provider }: Model, source: string): ReadonlyArray<Fault> => {
  const faults: Array<Fault> = []
  for (const { applicability, description, path, range, type, values } of params) {
    const value = valueAt(body, path)
    if (value === undefined || value === null || contradicted(provider, path, body)) continue
    const at = path.replace(/^extra_body\./, "")
    const refuse = (message: string) => void faults.push({ at, message, source })
    if (typeof value === "number" && range?.min !== undefined && value < range.min) {
      refuse(`must be at least ${range.min}, is ${value}`)
    }
    if (typeof value === "number" && range?.max !== undefined && value > range.max) {
      refuse(`must be at most ${range.max}, is ${value}`)
    }
    const listed = values?.some((word) => word.toLowerCase() === String(value).toLowerCase()) ?? true
    if (type === "enum" && typeof value === "string" && !listed) {
      refuse(`must be one of ${values?.join(", ")}, is ${value}`)
    }
    // Some hosts take an option and do nothing with it, which is no refusal.
    if (applicability === undefined || /no effect|accepted for compatibility|ignored/i.test(description ?? "")) continue
    const excluded = [applicability.except ?? []].flat().find((conditions) => holds(body, conditions as Conditions))
    if (excluded !== undefined) refuse(`is refused together with ${JSON.stringify(excluded)}`)
  }
  const listed = new Set(params.map(({ path }) => path.replace(/^extra_body\./, "")))
  if (provider !== "openai" && (listed.has("max_tokens") || listed.has("max_completion_tokens"))) {
    for (const name of alwaysListed) {
      if (name in body && !listed.has(name)) {
        faults.push({ at: name, message: "is no parameter of the model", source })
      }
    }
  }
  return faults
}

/** Reads the catalogue; gives the validators of a provider, none where the catalogue does not know it. */
export const readParameters = (
  file: string,
  source: string
): (provider: string, model: string) => ReadonlyArray<Validator> => {
  if (!existsSync(file)) return () => []
  const known = new Map<string, Model>()
  for (const entry of listOf(JSON.parse(readFileSync(file, "utf8"))) as ReadonlyArray<Model>) {
    if (entry.authType === "api_key") known.set(`${entry.provider}/${plain(entry.model)}`, entry)
  }
  return (provider, model) => {
    const entry = known.get(`${names[provider] ?? provider}/${plain(model)}`)
    return entry === undefined ? [] : [{
      name: "modelparams.dev",
      check: ({ body }: Sent) => faultsOf(body, entry, `${source}#${entry.provider}/${entry.model}`)
    }]
  }
}
