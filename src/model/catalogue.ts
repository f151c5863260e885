/**
 * Reads the generated catalogue: one text per provider, one line per model, parsed when a model is first asked for.
 *
 * The text keeps bundles small and costs nothing until it is used. `scripts/catalogue.ts` writes it; the line format is known to
 * that script and to this module only:
 *
 *     id|name|contextWindow|maxOutputTokens|flags|prices|tiers|levels
 *
 * `flags`: `r` reasons, `i` takes images. `prices`: input, output, cacheRead, cacheWrite, cacheWrite1h, separated by commas, empty
 * where unknown. `tiers`: `tokens:prices`, separated by semicolons. `levels`: `level` or `level=word`, `-level` where the model
 * lacks it, separated by commas.
 *
 * @since 0.1.0
 */
import type { ModelMeta, Prices, ThinkingLevel } from "../Model.ts"

/**
 * A generated module.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface Catalogue {
  readonly models: string
}

/**
 * Loads a generated module.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export type LoadCatalogue = () => Promise<Catalogue>

const numberOf = (text: string | undefined): number | undefined =>
  text === undefined || text === "" ? undefined : Number(text)

type PriceList = Omit<Prices, "tiers">

const pricesOf = (text: string): PriceList | undefined => {
  const [input, output, cacheRead, cacheWrite, cacheWrite1h] = text.split(",").map(numberOf)
  if (input === undefined || output === undefined) return undefined
  return {
    input,
    output,
    ...(cacheRead === undefined ? undefined : { cacheRead }),
    ...(cacheWrite === undefined ? undefined : { cacheWrite }),
    ...(cacheWrite1h === undefined ? undefined : { cacheWrite1h })
  }
}

const tiersOf = (text: string): Prices["tiers"] =>
  text === "" ? undefined : text.split(";").flatMap((tier) => {
    const [above, prices = ""] = tier.split(":")
    const list = pricesOf(prices)
    return list === undefined ? [] : [{ aboveInputTokens: Number(above), ...list }]
  })

const levelsOf = (text: string): ModelMeta["thinkingLevels"] => {
  if (text === "") return undefined
  const levels: { [level in ThinkingLevel]?: string | undefined } = {}
  for (const entry of text.split(",")) {
    const [level = "", word = level] = entry.split("=")
    // A key without a word says that the level is known to be missing; a missing key says nothing.
    if (level.startsWith("-")) levels[level.slice(1) as ThinkingLevel] = undefined
    else levels[level as ThinkingLevel] = word
  }
  return levels
}

const metaOf = (provider: string, line: string): ModelMeta => {
  const [id = "", name = "", context, output, flags = "", prices = "", tiers = "", levels = ""] = line.split("|")
  const contextWindow = numberOf(context)
  const maxOutputTokens = numberOf(output)
  const list = pricesOf(prices)
  const tierList = tiersOf(tiers)
  const thinkingLevels = levelsOf(levels)
  return {
    provider,
    id,
    name: name === "" ? id : name,
    ...(contextWindow === undefined ? undefined : { contextWindow }),
    ...(maxOutputTokens === undefined ? undefined : { maxOutputTokens }),
    capabilities: { images: flags.includes("i"), reasoning: flags.includes("r") },
    ...(thinkingLevels === undefined ? undefined : { thinkingLevels }),
    ...(list === undefined
      ? undefined
      : { prices: tierList === undefined ? list : { ...list, tiers: tierList } })
  }
}

const parsed = new WeakMap<Catalogue, ReadonlyMap<string, string>>()

const linesOf = (catalogue: Catalogue): ReadonlyMap<string, string> => {
  const known = parsed.get(catalogue)
  if (known !== undefined) return known
  const lines = new Map<string, string>()
  for (const line of catalogue.models.split("\n")) {
    if (line !== "") lines.set(line.slice(0, line.indexOf("|")), line)
  }
  parsed.set(catalogue, lines)
  return lines
}

/** What may follow a listed id without naming another model: a date, a revision, `latest`. */
const revision = /^[-@](?:latest|\d{8}|\d{4}-\d{2}-\d{2}|\d{2}-\d{4}|\d{3,4})(?:-v\d+(?::\d+)?)?$|^-v\d+(?::\d+)?$/

/**
 * The entry of a model: of the id as it is, else of the longest listed id that it is a dated form of.
 *
 * @stability stable
 * @category lookup
 * @since 0.1.0
 */
export const find = (catalogue: Catalogue, provider: string, id: string): ModelMeta | undefined => {
  const lines = linesOf(catalogue)
  const exact = lines.get(id)
  if (exact !== undefined) return metaOf(provider, exact)
  // Gemini lists its ids as `models/…`.
  if (id.startsWith("models/")) return find(catalogue, provider, id.slice("models/".length))
  for (let end = id.length - 1; end > 0; end--) {
    const line = lines.get(id.slice(0, end))
    if (line !== undefined && revision.test(id.slice(end))) return { ...metaOf(provider, line), id }
  }
  return undefined
}

/**
 * All entries of a provider.
 *
 * @stability stable
 * @category lookup
 * @since 0.1.0
 */
export const list = (catalogue: Catalogue, provider: string): ReadonlyArray<ModelMeta> =>
  Array.from(linesOf(catalogue).values(), (line) => metaOf(provider, line))
