/**
 * Whose state a call has a part in, by what a configuration says: functions of a request.
 *
 * @since 0.1.0
 */
import type { LlmRequest } from "../LlmRequest.ts"
import { tenantOf } from "../policy/perKey.ts"
import type { Key } from "./schema.ts"

type KeyName = typeof Key.Type

/** What tells the tenants of a scope apart; `undefined` for a request that says nothing of it. */
const idOf = (name: Exclude<KeyName, "all">, request: LlmRequest): string | undefined => {
  switch (name) {
    case "label":
      return request.label
    case "user":
      return request.scope?.userId
    case "session":
      return request.scope?.sessionId
    case "tenant":
      return tenantOf(request)
    default: {
      const field = name.slice("metadata.".length)
      const { metadata } = request
      const found = metadata !== undefined && Object.hasOwn(metadata, field) ? metadata[field] : undefined
      return typeof found === "string" || typeof found === "number" ? String(found) : undefined
    }
  }
}

/**
 * The key of a call for policies that need one of every call: those that say nothing of it share one.
 *
 * @stability stable
 * @category keys
 * @since 0.1.0
 */
export const keyOf = (name: KeyName): string | ((request: LlmRequest) => string) =>
  name === "all" ? "all" : (request) => idOf(name, request) ?? ""

/**
 * The key of a call for policies that can do without: a call that says nothing of it, or that brings no credential, has none.
 *
 * @stability stable
 * @category keys
 * @since 0.1.0
 */
export const optionalKeyOf = (name: KeyName) => (request: LlmRequest): string | undefined => {
  if (name === "all") return "all"
  const id = idOf(name, request)
  return id === "" ? undefined : id
}
