/**
 * The instruments, as the GenAI conventions define them.
 *
 * Effect's exporters take the unit of an instrument from its attribute `unit`.
 *
 * @see https://github.com/open-telemetry/semantic-conventions-genai/blob/v0.1.0/docs/gen-ai/client-inference.md#metrics
 * @since 0.1.0
 */
import * as Metric from "effect/Metric"

/** As the conventions advise: from 0.01 to 81.92, each twice the one before; from 1 to 67,108,864, each four times it. */
const durationBoundaries = Array.from({ length: 14 }, (_, power) => 2 ** power / 100)
const tokenBoundaries = Array.from({ length: 14 }, (_, power) => 4 ** power)
/** The conventions name none for counts of calls. */
const callBoundaries = [0, 1, 2, 4, 8, 16, 32, 64, 128]

const seconds = { unit: "s" }
const tokens = { unit: "{token}" }

const duration = (name: string, description: string) =>
  Metric.histogram(name, { description, boundaries: durationBoundaries, attributes: seconds })

const tokensPerCall = (name: string, description: string) =>
  Metric.histogram(name, { description, boundaries: tokenBoundaries, attributes: tokens })

const tokenCount = (name: string, description: string) =>
  Metric.counter(name, { description, incremental: true, attributes: tokens })

// =============================================================================
// Inference
// =============================================================================

/**
 * Seconds per call, by operation, provider, model and `error.type`.
 *
 * @stability stable
 * @category metrics
 * @since 0.1.0
 */
export const inferenceDuration = duration(
  "gen_ai.client.inference.duration",
  "GenAI client inference operation duration."
)

/**
 * Seconds from the call to the first chunk of a stream.
 *
 * @stability stable
 * @category metrics
 * @since 0.1.0
 */
export const timeToFirstChunk = duration(
  "gen_ai.client.inference.time_to_first_chunk",
  "Time to the first chunk of a streamed answer."
)

/**
 * Seconds from one chunk of a stream to the next.
 *
 * @stability stable
 * @category metrics
 * @since 0.1.0
 */
export const timePerOutputChunk = duration(
  "gen_ai.client.inference.time_per_output_chunk",
  "Time from one chunk of a streamed answer to the next."
)

/**
 * Input tokens, cached ones included.
 *
 * @stability stable
 * @category metrics
 * @since 0.1.0
 */
export const inputTokens = tokenCount("gen_ai.client.inference.usage.input_tokens", "Input tokens used.")

/**
 * Output tokens, reasoning included.
 *
 * @stability stable
 * @category metrics
 * @since 0.1.0
 */
export const outputTokens = tokenCount("gen_ai.client.inference.usage.output_tokens", "Output tokens used.")

/**
 * Input tokens that the provider read from its cache; part of {@link inputTokens}.
 *
 * @stability stable
 * @category metrics
 * @since 0.1.0
 */
export const cacheReadTokens = tokenCount(
  "gen_ai.client.inference.usage.cache_read.input_tokens",
  "Input tokens served from the provider's cache."
)

/**
 * Input tokens that the provider wrote to its cache; part of {@link inputTokens}.
 *
 * @stability stable
 * @category metrics
 * @since 0.1.0
 */
export const cacheWriteTokens = tokenCount(
  "gen_ai.client.inference.usage.cache_write.input_tokens",
  "Input tokens written to the provider's cache."
)

/**
 * Output tokens of reasoning; part of {@link outputTokens}.
 *
 * @stability stable
 * @category metrics
 * @since 0.1.0
 */
export const reasoningTokens = tokenCount(
  "gen_ai.client.inference.usage.reasoning.output_tokens",
  "Output tokens used for reasoning."
)

/**
 * Input tokens per call, for percentiles; sums are in {@link inputTokens}.
 *
 * @stability stable
 * @category metrics
 * @since 0.1.0
 */
export const inputTokensPerCall = tokensPerCall(
  "gen_ai.client.inference.operation.input_tokens",
  "Input tokens per inference operation."
)

/**
 * Output tokens per call, for percentiles; sums are in {@link outputTokens}.
 *
 * @stability stable
 * @category metrics
 * @since 0.1.0
 */
export const outputTokensPerCall = tokensPerCall(
  "gen_ai.client.inference.operation.output_tokens",
  "Output tokens per inference operation."
)

// =============================================================================
// Agents and tools
// =============================================================================

/**
 * Seconds per invocation of an agent, by agent and `error.type`.
 *
 * @stability stable
 * @category metrics
 * @since 0.1.0
 */
export const invokeAgentDuration = duration("gen_ai.invoke_agent.duration", "Duration of an agent's invocation.")

/**
 * Model calls per invocation of an agent, those of agents below not counted.
 *
 * @stability stable
 * @category metrics
 * @since 0.1.0
 */
export const inferenceCalls = Metric.histogram("gen_ai.invoke_agent.inference_calls", {
  description: "Inference calls of an agent's invocation.",
  boundaries: callBoundaries,
  attributes: { unit: "{inference_call}" }
})

/**
 * Tools run per invocation of an agent.
 *
 * @stability stable
 * @category metrics
 * @since 0.1.0
 */
export const toolCalls = Metric.histogram("gen_ai.invoke_agent.tool_calls", {
  description: "Tool calls of an agent's invocation.",
  boundaries: callBoundaries,
  attributes: { unit: "{tool_call}" }
})

/**
 * Seconds per run of a tool, by tool, agent and `error.type`.
 *
 * @stability stable
 * @category metrics
 * @since 0.1.0
 */
export const executeToolDuration = duration("gen_ai.execute_tool.duration", "Duration of a tool's execution.")

// =============================================================================
// Older names
// =============================================================================

const makeTokenUsage = () => tokensPerCall("gen_ai.client.token.usage", "Number of input and output tokens used")

/**
 * Seconds per call. An older name, see `Settings.conventions`.
 *
 * @stability stable
 * @category metrics
 * @since 0.1.0
 */
export const operationDuration = duration("gen_ai.client.operation.duration", "GenAI operation duration in seconds")

/**
 * Tokens per call, by `gen_ai.token.type` input or output. An older name, see `Settings.conventions`.
 *
 * @stability stable
 * @category metrics
 * @since 0.1.0
 */
export const tokenUsage = makeTokenUsage()

/** The same series as `tokenUsage`: a metric remembers its last attributes, and the two kinds of tokens take turns. */
export const outputTokenUsage = makeTokenUsage()

/**
 * Seconds from the call to the first content of a stream. An older name, see `Settings.conventions`.
 *
 * @stability stable
 * @category metrics
 * @since 0.1.0
 */
export const timeToFirstToken = duration(
  "gen_ai.client.operation.time_to_first_chunk",
  "Time to the first content of a streamed answer in seconds"
)

/**
 * Seconds per output token after the first. An older name, see `Settings.conventions`.
 *
 * @stability stable
 * @category metrics
 * @since 0.1.0
 */
export const timePerOutputToken = duration(
  "gen_ai.client.operation.time_per_output_chunk",
  "Time per output token after the first, in seconds"
)
