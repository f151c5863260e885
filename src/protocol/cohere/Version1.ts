/**
 * Reads answers of Cohere's Chat API v1, which gateways and older deployments still send, as those of v2.
 *
 * Text beside tool calls is the tool plan. Calls have no ids and object parameters.
 *
 * @see https://docs.cohere.com/v1/reference/chat
 * @since 0.1.0
 */
import { blank, type Fields, list, nonEmpty, record } from "../Probe.ts"

const callOf = (value: unknown) => {
  const call = record(value) ?? {}
  return { id: call["id"], type: "function", function: { name: call["name"], arguments: call["parameters"] } }
}

type Documents = ReadonlyMap<unknown, unknown>

/** Of several documents with one id the first counts. */
const documentsOf = (documents: ReadonlyArray<unknown>): Documents =>
  new Map(documents.toReversed().map((one) => [record(one)?.["id"], one]))

const none: Documents = new Map()

const citationOf = (value: unknown, documents: Documents) => {
  const citation = record(value) ?? {}
  const ids = list(citation["document_ids"])
  const sources = ids.map((id) => ({
    type: "document",
    id,
    document: documents.get(id)
  }))
  return { ...citation, sources }
}

const usageOf = (answer: Fields | undefined) => {
  const meta = record(answer?.["meta"])
  return meta === undefined
    ? undefined
    : { billed_units: meta["billed_units"], tokens: meta["tokens"], cached_tokens: meta["cached_tokens"] }
}

/**
 * Whether a body is a whole answer of v1.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const isWhole = (body: Fields): boolean =>
  typeof body["text"] === "string" &&
  (body["generation_id"] !== undefined || body["finish_reason"] !== undefined || body["meta"] !== undefined)

/**
 * A whole answer of v1 as one of v2.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const wholeOf = (body: Fields): Fields => {
  const calls = list(body["tool_calls"]).filter((one) => !blank(one))
  const text = nonEmpty(body["text"])
  const documents = documentsOf(list(body["documents"]))
  return {
    id: nonEmpty(body["generation_id"]) ?? body["response_id"],
    finish_reason: body["finish_reason"],
    message: {
      ...(text === undefined
        ? undefined
        : calls.length > 0
        ? { tool_plan: text }
        : { content: [{ type: "text", text }] }),
      tool_calls: calls.map(callOf),
      citations: list(body["citations"]).map((one) => citationOf(one, documents))
    },
    usage: usageOf(body)
  }
}

/**
 * An event of a v1 stream as events of v2; none for events that say nothing a v2 answer could hold.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const eventsOf = (event: Fields): ReadonlyArray<Fields> => {
  switch (event["event_type"]) {
    case "stream-start":
      return [{ type: "message-start", id: event["generation_id"] }]
    case "text-generation":
      return [{ type: "content-delta", index: 0, delta: { message: { content: { text: event["text"] } } } }]
    case "tool-calls-chunk":
      return [{ type: "tool-plan-delta", delta: { message: { tool_plan: event["text"] } } }]
    case "tool-calls-generation":
      return list(event["tool_calls"]).flatMap((call, index) => [
        { type: "tool-call-start", index, delta: { message: { tool_calls: callOf(call) } } },
        { type: "tool-call-end", index }
      ])
    case "citation-generation":
      return list(event["citations"]).map((one, index) => ({
        type: "citation-start",
        index,
        delta: { message: { citations: citationOf(one, none) } }
      }))
    case "stream-end": {
      const answer = record(event["response"])
      const error = nonEmpty(event["error"])
      return [{
        type: "message-end",
        delta: {
          finish_reason: event["finish_reason"] ?? answer?.["finish_reason"],
          usage: usageOf(answer),
          ...(error === undefined ? undefined : { error })
        }
      }]
    }
    default:
      return []
  }
}
