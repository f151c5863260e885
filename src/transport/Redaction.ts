/**
 * Keeps secrets out of every text that leaves: errors, logs, spans, cassettes.
 *
 * Secrets that are known are replaced by value, in every encoding in which a provider or a proxy may echo them; what only
 * looks like a key is masked by its form. Scrub before you cut: half a key is not found by value any more. What is scrubbed
 * where is the transport's business.
 *
 * @since 0.1.0
 */

/**
 * What stands in place of a secret.
 *
 * @category data
 * @since 0.1.0
 */
const placeholder = "<redacted>"

/**
 * Names of headers whose values are secret, in lower case.
 *
 * @category data
 * @since 0.1.0
 */
export const redactedHeaderNames: ReadonlyArray<string> = [
  "authorization",
  "proxy-authorization",
  "x-api-key",
  "api-key",
  "apikey",
  "x-goog-api-key",
  "x-goog-iam-authorization-token",
  "x-amz-security-token",
  "x-auth-token",
  "x-access-token",
  "ocp-apim-subscription-key",
  "cf-aig-authorization",
  "cf-access-client-secret",
  "x-portkey-api-key",
  "helicone-auth",
  "cookie",
  "set-cookie",
  "openai-organization",
  "openai-project"
]

// =============================================================================
// Encodings of a known secret
// =============================================================================

/** Shorter secrets (`test`, `ollama`) occur in ordinary words; they are replaced as whole words only. */
const minimumForSubstring = 8

const utf8 = new TextEncoder()

const base64 = (bytes: Uint8Array): string => btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""))

/**
 * Base64 of a secret, whole and as it appears inside longer data (`user:secret` of Basic authentication): what surrounds it
 * changes only the first and last characters, so there are three inner forms.
 */
const base64Forms = (secret: string): ReadonlyArray<string> => {
  const bytes = utf8.encode(secret)
  const forms = [base64(bytes)]
  for (const offset of [0, 1, 2]) {
    const padded = new Uint8Array(offset + bytes.length)
    padded.set(bytes, offset)
    // Characters made of the secret's bits only: 6 bits each, from the first boundary behind the padding.
    const core = base64(padded).slice(Math.ceil(offset * 8 / 6), Math.floor(padded.length * 8 / 6))
    if (core.length >= minimumForSubstring) forms.push(core)
  }
  return forms.flatMap((form) => {
    const urlSafe = form.replaceAll("+", "-").replaceAll("/", "_")
    const unpadded = form.replace(/=+$/, "")
    return [form, unpadded, urlSafe, urlSafe.replace(/=+$/, "")]
  })
}

const jsonEscaped = (text: string): string => JSON.stringify(text).slice(1, -1)

const hex = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")

const formsOf = (secret: string): ReadonlyArray<string> => {
  // A lone surrogate has no URL encoding; U+FFFD is what encoders write.
  const wellFormed = secret.toWellFormed()
  const url = encodeURIComponent(wellFormed)
  const strict = url.replace(/[!'()*~]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
  const lowerHex = (text: string): string => text.replace(/%[0-9A-F]{2}/g, (escape) => escape.toLowerCase())
  const json = jsonEscaped(secret)
  const ascii = json.replace(/[\u007f-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)
  const html = secret.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll(
    "\"",
    "&quot;"
  )
  return [
    secret,
    wellFormed,
    url,
    strict,
    lowerHex(url),
    lowerHex(strict),
    url.replaceAll("%20", "+"),
    strict.replaceAll("%20", "+"),
    encodeURI(wellFormed),
    encodeURIComponent(url),
    json,
    json.replaceAll("/", "\\/"),
    jsonEscaped(json),
    ascii,
    html,
    ...base64Forms(secret),
    ...(secret.length >= minimumForSubstring ? [hex(utf8.encode(secret))] : [])
  ]
}

const escaped = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&")

const alternatives = (forms: Iterable<string>): string =>
  [...new Set(forms)].filter((form) => form !== "").toSorted((a, b) => b.length - a.length).map(escaped).join("|")

/** One expression for all secrets, longest form first, with the scheme name in front where there is one. */
const expressionOf = (secrets: ReadonlyArray<string>): RegExp | undefined => {
  const long = alternatives(secrets.filter((secret) => secret.length >= minimumForSubstring).flatMap(formsOf))
  const short = alternatives(secrets.filter((secret) => secret.length < minimumForSubstring).flatMap(formsOf))
  const bodies = [
    ...(long === "" ? [] : [`(?:${long})`]),
    ...(short === "" ? [] : [`(?<![A-Za-z0-9_])(?:${short})(?![A-Za-z0-9_])`])
  ]
  return bodies.length === 0 ? undefined : new RegExp(`(?:\\b[Bb]earer\\s{1,4})?(?:${bodies.join("|")})`, "g")
}

// =============================================================================
// Things that look like keys
// =============================================================================

const keyShapes: ReadonlyArray<readonly [pattern: RegExp, replacement: (mark: string) => string]> = [
  // Scheme and token; a digit keeps "Bearer authentication" readable.
  [/\b(?:bearer|basic)\s{1,4}(?=[^\s"'<>,;]{0,256}\d)[A-Za-z0-9._~+/=*-]{16,}/gi, (mark) => mark],
  // OpenAI, Anthropic, OpenRouter, DeepSeek, Moonshot, Cerebras and their like; `*` because providers echo them starred.
  [/(?<![A-Za-z0-9])(?:sk|csk|pk|rk)-(?=[A-Za-z0-9_*-]{0,256}[\d*])[A-Za-z0-9_*-]{8,}/g, (mark) => mark],
  [/(?<![A-Za-z0-9])sk-(?:ant|or|proj|svcacct)-[A-Za-z0-9_*-]{4,}/g, (mark) => mark],
  // Google API keys and OAuth tokens
  [/(?<![A-Za-z0-9])AIza[A-Za-z0-9_*-]{20,}/g, (mark) => mark],
  [/(?<![A-Za-z0-9])ya29\.[A-Za-z0-9_.-]{16,}/g, (mark) => mark],
  // Groq, xAI, Hugging Face, Replicate, Perplexity, Fireworks, NVIDIA, Together
  [/(?<![A-Za-z0-9])(?:gsk_|xai-|hf_|r8_|pplx-|fw_|nvapi-|tgp_v1_)[A-Za-z0-9_*-]{16,}/g, (mark) => mark],
  // GitHub
  [/(?<![A-Za-z0-9])(?:gh[oprsu]_|github_pat_)[A-Za-z0-9_]{16,}/g, (mark) => mark],
  // AWS access key ids, Bedrock API keys
  [/(?<![A-Za-z0-9])(?:AKIA|ASIA)[A-Z0-9]{12,}(?![a-z0-9])/g, (mark) => mark],
  [/(?<![A-Za-z0-9])(?:ABSK|bedrock-api-key-)[A-Za-z0-9+/=_-]{20,}/g, (mark) => mark],
  // JSON web tokens
  [/(?<![A-Za-z0-9])eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{4,}/g, (mark) => mark],
  // Query parameters
  [
    /([?&](?:key|api[-_]?key|access[-_]?token|token|auth|sig|signature|client[-_]?secret|subscription-key|x-amz-(?:signature|credential|security-token))=)[^&\s"'<>#]+/gi,
    (mark) => `$1${mark}`
  ],
  // Credentials in a URL
  [/(:\/\/)[^\s/@:"'<>]{1,256}:[^\s/@"'<>]{1,256}(?=@)/g, (mark) => `$1${mark}`],
  // Headers as text or JSON
  [
    /((?:\b|")(?:authorization|x-api-key|api-key|x-goog-api-key|ocp-apim-subscription-key|x-amz-security-token)\\?["']?\s{0,4}[:=]\s{0,4}\\?["']?)(?:(?:bearer|basic)\s{1,4})?(?:(?=[^\s"'<>,;\\]{0,256}\d)[^\s"'<>,;\\]{8,}|[^\s"'<>,;\\]{20,})/gi,
    (mark) => `$1${mark}`
  ]
]

/**
 * Makes the function that removes secrets from text.
 *
 * It replaces each secret, plain, URL-encoded, JSON-escaped, as base64 or hex and with "Bearer" in front, by `<redacted>`,
 * and masks what looks like a key of some known provider. Secrets of fewer than 8 characters are replaced as whole words
 * only; blank ones are ignored. The result is a fixed point: scrubbing twice changes nothing more.
 *
 * @category scrubbing
 * @since 0.1.0
 */
export const makeScrubber = (secrets: ReadonlyArray<string>): (text: string) => string => {
  const known = [...new Set(secrets.flatMap((secret) => [secret, secret.trim()]))].filter((secret) =>
    secret.trim() !== ""
  )
  const expression = expressionOf(known)
  // A secret that is part of the placeholder would survive in it.
  const mark = expression === undefined || known.every((secret) => !placeholder.includes(secret)) ? placeholder : "***"
  const once = (text: string): string => {
    let out = expression === undefined ? text : text.replace(expression, () => mark)
    for (const [pattern, replacement] of keyShapes) out = out.replace(pattern, replacement(mark))
    return out
  }
  return (text) => {
    let out = text
    // What a replacement leaves side by side may look like a key again.
    for (let pass = 0; pass < 4; pass++) {
      const next = once(out)
      if (next === out) break
      out = next
    }
    return out
  }
}

// =============================================================================
// Size
// =============================================================================

/** Marks the cut, where there is room for it. */
const ellipsis = "…"
const ellipsisBytes = 3

/**
 * The text, cut to at most `maxBytes` bytes of UTF-8 between characters, with "…" at the cut.
 *
 * @default maxBytes 65536
 * @category size
 * @since 0.1.0
 */
export const cap = (text: string, maxBytes = 65_536): string => {
  const limit = Number.isFinite(maxBytes) ? Math.max(0, Math.floor(maxBytes)) : maxBytes > 0 ? Infinity : 0
  if (text.length * 3 <= limit || limit === Infinity) return text
  if (bytesUntil(text, limit) === text.length) return text
  return limit < ellipsisBytes ? "" : text.slice(0, bytesUntil(text, limit - ellipsisBytes)) + ellipsis
}

/** How many UTF-16 units fit into so many bytes. */
const bytesUntil = (text: string, limit: number): number => utf8.encodeInto(text, new Uint8Array(limit)).read

// =============================================================================
// Causes
// =============================================================================

const maxLevels = 5
const maxCauseBytes = 2048

/** A property of a foreign object, whose getter may throw. */
const property = (u: object, key: string): unknown => {
  try {
    return (u as Record<string, unknown>)[key]
  } catch {
    return undefined
  }
}

const shown = (u: unknown): string | undefined => {
  if (typeof u === "string") return u.trim() === "" ? undefined : u
  return typeof u === "number" || typeof u === "bigint" ? String(u) : undefined
}

const describeLevel = (u: unknown): string | undefined => {
  if (typeof u !== "object" || u === null) {
    return shown(u) ?? (typeof u === "symbol" || typeof u === "boolean" ? String(u) : undefined)
  }
  const name = shown(property(u, "_tag")) ?? shown(property(u, "name"))
  const code = shown(property(u, "code"))
  const message = shown(property(u, "message")) ?? shown(property(u, "description"))
  const head = [name, code].filter((part) => part !== undefined).join(" ")
  if (message === undefined) return head === "" ? undefined : head
  return head === "" ? message : `${head}: ${message}`
}

/** Where errors keep what caused them: ES2022, Effect's reasons and exits, `AggregateError`. */
const causeOf = (u: unknown): unknown => {
  if (typeof u !== "object" || u === null) return undefined
  for (const key of ["cause", "reason", "error", "defect", "failure"]) {
    const value = property(u, key)
    if (value !== undefined && value !== null && value !== u && typeof value !== "function") return value
  }
  for (const key of ["reasons", "errors"]) {
    const value = property(u, key)
    if (Array.isArray(value) && value.length > 0) return property(value, "0")
  }
  return undefined
}

/**
 * One line about an unknown cause: name, code and message of it and of what caused it, outermost first, at most five
 * levels, scrubbed. Never more than 2048 bytes; "unknown cause" where there is nothing to say. Never throws.
 *
 * @category causes
 * @since 0.1.0
 */
export const describeCause = (cause: unknown, scrub: (text: string) => string): string => {
  try {
    const line = oneLine(scrub(oneLine(scrub(levelsOf(cause).join(" <- ")))))
    return cap(line === "" ? "unknown cause" : line, maxCauseBytes)
  } catch {
    // A revoked proxy, say: foreign objects can throw at any touch.
    return "unknown cause"
  }
}

const oneLine = (text: string): string => text.replace(/\s+/g, " ").trim()

const levelsOf = (cause: unknown): ReadonlyArray<string> => {
  const levels: Array<string> = []
  const seen = new Set<unknown>()
  let current = cause
  while (current !== undefined && current !== null && levels.length < maxLevels && seen.size < 2 * maxLevels) {
    if (seen.has(current)) break
    seen.add(current)
    const level = describeLevel(current)
    if (level !== undefined && level !== levels.at(-1)) levels.push(level)
    current = causeOf(current)
  }
  return levels
}
