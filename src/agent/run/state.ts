/**
 * What a run is made of: its state, what can happen to it and what it asks for, as plain JSON.
 *
 * Public through `Run`, which re-exports everything here.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import {
  type FinishReason,
  FinishReason as FinishReasonSchema,
  type Usage,
  Usage as UsageSchema
} from "../../LlmResponse.ts"
import { type Json, Message, ToolResultPart } from "../../Message.ts"

/**
 * Version of the state that this library writes.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export const version = 1

/**
 * Where a call stands.
 *
 * `requested` until it is checked and, if need be, decided; `approved` when it may run; `running` from before its handler starts;
 * `finished` or `failed` with a result; `denied` when it must not run; `deferred` when its result comes from outside; `unknown` when
 * it had started and its outcome was lost.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export type CallStatus =
  | "requested"
  | "approved"
  | "denied"
  | "running"
  | "finished"
  | "failed"
  | "deferred"
  | "unknown"

/**
 * What a tool gave, as the model reads it.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface CallResult {
  /** What the model sees: a text, or parts. */
  readonly content: ToolResultPart["content"]
  /** The tool failed, and the content tells the model why. @default false */
  readonly isError?: boolean | undefined
}

/**
 * A call of the open turn.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface CallState {
  /** Which part of the turn's message it is. */
  readonly at: number
  /** Where it stands. */
  readonly status: CallStatus
  /** Waits for a decision. */
  readonly asks?: boolean | undefined
  /** Times an earlier decision, or the wait for one, was given up: its approval is another one then. */
  readonly again?: number | undefined
  /** Why a decision is asked for. */
  readonly why?: string | undefined
  /** Of the tool as it was when the call was checked. */
  readonly fingerprint?: string | undefined
  /** Arguments that take the place of the model's, of an approver or a repair. */
  readonly edited?: Json | undefined
  /** The decision, which counts once. `edited` when it changed the arguments. */
  readonly decided?: {
    /** Of the request that was decided on; it counts no second time. */
    readonly approvalId: string
    /** Whether it may run. */
    readonly approved: boolean
    /** Why, as whoever decided gave it. */
    readonly reason?: string | undefined
    /** Whether the arguments were changed with it. */
    readonly edited?: true | undefined
  } | undefined
  /** What tells it from other calls; `false` for a call that is never a loop. */
  readonly loop?: string | false | undefined
  /** Times its handler was started. */
  readonly starts?: number | undefined
  /** The run of an agent that is the tool. */
  readonly nested?: State | undefined
  /** What the model is told, once it is known. */
  readonly result?: CallResult | undefined
}

/**
 * An answer of the model whose calls are not settled; its message joins the history together with their results.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Turn {
  /** The answer of the model, calls included. */
  readonly message: Message
  /** Where each of its calls stands, in its order. */
  readonly calls: ReadonlyArray<CallState>
}

/**
 * What a run has used, over attempts, resumptions and the runs below it.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Spent {
  /** Answers of the model. */
  readonly steps: number
  /** Calls whose handlers were started. */
  readonly toolCalls: number
  /** Tokens of all answers together. */
  readonly usage: Usage
  /** US dollars, of what has a known price. */
  readonly cost?: number | undefined
}

/**
 * How far a run may go. Every bound counts over attempts, resumptions and the runs below it.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Bounds {
  /** Answers of the model. @default 20 */
  readonly maxSteps?: number | undefined
  /** Calls of tools that are run. @default no limit */
  readonly maxToolCalls?: number | undefined
  /** Input and output tokens. @default no limit */
  readonly maxTokens?: number | undefined
  /** US dollars. @default no limit */
  readonly maxCost?: number | undefined
  /** When the run ends at the latest, in milliseconds since 1970. @default never */
  readonly deadline?: number | undefined
  /** How often one step is asked for before the run fails. @default 3 */
  readonly maxAttempts?: number | undefined
  /** At a bound other than the deadline, one last answer is asked for, without tools. @default false */
  readonly lastTurn?: boolean | undefined
  /** From how many steps without anything new the model is warned, its calls are refused, the run is stopped. @default 2, 3 and 5 */
  readonly loop?:
    | {
      /** Steps without anything new until the model is warned. */
      readonly warn: number
      /** Steps without anything new until its repeated calls are refused. */
      readonly refuse: number
      /** Steps without anything new until the run is stopped. */
      readonly stop: number
    }
    | false
    | undefined
}

/**
 * Bounds by name.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export type Bound = "steps" | "tool-calls" | "tokens" | "cost" | "time" | "loop"

/**
 * What is known of a tool without its code.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface ToolFacts {
  /** As the model calls it. */
  readonly name: string
  /** Of name, description and schema: another one is another tool. */
  readonly fingerprint: string
  /** May run again when the outcome of a call was lost. @default false */
  readonly idempotent?: boolean | undefined
}

/**
 * Why a step or a run failed, without its cause.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface RunFailure {
  /** Tag of the error or of its reason. */
  readonly tag: string
  /** What happened, in a sentence. */
  readonly message: string
}

/**
 * Why a run is over.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface End {
  /** `done` when the model answered, `stopped` at a bound or by the application, `failed` with `failure`. */
  readonly status: "done" | "stopped" | "failed"
  /** How the last answer ended, when `done`. */
  readonly finishReason?: FinishReason | undefined
  /** The bound it was stopped at. */
  readonly bound?: Bound | undefined
  /** The application's word on why it stopped. */
  readonly reason?: string | undefined
  /** What it failed with, when `failed`. */
  readonly failure?: RunFailure | undefined
}

/**
 * What stands for the beginning of the history when the model is asked.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Compaction {
  /** How many messages of the history it stands for. */
  readonly upTo: number
  /** What is sent in their place; absent when they are sent without the contents of their tool results. */
  readonly summary?: ReadonlyArray<Message> | undefined
}

/**
 * A run. Plain JSON: store it, send it, resume it elsewhere.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface State {
  /** Of the form of the state; `Run.decode` refuses any other. */
  readonly version: typeof version
  /** Tells runs apart; unique. */
  readonly id: string
  /** Counts what was applied: of two writers the one with the older number has missed something. */
  readonly revision: number
  /** Milliseconds since 1970. */
  readonly startedAt: number
  /** How far it may go, counted over attempts, resumptions and the runs below it. */
  readonly bounds: Bounds
  /** The tools as they were when it was last taken up. */
  readonly tools: ReadonlyArray<ToolFacts>
  /** Only grows, and is a valid conversation at any time: an answer joins it together with the results of its calls. */
  readonly messages: ReadonlyArray<Message>
  /** The answer whose calls are not settled; absent when the model is to be asked, or the run is over. */
  readonly turn?: Turn | undefined
  /** Messages that wait until the open turn is settled. */
  readonly queued?: ReadonlyArray<Message> | undefined
  /** What stands for the beginning of `messages` when the model is asked. */
  readonly compaction?: Compaction | undefined
  /** What it has used. */
  readonly spent: Spent
  /** Answers of the model so far, without those of runs below. */
  readonly step: number
  /** Attempts at the step that is being asked for. */
  readonly attempts: number
  /** The bound that was reached, when a last answer without tools is asked for. */
  readonly last?: Bound | undefined
  /** Bounds of which four fifths are used. */
  readonly near?: ReadonlyArray<Bound> | undefined
  /** Calls with their results, of late, and for how many steps nothing new has come. */
  readonly seen?: {
    /** Digests of calls with their results, the latest last. */
    readonly pairs: ReadonlyArray<string>
    /** Steps in a row without a new pair. */
    readonly streak: number
  } | undefined
  /** Why it is over; absent while it goes on or waits. */
  readonly end?: End | undefined
}

const optional = Schema.optional
const text = Schema.String
const finite = Schema.Finite

const CallResultSchema: Schema.Codec<CallResult> = Schema.Struct({
  content: ToolResultPart.pipe((part) =>
    (part as unknown as { readonly fields: { readonly content: Schema.Codec<CallResult["content"]> } }).fields.content
  ),
  isError: optional(Schema.Boolean)
})

const BoundSchema: Schema.Codec<Bound> = Schema.Literals(["steps", "tool-calls", "tokens", "cost", "time", "loop"])

const nestedState: Schema.Codec<State> = Schema.suspend(() => State)

const CallStateSchema: Schema.Codec<CallState> = Schema.Struct({
  at: Schema.Int,
  status: Schema.Literals([
    "requested",
    "approved",
    "denied",
    "running",
    "finished",
    "failed",
    "deferred",
    "unknown"
  ]),
  asks: optional(Schema.Boolean),
  again: optional(Schema.Int),
  why: optional(text),
  fingerprint: optional(text),
  edited: optional(Schema.Json),
  decided: optional(Schema.Struct({
    approvalId: text,
    approved: Schema.Boolean,
    reason: optional(text),
    edited: optional(Schema.Literal(true))
  })),
  loop: optional(Schema.Union([text, Schema.Literal(false)])),
  starts: optional(Schema.Int),
  nested: optional(nestedState),
  result: optional(CallResultSchema)
})

/**
 * Schema of {@link Bounds}.
 *
 * @stability experimental
 * @category schemas
 * @since 0.1.0
 */
export const Bounds: Schema.Codec<Bounds> = Schema.Struct({
  maxSteps: optional(finite),
  maxToolCalls: optional(finite),
  maxTokens: optional(finite),
  maxCost: optional(finite),
  deadline: optional(finite),
  maxAttempts: optional(finite),
  lastTurn: optional(Schema.Boolean),
  loop: optional(
    Schema.Union([Schema.Struct({ warn: finite, refuse: finite, stop: finite }), Schema.Literal(false)])
  )
})

/**
 * Schema of {@link State}. `Run.decode` also checks what its parts say together.
 *
 * @stability experimental
 * @category schemas
 * @since 0.1.0
 */
export const State: Schema.Codec<State> = Schema.Struct({
  version: Schema.Literal(version),
  id: text,
  revision: Schema.Int,
  startedAt: finite,
  bounds: Bounds,
  tools: Schema.Array(Schema.Struct({ name: text, fingerprint: text, idempotent: optional(Schema.Boolean) })),
  messages: Schema.Array(Message),
  turn: optional(Schema.Struct({ message: Message, calls: Schema.Array(CallStateSchema) })),
  queued: optional(Schema.Array(Message)),
  compaction: optional(Schema.Struct({ upTo: Schema.Int, summary: optional(Schema.Array(Message)) })),
  spent: Schema.Struct({
    steps: finite,
    toolCalls: finite,
    usage: UsageSchema,
    cost: optional(finite)
  }),
  step: Schema.Int,
  attempts: Schema.Int,
  last: optional(BoundSchema),
  near: optional(Schema.Array(BoundSchema)),
  seen: optional(Schema.Struct({ pairs: Schema.Array(text), streak: finite })),
  end: optional(Schema.Struct({
    status: Schema.Literals(["done", "stopped", "failed"]),
    finishReason: optional(FinishReasonSchema),
    bound: optional(BoundSchema),
    reason: optional(text),
    failure: optional(Schema.Struct({ tag: text, message: text }))
  }))
})
