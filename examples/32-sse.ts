/**
 * A stream of answers sent to another process as server-sent events, and a request and an error stored as JSON.
 */
import { Console, Effect, Schema, Stream } from "effect"
import { LlmError, LlmEvent, LlmRequest, LlmResponse, Sse } from "../src/index.ts"
import * as TestLlm from "../src/testing/TestLlm.ts"

const { service } = TestLlm.make({
  answers: ["Lisbon is the capital of Portugal.", TestLlm.failAfter(4, "Lisbon is", TestLlm.overloaded())]
})

// #region send
/** The body of a response; give it `Sse.headers`. */
const body = (request: LlmRequest.LlmRequest): Stream.Stream<Uint8Array> => Sse.encode(service.stream(request))
// #endregion

// #region receive
/** On the other side: the same events, and the same failure. */
const read = (bytes: Stream.Stream<Uint8Array>) =>
  Sse.decode(bytes).pipe(
    Stream.filter(LlmEvent.isTextDelta),
    Stream.runForEach((event) => Console.log(event.text)),
    Effect.catchReason("LlmError", "Overloaded", (reason) => Console.log(`gave up after: ${reason.partial?.text}`))
  )
// #endregion

const request: LlmRequest.LlmRequest = {
  prompt: "What is the capital of Portugal?",
  headers: { "x-trace": "7", authorization: "Bearer mine" }
}

// #region store
const Job = Schema.Struct({
  request: LlmRequest.schema,
  outcome: Schema.Union([LlmResponse.schema, LlmError.schema])
})
const toText = Schema.encodeEffect(Schema.fromJsonString(Job))
// #endregion

const program = Effect.gen(function*() {
  yield* read(body(request))
  // A connection that breaks: never taken for a whole answer.
  yield* read(body(request))
  const broken = Sse.decode(Stream.take(
    Sse.encode(Stream.fromIterable<LlmEvent.LlmEvent>([
      { _tag: "ResponseStart" },
      { _tag: "TextDelta", index: 0, text: "Half of" }
    ])),
    1
  ))
  const outcome = yield* Effect.flip(Stream.runDrain(broken))
  yield* Console.log(`${outcome.reason._tag}: ${outcome.partial?.text}`)
  yield* Console.log(yield* toText({ request, outcome }))
})

await Effect.runPromise(program)
