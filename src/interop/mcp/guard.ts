/**
 * Stands between the SDK and a transport: no request waits for an answer that cannot come any more, no answer is larger or deeper than is
 * read, and what is not quite the protocol is made so.
 *
 * The SDK (2.4) leaves a request waiting for its time limit when the stream that was to bring the answer ends without it, over HTTP in both
 * eras. A transport may tell of that end (`onRequestStreamEnd`); here it becomes the answer.
 *
 * @since 0.1.0
 */
import type { JSONRPCMessage, Transport, TransportSendOptions } from "@modelcontextprotocol/client"
import { isValueTooDeep, parseJson } from "../../json/parse.ts"
import { lostMark, tooDeepMark, tooLargeMark } from "./errors.ts"
import { tidied } from "./tidy.ts"
import { isObject } from "./values.ts"

type Id = string | number

/** A transport that is watched. @stability experimental @category models @since 0.1.0 */
export interface Guarded {
  readonly transport: Transport
  /** Answers the request of this body in the server's place: its answer is too large. */
  readonly tooLarge: (body: unknown) => void
  /** Answers the request of this body in the server's place: its answer is none. */
  readonly unanswered: (body: unknown) => void
}

const idOf = (message: unknown): Id | undefined => {
  const id = isObject(message) ? message.id : undefined
  return typeof id === "string" || typeof id === "number" ? id : undefined
}

/** Requests that have a way of their own to learn of the end. */
const ownEnd = "subscriptions/listen"

/** Watches a transport that was not started yet. @stability experimental @category constructors @since 0.1.0 */
export const guard = (
  transport: Transport,
  options: { readonly initialize: (params: unknown) => unknown }
): Guarded => {
  const open = new Map<Id, string>()
  let handler: Transport["onmessage"]

  const answer = (id: Id, message: string, data: object) => {
    if (!open.delete(id)) return
    handler?.({ jsonrpc: "2.0", id, error: { code: -32_000, message, data } })
  }

  const received = (message: JSONRPCMessage): JSONRPCMessage => {
    const id = "method" in message ? undefined : idOf(message)
    const method = id === undefined ? undefined : open.get(id)
    if (id !== undefined) open.delete(id)
    if (isValueTooDeep(message)) {
      return id === undefined
        ? { jsonrpc: "2.0", method: "notifications/message" }
        : { jsonrpc: "2.0", id, error: { code: -32_000, message: "too deep", data: tooDeepMark } }
    }
    return method !== undefined && "result" in message
      ? { ...message, result: tidied(method, message.result) } as JSONRPCMessage
      : message
  }

  Object.defineProperty(transport, "onmessage", {
    configurable: true,
    get: () => {
      const current = handler
      return current && ((message: JSONRPCMessage, extra?: never) => current(received(message), extra))
    },
    set: (next: Transport["onmessage"]) => {
      handler = next
    }
  })

  const send = transport.send.bind(transport)
  transport.send = (message: JSONRPCMessage, given: TransportSendOptions = {}) => {
    const id = idOf(message)
    if ("method" in message && message.method === "notifications/cancelled") {
      const cancelled = message.params?.requestId
      if (typeof cancelled === "string" || typeof cancelled === "number") open.delete(cancelled)
    }
    if (id === undefined || !("method" in message) || message.method === ownEnd) return send(message, given)
    open.set(id, message.method)
    const aborted = () => void open.delete(id)
    given.requestSignal?.addEventListener("abort", aborted, { once: true })
    const changed = message.method === "initialize"
      ? { ...message, params: options.initialize(message.params) } as JSONRPCMessage
      : message
    return send(changed, {
      ...given,
      onRequestStreamEnd: () => {
        given.requestSignal?.removeEventListener("abort", aborted)
        given.onRequestStreamEnd?.()
        answer(id, "lost", lostMark)
      }
    }).catch((error: unknown) => {
      open.delete(id)
      throw error
    })
  }

  /** Answers of ours have ids as well, of the server's requests. */
  const requestOf = (body: unknown): Id | undefined => {
    const message = typeof body === "string" ? parseJson(body) : undefined
    return isObject(message) && "method" in message ? idOf(message) : undefined
  }

  return {
    transport,
    tooLarge: (body) => {
      const id = requestOf(body)
      if (id !== undefined) answer(id, "too large", tooLargeMark)
    },
    unanswered: (body) => {
      const id = requestOf(body)
      if (id !== undefined) answer(id, "lost", lostMark)
    }
  }
}
