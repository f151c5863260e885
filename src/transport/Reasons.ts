/**
 * Builds the typed reason of a failure: the class that its status, type, code and text deserve, with every
 * text scrubbed and capped. The classification itself is of `protocol/errors/classify.ts`.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as LlmError from "../LlmError.ts"
import type { LlmResponse } from "../LlmResponse.ts"
import { classify, overflowIn } from "../protocol/errors/classify.ts"
import { retryDelayFromMessage } from "../protocol/errors/RetryDelay.ts"
import type { Failure } from "../protocol/Protocol.ts"
import type { Scrub } from "./secrets/Redaction.ts"

/**
 * What the transport knows beside the failure itself.
 *
 * @category models
 * @since 0.1.0
 */
export interface Circumstances {
  readonly scrub: Scrub
  readonly partial?: LlmResponse | undefined
  readonly retryAfter?: Duration.Duration | undefined
  readonly shouldRetry?: boolean | undefined
}

// Bytes of UTF-8 that are kept of a text, after the secrets are out of it.
const maxMessage = 16_384
const maxBody = 65_536
const maxSnippet = 512
const maxName = 256

/**
 * The failure of a decoder that threw.
 *
 * @category constructors
 * @since 0.1.0
 */
export const unreadable = (thrown: unknown): Failure => ({
  kind: "parse",
  message: `The provider's answer could not be read${thrown instanceof Error ? ` (${thrown.message})` : ""}.`
})

/**
 * The reason of a failure. Never throws: what is told of a failure is the provider's words too.
 *
 * @category constructors
 * @since 0.1.0
 */
export const reasonOf = (failure: Failure, circumstances: Circumstances): LlmError.Reason => {
  try {
    return made(failure, circumstances)
  } catch {
    return new LlmError.ResponseParse({
      message: "The provider's answer could not be read, nor what is wrong with it.",
      partial: circumstances.partial,
      status: failure.status
    })
  }
}

const made = (failure: Failure, circumstances: Circumstances): LlmError.Reason => {
  const { partial, scrub } = circumstances
  const message = scrub(failure.message, maxMessage)
  switch (failure.kind) {
    case "incomplete":
      return new LlmError.IncompleteStream({ message, partial })
    case "misfit":
      return new LlmError.StructuredOutput({ message, text: failure.body ?? "", partial })
    case "parse":
      return new LlmError.ResponseParse({
        message,
        partial,
        status: failure.status,
        snippet: failure.body === undefined ? undefined : scrub(failure.body, maxSnippet)
      })
    case "provider": {
      const delay = failure.retryAfterMillis ?? retryDelayFromMessage(failure.message)
      const fields: LlmError.ProviderFields = {
        message,
        partial,
        status: failure.status,
        type: failure.type === undefined ? undefined : scrub(failure.type, maxName),
        code: typeof failure.code === "string" ? scrub(failure.code, maxName) : failure.code,
        param: failure.param === undefined ? undefined : scrub(failure.param, maxName),
        body: failure.body === undefined ? undefined : scrub(failure.body, maxBody),
        retryAfter: circumstances.retryAfter ?? (delay === undefined ? undefined : Duration.millis(delay)),
        shouldRetry: circumstances.shouldRetry
      }
      const tag = classify({
        ...failure,
        headerDelayMillis: circumstances.retryAfter === undefined
          ? undefined
          : Duration.toMillis(circumstances.retryAfter)
      })
      return tag === "ContextLength"
        ? new LlmError.ContextLength({ ...fields, ...overflowIn(failure) })
        : new providerReasons[tag](fields)
    }
  }
}

const providerReasons = {
  Validation: LlmError.Validation,
  Authentication: LlmError.Authentication,
  PermissionDenied: LlmError.PermissionDenied,
  QuotaExhausted: LlmError.QuotaExhausted,
  RateLimit: LlmError.RateLimit,
  Overloaded: LlmError.Overloaded,
  NotFound: LlmError.NotFound,
  ContentPolicy: LlmError.ContentPolicy,
  Provider: LlmError.Provider
}
