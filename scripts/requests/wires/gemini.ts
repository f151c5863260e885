/**
 * What `generateContent` refuses: https://ai.google.dev/api/generate-content and the guides it names.
 */
import { type Fields, fieldsOf, listOf } from "../Fault.ts"
import { type Refuse, type Rule, ruled } from "../rules.ts"

const reference = "https://ai.google.dev/api/generate-content"
const calling = "https://ai.google.dev/gemini-api/docs/function-calling"
const thinking = "https://ai.google.dev/gemini-api/docs/thinking"

const has = (content: Fields, field: string): number =>
  listOf(content["parts"]).filter((part) => field in fieldsOf(part)).length

const turns = (body: Fields, refuse: Refuse): void => {
  const contents = listOf(body["contents"]).map(fieldsOf)
  if (contents.length === 0) refuse("contents", "must not be empty")
  if (contents[0]?.["role"] === "model") refuse("contents[0]", "the first must be of the user")
  for (const [index, content] of contents.entries()) {
    const at = `contents[${index}]`
    const parts = listOf(content["parts"]).map(fieldsOf)
    if (content["role"] !== "user" && content["role"] !== "model") {
      refuse(`${at}.role`, `must be user or model, is ${String(content["role"])}`)
    }
    if (parts.length === 0) refuse(`${at}.parts`, "must not be empty")
    for (const [place, part] of parts.entries()) {
      const names = Object.keys(part).filter((name) =>
        !["thought", "thoughtSignature", "videoMetadata", "mediaResolution"].includes(name)
      )
      if (names.length !== 1) {
        refuse(`${at}.parts[${place}]`, `must have one kind of data, has ${names.join(", ") || "none"}`)
      }
      const name = fieldsOf(part["functionCall"] ?? part["functionResponse"])["name"]
      if (name !== undefined && !/^[a-zA-Z_][a-zA-Z0-9_.:-]{0,127}$/.test(String(name))) {
        refuse(`${at}.parts[${place}]`, "has a name that is refused")
      }
    }
    const calls = has(content, "functionCall")
    const results = has(content, "functionResponse")
    const before = contents[index - 1]
    if (calls > 0 && (before === undefined || before["role"] !== "user")) {
      refuse(at, "a function call must come right after a user turn or a function response")
    }
    if (results > 0 && (before === undefined || has(before, "functionCall") !== results)) {
      refuse(at, "function responses must be as many as the calls of the turn before")
    }
    if (calls > 0 && index < contents.length - 1 && has(contents[index + 1]!, "functionResponse") !== calls) {
      refuse(at, "calls must be answered in the next turn")
    }
  }
}

const budget = (models: RegExp, least: number, most: number, off: boolean): Rule => ({
  source: thinking,
  models,
  check: ({ body }, refuse) => {
    const { thinkingBudget, thinkingLevel } = fieldsOf(fieldsOf(body["generationConfig"])["thinkingConfig"])
    const at = "generationConfig.thinkingConfig"
    if (thinkingLevel !== undefined) refuse(`${at}.thinkingLevel`, "is refused by the model: it thinks by budget")
    if (typeof thinkingBudget !== "number" || thinkingBudget === -1 || (off && thinkingBudget === 0)) return
    if (thinkingBudget < least || thinkingBudget > most) {
      refuse(`${at}.thinkingBudget`, `must be within ${least} and ${most}, is ${thinkingBudget}`)
    }
  }
})

const rules: ReadonlyArray<Rule> = [
  { source: reference, check: ({ body }, refuse) => turns(body, refuse) },
  budget(/gemini-2\.5-pro/, 128, 32768, false),
  budget(/gemini-2\.5-flash(?!-lite)/, 1, 24576, true),
  budget(/gemini-2\.5-flash-lite/, 512, 24576, true),
  {
    source: thinking,
    check: ({ body }, refuse) => {
      const { thinkingBudget, thinkingLevel } = fieldsOf(fieldsOf(body["generationConfig"])["thinkingConfig"])
      if (thinkingBudget !== undefined && thinkingLevel !== undefined) {
        refuse("generationConfig.thinkingConfig", "must not have both thinkingBudget and thinkingLevel")
      }
    }
  },
  {
    source: calling,
    models: /gemini-2/,
    check: ({ body }, refuse) => {
      const { responseMimeType } = fieldsOf(body["generationConfig"])
      if (responseMimeType === "application/json" && listOf(body["tools"]).length > 0) {
        refuse("generationConfig.responseMimeType", "of JSON is refused together with function calling")
      }
    }
  },
  {
    source: reference,
    check: ({ body }, refuse) => {
      const { logprobs, responseLogprobs, stopSequences, temperature, topP } = fieldsOf(body["generationConfig"])
      if (listOf(stopSequences).length > 5) {
        refuse("generationConfig.stopSequences", `must have at most 5, has ${listOf(stopSequences).length}`)
      }
      if (typeof temperature === "number" && (temperature < 0 || temperature > 2)) {
        refuse("generationConfig.temperature", "must be within 0 and 2")
      }
      if (typeof topP === "number" && (topP < 0 || topP > 1)) refuse("generationConfig.topP", "must be within 0 and 1")
      if (logprobs !== undefined && responseLogprobs !== true) {
        refuse("generationConfig.logprobs", "needs responseLogprobs")
      }
      for (const [index, tool] of listOf(body["tools"]).entries()) {
        for (const [place, declared] of listOf(fieldsOf(tool)["functionDeclarations"]).entries()) {
          if (!/^[a-zA-Z_][a-zA-Z0-9_.:-]{0,127}$/.test(String(fieldsOf(declared)["name"]))) {
            refuse(`tools[${index}].functionDeclarations[${place}].name`, "is refused")
          }
        }
      }
      const config = fieldsOf(fieldsOf(body["toolConfig"])["functionCallingConfig"])
      if (config["mode"] !== undefined && config["mode"] !== "NONE" && listOf(body["tools"]).length === 0) {
        refuse("toolConfig", "is refused without function declarations")
      }
    }
  }
]

/** Rules of the wire. */
export const gemini = ruled("generateContent", rules)
