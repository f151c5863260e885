/**
 * Writes src/model/catalogue: one module per provider, from a file of published facts about models.
 *
 * `node scripts/catalogue.ts models.json` writes; `--check` as a second argument writes nothing and fails when a module
 * differs. The file is `{ note, providers: { [provider]: { [model]: facts } } }`, prices in US dollars per million tokens. The line
 * format is described in src/model/catalogue.ts.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"

interface PriceList {
  readonly input: number
  readonly output: number
  readonly cacheRead: number
  readonly cacheWrite: number
}

interface Facts {
  readonly name: string
  readonly reasoning: boolean
  readonly input: ReadonlyArray<string>
  readonly costPerMillionTokens: PriceList & {
    readonly tiers?: ReadonlyArray<PriceList & { readonly inputTokensAbove: number }>
  }
  readonly contextWindow: number
  readonly maxOutputTokens: number
  readonly thinkingLevels?: { readonly [level: string]: string | null }
  readonly promptCacheTtlSeconds?: { readonly long?: number }
}

interface Source {
  readonly note: string
  readonly providers: { readonly [provider: string]: { readonly [model: string]: Facts } }
}

// Our provider ids, and the file's name for each. Plans with a flat fee have no price per token and are left out.
const providers: Readonly<Record<string, string>> = {
  anthropic: "anthropic",
  openai: "openai",
  gemini: "google",
  vertex: "google-vertex",
  bedrock: "amazon-bedrock",
  azure: "azure",
  openrouter: "openrouter",
  groq: "groq",
  mistral: "mistral",
  deepseek: "deepseek",
  xai: "xai",
  moonshot: "moonshotai",
  zai: "zai",
  minimax: "minimax",
  together: "together",
  fireworks: "fireworks",
  cerebras: "cerebras",
  huggingface: "huggingface",
  nvidia: "nvidia",
  meta: "meta",
  xiaomi: "xiaomi",
  cloudflare: "cloudflare-workers-ai",
  "vercel-gateway": "vercel-ai-gateway",
  baseten: "baseten"
}

const levels = ["off", "minimal", "low", "medium", "high", "xhigh", "max"]

const [path, mode] = process.argv.slice(2)
if (path === undefined) {
  console.error("usage: node scripts/catalogue.ts <models.json> [--check]")
  process.exit(2)
}
const source = JSON.parse(readFileSync(path, "utf8")) as Source

/** A price of 0 is a price nobody published, except where the id says that the model is free. */
const price = (value: number, free: boolean): string => value > 0 ? String(value) : free ? "0" : ""

// A write that lasts an hour costs twice the input price on Anthropic's own API:
// https://platform.claude.com/docs/en/build-with-claude/prompt-caching#pricing
const hourly = (list: PriceList, facts: Facts): string =>
  facts.promptCacheTtlSeconds?.long === 3600 && list.input > 0 ? String(Number((list.input * 2).toPrecision(12))) : ""

const priceList = (list: PriceList, facts: Facts, free: boolean): string => {
  const known = (list.input > 0 && list.output > 0) || free
  if (!known) return ""
  return [
    price(list.input, free),
    price(list.output, free),
    price(list.cacheRead, free),
    price(list.cacheWrite, free),
    hourly(list, facts)
  ].join(",").replace(/,+$/, "")
}

const levelList = (given: Facts["thinkingLevels"]): string => {
  if (given === undefined) return ""
  const entries = levels.flatMap((level) => {
    const word = given[level]
    if (word === null) return [`-${level}`]
    if (word !== undefined) return [word === level ? level : `${level}=${word}`]
    // The file lists what differs: of the middle levels, one that it does not name goes by its own name.
    return level === "low" || level === "medium" || level === "high" ? [level] : []
  })
  return entries.join(",")
}

const lineOf = (id: string, facts: Facts): string => {
  const cost = facts.costPerMillionTokens
  const free = cost.input === 0 && cost.output === 0 && /[:/-]free$/.test(id)
  const fields = [
    id,
    facts.name === id ? "" : facts.name,
    facts.contextWindow > 0 ? String(facts.contextWindow) : "",
    facts.maxOutputTokens > 0 ? String(facts.maxOutputTokens) : "",
    `${facts.reasoning ? "r" : ""}${facts.input.includes("image") ? "i" : ""}`,
    priceList(cost, facts, free),
    (cost.tiers ?? []).map((tier) => `${tier.inputTokensAbove}:${priceList(tier, facts, free)}`).join(";"),
    facts.reasoning ? levelList(facts.thinkingLevels) : ""
  ]
  if (fields.some((field, index) => /[|`\\\n$]/.test(field) || (index === 0 && field === ""))) {
    throw new Error(`The entry of ${id} has a character that the format reserves.`)
  }
  return fields.join("|").replace(/\|+$/, "")
}

/** The note within the line width of a comment. */
const note = source.note.split(/\s+/).reduce(
  (lines, word) => {
    const line = lines.at(-1)!
    return line.length + word.length < 110 ? [...lines.slice(0, -1), `${line} ${word}`] : [...lines, ` * ${word}`]
  },
  [" *"]
).join("\n")

const moduleOf = (name: string, models: { readonly [model: string]: Facts }): string =>
  `/**
 * Models of \`${name}\`: limits, capabilities and prices. Generated by scripts/catalogue.ts; do not edit.
 *
${note}
 *
 * @since 0.1.0
 */
export const models: string = \`
${Object.keys(models).toSorted().map((id) => lineOf(id, models[id]!)).join("\n")}
\`
`

const target = new URL("../src/model/catalogue/", import.meta.url)
const wanted = new Map<string, string>()
for (const [name, theirs] of Object.entries(providers)) {
  const models = source.providers[theirs]
  if (models !== undefined) wanted.set(`${name}.ts`, moduleOf(name, models))
}

const existing = existsSync(target) ? readdirSync(target) : []
const stale = existing.filter((file) => !wanted.has(file))
const changed = [...wanted].filter(([file, text]) =>
  !existing.includes(file) || readFileSync(new URL(file, target), "utf8") !== text
)

if (mode === "--check") {
  for (const file of [...stale, ...changed.map(([file]) => file)]) {
    console.error(`src/model/catalogue/${file} is out of date`)
  }
  process.exitCode = stale.length + changed.length > 0 ? 1 : 0
} else {
  mkdirSync(target, { recursive: true })
  for (const file of stale) rmSync(new URL(file, target))
  for (const [file, text] of changed) writeFileSync(new URL(file, target), text)
  console.log(`${wanted.size} catalogues, ${changed.length} written, ${stale.length} removed`)
}
