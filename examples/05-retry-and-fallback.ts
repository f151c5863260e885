/**
 * How calls survive is declared around the layer; the code that calls does not change.
 */
import { Console, Effect, Redacted, Schedule, Stream } from "effect"
import { Anthropic, Fallback, LlmService, OpenAi, Retry, Timeout } from "../src/index.ts"
import { layerHttpClient } from "../src/node.ts"
import * as Simulator from "../src/testing/Simulator.ts"

const apiKey = Redacted.make("simulated-key")

// #region stack
const stack = (primary: string, backup: string) =>
  Anthropic.layer({ apiKey, baseUrl: primary }).pipe(
    Timeout.policy({ connect: "5 seconds", firstToken: "20 seconds", idle: "30 seconds" }),
    Retry.policy({ retries: 2, base: "100 millis" }),
    Fallback.policy(OpenAi.layer({ apiKey, baseUrl: backup }))
  )
// #endregion

// #region schedule
// A retry policy is a Schedule: any other will do.
export const patient = Retry.policy(Schedule.spaced("1 second").pipe(Schedule.upTo({ times: 10 })))
// #endregion

const program = Effect.gen(function*() {
  const primary = yield* Simulator.make({ respondWith: () => Simulator.error(529) })
  const backup = yield* Simulator.make({ respondWith: () => Simulator.text("Still here.") })
  const answer = LlmService.stream({ prompt: "Are you there?" }).pipe(
    Stream.filter((event) => event._tag === "Finish"),
    Stream.runForEach(({ response }) =>
      Console.log(
        `${response.text} (${response.provider}, after ${
          response.priorAttempts?.map((attempt) => `${attempt.provider}: ${attempt.reason}`).join(", ")
        })`
      )
    )
  )
  yield* Effect.provide(answer, stack(`${primary.url}/v1`, `${backup.url}/v1`))
  yield* Console.log(`${primary.requests.length} requests to the primary, ${backup.requests.length} to the backup`)
})

await Effect.runPromise(program.pipe(Effect.scoped, Effect.provide(layerHttpClient)))
