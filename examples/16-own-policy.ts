/**
 * Three policies of an application's own, made of the pieces that the library's are made of: what starts over never replays what was
 * seen, what is taken for a call is given back however it ends, and both work for whole answers and streams.
 */
import { Console, Effect, Redacted, Stream } from "effect"
import { LlmError, LlmEvent, LlmService, Message, OpenAi, Policy } from "../src/index.ts"
import { layerHttpClient } from "../src/node.ts"
import * as Simulator from "../src/testing/Simulator.ts"

// #region attempts
/** Asks once more with the last messages only when the conversation has outgrown the model. */
const shorten = (keep: number) =>
  Policy.make((service) =>
    Policy.attempts(service, (request) =>
      Effect.succeed({
        first: { service, request },
        next: ({ error, failed }) =>
          error.reason._tag === "ContextLength" && failed.length === 1 && request.messages !== undefined
            ? Effect.succeed({ service, request: { ...request, messages: request.messages.slice(-keep) } })
            : Effect.fail(error)
      }))
  )
// #endregion

// #region held
/** One call at a time; who comes meanwhile is turned away and not kept waiting. */
const oneAtATime = Policy.make((service) => {
  let busy = false
  return Policy.held(service, (request, operation) =>
    Effect.suspend(() => {
      if (busy) {
        const reason = new LlmError.QueueFull({ message: "Another call is under way." })
        return Effect.fail(Policy.rejection(service, request, operation, reason))
      }
      busy = true
      return Effect.succeed({ request, end: () => Effect.sync(() => void (busy = false)) })
    }))
})
// #endregion

// #region observe
/** Counts the characters that were streamed and says how each call ended. */
const watch = (say: (line: string) => void) =>
  Policy.make((service) =>
    Policy.observe(service, () => {
      let characters = 0
      return {
        onEvents: (events) => {
          for (const event of events) if (LlmEvent.isTextDelta(event)) characters += event.text.length
        },
        onEnd: (ending) => say(`${ending._tag} after ${characters} characters`)
      }
    })
  )
// #endregion

const program = Effect.gen(function*() {
  const tooLong = { message: "prompt is too long", code: "context_length_exceeded" }
  const simulator = yield* Simulator.make({
    respondWith: ({ body }) =>
      (body as { readonly input: ReadonlyArray<unknown> }).input.length > 2
        ? Simulator.error(400, tooLong)
        : Simulator.text("Short and to the point.")
  })
  const said: Array<string> = []
  const llm = OpenAi.layer({ apiKey: Redacted.make("simulated-key"), baseUrl: `${simulator.url}/v1` }).pipe(
    shorten(2),
    oneAtATime,
    watch((line) => said.push(line))
  )

  yield* Effect.gen(function*() {
    const messages = Array.from({ length: 5 }, (_, i) => Message.user(`Thought number ${i}`))
    const [first, second] = yield* Effect.all([
      Effect.result(LlmService.generate({ messages })),
      Effect.result(LlmService.generate({ messages }))
    ], { concurrency: 2 })
    yield* Console.log(first._tag === "Success" ? first.success.text : first.failure.message)
    yield* Console.log(second._tag === "Failure" ? second.failure.reason._tag : second.success.text)
    yield* Stream.runDrain(LlmService.stream({ messages }))
    for (const line of said) yield* Console.log(line)
    yield* Console.log(`${simulator.requests.length} requests were sent`)
  }).pipe(Effect.provide(llm))
})

await Effect.runPromise(program.pipe(Effect.scoped, Effect.provide(layerHttpClient)))
