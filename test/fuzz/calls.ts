// Makes calls through the public API and says what was wrong with them.
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as HttpClient from "effect/http/HttpClient"
import type * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import type { Policy } from "../../src/index.ts"
import {
  Batch,
  Budget,
  Cache,
  Continue,
  Cost,
  type LlmEvent,
  type LlmRequest,
  LlmResponse,
  LlmService,
  Message,
  Retry,
  Timeout
} from "../../src/index.ts"
import type { AnswerCase, Operation } from "./answers.ts"
import { changedPrototypes, findings, type Outcome } from "./oracle.ts"
import { speakers } from "./wires.ts"

const Answer = Schema.Struct({ item: Schema.String, of: Schema.optional(Schema.Array(Schema.Number)) })

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
  const told = <A, E>(effect: Effect.Effect<A, E, LlmService.LlmService>): Effect.Effect<Outcome> =>
    Effect.map(
      Effect.exit(Effect.provideService(effect, LlmService.LlmService, service)),
      (exit): Outcome => ({ exit })
    )
  switch (operation) {
    case "stream": {
      const events: Array<LlmEvent.LlmEvent> = []
      const run = Effect.suspend(() =>
        Stream.runForEach(service.stream(request), (event) => Effect.sync(() => void events.push(event)))
      )
      return Effect.map(told(run), ({ exit }) => ({ exit, events }))
    }
    case "generate":
      return told(Effect.suspend(() => service.generate(request)))
    case "streamObject":
      return told(Effect.suspend(() => Stream.runDrain(LlmService.streamObject(Answer, request))))
    case "generateObject":
      return told(Effect.suspend(() => LlmService.generateObject(Answer, request)))
    case "countTokens":
      return told(Effect.suspend(() => service.countTokens(request)))
    case "models":
      return told(service.models)
    case "health":
      return told(service.health)
    case "batch":
      return told(
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

/** Makes the call of a case, and the one that follows it; gives what is wrong. */
const program = (given: AnswerCase, client: HttpClient.HttpClient, baseUrl: string) =>
  Effect.gen(function*() {
    const made = yield* speakers[given.wire][given.provider]!({ baseUrl, key: "sk-planted-0123456789-secret" })
    const service = yield* wrapped(made, given.policies)
    const outcome = yield* call(service, given.operation, { ...question, includeRaw: given.policies === 0 })
    const found = [...findings(outcome, given.lost)]
    const response = responseIn(outcome)
    if (response !== undefined && response.parts.length > 0) {
      const next = yield* call(made, "generate", nextTurn(response))
      found.push(...findings(next, false).map((one) => `the next turn: ${one}`))
    }
    return found
  }).pipe(Effect.provideService(HttpClient.HttpClient, client), Effect.scoped)

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
  client: HttpClient.HttpClient,
  baseUrl = "http://fuzz.test/v1",
  virtual = true
): Promise<ReadonlyArray<string>> => judged(program(given, client, baseUrl), virtual)
