/** Raw `node:http` with a keep-alive agent and the same hand-written reader as raw `fetch`. */
import { Agent, type IncomingMessage, request } from "node:http"
import { bodyOf, headersOf, type Make, pathOf, RawReader, rawText } from "../client.ts"

export const make: Make = async ({ url, wire }) => {
  const headers = headersOf(wire)
  const target = new URL(url + pathOf(wire))
  const agent = new Agent({ keepAlive: true })
  const send = (body: string) =>
    new Promise<IncomingMessage>((resolve, reject) => {
      const sent = request(target, {
        method: "POST",
        agent,
        headers: { ...headers, "content-length": Buffer.byteLength(body) }
      }, resolve)
      sent.on("error", reject)
      sent.end(body)
    })
  return {
    stream: async (prompt, onText) => {
      const response = await send(bodyOf(wire, prompt, true))
      const reader = new RawReader(wire, onText)
      return new Promise((resolve, reject) => {
        response.on("data", (bytes: Uint8Array) => reader.push(bytes))
        response.on("end", () => resolve(reader.end()))
        response.on("error", reject)
      })
    },
    generate: async (prompt) => {
      const response = await send(bodyOf(wire, prompt, false))
      return new Promise((resolve, reject) => {
        const pieces: Array<Uint8Array> = []
        response.on("data", (bytes: Uint8Array) => pieces.push(bytes))
        response.on("end", () => resolve(rawText(wire, Buffer.concat(pieces).toString())))
        response.on("error", reject)
      })
    }
  }
}
