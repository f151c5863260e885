/**
 * A page that shows calls as they go: attempts on a time line, failovers, circuits, tokens per second, costs, failures with their reasons.
 *
 * `policy` around a stack records its calls, `recorder` keeps the last of them in memory, and `layer` serves the page under `/inspector`, to
 * this machine alone. The gateway serves it by `inspector = true`. The page is one document without a build; it loads nothing. Words of
 * prompts and answers are neither kept nor shown unless `content` allows it. Without the policy nothing is made and nothing is kept.
 *
 * @example
 * ```ts
 * const llm = Anthropic.layerEnv.pipe(Retry.policy(), Cost.policy(), Inspector.policy())
 * const page = HttpRouter.serve(Inspector.layer()).pipe(Layer.provide(NodeHttpServer.layer(createServer, { host: "127.0.0.1", port: 4142 })))
 * const development = Layer.mergeAll(llm, page).pipe(Layer.provide(Inspector.recorder()))
 * ```
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import type { LlmError } from "../LlmError.ts"
import * as Policy from "../policy/Policy.ts"
import { misconfigured, optionsIssue } from "../service/checked.ts"
import { callable, countFrom, fields, flag, optional, that } from "../validation/values.ts"
import { Draining } from "./draining.ts"
import { headOf } from "./incoming.ts"
import { type Allowed } from "./inspector/contents.ts"
import { recorded, Recorder as Calls } from "./inspector/recorder.ts"
import { respond } from "./inspector/serving.ts"
import { hashOf } from "./keys.ts"

// =============================================================================
// Recorder
// =============================================================================

/**
 * The last calls, in memory.
 *
 * @stability experimental
 * @category services
 * @since 0.1.0
 */
export class Recorder extends Context.Service<Recorder, Calls>()("effect-llm/Inspector/Recorder") {}

/**
 * What is kept of calls.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface RecorderOptions {
  /** Calls that are kept, the oldest going first. @default 500 */
  readonly calls?: number | undefined
  /**
   * Whether words of prompts and answers are kept, up to 16,384 characters each of a call, and shown to whoever opens one: not, as they
   * are but for what looks like a key, or as a function leaves them. @default false: their lengths
   */
  readonly content?: boolean | ((text: string) => string) | undefined
}

const recorderOptions = fields({
  calls: optional(countFrom(1)),
  content: optional((value) => typeof value === "function" ? callable(value) : flag(value))
})

/**
 * Keeps the last calls, as the policy records them and the page shows them. Fails with `Configuration` when an option cannot be.
 *
 * @stability experimental
 * @category layers
 * @since 0.1.0
 */
export const recorder = (options: RecorderOptions = {}): Layer.Layer<Recorder, LlmError> =>
  Layer.effect(
    Recorder,
    Effect.suspend(() => {
      const issue = optionsIssue(recorderOptions, options)
      if (issue !== undefined) return Effect.fail(misconfigured("Inspector", issue))
      const content: Allowed = options.content ?? false
      return Effect.succeed(new Calls(options.calls ?? 500, content))
    })
  )

// =============================================================================
// Policy
// =============================================================================

/**
 * Records the calls of a service, and what the policies inside do for them. Put it outermost: what stands further out is not seen.
 *
 * @stability experimental
 * @category policies
 * @since 0.1.0
 */
export const policy = (): Policy.Policy<never, Recorder> =>
  Policy.make((service) => Effect.map(Recorder, (calls) => recorded(service, calls)))

// =============================================================================
// Page
// =============================================================================

/**
 * How the page is served.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** What the page has to be told before it shows a call; it is asked for there, or comes behind `#` in the address. @default nothing */
  readonly token?: string | Redacted.Redacted<string> | undefined
  /** What the paths begin with, such as `/debug`. @default nothing */
  readonly prefix?: `/${string}` | undefined
}

const plainToken = (token: unknown): unknown => Redacted.isRedacted(token) ? Redacted.value(token) : token

const pageOptions = fields({
  token: optional(that((value) => {
    const plain = plainToken(value)
    return typeof plain === "string" && plain !== ""
  }, "Must be a text that is not empty.")),
  prefix: optional(that(
    (value) => typeof value === "string" && /^(?:\/[\w.~-]+)*\/?$/.test(value),
    "Must be a path such as \"/debug\"."
  ))
})

/**
 * The routes of the page: `/inspector` and what it reads, to the loopback alone. Fails with `Configuration` when an option cannot be.
 *
 * @stability experimental
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: Options = {}): Layer.Layer<never, LlmError, Recorder | HttpRouter.HttpRouter> =>
  HttpRouter.use((router) =>
    Effect.gen(function*() {
      const issue = optionsIssue(pageOptions, options)
      if (issue !== undefined) return yield* misconfigured("Inspector", issue)
      const calls = yield* Recorder
      const token = plainToken(options.token) as string | undefined
      const expected = token === undefined ? undefined : yield* hashOf(token)
      const closed = (yield* Draining) ?? (yield* Deferred.make<void>())
      yield* Effect.addFinalizer(() => Deferred.succeed(closed, undefined))
      const prefix = (options.prefix ?? "").replace(/\/+$/, "")
      const mayLook = ({ headers }: { readonly headers: { readonly [name: string]: string | undefined } }) => {
        if (expected === undefined) return Effect.succeed(true)
        const shown = /^Bearer (.+)$/i.exec(headers["authorization"] ?? "")?.[1]
        // Digests are compared, so that time tells nothing of the token.
        return shown === undefined
          ? Effect.succeed(false)
          : Effect.match(hashOf(shown), { onFailure: () => false, onSuccess: (hash) => hash === expected })
      }
      const inspected = { recorder: calls, closed, mayLook }
      const handle = (request: HttpServerRequest) => respond(inspected, request, headOf(request, prefix))
      yield* router.add("*", `${prefix as `/${string}`}/inspector/*`, handle)
    })
  )
