/**
 * Whether spans are wanted, and how long something took.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Tracer from "effect/Tracer"

/** Seconds between two readings of a clock. */
export const seconds = (from: bigint, to: bigint): number => Number(to - from) / 1e9

const defaultTracer = Context.get(Context.empty(), Tracer.Tracer)

/** A tracer other than the default one, or a parent span, means that somebody listens. */
export const listens = (fiber: Fiber.Fiber<unknown, unknown>): boolean =>
  fiber.getRef(Tracer.Tracer) !== defaultTracer || Option.isSome(Context.getOption(fiber.context, Tracer.ParentSpan))
