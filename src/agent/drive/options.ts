/**
 * What an agent is made of.
 *
 * Public through `Agent`, which re-exports everything here.
 *
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type { RequestOptions } from "../../LlmRequest.ts"
import type { LlmResponse } from "../../LlmResponse.ts"
import type { LlmTool, ToolChoice } from "../../LlmTool.ts"
import type { Json, Message } from "../../Message.ts"
import type { Handlers, Tag } from "../Handlers.ts"
import type { InvalidArguments } from "../handlers/check.ts"
import type { Bounds, State } from "../run/state.ts"
import type { Compact } from "./compaction.ts"

export type { InvalidArguments } from "../handlers/check.ts"

/** Calls that run at once, unless told otherwise. @stability experimental @category limits @since 0.1.0 */
export const defaultConcurrency = 8

/** How long a handler may take to stop, unless told otherwise. @stability experimental @category limits @since 0.1.0 */
export const defaultGrace = "2 seconds"

/**
 * Where a run stands before a step.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface StepContext {
  /** 1 for the first. */
  readonly step: number
  /** The run as it stands before the step. */
  readonly state: State
  /** What the model is about to be asked with. */
  readonly messages: ReadonlyArray<Message>
}

/**
 * What a step does otherwise than the agent.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface StepChanges {
  /** Id of the model for this step. @default that of the request, else of the layer */
  readonly model?: string | undefined
  /** Instructions of this step. */
  readonly instructions?: string | undefined
  /** Names of the tools that are offered in this step. @default all */
  readonly tools?: ReadonlyArray<string> | undefined
  /** Whether the model must call a tool in this step, and which. @default that of the request */
  readonly toolChoice?: ToolChoice | undefined
  /** Messages that this step is asked with; the history stays as it is. */
  readonly messages?: ReadonlyArray<Message> | undefined
  /** Other options of this step's request. */
  readonly request?: Omit<RequestOptions, "tools" | "system"> | undefined
}

/**
 * How far a run may go, beside what `Run.Bounds` says.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface AgentBounds extends Omit<Bounds, "deadline"> {
  /** Wall time from the start of the run, resumptions and waiting included. @default no limit */
  readonly maxTime?: Duration.Input | undefined
}

/**
 * Options of {@link make}.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Options<EH = never, RH = never, E = never, R = never> {
  /** Instructions that rank above the user's. */
  readonly instructions?: string | undefined
  /** What traces and metrics call it, such as `Math Tutor`. @default none */
  readonly name?: string | undefined
  /** What it does, for those who read traces. @default none */
  readonly description?: string | undefined
  /** Tools with what runs them, or a tag of them. @default none */
  readonly tools?: Handlers<EH, RH> | Tag<string, ReadonlyArray<LlmTool>> | undefined
  /** Options of every request, such as model, temperature, thinking or label. */
  readonly request?: Omit<RequestOptions, "tools" | "system"> | undefined
  /** How far a run may go. @default 20 steps, 3 attempts at a step, loops are stopped */
  readonly bounds?: AgentBounds | undefined
  /** Calls that run at once. @default 8 */
  readonly concurrency?: number | undefined
  /**
   * When tools start that are marked `idempotent` and need no approval: with the complete turn, as all others, or `"call"`: as soon as the
   * call is whole, while the model still speaks. A turn that breaks off after that is not asked for again: the run fails, resumable.
   *
   * @default "turn"
   */
  readonly startTools?: "turn" | "call" | undefined
  /** How long a handler that is told to stop may take for it; after that its call counts as of unknown outcome. @default "2 seconds" */
  readonly grace?: Duration.Input | undefined
  /** Ends the run after a step. */
  readonly stopWhen?:
    | ((context: {
      /** The run after the step. */
      readonly state: State
      /** The answer of the step. */
      readonly response: LlmResponse
    }) => boolean | Effect.Effect<boolean, E, R>)
    | undefined
  /** Changes a step before it is asked for. */
  readonly prepareStep?:
    | ((context: StepContext) => StepChanges | undefined | Effect.Effect<StepChanges | undefined, E, R>)
    | undefined
  /**
   * Arguments that do not decode: told to the model, or an error of the run, or given to an effect that repairs them, and tells the
   * model when it gives nothing. @default "tell"
   */
  readonly invalidArguments?:
    | "tell"
    | "fail"
    | ((invalid: InvalidArguments) => Effect.Effect<Json | undefined, E, R>)
    | undefined
  /** Makes room when the context has grown past the model's window, once each time it has grown. @default the run fails */
  readonly compact?: Compact<E, R> | undefined
  /**
   * Stores the state: before a call starts and after each change. What it has stored last is what a run goes on from after a crash.
   */
  readonly save?: ((state: State) => Effect.Effect<void, E, R>) | undefined
  /** Key that decisions have to be signed with, see `Run.sign`. @default decisions need no signature */
  readonly approvalKey?: string | undefined
}
