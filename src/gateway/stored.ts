/**
 * Answers of the Responses API that are kept, so that `previous_response_id` can name one: what was said up to it, bounded in number,
 * bytes and age, each client's apart.
 *
 * A provider is never asked for what another client left there: the conversation is sent whole. Reasoning goes along where it came
 * encrypted; without that it stays behind, and with it the ids of what followed it.
 * https://platform.openai.com/docs/guides/conversation-state
 *
 * @since 0.1.0
 */
import type { JsonObject } from "../Message.ts"
import * as Body from "../protocol/server/Json.ts"

/**
 * What was said up to an answer, and the answer.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Kept {
  readonly items: ReadonlyArray<JsonObject>
  readonly response: JsonObject
}

interface Entry extends Kept {
  readonly bytes: number
  readonly until: number
}

/**
 * Bounds of a store.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Bounds {
  readonly count: number
  readonly bytes: number
  readonly millis: number
}

/** Items of an answer as they can be sent back. */
const returnable = (output: ReadonlyArray<JsonObject>): ReadonlyArray<JsonObject> => {
  const lost = output.some((item) => item["type"] === "reasoning" && typeof item["encrypted_content"] !== "string")
  if (!lost) return output
  return output
    .filter((item) => item["type"] !== "reasoning" || typeof item["encrypted_content"] === "string")
    .map((item) => Object.fromEntries(Object.entries(item).filter(([name]) => name !== "id")))
}

/**
 * The input of a request as items.
 *
 * @stability experimental
 * @category reading
 * @since 0.1.0
 */
export const itemsOf = (input: unknown): ReadonlyArray<JsonObject> =>
  typeof input === "string"
    ? [{ type: "message", role: "user", content: [{ type: "input_text", text: input }] }]
    : Body.array(input).map(Body.object).map(Body.asJson)

/**
 * A store of answers.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export class Stored {
  private readonly entries = new Map<string, Entry>()
  private readonly bounds: Bounds
  private bytes = 0

  constructor(bounds: Bounds) {
    this.bounds = bounds
  }

  get size(): number {
    return this.entries.size
  }

  /** What a client's id stands for; `now` in milliseconds. */
  get(client: string, id: string, now: number): Kept | undefined {
    const key = keyOf(client, id)
    const found = this.entries.get(key)
    if (found === undefined) return undefined
    if (found.until > now) return found
    this.forget(key, found)
    return undefined
  }

  /** Keeps an answer, and what it answers; the oldest go. What is larger than the store is not kept. */
  keep(client: string, input: ReadonlyArray<JsonObject>, response: JsonObject, now: number): void {
    const { id, output } = response
    if (typeof id !== "string" || this.bounds.count === 0) return
    const items = [...input, ...returnable(Body.array(output).map(Body.object).map(Body.asJson))]
    const bytes = 2 * (JSON.stringify(items).length + JSON.stringify(response).length)
    if (bytes > this.bounds.bytes) return
    this.delete(client, id)
    this.entries.set(keyOf(client, id), { items, response, bytes, until: now + this.bounds.millis })
    this.bytes += bytes
    for (const [key, entry] of this.entries) {
      const full = this.entries.size > this.bounds.count || this.bytes > this.bounds.bytes
      if (!full && entry.until > now) return
      this.forget(key, entry)
    }
  }

  /** Forgets an answer; says whether there was one. */
  delete(client: string, id: string): boolean {
    const key = keyOf(client, id)
    const found = this.entries.get(key)
    if (found !== undefined) this.forget(key, found)
    return found !== undefined
  }

  private forget(key: string, { bytes }: Entry): void {
    this.entries.delete(key)
    this.bytes -= bytes
  }
}

/** No name of a client has a line break. */
const keyOf = (client: string, id: string): string => `${client}\n${id}`
