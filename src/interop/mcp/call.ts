/**
 * A call of a tool: sent once, repeated only where that does no harm, in as many rounds as the server asks back.
 *
 * | what happens                                   | what becomes of the call                                         |
 * | ---------------------------------------------- | ---------------------------------------------------------------- |
 * | a result, an error of the tool or the protocol  | told to the model                                                |
 * | the server was not reached                      | sent again once on a new connection, then told                    |
 * | the session was over                            | sent again once in a new one                                      |
 * | the answer was lost, or did not come in time    | repeated if the tool is idempotent; `unknown` otherwise           |
 * | the server asks for input                       | answered at once, or the call is deferred                         |
 *
 * @since 0.1.0
 */
import type { Progress, RequestOptions } from "@modelcontextprotocol/client"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Queue from "effect/Queue"
import * as Result from "effect/Result"
import { setOwn } from "../../json/own.ts"
import type { Json, JsonObject } from "../../Message.ts"
import { cap } from "../../transport/secrets/Redaction.ts"
import { type Connection, type Link, longest } from "./connection.ts"
import { type Failure, McpError } from "./errors.ts"
import { type Budget, maxRequestsOf } from "./input.ts"
import type { Elicitation, ServerOptions } from "./options.ts"
import { isObject } from "./values.ts"

/** How far a call of several rounds is. Plain JSON. @stability experimental @category models @since 0.1.0 */
export interface Round {
  readonly round: number
  /** The server's, echoed as it came and never looked into. */
  readonly requestState?: string | undefined
  /** What was answered, by the server's names for what it asked. */
  readonly responses?: { readonly [key: string]: JsonObject } | undefined
}

/** What came of a call. @stability experimental @category models @since 0.1.0 */
export type Called =
  | { readonly _tag: "Result"; readonly result: unknown }
  | { readonly _tag: "Asked"; readonly round: Round; readonly open: { readonly [key: string]: Elicitation } }
  | { readonly _tag: "Failed"; readonly error: McpError }
  | { readonly _tag: "Lost"; readonly error: McpError }

/** What a server asked for before, with its state. @stability experimental @category models @since 0.1.0 */
export interface Replies {
  readonly inputResponses?: { readonly [key: string]: JsonObject }
  readonly requestState?: string
}

/** A call to be made. @stability experimental @category models @since 0.1.0 */
export interface Call {
  /** What it is, in words. */
  readonly what: string
  /** Whether it does no harm to send it again. */
  readonly repeatable: boolean
  readonly send: (link: Link, replies: Replies, options: RequestOptions) => Promise<unknown>
  readonly from: Round
  readonly progress?: ((value: Json) => Effect.Effect<void>) | undefined
}

/** The first round. @stability experimental @category models @since 0.1.0 */
export const firstRound: Round = { round: 1 }

/** Of things asked for in one round. */
const maxAsked = 16

/** Progress that waits to be told; older is dropped. */
const maxProgress = 16

/** Code of an older server that wants a page to be visited first. */
const urlRequired = -32_042

/** A server that asks for nothing and has no result yet is asked again after this, and later each time. */
const pause = 250

/** Runs what reports progress through a queue that never fills. */
const withProgress = <A, E>(
  tell: NonNullable<Call["progress"]>,
  heard: () => void,
  run: (report: (progress: Progress) => void) => Effect.Effect<A, E>
): Effect.Effect<A, E> =>
  Effect.gen(function*() {
    const queue = yield* Queue.sliding<Json>(maxProgress)
    const told = (value: Json) => Effect.ignoreCause(tell(value))
    const telling = yield* Effect.forkChild(Effect.forever(Effect.flatMap(Queue.take(queue), told)))
    const rest = Effect.suspend(() => {
      const left: Array<Effect.Effect<void>> = []
      for (let one = Queue.takeUnsafe(queue); one?._tag === "Success"; one = Queue.takeUnsafe(queue)) {
        left.push(told(one.value))
      }
      return Effect.all(left, { discard: true })
    })
    return yield* run(({ message, progress, total }) => {
      heard()
      Queue.offerUnsafe(queue, {
        progress: Number.isFinite(progress) ? progress : 0,
        ...(typeof total === "number" && Number.isFinite(total) ? { total } : undefined),
        ...(typeof message === "string" ? { message: cap(message, 1024) } : undefined)
      })
    }).pipe(Effect.tap(rest), Effect.ensuring(Fiber.interrupt(telling)))
  })

/** Ends a call of which nothing is heard. */
const withIdle = <A, E>(
  millis: number,
  late: Effect.Effect<never, E>,
  run: (heard: () => void) => Effect.Effect<A, E>
): Effect.Effect<A, E> =>
  Effect.gen(function*() {
    const clock = yield* Clock.Clock
    let last = yield* Clock.currentTimeMillis
    const silent = Effect.gen(function*() {
      while (true) {
        const left = last + millis - (yield* Clock.currentTimeMillis)
        if (left <= 0) return yield* late
        yield* Effect.sleep(left)
      }
    })
    return yield* Effect.raceFirst(
      run(() => {
        last = clock.currentTimeMillisUnsafe()
      }),
      silent
    )
  })

const repliesOf = ({ requestState, responses }: Round): Replies => ({
  ...(responses === undefined || Object.keys(responses).length === 0 ? undefined : { inputResponses: responses }),
  ...(requestState === undefined ? undefined : { requestState })
})

const send = (connection: Connection, link: Link, call: Call, round: Round): Effect.Effect<unknown, Failure> => {
  const { bounds, server } = connection
  const late: Failure = {
    fate: "lost",
    error: new McpError({ server, kind: "Timeout", message: `${server}: ${call.what} took too long.` })
  }
  const sent = (onprogress: RequestOptions["onprogress"]) =>
    connection.request(link, (signal) =>
      call.send(link, repliesOf(round), {
        signal,
        timeout: longest,
        allowInputRequired: true,
        ...(onprogress === undefined ? undefined : { onprogress })
      }))
  return withIdle(
    bounds.idle,
    Effect.fail(late),
    (heard) => call.progress === undefined ? sent(undefined) : withProgress(call.progress, heard, sent)
  )
}

/** What an older server wants first, as what a newer one asks for. */
const pagesOf = ({ data, error }: Failure): unknown => {
  if (error.code !== urlRequired || !isObject(data) || !Array.isArray(data.elicitations)) return undefined
  return {
    resultType: "input_required",
    isPages: true,
    inputRequests: Object.fromEntries(
      (data.elicitations as ReadonlyArray<unknown>).slice(0, maxAsked).map((params, at) => [
        `url-${at + 1}`,
        { method: "elicitation/create", params: isObject(params) ? { ...params, mode: "url" } : params }
      ])
    )
  }
}

/**
 * Makes a call.
 *
 * @stability experimental
 * @category running
 * @since 0.1.0
 */
export const makeCall = (
  connection: Connection,
  options: ServerOptions,
  call: Call
): Effect.Effect<Called> => {
  const { bounds, server } = connection
  const { repeatable, what } = call
  let isSent = false
  const failed = (kind: McpError["kind"], message: string): Called => ({
    _tag: "Failed",
    error: new McpError({ server, kind, message: `${server}: ${message}` })
  })

  /** One round to its end, on as many connections as it takes. */
  const once = (round: Round): Effect.Effect<unknown, Failure> =>
    Effect.gen(function*() {
      let unsent = 0
      for (let repeated = 0;;) {
        const link = yield* Effect.mapError(connection.link, (error): Failure => ({ fate: "unsent", error }))
        isSent = true
        const sent = yield* Effect.result(send(connection, link, call, round))
        if (Result.isSuccess(sent)) return sent.success
        const { failure } = sent
        const pages = pagesOf(failure)
        if (pages !== undefined) return pages
        if (failure.fate === "expired" || !link.alive()) yield* connection.drop(link)
        switch (failure.fate) {
          case "refused":
            return yield* Effect.fail(failure)
          case "unsent":
          case "expired":
            if (unsent++ > 0) return yield* Effect.fail(failure)
            break
          case "lost":
            if (!repeatable || failure.error.kind === "Timeout" || repeated++ >= bounds.repeats) {
              return yield* Effect.fail(failure)
            }
        }
      }
    })

  const rounds = Effect.gen(function*() {
    const budget: Budget = { left: maxRequestsOf(options.sampling) }
    let { from: round } = call
    while (true) {
      const answer = yield* once(round)
      if (!isObject(answer) || answer.resultType !== "input_required") {
        return { _tag: "Result", result: answer } as Called
      }
      if (round.round >= bounds.rounds) return failed("Limit", `${what} asks back more often than it may.`)
      const { inputRequests, requestState } = answer
      const state = typeof requestState === "string" ? requestState : undefined
      const requests = isObject(inputRequests) ? inputRequests : {}
      const keys = Object.keys(requests)
      if ((state?.length ?? 0) + JSON.stringify(requests).length > bounds.roundBytes || keys.length > maxAsked) {
        return failed("Limit", `${what} asks for more at once than it may.`)
      }
      const responses: Record<string, JsonObject> = {}
      const open: Record<string, Elicitation> = {}
      for (const key of keys) {
        const one = yield* Effect.result(connection.input(requests[key], budget))
        if (Result.isFailure(one)) return { _tag: "Failed", error: one.failure } as Called
        if (one.success._tag === "Now") setOwn(responses, key, one.success.response)
        else setOwn(open, key, one.success.elicitation)
      }
      if (answer.isPages === true && Object.values(responses).some(({ action }) => action !== "accept")) {
        return failed("InputRequired", `${what} wants a page to be visited, and that was declined.`)
      }
      const next: Round = { round: round.round + 1, requestState: state, responses }
      if (Object.keys(open).length > 0) return { _tag: "Asked", round: next, open } as Called
      if (keys.length === 0) yield* Effect.sleep(pause * 2 ** Math.min(round.round - 1, 8))
      round = next
    }
  })

  return connection.during(rounds).pipe(
    Effect.timeoutOrElse({
      duration: bounds.call,
      orElse: () =>
        Effect.succeed<Called>({
          _tag: isSent ? "Lost" : "Failed",
          error: new McpError({ server, kind: "Timeout", message: `${server}: ${what} took too long.` })
        })
    }),
    Effect.catch(({ error, fate }) =>
      Effect.succeed<Called>(fate === "lost" ? { _tag: "Lost", error } : { _tag: "Failed", error })
    )
  )
}
