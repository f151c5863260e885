/**
 * Holds runs to their laws through many random schedules: `npm run run-laws` tries 100,000, of which every tenth history goes to all
 * wires at each point; `-- 5000` tries as many, `-- 5000 7` from another seed. Exits with 1 at the first that breaks a law.
 */
import { schedule } from "../test/agent/schedules.ts"

const [count = "100000", from = "0"] = process.argv.slice(2)
const started = performance.now()
let broken: string | undefined

for (let at = 0; at < Number(count) && broken === undefined; at++) {
  broken = schedule(Number(from) * 1_000_003 + at, at % 10 === 0)
}

if (broken === undefined) {
  console.log(`${count} schedules kept all laws (${((performance.now() - started) / 1000).toFixed(0)} s)`)
} else {
  console.error(broken)
  process.exitCode = 1
}
