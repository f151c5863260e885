/**
 * Runs that went wrong elsewhere: crashes, cut answers, circles, broken histories, arguments, cancelling, agents below agents.
 */
import { Deferred, Effect, Fiber, Result, Stream } from "effect"
import { Agent, Conversation, Handlers, LlmError, LlmTool, Message, Run } from "../../src/index.ts"
import { TestLlm } from "../../src/testing/index.ts"
import { refusedBy, unpaired } from "../../test/agent/schedules.ts"
import { call, calls, claims, counting, ending, results, type Scenario, script, stored, valid } from "./harness.ts"

/** Saves states as a crash would leave them. */
const saving = () => {
  const states: Array<Run.State> = []
  return { states, save: (state: Run.State) => Effect.sync(() => void states.push(stored(state))) }
}

export const runs: ReadonlyArray<Scenario> = [
  // ---------------------------------------------------------------------------------------------------------------------------------
  {
    title: "after a crash in the middle of a batch nothing that had a result runs again, and what ran is unknown",
    kind: "resumption",
    source: "https://github.com/GEMISIS/leviath/issues/96",
    run: Effect.suspend(() => {
      const { save, states } = saving()
      const quick = counting("quick")
      const slow = counting("slow", {}, () => Effect.never)
      const agent = Agent.make({ tools: Handlers.merge(quick.handlers, slow.handlers), save })
      return script([calls(call("a", "quick"), call("b", "slow")), "Done."], () =>
        Effect.gen(function*() {
          const fiber = yield* Effect.forkChild(Agent.run(agent, { prompt: "Go." }))
          yield* Effect.yieldNow.pipe(
            Effect.repeat({ until: () => states.some(({ turn }) => turn?.calls[0]?.status === "finished") })
          )
          yield* Fiber.interrupt(fiber)
          const then = yield* Agent.run(agent, { state: states.at(-1)! })
          const [lost] = then.waiting.unknown
          const last = yield* Agent.run(agent, {
            state: then.state,
            results: [{ call: lost!.call, content: "it was done" }]
          })
          return claims([quick.ran.length === 1, "quick ran again"], [slow.ran.length === 1, "slow ran again"], [
            last.status === "done" && valid(last.state),
            "did not go on"
          ])
        }))
    })
  },
  {
    title: "a tool that may be repeated runs again with the same key, any other does not",
    kind: "resumption",
    source: "https://github.com/arn0ld87/harness-qwen/issues/8",
    run: Effect.suspend(() => {
      const keys: Array<string> = []
      const note = (_: unknown, { idempotencyKey }: Handlers.CallContext) =>
        Effect.as(Effect.sync(() => keys.push(idempotencyKey)), "ok")
      const { save, states } = saving()
      const again = counting("again", { idempotent: true }, note)
      const once = counting("once", {}, note)
      const agent = Agent.make({ tools: Handlers.merge(again.handlers, once.handlers), save })
      return script([calls(call("a", "again"), call("b", "once")), "Done.", "Done."], () =>
        Effect.gen(function*() {
          yield* Agent.run(agent, { prompt: "Go." })
          const crashed = states.find(({ turn }) => turn?.calls.every(({ status }) => status === "running"))
          if (crashed === undefined) return "no state in which both run was stored"
          const then = yield* Agent.run(agent, { state: crashed })
          return claims([again.ran.length === 2, "was not repeated"], [once.ran.length === 1, "was repeated"], [
            new Set(keys).size === 2,
            "another key"
          ], [then.waiting.unknown.length === 1, "not unknown"])
        }))
    })
  },
  {
    title: "resuming a finished batch asks the model, and runs nothing",
    kind: "resumption",
    source: "https://github.com/mattermost/mattermost-plugin-agents/pull/908",
    run: Effect.suspend(() => {
      const { save, states } = saving()
      const tool = counting("tool")
      const agent = Agent.make({ tools: tool.handlers, save })
      return script(
        [calls(call("a", "tool"), call("b", "tool", { n: 2 })), "Done.", "Done."],
        () =>
          Effect.gen(function*() {
            yield* Agent.run(agent, { prompt: "Go." })
            const between = states.find(({ messages, turn }) => turn === undefined && messages.length === 3)
            const last = yield* Agent.run(agent, { state: between! })
            return claims([tool.ran.length === 2, "ran again"], [
              last.status === "done" && valid(last.state),
              "did not go on"
            ])
          })
      )
    })
  },
  {
    title: "stored states of any point go on to a valid end",
    kind: "resumption",
    source: "https://github.com/apache/maka/pull/1223",
    run: Effect.suspend(() => {
      const { save, states } = saving()
      const tool = counting("tool", { idempotent: true })
      const agent = Agent.make({ tools: tool.handlers, save })
      const answers = [calls(call("a", "tool"), call("b", "tool", { n: 2 })), "Done."]
      return Effect.gen(function*() {
        yield* script(answers, () => Agent.run(agent, { prompt: "Go." }))
        for (const state of states.slice()) {
          const rest = state.step === 0 ? answers : ["Done."]
          const last = yield* script(rest, () => Agent.run(Agent.make({ tools: tool.handlers }), { state }))
          if (last.status !== "done" || !valid(last.state)) return `from revision ${state.revision}: ${last.status}`
        }
        return undefined
      })
    })
  },
  {
    title: "the state of another version, or a damaged one, is refused by name",
    kind: "resumption",
    source: "https://github.com/czpython/druks/pull/632",
    run: script(["Hello."], () =>
      Effect.gen(function*() {
        const { state } = yield* Agent.run(Agent.make({}), { prompt: "Hello." })
        const kind = (value: unknown) => {
          const read = Run.decode(value)
          return Result.isFailure(read) ? read.failure.kind : "taken"
        }
        const kinds = [
          kind({ ...state, version: 0 }),
          kind({ ...state, version: 99 }),
          kind({ ...state, messages: "none" }),
          kind({ ...state, turn: { message: state.messages[0], calls: [{ at: 7, status: "approved" }] } }),
          kind(undefined)
        ]
        return claims([kinds.join() === "Version,Version,Malformed,Malformed,Malformed", kinds.join()])
      }))
  },
  {
    title: "of two that go on from one state, the later one is told",
    kind: "resumption",
    source: "https://github.com/nexu-io/open-design/issues/5490",
    run: script(["One.", "Two."], () =>
      Effect.gen(function*() {
        const store = yield* Conversation.memoryStore
        const before = yield* Conversation.save(store, Conversation.make("c", [Message.user("Hello.")]))
        yield* Conversation.save(store, Conversation.append(before, [Message.assistant("One.")]))
        const late = yield* Effect.result(
          Conversation.save(store, Conversation.append(before, [Message.assistant("Two.")]))
        )
        return claims([Result.isFailure(late) && late.failure._tag === "Conflict", "overwritten"])
      }))
  },
  {
    title: "a second answer to one step is refused",
    kind: "resumption",
    source: "https://github.com/OpenHands/software-agent-sdk/issues/3147",
    run: Effect.sync(() => {
      const begun = Result.getOrThrow(Run.start({ prompt: "Go.", id: "r", at: 0 }))
      const answer: Run.Answer = { parts: [Message.text("Hi.")], finishReason: "stop" }
      const one = Result.getOrThrow(Run.apply(begun, { _tag: "ModelAnswered", step: 1, answer }))
      const two = Run.apply(one, { _tag: "ModelAnswered", step: 1, answer })
      return claims([Result.isFailure(two), "taken"], [one.messages.length === 2, "not one answer"])
    })
  },
  // ---------------------------------------------------------------------------------------------------------------------------------
  {
    title: "an answer cut by length is not asked for again until the limit of steps",
    kind: "cut answers",
    source: "https://github.com/mastra-ai/mastra/issues/15717",
    run: Effect.suspend(() => {
      const tool = counting("write")
      return script(
        () => ending("length", call("a", "write", { text: "Half a" })),
        (control) =>
          Effect.gen(function*() {
            const { finishReason, state, status } = yield* Agent.run(Agent.make({ tools: tool.handlers }), {
              prompt: "Write."
            })
            return claims([control.requests.length === 1, `asked ${control.requests.length} times`], [
              status === "done" && finishReason === "length",
              `${status}, ${finishReason}`
            ], [valid(state), "not valid"])
          })
      )
    })
  },
  {
    title: "the calls of an answer that was cut are not run, whole or not",
    kind: "cut answers",
    source: "https://github.com/ahwurm/localharness/issues/77",
    run: Effect.suspend(() => {
      const tool = counting("write")
      const agent = Agent.make({ tools: tool.handlers })
      return Effect.gen(function*() {
        for (const reason of ["length", "content-filter"] as const) {
          yield* script(
            [ending(reason, call("a", "write"), call("b", "write", { n: 2 }))],
            () => Agent.run(agent, { prompt: "Write." })
          )
        }
        return claims([tool.ran.length === 0, `ran ${tool.ran.length}`])
      })
    })
  },
  {
    title: "of a stream that broke after the first of five calls nothing runs and nothing stays",
    kind: "cut answers",
    source: "https://github.com/shiaho777/web-to-app/issues/748",
    run: Effect.suspend(() => {
      const tool = counting("tool")
      const agent = Agent.make({ tools: tool.handlers })
      const five = calls(...[1, 2, 3, 4, 5].map((n) => call(`c${n}`, "tool", { n })))
      const cut = new LlmError.IncompleteStream({ message: "cut" })
      return script(
        [TestLlm.failAfter(4, five, cut), calls(call("x", "tool", { n: 9 })), "Done."],
        () =>
          Effect.gen(function*() {
            const events = yield* Stream.runCollect(Agent.stream(agent, { prompt: "Go." }))
            const end = events.at(-1)
            return claims([tool.ran.join() === "{\"n\":9}", tool.ran.join()], [
              events.some(({ _tag }) => _tag === "AttemptStart"),
              "the new attempt is not announced"
            ], [
              end?._tag === "RunEnd" && valid(end.outcome.state) && results(end.outcome.state).length === 1,
              "something stayed"
            ])
          })
      )
    })
  },
  {
    title: "a text that is begun anew is announced, and is in the history once",
    kind: "cut answers",
    source: "https://github.com/NuGuardAI/nuguard/issues/455",
    run: script([
      TestLlm.failAfter(4, "One two three", new LlmError.IncompleteStream({ message: "cut" })),
      "One two three four."
    ], () =>
      Effect.gen(function*() {
        const events = yield* Stream.runCollect(Agent.stream(Agent.make({}), { prompt: "Count." }))
        const again = events.findIndex(({ _tag }) => _tag === "AttemptStart")
        const after = events.slice(again).map((event) => event._tag === "TextDelta" ? event.text : "").join("")
        const end = events.at(-1)
        return claims([again > 0, "not announced"], [after === "One two three four.", after], [
          end?._tag === "RunEnd" && end.outcome.text === "One two three four.",
          "another text in the history"
        ])
      }))
  },
  {
    title: "a step that breaks off over and over ends the run, resumable",
    kind: "cut answers",
    source: "https://github.com/vybestack/llxprt-code/issues/3048",
    run: script(
      () => TestLlm.failAfter(4, "One two", new LlmError.IncompleteStream({ message: "cut" })),
      (control) =>
        Effect.gen(function*() {
          const failed = yield* Effect.flip(Agent.run(Agent.make({}), { prompt: "Count." }))
          if (failed._tag !== "RunFailed") return failed.message
          const asked = control.requests.length
          const state = stored(failed.state)
          const last = yield* script(["Fine."], () => Agent.run(Agent.make({}), { state }))
          return claims([asked === 3, `asked ${asked} times`], [last.text === "Fine.", "does not go on"])
        })
    )
  },
  {
    title: "a paused answer goes on by itself",
    kind: "cut answers",
    source: "https://github.com/anthropics/anthropic-sdk-python/pull/1174",
    run: script([ending("pause", Message.text("Searching")), "Found."], (control) =>
      Effect.gen(function*() {
        const { state, text } = yield* Agent.run(Agent.make({}), { prompt: "Find." })
        return claims([text === "Found.", text], [control.requests.length === 2, "not asked again"], [
          control.requests[1]!.messages!.at(-1)!.role === "assistant",
          "something was put in between"
        ], [state.messages.length === 3, "history"])
      }))
  },
  // ---------------------------------------------------------------------------------------------------------------------------------
  {
    title: "the same call with the same result is warned of, refused, stopped",
    kind: "loops",
    source: "https://github.com/earendil-works/pi/issues/9637",
    run: Effect.suspend(() => {
      const noop = counting("noop")
      return script(() => call("a", "noop"), () =>
        Effect.gen(function*() {
          const { bound, state, status } = yield* Agent.run(Agent.make({ tools: noop.handlers }), { prompt: "Go." })
          const texts = results(state).map(({ content }) => String(content))
          return claims([status === "stopped" && bound === "loop", `${status} ${bound}`], [
            noop.ran.length <= 4,
            `ran ${noop.ran.length}`
          ], [
            texts.some((text) => text.includes("will not help")) &&
            texts.some((text) => text.includes("not carried out")),
            "neither warned nor refused"
          ])
        }))
    })
  },
  {
    title: "calls that go round among three tools are a circle",
    kind: "loops",
    source: "https://github.com/superplanehq/superplane/issues/4123",
    run: Effect.suspend(() => {
      const tools = ["resources", "trigger", "components"].map((name) => counting(name, {}, () => Effect.succeed([])))
      let n = 0
      return script(() => call(`c${n}`, tools[n++ % 3]!.tool.name), () =>
        Effect.map(
          Agent.run(Agent.make({ tools: Handlers.merge(...tools.map(({ handlers }) => handlers)) }), { prompt: "Go." }),
          ({ bound }) => claims([bound === "loop", `stopped at ${bound}`], [n <= 9, `${n} steps`])
        ))
    })
  },
  {
    title: "calls of a tool that is not there, over and over, are a circle",
    kind: "loops",
    source: "https://github.com/ebongard/renfield/pull/1071",
    run: Effect.suspend(() => {
      let n = 0
      return script(
        () => call(`c${n}`, "get_it", { n: n++ }),
        () =>
          Effect.map(
            Agent.run(Agent.make({}), { prompt: "Go." }),
            ({ bound, state }) =>
              claims([bound === "loop", `stopped at ${bound}`], [n <= 7, `${n} steps`], [valid(state), "not valid"])
          )
      )
    })
  },
  {
    title: "a model that calls what is refused does not go on for a thousand turns",
    kind: "loops",
    source: "https://github.com/narumiruna/pi-extensions/issues/544",
    run: Effect.suspend(() => {
      const pay = counting("pay", { needsApproval: true })
      let n = 0
      return script(() => call(`c${n++}`, "pay"), () =>
        Effect.gen(function*() {
          const agent = Agent.make({ tools: pay.handlers })
          let outcome = yield* Agent.run(agent, { prompt: "Pay." })
          while (outcome.status === "waiting" && outcome.spent.steps < 20) {
            const decisions = outcome.waiting.approvals.map((request) => Run.deny(request))
            outcome = yield* Agent.run(agent, { state: outcome.state, decisions })
          }
          return claims([outcome.bound === "loop", `${outcome.status} after ${n} steps`], [pay.ran.length === 0, "ran"])
        }))
    })
  },
  {
    title: "polling with results that change is no circle, nor is a tool that says it may be called over and over",
    kind: "loops",
    source: "https://github.com/HKUDS/nanobot/pull/2195",
    run: Effect.suspend(() => {
      let asked = 0
      const changing = counting("status", {}, () => Effect.succeed(`${10 * ++asked} %`))
      const same = counting("wait", { loopKey: false }, () => Effect.succeed("pending"))
      const poll = (name: string) => (_: unknown, { index }: TestLlm.Call) => index < 12 ? call("a", name) : "Done."
      return Effect.gen(function*() {
        const one = yield* script(
          poll("status"),
          () => Agent.run(Agent.make({ tools: changing.handlers }), { prompt: "Go." })
        )
        const two = yield* script(
          poll("wait"),
          () => Agent.run(Agent.make({ tools: same.handlers }), { prompt: "Go." })
        )
        return claims([one.text === "Done.", `the one is ${one.status}`], [
          two.text === "Done.",
          `the other is ${two.status}`
        ])
      })
    })
  },
  {
    title: "a run without an end ends at its limit of steps, with a result for each call",
    kind: "loops",
    source: "https://github.com/coder/agentapi/issues/230",
    run: Effect.suspend(() => {
      let n = 0
      const tool = counting("tool")
      return script(
        () => call(`c${n}`, "tool", { n: n++ }),
        (control) =>
          Effect.map(
            Agent.run(Agent.make({ tools: tool.handlers }), { prompt: "Go." }),
            ({ bound, state, status }) =>
              claims([status === "stopped" && bound === "steps", `${status} ${bound}`], [
                control.requests.length === 20,
                "not 20"
              ], [
                valid(state) && tool.ran.length === 19,
                `ran ${tool.ran.length}`
              ])
          )
      )
    })
  },
  // ---------------------------------------------------------------------------------------------------------------------------------
  {
    title: "at every point that is stored, each call has its result and every wire takes the history",
    kind: "histories",
    source: "https://github.com/anthropics/claude-code/issues/1237",
    run: Effect.suspend(() => {
      const { save, states } = saving()
      const tool = counting("tool")
      const agent = Agent.make({ tools: tool.handlers, save })
      return script(
        [calls(call("a", "tool"), call("b", "nothing")), calls(call("a", "tool", { n: 2 })), "Done."],
        () =>
          Effect.map(
            Agent.run(agent, { prompt: "Go." }),
            () =>
              states.map(({ messages }) => unpaired(messages) ?? refusedBy(messages)).find((why) => why !== undefined)
          )
      )
    })
  },
  {
    title: "each call of a parallel batch has one result",
    kind: "histories",
    source: "https://github.com/NorthlandPositronics/Cogtrix/issues/2278",
    run: Effect.suspend(() => {
      const tool = counting("tool")
      return script(
        [calls(...[1, 2, 3, 4].map((n) => call(`c${n}`, "tool", { n: n % 2 }))), "Done."],
        () =>
          Effect.map(Agent.run(Agent.make({ tools: tool.handlers }), { prompt: "Go." }), ({ state }) =>
            claims([
              results(state).map(({ toolCallId }) => toolCallId).join() === "c1,c2,c3,c4",
              "not one each"
            ]))
      )
    })
  },
  {
    title: "trimming a conversation parts no call from its result",
    kind: "histories",
    source: "https://github.com/OpenHands/OpenHands/issues/7512",
    run: Effect.sync(() => {
      const turn = (n: number) => [
        Message.user(`Question ${n} ${"x".repeat(50)}`),
        Message.assistant([call(`c${n}`, "tool")]),
        Message.toolResult({ id: `c${n}`, name: "tool" }, "y".repeat(50)),
        Message.assistant("Answer.")
      ]
      const whole = Conversation.make("c", [Message.system("Be brief."), ...[1, 2, 3, 4].flatMap(turn)])
      for (let tokens = 0; tokens < 200; tokens++) {
        const { messages } = Conversation.trim(whole, tokens)
        const why = unpaired(messages) ?? refusedBy(messages)
        if (why !== undefined) return `with ${tokens} tokens: ${why}`
      }
      for (let upTo = 0; upTo <= whole.messages.length; upTo++) {
        const why = unpaired(Conversation.fork(whole, "d", upTo).messages.filter(({ role }) => role !== "system"))
        if (why !== undefined) return `forked at ${upTo}: ${why}`
      }
      return undefined
    })
  },
  {
    title: "a context that has outgrown the window is compacted once, and asked with again",
    kind: "growth",
    source: "https://github.com/aaif-goose/goose/pull/1988",
    run: Effect.suspend(() => {
      const read = counting("read", {}, () => Effect.succeed("z".repeat(1000)))
      const agent = Agent.make({ tools: read.handlers, compact: Agent.dropResults({ keep: 1 }) })
      const tooLong = new LlmError.ContextLength({ kind: "tokens", message: "too long" })
      return script(
        [calls(call("a", "read")), calls(call("b", "read", { n: 2 })), tooLong, "Done."],
        (control) =>
          Effect.gen(function*() {
            const { state, text } = yield* Agent.run(agent, { prompt: "Read." })
            const asked = JSON.stringify(control.requests.at(-1)!.messages)
            const circle = yield* Effect.flip(
              script(
                () => tooLong,
                () => Agent.run(agent, { messages: [Message.user("a"), Message.assistant("b"), Message.user("c")] })
              )
            )
            return claims([text === "Done.", text], [asked.length < 2000, "as long as before"], [
              JSON.stringify(state.messages).length > 2000,
              "the history was changed"
            ], [circle._tag === "RunFailed", "went in a circle"])
          })
      )
    })
  },
  {
    title: "a result that is too long keeps its head and tail, with a notice",
    kind: "growth",
    source: "https://github.com/huggingface/smolagents/pull/2379",
    run: Effect.suspend(() => {
      const read = counting("read", {}, () => Effect.succeed(`HEAD${"é".repeat(200_000)}TAIL`))
      return script(
        [call("a", "read"), "Done."],
        () =>
          Effect.map(Agent.run(Agent.make({ tools: read.handlers }), { prompt: "Read." }), ({ state }) => {
            const text = String(results(state)[0]!.content)
            return claims([new TextEncoder().encode(text).length <= 50 * 1024, "too long"], [
              text.startsWith("HEAD") && text.endsWith("TAIL") && text.includes("left out"),
              "not head and tail"
            ], [text.isWellFormed() && !text.includes("\ufffd"), "half a character"])
          })
      )
    })
  },
  // ---------------------------------------------------------------------------------------------------------------------------------
  {
    title: "a tool that is not there is told to the model, with those that are",
    kind: "arguments",
    source: "https://github.com/aliasrobotics/cai/issues/405",
    run: Effect.suspend(() => {
      const tool = counting("real_tool")
      return script(
        [call("a", "generic_command"), "Sorry."],
        () =>
          Effect.map(
            Agent.run(Agent.make({ tools: tool.handlers }), { prompt: "Go." }),
            ({ state, status }) =>
              claims([status === "done", status], [
                String(results(state)[0]!.content).includes("real_tool"),
                "not told"
              ])
          )
      )
    })
  },
  {
    title: "arguments that are no JSON end no run, and never run a tool",
    kind: "arguments",
    source: "https://github.com/TanStack/ai/issues/1131",
    run: Effect.suspend(() => {
      const tool = counting("tool")
      const bad = { ...call("a", "tool", "{\"q\":["), invalid: true as const }
      return script(
        [calls(bad, call("b", "tool")), "Sorry."],
        () =>
          Effect.map(
            Agent.run(Agent.make({ tools: tool.handlers }), { prompt: "Go." }),
            ({ state, status }) =>
              claims([status === "done" && valid(state), status], [tool.ran.join() === "{}", tool.ran.join()])
          )
      )
    })
  },
  {
    title: "arguments of the wrong kind are told with their place, not made into an empty object",
    kind: "arguments",
    source: "https://github.com/brightwave-inc/tidebreak/issues/1084",
    run: Effect.suspend(() => {
      const ran: Array<unknown> = []
      const tool = LlmTool.fromJsonSchema("book", {
        parameters: {
          type: "object",
          properties: {
            on: { type: "string", format: "date" },
            seat: { anyOf: [{ const: "window" }, { const: "aisle" }] }
          },
          required: ["on"]
        }
      })
      const agent = Agent.make({
        tools: Handlers.make([tool], { book: (args) => Effect.sync(() => void ran.push(args)) })
      })
      const wrong = [[], "x", { on: "tomorrow" }, { on: "2026-02-30" }, { on: "2026-02-03", seat: "floor" }, {}]
      return script(
        [calls(...wrong.map((args, n) => call(`c${n}`, "book", args))), "Sorry."],
        () =>
          Effect.map(Agent.run(agent, { prompt: "Go." }), ({ state }) =>
            claims([ran.length === 0, "ran"], [
              String(results(state)[2]!.content).includes(".on"),
              "the place is not told"
            ]))
      )
    })
  },
  // ---------------------------------------------------------------------------------------------------------------------------------
  {
    title: "a handler that does not stop holds nobody up",
    kind: "cancelling",
    source: "https://github.com/guanyilun/agent-sh/pull/90",
    run: Effect.suspend(() => {
      const stubborn = LlmTool.make("stubborn", { timeout: "20 millis" })
      const agent = Agent.make({
        tools: Handlers.make([stubborn], { stubborn: () => Effect.uninterruptible(Effect.never) }),
        grace: "20 millis"
      })
      return script([call("a", "stubborn"), call("a", "stubborn")], () =>
        Effect.gen(function*() {
          const { waiting } = yield* Agent.run(agent, { prompt: "Go." })
          const fiber = yield* Effect.forkChild(Agent.run(agent, { prompt: "Go." }))
          yield* Effect.yieldNow
          yield* Fiber.interrupt(fiber)
          return claims([waiting.unknown.length === 1, "not of unknown outcome"])
        }))
    })
  },
  {
    title: "a tool that hangs is interrupted in time, and the run goes on",
    kind: "cancelling",
    source: "https://github.com/multica-ai/multica/issues/5682",
    run: Effect.suspend(() => {
      const hung = LlmTool.make("hung", { timeout: "20 millis" })
      const agent = Agent.make({ tools: Handlers.make([hung], { hung: () => Effect.never }) })
      return script(
        [call("a", "hung"), "It hangs."],
        () =>
          Effect.map(
            Agent.run(agent, { prompt: "Go." }),
            ({ state, text }) => claims([text === "It hangs.", text], [results(state)[0]!.isError === true, "no error"])
          )
      )
    })
  },
  {
    title: "a call that was approved and interrupted by a stop is not run again",
    kind: "cancelling",
    source: "https://github.com/strands-agents/harness-sdk/pull/3615",
    run: Effect.suspend(() => {
      const pay = counting("pay", { needsApproval: true }, () => Effect.never)
      const agent = Agent.make({ tools: pay.handlers })
      return script([call("a", "pay"), "Stopped, then."], () =>
        Effect.gen(function*() {
          const control = yield* Agent.control
          const first = yield* Agent.run(agent, { prompt: "Pay." })
          const yes = Run.approve(first.waiting.approvals[0]!)
          const fiber = yield* Effect.forkChild(Agent.run(agent, { state: first.state, decisions: [yes], control }))
          yield* Effect.yieldNow.pipe(Effect.repeat({ until: () => pay.ran.length > 0 }))
          yield* control.stop("enough")
          const stopped = yield* Fiber.join(fiber)
          const last = yield* Agent.run(agent, { state: stored(stopped.state), messages: [Message.user("And?")] })
          return claims([stopped.status === "stopped", stopped.status], [pay.ran.length === 1, "ran again"], [
            last.status === "done" && valid(last.state),
            last.status
          ])
        }))
    })
  },
  {
    title: "a stop reaches the tools of an agent below",
    kind: "cancelling",
    source: "https://github.com/tintinweb/pi-subagents/pull/44",
    run: Effect.gen(function*() {
      const running = yield* Deferred.make<void>()
      const stopped = yield* Deferred.make<void>()
      const work = counting("work", {}, () =>
        Effect.andThen(Deferred.succeed(running, undefined), Effect.never).pipe(
          Effect.onInterrupt(() => Deferred.succeed(stopped, undefined))
        ))
      const outer = Agent.make({ tools: Agent.asTool(Agent.make({ tools: work.handlers }), { name: "helper" }) })
      return yield* script([call("o", "helper", { prompt: "Work." }), call("i", "work")], () =>
        Effect.gen(function*() {
          const control = yield* Agent.control
          const fiber = yield* Effect.forkChild(Agent.run(outer, { prompt: "Go.", control }))
          yield* Deferred.await(running)
          yield* control.stop()
          const outcome = yield* Fiber.join(fiber)
          yield* Deferred.await(stopped)
          return claims([outcome.status === "stopped", outcome.status])
        }))
    })
  },
  // ---------------------------------------------------------------------------------------------------------------------------------
  {
    title: "an approval below comes up, and goes down again",
    kind: "nested",
    source: "https://github.com/openai/openai-agents-js/issues/680",
    run: Effect.suspend(() => {
      const pay = counting("pay", { needsApproval: true })
      const inner = Agent.make({ tools: pay.handlers })
      const middle = Agent.make({ tools: Agent.asTool(inner, { name: "clerk" }) })
      const outer = Agent.make({ tools: Agent.asTool(middle, { name: "office" }) })
      return script(
        [
          call("o", "office", { prompt: "Pay." }),
          call("m", "clerk", { prompt: "Pay." }),
          call("i", "pay"),
          "Paid.",
          "Is paid.",
          "All paid."
        ],
        () =>
          Effect.gen(function*() {
            const first = yield* Agent.run(outer, { prompt: "Pay." })
            const last = yield* Agent.run(outer, {
              state: stored(first.state),
              decisions: first.waiting.approvals.map((request) => Run.approve(request))
            })
            return claims([first.waiting.approvals.length === 1, "not asked for"], [
              pay.ran.length === 1,
              `ran ${pay.ran.length}`
            ], [
              last.text === "All paid." && valid(last.state),
              last.text
            ])
          })
      )
    })
  },
  {
    title: "two agents below, alike in all but their run, are decided apart",
    kind: "nested",
    source: "https://github.com/openai/openai-agents-python/issues/5141",
    run: Effect.suspend(() => {
      const pay = counting("pay", { needsApproval: true })
      const outer = Agent.make({
        tools: Agent.asTool(Agent.make({ tools: pay.handlers }), { name: "clerk" }),
        concurrency: 1
      })
      const answers = [
        calls(call("o1", "clerk", { prompt: "Pay 1." }), call("o2", "clerk", { prompt: "Pay 2." })),
        call("i", "pay", { n: 1 }),
        call("i", "pay", { n: 2 }),
        "Paid 2.",
        "Not paid.",
        "Done."
      ]
      return script(answers, () =>
        Effect.gen(function*() {
          const first = yield* Agent.run(outer, { prompt: "Pay." })
          const [one, two] = first.waiting.approvals
          const then = yield* Agent.run(outer, { state: stored(first.state), decisions: [Run.approve(two!)] })
          const last = yield* Agent.run(outer, { state: stored(then.state), decisions: [Run.deny(one!)] })
          return claims([pay.ran.join() === "{\"n\":2}", pay.ran.join()], [
            last.status === "done" && valid(last.state),
            last.status
          ])
        }))
    })
  },
  {
    title: "an approval of one run does not serve another that is alike",
    kind: "nested",
    source: "https://github.com/openai/openai-agents-python/pull/5123",
    run: Effect.suspend(() => {
      const pay = counting("pay", { needsApproval: true })
      const outer = Agent.make({ tools: Agent.asTool(Agent.make({ tools: pay.handlers }), { name: "clerk" }) })
      const answers = [call("o", "clerk", { prompt: "Pay." }), call("i", "pay")]
      return Effect.gen(function*() {
        const one = yield* script(answers, () => Agent.run(outer, { prompt: "Pay." }))
        const two = yield* script(answers, () => Agent.run(outer, { prompt: "Pay." }))
        const crossed = yield* Effect.result(
          Agent.decide(outer, two.state, Run.approve(one.waiting.approvals[0]!)).pipe(
            (decided) => script([], () => decided)
          )
        )
        return claims([Result.isFailure(crossed) && crossed.failure.kind === "Foreign", "taken"])
      })
    })
  },
  {
    title: "two copies of one stored state go on without knowing of one another",
    kind: "nested",
    source: "https://github.com/openai/openai-agents-python/pull/2501",
    run: Effect.suspend(() => {
      const pay = counting("pay", { needsApproval: true })
      const outer = Agent.make({ tools: Agent.asTool(Agent.make({ tools: pay.handlers }), { name: "clerk" }) })
      return Effect.gen(function*() {
        const { state, waiting } = yield* script(
          [call("o", "clerk", { prompt: "Pay." }), call("i", "pay")],
          () => Agent.run(outer, { prompt: "Pay." })
        )
        const [request] = waiting.approvals
        const yes = yield* script(
          ["Paid.", "Yes."],
          () => Agent.run(outer, { state: stored(state), decisions: [Run.approve(request!)] })
        )
        const no = yield* script(
          ["Not.", "No."],
          () => Agent.run(outer, { state: stored(state), decisions: [Run.deny(request!)] })
        )
        return claims([yes.text === "Yes." && no.text === "No.", `${yes.text} ${no.text}`], [
          pay.ran.length === 1,
          "ran"
        ])
      })
    })
  },
  {
    title: "what agents below use counts for the run above",
    kind: "nested",
    source: "https://github.com/anthropics/claude-agent-sdk-typescript/issues/347",
    run: Effect.suspend(() => {
      const tool = counting("tool")
      const outer = Agent.make({ tools: Agent.asTool(Agent.make({ tools: tool.handlers }), { name: "helper" }) })
      return script(
        [call("o", "helper", { prompt: "One two three." }), call("i", "tool"), "Four five.", "Six."],
        () =>
          Effect.map(
            Agent.run(outer, { prompt: "Go." }),
            ({ spent }) =>
              claims([spent.steps === 4 && spent.toolCalls === 2, `${spent.steps} steps, ${spent.toolCalls} calls`], [
                spent.usage.output.total === 3,
                `${spent.usage.output.total} tokens`
              ])
          )
      )
    })
  },
  {
    title: "the limits of a run hold for the agents below",
    kind: "nested",
    source: "https://github.com/pydantic/pydantic-ai-harness/pull/589",
    run: Effect.suspend(() => {
      let n = 0
      const tool = counting("tool")
      const inner = Agent.make({ tools: tool.handlers })
      const outer = Agent.make({ tools: Agent.asTool(inner, { name: "helper" }), bounds: { maxSteps: 5 } })
      return script(
        (_, { index }) => index === 0 ? call("o", "helper", { prompt: "Go." }) : call("i", "tool", { n: n++ }),
        (control) =>
          Effect.map(
            Agent.run(outer, { prompt: "Go." }),
            ({ bound, state }) =>
              claims([control.requests.length === 5, `${control.requests.length} steps`], [
                bound === "steps",
                `${bound}`
              ], [
                valid(state),
                "not valid"
              ])
          )
      )
    })
  }
]
