/**
 * Approvals and deferred results that went wrong elsewhere.
 */
import { Effect, Result, Schema } from "effect"
import { Agent, Handlers, LlmTool, Message, Run } from "../../src/index.ts"
import { call, calls, claims, counting, refusal, results, type Scenario, script, stored, valid } from "./harness.ts"

const gated = (answers: ReadonlyArray<ReadonlyArray<Message.Part> | string>, options = {}) => {
  const pay = counting("pay", { needsApproval: true, ...options })
  const agent = Agent.make({ tools: pay.handlers })
  return { agent, pay, answers, first: Agent.run(agent, { prompt: "Pay." }) }
}

export const approvals: ReadonlyArray<Scenario> = [
  {
    title: "the same approval given twice runs the tool once",
    kind: "approvals",
    source: "https://github.com/OpenRouterTeam/typescript-sdk/issues/518",
    run: Effect.suspend(() => {
      const { agent, answers, first, pay } = gated([calls(call("a", "pay")), "Paid."])
      return script(answers, () =>
        Effect.gen(function*() {
          const { state, waiting } = yield* first
          const yes = Run.approve(waiting.approvals[0]!)
          const both = yield* Effect.result(Agent.run(agent, { state, decisions: [yes, yes] }))
          yield* Agent.run(agent, { state, decisions: [yes] })
          return claims([Result.isFailure(both), "the second approval was taken"], [
            pay.ran.length === 1,
            "ran more than once"
          ])
        }))
    })
  },
  {
    title: "a call that is approved and denied follows the first decision",
    kind: "approvals",
    source: "https://github.com/OpenRouterTeam/typescript-sdk/issues/518",
    run: Effect.suspend(() => {
      const { agent, answers, first, pay } = gated([calls(call("a", "pay")), "Well."])
      return script(answers, () =>
        Effect.gen(function*() {
          const { state, waiting } = yield* first
          const denied = yield* Agent.decide(agent, state, Run.deny(waiting.approvals[0]!))
          const kind = yield* refusal(denied, Run.approve(waiting.approvals[0]!))
          const last = yield* Agent.run(agent, { state: denied })
          return claims(
            [kind === "Stale" || kind === "AlreadyDecided", `the second decision was ${kind}`],
            [pay.ran.length === 0, "ran although denied"],
            [results(last.state).length === 1, "not one result"]
          )
        }))
    })
  },
  {
    title: "an approval of an earlier turn does not serve a later call with the same id and arguments",
    kind: "approvals",
    source: "https://github.com/letta-ai/letta-code/pull/101",
    run: Effect.suspend(() => {
      const { agent, answers, first, pay } = gated([calls(call("a", "pay")), calls(call("a", "pay")), "Paid."])
      return script(answers, () =>
        Effect.gen(function*() {
          const { state, waiting } = yield* first
          const old = Run.approve(waiting.approvals[0]!)
          const second = yield* Agent.run(agent, { state, decisions: [old] })
          const kind = yield* refusal(second.state, old)
          return claims([kind !== "taken", "the old approval was taken"], [pay.ran.length === 1, "ran twice"])
        }))
    })
  },
  {
    title: "two gated calls under one id are asked for, and decided, one by one",
    kind: "approvals",
    source: "https://github.com/MoonshotAI/kimi-code/issues/2908",
    run: Effect.suspend(() => {
      const { agent, answers, first, pay } = gated([
        calls(call("a", "pay", { n: 1 }), call("a", "pay", { n: 2 })),
        "Paid."
      ])
      return script(answers, () =>
        Effect.gen(function*() {
          const { state, waiting } = yield* first
          const [one, two] = waiting.approvals
          const then = yield* Agent.run(agent, { state, decisions: [Run.approve(two!)] })
          const last = yield* Agent.run(agent, { state: then.state, decisions: [Run.deny(one!)] })
          return claims(
            [waiting.approvals.length === 2, "not both asked for"],
            [pay.ran.join() === "{\"n\":2}", `ran ${pay.ran.join()}`],
            [valid(last.state), "history not valid"]
          )
        }))
    })
  },
  {
    title: "identical gated calls under one id need an approval each",
    kind: "approvals",
    source: "https://github.com/BloopAI/vibe-kanban/pull/977",
    run: Effect.suspend(() => {
      const { agent, answers, first, pay } = gated([calls(call("a", "pay"), call("a", "pay")), "Paid."])
      return script(answers, () =>
        Effect.gen(function*() {
          const { state, waiting } = yield* first
          const then = yield* Agent.run(agent, { state, decisions: [Run.approve(waiting.approvals[0]!)] })
          return claims([pay.ran.length === 1, "both ran"], [
            then.waiting.approvals.length === 1,
            "the other is not asked for"
          ])
        }))
    })
  },
  {
    title: "a decision of which `approved` is a text, or that is no decision, runs nothing",
    kind: "approvals",
    source: "https://github.com/langchain-ai/langchain-azure/pull/971",
    run: Effect.suspend(() => {
      const { answers, first, pay } = gated([calls(call("a", "pay"))])
      return script(answers, () =>
        Effect.gen(function*() {
          const { state, waiting } = yield* first
          const yes = Run.approve(waiting.approvals[0]!)
          const kinds = yield* Effect.forEach(
            [{ ...yes, approved: "true" }, { ...yes, approved: 1 }, true, "yes", null, [], { approved: true }],
            (decision) => refusal(state, decision)
          )
          return claims([kinds.every((kind) => kind === "Malformed"), `taken as ${kinds.join()}`], [
            pay.ran.length === 0,
            "ran"
          ])
        }))
    })
  },
  {
    title: "an approval of other arguments, of another call or under another signature is refused",
    kind: "approvals",
    source: "https://github.com/praxis-proxy/ai/issues/982",
    run: Effect.suspend(() => {
      const pay = counting("pay", { needsApproval: true })
      const agent = Agent.make({ tools: pay.handlers, approvalKey: "key" })
      return script([calls(call("a", "pay", { euros: 1 }))], () =>
        Effect.gen(function*() {
          const { state, waiting } = yield* Agent.run(agent, { prompt: "Pay." })
          const yes = Run.sign(Run.approve(waiting.approvals[0]!), "key")
          const kinds = yield* Effect.forEach(
            [
              { ...yes, arguments: { euros: 1000 } },
              { ...yes, signature: undefined },
              { ...yes, toolCallId: "b" },
              Run.sign({ ...yes, toolCallId: "b" }, "key"),
              Run.sign(yes, "another")
            ],
            (decision) => refusal(state, decision, agent)
          )
          const good = yield* refusal(state, yes, agent)
          return claims(
            [kinds.join() === "BadSignature,BadSignature,BadSignature,Foreign,BadSignature", kinds.join()],
            [good === "taken", `the good one is ${good}`]
          )
        }))
    })
  },
  {
    title: "an approval is honoured in another process, whatever else the resumption brings",
    kind: "approvals",
    source: "https://github.com/openai/openai-agents-python/issues/4244",
    run: Effect.suspend(() => {
      const { agent, answers, first, pay } = gated([calls(call("a", "pay")), "Paid."])
      return script(answers, () =>
        Effect.gen(function*() {
          const { state, waiting } = yield* first
          const last = yield* Agent.run(agent, {
            state: stored(state),
            decisions: [JSON.parse(JSON.stringify(Run.approve(waiting.approvals[0]!)))],
            messages: [Message.user("By the way, hello.")]
          })
          return claims([last.status === "done", last.status], [pay.ran.length === 1, "did not run once"], [
            valid(last.state),
            "history not valid"
          ])
        }))
    })
  },
  {
    title: "every approved call of a parallel batch runs, and once",
    kind: "approvals",
    source: "https://github.com/microsoft/agent-framework/pull/7692",
    run: Effect.suspend(() => {
      const batch = calls(call("a", "pay", { n: 1 }), call("b", "pay", { n: 2 }), call("c", "pay", { n: 3 }))
      const { agent, answers, first, pay } = gated([batch, "Paid."])
      return script(answers, () =>
        Effect.gen(function*() {
          const { state, waiting } = yield* first
          const [a, b, c] = waiting.approvals
          const last = yield* Agent.run(agent, { state, decisions: [Run.approve(c!), Run.deny(b!), Run.approve(a!)] })
          return claims([pay.ran.toSorted().join() === "{\"n\":1},{\"n\":3}", pay.ran.join()], [
            last.status === "done",
            last.status
          ])
        }))
    })
  },
  {
    title: "a message of the user while an approval is waited for leaves the history valid",
    kind: "approvals",
    source: "https://github.com/vercel/ai/pull/12914",
    run: Effect.suspend(() => {
      const { agent, answers, first, pay } = gated([calls(call("a", "pay")), "Paid."])
      return script(answers, (control) =>
        Effect.gen(function*() {
          const { state, waiting } = yield* first
          const asked = yield* Agent.run(agent, { state, messages: [Message.user("Are you there?")] })
          const last = yield* Agent.run(agent, { state: asked.state, decisions: [Run.approve(waiting.approvals[0]!)] })
          const roles = control.requests[1]!.messages!.map(({ role }) => role).join()
          return claims(
            [asked.status === "waiting" && valid(asked.state), "not valid while it waits"],
            [roles === "user,assistant,tool,user", roles],
            [valid(last.state) && pay.ran.length === 1, "not valid after"]
          )
        }))
    })
  },
  {
    title: "a call whose tool is gone at the resumption gets a result instead of poisoning the history",
    kind: "approvals",
    source: "https://github.com/novuhq/novu/pull/12087",
    run: Effect.suspend(() => {
      const { agent, answers, first, pay } = gated([calls(call("a", "pay")), "Without it, then."])
      return script(answers, () =>
        Effect.gen(function*() {
          const { state, waiting } = yield* first
          const approved = yield* Agent.decide(agent, state, Run.approve(waiting.approvals[0]!))
          const last = yield* Agent.run(Agent.make({}), { state: stored(approved) })
          return claims([pay.ran.length === 0, "ran"], [last.status === "done", last.status], [
            valid(last.state),
            "not valid"
          ])
        }))
    })
  },
  {
    title: "the reason of a denial reaches the model",
    kind: "approvals",
    source: "https://github.com/openai/openai-agents-python/issues/3359",
    run: Effect.suspend(() => {
      const { agent, answers, first } = gated([calls(call("a", "pay")), "I see."])
      return script(answers, () =>
        Effect.gen(function*() {
          const { state, waiting } = yield* first
          const last = yield* Agent.run(agent, {
            state,
            decisions: [Run.deny(waiting.approvals[0]!, { reason: "Too late." })]
          })
          return claims([JSON.stringify(results(last.state)[0]).includes("Too late."), "the reason is not there"])
        }))
    })
  },
  {
    title: "a denial is told as what it is, not as an error to try again",
    kind: "approvals",
    source: "https://github.com/cline/cline/pull/12633",
    run: Effect.suspend(() => {
      const { agent, answers, first } = gated([calls(call("a", "pay")), "I see."])
      return script(answers, () =>
        Effect.gen(function*() {
          const { state, waiting } = yield* first
          const last = yield* Agent.run(agent, { state, decisions: [Run.deny(waiting.approvals[0]!)] })
          return claims([results(last.state)[0]!.isError !== true, "an error"])
        }))
    })
  },
  {
    title: "a tool that changed between request and decision is approved anew",
    kind: "approvals",
    source: "https://github.com/openai/openai-agents-js/pull/1067",
    run: Effect.suspend(() => {
      const { answers, first } = gated([calls(call("a", "pay", { euros: 1 }))])
      const ran: Array<string> = []
      const changed = LlmTool.make("pay", {
        description: "Pays in full",
        parameters: Schema.Struct({ euros: Schema.Number }),
        needsApproval: true
      })
      const agent = Agent.make({ tools: Handlers.make([changed], { pay: () => Effect.sync(() => void ran.push("")) }) })
      return script(answers, () =>
        Effect.gen(function*() {
          const { state, waiting } = yield* first
          const approved = Result.getOrThrow(
            Run.apply(state, { _tag: "Decided", decision: Run.approve(waiting.approvals[0]!) })
          )
          const then = yield* Agent.run(agent, { state: approved })
          const kind = yield* refusal(then.state, Run.approve(waiting.approvals[0]!), agent)
          return claims([then.waiting.approvals.length === 1, "not asked for anew"], [ran.length === 0, "ran"], [
            kind === "ToolChanged",
            `the old approval is ${kind}`
          ])
        }))
    })
  },
  {
    title: "edited arguments are decoded before they run, and the model is told of them",
    kind: "approvals",
    source: "https://github.com/ag-ui-protocol/ag-ui/issues/2815",
    run: Effect.suspend(() => {
      const ran: Array<number> = []
      const pay = LlmTool.make("pay", { parameters: Schema.Struct({ euros: Schema.Number }), needsApproval: true })
      const agent = Agent.make({
        tools: Handlers.make([pay], { pay: ({ euros }) => Effect.sync(() => void ran.push(euros)) })
      })
      return script([calls(call("a", "pay", { euros: 9 })), "Paid."], () =>
        Effect.gen(function*() {
          const { state, waiting } = yield* Agent.run(agent, { prompt: "Pay." })
          const [request] = waiting.approvals
          const bad = yield* refusal(state, Run.approve(request!, { arguments: { euros: "all" } }), agent)
          const last = yield* Agent.run(agent, {
            state,
            decisions: [Run.approve(request!, { arguments: { euros: 3 } })]
          })
          return claims([bad === "Malformed", `bad arguments are ${bad}`], [ran.join() === "3", ran.join()], [
            JSON.stringify(results(last.state)).includes("3"),
            "the model is not told"
          ])
        }))
    })
  },
  {
    title: "an effect that cannot tell whether a call needs approval asks",
    kind: "approvals",
    source: "https://github.com/vercel/ai/issues/10930",
    run: Effect.suspend(() => {
      const ran: Array<string> = []
      const pay = LlmTool.make("pay", { needsApproval: () => Effect.fail("the rules are down") })
      const agent = Agent.make({ tools: Handlers.make([pay], { pay: () => Effect.sync(() => void ran.push("")) }) })
      return script([calls(call("a", "pay"))], () =>
        Effect.gen(function*() {
          const { waiting } = yield* Agent.run(agent, { prompt: "Pay." })
          return claims([ran.length === 0, "ran"], [waiting.approvals.length === 1, "not asked for"])
        }))
    })
  },
  {
    title: "a batch of a bad call and a gated one resumes with the one decision",
    kind: "deferred",
    source: "https://github.com/pydantic/pydantic-ai/issues/6486",
    run: Effect.suspend(() => {
      const { agent, answers, first, pay } = gated([calls(call("x", "nothing"), call("a", "pay")), "Paid."])
      return script(answers, () =>
        Effect.gen(function*() {
          const { state, waiting } = yield* first
          const last = yield* Agent.run(agent, { state, decisions: [Run.approve(waiting.approvals[0]!)] })
          return claims([last.status === "done" && pay.ran.length === 1, "did not resume"], [
            valid(last.state),
            "not valid"
          ])
        }))
    })
  },
  {
    title: "a result from outside is taken, and the tool is not run again",
    kind: "deferred",
    source: "https://github.com/pydantic/pydantic-ai/issues/8181",
    run: Effect.suspend(() => {
      const job = counting("job", {}, () => Effect.succeed(Handlers.later))
      const agent = Agent.make({ tools: job.handlers })
      return script([calls(call("a", "job")), "Done."], () =>
        Effect.gen(function*() {
          const { state, waiting } = yield* Agent.run(agent, { prompt: "Go." })
          const last = yield* Agent.run(agent, {
            state: stored(state),
            results: [{ call: waiting.deferred[0]!.call, content: "the film" }]
          })
          return claims([job.ran.length === 1, "ran again"], [
            results(last.state)[0]!.content === "the film",
            "another result"
          ])
        }))
    })
  },
  {
    title: "all calls of a batch that wait are told at once",
    kind: "deferred",
    source: "https://github.com/langchain-ai/langgraph/issues/6624",
    run: Effect.suspend(() => {
      const job = counting("job", {}, () => Effect.succeed(Handlers.later))
      const agent = Agent.make({ tools: job.handlers })
      return script(
        [calls(call("a", "job", { n: 1 }), call("b", "job", { n: 2 }), call("c", "job", { n: 3 }))],
        () =>
          Effect.map(
            Agent.run(agent, { prompt: "Go." }),
            ({ waiting }) => claims([waiting.deferred.length === 3, `${waiting.deferred.length} are told`])
          )
      )
    })
  },
  {
    title: "results from outside go to their own calls, in any order, partly",
    kind: "deferred",
    source: "https://github.com/langchain-ai/langgraph/pull/6542",
    run: Effect.suspend(() => {
      const job = counting("job", {}, () => Effect.succeed(Handlers.later))
      const agent = Agent.make({ tools: job.handlers })
      return script(
        [calls(call("a", "job", { n: 1 }), call("a", "job", { n: 2 })), "Done."],
        () =>
          Effect.gen(function*() {
            const { state, waiting } = yield* Agent.run(agent, { prompt: "Go." })
            const [one, two] = waiting.deferred
            const then = yield* Agent.run(agent, { state, results: [{ call: two!.call, content: "second" }] })
            const last = yield* Agent.run(agent, {
              state: then.state,
              results: [{ call: one!.call, content: "first" }]
            })
            return claims([results(last.state).map(({ content }) => content).join() === "first,second", "mixed up"], [
              then.status === "waiting",
              "went on too early"
            ])
          })
      )
    })
  },
  {
    title: "one of two waits that is over runs nothing again",
    kind: "deferred",
    source: "https://github.com/langchain-ai/langgraph/issues/6208",
    run: Effect.suspend(() => {
      const look = counting("look")
      const pay = counting("pay", { needsApproval: true })
      const agent = Agent.make({ tools: Handlers.merge(look.handlers, pay.handlers) })
      return script(
        [calls(call("a", "look"), call("b", "pay", { n: 1 }), call("c", "pay", { n: 2 })), "Done."],
        () =>
          Effect.gen(function*() {
            const { state, waiting } = yield* Agent.run(agent, { prompt: "Go." })
            const then = yield* Agent.run(agent, { state, decisions: [Run.approve(waiting.approvals[0]!)] })
            yield* Agent.run(agent, { state: then.state, decisions: [Run.approve(waiting.approvals[1]!)] })
            return claims([look.ran.length === 1, "what was done ran again"], [
              pay.ran.length === 2,
              "not both ran once"
            ])
          })
      )
    })
  }
]
