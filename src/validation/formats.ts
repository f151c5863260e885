/**
 * The formats of JSON Schema, as far as they can be told from the text.
 *
 * https://json-schema.org/draft/2020-12/json-schema-validation#section-7.3
 *
 * @since 0.1.0
 */

const date = (text: string): boolean => {
  const found = /^(\d{4})-(\d\d)-(\d\d)$/.exec(text)
  if (found === null) return false
  const [year, month, day] = found.slice(1).map(Number) as [number, number, number]
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
  const days = [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1]
  return days !== undefined && day >= 1 && day <= days
}

const time = (text: string): boolean => {
  const found = /^(\d\d):(\d\d):(\d\d)(?:\.\d+)?(?:z|([+-])(\d\d):(\d\d))$/i.exec(text)
  if (found === null) return false
  const [hour, minute, second] = found.slice(1, 4).map(Number) as [number, number, number]
  const [offsetHour, offsetMinute] = [Number(found[5] ?? 0), Number(found[6] ?? 0)]
  if (hour > 23 || minute > 59 || second > 60 || offsetHour > 23 || offsetMinute > 59) return false
  if (second < 60) return true
  // A leap second is the last one of a day in UTC.
  const minutes = hour * 60 + minute - (found[4] === "-" ? -1 : 1) * (offsetHour * 60 + offsetMinute)
  return (minutes + 2880) % 1440 === 1439
}

const hostname = (text: string): boolean =>
  text.length <= 253 &&
  /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*$/i.test(text)

const ipv4 = (text: string): boolean =>
  /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)\.){3}(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)$/.test(text)

const ipv6 = (text: string): boolean => {
  const halves = text.split("::")
  if (halves.length > 2) return false
  const groups = halves.flatMap((half) => half === "" ? [] : half.split(":"))
  const last = groups.at(-1)
  const embedded = last !== undefined && last.includes(".") && !text.endsWith(":")
  if (embedded && !ipv4(last)) return false
  const count = groups.length + (embedded ? 1 : 0)
  return groups.every((group, at) => /^[0-9a-f]{1,4}$/i.test(group) || (embedded && at === groups.length - 1)) &&
    (halves.length === 2 ? count < 8 : count === 8)
}

const mailbox = /^(?:[\w!#$%&'*+/=?^`{|}~-]+(?:\.[\w!#$%&'*+/=?^`{|}~-]+)*|"(?:[^"\\]|\\.)+")@(.+)$/

const email = (text: string): boolean => {
  const host = mailbox.exec(text)?.[1]
  if (host === undefined) return false
  const literal = /^\[(?:IPv6:(.+)|([^:]+))\]$/.exec(host)
  if (literal === null) return hostname(host)
  return literal[1] === undefined ? ipv4(literal[2]!) : ipv6(literal[1])
}

const reference = /^(?:[\w\-.~:/?#[\]@!$&'()*+,;=]|%[0-9a-f]{2})*$/i

const uriReference = (text: string): boolean =>
  reference.test(text) && (text.match(/#/g) ?? []).length <= 1 &&
  !/[[\]]/.test(text.replace(/^(?:[a-z][a-z0-9+.-]*:)?\/\/(?:[^/?#@[\]]*@)?\[[^/?#[\]]*\]/i, ""))

const uri = (text: string): boolean =>
  uriReference(text) && /^[a-z][a-z0-9+.-]*:/i.test(text) &&
  !/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*:[^/?#@\]]*[^\d/?#@\]][^/?#@\]]*(?:[/?#]|$)/i.test(text)

const iriReference = (text: string): boolean => !/[\s<>"{}|\\^`]/.test(text)

const iri = (text: string): boolean => iriReference(text) && /^[a-z][a-z0-9+.-]*:/i.test(text)

const template = (text: string): boolean => !/[{}]/.test(text.replaceAll(/\{[^{}]+\}/g, ""))

const pointer = /^(?:\/(?:[^~/]|~[01])*)*$/

const isRegex = (text: string): boolean => {
  try {
    return new RegExp(text, "u") instanceof RegExp
  } catch {
    return false
  }
}

const duration = /^P(?!$)(?:\d+W|(?:\d+Y)?(?:\d+M)?(?:\d+D)?(?:T(?=\d)(?:\d+H)?(?:\d+M)?(?:\d+S)?)?)$/

const formats: { readonly [name: string]: (text: string) => boolean } = {
  "date-time": (text) => {
    const at = text.search(/t/i)
    return at > 0 && date(text.slice(0, at)) && time(text.slice(at + 1))
  },
  date,
  time,
  duration: (text) => duration.test(text),
  email,
  "idn-email": (text) => /^[^\s@]+@[^\s@]+$/.test(text),
  hostname,
  ipv4,
  ipv6,
  uri,
  "uri-reference": uriReference,
  iri,
  "iri-reference": iriReference,
  "uri-template": template,
  uuid: (text) => /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text),
  "json-pointer": (text) => pointer.test(text),
  "relative-json-pointer": (text) => /^(?:0|[1-9]\d*)(?:#|(?:\/(?:[^~/]|~[01])*)*)$/.test(text),
  regex: isRegex
}

/**
 * Whether a text has a format; one that nobody knows says nothing.
 *
 * @stability stable
 * @category checks
 * @since 0.1.0
 */
export const hasFormat = (format: string, text: string): boolean =>
  !Object.hasOwn(formats, format) || formats[format]!(text)
