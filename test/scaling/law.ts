// The law of scaling, as robust as a test must be: what is built of sixteen times as much may cost up to sixty-four times as
// much CPU time. Work that grows with the square costs 256 times as much. `npm run scaling` measures more sharply.
import { assert, describe, it } from "@effect/vitest"
import type { Case } from "./Case.ts"

const more = 16
const most = 64
/** Shorter work says more of the machine. */
const leastMillis = 0.3
const tries = 4

const cost = (one: Case, n: number): number => {
  const work = one.run(n)
  const start = process.cpuUsage()
  work()
  const { system, user } = process.cpuUsage(start)
  return (system + user) / 1000
}

export const holdsFor = (name: string, cases: ReadonlyArray<Case>): void => {
  describe(`scaling of ${name}`, () => {
    for (const one of cases) {
      it(`${one.name}`, () => {
        const n = Math.max(1, Math.floor(one.size / (one.size < 1000 ? more : 64)))
        let small = 0
        let large = Infinity
        for (let i = 0; i < tries && large > most * Math.max(small, leastMillis); i++) {
          small = Math.max(small, cost(one, n))
          large = Math.min(large, cost(one, more * n))
        }
        assert.isAtMost(large, most * Math.max(small, leastMillis), `${n} took ${small} ms, ${more * n} took ${large} ms`)
      }, 60_000)
    }
  })
}
