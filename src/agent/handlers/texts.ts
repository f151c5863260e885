/**
 * What the model sees of a result: its text, its parts, and of a long one head and tail.
 *
 * @since 0.1.0
 */
import type { ToolResultPart } from "../../Message.ts"

type Content = ToolResultPart["content"]

/** UTF-8 bytes of a result that the model sees, unless a tool says otherwise. @stability experimental @category limits @since 0.1.0 */
export const defaultMaxResultBytes = 50 * 1024

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** From this byte on a character begins. */
const isBoundary = (byte: number | undefined): boolean => byte === undefined || (byte & 0xc0) !== 0x80

const notice = (bytes: number): string => `\n[… ${bytes} bytes of this result were left out …]\n`

const shortened = (text: string, most: number): string => {
  // No UTF-16 unit takes more than three bytes.
  if (text.length * 3 <= most) return text
  const bytes = encoder.encode(text)
  if (bytes.length <= most) return text
  const room = Math.max(0, most - notice(bytes.length).length - 4)
  let head = Math.ceil(room / 2)
  let tail = bytes.length - Math.floor(room / 2)
  while (!isBoundary(bytes[head])) head--
  while (!isBoundary(bytes[tail])) tail++
  return decoder.decode(bytes.subarray(0, head)) + notice(tail - head) + decoder.decode(bytes.subarray(tail))
}

/**
 * A result whose texts have at most so many bytes together; of one that has more, head and tail with a notice between them. Images and
 * files stay as they are.
 *
 * @stability experimental
 * @category results
 * @since 0.1.0
 */
export const cut = (content: Content, most: number): Content => {
  if (typeof content === "string") return shortened(content, most)
  const total = content.reduce((sum, part) => part.type === "text" ? sum + part.text.length * 3 : sum, 0)
  if (total <= most) return content
  const texts = content.filter((part) => part.type === "text").length
  return content.map((part) =>
    part.type === "text" ? { ...part, text: shortened(part.text, Math.floor(most / texts)) } : part
  )
}

/**
 * A value as the model reads it: a text as it is, nothing as an empty text, anything else as JSON.
 *
 * @stability experimental
 * @category results
 * @since 0.1.0
 */
export const textOf = (value: unknown): string =>
  typeof value === "string" ? value : value === undefined ? "" : JSON.stringify(value) ?? ""

/**
 * What somebody may read of an error.
 *
 * @stability experimental
 * @category results
 * @since 0.1.0
 */
export const wordsOf = (error: unknown): string => {
  if (typeof error === "string") return error
  if (typeof error === "object" && error !== null) {
    const { _tag: tag, message } = error as { readonly _tag?: unknown; readonly message?: unknown }
    if (typeof message === "string" && message !== "") return message
    if (typeof tag === "string") return tag
    try {
      return JSON.stringify(error)
    } catch {
      return "An error."
    }
  }
  return String(error)
}
