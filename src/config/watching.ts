/**
 * Follows the changes of a file.
 *
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import * as Queue from "effect/Queue"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type * as LlmError from "../LlmError.ts"

/**
 * The text that was read last; none after a file that could not be read.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface Seen {
  text: string | undefined
}

/**
 * A file that is followed.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface Followed {
  readonly path: string
  readonly files: FileSystem.FileSystem
  readonly text: Effect.Effect<string, LlmError.LlmError>
  readonly seen: Seen
  /** Reads the file and takes it over; it writes `seen`. */
  readonly reload: Effect.Effect<void, LlmError.LlmError>
  readonly debounce?: Duration.Input | undefined
  readonly rewatch?: Duration.Input | undefined
}

const folderOf = (path: string): string => {
  const folder = path.replace(/[/\\][^/\\]*$/, "")
  return folder === path ? "." : folder === "" ? "/" : folder
}

/**
 * Reloads when the text of the file is another and has been quiet, for as long as the scope is open.
 *
 * @stability stable
 * @category constructors
 * @since 0.1.0
 */
export const follow = (
  { debounce = "200 millis", files, path, reload, rewatch = "5 seconds", seen, text }: Followed
): Effect.Effect<void, never, Scope.Scope> =>
  Effect.gen(function*() {
    const changes = yield* Queue.sliding<void>(1)
    const signal = () => void Queue.offerUnsafe(changes, undefined)
    const look = Effect.matchEffect(text, {
      // A file that cannot be read is reported once, like any text.
      onFailure: () =>
        seen.text === undefined ? Effect.void : Effect.ignore(reload).pipe(
          Effect.tap(() => Effect.sync(() => void (seen.text = undefined)))
        ),
      onSuccess: (found) => found === seen.text ? Effect.void : Effect.ignore(reload)
    })
    yield* Stream.fromQueue(changes).pipe(
      Stream.debounce(debounce),
      Stream.runForEach(() => look),
      Effect.forkScoped
    )
    // What changed before the watcher was there is read when it is.
    yield* files.watch(folderOf(path), { onReady: signal }).pipe(
      Stream.runForEach(() => Effect.sync(signal)),
      Effect.tapError((error) => Effect.logWarning(`${path} is not watched: ${error.reason._tag}`)),
      Effect.retry(Schedule.spaced(rewatch)),
      Effect.forkScoped
    )
  })
