/**
 * What the Bedrock Converse API refuses, in its own words: the mistakes a client would make.
 *
 * https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html and the messages of the API itself.
 *
 * @since 0.1.0
 */
import type { ErrorDetails, Incoming, Operation } from "../../Server.ts"
import * as Json from "../../server/Json.ts"

const blockMembers = new Set([
  "text",
  "image",
  "document",
  "video",
  "audio",
  "toolUse",
  "toolResult",
  "guardContent",
  "cachePoint",
  "reasoningContent",
  "citationsContent",
  "searchResult"
])

const imageFormats = new Set(["png", "jpeg", "gif", "webp"])
const documentFormats = new Set(["pdf", "csv", "doc", "docx", "xls", "xlsx", "html", "txt", "md"])
const namePattern = /^[a-zA-Z0-9_-]{1,64}$/
const idPattern = /^[a-zA-Z0-9_.:-]{1,64}$/

const memberOf = (block: unknown): string | undefined => {
  const members = Object.keys(Json.object(block))
  return members.length === 1 ? members[0] : undefined
}

const blocksOf = (message: unknown): ReadonlyArray<Json.JsonObject> =>
  Json.array(Json.object(message).content).map(Json.object)

/**
 * The error the API would report, `undefined` for a proper request.
 *
 * @stability experimental
 * @category validation
 * @since 0.1.0
 */
export const validate = (request: Incoming, operation: Operation): ErrorDetails | undefined => {
  if (operation === "models" || operation === "model") return undefined
  if (!Json.isObject(request.body)) {
    return {
      status: 400,
      type: "SerializationException",
      message: "Start of structure or map found where not expected."
    }
  }
  const input = Json.object(Json.object(request.body.input).converse)
  const body = operation === "countTokens" ? input : request.body
  const message = checkMessages(body) ?? checkBlocks(body) ?? checkTools(body) ?? checkCalls(body) ?? checkOptions(body)
  return message === undefined ? undefined : { status: 400, message }
}

const checkMessages = (body: Json.JsonObject): string | undefined => {
  const messages = Json.array(body.messages)
  if (messages.length === 0) {
    return "A conversation must start with a user message. Try again with a conversation that starts with a user message."
  }
  for (let i = 0; i < messages.length; i++) {
    const { content, role } = Json.object(messages[i])
    if (role !== "user" && role !== "assistant") {
      return `1 validation error detected: Value at 'messages.${
        i + 1
      }.member.role' failed to satisfy constraint: Member must satisfy enum value set: [user, assistant]`
    }
    if (i === 0 && role !== "user") {
      return "A conversation must start with a user message. Try again with a conversation that starts with a user message."
    }
    if (i > 0 && role === Json.object(messages[i - 1]).role) {
      return "A conversation must alternate between user and assistant roles. Make sure the conversation alternates between user and assistant roles and try again."
    }
    if (!Array.isArray(content) || content.length === 0) {
      return `The content field in the Message object at messages.${i} is empty. Add a ContentBlock object to the content field and try again.`
    }
  }
  return undefined
}

const checkBlocks = (body: Json.JsonObject): string | undefined => {
  const names = new Set<unknown>()
  let cachePoints = 0
  for (const [i, message] of Json.array(body.messages).entries()) {
    for (const [j, block] of blocksOf(message).entries()) {
      const at = `messages.${i}.content.${j}`
      const member = memberOf(block)
      if (member === undefined || !blockMembers.has(member)) {
        return `The value at ${at} is not a ContentBlock: exactly one of its members must be set.`
      }
      if (member === "cachePoint") cachePoints++
      if (typeof block.text === "string" && block.text.trim() === "") {
        return `The text field in the ContentBlock object at ${at} is blank. Add text to the text field, and try again.`
      }
      if (member === "image" && !imageFormats.has(Json.string(Json.object(block.image).format))) {
        return `Value at '${at}.image.format' failed to satisfy constraint: Member must satisfy enum value set: [png, jpeg, gif, webp]`
      }
      if (member === "document") {
        const { format, name } = Json.object(block.document)
        if (typeof format === "string" && !documentFormats.has(format)) {
          return `Value at '${at}.document.format' failed to satisfy constraint: Member must satisfy enum value set: [pdf, csv, doc, docx, xls, xlsx, html, txt, md]`
        }
        if (typeof name !== "string" || !/^[a-zA-Z0-9\s()[\]-]{1,200}$/.test(name) || /\s\s/.test(name)) {
          return "The document file name can only contain alphanumeric characters, whitespace characters, hyphens, parentheses, and square brackets. The name can't contain more than one consecutive whitespace character."
        }
        if (names.has(name)) return "Duplicate document names are not allowed. Use unique names for each document."
        names.add(name)
      }
    }
  }
  cachePoints += [...Json.array(body.system), ...Json.array(Json.object(body.toolConfig).tools)]
    .filter((block) => memberOf(block) === "cachePoint").length
  return cachePoints > 4 ? `A maximum of 4 blocks with cache_control may be provided. Found ${cachePoints}.` : undefined
}

const checkTools = (body: Json.JsonObject): string | undefined => {
  const config = Json.object(body.toolConfig)
  if (body.toolConfig !== undefined && Json.array(config.tools).length === 0) {
    return "1 validation error detected: Value at 'toolConfig.tools' failed to satisfy constraint: Member must have length greater than or equal to 1"
  }
  const names = new Set<string>()
  for (const [i, tool] of Json.array(config.tools).map(Json.object).entries()) {
    if (tool.toolSpec === undefined) continue
    const { inputSchema, name } = Json.object(tool.toolSpec)
    if (typeof name !== "string" || !namePattern.test(name)) {
      return `1 validation error detected: Value '${String(name)}' at 'toolConfig.tools.${
        i + 1
      }.member.toolSpec.name' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_-]+`
    }
    if (names.has(name)) return `The tool name ${name} is not unique. Make sure tool names are unique and try again.`
    names.add(name)
    if (Json.object(Json.object(inputSchema).json).type !== "object") {
      return `The value at toolConfig.tools.${i}.toolSpec.inputSchema.json.type must be one of the following: object.`
    }
  }
  const chosen = Json.object(Json.object(config.toolChoice).tool).name
  return typeof chosen === "string" && !names.has(chosen)
    ? `The tool ${chosen} named in toolChoice is not among the tools.`
    : undefined
}

/** Every call is answered in the next message, and nothing else is. */
const checkCalls = (body: Json.JsonObject): string | undefined => {
  const messages = Json.array(body.messages)
  let used = false
  let waiting: ReadonlyArray<unknown> = []
  for (const [i, message] of messages.entries()) {
    const blocks = blocksOf(message)
    const answered = blocks.filter((block) => block.toolResult !== undefined)
      .map((block) => Json.object(block.toolResult).toolUseId)
    const missing = waiting.filter((id) => !answered.includes(id))
    if (missing.length > 0) {
      return `Expected toolResult blocks at messages.${i}.content for the following Ids: ${missing.join(", ")}`
    }
    if (answered.some((id) => !waiting.includes(id))) {
      return `The number of toolResult blocks at messages.${i}.content exceeds the number of toolUse blocks of previous turn.`
    }
    waiting = blocks.filter((block) => block.toolUse !== undefined && Json.object(block.toolUse).type === undefined)
      .map((block) => Json.object(block.toolUse).toolUseId)
    const wrong = waiting.find((id) => typeof id !== "string" || !idPattern.test(id))
    if (wrong !== undefined) {
      return `1 validation error detected: Value '${String(wrong)}' at 'messages.${
        i + 1
      }.member.content.toolUse.toolUseId' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_.:-]+`
    }
    used ||= waiting.length > 0 || answered.length > 0
  }
  if (used && body.toolConfig === undefined) {
    return "The toolConfig field must be defined when using toolUse and toolResult content blocks."
  }
  return undefined
}

const checkOptions = (body: Json.JsonObject): string | undefined => {
  const { maxTokens, temperature, topP } = Json.object(body.inferenceConfig)
  const outside = (value: unknown) => typeof value === "number" && (value < 0 || value > 1)
  if (outside(temperature)) {
    return "1 validation error detected: Value at 'inferenceConfig.temperature' failed to satisfy constraint: Member must have value less than or equal to 1"
  }
  if (outside(topP)) {
    return "1 validation error detected: Value at 'inferenceConfig.topP' failed to satisfy constraint: Member must have value less than or equal to 1"
  }
  if (maxTokens !== undefined && (!Number.isInteger(maxTokens) || Number(maxTokens) < 1)) {
    return "1 validation error detected: Value at 'inferenceConfig.maxTokens' failed to satisfy constraint: Member must have value greater than or equal to 1"
  }
  return undefined
}
