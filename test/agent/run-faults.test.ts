// The scenarios of `npm run run-faults`, each made from a public fault of another agent.
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { approvals } from "../../scripts/run-faults/approvals.ts"
import { runs } from "../../scripts/run-faults/runs.ts"

describe("Faults of other agents", () => {
  for (const { kind, run, title } of [...approvals, ...runs]) {
    it.live(`${kind}: ${title}`, () => Effect.map(run, (verdict) => assert.isUndefined(verdict)))
  }
})
