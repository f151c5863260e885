/**
 * State of a policy by key: one tenant's limits, benches and circuits are not another's.
 *
 * The number of keys is bounded: beyond it the one that was idle longest is forgotten, and so is one that was idle for an hour, unless
 * somebody still uses its state. Whoever brings a credential of its own is a tenant of its own unless told otherwise.
 *
 * @since 0.1.0
 */
import * as Redacted from "effect/Redacted"
import type { LlmRequest } from "../LlmRequest.ts"
import type { ServiceInfo } from "../LlmService.ts"
import { isLent, modelOf } from "../service/addressee.ts"
import { holdsCredential } from "../validation/credentialNames.ts"
import { type Check, text } from "../validation/values.ts"

/**
 * Keys whose state is kept at the same time.
 *
 * @stability stable
 * @category limits
 * @since 0.1.0
 */
export const maxKeys = 10_000

const idleMillis = 60 * 60 * 1000

interface Entry<A> {
  readonly state: A
  usedAt: number
}

/**
 * States by key, made when they are first asked for. `isUsed` says of a state that it must not be forgotten now.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export class PerKey<A> {
  private readonly entries = new Map<string, Entry<A>>()
  private readonly make: (key: string) => A
  private readonly isUsed: (state: A) => boolean

  constructor(make: (key: string) => A, isUsed: (state: A) => boolean = () => false) {
    this.make = make
    this.isUsed = isUsed
  }

  get size(): number {
    return this.entries.size
  }

  /** The state of a key; `now` is monotonic time. */
  get(key: string, now: number): A {
    const known = this.entries.get(key)
    if (known !== undefined && (now - known.usedAt < idleMillis || this.isUsed(known.state))) {
      known.usedAt = now
      if (this.entries.size > 1) {
        this.entries.delete(key)
        this.entries.set(key, known)
      }
      return known.state
    }
    const state = this.make(key)
    this.entries.delete(key)
    this.entries.set(key, { state, usedAt: now })
    this.forget(now)
    return state
  }

  /** The oldest come first; at most a few are looked at for each one that is new. Those in use go to the end, to make room for that. */
  private forget(now: number): void {
    let looked = 0
    for (const [key, entry] of this.entries) {
      if (++looked > 8 || (this.entries.size <= maxKeys && now - entry.usedAt < idleMillis)) return
      if (this.entries.size === 1) return
      this.entries.delete(key)
      if (!this.isUsed(entry.state)) continue
      entry.usedAt = now
      this.entries.set(key, entry)
    }
  }
}

/**
 * Whose state a call has a part in.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export type KeyOption = string | ((request: LlmRequest, info: ServiceInfo) => string)

/**
 * What can be the option.
 *
 * @stability stable
 * @category checks
 * @since 0.1.0
 */
export const keyOption: Check = (value) => typeof value === "function" ? undefined : text(value)

/**
 * 64 bits of a credential of hundreds: enough that no two tenants meet, far too little to guess one. Two multiplicative hashes, each
 * finished with the other: https://github.com/bryc/code/blob/master/jshash/experimental/cyrb53.js.
 */
const fingerprint = (credential: string): string => {
  let a = 0xdeadbeef
  let b = 0x41c6ce57
  for (let at = 0; at < credential.length; at++) {
    const code = credential.charCodeAt(at)
    a = Math.imul(a ^ code, 2654435761)
    b = Math.imul(b ^ code, 1597334677)
  }
  const first = Math.imul(a ^ (a >>> 16), 2246822507) ^ Math.imul(b ^ (b >>> 13), 3266489909)
  const second = Math.imul(b ^ (b >>> 16), 2246822507) ^ Math.imul(first ^ (first >>> 13), 3266489909)
  return [second, first].map((half) => (half >>> 0).toString(16).padStart(8, "0")).join("")
}

/** Gateways take credentials in headers of their own. */
const bring = (brought: Array<string>, id: string, headers: LlmRequest["headers"]): void => {
  if (headers === undefined) return
  for (const name of Object.keys(headers).toSorted()) {
    if (holdsCredential(name)) brought.push(`${id}:${name.toLowerCase()}:${headers[name]}`)
  }
}

/**
 * The tenant of a request: "" for everybody who uses the credentials of the application, else a fingerprint of those it brings.
 *
 * @stability stable
 * @category keys
 * @since 0.1.0
 */
export const tenantOf = (request: LlmRequest): string => {
  const { apiKey, headers, providers } = request
  const brought = apiKey === undefined || isLent(request) ? [] : [Redacted.value(apiKey)]
  bring(brought, "", headers)
  if (providers !== undefined) {
    for (const id of Object.keys(providers).toSorted()) {
      const named = providers[id]!
      if (named.apiKey !== undefined) brought.push(`${id}:${Redacted.value(named.apiKey)}`)
      bring(brought, id, named.headers)
    }
  }
  return brought.length === 0 ? "" : fingerprint(brought.join("\n"))
}

/**
 * The key of a call by the option, else its tenant.
 *
 * @stability stable
 * @category keys
 * @since 0.1.0
 */
export const keyBy = (option: KeyOption | undefined) => (request: LlmRequest, info: ServiceInfo): string =>
  option === undefined ? tenantOf(request) : typeof option === "string" ? option : option(request, info)

/**
 * Provider, model and tenant: the key where the provider counts by model, as in `anthropic/claude-sonnet-4-5`.
 *
 * @stability stable
 * @category keys
 * @since 0.1.0
 */
export const modelKey = (request: LlmRequest, info: ServiceInfo): string => {
  const tenant = tenantOf(request)
  return `${info.provider}/${modelOf(request, info)}${tenant === "" ? "" : `#${tenant}`}`
}
