/**
 * What providers say of the wire, apart from its encoder and decoder, which are loaded later.
 *
 * @since 0.1.0
 */

/**
 * Name of the wire.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export const wire = "openai-responses"

/**
 * Fields of `providerOptions` that are merged into what this wire writes itself instead of replacing it; providers of
 * this wire name them as `nonBodyOptions`.
 *
 * @stability experimental
 * @category encoding
 * @since 0.1.0
 */
export const mergedOptions: ReadonlyArray<string> = ["include", "reasoning", "text"]
