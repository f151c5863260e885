/**
 * What parts of messages are built of: marks for caches, where a part came from, media.
 *
 * Public through `Message`.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import type { Open } from "../json/value.ts"

/**
 * Marks the end of a prompt prefix that the provider should cache: `ephemeral` for 5 minutes,
 * `extended` for 1 hour. Providers without explicit prompt caching ignore it with a response warning.
 *
 * @see https://platform.claude.com/docs/en/build-with-claude/prompt-caching
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export type CacheControl = "ephemeral" | "extended"

/**
 * Schema of {@link CacheControl}.
 *
 * @stability stable
 * @category schemas
 * @since 0.1.0
 */
export const CacheControl: Schema.Codec<CacheControl> = Schema.Literals(["ephemeral", "extended"])

/**
 * Where an opaque value was made. Signatures and encrypted reasoning are valid only there; other
 * wires drop them.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface Origin {
  /** Wire that produced the value, such as `anthropic-messages`. */
  readonly wire: string
  /** Provider that served it. */
  readonly provider?: string | undefined
  /** Model that produced it. */
  readonly model?: string | undefined
}

/**
 * Schema of {@link Origin}.
 *
 * @stability stable
 * @category schemas
 * @since 0.1.0
 */
export const Origin: Schema.Codec<Origin> = Schema.Struct({
  wire: Schema.String,
  provider: Schema.optional(Schema.String),
  model: Schema.optional(Schema.String)
})

/**
 * Bytes or a reference to them: inline base64, a URL the provider fetches, or a file uploaded to the provider.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export type Media =
  | {
    readonly type: "base64"
    /** What the bytes are, such as `image/png`. */
    readonly mediaType: MediaType
    /** The bytes in Base64 of RFC 4648, without a `data:` prefix. */
    readonly data: string
  }
  | {
    readonly type: "url"
    /** An `https:` address that the provider fetches, or a `data:` URL; some providers take their own schemes, such as `gs:`. */
    readonly url: string
    /** What is there, for wires that have to be told. @default told by the name, where a wire needs it */
    readonly mediaType?: MediaType | undefined
  }
  | {
    readonly type: "file"
    /** Id of an uploaded file, at the provider that gave it and no other. See `Files`. */
    readonly fileId: string
    /** What it is, for wires that have to be told. @default not said */
    readonly mediaType?: MediaType | undefined
  }

/**
 * What media are: those that most providers take, or any other.
 *
 * @see https://www.iana.org/assignments/media-types/media-types.xhtml
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export type MediaType = Open<
  | "image/png"
  | "image/jpeg"
  | "image/webp"
  | "image/gif"
  | "application/pdf"
  | "text/plain"
  | "audio/wav"
  | "audio/mpeg"
>

/**
 * Schema of {@link Media}.
 *
 * @stability stable
 * @category schemas
 * @since 0.1.0
 */
export const Media: Schema.Codec<Media> = Schema.Union([
  Schema.Struct({ type: Schema.Literal("base64"), mediaType: Schema.String, data: Schema.String }),
  Schema.Struct({ type: Schema.Literal("url"), url: Schema.String, mediaType: Schema.optional(Schema.String) }),
  Schema.Struct({ type: Schema.Literal("file"), fileId: Schema.String, mediaType: Schema.optional(Schema.String) })
])
