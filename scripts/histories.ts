/**
 * Puts lists of messages to the grammar of every provider: any lists, and sane ones as agents make them. Prints how many are accepted and
 * refused with a typed error, and exits with 1 when one was sent invalid, a result went astray, or text was lost without a warning.
 *
 * `npm run histories` runs 20,000 random and 5,000 sane lists per target; `-- --random 1000 --sane 200 --seed 7 --only Mistral` less.
 */
import { parseArgs } from "node:util"
import { Random, seedOf } from "../test/fuzz/random.ts"
import { judged } from "../test/laws/histories-judge.ts"
import { Marks, randomList, requestOf, saneList, targets } from "../test/laws/histories-lists.ts"

const { values } = parseArgs({
  options: {
    random: { type: "string", default: "20000" },
    sane: { type: "string", default: "5000" },
    seed: { type: "string", default: "1" },
    only: { type: "string" },
    show: { type: "string", default: "3" }
  }
})

const kinds = { random: randomList, sane: saneList } as const
let failed = false

for (const [at, target] of targets.entries()) {
  if (values.only !== undefined && !target.name.includes(values.only)) continue
  for (const kind of ["random", "sane"] as const) {
    const counts = { accepted: 0, refused: 0, invalid: 0, astray: 0, lost: 0 }
    const shown: Array<string> = []
    const amount = Number(values[kind])
    for (let run = 0; run < amount; run++) {
      const random = new Random(seedOf(Number(values.seed), at * 2 + (kind === "sane" ? 1 : 0), run))
      const request = requestOf(random, kinds[kind](random, new Marks()))
      const verdict = judged(target, request)
      counts[verdict.type]++
      if ("problems" in verdict && shown.length < Number(values.show)) {
        shown.push(
          `  ${verdict.type} ${verdict.problems.slice(0, 3).join("; ")}\n  ${JSON.stringify(request)}\n  ${
            JSON.stringify(verdict.body)
          }`
        )
      }
    }
    failed ||= counts.invalid + counts.astray + counts.lost > 0
    console.log(
      `${target.name.padEnd(20)} ${kind.padEnd(6)} ` +
        Object.entries(counts).map(([name, count]) => `${name} ${(100 * count / amount).toFixed(1)} % (${count})`).join(
          "  "
        )
    )
    for (const one of shown) console.log(one)
  }
}

process.exitCode = failed ? 1 : 0
