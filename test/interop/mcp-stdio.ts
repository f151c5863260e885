/**
 * Programs for the tests: the official server (`modern`, `legacy`), or one that starts faster and speaks the older era badly (`raw`).
 */
import { appendFileSync } from "node:fs"
import { createInterface } from "node:readline"

const [kind, log] = process.argv.slice(2)

const dies = (name: string) => {
  appendFileSync(log!, `${name}\n`)
  process.exit(1)
}

const tools: { readonly [name: string]: (args: { readonly value?: unknown }) => string } = {
  echo: ({ value }) => String(value),
  environment: () => Object.keys(process.env).toSorted().join(" "),
  pay: () => dies("pay"),
  read: () => dies("read"),
  noise: () => {
    process.stdout.write("this is no JSON\n{\"jsonrpc\":\"2.0\"}\n[]\n")
    return "heard"
  },
  flood: () => {
    process.stdout.write("x".repeat(200_000))
    return "never"
  }
}

const listed = Object.keys(tools).map((name) => ({
  name,
  inputSchema: { type: "object" as const },
  annotations: { readOnlyHint: name === "read" }
}))

const called = (params: { readonly name: string; readonly arguments?: object | undefined }) => ({
  content: [{ type: "text" as const, text: tools[params.name]!(params.arguments ?? {}) }]
})

const official = async () => {
  const { Server } = await import("@modelcontextprotocol/server")
  const { serveStdio, StdioServerTransport } = await import("@modelcontextprotocol/server/stdio")
  const made = () => {
    const server = new Server({ name: "program", version: "1.0.0" }, { capabilities: { tools: {} } })
    server.setRequestHandler("tools/list", () => ({ tools: listed }))
    server.setRequestHandler("tools/call", ({ params }) => called(params))
    return server
  }
  if (kind === "modern") serveStdio(made, { legacy: "reject" })
  else await made().connect(new StdioServerTransport())
}

const raw = () => {
  const answers: { readonly [method: string]: (params: never) => unknown } = {
    initialize: () => ({
      protocolVersion: "2025-11-25",
      capabilities: { tools: {} },
      serverInfo: { name: "raw", version: "1" }
    }),
    "tools/list": () => ({ tools: listed }),
    "tools/call": called
  }
  createInterface({ input: process.stdin }).on("line", (line) => {
    const { id, method, params } = JSON.parse(line) as { id?: number; method: string; params: never }
    const result = answers[method]?.(params)
    if (id !== undefined && result !== undefined) {
      process.stdout.write(`${JSON.stringify({ jsonrpc: "2.0", id, result })}\n`)
    }
  })
}

if (kind === "raw") raw()
else await official()
