/**
 * A gateway in front of a `Registry`: `Gateway.layer` adds its routes to an `HttpRouter`.
 *
 * @since 0.1.0
 */

/**
 * @since 0.1.0
 */
export * as Gateway from "./Gateway.ts"
