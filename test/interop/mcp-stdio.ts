/**
 * The official server over standard input and output, for the tests: `modern` or `legacy`, with tools that break off.
 */
import { Server } from "@modelcontextprotocol/server"
import { serveStdio, StdioServerTransport } from "@modelcontextprotocol/server/stdio"
import { appendFileSync } from "node:fs"
import { officialServer, partner } from "./mcp-partner.ts"

const [era, log] = process.argv.slice(2)

const text = (value: string) => ({ content: [{ type: "text", text: value }] })
const noted = (name: string) => appendFileSync(log!, `${name}\n`)

const given = partner([
  { name: "echo", run: ({ value }) => text(String(value)) },
  { name: "environment", run: () => text(Object.keys(process.env).toSorted().join(" ")) },
  {
    name: "pay",
    run: () => {
      noted("pay")
      process.exit(1)
    }
  },
  {
    name: "read",
    annotations: { readOnlyHint: true },
    run: () => {
      noted("read")
      return process.exit(1)
    }
  },
  {
    name: "noise",
    run: () => {
      process.stdout.write("this is no JSON\n{\"jsonrpc\":\"2.0\"}\n[]\n")
      return text("heard")
    }
  },
  {
    name: "flood",
    run: () => {
      process.stdout.write("x".repeat(200_000))
      return text("never")
    }
  }
])

if (era === "modern") serveStdio(() => officialServer(given), { legacy: "reject" })
else {
  const server: Server = officialServer(given)
  await server.connect(new StdioServerTransport())
}
