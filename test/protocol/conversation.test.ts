import { assert, describe, it } from "@effect/vitest"
import * as Message from "../../src/Message.ts"
import { prepare, type Rules } from "../../src/protocol/Conversation.ts"

const rules: Rules = { wire: "here", keepReasoning: (part) => part.signature !== undefined }
const there = { wire: "there" }
const here = { wire: "here" }
const call = (id: string, more: Partial<Message.ToolCallPart> = {}): Message.ToolCallPart => ({
  type: "tool-call",
  id,
  name: "look_up",
  arguments: {},
  ...more
})
const turns = (messages: ReadonlyArray<Message.Message>, given: Rules = rules) => prepare({ messages }, given).turns
const roles = (messages: ReadonlyArray<Message.Message>) => turns(messages).map((turn) => turn.role)

describe("a history prepared for a wire", () => {
  it("begins with the system text of the request", () => {
    assert.deepStrictEqual(prepare({ prompt: "Hi", system: "Be brief." }, rules).turns, [
      { role: "system", parts: [{ type: "text", text: "Be brief." }] },
      { role: "user", parts: [{ type: "text", text: "Hi" }] }
    ])
  })

  it("gives calls without a result an error result, right after the calls", () => {
    const { turns, warnings } = prepare({
      messages: [
        Message.user("a"),
        Message.assistant([call("1"), call("2")]),
        Message.toolResult({ id: "2" }, "two"),
        Message.user("b"),
        Message.assistant([call("3")])
      ]
    }, rules)
    assert.deepStrictEqual(turns.map((turn) => turn.role), ["user", "assistant", "tool", "user", "assistant", "tool"])
    const results = turns.flatMap((turn) => turn.parts.filter((part) => part.type === "tool-result"))
    assert.deepStrictEqual(results.map((part) => [part.toolCallId, part.isError ?? false]), [
      ["1", true],
      ["2", false],
      ["3", true]
    ])
    assert.lengthOf(warnings, 2)
  })

  it("sends a result that answers no call as text", () => {
    const { turns, warnings } = prepare({
      messages: [Message.user("a"), Message.assistant("b"), Message.toolResult({ id: "9" }, "lost")]
    }, rules)
    assert.deepStrictEqual(turns.at(-1), {
      role: "user",
      parts: [{ type: "text", text: "Result of tool call 9: lost" }]
    })
    assert.lengthOf(warnings, 1)
  })

  it("keeps results that a user message carries beside other parts, before them", () => {
    assert.deepStrictEqual(
      roles([
        Message.user("a"),
        Message.assistant([call("1")]),
        { role: "user", content: [Message.text("and"), { type: "tool-result", toolCallId: "1", content: "x" }] }
      ]),
      ["user", "assistant", "tool", "user"]
    )
  })

  it("rewrites ids the wire refuses, the same way at call and result, without collisions", () => {
    const nine: Rules = {
      ...rules,
      toolCallId: {
        isValid: (id) => /^[a-z]{3}$/.test(id),
        rewrite: (id, attempt) => id.replace(/[^a-z]/g, "x").slice(0, 2) + String.fromCharCode(97 + attempt)
      }
    }
    const prepared = turns([
      Message.user("a"),
      Message.assistant([call("ab-1"), call("ab-2"), call("abc")]),
      Message.tool(["ab-1", "ab-2", "abc"].map((toolCallId) => ({ type: "tool-result", toolCallId, content: "x" })))
    ], nine)
    const ids = prepared[1]!.parts.map((part) => part.type === "tool-call" ? part.id : "")
    assert.strictEqual(new Set(ids).size, 3)
    assert.isTrue(ids.every((id) => /^[a-z]{3}$/.test(id)))
    assert.deepStrictEqual(prepared[2]!.parts.map((part) => part.type === "tool-result" ? part.toolCallId : ""), ids)
  })

  it("makes the ids of calls unique in the conversation, each result with its own call", () => {
    const prepared = turns([
      Message.user("a"),
      Message.assistant([call("1")]),
      Message.toolResult({ id: "1" }, "first"),
      Message.assistant([call("1"), call("1")]),
      Message.toolResult({ id: "1" }, "second"),
      Message.toolResult({ id: "1" }, "third")
    ])
    const ids = prepared.flatMap((turn) => turn.parts).filter((part) => part.type === "tool-call").map((part) =>
      part.id
    )
    assert.deepStrictEqual(ids, ["1", "1_2", "1_3"])
    const results = prepared.flatMap((turn) => turn.parts).filter((part) => part.type === "tool-result")
    assert.deepStrictEqual(results.map((part) => [part.toolCallId, part.content]), [
      ["1", "first"],
      ["1_2", "second"],
      ["1_3", "third"]
    ])
  })

  it("drops foreign reasoning, signatures, replay data and server tools, and keeps its own", () => {
    const content: ReadonlyArray<Message.Part> = [
      { type: "reasoning", text: "r", signature: "s", origin: there },
      { type: "reasoning", text: "own", signature: "s", origin: here },
      { type: "server-tool", name: "search", kind: "call", data: {}, origin: there },
      { type: "server-tool", name: "search", kind: "call", data: {}, origin: here },
      { type: "source", url: "https://example.com" },
      { type: "text", text: "t", signature: "s", replay: { phase: "x" }, origin: there },
      call("1", { signature: "s", replay: { id: "x" }, origin: there }),
      call("2", { signature: "s", replay: { id: "x" }, origin: here })
    ]
    const [, assistant] = turns([Message.user("a"), Message.assistant(content)])
    assert.deepStrictEqual(assistant?.parts, [
      content[1]!,
      content[3]!,
      { type: "text", text: "t", origin: there },
      call("1", { origin: there }),
      content[7]!
    ])
  })

  it("replays invalid arguments as an object", () => {
    const [, assistant] = turns([
      Message.user("a"),
      Message.assistant([call("1", { arguments: "{oops", invalid: true })])
    ])
    const [part] = assistant!.parts
    assert.deepStrictEqual(part?.type === "tool-call" ? part.arguments : undefined, { invalid_arguments: "{oops" })
  })

  it("moves higher priority first among neighbours of one role only", () => {
    const messages = [
      Message.user("low"),
      Message.user("high").pipe(Message.priority(5)),
      Message.assistant("a"),
      Message.user("higher").pipe(Message.priority(9))
    ]
    assert.deepStrictEqual(
      turns(messages).map((turn) => turn.parts.map((part) => part.type === "text" ? part.text : "").join()),
      ["high", "low", "a", "higher"]
    )
  })

  it("puts a message's cache breakpoint on its last part", () => {
    const [turn] = turns([Message.user([Message.text("a"), Message.text("b")]).pipe(Message.cacheableExtended)])
    assert.deepStrictEqual(turn?.parts, [{ type: "text", text: "a" }, {
      type: "text",
      text: "b",
      cacheControl: "extended"
    }])
  })

  it("makes lone surrogates well-formed", () => {
    const [turn] = turns([Message.user("a\ud800b")])
    assert.deepStrictEqual(turn?.parts, [{ type: "text", text: "a\ufffdb" }])
  })
})
