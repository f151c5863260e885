/**
 * A service of ours as a language model of the AI SDK.
 *
 * @since 0.1.0
 */
import type {
  LanguageModelV4,
  LanguageModelV4CallOptions,
  LanguageModelV4GenerateResult,
  LanguageModelV4StreamPart,
  LanguageModelV4StreamResult
} from "@ai-sdk/provider"
import * as Cause from "effect/Cause"
import * as Channel from "effect/Channel"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { IncompleteStream, LlmError } from "../../LlmError.ts"
import { isContent, type LlmEvent } from "../../LlmEvent.ts"
import type { Service } from "../../LlmService.ts"
import type { EventsPull } from "../../stream/source.ts"
import { aboutAnswer, finishReason, PartsOut, usageOf, warningsOf } from "./answer.ts"
import { abortOf, errorOf, promptError } from "./errors.ts"
import { type Asked, requestOf } from "./request.ts"

/**
 * Runs effects for callers who do not know Effect.
 *
 * @category models
 * @since 0.1.0
 */
export type Run = <A, E>(effect: Effect.Effect<A, E>, signal?: AbortSignal) => Promise<Exit.Exit<A, E>>

/** Runs one call: its failure is thrown as an error of the AI SDK, its abort as that of its signal. */
const call = async <A>(run: Run, effect: Effect.Effect<A, unknown>, signal: AbortSignal | undefined): Promise<A> => {
  if (signal?.aborted === true) throw abortOf(signal)
  const exit = await run(effect, signal)
  if (Exit.isSuccess(exit)) return exit.value
  throw errorOf(exit.cause, signal)
}

const generate = (service: Service, { request, toolNames, warnings }: Asked): Effect.Effect<
  LanguageModelV4GenerateResult,
  LlmError
> =>
  Effect.gen(function*() {
    const response = yield* service.generate(request)
    const timestamp = new Date(yield* Clock.currentTimeMillis)
    const parts = new PartsOut(toolNames)
    return {
      content: response.parts.flatMap((part, index) => parts.content(part, index)),
      finishReason: finishReason(response),
      usage: usageOf(response.usage),
      ...aboutAnswer(response),
      response: {
        timestamp,
        modelId: response.model,
        ...(response.id === undefined ? undefined : { id: response.id }),
        ...(response.raw === undefined ? undefined : { body: response.raw })
      },
      warnings: [...warnings, ...warningsOf(response.warnings)]
    }
  })

// =============================================================================
// Streams
// =============================================================================

/** A stream that is being read. */
interface Reading {
  readonly scope: Scope.Closeable
  readonly pull: EventsPull
  readonly parts: PartsOut
  readonly timestamp: Date
  /** Parts that were read and not yet given on. */
  ready: Array<LanguageModelV4StreamPart>
  /** Whether the caller has to be told of a failure in the stream, because it has begun. */
  begun: boolean
  done: boolean
}

const take = (reading: Reading, events: ReadonlyArray<LlmEvent>): void => {
  for (const event of events) {
    if (event._tag === "Finish") {
      reading.done = true
      reading.ready.push(...reading.parts.finish(event.response))
      return
    }
    reading.begun ||= isContent(event)
    reading.ready.push(...reading.parts.event(event, reading.timestamp))
  }
}

const incomplete = ({ info }: Service): LlmError =>
  new LlmError({
    provider: info.provider,
    model: info.model,
    label: info.label,
    operation: "stream",
    reason: new IncompleteStream({ message: "The stream ended before its terminal event." }),
    attempts: 1
  })

/** Reads once. A stream that ends without `Finish` fails, whoever made it. */
const read = (service: Service, reading: Reading): Effect.Effect<void, LlmError> =>
  Effect.matchCauseEffect(reading.pull, {
    onSuccess: (events) => Effect.sync(() => take(reading, events)),
    onFailure: (cause): Effect.Effect<void, LlmError> =>
      cause.reasons.some((reason) => Cause.isFailReason(reason) && Cause.isDone(reason.error))
        ? Effect.fail(incomplete(service))
        : Effect.failCause(cause as Cause.Cause<LlmError>)
  })

/** Reads up to the first content, so that a failure before it is a call that failed and can be made again. */
const begin = (service: Service, { request, toolNames, warnings }: Asked): Effect.Effect<Reading, LlmError> =>
  Effect.gen(function*() {
    const scope = yield* Scope.make()
    const closing = (exit: Exit.Exit<unknown, unknown>) => Scope.close(scope, exit)
    return yield* Effect.gen(function*() {
      const reading: Reading = {
        scope,
        pull: yield* Channel.toPullScoped(service.stream(request).channel, scope),
        parts: new PartsOut(toolNames),
        timestamp: new Date(yield* Clock.currentTimeMillis),
        ready: [{ type: "stream-start", warnings: [...warnings] }],
        begun: false,
        done: false
      }
      while (!reading.begun && !reading.done) yield* read(service, reading)
      return reading
    }).pipe(Effect.onExit((exit) => Exit.isSuccess(exit) ? Effect.void : closing(exit)))
  })

const readable = (
  service: Service,
  run: Run,
  reading: Reading,
  signal: AbortSignal | undefined
): ReadableStream<LanguageModelV4StreamPart> => {
  // An abort and a reader that goes away both stop what is being read.
  const gone = new AbortController()
  const close = () => {
    signal?.removeEventListener("abort", aborted)
    gone.abort()
    return run(Scope.close(reading.scope, Exit.void))
  }
  let controller: ReadableStreamDefaultController<LanguageModelV4StreamPart>
  let over = false
  const aborted = () => {
    if (over) return
    over = true
    controller.error(abortOf(signal))
    void close()
  }
  /** Whether there was something to give on: an array of events may say nothing in the AI SDK's words. */
  const next = async (): Promise<boolean> => {
    if (reading.ready.length === 0 && !reading.done) {
      const exit = await run(read(service, reading), gone.signal)
      if (over) return true
      if (Exit.isFailure(exit)) {
        over = true
        controller.enqueue({ type: "error", error: errorOf(exit.cause, signal) })
        controller.close()
        await close()
        return true
      }
    }
    const ready = reading.ready
    reading.ready = []
    for (const part of ready) controller.enqueue(part)
    if (reading.done && !over) {
      over = true
      controller.close()
      await close()
    }
    return ready.length > 0
  }
  return new ReadableStream<LanguageModelV4StreamPart>({
    start: (given) => {
      controller = given
      signal?.addEventListener("abort", aborted, { once: true })
      if (signal?.aborted === true) aborted()
    },
    pull: async () => {
      while (!over && !(await next()));
    },
    cancel: async () => {
      over = true
      await close()
    }
  }, { highWaterMark: 0 })
}

const stream = async (
  service: Service,
  run: Run,
  asked: Asked,
  signal: AbortSignal | undefined
): Promise<LanguageModelV4StreamResult> => {
  const reading = await call(run, begin(service, asked), signal)
  return { stream: readable(service, run, reading, signal) }
}

/** What is no prompt at all is refused as such. */
const asked = (options: LanguageModelV4CallOptions, { info }: Service): Asked => {
  try {
    return requestOf(options, info.provider)
  } catch (cause) {
    throw promptError(options?.prompt, cause)
  }
}

/**
 * A language model over a service that is, or will be, there.
 *
 * @category constructors
 * @since 0.1.0
 */
export const modelOver = (
  info: () => { readonly provider: string; readonly modelId: string },
  supportedUrls: LanguageModelV4["supportedUrls"],
  service: (signal: AbortSignal | undefined) => Promise<Service>,
  run: Run
): LanguageModelV4 => ({
  specificationVersion: "v4",
  get provider() {
    return info().provider
  },
  get modelId() {
    return info().modelId
  },
  supportedUrls,
  doGenerate: async (options) => {
    const made = await service(options.abortSignal)
    return call(run, generate(made, asked(options, made)), options.abortSignal)
  },
  doStream: async (options) => {
    const made = await service(options.abortSignal)
    return stream(made, run, asked(options, made), options.abortSignal)
  }
})
