/**
 * What hosts refuse beyond their wire, each rule as their documentation states it.
 */
import { type Fields, fieldsOf, listOf, type Validator } from "./Fault.ts"
import { labHosts } from "./hosts/labs.ts"
import { localHosts } from "./hosts/local.ts"
import { servingHosts } from "./hosts/serving.ts"
import { type Rule, ruled } from "./rules.ts"

const openAiReasoning = "https://platform.openai.com/docs/guides/reasoning"
const latest = "https://platform.openai.com/docs/guides/latest-model"

const effortOf = (body: Fields): unknown => body["reasoning_effort"] ?? fieldsOf(body["reasoning"])["effort"]

/** Words of effort by family of models. */
const efforts: ReadonlyArray<readonly [models: RegExp, words: ReadonlyArray<string>]> = [
  [/^o\d/, ["low", "medium", "high"]],
  [/^gpt-5(?:-mini|-nano)?$/, ["minimal", "low", "medium", "high"]],
  [/^gpt-5\.1$/, ["none", "low", "medium", "high"]],
  [/^gpt-5\.[2-9]$/, ["none", "low", "medium", "high", "xhigh"]]
]

/** Rules of OpenAI's models, wherever they are served. */
const openAi: ReadonlyArray<Rule> = [
  {
    source: openAiReasoning,
    models: /^(?:o\d|gpt-5(?:-mini|-nano|-pro)?$)/,
    check: ({ body }, refuse) => {
      for (
        const field of ["temperature", "top_p", "presence_penalty", "frequency_penalty", "logprobs", "top_logprobs"]
      ) {
        if (body[field] !== undefined && body[field] !== 1) refuse(field, "is refused by the model")
      }
      if (body["max_tokens"] !== undefined) refuse("max_tokens", "is refused by the model: max_completion_tokens")
    }
  },
  {
    source: latest,
    models: /^gpt-(?:5\.[1-9]|6)/,
    check: ({ body }, refuse) => {
      const effort = effortOf(body)
      if (effort === undefined || effort === "none") return
      for (const field of ["temperature", "top_p", "logprobs", "top_logprobs"]) {
        if (body[field] !== undefined && body[field] !== 1) {
          refuse(field, `is refused unless the effort is none, is ${String(effort)}`)
        }
      }
    }
  },
  {
    source: "https://platform.openai.com/docs/api-reference/chat/create#chat-create-stop",
    models: /^(?:o[34]|gpt-5(?:-mini|-nano|-pro)?$)/,
    check: ({ body }, refuse) => {
      if (body["stop"] !== undefined) refuse("stop", "is refused by the model")
    }
  },
  {
    source: "https://platform.openai.com/docs/api-reference/chat/create#chat-create-reasoning_effort",
    models: /^(?:gpt-4|gpt-3|chatgpt)/,
    check: ({ body }, refuse) => {
      if (effortOf(body) !== undefined) {
        refuse(body["reasoning"] === undefined ? "reasoning_effort" : "reasoning.effort", "is refused by the model")
      }
    }
  },
  ...efforts.map(([models, words]): Rule => ({
    source: openAiReasoning,
    models,
    check: ({ body }, refuse) => {
      const effort = effortOf(body)
      if (effort !== undefined && !words.includes(String(effort))) {
        refuse(
          body["reasoning"] === undefined ? "reasoning_effort" : "reasoning.effort",
          `must be one of ${words.join(", ")}, is ${String(effort)}`
        )
      }
    }
  })),
  {
    source: "https://platform.openai.com/docs/guides/structured-outputs#json-mode",
    check: ({ body }, refuse) => {
      const chat = fieldsOf(body["response_format"])["type"] === "json_object"
      if (chat && !/json/i.test(JSON.stringify(body["messages"]))) {
        refuse("response_format", "of JSON needs the word json in a message")
      }
      if (listOf(body["stop"]).length > 4) refuse("stop", `must have at most 4, has ${listOf(body["stop"]).length}`)
    }
  }
]

const hosts: { readonly [provider: string]: ReadonlyArray<Rule> } = {
  azure: openAi,
  openai: openAi,
  ...labHosts,
  ...servingHosts,
  ...localHosts
}

/** The validators of a host. */
export const hostValidators = (provider: string, wire: string): ReadonlyArray<Validator> => {
  const rules = hosts[provider]
  // The hosts' own rules are about the wire that most speak.
  const about = wire === "openai-chat" || rules === openAi
  return rules === undefined || !about ? [] : [ruled(`documentation of ${provider}`, rules)]
}
