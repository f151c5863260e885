/**
 * Which failures of one candidate another one may not share.
 *
 * The table behind every policy that chooses between candidates; how they are ordered, and for how long one is left alone, is
 * the policy's.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as LlmError from "../../LlmError.ts"
import type { PriorAttempt } from "../../LlmResponse.ts"
import type { Service } from "../../LlmService.ts"
import type { FailedAttempt } from "../../stream/gate.ts"
import { type Check, oneOf, optional, recordOf } from "../../validation/values.ts"

/**
 * Where an error leads: to the `next` candidate, to the next one with a `larger-window`, or to a `stop` with that error.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export type Route = "next" | "larger-window" | "stop"

/**
 * A route per reason, or a function of the reason.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export type Routes = {
  readonly [Tag in LlmError.ReasonTag]:
    | Route
    | ((
      reason: Extract<LlmError.Reason, {
        /** The tag of the reason, to tell reasons apart. */
        readonly _tag: Tag
      }>,
      error: LlmError.LlmError
    ) => Route)
}

/**
 * What moves on unless told otherwise: everything that is the provider's or the account's trouble, answers that cannot be read
 * included, and a body or medium that is too large for it. The request's own faults, the application's limits and a passed total
 * time limit stop; a conversation with too many tokens goes to a larger window.
 *
 * @stability stable
 * @category routes
 * @since 0.1.0
 */
export const defaultRoutes: Routes = {
  RateLimit: "next",
  Overloaded: "next",
  Provider: ({ status }) =>
    status === undefined || LlmError.isRetryableStatus(status) || (status >= 300 && status < 400) ? "next" : "stop",
  Network: "next",
  Timeout: (reason) => reason.phase === "total" ? "stop" : "next",
  IncompleteStream: "next",
  ResponseParse: "next",
  CircuitBreakerOpen: "next",
  QuotaExhausted: "next",
  Authentication: "next",
  NotFound: "next",
  FallbackExhausted: "next",
  // A larger window holds more tokens, not more bytes nor larger media; those limits differ from host to host.
  ContextLength: (reason) => reason.kind === "bytes" || reason.kind === "media" ? "next" : "larger-window",
  Configuration: "stop",
  Validation: "stop",
  PermissionDenied: "stop",
  ContentPolicy: "stop",
  StructuredOutput: "stop",
  ToolFailure: "stop",
  QueueFull: "stop",
  BudgetExceeded: "stop"
}

const route = oneOf("next", "larger-window", "stop")

/**
 * Routes that differ from the default ones.
 *
 * @stability stable
 * @category checks
 * @since 0.1.0
 */
export const routeOverrides: Check = recordOf(
  optional((value) => typeof value === "function" ? undefined : route(value)),
  "Must be an object of routes by reason."
)

/**
 * The route of an error.
 *
 * @stability stable
 * @category routes
 * @since 0.1.0
 */
export const routeOf = (routes: Routes, error: LlmError.LlmError): Route => {
  const route = routes[error.reason._tag] as Route | ((reason: LlmError.Reason, error: LlmError.LlmError) => Route)
  return typeof route === "function" ? route(error.reason, error) : route
}

/** When the first of those that named a time can be asked again. */
const soonest = (failed: ReadonlyArray<PriorAttempt>): Duration.Duration | undefined => {
  const named = failed.flatMap(({ retryAfterMillis }) => retryAfterMillis ?? [])
  return named.length === 0 ? undefined : Duration.millis(Math.min(...named))
}

/**
 * The error of a call of which every candidate failed: who, why and how long, and no bodies.
 *
 * @stability stable
 * @category constructors
 * @since 0.1.0
 */
export const exhausted = (policy: string, { error, failed }: FailedAttempt): LlmError.LlmError => {
  const said = failed.map(({ model, provider, reason }) => `${provider}${model === "" ? "" : `/${model}`}: ${reason}`)
  return new LlmError.LlmError({
    provider: policy,
    model: "",
    label: error.label,
    operation: error.operation,
    requestId: error.requestId,
    reason: new LlmError.FallbackExhausted({
      message: `Every candidate failed: ${said.join("; ")}.`,
      attempts: failed,
      retryAfter: soonest(failed)
    }),
    attempts: error.attempts
  })
}

/**
 * Provider and model of a service, as events and metrics name them.
 *
 * @stability stable
 * @category accessors
 * @since 0.1.0
 */
export const nameOf = ({ info }: Service): { readonly provider: string; readonly model: string } => ({
  provider: info.provider,
  model: info.model
})
