import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { candidates, capabilities, chosen, matrix, table, variables } from "../../scripts/live/matrix.ts"
import { layerHttpClient } from "../../src/node.ts"
import * as Simulator from "../../src/testing/Simulator.ts"

const key = "sk-live-test-0123456789abcdef"

describe("The live matrix", () => {
  it.effect("asks nobody without a key, and names what it looks for", () =>
    Effect.gen(function*() {
      const all = yield* candidates
      assert.isAbove(all.length, 40)
      assert.deepStrictEqual(chosen(all, { env: { ANTHROPIC_API_KEY: " " } }), [])
      const named = variables(all)
      for (const name of ["ANTHROPIC_API_KEY", "OPENAI_API_KEY", "GEMINI_API_KEY", "AWS_BEARER_TOKEN_BEDROCK"]) {
        assert.include(named, name)
      }
    }))

  it.live("asks who has a key for everything, records it without the key, and tells what was refused", () =>
    Effect.gen(function*() {
      const folder = yield* Effect.acquireRelease(
        Effect.promise(() => mkdtemp(join(tmpdir(), "live-"))),
        (folder) => Effect.promise(() => rm(folder, { recursive: true }))
      )
      const simulator = yield* Simulator.make({
        respondWith: ({ body, wire }) =>
          wire === "openai-responses" && JSON.stringify(body).includes("input_image")
            ? Simulator.error(400)
            : undefined
      })
      const env = {
        ANTHROPIC_API_KEY: key,
        ANTHROPIC_BASE_URL: `${simulator.url}/v1`,
        OPENAI_API_KEY: key,
        OPENAI_BASE_URL: `${simulator.url}/v1`,
        GEMINI_API_KEY: key
      }
      const rows = yield* matrix({ env, record: folder, only: ["anthropic", "openai"] })
      assert.deepStrictEqual(rows.map(({ provider }) => provider), ["anthropic", "openai"])
      for (const { outcomes } of rows) {
        assert.deepStrictEqual(Object.keys(outcomes), [...capabilities])
        for (const asked of ["text", "stream", "tools", "object"] as const) {
          assert.strictEqual(outcomes[asked]?.status, "yes", asked)
        }
      }
      assert.strictEqual(rows[1]!.outcomes.image?.status, "refused")
      const told = table(rows)
      assert.match(told, /^provider +model +text +stream +tools/)
      assert.match(told, /openai image: refused: Validation/)
      const files = (yield* Effect.promise(() => readdir(folder))).toSorted()
      assert.deepStrictEqual(files, ["anthropic.json", "openai.json"])
      for (const file of files) {
        const text = yield* Effect.promise(() => readFile(join(folder, file), "utf8"))
        assert.include(text, "/v1/")
        assert.notInclude(text, key)
      }
    }).pipe(Effect.provide(layerHttpClient), Effect.scoped))

  it.live("tells of a provider that cannot be reached, and goes on with the others", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make()
      const env = {
        ANTHROPIC_API_KEY: key,
        ANTHROPIC_BASE_URL: "http://127.0.0.1:1/v1",
        OPENAI_API_KEY: key,
        OPENAI_BASE_URL: `${simulator.url}/v1`
      }
      const rows = yield* matrix({ env, only: ["anthropic", "openai"] })
      assert.strictEqual(rows[0]!.outcomes.text?.status, "failed")
      assert.include(rows[0]!.outcomes.text?.note, "Network")
      assert.isDefined(rows[1]!.outcomes.text)
    }).pipe(Effect.provide(layerHttpClient), Effect.scoped))
})
