// A short run of the fuzzer over requests; the long one is `npm run fuzz -- --minutes N`.
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { watchUncaught } from "./calls.ts"
import { Random, seedOf } from "./random.ts"
import { requestFindings } from "./requests.ts"

const seed = 20261201
const cases = 400

let stop: () => void
beforeAll(() => {
  stop = watchUncaught()
})
afterAll(() => stop())

describe("requests that no caller should make", () => {
  it("are answered, or refused with a typed error, whatever stands where", async () => {
    for (let at = 0; at < cases; at++) {
      const { description, found } = await requestFindings(new Random(seedOf(seed, 1000, at)))
      assert.deepStrictEqual(found, [], `npm run fuzz -- --no-answers --seed ${seed} --case ${at}\n${description}`)
    }
  }, 120_000)
})
