/**
 * What a layer adds to every request, as whoever compares requests finds it.
 *
 * It goes with the `info` of a service, which policies around it keep, and is not a part of it, which is told to people.
 *
 * @since 0.1.0
 */
import type { ServiceInfo } from "../LlmService.ts"

const known = new WeakMap<ServiceInfo, object>()

/**
 * Remembers what a layer adds.
 *
 * @stability stable
 * @category combinators
 * @since 0.1.0
 */
export const withDefaults = (info: ServiceInfo, defaults: object | undefined): ServiceInfo => {
  if (defaults !== undefined) known.set(info, defaults)
  return info
}

/**
 * What the layer of a service adds to every request.
 *
 * @stability stable
 * @category accessors
 * @since 0.1.0
 */
export const defaultsOf = (info: ServiceInfo): object | undefined => known.get(info)
