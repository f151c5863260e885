// What leaves a gateway is what came in, on the wire it came in on; what cannot be carried elsewhere is told, or refused.
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Simulator from "../../src/testing/Simulator.ts"
import { send, serving } from "./serving.ts"

/** As Claude Code and Codex send them: marks, thinking, tools of the vendor's, members that nobody else knows, in this order. */
const claudeCode = {
  model: "claude-opus-4-1",
  messages: [
    { role: "user", content: [{ type: "text", text: "Fix it.", cache_control: { type: "ephemeral" } }] },
    {
      role: "assistant",
      content: [
        { type: "thinking", thinking: "Let me see.", signature: "c2lnbmF0dXJl" },
        { type: "tool_use", id: "toolu_1", name: "Read", input: { file_path: "/a.ts", limit: 3 } }
      ]
    },
    {
      role: "user",
      content: [{ type: "tool_result", tool_use_id: "toolu_1", content: [{ type: "text", text: "const a" }] }]
    },
    { role: "system", content: "The user has opened another file." }
  ],
  system: [{ type: "text", text: "You are a coding agent.", cache_control: { type: "ephemeral", ttl: "1h" } }],
  tools: [
    {
      name: "Read",
      description: "Reads",
      input_schema: { type: "object", properties: { file_path: { type: "string" } } }
    },
    { type: "web_search_20250305", name: "web_search", max_uses: 8 }
  ],
  metadata: { user_id: "user_1_account__session_2" },
  max_tokens: 32000,
  thinking: { type: "adaptive" },
  context_management: { edits: [{ type: "clear_thinking_20251015", keep: "all" }] },
  output_config: { effort: "high" },
  unheard_of: { nested: [1, null, "x"] },
  stream: true
}

const codex = {
  model: "gpt-5.2-codex",
  instructions: "You are a coding agent.",
  input: [
    { type: "message", role: "developer", content: [{ type: "input_text", text: "<permissions>" }] },
    { type: "message", role: "user", content: [{ type: "input_text", text: "Fix it." }] },
    { type: "reasoning", id: "rs_1", summary: [], content: null, encrypted_content: "Z2VoZWlt" },
    { type: "function_call", name: "shell", arguments: "{\"command\": [\"ls\"]}", call_id: "call_1", id: "fc_1" },
    { type: "function_call_output", call_id: "call_1", output: "a.ts" }
  ],
  tools: [
    {
      type: "function",
      name: "shell",
      description: "Runs",
      strict: false,
      parameters: { type: "object", properties: {} }
    },
    { type: "namespace", name: "mcp__files", description: "Files", tools: [{ type: "function", name: "open" }] },
    {
      type: "custom",
      name: "apply_patch",
      description: "Patches",
      format: { type: "grammar", syntax: "lark", definition: "start: /x/" }
    }
  ],
  tool_choice: "auto",
  parallel_tool_calls: true,
  reasoning: { effort: "medium", summary: "auto" },
  store: false,
  stream: true,
  include: ["reasoning.encrypted_content"],
  prompt_cache_key: "0199-abc",
  text: { verbosity: "low" },
  client_metadata: { session: "1" }
}

const chat = {
  messages: [{ role: "user", content: "Hello", name: "me" }],
  model: "gpt-5",
  stream: true,
  logit_bias: { "50256": -100 },
  user: "u1",
  unheard_of: true
}

const gemini = {
  contents: [{ role: "user", parts: [{ text: "Hello" }] }],
  safetySettings: [{ category: "HARM_CATEGORY_HARASSMENT", threshold: "BLOCK_NONE" }],
  generationConfig: { temperature: 0, unheardOf: 1 }
}

const routes = [
  { model: "claude-*", to: "claude", as: "claude-*" },
  { model: "gpt-*", to: "gpt", as: "gpt-*" }
]

const anthropicHeaders = {
  "anthropic-version": "2023-06-01",
  "anthropic-beta": "claude-code-20250219,context-management-2025-06-27"
}

describe("bodies through a gateway", () => {
  it.live("leave as they came, on the wire they came in on", () =>
    serving({ routes }, (served) =>
      Effect.gen(function*() {
        const claude = yield* send(`${served.url}/v1/messages?beta=true`, {
          body: claudeCode,
          headers: anthropicHeaders
        })
        assert.strictEqual(claude.status, 200, claude.text)
        assert.strictEqual(served.primary.requests[0]!.bodyText, JSON.stringify(claudeCode))
        assert.strictEqual(served.primary.requests[0]!.headers["anthropic-beta"], anthropicHeaders["anthropic-beta"])

        const responses = yield* send(`${served.url}/v1/responses`, { body: codex })
        assert.strictEqual(responses.status, 200, responses.text)
        assert.strictEqual(served.backup.requests[0]!.bodyText, JSON.stringify(codex))

        yield* send(`${served.url}/v1beta/models/gemini:generateContent`, { body: gemini })
        assert.strictEqual(served.backup.requests.at(-1)!.bodyText, JSON.stringify(gemini))
      })))

  it.live("leave as they came in Chat Completions", () =>
    serving({
      routes,
      instances: { gpt: { provider: "openai-compatible" } },
      variables: { OPENAI_COMPATIBLE_API_KEY: "sk-any-0123456789" }
    }, (served) =>
      Effect.gen(function*() {
        const answered = yield* send(`${served.url}/v1/chat/completions`, { body: chat })
        assert.strictEqual(answered.status, 200, answered.text)
        assert.strictEqual(served.backup.requests[0]!.wire, "openai-chat")
        assert.strictEqual(served.backup.requests[0]!.bodyText, JSON.stringify(chat))
      })))

  it.live("change in what the route changes", () =>
    serving(
      { routes: [{ model: "gpt-*", to: "claude" }, { model: "opus", to: "claude", as: "claude-opus-4-1" }] },
      (served) =>
        Effect.gen(function*() {
          yield* send(`${served.url}/v1/messages`, {
            body: { ...claudeCode, model: "opus" },
            headers: anthropicHeaders
          })
          yield* send(`${served.url}/v1/messages`, {
            body: { ...claudeCode, model: "gpt-4o" },
            headers: anthropicHeaders
          })
          const sent = served.primary.requests.map(({ bodyText }) => bodyText)
          assert.deepStrictEqual(sent, [
            JSON.stringify(claudeCode),
            JSON.stringify({ ...claudeCode, model: "claude-sonnet-4-5" })
          ])
        })
    ))

  it.live("tell what another wire has no words for; strict routes refuse it before anything is sent", () =>
    serving({ routes: [...routes, { model: "exact", to: "gpt", strict: true }] }, (served) =>
      Effect.gen(function*() {
        const body = {
          max_tokens: 64,
          messages: [{ role: "user", content: "Hello" }],
          context_management: { edits: [] }
        }
        const told = yield* send(`${served.url}/v1/messages`, {
          body: { ...body, model: "gpt-5" },
          headers: anthropicHeaders
        })
        assert.strictEqual(told.status, 200)
        assert.match(
          told.headers.get("x-effect-llm-warnings") ?? "",
          /^"context_management";message="Is passed on only/
        )

        const sent = served.backup.requests.length
        const exact = yield* send(`${served.url}/v1/messages`, {
          body: { ...body, model: "exact" },
          headers: anthropicHeaders
        })
        assert.strictEqual(exact.status, 400)
        assert.strictEqual(exact.json.error.type, "invalid_request_error")
        assert.include(exact.json.error.message, "context_management")
        assert.strictEqual(served.backup.requests.length, sent)
        const { context_management: _, ...plain } = body
        const fine = yield* send(`${served.url}/v1/messages`, {
          body: { ...plain, model: "exact" },
          headers: anthropicHeaders
        })
        assert.strictEqual(fine.status, 200)
        assert.isNull(fine.headers.get("x-effect-llm-warnings"))
      })))

  it.live("ask for one answer, and say so", () =>
    serving({}, (served) =>
      Effect.gen(function*() {
        const several = yield* send(`${served.url}/v1/chat/completions`, {
          body: { ...chat, model: "claude", stream: false, n: 3 }
        })
        assert.match(several.headers.get("x-effect-llm-warnings") ?? "", /"n";message="One answer/)
        const candidates = yield* send(`${served.url}/v1beta/models/gemini:generateContent`, {
          body: { ...gemini, generationConfig: { candidateCount: 2 } }
        })
        assert.match(candidates.headers.get("x-effect-llm-warnings") ?? "", /"generationConfig.candidateCount"/)
        assert.notInclude(served.backup.requests.at(-1)!.bodyText, "candidateCount")
      })))

  it.live("come back with who served them, what was tried and what it cost", () =>
    serving({}, (served) =>
      Effect.gen(function*() {
        yield* served.primary.respondWith(() => Simulator.error(529))
        const answered = yield* send(`${served.url}/v1/messages`, {
          body: { model: "claude", max_tokens: 64, messages: [{ role: "user", content: "Hello" }] },
          headers: anthropicHeaders
        })
        const header = (name: string) => answered.headers.get(`x-effect-llm-${name}`) ?? ""
        assert.strictEqual(header("served-by"), "openai/gpt-5")
        assert.strictEqual(header("instance"), "gpt")
        assert.match(
          header("attempts"),
          /^"anthropic\/claude-sonnet-4-5";reason="Overloaded";ms=\d+.*, "openai\/gpt-5";ok/
        )
        assert.isAbove(Number(header("cost")), 0)
        assert.match(header("request-id"), /^req_[0-9a-f]{32}$/)
      })))

  it.live("are compacted, and go on from that", () =>
    serving({}, (served) =>
      Effect.gen(function*() {
        yield* served.backup.respondWith(({ bodyText }) =>
          bodyText.includes("Write a summary") ? Simulator.text("The word is Késtrel.") : undefined
        )
        const compacted = yield* send(`${served.url}/v1/responses/compact`, {
          body: {
            model: "gpt",
            input: [{ role: "user", content: "My word?" }, { role: "assistant", content: "Késtrel" }]
          }
        })
        assert.strictEqual(compacted.json.object, "response.compaction")
        assert.deepStrictEqual(
          compacted.json.output.map(({ type }: { type: string }) => type),
          ["message", "compaction"]
        )
        const next = yield* send(`${served.url}/v1/responses`, {
          body: { model: "gpt", input: [...compacted.json.output, { role: "user", content: "Which?" }] }
        })
        assert.strictEqual(next.status, 200, next.text)
        assert.include(served.backup.requests.at(-1)!.bodyText, "The word is Késtrel.")
      })))
})
