/**
 * The request body of Ollama's native chat API, as far as this wire writes it. A test holds it against the official
 * client's types; what a caller adds through `providerOptions` comes on top as plain JSON. Tools in the server's own words
 * (`Opaque`) travel unchanged.
 *
 * @see https://docs.ollama.com/api/chat
 * @since 0.1.0
 */
import type { JsonObject } from "../../Message.ts"

/**
 * A tool call of an earlier turn. The arguments are an object on this wire.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface WireToolCall {
  id?: string
  function: { name: string; arguments: JsonObject }
}

/** @stability experimental @category models @since 0.1.0 */
export interface WireMessage {
  role: "system" | "user" | "assistant" | "tool"
  content: string
  thinking?: string
  /** Base64 without a data-URL prefix. */
  images?: Array<string>
  tool_calls?: Array<WireToolCall>
  tool_name?: string
  tool_call_id?: string
}

/** @stability experimental @category models @since 0.1.0 */
export interface WireTool {
  type: "function"
  function: { name: string; description?: string; parameters: JsonObject }
}

/**
 * Options of the model runner: https://docs.ollama.com/modelfile#valid-parameters-and-values
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface WireOptions {
  num_predict?: number
  temperature?: number
  top_p?: number
  top_k?: number
  seed?: number
  stop?: Array<string>
  frequency_penalty?: number
  presence_penalty?: number
}

/**
 * A request body.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Body<Opaque = JsonObject, Think = boolean | "low" | "medium" | "high"> {
  /** Name of the model, with its tag. */
  model: string
  /** The conversation, system messages included. */
  messages: Array<WireMessage>
  /** Whether the answer is a stream. */
  stream: boolean
  /** Tools of the application. */
  tools?: Array<WireTool | Opaque>
  /** Any JSON, or a JSON Schema that the answer is held to. @default text */
  format?: "json" | JsonObject
  /** Whether the model thinks, or how much. */
  think?: Think
  /** Asks for log probabilities of the tokens. */
  logprobs?: boolean
  /** How many alternatives per token. */
  top_logprobs?: number
  /** Sampling and runner options: https://docs.ollama.com/modelfile */
  options?: WireOptions
}
