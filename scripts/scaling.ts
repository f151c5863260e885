/**
 * `npm run scaling [-- --only text]`: measures every repeatable thing at n and 2n and prints what twice as many cost. Exits
 * with 1 when any costs more than `--most` (2.5) times as much. The cases are in `scripts/scaling`.
 */
import { parseArgs } from "node:util"
import { type Case } from "./scaling/Case.ts"
import { cases } from "./scaling/cases.ts"

const { values } = parseArgs({ options: { only: { type: "string" }, most: { type: "string", default: "2.5" } } })

const most = Number(values.most)
/** Work that is shorter says more of the machine than of the algorithm. */
const leastMillis = 20
/** Work that does not grow, because a bound ends it. */
const mostMillis = 5
const runs = 4
const retries = 3
/** Nobody waits for more. */
const longMillis = 5000

const once = (one: Case, n: number): number => {
  const work = one.run(n)
  globalThis.gc?.()
  const start = process.cpuUsage()
  work()
  const { system, user } = process.cpuUsage(start)
  return (system + user) / 1000
}

/** The least of several runs: what disturbs only adds. */
const measured = (one: Case, n: number): number => {
  let least = Infinity
  for (let i = 0; i < runs && (i < 2 || least < 500); i++) least = Math.min(least, once(one, n))
  return least
}

interface Row {
  readonly name: string
  readonly n: number
  readonly millis: number
  readonly twice: number
  readonly ratio: number
}

/** Levels, of which few are taken, and more than the bound on them never reach a wire; of anything else there may be any number. */
const mostOf = ({ size }: Case): number => size < 1000 ? size : 8 * size

const rowOf = (one: Case): Row => {
  let n = Math.ceil(one.size / 32)
  while (n < mostOf(one) && once(one, n) < leastMillis) n *= 2
  let millis = measured(one, n)
  let twice = measured(one, 2 * n)
  // A step, as when memory outgrows a cache, is passed by going on; work that grows faster stays above at any size.
  for (let tries = 0; tries < retries && twice > most * millis && twice > mostMillis && twice < longMillis; tries++) {
    n *= 2
    millis = Math.max(twice, measured(one, n))
    twice = measured(one, 2 * n)
  }
  return { name: one.name, n, millis, twice, ratio: millis < 0.01 ? 1 : twice / millis }
}

const spelled = (row: Row): string =>
  `${row.ratio.toFixed(2).padStart(7)}  ${row.millis.toFixed(1).padStart(8)} ms  ${
    row.twice.toFixed(1).padStart(8)
  } ms  n = ${String(row.n).padEnd(9)}  ${row.name}`

const isSlow = (row: Row): boolean => row.ratio > most && row.twice > mostMillis

const chosen = cases.filter(({ name }) => values.only === undefined || name.includes(values.only))
const suspects = chosen.filter((one) => {
  const row = rowOf(one)
  console.log(`${isSlow(row) ? "SLOW" : "ok  "} ${spelled(row)}`)
  return isSlow(row)
})
// What was slow while something else kept the machine busy is not so later.
const slow = suspects.map(rowOf).filter(isSlow)
console.log(`\n${chosen.length} cases, ${slow.length} of which cost more than ${most} times as much for twice as many.`)
for (const row of slow) console.log(spelled(row))
process.exitCode = slow.length > 0 ? 1 : 0
