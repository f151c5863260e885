/**
 * Time limits for every call of a service.
 *
 * The limits are handed down with each request, so that the transport enforces them per attempt, and enforced
 * here as well, for any service and for everything inside this policy together: outside of `Retry`, `total` covers all attempts and the
 * waits between them; inside, each attempt on its own. A request's own `timeouts` win over the policy's. A limit that
 * passes interrupts the call, closes its connection and fails with `Timeout`, with the partial output where the
 * service makes it known, as every provider does.
 *
 * It does not retry or fall back, and it limits no other operation than `generate` and `stream`. `connect` is the transport's alone,
 * which says what it means over which client: see `LlmRequest.Timeouts`.
 *
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as LlmError from "../LlmError.ts"
import type { LlmRequest, Timeouts } from "../LlmRequest.ts"
import type { Service } from "../LlmService.ts"
import { modelOf } from "../service/addressee.ts"
import { type OnTimeout, withEffectTimeouts, withStreamTimeouts } from "../stream/timeouts.ts"
import { duration, optional, recordOf } from "../validation/values.ts"
import * as Policy from "./Policy.ts"

/**
 * The limits; those left out are not enforced here. They are `Duration` inputs such as `"20 seconds"`.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /**
   * Until the request of each attempt is written. Over clients that cannot tell (all but that of `effect-llm/node`) it limits a
   * `stream` until the response headers and `generate` not at all.
   */
  readonly connect?: Duration.Input | undefined
  /** Until the first content event of a stream; pings do not count. Of `generate` only where it is streamed below, per attempt. */
  readonly firstToken?: Duration.Input | undefined
  /** From the response headers of a whole answer to its first byte; no limit of `stream`. */
  readonly firstByte?: Duration.Input | undefined
  /** Between signs of life of either operation, once there was one; pings count. */
  readonly idle?: Duration.Input | undefined
  /** For the whole call. */
  readonly total?: Duration.Input | undefined
}

const phases = ["connect", "firstToken", "firstByte", "idle", "total"] as const

/**
 * Under which timeouts that a policy has filled in keep what the caller itself asked for. Not enumerable, so that whoever
 * copies and changes them is the caller.
 */
const askedFor = Symbol("effect-llm/Timeout/askedFor")

/** The caller's own limits over this policy's, and these over those of policies further out. */
const merge = (options: Options, given: Timeouts & { readonly [askedFor]?: Timeouts } = {}): Timeouts => {
  const own = given[askedFor] ?? given
  const merged: { -readonly [K in keyof Timeouts]: Timeouts[K] } = {}
  for (const phase of phases) {
    const limit = own[phase] ?? options[phase] ?? given[phase]
    if (limit !== undefined) merged[phase] = limit
  }
  return Object.defineProperty(merged, askedFor, { value: own })
}

/** Whatever is limited, the limit is a time. */
const limits = recordOf(optional(duration), "Must be an object of time limits.")

/**
 * Limits the time of calls. Fails with `Configuration` when a limit is no duration.
 *
 * @stability stable
 * @category policies
 * @since 0.1.0
 */
export const policy = (options: Options): Policy.Policy<LlmError.LlmError> =>
  Policy.makeChecked("Timeout", options, limits, (service) => {
    const onTimeout =
      (request: LlmRequest, operation: LlmError.Operation): OnTimeout<LlmError.LlmError> => (phase, limit, partial) =>
        new LlmError.LlmError({
          provider: service.info.provider,
          model: modelOf(request, service.info),
          label: request.label ?? service.info.label,
          operation,
          reason: LlmError.timeout(phase, limit, partial),
          attempts: 1
        })
    /** What this boundary enforces: the phases the policy names. */
    const enforced = (timeouts: Timeouts) => ({
      firstToken: options.firstToken === undefined ? undefined : timeouts.firstToken,
      firstByte: options.firstByte === undefined ? undefined : timeouts.firstByte,
      idle: options.idle === undefined ? undefined : timeouts.idle,
      total: options.total === undefined ? undefined : timeouts.total
    })
    return {
      ...service,
      generate: (request) =>
        Effect.suspend(() => {
          const timeouts = merge(options, request.timeouts)
          return withEffectTimeouts(
            service.generate({ ...request, timeouts }),
            enforced(timeouts),
            onTimeout(request, "generate")
          )
        }),
      stream: (request) =>
        Stream.suspend(() => {
          const timeouts = merge(options, request.timeouts)
          return withStreamTimeouts(
            service.stream({ ...request, timeouts }),
            { ...enforced(timeouts), firstByte: undefined },
            onTimeout(request, "stream")
          )
        })
    } satisfies Service
  })
