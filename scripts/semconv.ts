/**
 * Compares what we know of OpenTelemetry's GenAI conventions, `semconv/facts.json`, with a checkout of their repository.
 *
 *     git clone https://github.com/open-telemetry/semantic-conventions-genai
 *     npm run semconv -- semantic-conventions-genai
 *
 * Checks names, types, values of enumerations, requirement levels, kinds of spans, instruments, units and, from the rendered pages,
 * boundaries of histograms. Fails with a line per difference. That the library emits what the facts say is what
 * `test/observe/conventions.test.ts` checks.
 */
import { parse } from "effect/encoding/Yaml"
import { execFileSync } from "node:child_process"
import { existsSync, globSync, readFileSync } from "node:fs"
import { join } from "node:path"
import facts from "./semconv/facts.json" with { type: "json" }

interface Ref {
  readonly ref?: string
  readonly ref_group?: string
  readonly requirement_level?: string | Readonly<Record<string, string>>
}
interface Signal {
  readonly attributes?: ReadonlyArray<Ref>
}
interface Model {
  readonly attributes?: ReadonlyArray<
    { readonly key: string; readonly type: string | { readonly members: ReadonlyArray<{ readonly value: string }> } }
  >
  readonly attribute_groups?: ReadonlyArray<Signal & { readonly id: string }>
  readonly spans?: ReadonlyArray<
    Signal & { readonly type: string; readonly kind: string; readonly name?: { readonly note?: string } }
  >
  readonly metrics?: ReadonlyArray<
    Signal & { readonly name: string; readonly instrument: string; readonly unit: string }
  >
}

const [checkout] = process.argv.slice(2)
if (checkout === undefined || !existsSync(join(checkout, "model"))) {
  console.error("Give the path of a checkout of open-telemetry/semantic-conventions-genai.")
  process.exit(2)
}

const models = globSync("model/**/*.yaml", { cwd: checkout }).toSorted().flatMap((file) => {
  const model = parse(readFileSync(join(checkout, file), "utf8"))
  return typeof model === "object" && model !== null ? [model as Model] : []
})
const attributes = new Map(models.flatMap((model) => model.attributes ?? []).map((one) => [one.key, one]))
const groups = new Map(models.flatMap((model) => model.attribute_groups ?? []).map((one) => [one.id, one]))
const spans = new Map(models.flatMap((model) => model.spans ?? []).map((one) => [one.type, one]))
const metrics = new Map(models.flatMap((model) => model.metrics ?? []).map((one) => [one.name, one]))
const pages = globSync("docs/gen-ai/*.md", { cwd: checkout }).map((file) => readFileSync(join(checkout, file), "utf8"))

const problems: Array<string> = []
let compared = 0
const expect = (what: string, ours: unknown, theirs: unknown): void => {
  compared++
  if (JSON.stringify(ours) !== JSON.stringify(theirs)) {
    problems.push(`${what}: ours ${JSON.stringify(ours)}, theirs ${JSON.stringify(theirs)}`)
  }
}

/** The attributes of a signal with their levels, groups resolved; a later mention wins, one without a level changes none. */
const levelsOf = (signal: Signal, levels = new Map<string, string>()): Map<string, string> => {
  for (const { ref, ref_group, requirement_level } of signal.attributes ?? []) {
    if (ref_group !== undefined) levelsOf(groups.get(ref_group) ?? {}, levels)
    if (ref === undefined) continue
    const level = typeof requirement_level === "object" ? Object.keys(requirement_level)[0] : requirement_level
    levels.set(ref, level ?? levels.get(ref) ?? "recommended")
  }
  return levels
}

const compareLevels = (what: string, ours: Readonly<Record<string, string>>, signal: Signal): void => {
  const theirs = levelsOf(signal)
  for (const [name, level] of Object.entries(ours)) expect(`${what}, ${name}`, level, theirs.get(name))
  for (const [name, level] of theirs) {
    if (level === "required" && !(name in ours)) problems.push(`${what}: ${name} is required and we do not have it`)
  }
}

for (
  const [name, fact] of Object.entries<{ type: string; values?: Array<string>; imported?: boolean }>(facts.attributes)
) {
  if (fact.imported === true) continue
  const found = attributes.get(name)
  expect(`attribute ${name}`, fact.type, typeof found?.type === "object" ? "string" : found?.type)
  if (fact.values === undefined) continue
  const theirs = typeof found?.type === "object" ? found.type.members.map(({ value }) => value) : []
  expect(`values of ${name} that they do not have`, fact.values.filter((value) => !theirs.includes(value)), [])
  if (name === "gen_ai.provider.name") expect(name, fact.values.toSorted(), theirs.toSorted())
}
for (const [type, fact] of Object.entries(facts.spans)) {
  const found = spans.get(type)
  expect(`span ${type}, kind`, fact.kind, found?.kind)
  if (found === undefined) continue
  expect(`span ${type}, name`, true, found.name?.note?.includes(`\`${fact.name}\``) ?? false)
  compareLevels(`span ${type}`, fact.attributes, found)
}
interface MetricFact {
  readonly instrument: string
  readonly unit: string
  readonly boundaries?: ReadonlyArray<number>
  readonly attributes: Readonly<Record<string, string>>
}

const metricFacts = facts.metrics as unknown as Readonly<Record<string, MetricFact>>
for (const [name, fact] of Object.entries(metricFacts)) {
  const found = metrics.get(name)
  expect(`metric ${name}`, [fact.instrument, fact.unit], [found?.instrument, found?.unit])
  if (found === undefined) continue
  compareLevels(`metric ${name}`, fact.attributes, found)
  const page = pages.find((text) => text.includes(`### Metric: \`${name}\``))
  const section = page?.split(`### Metric: \`${name}\``)[1]?.split("### Metric: ")[0]
  const boundaries = section === undefined
    ? undefined
    : /ExplicitBucketBoundaries\]? of \[([^\]]+)\]/.exec(section)?.[1]
  if (boundaries !== undefined) {
    expect(`metric ${name}, boundaries`, fact.boundaries, boundaries.split(",").map(Number))
  }
}

const commit = existsSync(join(checkout, ".git"))
  ? execFileSync("git", ["-C", checkout, "rev-parse", "HEAD"], { encoding: "utf8" }).trim()
  : "unknown"
console.log(`${compared} facts compared with ${commit} (ours are of ${facts.commit}, ${facts.release}).`)
for (const problem of problems) console.log(`- ${problem}`)
if (problems.length > 0) process.exit(1)
