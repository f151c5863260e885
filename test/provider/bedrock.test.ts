import { NodeHttpClient } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import type { LlmRequest } from "../../src/LlmRequest.ts"
import * as LlmService from "../../src/LlmService.ts"
import * as LlmTool from "../../src/LlmTool.ts"
import * as Bedrock from "../../src/provider/Bedrock.ts"
import * as Simulator from "../../src/testing/Simulator.ts"
import { sign } from "../../src/transport/AwsSignature.ts"
import { spelled } from "../encoding.ts"
import { env, recorder, type Sent } from "./setUp.ts"

const secretAccessKey = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
const credentials: Bedrock.AwsCredentials = {
  accessKeyId: "AKIDEXAMPLE",
  secretAccessKey: Redacted.make(secretAccessKey),
  sessionToken: Redacted.make("a-session-token-of-some-length==")
}

const answer = {
  output: { message: { role: "assistant", content: [{ text: "Hi" }] } },
  stopReason: "end_turn"
}

const recording = (sent: Array<Sent>) => Layer.succeed(HttpClient.HttpClient, recorder(sent, answer))

/** What a call with the layer of an environment sends. */
const sentWith = (variables: { readonly [name: string]: string }) =>
  Effect.gen(function*() {
    const sent: Array<Sent> = []
    const http = recording(sent)
    yield* LlmService.generate({ prompt: "Hi" }).pipe(
      Effect.provide(
        Bedrock.layerEnv.pipe(Layer.provide(http), Layer.provide(env(variables)))
      )
    )
    return sent[0]!
  })

const keys = { AWS_ACCESS_KEY_ID: "AKIDEXAMPLE", AWS_SECRET_ACCESS_KEY: secretAccessKey }

describe("Bedrock from the environment", () => {
  it.effect("sends an API key as bearer token, and prefers it to credentials", () =>
    Effect.gen(function*() {
      const sent = yield* sentWith({ ...keys, AWS_BEARER_TOKEN_BEDROCK: "ABSK-key\n", AWS_REGION: "eu-west-3" })
      assert.strictEqual(sent.headers["authorization"], "Bearer ABSK-key")
      assert.strictEqual(
        sent.url,
        "https://bedrock-runtime.eu-west-3.amazonaws.com/model/global.anthropic.claude-sonnet-5-5/converse"
      )
    }))

  it.effect("signs with credentials, for the region", () =>
    Effect.gen(function*() {
      const sent = yield* sentWith({
        ...keys,
        AWS_SESSION_TOKEN: "token",
        AWS_DEFAULT_REGION: "ap-south-1",
        BEDROCK_MODEL: "amazon.nova-lite-v1:0"
      })
      assert.match(
        sent.headers["authorization"] ?? "",
        /^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE\/\d{8}\/ap-south-1\/bedrock\//
      )
      assert.strictEqual(sent.headers["x-amz-security-token"], "token")
      assert.strictEqual(
        sent.url,
        "https://bedrock-runtime.ap-south-1.amazonaws.com/model/amazon.nova-lite-v1%3A0/converse"
      )
    }))

  it.effect("has us-east-1 as default and takes an endpoint of one's own", () =>
    Effect.gen(function*() {
      assert.include((yield* sentWith(keys)).url, "https://bedrock-runtime.us-east-1.amazonaws.com/")
      const own = yield* sentWith({ ...keys, AWS_ENDPOINT_URL_BEDROCK_RUNTIME: "https://vpce.example.com" })
      assert.match(own.url, /^https:\/\/vpce\.example\.com\/model\//)
    }))

  it.effect("fails with Configuration when there is neither key nor credentials", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(sentWith({ AWS_ACCESS_KEY_ID: "AKIDEXAMPLE", AWS_SECRET_ACCESS_KEY: " " }))
      assert.strictEqual(error.reason._tag, "Configuration")
      assert.strictEqual(error.operation, "layer")
      assert.match(error.message, /AWS_BEARER_TOKEN_BEDROCK/)
    }))
})

describe("Bedrock credentials", () => {
  it.effect("makes a signature that the received request confirms", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make()
      const service = yield* Bedrock.make({ baseUrl: simulator.url, region: "eu-west-3", credentials })
      yield* service.generate({ prompt: "Grüße" })
      const received = simulator.requests[0]!
      assert.strictEqual(received.headers["content-type"], "application/json")
      const confirmed = yield* sign({
        method: received.method,
        url: `http://${received.headers["host"]}${received.path}`,
        headers: { "content-type": received.headers["content-type"] ?? "" },
        body: received.bodyText,
        service: "bedrock",
        region: "eu-west-3",
        credentials,
        now: 0
      })
      // The test clock stands at 0, so the time is the same.
      assert.strictEqual(received.headers["authorization"], confirmed["authorization"])
    }).pipe(Effect.provide(NodeHttpClient.layerUndici)))

  it.effect("asks an effect for each request, and keeps what says when it ends until shortly before", () =>
    Effect.gen(function*() {
      const sent: Array<Sent> = []
      let asked = 0
      const hour = 60 * 60 * 1000
      const fresh = (expiring: boolean) =>
        Effect.clockWith((clock) =>
          Effect.sync((): Bedrock.AwsCredentials => ({
            ...credentials,
            accessKeyId: `AKID${++asked}`,
            ...(expiring ? { expiration: clock.currentTimeMillisUnsafe() + hour } : {})
          }))
        )
      const layer = recording(sent)
      const kept = yield* Bedrock.make({ credentials: fresh(true) }).pipe(Effect.provide(layer))
      const ask = kept.generate({ prompt: "Hi" })
      yield* ask
      yield* ask
      yield* TestClock.adjust("54 minutes")
      yield* ask
      assert.strictEqual(asked, 1)
      yield* TestClock.adjust("2 minutes")
      yield* ask
      assert.strictEqual(asked, 2)
      assert.match(sent.at(-1)?.headers["authorization"] ?? "", /Credential=AKID2\//)
      const each = yield* Bedrock.make({ credentials: fresh(false) }).pipe(Effect.provide(layer))
      yield* each.generate({ prompt: "Hi" })
      yield* each.generate({ prompt: "Hi" })
      assert.strictEqual(asked, 4)
    }))

  it.effect("asks again, once, for credentials that are rejected", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make({ keys: ["AKID2"] })
      let asked = 0
      const service = yield* Bedrock.make({
        baseUrl: simulator.url,
        credentials: Effect.sync(() => ({ ...credentials, accessKeyId: `AKID${++asked}`, expiration: 1e12 }))
      })
      assert.strictEqual((yield* service.generate({ prompt: "Hi" })).finishReason, "stop")
      yield* Stream.runDrain(service.stream({ prompt: "Hi" }))
      assert.strictEqual(asked, 2)
      const never = yield* Bedrock.make({
        baseUrl: simulator.url,
        credentials: Effect.sync(() => ({ ...credentials, accessKeyId: `other${++asked}`, expiration: 1e12 }))
      })
      const error = yield* Effect.flip(never.generate({ prompt: "Hi" }))
      assert.strictEqual(error.reason._tag, "Authentication")
      assert.strictEqual(asked, 4)
    }).pipe(Effect.provide(NodeHttpClient.layerUndici)))

  it.effect("lets the key of a request win over the credentials of the layer", () =>
    Effect.gen(function*() {
      const sent: Array<Sent> = []
      const service = yield* Bedrock.make({ credentials }).pipe(Effect.provide(recording(sent)))
      yield* service.generate({ prompt: "Hi", apiKey: Redacted.make("ABSK-other") })
      assert.strictEqual(sent[0]?.headers["authorization"], "Bearer ABSK-other")
      assert.isUndefined(sent[0]?.headers["x-amz-security-token"])
    }))

  it.effect("fails with Configuration and without I/O when there is nothing to authenticate with", () =>
    Effect.gen(function*() {
      const sent: Array<Sent> = []
      const service = yield* Bedrock.make().pipe(Effect.provide(recording(sent)))
      const error = yield* Effect.flip(service.generate({ prompt: "Hi" }))
      assert.strictEqual(error.reason._tag, "Configuration")
      assert.deepStrictEqual(sent, [])
    }))

  it.effect("scrubs the secret and the session token from what the server says", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make()
      yield* simulator.enqueue(Simulator.error(400, {
        message: `Bad: ${secretAccessKey} and a-session-token-of-some-length==`
      }))
      const service = yield* Bedrock.make({ baseUrl: simulator.url, credentials })
      const error = yield* Effect.flip(service.generate({ prompt: "Hi" }))
      const rendered = `${error.message} ${JSON.stringify(error)} ${String(error)}`
      assert.strictEqual(error.reason._tag, "Validation")
      assert.notInclude(rendered, secretAccessKey)
      assert.notInclude(rendered, "a-session-token-of-some-length")
    }).pipe(Effect.provide(NodeHttpClient.layerUndici)))
})

describe("Bedrock requests", () => {
  const body = (request: LlmRequest, model: string, stream = false) => {
    const encoded = spelled(Bedrock.definition, request, model, stream)
    if ("field" in encoded) throw new Error(encoded.message)
    return encoded.body
  }

  it("merges its own fields into those of the request", () => {
    const made = body({
      prompt: "Hi",
      maxTokens: 3000,
      thinking: { budgetTokens: 1024 },
      providerOptions: {
        bedrock: {
          additionalModelRequestFields: { anthropic_beta: ["context-1m-2025-08-07"] },
          inferenceConfig: { topP: 0.99 },
          serviceTier: { type: "flex" }
        }
      }
    }, "us.anthropic.claude-sonnet-4-5-20250929-v1:0")
    assert.deepStrictEqual(made["additionalModelRequestFields"], {
      thinking: { type: "enabled", budget_tokens: 1024 },
      anthropic_beta: ["context-1m-2025-08-07"]
    })
    assert.deepStrictEqual(made["inferenceConfig"], { maxTokens: 3000, topP: 0.99 })
    assert.deepStrictEqual(made["serviceTier"], { type: "flex" })
  })

  it("keeps the stream mode of a guardrail to streams", () => {
    const guardrailConfig = {
      guardrailIdentifier: "g1",
      guardrailVersion: "DRAFT",
      streamProcessingMode: "async" as const
    }
    const request: LlmRequest = { prompt: "Hi", providerOptions: { bedrock: { guardrailConfig } } }
    assert.deepStrictEqual(body(request, "m", true)["guardrailConfig"], guardrailConfig)
    assert.deepStrictEqual(body(request, "m")["guardrailConfig"], {
      guardrailIdentifier: "g1",
      guardrailVersion: "DRAFT"
    })
  })

  it("knows what the families of models take, behind inference profiles and ARNs too", () => {
    const thinking = (model: string) => body({ prompt: "Hi", thinking: "low" }, model)["additionalModelRequestFields"]
    const claude = { thinking: { type: "enabled", budget_tokens: 4096 } }
    assert.deepStrictEqual(thinking("anthropic.claude-3-7-sonnet-20250219-v1:0"), claude)
    assert.deepStrictEqual(thinking("arn:aws:bedrock:us-east-1:1:inference-profile/us.anthropic.claude-x"), claude)
    assert.deepStrictEqual(thinking("arn:aws:bedrock:us-east-1:1:application-inference-profile/abc"), claude)
    assert.deepStrictEqual(thinking("eu.amazon.nova-2-lite-v1:0"), {
      reasoningConfig: { type: "enabled", maxReasoningEffort: "low" }
    })
    assert.deepStrictEqual(thinking("openai.gpt-oss-120b-1:0"), { reasoning_effort: "low" })
    for (const model of ["amazon.nova-lite-v1:0", "meta.llama3-1-8b-instruct-v1:0", "us.deepseek.r1-v1:0"]) {
      assert.isUndefined(thinking(model))
    }
  })

  it("asks for structured output where the model has it, and instructs where not", () => {
    const asked = (model: string) =>
      "outputConfig" in body(
        { prompt: "Hi", responseFormat: { type: "json-schema", schema: { type: "object", properties: {} } } },
        model
      )
    for (
      const model of ["us.anthropic.claude-sonnet-4-5-20250929-v1:0", "qwen.qwen3-32b-v1:0", "openai.gpt-oss-20b-1:0"]
    ) {
      assert.isTrue(asked(model), model)
    }
    for (
      const model of [
        "anthropic.claude-3-7-sonnet-20250219-v1:0",
        "us.anthropic.claude-sonnet-4-20250514-v1:0",
        "anthropic.claude-opus-4-1-20250805-v1:0",
        "meta.llama3-1-8b-instruct-v1:0",
        "us.deepseek.r1-v1:0"
      ]
    ) assert.isFalse(asked(model), model)
  })

  it.effect("streams and calls tools through the layer", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make()
      const events = yield* Stream.runCollect(LlmService.stream({
        prompt: "What is the weather in Lisbon",
        tools: [
          LlmTool.make("get_weather", { parameters: { type: "object", properties: { city: { type: "string" } } } })
        ]
      })).pipe(
        Effect.provide(Bedrock.layer({ baseUrl: simulator.url, apiKey: Redacted.make("ABSK-key") }))
      )
      const last = Array.from(events).at(-1)
      assert.strictEqual(last?._tag, "Finish")
      if (last?._tag === "Finish") {
        assert.deepStrictEqual(last.response.toolCalls.map((call) => call.arguments), [{ city: "Lisbon" }])
      }
    }).pipe(Effect.provide(NodeHttpClient.layerUndici)))
})
