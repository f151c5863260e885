import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Redacted } from "effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as fc from "fast-check"
import * as Agent from "../../src/agent/Agent.ts"
import { AnthropicTools, Handlers, type LlmTool, OpenAi, OpenAiTools } from "../../src/index.ts"
import type { LlmRequest } from "../../src/LlmRequest.ts"
import { fold } from "../../src/LlmResponse.ts"
import type { Json, JsonObject, Message } from "../../src/Message.ts"
import * as AnthropicMessages from "../../src/protocol/AnthropicMessages.ts"
import * as OpenAiChat from "../../src/protocol/OpenAiChat.ts"
import * as OpenAiResponses from "../../src/protocol/OpenAiResponses.ts"
import type { Protocol } from "../../src/protocol/Protocol.ts"
import { encoderOf } from "../encoding.ts"
import { decoderOf } from "./decoder-of.ts"
import { keepsLaws } from "./event-laws.ts"

const wire = OpenAiResponses.make()
const model = "gpt-5-test"
const tools: ReadonlyArray<LlmTool.LlmTool> = [OpenAiTools.shell(), OpenAiTools.applyPatch(), OpenAiTools.computer()]

const encode = (request: LlmRequest, protocol: Protocol = wire, provider = "openai") => {
  const encoded = encoderOf(protocol)({ request, model, stream: false, provider })
  if ("refused" in encoded) throw new Error(encoded.refused.message)
  return encoded
}

const input = (request: LlmRequest): ReadonlyArray<JsonObject> => encode(request).body["input"] as never

const context = (request: LlmRequest) => ({
  wire: "openai-responses",
  provider: "openai",
  model,
  warnings: [],
  idSeed: "s_",
  includeRaw: false,
  calledItems: encode(request).calledItems
})

const answered = (output: ReadonlyArray<Json>, request: LlmRequest = { prompt: "Go.", tools }, streamed = false) => {
  const decoder = decoderOf(wire, { ...context(request), streamed })
  const response: Json = { id: "resp_1", object: "response", model, status: "completed", output }
  if (streamed) {
    const send = (type: string, fields: JsonObject) => decoder.frame(JSON.stringify({ type, ...fields }), type)
    send("response.created", { response: { ...response, output: [], status: "in_progress" } })
    output.forEach((item, output_index) => {
      send("response.output_item.added", {
        output_index,
        item: { ...item as JsonObject, action: null, operation: null, actions: null, status: "in_progress" }
      })
      send("response.output_item.done", { output_index, item })
    })
    send("response.completed", { response })
  } else decoder.whole(response)
  const { failure, out: events } = decoder.assembler
  assert.isUndefined(failure)
  const last = events.at(-1)
  if (last?._tag !== "Finish") throw new Error("The answer has no end.")
  keepsLaws({ events, response: last.response, failure })
  assert.deepStrictEqual(fold(events), last.response)
  return last.response
}

const shellCall = {
  type: "shell_call",
  id: "sh_1",
  call_id: "call_1",
  status: "completed",
  environment: { type: "local" },
  action: { commands: ["ls", "pwd"], timeout_ms: 1000, max_output_length: null }
}
const patchCall = {
  type: "apply_patch_call",
  id: "apc_1",
  call_id: "call_2",
  status: "completed",
  operation: { type: "update_file", path: "a.ts", diff: "@@\n-1\n+2" }
}
const check = { id: "cu_sc_1", code: "malicious_instructions", message: "Looks odd." }
const computerCall = {
  type: "computer_call",
  id: "cu_1",
  call_id: "call_3",
  status: "completed",
  actions: [{ type: "click", button: "left", x: 1, y: 2, keys: null }, { type: "screenshot" }],
  pending_safety_checks: [check]
}
const image = { type: "image", source: { type: "base64", mediaType: "image/png", data: "AAAA" } } as const

describe("Items of tools that the application runs", () => {
  it("are calls of these tools, streamed or whole, and decode", () => {
    for (const streamed of [false, true]) {
      const { finishReason, toolCalls } = answered([shellCall, patchCall, computerCall], undefined, streamed)
      assert.strictEqual(finishReason, "tool-calls")
      assert.deepStrictEqual(toolCalls.map(({ arguments: args, id, name }) => [id, name, args]), [
        ["call_1", "shell", { commands: ["ls", "pwd"], timeout_ms: 1000 }],
        ["call_2", "apply_patch", patchCall.operation],
        ["call_3", "computer", { actions: computerCall.actions, pending_safety_checks: [check] }]
      ])
      for (const call of toolCalls) {
        const tool = tools.find(({ name }) => name === call.name) as LlmTool.ProviderTool
        assert.deepStrictEqual(Effect.runSync(tool.decode!(call.arguments)), call.arguments)
      }
    }
  })

  it("take one action where the older field has it", () => {
    const { actions: _, ...older } = computerCall
    const [call] = answered([{ ...older, action: { type: "wait" }, pending_safety_checks: [] }]).toolCalls
    assert.deepStrictEqual(call?.arguments, { actions: [{ type: "wait" }] })
  })

  it("are no calls when they are cut or say nothing", () => {
    const { toolCalls } = answered([{ ...shellCall, status: "incomplete" }, { ...patchCall, operation: null }])
    assert.deepStrictEqual(toolCalls.map(({ invalid }) => invalid), [true, true])
  })

  it("stay as they are where nobody here runs them", () => {
    const passed = tools.map((tool): LlmTool.LlmTool => ({
      type: "provider",
      name: tool.name,
      definition: (tool as LlmTool.ProviderTool).definition
    }))
    for (const request of [{ prompt: "Go." }, { prompt: "Go.", tools: passed }]) {
      const { parts } = answered([shellCall, patchCall, computerCall], request)
      assert.deepStrictEqual(parts.map((part) => part.type === "server-tool" && part.data), [
        shellCall,
        patchCall,
        computerCall
      ])
    }
  })

  const history = (content: ReadonlyArray<readonly [string, unknown, (boolean | undefined)?]>) => {
    const { message } = answered([shellCall, patchCall, computerCall])
    const results = content.map(([toolCallId, content, isError]) =>
      ({ type: "tool-result", toolCallId, content, ...(isError === undefined ? undefined : { isError }) }) as never
    )
    return [{ role: "user", content: "Go." }, message, { role: "tool", content: results }] as ReadonlyArray<Message>
  }

  it("go back as they came, with results of their own kind", () => {
    const outputs = [
      { stdout: "a", stderr: "", outcome: { type: "exit", exit_code: 0 } },
      { stdout: "", stderr: "late", outcome: { type: "timeout" } }
    ]
    const messages = history([
      ["call_1", JSON.stringify(outputs)],
      ["call_2", "No such line", true],
      ["call_3", [image]]
    ])
    const { timeout_ms } = shellCall.action
    assert.deepStrictEqual(input({ messages, tools }).slice(1), [
      { ...shellCall, action: { commands: ["ls", "pwd"], timeout_ms } },
      patchCall,
      computerCall,
      { type: "shell_call_output", call_id: "call_1", output: outputs },
      { type: "apply_patch_call_output", call_id: "call_2", status: "failed", output: "Error: No such line" },
      {
        type: "computer_call_output",
        call_id: "call_3",
        output: { type: "computer_screenshot", image_url: "data:image/png;base64,AAAA" },
        acknowledged_safety_checks: [check]
      }
    ])
  })

  it("tell a text as the output of one command, and a failure as one that failed", () => {
    const told = (content: string, isError?: boolean) =>
      input({ messages: history([["call_1", content, isError], ["call_2", ""], ["call_3", [image]]]), tools })
        .find(({ type }) => type === "shell_call_output")?.["output"]
    assert.deepStrictEqual(told("hello"), [{
      stdout: "hello",
      stderr: "",
      outcome: { type: "exit", exit_code: 0 }
    }])
    assert.deepStrictEqual(told("gone", true), [{
      stdout: "",
      stderr: "Error: gone",
      outcome: { type: "exit", exit_code: 1 }
    }])
  })

  it("are function calls where there is no screenshot, and where the tool is not in the request", () => {
    const messages = history([["call_1", "a"], ["call_2", "b"], ["call_3", "denied", true]])
    assert.deepStrictEqual(
      input({ messages, tools }).filter(({ call_id }) => call_id === "call_3").map(({ type }) => type),
      [
        "function_call",
        "function_call_output"
      ]
    )
    for (const { type } of input({ messages }).slice(1)) assert.match(String(type), /^function_call/)
  })

  it("stand in histories that other wires take", () => {
    const messages = history([["call_1", "a"], ["call_2", "b"], ["call_3", [image]]])
    for (const protocol of [AnthropicMessages.make(), OpenAiChat.make()]) {
      assert.include(JSON.stringify(encode({ messages }, protocol, "other").body), "apply_patch")
    }
  })

  it("are paired whatever calls and results hold", () => {
    const json = fc.jsonValue({ maxDepth: 2 }) as fc.Arbitrary<Json>
    const args = fc.oneof(
      json,
      fc.record({ commands: fc.array(fc.string(), { maxLength: 2 }), max_output_length: json }) as fc.Arbitrary<Json>,
      fc.record({ type: fc.constantFrom("create_file", "delete_file", "other"), path: fc.string(), diff: fc.string() }),
      fc.record({ actions: fc.array(fc.record({ type: fc.string() }), { maxLength: 2 }), pending_safety_checks: json })
    ) as fc.Arbitrary<Json>
    const content = fc.oneof(fc.string(), json.map((value) => JSON.stringify(value)), fc.constant([image]))
    const call = fc.record({
      name: fc.constantFrom("shell", "apply_patch", "computer", "other"),
      arguments: args,
      content,
      isError: fc.boolean()
    })
    fc.assert(
      fc.property(fc.array(call, { minLength: 1, maxLength: 4 }), fc.boolean(), (calls, offered) => {
        const messages = [
          { role: "user", content: "Go." },
          {
            role: "assistant",
            content: calls.map(({ arguments: args, name }, at) => ({
              type: "tool-call",
              id: `c${at}`,
              name,
              arguments: args
            }))
          },
          {
            role: "tool",
            content: calls.map(({ content, isError }, at) => ({
              type: "tool-result",
              toolCallId: `c${at}`,
              content,
              isError
            }))
          }
        ] as ReadonlyArray<Message>
        const items = input({ messages, ...(offered ? { tools } : undefined) }).slice(1)
        for (const at of calls.keys()) {
          const [made, result, ...more] = items.filter(({ call_id }) => call_id === `c${at}`)
          assert.deepStrictEqual(more, [])
          assert.strictEqual(result?.["type"], `${String(made?.["type"])}_output`)
        }
        // What is sent again with more after it begins the same.
        const longer = input({
          messages: [...messages, { role: "user", content: "More." }],
          ...(offered ? { tools } : undefined)
        })
        assert.deepStrictEqual(longer.slice(1, -1), items)
      }),
      { numRuns: 200 }
    )
  })

  it.effect("run in an agent, and a safety check asks first", () =>
    Effect.gen(function*() {
      const bodies: Array<{ readonly input: ReadonlyArray<JsonObject>; readonly tools: Json }> = []
      const outputs = [[shellCall, patchCall], [computerCall], [{
        type: "message",
        id: "msg_1",
        role: "assistant",
        status: "completed",
        content: [{ type: "output_text", text: "Done.", annotations: [] }]
      }]]
      const http = Layer.succeed(
        HttpClient.HttpClient,
        HttpClient.make((request) => {
          const { body } = request
          bodies.push(JSON.parse(body._tag === "Raw" ? String(body.body) : ""))
          const output = outputs[bodies.length - 1]
          const events = [{
            type: "response.completed",
            response: { id: "r", object: "response", status: "completed", model, output }
          }]
          const text = events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join("")
          return Effect.succeed(HttpClientResponse.fromWeb(
            request,
            new Response(text, { headers: { "content-type": "text/event-stream" } })
          ))
        })
      )
      const agent = Agent.make({
        tools: Handlers.make([OpenAiTools.shell(), OpenAiTools.applyPatch(), OpenAiTools.computer()], {
          shell: ({ commands }) =>
            Effect.succeed(commands.map((stdout) => ({
              stdout,
              stderr: "",
              outcome: { type: "exit", exit_code: 0 } as const
            }))),
          apply_patch: ({ path }) => Effect.succeed(`changed ${path}`),
          computer: ({ actions }) => Effect.succeed(Handlers.output(actions.length === 2 ? [image] : "?"))
        })
      })
      const service = OpenAi.layer({ apiKey: Redacted.make("k"), model }).pipe(Layer.provide(http))
      const first = yield* Agent.run(agent, { prompt: "Go." }).pipe(Effect.provide(service))
      assert.strictEqual(first.status, "waiting")
      const [approval] = first.waiting.approvals
      assert.strictEqual(approval?.toolName, "computer")
      const second = yield* Agent.run(agent, {
        state: first.state,
        decisions: [{ approvalId: approval!.approvalId, approved: true }]
      }).pipe(Effect.provide(service))
      assert.strictEqual(second.text, "Done.")
      const sent = bodies[2]!.input.slice(1)
      assert.deepStrictEqual(sent.map(({ type }) => type), [
        "shell_call",
        "apply_patch_call",
        "shell_call_output",
        "apply_patch_call_output",
        "computer_call",
        "computer_call_output"
      ])
      assert.deepStrictEqual(
        sent[2]?.["output"],
        ["ls", "pwd"].map((stdout) => ({
          stdout,
          stderr: "",
          outcome: { type: "exit", exit_code: 0 }
        }))
      )
      assert.deepStrictEqual(sent[5]?.["acknowledged_safety_checks"], [check])
    }))

  it("are OpenAI's alone", () => {
    assert.isUndefined(encode({ prompt: "Go.", tools: [AnthropicTools.bash()] }).calledItems)
  })
})
