/**
 * Puts the tool calls of one answer together from deltas, however a host numbers them.
 *
 * Which call a delta belongs to:
 * - its `index` names the call; without one its `id` does, without both it goes on with the last call;
 * - at an index already taken, another `id` together with a `name`, or another `name`, begins a new call;
 *   so does a repeated name with arguments when the arguments so far are already a complete object;
 * - another id without a name, while the arguments are incomplete, goes on with the call at that index;
 * - the same complete arguments sent once more are a repetition, not more text;
 * - in a whole message every entry is a call of its own;
 * - an entry without id and name whose arguments are none begins no call.
 *
 * A call starts (`ToolCallStart`) once its name has come, in wire order; calls after one that still lacks its
 * name wait for it. A call that gets no name at all is kept under the name `unnamed_tool`, invalid.
 *
 * When a call closes: as soon as another begins, if its arguments are by then a complete JSON object that is not
 * empty (no further text could belong to it: appended to complete JSON it could only spoil it; `{}` may be a
 * placeholder); else at the finish reason, if complete; else at the end of the answer. Interleaved deltas of
 * parallel calls therefore always reach their call. Text that still comes for a closed call is not lost: it
 * becomes a call of its own, marked invalid.
 *
 * @since 0.1.0
 */
import type { Json, JsonObject } from "../../Message.ts"
import type { Assembler } from "../assembling.ts"
import { blank, callArguments, type Fields, filledRecord, nonEmpty, parsed, record } from "../Probe.ts"

interface Slot {
  readonly key: number | undefined
  wireId: string | undefined
  name: string
  custom: boolean
  /** Argument text from before the call could start. */
  pending: string
  /** Index in the assembler, -1 before the start. */
  part: number
  first: string
  last: string
  frame: number
  /** The arguments of a closed call, to tell repetitions from late text. */
  closed: string | undefined
  late: Slot | undefined
  readonly isLate: boolean
  extra: JsonObject | undefined
  comparisons: number
  /** Attempts to close it. */
  closings: number
  /** Whether anything came for it since the last finish reason. */
  changed: boolean
}

const unnamed = "unnamed_tool"

/** How often the arguments of one call are read before it ends, to see whether they are complete: each time costs their length. */
const maxComparisons = 16

const argumentText = (value: unknown): string =>
  typeof value === "string" ? value : value === null || value === undefined ? "" : JSON.stringify(value)

/** Hosts that fill every field send `custom` beside `function`: the filled one says which it is, the type where both or none are. */
const isCustom = (entry: Fields): boolean => {
  const custom = entry["custom"]
  if (custom === undefined || blank(custom)) return entry["type"] === "custom" && blank(entry["function"])
  return entry["type"] === "custom" || blank(entry["function"])
}

const hasOtherArguments = (entry: Fields, own: Fields): boolean =>
  own["input"] !== undefined || own["parameters"] !== undefined || entry["arguments"] !== undefined ||
  entry["input"] !== undefined || entry["parameters"] !== undefined

const otherId = (entry: Fields, inner: Fields): string | undefined =>
  nonEmpty(entry["call_id"]) ?? nonEmpty(entry["tool_call_id"]) ?? nonEmpty(inner["id"])

/** Arguments under the call's own name for them, or under one of another API's. */
const argumentsOf = (entry: Fields, inner: Fields, custom: boolean): unknown => {
  const first = inner[custom ? "input" : "arguments"]
  return callArguments(
    first,
    inner[custom ? "arguments" : "parameters"],
    custom ? undefined : inner["input"],
    ...(inner === entry ? [] : [entry["arguments"], entry["input"], entry["parameters"]])
  )
}

const completeObject = (text: string): JsonObject | undefined => record(parsed(text)) as JsonObject | undefined

const sameJson = (a: string, b: string): boolean => {
  const left = completeObject(a)
  const right = completeObject(b)
  return left !== undefined && right !== undefined && JSON.stringify(left) === JSON.stringify(right)
}

/**
 * The tool calls of one answer.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export class ToolCalls {
  /** Calls that were closed, invalid ones included. */
  closedCalls = 0

  private readonly assembler: Assembler
  private readonly slots: Array<Slot> = []
  private readonly byIndex = new Map<number, Slot>()
  private readonly byId = new Map<string, Slot>()
  /** Calls of which anything has come since the last finish reason, which some hosts send with every chunk. */
  private changed: Array<Slot> = []
  private started = 0
  private frame = 0

  constructor(assembler: Assembler) {
    this.assembler = assembler
  }

  /** Whether any call has begun. */
  get any(): boolean {
    return this.slots.length > 0
  }

  /** Takes the `tool_calls` of a delta, or of a whole message, whose entries are separate calls. */
  add(entries: ReadonlyArray<unknown>, whole: boolean): void {
    this.frame++
    for (const entry of entries) {
      const fields = record(entry)
      if (fields !== undefined) this.entry(fields, whole)
    }
    this.start(false)
  }

  /** Takes a legacy `function_call`. */
  addFunctionCall(call: Fields, whole: boolean): void {
    this.add([{ index: -1, function: call }], whole)
  }

  private entry(entry: Fields, whole: boolean): void {
    const own = record(entry["function"])
    const given = own?.["arguments"]
    const usual = typeof given === "string" && given !== "" && (given.length > 4 || !hasOtherArguments(entry, own!)) &&
      (entry["custom"] ?? undefined) === undefined
    const custom = !usual && isCustom(entry)
    const inner = usual ? own! : filledRecord(entry[custom ? "custom" : "function"]) ?? entry
    const text = usual ? given : argumentText(argumentsOf(entry, inner, custom))
    const name = nonEmpty(inner["name"]) ?? nonEmpty(entry["name"])
    // Other names of the id are read where a call begins.
    const id = nonEmpty(entry["id"]) ?? (name === undefined ? undefined : otherId(entry, inner))
    const key = indexOf(entry["index"])
    let slot = whole ? undefined : this.find(key, id, name, text)
    if (slot === undefined) {
      if (id === undefined && name === undefined && isNothing(text)) return
      slot = this.begin(key, id, custom)
    } else if (slot.wireId === undefined && id !== undefined && slot.part < 0) {
      slot.wireId = id
      if (!this.byId.has(id)) this.byId.set(id, slot)
    }
    slot.frame = this.frame
    this.touch(slot)
    if (slot.name === "" && name !== undefined) slot.name = name
    if (custom) slot.custom = true
    const extra = filledRecord(entry["extra_content"]) as JsonObject | undefined
    if (extra !== undefined) slot.extra = extra
    this.append(slot, text)
  }

  private find(
    key: number | undefined,
    id: string | undefined,
    name: string | undefined,
    text: string
  ): Slot | undefined {
    const last = this.slots.at(-1)
    let slot: Slot | undefined
    if (key !== undefined) {
      slot = this.byIndex.get(key)
      if (slot === undefined && name === undefined) {
        slot = id !== undefined ? this.byId.get(id) : last?.key === undefined ? last : undefined
      }
    } else {
      slot = id === undefined
        ? last
        : this.byId.get(id) ??
          (last !== undefined && last.wireId === undefined && last.part < 0 && name === undefined ? last : undefined)
      if (slot !== undefined && id === undefined && name !== undefined && slot.frame === this.frame) return undefined
    }
    if (slot === undefined) return undefined
    if (id !== undefined && slot.wireId !== undefined && id !== slot.wireId) {
      const known = this.byId.get(id)
      if (known !== undefined && known.key === key) return known
      if (name !== undefined || this.isComplete(slot)) return undefined
    }
    if (name === undefined || slot.name === "") return slot
    if (name !== slot.name) return undefined
    const sameCall = id !== undefined && id === slot.wireId && (key !== undefined || slot.frame !== this.frame)
    return !sameCall && text.trimStart().startsWith("{") && this.isComplete(slot) ? undefined : slot
  }

  private begin(key: number | undefined, id: string | undefined, custom: boolean, isLate = false): Slot {
    const slot: Slot = {
      key,
      wireId: id,
      name: "",
      custom,
      pending: "",
      part: -1,
      first: "",
      last: "",
      frame: this.frame,
      closed: undefined,
      late: undefined,
      isLate,
      extra: undefined,
      comparisons: 0,
      closings: 0,
      changed: false
    }
    this.touch(slot)
    this.start(false)
    const previous = this.slots.at(-1)
    this.slots.push(slot)
    if (key !== undefined && !isLate) this.byIndex.set(key, slot)
    if (id !== undefined && !this.byId.has(id)) this.byId.set(id, slot)
    this.start(false)
    if (previous !== undefined) this.closeIfComplete(previous, false)
    return slot
  }

  private touch(slot: Slot): void {
    if (slot.changed) return
    slot.changed = true
    this.changed.push(slot)
  }

  private append(slot: Slot, text: string): void {
    if (text === "") return
    const begins = slot.first === "" ? "" : text.trim()
    if (begins.startsWith("{") && begins.endsWith("}") && this.repeats(slot, begins)) return
    if (slot.closed !== undefined) {
      if (text.trim() === "") return
      if (slot.late === undefined) {
        slot.late = this.begin(slot.key, undefined, false, true)
        slot.late.name = slot.name
      }
      return this.append(slot.late, text)
    }
    if (slot.first === "") slot.first = text.trimStart().charAt(0)
    const tail = text.trimEnd()
    if (tail !== "") slot.last = tail.charAt(tail.length - 1)
    if (slot.part < 0) slot.pending += text
    else this.assembler.toolCallDelta(slot.part, text)
  }

  private textOf(slot: Slot): string {
    return slot.closed ?? (slot.part < 0 ? slot.pending : this.assembler.openArguments(slot.part))
  }

  private isComplete(slot: Slot): boolean {
    return looksComplete(slot) && slot.comparisons++ < maxComparisons && completeObject(this.textOf(slot)) !== undefined
  }

  private repeats(slot: Slot, text: string): boolean {
    return looksComplete(slot) && !slot.custom && slot.comparisons++ < maxComparisons &&
      sameJson(this.textOf(slot), text)
  }

  /** Starts calls in wire order; at the end also those that still lack an id or a name. */
  private start(final: boolean): void {
    while (this.started < this.slots.length) {
      const slot = this.slots[this.started]!
      if (!final) {
        if (slot.name === "") return
        const newest = this.started === this.slots.length - 1
        if (newest && slot.wireId === undefined && slot.pending === "" && !slot.isLate) return
      }
      this.started++
      if (slot.name === "" && slot.pending === "" && slot.wireId === undefined) continue
      slot.part = this.assembler.openToolCall(slot.wireId, slot.name === "" ? unnamed : slot.name)
      this.assembler.toolCallDelta(slot.part, slot.pending)
      slot.pending = ""
    }
  }

  private closeIfComplete(slot: Slot, evenEmpty: boolean): void {
    if (slot.part < 0 || slot.closed !== undefined || slot.isLate || slot.custom || slot.name === "") return
    if (!looksComplete(slot) || slot.closings++ >= maxComparisons) return
    const text = this.assembler.openArguments(slot.part)
    const value = completeObject(text)
    if (value === undefined || (!evenEmpty && Object.keys(value).length === 0)) return
    this.close(slot, { arguments: value }, text)
  }

  private close(
    slot: Slot,
    more: { readonly arguments?: Json; readonly invalid?: true; readonly custom?: true },
    text: string
  ) {
    const signature = nonEmpty(record(record(slot.extra)?.["google"])?.["thought_signature"])
    this.assembler.endToolCall(slot.part, {
      ...more,
      ...(signature === undefined ? undefined : { signature }),
      ...(slot.extra === undefined ? undefined : { replay: { extra_content: slot.extra } })
    })
    slot.closed = text
    this.closedCalls++
  }

  /** The wire has given its finish reason: calls with complete arguments close now. */
  settle(): void {
    this.start(true)
    const { changed } = this
    this.changed = []
    for (const slot of changed) {
      slot.changed = false
      this.closeIfComplete(slot, true)
    }
  }

  /** The answer is over: every call closes. `cut` says that the wire stopped before closing them. */
  end(cut: boolean): void {
    this.start(true)
    for (const slot of this.slots) {
      if (slot.part < 0 || slot.closed !== undefined) continue
      const text = this.assembler.openArguments(slot.part)
      const unclosed = cut && (slot.custom || (completeObject(text) === undefined && text.trim() !== "null"))
      const broken = slot.isLate || slot.name === "" || unclosed
      this.close(
        slot,
        { ...(slot.custom ? { custom: true } : undefined), ...(broken ? { invalid: true } : undefined) },
        text
      )
    }
  }
}

const isNothing = (text: string): boolean => text === "" || text === "{}" || text === "null"

const looksComplete = (slot: Slot): boolean => slot.first === "{" && slot.last === "}"

const indexOf = (value: unknown): number | undefined => {
  if (typeof value === "number") return value
  return typeof value === "string" && /^\d+$/.test(value) ? Number(value) : undefined
}
