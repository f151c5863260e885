/**
 * A fixed number of permits and a bounded queue for those who wait.
 *
 * Everything but the wait is synchronous, so a permit is always either free, or held, or handed to a waiter that is
 * told. A waiter whose deadline or interruption comes in the same moment as its permit keeps the permit or hands it
 * on.
 *
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { Restore } from "../../stream/held.ts"
import { type Entry, PriorityQueue } from "./priorityQueue.ts"

interface Waiter {
  granted: boolean
  wake: (() => void) | undefined
}

/**
 * How an attempt to get a permit came out.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export type Acquired = "acquired" | "full" | "late"

/**
 * Permits with a queue.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export class Permits {
  private readonly queue = new PriorityQueue<Waiter>()
  private readonly permits: number
  private readonly maxQueue: number
  private held = 0
  private granting = false
  private readonly onChange: () => void

  /** `onChange` is told whenever a number below may have changed. */
  constructor(permits: number, maxQueue: number, onChange: () => void = () => {}) {
    this.permits = permits
    this.maxQueue = maxQueue
    this.onChange = onChange
  }

  /** Permits that are held. */
  get inFlight(): number {
    return this.held
  }

  /** Callers that wait. */
  get queued(): number {
    return this.queue.size
  }

  /**
   * Gets a permit, after a wait in the queue if needed. Must run uninterruptibly; `restore` makes the wait
   * interruptible, and an interruption gives back what was got.
   */
  acquire(priority: number, deadline: Duration.Duration | undefined, restore: Restore): Effect.Effect<Acquired> {
    return Effect.suspend(() => {
      if (this.held < this.permits && this.queue.size === 0) {
        this.held++
        this.onChange()
        return Effect.succeed("acquired")
      }
      if (this.queue.size >= this.maxQueue) return Effect.succeed("full")
      const waiter: Waiter = { granted: false, wake: undefined }
      const entry = this.queue.add(waiter, priority)
      this.onChange()
      const granted = Effect.callback<void>((resume) => {
        if (waiter.granted) return resume(Effect.void)
        waiter.wake = () => resume(Effect.void)
      })
      const wait = deadline === undefined ? granted : Effect.timeoutOption(granted, deadline)
      return Effect.flatMap(Effect.exit(restore(wait)), (exit): Effect.Effect<Acquired> => {
        if (Exit.isSuccess(exit)) {
          if (waiter.granted) return Effect.succeed("acquired")
          this.leave(entry)
          return Effect.succeed("late")
        }
        if (waiter.granted) this.release()
        else this.leave(entry)
        return Effect.failCause(exit.cause)
      })
    })
  }

  /** Gives a permit back. */
  release(): void {
    this.held--
    // A woken waiter may run, end and release within this loop: it only counts, and the loop goes on.
    if (this.granting) return
    this.granting = true
    while (this.held < this.permits) {
      const waiter = this.queue.take()
      if (waiter === undefined) break
      this.held++
      waiter.granted = true
      waiter.wake?.()
    }
    this.granting = false
    this.onChange()
  }

  private leave(entry: Entry<Waiter>): void {
    this.queue.remove(entry)
    this.onChange()
  }
}
