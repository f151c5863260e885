/**
 * What is said of an MCP server: where it is, what of it is taken, and how far it is trusted.
 *
 * Public through `Mcp`, which re-exports everything here.
 *
 * @since 0.1.0
 */
import type { FetchLike, OAuthClientProvider, Transport } from "@modelcontextprotocol/client"
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import type { Service } from "../../LlmService.ts"
import type { Json, JsonObject, Message } from "../../Message.ts"

// =============================================================================
// Where a server is
// =============================================================================

/**
 * A server that is a program, spoken to over its standard input and output. Of the environment it gets what `env` says and a few
 * harmless names (`PATH`, `HOME`, …).
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Stdio {
  readonly type: "stdio"
  /** Program to start; no shell reads it. */
  readonly command: string
  /** Arguments of the program. @default none */
  readonly args?: ReadonlyArray<string> | undefined
  /** Environment variables of the program, beside the few that every program gets. @default none */
  readonly env?: Readonly<Record<string, string | Redacted.Redacted>> | undefined
  /** @default the directory of this process */
  readonly cwd?: string | undefined
  /** Where what it writes to its standard error goes. @default "ignore" */
  readonly stderr?: "ignore" | "inherit" | undefined
}

/**
 * A server at a URL, spoken to over streamable HTTP. Redirects to another origin are not followed.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Http {
  readonly type: "http"
  /** Address of the server's endpoint. */
  readonly url: string
  /** Sent with every request. Their values never show in errors. */
  readonly headers?: Readonly<Record<string, string | Redacted.Redacted>> | undefined
  /** Authorizes by OAuth: a provider of the SDK, https://ts.sdk.modelcontextprotocol.io/v2/clients/connect */
  readonly authProvider?: OAuthClientProvider | undefined
  /** @default the runtime's own */
  readonly fetch?: FetchLike | undefined
}

/**
 * A server behind a transport of the SDK. `open` is run for each connection, and gives a transport that was not started yet.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Custom {
  readonly type: "transport"
  /** Opens a transport, anew for each connection. */
  readonly open: Effect.Effect<Transport, unknown>
}

/**
 * Where a server is.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export type Endpoint = Stdio | Http | Custom

// =============================================================================
// What a server may ask for
// =============================================================================

/**
 * What a server wants of a person: fields to fill in, or a page to visit. It is the server's text; show it as such, with the server's name.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Elicitation {
  /** Name of the server that asks. */
  readonly server: string
  /** What it asks, for a person to read. */
  readonly message: string
  /** JSON Schema of the fields, for a form. */
  readonly schema?: JsonObject | undefined
  /** The page, which is not to be opened before the person has seen its host and agreed. */
  readonly url?: string | undefined
}

/**
 * What a person answers. `content` holds the fields of a form that was accepted.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface ElicitationAnswer {
  /** Whether the person answered, said no, or went away. */
  readonly action: "accept" | "decline" | "cancel"
  /** What the person filled in, with `accept`. */
  readonly content?: JsonObject | undefined
}

/**
 * A model that servers may ask, through whatever policies are on it.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Sampling {
  /** Who answers what servers ask of a model. */
  readonly service: Service
  /** Tokens of an answer, at most. @default 1,024 */
  readonly maxTokens?: number | undefined
  /** Answers in the course of one call, at most. @default 8 */
  readonly maxRequests?: number | undefined
  /** Whether a server may ask this. @default it may */
  readonly allow?:
    | ((request: {
      /** Name of the server that asks. */
      readonly server: string
      /** What it wants the model to be asked. */
      readonly messages: ReadonlyArray<Message>
    }) => Effect.Effect<boolean>)
    | undefined
}

// =============================================================================
// Limits
// =============================================================================

/**
 * How far a server is followed.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Limits {
  /** Connecting, the handshake included. @default "30 seconds" */
  readonly connect?: Duration.Input | undefined
  /** Reading all pages of one list. @default "30 seconds" */
  readonly list?: Duration.Input | undefined
  /** A call with all its rounds, repetitions and progress. @default "2 minutes" */
  readonly call?: Duration.Input | undefined
  /** A call of which nothing is heard, progress neither. @default "1 minute" */
  readonly idle?: Duration.Input | undefined
  /** How long a list counts that its server gives no time for. @default "5 minutes" */
  readonly listAge?: Duration.Input | undefined
  /** Entries of one list; what comes after is left out. @default 512 */
  readonly listItems?: number | undefined
  /** Pages of one list. @default 64 */
  readonly listPages?: number | undefined
  /** Bytes of a message of the server. @default 16 MiB */
  readonly messageBytes?: number | undefined
  /** Bytes of a result's text that the model sees, head and tail. @default 51,200 */
  readonly resultBytes?: number | undefined
  /** Bytes of a result's images, sounds and files. @default 8 MiB */
  readonly mediaBytes?: number | undefined
  /** Rounds in which a server asks back in one call. @default 8 */
  readonly rounds?: number | undefined
  /** Bytes of what a server asks back, its state included, in one round. @default 256 KiB */
  readonly roundBytes?: number | undefined
  /** Times a call is repeated whose answer was lost, if its tool is idempotent. @default 2 */
  readonly repeats?: number | undefined
}

// =============================================================================
// A server
// =============================================================================

/**
 * A tool as its server describes it.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface ToolInfo {
  /** Name of the server that offers it. */
  readonly server: string
  /** The server's own name for it. */
  readonly name: string
  /** Name for people, from the server. */
  readonly title?: string | undefined
  /** What the server says of it: words of a stranger. */
  readonly description?: string | undefined
  /** JSON Schema of the arguments. */
  readonly parameters: JsonObject
  /** JSON Schema of structured results, when the server has one. */
  readonly output?: JsonObject | undefined
  /** The server's word alone. */
  readonly readOnly: boolean
  /** The server's word alone. */
  readonly idempotent: boolean
  /** The server's word alone. */
  readonly destructive: boolean
  /** Digest of all that was said of it. */
  readonly definition: string
}

/**
 * Options of one server.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface ServerOptions {
  /** How the server is reached. */
  readonly endpoint: Endpoint
  /**
   * Which revisions are spoken: `auto` asks the server, `modern` is 2026-07-28 alone, `legacy` what came before it. @default "auto"
   */
  readonly era?: "auto" | "modern" | "legacy" | undefined
  /** Stands before the names of its tools. @default the name of the server and `_` */
  readonly prefix?: string | undefined
  /** Which of its tools there are, by the server's own names or by what is said of them. @default all */
  readonly allow?: ReadonlyArray<string> | ((tool: ToolInfo) => boolean) | undefined
  /** Whether somebody has to approve a call. A tool that has changed is asked for in any case. @default false */
  readonly needsApproval?: boolean | ((tool: ToolInfo, params: Json) => boolean) | undefined
  /**
   * Definitions that were agreed to before, by the server's own names, as `Mcp.definitions` gave them. A tool that differs, or that is not
   * among them, asks for approval. @default what the server says first
   */
  readonly definitions?: Readonly<Record<string, string>> | undefined
  /** Whether a tool counts as idempotent, or as one that only reads, because its server says so. @default true */
  readonly trustAnnotations?: boolean | undefined
  /**
   * What becomes of a call whose answer was lost, or did not come in time, and that may not be repeated: `unknown` to its run, or told to
   * the model. @default "unknown"
   */
  readonly onLost?: "unknown" | "tell" | undefined
  /** Whether tools for the model are made of its resources: one that lists them and one that reads. @default false */
  readonly resourceTools?: boolean | undefined
  /** Asks a person at once. What it does not answer (`undefined`) waits as a deferred call, where the server can wait. */
  readonly elicit?: ((elicitation: Elicitation) => Effect.Effect<ElicitationAnswer | undefined>) | undefined
  /** Whether a call may wait for a person; else servers are told that nobody can be asked, unless there is `elicit`. @default true */
  readonly defer?: boolean | undefined
  /** A model for the server. @default none */
  readonly sampling?: Sampling | undefined
  /** Directories and the like that the server may know of, by URI. @default none */
  readonly roots?:
    | ReadonlyArray<{
      /** A `file:` address that the server may work in. */
      readonly uri: string
      /** Name for people. @default none */
      readonly name?: string | undefined
    }>
    | undefined
  /** How much the server may send and take. @default those of `Limits` */
  readonly limits?: Limits | undefined
}
