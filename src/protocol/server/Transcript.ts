/**
 * The messages that a server reads off a body, each with the entries that it was read from.
 *
 * @since 0.1.0
 */
import type { LlmRequest, RequestOptions } from "../../LlmRequest.ts"
import type { Message, Part } from "../../Message.ts"
import type { Decoded, Headers } from "../Server.ts"
import { remember } from "../Verbatim.ts"
import { changed, type Layout, type Original, type Span } from "./Changes.ts"
import * as Body from "./Json.ts"
import { message, present } from "./Reading.ts"

/**
 * Messages in the order of a body.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export class Transcript {
  readonly messages: Array<Message> = []
  readonly spans: Array<Span> = []

  /** A message, read from entry `at`, or from nothing in the list. */
  add(role: Message["role"], parts: ReadonlyArray<Part>, at?: number): void {
    if (parts.length === 0) return
    this.messages.push(message(role, parts))
    const end = this.spans.at(-1)?.[1] ?? 0
    this.spans.push(at === undefined ? [end, end] : [at, at + 1])
  }

  /** More of the assistant's turn, which began with the entry before. */
  extend(parts: ReadonlyArray<Part>, at: number): void {
    const last = this.messages.at(-1)
    const [from, to] = this.spans.at(-1) ?? [0, 0]
    if (last?.role !== "assistant" || to !== at) return this.add("assistant", parts, at)
    const before: ReadonlyArray<Part> = typeof last.content === "string"
      ? [{ type: "text", text: last.content }]
      : last.content
    this.messages[this.messages.length - 1] = message("assistant", [...before, ...parts])
    this.spans[this.spans.length - 1] = [from, at + 1]
  }
}

/** Those of a request's headers that are a part of it. */
const headersOf = ({ headers: names = [] }: Layout, headers: Headers = {}): Headers | undefined => {
  const own = names.flatMap((name) => headers[name] === undefined ? [] : [[name, headers[name]] as const])
  return own.length === 0 ? undefined : Object.fromEntries(own)
}

/**
 * A request that was read.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const decoded = (
  from: {
    readonly wire: string
    readonly layout: Layout
    readonly body: unknown
    readonly model: string
    readonly stream: boolean
    readonly headers?: Headers | undefined
  },
  options: RequestOptions,
  { messages, spans }: Transcript,
  warnings: Decoded["warnings"]
): Decoded => {
  const { layout, model, stream, wire } = from
  const headers = headersOf(layout, from.headers)
  const view = { ...present({ ...options, model: model === "" ? undefined : model }), messages } as LlmRequest
  const original: Original = { layout, body: Body.asJson(Body.object(from.body)), stream, view, spans }
  const request = remember(view, {
    wire,
    body: original.body,
    spell: (input, spelling) => changed(original, input, spelling),
    ...present({ headers, losses: warnings.length === 0 ? undefined : warnings, usage: layout.usage })
  })
  return { request, model, stream, warnings }
}
