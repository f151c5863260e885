/**
 * The errors of one attempt: what a client reports, what a provider refuses, what cannot be read, each as an `LlmError` without secrets.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as HttpClientError from "effect/http/HttpClientError"
import type { HttpClientResponse } from "effect/http/HttpClientResponse"
import * as LlmError from "../LlmError.ts"
import type { LlmResponse } from "../LlmResponse.ts"
import { readErrorText } from "../protocol/errors/ErrorBody.ts"
import type { Failure } from "../protocol/Protocol.ts"
import * as Body from "./Body.ts"
import type { Call, JsonCall } from "./Call.ts"
import { cutCode, encodingCode, isBroken, unreadableEncoding } from "./Encoding.ts"
import { titleOf } from "./Page.ts"
import { reasonOf, unreadable } from "./Reasons.ts"
import * as RetryAfter from "./RetryAfter.ts"
import { describeCause, type Scrub, type Scrubbers } from "./secrets/Redaction.ts"
import { type Carrier, secretsOf } from "./secrets/RequestSecrets.ts"

/**
 * What makes errors of one attempt.
 *
 * @category models
 * @since 0.1.0
 */
export interface Failing {
  readonly scrub: Scrub
  /** An id or name that a server gave, fit to be shown. */
  readonly named: <A extends string | undefined>(name: A) => A
  /** One line about what a client reported, without the query of the URL. */
  readonly described: (cause: unknown) => string
  readonly error: (reason: LlmError.Reason, requestId?: string | undefined) => LlmError.LlmError
}

/** Bytes of a request id that are kept; the longest that are known have some 100. */
const maxRequestId = 256

/**
 * Makes what makes the errors of an attempt.
 *
 * @category constructors
 * @since 0.1.0
 */
export const failingOf = (scrubbers: Scrubbers) => (call: Call | JsonCall): Failing => {
  let scrubber: Scrub | undefined
  const scrub: Scrub = (text, maxBytes) => {
    try {
      return (scrubber ??= scrubbers.of(secretsIn(call)))(text, maxBytes)
    } catch {
      // What cannot be searched for secrets is not shown.
      return "<not shown>"
    }
  }
  return {
    scrub,
    named: (name) => (name === undefined ? name : scrub(name, maxRequestId)) as typeof name,
    described: (cause) => {
      const at = call.url.indexOf("?")
      const line = describeCause(cause, scrub)
      return at < 0 ? line : line.replaceAll(call.url.slice(at), "?<redacted>")
    },
    error: (reason, requestId) =>
      new LlmError.LlmError({
        provider: call.provider,
        model: call.model,
        label: "label" in call ? call.label : undefined,
        operation: call.operation,
        requestId,
        reason,
        attempts: 1
      })
  }
}

/** Layers have many calls. */
const ofLayers = new WeakMap<Carrier, ReadonlyArray<string>>()

const secretsIn = (call: Call | JsonCall): ReadonlyArray<string> => {
  const { layer } = call
  if (layer === undefined) return secretsOf(call)
  let known = ofLayers.get(layer)
  if (known === undefined) ofLayers.set(layer, known = secretsOf(layer))
  return known.length === 0 ? secretsOf(call) : secretsOf({ ...call, secrets: [...call.secrets, ...known] })
}

const networkCode = (cause: unknown): string | undefined => {
  for (let error = cause, depth = 0; depth < 5 && typeof error === "object" && error !== null; depth++) {
    if ("code" in error && typeof error.code === "string") return error.code
    error = "cause" in error ? error.cause : undefined
  }
  return undefined
}

/**
 * The reason of what a client reports.
 *
 * @category constructors
 * @since 0.1.0
 */
export const networkReason = (error: unknown, call: Failing, partial?: LlmResponse | undefined): LlmError.Reason => {
  const reason = HttpClientError.isHttpClientError(error) ? error.reason : undefined
  const cause = reason === undefined ? error : "cause" in reason ? reason.cause : undefined
  // A client in between that knows what its refusal means, such as one that plays a cassette.
  if (cause instanceof LlmError.Configuration) return cause
  const broken = cause ?? error
  if (broken instanceof Body.BodyTooLong) return new LlmError.ResponseParse({ message: broken.message, partial })
  const message = call.described(broken)
  const code = networkCode(error)
  if (code === cutCode) {
    return new LlmError.IncompleteStream({ message: "The compressed body ended before it was complete.", partial })
  }
  if (code !== undefined && (code === encodingCode || isBroken(code))) {
    return new LlmError.ResponseParse({ message: `${message}.`, partial })
  }
  switch (reason?._tag) {
    case "InvalidUrlError":
    case "EncodeError":
      return new LlmError.Configuration({ message: `The request could not be built: ${message}. Check the base URL.` })
    default:
      return new LlmError.Network({
        message: `The connection failed: ${message}.`,
        code: call.named(code),
        partial
      })
  }
}

const maxPlainMessage = 1000

/**
 * The error of an answer that refuses; `text` is its body, `isCut` says that there was more.
 *
 * @category constructors
 * @since 0.1.0
 */
export const refusal = (
  response: HttpClientResponse,
  text: string,
  isCut: boolean,
  now: number,
  fail: Failing
): LlmError.LlmError => {
  const found = readErrorText(text, isCut)
  const encoded = unreadableEncoding(response.headers, text)
  const shouldRetry = response.headers["x-should-retry"]
  const failure: Failure = {
    kind: "provider",
    message: found?.message ?? (encoded === undefined
      ? fail.scrub(plainMessage(text, response.status), maxPlainMessage)
      : `The provider answered ${response.status}. ${encoded}`),
    status: response.status,
    type: found?.type ?? awsErrorType(response.headers["x-amzn-errortype"]),
    code: found?.code,
    param: found?.param,
    retryAfterMillis: found?.retryAfterMillis,
    limitWindow: found?.limitWindow,
    reason: found?.reason,
    body: text === "" ? undefined : text
  }
  const reason = reasonOf(failure, {
    scrub: fail.scrub,
    retryAfter: RetryAfter.retryAfter(response.headers, now),
    shouldRetry: shouldRetry === "true" ? true : shouldRetry === "false" ? false : undefined
  })
  return fail.error(reason, fail.named(RetryAfter.requestId(response.headers) ?? found?.requestId))
}

/** `ThrottlingException:http://…` is `ThrottlingException`. */
const awsErrorType = (header: string | undefined): string | undefined => header?.split(":", 1)[0]!.trim() || undefined

const plainMessage = (text: string, status: number): string => {
  const trimmed = text.trim()
  if (trimmed === "") return `The provider answered ${status} without a body.`
  if (trimmed.startsWith("<")) {
    const title = titleOf(trimmed)
    return `The provider answered ${status} with a page${title === undefined ? "" : `: ${title}`}.`
  }
  return trimmed
}

/**
 * Where an answer is read outside of its decoder: what is thrown there makes it unreadable too.
 *
 * @category combinators
 * @since 0.1.0
 */
export const guarded = <A>(
  fail: Failing,
  response: HttpClientResponse,
  run: () => Effect.Effect<A, LlmError.LlmError>
): Effect.Effect<A, LlmError.LlmError> => {
  try {
    return run()
  } catch (thrown) {
    const requestId = RetryAfter.requestId(response.headers)
    return Effect.fail(
      fail.error(reasonOf({ ...unreadable(thrown), status: statusOf(response) }, fail), fail.named(requestId))
    )
  }
}

/** The status of a refusal. */
const statusOf = ({ status }: HttpClientResponse): number | undefined =>
  status < 200 || status > 299 ? status : undefined
