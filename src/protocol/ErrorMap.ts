/**
 * What a provider's failure means: from status, type, code and text to one reason.
 *
 * Pure. `errors/classify.ts` decides by the rules, which are data in `errors/Rules.ts`, the words for a full context in `errors/ContextOverflow.ts`, the
 * documented mappings, which tests and the documentation iterate over, in `errors/ErrorTable.ts`. Reading an error out
 * of a body is `errors/ErrorBody.ts`. No rule asks which provider it is: names and texts differ enough.
 *
 * @since 0.1.0
 */

export { type Classifiable, classify, overflowIn } from "./errors/classify.ts"
export { overflowPatterns } from "./errors/ContextOverflow.ts"
export { type ErrorBody, isErrorBody, isErrorMember, readErrorBody, readErrorText } from "./errors/ErrorBody.ts"
export { errorTable, type ErrorTableRow } from "./errors/ErrorTable.ts"
export { type LimitWindow } from "./errors/LimitWindow.ts"
export { type Overflow } from "./errors/Overflow.ts"
export { type OverflowText, overflowTexts } from "./errors/OverflowTexts.ts"
export { retryDelayFromMessage } from "./errors/RetryDelay.ts"
export { type ProviderReasonTag, type Rule, rules } from "./errors/Rules.ts"
