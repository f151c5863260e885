/**
 * Which event and which delta a frame is, where a host left their types out: told by the members that are filled.
 *
 * @since 0.1.0
 */
import { blank, type JsonFields, nonEmpty, record } from "../Probe.ts"

/** The fields of deltas, and the type of the delta that has each. */
const deltaFields = [
  ["text", "text_delta"],
  ["thinking", "thinking_delta"],
  ["partial_json", "input_json_delta"],
  ["signature", "signature_delta"],
  ["citation", "citations_delta"]
] as const

/**
 * The type of a delta.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const deltaType = (delta: JsonFields): string | undefined => {
  const type = nonEmpty(delta["type"])
  if (type !== undefined) return type
  const field = deltaFields.find(([name]) => !blank(delta[name])) ?? deltaFields.find(([name]) => name in delta)
  return field?.[1]
}

/**
 * The type of a frame whose event name says nothing.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const inferType = (frame: JsonFields): string | undefined => {
  const present = [frame["message"], frame["content_block"], frame["delta"]].map(record)
  const filled = present.findIndex((one) => one !== undefined && !blank(one))
  const at = filled === -1 ? present.findIndex((one) => one !== undefined) : filled
  if (at < 2) return at === 0 ? "message_start" : at === 1 ? "content_block_start" : undefined
  const delta = present[at]!
  return "stop_reason" in delta && (!blank(delta["stop_reason"]) || deltaType(delta) === undefined)
    ? "message_delta"
    : "content_block_delta"
}
