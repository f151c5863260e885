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
import type { Warning } from "../LlmResponse.ts"
import type { JsonObject } from "../Message.ts"
import { joinedHeaders } from "../validation/headers.ts"
import { record } from "./Probe.ts"
import type { Encoded, EncodeInput, Refused } from "./Protocol.ts"

/**
 * How a wire spells any request, and where it sends it to.
 *
 * @stability experimental
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
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Received {
  readonly wire: string
  readonly body: JsonObject
  /** The request as it is now: the body that came, with what has changed since. */
  readonly spell: (input: EncodeInput, spelling: Spelling) => Encoded | Refused
  /** Headers that are a part of the request on its wire, such as the beta features it uses. */
  readonly headers?: { readonly [name: string]: string } | undefined
  /** What gets lost on any other wire. */
  readonly losses?: ReadonlyArray<Warning> | undefined
  /** The member in which streams are asked for their usage, on wires that tell it only then. */
  readonly usage?: string | undefined
  readonly terms?: Terms | undefined
}

/**
 * What whoever passes a request on asks of its spelling.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Terms {
  /** Refuses the request where something would be left out. @default false: warnings tell */
  readonly strict?: boolean | undefined
  /** Asks a stream for its usage although the client did not. @default false */
  readonly counted?: boolean | undefined
}

const symbol = Symbol.for("effect-llm/Received")

/** Kept apart from the requests, which show a note only, so that nobody can make one up. */
const received = new WeakMap<object, Received>()

/**
 * The request that was read, which remembers what it was read from.
 *
 * @stability experimental
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
 * @stability experimental
 * @category accessors
 * @since 0.1.0
 */
export const receivedOf = (request: LlmRequest): Received | undefined => {
  const note = (request as { readonly [symbol]?: unknown })[symbol]
  return typeof note === "object" && note !== null ? received.get(note) : undefined
}

/**
 * The request on terms of whoever passes it on. One that an application made has none.
 *
 * @stability experimental
 * @category constructors
 * @since 0.1.0
 */
export const onTerms = (request: LlmRequest, terms: Terms): LlmRequest => {
  const known = receivedOf(request)
  return known === undefined ? request : remember(request, { ...known, terms })
}

/** As it came, with what belongs to it beside its body. */
const carried = (known: Received, input: EncodeInput, spelling: Spelling): Encoded | Refused => {
  const made = known.spell(input, spelling)
  if ("refused" in made) return made
  const headers = known.headers === undefined ? made.headers : joinedHeaders(known.headers, made.headers)
  const { usage } = known
  const asking = usage === undefined || known.terms?.counted !== true || !input.stream
    ? undefined
    : spelling.encode(input)
  const asked = asking === undefined || "refused" in asking ? undefined : record(asking.body[usage!])
  return {
    ...made,
    ...(headers === undefined ? undefined : { headers }),
    ...(asked === undefined
      ? undefined
      : { body: { ...made.body, [usage!]: { ...record(made.body[usage!]), ...asked } as JsonObject } })
  }
}

const withLosses = (made: Encoded | Refused, { losses = [] }: Received): Encoded | Refused =>
  "refused" in made || losses.length === 0 ? made : { ...made, warnings: [...made.warnings, ...losses] }

/** What a request is on another wire than the one it came in on: without the tools that only that vendor knows. */
const translated = (input: EncodeInput, spelling: Spelling): Encoded | Refused => {
  const { request } = input
  const own = (request.tools ?? []).filter((tool) => tool.type === "provider")
  if (own.length === 0) return spelling.encode(input)
  const { toolChoice, tools: _, ...others } = request
  const tools = request.tools!.filter((tool) => tool.type !== "provider")
  const chosen = typeof toolChoice === "object" && own.some(({ name }) => name === toolChoice.name)
  const made = spelling.encode({
    ...input,
    request: tools.length === 0
      ? others
      : { ...others, tools, ...(toolChoice === undefined || chosen ? undefined : { toolChoice }) }
  })
  if ("refused" in made) return made
  const warnings = own.map(({ name }) => ({
    field: "tools",
    message: `"${name}" is the vendor's own, of which this wire knows nothing; it was left out.`
  }))
  return { ...made, warnings: [...made.warnings, ...warnings] }
}

/**
 * Encodes a request; one that came in on this wire as it came, but for what was changed.
 *
 * @stability experimental
 * @category encoding
 * @since 0.1.0
 */
export const verbatim = (wire: string, input: EncodeInput, spelling: Spelling): Encoded | Refused => {
  const known = receivedOf(input.request)
  if (known === undefined) return spelling.encode(input)
  const made = known.wire === wire
    ? carried(known, input, spelling)
    : withLosses(translated(input, spelling), known)
  const lost = known.terms?.strict === true && !("refused" in made) ? made.warnings[0] : undefined
  return lost === undefined
    ? made
    : { refused: { field: lost.field, message: `Cannot be carried to ${input.provider}: ${lost.message}` } }
}
