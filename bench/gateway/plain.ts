/** The least a proxy can do: `node:http`, connections kept, bytes passed as they come. The origin behind is its argument. */
import { Agent, createServer, request } from "node:http"
import type { AddressInfo } from "node:net"

const { hostname, pathname, port } = new URL(process.argv[2]!)
const agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY })

const server = createServer((incoming, outgoing) => {
  const { connection: _, host: __, ...headers } = incoming.headers
  const path = `${pathname.replace(/\/$/, "")}${incoming.url}`
  const upstream = request({ hostname, port, agent, method: incoming.method, path, headers }, (answer) => {
    outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
    answer.pipe(outgoing)
  })
  upstream.on("error", () => outgoing.destroy())
  outgoing.on("close", () => upstream.destroy())
  incoming.pipe(upstream)
})
server.listen(0, "127.0.0.1", () => {
  console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
})
