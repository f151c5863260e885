/**
 * A stream that breaks in the middle of a sentence goes on with another provider, in the same stream.
 */
import { Console, Effect, Redacted, Stream } from "effect"
import { Anthropic, Continue, LlmService, OpenAi } from "../src/index.ts"
import { layerHttpClient } from "../src/node.ts"
import * as Simulator from "../src/testing/Simulator.ts"

const apiKey = Redacted.make("simulated-key")
const story = "The lighthouse keeper climbed the stairs, lit the lamp, and waited for the ship that never came."

// #region stack
const stack = (primary: string, backup: string) =>
  Anthropic.layer({ apiKey, baseUrl: primary }).pipe(
    Continue.policy({ candidates: [OpenAi.layer({ apiKey, baseUrl: backup, api: "chat" })] })
  )
// #endregion

const program = Effect.gen(function*() {
  const primary = yield* Simulator.make({
    respondWith: () => Simulator.text(story, { faults: { resetAfter: 9 } })
  })
  const backup = yield* Simulator.make({
    // Asked to begin with the last characters, the model does so; they are cut away at the seam.
    respondWith: ({ bodyText }) => {
      const tail = /<<<(.*?)>>>/.exec(bodyText)?.[1] ?? ""
      return Simulator.text(story.slice(story.indexOf(tail)))
    }
  })
  yield* LlmService.stream({ prompt: "Tell me a very short story." }).pipe(
    // #region events
    Stream.runForEach((event) => {
      switch (event._tag) {
        case "TextDelta":
          return Console.log(`  ${event.text}`)
        case "Continued":
          return Console.log(`${event.from.provider} broke off (${event.reason}); ${event.to.provider} goes on:`)
        case "Finish":
          return Console.log(event.response.text)
        default:
          return Effect.void
      }
    }),
    // #endregion
    Effect.provide(stack(`${primary.url}/v1`, `${backup.url}/v1`))
  )
})

await Effect.runPromise(program.pipe(Effect.scoped, Effect.provide(layerHttpClient)))
