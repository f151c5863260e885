/**
 * Making room in a context that has grown past the model's window.
 *
 * Whole turns at the beginning are left out or stood for; calls stay with their results, because the history is cut only where no
 * result would lose its call.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type { Message } from "../../Message.ts"
import type { Compaction, State } from "../run/state.ts"

/**
 * Says what stands for the beginning of a history, or `undefined` when nothing can be done.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export type Compact<E = never, R = never> = (state: State) => Effect.Effect<Compaction | undefined, E, R>

/** The last place, leaving at least so many messages, at which the history can be cut. */
const placeOf = (messages: ReadonlyArray<Message>, keep: number): number => {
  let at = Math.max(0, messages.length - keep)
  while (at > 0 && messages[at]?.role === "tool") at--
  return at
}

/** Sends the history without the contents of all but the last tool results. */
export const dropResults = (options: {
  /** Messages at the end that stay as they are. @default 4 */
  readonly keep?: number | undefined
} = {}): Compact =>
({ compaction, messages }) => {
  const upTo = placeOf(messages, options.keep ?? 4)
  return Effect.succeed(upTo <= (compaction?.upTo ?? 0) || compaction?.summary !== undefined ? undefined : { upTo })
}

/** Sends a summary, which an effect gives, in place of the beginning of the history. */
export const summarise = <E, R>(
  summary: (messages: ReadonlyArray<Message>) => Effect.Effect<string, E, R>,
  options: {
    /** Messages at the end that stay as they are. @default 4 */
    readonly keep?: number | undefined
  } = {}
): Compact<E, R> =>
(state) => {
  const before = state.compaction
  const upTo = placeOf(state.messages, options.keep ?? 4)
  if (upTo <= (before?.upTo ?? 0)) return Effect.succeed(undefined)
  const beginning = before?.summary === undefined
    ? state.messages.slice(0, upTo)
    : [...before.summary, ...state.messages.slice(before.upTo, upTo)]
  return Effect.map(summary(beginning), (text) => ({
    upTo,
    summary: [{ role: "user", content: `Summary of the conversation so far:\n${text}` }]
  }))
}

/** Tries one after the other. */
export const inOrder = <E, R>(...ways: ReadonlyArray<Compact<E, R>>): Compact<E, R> => (state) =>
  Effect.gen(function*() {
    for (const way of ways) {
      const found = yield* way(state)
      if (found !== undefined) return found
    }
    return undefined
  })
