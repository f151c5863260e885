/**
 * The request body of Cohere's Chat API v2, as far as this wire writes it. A test holds it against the official SDK's
 * types; what a caller adds through `providerOptions` comes on top as plain JSON. Tools in the API's own words (`Opaque`)
 * travel unchanged.
 *
 * @see https://docs.cohere.com/reference/chat
 * @since 0.1.0
 */
import type { JsonObject } from "../../Message.ts"

/** @stability experimental @category models @since 0.1.0 */
export type TextContent = { type: "text"; text: string }

/** @stability experimental @category models @since 0.1.0 */
export type UserContent =
  | TextContent
  | { type: "image_url"; image_url: { url: string; detail?: "auto" | "low" | "high" } }

/** @stability experimental @category models @since 0.1.0 */
export type AssistantContent = TextContent | { type: "thinking"; thinking: string }

/** @stability experimental @category models @since 0.1.0 */
export interface WireDocument {
  id?: string
  data: { [field: string]: string }
}

/** @stability experimental @category models @since 0.1.0 */
export type ToolContent = TextContent | { type: "document"; document: WireDocument }

/** @stability experimental @category models @since 0.1.0 */
export interface WireToolCall {
  id: string
  type: "function"
  function: { name: string; arguments: string }
}

/** @stability experimental @category models @since 0.1.0 */
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

/** @stability experimental @category models @since 0.1.0 */
export interface WireTool {
  type: "function"
  function: { name: string; description?: string; parameters: { [key: string]: unknown } }
}

/**
 * A request body.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Body<Opaque = JsonObject> {
  /** Id of the model. */
  model: string
  /** The conversation, system messages included. */
  messages: Array<WireMessage>
  /** Whether the answer is a stream. */
  stream: boolean
  /** Documents to ground the answer in and to cite. */
  documents?: Array<WireDocument>
  /** Most output tokens. */
  max_tokens?: number
  /** 0 and up; lower is less random. */
  temperature?: number
  /** Nucleus sampling, from 0.01 to 0.99. */
  p?: number
  /** Samples among so many of the likeliest tokens only; 0 for all. */
  k?: number
  /** 0 to 1; makes tokens less likely the more often they occurred. */
  frequency_penalty?: number
  /** 0 to 1; makes tokens less likely once they occurred. */
  presence_penalty?: number
  /** For repeatable sampling, as far as the host can. */
  seed?: number
  /** Texts that end the answer, five at most. */
  stop_sequences?: Array<string>
  /** Asks for log probabilities of the tokens. */
  logprobs?: boolean
  /** Tools of the application. */
  tools?: Array<WireTool | Opaque>
  /** Holds the model to the schemas of all tools. */
  strict_tools?: boolean
  /** Whether a tool must or must not be called; left out for both. */
  tool_choice?: "REQUIRED" | "NONE"
  /** The form of the answer. */
  response_format?: {
    type: "json_object"
    /** The schema that the answer is held to. @default any JSON object */
    json_schema?: { [key: string]: unknown }
  }
  /** Whether the model thinks, and how much. */
  thinking?: {
    type: "enabled" | "disabled"
    /** Most tokens to think. */
    token_budget?: number
  }
}
