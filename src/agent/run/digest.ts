/**
 * Digests of JSON values, computed at once.
 *
 * A run is a pure value, so what it binds an approval to has to be computed without waiting; Web Crypto only answers later. SHA-256
 * is that of FIPS 180-4 (https://doi.org/10.6028/NIST.FIPS.180-4), the keyed one that of RFC 2104
 * (https://www.rfc-editor.org/rfc/rfc2104).
 *
 * @since 0.1.0
 */
import type { Json } from "../../json/value.ts"

const fractions = (roots: (prime: number) => number, count: number): Uint32Array => {
  const words = new Uint32Array(count)
  let found = 0
  for (let n = 2; found < count; n++) {
    let prime = true
    for (let d = 2; d * d <= n && prime; d++) prime = n % d !== 0
    if (prime) words[found++] = (roots(n) % 1) * 0x1_0000_0000
  }
  return words
}

const roundConstants = fractions(Math.cbrt, 64)
const initial = fractions(Math.sqrt, 8)

const blockBytes = 64

const padded = (message: Uint8Array): Uint8Array => {
  const length = Math.ceil((message.length + 9) / blockBytes) * blockBytes
  const out = new Uint8Array(length)
  out.set(message)
  out[message.length] = 0x80
  const view = new DataView(out.buffer)
  view.setUint32(length - 8, Math.floor(message.length / 0x2000_0000))
  view.setUint32(length - 4, message.length * 8)
  return out
}

const turned = (word: number, by: number): number => (word >>> by) | (word << (32 - by))

const sha256 = (message: Uint8Array): Uint8Array => {
  const bytes = padded(message)
  const view = new DataView(bytes.buffer)
  const hash = initial.slice()
  const words = new Uint32Array(64)
  for (let block = 0; block < bytes.length; block += blockBytes) {
    for (let i = 0; i < 16; i++) words[i] = view.getUint32(block + 4 * i)
    for (let i = 16; i < 64; i++) {
      const before = words[i - 15]!
      const last = words[i - 2]!
      const small = turned(before, 7) ^ turned(before, 18) ^ (before >>> 3)
      const large = turned(last, 17) ^ turned(last, 19) ^ (last >>> 10)
      words[i] = words[i - 16]! + small + words[i - 7]! + large
    }
    let [a, b, c, d, e, f, g, h] = hash as unknown as [number, number, number, number, number, number, number, number]
    for (let i = 0; i < 64; i++) {
      const mixed = turned(e, 6) ^ turned(e, 11) ^ turned(e, 25)
      const first = (h + mixed + ((e & f) ^ (~e & g)) + roundConstants[i]! + words[i]!) >>> 0
      const sum = turned(a, 2) ^ turned(a, 13) ^ turned(a, 22)
      const second = (sum + ((a & b) ^ (a & c) ^ (b & c))) >>> 0
      h = g
      g = f
      f = e
      e = (d + first) >>> 0
      d = c
      c = b
      b = a
      a = (first + second) >>> 0
    }
    const mixed = [a, b, c, d, e, f, g, h]
    for (let i = 0; i < 8; i++) hash[i] = hash[i]! + mixed[i]!
  }
  const out = new Uint8Array(32)
  const outView = new DataView(out.buffer)
  hash.forEach((word, i) => outView.setUint32(4 * i, word))
  return out
}

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

/** RFC 4648 base64url, without padding. */
const base64Url = (bytes: Uint8Array): string => {
  let out = ""
  let bits = 0
  let value = 0
  for (const byte of bytes) {
    value = (value << 8) | byte
    for (bits += 8; bits >= 6;) out += alphabet[(value >>> (bits -= 6)) & 63]
    value &= 0xff
  }
  return bits === 0 ? out : out + alphabet[(value << (6 - bits)) & 63]
}

const encoder = new TextEncoder()

/**
 * The one text of a JSON value: keys sorted, no spaces, fields that are `undefined` left out.
 *
 * @stability experimental
 * @category encoding
 * @since 0.1.0
 */
export const canonical = (value: unknown): string => {
  if (Array.isArray(value)) return `[${value.map((one) => canonical(one ?? null)).join(",")}]`
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null"
  const fields: Array<string> = []
  for (const key of Object.keys(value).toSorted()) {
    const field = (value as { readonly [key: string]: unknown })[key]
    if (field !== undefined) fields.push(`${JSON.stringify(key)}:${canonical(field)}`)
  }
  return `{${fields.join(",")}}`
}

/**
 * SHA-256 of a JSON value, in 43 characters that every identifier may hold.
 *
 * @stability experimental
 * @category digests
 * @since 0.1.0
 */
export const digest = (value: Json | object): string => base64Url(sha256(encoder.encode(canonical(value))))

/**
 * HMAC-SHA-256 of a JSON value under a key.
 *
 * @stability experimental
 * @category digests
 * @since 0.1.0
 */
export const keyedDigest = (key: string, value: Json | object): string => {
  const given = encoder.encode(key)
  const block = new Uint8Array(blockBytes)
  block.set(given.length > blockBytes ? sha256(given) : given)
  const message = encoder.encode(canonical(value))
  const inner = new Uint8Array(blockBytes + message.length)
  const outer = new Uint8Array(blockBytes + 32)
  block.forEach((byte, i) => {
    inner[i] = byte ^ 0x36
    outer[i] = byte ^ 0x5c
  })
  inner.set(message, blockBytes)
  outer.set(sha256(inner), blockBytes)
  return base64Url(sha256(outer))
}

/**
 * Whether two texts are equal, in a time that does not tell where they differ.
 *
 * @stability experimental
 * @category digests
 * @since 0.1.0
 */
export const sameText = (a: string, b: string): boolean => {
  let difference = a.length ^ b.length
  for (let i = 0; i < a.length; i++) difference |= a.charCodeAt(i) ^ b.charCodeAt(i % Math.max(1, b.length))
  return difference === 0
}
