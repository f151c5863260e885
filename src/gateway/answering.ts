/**
 * What is asked of the gateway, answered over HTTP: calls of models, counts of tokens, lists of models.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type * as HttpServerResponse from "effect/http/HttpServerResponse"
import type { Scope } from "effect/Scope"
import type { LlmError } from "../LlmError.ts"
import { compacted, summaryRequest } from "../protocol/responses/server/Compact.ts"
import type { Operation } from "../protocol/Server.ts"
import { type Exchange, failed, json, refused, whole } from "./call.ts"
import { modelIn } from "./incoming.ts"
import { type Client, mayAsk } from "./keys.ts"
import { bodyOf, continued, countable, prepared, type Refused, serviceOf, type Setup, withBody } from "./prepare.ts"
import { namesOf, targetOf } from "./routing.ts"
import { itemsOf } from "./stored.ts"
import { streamed } from "./streaming.ts"

type Response = HttpServerResponse.HttpServerResponse

const generate = (
  setup: Setup,
  exchange: Exchange,
  client: Client
): Effect.Effect<Response, LlmError | Refused, Scope> =>
  Effect.flatMap(prepared(setup, exchange, client), ({ call, onBegin, onEnd, stream }) =>
    stream
      ? streamed(call, setup.keeping, onEnd, onBegin)
      : Effect.onExit(whole(call), (exit) => onEnd(exit._tag === "Success" ? String(exit.value.status) : "hangup")))

const headersOf = ({ context, headers, wire }: Exchange) => ({ ...wire.headers(context), ...headers })

/** What is counted costs nothing: the limits of a key are for calls. */
const countTokens = (setup: Setup, exchange: Exchange, client: Client) =>
  Effect.gen(function*() {
    const { request, target } = yield* countable(setup, exchange, client)
    const service = yield* serviceOf(setup, target.instance)
    const { inputTokens } = yield* service.countTokens(request)
    return json(exchange.wire.encodeTokenCount(inputTokens), { headers: headersOf(exchange) })
  })

const models = (setup: Setup, exchange: Exchange, client: Client, operation: "models" | "model") =>
  Effect.map(setup.registry.config, (config) => {
    const { context, wire } = exchange
    const headers = headersOf(exchange)
    const names = namesOf(config, setup.routes).filter((name) => mayAsk(client, name))
    if (operation === "models") return json(wire.encodeModels(names), { headers })
    const name = modelIn(context.incoming)
    const known = mayAsk(client, name) && targetOf(config, setup.routes, name) !== undefined
    return known ? json(wire.encodeModel(name), { headers }) : refused(exchange, wire.unknownModel(name.slice(0, 200)))
  })

/** A conversation in fewer words, by a model that is asked to sum it up. */
const compact = (setup: Setup, exchange: Exchange, client: Client) =>
  Effect.gen(function*() {
    const items = itemsOf(bodyOf(yield* continued(setup, exchange, client)).input)
    const asked = withBody(exchange, summaryRequest(bodyOf(exchange), items))
    const { call, onEnd } = yield* prepared(setup, asked, client)
    const { text, usage } = yield* Effect.onExit(
      call.listening(call.service.generate(call.request)),
      (exit) => onEnd(exit._tag === "Success" ? "200" : "failed")
    )
    return json(compacted(items, text, usage, exchange.context), { headers: headersOf(exchange) })
  })

/**
 * Answers what a client asks for; failures in its own words.
 *
 * @stability experimental
 * @category answering
 * @since 0.1.0
 */
export const answer = (
  setup: Setup,
  exchange: Exchange,
  client: Client,
  operation: Operation | "compact"
): Effect.Effect<Response, never, Scope> => {
  const asked = operation === "generate"
    ? generate(setup, exchange, client)
    : operation === "countTokens"
    ? countTokens(setup, exchange, client)
    : operation === "compact"
    ? compact(setup, exchange, client)
    : models(setup, exchange, client, operation)
  return Effect.catch(asked, (error) =>
    error._tag === "Refused"
      ? Effect.succeed(refused(exchange, error.details))
      : failed(exchange, error, { client }))
}
