/**
 * What a benchmark client is: the least a program needs to read answers with one library.
 */
import type { Wire } from "./answers.ts"

export interface Setup {
  readonly wire: Wire
  /** Origin and scenario of the mock server; the API's usual path, such as `/v1`, comes after it. */
  readonly url: string
  /** Tells ways of using one library apart. */
  readonly variant: string
  /** URL of the folder with the built library. */
  readonly library: string
}

export interface Prompt {
  /** Turns of user and assistant, beginning and ending with the user. */
  readonly turns: ReadonlyArray<string>
}

export interface Client {
  /** Reads one streamed answer; gives the characters of text, or of tool arguments, that came. */
  readonly stream: (prompt: Prompt, onText?: (text: string) => void) => Promise<number>
  /** Asks for one whole answer; gives the characters of its text. */
  readonly generate: (prompt: Prompt) => Promise<number>
}

export type Make = (setup: Setup) => Promise<Client>

export const headersOf = (wire: Wire): Record<string, string> =>
  wire === "anthropic"
    ? { "content-type": "application/json", "x-api-key": "bench-key", "anthropic-version": "2023-06-01" }
    : { "content-type": "application/json", authorization: "Bearer bench-key" }

export const pathOf = (wire: Wire): string => wire === "anthropic" ? "/v1/messages" : "/v1/chat/completions"

export const modelOf = (wire: Wire): string => wire === "anthropic" ? "claude-sonnet-4-5" : "gpt-4.1"

export const bodyOf = (wire: Wire, prompt: Prompt, stream: boolean): string =>
  JSON.stringify({
    model: modelOf(wire),
    messages: prompt.turns.map((content, i) => ({ role: i % 2 === 0 ? "user" : "assistant", content })),
    ...(wire === "anthropic" ? { max_tokens: 1024 } : {}),
    stream,
    ...(wire === "chat" && stream ? { stream_options: { include_usage: true } } : {})
  })

/** The hand-written reader of the raw clients: split at blank lines, parse, switch. */
export class RawReader {
  characters = 0
  private rest = ""
  private readonly decoder = new TextDecoder()
  private readonly wire: Wire
  private readonly onText: ((text: string) => void) | undefined
  private readonly parts: Array<string> = []

  constructor(wire: Wire, onText: ((text: string) => void) | undefined) {
    this.wire = wire
    this.onText = onText
  }

  push(bytes: Uint8Array): void {
    const text = this.rest + this.decoder.decode(bytes, { stream: true })
    let from = 0
    for (let to = text.indexOf("\n\n"); to !== -1; to = text.indexOf("\n\n", from)) {
      const at = text.indexOf("data: ", from)
      if (at !== -1 && at < to) this.frame(text.slice(at + 6, to))
      from = to + 2
    }
    this.rest = text.slice(from)
  }

  private frame(data: string): void {
    if (data === "[DONE]") return
    const frame = JSON.parse(data)
    let text: string | undefined
    if (this.wire === "anthropic") {
      if (frame.type === "content_block_delta") text = frame.delta.text ?? frame.delta.partial_json
    } else {
      const delta = frame.choices[0]?.delta
      text = delta?.content ?? delta?.tool_calls?.[0]?.function?.arguments
    }
    if (text === undefined || text === null || text === "") return
    this.parts.push(text)
    this.onText?.(text)
  }

  end(): number {
    return this.characters = this.parts.join("").length
  }
}

/** The text of a whole answer, as a raw client reads it. */
export const rawText = (wire: Wire, body: string): number => {
  const answer = JSON.parse(body)
  return wire === "anthropic" ? answer.content[0].text.length : answer.choices[0].message.content.length
}
