/**
 * One server: its connection, its lists, its tools as handlers run them.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type { Scope } from "effect/Scope"
import * as Handlers from "../../agent/Handlers.ts"
import { cut } from "../../agent/handlers/texts.ts"
import type { FunctionTool } from "../../LlmTool.ts"
import type { Json, JsonObject } from "../../Message.ts"
import { cap } from "../../transport/secrets/Redaction.ts"
import { misfits } from "../../validation/jsonSchema/misfits.ts"
import { type Call, type Called, firstRound, makeCall, type Round } from "./call.ts"
import { type Connection, connection as connectionOf } from "./connection.ts"
import { resultContent } from "./content.ts"
import { McpError } from "./errors.ts"
import { type Kept, kept } from "./lists.ts"
import type { ServerOptions } from "./options.ts"
import type { Pending } from "./pending.ts"
import { rawOf } from "./tidy.ts"
import { type Agreed, agreed, type Offered, offeredOf, toolOf } from "./tools.ts"
import { isObject } from "./values.ts"

type Entry = { readonly [name: string]: unknown }

/** A server. @stability experimental @category models @since 0.1.0 */
export interface Server {
  readonly name: string
  readonly options: ServerOptions
  readonly connection: Connection
  readonly tools: Kept<Offered>
  readonly resources: Kept<Entry>
  readonly templates: Kept<Entry>
  readonly prompts: Kept<Entry>
  readonly agreed: Agreed
  readonly names: { readonly prefix: string; readonly marked: boolean }
}

/** Makes a server. Nothing is connected yet. @stability experimental @category constructors @since 0.1.0 */
export const serverOf = (
  name: string,
  options: ServerOptions,
  names: Server["names"],
  identity: { readonly name: string; readonly version: string }
): Effect.Effect<Server, never, Scope> =>
  Effect.gen(function*() {
    const all: { [Kind in "tools" | "resources" | "templates" | "prompts"]?: Kept<unknown> } = {}
    const connection = yield* connectionOf(name, options, identity, (kinds) => {
      for (const kind of kinds) {
        all[kind]?.stale()
        if (kind === "resources") all.templates?.stale()
      }
    })
    const agreements = agreed(options)
    const plain = (entries: ReadonlyArray<Entry>) => ({ items: entries, problems: [] })
    const tools = kept(
      connection,
      "tools/list",
      ({ client }) => client.getServerCapabilities()?.tools !== undefined,
      (entries, link) => {
        const offered = offeredOf(name, options, names, entries, link)
        agreements.note(offered.items.map(({ info }) => info))
        return offered
      }
    )
    const hasResources: Parameters<typeof kept>[2] = ({ client }) =>
      client.getServerCapabilities()?.resources !== undefined
    const resources = kept(connection, "resources/list", hasResources, plain)
    const templates = kept(connection, "resources/templates/list", hasResources, plain)
    const prompts = kept(
      connection,
      "prompts/list",
      ({ client }) => client.getServerCapabilities()?.prompts !== undefined,
      plain
    )
    Object.assign(all, { tools, resources, templates, prompts })
    return { name, options, connection, tools, resources, templates, prompts, agreed: agreements, names }
  })

// =============================================================================
// Calls
// =============================================================================

const callOf = (
  { info, definition, repeatable }: Offered,
  args: JsonObject,
  from: Round,
  progress?: Call["progress"]
): Call => ({
  what: info.name,
  repeatable,
  from,
  progress,
  send: ({ client, era }, replies, options) =>
    client.callTool({
      name: info.name,
      arguments: args as { [name: string]: unknown },
      // The older era knows no rounds: a call whose page was visited is made again.
      ...(era === "modern" ? replies : undefined)
    }, { ...options, toolDefinition: definition as never })
})

/** A result as the model sees it. */
const shown = ({ connection: { bounds } }: Server, { info }: Offered, result: unknown): Handlers.Output => {
  const raw = rawOf(result)
  const given = isObject(raw) ? raw : {}
  const content = cut(resultContent(given, bounds), bounds.resultBytes)
  if (given.isError === true) return Handlers.output(content, { isError: true })
  const [wrong] = info.output === undefined || given.structuredContent === undefined
    ? []
    : misfits(info.output, given.structuredContent as Json)
  if (wrong === undefined) return Handlers.output(content)
  const notice = `The result does not fit what ${info.name} says of its results: ${wrong.path} ${wrong.message}`
  return Handlers.output(
    typeof content === "string" ? `${notice}\n${content}` : [{ type: "text", text: notice }, ...content],
    { isError: true }
  )
}

const told = (message: string): Handlers.Output => Handlers.output(message, { isError: true })

const maybe = " Whether it had an effect is not known."

/** What a run is told of a call. */
const outcome = (
  server: Server,
  tool: Offered,
  called: Called,
  waits: (called: Called & { readonly _tag: "Asked" }) => Effect.Effect<Handlers.Later | Handlers.Output>
): Effect.Effect<Handlers.Output | Handlers.Later | Handlers.Lost> => {
  switch (called._tag) {
    case "Result":
      return Effect.succeed(shown(server, tool, called.result))
    case "Failed":
      return Effect.succeed(told(`The call was not carried out. ${called.error.message}`))
    case "Lost":
      // What may be repeated may be called again by the model as well.
      return Effect.succeed(
        tool.repeatable || server.options.onLost === "tell"
          ? told(`${called.error.message}${tool.repeatable ? "" : maybe}`)
          : Handlers.lost
      )
    case "Asked":
      return waits(called)
  }
}

/** Where calls wait. @stability experimental @category models @since 0.1.0 */
export interface Waiting {
  /** Keeps a call; `false` when there are too many. */
  readonly keep: (pending: Pending) => Effect.Effect<boolean>
}

const currentOf = (server: Server, tool: Offered): Effect.Effect<Offered | undefined> =>
  Effect.map(server.tools.current, (tools) => tools.find(({ info }) => info.name === tool.info.name))

/**
 * The tools of a server as they are now, with what runs them. A call is for the definition that the model saw: when the server has
 * another one by then, it is not made.
 *
 * @stability experimental
 * @category tools
 * @since 0.1.0
 */
export const handlersOf = (server: Server, waiting: Waiting): Effect.Effect<Handlers.Handlers> =>
  Effect.gen(function*() {
    const offered = yield* server.tools.get
    const { connection: { bounds }, options } = server
    const byName = new Map(offered.map((tool) => [tool.name, tool]))
    const tools = offered.map((tool): FunctionTool =>
      toolOf(
        tool,
        options,
        bounds,
        Effect.map(
          currentOf(server, tool),
          (current) =>
            !server.agreed.holds(tool.info) ||
            (current !== undefined && current.info.definition !== tool.info.definition)
        )
      )
    )
    return Handlers.through(tools, (name, params, context) => {
      const tool = byName.get(name)
      return tool === undefined
        ? Effect.succeed(told(`There is no tool ${name}.`))
        : run(server, tool, params as JsonObject, context, waiting)
    })
  })

const run = (
  server: Server,
  tool: Offered,
  args: JsonObject,
  context: Handlers.CallContext,
  waiting: Waiting
): Effect.Effect<Handlers.Output | Handlers.Later | Handlers.Lost> =>
  Effect.gen(function*() {
    const current = yield* currentOf(server, tool)
    // A list that could not be read says nothing of its tools.
    if (current === undefined && server.tools.problems().length === 0) {
      return told(`The call was not carried out: ${server.name} has no tool ${tool.info.name} any more.`)
    }
    if (current !== undefined && current.info.definition !== tool.info.definition) {
      return told(`The call was not carried out: ${tool.info.name} has changed since it was offered.`)
    }
    const call = callOf(tool, args, firstRound, context.progress)
    const called = yield* makeCall(server.connection, server.options, call)
    return yield* outcome(server, tool, called, (asked) =>
      Effect.map(
        waiting.keep(pendingOf(server, tool, args, asked, {
          id: context.idempotencyKey,
          runId: context.runId,
          toolCallId: context.toolCallId
        })),
        (isKept) => isKept ? Handlers.later : told("The call was not carried out: too many calls wait for an answer.")
      ))
  })

const pendingOf = (
  server: Server,
  { info }: Offered,
  args: JsonObject,
  { open, round }: Called & { readonly _tag: "Asked" },
  call: Pick<Pending, "id" | "runId" | "toolCallId">
): Pending => ({
  version: 1,
  ...call,
  server: server.name,
  tool: info.name,
  definition: info.definition,
  arguments: args,
  asks: open,
  round: round.round,
  ...(round.requestState === undefined ? undefined : { requestState: round.requestState }),
  responses: round.responses ?? {}
})

/**
 * Goes on with a call that waited, with all that was asked for.
 *
 * @stability experimental
 * @category running
 * @since 0.1.0
 */
export const goOn = (
  server: Server,
  pending: Pending,
  responses: { readonly [key: string]: JsonObject }
): Effect.Effect<Handlers.Output | Pending, McpError> =>
  Effect.gen(function*() {
    const input = (message: string) => new McpError({ server: server.name, kind: "Input", message })
    const tool = (yield* server.tools.current).find(({ info }) => info.name === pending.tool)
    if (tool === undefined) {
      return yield* server.connection.problem() ?? input(`${server.name} has no tool ${cap(pending.tool, 128)}.`)
    }
    if (tool.info.definition !== pending.definition) {
      return yield* input(`${pending.tool} has changed since the call waits.`)
    }
    const declined = Object.values(responses).some(({ action }) => action !== "accept")
    if (declined && server.connection.current()?.era === "legacy") return told("The person who was asked declined.")
    const { requestState, round } = pending
    const call = callOf(tool, pending.arguments, { round, requestState, responses })
    const called = yield* makeCall(server.connection, server.options, call)
    switch (called._tag) {
      case "Result":
        return shown(server, tool, called.result)
      case "Asked": {
        const { id, runId, toolCallId } = pending
        return pendingOf(server, tool, pending.arguments, called, { id, runId, toolCallId })
      }
      case "Lost":
        return yield* new McpError({ server: server.name, kind: "Lost", message: called.error.message })
      case "Failed":
        return yield* called.error
    }
  })
