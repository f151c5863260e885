import { assert, describe, it } from "@effect/vitest"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import { inspect } from "node:util"
import type * as LlmConfig from "../../src/config/LlmConfig.ts"
import * as Registry from "../../src/config/Registry.ts"
import type { LlmRequest } from "../../src/LlmRequest.ts"
import type { Service } from "../../src/LlmService.ts"
import * as Fallback from "../../src/policy/Fallback.ts"
import * as KeyPool from "../../src/policy/KeyPool.ts"
import * as Groq from "../../src/provider/Groq.ts"

// =============================================================================
// Companies
// =============================================================================

const hosts = { north: "anthropic", south: "groq", east: "mistral" } as const
type Company = keyof typeof hosts

const planted = (kind: string, company: Company): string => `planted-${kind}-${company}`

const instance = (company: Company, more: Partial<LlmConfig.Instance> = {}): LlmConfig.Instance => ({
  provider: hosts[company],
  baseUrl: `https://${company}.example/v1`,
  apiKeyEnv: `KEY_OF_${company.toUpperCase()}`,
  model: "own",
  retry: false,
  ...more
})

const variables = ConfigProvider.layer(ConfigProvider.fromEnv({
  env: { KEY_OF_NORTH: "layer-north", KEY_OF_SOUTH: "layer-south", KEY_OF_EAST: "layer-east" }
}))

interface Seen {
  readonly company: string
  readonly text: string
}

/** Who is down answers 500; who is up speaks Chat Completions or Messages. */
const world = () => {
  const seen: Array<Seen> = []
  const down = new Set<string>()
  const client = HttpClient.make((request, url) =>
    Effect.sync(() => {
      const company = url.host.split(".")[0]!
      const body = request.body._tag === "Raw" ? String(request.body.body) : ""
      seen.push({ company, text: `${url.href}\n${JSON.stringify({ ...request.headers })}\n${body}` })
      const answer = company === "north"
        ? {
          id: "m",
          type: "message",
          role: "assistant",
          model: "x",
          content: [{ type: "text", text: "Hello there." }],
          stop_reason: "end_turn",
          usage: { input_tokens: 1, output_tokens: 1 }
        }
        : { id: "c", choices: [{ index: 0, message: { content: "Hello there." }, finish_reason: "stop" }] }
      return HttpClientResponse.fromWeb(
        request,
        down.has(company) ? Response.json({ error: { message: "No." } }, { status: 500 }) : Response.json(answer)
      )
    })
  )
  return { seen, down, client }
}

type World = ReturnType<typeof world>

const strangers = ({ seen }: World): ReadonlyArray<string> =>
  seen.flatMap(({ company, text }) =>
    [...text.matchAll(/planted-\w+-(\w+)/g)].filter(([, of]) => of !== company).map(([found]) =>
      `${company} saw ${found}`
    )
  )

const within = <A, E>(world: World, effect: Effect.Effect<A, E, HttpClient.HttpClient>) =>
  Effect.provide(Effect.provideService(effect, HttpClient.HttpClient, world.client), variables)

const south = Groq.make({
  apiKey: Redacted.make("layer-south"),
  baseUrl: "https://south.example/v1",
  model: "own"
})

const registryOf = (instances: LlmConfig.LlmConfig["instances"]) => Registry.make({ default: "main", instances })

const forNorth: LlmRequest = {
  prompt: "Hello",
  providers: {
    anthropic: {
      apiKey: Redacted.make(planted("key", "north")),
      headers: { "x-call": planted("header", "north") },
      model: planted("model", "north")
    }
  }
}

// =============================================================================
// Laws
// =============================================================================

describe("a service that is exchanged", () => {
  it.effect("does not take with it what was for the company before, also out of a copy of it", () => {
    const place = world()
    return within(
      place,
      Effect.scoped(Effect.gen(function*() {
        const registry = yield* registryOf({ main: instance("north") })
        const main = yield* registry.get("main")
        const copied: Service = Fallback.candidate({ ...main }, {
          request: (request) => ({ ...request, maxTokens: 9 })
        })
        // By hand, so with what was true when it was written down.
        const { info } = main
        const pinned: Service = { ...main, info, generate: (request) => main.generate(request) }
        const stated: Service = {
          info,
          generate: main.generate,
          stream: main.stream,
          countTokens: main.countTokens,
          models: main.models,
          health: main.health
        }
        const other = yield* south
        yield* registry.update({ default: "main", instances: { main: instance("east") } })
        for (const service of [copied, pinned, stated]) {
          yield* Fallback.make([service, other]).generate(forNorth)
          yield* Fallback.make([other, service]).generate(forNorth)
        }
        place.down.add("south")
        for (const service of [copied, pinned, stated]) yield* Fallback.make([other, service]).generate(forNorth)
        assert.isTrue(place.seen.some(({ company }) => company === "east"))
        assert.deepStrictEqual(strangers(place), [])
      }))
    )
  })

  it.effect("does not get the keys of a pool around it", () => {
    const place = world()
    return within(
      place,
      Effect.scoped(Effect.gen(function*() {
        const registry = yield* registryOf({ main: instance("north") })
        const pooled = yield* KeyPool.policy({ keys: [{ apiKey: Redacted.make(planted("key", "north")) }] }).wrap(
          yield* registry.get("main")
        )
        yield* pooled.generate({ prompt: "Hello" })
        yield* registry.update({ default: "main", instances: { main: instance("east") } })
        yield* pooled.generate({ prompt: "Hello" })
        assert.deepStrictEqual(place.seen.map(({ company }) => company), ["north", "east"])
        assert.include(place.seen[0]!.text, planted("key", "north"))
        assert.include(place.seen[1]!.text, "layer-east")
        assert.deepStrictEqual(strangers(place), [])
      }))
    )
  })
})

describe("an instance with fallbacks", () => {
  const instances = { main: instance("north", { fallback: ["spare"] }), spare: instance("south") }

  it.effect("is several companies, so no pool of keys goes around it", () =>
    within(
      world(),
      Effect.scoped(Effect.gen(function*() {
        const registry = yield* registryOf(instances)
        for (const service of [registry.default, yield* registry.get("main"), { ...registry.default }]) {
          const made = yield* Effect.result(
            KeyPool.policy({ keys: [{ apiKey: Redacted.make(planted("key", "north")) }] }).wrap(service)
          )
          assert.strictEqual(Result.isFailure(made) ? made.failure.reason._tag : "made", "Configuration")
        }
      }))
    ))

  it.effect("gives each of its own what names it, also inside of another choice", () => {
    const place = world()
    return within(
      place,
      Effect.scoped(Effect.gen(function*() {
        const registry = yield* registryOf({ ...instances, third: instance("east") })
        const service = Fallback.make([yield* registry.get("third"), yield* registry.get("main")])
        place.down.add("east").add("north")
        yield* service.generate({
          prompt: "Hello",
          providers: { groq: { apiKey: Redacted.make(planted("key", "south")), model: planted("model", "south") } }
        })
        assert.deepStrictEqual(place.seen.map(({ company }) => company), ["east", "north", "south"])
        assert.include(place.seen[2]!.text, planted("key", "south"))
        assert.include(place.seen[2]!.text, planted("model", "south"))
        assert.deepStrictEqual(strangers(place), [])
      }))
    )
  })
})

describe("a service of the application's own", () => {
  const caller: LlmRequest = {
    prompt: "Hello",
    apiKey: Redacted.make(planted("key", "south")),
    headers: { "x-call": planted("header", "south") },
    model: planted("model", "south")
  }

  it.effect("finds nothing in a request that is not for it, however it looks", () => {
    const place = world()
    place.down.add("south")
    return within(
      place,
      Effect.gen(function*() {
        const first = yield* south
        let shown = ""
        const own: Service = {
          ...first,
          info: { provider: "own", model: "x", capabilities: {} },
          generate: (request) => {
            const symbols = Object.getOwnPropertySymbols(request).map((symbol) =>
              Reflect.get(request, symbol) as unknown
            )
            shown += inspect(request, { depth: Infinity, showHidden: true }) + JSON.stringify([request, symbols])
            return first.generate(request)
          }
        }
        yield* Effect.exit(Fallback.make([first, own]).generate(caller))
        assert.include(shown, "Hello")
        assert.notInclude(shown, "planted")
      })
    )
  })

  it.effect("that sends to another host what it was given, and adds to it, sends what it added", () => {
    const place = world()
    return within(
      place,
      Effect.scoped(Effect.gen(function*() {
        const registry = yield* registryOf({ main: instance("east"), north: instance("north") })
        const first = yield* south
        const north = yield* registry.get("north")
        const east = yield* registry.get("main")
        // It says that it is south, and asks others.
        const elsewhere = (to: Service): Service => ({
          ...first,
          generate: (request) => to.generate({ ...request, headers: { ...request.headers, "x-between": "added" } })
        })
        const named: LlmRequest = {
          prompt: "Hello",
          providers: { groq: { apiKey: caller.apiKey, headers: caller.headers, model: caller.model } }
        }
        for (const to of [east, Fallback.make([east, north]), Fallback.make([north, east])]) {
          yield* Fallback.make([elsewhere(to), north]).generate(named)
          assert.include(place.seen.at(-1)!.text, "added")
        }
        assert.deepStrictEqual(strangers(place), [])
      }))
    )
  })
})

describe("what was left out", () => {
  it.effect("is told also where a pool's key took the place of the caller's", () => {
    const place = world()
    return within(
      place,
      Effect.scoped(Effect.gen(function*() {
        const registry = yield* registryOf({ main: instance("north") })
        const pooled = yield* KeyPool.policy({ keys: [{ apiKey: Redacted.make(planted("key", "south")) }] }).wrap(
          yield* south
        )
        place.down.add("north")
        const response = yield* Fallback.make([yield* registry.get("main"), pooled]).generate({
          prompt: "Hello",
          apiKey: Redacted.make(planted("key", "north"))
        })
        assert.deepStrictEqual(response.warnings.map(({ field }) => field), ["apiKey"])
        assert.deepStrictEqual(strangers(place), [])
      }))
    )
  })
})
