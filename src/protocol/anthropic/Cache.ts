/**
 * Cache breakpoints: which blocks end a cached prefix, and for how long.
 *
 * The API takes at most 4, none on thinking, and entries of 1 hour only before those of 5 minutes in the order tools,
 * system, messages: https://platform.claude.com/docs/en/build-with-claude/prompt-caching
 *
 * @since 0.1.0
 */
import type { CacheOptions } from "../../LlmRequest.ts"
import type { Warning } from "../../LlmResponse.ts"
import type { CacheControl, JsonObject } from "../../Message.ts"
import { keptMarks } from "../Breakpoints.ts"
import type { Body, BodyTool, CacheableBlock, CacheMark, ContentBlock } from "./Body.ts"
import type { Quirks } from "./Quirks.ts"

/**
 * Something that can carry a breakpoint.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export type Markable = CacheableBlock | BodyTool | JsonObject

/**
 * Breakpoints asked for, by block.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export type Wanted = Map<Markable, CacheControl>

const limit = 4

/**
 * Whether a block can have a breakpoint.
 *
 * @stability experimental
 * @category guards
 * @since 0.1.0
 */
export const cacheable = (block: ContentBlock): block is CacheableBlock => {
  const type = block["type"]
  return type === "text" || type === "image" || type === "document" || type === "tool_use" || type === "tool_result"
}

/**
 * Asks for a breakpoint at a block; one for a longer time that was asked for before stands.
 *
 * @stability experimental
 * @category encoding
 * @since 0.1.0
 */
export const want = (wanted: Wanted, block: Markable, control: CacheControl): void => {
  if (wanted.get(block) !== "extended") wanted.set(block, control)
}

const wantLast = (wanted: Wanted, blocks: ReadonlyArray<ContentBlock>, control: CacheControl): void => {
  const block = blocks.findLast(cacheable)
  if (block !== undefined) want(wanted, block, control)
}

const wantOptions = (body: Body, wanted: Wanted, options: CacheOptions): void => {
  const control: CacheControl = options.extendedTtl === true ? "extended" : "ephemeral"
  if (options.systemPrompt === true) wantLast(wanted, body.system ?? [], control)
  const tool = body.tools?.at(-1)
  if (options.tools === true && tool !== undefined) want(wanted, tool, control)
  let left = options.recentTurns ?? 0
  for (let i = body.messages.length - 1; i >= 0 && left > 0; i--) {
    const message = body.messages[i]!
    if (message.role !== "user") continue
    left--
    wantLast(wanted, message.content, control)
  }
}

/**
 * Puts the breakpoints into the body. Of more than 4, those kept are the last of the system prompt, the last of the tools,
 * then the latest in the messages.
 *
 * @stability experimental
 * @category encoding
 * @since 0.1.0
 */
export const placeBreakpoints = (
  body: Body,
  wanted: Wanted,
  options: CacheOptions | undefined,
  quirks: Quirks,
  warnings: Array<Warning>
): void => {
  if (options !== undefined) wantOptions(body, wanted, options)
  if (wanted.size === 0) return
  if (quirks.promptCaching === false) {
    warnings.push({
      field: "cache",
      message: "This provider has no explicit prompt caching; breakpoints were left out."
    })
    return
  }
  const has = (block: Markable) => wanted.has(block)
  const tools = (body.tools ?? []).filter(has)
  const system = (body.system ?? []).filter(has)
  const messages = body.messages.flatMap((message) => message.content.filter(has))
  const asked = tools.length + system.length + messages.length
  if (asked > limit) {
    warnings.push({
      field: "cache",
      message: `${asked} cache breakpoints were asked for; the API takes ${limit}, the others were left out.`
    })
  }
  const kept = keptMarks({ tools, system, messages }, limit)
  const marks = new Map<Markable, CacheMark>()
  let extended = false
  let raised = false
  for (const block of [...tools, ...system, ...messages].toReversed()) {
    if (!kept.has(block)) continue
    if (wanted.get(block) === "extended") extended = true
    else if (extended) raised = true
    marks.set(
      block,
      extended && quirks.extendedCacheTtl !== false ? { type: "ephemeral", ttl: "1h" } : { type: "ephemeral" }
    )
  }
  if (extended && quirks.extendedCacheTtl === false) {
    warnings.push({ field: "cache", message: "This provider keeps cache entries 5 minutes, not 1 hour." })
  } else if (raised) {
    warnings.push({
      field: "cache",
      message: "A 5-minute breakpoint stands before a 1-hour one, which the API refuses; it was raised to 1 hour."
    })
  }
  for (const [block, mark] of marks) (block as { cache_control?: CacheMark }).cache_control = mark
}
