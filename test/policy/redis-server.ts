/**
 * A real Redis server for tests: the one `REDIS_URL` names, else one of our own on an ephemeral loopback port.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, rmSync } from "node:fs"
import { connect, createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"

export interface RedisServer {
  readonly url: string
  /** Ends a server of our own at once, as a crash would. */
  readonly stop: () => Promise<void>
}

const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, "127.0.0.1")
  await once(server, "listening")
  const address = server.address()
  server.close()
  await once(server, "close")
  return typeof address === "object" && address !== null ? address.port : 0
}

const answers = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1")
      .once("connect", () => socket.write("PING\r\n"))
      .once("data", (data) => {
        socket.destroy()
        resolve(data.toString().startsWith("+PONG"))
      })
      .once("error", () => resolve(false))
  })

export const hasBinary = (): boolean => spawnSync("redis-server", ["--version"]).status === 0

/** Starts a server of our own. */
export const startServer = async (): Promise<RedisServer> => {
  const port = await freePort()
  const folder = mkdtempSync(join(tmpdir(), "redis-"))
  const server: ChildProcess = spawn(
    "redis-server",
    ["--bind", "127.0.0.1", "--port", String(port), "--dir", folder, "--save", "", "--appendonly", "no"],
    { stdio: "ignore" }
  )
  const ended = once(server, "exit")
  while (!(await answers(port))) {
    if (server.exitCode !== null) throw new Error(`redis-server ended with ${server.exitCode}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  return {
    url: `redis://127.0.0.1:${port}`,
    stop: async () => {
      server.kill("SIGKILL")
      await ended
      rmSync(folder, { recursive: true, force: true })
    }
  }
}

/** The server of the environment, else one of our own, else `undefined` and one line that says so. */
export const findServer = async (): Promise<RedisServer | undefined> => {
  const url = process.env["REDIS_URL"]
  if (url !== undefined && url !== "") return { url, stop: () => Promise.resolve() }
  if (hasBinary()) return startServer()
  console.log(
    "Redis tests are skipped: there is neither REDIS_URL nor a redis-server (Debian: apt-get install redis-server)."
  )
  return undefined
}
