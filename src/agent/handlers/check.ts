/**
 * Whether a call may run: a known tool, arguments that decode, an approval where one is needed.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type { ApprovalContext, Execution, LlmTool } from "../../LlmTool.ts"
import type { Json, Message } from "../../Message.ts"
import type { Handlers } from "../Handlers.ts"
import { canonical, digest } from "../run/digest.ts"
import type { Check, OpenCall } from "../run/happened.ts"
import { invalidKey, loopKeyOf } from "../run/loops.ts"
import type { ToolFacts } from "../run/state.ts"
import { wordsOf } from "./texts.ts"

/**
 * Arguments of a call that its tool does not take.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface InvalidArguments {
  /** The model's id of the call. */
  readonly toolCallId: string
  /** The tool as the model called it. */
  readonly toolName: string
  /** As the model sent them; a text when they are no JSON. */
  readonly arguments: Json
  /** What is wrong, in plain words. */
  readonly problem: string
}

/** How a tool is to be run. @stability experimental @category tools @since 0.1.0 */
export const executionOf = (tool: LlmTool | undefined): Execution<never, never> =>
  tool === undefined || tool.type === "custom" ? {} : tool.execution ?? {}

const known = new WeakMap<LlmTool, string>()

/** What an approval of a tool's call is bound to: name, description and schema. */
const fingerprintOf = (tool: LlmTool): string => {
  let made = known.get(tool)
  if (made === undefined) {
    made = digest(
      tool.type === "provider"
        ? [tool.type, tool.name, tool.definition]
        : [tool.type, tool.name, tool.description ?? "", tool.type === "custom" ? tool.format ?? {} : tool.parameters]
    )
    known.set(tool, made)
  }
  return made
}

/** What a run knows of tools. @stability experimental @category tools @since 0.1.0 */
export const factsOf = (tools: ReadonlyArray<LlmTool>): ReadonlyArray<ToolFacts> =>
  tools.map((tool) => ({
    name: tool.name,
    fingerprint: fingerprintOf(tool),
    ...(executionOf(tool).idempotent === true ? { idempotent: true } : undefined)
  }))

/** The arguments as the handler gets them; fails with what is wrong. @stability experimental @category checks @since 0.1.0 */
export const decodeArguments = (tool: LlmTool, call: OpenCall): Effect.Effect<unknown, string> => {
  if (call.invalid === true) return Effect.fail("The arguments are not valid JSON.")
  if (tool.type === "custom") {
    return typeof call.arguments === "string"
      ? Effect.succeed(call.arguments)
      : Effect.fail("The input must be a text.")
  }
  if (tool.decode !== undefined) return Effect.mapError(tool.decode(call.arguments), wordsOf)
  return typeof call.arguments === "object" && call.arguments !== null && !Array.isArray(call.arguments)
    ? Effect.succeed(call.arguments)
    : Effect.fail("The arguments must be an object.")
}

const refusedArguments = (call: OpenCall, problem: string): string =>
  `The call was not carried out: its arguments do not fit ${call.toolName}. ${problem}`

const unknownTool = (call: OpenCall, handlers: Handlers<unknown, unknown>): string => {
  const names = handlers.tools.map(({ name }) => name).join(", ")
  return `The call was not carried out: there is no tool ${JSON.stringify(call.toolName)}. ${
    names === "" ? "There are no tools." : `There are: ${names}.`
  }`
}

/** An error in the question asks, and never runs. */
const asks = (
  needs: Execution<never, never>["needsApproval"],
  params: unknown,
  context: ApprovalContext
): Effect.Effect<string | boolean> =>
  Effect.suspend(() => {
    if (typeof needs !== "function") return Effect.succeed(needs === true)
    const answer = needs(params as never, context)
    // Whatever is not plainly `false` asks.
    return Effect.isEffect(answer)
      ? Effect.map(answer, (value: unknown) => value !== false)
      : Effect.succeed((answer as unknown) !== false)
  }).pipe(Effect.catchCause(() => Effect.succeed("It could not be told whether this call needs approval.")))

const keyOf = (tool: LlmTool, params: unknown, call: OpenCall): string | false => {
  const { loopKey } = executionOf(tool)
  if (loopKey === false) return false
  try {
    return loopKeyOf(tool.name, loopKey === undefined ? canonical(call.arguments) : loopKey(params as never))
  } catch {
    return loopKeyOf(tool.name, canonical(call.arguments))
  }
}

/**
 * Says of a call whether it may run. `repair` may give other arguments for ones that do not decode.
 *
 * @stability experimental
 * @category checks
 * @since 0.1.0
 */
export const check = <E, R>(
  handlers: Handlers<unknown, unknown>,
  call: OpenCall,
  messages: ReadonlyArray<Message>,
  repair: ((invalid: InvalidArguments) => Effect.Effect<Json | undefined, E, R>) | undefined
): Effect.Effect<Check, E, R> =>
  Effect.gen(function*() {
    const tool = handlers.tools.find(({ name }) => name === call.toolName)
    const invalidLoop = loopKeyOf(call.toolName, invalidKey)
    if (tool === undefined || (tool.type === "provider" && handlers.handlerOf(tool.name) === undefined)) {
      return { call: call.call, verdict: "refuse", message: unknownTool(call, handlers), loop: invalidLoop }
    }
    let repaired: Json | undefined
    let decoded = yield* Effect.result(decodeArguments(tool, call))
    if (decoded._tag === "Failure" && repair !== undefined && call.decided !== true) {
      repaired = yield* repair({
        toolCallId: call.toolCallId,
        toolName: call.toolName,
        arguments: call.arguments,
        problem: decoded.failure
      })
      if (repaired !== undefined) {
        const { invalid: _, ...rest } = call
        decoded = yield* Effect.result(decodeArguments(tool, { ...rest, arguments: repaired }))
      }
    }
    if (decoded._tag === "Failure") {
      return {
        call: call.call,
        verdict: "refuse",
        message: refusedArguments(call, decoded.failure),
        loop: invalidLoop
      }
    }
    const params = decoded.success
    const verdict: Check = {
      call: call.call,
      verdict: "run",
      fingerprint: fingerprintOf(tool),
      loop: keyOf(tool, params, repaired === undefined ? call : { ...call, arguments: repaired }),
      ...(repaired === undefined ? undefined : { arguments: repaired })
    }
    if (call.decided === true) return verdict
    const asked = yield* asks(executionOf(tool).needsApproval, params, { toolCallId: call.toolCallId, messages })
    if (asked !== false) {
      return { ...verdict, verdict: "ask", ...(typeof asked === "string" ? { why: asked } : undefined) }
    }
    return handlers.handlerOf(tool.name) === undefined ? { ...verdict, verdict: "external" } : verdict
  })
