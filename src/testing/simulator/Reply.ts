/**
 * A scripted reply as the answer it stands for, streamed and whole: every default filled in, text in pieces.
 *
 * @since 0.1.0
 */
import type { LlmEvent } from "../../LlmEvent.ts"
import type { FinishReason, LlmResponse as Response } from "../../LlmResponse.ts"
import { LlmResponse } from "../../LlmResponse.ts"
import type { Part as AnswerPart } from "../../Message.ts"
import { readArguments } from "../../protocol/assembling.ts"
import type { Part, ReplyAnswer, ReplyUsage } from "./Answer.ts"
import { idNumber, type Vendor } from "./Vendor.ts"

/** The tokens a text counts as: a token is four characters. */
const tokensOf = (text: string): number => Math.ceil(text.length / 4)

/**
 * Cuts a text into pieces of so many UTF-16 units, one more where a piece would end in half a character.
 *
 * @stability stable
 * @category counting
 * @since 0.1.0
 */
export const pieces = (text: string, size: number): ReadonlyArray<string> => {
  const result: Array<string> = []
  for (let from = 0; from < text.length;) {
    let to = Math.min(text.length, from + Math.max(1, size))
    // Half a surrogate pair at the end takes its other half along.
    if (to < text.length && text.codePointAt(to - 1)! > 0xffff) to++
    result.push(text.slice(from, to))
    from = to
  }
  return result
}

/**
 * What a reply is to.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface Asked {
  readonly wire: string
  readonly vendor: Vendor
  readonly number: number
  readonly model: string
  readonly inputTokens: number
  /** Names of the free-form tools that the request has. */
  readonly custom: ReadonlySet<string>
}

/**
 * A reply ready to be written.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface Played {
  readonly response: Response
  readonly events: ReadonlyArray<LlmEvent>
}

const classes: ReadonlySet<string> = new Set<FinishReason>([
  "stop",
  "length",
  "tool-calls",
  "content-filter",
  "refusal",
  "pause",
  "context-window",
  "error",
  "other"
])

/** A finish class, or a word that is sent as it is. */
const finishOf = (finish: string): Pick<Response, "finishReason" | "rawFinishReason"> =>
  classes.has(finish)
    ? { finishReason: finish as FinishReason }
    : { finishReason: "other", rawFinishReason: finish }

const argumentsOf = (given: unknown): string => typeof given === "string" ? given : JSON.stringify(given ?? {})

const lengthOf = (part: Part): number =>
  tokensOf(part.type === "tool-call" ? part.name + argumentsOf(part.arguments) : part.text)

const usageOf = (answer: ReplyAnswer, inputTokens: number): ReplyUsage =>
  answer.usage ?? {
    input: inputTokens,
    output: answer.parts.reduce((sum, part) => sum + lengthOf(part), 0),
    reasoning: answer.parts.reduce((sum, part) => sum + (part.type === "reasoning" ? lengthOf(part) : 0), 0)
  }

/**
 * Plays a reply.
 *
 * @stability stable
 * @category spelling
 * @since 0.1.0
 */
export const played = (answer: ReplyAnswer, asked: Asked): Played => {
  const { model, number, vendor, wire } = asked
  const origin = { wire }
  const size = answer.chunkSize ?? 8
  const { cacheRead = 0, cacheWrite = 0, input, output, reasoning = 0 } = usageOf(answer, asked.inputTokens)
  const usage = {
    input: { total: input, uncached: Math.max(0, input - cacheRead - cacheWrite), cacheRead, cacheWrite },
    output: { total: output, reasoning }
  }
  const id = vendor.answerId(idNumber(number))
  const events: Array<LlmEvent> = [{ _tag: "ResponseStart", id, model }, { _tag: "UsageUpdate", usage }]
  let calls = 0
  const parts = answer.parts.map((part, index): AnswerPart => {
    switch (part.type) {
      case "text":
        events.push({ _tag: "TextStart", index })
        for (const text of pieces(part.text, size)) events.push({ _tag: "TextDelta", index, text })
        events.push({ _tag: "TextEnd", index, part })
        return part
      case "reasoning": {
        // What is encrypted stays hidden.
        const text = part.encrypted === undefined ? part.text : ""
        const encrypted = part.encrypted ?? (part.signature === undefined ? vendor.encrypted : undefined)
        const made = {
          type: "reasoning" as const,
          text,
          ...(part.signature === undefined ? undefined : { signature: part.signature }),
          ...(encrypted === undefined ? undefined : { encrypted }),
          origin
        }
        events.push({ _tag: "ReasoningStart", index })
        for (const piece of pieces(text, size)) events.push({ _tag: "ReasoningDelta", index, text: piece })
        events.push({ _tag: "ReasoningEnd", index, part: made })
        return made
      }
      case "tool-call": {
        const { name } = part
        const id = part.id ?? vendor.callId(idNumber(number), { name, part: index, call: calls })
        calls++
        const text = argumentsOf(part.arguments)
        const read = asked.custom.has(name) ? { arguments: text, custom: true as const } : readArguments(text)
        const made = { type: "tool-call" as const, id, name, ...read, origin }
        events.push({ _tag: "ToolCallStart", index, id, name })
        for (const delta of pieces(text, size)) events.push({ _tag: "ToolCallDelta", index, id, delta })
        events.push({ _tag: "ToolCallEnd", index, part: made })
        return made
      }
    }
  })
  const response = new LlmResponse({
    parts,
    ...finishOf(answer.finish ?? (calls > 0 ? "tool-calls" : "stop")),
    usage,
    id,
    model,
    provider: "simulator",
    warnings: []
  })
  events.push({ _tag: "Finish", response })
  return { response, events }
}
