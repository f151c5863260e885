/**
 * A history on its way to a wire: turns, what a target can take of them, and the steps that make the one fit the other.
 *
 * @since 0.1.0
 */
import type { Issue } from "../../LlmRequest.ts"
import type { Warning } from "../../LlmResponse.ts"
import type {
  FilePart,
  ImagePart,
  Part,
  ReasoningPart,
  Role,
  ServerToolPart,
  TextPart,
  ToolResultPart
} from "../../Message.ts"
import type { Findings } from "../Findings.ts"

/**
 * A turn ready to be spelled. Roles and order are legal: every `tool` turn answers the calls of the assistant
 * turn before it, all of them.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Turn {
  readonly role: Role
  readonly parts: ReadonlyArray<Part>
}

/**
 * The turns of a request and what had to be changed.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Prepared {
  readonly turns: ReadonlyArray<Turn>
  readonly warnings: Array<Warning>
  /** Why nothing can be sent: no turn has anything in it. */
  readonly refused?: Issue | undefined
}

/**
 * What a target takes of a history, as data. A wire fills it in for itself and for the host and model that its quirks describe; what is
 * left out needs nothing done.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Rules {
  readonly wire: string
  /** Ids this wire accepts; others are rewritten. Every id is accepted when absent. */
  readonly toolCallId?: IdRule | undefined
  /** Whether reasoning is replayed; only asked for parts of this wire or of unknown origin. What is not is a warning. */
  readonly keepReasoning: (part: ReasoningPart) => boolean
  /** Reasoning that is left out without a warning, because the target wants none back. @default none */
  readonly unwantedReasoning?: ((part: ReasoningPart) => boolean) | undefined
  /** Steps of the provider's own tools that go back. @default those of this wire */
  readonly keepServerTool?: ((part: ServerToolPart) => boolean) | undefined
  /** Field by which the result of a provider's own tool names its call: each needs the other. @default they stand alone */
  readonly serverToolResult?: string | undefined
  /** Whether calls of free-form tools are spelled as such; else their input is an argument. @default false */
  readonly customCalls?: boolean | undefined
  /** Whether calls and results have a place; else they are told in words. @default true */
  readonly toolTurns?: boolean | undefined
  /** How the failure of a tool is told: a field of the wire, or words before the content. @default "field" */
  readonly resultErrors?: "field" | "words" | undefined
  /** What becomes of an image or file in a result. @default it is kept */
  readonly resultMedia?: ((part: ImagePart | FilePart, result: ToolResultPart) => MediaPlace) | undefined
  /** Whether an assistant turn can hold images, files and sound. @default true */
  readonly assistantMedia?: boolean | undefined
  /** Text that says nothing: the empty one, or white space too. @default "empty" */
  readonly nothing?: "empty" | "blank" | undefined
  /** Empty text that must stay, because something hangs on it. @default none */
  readonly keepEmpty?: ((part: TextPart) => boolean) | undefined
  /** Whether system turns stand only at the beginning; later ones are the user's then. @default false */
  readonly leadingSystem?: boolean | undefined
  /** Whether turns of one role must not follow each other; they are joined. @default false */
  readonly alternating?: boolean | undefined
  /** Whether the first turn after the system's is the user's. @default false */
  readonly userFirst?: boolean | undefined
  /** Whether the last turn is the user's or a tool's. @default false */
  readonly userLast?: boolean | undefined
  /** Whether an assistant turn stands between tool results and the user. @default false */
  readonly assistantAfterTool?: boolean | undefined
  /** Where reasoning cannot stand: at the end of a turn, or alone in one. @default it can stand anywhere */
  readonly reasoningNeeds?: "something-after" | "something-beside" | undefined
}

/**
 * Which ids of calls a wire takes.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface IdRule {
  readonly isValid: (id: string) => boolean
  /** A valid id made from any text; distinct texts may collide, `attempt` then counts up. */
  readonly rewrite: (id: string, attempt: number) => string
}

/**
 * Where an image or file of a result goes: it stays, it follows in a user turn, or it is left out with a warning.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export type MediaPlace = "keep" | "after" | "leave-out"

/**
 * One step on the way. Steps are pure but for what they find, and doing one twice is doing it once.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Step {
  readonly name: string
  /** Whether a target has need of it. */
  readonly isNeeded: (rules: Rules) => boolean
  readonly run: (turns: ReadonlyArray<Turn>, rules: Rules, findings: Findings) => ReadonlyArray<Turn>
}

/**
 * Reports something that changed with messages, once.
 *
 * @stability experimental
 * @category encoding
 * @since 0.1.0
 */
export const tell = (findings: Findings, message: string): void => {
  findings.warnings.push({ field: "messages", message })
}

/**
 * A list with each of its values changed, or the list itself when none is: most of a long history needs nothing done.
 *
 * @stability experimental
 * @category combinators
 * @since 0.1.0
 */
export const mapped = <A>(values: ReadonlyArray<A>, change: (value: A) => A): ReadonlyArray<A> => {
  let out: Array<A> | undefined
  for (let at = 0; at < values.length; at++) {
    const value = values[at]!
    const changed = change(value)
    if (out === undefined && changed !== value) out = values.slice(0, at)
    out?.push(changed)
  }
  return out ?? values
}

/**
 * Turns with the parts of some of them changed.
 *
 * @stability experimental
 * @category combinators
 * @since 0.1.0
 */
export const mappedParts = (
  turns: ReadonlyArray<Turn>,
  change: (parts: ReadonlyArray<Part>, turn: Turn) => ReadonlyArray<Part>
): ReadonlyArray<Turn> =>
  mapped(turns, (turn) => {
    const parts = change(turn.parts, turn)
    return parts === turn.parts ? turn : { role: turn.role, parts }
  })

/**
 * The text of a turn's parts, run together.
 *
 * @stability experimental
 * @category encoding
 * @since 0.1.0
 */
export const textOf = (parts: ReadonlyArray<Part>): string => {
  let out = ""
  for (const part of parts) if (part.type === "text") out += part.text
  return out
}

/**
 * What a caller is told when a history has nothing in it.
 *
 * @stability experimental
 * @category encoding
 * @since 0.1.0
 */
export const nothingToSend: Issue = {
  field: "messages",
  message: "Hold nothing to send: every text is blank. Give a message with content."
}
