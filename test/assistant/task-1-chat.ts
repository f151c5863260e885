/**
 * A chat on the command line, as an assistant writes it that has read `llms.txt` and the skill, and nothing else: answers stream, a tool waits
 * for approval, and OpenAI answers when Anthropic cannot.
 */
import { NodeRuntime, NodeServices } from "@effect/platform-node"
import { Console, Effect, Layer, Option, Schema, Stream, Terminal } from "effect"
import { Agent, Anthropic, Fallback, Handlers, LlmTool, Message, OpenAi, Retry, Run, Timeout } from "../../src/index.ts"
import { layerHttpClient } from "../../src/node.ts"

const deleteFile = LlmTool.make("delete_file", {
  description: "Deletes a file",
  parameters: Schema.Struct({ path: Schema.String }),
  success: Schema.Struct({ deleted: Schema.Boolean }),
  needsApproval: true,
  timeout: "10 seconds"
})

const agent = Agent.make({
  instructions: "Help with files. Be brief.",
  tools: Handlers.make([deleteFile], {
    delete_file: ({ path }) => Effect.as(Console.log(`(deleting ${path})`), { deleted: true })
  }),
  bounds: { maxSteps: 10, maxCost: 0.5, maxTime: "5 minutes" }
})

/** One turn: shows the answer as it comes, asks where the run waits for a decision, and gives the history. */
const turn = Effect.fn("turn")(function*(messages: ReadonlyArray<Message.Message>) {
  const terminal = yield* Terminal.Terminal

  const show = (input: Agent.Input) =>
    Agent.stream(agent, input).pipe(
      Stream.tap((event) => {
        switch (event._tag) {
          case "TextDelta":
            return terminal.display(event.text)
          case "AttemptStart":
            return terminal.display(`\n[${event.reason}: once more]\n`)
          case "ToolStart":
            return terminal.display(`\n[${event.toolName} ${JSON.stringify(event.arguments)}]\n`)
          default:
            return Effect.void
        }
      }),
      Stream.runFold(
        Option.none<Agent.Outcome>,
        (last, event) => event._tag === "RunEnd" ? Option.some(event.outcome) : last
      ),
      Effect.flatMap(Effect.fromOption)
    )

  // #region decide
  let outcome = yield* show({ messages })
  while (outcome.waiting.approvals.length > 0) {
    const decisions: Array<Run.Decision> = []
    for (const request of outcome.waiting.approvals) {
      yield* terminal.display(`\nRun ${request.toolName} ${JSON.stringify(request.arguments)}? [y/n] `)
      const answer = yield* terminal.readLine
      decisions.push(answer === "y" ? Run.approve(request) : Run.deny(request, { reason: "The user said no." }))
    }
    outcome = yield* show({ state: outcome.state, decisions })
  }
  // #endregion
  yield* terminal.display("\n")
  return outcome.state.messages
})

export const chat = Effect.gen(function*() {
  const terminal = yield* Terminal.Terminal
  let messages: ReadonlyArray<Message.Message> = []
  while (true) {
    yield* terminal.display("> ")
    const line = yield* terminal.readLine
    if (line === "exit") return messages
    const before: ReadonlyArray<Message.Message> = [...messages, Message.user(line)]
    messages = yield* turn(before).pipe(
      // The question is forgotten; what was said before stays.
      Effect.catchTag("RunFailed", ({ message }) => Effect.as(terminal.display(`\n${message}\n`), messages))
    )
  }
})

const limits = Timeout.policy({ connect: "5 seconds", firstToken: "20 seconds", idle: "30 seconds" })
const retries = Retry.policy({ retries: 2 })

const llm = Anthropic.layerEnv.pipe(
  limits,
  retries,
  Fallback.policy(OpenAi.layerEnv.pipe(limits, retries)),
  Layer.provide(layerHttpClient)
)

if (import.meta.main) NodeRuntime.runMain(chat.pipe(Effect.provide([llm, NodeServices.layer])))
