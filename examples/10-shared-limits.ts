/**
 * Two processes that keep one rate limit and one circuit, over Redis.
 *
 * Takes the Redis of `REDIS_URL`, else starts a `redis-server` of its own. The second process is this file again.
 */
import { NodeRedis } from "@effect/platform-node"
import { Console, Effect, Layer, Redacted } from "effect"
import { execFile, spawn, spawnSync } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { promisify } from "node:util"
import { Anthropic, CircuitBreaker, LlmService, RateLimit, Timeout } from "../src/index.ts"
import { layerHttpClient } from "../src/node.ts"
import * as Simulator from "../src/testing/Simulator.ts"

// #region stack
/** Every process that builds this layer counts in the same buckets and sees the same circuit. */
const shared = (baseUrl: string, prefix: string) =>
  Anthropic.layer({ apiKey: Redacted.make("simulated-key"), baseUrl }).pipe(
    Timeout.policy({ firstToken: "20 seconds", idle: "30 seconds" }),
    RateLimit.policy({
      requestsPerMinute: 10,
      tokensPerMinute: 20_000,
      maxWait: 0,
      store: RateLimit.storeRedis({ prefix })
    }),
    CircuitBreaker.policy({ store: CircuitBreaker.storeRedis({ prefix }) })
  )

// Commands fail at once while Redis is away, instead of waiting in the client for its return.
const redis = (url: string) => NodeRedis.layer({ url, disableOfflineQueue: true })
// #endregion

/** Makes eight calls at once and says how many the limit let through. */
const worker = (url: string, baseUrl: string, prefix: string) =>
  Effect.gen(function*() {
    const call = Effect.match(LlmService.generate({ prompt: "Hello", maxTokens: 100 }), {
      onSuccess: () => "answered",
      onFailure: ({ reason }) => reason._tag
    })
    const outcomes = yield* Effect.all(Array.from({ length: 8 }, () => call), { concurrency: "unbounded" })
    const answered = outcomes.filter((outcome) => outcome === "answered").length
    yield* Console.log(`process ${process.pid}: ${answered} answered, ${8 - answered} turned away`)
  }).pipe(
    Effect.provide(shared(baseUrl, prefix).pipe(Layer.provide([layerHttpClient, redis(url)])))
  )

/** A Redis on a free port, for as long as the scope is open. */
const ownRedis = Effect.acquireRelease(
  Effect.promise(async () => {
    const folder = mkdtempSync(join(tmpdir(), "redis-"))
    for (let port = 20_000 + process.pid % 20_000;; port++) {
      const args = ["--bind", "127.0.0.1", "--port", String(port), "--dir", folder, "--save", ""]
      const server = spawn("redis-server", args, { stdio: ["ignore", "pipe", "ignore"] })
      for await (const line of createInterface({ input: server.stdout })) {
        if (line.includes("Ready to accept connections")) return { folder, server, url: `redis://127.0.0.1:${port}` }
      }
    }
  }),
  ({ folder, server }) =>
    Effect.promise(async () => {
      server.kill()
      await once(server, "exit")
      rmSync(folder, { recursive: true, force: true })
    })
)

const program = Effect.gen(function*() {
  const given = process.env["REDIS_URL"]
  if (given === undefined && spawnSync("redis-server", ["--version"]).status !== 0) {
    return yield* Console.log(
      "Set REDIS_URL or install redis-server (Debian: apt-get install redis-server) to run this."
    )
  }
  const url = given ?? (yield* ownRedis).url
  const simulator = yield* Simulator.make()
  const baseUrl = `${simulator.url}/v1`
  const prefix = `example-${process.pid}:`
  const run = Effect.promise(() => promisify(execFile)(process.execPath, [process.argv[1]!, url, baseUrl, prefix]))
  const [a, b] = yield* Effect.all([run, run], { concurrency: 2 })
  yield* Console.log(`${a.stdout}${b.stdout}`.trim())
  yield* Console.log(`${simulator.requests.length} requests reached the provider; the limit is 10 per minute`)
})

const [, , url, baseUrl, prefix] = process.argv
await Effect.runPromise(
  url !== undefined && baseUrl !== undefined && prefix !== undefined
    ? worker(url, baseUrl, prefix)
    : Effect.scoped(program)
)
