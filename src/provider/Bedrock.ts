/**
 * Amazon Bedrock, by its Converse API.
 *
 * Authenticates with a Bedrock API key, or signs with AWS credentials. Both may be given as effects that are asked on
 * each request, so that rotation needs no restart; credentials that say when they end are kept until shortly before, or
 * until they are rejected. What the families of models take is a table below.
 * https://docs.aws.amazon.com/bedrock/latest/userguide/conversation-inference.html
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Semaphore from "effect/Semaphore"
import * as LlmError from "../LlmError.ts"
import * as LlmService from "../LlmService.ts"
import type { Json, JsonObject, Open } from "../Message.ts"
import * as BedrockConverse from "../protocol/BedrockConverse.ts"
import { optionsIssue } from "../service/checked.ts"
import type { AwsCredentials } from "../transport/AwsSignature.ts"
import * as AwsSignature from "../transport/AwsSignature.ts"
import { credential } from "../validation/credential.ts"
import { headerValueIssue } from "../validation/headers.ts"
import {
  all,
  anything,
  callable,
  fields,
  filledText,
  finite,
  optional,
  problem,
  recordOf
} from "../validation/values.ts"
import { numberAt, only } from "./counting.ts"
import { modelsAt } from "./listing.ts"
import { hostName } from "./options.ts"
import * as Provider from "./Provider.ts"
import { longForClaude } from "./wholeAnswers.ts"

export type {
  /**
   * AWS credentials: long-lived ones of a user, or temporary ones of a role, which have a session token.
   *
   * @stability stable
   * @category options
   * @since 0.1.0
   */
  AwsCredentials
} from "../transport/AwsSignature.ts"

// =============================================================================
// Options
// =============================================================================

/**
 * Bedrock's own request fields. Objects that the request fills as well are merged, these winning.
 *
 * @see https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html
 * @stability stable
 * @category options
 * @since 0.1.0
 */
export interface RequestFields {
  /**
   * Guardrail to hold prompt and answer to:
   * https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_GuardrailConfiguration.html
   */
  readonly guardrailConfig?: {
    /** Id or ARN of the guardrail. */
    readonly guardrailIdentifier: string
    /** Number of its version, or `DRAFT`. */
    readonly guardrailVersion: string
    /** Whether the answer tells what the guardrail did; `enabled_full` also what it let through. @default "disabled" */
    readonly trace?: "enabled" | "disabled" | "enabled_full" | undefined
    /** Of streams only; left out otherwise. */
    readonly streamProcessingMode?: "sync" | "async" | undefined
  } | undefined
  /** Parameters of the model itself, beyond those of the API. */
  readonly additionalModelRequestFields?: JsonObject | undefined
  /** JSON pointers of fields to get back in `response.extra.additionalModelResponseFields`. */
  readonly additionalModelResponseFieldPaths?: ReadonlyArray<string> | undefined
  /** Merged over the options this library sets (`maxTokens`, `temperature`, `topP`, `stopSequences`). */
  readonly inferenceConfig?: JsonObject | undefined
  /** Form and effort of the answer, merged over what `responseFormat` and `effort` give. */
  readonly outputConfig?: JsonObject | undefined
  /** Speed for price, on models that have it: https://docs.aws.amazon.com/bedrock/latest/userguide/latency-optimized-inference.html */
  readonly performanceConfig?: {
    /** `optimized` answers faster. @default "standard" */
    readonly latency: Open<"standard" | "optimized">
  } | undefined
  /** How the request ranks, and what it costs: https://docs.aws.amazon.com/bedrock/latest/userguide/service-tiers-inference.html */
  readonly serviceTier?: {
    /** The tier. @default "default" */
    readonly type: Open<"default" | "priority" | "flex" | "reserved">
  } | undefined
  /** Values for the variables of a managed prompt, by name; without a prompt as model they are ignored. */
  readonly promptVariables?: {
    readonly [name: string]: {
      /** The value. */
      readonly text: string
    }
  } | undefined
  /** Labels by which logs of invocations can be filtered. */
  readonly requestMetadata?: { readonly [name: string]: string } | undefined
  readonly [field: string]: unknown
}

declare module "../LlmRequest.ts" {
  interface ProviderOptions {
    /** Amazon Bedrock's own fields: guardrails, model parameters, service tier. */
    readonly bedrock?: RequestFields | undefined
  }
}

/**
 * Options of the Bedrock layer. An `apiKey` wins over `credentials`.
 *
 * @stability stable
 * @category options
 * @since 0.1.0
 */
export interface Options extends Provider.Options {
  /** AWS region, for the URL and the signature. @default "us-east-1" */
  readonly region?: string | undefined
  /** AWS credentials, or an effect that gives them. */
  readonly credentials?: AwsCredentials | Effect.Effect<AwsCredentials, LlmError.LlmError> | undefined
  /** What the models take, where an ARN does not tell. @default by the name of the model */
  readonly familyOf?: ((model: string) => BedrockConverse.Family) | undefined
}

const defaultRegion = "us-east-1"

/** Temporary credentials are renewed so long before they end. */
const renewMillis = 5 * 60 * 1000

// =============================================================================
// Signature
// =============================================================================

/** The id goes into a header as it is, the secrets only as what is made of them. */
const awsCredentials = fields({
  accessKeyId: all(filledText, (value) => {
    const message = headerValueIssue(value as string)
    return message === undefined ? undefined : problem(message)
  }),
  secretAccessKey: credential,
  sessionToken: optional(credential),
  expiration: optional(finite)
}, "Must be AWS credentials: { accessKeyId, secretAccessKey, sessionToken? }.")

/** Those who ask at the same time share one fetch. */
const keptUntilTheyEnd = (credentials: Effect.Effect<AwsCredentials, LlmError.LlmError>) => {
  let kept: AwsCredentials | undefined
  const lock = Semaphore.makeUnsafe(1)
  const fetch = Effect.tap(credentials, (fresh) => Effect.sync(() => void (kept = fresh)))
  const get = Effect.flatMap(Clock.currentTimeMillis, (now) => {
    const before = kept
    return before?.expiration !== undefined && now < before.expiration - renewMillis
      ? Effect.succeed(before)
      : lock.withPermits(1)(
        Effect.suspend(() => kept === undefined || kept === before ? fetch : Effect.succeed(kept))
      )
  })
  const forget = (rejected: unknown) =>
    Effect.sync(() => {
      if (kept === rejected) kept = undefined
      return undefined
    })
  return { get, forget }
}

const layerError = (message: string, field?: string, operation: LlmError.Operation = "layer") =>
  new LlmError.LlmError({
    provider: "bedrock",
    model: "",
    operation,
    reason: new LlmError.Configuration({ message, field }),
    attempts: 1
  })

const signerOf = (
  credentials: AwsCredentials | Effect.Effect<AwsCredentials, LlmError.LlmError>,
  region: string
): Pick<Provider.Definition, "sign" | "renew"> => {
  const { forget, get } = Effect.isEffect(credentials)
    ? keptUntilTheyEnd(credentials)
    : { get: Effect.succeed(credentials), forget: undefined }
  const sign = Effect.fnUntraced(function*(request: Provider.Unsigned) {
    const found = yield* get
    const issue = optionsIssue(fields({ credentials: awsCredentials }), { credentials: found })
    if (issue !== undefined) {
      if (forget !== undefined) yield* forget(found)
      return yield* layerError(`${issue.field}: ${issue.message}`, issue.field, "generate")
    }
    const now = yield* Clock.currentTimeMillis
    const headers = yield* Effect.mapError(
      AwsSignature.sign({ ...request, service: "bedrock", region, credentials: found, now }),
      (reason) => layerError(reason.message, "credentials", "generate")
    )
    const secrets = [found.secretAccessKey, found.sessionToken].flatMap((secret) =>
      secret === undefined ? [] : [Redacted.value(secret).trim()]
    )
    return { headers, secrets, signedWith: found }
  })
  return { sign, renew: forget }
}

// =============================================================================
// Request
// =============================================================================

const merged = ["additionalModelRequestFields", "inferenceConfig", "outputConfig"]

const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const finish = (outgoing: Provider.Outgoing, options: JsonObject): Provider.Outgoing => {
  const body: { [key: string]: Json } = { ...outgoing.body }
  for (const key of merged) {
    const given = options[key]
    if (isObject(given)) body[key] = { ...(isObject(body[key]) ? body[key] : undefined), ...given }
  }
  const guardrail = body["guardrailConfig"]
  if (isObject(guardrail) && !outgoing.path.endsWith("/converse-stream")) {
    const { streamProcessingMode: _, ...rest } = guardrail
    body["guardrailConfig"] = rest
  }
  return { ...outgoing, body }
}

// =============================================================================
// Families of models
// =============================================================================

const claude: BedrockConverse.Family = {
  thinking: "anthropic",
  // https://platform.claude.com/docs/en/about-claude/models/migration-guide: not both of temperature and top_p.
  topPWithTemperature: false,
  serialToolCalls: true
}

const nova: BedrockConverse.Family = {
  thinking: "none",
  topK: "nova",
  // https://docs.aws.amazon.com/bedrock/latest/userguide/prompt-caching.html: Nova caches system and messages.
  caching: "not-in-tools",
  structuredOutput: false
}

/** No explicit caching: https://docs.aws.amazon.com/bedrock/latest/userguide/prompt-caching.html lists Claude and Nova. */
const other: BedrockConverse.Family = { thinking: "none", caching: "none", dottedToolCallIds: true }

/**
 * By the part of a model id before its name, also within inference profiles (`us.anthropic.…`) and ARNs (`…/anthropic.…`).
 * Structured output: https://docs.aws.amazon.com/bedrock/latest/userguide/structured-output.html
 */
const families: ReadonlyArray<readonly [RegExp, BedrockConverse.Family]> = [
  [
    /(?:^|[./])anthropic\.claude-(?:v2|instant|3|(?:opus|sonnet)-4-(?:1-)?\d{8})/,
    { ...claude, structuredOutput: false, serialToolCalls: false }
  ],
  [/(?:^|[./])anthropic\./, claude],
  // https://docs.aws.amazon.com/nova/latest/nova2-userguide/extended-thinking.html
  [/(?:^|[./])amazon\.nova-2/, { ...nova, thinking: "nova" }],
  [/(?:^|[./])amazon\.nova/, nova],
  // https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-openai.html
  [/(?:^|[./])openai\./, { ...other, thinking: "effort", topK: "none" }],
  [/(?:^|[./])(?:ai21|amazon|cohere|meta|writer|deepseek\.r1)\b/, { ...other, structuredOutput: false }],
  [/(?:^|[./])(?:deepseek|google|minimax|mistral|moonshot(?:ai)?|nvidia|qwen|xai|zai)\./, other]
]

/**
 * What a model takes, by its id. Of an ARN that does not name its model, what Claude takes.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export const familyOf = (model: string): BedrockConverse.Family =>
  families.find(([pattern]) => pattern.test(model))?.[1] ?? {}

// =============================================================================
// Provider
// =============================================================================

const urlOf = (region: string): string => `https://bedrock-runtime.${region}.amazonaws.com`

const provider = Provider.define<Options>({
  id: "bedrock",
  name: "Amazon Bedrock",
  docs: "https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html",
  baseUrl: urlOf(defaultRegion),
  auth: { type: "bearer" },
  env: {
    // https://docs.aws.amazon.com/bedrock/latest/userguide/api-keys-use.html
    apiKey: ["AWS_BEARER_TOKEN_BEDROCK"],
    // https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html
    baseUrl: "AWS_ENDPOINT_URL_BEDROCK_RUNTIME",
    model: "BEDROCK_MODEL"
  },
  defaultModel: "global.anthropic.claude-sonnet-5-5",
  catalogue: () => import("../model/catalogue/bedrock.ts"),
  capabilities: {
    streaming: true,
    tools: true,
    images: true,
    pdf: true,
    reasoning: true,
    promptCaching: true,
    structuredOutput: true
  },
  protocol: BedrockConverse.make({ familyOf }),
  // https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_CountTokens.html
  countTokens: ({ baseUrl, outgoing }) => ({
    url: `${baseUrl}${outgoing.path.replace(/\/converse(-stream)?$/, "/count-tokens")}`,
    body: { input: { converse: only(outgoing.body, ["messages", "system", "toolConfig"]) } },
    read: numberAt("inputTokens")
  }),
  // https://docs.aws.amazon.com/bedrock/latest/APIReference/API_ListFoundationModels.html
  modelsUrl: (baseUrl) => `${baseUrl.replace("//bedrock-runtime.", "//bedrock.")}/foundation-models`,
  readModels: modelsAt("bedrock", "modelSummaries", "modelId"),
  // Reads of 60 seconds and more time out; AWS asks to stream: https://repost.aws/knowledge-center/bedrock-large-model-read-timeouts.
  // Of the families only Claude has a number for it, and all of Claude can stream.
  streamsWhole: ({ body, model }) => {
    const { inferenceConfig } = body
    return /(?:^|[./])anthropic\./.test(model) && isObject(inferenceConfig) &&
      longForClaude(model, inferenceConfig["maxTokens"])
  },
  nonBodyOptions: merged,
  ownOptions: Object.fromEntries(merged.map((name) => [name, optional(recordOf(anything))])),
  finish
}, (definition, options) => {
  const region = options.region ?? defaultRegion
  return {
    ...definition,
    baseUrl: urlOf(region),
    ...(options.familyOf === undefined
      ? undefined
      : { protocol: BedrockConverse.make({ familyOf: options.familyOf }) }),
    ...(options.credentials === undefined ? undefined : signerOf(options.credentials, region))
  }
}, {
  region: optional(hostName),
  credentials: optional((value) => Effect.isEffect(value) ? undefined : awsCredentials(value)),
  familyOf: optional(callable)
})

/** Amazon Bedrock as data. @stability stable @category definition @since 0.1.0 */
export const definition = provider.definition

/** Makes the service. @stability stable @category constructors @since 0.1.0 */
export const make = provider.make

/** A layer from options. @stability stable @category layers @since 0.1.0 */
export const layer = provider.layer

/** A layer from `Config` values. @stability stable @category layers @since 0.1.0 */
export const layerConfig = provider.layerConfig

// =============================================================================
// Environment
// =============================================================================

const text = (...names: ReadonlyArray<string>): Config.Config<string | undefined> =>
  Config.map(
    Config.all(names.map((name) => Config.option(Config.String(name)))),
    (found) => found.map((value) => Option.getOrElse(value, () => "").trim()).find((value) => value !== "")
  )

const secret = (name: string): Config.Config<Redacted.Redacted<string> | undefined> =>
  Config.map(Config.option(Config.Redacted(name)), (found) => {
    const value = Option.getOrUndefined(found)
    return value === undefined || Redacted.value(value).trim() === "" ? undefined : value
  })

const environment: Config.Config<Options> = Config.map(
  Config.all({
    apiKey: secret("AWS_BEARER_TOKEN_BEDROCK"),
    accessKeyId: text("AWS_ACCESS_KEY_ID"),
    secretAccessKey: secret("AWS_SECRET_ACCESS_KEY"),
    sessionToken: secret("AWS_SESSION_TOKEN"),
    region: text("AWS_REGION", "AWS_DEFAULT_REGION"),
    baseUrl: text("AWS_ENDPOINT_URL_BEDROCK_RUNTIME"),
    model: text("BEDROCK_MODEL")
  }),
  ({ accessKeyId, secretAccessKey, sessionToken, ...options }) => ({
    ...options,
    ...(accessKeyId === undefined || secretAccessKey === undefined
      ? undefined
      : { credentials: { accessKeyId, secretAccessKey, sessionToken } })
  })
)

/**
 * AWS credentials from the environment, read anew each time: `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`,
 * `AWS_SESSION_TOKEN`. Fails with reason `Configuration` when they are not there.
 *
 * @stability stable
 * @category credentials
 * @since 0.1.0
 */
export const credentialsEnv: Effect.Effect<AwsCredentials, LlmError.LlmError> = Effect.gen(function*() {
  const { credentials } = yield* Effect.mapError(environment, (error) => layerError(error.message))
  if (credentials === undefined) {
    return yield* layerError(
      "No AWS credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_BEARER_TOKEN_BEDROCK.",
      "AWS_ACCESS_KEY_ID"
    )
  }
  return yield* Effect.isEffect(credentials) ? credentials : Effect.succeed(credentials)
})

/**
 * A layer from the environment: `AWS_BEARER_TOKEN_BEDROCK`, or `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and
 * `AWS_SESSION_TOKEN`; `AWS_REGION` or `AWS_DEFAULT_REGION`, `AWS_ENDPOINT_URL_BEDROCK_RUNTIME`, `BEDROCK_MODEL`.
 *
 * @stability stable
 * @category layers
 * @since 0.1.0
 */
export const layerEnv: Provider.ServiceLayer = Layer.effect(
  LlmService.LlmService,
  Effect.gen(function*() {
    const options = yield* Effect.mapError(environment, (error) => layerError(error.message))
    if (options.apiKey === undefined) yield* credentialsEnv
    return yield* make(options)
  })
)
