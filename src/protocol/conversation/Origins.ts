/**
 * What may go back where it is sent: a wire's own signatures, reasoning and tool steps stay, foreign ones are left out; parts that a role
 * cannot hold are moved or left out; arguments of calls become what every wire accepts.
 *
 * @since 0.1.0
 */
import { wellFormed } from "../../json/text.ts"
import type * as Message from "../../Message.ts"
import { record } from "../Probe.ts"
import { mapped, type Rules, type Step, tell, type Turn } from "./Turn.ts"

/** Arguments as an object: those of an invalid call by their text, texts and lists of other wires under a name. */
const argumentsOf = (call: Message.ToolCallPart): Message.Json => {
  const { arguments: given } = call
  if (call.invalid) return { invalid_arguments: given }
  return record(given) === undefined ? typeof given === "string" ? { input: given } : { value: given } : given
}

const clean = <A extends Message.Part>(part: A): A => {
  switch (part.type) {
    case "text":
      return part.text.isWellFormed() ? part : { ...part, text: wellFormed(part.text) }
    case "tool-result":
      return typeof part.content === "string"
        ? part.content.isWellFormed() ? part : { ...part, content: wellFormed(part.content) }
        : part.content.every((one) => one.type !== "text" || one.text.isWellFormed())
        ? part
        : { ...part, content: part.content.map(clean) }
    default:
      return part
  }
}

/** What was left out, by kind. */
interface Left {
  reasoning: number
  misplaced: number
  steps: number
}

/** Whether a call is as every wire takes it. */
const isPlain = (call: Message.ToolCallPart): boolean =>
  call.custom === undefined && call.invalid === undefined && call.replay === undefined &&
  call.signature === undefined &&
  record(call.arguments) !== undefined

const isOwn = (origin: Message.Origin | undefined, rules: Rules): boolean =>
  origin === undefined || origin.wire === rules.wire

const assistantPart = (part: Message.Part, rules: Rules, left: Left): Message.Part | undefined => {
  switch (part.type) {
    case "reasoning":
      if (isOwn(part.origin, rules)) {
        if (rules.unwantedReasoning?.(part) === true) return undefined
        if (rules.keepReasoning(part)) return part
      }
      left.reasoning++
      return undefined
    case "server-tool":
      if (part.origin.wire === rules.wire && (rules.keepServerTool === undefined || rules.keepServerTool(part))) {
        return part
      }
      // A wire's own notes beside the answer are no steps.
      if (part.kind !== "block") left.steps++
      return undefined
    case "source":
      return undefined
    case "tool-call": {
      if (isPlain(part)) return part
      const { custom, invalid, replay, signature, ...call } = part
      const own = isOwn(part.origin, rules)
      const free = custom === true && invalid !== true && rules.customCalls === true
      return {
        ...call,
        arguments: free ? part.arguments : argumentsOf(part),
        ...(free ? { custom } : undefined),
        ...(own && signature !== undefined ? { signature } : undefined),
        ...(own && replay !== undefined ? { replay } : undefined)
      }
    }
    case "text": {
      if (isOwn(part.origin, rules)) return clean(part)
      const { replay: _, signature: __, ...rest } = part
      return clean(rest)
    }
    default:
      return clean(part)
  }
}

/** Media that stands in a system turn goes into a user turn after it. */
const systemTurns = (parts: ReadonlyArray<Message.Part>, left: Left): ReadonlyArray<Turn> => {
  const texts: Array<Message.Part> = []
  const media: Array<Message.Part> = []
  for (const part of parts) {
    if (part.type === "text") texts.push(clean(part))
    else if (part.type === "image" || part.type === "file" || part.type === "audio") media.push(part)
    else if (part.type !== "source") left.misplaced++
  }
  return [
    { role: "system", parts: texts },
    ...(media.length === 0 ? [] : [{ role: "user" as const, parts: media }])
  ]
}

/** What only an assistant's turn holds. */
const isAssistants = (part: Message.Part): boolean =>
  part.type === "reasoning" || part.type === "server-tool" || part.type === "tool-call" || part.type === "source"

const userParts = (parts: ReadonlyArray<Message.Part>, left: Left): ReadonlyArray<Message.Part> => {
  if (!parts.some(isAssistants)) return mapped(parts, clean)
  left.misplaced += parts.filter((part) => isAssistants(part) && part.type !== "source").length
  return parts.filter((part) => !isAssistants(part)).map(clean)
}

const assistantParts = (
  parts: ReadonlyArray<Message.Part>,
  rules: Rules,
  left: Left
): ReadonlyArray<Message.Part> => {
  const made = mapped<Message.Part | undefined>(parts, (part) => assistantPart(part!, rules, left))
  return made.includes(undefined)
    ? made.filter((part) => part !== undefined)
    : made as ReadonlyArray<Message.Part>
}

/**
 * Keeps what is the target's own.
 *
 * @stability experimental
 * @category steps
 * @since 0.1.0
 */
export const origins: Step = {
  name: "origins",
  isNeeded: () => true,
  run: (turns, rules, findings) => {
    const left: Left = { reasoning: 0, misplaced: 0, steps: 0 }
    let moved = false
    const out: Array<Turn> = []
    for (const turn of turns) {
      if (turn.role === "system") {
        const made = systemTurns(turn.parts, left)
        moved ||= made.length > 1
        for (const one of made) out.push(one)
        continue
      }
      const parts = turn.role === "assistant"
        ? assistantParts(turn.parts, rules, left)
        : userParts(turn.parts, left)
      out.push(parts === turn.parts ? turn : { role: turn.role, parts })
    }
    if (left.reasoning > 0) {
      tell(findings, `${left.reasoning} reasoning part(s) that this provider cannot take back were left out.`)
    }
    if (left.steps > 0) {
      tell(findings, `${left.steps} step(s) of tools that another provider ran itself were left out.`)
    }
    if (left.misplaced > 0) {
      tell(findings, `${left.misplaced} part(s) that only an assistant turn can hold were left out of other turns.`)
    }
    if (moved) tell(findings, "Media of a system message follows it in a user message.")
    return out
  }
}
