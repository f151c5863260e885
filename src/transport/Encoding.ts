/**
 * What a `content-encoding` header says, and whether a body that was decoded, or could not be, is text.
 *
 * Clients differ in what they decode, and a runtime's `fetch` leaves what it does not know as it is, without a word. A body
 * that is no text although the header names an encoding is therefore an error that names it, not a puzzle for the
 * wires. Decoding itself is the client's: `fetch`, or `node/Decompression.ts`.
 *
 * https://www.rfc-editor.org/rfc/rfc9110#section-8.4
 *
 * @since 0.1.0
 */
/**
 * The encodings in the order in which they were applied, in lower case, without `identity`.
 *
 * @category parsing
 * @since 0.1.0
 */
export const codingsOf = (header: string | undefined): ReadonlyArray<string> =>
  header === undefined
    ? []
    : header.split(",", maxCodings + 1).map((one) => one.trim().toLowerCase()).filter((one) =>
      one !== "" && one !== "identity"
    )

/**
 * How many encodings on top of each other are decoded.
 *
 * @category limits
 * @since 0.1.0
 */
export const maxCodings = 5

/**
 * The code of an {@link EncodingError}.
 *
 * @category data
 * @since 0.1.0
 */
export const encodingCode = "EENCODING"

/**
 * A body that is not what its `content-encoding` says, or that nothing here can decode.
 *
 * @category errors
 * @since 0.1.0
 */
export class EncodingError extends Error {
  readonly code = encodingCode

  constructor(codings: ReadonlyArray<string>, known: boolean) {
    const named = codings.map((coding) => coding.slice(0, 32)).join(", ")
    super(
      known
        ? `The body is not what its content-encoding "${named}" says`
        : `The body has the content-encoding "${named}", which this HTTP client does not decode`
    )
  }
}

/** Errors of decompressors of Node, wherever a client put them into the chain of causes. A cut has another code. */
const broken = /^(?:Z_DATA_ERROR|Z_NEED_DICT|ERR_+(?:BROTLI|ERROR_FORMAT|DICTIONARY|ZSTD)\w*|ZSTD_error_\w+)$/

/**
 * The code of a body that ends within its compressed data.
 *
 * @category data
 * @since 0.1.0
 */
export const cutCode = "Z_BUF_ERROR"

/**
 * Whether a decompressor's error says that the bytes are no data of its encoding.
 *
 * @category guards
 * @since 0.1.0
 */
export const isBroken = (code: string): boolean => broken.test(code)

/**
 * Whether a body is binary when it is decoded, as AWS event streams, audio and images are.
 *
 * @category guards
 * @since 0.1.0
 */
export const isBinary = (headers: { readonly [name: string]: string | undefined }): boolean =>
  /^(?:application\/(?:vnd\.amazon\.eventstream|octet-stream|zip|gzip|pdf)|(?:audio|image|video)\/)/i.test(
    headers["content-type"] ?? ""
  )

/**
 * Whether bytes begin as text does: UTF-8 without control characters.
 *
 * @category guards
 * @since 0.1.0
 */
export const isText = (bytes: Uint8Array): boolean => {
  const beginning = bytes.subarray(0, 64)
  for (const byte of beginning) if (byte < 32 && byte !== 9 && byte !== 10 && byte !== 13) return false
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(beginning, { stream: true })
    return true
  } catch {
    return false
  }
}

// oxlint-disable-next-line eslint/no-control-regex -- what no text of an API begins with
const garbled = /[\u0000-\u0008\u000e-\u001f\ufffd]/

const usual: ReadonlySet<string> = new Set(["gzip", "x-gzip", "deflate", "br"])

/**
 * The complaint about a body that could not be read for its encoding: it came as no text, or not at all.
 *
 * @category decoding
 * @since 0.1.0
 */
export const unreadableEncoding = (
  headers: { readonly [name: string]: string | undefined },
  text: string
): string | undefined => {
  const codings = codingsOf(headers["content-encoding"])
  const unread = text === "" ? codings.some((coding) => !usual.has(coding)) : garbled.test(text.slice(0, 64))
  return codings.length > 0 && unread ? `${new EncodingError(codings, false).message}.` : undefined
}
