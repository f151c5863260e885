/**
 * What the provider packages of `effect/ai` write into metadata that our wires have a field for, so that a history they made goes on here.
 *
 * @see https://github.com/Effect-TS/effect-smol/blob/main/packages/ai/anthropic/src/AnthropicLanguageModel.ts
 * @see https://github.com/Effect-TS/effect-smol/blob/main/packages/ai/openai/src/OpenAiLanguageModel.ts
 * @since 0.1.0
 */
import type { CacheControl, ReasoningPart } from "../../Message.ts"
import { type Metadata, objectOf } from "./metadata.ts"

const text = (value: unknown): string | undefined => typeof value === "string" && value !== "" ? value : undefined

/** The cache mark of `@effect/ai-anthropic`. */
export const cacheControlOf = (others: Metadata | undefined): CacheControl | undefined => {
  const mark = objectOf(objectOf(others?.["anthropic"])?.["cacheControl"])
  return mark?.["type"] !== "ephemeral" ? undefined : mark["ttl"] === "1h" ? "extended" : "ephemeral"
}

/** Signatures and encrypted reasoning of `@effect/ai-anthropic` and `@effect/ai-openai`. */
export const reasoningOf = (others: Metadata | undefined): Omit<ReasoningPart, "type" | "text"> | undefined => {
  const info = objectOf(objectOf(others?.["anthropic"])?.["info"])
  const signature = text(info?.["signature"])
  if (signature !== undefined) return { signature, origin: { wire: "anthropic-messages" } }
  const redacted = text(info?.["redactedData"])
  if (redacted !== undefined) return { encrypted: redacted, origin: { wire: "anthropic-messages" } }
  const openai = objectOf(others?.["openai"])
  const encrypted = text(openai?.["encryptedContent"])
  const id = text(openai?.["itemId"])
  return encrypted === undefined
    ? undefined
    : { encrypted, ...(id === undefined ? undefined : { replay: { id } }), origin: { wire: "openai-responses" } }
}
