/**
 * Over how long a limit counts: waiting seconds helps against one per minute, and does not against one per day.
 *
 * Owns the words and Google's structured details; what follows from them is `classify` in `ErrorMap.ts`.
 *
 * @since 0.1.0
 */

/**
 * What is known of the limit that was reached: `short` counts over at most an hour, `long` over a day or more, `none` allows
 * nothing at all.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export type LimitWindow = "short" | "long" | "none"

const longUnit = /^(?:d|day|daily|week|weekly|month|monthly|year)/i

/** The words of a window: "per minute", "PerDay", "free-models-per-day", "ByDay", "daily", "/ month", "RPD", "TPM", "per 86400s". */
const windowWords =
  /(?:per|by)[ _-]?(second|minute|min|hour|day|week|month|year)|(?:^|[^a-z])(daily|weekly|monthly|hourly)(?![a-z])|\/ ?(second|sec|minute|min|hour|day|week|month)\b|\b(?:[rt]|it|ot|as)p([smhd])\b|\bper (\d{1,7}) ?s(?:econds?)?\b/i

const secondsOfADay = 86_400

/**
 * The window that a text names first; further ones are advice ("add credits to unlock 1000 requests per day").
 *
 * @stability experimental
 * @category parsing
 * @since 0.1.0
 */
export const windowIn = (text: string): LimitWindow | undefined => {
  const match = windowWords.exec(text)
  if (match === null) return undefined
  const seconds = match[5]
  if (seconds !== undefined) return Number(seconds) >= secondsOfADay ? "long" : "short"
  return longUnit.test(match[1] ?? match[2] ?? match[3] ?? match[4]!) ? "long" : "short"
}

type Obj = Readonly<Record<string, unknown>>

const isObject = (u: unknown): u is Obj => typeof u === "object" && u !== null && !Array.isArray(u)

/** Members that name a quota: of `google.rpc.QuotaFailure` violations, of `google.rpc.ErrorInfo` metadata, of OpenRouter's metadata. */
const quotaNames = ["quotaId", "quotaMetric", "quota_limit", "quota_unit", "quota_metric", "limit_source"]
const quotaValues = ["quotaValue", "quota_limit_value"]

const maxDetails = 32

/**
 * The window that structured details name: the longest, because that one is waited for last.
 *
 * @see https://cloud.google.com/apis/design/errors#error_details
 * @see https://github.com/google-gemini/gemini-cli/issues/8437
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const windowOf = (error: Obj): LimitWindow | undefined => {
  const holders = Array.isArray(error["details"]) ? error["details"].slice(0, maxDetails) : []
  if (isObject(error["metadata"])) holders.push(error["metadata"])
  let found: LimitWindow | undefined
  for (const holder of holders) {
    if (!isObject(holder)) continue
    const violations = Array.isArray(holder["violations"]) ? holder["violations"].slice(0, maxDetails) : []
    for (const quota of [...violations, holder["metadata"], holder]) {
      const window = isObject(quota) ? windowOfQuota(quota) : undefined
      if (window === "none") return "none"
      if (window !== undefined && found !== "long") found = window
    }
  }
  return found
}

const windowOfQuota = (quota: Obj): LimitWindow | undefined => {
  if (quotaValues.some((name) => quota[name] === "0" || quota[name] === 0)) return "none"
  for (const name of quotaNames) {
    const value = quota[name]
    const window = typeof value === "string" ? windowIn(value.slice(0, 256)) : undefined
    if (window !== undefined) return window
  }
  return undefined
}

/** Details that a proxy put into its message as text. */
const quotaIdInText = /quota_?(?:id|limit)["'\\]{0,4}\s?:\s?["'\\]{0,4}([\w-]{1,128})/gi

const noQuotaInText = /quota_?(?:value|limit_value)["'\\]{0,4}\s?:\s?["'\\]{0,4}0(?![\d.])/i

/**
 * The window of quota ids in a text, as gateways render Google's details.
 *
 * @stability experimental
 * @category parsing
 * @since 0.1.0
 */
export const windowOfQuotaIds = (text: string): LimitWindow | undefined => {
  if (noQuotaInText.test(text)) return "none"
  let found: LimitWindow | undefined
  for (const [, id] of text.matchAll(quotaIdInText)) {
    const window = windowIn(id!)
    if (window !== undefined && found !== "long") found = window
  }
  return found
}
