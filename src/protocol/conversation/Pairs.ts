/**
 * Calls and their results: each call gets the results that name it, wherever they stand behind it, right after its turn; a call without
 * one gets an error; a result without a call is told in words. Ids become what the wire takes.
 *
 * @since 0.1.0
 */
import { wellFormed } from "../../json/text.ts"
import type { Part, ToolCallPart, ToolResultPart } from "../../Message.ts"
import { Ids } from "./Ids.ts"
import { mapped, type Rules, type Step, tell, type Turn } from "./Turn.ts"

const missingResult = "The tool call was not carried out: no result was recorded."

/** A call of the history. */
interface Call {
  readonly part: ToolCallPart
  /** Where its turn is. */
  readonly at: number
  /** The id it is sent with. */
  id: string
  result: ToolResultPart | undefined
}

/** The calls of one turn with one id; those before `next` have a result. */
interface Group {
  readonly at: number
  readonly calls: Array<Call>
  next: number
}

/** Results of one id answer the latest turn that has such a call first, and in a turn the calls in their order. */
class Open {
  private readonly byId = new Map<string, Array<Group>>()

  add(call: Call): void {
    const { id } = call.part
    const groups = this.byId.get(id)
    const last = groups?.at(-1)
    if (last?.at === call.at) last.calls.push(call)
    else if (groups === undefined) this.byId.set(id, [{ at: call.at, calls: [call], next: 0 }])
    else groups.push({ at: call.at, calls: [call], next: 0 })
  }

  /** The call that a result answers, which is open no more. */
  take(id: string): Call | undefined {
    const groups = this.byId.get(id)
    const last = groups?.at(-1)
    if (groups === undefined || last === undefined) return undefined
    const call = last.calls[last.next++]!
    if (last.next === last.calls.length) groups.pop()
    return call
  }
}

/** A result that answers no call, in words and with what it holds. */
const inWords = (result: ToolResultPart): ReadonlyArray<Part> => {
  const said = `${result.isError === true ? "Error of" : "Result of"} tool call ${wellFormed(result.toolCallId)}: `
  const marked = result.cacheControl === undefined ? undefined : { cacheControl: result.cacheControl }
  if (typeof result.content === "string") return [{ type: "text", text: `${said}${result.content}`, ...marked }]
  const [first, ...rest] = result.content
  return first?.type === "text"
    ? [{ ...first, text: `${said}${first.text}` }, ...rest]
    : [{ type: "text", text: said.trimEnd() }, ...result.content]
}

/** Whether a turn that is not the assistant's says something beside results. */
const says = (turn: Turn): boolean =>
  turn.parts.some((part) => part.type !== "tool-result" && (part.type !== "text" || part.text !== ""))

interface Matched {
  /** The calls of each turn, in their order. */
  readonly calls: ReadonlyMap<number, ReadonlyArray<Call>>
  /** Which parts of a turn answer a call. */
  readonly answering: ReadonlyMap<number, ReadonlySet<number>>
  /** Calls whose result came after something else was said. */
  readonly late: ReadonlyArray<Call>
  /** The last turn that says something. */
  readonly lastSaying: number
}

const put = <A>(map: Map<number, Array<A>>, at: number, value: A): void => {
  const known = map.get(at)
  if (known === undefined) map.set(at, [value])
  else known.push(value)
}

const matched = (turns: ReadonlyArray<Turn>): Matched => {
  const open = new Open()
  const calls = new Map<number, Array<Call>>()
  const answering = new Map<number, Set<number>>()
  const late: Array<Call> = []
  let lastSaying = -1
  turns.forEach((turn, at) => {
    if (turn.role === "assistant") {
      for (const part of turn.parts) {
        if (part.type !== "tool-call") continue
        const call: Call = { part, at, id: part.id, result: undefined }
        put(calls, at, call)
        open.add(call)
      }
    } else {
      turn.parts.forEach((part, index) => {
        if (part.type !== "tool-result") return
        const call = open.take(part.toolCallId)
        if (call === undefined) return
        call.result = part
        const known = answering.get(at)
        if (known === undefined) answering.set(at, new Set([index]))
        else known.add(index)
        if (lastSaying > call.at) late.push(call)
      })
    }
    if (turn.role === "assistant" || says(turn)) lastSaying = at
  })
  return { calls, answering, late, lastSaying }
}

/**
 * Puts each result to its call.
 *
 * @stability experimental
 * @category steps
 * @since 0.1.0
 */
export const pairs: Step = {
  name: "pairs",
  isNeeded: () => true,
  run: (turns, rules: Rules, findings) => {
    const { answering, calls, late, lastSaying } = matched(turns)
    const ids = new Ids(rules.toolCallId)
    const out: Array<Turn> = []
    const orphans: Array<string> = []
    turns.forEach((turn, at) => {
      if (turn.role !== "assistant") {
        const answered = answering.get(at)
        if (answered?.size === turn.parts.length) return
        if (answered === undefined && !turn.parts.some((part) => part.type === "tool-result")) {
          if (turn.parts.length > 0) out.push(turn)
          return
        }
        const others = turn.parts.flatMap((part, index): ReadonlyArray<Part> => {
          if (part.type !== "tool-result") return [part]
          if (answered?.has(index) === true) return []
          orphans.push(part.toolCallId)
          return inWords(part)
        })
        if (others.length > 0) out.push({ role: turn.role === "tool" ? "user" : turn.role, parts: others })
        return
      }
      const own = calls.get(at)
      if (own === undefined) {
        out.push(turn)
        return
      }
      for (const call of own) call.id = ids.next(call.part.id)
      let next = 0
      const parts = mapped(turn.parts, (part) => {
        if (part.type !== "tool-call") return part
        const { id } = own[next++]!
        return id === part.id ? part : { ...part, id }
      })
      out.push(parts === turn.parts ? turn : { role: "assistant", parts })
      // In the order of the calls: where a wire has no ids, that and the name are all that tells them apart.
      let missing = 0
      const results = own.map(({ id, part, result }): Part => {
        if (result !== undefined) return { ...result, toolCallId: id, name: part.name }
        missing++
        return { type: "tool-result", toolCallId: id, name: part.name, content: missingResult, isError: true }
      })
      out.push({ role: "tool", parts: results })
      if (missing === 0) return
      tell(
        findings,
        `${missing} tool call(s) had no result; an error result was added.` +
          (at < lastSaying ? "" : " A result that comes later takes its place, and a prompt cache ends there.")
      )
    })
    for (const id of orphans) tell(findings, `A tool result answers no call (${id}); sent as text.`)
    for (const { at, part } of late) {
      tell(
        findings,
        `The result of ${part.id} came after other messages and was moved to its call, in turn ${at}: a prompt cache of ` +
          "what was sent before it came ends there."
      )
    }
    return out
  }
}
