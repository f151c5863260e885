/**
 * Puts content on spans, where it is asked for. What turns it into attributes is loaded then.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type { Span } from "effect/Tracer"
import type { LlmRequest } from "../../LlmRequest.ts"
import type { LlmResponse } from "../../LlmResponse.ts"
import { lazy } from "../../protocol/lazy.ts"
import type * as ContentModule from "./content.ts"
import type { Resolved } from "./settings.ts"

const module = lazy(() => import("./content.ts"))

type Loaded = typeof ContentModule

/** The event that has content where spans are not to have it. */
const details = "gen_ai.client.inference.operation.details"

/**
 * Records content.
 *
 * @stability stable
 * @category recording
 * @since 0.1.0
 */
export interface Content {
  readonly asked: (span: Span, now: bigint, request: LlmRequest) => void
  readonly answered: (span: Span, now: bigint, request: LlmRequest, response: LlmResponse) => void
  /** One value of a span. */
  readonly value: (span: Span, key: string, value: unknown) => void
}

const recording = (loaded: Loaded, settings: Resolved): Content => {
  const put = (span: Span, attributes: Readonly<Record<string, string>>) => {
    for (const key in attributes) span.attribute(key, attributes[key])
  }
  return {
    asked: (span, _, request) => {
      if (settings.onSpan) put(span, loaded.inputOf(request, settings))
    },
    answered: (span, now, request, response) => {
      const output = loaded.outputOf(request, response, settings)
      if (settings.onSpan) put(span, output)
      if (settings.asEvent) span.event(details, now, { ...loaded.inputOf(request, settings), ...output })
    },
    value: (span, key, value) => {
      if (settings.onSpan) span.attribute(key, loaded.valueOf(value, settings))
    }
  }
}

const nothing: Effect.Effect<Content | undefined> = Effect.undefined

/**
 * What records content, or nothing where none is asked for. What cannot be loaded records nothing.
 *
 * @stability stable
 * @category loading
 * @since 0.1.0
 */
export const content = (settings: Resolved): Effect.Effect<Content | undefined> =>
  !settings.onSpan && !settings.asEvent ? nothing : module.ready !== undefined
    ? Effect.succeed(recording(module.ready, settings))
    : Effect.orElseSucceed(
      Effect.map(Effect.tryPromise(() => module.load()), (loaded) => recording(loaded, settings)),
      () => undefined
    )
