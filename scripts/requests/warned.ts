/**
 * Which option of a request a field of a body comes of, so that a fault can be held against the warnings of the response.
 */
import type { LlmResponse } from "../../src/index.ts"

/** Body fields by the option they come of, on every wire. */
const comesOf: ReadonlyArray<readonly [at: RegExp, option: RegExp]> = [
  [/max_?(?:completion_|output_)?tokens/i, /^(?:maxTokens|thinking)/],
  [/temperature/i, /^temperature/],
  [/top_?p/i, /^topP/],
  [/(?:top_?)k$/i, /^topK/],
  [/frequency_?penalty/i, /^frequencyPenalty/],
  [/presence_?penalty/i, /^presencePenalty/],
  [/stop/i, /^stop/],
  [/seed/i, /^seed/],
  [/tool_?choice|function_?calling_?config/i, /^toolChoice/],
  [/parallel_?tool/i, /^parallelToolCalls/],
  [/tools/i, /^tools/],
  [
    /response_?(?:format|schema|json|mime)|output_?(?:format|config)|text\.format|^format/i,
    /^(?:responseFormat|effort)/
  ],
  [/thinking|reasoning|effort|chat_template/i, /^(?:thinking|effort)/],
  [/logprobs/i, /^logprobs/],
  [/cache/i, /cache/i],
  [/messages|contents|input/i, /^messages/]
]

/** Whether a warning names the option that the field at a place comes of. */
export const warnedAbout = (at: string, warnings: ReadonlyArray<LlmResponse.Warning>): boolean =>
  warnings.some(({ field }) => comesOf.some(([place, option]) => place.test(at) && option.test(field)))
