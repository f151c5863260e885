/**
 * Which choice of a frame is the answer, what in it says anything, and which of its fields says why it ended.
 *
 * Hosts that know several names for one thing send all of them and fill one: the filled one counts. The state of the
 * answer is `Decoder.ts`.
 *
 * @since 0.1.0
 */
import type { Assembler } from "../assembling.ts"
import { finishReasonOf } from "../FinishReasons.ts"
import { blank, blankBut, type Fields, list, nonEmpty, record } from "../Probe.ts"

/** Frame fields worth keeping, under their own names. @stability experimental @category data @since 0.1.0 */
export const extraFields = ["service_tier", "system_fingerprint", "provider"] as const

/**
 * Choice 0, the filled one of several; in a whole body the first when none says so.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const primary = (choices: ReadonlyArray<unknown>, whole: boolean): Fields | undefined => {
  let first: Fields | undefined
  for (const one of choices) {
    const choice = record(one)
    if (choice === undefined) continue
    const index = choice["index"]
    if (index !== 0 && index !== undefined && index !== null) continue
    if (choices.length === 1 || answers(choice)) return choice
    first ??= choice
  }
  if (!whole) return first
  const others = choices.map(record)
  return others.find((one) => one !== undefined && answers(one)) ?? first ?? others.find((one) => one !== undefined)
}

const roleField: ReadonlySet<string> = new Set(["role"])

/**
 * Whether a delta or message says anything.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const says = (body: Fields): boolean => !blankBut(body, roleField)

const answers = (choice: Fields): boolean => {
  for (const name of ["message", "delta"]) {
    const body = record(choice[name])
    if (body !== undefined && says(body)) return true
  }
  return !blank(choice["text"]) || !blank(choice["error"])
}

/** A reason that is one: 0 and `""` are placeholders. */
const given = (value: unknown): string | number | undefined =>
  (typeof value === "string" && value !== "") || (typeof value === "number" && value !== 0) ? value : undefined

/**
 * The finish reason of a choice, wherever it stands. `stop_reason` is the stop text that was met on some hosts, so only
 * known words count.
 *
 * @see https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const finishIn = (choice: Fields, delta: Fields | undefined, message: Fields | undefined): unknown => {
  const finish = given(choice["finish_reason"]) ?? given(choice["finishReason"]) ??
    given(choice["native_finish_reason"])
  if (finish !== undefined) return finish
  const inner = nonEmpty(delta?.["finish_reason"]) ?? nonEmpty(message?.["finish_reason"])
  if (inner !== undefined) return inner
  const stop = nonEmpty(choice["stop_reason"])
  return stop !== undefined && finishReasonOf(stop) !== "other" ? stop : undefined
}

const callLabels: ReadonlySet<string> = new Set(["type", "index"])

/**
 * Whether it is a call of nothing, as hosts send that fill every field: no id, no name, no arguments.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const isEmptyCall = (value: unknown): boolean => {
  const call = record(value)
  if (call === undefined) return true
  const args = record(call["function"])?.["arguments"]
  // The usual delta.
  if (typeof args === "string" && args !== "") return false
  return blankBut(call, callLabels)
}

/**
 * Whether an object holds any number.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const counts = (usage: Fields): boolean => Object.values(usage).some((value) => typeof value === "number")

/** Space by which a repetition may be shorter than what it repeats. */
const mostSpace = 64

/**
 * What a whole content adds to the text before it; with `only`, nothing unless it begins with that text. A text that is much
 * longer is not read again for it.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const unsaid = (assembler: Assembler, content: unknown, only: boolean): unknown => {
  if (typeof content !== "string") return undefined
  if (content.length + mostSpace < assembler.textLength) return only ? undefined : content
  const said = assembler.allText
  if (content.startsWith(said)) return content.slice(said.length)
  return only || said.trim() === content.trim() ? undefined : content
}

/** Types of a block of text. @stability experimental @category data @since 0.1.0 */
export const textBlocks: ReadonlySet<unknown> = new Set(["text", "output_text"])

const within = (fields: Fields, names: ReadonlySet<string>): boolean => {
  for (const name in fields) {
    if (fields[name] !== null && !names.has(name)) return false
  }
  return true
}

const frameFields: ReadonlySet<string> = new Set(["id", "object", "created", "model", "choices", ...extraFields])
const choiceFields: ReadonlySet<string> = new Set(["index", "delta"])
const deltaFields: ReadonlySet<string> = new Set(["content", "role"])

/**
 * The text of a frame whose handling does nothing but add it, however often the frame comes.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const onlyText = (value: unknown): string | undefined => {
  const frame = record(value)
  if (frame === undefined || frame["object"] === "error" || !within(frame, frameFields)) return undefined
  const choices = list(frame["choices"])
  const choice = choices.length === 1 ? record(choices[0]) : undefined
  if (choice === undefined || (choice["index"] ?? 0) !== 0 || !within(choice, choiceFields)) return undefined
  const delta = record(choice["delta"])
  if (delta === undefined || !within(delta, deltaFields)) return undefined
  const content = delta["content"]
  return typeof content === "string" && content !== "" ? content : undefined
}
