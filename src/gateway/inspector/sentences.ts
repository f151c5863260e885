/**
 * Events of a call in one sentence each, for people.
 *
 * @since 0.1.0
 */
import type { Candidate, EventDetail } from "../../stream/emit.ts"
import { line } from "./contents.ts"

const span = (millis: number): string => millis < 1000 ? `${Math.round(millis)} ms` : `${(millis / 1000).toFixed(1)} s`

const name = ({ model, provider }: Candidate): string => model === "" ? provider : `${provider}/${model}`

/**
 * What an event says; `undefined` for those whose content the page has in another way.
 *
 * @stability experimental
 * @category showing
 * @since 0.1.0
 */
export const sentenceOf = (event: EventDetail): string | undefined => {
  const said = spoken(event)
  return said === undefined ? undefined : line(said)
}

const spoken = (event: EventDetail): string | undefined => {
  switch (event._tag) {
    case "Retry":
      return `Retry ${event.retry} of ${name(event)} in ${span(event.delayMillis)}, after ${event.reason}`
    case "FailOver":
      return `From ${name(event.from)} to ${name(event.to)}, after ${event.reason}`
    case "Hedged":
      return `${name(event.to)} is asked as well: ${name(event.from)} is silent for ${span(event.delayMillis)}`
    case "CircuitOpened":
      return event.retryAfterMillis === undefined
        ? `Circuit ${event.key} opened`
        : `Circuit ${event.key} opened for ${span(event.retryAfterMillis)}`
    case "CircuitClosed":
      return `Circuit ${event.key} closed`
    case "Benched":
      return `${name(event)} is left out for ${span(event.benchMillis)}, after ${event.reason}`
    case "Waited":
      return `Waited ${span(event.waitMillis)} for ${event.policy}`
    case "KeyRemoved":
      return `A key of ${name(event)} is ${event.state}, after ${event.reason}`
    case "KeyRenewed":
      return `A credential of ${name(event)} was replaced, after ${event.reason}`
    case "Warning":
      return `Warning, ${event.field}: ${event.message}`
    case "ArgumentsRepaired":
      return `Arguments of the tool ${event.toolName} were replaced`
    case "CacheHit":
      return event.cache === "response" ? "Answered from the cache of responses" : undefined
    case "PromptCacheMissed":
      return `The prompt cache was missed ${event.misses} times in a row, ${event.tokensMissed} tokens this time`
    case "CacheWrite":
    case "CostRecorded":
    case "ProviderCall":
    case "Rejected":
    case "RequestFailed":
    case "TokenUsage":
      return undefined
  }
}
