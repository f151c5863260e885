/**
 * The dialects of hosts. Each says only what its page says; where a page is silent, what all hosts of that kind take.
 *
 * @since 0.1.0
 */
import type { Dialect, Dialects, PlainDialect } from "./Dialect.ts"

const scalars = ["string", "number", "boolean", "null"] as const

/** A schema that only hints. @stability experimental @category dialects @since 0.1.0 */
export const anySchema: PlainDialect = {
  plain: true,
  name: "plain",
  url: "https://json-schema.org/draft/2020-12/json-schema-core",
  root: "any"
}

/**
 * Tools of OpenAI and of hosts like it: the root has to be an object, without `anyOf`, `oneOf`, `allOf`, `enum` and `not`.
 *
 * @stability experimental
 * @category dialects
 * @since 0.1.0
 */
export const objectRoot: PlainDialect = {
  plain: true,
  name: "plain tools",
  url: "https://platform.openai.com/docs/guides/function-calling",
  root: "object",
  // https://community.openai.com/t/object-schema-missing-properties/600442
  properties: true
}

/** An object that only hints. @stability experimental @category dialects @since 0.1.0 */
export const anyObject: PlainDialect = { ...objectRoot, name: "plain object", properties: false }

// https://platform.openai.com/docs/guides/structured-outputs#supported-schemas: every member required, objects closed, the
// root an object; no allOf, not, dependentRequired, dependentSchemas, if, then, else; recursion is allowed.
/** OpenAI's strict mode. @stability experimental @category dialects @since 0.1.0 */
export const openAiStrict: Dialect = {
  name: "OpenAI strict",
  url: "https://platform.openai.com/docs/guides/structured-outputs#supported-schemas",
  root: "object",
  optional: false,
  maps: false,
  open: false,
  tuples: false,
  typeLists: true,
  unions: true,
  literals: scalars,
  references: "all",
  keywords: [
    "pattern",
    "multipleOf",
    "maximum",
    "exclusiveMaximum",
    "minimum",
    "exclusiveMinimum",
    "minItems",
    "maxItems"
  ],
  formats: ["date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"],
  patterns: "regular",
  limits: { depth: 10, properties: 5000, enumValues: 1000, names: 120_000, longEnum: 15_000 }
}

/** Hosts that hold the model to no schema. @stability experimental @category dialects @since 0.1.0 */
export const plain: Dialects = { tools: objectRoot }

/** OpenAI's. @stability experimental @category dialects @since 0.1.0 */
export const openAi: Dialects = {
  tools: objectRoot,
  strictTools: openAiStrict,
  answer: openAiStrict,
  plainAnswer: objectRoot
}

// https://learn.microsoft.com/azure/ai-foundry/openai/how-to/structured-outputs: up to 100 properties, five levels, and none
// of the keywords of strings, numbers and lists.
/** Azure's strict mode. @stability experimental @category dialects @since 0.1.0 */
export const azureStrict: Dialect = {
  ...openAiStrict,
  name: "Azure strict",
  url: "https://learn.microsoft.com/azure/ai-foundry/openai/how-to/structured-outputs",
  keywords: [],
  formats: [],
  patterns: "none",
  limits: { ...openAiStrict.limits, depth: 5, properties: 100, enumValues: 500, names: 15_000, longEnum: 7500 }
}

/** Azure's. @stability experimental @category dialects @since 0.1.0 */
export const azure: Dialects = { ...openAi, strictTools: azureStrict, answer: azureStrict }

// https://platform.claude.com/docs/en/build-with-claude/structured-outputs#json-schema-limitations: no recursion, no bounds,
// minItems of 0 and 1 only, objects closed; at most 24 members that may be left out and 16 unions in all schemas of a
// request. A schema of no type is refused.
/** Claude's structured outputs. @stability experimental @category dialects @since 0.1.0 */
export const anthropicStrict: Dialect = {
  name: "Anthropic strict",
  url: "https://platform.claude.com/docs/en/build-with-claude/structured-outputs#json-schema-limitations",
  root: "object",
  optional: true,
  maps: false,
  open: false,
  tuples: false,
  typeLists: true,
  unions: true,
  literals: scalars,
  references: "acyclic",
  keywords: ["pattern", "minItems"],
  formats: ["date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"],
  patterns: "simple",
  mostMinItems: 1,
  // https://platform.claude.com/docs/en/agents-and-tools/tool-use/define-tools
  names: /^[a-zA-Z0-9_.-]{1,64}$/,
  limits: { optional: 24, unions: 16, strictTools: 20 }
}

// The root of any tool: type object, and none of oneOf, allOf, anyOf at the top.
// https://platform.claude.com/docs/en/agents-and-tools/tool-use/define-tools
const anthropicTools: PlainDialect = {
  plain: true,
  name: "Anthropic tools",
  url: "https://platform.claude.com/docs/en/agents-and-tools/tool-use/define-tools",
  root: "object"
}

/** Anthropic's. @stability experimental @category dialects @since 0.1.0 */
export const anthropic: Dialects = { tools: anthropicTools, strictTools: anthropicStrict, answer: anthropicStrict }

// https://docs.aws.amazon.com/bedrock/latest/userguide/structured-output.html: the same subset as Claude's.
const bedrockStrict: Dialect = {
  ...anthropicStrict,
  name: "Bedrock strict",
  url: "https://docs.aws.amazon.com/bedrock/latest/userguide/structured-output.html"
}

/** Bedrock's. @stability experimental @category dialects @since 0.1.0 */
export const bedrock: Dialects = { tools: anthropicTools, strictTools: bedrockStrict, answer: bedrockStrict }

// https://ai.google.dev/api/generate-content#FIELDS.response_json_schema lists what is known of JSON Schema: `$ref` alone, below
// members that may be left out where it leads back; enums of strings and numbers.
/** Gemini's JSON Schema. @stability experimental @category dialects @since 0.1.0 */
export const geminiJsonSchema: Dialect = {
  name: "Gemini JSON Schema",
  url: "https://ai.google.dev/api/generate-content#FIELDS.response_json_schema",
  root: "typed",
  optional: true,
  maps: true,
  open: false,
  tuples: true,
  typeLists: true,
  unions: true,
  literals: ["string", "number"],
  references: "optional",
  keywords: ["minItems", "maxItems", "minimum", "maximum"],
  // https://ai.google.dev/gemini-api/docs/structured-output#json-schema-support
  formats: ["date-time", "date", "time"],
  patterns: "none",
  limits: {}
}

/** Gemini's, where it takes JSON Schema. @stability experimental @category dialects @since 0.1.0 */
export const gemini: Dialects = {
  tools: { ...geminiJsonSchema, name: "Gemini tools", root: "object" },
  strictTools: { ...geminiJsonSchema, name: "Gemini strict tools", root: "object" },
  answer: geminiJsonSchema
}

// https://ai.google.dev/api/caching#Schema: no references, no maps; an enum is of strings, and an object names its properties.
/** Gemini's part of OpenAPI's schemas. @stability experimental @category dialects @since 0.1.0 */
export const geminiOpenApi: Dialect = {
  name: "Gemini OpenAPI",
  url: "https://ai.google.dev/api/caching#Schema",
  root: "typed",
  optional: true,
  maps: false,
  open: false,
  tuples: false,
  typeLists: false,
  unions: true,
  literals: ["string"],
  references: "none",
  keywords: ["minItems", "maxItems", "minimum", "maximum", "minLength", "maxLength", "pattern"],
  formats: ["date-time", "int32", "int64", "float", "double"],
  patterns: "regular",
  emptyObjects: false,
  limits: {},
  spelling: "openapi"
}

/** Gemini's, where it takes OpenAPI's schemas only. @stability experimental @category dialects @since 0.1.0 */
export const geminiOld: Dialects = {
  tools: { ...geminiOpenApi, name: "Gemini OpenAPI tools", root: "object" },
  strictTools: { ...geminiOpenApi, name: "Gemini OpenAPI tools", root: "object" },
  answer: geminiOpenApi
}

// https://console.groq.com/docs/structured-outputs: with strict, every member required and objects closed.
/** Groq's. @stability experimental @category dialects @since 0.1.0 */
export const groq: Dialects = {
  ...openAi,
  answer: { ...openAiStrict, name: "Groq strict", url: "https://console.groq.com/docs/structured-outputs" }
}

// https://inference-docs.cerebras.ai/capabilities/structured-outputs: no recursion, no lists of types, five members of an
// anyOf, 5,000 characters, ten levels, 500 properties and values of enums; keywords of bounds were refused by name.
/** Cerebras's strict mode. @stability experimental @category dialects @since 0.1.0 */
export const cerebrasStrict: Dialect = {
  name: "Cerebras strict",
  url: "https://inference-docs.cerebras.ai/capabilities/structured-outputs",
  root: "object",
  optional: false,
  maps: false,
  open: false,
  tuples: true,
  typeLists: false,
  unions: true,
  literals: ["string", "number", "boolean"],
  references: "acyclic",
  keywords: [],
  formats: [],
  patterns: "none",
  limits: { depth: 10, properties: 500, enumValues: 500, longEnum: 7500, length: 5000, branches: 5 }
}

/** Cerebras's. @stability experimental @category dialects @since 0.1.0 */
export const cerebras: Dialects = {
  tools: objectRoot,
  strictTools: cerebrasStrict,
  answer: cerebrasStrict,
  plainAnswer: objectRoot
}

// https://docs.mistral.ai/capabilities/structured_output/custom: strict, in OpenAI's form; the page names no keywords.
const mistralStrict: Dialect = {
  ...openAiStrict,
  name: "Mistral strict",
  url: "https://docs.mistral.ai/capabilities/structured_output/custom",
  keywords: [],
  formats: [],
  patterns: "none",
  limits: {}
}

/** Mistral's. @stability experimental @category dialects @since 0.1.0 */
export const mistral: Dialects = { ...openAi, strictTools: mistralStrict, answer: mistralStrict }

// https://docs.cohere.com/docs/structured-outputs#unsupported-schema-features: no bounds of numbers, strings and lists, and four
// formats; an object needs a required member.
const cohereStrict: Dialect = {
  name: "Cohere",
  url: "https://docs.cohere.com/docs/structured-outputs#unsupported-schema-features",
  root: "object",
  optional: false,
  maps: false,
  open: false,
  tuples: false,
  typeLists: false,
  unions: true,
  literals: ["string"],
  references: "acyclic",
  keywords: [],
  formats: ["date-time", "uuid", "date", "time"],
  patterns: "none",
  emptyObjects: false,
  limits: {}
}

/** Cohere's. @stability experimental @category dialects @since 0.1.0 */
export const cohere: Dialects = { tools: objectRoot, strictTools: cohereStrict, answer: cohereStrict }

// https://docs.x.ai/docs/guides/structured-outputs#supported-types: no lengths of strings, no bounds of lists, no allOf.
const xaiStrict: Dialect = {
  ...openAiStrict,
  name: "xAI",
  url: "https://docs.x.ai/docs/guides/structured-outputs",
  keywords: ["maximum", "exclusiveMaximum", "minimum", "exclusiveMinimum"],
  formats: [],
  patterns: "none"
}

/** xAI's. @stability experimental @category dialects @since 0.1.0 */
export const xai: Dialects = { ...openAi, strictTools: xaiStrict, answer: xaiStrict }

// https://api-docs.deepseek.com/guides/tool_calls#strict-mode-beta: every member required, objects closed; no lengths, no
// minItems and maxItems; five formats.
const deepSeekStrict: Dialect = {
  ...openAiStrict,
  name: "DeepSeek strict",
  url: "https://api-docs.deepseek.com/guides/tool_calls#strict-mode-beta",
  typeLists: false,
  literals: ["string", "number", "boolean"],
  keywords: ["pattern", "multipleOf", "maximum", "exclusiveMaximum", "minimum", "exclusiveMinimum"],
  formats: ["email", "hostname", "ipv4", "ipv6", "uuid"],
  emptyObjects: false,
  limits: {}
}

/** DeepSeek's. @stability experimental @category dialects @since 0.1.0 */
export const deepSeek: Dialects = { tools: objectRoot, strictTools: deepSeekStrict }

/** What hosts take that make a grammar of the schema themselves. */
const grammar: Omit<Dialect, "name" | "url"> = {
  root: "any",
  optional: true,
  maps: true,
  open: true,
  tuples: true,
  typeLists: true,
  unions: true,
  literals: scalars,
  references: "all",
  keywords: ["minItems", "maxItems", "minLength", "maxLength"],
  formats: ["date-time", "date", "time"],
  patterns: "none",
  limits: {}
}

const served = (dialect: Dialect): Dialects => ({ tools: objectRoot, answer: dialect })

// https://github.com/ggml-org/llama.cpp/blob/master/grammars/README.md#json-schemas--gbnf: a pattern has to begin with ^ and end
// with $; keywords that it does not know are left out in silence.
const gbnf: Dialect = {
  ...grammar,
  name: "llama.cpp",
  url: "https://github.com/ggml-org/llama.cpp/blob/master/grammars/README.md#json-schemas--gbnf",
  keywords: ["minItems", "maxItems", "minLength", "maxLength"]
}

/** llama.cpp's. @stability experimental @category dialects @since 0.1.0 */
export const llamaCpp: Dialects = served(gbnf)

/** Ollama's, which makes llama.cpp's grammars: https://docs.ollama.com/capabilities/structured-outputs @stability experimental @category dialects @since 0.1.0 */
export const ollama: Dialects = {
  tools: objectRoot,
  answer: { ...gbnf, name: "Ollama", url: "https://docs.ollama.com/capabilities/structured-outputs" }
}

/** LM Studio's, which makes llama.cpp's grammars: https://lmstudio.ai/docs/developer/openai-compat/structured-output @stability experimental @category dialects @since 0.1.0 */
export const lmStudio: Dialects = {
  tools: objectRoot,
  answer: {
    ...gbnf,
    name: "LM Studio",
    url: "https://lmstudio.ai/docs/developer/openai-compat/structured-output",
    root: "object"
  }
}

// https://docs.vllm.ai/en/latest/features/structured_outputs.html: xgrammar, which knows neither multipleOf, uniqueItems nor
// patternProperties.
/** vLLM's. @stability experimental @category dialects @since 0.1.0 */
export const vllm: Dialects = served({
  ...grammar,
  name: "vLLM",
  url: "https://docs.vllm.ai/en/latest/features/structured_outputs.html"
})

// https://docs.fireworks.ai/structured-responses/structured-response-formatting: no oneOf, no lengths, no pattern.
/** Fireworks's. @stability experimental @category dialects @since 0.1.0 */
export const fireworks: Dialects = served({
  ...grammar,
  name: "Fireworks",
  url: "https://docs.fireworks.ai/structured-responses/structured-response-formatting",
  root: "object",
  keywords: [],
  formats: []
})

/** Together's: https://docs.together.ai/docs/json-mode @stability experimental @category dialects @since 0.1.0 */
export const together: Dialects = served({
  ...grammar,
  name: "Together",
  url: "https://docs.together.ai/docs/json-mode",
  root: "object",
  keywords: [],
  formats: []
})

// https://platform.moonshot.ai/docs/guide/use-json-mode-feature-of-kimi-api: an object at the root, `type` inside the members of
// an anyOf rather than beside it.
const moonshotSchema: Dialect = {
  ...grammar,
  name: "Moonshot",
  url: "https://platform.moonshot.ai/docs/guide/use-json-mode-feature-of-kimi-api",
  root: "object"
}

/** Moonshot's. @stability experimental @category dialects @since 0.1.0 */
export const moonshot: Dialects = { tools: moonshotSchema, strictTools: moonshotSchema, answer: moonshotSchema }
