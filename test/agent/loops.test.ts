import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Agent from "../../src/agent/Agent.ts"
import * as Handlers from "../../src/agent/Handlers.ts"
import * as LlmTool from "../../src/LlmTool.ts"
import type * as Message from "../../src/Message.ts"
import { TestLlm } from "../../src/testing/index.ts"

type Calls = ReadonlyArray<readonly [name: string, args: Message.Json]>

const tools = ["read", "write", "list", "wait"].map((name) =>
  LlmTool.make(name, name === "wait" ? { loopKey: false } : {})
)

/** Runs what a model calls step after step, with results by step, and gives how the run ended. */
const ending = (
  script: (step: number) => Calls,
  give: (name: string, args: Message.Json, step: number) => Message.Json = (name) => `${name} gave this`
) =>
  Effect.suspend(() => {
    let step = 0
    const agent = Agent.make({
      tools: Handlers.through(tools, (name, args) => Effect.sync(() => give(name, args, step))),
      bounds: { maxSteps: 14 }
    })
    return Effect.map(Agent.run(agent, { prompt: "Go." }), ({ bound, status }) => bound ?? status).pipe(
      Effect.provide(TestLlm.layer({
        answers: () => {
          const calls = script(++step)
          return calls.length === 0
            ? "Done."
            : calls.map(([name, args], at) => ({ type: "tool-call", id: `${step}-${at}`, name, arguments: args }))
        }
      }))
    )
  })

const circles: { readonly [shape: string]: ReturnType<typeof ending> } = {
  "the same call, the same result": ending(() => [["read", { file: "a" }]]),
  "the same call with its keys in another order": ending((
    n
  ) => [["read", n % 2 === 0 ? { a: 1, b: 2 } : { b: 2, a: 1 }]]),
  "a ping-pong of two": ending((n) => [[n % 2 === 0 ? "read" : "list", {}]]),
  "a round of three": ending((n) => [[["read", "list", "write"][n % 3]!, {}]]),
  "a round of four by arguments": ending((n) => [["read", { n: n % 4 }]]),
  "the same pair side by side": ending(() => [["read", {}], ["list", {}]]),
  "the same pair in changing order": ending((n) =>
    n % 2 === 0 ? [["read", {}], ["list", {}]] : [["list", {}], ["read", {}]]
  ),
  "an error over and over": ending(() => [["read", { file: "none" }]], () => ({ error: "not found" })),
  "empty results": ending(() => [["list", {}]], () => []),
  "a tool that is not there": ending((n) => [["grep", { n }]]),
  "arguments that never fit": ending((n) => [["read", `no object ${n}`]]),
  "progress once, then nothing": ending((n) => [["read", { n: Math.min(n, 3) }]]),
  "one that changes nothing beside one that does not change": ending(() => [["write", { text: "x" }], ["read", {}]])
}

const legitimate: { readonly [shape: string]: ReturnType<typeof ending> } = {
  "polling with changing results": ending((n) => n < 12 ? [["read", {}]] : [], (_, __, n) => `${n} %`),
  "a tool that may be called over and over": ending((n) => n < 12 ? [["wait", {}]] : [], () => "pending"),
  "the same tool with other arguments": ending((n) => n < 12 ? [["read", { file: n }]] : []),
  "pages of a list": ending((n) => n < 12 ? [["list", { page: n }]] : [], () => []),
  "a file read again after each change": ending(
    (n) => n < 12 ? [[n % 2 === 0 ? "write" : "read", n % 2 === 0 ? { text: n } : {}]] : [],
    (name, _, n) => name === "read" ? `version ${n}` : "saved"
  ),
  "one retry of a call that failed": ending(
    (n) => n < 3 ? [["read", {}]] : [],
    (_, __, n) => n === 1 ? "timeout" : "text"
  ),
  "two retries with the same error": ending(
    (n) => n < 4 ? [["read", {}]] : [],
    (_, __, n) => n < 3 ? "timeout" : "text"
  ),
  "the same call twice, then another": ending((n) => n < 10 ? [["read", { n: Math.floor(n / 2) }]] : []),
  "the same three calls, checked twice": ending((n) => n < 7 ? [["read", { n: n % 3 }]] : []),
  "one that repeats beside one that goes on": ending((n) => n < 12 ? [["list", {}], ["read", { n }]] : []),
  "arguments put right at the third try": ending((n) => n > 4 ? [] : [["read", n < 4 ? "no object" : {}]]),
  "many calls at once, alike": ending((n) => n < 2 ? Array.from({ length: 6 }, () => ["read", {}] as const) : []),
  "waiting beside the same look": ending((n) => n < 12 ? [["wait", {}], ["list", {}]] : [])
}

describe("Circles of a run", () => {
  for (const [shape, run] of Object.entries(circles)) {
    it.effect(`ends ${shape}`, () => Effect.map(run, (end) => assert.strictEqual(end, "loop")))
  }
  for (const [shape, run] of Object.entries(legitimate)) {
    it.effect(`does not take for one: ${shape}`, () => Effect.map(run, (end) => assert.strictEqual(end, "done")))
  }
})
