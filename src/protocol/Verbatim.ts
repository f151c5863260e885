/**
 * A request that leaves on the wire it came in on is sent as it came: every block, field, order and unknown member, whatever this
 * library knows of them. Only what was changed since differs.
 *
 * What a server reads off a body is a view of it, and the view remembers the body: copies of the request do too, as
 * `{ ...request, temperature: 0 }` makes them, and what is stored or sent elsewhere does not. The encoder of the same wire then lets
 * what was remembered spell the request. How is the server's business (`server/Changes`), so that providers do not carry it along.
 *
 * Providers refuse a conversation whose thinking was rebuilt, and a rebuilt prefix is not found in their caches.
 *
 * @since 0.1.0
 */
import type { LlmRequest } from "../LlmRequest.ts"
import type { JsonObject } from "../Message.ts"
import type { Encoded, EncodeInput, Refused } from "./Protocol.ts"

/**
 * How a wire spells any request, and where it sends it to.
 *
 * @category models
 * @since 0.1.0
 */
export interface Spelling {
  readonly encode: (input: EncodeInput) => Encoded | Refused
  readonly path: (input: EncodeInput) => string | Refused
}

/**
 * A request as it came in on a wire.
 *
 * @category models
 * @since 0.1.0
 */
export interface Received {
  readonly wire: string
  readonly body: JsonObject
  /** The request as it is now: the body that came, with what has changed since. */
  readonly spell: (input: EncodeInput, spelling: Spelling) => Encoded | Refused
}

const symbol = Symbol.for("effect-llm/Received")

/** Kept apart from the requests, which show a note only, so that nobody can make one up. */
const received = new WeakMap<object, Received>()

/**
 * The request that was read, which remembers what it was read from.
 *
 * @category constructors
 * @since 0.1.0
 */
export const remember = (request: LlmRequest, from: Received): LlmRequest => {
  const note = {}
  received.set(note, from)
  return Object.assign({ ...request }, { [symbol]: note })
}

/**
 * What a request was read from; `undefined` for one that an application made.
 *
 * @category accessors
 * @since 0.1.0
 */
export const receivedOf = (request: LlmRequest): Received | undefined => {
  const note = (request as { readonly [symbol]?: unknown })[symbol]
  return typeof note === "object" && note !== null ? received.get(note) : undefined
}

/**
 * Encodes a request; one that came in on this wire as it came, but for what was changed.
 *
 * @category encoding
 * @since 0.1.0
 */
export const verbatim = (wire: string, input: EncodeInput, spelling: Spelling): Encoded | Refused => {
  const known = receivedOf(input.request)
  return known?.wire === wire ? known.spell(input, spelling) : spelling.encode(input)
}
