/**
 * From a request to a call: whom it is for, whether its client may, what goes before it, what becomes of its answer.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import type { Scope } from "effect/Scope"
import type * as Registry from "../config/Registry.ts"
import * as LlmError from "../LlmError.ts"
import type { LlmRequest } from "../LlmRequest.ts"
import type { Service } from "../LlmService.ts"
import type { JsonObject } from "../Message.ts"
import * as Cost from "../observe/Cost.ts"
import { hasPacked, unpacked } from "../protocol/responses/server/Compact.ts"
import type { Decoded, ErrorDetails } from "../protocol/Server.ts"
import * as Body from "../protocol/server/Json.ts"
import { onTerms } from "../protocol/Verbatim.ts"
import { millisBy } from "../stream/monotonic.ts"
import { type Call, type Exchange, listener } from "./call.ts"
import type { Route } from "./config.ts"
import { responses } from "./incoming.ts"
import { type Client, type Doorkeeper, mayAsk, refusal } from "./keys.ts"
import * as Metrics from "./metrics.ts"
import { type Target, targetOf } from "./routing.ts"
import { isCounted, type limiter } from "./spending.ts"
import { itemsOf, type Kept, type Stored } from "./stored.ts"
import type { Keeping } from "./streaming.ts"

/**
 * What a gateway is made of.
 *
 * @stability experimental
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
  /** A service whose calls the inspector sees, where there is one. */
  readonly inspected: (service: Service) => Service
}

/**
 * A refusal that has the vendor's words already.
 *
 * @stability experimental
 * @category errors
 * @since 0.1.0
 */
export class Refused {
  readonly _tag = "Refused"
  readonly details: ErrorDetails

  constructor(details: ErrorDetails) {
    this.details = details
  }
}

/**
 * The service of an instance, which tells what its answers cost.
 *
 * @stability experimental
 * @category services
 * @since 0.1.0
 */
export const serviceOf = (setup: Setup, instance: string): Effect.Effect<Service, LlmError.LlmError> => {
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
    new LlmError.PermissionDenied({
      status: 403,
      message: `This key may not ask for the model ${JSON.stringify(model.slice(0, 100))}.`
    })
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
  providers: {
    [info.provider]: { apiKey: credential, ...(info.origin === undefined ? undefined : { origin: info.origin }) }
  }
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

const noModel = new Refused({
  status: 400,
  type: "invalid_request_error",
  param: "model",
  message: "The request names no model."
})

/** What is asked, and of whom. */
const callOf = (
  setup: Setup,
  exchange: Exchange,
  client: Client
): Effect.Effect<{ readonly call: Call; readonly stream: boolean }, LlmError.LlmError | Refused> =>
  Effect.gen(function*() {
    const { context, wire } = exchange
    const decoded = wire.decodeRequest(context.incoming)
    if ("refused" in decoded) return yield* Effect.fail(new Refused(decoded.refused))
    if (decoded.model === "") return yield* Effect.fail(noModel)
    if (!mayAsk(client, decoded.model)) return yield* forbidden(decoded.model)
    const target = targetOf(yield* setup.registry.config, setup.routes, decoded.model)
    if (target === undefined) return yield* Effect.fail(new Refused(wire.unknownModel(decoded.model.slice(0, 200))))
    if (target.route?.credentials === "client" && client.credential === undefined) return yield* noCredential
    const service = yield* serviceOf(setup, target.instance)
    const limited = yield* setup.limit(target.instance, service, client.key)
    const call: Call = {
      ...exchange,
      client,
      target,
      service: setup.inspected(limited),
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

/** Whose answers a client may go on from: those of its key. */
const owner = ({ key }: Client): string => key?.name ?? ""

/**
 * The body of a request.
 *
 * @stability experimental
 * @category reading
 * @since 0.1.0
 */
export const bodyOf = ({ context }: Exchange): Body.JsonObject => Body.object(context.incoming.body)

/**
 * A request with another body.
 *
 * @stability experimental
 * @category reading
 * @since 0.1.0
 */
export const withBody = (exchange: Exchange, body: Body.JsonObject): Exchange => ({
  ...exchange,
  context: { ...exchange.context, incoming: { ...exchange.context.incoming, body } }
})

/**
 * Answers that are kept beside those of the gateway: for as long as a connection lives.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Memory {
  readonly get: (id: string) => Kept | undefined
  readonly keep: (input: ReadonlyArray<JsonObject>, response: JsonObject) => void
  readonly forget: (id: string) => void
}

const notKept = (id: string): Refused =>
  new Refused({
    status: 400,
    type: "invalid_request_error",
    code: "previous_response_not_found",
    param: "previous_response_id",
    message: `Previous response with id '${id.slice(0, 100)}' not found.`
  })

/** Members by which a request names what lies at the provider, where all clients of the gateway are one. */
const elsewhere = ["conversation", "prompt"] as const

/** An output of a call that nobody made, which other wires would not refuse. */
const orphanIn = (items: ReadonlyArray<JsonObject>): Refused | undefined => {
  const calls = new Set(items.filter(({ type }) => isCall.test(String(type))).map(({ call_id: id }) => id))
  const orphan = items.find(({ call_id: id, type }) => isOutput.test(String(type)) && !calls.has(id))
  return orphan === undefined ? undefined : new Refused({
    status: 400,
    type: "invalid_request_error",
    param: "input",
    message: `No tool call found for an output with call_id ${String(orphan["call_id"]).slice(0, 100)}.`
  })
}

const isCall = /^(?:function|custom_tool)_call$/
const isOutput = /^(?:function|custom_tool)_call_output$/

const isReference = (item: JsonObject): boolean => item["type"] === "item_reference"

/** What a client may not ask a provider for, where another client could have left it there. */
const foreign = (setup: Setup, body: Body.JsonObject, items: ReadonlyArray<JsonObject>): Refused | undefined => {
  if (!setup.doorkeeper.asks) return undefined
  const named = elsewhere.find((name) => body[name] !== undefined && body[name] !== null)
  const param = named ?? (items.some(isReference) ? "input" : undefined)
  return param === undefined ? undefined : new Refused({
    status: 400,
    type: "invalid_request_error",
    param,
    message:
      "What lies at the provider cannot be named here: give it in the request, or go on from a response of this gateway."
  })
}

/**
 * The request with what was said before it, in place of the id of an answer, and with what was compacted here in words.
 *
 * @stability experimental
 * @category reading
 * @since 0.1.0
 */
export const continued = (
  setup: Setup,
  asked: Exchange,
  client: Client,
  memory?: Memory
): Effect.Effect<Exchange, Refused> => {
  if (asked.wire !== responses) return Effect.succeed(asked)
  const body = bodyOf(asked)
  const previous = body.previous_response_id
  const items = typeof body.input === "string" ? [] : itemsOf(body.input)
  const refusal = foreign(setup, body, items)
  if (refusal !== undefined) return Effect.fail(refusal)
  if (typeof previous !== "string") {
    return Effect.succeed(hasPacked(items) ? withBody(asked, { ...body, input: unpacked(items) }) : asked)
  }
  return Effect.flatMap(Clock.currentTimeMillis, (now) => {
    const kept = memory?.get(previous) ?? setup.stored.get(owner(client), previous, now)
    if (kept === undefined) return Effect.fail(notKept(previous))
    const { previous_response_id: _, ...others } = body
    const input = unpacked([...kept.items, ...itemsOf(body.input)])
    const orphan = orphanIn(input)
    return orphan === undefined ? Effect.succeed(withBody(asked, { ...others, input })) : Effect.fail(orphan)
  })
}

/**
 * Keeps an answer that may be gone on from, with what was said up to it. `full` is the request with what went before it.
 *
 * @stability experimental
 * @category keeping
 * @since 0.1.0
 */
export const keep = (
  setup: Setup,
  asked: Exchange,
  full: Exchange,
  client: Client,
  memory?: Memory
): Call["onAnswer"] => {
  const body = bodyOf(asked)
  const stores = body.store !== false
  if (asked.wire !== responses || (!stores && memory === undefined)) return () => Effect.void
  return (response) =>
    Effect.map(Clock.currentTimeMillis, (now) => {
      const encrypting = withBody(asked, { ...body, include: ["reasoning.encrypted_content"] })
      const made = asked.wire.encodeAnswer(response, encrypting.context).body
      const input = itemsOf(bodyOf(full).input)
      if (stores) setup.stored.keep(owner(client), input, made, now)
      memory?.keep(input, made)
    })
}

// =============================================================================
// Calls
// =============================================================================

const crowded = refusal(
  new LlmError.QueueFull({ message: "The gateway has as many calls as it takes.", retryAfter: Duration.seconds(1) })
)

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

/**
 * A call that is ready to be made.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Prepared {
  readonly call: Call
  readonly stream: boolean
  /** To be told of the first content of a stream. */
  readonly onBegin: Effect.Effect<void>
  /** To be told how it ended: a status, `cut` or `hangup`. */
  readonly onEnd: (status: string) => Effect.Effect<void>
}

/**
 * Makes a call of a request; it counts among those that run until its scope closes.
 *
 * @stability experimental
 * @category constructors
 * @since 0.1.0
 */
export const prepared = (
  setup: Setup,
  asked: Exchange,
  client: Client,
  memory?: Memory
): Effect.Effect<Prepared, LlmError.LlmError | Refused, Scope> =>
  Effect.gen(function*() {
    if (setup.running.count >= setup.mostCalls) return yield* crowded
    const clock = yield* Clock.Clock
    const startedAt = millisBy(clock)
    const full = yield* continued(setup, asked, client, memory)
    const made = yield* callOf(setup, full, client)
    const { stream } = made
    // The answer repeats what the client has said, and no more.
    const call: Call = { ...made.call, context: asked.context, onAnswer: keep(setup, asked, full, client, memory) }
    const release = yield* running(setup, stream && call.target.route?.onDisconnect === "continue")
    const { wire } = call.wire
    const attributes = { wire, operation: stream ? "stream" : "generate" }
    const seconds = () => (millisBy(clock) - startedAt) / 1000
    return {
      call,
      stream,
      onBegin: Effect.suspend(() => Metric.update(Metric.withAttributes(Metrics.firstContent, { wire }), seconds())),
      onEnd: (status) =>
        Effect.suspend(() =>
          Metric.update(
            Metric.withAttributes(Metrics.calls, { ...attributes, instance: call.target.instance, status }),
            1
          ).pipe(
            Effect.andThen(Metric.update(Metric.withAttributes(Metrics.duration, attributes), seconds())),
            Effect.andThen(release)
          )
        )
    }
  })

/**
 * A call that is only counted.
 *
 * @stability experimental
 * @category constructors
 * @since 0.1.0
 */
export const countable = (
  setup: Setup,
  asked: Exchange,
  client: Client
): Effect.Effect<Call, LlmError.LlmError | Refused> =>
  Effect.map(
    Effect.flatMap(continued(setup, asked, client), (full) => callOf(setup, full, client)),
    ({ call }) => ({ ...call, context: asked.context })
  )

/**
 * A request that is only made ready for the next one: with what was said before it, and the name that its client has for the model.
 *
 * @stability experimental
 * @category constructors
 * @since 0.1.0
 */
export const ready = (
  setup: Setup,
  asked: Exchange,
  client: Client,
  memory: Memory
): Effect.Effect<{ readonly full: Exchange; readonly model: string }, LlmError.LlmError | Refused> =>
  Effect.flatMap(
    continued(setup, asked, client, memory),
    (full) => Effect.as(callOf(setup, full, client), { full, model: Body.string(bodyOf(full).model) })
  )
