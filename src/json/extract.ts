/**
 * Finds JSON in the text of an answer: alone, in a Markdown fence, with prose around it, several values one after another.
 *
 * @since 0.1.0
 */
import { parseJson } from "./parse.ts"
import { repair } from "./tolerant.ts"
import type { Json } from "./value.ts"

/**
 * A value that may be what the answer means.
 *
 * @category models
 * @since 0.1.0
 */
export interface Candidate {
  readonly value: Json
  /** What was mended or left out to read it; empty for sound JSON alone. */
  readonly repairs: ReadonlyArray<string>
  readonly cut: boolean
}

// The word is only looked at, so that a line without an end is read once.
const fence = /(?:^|\n)[ \t>]*```(?=[ \t]*([\w.+-]*))[^\n]*\n([\s\S]*?)(?:\n[ \t>]*```|```\s*$|$)/g

/** Words after a fence that say it holds something else. */
const otherLanguages = /^(?:python|py|bash|sh|shell|sql|html|xml|css|yaml|yml|toml|diff|markdown|md|text|csv)$/i

const maxCandidates = 64
/** Openers in prose that turn out to open nothing cost what is read after them: the rest is not searched after so many characters of it. */
const maxMisread = 16_384

const isContainer = (value: Json): boolean => typeof value === "object" && value !== null

/** What a value in prose must be to be one: `[1]` after a sentence is a footnote, `{name}` a placeholder. */
const isPlausible = (value: Json): boolean =>
  Array.isArray(value)
    ? value.length === 0 || value.some((one) => isContainer(one)) || value.length > 1
    : isContainer(value)

/** The values in a text, one after another, whatever is between them. */
const valuesIn = (
  text: string,
  partial: boolean
): { readonly values: Array<Candidate>; readonly isAlone: boolean; readonly isBare: boolean } => {
  const values: Array<Candidate> = []
  let isAlone = true
  let isBare = true
  let misread = 0
  const opener = /[[{]/g
  let at = 0
  while (values.length < maxCandidates && misread < maxMisread) {
    opener.lastIndex = at
    const found = opener.exec(text)
    const between = text.slice(at, found?.index ?? text.length)
    if (!/^[\s,;]*$/.test(between)) isAlone = false
    if (between.trim() !== "") isBare = false
    if (found === null) break
    const read = repair(text, found.index, partial)
    if (read.value === undefined || (read.repairs.length > 0 && !isPlausible(read.value))) {
      isAlone = false
      misread += read.end - found.index
      at = found.index + 1
      continue
    }
    values.push(read)
    at = read.end
  }
  return { values, isAlone, isBare }
}

/**
 * The repair of a value that stands in other text.
 *
 * @category models
 * @since 0.1.0
 */
export const textAround = "text around it"

const noting = (candidate: Candidate, note: string): Candidate =>
  candidate.repairs.includes(note) ? candidate : { ...candidate, repairs: [...candidate.repairs, note] }

/**
 * The values that an answer may mean, the likeliest first. Sound JSON is the only one; nothing else is looked for then.
 *
 * With `partial`, the answer is still being written.
 *
 * @category parsing
 * @since 0.1.0
 */
export const candidatesIn = (answer: string, partial = false): ReadonlyArray<Candidate> => {
  const text = answer.replace(/^\ufeff/, "").trim()
  const whole = parseJson(text)
  if (whole !== undefined) return [{ value: whole, repairs: [], cut: false }]

  const candidates: Array<Candidate> = []
  let fences = 0
  for (const [, language = "", inside = ""] of text.matchAll(fence)) {
    if (++fences > maxCandidates) break
    if (otherLanguages.test(language)) continue
    const sound = parseJson(inside)
    if (sound !== undefined) candidates.push({ value: sound, repairs: ["a Markdown fence"], cut: false })
    else {
      for (const value of valuesIn(inside, partial).values) candidates.push(noting(value, "a Markdown fence"))
      if (!/[[{]/.test(inside)) {
        const read = repair(inside, 0, partial)
        if (read.value !== undefined && inside.slice(read.end).trim() === "") {
          candidates.push(noting(read, "a Markdown fence"))
        }
      }
    }
  }
  const inFences = candidates.length

  const { isAlone, isBare, values } = valuesIn(text, partial)
  if (inFences === 0) {
    const several = values.length > 1
    // Values one after another, a line each, are a list of them.
    if (several && isAlone) {
      candidates.push({ value: values.map(({ value }) => value), repairs: ["several values for a list"], cut: false })
    }
    for (const value of values) candidates.push(isBare && !several ? value : noting(value, textAround))
  }
  const listed = inFences > 1 ? candidates.slice(0, inFences) : values.length > 1 ? values : []
  if (listed.length > 1 && !(isAlone && inFences === 0)) {
    candidates.push({
      value: listed.map(({ value }) => value),
      repairs: [...new Set(listed.flatMap(({ repairs }) => repairs)), textAround, "several values for a list"],
      cut: listed.some(({ cut }) => cut)
    })
  }
  if (candidates.length === 0) {
    const read = repair(text, 0, partial)
    if (read.value !== undefined && /^[\s;]*$/.test(text.slice(read.end))) candidates.push(read)
  }
  return candidates
}
