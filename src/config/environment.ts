/**
 * The variables that describe a configuration, before they are checked.
 *
 * @since 0.1.0
 */
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as LlmError from "../LlmError.ts"
import * as Problems from "./problems.ts"

/**
 * What the variables say, and which variable set a place in it.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface Found {
  readonly value: unknown
  readonly place: (path: ReadonlyArray<PropertyKey>) => string
}

/** Variables, by the last name of the place they set. */
const variables = {
  provider: "LLM_PROVIDER",
  model: "LLM_MODEL",
  label: "LLM_LABEL",
  baseUrl: "LLM_BASE_URL",
  apiKeyEnv: "LLM_API_KEY_ENV",
  temperature: "LLM_TEMPERATURE",
  maxTokens: "LLM_MAX_TOKENS",
  timeout: "LLM_TIMEOUT",
  retries: "LLM_RETRIES",
  requestsPerMinute: "LLM_REQUESTS_PER_MINUTE",
  tokensPerMinute: "LLM_TOKENS_PER_MINUTE",
  concurrency: "LLM_CONCURRENCY",
  fallback: "LLM_FALLBACK"
} as const

const inEnvironment = (provider: string) => (path: ReadonlyArray<PropertyKey>): string => {
  if (path[0] === "instances" && path[1] !== provider) return variables.fallback
  const name = path.toReversed().find((key) => Object.hasOwn(variables, key))
  return name === undefined ? "LLM_PROVIDER" : variables[name as keyof typeof variables]
}

const given = (fields: { readonly [name: string]: unknown }): { readonly [name: string]: unknown } | undefined => {
  const set = Object.entries(fields).filter(([, value]) => value !== undefined)
  return set.length === 0 ? undefined : Object.fromEntries(set)
}

/**
 * Reads the variables. Blank ones count as unset.
 *
 * @stability stable
 * @category constructors
 * @since 0.1.0
 */
export const read: Effect.Effect<Found, LlmError.LlmError> = Effect.gen(function*() {
  const found: { -readonly [K in keyof typeof variables]?: string } = {}
  for (const [key, name] of Object.entries(variables)) {
    const value = yield* Effect.mapError(
      Config.option(Config.String(name)),
      (error) => Problems.configuration(error.message, name)
    )
    const trimmed = Option.getOrElse(value, () => "").trim()
    if (trimmed !== "") found[key as keyof typeof variables] = trimmed
  }
  const number = (value: string | undefined) => value === undefined ? undefined : Number(value)
  const provider = found.provider?.toLowerCase() ?? "anthropic"
  const fallback = found.fallback?.split(",").map((id) => id.trim().toLowerCase()).filter((id) => id !== "")
  const { apiKeyEnv, baseUrl, label, model, timeout } = found
  const value = {
    default: provider,
    instances: {
      ...Object.fromEntries((fallback ?? []).map((id) => [id, { provider: id }])),
      [provider]: given({
        provider,
        model,
        label,
        baseUrl,
        apiKeyEnv,
        timeout,
        defaults: given({ temperature: number(found.temperature), maxTokens: number(found.maxTokens) }),
        retry: given({ retries: number(found.retries) }),
        rateLimit: given({
          requestsPerMinute: number(found.requestsPerMinute),
          tokensPerMinute: number(found.tokensPerMinute)
        }),
        concurrency: number(found.concurrency),
        fallback
      })
    }
  }
  return { value, place: inEnvironment(provider) }
})
