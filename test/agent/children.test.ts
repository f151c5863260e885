import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import { Agent, LlmService } from "../../src/index.ts"
import * as TestLlm from "../../src/testing/TestLlm.ts"

const call = (id: string, name: string) => ({ type: "tool-call" as const, id, name, arguments: { prompt: "Go on." } })

describe("the events of agents that are tools", () => {
  it.effect("come up to the run above, of any depth, between the start and the result of the call", () =>
    Effect.gen(function*() {
      const grandchild = Agent.make({})
      const child = Agent.make({ tools: Agent.asTool(grandchild, { name: "deeper" }) })
      const agent = Agent.make({ tools: Agent.asTool(child, { name: "ask" }) })
      const { service } = TestLlm.make({
        answers: [call("c1", "ask"), call("c2", "deeper"), "from below", "from the middle", "from above"]
      })
      const events = yield* Agent.stream(agent, { prompt: "Begin." }).pipe(
        Stream.provideService(LlmService.LlmService, service),
        Stream.runCollect
      )
      const told = (event: Agent.AgentEvent): string =>
        event._tag === "ChildEvent"
          ? `${event.toolCallId}>${told(event.event)}`
          : event._tag === "TextDelta"
          ? event.text.trim()
          : event._tag
      const lines = [...events].map(told).filter((line) =>
        /(?:RunStart|RunEnd|ToolStart|ToolResult|below|middle|above)$/.test(line)
      )
      assert.deepStrictEqual(lines, [
        "RunStart",
        "ToolStart",
        "c1>RunStart",
        "c1>ToolStart",
        "c1>c2>RunStart",
        "c1>c2>below",
        "c1>c2>RunEnd",
        "c1>ToolResult",
        "c1>middle",
        "c1>RunEnd",
        "ToolResult",
        "above",
        "RunEnd"
      ])
    }))
})
