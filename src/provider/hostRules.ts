/**
 * Rules that several hosts share.
 *
 * @since 0.1.0
 */
import type { Need, OptionName } from "../Model.ts"

/**
 * A call that is forced, by whatever word.
 *
 * @category rules
 * @since 0.1.0
 */
export const forcedCalls: ReadonlyArray<OptionName> = ["toolChoice: required", "toolChoice: name"]

/**
 * A form that the answer must have.
 *
 * @category rules
 * @since 0.1.0
 */
export const answerFormats: ReadonlyArray<OptionName> = ["responseFormat: json", "responseFormat: json-schema"]

/**
 * JSON mode is refused unless a message says so: "'messages' must contain the word 'json' in some form".
 *
 * @category rules
 * @since 0.1.0
 */
export const jsonWord = (url: string): Need => ({ option: "responseFormat: json", beside: "the word json", url })
