/**
 * Rules that several hosts share.
 *
 * @since 0.1.0
 */
import type { Need, OptionName, Refusal } from "../Model.ts"

/**
 * A call that is forced, by whatever word.
 *
 * @stability stable
 * @category rules
 * @since 0.1.0
 */
export const forcedCalls: ReadonlyArray<OptionName> = ["toolChoice: required", "toolChoice: name"]

/**
 * A form that the answer must have.
 *
 * @stability stable
 * @category rules
 * @since 0.1.0
 */
export const answerFormats: ReadonlyArray<OptionName> = ["responseFormat: json", "responseFormat: json-schema"]

/**
 * JSON mode is refused unless a message says so: "'messages' must contain the word 'json' in some form".
 *
 * @stability stable
 * @category rules
 * @since 0.1.0
 */
export const jsonWord = (url: string): Need => ({ option: "responseFormat: json", beside: "the word json", url })

/**
 * Parts that a host has no form for.
 *
 * @stability stable
 * @category rules
 * @since 0.1.0
 */
export const noParts = (url: string, ...option: ReadonlyArray<"audio" | "files" | "image.detail">): Refusal => ({
  option,
  url
})

/**
 * JSON mode by a schema that any object fits, for hosts that know schemas only.
 *
 * @stability stable
 * @category rules
 * @since 0.1.0
 */
export const jsonBySchema = (url: string): Refusal => ({
  option: "responseFormat: json",
  instead: { responseFormat: { type: "json-schema", schema: { type: "object" }, strict: false } },
  url
})
