/**
 * Answers as values of a schema: whole, as they grow, and lists element by element.
 *
 * Public through `LlmService`, which gives these the service of the context.
 *
 * @since 0.1.0
 */
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import type { Json } from "../json/value.ts"
import type { LlmError } from "../LlmError.ts"
import type { LlmEvent } from "../LlmEvent.ts"
import type { LlmRequest } from "../LlmRequest.ts"
import { type LlmResponse, sumUsage, type Usage } from "../LlmResponse.ts"
import type { Capabilities } from "../Model.ts"
import { ask, askAgain, type Asked, type ObjectOptions, readAnswer } from "./asking.ts"
import type { DeepPartial } from "./DeepPartial.ts"
import { guideOf } from "./guide.ts"
import { PartialText } from "./partialText.ts"

/**
 * A value of a schema, and the response it was read from.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface ObjectResponse<out A> {
  /** The decoded object. */
  readonly value: A
  /** The last answer; its usage is that of all answers that were asked for. */
  readonly response: LlmResponse
}

/**
 * What `streamObject` emits: ever more of the value as plain JSON, then the value itself. After a `Retry` it begins anew.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export type ObjectEvent<A, I = Json> =
  | {
    readonly _tag: "Partial"
    /** All that is certain so far, not what was added; parts that did not change are the same references. */
    readonly json: DeepPartial<I>
  }
  | {
    readonly _tag: "Retry"
    /** What was wrong with the answer, which the model is told. */
    readonly error: LlmError
  }
  | {
    readonly _tag: "Object"
    /** The decoded object. */
    readonly value: A
    /** The answer it was read from. */
    readonly response: LlmResponse
  }

/** Of a service: who answers. */
interface Answering {
  readonly info: {
    readonly provider: string
    readonly model: string
    readonly label?: string | undefined
    readonly capabilities: Capabilities
  }
  readonly generate: (request: LlmRequest) => Effect.Effect<LlmResponse, LlmError>
  readonly stream: (request: LlmRequest) => Stream.Stream<LlmEvent, LlmError>
}

/** What was paid for answers that did not fit. */
interface Before {
  readonly usage: Usage | undefined
  readonly left: number
}

const addedTo = (before: Before, usage: Usage | undefined): Usage | undefined =>
  before.usage === undefined || usage === undefined ? before.usage ?? usage : sumUsage(before.usage, usage)

const counted = <A>(found: ObjectResponse<A>, { usage }: Before): ObjectResponse<A> =>
  usage === undefined
    ? found
    : { ...found, response: found.response.with({ usage: sumUsage(usage, found.response.usage) }) }

/** The way on after an answer that does not fit; `undefined` when there is none. A model that declined is not asked again. */
const onward = <A, RD>(
  asked: Asked<A, RD>,
  error: LlmError,
  before: Before
): { readonly asked: Asked<A, RD>; readonly before: Before } | undefined => {
  const { reason } = error
  if (reason._tag !== "StructuredOutput" || before.left === 0) return undefined
  if (reason.kind === "refusal" || reason.kind === "length") return undefined
  return {
    asked: { ...asked, request: askAgain(asked.request, asked.tool, error, reason) },
    before: { usage: addedTo(before, reason.partial?.usage), left: before.left - 1 }
  }
}

/**
 * Answers with a value of a schema.
 *
 * @stability experimental
 * @category accessors
 * @since 0.1.0
 */
export const generate = <A, I, RD>(
  service: Answering,
  schema: Schema.Codec<A, I, RD>,
  request: LlmRequest,
  options: ObjectOptions
): Effect.Effect<ObjectResponse<A>, LlmError, RD> => {
  const attempt = (asked: Asked<A, RD>, before: Before): Effect.Effect<ObjectResponse<A>, LlmError, RD> =>
    service.generate(asked.request).pipe(
      Effect.flatMap((response) => readAnswer(asked, response, "generate")),
      Effect.map((found) => counted(found, before)),
      Effect.catch((error) => {
        const next = onward(asked, error, before)
        return next === undefined ? Effect.fail(error) : attempt(next.asked, next.before)
      })
    )
  return Effect.flatMap(
    ask(service.info, schema, request, options, "generate"),
    (asked) => attempt(asked, { usage: undefined, left: asked.retries })
  )
}

/** The text of an answer, in the pieces it comes in. */
const deltaOf = (event: LlmEvent, tool: string | undefined, calls: Set<string>): string | undefined => {
  if (tool === undefined) return event._tag === "TextDelta" ? event.text : undefined
  if (event._tag === "ToolCallStart" && event.name === tool) calls.add(event.id)
  return event._tag === "ToolCallDelta" && calls.has(event.id) ? event.delta : undefined
}

/** Something of an answer, at once or with work to be done. */
type Made<B, RD> = ReadonlyArray<B> | Effect.Effect<ReadonlyArray<B>, LlmError, RD>

/** What is made of the events of one answer: of each piece of its text, then of the whole. */
const readPieces = <A, B, RD>(
  service: Answering,
  asked: Asked<A, RD>,
  onDelta: (delta: string) => Made<B, RD>,
  onAnswer: (response: LlmResponse) => Effect.Effect<ReadonlyArray<B>, LlmError, RD>
): Stream.Stream<B, LlmError, RD> => {
  const calls = new Set<string>()
  const read = (
    events: ReadonlyArray<LlmEvent>,
    from: number,
    made: Array<B>
  ): Effect.Effect<ReadonlyArray<B>, LlmError, RD> => {
    const goOn = (at: number) => (more: ReadonlyArray<B>) => {
      made.push(...more)
      return read(events, at + 1, made)
    }
    for (let at = from; at < events.length; at++) {
      const event = events[at]!
      if (event._tag === "Finish") return Effect.flatMap(onAnswer(event.response), goOn(at))
      const delta = deltaOf(event, asked.tool, calls)
      if (delta === undefined) continue
      const more = onDelta(delta)
      if (Effect.isEffect(more)) return Effect.flatMap(more, goOn(at))
      made.push(...more)
    }
    return Effect.succeed(made)
  }
  return service.stream(asked.request).pipe(
    Stream.mapArrayEffect((events) => Effect.map(read(events, 0, []), Arr.of)),
    Stream.filter(Arr.isReadonlyArrayNonEmpty),
    Stream.flattenArray
  )
}

/** A stream of answers, each asked for after one that does not fit. */
const answering = <A, B, RD>(
  service: Answering,
  schema: Schema.Codec<A, unknown, RD>,
  request: LlmRequest,
  options: ObjectOptions,
  attempt: (asked: Asked<A, RD>, before: Before) => Stream.Stream<B, LlmError, RD>,
  onRetry: (error: LlmError) => ReadonlyArray<B>
): Stream.Stream<B, LlmError, RD> => {
  const run = (asked: Asked<A, RD>, before: Before): Stream.Stream<B, LlmError, RD> =>
    Stream.catch(attempt(asked, before), (error) => {
      const next = onward(asked, error, before)
      return next === undefined
        ? Stream.fail(error)
        : Stream.concat(Stream.fromIterable(onRetry(error)), run(next.asked, next.before))
    })
  return Stream.unwrap(
    Effect.map(
      ask(service.info, schema, request, options, "stream"),
      (asked) => run(asked, { usage: undefined, left: asked.retries })
    )
  )
}

/**
 * Answers with a value of a schema as it is being written.
 *
 * @stability experimental
 * @category accessors
 * @since 0.1.0
 */
export const stream = <A, I, RD>(
  service: Answering,
  schema: Schema.Codec<A, I, RD>,
  request: LlmRequest,
  options: ObjectOptions
): Stream.Stream<ObjectEvent<A, I>, LlmError, RD> =>
  answering<A, ObjectEvent<A, I>, RD>(
    service,
    schema,
    request,
    options,
    (asked, before) =>
      Stream.suspend(() => {
        const text = new PartialText(guideOf(asked.schema), asked.repair)
        return readPieces<A, ObjectEvent<A, I>, RD>(
          service,
          asked,
          (delta) => {
            const json = text.push(delta)
            return json === undefined ? [] : [{ _tag: "Partial", json: json as DeepPartial<I> }]
          },
          (response) =>
            Effect.map(
              readAnswer(asked, response, "stream"),
              (found) => [{ _tag: "Object", ...counted(found, before) }]
            )
        )
      }),
    (error) => [{ _tag: "Retry", error }]
  )

/**
 * Answers with a list whose elements come as soon as each is whole and decoded. The list is asked for as the only field of an object, which
 * every provider takes.
 *
 * @stability experimental
 * @category accessors
 * @since 0.1.0
 */
export const streamArray = <A, I, RD>(
  service: Answering,
  element: Schema.Codec<A, I, RD>,
  request: LlmRequest,
  options: Omit<ObjectOptions, "retries">
): Stream.Stream<A, LlmError, RD> => {
  const schema = Schema.Struct({ elements: Schema.Array(element) })
  const decode = Schema.decodeEffect(Schema.toCodecJson(element)) as (
    json: Json
  ) => Effect.Effect<A, Schema.SchemaError, RD>
  return answering<{ readonly elements: ReadonlyArray<A> }, A, RD>(
    service,
    schema as unknown as Schema.Codec<{ readonly elements: ReadonlyArray<A> }, unknown, RD>,
    request,
    { ...options, retries: 0 },
    (asked) =>
      Stream.suspend(() => {
        const text = new PartialText(guideOf(asked.schema), asked.repair)
        let given = 0
        const next = (made: Array<A>): Made<A, RD> => {
          const { elements } = text
          if (given >= elements.length) return made
          // What does not decode is the whole answer's to tell, with all of its text.
          return Effect.matchEffect(Effect.suspend(() => decode(elements[given]!)), {
            onFailure: () => {
              given = Infinity
              return Effect.succeed(made)
            },
            onSuccess: (value) => {
              given++
              made.push(value)
              const more = next(made)
              return Effect.isEffect(more) ? more : Effect.succeed(more)
            }
          })
        }
        let shown = 0
        return readPieces<{ readonly elements: ReadonlyArray<A> }, A, RD>(
          service,
          asked,
          (delta) => {
            text.push(delta)
            const made = next([])
            return Effect.isEffect(made)
              ? Effect.tap(made, (values) => Effect.sync(() => void (shown += values.length)))
              : made
          },
          (response) => Effect.map(readAnswer(asked, response, "stream"), ({ value }) => value.elements.slice(shown))
        )
      }),
    () => []
  )
}
