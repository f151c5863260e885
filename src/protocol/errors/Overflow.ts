/**
 * Which of three things was too much, tokens, bytes or a medium, and by how much: each has a cure of its own.
 *
 * A conversation with too many tokens is shortened or goes to a model with a larger window, a body with too many bytes
 * uploads its media elsewhere, a medium is made smaller or split. Patterns here are data, as in `ContextOverflow.ts`.
 *
 * @since 0.1.0
 */
import { overflowPatterns } from "./ContextOverflow.ts"

/**
 * What was too much.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Overflow {
  /** What there is too much of. */
  readonly kind: "tokens" | "bytes" | "media"
  /** The most that is taken: tokens, bytes, or of a medium whatever its limit is of (bytes, pixels, pages, pieces, seconds). */
  readonly limit?: number | undefined
  /** What was sent, in the same unit. */
  readonly actual?: number | undefined
}

/**
 * Types and codes of a medium that is too large.
 *
 * @see https://platform.openai.com/docs/api-reference/responses/object#responses/object-error
 * @stability experimental
 * @category data
 * @since 0.1.0
 */
export const mediaNames: ReadonlyArray<string> = [
  "image_too_large",
  "image_file_too_large",
  "max_images_exceeded",
  "too_many_images",
  "file_too_large",
  "audio_too_long",
  "audio_too_large"
]

const medium = "\\b(?:images?|pictures?|photos?|pdfs?|documents?|files?|audios?|videos?|attachments?|pages)\\b"

/**
 * Texts of a medium that is too large, too long, or one too many.
 *
 * - Anthropic: https://github.com/anthropics/claude-code/issues/4778 (pixels), https://github.com/anthropics/claude-code/issues/6231 (pages),
 *   https://docs.anthropic.com/en/docs/build-with-claude/vision (5 MB)
 * - Bedrock: https://github.com/cline/cline/issues/1844, https://github.com/aws-samples/generative-ai-use-cases/issues/1685
 * - vLLM: https://github.com/vllm-project/vllm/issues/13513
 *
 * @stability experimental
 * @category data
 * @since 0.1.0
 */
export const mediaPatterns: ReadonlyArray<RegExp> = [
  new RegExp(
    `${medium}[^\\n]{0,60}\\b(?:exceed(?:s|ed|ing)?|too (?:large|big|long|many)|(?:larger|bigger|longer) than)\\b`,
    "i"
  ),
  new RegExp(
    `\\b(?:too many|too large|at most|(?:no )?more than|maximum of|up to|limited to)\\b[^.\\n]{0,20}${medium}`,
    "i"
  ),
  new RegExp(
    `${medium}[^.\\n]{0,30}\\b(?:size|dimensions?|duration|length|count|number)\\b[^\\n]{0,30}\\b(?:must be|exceed|limit|maximum|at most)`,
    "i"
  ),
  /\b(?:number|count) of (?:images|documents|pages|files|videos)\b[^.\n]{0,40}(?:exceed|limit|maximum|at most|too)/i
]

/**
 * Texts that name a medium and mean the conversation: they count tokens or characters.
 *
 * @stability experimental
 * @category data
 * @since 0.1.0
 */
export const notMedia =
  /\btokens?\b|\bcontext (?:length|window|size|limit)\b|\bcontents? policy|not (?:a )?(?:valid|supported)|unsupported|corrupt|could not|unable to|failed to|not found/i

/**
 * Names of a body with too many bytes.
 *
 * @stability experimental
 * @category data
 * @since 0.1.0
 */
export const byteNames: ReadonlyArray<string> = [
  "request_too_large",
  "string_above_max_length",
  "payload_too_large",
  "PayloadTooLargeError",
  "entity.too.large",
  "request_entity_too_large",
  "RequestEntityTooLarge",
  "content_too_large"
]

/**
 * Texts of a body with too many bytes, or of a text with too many characters.
 *
 * - Anthropic: https://docs.anthropic.com/en/api/errors
 * - Gemini: https://github.com/google-gemini/deprecated-generative-ai-android/issues/26
 * - OpenAI: https://github.com/VectorlyApp/bluebox/issues/31, https://github.com/chidiwilliams/buzz/issues/381
 * - Alibaba: https://github.com/QwenLM/qwen-code/issues/1082
 *
 * @stability experimental
 * @category data
 * @since 0.1.0
 */
export const bytePatterns: ReadonlyArray<RegExp> = [
  /\b(?:payload|body|entity|content)(?: size)?(?: is| was)? (?:too large|exceed|larger than)/i,
  /\bmaximum (?:request |content )?(?:body |payload |content )?size\b|\bexceeds? the maximum (?:allowed )?(?:size|number of bytes)/i,
  /\bstring (?:value )?(?:too long|length \(\d{1,15}\) exceeds)/i,
  /\bat 'body' failed to satisfy constraint[^\n]{0,60}length less than or equal to/i
]

const tokenWords = /\btokens?\b|\bcontext[ _-](?:length|window|size|limit)/i

const overflowTexts = Object.values(overflowPatterns)

/**
 * What was too much in a failure that is known to be an overflow.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const overflowOf = (
  status: number,
  names: ReadonlySet<string>,
  text: string,
  body: string | undefined
): Overflow => {
  const named = (known: ReadonlySet<string>): boolean => [...names].some((name) => known.has(name))
  const kind = named(canonicalMedia) || (!notMedia.test(text) && mediaPatterns.some((pattern) => pattern.test(text)))
    ? "media"
    : tokenWords.test(text)
    ? "tokens"
    : named(canonicalBytes) || bytePatterns.some((pattern) => pattern.test(text))
    ? "bytes"
    : overflowTexts.some((pattern) => pattern.test(text))
    ? "tokens"
    : status === 413 && !named(tokenNames)
    ? "bytes"
    : "tokens"
  return { kind, ...amounts(text, kind), ...fieldsIn(body) }
}

const canonical = (name: string): string => name.toLowerCase().replace(/[^a-z0-9]/g, "")

const canonicalMedia: ReadonlySet<string> = new Set(mediaNames.map(canonical))
const canonicalBytes: ReadonlySet<string> = new Set(byteNames.map(canonical))
const tokenNames: ReadonlySet<string> = new Set(["tokens", "context_length_exceeded"].map(canonical))

// =============================================================================
// Numbers
// =============================================================================

const number = "\\d[\\d,_]{0,14}"
const limit = `(?<limit>${number})`
const actual = `~?(?<actual>${number})`
const few = "[^\\d]{1,60}?"

/** Sentences that state both numbers, then such as state the limit alone; the first that fits counts. */
const sentences: ReadonlyArray<RegExp> = [
  // "208310 tokens > 200000", "190000 + 20000 > 200000", "n_keep (9000) >= n_ctx (4096)"
  new RegExp(`${actual}(?: \\+ (?<more>${number}))?\\)?(?: [a-z]{1,12})? >=? (?:[a-z_]{1,12} \\()?${limit}`, "i"),
  new RegExp(`contains ${actual} tokens[^.]{0,40}too large for model with ${limit}`, "i"),
  new RegExp(`(?:limit|size) \\(?${limit}\\)? exceeded,?[^\\d]{1,30}${actual}`, "i"),
  new RegExp(`too long: ${actual},${few}${limit}`, "i"),
  new RegExp(`first ${actual} tokens[^\\d]{0,120}only (?:of )?${limit}`, "i"),
  new RegExp(
    `${actual}\\)?[^\\d>.]{0,40}?(?:exceed(?:s|ed)?|(?:longer|larger) than|while limit is|more than|over) [^\\d.]{0,80}?${limit}`,
    "i"
  ),
  new RegExp(`limit:? ${limit}(?:, used:? ${number})?,? requested:? ${actual}`, "i"),
  new RegExp(
    `(?:maximum|max|limit)[^\\d]{1,60}?${limit}[^\\d]{1,120}?(?:requested|resulted in|contains|count:|size|length|exceeded)[^\\d]{1,20}?${actual}`,
    "i"
  ),
  new RegExp(`\\[\\d{1,12}, ?${limit}\\]`),
  new RegExp(
    `(?:limit|maximum|max(?: allowed)?|at most|more than|up to|only|must be <=|must be &lt;=|window)(?: [a-z-]{1,20}){0,6}[^\\d.a-z]{1,4}${limit}`,
    "i"
  ),
  new RegExp(` > ${limit}`),
  new RegExp(`exceeds? ${limit}`, "i")
]

const units: Readonly<Record<string, number>> = { k: 1024, m: 1024 ** 2, g: 1024 ** 3 }

const valueOf = (digits: string | undefined): number | undefined => {
  const value = digits === undefined ? NaN : Number(digits.replace(/[,_]/g, ""))
  return Number.isSafeInteger(value) ? value : undefined
}

const amounts = (text: string, kind: Overflow["kind"]): Pick<Overflow, "limit" | "actual"> => {
  for (const sentence of sentences) {
    const match = sentence.exec(text)
    if (match === null) continue
    const groups = match.groups!
    const most = valueOf(groups["limit"])
    if (most === undefined) continue
    const after = /^ ?([kmg])i?b\b/i.exec(text.slice(match.index + match[0].length))
    const unit = kind === "tokens" || after === null ? 1 : units[after[1]!.toLowerCase()]!
    const sent = valueOf(groups["actual"])
    const more = valueOf(groups["more"])
    return { limit: most * unit, ...(sent === undefined ? undefined : { actual: sent + (more ?? 0) }) }
  }
  return {}
}

/** llama.cpp says it in fields: https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md */
const fieldsIn = (body: string | undefined): Pick<Overflow, "limit" | "actual"> => {
  const sent = /"n_prompt_tokens"\s?:\s?(\d{1,12})/.exec(body ?? "")?.[1]
  const most = /"n_ctx"\s?:\s?(\d{1,12})/.exec(body ?? "")?.[1]
  return sent === undefined || most === undefined ? {} : { limit: Number(most), actual: Number(sent) }
}
