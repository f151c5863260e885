/**
 * Calls that wait for a person, as plain data: they can be stored, and answered in another process.
 *
 * Public through `Mcp`, which re-exports {@link Pending}.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { JsonObject } from "../../Message.ts"
import type { Elicitation } from "./options.ts"

const Elicited: Schema.Codec<Elicitation> = Schema.Struct({
  server: Schema.String,
  message: Schema.String,
  schema: Schema.optional(JsonObject),
  url: Schema.optional(Schema.String)
})

/**
 * A call whose server asks for something before it goes on. What the server keeps in it (`requestState`) is opaque; it is sent back as it
 * came, and to that server alone.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Pending {
  readonly version: 1
  /** The `idempotencyKey` of the run's call. */
  readonly id: string
  /** The run that the call belongs to. */
  readonly runId: string
  /** The model's id of the call. */
  readonly toolCallId: string
  /** Name of the server that waits. */
  readonly server: string
  /** The server's own name of the tool. */
  readonly tool: string
  /** Digest of the tool's definition. */
  readonly definition: string
  /** Arguments of the call, to send it again with the answers. */
  readonly arguments: JsonObject
  /** What is asked, by names that the answers are to carry. */
  readonly asks: { readonly [key: string]: Elicitation }
  /** How often the server has asked for this call. */
  readonly round: number
  /** What the server wants back with the answers; opaque. */
  readonly requestState?: string | undefined
  /** What was answered without a person. */
  readonly responses: { readonly [key: string]: JsonObject }
}

/**
 * Schema of {@link Pending}.
 *
 * @stability experimental
 * @category schemas
 * @since 0.1.0
 */
export const Pending: Schema.Codec<Pending> = Schema.Struct({
  version: Schema.Literal(1),
  id: Schema.String,
  runId: Schema.String,
  toolCallId: Schema.String,
  server: Schema.String,
  tool: Schema.String,
  definition: Schema.String,
  arguments: JsonObject,
  asks: Schema.Record(Schema.String, Elicited),
  round: Schema.Finite,
  requestState: Schema.optional(Schema.String),
  responses: Schema.Record(Schema.String, JsonObject)
})
