/**
 * Decodes bodies by their `content-encoding`: gzip, deflate (with and without zlib's header), Brotli and Zstandard, one or
 * several on top of each other, in any case.
 *
 * A body that ends within its compressed data is an error with the code `Z_BUF_ERROR`; one that is no data of its encoding,
 * and one in an encoding that Node does not know, are an `EncodingError` that names it. Other text than compressed, under
 * a name that is not known, is passed on.
 *
 * @since 0.1.0
 */
import type { IncomingMessage } from "node:http"
import { pipeline, type Readable, Transform, type TransformCallback } from "node:stream"
import {
  createBrotliDecompress,
  createGunzip,
  createInflate,
  createInflateRaw,
  createZstdDecompress,
  type Zlib
} from "node:zlib"
import { codingsOf, maxCodings } from "../transport/Encoding.ts"

type Decoder = Transform & Partial<Zlib>

/** Hosts send what "deflate" means with zlib's header and without: its first byte tells. https://www.rfc-editor.org/rfc/rfc1950#section-2.2 */
class AnyInflate extends Transform {
  private inner: Decoder | undefined

  override _transform(chunk: Uint8Array, encoding: BufferEncoding, done: TransformCallback): void {
    if (chunk.length === 0) return done()
    this.inner ??= this.begin(chunk)
    // Called back when the chunk was decoded; an error comes as an event.
    this.inner.write(chunk, encoding, () => done())
  }

  override _flush(done: TransformCallback): void {
    if (this.inner === undefined) return done()
    this.inner.once("end", done)
    this.inner.end()
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.inner?.destroy()
    done(error)
  }

  private begin(chunk: Uint8Array): Decoder {
    const inner = (chunk[0]! & 0x0f) === 8 ? createInflate() : createInflateRaw()
    inner.on("data", (data: Uint8Array) => this.push(data))
    inner.on("error", (error) => this.destroy(error))
    return inner
  }
}

const decoders: { readonly [coding: string]: (() => Decoder) | undefined } = {
  gzip: createGunzip,
  "x-gzip": createGunzip,
  deflate: () => new AnyInflate(),
  br: createBrotliDecompress,
  zstd: createZstdDecompress
}

const ignore = () => {}

/**
 * A body as its header says, and whether all of its encodings are known; where one is not, the body is left as it is.
 *
 * @stability stable
 * @category constructors
 * @since 0.1.0
 */
export const decompressed = (
  message: IncomingMessage,
  header: string | undefined
): { readonly source: Readable; readonly codings: ReadonlyArray<string>; readonly known: boolean } => {
  const codings = codingsOf(header)
  const makers = codings.toReversed().map((coding) => Object.hasOwn(decoders, coding) ? decoders[coding] : undefined)
  if (codings.length === 0 || codings.length > maxCodings || makers.includes(undefined)) {
    return { source: message, codings, known: codings.length === 0 }
  }
  const source = makers.reduce<Readable>((from, make) => pipeline(from, make!(), ignore), message)
  return { source, codings, known: true }
}
