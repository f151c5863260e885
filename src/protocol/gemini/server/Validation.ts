/**
 * What the Gemini API refuses, in its own words: the mistakes a client would make.
 *
 * https://ai.google.dev/api/generate-content and the messages of the API itself. Fields are accepted in snake case as
 * well, but only those in lower camel case are judged.
 *
 * @since 0.1.0
 */
import type { ErrorDetails, Incoming, Operation } from "../../Server.ts"
import * as Json from "../../server/Json.ts"

const invalid = (message: string): ErrorDetails => ({ status: 400, type: "INVALID_ARGUMENT", message })

const bodyFields = new Set([
  "model",
  "contents",
  "systemInstruction",
  "tools",
  "toolConfig",
  "generationConfig",
  "safetySettings",
  "cachedContent",
  "labels",
  "serviceTier",
  "generateContentRequest"
])

const configFields = new Set([
  "maxOutputTokens",
  "temperature",
  "topP",
  "topK",
  "seed",
  "stopSequences",
  "candidateCount",
  "presencePenalty",
  "frequencyPenalty",
  "responseLogprobs",
  "logprobs",
  "responseMimeType",
  "responseSchema",
  "responseJsonSchema",
  "responseModalities",
  "thinkingConfig",
  "speechConfig",
  "imageConfig",
  "mediaResolution",
  "enableEnhancedCivicAnswers",
  "audioTimestamp",
  "routingConfig"
])

const partFields = [
  "text",
  "inlineData",
  "fileData",
  "functionCall",
  "functionResponse",
  "executableCode",
  "codeExecutionResult",
  "toolCall",
  "toolResponse"
]

const camel = (name: string): string => name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())

const unknownField = (fields: Json.JsonObject, known: ReadonlySet<string>, at: string): string | undefined => {
  const name = Object.keys(fields).find((field) => !known.has(camel(field)))
  if (name === undefined) return undefined
  const where = at === "" ? "" : ` at '${at}'`
  return `Invalid JSON payload received. Unknown name "${name}"${where}: Cannot find field.`
}

/**
 * The error the API would report, `undefined` for a proper request.
 *
 * @stability experimental
 * @category validation
 * @since 0.1.0
 */
export const validate = (request: Incoming, operation: Operation): ErrorDetails | undefined => {
  if (operation === "models" || operation === "model") return undefined
  if (!Json.isObject(request.body)) return invalid("Invalid JSON payload received. Unexpected end of string.")
  const body = request.body
  const message = unknownField(body, bodyFields, "") ?? checkContents(body, operation) ?? checkTools(body) ??
    checkConfig(Json.object(body.generationConfig))
  return message === undefined ? undefined : invalid(message)
}

// =============================================================================
// Contents
// =============================================================================

const checkContents = (body: Json.JsonObject, operation: Operation): string | undefined => {
  if (operation === "countTokens" && body.contents === undefined) return undefined
  const contents = Json.array(body.contents).map(Json.object)
  if (contents.length === 0) return "* GenerateContentRequest.contents: contents is not specified\n"
  for (const [index, { parts, role }] of contents.entries()) {
    if (role !== undefined && role !== "user" && role !== "model") return "Please use a valid role: user, model."
    const list = Json.array(parts).map(Json.object)
    if (list.length === 0) {
      return `* GenerateContentRequest.contents[${index}].parts: contents.parts must not be empty.\n`
    }
    for (const [at, part] of list.entries()) {
      const kinds = partFields.filter((name) => part[name] !== undefined)
      if (kinds.length === 0) {
        return `* GenerateContentRequest.contents[${index}].parts[${at}].data: required oneof field 'data' must have one initialized field\n`
      }
      if (kinds.length > 1) {
        return `Invalid value at 'contents[${index}].parts[${at}]' (oneof), oneof field 'data' is already set. Cannot set '${
          kinds[1]
        }'`
      }
      const bad = checkPart(part, `contents[${index}].parts[${at}]`)
      if (bad !== undefined) return bad
    }
  }
  return checkCallPairs(contents)
}

const base64 = /^[A-Za-z0-9+/_-]+={0,2}$/

const checkPart = (part: Json.JsonObject, at: string): string | undefined => {
  const signature = part.thoughtSignature
  if (signature !== undefined && !base64.test(Json.string(signature))) {
    return `Invalid value at '${at}.thought_signature' (TYPE_BYTES), Base64 decoding failed for "${String(signature)}"`
  }
  const response = Json.object(part.functionResponse)
  if (part.functionResponse !== undefined) {
    if (Json.string(response.name) === "") {
      return `* GenerateContentRequest.${at}.function_response.name: Name cannot be empty.\n`
    }
    if (!Json.isObject(response.response)) {
      return `Invalid value at '${at}.function_response.response' (type.googleapis.com/google.protobuf.Struct)`
    }
  }
  const call = Json.object(part.functionCall)
  if (part.functionCall === undefined) return undefined
  if (Json.string(call.name) === "") {
    return `* GenerateContentRequest.${at}.function_call.name: Name cannot be empty.\n`
  }
  return call.args === undefined || Json.isObject(call.args)
    ? undefined
    : `Invalid value at '${at}.function_call.args' (type.googleapis.com/google.protobuf.Struct)`
}

const countOf = (content: Json.JsonObject | undefined, kind: string): number =>
  Json.array(content?.parts).filter((part) => Json.object(part)[kind] !== undefined).length

/** The results of a turn's calls are in the next turn, all of them. */
const checkCallPairs = (contents: ReadonlyArray<Json.JsonObject>): string | undefined => {
  for (const [index, content] of contents.entries()) {
    const calls = countOf(content, "functionCall")
    if (calls > 0 && index > 0 && contents[index - 1]!.role === "model") {
      return "Please ensure that function call turn comes immediately after a user turn or after a function response turn."
    }
    if (calls > 0 && calls !== countOf(contents[index + 1], "functionResponse")) {
      return "Please ensure that the number of function response parts is equal to the number of function call parts of the function call turn."
    }
    if (countOf(content, "functionResponse") > 0 && countOf(contents[index - 1], "functionCall") === 0) {
      return "Please ensure that function response turn comes immediately after a function call turn."
    }
  }
  return undefined
}

// =============================================================================
// Tools and options
// =============================================================================

const checkTools = (body: Json.JsonObject): string | undefined => {
  const declared = Json.array(body.tools).flatMap((tool) => Json.array(Json.object(tool).functionDeclarations))
    .map(Json.object)
  const names = new Set<string>()
  for (const [index, { name, parameters, parametersJsonSchema }] of declared.entries()) {
    const at = `GenerateContentRequest.tools[0].function_declarations[${index}]`
    if (!/^[a-zA-Z_][a-zA-Z0-9_.:-]{0,127}$/.test(Json.string(name))) {
      return `* ${at}.name: Invalid function name. Must start with a letter or an underscore.\n`
    }
    if (names.has(Json.string(name))) return `Duplicate function declaration found: ${Json.string(name)}`
    names.add(Json.string(name))
    if (parameters !== undefined && parametersJsonSchema !== undefined) {
      return `* ${at}: only one of parameters and parameters_json_schema can be set.\n`
    }
  }
  const config = Json.object(Json.object(body.toolConfig).functionCallingConfig)
  if (config.mode === "ANY" && declared.length === 0) {
    return "Function calling config is set without function_declarations."
  }
  const missing = Json.array(config.allowedFunctionNames).find((name) => !names.has(Json.string(name)))
  return missing === undefined
    ? undefined
    : `* GenerateContentRequest.tool_config.function_calling_config.allowed_function_names: function ${
      String(missing)
    } is not declared.\n`
}

const checkConfig = (config: Json.JsonObject): string | undefined => {
  const unknown = unknownField(config, configFields, "generation_config")
  if (unknown !== undefined) return unknown
  const {
    maxOutputTokens,
    responseJsonSchema,
    responseMimeType,
    responseSchema,
    stopSequences,
    temperature,
    thinkingConfig
  } = config
  if (typeof temperature === "number" && (temperature < 0 || temperature > 2)) {
    return "* GenerateContentRequest.generation_config.temperature: temperature must be in the range [0.0, 2.0].\n"
  }
  if (typeof maxOutputTokens === "number" && maxOutputTokens < 1) {
    return "* GenerateContentRequest.generation_config.max_output_tokens: max_output_tokens must be positive.\n"
  }
  if (Json.array(stopSequences).length > 5) {
    return "* GenerateContentRequest.generation_config.stop_sequences: at most 5 stop sequences are supported.\n"
  }
  const hasSchema = responseSchema !== undefined || responseJsonSchema !== undefined
  if (hasSchema && responseMimeType !== "application/json") {
    return "* GenerateContentRequest.generation_config.response_schema: only allowed when response_mime_type is application/json.\n"
  }
  const { thinkingBudget, thinkingLevel } = Json.object(thinkingConfig)
  return thinkingBudget !== undefined && thinkingLevel !== undefined
    ? "You can only set only one of thinking budget and thinking level."
    : undefined
}
