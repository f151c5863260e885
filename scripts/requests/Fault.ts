/**
 * What a validator says against a request, and what it is shown of one.
 */
import type { LlmRequest } from "../../src/index.ts"

/** A JSON object of unknown form. */
export interface Fields {
  readonly [field: string]: unknown
}

/** What a provider's specification says against a request. */
export interface Fault {
  /** Place in the body, such as `messages[0].content`; empty for the whole. */
  readonly at: string
  readonly message: string
  /** Where the provider says so. */
  readonly source: string
}

/** A request as it left, and what was asked. */
export interface Sent {
  readonly provider: string
  readonly model: string
  readonly operation: "generate" | "stream"
  readonly method: string
  readonly url: URL
  /** Names in lower case. */
  readonly headers: Fields
  readonly body: Fields
  readonly request: LlmRequest.LlmRequest
}

/** Judges a request by one specification. */
export interface Validator {
  readonly name: string
  readonly check: (sent: Sent) => ReadonlyArray<Fault>
}

/** Whether a value is an object that is no list. */
export const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** The value as an object, empty where it is none. */
export const fieldsOf = (value: unknown): Fields => isFields(value) ? value : {}

/** The value as a list, empty where it is none. */
export const listOf = (value: unknown): ReadonlyArray<unknown> => Array.isArray(value) ? value : []
