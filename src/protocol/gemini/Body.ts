/**
 * The request body of the Gemini wire, as far as this library spells it: https://ai.google.dev/api/generate-content#request-body
 *
 * Parts and tools that travel unchanged are `Opaque`. A type test holds `Body<never>` to the official SDK's types.
 *
 * @since 0.1.0
 */
import type { Json, JsonObject } from "../../Message.ts"

/** @stability experimental @category models @since 0.1.0 */
export type Blob = { mimeType: string; data: string }

/** @stability experimental @category models @since 0.1.0 */
export type FileData = { fileUri: string; mimeType?: string }

/** @stability experimental @category models @since 0.1.0 */
export type MediaPart = { inlineData: Blob; thoughtSignature?: string } | {
  fileData: FileData
  thoughtSignature?: string
}

/** @stability experimental @category models @since 0.1.0 */
export type TextPart = { text: string; thought?: boolean; thoughtSignature?: string }

/** @stability experimental @category models @since 0.1.0 */
export type CallPart = {
  functionCall: { id?: string; name: string; args: { [key: string]: Json } }
  thoughtSignature?: string
}

/** @stability experimental @category models @since 0.1.0 */
export type ResultPart = {
  functionResponse: {
    id?: string
    name: string
    response: { [key: string]: Json }
    parts?: Array<{ inlineData: Blob } | { fileData: FileData }>
  }
}

/**
 * Any part of a turn.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export type BodyPart<Opaque = JsonObject> = TextPart | MediaPart | CallPart | ResultPart | Opaque

/**
 * One turn.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export type Content<Opaque = JsonObject> = { role: "user" | "model"; parts: Array<BodyPart<Opaque>> }

/**
 * A tool that the application runs.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export type FunctionDeclaration = {
  name: string
  description?: string
  parametersJsonSchema?: JsonObject
  parameters?: JsonObject
}

/** @stability experimental @category models @since 0.1.0 */
export type BodyTool<Opaque = JsonObject> = { functionDeclarations: Array<FunctionDeclaration> } | Opaque

/** @stability experimental @category models @since 0.1.0 */
export type ToolConfig = {
  functionCallingConfig: { mode: "AUTO" | "ANY" | "NONE" | "VALIDATED"; allowedFunctionNames?: Array<string> }
}

/**
 * How to think: a level or a budget, never both.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export type ThinkingConfig = { includeThoughts?: boolean; thinkingLevel?: string; thinkingBudget?: number }

/** @stability experimental @category models @since 0.1.0 */
export type GenerationConfig = {
  maxOutputTokens?: number
  temperature?: number
  topP?: number
  topK?: number
  seed?: number
  stopSequences?: Array<string>
  presencePenalty?: number
  frequencyPenalty?: number
  responseLogprobs?: boolean
  logprobs?: number
  responseMimeType?: string
  responseJsonSchema?: JsonObject
  responseSchema?: JsonObject
  thinkingConfig?: ThinkingConfig
}

/**
 * The body. The model is in the path.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export type Body<Opaque = JsonObject> = {
  /** Turns of user and model. */
  contents: Array<Content<Opaque>>
  /** The system prompt. */
  systemInstruction?: {
    /** Its texts. */
    parts: Array<TextPart>
  }
  /** Tools of the application and of Google. */
  tools?: Array<BodyTool<Opaque>>
  /** Whether a function must be called, and which. */
  toolConfig?: ToolConfig
  /** Sampling, limits, thinking and the form of the answer. */
  generationConfig?: GenerationConfig
}
