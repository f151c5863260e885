/**
 * Decides whether an outcome is what recorded traffic says, by the conventions of `docs/conventions.md`:
 * how finish words fall into classes and what token totals include differs by wire, and is spelled out
 * here independently of the decoders.
 *
 * @since 0.1.0
 */
import { isDeepStrictEqual } from "node:util"
import type { LlmError } from "../../LlmError.ts"
import type { FinishReason, LlmResponse } from "../../LlmResponse.ts"
import { makeScrubber } from "../../transport/secrets/Redaction.ts"
import type { Case, Expected } from "./Case.ts"

/**
 * What a replayed call came to.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export type Outcome =
  | {
    readonly _tag: "Response"
    /** The answer. */
    readonly response: LlmResponse
  }
  | {
    readonly _tag: "Error"
    /** What the call failed with. */
    readonly error: LlmError
  }
  | {
    readonly _tag: "Defect"
    /** What escaped the error channel, as text: always a mismatch. */
    readonly message: string
  }
  | { readonly _tag: "Hang" }

/**
 * One difference.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Mismatch {
  /** What differs, such as `text` or `usage.input`. */
  readonly field: string
  /** What the independent reader found. */
  readonly expected: unknown
  /** What this library says. */
  readonly actual: unknown
}

const finishClasses: { readonly [word: string]: FinishReason } = {
  stop: "stop",
  end_turn: "stop",
  stop_sequence: "stop",
  completed: "stop",
  complete: "stop",
  eos: "stop",
  end: "stop",
  done: "stop",
  eos_token: "stop",
  length: "length",
  max_tokens: "length",
  max_output_tokens: "length",
  model_length: "length",
  tool_calls: "tool-calls",
  tool_use: "tool-calls",
  tool_call: "tool-calls",
  function_call: "tool-calls",
  content_filter: "content-filter",
  content_filtered: "content-filter",
  guardrail_intervened: "content-filter",
  safety: "content-filter",
  recitation: "content-filter",
  blocklist: "content-filter",
  prohibited_content: "content-filter",
  spii: "content-filter",
  image_safety: "content-filter",
  image_prohibited_content: "content-filter",
  image_recitation: "content-filter",
  language: "other",
  sensitive: "content-filter",
  refusal: "refusal",
  pause_turn: "pause",
  queued: "pause",
  in_progress: "pause",
  model_context_window_exceeded: "context-window",
  malformed_function_call: "error",
  unexpected_tool_call: "error",
  malformed_model_output: "error",
  malformed_tool_use: "error",
  error: "error",
  error_toxic: "content-filter",
  network_error: "error",
  insufficient_system_resource: "error"
}

/** Numbers of Gemini's FinishReason enum: https://ai.google.dev/api/generate-content#FinishReason */
const geminiFinishNumbers: { readonly [number: number]: string } = {
  1: "stop",
  2: "max_tokens",
  3: "safety",
  4: "recitation",
  5: "other",
  6: "blocklist",
  7: "prohibited_content",
  8: "spii",
  9: "malformed_function_call",
  10: "other",
  11: "safety"
}

const finishClass = (word: string | number | null | undefined): FinishReason => {
  const name = typeof word === "number" ? geminiFinishNumbers[word] ?? "other" : (word ?? "").toLowerCase()
  return finishClasses[name] ?? "other"
}

const differs = (out: Array<Mismatch>, field: string, expected: unknown, actual: unknown) => {
  if (!isDeepStrictEqual(expected, actual)) out.push({ field, expected, actual })
}

const mask = makeScrubber([])

const wellFormed = (text: string) => text.toWellFormed()

const compareUsage = (out: Array<Mismatch>, api: string, expected: Expected, response: LlmResponse) => {
  const usage = expected.usage
  if (usage === null || usage === undefined) return
  const actual = response.usage
  const { cacheWrite, cachedRead, input, output, reasoning, total } = usage
  const excludesCache = api === "anthropic-messages" || api === "bedrock-converse"
  if (typeof input === "number") {
    const wanted = excludesCache ? input + (cachedRead ?? 0) + (cacheWrite ?? 0) : input
    differs(out, "usage.input.total", wanted, actual.input.total)
  }
  if (typeof output === "number") {
    const outside = typeof reasoning === "number" &&
      (api === "gemini" || reasoning > output ||
        (typeof total === "number" && typeof input === "number" && total === input + output + reasoning &&
          reasoning > 0 && !excludesCache))
    differs(out, "usage.output.total", outside ? output + reasoning : output, actual.output.total)
  }
  if (typeof cachedRead === "number") differs(out, "usage.input.cacheRead", cachedRead, actual.input.cacheRead)
  if (typeof cacheWrite === "number") differs(out, "usage.input.cacheWrite", cacheWrite, actual.input.cacheWrite)
  if (typeof reasoning === "number") differs(out, "usage.output.reasoning", reasoning, actual.output.reasoning)
}

const compareCalls = (out: Array<Mismatch>, expected: Expected, response: LlmResponse) => {
  const wanted = expected.toolCalls ?? []
  const actual = response.toolCalls
  // A call that the length limit cut is reported as invalid or not at all.
  const cut = finishClass(expected.finishReason) === "length"
  const closed = (calls: typeof wanted) => cut ? calls.filter((call) => call.argsValid !== false) : calls
  const valid = cut ? actual.filter((call) => !call.invalid) : actual
  const want = closed(wanted)
  differs(out, "toolCalls.length", want.length, valid.length)
  const seen = new Set<string>()
  for (let i = 0; i < Math.min(want.length, valid.length); i++) {
    const one = want[i]!
    const call = valid[i]!
    differs(out, `toolCalls[${i}].name`, one.name, call.name)
    if (one.argsValid === false) {
      differs(out, `toolCalls[${i}].invalid`, true, call.invalid ?? false)
    } else {
      const args = one.args === null || one.args === undefined ? one.args ?? {} : one.args
      differs(out, `toolCalls[${i}].arguments`, args ?? {}, call.arguments)
    }
    if (typeof one.id === "string" && one.id !== "" && !seen.has(one.id)) {
      differs(out, `toolCalls[${i}].id`, one.id, call.id)
      seen.add(one.id)
    }
  }
}

const compareError = (
  out: Array<Mismatch>,
  expected: NonNullable<Expected["error"]>,
  status: number,
  error: LlmError
) => {
  const reason = error.reason as {
    readonly status?: number
    readonly type?: string
    readonly code?: string | number
  }
  if (status >= 400) differs(out, "error.status", status, reason.status)
  if (typeof expected.message === "string" && expected.message !== "") {
    // Errors are shown with everything that looks like a key masked.
    differs(out, "error.message", mask(wellFormed(expected.message)), error.reason.message)
  }
  if (typeof expected.type === "string") differs(out, "error.type", expected.type, reason.type)
  if (expected.code !== null && expected.code !== undefined) {
    differs(out, "error.code", String(expected.code), reason.code === undefined ? undefined : String(reason.code))
  }
}

/**
 * The differences between what was expected and what came; none when the case passes.
 *
 * @stability experimental
 * @category comparing
 * @since 0.1.0
 */
export const compare = (recorded: Case, expected: Expected, outcome: Outcome): ReadonlyArray<Mismatch> => {
  const out: Array<Mismatch> = []
  if (outcome._tag === "Defect") {
    return [{ field: "outcome", expected: "an answer or an LlmError", actual: outcome.message }]
  }
  if (outcome._tag === "Hang") {
    return [{ field: "outcome", expected: "an answer or an LlmError", actual: "no outcome in time" }]
  }
  const expectError = expected.error !== null && expected.error !== undefined
  if (expectError || !expected.ok || recorded.response.status >= 400) {
    if (outcome._tag === "Response") {
      return [{ field: "outcome", expected: expected.error ?? "an error", actual: outcome.response.text.slice(0, 80) }]
    }
    if (expectError) compareError(out, expected.error!, recorded.response.status, outcome.error)
    return out
  }
  if (expected.terminal === false) {
    if (outcome._tag === "Response") {
      return [{ field: "outcome", expected: "IncompleteStream", actual: "a response" }]
    }
    differs(out, "error.reason", "IncompleteStream", outcome.error.reason._tag)
    differs(out, "partial.text", wellFormed(expected.text ?? ""), outcome.error.partial?.text ?? "")
    return out
  }
  if (outcome._tag === "Error") {
    // Two messages spliced into one stream: the reader counts the blocks of the first as blocks of the second. A client
    // that went on would mix two answers, so a typed error is the right outcome.
    const spliced = expected.extra?.blockIndexReused === 1 || expected.extra?.blockIndexReused === true
    if (spliced && outcome.error.reason._tag === "ResponseParse") return out
    return [{ field: "outcome", expected: "a response", actual: outcome.error.message }]
  }
  const response = outcome.response
  const refusal = expected.refusal ?? ""
  const text = expected.text ?? ""
  // A refusal is text, after what was said before it.
  const wantedText = wellFormed(text + refusal)
  const wantedReasoning = wellFormed(expected.reasoning ?? "")
  // An inline <think> block may move to reasoning, by quirk.
  if (wantedText.includes("<think>") && wantedText !== response.text) {
    const unwrapped = wantedText.replace(/<think>([\s\S]*?)(<\/think>|$)/g, "")
    differs(out, "text without thinking", unwrapped.trim(), response.text.trim())
  } else {
    differs(out, "text", wantedText, response.text)
    differs(out, "reasoning", wantedReasoning, response.reasoningText)
  }
  compareCalls(out, expected, response)
  const finish = refusal !== ""
    ? "refusal"
    : finishClass(expected.finishReason) === "stop" && (expected.toolCalls ?? []).length > 0
    ? "tool-calls"
    : finishClass(expected.finishReason)
  differs(out, "finishReason", finish, response.finishReason)
  compareUsage(out, recorded.api, expected, response)
  return out
}
