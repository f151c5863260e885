/**
 * Makes any message history legal for a wire before it is spelled out.
 *
 * A conversation begun on one provider continues on another: foreign reasoning, signatures and
 * server-tool blocks are dropped, tool-call ids are rewritten to the wire's rule, calls without a result
 * get an error result, results without a call become text. Each wire gives its rules and spells the
 * turns that come out; what was changed in meaning is reported as a warning.
 *
 * @since 0.1.0
 */
import { wellFormed } from "../json/text.ts"
import { type LlmRequest, messagesOf } from "../LlmRequest.ts"
import type { Warning } from "../LlmResponse.ts"
import * as Message from "../Message.ts"
import type { Json } from "../Message.ts"

/**
 * What a wire allows.
 *
 * @category models
 * @since 0.1.0
 */
export interface Rules {
  readonly wire: string
  /** Ids this wire accepts; others are rewritten. Every id is accepted when absent. */
  readonly toolCallId?: {
    readonly isValid: (id: string) => boolean
    /** A valid id made from any text; distinct texts may collide, `attempt` then counts up. */
    readonly rewrite: (id: string, attempt: number) => string
  } | undefined
  /** Whether reasoning is replayed; only asked for parts of this wire or of unknown origin. */
  readonly keepReasoning: (part: Message.ReasoningPart) => boolean
}

/**
 * A turn ready to be spelled. Roles and order are legal: every `tool` turn answers the calls of the assistant
 * turn before it, all of them.
 *
 * @category models
 * @since 0.1.0
 */
export interface Turn {
  readonly role: Message.Role
  readonly parts: ReadonlyArray<Message.Part>
}

/**
 * The turns of a request and what had to be changed.
 *
 * @category models
 * @since 0.1.0
 */
export interface Prepared {
  readonly turns: ReadonlyArray<Turn>
  readonly warnings: Array<Warning>
}

/** Every id is accepted; a repeated one gets a number. */
const anyId: NonNullable<Rules["toolCallId"]> = {
  isValid: () => true,
  rewrite: (id, attempt) => `${id}_${attempt + 2}`
}

const missingResult = "The tool call was not carried out: no result was recorded."

/** Replays arguments of an invalid call as an object, which every wire accepts. */
const replayArguments = (call: Message.ToolCallPart): Json =>
  call.invalid ? { invalid_arguments: call.arguments } : call.arguments

const clean = (part: Message.Part): Message.Part => {
  switch (part.type) {
    case "text":
      return part.text.isWellFormed() ? part : { ...part, text: wellFormed(part.text) }
    case "tool-result":
      return typeof part.content === "string"
        ? part.content.isWellFormed() ? part : { ...part, content: wellFormed(part.content) }
        : { ...part, content: part.content.map((one) => clean(one) as Message.TextPart) }
    default:
      return part
  }
}

const withCacheControl = (
  parts: ReadonlyArray<Message.Part>,
  cacheControl: Message.CacheControl | undefined
): ReadonlyArray<Message.Part> => {
  const last = parts.at(-1)
  if (cacheControl === undefined || last === undefined) return parts
  if (last.type === "reasoning" || last.type === "source" || last.type === "server-tool" || last.type === "audio") {
    return parts
  }
  return [...parts.slice(0, -1), { ...last, cacheControl: last.cacheControl ?? cacheControl }]
}

/** Higher priority first among neighbours of one role, where order cannot break a call and its result. */
const byPriority = (messages: ReadonlyArray<Message.Message>): ReadonlyArray<Message.Message> => {
  if (!messages.some((message) => message.attributes?.priority !== undefined)) return messages
  const out: Array<Message.Message> = []
  for (let i = 0; i < messages.length;) {
    const role = messages[i]!.role
    let end = i + 1
    if (role === "user" || role === "system") { while (end < messages.length && messages[end]!.role === role) end++ }
    const run = messages.slice(i, end)
    run.sort((a, b) => (b.attributes?.priority ?? 0) - (a.attributes?.priority ?? 0))
    for (const message of run) out.push(message)
    i = end
  }
  return out
}

const resultText = (part: Message.ToolResultPart): string =>
  typeof part.content === "string"
    ? part.content
    : part.content.map((one) => one.type === "text" ? one.text : `[${one.type}]`).join("")

interface WaitingCall {
  readonly id: string
  readonly name: string
}

/** Calls that wait for a result, by the id they were given; of several with one id the first is answered first. */
class Waiting {
  private calls = new Set<WaitingCall>()
  private byGiven = new Map<string, { readonly calls: Array<WaitingCall>; answered: number }>()

  add(given: string, call: WaitingCall): void {
    this.calls.add(call)
    const alike = this.byGiven.get(given)
    if (alike === undefined) this.byGiven.set(given, { calls: [call], answered: 0 })
    else alike.calls.push(call)
  }

  /** The call that a result answers, which waits no more. */
  take(given: string): WaitingCall | undefined {
    const alike = this.byGiven.get(given)
    const call = alike?.calls[alike.answered]
    if (alike === undefined || call === undefined) return undefined
    alike.answered++
    this.calls.delete(call)
    return call
  }

  /** All that still wait; none of them does after. */
  rest(): ReadonlyArray<WaitingCall> {
    const rest = [...this.calls]
    if (this.byGiven.size > 0) {
      this.calls = new Set()
      this.byGiven = new Map()
    }
    return rest
  }
}

/**
 * Prepares the messages of a request. `request.system` becomes the first system turn.
 *
 * @category encoding
 * @since 0.1.0
 */
export const prepare = (request: LlmRequest, rules: Rules): Prepared => {
  const warnings: Array<Warning> = []
  const turns: Array<Turn> = []
  const taken = new Set<string>()
  let dropped = 0

  /** The next attempt at an id, by what the first one gives: those before it are taken. */
  const attempts = new Map<string, number>()

  /** An id this wire accepts and no other call of the conversation has; providers number their calls alike. */
  const idFor = (id: string): string => {
    const { isValid, rewrite } = rules.toolCallId ?? anyId
    let made = id
    if (taken.has(made) || !isValid(made)) {
      const first = rewrite(id, 0)
      let attempt = attempts.get(first) ?? 0
      made = attempt === 0 ? first : rewrite(id, attempt)
      while (taken.has(made) || !isValid(made)) made = rewrite(id, ++attempt)
      attempts.set(first, attempt + 1)
    }
    taken.add(made)
    return made
  }

  const ownOrigin = (origin: Message.Origin | undefined) => origin === undefined || origin.wire === rules.wire

  const assistantPart = (part: Message.Part): Message.Part | undefined => {
    switch (part.type) {
      case "reasoning":
        if (ownOrigin(part.origin) && rules.keepReasoning(part)) return part
        dropped++
        return undefined
      case "server-tool":
        return part.origin.wire === rules.wire ? part : undefined
      case "source":
        return undefined
      case "tool-call": {
        const { replay, signature, ...call } = part
        const own = ownOrigin(part.origin)
        return {
          ...call,
          id: idFor(part.id),
          arguments: replayArguments(part),
          ...(own && signature !== undefined ? { signature } : undefined),
          ...(own && replay !== undefined ? { replay } : undefined)
        }
      }
      case "text": {
        if (ownOrigin(part.origin)) return clean(part)
        const { replay: _, signature: __, ...rest } = part
        return clean(rest)
      }
      default:
        return clean(part)
    }
  }

  /** Calls of the last assistant turn that still wait for a result. */
  const waiting = new Waiting()
  /** The results of the last assistant turn, while nothing else has come. */
  let answers: Array<Message.Part> | undefined
  const answer = (results: ReadonlyArray<Message.Part>) => {
    if (answers === undefined) turns.push({ role: "tool", parts: answers = [] })
    for (const result of results) answers.push(result)
  }
  const settle = () => {
    const results = waiting.rest().map(({ id, name }): Message.ToolResultPart => ({
      type: "tool-result",
      toolCallId: id,
      name,
      content: missingResult,
      isError: true
    }))
    if (results.length > 0) {
      answer(results)
      warnings.push({
        field: "messages",
        message: `${results.length} tool call(s) had no result; an error result was added.`
      })
    }
    answers = undefined
  }

  if (request.system !== undefined && request.system !== "") {
    turns.push({ role: "system", parts: [{ type: "text", text: wellFormed(request.system) }] })
  }
  for (const message of byPriority(messagesOf(request))) {
    const parts = withCacheControl(Message.parts(message), message.attributes?.cacheControl)
    if (message.role === "assistant") {
      settle()
      const kept: Array<Message.Part> = []
      for (const part of parts) {
        const one = assistantPart(part)
        if (one === undefined) continue
        kept.push(one)
        if (one.type === "tool-call" && part.type === "tool-call") {
          waiting.add(part.id, { id: one.id, name: one.name })
        }
      }
      if (kept.length > 0) turns.push({ role: "assistant", parts: kept })
      continue
    }
    const results: Array<Message.Part> = []
    const others: Array<Message.Part> = []
    for (const part of parts) {
      if (part.type !== "tool-result") {
        others.push(clean(part))
        continue
      }
      const call = waiting.take(part.toolCallId)
      if (call !== undefined) {
        const name = part.name ?? call.name
        results.push({ ...clean(part) as Message.ToolResultPart, toolCallId: call.id, name })
      } else {
        others.push({ type: "text", text: `Result of tool call ${part.toolCallId}: ${resultText(part)}` })
        warnings.push({
          field: "messages",
          message: `A tool result answers no call (${part.toolCallId}); sent as text.`
        })
      }
    }
    if (results.length > 0) answer(results)
    if (others.length > 0) {
      settle()
      turns.push({ role: message.role === "tool" ? "user" : message.role, parts: others })
    }
  }
  settle()
  if (dropped > 0) {
    warnings.push({
      field: "messages",
      message: `${dropped} reasoning part(s) that this provider cannot take back were left out.`
    })
  }
  return { turns, warnings }
}

/**
 * The text of a turn's parts, run together.
 *
 * @category encoding
 * @since 0.1.0
 */
export const textOf = (parts: ReadonlyArray<Message.Part>): string => {
  let out = ""
  for (const part of parts) if (part.type === "text") out += part.text
  return out
}
