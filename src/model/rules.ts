/**
 * What models and hosts refuse, as data, and the one place that applies it to a request before a wire spells it.
 *
 * Facts of a model (`ModelMeta.rules`) and quirks of a host are the same kind of data. What becomes of an option that is refused is decided
 * here once for all wires, by whether the question stays the same without it:
 *
 * | option | becomes |
 * |---|---|
 * | sampling, penalties, `seed`, `logprobs`, `effort`, `parallelToolCalls`, `cache` | left out, with a warning |
 * | `maxTokens`, budgets and other numbers out of bounds | the nearest that is taken, with a warning |
 * | `thinking` | left out, or turned off where the model would think by itself, with a warning |
 * | `responseFormat` | an instruction, with a warning |
 * | `toolChoice: "none"` | the tools are left out, with a warning |
 * | `toolChoice: { name }` | that tool alone, as `required` where that is taken, with a warning |
 * | files that hold text | that text, with a warning |
 * | `stop`, `tools`, a forced call, audio, other files | refused before anything is sent: the answer would be another |
 *
 * What nothing is known of is sent as it is. Which words a wire has for an option is the wire's.
 *
 * @since 0.1.0
 */
import { type Issue, type LlmRequest, messagesOf, type RequestOptions } from "../LlmRequest.ts"
import type { Warning } from "../LlmResponse.ts"
import type { JsonSchema } from "../LlmTool.ts"
import type { ModelMeta, OptionName, OptionRules, Reason, ThinkingFacts } from "../Model.ts"
import { fileAsText, isMedia, mapParts, placeOf, withCanonicalTypes, withoutDetail } from "./media.ts"

/**
 * A request that fits, and what was changed for that.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface Fitted {
  readonly request: LlmRequest
  readonly warnings: ReadonlyArray<Warning>
}

/**
 * What a request is fitted to.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface Fit {
  /** What is known of the model. */
  readonly meta?: ModelMeta | undefined
  /** Of the wire and the host, in this order. */
  readonly rules: ReadonlyArray<OptionRules | undefined>
  readonly stream: boolean
  /** Where to read about an option when its rule does not say. */
  readonly docs?: string | undefined
}

const listOf = <A extends string>(one: A | ReadonlyArray<A>): ReadonlyArray<A> => typeof one === "string" ? [one] : one

/** What is said of each host's rules, and of the model's. */
const all = <K extends keyof OptionRules>(
  { meta, rules }: Fit,
  key: K
): ReadonlyArray<NonNullable<OptionRules[K]>[number]> =>
  [...rules, meta?.rules].flatMap((one): ReadonlyArray<NonNullable<OptionRules[K]>[number]> => one?.[key] ?? [])

// =============================================================================
// What is asked
// =============================================================================

const thinks = ({ thinking }: LlmRequest, meta: ModelMeta | undefined): boolean =>
  thinking === undefined
    ? meta?.thinking?.default === "on" && meta.capabilities.reasoning !== false
    : thinking !== "off" || meta?.thinking?.off === false

const hasWord = (request: LlmRequest, word: string): boolean => {
  const text = (given: string) => given.toLowerCase().includes(word)
  return (request.system !== undefined && text(request.system)) ||
    messagesOf(request).some(({ content }) =>
      typeof content === "string"
        ? text(content)
        : content.some((part) => part.type === "text" && text(part.text))
    )
}

/** Whether a request asks for an option, or for that value of it. */
const isAsked = (request: LlmRequest, name: OptionName, fit: Fit): boolean => {
  const { responseFormat, thinking, toolChoice, tools = [] } = request
  switch (name) {
    case "effort: above high":
      return request.effort === "xhigh" || request.effort === "max"
    case "stop":
      return (request.stop?.length ?? 0) > 0
    case "tools":
      return tools.length > 0
    case "custom tools":
      return tools.some(({ type }) => type === "custom")
    case "logprobs":
      return request.logprobs !== undefined && request.logprobs !== false
    case "logprobs: count":
      return typeof request.logprobs === "number"
    case "toolChoice: required":
      return tools.length > 0 && toolChoice === "required"
    case "toolChoice: name":
      return tools.length > 0 && typeof toolChoice === "object"
    case "toolChoice: none":
      return tools.length > 0 && toolChoice === "none"
    case "parallelToolCalls: false":
      return tools.length > 0 && request.parallelToolCalls === false
    case "responseFormat: json":
      return responseFormat?.type === "json"
    case "responseFormat: json-schema":
      return responseFormat?.type === "json-schema"
    case "responseFormat.name":
      return responseFormat?.type === "json-schema" && responseFormat.name !== undefined
    case "responseFormat.description":
      return responseFormat?.type === "json-schema" && responseFormat.description !== undefined
    case "thinking":
      return thinking !== undefined
    case "thinking: on":
      return thinks(request, fit.meta)
    case "thinking: off":
      return thinking === "off"
    case "thinking: budget":
      return typeof thinking === "object"
    case "stream":
      return fit.stream
    case "the word json":
      return hasWord(request, "json")
    case "audio":
    case "files":
    case "image.detail":
      return placeOf(request, isMedia[name]) !== undefined
    case "cache.key":
      return request.cache?.key !== undefined
    case "cache.extendedTtl":
      return request.cache?.extendedTtl === true
    default:
      return request[name] !== undefined
  }
}

// =============================================================================
// Giving way
// =============================================================================

const fieldOf = (name: OptionName): string =>
  name === "stream" || name === "the word json" ? "messages" : name === "custom tools" ? "tools" : name.split(":")[0]!

const titles: { readonly [name in OptionName]?: string } = {
  "logprobs: count": "The number of log probabilities",
  "effort: above high": "More effort than `high`",
  "toolChoice: required": "Forcing a tool call",
  "toolChoice: name": "Forcing a tool by name",
  "toolChoice: none": "Forbidding tools",
  "custom tools": "Free-form tools",
  files: "A file",
  audio: "Audio",
  "responseFormat: json": "JSON mode",
  "responseFormat: json-schema": "A JSON Schema for the answer",
  "thinking: on": "Thinking",
  "thinking: off": "Turning thinking off",
  "thinking: budget": "A budget for thinking",
  "parallelToolCalls: false": "Turning parallel calls off",
  stream: "Streaming"
}

const titleOf = (name: OptionName): string => titles[name] ?? `\`${name}\``

class Fitting {
  readonly warnings: Array<Warning> = []
  refused: Issue | undefined
  request: LlmRequest
  private readonly fit: Fit
  private readonly instructions: Array<string> = []

  constructor(request: LlmRequest, fit: Fit) {
    this.request = request
    this.fit = fit
  }

  /** Never in place: the request is the caller's. */
  set(changes: RequestOptions): void {
    this.request = { ...this.request, ...changes }
  }

  asks(name: OptionName): boolean {
    return isAsked(this.request, name, this.fit)
  }

  warn(field: string, message: string, reason: Reason): void {
    const url = reason.url ?? this.fit.docs
    this.warnings.push({
      field,
      message: reason.because === undefined ? message : `${message} ${reason.because}`,
      ...(url === undefined ? undefined : { url })
    })
  }

  refuse(field: string, message: string, reason: Reason): void {
    const url = reason.url ?? this.fit.docs
    this.refused ??= {
      field,
      message: [message, reason.because, url === undefined ? undefined : `See ${url}`].filter((part) =>
        part !== undefined
      ).join(" ")
    }
  }

  /** Says `said` of the text last, in the system prompt. */
  instruct(said: string): void {
    this.instructions.push(said)
  }

  /** Whether an option can give way to another without the question becoming a different one. */
  canGiveWay(name: OptionName): boolean {
    if (name === "thinking" || name === "thinking: on") {
      const { thinking, thinkingLevels } = this.fit.meta ?? {}
      return thinking?.default !== "on" || (thinking.off !== false && (thinkingLevels === undefined ||
        !("off" in thinkingLevels) || thinkingLevels.off !== undefined))
    }
    return !["audio", "files", "stop", "tools", "custom tools", "toolChoice: required", "toolChoice: name", "stream"]
      .includes(name)
  }

  /** Changes the request so that it no longer asks for an option; `why` begins the sentence that says so. */
  giveWay(name: OptionName, why: string, reason: Reason): void {
    const { request } = this
    const field = fieldOf(name)
    switch (name) {
      case "stop":
      case "tools":
      case "custom tools":
      case "toolChoice":
      case "toolChoice: required":
        return this.refuse(field, `${why}: leave it out, or ask another model.`, reason)
      case "toolChoice: name": {
        const named = typeof request.toolChoice === "object" ? request.toolChoice.name : ""
        if (this.takes("toolChoice: required")) {
          this.set({ tools: (request.tools ?? []).filter((tool) => tool.name === named), toolChoice: "required" })
          return this.warn(field, `${why}; only "${named}" was sent, as required.`, reason)
        }
        return this.refuse(field, `${why}: leave it out, or ask another model.`, reason)
      }
      case "toolChoice: none":
        this.set({ tools: undefined, toolChoice: undefined })
        return this.warn(field, `${why}; the tools were left out, so that none can be called.`, reason)
      case "responseFormat":
      case "responseFormat: json":
      case "responseFormat: json-schema": {
        const format = request.responseFormat
        this.set({ responseFormat: undefined })
        if (format === undefined || format.type === "text") return
        this.instruct(
          format.type === "json"
            ? "Answer with one valid JSON value and nothing else: no prose, no code fence."
            : "Answer with one JSON value that fits this JSON Schema and nothing else: no prose, no code fence.\n" +
              JSON.stringify(format.schema)
        )
        return this.warn(field, `${why}; the format was asked for in the instructions.`, reason)
      }
      case "thinking":
      case "thinking: on":
        if (this.fit.meta?.thinking?.default === "on") {
          this.set({ thinking: "off" })
          return this.warn(field, `${why}; thinking was turned off.`, reason)
        }
        this.set({ thinking: undefined })
        return this.warn(field, `${why}; it was left out.`, reason)
      case "responseFormat.name":
      case "responseFormat.description": {
        const format = request.responseFormat
        if (format?.type !== "json-schema") return
        const { description, name: title, ...rest } = format
        if (name === "responseFormat.name") {
          this.set({ responseFormat: { ...rest, ...(description === undefined ? undefined : { description }) } })
          return this.warn(field, `${why}; it was left out.`, reason)
        }
        // What it says of the answer is said by the schema as well.
        const schema = { description, ...rest.schema } as JsonSchema
        this.set({ responseFormat: { ...rest, schema, ...(title === undefined ? undefined : { name: title }) } })
        return this.warn(field, `${why}; it was put into the schema.`, reason)
      }
      case "logprobs: count":
        this.set({ logprobs: true })
        return this.warn(field, `${why}; it was left out.`, reason)
      case "cache.key":
      case "cache.extendedTtl": {
        const { [name === "cache.key" ? "key" : "extendedTtl"]: _, ...cache } = request.cache ?? {}
        this.set({ cache })
        return this.warn(field, `${why}; it was left out.`, reason)
      }
      case "image.detail":
        this.request = mapParts(request, withoutDetail)
        return this.warn(field, `${why}; it was left out.`, reason)
      case "files": {
        const inlined = mapParts(request, fileAsText)
        if (inlined !== request) this.warn("messages", `${why}; those that hold text were sent as text.`, reason)
        this.request = inlined
        return this.refuseMedia("files", reason)
      }
      case "audio":
        return this.refuseMedia("audio", reason)
      case "stream":
      case "the word json":
        return
      default:
        this.set({ [field]: undefined })
        return this.warn(field, `${why}; it was left out.`, reason)
    }
  }

  private refuseMedia(name: "audio" | "files", reason: Reason): void {
    const place = placeOf(this.request, isMedia[name])
    if (place === undefined) return
    const said = name === "audio" ?
      "Audio is not taken here: leave it out, or give its text." :
      "Files are not taken here: leave it out, or give its text."
    this.refuse(place, said, reason)
  }

  private takes(name: OptionName): boolean {
    return !all(this.fit, "refuses").some(({ option }) => listOf(option).includes(name))
  }

  finish(): Fitted {
    if (this.instructions.length > 0) {
      const { system } = this.request
      this.set({ system: [...(system === undefined ? [] : [system]), ...this.instructions].join("\n\n") })
    }
    return { request: this.request, warnings: this.warnings }
  }
}

// =============================================================================
// Rules
// =============================================================================

const refuse = (fitting: Fitting, fit: Fit): void => {
  for (const rule of all(fit, "refuses")) {
    for (const name of listOf(rule.option)) {
      if (!fitting.asks(name)) continue
      const { request } = fitting
      if (rule.but !== undefined && rule.but.includes(request[fieldOf(name) as keyof LlmRequest] as never)) continue
      if (rule.instead === undefined) fitting.giveWay(name, `${titleOf(name)} is not taken here`, rule)
      else {
        fitting.set(rule.instead)
        fitting.warn(fieldOf(name), `${titleOf(name)} is not taken here; its nearest equal was sent.`, rule)
      }
    }
  }
}

const exclude = (fitting: Fitting, fit: Fit): void => {
  for (const rule of all(fit, "excludes")) {
    for (const name of listOf(rule.option)) {
      for (const by of listOf(rule.by)) {
        if (!fitting.asks(name) || !fitting.asks(by)) continue
        const value = fitting.request[fieldOf(name) as keyof LlmRequest]
        if (rule.but?.includes(value as never) === true) continue
        if (rule.from !== undefined && typeof value === "number" && value >= rule.from) continue
        const why = (loser: OptionName, winner: OptionName) =>
          `${titleOf(loser)} is not taken together with ${
            titleOf(winner).replace(/^[A-Z](?=[a-z])/, (first) => first.toLowerCase())
          }`
        if (fitting.canGiveWay(name) || !fitting.canGiveWay(by)) {
          fitting.giveWay(fitting.canGiveWay(name) ? name : by, why(name, by), rule)
        } else fitting.giveWay(by, why(by, name), rule)
      }
    }
  }
}

const provide = (fitting: Fitting, fit: Fit): void => {
  for (const rule of all(fit, "needs")) {
    for (const name of listOf(rule.option)) {
      if (!fitting.asks(name) || fitting.asks(rule.beside)) continue
      if (rule.beside === "the word json") {
        fitting.instruct("Answer in JSON.")
        fitting.warn("messages", "JSON mode needs the word JSON in a message; an instruction was added.", rule)
      } else {
        fitting.giveWay(name, `${titleOf(name)} is only taken together with ${titleOf(rule.beside)}`, rule)
      }
    }
  }
}

const bound = (fitting: Fitting, fit: Fit): void => {
  const { meta } = fit
  const most = meta?.maxOutputTokens
  const { maxTokens } = fitting.request
  if (most !== undefined && maxTokens !== undefined && maxTokens > most) {
    fitting.warn("maxTokens", `The model generates at most ${most} tokens; ${maxTokens} was lowered to that.`, {})
    fitting.set({ maxTokens: most })
  }
  for (const rule of all(fit, "only")) {
    const { from = -Infinity, option, to = Infinity } = rule
    for (const name of listOf(option)) {
      const { request } = fitting
      if (name === "stop") {
        const count = request.stop?.length ?? 0
        if (count > to) fitting.refuse("stop", `At most ${to} stop texts are taken here, not ${count}.`, rule)
        continue
      }
      const field = name === "thinking: budget" ? "thinking" : name
      const value = name === "thinking: budget"
        ? typeof request.thinking === "object" ? request.thinking.budgetTokens : undefined
        : request[name]
      if (typeof value !== "number" || (value >= from && value <= to)) continue
      const nearest = Math.min(to, Math.max(from, value))
      const range = to === Infinity ? `at least ${from}` : from === -Infinity ? `at most ${to}` : `${from} to ${to}`
      fitting.warn(field, `Takes ${range} here; ${nearest} was sent for ${value}.`, rule)
      fitting.set({ [field]: name === "thinking: budget" ? { budgetTokens: nearest } : nearest })
    }
  }
}

const budgets = (facts: ThinkingFacts | undefined): OptionRules => {
  const { largestBudget, smallestBudget, url } = facts ?? {}
  if (largestBudget === undefined && smallestBudget === undefined) return {}
  return { only: [{ option: "thinking: budget", from: smallestBudget, to: largestBudget, url }] }
}

/** What follows from what a model can do at all. */
const incapable = (fitting: Fitting, { meta }: Fit): void => {
  const { request } = fitting
  if (meta?.capabilities.reasoning === false && request.thinking !== undefined) {
    if (request.thinking !== "off") fitting.warn("thinking", "The model does not think; the option was left out.", {})
    fitting.set({ thinking: undefined })
  } else if (
    request.thinking === "off" && meta?.thinking?.off === false && meta.thinkingLevels === undefined &&
    meta.thinking.smallestBudget === undefined
  ) {
    fitting.giveWay("thinking: off", "Thinking cannot be turned off on this model", meta.thinking)
  }
  if (meta?.capabilities.tools === false && (request.tools ?? []).length > 0) {
    fitting.refuse("tools", `The model ${meta.id} takes no tools. If it does, say so in the layer's option models.`, {})
  }
}

/**
 * A request as the model and the host take it, or why that would be another request. The request itself stays as it is; it is linear in
 * the rules and, where a rule looks for a word, in the text.
 *
 * @stability stable
 * @category combinators
 * @since 0.1.0
 */
export const fitted = (request: LlmRequest, fit: Fit): Fitted | { readonly refused: Issue } => {
  const whole: Fit = { ...fit, rules: [...fit.rules, budgets(fit.meta?.thinking)] }
  const fitting = new Fitting(withCanonicalTypes(request), whole)
  incapable(fitting, whole)
  refuse(fitting, whole)
  bound(fitting, whole)
  exclude(fitting, whole)
  provide(fitting, whole)
  return fitting.refused === undefined ? fitting.finish() : { refused: fitting.refused }
}
