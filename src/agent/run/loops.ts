/**
 * Whether a run goes in circles.
 *
 * A step brings something new when one of its calls, with its result, was not seen of late. So the same call with the same result,
 * two that alternate, or invalid ones over and over are a circle of any length, and polling with changing results is none.
 *
 * @since 0.1.0
 */
import { canonical, digest } from "./digest.ts"
import type { Bounds, CallResult, CallState, State } from "./state.ts"

/** Pairs that are remembered: the longest circle that is seen. */
const remembered = 64

/** Characters of a digest that tell calls of one run apart. */
const shown = 12

/** From how many steps without anything new what is done. @stability experimental @category limits @since 0.1.0 */
export const limitsOf = (bounds: Bounds): { readonly warn: number; readonly refuse: number; readonly stop: number } =>
  bounds.loop === false
    ? { warn: Infinity, refuse: Infinity, stop: Infinity }
    : bounds.loop ?? { warn: 2, refuse: 3, stop: 5 }

/** What tells calls apart, in few characters. @stability experimental @category loops @since 0.1.0 */
export const loopKeyOf = (toolName: string, key: string): string => digest([toolName, key]).slice(0, shown)

/** Of arguments that are no JSON, or do not fit: whatever they are. @stability experimental @category loops @since 0.1.0 */
export const invalidKey = "invalid"

const pairOf = (loop: string, result: CallResult): string => `${loop}${digest(canonical(result)).slice(0, shown)}`

/** Whether a call with this key was seen. @stability experimental @category loops @since 0.1.0 */
export const wasSeen = ({ seen }: State, loop: string | false | undefined): boolean =>
  typeof loop === "string" && seen !== undefined && seen.pairs.some((pair) => pair.startsWith(loop))

/**
 * What a settled step adds.
 *
 * @stability experimental
 * @category loops
 * @since 0.1.0
 */
export const afterStep = (
  state: State,
  calls: ReadonlyArray<{ readonly call: CallState; readonly result: CallResult; readonly refused: boolean }>
): NonNullable<State["seen"]> => {
  const before = state.seen ?? { pairs: [], streak: 0 }
  const known = new Set(before.pairs)
  let fresh = false
  const pairs = [...before.pairs]
  for (const { call, refused, result } of calls) {
    if (call.loop === false || call.loop === undefined) {
      fresh = true
      continue
    }
    if (refused) continue
    // A call that was never more than looked at is the same, whatever was wrong with it.
    const pair = call.fingerprint === undefined ? `${call.loop}invalid` : pairOf(call.loop, result)
    if (known.has(pair)) continue
    fresh = true
    known.add(pair)
    pairs.push(pair)
  }
  return { pairs: pairs.slice(-remembered), streak: fresh ? 0 : before.streak + 1 }
}

/** What a step without calls adds, such as a pause. @stability experimental @category loops @since 0.1.0 */
export const afterPause = (state: State, content: unknown): NonNullable<State["seen"]> =>
  afterStep(state, [{
    call: { at: 0, status: "finished", fingerprint: "", loop: loopKeyOf("", "pause") },
    result: { content: canonical(content) },
    refused: false
  }])
