/**
 * How deep JSON may be nested.
 *
 * One bound for what comes and what goes: `JSON.stringify` and everything else that walks a value by recursion ends in a
 * `RangeError` some thousand levels down, and no API nests anywhere near as deep as this.
 *
 * @since 0.1.0
 */

/**
 * Levels of objects and arrays that are read or sent.
 *
 * @category limits
 * @since 0.1.0
 */
export const maxJsonDepth = 512
