/**
 * What JSON can say.
 *
 * Public through `Message`, which re-exports everything here.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"

/**
 * Any JSON value.
 *
 * @category models
 * @since 0.1.0
 */
export type Json = Schema.Json

/**
 * A JSON object.
 *
 * @category models
 * @since 0.1.0
 */
export type JsonObject = { readonly [key: string]: Json }

/**
 * Schema of {@link JsonObject}.
 *
 * @category schemas
 * @since 0.1.0
 */
export const JsonObject: Schema.Codec<JsonObject> = Schema.Record(Schema.String, Schema.Json)

/**
 * A word that is known, or any other: what providers extend is open, and editors still complete what is known.
 *
 * @category models
 * @since 0.1.0
 */
export type Open<Known extends string> = Known | (string & {})
