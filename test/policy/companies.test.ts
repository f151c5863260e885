import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import { TestClock } from "effect/testing"
import * as fc from "fast-check"
import type { LlmError } from "../../src/LlmError.ts"
import type { LlmRequest } from "../../src/LlmRequest.ts"
import type { Service } from "../../src/LlmService.ts"
import * as Balance from "../../src/policy/Balance.ts"
import * as CircuitBreaker from "../../src/policy/CircuitBreaker.ts"
import * as Continue from "../../src/policy/Continue.ts"
import * as Fallback from "../../src/policy/Fallback.ts"
import * as Hedge from "../../src/policy/Hedge.ts"
import * as KeyPool from "../../src/policy/KeyPool.ts"
import type * as Policy from "../../src/policy/Policy.ts"
import * as Retry from "../../src/policy/Retry.ts"
import * as Timeout from "../../src/policy/Timeout.ts"
import * as Anthropic from "../../src/provider/Anthropic.ts"
import * as Groq from "../../src/provider/Groq.ts"

// =============================================================================
// Companies and their servers
// =============================================================================

/** Two companies, and one of them at another host, which is another company as far as a key goes. */
const companies = {
  north: { module: Anthropic, origin: "https://north.example" },
  south: { module: Groq, origin: "https://south.example" },
  proxy: { module: Groq, origin: "https://proxy.example" }
} as const
type Company = keyof typeof companies
const names = Object.keys(companies) as ReadonlyArray<Company>

/** What only this company may see; `where` says how it got into the call. */
const planted = (kind: string, where: string, company: Company): string => `planted-${kind}-${where}-${company}`

type Deed = "answer" | "break" | 401 | 429 | 500 | 503

const events = (...data: ReadonlyArray<unknown>): string =>
  data.map((one) => `data: ${typeof one === "string" ? one : JSON.stringify(one)}\n\n`).join("")

const spoken = {
  north: {
    begin: events(
      { type: "message_start", message: { id: "m", type: "message", role: "assistant", model: "x", content: [] } },
      { type: "content_block_start", index: 0, content_block: { type: "text", text: "" } },
      { type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "Hello there. " } }
    ),
    end: events(
      { type: "content_block_stop", index: 0 },
      { type: "message_delta", delta: { stop_reason: "end_turn" }, usage: { output_tokens: 1 } },
      { type: "message_stop" }
    ),
    whole: {
      id: "m",
      type: "message",
      role: "assistant",
      model: "x",
      content: [{ type: "text", text: "Hello there." }],
      stop_reason: "end_turn",
      usage: { input_tokens: 1, output_tokens: 1 }
    }
  },
  south: {
    begin: events({ id: "c", choices: [{ index: 0, delta: { role: "assistant", content: "Hello there. " } }] }),
    end: events({ id: "c", choices: [{ index: 0, delta: {}, finish_reason: "stop" }] }, "[DONE]"),
    whole: { id: "c", choices: [{ index: 0, message: { content: "Hello there." }, finish_reason: "stop" }] }
  }
}

interface Seen {
  readonly company: Company
  readonly text: string
}

/** A client behind which each company does what its list says, in turn. */
const world = (deeds: { readonly [C in Company]: ReadonlyArray<Deed> }) => {
  const seen: Array<Seen> = []
  const turns = { north: 0, south: 0, proxy: 0 }
  const client = HttpClient.make((request, url) =>
    Effect.sync(() => {
      const company = names.find((name) => companies[name].origin === url.origin)!
      const body = request.body._tag === "Raw" ? String(request.body.body) : ""
      seen.push({ company, text: `${url.href}\n${JSON.stringify({ ...request.headers })}\n${body}` })
      const deed = deeds[company][turns[company]++ % deeds[company].length]!
      const words = spoken[company === "north" ? "north" : "south"]
      if (typeof deed === "number") {
        return HttpClientResponse.fromWeb(request, Response.json({ error: { message: "No." } }, { status: deed }))
      }
      const streamed = body.includes("\"stream\":true")
      const text = streamed
        ? words.begin + (deed === "break" ? "" : words.end)
        : JSON.stringify(words.whole).slice(0, deed === "break" ? -5 : undefined)
      const type = streamed ? "text/event-stream" : "application/json"
      return HttpClientResponse.fromWeb(request, new Response(text, { headers: { "content-type": type } }))
    })
  )
  return { seen, client }
}

// =============================================================================
// Stacks
// =============================================================================

type Tree =
  | { readonly type: "leaf"; readonly company: Company }
  | { readonly type: "own"; readonly company: Company }
  | { readonly type: "fallback" | "balance" | "hedge" | "continue"; readonly of: ReadonlyArray<Tree> }
  | { readonly type: "retry" | "circuit" | "timeout" | "pool" | "header" | "thinking" | "mapped"; readonly of: Tree }

const company = fc.constantFrom(...names)

const tree: fc.Arbitrary<Tree> = fc.letrec<{ readonly tree: Tree }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.record({ type: fc.constantFrom("leaf" as const, "own" as const), company }),
    fc.record({
      type: fc.constantFrom("fallback" as const, "balance" as const, "hedge" as const, "continue" as const),
      of: fc.array(tie("tree"), { minLength: 2, maxLength: 3 })
    }),
    fc.record({
      type: fc.constantFrom(
        "retry" as const,
        "circuit" as const,
        "timeout" as const,
        "pool" as const,
        "header" as const,
        "thinking" as const,
        "mapped" as const
      ),
      of: tie("tree")
    })
  )
})).tree

/** A hedge has one other. */
const candidatesOf = (type: Tree["type"], of: ReadonlyArray<Tree>): ReadonlyArray<Tree> =>
  type === "hedge" ? of.slice(0, 2) : of

const companiesIn = (tree: Tree): ReadonlyArray<Company> =>
  "company" in tree
    ? [tree.company]
    : Array.isArray(tree.of)
    ? candidatesOf(tree.type, tree.of).flatMap(companiesIn)
    : companiesIn(tree.of as Tree)

const leaf = (company: Company) => {
  const { module, origin } = companies[company]
  return module.make({
    apiKey: Redacted.make(planted("key", "layer", company)),
    baseUrl: `${origin}/v1`,
    model: planted("model", "layer", company),
    headers: { "x-layer": planted("header", "layer", company) }
  })
}

const build = (tree: Tree): Effect.Effect<Service, LlmError, HttpClient.HttpClient> =>
  Effect.gen(function*() {
    if (tree.type === "leaf") return yield* leaf(tree.company)
    if (tree.type === "own") {
      const { company } = tree
      return Fallback.candidate(yield* leaf(company), {
        request: (request) => ({
          ...request,
          apiKey: Redacted.make(planted("key", "candidate", company)),
          headers: { ...request.headers, "x-candidate": planted("header", "candidate", company) },
          model: planted("model", "candidate", company)
        })
      })
    }
    if (Array.isArray(tree.of)) {
      const [first, ...others] = yield* Effect.forEach(candidatesOf(tree.type, tree.of), build)
      switch (tree.type) {
        case "balance":
          return Balance.make([first!, ...others])
        case "hedge":
          return Hedge.make(first!, others[0], { after: "1 millis" })
        case "continue":
          return Continue.make(first!, others)
        default:
          return Fallback.make([first!, ...others])
      }
    }
    const inner = tree.of as Tree
    const service = yield* build(inner)
    const first = companiesIn(inner)[0]!
    const piped = (policy: Policy.Policy<LlmError>) => policy.wrap(service)
    switch (tree.type) {
      case "retry":
        return yield* piped(Retry.policy({ retries: 1, base: "1 millis" }))
      case "circuit":
        return yield* piped(CircuitBreaker.policy({ failures: 2 }))
      case "pool": {
        const keys = [{ apiKey: Redacted.make(planted("key", "pool", first)) }]
        const several = new Set(companiesIn(inner)).size > 1
        const made = yield* Effect.exit(piped(KeyPool.policy({ keys })))
        assert.strictEqual(made._tag === "Failure", several)
        return made._tag === "Success" ? made.value : service
      }
      case "header":
        return Fallback.candidate(service, {
          request: (request) => ({
            ...request,
            headers: { ...request.headers, "x-between": planted("header", "between", first) }
          })
        })
      case "thinking":
        return Fallback.candidate(service, { request: (request) => ({ ...request, maxTokens: 100 }) })
      case "mapped":
        return Fallback.candidate(service, { models: () => planted("model", "mapped", first) })
      default:
        return yield* piped(Timeout.policy({ idle: "10 seconds" }))
    }
  })

// =============================================================================
// Laws
// =============================================================================

const deeds = fc.array(fc.constantFrom<Deed>("answer", "break", 401, 429, 500, 503), { minLength: 1, maxLength: 4 })

const run = (service: Service, request: LlmRequest, streamed: boolean) =>
  Effect.gen(function*() {
    const call = streamed ? Stream.runDrain(service.stream(request)) : Effect.asVoid(service.generate(request))
    const fiber = yield* Effect.forkChild(Effect.exit(call), { startImmediately: true })
    // Bodies are read by promises, which no clock knows.
    for (let turn = 0; fiber.pollUnsafe() === undefined; turn++) {
      assert.isBelow(turn, 10_000)
      yield* Effect.promise(() => new Promise(setImmediate))
      if (turn % 4 === 3) yield* TestClock.adjust("500 millis")
    }
    return yield* Fiber.join(fiber)
  })

const foreign = (seen: ReadonlyArray<Seen>): ReadonlyArray<string> =>
  seen.flatMap(({ company, text }) =>
    [...text.matchAll(/planted-\w+-\w+-(\w+)/g)].filter(([, of]) => of !== company).map(([found]) =>
      `${company} saw ${found}`
    )
  )

describe("what belongs to one company", () => {
  const parts = fc.record({
    tree,
    deeds: fc.record({ north: deeds, south: deeds, proxy: deeds }),
    personal: fc.record({ key: fc.boolean(), headers: fc.boolean(), model: fc.boolean() }),
    named: fc.uniqueArray(company),
    streamed: fc.boolean()
  })

  it("is never seen by another, whatever the stack", () =>
    fc.assert(
      fc.asyncProperty(parts, ({ deeds, named, personal, streamed, tree }) =>
        Effect.gen(function*() {
          const { client, seen } = world(deeds)
          const service = yield* Effect.provideService(build(tree), HttpClient.HttpClient, client)
          const [first] = companiesIn(tree)
          const request: LlmRequest = {
            prompt: "Hello",
            ...(personal.key ? { apiKey: Redacted.make(planted("key", "call", first!)) } : undefined),
            ...(personal.headers ? { headers: { "x-call": planted("header", "call", first!) } } : undefined),
            ...(personal.model ? { model: planted("model", "call", first!) } : undefined),
            providers: Object.fromEntries(named.map((company) => [companies[company].module.definition.id, {
              apiKey: Redacted.make(planted("key", "named", company)),
              headers: { "x-named": planted("header", "named", company) },
              model: planted("model", "named", company),
              origin: companies[company].origin
            }]))
          }
          yield* run(service, request, streamed)
          assert.deepStrictEqual(foreign(seen), [])
        }).pipe(Effect.provide(TestClock.layer()), Effect.runPromise)),
      { numRuns: 400 }
    ))

  const failing = { north: [500], south: ["answer"], proxy: ["answer"] } as const

  it.effect("goes to the one the call is first meant for, and is told of where it was left out", () =>
    Effect.gen(function*() {
      const { client, seen } = world(failing)
      const service = Fallback.make([
        yield* Effect.provideService(leaf("north"), HttpClient.HttpClient, client),
        yield* Effect.provideService(leaf("south"), HttpClient.HttpClient, client)
      ])
      const response = yield* service.generate({
        prompt: "Hello",
        apiKey: Redacted.make(planted("key", "call", "north")),
        headers: { "x-call": planted("header", "call", "north") },
        model: planted("model", "call", "north")
      })
      const [north, south] = seen
      for (const kind of ["key", "header", "model"]) assert.include(north!.text, planted(kind, "call", "north"))
      for (const kind of ["key", "header", "model"]) assert.include(south!.text, planted(kind, "layer", "south"))
      assert.deepStrictEqual(response.warnings.map(({ field }) => field), ["apiKey", "headers", "model"])
      assert.strictEqual(JSON.stringify(response.warnings).includes("planted"), false)
    }))

  it.effect("can name whom it is for", () =>
    Effect.gen(function*() {
      const { client, seen } = world(failing)
      const service = Fallback.make([
        yield* Effect.provideService(leaf("north"), HttpClient.HttpClient, client),
        yield* Effect.provideService(leaf("south"), HttpClient.HttpClient, client)
      ])
      const response = yield* service.generate({
        prompt: "Hello",
        providers: {
          groq: { apiKey: Redacted.make(planted("key", "named", "south")), model: planted("model", "named", "south") }
        }
      })
      assert.include(seen[0]!.text, planted("key", "layer", "north"))
      assert.include(seen[1]!.text, planted("key", "named", "south"))
      assert.include(seen[1]!.text, planted("model", "named", "south"))
      assert.deepStrictEqual(response.warnings, [])
    }))

  it.effect("is one company's, whose models can have another name at a candidate", () =>
    Effect.gen(function*() {
      const { client, seen } = world(failing)
      const service = Fallback.make([
        yield* Effect.provideService(leaf("north"), HttpClient.HttpClient, client),
        Fallback.candidate(yield* Effect.provideService(leaf("south"), HttpClient.HttpClient, client), {
          models: { "north-large": "south-large" }
        })
      ])
      const response = yield* service.generate({ prompt: "Hello", model: "north-large" })
      assert.include(seen[1]!.text, "\"model\":\"south-large\"")
      assert.deepStrictEqual(response.warnings, [])
      yield* service.generate({ prompt: "Hello", model: "north-small" })
      assert.include(seen.at(-1)!.text, planted("model", "layer", "south"))
    }))
})
