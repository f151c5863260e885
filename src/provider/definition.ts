/**
 * A provider as data, and the options that every layer of one has.
 *
 * Public through `Provider`, which re-exports everything here.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import type * as LlmError from "../LlmError.ts"
import type { Issue, RequestOptions, Timeouts } from "../LlmRequest.ts"
import type { JsonObject } from "../Message.ts"
import type { Capabilities, ModelMeta } from "../Model.ts"
import type { LoadCatalogue } from "../model/catalogue.ts"
import type { ModelOverrides } from "../model/facts.ts"
import type { Protocol } from "../protocol/Protocol.ts"
import type { Fields } from "../validation/values.ts"

// =============================================================================
// Definition
// =============================================================================

/**
 * How a provider wants its credential: a bearer token, a header of its own, or none (a key is then sent as a
 * bearer token only if given, for proxies in front of local servers).
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export type Auth =
  | { readonly type: "bearer" }
  | {
    readonly type: "header"
    /** Name of the header that holds the key. */
    readonly name: string
  }
  | { readonly type: "none" }

/**
 * The environment variables of a provider.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface Environment {
  /** Variables that may hold the key; the first that is set counts. */
  readonly apiKey: ReadonlyArray<string>
  /** Variable that holds the base URL. @default none */
  readonly baseUrl?: string | undefined
  /** Variable that holds the address of the server in the host's own form; counts when `baseUrl` is not set. */
  readonly host?: string | undefined
  /** Variable that holds the model for requests that name none. @default none */
  readonly model?: string | undefined
  /** Variables that set a header, by header name. */
  readonly headers?: { readonly [header: string]: string } | undefined
}

/**
 * A request on its way out, as `Definition.finish` sees it.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface Outgoing {
  /** Below the base URL, with a leading slash; may have a query. */
  readonly path: string
  /** Headers as they will be sent, without the credential. */
  readonly headers: { readonly [name: string]: string }
  /** The JSON body, `providerOptions` merged in. */
  readonly body: JsonObject
}

/**
 * A request before it is signed.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface Unsigned {
  /** HTTP method. */
  readonly method: "GET" | "POST"
  /** Whole address, with its query. */
  readonly url: string
  /** Headers as they will be sent, names in lower case. */
  readonly headers: { readonly [name: string]: string }
  /** The text of the body; empty for a `GET`. */
  readonly body: string
}

/**
 * What a signature adds to a request.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface Signed {
  /** Headers to add, the signature among them. */
  readonly headers: { readonly [name: string]: string }
  /** Values that must not appear in anything rendered. */
  readonly secrets: ReadonlyArray<string>
  /** What `renew` is told when the signature was rejected, so that nothing newer is forgotten. */
  readonly signedWith?: unknown
}

/**
 * A whole answer that is about to be asked for, as `Definition.streamsWhole` sees it.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface WholeAnswer {
  /** The model that is asked. */
  readonly model: string
  /** The body as it would be sent. */
  readonly body: JsonObject
}

/**
 * What a token count is made of.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface Counting {
  /** The request as it would be sent. */
  readonly outgoing: Outgoing
  /** The model that would be asked. */
  readonly model: string
  /** Without its query, which goes along by itself. */
  readonly baseUrl: string
}

/**
 * A request that counts tokens, and how its answer is read.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface CountRequest {
  /** Whole address to post to. */
  readonly url: string
  /** The JSON body. */
  readonly body: JsonObject
  /** Tokens in the answer, `undefined` when it has none. */
  readonly read: (answer: unknown) => number | undefined
}

/**
 * A provider as data.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface Definition {
  /** Stable id: `LLM_PROVIDER` value, key of `providerOptions`, `gen_ai.provider.name`. */
  readonly id: string
  /** Name for people. */
  readonly name: string
  /** The wire, with what this host does differently. */
  readonly protocol: Protocol
  /** Without a trailing slash; the wire's path comes after it. */
  readonly baseUrl: string
  /** Where the credential goes. */
  readonly auth: Auth
  /** Which environment variables `layerEnv` reads. */
  readonly env: Environment
  /** Model used when options and request name none. */
  readonly defaultModel?: string | undefined
  /** Headers of every request. @default none */
  readonly headers?: { readonly [name: string]: string } | undefined
  /** What the host takes at large. @default not known */
  readonly capabilities?: Capabilities | undefined
  /** Loads what is known of its models, at the first call. */
  readonly catalogue?: LoadCatalogue | undefined
  /** Where the API is documented. */
  readonly docs: string
  /**
   * What becomes of a base URL that an application or the environment gives. It keeps user, query and fragment, which are refused or
   * sent along after it. @default it is taken as it is
   */
  readonly baseUrlOf?: ((given: string) => string) | undefined
  /** Where models are listed; the base URL comes without its query. @default `/models` below the base URL */
  readonly modelsUrl?: ((baseUrl: string) => string) | undefined
  /** Reads the list of models; `undefined` where there is none. @default OpenAI's `{ data: [{ id }] }` */
  readonly readModels?: ((body: unknown) => ReadonlyArray<ModelMeta> | undefined) | undefined
  /** What of a page of that list asks for the next one, as query parameters. @default there is one page */
  readonly nextModels?: ((body: unknown) => { readonly [parameter: string]: string } | undefined) | undefined
  /**
   * Last change to a request: typed options that are not body fields, a path that differs.
   * `options` is `request.providerOptions[id]` merged over the layer's. An issue refuses the request.
   */
  readonly finish?: ((outgoing: Outgoing, options: JsonObject) => Outgoing | Issue) | undefined
  /** Checks of what `finish` or the wire reads of `providerOptions[id]`; what is only sent is the provider's to refuse. */
  readonly ownOptions?: Fields | undefined
  /** Keys of `providerOptions[id]` that `finish` uses up and that are not body fields. */
  readonly nonBodyOptions?: ReadonlyArray<string> | undefined
  /**
   * Whether the provider refuses or endangers this answer unless it is streamed; `generate` then streams below and folds, unless the
   * request says `whole: "whole"`. With the reason and its URL where it is set. @default no answer
   */
  readonly streamsWhole?: ((asked: WholeAnswer) => boolean) | undefined
  /** How the provider counts the input tokens of a request. @default a local estimate, marked as such */
  readonly countTokens?: ((given: Counting) => CountRequest) | undefined
  /** Signs the requests that have no API key, anew each time. */
  readonly sign?: ((request: Unsigned) => Effect.Effect<Signed, LlmError.LlmError>) | undefined
  /** Forgets what was signed with (`Signed.signedWith`), after it was rejected; the call is then made once more. */
  readonly renew?: ((rejected: unknown) => Effect.Effect<undefined>) | undefined
}

// =============================================================================
// Options
// =============================================================================

/**
 * Gives the credential anew for each request, so that rotation needs no restart. With `refresh`, a token that the provider
 * rejects is replaced once and the call made again.
 *
 * @stability stable
 * @category options
 * @since 0.1.0
 */
export type Credentials =
  | Effect.Effect<Redacted.Redacted<string>, LlmError.LlmError>
  | {
    /** The credential for the next request; may keep it as long as it is good. */
    readonly get: Effect.Effect<Redacted.Redacted<string>, LlmError.LlmError>
    /** A new credential, after one was refused. */
    readonly refresh: Effect.Effect<Redacted.Redacted<string>, LlmError.LlmError>
  }

/**
 * Options every provider layer has.
 *
 * @stability stable
 * @category options
 * @since 0.1.0
 */
export interface Options {
  /** The API key, or an effect that gives it for each request. */
  readonly apiKey?: Redacted.Redacted<string> | Credentials | undefined
  /**
   * Overrides the provider's URL, for proxies and self-hosted servers. Refused with a user or a password in it; a query stays
   * behind the path of every request.
   */
  readonly baseUrl?: string | undefined
  /** Model used when a request names none. */
  readonly model?: string | undefined
  /** Tells instances of one provider apart in telemetry and responses. */
  readonly label?: string | undefined
  /** Extra headers of every request. Those that are named like credentials are secrets like the key. */
  readonly headers?: { readonly [name: string]: string } | undefined
  /** Time limits of every call; a request's own go over them, field by field. */
  readonly timeouts?: Timeouts | undefined
  /** Facts about models, by id, that differ from the catalogue's or are missing there. */
  readonly models?: ModelOverrides | undefined
  /** Defaults of every request; the request's own options win. */
  readonly defaults?: Omit<RequestOptions, "apiKey" | "model" | "label"> | undefined
}
