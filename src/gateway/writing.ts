/**
 * Events of a call as the text of frames of the client's wire.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import { Provider } from "../LlmError.ts"
import { isContent, type LlmEvent } from "../LlmEvent.ts"
import type { LlmResponse } from "../LlmResponse.ts"
import type { Headers } from "../protocol/Server.ts"
import type { Call } from "./call.ts"
import { answerHeaders } from "./headers.ts"
import { refusal } from "./keys.ts"

/** What is only known at the end, as comments, which clients pass over. */
const comment = (headers: Headers): string => {
  const lines = Object.entries(headers).map(([name, value]) => `: ${name}: ${value}\n`)
  return lines.length === 0 ? "" : `${lines.join("")}\n`
}

/**
 * Takes the events of a call and gives the text of the frames they are. What headers cannot say any more is a comment before the
 * last ones, on wires of server-sent events.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export class Writing {
  sent = 0
  model: string | undefined
  finished: LlmResponse | undefined
  private readonly call: Call
  private readonly encoder: ReturnType<Call["wire"]["answerEncoder"]>
  private readonly commented: boolean

  constructor(call: Call) {
    this.call = call
    this.encoder = call.wire.answerEncoder(call.context)
    this.commented = isSse(call)
  }

  text(events: ReadonlyArray<LlmEvent>): string {
    let text = ""
    for (const event of events) {
      if (event._tag === "ResponseStart") this.model = event.model
      const frames = this.encoder.add(event)
      if (event._tag === "Finish") {
        this.finished = event.response
        if (this.commented) text += comment(this.last(event.response))
      }
      for (const { data } of frames) {
        text += typeof data === "string" ? data : new TextDecoder().decode(data)
        this.sent++
      }
    }
    return text
  }

  private last(response: LlmResponse): Headers {
    return answerHeaders(response, [...this.call.dropped, ...response.warnings, ...this.encoder.warnings])
  }
}

/**
 * Whether a call is answered with server-sent events.
 *
 * @stability experimental
 * @category guards
 * @since 0.1.0
 */
export const isSse = ({ context, wire }: Call): boolean =>
  wire.streamContentType(context).startsWith("text/event-stream")

/**
 * Whether an event is what a stream begins with: nothing that was sent before is taken back after it.
 *
 * @stability experimental
 * @category guards
 * @since 0.1.0
 */
export const isBeginning = (event: LlmEvent): boolean => isContent(event) || event._tag === "Finish"

/**
 * What nobody foresaw must not end a stream in silence.
 *
 * @stability experimental
 * @category errors
 * @since 0.1.0
 */
export const brokenBy = (defect: unknown) =>
  Effect.andThen(
    Effect.logError("The gateway could not go on with a stream", defect),
    Effect.fail(refusal(new Provider({ status: 500, message: "The gateway failed." })))
  )
