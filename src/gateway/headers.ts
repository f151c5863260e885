/**
 * What a client's wire cannot say of an answer, in headers: who served it, what was tried before, what it cost, what was left out.
 *
 * Lists are structured fields: https://www.rfc-editor.org/rfc/rfc9651. Texts in them are ASCII and bounded, whatever a provider sent.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import type { LlmError } from "../LlmError.ts"
import type { LlmResponse, PriorAttempt, Warning } from "../LlmResponse.ts"
import type { Headers } from "../protocol/Server.ts"
import type { Event } from "../stream/emit.ts"

/** Attempts and warnings that are listed, and characters of a text in a list. */
const maxListed = 16
const maxText = 160

/** A text as a string of structured fields: printable ASCII, quotes and backslashes escaped. */
const quoted = (text: string): string => {
  const ascii = text.slice(0, maxText).replace(/[^\x20-\x7e]/g, "?").replace(/["\\]/g, "\\$&")
  return `"${ascii}"`
}

/** A value of a header of one text. */
const plain = (text: string): string => text.slice(0, maxText).replace(/[^\x21-\x7e]/g, "?")

/**
 * An attempt as it is listed.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export type Attempt =
  & Pick<PriorAttempt, "provider" | "model">
  & Partial<Pick<PriorAttempt, "durationMillis" | "requestId" | "retryAfterMillis">>
  & { readonly reason?: string | undefined }

const attempted = ({ durationMillis, model, provider, reason, requestId, retryAfterMillis }: Attempt): string =>
  [
    quoted(`${provider}/${model}`),
    reason === undefined ? "ok" : `reason=${quoted(reason)}`,
    ...(durationMillis === undefined ? [] : [`ms=${Math.round(durationMillis)}`]),
    ...(retryAfterMillis === undefined ? [] : [`retry-after-ms=${Math.round(retryAfterMillis)}`]),
    ...(requestId === undefined ? [] : [`request-id=${quoted(requestId)}`])
  ].join(";")

const listOf = <A>(all: ReadonlyArray<A>, write: (one: A) => string): string => {
  const shown = all.slice(0, maxListed).map(write)
  return (all.length > maxListed ? [...shown, `"and ${all.length - maxListed} more"`] : shown).join(", ")
}

/**
 * The attempts of a call, oldest first.
 *
 * @stability experimental
 * @category headers
 * @since 0.1.0
 */
export const attemptsHeader = (attempts: ReadonlyArray<Attempt>): Headers =>
  attempts.length === 0 ? {} : { "x-effect-llm-attempts": listOf(attempts, attempted) }

/**
 * What was left out of the request or of its answer.
 *
 * @stability experimental
 * @category headers
 * @since 0.1.0
 */
export const warningsHeader = (warnings: ReadonlyArray<Warning>): Headers =>
  warnings.length === 0 ? {} : {
    "x-effect-llm-warnings": listOf(warnings, ({ field, message }) => `${quoted(field)};message=${quoted(message)}`)
  }

/**
 * Who answers.
 *
 * @stability experimental
 * @category headers
 * @since 0.1.0
 */
export const servedBy = (
  { label, model, provider }: { readonly provider: string; readonly model: string; readonly label?: string | undefined }
): Headers => ({
  "x-effect-llm-served-by": plain(`${provider}/${model}`),
  ...(label === undefined ? undefined : { "x-effect-llm-instance": plain(label) })
})

/** What an answer cost, in US dollars, where it is known. */
const costHeader = ({ cost, usage }: LlmResponse): Headers => {
  const paid = usage.billedCost ?? cost
  return paid === undefined ? {} : { "x-effect-llm-cost": String(Number(paid.toFixed(9))) }
}

/**
 * All there is to say of an answer.
 *
 * @stability experimental
 * @category headers
 * @since 0.1.0
 */
export const answerHeaders = (response: LlmResponse, warnings: ReadonlyArray<Warning>): Headers => ({
  ...servedBy(response),
  ...attemptsHeader([
    ...response.priorAttempts ?? [],
    { provider: response.provider, model: response.model, ...known(response.requestId) }
  ]),
  ...costHeader(response),
  ...warningsHeader(warnings)
})

const known = (requestId: string | undefined) => requestId === undefined ? undefined : { requestId }

/**
 * The attempts that events tell of.
 *
 * @stability experimental
 * @category reading
 * @since 0.1.0
 */
export const attemptsIn = (events: ReadonlyArray<Event>): ReadonlyArray<Attempt> =>
  events.flatMap((event) =>
    event._tag === "Retry"
      ? [{ provider: event.provider, model: event.model, reason: event.reason }]
      : event._tag === "FailOver"
      ? [{ ...event.from, reason: event.reason }]
      : []
  )

/**
 * The attempts of a call that failed: those of a fallback, else what events told, and the last one.
 *
 * @stability experimental
 * @category reading
 * @since 0.1.0
 */
export const attemptsOf = (error: LlmError, events: ReadonlyArray<Event>): ReadonlyArray<Attempt> => {
  const { attempts, model, provider, reason, requestId, retryAfter } = error
  if (reason._tag === "FallbackExhausted") return reason.attempts
  // Refused before anything was sent.
  if (attempts === 0) return attemptsIn(events)
  return [...attemptsIn(events), {
    provider,
    model,
    reason: reason._tag,
    ...known(requestId),
    ...(retryAfter === undefined ? undefined : { retryAfterMillis: Duration.toMillis(retryAfter) })
  }]
}
