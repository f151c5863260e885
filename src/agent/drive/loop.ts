/**
 * Drives a run: does what it asks for, until it ends or waits.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type { LlmResponse } from "../../LlmResponse.ts"
import { invokeAgent } from "../../observe/telemetry/agents.ts"
import * as Run from "../Run.ts"
import { ask } from "./ask.ts"
import { checkAll, runAll } from "./calls.ts"
import { Early } from "./early.ts"
import type { Outcome } from "./events.ts"
import type { Named } from "./names.ts"
import type { Options } from "./options.ts"
import { RunFailed, type Session } from "./session.ts"

type AnyOptions = Options<unknown, unknown, unknown, unknown>

/** Spent by this invocation alone: a run that goes on counts what came before, too. */
const tokensSince = ({ usage: before }: Run.State["spent"], { usage: after }: Run.State["spent"]) => {
  const since = (from: number | undefined, to: number | undefined) => to === undefined ? undefined : to - (from ?? 0)
  return {
    inputTokens: since(before.input.total, after.input.total),
    outputTokens: since(before.output.total, after.output.total)
  }
}

/**
 * Drives a run to where it rests.
 *
 * @stability experimental
 * @category running
 * @since 0.1.0
 */
export const drive = (
  session: Session,
  options: AnyOptions,
  named: Named<unknown, unknown>,
  resumed: boolean
): Effect.Effect<Outcome, RunFailed<unknown> | Run.RunRefusal, unknown> => {
  const early = options.startTools === "call" ? new Early(session, options, named) : undefined
  const run = loop(session, options, named, resumed, early)
  const { description, name, prepareStep, request } = options
  const { spent: before } = session.state
  return invokeAgent(
    {
      name,
      description,
      model: prepareStep === undefined ? request?.model : undefined,
      conversationId: request?.scope?.sessionId,
      request
    },
    () => ({
      ...session.made,
      ...tokensSince(before, session.state.spent),
      finishReason: session.state.end?.finishReason
    }),
    early === undefined ? run : Effect.ensuring(run, early.clear)
  )
}

const loop = (
  session: Session,
  options: AnyOptions,
  named: Named<unknown, unknown>,
  resumed: boolean,
  early: Early | undefined
): Effect.Effect<Outcome, RunFailed<unknown> | Run.RunRefusal, unknown> =>
  Effect.gen(function*() {
    const compactedAt = { messages: 0 }
    let response: LlmResponse | undefined
    yield* session.tell([{ _tag: "RunStart", runId: session.state.id, resumed }])
    yield* session.save
    while (true) {
      const added = session.held.take()
      const { end } = session.state
      if (added.length > 0 && (end === undefined || end.status === "done")) {
        const taken = yield* session.tryApply({ _tag: "MessagesAdded", messages: added })
        if (taken) yield* session.tell([{ _tag: "MessagesAdded", messages: added }])
      }
      if (session.state.bounds.deadline !== undefined && session.state.end === undefined) {
        yield* session.apply({ _tag: "TimeCame", at: yield* Clock.currentTimeMillis })
      }
      if (session.state.end === undefined && (yield* Deferred.isDone(session.held.stopped))) {
        yield* session.apply({ _tag: "Stopped", reason: yield* Deferred.await(session.held.stopped) })
      }
      if (response !== undefined && session.state.turn === undefined && session.state.end === undefined) {
        const stops = options.stopWhen?.({ state: session.state, response }) ?? false
        response = undefined
        const stop = Effect.isEffect(stops)
          ? yield* Effect.mapError(stops, (error) => new RunFailed({ error, state: session.state }))
          : stops
        if (stop) yield* session.apply({ _tag: "Stopped", reason: "stopWhen" })
      }
      const action = Run.next(session.state)
      switch (action._tag) {
        case "Ask":
          session.made.inferenceCalls++
          response = (yield* ask(session, options, named.handlers.tools, named.ownName, action, compactedAt, early)) ??
            response
          break
        case "Check":
          yield* checkAll(session, options, named, action.calls)
          break
        case "RunCalls":
          yield* runAll(session, options, named, action.calls, early)
          break
        case "Wait": {
          yield* session.tell(
            action.approvals.map((request) => ({ _tag: "ApprovalRequested", request }))
          )
          return yield* rest(session)
        }
        case "End":
          return yield* rest(session)
      }
    }
  })

const rest = (session: Session): Effect.Effect<Outcome> => {
  const outcome = session.outcome()
  return Effect.as(session.tell([{ _tag: "RunEnd", outcome }]), outcome)
}
