/**
 * A language model for tests: scripted answers, no network, no luck.
 *
 * `TestLlm.layer({ answers })` provides `LlmService` and the `TestLlm` control, which knows every request and what became
 * of it. Each call takes the next answer that is for it: a text, parts, events, a whole response, a failure, a stream, or a function of the
 * request; `when` makes one that is only for some requests, `gate` one that the test holds back. `generate` is the fold of `stream`, so one answer means the same to both. Time is the `Clock`'s, so
 * delays need a `TestClock`. A call the script does not foresee fails with `Validation` and names the request.
 *
 * It speaks no wire: to test against bytes and broken connections, use `Simulator`.
 *
 * @example
 * ```ts
 * it.effect("asks again when the provider is busy", () =>
 *   Effect.gen(function*() {
 *     const control = yield* TestLlm.TestLlm
 *     const response = yield* LlmService.generate({ prompt: "Hello" })
 *     assert.strictEqual(response.text, "Hi!")
 *     assert.strictEqual(control.requests.length, 2)
 *   }).pipe(Effect.provide(TestLlm.layer({ answers: [TestLlm.overloaded(), "Hi!"] }).pipe(Retry.policy({ base: 0 })))))
 * ```
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Channel from "effect/Channel"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Pull from "effect/Pull"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as LlmError from "../LlmError.ts"
import type { LlmEvent } from "../LlmEvent.ts"
import { type LlmRequest, messagesOf, validate } from "../LlmRequest.ts"
import { emptyUsage, LlmResponse } from "../LlmResponse.ts"
import { LlmService, type Service, type ServiceInfo } from "../LlmService.ts"
import { textOf } from "../Message.ts"
import { PartsFold } from "../message/partsFold.ts"
import { modelOf, received } from "../service/addressee.ts"
import { Activity } from "../stream/activity.ts"
import { type Answer, type Failure, inputWords, play, withPartial } from "./scripted/Answer.ts"
import { type Expectation, Script as Left } from "./scripted/Expectation.ts"

export {
  type Answer,
  type Circumstances,
  cutAfter,
  delayed,
  failAfter,
  type Failure,
  hangAfter,
  never,
  paced,
  type Script
} from "./scripted/Answer.ts"
export { type Expectation, type Match, when } from "./scripted/Expectation.ts"
export { type Gate, gate } from "./scripted/Gate.ts"
export * from "./scripted/Reasons.ts"

// =============================================================================
// Models
// =============================================================================

/**
 * A call as the control saw it.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface Call {
  /** 0 for the first call. */
  readonly index: number
  /** How the answer was asked for. */
  readonly operation: "generate" | "stream"
  /** The request as it reached the service, changed by the policies above it. */
  readonly request: LlmRequest
  /** `interrupted` also when a consumer stopped reading before the end. */
  readonly status: "running" | "finished" | "failed" | "interrupted"
}

/**
 * What happened so far. Every started call is finished, failed, interrupted, or still running.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface Control {
  /** Every request, in order, unexpected ones included. */
  readonly requests: ReadonlyArray<LlmRequest>
  /** Every call, in the order they started; the array is as of now. */
  readonly calls: ReadonlyArray<Call>
  /** Calls that started: the sum of the four counts below. */
  readonly started: number
  /** Calls that gave their whole answer. */
  readonly finished: number
  /** Calls that failed with an `LlmError`. */
  readonly failed: number
  /** Calls that nobody waited for to the end. */
  readonly interrupted: number
  /** Calls that are under way. */
  readonly running: number
  /** Answers no call has taken yet; 0 when a function answers. */
  readonly remaining: number
  /** What the script still expects, in words; an expectation that may be met any number of times is not among it. */
  readonly open: ReadonlyArray<string>
  /** Fails when the script still expects a call, or when one came that it did not foresee. */
  readonly verify: Effect.Effect<void, LlmError.LlmError>
  /** Adds answers to the end of the script. */
  readonly push: (...answers: ReadonlyArray<Answer | Expectation>) => Effect.Effect<void>
}

/**
 * The tag of the {@link Control} that {@link layer} provides.
 *
 * @stability stable
 * @category services
 * @since 0.1.0
 */
export class TestLlm extends Context.Service<TestLlm, Control>()("effect-llm/testing/TestLlm") {}

/**
 * A scripted service.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /**
   * One answer per call, in order, those of {@link when} for the calls they are for; or a function that answers every call.
   *
   * @default none: every call fails
   */
  readonly answers?: ReadonlyArray<Answer | Expectation> | ((request: LlmRequest, call: Call) => Answer) | undefined
  /** @default "test" */
  readonly provider?: string | undefined
  /** @default "test-model" */
  readonly model?: string | undefined
  /** Label of the service, as in `ServiceInfo`. @default none */
  readonly label?: string | undefined
  /** What the service says it takes. @default nothing said */
  readonly capabilities?: ServiceInfo["capabilities"] | undefined
}

// =============================================================================
// Constructors
// =============================================================================

interface Running {
  readonly index: number
  readonly operation: "generate" | "stream"
  readonly request: LlmRequest
  status: Call["status"]
}

/**
 * Makes a scripted service and its control.
 *
 * @stability stable
 * @category constructors
 * @since 0.1.0
 */
export const make = (options: Options = {}): { readonly service: Service; readonly control: Control } => {
  const info: ServiceInfo = {
    provider: options.provider ?? "test",
    model: options.model ?? "test-model",
    ...(options.label === undefined ? undefined : { label: options.label }),
    capabilities: options.capabilities ?? {}
  }
  const answers = options.answers ?? []
  const left = new Left()
  if (typeof answers !== "function") left.add(answers)
  const unforeseen: Array<string> = []
  const calls: Array<Running> = []
  const count = (status: Call["status"]) => calls.filter((call) => call.status === status).length

  const control: Control = {
    get requests() {
      return calls.map((call) => call.request)
    },
    get calls() {
      return calls.slice()
    },
    get started() {
      return calls.length
    },
    get finished() {
      return count("finished")
    },
    get failed() {
      return count("failed")
    },
    get interrupted() {
      return count("interrupted")
    },
    get running() {
      return count("running")
    },
    get remaining() {
      return left.remaining
    },
    get open() {
      return left.open
    },
    verify: Effect.suspend(() => {
      const problems = [...unforeseen, ...left.open.map((one) => `Nobody made ${one}.`)]
      const message = problems.join("\n")
      return problems.length === 0
        ? Effect.void
        : Effect.fail(errorFor({ prompt: "" }, "generate")(new LlmError.Validation({ field: "answers", message })))
    }),
    push: (...more) => Effect.sync(() => left.add(more))
  }

  const errorFor =
    (request: LlmRequest, operation: LlmError.Operation) => (reason: LlmError.Reason): LlmError.LlmError => {
      // What is no request has no model and no label either.
      const asked = validate(request) === undefined ? request : undefined
      return new LlmError.LlmError({
        provider: info.provider,
        model: asked === undefined ? info.model : modelOf(asked, info),
        label: asked?.label ?? info.label,
        operation,
        reason,
        attempts: 1
      })
    }

  /** The next answer; taken when the call starts. */
  const take = (call: Running): Answer => {
    const issue = validate(call.request)
    if (issue !== undefined) {
      return new LlmError.Validation({ message: `${issue.field}: ${issue.message}`, field: issue.field })
    }
    const found = left.take(call.request)
    if (found !== undefined) return found.answer
    if (typeof answers === "function") return answers(call.request, call)
    const expected = left.open
    const message = `Unexpected call ${call.index + 1} (${call.operation}): the script has ${answers.length} answer${
      answers.length === 1 ? "" : "s"
    }. The request was ${describe(call.request)}.${
      expected.length === 0 ? "" : ` Expected is ${expected.join(", or ")}.`
    }`
    unforeseen.push(message)
    return new LlmError.Validation({ field: "answers", message })
  }

  const open = (
    given: LlmRequest,
    operation: "generate" | "stream",
    scope: Scope.Scope
  ): Effect.Effect<{ readonly pull: Pull.Pull<readonly [LlmEvent, ...Array<LlmEvent>], LlmError.LlmError> }> =>
    Effect.gen(function*() {
      const request = received(given, info)
      const call: Running = { index: calls.length, operation, request, status: "running" }
      calls.push(call)
      const fail = errorFor(request, operation)
      const fold = new PartsFold()
      let begun = false
      const partial = () =>
        begun
          ? new LlmResponse({
            parts: fold.parts(),
            finishReason: "other",
            usage: fold.usage ?? emptyUsage,
            model: fold.model ?? modelOf(request, info),
            provider: info.provider,
            label: request.label ?? info.label,
            id: fold.id,
            warnings: []
          })
          : undefined
      const activity = yield* Activity
      activity.partialFrom(partial)
      yield* Scope.addFinalizer(
        scope,
        Effect.sync(() => {
          if (call.status === "running") call.status = "interrupted"
        })
      )
      const answer = take(call)
      const answered = yield* Channel.toPullScoped(
        Stream.suspend(() => play(answer, { info, request, index: call.index })).channel,
        scope
      )
      const failed = (error: Failure) => {
        call.status = "failed"
        return Effect.fail(LlmError.isLlmError(error) ? error : fail(withPartial(error, partial())))
      }
      const pull = Pull.matchEffect(answered, {
        onSuccess: (events) => {
          activity.touch()
          for (const event of events) {
            begun = true
            if (event._tag === "Finish") call.status = "finished"
            else fold.add(event)
          }
          return Effect.succeed(events)
        },
        onFailure: (cause): Effect.Effect<never, LlmError.LlmError> => {
          const [first] = cause.reasons
          return first !== undefined && Cause.isFailReason(first)
            ? failed(first.error)
            : Effect.failCause(cause as Cause.Cause<never>)
        },
        onDone: (): Pull.Pull<never, LlmError.LlmError> =>
          call.status === "finished"
            ? Cause.done()
            : failed(new LlmError.IncompleteStream({ message: "The stream ended before its terminal event." }))
      })
      return { pull }
    })

  const stream = (request: LlmRequest) =>
    Stream.fromChannel(
      Channel.fromTransform((_: unknown, scope: Scope.Scope) => {
        let pull: Pull.Pull<readonly [LlmEvent, ...Array<LlmEvent>], LlmError.LlmError> = Effect.flatMap(
          Effect.suspend(() => open(request, "stream", scope)),
          (opened) => {
            pull = opened.pull
            return pull
          }
        )
        return Effect.succeed(Effect.suspend(() => pull))
      })
    )

  const generate = (request: LlmRequest) =>
    Effect.scopedWith((scope) =>
      Effect.flatMap(open(request, "generate", scope), ({ pull }) => {
        const step: Effect.Effect<LlmResponse, LlmError.LlmError> = Pull.matchEffect(pull, {
          onSuccess: (events) => {
            const last = events[events.length - 1]!
            return last._tag === "Finish" ? Effect.succeed(last.response) : step
          },
          onFailure: Effect.failCause,
          onDone: () => Effect.die("unreachable: a pull ends after Finish or a failure")
        })
        return step
      })
    )

  const service: Service = {
    info,
    generate,
    stream,
    countTokens: (request) =>
      Effect.suspend(() => {
        const issue = validate(request)
        return issue === undefined
          ? Effect.succeed({ inputTokens: inputWords(request), estimated: true })
          : Effect.fail(errorFor(request, "countTokens")(new LlmError.Validation(issue)))
      }),
    models: Effect.succeed([{ provider: info.provider, id: info.model, capabilities: info.capabilities }]),
    health: Effect.succeed({ latencyMillis: 0 })
  }
  return { service, control }
}

/**
 * Provides a scripted service and its control. Policies piped over it keep the control.
 *
 * @stability stable
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: Options = {}): Layer.Layer<LlmService | TestLlm> =>
  Layer.effectContext(Effect.sync(() => {
    const { control, service } = make(options)
    return Context.make(LlmService, service).pipe(Context.add(TestLlm, control))
  }))

/**
 * Answers every call with the text of its last user message, streamed in words.
 *
 * @stability stable
 * @category layers
 * @since 0.1.0
 */
export const echo: Layer.Layer<LlmService | TestLlm> = layer({
  answers: (request) => lastUserText(request)
})

const lastUserText = (request: LlmRequest): string => {
  const message = messagesOf(request).findLast((message) => message.role === "user")
  return message === undefined ? "" : textOf(message)
}

const describe = (request: LlmRequest): string => {
  const messages = messagesOf(request)
  const last = messages[messages.length - 1]!
  const text = textOf(last)
  const shown = text.length > 80 ? `${text.slice(0, 80)}…` : text
  const model = request.model === undefined ? "" : `, model ${request.model}`
  return `${last.role}: "${shown}" (${messages.length} message${messages.length === 1 ? "" : "s"}${model})`
}
