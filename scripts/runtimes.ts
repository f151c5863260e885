/**
 * Runs one program (`runtimes/program.ts`) on every runtime that is promised and that can be installed: this Node, Bun, Deno, workerd, and
 * Debian's Chromium. All must say the same. Bun, Deno and workerd come from `.ci/runtimes`, which `npm ci --prefix .ci/runtimes` installs.
 *
 * `--only bun,deno` tries some. A runtime that is not there is named as left out; it fails nothing, unless it is asked for.
 */
import { Effect } from "effect"
import { build } from "esbuild"
import { execFile, spawn } from "node:child_process"
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"
import { chromium } from "playwright-core"
import * as Simulator from "../src/testing/Simulator.ts"
import type { Servers } from "./runtimes/program.ts"

const { values: { only } } = parseArgs({ options: { only: { type: "string" } } })
const asked = only?.split(",")

const root = fileURLToPath(new URL("../", import.meta.url))
const installed = join(root, ".ci/runtimes/node_modules")
const scratch = mkdtempSync(join(tmpdir(), "effect-llm-runtimes-"))
const command = join(root, "scripts/runtimes/command.ts")
const expected = JSON.stringify({
  streamed: "Hello from the second one",
  servedBy: "openai",
  failedBefore: ["Overloaded"],
  agent: "Take an umbrella.",
  object: { name: "Ada" },
  cut: "cut after Half an "
})

const run = (file: string, args: ReadonlyArray<string>): Promise<string> =>
  new Promise((resolve) => {
    const env = { ...process.env, DENO_NO_UPDATE_CHECK: "1", DO_NOT_TRACK: "1", DENO_DIR: scratch, HOME: scratch }
    execFile(file, args, { cwd: root, env, timeout: 60_000 }, (error, stdout, stderr) =>
      resolve(error === null ? stdout.trim() : `${stdout}${stderr}${error.message}`))
  })

const bundle = async (entry: string): Promise<string> => {
  const { outputFiles } = await build({
    entryPoints: [join(root, entry)],
    bundle: true,
    format: "esm",
    platform: "browser",
    target: "es2024",
    write: false,
    logLevel: "error"
  })
  return outputFiles[0]!.text
}

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })

const onWorkerd = (file: string) => async (servers: string): Promise<string> => {
  const port = await freePort()
  writeFileSync(join(scratch, "worker.js"), await bundle("scripts/runtimes/worker.ts"))
  writeFileSync(
    join(scratch, "worker.capnp"),
    `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = (modules = [(name = "worker", esModule = embed "worker.js")], compatibilityDate = "2026-01-01", globalOutbound = "out")),
    (name = "out", network = (allow = ["private"]))
  ],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")]
);`
  )
  const child = spawn(file, ["serve", join(scratch, "worker.capnp")], { stdio: ["ignore", "pipe", "pipe"] })
  let said = ""
  child.stderr.on("data", (chunk: Buffer) => void (said += chunk.toString()))
  try {
    for (let tries = 0; tries < 100 && child.exitCode === null; tries++) {
      try {
        return await (await fetch(`http://127.0.0.1:${port}`, { method: "POST", body: servers })).text()
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 100))
      }
    }
    return `does not listen: ${said}`
  } finally {
    child.kill()
  }
}

const onChromium = (executablePath: string) => async (servers: string): Promise<string> => {
  const script = await bundle("scripts/runtimes/program.ts")
  const page = createServer((request, response) => {
    const module = request.url === "/program.js"
    response.setHeader("content-type", module ? "text/javascript" : "text/html")
    response.end(module ? script : "<!doctype html><title>effect-llm</title>")
  })
  await new Promise<void>((resolve) => page.listen(0, "127.0.0.1", resolve))
  const { port } = page.address() as AddressInfo
  const browser = await chromium.launch({
    executablePath,
    // The servers are of another origin and do not speak CORS, as the real ones.
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--disable-background-networking",
      "--disable-web-security"
    ]
  })
  try {
    const tab = await browser.newPage()
    await tab.goto(`http://127.0.0.1:${port}/`)
    return await tab.evaluate(
      `import("/program.js").then((module) => module.outcome(${servers}))`
    ) as string
  } finally {
    await browser.close()
    page.close()
  }
}

type Trial = (servers: string) => Promise<string>

const at = (path: string, trial: (file: string) => Trial): Trial | undefined =>
  existsSync(path) ? trial(path) : undefined

const runtimes: Readonly<Record<string, Trial | undefined>> = {
  node: (servers) => run(process.execPath, [command, servers]),
  bun: at(join(installed, "@oven/bun-linux-x64/bin/bun"), (file) => (servers) => run(file, [command, servers])),
  deno: at(
    join(installed, "@deno/linux-x64-glibc/deno"),
    (file) => (servers) => run(file, ["run", "--no-remote", "--cached-only", "--allow-all", command, servers])
  ),
  workerd: at(join(installed, "@cloudflare/workerd-linux-64/bin/workerd"), onWorkerd),
  chromium: at("/usr/bin/chromium", onChromium)
}

const say = (text: string): void => void process.stdout.write(`${text}\n`)

const main = Effect.gen(function*() {
  let failed = 0
  for (const [name, trial] of Object.entries(runtimes)) {
    if (asked !== undefined && !asked.includes(name)) continue
    if (trial === undefined) {
      say(`${name}: left out, it is not installed`)
      if (asked !== undefined) failed++
      continue
    }
    const got = yield* Effect.scoped(Effect.gen(function*() {
      const server = Effect.fnUntraced(function*(...answers: ReadonlyArray<Simulator.Answer>) {
        const simulator = yield* Simulator.make()
        yield* simulator.enqueue(...answers)
        return simulator.url
      })
      const servers: Servers = {
        failing: yield* server(Simulator.error(529)),
        streams: yield* server(Simulator.text("Hello from the second one")),
        tools: yield* server(
          Simulator.toolCall("get_weather", { city: "Oslo" }),
          Simulator.text("Take an umbrella.")
        ),
        objects: yield* server(Simulator.text(JSON.stringify({ name: "Ada" }))),
        cuts: yield* server(Simulator.text("Half an answer", { faults: { cutAfter: 4 } }))
      }
      return yield* Effect.promise(() => trial(JSON.stringify(servers)).catch(String))
    }))
    const ok = got === expected
    if (!ok) failed++
    say(`${name}: ${ok ? "ok" : `FAILED\n  ${got}\n  expected ${expected}`}`)
  }
  return failed
})

const failed = await Effect.runPromise(main)
rmSync(scratch, { recursive: true, force: true })
process.exitCode = failed === 0 ? 0 : 1
