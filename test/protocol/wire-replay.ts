// Feeds a wire's fixtures to its decoder.
import { readdirSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import type { LlmEvent } from "../../src/LlmEvent.ts"
import type { LlmResponse } from "../../src/LlmResponse.ts"
import { eventStreamMessage } from "../../src/protocol/bedrock/server/EventStreamMessage.ts"
import { type Decoder, exceptionPrefix, type Failure, type Protocol } from "../../src/protocol/Protocol.ts"
import * as Framing from "../../src/transport/Framing.ts"
import { decoderOf } from "./decoder-of.ts"

export interface Frame {
  readonly event: string
  readonly data: string
}

export interface Outcome {
  readonly events: ReadonlyArray<LlmEvent>
  readonly response: LlmResponse | undefined
  readonly failure: Failure | undefined
  readonly partial: LlmResponse | undefined
}

const sseFrames = (text: string): ReadonlyArray<Frame> =>
  text.split("\n\n").flatMap((block) => {
    const lines = block.split("\n")
    const event = lines.find((line) => line.startsWith("event: "))?.slice(7) ?? ""
    const data = lines.find((line) => line.startsWith("data: "))?.slice(6)
    return data === undefined ? [] : [{ event, data }]
  })

const lineFrames = (text: string): ReadonlyArray<Frame> =>
  text.split("\n").filter((line) => line !== "").map((data) => ({ event: "", data }))

/** One event per line: its name and its payload, which is text where it is not to be JSON. */
const messageFrames = (text: string): ReadonlyArray<Frame> =>
  lineFrames(text).map((line) => {
    const { data, event } = JSON.parse(line.data) as { readonly event: string; readonly data: unknown }
    return { event, data: typeof data === "string" ? data : JSON.stringify(data) }
  })

/** The frame as an AWS event stream sends it. */
const messageOf = ({ data, event }: Frame): Uint8Array =>
  eventStreamMessage(
    event.startsWith(exceptionPrefix)
      ? {
        ":exception-type": event.slice(exceptionPrefix.length),
        ":content-type": "application/json",
        ":message-type": "exception"
      }
      : { ":event-type": event, ":content-type": "application/json", ":message-type": "event" },
    data
  )

const framings = {
  sse: { extension: "sse", frames: sseFrames },
  "json-array": { extension: "sse", frames: sseFrames },
  ndjson: { extension: "ndjson", frames: lineFrames },
  own: { extension: "jsonl", frames: messageFrames }
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

/** The response of an answer that must be complete. */
const complete = (name: string, { failure, response }: Outcome): LlmResponse => {
  if (response === undefined) throw new Error(`${name} is not complete: ${JSON.stringify(failure)}`)
  return response
}

/** The fixtures of one wire in `test/fixtures/<folder>/`: streams by the framing's extension, whole bodies as `.json`. */
export const replay = (folder: string, protocol: Protocol, provider = "test") => {
  const path = fileURLToPath(new URL(`../fixtures/${folder}/`, import.meta.url))
  const { extension, frames: cut } = framings[typeof protocol.framing === "string" ? protocol.framing : "own"]
  const names = (of: string): ReadonlyArray<string> =>
    readdirSync(path).filter((name) => name.endsWith(`.${of}`)).map((name) => name.slice(0, -1 - of.length)).toSorted()
  const read = (name: string, of = extension): string => readFileSync(`${path}${name}.${of}`, "utf8")
  const framesOf = (name: string): ReadonlyArray<Frame> => cut(read(name))
  /** A file as it comes over the network. */
  const bytesOf = (name: string, of = extension): Uint8Array =>
    of === "jsonl"
      ? new Uint8Array(Buffer.concat(framesOf(name).map(messageOf)))
      : new TextEncoder().encode(read(name, of))
  const decoder = (given: Protocol = protocol, includeRaw = false): Decoder =>
    decoderOf(given, { wire: given.wire, provider, model: "asked-for", warnings: [], idSeed: "seed", includeRaw })
  const replayFrames = (frames: ReadonlyArray<Frame>, given: Protocol = protocol): Outcome => {
    const made = decoder(given)
    for (const frame of frames) made.frame(frame.data, frame.event)
    made.end()
    return outcomeOf(made)
  }
  /** Through the framing, in pieces of so many bytes. */
  const replayBytes = (bytes: Uint8Array, size: number): Outcome => {
    const made = decoder()
    const framing = Framing.make(protocol.framing, made)
    for (let at = 0; at < bytes.length; at += size) framing.push(bytes.subarray(at, at + size))
    framing.end()
    return outcomeOf(made)
  }
  const wholeBody = (body: unknown): Outcome => {
    const made = decoder()
    made.whole(JSON.parse(JSON.stringify(body)))
    return outcomeOf(made)
  }
  const stream = (name: string, given: Protocol = protocol): Outcome => replayFrames(framesOf(name), given)
  const whole = (name: string): Outcome => wholeBody(JSON.parse(read(name, "json")))
  /** The response of a streamed fixture that must be complete. */
  const answer = (name: string, given: Protocol = protocol): LlmResponse => complete(name, stream(name, given))
  /** The response of a whole fixture that must be complete. */
  const wholeAnswer = (name: string): LlmResponse => complete(name, whole(name))
  return {
    framing: protocol.framing,
    streams: names(extension),
    bodies: names("json"),
    read,
    framesOf,
    bytesOf,
    decoder,
    replayFrames,
    replayBytes,
    stream,
    whole,
    wholeBody,
    answer,
    wholeAnswer
  }
}
