// A short run of the fuzzer over answers; the long one is `npm run fuzz -- --minutes N`.
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { answerCase, bodyOf } from "./answers.ts"
import { run, watchUncaught } from "./calls.ts"
import { inMemory } from "./clients.ts"
import { Random, seedOf } from "./random.ts"
import { seeds, type WireName } from "./seeds.ts"

const seed = 20261201
const casesPerWire = 60

let stop: () => void
beforeAll(() => {
  stop = watchUncaught()
})
afterAll(() => stop())

describe("answers that no API would send", () => {
  it.each((Object.keys(seeds) as ReadonlyArray<WireName>).map((wire, index) => [wire, index] as const))(
    "are typed errors or answers that keep the laws: %s",
    async (wire, index) => {
      for (let at = 0; at < casesPerWire; at++) {
        const given = answerCase(new Random(seedOf(seed, index, at)), wire)
        const found = await run(given, inMemory)
        const repeat = `npm run fuzz -- --seed ${seed} --only ${wire} --case ${at}`
        assert.deepStrictEqual(found, [], `${repeat}\n${new TextDecoder().decode(bodyOf(given.answer)).slice(0, 2000)}`)
      }
    },
    120_000
  )
})
