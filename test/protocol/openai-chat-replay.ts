// Feeds fixtures of the Chat Completions wire to its decoder.
import { readdirSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import type { LlmEvent } from "../../src/LlmEvent.ts"
import type { LlmResponse } from "../../src/LlmResponse.ts"
import * as OpenAiChat from "../../src/protocol/OpenAiChat.ts"
import type { Decoder, Failure } from "../../src/protocol/Protocol.ts"

const folder = fileURLToPath(new URL("../fixtures/openai-chat/", import.meta.url))

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

export const decoder = (quirks?: OpenAiChat.Quirks): Decoder =>
  OpenAiChat.make(quirks).decoder({
    wire: "openai-chat",
    provider: "openai",
    model: "asked-for",
    warnings: [],
    idSeed: "seed",
    includeRaw: false
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

export const replayFrames = (frames: ReadonlyArray<Frame>, quirks?: OpenAiChat.Quirks): Outcome => {
  const made = decoder(quirks)
  for (const frame of frames) made.frame(frame.data, frame.event)
  made.end()
  return outcomeOf(made)
}

export const stream = (name: string, quirks?: OpenAiChat.Quirks): Outcome =>
  replayFrames(framesOf(`${name}.sse`), quirks)

export const whole = (name: string): Outcome => {
  const made = decoder()
  made.whole(JSON.parse(read(`${name}.json`)))
  return outcomeOf(made)
}

const complete = (name: string, { failure, response }: Outcome): LlmResponse => {
  if (response === undefined) throw new Error(`${name} is not complete: ${JSON.stringify(failure)}`)
  return response
}

/** The response of a stream that must be complete. */
export const answer = (name: string, quirks?: OpenAiChat.Quirks): LlmResponse => complete(name, stream(name, quirks))

/** The response of a body that must be complete. */
export const wholeAnswer = (name: string): LlmResponse => complete(name, whole(name))
