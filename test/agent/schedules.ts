// Random schedules of a run, and the laws that hold through all of them: parallel calls, failures, denials, edits, crashes between any two
// steps, cut answers, resumption from serialised state with other tools, messages put in between.
import * as Result from "effect/Result"
import * as Run from "../../src/agent/Run.ts"
import { canonical } from "../../src/agent/run/digest.ts"
import * as Message from "../../src/Message.ts"
import * as AnthropicMessages from "../../src/protocol/AnthropicMessages.ts"
import * as BedrockConverse from "../../src/protocol/BedrockConverse.ts"
import * as CohereChat from "../../src/protocol/CohereChat.ts"
import * as GeminiGenerateContent from "../../src/protocol/GeminiGenerateContent.ts"
import * as OllamaChat from "../../src/protocol/OllamaChat.ts"
import * as OpenAiChat from "../../src/protocol/OpenAiChat.ts"
import * as OpenAiResponses from "../../src/protocol/OpenAiResponses.ts"
import * as Simulator from "../../src/testing/Simulator.ts"
import { encoderOf } from "../encoding.ts"
import { Random } from "../fuzz/random.ts"

const wires = [
  [AnthropicMessages.make(), Simulator.anthropicMessages],
  [BedrockConverse.make(), Simulator.bedrockConverse],
  [CohereChat.make(), Simulator.cohereChat],
  [GeminiGenerateContent.make(), Simulator.geminiGenerateContent],
  [OllamaChat.make(), Simulator.ollamaChat],
  [OpenAiChat.make(), Simulator.openAiChat],
  [OpenAiResponses.make(), Simulator.openAiResponses]
] as const

const tools = ["plain", "gated", "later", "again", "broken"].map((name) => ({
  name,
  parameters: { type: "object", properties: {} } as const,
  type: "function" as const
}))

const factsOf = (generation: number): ReadonlyArray<Run.ToolFacts> =>
  tools.map(({ name }) => ({
    name,
    fingerprint: `${name}@${name === "gated" ? generation : 0}`,
    ...(name === "again" ? { idempotent: true } : undefined)
  }))

/** What a provider would say of the history, for the first wire that would not take it. */
export const refusedBy = (messages: ReadonlyArray<Message.Message>): string | undefined => {
  for (const [wire, judge] of wires) {
    const encoded = encoderOf(wire)({ request: { messages, tools }, model: "m", stream: false, provider: "p" })
    if ("refused" in encoded) return `${wire.wire}: ${encoded.refused.message}`
    const error = judge.validate({
      method: "POST",
      path: wire.wire === "gemini" ? "/v1beta/models/m:generateContent" : encoded.path,
      query: new URLSearchParams(),
      headers: { "anthropic-version": "2023-06-01", "content-type": "application/json" },
      body: JSON.parse(JSON.stringify(encoded.body))
    }, "generate")
    if (error !== undefined) return `${wire.wire}: ${error.message}`
  }
  return undefined
}

/** Each call of a history has one result, in the message after it. */
export const unpaired = (messages: ReadonlyArray<Message.Message>): string | undefined => {
  for (const [at, message] of messages.entries()) {
    const calls = Message.parts(message).flatMap((part) => part.type === "tool-call" ? [part.id] : [])
    const after = messages[at + 1]
    const results = after === undefined || after.role !== "tool"
      ? []
      : Message.parts(after).flatMap((part) => part.type === "tool-result" ? [part.toolCallId] : [])
    if (message.role === "tool" && messages[at - 1]?.role !== "assistant") return `message ${at} answers nothing`
    if (message.role === "assistant" && calls.join() !== results.join()) {
      return `message ${at} calls ${calls.join()}, its results are ${results.join()}`
    }
  }
  return undefined
}

const finishes = [
  "stop",
  "stop",
  "tool-calls",
  "tool-calls",
  "other",
  "length",
  "content-filter",
  "pause",
  "refusal"
] as const

/** What is against a law, or `undefined`. Throws nothing; the same seed gives the same schedule. */
export const schedule = (seed: number, deep: boolean): string | undefined => {
  const random = new Random(seed)
  let generation = 0
  const bounds: Run.Bounds = {
    maxSteps: random.between(1, 8),
    ...(random.chance(0.3) ? { maxToolCalls: random.between(1, 6) } : undefined),
    ...(random.chance(0.2) ? { maxTokens: random.between(10, 200) } : undefined),
    ...(random.chance(0.2) ? { deadline: 1000 } : undefined),
    ...(random.chance(0.3) ? { lastTurn: true } : undefined),
    ...(random.chance(0.2) ? { loop: false as const } : undefined)
  }
  const begun = Run.start({ prompt: "Go.", id: `run-${seed}`, at: 0 }, factsOf(0), bounds)
  if (Result.isFailure(begun)) return begun.failure.message
  let state = begun.success
  let time = 0
  let broken: string | undefined
  const holds = () => broken === undefined
  const started = new Map<string, number>()
  const finished = new Set<string>()
  const approvals = new Map<string, string>()
  const served = new Set<string>()
  const decisions: Array<unknown> = []

  const check = (before: Run.State, happened: Run.Happened) => {
    if (broken !== undefined) return
    const because = `seed ${seed}, revision ${state.revision}, ${happened._tag}`
    if (state.messages.length < before.messages.length) broken = `${because}: the history shrank`
    for (const [at, message] of before.messages.entries()) {
      if (state.messages[at] !== message && canonical(state.messages[at]) !== canonical(message)) {
        broken = `${because}: message ${at} changed`
      }
    }
    if (state.messages !== before.messages) {
      const why = unpaired(state.messages) ?? (deep ? refusedBy(state.messages) : undefined)
      if (why !== undefined) broken = `${because}: ${why}`
    }
    if (state.spent.steps > (bounds.maxSteps ?? 20) + (bounds.lastTurn === true ? 1 : 0)) {
      broken = `${because}: ${state.spent.steps} steps`
    }
    if (bounds.maxToolCalls !== undefined && state.spent.toolCalls > bounds.maxToolCalls) {
      broken = `${because}: ${state.spent.toolCalls} tool calls`
    }
  }

  const apply = (happened: Run.Happened): boolean => {
    const before = state
    const after = Run.apply(state, happened)
    if (Result.isFailure(after)) return false
    state = after.success
    check(before, happened)
    return true
  }

  /** The state as another process reads it. */
  const crash = () => {
    const read = Run.decode(JSON.parse(JSON.stringify(state)))
    if (Result.isFailure(read)) {
      broken ??= `seed ${seed}: a stored state is refused: ${read.failure.message}`
      return
    }
    if (canonical(read.success) !== canonical(state)) broken ??= `seed ${seed}: a stored state is not itself`
    state = read.success
    if (random.chance(0.3)) generation++
    apply({ _tag: "Resumed", tools: factsOf(generation) })
  }

  const answer = (): Run.Answer => {
    const calls = random.few(4)
    const parts: Array<Message.Part> = random.chance(0.6) ? [{ type: "text", text: `Text ${random.int(3)}.` }] : []
    for (let n = 0; n < calls; n++) {
      const invalid = random.chance(0.1)
      parts.push({
        type: "tool-call",
        id: random.chance(0.2) ? "same" : `c${state.step}-${n}`,
        name: random.pick(tools).name,
        arguments: invalid ? "{\"x\":" : { x: random.int(3) },
        ...(invalid ? { invalid: true } : undefined)
      })
    }
    return {
      parts,
      finishReason: random.pick(finishes),
      usage: { input: { total: random.int(10) }, output: { total: random.int(10) } }
    }
  }

  const step = () => {
    const action = Run.next(state)
    switch (action._tag) {
      case "Ask": {
        apply({ _tag: "ModelStarted", step: action.step })
        if (random.chance(0.1)) return
        if (random.chance(0.15)) {
          apply({
            _tag: "ModelFailed",
            step: action.step,
            failure: { tag: "IncompleteStream", message: "cut" },
            again: random.chance(0.7)
          })
          return
        }
        apply({ _tag: "ModelAnswered", step: action.step, answer: answer() })
        // A second answer to the same step is an overlapping run's.
        if (random.chance(0.1) && apply({ _tag: "ModelAnswered", step: action.step, answer: answer() })) {
          broken ??= `seed ${seed}: a step was answered twice`
        }
        return
      }
      case "Check":
        apply({
          _tag: "CallsChecked",
          checks: action.calls.map(({ arguments: args, call, toolName }): Run.Check => {
            const loop = `${toolName}${JSON.stringify(args)}`
            if (random.chance(0.1)) return { call, loop, verdict: "refuse", message: "These arguments do not fit." }
            const fingerprint = factsOf(generation).find(({ name }) => name === toolName)!.fingerprint
            const verdict = toolName === "gated" ? "ask" : toolName === "later" ? "external" : "run"
            return { call, loop, verdict, fingerprint }
          })
        })
        return
      case "RunCalls": {
        for (const open of action.calls) {
          if (random.chance(0.2)) continue
          const allowed = apply({ _tag: "CallStarted", call: open.call })
          if (!allowed) continue
          const times = (started.get(open.call) ?? 0) + 1
          started.set(open.call, times)
          if (finished.has(open.call)) broken ??= `seed ${seed}: ${open.call} ran after it had finished`
          if (open.invalid === true) broken ??= `seed ${seed}: an invalid call ran`
          if (times > 1 && open.toolName !== "again") broken ??= `seed ${seed}: ${open.toolName} ran ${times} times`
          if (open.toolName === "gated" && approvals.get(open.call) !== JSON.stringify(open.arguments)) {
            broken ??= `seed ${seed}: ${open.call} ran without approval of its arguments`
          }
          if (random.chance(0.1)) {
            if (apply({ _tag: "CallStarted", call: open.call })) broken ??= `seed ${seed}: started twice`
          }
        }
        return
      }
      case "Wait": {
        const { approvals: asked, deferred, unknown } = action
        if (asked.length > 0 && random.chance(0.7)) return decide(random.pick(asked))
        const outside = [...deferred, ...unknown]
        if (outside.length > 0) {
          const { call } = random.pick(outside)
          apply({ _tag: "ResultGiven", call, result: { content: random.chance(0.5) ? "given" : `given ${time}` } })
        }
        return
      }
      case "End":
        return
    }
  }

  const decide = (request: Run.ApprovalRequest) => {
    const edited = random.chance(0.3) ? { x: random.between(10, 12) } : undefined
    const decision = random.chance(0.6) ? Run.approve(request, { arguments: edited }) : Run.deny(request)
    const call = state.turn!.calls.find(({ at }) =>
      Run.waiting({
        ...state,
        turn: { ...state.turn!, calls: state.turn!.calls.filter((one) => one.at === at) }
      }).approvals.some(({ approvalId }) => approvalId === request.approvalId)
    )!
    const name = `${state.step}.${call.at}`
    if (
      apply({
        _tag: "Decided",
        decision: random.chance(0.2) ? { ...decision, approved: String(decision.approved) } : decision
      })
    ) {
      if (served.has(decision.approvalId)) broken ??= `seed ${seed}: a decision served twice`
      served.add(decision.approvalId)
      decisions.push(decision)
      if (decision.approved) approvals.set(name, JSON.stringify(edited ?? request.arguments))
    }
  }

  const running = () => (state.turn?.calls ?? []).filter(({ status }) => status === "running")

  const disturb = () => {
    const calls = running()
    if (calls.length > 0 && random.chance(0.8)) {
      const { at } = random.pick(calls)
      const call = `${state.step}.${at}`
      const kind = random.int(10)
      if (kind < 7) {
        const result = {
          content: random.chance(0.7) ? "done" : `done ${time}`,
          ...(kind === 0 ? { isError: true } : undefined)
        }
        if (apply({ _tag: "CallFinished", call, result })) finished.add(call)
      } else if (kind === 7) apply({ _tag: "CallLost", call })
      else if (kind === 8) apply({ _tag: "CallDeferred", call })
      else crash()
      return
    }
    switch (random.int(12)) {
      case 0:
        return void apply({ _tag: "MessagesAdded", messages: [Message.user("And this.")] })
      case 1:
        return crash()
      case 2:
        return void (decisions.length > 0 && apply({ _tag: "Decided", decision: random.pick(decisions) }) &&
          (broken ??= `seed ${seed}: a replayed decision was taken`))
      case 3:
        time += random.int(200)
        return void apply({ _tag: "TimeCame", at: time })
      case 4:
        return void (random.chance(0.1) && apply({ _tag: "Stopped", reason: "enough" }))
      case 5:
        return void (calls.length === 0 && state.messages.length > 2 &&
          apply({ _tag: "Compacted", compaction: { upTo: random.between(1, state.messages.length) } }))
    }
  }

  for (let moves = 0; moves < 200 && holds(); moves++) {
    time++
    if (random.chance(0.4) || running().length > 0) disturb()
    step()
    if (state.end !== undefined && state.turn === undefined && random.chance(0.5)) break
  }
  // Left alone, it ends: everything that waits is answered.
  for (let moves = 0; moves < 400 && holds() && Run.next(state)._tag !== "End"; moves++) {
    for (const { at } of running()) {
      if (apply({ _tag: "CallFinished", call: `${state.step}.${at}`, result: { content: "done" } })) {
        finished.add(`${state.step}.${at}`)
      }
    }
    step()
  }
  if (broken === undefined && Run.next(state)._tag !== "End") {
    broken = `seed ${seed}: does not end: ${Run.next(state)._tag}`
  }
  return broken
}
