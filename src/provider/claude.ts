/**
 * What is true of Claude by a model's name, wherever it is served.
 *
 * @since 0.1.0
 */

const goingOn = /claude-(?:v?[23](?!\d)|instant|4-|(?:opus|sonnet|haiku)-4(?:-[0-5])?(?:$|[-@]\d{8}|-latest|-v\d|@))/

/**
 * Whether a model goes on from an assistant message at the end. Claude does so before 4.6; names of other models say nothing.
 *
 * @see https://platform.claude.com/docs/en/about-claude/models/whats-new-claude-4-6#prefill-removal
 * @category models
 * @since 0.1.0
 */
export const claudePrefills = (model: string): boolean => !model.includes("claude") || goingOn.test(model)
