/**
 * What has changed of a request since it came in, put into the body that came.
 *
 * Three spellings are compared: of the view as it was read, and of the request as it is now; what differs between these two is put into
 * the original, which has more than either of them knows. Messages that are still those of the view keep the entries that they
 * were read from; of a conversation that was changed in the middle only the middle is spelled anew.
 *
 * @since 0.1.0
 */
import { setOwn } from "../../json/own.ts"
import { type LlmRequest, messagesOf } from "../../LlmRequest.ts"
import type { Json, JsonObject, Message } from "../../Message.ts"
import { type JsonFields, list, record } from "../Probe.ts"
import type { Encoded, EncodeInput, Refused } from "../Protocol.ts"
import type { Spelling } from "../Verbatim.ts"

/**
 * Which entries of a body's list of messages a message was read from: from the first to before the second.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export type Span = readonly [from: number, to: number]

/**
 * A body and what was read of it.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Original {
  readonly layout: Layout
  readonly body: JsonObject
  readonly stream: boolean
  /** What was read. */
  readonly view: LlmRequest
  /** Where each message of the view was read; those of instructions at the top of the body are empty. */
  readonly spans: ReadonlyArray<Span>
}

// =============================================================================
// What has changed
// =============================================================================

/** Whether two values are the same data; what cannot be compared is not. */
const isSame = (a: unknown, b: unknown): boolean => {
  if (a === b) return true
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false
  if (Array.isArray(a) || Array.isArray(b)) {
    return Array.isArray(a) && Array.isArray(b) && a.length === b.length && a.every((one, at) => isSame(one, b[at]))
  }
  const [left, right] = [a as { [key: string]: unknown }, b as { [key: string]: unknown }]
  const names = new Set([...Object.keys(left), ...Object.keys(right)])
  for (const name of names) if (!isSame(left[name], right[name])) return false
  return true
}

/** Fields of a request that no body says anything of. */
const apart: ReadonlySet<string> = new Set([
  "model",
  "messages",
  "prompt",
  "label",
  "scope",
  "metadata",
  "priority",
  "headers",
  "apiKey",
  "providers",
  "timeouts",
  "whole",
  "includeRaw"
])

const fieldsOf = (request: LlmRequest): { readonly [name: string]: unknown } => ({ ...request })

const sameOptions = (a: LlmRequest, b: LlmRequest): boolean => {
  const [left, right] = [fieldsOf(a), fieldsOf(b)]
  for (const name of new Set([...Object.keys(left), ...Object.keys(right)])) {
    if (!apart.has(name) && !isSame(left[name], right[name])) return false
  }
  return true
}

const snakeOf = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)

/** Members under the names that the original has for them: Google takes camel and snake case. */
const inWordsOf = (came: JsonFields | undefined, fields: JsonFields | undefined): JsonFields | undefined => {
  if (came === undefined || fields === undefined) return fields
  const renamed = Object.keys(fields).some((name) => !Object.hasOwn(came, name) && Object.hasOwn(came, snakeOf(name)))
  if (!renamed) return fields
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) =>
      Object.hasOwn(came, name) || !Object.hasOwn(came, snakeOf(name)) ? [name, value] : [snakeOf(name), value]
    )
  )
}

/**
 * The original with what differs between two spellings of it. Where the spellings say the same the original stands, with all that
 * neither of them knows.
 */
const merged = (before: Json | undefined, after: Json | undefined, original: Json | undefined): Json | undefined => {
  if (isSame(before, after)) return original
  const came = record(original)
  const [was, is] = [inWordsOf(came, record(before)), inWordsOf(came, record(after))]
  if (was !== undefined && is !== undefined && came !== undefined) {
    const out: { [key: string]: Json } = {}
    const put = (name: string, value: Json | undefined) => {
      if (value !== undefined) setOwn(out, name, value)
    }
    for (const name of Object.keys(came)) {
      const gone = is[name] === undefined && was[name] !== undefined
      if (!gone) put(name, merged(was[name], is[name], came[name]))
    }
    for (const name of Object.keys(is)) {
      if (!Object.hasOwn(came, name) && !isSame(was[name], is[name])) put(name, is[name])
    }
    return out
  }
  if (!Array.isArray(before) || !Array.isArray(after) || !Array.isArray(original)) return after
  if (before.length !== original.length) return after
  const { head, tail } = common(before, after)
  const middle = after.slice(head, after.length - tail) as Array<Json>
  const replaced = middle.length === before.length - head - tail
  return [
    ...original.slice(0, head),
    ...middle.map((one, at) => replaced ? merged(before[head + at], one, original[head + at])! : one),
    ...original.slice(original.length - tail)
  ]
}

/** How much two lists share at both ends. */
const common = (
  a: ReadonlyArray<unknown>,
  b: ReadonlyArray<unknown>
): { readonly head: number; readonly tail: number } => {
  const most = Math.min(a.length, b.length)
  let head = 0
  while (head < most && isSame(a[head], b[head])) head++
  let tail = 0
  while (tail < most - head && isSame(a[a.length - 1 - tail], b[b.length - 1 - tail])) tail++
  return { head, tail }
}

// =============================================================================
// Messages
// =============================================================================

/**
 * Where a body has its messages, and where the parts of one entry are, if it can have several.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Layout {
  /** The list of messages. */
  readonly messages: string
  /** The list of an entry's parts, in which an entry grows instead of being followed by one of the same role. */
  readonly parts?: string | undefined
  /** The member that names the model, where the path does not. */
  readonly model?: string | undefined
  /** Whether instructions are messages of the list. @default false: they are a member of their own */
  readonly systemListed?: boolean | undefined
  /** Headers that are a part of the request. */
  readonly headers?: ReadonlyArray<string> | undefined
  /** The member in which a stream is asked for its usage, where it is told only then. */
  readonly usage?: string | undefined
}

type Spell = (messages: ReadonlyArray<Message>) => ReadonlyArray<Json> | undefined

const startsWith = (whole: ReadonlyArray<Json>, part: ReadonlyArray<Json>): boolean =>
  part.length <= whole.length && part.every((one, at) => isSame(one, whole[at]))

/** What a list adds to its beginning; entries that only grew add what they grew by. */
const added = (
  whole: ReadonlyArray<Json>,
  beginning: ReadonlyArray<Json>,
  { parts }: Layout
): { readonly grown: ReadonlyArray<Json>; readonly entries: ReadonlyArray<Json> } | undefined => {
  if (startsWith(whole, beginning)) return { grown: [], entries: whole.slice(beginning.length) }
  const at = beginning.length - 1
  if (parts === undefined || at < 0 || !startsWith(whole, beginning.slice(0, at))) return undefined
  const [was, is] = [record(beginning[at]), record(whole[at])]
  const [some, all] = [list(was?.[parts]) as ReadonlyArray<Json>, list(is?.[parts]) as ReadonlyArray<Json>]
  if (was === undefined || is === undefined || some.length === 0 || !startsWith(all, some)) return undefined
  if (!isSame({ ...was, [parts]: undefined }, { ...is, [parts]: undefined })) return undefined
  return { grown: all.slice(some.length), entries: whole.slice(at + 1) }
}

/** The last entry with more parts; a text in its place becomes the first of them. */
const grow = (entry: Json, parts: string, more: ReadonlyArray<Json>): Json => {
  const fields = record(entry) as JsonObject | undefined ?? {}
  const given = fields[parts]
  const known = Array.isArray(given) ? given as ReadonlyArray<Json> : [{ type: "text", text: given ?? "" }]
  return { ...fields, [parts]: [...known, ...more] }
}

/** Messages of the view that the request still begins and ends with, where a conversation can be taken apart. */
const kept = (view: ReadonlyArray<Message>, now: ReadonlyArray<Message>, spans: ReadonlyArray<Span>) => {
  let { head, tail } = common(view, now)
  // The results of calls belong to the calls before them, and one entry may have been read into several messages.
  const inside = (at: number, messages: ReadonlyArray<Message>) => messages[at]?.role === "tool"
  const shared = (at: number) => at > 0 && at < spans.length && spans[at]![0] < spans[at - 1]![1]
  while (head > 0 && (inside(head, now) || inside(head, view) || shared(head))) head--
  while (tail > 0 && (inside(view.length - tail, view) || shared(view.length - tail))) tail--
  return { head, tail }
}

/** Stands in for whoever speaks next or spoke before, where wires treat the ends of a conversation otherwise. */
const somebody: Message = { role: "user", content: "." }

/** The entries of a beginning as they are when more follows, which is whoever does not go on in the last of them. */
const spelledFirst = (messages: ReadonlyArray<Message>, spell: Spell): ReadonlyArray<Json> | undefined => {
  const last = messages.at(-1)?.role
  if (last === undefined) return []
  if (last === "user" || last === "tool") return spell(messages)
  const asked = last === "system" && messages.some((message) => message.role === "user")
  return spell([...messages, asked ? { ...somebody, role: "assistant" } : somebody])?.slice(0, -1)
}

/** The entries of an end as they are when something came before. */
const spelledLast = (
  messages: ReadonlyArray<Message>,
  layout: Layout,
  spell: Spell
): ReadonlyArray<Json> | undefined => {
  if (messages.length === 0) return []
  if (messages[0]!.role !== "assistant") return spell(messages)
  const [alone, after] = [spell([somebody]), spell([somebody, ...messages])]
  return alone === undefined || after === undefined ? undefined : added(after, alone, layout)?.entries
}

const entriesOf = (
  { body, layout, spans, view }: Original,
  now: ReadonlyArray<Message>,
  spell: Spell
): ReadonlyArray<Json> | undefined => {
  const came = body[layout.messages]
  if (!Array.isArray(came)) return undefined
  const entries = came as ReadonlyArray<Json>
  const then = messagesOf(view)
  const { head, tail } = kept(then, now, spans)
  const spelled = spell(now)
  const first = spelledFirst(now.slice(0, head), spell)
  const more = spelled === undefined || first === undefined ? undefined : added(spelled, first, layout)
  if (more === undefined) return undefined
  const before = entries.slice(0, spans[head - 1]?.[1] ?? 0)
  const begun = more.grown.length > 0 && before.length > 0 && layout.parts !== undefined
    ? [...before.slice(0, -1), grow(before.at(-1)!, layout.parts, more.grown)]
    : before
  const last = spelledLast(now.slice(now.length - tail), layout, spell)
  const between = more.entries.length - (last?.length ?? 0)
  // An end that cannot be told from what was changed before it is spelled anew.
  if (last === undefined || tail === 0 || between < 0 || !startsWith(more.entries.slice(between), last)) {
    return [...begun, ...more.entries]
  }
  return [...begun, ...more.entries.slice(0, between), ...entries.slice(spans[then.length - tail]![0])]
}

// =============================================================================
// Bodies
// =============================================================================

const isEncoded = (made: Encoded | Refused): made is Encoded => !("refused" in made)

/**
 * The body that came, with what has changed since.
 *
 * @stability experimental
 * @category encoding
 * @since 0.1.0
 */
export const changed = (original: Original, input: EncodeInput, { encode, path }: Spelling): Encoded | Refused => {
  const { body: whole, layout, stream, view } = original
  const request = layout.systemListed === true ? withListed(input.request) : input.request
  const named = (body: JsonObject): JsonObject =>
    layout.model === undefined || body[layout.model] === input.model ? body : { ...body, [layout.model]: input.model }
  const [then, now] = [messagesOf(view), messagesOf(request)]
  const unchanged = isSame(then, now)
  if (unchanged && stream === input.stream && sameOptions(view, request)) {
    const to = path(input)
    return typeof to === "string" ? { path: to, body: named(whole), warnings: [] } : to
  }
  const after = encode({ ...input, request })
  if (!isEncoded(after)) return after
  // As the request is now, but for what the client said otherwise.
  const before = encode({ ...input, stream, request: { ...request, ...optionsOf(view, request), ...spoken(then) } })
  if (!isEncoded(before)) return after
  const { [layout.messages]: was, ...optionsBefore } = before.body
  const { [layout.messages]: is, ...optionsAfter } = after.body
  const { [layout.messages]: came, ...options } = whole
  // Marks that options put on the latest messages would stand elsewhere in each part of a conversation: the client's own stand.
  const spell: Spell = (messages) => {
    const made = encode({ ...input, request: { ...request, ...spoken(messages), system: undefined, cache: undefined } })
    return isEncoded(made) ? list(made.body[layout.messages]) as ReadonlyArray<Json> : undefined
  }
  const warnings = after.warnings.filter((one) => !before.warnings.some((other) => isSame(one, other)))
  const messages = unchanged
    ? Array.isArray(came) && list(was).length === came.length ? merged(was, is, came) : came
    : entriesOf(original, now, spell)
  if (messages === undefined && Array.isArray(came)) {
    warnings.push({ field: "messages", message: "Could not be kept as they came in: all of them were spelled anew." })
  }
  const body = merged(optionsBefore, optionsAfter, options) as JsonObject
  return {
    path: after.path,
    body: named(inOrder({ ...body, [layout.messages]: messages ?? is ?? [] }, whole)),
    ...(after.headers === undefined ? undefined : { headers: after.headers }),
    warnings
  }
}

const spoken = (
  messages: ReadonlyArray<Message>
): { readonly messages: ReadonlyArray<Message>; readonly prompt: undefined } => ({
  messages,
  prompt: undefined
})

const withListed = (request: LlmRequest): LlmRequest =>
  request.system === undefined || request.system === ""
    ? request
    : {
      ...request,
      ...spoken([{ role: "system", content: request.system }, ...messagesOf(request)]),
      system: undefined
    }

/** What the view says of each option that either of the two has. */
const optionsOf = (view: LlmRequest, now: LlmRequest): Partial<LlmRequest> => {
  const out: { [name: string]: unknown } = {}
  for (const name of new Set([...Object.keys(view), ...Object.keys(now)])) {
    if (!apart.has(name)) out[name] = fieldsOf(view)[name]
  }
  return out
}

/** Members in the order in which they came. */
const inOrder = (body: JsonObject, came: JsonObject): JsonObject => {
  const out: { [name: string]: Json } = {}
  for (const name of [...Object.keys(came), ...Object.keys(body)]) {
    const value = Object.hasOwn(body, name) ? body[name] : undefined
    if (value !== undefined) setOwn(out, name, value)
  }
  return out
}
