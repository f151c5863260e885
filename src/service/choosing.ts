/**
 * What whoever chooses between services, and whoever is inside or around, tell each other about one call.
 *
 * A service made of candidates has the `info` of its first one, and no policy knows which others there are. So the word goes through
 * the context of the call: who really answers, from the inside out; who is not to be asked first, and whether somebody else can be
 * asked at all, from the outside in.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type { Service, ServiceInfo } from "../LlmService.ts"
import { infosOf } from "./addressee.ts"

/**
 * Called at each commit from the inside out, so that the first word is the most precise.
 *
 * @stability stable
 * @category references
 * @since 0.1.0
 */
export const Serving: Context.Reference<((info: ServiceInfo) => void) | undefined> = Context.Reference<
  ((info: ServiceInfo) => void) | undefined
>("effect-llm/Serving", { defaultValue: () => undefined })

const nobody: ReadonlySet<ServiceInfo> = new Set()

/**
 * Those that have just broken: they are asked last.
 *
 * @stability stable
 * @category references
 * @since 0.1.0
 */
export const Broken: Context.Reference<ReadonlySet<ServiceInfo>> = Context.Reference<ReadonlySet<ServiceInfo>>(
  "effect-llm/Broken",
  { defaultValue: () => nobody }
)

/**
 * Candidates in their order, but those of whom everybody has just broken after the others.
 *
 * @stability stable
 * @category combinators
 * @since 0.1.0
 */
export const brokenLast = <A>(
  order: ReadonlyArray<A>,
  serviceOf: (candidate: A) => Service,
  broken: ReadonlySet<ServiceInfo>
): ReadonlyArray<A> => {
  if (broken.size === 0) return order
  const isBroken = (candidate: A) => infosOf(serviceOf(candidate)).every((info) => broken.has(info))
  return [...order.filter((candidate) => !isBroken(candidate)), ...order.filter(isBroken)]
}

/**
 * Whether another candidate waits, so that asking the same one again after a long silence only lengthens the call.
 *
 * @stability stable
 * @category references
 * @since 0.1.0
 */
export const HasAlternative: Context.Reference<boolean> = Context.Reference<boolean>("effect-llm/HasAlternative", {
  defaultValue: () => false
})
