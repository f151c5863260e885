/**
 * AG-UI, the agent-user interaction protocol: answers and runs of agents as its events, for any client that speaks it.
 *
 * What the protocol has no event for is `CUSTOM` under `effect-llm.…`: attempts that failed (`attempt`, as they happen), messages that an
 * attempt which broke off makes void (`void`), progress of tools, sources and files. A run that waits for approvals or results ends with
 * the outcome `interrupt`; one that fails with `RUN_ERROR`, whose code is the reason's tag and whose words are none of a provider's.
 *
 * @example
 * ```ts
 * HttpRouter.add("POST", "/agent", AgUi.response(Agent.stream(agent, { messages }), { threadId, runId }))
 * ```
 *
 * @see https://docs.ag-ui.com
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type { HttpServerResponse } from "effect/http/HttpServerResponse"
import * as Stream from "effect/Stream"
import { type AgUiEvent, AgUiOut, type RunOptions } from "./ui/agUiEvents.ts"
import { sseHeaders, sseResponse, sseText } from "./ui/sse.ts"
import { type AnyEvent, type PublicFailure, told } from "./ui/told.ts"

export type { AgUiEvent, RunOptions } from "./ui/agUiEvents.ts"

/**
 * Options of a stream.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Options extends RunOptions {
  /** What `RUN_ERROR` says. @default a sentence for each reason */
  readonly errorText?: ((failure: PublicFailure) => string) | undefined
}

/**
 * Headers of a response with such a stream.
 *
 * @stability experimental
 * @category constants
 * @since 0.1.0
 */
export const headers: { readonly [name: string]: string } = sseHeaders

/**
 * The events of a run. The stream never fails: a failure is its last event.
 *
 * @stability experimental
 * @category encoding
 * @since 0.1.0
 */
export const events = <E, R>(
  stream: Stream.Stream<AnyEvent, E, R>,
  options: Options = {}
): Stream.Stream<AgUiEvent, never, R> =>
  Stream.suspend(() => {
    const out = new AgUiOut(options)
    return Stream.flattenIterable(Stream.map(told(stream), (one): ReadonlyArray<AgUiEvent> => {
      switch (one._tag) {
        case "Event":
          return out.event(one.event)
        case "Attempt":
          return out.attempt(one.attempt)
        case "Failed":
          return out.failed(one.failure, options.errorText?.(one.failure) ?? one.failure.message)
      }
    }))
  })

/**
 * The events as text of server-sent events.
 *
 * @stability experimental
 * @category encoding
 * @since 0.1.0
 */
export const text = <E, R>(
  stream: Stream.Stream<AnyEvent, E, R>,
  options: Options = {}
): Stream.Stream<string, never, R> => sseText(events(stream, options), undefined)

/**
 * A response with the events. `HttpServerResponse.toWeb` makes a `Response` of it for other servers.
 *
 * @stability experimental
 * @category encoding
 * @since 0.1.0
 */
export const response = <E, R>(
  stream: Stream.Stream<AnyEvent, E, R>,
  options: Options = {}
): Effect.Effect<HttpServerResponse, never, R> =>
  Effect.map(
    Effect.context<R>(),
    (context) => sseResponse(Stream.provideContext(text(stream, options), context), headers)
  )
