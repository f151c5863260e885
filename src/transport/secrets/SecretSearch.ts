/**
 * Finds known secrets in a text, however they are encoded.
 *
 * Escapes are taken away level by level, each byte remembering where it stood (`Escapes.ts`), and the secret is looked for in
 * what is left: plain, in base64 and in hex, and a long one also in another case, torn apart by white space, or as a list of
 * numbers. So no form of it has to be enumerated, and the cost is a few searches over the text per secret and level. Secrets
 * too short for that occur in ordinary words and are found as whole words only.
 *
 * @since 0.1.0
 */
import { endOf, levelsOf, literal, startOf, type View, without } from "./Escapes.ts"

/**
 * A place in a text.
 *
 * @category models
 * @since 0.1.0
 */
export interface Span {
  readonly start: number
  readonly end: number
}

/** Shorter secrets (`test`, `ollama`) are words. */
const minimumForSubstring = 8
/** Shorter ones look like any number in hex, like any abbreviation in base64. */
const minimumForHex = 3
const minimumForBase64 = 2

/** Escapes of one byte within another: `%26%23x41%3B`. */
const longestEscape = 12

type Spelling = "plain" | "loose" | "hex" | "base64"

interface Pattern {
  readonly bytes: string
  /** What stands before and after the bytes when nothing beside the secret has spoilt its ends. */
  readonly head: string
  readonly tail: string
  /** Nothing that could belong to it may stand beside it. */
  readonly alone: boolean
  /** Characters beside it that hold some of its bits. */
  readonly before: boolean
  readonly after: boolean
}

// =============================================================================
// What a secret looks like
// =============================================================================

const base64 = (bytes: string): string => btoa(bytes).replace(/=+$/, "")

const hex = (bytes: string): string =>
  Array.from(bytes, (byte) => byte.charCodeAt(0).toString(16).padStart(2, "0")).join("")

/** `+` is a space in forms, and any white space becomes a space where lines are joined. */
const folded = (bytes: string): string => bytes.replace(/[\t\n\v\f\r+]/g, " ")

/** White space and characters without a width, in UTF-8. */
const gaps = /(?:\xc2[\xa0\xad]|\s|\xe2\x80[\x80-\x8f\xa8-\xaf]|\xe2\x81\xa0|\xe3\x80\x80|\xef\xbb\xbf)+/g

/** As a dump of a buffer spells it: `[97, 98]`. */
const decimal = (bytes: string): string => Array.from(bytes, (byte) => byte.charCodeAt(0)).join(",")

/** UTF-16 as it stands in either order of its bytes, which some shells put into base64. */
const wide = (text: string): string =>
  Array.from(text.split(""), (unit) => String.fromCharCode(unit.charCodeAt(0) & 0xff, unit.charCodeAt(0) >> 8)).join("")
    .slice(0, -1)

const urlUnsafe = (text: string): string => text.replaceAll("-", "+").replaceAll("_", "/")

/** The secret's bytes, as they were meant and as they may have been misread. */
const bytesOf = (secret: string): ReadonlyArray<string> => {
  const wellFormed = secret.toWellFormed()
  const utf8 = literal(wellFormed).bytes
  const forms = new Set([utf8, literal(secret).bytes])
  if (/[\u0080-\uffff]/.test(secret)) {
    // UTF-8 that was read as Latin-1, and Latin-1 that was sent as it is or read as UTF-8.
    forms.add(literal(utf8).bytes)
    if (!/[\u0100-\uffff]/.test(secret)) forms.add(secret)
    forms.add(literal(wellFormed.replace(/[\u{80}-\u{10ffff}]/gu, "\ufffd")).bytes)
    for (const form of ["NFC", "NFD"] as const) forms.add(literal(wellFormed.normalize(form)).bytes)
  }
  return [...forms]
}

/** What a secret that has something like escapes in it becomes when those are taken away as well. */
const unescapedForms = (secret: string): ReadonlyArray<string> =>
  [secret, secret.toWellFormed()].flatMap((text) => levelsOf(text).slice(1).map(({ bytes }) => bytes))

/** Encodings that may themselves be encoded once more. */
const encodedOnce = (bytes: string, secret: string): ReadonlyArray<string> => {
  const form = base64(bytes)
  return [
    bytes,
    form,
    form.replaceAll("+", "-").replaceAll("/", "_"),
    hex(bytes),
    hex(bytes).toUpperCase(),
    literal(JSON.stringify(secret).slice(1, -1)).bytes,
    literal(encodeURIComponent(secret.toWellFormed())).bytes,
    wide(secret)
  ]
}

/**
 * Base64 of bytes as it appears inside that of something longer: what surrounds them changes only the first and last
 * characters, so there are three forms.
 */
const base64Patterns = (bytes: string): ReadonlyArray<Pattern> =>
  [0, 1, 2].map((offset) => {
    const bits = (offset + bytes.length) * 8
    const first = Math.ceil(offset * 8 / 6)
    return {
      ...pattern(base64("\0".repeat(offset) + bytes).slice(first, Math.floor(bits / 6)), false),
      before: offset * 8 % 6 !== 0,
      after: bits % 6 !== 0
    }
  })

const pattern = (bytes: string, alone: boolean): Pattern => ({
  bytes,
  head: "",
  tail: "",
  alone,
  before: false,
  after: false
})

/** A secret of that length is known without its ends as well. */
const minimumWithoutEnds = 14
const longestEnd = 6
/** One of that length is known in any case, and whatever gaps are in it. */
const minimumForLoose = 16

/**
 * What stands beside a secret may make up an escape with its first or last characters (`100%` and `a1b2…`), so a long one is
 * looked for without them.
 */
const withoutEnds = (bytes: string): Pattern => {
  const end = Math.min(longestEnd, Math.floor((bytes.length - minimumWithoutEnds) / 2))
  return end < 1
    ? pattern(bytes, false)
    : {
      ...pattern(bytes.slice(end, -end), false),
      head: bytes.slice(0, end),
      tail: bytes.slice(-end)
    }
}

const patternsOf = (secret: string): Readonly<Record<Spelling, ReadonlyArray<Pattern>>> => {
  const forms = bytesOf(secret)
  const isWord = secret.length < minimumForSubstring
  const plain = [...new Set([...forms, ...unescapedForms(secret)].map(folded))].map((bytes) =>
    isWord || bytes.length < minimumForSubstring ? pattern(bytes, true) : withoutEnds(bytes)
  )
  const loose = forms.map((form) => form.replace(gaps, "").toLowerCase()).filter((form) =>
    form.length >= minimumForLoose
  )
    .map((form) => pattern(form, false))
  if (loose.length > 0) loose.push(...forms.map((form) => pattern(decimal(form), false)))
  const inHex: Array<Pattern> = []
  const inBase64: Array<Pattern> = []
  for (const form of forms) {
    if (isWord || form.length < minimumForSubstring) {
      if (form.length >= minimumForHex) inHex.push(pattern(hex(form), true))
      if (form.length >= minimumForBase64) inBase64.push(pattern(base64(form), true))
      continue
    }
    for (const encoded of encodedOnce(form, secret)) {
      inHex.push(pattern(hex(encoded), false))
      inBase64.push(...base64Patterns(encoded))
    }
  }
  // A key that is a number in hex is the same key in either case, and with or without dashes.
  const digits = secret.replaceAll("-", "").toLowerCase()
  if (!isWord && digits.length >= 2 * minimumForSubstring && /^[0-9a-f]+$/.test(digits)) {
    inHex.push(pattern(digits, false))
  }
  return { plain, loose, hex: inHex, base64: inBase64 }
}

/** Characters that take a character each in any encoding; escapes in a secret may be read as fewer. */
const plainCharacters = /^[^%&\\\u0080-\uffff]*$/

/**
 * The length of the shortest text that can hold one of the secrets.
 *
 * @category accessors
 * @since 0.1.0
 */
export const shortestEcho = (secrets: ReadonlyArray<string>): number => {
  let least = Infinity
  for (const secret of secrets) {
    // A number in hex may be written without its dashes.
    const length = plainCharacters.test(secret) ? secret.trim().replaceAll("-", "").length : 0
    if (length < least && secret.trim() !== "") least = length
  }
  return least
}

// =============================================================================
// Search
// =============================================================================

/** How a view is read for patterns of a spelling. */
const readings: Readonly<Record<Spelling, (view: View) => View>> = {
  plain: (view) => ({ ...view, bytes: folded(view.bytes) }),
  loose: (view) => {
    const joined = without(view, gaps)
    return { ...joined, bytes: joined.bytes.toLowerCase() }
  },
  // Dumps of bytes have something between them.
  hex: (view) => {
    const joined = without(view, /(?:0x|[\s:,-])+/gi)
    return { ...joined, bytes: joined.bytes.toLowerCase() }
  },
  // Mail breaks lines.
  base64: (view) => {
    const joined = without(view, /\s+/g)
    return { ...joined, bytes: urlUnsafe(joined.bytes) }
  }
}

/** Read with white space, where words count. */
const wordReadings: Readonly<Record<Spelling, (view: View) => View>> = {
  plain: readings.plain,
  loose: readings.loose,
  hex: (view) => ({ ...view, bytes: view.bytes.toLowerCase() }),
  base64: (view) => ({ ...view, bytes: urlUnsafe(view.bytes) })
}

const neighbours: Readonly<Record<Spelling, RegExp>> = {
  plain: /[A-Za-z0-9_]/,
  loose: /[A-Za-z0-9_]/,
  hex: /[A-Za-z0-9]/,
  base64: /[A-Za-z0-9+/]/
}

/** Whether a byte was written as an escape of several characters. */
const isEscape = (view: View, at: number): boolean =>
  view.starts !== undefined && at >= 0 && at < view.bytes.length && endOf(view, at + 1) - startOf(view, at) > 1

/**
 * Where a secret begins whose head should stand before `from`. What is missing of it may have been swallowed by an escape,
 * which then stands in its place or is taken for a part of it.
 */
const headOf = (view: View, from: number, head: string): number | undefined => {
  let at = from
  for (let left = head.length; left > 0; left--) {
    if (view.bytes[at - 1] !== head[left - 1]) {
      return isEscape(view, at - 1) ? at - 1 : at < from && isEscape(view, at) ? at : undefined
    }
    at--
  }
  return at
}

/** Where it ends, likewise. */
const tailOf = (view: View, to: number, tail: string): number | undefined => {
  let at = to
  for (let right = 0; right < tail.length; right++) {
    if (view.bytes[at] !== tail[right]) {
      return isEscape(view, at) ? at + 1 : at > to && isEscape(view, at - 1) ? at : undefined
    }
    at++
  }
  return at
}

const bearer = /(?:^|[^A-Za-z0-9_])(bearer {1,4})$/i

/** The span of a hit in the text, or `undefined` when it is only part of a longer word. */
const spanOf = (
  view: View,
  at: number,
  { after, alone, before, bytes, head, tail }: Pattern,
  spelling: Spelling
): Span | undefined => {
  const neighbour = neighbours[spelling]
  let from = at
  let to = at + bytes.length
  const isBefore = from > 0 && neighbour.test(view.bytes[from - 1]!)
  const isAfter = to < view.bytes.length && neighbour.test(view.bytes[to]!)
  if (alone && (isBefore || isAfter)) return undefined
  if (spelling === "plain") {
    const begin = headOf(view, from, head)
    const end = tailOf(view, to, tail)
    if (begin === undefined || end === undefined) return undefined
    from = begin
    to = end
    const scheme = bearer.exec(view.bytes.slice(Math.max(0, from - 12), from))
    if (scheme !== null) from -= scheme[1]!.length
  }
  if (before && isBefore) from--
  if (after && isAfter) to++
  if (spelling === "base64") { for (let i = 0; i < 2 && view.bytes[to] === "="; i++) to++ }
  return { start: startOf(view, from), end: endOf(view, to) }
}

/** In the order of the text, those that overlap as one. */
const joined = (spans: Array<Span>): ReadonlyArray<Span> => {
  if (spans.length < 2) return spans
  spans.sort((a, b) => a.start - b.start || b.end - a.end)
  const out: Array<{ start: number; end: number }> = []
  for (const { end, start } of spans) {
    const last = out[out.length - 1]
    if (last === undefined || start >= last.end) out.push({ start, end })
    else if (end > last.end) last.end = end
  }
  return out
}

const spellings = ["plain", "loose", "hex", "base64"] as const

/**
 * Looks for some secrets.
 *
 * @category models
 * @since 0.1.0
 */
export class SecretSearch {
  /** No encoding of a secret that is looked for takes more characters. */
  readonly reach: number
  private readonly patterns: ReadonlyArray<{
    readonly spelling: Spelling
    readonly alone: boolean
    readonly shortest: number
    readonly list: ReadonlyArray<Pattern>
  }>

  constructor(secrets: ReadonlyArray<string>) {
    const known = new Set(secrets.flatMap((secret) => [secret, secret.trim()]).filter((secret) => secret.trim() !== ""))
    const all = [...known].map(patternsOf)
    this.patterns = spellings.flatMap((spelling) =>
      [false, true].flatMap((alone) => {
        const list = [
          ...new Map(
            all.flatMap((patterns) => patterns[spelling])
              .filter((one) => one.alone === alone && one.bytes.trim() !== "")
              .map((one) => [JSON.stringify(one), one] as const)
          ).values()
        ]
        const shortest = list.reduce((least, { bytes }) => Math.min(least, bytes.length), Infinity)
        return list.length === 0 ? [] : [{ spelling, alone, shortest, list }]
      })
    )
    const longest = Math.max(
      0,
      ...all.flatMap(({ plain }) => plain.map(({ bytes, head, tail }) => head.length + bytes.length + tail.length))
    )
    this.reach = longest * longestEscape
  }

  /** Where the secrets stand. */
  find(text: string): ReadonlyArray<Span> {
    if (this.patterns.every(({ shortest }) => shortest > text.length * 3)) return []
    const spans: Array<Span> = []
    for (const level of levelsOf(text)) {
      for (const { alone, list, shortest, spelling } of this.patterns) {
        if (shortest > level.bytes.length) continue
        const view = (alone ? wordReadings : readings)[spelling](level)
        for (const one of list) {
          for (let at = view.bytes.indexOf(one.bytes); at >= 0; at = view.bytes.indexOf(one.bytes, at + 1)) {
            const span = spanOf(view, at, one, spelling)
            if (span !== undefined) spans.push(span)
          }
        }
      }
    }
    return joined(spans)
  }
}
