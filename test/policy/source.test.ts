import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import { TestClock } from "effect/testing"
import {
  type Events,
  type EventsPull,
  provided,
  pullOf,
  Relay,
  type Source,
  sourceOf,
  watched
} from "../../src/stream/source.ts"

const delta = (text: string): Events => [{ _tag: "TextDelta", index: 0, text }]

/** A source that gives what it is fed. */
class Fed implements Source {
  readonly queue: Array<EventsPull> = []
  waiting: ((next: EventsPull) => void) | undefined
  cancelled = 0
  readonly pull = pullOf(this)

  feed(next: EventsPull): void {
    const { waiting } = this
    this.waiting = undefined
    if (waiting === undefined) this.queue.push(next)
    else waiting(next)
  }

  poll(): EventsPull | undefined {
    return this.queue.shift()
  }

  next(resume: (next: EventsPull) => void): () => void {
    this.waiting = resume
    return () => {
      this.cancelled++
      this.waiting = undefined
    }
  }
}

const through = () => undefined

describe("A pull with a source", () => {
  it.effect("is polled while something is there, waited for when not, and lets go when interrupted", () =>
    Effect.gen(function*() {
      const fed = new Fed()
      fed.feed(Exit.succeed(delta("a")))
      assert.deepStrictEqual(yield* fed.pull, delta("a"))
      const waiting = yield* Effect.forkChild(fed.pull, { startImmediately: true })
      fed.feed(Exit.succeed(delta("b")))
      assert.deepStrictEqual(yield* Fiber.join(waiting), delta("b"))
      const left = yield* Effect.forkChild(fed.pull, { startImmediately: true })
      yield* Fiber.interrupt(left)
      assert.strictEqual(fed.cancelled, 1)
      assert.isUndefined(fed.waiting)
    }))

  it.effect("runs what takes work, polled or waited for", () =>
    Effect.gen(function*() {
      const fed = new Fed()
      const work = Effect.delay(Effect.succeed(delta("worked for")), "1 second")
      fed.feed(work)
      const polled = yield* Effect.forkChild(fed.pull, { startImmediately: true })
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(yield* Fiber.join(polled), delta("worked for"))
      const waiting = yield* Effect.forkChild(fed.pull, { startImmediately: true })
      fed.feed(work)
      assert.isUndefined(waiting.pollUnsafe())
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(yield* Fiber.join(waiting), delta("worked for"))
    }))
})

describe("A watched pull", () => {
  it.effect("can be polled as the one below, and hands through what the watch leaves alone", () =>
    Effect.gen(function*() {
      const fed = new Fed()
      const seen: Array<Events> = []
      const pull = watched(fed.pull, {
        onEvents: (events) => {
          seen.push(events)
          return undefined
        },
        onFailure: through
      })
      const events = Exit.succeed(delta("a"))
      fed.feed(events)
      assert.strictEqual(sourceOf(pull)!.poll(), events)
      fed.feed(Exit.fail(Cause.Done()))
      assert.isTrue(Cause.isDone(yield* Effect.flip(pull)))
      assert.deepStrictEqual(seen, [delta("a")])
    }))

  it.effect("replaces events and ends, with work where that is needed, also of a watch around it", () =>
    Effect.gen(function*() {
      const fed = new Fed()
      const work: Array<string> = []
      const inner = watched(fed.pull, {
        onEvents: (events) => Effect.as(Effect.sync(() => work.push("inner")), events),
        onFailure: () => Effect.succeed(delta("in place of the end"))
      })
      const outer = watched(inner, {
        onEvents: (events) => {
          work.push("outer")
          return Effect.succeed(events)
        },
        onFailure: through
      })
      fed.feed(Exit.succeed(delta("a")))
      assert.deepStrictEqual(yield* outer, delta("a"))
      assert.deepStrictEqual(work, ["inner", "outer"])
      fed.feed(Exit.fail(Cause.Done()))
      assert.deepStrictEqual(yield* outer, delta("in place of the end"))
    }))

  it.effect("watches a pull without a source alike", () =>
    Effect.gen(function*() {
      const plain: EventsPull = Effect.succeed(delta("a"))
      const pull = watched(plain, { onEvents: () => Effect.succeed(delta("b")), onFailure: through })
      assert.isUndefined(sourceOf(pull))
      assert.deepStrictEqual(yield* pull, delta("b"))
    }))
})

describe("A pull with a service provided", () => {
  class Name extends Context.Service<Name, string>()("test/Name") {}
  const name: EventsPull = Effect.map(
    Effect.serviceOption(Name),
    (found) => delta(Option.getOrElse(found, () => "none"))
  )

  it.effect("gives it to effects, pulled or handed up, and leaves what is known alone", () =>
    Effect.gen(function*() {
      const provide = Effect.provideService(Name, "given")
      assert.deepStrictEqual(yield* provided(name, provide), delta("given"))
      const fed = new Fed()
      const pull = provided(fed.pull, provide)
      const events = Exit.succeed(delta("a"))
      fed.feed(events)
      assert.strictEqual(sourceOf(pull)!.poll(), events)
      fed.feed(name)
      assert.deepStrictEqual(yield* pull, delta("given"))
    }))
})

describe("A relay", () => {
  it.effect("goes on as another pull, which can be polled from then on", () =>
    Effect.gen(function*() {
      const fed = new Fed()
      const relay: Relay = new Relay(Effect.suspend(() => {
        relay.become(fed.pull)
        return Effect.succeed(delta("first"))
      }))
      assert.deepStrictEqual(yield* relay.pull, delta("first"))
      assert.isUndefined(sourceOf(relay.pull)!.poll())
      fed.feed(Exit.succeed(delta("second")))
      assert.deepStrictEqual(yield* relay.pull, delta("second"))
    }))
})
