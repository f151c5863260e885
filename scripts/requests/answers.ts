/**
 * The same short answer on every wire, whole and streamed, as the simulator spells it.
 */
import * as Simulator from "../../src/testing/Simulator.ts"
import { spell } from "../../src/testing/simulator/Spelling.ts"

/** Makes responses. */
export interface Answers {
  readonly whole: () => Response
  readonly streamed: () => Response
}

/** A proper request of each wire, by whether it is to be streamed. */
const asked: { readonly [wire: string]: (stream: boolean) => { readonly path: string; readonly body: object } } = {
  "anthropic-messages": (stream) => ({
    path: "/v1/messages",
    body: { model: "model", max_tokens: 9, messages: [{ role: "user", content: "Hello" }], stream }
  }),
  "bedrock-converse": (stream) => ({
    path: `/model/model/converse${stream ? "-stream" : ""}`,
    body: { messages: [{ role: "user", content: [{ text: "Hello" }] }] }
  }),
  "cohere-chat": (stream) => ({
    path: "/v2/chat",
    body: { model: "model", messages: [{ role: "user", content: "Hello" }], stream }
  }),
  "gemini-generate-content": (stream) => ({
    path: `/v1beta/models/model:${stream ? "streamGenerateContent" : "generateContent"}`,
    body: { contents: [{ role: "user", parts: [{ text: "Hello" }] }] }
  }),
  "ollama-chat": (stream) => ({
    path: "/api/chat",
    body: { model: "model", messages: [{ role: "user", content: "Hello" }], stream }
  }),
  "openai-chat": (stream) => ({
    path: "/v1/chat/completions",
    body: { model: "model", messages: [{ role: "user", content: "Hello" }], stream }
  }),
  "openai-responses": (stream) => ({ path: "/v1/responses", body: { model: "model", input: "Hello", stream } })
}

const encoder = new TextEncoder()

const bytesOf = (frames: ReadonlyArray<Simulator.Frame>): Uint8Array<ArrayBuffer> =>
  new Uint8Array(Buffer.concat(frames.map(({ data }) => typeof data === "string" ? encoder.encode(data) : data)))

const made = (wire: Simulator.Wire, stream: boolean): () => Response => {
  const { body, path } = asked[wire.wire]!(stream)
  const request: Simulator.IncomingRequest = {
    number: 1,
    method: "POST",
    path,
    query: new URLSearchParams(stream ? "alt=sse" : ""),
    headers: {},
    bodyText: JSON.stringify(body),
    body
  }
  const { frames, headers, status } = spell(request, wire, Simulator.text("Rain."))
  const bytes = bytesOf(frames)
  const given = Object.entries(headers).filter((header): header is [string, string] => typeof header[1] === "string")
  return () => new Response(bytes, { status, headers: given })
}

/** The answers of a wire. */
export const answersOf = (name: string): Answers => {
  const wire = Simulator.defaultWires.find((one) => one.wire === name)!
  return { whole: made(wire, false), streamed: made(wire, true) }
}
