/**
 * Messages, parts and attributes: one conversation format for every provider.
 *
 * A `Message` is plain data, so it can be stored, sent and compared; what the constructors return can also be
 * piped, and is the same plain data. Provider specifics that must travel unchanged (reasoning signatures, encrypted
 * reasoning, server-tool blocks) are kept as opaque fields together with their `origin`, so that
 * a wire replays its own and drops foreign ones. Wires translate; nothing here knows a provider.
 *
 * @since 0.1.0
 */
import { dual } from "effect/Function"
import { type Pipeable, pipeArguments } from "effect/Pipeable"
import * as Schema from "effect/Schema"
import {
  type AudioPart,
  CacheControl,
  type FilePart,
  type ImagePart,
  JsonObject,
  Part,
  type TextPart,
  type ToolResultPart
} from "./message/parts.ts"

export * from "./message/parts.ts"

// =============================================================================
// Messages
// =============================================================================

/**
 * Who speaks.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export type Role = "system" | "user" | "assistant" | "tool"

/**
 * What a message carries beside its content.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface Attributes {
  /** Ends a cached prompt prefix at this message. */
  readonly cacheControl?: CacheControl | undefined
  /**
   * Ordering hint, higher first. It reorders only where roles and tool call/result adjacency stay legal.
   *
   * @default 0
   */
  readonly priority?: number | undefined
  /** Application data; never sent to a provider. */
  readonly metadata?: JsonObject | undefined
}

/**
 * One turn of a conversation. Plain data: an object literal of this shape is a message.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface Message {
  /** Who speaks. `tool` holds results of calls only; the wire puts them where its provider wants them. */
  readonly role: Role
  /** A string is short for one text part. */
  readonly content: string | ReadonlyArray<Part>
  /** What a message says beside its content: caching, priority, application data. */
  readonly attributes?: Attributes | undefined
}

/**
 * Schema of {@link Role}.
 *
 * @stability stable
 * @category schemas
 * @since 0.1.0
 */
export const Role: Schema.Codec<Role> = Schema.Literals(["system", "user", "assistant", "tool"])

/**
 * Schema of {@link Attributes}.
 *
 * @stability stable
 * @category schemas
 * @since 0.1.0
 */
export const Attributes: Schema.Codec<Attributes> = Schema.Struct({
  cacheControl: Schema.optional(CacheControl),
  priority: Schema.optional(Schema.Finite),
  metadata: Schema.optional(JsonObject)
})

/**
 * Schema of {@link Message}, for storing and loading conversations.
 *
 * @stability stable
 * @category schemas
 * @since 0.1.0
 */
export const Message: Schema.Codec<Message> = Schema.Struct({
  role: Role,
  content: Schema.Union([Schema.String, Schema.Array(Part)]),
  attributes: Schema.optional(Attributes)
})

// `pipe` as the accessor of a class, because that is what TypeScript leaves out of the type of `{ ...message }`.
declare abstract class Piped {
  get pipe(): Pipeable["pipe"]
}

/**
 * A message that the constructors and combinators made: the same plain data, which can be piped.
 *
 * `pipe` is not enumerable: such a message equals an object literal with the same fields, in Node's `deepStrictEqual` as in test
 * runners, and its keys, its JSON and its copies are those of the literal. A copy (`{ ...message }`, `structuredClone`, what a
 * schema decoded) has no `pipe`; give it to the combinators, or to `pipe` of `effect/Function`.
 *
 * `Equal.equals` of Effect looks at hidden properties too. `Schema.toEquivalence(Message.Message)` compares by the fields.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface PipeableMessage extends Message, Piped {}

const hiddenPipe: PropertyDescriptor & ThisType<Message> = {
  value() {
    return pipeArguments(this, arguments)
  }
}

const make = (role: Role, content: string | ReadonlyArray<Part>, attributes?: Attributes): PipeableMessage =>
  Object.defineProperty(
    attributes === undefined ? { role, content } : { role, content, attributes },
    "pipe",
    hiddenPipe
  ) as PipeableMessage

/**
 * A system message: instructions that rank above the user's.
 *
 * @stability stable
 * @category constructors
 * @since 0.1.0
 */
export const system = (content: string | ReadonlyArray<TextPart>): PipeableMessage => make("system", content)

/**
 * A user message.
 *
 * @example
 * ```ts
 * Message.user("Summarise this.").pipe(Message.cacheable, Message.priority(10))
 * ```
 *
 * @stability stable
 * @category constructors
 * @since 0.1.0
 */
export const user = (
  content: string | ReadonlyArray<TextPart | ImagePart | FilePart | AudioPart>
): PipeableMessage => make("user", content)

/**
 * An assistant message. To go on after a response, append `response.message` instead.
 *
 * @stability stable
 * @category constructors
 * @since 0.1.0
 */
export const assistant = (content: string | ReadonlyArray<Part>): PipeableMessage => make("assistant", content)

/**
 * The answer to a tool call.
 *
 * @stability stable
 * @category constructors
 * @since 0.1.0
 */
export const toolResult = (
  call: {
    /** `id` of the call that it answers. */
    readonly id: string
    /** Name of the tool; some wires need it. @default looked up from the call */
    readonly name?: string | undefined
  },
  content: ToolResultPart["content"],
  options?: {
    /** The tool failed, and the content tells the model why. @default false */
    readonly isError?: boolean | undefined
  }
): PipeableMessage =>
  make("tool", [{
    type: "tool-result",
    toolCallId: call.id,
    ...(call.name === undefined ? undefined : { name: call.name }),
    content,
    ...(options?.isError === undefined ? undefined : { isError: options.isError })
  }])

/**
 * One tool message with several results.
 *
 * @stability stable
 * @category constructors
 * @since 0.1.0
 */
export const tool = (content: ReadonlyArray<ToolResultPart>): PipeableMessage => make("tool", content)

// =============================================================================
// Combinators
// =============================================================================

/**
 * Changes attributes, keeping the others.
 *
 * @stability stable
 * @category combinators
 * @since 0.1.0
 */
export const withAttributes: {
  (attributes: Attributes): (self: Message) => PipeableMessage
  (self: Message, attributes: Attributes): PipeableMessage
} = dual(
  2,
  (self: Message, attributes: Attributes) => make(self.role, self.content, { ...self.attributes, ...attributes })
)

/**
 * Caches the prompt up to and including this message for 5 minutes.
 *
 * @stability stable
 * @category combinators
 * @since 0.1.0
 */
export const cacheable = (self: Message): PipeableMessage => withAttributes(self, { cacheControl: "ephemeral" })

/**
 * Caches the prompt up to and including this message for 1 hour.
 *
 * @stability stable
 * @category combinators
 * @since 0.1.0
 */
export const cacheableExtended = (self: Message): PipeableMessage => withAttributes(self, { cacheControl: "extended" })

/**
 * Sets the ordering hint, higher first.
 *
 * @stability stable
 * @category combinators
 * @since 0.1.0
 */
export const priority: {
  (priority: number): (self: Message) => PipeableMessage
  (self: Message, priority: number): PipeableMessage
} = dual(2, (self: Message, priority: number) => withAttributes(self, { priority }))

/**
 * Adds application data that never leaves the process.
 *
 * @stability stable
 * @category combinators
 * @since 0.1.0
 */
export const metadata: {
  (metadata: JsonObject): (self: Message) => PipeableMessage
  (self: Message, metadata: JsonObject): PipeableMessage
} = dual(
  2,
  (self: Message, metadata: JsonObject) =>
    withAttributes(self, { metadata: { ...self.attributes?.metadata, ...metadata } })
)

// =============================================================================
// Accessors
// =============================================================================

/**
 * The content as parts.
 *
 * @stability stable
 * @category accessors
 * @since 0.1.0
 */
export const parts = (self: Message): ReadonlyArray<Part> =>
  typeof self.content === "string" ? [{ type: "text", text: self.content }] : self.content

/**
 * All text of a message, joined without separators.
 *
 * @stability stable
 * @category accessors
 * @since 0.1.0
 */
export const textOf = (self: Message): string => {
  if (typeof self.content === "string") return self.content
  let out = ""
  for (const part of self.content) if (part.type === "text") out += part.text
  return out
}
