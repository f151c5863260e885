/**
 * What the answers of the model do to a run.
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"
import type { FinishReason } from "../../LlmResponse.ts"
import * as Message from "../../Message.ts"
import type { Answer, Happened } from "./happened.ts"
import { afterPause, limitsOf } from "./loops.ts"
import { RunRefusal } from "./refusal.ts"
import * as Results from "./results.ts"
import { atBound, closeOpen, ended, plain, withQueued } from "./settle.ts"
import { defaultMaxAttempts, plus, reached, withNear } from "./spending.ts"
import type { CallState, State } from "./state.ts"

type Applied = Result.Result<State, RunRefusal>

const notExpected = (message: string): Applied => Result.fail(new RunRefusal({ kind: "NotExpected", message }))

/** Whether a run asks for that step now. */
const asking = (state: State, step: number): RunRefusal | undefined =>
  state.end !== undefined
    ? new RunRefusal({ kind: "Ended", message: "The run is over." })
    : state.turn !== undefined || step !== state.step + 1
    ? new RunRefusal({ kind: "NotExpected", message: `The run does not ask for step ${step} now.` })
    : undefined

/** Endings after which what stands in the answer is not what the model meant to say: its calls never run. */
const cutShort: ReadonlySet<FinishReason> = new Set([
  "length",
  "content-filter",
  "context-window",
  "refusal",
  "error"
])

/** Ids that some services give twice within an answer are made unique, or nobody could tell whose result is whose. */
const withUniqueIds = (parts: ReadonlyArray<Message.Part>): ReadonlyArray<Message.Part> => {
  const given = new Set(parts.map((part) => part.type === "tool-call" ? part.id : ""))
  const taken = new Set<string>()
  return parts.map((part) => {
    if (part.type !== "tool-call") return part
    let { id } = part
    for (let n = 2; taken.has(id) || (id !== part.id && given.has(id)); n++) id = `${part.id}_${n}`
    taken.add(id)
    return id === part.id ? part : { ...part, id }
  })
}

/** @stability experimental @category applying @since 0.1.0 */
export const modelStarted = (state: State, { step }: Happened & { readonly _tag: "ModelStarted" }): Applied => {
  const refusal = asking(state, step)
  return refusal === undefined ? Result.succeed({ ...state, attempts: state.attempts + 1 }) : Result.fail(refusal)
}

/** @stability experimental @category applying @since 0.1.0 */
export const modelFailed = (
  state: State,
  { again, cost, failure, step, usage }: Happened & { readonly _tag: "ModelFailed" }
): Applied => {
  const refusal = asking(state, step)
  if (refusal !== undefined) return Result.fail(refusal)
  const spent = withNear({ ...state, spent: plus(state.spent, { usage, cost }) })
  const attempts = Math.max(1, state.attempts)
  if (!again || attempts >= (state.bounds.maxAttempts ?? defaultMaxAttempts)) {
    return Result.succeed(ended(spent, { status: "failed", failure }))
  }
  const bound = reached(spent.bounds, spent.spent)
  return Result.succeed(bound === undefined ? { ...spent, attempts } : atBound(spent, bound))
}

/** @stability experimental @category applying @since 0.1.0 */
export const modelAnswered = (
  state: State,
  { answer, step }: Happened & { readonly _tag: "ModelAnswered" }
): Applied => {
  const refusal = asking(state, step)
  if (refusal !== undefined) return Result.fail(refusal)
  const { finishReason } = answer
  const parts = withUniqueIds(answer.parts.filter((part) => part.type !== "source"))
  if (parts.some((part) => part.type === "tool-result")) return notExpected("An answer of a model holds no results.")
  const after = withNear({
    ...state,
    step,
    attempts: 0,
    spent: plus(state.spent, { steps: 1, usage: answer.usage, cost: answer.cost })
  })
  const calls = parts.flatMap((part, at): ReadonlyArray<CallState> =>
    part.type === "tool-call" ? [{ at, status: "requested" }] : []
  )
  const message = plain(Message.assistant(parts))
  if (calls.length === 0) return Result.succeed(withoutCalls(after, message, answer))
  const open: State = { ...after, turn: { message, calls } }
  if (cutShort.has(finishReason)) {
    return Result.succeed(endOf(closeOpen(open, Results.cut(finishReason)), finishReason))
  }
  if (state.last !== undefined) {
    return Result.succeed(ended(closeOpen(open, Results.atBound(state.last)), { status: "stopped", bound: state.last }))
  }
  const bound = reached(open.bounds, open.spent)
  return Result.succeed(bound === undefined ? open : atBound(open, bound))
}

const endOf = (state: State, finishReason: FinishReason): State =>
  state.last === undefined
    ? ended(state, { status: "done", finishReason })
    : ended(state, { status: "stopped", bound: state.last, finishReason })

const withoutCalls = (state: State, message: Message.Message, { finishReason, parts }: Answer): State => {
  const said: State = parts.length === 0 ? state : { ...state, messages: [...state.messages, message] }
  const goesOn = finishReason === "pause" || (said.queued !== undefined && !cutShort.has(finishReason))
  if (!goesOn || state.last !== undefined) return endOf(said, finishReason)
  const paused: State = finishReason === "pause" ? { ...said, seen: afterPause(said, message.content) } : said
  if ((paused.seen?.streak ?? 0) >= limitsOf(paused.bounds).stop) return atBound(paused, "loop")
  const bound = reached(paused.bounds, paused.spent)
  return bound === undefined ? withQueued(paused) : atBound(paused, bound)
}
