/**
 * Orders candidates by a strategy, from numbers that are known of each.
 *
 * Pure: it gets what is measured and a source of randomness, and gives an order. Who may be asked, and what happens when one fails,
 * is `Balance`'s.
 *
 * @since 0.1.0
 */
import type { Prices } from "../../Model.ts"

/**
 * How the next candidate is chosen.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export type Strategy = typeof strategies[number]

/**
 * All strategies.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export const strategies = [
  "weighted",
  "round-robin",
  "least-busy",
  "lowest-latency",
  "cheapest",
  "inverse-square-price"
] as const

/**
 * What is known of a candidate now.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface Numbers {
  readonly weight: number
  /** Calls that run. */
  readonly busy: number
  /** Milliseconds to the first content; `undefined` before the first call. */
  readonly latency: number | undefined
  /** US dollars of this request; `undefined` when the price is not known. */
  readonly price: number | undefined
}

/**
 * What a request costs at most.
 *
 * @stability stable
 * @category accessors
 * @since 0.1.0
 */
export const priceOf = (prices: Prices, inputTokens: number, outputTokens: number): number => {
  const tier = prices.tiers?.findLast((tier) => inputTokens > tier.aboveInputTokens)
  return (inputTokens * (tier ?? prices).input + outputTokens * (tier ?? prices).output) / 1_000_000
}

/** Indexes in random order, each as likely to come next as its share of the weights left. */
const drawn = (indexes: ReadonlyArray<number>, weightOf: (index: number) => number, random: () => number) => {
  const left = indexes.filter((index) => weightOf(index) > 0)
  const order: Array<number> = []
  while (left.length > 0) {
    let point = random() * left.reduce((sum, index) => sum + weightOf(index), 0)
    let at = 0
    while (at < left.length - 1 && (point -= weightOf(left[at]!)) >= 0) at++
    order.push(...left.splice(at, 1))
  }
  // What has no weight is a last resort.
  return [...order, ...indexes.filter((index) => !order.includes(index))]
}

const sortedBy = (indexes: ReadonlyArray<number>, key: (index: number) => number): Array<number> =>
  indexes.toSorted((a, b) => key(a) - key(b))

/** Unlike candidates rotate, so that the first of the list is not everybody's. */
const rotated = (indexes: ReadonlyArray<number>, turn: number): Array<number> => {
  const start = indexes.length === 0 ? 0 : turn % indexes.length
  return [...indexes.slice(start), ...indexes.slice(0, start)]
}

/**
 * The order in which candidates are tried. `turn` counts calls.
 *
 * @stability stable
 * @category ordering
 * @since 0.1.0
 */
export const rank = (
  strategy: Strategy,
  indexes: ReadonlyArray<number>,
  numbersOf: (index: number) => Numbers,
  turn: number,
  random: () => number
): Array<number> => {
  switch (strategy) {
    case "weighted":
      return drawn(indexes, (index) => numbersOf(index).weight, random)
    case "round-robin":
      return rotated(indexes, turn)
    case "least-busy":
      return sortedBy(
        rotated(indexes, turn),
        (index) => (numbersOf(index).busy + 1) / (numbersOf(index).weight || 1e-9)
      )
    case "lowest-latency":
      // Whoever was never asked is asked first: there is no other way to learn.
      return sortedBy(rotated(indexes, turn), (index) => numbersOf(index).latency ?? -1)
    case "cheapest":
      return sortedBy(indexes, (index) => numbersOf(index).price ?? Infinity)
    case "inverse-square-price": {
      const known = indexes.flatMap((index) => numbersOf(index).price ?? [])
      const dearest = Math.max(...known, 0)
      // An unknown price is no reason to prefer anybody; free ones would take everything, so they count as nearly free.
      const least = Math.max(1e-12, dearest * 1e-6)
      return drawn(
        indexes,
        (index) => {
          const price = Math.max(least, numbersOf(index).price ?? dearest)
          return numbersOf(index).weight * (least / price) ** 2
        },
        random
      )
    }
  }
}

/** FNV-1a with a final mix, https://datatracker.ietf.org/doc/html/draft-eastlake-fnv: spread evenly, not secret. */
const hash = (text: string): number => {
  let value = 0x811c9dc5
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193)
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b)
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35)
  return (value ^ (value >>> 16)) >>> 0
}

/**
 * The order of candidates for a key: weighted rendezvous hashing, so that a key keeps its candidate when others come and go.
 *
 * @see https://en.wikipedia.org/wiki/Rendezvous_hashing
 * @stability stable
 * @category ordering
 * @since 0.1.0
 */
export const rendezvous = (
  key: string,
  indexes: ReadonlyArray<number>,
  idOf: (index: number) => string,
  weightOf: (index: number) => number
): Array<number> =>
  sortedBy(indexes, (index) => {
    const point = (hash(`${key}\n${idOf(index)}`) + 0.5) / 0x1_0000_0000
    return weightOf(index) > 0 ? Math.log(point) / weightOf(index) : -Infinity
  }).toReversed()
