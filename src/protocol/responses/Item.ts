/**
 * What all output items of one answer have in common: they grow piece by piece, are closed, and may be repeated whole.
 *
 * @see https://platform.openai.com/docs/api-reference/responses/object
 * @since 0.1.0
 */
import { setOwn } from "../../json/own.ts"
import { wellFormed } from "../../json/text.ts"
import type { Json, JsonObject } from "../../Message.ts"
import type { Assembler } from "../assembling.ts"
import { type Fields, nonEmpty } from "../Probe.ts"

/** What all items of an answer share. @stability experimental @category models @since 0.1.0 */
export interface Shared {
  readonly assembler: Assembler
  /** Set by a refusal; decides the finish reason. */
  refused: boolean
  /** Set by the text of a message. */
  spoken: boolean
  /** Log probabilities of every content part, in order. */
  readonly logprobs: Array<Array<unknown>>
}

/** The kinds of items that are decoded differently. @stability experimental @category models @since 0.1.0 */
export type Kind = "message" | "reasoning" | "function_call" | "custom_tool_call" | "hosted"

/**
 * The kind of an item type.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const kindOf = (type: string): Kind =>
  type === "message" || type === "reasoning" || type === "function_call" || type === "custom_tool_call"
    ? type
    : "hosted"

/**
 * What `whole` says beyond `said`, a text of which `length` characters came; nothing when the two contradict each other. It
 * is read only when it can be the beginning of `whole`: a text of any length is not read again for each short word.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const unsaid = (length: number, said: () => string, whole: string): string =>
  length === 0 ? whole : whole.length > length && whole.startsWith(said()) ? whole.slice(length) : ""

/**
 * Whether a whole text and one that has come may be the same: one begins with the other.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const agrees = (said: string, whole: string): boolean => {
  if (said === "" || whole === "") return false
  return whole.length >= said.length
    ? wellFormed(whole).startsWith(wellFormed(said))
    : said.startsWith(wellFormed(whole))
}

/**
 * Fields that go back with a part, those that are there.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const replayOf = (
  fields: { readonly [key: string]: Json | undefined }
): { readonly replay: JsonObject } | undefined => {
  const replay: { [key: string]: Json } = {}
  for (const key in fields) {
    const value = fields[key]
    if (value !== undefined && value !== null) setOwn(replay, key, value)
  }
  return Object.keys(replay).length === 0 ? undefined : { replay }
}

/** No text of a wire has it. */
const separator = "\u0000"

/**
 * Several texts of an item as one, whatever their order.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const together = (texts: ReadonlyArray<string>): string => {
  const filled = texts.filter((text) => text !== "").map(wellFormed)
  return filled.length < 2 ? filled[0] ?? "" : filled.toSorted().join(separator)
}

/** How many candidates a whole text is compared with: work per text is bounded, and hosts renumber by a few. */
const maxCandidates = 64

/**
 * What the whole forms of one kind say again: which part or section each number of theirs is.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export class Claims<A> {
  private readonly byNumber = new Map<number, A>()
  private readonly taken = new Set<A>()

  get(at: number): A | undefined {
    return this.byNumber.get(at)
  }

  set(at: number, claimed: A): void {
    this.byNumber.set(at, claimed)
    this.taken.add(claimed)
  }

  has(claimed: A): boolean {
    return this.taken.has(claimed)
  }

  /** The first of some that nothing has claimed and that fits. */
  find(candidates: ReadonlyArray<A>, fits: (candidate: A) => boolean): A | undefined {
    let compared = 0
    for (let at = Math.max(0, this.byNumber.size - maxCandidates); at < candidates.length; at++) {
      const candidate = candidates[at]!
      if (this.taken.has(candidate)) continue
      if (fits(candidate)) return candidate
      if (++compared === maxCandidates) return undefined
    }
    return undefined
  }
}

/**
 * One output item.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export abstract class Item {
  abstract readonly kind: Kind
  /** Whether `output_item.done` has come. */
  closed = false
  id: string | undefined
  protected readonly shared: Shared
  protected readonly assembler: Assembler

  constructor(shared: Shared) {
    this.shared = shared
    this.assembler = shared.assembler
  }

  /** Takes what an item says of itself when it begins. */
  take(item: Fields): void {
    this.id ??= nonEmpty(item["id"])
  }

  /** Takes the whole item and closes it. */
  close(item: Fields): void {
    if (this.closed) return this.supplement(item)
    this.take(item)
    this.closed = true
    this.whole(item)
  }

  /** The text that the item has said so far; parts of it in an order that does not depend on their indexes. */
  abstract said(): string
  /** Takes what the final output adds to an item that is closed. */
  abstract supplement(item: Fields): void
  /** The answer is over and the item was never closed. `completed`: the wire says that nothing is missing. */
  abstract end(completed: boolean): void
  protected abstract whole(item: Fields): void
}
