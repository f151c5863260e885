/**
 * Tables of the documentation that are made from the code itself: providers, and what each option becomes in the
 * outgoing request. Probes of real encoded bodies, so that a table cannot promise what the code does not do.
 */
import { readdirSync } from "node:fs"
import type { LlmRequest } from "../src/LlmRequest.ts"
import * as LlmTool from "../src/LlmTool.ts"
import { errorTable } from "../src/protocol/ErrorMap.ts"
import type { Definition } from "../src/provider/Provider.ts"
import { encode } from "../src/provider/Provider.ts"

const folder = new URL("../src/provider/", import.meta.url)

const modules = (await Promise.all(
  readdirSync(folder).filter((file) => /^[A-Z]\w*\.ts$/.test(file)).toSorted().map(async (file) => ({
    module: file.slice(0, -".ts".length),
    definition: (await import(new URL(file, folder).href) as { readonly definition?: Definition }).definition
  }))
)).filter((entry): entry is { readonly module: string; readonly definition: Definition } =>
  entry.definition !== undefined
)

const code = (text: string): string => `\`${text}\``

const row = (cells: ReadonlyArray<string>): string =>
  `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`

const table = (head: ReadonlyArray<string>, rows: ReadonlyArray<ReadonlyArray<string>>): string =>
  [row(head), row(head.map(() => "---")), ...rows.map(row)].join("\n")

/** Every provider with its id, wire, key and default model. */
const providers = (): string =>
  table(
    ["module", "id", "wire", "environment", "default model"],
    modules.map(({ definition, module }) => [
      `[${module}](${definition.docs})`,
      code(definition.id),
      definition.protocol.wire,
      [...definition.env.apiKey, definition.env.baseUrl].filter((name) => name !== undefined).map(code).join(", "),
      definition.defaultModel === undefined ? "" : code(definition.defaultModel)
    ])
  )

const tool = LlmTool.make("look_up", { parameters: { type: "object", properties: { a: { type: "string" } } } })
const base: LlmRequest = { prompt: "Hello", system: "Be brief.", maxTokens: 20_000 }
const withTools: LlmRequest = { ...base, tools: [tool] }
const schema = {
  type: "object",
  properties: { a: { type: "string" } },
  required: ["a"],
  additionalProperties: false
} as const

/** One option at a time, beside the request it is compared with. */
const probes: ReadonlyArray<readonly [option: string, from: LlmRequest, to: LlmRequest]> = [
  ["maxTokens", base, { ...base, maxTokens: 21_000 }],
  ["temperature", base, { ...base, temperature: 0.5 }],
  ["topP", base, { ...base, topP: 0.5 }],
  ["topK", base, { ...base, topK: 5 }],
  ["frequencyPenalty", base, { ...base, frequencyPenalty: 0.5 }],
  ["presencePenalty", base, { ...base, presencePenalty: 0.5 }],
  ["stop", base, { ...base, stop: ["END"] }],
  ["seed", base, { ...base, seed: 7 }],
  ["logprobs", base, { ...base, logprobs: 2 }],
  ["tools", base, withTools],
  ["custom tool", base, { ...base, tools: [LlmTool.custom("free")] }],
  ["toolChoice: required", withTools, { ...withTools, toolChoice: "required" }],
  ["toolChoice: none", withTools, { ...withTools, toolChoice: "none" }],
  ["toolChoice: name", withTools, { ...withTools, toolChoice: { name: "look_up" } }],
  ["parallelToolCalls: false", withTools, { ...withTools, parallelToolCalls: false }],
  ["responseFormat: json", base, { ...base, responseFormat: { type: "json" } }],
  ["responseFormat: json-schema", base, { ...base, responseFormat: { type: "json-schema", schema } }],
  ["thinking: high", base, { ...base, thinking: "high" }],
  ["thinking: off", base, { ...base, thinking: "off" }],
  ["thinking: budgetTokens", base, { ...base, thinking: { budgetTokens: 2000 } }],
  ["effort: high", base, { ...base, effort: "high" }],
  ["cache: systemPrompt", base, { ...base, cache: { systemPrompt: true } }],
  ["cache: key", base, { ...base, cache: { key: "k" } }]
]

/** Paths at which two bodies differ, as deep as both are objects. */
const changes = (from: unknown, to: unknown, path = ""): ReadonlyArray<string> => {
  const isRecord = (value: unknown): value is Record<string, unknown> =>
    typeof value === "object" && value !== null && !Array.isArray(value)
  if (JSON.stringify(from) === JSON.stringify(to)) return []
  if (!isRecord(from) || !isRecord(to)) return [path]
  return [...new Set([...Object.keys(from), ...Object.keys(to)])].flatMap((key) =>
    changes(from[key], to[key], path === "" ? key : `${path}.${key}`)
  )
}

const outcome = (definition: Definition, from: LlmRequest, to: LlmRequest): string => {
  const model = definition.defaultModel ?? "model"
  const before = encode(definition, from, model, false)
  const after = encode(definition, to, model, false)
  if ("field" in after) return "refused"
  if ("field" in before) return "refused"
  const changed = [...new Set(changes(before.body, after.body))].map(code).join(", ")
  const warned = after.warnings.length > before.warnings.length
  if (changed === "") return warned ? "left out, with a warning" : "nothing to send"
  return warned ? `${changed}, with a warning` : changed
}

/** For every option, what it becomes on which provider. */
const settings = (): string =>
  table(
    ["option", "in the body", "providers"],
    probes.flatMap(([option, from, to]) => {
      const byOutcome = new Map<string, Array<string>>()
      for (const { definition, module } of modules) {
        const result = outcome(definition, from, to)
        byOutcome.set(result, [...byOutcome.get(result) ?? [], module])
      }
      return [...byOutcome].map(([result, names], i) => [i === 0 ? code(option) : "", result, names.join(", ")])
    })
  )

/** How errors of providers become reasons. */
const errors = (): string =>
  table(
    ["provider", "status", "type or code", "message", "reason", "retryable"],
    errorTable.map((entry) => [
      `[${entry.provider}](${entry.source})`,
      entry.status === undefined ? "in stream" : String(entry.status),
      [entry.type, entry.code].filter((part) => part !== undefined).map((part) => code(String(part))).join(" "),
      entry.message.replace(/\s+/g, " ").replaceAll("<", "&lt;"),
      entry.kind === undefined ? code(entry.reason) : `${code(entry.reason)} of ${entry.kind}`,
      entry.retryable ? "yes" : "no"
    ])
  )

/** Generators by the name used in `<!-- generated: name -->`. */
export const tables: { readonly [name: string]: () => string } = { errors, providers, settings }
