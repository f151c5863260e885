// The encodings in which an echo of a secret may come, chosen by the bits of a list of random numbers.
import * as fc from "fast-check"

/** Numbers of a generated list, over and over. */
class Dice {
  private at = 0
  private readonly faces: ReadonlyArray<number>

  constructor(faces: ReadonlyArray<number>) {
    this.faces = faces
  }

  next(bound: number): number {
    return this.faces[this.at++ % this.faces.length]! % bound
  }
}

type Disguise = (secret: string, dice: Dice) => string

const bytes = (text: string) => Buffer.from(text.toWellFormed(), "utf8")

const cased = (text: string, dice: Dice): string =>
  Array.from(text, (character) => dice.next(2) === 0 ? character.toLowerCase() : character.toUpperCase()).join("")

/** Some of the characters, at least the first, by `escape`; others as they are unless they must not be. */
const someOf = (escape: (character: string, dice: Dice) => string, must: RegExp = /(?!)/): Disguise => (secret, dice) =>
  Array.from(
    secret.toWellFormed(),
    (character, at) => at === 0 || must.test(character) || dice.next(2) === 0 ? escape(character, dice) : character
  ).join("")

const percent = someOf(
  (character, dice) =>
    Array.from(bytes(character), (byte) => `%${cased(byte.toString(16).padStart(2, "0"), dice)}`).join(""),
  /%/
)

const json = someOf((character, dice) => {
  if (character === "/" && dice.next(2) === 0) return "\\/"
  const units = Array.from({ length: character.length }, (_, at) => character.charCodeAt(at))
  return units.map((unit) => `\\u${cased(unit.toString(16).padStart(4, "0"), dice)}`).join("")
}, /[\\"]/)

const named: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  "\"": "&quot;",
  "'": "&apos;",
  "/": "&sol;",
  "=": "&equals;",
  "+": "&plus;",
  _: "&lowbar;",
  $: "&dollar;",
  "%": "&percnt;",
  ü: "&uuml;"
}

const html = someOf((character, dice) => {
  const code = character.codePointAt(0)!
  const forms = [`&#${code};`, `&#x${cased(code.toString(16), dice)};`, named[character] ?? `&#0${code};`]
  return forms[dice.next(forms.length)]!
}, /&/)

const after = (first: Disguise, second: Disguise): Disguise => (secret, dice) => second(first(secret, dice), dice)

const hex = (secret: string) => bytes(secret).toString("hex")

export const disguises: Readonly<Record<string, Disguise>> = {
  plain: (secret) => secret,
  bearer: (secret) => `Bearer ${secret}`,
  base64: (secret) => bytes(secret).toString("base64"),
  base64url: (secret) => bytes(secret).toString("base64url"),
  base64inside: (secret, dice) => bytes(`${"user:".slice(dice.next(5))}${secret}:x`).toString("base64"),
  base64lines: (secret) => bytes(secret).toString("base64").replace(/.{16}/g, "$&\r\n"),
  base64twice: (secret) => bytes(bytes(secret).toString("base64")).toString("base64"),
  hexLower: hex,
  hexUpper: (secret) => hex(secret).toUpperCase(),
  hexMixed: (secret, dice) => cased(hex(secret), dice),
  hexDump: (secret) => hex(secret).replace(/..(?=.)/g, "$& "),
  percentWhole: (secret, dice) =>
    Array.from(bytes(secret), (byte) => `%${cased(byte.toString(16).padStart(2, "0"), dice)}`).join(""),
  percentUri: (secret) => encodeURIComponent(secret.toWellFormed()),
  percentForm: (secret) => new URLSearchParams({ q: secret.toWellFormed() }).toString().slice(2),
  percentSome: percent,
  percentTwice: after(percent, percent),
  percentEncodedTwice: (secret) => encodeURIComponent(encodeURIComponent(secret.toWellFormed())),
  jsonOnce: (secret) => JSON.stringify(secret).slice(1, -1),
  jsonTwice: (secret) => JSON.stringify(JSON.stringify(secret)).slice(3, -3),
  jsonSome: json,
  jsonOfJson: (secret, dice) => JSON.stringify(json(secret, dice)).slice(1, -1),
  htmlSome: html,
  htmlTwice: after(html, html),
  percentOfJson: after(json, percent),
  htmlOfPercent: after(percent, html),
  jsonOfHtml: after(html, json)
}

export interface Disguised {
  readonly name: string
  readonly form: (secret: string) => string
}

/** A disguise, with its dice thrown. */
export const disguised: fc.Arbitrary<Disguised> = fc.tuple(
  fc.constantFrom(...Object.keys(disguises)),
  fc.array(fc.nat(1023), { minLength: 40, maxLength: 40 })
).map(([name, faces]) => ({ name, form: (secret) => disguises[name]!(secret, new Dice(faces)) }))

/** What `text` says, when whoever reads it undoes every encoding: a few times over, as a whole and run by run. */
export const readings = (text: string): ReadonlyArray<string> => {
  const seen = new Set([text])
  const undo: ReadonlyArray<(text: string) => string> = [
    (it) => it.replace(/(?:%[0-9a-f]{2})+/gi, (run) => Buffer.from(run.replaceAll("%", ""), "hex").toString("utf8")),
    (it) =>
      it.replace(/\\u([0-9a-f]{4})/gi, (_, unit: string) => String.fromCharCode(parseInt(unit, 16))).replace(
        /\\(["\\/])/g,
        "$1"
      ),
    (it) =>
      it.replace(/&#x([0-9a-f]+);/gi, (_, code: string) => String.fromCodePoint(parseInt(code, 16))).replace(
        /&#(\d+);/g,
        (_, code: string) => String.fromCodePoint(Number(code))
      ).replace(/&[a-z]+;/g, (entity) => Object.keys(named).find((key) => named[key] === entity) ?? entity),
    (it) => it.replace(/[0-9a-f]{12,}/gi, (run) => Buffer.from(run, "hex").toString("utf8")),
    (it) => it.replace(/[A-Za-z0-9+/_-]{11,}/g, (run) => Buffer.from(run, "base64").toString("utf8"))
  ]
  for (let level = 0; level < 2; level++) for (const one of [...seen]) for (const step of undo) seen.add(step(one))
  return [...seen]
}
