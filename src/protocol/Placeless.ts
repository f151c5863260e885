/**
 * Fields of parts and tools for which a wire has no place, and whose loss does not change what is asked: each is said once.
 *
 * A wire names those it lacks. What would change the question is not here: it is refused by the wire, before anything is sent.
 *
 * @since 0.1.0
 */
import { type LlmRequest, messagesOf } from "../LlmRequest.ts"
import type { Warning } from "../LlmResponse.ts"
import type { Part } from "../Message.ts"

/** Whether a part says something there is no place for. */
const inParts = {
  "image.detail": (part: Part) => part.type === "image" && part.detail !== undefined,
  "file.citations": (part: Part) => part.type === "file" && part.citations === true,
  "file.filename": (part: Part) => part.type === "file" && part.filename !== undefined
}

/**
 * What a wire may have no place for.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export type Placeless = keyof typeof inParts | "tool.cacheControl"

const anyPart = (request: LlmRequest, is: (part: Part) => boolean): boolean =>
  messagesOf(request).some(({ content }) =>
    typeof content !== "string" &&
    content.some((part) =>
      is(part) || (part.type === "tool-result" && typeof part.content !== "string" && part.content.some(is))
    )
  )

/**
 * Warnings of what a request says in these fields.
 *
 * @stability experimental
 * @category encoding
 * @since 0.1.0
 */
export const leftOut = (request: LlmRequest, fields: ReadonlyArray<Placeless>): ReadonlyArray<Warning> =>
  fields
    .filter((field) =>
      field === "tool.cacheControl"
        ? (request.tools ?? []).some((tool) => tool.type === "function" && tool.cacheControl !== undefined)
        : anyPart(request, inParts[field])
    )
    .map((field) => ({ field, message: "This wire has no place for it; it was left out." }))
