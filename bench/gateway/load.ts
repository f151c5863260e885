/**
 * Asks one address, a number of calls at once, and tells how long each took. A process of its own, which sends its parent one message.
 *
 * Paced answers carry the moment at which each delta was written, on the machine's monotonic clock: what a delta took is known.
 */
import { Agent, request } from "node:http"

export interface Load {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly stream: boolean
  readonly concurrency: number
  readonly calls: number
  readonly warmup: number
}

export interface Measured {
  /** Milliseconds of each call, from its first byte out to its last byte in. */
  readonly millis: ReadonlyArray<number>
  /** Milliseconds until the first byte of each answer's body. */
  readonly first: ReadonlyArray<number>
  /** Milliseconds of each paced delta, from being written to being read. */
  readonly lags: ReadonlyArray<number>
  readonly seconds: number
  readonly failed: number
  readonly bytes: number
}

const run = async (load: Load): Promise<Measured> => {
  const agent = new Agent({ keepAlive: true, maxSockets: load.concurrency })
  const body = JSON.stringify({
    model: "gpt-4.1",
    messages: [{ role: "user", content: "What is the weather like in Lisbon in spring?" }],
    stream: load.stream
  })
  const headers = {
    "content-type": "application/json",
    authorization: "Bearer bench-key",
    "content-length": Buffer.byteLength(body),
    ...load.headers
  }
  const millis: Array<number> = []
  const first: Array<number> = []
  const lags: Array<number> = []
  let failed = 0
  let bytes = 0
  const ask = (counts: boolean) =>
    new Promise<void>((resolve) => {
      const begun = performance.now()
      const asked = request(`${load.url}/v1/chat/completions`, { method: "POST", agent, headers }, (answer) => {
        let begin: number | undefined
        let size = 0
        let tail = ""
        answer.on("data", (chunk: Buffer) => {
          begin ??= performance.now()
          size += chunk.length
          if (!load.stream) return
          const now = Number(process.hrtime.bigint() / 1000n)
          const text = chunk.toString("latin1")
          tail = text.slice(-200)
          if (counts) {
            for (const found of text.matchAll(/"content":"0*(\d{10,})"/g)) lags.push((now - Number(found[1])) / 1000)
          }
        })
        answer.on("end", () => {
          const whole = answer.statusCode === 200 && (!load.stream || tail.includes("[DONE]"))
          if (!whole) failed++
          else if (counts) {
            millis.push(performance.now() - begun)
            first.push(begin! - begun)
            bytes += size
          }
          resolve()
        })
        answer.on("error", () => {
          failed++
          resolve()
        })
      })
      asked.on("error", () => {
        failed++
        resolve()
      })
      asked.end(body)
    })
  const all = async (count: number, counts: boolean) => {
    let left = count
    const worker = async () => {
      while (left-- > 0) await ask(counts)
    }
    await Promise.all(Array.from({ length: Math.min(load.concurrency, count) }, worker))
  }
  await all(load.warmup, false)
  const begun = performance.now()
  await all(load.calls, true)
  const seconds = (performance.now() - begun) / 1000
  agent.destroy()
  return { millis, first, lags, seconds, failed, bytes }
}

process.on("message", (load: Load) => void run(load).then((measured) => process.send!(measured)))
process.on("disconnect", () => process.exit(0))
