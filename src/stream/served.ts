/**
 * How a response says that it came from the `Cache` policy and not from a provider.
 *
 * The mark is a field of `extra`, so that it survives storing and is seen by policies further out: `Cost` prices it at
 * nothing, `Budget` settles nothing for it, `Events` counts no provider call.
 *
 * @since 0.1.0
 */
import type { LlmResponse } from "../LlmResponse.ts"

const key = "effect_llm.cache"

/**
 * A stored response, marked as served from the cache. Its usage is the stored one; its cost is 0, because nothing was bought.
 *
 * @stability experimental
 * @category combinators
 * @since 0.1.0
 */
export const asServed = (response: LlmResponse): LlmResponse =>
  response.with({ cost: 0, extra: { ...response.extra, [key]: "hit" } })

/**
 * Whether a response was served from the cache.
 *
 * @stability experimental
 * @category guards
 * @since 0.1.0
 */
export const isServed = (response: LlmResponse): boolean => response.extra?.[key] === "hit"
