/**
 * The request body of the Anthropic wire, as far as this library spells it:
 * https://platform.claude.com/docs/en/api/messages/create
 *
 * Blocks and tools that travel unchanged are `Opaque`. A type test holds `Body<never>` to the official SDK's
 * parameters.
 *
 * @since 0.1.0
 */
import type { Json, JsonObject } from "../../Message.ts"

/**
 * Ends a cached prefix.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export type CacheMark = { type: "ephemeral"; ttl?: "5m" | "1h" }

/**
 * Text.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export type TextBlock<Opaque = JsonObject> = {
  type: "text"
  text: string
  citations?: Array<Opaque>
  cache_control?: CacheMark
}

/**
 * Image formats the API takes.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export type ImageMediaType = "image/jpeg" | "image/png" | "image/gif" | "image/webp"

/**
 * An image.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export type ImageBlock = {
  type: "image"
  source:
    | { type: "base64"; media_type: ImageMediaType; data: string }
    | { type: "url"; url: string }
    | { type: "file"; file_id: string }
  cache_control?: CacheMark
}

/**
 * A PDF or a text.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export type DocumentBlock = {
  type: "document"
  source:
    | { type: "base64"; media_type: "application/pdf"; data: string }
    | { type: "text"; media_type: "text/plain"; data: string }
    | { type: "url"; url: string }
    | { type: "file"; file_id: string }
  title?: string
  citations?: { enabled: boolean }
  cache_control?: CacheMark
}

/**
 * A call of the model, replayed.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export type ToolUseBlock<Opaque = JsonObject> = {
  type: "tool_use"
  id: string
  name: string
  input: JsonObject
  caller?: Opaque
  toolset_name?: string
  cache_control?: CacheMark
}

/**
 * The answer to a call.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export type ToolResultBlock<Opaque = JsonObject> = {
  type: "tool_result"
  tool_use_id: string
  content?: string | Array<TextBlock<Opaque> | ImageBlock | DocumentBlock>
  is_error?: boolean
  cache_control?: CacheMark
}

/**
 * Reasoning, replayed. Never a cache breakpoint.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export type ThinkingBlock =
  | { type: "thinking"; thinking: string; signature: string }
  | { type: "redacted_thinking"; data: string }

/**
 * Blocks that can end a cached prefix.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export type CacheableBlock<Opaque = JsonObject> =
  | TextBlock<Opaque>
  | ImageBlock
  | DocumentBlock
  | ToolUseBlock<Opaque>
  | ToolResultBlock<Opaque>

/**
 * Any block of a message.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export type ContentBlock<Opaque = JsonObject> = CacheableBlock<Opaque> | ThinkingBlock | Opaque

/**
 * One turn.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export type BodyMessage<Opaque = JsonObject> = { role: "user" | "assistant"; content: Array<ContentBlock<Opaque>> }

/**
 * A tool that the application runs.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export type BodyTool = {
  name: string
  description?: string
  input_schema: JsonObject & { type: "object"; required?: Array<string> }
  strict?: boolean
  cache_control?: CacheMark
}

/**
 * Efforts the API knows.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export type Effort = "low" | "medium" | "high" | "xhigh" | "max"

/**
 * How to think.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export type Thinking = { type: "adaptive" } | { type: "enabled"; budget_tokens: number } | { type: "disabled" }

/**
 * The choice among tools.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export type BodyToolChoice =
  | { type: "auto" | "any"; disable_parallel_tool_use?: boolean }
  | { type: "tool"; name: string; disable_parallel_tool_use?: boolean }
  | { type: "none" }

/**
 * The body.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export type Body<Opaque = JsonObject> = {
  /** Id of the model, or of a deployment where the host names models so. */
  model: string
  /** Most output tokens, thinking included; the API requires it. */
  max_tokens: number
  /** The system prompt in blocks, so that any of them can end a cached prefix. */
  system?: Array<TextBlock<Opaque>>
  /** Turns of user and assistant, which alternate. */
  messages: Array<BodyMessage<Opaque>>
  /** Tools of the application and of Anthropic. */
  tools?: Array<BodyTool | Opaque>
  /** Whether a tool must be called, and how many at once. */
  tool_choice?: BodyToolChoice
  /** Extended thinking: https://platform.claude.com/docs/en/build-with-claude/extended-thinking */
  thinking?: Thinking
  /** Effort, and the schema that the answer is held to. */
  output_config?: {
    /** How thorough the answer is to be. */
    effort?: Effort
    /** The schema that the answer is held to. */
    format?: {
      type: "json_schema"
      /** JSON Schema in the dialect that Anthropic takes. */
      schema: { [key: string]: Json }
    }
  }
  /** 0 to 1. */
  temperature?: number
  /** Nucleus sampling, above 0 and up to 1. */
  top_p?: number
  /** Samples among so many of the likeliest tokens only. */
  top_k?: number
  /** Texts that end the answer. */
  stop_sequences?: Array<string>
  /** Whether the answer is a stream. */
  stream?: boolean
}
