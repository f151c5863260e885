/**
 * A history of messages as a value: append, fork, edit, trim, save and load.
 *
 * Calls stay with their results whatever is cut. A revision counts the changes, so that of two writers of one stored conversation the
 * later one is told rather than overwriting what it has not read. Running tools is `Agent`'s business; what a provider is sent is the
 * wire's.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import { dual } from "effect/Function"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { parseJson } from "../json/parse.ts"
import { jsonText } from "../json/text.ts"
import * as Message from "../Message.ts"
import { inputTokens } from "../model/estimate.ts"

// =============================================================================
// Models
// =============================================================================

/**
 * A conversation. Plain JSON.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Conversation {
  /** The application's name for it, under which it is stored. */
  readonly id: string
  /** Counts stored changes; 0 for one that was never saved. */
  readonly revision: number
  /** The history, oldest first. */
  readonly messages: ReadonlyArray<Message.Message>
}

/**
 * Schema of {@link Conversation}.
 *
 * @stability experimental
 * @category schemas
 * @since 0.1.0
 */
export const Conversation: Schema.Codec<Conversation> = Schema.Struct({
  id: Schema.String,
  revision: Schema.Int,
  messages: Schema.Array(Message.Message)
})

/**
 * Somebody else saved the conversation since it was loaded. Load it again, and append what is new.
 *
 * @stability experimental
 * @category errors
 * @since 0.1.0
 */
export class Conflict extends Data.TaggedError("Conflict")<{
  /** Of the conversation that was to be saved. */
  readonly id: string
  /** Of the conversation that was to be saved. */
  readonly revision: number
  /** What happened, in a sentence. */
  readonly message: string
}> {}

/**
 * Where conversations are stored. `replace` writes only over the revision it is told, in one step, and says whether it did; revision 0
 * is of one that is not there. What is stored is JSON text.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Store<out E = never, out R = never> {
  /** The stored text and its revision; `undefined` when there is none under this id. */
  readonly load: (id: string) => Effect.Effect<
    {
      /** Counts stored changes, from 1. */
      readonly revision: number
      /** The JSON text as `replace` was given it. */
      readonly text: string
    } | undefined,
    E,
    R
  >
  /** Writes if the stored revision is the one given (0: if there is none), in one step, and counts it up; says whether it did. */
  readonly replace: (id: string, revision: number, text: string) => Effect.Effect<boolean, E, R>
}

// =============================================================================
// Values
// =============================================================================

/**
 * A conversation that begins with these messages.
 *
 * @stability experimental
 * @category constructors
 * @since 0.1.0
 */
export const make = (id: string, messages: ReadonlyArray<Message.Message> = []): Conversation => ({
  id,
  revision: 0,
  messages: [...messages]
})

/**
 * Adds messages at the end.
 *
 * @stability experimental
 * @category combinators
 * @since 0.1.0
 */
export const append: {
  (messages: ReadonlyArray<Message.Message>): (self: Conversation) => Conversation
  (self: Conversation, messages: ReadonlyArray<Message.Message>): Conversation
} = dual(2, (self: Conversation, messages: ReadonlyArray<Message.Message>): Conversation => ({
  ...self,
  messages: [...self.messages, ...messages]
}))

/** The nearest place up to `at` where no result would be parted from its call. */
const wholeUpTo = (messages: ReadonlyArray<Message.Message>, at: number): number => {
  let to = Math.max(0, Math.min(at, messages.length))
  while (to > 0 && to < messages.length && holdsResults(messages[to]!)) to--
  // An answer whose results come after it goes with them.
  return to
}

const holdsResults = (message: Message.Message): boolean =>
  Message.parts(message).some(({ type }) => type === "tool-result")

const openCalls = (message: Message.Message | undefined): boolean =>
  message?.role === "assistant" && Message.parts(message).some(({ type }) => type === "tool-call")

/**
 * Another conversation that begins as this one, up to a message. Calls whose results would be cut off are cut with them.
 *
 * @stability experimental
 * @category combinators
 * @since 0.1.0
 */
export const fork: {
  (id: string, upTo?: number): (self: Conversation) => Conversation
  (self: Conversation, id: string, upTo?: number): Conversation
} = dual(
  (args) => typeof args[0] !== "string",
  (self: Conversation, id: string, upTo: number = self.messages.length): Conversation =>
    make(id, self.messages.slice(0, wholeUpTo(self.messages, upTo)))
)

/**
 * Replaces a message of a user or of the system and drops all that came of it. `undefined` for a message that is not there or is
 * somebody else's: what a model said, and what its calls gave, is not edited.
 *
 * @stability experimental
 * @category combinators
 * @since 0.1.0
 */
export const edit: {
  (at: number, message: Message.Message): (self: Conversation) => Conversation | undefined
  (self: Conversation, at: number, message: Message.Message): Conversation | undefined
} = dual(3, (self: Conversation, at: number, message: Message.Message): Conversation | undefined => {
  const before = self.messages[at]
  if (before === undefined || before.role !== message.role || (before.role !== "user" && before.role !== "system")) {
    return undefined
  }
  if (holdsResults(before) || holdsResults(message)) return undefined
  return { ...self, messages: [...self.messages.slice(0, at), message] }
})

/**
 * Options of {@link trim}.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface TrimOptions {
  /** Counts the tokens of messages. @default four characters to a token */
  readonly tokensOf?: ((messages: ReadonlyArray<Message.Message>) => number) | undefined
}

/** Turns: each begins with a message of a user, and calls stand with their results. */
const turnsOf = (messages: ReadonlyArray<Message.Message>): ReadonlyArray<ReadonlyArray<Message.Message>> => {
  const turns: Array<Array<Message.Message>> = []
  messages.forEach((message, at) => {
    const begins = message.role === "user" && !holdsResults(message) && !openCalls(messages[at - 1])
    if (begins || turns.length === 0) turns.push([message])
    else turns.at(-1)!.push(message)
  })
  return turns
}

/**
 * Drops the oldest turns until the rest fits into so many tokens. Instructions at the beginning stay, a turn goes whole, calls with
 * their results, and the last turn always stays.
 *
 * @stability experimental
 * @category combinators
 * @since 0.1.0
 */
export const trim: {
  (maxTokens: number, options?: TrimOptions): (self: Conversation) => Conversation
  (self: Conversation, maxTokens: number, options?: TrimOptions): Conversation
} = dual(
  (args) => typeof args[0] !== "number",
  (self: Conversation, maxTokens: number, options: TrimOptions = {}): Conversation => {
    const tokensOf = options.tokensOf ?? ((messages) => messages.length === 0 ? 0 : inputTokens({ messages }))
    const first = self.messages.findIndex(({ role }) => role !== "system")
    const instructions = self.messages.slice(0, first === -1 ? self.messages.length : first)
    const turns = turnsOf(self.messages.slice(instructions.length))
    let tokens = tokensOf(instructions)
    let from = turns.length
    while (from > 0) {
      const more = tokensOf(turns[from - 1]!)
      if (from < turns.length && tokens + more > maxTokens) break
      tokens += more
      from--
    }
    return from === 0 ? self : { ...self, messages: [...instructions, ...turns.slice(from).flat()] }
  }
)

// =============================================================================
// Storing
// =============================================================================

const decode = Schema.decodeUnknownEffect(Conversation)

/**
 * Saves a conversation over the revision it was loaded with, and gives it with its new one. Fails with {@link Conflict} when somebody
 * else has saved it since.
 *
 * @stability experimental
 * @category storing
 * @since 0.1.0
 */
export const save = <E, R>(
  store: Store<E, R>,
  conversation: Conversation
): Effect.Effect<Conversation, E | Conflict, R> =>
  Effect.gen(function*() {
    const { id, revision } = conversation
    const saved: Conversation = { ...conversation, revision: revision + 1 }
    const done = yield* store.replace(id, revision, jsonText(saved))
    return done ? saved : yield* new Conflict({
      id,
      revision,
      message: `The conversation ${id} was saved by somebody else since revision ${revision}.`
    })
  })

/**
 * Loads a conversation, if there is one. Fails when what is stored is none.
 *
 * @stability experimental
 * @category storing
 * @since 0.1.0
 */
export const load = <E, R>(
  store: Store<E, R>,
  id: string
): Effect.Effect<Option.Option<Conversation>, E | Schema.SchemaError, R> =>
  Effect.gen(function*() {
    const stored = yield* store.load(id)
    if (stored === undefined) return Option.none()
    return Option.some({ ...yield* decode(parseJson(stored.text)), revision: stored.revision })
  })

/**
 * A store in memory, for tests and small programs.
 *
 * @stability experimental
 * @category storing
 * @since 0.1.0
 */
export const memoryStore: Effect.Effect<Store> = Effect.sync(() => {
  const entries = new Map<string, { readonly revision: number; readonly text: string }>()
  return {
    load: (id) => Effect.sync(() => entries.get(id)),
    replace: (id, revision, text) =>
      Effect.sync(() => {
        if ((entries.get(id)?.revision ?? 0) !== revision) return false
        entries.set(id, { revision: revision + 1, text })
        return true
      })
  }
})
