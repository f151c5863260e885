/**
 * Whether media that may be anything are media: base64 that is base64, URLs that are URLs, names of files.
 *
 * Base64 is taken in one spelling, the standard alphabet with padding and nothing between: line breaks, the URL-safe alphabet and
 * missing padding are refused with what to do, since some providers take them and others answer with an error that names no field.
 * A look at each character once, so the work is linear, and small beside that of sending it.
 *
 * @since 0.1.0
 */
import { leadsElsewhere } from "../address/paths.ts"
import {
  all,
  type Check,
  fields,
  filledText,
  isRecord,
  type Issue,
  kindOf,
  optional,
  problem,
  reading,
  text,
  that,
  under
} from "./values.ts"

/** `type/subtype`, with parameters or without. https://www.rfc-editor.org/rfc/rfc6838#section-4.2 */
const mediaTypeForm = /^[\w!#$&^.+-]+\/[\w!#$&^.+*-]+[ \t]*(?:;[^\r\n\0]*)?$/

/** A media type such as `image/png`. @stability stable @category checks @since 0.1.0 */
export const mediaType: Check = that(
  (value) => typeof value === "string" && value.length <= 255 && mediaTypeForm.test(value),
  "Must be a media type such as \"image/png\"."
)

const notBase64 = /[^A-Za-z0-9+/]/

/** Says what is wrong with a text that is not base64, from `from` on. */
const brokenBase64 = (data: string): Issue =>
  problem(
    /^[A-Za-z0-9+/=\s]*$/.test(data)
      ? /\s/.test(data)
        ? "Is base64 with white space in it: remove that, as with data.replace(/\\s/g, \"\")."
        : "Is not base64: its padding is wrong or in the middle."
      : /^[\w=-]*$/.test(data)
      ? "Is URL-safe base64: replace - by + and _ by /."
      : "Is not base64. Give the bytes in base64, without \"data:\" before it."
  )

/**
 * Base64, not empty.
 *
 * @stability stable
 * @category checks
 * @since 0.1.0
 */
const base64: Check = (value) => {
  if (typeof value !== "string") return problem(`Must be a text of base64. Got ${kindOf(value)}.`)
  if (value === "") return problem("Is empty: give the bytes as base64.")
  const end = value.search(notBase64)
  if (end !== -1 && value.slice(end) !== "=" && value.slice(end) !== "==") return brokenBase64(value)
  if (value.length % 4 === 0) return undefined
  return problem("Is not whole base64: its length must be a multiple of 4. Was it cut, or its padding (=) left out?")
}

const dataUrl = (url: string): Issue | undefined => {
  const comma = url.indexOf(",")
  // The type and its parameters are short; what is not cannot be one.
  if (comma === -1 || comma > 1000) {
    return problem("Is a broken data URL: it must be data:<media type>;base64,<base64>.")
  }
  if (comma === url.length - 1) return problem("Is an empty data URL: give its bytes as base64 after the comma.")
  const head = url.slice("data:".length, comma)
  const type = head.split(";", 1)[0]!
  if (type !== "" && !mediaTypeForm.test(type)) {
    return problem("Is a data URL without a media type, such as image/png, at its beginning.")
  }
  return /;\s*base64$/i.test(head) ? base64(url.slice(comma + 1)) : undefined
}

/** Of control characters a URL has none: parsers drop some of them in silence. */
// eslint-disable-next-line no-control-regex
const control = /[\u0000-\u001f\u007f]/

const url: Check = (value) => {
  if (typeof value !== "string") return problem(`Must be a text. Got ${kindOf(value)}.`)
  if (/^data:/i.test(value)) return dataUrl(value)
  return value.length <= 1_000_000 && URL.canParse(value) && !control.test(value)
    ? undefined
    : problem("Is not a URL: it must be whole, such as https://host/picture.png, or a data URL.")
}

/** The name of a file becomes part of a URL on some wires, and is one on others. */
const fileId: Check = all(
  filledText,
  (value) =>
    leadsElsewhere(value as string) || control.test(value as string)
      ? problem("Is no name of a file: it must not have . and .. as parts, or control characters.")
      : undefined
)

const bySource: { readonly [type: string]: Check | undefined } = {
  base64: fields({ mediaType, data: base64 }),
  url: fields({ url, mediaType: optional(mediaType) }),
  file: fields({ fileId, mediaType: optional(mediaType) })
}

const received: { readonly [type: string]: Check | undefined } = {
  base64: fields({ mediaType: text, data: filledText }),
  url: fields({ url: text, mediaType: optional(text) }),
  file: fields({ fileId: text, mediaType: optional(text) })
}

const sourceOf = (types: typeof bySource): Check => (value) => {
  if (!isRecord(value)) return problem(`Needs base64 data, a url or a fileId. Got ${kindOf(value)}.`)
  const { type } = value
  const check = typeof type === "string" && Object.hasOwn(types, type) ? types[type] : undefined
  return check === undefined ? under(".type", problem("Must be \"base64\", \"url\" or \"file\".")) : check(value)
}

/** A source of media: base64, a URL, or a file of the provider. @stability stable @category checks @since 0.1.0 */
export const media: Check = reading(sourceOf(bySource))

/**
 * A source of media that a provider gave: its bytes are the provider's own affair, and a conversation is not stuck for them.
 *
 * @stability stable
 * @category checks
 * @since 0.1.0
 */
export const receivedMedia: Check = reading(sourceOf(received))
