/**
 * What differs between hosts that speak the Gemini wire.
 *
 * @since 0.1.0
 */

import { formatLabels, type OptionRules } from "../../Model.ts"

/**
 * Differences of a host from https://generativelanguage.googleapis.com. Each is set where the host is declared, with a
 * reason and a URL.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Quirks {
  /**
   * Ids of models that think by level and demand thought signatures on calls, beside those whose data name thinking
   * levels. @default none
   */
  readonly levelModels?: RegExp | undefined
  /** Whether JSON Schema is understood; else schemas are rewritten to the OpenAPI subset, or refused. @default true */
  readonly jsonSchema?: boolean | undefined
  /** Whether calls and results carry their `id`. @default true */
  readonly toolCallIds?: boolean | undefined
  /** Whether the function-calling mode `VALIDATED` is understood. @default true */
  readonly validatedMode?: boolean | undefined
  /** Other providers whose thought signatures this host accepts. @default [] */
  readonly signaturesFrom?: ReadonlyArray<string> | undefined
  /** Where uploaded files (`files/…`) are addressed; they are sent as they are when absent. */
  readonly filesUrl?: string | undefined
  /** Which API's numbers finish reasons have, when they come as numbers. @default "vertex" */
  readonly finishNumbers?: "gemini" | "vertex" | undefined
  /** Options and pairs of them that the host does not take. */
  readonly rules?: OptionRules | undefined
}

/**
 * What the API does not take. https://ai.google.dev/api/generate-content#generationconfig
 *
 * @stability experimental
 * @category encoding
 * @since 0.1.0
 */
export const wireRules: OptionRules = {
  refuses: [
    { option: "effort", because: "Thinking has the levels." },
    { option: formatLabels },
    { option: "parallelToolCalls: false", because: "There may be several calls." }
  ],
  only: [{ option: "stop", to: 5, url: "https://ai.google.dev/api/generate-content#generationconfig" }]
}
