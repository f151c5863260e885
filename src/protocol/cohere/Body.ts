/**
 * The request body of Cohere's Chat API v2, as far as this wire writes it. A test holds it against the official SDK's
 * types; what a caller adds through `providerOptions` comes on top as plain JSON. Tools in the API's own words (`Opaque`)
 * travel unchanged.
 *
 * @see https://docs.cohere.com/reference/chat
 * @since 0.1.0
 */
import type { JsonObject } from "../../Message.ts"

/** @category models @since 0.1.0 */
export type TextContent = { type: "text"; text: string }

/** @category models @since 0.1.0 */
export type UserContent =
  | TextContent
  | { type: "image_url"; image_url: { url: string; detail?: "auto" | "low" | "high" } }

/** @category models @since 0.1.0 */
export type AssistantContent = TextContent | { type: "thinking"; thinking: string }

/** @category models @since 0.1.0 */
export interface WireDocument {
  id?: string
  data: { [field: string]: string }
}

/** @category models @since 0.1.0 */
export type ToolContent = TextContent | { type: "document"; document: WireDocument }

/** @category models @since 0.1.0 */
export interface WireToolCall {
  id: string
  type: "function"
  function: { name: string; arguments: string }
}

/** @category models @since 0.1.0 */
export type WireMessage =
  | { role: "system"; content: string }
  | { role: "user"; content: string | Array<UserContent> }
  | {
    role: "assistant"
    content?: string | Array<AssistantContent>
    tool_plan?: string
    tool_calls?: Array<WireToolCall>
  }
  | { role: "tool"; tool_call_id: string; content: string | Array<ToolContent> }

/** @category models @since 0.1.0 */
export interface WireTool {
  type: "function"
  function: { name: string; description?: string; parameters: { [key: string]: unknown } }
}

/**
 * A request body.
 *
 * @category models
 * @since 0.1.0
 */
export interface Body<Opaque = JsonObject> {
  model: string
  messages: Array<WireMessage>
  stream: boolean
  documents?: Array<WireDocument>
  max_tokens?: number
  temperature?: number
  p?: number
  k?: number
  frequency_penalty?: number
  presence_penalty?: number
  seed?: number
  stop_sequences?: Array<string>
  logprobs?: boolean
  tools?: Array<WireTool | Opaque>
  strict_tools?: boolean
  tool_choice?: "REQUIRED" | "NONE"
  response_format?: { type: "json_object"; json_schema?: { [key: string]: unknown } }
  thinking?: { type: "enabled" | "disabled"; token_budget?: number }
}
