/**
 * What becomes of the calls of an open turn: checked, decided, started, finished, deferred, lost.
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"
import { callOf, readDecision } from "./approvals.ts"
import { callName, mapCalls, partAt, withCall } from "./calls.ts"
import type { Check, Happened } from "./happened.ts"
import { limitsOf, wasSeen } from "./loops.ts"
import { RunRefusal } from "./refusal.ts"
import * as Results from "./results.ts"
import { settle } from "./settle.ts"
import { plus, withNear } from "./spending.ts"
import type { CallResult, CallState, State } from "./state.ts"

type Applied = Result.Result<State, RunRefusal>

type Event<Tag extends Happened["_tag"]> = Happened & { readonly _tag: Tag }

const refuse = (kind: RunRefusal["kind"], message: string): Result.Result<never, RunRefusal> =>
  Result.fail(new RunRefusal({ kind, message }))

const ended = refuse("Ended", "The run is over.")

/** Whether a call waits for a check: it is new, or an approver changed its arguments. @stability experimental @category calls @since 0.1.0 */
export const isUnchecked = ({ decided, fingerprint, status }: CallState): boolean =>
  status === "requested" && (fingerprint === undefined || decided !== undefined)

const named = (state: State, name: string): Result.Result<CallState, RunRefusal> => {
  const calls = state.turn?.calls ?? []
  const call = calls.find((call) => callName(state, call) === name)
  if (call !== undefined) return Result.succeed(call)
  // Callers from outside may know a call only by the model's id.
  const byId = calls.filter((call) => partAt(state, call).id === name)
  if (byId.length === 1) return Result.succeed(byId[0]!)
  return refuse("UnknownCall", `No call of the open turn is named ${JSON.stringify(name)}.`)
}

const withoutAsking = (call: CallState): CallState => {
  const { asks: _, ...rest } = call
  return rest
}

/** @stability experimental @category applying @since 0.1.0 */
export const callsChecked = (state: State, { checks }: Event<"CallsChecked">): Applied => {
  if (state.end !== undefined) return ended
  const waiting = (state.turn?.calls ?? []).filter(isUnchecked)
  const byName = new Map(checks.map((check) => [check.call, check]))
  if (waiting.length === 0 || waiting.some((call) => !byName.has(callName(state, call)))) {
    return refuse("NotExpected", "The calls of a turn are checked together, once.")
  }
  let free = (state.bounds.maxToolCalls ?? Infinity) - state.spent.toolCalls -
    (state.turn?.calls ?? []).filter(({ status }) => status === "approved").length
  const { streak } = state.seen ?? { streak: 0 }
  const { refuse: refuseAt } = limitsOf(state.bounds)
  return Result.succeed(settle(mapCalls(state, (call) => {
    const check = isUnchecked(call) ? byName.get(callName(state, call)) : undefined
    if (check === undefined) return call
    const checked = checkedCall(call, check, partAt(state, call).invalid === true)
    if (checked.result !== undefined) return checked
    if (streak >= refuseAt && wasSeen(state, checked.loop)) {
      return { ...withoutAsking(checked), status: "failed", result: Results.repeated }
    }
    return free-- > 0
      ? checked
      : { ...withoutAsking(checked), status: "failed", result: Results.atBound("tool-calls") }
  })))
}

const checkedCall = (call: CallState, check: Check, invalid: boolean): CallState => {
  const loop = check.loop === undefined ? undefined : { loop: check.loop }
  const repairs = check.verdict !== "refuse" && check.arguments !== undefined
  if (check.verdict === "refuse" || (invalid && !repairs && call.edited === undefined)) {
    if (call.decided !== undefined) {
      // Arguments of an approver that do not fit: the decision does not count, and another one is waited for.
      const { decided: _, edited: __, ...rest } = call
      return { ...rest, asks: true, again: (call.again ?? 0) + 1 }
    }
    const message = check.verdict === "refuse" ? check.message : "The arguments are not JSON."
    return { ...call, ...loop, status: "failed", result: Results.refused(message) }
  }
  const known: CallState = {
    ...call,
    ...loop,
    fingerprint: check.fingerprint,
    ...(check.arguments === undefined ? undefined : { edited: check.arguments }),
    ...(check.why === undefined ? undefined : { why: check.why })
  }
  if (call.decided?.approved === true || check.verdict === "run") return { ...withoutAsking(known), status: "approved" }
  return check.verdict === "ask" ? { ...known, asks: true } : { ...known, status: "deferred" }
}

/** @stability experimental @category applying @since 0.1.0 */
export const decided = (state: State, { decision }: Event<"Decided">, key: string | undefined): Applied => {
  const read = readDecision(decision, key)
  if (Result.isFailure(read)) return Result.fail(read.failure)
  const given = read.success
  const found = callOf(state, given)
  if (Result.isFailure(found)) return Result.fail(found.failure)
  if (state.end !== undefined) return ended
  const call = found.success
  const { approvalId, approved, reason } = given
  const record = { approvalId, approved, ...(reason === undefined ? undefined : { reason }) }
  if (!approved) {
    return Result.succeed(settle(withCall(state, {
      ...withoutAsking(call),
      status: "denied",
      decided: record,
      result: Results.denied(reason)
    })))
  }
  return Result.succeed(
    withCall(
      state,
      given.arguments === undefined
        ? { ...withoutAsking(call), status: "approved", decided: record }
        : { ...withoutAsking(call), decided: { ...record, edited: true }, edited: given.arguments }
    )
  )
}

/** @stability experimental @category applying @since 0.1.0 */
export const callStarted = (state: State, { call: name }: Event<"CallStarted">): Applied => {
  if (state.end !== undefined) return ended
  return Result.flatMap(named(state, name), (call): Applied => {
    if (call.status !== "approved") return refuse("NotExpected", `The call is ${call.status}, not approved.`)
    const first = call.starts === undefined
    return Result.succeed(withNear(withCall(
      first ? { ...state, spent: plus(state.spent, { toolCalls: 1 }) } : state,
      { ...call, status: "running", starts: (call.starts ?? 0) + 1 }
    )))
  })
}

/** @stability experimental @category applying @since 0.1.0 */
export const callWentOn = (state: State, { call: name, nested }: Event<"CallWentOn">): Applied =>
  Result.flatMap(named(state, name), (call) =>
    call.status === "running"
      ? Result.succeed(withCall(state, { ...call, nested }))
      : refuse("NotExpected", `The call is ${call.status}, not running.`))

const withResult = (state: State, call: CallState, result: CallResult): State => {
  const { nested: _, ...rest } = withoutAsking(call)
  return settle(withCall(state, { ...rest, status: result.isError === true ? "failed" : "finished", result }))
}

/** @stability experimental @category applying @since 0.1.0 */
export const callFinished = (state: State, { call: name, result, spent }: Event<"CallFinished">): Applied =>
  Result.flatMap(named(state, name), (call) =>
    call.status === "running"
      ? Result.succeed(
        withResult(
          spent === undefined ? state : withNear({ ...state, spent: plus(state.spent, spent) }),
          call,
          result
        )
      )
      : refuse("NotExpected", `The call is ${call.status}, not running.`))

/** @stability experimental @category applying @since 0.1.0 */
export const callDeferred = (state: State, { call: name, nested }: Event<"CallDeferred">): Applied =>
  Result.flatMap(named(state, name), (call) =>
    call.status === "running"
      ? Result.succeed(
        withCall(state, { ...call, status: "deferred", ...(nested === undefined ? undefined : { nested }) })
      )
      : refuse("NotExpected", `The call is ${call.status}, not running.`))

/** @stability experimental @category applying @since 0.1.0 */
export const callLost = (state: State, { call: name }: Event<"CallLost">): Applied =>
  Result.flatMap(named(state, name), (call) =>
    call.status === "running"
      ? Result.succeed(withCall(state, { ...call, status: "unknown" }))
      : refuse("NotExpected", `The call is ${call.status}, not running.`))

/** @stability experimental @category applying @since 0.1.0 */
export const resultGiven = (state: State, { call: name, result }: Event<"ResultGiven">): Applied =>
  Result.flatMap(
    named(state, name),
    (call) =>
      call.status === "unknown" || (call.status === "deferred" && call.nested === undefined)
        ? Result.succeed(withResult(state, call, result))
        : refuse(
          call.result === undefined ? "NotExpected" : "Stale",
          `The call is ${call.status}: no result is waited for.`
        )
  )

/** @stability experimental @category applying @since 0.1.0 */
export const callRepeated = (state: State, { call: name }: Event<"CallRepeated">): Applied => {
  if (state.end !== undefined) return ended
  return Result.flatMap(named(state, name), (call) =>
    call.status === "unknown"
      ? Result.succeed(withCall(state, { ...call, status: "approved" }))
      : refuse("NotExpected", `The call is ${call.status}, not unknown.`))
}

/**
 * Whoever ran the calls is gone. What was running and may be repeated runs again; anything else is unknown. What was checked with
 * a tool that has changed since is checked, and approved, anew.
 *
 * @stability experimental
 * @category applying
 * @since 0.1.0
 */
export const resumedCalls = (state: State): State =>
  mapCalls(state, (call) => {
    const tool = state.tools.find(({ name }) => name === partAt(state, call).name)
    const same = tool !== undefined && tool.fingerprint === call.fingerprint
    switch (call.status) {
      case "running":
        return {
          ...call,
          status: same && (call.nested !== undefined || tool.idempotent === true) ? "approved" : "unknown"
        }
      case "requested":
      case "approved": {
        if (call.fingerprint === undefined || same) return call
        if (call.starts !== undefined) return { ...call, status: "unknown" }
        const { asks: _, decided: __, edited: ___, fingerprint: ____, why: _____, ...rest } = call
        return { ...rest, status: "requested", again: (call.again ?? 0) + 1 }
      }
      default:
        return call
    }
  })
