/**
 * What families of models do not take: rows of facts with their sources, for members that are listed in a catalogue and for those
 * that are not yet. Loaded with the catalogue, at the first call.
 *
 * A row holds for ids that its pattern fits, whatever stands before the name: `claude-opus-4-8`, `us.anthropic.claude-opus-4-8-v1`,
 * `anthropic/claude-opus-4.8`. Of open weights a host may take what their maker's API does not, so such rows name their hosts. What an
 * application says of a model in the layer's option `models` goes over it.
 *
 * @since 0.1.0
 */
import type { Capabilities, ModelMeta, OptionRules, ThinkingFacts } from "../Model.ts"

/**
 * A row.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface Family {
  /** For people. */
  readonly title: string
  /** Of the id in lower case. */
  readonly models: RegExp
  /** Provider ids it holds for. @default all */
  readonly hosts?: ReadonlyArray<string> | undefined
  readonly capabilities?: Capabilities | undefined
  readonly thinking?: ThinkingFacts | undefined
  readonly thinkingLevels?: ModelMeta["thinkingLevels"]
  readonly limitsCompletion?: boolean | undefined
  readonly rules?: OptionRules | undefined
}

/** Ids that begin with a name, after the names of companies, regions and publishers. */
const named = (pattern: string): RegExp => new RegExp(`(?:^|[./:])(?:${pattern})`)

const forced = ["toolChoice: required", "toolChoice: name"] as const
const formats = ["responseFormat: json", "responseFormat: json-schema"] as const
const penalties = ["frequencyPenalty", "presencePenalty"] as const

// =============================================================================
// Anthropic
// =============================================================================

/** Who serves Claude as Anthropic does. */
const claudeHosts = ["anthropic", "vertex-anthropic", "bedrock"] as const

const claude: ReadonlyArray<Family> = [
  {
    title: "Claude Opus from 4.7, Claude from 5, Fable, Mythos",
    // Opus from 4.7, everything from 5, and what came with names of its own (Fable, Mythos).
    models: named(
      "claude-(?:opus-4[.-](?:[7-9]|[1-9]\\d)(?!\\d)|4[.-][7-9]-opus|(?:opus|sonnet|haiku)-(?:[5-9]|[1-9]\\d)(?!\\d)|(?:[5-9]|[1-9]\\d)(?:[.-]\\d)?-(?:opus|sonnet|haiku)|(?:fable|mythos))"
    ),
    // Adaptive thinking only: https://platform.claude.com/docs/en/build-with-claude/adaptive-thinking
    thinkingLevels: { low: "low", medium: "medium", high: "high", xhigh: "xhigh", max: "max" },
    rules: {
      refuses: [{
        option: ["temperature", "topP", "topK"],
        url: "https://platform.claude.com/docs/en/about-claude/models/migration-guide#migrating-to-claude-opus-4-7"
      }]
    }
  },
  {
    title: "Claude before effort",
    // Opus to 4.1, Sonnet and Haiku to 4.5.
    models: named(
      "claude-(?:v?[23](?!\\d)|instant|(?:4(?:[.-][01])?-opus|4(?:[.-][0-5])?-(?:sonnet|haiku))|(?:opus-4(?:[.-][01])?|(?:sonnet|haiku)-4(?:[.-][0-5])?)(?!\\d|[.-]\\d\\d?(?!\\d)))"
    ),
    hosts: claudeHosts,
    rules: {
      refuses: [{ option: "effort", url: "https://platform.claude.com/docs/en/build-with-claude/effort" }]
    }
  },
  {
    title: "Claude Opus 4.5",
    // The first with an effort: `max` came with 4.6, `xhigh` with 4.7.
    models: named("claude-(?:opus-4[.-]5|4[.-]5-opus)(?!\\d)"),
    hosts: claudeHosts,
    rules: {
      refuses: [{
        option: "effort: above high",
        instead: { effort: "high" },
        url: "https://platform.claude.com/docs/en/build-with-claude/effort"
      }]
    }
  },
  {
    title: "Claude from 4.6",
    // All but those that are known to go on: v2, Instant, 3, 4 to 4.5, in both orders of number and name.
    models: named(
      "claude-(?!v?[23](?!\\d)|instant|4(?:[.-][0-5])?-(?:opus|sonnet|haiku)|(?:opus|sonnet|haiku)-4(?:[.-][0-5])?(?!\\d|[.-]\\d\\d?(?!\\d)))"
    ),
    // https://platform.claude.com/docs/en/about-claude/models/whats-new-claude-4-6#prefill-removal
    // https://platform.claude.com/docs/en/build-with-claude/prompt-engineering/prefill-claudes-response
    capabilities: { prefill: false }
  },
  {
    title: "Claude Opus, Sonnet and Haiku from 5",
    models: named("claude-(?:opus|sonnet|haiku)-(?:[5-9]|[1-9]\\d)(?!\\d)"),
    thinking: { default: "on", url: "https://platform.claude.com/docs/en/about-claude/models/whats-new-sonnet-5" }
  },
  {
    title: "Claude Fable and Mythos",
    models: named("claude-(?:fable|mythos)"),
    thinking: { default: "on", off: false, url: "https://platform.claude.com/docs/en/models/fable-5-1/migration-guide" }
  },
  {
    title: "Claude Fable and Mythos from 5.1",
    models: named("claude-(?:fable|mythos)-(?:5[.-][1-9](?!\\d)|[6-9]|[1-9]\\d)"),
    rules: {
      refuses: [{ option: forced, url: "https://platform.claude.com/docs/en/models/fable-5-1/migration-guide" }]
    }
  },
  {
    title: "Claude Opus and Sonnet from 5.5",
    models: named("claude-(?:opus|sonnet)-(?:5[.-][5-9](?!\\d)|[6-9]|[1-9]\\d(?!\\d))"),
    thinking: {
      default: "on",
      off: false,
      url: "https://platform.claude.com/docs/en/models/sonnet-5-5/whats-new-sonnet-5-5#turn-off-up-front-thinking"
    },
    rules: {
      refuses: [{
        option: forced,
        url:
          "https://platform.claude.com/docs/en/models/sonnet-5-5/whats-new-sonnet-5-5#forced-tool-use-is-not-supported"
      }]
    }
  }
]

// =============================================================================
// OpenAI
// =============================================================================

/** Reasoning models, which are told by other words than those that only answer. */
const reasons = named("(?:o[1-9](?:-|$)|gpt-(?:[5-9]|\\d\\d)(?![\\d.]*-(?:chat|image|audio))|codex-mini|computer-use)")
/** https://developers.openai.com/api/docs/guides/reasoning */
const openAiReasoning = "https://developers.openai.com/api/docs/guides/reasoning"
/** https://developers.openai.com/api/docs/guides/latest-model */
const openAiLatest = "https://developers.openai.com/api/docs/guides/latest-model#gpt-5-parameter-compatibility"

const openAi: ReadonlyArray<Family> = [
  {
    title: "OpenAI's reasoning models",
    // https://developers.openai.com/api/docs/guides/reasoning, https://platform.openai.com/docs/models/gpt-oss-120b
    models: named("(?:o[1-9](?:-|$)|gpt-(?:[5-9]|\\d\\d)(?![\\d.]*-(?:chat|image|audio))|gpt-oss|codex|computer-use)"),
    hosts: ["openai", "azure"],
    capabilities: { reasoning: true }
  },
  {
    title: "GPT from 5.6",
    // https://platform.openai.com/docs/guides/prompt-caching
    models: named("gpt-(?:5\\.(?:[6-9]|\\d\\d)|[6-9]|\\d\\d)"),
    capabilities: { cacheBreakpoints: true }
  },
  {
    title: "o-series",
    models: named("o[1-9](?:-|$)"),
    thinkingLevels: { off: undefined, minimal: undefined, low: "low", medium: "medium", high: "high" }
  },
  {
    title: "OpenAI's reasoning models",
    models: reasons,
    hosts: ["openai", "azure"],
    rules: {
      only: [{ option: "maxTokens", from: 16, url: "https://platform.openai.com/docs/api-reference/responses/create" }]
    }
  },
  {
    title: "OpenAI's reasoning models",
    // "Unsupported parameter: 'max_tokens' is not supported with this model": https://github.com/openai/openai-python/issues/2546
    models: reasons,
    hosts: ["github-models", "opencode-zen", "openai-compatible"],
    limitsCompletion: true
  },
  {
    title: "OpenAI's reasoning models",
    models: reasons,
    rules: {
      refuses: [
        { option: penalties, url: openAiReasoning },
        // "Unsupported parameter: 'stop' is not supported with this model": https://github.com/BerriAI/litellm/pull/15244
        { option: "stop", url: openAiReasoning }
      ]
    }
  },
  {
    title: "o-series, GPT-5, Codex, Pro, GPT from 5.5",
    // Those that always reason, and those from 5.5 on.
    models: named(
      "(?:o[1-9](?:-|$)|codex-mini|computer-use|gpt-5(?!\\.\\d)(?!-chat)|gpt-5\\.[1-4](?=.*-(?:codex|pro))|gpt-5\\.[12]-chat|gpt-5\\.(?:[5-9]|\\d\\d)|gpt-(?:[6-9]|\\d\\d)(?![\\d.]*-(?:chat|image|audio)))"
    ),
    rules: { refuses: [{ option: ["temperature", "topP", "logprobs"], url: openAiLatest }] }
  },
  {
    title: "GPT-5.1, 5.2 and 5.4",
    models: named("gpt-5\\.[124](?!\\d)(?!.*-(?:codex|pro|chat))"),
    thinking: { default: "off", url: openAiLatest },
    rules: {
      excludes: [{ option: ["temperature", "topP", "logprobs"], by: "thinking: on", url: openAiLatest }]
    }
  }
]

// =============================================================================
// Google
// =============================================================================

/** https://ai.google.dev/gemini-api/docs/thinking#set-budget */
const budgets = "https://ai.google.dev/gemini-api/docs/thinking#set-budget"

const gemini: ReadonlyArray<Family> = [
  {
    title: "Gemini from 2.5",
    models: named("gemini-(?:2\\.5|[3-9]|\\d\\d|(?:flash|pro|flash-lite)-latest)"),
    rules: {
      // "Penalty is not enabled for this model"; 0 is taken.
      refuses: [{ option: penalties, but: [0], url: "https://github.com/google-gemini/cookbook/issues/1290" }]
    }
  },
  {
    title: "Gemini 2.5",
    models: named("gemini-2\\.5"),
    hosts: ["gemini"],
    rules: {
      refuses: [{ option: "logprobs", url: "https://github.com/Vela-Research/think-reason-learn/issues/34" }]
    }
  },
  {
    title: "Gemini before 3",
    models: named("gemini-(?:1|2)[.-]"),
    rules: {
      excludes: [{
        option: formats,
        by: "tools",
        because: "Models from Gemini 3 on take both.",
        url: "https://ai.google.dev/gemini-api/docs/structured-output#structured-outputs-with-tools"
      }]
    }
  },
  {
    title: "Gemini 2.5 Pro",
    models: named("gemini-2\\.5-pro"),
    thinking: { default: "on", off: false, smallestBudget: 128, largestBudget: 32_768, url: budgets }
  },
  {
    title: "Gemini 2.5 Flash-Lite",
    models: named("gemini-2\\.5-flash-lite"),
    thinking: { default: "off", smallestBudget: 512, largestBudget: 24_576, url: budgets }
  },
  {
    title: "Gemini 2.5 Flash",
    models: named("gemini-2\\.5-flash(?!-lite)"),
    thinking: { default: "on", smallestBudget: 1, largestBudget: 24_576, url: budgets }
  }
]

// =============================================================================
// Moonshot
// =============================================================================

const moonshot: ReadonlyArray<Family> = [
  {
    title: "Moonshot v1",
    models: named("moonshot-v1"),
    hosts: ["moonshot"],
    // https://platform.kimi.ai/docs/api/chat
    capabilities: { reasoning: false }
  },
  {
    title: "Kimi from K2.5",
    models: named("kimi-(?:k2\\.[5-9]|k[3-9])"),
    hosts: ["moonshot"],
    rules: {
      // "invalid temperature: only 1 is allowed for this model"; the others are fixed as well.
      refuses: [{
        option: ["temperature", "topP", ...penalties],
        url: "https://platform.kimi.ai/docs/api/models-overview"
      }],
      only: [{ option: "stop", to: 5, url: "https://platform.kimi.ai/docs/api/chat" }]
    }
  },
  {
    title: "Kimi K2.5, K2.6",
    models: named("kimi-k2\\.(?:[56]|[789](?!-code))"),
    hosts: ["moonshot"],
    thinking: { default: "on", url: "https://platform.kimi.ai/docs/api/models-overview" }
  },
  {
    title: "Kimi K2.7 Code",
    models: named("kimi-k2\\.[7-9]-code"),
    hosts: ["moonshot"],
    thinking: { default: "on", off: false, url: "https://platform.kimi.ai/docs/guide/use-kimi-k2-thinking-model" }
  },
  {
    title: "Kimi K2",
    models: named("kimi-k2"),
    hosts: ["moonshot"],
    rules: {
      // "tool_choice 'required' is incompatible with thinking enabled"
      excludes: [{ option: "thinking: on", by: forced, url: "https://github.com/can1357/oh-my-pi/issues/1077" }]
    }
  },
  {
    title: "Kimi from K3",
    models: named("kimi-k[3-9]"),
    hosts: ["moonshot"],
    thinkingLevels: { off: undefined, low: "low", high: "high", max: "max" },
    thinking: {
      default: "on",
      off: false,
      byEffort: true,
      url: "https://platform.kimi.ai/docs/guide/use-thinking-effort"
    },
    rules: {
      // `required` is taken, a name is not.
      refuses: [{ option: "toolChoice: name", url: "https://github.com/UKGovernmentBEIS/inspect_ai/pull/5152" }]
    }
  }
]

// =============================================================================
// Others
// =============================================================================

/** https://docs.x.ai/docs/guides/reasoning */
const xAiReasoning = "https://docs.x.ai/docs/guides/reasoning"
/** https://api-docs.deepseek.com/guides/thinking_mode */
const deepSeekThinking = "https://api-docs.deepseek.com/guides/thinking_mode"

const others: ReadonlyArray<Family> = [
  {
    title: "Grok that reasons",
    models: named("grok-(?!.*non-reasoning)(?:3-mini|[4-9]|\\d\\d|code|build)"),
    rules: { refuses: [{ option: [...penalties, "stop", "logprobs"], url: xAiReasoning }] }
  },
  {
    title: "Grok without effort",
    models: named("grok-(?:2|3(?!-mini)|4(?:-\\d{4}|-fast.*|-1.*|-latest)?$|code|4\\.20(?!-multi))"),
    hosts: ["xai"],
    rules: { refuses: [{ option: "thinking", url: xAiReasoning }] }
  },
  {
    title: "DeepSeek",
    models: named("deepseek"),
    hosts: ["deepseek"],
    rules: {
      excludes: [
        { option: "thinking: on", by: forced, url: "https://github.com/cloudwego/eino/issues/994" },
        // Sampling has no effect while the model thinks, log probabilities are an error.
        { option: ["temperature", "topP", ...penalties, "logprobs"], by: "thinking: on", url: deepSeekThinking }
      ]
    }
  },
  {
    title: "DeepSeek from V4",
    models: named("deepseek-(?!chat|reasoner)"),
    hosts: ["deepseek"],
    thinking: { default: "on", url: deepSeekThinking }
  },
  {
    title: "DeepSeek Reasoner",
    models: named("deepseek-reasoner"),
    hosts: ["deepseek"],
    thinking: { default: "on", off: false, url: deepSeekThinking }
  },
  {
    title: "Magistral 1",
    // Thinks whatever is asked; the levels are those of hybrid models.
    models: named("magistral-(?:small|medium)-(?:25|1)"),
    hosts: ["mistral"],
    rules: { refuses: [{ option: "thinking", url: "https://docs.mistral.ai/capabilities/reasoning" }] }
  },
  {
    title: "MiMo",
    models: named("mimo-"),
    hosts: ["xiaomi"],
    thinking: { default: "on", url: "https://platform.xiaomimimo.com/#/docs/api/chat/openai-api" }
  },
  {
    title: "Nemotron 3",
    models: named("nemotron-3"),
    hosts: ["nvidia"],
    rules: {
      only: [{
        option: "temperature",
        from: 0,
        to: 1,
        url: "https://docs.api.nvidia.com/nim/reference/nvidia-nemotron-3-super-120b-a12b"
      }]
    }
  },
  {
    title: "GLM from 4.5",
    models: named("glm-(?:4\\.[5-9]|5|[6-9])"),
    hosts: ["zai"],
    thinking: { default: "on", url: "https://docs.z.ai/guides/capabilities/thinking-mode" }
  },
  {
    title: "GLM from 5",
    models: named("glm-(?:[5-9]|\\d\\d)"),
    hosts: ["together"],
    // "Preserved Thinking" is recommended for agents; the host's API has no place for the reasoning of other models.
    thinking: { default: "on", replay: true, url: "https://docs.together.ai/docs/glm-5-quickstart" }
  },
  {
    title: "GLM from 5.3",
    models: named("glm-5\\.[3-9]"),
    hosts: ["zai"],
    thinking: { default: "on", off: false, url: "https://docs.z.ai/guides/llm/glm-5.3" }
  },
  {
    title: "QwQ, QVQ, Qwen thinking",
    // Open weights that think unless told otherwise, and those that do nothing else.
    models: named("(?:qwq|qvq|.*-thinking)"),
    hosts: ["alibaba"],
    thinking: { default: "on", off: false, url: "https://www.alibabacloud.com/help/en/model-studio/deep-thinking" }
  },
  {
    title: "Qwen3 open weights, Qwen from 3.5",
    models: named("qwen3(?:\\.\\d+)?-\\d+(?:\\.\\d+)?b(?!.*(?:instruct|thinking))|qwen3\\.[5-9]-(?:plus|flash|max)"),
    hosts: ["alibaba"],
    thinking: { default: "on", url: "https://www.alibabacloud.com/help/en/model-studio/deep-thinking" }
  }
]

/**
 * All rows; of two that say different things the later holds.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export const families: ReadonlyArray<Family> = [...claude, ...openAi, ...gemini, ...moonshot, ...others]

const joined = <A>(a: ReadonlyArray<A> | undefined, b: ReadonlyArray<A> | undefined): ReadonlyArray<A> | undefined =>
  a === undefined ? b : b === undefined ? a : [...a, ...b]

/**
 * What families say of a model.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export type FamilyFacts = Pick<
  ModelMeta,
  "capabilities" | "limitsCompletion" | "thinking" | "thinkingLevels" | "rules"
>

/**
 * What the families of a model say of it.
 *
 * @stability stable
 * @category lookup
 * @since 0.1.0
 */
export const familyFacts = (provider: string, model: string): FamilyFacts | undefined => {
  const id = model.toLowerCase()
  let found: FamilyFacts | undefined
  for (const { capabilities, hosts, limitsCompletion, models, rules, thinking, thinkingLevels } of families) {
    if ((hosts !== undefined && !hosts.includes(provider)) || !models.test(id)) continue
    const before = found?.rules
    found = {
      ...found,
      capabilities: { ...found?.capabilities, ...capabilities },
      ...(thinking === undefined ? undefined : { thinking: { ...found?.thinking, ...thinking } }),
      ...(thinkingLevels === undefined ? undefined : { thinkingLevels }),
      ...(limitsCompletion === undefined ? undefined : { limitsCompletion }),
      ...(rules === undefined ? undefined : {
        rules: {
          refuses: joined(before?.refuses, rules.refuses),
          excludes: joined(before?.excludes, rules.excludes),
          needs: joined(before?.needs, rules.needs),
          only: joined(before?.only, rules.only)
        }
      })
    }
  }
  return found
}
