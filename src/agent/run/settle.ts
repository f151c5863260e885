/**
 * How an open turn becomes part of the history, and how a run ends.
 *
 * An answer joins the history together with the results of all its calls, so that the history is a valid conversation at any time and
 * only grows.
 *
 * @since 0.1.0
 */
import * as Message from "../../Message.ts"
import { argumentsOf, mapCalls, partAt } from "./calls.ts"
import { afterStep, limitsOf } from "./loops.ts"
import * as Results from "./results.ts"
import { reached, withNear } from "./spending.ts"
import type { Bound, CallResult, CallState, End, State } from "./state.ts"

/** Messages that came in between join the history where nothing is open. @stability experimental @category settling @since 0.1.0 */
export const withQueued = (state: State): State => {
  const { queued, ...rest } = state
  return queued === undefined || state.turn !== undefined
    ? state
    : { ...rest, messages: [...state.messages, ...queued] }
}

/** @stability experimental @category settling @since 0.1.0 */
export const ended = (state: State, end: End): State => withQueued({ ...state, end, attempts: 0 })

/** Whether a call has not begun, so that a result can be given in place of it. */
const isOpen = ({ status }: CallState): boolean =>
  status === "requested" || status === "approved" || status === "deferred"

const closed = (call: CallState, result: CallResult): CallState => {
  const { asks: _, nested: __, ...rest } = call
  return { ...rest, status: call.status === "requested" ? "denied" : "failed", result }
}

/** All calls that have not begun get a result; those that run or are unknown stay. @stability experimental @category settling @since 0.1.0 */
export const closeOpen = (state: State, result: CallResult): State =>
  settle(mapCalls(state, (call) => isOpen(call) ? closed(call, result) : call), false)

/** The run may go no further: it ends, or one last answer without tools is asked for. @stability experimental @category settling @since 0.1.0 */
export const atBound = (state: State, bound: Bound): State => {
  const before = closeOpen(state, Results.atBound(bound))
  return bound === "time" || state.bounds.lastTurn !== true || state.last !== undefined || before.turn !== undefined
    ? ended(before, { status: "stopped", bound })
    : { ...withQueued(before), last: bound }
}

/**
 * Makes the turn part of the history, if all its calls have results. `checkBounds` is `false` where the run ends anyway.
 *
 * @stability experimental
 * @category settling
 * @since 0.1.0
 */
export const settle = (state: State, checkBounds = true): State => {
  const { turn, ...rest } = state
  if (turn === undefined || turn.calls.some(({ result }) => result === undefined)) return state
  const outcomes = turn.calls.map((call) => ({
    call,
    result: call.result!,
    refused: call.result === Results.repeated || call.result?.content === Results.repeated.content
  }))
  const seen = afterStep(state, outcomes)
  const limits = limitsOf(state.bounds)
  const results = outcomes.map(({ call, refused, result }): Message.ToolResultPart => {
    const { id, name } = partAt(state, call)
    const warn = seen.streak >= limits.warn && !refused && typeof call.loop === "string"
    const shown = call.decided?.edited === true && call.status !== "denied"
      ? Results.edited(result, argumentsOf(state, call))
      : result
    return { type: "tool-result", toolCallId: id, name, ...(warn ? Results.warned(shown) : shown) }
  })
  const settled: State = {
    ...rest,
    messages: [...state.messages, plain(turn.message), plain(Message.tool(results))],
    seen
  }
  if (!checkBounds || state.end !== undefined) return withQueued(settled)
  if (seen.streak >= limits.stop) return atBound(settled, "loop")
  const bound = reached(settled.bounds, settled.spent)
  return withNear(bound === undefined ? withQueued(settled) : atBound(settled, bound))
}

/** Without what the constructors hide in a message: the state is plain data. @stability experimental @category settling @since 0.1.0 */
export const plain = (message: Message.Message): Message.Message => ({ ...message })
