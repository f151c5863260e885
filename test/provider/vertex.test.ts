import { assert, describe, it } from "@effect/vitest"
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as LlmService from "../../src/LlmService.ts"
import * as Gemini from "../../src/provider/Gemini.ts"
import type { ServiceLayer } from "../../src/provider/Provider.ts"
import * as Vertex from "../../src/provider/Vertex.ts"
import * as VertexAnthropic from "../../src/provider/VertexAnthropic.ts"
import { env, recorder, type Sent } from "./setUp.ts"

const geminiAnswer = { candidates: [{ content: { parts: [{ text: "Hi" }] }, finishReason: "STOP" }] }
const claudeAnswer = { type: "message", content: [{ type: "text", text: "Hi" }], stop_reason: "end_turn" }

/** Where a call with a layer goes, and with which headers. */
const sentBy = (
  layer: ServiceLayer,
  answer: unknown = geminiAnswer,
  variables: { readonly [name: string]: string } = {}
) =>
  Effect.gen(function*() {
    const sent: Array<Sent> = []
    yield* LlmService.generate({ prompt: "Hi" }).pipe(
      Effect.provide(
        layer.pipe(
          Layer.provide(Layer.succeed(HttpClient.HttpClient, recorder(sent, answer))),
          Layer.provide(env(variables))
        )
      )
    )
    return sent[0]!
  })

const token = Redacted.make("a-token")

describe("Vertex layers", () => {
  it.effect.each([
    ["global", "https://aiplatform.googleapis.com"],
    ["europe-west4", "https://europe-west4-aiplatform.googleapis.com"],
    ["eu", "https://aiplatform.eu.rep.googleapis.com"]
  ])("call the host of location %s", ([location, origin]) =>
    Effect.gen(function*() {
      const sent = yield* sentBy(Vertex.layer({ project: "kitchen", location, accessToken: token, model: "bird-1" }))
      assert.strictEqual(
        sent.url,
        `${origin}/v1/projects/kitchen/locations/${location}/publishers/google/models/bird-1:generateContent`
      )
      assert.strictEqual(sent.headers["authorization"], "Bearer a-token")
    }))

  it.effect("call express mode without a project, with the key in a header", () =>
    Effect.gen(function*() {
      const sent = yield* sentBy(Vertex.layer({ apiKey: Redacted.make("a-key"), model: "bird-1" }))
      assert.strictEqual(
        sent.url,
        "https://aiplatform.googleapis.com/v1/publishers/google/models/bird-1:generateContent"
      )
      assert.strictEqual(sent.headers["x-goog-api-key"], "a-key")
    }))

  it.effect("take project, location and token from the environment", () =>
    Effect.gen(function*() {
      const env = {
        GOOGLE_CLOUD_PROJECT: "kitchen",
        GOOGLE_CLOUD_LOCATION: "us-east5",
        GOOGLE_ACCESS_TOKEN: "env-token",
        VERTEX_API_KEY: "not-this",
        VERTEX_MODEL: "bird-2",
        VERTEX_ANTHROPIC_MODEL: "claude-bird@20260101"
      }
      const gemini = yield* sentBy(Vertex.layerEnv, geminiAnswer, env)
      assert.match(
        gemini.url,
        /^https:\/\/us-east5-.*\/projects\/kitchen\/locations\/us-east5\/publishers\/google\/models\/bird-2:/
      )
      assert.strictEqual(gemini.headers["authorization"], "Bearer env-token")
      const claude = yield* sentBy(VertexAnthropic.layerEnv, claudeAnswer, env)
      assert.match(claude.url, /\/publishers\/anthropic\/models\/claude-bird%4020260101:rawPredict$/)
      assert.strictEqual(claude.headers["authorization"], "Bearer env-token")
    }))

  it.effect("take Config values over options", () =>
    Effect.gen(function*() {
      const layer = Vertex.layerConfig(
        { project: Config.succeed("pantry"), accessToken: Config.succeed(token) },
        { project: "kitchen", location: "us-east5" }
      )
      assert.match((yield* sentBy(layer)).url, /\/projects\/pantry\/locations\/us-east5\//)
    }))

  it.effect("fail to build without a project", () =>
    Effect.gen(function*() {
      for (const layer of [Vertex.layerEnv, VertexAnthropic.layerEnv]) {
        const error = yield* Effect.flip(sentBy(layer, geminiAnswer, { GOOGLE_ACCESS_TOKEN: "t" }))
        assert.strictEqual(error.reason._tag, "Configuration")
        assert.include(error.message, "GOOGLE_CLOUD_PROJECT")
      }
    }))
})

describe("Gemini layer", () => {
  it.effect.each(["GEMINI_API_KEY", "GOOGLE_API_KEY", "GOOGLE_GENERATIVE_AI_API_KEY"])(
    "takes its key from %s",
    (name) =>
      Effect.gen(function*() {
        const sent = yield* sentBy(Gemini.layerEnv, geminiAnswer, { [name]: "a-key", GEMINI_MODEL: "bird-1" })
        assert.strictEqual(
          sent.url,
          "https://generativelanguage.googleapis.com/v1beta/models/bird-1:generateContent"
        )
        assert.strictEqual(sent.headers["x-goog-api-key"], "a-key")
      })
  )
})
