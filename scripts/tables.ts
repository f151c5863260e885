/**
 * Tables of the documentation that are made from the code itself: providers, and what each option becomes in the
 * outgoing request. Probes of real encoded bodies, so that a table cannot promise what the code does not do.
 */
import * as Effect from "effect/Effect"
import { globSync, readdirSync } from "node:fs"
import type { Issue, LlmRequest } from "../src/LlmRequest.ts"
import type { Warning } from "../src/LlmResponse.ts"
import * as LlmTool from "../src/LlmTool.ts"
import type { AudioPart, FilePart } from "../src/Message.ts"
import type { OptionName } from "../src/Model.ts"
import { ModelFacts } from "../src/model/facts.ts"
import { families } from "../src/model/families.ts"
import { defaultRoutes } from "../src/policy/candidates/routes.ts"
import { errorTable } from "../src/protocol/ErrorMap.ts"
import type { Definition } from "../src/provider/Provider.ts"
import { spelled } from "../test/encoding.ts"
import { headerOf, summaryOf } from "./summary.ts"

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

const withPart = (part: AudioPart | FilePart): LlmRequest => ({
  ...base,
  prompt: undefined,
  messages: [{ role: "user", content: [{ type: "text", text: "Hello" }, part] }]
})

/** One option at a time, or a pair, beside the request it is compared with. */
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
  ["cache: key", base, { ...base, cache: { key: "k" } }],
  ["maxTokens: 1", base, { ...base, maxTokens: 1 }],
  ["stop: 6 texts", base, { ...base, stop: ["1", "2", "3", "4", "5", "6"] }],
  ["temperature and topP", base, { ...base, temperature: 0.5, topP: 0.5 }],
  ["temperature: 2", base, { ...base, temperature: 2 }],
  ["thinking: high and temperature", base, { ...base, thinking: "high", temperature: 0.5 }],
  ["thinking: high and toolChoice: required", withTools, { ...withTools, thinking: "high", toolChoice: "required" }],
  ["responseFormat: json and tools", withTools, { ...withTools, responseFormat: { type: "json" } }],
  ["responseFormat: json-schema and tools", withTools, {
    ...withTools,
    responseFormat: { type: "json-schema", schema }
  }],
  [
    "responseFormat: json and thinking: high",
    base,
    { ...base, thinking: "high", responseFormat: { type: "json" } }
  ],
  [
    "PDF file",
    base,
    withPart({ type: "file", source: { type: "base64", mediaType: "application/pdf", data: "aGk=" } })
  ],
  ["text file", base, withPart({ type: "file", source: { type: "base64", mediaType: "text/plain", data: "aGk=" } })],
  ["audio", base, withPart({ type: "audio", source: { type: "base64", mediaType: "audio/wav", data: "aGk=" } })]
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

/** What is known of the default models. */
const facts = new Map(
  await Promise.all(modules.map(async ({ definition }) => {
    const known = new ModelFacts(definition.id, definition.catalogue)
    await Effect.runPromise(known.load)
    return [definition.id, known] as const
  }))
)

const encoded = (definition: Definition, request: LlmRequest) => {
  const model = definition.defaultModel ?? "model"
  return spelled(definition, request, model, false, facts.get(definition.id)?.of(model))
}

interface Outcome {
  readonly text: string
  /** What was refused, or the warnings that the option makes. */
  readonly reasons: ReadonlyArray<Warning | Issue>
}

const outcome = (definition: Definition, from: LlmRequest, to: LlmRequest): Outcome => {
  const before = encoded(definition, from)
  const after = encoded(definition, to)
  if ("field" in after) return { text: "refused", reasons: [after] }
  if ("field" in before) return { text: "refused", reasons: [before] }
  const changed = [...new Set(changes(before.body, after.body))].map(code).join(", ")
  const known = new Set(before.warnings.map(({ message }) => message))
  const reasons = after.warnings.filter(({ message }) => !known.has(message))
  const warned = reasons.length > 0
  if (changed === "") return { text: warned ? "left out, with a warning" : "nothing to send", reasons }
  return { text: warned ? `${changed}, with a warning` : changed, reasons }
}

/** For every option, what it becomes on which provider. */
const settings = (): string =>
  table(
    ["option", "in the body", "providers"],
    probes.flatMap(([option, from, to]) => {
      const byOutcome = new Map<string, Array<string>>()
      for (const { definition, module } of modules) {
        const { text } = outcome(definition, from, to)
        byOutcome.set(text, [...byOutcome.get(text) ?? [], module])
      }
      return [...byOutcome].map(([result, names], i) => [i === 0 ? code(option) : "", result, names.join(", ")])
    })
  )

const urlIn = (text: string): string | undefined => /\bhttps:\/\/\S+$/.exec(text)?.[0]

/** For every provider, what is changed or refused, with where that is written. */
const refusals = (): string =>
  table(
    ["provider", "asked", "becomes", "source"],
    modules.flatMap(({ definition, module }) => {
      const rows = new Map<string, { readonly asked: Array<string>; readonly becomes: string; readonly url: string }>()
      for (const [option, from, to] of probes) {
        const { reasons } = outcome(definition, from, to)
        for (const reason of reasons) {
          const url = ("url" in reason ? reason.url : undefined) ?? urlIn(reason.message)
          if (url === undefined) continue
          const becomes = reason.message.replace(/\s*See https:\S+$/, "").replace(/\s+/g, " ").replace(
            /^`[\w.]+` is/,
            "is"
          )
          const key = `${becomes} ${url}`
          const row = rows.get(key)
          if (row === undefined) rows.set(key, { asked: [option], becomes, url })
          else row.asked.push(option)
        }
      }
      return [...rows.values()].map(({ asked, becomes, url }, i) => [
        i === 0 ? module : "",
        asked.map(code).join(", "),
        becomes.replaceAll("<", "&lt;"),
        `[source](${url})`
      ])
    })
  )

const optionList = (option: OptionName | ReadonlyArray<OptionName>): string =>
  (typeof option === "string" ? [option] : option).map(code).join(", ")

/** For every family of models, what it does not take. */
const models = (): string =>
  table(
    ["models", "at", "facts", "source"],
    families.flatMap(({ capabilities, hosts, limitsCompletion, rules, thinking, title }) => {
      const rows: Array<readonly [text: string, url: string | undefined]> = []
      for (const { but, option, url } of rules?.refuses ?? []) {
        rows.push([`not ${optionList(option)}${but === undefined ? "" : `, but ${but.join(", ")}`}`, url])
      }
      for (const { by, option, url } of rules?.excludes ?? []) {
        rows.push([`not ${optionList(option)} with ${optionList(by)}`, url])
      }
      for (const { from, option, to, url } of rules?.only ?? []) {
        rows.push([`${optionList(option)} ${from ?? ""}…${to ?? ""}`, url])
      }
      if (thinking !== undefined) {
        const { largestBudget, off, replay, smallestBudget, url } = thinking
        rows.push([
          [
            thinking.default === undefined ? "" : `thinking ${thinking.default} by default`,
            off === false ? "cannot be turned off" : "",
            replay === true ? "earlier reasoning is sent back" : "",
            smallestBudget === undefined ? "" : `budgets ${smallestBudget}…${largestBudget ?? ""}`
          ].filter((part) => part !== "").join(", "),
          url
        ])
      }
      if (capabilities?.prefill === false) rows.push(["no answer begun by the caller", undefined])
      if (limitsCompletion === true) rows.push([`limit named ${code("max_completion_tokens")}`, undefined])
      return rows.map(([text, url], i) => [
        i === 0 ? title : "",
        i === 0 ? hosts?.join(", ") ?? "all" : "",
        text,
        url === undefined ? "" : `[source](${url})`
      ])
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

/** What a fallback does by default with each reason. */
const reasons = (): string =>
  table(
    ["reason", "a fallback"],
    Object.entries(defaultRoutes).map(([reason, route]) => [
      `[${code(reason)}](#${reason.toLowerCase()})`,
      typeof route === "function" ? "depends on its fields" : route === "next" ? "moves on" : "stops"
    ])
  )

/** Every example with what it shows. */
const examples = (): string =>
  globSync("examples/[0-9][0-9]-*.ts", { cwd: new URL("../", import.meta.url) }).toSorted().map((path) => {
    const file = path.slice("examples/".length)
    return `- [${file}](${file}): ${headerOf(path)}`
  }).join("\n")

/** What most programs use, by module. */
const summarised = [
  "LlmService",
  "LlmRequest",
  "Message",
  "LlmResponse",
  "LlmEvent",
  "LlmTool",
  "LlmError",
  "agent/Handlers",
  "agent/Agent",
  "agent/Run",
  "agent/Conversation",
  "batch/Batch",
  "policy/Timeout",
  "policy/Retry",
  "policy/Fallback",
  "policy/CircuitBreaker",
  "policy/Continue",
  "policy/Hedge",
  "policy/Balance",
  "policy/KeyPool",
  "policy/RateLimit",
  "policy/Concurrency",
  "policy/Cache",
  "policy/Budget",
  "observe/Events",
  "observe/Cost",
  "config/Registry",
  "testing/TestLlm"
]

/** What only authors of stores, of policies, of drivers of a run, or of types over tools need: it is left out of the summary. */
const forAuthors: { readonly [module: string]: ReadonlyArray<string> } = {
  LlmService: ["DeepPartial", "Service"],
  LlmRequest: ["Issue", "messagesOf", "validate"],
  LlmResponse: ["PriorAttempt", "RateLimits", "fold"],
  LlmEvent: ["maxIndex", "isContent"],
  Message: ["Open", "Origin", "PipeableMessage", "Role"],
  LlmTool: ["ApprovalContext", "CustomTool", "FunctionTool", "ProviderTool", "Misfit", "isOfSchema", "jsonSchemaOf"],
  LlmError: ["Operation", "ReasonTag", "isLlmError", "isRetryableStatus", "timeout"],
  "agent/Conversation": ["Store"],
  "agent/Handlers": [
    "Handlers",
    "Tag",
    "Lost",
    "Output",
    "Later",
    "ParamsOf",
    "SuccessOf",
    "FailureOf",
    "HandlersOf",
    "ErrorsOf",
    "ServicesOf",
    "Provided",
    "LayerHandlersOf"
  ],
  "agent/Run": [
    "Action",
    "Answer",
    "CallState",
    "CallStatus",
    "Check",
    "Happened",
    "OpenCall",
    "RefusalKind",
    "RunFailure",
    "Start",
    "ApplyOptions",
    "ToolFacts",
    "Turn",
    "apply",
    "next",
    "start",
    "version"
  ],
  "policy/Retry": ["fromSchedule"],
  "policy/Fallback": ["make"],
  "policy/CircuitBreaker": ["Store"],
  "policy/Continue": ["CandidateOptions", "make"],
  "policy/Hedge": ["CandidateOptions", "make"],
  "policy/Balance": ["Candidate", "make"],
  "policy/Cache": ["Store"],
  "policy/RateLimit": ["Amounts", "Reservation", "Reserve", "Resource", "Settle", "Store", "StoreError"],
  "policy/Budget": ["Account", "Reserve", "Reserved", "Settle", "Store", "StoreError"],
  "observe/Cost": ["CacheEconomics", "ofCache"],
  "observe/Events": ["Bus", "LogSettings", "PrefixDifference", "subscribe"],
  "config/Registry": ["Reload", "Service", "WatchOptions", "make", "makeWatch", "reloads"]
}

/** What most programs use, a line for each export. */
const summary = (): string => summarised.map((module) => summaryOf(module, forAuthors[module])).join("\n\n")

/** Generators by the name used in `<!-- generated: name -->`. */
export const tables: { readonly [name: string]: () => string } = {
  errors,
  examples,
  models,
  providers,
  reasons,
  refusals,
  settings,
  summary
}

/** A page for every provider: what it is called, where it reads its key, what becomes of each option, and where that is written. */
export const providerPages = (): ReadonlyArray<{ readonly name: string; readonly text: string }> =>
  modules.map(({ definition, module }) => {
    const { defaultModel, docs, env, id, name, protocol } = definition
    const outcomes = probes.map(([option, from, to]) => ({ option, ...outcome(definition, from, to) }))
    const variables = [...env.apiKey, env.baseUrl, env.host, env.model].filter((variable) => variable !== undefined)
    return {
      name: module,
      text: [
        `# ${name}`,
        `\`import { ${module} } from "effect-llm"\`, or \`import * as ${module} from "effect-llm/${module}"\`. The provider's own words: [${docs}](${docs}).`,
        table(["", ""], [
          ["id", code(id)],
          ["wire", protocol.wire],
          ["environment", variables.map(code).join(", ")],
          ["default model", defaultModel === undefined ? "none: `model` is required" : code(defaultModel)],
          ["options of its own", `${code("providerOptions")} of ${code(id)}`]
        ]),
        "## What each option becomes",
        `Read off real bodies${defaultModel === undefined ? "" : ` for ${code(defaultModel)}`}.`,
        table(
          ["option", "in the body", "why"],
          outcomes.map(({ option, reasons, text }) => [
            code(option),
            text,
            reasons.map(({ message }) => message.replace(/\s+/g, " ")).join(" ")
          ])
        )
      ].join("\n\n") + "\n"
    }
  })
