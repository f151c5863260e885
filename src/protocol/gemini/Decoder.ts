/**
 * The Gemini decoder: stream frames and whole bodies to events, through the same handlers.
 *
 * Every frame is a `GenerateContentResponse`. Candidate 0 is the answer. There is no terminal event: a finish reason (or
 * a blocked prompt) completes the answer once the bytes end, because usage, sources and the reason itself may follow or
 * repeat. Parts are read in `Parts`, sources in `Sources`; fields that are unknown are ignored.
 * https://ai.google.dev/api/generate-content#generatecontentresponse
 *
 * @since 0.1.0
 */
import type { Json } from "../../Message.ts"
import { Assembler } from "../assembling.ts"
import { isErrorBody, readErrorBody } from "../errors/ErrorBody.ts"
import { blank, blankBut, count, type JsonFields, jsonOf, mergeCounts, nonEmpty, record } from "../Probe.ts"
import { type DecodeContext, type Decoder, type Failure, parseFrame } from "../Protocol.ts"
import { field, filledField, recordField } from "./Fields.ts"
import { finishReasonOf, finishWord } from "./FinishReason.ts"
import { Parts } from "./Parts.ts"
import type { Quirks } from "./Quirks.ts"
import { Sources } from "./Sources.ts"
import { addsTo, usageOf } from "./Usage.ts"

/** Fields by which a response is told from other JSON. */
const responseFields = ["candidates", "promptFeedback", "usageMetadata", "modelVersion", "responseId"]

/** Fields of a candidate worth having, under the wire's names; the last value counts. */
const candidateExtras = [
  "finishMessage",
  "groundingMetadata",
  "citationMetadata",
  "urlContextMetadata",
  "safetyRatings",
  "avgLogprobs",
  "continuationToken"
]

const isResponse = (frame: JsonFields): boolean => responseFields.some((name) => field(frame, name) !== undefined)

const says = (frame: JsonFields): boolean => responseFields.some((name) => filledField(frame, name) !== undefined)

const indexLabel: ReadonlySet<string> = new Set(["index"])

const failureFrom = (error: JsonFields): Failure => ({
  kind: "provider",
  message: "The provider sent an error without a message.",
  ...readErrorBody(error),
  body: JSON.stringify(error)
})

const isFirst = (candidate: JsonFields): boolean => (count(candidate["index"]) ?? 0) === 0

/** The candidate that says something, where several claim to be the one. */
const pick = (candidates: ReadonlyArray<JsonFields>): JsonFields | undefined =>
  candidates.length < 2
    ? candidates[0]
    : candidates.find((candidate) => !blankBut(candidate, indexLabel)) ?? candidates[0]

/** The failure in a frame, if there is one, also beside candidates. */
const failureIn = (frame: JsonFields): Failure | undefined => {
  if (frame["error"] === undefined && isResponse(frame)) return undefined
  if (!isErrorBody(frame)) return undefined
  const { candidates: _, ...error } = frame
  return failureFrom(error)
}

/**
 * Decodes one answer.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export class GeminiDecoder implements Decoder {
  readonly assembler: Assembler
  private readonly quirks: Quirks
  private readonly streamed: boolean
  private readonly parts: Parts
  private readonly sources: Sources
  private begun = false
  private usageSoFar: JsonFields | undefined
  /** Whether a usage object came that had no other counts: every frame has one, which is not worth an event. */
  private usagePending = false
  private finish: string | undefined
  /** The model's word for a stop that it does not explain, when it came with the last candidate. */
  private unspecified = false
  private blocked: string | undefined
  /** Whether content came after a finish reason: then every frame has one, and it says nothing of the end. */
  private goesOn = false
  private logprobs: { readonly chosen: Array<Json>; readonly top: Array<Json> } | undefined

  constructor(context: DecodeContext, quirks: Quirks) {
    this.assembler = new Assembler(context)
    this.quirks = quirks
    this.streamed = context.streamed === true
    this.parts = new Parts(this.assembler)
    this.sources = new Sources(this.assembler)
  }

  get settled(): boolean {
    return !this.goesOn && (this.finish !== undefined || this.blocked !== undefined)
  }

  // ---------------------------------------------------------------------------
  // Frames
  // ---------------------------------------------------------------------------

  frame(data: string, event: string): void {
    const assembler = this.assembler
    if (assembler.finished || assembler.failure !== undefined) return
    const first = data.charCodeAt(0)
    if (first !== 123 && first !== 91) {
      const text = data.trim()
      if (text === "" || text === "[DONE]") return
      if (event === "error" && !/^[[{]/.test(text)) {
        return assembler.fail({ kind: "provider", message: text, body: data })
      }
    }
    if (data === "[DONE]") return
    const frame: unknown = parseFrame(assembler, data)
    for (const one of Array.isArray(frame) ? frame : [frame]) {
      const response = record(one)
      if (response === undefined) continue
      if (assembler.raw !== undefined) assembler.raw.push(jsonOf(response))
      if (event === "error") return assembler.fail(failureFrom(response))
      this.onFrame(response)
      if (assembler.failure !== undefined) return
    }
  }

  private onFrame(given: JsonFields, whole = false): void {
    // Google's own assistants wrap each response: https://github.com/google-gemini/gemini-cli (Code Assist).
    const inner = recordField(given, "response")
    const frame = inner !== undefined && isResponse(inner) && !says(given) ? inner : given
    const failure = failureIn(frame)
    if (failure !== undefined) return this.assembler.fail(failure)
    if (!isResponse(frame)) return
    this.begun = true
    this.assembler.start(nonEmpty(field(frame, "responseId")), nonEmpty(field(frame, "modelVersion")))
    this.onFeedback(recordField(frame, "promptFeedback"))
    const candidates = field(frame, "candidates")
    const list = (Array.isArray(candidates) ? candidates : []).map(record).filter((one) => one !== undefined)
    const first = list.length === 1 && (whole || isFirst(list[0]!))
      ? list[0]
      : pick(list.filter(isFirst)) ?? (whole ? pick(list) : undefined)
    if (first !== undefined) this.onCandidate(first)
    this.onUsage(recordField(frame, "usageMetadata"))
  }

  private onFeedback(feedback: JsonFields | undefined): void {
    if (feedback === undefined || blank(feedback)) return
    this.assembler.extra["promptFeedback"] = jsonOf(feedback)
    const reason = field(feedback, "blockReason")
    if (typeof reason === "number") this.blocked ??= reason === 0 ? undefined : String(reason)
    else this.blocked ??= nonEmpty(reason)
  }

  private onCandidate(candidate: JsonFields): void {
    const stopped = this.finish !== undefined
    if (this.onContent(field(candidate, "content")) && stopped) this.goesOn = true
    this.sources.candidate(candidate)
    for (const name of candidateExtras) {
      const value = field(candidate, name)
      if (value !== undefined && (typeof value === "number" || !blank(value))) this.assembler.extra[name] = value
    }
    this.onLogprobs(recordField(candidate, "logprobsResult"))
    const reason = field(candidate, "finishReason")
    this.unspecified = reason === "FINISH_REASON_UNSPECIFIED"
    this.finish = finishWord(reason, this.quirks.finishNumbers) ?? this.finish
  }

  /** Gives whether there was any content. */
  private onContent(content: Json | undefined): boolean {
    const fields = record(content)
    const parts = fields === undefined ? content : field(fields, "parts")
    // Proxies of other APIs put the text beside the parts.
    const beside = fields?.["text"]
    const given = beside === undefined || !blank(parts) ? parts : blank(beside) ? parts : beside
    const list: ReadonlyArray<Json | undefined> = Array.isArray(given) ? given : [given]
    let some = false
    for (const one of list) {
      const part = typeof one === "string" ? { text: one } : record(one)
      if (part !== undefined && this.parts.add(part)) some = true
    }
    return some
  }

  /** Streams send those of each frame. */
  private onLogprobs(result: JsonFields | undefined): void {
    if (result === undefined || blank(result)) return
    this.logprobs ??= { chosen: [], top: [] }
    const { chosen, top } = this.logprobs
    for (const [name, into] of [["chosenCandidates", chosen], ["topCandidates", top]] as const) {
      const more = field(result, name)
      if (Array.isArray(more)) { for (const one of more) into.push(one) }
    }
    this.assembler.logprobs = { chosenCandidates: chosen, ...(top.length === 0 ? undefined : { topCandidates: top }) }
  }

  private onUsage(usage: JsonFields | undefined): void {
    if (usage === undefined || (this.usageSoFar !== undefined && blank(usage))) return
    const changed = addsTo(this.usageSoFar, usage)
    this.usageSoFar = mergeCounts(this.usageSoFar, usage)
    if (changed) this.emitUsage()
    else this.usagePending = true
  }

  private emitUsage(): void {
    const usage = this.usageSoFar!
    this.usagePending = false
    for (const name of ["serviceTier", "trafficType"]) {
      const served = filledField(usage, name)
      if (served !== undefined) this.assembler.extra[name] = served
    }
    this.assembler.usage(usageOf(usage))
  }

  // ---------------------------------------------------------------------------
  // Whole answers and the end
  // ---------------------------------------------------------------------------

  whole(body: Json): void {
    const assembler = this.assembler
    if (assembler.finished || assembler.failure !== undefined) return
    if (assembler.raw !== undefined) assembler.raw.push(body)
    for (const one of Array.isArray(body) ? body : [body]) {
      const frame = record(one)
      if (frame !== undefined && assembler.failure === undefined) this.onFrame(frame, !Array.isArray(body))
    }
    if (assembler.failure !== undefined) return
    if (!this.begun) {
      return assembler.fail({
        kind: "parse",
        message: "The body is not an answer of this API.",
        body: JSON.stringify(body)
      })
    }
    // Where a stream was due, an object without a reason is one frame of a stream that was cut.
    if (Array.isArray(body) || this.streamed) this.end()
    else this.complete(true)
  }

  private complete(whole = false): void {
    const assembler = this.assembler
    if (this.usagePending) this.emitUsage()
    this.parts.close()
    if (this.finish === undefined && this.blocked !== undefined) {
      return assembler.finish("content-filter", this.blocked)
    }
    const reason = finishReasonOf(this.finish)
    assembler.finish(
      reason === "stop" && assembler.hasToolCalls ? "tool-calls" : reason,
      this.finish ?? (this.unspecified ? "FINISH_REASON_UNSPECIFIED" : undefined),
      whole || this.finish !== undefined
    )
  }

  end(): void {
    const assembler = this.assembler
    if (assembler.finished || assembler.failure !== undefined) return
    if (this.finish !== undefined || this.blocked !== undefined || this.unspecified) return this.complete()
    assembler.fail({
      kind: "incomplete",
      message: this.begun
        ? "The stream ended before the answer was complete (no finish reason)."
        : "The stream ended before an answer began."
    })
  }
}
