/**
 * What servers of all wires write alike: words for the end of an answer, counts of tokens, argument text, frames.
 *
 * @since 0.1.0
 */
import type { LlmEvent } from "../../LlmEvent.ts"
import type { FinishReason, LlmResponse, Usage, Warning } from "../../LlmResponse.ts"
import type { Json, JsonObject, Part, ToolCallPart } from "../../Message.ts"
import { blank, record } from "../Probe.ts"
import type { AnswerEncoder, Frame } from "../Server.ts"

/**
 * The vendor's words for the end of an answer: one for each class, and all there are by the class that they are of.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface FinishWords {
  readonly usual: { readonly [Reason in FinishReason]: string }
  readonly own: { readonly [word: string]: FinishReason }
}

/**
 * The word for the end of an answer: the one that the model used, where this wire has it, or has none for what happened.
 *
 * @stability experimental
 * @category encoding
 * @since 0.1.0
 */
export const finishWord = (
  { finishReason, rawFinishReason: raw }: Pick<LlmResponse, "finishReason" | "rawFinishReason">,
  { own, usual }: FinishWords
): string => {
  if (raw === undefined || raw === "") return usual[finishReason]
  if (finishReason === "other") return raw
  return Object.hasOwn(own, raw) && own[raw] === finishReason ? raw : usual[finishReason]
}

/**
 * Counts as wires need them: what was not counted is 0.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Counts {
  readonly input: number
  readonly uncached: number
  readonly cacheRead: number | undefined
  readonly cacheWrite: number | undefined
  readonly cacheWrite1h: number | undefined
  readonly output: number
  readonly reasoning: number | undefined
}

/**
 * The counts of an answer.
 *
 * @stability experimental
 * @category encoding
 * @since 0.1.0
 */
export const countsOf = ({ input, output }: Usage): Counts => {
  const cached = (input.cacheRead ?? 0) + (input.cacheWrite ?? 0)
  return {
    input: input.total ?? (input.uncached ?? 0) + cached,
    uncached: input.total === undefined ? input.uncached ?? 0 : Math.max(0, input.total - cached),
    cacheRead: input.cacheRead,
    cacheWrite: input.cacheWrite,
    cacheWrite1h: input.cacheWrite1h,
    output: output.total ?? (output.text ?? 0) + (output.reasoning ?? 0),
    reasoning: output.reasoning
  }
}

/**
 * The arguments of a call as text; those of a free-form tool, and those that are no JSON, as they are.
 *
 * @stability experimental
 * @category encoding
 * @since 0.1.0
 */
export const argumentText = (call: ToolCallPart): string =>
  typeof call.arguments === "string" && (call.custom === true || call.invalid === true)
    ? call.arguments
    : JSON.stringify(call.arguments)

/**
 * The arguments of a call on wires that have them as an object; what is no JSON stays the text it is.
 *
 * @stability experimental
 * @category encoding
 * @since 0.1.0
 */
export const argumentObject = (call: ToolCallPart): Json =>
  call.invalid === true ? call.arguments : record(call.arguments) as JsonObject | undefined ?? { input: call.arguments }

/**
 * Those of an answer's extras that the wire has.
 *
 * @stability experimental
 * @category encoding
 * @since 0.1.0
 */
export const extrasOf = (response: LlmResponse, names: ReadonlyArray<string>): JsonObject => {
  const out: { [name: string]: Json } = {}
  for (const name of names) {
    const value = response.extra?.[name]
    if (value !== undefined && !(blank(value) && typeof value !== "number")) out[name] = value
  }
  return out
}

/**
 * Whether a part is in the wire's own words.
 *
 * @stability experimental
 * @category encoding
 * @since 0.1.0
 */
export const isOf = (wire: string, part: { readonly origin?: { readonly wire: string } | undefined }): boolean =>
  part.origin?.wire === wire

/**
 * An event of a stream of server-sent events.
 *
 * @stability experimental
 * @category encoding
 * @since 0.1.0
 */
export const sseEvent = (name: string, payload: unknown): string =>
  `event: ${name}\ndata: ${JSON.stringify(payload)}\n\n`

/**
 * Says once what the wire has no words for.
 *
 * @stability experimental
 * @category encoding
 * @since 0.1.0
 */
export class Losses {
  readonly warnings: Array<Warning> = []

  add(field: string): void {
    if (this.warnings.some((warning) => warning.field === field)) return
    this.warnings.push({ field, message: "The client's wire has no words for it; it was left out of the answer." })
  }

  part(part: Part): void {
    this.add(`parts.${part.type}`)
  }
}

/**
 * What encoders of streams have in common.
 *
 * @stability experimental
 * @category encoding
 * @since 0.1.0
 */
export abstract class Encoding implements AnswerEncoder {
  protected readonly losses = new Losses()
  protected frames: Array<Frame> = []

  get warnings(): ReadonlyArray<Warning> {
    return this.losses.warnings
  }

  add(event: LlmEvent): ReadonlyArray<Frame> {
    this.frames = []
    this.on(event)
    return this.frames
  }

  protected abstract on(event: LlmEvent): void

  protected push(kind: Frame["kind"], data: Frame["data"]): void {
    this.frames.push({ kind, data })
  }
}
