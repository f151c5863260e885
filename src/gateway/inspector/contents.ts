/**
 * What is said in a call, as the page shows it: who says how much of what kind, and the words themselves only where they are allowed.
 *
 * Bounded in messages, parts and characters, so that nothing of a request is held on to. Media are told by their type. What looks like
 * a key is masked.
 *
 * @since 0.1.0
 */
import * as Redacted from "effect/Redacted"
import { type LlmRequest, messagesOf } from "../../LlmRequest.ts"
import type { LlmResponse } from "../../LlmResponse.ts"
import type { Part } from "../../message/parts.ts"
import { makeScrubber, type Scrub } from "../../transport/secrets/Redaction.ts"

/**
 * Whether words are shown: not, as they are, or as a function leaves them.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export type Allowed = boolean | ((text: string) => string)

/**
 * A part of a message, for the page.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface ShownPart {
  readonly kind: string
  /** Of a tool, or the type of a medium. */
  readonly name?: string | undefined
  readonly characters?: number | undefined
  /** Absent where words are not allowed. */
  readonly text?: string | undefined
}

/**
 * A message, for the page.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface ShownMessage {
  readonly role: string
  readonly parts: ReadonlyArray<ShownPart>
}

const maxMessages = 40
const maxParts = 20
const maxCharacters = 16_384
const maxName = 128

const masking = makeScrubber([])

/** Keys that the request itself brings. */
const scrubberOf = ({ apiKey, providers = {} }: LlmRequest): Scrub => {
  const keys = [apiKey, ...Object.values(providers).map((one) => one.apiKey)].flatMap((key) =>
    key === undefined || !Redacted.isRedacted(key) ? [] : [String(Redacted.value(key))]
  )
  return keys.length === 0 ? masking : makeScrubber(keys)
}

/** Text as it is shown; never more than is left. */
class Words {
  private left = maxCharacters
  private readonly allowed: Allowed
  private readonly scrub: Scrub

  constructor(allowed: Allowed, scrub: Scrub) {
    this.allowed = allowed
    this.scrub = scrub
  }

  /** A name; of a tool, for example. */
  name(text: string): string {
    return this.scrub(text.slice(0, maxName)).toWellFormed()
  }

  part(kind: string, text: string, name?: string): ShownPart {
    const shown = { kind, characters: text.length, ...(name === undefined ? undefined : { name: this.name(name) }) }
    return this.allowed === false ? shown : { ...shown, text: this.cut(text) }
  }

  private cut(text: string): string {
    const most = Math.max(0, this.left)
    const masked = this.redacted(this.scrub(text.slice(0, most)))
    const cut = masked.slice(0, most).toWellFormed()
    this.left -= cut.length
    return text.length > most || masked.length > most ? `${cut}…` : cut
  }

  private redacted(text: string): string {
    if (typeof this.allowed !== "function") return text
    try {
      return String(this.allowed(text))
    } catch {
      return "(could not be redacted)"
    }
  }
}

const written = (value: unknown): string => {
  try {
    return typeof value === "string" ? value : JSON.stringify(value) ?? ""
  } catch {
    return ""
  }
}

const partOf = (part: Part, words: Words): ShownPart => {
  switch (part.type) {
    case "text":
    case "reasoning":
      return words.part(part.type, part.text)
    case "tool-call":
      return words.part(part.type, written(part.arguments), part.name)
    case "tool-result": {
      const { content } = part
      const text = typeof content === "string"
        ? content
        : content.map((one) => one.type === "text" ? one.text : `[${one.type}]`).join("\n")
      return words.part(part.isError === true ? "tool-error" : part.type, text, part.name)
    }
    case "source":
      return words.part(part.type, part.url ?? part.title ?? "")
    case "server-tool":
      return { kind: part.type, name: words.name(part.name) }
    case "image":
    case "file":
    case "audio":
      return { kind: part.type, name: words.name(part.source.mediaType ?? part.source.type) }
  }
}

const partsOf = (content: string | ReadonlyArray<Part>, words: Words): ReadonlyArray<ShownPart> =>
  typeof content === "string"
    ? [words.part("text", content)]
    : content.slice(0, maxParts).map((part) => partOf(part, words))

/** What is wrong with a request is the service's to say; here it only must not throw. */
const total = <A>(make: () => ReadonlyArray<A>): ReadonlyArray<A> => {
  try {
    return make()
  } catch {
    return []
  }
}

/**
 * What is asked: the system prompt and the last messages.
 *
 * @stability experimental
 * @category showing
 * @since 0.1.0
 */
export const asked = (request: LlmRequest, allowed: Allowed): ReadonlyArray<ShownMessage> =>
  total(() => {
    const words = new Words(allowed, scrubberOf(request))
    const messages = messagesOf(request).slice(-maxMessages)
    return [
      ...(request.system === undefined ? [] : [{ role: "system", parts: [words.part("text", request.system)] }]),
      ...messages.map(({ content, role }) => ({ role: String(role), parts: partsOf(content, words) }))
    ]
  })

/**
 * What was answered.
 *
 * @stability experimental
 * @category showing
 * @since 0.1.0
 */
export const answered = (
  request: LlmRequest,
  { parts }: Pick<LlmResponse, "parts">,
  allowed: Allowed
): ReadonlyArray<ShownPart> => total(() => partsOf(parts, new Words(allowed, scrubberOf(request))))

/**
 * A text that others wrote, such as the message of a failure: masked and cut.
 *
 * @stability experimental
 * @category showing
 * @since 0.1.0
 */
export const line = (text: string): string => masking(text.slice(0, 500)).toWellFormed()
