/**
 * `npm run fuzz -- --minutes N [--seed S] [--only wire] [--case I]`: makes answers that no API would send and requests
 * that no caller should, and prints what the library does wrong with them, each with a seed that repeats it. Exits with 1
 * on any finding. Most answers come in memory in virtual time, some over a real connection to the Node client.
 */
import { NodeRuntime } from "@effect/platform-node"
import * as Clock from "effect/Clock"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import { parseArgs } from "node:util"
import { layerHttpClient } from "../../src/node.ts"
import { type Answer, type AnswerCase, answerCase, bodyOf } from "./answers.ts"
import { run, watchUncaught } from "./calls.ts"
import { inMemory, serve } from "./clients.ts"
import { Random, seedOf } from "./random.ts"
import { requestFindings } from "./requests.ts"
import { seeds, type WireName } from "./seeds.ts"
import { shrunk } from "./shrink.ts"

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "1" },
    seed: { type: "string" },
    only: { type: "string" },
    case: { type: "string" },
    requests: { type: "boolean", default: true },
    answers: { type: "boolean", default: true }
  },
  allowNegative: true
})

const described = (given: AnswerCase): string => {
  const text = new TextDecoder().decode(bodyOf(given.answer))
  return [
    `  ${given.wire} (${given.provider}) ${given.operation}, policies ${given.policies}, status ${given.answer.status}, ends by ${given.answer.ending}${
      given.lost ? ", cut" : ""
    }`,
    `  headers ${JSON.stringify(given.answer.headers)}`,
    `  body ${JSON.stringify(text.length > 2000 ? `${text.slice(0, 1000)} … ${text.slice(-500)}` : text)}`
  ].join("\n")
}

/** Findings are told apart by their first line without numbers. */
const kindOf = (finding: string): string => finding.split("\n", 1)[0]!.replaceAll(/\d+/g, "#").slice(0, 200)

const program = Effect.gen(function*() {
  const started = yield* Clock.currentTimeMillis
  const seed = values.seed === undefined ? started % 0x7fffffff : Number(values.seed)
  const until = started + Number(values.minutes) * 60_000
  const node = yield* HttpClient.HttpClient
  const served = yield* Effect.acquireRelease(Effect.promise(serve), ({ server }) =>
    Effect.sync(() => {
      server.closeAllConnections()
      server.close()
    }))
  yield* Effect.acquireRelease(Effect.sync(watchUncaught), (stop) => Effect.sync(stop))
  yield* Console.log(`seed ${seed}, ${values.minutes} minutes`)

  const wires = (Object.keys(seeds) as Array<WireName>).map((wire, index) => ({ index, wire }))
    .filter(({ wire }) => values.only === undefined || wire === values.only)
  const seen = new Map<string, number>()
  let cases = 0
  const tell = (found: ReadonlyArray<string>, where: string, describe: Effect.Effect<string>) =>
    Effect.gen(function*() {
      const fresh = found.filter((one) => {
        const kind = kindOf(one)
        const count = seen.get(kind) ?? 0
        seen.set(kind, count + 1)
        return count === 0
      })
      if (fresh.length === 0) return
      yield* Console.log(`FOUND ${where}\n${fresh.map((one) => `  - ${one}`).join("\n")}\n${yield* describe}`)
    })

  const answers = (at: number) =>
    Effect.gen(function*() {
      for (const { index, wire } of wires) {
        const random = new Random(seedOf(seed, index, at))
        const made = answerCase(random, wire)
        const overNetwork = random.chance(0.2)
        // Time that passes for nothing: a body that does not end is cut there.
        const stalls = overNetwork && made.answer.ending === "stall" && random.chance(0.95)
        const given: AnswerCase = stalls ? { ...made, answer: { ...made.answer, ending: "break" } } : made
        const attempt = (one: AnswerCase): Promise<ReadonlyArray<string>> => {
          if (!overNetwork) return run(one, inMemory)
          const nodeFor = (answer: Answer) => {
            served.answer = answer
            return node
          }
          return run(one, nodeFor, `${served.url}/v1`, false)
        }
        const found = yield* Effect.promise(() => attempt(given))
        cases++
        const kinds = new Set(found.map(kindOf))
        yield* tell(
          found,
          `--no-requests --seed ${seed} --only ${wire} --case ${at}${overNetwork ? " (over the network)" : ""}`,
          Effect.promise(async () =>
            described(
              await shrunk(given, async (one) => (await attempt(one)).some((again) => kinds.has(kindOf(again))))
            )
          )
        )
      }
    })

  const requests = (at: number) =>
    Effect.gen(function*() {
      const { description, found } = yield* Effect.promise(() => requestFindings(new Random(seedOf(seed, 1000, at))))
      cases++
      yield* tell(found, `--no-answers --seed ${seed} --case ${at}`, Effect.succeed(`  ${description}`))
    })

  for (let at = values.case === undefined ? 0 : Number(values.case);; at++) {
    if (values.answers) yield* answers(at)
    if (values.requests && values.only === undefined) yield* requests(at)
    if (values.case !== undefined || (yield* Clock.currentTimeMillis) >= until) break
  }
  yield* Console.log(`${cases} cases, ${seen.size} kinds of findings`)
  for (const [kind, count] of seen) yield* Console.log(`${String(count).padStart(6)}  ${kind}`)
  return seen.size === 0 ? 0 : 1
})

program.pipe(
  Effect.tap((code) => Effect.sync(() => void (process.exitCode = code))),
  Effect.scoped,
  Effect.provide(layerHttpClient),
  NodeRuntime.runMain
)
