/**
 * The policies of a stack out of what a configuration says of them.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type { Scope } from "effect/Scope"
import type * as LlmError from "../LlmError.ts"
import type { LlmRequest } from "../LlmRequest.ts"
import type * as LlmService from "../LlmService.ts"
import * as Cost from "../observe/Cost.ts"
import * as Balance from "../policy/Balance.ts"
import * as Budget from "../policy/Budget.ts"
import * as Cache from "../policy/Cache.ts"
import * as CircuitBreaker from "../policy/CircuitBreaker.ts"
import * as Concurrency from "../policy/Concurrency.ts"
import * as Continue from "../policy/Continue.ts"
import * as Fallback from "../policy/Fallback.ts"
import * as Hedge from "../policy/Hedge.ts"
import * as KeyPool from "../policy/KeyPool.ts"
import * as Policy from "../policy/Policy.ts"
import * as RateLimit from "../policy/RateLimit.ts"
import * as Retry from "../policy/Retry.ts"
import * as Timeout from "../policy/Timeout.ts"
import { keyOf, optionalKeyOf } from "./keys.ts"
import { type Candidate, type Instance, type PolicyName, policyNames, type Route } from "./schema.ts"
import { dollarsOf } from "./schema/values.ts"

type Services = readonly [LlmService.Service, ...Array<LlmService.Service>]

/** Whose key, with the function that the policy wants in place of the name. */
const keyed = <A extends { readonly key?: Parameters<typeof keyOf>[0] | undefined }>(options: A) => {
  const { key, ...rest } = options
  return { ...rest, key: key === undefined ? undefined : keyOf(key) }
}

/** Routes that are said. */
const routesOf = (on: NonNullable<Route["fallback"]>["on"]): Partial<Fallback.Routes> =>
  Object.fromEntries(Object.entries(on ?? {}).filter(([, route]) => route !== undefined))

/** The options, none of them where `true` stands; `undefined` where there is to be no policy. */
const given = <A extends object>(options: A | boolean | undefined): Partial<A> | undefined =>
  options === undefined || options === false ? undefined : options === true ? {} : options

// =============================================================================
// One policy
// =============================================================================

const budget = (options: NonNullable<Instance["budget"]>): Policy.Policy<LlmError.LlmError> => {
  const { limit, limits, scope, ...rest } = options
  const usual = dollarsOf(limit)
  const named = new Map(Object.entries(limits ?? {}).map(([id, money]) => [id, dollarsOf(money)]))
  const idOf = scope === "request"
    ? (request: LlmRequest) => request.scope?.requestId
    : optionalKeyOf(scope ?? "all")
  return Budget.policy({
    ...rest,
    limit: named.size === 0 ? usual : (request) => named.get(idOf(request) ?? "") ?? usual,
    scope: scope === undefined || scope === "all" || scope === "request" || scope === "user" || scope === "session" ||
        scope === "label"
      ? scope
      : optionalKeyOf(scope)
  })
}

const cache = (
  { capacity, partition, ...options }: NonNullable<Instance["cache"]>
): Policy.Policy<LlmError.LlmError> => {
  const all = { ...options, partition: optionalKeyOf(partition) }
  return capacity === undefined
    ? Cache.policy(all)
    : Cache.policy({ ...all, store: Cache.storeMemory({ capacity }) }) as Policy.Policy<LlmError.LlmError>
}

/** What an instance or a route says of policies. */
type Stack = Pick<Instance & Route, keyof Instance & keyof Route & PolicyName> & Pick<Instance, "keyPool">

/** What of a stack stands outside of the file. */
export interface Parts {
  /** The keys of the pool. */
  readonly keys?: ReadonlyArray<KeyPool.Key> | undefined
  /** Whom a stream goes on with, if not with the service itself. */
  readonly goOnWith?: ReadonlyArray<LlmService.Service> | undefined
}

type ConfigPolicy = Policy.Policy<LlmError.LlmError, Scope> | undefined

const optional = <A>(options: A | undefined, policy: (options: A) => ConfigPolicy): ConfigPolicy =>
  options === undefined ? undefined : policy(options)

const policies: { readonly [Name in PolicyName]: (stack: Stack, parts: Parts) => ConfigPolicy } = {
  timeouts: (stack) => optional(stack.timeouts, Timeout.policy),
  keyPool: (stack, parts) =>
    optional(stack.keyPool, (options) => KeyPool.policy({ ...keyed(options), keys: parts.keys ?? [] })),
  rateLimit: (stack) => optional(stack.rateLimit, (options) => RateLimit.policy(keyed(options))),
  retry: (stack) => optional(given(stack.retry), (options) => Retry.policy(Retry.make(options))),
  circuitBreaker: (stack) => optional(given(stack.circuitBreaker), (options) => CircuitBreaker.policy(keyed(options))),
  hedge: (stack) => optional(given(stack.hedge), (options) => Hedge.policy(keyed(options))),
  continue: (stack, { goOnWith }) =>
    optional(
      given(stack.continue),
      ({ maxContinuations }) => Policy.make((service) => Continue.make(service, goOnWith, { maxContinuations }))
    ),
  cache: (stack) => optional(stack.cache, cache),
  concurrency: (stack) =>
    optional(
      stack.concurrency,
      (options) => Concurrency.policy(typeof options === "number" ? { permits: options } : keyed(options))
    ),
  budget: (stack) => optional(stack.budget, budget),
  timeout: (stack) => optional(stack.timeout, (total) => Timeout.policy({ total })),
  cost: (stack) => optional(given(stack.cost), Cost.policy)
}

/** What of an instance belongs to a call to it and not to the instance: it stands around its fallback. */
const ofCalls: ReadonlyArray<PolicyName> = ["timeout", "cost"]

/**
 * The policies that are wanted, in the order of the documentation unless another is given: those of an instance without what belongs to
 * its calls, those of a route without what chooses.
 *
 * @stability stable
 * @category ordering
 * @since 0.1.0
 */
export const namesOf = (kind: "instance" | "route", order: ReadonlyArray<PolicyName> = policyNames) =>
  order.filter((name) => kind === "route" ? name !== "hedge" && name !== "keyPool" : !ofCalls.includes(name))

const wrapped = (
  service: LlmService.Service,
  names: ReadonlyArray<PolicyName>,
  stack: Stack,
  parts: Parts
): Effect.Effect<LlmService.Service, LlmError.LlmError, Scope> =>
  names.reduce<Effect.Effect<LlmService.Service, LlmError.LlmError, Scope>>(
    (inner, name) => {
      const policy = policies[name](stack, parts)
      return policy === undefined ? inner : Effect.flatMap(inner, policy.wrap)
    },
    Effect.succeed(service)
  )

/**
 * The policies of an instance around its provider, those of its calls left out.
 *
 * @stability stable
 * @category constructors
 * @since 0.1.0
 */
export const aroundProvider = (service: LlmService.Service, instance: Instance, parts: Parts) =>
  wrapped(service, namesOf("instance", instance.order), { ...instance, retry: instance.retry ?? true }, parts)

/**
 * An instance with those that it falls back to, and what belongs to its calls around them.
 *
 * @stability stable
 * @category constructors
 * @since 0.1.0
 */
export const aroundFallback = (instance: Instance, services: Services) =>
  wrapped(Fallback.make(services), ofCalls, instance, {})

/**
 * The policies of a route around what chooses.
 *
 * @stability stable
 * @category constructors
 * @since 0.1.0
 */
export const aroundChoice = (service: LlmService.Service, route: Route, parts: Parts) =>
  wrapped(service, namesOf("route", route.order), route, parts)

// =============================================================================
// Candidates
// =============================================================================

/**
 * A candidate as a table, however it is written.
 *
 * @stability stable
 * @category accessors
 * @since 0.1.0
 */
export const candidateOf = (candidate: string | typeof Candidate.Type): typeof Candidate.Type =>
  typeof candidate === "string" ? { name: candidate } : candidate

/**
 * What chooses between the candidates of a route, in the order of the candidates unless it balances or hedges.
 *
 * @stability stable
 * @category constructors
 * @since 0.1.0
 */
export const choice = (route: Route, services: Services): LlmService.Service => {
  const described = services.map((service, at) => {
    const { name, ...said } = candidateOf(route.candidates[at]!)
    return Balance.candidate(service, { ...said, id: name })
  }) as [LlmService.Service, ...Array<LlmService.Service>]
  const balance = given(route.balance)
  if (balance !== undefined) {
    const { on, stickyBy, ...options } = keyed(balance)
    return Balance.make(described, {
      ...options,
      on: routesOf(on),
      stickyBy: stickyBy === undefined || stickyBy === "conversation" ? stickyBy : optionalKeyOf(stickyBy)
    })
  }
  const hedge = given(route.hedge)
  if (hedge !== undefined) return Hedge.make(described[0], described[1], keyed(hedge))
  const { benchAfter, on, ...options } = keyed<NonNullable<Route["fallback"]>>(route.fallback ?? {})
  return Fallback.make(described, {
    ...options,
    on: routesOf(on),
    benchAfter: benchAfter === "never" ? Infinity : benchAfter
  })
}

/**
 * Those that a stream of a route goes on with, as the route describes them.
 *
 * @stability stable
 * @category constructors
 * @since 0.1.0
 */
export const describedFor = (
  candidates: ReadonlyArray<string | typeof Candidate.Type>,
  services: ReadonlyArray<LlmService.Service>
): ReadonlyArray<LlmService.Service> =>
  services.map((service, at) => {
    const { models, prefill } = candidateOf(candidates[at]!)
    return Continue.candidate(service, { models, ...(prefill === undefined ? undefined : { prefill }) })
  })
