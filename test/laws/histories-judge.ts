/**
 * One list put to one target: accepted or refused as it should be, every result with its call, and nothing lost that nobody was told of.
 */
import { LlmRequest, Message } from "../../src/index.ts"
import { jsonText } from "../../src/json/text.ts"
import { familyFacts } from "../../src/model/families.ts"
import { spelled } from "../encoding.ts"
import { type Body, illFormed } from "./histories-grammar.ts"
import type { Target } from "./histories-lists.ts"

export type Verdict =
  | { readonly type: "accepted"; readonly body: Body }
  | { readonly type: "refused"; readonly field: string }
  | { readonly type: "invalid" | "astray" | "lost"; readonly problems: ReadonlyArray<string>; readonly body: Body }

const marked = (kind: string) => new RegExp(`<${kind}\\d+>`, "g")

const marksIn = (value: unknown, kind: string): ReadonlyArray<string> => JSON.stringify(value).match(marked(kind)) ?? []

/** Which call each result names, by marks, as the list says it: results of one id answer the nearest turn that is open. */
const pairsIn = (messages: ReadonlyArray<Message.Message>): ReadonlyMap<string, string> => {
  const pairs = new Map<string, string>()
  const open = new Map<string, Array<Array<string>>>()
  for (const message of messages) {
    const begun = new Map<string, Array<string>>()
    for (const part of Message.parts(message)) {
      if (part.type === "tool-call") {
        const mark = marksIn(part.arguments, "C")[0]!
        const group = begun.get(part.id)
        if (group !== undefined) group.push(mark)
        else {
          const fresh = [mark]
          begun.set(part.id, fresh)
          open.set(part.id, [...open.get(part.id) ?? [], fresh])
        }
      }
      if (part.type !== "tool-result") continue
      const groups = open.get(part.toolCallId)?.filter((group) => group.length > 0)
      const call = groups?.at(-1)?.shift()
      const mark = marksIn(part.content, "D")[0]
      if (call !== undefined && mark !== undefined) pairs.set(mark, call)
    }
  }
  return pairs
}

/** Which call each result has where neither has an id: Gemini's API on Vertex pairs them by name, in their order. */
const pairsInOrder = (body: Body): ReadonlyArray<readonly [result: string, call: string]> => {
  const pairs: Array<readonly [string, string]> = []
  let waiting: Array<{ readonly name: unknown; readonly mark: string | undefined }> = []
  for (const content of Array.isArray(body["contents"]) ? body["contents"] as ReadonlyArray<Body> : []) {
    const parts = content["parts"] as ReadonlyArray<{ readonly [name: string]: { readonly [name: string]: unknown } }>
    for (const { functionResponse } of parts) {
      if (functionResponse === undefined || functionResponse["id"] !== undefined) continue
      const at = waiting.findIndex(({ name }) => name === functionResponse["name"])
      const [call] = at === -1 ? [] : waiting.splice(at, 1)
      for (const mark of marksIn(functionResponse, "D")) if (call?.mark !== undefined) pairs.push([mark, call.mark])
    }
    const calls = parts.flatMap(({ functionCall }) => functionCall === undefined ? [] : [functionCall])
    if (calls.length > 0) waiting = calls.map((call) => ({ name: call["name"], mark: marksIn(call, "C")[0] }))
  }
  return pairs
}

/** Which call each result has in a body: by id where the wire has ids. */
const pairsSent = (body: Body): ReadonlyMap<string, string> => {
  const calls = new Map<string, string>()
  const results = new Map<string, string>()
  const visit = (value: unknown): void => {
    if (typeof value !== "object" || value === null) return
    if (Array.isArray(value)) return value.forEach(visit)
    const one = value as { readonly [key: string]: unknown }
    const call = (one["function"] !== undefined && one["id"] !== undefined) || one["type"] === "tool_use" ||
      one["type"] === "function_call" || one["toolUseId"] !== undefined && one["input"] !== undefined ||
      one["args"] !== undefined && one["name"] !== undefined
    if (call) {
      const id = one["call_id"] ?? one["id"] ?? one["toolUseId"]
      const mark = marksIn(one, "C")[0]
      if (typeof id === "string" && mark !== undefined) calls.set(id, mark)
    }
    const answers = one["tool_call_id"] ?? one["tool_use_id"] ??
      (String(one["type"]).endsWith("call_output") ? one["call_id"] : undefined) ??
      (one["toolUseId"] !== undefined && one["input"] === undefined ? one["toolUseId"] : undefined) ??
      (one["response"] !== undefined ? one["id"] : undefined)
    if (typeof answers === "string") { for (const mark of marksIn(one, "D")) results.set(mark, answers) }
    Object.values(one).forEach(visit)
  }
  visit(body)
  const byId = [...results].flatMap(([mark, id]) => {
    const call = calls.get(id)
    return call === undefined ? [] : [[mark, call] as const]
  })
  return new Map([...byId, ...pairsInOrder(body)])
}

/** As a service of the target encodes it, with what is known of the model's family. */
export const encoded = ({ definition, model }: Target, request: LlmRequest.LlmRequest) =>
  spelled(definition, request, model, false, {
    provider: definition.id,
    id: model,
    capabilities: {},
    ...familyFacts(definition.id, model)
  })

export const judged = (target: Target, request: LlmRequest.LlmRequest): Verdict => {
  const issue = LlmRequest.validate(request)
  if (issue !== undefined) return { type: "refused", field: issue.field }
  const made = encoded(target, request)
  if ("field" in made) {
    if (made.message.length < 20) throw new Error(`refused without a fix: ${made.message}`)
    return { type: "refused", field: made.field }
  }
  const body = JSON.parse(jsonText(made.body)) as Body
  const problems = [...target.judge({ body, prefill: target.prefill === true }), ...illFormed(body)]
  if (problems.length > 0) return { type: "invalid", problems, body }
  const messages = LlmRequest.messagesOf(request)
  const sent = pairsSent(body)
  const astray = target.inWords === true ?
    [] :
    [...pairsIn(messages)].flatMap(([result, call]) =>
      sent.get(result) === call ? [] : [`${result} belongs to ${call}, was sent to ${sent.get(result)}`]
    )
  if (astray.length > 0) return { type: "astray", problems: astray, body }
  const told = made.warnings.some((warning) => warning.field === "messages")
  const all = jsonText(made.body)
  const lost = ["T", "D", "C"].flatMap((kind) => marksIn(messages, kind)).filter((mark) => !all.includes(mark))
  if (lost.length > 0 && !told) return { type: "lost", problems: lost, body }
  const results = ["D", "C"].flatMap((kind) => marksIn(messages, kind)).filter((mark) => !all.includes(mark))
  if (results.length > 0) return { type: "lost", problems: results, body }
  return { type: "accepted", body }
}
