import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { schedule } from "./schedules.ts"

describe("Laws of a run", () => {
  it("hold through random schedules, and every wire takes the history at each point", () => {
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        assert.isUndefined(schedule(seed, true))
      }),
      { numRuns: 40 }
    )
  })

  // `npm run run-laws` tries 100,000.
  it("hold through more schedules, without the wires", () => {
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        assert.isUndefined(schedule(seed, false))
      }),
      { numRuns: 400 }
    )
  })
})
