/**
 * Reads durations out of text: Go's notation (`1m30.5s`) and the sentences in which providers name a delay.
 *
 * Owns the grammar only. Which header or field is asked, and in which order, is `transport/RetryAfter.ts`
 * and `ErrorBody.ts`.
 *
 * @since 0.1.0
 */

const unitMillis: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000
}

/** Floating point noise below a nanosecond is not a duration. */
const rounded = (millis: number): number | undefined => {
  const value = Math.round(millis * 1e6) / 1e6
  return Number.isFinite(value) ? value : undefined
}

/**
 * Milliseconds of a duration in Go's notation, such as `6m0s`, `20ms`, `1m30.5s`; also days (`1d2h`), which some hosts add.
 * `undefined` for anything else, negative durations and plain numbers other than `0` included.
 * https://pkg.go.dev/time#ParseDuration
 *
 * @stability experimental
 * @category parsing
 * @since 0.1.0
 */
export const goDuration = (text: string): number | undefined => {
  const source = text.trim().replace(/^\+/, "")
  if (source === "0") return 0
  if (source.length > 64 || !/^(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h|d))+$/.test(source)) return undefined
  let millis = 0
  for (const [, amount, unit] of source.matchAll(/(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h|d)/g)) {
    millis += Number(amount) * unitMillis[unit!]!
  }
  return rounded(millis)
}

const unit = "(?:milliseconds?|millis|msecs?|ms|seconds?|secs?|s|minutes?|mins?|m|hours?|hrs?|h|days?|d)(?![a-z])"
const amount = `\\d{1,12}(?:\\.\\d{1,12})?\\s{0,2}${unit}`
const duration = `(${amount}(?:\\s{0,2}(?:,|and)?\\s{0,2}${amount}){0,5})`
const about = "(?:(?:about|approximately|around|at least|another|up to|for|~)\\s{0,2}){0,2}"

/** Words that can only introduce a delay come first; a bare "in" or "after" counts where the text is about trying again. */
const leads: ReadonlyArray<RegExp> = [
  new RegExp(`\\bagain\\s+(?:in|after)\\s+${about}${duration}`, "i"),
  new RegExp(
    `\\bretry(?:ing)?(?:\\s+(?:your\\s+)?(?:the\\s+)?(?:request|it))?\\s+(?:in|after)\\s+${about}${duration}`,
    "i"
  ),
  new RegExp(`\\bwait(?:ing)?\\s+${about}${duration}`, "i"),
  new RegExp(`\\bretry[-_ ]?(?:after|delay)["']?\\s*[:=]\\s*["']?${duration}`, "i"),
  new RegExp(`\\b(?:resets?|replenished|available|restored)\\s+(?:again\\s+)?(?:in|after)\\s+${about}${duration}`, "i"),
  new RegExp(`^\\s*(?:in|after)\\s+${about}${duration}`, "i")
]

const bare = new RegExp(`\\b(?:in|after)\\s+${about}${duration}`, "i")
const aboutTryingAgain = /\b(?:retry|again|wait|slow down)\b/i

/** Nobody hides a delay deep in a long text; the bound keeps matching cheap on hostile input. */
const searched = 8192

/**
 * Milliseconds of the delay that an error text names, such as "try again in 2.5s", "Please wait 114h18m0s" or
 * "retry after 30 seconds"; `undefined` when it names none.
 *
 * @stability experimental
 * @category parsing
 * @since 0.1.0
 */
export const retryDelayFromMessage = (text: string): number | undefined => {
  const source = text.length > searched ? text.slice(0, searched) : text
  for (const lead of leads) {
    const match = lead.exec(source)
    if (match !== null) return spelled(match[1]!)
  }
  const match = aboutTryingAgain.test(source) ? bare.exec(source) : null
  return match === null ? undefined : spelled(match[1]!)
}

const spelled = (text: string): number | undefined => {
  let millis = 0
  for (const [, value, word] of text.toLowerCase().matchAll(/(\d+(?:\.\d+)?)\s*([a-z]+)/g)) {
    millis += Number(value) * unitMillis[unitOf(word!)]!
  }
  return rounded(millis)
}

const unitOf = (word: string): string => word.startsWith("milli") || word.startsWith("ms") ? "ms" : word.charAt(0)
