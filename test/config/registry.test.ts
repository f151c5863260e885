import { NodeHttpClient, NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Deferred, Effect, Fiber, FileSystem, Inspectable, Layer, Queue, Stream } from "effect"
import { TestClock } from "effect/testing"
import { writeFileSync } from "node:fs"
import { Slot } from "../../src/config/slot.ts"
import { type LlmConfig, type LlmError, LlmService, Registry, Retry } from "../../src/index.ts"
import * as Simulator from "../../src/testing/Simulator.ts"

const secret = "sk-Test-Q7w8E9r0T1y2"
const env = ConfigProvider.layer(ConfigProvider.fromEnv({
  env: { ANTHROPIC_API_KEY: secret, OPENAI_API_KEY: secret }
}))
const withSimulator = <A, E, R>(use: (simulator: Simulator.Service) => Effect.Effect<A, E, R>) =>
  Effect.scoped(Effect.flatMap(Simulator.make(), use)).pipe(
    Effect.provide([NodeHttpClient.layerUndici, NodeServices.layer, env])
  )

type Instances = { readonly [name: string]: Partial<LlmConfig.Instance> }

const configOf = (simulator: Simulator.Service, first: string, instances: Instances): LlmConfig.LlmConfig => ({
  default: first,
  instances: Object.fromEntries(
    Object.entries(instances).map(([name, instance]) => [name, {
      provider: "anthropic",
      baseUrl: `${simulator.url}/v1`,
      retry: false,
      ...instance
    }])
  )
})

const hi = { prompt: "Hi" }
const reasonOf = (error: LlmError.LlmError) => error.reason._tag
const oncePerMinute = { rateLimit: { requestsPerMinute: 1 } } as const

describe("named instances", () => {
  it.live("two names with the same configuration are two instances, each with its own limit and label", () =>
    withSimulator((simulator) =>
      Effect.gen(function*() {
        const registry = yield* Registry.make(configOf(simulator, "a", { a: oncePerMinute, b: oncePerMinute }))
        assert.deepStrictEqual(yield* registry.names, ["a", "b"])
        const a = yield* registry.get("a")
        const b = yield* registry.get("b")
        assert.strictEqual((yield* a.generate(hi)).label, "a")
        assert.strictEqual(reasonOf(yield* Effect.flip(a.generate(hi))), "RateLimit")
        assert.strictEqual((yield* b.generate(hi)).label, "b")
        assert.strictEqual(reasonOf(yield* Effect.flip((yield* registry.get("a")).generate(hi))), "RateLimit")
      })
    ))

  it.live("an instance that others fall back to keeps one limit for all", () =>
    withSimulator((simulator) =>
      Effect.gen(function*() {
        yield* simulator.respondWith(({ wire }) => wire === "anthropic-messages" ? Simulator.error(529) : undefined)
        const registry = yield* Registry.make(configOf(simulator, "first", {
          first: { fallback: ["spare"] },
          spare: { provider: "openai", ...oncePerMinute }
        }))
        assert.strictEqual((yield* (yield* registry.get("spare")).generate(hi)).provider, "openai")
        const error = yield* Effect.flip(registry.default.generate(hi))
        assert.strictEqual(reasonOf(error), "FallbackExhausted")
        assert.lengthOf(simulator.requests, 2)
      })
    ))

  it.live("an instance is built at its first use, where its missing key is told; unknown names get a suggestion", () =>
    withSimulator((simulator) =>
      Effect.gen(function*() {
        const registry = yield* Registry.make(configOf(simulator, "main", {
          main: {},
          other: { provider: "groq" }
        }))
        const missing = yield* Effect.flip(registry.get("other"))
        assert.include(missing.message, "instances.other: No API key for Groq: set GROQ_API_KEY")
        const unknown = yield* Effect.flip(registry.get("othr"))
        assert.strictEqual(reasonOf(unknown), "Configuration")
        assert.include(unknown.message, "Did you mean \"other\"?")
        const failed = yield* Effect.flip(Effect.scoped(Layer.build(
          Registry.layer(configOf(simulator, "main", { main: { provider: "groq" } }))
        )))
        assert.include(failed.message, "GROQ_API_KEY")
      })
    ))

  it.live("after its scope has ended a registry answers with an error", () =>
    withSimulator((simulator) =>
      Effect.gen(function*() {
        const registry = yield* Effect.scoped(Registry.make(configOf(simulator, "main", { main: {} })))
        const error = yield* Effect.flip(registry.default.generate(hi))
        assert.include(error.message, "The registry is closed")
      })
    ))
})

describe("another configuration at run time", () => {
  it.live("throttles change, and what did not change keeps its state", () =>
    withSimulator((simulator) =>
      Effect.gen(function*() {
        const registry = yield* Registry.make(configOf(simulator, "a", { a: oncePerMinute, b: oncePerMinute }))
        const a = yield* registry.get("a")
        const b = yield* registry.get("b")
        yield* a.generate(hi)
        yield* b.generate(hi)
        yield* registry.update(configOf(simulator, "a", {
          b: { rateLimit: { requestsPerMinute: 1 }, timeout: "1 minute", fallback: [] },
          a: { rateLimit: { requestsPerMinute: 100 } }
        }))
        yield* a.generate(hi)
        yield* a.generate(hi)
        assert.strictEqual(reasonOf(yield* Effect.flip(b.generate(hi))), "RateLimit")
      })
    ))

  it.live("what depends on the tag sees the provider change, through policies around it", () =>
    withSimulator((simulator) =>
      Effect.gen(function*() {
        const ask = Effect.map(LlmService.generate(hi), ({ provider }) => provider)
        const seen = yield* Effect.gen(function*() {
          const before = yield* ask
          yield* Registry.update(configOf(simulator, "b", { a: {}, b: { provider: "openai" } }))
          const { info } = yield* Registry.default
          return [before, yield* ask, info.provider, info.label]
        }).pipe(Effect.provide(
          Registry.service.pipe(
            Layer.provideMerge(Registry.layer(configOf(simulator, "a", { a: {} }))),
            Retry.policy()
          )
        ))
        assert.deepStrictEqual(seen, ["anthropic", "openai", "openai", "b"])
      })
    ))

  it.live("a service of a name that is gone fails, and serves again when the name is back", () =>
    withSimulator((simulator) =>
      Effect.gen(function*() {
        const both = configOf(simulator, "a", { a: {}, b: {} })
        const registry = yield* Registry.make(both)
        const b = yield* registry.get("b")
        yield* registry.update(configOf(simulator, "a", { a: {} }))
        const error = yield* Effect.flip(b.generate(hi))
        assert.include(error.message, "There is no instance \"b\". Known: a.")
        assert.strictEqual(reasonOf(yield* Effect.flip(Stream.runDrain(b.stream(hi)))), "Configuration")
        yield* registry.update(both)
        assert.strictEqual((yield* b.generate(hi)).label, "b")
      })
    ))

  it.live("a configuration in which an instance in use cannot be built changes nothing", () =>
    withSimulator((simulator) =>
      Effect.gen(function*() {
        const registry = yield* Registry.make(configOf(simulator, "a", { a: {}, b: oncePerMinute }))
        const b = yield* registry.get("b")
        yield* b.generate(hi)
        const error = yield* Effect.flip(registry.update(configOf(simulator, "a", {
          a: { provider: "openai" },
          b: { provider: "groq" }
        })))
        assert.include(error.message, "GROQ_API_KEY")
        assert.strictEqual((yield* registry.default.generate(hi)).provider, "anthropic")
        assert.strictEqual(reasonOf(yield* Effect.flip(b.generate(hi))), "RateLimit")
        const [last] = yield* Stream.runCollect(Stream.take(registry.reloads, 1))
        assert.strictEqual(last?._tag, "Rejected")
      })
    ))

  it.effect("an instance is closed when it is retired and its last user has gone, not before", () =>
    Effect.gen(function*() {
      const closed: Array<string> = []
      const slot = new Slot(
        Effect.acquireRelease(Effect.succeed("built"), () => Effect.sync(() => closed.push("closed")))
      )
      slot.take()
      slot.take()
      assert.strictEqual(yield* slot.ready, "built")
      yield* slot.giveBack
      yield* slot.retire
      assert.deepStrictEqual(closed, [])
      assert.strictEqual(yield* slot.ready, "built")
      yield* slot.giveBack
      assert.deepStrictEqual(closed, ["closed"])
    }))

  it.effect("callers that come at once share one building, and a failed one is tried again", () =>
    Effect.gen(function*() {
      let built = 0
      const gate = yield* Deferred.make<void>()
      const slot = new Slot(Effect.andThen(
        Deferred.await(gate),
        Effect.suspend(() => ++built === 1 ? Effect.fail("no") : Effect.succeed(built))
      ))
      const both = yield* Effect.forkChild(Effect.all([Effect.exit(slot.ready), slot.ready], { concurrency: 2 }))
      yield* Deferred.succeed(gate, undefined)
      const [first, second] = yield* Fiber.join(both)
      assert.isTrue(first._tag === "Failure")
      assert.strictEqual(second, 2)
      assert.strictEqual(yield* slot.ready, 2)
    }))
})

const tomlOf = (simulator: Simulator.Service, provider: string, more = "") =>
  `default = "main"\n[instances.main]\nprovider = "${provider}"\nbaseUrl = "${simulator.url}/v1"\n${more}`

describe("a file that changes", () => {
  const watched = (simulator: Simulator.Service) =>
    Effect.gen(function*() {
      const files = yield* FileSystem.FileSystem
      const path = `${yield* files.makeTempDirectoryScoped()}/llm.toml`
      // At once: a slow machine would otherwise let the watcher see a file that is cut, but not yet written.
      const write = (text: string) => Effect.sync(() => writeFileSync(path, text))
      yield* write(tomlOf(simulator, "anthropic"))
      const registry = yield* Registry.makeWatch(path, { debounce: "20 millis" })
      /** The next result, after what `change` does. */
      const after = <E>(change: Effect.Effect<void, E>) =>
        Effect.gen(function*() {
          const results = yield* Stream.toQueue(registry.reloads, { capacity: 8 })
          yield* Queue.take(results)
          yield* change
          return yield* Queue.take(results)
        }).pipe(Effect.scoped)
      return { files, path, registry, write, after }
    })

  it.live("a stream that runs ends on its provider while new calls already go to the other", () =>
    withSimulator((simulator) =>
      Effect.gen(function*() {
        // More than the kernel's buffers hold: it does not end before it is read.
        yield* simulator.respondWith((request) =>
          JSON.stringify(request.body).includes("\"stream\":true")
            ? Simulator.text("word ".repeat(4 * 1024 * 1024), { chunkSize: 256 * 1024 })
            : Simulator.text("word")
        )
        const { after, registry, write } = yield* watched(simulator)
        let during: string | undefined
        const events = yield* registry.default.stream(hi).pipe(
          Stream.tap((event) =>
            event._tag === "TextDelta" && during === undefined
              ? Effect.gen(function*() {
                during = ""
                yield* after(write(tomlOf(simulator, "openai")))
                during = (yield* registry.default.generate(hi)).provider
                assert.isUndefined(simulator.requests[0]?.outcome)
              })
              : Effect.void
          ),
          Stream.runCollect
        )
        const last = events.at(-1)
        assert.strictEqual(last?._tag, "Finish")
        assert.strictEqual(last?._tag === "Finish" ? last.response.provider : "", "anthropic")
        assert.strictEqual(during, "openai")
      })
    ))

  it.live("a broken file keeps the old configuration, is reported once, and is taken over when it is whole", () =>
    withSimulator((simulator) =>
      Effect.gen(function*() {
        const { after, registry, write } = yield* watched(simulator)
        const broken = yield* after(write(tomlOf(simulator, "openai", `apiKey = "${secret}"\n`)))
        assert.strictEqual(broken._tag, "Rejected")
        if (broken._tag === "Rejected") {
          assert.strictEqual(reasonOf(broken.error), "Configuration")
          assert.include(broken.error.message, "llm.toml: instances.main.apiKey: ")
          assert.notInclude(`${broken.error}${Inspectable.toStringUnknown(broken)}`, secret)
        }
        assert.strictEqual((yield* registry.default.generate(hi)).provider, "anthropic")
        const whole = yield* after(write(tomlOf(simulator, "openai")))
        assert.strictEqual(whole._tag, "Applied")
        assert.deepStrictEqual(whole._tag === "Applied" ? whole.changed : [], ["main"])
        assert.strictEqual((yield* registry.default.generate(hi)).provider, "openai")
      })
    ))

  it.live("a file that is replaced by another, as editors do it, is followed", () =>
    withSimulator((simulator) =>
      Effect.gen(function*() {
        const { after, files, path, registry } = yield* watched(simulator)
        const replace = files.writeFileString(`${path}.new`, tomlOf(simulator, "openai")).pipe(
          Effect.andThen(files.rename(`${path}.new`, path))
        )
        for (const provider of ["openai", "anthropic"]) {
          yield* after(
            provider === "openai" ? replace : files.writeFileString(`${path}.new`, tomlOf(simulator, provider)).pipe(
              Effect.andThen(files.rename(`${path}.new`, path))
            )
          )
          assert.strictEqual((yield* registry.default.generate(hi)).provider, provider)
        }
      })
    ))

  it.effect("many changes in a row are one reload, after the file has been quiet", () =>
    Effect.gen(function*() {
      const events = yield* Queue.unbounded<FileSystem.WatchEvent>()
      const text = (model: string) =>
        `{"default":"main","instances":{"main":{"provider":"anthropic","model":"${model}"}}}`
      let file = text("one")
      let reads = 0
      const files = FileSystem.layerNoop({
        readFileString: () => Effect.sync(() => (reads++, file)),
        watch: (_, options) =>
          Stream.unwrap(Effect.sync(() => {
            options?.onReady?.()
            return Stream.fromQueue(events)
          }))
      })
      yield* Effect.scoped(Effect.gen(function*() {
        const registry = yield* Registry.makeWatch("llm.json", { debounce: "1 second" })
        const model = () => registry.default.info.model
        yield* TestClock.adjust("1 second")
        assert.strictEqual(model(), "one")
        const readsBefore = reads
        for (const name of ["two", "three", "four"]) {
          file = text(name)
          yield* Queue.offer(events, { _tag: "Update", path: "llm.json" })
          yield* TestClock.adjust("900 millis")
          assert.strictEqual(model(), "one")
          assert.strictEqual(reads, readsBefore)
        }
        yield* TestClock.adjust("100 millis")
        assert.strictEqual(model(), "four")
        yield* Queue.offer(events, { _tag: "Update", path: "another.file" })
        yield* TestClock.adjust("1 second")
        const [last] = yield* Stream.runCollect(Stream.take(registry.reloads, 1))
        assert.strictEqual(last?._tag === "Applied" ? last.config.instances["main"]?.model : "", "four")
      })).pipe(Effect.provide([files, NodeHttpClient.layerUndici, env]))
    }))

  it.effect("watching begins again after it broke, and what changed meanwhile is read", () =>
    Effect.gen(function*() {
      const text = (model: string) =>
        `{"default":"main","instances":{"main":{"provider":"anthropic","model":"${model}"}}}`
      let file = text("one")
      let watches = 0
      const files = FileSystem.layerNoop({
        readFileString: () => Effect.sync(() => file),
        watch: (path, options) =>
          Stream.unwrap(Effect.suspend(() => {
            if (++watches === 1) return Effect.map(FileSystem.FileSystem, (noop) => noop.watch(path))
            options?.onReady?.()
            return Effect.succeed(Stream.never)
          })).pipe(Stream.provide(FileSystem.layerNoop({})))
      })
      yield* Effect.scoped(Effect.gen(function*() {
        const registry = yield* Registry.makeWatch("llm.json", { debounce: "1 second", rewatch: "5 seconds" })
        yield* TestClock.adjust("1 second")
        file = text("two")
        yield* TestClock.adjust("4 seconds")
        yield* TestClock.adjust("1 second")
        assert.strictEqual(watches, 2)
        assert.strictEqual(registry.default.info.model, "two")
      })).pipe(Effect.provide([files, NodeHttpClient.layerUndici, env]))
    }))
})
