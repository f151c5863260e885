// The program as it is started: what it prints, how it ends.
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Result from "effect/Result"
import { type ChildProcess, spawn } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { decode } from "../../src/gateway/config.ts"
import * as File from "../../src/gateway/file.ts"
import * as Simulator from "../../src/testing/Simulator.ts"
import { send } from "./serving.ts"

const main = fileURLToPath(new URL("../../src/gateway/main.ts", import.meta.url))

interface Ended {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "effect-llm-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true }))
)

/** Node of the package, in which TypeScript runs as it is. */
const start = (args: ReadonlyArray<string>) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const child = spawn(join("node_modules", ".bin", "node"), [main, ...args], {
        env: { PATH: process.env["PATH"], ANTHROPIC_API_KEY: "sk-ant-any-0123456789" }
      })
      const said = { out: "", err: "" }
      child.stdout.on("data", (piece) => (said.out += String(piece)))
      child.stderr.on("data", (piece) => (said.err += String(piece)))
      const ended = new Promise<Ended>((resolve) => child.on("close", (code) => resolve({ code, ...said })))
      return { child, said, ended }
    }),
    ({ child }) => Effect.sync(() => child.kill("SIGKILL"))
  )

const run = (args: ReadonlyArray<string>) => Effect.flatMap(start(args), ({ ended }) => Effect.promise(() => ended))

const listening = (child: ChildProcess, said: { readonly out: string }): Effect.Effect<string> =>
  Effect.callback((resume) => {
    child.stdout!.on("data", () => {
      const found = /http:\/\/127\.0\.0\.1:\d+/.exec(said.out)
      if (found !== null) resume(Effect.succeed(found[0]))
    })
  })

const configOf = (url: string) => `
default = "claude"

[instances.claude]
provider = "anthropic"
model = "claude-sonnet-4-5"
baseUrl = "${url}/v1"

[gateway]
inspector = true
limits = { drain = "1 hour" }

[[gateway.routes]]
model = "*"
to = "claude"
`

describe("effect-llm", () => {
  it.live(
    "gateway tells its address, serves, and lets calls end when it is told to stop",
    () =>
      Effect.scoped(Effect.gen(function*() {
        const simulator = yield* Simulator.make()
        const path = join(yield* folder, "llm.toml")
        writeFileSync(path, configOf(simulator.url))
        const { child, ended, said } = yield* start(["gateway", "--config", path, "--port", "0"])
        const url = yield* listening(child, said)
        const body = { model: "anything", stream: true, input: "Hello" }
        yield* simulator.respondWith(() => Simulator.text("Hello there, and good night.", { delayMillis: 40 }))
        const asking = yield* Effect.forkChild(send(`${url}/v1/responses`, { body }))
        yield* simulator.request(1)
        // A page that looks on has no end of its own, and is not waited for.
        const page = yield* Effect.promise(() => fetch(`${url}/inspector/events`))
        assert.strictEqual(page.status, 200)
        child.kill("SIGTERM")
        const answered = yield* Fiber.join(asking)
        assert.include(answered.text, "event: response.completed")
        const { code, err, out } = yield* Effect.promise(() => ended)
        assert.strictEqual(code, 0, err)
        yield* Effect.promise(() => page.body!.cancel().catch(() => undefined))
        assert.strictEqual(out.trim().split("\n").length, 1, out)
      })),
    60_000
  )

  it.live("gateway ends with every problem of a configuration", () =>
    Effect.scoped(Effect.gen(function*() {
      const path = join(yield* folder, "llm.toml")
      writeFileSync(path, wrong)
      const { code, err, out } = yield* run(["gateway", "--config", path])
      assert.strictEqual(code, 1)
      assert.strictEqual(out, "")
      for (const place of ["instances.other.provider", "gateway.routes.0.whatever", "\"anthropic\""]) {
        assert.include(err, place)
      }
      assert.notMatch(err, /\bat .*\.[jt]s:\d+/)
    })), 30_000)
})

const wrong = configOf("http://127.0.0.1:1").replace("to = \"claude\"", "to = \"cloude\"\nwhatever = 1") +
  "\n[[gateway.keys]]\nname = \"alice\"\n\n[instances.other]\nprovider = \"anthropc\"\n"

describe("a configuration with a gateway", () => {
  const read = (text: string, name = "llm.toml") =>
    Effect.scoped(Effect.gen(function*() {
      const path = join(yield* folder, name)
      writeFileSync(path, text)
      return yield* Effect.result(File.read(path))
    })).pipe(Effect.provide(NodeServices.layer))

  it.live("is read, of TOML and JSON", () =>
    Effect.gen(function*() {
      const toml = yield* read(configOf("http://127.0.0.1:1"))
      assert.isTrue(Result.isSuccess(toml))
      const json = yield* read(JSON.stringify(Result.getOrThrow(toml).llm), "llm.json")
      assert.isTrue(Result.isSuccess(json))
    }))

  it.live("tells all that is wrong, of instances and gateway together", () =>
    Effect.gen(function*() {
      const found = yield* read(wrong)
      const told = Result.isFailure(found) ? found.failure.join("\n") : ""
      for (const place of ["instances.other.provider", "gateway.routes.0.whatever"]) assert.include(told, place)
      const cases: ReadonlyArray<readonly [string, string]> = [
        ["[[gateway.routes]]\nmodel = \"a\"\nto = \"cloude\"", "Did you mean \"claude\"?"],
        ["[[gateway.routes]]\nmodel = \"a\"\nto = \"claude\"\nas = \"*\"", "gateway.routes.1.as"],
        ["[[gateway.routes]]\nmodel = \"*\"\nto = \"claude\"", "Is there twice"],
        ["[[gateway.routes]]\nmodel = \"a*b*\"\nto = \"claude\"", "a pattern with one *"],
        ["[[gateway.keys]]\nname = \"a\"", "Give either hash or env."],
        ["[[gateway.keys]]\nname = \"a\"\nhash = \"sha256:00\"", "64 hexadecimal digits"],
        ["[[gateway.keys]]\nname = \"a\"\nenv = \"A\"\nexpires = \"soon\"", "gateway.keys.0.expires"]
      ]
      for (const [table, wanted] of cases) {
        const one = yield* read(`${configOf("http://127.0.0.1:1")}\n${table}\n`)
        assert.include(Result.isFailure(one) ? one.failure.join("\n") : "", wanted, table)
      }
    }))

  it("that others can reach needs keys", () => {
    const open = { host: "0.0.0.0" }
    assert.isTrue(Result.isFailure(decode(open)))
    assert.isTrue(Result.isSuccess(decode({ ...open, keys: [{ name: "a", env: "A" }] })))
  })
})
