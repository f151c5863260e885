/**
 * Tools of an MCP server in an agent. The server asks a person back before it books, so the call waits as plain data; what the person says goes
 * to the server, and its result to the run.
 */
import { InMemoryTransport } from "@modelcontextprotocol/client"
import { Server } from "@modelcontextprotocol/server"
import { serveStdio } from "@modelcontextprotocol/server/stdio"
import { Console, Effect, Redacted, Schema } from "effect"
import { Agent, Anthropic, Handlers, LlmTool } from "../src/index.ts"
import * as Mcp from "../src/interop/Mcp.ts"
import { layerHttpClient } from "../src/node.ts"
import * as Simulator from "../src/testing/Simulator.ts"

/** Somebody else's server, which speaks 2026-07-28. Here it lives in this process; others are programs or at a URL. */
const airline = () => {
  const server = new Server({ name: "airline", version: "1.0.0" }, { capabilities: { tools: {} } })
  server.setRequestHandler("tools/list", () => ({
    tools: [{
      name: "book",
      description: "Books a flight",
      inputSchema: { type: "object", properties: { to: { type: "string" } }, required: ["to"] }
    }]
  }))
  server.setRequestHandler("tools/call", ({ params }, { mcpReq }) => {
    const answer = mcpReq.inputResponses?.["seats"] as { readonly content?: { readonly seats?: number } } | undefined
    if (answer !== undefined) {
      return { content: [{ type: "text", text: `${answer.content?.seats} seats to ${params.arguments?.["to"]}.` }] }
    }
    const requestedSchema = { type: "object", properties: { seats: { type: "integer" } }, required: ["seats"] } as const
    return {
      resultType: "input_required",
      requestState: "kept by the client, read by the server",
      inputRequests: {
        seats: { method: "elicitation/create", params: { mode: "form", message: "How many seats?", requestedSchema } }
      }
    } as never
  })
  return server
}

const inProcess = Mcp.transport(Effect.sync(() => {
  const [ours, theirs] = InMemoryTransport.createLinkedPair()
  serveStdio(airline, { transport: theirs })
  return ours
}))

const program = Effect.gen(function*() {
  const simulator = yield* Simulator.make()
  yield* simulator.enqueue(
    { parts: [{ type: "tool-call", name: "air_book", arguments: { to: "Oslo" } }] },
    Simulator.text("Two seats to Oslo are booked.")
  )
  const llm = Anthropic.layer({ apiKey: Redacted.make("simulated-key"), baseUrl: `${simulator.url}/v1` })

  // #region servers
  const servers = yield* Mcp.make({
    air: { endpoint: inProcess, allow: ["book"] },
    // A server that is not there takes nothing with it.
    weather: { endpoint: Mcp.http("http://127.0.0.1:1/mcp"), limits: { connect: "2 seconds" } }
  })
  const agent = Agent.make({ tools: yield* servers.tools })
  // #endregion
  for (const { problems, server, state, version } of yield* servers.status) {
    yield* Console.log(`${server}: ${state}${version === undefined ? "" : `, ${version}`} ${problems.length} problems`)
  }

  // #region wait
  const first = yield* Agent.run(agent, { prompt: "A flight to Oslo, please." }).pipe(Effect.provide(llm))
  const [waiting] = first.waiting.deferred
  const pending = (yield* servers.pending).find(({ id }) => id === waiting!.idempotencyKey)!
  yield* Console.log(`${first.status}: ${pending.server} asks: ${pending.asks["seats"]!.message}`)

  const answer = yield* servers.answer(pending, { seats: { action: "accept", content: { seats: 2 } } })
  if (answer._tag === "Result") {
    const last = yield* Agent.run(agent, {
      state: first.state,
      results: [{ call: waiting!.call, content: answer.content, isError: answer.isError }]
    }).pipe(Effect.provide(llm))
    yield* Console.log(`${last.status}: ${last.text}`)
  }
  // #endregion

  // #region serve
  const hours = LlmTool.make("opening_hours", {
    description: "When the shop is open",
    parameters: Schema.Struct({ day: Schema.String }),
    idempotent: true
  })
  const shop = yield* Mcp.serve(
    Handlers.make([hours], { opening_hours: ({ day }) => Effect.succeed(`On ${day} from nine to five.`) }),
    { name: "shop", version: "1.0.0" }
  )
  // `shop.stdio` serves a client that started this program, `shop.fetch` and `shop.route` those of the web.
  const response = yield* Effect.promise(() => shop.fetch(discover))
  // #endregion
  yield* Console.log(`shop: ${response.status}`)
})

const discover = new Request("http://localhost/mcp", {
  method: "POST",
  headers: {
    host: "localhost",
    accept: "application/json, text/event-stream",
    "content-type": "application/json",
    "mcp-protocol-version": "2026-07-28",
    "mcp-method": "server/discover"
  },
  body: JSON.stringify({
    jsonrpc: "2.0",
    id: 1,
    method: "server/discover",
    params: {
      _meta: {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": { name: "example", version: "1" },
        "io.modelcontextprotocol/clientCapabilities": {}
      }
    }
  })
})

await Effect.runPromise(program.pipe(Effect.scoped, Effect.provide(layerHttpClient)))
