/**
 * What differs between hosts that speak the Anthropic wire.
 *
 * @since 0.1.0
 */

import type { OptionRules } from "../../Model.ts"

/**
 * Differences of a host from https://api.anthropic.com. Each is set where the host is declared, with a reason and a URL.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Quirks {
  /** Path below the base URL. @default "/messages" */
  readonly path?: string | undefined
  /** `max_tokens` when neither the request nor the model's data says; the API demands one. @default 8192 */
  readonly defaultMaxTokens?: number | undefined
  /**
   * How thinking is asked for: `adaptive` with an effort, a `budget` in tokens, not at all, or `auto`: adaptive for models
   * whose data name thinking levels, else a budget. @default "auto"
   */
  readonly thinking?: "auto" | "adaptive" | "budget" | "none" | undefined
  /** Replays reasoning that has no signature, for hosts that sign with an empty text or not at all. @default false */
  readonly allowEmptySignature?: boolean | undefined
  /** Other providers whose signatures this host accepts. @default [] */
  readonly reasoningFrom?: ReadonlyArray<string> | undefined
  /** Whether `cache_control` is understood. @default true */
  readonly promptCaching?: boolean | undefined
  /** Whether cache entries can live 1 hour. @default true */
  readonly extendedCacheTtl?: boolean | undefined
  /** Whether `output_config.format` is understood; else the schema becomes an instruction, with a warning. @default true */
  readonly structuredOutput?: boolean | undefined
  /** Whether `strict` on tools is understood. @default true */
  readonly strictTools?: boolean | undefined
  /** Whether `output_config.effort` is understood. @default true */
  readonly effort?: boolean | undefined
  /** Whether `temperature` and `top_p` may be sent together. @default false */
  readonly topPWithTemperature?: boolean | undefined
  /** The highest temperature; higher ones are lowered to it, with a warning. @default 1 */
  readonly maxTemperature?: number | undefined
  /** Options and pairs of them that the host does not take, beyond what the other fields say. */
  readonly rules?: OptionRules | undefined
}
