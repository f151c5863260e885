/**
 * Resources and prompts of servers: what there is, read, and as tools of the model.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Handlers from "../../agent/Handlers.ts"
import { cut } from "../../agent/handlers/texts.ts"
import * as LlmTool from "../../LlmTool.ts"
import type { Json, JsonObject, Message } from "../../Message.ts"
import { cap } from "../../transport/secrets/Redaction.ts"
import { type Call, firstRound, makeCall } from "./call.ts"
import { type ContentPart, contentsOf } from "./content.ts"
import { McpError } from "./errors.ts"
import { messagesOf } from "./input.ts"
import { nameOf } from "./names.ts"
import type { Server } from "./server.ts"
import { rawOf } from "./tidy.ts"

/**
 * A resource of a server, or a template of many.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Resource {
  /** Name of the server that has it. */
  readonly server: string
  /** Of a template, with `{names}` to be filled in. https://www.rfc-editor.org/rfc/rfc6570 */
  readonly uri: string
  /** Whether its address has places to fill in. */
  readonly isTemplate: boolean
  /** The server's name for it. */
  readonly name: string
  /** Name for people, from the server. */
  readonly title?: string | undefined
  /** What the server says of it. */
  readonly description?: string | undefined
  /** What it is, when the server says so. */
  readonly mediaType?: string | undefined
}

/**
 * A prompt of a server.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Prompt {
  /** Name of the server that has it. */
  readonly server: string
  /** The server's name for it. */
  readonly name: string
  /** Name for people, from the server. */
  readonly title?: string | undefined
  /** What the server says of it. */
  readonly description?: string | undefined
  /** What it can be filled in with. */
  readonly arguments: ReadonlyArray<{
    /** Name of the argument. */
    readonly name: string
    /** What the server says of the argument. */
    readonly description?: string | undefined
    /** Whether it has to be given. */
    readonly required: boolean
  }>
}

type Entry = { readonly [name: string]: unknown }

const text = <Name extends string>(entry: Entry, from: string, to: Name): { readonly [N in Name]?: string } => {
  const value = entry[from]
  return (typeof value === "string" ? { [to]: cap(value, 16 * 1024) } : {}) as { readonly [N in Name]?: string }
}

const resourceOf = (server: string, isTemplate: boolean) => (entry: Entry): Resource => ({
  server,
  uri: entry[isTemplate ? "uriTemplate" : "uri"] as string,
  isTemplate,
  name: entry.name as string,
  ...text(entry, "title", "title"),
  ...text(entry, "description", "description"),
  ...text(entry, "mimeType", "mediaType")
})

const byUri = (a: Resource, b: Resource): number => a.uri < b.uri ? -1 : a.uri > b.uri ? 1 : 0

/** The resources of a server, in the order of their URIs, templates after them. @stability experimental @category lists @since 0.1.0 */
export const resourcesOf = (server: Server): Effect.Effect<ReadonlyArray<Resource>> =>
  Effect.map(Effect.all([server.resources.get, server.templates.get]), ([resources, templates]) => [
    ...resources.map(resourceOf(server.name, false)).toSorted(byUri),
    ...templates.map(resourceOf(server.name, true)).toSorted(byUri)
  ])

/** The prompts of a server, in the order of their names. @stability experimental @category lists @since 0.1.0 */
export const promptsOf = (server: Server): Effect.Effect<ReadonlyArray<Prompt>> =>
  Effect.map(server.prompts.get, (entries) =>
    entries.map((entry): Prompt => ({
      server: server.name,
      name: entry.name as string,
      ...text(entry, "title", "title"),
      ...text(entry, "description", "description"),
      arguments: (Array.isArray(entry.arguments) ? entry.arguments as ReadonlyArray<Entry> : []).map((argument) => ({
        name: argument.name as string,
        ...text(argument, "description", "description"),
        required: argument.required === true
      }))
    })).toSorted((a, b) => a.name < b.name ? -1 : a.name > b.name ? 1 : 0))

const asked = (server: Server, what: string, send: Call["send"]): Effect.Effect<unknown, McpError> =>
  Effect.flatMap(
    makeCall(server.connection, server.options, { what, repeatable: true, from: firstRound, send }),
    (called) => {
      const failed = (kind: McpError["kind"], message: string) =>
        Effect.fail(new McpError({ server: server.name, kind, message: `${server.name}: ${what} ${message}` }))
      switch (called._tag) {
        case "Result":
          return Effect.succeed(rawOf(called.result))
        case "Asked":
          return failed("InputRequired", "asks for a person, and nobody answered.")
        default:
          return Effect.fail(called.error)
      }
    }
  )

/** Reads a resource. @stability experimental @category reading @since 0.1.0 */
export const readResource = (server: Server, uri: string): Effect.Effect<ReadonlyArray<ContentPart>, McpError> =>
  Effect.map(
    asked(
      server,
      "A resource",
      ({ client, era }, replies, options) =>
        client.readResource({ uri, ...(era === "modern" ? replies : undefined) }, { ...options, cacheMode: "bypass" })
    ),
    (contents) => contentsOf(Array.isArray(contents) ? contents : [], server.connection.bounds)
  )

/** The messages of a prompt. @stability experimental @category reading @since 0.1.0 */
export const readPrompt = (
  server: Server,
  name: string,
  args: Readonly<Record<string, string>>
): Effect.Effect<ReadonlyArray<Message>, McpError> =>
  Effect.flatMap(
    asked(server, "A prompt", ({ client, era }, replies, options) =>
      client.getPrompt({ name, arguments: { ...args }, ...(era === "modern" ? replies : undefined) }, options)),
    (messages) => {
      const read = messagesOf(messages, server.connection.bounds)
      return read === undefined
        ? Effect.fail(
          new McpError({ server: server.name, kind: "Answer", message: `${server.name}: The prompt cannot be read.` })
        )
        : Effect.succeed(read)
    }
  )

// =============================================================================
// As tools
// =============================================================================

const asJson = ({ description, isTemplate, mediaType, name, title, uri }: Resource): JsonObject => ({
  [isTemplate ? "uriTemplate" : "uri"]: uri,
  name,
  ...(title === undefined ? undefined : { title }),
  ...(description === undefined ? undefined : { description }),
  ...(mediaType === undefined ? undefined : { mediaType })
})

/** Resources that a model is shown at once. */
const maxShown = 200

/** Two tools by which a model finds and reads resources. @stability experimental @category tools @since 0.1.0 */
export const resourceTools = (server: Server, taken: ReadonlySet<string>): Handlers.Handlers => {
  const { connection: { bounds }, name, names: { marked, prefix }, options } = server
  const named = (own: string) => nameOf(name, prefix, marked, own)
  const [list, read] = [named("list_resources"), named("read_resource")]
  const execution = {
    needsApproval: options.needsApproval === true,
    idempotent: true,
    failureMode: "return",
    maxResultBytes: bounds.resultBytes
  } as const
  const tools = [
    LlmTool.fromJsonSchema(list, {
      ...execution,
      description: `Lists the resources of ${name}.`,
      parameters: { type: "object", properties: {}, additionalProperties: false }
    }),
    LlmTool.fromJsonSchema(read, {
      ...execution,
      description: `Reads a resource of ${name} by its URI.`,
      parameters: {
        type: "object",
        properties: { uri: { type: "string" } },
        required: ["uri"],
        additionalProperties: false
      }
    })
  ].filter((tool) => !taken.has(tool.name)) as ReadonlyArray<LlmTool.FunctionTool>
  return Handlers.through(tools, (tool, params): Effect.Effect<Json | Handlers.Output> => {
    if (tool === list) return Effect.map(resourcesOf(server), (all) => all.slice(0, maxShown).map(asJson))
    return Effect.match(readResource(server, String((params as { readonly uri: string }).uri)), {
      onFailure: ({ message }) => Handlers.output(message, { isError: true }),
      onSuccess: (parts) => Handlers.output(cut(parts, bounds.resultBytes))
    })
  })
}
