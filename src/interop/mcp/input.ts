/**
 * What a server may ask of its client: a person, a model, or which directories there are. The same for both eras: a request of its own in
 * the older ones, a part of an unfinished answer in that of 2026-07-28.
 *
 * https://modelcontextprotocol.io/specification/2025-11-25/client/elicitation,
 * https://modelcontextprotocol.io/specification/2025-11-25/client/sampling
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type { LlmResponse } from "../../LlmResponse.ts"
import type { Json, JsonObject, Message } from "../../Message.ts"
import { cap } from "../../transport/secrets/Redaction.ts"
import { misfits } from "../../validation/jsonSchema/misfits.ts"
import { partsOf } from "./content.ts"
import { McpError } from "./errors.ts"
import type { Bounds } from "./limits.ts"
import type { Elicitation, ElicitationAnswer, Sampling, ServerOptions } from "./options.ts"
import { isObject } from "./values.ts"

/** The answer to an input request, or that it comes later. @stability experimental @category models @since 0.1.0 */
export type Answered =
  | { readonly _tag: "Now"; readonly response: JsonObject }
  | { readonly _tag: "Later"; readonly elicitation: Elicitation }

/** How often a model may still be asked in the course of a call. @stability experimental @category models @since 0.1.0 */
export interface Budget {
  left: number
}

/** UTF-8 bytes of what a server says to a person. */
const maxMessage = 16 * 1024

const defaultMaxTokens = 1024

/** Answers of a model in one call. @stability experimental @category limits @since 0.1.0 */
export const maxRequestsOf = (sampling: Sampling | undefined): number =>
  sampling === undefined ? 0 : sampling.maxRequests ?? 8

/** Reads what a server wants of a person; nothing when it is no such thing. */
const elicitationOf = (server: string, params: unknown): Elicitation | undefined => {
  if (!isObject(params) || typeof params.message !== "string") return undefined
  const message = cap(params.message, maxMessage)
  if (params.mode === "url") {
    const url = typeof params.url === "string" && URL.canParse(params.url) ? new URL(params.url) : undefined
    // A page that is opened for a person is one of the web, or nothing.
    return url !== undefined && /^https?:$/.test(url.protocol) ? { server, message, url: url.href } : undefined
  }
  if (params.mode !== undefined && params.mode !== "form") return undefined
  const schema = isObject(params.requestedSchema) ? params.requestedSchema as JsonObject : { type: "object" }
  return { server, message, schema }
}

/** What is wrong with an answer. @stability experimental @category checks @since 0.1.0 */
export const wrongWith = ({ schema }: Elicitation, answer: ElicitationAnswer): string | undefined => {
  if (answer.action !== "accept" || schema === undefined) return undefined
  const [first] = misfits(schema, answer.content ?? {})
  return first === undefined ? undefined : `${first.path === "" ? "content" : first.path}: ${first.message}`
}

/** An answer as the protocol has it. @stability experimental @category encoding @since 0.1.0 */
export const responseOf = ({ schema }: Elicitation, { action, content }: ElicitationAnswer): JsonObject =>
  action === "accept" && schema !== undefined ? { action, content: content ?? {} } : { action }

/** Answers what a server asks. @stability experimental @category constructors @since 0.1.0 */
export const inputs = (server: string, options: ServerOptions, bounds: Bounds) => {
  const refuse = (message: string) =>
    new McpError({ server, kind: "InputRequired", message: `${server} asked for ${message}.` })

  const elicit = (params: unknown): Effect.Effect<Answered, McpError> => {
    const elicitation = elicitationOf(server, params)
    if (elicitation === undefined) return Effect.fail(refuse("something that cannot be shown to a person"))
    const asked = options.elicit === undefined
      ? Effect.succeed(undefined)
      : Effect.catchCause(
        Effect.suspend(() => options.elicit!(elicitation)),
        () => Effect.succeed<ElicitationAnswer>({ action: "cancel" })
      )
    return Effect.flatMap(asked, (answer): Effect.Effect<Answered, McpError> => {
      if (answer === undefined) return Effect.succeed({ _tag: "Later", elicitation })
      const wrong = wrongWith(elicitation, answer)
      return wrong === undefined
        ? Effect.succeed({ _tag: "Now", response: responseOf(elicitation, answer) })
        : Effect.fail(refuse(`fields, and the answer does not fit: ${wrong}`))
    })
  }

  const sample = (params: unknown, budget: Budget): Effect.Effect<Answered, McpError> =>
    Effect.gen(function*() {
      const { sampling } = options
      if (sampling === undefined) return yield* refuse("a model, and there is none for it")
      if (budget.left-- <= 0) return yield* refuse("a model more often than it may")
      const messages = isObject(params) ? messagesOf(params.messages, bounds) : undefined
      if (!isObject(params) || messages === undefined) return yield* refuse("something of a model that cannot be read")
      const allowed = sampling.allow === undefined ||
        (yield* Effect.catchCause(sampling.allow({ server, messages }), () => Effect.succeed(false)))
      if (!allowed) return yield* refuse("a model, and may not")
      const most = sampling.maxTokens ?? defaultMaxTokens
      const { maxTokens, stopSequences, systemPrompt, temperature } = params
      const response = yield* Effect.mapError(
        sampling.service.generate({
          messages,
          maxTokens: typeof maxTokens === "number" && maxTokens >= 1 ? Math.min(Math.floor(maxTokens), most) : most,
          ...(typeof systemPrompt === "string" ? { system: systemPrompt } : undefined),
          ...(typeof temperature === "number" ? { temperature } : undefined),
          ...(Array.isArray(stopSequences)
            ? { stop: stopSequences.filter((one) => typeof one === "string").slice(0, 4) }
            : undefined)
        }),
        // What went wrong with our provider is none of the server's business.
        () => refuse("a model, which did not answer")
      )
      return { _tag: "Now", response: sampledOf(response) } as const
    })

  /** Answers a request of the server, which may be anything. */
  return (request: unknown, budget: Budget): Effect.Effect<Answered, McpError> => {
    const params = isObject(request) ? request.params : undefined
    switch (isObject(request) ? request.method : undefined) {
      case "elicitation/create":
        return elicit(params)
      case "sampling/createMessage":
        return sample(params, budget)
      case "roots/list":
        return options.roots === undefined
          ? Effect.fail(refuse("directories, and there are none for it"))
          : Effect.succeed({
            _tag: "Now",
            response: {
              roots: options.roots.map(({ name, uri }) => ({ uri, ...(name === undefined ? undefined : { name }) }))
            }
          })
      default:
        return Effect.fail(refuse("something that is not known"))
    }
  }
}

const stopReasons: { readonly [reason: string]: string } = {
  stop: "endTurn",
  length: "maxTokens",
  "tool-calls": "toolUse"
}

const sampledOf = ({ finishReason, model, rawFinishReason, text }: LlmResponse): JsonObject => ({
  role: "assistant",
  model,
  content: { type: "text", text },
  stopReason: stopReasons[finishReason] ?? rawFinishReason ?? finishReason
})

/** The messages of a server, if they are such. @stability experimental @category reading @since 0.1.0 */
export const messagesOf = (given: unknown, bounds: Bounds): ReadonlyArray<Message> | undefined => {
  if (!Array.isArray(given) || given.length === 0) return undefined
  const messages: Array<Message> = []
  for (const message of given as ReadonlyArray<unknown>) {
    if (!isObject(message) || (message.role !== "user" && message.role !== "assistant")) return undefined
    const blocks = (Array.isArray(message.content) ? message.content : [message.content]) as ReadonlyArray<Json>
    messages.push({ role: message.role, content: partsOf(blocks, bounds) })
  }
  return messages
}
