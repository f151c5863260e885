/**
 * Why something was not applied to a run.
 *
 * Public through `Run`, which re-exports everything here.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"

/**
 * Why something was not applied.
 *
 * - `Malformed`: it is not what it should be, such as a decision whose `approved` is the text "true".
 * - `NotExpected`: the run does not wait for it, such as an answer to a step that is over.
 * - `UnknownCall`: no open call has that name or approval.
 * - `Stale`: the call is settled, or its approval was for other arguments.
 * - `AlreadyDecided`: a decision on this call came before.
 * - `ToolChanged`: the tool is not the one the approval was asked for.
 * - `Foreign`: it belongs to another run.
 * - `BadSignature`: it is signed by nobody we know, or not signed although it must be.
 * - `Ended`: the run is over.
 * - `Version`: the state was written by another version of the library.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export type RefusalKind =
  | "Malformed"
  | "NotExpected"
  | "UnknownCall"
  | "Stale"
  | "AlreadyDecided"
  | "ToolChanged"
  | "Foreign"
  | "BadSignature"
  | "Ended"
  | "Version"

/**
 * Something was not applied; the state is as it was.
 *
 * @stability experimental
 * @category errors
 * @since 0.1.0
 */
export class RunRefusal extends Data.TaggedError("RunRefusal")<{
  /** What is wrong with what was applied. */
  readonly kind: RefusalKind
  /** What is wrong, in a sentence. */
  readonly message: string
}> {}
