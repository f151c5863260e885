/**
 * What a policy is: a function from a service to a service, usable on layers and on service values.
 *
 * Every policy module exports `policy(options)`, which gives a `Policy`. Piped over a layer it replaces the
 * layer's `LlmService` by the wrapped one and keeps whatever else the layer provides; `wrap` does the same to a service
 * value. Its state is made once per layer build or `wrap`, never per call. The policy nearest to the provider is the first
 * in the pipe; each one further out sees the calls and errors of those inside.
 *
 * @example
 * ```ts
 * const llm = Anthropic.layerEnv.pipe(
 *   Timeout.policy({ firstToken: "20 seconds" }),
 *   Retry.policy(Retry.standard)
 * )
 * ```
 *
 * A policy of an application is made of the same pieces as those here: `attempts` starts a call over until something of it was
 * seen, `held` takes something for the length of a call and gives it back whatever happens, `observe` looks on, `emit` tells who listens
 * to events, `make` puts it around layers and services.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Scope } from "effect/Scope"
import type { LlmError } from "../LlmError.ts"
import { LlmService, type Service } from "../LlmService.ts"
import { checked, misconfigured, optionsIssue, unchecked } from "../service/checked.ts"
import type { Check } from "../validation/values.ts"

export { emit, type EventDetail } from "../stream/emit.ts"
export { type Attempt, type Course, type FailedAttempt, withAttempts as attempts } from "../stream/gate.ts"
export {
  type Begin,
  type Ending,
  type Hold,
  observed as observe,
  type Observer,
  rejection,
  type Restore,
  withHold as held
} from "../stream/held.ts"

/**
 * A policy: call it with a layer that provides `LlmService`, or pipe the layer through it. `E` is how making it can fail, of this
 * library's with `Configuration` when an option cannot be; `R` is what making it needs. The errors of calls stay `LlmError`.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface Policy<out E = LlmError, out R = never> {
  <ROut, E2, R2>(
    layer: Layer.Layer<ROut, E2, R2> & ([LlmService] extends [ROut] ? unknown : "The layer provides no LlmService")
  ): Layer.Layer<ROut, E | E2, Exclude<R, Scope> | R2>
  /** Wraps a service value. What the policy holds lives as long as the `Scope`, if it needs one. */
  readonly wrap: (service: Service) => Effect.Effect<Service, E, R>
}

/**
 * Makes a policy from a function on services; an effect when it has state or needs services. The outermost of the policies around
 * a service refuses what is no request with `Validation`, so that those inside can rely on what they read.
 *
 * @stability stable
 * @category constructors
 * @since 0.1.0
 */
export const make = <E = never, R = never>(
  f: (service: Service) => Service | Effect.Effect<Service, E, R>
): Policy<E, R> => {
  const wrap = (service: Service): Effect.Effect<Service, E, R> =>
    Effect.suspend(() => {
      const wrapped = f(unchecked(service))
      return Effect.isEffect(wrapped) ? Effect.map(wrapped, checked) : Effect.succeed(checked(wrapped))
    })
  const onLayer = <ROut, E2, R2>(layer: Layer.Layer<ROut, E2, R2>) => {
    // A layer is contravariant in what it provides, so `ROut` cannot be required to hold `LlmService`; `Policy`'s own
    // signature requires it.
    const provided = layer as unknown as Layer.Layer<LlmService, E2, R2>
    return Layer.effect(LlmService, Effect.flatMap(LlmService, wrap)).pipe(
      Layer.provideMerge(provided)
    ) as unknown as Layer.Layer<ROut, E | E2, Exclude<R, Scope> | R2>
  }
  return Object.assign(onLayer, { wrap })
}

/**
 * Makes a policy whose options are checked when it is put around a service: an option that cannot be is a `Configuration` error then,
 * with the option as `field`. `name` is the policy's. The function is not called unless the options pass.
 *
 * @stability stable
 * @category constructors
 * @since 0.1.0
 */
export const makeChecked = <E = never, R = never>(
  name: string,
  options: unknown,
  check: Check,
  f: (service: Service) => Service | Effect.Effect<Service, E, R>
): Policy<E | LlmError, R> =>
  make<E | LlmError, R>((service) => {
    const issue = optionsIssue(check, options)
    return issue === undefined ? f(service) : Effect.fail(misconfigured(name, issue, service.info.provider))
  })

/**
 * One policy out of several, the innermost first.
 *
 * @stability stable
 * @category combinators
 * @since 0.1.0
 */
export const compose = <const Policies extends ReadonlyArray<Policy<unknown, unknown>>>(
  ...policies: Policies
): Policy<ErrorOf<Policies[number]>, ServicesOf<Policies[number]>> =>
  make((service) =>
    policies.reduce<Effect.Effect<Service, unknown, unknown>>(
      (inner, policy) => Effect.flatMap(inner, policy.wrap),
      Effect.succeed(service)
    ) as Effect.Effect<Service, ErrorOf<Policies[number]>, ServicesOf<Policies[number]>>
  )

/**
 * How making a policy can fail.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export type ErrorOf<P> = P extends Policy<infer E, infer _R> ? E : never

/**
 * What making a policy needs.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export type ServicesOf<P> = P extends Policy<infer _E, infer R> ? R : never
