/**
 * Who looks on at each request that a call sends: when it began, when its answer did, how it ended.
 *
 * Goes through the context of a call, as its sink of events does. Telemetry tells of the requests of every provider's service; without
 * anybody who looks on it looks up one reference per request.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type { ReasonTag } from "../LlmError.ts"
import type { Candidate } from "./emit.ts"
import type { CallNotes } from "./notes.ts"

/**
 * A request as it is sent.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface SentRequest extends Candidate, CallNotes {
  readonly label?: string | undefined
}

/**
 * How a request ended.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface RequestEnding {
  readonly status: "finished" | "failed" | "interrupted"
  readonly reason?: ReasonTag | undefined
  /** The status of HTTP, where the reason has one. */
  readonly httpStatus?: number | undefined
  /** The provider's id of the request. */
  readonly requestId?: string | undefined
}

/**
 * What is told of one request. Its functions must not throw and cannot wait.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface RequestObserver {
  /** The first chunk of a streamed answer has come. */
  readonly onBegin: () => void
  /** The first content of a streamed answer has come. */
  readonly onContent: () => void
  readonly onEnd: (ending: RequestEnding) => void
}

/**
 * Who looks on at the requests of a fiber; nobody by default.
 *
 * @stability experimental
 * @category references
 * @since 0.1.0
 */
export const RequestWatch: Context.Reference<((sent: SentRequest) => RequestObserver) | undefined> = Context.Reference<
  ((sent: SentRequest) => RequestObserver) | undefined
>("effect-llm/RequestWatch", { defaultValue: () => undefined })
