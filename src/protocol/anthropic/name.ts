/**
 * The name of the wire, apart from its encoder and decoder, which are loaded later.
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
export const wire = "anthropic-messages"
