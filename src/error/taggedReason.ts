/**
 * What the reasons of an error have in common: how they are rendered.
 *
 * A reason may hold what a model said (`partial`, `text`) and what a provider answered (`body`). That is data for who
 * reads the fields; `JSON.stringify`, `util.inspect` and loggers show how much of it there is.
 *
 * @since 0.1.0
 */
import type * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import { NodeInspectSymbol } from "effect/Inspectable"
import type * as Types from "effect/Types"
import type { LlmResponse } from "../message/response.ts"

/** Fields that are not shown as they are. */
interface Unshown {
  readonly body?: string
  readonly partial?: LlmResponse
  readonly retryAfter?: Duration.Duration
  readonly text?: string
}

/**
 * `Data.TaggedError` whose rendered forms have no content in them.
 *
 * @stability stable
 * @category constructors
 * @since 0.1.0
 */
export const TaggedReason = <Tag extends string>(
  tag: Tag
): new<A extends object = {}>(
  args: Types.VoidIfEmpty<{ readonly [P in keyof A as P extends "_tag" ? never : P]: A[P] }>
) => Cause.YieldableError & { readonly _tag: Tag } & Readonly<A> => {
  class Reason extends Data.TaggedError(tag)<Unshown> {
    declare readonly isRetryable: boolean

    override toJSON(): unknown {
      const { body: _, partial, retryAfter, text, ...shown } = { ...this }
      return {
        ...shown,
        _tag: this._tag,
        message: this.message,
        isRetryable: this.isRetryable,
        ...(text === undefined ? undefined : { textLength: text.length }),
        ...(retryAfter === undefined ? undefined : { retryAfterMillis: Duration.toMillis(retryAfter) }),
        ...(partial === undefined
          ? undefined
          : { partial: { parts: partial.parts.length, textLength: partial.text.length } })
      }
    }

    override [NodeInspectSymbol](): unknown {
      return this.toJSON()
    }
  }
  // oxlint-disable-next-line typescript/no-explicit-any -- the fields are the subclass's, as with `Data.TaggedError`
  return Reason as any
}
