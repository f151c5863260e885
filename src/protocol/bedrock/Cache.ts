/**
 * Cache points: blocks of their own that end a cached prefix, in tools, system prompt and messages.
 *
 * A request takes at most 4, and those of 1 hour only before those of 5 minutes, in this order:
 * https://docs.aws.amazon.com/bedrock/latest/userguide/prompt-caching.html
 *
 * @since 0.1.0
 */
import type { CacheOptions } from "../../LlmRequest.ts"
import type { Warning } from "../../LlmResponse.ts"
import type { CacheControl, JsonObject } from "../../Message.ts"
import { keptMarks } from "../Breakpoints.ts"
import { cacheable, type Entry } from "./Content.ts"
import type { Family } from "./Quirks.ts"

const limit = 4

/**
 * The parts of a request that can hold cache points.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Prompt {
  readonly tools: ReadonlyArray<Entry>
  readonly system: ReadonlyArray<Entry>
  readonly messages: ReadonlyArray<{ readonly role: "user" | "assistant"; readonly entries: ReadonlyArray<Entry> }>
}

const want = (entries: ReadonlyArray<Entry>, control: CacheControl): void => {
  const entry = entries.findLast(cacheable)
  if (entry !== undefined && entry.cache !== "extended") entry.cache = control
}

const wantOptions = (prompt: Prompt, options: CacheOptions): void => {
  const control: CacheControl = options.extendedTtl === true ? "extended" : "ephemeral"
  if (options.systemPrompt === true) want(prompt.system, control)
  if (options.tools === true) want(prompt.tools, control)
  let left = options.recentTurns ?? 0
  for (const message of prompt.messages.toReversed()) {
    if (left <= 0) return
    if (message.role !== "user") continue
    left--
    want(message.entries, control)
  }
}

/**
 * Decides which entries get a cache point: of more than 4, the last of the system prompt, the last of the tools, then
 * the latest in the messages. The others lose theirs.
 *
 * @stability experimental
 * @category encoding
 * @since 0.1.0
 */
export const placeCachePoints = (
  prompt: Prompt,
  options: CacheOptions | undefined,
  caching: Family["caching"],
  warnings: Array<Warning>
): void => {
  const warn = (message: string, field = "cache") => {
    warnings.push({ field, message })
  }
  if (options?.key !== undefined) warn("This wire has no cache key; it was left out.", "cache.key")
  if (options !== undefined) wantOptions(prompt, options)
  const wanted = (entries: ReadonlyArray<Entry>) => entries.filter((entry) => entry.cache !== undefined)
  let tools = wanted(prompt.tools)
  const system = wanted(prompt.system)
  const messages = prompt.messages.flatMap((message) => wanted(message.entries))
  const drop = (entries: ReadonlyArray<Entry>) => {
    for (const entry of entries) entry.cache = undefined
  }
  if (caching === "none" && tools.length + system.length + messages.length > 0) {
    warn("The model has no explicit prompt caching; cache points were left out.")
    return drop([...tools, ...system, ...messages])
  }
  if (caching === "not-in-tools" && tools.length > 0) {
    warn("The model caches no tools; their cache points were left out.")
    drop(tools)
    tools = []
  }
  const asked = [...tools, ...system, ...messages]
  if (asked.length > limit) {
    warn(`${asked.length} cache points were asked for; the API takes ${limit}, the others were left out.`)
    const kept = keptMarks({ tools, system, messages }, limit)
    drop(asked.filter((entry) => !kept.has(entry)))
  }
  let extended = false
  let raised = false
  for (const entry of [...tools, ...system, ...messages].toReversed()) {
    if (entry.cache === "extended") extended = true
    else if (entry.cache !== undefined && extended) {
      entry.cache = "extended"
      raised = true
    }
  }
  if (raised) warn("A 5-minute cache point stands before a 1-hour one, which the API refuses; it was raised to 1 hour.")
}

/**
 * The blocks with their cache points.
 *
 * @stability experimental
 * @category encoding
 * @since 0.1.0
 */
export const spelled = (entries: ReadonlyArray<Entry>): Array<JsonObject> =>
  entries.flatMap(({ block, cache }) =>
    cache === undefined
      ? [block]
      : [block, { cachePoint: { type: "default", ...(cache === "extended" ? { ttl: "1h" } : undefined) } }]
  )
