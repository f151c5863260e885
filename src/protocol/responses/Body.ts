/**
 * The request body of the Responses API, as far as this wire writes it. A test holds it against the official SDK's
 * types. Items and tools in the caller's or the host's own words (`Opaque`) travel unchanged.
 *
 * @see https://platform.openai.com/docs/api-reference/responses/create
 * @since 0.1.0
 */
import type { JsonObject } from "../../Message.ts"

/** @stability experimental @category models @since 0.1.0 */
export interface Cached {
  prompt_cache_breakpoint?: { mode: "explicit"; ttl?: "30m" | "12h" }
}

/** @stability experimental @category models @since 0.1.0 */
export type InputContent =
  & Cached
  & (
    | { type: "input_text"; text: string }
    | { type: "input_image"; detail: "auto" | "low" | "high"; image_url?: string; file_id?: string }
    | { type: "input_file"; file_data?: string; file_id?: string; file_url?: string; filename?: string }
  )

/** @stability experimental @category models @since 0.1.0 */
export type OutputContent =
  | { type: "output_text"; text: string; annotations: Array<never> }
  | { type: "refusal"; refusal: string }

/** @stability experimental @category models @since 0.1.0 */
export type Phase = "commentary" | "final_answer"

/** @stability experimental @category models @since 0.1.0 */
export type InputItem =
  | { role: "user" | "system" | "developer"; content: string | Array<InputContent> }
  | { role: "assistant"; content: string; phase?: Phase }
  | {
    type: "message"
    id: string
    role: "assistant"
    status: "completed"
    content: Array<OutputContent>
    phase?: Phase
  }
  | {
    type: "reasoning"
    id: string
    summary: Array<{ type: "summary_text"; text: string }>
    content?: Array<{ type: "reasoning_text"; text: string }>
    encrypted_content?: string
  }
  | { type: "function_call"; id?: string; call_id: string; name: string; arguments: string; namespace?: string }
  | { type: "custom_tool_call"; id?: string; call_id: string; name: string; input: string; namespace?: string }
  | { type: "function_call_output"; call_id: string; output: string | Array<InputContent> }
  | { type: "custom_tool_call_output"; call_id: string; output: string | Array<InputContent> }

/** @stability experimental @category models @since 0.1.0 */
export type WireTool =
  | {
    type: "function"
    name: string
    description?: string
    parameters: { [key: string]: unknown }
    strict: boolean
  }
  | {
    type: "custom"
    name: string
    description?: string
    format?: { type: "text" } | { type: "grammar"; definition: string; syntax: "lark" | "regex" }
  }

/** @stability experimental @category models @since 0.1.0 */
export type WireToolChoice =
  | "auto"
  | "none"
  | "required"
  | { type: "function"; name: string }
  | { type: "custom"; name: string }

/** @stability experimental @category models @since 0.1.0 */
export type WireFormat =
  | { type: "json_object" }
  | {
    type: "json_schema"
    name: string
    description?: string
    schema: { [key: string]: unknown }
    strict: boolean
  }

/** @stability experimental @category models @since 0.1.0 */
export type Effort = "none" | "minimal" | "low" | "medium" | "high" | "xhigh" | "max"

/**
 * A request body for OpenAI itself.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Body<Opaque = JsonObject> {
  model: string
  input: Array<InputItem | Opaque>
  stream: boolean
  instructions?: string
  store?: boolean
  include?: Array<"reasoning.encrypted_content" | "message.output_text.logprobs">
  max_output_tokens?: number
  temperature?: number
  top_p?: number
  top_logprobs?: number
  tools?: Array<WireTool | Opaque>
  tool_choice?: WireToolChoice | Opaque
  parallel_tool_calls?: boolean
  text?: { format?: WireFormat }
  reasoning?: { effort?: Effort; summary?: "auto" | "concise" | "detailed" }
  prompt_cache_key?: string
  prompt_cache_retention?: "24h"
  prompt_cache_options?: { ttl: "12h" }
}
