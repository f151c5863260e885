/**
 * Messages of a page of the AI SDK as messages of ours.
 *
 * @see https://github.com/vercel/ai/blob/main/packages/ai/src/ui/convert-to-model-messages.ts
 * @since 0.1.0
 */
import type { LanguageModelV4Message, LanguageModelV4Prompt } from "@ai-sdk/provider"
import type { Issue } from "../../LlmRequest.ts"
import type { Message } from "../../Message.ts"
import { record } from "../../protocol/Probe.ts"
import { plainJson } from "../aiSdk/own.ts"
import { messagesOfPrompt } from "../aiSdk/prompt.ts"

type Fields = { readonly [field: string]: unknown }

const text = (value: unknown): string | undefined => typeof value === "string" ? value : undefined

const optionsOf = (metadata: unknown): object => record(metadata) === undefined ? {} : { providerOptions: metadata }

/** The result of a call, or `undefined` for one that has none yet. */
const outputOf = (part: Fields): object | undefined => {
  switch (part["state"]) {
    case "output-available": {
      if (part["preliminary"] === true) return undefined
      const output = part["output"]
      return typeof output === "string" ? { type: "text", value: output } : { type: "json", value: output ?? null }
    }
    case "output-error":
      return { type: "error-text", value: text(part["errorText"]) ?? "The tool failed." }
    case "output-denied":
      return { type: "execution-denied", ...(reasonOf(part) === undefined ? undefined : { reason: reasonOf(part) }) }
    default:
      return undefined
  }
}

const reasonOf = (part: Fields): string | undefined => text(record(part["approval"])?.["reason"])

/** A step of an assistant's message: what it says, and the results that stand in a message of their own. */
interface Step {
  readonly said: Array<object>
  readonly results: Array<object>
}

const addCall = (step: Step, part: Fields, toolName: string): void => {
  const toolCallId = text(part["toolCallId"])
  // A call whose arguments were still coming is none.
  if (toolCallId === undefined || part["state"] === "input-streaming") return
  const providerExecuted = part["providerExecuted"] === true
  const input = part["input"] ?? part["rawInput"] ?? {}
  step.said.push({
    type: "tool-call",
    toolCallId,
    toolName,
    input,
    ...(providerExecuted ? { providerExecuted } : undefined),
    ...optionsOf(part["callProviderMetadata"])
  })
  const output = outputOf(part)
  if (output === undefined) return
  const result = { type: "tool-result", toolCallId, toolName, output, ...optionsOf(part["resultProviderMetadata"]) }
  if (providerExecuted) step.said.push(result)
  else step.results.push(result)
}

const filePart = (part: Fields): ReadonlyArray<object> => {
  const [url, mediaType, filename] = [text(part["url"]), text(part["mediaType"]), text(part["filename"])]
  return url === undefined || mediaType === undefined ? [] : [{
    type: "file",
    mediaType,
    data: { type: "url", url },
    ...(filename === undefined ? undefined : { filename }),
    ...optionsOf(part["providerMetadata"])
  }]
}

const plainPart = (part: Fields): ReadonlyArray<object> => {
  switch (part["type"]) {
    case "text":
    case "reasoning":
      return [{ type: part["type"], text: text(part["text"]) ?? "", ...optionsOf(part["providerMetadata"]) }]
    case "file":
      return filePart(part)
    default:
      return []
  }
}

const assistant = (parts: ReadonlyArray<Fields>): ReadonlyArray<object> => {
  const steps: Array<Step> = [{ said: [], results: [] }]
  for (const part of parts) {
    const step = steps.at(-1)!
    const type = text(part["type"]) ?? ""
    if (type === "step-start") steps.push({ said: [], results: [] })
    else if (type === "dynamic-tool") addCall(step, part, text(part["toolName"]) ?? "")
    else if (type.startsWith("tool-")) addCall(step, part, type.slice("tool-".length))
    else if (type === "custom") {
      step.said.push({ type, kind: part["kind"], ...optionsOf(part["providerMetadata"]) })
    } else step.said.push(...plainPart(part))
  }
  return steps.flatMap(({ results, said }) => [
    ...(said.length === 0 ? [] : [{ role: "assistant", content: said }]),
    ...(results.length === 0 ? [] : [{ role: "tool", content: results }])
  ])
}

/**
 * The messages of a page, or what is wrong with them. Instructions are the application's: system messages are left out. `provider` is
 * whose uploaded files are meant.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const messagesOfPage = (given: unknown, provider: string): ReadonlyArray<Message> | Issue => {
  const plain = plainJson(given)
  if (!Array.isArray(plain)) return { field: "messages", message: "Must be the array of messages that a page has." }
  const prompt: Array<object> = []
  for (const [index, one] of plain.entries()) {
    const message = record(one)
    const parts = message?.["parts"]
    if (!Array.isArray(parts)) return { field: `messages[${index}].parts`, message: "Must be an array of parts." }
    const read = parts.flatMap((part): ReadonlyArray<Fields> => record(part) === undefined ? [] : [part as Fields])
    switch (message?.["role"]) {
      case "user":
        prompt.push({
          role: "user",
          content: read.flatMap(plainPart).filter((part) => record(part)?.["type"] !== "reasoning")
        })
        break
      case "assistant":
        prompt.push(...assistant(read))
        break
      case "system":
        break
      default:
        return { field: `messages[${index}].role`, message: "Must be user or assistant." }
    }
  }
  return messagesOfPrompt(prompt as Array<LanguageModelV4Message> as LanguageModelV4Prompt, provider, () => {})
}
