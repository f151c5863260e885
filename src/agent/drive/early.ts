/**
 * Calls that start while the model still speaks.
 *
 * Only calls of tools that say they are `idempotent`, need no approval, and whose arguments decode: whatever becomes of the turn, that
 * they ran does no harm. They are handlers under way, nothing more: the run itself learns of a call, checks it and takes its result
 * only when the turn is complete, and a call that is refused then has run for nothing.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type { ToolCallPart } from "../../Message.ts"
import type { CallContext } from "../Handlers.ts"
import { decodeArguments, executionOf } from "../handlers/check.ts"
import { canonical } from "../run/digest.ts"
import type { OpenCall } from "../run/happened.ts"
import { remaining } from "../run/spending.ts"
import { handle, type Handled } from "./handle.ts"
import type { Named } from "./names.ts"
import { defaultConcurrency, defaultGrace, type Options } from "./options.ts"
import type { Session } from "./session.ts"

interface Started {
  readonly arguments: string
  readonly fiber: Fiber.Fiber<Handled, never>
}

/** Handlers of one turn that are under way before it is complete. @stability experimental @category running @since 0.1.0 */
export class Early {
  private readonly running = new Map<string, Started>()
  private readonly session: Session
  private readonly options: Options<unknown, unknown, unknown, unknown>
  private readonly named: Named<unknown, unknown>

  constructor(session: Session, options: Options<unknown, unknown, unknown, unknown>, named: Named<unknown, unknown>) {
    this.session = session
    this.options = options
    this.named = named
  }

  /** Whether any call has started: such a turn is not asked for again. */
  get any(): boolean {
    return this.running.size > 0
  }

  /** Starts a call, if it may be. */
  start(part: ToolCallPart, call: string): Effect.Effect<void, never, unknown> {
    return Effect.gen({ self: this }, function*() {
      const { named: { handlers, ownName }, options, session } = this
      const tool = handlers.tools.find(({ name }) => name === part.name)
      const { concurrency = Infinity, idempotent, needsApproval = false } = executionOf(tool)
      if (tool === undefined || idempotent !== true || needsApproval !== false) return
      if (part.invalid === true || this.running.has(part.id) || handlers.handlerOf(tool.name) === undefined) return
      const left = remaining(session.state)
      const most = Math.min(options.concurrency ?? defaultConcurrency, concurrency, left.maxToolCalls ?? Infinity)
      if (this.running.size >= most) return
      const open: OpenCall = {
        call,
        toolCallId: part.id,
        toolName: part.name,
        arguments: part.arguments,
        idempotencyKey: `${session.state.id}:${call}`
      }
      if ((yield* Effect.result(decodeArguments(tool, open)))._tag === "Failure") return
      const toolName = ownName(tool.name)
      yield* session.tell([{ _tag: "ToolStart", toolCallId: part.id, toolName, arguments: part.arguments }])
      const context: CallContext = {
        runId: session.state.id,
        toolCallId: part.id,
        idempotencyKey: open.idempotencyKey,
        progress: (value) => session.tell([{ _tag: "ToolProgress", toolCallId: part.id, toolName, value }]),
        left,
        nested: undefined,
        wentOn: () => Effect.void
      }
      const fiber = yield* Effect.forkDetach(handle(handlers, tool, open, context, {
        leftMillis: yield* session.leftMillis,
        grace: options.grace ?? defaultGrace,
        stopped: session.held.stopped
      }))
      this.running.set(part.id, { arguments: canonical(part.arguments), fiber })
    })
  }

  /** What comes of a call that has started with the same arguments. */
  take(call: OpenCall): Effect.Effect<Handled> | undefined {
    const started = this.running.get(call.toolCallId)
    if (started === undefined || started.arguments !== canonical(call.arguments)) return undefined
    this.running.delete(call.toolCallId)
    return Effect.onInterrupt(Fiber.join(started.fiber), () => Fiber.interrupt(started.fiber))
  }

  /** Stops what nobody took. */
  readonly clear: Effect.Effect<void> = Effect.suspend(() => {
    const fibers = [...this.running.values()].map(({ fiber }) => fiber)
    this.running.clear()
    // Each gives its handler the run's grace, and no more.
    return fibers.length === 0 ? Effect.void : Fiber.interruptAll(fibers)
  })
}
