/**
 * What a value from a server is.
 *
 * @since 0.1.0
 */

/** Whether a value is an object with fields. @stability experimental @category guards @since 0.1.0 */
export const isObject = (value: unknown): value is { [name: string]: unknown } =>
  typeof value === "object" && value !== null && !Array.isArray(value)
