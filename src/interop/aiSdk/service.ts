/**
 * A model of the AI SDK as a service of ours.
 *
 * @since 0.1.0
 */
import type { LanguageModelV2, LanguageModelV3, LanguageModelV4 } from "@ai-sdk/provider"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import * as LlmError from "../../LlmError.ts"
import type { LlmEvent } from "../../LlmEvent.ts"
import type { Issue, LlmRequest } from "../../LlmRequest.ts"
import type { LlmResponse, Warning } from "../../LlmResponse.ts"
import type { Service, ServiceInfo } from "../../LlmService.ts"
import { inputTokens } from "../../model/estimate.ts"
import { record } from "../../protocol/Probe.ts"
import { addressedTo, leftOut } from "../../service/addressee.ts"
import { Activity } from "../../stream/activity.ts"
import type { Events, EventsPull } from "../../stream/source.ts"
import { streamWithTimeouts, withEffectTimeouts } from "../../stream/timeouts.ts"
import { reasonOf } from "../../transport/Reasons.ts"
import { makeScrubber, type Scrub } from "../../transport/secrets/Redaction.ts"
import { secretsOf } from "../../transport/secrets/RequestSecrets.ts"
import { defaultLimits } from "../../transport/Transport.ts"
import { relations, shape } from "../../validation/request.ts"
import { spell, type Spelled, type Target, type Version, wire } from "./callOptions.ts"
import { AnswerIn } from "./decoder.ts"
import { type Around, failed } from "./failures.ts"

/**
 * A model of the AI SDK, of any specification that is spoken.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export type AnyLanguageModel = LanguageModelV2 | LanguageModelV3 | LanguageModelV4

/**
 * What a model says of itself.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Description {
  readonly version: Version
  readonly provider: string
  readonly modelId: string
}

interface Callable {
  readonly doGenerate: (options: object) => PromiseLike<unknown>
  readonly doStream: (options: object) => PromiseLike<unknown>
}

const versions: ReadonlyArray<Version> = ["v2", "v3", "v4"]

// =============================================================================
// URLs
// =============================================================================

const matches = (pattern: string, mediaType: string): boolean =>
  pattern === "*" || pattern === "*/*" || pattern === mediaType ||
  (pattern.endsWith("/*") && mediaType.startsWith(pattern.slice(0, -1)))

/** As the AI SDK itself asks: https://github.com/vercel/ai/blob/main/packages/provider-utils/src/is-url-supported.ts */
const fetching = (supported: unknown): Target["fetches"] => (mediaType, url) => {
  try {
    return Object.entries(record(supported) ?? {}).some(([pattern, urls]) =>
      matches(pattern.toLowerCase(), mediaType.toLowerCase()) && Array.isArray(urls) &&
      urls.some((one) => one instanceof RegExp && new RegExp(one.source, one.flags).test(url.toLowerCase()))
    )
  } catch {
    return false
  }
}

// =============================================================================
// One call
// =============================================================================

interface Call {
  readonly options: object
  readonly answer: AnswerIn
  readonly fail: (reason: LlmError.Reason, requestId?: string) => LlmError.LlmError
  readonly scrub: Scrub
}

const headersOf = (request: LlmRequest): { readonly [name: string]: string } => request.headers ?? {}

/**
 * The service over a model. It holds to what every service does: a stream that ends without its finish part fails, what is thrown is a typed
 * failure, an interrupted call is aborted.
 *
 * @stability experimental
 * @category constructors
 * @since 0.1.0
 */
export const serviceOf = (model: AnyLanguageModel, version: Version, info: ServiceInfo): Service => {
  const callable = model as unknown as Callable

  const failing =
    (request: LlmRequest, operation: LlmError.Operation, attempts = 1): Call["fail"] => (reason, requestId) =>
      new LlmError.LlmError({
        provider: info.provider,
        model: info.model,
        label: typeof request.label === "string" ? request.label : info.label,
        operation,
        reason,
        attempts,
        ...(requestId === undefined ? undefined : { requestId })
      })

  const invalid = (request: LlmRequest, operation: LlmError.Operation, { field, message }: Issue) =>
    failing(request, operation, 0)(new LlmError.Validation({ field, message: `${field}: ${message}` }))

  const asked = (given: LlmRequest, operation: "generate" | "stream"): Effect.Effect<Call, LlmError.LlmError> =>
    Effect.gen(function*() {
      const wrong = shape(given)
      if (wrong !== undefined) return yield* invalid({ prompt: "" }, operation, wrong)
      const request = addressedTo(given, info)
      const issue = relations(request)
      if (issue !== undefined) return yield* invalid(request, operation, issue)
      const supported = yield* Effect.promise(async () => {
        try {
          return await model.supportedUrls
        } catch {
          return {}
        }
      })
      const target: Target = {
        version,
        provider: info.provider,
        modelId: info.model,
        fetches: fetching(supported)
      }
      const spelled: Spelled = spell(request, target)
      if (spelled.refused !== undefined) return yield* invalid(request, operation, spelled.refused)
      const warnings: Array<Warning> = [...leftOut(request, info), ...spelled.warnings]
      const scrub = makeScrubber(secretsOf({ url: "", headers: headersOf(request), secrets: [] }))
      const seed = yield* Random.nextInt
      return {
        options: spelled.options,
        scrub,
        fail: failing(request, operation),
        answer: new AnswerIn(
          {
            wire,
            provider: info.provider,
            model: info.model,
            label: request.label ?? info.label,
            warnings,
            idSeed: `${Math.abs(seed).toString(36)}_`,
            includeRaw: request.includeRaw === true,
            scrub,
            streamed: operation === "stream"
          },
          warnings,
          new Set(request.tools?.flatMap((tool) => tool.type === "custom" ? [tool.name] : []))
        )
      }
    })

  const around = ({ answer, scrub }: Call, reading: boolean): Effect.Effect<Around> =>
    Effect.map(Clock.currentTimeMillis, (nowMillis) => ({
      scrub,
      partial: answer.assembler.partial(),
      nowMillis,
      reading
    }))

  const failure = (call: Call, thrown: unknown, reading: boolean): Effect.Effect<never, LlmError.LlmError> =>
    Effect.flatMap(around(call, reading), (known) => {
      const { reason, requestId } = failed(thrown, known)
      return Effect.fail(call.fail(reason, requestId))
    })

  /** Asks the model; an interruption aborts it, and does not wait for it to agree. */
  const ask = (
    call: Call,
    method: "doGenerate" | "doStream",
    abort?: AbortController
  ): Effect.Effect<unknown, LlmError.LlmError> =>
    Effect.catch(
      Effect.tryPromise({
        try: async (signal) => {
          const merged = abort === undefined ? signal : AbortSignal.any([signal, abort.signal])
          return callable[method]({ ...call.options, abortSignal: merged })
        },
        catch: (thrown) => ({ thrown })
      }),
      ({ thrown }) => failure(call, thrown, false)
    )

  const assembled = (call: Call): Effect.Effect<never, LlmError.LlmError> => {
    const { assembler } = call.answer
    const why = assembler.failure ?? { kind: "incomplete", message: "The model's stream ended before its finish part." }
    return Effect.fail(call.fail(reasonOf(why, { scrub: call.scrub, partial: assembler.partial() })))
  }

  // ---------------------------------------------------------------------------
  // Streams
  // ---------------------------------------------------------------------------

  const open = (request: LlmRequest, scope: Scope.Scope): Effect.Effect<EventsPull, LlmError.LlmError> =>
    Effect.gen(function*() {
      const call = yield* asked(request, "stream")
      const { assembler } = call.answer
      const activity = yield* Activity
      activity.partialFrom(() => assembler.partial())
      const abort = new AbortController()
      let reader: ReadableStreamDefaultReader<unknown> | undefined
      yield* Scope.addFinalizer(
        scope,
        Effect.sync(() => {
          // A model that has said all is let go, not aborted.
          if (!assembler.finished) abort.abort()
          try {
            reader?.cancel().catch(() => {})
          } catch {
            // It is gone already.
          }
        })
      )
      const answered = yield* ask(call, "doStream", abort)
      reader = yield* Effect.try({
        try: () => (answered as { readonly stream: ReadableStream<unknown> }).stream.getReader(),
        catch: () => call.fail(new LlmError.ResponseParse({ message: "The model gave no stream that can be read." }))
      })
      activity.connected()
      return pulling(call, reader, activity)
    })

  const pulling = (call: Call, reader: ReadableStreamDefaultReader<unknown>, activity: Activity): EventsPull => {
    const { assembler } = call.answer
    let told: { readonly thrown: unknown } | undefined
    const next = Effect.tryPromise({ try: () => reader.read(), catch: (thrown) => ({ thrown }) })
    const taken = (): Events | undefined => {
      const out = assembler.out
      assembler.out = []
      return out.length === 0 ? undefined : out as unknown as Events
    }
    const pull: EventsPull = Effect.suspend((): EventsPull => {
      const events = taken()
      if (events !== undefined) return Effect.succeed(events)
      if (assembler.finished) return Cause.done()
      if (told !== undefined) return failure(call, told.thrown, false)
      if (assembler.failure !== undefined) return assembled(call)
      return Effect.matchEffect(next, {
        onFailure: ({ thrown }) => failure(call, thrown, true),
        onSuccess: (result) => {
          activity.touch()
          const read = record(result) as { readonly done?: unknown; readonly value?: unknown } | undefined
          if (read === undefined || read.done === true) call.answer.cut()
          else told = errorIn(read.value)
          if (told === undefined && read?.done !== true) call.answer.read(read?.value)
          return pull
        }
      })
    })
    return pull
  }

  const stream = (request: LlmRequest): Stream.Stream<LlmEvent, LlmError.LlmError> =>
    streamWithTimeouts(
      (scope) => open(request, scope),
      limits(request, "stream"),
      (phase, limit, partial) => failing(request, "stream")(LlmError.timeout(phase, limit, partial))
    )

  // ---------------------------------------------------------------------------
  // Whole answers
  // ---------------------------------------------------------------------------

  const whole = (request: LlmRequest): Effect.Effect<LlmResponse, LlmError.LlmError> =>
    Effect.gen(function*() {
      const call = yield* asked(request, "generate")
      const given = record(yield* ask(call, "doGenerate"))
      const { answer } = call
      for (const part of partsOf(given)) {
        const told = errorIn(part)
        if (told !== undefined) return yield* failure(call, told.thrown, false)
        answer.read(part)
      }
      const last = answer.assembler.out.at(-1)
      return last?._tag === "Finish" ? last.response : yield* assembled(call)
    })

  const limits = (request: LlmRequest, operation: "generate" | "stream") => {
    const { timeouts } = request ?? {}
    return operation === "generate"
      ? { total: timeouts?.total ?? defaultLimits.total }
      : {
        connect: timeouts?.connect ?? defaultLimits.connect,
        firstToken: timeouts?.firstToken ?? defaultLimits.firstToken,
        idle: timeouts?.idle ?? defaultLimits.idle,
        total: timeouts?.total
      }
  }

  return {
    info,
    generate: (request) =>
      Effect.suspend(() =>
        withEffectTimeouts(
          whole(request),
          limits(request, "generate"),
          (phase, limit, partial) => failing(request, "generate")(LlmError.timeout(phase, limit, partial))
        )
      ),
    stream,
    countTokens: (request) =>
      Effect.suspend(() => {
        const issue = shape(request)
        return issue === undefined
          ? Effect.succeed({ inputTokens: inputTokens(request), estimated: true })
          : Effect.fail(invalid({ prompt: "" }, "countTokens", issue))
      }),
    models: Effect.succeed([{ provider: info.provider, id: info.model, capabilities: info.capabilities }]),
    health: Effect.fail(
      failing({ prompt: "" }, "health", 0)(
        new LlmError.Validation({ message: "A model of the AI SDK has no cheap request to probe it with." })
      )
    )
  }
}

/** Whether a part says that the call failed. */
const errorIn = (part: unknown): { readonly thrown: unknown } | undefined => {
  try {
    const given = record(part)
    return given?.["type"] === "error" ? { thrown: given["error"] } : undefined
  } catch {
    return undefined
  }
}

/** A whole answer as the stream that it stands for. */
const partsOf = (given: { readonly [field: string]: unknown } | undefined): ReadonlyArray<unknown> => {
  try {
    if (given === undefined || !Array.isArray(given["content"])) return [{ type: "finish" }]
    const { content, finishReason, providerMetadata, response, usage, warnings } = given
    const body = record(response)?.["body"]
    return [
      { type: "stream-start", warnings },
      { ...record(response), type: "response-metadata" },
      ...(body === undefined ? [] : [{ type: "raw", rawValue: body }]),
      ...content as ReadonlyArray<unknown>,
      { type: "finish", finishReason, usage, providerMetadata }
    ]
  } catch {
    return [{ type: "finish" }]
  }
}

/**
 * What a model says of itself, read once; `undefined` for what is no model of a specification that is spoken.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const describe = (value: unknown): Description | undefined => {
  try {
    const { doGenerate, doStream, modelId, provider, specificationVersion: version } = value as LanguageModelV4
    return (versions as ReadonlyArray<unknown>).includes(version) && typeof doGenerate === "function" &&
        typeof doStream === "function" && typeof provider === "string" && typeof modelId === "string"
      ? { version, provider, modelId }
      : undefined
  } catch {
    return undefined
  }
}
