/**
 * Tools, or an agent, as an MCP server: for both eras, over standard input and output, as a web handler and as a route.
 *
 * Public through `Mcp`, which re-exports everything here.
 *
 * Calls go the way of an agent's: arguments are decoded, time and size are bounded, an error is told in the tool's words and never with a
 * stack. A client that goes away, or cancels, interrupts its call. Nobody can be asked here: a tool that needs approval says so to its caller, as
 * does one whose result comes later.
 *
 * @since 0.1.0
 */
import type { Server as SdkServer, ServerContext, Transport } from "@modelcontextprotocol/server"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type * as HttpRouter from "effect/http/HttpRouter"
import * as Router from "effect/http/HttpRouter"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import type * as Layer from "effect/Layer"
import type { Scope } from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import * as Agent from "../../agent/Agent.ts"
import { handle } from "../../agent/drive/handle.ts"
import type { CallContext, Handlers } from "../../agent/Handlers.ts"
import { check, executionOf } from "../../agent/handlers/check.ts"
import { digest } from "../../agent/run/digest.ts"
import type { OpenCall } from "../../agent/run/happened.ts"
import type { LlmService } from "../../LlmService.ts"
import type { LlmTool } from "../../LlmTool.ts"
import type { Json, JsonObject } from "../../Message.ts"
import { type Block, blocksOf } from "./content.ts"
import { McpError } from "./errors.ts"
import { isObject } from "./values.ts"

/**
 * Options of {@link serve}.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface ServeOptions {
  /** What the server calls itself. */
  readonly name: string
  /** Version of the server, as clients see it. */
  readonly version: string
  /** What it says to models of its clients. */
  readonly instructions?: string | undefined
  /** Of an agent: the name of the tool that it is. @default "ask" */
  readonly tool?: string | undefined
  /** Of an agent: what it is for. */
  readonly description?: string | undefined
  /** Calls that run at once, of all clients; more wait. @default 32 */
  readonly concurrency?: number | undefined
  /** Bytes of a request. @default 4 MiB */
  readonly maxRequestBytes?: number | undefined
  /**
   * Hosts that requests may be for, without ports. A request with an `Origin` has to come from one of them as well, so that no page reaches
   * a server on the machine of its reader. @default localhost, 127.0.0.1 and [::1]
   */
  readonly allowedHosts?: ReadonlyArray<string> | undefined
}

/**
 * A server. It answers for as long as its scope is open.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Served {
  /** Answers a web request. Who asks was let in before: it checks no credentials. */
  readonly fetch: (request: Request) => Promise<Response>
  /** The same as a route for all methods. */
  readonly route: (path: HttpRouter.PathInput) => Layer.Layer<never, never, HttpRouter.HttpRouter>
  /** Serves one client over standard input and output of this process, until it goes. Nothing else may be written there. */
  readonly stdio: Effect.Effect<void, McpError>
  /** Serves one client over a transport of the SDK, until it is closed. */
  readonly connect: (transport: Transport) => Effect.Effect<void, McpError>
}

const defaultConcurrency = 32
const defaultMaxRequestBytes = 4 * 1024 * 1024
const grace = "2 seconds"
const maxProgressPending = 16

const missing = () =>
  new McpError({
    server: "",
    kind: "Connection",
    message: "The package @modelcontextprotocol/server could not be loaded. Is it installed?"
  })

const isAgent = <E, R>(given: Handlers<E, R> | Agent.Agent<E, R>): given is Agent.Agent<E, R> => "options" in given

interface Listed {
  readonly name: string
  readonly description?: string
  readonly inputSchema: JsonObject
  readonly annotations?: { readonly idempotentHint: true }
}

/** Tools as clients see them: those that this process runs. */
const listed = <E, R>(handlers: Handlers<E, R>): ReadonlyArray<Listed> =>
  handlers.tools.flatMap((tool): ReadonlyArray<Listed> => {
    if (tool.type === "provider" || handlers.handlerOf(tool.name) === undefined) return []
    return [{
      name: tool.name,
      ...(tool.description === undefined ? undefined : { description: tool.description }),
      inputSchema: tool.type === "custom"
        ? { type: "object", properties: { input: { type: "string" } }, required: ["input"] }
        : { ...tool.parameters, type: "object" },
      ...(executionOf(tool).idempotent === true ? { annotations: { idempotentHint: true } } : undefined)
    }]
  })

const failed = (text: string) => ({ content: [{ type: "text", text } as Block], isError: true })

const later = "The result of this call comes later, and cannot be waited for here."

const callOf = (tool: LlmTool, args: unknown, id: string): OpenCall => ({
  call: id,
  toolCallId: id,
  toolName: tool.name,
  arguments: (tool.type === "custom" && isObject(args) ? args.input : args ?? {}) as Json,
  idempotencyKey: id
})

const answer = <R>(
  handlers: Handlers<unknown, R>,
  tool: LlmTool,
  args: unknown,
  id: string,
  progress: CallContext["progress"]
): Effect.Effect<{ readonly content: Array<Block>; readonly isError?: boolean }, never, R> =>
  Effect.gen(function*() {
    const call = callOf(tool, args, id)
    const verdict = yield* check<never, R>(handlers, call, [], undefined)
    if (verdict.verdict === "refuse") return failed(verdict.message)
    if (verdict.verdict === "ask") {
      return failed("The call was not carried out: it needs an approval, and nobody is there.")
    }
    if (verdict.verdict === "external") return failed(later)
    const context: CallContext = {
      runId: id,
      toolCallId: id,
      idempotencyKey: id,
      progress,
      left: {},
      nested: undefined,
      wentOn: () => Effect.void
    }
    const handled = yield* handle(handlers, tool, call, context, {
      leftMillis: undefined,
      grace,
      stopped: Deferred.makeUnsafe()
    })
    switch (handled._tag) {
      case "Result": {
        const { content, isError } = handled.result
        return { content: blocksOf(content), ...(isError === true ? { isError } : undefined) }
      }
      case "Later":
        return failed(later)
      case "Lost":
        return failed("Nobody knows what came of this call.")
    }
  })

/** Progress as the client asked for it, told in order and never piled up. */
const progressOf = ({ mcpReq }: ServerContext): CallContext["progress"] => {
  const token = mcpReq._meta?.progressToken
  if (token === undefined) return () => Effect.void
  let count = 0
  let pending = 0
  return (value) =>
    Effect.suspend(() => {
      if (pending >= maxProgressPending) return Effect.void
      pending++
      const given = isObject(value) ? value : {}
      const progress = typeof given.progress === "number" && given.progress > count ? given.progress : count + 1
      count = progress
      return Effect.ignore(Effect.tryPromise(() =>
        mcpReq.notify({
          method: "notifications/progress",
          params: {
            progressToken: token,
            progress,
            ...(typeof given.total === "number" ? { total: given.total } : undefined),
            message: typeof given.message === "string"
              ? given.message
              : typeof value === "string"
              ? value
              : JSON.stringify(value)
          }
        })
      )).pipe(Effect.ensuring(Effect.sync(() => pending--)))
    })
}

const randomId = Effect.sync(() => `mcp_${digest(crypto.randomUUID()).slice(0, 22)}`)

/**
 * Serves tools, or an agent as a tool. Fails when the server of the SDK is not installed.
 *
 * @example
 * ```ts
 * const server = yield* Mcp.serve(Handlers.make([weather], { get_weather: … }), { name: "weather", version: "1.0.0" })
 * yield* server.stdio
 * ```
 *
 * @stability experimental
 * @category serving
 * @since 0.1.0
 */
export const serve: {
  <E, R>(tools: Handlers<E, R>, options: ServeOptions): Effect.Effect<Served, McpError, R | Scope>
  <E, R>(agent: Agent.Agent<E, R>, options: ServeOptions): Effect.Effect<Served, McpError, R | LlmService | Scope>
} = <E, R>(
  given: Handlers<E, R> | Agent.Agent<E, R>,
  options: ServeOptions
): Effect.Effect<Served, McpError, R | LlmService | Scope> =>
  Effect.gen(function*() {
    const { allowedHosts, concurrency = defaultConcurrency, description, instructions, name, version } = options
    const sdk = yield* Effect.tryPromise({ try: () => import("@modelcontextprotocol/server"), catch: missing })
    const handlers: Handlers<unknown, R | LlmService> = isAgent(given)
      ? Agent.asTool(given, { name: options.tool ?? "ask", description })
      : given
    const context = yield* Effect.context<R | LlmService>()
    const runPromise = Effect.runPromiseWith(context)
    const slots = yield* Semaphore.make(Math.max(1, concurrency))
    const tools = listed(handlers)

    const called = (params: unknown, request: ServerContext): Promise<never> => {
      const { arguments: args, name } = isObject(params) ? params : {}
      const tool = tools.some((tool) => tool.name === name)
        ? handlers.tools.find((tool) => tool.name === name)
        : undefined
      if (tool === undefined) {
        return Promise.reject(new sdk.ProtocolError(-32_602, `There is no tool ${JSON.stringify(String(name))}.`))
      }
      const run = slots.withPermit(
        Effect.flatMap(randomId, (id) => answer(handlers, tool, args, id, progressOf(request)))
      )
      return runPromise(run, { signal: request.mcpReq.signal }) as Promise<never>
    }

    const factory = (): SdkServer => {
      const server = new sdk.Server({ name, version }, {
        capabilities: { tools: {} },
        ...(instructions === undefined ? undefined : { instructions })
      })
      server.setRequestHandler("tools/list", () => ({ tools: tools as never }))
      server.setRequestHandler("tools/call", ({ params }, request) => called(params, request))
      return server
    }

    const web = sdk.createMcpHandler(factory, {
      maxRequestBodySize: options.maxRequestBytes ?? defaultMaxRequestBytes
    })
    yield* Effect.addFinalizer(() => Effect.ignore(Effect.tryPromise(() => web.close())))

    const hosts = [...allowedHosts ?? sdk.localhostAllowedHostnames()]
    const fetch = async (request: Request): Promise<Response> => {
      const refused = sdk.hostHeaderValidationResponse(request, hosts) ?? sdk.originValidationResponse(request, hosts)
      return refused ?? web.fetch(request)
    }

    const connect = (transport: Transport | undefined): Effect.Effect<void, McpError> =>
      Effect.flatMap(
        Effect.tryPromise({ try: () => import("@modelcontextprotocol/server/stdio"), catch: missing }),
        ({ serveStdio, StdioServerTransport }) =>
          Effect.callback<void>((resume) => {
            const own = transport ?? new StdioServerTransport()
            const handle = serveStdio(factory, { transport: own })
            const { onclose } = own
            Object.assign(own, {
              onclose: () => {
                onclose?.()
                resume(Effect.void)
              }
            })
            return Effect.ignore(Effect.tryPromise(() => handle.close()))
          })
      )

    return {
      fetch,
      route: (path) => Router.add("*", path, (request) => routed(fetch, request)),
      stdio: connect(undefined),
      connect
    }
  })

const routed = (
  fetch: Served["fetch"],
  request: HttpServerRequest.HttpServerRequest
): Effect.Effect<HttpServerResponse.HttpServerResponse> =>
  Effect.suspend(() => {
    const controller = new AbortController()
    return HttpServerRequest.toWeb(request, { signal: controller.signal }).pipe(
      Effect.flatMap((web) => Effect.tryPromise(() => fetch(web))),
      Effect.map(HttpServerResponse.fromWeb),
      Effect.onInterrupt(() => Effect.sync(() => controller.abort())),
      Effect.catch(() => Effect.succeed(HttpServerResponse.empty({ status: 400 })))
    )
  })
