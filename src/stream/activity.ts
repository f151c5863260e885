/**
 * The line from whoever reads the network up to the time limits around a call.
 *
 * A limit sees events only; what happens below them, such as a ping or the end of an attempt, is told through
 * `Activity`. Each boundary with limits puts its own in the context and passes every word on to the next one out.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type { LlmResponse } from "../LlmResponse.ts"

/**
 * What a boundary with time limits wants to know.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Activity {
  /** The client goes for a connection and will say when the request is {@link written}: the limit on connecting begins, or begins anew. */
  readonly connecting: () => void
  /** The network took a piece of the request: the limit on connecting begins anew. */
  readonly writing: () => void
  /** The connection stands and the request is written: the limit on connecting is over. */
  readonly written: () => void
  /** The response has begun: the limit on connecting is over, the one on the first byte begins. */
  readonly connected: () => void
  /**
   * A sign of life: bytes came, a ping included. Starts or restarts the idle limit. `at` is the monotonic time in milliseconds,
   * where a boundary further in has read the clock already.
   */
  readonly touch: (at?: number) => void
  /** Nothing is expected for now, as between two attempts: the idle limit rests until the next `touch`. */
  readonly rest: () => void
  /** Where a limit that passes finds the output received so far. The last caller wins. */
  readonly partialFrom: (read: () => LlmResponse | undefined) => void
}

const ignore = () => {}

/**
 * The nearest boundary; without one, every word is ignored.
 *
 * @stability experimental
 * @category references
 * @since 0.1.0
 */
export const Activity: Context.Reference<Activity> = Context.Reference<Activity>("effect-llm/Activity", {
  defaultValue: () => ({
    connecting: ignore,
    writing: ignore,
    written: ignore,
    connected: ignore,
    touch: ignore,
    rest: ignore,
    partialFrom: ignore
  })
})
