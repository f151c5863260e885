/** Raw `undici.request` with the hand-written reader of the raw clients. */
import { Agent, request } from "undici"
import { bodyOf, headersOf, pathOf, RawReader, rawText } from "../../client.ts"

export const make = async ({ url, wire }) => {
  const headers = headersOf(wire)
  const target = url + pathOf(wire)
  const dispatcher = new Agent()
  const send = (prompt, stream) =>
    request(target, { method: "POST", headers, dispatcher, body: bodyOf(wire, prompt, stream) })
  return {
    stream: async (prompt, onText) => {
      const { body } = await send(prompt, true)
      const reader = new RawReader(wire, onText)
      return new Promise((resolve, reject) => {
        body.on("data", (bytes) => reader.push(bytes))
        body.on("end", () => resolve(reader.end()))
        body.on("error", reject)
      })
    },
    generate: async (prompt) => rawText(wire, await (await send(prompt, false)).body.text())
  }
}
