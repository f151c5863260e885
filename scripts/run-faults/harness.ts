/**
 * What the scenarios are written with: a scripted model, tools that count, and claims that tell what does not hold.
 */
import { Effect, Result } from "effect"
import { Agent, Handlers, type LlmRequest, type LlmService, LlmTool, Message, Run } from "../../src/index.ts"
import { TestLlm } from "../../src/testing/index.ts"
import { refusedBy, unpaired } from "../../test/agent/schedules.ts"

/** What went wrong; nothing when the scenario holds. */
export type Verdict = string | undefined

export interface Scenario {
  readonly title: string
  readonly kind:
    | "approvals"
    | "deferred"
    | "resumption"
    | "cut answers"
    | "loops"
    | "histories"
    | "arguments"
    | "cancelling"
    | "nested"
    | "growth"
  /** The public thread that it is made from. */
  readonly source: string
  readonly run: Effect.Effect<Verdict, unknown>
}

/** The first claim that does not hold. */
export const claims = (...all: ReadonlyArray<readonly [holds: boolean, what: string]>): Verdict =>
  all.find(([holds]) => !holds)?.[1]

export const call = (id: string, name: string, args: Message.Json = {}): Message.ToolCallPart => ({
  type: "tool-call",
  id,
  name,
  arguments: args
})

export const calls = (...parts: ReadonlyArray<Message.Part>): ReadonlyArray<Message.Part> => parts

/** A tool that counts its calls, by their arguments. */
export const counting = (
  name: string,
  options: { readonly needsApproval?: boolean; readonly idempotent?: boolean; readonly loopKey?: false } = {},
  give: (args: Message.Json, context: Handlers.CallContext) => Effect.Effect<Message.Json | Handlers.Later, Error> =
    () => Effect.succeed("done")
) => {
  const ran: Array<string> = []
  const tool = LlmTool.make(name, options)
  const handlers = Handlers.through([tool], (_, args, context) =>
    Effect.suspend(() => {
      ran.push(JSON.stringify(args))
      return give(args, context)
    }))
  return { tool, ran, handlers }
}

/** As another process reads it. */
export const stored = (state: Run.State): Run.State => Result.getOrThrow(Run.decode(JSON.parse(JSON.stringify(state))))

export const script = <A, E>(
  answers: TestLlm.Options["answers"],
  run: (
    control: TestLlm.Control
  ) => Effect.Effect<A, E, TestLlm.TestLlm | LlmService.LlmService>
): Effect.Effect<A, E> => Effect.provide(Effect.flatMap(TestLlm.TestLlm, run), TestLlm.layer({ answers }))

/** What the model read as results, in order. */
export const results = (state: Run.State): ReadonlyArray<Message.ToolResultPart> =>
  state.messages.flatMap((message) => Message.parts(message).filter((part) => part.type === "tool-result"))

/** Whether every wire takes the history, and each call has its result. */
export const valid = ({ messages }: Run.State): boolean =>
  unpaired(messages) === undefined && refusedBy(messages) === undefined

/** How a decision is refused. */
export const refusal = (state: Run.State, decision: unknown, agent: Agent.Agent<unknown> = Agent.make({})) =>
  Effect.match(Agent.decide(agent, state, decision), {
    onFailure: ({ kind }) => kind,
    onSuccess: () => "taken" as const
  })

/** An answer that ends for another reason than it would. */
export const ending =
  (finishReason: "length" | "content-filter" | "pause", ...parts: ReadonlyArray<Message.Part>) =>
  (request: LlmRequest.LlmRequest) =>
    Effect.map(
      TestLlm.make({ answers: [parts] }).service.generate(request),
      (response) => response.with({ finishReason })
    )
