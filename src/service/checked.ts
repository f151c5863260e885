/**
 * Services that look at what they are given before anything reads it.
 *
 * Policies read requests before a provider has checked them, so the outermost one checks; those inside it are given what was
 * checked already. Options are checked when a service is made of them: they fail the layer, or, where a plain function makes a
 * service, every call of it.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { Configuration, LlmError, type Operation, Validation } from "../LlmError.ts"
import type { Service } from "../LlmService.ts"
import { shape } from "../validation/request.ts"
import {
  anything,
  callable,
  type Check,
  copyable,
  fields,
  type Issue,
  listOf,
  problem,
  reading,
  recordOf,
  rooted,
  text,
  that
} from "../validation/values.ts"

// =============================================================================
// Requests
// =============================================================================

/** What a checked service was made of. */
const insides = new WeakMap<Service, Service>()

const invalid = (service: Service, operation: Operation, { field, message }: Issue): LlmError =>
  new LlmError({
    provider: service.info.provider,
    model: service.info.model,
    label: service.info.label,
    operation,
    reason: new Validation({ field, message: `${field}: ${message}` }),
    attempts: 0
  })

/**
 * A service that refuses what is no request, with `Validation`.
 *
 * @stability stable
 * @category combinators
 * @since 0.1.0
 */
export const checked = (service: Service): Service => {
  if (insides.has(service)) return service
  const refused = (operation: Operation, request: unknown): LlmError | undefined => {
    const issue = shape(request)
    return issue === undefined ? undefined : invalid(service, operation, issue)
  }
  const made: Service = {
    ...service,
    generate: (request) =>
      Effect.suspend(() => {
        const error = refused("generate", request)
        return error === undefined ? service.generate(request) : Effect.fail(error)
      }),
    stream: (request) =>
      Stream.suspend(() => {
        const error = refused("stream", request)
        return error === undefined ? service.stream(request) : Stream.fail(error)
      }),
    countTokens: (request) =>
      Effect.suspend(() => {
        const error = refused("countTokens", request)
        return error === undefined ? service.countTokens(request) : Effect.fail(error)
      })
  }
  insides.set(made, service)
  return made
}

/**
 * The service inside a checked one, for whoever checks in its place.
 *
 * @stability stable
 * @category combinators
 * @since 0.1.0
 */
export const unchecked = (service: Service): Service => insides.get(service) ?? service

// =============================================================================
// Options
// =============================================================================

/**
 * The error of an option that cannot be; `owner` is who takes it, such as `Retry`.
 *
 * @stability stable
 * @category constructors
 * @since 0.1.0
 */
export const misconfigured = (
  owner: string,
  { field, message }: Issue,
  provider: string = "",
  operation: Operation = "layer"
): LlmError =>
  new LlmError({
    provider,
    model: "",
    operation,
    reason: new Configuration({ field, message: `${owner}: ${field}: ${message}` }),
    attempts: 0
  })

/**
 * The first problem of options; of options as a whole at `options`.
 *
 * @stability stable
 * @category validation
 * @since 0.1.0
 */
export const optionsIssue = (check: Check, options: unknown): Issue | undefined =>
  rooted(reading(check)(options) ?? copyable(options), "options")

/**
 * A layer of options that are checked when it is built.
 *
 * @stability stable
 * @category constructors
 * @since 0.1.0
 */
export const checkedLayer = <A, E, R>(
  owner: string,
  options: unknown,
  check: Check,
  make: () => Layer.Layer<A, E, R>
): Layer.Layer<A, E | LlmError, R> =>
  Layer.unwrap(Effect.suspend(() => {
    const issue = optionsIssue(check, options)
    return issue === undefined ? Effect.succeed(make()) : Effect.fail(misconfigured(owner, issue))
  }))

/**
 * A service that cannot be because of how it was asked for: every call fails with `Configuration`.
 *
 * @stability stable
 * @category constructors
 * @since 0.1.0
 */
export const refusing = (given: unknown, owner: string, issue: Issue): Service => {
  const info = service(given) === undefined
    ? (given as Service).info
    : { provider: "", model: "", capabilities: {} }
  const fail = (operation: Operation) => misconfigured(owner, issue, info.provider, operation)
  return {
    info,
    generate: () => Effect.suspend(() => Effect.fail(fail("generate"))),
    stream: () => Stream.suspend(() => Stream.fail(fail("stream"))),
    countTokens: () => Effect.suspend(() => Effect.fail(fail("countTokens"))),
    models: Effect.suspend(() => Effect.fail(fail("models"))),
    health: Effect.suspend(() => Effect.fail(fail("health")))
  }
}

/**
 * The same in place of several candidates, which may be anything: it bears the name of the first.
 *
 * @stability stable
 * @category constructors
 * @since 0.1.0
 */
export const refusingAll = (candidates: unknown, owner: string, issue: Issue): Service => {
  let first: unknown
  try {
    first = (candidates as ReadonlyArray<unknown>)[0]
  } catch {
    // There is none, as the issue says.
  }
  return refusing(first, owner, issue)
}

/**
 * An array with something in it.
 *
 * @stability stable
 * @category checks
 * @since 0.1.0
 */
export const oneOrMore = (check: Check): Check => {
  const listed = listOf(check)
  return (value) =>
    listed(value) ??
      ((value as ReadonlyArray<unknown>).length === 0 ? problem("Is empty: give at least one.") : undefined)
}

const effect: Check = that((value) => Effect.isEffect(value), "Must be an effect.")

/** A layer. @stability stable @category checks @since 0.1.0 */
export const layer: Check = that((value) => Layer.isLayer(value), "Must be a layer.")

/**
 * A service, as far as can be seen.
 *
 * @stability stable
 * @category checks
 * @since 0.1.0
 */
export const service: Check = reading(fields({
  info: fields({ provider: text, model: text, capabilities: recordOf(anything) }),
  generate: callable,
  stream: callable,
  countTokens: callable,
  models: effect,
  health: effect
}, "Must be a service."))
