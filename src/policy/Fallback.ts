/**
 * Goes to the next candidate when one fails in a way that another may not.
 *
 * Candidates are layers in order of preference, each built once, in the scope of the whole, and kept. Which
 * reasons move on is data: `defaultRoutes`, overridden reason by reason with `on`. A stream moves on only before its first
 * content. Every call begins with the first candidate.
 *
 * When all candidates fail, the error is `FallbackExhausted` with every attempt; an error that is not routed is given as it
 * is. A response says in `provider` and `model` who answered and in `priorAttempts` who failed before.
 *
 * Requests go to every candidate as they are: leave `model` out of them and let each layer name its own. `countTokens`,
 * `models`, `health` and `info` are the first candidate's. It retries nothing: put `Retry` on the candidates.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Scope } from "effect/Scope"
import { type Attempt, type FailedAttempt, withAttempts } from "../internal/gate.ts"
import * as LlmError from "../LlmError.ts"
import type { LlmRequest } from "../LlmRequest.ts"
import { LlmService, type Service } from "../LlmService.ts"
import * as Policy from "./Policy.ts"

/**
 * Where an error leads: to the `next` candidate, or to a `stop` with that error.
 *
 * @category models
 * @since 0.1.0
 */
export type Route = "next" | "stop"

/**
 * A route per reason, or a function of the reason.
 *
 * @category models
 * @since 0.1.0
 */
export type Routes = {
  readonly [Tag in LlmError.ReasonTag]:
    | Route
    | ((reason: Extract<LlmError.Reason, { readonly _tag: Tag }>, error: LlmError.LlmError) => Route)
}

/**
 * What moves on unless told otherwise: everything that is the provider's or the account's trouble. The request's own faults, the
 * application's limits and a passed total time limit stop.
 *
 * @category routes
 * @since 0.1.0
 */
export const defaultRoutes: Routes = {
  RateLimit: "next",
  Overloaded: "next",
  Provider: (reason) => reason.status === undefined || LlmError.isRetryableStatus(reason.status) ? "next" : "stop",
  Network: "next",
  Timeout: (reason) => reason.phase === "total" ? "stop" : "next",
  IncompleteStream: "next",
  CircuitBreakerOpen: "next",
  QuotaExhausted: "next",
  Authentication: "next",
  NotFound: "next",
  FallbackExhausted: "next",
  Configuration: "stop",
  Validation: "stop",
  PermissionDenied: "stop",
  ContextLength: "stop",
  ContentPolicy: "stop",
  ResponseParse: "stop",
  StructuredOutput: "stop",
  ToolFailure: "stop",
  QueueFull: "stop",
  BudgetExceeded: "stop"
}

/**
 * How candidates follow each other.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** Routes that differ from {@link defaultRoutes}. */
  readonly on?: Partial<Routes> | undefined
}

const routeOf = (routes: Routes, error: LlmError.LlmError): Route => {
  const route = routes[error.reason._tag] as Route | ((reason: LlmError.Reason, error: LlmError.LlmError) => Route)
  return typeof route === "function" ? route(error.reason, error) : route
}

const exhausted = ({ error, failed }: FailedAttempt): LlmError.LlmError =>
  new LlmError.LlmError({
    provider: "fallback",
    model: "",
    label: error.label,
    operation: error.operation,
    requestId: error.requestId,
    reason: new LlmError.FallbackExhausted({
      message: `Every candidate failed: ${
        failed.map(({ model, provider, reason }) => `${provider}${model === "" ? "" : `/${model}`}: ${reason}`).join(
          "; "
        )
      }.`,
      attempts: failed
    }),
    attempts: error.attempts
  })

/**
 * One service out of candidates, tried in order.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (candidates: readonly [Service, ...Array<Service>], options: Options = {}): Service => {
  const routes: Routes = { ...defaultRoutes, ...options.on }
  const [first] = candidates
  if (candidates.length === 1) return first
  return withAttempts(first, (request: LlmRequest) => {
    let index = 0
    const next = (failure: FailedAttempt): Effect.Effect<Attempt, LlmError.LlmError> => {
      if (routeOf(routes, failure.error) === "stop") return Effect.fail(failure.error)
      const service = candidates[++index]
      return service === undefined ? Effect.fail(exhausted(failure)) : Effect.succeed({ service, request })
    }
    return Effect.succeed({ first: { service: first, request }, next })
  })
}

/** Builds a candidate in the current scope. Layers of one tag override each other, so each is built on its own. */
const build = <E, R>(layer: Layer.Layer<LlmService, E, R>): Effect.Effect<Service, E, R | Scope> =>
  Effect.map(Layer.build(layer), Context.get(LlmService))

/**
 * Adds a candidate after a layer.
 *
 * @category policies
 * @since 0.1.0
 */
export const policy = <E, R>(
  next: Layer.Layer<LlmService, E, R>,
  options?: Options
): Policy.Policy<E, R | Scope> =>
  Policy.make((service) => Effect.map(build(next), (candidate) => make([service, candidate], options)))

/**
 * A layer out of candidates, tried in order.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = <const Layers extends readonly [Candidate, ...Array<Candidate>]>(
  candidates: Layers,
  options?: Options
): Layer.Layer<LlmService, Layer.Error<Layers[number]>, Layer.Services<Layers[number]>> =>
  Layer.effect(
    LlmService,
    Effect.gen(function*() {
      const [head, ...tail] = candidates
      const services: [Service, ...Array<Service>] = [yield* build(head)]
      for (const candidate of tail) services.push(yield* build(candidate))
      return make(services, options)
    })
  ) as Layer.Layer<LlmService, Layer.Error<Layers[number]>, Layer.Services<Layers[number]>>

/**
 * A layer that can be a candidate.
 *
 * @category models
 * @since 0.1.0
 */
export type Candidate = Layer.Layer<LlmService, unknown, unknown>
