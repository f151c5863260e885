/**
 * MCP servers as tools, and tools as an MCP server, by the official SDK (`@modelcontextprotocol/client` and `/server` 2.x, optional peers).
 *
 * `make` connects to any number of servers, of the stateless revision 2026-07-28 and of those before it, over standard input and output and
 * streamable HTTP. Its tools are `Handlers`, as any others of an agent; resources and prompts are messages. `serve` offers tools, or an agent, to
 * the clients of others.
 *
 * - A server that is broken takes nothing with it: its tools are absent, or their calls say what is wrong.
 * - A call is made at most once, unless its tool is idempotent; one whose answer was lost is `unknown` to its run.
 * - A server that asks for a person is waited for as a deferred call of the run, which is plain data until then.
 * - A tool that is not what it was when it was first seen asks for approval.
 * - All that comes from a server is bounded and untrusted: lists, pages, names, schemas, progress, states, results.
 *
 * It does not sandbox the programs it starts, judge what tools do, or run the tasks extension.
 *
 * https://modelcontextprotocol.io/specification/2026-07-28, https://modelcontextprotocol.io/specification/2025-11-25
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type { Scope } from "effect/Scope"
import * as Handlers from "../agent/Handlers.ts"
import type { ToolResultPart } from "../Message.ts"
import type { JsonObject, Message } from "../Message.ts"
import { cap } from "../transport/secrets/Redaction.ts"
import type { ContentPart } from "./mcp/content.ts"
import { McpError } from "./mcp/errors.ts"
import { responseOf, wrongWith } from "./mcp/input.ts"
import { overlaps, prefixOf } from "./mcp/names.ts"
import type { Custom, ElicitationAnswer, Http, ServerOptions, Stdio, ToolInfo } from "./mcp/options.ts"
import { Pending } from "./mcp/pending.ts"
import { goOn, handlersOf, type Server, serverOf, type Waiting } from "./mcp/server.ts"
import {
  type Prompt,
  promptsOf,
  readPrompt,
  readResource,
  type Resource,
  resourcesOf,
  resourceTools
} from "./mcp/texts.ts"
import { isObject } from "./mcp/values.ts"

export { McpError, type McpErrorKind } from "./mcp/errors.ts"
export type {
  Custom,
  Elicitation,
  ElicitationAnswer,
  Endpoint,
  Http,
  Limits,
  Sampling,
  ServerOptions,
  Stdio,
  ToolInfo
} from "./mcp/options.ts"
export { Pending } from "./mcp/pending.ts"
export { serve, type Served, type ServeOptions } from "./mcp/serve.ts"
export type { Prompt, Resource } from "./mcp/texts.ts"

// =============================================================================
// Endpoints
// =============================================================================

/**
 * A program, by its command.
 *
 * @stability experimental
 * @category endpoints
 * @since 0.1.0
 */
export const stdio = (command: string, options: Omit<Stdio, "type" | "command"> = {}): Stdio => ({
  type: "stdio",
  command,
  ...options
})

/**
 * A server at a URL.
 *
 * @stability experimental
 * @category endpoints
 * @since 0.1.0
 */
export const http = (url: string, options: Omit<Http, "type" | "url"> = {}): Http => ({ type: "http", url, ...options })

/**
 * A server behind a transport of the SDK, such as one in this process.
 *
 * @stability experimental
 * @category endpoints
 * @since 0.1.0
 */
export const transport = (open: Custom["open"]): Custom => ({ type: "transport", open })

// =============================================================================
// Models
// =============================================================================

/**
 * How a server is.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Status {
  /** Name of the server among those that were opened. */
  readonly server: string
  /** `idle` until it is first needed. */
  readonly state: "idle" | "up" | "down"
  /** Revision of the protocol that is spoken. */
  readonly version?: string | undefined
  /** What the server calls itself. */
  readonly software?: {
    /** What the server calls itself. */
    readonly name: string
    /** Version of the server's software, in its own words. */
    readonly version: string
  } | undefined
  /** What the server says to models. It is the server's word: put it into instructions only if you trust it. */
  readonly instructions?: string | undefined
  /** What is missing or wrong, in plain words. */
  readonly problems: ReadonlyArray<string>
}

/**
 * What came of a call that waited: its result, for `results` of `Agent.run`, or that it waits again.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export type Answer =
  | {
    readonly _tag: "Result"
    /** What the model sees. */
    readonly content: ToolResultPart["content"]
    /** The tool failed, and the content tells why. */
    readonly isError: boolean
  }
  | {
    readonly _tag: "Pending"
    /** What the server asks for before it goes on; plain JSON, to be stored. */
    readonly pending: Pending
  }

/**
 * Options of {@link make}.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** Who says to be connecting. @default effect-llm */
  readonly client?: {
    /** What this application calls itself towards servers. */
    readonly name: string
    /** Its version, in its own words. */
    readonly version: string
  } | undefined
  /** Told of each call that begins to wait, to be stored; one that fails ends the call. @default they are kept in memory */
  readonly onPending?: ((pending: Pending) => Effect.Effect<void, unknown>) | undefined
  /** Calls that wait in memory at once. @default 256 */
  readonly maxPending?: number | undefined
}

/**
 * A set of servers.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Servers {
  /**
   * The tools there are now, in the order of the servers and of the tools' names. Lists that changed or do not count any more are read anew; give
   * a run what this gives when it starts or is resumed.
   */
  readonly tools: Effect.Effect<Handlers.Handlers>
  /** What is known of each tool, under the name by which it is offered. */
  readonly describe: Effect.Effect<
    ReadonlyArray<
      ToolInfo & {
        /** The name under which models are offered it. */
        readonly offeredAs: string
        /** Whether its definition is another than the one that was trusted. */
        readonly changed: boolean
      }
    >
  >
  /** Agrees to what a tool is now, by the name under which it is offered. `false` when there is no such tool. */
  readonly accept: (name: string) => Effect.Effect<boolean>
  /** What is agreed to, by server and the server's own name of the tool: for `definitions` of the next process. */
  readonly definitions: Effect.Effect<Readonly<Record<string, Readonly<Record<string, string>>>>>
  /** Resources of all servers, each with its server. */
  readonly resources: Effect.Effect<ReadonlyArray<Resource>>
  /** A resource as parts of a message. */
  readonly resource: (server: string, uri: string) => Effect.Effect<ReadonlyArray<ContentPart>, McpError>
  /** Prompts of all servers, each with its server. */
  readonly prompts: Effect.Effect<ReadonlyArray<Prompt>>
  /** A prompt as messages. */
  readonly prompt: (
    server: string,
    name: string,
    args?: Readonly<Record<string, string>>
  ) => Effect.Effect<ReadonlyArray<Message>, McpError>
  /** Calls that wait for a person, oldest first. */
  readonly pending: Effect.Effect<ReadonlyArray<Pending>>
  /**
   * Answers all that a waiting call asks, and goes on with it. Fails with `Lost` when nobody knows what came of it, and with `Input` when the
   * answers do not fit; the call then still waits.
   */
  readonly answer: (
    pending: Pending,
    answers: Readonly<Record<string, ElicitationAnswer>>
  ) => Effect.Effect<Answer, McpError>
  /**
   * Goes on with an authorization: with the query of the address that a person was sent back to, after the `authProvider` of the server sent them
   * away. The server is connected again when it is next needed.
   */
  readonly finishAuth: (server: string, callback: URLSearchParams) => Effect.Effect<void, McpError>
  /** How each server fares now. */
  readonly status: Effect.Effect<ReadonlyArray<Status>>
}

// =============================================================================
// Constructors
// =============================================================================

const identity = { name: "effect-llm", version: "0.1.0" }

const defaultMaxPending = 256

/**
 * Connects to servers, by names of your own, when they are first needed. It never fails: what is wrong with a server is told by `status` and by
 * calls of its tools. Connections and programs are given back with the scope.
 *
 * @example
 * ```ts
 * const servers = yield* Mcp.make({
 *   files: { endpoint: Mcp.stdio("npx", { args: ["-y", "@modelcontextprotocol/server-filesystem", "."] }), allow: ["read_file"] },
 *   issues: { endpoint: Mcp.http("https://mcp.example.com/mcp", { headers: { authorization: token } }), needsApproval: true }
 * })
 * const agent = Agent.make({ tools: yield* servers.tools })
 * ```
 *
 * @stability experimental
 * @category constructors
 * @since 0.1.0
 */
export const make = (
  servers: Readonly<Record<string, ServerOptions>>,
  options: Options = {}
): Effect.Effect<Servers, never, Scope> =>
  Effect.gen(function*() {
    const all: Array<Server> = []
    const prefixes: Array<string> = []
    for (const [name, given] of Object.entries(servers)) {
      const prefix = prefixOf(given.prefix ?? `${name}_`)
      const marked = prefixes.some((earlier) => overlaps(earlier, prefix))
      prefixes.push(prefix)
      all.push(yield* serverOf(name, given, { prefix, marked }, options.client ?? identity))
    }
    return serversOf(all, options)
  })

const serversOf = (all: ReadonlyArray<Server>, options: Options): Servers => {
  const { maxPending = defaultMaxPending, onPending } = options
  const pendings = new Map<string, Pending>()
  const keyOf = ({ id, server }: Pending) => JSON.stringify([server, id])
  const waiting: Waiting = {
    keep: (pending) =>
      Effect.suspend(() => {
        const key = keyOf(pending)
        if (!pendings.has(key) && pendings.size >= maxPending) return Effect.succeed(false)
        pendings.set(key, pending)
        if (onPending === undefined) return Effect.succeed(true)
        return Effect.catchCause(Effect.as(Effect.suspend(() => onPending(pending)), true), () =>
          Effect.sync(() => {
            pendings.delete(key)
            return false
          }))
      })
  }
  const each = <A>(f: (server: Server) => Effect.Effect<A>): Effect.Effect<Array<A>> =>
    Effect.forEach(all, f, { concurrency: "unbounded" })

  const one = (name: string): Effect.Effect<Server, McpError> => {
    const found = all.find((server) => server.name === name)
    return found === undefined
      ? Effect.fail(
        new McpError({ server: name, kind: "Input", message: `There is no server ${JSON.stringify(name)}.` })
      )
      : Effect.succeed(found)
  }

  const toolsOf = (server: Server): Effect.Effect<Handlers.Handlers> =>
    Effect.map(handlersOf(server, waiting), (handlers) => {
      const { current } = server.connection
      if (server.options.resourceTools !== true) return handlers
      if (current()?.client.getServerCapabilities()?.resources === undefined) return handlers
      return Handlers.merge(handlers, resourceTools(server, new Set(handlers.tools.map(({ name }) => name))))
    })

  const answer: Servers["answer"] = (given, answers) =>
    Effect.gen(function*() {
      // A stored call may be anything by now.
      const read = Schema.decodeResult(Pending)(given)
      const failed = (message: string) => new McpError({ server: "", kind: "Input", message })
      if (Result.isFailure(read)) return yield* failed("This is no call that waits.")
      const pending = read.success
      const server = yield* one(pending.server)
      const responses: Record<string, JsonObject> = { ...pending.responses }
      for (const [key, elicitation] of Object.entries(pending.asks)) {
        const answer = Object.hasOwn(answers, key) ? answers[key] : undefined
        if (!isObject(answer) || !["accept", "decline", "cancel"].includes(String(answer.action))) {
          return yield* failed(`There is no answer to ${JSON.stringify(cap(key, 128))}.`)
        }
        const wrong = wrongWith(elicitation, answer)
        if (wrong !== undefined) return yield* failed(`The answer to ${JSON.stringify(cap(key, 128))}: ${wrong}`)
        Object.defineProperty(responses, key, { value: responseOf(elicitation, answer), enumerable: true })
      }
      const key = keyOf(pending)
      const kept = pendings.get(key)
      // Taken before it is sent: who answers twice at once has answered once.
      if (kept !== undefined) pendings.delete(key)
      const back = Effect.sync(() => {
        if (kept !== undefined && !pendings.has(key) && pendings.size < maxPending) pendings.set(key, kept)
      })
      const next = yield* Effect.tapError(
        goOn(server, pending, responses),
        ({ kind }) => kind === "Input" || kind === "Connection" ? back : Effect.void
      )
      if (!("version" in next)) return { _tag: "Result", content: next.content, isError: next.isError }
      yield* waiting.keep(next)
      return { _tag: "Pending", pending: next }
    })

  return {
    tools: Effect.map(each(toolsOf), (sets) => {
      const all: Handlers.Handlers = Handlers.merge(...sets)
      // Of two tools with one name, whatever a server did for it, the first is run; the other one is not shown.
      const tools = all.tools.filter((tool, at) => all.tools.findIndex(({ name }) => name === tool.name) === at)
      return { ...all, tools }
    }),
    describe: Effect.map(
      each((server) => Effect.map(server.tools.get, (tools) => ({ server, tools }))),
      (sets) =>
        sets.flatMap(({ server, tools }) =>
          tools.map(({ info, name }) => ({ ...info, offeredAs: name, changed: !server.agreed.holds(info) }))
        )
    ),
    accept: (name) =>
      Effect.map(each((server) => Effect.map(server.tools.get, (tools) => ({ server, tools }))), (sets) => {
        for (const { server, tools } of sets) {
          const tool = tools.find((tool) => tool.name === name)
          if (tool === undefined) continue
          server.agreed.accept(tool.info)
          return true
        }
        return false
      }),
    definitions: Effect.sync(() => Object.fromEntries(all.map(({ agreed, name }) => [name, agreed.all()]))),
    resources: Effect.map(each(resourcesOf), (sets) => sets.flat()),
    resource: (server, uri) => Effect.flatMap(one(server), (server) => readResource(server, uri)),
    prompts: Effect.map(each(promptsOf), (sets) => sets.flat()),
    prompt: (server, name, args = {}) => Effect.flatMap(one(server), (server) => readPrompt(server, name, args)),
    pending: Effect.sync(() => [...pendings.values()]),
    answer,
    finishAuth: (server, callback) => Effect.flatMap(one(server), ({ connection }) => connection.finishAuth(callback)),
    status: Effect.sync(() => all.map(statusOf))
  }
}

/** UTF-8 bytes of what a server says to models. */
const maxInstructions = 16 * 1024

const statusOf = ({ connection, name, prompts, resources, templates, tools }: Server): Status => {
  const link = connection.current()
  const problem = connection.problem()
  const software = link?.client.getServerVersion()
  const instructions = link?.client.getInstructions()
  const problems = [tools, resources, templates, prompts].flatMap((list) => list.problems())
  return {
    server: name,
    state: link !== undefined ? "up" : problem === undefined ? "idle" : "down",
    ...(link === undefined ? undefined : { version: link.version }),
    ...(software === undefined
      ? undefined
      : { software: { name: cap(software.name, 256), version: cap(software.version, 256) } }),
    ...(instructions === undefined ? undefined : { instructions: cap(instructions, maxInstructions) }),
    problems: [...new Set([...(problem === undefined || link !== undefined ? [] : [problem.message]), ...problems])]
  }
}

/**
 * A set of servers that a layer provides.
 *
 * @stability experimental
 * @category services
 * @since 0.1.0
 */
export class Mcp extends Context.Service<Mcp, Servers>()("effect-llm/Mcp") {}

/**
 * Servers as a layer; see {@link make}.
 *
 * @stability experimental
 * @category layers
 * @since 0.1.0
 */
export const layer = (servers: Readonly<Record<string, ServerOptions>>, options?: Options): Layer.Layer<Mcp> =>
  Layer.effect(Mcp, make(servers, options))
