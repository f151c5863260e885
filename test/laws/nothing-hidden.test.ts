// What cannot be is told wherever it stands: a legal field laid over it does not hide it, and nothing is taken for an empty object.
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { assert, describe, it } from "vitest"
import * as LlmConfig from "../../src/config/LlmConfig.ts"
import * as LlmError from "../../src/LlmError.ts"
import { type LlmRequest, validate } from "../../src/LlmRequest.ts"
import type * as LlmService from "../../src/LlmService.ts"
import * as Balance from "../../src/policy/Balance.ts"
import * as Continue from "../../src/policy/Continue.ts"
import * as Fallback from "../../src/policy/Fallback.ts"
import * as Hedge from "../../src/policy/Hedge.ts"
import * as Anthropic from "../../src/provider/Anthropic.ts"
import * as Azure from "../../src/provider/Azure.ts"
import { recorder, type Sent } from "../provider/setUp.ts"

const apiKey = Redacted.make("sk-of-the-layer")

const failureOf = async (effect: Effect.Effect<unknown, LlmError.LlmError, HttpClient.HttpClient>) => {
  const sent: Array<Sent> = []
  const exit = await Effect.runPromiseExit(
    Effect.provideService(Effect.flip(effect), HttpClient.HttpClient, recorder(sent, {}))
  )
  assert.isTrue(Exit.isSuccess(exit), String(exit))
  const error = (exit as Exit.Success<LlmError.LlmError>).value
  assert.isTrue(LlmError.isLlmError(error))
  assert.isFalse(error.isRetryable)
  assert.lengthOf(sent, 0)
  return error.reason as LlmError.Validation
}

const fieldOf = (request: unknown): string | undefined => validate(request as LlmRequest)?.field

const throwing = (): never => {
  throw new Error("read")
}
const unreadable: object = new Proxy({}, { get: throwing, has: throwing, ownKeys: throwing, getPrototypeOf: throwing })
const { proxy: revoked, revoke } = Proxy.revocable({}, {})
revoke()

describe("fields for one provider, laid over those at large", () => {
  const legal = { model: "m", headers: { a: "b" }, apiKey: Redacted.make("k") }
  const wrong: ReadonlyArray<readonly [request: object, field: string]> = [
    [{ headers: null, providers: { anthropic: legal } }, "headers"],
    [{ headers: "x-a: b", providers: { anthropic: legal } }, "headers"],
    [{ headers: new Headers({ a: "b" }), providers: { anthropic: legal } }, "headers"],
    [{ model: 5n, providers: { anthropic: legal } }, "model"],
    [{ model: "", providers: { anthropic: legal } }, "model"],
    [{ apiKey: "plain", providers: { anthropic: legal } }, "apiKey"],
    [{ ...legal, providers: { anthropic: { headers: 5 } } }, "providers.anthropic.headers"],
    [{ ...legal, providers: { anthropic: { origin: null } } }, "providers.anthropic.origin"],
    [{ ...legal, providers: { anthropic: { origin: "api.anthropic.com" } } }, "providers.anthropic.origin"],
    [{ ...legal, providers: { openai: { apiKey: "plain" } } }, "providers.openai.apiKey"],
    [{ ...legal, providers: new Map([["anthropic", legal]]) }, "providers"]
  ]
  for (const [given, field] of wrong) {
    it(`refuses ${field} of ${Object.keys(given).join(", ")}`, async () => {
      const request = { prompt: "Hi", ...given } as unknown as LlmRequest
      const make = Anthropic.make({ apiKey })
      const reason = await failureOf(Effect.flatMap(make, (service) => service.generate(request)))
      assert.strictEqual(reason._tag, "Validation")
      assert.strictEqual(reason.field, field)
    })
  }
})

describe("durations", () => {
  const at = (total: unknown) => fieldOf({ prompt: "Hi", timeouts: { total } })

  it("are no durations of nothing where a unit is not known", () => {
    for (
      const total of [{ second: 5 }, { seconds: 5, minuts: 1 }, new Date(), new Map(), /5/, Promise.resolve(5), [5]]
    ) assert.strictEqual(at(total), "timeouts.total")
  })

  it("are whatever Effect takes", () => {
    for (
      const total of [
        5,
        Infinity,
        5n,
        "5 seconds",
        "Infinity",
        [5, 0],
        {},
        { seconds: 5 },
        { minutes: 1, seconds: undefined },
        Duration.seconds(5),
        Duration.infinity
      ]
    ) assert.isUndefined(at(total))
  })
})

describe("objects of classes in place of plain ones", () => {
  it("are refused where what they hold would be left out", () => {
    assert.strictEqual(fieldOf({ prompt: "Hi", headers: new Headers({ a: "b" }) }), "headers")
    assert.strictEqual(fieldOf({ prompt: "Hi", headers: new Map([["a", "b"]]) }), "headers")
    assert.strictEqual(fieldOf({ prompt: "Hi", timeouts: new Date() }), "timeouts")
    assert.strictEqual(fieldOf({ prompt: "Hi", providerOptions: new Map() }), "providerOptions")
  })

  it("are taken where they are their fields", () => {
    class Own {
      readonly a = "b"
    }
    assert.isUndefined(fieldOf({ prompt: "Hi", headers: new Own(), metadata: new Own() }))
    assert.isUndefined(fieldOf({ prompt: "Hi", headers: Object.assign(Object.create(null), { a: "b" }) }))
    assert.isUndefined(fieldOf(Object.freeze({ prompt: "Hi", headers: Object.freeze({ a: "b" }) })))
  })
})

describe("what makes services", () => {
  it("gives one that refuses in place of what is no service", async () => {
    for (
      const given of [null, undefined, 5, {}, unreadable, revoked] as ReadonlyArray<unknown> as ReadonlyArray<never>
    ) {
      const made: ReadonlyArray<() => LlmService.Service> = [
        () => Continue.make(given),
        () => Hedge.make(given),
        () => Fallback.make(given),
        () => Fallback.make([given]),
        () => Balance.make(given),
        () => Balance.make([given])
      ]
      for (const make of made) {
        const reason = await failureOf(make().generate({ prompt: "Hi" }))
        assert.strictEqual(reason._tag as string, "Configuration")
        assert.isDefined(reason.field)
      }
    }
  })

  it("refuses options of Azure that cannot be read, and configurations that are none", async () => {
    for (const options of [unreadable, revoked, null, 5] as ReadonlyArray<unknown> as ReadonlyArray<never>) {
      for (const layer of [Azure.layer(options), Azure.layerConfig({}, options)]) {
        const reason = await failureOf(Effect.scoped(Layer.build(layer)))
        assert.strictEqual(reason._tag as string, "Configuration")
      }
    }
    for (const config of [unreadable, revoked, null] as ReadonlyArray<unknown> as ReadonlyArray<never>) {
      const reason = await failureOf(Effect.scoped(Layer.build(Azure.layerConfig(config))))
      assert.strictEqual(reason._tag as string, "Configuration")
    }
  })

  it("refuses a name of an instance that is no text", async () => {
    const config: LlmConfig.LlmConfig = { default: "a", instances: { a: { provider: "ollama" } } }
    for (const name of [5, {}, unreadable, revoked] as ReadonlyArray<unknown> as ReadonlyArray<never>) {
      const reason = await failureOf(Effect.scoped(Layer.build(LlmConfig.layer(config, name))))
      assert.strictEqual(reason._tag as string, "Configuration")
    }
  })
})
