// Feeds fixtures of the Responses wire to its decoder.
import { readdirSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import type { LlmEvent } from "../../src/LlmEvent.ts"
import type { LlmResponse } from "../../src/LlmResponse.ts"
import * as OpenAiResponses from "../../src/protocol/OpenAiResponses.ts"
import type { Decoder, Failure } from "../../src/protocol/Protocol.ts"
import * as Framing from "../../src/transport/Framing.ts"

const folder = fileURLToPath(new URL("../fixtures/openai-responses/", import.meta.url))

export const names = (extension: "sse" | "json"): ReadonlyArray<string> =>
  readdirSync(folder).filter((name) => name.endsWith(`.${extension}`)).toSorted()

export const read = (name: string): string => readFileSync(folder + name, "utf8")

export interface Frame {
  readonly event: string
  readonly data: string
}

export const framesOf = (name: string): ReadonlyArray<Frame> =>
  read(name).split("\n\n").flatMap((block) => {
    const lines = block.split("\n")
    const event = lines.find((line) => line.startsWith("event: "))?.slice(7) ?? ""
    const data = lines.find((line) => line.startsWith("data: "))?.slice(6)
    return data === undefined ? [] : [{ event, data }]
  })

export const decoder = (includeRaw = false, quirks?: OpenAiResponses.Quirks): Decoder =>
  OpenAiResponses.make(quirks).decoder({
    wire: "openai-responses",
    provider: "openai",
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

export const stream = (name: string): Outcome => replayFrames(framesOf(`${name}.sse`))

export const streamBytes = (name: string, size: number): Outcome => {
  const made = decoder()
  const framing = Framing.make("sse", made)
  const bytes = new TextEncoder().encode(read(name))
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
