/**
 * AG-UI's events, and what they are of ours.
 *
 * @see https://docs.ag-ui.com/concepts/events
 * @since 0.1.0
 */
import type { CallResult, Waiting } from "../../agent/Run.ts"
import { jsonText } from "../../json/text.ts"
import type { LlmEvent } from "../../LlmEvent.ts"
import type { Usage } from "../../LlmResponse.ts"
import type { Json, JsonObject, ReasoningPart, ToolCallPart } from "../../Message.ts"
import { opaque } from "../aiSdk/own.ts"
import type { AnyEvent, FailedAttempt, PublicFailure } from "./told.ts"

interface Interrupt {
  readonly id: string
  readonly reason: string
  readonly message?: string
  readonly toolCallId?: string
  readonly metadata?: JsonObject
}

interface TokenUsage {
  readonly provider?: string
  readonly model?: string
  readonly inputTokens?: number
  readonly outputTokens?: number
  readonly reasoningTokens?: number
  readonly cachedInputTokens?: number
  readonly cacheWriteInputTokens?: number
}

type Outcome =
  | { readonly type: "success" }
  | { readonly type: "interrupt"; readonly interrupts: ReadonlyArray<Interrupt> }
  | { readonly type: "cancelled" }

/**
 * An event of AG-UI. Those of kinds that nothing here gives are left out.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export type AgUiEvent =
  | {
    readonly type: "RUN_STARTED"
    /** The conversation, as the client named it. */
    readonly threadId: string
    /** This run, as the client named it. */
    readonly runId: string
  }
  | {
    readonly type: "RUN_FINISHED"
    /** The conversation, as the client named it. */
    readonly threadId: string
    /** This run, as the client named it. */
    readonly runId: string
    /** What the run gave, for whoever only wants that. */
    readonly result?: Json
    /** Whether it is done, or waits for somebody. */
    readonly outcome?: Outcome
    /** Tokens by model. */
    readonly usage?: ReadonlyArray<TokenUsage>
  }
  | {
    readonly type: "RUN_ERROR"
    /** What happened, in words that may be shown. */
    readonly message: string
    /** Tag of the reason. */
    readonly code: string
    /** What else may be told, such as when to try again. */
    readonly metadata?: JsonObject
  }
  | {
    readonly type: "STEP_STARTED" | "STEP_FINISHED"
    /** Names the step; begin and end have the same. */
    readonly stepName: string
  }
  | {
    readonly type: "TEXT_MESSAGE_START"
    /** Names the message, for what follows of it. */
    readonly messageId: string
    readonly role: "assistant"
  }
  | {
    readonly type: "TEXT_MESSAGE_CONTENT" | "REASONING_MESSAGE_CONTENT"
    /** The message or the reasoning it belongs to. */
    readonly messageId: string
    /** What is new. */
    readonly delta: string
  }
  | {
    readonly type: "TEXT_MESSAGE_END" | "REASONING_START" | "REASONING_MESSAGE_END" | "REASONING_END"
    /** The message or the reasoning it belongs to. */
    readonly messageId: string
  }
  | {
    readonly type: "REASONING_MESSAGE_START"
    /** Names the reasoning, for what follows of it. */
    readonly messageId: string
    readonly role: "reasoning"
  }
  | {
    readonly type: "REASONING_ENCRYPTED_VALUE"
    /** What it is the encrypted reasoning of. */
    readonly subtype: "tool-call" | "message"
    /** Id of that call or message. */
    readonly entityId: string
    /** Opaque; the client sends it back unchanged. */
    readonly encryptedValue: string
  }
  | {
    readonly type: "TOOL_CALL_START"
    /** Names the call, for what follows of it. */
    readonly toolCallId: string
    /** Name of the tool. */
    readonly toolCallName: string
  }
  | {
    readonly type: "TOOL_CALL_ARGS"
    /** The call it belongs to. */
    readonly toolCallId: string
    /** What is new of the arguments' text. */
    readonly delta: string
  }
  | {
    readonly type: "TOOL_CALL_END"
    /** The call whose arguments are whole. */
    readonly toolCallId: string
  }
  | {
    readonly type: "TOOL_CALL_RESULT"
    /** Names the message that holds the result. */
    readonly messageId: string
    /** The call it is the result of. */
    readonly toolCallId: string
    /** The result as text. */
    readonly content: string
    readonly role: "tool"
    /** What else is known of it, such as that it is an error. */
    readonly metadata?: JsonObject
  }
  | {
    readonly type: "CUSTOM"
    /** What it is, for clients that know it. */
    readonly name: string
    /** What it says. */
    readonly value: Json
  }

/**
 * Who a stream belongs to.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface RunOptions {
  /** The conversation. @default the run's own id */
  readonly threadId?: string | undefined
  /** @default that of the agent's run, else one of the answer */
  readonly runId?: string | undefined
}

const custom = (name: string, value: unknown): AgUiEvent => ({
  type: "CUSTOM",
  name: `effect-llm.${name}`,
  value: value as Json
})

const textOf = ({ content }: CallResult): string =>
  typeof content === "string" ? content : content.map((part) => part.type === "text" ? part.text : "").join("")

const counts = ({ input, output }: Usage): TokenUsage =>
  Object.fromEntries(
    Object.entries({
      inputTokens: input.total,
      outputTokens: output.total,
      reasoningTokens: output.reasoning,
      cachedInputTokens: input.cacheRead,
      cacheWriteInputTokens: input.cacheWrite
    }).filter(([, count]) => count !== undefined && Number.isSafeInteger(count) && count >= 0)
  )

const interruptsOf = ({ approvals, deferred, unknown }: Waiting): ReadonlyArray<Interrupt> => [
  ...approvals.map(({ approvalId, arguments: args, fingerprint, runId, toolCallId, toolName, why }): Interrupt => ({
    id: approvalId,
    reason: "tool_approval",
    message: why ?? `May ${toolName} be called?`,
    toolCallId,
    metadata: { runId, toolName, arguments: args, fingerprint }
  })),
  ...[
    ...deferred.map((call) => [call, "tool_result"] as const),
    ...unknown.map((call) => [call, "outcome_unknown"] as const)
  ]
    .map(([{ call, runId, toolCallId, toolName }, reason]): Interrupt => ({
      id: `${runId}/${call}`,
      reason,
      toolCallId,
      metadata: { runId, call, toolName }
    }))
]

/**
 * Spells the events of one run.
 *
 * @stability experimental
 * @category encoding
 * @since 0.1.0
 */
export class AgUiOut {
  private readonly options: RunOptions
  private runId: string | undefined
  private ofRun = false
  private step: string | undefined
  private steps = 0
  /** Messages and calls that have begun and not ended, each with the events that end it. */
  private readonly open = new Map<string, ReadonlyArray<AgUiEvent>>()
  /** Messages and calls of the step, which an attempt that broke off makes void. */
  private ofStep: Array<string> = []
  private readonly announced = new Set<string>()

  constructor(options: RunOptions) {
    this.options = options
  }

  /** The events of an event. */
  event(event: AnyEvent): ReadonlyArray<AgUiEvent> {
    switch (event._tag) {
      case "RunStart":
        this.ofRun = true
        return this.start(event.runId)
      case "StepStart":
        return [...this.start(), ...this.startStep()]
      case "StepEnd":
        return this.finishStep()
      case "AttemptStart": {
        const voids = this.ofStep
        this.ofStep = []
        this.steps++
        return [...this.closed(), custom("void", { messages: voids })]
      }
      case "ToolStart":
        return this.announce(event.toolCallId, event.toolName, event.arguments)
      case "ChildEvent":
        // Of a run below this one, what somebody has to decide.
        return event.event._tag === "ApprovalRequested" || event.event._tag === "ChildEvent"
          ? this.event(event.event)
          : []
      case "ApprovalRequested":
        return this.announce(event.request.toolCallId, event.request.toolName, event.request.arguments)
      case "ToolProgress":
        return [custom("tool-progress", { toolCallId: event.toolCallId, value: event.value })]
      case "ToolResult": {
        const { result, toolCallId } = event
        return [{
          type: "TOOL_CALL_RESULT",
          messageId: `${toolCallId}-result`,
          toolCallId,
          content: textOf(result),
          role: "tool",
          ...(result.isError === true ? { metadata: { isError: true } } : undefined)
        }]
      }
      case "ToolDeferred":
      case "ToolLost": {
        const { toolCallId, toolName } = event
        return [custom(event._tag === "ToolLost" ? "tool-lost" : "tool-deferred", { toolCallId, toolName })]
      }
      case "BoundNear":
        return [custom("bound-near", { bound: event.bound })]
      case "Compacted":
        return [custom("compacted", {})]
      case "MessagesAdded":
        return []
      case "RunEnd": {
        const { bound, reason, spent, status, text, waiting } = event.outcome
        const interrupts = interruptsOf(waiting)
        return this.finish(
          {
            status,
            text,
            ...(bound === undefined ? undefined : { bound }),
            ...(reason === undefined ? undefined : { reason })
          },
          interrupts.length > 0
            ? { type: "interrupt", interrupts }
            : status === "stopped"
            ? { type: "cancelled" }
            : { type: "success" },
          counts(spent.usage)
        )
      }
      case "Finish": {
        if (this.ofRun) return []
        const { finishReason, model, provider, usage } = event.response
        return this.finish({ finishReason }, { type: "success" }, { provider, model, ...counts(usage) })
      }
      default:
        return this.ofModel(event)
    }
  }

  /** An attempt that failed. */
  attempt(attempt: FailedAttempt): ReadonlyArray<AgUiEvent> {
    return [...this.start(), custom("attempt", attempt)]
  }

  /** The end of a run that failed. */
  failed(failure: PublicFailure, message: string): ReadonlyArray<AgUiEvent> {
    const { isRetryable, reason, retryAfterMillis } = failure
    return [...this.start(), {
      type: "RUN_ERROR",
      message,
      code: reason,
      metadata: { isRetryable, ...(retryAfterMillis === undefined ? undefined : { retryAfterMillis }) }
    }]
  }

  // ---------------------------------------------------------------------------
  // Frame
  // ---------------------------------------------------------------------------

  private get names(): { readonly threadId: string; readonly runId: string } {
    const runId = this.runId ?? "run"
    return { threadId: this.options.threadId ?? runId, runId }
  }

  private start(runId?: string): ReadonlyArray<AgUiEvent> {
    if (this.runId !== undefined) return []
    this.runId = this.options.runId ?? runId ?? `run_${crypto.randomUUID()}`
    return [{ type: "RUN_STARTED", ...this.names }]
  }

  private startStep(): ReadonlyArray<AgUiEvent> {
    if (this.step !== undefined) return []
    this.step = `step-${++this.steps}`
    this.ofStep = []
    return [{ type: "STEP_STARTED", stepName: this.step }]
  }

  private finishStep(): ReadonlyArray<AgUiEvent> {
    const stepName = this.step
    this.step = undefined
    return [...this.closed(), ...(stepName === undefined ? [] : [{ type: "STEP_FINISHED", stepName } as const])]
  }

  private closed(): ReadonlyArray<AgUiEvent> {
    const ends = [...this.open.values()].flat()
    this.open.clear()
    return ends
  }

  private finish(result: Json, outcome: Outcome, usage: TokenUsage): ReadonlyArray<AgUiEvent> {
    return [
      ...this.start(),
      ...this.finishStep(),
      {
        type: "RUN_FINISHED",
        ...this.names,
        result,
        outcome,
        ...(Object.keys(usage).length === 0 ? undefined : { usage: [usage] })
      }
    ]
  }

  // ---------------------------------------------------------------------------
  // The model
  // ---------------------------------------------------------------------------

  /** A call of a run that was taken up again has been told by nobody here. */
  private announce(toolCallId: string, toolCallName: string, args: Json): ReadonlyArray<AgUiEvent> {
    if (this.announced.has(toolCallId)) return []
    this.announced.add(toolCallId)
    return [
      { type: "TOOL_CALL_START", toolCallId, toolCallName },
      { type: "TOOL_CALL_ARGS", toolCallId, delta: jsonText(args) },
      { type: "TOOL_CALL_END", toolCallId }
    ]
  }

  private idOf(index: number): string {
    return `${this.names.runId}-${this.steps}-${index}`
  }

  private begin(id: string, start: ReadonlyArray<AgUiEvent>, end: ReadonlyArray<AgUiEvent>): ReadonlyArray<AgUiEvent> {
    this.open.set(id, end)
    this.ofStep.push(id)
    return start
  }

  private end(id: string): ReadonlyArray<AgUiEvent> {
    const ends = this.open.get(id) ?? []
    this.open.delete(id)
    return ends
  }

  /** What goes back to the provider unread: signatures, encrypted reasoning. */
  private encrypted(
    part: ReasoningPart | ToolCallPart,
    subtype: "tool-call" | "message",
    entityId: string
  ): ReadonlyArray<AgUiEvent> {
    const data = opaque(part)
    return data === undefined
      ? []
      : [{ type: "REASONING_ENCRYPTED_VALUE", subtype, entityId, encryptedValue: jsonText(data) }]
  }

  private ofModel(event: LlmEvent): ReadonlyArray<AgUiEvent> {
    const frame = [...this.start(), ...this.startStep()]
    const events = this.parts(event)
    return frame.length === 0 ? events : [...frame, ...events]
  }

  private parts(event: LlmEvent): ReadonlyArray<AgUiEvent> {
    switch (event._tag) {
      case "TextStart": {
        const messageId = this.idOf(event.index)
        return this.begin(messageId, [{ type: "TEXT_MESSAGE_START", messageId, role: "assistant" }], [
          { type: "TEXT_MESSAGE_END", messageId }
        ])
      }
      case "TextDelta":
        return event.text === "" ? [] : [
          { type: "TEXT_MESSAGE_CONTENT", messageId: this.idOf(event.index), delta: event.text }
        ]
      case "TextEnd":
        return this.end(this.idOf(event.index))
      case "ReasoningStart": {
        const messageId = this.idOf(event.index)
        return this.begin(
          messageId,
          [{ type: "REASONING_START", messageId }, { type: "REASONING_MESSAGE_START", messageId, role: "reasoning" }],
          [{ type: "REASONING_MESSAGE_END", messageId }, { type: "REASONING_END", messageId }]
        )
      }
      case "ReasoningDelta":
        return event.text === "" ? [] : [
          { type: "REASONING_MESSAGE_CONTENT", messageId: this.idOf(event.index), delta: event.text }
        ]
      case "ReasoningEnd": {
        const messageId = this.idOf(event.index)
        const ends = this.end(messageId)
        return [...ends.slice(0, 1), ...this.encrypted(event.part, "message", messageId), ...ends.slice(1)]
      }
      case "ToolCallStart":
        this.announced.add(event.id)
        return this.begin(
          event.id,
          [{ type: "TOOL_CALL_START", toolCallId: event.id, toolCallName: event.name }],
          [{ type: "TOOL_CALL_END", toolCallId: event.id }]
        )
      case "ToolCallDelta":
        return event.delta === "" ? [] : [{ type: "TOOL_CALL_ARGS", toolCallId: event.id, delta: event.delta }]
      case "ToolCallEnd":
        return [...this.end(event.part.id), ...this.encrypted(event.part, "tool-call", event.part.id)]
      case "Source":
        return [custom("source", event.part)]
      case "File":
        return [custom("file", event.part)]
      case "ServerTool":
        return [custom("step", event.part)]
      default:
        return []
    }
  }
}
