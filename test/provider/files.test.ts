import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { Files } from "../../src/index.ts"
import * as Simulator from "../../src/testing/Simulator.ts"
import { overHttp } from "./setUp.ts"

const key = "files-key-0123456789"
const upload: Files.Upload = {
  bytes: new TextEncoder().encode("%PDF-1.7 hello"),
  mediaType: "application/pdf",
  filename: "report é.pdf"
}

const anyRequest = { ...Simulator.anthropicMessages, operation: () => "models" as const }

const cases = [
  ["Anthropic", Files.anthropic, "/v1", { id: "file_1" }, "/v1/files", "file_1", "/v1/files/file_1"],
  ["OpenAI", Files.openAi, "/v1", { id: "file-1" }, "/v1/files", "file-1", "/v1/files/file-1"],
  [
    "Gemini",
    Files.gemini,
    "/v1beta",
    { file: { name: "files/abc", uri: "https://x/files/abc" } },
    "/upload/v1beta/files",
    "files/abc",
    "/v1beta/files/abc"
  ]
] as const

describe("files", () => {
  for (const [name, make, base, answer, uploadPath, fileId, removePath] of cases) {
    it.live(`${name}: are uploaded, named, and deleted when their scope ends`, () =>
      overHttp(Effect.gen(function*() {
        const simulator = yield* Simulator.make({
          validate: false,
          requireKey: false,
          wires: [anyRequest],
          respondWith: (request) =>
            request.method === "DELETE" ? Simulator.raw("") : Simulator.raw(JSON.stringify(answer))
        })
        const files = yield* make({ apiKey: Redacted.make(key), baseUrl: `${simulator.url}${base}` })
        const stored = yield* Effect.scoped(files.use(upload))
        assert.deepStrictEqual(stored, { type: "file", fileId, mediaType: "application/pdf" })
        const [post, remove] = simulator.requests
        assert.strictEqual(post?.path, uploadPath)
        assert.include(post?.bodyText, "%PDF-1.7 hello")
        assert.deepStrictEqual([remove?.method, remove?.path], ["DELETE", removePath])
      })))

    it.live(`${name}: a refused upload is a typed error without the key`, () =>
      overHttp(Effect.gen(function*() {
        const simulator = yield* Simulator.make({
          validate: false,
          requireKey: false,
          wires: [anyRequest],
          respondWith: () => Simulator.echoKey(401)
        })
        const files = yield* make({ apiKey: Redacted.make(key), baseUrl: `${simulator.url}${base}` })
        const error = yield* Effect.flip(files.upload(upload))
        assert.strictEqual(error.reason._tag, "Authentication")
        assert.strictEqual(error.operation, "files")
        assert.notInclude(JSON.stringify(error) + error.stack, key)
      })))
  }
})
