/**
 * Real exchanges, recorded once and played in every test after: an `HttpClient` that writes what goes through it into a file a person
 * can read, and answers from that file without a network.
 *
 * Chunk boundaries are kept, binary bodies, broken connections and bodies that were cut; delays by option. Secrets are taken out before
 * anything is written: see `cassette/Scrubbing`. A request that was not recorded fails with `Configuration`, which no policy tries
 * again, and says how the nearest recorded one differs. `noNetwork` and `guard` make tests fail that reach for the network. Node only.
 *
 * It judges no answers and knows no wire: to test against bytes nobody has recorded, use `Simulator`; without bytes, `TestLlm`.
 *
 * @example
 * ```ts
 * const llm = Anthropic.layerEnv.pipe(
 *   Layer.provide(Cassette.layer({ file: "test/cassettes/hello.json" })),
 *   Layer.provide(FetchHttpClient.layer)
 * )
 * ```
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientError from "effect/http/HttpClientError"
import type { HttpClientRequest } from "effect/http/HttpClientRequest"
import type { HttpClientResponse } from "effect/http/HttpClientResponse"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import { randomUUID } from "node:crypto"
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises"
import { dirname } from "node:path"
import { Configuration, type LlmError } from "../LlmError.ts"
import { misconfigured, optionsIssue } from "../service/checked.ts"
import { fields, filledText, flag, listOf, oneOf, optional, text, that } from "../validation/values.ts"
import { compared, keyOf, nearest } from "./cassette/Matching.ts"
import { outgoing, played, recorded, type Recording } from "./cassette/Responses.ts"
import { scrubbed } from "./cassette/Scrubbing.ts"
import { parse, print, type RecordedExchange, type RecordedRequest } from "./cassette/Tape.ts"

export { guard, loopbackOnly, noNetwork } from "./cassette/guards.ts"
export type { Broken, RecordedBody, RecordedExchange, RecordedRequest, RecordedResponse } from "./cassette/Tape.ts"

// =============================================================================
// Models
// =============================================================================

/**
 * What a cassette does with a request.
 *
 * - `replay`: answers what was recorded, in that order, the last answer of equal requests again and again; anything else is a miss
 * - `strict`: the same, but every exchange is played once: the same request once more is a miss, and `finished` fails when one is left
 * - `record`: sends everything and writes the file anew
 * - `append`: answers what was recorded; sends the rest, and adds it to the file
 * - `auto`: `replay` where there is a file, else `record`
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export type Mode = "replay" | "strict" | "record" | "append" | "auto"

/**
 * How a cassette is set up.
 *
 * @stability experimental
 * @category options
 * @since 0.1.0
 */
export interface Options {
  /** Path of the file; folders are made. */
  readonly file: string
  /** @default "auto" */
  readonly mode?: Mode | undefined
  /** Writes down when each chunk came, and plays it so, by the `Clock`. @default false */
  readonly timing?: boolean | undefined
  /** What else is secret: texts that must not be in the file, such as ids of accounts. Keys of the requests are known. */
  readonly secrets?: ReadonlyArray<string | Redacted.Redacted<string>> | undefined
  /**
   * Members of a JSON body that do not count when requests are compared, as paths: `metadata.user_id`, `tools.*.description`.
   *
   * @default none
   */
  readonly ignore?: ReadonlyArray<string> | undefined
}

/**
 * What happened so far.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Control {
  /** The mode; `auto` has been decided. */
  readonly mode: Exclude<Mode, "auto">
  /** Everything on the cassette, in order, as far as it has come. */
  readonly exchanges: ReadonlyArray<RecordedExchange>
  /** Requests that were answered from the cassette. */
  readonly played: number
  /** Requests that were sent. */
  readonly sent: number
  /** What was said of each request that is not on it. */
  readonly missed: ReadonlyArray<string>
  /** Exchanges that nobody asked for, such as `2: POST https://…`. */
  readonly unplayed: ReadonlyArray<string>
  /** Writes the file, if there is something new. It is written after each exchange, and when the layer closes, too. */
  readonly save: Effect.Effect<void, LlmError>
  /** Fails when a request was missed, or, in mode `strict`, when an exchange was not played. */
  readonly finished: Effect.Effect<void, LlmError>
}

/**
 * The tag of the {@link Control} that {@link layer} provides.
 *
 * @stability experimental
 * @category services
 * @since 0.1.0
 */
export class Cassette extends Context.Service<Cassette, Control>()("effect-llm/testing/Cassette") {}

// =============================================================================
// Files
// =============================================================================

const failure = (message: string): LlmError => misconfigured("Cassette", { field: "file", message })

const messageOf = (cause: unknown): string => cause instanceof Error ? cause.message : String(cause)

const read = (file: string): Effect.Effect<ReadonlyArray<RecordedExchange> | undefined, LlmError> =>
  Effect.tryPromise({
    try: () => readFile(file, "utf8"),
    catch: (cause) => (cause as NodeJS.ErrnoException).code === "ENOENT" ? undefined : failure(messageOf(cause))
  }).pipe(
    Effect.flatMap((text) => {
      const exchanges = parse(text)
      return typeof exchanges === "string" ? Effect.fail(failure(`${file}: ${exchanges}`)) : Effect.succeed(exchanges)
    }),
    Effect.catch((error) => error === undefined ? Effect.succeed(undefined) : Effect.fail(error))
  )

/** A reader sees the old file or the new one, whole. */
const write = (file: string, text: string): Effect.Effect<void, LlmError> =>
  Effect.tryPromise({
    try: async () => {
      await mkdir(dirname(file), { recursive: true })
      const next = `${file}.${randomUUID()}.tmp`
      try {
        await writeFile(next, text)
        await rename(next, file)
      } catch (error) {
        await rm(next, { force: true })
        throw error
      }
    },
    catch: (cause) => failure(`Cannot be written: ${messageOf(cause)}`)
  })

// =============================================================================
// Playing
// =============================================================================

/** The exchanges that can be played, and how often each was. */
class Deck {
  readonly played: Array<number>
  private readonly exchanges: ReadonlyArray<RecordedExchange>
  private readonly ignore: ReadonlyArray<string>
  private readonly once: boolean
  private readonly byKey = new Map<string, Array<number>>()

  constructor(exchanges: ReadonlyArray<RecordedExchange>, ignore: ReadonlyArray<string>, once: boolean) {
    this.exchanges = exchanges
    this.ignore = ignore
    this.once = once
    this.played = exchanges.map(() => 0)
    for (const [at, { request }] of exchanges.entries()) {
      const key = keyOf(compared(request, ignore))
      const known = this.byKey.get(key)
      if (known === undefined) this.byKey.set(key, [at])
      else known.push(at)
    }
  }

  take(request: RecordedRequest): RecordedExchange | undefined {
    const places = this.byKey.get(keyOf(compared(request, this.ignore))) ?? []
    const next = places.find((at) => this.played[at] === 0) ?? (this.once ? undefined : places.at(-1))
    if (next === undefined) return undefined
    this.played[next]!++
    return this.exchanges[next]
  }

  /** Why there is none. */
  missing(request: RecordedRequest): string {
    const all = this.exchanges.map(({ request }) => compared(request, this.ignore))
    return nearest(all, compared(request, this.ignore))
  }

  get unplayed(): ReadonlyArray<string> {
    return this.exchanges.flatMap(({ request }, at) =>
      this.played[at] === 0 ? [`${at + 1}: ${request.method} ${request.url}`] : []
    )
  }
}

/** A body ends shortly after its answer has; the moment that it takes is the connection's, whatever clock the test has. */
const settled = (recordings: ReadonlyArray<Recording>): Effect.Effect<void> =>
  Effect.promise(async () => {
    for (let waited = 0; waited < 250 && recordings.some(({ done }) => !done); waited += 10) {
      // @effect-diagnostics-next-line globalTimers:off
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
  })

const missed = (request: HttpClientRequest, message: string): HttpClientError.HttpClientError =>
  new HttpClientError.HttpClientError({
    reason: new HttpClientError.EncodeError({ request, description: message, cause: new Configuration({ message }) })
  })

const isMode = oneOf("replay", "strict", "record", "append", "auto")
const check = fields({
  file: filledText,
  mode: optional(isMode),
  timing: optional(flag),
  secrets: optional(
    listOf(
      that((secret) => typeof secret === "string" || Redacted.isRedacted(secret), "Must be a text or a Redacted."),
      "Must be an array of texts."
    )
  ),
  ignore: optional(listOf(text, "Must be an array of paths."))
})

// =============================================================================
// Constructors
// =============================================================================

/**
 * Makes a client over another one that records and plays, and its control.
 *
 * @stability experimental
 * @category constructors
 * @since 0.1.0
 */
export const make = (
  upstream: HttpClient.HttpClient | undefined,
  options: Options
): Effect.Effect<
  { readonly client: HttpClient.HttpClient; readonly control: Control },
  LlmError,
  Scope.Scope
> =>
  Effect.gen(function*() {
    const issue = optionsIssue(check, options)
    if (issue !== undefined) return yield* misconfigured("Cassette", issue)
    const { file, ignore = [], timing = false } = options
    const secrets = (options.secrets ?? []).map((secret) =>
      typeof secret === "string" ? secret : Redacted.value(secret)
    )
    const asked = options.mode ?? "auto"
    const found = asked === "record" ? undefined : yield* read(file)
    const mode = asked === "auto" ? (found === undefined ? "record" : "replay") : asked
    if (found === undefined && (mode === "replay" || mode === "strict")) {
      return yield* failure(`There is no ${file}. Record it with mode "record" or "auto".`)
    }
    const sends = mode === "record" || mode === "append"

    const before = found ?? []
    const deck = new Deck(before, ignore, mode === "strict")
    /** In the order in which they were asked for. */
    const recordings: Array<Recording> = []
    const exchanges = (): ReadonlyArray<RecordedExchange> => [
      ...before,
      ...recordings.flatMap((recording) => recording.known() ?? [])
    ]
    const misses: Array<string> = []
    let plays = 0
    let changed = asked === "record"

    const lock = yield* Semaphore.make(1)
    const save = lock.withPermits(1)(Effect.suspend(() => {
      if (!changed) return Effect.void
      changed = false
      return Effect.tapError(write(file, print(exchanges())), () =>
        Effect.sync(() => {
          changed = true
        }))
    }))

    const send = (request: HttpClientRequest, written: ReturnType<typeof scrubbed>) =>
      Effect.suspend(() => {
        const recording: Recording = { known: () => undefined, done: false }
        recordings.push(recording)
        changed = true
        const ended = Effect.suspend(() => {
          changed = true
          return Effect.ignore(save)
        })
        return recorded(upstream!, request, written, timing, recording, ended)
      })

    const client = HttpClient.make((request, url, _signal, fiber) =>
      Effect.suspend((): Effect.Effect<HttpClientResponse, HttpClientError.HttpClientError> => {
        const written = scrubbed(outgoing(request, url), secrets)
        const exchange = mode === "record" ? undefined : deck.take(written.request)
        if (exchange !== undefined) {
          plays++
          return played(request, exchange, timing, fiber.context)
        }
        if (sends && upstream !== undefined) return send(request, written)
        const { method } = written.request
        const message = `${method} ${written.request.url} is not on the cassette ${file} (mode "${mode}"). ${
          deck.missing(written.request)
        }`
        misses.push(message)
        return Effect.fail(missed(request, message))
      })
    )

    const control: Control = {
      mode,
      get exchanges() {
        return exchanges()
      },
      get played() {
        return plays
      },
      get sent() {
        return recordings.length
      },
      get missed() {
        return misses.slice()
      },
      get unplayed() {
        return deck.unplayed
      },
      save,
      finished: Effect.suspend(() => {
        const left = mode === "strict" ? deck.unplayed : []
        const problems = [...misses, ...left.map((one) => `Nobody asked for exchange ${one}.`)]
        return problems.length === 0 ? Effect.void : Effect.fail(failure(problems.join("\n")))
      })
    }
    yield* Effect.addFinalizer(() =>
      Effect.catch(
        Effect.andThen(settled(recordings), save),
        (error) => Effect.logError(`The cassette was not saved. ${error.message}`)
      )
    )
    return { client, control }
  })

const provide = (upstream: HttpClient.HttpClient | undefined, options: Options) =>
  Effect.map(
    make(upstream, options),
    ({ client, control }) => Context.make(HttpClient.HttpClient, client).pipe(Context.add(Cassette, control))
  )

/**
 * A client over the one in the context, and its {@link Control}. The file is written in modes `record` and `append`, after each exchange.
 *
 * @stability experimental
 * @category layers
 * @since 0.1.0
 */
export const layer = (
  options: Options
): Layer.Layer<HttpClient.HttpClient | Cassette, LlmError, HttpClient.HttpClient> =>
  Layer.effectContext(Effect.flatMap(HttpClient.HttpClient, (upstream) => provide(upstream, options)))

/**
 * A client that answers from a file alone: there is no other client that it could ask.
 *
 * @stability experimental
 * @category layers
 * @since 0.1.0
 */
export const replay = (
  options: Omit<Options, "mode"> & {
    /** @default "replay" */
    readonly mode?: "replay" | "strict" | undefined
  }
): Layer.Layer<HttpClient.HttpClient | Cassette, LlmError> =>
  Layer.effectContext(Effect.suspend(() => provide(undefined, { ...options, mode: options.mode ?? "replay" })))
