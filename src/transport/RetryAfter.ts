/**
 * What response headers say about waiting, limits and the request's id.
 *
 * Owns the order in which headers are asked. A delay named in the body is `readErrorBody` and `retryDelayFromMessage`
 * in `protocol/ErrorMap.ts` and comes after these; whether to wait at all is the Retry policy's.
 *
 * 1. `retry-after-ms`; 2. `Retry-After` in seconds, whole or fractional, or as an HTTP date (a past one is 0);
 * 3. the reset of an exhausted limit. Negative values and what cannot be read are as good as absent.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import type { RateLimit, RateLimits } from "../LlmResponse.ts"
import { goDuration } from "../protocol/errors/RetryDelay.ts"

export { goDuration } from "../protocol/errors/RetryDelay.ts"

/**
 * Response headers; names in any case.
 *
 * @category models
 * @since 0.1.0
 */
export type ResponseHeaders = { readonly [name: string]: string | undefined }

type Lowercased = ReadonlyMap<string, string>

const lowercased = (headers: ResponseHeaders): Lowercased => {
  const map = new Map<string, string>()
  for (const name of Object.keys(headers)) {
    const value = headers[name]
    if (typeof value === "string" && value.trim() !== "") map.set(name.toLowerCase(), value.trim())
  }
  return map
}

const decimal = (text: string | undefined): number | undefined => {
  if (text === undefined || !/^\d+(?:\.\d*)?$|^\.\d+$/.test(text)) return undefined
  const value = Number(text)
  return Number.isFinite(value) ? value : undefined
}

// =============================================================================
// Delay
// =============================================================================

/**
 * How long the headers of a failed response ask to wait, or `undefined`.
 *
 * Of reset headers only those of limits with nothing remaining count, and of several such the last to reset. If no header
 * says what remains, the first to reset of the limits of which only the reset is known. A limit that still has something
 * remaining says nothing about this failure, nor does -1, nor a reset of 0 or in the past: then back-off decides.
 *
 * https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3
 *
 * @category delays
 * @since 0.1.0
 */
export const retryAfter = (headers: ResponseHeaders, nowMillis: number): Duration.Duration | undefined => {
  const map = lowercased(headers)
  const millis = decimal(map.get("retry-after-ms")) ?? retryAfterHeader(map.get("retry-after"), nowMillis) ??
    resetDelay(limitsOf(map, nowMillis))
  return millis === undefined ? undefined : Duration.millis(millis)
}

/** The three date formats of HTTP. https://www.rfc-editor.org/rfc/rfc9110#section-5.6.7 */
const httpDate = /^(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*,? .*\d{2}:\d{2}:\d{2}/i

const retryAfterHeader = (value: string | undefined, nowMillis: number): number | undefined => {
  const seconds = decimal(value)
  if (seconds !== undefined) return finite(seconds * 1000)
  if (value === undefined || value.length > 64 || !httpDate.test(value)) return undefined
  // asctime has no zone and means GMT; Date.parse would take it for local time.
  const date = Date.parse(/gmt|utc|[+-]\d{4}$/i.test(value) ? value : `${value} GMT`)
  return Number.isNaN(date) ? undefined : finite(Math.max(0, date - nowMillis))
}

const finite = (value: number): number | undefined => Number.isFinite(value) ? value : undefined

const resetDelay = (limits: ReadonlyArray<Limit>): number | undefined => {
  const positive = (limit: Limit): ReadonlyArray<number> =>
    limit.resetMillis !== undefined && limit.resetMillis > 0 ? [limit.resetMillis] : []
  const exhausted = limits.filter((limit) => limit.remaining === 0)
  if (exhausted.length > 0) {
    const resets = exhausted.flatMap(positive)
    return resets.length === 0 ? undefined : Math.max(...resets)
  }
  if (limits.some((limit) => limit.remaining !== undefined)) return undefined
  const resets = limits.flatMap(positive)
  return resets.length === 0 ? undefined : Math.min(...resets)
}

// =============================================================================
// Limits
// =============================================================================

interface Limit {
  /** What is counted and in which window, as the header has it: `requests`, `input-tokens`, `tokens-minute`, or "". */
  readonly name: string
  limit?: number
  remaining?: number
  resetMillis?: number
}

type LimitField = "limit" | "remaining" | "reset"

/**
 * Where limits are found:
 * `anthropic-ratelimit-<name>-<field>` (https://docs.anthropic.com/en/api/rate-limits),
 * `x-ratelimit-<field>-<name>` (https://platform.openai.com/docs/guides/rate-limits, and most OpenAI-compatible hosts),
 * `x-ratelimit-<field>` (OpenRouter), `ratelimit-<field>` (IETF draft), `ratelimitbysize-<field>` (Mistral).
 */
const limitHeaders: ReadonlyArray<{ readonly pattern: RegExp; readonly name: number; readonly field: number }> = [
  { pattern: /^anthropic-ratelimit-([a-z0-9-]+)-(limit|remaining|reset)$/, name: 1, field: 2 },
  { pattern: /^x-ratelimit-(limit|remaining|reset)(?:-([a-z0-9-]+))?$/, name: 2, field: 1 },
  { pattern: /^ratelimit-(limit|remaining|reset)$/, name: 2, field: 1 },
  { pattern: /^ratelimitbysize-(limit|remaining|reset)$/, name: 2, field: 1 }
]

const limitsOf = (headers: Lowercased, nowMillis: number): ReadonlyArray<Limit> => {
  const limits = new Map<string, Limit>()
  const disregarded = new Set<string>()
  for (const [header, value] of headers) {
    if (!header.includes("ratelimit")) continue
    for (const [index, { field, name, pattern }] of limitHeaders.entries()) {
      const match = pattern.exec(header)
      if (match === null) continue
      const key = `${index} ${match[name] ?? ""}`
      const limit = limits.get(key) ?? { name: match[name] ?? "" }
      limits.set(key, limit)
      if (/^-\d/.test(value) && match[field] !== "reset") disregarded.add(key)
      setField(limit, match[field] as LimitField, value, nowMillis)
    }
  }
  for (const key of disregarded) limits.delete(key)
  const unified = [...limits].filter(([, limit]) => limit.name.startsWith("unified"))
  for (const [key, limit] of unified) {
    // Subscription limits are always sent, with a status in place of what remains.
    const status = headers.get(`anthropic-ratelimit-${limit.name}-status`)
    if (status === "rejected") limit.remaining = 0
    else limits.delete(key)
  }
  return [...limits.values()]
}

const setField = (limit: Limit, field: LimitField, value: string, nowMillis: number): void => {
  const read = field === "reset" ? resetMillis(value, nowMillis) : decimal(value)
  if (read !== undefined) limit[field === "reset" ? "resetMillis" : field] = read
}

/** Plain numbers from here on are moments, not spans: 1e9 seconds is September 2001, 1e12 milliseconds too. */
const epochSeconds = 1e9
const epochMillis = 1e12

/**
 * Milliseconds until a reset that is a Go duration (`6m0s`), seconds, a moment in epoch seconds or milliseconds, or an
 * RFC 3339 time. Past moments are 0.
 */
const resetMillis = (value: string, nowMillis: number): number | undefined => {
  const number = decimal(value)
  if (number !== undefined) {
    if (number >= epochMillis) return finite(Math.max(0, number - nowMillis))
    if (number >= epochSeconds) return finite(Math.max(0, number * 1000 - nowMillis))
    return finite(number * 1000)
  }
  const span = goDuration(value)
  if (span !== undefined) return span
  if (!/^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}/.test(value) || value.length > 64) return undefined
  const date = Date.parse(value)
  return Number.isNaN(date) ? undefined : finite(Math.max(0, date - nowMillis))
}

type Kind = keyof RateLimits

/** Shorter windows first: they are the ones that a client runs into and can wait for. */
const windows = ["", "second", "minute", "min", "hour", "day", "week", "month"]

const kindOf = (name: string): { readonly kind: Kind; readonly window: number } | undefined => {
  const match = /^(?:priority-)?(requests|request|req|tokens|input-tokens|output-tokens|)(?:-([a-z0-9]+))?$/.exec(name)
  if (match === null) return undefined
  const window = windows.indexOf(match[2] ?? "")
  const kinds: Readonly<Record<string, Kind>> = {
    tokens: "tokens",
    "input-tokens": "inputTokens",
    "output-tokens": "outputTokens"
  }
  return { kind: kinds[match[1]!] ?? "requests", window: window < 0 ? windows.length : window }
}

/**
 * The rate limits in the headers of any response, or `undefined` when there are none.
 *
 * Where one thing is limited over several windows, an exhausted one is given, else the shortest. -1 means no limit and is
 * left out.
 *
 * @category limits
 * @since 0.1.0
 */
export const rateLimits = (headers: ResponseHeaders, nowMillis: number): RateLimits | undefined => {
  const chosen = new Map<Kind, { readonly rank: number; readonly limit: Limit }>()
  for (const limit of limitsOf(lowercased(headers), nowMillis)) {
    const found = kindOf(limit.name)
    if (found === undefined || (limit.limit ?? limit.remaining ?? limit.resetMillis) === undefined) continue
    const rank = limit.remaining === 0 ? -1 : found.window
    const before = chosen.get(found.kind)
    if (before === undefined || rank < before.rank) chosen.set(found.kind, { rank, limit })
  }
  if (chosen.size === 0) return undefined
  const limits: { -readonly [K in Kind]?: RateLimits[K] } = {}
  for (const [kind, { limit: { limit, remaining, resetMillis } }] of chosen) {
    const value: { -readonly [K in keyof RateLimit]: RateLimit[K] } = {}
    if (limit !== undefined) value.limit = limit
    if (remaining !== undefined) value.remaining = remaining
    if (resetMillis !== undefined) value.resetMillis = resetMillis
    limits[kind] = value
  }
  return limits
}

// =============================================================================
// Request id
// =============================================================================

/**
 * Headers that carry the provider's request id, most telling first. `cf-ray` is last: it names the edge's hop, not the
 * provider's request.
 *
 * @category requests
 * @since 0.1.0
 */
export const requestIdHeaders: ReadonlyArray<string> = [
  "request-id",
  "x-request-id",
  "x-amzn-requestid",
  "x-amzn-request-id",
  "apim-request-id",
  "x-ms-request-id",
  "mistral-correlation-id",
  "x-generation-id",
  "x-kong-request-id",
  "x-debug-trace-id",
  "x-ds-trace-id",
  "x-goog-request-id",
  "cf-ray"
]

/**
 * The provider's request id, from the first of {@link requestIdHeaders} that is there and not blank.
 *
 * @category requests
 * @since 0.1.0
 */
export const requestId = (headers: ResponseHeaders): string | undefined => {
  const map = lowercased(headers)
  for (const name of requestIdHeaders) {
    const value = map.get(name)
    if (value !== undefined) return value
  }
  return undefined
}
