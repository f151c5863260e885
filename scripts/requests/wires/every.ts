/**
 * What every provider wants of a request: proper HTTP, and JSON that strict parsers read.
 */
import { ruled, strings } from "../rules.ts"

const images = /^image\/(?:jpeg|png|gif|webp|heic|heif|bmp|tiff)$/

/** Rules of HTTP and of JSON. */
export const every = ruled("HTTP and JSON", [
  {
    source: "https://www.rfc-editor.org/rfc/rfc9110#section-8.3",
    check: ({ headers, method }, refuse) => {
      if (method !== "POST") refuse("", `must be sent by POST, is by ${method}`)
      if (!String(headers["content-type"]).startsWith("application/json")) {
        refuse("", "must have a content-type of JSON")
      }
      for (const [name, value] of Object.entries(headers)) {
        // eslint-disable-next-line no-control-regex
        if (!/^[\t\x20-\xff]*$/.test(String(value))) refuse("", `header ${name} must be latin-1`)
      }
    }
  },
  {
    source: "https://www.rfc-editor.org/rfc/rfc3986#section-3.3",
    check: ({ url }, refuse) => {
      if (url.pathname.includes("//")) refuse("", `the path has an empty segment: ${url.pathname}`)
      if (/[{}]|%7B/.test(url.href)) refuse("", `the URL has a placeholder in it: ${url.href}`)
      if (url.username !== "" || url.password !== "") refuse("", "the URL has credentials in it")
    }
  },
  {
    source: "https://www.rfc-editor.org/rfc/rfc8259#section-8.2",
    check: ({ body }, refuse) =>
      strings(body, (text, at) => void (text.isWellFormed() || refuse(at, "has half a surrogate pair")))
  },
  {
    source: "https://www.iana.org/assignments/media-types/media-types.xhtml",
    check: ({ body }, refuse) =>
      strings(body, (text, at) => {
        const type = /^data:(image\/[^;,]+)/.exec(text)?.[1] ??
          (/(?:mime_?type|media_?type)$/i.test(at) && text.startsWith("image/") ? text : undefined)
        if (type !== undefined && !images.test(type)) refuse(at, `is of no media type that hosts know: ${type}`)
      })
  }
])
