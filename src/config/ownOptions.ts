/**
 * Options that only one provider has: what an instance may say in `options`, and what the environment adds.
 *
 * Providers that are not in the table have none. Credentials come from the environment alone.
 *
 * @since 0.1.0
 */
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type * as LlmError from "../LlmError.ts"
import type { ProviderId } from "../provider/Llm.ts"
import { moduleOf } from "../provider/loading.ts"

/**
 * Options of a provider layer that are not those of every provider.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export type OwnOptions = { readonly [name: string]: unknown }

/**
 * What is known of an instance when its provider's own options are completed.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface Given {
  readonly options: OwnOptions
  /** The key that `apiKeyEnv` names. */
  readonly apiKey: Redacted.Redacted<string> | undefined
}

/**
 * The own options of one provider.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface Own {
  readonly schema: Schema.Codec<OwnOptions, OwnOptions>
  /** Options that the environment adds; they replace those of the same name. */
  readonly environment?:
    | ((given: Given) => Effect.Effect<OwnOptions, Config.ConfigError | LlmError.LlmError>)
    | undefined
}

const text = Schema.String.check(Schema.isNonEmpty())
const optional = Schema.optional

/** The first variable that is set and not blank. */
const variable = (...names: ReadonlyArray<string>): Config.Config<string | undefined> =>
  Config.map(
    Config.all(names.map((name) => Config.option(Config.String(name)))),
    (found) => found.map((value) => Option.getOrElse(value, () => "").trim()).find((value) => value !== "")
  )

const secret = (name: string): Config.Config<Redacted.Redacted<string> | undefined> =>
  Config.map(variable(name), (value) => value === undefined ? undefined : Redacted.make(value))

const google = {
  schema: Schema.Struct({ project: optional(text), location: optional(text) }),
  environment: ({ apiKey, options }: Given) =>
    Effect.gen(function*() {
      const found = yield* Config.all({
        project: variable("GOOGLE_CLOUD_PROJECT"),
        location: variable("GOOGLE_CLOUD_LOCATION"),
        accessToken: secret("GOOGLE_ACCESS_TOKEN"),
        key: secret("VERTEX_API_KEY")
      })
      const project = options["project"] ?? found.project
      // Without a project there is only express mode, which takes API keys; with one, tokens.
      const credential = apiKey === undefined
        ? { accessToken: found.accessToken, apiKey: found.key }
        : project === undefined
        ? { accessToken: undefined, apiKey }
        : { accessToken: apiKey, apiKey: undefined }
      return { project, location: options["location"] ?? found.location, ...credential }
    })
}

const own: { readonly [Id in ProviderId]?: Own } = {
  anthropic: { schema: Schema.Struct({ version: optional(text), betas: optional(Schema.Array(text)) }) },
  azure: {
    schema: Schema.Struct({
      resource: optional(text),
      apiVersion: optional(text),
      auth: optional(Schema.Literals(["api-key", "entra"])),
      api: optional(Schema.Literals(["responses", "chat"]))
    }),
    environment: ({ options }) =>
      Effect.map(variable("AZURE_OPENAI_API_VERSION"), (found) => ({ apiVersion: options["apiVersion"] ?? found }))
  },
  bedrock: {
    schema: Schema.Struct({ region: optional(text) }),
    environment: ({ apiKey, options }) =>
      Effect.gen(function*() {
        const found = yield* Config.all({
          region: variable("AWS_REGION", "AWS_DEFAULT_REGION"),
          bearer: variable("AWS_BEARER_TOKEN_BEDROCK")
        })
        const region = options["region"] ?? found.region
        if (apiKey !== undefined || found.bearer !== undefined) return { region }
        const { credentialsEnv } = yield* Effect.promise(() => moduleOf("Bedrock"))
        return { region, credentials: yield* credentialsEnv }
      })
  },
  ollama: {
    schema: Schema.Struct({
      api: optional(Schema.Literals(["native", "chat"])),
      think: optional(Schema.Literals(["switch", "levels"])),
      thinkTags: optional(Schema.Boolean)
    })
  },
  openai: { schema: Schema.Struct({ api: optional(Schema.Literals(["responses", "chat"])) }) },
  "openai-compatible": { schema: Schema.Struct({ id: optional(text) }) },
  vertex: google,
  "vertex-anthropic": google
}

/**
 * The own options of a provider.
 *
 * @stability stable
 * @category accessors
 * @since 0.1.0
 */
export const of = (provider: ProviderId): Own => own[provider] ?? none

const none: Own = { schema: Schema.Record(Schema.String, Schema.Never) }
