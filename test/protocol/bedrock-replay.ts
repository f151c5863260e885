// Feeds fixtures of the Converse wire to its decoder. A stream is one event per line: its name and its payload, which is
// text where it is not to be JSON.
import { readdirSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import type { LlmEvent } from "../../src/LlmEvent.ts"
import type { LlmResponse } from "../../src/LlmResponse.ts"
import * as BedrockConverse from "../../src/protocol/BedrockConverse.ts"
import type { Decoder, Failure } from "../../src/protocol/Protocol.ts"
import { eventStreamMessage } from "../../src/testing/simulator/BedrockWire.ts"
import * as Framing from "../../src/transport/Framing.ts"

const folder = fileURLToPath(new URL("../fixtures/bedrock/", import.meta.url))

export const names = (extension: "jsonl" | "json"): ReadonlyArray<string> =>
  readdirSync(folder).filter((name) => name.endsWith(`.${extension}`)).toSorted()

export const read = (name: string): string => readFileSync(folder + name, "utf8")

export interface Frame {
  readonly event: string
  readonly data: string
}

export const framesOf = (name: string): ReadonlyArray<Frame> =>
  read(name).split("\n").filter((line) => line !== "").map((line) => {
    const { data, event } = JSON.parse(line) as { readonly event: string; readonly data: unknown }
    return { event, data: typeof data === "string" ? data : JSON.stringify(data) }
  })

/** The frame as the service sends it. */
const messageOf = ({ data, event }: Frame): Uint8Array =>
  eventStreamMessage(
    event.startsWith("exception:")
      ? { ":exception-type": event.slice(10), ":content-type": "application/json", ":message-type": "exception" }
      : { ":event-type": event, ":content-type": "application/json", ":message-type": "event" },
    data
  )

export const bytesOf = (frames: ReadonlyArray<Frame>): Uint8Array =>
  new Uint8Array(Buffer.concat(frames.map(messageOf)))

export const decoder = (includeRaw = false): Decoder =>
  BedrockConverse.make().decoder({
    wire: "bedrock-converse",
    provider: "bedrock",
    model: "asked-for",
    warnings: [],
    idSeed: "seed",
    includeRaw
  })

export interface Outcome {
  readonly events: ReadonlyArray<LlmEvent>
  readonly response: LlmResponse | undefined
  readonly failure: Failure | undefined
  readonly partial: LlmResponse | undefined
}

export const outcomeOf = (of: Decoder): Outcome => {
  const events = of.assembler.out
  const last = events.at(-1)
  return {
    events,
    response: last?._tag === "Finish" ? last.response : undefined,
    failure: of.assembler.failure,
    partial: of.assembler.partial()
  }
}

export const replayFrames = (frames: ReadonlyArray<Frame>): Outcome => {
  const made = decoder()
  for (const frame of frames) made.frame(frame.data, frame.event)
  made.end()
  return outcomeOf(made)
}

export const stream = (name: string): Outcome => replayFrames(framesOf(`${name}.jsonl`))

export const replayBytes = (bytes: Uint8Array, size: number): Outcome => {
  const made = decoder()
  const framing = Framing.make("aws-event-stream", made)
  for (let at = 0; at < bytes.length; at += size) framing.push(bytes.subarray(at, at + size))
  framing.end()
  return outcomeOf(made)
}

export const whole = (name: string): Outcome => {
  const made = decoder()
  made.whole(JSON.parse(read(`${name}.json`)))
  return outcomeOf(made)
}

/** The response of a fixture that must be complete. */
export const answer = (name: string): LlmResponse => {
  const { failure, response } = stream(name)
  if (response === undefined) throw new Error(`${name} is not complete: ${JSON.stringify(failure)}`)
  return response
}
