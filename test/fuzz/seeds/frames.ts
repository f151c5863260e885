// What seeds are made of: frames, and how a framing writes them.
import { eventStreamMessage } from "../../../src/protocol/bedrock/server/EventStreamMessage.ts"
import { spell } from "../json.ts"

/** A frame of a stream: an event name where the framing has one, and JSON, or text where it is none. */
export interface Frame {
  readonly event?: string
  readonly data: unknown
  readonly text?: true
}

export interface StreamSeed {
  readonly frames: ReadonlyArray<Frame>
  /** The frame without which the answer is not complete; what follows it is bookkeeping. */
  readonly completeAt: number
}

export type FramingName = "sse" | "ndjson" | "json-array" | "event-stream"

export interface WireSeeds {
  readonly framing: FramingName
  readonly streams: ReadonlyArray<StreamSeed>
  readonly bodies: ReadonlyArray<unknown>
}

const encoder = new TextEncoder()

const dataOf = (frame: Frame): string => frame.text === true ? String(frame.data) : spell(frame.data)

/** One frame as bytes. `ending` ends lines. */
export const frameBytes = (framing: FramingName, frame: Frame, first: boolean, ending = "\n"): Uint8Array => {
  const data = dataOf(frame)
  switch (framing) {
    case "sse":
      return encoder.encode(
        `${frame.event === undefined ? "" : `event: ${frame.event}${ending}`}data: ${data}${ending}${ending}`
      )
    case "ndjson":
      return encoder.encode(`${data}${ending}`)
    case "json-array":
      return encoder.encode(`${first ? "[" : ","}${data}`)
    case "event-stream":
      return eventStreamMessage(
        { ":event-type": frame.event ?? "", ":content-type": "application/json", ":message-type": "event" },
        data
      )
  }
}

export const named = (data: { readonly type: string }): Frame => ({ event: data.type, data })
export const plain = (data: unknown): Frame => ({ data })
export const done: Frame = { data: "[DONE]", text: true }
