/**
 * Reads JSON while it is being written.
 *
 * Text goes in as it comes, in pieces of any size; `value` is what is certain so far, as plain data that is never changed afterwards: what
 * did not change between two values is the same object in both. A string shows as far as it came, unless its {@link Guide} says
 * that only the whole of it means something; a number or a literal shows once it has ended, so that `12` is never seen of `123`; no
 * string ends in half a surrogate pair.
 *
 * Each character is looked at once. A new value costs the width of what is open, which for a long list could be more than the text that
 * came; `take` therefore leaves a value out now and then, so that the whole stays linear in the text.
 *
 * @since 0.1.0
 */
import { maxJsonDepth } from "./depth.ts"
import { setOwn } from "./own.ts"
import type { Json } from "./value.ts"

/**
 * What may be shown of a value that is not whole yet.
 *
 * @category models
 * @since 0.1.0
 */
export interface Guide {
  /** Whether a string here may be shown before its end. A word of a fixed list means nothing until it is whole. */
  readonly grows: boolean
  readonly property: (name: string) => Guide
  readonly element: (index: number) => Guide
}

/**
 * Everything may be shown.
 *
 * @category guides
 * @since 0.1.0
 */
export const unguided: Guide = { grows: true, property: () => unguided, element: () => unguided }

/** A container that is open. */
interface Open {
  readonly value: Array<Json> | { [key: string]: Json }
  readonly guide: Guide
  /** How many children are whole. */
  width: number
  /** Name of the child that is being read. */
  key: string
  /** A copy for others, as of the last value; nothing was added since while it is there. */
  shown: Json | undefined
}

const State = {
  value: 0,
  firstElement: 1,
  firstKey: 2,
  key: 3,
  colon: 4,
  next: 5,
  string: 6,
  escape: 7,
  unicode: 8,
  word: 9,
  done: 10,
  broken: 11
} as const
type State = typeof State[keyof typeof State]

const isNumber = /^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$/

const words = new Map<string, Json>([["true", true], ["false", false], ["null", null]])

const escapes: { readonly [letter: string]: string } = {
  "\"": "\"",
  "\\": "\\",
  "/": "/",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t"
}

const isWhite = (code: number): boolean => code === 32 || code === 10 || code === 13 || code === 9

const isHighSurrogate = (code: number): boolean => code >= 0xd800 && code <= 0xdbff

/** Copies of elements that a character which came pays for. */
const copiesPerCharacter = 16
/** Copies that are free, so that values of ordinary size show with every piece that changes them. */
const freeCopies = 512

/** What a copy of an object costs, in copies of elements: one with many properties is a hash table. */
const costOf = ({ value, width }: Open): number => Array.isArray(value) ? width : width * (width > 128 ? 256 : 4)

/**
 * A reader of one JSON text.
 *
 * @category models
 * @since 0.1.0
 */
export class GrowingJson {
  private state: State = State.value
  private readonly open: Array<Open> = []
  private readonly guide: Guide
  /** What the string or word that is being read holds so far. */
  private text = ""
  /** The first half of a surrogate pair whose second half has not come. */
  private half = ""
  private isKey = false
  /** Whether the string that is being read shows as far as it came. */
  private grows = false
  private hex = ""
  private root: Json | undefined = undefined
  private last: Json | undefined = undefined
  private hasChanged = false
  private outermost: Array<Json> | undefined
  private credit = 0

  constructor(guide: Guide = unguided) {
    this.guide = guide
  }

  /** Whether the value is whole; what comes after it is not looked at. */
  get isDone(): boolean {
    return this.state === State.done
  }

  /** Whether what came is no JSON. The value stays what it was. */
  get isBroken(): boolean {
    return this.state === State.broken
  }

  /** Reads on. Returns how many characters were taken; fewer than there are once the value is whole or broken. */
  push(chunk: string): number {
    this.credit += chunk.length * copiesPerCharacter
    let at = 0
    while (at < chunk.length) {
      switch (this.state) {
        case State.done:
        case State.broken:
          return at
        case State.string:
          at = this.readString(chunk, at)
          break
        case State.escape:
          this.readEscape(chunk[at++]!)
          break
        case State.unicode:
          this.readUnicode(chunk[at++]!)
          break
        case State.word:
          at = this.readWord(chunk, at)
          break
        default: {
          const code = chunk.charCodeAt(at)
          if (!isWhite(code)) this.readMark(code, chunk[at]!)
          at++
        }
      }
    }
    return at
  }

  /** The text has ended: a number at its end is whole. */
  end(): void {
    if (this.state === State.word && this.open.length === 0) this.endWord()
  }

  /** The whole elements so far of the first list that is at the top or one level below; grows in place. */
  get elements(): ReadonlyArray<Json> {
    return this.outermost ?? []
  }

  /** The value as far as it is certain; `undefined` while nothing is. */
  get value(): Json | undefined {
    if (this.hasChanged) {
      this.hasChanged = false
      this.last = this.snapshot()
    }
    return this.last
  }

  /** The value if it changed since it was last looked at, unless showing it would cost too much for now. */
  take(): Json | undefined {
    if (!this.hasChanged) return undefined
    let cost = 0
    for (const one of this.open) cost += costOf(one)
    if (cost > freeCopies) {
      if (cost > this.credit) return undefined
      this.credit -= cost
    }
    return this.value
  }

  private break(): void {
    this.state = State.broken
  }

  private top(): Open | undefined {
    return this.open[this.open.length - 1]
  }

  private guideHere(): Guide {
    const top = this.top()
    if (top === undefined) return this.guide
    return Array.isArray(top.value) ? top.guide.element(top.width) : top.guide.property(top.key)
  }

  private readMark(code: number, mark: string): void {
    const { state } = this
    if (code === 34) {
      if (state === State.colon || state === State.next) return this.break()
      this.isKey = state === State.firstKey || state === State.key
      this.grows = !this.isKey && this.guideHere().grows
      this.text = ""
      this.state = State.string
      this.hasChanged ||= this.grows
      return
    }
    switch (state) {
      case State.colon:
        if (code === 58) this.state = State.value
        else this.break()
        return
      case State.firstKey:
        if (code === 125) this.close()
        else this.break()
        return
      case State.next: {
        const isList = Array.isArray(this.top()!.value)
        if (code === 44) this.state = isList ? State.value : State.key
        else if (code === (isList ? 93 : 125)) this.close()
        else this.break()
        return
      }
      case State.firstElement:
      case State.value:
        if (code === 93 && state === State.firstElement) return this.close()
        if (code === 123 || code === 91) return this.begin(code === 91)
        this.text = mark
        if (code === 45 || (code >= 48 && code <= 57) || code === 116 || code === 102 || code === 110) {
          this.state = State.word
          return
        }
    }
    this.break()
  }

  private begin(isList: boolean): void {
    if (this.open.length >= maxJsonDepth) {
      this.open.length = 0
      this.root = this.last = undefined
      this.hasChanged = false
      return this.break()
    }
    const guide = this.guideHere()
    const value: Open["value"] = isList ? [] : {}
    if (Array.isArray(value) && this.open.length < 2) this.outermost ??= value
    this.open.push({ value, guide, width: 0, key: "", shown: undefined })
    this.state = isList ? State.firstElement : State.firstKey
    this.hasChanged = true
  }

  private close(): void {
    const { shown, value } = this.open.pop()!
    this.add(shown ?? value, false)
  }

  /** A whole value, to where it belongs. Of one that has shown already as it is, nothing changes. */
  private add(value: Json, isNew = true): void {
    const top = this.top()
    if (top === undefined) {
      this.root = value
      this.state = State.done
    } else {
      if (Array.isArray(top.value)) top.value.push(value)
      else setOwn(top.value, top.key, value)
      top.width++
      top.shown = undefined
      this.state = State.next
    }
    this.hasChanged ||= isNew
  }

  /**
   * To the string that is being read. The string itself is not looked into: that would make one piece of all its pieces each time.
   */
  private append(piece: string): void {
    const whole = this.half + piece
    const isHalf = isHighSurrogate(whole.charCodeAt(whole.length - 1))
    this.half = isHalf ? whole.slice(-1) : ""
    if (isHalf && whole.length === 1) return
    this.text += isHalf ? whole.slice(0, -1) : whole
    this.hasChanged ||= this.grows
  }

  private readString(chunk: string, from: number): number {
    let at = from
    for (; at < chunk.length; at++) {
      const code = chunk.charCodeAt(at)
      if (code === 34 || code === 92 || code < 32) break
    }
    if (at > from) this.append(chunk.slice(from, at))
    if (at === chunk.length) return at
    const code = chunk.charCodeAt(at)
    if (code === 92) this.state = State.escape
    else if (code < 32) this.break()
    else {
      const text = this.text + this.half
      const isNew = !this.grows || this.half !== ""
      this.half = ""
      if (this.isKey) {
        this.top()!.key = text
        this.state = State.colon
      } else this.add(text, isNew)
    }
    return at + 1
  }

  private readEscape(letter: string): void {
    if (letter === "u") {
      this.hex = ""
      this.state = State.unicode
      return
    }
    const character = escapes[letter]
    if (character === undefined) return this.break()
    this.append(character)
    this.state = State.string
  }

  private readUnicode(digit: string): void {
    if (!/[0-9a-fA-F]/.test(digit)) return this.break()
    this.hex += digit
    if (this.hex.length < 4) return
    this.append(String.fromCharCode(Number.parseInt(this.hex, 16)))
    this.state = State.string
  }

  private readWord(chunk: string, from: number): number {
    let at = from
    for (; at < chunk.length; at++) {
      const code = chunk.charCodeAt(at)
      if (isWhite(code) || code === 44 || code === 93 || code === 125) break
    }
    this.text += chunk.slice(from, at)
    // Longer than any number that means something: no JSON, and not kept.
    if (this.text.length > 10_000) this.break()
    else if (at < chunk.length || words.has(this.text)) this.endWord()
    return at
  }

  private endWord(): void {
    const word = words.get(this.text)
    if (word !== undefined) this.add(word)
    else if (isNumber.test(this.text)) this.add(Number(this.text))
    else this.break()
  }

  /** What the value that is being read shows; `undefined` for nothing. */
  private growing(): Json | undefined {
    const { state } = this
    const isString = state === State.string || state === State.escape || state === State.unicode
    return isString && this.grows ? this.text : undefined
  }

  private snapshot(): Json | undefined {
    if (this.open.length === 0) return this.root === undefined ? this.growing() : this.root
    let child = this.growing()
    for (let i = this.open.length - 1; i >= 0; i--) {
      const one = this.open[i]!
      if (child === undefined) {
        child = one.shown ??= Array.isArray(one.value) ? one.value.slice() : { ...one.value }
      } else if (Array.isArray(one.value)) {
        const list: Array<Json> = one.value.slice()
        list.push(child)
        child = list
      } else {
        const fields: { [key: string]: Json } = { ...one.value }
        setOwn(fields, one.key, child)
        child = fields
      }
    }
    return child
  }
}
