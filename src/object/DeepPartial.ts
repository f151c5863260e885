/**
 * What there is of a value while it is being written.
 *
 * @since 0.1.0
 */
import type { Json } from "../json/value.ts"

/**
 * Any beginning of the JSON of an `I`: fields may be missing, lists may go on. What JSON writes in another way, such as a `Date`, is some
 * JSON.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export type DeepPartial<I> = I extends string | number | boolean | null ? I
  : I extends ReadonlyArray<infer Element> ? ReadonlyArray<DeepPartial<Element>>
  : I extends Date | ReadonlyMap<unknown, unknown> | ReadonlySet<unknown> | Uint8Array | bigint | symbol | undefined ?
    Json
  : I extends object ? { readonly [Name in keyof I]?: DeepPartial<I[Name]> }
  : Json
