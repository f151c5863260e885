/**
 * JSON text in the form that was sent, given on as it comes in the form that the caller's schema says.
 *
 * Objects and lists are read on the way, and what needs no change goes on at once, within strings too. What can only be
 * changed whole, such as a list of pairs, is held until it is whole.
 *
 * @since 0.1.0
 */
import { maxJsonDepth } from "../../json/depth.ts"
import { parseJson } from "../../json/parse.ts"
import type { Json } from "../../Message.ts"
import { unfenced } from "../../object/fence.ts"
import type { Member, Undo } from "./Undo.ts"

/** What changes the form of a text. @stability experimental @category models @since 0.1.0 */
export interface Change {
  readonly undo: Undo | undefined
  /** A value that is whole, read by a part of the change. */
  readonly read: (undo: Undo | undefined, value: Json) => Json
}

/** A value that is being read. */
interface Level {
  readonly closer: "}" | "]"
  readonly undo: Undo | undefined
  /** Members or items that have been given on. */
  count: number
  /** Items that have begun. */
  at: number
  /** Whether its brackets are given on. */
  shown: boolean
}

type Mode = "value" | "key" | "colon" | "after" | "string" | "scalar" | "held" | "done"

const space = /\s/

/**
 * One text of JSON as it comes. What is no JSON goes on as it is.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export class Changing {
  private readonly change: Change
  private readonly pieces: Array<string> = []
  private length = 0
  private mode: Mode = "value"
  /** How the text is given on: not known yet, as it is, held to its end, or on the way. */
  private way: "unknown" | "plain" | "fenced" | "read" = "unknown"
  private readonly levels: Array<Level> = []
  private out: Array<string> = []
  private key = ""
  /** What is collected of a key or a value that is held. */
  private held: Array<string> = []
  private heldDepth = 0
  private heldString = false
  private escaped = false
  private member: Member | undefined
  private holding: Undo | undefined

  constructor(change: Change) {
    this.change = change
  }

  /** All that came, in the form that it came in. */
  get raw(): string {
    if (this.pieces.length > 1) this.pieces.splice(0, this.pieces.length, this.pieces.join(""))
    return this.pieces[0] ?? ""
  }

  /** Characters that came. */
  get rawLength(): number {
    return this.length
  }

  /** Takes a piece and gives what can be told. */
  push(piece: string): string {
    this.pieces.push(piece)
    this.length += piece.length
    if (this.way === "unknown") {
      const text = this.raw.trimStart()
      if (text === "") return ""
      this.way = text[0] === "{" || text[0] === "[" ? "read" : text[0] === "`" ? "fenced" : "plain"
      if (this.way === "plain") return this.raw
      if (this.way === "read") this.take(text)
    } else if (this.way === "plain") return piece
    else if (this.way === "read") this.take(piece)
    return this.told()
  }

  /** No more comes: gives what is left. */
  end(): string {
    if (this.way === "fenced") {
      this.way = "plain"
      const value = parseJson(unfenced(this.raw))
      return value === undefined ? this.raw : JSON.stringify(this.change.read(this.change.undo, value))
    }
    if (this.mode === "held" && this.held.length > 0) {
      this.lead()
      this.out.push(...this.held)
      this.held = []
    }
    return this.told()
  }

  private told(): string {
    const text = this.out.join("")
    this.out = []
    return text
  }

  private take(text: string): void {
    let at = 0
    while (at < text.length) at = this.step(text, at)
  }

  /** Reads on from a place, and gives the next one. */
  private step(text: string, at: number): number {
    const char = text[at]!
    switch (this.mode) {
      case "string":
      case "scalar":
        return this.through(text, at)
      case "held":
        return this.hold(text, at)
      case "key":
        return this.name(text, at)
      case "value":
        if (space.test(char)) return at + 1
        if (char === "]" && this.levels.at(-1)?.closer === "]") {
          this.mode = "after"
          return at
        }
        return this.value(char, at)
      case "colon":
        if (char === ":") this.mode = "value"
        return at + 1
      case "after":
        return this.after(char, at)
      case "done":
        return text.length
    }
  }

  private after(char: string, at: number): number {
    const level = this.levels.at(-1)
    if (level === undefined) {
      this.mode = "done"
      return at
    }
    if (char === level.closer) {
      this.levels.pop()
      if (level.shown) this.out.push(level.closer)
    } else if (char === "\"" && level.closer === "}") {
      this.mode = "key"
      this.held = []
      this.escaped = false
    } else if (char === "," && level.closer === "]") this.mode = "value"
    return at + 1
  }

  private name(text: string, at: number): number {
    for (let i = at; i < text.length; i++) {
      const char = text[i]
      if (this.escaped) this.escaped = false
      else if (char === "\\") this.escaped = true
      else if (char === "\"") {
        this.held.push(text.slice(at, i))
        const name = parseJson(`"${this.held.join("")}"`)
        this.key = typeof name === "string" ? name : this.held.join("")
        this.held = []
        this.mode = "colon"
        return i + 1
      }
    }
    this.held.push(text.slice(at))
    return text.length
  }

  /** The change of the value that begins now. */
  private undoHere(): {
    readonly undo: Undo | undefined
    readonly member: Member | undefined
    readonly whole: boolean
  } {
    const level = this.levels.at(-1)
    if (level === undefined) return { undo: this.change.undo, member: undefined, whole: false }
    const around = followed(level.undo)
    if (around === undefined) return { undo: undefined, member: undefined, whole: false }
    if (around.kind === "list") {
      return {
        undo: level.at < around.items.length ? around.items[level.at] : around.rest,
        member: undefined,
        whole: false
      }
    }
    if (around.kind === "wrapped") {
      return { undo: this.key === around.name ? around.undo : undefined, member: undefined, whole: false }
    }
    if (around.kind !== "object") return { undo: undefined, member: undefined, whole: false }
    const member = around.members.get(this.key)
    if (member === undefined) return { undo: around.others, member: undefined, whole: false }
    return { undo: member.undo, member, whole: member.absent === "wrapped" || member.absent === "list" }
  }

  /** A value begins. */
  private value(char: string, at: number): number {
    const level = this.levels.at(-1)
    const { member, undo, whole } = this.undoHere()
    this.member = member
    if (member !== undefined && (whole || (member.absent === "null" && char === "n"))) return this.begin(undo, at)
    const around = level === undefined ? undefined : followed(level.undo)
    if (around?.kind === "object" && around.rest !== undefined && this.key === around.rest.name) {
      return this.begin(undo, at)
    }
    const change = followed(undo)
    const opens = char === "{" || char === "["
    const closer = char === "{" ? "}" : "]"
    const onTheWay = change === undefined ||
      (char === "{" && (change.kind === "object" || (change.kind === "wrapped"))) ||
      (char === "[" && change.kind === "list") ||
      (!opens &&
        (change.kind === "object" || change.kind === "list" || change.kind === "pairs" || change.kind === "tuple"))
    if (!onTheWay || this.levels.length > maxJsonDepth) return this.begin(undo, at)
    this.lead()
    if (opens) {
      const shown = change?.kind !== "wrapped"
      if (shown) this.out.push(char)
      this.levels.push({ closer, undo: change, count: 0, at: 0, shown })
      this.mode = char === "{" ? "after" : "value"
      return at + 1
    }
    this.out.push(char)
    this.escaped = false
    this.mode = char === "\"" ? "string" : "scalar"
    return at + 1
  }

  /** What stands before a value that is given on: a comma, its name. */
  private lead(): void {
    const level = this.levels.at(-1)
    if (level === undefined) return
    level.at++
    if (!level.shown) {
      const around = followed(level.undo)
      if (around?.kind !== "wrapped" || this.key === around.name) return
      // Not the form that was asked for.
      level.shown = true
      this.out.push("{")
    }
    if (level.count++ > 0) this.out.push(",")
    if (level.closer === "}") this.out.push(`${JSON.stringify(this.member?.name ?? this.key)}:`)
  }

  /** A value begins that is held until it is whole. */
  private begin(undo: Undo | undefined, at: number): number {
    this.holding = undo
    this.held = []
    this.heldDepth = 0
    this.heldString = false
    this.escaped = false
    this.mode = "held"
    return at
  }

  private hold(text: string, at: number): number {
    for (let i = at; i < text.length; i++) {
      const char = text[i]!
      if (this.heldString) {
        if (this.escaped) this.escaped = false
        else if (char === "\\") this.escaped = true
        else if (char === "\"") {
          this.heldString = false
          if (this.heldDepth === 0) return this.release(text.slice(at, i + 1), i + 1)
        }
      } else if (char === "\"") this.heldString = true
      else if (char === "{" || char === "[") this.heldDepth++
      else if (char === "}" || char === "]") {
        // The end of what is around: a scalar is whole.
        if (this.heldDepth === 0) return this.release(text.slice(at, i), i)
        if (--this.heldDepth === 0) return this.release(text.slice(at, i + 1), i + 1)
      } else if (this.heldDepth === 0 && (char === "," || space.test(char))) return this.release(text.slice(at, i), i)
    }
    this.held.push(text.slice(at))
    return text.length
  }

  /** A value that was held is whole. */
  private release(last: string, next: number): number {
    this.held.push(last)
    const text = this.held.join("")
    this.held = []
    this.mode = "after"
    const value = parseJson(text)
    const level = this.levels.at(-1)
    const around = level === undefined ? undefined : followed(level.undo)
    if (value === undefined) {
      this.lead()
      this.out.push(text)
      return next
    }
    if (level !== undefined && around?.kind === "object") {
      // Read as the only member, so that what stands for absent, and the members of a list of pairs, are read in one place.
      const found = this.change.read(around, { [this.key]: value })
      for (const [name, one] of Object.entries(found as { readonly [name: string]: Json })) {
        if (level.count++ > 0) this.out.push(",")
        this.out.push(`${JSON.stringify(name)}:${JSON.stringify(one)}`)
      }
      return next
    }
    this.lead()
    this.out.push(JSON.stringify(this.change.read(this.holding, value)))
    return next
  }

  /** Gives on a string or another scalar. */
  private through(text: string, at: number): number {
    if (this.mode === "scalar") {
      let i = at
      while (i < text.length && !/[\s,\]}]/.test(text[i]!)) i++
      this.out.push(text.slice(at, i))
      if (i < text.length) this.mode = "after"
      return i
    }
    for (let i = at; i < text.length; i++) {
      const char = text[i]
      if (this.escaped) this.escaped = false
      else if (char === "\\") this.escaped = true
      else if (char === "\"") {
        this.out.push(text.slice(at, i + 1))
        this.mode = "after"
        return i + 1
      }
    }
    this.out.push(text.slice(at))
    return text.length
  }
}

const followed = (undo: Undo | undefined): Undo | undefined => {
  let at = undo
  for (let i = 0; at?.kind === "reference" && i < maxJsonDepth; i++) at = at.to.undo
  return at
}
