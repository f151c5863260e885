/**
 * Builds the typed reason of a failure: the class that its status, type, code and text deserve, with every
 * text scrubbed and capped. The classification itself is data in `protocol/ErrorMap.ts`.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as LlmError from "../LlmError.ts"
import type { LlmResponse } from "../LlmResponse.ts"
import { classify, overflowIn, retryDelayFromMessage } from "../protocol/ErrorMap.ts"
import type { Failure } from "../protocol/Protocol.ts"
import { cap } from "./Redaction.ts"

/**
 * What the transport knows beside the failure itself.
 *
 * @category models
 * @since 0.1.0
 */
export interface Circumstances {
  readonly scrub: (text: string) => string
  readonly partial?: LlmResponse | undefined
  readonly retryAfter?: Duration.Duration | undefined
  readonly shouldRetry?: boolean | undefined
}

const snippetLength = 512

/**
 * The reason of a failure.
 *
 * @category constructors
 * @since 0.1.0
 */
export const reasonOf = (failure: Failure, circumstances: Circumstances): LlmError.Reason => {
  const { partial, scrub } = circumstances
  const message = cap(scrub(failure.message), 16_384)
  switch (failure.kind) {
    case "incomplete":
      return new LlmError.IncompleteStream({ message, partial })
    case "parse":
      return new LlmError.ResponseParse({
        message,
        partial,
        status: failure.status,
        snippet: failure.body === undefined ? undefined : cap(scrub(failure.body.slice(0, 65536)), snippetLength)
      })
    case "provider": {
      const delay = failure.retryAfterMillis ?? retryDelayFromMessage(failure.message)
      const fields: LlmError.ProviderFields = {
        message,
        partial,
        status: failure.status,
        type: failure.type === undefined ? undefined : scrub(failure.type),
        code: typeof failure.code === "string" ? scrub(failure.code) : failure.code,
        param: failure.param === undefined ? undefined : scrub(failure.param),
        body: failure.body === undefined ? undefined : cap(scrub(failure.body)),
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
