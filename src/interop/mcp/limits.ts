/**
 * The limits of a server with their defaults, in numbers.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import { defaultMaxResultBytes } from "../../agent/handlers/texts.ts"
import type { Limits } from "./options.ts"

const mebibyte = 1024 * 1024

/** Limits in milliseconds, bytes and counts. @stability experimental @category limits @since 0.1.0 */
export type Bounds = { readonly [Name in keyof Limits]-?: number }

const finite = (given: number | undefined, fallback: number): number =>
  given === undefined || Number.isNaN(given) || given < 0 ? fallback : given

const millis = (given: Duration.Input | undefined, fallback: number): number => {
  if (given === undefined) return fallback
  const duration = Duration.fromInput(given)
  return duration._tag === "None" ? fallback : Math.max(0, Duration.toMillis(duration.value))
}

/** Limits with defaults where nothing, or nothing sensible, was said. @stability experimental @category limits @since 0.1.0 */
export const boundsOf = (limits: Limits = {}): Bounds => ({
  connect: millis(limits.connect, 30_000),
  list: millis(limits.list, 30_000),
  call: millis(limits.call, 120_000),
  idle: millis(limits.idle, 60_000),
  listAge: millis(limits.listAge, 300_000),
  listItems: finite(limits.listItems, 512),
  listPages: finite(limits.listPages, 64),
  messageBytes: finite(limits.messageBytes, 16 * mebibyte),
  resultBytes: finite(limits.resultBytes, defaultMaxResultBytes),
  mediaBytes: finite(limits.mediaBytes, 8 * mebibyte),
  rounds: finite(limits.rounds, 8),
  roundBytes: finite(limits.roundBytes, 256 * 1024),
  repeats: finite(limits.repeats, 2)
})
