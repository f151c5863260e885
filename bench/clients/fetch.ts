/** Raw `fetch`, a hand-written SSE split and `JSON.parse`: what every ratio is taken against. */
import { bodyOf, headersOf, type Make, pathOf, RawReader, rawText } from "../client.ts"

export const make: Make = async ({ url, wire }) => {
  const headers = headersOf(wire)
  const target = url + pathOf(wire)
  const send = async (body: string) => {
    const response = await fetch(target, { method: "POST", headers, body })
    if (!response.ok) throw new Error(`HTTP ${response.status}`)
    return response
  }
  return {
    stream: async (prompt, onText) => {
      const response = await send(bodyOf(wire, prompt, true))
      const reader = new RawReader(wire, onText)
      const body = response.body!.getReader()
      for (let read = await body.read(); !read.done; read = await body.read()) reader.push(read.value)
      return reader.end()
    },
    generate: async (prompt) => rawText(wire, await (await send(bodyOf(wire, prompt, false))).text())
  }
}
