/**
 * State of a policy by key: one tenant's limits, benches and circuits are not another's.
 *
 * The number of keys is bounded: beyond it the one that was idle longest is forgotten, and so is one that was idle for an hour, unless
 * somebody still uses its state. Whoever brings a credential of its own is a tenant of its own unless told otherwise.
 *
 * @since 0.1.0
 */
import * as Hash from "effect/Hash"
import * as Redacted from "effect/Redacted"
import type { LlmRequest } from "../LlmRequest.ts"
import type { ServiceInfo } from "../LlmService.ts"
import { isLent, modelOf } from "./addressed.ts"
import { type Check, text } from "./checks.ts"

/**
 * Keys whose state is kept at the same time.
 *
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

  /** The oldest come first; at most a few are looked at for each one that is new. */
  private forget(now: number): void {
    let looked = 0
    for (const [key, { state, usedAt }] of this.entries) {
      if (++looked > 8 || (this.entries.size <= maxKeys && now - usedAt < idleMillis)) return
      if (!this.isUsed(state) && this.entries.size > 1) this.entries.delete(key)
    }
  }
}

/**
 * Whose state a call has a part in.
 *
 * @category models
 * @since 0.1.0
 */
export type KeyOption = string | ((request: LlmRequest, info: ServiceInfo) => string)

/**
 * What can be the option.
 *
 * @category checks
 * @since 0.1.0
 */
export const keyOption: Check = (value) => typeof value === "function" ? undefined : text(value)

/** 64 bits of a credential of hundreds: enough that no two tenants meet, far too little to guess one. */
const fingerprint = (credential: string): string => {
  const half = (text: string) => (Hash.string(text) >>> 0).toString(16).padStart(8, "0")
  return half(credential) + half([...credential].toReversed().join(""))
}

/**
 * The tenant of a request: "" for everybody who uses the credentials of the application, else a fingerprint of those it brings.
 *
 * @category keys
 * @since 0.1.0
 */
export const tenantOf = (request: LlmRequest): string => {
  const { apiKey, providers } = request
  const brought = apiKey === undefined || isLent(request) ? [] : [Redacted.value(apiKey)]
  if (providers !== undefined) {
    for (const id of Object.keys(providers).toSorted()) {
      const key = providers[id]!.apiKey
      if (key !== undefined) brought.push(`${id}:${Redacted.value(key)}`)
    }
  }
  return brought.length === 0 ? "" : fingerprint(brought.join("\n"))
}

/**
 * The key of a call by the option, else its tenant.
 *
 * @category keys
 * @since 0.1.0
 */
export const keyBy = (option: KeyOption | undefined) => (request: LlmRequest, info: ServiceInfo): string =>
  option === undefined ? tenantOf(request) : typeof option === "string" ? option : option(request, info)

/**
 * Provider, model and tenant: the key where the provider counts by model, as in `anthropic/claude-sonnet-4-5`.
 *
 * @category keys
 * @since 0.1.0
 */
export const modelKey = (request: LlmRequest, info: ServiceInfo): string => {
  const tenant = tenantOf(request)
  return `${info.provider}/${modelOf(request, info)}${tenant === "" ? "" : `#${tenant}`}`
}
