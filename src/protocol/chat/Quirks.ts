/**
 * Everything in which hosts that speak Chat Completions differ, as one flat record.
 *
 * The defaults are OpenAI's own API. A provider module sets the fields its host needs, each with the reason and a
 * URL; the wire itself never asks which host it serves.
 *
 * @since 0.1.0
 */
import type { JsonObject } from "../../Message.ts"
import { formatLabels, type OptionName, type OptionRules, type ThinkingLevel } from "../../Model.ts"
import type { Dialects } from "../schema/Dialect.ts"
import type { Tags } from "./ThinkTags.ts"

/**
 * How a host is told to reason.
 *
 * - `reasoning_effort`: OpenAI and most others;
 * - `reasoning`: `{effort}` or `{max_tokens}` (OpenRouter);
 * - `reasoning_enabled`: `reasoning: {enabled}` (Together);
 * - `thinking`: `{type: "enabled" | "disabled"}` (DeepSeek, z.ai);
 * - `enable_thinking`: a flag, with `thinking_budget` (Qwen);
 * - `chat_template_kwargs`: a flag of the chat template (vLLM, SGLang, NIM);
 * - `none`: not at all; a request for it becomes a warning.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export type ReasoningDialect =
  | "reasoning_effort"
  | "reasoning"
  | "reasoning_enabled"
  | "thinking"
  | "enable_thinking"
  | "chat_template_kwargs"
  | "none"

/**
 * How earlier reasoning goes back to the host.
 *
 * - `none`: it does not;
 * - `reasoning_content`: as that field, on turns that have some;
 * - `reasoning_content_always`: on every assistant turn, `""` where there is none (DeepSeek);
 * - `reasoning_content_with_calls`: on turns that have some, and `" "` on turns with calls that have none (Moonshot);
 * - `reasoning`: as that field;
 * - `reasoning_details`: the entries as they came, signatures and encrypted data included (OpenRouter);
 * - `thinking_parts`: as `thinking` parts of the content (Mistral).
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export type ReasoningReplay =
  | "none"
  | "reasoning_content"
  | "reasoning_content_always"
  | "reasoning_content_with_calls"
  | "reasoning"
  | "reasoning_details"
  | "thinking_parts"

/**
 * Whether a host takes cache breakpoints at all.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export const marksParts = ({ cacheControl = false }: Quirks): boolean => cacheControl !== false

/**
 * What a host does differently. Every field is optional; absent is OpenAI's own behaviour.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Quirks {
  /** Path below the base URL. @default "/chat/completions" */
  readonly path?: string | undefined
  /** Fields sent with every request, below everything the request itself says. */
  readonly body?: JsonObject | undefined

  // --- options --------------------------------------------------------------------------------------------------
  /** Field that limits the output. @default "max_completion_tokens" */
  readonly tokenField?: "max_completion_tokens" | "max_tokens" | undefined
  /** Whether `stream_options: {include_usage: true}` may be sent. @default true */
  readonly streamUsage?: boolean | undefined
  /** Whether `top_k` is known. @default false: dropped with a warning */
  readonly topK?: boolean | undefined
  /** Whether `frequency_penalty` and `presence_penalty` are known. @default true */
  readonly penalties?: boolean | undefined
  /** Field of the seed (Mistral: `random_seed`), or `false` when there is none. @default "seed" */
  readonly seedField?: "seed" | "random_seed" | false | undefined
  /** Most stop texts the host takes; more are refused. @default 4 */
  readonly maxStops?: number | undefined
  /** Options and pairs of them that the host does not take, beyond what the other fields say. */
  readonly rules?: OptionRules | undefined
  /**
   * Whether `logprobs` and `top_logprobs` are known; `"flag"` where the number of alternatives is not, `"count"` where `logprobs` is
   * that number (Together). @default true
   */
  readonly logprobs?: boolean | "flag" | "count" | undefined
  /** Whether `prompt_cache_key` is known. @default true */
  readonly promptCacheKey?: boolean | undefined
  /** Whether `prompt_cache_retention: "24h"` may be sent for `cache.extendedTtl`. @default false */
  readonly promptCacheRetention?: boolean | undefined
  /**
   * Whether parts and tools take Anthropic's `cache_control` (LiteLLM), or of the parts those of text only (OpenRouter): a mark on
   * another goes to the text before it. @default false: a warning
   */
  readonly cacheControl?: boolean | "text" | undefined

  // --- tools ----------------------------------------------------------------------------------------------------
  /** Whether tools may carry `strict`. @default true */
  readonly strictTools?: boolean | undefined
  /** Whether free-form tools (`type: "custom"`) exist. @default true; `false` refuses them */
  readonly customTools?: boolean | undefined
  /** Word for a `required` tool choice (Mistral: `any`). @default "required" */
  readonly requiredToolChoice?: "required" | "any" | undefined
  /** Whether the tool choice stands in `{ value }` (Writer). @default false */
  readonly toolChoiceValue?: boolean | undefined
  /** Whether `parallel_tool_calls` is known. @default true */
  readonly parallelToolCalls?: boolean | undefined
  /** Which tool call ids are accepted: at most 40 characters, or exactly 9 of `[a-zA-Z0-9]`. @default "openai" */
  readonly toolCallId?: "openai" | "mistral" | "any" | undefined
  /** Whether `tools: []` must be sent when only the history has tool calls (LiteLLM in front of Anthropic). @default false */
  readonly emptyToolsWithHistory?: boolean | undefined
  /** What the host takes of JSON Schema. @default OpenAI's */
  readonly schemas?: Dialects | undefined

  // --- answer format --------------------------------------------------------------------------------------------
  /**
   * What `response_format` the host knows. On a host without `json_schema` the schema goes into the
   * instructions, with a warning.
   *
   * @default "json_schema"
   */
  readonly responseFormat?: "json_schema" | "json_object" | "none" | undefined
  /** Whether `json_schema` takes `strict`. @default true */
  readonly strictSchema?: boolean | undefined

  // --- reasoning ------------------------------------------------------------------------------------------------
  /** How reasoning is asked for. @default "reasoning_effort" */
  readonly reasoning?: ReasoningDialect | undefined
  /** The host's word for each thinking level, where the model's own data does not say. @default OpenAI's words */
  readonly reasoningEfforts?: { readonly [level in ThinkingLevel]?: string | undefined } | undefined
  /**
   * Whether an on/off dialect takes `reasoning_effort` beside the switch (DeepSeek V4), or does for models whose data name levels
   * (z.ai). @default false
   */
  readonly effortBesideSwitch?: boolean | "known" | undefined
  /** Whether `thinking` takes `budget_tokens`. @default false */
  readonly thinkingBudget?: boolean | undefined
  /** The template's flag of dialect `chat_template_kwargs`. @default "enable_thinking" */
  readonly templateFlag?: "enable_thinking" | "thinking" | undefined
  /** How earlier reasoning goes back. @default "none" */
  readonly reasoningReplay?: ReasoningReplay | undefined
  /** Whether only models get it back of which that is known (`ThinkingFacts.replay`). @default false */
  readonly reasoningReplayByModel?: boolean | undefined
  /** Reasoning written inline between tags, which moves from text to reasoning; `true` is `<think>…</think>`. @default false */
  readonly thinkTags?: boolean | Tags | undefined

  // --- messages -------------------------------------------------------------------------------------------------
  /** Role of instructions. @default "system" */
  readonly systemRole?: "system" | "developer" | "user" | undefined
  /** Whether a content of texts alone must be a string, images and files being parts all the same. @default false */
  readonly textAsString?: boolean | undefined
  /** Whether content must be a string, never parts (several NIM models). @default false */
  readonly contentMustBeString?: boolean | undefined
  /** Content of an assistant turn that has only tool calls. @default "null" */
  readonly emptyContent?: "null" | "empty" | "omit" | undefined
  /** Whether an assistant turn must stand between tool results and the next user turn. @default false */
  readonly assistantAfterTool?: boolean | undefined
  /** Whether calls and results may stand in the history; else they are told in words, with a warning. @default true */
  readonly toolTurns?: boolean | undefined
  /** Whether instructions may stand at the beginning only; later ones become the user's, with a warning. @default false */
  readonly leadingSystem?: boolean | undefined
  /** Whether user and assistant must alternate; neighbours of one role are joined. @default false */
  readonly alternatingRoles?: boolean | undefined
  /** Whether the first message after the instructions must be the user's. @default false */
  readonly userFirst?: boolean | undefined
  /**
   * What the host makes of an assistant message at the end: it goes on from it, wants `prefix: true` for that (Mistral), or refuses it;
   * then a user message that asks to go on is added, with a warning. @default "allowed"
   */
  readonly lastAssistant?: "allowed" | "prefix" | "refused" | undefined
  /** Whether tool results must carry the tool's `name`. @default false */
  readonly toolResultName?: boolean | undefined
  /** Whether images may be URLs that the host fetches. @default true; `false` refuses them */
  readonly imageUrls?: boolean | undefined
  /**
   * How a document is spelled: OpenAI's `file`, the same with its bytes only (`file_data`), `document_url` (Mistral), `file_url` (Perplexity), or not at all: text files are then
   * told as text, others refused. @default "file"
   */
  readonly files?: "file" | "file_data" | "document_url" | "file_url" | "none" | undefined
  /** How sound is given: as OpenAI's object of data and format, or as a text of base64 (Mistral). @default "object" */
  readonly audioForm?: "object" | "string" | undefined
  /** Whether `file_data` may be a URL (OpenRouter). @default false: a file URL is refused */
  readonly fileUrls?: boolean | undefined
}

/**
 * What the fields say of options, as rules.
 *
 * @stability experimental
 * @category encoding
 * @since 0.1.0
 */
export const rulesOf = (quirks: Quirks): OptionRules => {
  const lacks = (...names: ReadonlyArray<OptionName>) => names
  return {
    refuses: [{
      option: [
        ...(quirks.topK === true ? [] : lacks("topK")),
        ...(quirks.penalties === false ? lacks("frequencyPenalty", "presencePenalty") : []),
        ...(quirks.seedField === false ? lacks("seed") : []),
        ...(quirks.logprobs === false ? lacks("logprobs") : quirks.logprobs === "flag" ? lacks("logprobs: count") : []),
        ...(quirks.parallelToolCalls === false ? lacks("parallelToolCalls") : []),
        ...(quirks.promptCacheKey === false ? lacks("cache.key") : []),
        ...((quirks.responseFormat ?? "json_schema") === "json_schema" ? [] : formatLabels),
        ...lacks("effort")
      ]
    }],
    only: [{ option: "stop", to: quirks.maxStops ?? 4 }]
  }
}
