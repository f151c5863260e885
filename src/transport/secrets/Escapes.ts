/**
 * Reads text the way whoever unescapes it would: as bytes, each of which knows where in the text it stands.
 *
 * Percent-encoding, JSON and JavaScript escapes and HTML entities are read alike, in any mixture, in either case, of
 * any subset of characters, and nested. It is made for finding, not for decoding: backslashes are dropped, so that a text
 * that was quoted many times reads like one that was quoted once. Each step costs time linear in the text.
 *
 * @since 0.1.0
 */

/**
 * Text as bytes.
 *
 * @category models
 * @since 0.1.0
 */
export interface View {
  /** One character (U+0000 to U+00FF) per byte of UTF-8. */
  readonly bytes: string
  /** Where in the text a byte's character or escape begins. @default at the byte's own index */
  readonly starts?: Uint32Array | undefined
  /** Where it ends. */
  readonly ends?: Uint32Array | undefined
}

/** Where in the text the bytes from `from` to `to` begin. */
export const startOf = (view: View, from: number): number => view.starts === undefined ? from : view.starts[from]!

/** Where in the text the bytes before `to` end. */
export const endOf = (view: View, to: number): number => view.ends === undefined ? to : view.ends[to - 1]!

/** Collects bytes. Text grows by pieces: a string per byte would cost a rope as deep as the text is long. */
class Writer {
  private readonly pieces: Array<string> = []
  private pending = ""
  private starts: Uint32Array
  private ends: Uint32Array
  private size = 0

  constructor(room: number) {
    this.starts = new Uint32Array(room)
    this.ends = new Uint32Array(room)
  }

  private grow(by: number): void {
    const needed = this.size + by
    if (needed <= this.starts.length) return
    const room = Math.max(needed, this.starts.length * 2, 64)
    const starts = new Uint32Array(room)
    starts.set(this.starts)
    this.starts = starts
    const ends = new Uint32Array(room)
    ends.set(this.ends)
    this.ends = ends
  }

  /** Bytes that come from one place of the text. */
  add(bytes: string, start: number, end: number): void {
    this.grow(bytes.length)
    for (let at = 0; at < bytes.length; at++) {
      this.starts[this.size] = start
      this.ends[this.size] = end
      this.size++
    }
    this.pending += bytes
    if (this.pending.length >= 4096) this.flush()
  }

  /** Bytes of another view, as they are. */
  copy(view: View, from: number, to: number): void {
    this.grow(to - from)
    for (let at = from; at < to; at++) {
      this.starts[this.size] = startOf(view, at)
      this.ends[this.size] = endOf(view, at + 1)
      this.size++
    }
    this.flush()
    this.pieces.push(view.bytes.slice(from, to))
  }

  private flush(): void {
    if (this.pending !== "") this.pieces.push(this.pending)
    this.pending = ""
  }

  view(): View {
    this.flush()
    return {
      bytes: this.pieces.join(""),
      starts: this.starts.subarray(0, this.size),
      ends: this.ends.subarray(0, this.size)
    }
  }
}

/** UTF-8 of a code point; a lone surrogate gets three bytes like any other unit, so that halves can find each other. */
const bytesOf = (code: number): string =>
  code < 0x80
    ? String.fromCharCode(code)
    : code < 0x800
    ? String.fromCharCode(0xc0 | code >> 6, 0x80 | code & 0x3f)
    : code < 0x10000
    ? String.fromCharCode(0xe0 | code >> 12, 0x80 | code >> 6 & 0x3f, 0x80 | code & 0x3f)
    : String.fromCharCode(0xf0 | code >> 18, 0x80 | code >> 12 & 0x3f, 0x80 | code >> 6 & 0x3f, 0x80 | code & 0x3f)

/**
 * The text as it stands.
 *
 * @category constructors
 * @since 0.1.0
 */
export const literal = (text: string): View => {
  if (!/[\u0080-\uffff]/.test(text)) return { bytes: text }
  const bytes = new Uint8Array(text.length * 3)
  const starts = new Uint32Array(bytes.length)
  const ends = new Uint32Array(bytes.length)
  let size = 0
  for (let at = 0; at < text.length;) {
    const code = text.codePointAt(at)!
    const width = code > 0xffff ? 2 : 1
    const first = size
    if (code < 0x80) bytes[size++] = code
    else {
      const encoded = bytesOf(code)
      for (let i = 0; i < encoded.length; i++) bytes[size++] = encoded.charCodeAt(i)
    }
    for (let i = first; i < size; i++) {
      starts[i] = at
      ends[i] = at + width
    }
    at += width
  }
  const pieces: Array<string> = []
  for (let at = 0; at < size; at += 8192) {
    pieces.push(String.fromCharCode(...bytes.subarray(at, Math.min(size, at + 8192))))
  }
  return { bytes: pieces.join(""), starts: starts.subarray(0, size), ends: ends.subarray(0, size) }
}

// =============================================================================
// Escapes
// =============================================================================

/** Names of the entities of ASCII and Latin-1 characters: https://html.spec.whatwg.org/multipage/named-characters.html */
const asciiNames =
  "Tab 9 NewLine 10 excl 33 quot 34 QUOT 34 num 35 dollar 36 percnt 37 amp 38 AMP 38 apos 39 lpar 40 rpar 41 ast 42 midast 42 plus 43 comma 44 period 46 sol 47 colon 58 semi 59 lt 60 LT 60 equals 61 gt 62 GT 62 quest 63 commat 64 lsqb 91 lbrack 91 bsol 92 rsqb 93 rbrack 93 Hat 94 lowbar 95 UnderBar 95 grave 96 DiacriticalGrave 96 lcub 123 lbrace 123 verbar 124 vert 124 VerticalLine 124 rcub 125 rbrace 125 hyphen 45 dash 45 NonBreakingSpace 160 die 168 Dot 168 uml 168 circledR 174 strns 175 pm 177 half 189 div 247 angst 197 centerdot 183 CenterDot 183"

const latinNames =
  "nbsp iexcl cent pound curren yen brvbar sect uml copy ordf laquo not shy reg macr deg plusmn sup2 sup3 acute micro para middot cedil sup1 ordm raquo frac14 frac12 frac34 iquest Agrave Aacute Acirc Atilde Auml Aring AElig Ccedil Egrave Eacute Ecirc Euml Igrave Iacute Icirc Iuml ETH Ntilde Ograve Oacute Ocirc Otilde Ouml times Oslash Ugrave Uacute Ucirc Uuml Yacute THORN szlig agrave aacute acirc atilde auml aring aelig ccedil egrave eacute ecirc euml igrave iacute icirc iuml eth ntilde ograve oacute ocirc otilde ouml divide oslash ugrave uacute ucirc uuml yacute thorn yuml"

const entities: ReadonlyMap<string, number> = new Map([
  ...Array.from(asciiNames.matchAll(/(\S+) (\d+)/g), ([, name, code]) => [name!, Number(code)] as const),
  ...latinNames.split(" ").map((name, index) => [name, 160 + index] as const)
])

// One whole escape. Of several levels of the same kind (`%2541`, `&amp;amp;lt;`, `\\\u0041`) all are taken at once. Each
// expression is entered at one place of a run only, so that the search is linear.
const percent = /%(?:25)*(?:u[0-9a-f]{4}|[0-9a-f]{2})/gi
const backslash = /(?<!\\)\\+(?:u\{[0-9a-f]{1,6}\}|u[0-9a-f]{4}|x[0-9a-f]{2}|[nrtbfv"'/])/gi
const entity = /&(?:amp;|#38;|#x26;)*(?:#x0{0,8}[0-9a-f]{1,6};|#0{0,8}[0-9]{1,7};|[a-z]{2,16}[0-9]{0,2};)/gi

// What is left when a level below has completed what it can: backslashes of any number, entities without their end.
const anyBackslash = /\\+(?:u\{[0-9a-f]{1,6}\}|u[0-9a-f]{4}|x[0-9a-f]{2}|[nrtbfv])?/gi
const anyEntity =
  /&(?:amp;|#38;|#x26;)*(?:#x0{0,8}[0-9a-f]{1,6};?|#0{0,8}[0-9]{1,7};?|[a-z]{2,16}[0-9]{0,2};|(?:amp|lt|gt|quot))/gi

const either = (...kinds: ReadonlyArray<RegExp>): RegExp =>
  new RegExp(kinds.map(({ source }) => source).join("|"), "gi")

const strict = either(percent, backslash, entity)
const loose = either(percent, anyBackslash, anyEntity)

const controls: Readonly<Record<string, number>> = { n: 10, r: 13, t: 9, b: 8, f: 12, v: 11 }

const valid = (code: number): string | undefined => code >= 0 && code <= 0x10ffff ? bytesOf(code) : undefined

/** The bytes an escape stands for; `undefined` when it stands for nothing. */
const meaning = (found: string): string | undefined => {
  switch (found[0]) {
    case "%": {
      const unit = /u([0-9a-f]{4})$/i.exec(found)
      return unit === null ? String.fromCharCode(parseInt(found.slice(-2), 16)) : bytesOf(parseInt(unit[1]!, 16))
    }
    case "\\": {
      const rest = found.slice(found.lastIndexOf("\\") + 1)
      if (rest === "") return ""
      return rest.length === 1
        // `\N` and `\/`: only the backslash goes.
        ? controls[rest] === undefined ? rest : String.fromCharCode(controls[rest])
        : valid(parseInt(rest.replace(/[^0-9a-f]/gi, ""), 16))
    }
    default: {
      const name = found.slice(found.lastIndexOf("&") + 1).replace(/^(?:amp;|#38;|#x26;)+(?=.)/i, "").replace(/;$/, "")
      if (/^#x/i.test(name)) return valid(parseInt(name.slice(2), 16))
      if (name.startsWith("#")) return valid(Number(name.slice(1)))
      const code = entities.get(name) ?? entities.get(name.toLowerCase())
      return code === undefined ? undefined : bytesOf(code)
    }
  }
}

const pairs = /\xed([\xa0-\xaf])([\x80-\xbf])\xed([\xb0-\xbf])([\x80-\xbf])/g

/** Joins the halves of characters beyond U+FFFF, which JSON escapes one by one. */
const paired = (view: View): View => {
  if (!view.bytes.includes("\xed")) return view
  const writer = new Writer(view.bytes.length)
  let last = 0
  for (const found of view.bytes.matchAll(pairs)) {
    const [a, b, c, d] = [1, 2, 3, 4].map((group) => found[group]!.charCodeAt(0) & 0x3f) as [
      number,
      number,
      number,
      number
    ]
    const code = 0x10000 + (((a & 0xf) << 6 | b) << 10) + ((c & 0xf) << 6 | d)
    writer.copy(view, last, found.index)
    writer.add(bytesOf(code), startOf(view, found.index), endOf(view, found.index + 6))
    last = found.index + 6
  }
  if (last === 0) return view
  writer.copy(view, last, view.bytes.length)
  return writer.view()
}

/** Takes one level of escapes away; the same view when there is none. */
const unescapedOnce = (view: View, escape: RegExp): View => {
  const { bytes } = view
  if (!/[%\\&]/.test(bytes)) return view
  const writer = new Writer(bytes.length)
  let last = 0
  for (const { 0: found, index } of bytes.matchAll(escape)) {
    const read = meaning(found)
    if (read === undefined) continue
    const end = index + found.length
    writer.copy(view, last, index)
    writer.add(read, startOf(view, index), endOf(view, end))
    last = end
  }
  if (last === 0) return view
  writer.copy(view, last, bytes.length)
  return paired(writer.view())
}

/** Levels of escapes of different kinds in one another that are looked through. */
const maxLevels = 6

/** Adds what the view becomes as one level after the other is taken away. */
const takeAway = (levels: Array<View>, from: View, escapes: ReadonlyArray<RegExp>): void => {
  let view = from
  for (const escape of escapes) {
    for (let level = 0; level < maxLevels; level++) {
      const next = unescapedOnce(view, escape)
      if (next === view) break
      levels.push(next)
      view = next
    }
  }
}

const kinds: ReadonlyArray<readonly [sign: string, escape: RegExp]> = [
  ["%", percent],
  ["\\", backslash],
  ["&", entity]
]

/**
 * The text as it stands, and with one level of escapes after another taken away: all kinds together, and each kind alone,
 * because what stands beside a secret may make up an escape with its first characters.
 *
 * @category constructors
 * @since 0.1.0
 */
export const levelsOf = (text: string): ReadonlyArray<View> => {
  const view = paired(literal(text))
  const levels = [view]
  takeAway(levels, view, [strict, loose])
  if (levels.length === 1) return levels
  const present = kinds.filter(([sign]) => view.bytes.includes(sign))
  if (present.length > 1) { for (const [, escape] of present) takeAway(levels, view, [escape]) }
  return levels
}

/**
 * The view without the bytes that match.
 *
 * @category combinators
 * @since 0.1.0
 */
export const without = (view: View, dropped: RegExp): View => {
  if (view.bytes.search(dropped) < 0) return view
  const writer = new Writer(view.bytes.length)
  let last = 0
  for (const { 0: found, index } of view.bytes.matchAll(dropped)) {
    writer.copy(view, last, index)
    last = index + found.length
  }
  writer.copy(view, last, view.bytes.length)
  return writer.view()
}
