/**
 * A model with instructions and tools, run until it is done, bounded always, resumable from any point.
 *
 * `make` describes an agent; `run` gives where its run came to rest, `stream` all that happens on the way. Both drive the state machine
 * of `Run` over whatever `LlmService` is provided, so over any stack of policies. A run that waits for an approval or for a result from
 * outside, and one that failed, keeps its state; give that to `run` or `stream` again, here or in another process, with what has come.
 *
 * - Calls start when the answer is complete and all of its calls are checked, side by side up to a limit, each with a time limit; one whose
 *   handler does not stop when told to counts as of unknown outcome and holds nobody up.
 * - At a bound open calls get a result that says so. A bound on cost counts answers whose price is known.
 * - An answer that breaks off is asked for again, announced by `AttemptStart`; failures before content are the policies' business.
 *
 * @example
 * ```ts
 * const agent = Agent.make({ instructions: "Be brief.", tools: Handlers.make([weather], { get_weather: … }) })
 * const { text } = yield* Agent.run(agent, { prompt: "Do I need a coat in Lisbon?" })
 * ```
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import * as Random from "effect/Random"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import type { LlmService } from "../LlmService.ts"
import * as LlmTool from "../LlmTool.ts"
import type { Message } from "../Message.ts"
import type { AgentEvent, Outcome } from "./drive/events.ts"
import { drive } from "./drive/loop.ts"
import { type Named, withNames } from "./drive/names.ts"
import type { AgentBounds, Options } from "./drive/options.ts"
import { type Control, control, type HeldControl, type RunFailed, Session } from "./drive/session.ts"
import * as Handlers from "./Handlers.ts"
import { check, factsOf } from "./handlers/check.ts"
import * as Run from "./Run.ts"

export { type Compact, dropResults, inOrder, summarise } from "./drive/compaction.ts"
export type { AgentEvent, Outcome } from "./drive/events.ts"
export type { AgentBounds, InvalidArguments, Options, StepChanges, StepContext } from "./drive/options.ts"
export { type Control, control, RunFailed } from "./drive/session.ts"

/**
 * An agent. `E` is what its handlers and options may fail with, `R` what they need.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Agent<out E = never, out R = never> {
  /** What it was made with. */
  readonly options: Options<unknown, unknown, unknown, unknown>
  /** Types of errors and requirements; no value has it. */
  readonly "~run"?: {
    /** What a run may fail with beside `LlmError`: the errors of handlers and options. */
    readonly error: E
    /** What a run needs beside `LlmService`: the services of handlers and options. */
    readonly services: R
  } | undefined
}

/**
 * What a run begins with, or goes on from.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export type Input =
  & (
    | {
      /** A user message that begins a new run. */
      readonly prompt: string
      readonly messages?: undefined
      readonly state?: undefined
    }
    | {
      /** A conversation that begins a new run, or with `state` what is added to it. */
      readonly messages: ReadonlyArray<Message>
      readonly prompt?: undefined
      readonly state?: undefined
    }
    | {
      /** The state of a run to go on with, as `Outcome`, `RunFailed` or `save` gave it. */
      readonly state: Run.State
      /** Put in between. */
      readonly messages?: ReadonlyArray<Message> | undefined
      readonly prompt?: undefined
      /** On calls that wait for approval. They are checked as what they are: something from outside. */
      readonly decisions?: ReadonlyArray<unknown> | undefined
      /** Of calls that are deferred or of unknown outcome. */
      readonly results?:
        | ReadonlyArray<
          Run.CallResult & {
            /** Name of the call within its run, as `Waiting` tells it. */
            readonly call: string
            /** The run it belongs to, as `Waiting` tells it. @default the run itself, not one below it */
            readonly runId?: string | undefined
          }
        >
        | undefined
      /** Calls of unknown outcome that may run again, by name. */
      readonly repeat?:
        | ReadonlyArray<{
          /** Name of the call of unknown outcome, as `Waiting` tells it. */
          readonly call: string
          /** The run it belongs to, as `Waiting` tells it. @default the run itself, not one below it */
          readonly runId?: string | undefined
        }>
        | undefined
    }
  )
  & {
    /** Tells the run apart. @default a random one */
    readonly id?: string | undefined
    /** Reaches into the run: see {@link control}. */
    readonly control?: Control | undefined
  }

/**
 * Describes an agent.
 *
 * @stability experimental
 * @category constructors
 * @since 0.1.0
 */
export const make: {
  <Id extends string, const Tools extends ReadonlyArray<LlmTool.LlmTool>, E = never, R = never>(
    options: Omit<Options<never, never, E, R>, "tools"> & {
      /** Tools with their handlers, or the tag of a service of them. @default none */
      readonly tools: Handlers.Tag<Id, Tools>
    }
  ): Agent<E | ErrorOfTag<Handlers.Tag<Id, Tools>>, R | Handlers.Provided<Id>>
  <EH = never, RH = never, E = never, R = never>(
    options: Omit<Options<EH, RH, E, R>, "tools"> & {
      /** Tools with their handlers, or the tag of a service of them. @default none */
      readonly tools?: Handlers.Handlers<EH, RH> | undefined
    }
  ): Agent<E | EH, R | RH>
} = (options: object): Agent<never, never> => ({ options: options as Agent["options"] })

type ErrorOfTag<T> = T extends { readonly service: { readonly Service: Handlers.Handlers<infer E, unknown> } } ? E
  : never

const handlersOf = (
  { options: { tools } }: Agent<unknown, unknown>
): Effect.Effect<Handlers.Handlers<unknown, unknown>, never, unknown> =>
  tools === undefined
    ? Effect.succeed(Handlers.empty as Handlers.Handlers<unknown, unknown>)
    : "service" in tools
    ? Effect.map(tools.service, (handlers): Handlers.Handlers<unknown, unknown> => handlers)
    : Effect.succeed(tools)

const boundsOf = ({ maxTime, ...bounds }: AgentBounds = {}, now: number): Run.Bounds => ({
  ...bounds,
  ...(maxTime === undefined ? undefined : { deadline: now + Duration.toMillis(Duration.fromInputUnsafe(maxTime)) })
})

/** Why an input could not be taken; {@link Run.RunRefusal} says what is wrong with it. */
type Refused = Run.RunRefusal

/** What is left of both, for a run below another. */
const narrower = (own: Run.Bounds, above: Run.Bounds): Run.Bounds => {
  const least = (a: number | undefined, b: number | undefined) =>
    a === undefined ? b : b === undefined ? a : Math.min(a, b)
  return {
    ...own,
    maxSteps: least(own.maxSteps, above.maxSteps),
    maxToolCalls: least(own.maxToolCalls, above.maxToolCalls),
    maxTokens: least(own.maxTokens, above.maxTokens),
    maxCost: least(own.maxCost, above.maxCost),
    deadline: least(own.deadline, above.deadline)
  }
}

/** 128 random bits. */
const freshId: Effect.Effect<string> = Effect.gen(function*() {
  let id = ""
  for (let i = 0; i < 4; i++) {
    id += Math.floor((yield* Random.next) * 0x1_0000_0000).toString(16).padStart(8, "0")
  }
  return `run_${id}`
})

interface Begun {
  readonly state: Run.State
  readonly named: Named<unknown, unknown>
  readonly resumed: boolean
}

const begin = (
  agent: Agent<unknown, unknown>,
  input: Input,
  above?: Run.Bounds
): Effect.Effect<Begun, Refused, unknown> =>
  Effect.gen(function*() {
    const named = withNames(yield* handlersOf(agent))
    const facts = factsOf(named.handlers.tools)
    if (input.state === undefined) {
      const now = yield* Clock.currentTimeMillis
      const id = input.id ?? (yield* freshId)
      const own = boundsOf(agent.options.bounds, now)
      const { messages, prompt } = input
      const given = messages === undefined ? { prompt } : { messages }
      const state = yield* Effect.fromResult(
        Run.start({ ...given, id, at: now } as Run.Start, facts, above === undefined ? own : narrower(own, above))
      )
      return { state, named, resumed: false }
    }
    const { decisions = [], messages = [], repeat = [], results = [] } = input
    let state = yield* Effect.fromResult(Run.apply(input.state, { _tag: "Resumed", tools: facts }))
    for (const decision of decisions) state = yield* decideWith(agent, named, state, decision)
    const happened: ReadonlyArray<Run.Happened> = [
      ...results.map(({ call, content, isError, runId }): Run.Happened => ({
        _tag: "ResultGiven",
        call,
        runId,
        result: { content, ...(isError === undefined ? undefined : { isError }) }
      })),
      ...repeat.map(({ call, runId }): Run.Happened => ({ _tag: "CallRepeated", call, runId })),
      ...(messages.length === 0 ? [] : [{ _tag: "MessagesAdded", messages } as const])
    ]
    for (const one of happened) state = yield* Effect.fromResult(Run.apply(state, one))
    return { state, named, resumed: true }
  })

const decideWith = (
  agent: Agent<unknown, unknown>,
  { handlers }: Named<unknown, unknown>,
  before: Run.State,
  decision: unknown
): Effect.Effect<Run.State, Refused> =>
  Effect.gen(function*() {
    const after = yield* Effect.fromResult(
      Run.apply(before, { _tag: "Decided", decision }, { key: agent.options.approvalKey })
    )
    const action = Run.next(after)
    const edited = action._tag === "Check" ? action.calls.find((call) => call.decided === true) : undefined
    if (edited === undefined) return after
    // Arguments that somebody else wrote are decoded as the model's are, before the decision counts.
    const checked = yield* check<never, never>(handlers, edited, before.messages, undefined)
    return checked.verdict === "refuse"
      ? yield* new Run.RunRefusal({ kind: "Malformed", message: checked.message })
      : after
  })

/**
 * Applies a decision to a run that waits, without going on with it. A decision that is malformed, stale, replayed, forged or for
 * another run, call or tool is refused and leaves the state as it was.
 *
 * @stability experimental
 * @category running
 * @since 0.1.0
 */
export const decide = <E, R>(
  agent: Agent<E, R>,
  state: Run.State,
  decision: unknown
): Effect.Effect<Run.State, Run.RunRefusal, R> =>
  Effect.flatMap(
    handlersOf(agent),
    (handlers) => decideWith(agent, withNames(handlers), state, decision)
  ) as Effect.Effect<Run.State, Run.RunRefusal, R>

const sessionOf = (
  agent: Agent<unknown, unknown>,
  state: Run.State,
  held: Control | undefined,
  emit: Session["emit"]
) =>
  Effect.map(held === undefined ? control : Effect.succeed(held), (held) =>
    new Session(state, {
      key: agent.options.approvalKey,
      emit,
      // Controls are made by `control` alone.
      held: held as HeldControl,
      store: agent.options.save
    }))

const silent: Session["emit"] = () => Effect.void

/**
 * Runs an agent to where its run comes to rest. Fails with `RunFailed`, which keeps the state to go on from, and with `RunRefusal` when
 * the input does not fit, such as a decision on a call that does not wait for one.
 *
 * @stability experimental
 * @category running
 * @since 0.1.0
 */
export const run = <E, R>(
  agent: Agent<E, R>,
  input: Input
): Effect.Effect<Outcome, RunFailed<E> | Run.RunRefusal, R | LlmService> =>
  Effect.gen(function*() {
    const { named, resumed, state } = yield* begin(agent, input)
    const session = yield* sessionOf(agent, state, input.control, silent)
    return yield* drive(session, agent.options, named, resumed)
  }) as Effect.Effect<Outcome, RunFailed<E> | Run.RunRefusal, R | LlmService>

/**
 * Options of {@link stream}.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface StreamOptions {
  /** What becomes of the run when nobody reads any more. @default "interrupt" */
  readonly onDisconnect?: "interrupt" | "continue" | undefined
}

/**
 * Runs an agent and tells all that happens: the events of the model as they come, steps, calls with their progress and results, what
 * is used. The last event is `RunEnd`, or the stream fails as {@link run} does. Reading slowly slows the run down.
 *
 * @stability experimental
 * @category running
 * @since 0.1.0
 */
export const stream = <E, R>(
  agent: Agent<E, R>,
  input: Input,
  options: StreamOptions = {}
): Stream.Stream<AgentEvent, RunFailed<E> | Run.RunRefusal, R | LlmService> =>
  Stream.callback<AgentEvent, RunFailed<unknown> | Run.RunRefusal, unknown>(
    (queue) => {
      const driven = Effect.gen(function*() {
        const { named, resumed, state } = yield* begin(agent, input)
        const session = yield* sessionOf(
          agent,
          state,
          input.control,
          (events) => Effect.asVoid(Queue.offerAll(queue, events))
        )
        return yield* drive(session, agent.options, named, resumed)
      })
      const told = Effect.matchCauseEffect(driven, {
        onFailure: (cause) => Queue.failCause(queue, cause),
        onSuccess: () => Queue.end(queue)
      })
      return options.onDisconnect === "continue" ? Effect.forkDetach(told) : told
    },
    { bufferSize: 64 }
  ) as Stream.Stream<AgentEvent, RunFailed<E> | Run.RunRefusal, R | LlmService>

// =============================================================================
// Agents as tools
// =============================================================================

const promptOf = Schema.Struct({ prompt: Schema.String })

/**
 * An agent as the tool of another. Its steps, calls, tokens and cost count for the run that calls it, whose bounds hold for it too; what
 * it waits for, the run above waits for; and it goes on where it was. A run of it that fails is told to the model that called it.
 *
 * @stability experimental
 * @category combinators
 * @since 0.1.0
 */
export const asTool = <const Name extends string, E, R, S extends Schema.Codec<unknown, unknown> = typeof promptOf>(
  agent: Agent<E, R>,
  options: LlmTool.Execution<S["Type"], LlmTool.JsonSchema> & {
    /** The tool's name, as the model above calls it; unique among its tools. */
    readonly name: Name
    /** Tells the model above what the agent is good for. @default none */
    readonly description?: string | undefined
    /** @default an object with a prompt */
    readonly parameters?: S | undefined
    /** What the agent is asked. @default the prompt, or the arguments as JSON */
    readonly toPrompt?: ((params: S["Type"]) => string) | undefined
  }
): Handlers.Handlers<never, R | LlmService> => {
  const { description, name, parameters = promptOf, toPrompt, ...execution } = options
  const tool = LlmTool.make(name, {
    ...execution as LlmTool.Execution<unknown, unknown>,
    description,
    parameters: parameters as Schema.Codec<unknown, unknown>
  })
  const prompt = (params: unknown): string =>
    toPrompt?.(params as S["Type"]) ??
      (typeof params === "object" && params !== null && "prompt" in params && typeof params.prompt === "string"
        ? params.prompt
        : JSON.stringify(params))
  const below = (params: unknown, context: Handlers.CallContext) =>
    Effect.gen(function*() {
      const { idempotencyKey: id, left, nested, tellChild, wentOn } = context
      const input: Input = nested === undefined ? { prompt: prompt(params), id } : { state: nested }
      const { named, resumed, state } = yield* begin(agent, input, left)
      const session = new Session(state, {
        key: agent.options.approvalKey,
        emit: tellChild ?? silent,
        held: (yield* control) as HeldControl,
        store: wentOn
      })
      const outcome = yield* Effect.result(drive(session, agent.options, named, resumed))
      const { spent } = session.state
      if (Result.isFailure(outcome)) {
        return Handlers.output(`The agent failed: ${outcome.failure.message}`, { isError: true, spent })
      }
      const { status, text, state: after, reason, bound } = outcome.success
      if (status === "waiting") return { ...Handlers.later, nested: after }
      return status === "done"
        ? Handlers.output(text, { spent })
        : Handlers.output(`The agent was stopped${bound ?? reason ? ` (${bound ?? reason})` : ""}. ${text}`, {
          isError: text === "",
          spent
        })
    })
  return Handlers.through([tool], (_, params, context) =>
    below(params, context) as Effect.Effect<
      Handlers.Output | Handlers.Later,
      never,
      R | LlmService
    >)
}
