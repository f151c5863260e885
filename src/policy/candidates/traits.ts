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
import * as Scope from "effect/Scope"
import type { LlmRequest } from "../../LlmRequest.ts"
import { LlmService, type Service } from "../../LlmService.ts"
import type { Prices } from "../../Model.ts"
import { prices } from "../../model/pricing.ts"
import { answeredBy, askedModel } from "../../service/addressee.ts"
import { misconfigured, optionsIssue, refusing } from "../../service/checked.ts"
import { callable, countFrom, fields, finite, flag, optional, recordOf, text } from "../../validation/values.ts"

/**
 * Facts of a candidate.
 *
 * @stability stable
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
 * @stability stable
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
 * @stability stable
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
 * @stability stable
 * @category combinators
 * @since 0.1.0
 */
export const together = (candidates: readonly [Service, ...Array<Service>]): Service => {
  const [first, ...others] = candidates
  const prefill = takesPrefill(first)
  return {
    ...answeredBy(first, candidates),
    [key]: { prefill: others.every((other) => takesPrefill(other) === prefill) ? prefill : undefined }
  } as Service
}

/**
 * How the requests that go to one candidate differ.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface Rewriting {
  /** Its names for the models that callers ask for; without a name for one, its own model answers. */
  readonly models?: { readonly [asked: string]: string } | ((asked: string) => string | undefined) | undefined
  /** Rewrites the requests that go to this candidate: its model, token limit, thinking. */
  readonly request?: ((request: LlmRequest) => LlmRequest) | undefined
}

const checkedOptions = fields({
  contextWindow: optional(countFrom(0)),
  prefill: optional(flag),
  id: optional(text),
  weight: optional(countFrom(0)),
  tier: optional(finite),
  prices: optional(prices),
  models: optional((value) => typeof value === "function" ? undefined : recordOf(text)(value)),
  request: optional(callable)
})

type Rewrite = (request: LlmRequest) => LlmRequest

const rewriteOf = ({ models, request }: Rewriting): Rewrite | undefined => {
  if (models === undefined) return request
  const nameFor = typeof models === "function"
    ? models
    : (asked: string) => Object.hasOwn(models, asked) ? models[asked] : undefined
  return (given) => {
    const asked = askedModel(given)
    const model = asked === undefined ? undefined : nameFor(asked)
    const named = model === undefined ? given : { ...given, model }
    return request === undefined ? named : request(named)
  }
}

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
 * @stability stable
 * @category constructors
 * @since 0.1.0
 */
export const candidate = <A extends Service | Layer.Layer<LlmService, unknown, unknown>>(
  self: A,
  options: Traits & Rewriting
): A => {
  const issue = optionsIssue(checkedOptions, options)
  const described = (service: Service): Service => {
    const { models, request, ...traits } = options
    return describe(service, traits, rewriteOf({ models, request }))
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

type CandidateLayer<E, R> = Layer.Layer<LlmService, E, R>

/**
 * Builds candidates one after the other in the current scope. Layers of one tag override each other, so each is built on its own;
 * the memo map of the layer around them makes one that is used twice, here or elsewhere, one service.
 *
 * @stability stable
 * @category constructors
 * @since 0.1.0
 */
export const buildAll = <E, R>(
  layers: ReadonlyArray<CandidateLayer<E, R>>
): Effect.Effect<Array<Service>, E, R | Scope.Scope> =>
  Effect.contextWith((context: Context.Context<Scope.Scope>) => {
    const memoMap = Context.getOrUndefined(context, Layer.CurrentMemoMap) ?? Layer.makeMemoMapUnsafe()
    const scope = Context.get(context, Scope.Scope)
    return Effect.forEach(layers, (layer) =>
      Effect.map(Layer.buildWithMemoMap(layer, memoMap, scope), Context.get(LlmService)))
  })

/**
 * Builds one candidate, as {@link buildAll} does.
 *
 * @stability stable
 * @category constructors
 * @since 0.1.0
 */
export const build = <E, R>(layer: CandidateLayer<E, R>): Effect.Effect<Service, E, R | Scope.Scope> =>
  Effect.map(buildAll([layer]), ([service]) => service!)
