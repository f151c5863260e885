/**
 * Partners for the tests of `Mcp`: the official server on loopback, in both eras, and servers that answer whatever a test says.
 */
import {
  createMcpHandler,
  Server,
  type ServerContext,
  WebStandardStreamableHTTPServerTransport
} from "@modelcontextprotocol/server"
import { Effect, type Scope } from "effect"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { Readable } from "node:stream"
import type { ReadableStream as NodeReadableStream } from "node:stream/web"
import type * as Handlers from "../../src/agent/Handlers.ts"

export interface Listening {
  readonly url: string
}

/** A server on an ephemeral port, closed with its scope. */
export const listening = (
  handler: (request: IncomingMessage, response: ServerResponse) => void
): Effect.Effect<Listening, never, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(
      Effect.callback<ReturnType<typeof createServer>>((resume) => {
        const server = createServer(handler)
        server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
      }),
      (server) =>
        Effect.callback<void>((resume) => {
          server.close(() => resume(Effect.void))
          server.closeAllConnections()
        })
    ),
    (server) => ({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp` })
  )

export const bodyOf = async (request: IncomingMessage): Promise<string> => {
  const chunks: Array<Buffer> = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString()
}

/** Lets a web handler answer a request of Node. */
export const answerWith =
  (fetch: (request: Request) => Promise<Response>) =>
  async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = request.method === "POST" ? await bodyOf(request) : undefined
    const controller = new AbortController()
    response.on("close", () => controller.abort())
    const answer = await fetch(
      new Request(`http://${request.headers.host}${request.url}`, {
        method: request.method!,
        headers: Object.entries(request.headers).flatMap(([name, value]) =>
          value === undefined ? [] : [[name, String(value)] as [string, string]]
        ),
        ...(body === undefined ? undefined : { body }),
        signal: controller.signal
      })
    )
    response.writeHead(answer.status, Object.fromEntries(answer.headers))
    if (answer.body === null) return void response.end()
    Readable.fromWeb(answer.body as NodeReadableStream).on("error", () => response.destroy()).pipe(response)
  }

export interface PartnerTool {
  readonly name: string
  readonly description?: string
  readonly inputSchema?: object
  readonly outputSchema?: object
  readonly annotations?: object
  readonly run?: (args: { readonly [name: string]: unknown }, context: ServerContext) => unknown
}

/** What a partner offers. It may be changed while it runs. */
export interface Partner {
  tools: Array<PartnerTool>
  resources?: Array<object>
  prompts?: Array<object>
  readonly capabilities?: object
  readonly listHint?: { readonly ttlMs: number; readonly cacheScope: "public" | "private" }
  /** Calls that came, by tool. */
  readonly calls: Array<string>
}

export const partner = (tools: Array<PartnerTool>, more: Partial<Partner> = {}): Partner => ({
  tools,
  calls: [],
  ...more
})

/** The official server with what a partner offers. */
const officialServer = (given: Partner): Server => {
  const server = new Server({ name: "partner", version: "1.0.0" }, {
    capabilities: {
      tools: { listChanged: true },
      ...(given.resources === undefined ? undefined : { resources: {} }),
      ...(given.prompts === undefined ? undefined : { prompts: {} }),
      ...given.capabilities
    },
    instructions: "Be kind."
  })
  server.setRequestHandler("tools/list", () =>
    ({
      tools: given.tools.map((tool) => ({ inputSchema: { type: "object" }, ...tool, run: undefined })),
      ...given.listHint
    }) as never)
  server.setRequestHandler("tools/call", async ({ params }, context) => {
    given.calls.push(params.name)
    const tool = given.tools.find(({ name }) => name === params.name)
    return (await tool?.run?.(params.arguments ?? {}, context) ??
      { content: [{ type: "text", text: "done" }] }) as never
  })
  if (given.resources !== undefined) {
    server.setRequestHandler("resources/list", () => ({ resources: given.resources }) as never)
    server.setRequestHandler("resources/templates/list", () => ({
      resourceTemplates: [{ uriTemplate: "note://{id}", name: "note" }]
    }))
    server.setRequestHandler("resources/read", ({ params }) => ({
      contents: [{ uri: params.uri, mimeType: "text/plain", text: `text of ${params.uri}` }]
    }))
  }
  if (given.prompts !== undefined) {
    server.setRequestHandler("prompts/list", () => ({ prompts: given.prompts }) as never)
    server.setRequestHandler("prompts/get", ({ params }) => ({
      messages: [
        { role: "user", content: { type: "text", text: `Review ${params.arguments?.file}.` } },
        { role: "assistant", content: { type: "text", text: "Which part?" } }
      ]
    }))
  }
  return server
}

/** Streamable HTTP of the revision 2026-07-28, without sessions. */
export const modern = (given: Partner) =>
  Effect.gen(function*() {
    const handler = createMcpHandler(() => officialServer(given), { legacy: "reject" })
    yield* Effect.addFinalizer(() => Effect.promise(() => handler.close()))
    const { url } = yield* listening((request, response) =>
      void answerWith((web) => handler.fetch(web))(request, response)
    )
    return { url, notify: handler.notify }
  })

/** Streamable HTTP of the revisions before it, with sessions. */
export const legacy = (given: Partner) =>
  Effect.gen(function*() {
    const sessions = new Map<
      string,
      { readonly server: Server; readonly transport: WebStandardStreamableHTTPServerTransport }
    >()
    const fetch = async (request: Request): Promise<Response> => {
      const id = request.headers.get("mcp-session-id")
      const known = id === null ? undefined : sessions.get(id)
      if (known !== undefined) return known.transport.handleRequest(request)
      if (id !== null) return new Response("no such session", { status: 404 })
      const server = officialServer(given)
      const transport = new WebStandardStreamableHTTPServerTransport({
        sessionIdGenerator: () => crypto.randomUUID(),
        onsessioninitialized: (session) => void sessions.set(session, { server, transport }),
        onsessionclosed: (session) => void sessions.delete(session)
      })
      await server.connect(transport)
      return transport.handleRequest(request)
    }
    const { url } = yield* listening((request, response) => void answerWith(fetch)(request, response))
    return { url, sessions }
  })

// =============================================================================
// Calls
// =============================================================================

/** Runs a tool as an agent would. */
export const call = (handlers: Handlers.Handlers, name: string, args: object, progress: Array<unknown> = []) =>
  handlers.handlerOf(name)!(args, {
    runId: "run",
    toolCallId: "call",
    idempotencyKey: "key",
    progress: (value) => Effect.sync(() => void progress.push(value)),
    left: {},
    nested: undefined,
    wentOn: () => Effect.void
  }) as Effect.Effect<Handlers.Output | Handlers.Later | Handlers.Lost>

/** Runs a tool that has a result. */
export const calling = (handlers: Handlers.Handlers, name: string, args: object, progress: Array<unknown> = []) =>
  Effect.flatMap(
    call(handlers, name, args, progress),
    (outcome) => outcome._tag === "Output" ? Effect.succeed(outcome) : Effect.die(outcome._tag)
  )
