/**
 * Compaction of a conversation in the Responses API, for whoever serves it over a model that has none of its own: the request for a
 * summary, the answer with it, and what becomes of it when it comes back.
 *
 * An answer has the user's messages as they are, and one item of type `compaction` that stands for all the rest. What that holds is the
 * client's own conversation, and for nobody else: it is packed, not encrypted.
 * https://developers.openai.com/api/docs/guides/conversation-state#managing-the-context-window
 *
 * @since 0.1.0
 */
import type { Usage } from "../../../LlmResponse.ts"
import type { JsonObject } from "../../../Message.ts"
import type { AnswerContext } from "../../Server.ts"
import * as Body from "../../server/Json.ts"
import { usageOf } from "./Answer.ts"

/** How items of this library are told from the vendor's, which nobody else can read. */
const mark = "effect-llm.1."

const pack = (text: string): string => {
  let binary = ""
  for (const byte of new TextEncoder().encode(text)) binary += String.fromCharCode(byte)
  return `${mark}${btoa(binary)}`
}

const unpack = (packed: string): string | undefined => {
  try {
    return new TextDecoder().decode(Uint8Array.from(atob(packed.slice(mark.length)), (one) => one.charCodeAt(0)))
  } catch {
    return undefined
  }
}

const asked =
  "Write a summary of this conversation that another assistant can go on from without having seen it: what the user wants, what was " +
  "decided and why, what was done and with what result, names, paths and figures as they are, and what is still to be done. Write " +
  "nothing but the summary."

const said = (text: string): JsonObject => ({
  type: "message",
  role: "user",
  content: [{ type: "input_text", text }]
})

/**
 * Whether a request is for a compaction.
 *
 * @stability experimental
 * @category guards
 * @since 0.1.0
 */
export const isCompaction = ({ method, path }: { readonly method: string; readonly path: string }): boolean =>
  method === "POST" && path.endsWith("/responses/compact")

/**
 * The body of the request for a summary; `items` is the conversation.
 *
 * @stability experimental
 * @category encoding
 * @since 0.1.0
 */
export const summaryRequest = (
  { instructions, model }: Body.JsonObject,
  items: ReadonlyArray<JsonObject>
): JsonObject => ({
  model: Body.string(model),
  ...(typeof instructions === "string" ? { instructions } : undefined),
  input: [...items, said(asked)],
  store: false
})

const isUsers = (item: JsonObject): boolean => (item["type"] ?? "message") === "message" && item["role"] === "user"

/**
 * A conversation, compacted.
 *
 * @stability experimental
 * @category encoding
 * @since 0.1.0
 */
export const compacted = (
  items: ReadonlyArray<JsonObject>,
  summary: string,
  usage: Usage,
  { created, requestId }: AnswerContext
): JsonObject => ({
  id: `resp_${requestId}`,
  object: "response.compaction",
  created_at: created,
  output: [
    ...items.filter(isUsers).map((item, at): JsonObject => ({
      id: `msg_${requestId}_${at}`,
      ...item,
      type: "message",
      status: "completed",
      content: typeof item["content"] === "string"
        ? [{ type: "input_text", text: item["content"] }]
        : item["content"] ?? []
    })),
    { id: `cmp_${requestId}`, type: "compaction", encrypted_content: pack(summary) }
  ],
  usage: usageOf(usage)
})

/**
 * The items of a conversation with what this library has compacted in words; those of the vendor stay as they are.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const unpacked = (items: ReadonlyArray<JsonObject>): ReadonlyArray<JsonObject> =>
  items.map((item) => {
    const content = item["encrypted_content"]
    if (item["type"] !== "compaction" || typeof content !== "string" || !content.startsWith(mark)) return item
    const summary = unpack(content)
    return summary === undefined ? item : said(`Summary of the conversation so far:\n\n${summary}`)
  })

/**
 * Whether some of it was compacted by this library.
 *
 * @stability experimental
 * @category guards
 * @since 0.1.0
 */
export const hasPacked = (input: unknown): boolean =>
  Body.array(input).map(Body.object).some((item) =>
    item.type === "compaction" && Body.string(item.encrypted_content).startsWith(mark)
  )
