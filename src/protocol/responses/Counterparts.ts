/**
 * Which streamed item an item of the final output repeats.
 *
 * The final output may come in another order than the stream, without ids, or with other ones. Each streamed item is given
 * out once, and finding it costs the same however many there are.
 *
 * @since 0.1.0
 */
import { type Fields, nonEmpty } from "../Probe.ts"
import { CallItem, type Item, type Kind } from "./Items.ts"

/** Items in their order, of which those given out are passed over for good. */
class Line {
  private readonly items: Array<Item> = []
  private from = 0

  add(item: Item): void {
    this.items.push(item)
  }

  first(taken: ReadonlySet<Item>): Item | undefined {
    while (this.from < this.items.length && taken.has(this.items[this.from]!)) this.from++
    return this.items[this.from]
  }
}

const lineOf = (lines: Map<string, Line>, key: string): Line => {
  let line = lines.get(key)
  if (line === undefined) lines.set(key, line = new Line())
  return line
}

/**
 * Whether an item is not another call than the one at its place.
 *
 * @category guards
 * @since 0.1.0
 */
export const sameCall = (known: Item, item: Fields): boolean => {
  const callId = nonEmpty(item["call_id"])
  return !(known instanceof CallItem) || known.callId === undefined || callId === undefined || known.callId === callId
}

/**
 * The streamed items, to be given out to the items of the final output.
 *
 * @category models
 * @since 0.1.0
 */
export class Counterparts {
  private readonly taken = new Set<Item>()
  private readonly byKind = new Map<string, Line>()
  /** Items that are no call, or a call whose id is not known. */
  private readonly withoutCallId = new Map<string, Line>()
  private readonly byCallId = new Map<string, Line>()

  constructor(streamed: ReadonlyArray<Item>) {
    for (const item of streamed) {
      lineOf(this.byKind, item.kind).add(item)
      const callId = item instanceof CallItem ? item.callId : undefined
      if (callId === undefined) lineOf(this.withoutCallId, item.kind).add(item)
      else lineOf(this.byCallId, `${item.kind} ${callId}`).add(item)
    }
  }

  /** The item that is repeated: by call id, by id, by place, else the first of its kind that is left. */
  take(item: Fields, kind: Kind, named: Item | undefined, placed: Item | undefined): Item | undefined {
    const found = this.find(item, kind, named, placed)
    if (found !== undefined) this.taken.add(found)
    return found
  }

  private find(item: Fields, kind: Kind, named: Item | undefined, placed: Item | undefined): Item | undefined {
    const callId = nonEmpty(item["call_id"])
    const isFree = (one: Item | undefined): one is Item =>
      one !== undefined && one.kind === kind && !this.taken.has(one) && sameCall(one, item)
    if (callId !== undefined) {
      if (isFree(placed) && placed instanceof CallItem && placed.callId === callId) return placed
      const called = this.byCallId.get(`${kind} ${callId}`)?.first(this.taken)
      if (called !== undefined) return called
    }
    if (isFree(named)) return named
    if (isFree(placed)) return placed
    return (callId === undefined ? this.byKind : this.withoutCallId).get(kind)?.first(this.taken)
  }
}
