// What must hold of every call, whatever was asked and whatever came.
import * as Cause from "effect/Cause"
import * as Exit from "effect/Exit"
import { inspect } from "node:util"
import { LlmError, type LlmEvent, LlmResponse } from "../../src/index.ts"
import { keepsLaws } from "../protocol/event-laws.ts"

/** What a call came to. */
export interface Outcome {
  readonly exit: Exit.Exit<unknown, unknown>
  /** Of a stream. */
  readonly events?: ReadonlyArray<LlmEvent.LlmEvent> | undefined
}

const globals: ReadonlyArray<readonly [string, object]> = [
  ["Object", Object.prototype],
  ["Array", Array.prototype],
  ["String", String.prototype],
  ["Number", Number.prototype],
  ["Function", Function.prototype],
  ["Map", Map.prototype],
  ["Error", Error.prototype],
  ["Promise", Promise.prototype],
  ["Uint8Array", Uint8Array.prototype],
  ["LlmResponse", LlmResponse.LlmResponse.prototype],
  ["LlmError", LlmError.LlmError.prototype]
]

const namesOf = (target: object): string => Reflect.ownKeys(target).map(String).join()

const known = globals.map(([, target]) => namesOf(target))

/** Prototypes that are not what they were. */
export const changedPrototypes = (): ReadonlyArray<string> =>
  globals.flatMap(([name, target], at) => namesOf(target) === known[at] ? [] : [`${name}.prototype has changed`])

const attempt = (what: string, run: () => unknown): ReadonlyArray<string> => {
  try {
    run()
    return []
  } catch (error) {
    return [`${what} threw ${error instanceof Error ? error.message : String(error)}`]
  }
}

const short = (text: string): string => text.length > 600 ? `${text.slice(0, 600)} …` : text

/** What is wrong with an error. */
const errorFindings = (error: unknown): ReadonlyArray<string> => {
  if (!LlmError.isLlmError(error) || !(error instanceof LlmError.LlmError)) {
    return [`failed with no LlmError: ${short(inspect(error))}`]
  }
  return [
    ...attempt("String of the error", () => String(error)),
    ...attempt("JSON of the error", () => JSON.stringify(error)),
    ...attempt("inspect of the error", () => inspect(error, { depth: 6 })),
    ...attempt("the error's stack", () => error.stack),
    ...attempt("what the error says of itself", () => [error.isRetryable, error.retryAfter, error.reason.message]),
    ...attempt("JSON of the partial", () => JSON.stringify(error.partial)),
    ...attempt("message of the partial", () => JSON.stringify(error.partial?.message))
  ]
}

/** What is wrong with an answer. */
const responseFindings = (response: unknown): ReadonlyArray<string> => {
  if (!(response instanceof LlmResponse.LlmResponse)) return []
  return [
    ...attempt("JSON of the response", () => JSON.stringify(response)),
    ...attempt("message of the response", () => JSON.stringify(response.message)),
    ...attempt("inspect of the response", () => inspect(response))
  ]
}

/** What is wrong with an outcome. `lost` says that it must not be a success. */
export const findings = ({ events, exit }: Outcome, lost: boolean): ReadonlyArray<string> => {
  const out: Array<string> = []
  if (Exit.isFailure(exit)) {
    if (Cause.hasDies(exit.cause)) out.push(`a defect: ${short(Cause.pretty(exit.cause))}`)
    for (const reason of exit.cause.reasons) {
      if (Cause.isFailReason(reason)) out.push(...errorFindings(reason.error))
    }
  } else {
    if (lost) out.push("an answer without its end succeeded")
    out.push(...responseFindings(exit.value))
  }
  if (events !== undefined) {
    const last = events.at(-1)
    const response = last?._tag === "Finish" ? last.response : undefined
    out.push(
      ...attempt(
        "the event laws",
        () => keepsLaws({ events, response, failure: Exit.isFailure(exit) ? exit.cause : undefined })
      )
    )
    out.push(...responseFindings(response))
  }
  return out
}
