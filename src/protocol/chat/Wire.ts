/**
 * The request body of OpenAI's own Chat Completions API, as far as this wire writes it. A test holds it against the
 * official SDK's types; what only other hosts know is added to the finished body as plain JSON.
 *
 * Tools in the host's own words (`Opaque`) travel unchanged.
 *
 * @see https://platform.openai.com/docs/api-reference/chat/create
 * @since 0.1.0
 */
import type { JsonObject } from "../../Message.ts"

/**
 * A text part.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export type TextContent = { type: "text"; text: string }

/**
 * A part of a user message.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export type Content =
  | TextContent
  | { type: "image_url"; image_url: { url: string; detail?: "auto" | "low" | "high" } }
  | { type: "input_audio"; input_audio: { data: string; format: "wav" | "mp3" } }
  | { type: "file"; file: { file_data?: string; file_id?: string; filename?: string } }

/**
 * A tool call of an assistant message.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export type Call =
  | { id: string; type: "function"; function: { name: string; arguments: string } }
  | { id: string; type: "custom"; custom: { name: string; input: string } }

/**
 * A message of any role.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export type WireMessage =
  | { role: "system" | "developer"; content: string | Array<TextContent> }
  | { role: "user"; content: string | Array<Content> }
  | { role: "assistant"; content?: string | Array<TextContent> | null; tool_calls?: Array<Call> }
  | { role: "tool"; tool_call_id: string; content: string | Array<TextContent> }

/**
 * A tool the model may call.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export type WireTool =
  | {
    type: "function"
    function: { name: string; description?: string; parameters: { [key: string]: unknown }; strict?: boolean }
  }
  | {
    type: "custom"
    custom: {
      name: string
      description?: string
      format?: { type: "text" } | { type: "grammar"; grammar: { definition: string; syntax: "lark" | "regex" } }
    }
  }

/**
 * Which tool the model may or must call.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export type WireToolChoice =
  | "auto"
  | "none"
  | "required"
  | { type: "function"; function: { name: string } }
  | { type: "custom"; custom: { name: string } }

/**
 * The form of the answer.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export type WireFormat =
  | { type: "json_object" }
  | {
    type: "json_schema"
    json_schema: { name: string; description?: string; schema: { [key: string]: unknown }; strict?: boolean }
  }

/**
 * A request body for OpenAI itself.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Body<Opaque = JsonObject> {
  model: string
  messages: Array<WireMessage>
  stream: boolean
  stream_options?: { include_usage: boolean }
  max_completion_tokens?: number
  max_tokens?: number
  temperature?: number
  top_p?: number
  frequency_penalty?: number
  presence_penalty?: number
  stop?: Array<string>
  seed?: number
  logprobs?: boolean
  top_logprobs?: number
  tools?: Array<WireTool | Opaque>
  tool_choice?: WireToolChoice
  parallel_tool_calls?: boolean
  response_format?: WireFormat
  reasoning_effort?: "none" | "minimal" | "low" | "medium" | "high" | "xhigh" | "max"
  prompt_cache_key?: string
  prompt_cache_retention?: "24h"
}
