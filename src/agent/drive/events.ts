/**
 * What a run tells whoever reads it.
 *
 * Public through `Agent`, which re-exports everything here.
 *
 * @since 0.1.0
 */
import type { LlmEvent } from "../../LlmEvent.ts"
import type { FinishReason, Usage } from "../../LlmResponse.ts"
import type { Json, Message } from "../../Message.ts"
import type { ApprovalRequest, Waiting } from "../run/happened.ts"
import type { Bound, CallResult, Compaction, Spent, State } from "../run/state.ts"

/**
 * How a run came to rest: it is done, was stopped, or waits for decisions or results from outside.
 *
 * @category models
 * @since 0.1.0
 */
export interface Outcome {
  readonly status: "done" | "stopped" | "waiting"
  /** To go on from: with decisions, results, or messages. */
  readonly state: State
  /** Text of the last answer. */
  readonly text: string
  /** How the last answer ended. */
  readonly finishReason?: FinishReason | undefined
  /** The bound it was stopped at. */
  readonly bound?: Bound | undefined
  /** Why it was stopped. */
  readonly reason?: string | undefined
  /** What it waits for; empty unless it waits, or a stopped run has calls of unknown outcome. */
  readonly waiting: Waiting
  readonly spent: Spent
}

interface OfCall {
  readonly toolCallId: string
  readonly toolName: string
}

/**
 * Events of a run. Those of the model come as they are, between `StepStart` and `StepEnd`; after `AttemptStart` whatever came since
 * `StepStart` is void.
 *
 * @category models
 * @since 0.1.0
 */
export type AgentEvent =
  | LlmEvent
  | { readonly _tag: "RunStart"; readonly runId: string; readonly resumed: boolean }
  | { readonly _tag: "StepStart"; readonly step: number }
  /** An answer broke off (`reason` is the tag of the error's), or a process did (`Resumed`), and the model is asked again: drop what came of it. */
  | { readonly _tag: "AttemptStart"; readonly step: number; readonly attempt: number; readonly reason: string }
  | {
    readonly _tag: "StepEnd"
    readonly step: number
    readonly finishReason: FinishReason
    readonly usage: Usage
    readonly cost?: number | undefined
    /** Of the run so far. */
    readonly spent: Spent
  }
  | { readonly _tag: "ApprovalRequested"; readonly request: ApprovalRequest }
  | (OfCall & { readonly _tag: "ToolStart"; readonly arguments: Json })
  | (OfCall & { readonly _tag: "ToolProgress"; readonly value: Json })
  | (OfCall & { readonly _tag: "ToolResult"; readonly result: CallResult })
  | (OfCall & { readonly _tag: "ToolDeferred" })
  /** What happens in the run of an agent that is called as a tool; of one below that, again one of these. */
  | (OfCall & { readonly _tag: "ChildEvent"; readonly event: AgentEvent })
  /** It started, and nobody knows what came of it. */
  | (OfCall & { readonly _tag: "ToolLost" })
  | { readonly _tag: "MessagesAdded"; readonly messages: ReadonlyArray<Message> }
  | { readonly _tag: "Compacted"; readonly compaction: Compaction }
  /** Four fifths of a bound are used. */
  | { readonly _tag: "BoundNear"; readonly bound: Bound }
  | { readonly _tag: "RunEnd"; readonly outcome: Outcome }
