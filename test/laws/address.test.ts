// A name is no path: whatever a caller or a server calls a model, a file, a project or a region, requests go to where they
// would have gone, or nowhere. And a header holds what a header can hold, or nothing is sent.
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import * as fc from "fast-check"
import { assert, describe, it } from "vitest"
import { nameIssue, resource, segment } from "../../src/address/paths.ts"
import type { LlmError } from "../../src/LlmError.ts"
import type { LlmRequest } from "../../src/LlmRequest.ts"
import type * as LlmService from "../../src/LlmService.ts"
import * as NodeClient from "../../src/node.ts"
import * as Azure from "../../src/provider/Azure.ts"
import * as Bedrock from "../../src/provider/Bedrock.ts"
import * as Files from "../../src/provider/Files.ts"
import * as Gemini from "../../src/provider/Gemini.ts"
import * as Groq from "../../src/provider/Groq.ts"
import * as Ollama from "../../src/provider/Ollama.ts"
import * as OpenAi from "../../src/provider/OpenAi.ts"
import * as Vertex from "../../src/provider/Vertex.ts"
import * as VertexAnthropic from "../../src/provider/VertexAnthropic.ts"

const runs = Number(process.env["LAW_RUNS"] ?? 75)

const apiKey = Redacted.make("key-of-this-test")

interface Sent {
  readonly method: string
  readonly url: string
  readonly headers: { readonly [name: string]: string }
}

const recording = (sent: Array<Sent>, answer: unknown = {}): HttpClient.HttpClient =>
  HttpClient.make((request) =>
    Effect.sync(() => {
      sent.push({ method: request.method, url: request.url, headers: request.headers })
      return HttpClientResponse.fromWeb(
        request,
        new Response(JSON.stringify(answer), { headers: { "content-type": "application/json" } })
      )
    })
  )

/** Pieces of which paths, hosts and escapes are made, in any order. */
const names: fc.Arbitrary<string> = fc.oneof(
  fc.array(
    fc.constantFrom(
      ...[
        "..",
        ".",
        "/",
        "\\",
        "%2e",
        "%2E",
        "%2f",
        "%5c",
        "%252e",
        "?",
        "#",
        ";",
        ":",
        "@",
        "&",
        "=",
        "//",
        " ",
        "\t"
      ],
      ...["\n", "\0", "\ud83d", "😀", "é", "a", "models", "admin", "evil.com", "x", "http:", "%", "%00", "localhost"]
    ),
    { maxLength: 6 }
  ).map((pieces) => pieces.join("")),
  fc.string(),
  fc.string({ unit: "binary" }),
  fc.constantFrom("../../admin", "..", ".", "%2e%2e", "..%2f..%2fadmin", "..;/admin", "models/..", "a/../../b", "")
)

const refusals = ["Validation", "Configuration"]

const refused = <A>(exit: Exit.Exit<A, LlmError>, what: string): void => {
  assert.isTrue(Exit.isFailure(exit), what)
  if (!Exit.isFailure(exit)) return
  const failure = exit.cause.reasons.find(Cause.isFailReason)
  assert.isDefined(failure, `${what}: ${Cause.pretty(exit.cause)}`)
  assert.include(refusals, failure!.error.reason._tag, what)
  assert.isString("field" in failure!.error.reason ? failure!.error.reason.field : undefined, what)
  assert.isFalse(failure!.error.isRetryable)
}

/** The URL stays below a path, and what is left of it there has so many segments, none of them special. */
const staysBelow = (url: string, base: string, forms: ReadonlyArray<RegExp>, what: string): void => {
  const found = new URL(url)
  const expected = new URL(base)
  assert.strictEqual(found.origin, expected.origin, what)
  assert.strictEqual(found.username + found.password + found.hash, "", what)
  assert.isTrue(found.pathname.startsWith(`${expected.pathname.replace(/\/$/, "")}/`), `${what}: ${url}`)
  const rest = found.pathname.slice(expected.pathname.replace(/\/$/, "").length)
  assert.isTrue(forms.some((form) => form.test(rest)), `${what}: ${rest}`)
}

const name = "[^/]+"
const geminiForms = [
  new RegExp(`^/models/${name}:(streamGenerateContent|generateContent|countTokens)$`),
  new RegExp(`^/(tunedModels|endpoints)/${name}:\\w+$`),
  new RegExp(`^/publishers/${name}/models/${name}:\\w+$`),
  new RegExp(`^/projects/${name}/locations/${name}/(endpoints|models)/${name}:\\w+$`),
  new RegExp(`^/projects/${name}/locations/${name}/publishers/${name}/models/${name}:\\w+$`)
]
const bedrockForms = [new RegExp(`^/model/${name}/(converse|converse-stream|count-tokens)$`)]
const rawForms = [new RegExp(`^/models/${name}:(rawPredict|streamRawPredict)$`)]

const project = "https://europe-west4-aiplatform.googleapis.com/v1/projects/p/locations/europe-west4/publishers"

const companies = { gemini: Files.gemini, openAi: Files.openAi, anthropic: Files.anthropic }

/** Wires with the model in the path. */
const byPath = [
  { make: Gemini.make({ apiKey }), base: "https://generativelanguage.googleapis.com/v1beta", forms: geminiForms },
  {
    make: Vertex.make({ accessToken: apiKey, project: "p", location: "europe-west4" }),
    base: `${project}/google`,
    forms: geminiForms
  },
  {
    make: VertexAnthropic.make({ accessToken: apiKey, project: "p", location: "europe-west4" }),
    base: `${project}/anthropic`,
    forms: rawForms
  },
  { make: Bedrock.make({ apiKey }), base: "https://bedrock-runtime.us-east-1.amazonaws.com", forms: bedrockForms },
  {
    make: Bedrock.make({ credentials: { accessKeyId: "id", secretAccessKey: Redacted.make("s") } }),
    base: "https://bedrock-runtime.us-east-1.amazonaws.com",
    forms: bedrockForms
  },
  {
    make: Gemini.make({ apiKey, baseUrl: "http://127.0.0.1:1/proxy/v1?tenant=1" }),
    base: "http://127.0.0.1:1/proxy/v1",
    forms: geminiForms
  }
]

const call = (service: LlmService.Service, operation: "generate" | "stream" | "countTokens", request: LlmRequest) =>
  Effect.runPromiseExit(
    Effect.suspend((): Effect.Effect<unknown, LlmError> =>
      operation === "stream" ? Stream.runDrain(service.stream(request)) : service[operation](request)
    )
  )

describe("A name in a URL", () => {
  it("of a model is one segment or refused, on every wire with the model in its path", async () => {
    await fc.assert(
      fc.asyncProperty(
        names,
        fc.constantFrom(...byPath),
        fc.constantFrom("generate" as const, "stream" as const, "countTokens" as const),
        fc.boolean(),
        async (model, { base, forms, make }, operation, smuggled) => {
          const sent: Array<Sent> = []
          const service = await Effect.runPromise(Effect.provideService(make, HttpClient.HttpClient, recording(sent)))
          // The body of this wire names the model before it gets into the path.
          const request: LlmRequest = smuggled
            ? { prompt: "Hi", model: "m", providerOptions: { "vertex-anthropic": { model } } }
            : { prompt: "Hi", model }
          const exit = await call(service, operation, request)
          const what = `${service.info.provider} ${operation} ${JSON.stringify(model)}`
          assert.isAtMost(sent.length, 1)
          if (sent.length === 0 && Exit.isFailure(exit)) return refused(exit, what)
          for (const { url } of sent) staysBelow(url, base, forms, what)
        }
      ),
      { numRuns: runs * 4 }
    )
  })

  it("of a file is one segment or refused", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(names, names.map((id) => `files/${id}`)),
        fc.constantFrom("gemini" as const, "openAi" as const, "anthropic" as const),
        async (fileId, company) => {
          const sent: Array<Sent> = []
          const files = await Effect.runPromise(
            Effect.provideService(companies[company]({ apiKey }), HttpClient.HttpClient, recording(sent))
          )
          const exit = await Effect.runPromiseExit(files.remove({ type: "file", fileId }))
          assert.isAtMost(sent.length, 1)
          if (sent.length === 0) return refused(exit, `${company} ${JSON.stringify(fileId)}`)
          const base = company === "gemini"
            ? "https://generativelanguage.googleapis.com/v1beta"
            : company === "openAi"
            ? "https://api.openai.com/v1"
            : "https://api.anthropic.com/v1"
          staysBelow(sent[0]!.url, base, [/^\/files\/[^/]+$/], fileId)
        }
      ),
      { numRuns: runs * 2 }
    )
  })

  it("of a file that an upload is given is checked like a caller's", async () => {
    for (const given of ["../../admin", "files/..", "", "files/a/b"]) {
      const sent: Array<Sent> = []
      const files = await Effect.runPromise(
        Effect.provideService(
          Files.gemini({ apiKey }),
          HttpClient.HttpClient,
          recording(sent, { file: { name: given } })
        )
      )
      const file = { bytes: new Uint8Array([1]), mediaType: "text/plain", filename: "a.txt" }
      const error = await Effect.runPromise(Effect.flip(files.upload(file)))
      assert.strictEqual(error.reason._tag, "ResponseParse")
    }
  })

  it("of a region, location, resource or project leads to no other host", async () => {
    const places: ReadonlyArray<readonly [string, (given: string) => typeof byPath[number]["make"], RegExp]> = [
      ["region", (region) => Bedrock.make({ apiKey, region }), /^bedrock-runtime\.[a-z0-9-]+\.amazonaws\.com$/],
      [
        "location",
        (location) => Vertex.make({ accessToken: apiKey, project: "p", location }),
        /^(?:[a-z0-9-]+-)?aiplatform(?:\.(?:us|eu)\.rep)?\.googleapis\.com$/
      ],
      ["project", (project) => Vertex.make({ accessToken: apiKey, project }), /^aiplatform\.googleapis\.com$/],
      ["resource", (resource) => Azure.make({ apiKey, resource, model: "m" }), /^[a-z0-9-]+\.openai\.azure\.com$/],
      [
        "apiVersion",
        (apiVersion) => Azure.make({ apiKey, resource: "r", apiVersion, model: "m" }),
        /^r\.openai\.azure\.com$/
      ]
    ]
    await fc.assert(
      fc.asyncProperty(names, fc.constantFrom(...places), async (given, [option, makeOf, host]) => {
        const sent: Array<Sent> = []
        const made = await Effect.runPromiseExit(
          Effect.provideService(makeOf(given), HttpClient.HttpClient, recording(sent))
        )
        if (Exit.isFailure(made)) return refused(made, `${option} ${JSON.stringify(given)}`)
        await call(made.value, "generate", { prompt: "Hi" })
        for (const { url } of sent) {
          assert.match(new URL(url).host, host)
          if (option === "project") assert.match(new URL(url).pathname, /^\/v1\/projects\/[^/]+\/locations\/global\//)
        }
      }),
      { numRuns: runs * 4 }
    )
  })

  it("keeps the names that there are", () => {
    const arn = "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-sonnet-5-5"
    assert.strictEqual(segment(arn), encodeURIComponent(arn))
    assert.strictEqual(segment("claude-sonnet-4@20250514"), "claude-sonnet-4%4020250514")
    assert.strictEqual(segment("openai/gpt-oss-120b:cerebras"), "openai%2Fgpt-oss-120b%3Acerebras")
    assert.strictEqual(segment("v1.2..3"), "v1.2..3")
    const forms = ["models/*", "tunedModels/*", "publishers/*/models/*"]
    assert.strictEqual(resource("gemini-3.5-flash", forms, "models"), "models/gemini-3.5-flash")
    assert.strictEqual(resource("models/gemini-3.5-flash", forms, "models"), "models/gemini-3.5-flash")
    assert.strictEqual(resource("tunedModels/mine-1", forms, "models"), "tunedModels/mine-1")
    assert.strictEqual(
      resource("publishers/google/models/gemini-3.5-flash", forms, "models"),
      "publishers/google/models/gemini-3.5-flash"
    )
    assert.strictEqual(resource("org/model", forms, "models"), "models/org%2Fmodel")
    for (
      const bad of [
        "..",
        "a/..",
        "a/./b",
        "%2e%2e",
        "%252e%252e",
        "..%2fa",
        "..\\a",
        "a//b",
        "/a",
        "a?b",
        "a#b",
        "a\nb",
        ""
      ]
    ) {
      assert.isString(nameIssue(bad), bad)
    }
  })

  it("is counted for what it is when it is a path already", async () => {
    const sent: Array<Sent> = []
    const service = await Effect.runPromise(
      Effect.provideService(Gemini.make({ apiKey }), HttpClient.HttpClient, recording(sent, { totalTokens: 1 }))
    )
    await call(service, "countTokens", { prompt: "Hi", model: "models/gemini-3.5-flash" })
    assert.match(sent[0]!.url, /\/v1beta\/models\/gemini-3\.5-flash:countTokens$/)
  })
})

describe("A base URL", () => {
  const urlsOf = async (make: typeof byPath[number]["make"]) => {
    const sent: Array<Sent> = []
    const service = await Effect.runPromise(Effect.provideService(make, HttpClient.HttpClient, recording(sent)))
    await call(service, "generate", { prompt: "Hi", model: "m" })
    await call(service, "countTokens", { prompt: "Hi", model: "m" })
    await Effect.runPromiseExit(service.models)
    return sent.map(({ url }) => url)
  }

  it("keeps its query behind the path, for calls, counts and listings", async () => {
    assert.deepStrictEqual(await urlsOf(OpenAi.make({ apiKey, baseUrl: "https://host.example/v1/?api-version=x" })), [
      "https://host.example/v1/responses?api-version=x",
      "https://host.example/v1/responses/input_tokens?api-version=x",
      "https://host.example/v1/models?api-version=x"
    ])
    assert.deepStrictEqual(
      await urlsOf(Azure.make({ apiKey, baseUrl: "https://r.example?tenant=t", apiVersion: "preview" })),
      [
        "https://r.example/openai/v1/responses?api-version=preview&tenant=t",
        "https://r.example/openai/v1/models?tenant=t"
      ]
    )
    assert.include(
      await urlsOf(Ollama.make({ baseUrl: "host.example/v1?key=1", api: "chat" })),
      "http://host.example:11434/v1/chat/completions?key=1"
    )
  })

  it("with a user, a password or a fragment is refused without a word of it", async () => {
    const makes: ReadonlyArray<Effect.Effect<unknown, LlmError, HttpClient.HttpClient>> = [
      Groq.make({ apiKey, baseUrl: "https://someone:hunter2@host.example/v1" }),
      Azure.make({ apiKey, baseUrl: "https://someone:hunter2@host.example" }),
      Ollama.make({ baseUrl: "someone:hunter2@host.example:11434" }),
      Ollama.make({ baseUrl: "http://someone:hunter2@host.example", api: "chat" }),
      Groq.make({ apiKey, baseUrl: "https://host.example/v1#hunter2" }),
      Files.openAi({ apiKey, baseUrl: "https://someone:hunter2@host.example/v1" }),
      Files.gemini({ apiKey, baseUrl: "no url with hunter2" })
    ]
    for (const make of makes) {
      const exit = await Effect.runPromiseExit(Effect.provideService(make, HttpClient.HttpClient, recording([])))
      refused(exit, "base URL")
      assert.notInclude(Exit.isFailure(exit) ? Cause.pretty(exit.cause) : "", "hunter2")
    }
  })
})

describe("What a header cannot hold", () => {
  const bad = ["a\r\nx-evil: 1", "a\nb", "a\0b", "schlüssel-ключ", "a\u007fb", "😀"]
  const clients = [["fetch", FetchHttpClient.layer], ["Node", NodeClient.layerHttpClient]] as const

  it.each(clients)(
    "is refused before it is sent, unquoted and not retryable, with the client of %s",
    async (_, client) => {
      const request: LlmRequest = { prompt: "Hi" }
      for (const value of bad) {
        const secret = `planted-${value}`
        const key = Redacted.make(secret)
        const address = { baseUrl: "http://127.0.0.1:9/v1" }
        const attempts: ReadonlyArray<readonly [Effect.Effect<unknown, LlmError, HttpClient.HttpClient>, string]> = [
          [Groq.make({ ...address, apiKey: key }), "apiKey"],
          [Groq.make({ ...address, apiKey, headers: { "x-a": secret } }), "headers.x-a"],
          [Groq.make({ ...address, apiKey, defaults: { headers: { "x-a": secret } } }), "defaults.headers.x-a"],
          [
            Effect.flatMap(
              Groq.make({ ...address, apiKey: Effect.succeed(key) }),
              (service) => service.generate(request)
            ),
            "apiKey"
          ],
          [
            Effect.flatMap(Groq.make(address), (service) => service.generate({ ...request, apiKey: key })),
            "apiKey"
          ],
          [
            Effect.flatMap(
              Groq.make({ ...address, apiKey }),
              (service) => Stream.runDrain(service.stream({ ...request, headers: { "x-a": secret } }))
            ),
            "headers.x-a"
          ],
          [
            Effect.flatMap(
              Groq.make({ ...address, apiKey }),
              (service) => service.generate({ ...request, headers: { [secret]: "x" } })
            ),
            "headers"
          ],
          [
            Effect.flatMap(Groq.make({ ...address, apiKey: Effect.succeed(key) }), (service) => service.models),
            "apiKey"
          ],
          [Files.openAi({ ...address, apiKey: key }), "apiKey"],
          [Stream.runDrain(Ollama.pull("m", { baseUrl: "http://127.0.0.1:9", apiKey: key })), "apiKey"],
          [
            Stream.runDrain(Ollama.pull("m", { baseUrl: "http://127.0.0.1:9", headers: { "x-a": secret } })),
            "headers.x-a"
          ],
          [Bedrock.make({ credentials: { accessKeyId: secret, secretAccessKey: apiKey } }), "credentials.accessKeyId"]
        ]
        for (const [attempt, field] of attempts) {
          const error = await Effect.runPromise(Effect.flip(Effect.scoped(Effect.provide(attempt, client))))
          assert.strictEqual(error.reason._tag, "Configuration", error.message)
          assert.strictEqual("field" in error.reason ? error.reason.field : undefined, field)
          assert.isFalse(error.isRetryable)
          assert.notInclude(`${error.message} ${error.stack} ${JSON.stringify(error)}`, "planted")
        }
      }
    }
  )

  it("is told of the client's own headers as well", async () => {
    for (const name of ["Host", "content-length", "Transfer-Encoding", "connection"]) {
      const sent: Array<Sent> = []
      const service = await Effect.runPromise(
        Effect.provideService(Groq.make({ apiKey }), HttpClient.HttpClient, recording(sent))
      )
      const exit = await call(service, "generate", { prompt: "Hi", headers: { [name]: "1" } })
      refused(exit, name)
      assert.lengthOf(sent, 0)
    }
  })

  it("is all that is refused: other values arrive trimmed", async () => {
    const value = fc.string({ unit: fc.integer({ min: 0, max: 0x2ff }).map((code) => String.fromCharCode(code)) })
    await fc.assert(
      fc.asyncProperty(value, async (value) => {
        const sent: Array<Sent> = []
        const service = await Effect.runPromise(
          Effect.provideService(Groq.make({ apiKey }), HttpClient.HttpClient, recording(sent))
        )
        const exit = await call(service, "generate", { prompt: "Hi", headers: { "x-a": value } })
        if (sent.length === 0) return refused(exit, JSON.stringify(value))
        assert.strictEqual(sent[0]!.headers["x-a"], value.trim())
        // What both clients take: https://fetch.spec.whatwg.org/#concept-header-value
        assert.strictEqual(new Headers({ "x-a": sent[0]!.headers["x-a"]! }).get("x-a"), value.trim())
      }),
      { numRuns: runs }
    )
  })

  it("goes for values that credentials turn out to have", async () => {
    for (const given of [undefined, "sk-plain", 5, null, Redacted.make(5), Redacted.make(" ")]) {
      const sent: Array<Sent> = []
      const get = Effect.succeed(given) as never
      const makes = [
        Groq.make({ apiKey: get }),
        Groq.make({ apiKey: { get, refresh: get } }),
        Bedrock.make({ credentials: get }),
        Vertex.make({ accessToken: get, project: "p" })
      ]
      for (const make of makes) {
        const service = await Effect.runPromise(Effect.provideService(make, HttpClient.HttpClient, recording(sent)))
        refused(await call(service, "generate", { prompt: "Hi" }), String(given))
        refused(await Effect.runPromiseExit(service.health), String(given))
      }
      assert.lengthOf(sent, 0)
    }
  })
})
