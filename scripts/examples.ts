/**
 * Runs every numbered example as a reader would, without input, and fails when one of them does.
 *
 * `npm run examples -- 03` runs those whose name begins with `03`.
 */
import { spawnSync } from "node:child_process"
import { globSync } from "node:fs"
import { basename } from "node:path"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("../", import.meta.url))
const prefix = process.argv[2] ?? ""
// Long enough for a slow machine; an example that waits for ever must not hold up CI for ever.
const timeout = 120_000

const files = globSync("examples/[0-9][0-9]-*.ts", { cwd: root })
  .filter((file) => basename(file).startsWith(prefix))
  .toSorted()

if (files.length === 0) {
  console.error(`no example begins with "${prefix}"`)
  process.exitCode = 1
}

for (const file of files) {
  const started = performance.now()
  const run = spawnSync(process.execPath, [file], {
    cwd: root,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
    timeout
  })
  const ok = run.status === 0
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  console.log(`${ok ? "ok    " : "failed"} ${file} (${seconds} s)`)
  if (!ok) {
    const why = run.error?.message ?? (run.signal === null ? `exit code ${run.status}` : `signal ${run.signal}`)
    console.error([why, run.stdout, run.stderr].filter((part) => part.trim() !== "").join("\n").trimEnd())
    process.exitCode = 1
  }
}
