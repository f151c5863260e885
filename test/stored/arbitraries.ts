// Values of every kind that is stored or sent, as providers and callers may make them.
import { Duration, Redacted, Schema } from "effect"
import * as fc from "fast-check"
import { LlmError, type LlmEvent, LlmRequest, LlmResponse, LlmTool, type Message } from "../../src/index.ts"

const text = fc.oneof(
  fc.string({ maxLength: 12 }),
  fc.string({ unit: "binary", maxLength: 6 }),
  fc.constantFrom("", "\n\ndata: {}\r\n", "\ud800", "__proto__", "grüße 👋\u2028")
)
const name = fc.stringMatching(/^[a-zA-Z_][\w-]{0,11}$/)
/** A member that may be missing, as JSON has it. */
const fields = <A extends object>(required: object, rest: object): fc.Arbitrary<A> =>
  fc.record({ ...required, ...rest }, { requiredKeys: Object.keys(required) as never, noNullPrototype: true }) as never
const count = fc.nat()
const cost = fc.double({ min: 0, max: 1e6, noNaN: true }).map((cost) => cost + 0)
const json = fc.jsonValue({ maxDepth: 2 }).map((value) => JSON.parse(JSON.stringify(value)) as Message.Json)
const jsonObject = fc.dictionary(text, json, { maxKeys: 3, noNullPrototype: true })
  .map((value) => JSON.parse(JSON.stringify(value)) as Message.JsonObject)

const origin = fields({ wire: text }, { provider: text, model: text })
const media = fc.oneof(
  fields({ type: fc.constant("base64"), mediaType: text, data: fc.base64String({ maxLength: 16 }) }, {}),
  fields({ type: fc.constant("url"), url: fc.webUrl() }, { mediaType: text }),
  fields({ type: fc.constant("file"), fileId: text }, { mediaType: text })
)
const cacheControl = fc.constantFrom("ephemeral", "extended")
const opaque = { signature: text, replay: jsonObject, origin }

const parts = {
  text: fields<Message.TextPart>({ type: fc.constant("text"), text }, { cacheControl, ...opaque }),
  image: fields<Message.ImagePart>({ type: fc.constant("image"), source: media }, {
    detail: fc.constantFrom("auto", "low", "high"),
    cacheControl
  }),
  file: fields<Message.FilePart>({ type: fc.constant("file"), source: media }, {
    filename: text,
    citations: fc.boolean(),
    cacheControl
  }),
  audio: fields<Message.AudioPart>({ type: fc.constant("audio"), source: media }, { transcript: text }),
  reasoning: fields<Message.ReasoningPart>({ type: fc.constant("reasoning"), text }, { encrypted: text, ...opaque }),
  call: fields<Message.ToolCallPart>({ type: fc.constant("tool-call"), id: text, name: text, arguments: json }, {
    invalid: fc.constant(true),
    custom: fc.constant(true),
    cacheControl,
    ...opaque
  }),
  source: fields<Message.SourcePart>({ type: fc.constant("source") }, {
    url: text,
    title: text,
    citedText: text,
    raw: json
  }),
  serverTool: fields<Message.ServerToolPart>({
    type: fc.constant("server-tool"),
    name: text,
    kind: fc.constantFrom("call", "result", "block"),
    data: jsonObject,
    origin
  }, { id: text })
}
const part: fc.Arbitrary<Message.Part> = fc.oneof(...Object.values(parts))

const usage = fc.record({
  input: fields({}, { total: count, uncached: count, cacheRead: count, cacheWrite: count, cacheWrite1h: count }),
  output: fields({}, { total: count, text: count, reasoning: count })
}, { noNullPrototype: true }).chain((counts) =>
  fields<LlmResponse.Usage>({ input: fc.constant(counts.input), output: fc.constant(counts.output) }, {
    billedCost: cost,
    raw: json
  })
)

const rateLimit = fields({}, { limit: count, remaining: count, resetMillis: count })
const priorAttempt = fields<LlmResponse.PriorAttempt>({ provider: text, model: text, reason: text }, {
  durationMillis: count,
  message: text,
  requestId: text,
  isRetryable: fc.boolean(),
  retryAfterMillis: count
})

const finishReasons = [
  "stop",
  "length",
  "tool-calls",
  "content-filter",
  "refusal",
  "pause",
  "context-window",
  "error",
  "other"
] as const

export const response: fc.Arbitrary<LlmResponse.LlmResponse> = fields<LlmResponse.Fields>({
  parts: fc.array(part, { maxLength: 3 }),
  finishReason: fc.constantFrom(...finishReasons),
  usage,
  model: text,
  provider: text,
  warnings: fc.array(fields({ field: text, message: text }, { url: text }), { maxLength: 2 })
}, {
  rawFinishReason: text,
  id: text,
  label: text,
  requestId: text,
  rateLimits: fields({}, { requests: rateLimit, tokens: rateLimit, inputTokens: rateLimit, outputTokens: rateLimit }),
  cost,
  priorAttempts: fc.array(priorAttempt, { maxLength: 2 }),
  logprobs: json,
  extra: jsonObject,
  raw: json
}).map((fields) => new LlmResponse.LlmResponse(fields))

const index = fc.nat(9)
const candidate = fc.record({ provider: text, model: text }, { noNullPrototype: true })
const tagged = <A>(tag: string, required: object, rest: object = {}) =>
  fields<A & object>({ _tag: fc.constant(tag), ...required }, rest)

export const events: { readonly [Tag in LlmEvent.LlmEvent["_tag"]]: fc.Arbitrary<LlmEvent.LlmEvent> } = {
  ResponseStart: tagged("ResponseStart", {}, { id: text, model: text }),
  TextStart: tagged("TextStart", { index }),
  TextDelta: tagged("TextDelta", { index, text }),
  TextEnd: tagged("TextEnd", { index, part: parts.text }),
  ReasoningStart: tagged("ReasoningStart", { index }),
  ReasoningDelta: tagged("ReasoningDelta", { index, text }),
  ReasoningEnd: tagged("ReasoningEnd", { index, part: parts.reasoning }),
  ToolCallStart: tagged("ToolCallStart", { index, id: text, name: text }),
  ToolCallDelta: tagged("ToolCallDelta", { index, id: text, delta: text }),
  ToolCallEnd: tagged("ToolCallEnd", { index, part: parts.call }),
  Source: tagged("Source", { index, part: parts.source }),
  File: tagged("File", { index, part: fc.oneof<fc.Arbitrary<Message.Part>[]>(parts.image, parts.audio, parts.file) }),
  ServerTool: tagged("ServerTool", { index, part: parts.serverTool }),
  UsageUpdate: tagged("UsageUpdate", { usage }),
  Continued: tagged("Continued", { from: candidate, to: candidate, reason: text }),
  Finish: tagged("Finish", { response })
}
const event: fc.Arbitrary<LlmEvent.LlmEvent> = fc.oneof(...Object.values(events))
/** Any event but the last. */
export const unfinished = event.filter((event) => event._tag !== "Finish")

const duration = fc.oneof(
  fc.nat().map(Duration.millis),
  fc.bigInt({ min: 0n, max: 10n ** 15n }).map(Duration.nanos),
  fc.constant(Duration.infinity)
)
const number = fc.oneof(count, cost, fc.constant(Number.POSITIVE_INFINITY))
const common = { partial: response }
const ofProvider = {
  ...common,
  status: fc.integer({ min: 100, max: 599 }),
  type: text,
  code: fc.oneof(text, count),
  param: text,
  body: text,
  retryAfter: duration,
  shouldRetry: fc.boolean()
}
const reason = <F>(
  of: new(fields: F) => LlmError.Reason,
  required: object,
  rest: object
): fc.Arbitrary<LlmError.Reason> =>
  fields<F & object>({ message: text, ...required }, rest).map((fields) => new of(fields))

export const reasons: { readonly [Tag in LlmError.ReasonTag]: fc.Arbitrary<LlmError.Reason> } = {
  Configuration: reason(LlmError.Configuration, {}, { ...common, field: text }),
  Validation: reason(LlmError.Validation, {}, { ...ofProvider, field: text }),
  Authentication: reason(LlmError.Authentication, {}, ofProvider),
  PermissionDenied: reason(LlmError.PermissionDenied, {}, ofProvider),
  QuotaExhausted: reason(LlmError.QuotaExhausted, {}, ofProvider),
  RateLimit: reason(LlmError.RateLimit, {}, ofProvider),
  Overloaded: reason(LlmError.Overloaded, {}, ofProvider),
  NotFound: reason(LlmError.NotFound, {}, ofProvider),
  ContextLength: reason(LlmError.ContextLength, { kind: fc.constantFrom("tokens", "bytes", "media") }, {
    ...ofProvider,
    limit: number,
    actual: number
  }),
  ContentPolicy: reason(LlmError.ContentPolicy, {}, ofProvider),
  Provider: reason(LlmError.Provider, {}, ofProvider),
  Network: reason(LlmError.Network, {}, { ...common, code: text }),
  Timeout: reason(LlmError.Timeout, {
    phase: fc.constantFrom("connect", "firstToken", "firstByte", "idle", "total"),
    limit: duration
  }, common),
  ResponseParse: reason(LlmError.ResponseParse, {}, { ...common, status: count, snippet: text }),
  IncompleteStream: reason(LlmError.IncompleteStream, {}, common),
  StructuredOutput: reason(LlmError.StructuredOutput, { text }, {
    ...common,
    kind: fc.constantFrom("not-json", "misfit", "refusal", "length")
  }),
  ToolFailure: reason(LlmError.ToolFailure, { toolName: text }, { ...common, toolCallId: text }),
  CircuitBreakerOpen: reason(LlmError.CircuitBreakerOpen, { key: text }, { ...common, retryAfter: duration }),
  QueueFull: reason(LlmError.QueueFull, {}, { ...common, retryAfter: duration }),
  BudgetExceeded: reason(LlmError.BudgetExceeded, { scope: text, limit: number, spent: number }, common),
  FallbackExhausted: reason(LlmError.FallbackExhausted, { attempts: fc.array(priorAttempt, { maxLength: 3 }) }, {
    ...common,
    retryAfter: duration
  })
}

export const errorOf = (reason: fc.Arbitrary<LlmError.Reason>): fc.Arbitrary<LlmError.LlmError> =>
  fields<ConstructorParameters<typeof LlmError.LlmError>[0]>({
    provider: text,
    model: text,
    operation: fc.constantFrom("generate", "stream", "countTokens", "models", "health", "layer", "files", "batch"),
    reason,
    attempts: fc.nat(9)
  }, { label: text, requestId: text }).map((fields) => new LlmError.LlmError(fields))
export const error = errorOf(fc.oneof(...Object.values(reasons)))

/** What equal errors have in common: everything but where they were made. */
export const anatomy = (error: LlmError.LlmError): unknown => ({
  ...error,
  message: error.message,
  isRetryable: error.isRetryable,
  retryAfter: error.retryAfter === undefined ? undefined : String(error.retryAfter),
  reason: {
    ...Object.fromEntries(
      Object.entries(error.reason).map(([name, value]) => [name, Duration.isDuration(value) ? String(value) : value])
    ),
    _tag: error.reason._tag,
    message: error.reason.message,
    class: error.reason.constructor
  }
})

// =============================================================================
// Requests
// =============================================================================

/** Found in no other value, so that it can be looked for. */
export const secret = "s3cr3t-Ünsaid-value"
const redacted = fc.constant(Redacted.make(secret))
const secretName = fc.constantFrom(
  "authorization",
  "X-Api-Key",
  "api-key",
  "x-goog-api-key",
  "cookie",
  "x-my-auth-token"
)
const headerName = fc.constantFrom("x-trace", "anthropic-beta", "accept-language")
const headers = fc.tuple(
  fc.dictionary(secretName, fc.constantFrom(secret, `Bearer ${secret}`), { maxKeys: 2, noNullPrototype: true }),
  fc.dictionary(headerName, fc.constantFrom("1", "on", "de, en"), { maxKeys: 2, noNullPrototype: true })
).map(([hidden, shown]) => ({ ...hidden, ...shown }))

const definitions = [
  { type: "mcp", server_label: "x", authorization: secret, headers: { "X-Api-Key": secret, "x-trace": "1" } },
  { type: "mcp", server_url: `https://me:${secret}@example.com/mcp?api_key=${secret}&page=2` },
  { type: "web_search_20250305", name: "web_search", max_uses: 3 }
]
const time = fc.oneof(
  fc.constantFrom<Duration.Input>("20 seconds", 1500, 5n, [1, 5], { minutes: 2 }, "Infinity"),
  duration
)
const execution = fields({}, {
  needsApproval: fc.oneof(fc.boolean(), fc.constant(() => false)),
  idempotent: fc.boolean(),
  loopKey: fc.constantFrom(false, () => "same"),
  timeout: time,
  concurrency: fc.integer({ min: 1, max: 9 }),
  maxResultBytes: fc.integer({ min: 1, max: 9 }),
  toModel: fc.constant(() => "shown")
})
const tool = fc.oneof(
  fc.tuple(name, execution).map(([name, execution]) => ({
    ...LlmTool.make(name, { description: "A tool.", parameters: Schema.Struct({ city: Schema.String }) }),
    execution
  })),
  fields({ type: fc.constant("custom"), name }, { description: text, format: jsonObject }),
  fields({ type: fc.constant("provider"), name, definition: fc.constantFrom(...definitions) }, { execution })
) as fc.Arbitrary<LlmTool.LlmTool>

const attributes = fields<Message.Attributes>({}, { cacheControl, priority: count, metadata: jsonObject })
const told = fc.string({ minLength: 1, maxLength: 12 })
const result = fields<Message.ToolResultPart>({ type: fc.constant("tool-result"), toolCallId: text, content: text }, {
  name: text,
  isError: fc.boolean(),
  cacheControl
})
const message: fc.Arbitrary<Message.Message> = fc.oneof(
  fields<Message.Message>({ role: fc.constantFrom("system", "user", "assistant"), content: text }, { attributes }),
  fields<Message.Message>({
    role: fc.constant("user"),
    content: fc.array(fc.oneof(parts.text, parts.image, parts.file))
  }, {}),
  fields<Message.Message>({ role: fc.constant("assistant"), content: fc.array(part) }, { attributes }),
  fields<Message.Message>({ role: fc.constant("tool"), content: fc.array(result) }, {})
)

export const request: fc.Arbitrary<LlmRequest.LlmRequest> = fc.tuple(
  fc.oneof(
    fc.record({ prompt: told }, { noNullPrototype: true }),
    fc.record({ messages: fc.array(message, { minLength: 1, maxLength: 4 }) }, { noNullPrototype: true })
  ),
  fields<LlmRequest.RequestOptions>({}, {
    system: text,
    model: name,
    maxTokens: fc.integer({ min: 1, max: 1e6 }),
    temperature: fc.constantFrom(0, 0.5, 2),
    topP: fc.constantFrom(0.1, 1),
    topK: fc.constantFrom(1, 40),
    frequencyPenalty: fc.constantFrom(-1, 0.5),
    presencePenalty: fc.constantFrom(-1, 0.5),
    stop: fc.array(told, { maxLength: 2 }),
    seed: fc.integer(),
    tools: fc.uniqueArray(tool, { selector: (tool) => tool.name, maxLength: 3 }),
    toolChoice: fc.constantFrom("auto", "none"),
    parallelToolCalls: fc.boolean(),
    responseFormat: fc.constantFrom({ type: "text" }, { type: "json" }, {
      type: "json-schema",
      schema: { type: "object", properties: { a: { type: "string" } } },
      name: "x",
      strict: true
    }),
    thinking: fc.constantFrom("off", "minimal", "low", "medium", "high", "xhigh", "max", { budgetTokens: 1024 }),
    effort: fc.constantFrom("low", "medium", "high", "xhigh", "max"),
    cache: fields({}, {
      systemPrompt: fc.boolean(),
      tools: fc.boolean(),
      recentTurns: fc.nat(3),
      extendedTtl: fc.boolean(),
      key: name
    }),
    logprobs: fc.constantFrom(true, false, 3),
    label: text,
    scope: fields({}, { requestId: text, sessionId: text, userId: text }),
    metadata: jsonObject,
    priority: fc.integer(),
    providerOptions: fc.constantFrom(
      { openai: { prompt_cache_key: "tenant-7", service_tier: "flex" } },
      { anthropic: { mcp_servers: [{ type: "url", url: "https://example.com", authorization_token: secret }] } }
    ),
    headers,
    apiKey: redacted,
    providers: fc.dictionary(
      fc.constantFrom("anthropic", "openai"),
      fields({}, { apiKey: redacted, headers, model: name, origin: fc.constant("https://api.openai.com") })
    ),
    timeouts: fields({}, { connect: time, firstToken: time, firstByte: time, idle: time, total: time }),
    whole: fc.constantFrom("auto", "streamed", "whole"),
    includeRaw: fc.boolean()
  })
).map(([said, options]) => ({ ...options, ...said }) as LlmRequest.LlmRequest)
  .filter((request) => LlmRequest.validate(request) === undefined)
