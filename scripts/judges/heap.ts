/** Loaded before the gateway: told by SIGUSR2, it collects garbage and writes down how many bytes are in use. */
import { writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

export const heapFile = (pid: number): string => join(tmpdir(), `effect-llm-heap-${pid}`)

if (globalThis.gc !== undefined) {
  process.on("SIGUSR2", () => {
    globalThis.gc!()
    writeFileSync(heapFile(process.pid), String(process.memoryUsage().heapUsed))
  })
}
