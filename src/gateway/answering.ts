/**
 * What is asked of the gateway, answered: calls of models, counts of tokens, lists of models.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Metric from "effect/Metric"
import type { Scope } from "effect/Scope"
import type * as Registry from "../config/Registry.ts"
import * as LlmError from "../LlmError.ts"
import type { LlmRequest } from "../LlmRequest.ts"
import type { Service } from "../LlmService.ts"
import * as Cost from "../observe/Cost.ts"
import type { Decoded, Incoming, Operation } from "../protocol/Server.ts"
import { onTerms } from "../protocol/Verbatim.ts"
import { millisBy } from "../stream/monotonic.ts"
import { type Call, type Exchange, failed, json, listener, refused, whole } from "./call.ts"
import type { Route } from "./config.ts"
import { modelIn, responses } from "./incoming.ts"
import { type Client, type Doorkeeper, mayAsk, refusal } from "./keys.ts"
import * as Metrics from "./metrics.ts"
import { namesOf, type Target, targetOf } from "./routing.ts"
import { isCounted, type limiter } from "./spending.ts"
import { itemsOf, type Stored } from "./stored.ts"
import { type Keeping, streamed } from "./streaming.ts"

/**
 * What a gateway is made of.
 *
 * @category models
 * @since 0.1.0
 */
export interface Setup {
  readonly registry: Registry.Service
  readonly routes: ReadonlyArray<Route>
  readonly strict: boolean
  readonly doorkeeper: Doorkeeper
  readonly limit: ReturnType<typeof limiter>
  readonly stored: Stored
  readonly keeping: Keeping
  readonly callTimeout: Duration.Input | undefined
  readonly mostCalls: number
  /** Services of instances, with their costs; filled as they are asked for. */
  readonly services: Map<string, Service>
  /** Calls that run now. */
  readonly running: { count: number }
}

type Answered = Effect.Effect<HttpServerResponse.HttpServerResponse, never, Scope>

const serviceOf = (setup: Setup, instance: string): Effect.Effect<Service, LlmError.LlmError> => {
  const known = setup.services.get(instance)
  if (known !== undefined) return Effect.succeed(known)
  return Effect.flatMap(setup.registry.get(instance), (service) =>
    Effect.map(Cost.policy().wrap(service), (priced) => {
      setup.services.set(instance, priced)
      return priced
    }))
}

// =============================================================================
// Requests
// =============================================================================

const forbidden = (model: string) =>
  refusal(
    new LlmError.PermissionDenied({ status: 403, message: `This key may not ask for the model ${JSON.stringify(model.slice(0, 100))}.` })
  )

const noCredential = refusal(
  new LlmError.Authentication({
    status: 401,
    message: "This route is asked with a credential of the client's own for the provider, and none came."
  })
)

/** The client's credential as the one of the company that it is for. */
const addressed = (
  { info }: Service,
  credential: Client["credential"]
): Pick<LlmRequest, "providers"> => ({
  providers: { [info.provider]: { apiKey: credential, ...(info.origin === undefined ? undefined : { origin: info.origin }) } }
})

const requestFor = (
  setup: Setup,
  exchange: Exchange,
  client: Client,
  { request }: Decoded,
  target: Target,
  service: Service
): LlmRequest => {
  const { model: _, ...asked } = request
  const { key } = client
  const { route } = target
  const total = route?.timeout ?? setup.callTimeout
  return onTerms({
    ...asked,
    ...(target.model === undefined ? undefined : { model: target.model }),
    scope: { requestId: exchange.context.requestId, ...(key === undefined ? undefined : { userId: key.name }) },
    ...(key?.priority === undefined ? undefined : { priority: key.priority }),
    ...(total === undefined ? undefined : { timeouts: { total } }),
    ...(route?.credentials === "client" ? addressed(service, client.credential) : undefined)
  } as LlmRequest, { strict: route?.strict ?? setup.strict, counted: isCounted(key) })
}

/** What is asked, of whom; or the response to one who may not, or asks for nothing that there is. */
const callOf = (
  setup: Setup,
  exchange: Exchange,
  client: Client
): Effect.Effect<{ readonly call: Call; readonly stream: boolean } | HttpServerResponse.HttpServerResponse, LlmError.LlmError> =>
  Effect.gen(function*() {
    const { context, wire } = exchange
    const decoded = wire.decodeRequest(context.incoming)
    if ("refused" in decoded) return refused(exchange, decoded.refused)
    if (!mayAsk(client, decoded.model)) return yield* forbidden(decoded.model)
    const target = targetOf(yield* setup.registry.config, setup.routes, decoded.model)
    if (target === undefined) return refused(exchange, wire.unknownModel(decoded.model.slice(0, 200)))
    if (target.route?.credentials === "client" && client.credential === undefined) return yield* noCredential
    const service = yield* serviceOf(setup, target.instance)
    const limited = yield* setup.limit(target.instance, service, client.key)
    const call: Call = {
      ...exchange,
      client,
      target,
      service: limited,
      request: requestFor(setup, exchange, client, decoded, target, service),
      dropped: decoded.dropped ?? [],
      ...listener(),
      onAnswer: () => Effect.void
    }
    return { call, stream: decoded.stream }
  })

// =============================================================================
// Responses API
// =============================================================================

const owner = ({ key }: Client): string => key?.name ?? ""

/** The request with what was said before it in place of the id of an answer; or why there is none. */
const continued = (
  setup: Setup,
  exchange: Exchange,
  client: Client
): Effect.Effect<Exchange | HttpServerResponse.HttpServerResponse> => {
  const body = exchange.context.incoming.body as { readonly [name: string]: unknown } | undefined
  const previous = body?.["previous_response_id"]
  if (exchange.wire !== responses || typeof previous !== "string") return Effect.succeed(exchange)
  return Effect.map(Clock.currentTimeMillis, (now) => {
    const kept = setup.stored.get(owner(client), previous, now)
    if (kept === undefined) {
      return refused(exchange, {
        status: 400,
        type: "invalid_request_error",
        code: "previous_response_not_found",
        param: "previous_response_id",
        message: `Previous response with id '${previous.slice(0, 100)}' not found.`
      })
    }
    const { previous_response_id: _, ...others } = body!
    const incoming: Incoming = {
      ...exchange.context.incoming,
      body: { ...others, input: [...kept.items, ...itemsOf(body!["input"])] }
    }
    return { ...exchange, context: { ...exchange.context, incoming } }
  })
}

/** Keeps an answer that may be gone on from. */
const keeping = (setup: Setup, asked: Exchange, full: Exchange, call: Call): Call => {
  const { incoming } = asked.context
  const body = incoming.body as { readonly [name: string]: unknown }
  if (asked.wire !== responses || body["store"] === false) return { ...call, context: asked.context }
  return {
    ...call,
    // The answer repeats what the client has said, and no more.
    context: asked.context,
    onAnswer: (response) =>
      Effect.map(Clock.currentTimeMillis, (now) => {
        const context = {
          ...asked.context,
          incoming: { ...incoming, body: { ...body, include: ["reasoning.encrypted_content"] } }
        }
        const input = (full.context.incoming.body as { readonly [name: string]: unknown })["input"]
        setup.stored.keep(owner(call.client), itemsOf(input), asked.wire.encodeAnswer(response, context).body, now)
      })
  }
}

// =============================================================================
// Operations
// =============================================================================

const crowded = refusal(
  new LlmError.QueueFull({ message: "The gateway has as many calls as it takes.", retryAfter: Duration.seconds(1) })
)

const counted = (call: Call, operation: "generate" | "stream", startedAt: number) => {
  const attributes = { wire: call.wire.wire, operation }
  return (status: string) =>
    Effect.flatMap(Clock.Clock, (clock) =>
      Effect.andThen(
        Metric.update(
          Metric.withAttributes(Metrics.calls, { ...attributes, instance: call.target.instance, status }),
          1
        ),
        Metric.update(Metric.withAttributes(Metrics.duration, attributes), (millisBy(clock) - startedAt) / 1000)
      ))
}

/** Counts a call among those that run, until its request is over; one that goes on without its client until it is told to be. */
const running = (setup: Setup, goesOn: boolean): Effect.Effect<Effect.Effect<void>, never, Scope> =>
  Effect.suspend(() => {
    let counts = false
    const release = Effect.suspend(() => {
      if (!counts) return Effect.void
      counts = false
      return Metric.update(Metrics.inFlight, --setup.running.count)
    })
    const take = Effect.suspend(() => {
      counts = true
      return Metric.update(Metrics.inFlight, ++setup.running.count)
    })
    return Effect.as(Effect.acquireRelease(take, () => goesOn ? Effect.void : release), release)
  })

const generate = (setup: Setup, asked: Exchange, client: Client): Effect.Effect<HttpServerResponse.HttpServerResponse, LlmError.LlmError, Scope> =>
  Effect.gen(function*() {
    if (setup.running.count >= setup.mostCalls) return yield* crowded
    const clock = yield* Clock.Clock
    const startedAt = millisBy(clock)
    const full = yield* continued(setup, asked, client)
    if (!("context" in full)) return full
    const made = yield* callOf(setup, full, client)
    if (!("call" in made)) return made
    const call = keeping(setup, asked, full, made.call)
    const goesOn = made.stream && call.target.route?.onDisconnect === "continue"
    const release = yield* running(setup, goesOn)
    const end = counted(call, made.stream ? "stream" : "generate", startedAt)
    if (!made.stream) {
      return yield* Effect.onExit(
        whole(call),
        (exit) => end(exit._tag === "Success" ? String(exit.value.status) : "hangup")
      )
    }
    const begun = Effect.suspend(() =>
      Metric.update(
        Metric.withAttributes(Metrics.firstContent, { wire: call.wire.wire }),
        (millisBy(clock) - startedAt) / 1000
      )
    )
    return yield* streamed(call, setup.keeping, (ending) => Effect.andThen(release, end(ending)), begun)
  })

const countTokens = (setup: Setup, exchange: Exchange, client: Client) =>
  Effect.gen(function*() {
    const full = yield* continued(setup, exchange, client)
    if (!("context" in full)) return full
    const made = yield* callOf(setup, full, client)
    if (!("call" in made)) return made
    const { call } = made
    // What is counted costs nothing: the limits of a key are for calls.
    const service = yield* serviceOf(setup, call.target.instance)
    const { inputTokens } = yield* service.countTokens(call.request)
    return json(exchange.wire.encodeTokenCount(inputTokens), {
      headers: { ...exchange.wire.headers(exchange.context), ...exchange.headers }
    })
  })

const models = (setup: Setup, exchange: Exchange, client: Client, operation: "models" | "model") =>
  Effect.map(setup.registry.config, (config) => {
    const { context, wire } = exchange
    const headers = { ...wire.headers(context), ...exchange.headers }
    const names = namesOf(config, setup.routes).filter((name) => mayAsk(client, name))
    if (operation === "models") return json(wire.encodeModels(names), { headers })
    const name = modelIn(context.incoming)
    const known = mayAsk(client, name) && targetOf(config, setup.routes, name) !== undefined
    return known ? json(wire.encodeModel(name), { headers }) : refused(exchange, wire.unknownModel(name.slice(0, 200)))
  })

/**
 * Answers what a client asks for; failures in its own words.
 *
 * @category answering
 * @since 0.1.0
 */
export const answer = (setup: Setup, exchange: Exchange, client: Client, operation: Operation): Answered => {
  const asked = operation === "generate"
    ? generate(setup, exchange, client)
    : operation === "countTokens"
    ? countTokens(setup, exchange, client)
    : models(setup, exchange, client, operation)
  return Effect.catch(asked, (error) => failed(exchange, error, { client }))
}
