/**
 * Media that stands in a URL: `data:image/png;base64,…`.
 *
 * Some megabytes of base64 are usual, so only what stands before the comma is looked at.
 * https://www.rfc-editor.org/rfc/rfc2397
 *
 * @since 0.1.0
 */

/**
 * What a base64 data URL holds; `undefined` for any other URL. The media type is empty when the URL names none, and
 * comes without its parameters.
 *
 * @category decoding
 * @since 0.1.0
 */
export const readDataUrl = (url: string): { readonly mediaType: string; readonly data: string } | undefined => {
  if (!url.startsWith(scheme)) return undefined
  const comma = url.indexOf(",")
  const head = url.slice(scheme.length, comma === -1 ? scheme.length : comma)
  return head.endsWith(base64) ? { mediaType: head.split(";", 1)[0]!, data: url.slice(comma + 1) } : undefined
}

const scheme = "data:"
const base64 = ";base64"
