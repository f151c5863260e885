/**
 * Changes the response of a call as it finishes, `generate` and `stream` alike.
 *
 * Of a stream that is the response in `Finish`: per pulled array one look at its last event, per event nothing.
 *
 * @since 0.1.0
 */
import * as Channel from "effect/Channel"
import * as Effect from "effect/Effect"
import type { Scope } from "effect/Scope"
import * as Stream from "effect/Stream"
import type { LlmRequest } from "../LlmRequest.ts"
import type { LlmResponse } from "../LlmResponse.ts"
import type { Service } from "../LlmService.ts"
import { withResponse } from "./gate.ts"
import { type EventsPull, watched } from "./source.ts"

/**
 * A service whose responses go through `f`.
 *
 * @stability experimental
 * @category combinators
 * @since 0.1.0
 */
export const mapResponses = (
  service: Service,
  f: (response: LlmResponse, request: LlmRequest) => Effect.Effect<LlmResponse>
): Service => ({
  ...service,
  generate: (request) => Effect.flatMap(service.generate(request), (response) => f(response, request)),
  stream: (request) =>
    Stream.fromChannel(
      Channel.fromTransform((_: unknown, scope: Scope) =>
        Effect.map(
          Channel.toPullScoped(service.stream(request).channel, scope),
          (pull): EventsPull =>
            watched(pull, {
              onEvents: (events) => {
                const last = events[events.length - 1]!
                return last._tag !== "Finish" ? undefined : Effect.map(
                  f(last.response, request),
                  (response) => withResponse(events, response)
                )
              },
              onFailure: () => undefined
            })
        )
      )
    )
})
