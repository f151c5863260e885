/** The programs that an assistant writes from `llms.txt` do what was asked for. */
import { Effect, Layer, Queue, Terminal } from "effect"
import { readFileSync } from "node:fs"
import { describe, expect, it } from "vitest"
import { Fallback, LlmService, Message } from "../../src/index.ts"
import * as TestLlm from "../../src/testing/TestLlm.ts"
import { chat } from "./task-1-chat.ts"
import { documents, extractAll, policies } from "./task-2-extract.ts"

/** A terminal where these lines are typed; what it shows goes into `screen`. */
const terminal = (lines: ReadonlyArray<string>, screen: Array<string>) =>
  Layer.effect(
    Terminal.Terminal,
    Effect.gen(function*() {
      const input = yield* Queue.make<string>()
      yield* Queue.offerAll(input, lines)
      return Terminal.make({
        columns: Effect.succeed(80),
        rows: Effect.succeed(25),
        size: Effect.never,
        readInput: Effect.never,
        readLine: Queue.take(input),
        display: (text) => Effect.sync(() => void screen.push(text))
      })
    })
  )

const deletes: ReadonlyArray<Message.Part> = [
  { type: "tool-call", id: "call-1", name: "delete_file", arguments: { path: "a.txt" } }
]

const talk = (lines: ReadonlyArray<string>, llm: Layer.Layer<LlmService.LlmService, unknown>) => {
  const screen: Array<string> = []
  return chat.pipe(
    Effect.map((messages) => ({ messages, shown: screen.join("") })),
    Effect.provide([llm, terminal(lines, screen)]),
    Effect.runPromise
  )
}

// When it is not: `forAuthors` of scripts/tables.ts says what is left out.
it("is told in less than 60 KB", () => {
  expect(readFileSync(new URL("../../llms.txt", import.meta.url)).length).toBeLessThan(60 * 1024)
})

describe("a chat", () => {
  it("runs a tool that is approved", async () => {
    const { messages, shown } = await talk(
      ["Delete a.txt", "y", "Thanks", "exit"],
      TestLlm.layer({ answers: [deletes, "It is gone.", "You are welcome."] })
    )
    expect(shown).toContain(`Run delete_file {"path":"a.txt"}? [y/n] `)
    expect(shown).toContain("It is gone.")
    expect(messages.map(({ role }) => role)).toEqual(["user", "assistant", "tool", "assistant", "user", "assistant"])
    expect(Message.parts(messages[2]!)).toMatchObject([{ content: `{"deleted":true}` }])
  })

  it("does not run one that is denied", async () => {
    const { messages } = await talk(
      ["Delete a.txt", "n", "exit"],
      TestLlm.layer({ answers: [deletes, "I leave it."] })
    )
    expect(Message.parts(messages[2]!)).toMatchObject([{ content: expect.stringContaining("The user said no.") }])
  })

  it("goes on with the second provider, and after a failure", async () => {
    const { shown } = await talk(
      ["Hello", "Are you there?", "exit"],
      TestLlm.layer({ answers: [TestLlm.overloaded(), TestLlm.authentication()] }).pipe(
        Fallback.policy(TestLlm.layer({ answers: ["Hello from the second.", TestLlm.authentication()] }))
      )
    )
    expect(shown).toContain("Hello from the second.")
    expect(shown).toContain("FallbackExhausted")
  })
})

describe("an extraction", () => {
  const model = { provider: "anthropic", model: "claude-haiku-4-5" }
  const invoice = (number: string) => JSON.stringify({ number, total: 10, currency: "EUR" })

  it("gives an outcome for each of twenty documents, and asks once for each", () => {
    const { control, service } = TestLlm.make({ ...model, answers: ({ prompt }) => invoice(prompt!) })
    return Effect.gen(function*() {
      const first = yield* extractAll(documents)
      expect(first.map(({ id, status }) => `${id} ${status}`)).toEqual(documents.map(({ id }) => `${id} done`))
      const again = yield* extractAll(documents)
      expect(again.every((one) => one.status === "done" && one.cached)).toBe(true)
      expect(control.started).toBe(20)
    }).pipe(
      Effect.provide(policies(Layer.succeed(LlmService.LlmService, service))),
      Effect.runPromise
    )
  })

  it("says what to do about each failure", () =>
    Effect.gen(function*() {
      const outcomes = yield* extractAll(documents.slice(0, 4))
      expect(outcomes.map(({ status }) => status)).toEqual(["split", "review", "review", "later"])
    }).pipe(
      Effect.provide(TestLlm.layer({
        ...model,
        answers: ({ messages, prompt }) => {
          const asked = prompt ?? Message.textOf(messages![0]!)
          return asked.includes("no. 0")
            ? TestLlm.contextLength()
            : asked.includes("no. 1")
            ? "no invoice"
            : asked.includes("no. 2")
            ? TestLlm.contentPolicy()
            : TestLlm.overloaded()
        }
      })),
      Effect.runPromise
    ))
})
