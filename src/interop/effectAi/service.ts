/**
 * A `LanguageModel` of `effect/ai` as a service of ours.
 *
 * @since 0.1.0
 */
import type * as LanguageModel from "effect/ai/LanguageModel"
import type * as Prompt from "effect/ai/Prompt"
import type * as Response from "effect/ai/Response"
import * as Toolkit from "effect/ai/Toolkit"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import type * as Schema from "effect/Schema"
import * as SchemaRepresentation from "effect/SchemaRepresentation"
import * as Stream from "effect/Stream"
import { parseJson } from "../../json/parse.ts"
import * as LlmError from "../../LlmError.ts"
import type { LlmEvent } from "../../LlmEvent.ts"
import { type LlmRequest, messagesOf, type RequestOptions, validate } from "../../LlmRequest.ts"
import type { LlmResponse, Warning } from "../../LlmResponse.ts"
import type { Service, ServiceInfo } from "../../LlmService.ts"
import type { Capabilities } from "../../Model.ts"
import { inputTokens } from "../../model/estimate.ts"
import { leftOut, modelOf, received } from "../../service/addressee.ts"
import { Activity } from "../../stream/activity.ts"
import { withEffectTimeouts, withStreamTimeouts } from "../../stream/timeouts.ts"
import { reasonOf } from "../../transport/Reasons.ts"
import { misfits } from "../../validation/jsonSchema/misfits.ts"
import { brokenDown, toLlmError, type Who } from "./errors.ts"
import { Answer, type Broken } from "./fromParts.ts"
import { toTool } from "./tools.ts"
import { toPrompt } from "./toPrompt.ts"

/**
 * How a `LanguageModel` is made a service.
 *
 * @stability experimental
 * @category options
 * @since 0.1.0
 */
export interface Options {
  /** What the service calls itself. @default the `ProviderName` of `effect/ai` where there is one, else "effect-ai" */
  readonly provider?: string | undefined
  /** @default the `ModelName` of `effect/ai` where there is one, else "" */
  readonly model?: string | undefined
  /** Tells instances apart in telemetry and responses. @default none */
  readonly label?: string | undefined
  /** What the model takes. @default nothing said */
  readonly capabilities?: Capabilities | undefined
  /**
   * What a call runs with, for options that a `LanguageModel` has no words for: the configuration of a provider package, made of the request.
   * What it takes care of is neither refused nor warned of. @default such options are left out with a warning, or refused
   */
  readonly configure?: ((request: LlmRequest) => Context.Context<never>) | undefined
}

// =============================================================================
// What a LanguageModel has no words for
// =============================================================================

/** Without these an answer is another than was asked for. */
const refused = ["stop", "logprobs", "apiKey"] as const

/** Without these it is one. */
const omitted = [
  "maxTokens",
  "temperature",
  "topP",
  "topK",
  "frequencyPenalty",
  "presencePenalty",
  "seed",
  "parallelToolCalls",
  "thinking",
  "effort",
  "cache",
  "providerOptions",
  "headers",
  "includeRaw"
] as const

const isSaid = (request: RequestOptions, field: keyof RequestOptions): boolean => {
  const value = request[field]
  if (value === undefined || value === false) return false
  // A credential shows no keys, and is said all the same.
  return typeof value !== "object" || Object.getPrototypeOf(value) !== Object.prototype || Object.keys(value).length > 0
}

const untold = "A LanguageModel of effect/ai has no such option; set it where its layer is made, or with `configure`."

interface Fitted {
  readonly problem?: LlmError.Reason | undefined
  readonly warnings: ReadonlyArray<Warning>
}

const fit = (request: LlmRequest, info: ServiceInfo, { configure }: Options): Fitted => {
  const issue = validate(request)
  if (issue !== undefined) {
    return {
      problem: new LlmError.Validation({ field: issue.field, message: `${issue.field}: ${issue.message}` }),
      warnings: []
    }
  }
  if (configure !== undefined) return { warnings: leftOut(request, info) }
  const field = refused.find((one) => isSaid(request, one))
  if (field !== undefined) {
    return { problem: new LlmError.Validation({ field, message: `${field}: ${untold}` }), warnings: [] }
  }
  const warnings: Array<Warning> = omitted.filter((one) => isSaid(request, one)).map((one) => ({
    field: one,
    message: untold
  }))
  if (modelOf(request, info) !== info.model) warnings.push({ field: "model", message: untold })
  return { warnings: [...leftOut(request, info), ...warnings] }
}

// =============================================================================
// Asking
// =============================================================================

type AnyOptions = LanguageModel.GenerateTextOptions<any> // oxlint-disable-line typescript/no-explicit-any

const toolkitOf = (tools: NonNullable<LlmRequest["tools"]>) => ({
  tools: Toolkit.make(...tools.map(toTool)).tools,
  handle: () => Effect.die("unreachable: calls are not resolved here")
})

const choiceOf = (choice: LlmRequest["toolChoice"]): AnyOptions["toolChoice"] =>
  typeof choice === "object" ? { tool: choice.name } : choice ?? "auto"

const instructions = (request: LlmRequest): string | undefined =>
  request.responseFormat?.type !== "json"
    ? request.system
    : `${request.system === undefined ? "" : `${request.system}\n\n`}Answer with JSON, and with nothing else.`

const optionsOf = (request: LlmRequest): AnyOptions & { readonly prompt: Prompt.Prompt } => ({
  prompt: toPrompt(messagesOf(request), instructions(request)),
  disableToolCallResolution: true,
  toolCallValidation: "deferred",
  ...(request.tools === undefined || request.tools.length === 0
    ? undefined
    : { toolkit: toolkitOf(request.tools) as never, toolChoice: choiceOf(request.toolChoice) })
})

const schemaOf = (schema: object): Schema.Top | undefined => {
  try {
    const { $defs: definitions = {}, ...rest } = schema as { readonly $defs?: object }
    return SchemaRepresentation.fromJsonSchemaDocument(
      { dialect: "draft-2020-12", schema: rest, definitions: definitions as never },
      { patterns: "ignore" }
    )
  } catch {
    return undefined
  }
}

/** The service of a `LanguageModel`. */
export const make = (model: LanguageModel.LanguageModel, options: Options = {}): Service => {
  const info: ServiceInfo = {
    provider: options.provider ?? "effect-ai",
    model: options.model ?? "",
    ...(options.label === undefined ? undefined : { label: options.label }),
    capabilities: options.capabilities ?? {}
  }

  const whoOf = (request: LlmRequest | undefined, operation: LlmError.Operation): Who => ({
    provider: info.provider,
    model: request === undefined ? info.model : modelOf(request, info),
    label: request?.label ?? info.label,
    operation
  })

  const begin = (request: LlmRequest, warnings: ReadonlyArray<Warning>): Effect.Effect<Answer> =>
    Effect.gen(function*() {
      const answer = new Answer({
        provider: info.provider,
        model: modelOf(request, info),
        label: request.label ?? info.label,
        warnings,
        idSeed: `${Math.abs(yield* Random.nextInt).toString(36)}_`,
        includeRaw: false
      })
      ;(yield* Activity).partialFrom(() => answer.partial)
      return answer
    })

  const errorOf = (broken: Broken, who: Who, partial: LlmResponse | undefined): LlmError.LlmError =>
    "failure" in broken
      ? new LlmError.LlmError({
        ...who,
        reason: reasonOf(broken.failure, { scrub: (text) => text, partial }),
        attempts: 1
      })
      : toLlmError(broken.error, who, partial)

  /** What a `LanguageModel` fails with, and whatever else may become of one. */
  const caught = (cause: Cause.Cause<unknown>, who: Who, answer: Answer): Cause.Cause<LlmError.LlmError> => {
    const failure = cause.reasons.find(Cause.isFailReason)
    if (failure !== undefined) return Cause.fail(toLlmError(failure.error, who, answer.partial))
    return Cause.hasInterruptsOnly(cause)
      ? cause as Cause.Cause<never>
      : Cause.fail(brokenDown(who, answer.partial))
  }

  const configured = <A, E>(effect: Effect.Effect<A, E>, request: LlmRequest): Effect.Effect<A, E> =>
    options.configure === undefined ? effect : Effect.provideContext(effect, options.configure(request))

  /** The events of an answer that is asked for as a whole; the last one is its end. */
  const whole = (
    request: LlmRequest,
    who: Who,
    answer: Answer
  ): Effect.Effect<{ readonly events: ReadonlyArray<LlmEvent>; readonly response: LlmResponse }, LlmError.LlmError> => {
    const format = request.responseFormat
    const schema = format?.type === "json-schema" ? schemaOf(format.schema) : undefined
    if (format?.type === "json-schema" && schema === undefined) {
      return Effect.fail(
        new LlmError.LlmError({
          ...who,
          attempts: 0,
          reason: new LlmError.Validation({
            field: "responseFormat.schema",
            message: "responseFormat.schema: effect/ai cannot be asked for this schema."
          })
        })
      )
    }
    const asked: Effect.Effect<LanguageModel.GenerateTextResponse<{}>, unknown> = Effect.suspend(() =>
      schema === undefined
        ? model.generateText(optionsOf(request) as never)
        : model.generateObject({
          ...optionsOf(request),
          schema,
          ...(format?.type === "json-schema" && format.name !== undefined ? { objectName: format.name } : undefined)
        } as never)
    ) as never
    return configured(asked, request).pipe(
      Effect.catchCause((cause) => Effect.failCause(caught(cause, who, answer))),
      Effect.flatMap((response) => {
        const events = [...answer.push(response.content), ...answer.end(true)]
        const last = events.at(-1)
        if (last?._tag !== "Finish") {
          const broken = answer.broken ?? { error: "The language model gave no answer." }
          return Effect.fail(errorOf(broken, who, answer.partial))
        }
        const found = format?.type === "json-schema" && last.response.finishReason === "stop"
          ? misfits(format.schema, parseJson(last.response.text) ?? null)[0]
          : undefined
        const { response: answered } = last
        return found === undefined ? Effect.succeed({ events, response: answered }) : Effect.fail(errorOf(
          {
            failure: {
              kind: "misfit",
              message: `The answer does not match the schema: ${found.path}: ${found.message}`,
              body: last.response.text
            }
          },
          who,
          last.response
        ))
      })
    )
  }

  const generate = (given: LlmRequest): Effect.Effect<LlmResponse, LlmError.LlmError> =>
    Effect.suspend(() => {
      const request = validate(given) === undefined ? received(given, info) : given
      const { problem, warnings } = fit(request, info, options)
      if (problem !== undefined) {
        return Effect.fail(new LlmError.LlmError({ ...whoOf(undefined, "generate"), reason: problem, attempts: 0 }))
      }
      const who = whoOf(request, "generate")
      return withEffectTimeouts(
        Effect.flatMap(
          begin(request, warnings),
          (answer) => Effect.map(whole(request, who, answer), ({ response }) => response)
        ),
        { total: request.timeouts?.total },
        (phase, limit, partial) =>
          new LlmError.LlmError({ ...who, reason: LlmError.timeout(phase, limit, partial), attempts: 1 })
      )
    })

  const pieces = (request: LlmRequest, who: Who, answer: Answer): Stream.Stream<LlmEvent, LlmError.LlmError> => {
    const asked = Stream.suspend(() =>
      model.streamText(optionsOf(request) as never) as Stream.Stream<Response.StreamPart<{}>, unknown>
    )
    const configuredStream = options.configure === undefined
      ? asked
      : Stream.provideContext(asked, options.configure(request))
    return configuredStream.pipe(
      Stream.catchCause((cause) => Stream.failCause(caught(cause, who, answer))),
      Stream.mapAccumArray(() => answer, (state, parts): readonly [Answer, ReadonlyArray<LlmEvent | undefined>] => {
        const events = state.push(parts)
        return [state, state.broken === undefined ? events : [...events, undefined]]
      }),
      // Nothing is waited for after the end, nor after what broke the answer.
      Stream.takeUntil((event) => event === undefined || event._tag === "Finish"),
      Stream.filter((event) => event !== undefined),
      Stream.concat(Stream.suspend(() => {
        const events = answer.end(false)
        return answer.broken === undefined
          ? Stream.fromIterable(events)
          : Stream.fail(errorOf(answer.broken, who, answer.partial))
      }))
    )
  }

  const stream = (given: LlmRequest): Stream.Stream<LlmEvent, LlmError.LlmError> =>
    Stream.suspend(() => {
      const request = validate(given) === undefined ? received(given, info) : given
      const { problem, warnings } = fit(request, info, options)
      if (problem !== undefined) {
        return Stream.fail(new LlmError.LlmError({ ...whoOf(undefined, "stream"), reason: problem, attempts: 0 }))
      }
      const who = whoOf(request, "stream")
      const { firstToken, idle, total } = request.timeouts ?? {}
      const events = request.responseFormat?.type === "json-schema"
        // `effect/ai` has objects as whole answers alone.
        ? Stream.unwrap(Effect.map(
          begin(request, [...warnings, {
            field: "responseFormat",
            message: "effect/ai gives objects whole; this answer did not stream."
          }]),
          (answer) => Stream.fromIterableEffect(Effect.map(whole(request, who, answer), ({ events }) => events))
        ))
        : Stream.unwrap(Effect.map(begin(request, warnings), (answer) => pieces(request, who, answer)))
      return withStreamTimeouts(
        events,
        { firstToken, idle, total },
        (phase, limit, partial) =>
          new LlmError.LlmError({ ...who, reason: LlmError.timeout(phase, limit, partial), attempts: 1 })
      )
    })

  return {
    info,
    generate,
    stream,
    countTokens: (request) =>
      Effect.suspend(() => {
        const issue = validate(request)
        return issue === undefined
          ? Effect.succeed({ inputTokens: inputTokens(request), estimated: true })
          : Effect.fail(
            new LlmError.LlmError({
              ...whoOf(undefined, "countTokens"),
              reason: new LlmError.Validation({ field: issue.field, message: `${issue.field}: ${issue.message}` }),
              attempts: 0
            })
          )
      }),
    models: Effect.succeed([{ provider: info.provider, id: info.model, capabilities: info.capabilities }]),
    health: Effect.gen(function*() {
      const start = yield* Clock.currentTimeMillis
      yield* Effect.mapError(
        generate({ prompt: "Answer with one word: ready." }),
        (error) => new LlmError.LlmError({ ...whoOf(undefined, "health"), reason: error.reason, attempts: 1 })
      )
      return { latencyMillis: (yield* Clock.currentTimeMillis) - start }
    })
  }
}
