import { assert, describe, it } from "@effect/vitest"
import * as Channel from "effect/Channel"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { LlmError } from "../../src/LlmError.ts"
import type { LlmEvent } from "../../src/LlmEvent.ts"
import { LlmService, type Service } from "../../src/LlmService.ts"
import * as Policy from "../../src/policy/Policy.ts"
import * as gate from "../../src/stream/gate.ts"
import type { Events } from "../../src/stream/source.ts"
import * as TestLlm from "../../src/testing/TestLlm.ts"

const hello = { prompt: "Hello" }

class Broken extends Context.Service<Broken, { readonly prefix: string }>()("test/Broken") {}

const naming = (name: string) =>
  Policy.make((service: Service) => ({
    ...service,
    info: { ...service.info, provider: `${name}(${service.info.provider})` }
  }))

describe("Policy", () => {
  it.effect("wraps the service of a layer and keeps what else the layer provides", () =>
    Effect.gen(function*() {
      const service = yield* LlmService
      assert.strictEqual(service.info.provider, "outer(inner(test))")
      yield* service.generate(hello)
      assert.strictEqual((yield* TestLlm.TestLlm).finished, 1)
    }).pipe(Effect.provide(TestLlm.echo.pipe(naming("inner"), naming("outer")))))

  it.effect("wraps a service value, and several policies are one", () =>
    Effect.gen(function*() {
      const both = Policy.compose(naming("inner"), naming("outer"))
      const service = yield* both.wrap(TestLlm.make().service)
      assert.strictEqual(service.info.provider, "outer(inner(test))")
    }))

  it.effect("makes its state once per layer build, not per call", () => {
    let made = 0
    const counting = Policy.make((service) =>
      Effect.gen(function*() {
        made++
        yield* Broken
        return service
      })
    )
    const layer: Layer.Layer<LlmService | TestLlm.TestLlm, never, Broken> = TestLlm.echo.pipe(counting)
    return Effect.gen(function*() {
      const service = yield* LlmService
      yield* service.generate(hello)
      yield* service.generate(hello)
      assert.strictEqual(made, 1)
    }).pipe(Effect.provide(layer), Effect.provideService(Broken, { prefix: "" }))
  })

  it("refuses a layer that provides no service, in the types", () => {
    const other = Layer.succeed(Broken, { prefix: "" })
    // @ts-expect-error -- the layer provides no LlmService
    assert.isTrue(Layer.isLayer(naming("none")(other)))
  })
})

describe("The commit gate", () => {
  const begin = (service: Service) =>
    gate.withAttempts(
      service,
      (request) => Effect.succeed({ first: { service, request }, next: ({ error }) => Effect.fail(error) })
    )

  it.effect("hands the arrays of the committed attempt through untouched", () =>
    Effect.gen(function*() {
      const arrays: Array<Events> = [
        [{ _tag: "ResponseStart" }],
        [{ _tag: "TextStart", index: 0 }, { _tag: "TextDelta", index: 0, text: "a" }],
        [{ _tag: "TextDelta", index: 0, text: "b" }, { _tag: "TextDelta", index: 0, text: "c" }],
        [{ _tag: "TextEnd", index: 0, part: { type: "text", text: "abc" } }]
      ]
      const upstream = Stream.fromIterable(arrays).pipe(Stream.rechunk(1), Stream.flattenArray)
      const service = begin({ ...TestLlm.make().service, stream: () => upstream })
      const got: Array<ReadonlyArray<LlmEvent>> = []
      yield* Stream.runForEachArray(service.stream(hello), (events) =>
        Effect.sync(() => {
          got.push(events)
        }))
      assert.deepStrictEqual(got[0], [...arrays[0]!, ...arrays[1]!])
      assert.strictEqual(got[1], arrays[2])
      assert.strictEqual(got[2], arrays[3])
    }))

  it.effect("takes a stream that ends before any content for incomplete", () =>
    Effect.gen(function*() {
      const service = begin({
        ...TestLlm.make().service,
        stream: () => Stream.succeed<LlmEvent>({ _tag: "ResponseStart" })
      })
      const error = yield* Effect.flip(Stream.runDrain(service.stream(hello)))
      assert.strictEqual(error.reason._tag, "IncompleteStream")
    }))

  it.effect("gives an answer without content whole", () =>
    Effect.gen(function*() {
      const service = begin(TestLlm.make({ answers: [""] }).service)
      const events = yield* Stream.runCollect(service.stream(hello))
      assert.deepStrictEqual(events.map((event) => event._tag), ["ResponseStart", "UsageUpdate", "Finish"])
    }))

  it.effect("closes the failed attempt before it asks what comes next", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      const second = TestLlm.make({ answers: ["second"] }).service
      const failing = Stream.fromChannel(Channel.fromTransform((_: unknown, scope: Scope.Scope) =>
        Effect.as(
          Scope.addFinalizer(scope, Effect.sync(() => void log.push("closed"))),
          Effect.fail(
            new LlmError({ provider: "p", model: "m", operation: "stream", reason: TestLlm.network(), attempts: 1 })
          )
        )
      ))
      const service: Service = { ...second, stream: () => failing }
      const gated = gate.withAttempts(service, (request) =>
        Effect.succeed({
          first: { service, request },
          next: () =>
            Effect.sync(() => {
              log.push("asked")
              return { service: second, request }
            })
        }))
      yield* Stream.runDrain(gated.stream(hello))
      assert.deepStrictEqual(log, ["closed", "asked"])
    }))

  it.effect("handles no defect", () =>
    Effect.gen(function*() {
      const { service } = TestLlm.make({ answers: () => () => Effect.die("bug") })
      let asked = 0
      const gated = gate.withAttempts(service, (request) =>
        Effect.succeed({
          first: { service, request },
          next: ({ error }) =>
            Effect.suspend(() => {
              asked++
              return Effect.fail(error)
            })
        }))
      const exits = [
        yield* Effect.exit(gated.generate(hello)),
        yield* Effect.exit(Stream.runDrain(gated.stream(hello)))
      ]
      assert.strictEqual(asked, 0)
      for (const exit of exits) assert.strictEqual(exit._tag, "Failure")
    }))
})
