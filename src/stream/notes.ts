/**
 * What those around a request know of it and its span should say: which attempt it is, of which candidate, and how long it was held back.
 *
 * Goes through the context of the call, from the outside in. Nothing is put there for a first attempt that did not wait and of which
 * no policy had to choose the service.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"

/**
 * Notes on one request.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface CallNotes {
  /** 1 for the first request of a call. */
  readonly attempt: number
  /** The label of the candidate that a policy chose, or its provider and model. */
  readonly candidate?: string | undefined
  /** How long policies such as `Concurrency` and `RateLimit` held the call back. */
  readonly queuedMillis: number
}

const none: CallNotes = { attempt: 1, queuedMillis: 0 }

/**
 * The notes on the requests of a fiber.
 *
 * @stability experimental
 * @category references
 * @since 0.1.0
 */
export const CallNotes: Context.Reference<CallNotes> = Context.Reference<CallNotes>("effect-llm/CallNotes", {
  defaultValue: () => none
})
