/**
 * The streamed items that no item of the final output has repeated yet.
 *
 * The final output may come in another order than the stream, under other ids and indexes. Each look-up takes the same
 * time however many items there are.
 *
 * @since 0.1.0
 */
import type { Fields } from "../Probe.ts"
import { agrees, type Item, type Kind } from "./Item.ts"
import { callIdOf, CallItem } from "./Items.ts"
import { messageText } from "./MessageItem.ts"

interface Queue {
  readonly items: Array<Item>
  /** Items before are taken. */
  first: number
}

/** How many of the next items a whole one is compared with. */
const maxCandidates = 64

/**
 * Streamed items, until they are taken.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export class Remaining {
  private readonly taken = new Set<Item>()
  private readonly byCall = new Map<string, Item>()
  private readonly byText = new Map<string, Queue>()
  private readonly byKind = new Map<Kind, Queue>()

  constructor(items: ReadonlyArray<Item>) {
    for (const item of items) {
      if (item instanceof CallItem && item.callId !== undefined) {
        const key = `${item.kind} ${item.callId}`
        if (!this.byCall.has(key)) this.byCall.set(key, item)
      }
      const text = item.kind === "message" || item.kind === "reasoning" ? item.said() : ""
      if (text !== "") {
        const key = `${item.kind} ${text}`
        const same = this.byText.get(key)
        if (same === undefined) this.byText.set(key, { items: [item], first: 0 })
        else same.items.push(item)
      }
      const kind = this.byKind.get(item.kind)
      if (kind === undefined) this.byKind.set(item.kind, { items: [item], first: 0 })
      else kind.items.push(item)
    }
  }

  take(item: Item | undefined): Item | undefined {
    if (item !== undefined) this.taken.add(item)
    return item
  }

  /** The item, if it may be the one. */
  fits(item: Item | undefined, kind: Kind, whole: Fields): Item | undefined {
    return item !== undefined && item.kind === kind && !this.taken.has(item) && isCall(item, whole) ? item : undefined
  }

  called(callId: string | undefined, kind: Kind): Item | undefined {
    const item = callId === undefined ? undefined : this.byCall.get(`${kind} ${callId}`)
    return item !== undefined && !this.taken.has(item) ? item : undefined
  }

  /** The next item that has said just this. */
  saying(kind: Kind, text: string): Item | undefined {
    const same = text === "" ? undefined : this.byText.get(`${kind} ${text}`)
    return same === undefined ? undefined : this.head(same)
  }

  /** The first item of a queue that is not taken. */
  private head(queue: Queue): Item | undefined {
    while (queue.first < queue.items.length && this.taken.has(queue.items[queue.first]!)) queue.first++
    return queue.items[queue.first]
  }

  /** The next item of a kind; of messages one that has begun to say the same before one that has said something else. */
  next(kind: Kind, whole: Fields): Item | undefined {
    const known = this.byKind.get(kind)
    if (known === undefined) return undefined
    this.head(known)
    const text = kind === "message" ? messageText(whole) : ""
    let first: Item | undefined
    for (let at = known.first; at < known.items.length && at < known.first + maxCandidates; at++) {
      const item = this.fits(known.items[at], kind, whole)
      if (item === undefined) continue
      if (text === "" || agrees(item.said(), text)) return item
      first ??= item
    }
    return first
  }
}

const isCall = (known: Item, whole: Fields): boolean => {
  const callId = callIdOf(whole)
  return !(known instanceof CallItem) || known.callId === undefined || callId === undefined || known.callId === callId
}
