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
 * @stability experimental
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
      /** Of the tool's name, description and schema. */
      readonly fingerprint: string
      /** Why somebody is asked, with `ask`. */
      readonly why?: string | undefined
      /** Repaired arguments. */
      readonly arguments?: Json | undefined
    }
    | {
      /** The call does not run; the model is told why. */
      readonly verdict: "refuse"
      /** Why the call is refused, in words that the model reads. */
      readonly message: string
    }
  )

/**
 * The parts of an answer that a run needs; a response is one.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Answer {
  /** What the model gave; its tool calls become calls of the run. */
  readonly parts: ReadonlyArray<Part>
  /** Why it stopped; calls of an answer that was cut never run. */
  readonly finishReason: FinishReason
  /** Tokens, for the bounds. @default none */
  readonly usage?: Usage | undefined
  /** US dollars. */
  readonly cost?: number | undefined
}

/**
 * What happened to a run. `step` is that of the action which it answers, `call` the name that the action gave the call.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export type Happened =
  /** The model is being asked. */
  | {
    readonly _tag: "ModelStarted"
    /** That of the `Ask`. */
    readonly step: number
  }
  | {
    readonly _tag: "ModelAnswered"
    /** That of the `Ask`. */
    readonly step: number
    /** What the model gave. */
    readonly answer: Answer
  }
  /** `again` says whether another attempt could help. */
  | {
    readonly _tag: "ModelFailed"
    /** That of the `Ask`. */
    readonly step: number
    /** What went wrong. */
    readonly failure: RunFailure
    /** Whether another attempt could help. */
    readonly again: boolean
    /** Tokens that the broken answer cost, for the bounds. @default none */
    readonly usage?: Usage | undefined
    /** US dollars that the broken answer cost, for the bounds. @default not known */
    readonly cost?: number | undefined
  }
  | {
    readonly _tag: "CallsChecked"
    /** One for each call of the `Check`. */
    readonly checks: ReadonlyArray<Check>
  }
  /** To be stored before the handler starts. */
  | {
    readonly _tag: "CallStarted"
    /** The call that is about to run. */
    readonly call: string
  }
  /** The run of an agent that is the tool went on. */
  | {
    readonly _tag: "CallWentOn"
    /** The call whose handler is an agent. */
    readonly call: string
    /** Where its run stands now. */
    readonly nested: State
  }
  | {
    readonly _tag: "CallFinished"
    /** The call that ran. */
    readonly call: string
    /** What the model is told. */
    readonly result: CallResult
    /** What a run below has used, for the bounds. @default nothing */
    readonly spent?: Spent | undefined
  }
  /** The result comes from outside, or the run below waits. */
  | {
    readonly _tag: "CallDeferred"
    /** The call that waits. */
    readonly call: string
    /** The run below that waits; absent when the result comes from outside. */
    readonly nested?: State | undefined
  }
  /** It was started, and nobody knows what came of it. */
  | {
    readonly _tag: "CallLost"
    /** The call of which nobody knows. */
    readonly call: string
  }
  /** Somebody decided on a call; the decision may be anything. */
  | {
    readonly _tag: "Decided"
    /** Anything: what is no {@link Decision} on a call that waits is refused. */
    readonly decision: unknown
  }
  /** The result of a call that is deferred or unknown. */
  | {
    readonly _tag: "ResultGiven"
    /** The call it is the result of. */
    readonly call: string
    /** What the model is told. */
    readonly result: CallResult
    /** The run that the call belongs to. @default this one */
    readonly runId?: string | undefined
  }
  /** The application says that a call of unknown outcome may run again. */
  | {
    readonly _tag: "CallRepeated"
    /** The call that is run once more. */
    readonly call: string
    /** The run that the call belongs to. @default this one */
    readonly runId?: string | undefined
  }
  /** Messages that were put in between; a run that is over goes on. */
  | {
    readonly _tag: "MessagesAdded"
    /** Messages of users or of the system; they wait until the open turn is settled. */
    readonly messages: ReadonlyArray<Message>
  }
  | {
    readonly _tag: "Compacted"
    /** What stands for the beginning of the history from now on. */
    readonly compaction: Compaction
  }
  /** Time has come to this, in milliseconds since 1970. */
  | {
    readonly _tag: "TimeCame"
    /** Milliseconds since 1970; at or after the deadline the run ends. */
    readonly at: number
  }
  /** Somebody took the state up again, with the tools there are now: whoever ran it before is gone. */
  | {
    readonly _tag: "Resumed"
    /** What the process that goes on knows of its tools; calls of a tool that changed are asked about again. */
    readonly tools: ReadonlyArray<ToolFacts>
  }
  /** `partial` is what the model had said by then. */
  | {
    readonly _tag: "Stopped"
    /** The application's word on why. */
    readonly reason?: string | undefined
    /** The bound, when it is why. @default none: the application stops it */
    readonly bound?: Bound | undefined
    /** What the model had said by then, kept in the history. */
    readonly partial?: ReadonlyArray<Part> | undefined
  }

// =============================================================================
// What to do
// =============================================================================

/**
 * A call, for whoever checks or runs it.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface OpenCall {
  /** Names it within the run. */
  readonly call: string
  /** The model's id of the call. */
  readonly toolCallId: string
  /** The tool as the model calls it. */
  readonly toolName: string
  /** What to run it with: the model's, or those of an approver or a repair. */
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
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface ApprovalRequest {
  /** The run that asks: this one, or one below it. */
  readonly runId: string
  /** Digest of run, call, arguments and tool. */
  readonly approvalId: string
  /** The model's id of the call. */
  readonly toolCallId: string
  /** The tool as the model calls it. */
  readonly toolName: string
  /** What it would run with. */
  readonly arguments: Json
  /** Of the tool's name, description and schema. */
  readonly fingerprint: string
  /** Why it is asked for, when the tool's `needsApproval` failed. */
  readonly why?: string | undefined
}

/**
 * A call whose result comes from outside.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface OutsideCall {
  /** The run it belongs to: this one, or one below it. */
  readonly runId: string
  /** Names it within that run. */
  readonly call: string
  /** The model's id of the call. */
  readonly toolCallId: string
  /** The tool as the model calls it. */
  readonly toolName: string
  /** What it was asked for with. */
  readonly arguments: Json
  /** The same each time this call is run, and nobody else's. */
  readonly idempotencyKey: string
}

/**
 * What a run waits for, runs below it included.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Waiting {
  /** Calls that somebody has to approve or deny. */
  readonly approvals: ReadonlyArray<ApprovalRequest>
  /** Calls whose results come from outside. */
  readonly deferred: ReadonlyArray<OutsideCall>
  /** Calls of which nobody knows whether they had an effect. */
  readonly unknown: ReadonlyArray<OutsideCall>
  /** Calls that are running somewhere. */
  readonly running: ReadonlyArray<OutsideCall>
}

/**
 * What to do next.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export type Action =
  /** Ask the model; without tools when `withTools` is `false`. */
  | {
    readonly _tag: "Ask"
    /** The step that is asked for; `ModelAnswered` and `ModelFailed` repeat it. */
    readonly step: number
    /** 1 for the first. */
    readonly attempt: number
    /** What to send: the history, or what stands for it. */
    readonly messages: ReadonlyArray<Message>
    /** `false` for the last answer at a bound. */
    readonly withTools: boolean
  }
  /** Say of each call whether it may run. */
  | {
    readonly _tag: "Check"
    /** Calls that are not checked, or whose decision has come; answer with `CallsChecked` for all of them at once. */
    readonly calls: ReadonlyArray<OpenCall>
  }
  /** Run these calls. */
  | {
    readonly _tag: "RunCalls"
    /** Calls that may start, in any order or together. */
    readonly calls: ReadonlyArray<OpenCall>
  }
  | ({ readonly _tag: "Wait" } & Waiting)
  | ({ readonly _tag: "End" } & End)
