/**
 * The service of a definition: validation, encoding, credentials and headers joined with the transport.
 *
 * @since 0.1.0
 */
import * as Channel from "effect/Channel"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as Random from "effect/Random"
import * as Redacted from "effect/Redacted"
import type { Scope } from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import * as Stream from "effect/Stream"
import { isBelow } from "../address/paths.ts"
import { jsonText } from "../json/text.ts"
import * as LlmError from "../LlmError.ts"
import type { Issue, LlmRequest } from "../LlmRequest.ts"
import type * as LlmService from "../LlmService.ts"
import type { JsonObject } from "../Message.ts"
import { inputTokens } from "../model/estimate.ts"
import { mediaIssue, ModelFacts } from "../model/facts.ts"
import * as Instrumenting from "../observe/instrumenting.ts"
import type { Encode } from "../protocol/Protocol.ts"
import { hasSchemas } from "../protocol/schema/compiler.ts"
import { addressedTo, leftOut } from "../service/addressee.ts"
import { optionsIssue } from "../service/checked.ts"
import { withDefaults } from "../service/layerDefaults.ts"
import type { Call, JsonCall, JsonReading } from "../transport/Call.ts"
import * as Transport from "../transport/loading.ts"
import { credential as aCredential } from "../validation/credential.ts"
import { headerIssue, joinedHeaders, sentHeaders } from "../validation/headers.ts"
import { relations, shape } from "../validation/request.ts"
import { readBaseUrl } from "./baseUrl.ts"
import * as Credentials from "./Credentials.ts"
import type { Definition, Options } from "./definition.ts"
import { invalidity, spell, spellWhole, unspellable } from "./encoding.ts"
import { listedPages, pageReading } from "./listing.ts"
import { merged } from "./merging.ts"
import { issueOf } from "./options.ts"
import { type Made, withRenewal } from "./renewing.ts"

/** A key pasted with a line break would make an invalid header. */
const valueOf = (key: Redacted.Redacted<string>): string => Redacted.value(key).trim()

/**
 * Makes a service of a definition. Fails with reason `Configuration` when an option cannot be, such as a base URL that is not an HTTP
 * URL, and names it.
 *
 * @stability stable
 * @category constructors
 * @since 0.1.0
 */
export const make = (
  definition: Definition,
  options: Options = {}
): Effect.Effect<LlmService.Service, LlmError.LlmError, HttpClient.HttpClient> =>
  Effect.gen(function*() {
    const wrong = issueOf(options)
    if (wrong !== undefined) {
      return yield* new LlmError.LlmError({
        provider: definition.id,
        model: "",
        operation: "layer",
        reason: new LlmError.Configuration({
          field: wrong.field,
          message: `${definition.name}: ${wrong.field}: ${wrong.message}`
        }),
        attempts: 1
      })
    }
    const defaultModel = options.model ?? definition.defaultModel
    const errorOf = (operation: LlmError.Operation, reason: LlmError.Reason, model = defaultModel ?? "") =>
      new LlmError.LlmError({ provider: definition.id, model, label: options.label, operation, reason, attempts: 1 })
    const base = readBaseUrl(definition, options.baseUrl)
    if ("_tag" in base) return yield* errorOf("layer", base)
    const { defaults = {} } = options
    yield* Effect.all([Transport.prepared(definition.protocol, hasSchemas(defaults)), Instrumenting.prepared], {
      concurrency: 2,
      discard: true
    })
    const transport = Transport.make(yield* HttpClient.HttpClient)
    const credentials = Credentials.parts(options.apiKey)
    // Also of calls that do not send them: a server may remember.
    const layer = {
      url: base.withQuery(base.url),
      headers: { ...options.headers, ...options.defaults?.headers },
      secrets: []
    }
    const facts = new ModelFacts(definition.id, definition.catalogue, options.models)

    const credential = (
      request: { readonly apiKey?: Redacted.Redacted<string> | undefined },
      operation: LlmError.Operation
    ): Effect.Effect<string | undefined, LlmError.LlmError> => {
      if (request.apiKey !== undefined) return keyOf(request.apiKey, operation)
      if (credentials.get === undefined) {
        return definition.auth.type === "none" || definition.sign !== undefined ?
          Effect.undefined :
          Effect.fail(errorOf(
            operation,
            new LlmError.Configuration({
              field: "apiKey",
              message: `No API key for ${definition.name}. Set ${
                definition.env.apiKey[0] ?? "it"
              }, or give apiKey to the layer or the request.`
            })
          ))
      }
      return Effect.flatMap(credentials.get, (key) => keyOf(key, operation))
    }

    /** Of a request, or of the application's effect: whatever it is. */
    const keyOf = (key: Redacted.Redacted<string>, operation: LlmError.Operation) => {
      const issue = optionsIssue(aCredential, key)
      return issue === undefined
        ? Effect.succeed(valueOf(key))
        : Effect.fail(errorOf(
          operation,
          new LlmError.Configuration({ field: "apiKey", message: `apiKey of ${definition.name}: ${issue.message}` })
        ))
    }

    const sendable = <C extends { readonly headers: { readonly [name: string]: string } }>(
      call: C,
      operation: LlmError.Operation
    ): Effect.Effect<C, LlmError.LlmError> => {
      const issue = headerIssue(call.headers)
      if (issue === undefined) return Effect.succeed(call)
      const field = `headers${issue.field}`
      return Effect.fail(
        errorOf(operation, new LlmError.Configuration({ field, message: `${field}: ${issue.message}` }))
      )
    }

    const authenticate = (headers: Record<string, string>, key: string | undefined) => {
      if (key === undefined || key === "") return
      if (definition.auth.type === "header") headers[definition.auth.name] = key
      else headers["authorization"] = `Bearer ${key}`
    }

    const signed = <
      C extends Pick<JsonCall, "url" | "headers" | "body" | "secrets">
    >(call: C, method: "GET" | "POST", key: string | undefined, made?: Made): Effect.Effect<C, LlmError.LlmError> => {
      if (definition.sign === undefined || (key !== undefined && key !== "")) return Effect.succeed(call)
      const type = call.body === undefined ? undefined : { "content-type": "application/json" }
      return Effect.map(
        definition.sign({
          method,
          url: call.url,
          headers: { ...call.headers, ...type },
          body: typeof call.body === "string" ? call.body : ""
        }),
        ({ headers, secrets, signedWith }) => {
          if (made !== undefined) made.used = signedWith
          return { ...call, headers: { ...call.headers, ...headers }, secrets: [...call.secrets, ...secrets] }
        }
      )
    }

    const invalid = (operation: LlmError.Operation, issue: Issue, model?: string) =>
      Effect.fail(errorOf(operation, invalidity(issue), model))

    /** A request in the form of the wire. Total: what throws while it is read or spelled is a problem of the request. */
    const assemble = (
      given: LlmRequest,
      operation: "generate" | "stream" | "countTokens",
      encode: Encode
    ) => {
      let model = defaultModel
      try {
        const request = merged(given, options)
        model = request.model ?? model
        const wrong = relations(request)
        if (wrong !== undefined) return { issue: wrong, model }
        if (model === undefined) {
          return { issue: { field: "model", message: `${definition.name} has no default model: name one.` } }
        }
        const meta = facts.of(model)
        const media = mediaIssue(request, meta)
        if (media !== undefined) return { issue: media, model }
        const { encoded, streamed } = operation === "generate"
          ? spellWhole(definition, encode, request, { model, meta })
          : {
            encoded: spell(definition, encode, request, { model, stream: operation === "stream", meta }),
            streamed: false
          }
        if ("field" in encoded) return { issue: encoded, model }
        const url = `${base.url}${encoded.path}`
        if (!isBelow(base, url)) return { issue: { field: "model", message: "Leads to another address." }, model }
        return {
          request,
          model,
          encoded,
          streamed,
          contextWindow: meta?.contextWindow,
          url: base.withQuery(url),
          body: jsonText(encoded.body)
        }
      } catch (error) {
        return { issue: unspellable(definition, error), model }
      }
    }

    /** What spells a request, once it is there. */
    const encoderFor = (given: LlmRequest) =>
      Transport.encoderOf(definition.protocol, hasSchemas(given) || hasSchemas(defaults))

    const prepare = (
      given: LlmRequest,
      operation: "generate" | "stream",
      by?: Made,
      loaded?: Encode
    ): Effect.Effect<Call, LlmError.LlmError> =>
      Effect.suspend(() => {
        const issue = shape(given)
        if (issue !== undefined) return invalid(operation, issue)
        if (!facts.ready) return Effect.flatMap(facts.load, () => prepare(given, operation, by))
        const encoder = loaded ?? encoderFor(given)
        if (typeof encoder !== "function") {
          return Effect.matchEffect(encoder, {
            onFailure: (reason) => Effect.fail(errorOf(operation, reason, given.model)),
            onSuccess: (encode) => prepare(given, operation, by, encode)
          })
        }
        const made = assemble(given, operation, encoder)
        if ("issue" in made) return invalid(operation, made.issue, made.model)
        const { body, contextWindow, encoded, model, request, streamed, url } = made
        return Effect.flatMap(credential({ apiKey: request.apiKey ?? by?.apiKey }, operation), (key) =>
          Effect.withFiber((fiber) => {
            if (by !== undefined) by.used = key
            const seed = fiber.getRef(Random.Random).nextIntUnsafe()
            const headers = sentHeaders(joinedHeaders(encoded.headers, options.headers, request.headers))
            authenticate(headers, key)
            const call: Call = {
              protocol: definition.protocol,
              provider: definition.id,
              model,
              label: request.label ?? options.label,
              operation,
              url,
              headers,
              body,
              secrets: key === undefined || key === "" ? [] : [key],
              layer,
              timeouts: request.timeouts ?? {},
              warnings: [...leftOut(given, service.info), ...encoded.warnings],
              includeRaw: request.includeRaw === true,
              idSeed: `${Math.abs(seed).toString(36)}_`,
              streamed,
              contextWindow,
              toolNames: encoded.toolNames,
              calledItems: encoded.calledItems,
              schemas: encoded.schemas
            }
            return Effect.flatMap(
              sendable(call, operation),
              (call) =>
                Effect.flatMap(signed(call, "POST", key, by), (call) => sendable(call, operation))
            )
          }))
      })

    const { get, refresh } = credentials
    const lock = Semaphore.makeUnsafe(1)
    /** Who comes late finds what others have put in the place of the rejected key. */
    const renew = get !== undefined && refresh !== undefined
      ? (rejected: unknown) =>
        lock.withPermits(1)(Effect.flatMap(get, (kept) =>
          Effect.flatMap(keyOf(kept, "generate"), (value) =>
            value === rejected
              ? Effect.tap(refresh, (fresh) =>
                keyOf(fresh, "generate"))
              : Effect.succeed(kept))))
      : get === undefined && definition.renew !== undefined
      ? definition.renew
      : undefined

    const json = <A>(
      operation: LlmError.Operation,
      method: "GET" | "POST",
      url: string,
      reading: JsonReading<A>,
      body?: JsonObject,
      request: Pick<LlmRequest, "apiKey" | "headers" | "model"> = {}
    ): Effect.Effect<A, LlmError.LlmError> => {
      const made: Made = {}
      const attempt = (by: Made) =>
        once(operation, method, url, reading, body, request, by)
      return renew === undefined || request.apiKey !== undefined ? attempt(made) : Effect.catchIf(
        attempt(made),
        ({ reason }) => reason._tag === "Authentication",
        () => Effect.flatMap(renew(made.used), (apiKey) => attempt({ apiKey }))
      )
    }

    const once = <A>(
      operation: LlmError.Operation,
      method: "GET" | "POST",
      url: string,
      reading: JsonReading<A>,
      body: JsonObject | undefined,
      request: Pick<LlmRequest, "apiKey" | "headers" | "model">,
      by: Made
    ): Effect.Effect<A, LlmError.LlmError> =>
      Effect.flatMap(credential({ apiKey: request.apiKey ?? by.apiKey }, operation), (key) => {
        by.used = key
        const headers = sentHeaders(joinedHeaders(definition.headers, options.headers, request.headers))
        authenticate(headers, key)
        const call: JsonCall = {
          method,
          provider: definition.id,
          model: request.model ?? defaultModel ?? "",
          operation,
          url: base.withQuery(url),
          headers,
          body: body === undefined ? undefined : jsonText(body),
          secrets: key === undefined || key === "" ? [] : [key],
          layer,
          timeouts: options.timeouts ?? {}
        }
        return sendable(call, operation).pipe(
          Effect.flatMap((call) => signed(call, method, key, by)),
          Effect.flatMap((call) => sendable(call, operation)),
          Effect.flatMap((call) => transport.json(call, reading))
        )
      })

    const estimate = (given: LlmRequest): Effect.Effect<LlmService.TokenCount, LlmError.LlmError> => {
      try {
        return Effect.succeed({ inputTokens: inputTokens(merged(given, options)), estimated: true })
      } catch {
        return invalid("countTokens", { field: "request", message: "Cannot be read: a getter or proxy throws." })
      }
    }

    const countTokens = (
      given: LlmRequest,
      loaded?: Encode
    ): Effect.Effect<LlmService.TokenCount, LlmError.LlmError> =>
      Effect.suspend((): Effect.Effect<LlmService.TokenCount, LlmError.LlmError> => {
        const issue = shape(given)
        if (issue !== undefined) return invalid("countTokens", issue)
        if (definition.countTokens === undefined) return estimate(given)
        const encoder = loaded ?? encoderFor(given)
        if (typeof encoder !== "function") {
          return Effect.matchEffect(encoder, {
            onFailure: (reason) => Effect.fail(errorOf("countTokens", reason, given.model)),
            onSuccess: (encode) => countTokens(given, encode)
          })
        }
        const made = assemble(given, "countTokens", encoder)
        if ("issue" in made) {
          return made.model === undefined
            ? estimate(given)
            : invalid("countTokens", made.issue, made.model)
        }
        const { encoded, model, request } = made
        const count = definition.countTokens({ outgoing: encoded, model, baseUrl: base.url })
        if (!isBelow(base, count.url, "")) {
          return invalid("countTokens", { field: "model", message: "Leads to another address." }, model)
        }
        const reading: JsonReading<number> = {
          read: (answer) => {
            const found = count.read(answer)
            return typeof found === "number" && found >= 0 && found < Infinity ? found : undefined
          },
          nothing: "The provider's token count has no count in it."
        }
        return Effect.map(
          json("countTokens", "POST", count.url, reading, count.body, { ...request, model }),
          (inputTokens) => ({ inputTokens, estimated: false })
        )
      })

    const modelsUrl = definition.modelsUrl?.(base.url) ?? `${base.url}/models`
    const answering = (made?: Made): Pick<LlmService.Service, "generate" | "stream"> => ({
      generate: (request) => Effect.flatMap(prepare(request, "generate", made), transport.generate),
      stream: (request) =>
        Stream.fromChannel(
          Channel.fromTransform((_: unknown, scope: Scope) =>
            Effect.flatMap(
              prepare(request, "stream", made),
              (call) => Channel.toPullScoped(transport.stream(call).channel, scope)
            )
          )
        )
    })
    const service: LlmService.Service = {
      info: withDefaults({
        provider: definition.id,
        origin: base.origin,
        model: defaultModel ?? "",
        label: options.label,
        capabilities: definition.capabilities ?? {}
      }, options.defaults),
      ...answering(),
      countTokens: (request) => countTokens(request),
      models: Effect.flatMap(
        listedPages((url) => json("models", "GET", url, pageReading(definition)), modelsUrl),
        (listed) => facts.complete(listed)
      ),
      health: Effect.map(Effect.timed(json("health", "GET", modelsUrl, anyAnswer)), ([duration]) => ({
        latencyMillis: Duration.toMillis(duration)
      }))
    }
    const { countTokens: count, generate, stream, ...others } = Instrumenting.instrument(
      renew === undefined ? service : withRenewal(service, answering, renew)
    )
    return {
      ...others,
      generate: (request) => generate(addressedTo(request, service.info)),
      stream: (request) => stream(addressedTo(request, service.info)),
      countTokens: (request) => count(addressedTo(request, service.info))
    }
  })

/** What a probe asks of an answer: that it is JSON. */
const anyAnswer: JsonReading<true> = { read: () => true, nothing: "" }
