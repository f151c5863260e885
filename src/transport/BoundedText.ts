/**
 * The text of a body, as far as a bound: what is beyond it is neither kept nor waited for.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type { HttpClientError } from "effect/http/HttpClientError"
import type { HttpClientResponse } from "effect/http/HttpClientResponse"
import * as Stream from "effect/Stream"
import { Utf8Chunks } from "./Utf8.ts"

/**
 * A text that is collected from bytes.
 *
 * @category models
 * @since 0.1.0
 */
export class BoundedText {
  /** Whether there was more than the bound. */
  isOver = false
  private readonly most: number
  private readonly chunks = new Utf8Chunks()
  private pieces: Array<string> = []
  private length = 0

  /** `most` is in characters (UTF-16 code units). */
  constructor(most: number) {
    this.most = most
  }

  /** Takes bytes; `false` as soon as nothing more is wanted. */
  push(bytes: Uint8Array): boolean {
    this.add(this.chunks.decode(bytes))
    return !this.isOver
  }

  /** The text so far, which ends in a whole character. What was cut does not depend on how the bytes came. */
  read(): string {
    this.add(this.chunks.end())
    const text = this.pieces.join("")
    this.pieces = [text]
    return text
  }

  private add(text: string): void {
    const left = this.most - this.length
    this.isOver ||= text.length > left
    if (text === "" || left === 0) return
    const kept = text.length > left ? whole(text.slice(0, left)) : text
    this.pieces.push(kept)
    this.length = text.length > left ? this.most : this.length + kept.length
  }
}

/** Without half a surrogate pair at the end. */
const whole = (text: string): string => {
  const last = text.charCodeAt(text.length - 1)
  return last >= 0xd800 && last <= 0xdbff ? text.slice(0, -1) : text
}

/**
 * Reads the body of a response, until it ends or nothing more is wanted; then its connection is closed. `touch` is told of every read.
 *
 * @category decoding
 * @since 0.1.0
 */
export const readInto = (
  text: BoundedText,
  response: HttpClientResponse,
  touch: () => void
): Effect.Effect<void, HttpClientError> =>
  Effect.catchIf(
    Stream.runDrain(Stream.takeWhile(response.stream, (bytes) => {
      touch()
      return text.push(bytes)
    })),
    (error) => error.reason._tag === "EmptyBodyError",
    () => Effect.void
  )
