/**
 * Media that stands in a URL: `data:image/png;base64,…`.
 *
 * Some megabytes of base64 are usual, so only what stands before the comma is looked at.
 * https://www.rfc-editor.org/rfc/rfc2397
 *
 * @since 0.1.0
 */

const scheme = /^data:/i
const base64 = /;\s*base64\s*$/i

const digit = (code: number | undefined): number =>
  code === undefined ? -1 : "0123456789abcdef".indexOf(String.fromCharCode(code).toLowerCase())

/** The bytes that a URL spells with escapes, as base64. */
const encoded = (text: string): string => {
  const bytes = new TextEncoder().encode(text)
  let binary = ""
  for (let at = 0; at < bytes.length; at++) {
    const [high, low] = bytes[at] === 0x25 ? [digit(bytes[at + 1]), digit(bytes[at + 2])] : [-1, -1]
    if (high === -1 || low === -1) binary += String.fromCharCode(bytes[at]!)
    else {
      binary += String.fromCharCode(high! * 16 + low!)
      at += 2
    }
  }
  return btoa(binary)
}

/**
 * What a data URL holds, as base64; `undefined` for any other URL. The media type is empty when the URL names none, and
 * comes without its parameters.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const readDataUrl = (url: string): { readonly mediaType: string; readonly data: string } | undefined => {
  if (!scheme.test(url)) return undefined
  const comma = url.indexOf(",")
  if (comma === -1) return undefined
  const head = url.slice("data:".length, comma)
  const rest = url.slice(comma + 1)
  return { mediaType: head.split(";", 1)[0]!.trim(), data: base64.test(head) ? rest : encoded(rest) }
}

/**
 * A data URL of base64.
 *
 * @stability experimental
 * @category encoding
 * @since 0.1.0
 */
export const dataUrl = (mediaType: string, data: string): string => `data:${mediaType};base64,${data}`
