/**
 * When a host refuses or endangers an answer that is not streamed, for `Definition.streamsWhole`: rules that several hosts share.
 *
 * @since 0.1.0
 */
import type { Json } from "../Message.ts"
import type { WholeAnswer } from "./Provider.ts"

/**
 * Whether a field of the body is a number above a limit.
 *
 * @stability stable
 * @category whole answers
 * @since 0.1.0
 */
export const above = (value: Json | undefined, limit: number): boolean => typeof value === "number" && value > limit

/**
 * Anthropic's SDKs refuse a whole answer that could take more than 10 minutes, at 128,000 tokens an hour, because networks drop
 * connections that are silent for so long: `calculateNonstreamingTimeout` in
 * https://github.com/anthropics/anthropic-sdk-typescript/blob/main/src/client.ts,
 * https://platform.claude.com/docs/en/cli-sdks-libraries/sdks/typescript#long-requests
 */
const tenMinutes = Math.floor(128_000 * 10 / 60)

/** Claude Opus 4 and 4.1 are slower: https://github.com/anthropics/anthropic-sdk-typescript/blob/main/src/internal/constants.ts */
const slowModels =
  /claude-(?:4-opus-20250514|opus-4-0|opus-4-1-20250805|opus-4-20250514|opus-4-1@20250805|opus-4@20250514)/
const slowLimit = 8192

/**
 * Whether Claude may generate more tokens than an answer that is not streamed can take.
 *
 * @stability stable
 * @category whole answers
 * @since 0.1.0
 */
export const longForClaude = (model: string, maxTokens: Json | undefined): boolean =>
  above(maxTokens, slowModels.test(model) ? slowLimit : tenMinutes)

/**
 * {@link longForClaude} of the Messages wire.
 *
 * @stability stable
 * @category whole answers
 * @since 0.1.0
 */
export const claudeStreamsWhole = ({ body, model }: WholeAnswer): boolean => longForClaude(model, body["max_tokens"])
