/**
 * Whether messages that may be anything are messages: roles, parts, what stands in them, and which part belongs where.
 *
 * What a wire cannot spell is its encoder's to refuse; what makes a history legal for a provider is `Conversation`'s. This file owns
 * what is true of messages everywhere. The work is linear, and paths are written only when something is wrong.
 *
 * @since 0.1.0
 */
import { json, jsonObject } from "./json.ts"
import { media, receivedMedia } from "./media.ts"
import {
  type Check,
  type Fields,
  fields,
  finite,
  flag,
  isRecord,
  type Issue,
  kindOf,
  listOf,
  oneOf,
  optional,
  problem,
  reading,
  text,
  under
} from "./values.ts"

const roles: ReadonlySet<unknown> = new Set(["system", "user", "assistant", "tool"])

const optionalText = optional(text)
const cacheControl = optional(oneOf("ephemeral", "extended"))
const origin = fields({ wire: text, provider: optionalText, model: optionalText })
const optionalOrigin = optional(origin)
const replay = optional(jsonObject)
const onlyTrue = optional((value) =>
  value === true ? undefined : problem(`Must be true or left out. Got ${kindOf(value)}.`)
)

const textFields: Fields = { text, cacheControl, signature: optionalText, replay, origin: optionalOrigin }

const imageFields: Fields = { detail: optional(oneOf("auto", "low", "high")), cacheControl }

const fileFields: Fields = { filename: optionalText, citations: optional(flag), cacheControl }

const audioFields: Fields = { transcript: optionalText }

const named = (message: string): Check => (value) =>
  typeof value === "string" && value !== "" ? undefined : problem(`${message} Got ${kindOf(value)}.`)

const callFields: Fields = {
  id: named("A tool call needs an id."),
  name: named("A tool call needs the name of its tool."),
  arguments: (value) =>
    value === undefined ? problem("Must be JSON; {} for a call without arguments. Got nothing.") : json(value),
  invalid: onlyTrue,
  custom: onlyTrue,
  signature: optionalText,
  replay,
  origin: optionalOrigin,
  cacheControl
}

const resultContent = listOf(
  reading((part) => {
    const type = isRecord(part) ? part["type"] : undefined
    return type === "text" || type === "image" || type === "file"
      ? sentParts[type]!(part)
      : problem(`The result of a tool holds a text, or parts of text, image or file. Got ${kindOf(part)}.`)
  }),
  "Must be a text or an array of parts."
)

const resultFields: Fields = {
  toolCallId: named("Must name the call it answers."),
  name: optionalText,
  content: (value) => typeof value === "string" ? undefined : resultContent(value),
  isError: optional(flag),
  cacheControl
}

const partsWith = (source: Check): { readonly [type: string]: Check | undefined } => ({
  text: fields(textFields),
  image: fields({ source, ...imageFields }),
  file: fields({ source, ...fileFields }),
  audio: fields({ source, ...audioFields }),
  reasoning: fields({ text, signature: optionalText, encrypted: optionalText, replay, origin: optionalOrigin }),
  "tool-call": fields(callFields),
  "tool-result": fields(resultFields),
  source: fields({ url: optionalText, title: optionalText, citedText: optionalText, raw: optional(json) }),
  "server-tool": fields({
    name: text,
    kind: oneOf("call", "result", "block"),
    id: optionalText,
    data: jsonObject,
    origin
  })
})

const sentParts = partsWith(media)
const receivedParts = partsWith(receivedMedia)

const partOf = (role: string): Check => {
  const known = role === "assistant" ? receivedParts : sentParts
  return (part) => {
    const type = isRecord(part) ? part["type"] : undefined
    const check = typeof type === "string" && Object.hasOwn(known, type) ? known[type] : undefined
    if (check === undefined) {
      return problem("Not a part. Use Message.text, Message.image, Message.file or another part constructor.")
    }
    if (type === "tool-call" && role !== "assistant") return problem("A tool call belongs in an assistant message.")
    if (type === "tool-result" && role !== "tool" && role !== "user") {
      return problem("A tool result belongs in a tool message: Message.toolResult(call, content).")
    }
    if (type !== "tool-result" && role === "tool") return problem("A tool message holds nothing but tool results.")
    return check(part)
  }
}

const contentOf = (role: string): Check => listOf(partOf(role), "Must be a text or an array of parts.")

const contents: { readonly [role: string]: Check } = {
  system: contentOf("system"),
  user: contentOf("user"),
  assistant: contentOf("assistant"),
  tool: contentOf("tool")
}

const attributes = optional(fields({ cacheControl, priority: optional(finite), metadata: optional(jsonObject) }))

const message = fields({ attributes }, "Not a message. Use Message.user or another constructor.")

const messageOf: Check = reading((value) => {
  if (!isRecord(value)) return problem(`Not a message. Use Message.user or another constructor. Got ${kindOf(value)}.`)
  const { role } = value
  if (typeof role !== "string" || !roles.has(role)) {
    return under(".role", problem("Must be system, user, assistant or tool."))
  }
  const { content } = value
  if (typeof content !== "string") {
    const found = contents[role]!(content)
    if (found !== undefined) return under(".content", found)
  } else if (role === "tool") {
    return under(".content", problem("A tool message holds tool results: Message.toolResult(call, content)."))
  }
  return message(value)
})

const listed = listOf(messageOf, "Must be an array of messages.")

/** Whether the messages begin as a conversation can. */
const beginning = (messages: ReadonlyArray<{ readonly role: unknown }>): Issue | undefined => {
  if (messages.length === 0) return problem("Is empty: give at least one message, or a prompt.")
  const first = messages.find(({ role }) => role !== "system")
  if (first === undefined) return problem("Has only system messages: add a user message.")
  return first.role === "tool"
    ? problem("Begins with a tool result: put the assistant message with the call before it.")
    : undefined
}

/**
 * The messages of a conversation.
 *
 * @stability stable
 * @category checks
 * @since 0.1.0
 */
export const messages: Check = reading((value) =>
  listed(value) ?? beginning(value as ReadonlyArray<{ readonly role: unknown }>)
)
