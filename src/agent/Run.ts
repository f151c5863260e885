/**
 * A run of a model with tools, as pure data: what it is, what to do next, and what it becomes when something has happened.
 *
 * `start` makes a state, `next` says what to do, `apply` takes what happened. Nothing here does I/O, reads a clock or throws: `Agent`,
 * a durable workflow or a handler of a web request does what `next` asks for and applies what came of it. The state is JSON with a
 * schema and a version, so that it can be stored after each step and taken up elsewhere.
 *
 * What it holds to, whatever happens in between:
 * - the history (`state.messages`) is a valid conversation at any time and only grows: an answer joins it together with the results of
 *   its calls, and messages that come in between wait for that;
 * - every call has exactly one result; nothing that has one runs again; a call that started and whose outcome was lost is `unknown`
 *   unless its tool is idempotent;
 * - an approval is bound to the run, the call, its arguments and the tool's definition, and counts once;
 * - calls of an answer that ended early (length, content filter, refusal) never run, and such an answer is not asked for again;
 * - it ends: steps are bounded always, and circles are noticed.
 *
 * @since 0.1.0
 */
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { type LlmRequest, messagesOf, validate } from "../LlmRequest.ts"
import * as Message from "../Message.ts"
import { requestOf } from "./run/approvals.ts"
import * as Calls from "./run/callEvents.ts"
import { mapCalls, openCall, outsideCall, partAt } from "./run/calls.ts"
import type { Action, Happened, Waiting } from "./run/happened.ts"
import * as Model from "./run/model.ts"
import { RunRefusal } from "./run/refusal.ts"
import * as Results from "./run/results.ts"
import { atBound, closeOpen, ended, plain, withQueued } from "./run/settle.ts"
import { nothing, reached, withNear } from "./run/spending.ts"
import { type Bounds, State, type ToolFacts, version } from "./run/state.ts"

export { approve, Decision, deny, sign } from "./run/approvals.ts"
export type {
  Action,
  Answer,
  ApprovalRequest,
  Check,
  Happened,
  OpenCall,
  OutsideCall,
  Waiting
} from "./run/happened.ts"
export { type RefusalKind, RunRefusal } from "./run/refusal.ts"
export {
  type Bound,
  Bounds,
  type CallResult,
  type CallState,
  type CallStatus,
  type Compaction,
  type End,
  type RunFailure,
  type Spent,
  State,
  type ToolFacts,
  type Turn,
  version
} from "./run/state.ts"

/**
 * What a run begins with.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export type Start = Pick<LlmRequest, "messages" | "prompt"> & {
  /** Tells runs apart; unique, or decisions of one run count for another. */
  readonly id: string
  /** Milliseconds since 1970. */
  readonly at: number
}

/**
 * What applying needs to know beside the state.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface ApplyOptions {
  /** Key that decisions have to be signed with. @default decisions need no signature */
  readonly key?: string | undefined
}

const refuse = (kind: RunRefusal["kind"], message: string): Result.Result<never, RunRefusal> =>
  Result.fail(new RunRefusal({ kind, message }))

/**
 * A run that has not begun. Refuses messages that are no conversation.
 *
 * @stability experimental
 * @category constructors
 * @since 0.1.0
 */
export const start = (
  given: Start,
  tools: ReadonlyArray<ToolFacts> = [],
  bounds: Bounds = {}
): Result.Result<State, RunRefusal> => {
  const { at, id, messages, prompt } = given
  const request = (messages === undefined ? { prompt } : { messages, ...(prompt && { prompt }) }) as LlmRequest
  const issue = validate(request)
  if (issue !== undefined) return refuse("Malformed", `${issue.field}: ${issue.message}`)
  return Result.succeed({
    version,
    id,
    revision: 0,
    startedAt: at,
    bounds,
    tools,
    messages: messagesOf(request).map(plain),
    spent: nothing,
    step: 0,
    attempts: 0
  })
}

/**
 * The messages that the model is asked with: the history, or what stands for the beginning of it and the rest.
 *
 * @stability experimental
 * @category accessors
 * @since 0.1.0
 */
export const view = ({ compaction, messages }: State): ReadonlyArray<Message.Message> => {
  if (compaction === undefined) return messages
  const { summary, upTo } = compaction
  const rest = messages.slice(upTo)
  return summary === undefined ? [...messages.slice(0, upTo).map(withoutResults), ...rest] : [...summary, ...rest]
}

const droppedResult = "[This result was left out to save room.]"

const withoutResults = (message: Message.Message): Message.Message =>
  message.role !== "tool" || typeof message.content === "string"
    ? message
    : {
      ...message,
      content: message.content.map((part) => part.type === "tool-result" ? { ...part, content: droppedResult } : part)
    }

/**
 * What a run waits for, runs below it included.
 *
 * @stability experimental
 * @category accessors
 * @since 0.1.0
 */
export const waiting = (state: State): Waiting => {
  const calls = state.end === undefined || state.turn !== undefined ? state.turn?.calls ?? [] : []
  const own = {
    approvals: calls.filter(({ asks }) => asks === true).map((call) => requestOf(state, call)),
    deferred: calls.filter(({ nested, status }) => status === "deferred" && nested === undefined)
      .map((call) => outsideCall(state, call)),
    unknown: calls.filter(({ status }) => status === "unknown").map((call) => outsideCall(state, call)),
    running: calls.filter(({ nested, status }) => status === "running" && nested === undefined)
      .map((call) => outsideCall(state, call))
  }
  return calls.reduce<Waiting>((all, { nested }) => {
    if (nested === undefined) return all
    const below = waiting(nested)
    return {
      approvals: [...all.approvals, ...below.approvals],
      deferred: [...all.deferred, ...below.deferred],
      unknown: [...all.unknown, ...below.unknown],
      running: [...all.running, ...below.running]
    }
  }, own)
}

/**
 * What to do next. Pure: the same state gives the same action.
 *
 * @stability experimental
 * @category running
 * @since 0.1.0
 */
export const next = (state: State): Action => {
  const { turn } = state
  if (state.end !== undefined) return { _tag: "End", ...state.end }
  if (turn === undefined) {
    return {
      _tag: "Ask",
      step: state.step + 1,
      attempt: state.attempts + 1,
      messages: view(state),
      withTools: state.last === undefined
    }
  }
  const unchecked = turn.calls.filter(Calls.isUnchecked)
  if (unchecked.length > 0) return { _tag: "Check", calls: unchecked.map((call) => openCall(state, call)) }
  const ready = turn.calls.filter(({ status }) => status === "approved")
  if (ready.length > 0) return { _tag: "RunCalls", calls: ready.map((call) => openCall(state, call)) }
  return { _tag: "Wait", ...waiting(state) }
}

/**
 * What a run becomes when something has happened; a refusal leaves it as it was.
 *
 * @stability experimental
 * @category running
 * @since 0.1.0
 */
export const apply = (
  state: State,
  happened: Happened,
  options: ApplyOptions = {}
): Result.Result<State, RunRefusal> =>
  Result.map(applied(state, happened, options), (after) => ({ ...after, revision: state.revision + 1 }))

const applied = (
  state: State,
  happened: Happened,
  { key }: ApplyOptions
): Result.Result<State, RunRefusal> => {
  switch (happened._tag) {
    case "ModelStarted":
      return Model.modelStarted(state, happened)
    case "ModelAnswered":
      return Model.modelAnswered(state, happened)
    case "ModelFailed":
      return Model.modelFailed(state, happened)
    case "CallsChecked":
      return Calls.callsChecked(state, happened)
    case "CallStarted":
      return Calls.callStarted(state, happened)
    case "CallWentOn":
      return Calls.callWentOn(state, happened)
    case "CallFinished":
      return Calls.callFinished(state, happened)
    case "CallDeferred":
      return Calls.callDeferred(state, happened)
    case "CallLost":
      return Calls.callLost(state, happened)
    case "Decided":
      return decided(state, happened, key)
    case "ResultGiven":
      return ofRun(state, happened.runId, (run) => Calls.resultGiven(run, happened))
    case "CallRepeated":
      return ofRun(state, happened.runId, (run) => Calls.callRepeated(run, happened))
    case "MessagesAdded":
      return messagesAdded(state, happened.messages)
    case "Compacted":
      return compacted(state, happened)
    case "TimeCame":
      return Result.succeed(timeCame(state, happened.at))
    case "Resumed":
      return Result.succeed(resumed(state, happened.tools))
    case "Stopped":
      return state.end?.status === "stopped" || state.end?.status === "done"
        ? refuse("Ended", "The run is over.")
        : Result.succeed(stopped(state, happened))
  }
}

// =============================================================================
// Runs below
// =============================================================================

/** Applies to the run of that id, which may be below a call of this one; that call then goes on. */
const ofRun = (
  state: State,
  runId: string | undefined,
  f: (run: State) => Result.Result<State, RunRefusal>
): Result.Result<State, RunRefusal> => {
  if (runId === undefined || runId === state.id) return f(state)
  for (const { at, nested } of state.turn?.calls ?? []) {
    if (nested === undefined) continue
    const below = ofRun(nested, runId, f)
    if (Result.isFailure(below) && below.failure.kind === "Foreign") continue
    return Result.map(below, (run) =>
      mapCalls(state, (call) =>
        call.at === at
          ? {
            ...call,
            status: call.status === "deferred" ? "approved" : call.status,
            nested: { ...run, revision: nested.revision + 1 }
          }
          : call))
  }
  return refuse("Foreign", "This belongs to another run.")
}

/** The run that an approval belongs to, by the approval alone. */
const runOfApproval = (state: State, approvalId: unknown): string | undefined =>
  waiting(state).approvals.find((request) => request.approvalId === approvalId)?.runId

const decided = (
  state: State,
  happened: Happened & { readonly _tag: "Decided" },
  key: string | undefined
): Result.Result<State, RunRefusal> => {
  const given = happened.decision
  const fields = typeof given === "object" && given !== null
    ? given as { readonly approvalId?: unknown; readonly runId?: unknown }
    : {}
  const runId = typeof fields.runId === "string" ? fields.runId : runOfApproval(state, fields.approvalId)
  return ofRun(state, runId, (run) => Calls.decided(run, happened, key))
}

// =============================================================================
// What comes from outside
// =============================================================================

const messagesAdded = (
  state: State,
  added: ReadonlyArray<Message.Message>
): Result.Result<State, RunRefusal> => {
  const issue = validate({ messages: [Message.user("…"), ...added] })
  if (issue !== undefined) return refuse("Malformed", `${issue.field}: ${issue.message}`)
  if (added.some(({ role }) => role === "assistant" || role === "tool")) {
    return refuse("Malformed", "Only messages of users and of the system can be put in between.")
  }
  if (added.length === 0) return Result.succeed(state)
  if (state.end !== undefined && state.turn === undefined) {
    if (reached(state.bounds, state.spent) !== undefined) return refuse("Ended", "The run is over: a bound is reached.")
  }
  const { end: _, last: __, ...rest } = state
  const seen = state.end === undefined ? state.seen : { pairs: [], streak: 0 }
  return Result.succeed(withQueued({
    ...rest,
    ...(state.end === undefined && state.last !== undefined ? { last: state.last } : undefined),
    ...(seen === undefined ? undefined : { seen }),
    queued: [...state.queued ?? [], ...added.map(plain)]
  }))
}

const compacted = (
  state: State,
  { compaction }: Happened & { readonly _tag: "Compacted" }
): Result.Result<State, RunRefusal> => {
  const { summary, upTo } = compaction
  const first = state.messages[upTo]
  if (!Number.isInteger(upTo) || upTo < 1 || upTo > state.messages.length || first?.role === "tool") {
    return refuse("Malformed", "A compaction stands for whole turns at the beginning of the history.")
  }
  const issue = validate({ messages: [...summary ?? state.messages.slice(0, upTo)] })
  return issue === undefined
    ? Result.succeed({ ...state, compaction: { ...compaction, ...(summary && { summary: summary.map(plain) }) } })
    : refuse("Malformed", `${issue.field}: ${issue.message}`)
}

const timeCame = (state: State, at: number): State => {
  const { deadline } = state.bounds
  if (state.end !== undefined || deadline === undefined) return state
  return at >= deadline ? atBound(withNear(state, at), "time") : withNear(state, at)
}

const resumed = (state: State, tools: ReadonlyArray<ToolFacts>): State => {
  const known: State = { ...state, tools: [...tools] }
  if (state.end?.status !== "failed") return Calls.resumedCalls(known)
  const { end: _, ...rest } = known
  return Calls.resumedCalls({ ...rest, attempts: 0 })
}

const stopped = (state: State, { bound, partial = [], reason }: Happened & { readonly _tag: "Stopped" }): State => {
  // Of an answer that was not completed only text can be sent again.
  const said = partial.filter((part) => part.type === "text" && part.text.trim() !== "")
  const before: State = state.turn === undefined && said.length > 0
    ? { ...state, messages: [...state.messages, plain(Message.assistant(said))] }
    : closeOpen(state, bound === undefined ? Results.stopped(reason) : Results.atBound(bound))
  return ended(before, {
    status: "stopped",
    ...(bound === undefined ? undefined : { bound }),
    ...(reason === undefined ? undefined : { reason })
  })
}

// =============================================================================
// Storing
// =============================================================================

const decodeState = Schema.decodeUnknownOption(State)

/** Whether the parts of a state say the same. */
const holds = (state: State): boolean => {
  const { compaction, messages, turn } = state
  if (messages.length === 0 || (compaction !== undefined && compaction.upTo > messages.length)) return false
  return turn === undefined ||
    (turn.calls.length > 0 &&
      turn.calls.every((call) => partAt(state, call).id !== "" && (call.nested === undefined || holds(call.nested))))
}

/**
 * Reads a stored state. One that another version wrote, or that was damaged, is refused.
 *
 * @stability experimental
 * @category storing
 * @since 0.1.0
 */
export const decode = (stored: unknown): Result.Result<State, RunRefusal> => {
  const found = typeof stored === "object" && stored !== null && "version" in stored ? stored.version : undefined
  if (typeof found === "number" && found !== version) {
    return refuse("Version", `The state has version ${found}; this library reads version ${version}.`)
  }
  const state = Option.getOrUndefined(decodeState(stored))
  return state !== undefined && holds(state)
    ? Result.succeed(state)
    : refuse("Malformed", "Not the state of a run.")
}

/**
 * The text of the last answer.
 *
 * @stability experimental
 * @category accessors
 * @since 0.1.0
 */
export const textOf = (state: State): string => {
  const last = state.messages.findLast(({ role }) => role === "assistant")
  return last === undefined ? "" : Message.textOf(last)
}
