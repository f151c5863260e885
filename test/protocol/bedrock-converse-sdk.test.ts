// Holds encoded bodies to the official client: given the same members it must send the same JSON. It drops members that
// are not in the service's model, so equality says that every member of ours is.
import { BedrockRuntimeClient, ConverseCommand, type ConverseCommandInput } from "@aws-sdk/client-bedrock-runtime"
import { assert, describe, it } from "@effect/vitest"
import type { LlmRequest } from "../../src/LlmRequest.ts"
import * as LlmTool from "../../src/LlmTool.ts"
import * as Message from "../../src/Message.ts"
import type { Json, JsonObject } from "../../src/Message.ts"
import * as BedrockConverse from "../../src/protocol/BedrockConverse.ts"
import { encoderOf } from "../encoding.ts"
import { replay } from "./wire-replay.ts"

const { answer } = replay("bedrock", BedrockConverse.make(), "bedrock")

const model = "arn:aws:bedrock:eu-west-3:123456789012:inference-profile/eu.anthropic.claude-test-1:0"

/** Bytes are base64 on the wire and bytes for the client. */
const forClient = (value: Json | undefined, key = ""): unknown => {
  if (typeof value === "string") {
    return key === "bytes" || key === "redactedContent" ? new Uint8Array(Buffer.from(value, "base64")) : value
  }
  if (Array.isArray(value)) return value.map((one: Json) => forClient(one))
  if (typeof value !== "object" || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, forClient(one, name)]))
}

const sentByClient = async (body: JsonObject): Promise<{ readonly path: string; readonly body: unknown }> => {
  let sent: { readonly path: string; readonly body: unknown } | undefined
  const client = new BedrockRuntimeClient({
    region: "eu-west-3",
    maxAttempts: 1,
    credentials: { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "not-a-secret" },
    requestHandler: {
      metadata: { handlerProtocol: "http/1.1" },
      updateHttpClientConfig: () => {},
      httpHandlerConfigs: () => ({}),
      handle: async (request: { readonly path: string; readonly body?: unknown }) => {
        const text = typeof request.body === "string"
          ? request.body
          : new TextDecoder().decode(request.body as Uint8Array)
        sent = { path: request.path, body: JSON.parse(text) }
        throw new Error("sent")
      }
    }
  })
  const input = { ...forClient(body) as Omit<ConverseCommandInput, "modelId">, modelId: model }
  await client.send(new ConverseCommand(input)).catch(() => undefined)
  if (sent === undefined) throw new Error("the client sent nothing")
  return sent
}

const pdf: Message.Media = { type: "base64", mediaType: "application/pdf", data: "aGk=" }
const weigh = LlmTool.make("weigh", {
  description: "Weighs an item",
  parameters: { type: "object", properties: { item: { type: "string" } } },
  strict: true
})

const requests: ReadonlyArray<readonly [string, LlmRequest]> = [
  ["a plain prompt", { prompt: "Hi" }],
  ["options", {
    prompt: "Hi",
    system: "Be brief.",
    maxTokens: 5000,
    temperature: 1,
    topP: 0.99,
    stop: ["END"],
    thinking: { budgetTokens: 2000 },
    effort: "low",
    responseFormat: { type: "json-schema", name: "reply", description: "A reply", schema: { type: "object" } },
    cache: { systemPrompt: true, extendedTtl: true }
  }],
  ["tools and a choice", {
    prompt: "Hi",
    tools: [weigh, LlmTool.provider("code", { systemTool: { name: "nova_code_interpreter" } })],
    toolChoice: { name: "weigh" },
    cache: { tools: true, recentTurns: 1 }
  }],
  ["media", {
    messages: [Message.user([
      Message.text("Look"),
      Message.image({ type: "base64", mediaType: "image/png", data: "aGk=" }),
      Message.image({ type: "file", fileId: "s3://bucket/cat.gif" }),
      Message.file(pdf, { filename: "report.pdf", citations: true }),
      Message.file({ type: "base64", mediaType: "video/mp4", data: "aGk=" }),
      Message.audio({ type: "base64", mediaType: "audio/wav", data: "aGk=" })
    ])]
  }],
  ["a history with calls and results", {
    messages: [
      Message.user("Weigh"),
      answer("parallel-tools").message,
      Message.toolResult({ id: "tooluse_1" }, [Message.text("250 g"), Message.file(pdf)]),
      Message.toolResult({ id: "tooluse_2" }, "Too hot", { isError: true })
    ],
    tools: [weigh]
  }],
  ["reasoning that is replayed", {
    messages: [
      Message.user("Hi"),
      answer("reasoning").message,
      Message.user("On"),
      answer("redacted-reasoning").message,
      Message.user("On")
    ]
  }],
  ["citations that are replayed", {
    messages: [Message.user("Hi"), answer("citations").message, Message.user("On")]
  }],
  ["server tools that are replayed", {
    messages: [Message.user("Hi"), answer("server-tools").message, Message.user("On")]
  }]
]

describe("The official client sends the same body", () => {
  it.each(requests)("for %s", async (_, request) => {
    const encoded = encoderOf(BedrockConverse.make())({ request, model, stream: false, provider: "bedrock" })
    if ("refused" in encoded) return assert.fail(encoded.refused.message)
    const sent = await sentByClient(encoded.body)
    assert.deepStrictEqual(sent.body, encoded.body)
    assert.strictEqual(sent.path, encoded.path)
  })
})
