/**
 * Identical calls that run at the same time share one: the first leads, the others wait for what comes of it.
 *
 * A leader that goes away makes room for one of those who wait; one who stops waiting is missed by nobody. No fiber is made: a
 * leader is the fiber of its caller.
 *
 * @since 0.1.0
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type { LlmError } from "../../LlmError.ts"
import type { LlmResponse } from "../../LlmResponse.ts"

/**
 * What came of a leader. After `Gone`, whoever waits asks anew.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export type Outcome =
  | { readonly _tag: "Answered"; readonly response: LlmResponse }
  | { readonly _tag: "Failed"; readonly error: LlmError }
  | { readonly _tag: "Gone" }

/**
 * One call that others may wait for.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface Flight {
  readonly key: string
  readonly outcome: Deferred.Deferred<Outcome>
}

/**
 * The calls in flight, by key.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export class Flights {
  private readonly flights = new Map<string, Flight>()

  get(key: string): Flight | undefined {
    return this.flights.get(key)
  }

  /** Takes the lead; only when nobody has it. */
  lead(key: string): Flight {
    const flight: Flight = { key, outcome: Deferred.makeUnsafe() }
    this.flights.set(key, flight)
    return flight
  }

  /** Tells those who wait; the first word counts. The flight can still be joined until it is closed. */
  tell(flight: Flight, outcome: Outcome): void {
    Deferred.doneUnsafe(flight.outcome, Effect.succeed(outcome))
  }

  /** Ends a flight. Without a word before, its leader is gone. */
  close(flight: Flight): void {
    if (this.flights.get(flight.key) === flight) this.flights.delete(flight.key)
    this.tell(flight, { _tag: "Gone" })
  }

  get size(): number {
    return this.flights.size
  }
}
