// Makes calls through the public API and says what was wrong with them.
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as HttpClient from "effect/http/HttpClient"
import type * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import {
  Batch,
  Budget,
  Cache,
  Continue,
  Cost,
  LlmError,
  type LlmEvent,
  type LlmRequest,
  LlmResponse,
  LlmService,
  Message,
  type Policy,
  Retry,
  Timeout
} from "../../src/index.ts"
import { type Answer, type AnswerCase, bodyOf, type Operation } from "./answers.ts"
import { changedPrototypes, findings, type Outcome } from "./oracle.ts"
import { speakers } from "./wires.ts"

const Weighed = Schema.Struct({ item: Schema.String, of: Schema.optional(Schema.Array(Schema.Finite)) })

const tools: LlmRequest.LlmRequest["tools"] = [{
  type: "function",
  name: "weigh",
  description: "Weighs.",
  parameters: { type: "object", properties: { item: { type: "string" } }, required: ["item"] }
}]

export const question: LlmRequest.LlmRequest = { messages: [Message.user("How much salt?")], tools, logprobs: true }

/** A policy for each bit. */
const policiesOf = (bits: number): ReadonlyArray<Policy.Policy> =>
  [
    Timeout.policy({ firstToken: "20 seconds", idle: "10 seconds", total: "1 minute" }),
    Retry.policy({ retries: 1 }),
    Cost.policy({ prices: { "openai/gpt-test": { input: 1, output: 2 } } }),
    Cache.policy({ partition: () => "all" }),
    Budget.policy({ limit: 1000, unknownPrice: "allow" }),
    Continue.policy()
  ].filter((_, bit) => (bits & (1 << bit)) !== 0) as unknown as ReadonlyArray<Policy.Policy>

export const wrapped = (service: LlmService.Service, bits: number): Effect.Effect<LlmService.Service, unknown> =>
  policiesOf(bits).reduce<Effect.Effect<LlmService.Service, unknown>>(
    (inner, policy) => Effect.flatMap(inner, policy.wrap),
    Effect.succeed(service)
  )

/** Runs one operation to its end. */
export const call = (
  service: LlmService.Service,
  operation: Operation,
  request: LlmRequest.LlmRequest
): Effect.Effect<Outcome> => {
  const outcomeOf = <A, E>(effect: Effect.Effect<A, E, LlmService.LlmService>): Effect.Effect<Outcome> =>
    Effect.map(
      // Ids that are minted are the same for the same answer.
      Effect.exit(Effect.provideService(effect, LlmService.LlmService, service)).pipe(Random.withSeed("fuzz")),
      (exit): Outcome => ({ exit })
    )
  switch (operation) {
    case "stream": {
      const events: Array<LlmEvent.LlmEvent> = []
      const run = Effect.suspend(() =>
        Stream.runForEach(service.stream(request), (event) => Effect.sync(() => void events.push(event)))
      )
      return Effect.map(outcomeOf(run), ({ exit }) => ({ exit, events }))
    }
    case "generate":
      return outcomeOf(Effect.suspend(() => service.generate(request)))
    case "streamObject":
      return outcomeOf(Effect.suspend(() => Stream.runDrain(LlmService.streamObject(Weighed, request))))
    case "generateObject":
      return outcomeOf(Effect.suspend(() => LlmService.generateObject(Weighed, request)))
    case "countTokens":
      return outcomeOf(Effect.suspend(() => service.countTokens(request)))
    case "models":
      return outcomeOf(service.models)
    case "health":
      return outcomeOf(service.health)
    case "batch":
      return outcomeOf(
        Effect.flatMap(
          Batch.all([request, request]),
          ({ exits }) => Exit.asVoidAll(exits.filter((exit) => exit !== undefined))
        )
      )
  }
}

/** The conversation with what came, as it is sent next. */
const nextTurn = (response: LlmResponse.LlmResponse): LlmRequest.LlmRequest => ({
  ...question,
  messages: [
    Message.user("How much salt?"),
    response.message,
    ...response.toolCalls.map((call) => Message.toolResult(call, "5 g")),
    Message.user("And pepper?")
  ]
})

const responseIn = ({ events, exit }: Outcome): LlmResponse.LlmResponse | undefined => {
  const last = events?.at(-1)
  if (last?._tag === "Finish") return last.response
  return Exit.isSuccess(exit) && exit.value instanceof LlmResponse.LlmResponse ? exit.value : undefined
}

/** What a call came to, without what may differ between two calls that are alike. */
const told = (outcome: Outcome): string => {
  const response = responseIn(outcome)
  if (response !== undefined) {
    const { finishReason, parts, usage, warnings } = response
    return JSON.stringify({ finishReason, parts, usage, warnings })
  }
  const { exit } = outcome
  const error = Exit.isFailure(exit) ? Option.getOrUndefined(Cause.findErrorOption(exit.cause)) : undefined
  return LlmError.isLlmError(error)
    ? JSON.stringify([error.reason._tag, error.reason.message, error.partial?.parts])
    : String(exit)
}

/** An object without a finish reason is a whole answer where one was asked for, and else one frame of a stream that was cut. */
const isFrameOrAnswer = (operation: Operation, outcome: Outcome, other: Outcome): boolean => {
  const [streamed, whole] = operation === "stream" ? [other, outcome] : [outcome, other]
  const response = responseIn(whole)
  return response?.finishReason === "other" && response.rawFinishReason === undefined &&
    told(streamed).startsWith("[\"IncompleteStream\"")
}

/** The same bytes in one piece, and asked for by the other operation, must come to the same. */
const differences = (
  given: AnswerCase,
  serviceOf: (answer: Answer) => Effect.Effect<LlmService.Service, unknown>,
  request: LlmRequest.LlmRequest,
  outcome: Outcome
): Effect.Effect<ReadonlyArray<string>, unknown> =>
  Effect.gen(function*() {
    const found: Array<string> = []
    const service = yield* serviceOf({ ...given.answer, chunks: [bodyOf(given.answer)] })
    for (const operation of ["stream", "generate"] as const) {
      const other = yield* call(service, operation, request)
      if (operation !== given.operation && isFrameOrAnswer(operation, outcome, other)) continue
      if (told(other) !== told(outcome)) {
        found.push(`${operation} of the same bytes in one piece comes to something else
    ${told(outcome)}
    ${told(other)}`)
      } else if (operation === given.operation && JSON.stringify(other.events) !== JSON.stringify(outcome.events)) {
        found.push("the events differ where the same bytes come in one piece")
      }
    }
    return found
  })

/** Makes the call of a case, and the one that follows it; gives what is wrong. */
const program = (given: AnswerCase, clientOf: (answer: Answer) => HttpClient.HttpClient, baseUrl: string) => {
  const serviceOf = (answer: Answer) =>
    Effect.provideService(
      speakers[given.wire][given.provider]!({ baseUrl, key: "sk-planted-0123456789-secret" }),
      HttpClient.HttpClient,
      clientOf(answer)
    )
  return Effect.gen(function*() {
    const made = yield* serviceOf(given.answer)
    const service = yield* wrapped(made, given.policies)
    const request = { ...question, includeRaw: given.policies === 0 }
    const outcome = yield* call(service, given.operation, request)
    const found = [...findings(outcome, given.lost)]
    const whole = given.operation === "stream" || given.operation === "generate"
    if (given.compared && whole && given.policies === 0 && given.answer.ending === "close") {
      found.push(...(yield* differences(given, serviceOf, request, outcome)))
    }
    const response = responseIn(outcome)
    if (response !== undefined && response.parts.length > 0) {
      const next = yield* call(made, "generate", nextTurn(response))
      found.push(...findings(next, false).map((one) => `the next turn: ${one}`))
    }
    return found
  }).pipe(Effect.scoped)
}

const turn = Effect.promise(() => new Promise<void>((resolve) => setImmediate(resolve)))

/** For what is not of this thread, such as a digest or a module that is loaded. */
const pause = Effect.promise(() => new Promise<void>((resolve) => setTimeout(resolve, 20)))

/** Runs in virtual time, which goes on whenever nothing else does; `undefined` when it hangs. */
const inVirtualTime = <A, E>(effect: Effect.Effect<A, E>): Effect.Effect<Exit.Exit<A, E> | undefined> =>
  Effect.gen(function*() {
    const fiber = yield* Effect.forkChild(effect)
    for (let minutes = 0; minutes < 300; minutes++) {
      for (let turns = 0; turns < 25; turns++) {
        const exit = fiber.pollUnsafe()
        if (exit !== undefined) return exit
        yield* minutes < 30 || turns < 24 ? turn : pause
      }
      yield* TestClock.adjust("1 minute")
    }
    fiber.interruptUnsafe()
    return undefined
  }).pipe(Effect.provide(TestClock.layer() as Layer.Layer<never>))

const inRealTime = <A, E>(effect: Effect.Effect<A, E>): Effect.Effect<Exit.Exit<A, E> | undefined> =>
  Effect.map(
    Effect.timeoutOption(Effect.exit(effect), "60 seconds"),
    (exit) => exit._tag === "Some" ? exit.value : undefined
  )

/** Whatever nobody caught while a case ran. */
const uncaught: Array<string> = []
const onUncaught = (error: unknown) => {
  uncaught.push(`nobody caught: ${error instanceof Error ? error.stack ?? error.message : String(error)}`)
}

/** Watches for what nobody catches; gives what stops the watching. */
export const watchUncaught = (): () => void => {
  process.on("unhandledRejection", onUncaught)
  process.on("uncaughtException", onUncaught)
  return () => {
    process.off("unhandledRejection", onUncaught)
    process.off("uncaughtException", onUncaught)
  }
}

/** Runs findings of a case to an end, and adds what it did to the process. */
export const judged = async (
  effect: Effect.Effect<ReadonlyArray<string>, unknown>,
  virtual: boolean
): Promise<ReadonlyArray<string>> => {
  uncaught.length = 0
  const exit = await Effect.runPromise(virtual ? inVirtualTime(effect) : inRealTime(effect))
  await new Promise<void>((resolve) => setImmediate(resolve))
  const own = exit === undefined
    ? ["it hangs"]
    : Exit.isSuccess(exit)
    ? exit.value
    : findings({ exit }, false)
  return [...own, ...uncaught, ...changedPrototypes()]
}

/** What is wrong with a case, if anything is. */
export const run = (
  given: AnswerCase,
  clientOf: (answer: Answer) => HttpClient.HttpClient,
  baseUrl = "http://fuzz.test/v1",
  virtual = true
): Promise<ReadonlyArray<string>> => judged(program(given, clientOf, baseUrl), virtual)
