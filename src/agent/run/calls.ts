/**
 * The calls of the open turn: their names, their parts, what they run with.
 *
 * @since 0.1.0
 */
import type { Json, Part, ToolCallPart } from "../../Message.ts"
import type { OpenCall, OutsideCall } from "./happened.ts"
import type { CallState, State } from "./state.ts"

/** Names a call within its run. @stability experimental @category calls @since 0.1.0 */
export const callName = ({ step }: State, { at }: CallState): string => `${step}.${at}`

const lost: ToolCallPart = { type: "tool-call", id: "", name: "", arguments: {}, invalid: true }

/** The model's call. @stability experimental @category calls @since 0.1.0 */
export const partAt = ({ turn }: State, { at }: CallState): ToolCallPart => {
  const content = turn?.message.content
  const part: Part | undefined = content === undefined || typeof content === "string" ? undefined : content[at]
  return part?.type === "tool-call" ? part : lost
}

/** What a call runs with. @stability experimental @category calls @since 0.1.0 */
export const argumentsOf = (state: State, call: CallState): Json =>
  call.edited === undefined ? partAt(state, call).arguments : call.edited

/** A call with what is needed to run it. @stability experimental @category calls @since 0.1.0 */
export const openCall = (state: State, call: CallState): OpenCall => {
  const part = partAt(state, call)
  const name = callName(state, call)
  return {
    call: name,
    toolCallId: part.id,
    toolName: part.name,
    arguments: argumentsOf(state, call),
    ...(part.invalid === true && call.edited === undefined ? { invalid: true } : undefined),
    ...(call.decided?.edited === true ? { decided: true } : undefined),
    idempotencyKey: `${state.id}:${name}`,
    ...(call.nested === undefined ? undefined : { nested: call.nested })
  }
}

/** A call whose result comes from outside. @stability experimental @category calls @since 0.1.0 */
export const outsideCall = (state: State, call: CallState): OutsideCall => {
  const { arguments: args, call: name, idempotencyKey, toolCallId, toolName } = openCall(state, call)
  return { runId: state.id, call: name, toolCallId, toolName, arguments: args, idempotencyKey }
}

/** The state with some calls of its turn changed. @stability experimental @category calls @since 0.1.0 */
export const mapCalls = (state: State, f: (call: CallState) => CallState): State =>
  state.turn === undefined ? state : { ...state, turn: { ...state.turn, calls: state.turn.calls.map(f) } }

/** The state with one call of its turn changed. @stability experimental @category calls @since 0.1.0 */
export const withCall = (state: State, changed: CallState): State =>
  mapCalls(state, (call) => call.at === changed.at ? changed : call)
