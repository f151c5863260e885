/**
 * Names of tools as a wire takes them, one for one: `files.read` is sent as `files_read_k3V9` where dots are refused, in tools, choice
 * and history, and comes back as `files.read` in answers.
 *
 * What a name becomes depends on that name alone, so that it stays the same in all turns, whatever other tools there are and in whatever
 * order. Should two names become one, which takes some ten thousand alike tools, the later of them in the alphabet counts on.
 *
 * @since 0.1.0
 */
import { type LlmRequest, messagesOf } from "../../LlmRequest.ts"
import type { Message, Part } from "../../Message.ts"
import type { Encoded, EncodeInput, Refused } from "../Protocol.ts"
import { shortName } from "./ShortName.ts"

/**
 * Letters, digits, `_` and `-`, at most 64 of them.
 *
 * @see https://platform.openai.com/docs/api-reference/chat/create#chat_create-tools
 * @see https://platform.claude.com/docs/en/agents-and-tools/tool-use/implement-tool-use
 * @see https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ToolSpecification.html
 * @stability experimental
 * @category rules
 * @since 0.1.0
 */
export const plainNames = /^[a-zA-Z0-9_-]{1,64}$/

/**
 * As {@link plainNames}, with a letter or `_` first.
 *
 * @see https://ai.google.dev/api/caching#FunctionDeclaration
 * @stability experimental
 * @category rules
 * @since 0.1.0
 */
export const identifiers = /^[a-zA-Z_][a-zA-Z0-9_-]{0,63}$/

const longest = 64
const suffixLength = 6

/** Fits every rule: what the name has in letters, digits and `_`, then what tells it from others that look alike then. */
const rewritten = (name: string, attempt: number): string => {
  const shown = name.replace(/[^a-zA-Z0-9_]+/g, "_").replace(/^[^a-zA-Z]+/, "").slice(0, longest - suffixLength - 1)
  return `${shown === "" ? "tool" : shown}_${shortName(`${attempt}:${name}`, suffixLength)}`
}

/** All names that a request has, those of its own tools and of its history. */
const namesIn = (request: LlmRequest): ReadonlySet<string> => {
  const names = new Set<string>()
  for (const tool of request.tools ?? []) if (tool.type !== "provider") names.add(tool.name)
  for (const { content } of messagesOf(request)) {
    if (typeof content === "string") continue
    for (const part of content) if (part.type === "tool-call") names.add(part.name)
  }
  return names
}

/** What the names that a wire refuses become. */
const sentNames = (names: ReadonlySet<string>, valid: RegExp): ReadonlyMap<string, string> => {
  const sent = new Map<string, string>()
  const refused = [...names].filter((name) => !valid.test(name))
  if (refused.length === 0) return sent
  const taken = new Set(names)
  for (const name of refused.toSorted()) {
    let attempt = 0
    let made = rewritten(name, attempt)
    while (taken.has(made)) made = rewritten(name, ++attempt)
    taken.add(made)
    sent.set(name, made)
  }
  return sent
}

const renamedPart = (part: Part, sent: ReadonlyMap<string, string>): Part => {
  const name = part.type === "tool-call" ? sent.get(part.name) : undefined
  return name === undefined ? part : { ...part, name } as Part
}

const renamed = (request: LlmRequest, sent: ReadonlyMap<string, string>): LlmRequest => {
  const { toolChoice: choice, tools } = request
  const messages = messagesOf(request).map((message): Message =>
    typeof message.content === "string"
      ? message
      : { ...message, content: message.content.map((part) => renamedPart(part, sent)) }
  )
  const { messages: _, prompt: __, ...options } = request
  const provided = typeof choice === "object" &&
    tools?.some((tool) => tool.type === "provider" && tool.name === choice.name) === true
  return {
    ...options,
    messages,
    ...(tools === undefined ? undefined : {
      tools: tools.map((tool) =>
        tool.type === "provider" || !sent.has(tool.name) ? tool : { ...tool, name: sent.get(tool.name)! }
      )
    }),
    ...(typeof choice === "object" && !provided && sent.has(choice.name)
      ? { toolChoice: { ...choice, name: sent.get(choice.name)! } }
      : undefined)
  }
}

/**
 * Encodes a request with the names of its tools as the wire takes them. What names were given is said along, for the answer.
 *
 * @stability experimental
 * @category encoding
 * @since 0.1.0
 */
export const withToolNames = (
  valid: RegExp,
  encode: (input: EncodeInput) => Encoded | Refused
): (input: EncodeInput) => Encoded | Refused =>
(input) => {
  const sent = sentNames(namesIn(input.request), valid)
  if (sent.size === 0) return encode(input)
  const encoded = encode({ ...input, request: renamed(input.request, sent) })
  return "refused" in encoded
    ? encoded
    : { ...encoded, toolNames: new Map([...sent].map(([given, name]) => [name, given])) }
}
