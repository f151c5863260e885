/**
 * What the vendors' official clients send leaves as it came: conversations with tools, pictures, reasoning and structured output.
 */
import { Anthropic } from "@anthropic-ai/sdk"
import { BedrockRuntimeClient, ConverseCommand, ConverseStreamCommand } from "@aws-sdk/client-bedrock-runtime"
import { assert, describe, it } from "@effect/vitest"
import { GoogleGenAI } from "@google/genai"
import { CohereClientV2 } from "cohere-ai"
import * as Effect from "effect/Effect"
import { Ollama } from "ollama"
import { OpenAI } from "openai"
import type { JsonObject } from "../../../src/Message.ts"
import * as Simulator from "../../../src/testing/Simulator.ts"
import { collect, getWeather, http1 } from "../../testing/sdk.ts"
import { decode, encode, forgotten, incomingOf, names, wires } from "./wires.ts"

const png = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII="
const { parameters } = getWeather
const weather = { type: "function" as const, function: getWeather }

const clients: { readonly [kind: string]: (url: string) => Promise<unknown> } = {
  anthropic: async (url) => {
    const client = new Anthropic({ baseURL: url, apiKey: "k", maxRetries: 0 })
    const base = { model: "claude-opus-4-5", max_tokens: 3000 }
    const first = await client.messages.create({
      ...base,
      thinking: { type: "enabled", budget_tokens: 1024 },
      tools: [{ name: getWeather.name, input_schema: parameters, cache_control: { type: "ephemeral" } }],
      messages: [{ role: "user", content: "What is the weather in Lisbon" }]
    })
    const call = first.content.find((block) => block.type === "tool_use")!
    await client.messages.stream({
      ...base,
      system: [{ type: "text", text: "Be brief.", cache_control: { type: "ephemeral", ttl: "1h" } }],
      thinking: { type: "enabled", budget_tokens: 1024 },
      tools: [{ name: getWeather.name, input_schema: parameters }],
      messages: [
        {
          role: "user",
          content: [{ type: "image", source: { type: "base64", media_type: "image/png", data: png } }, {
            type: "text",
            text: "Weather?"
          }]
        },
        { role: "assistant", content: first.content },
        { role: "user", content: [{ type: "tool_result", tool_use_id: call.id, content: "19" }] }
      ]
    }).finalMessage()
    await client.messages.create({
      ...base,
      output_config: { format: { type: "json_schema", schema: { ...parameters, additionalProperties: false } } },
      messages: [{ role: "user", content: "Where?" }]
    })
  },
  chat: async (url) => {
    const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: "k", maxRetries: 0 })
    const model = "gpt-4.1-mini"
    const messages: Array<OpenAI.ChatCompletionMessageParam> = [{
      role: "user",
      content: "What is the weather in Lisbon"
    }]
    const first = await client.chat.completions.create({ model, messages, tools: [weather] })
    const said = first.choices[0]!.message
    await collectAll(
      await client.chat.completions.create({
        model,
        stream: true,
        stream_options: { include_usage: true },
        tools: [weather],
        messages: [...messages, said, { role: "tool", tool_call_id: said.tool_calls![0]!.id, content: "19" }]
      })
    )
    await client.chat.completions.create({
      model,
      messages: [{
        role: "user",
        content: [{ type: "text", text: "Where?" }, {
          type: "image_url",
          image_url: { url: `data:image/png;base64,${png}` }
        }]
      }],
      response_format: {
        type: "json_schema",
        json_schema: { name: "place", strict: true, schema: { ...parameters, additionalProperties: false } }
      }
    })
  },
  responses: async (url) => {
    const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: "k", maxRetries: 0 })
    const base = {
      model: "gpt-5.4-mini",
      reasoning: { effort: "low", summary: "auto" },
      include: ["reasoning.encrypted_content"],
      store: false,
      tools: [{ ...getWeather, type: "function", strict: false }]
    } satisfies Partial<OpenAI.Responses.ResponseCreateParams>
    const question = { role: "user" as const, content: "What is the weather in Lisbon" }
    const first = await client.responses.create({ ...base, input: [question] })
    const call = first.output.find((item) => item.type === "function_call")!
    await collectAll(
      await client.responses.create({
        ...base,
        stream: true,
        input: [
          question,
          ...first.output as Array<OpenAI.Responses.ResponseInputItem>,
          { type: "function_call_output", call_id: call.call_id, output: "19" }
        ]
      })
    )
    await client.responses.create({
      model: "gpt-5.4-mini",
      instructions: "Be brief.",
      input: [{
        role: "user",
        content: [{ type: "input_image", detail: "auto", image_url: `data:image/png;base64,${png}` }]
      }],
      text: {
        format: {
          type: "json_schema",
          name: "place",
          strict: true,
          schema: { ...parameters, additionalProperties: false }
        }
      }
    })
  },
  gemini: async (url) => {
    const client = new GoogleGenAI({ apiKey: "k", httpOptions: { baseUrl: url } })
    const model = "gemini-3.5-flash"
    const config = {
      systemInstruction: "Be brief.",
      thinkingConfig: { includeThoughts: true },
      tools: [{ functionDeclarations: [{ name: getWeather.name, parametersJsonSchema: parameters }] }]
    }
    const question = { role: "user", parts: [{ text: "What is the weather in Lisbon" }] }
    const first = await client.models.generateContent({ model, contents: [question], config })
    const stream = await client.models.generateContentStream({
      model,
      config,
      contents: [
        question,
        first.candidates![0]!.content!,
        { role: "user", parts: [{ functionResponse: { name: getWeather.name, response: { output: "19" } } }] }
      ]
    })
    await collectAll(stream)
    await client.models.generateContent({
      model,
      contents: [{ inlineData: { mimeType: "image/png", data: png } }, "Where?"],
      config: { responseMimeType: "application/json", responseJsonSchema: parameters, temperature: 0 }
    })
  },
  bedrock: async (url) => {
    const client = new BedrockRuntimeClient({
      region: "us-east-1",
      endpoint: url,
      maxAttempts: 1,
      credentials: { accessKeyId: "AKID", secretAccessKey: "secret" },
      requestHandler: http1(url)
    })
    const modelId = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
    const toolConfig = { tools: [{ toolSpec: { name: getWeather.name, inputSchema: { json: parameters } } }] }
    const question = { role: "user" as const, content: [{ text: "What is the weather in Lisbon" }] }
    const first = await client.send(new ConverseCommand({ modelId, messages: [question], toolConfig }))
    const said = first.output!.message!
    const call = said.content!.find((block) => block.toolUse !== undefined)!.toolUse!
    const second = await client.send(
      new ConverseStreamCommand({
        modelId,
        toolConfig,
        system: [{ text: "Be brief." }, { cachePoint: { type: "default" } }],
        messages: [
          question,
          said,
          {
            role: "user",
            content: [{ toolResult: { toolUseId: call.toolUseId, content: [{ json: { celsius: 19 } }] } }]
          }
        ],
        inferenceConfig: { maxTokens: 100 },
        additionalModelRequestFields: { top_k: 10 }
      })
    )
    await collectAll(second.stream!)
    await client.send(
      new ConverseCommand({
        modelId,
        messages: [{
          role: "user",
          content: [{ image: { format: "png", source: { bytes: Buffer.from(png, "base64") } } }, { text: "Where?" }]
        }]
      })
    )
  },
  cohere: async (url) => {
    const client = new CohereClientV2({ baseUrl: url, token: "k", maxRetries: 0 })
    const model = "command-a-03-2025"
    const question = { role: "user" as const, content: "What is the weather in Lisbon" }
    const first = await client.chat({ model, messages: [question], tools: [weather], thinking: { type: "enabled" } })
    const call = first.message.toolCalls![0]!
    await collectAll(
      await client.chatStream({
        model,
        tools: [weather],
        messages: [
          question,
          { role: "assistant", toolCalls: [call], toolPlan: "I look." },
          { role: "tool", toolCallId: call.id, content: [{ type: "document", document: { data: { celsius: 19 } } }] }
        ],
        citationOptions: { mode: "FAST" }
      })
    )
    await client.chat({
      model,
      messages: [{
        role: "user",
        content: [{ type: "text", text: "Where?" }, {
          type: "image_url",
          imageUrl: { url: `data:image/png;base64,${png}` }
        }]
      }],
      responseFormat: { type: "json_object", jsonSchema: parameters },
      documents: ["Lisbon is a city."]
    })
  },
  ollama: async (url) => {
    const client = new Ollama({ host: url })
    const model = "qwen3:8b"
    const question = { role: "user", content: "What is the weather in Lisbon" }
    const first = await client.chat({ model, messages: [question], tools: [weather], think: true, keep_alive: "5m" })
    await collectAll(
      await client.chat({
        model,
        stream: true,
        tools: [weather],
        messages: [question, first.message, { role: "tool", content: "19", tool_name: getWeather.name }],
        options: { temperature: 0, num_ctx: 4096 }
      })
    )
    await client.chat({ model, messages: [{ role: "user", content: "Where?", images: [png] }], format: parameters })
  }
}

const collectAll = (stream: AsyncIterable<unknown>): Promise<unknown> => Effect.runPromise(collect(stream))

describe("the official clients", () => {
  it.effect.each(names)("%s: what they send leaves as it came", (kind) =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make()
      yield* Effect.promise(() => clients[kind]!(simulator.url))
      const wire = wires[kind]!
      assert.strictEqual(simulator.requests.length, 3)
      for (const incoming of simulator.requests) {
        const { model, request, stream, warnings } = decode(wire, incoming)
        const sent = encode(wire, request, { model, stream })
        assert.strictEqual(JSON.stringify(sent.body), JSON.stringify(incoming.body))
        assert.isTrue(
          `${incoming.path}?${incoming.query}`.includes(decodeURIComponent(sent.path).split("?")[0]!) ||
            incoming.path.includes(sent.path.split("?")[0]!)
        )
        // Read again from what this library writes of it, it says the same.
        const again = encode(wire, forgotten(request), { model, stream })
        const read = decode(wire, incomingOf(wire, again))
        assert.deepStrictEqual(
          read.request.messages?.map(({ role }) => role),
          request.messages?.map(({ role }) => role)
        )
        assert.deepStrictEqual(Object.keys(read.request.tools ?? []), Object.keys(request.tools ?? []))
        for (const { field } of warnings) assert.property(incoming.body as JsonObject, field.split(".")[0]!)
      }
    }))
})
