/**
 * A guess at a request's tokens without a tokenizer: four characters to a token.
 *
 * Reads text where it is text and measures everything else, such as tool schemas, by its JSON. Images, sounds and
 * files count a flat amount, since their bytes say little about their tokens. Only good for reservations that are
 * settled later.
 *
 * @since 0.1.0
 */
import { type LlmRequest, messagesOf } from "../LlmRequest.ts"
import type { Part } from "../Message.ts"

/** Characters of English text per token, as providers give it: https://platform.openai.com/tokenizer */
const charactersPerToken = 4

/** What most providers bill for an image of usual size. */
const tokensPerFile = 1000

const jsonLength = (value: unknown): number =>
  typeof value === "string" ? value.length : JSON.stringify(value)?.length ?? 0

const fileLength = tokensPerFile * charactersPerToken

const partLength = (part: Part): number => {
  switch (part.type) {
    case "text":
    case "reasoning":
      return part.text.length
    case "image":
    case "audio":
    case "file":
      return fileLength
    case "tool-call":
      return part.name.length + jsonLength(part.arguments)
    case "tool-result":
      return typeof part.content === "string"
        ? part.content.length
        : part.content.reduce((sum, part) => sum + partLength(part), 0)
    case "source":
      return (part.url?.length ?? 0) + (part.title?.length ?? 0) + (part.citedText?.length ?? 0)
    case "server-tool":
      return part.name.length + jsonLength(part.data)
  }
}

/**
 * About how many input tokens a request has.
 *
 * @stability stable
 * @category estimates
 * @since 0.1.0
 */
export const inputTokens = (request: LlmRequest): number => {
  let characters = request.system?.length ?? 0
  for (const { content } of messagesOf(request)) {
    characters += typeof content === "string"
      ? content.length
      : content.reduce((sum, part) => sum + partLength(part), 0)
  }
  for (const tool of request.tools ?? []) {
    characters += tool.name.length
    if (tool.type === "function") characters += (tool.description?.length ?? 0) + jsonLength(tool.parameters)
    else if (tool.type === "custom") characters += (tool.description?.length ?? 0) + jsonLength(tool.format ?? {})
    else characters += jsonLength(tool.definition)
  }
  if (request.responseFormat?.type === "json-schema") characters += jsonLength(request.responseFormat.schema)
  return Math.ceil(characters / charactersPerToken)
}
