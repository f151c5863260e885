/**
 * Two processes on one Redis, and the passing of Redis's time.
 */
import { type ChildProcess, spawn } from "node:child_process"
import { randomUUID } from "node:crypto"
import { once } from "node:events"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import { createClient } from "redis"
import type { Calls, Command, Kind, Reply } from "./redis-worker.ts"

const script = fileURLToPath(new URL("redis-worker.ts", import.meta.url))

export const freshPrefix = () => `effect-llm-test:${randomUUID()}:`

/** Another process with a policy over Redis. Its time passes only when it is told. */
export class Worker {
  private readonly child: ChildProcess
  private readonly waiting: Array<PromiseWithResolvers<Reply>> = []

  constructor(kind: Kind, url: string, prefix: string) {
    this.child = spawn(process.execPath, [script, kind, url, prefix], { stdio: ["pipe", "pipe", "inherit"] })
    createInterface({ input: this.child.stdout! }).on("line", (line) => {
      if (line.startsWith("{")) this.waiting.shift()?.resolve(JSON.parse(line) as Reply)
      else console.log(line)
    })
    this.child.once("exit", (code) => {
      for (const { reject } of this.waiting) reject(new Error(`The worker ended with ${code}.`))
    })
  }

  private send(command: Command): Promise<Reply> {
    const reply = Promise.withResolvers<Reply>()
    this.waiting.push(reply)
    this.child.stdin!.write(`${JSON.stringify(command)}\n`)
    return reply.promise
  }

  /** Calls from their beginning to their end. */
  call(times: number, calls?: Omit<Calls, "times">): Promise<Reply> {
    return this.send({ do: "call", times, ...calls })
  }

  /** Begins calls; those that reach the provider stay there until `finish`. */
  begin(times: number, calls?: Omit<Calls, "times">): Promise<Reply> {
    return this.send({ do: "begin", times, lasts: 1000, ...calls })
  }

  finish(): Promise<Reply> {
    return this.send({ do: "finish", after: 1000 })
  }

  async pass(millis: number): Promise<void> {
    await this.send({ do: "pass", millis })
  }

  async kill(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return
    this.child.kill("SIGKILL")
    await once(this.child, "exit")
  }
}

/** Ends both, whatever happens to one. */
export const twoWorkers = async (
  kind: Kind,
  url: string,
  use: (a: Worker, b: Worker, prefix: string) => Promise<void>
): Promise<void> => {
  const prefix = freshPrefix()
  const workers = [new Worker(kind, url, prefix), new Worker(kind, url, prefix)] as const
  try {
    await Promise.all(workers.map((worker) => worker.call(0)))
    await use(...workers, prefix)
  } finally {
    await Promise.all(workers.map((worker) => worker.kill()))
  }
}

const clientOf = (url: string) => createClient({ url })

/**
 * Redis keeps its own time, which no test can set: what is stored there is made older instead.
 */
export class RedisTime {
  private readonly client: ReturnType<typeof clientOf>

  private constructor(client: ReturnType<typeof clientOf>) {
    this.client = client
  }

  static async use<A>(url: string, use: (time: RedisTime) => Promise<A>): Promise<A> {
    const client = clientOf(url)
    await client.connect()
    try {
      return await use(new RedisTime(client))
    } finally {
      await client.close()
    }
  }

  private circuit(prefix: string): string {
    return `${prefix}circuit-breaker:test/test-model`
  }

  /** Milliseconds until the circuit's field lies in the past. */
  async left(prefix: string, field: "openUntil" | "leaseUntil"): Promise<number> {
    const until = Number(await this.client.hGet(this.circuit(prefix), field))
    const [seconds] = (await this.client.sendCommand(["TIME"])) as unknown as readonly [string]
    return until - Number(seconds) * 1000
  }

  /** Lets a circuit's open time, or the lease of its probe, come nearer to its end. */
  async passForCircuit(prefix: string, field: "openUntil" | "leaseUntil", millis: number): Promise<void> {
    await this.client.hIncrBy(this.circuit(prefix), field, -millis)
  }

  /** The same for the leases of the reservations of a budget. */
  async passForBudget(prefix: string, millis: number): Promise<void> {
    const leases = `${prefix}{budget:all}:leases`
    for (const id of await this.client.zRange(leases, 0, -1)) await this.client.zIncrBy(leases, -millis, id)
  }
}

export const count = (replies: ReadonlyArray<Reply>, outcome: string): number =>
  replies.flatMap(({ outcomes }) => outcomes).filter((each) => each === outcome).length
