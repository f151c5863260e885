/**
 * The recommended stack: what belongs to a provider, what chooses between providers, and what belongs to the call.
 */
import type { Layer } from "effect"
import type { HttpClient } from "effect/http"
import {
  CircuitBreaker,
  Concurrency,
  Continue,
  Fallback,
  type LlmError,
  type LlmService,
  Retry,
  Timeout
} from "../src/index.ts"

type Llm = Layer.Layer<LlmService.LlmService, LlmError.LlmError, HttpClient.HttpClient>

// #region stack
/**
 * What belongs to one provider: its time limits, its retries, its circuit. Give its layer `defaults: { whole: "streamed" }`,
 * so that whole answers have these limits too.
 */
export const guarded = (provider: Llm): Llm =>
  provider.pipe(
    Timeout.policy({ connect: "5 seconds", firstToken: "10 seconds", idle: "20 seconds" }),
    Retry.policy({ retries: 2, base: "200 millis", cap: "5 seconds" }),
    CircuitBreaker.policy()
  )

/** What chooses between providers, and around it what belongs to the call. */
export const recommended = (primary: Llm, backup: Llm): Llm =>
  primary.pipe(
    Fallback.policy(Fallback.candidate(backup, { contextWindow: 1_000_000 })),
    Continue.policy(),
    Concurrency.policy({ permits: 100, maxQueue: 500 }),
    Timeout.policy({ total: "3 minutes" })
  )
// #endregion
