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
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Outcome {
  /** `done` when the model answered, `stopped` at a bound or by the application, `waiting` for decisions or results. */
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
  /** What the run has used, over resumptions and the runs below it. */
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
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export type AgentEvent =
  | LlmEvent
  | {
    readonly _tag: "RunStart"
    /** Of `State.id`. */
    readonly runId: string
    /** Whether it goes on from a state; `false` for a new run. */
    readonly resumed: boolean
  }
  | {
    readonly _tag: "StepStart"
    /** Number of the step, from 1, counted over resumptions. */
    readonly step: number
  }
  /** An answer broke off (`reason` is the tag of the error's), or a process did (`Resumed`), and the model is asked again: drop what came of it. */
  | {
    readonly _tag: "AttemptStart"
    /** The step that is asked for again. */
    readonly step: number
    /** Attempts at this step, this one included: 2 for the first that is made again. */
    readonly attempt: number
    /** Tag of the reason that ended the attempt before, or `Resumed`. */
    readonly reason: string
  }
  | {
    readonly _tag: "StepEnd"
    /** The step that is over. */
    readonly step: number
    /** Why the model stopped. */
    readonly finishReason: FinishReason
    /** Tokens of this step's answer. */
    readonly usage: Usage
    /** US dollars of this step's answer, when the price is known. */
    readonly cost?: number | undefined
    /** Of the run so far. */
    readonly spent: Spent
  }
  | {
    readonly _tag: "ApprovalRequested"
    /** What is to be decided, to be shown to whoever decides. */
    readonly request: ApprovalRequest
  }
  | (OfCall & {
    readonly _tag: "ToolStart"
    /** What the handler gets, before it is decoded; an approver or a repair may have changed it. */
    readonly arguments: Json
  })
  | (OfCall & {
    readonly _tag: "ToolProgress"
    /** What the handler told, whatever it is. */
    readonly value: Json
  })
  | (OfCall & {
    readonly _tag: "ToolResult"
    /** What the model is told. */
    readonly result: CallResult
  })
  | (OfCall & { readonly _tag: "ToolDeferred" })
  /** What happens in the run of an agent that is called as a tool; of one below that, again one of these. */
  | (OfCall & {
    readonly _tag: "ChildEvent"
    /** What happened there. */
    readonly event: AgentEvent
  })
  /** It started, and nobody knows what came of it. */
  | (OfCall & { readonly _tag: "ToolLost" })
  | {
    readonly _tag: "MessagesAdded"
    /** What was put in, as it stands in the history now. */
    readonly messages: ReadonlyArray<Message>
  }
  | {
    readonly _tag: "Compacted"
    /** What stands for the beginning of the history from now on. */
    readonly compaction: Compaction
  }
  /** Four fifths of a bound are used. */
  | {
    readonly _tag: "BoundNear"
    /** The bound that is near; told once per run. */
    readonly bound: Bound
  }
  | {
    readonly _tag: "RunEnd"
    /** How it came to rest. */
    readonly outcome: Outcome
  }
