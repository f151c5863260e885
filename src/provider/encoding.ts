/**
 * A request of a definition on its way out: spelled by its wire, with the fields of the provider's own, before authentication.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import { setOwn } from "../json/own.ts"
import * as LlmError from "../LlmError.ts"
import type { Issue, LlmRequest } from "../LlmRequest.ts"
import type { JsonObject } from "../Message.ts"
import type { ModelMeta } from "../Model.ts"
import type { Encode, Encoded } from "../protocol/Protocol.ts"
import { hasSchemas } from "../protocol/schema/compiler.ts"
import { encoderOf } from "../transport/loading.ts"
import { shape } from "../validation/request.ts"
import { fields, rooted, under } from "../validation/values.ts"
import type { Definition, Outgoing } from "./definition.ts"

const optionsOf = (request: LlmRequest, id: string): JsonObject =>
  (request.providerOptions as { readonly [id: string]: JsonObject } | undefined)?.[id] ?? {}

/**
 * A request on its way out, before authentication, and what its answer is read by.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export type Spelled = Outgoing & Pick<Encoded, "warnings" | "toolNames" | "calledItems" | "schemas">

/**
 * What a request is spelled for.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface Asked {
  readonly model: string
  readonly stream: boolean
  readonly meta: ModelMeta | undefined
}

/**
 * A request as it is sent, or why it cannot be. Pure, once what spells it is there.
 *
 * @stability stable
 * @category encoding
 * @since 0.1.0
 */
export const spell = (
  definition: Definition,
  encode: Encode,
  request: LlmRequest,
  { meta, model, stream }: Asked
): Spelled | Issue => {
  const options = optionsOf(request, definition.id)
  const wrong = definition.ownOptions === undefined ? undefined : fields(definition.ownOptions)(options)
  if (wrong !== undefined) return rooted(under(`providerOptions.${definition.id}`, wrong), "providerOptions")!
  const encoded = encode({
    request,
    model,
    stream,
    provider: definition.id,
    meta,
    docs: definition.docs
  })
  if ("refused" in encoded) return encoded.refused
  let body = encoded.body
  const extra = Object.keys(options)
  if (extra.length > 0) {
    const bodyOptions: Record<string, JsonObject[string]> = {}
    for (const key of extra) {
      if (!definition.nonBodyOptions?.includes(key)) setOwn(bodyOptions, key, options[key]!)
    }
    body = { ...body, ...bodyOptions }
  }
  const outgoing: Outgoing = {
    path: encoded.path,
    headers: { ...definition.headers, ...encoded.headers },
    body
  }
  const finished = definition.finish?.(outgoing, options) ?? outgoing
  if ("field" in finished) return finished
  const { calledItems, schemas, toolNames, warnings } = encoded
  return { ...finished, warnings, toolNames, calledItems, schemas }
}

/**
 * The request of a `generate`, and whether it asks for a stream that is folded below.
 *
 * @stability stable
 * @category encoding
 * @since 0.1.0
 */
export const spellWhole = (
  definition: Definition,
  encode: Encode,
  request: LlmRequest,
  asked: Omit<Asked, "stream">
) => {
  const by = (stream: boolean) => spell(definition, encode, request, { ...asked, stream })
  if (request.whole === "streamed") return { encoded: by(true), streamed: true }
  const encoded = by(false)
  const streamed = request.whole !== "whole" && !("field" in encoded) &&
    definition.streamsWhole?.({ model: asked.model, body: encoded.body }) === true
  return { encoded: streamed ? by(true) : encoded, streamed }
}

/**
 * The request body and headers of a definition, before authentication, as probes and tests want to see them. The request is taken as it
 * is, without the defaults of a layer. Fails with reason `Validation` when it cannot be spelled, and with `Network` when a module that
 * it needs cannot be loaded.
 *
 * @stability stable
 * @category encoding
 * @since 0.1.0
 */
export const encode = (
  definition: Definition,
  request: LlmRequest,
  model: string,
  stream: boolean,
  meta?: ModelMeta | undefined
): Effect.Effect<Spelled, LlmError.LlmError> => {
  const operation = stream ? "stream" as const : "generate" as const
  const fail = (reason: LlmError.Reason) =>
    Effect.fail(new LlmError.LlmError({ provider: definition.id, model, operation, reason, attempts: 1 }))
  return Effect.suspend(() => {
    const issue = shape(request)
    if (issue !== undefined) return fail(invalidity(issue))
    const encoder = encoderOf(definition.protocol, hasSchemas(request))
    const spelled = (encode: Encode) => {
      try {
        const made = spell(definition, encode, request, { model, stream, meta })
        return "field" in made ? fail(invalidity(made)) : Effect.succeed(made)
      } catch (error) {
        return fail(invalidity(unspellable(definition, error)))
      }
    }
    return typeof encoder === "function" ? spelled(encoder) : Effect.matchEffect(encoder, {
      onFailure: fail,
      onSuccess: spelled
    })
  })
}

/** A request that cannot be sent. @stability stable @category errors @since 0.1.0 */
export const invalidity = ({ field, message }: Issue): LlmError.Reason =>
  new LlmError.Validation({ field, message: `${field}: ${message}` })

/** What threw while a request was read or spelled is a problem of the request. @stability stable @category errors @since 0.1.0 */
export const unspellable = ({ name }: Definition, error: unknown): Issue => {
  const why = error instanceof Error ? `: ${String(error.message).slice(0, 200)}` : ""
  return { field: "request", message: `Cannot be put into the form of ${name}${why}.` }
}
