/** What every judge stands on: the gateway as the program that is shipped, in front of two simulators, all on the loopback. */
import { Effect, type Scope } from "effect"
import { spawn } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import type { Instance } from "../../src/config/schema.ts"
import type { Options } from "../../src/gateway/Gateway.ts"
import * as Simulator from "../../src/testing/Simulator.ts"

export const root = fileURLToPath(new URL("../../", import.meta.url))

/** What a judge found. */
export interface Finding {
  readonly judge: string
  readonly name: string
  readonly good: boolean
  /** In words: figures where it is good, what was wrong where it is not. */
  readonly note: string
}

/** Keys of the instances, none of which a client may ever see. */
const secrets: Readonly<Record<string, string>> = {
  OPENAI_API_KEY: "sk-Primary-OpenAi-A1b2C3d4E5",
  ANTHROPIC_API_KEY: "sk-ant-Primary-F6g7H8i9J0k1",
  GEMINI_API_KEY: "AIza-Primary-L2m3N4o5P6q7r8"
}

export interface World {
  /** Origin of the gateway. */
  readonly url: string
  /** Process of the gateway. */
  readonly pid: number
  readonly primary: Simulator.Service
  readonly backup: Simulator.Service
}

export const folder: Effect.Effect<string, never, Scope.Scope> = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "effect-llm-judges-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true, maxRetries: 5 }))
)

export interface Table {
  readonly instances: Readonly<Record<string, Instance>>
  readonly gateway: Options
}

const addressIn = /http:\/\/127\.0\.0\.1:\d+/

/** Starts the program `effect-llm gateway` with a configuration; the scope ends it. */
const startGateway = (table: Table, flags: ReadonlyArray<string> = []) =>
  Effect.gen(function*() {
    const config = join(yield* folder, "llm.json")
    writeFileSync(config, JSON.stringify({ default: Object.keys(table.instances)[0], ...table }))
    const child = yield* Effect.acquireRelease(
      Effect.sync(() =>
        spawn(
          process.execPath,
          [...flags, join(root, "src/gateway/main.ts"), "gateway", "--config", config, "--port", "0"],
          { env: { PATH: process.env["PATH"], ...secrets }, stdio: ["ignore", "pipe", "inherit"] }
        )
      ),
      (child) =>
        Effect.promise(() =>
          new Promise<void>((resolve) => {
            if (child.exitCode !== null) return resolve()
            const hard = setTimeout(() => child.kill("SIGKILL"), 5000)
            child.on("close", () => {
              clearTimeout(hard)
              resolve()
            })
            child.kill("SIGTERM")
          })
        )
    )
    const url = yield* Effect.promise(() =>
      new Promise<string>((resolve, reject) => {
        let said = ""
        child.stdout.on("data", (piece) => {
          said += String(piece)
          const found = addressIn.exec(said)
          if (found !== null) resolve(found[0])
        })
        child.on("close", (code) => reject(new Error(`The gateway ended with ${code}`)))
      })
    )
    return { url, pid: child.pid! }
  })

const limits = { drain: "1 second" } as const

/** Which wires a world's primary and backup speak. */
export interface Wires {
  readonly primary: "openai" | "anthropic" | "gemini"
  readonly backup: "openai" | "anthropic" | "gemini"
}

const models = { openai: "gpt-5", anthropic: "claude-sonnet-4-5", gemini: "gemini-3-pro" } as const
const paths = { openai: "/v1", anthropic: "/v1", gemini: "/v1beta" } as const

/** A gateway whose every model is answered by `primary`, and by `backup` when that fails; nothing is tried twice. */
export const makeWorld = (wires: Wires, flags: ReadonlyArray<string> = []): Effect.Effect<World, never, Scope.Scope> =>
  Effect.gen(function*() {
    const primary = yield* Simulator.make()
    const backup = yield* Simulator.make()
    const instance = (provider: Wires["primary"], { url }: Simulator.Service): Instance => ({
      provider,
      model: models[provider],
      baseUrl: `${url}${paths[provider]}`,
      retry: false
    })
    const same = wires.primary === wires.backup
    const gateway = yield* startGateway({
      instances: {
        primary: { ...instance(wires.primary, primary), fallback: ["backup"] },
        backup: instance(wires.backup, backup)
      },
      gateway: { limits, routes: [{ model: "*", to: "primary", ...(same ? { as: "*" } : undefined) }] }
    }, flags)
    return { ...gateway, primary, backup }
  })

/** What can go wrong with a primary before its first word. */
export const failures: ReadonlyArray<readonly [name: string, answer: Simulator.Answer]> = [
  ["429", Simulator.error(429, { retryAfter: 20 })],
  ["503", Simulator.error(503)],
  ["529", Simulator.error(529)],
  ["cut", Simulator.text("Never.", { faults: { cutAfter: 1 } })],
  ["reset", Simulator.reset],
  ["error in the stream", Simulator.text("Never.", { faults: { errorAfter: 1 } })]
]
