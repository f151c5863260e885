/**
 * What can happen to a run, and what it asks for.
 *
 * Public through `Run`, which re-exports everything here.
 *
 * @since 0.1.0
 */
import type { FinishReason, Usage } from "../../LlmResponse.ts"
import type { Json, Message, Part } from "../../Message.ts"
import type { Bound, CallResult, Compaction, End, RunFailure, Spent, State, ToolFacts } from "./state.ts"

/**
 * What a check says of a call.
 *
 * @category models
 * @since 0.1.0
 */
export type Check =
  & {
    /** Name of the call, as `Check` of {@link Action} gave it. */
    readonly call: string
    /** What tells it from other calls; `false` for a call that is never a loop. */
    readonly loop?: string | false | undefined
  }
  & (
    | {
      /** `external` when its result comes from outside; `ask` when somebody has to approve it. */
      readonly verdict: "run" | "ask" | "external"
      readonly fingerprint: string
      readonly why?: string | undefined
      /** Repaired arguments. */
      readonly arguments?: Json | undefined
    }
    | { readonly verdict: "refuse"; readonly message: string }
  )

/**
 * The parts of an answer that a run needs; a response is one.
 *
 * @category models
 * @since 0.1.0
 */
export interface Answer {
  readonly parts: ReadonlyArray<Part>
  readonly finishReason: FinishReason
  readonly usage?: Usage | undefined
  /** US dollars. */
  readonly cost?: number | undefined
}

/**
 * What happened to a run. `step` is that of the action which it answers, `call` the name that the action gave the call.
 *
 * @category models
 * @since 0.1.0
 */
export type Happened =
  /** The model is being asked. */
  | { readonly _tag: "ModelStarted"; readonly step: number }
  | { readonly _tag: "ModelAnswered"; readonly step: number; readonly answer: Answer }
  /** `again` says whether another attempt could help. */
  | {
    readonly _tag: "ModelFailed"
    readonly step: number
    readonly failure: RunFailure
    readonly again: boolean
    readonly usage?: Usage | undefined
    readonly cost?: number | undefined
  }
  | { readonly _tag: "CallsChecked"; readonly checks: ReadonlyArray<Check> }
  /** To be stored before the handler starts. */
  | { readonly _tag: "CallStarted"; readonly call: string }
  /** The run of an agent that is the tool went on. */
  | { readonly _tag: "CallWentOn"; readonly call: string; readonly nested: State }
  | {
    readonly _tag: "CallFinished"
    readonly call: string
    readonly result: CallResult
    readonly spent?: Spent | undefined
  }
  /** The result comes from outside, or the run below waits. */
  | { readonly _tag: "CallDeferred"; readonly call: string; readonly nested?: State | undefined }
  /** It was started, and nobody knows what came of it. */
  | { readonly _tag: "CallLost"; readonly call: string }
  /** Somebody decided on a call; the decision may be anything. */
  | { readonly _tag: "Decided"; readonly decision: unknown }
  /** The result of a call that is deferred or unknown. */
  | {
    readonly _tag: "ResultGiven"
    readonly call: string
    readonly result: CallResult
    readonly runId?: string | undefined
  }
  /** The application says that a call of unknown outcome may run again. */
  | { readonly _tag: "CallRepeated"; readonly call: string; readonly runId?: string | undefined }
  /** Messages that were put in between; a run that is over goes on. */
  | { readonly _tag: "MessagesAdded"; readonly messages: ReadonlyArray<Message> }
  | { readonly _tag: "Compacted"; readonly compaction: Compaction }
  /** Time has come to this, in milliseconds since 1970. */
  | { readonly _tag: "TimeCame"; readonly at: number }
  /** Somebody took the state up again, with the tools there are now: whoever ran it before is gone. */
  | { readonly _tag: "Resumed"; readonly tools: ReadonlyArray<ToolFacts> }
  /** `partial` is what the model had said by then. */
  | {
    readonly _tag: "Stopped"
    readonly reason?: string | undefined
    readonly bound?: Bound | undefined
    readonly partial?: ReadonlyArray<Part> | undefined
  }

// =============================================================================
// What to do
// =============================================================================

/**
 * A call, for whoever checks or runs it.
 *
 * @category models
 * @since 0.1.0
 */
export interface OpenCall {
  /** Names it within the run. */
  readonly call: string
  readonly toolCallId: string
  readonly toolName: string
  readonly arguments: Json
  /** The model's arguments are no JSON: never run it. */
  readonly invalid?: true | undefined
  /** The arguments are an approver's: they are to be decoded again. */
  readonly decided?: true | undefined
  /** The same each time the call is run, and nobody else's. */
  readonly idempotencyKey: string
  /** The run of an agent that is the tool, to be gone on with. */
  readonly nested?: State | undefined
}

/**
 * A call that somebody has to decide on. {@link ApprovalRequest.approvalId} stands for all the rest of it.
 *
 * @category models
 * @since 0.1.0
 */
export interface ApprovalRequest {
  readonly runId: string
  /** Digest of run, call, arguments and tool. */
  readonly approvalId: string
  readonly toolCallId: string
  readonly toolName: string
  readonly arguments: Json
  /** Of the tool's name, description and schema. */
  readonly fingerprint: string
  readonly why?: string | undefined
}

/**
 * A call whose result comes from outside.
 *
 * @category models
 * @since 0.1.0
 */
export interface OutsideCall {
  readonly runId: string
  readonly call: string
  readonly toolCallId: string
  readonly toolName: string
  readonly arguments: Json
  readonly idempotencyKey: string
}

/**
 * What a run waits for, runs below it included.
 *
 * @category models
 * @since 0.1.0
 */
export interface Waiting {
  readonly approvals: ReadonlyArray<ApprovalRequest>
  readonly deferred: ReadonlyArray<OutsideCall>
  /** Calls of which nobody knows whether they had an effect. */
  readonly unknown: ReadonlyArray<OutsideCall>
  /** Calls that are running somewhere. */
  readonly running: ReadonlyArray<OutsideCall>
}

/**
 * What to do next.
 *
 * @category models
 * @since 0.1.0
 */
export type Action =
  /** Ask the model; without tools when `withTools` is `false`. */
  | {
    readonly _tag: "Ask"
    readonly step: number
    /** 1 for the first. */
    readonly attempt: number
    readonly messages: ReadonlyArray<Message>
    readonly withTools: boolean
  }
  /** Say of each call whether it may run. */
  | { readonly _tag: "Check"; readonly calls: ReadonlyArray<OpenCall> }
  /** Run these calls. */
  | { readonly _tag: "RunCalls"; readonly calls: ReadonlyArray<OpenCall> }
  | ({ readonly _tag: "Wait" } & Waiting)
  | ({ readonly _tag: "End" } & End)
