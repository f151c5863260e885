/**
 * Judges the schema compiler on public schemas: `npm run schemas -- <folder>`, where the folder is a checkout of
 * https://github.com/guidance-ai/jsonschemabench with its MaskBench. Nothing of it is kept here.
 *
 * Per dialect: schemas sent strict, those that the dialect's documentation accepts, those whose valid instances can all be
 * written and come back equal, and the longest time of one schema.
 */
import { readdirSync, readFileSync, statSync } from "node:fs"
import { join } from "node:path"
import { isDeepStrictEqual } from "node:util"
import type { Json, JsonObject } from "../src/Message.ts"
import { compile } from "../src/protocol/schema/compile.ts"
import type { Dialect } from "../src/protocol/schema/Dialect.ts"
import * as dialects from "../src/protocol/schema/dialects.ts"
import { Document } from "../src/validation/jsonSchema/document.ts"
import { misfitOf } from "../src/validation/jsonSchema/misfits.ts"
import { refusal, rules } from "./schemas/dialects.ts"

const judged: ReadonlyArray<readonly [name: string, dialect: Dialect]> = [
  ["openAi", dialects.openAiStrict],
  ["anthropic", dialects.anthropicStrict],
  ["gemini", dialects.geminiJsonSchema],
  ["cerebras", dialects.cerebrasStrict],
  ["azure", dialects.azureStrict]
]

interface Case {
  readonly file: string
  readonly schema: JsonObject
  readonly instances: ReadonlyArray<{ readonly valid: boolean; readonly data: Json }>
}

const files = (folder: string): Array<string> =>
  readdirSync(folder).flatMap((name) => {
    const path = join(folder, name)
    return statSync(path).isDirectory() ? files(path) : name.endsWith(".json") ? [path] : []
  })

const casesOf = (folder: string, every: number): Array<Case> =>
  files(join(folder, "maskbench", "data")).flatMap((file, at): Array<Case> => {
    if (at % every !== 0) return []
    const { schema, tests = [] } = JSON.parse(readFileSync(file, "utf8"))
    return typeof schema === "object" && schema !== null ? [{ file, schema, instances: tests }] : []
  })

const [folder, ...flags] = process.argv.slice(2)
if (folder === undefined) {
  console.error("Give the folder of a checkout of guidance-ai/jsonschemabench.")
  process.exit(2)
}
const flag = (name: string): string | undefined => flags.find((one) => one.startsWith(`--${name}=`))?.split("=")[1]
const cases = casesOf(folder, Number(flag("every") ?? 1))
const shownMost = Number(flag("show") ?? 0)

{
  let right = 0
  let wrongly = 0
  let missed = 0
  for (const { instances, schema } of cases) {
    const document = new Document(schema)
    for (const { data, valid } of instances) {
      const fits = misfitOf(document, data) === undefined
      if (fits === valid) right++
      else if (valid) wrongly++
      else missed++
    }
  }
  console.log(
    `${cases.length} schemas. Our check agrees with ${right} labels, refuses ${wrongly} valid and takes ${missed} invalid instances.`
  )
}

const percent = (part: number, whole: number): string => `${(100 * part / Math.max(1, whole)).toFixed(1)} %`

let failed = false
for (const undeclared of ["closed", "kept"] as const) {
  console.log(`\nMembers that nobody declared: ${undeclared}`)
  for (const [name, dialect] of judged) {
    if (flag("only") !== undefined && flag("only") !== name) continue
    let strict = 0
    let accepted = 0
    let whole = 0
    let astray = 0
    let impossible = 0
    let slow = 0
    let slowest = 0
    let slowestFile = ""
    let shown = 0
    const reasons = new Map<string, number>()
    const show = (what: string, file: string, more: string) => {
      reasons.set(what, (reasons.get(what) ?? 0) + 1)
      if (shown++ < shownMost) console.log(`  ${what}: ${file.replace(folder, "")}: ${more.slice(0, 300)}`)
    }
    for (const { file, instances, schema } of cases) {
      const before = process.cpuUsage()
      const compiled = compile(schema, dialect, { undeclared })
      const { system, user } = process.cpuUsage(before)
      const took = (system + user) / 1000
      if (took > 20) slow++
      if (took > slowest) {
        slowest = took
        slowestFile = file
      }
      if (!compiled.strict) {
        show("not strict", file, compiled.warnings[0]?.message ?? "")
        continue
      }
      strict++
      const why = refusal(compiled.schema, rules[name]!)
      if (why !== undefined) {
        show("refused", file, why)
        continue
      }
      accepted++
      const sent = new Document(compiled.schema)
      let all = true
      for (const { data, valid } of instances) {
        if (!valid) continue
        const written = compiled.write(data)
        const misfit = misfitOf(sent, written)
        if (misfit !== undefined) {
          all = false
          impossible++
          show("impossible", file, `${misfit.path} ${misfit.message}`)
          break
        }
        if (!isDeepStrictEqual(compiled.undo(written), data)) {
          all = false
          astray++
          show("astray", file, `${JSON.stringify(data)} <> ${JSON.stringify(compiled.undo(written))}`)
          break
        }
      }
      if (all) whole++
    }
    console.log(
      `${name.padEnd(10)} strict ${percent(strict, cases.length)}, accepted ${percent(accepted, cases.length)}, ` +
        `all instances possible and equal ${
          percent(whole, cases.length)
        } (impossible ${impossible}, astray ${astray}); ` +
        `slowest ${slowest.toFixed(1)} ms, ${slow} above 20 ms (${slowestFile.replace(folder, "")})`
    )
    if (strict > accepted) failed = true
  }
}
if (failed) process.exitCode = 1
