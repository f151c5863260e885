/**
 * The model of the agent benchmark, in a process of its own: it speaks the Anthropic wire and follows a script that the first
 * path segment names. `steps-50` calls a tool fifty times, one call per answer; `parallel-20` twenty at once; both then say "done".
 * `object-200000` writes a JSON object of so many characters in deltas of ten, as text or as the input of the tool it is told to call.
 *
 * https://platform.claude.com/docs/en/build-with-claude/streaming
 */
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { entryOf } from "./agents-work.ts"

type Block = Record<string, unknown> & { readonly type: string }

const frame = (type: string, fields: object = {}) => `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`

let answered = 0
const messageOf = (content: ReadonlyArray<Block>, stop_reason: string | null) => ({
  // LangGraph replaces a message by one with the same id.
  id: `msg_bench_${++answered}`,
  type: "message",
  role: "assistant",
  model: "claude-sonnet-4-5",
  content,
  stop_reason,
  stop_sequence: null,
  // All fields, as the API sends them: effect/ai takes no answer without.
  usage: {
    input_tokens: 100,
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: 0,
    cache_creation: { ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: 0 },
    output_tokens: stop_reason === null ? 1 : 20,
    service_tier: "standard",
    inference_geo: "global",
    server_tool_use: null
  }
})

const start = () =>
  frame("message_start", { message: { ...messageOf([], null), container: null, context_management: null } })
const end = (stop_reason: string) =>
  frame("message_delta", {
    delta: { stop_reason, stop_sequence: null, container: null },
    usage: {
      input_tokens: 100,
      cache_creation_input_tokens: 0,
      cache_read_input_tokens: 0,
      output_tokens: 20,
      server_tool_use: null
    }
  }) +
  frame("message_stop")

/** The frames of a block whose content comes in these pieces. */
const streamed = (index: number, block: Block, pieces: ReadonlyArray<string>) => [
  frame("content_block_start", {
    index,
    content_block: block.type === "text" ? { type: "text", text: "" } : { ...block, input: {} }
  }),
  ...pieces.map((piece) =>
    frame("content_block_delta", {
      index,
      delta: block.type === "text"
        ? { type: "text_delta", text: piece }
        : { type: "input_json_delta", partial_json: piece }
    })
  ),
  frame("content_block_stop", { index })
]

const callOf = (n: number): Block => ({ type: "tool_use", id: `toolu_${n}`, name: "look_up", input: { n } })
const done: Block = { type: "text", text: "done" }

/** What the model says next: calls, or the last word. */
const nextOf = (script: string, count: number, body: string): ReadonlyArray<Block> => {
  const results = body.split("\"tool_result\"").length - 1
  if (script === "parallel") return results === 0 ? Array.from({ length: count }, (_, n) => callOf(n)) : [done]
  return results < count ? [callOf(results)] : [done]
}

const objectOf = (characters: number): string => {
  const count = Math.ceil(characters / (JSON.stringify(entryOf(100)).length + 1))
  return JSON.stringify({ entries: Array.from({ length: count }, (_, n) => entryOf(n)) })
}

const piecesOf = (text: string, size: number) =>
  Array.from({ length: Math.ceil(text.length / size) }, (_, i) => text.slice(i * size, (i + 1) * size))

/** Deltas that go into one write. */
const perWrite = 16

const objects = new Map<string, ReadonlyArray<string>>()
const objectWrites = (characters: number, tool: string | undefined): ReadonlyArray<string> => {
  const key = `${characters} ${tool}`
  const known = objects.get(key)
  if (known !== undefined) return known
  const block: Block = tool === undefined
    ? { type: "text", text: "" }
    : { type: "tool_use", id: "toolu_object", name: tool, input: {} }
  const frames = [
    start(),
    ...streamed(0, block, piecesOf(objectOf(characters), 10)),
    end(tool === undefined ? "end_turn" : "tool_use")
  ]
  const writes = Array.from(
    { length: Math.ceil(frames.length / perWrite) },
    (_, i) => frames.slice(i * perWrite, (i + 1) * perWrite).join("")
  )
  objects.set(key, writes)
  return writes
}

const server = createServer((request, response) => {
  const chunks: Array<Buffer> = []
  request.on("data", (chunk: Buffer) => chunks.push(chunk))
  request.on("end", async () => {
    const body = Buffer.concat(chunks).toString("utf8")
    const [script, count] = request.url!.split("/")[1]!.split("-") as [string, string]
    const streaming = body.includes("\"stream\":true")
    response.writeHead(200, { "content-type": streaming ? "text/event-stream" : "application/json" })
    if (script === "object") {
      const tool = /"tool_choice":\{[^}]*"name":"([^"]+)"/.exec(body)?.[1]
      for (const write of objectWrites(Number(count), tool)) {
        if (response.destroyed) return
        if (response.write(write)) continue
        await new Promise<void>((resolve) => {
          const go = () => {
            response.off("drain", go).off("close", go)
            resolve()
          }
          response.on("drain", go).on("close", go)
        })
      }
      response.end()
      return
    }
    const blocks = nextOf(script, Number(count), body)
    const stop = blocks[0] === done ? "end_turn" : "tool_use"
    if (!streaming) return void response.end(JSON.stringify(messageOf(blocks, stop)))
    const frames = blocks.flatMap((block, index) =>
      streamed(index, block, block.type === "text" ? ["do", "ne"] : piecesOf(JSON.stringify(block["input"]), 4))
    )
    response.end(start() + frames.join("") + end(stop))
  })
})

server.listen(
  0,
  "127.0.0.1",
  () => process.send!({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` })
)
process.on("disconnect", () => process.exit(0))
