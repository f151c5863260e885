/**
 * The library for programs that are not written with Effect: promises, async iterables, `AbortSignal`, thrown errors.
 *
 * `make` takes any layer of this library, with its stack of policies, and keeps it in a runtime until `dispose`. Failures are thrown as
 * `LlmError`, whose `reason` says what happened; an abort is thrown as the signal's reason. A loop over a stream that is left early, an
 * abort and `dispose` close the connection.
 *
 * @example
 * ```ts
 * import * as Llm from "effect-llm/promise"
 *
 * await using llm = Llm.make(Anthropic.layerEnv.pipe(Retry.policy(), Fallback.policy(OpenAi.layerEnv)))
 * for await (const event of llm.stream({ prompt: "Hello" }, { signal })) {
 *   if (event._tag === "TextDelta") process.stdout.write(event.text)
 * }
 * ```
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import type * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import type { HttpClient } from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import type * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import { Configuration, IncompleteStream, LlmError, type Operation } from "./LlmError.ts"
import type { LlmEvent } from "./LlmEvent.ts"
import type { LlmRequest } from "./LlmRequest.ts"
import type { LlmResponse } from "./LlmResponse.ts"
import * as LlmService from "./LlmService.ts"
import { type Outside, type Reader, readerOf } from "./stream/outside.ts"

export { isLlmError, LlmError } from "./LlmError.ts"

/**
 * Options of {@link make}.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** What sends requests, such as `layerHttpClient` of `effect-llm/node`. @default `fetch` */
  readonly httpClient?: Layer.Layer<HttpClient> | undefined
}

/**
 * What every call takes.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface CallOptions {
  /** Ends the call; it then throws the signal's reason. */
  readonly signal?: AbortSignal | undefined
}

/**
 * A layer in use. Every call throws `LlmError`, and the reason of its signal when that is aborted.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Client extends AsyncDisposable {
  /** The whole answer. */
  readonly generate: (request: LlmRequest, options?: CallOptions) => Promise<LlmResponse>
  /**
   * The answer as it comes; the last event is `Finish`, or the loop throws. Each loop over it is a call of its own, and leaving one early
   * ends that call.
   */
  readonly stream: (request: LlmRequest, options?: CallOptions) => AsyncIterable<LlmEvent>
  /** A value of a schema; see `LlmService.generateObject`. */
  readonly generateObject: <A, I>(
    schema: Schema.Codec<A, I>,
    request: LlmRequest,
    options?: CallOptions & LlmService.ObjectOptions
  ) => Promise<LlmService.ObjectResponse<A>>
  /** A value of a schema as it is being written; see `LlmService.streamObject`. */
  readonly streamObject: <A, I>(
    schema: Schema.Codec<A, I>,
    request: LlmRequest,
    options?: CallOptions & LlmService.ObjectOptions
  ) => AsyncIterable<LlmService.ObjectEvent<A, I>>
  /** How many input tokens a request has. */
  readonly countTokens: (request: LlmRequest, options?: CallOptions) => Promise<LlmService.TokenCount>
  /** Ends calls that still run, and gives back what the layer holds. Calls after it throw. */
  readonly dispose: () => Promise<void>
}

const aborted = (signal: AbortSignal): unknown =>
  signal.reason ?? new DOMException("The call was aborted.", "AbortError")

const failure = (operation: Operation, reason: LlmError["reason"]): LlmError =>
  new LlmError({ provider: "", model: "", operation, reason, attempts: 0 })

const incomplete = (): LlmError =>
  failure("stream", new IncompleteStream({ message: "The stream ended before its terminal event." }))

const isAborted = (signal: AbortSignal | undefined): signal is AbortSignal => signal?.aborted === true

/** The event after which nothing comes: of an answer, of an object. */
const isLast = ({ _tag }: { readonly _tag: string }): boolean => _tag === "Finish" || _tag === "Object"

/**
 * Takes a layer into use. It is built with the first call; one that cannot be built fails every call, with the layer's own error.
 *
 * @stability experimental
 * @category constructors
 * @since 0.1.0
 */
export const make = <E>(
  layer: Layer.Layer<LlmService.LlmService, E, HttpClient>,
  options: Options = {}
): Client => {
  const runtime = ManagedRuntime.make(Layer.provide(layer, options.httpClient ?? FetchHttpClient.layer))
  let disposed: Promise<void> | undefined
  const outside: Outside<LlmService.LlmService> = {
    run: (effect, signal) => runtime.runPromiseExit(effect, signal === undefined ? {} : { signal }) as never,
    scope: () => Scope.forkUnsafe(runtime.scope)
  }

  const gone = (operation: Operation): LlmError =>
    failure(operation, new Configuration({ message: "The client was disposed." }))

  const thrown = (cause: Cause.Cause<unknown>, operation: Operation, signal: AbortSignal | undefined): unknown => {
    const failed = cause.reasons.find(Cause.isFailReason)
    if (failed !== undefined) return failed.error
    if (isAborted(signal)) return aborted(signal)
    return disposed === undefined ? Cause.squash(cause) : gone(operation)
  }

  const call = async <A, E>(
    effect: Effect.Effect<A, E, LlmService.LlmService>,
    operation: Operation,
    { signal }: CallOptions = {}
  ): Promise<A> => {
    if (isAborted(signal)) throw aborted(signal)
    if (disposed !== undefined) throw gone(operation)
    const exit = await outside.run(effect, signal)
    if (Exit.isSuccess(exit)) return exit.value
    throw thrown(exit.cause, operation, signal)
  }

  const loop = <A extends { readonly _tag: string }>(
    stream: Stream.Stream<A, LlmError, LlmService.LlmService>,
    { signal }: CallOptions = {}
  ): AsyncIterable<A> => ({
    [Symbol.asyncIterator]: () => {
      let reader: Reader<A, LlmError> | undefined
      let ready: ReadonlyArray<A> = []
      let at = 0
      let over = false
      let turn: Promise<unknown> = Promise.resolve()
      const end = async (): Promise<{ readonly done: true; readonly value: undefined }> => {
        over = true
        if (reader !== undefined) {
          open.delete(reader)
          await reader.close()
        }
        return { done: true, value: undefined }
      }
      const refuse = async (error: unknown): Promise<never> => {
        await end()
        throw error
      }
      const step = async (): Promise<IteratorResult<A>> => {
        if (over) return end()
        if (isAborted(signal)) return refuse(aborted(signal))
        if (disposed !== undefined) return refuse(gone("stream"))
        while (at === ready.length) {
          if (reader === undefined) open.add(reader = readerOf(outside, stream, signal))
          const exit = await reader.next()
          if (over) return end()
          if (isAborted(signal)) return refuse(aborted(signal))
          if (disposed !== undefined) return refuse(gone("stream"))
          if (exit === undefined) return refuse(incomplete())
          if (Exit.isFailure(exit)) return refuse(thrown(exit.cause, "stream", signal))
          ready = exit.value
          at = 0
        }
        const value = ready[at++]!
        if (isLast(value)) await end()
        return { done: false, value }
      }
      return {
        next: () => {
          const next = turn.then(step)
          turn = next.catch(() => {})
          return next
        },
        // Not in turn: it ends what a `next` waits for.
        return: end
      }
    }
  })

  const open = new Set<Reader<unknown, unknown>>()

  const dispose = (): Promise<void> =>
    disposed ??= (async () => {
      await Promise.all([...open].map((reader) => reader.close()))
      await runtime.dispose()
    })()

  return {
    generate: (request, options) => call(LlmService.generate(request), "generate", options),
    stream: (request, options) => loop(LlmService.stream(request), options),
    generateObject: (schema, request, options) =>
      call(LlmService.generateObject(schema, request, options), "generate", options),
    streamObject: (schema, request, options) => loop(LlmService.streamObject(schema, request, options), options),
    countTokens: (request, options) => call(LlmService.countTokens(request), "countTokens", options),
    dispose,
    [Symbol.asyncDispose]: dispose
  }
}
