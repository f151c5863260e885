/**
 * Decisions on calls: what they are bound to, how they are read, and when they count.
 *
 * @since 0.1.0
 */
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type { Json } from "../../Message.ts"
import { argumentsOf, callName, partAt } from "./calls.ts"
import { digest, keyedDigest, sameText } from "./digest.ts"
import type { ApprovalRequest } from "./happened.ts"
import { RunRefusal } from "./refusal.ts"
import type { CallState, State } from "./state.ts"

/**
 * A decision on a call. `approvalId` binds it to the run, the call, its arguments and the tool; what else of the request it repeats
 * has to agree.
 *
 * @stability experimental
 * @category approvals
 * @since 0.1.0
 */
export interface Decision {
  /** `approvalId` of the {@link ApprovalRequest} it answers; of another run, call or arguments it is refused. */
  readonly approvalId: string
  /** Whether the call may run; nothing but a boolean is taken. */
  readonly approved: boolean
  /** The run it was asked for in, checked when given. */
  readonly runId?: string | undefined
  /** The call it was asked for, checked when given. */
  readonly toolCallId?: string | undefined
  /** The tool as it was when it was asked, checked when given. */
  readonly fingerprint?: string | undefined
  /** For the model, when denied. */
  readonly reason?: string | undefined
  /** Arguments to run the call with, instead of the model's. They are decoded again. */
  readonly arguments?: Json | undefined
  /** Of all other fields: see `Run.sign`. */
  readonly signature?: string | undefined
}

/**
 * Schema of {@link Decision}.
 *
 * @stability experimental
 * @category schemas
 * @since 0.1.0
 */
export const Decision: Schema.Codec<Decision> = Schema.Struct({
  approvalId: Schema.String,
  approved: Schema.Boolean,
  runId: Schema.optional(Schema.String),
  toolCallId: Schema.optional(Schema.String),
  fingerprint: Schema.optional(Schema.String),
  reason: Schema.optional(Schema.String),
  arguments: Schema.optional(Schema.Json),
  signature: Schema.optional(Schema.String)
})

const decode = Schema.decodeUnknownOption(Decision)

const refuse = (kind: RunRefusal["kind"], message: string): Result.Result<never, RunRefusal> =>
  Result.fail(new RunRefusal({ kind, message }))

/** A decision from anywhere, and of anybody. @stability experimental @category approvals @since 0.1.0 */
export const readDecision = (given: unknown, key: string | undefined): Result.Result<Decision, RunRefusal> => {
  const decision = Option.getOrUndefined(decode(given))
  if (decision === undefined) {
    return refuse("Malformed", "Not a decision: it needs an approvalId and approved, which is true or false.")
  }
  if (key === undefined) return Result.succeed(decision)
  const { signature, ...rest } = decision
  return signature !== undefined && sameText(signature, keyedDigest(key, rest))
    ? Result.succeed(decision)
    : refuse("BadSignature", "The decision is not signed with the key of this run.")
}

/**
 * Signs a decision, for one that passes through hands which are not trusted. A run whose key is given applies no other.
 *
 * @stability experimental
 * @category approvals
 * @since 0.1.0
 */
export const sign = (decision: Decision, key: string): Decision => {
  const { signature: _, ...rest } = decision
  return { ...rest, signature: keyedDigest(key, rest) }
}

/** What a decision on a call must name. */
const approvalIdOf = (state: State, call: CallState): string => {
  const part = partAt(state, call)
  return digest([
    state.id,
    callName(state, call),
    part.id,
    part.name,
    argumentsOf(state, call),
    call.fingerprint ?? "",
    call.again ?? 0
  ])
}

/** What somebody has to decide on. @stability experimental @category approvals @since 0.1.0 */
export const requestOf = (state: State, call: CallState): ApprovalRequest => {
  const part = partAt(state, call)
  return {
    runId: state.id,
    approvalId: approvalIdOf(state, call),
    toolCallId: part.id,
    toolName: part.name,
    arguments: argumentsOf(state, call),
    fingerprint: call.fingerprint ?? "",
    ...(call.why === undefined ? undefined : { why: call.why })
  }
}

const decisionOf = (
  request: ApprovalRequest,
  approved: boolean,
  options: { readonly reason?: string | undefined; readonly arguments?: Json | undefined } = {}
): Decision => ({
  approvalId: request.approvalId,
  approved,
  runId: request.runId,
  toolCallId: request.toolCallId,
  fingerprint: request.fingerprint,
  ...(options.reason === undefined ? undefined : { reason: options.reason }),
  ...(options.arguments === undefined ? undefined : { arguments: options.arguments })
})

/**
 * The decision that a call may run, perhaps with other arguments.
 *
 * @stability experimental
 * @category approvals
 * @since 0.1.0
 */
export const approve = (
  request: ApprovalRequest,
  options?: {
    /** Why, to be kept with the decision. @default none */
    readonly reason?: string | undefined
    /** Arguments to run the call with in place of the model's; they are decoded again. @default the model's */
    readonly arguments?: Json | undefined
  }
): Decision => decisionOf(request, true, options)

/**
 * The decision that a call must not run; the model reads the reason.
 *
 * @stability experimental
 * @category approvals
 * @since 0.1.0
 */
export const deny = (request: ApprovalRequest, options?: {
  /** Why, which the model is told. @default none */
  readonly reason?: string | undefined
}): Decision => decisionOf(request, false, options)

/** The call that a decision is on, or why there is none. @stability experimental @category approvals @since 0.1.0 */
export const callOf = (state: State, decision: Decision): Result.Result<CallState, RunRefusal> => {
  const calls = state.turn?.calls ?? []
  if (calls.some(({ decided }) => decided?.approvalId === decision.approvalId)) {
    return refuse("AlreadyDecided", "This call was decided before; a decision counts once.")
  }
  const call = calls.find((call) => call.asks === true && approvalIdOf(state, call) === decision.approvalId)
  if (call === undefined) return missing(state, decision)
  const part = partAt(state, call)
  if (decision.toolCallId !== undefined && decision.toolCallId !== part.id) {
    return refuse("Foreign", "The decision names another call than its approvalId.")
  }
  const tool = state.tools.find(({ name }) => name === part.name)
  if (
    tool?.fingerprint !== call.fingerprint ||
    (decision.fingerprint !== undefined && decision.fingerprint !== call.fingerprint)
  ) {
    return refuse("ToolChanged", `The tool ${part.name} is not the one this approval was asked for.`)
  }
  return Result.succeed(call)
}

const missing = (state: State, { fingerprint, toolCallId }: Decision): Result.Result<never, RunRefusal> => {
  const open = (state.turn?.calls ?? []).filter((call) => partAt(state, call).id === toolCallId)
  if (open.length > 0) {
    if (fingerprint !== undefined && open.every((call) => call.fingerprint !== fingerprint)) {
      return refuse("ToolChanged", "The tool is not the one this approval was asked for.")
    }
    return open.some(({ asks }) => asks === true)
      ? refuse("Stale", "The approval was asked for other arguments.")
      : refuse("AlreadyDecided", "This call does not wait for a decision.")
  }
  const past = state.messages.some(({ content }) =>
    typeof content !== "string" && content.some((part) => part.type === "tool-call" && part.id === toolCallId)
  )
  return past
    ? refuse("Stale", "The call of this decision is settled.")
    : refuse("UnknownCall", "No open call waits for this decision.")
}
