/**
 * The compiler of schemas, which is loaded with the first request that has one.
 *
 * @since 0.1.0
 */
import type { RequestOptions } from "../../LlmRequest.ts"
import { type Lazy, lazy, made } from "../lazy.ts"
import type { Compile } from "./Schemas.ts"

/**
 * The compiler, once it is loaded.
 *
 * @stability experimental
 * @category loading
 * @since 0.1.0
 */
export const compiler: Lazy<Compile> = made(lazy(() => import("./compile.ts")), ({ compile }) => compile)

/**
 * Whether options of a request hold a schema. What throws when it is read has none: the encoder finds it and tells.
 *
 * @stability experimental
 * @category predicates
 * @since 0.1.0
 */
export const hasSchemas = (options: RequestOptions): boolean => {
  try {
    const { responseFormat, tools } = options
    return responseFormat?.type === "json-schema" || tools?.some(({ type }) => type === "function") === true
  } catch {
    return false
  }
}
