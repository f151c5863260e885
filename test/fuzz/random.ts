// Random choices that a seed repeats: every case of the fuzzer is made from a number.

export class Random {
  private state: number

  constructor(seed: number) {
    this.state = seed >>> 0
  }

  /** From 0 up to but not including 1; mulberry32. */
  next(): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0
    let z = this.state
    z = Math.imul(z ^ (z >>> 15), z | 1)
    z ^= z + Math.imul(z ^ (z >>> 7), z | 61)
    return ((z ^ (z >>> 14)) >>> 0) / 0x1_0000_0000
  }

  /** From 0 up to but not including `below`. */
  int(below: number): number {
    return Math.floor(this.next() * below)
  }

  between(low: number, high: number): number {
    return low + this.int(high - low + 1)
  }

  chance(probability: number): boolean {
    return this.next() < probability
  }

  pick<A>(from: ReadonlyArray<A>): A {
    return from[this.int(from.length)]!
  }

  /** Few much more often than many. */
  few(most: number): number {
    return Math.min(most, Math.floor(-Math.log(1 - this.next()) * 1.5))
  }
}

/** The seed of one case: neighbours share nothing. */
export const seedOf = (seed: number, wire: number, at: number): number =>
  (Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(wire + 1, 0xc2b2ae35) ^ Math.imul(at + 1, 0x27d4eb2f)) >>> 0
