/**
 * Many requests through one service: so many at a time, each with its own outcome, usage and cost summed.
 *
 * One failure ends nothing: every request has an `Exit`, in the order given. Interrupting the batch interrupts the calls that run
 * and starts no others. It runs the calls through whatever layer is provided, so retries, limits and budgets are those of
 * its policies; it adds none.
 *
 * This is fan-out from this process. The batch endpoints of providers, cheaper and hours later, are another thing.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Stream from "effect/Stream"
import { isLlmError, LlmError, Validation } from "../LlmError.ts"
import type { LlmRequest } from "../LlmRequest.ts"
import { emptyUsage, type LlmResponse, sumUsage, type Usage } from "../LlmResponse.ts"
import { LlmService, type Service } from "../LlmService.ts"
import { misconfigured, optionsIssue } from "../service/checked.ts"
import { callable, countFrom, fields, maxEntries, optional } from "../validation/values.ts"

/**
 * The outcome of one request.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export type Outcome = Exit.Exit<LlmResponse, LlmError>

/**
 * What is known of a batch at some moment.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface Totals {
  /** All requests. */
  readonly total: number
  /** Requests that were answered. */
  readonly succeeded: number
  /** Requests that ended in an error. */
  readonly failed: number
  /** Of answers, and of the partial output of failures. */
  readonly usage: Usage
  /** US dollars of the answers whose cost is known. */
  readonly cost: number
  /** Answers whose cost is not known, and which `cost` lacks. Put `Cost.policy` on the layer. */
  readonly withoutCost: number
}

/**
 * A request that has ended.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface Progress {
  /** Its place in the requests. */
  readonly index: number
  /** How the request ended: its response, or its error. */
  readonly exit: Outcome
  /** Including this one. */
  readonly totals: Totals
}

/**
 * A batch that has ended.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface Result extends Totals {
  /** In the order of the requests. */
  readonly exits: ReadonlyArray<Outcome>
}

/**
 * How a batch runs.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** Most calls at a time; at least 1. @default 8 */
  readonly concurrency?: number | undefined
}

const none = (total: number): Totals => ({
  total,
  succeeded: 0,
  failed: 0,
  usage: emptyUsage,
  cost: 0,
  withoutCost: 0
})

const add = (totals: Totals, exit: Outcome): Totals => {
  if (Exit.isSuccess(exit)) {
    const { usage } = exit.value
    const cost = exit.value.cost ?? usage.billedCost
    return {
      ...totals,
      succeeded: totals.succeeded + 1,
      usage: sumUsage(totals.usage, usage),
      cost: totals.cost + (cost ?? 0),
      withoutCost: totals.withoutCost + (cost === undefined ? 1 : 0)
    }
  }
  const partial = exit.cause.reasons.flatMap((reason) =>
    reason._tag === "Fail" && isLlmError(reason.error) && reason.error.partial !== undefined
      ? [reason.error.partial]
      : []
  )
  return {
    ...totals,
    failed: totals.failed + 1,
    usage: partial.reduce((sum, { usage }) => sumUsage(sum, usage), totals.usage)
  }
}

const checkedOptions = fields({ concurrency: optional(countFrom(1)), onProgress: optional(callable) })

/** A list may be longer than there is memory, or none at all. */
const listed = (
  requests: Iterable<LlmRequest>,
  service: Service
): Effect.Effect<ReadonlyArray<LlmRequest>, LlmError> =>
  Effect.try({
    try: () => {
      const all: Array<LlmRequest> = []
      for (const request of requests) {
        if (all.push(request) > maxEntries) throw new RangeError("too many")
      }
      return all
    },
    catch: () =>
      new LlmError({
        provider: service.info.provider,
        model: service.info.model,
        operation: "batch",
        reason: new Validation({
          field: "requests",
          message: `requests: Must be a list of at most ${maxEntries} requests.`
        }),
        attempts: 0
      })
  })

/**
 * Runs requests and tells of each as it ends, in the order they end. Fails with `Validation` when there is no list of requests, and
 * with `Configuration` when an option cannot be; what is wrong with a request is in its own outcome.
 *
 * @stability stable
 * @category running
 * @since 0.1.0
 */
export const stream = (
  requests: Iterable<LlmRequest>,
  options: Options = {}
): Stream.Stream<Progress, LlmError, LlmService> =>
  Stream.unwrap(Effect.gen(function*() {
    const service = yield* LlmService
    const all = yield* listed(requests, service)
    const issue = optionsIssue(checkedOptions, options)
    if (issue !== undefined) return yield* misconfigured("Batch", issue, service.info.provider, "batch")
    const concurrency = Math.floor(options.concurrency ?? 8)
    let totals = none(all.length)
    return Stream.fromIterable(all.entries()).pipe(
      Stream.mapEffect(
        ([index, request]) =>
          Effect.map(Effect.exit(Effect.suspend(() => service.generate(request))), (exit): Progress => {
            totals = add(totals, exit)
            return { index, exit, totals }
          }),
        { concurrency, unordered: true }
      )
    )
  }))

/**
 * Runs requests and gives all outcomes.
 *
 * @example
 * ```ts
 * const { cost, exits } = yield* Batch.all(prompts.map((prompt) => ({ prompt })), { concurrency: 20 })
 * ```
 *
 * @stability stable
 * @category running
 * @since 0.1.0
 */
export const all = (
  requests: Iterable<LlmRequest>,
  options: Options & {
    /** Runs as each request ends. */
    readonly onProgress?: ((progress: Progress) => Effect.Effect<void>) | undefined
  } = {}
): Effect.Effect<Result, LlmError, LlmService> =>
  Effect.gen(function*() {
    const given = yield* listed(requests, yield* LlmService)
    const exits = Array.from<Outcome>({ length: given.length })
    let totals = none(given.length)
    yield* Stream.runForEach(stream(given, options), (progress) => {
      exits[progress.index] = progress.exit
      totals = progress.totals
      return options.onProgress?.(progress) ?? Effect.void
    })
    return { ...totals, exits }
  })
