/**
 * A queue that serves higher priorities first and equals in the order they came.
 *
 * A binary heap: adding and taking cost the logarithm of the length. An entry that was removed stays in the heap,
 * marked, until it reaches the top or the removed ones outnumber the others.
 *
 * @since 0.1.0
 */

/**
 * An entry of a {@link PriorityQueue}.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface Entry<A> {
  readonly value: A
  readonly priority: number
  readonly sequence: number
  removed: boolean
}

const before = (a: Entry<unknown>, b: Entry<unknown>): boolean =>
  a.priority === b.priority ? a.sequence < b.sequence : a.priority > b.priority

/**
 * A mutable priority queue.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export class PriorityQueue<A> {
  private heap: Array<Entry<A>> = []
  private sequence = 0
  private live = 0

  /** How many entries wait. */
  get size(): number {
    return this.live
  }

  add(value: A, priority: number): Entry<A> {
    const entry: Entry<A> = {
      value,
      priority: Number.isNaN(priority) ? 0 : priority,
      sequence: this.sequence++,
      removed: false
    }
    this.live++
    this.heap.push(entry)
    this.up(this.heap.length - 1)
    return entry
  }

  /** The next entry, taken out. */
  take(): A | undefined {
    while (this.heap.length > 0) {
      const top = this.pop()
      if (top.removed) continue
      top.removed = true
      this.live--
      return top.value
    }
    return undefined
  }

  /** Takes an entry out, if it is still in. */
  remove(entry: Entry<A>): void {
    if (entry.removed) return
    entry.removed = true
    this.live--
    if (this.heap.length > 32 && this.live * 2 < this.heap.length) {
      this.heap = this.heap.filter((entry) => !entry.removed).toSorted((a, b) => before(a, b) ? -1 : 1)
    }
  }

  private pop(): Entry<A> {
    const top = this.heap[0]!
    const last = this.heap.pop()!
    if (this.heap.length > 0) {
      this.heap[0] = last
      this.down(0)
    }
    return top
  }

  private up(index: number): void {
    const entry = this.heap[index]!
    while (index > 0) {
      const parent = (index - 1) >> 1
      if (!before(entry, this.heap[parent]!)) break
      this.heap[index] = this.heap[parent]!
      index = parent
    }
    this.heap[index] = entry
  }

  private down(index: number): void {
    const entry = this.heap[index]!
    const { length } = this.heap
    while (true) {
      let child = 2 * index + 1
      if (child >= length) break
      if (child + 1 < length && before(this.heap[child + 1]!, this.heap[child]!)) child++
      if (!before(this.heap[child]!, entry)) break
      this.heap[index] = this.heap[child]!
      index = child
    }
    this.heap[index] = entry
  }
}
