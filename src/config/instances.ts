/**
 * Makes an instance of a configuration a service: its provider, its key, its policies in their order.
 *
 * The policies are stacked in two steps, so that an instance which is also the fallback of another is one and the same,
 * with one limit and one queue: `core` has what belongs to the provider, `whole` adds what belongs to the call.
 *
 * @since 0.1.0
 */
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import type * as HttpClient from "effect/http/HttpClient"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import type { Scope } from "effect/Scope"
import * as LlmError from "../LlmError.ts"
import type * as LlmService from "../LlmService.ts"
import * as Concurrency from "../policy/Concurrency.ts"
import * as Fallback from "../policy/Fallback.ts"
import * as RateLimit from "../policy/RateLimit.ts"
import * as Retry from "../policy/Retry.ts"
import * as Timeout from "../policy/Timeout.ts"
import { environment } from "../provider/environment.ts"
import * as Llm from "../provider/Llm.ts"
import type * as Provider from "../provider/Provider.ts"
import * as OwnOptions from "./ownOptions.ts"
import * as Problems from "./problems.ts"
import type { Instance, LlmConfig } from "./schema.ts"

const find = (config: LlmConfig, name: string): Effect.Effect<Instance, LlmError.LlmError> =>
  typeof name === "string" && Object.hasOwn(config.instances, name)
    ? Effect.succeed(config.instances[name]!)
    : Effect.fail(unknown(config, name))

/**
 * The error for a name without an instance.
 *
 * @category errors
 * @since 0.1.0
 */
export const unknown = (config: LlmConfig, name: string): LlmError.LlmError =>
  Problems.configuration(
    `There is no instance ${typeof name === "string" ? Problems.quoted(name) : "without a name"}. ${
      Problems.unknownName(name, Object.keys(config.instances))
    }`,
    "instances"
  )

/** The key in a variable that the configuration names. It was asked for, so it must be there. */
const namedKey = (variable: string): Effect.Effect<Redacted.Redacted<string>, LlmError.LlmError> =>
  Effect.flatMap(
    Effect.option(Config.option(Config.Redacted(variable))),
    (found) => {
      const key = Option.getOrUndefined(Option.flatten(found))
      return key === undefined || Redacted.value(key).trim() === ""
        ? Effect.fail(Problems.configuration(`The variable ${variable} is not set.`, variable))
        : Effect.succeed(key)
    }
  )

const defined = (options: object): object =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))

const provided = (
  name: string,
  instance: Instance
): Effect.Effect<LlmService.Service, LlmError.LlmError, HttpClient.HttpClient> =>
  Effect.gen(function*() {
    const { definition, make } = yield* Llm.load(instance.provider)
    const apiKey = instance.apiKeyEnv === undefined ? undefined : yield* namedKey(instance.apiKeyEnv)
    const found = yield* environment(definition)
    const own = OwnOptions.of(instance.provider)
    const given = instance.options ?? {}
    const added = own.environment === undefined ? {} : yield* own.environment({ options: given, apiKey })
    const options: Provider.Options & { readonly accessToken?: unknown; readonly credentials?: unknown } = defined({
      ...found,
      ...defined({ apiKey, baseUrl: instance.baseUrl, model: instance.model }),
      ...given,
      ...added,
      label: instance.label ?? name,
      headers: { ...found.headers, ...instance.headers },
      defaults: instance.defaults
    })
    if (
      definition.auth.type !== "none" &&
      options.apiKey === undefined && options.accessToken === undefined && options.credentials === undefined
    ) {
      return yield* Problems.configuration(
        `No API key for ${definition.name}: set ${
          definition.env.apiKey.join(" or ")
        }, or name another variable with apiKeyEnv.`,
        definition.env.apiKey[0]
      )
    }
    return yield* make(options)
  }).pipe(
    Effect.mapError((error) => {
      const reason = LlmError.isLlmError(error) ? error.reason : error
      const field = "field" in reason ? reason.field : undefined
      return Problems.configuration(`instances.${name}: ${reason.message}`, field)
    })
  )

/**
 * The service of an instance without what belongs to the call: its fallback and its `timeout`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const core = (
  name: string,
  instance: Instance
): Effect.Effect<LlmService.Service, LlmError.LlmError, HttpClient.HttpClient | Scope> =>
  Effect.gen(function*() {
    let service = yield* provided(name, instance)
    if (instance.timeouts !== undefined) service = yield* Timeout.policy(instance.timeouts).wrap(service)
    if (instance.rateLimit !== undefined) service = yield* RateLimit.policy(instance.rateLimit).wrap(service)
    if (instance.concurrency !== undefined) {
      service = yield* Concurrency.policy({ permits: instance.concurrency }).wrap(service)
    }
    if (instance.retry !== false) service = yield* Retry.policy(instance.retry ?? Retry.standard).wrap(service)
    return service
  })

/**
 * A core with the cores it falls back to, and the limit of the whole call around them.
 *
 * @category constructors
 * @since 0.1.0
 */
export const whole = (
  instance: Instance,
  cores: readonly [LlmService.Service, ...Array<LlmService.Service>]
): Effect.Effect<LlmService.Service, LlmError.LlmError> => {
  const service = Fallback.make(cores)
  return instance.timeout === undefined
    ? Effect.succeed(service)
    : Timeout.policy({ total: instance.timeout }).wrap(service)
}

/**
 * The service of an instance with all its policies, and of the instances it falls back to.
 *
 * @category constructors
 * @since 0.1.0
 */
export const service = (
  config: LlmConfig,
  name: string
): Effect.Effect<LlmService.Service, LlmError.LlmError, HttpClient.HttpClient | Scope> =>
  Effect.gen(function*() {
    const instance = yield* find(config, name)
    const first = yield* core(name, instance)
    const others = yield* Effect.forEach(
      instance.fallback ?? [],
      (other) => Effect.flatMap(find(config, other), (found) => core(other, found))
    )
    return yield* whole(instance, [first, ...others])
  })
