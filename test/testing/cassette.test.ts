import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Redacted, Stream } from "effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import { TestClock } from "effect/testing"
import * as fc from "fast-check"
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import {
  Anthropic,
  Azure,
  Bedrock,
  Cohere,
  Gemini,
  type LlmError,
  type LlmEvent,
  type LlmRequest,
  LlmService,
  Ollama,
  OpenAi,
  OpenAiCompatible,
  OpenAiTools,
  type Provider,
  Retry,
  Vertex
} from "../../src/index.ts"
import { layerHttpClient } from "../../src/node.ts"
import * as Cassette from "../../src/testing/Cassette.ts"
import * as Simulator from "../../src/testing/Simulator.ts"

const apiKey = Redacted.make("sk-test-0123456789abcdef")

type Maker = {
  readonly make: (
    options: Provider.Options
  ) => Effect.Effect<LlmService.Service, LlmError.LlmError, HttpClient.HttpClient>
}

const wires: ReadonlyArray<readonly [string, Maker, string]> = [
  ["Anthropic Messages", Anthropic, "/v1"],
  ["Chat Completions", OpenAiCompatible, "/v1"],
  ["Responses", OpenAi, "/v1"],
  ["Gemini", Gemini, "/v1beta"],
  ["Ollama", Ollama, ""],
  ["Cohere", Cohere, "/v2"],
  ["Bedrock Converse", Bedrock, ""]
]

const folder = Effect.acquireRelease(
  Effect.promise(() => mkdtemp(join(tmpdir(), "cassette-"))),
  (folder) => Effect.promise(() => rm(folder, { recursive: true }))
)
const textOf = (file: string) => Effect.promise(() => readFile(file, "utf8"))

/** What a call came to, so that two can be compared. */
interface Outcome {
  readonly events: ReadonlyArray<LlmEvent.LlmEvent>
  readonly error: string | undefined
  readonly partial: string | undefined
}

const outcome = (stream: Stream.Stream<LlmEvent.LlmEvent, LlmError.LlmError>): Effect.Effect<Outcome> =>
  Effect.suspend(() => {
    const events: Array<LlmEvent.LlmEvent> = []
    return Stream.runForEach(stream, (event) => Effect.sync(() => events.push(event))).pipe(
      Effect.match({
        onSuccess: () => ({ events, error: undefined, partial: undefined }),
        onFailure: (error) => ({
          events,
          error: `${error.reason._tag} ${error.isRetryable}`,
          partial: error.partial?.text
        })
      })
    )
  })

/** What a check has to say, and nothing where it is content. */
const complaint = (check: Effect.Effect<void, LlmError.LlmError>) =>
  Effect.match(check, { onFailure: ({ message }) => message, onSuccess: () => "" })

const using = <A>(
  cassette: Layer.Layer<HttpClient.HttpClient | Cassette.Cassette, LlmError.LlmError>,
  use: (control: Cassette.Control) => Effect.Effect<A, LlmError.LlmError, HttpClient.HttpClient>
) =>
  Effect.scoped(
    Effect.flatMap(Layer.build(cassette), (context) => Effect.provide(Effect.flatMap(Cassette.Cassette, use), context))
  )

const recording = (options: Cassette.Options) => Cassette.layer(options).pipe(Layer.provide(layerHttpClient))

const answers: ReadonlyArray<Simulator.Answer> = [
  {
    parts: [
      { type: "reasoning", text: "Let me think.", signature: "c2ln" },
      { type: "text", text: "Grüße aus Lissabon 🌞, wie immer." },
      { type: "tool-call", id: "call_12345", name: "look", arguments: { at: "this" } }
    ],
    faults: { splitBytes: 7 }
  },
  Simulator.error(529),
  Simulator.text("Cut in the middle of it", { faults: { cutAfter: 3 } }),
  Simulator.text("Hello", { faults: { resetAfter: 2 } }),
  Simulator.reset
]

for (const [name, provider, path] of wires) {
  describe(`A cassette of ${name}`, () => {
    it.live("plays what was recorded: answers, refusals, cut and broken bodies, resets, streamed and whole", () =>
      Effect.gen(function*() {
        const file = join(yield* folder, "deep", "er.json")
        const calls = (url: string) =>
          Effect.gen(function*() {
            const service = yield* provider.make({ apiKey, baseUrl: `${url}${path}`, model: "model-1" })
            const outcomes: Array<Outcome> = []
            for (const at of answers.keys()) {
              outcomes.push(yield* outcome(service.stream({ prompt: `Question ${at}` })))
            }
            const whole = yield* service.generate({ prompt: "At once" })
            return { outcomes, whole }
          })
        const simulator = yield* Simulator.make()
        yield* simulator.enqueue(...answers, Simulator.text("At once."))
        const first = yield* using(recording({ file, mode: "record" }), () => calls(simulator.url))
        assert.strictEqual(first.outcomes[0]!.error, undefined)
        assert.strictEqual(first.outcomes[0]!.events.at(-1)?._tag, "Finish")
        assert.isAbove(first.outcomes.filter(({ error }) => error !== undefined).length, 2)
        const sent = simulator.requests.length
        // Another port each time, and nobody behind it.
        const second = yield* using(
          Cassette.replay({ file, mode: "strict" }),
          (control) => Effect.tap(calls("http://127.0.0.1:1"), control.finished)
        )
        assert.deepStrictEqual(second, first)
        assert.strictEqual(simulator.requests.length, sent)
        assert.notInclude(yield* textOf(file), Redacted.value(apiKey))
      }).pipe(Effect.scoped))
  })
}

const serviceAt = (url: string) => Anthropic.make({ apiKey, baseUrl: `${url}/v1`, model: "model-1" })
const ask = (url: string, request: LlmRequest.LlmRequest) =>
  Effect.flatMap(serviceAt(url), (service) => service.generate(request))

describe("A cassette", () => {
  it.live("is a file that a person can read: lines of text, JSON as JSON, nothing twice", () =>
    Effect.gen(function*() {
      const file = join(yield* folder, "a.json")
      const simulator = yield* Simulator.make()
      yield* simulator.enqueue(Simulator.text("One"), Simulator.text("Two"))
      yield* using(recording({ file }), () =>
        Effect.gen(function*() {
          const service = yield* serviceAt(simulator.url)
          yield* service.generate({ prompt: "One?" })
          yield* Stream.runDrain(service.stream({ prompt: "Two?" }))
        }))
      const text = yield* textOf(file)
      const { exchanges } = JSON.parse(text) as { readonly exchanges: ReadonlyArray<Cassette.RecordedExchange> }
      assert.deepStrictEqual(exchanges.map(({ request }) => `${request.method} ${request.url}`), [
        "POST http://127.0.0.1/v1/messages",
        "POST http://127.0.0.1/v1/messages"
      ])
      assert.isObject(exchanges[0]!.response?.body.json)
      assert.isTrue(exchanges[1]!.response?.body.text?.includes("event: message_start"))
      assert.isAbove(exchanges[1]!.response!.body.chunks!.length, 1)
      assert.isUndefined(exchanges[1]!.response?.body.open)
      assert.deepStrictEqual(Object.keys(exchanges[0]!.request.headers), ["anthropic-version", "content-type"])
      assert.deepStrictEqual(yield* Effect.promise(() => readdir(join(file, ".."))), ["a.json"])
    }).pipe(Effect.scoped))

  it.live("keeps the chunks in which a body came", () =>
    Effect.gen(function*() {
      const file = join(yield* folder, "a.json")
      const bytes = new TextEncoder().encode("Grüße 🌞\n\nund mehr")
      const chunks = [bytes.slice(0, 3), bytes.slice(3, 9), bytes.slice(9)]
      const upstream = HttpClient.make((request) =>
        Effect.sync(() =>
          HttpClientResponse.fromWeb(
            request,
            new Response(Stream.toReadableStream(Stream.fromArray(chunks)) as BodyInit)
          )
        )
      )
      const read = Effect.flatMap(
        HttpClient.get("https://example.com/x"),
        (response) => Stream.runCollect(response.stream)
      )
      const layers = [
        Cassette.layer({ file, mode: "record" }).pipe(Layer.provide(Layer.succeed(HttpClient.HttpClient)(upstream))),
        Cassette.replay({ file })
      ]
      for (const layer of layers) {
        const got = yield* Effect.scoped(Effect.provide(read, layer))
        assert.deepStrictEqual(got.map((chunk) => [...chunk]), chunks.map((chunk) => [...chunk]))
      }
    }).pipe(Effect.scoped))

  it.live("says of a request that is not on it how the nearest one differs, and nobody tries it again", () =>
    Effect.gen(function*() {
      const file = join(yield* folder, "a.json")
      const simulator = yield* Simulator.make()
      yield* using(recording({ file }), () =>
        Effect.gen(function*() {
          yield* ask(simulator.url, { prompt: "What is the capital of France?", temperature: 0.5 })
          yield* ask(simulator.url, { prompt: "Count to three." })
        }))
      yield* using(Cassette.replay({ file }), (control) =>
        Effect.gen(function*() {
          const llm = Anthropic.layer({ apiKey, baseUrl: `${simulator.url}/v1`, model: "model-1" }).pipe(Retry.policy())
          const error = yield* LlmService.generate({
            prompt: "What is the capital of Spain?",
            temperature: 0.5,
            maxTokens: 9
          }).pipe(
            Effect.as(undefined),
            Effect.catch((error) => Effect.succeed(error)),
            Effect.provide(llm)
          )
          assert(error !== undefined)
          assert.strictEqual(error.reason._tag, "Configuration")
          assert.isFalse(error.isRetryable)
          assert.include(error.message, "a.json")
          assert.include(error.message, "Exchange 1 of 2 is the nearest")
          assert.match(error.message, /body\.messages\[0\]\.content.*: recorded .*France.*, now .*Spain/)
          assert.match(error.message, /body\.max_tokens: recorded \d+, now 9/)
          assert.notInclude(error.message, "temperature")
          assert.strictEqual(control.missed.length, 1)
          assert.include(yield* complaint(control.finished), "Spain")
        }))
    }).pipe(Effect.scoped))

  it.live("plays an answer again and again, unless it is strict", () =>
    Effect.gen(function*() {
      const file = join(yield* folder, "a.json")
      const simulator = yield* Simulator.make()
      yield* simulator.enqueue(Simulator.text("One"), Simulator.text("Two"))
      const same = ask(simulator.url, { prompt: "Again?" })
      const texts = Effect.map(Effect.all([same, same, same]), (all) => all.map(({ text }) => text))
      yield* using(recording({ file }), () => Effect.all([same, same]))
      assert.deepStrictEqual(yield* using(Cassette.replay({ file }), () => texts), ["One", "Two", "Two"])
      const error = yield* Effect.flip(using(Cassette.replay({ file, mode: "strict" }), () => texts))
      assert.include(error.message, "was played already")
      const left = yield* using(Cassette.replay({ file, mode: "strict" }), (control) =>
        Effect.andThen(same, complaint(control.finished)))
      assert.include(left, "Nobody asked for exchange 2: POST")
    }).pipe(Effect.scoped))

  it.live("adds what is new where it appends, and sends nothing that it has", () =>
    Effect.gen(function*() {
      const file = join(yield* folder, "a.json")
      const simulator = yield* Simulator.make()
      yield* using(recording({ file }), () => ask(simulator.url, { prompt: "One?" }))
      yield* using(recording({ file, mode: "append" }), (control) =>
        Effect.gen(function*() {
          yield* ask(simulator.url, { prompt: "One?" })
          yield* ask(simulator.url, { prompt: "Two?" })
          assert.deepStrictEqual([control.played, control.sent, control.exchanges.length], [1, 1, 2])
        }))
      assert.strictEqual(simulator.requests.length, 2)
      yield* using(recording({ file, mode: "auto" }), (control) =>
        Effect.gen(function*() {
          assert.strictEqual(control.mode, "replay")
          yield* ask(simulator.url, { prompt: "Two?" })
          assert.deepStrictEqual(control.unplayed, ["1: POST http://127.0.0.1/v1/messages"])
        }))
      assert.strictEqual(simulator.requests.length, 2)
    }).pipe(Effect.scoped))

  it.live("keeps many calls at once apart, in the order in which they were asked", () =>
    Effect.gen(function*() {
      const file = join(yield* folder, "a.json")
      const simulator = yield* Simulator.make({
        respondWith: ({ body }) => Simulator.text(JSON.stringify(body).match(/Question \d+/)?.[0] ?? "none")
      })
      const all = Effect.forEach(
        Array.from({ length: 12 }, (_, at) => `Question ${at}`),
        (prompt) => Effect.map(ask(simulator.url, { prompt }), ({ text }) => text === prompt),
        { concurrency: 6 }
      )
      const recordedAll = yield* using(recording({ file }), () => all)
      const playedAll = yield* using(Cassette.replay({ file, mode: "strict" }), () => all)
      assert.isTrue([...recordedAll, ...playedAll].every((right) => right))
    }).pipe(Effect.scoped))

  it.live("compares without what is to be ignored", () =>
    Effect.gen(function*() {
      const file = join(yield* folder, "a.json")
      const simulator = yield* Simulator.make()
      const asked = (user: string): LlmRequest.LlmRequest => ({
        prompt: "Hello",
        providerOptions: { anthropic: { metadata: { user_id: user } } }
      })
      yield* using(recording({ file }), () => ask(simulator.url, asked("one")))
      const other = ask(simulator.url, asked("two"))
      const error = yield* Effect.flip(using(Cassette.replay({ file }), () => other))
      assert.include(error.message, "body.metadata.user_id")
      yield* using(Cassette.replay({ file, ignore: ["metadata.user_id"] }), () => other)
    }).pipe(Effect.scoped))

  it.effect("plays the delays that it recorded, by the clock", () =>
    Effect.gen(function*() {
      const file = join(yield* folder, "a.json")
      const slow = Stream.fromIterable(["a", "b", "c"]).pipe(
        Stream.tap(() => Effect.sleep("10 seconds")),
        Stream.encodeText
      )
      const context = yield* Effect.context<never>()
      const upstream = HttpClient.make((request) =>
        Effect.sync(() =>
          HttpClientResponse.fromWeb(request, new Response(Stream.toReadableStreamWith(slow, context) as BodyInit))
        )
      )
      const took = (layer: Layer.Layer<HttpClient.HttpClient, LlmError.LlmError>) =>
        Effect.gen(function*() {
          const got: Array<string> = []
          const read = Effect.flatMap(
            HttpClient.get("https://example.com/x"),
            (response) =>
              Stream.runForEach(Stream.decodeText(response.stream), (text) => Effect.sync(() => got.push(text)))
          )
          yield* Effect.forkChild(Effect.scoped(Effect.provide(read, layer)))
          const seen: Array<string> = []
          for (let i = 0; i < 4; i++) {
            yield* Effect.promise(() => new Promise((resolve) => setTimeout(resolve, 20)))
            seen.push(got.join(""))
            yield* TestClock.adjust("10 seconds")
          }
          return seen
        })
      const over = Layer.provide(Layer.succeed(HttpClient.HttpClient)(upstream))
      assert.deepStrictEqual(yield* took(over(Cassette.layer({ file, timing: true }))), ["", "a", "ab", "abc"])
      assert.deepStrictEqual(yield* took(Cassette.replay({ file, timing: true })), ["", "a", "ab", "abc"])
      assert.deepStrictEqual((yield* took(Cassette.replay({ file })))[0], "abc")
    }).pipe(Effect.scoped))

  it.live("keeps a body that nobody read to its end open", () =>
    Effect.gen(function*() {
      const file = join(yield* folder, "a.json")
      const simulator = yield* Simulator.make()
      yield* simulator.enqueue(Simulator.text("One two three four", { faults: { stallAfter: 3 } }))
      const first = Effect.flatMap(serviceAt(simulator.url), (service) =>
        Stream.runCollect(Stream.take(service.stream({ prompt: "x" }), 2)))
      const before = yield* using(recording({ file }), () =>
        first)
      assert.include(yield* textOf(file), "\"open\": true")
      assert.deepStrictEqual(yield* using(Cassette.replay({ file }), () => first), before)
    }).pipe(Effect.scoped))

  it.live("that cannot be read, or is not there, fails before anything is asked", () =>
    Effect.gen(function*() {
      const place = yield* folder
      const problem = (options: Cassette.Options) =>
        Effect.map(Effect.flip(using(recording(options), () => Effect.void)), ({ reason }) => reason.message)
      const written = (name: string, text: string) =>
        Effect.as(Effect.promise(() => writeFile(join(place, name), text)), join(place, name))
      assert.include(yield* problem({ file: join(place, "none.json"), mode: "replay" }), "There is no")
      assert.include(yield* problem({ file: place, mode: "replay" }), "EISDIR")
      assert.include(yield* problem({ file: yield* written("a", "{"), mode: "append" }), "JSON")
      assert.include(yield* problem({ file: yield* written("b", "{}") }), "format")
      assert.include(
        yield* problem({ file: yield* written("c", "{\"format\":\"effect-llm cassette\",\"exchanges\":[{}]}") }),
        "Exchange 1"
      )
      assert.include(yield* problem({ file: "", mode: "replay" }), "file")
      assert.include(yield* problem({ file: "x", mode: "rewind" as never }), "mode")
      // Where it cannot be written, the answer is given all the same.
      const simulator = yield* Simulator.make()
      const told = yield* using(recording({ file: join(place, "a", "x.json"), mode: "record" }), (control) =>
        Effect.andThen(
          ask(simulator.url, { prompt: "x" }),
          Effect.match(control.save, {
            onFailure: ({ message }) =>
              message,
            onSuccess: () => "saved"
          })
        ))
      assert.include(told, "Cannot be written")
    }).pipe(Effect.scoped))
})

// =============================================================================
// Secrets
// =============================================================================

const secretText = fc.stringMatching(/^[A-Za-z0-9_/+-]{20,40}$/).filter((secret) =>
  /\d/.test(secret) && /[A-Z]/.test(secret)
)

/** In every way in which a key is sent. */
const kinds: { readonly [kind: string]: (secret: string) => HttpClientRequest.HttpClientRequest } = {
  bearer: (secret) =>
    HttpClientRequest.setHeader("authorization", `Bearer ${secret}`)(HttpClientRequest.post("https://a.example/v1")),
  basic: (secret) =>
    HttpClientRequest.setHeader("authorization", `Basic ${btoa(`user:${secret}`)}`)(
      HttpClientRequest.post("https://a.example/v1")
    ),
  "x-api-key": (secret) =>
    HttpClientRequest.setHeader("x-api-key", secret)(HttpClientRequest.post("https://a.example/v1")),
  "api-key": (secret) => HttpClientRequest.setHeader("api-key", secret)(HttpClientRequest.post("https://a.example/v1")),
  "x-goog-api-key": (secret) =>
    HttpClientRequest.setHeader("x-goog-api-key", secret)(HttpClientRequest.post("https://a.example/v1")),
  "query key": (secret) => HttpClientRequest.post(`https://a.example/v1?alt=sse&key=${encodeURIComponent(secret)}`),
  "user of a URL": (secret) => HttpClientRequest.post(`https://me:${encodeURIComponent(secret)}@a.example/v1`),
  "session token": (secret) =>
    HttpClientRequest.setHeader("x-amz-security-token", secret)(HttpClientRequest.post("https://a.example/v1")),
  "gateway's header": (secret) =>
    HttpClientRequest.setHeader("x-portkey-config", `{"api_key":"${secret}"}`)(
      HttpClientRequest.post("https://a.example/v1")
    ),
  "form of a token endpoint": (secret) =>
    HttpClientRequest.bodyText(
      `grant_type=client_credentials&client_secret=${encodeURIComponent(secret)}`,
      "application/x-www-form-urlencoded"
    )(HttpClientRequest.post("https://a.example/token")),
  "tool of the body": (secret) =>
    HttpClientRequest.bodyText(JSON.stringify({ tools: [{ type: "mcp", authorization: secret }] }), "application/json")(
      HttpClientRequest.post("https://a.example/v1")
    )
}

/** A server that says everything it was told, in many ways. */
const echoing = (secret: string) =>
  HttpClient.make((request) =>
    Effect.sync(() => {
      const forms = [
        secret,
        encodeURIComponent(secret),
        btoa(secret),
        Buffer.from(secret).toString("hex"),
        JSON.stringify({ error: `bad key ${secret}` })
      ]
      const stream = request.url.includes("token")
        ? JSON.stringify({ access_token: `t-${secret}`, id_token: secret, expires_in: 3600 })
        : forms.map((form) => `data: ${JSON.stringify({ text: form })}\n\n`).join("")
      return HttpClientResponse.fromWeb(
        request,
        new Response(stream, {
          headers: {
            "content-type": "text/event-stream",
            "set-cookie": `session=${secret}`,
            "x-request-id": `r-${secret}`,
            "x-echo": secret,
            "openai-organization": "org-private"
          }
        })
      )
    })
  )

const leaks = (text: string, secret: string): ReadonlyArray<string> =>
  [secret, encodeURIComponent(secret), btoa(secret).replace(/=+$/, ""), Buffer.from(secret).toString("hex")]
    .filter((form) => text.includes(form))

describe("The file of a cassette", () => {
  for (const [kind, requestOf] of Object.entries(kinds)) {
    it.live(`holds no key that was sent as ${kind}, nor what a server said of it`, () =>
      Effect.gen(function*() {
        const place = yield* folder
        let at = 0
        yield* Effect.promise(() =>
          fc.assert(
            fc.asyncProperty(secretText, (secret) =>
              Effect.gen(function*() {
                const file = join(place, `${at++}.json`)
                const { client } = yield* Cassette.make(echoing(secret), { file, mode: "record" })
                yield* Effect.flatMap(client.execute(requestOf(secret)), (response) => response.text)
                const text = yield* textOf(file)
                assert.deepStrictEqual(leaks(text, secret), [], text)
                assert.notInclude(text, "org-private")
                // What was asked is found again, by who asks with another key.
                const again = yield* Cassette.make(undefined, { file, mode: "replay" })
                yield* again.client.execute(requestOf("another-Key-0123456789"))
              }).pipe(Effect.scoped, Effect.runPromise)),
            { numRuns: 5 }
          )
        )
      }).pipe(Effect.scoped))
  }

  it.live("holds no secret of an AWS signature, whoever echoes it", () =>
    Effect.gen(function*() {
      const file = join(yield* folder, "a.json")
      const credentials = {
        accessKeyId: "AKIAIOSFODNN7EXAMPLE",
        secretAccessKey: Redacted.make("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
        sessionToken: Redacted.make("FwoGZXIvYXdzEBYaDExampleSessionToken0123456789")
      }
      const simulator = yield* Simulator.make()
      yield* simulator.enqueue(Simulator.echoKey(403), Simulator.text("Hello"))
      yield* using(recording({ file }), () =>
        Effect.gen(function*() {
          const service = yield* Bedrock.make({
            credentials,
            region: "us-east-1",
            baseUrl: simulator.url,
            model: "arn:aws:bedrock:us-east-1:123456789012:inference-profile/x"
          })
          yield* Effect.ignore(service.generate({ prompt: "Hello" }))
          yield* Stream.runDrain(service.stream({ prompt: "Hello" }))
        }))
      const text = yield* textOf(file)
      for (
        const secret of [
          credentials.accessKeyId,
          Redacted.value(credentials.secretAccessKey),
          Redacted.value(credentials.sessionToken),
          "123456789012",
          "Signature="
        ]
      ) assert.notInclude(text, secret)
    }).pipe(Effect.scoped))

  it.live("holds no key of any provider whose server echoes it, nor what the application named", () =>
    Effect.gen(function*() {
      const place = yield* folder
      const key = "plain-Looking-Value-42-of-a-key"
      const simulator = yield* Simulator.make()
      const shared = { apiKey: Redacted.make(key), model: "model-1" }
      const makers = [
        Anthropic.make({ ...shared, baseUrl: `${simulator.url}/v1` }),
        OpenAi.make({ ...shared, baseUrl: `${simulator.url}/v1` }),
        Gemini.make({ ...shared, baseUrl: `${simulator.url}/v1beta` }),
        Azure.make({ ...shared, baseUrl: `${simulator.url}/openai/v1` }),
        Vertex.make({ ...shared, baseUrl: simulator.url, project: "my-private-project", location: "l" })
      ]
      for (const [at, make] of makers.entries()) {
        const file = join(place, `${at}.json`)
        yield* simulator.enqueue(Simulator.echoKey(401))
        yield* using(
          recording({ file, secrets: [Redacted.make("Hellonaut-secret-term")] }),
          () =>
            Effect.flatMap(make, (service) =>
              Effect.ignore(service.generate({
                prompt: "Tell me of the Hellonaut-secret-term.",
                tools: [
                  OpenAiTools.mcp({ label: "x", url: "https://x.example", authorization: `${key}-2` })
                ]
              })))
        )
        const text = yield* textOf(file)
        for (const secret of [key, "Hellonaut-secret-term", "my-private-project"]) assert.notInclude(text, secret)
      }
    }).pipe(Effect.scoped))
})

// =============================================================================
// Guards
// =============================================================================

describe("A test without a network", () => {
  it.effect("fails where it asks for one, and is told where it was going, without the key", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(
        Effect.flatMap(Anthropic.make({ apiKey, model: "m" }), (service) => service.generate({ prompt: "x" }))
      )
      assert.strictEqual(error.reason._tag, "Configuration")
      assert.isFalse(error.isRetryable)
      assert.include(error.message, "POST https://api.anthropic.com/v1/messages")
      const raw = yield* Effect.flip(HttpClient.get("https://a.example/x?key=s3cret-value-1234567890"))
      assert.notInclude(String(raw.reason.cause), "s3cret")
    }).pipe(Effect.provide(Cassette.noNetwork)))

  it.live("may still ask servers on this machine", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make()
      assert.isNotEmpty((yield* ask(simulator.url, { prompt: "x" })).text)
      const error = yield* Effect.flip(ask("https://api.anthropic.com", { prompt: "x" }))
      assert.include(error.message, "reached for the network")
    }).pipe(Effect.provide(Cassette.loopbackOnly.pipe(Layer.provide(layerHttpClient))), Effect.scoped))

  it.live("is guarded against every socket, as long as the guard stands", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make()
      const tried = (url: string) =>
        Effect.promise(() =>
          fetch(url).then(() => "answered", (error: Error) => String((error.cause as Error | undefined)?.message))
        )
      yield* Effect.scoped(
        Effect.gen(function*() {
          yield* Layer.build(Layer.mergeAll(Cassette.guard, Layer.fresh(Cassette.guard)))
          // 192.0.2.0/24 is for documentation: https://www.rfc-editor.org/rfc/rfc5737
          assert.include(yield* tried("http://192.0.2.1/x"), "A test reached for the network: 192.0.2.1")
          assert.include(yield* tried("https://api.anthropic.invalid/x"), "api.anthropic.invalid")
          assert.strictEqual(yield* tried(simulator.url), "answered")
        })
      )
      assert.notInclude(yield* tried("http://name.invalid/x"), "A test reached")
    }).pipe(Effect.scoped))
})
