/**
 * Asks real providers for what the library says they can do, and tells what was answered and what was refused.
 */
import { ConfigProvider, Effect, Layer, Stream } from "effect"
import type { HttpClient } from "effect/http"
import { deflateSync } from "node:zlib"
import {
  type LlmError,
  type LlmRequest,
  LlmResponse,
  LlmService,
  LlmTool,
  Message,
  type Provider
} from "../../src/index.ts"
import { loaders } from "../../src/provider/bundled.ts"
import * as Cassette from "../../src/testing/Cassette.ts"

/** What is asked for, in the order of the columns. */
export const capabilities = ["text", "stream", "tools", "object", "image", "thinking", "cache", "count"] as const
export type Capability = (typeof capabilities)[number]

/** `yes` with what is worth knowing, `refused` by the provider or before it was asked, `failed` for any other reason, `no` answer to it. */
export interface Outcome {
  readonly status: "yes" | "no" | "refused" | "failed"
  readonly note: string
}

export interface Row {
  readonly provider: string
  readonly model: string
  readonly outcomes: { readonly [capability in Capability]?: Outcome }
}

export interface Options {
  readonly env: { readonly [name: string]: string | undefined }
  /** Folder for a cassette per provider. */
  readonly record?: string | undefined
  /** Ids of the providers that are asked. @default all whose variables are set */
  readonly only?: ReadonlyArray<string> | undefined
}

interface Candidate {
  readonly module: Provider.ProviderModule
  /** Variables of which one is enough. */
  readonly variables: ReadonlyArray<string>
}

/** Providers and the variables that say that they may be asked: keys, or for a server of one's own its address. */
export const candidates: Effect.Effect<ReadonlyArray<Candidate>> = Effect.promise(async () => {
  const modules = await Promise.all(Object.values(loaders).map((load) => load()))
  return (modules as unknown as ReadonlyArray<Provider.ProviderModule>).map((module) => {
    const { auth, env } = module.definition
    const addresses = [env.baseUrl, env.host].filter((name) => name !== undefined)
    return { module, variables: auth.type === "none" ? [...env.apiKey, ...addresses] : env.apiKey }
  })
})

const isSet = (env: Options["env"], name: string): boolean => (env[name] ?? "").trim() !== ""

/** Those of {@link candidates} whose variables are set. */
export const chosen = (all: ReadonlyArray<Candidate>, { env, only }: Options): ReadonlyArray<Candidate> =>
  all.filter(({ module: { definition }, variables }) =>
    (only === undefined || only.includes(definition.id)) && variables.some((name) => isSet(env, name))
  )

// =============================================================================
// Asking
// =============================================================================

const crcTable = Array.from({ length: 256 }, (_, n) => {
  let c = n
  for (let k = 0; k < 8; k++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1
  return c >>> 0
})

const chunk = (type: string, data: Buffer): Buffer => {
  const body = Buffer.concat([Buffer.from(type, "latin1"), data])
  let crc = 0xffffffff
  for (const byte of body) crc = crcTable[(crc ^ byte) & 255]! ^ (crc >>> 8)
  const out = Buffer.alloc(body.length + 8)
  out.writeUInt32BE(data.length, 0)
  body.copy(out, 4)
  out.writeUInt32BE((crc ^ 0xffffffff) >>> 0, body.length + 4)
  return out
}

/** A red square of 64 pixels. */
const redSquare = (): string => {
  const header = Buffer.from([0, 0, 0, 64, 0, 0, 0, 64, 8, 2, 0, 0, 0])
  const line = Buffer.concat([Buffer.from([0]), Buffer.alloc(64 * 3, Buffer.from([220, 20, 20]))])
  const pixels = deflateSync(Buffer.concat(Array.from({ length: 64 }, () => line)))
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
  return Buffer.concat([signature, chunk("IHDR", header), chunk("IDAT", pixels), chunk("IEND", Buffer.alloc(0))])
    .toString("base64")
}

const yes = (note = ""): Outcome => ({ status: "yes", note })
const no = (note: string): Outcome => ({ status: "no", note })

const weather = LlmTool.make("get_weather", {
  description: "The weather in a city",
  parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] }
})

const dropped = (response: LlmResponse.LlmResponse, field: string): string | undefined =>
  response.warnings.find((warning) => warning.field.startsWith(field))?.message

/** Longer than the least that any provider caches: 4,096 tokens, https://platform.claude.com/docs/en/build-with-claude/prompt-caching. */
const longText = Array.from({ length: 900 }, (_, at) => `Rule ${at}: answer politely and briefly.`).join("\n")

type Ask = (service: LlmService.Service) => Effect.Effect<Outcome, LlmError.LlmError>

const short = { maxTokens: 400 } as const

const asks: { readonly [capability in Capability]: Ask } = {
  text: (service) =>
    Effect.map(service.generate({ prompt: "Say hello.", ...short }), ({ text }) => text === "" ? no("no text") : yes()),
  stream: (service) =>
    Effect.map(Stream.runCollect(service.stream({ prompt: "Count to five.", ...short })), (events) => {
      const deltas = events.filter((event) => event._tag === "TextDelta").length
      return LlmResponse.fold(events) === undefined || deltas === 0 ? no("no text") : yes(`${deltas} deltas`)
    }),
  tools: (service) =>
    Effect.map(
      service.generate({ prompt: "What is the weather in Lisbon?", tools: [weather], toolChoice: "auto", ...short }),
      ({ toolCalls }) => toolCalls[0]?.name === "get_weather" ? yes() : no("no call")
    ),
  object: (service) =>
    Effect.map(
      service.generate({
        prompt: "Name a city and its country.",
        responseFormat: {
          type: "json-schema",
          schema: {
            type: "object",
            properties: { city: { type: "string" }, country: { type: "string" } },
            required: ["city", "country"],
            additionalProperties: false
          }
        },
        ...short
      }),
      (response) => {
        try {
          const found = JSON.parse(response.text) as { readonly city?: unknown }
          return typeof found.city === "string" ? yes(dropped(response, "responseFormat") ?? "") : no("another object")
        } catch {
          return no("no JSON")
        }
      }
    ),
  image: (service) => {
    const image = Message.image({ type: "base64", mediaType: "image/png", data: redSquare() })
    const messages = [Message.user([image, Message.text("Which colour is this? One word.")])]
    return Effect.map(
      service.generate({ messages, ...short }),
      ({ text }) => /red/i.test(text) ? yes() : no(`said ${JSON.stringify(text.slice(0, 40))}`)
    )
  },
  thinking: (service) =>
    Effect.map(
      service.generate({ prompt: "What is 17 times 23?", thinking: "low", maxTokens: 4000 }),
      (response) => {
        const left = dropped(response, "thinking")
        if (left !== undefined) return no(left)
        const tokens = response.usage.output.reasoning ?? 0
        return tokens > 0 || response.reasoningText !== "" ? yes(`${tokens} tokens`) : no("no reasoning seen")
      }
    ),
  cache: (service) => {
    const request: LlmRequest.LlmRequest = {
      system: longText,
      prompt: "Say hello.",
      cache: { systemPrompt: true },
      ...short
    }
    return Effect.map(Effect.andThen(service.generate(request), service.generate(request)), ({ usage }) => {
      const { cacheRead } = usage.input
      return (cacheRead ?? 0) > 0 ? yes(`${cacheRead} tokens read`) : no("nothing read from a cache")
    })
  },
  count: (service) =>
    Effect.map(
      service.countTokens({ prompt: "How many tokens is this?" }),
      ({ estimated, inputTokens }) => estimated ? no(`estimated: ${inputTokens}`) : yes(`${inputTokens} tokens`)
    )
}

const refusals: ReadonlySet<string> = new Set([
  "Validation",
  "NotFound",
  "PermissionDenied",
  "ContentPolicy",
  "ContextLength"
])

const outcomeOf = (error: LlmError.LlmError): Outcome => ({
  status: refusals.has(error.reason._tag) ? "refused" : "failed",
  note: `${error.reason._tag}: ${error.reason.message}`
})

const rowOf = (candidate: Candidate, options: Options) =>
  Effect.gen(function*() {
    const { definition, layerEnv } = candidate.module
    const built = yield* Effect.exit(Layer.build(layerEnv))
    if (built._tag === "Failure") {
      const [reason] = built.cause.reasons
      const outcome: Outcome = reason?._tag === "Fail"
        ? outcomeOf(reason.error)
        : { status: "failed", note: "cannot be made" }
      return { provider: definition.id, model: "", outcomes: { text: outcome } }
    }
    const service = yield* Effect.provide(LlmService.LlmService, built.value)
    const outcomes: { [capability in Capability]?: Outcome } = {}
    for (const capability of capabilities) {
      outcomes[capability] = yield* Effect.match(
        Effect.timeoutOrElse(asks[capability](service), {
          duration: "3 minutes",
          orElse: () => Effect.succeed<Outcome>({ status: "failed", note: "no answer within 3 minutes" })
        }),
        { onFailure: outcomeOf, onSuccess: (outcome) => outcome }
      )
    }
    return { provider: definition.id, model: service.info.model, outcomes }
  }).pipe(
    Effect.scoped,
    // Each stands on the next.
    // @effect-diagnostics-next-line multipleEffectProvide:off
    Effect.provide(
      options.record === undefined
        ? Layer.empty
        : Cassette.layer({ file: `${options.record}/${candidate.module.definition.id}.json`, mode: "record" })
    ),
    Effect.provide(ConfigProvider.layer(ConfigProvider.fromEnv({ env: withoutUnset(options.env) })))
  ) as Effect.Effect<Row, LlmError.LlmError, HttpClient.HttpClient>

const withoutUnset = (env: Options["env"]): { readonly [name: string]: string } =>
  Object.fromEntries(Object.entries(env).flatMap(([name, value]) => value === undefined ? [] : [[name, value]]))

/** Asks each provider whose variables are set for everything, a few providers at a time. */
export const matrix = (options: Options): Effect.Effect<ReadonlyArray<Row>, LlmError.LlmError, HttpClient.HttpClient> =>
  Effect.flatMap(
    candidates,
    (all) => Effect.forEach(chosen(all, options), (candidate) => rowOf(candidate, options), { concurrency: 3 })
  )

// =============================================================================
// Telling
// =============================================================================

const padded = (cells: ReadonlyArray<string>, widths: ReadonlyArray<number>): string =>
  cells.map((cell, at) => cell.padEnd(widths[at]!)).join("  ").trimEnd()

/** The table, and below it what is worth a line. */
export const table = (rows: ReadonlyArray<Row>): string => {
  const cells = [
    ["provider", "model", ...capabilities],
    ...rows.map(({ model, outcomes, provider }) => [
      provider,
      model,
      ...capabilities.map((capability) => outcomes[capability]?.status ?? "-")
    ])
  ]
  const widths = cells[0]!.map((_, at) => Math.max(...cells.map((row) => row[at]!.length)))
  const notes = rows.flatMap(({ outcomes, provider }) =>
    capabilities.flatMap((capability) => {
      const outcome = outcomes[capability]
      return outcome === undefined || outcome.note === ""
        ? []
        : [`${provider} ${capability}: ${outcome.status}: ${outcome.note.replaceAll(/\s+/g, " ").slice(0, 300)}`]
    })
  )
  return [...cells.map((row) => padded(row, widths)), ...(notes.length === 0 ? [] : ["", ...notes])].join("\n")
}

/** What has to be set to ask anybody. */
export const variables = (all: ReadonlyArray<Candidate>): string =>
  all.map(({ module, variables }) => `  ${module.definition.id.padEnd(20)} ${variables.join(" or ")}`).join("\n")
