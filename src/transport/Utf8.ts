/**
 * UTF-8 bytes that come in chunks, as text. Characters that are cut between two chunks wait for their rest.
 *
 * @since 0.1.0
 */

/** Keeps a byte order mark: only one at the very beginning is not text. */
const utf8 = new TextDecoder("utf-8", { ignoreBOM: true })

/** How many bytes at the end are a character whose rest has not come. */
const cutBytes = (bytes: Uint8Array): number => {
  const { length } = bytes
  for (let back = 1; back <= 3 && back <= length; back++) {
    const byte = bytes[length - back]!
    if (byte < 0x80) return 0
    if (byte >= 0xc0) return back < (byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4) ? back : 0
  }
  return 0
}

/**
 * Text of bytes that come in chunks, as a streaming `TextDecoder` gives it. One decoder serves all responses: making one
 * for each costs more than decoding a small answer, and a decoder without state is the faster one.
 *
 * @category decoding
 * @since 0.1.0
 */
export class Utf8Chunks {
  private begun = false
  private rest: Uint8Array | undefined

  decode(chunk: Uint8Array): string {
    if (chunk.length === 0) return ""
    let bytes = chunk
    if (this.rest !== undefined) {
      bytes = new Uint8Array(this.rest.length + chunk.length)
      bytes.set(this.rest)
      bytes.set(chunk, this.rest.length)
      this.rest = undefined
    }
    const cut = cutBytes(bytes)
    if (cut > 0) {
      // A copy, because the chunk's memory may be used again.
      this.rest = bytes.slice(bytes.length - cut)
      if (cut === bytes.length) return ""
      bytes = bytes.subarray(0, bytes.length - cut)
    }
    return this.text(bytes)
  }

  end(): string {
    const { rest } = this
    this.rest = undefined
    return rest === undefined ? "" : this.text(rest)
  }

  private text(bytes: Uint8Array): string {
    const text = utf8.decode(bytes)
    if (this.begun) return text
    this.begun = true
    return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text
  }
}
