/**
 * Replays recorded traffic through the public API, on a loopback server, and compares the outcome with what
 * an independent reader found in it.
 *
 * A folder holds `cases/<id>.json` and `expected/<id>.json`. Each case is served as recorded (status,
 * headers, body, network chunk sizes) to the provider layer of its `api`, called as it was called:
 * `stream` or `generate`. Node only.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import type * as HttpClient from "effect/http/HttpClient"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { readdir, readFile } from "node:fs/promises"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import { isLlmError } from "../LlmError.ts"
import type { LlmResponse } from "../LlmResponse.ts"
import type * as LlmService from "../LlmService.ts"
import { bodyOf, type Case, type Expected } from "./conformance/Case.ts"
import { compare, type Mismatch, type Outcome } from "./conformance/compare.ts"
import { providerOf } from "./conformance/providers.ts"

export type { Case, Expected } from "./conformance/Case.ts"
export type { Mismatch, Outcome } from "./conformance/compare.ts"

/**
 * How the recorded bytes are cut.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export type Split = "recorded" | number

/**
 * The result of one case.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Result {
  /** Name of the case: its file without the extension. */
  readonly id: string
  /** Who answered when the case was recorded. */
  readonly provider: string
  /** Which wire it was recorded on, by the name that the corpus gives it. */
  readonly api: string
  /** Whether a stream was recorded. */
  readonly streaming: boolean
  /** No provider of this library speaks the case's `api`. */
  readonly unsupported: boolean
  /** Where the answer differs from what is expected; empty for a case that passes. */
  readonly mismatches: ReadonlyArray<Mismatch>
}

/**
 * Names of the cases in a folder, sorted.
 *
 * @stability experimental
 * @category loading
 * @since 0.1.0
 */
export const list = (folder: string): Effect.Effect<ReadonlyArray<string>> =>
  Effect.promise(async () =>
    (await readdir(join(folder, "cases"))).filter((name) => name.endsWith(".json")).toSorted()
      .map((name) => name.slice(0, -".json".length))
  )

interface Loaded {
  readonly recorded: Case
  readonly expected: Expected
}

/** Reads a case; one that cannot be read is told like a mismatch, and the others go on. */
const load = (folder: string, id: string): Effect.Effect<Loaded, string> =>
  Effect.tryPromise({
    try: async () => {
      const [recorded, expected] = await Promise.all([
        readFile(join(folder, "cases", `${id}.json`), "utf8"),
        readFile(join(folder, "expected", `${id}.json`), "utf8")
      ])
      return { recorded: JSON.parse(recorded) as Case, expected: JSON.parse(expected) as Expected }
    },
    catch: (cause) => `the case cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`
  })

/** Headers that describe the recorded connection rather than the answer. */
const connectionHeaders = new Set([
  "connection",
  "content-encoding",
  "content-length",
  "keep-alive",
  "transfer-encoding",
  "trailer",
  "upgrade"
])

/** Recorders mask values with characters that no header may have. */
const isHeader = (name: string, value: unknown): boolean =>
  typeof value === "string" && /^[\w!#$%&'*+.^`|~-]+$/.test(name) && /^[\t\u0020-\u007e\u0080-\u00ff]*$/.test(value)

const chunksOf = (recorded: Case, split: Split): ReadonlyArray<Uint8Array> => {
  const body = bodyOf(recorded)
  if (body.length === 0) return []
  const lengths = split === "recorded" ? recorded.response.chunkByteLengths ?? [body.length] : [split]
  const chunks: Array<Uint8Array> = []
  for (let at = 0, i = 0; at < body.length; i++) {
    const length = Math.max(1, lengths[Math.min(i, lengths.length - 1)] ?? body.length)
    chunks.push(body.subarray(at, at + length))
    at += length
  }
  return chunks
}

/**
 * Serves cases: a request below `/<key>` is answered with the case registered under that key.
 *
 * @stability experimental
 * @category server
 * @since 0.1.0
 */
export interface Server {
  /** Origin of the server, such as `http://127.0.0.1:40213`, without a trailing slash. */
  readonly url: string
  /** Answers requests below `/<key>` with the case's bytes, cut as told. */
  readonly register: (key: string, recorded: Case, split: Split) => void
  /** Forgets the key; requests below it get 404 again. */
  readonly unregister: (key: string) => void
}

/**
 * Starts the server on a free loopback port; it closes with its scope.
 *
 * @stability experimental
 * @category server
 * @since 0.1.0
 */
export const serve: Effect.Effect<Server, never, Scope.Scope> = Effect.gen(function*() {
  const cases = new Map<string, { readonly recorded: Case; readonly split: Split }>()
  const server = createServer((request, response) => {
    request.resume()
    const found = cases.get(request.url?.split("/")[1] ?? "")
    if (found === undefined) {
      response.writeHead(599).end()
      return
    }
    const { recorded, split } = found
    request.on("end", () => {
      const headers = Object.entries(recorded.response.headers ?? {}).filter(([name, value]) =>
        !connectionHeaders.has(name.toLowerCase()) && isHeader(name, value)
      )
      response.writeHead(recorded.response.status, Object.fromEntries(headers))
      const chunks = chunksOf(recorded, split)
      let next = 0
      const write = () => {
        while (next < chunks.length) {
          if (response.destroyed) return
          // A turn of the event loop between writes keeps chunks apart on the network.
          if (!response.write(chunks[next++])) return response.once("drain", () => setImmediate(write))
          return setImmediate(write)
        }
        response.end()
      }
      write()
    })
  })
  yield* Effect.acquireRelease(
    Effect.callback<void>((resume) => {
      server.listen(0, "127.0.0.1", () => resume(Effect.void))
    }),
    () =>
      Effect.callback<void>((resume) => {
        server.close(() => resume(Effect.void))
        server.closeAllConnections()
      })
  )
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    register: (key, recorded, split) => void cases.set(key, { recorded, split }),
    unregister: (key) => void cases.delete(key)
  }
})

const call = (service: LlmService.Service, recorded: Case): Effect.Effect<Outcome> => {
  const request = { prompt: "Replay.", timeouts: { connect: "20 seconds", idle: "20 seconds" } } as const
  const answer = recorded.streaming
    ? Stream.runFold(
      service.stream(request),
      () => undefined as LlmResponse | undefined,
      (found, event) => event._tag === "Finish" ? event.response : found
    )
    : service.generate(request)
  return Effect.matchCause(answer, {
    onSuccess: (response): Outcome =>
      response === undefined ? { _tag: "Defect", message: "no Finish event" } : { _tag: "Response", response },
    onFailure: (cause): Outcome => {
      const error = Cause.squash(cause)
      return isLlmError(error) ? { _tag: "Error", error } : { _tag: "Defect", message: Cause.pretty(cause) }
    }
  }).pipe(Effect.timeoutOrElse({
    duration: "30 seconds",
    orElse: () => Effect.succeed<Outcome>({ _tag: "Hang" })
  }))
}

/**
 * Replays one case.
 *
 * @stability experimental
 * @category running
 * @since 0.1.0
 */
export const replay = (
  server: Server,
  recorded: Case,
  split: Split = "recorded"
): Effect.Effect<Outcome | undefined, never, HttpClient.HttpClient> =>
  Effect.gen(function*() {
    const provider = yield* providerOf(recorded)
    if (provider === undefined) return undefined
    const key = encodeURIComponent(`${recorded.id}-${split}`)
    server.register(key, recorded, split)
    const service = yield* Effect.exit(provider.make({
      apiKey: Redacted.make("conformance-placeholder"),
      baseUrl: `${server.url}/${key}`,
      model: recorded.model ?? "replayed-model"
    }))
    if (service._tag === "Failure") {
      return { _tag: "Defect", message: Cause.pretty(service.cause) } as const
    }
    const outcome = yield* call(service.value, recorded)
    server.unregister(key)
    return outcome
  })

/**
 * Replays every case of a folder, or those whose id contains `only`, and gives the results in order.
 *
 * @stability experimental
 * @category running
 * @since 0.1.0
 */
export const run = (
  folder: string,
  options: {
    /** How the bytes are cut. @default "recorded" */
    readonly split?: Split | undefined
    /** Text that the name of a case must contain to be replayed. @default all cases */
    readonly only?: string | undefined
    /** Cases at a time. @default 8 */
    readonly concurrency?: number | undefined
  } = {}
): Effect.Effect<ReadonlyArray<Result>, never, HttpClient.HttpClient> =>
  Effect.scoped(Effect.gen(function*() {
    const server = yield* serve
    const ids = yield* list(folder)
    const chosen = options.only === undefined ? ids : ids.filter((id) => id.includes(options.only!))
    return yield* Effect.forEach(chosen, (id) =>
      load(folder, id).pipe(
        Effect.flatMap(({ expected, recorded }) =>
          Effect.map(replay(server, recorded, options.split), (outcome): Result => ({
            id,
            provider: recorded.provider,
            api: recorded.api,
            streaming: recorded.streaming,
            unsupported: outcome === undefined,
            mismatches: outcome === undefined ? [] : compare(recorded, expected, outcome)
          }))
        ),
        Effect.catchCause((cause) =>
          Effect.succeed<Result>({
            id,
            provider: "",
            api: "unreadable",
            streaming: false,
            unsupported: false,
            mismatches: [{ field: "case", expected: "a readable case", actual: Cause.squash(cause) }]
          })
        )
      ), { concurrency: options.concurrency ?? 8 })
  }))
