/** Loaded before a program of others: whatever it listens on, it listens on the loopback, and says where. */
import { Server } from "node:net"

const listen = Server.prototype.listen
Server.prototype.listen = function(this: Server, ...given: Array<unknown>) {
  const callback = given.find((one) => typeof one === "function") as (() => void) | undefined
  const first = given[0]
  const port = typeof first === "object" && first !== null && "port" in first ? Number(first.port) : Number(first)
  return listen.call(this, { port, host: "127.0.0.1" }, () => {
    const address = this.address()
    if (typeof address === "object" && address !== null) console.log(`http://127.0.0.1:${address.port}`)
    callback?.call(this)
  }) as never
} as typeof listen
