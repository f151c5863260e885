/**
 * What an application says of one candidate: facts that choose between candidates, and how requests to it differ.
 *
 * Facts travel with the service value under a symbol, so that policies put around a candidate keep them. Rewriting needs no
 * fact: it wraps the service.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Scope } from "effect/Scope"
import type { LlmRequest } from "../LlmRequest.ts"
import { LlmService, type Service } from "../LlmService.ts"
import type { Prices } from "../Model.ts"
import { misconfigured, optionsIssue, refusing } from "./checked.ts"
import { callable, countFrom, fields, finite, flag, optional, text } from "./checks.ts"
import { prices } from "./pricing.ts"

/**
 * Facts of a candidate.
 *
 * @category models
 * @since 0.1.0
 */
export interface Traits {
  /** Tokens of input and output together. */
  readonly contextWindow?: number | undefined
  /** Whether it goes on from an assistant message at the end. */
  readonly prefill?: boolean | undefined
  readonly id?: string | undefined
  readonly weight?: number | undefined
  readonly tier?: number | undefined
  readonly prices?: Prices | undefined
}

const key = Symbol.for("effect-llm/Traits")

/**
 * What is said of a service.
 *
 * @category accessors
 * @since 0.1.0
 */
export const traitsOf = (service: Service): Traits => (service as { readonly [key]?: Traits })[key] ?? {}

/** Facts are added to those it has. */
const withTraits = (service: Service, traits: Traits): Service =>
  ({ ...service, [key]: { ...traitsOf(service), ...traits } }) as Service

/**
 * Whether a service goes on from an assistant message at the end; `undefined` when nobody knows.
 *
 * @category accessors
 * @since 0.1.0
 */
export const takesPrefill = (service: Service): boolean | undefined => {
  const traits = traitsOf(service)
  return "prefill" in traits ? traits.prefill : service.info.capabilities.prefill
}

/**
 * The first of several candidates as what is known of all of them: little, because what is true of one need not be of another.
 *
 * @category combinators
 * @since 0.1.0
 */
export const together = (candidates: readonly [Service, ...Array<Service>]): Service => {
  const [first, ...others] = candidates
  const prefill = takesPrefill(first)
  return {
    ...first,
    [key]: { prefill: others.every((other) => takesPrefill(other) === prefill) ? prefill : undefined }
  } as Service
}

const checkedOptions = fields({
  contextWindow: optional(countFrom(0)),
  prefill: optional(flag),
  id: optional(text),
  weight: optional(countFrom(0)),
  tier: optional(finite),
  prices: optional(prices),
  request: optional(callable)
})

type Rewrite = (request: LlmRequest) => LlmRequest

const describe = (service: Service, traits: Traits, rewrite: Rewrite | undefined): Service => {
  const described = withTraits(service, traits)
  return rewrite === undefined ? described : {
    ...described,
    generate: (request) => service.generate(rewrite(request)),
    stream: (request) => service.stream(rewrite(request)),
    countTokens: (request) => service.countTokens(rewrite(request))
  }
}

/**
 * Describes a candidate, given as a layer or as a service.
 *
 * @category constructors
 * @since 0.1.0
 */
export const candidate = <A extends Service | Layer.Layer<LlmService, unknown, unknown>>(
  self: A,
  options: Traits & { readonly request?: Rewrite | undefined }
): A => {
  const issue = optionsIssue(checkedOptions, options)
  const described = (service: Service): Service => {
    const { request, ...traits } = options
    return describe(service, traits, request)
  }
  if (!Layer.isLayer(self)) {
    return (issue === undefined ? described(self as Service) : refusing(self, "candidate", issue)) as A
  }
  const layer = self as Layer.Layer<LlmService, unknown, unknown>
  const made = Effect.flatMap(
    LlmService,
    (service) =>
      issue === undefined
        ? Effect.succeed(described(service))
        : Effect.fail(misconfigured("candidate", issue, service.info.provider))
  )
  return Layer.effect(LlmService, made).pipe(
    Layer.provideMerge(layer)
  ) as A
}

/**
 * Builds a candidate in the current scope. Layers of one tag override each other, so each is built on its own.
 *
 * @category constructors
 * @since 0.1.0
 */
export const build = <E, R>(layer: Layer.Layer<LlmService, E, R>): Effect.Effect<Service, E, R | Scope> =>
  Effect.map(Layer.build(layer), Context.get(LlmService))

/**
 * Builds candidates one after the other.
 *
 * @category constructors
 * @since 0.1.0
 */
export const buildAll = <E, R>(
  layers: ReadonlyArray<Layer.Layer<LlmService, E, R>>
): Effect.Effect<Array<Service>, E, R | Scope> => Effect.forEach(layers, build)
