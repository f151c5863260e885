/**
 * What a scripted service can answer, and how an answer becomes a stream of events.
 *
 * The control, the script's order and the accounting are `TestLlm`'s.
 *
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type * as LlmError from "../../LlmError.ts"
import type { LlmEvent } from "../../LlmEvent.ts"
import { type LlmRequest, messagesOf } from "../../LlmRequest.ts"
import { LlmResponse, toEvents } from "../../LlmResponse.ts"
import type { ServiceInfo } from "../../LlmService.ts"
import { type Part, textOf } from "../../Message.ts"
import { modelOf } from "../../service/addressee.ts"

/**
 * A way to fail: a reason, to which the service adds who and what, or a whole error.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export type Failure = LlmError.LlmError | LlmError.Reason

/**
 * An answer with a course of its own, made by `delayed`, `paced`, `failAfter` and their like.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface Script {
  readonly _tag: "Script"
  /** The events of the answer for one call; called once per call. */
  readonly play: (circumstances: Circumstances) => Stream.Stream<LlmEvent, Failure>
}

/**
 * What one call is answered with: a text (streamed in words), parts, a whole response, events exactly as given, a
 * failure, a stream, a {@link Script}, or a function of the request that gives any of these.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export type Answer =
  | string
  | Part
  | ReadonlyArray<Part>
  | ReadonlyArray<LlmEvent>
  | LlmResponse
  | Failure
  | Stream.Stream<LlmEvent, Failure>
  | Script
  | ((request: LlmRequest) => Answer | Effect.Effect<Answer, Failure>)

/**
 * The call an answer is for.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface Circumstances {
  /** Who answers: what the response names as provider, model and label. */
  readonly info: ServiceInfo
  /** What was asked. */
  readonly request: LlmRequest
  /** 0 for the first call. */
  readonly index: number
}

// =============================================================================
// Playing
// =============================================================================

const countWords = (text: string): number => text.match(/\S+/g)?.length ?? 0

/**
 * The words of all messages, which stand for tokens.
 *
 * @stability stable
 * @category accessors
 * @since 0.1.0
 */
export const inputWords = (request: LlmRequest): number =>
  messagesOf(request).reduce((sum, message) => sum + countWords(textOf(message)), countWords(request.system ?? ""))

const responseOf = (parts: ReadonlyArray<Part>, { index, info, request }: Circumstances): LlmResponse => {
  const words = (type: "text" | "reasoning") =>
    parts.reduce((sum, part) => part.type === type ? sum + countWords(part.text) : sum, 0)
  const input = inputWords(request)
  const text = words("text")
  const reasoning = words("reasoning")
  return new LlmResponse({
    parts,
    finishReason: parts.some((part) => part.type === "tool-call") ? "tool-calls" : "stop",
    usage: { input: { total: input, uncached: input }, output: { total: text + reasoning, text, reasoning } },
    id: `test-${index + 1}`,
    model: modelOf(request, info),
    provider: info.provider,
    label: request.label ?? info.label,
    warnings: []
  })
}

/** The events of a whole response, its texts in words. */
const eventsOf = (response: LlmResponse): ReadonlyArray<LlmEvent> =>
  toEvents(response).flatMap((event): ReadonlyArray<LlmEvent> =>
    event._tag === "TextDelta" || event._tag === "ReasoningDelta"
      ? (event.text.match(/\s*\S+\s*$|\s*\S+|\s+/g) ?? []).map((text) => ({ ...event, text }))
      : [event]
  )

/** One event at a time, as a slow network would bring them. */
const oneByOne = (events: ReadonlyArray<LlmEvent>): Stream.Stream<LlmEvent> =>
  Stream.rechunk(Stream.fromArray(events), 1)

const isEffect = (value: Answer | Effect.Effect<Answer, Failure>): value is Effect.Effect<Answer, Failure> =>
  Effect.isEffect(value) && !(value instanceof Error)

/**
 * Plays an answer.
 *
 * @stability stable
 * @category running
 * @since 0.1.0
 */
export const play = (answer: Answer, circumstances: Circumstances): Stream.Stream<LlmEvent, Failure> => {
  if (typeof answer === "string") return play(answer === "" ? [] : [{ type: "text", text: answer }], circumstances)
  if (typeof answer === "function") {
    const given = answer(circumstances.request)
    return isEffect(given)
      ? Stream.unwrap(Effect.map(given, (given) => play(given, circumstances)))
      : play(given, circumstances)
  }
  if (answer instanceof LlmResponse) return oneByOne(eventsOf(answer))
  if (Stream.isStream(answer)) return answer
  if (isArray(answer)) {
    return oneByOne(isEvents(answer) ? answer : eventsOf(responseOf(answer as ReadonlyArray<Part>, circumstances)))
  }
  if ("type" in answer && !("_tag" in answer)) return play([answer], circumstances)
  return "play" in answer ? answer.play(circumstances) : Stream.fail(answer as Failure)
}

const isArray = (answer: Answer): answer is ReadonlyArray<Part> | ReadonlyArray<LlmEvent> => Array.isArray(answer)

const isEvents = (answer: ReadonlyArray<Part> | ReadonlyArray<LlmEvent>): answer is ReadonlyArray<LlmEvent> =>
  answer.length > 0 && "_tag" in answer[0]!

/**
 * A copy of a reason that carries what had come before it.
 *
 * @stability stable
 * @category combinators
 * @since 0.1.0
 */
export const withPartial = (reason: LlmError.Reason, partial: LlmResponse | undefined): LlmError.Reason => {
  if (partial === undefined || reason.partial !== undefined) return reason
  const copy = Reflect.construct(reason.constructor, [{
    ...reason,
    message: reason.message,
    partial
  }]) as LlmError.Reason
  return copy
}

// =============================================================================
// Courses
// =============================================================================

const script = (play: Script["play"]): Script => ({ _tag: "Script", play })

/**
 * Waits before an answer.
 *
 * @stability stable
 * @category answers
 * @since 0.1.0
 */
export const delayed = (wait: Duration.Input, answer: Answer): Script =>
  script((circumstances) =>
    Stream.unwrap(Effect.as(Effect.sleep(wait), Stream.suspend(() => play(answer, circumstances))))
  )

/**
 * Waits before each event of an answer.
 *
 * @stability stable
 * @category answers
 * @since 0.1.0
 */
export const paced = (interval: Duration.Input, answer: Answer): Script =>
  script((circumstances) => Stream.tap(play(answer, circumstances), () => Effect.sleep(interval)))

/**
 * Never answers.
 *
 * @stability stable
 * @category answers
 * @since 0.1.0
 */
export const never: Script = script(() => Stream.never)

const firstEvents = (count: number, answer: Answer): Script["play"] => (circumstances) =>
  Stream.takeWhile(Stream.take(play(answer, circumstances), count), (event) => event._tag !== "Finish")

/**
 * Gives the first events of an answer, then nothing more.
 *
 * @stability stable
 * @category answers
 * @since 0.1.0
 */
export const hangAfter = (events: number, answer: Answer): Script => {
  const first = firstEvents(events, answer)
  return script((circumstances) => Stream.concat(first(circumstances), Stream.never))
}

/**
 * Gives the first events of an answer, then fails; the error has them as its partial output.
 *
 * @stability stable
 * @category answers
 * @since 0.1.0
 */
export const failAfter = (events: number, answer: Answer, failure: Failure): Script => {
  const first = firstEvents(events, answer)
  return script((circumstances) => Stream.concat(first(circumstances), Stream.fail(failure)))
}

/**
 * Gives the first events of an answer and ends there, without `Finish`: `IncompleteStream` with that partial output.
 *
 * @stability stable
 * @category answers
 * @since 0.1.0
 */
export const cutAfter = (events: number, answer: Answer): Script => script(firstEvents(events, answer))
