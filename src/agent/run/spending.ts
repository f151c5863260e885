/**
 * What a run has used, and which of its bounds that reaches.
 *
 * @since 0.1.0
 */
import { emptyUsage, sumUsage, type Usage } from "../../LlmResponse.ts"
import type { Bound, Bounds, Spent, State } from "./state.ts"

/** Answers of the model that a run may have, unless told otherwise. */
const defaultMaxSteps = 20

/** Attempts at a step, unless told otherwise. @stability experimental @category limits @since 0.1.0 */
export const defaultMaxAttempts = 3

/** Nothing was used. @stability experimental @category spending @since 0.1.0 */
export const nothing: Spent = { steps: 0, toolCalls: 0, usage: emptyUsage }

/** Adds what was used. @stability experimental @category spending @since 0.1.0 */
export const plus = (
  spent: Spent,
  more: {
    readonly steps?: number | undefined
    readonly toolCalls?: number | undefined
    readonly usage?: Usage | undefined
    readonly cost?: number | undefined
  }
): Spent => {
  const cost = spent.cost === undefined && more.cost === undefined ? undefined : (spent.cost ?? 0) + (more.cost ?? 0)
  return {
    steps: spent.steps + (more.steps ?? 0),
    toolCalls: spent.toolCalls + (more.toolCalls ?? 0),
    usage: more.usage === undefined ? spent.usage : sumUsage(spent.usage, more.usage),
    ...(cost === undefined ? undefined : { cost })
  }
}

/** Input and output tokens. */
const tokensOf = ({ usage }: Spent): number => (usage.input.total ?? 0) + (usage.output.total ?? 0)

const limitsOf = (bounds: Bounds): ReadonlyArray<readonly [Bound, number | undefined, (spent: Spent) => number]> => [
  ["steps", bounds.maxSteps ?? defaultMaxSteps, (spent) => spent.steps],
  ["tool-calls", bounds.maxToolCalls, (spent) => spent.toolCalls],
  ["tokens", bounds.maxTokens, tokensOf],
  ["cost", bounds.maxCost, (spent) => spent.cost ?? 0]
]

/** The bound that forbids to go on, if any. @stability experimental @category bounds @since 0.1.0 */
export const reached = (bounds: Bounds, spent: Spent): Bound | undefined =>
  limitsOf(bounds).find(([, limit, used]) => limit !== undefined && used(spent) >= limit)?.[0]

/** The part of a bound after which it counts as near. */
const nearPart = 0.8

/** The state with the bounds of which four fifths are used. @stability experimental @category bounds @since 0.1.0 */
export const withNear = (state: State, at?: number): State => {
  const near = new Set(state.near)
  for (const [bound, limit, used] of limitsOf(state.bounds)) {
    if (limit !== undefined && used(state.spent) >= nearPart * limit) near.add(bound)
  }
  const { deadline } = state.bounds
  if (deadline !== undefined && at !== undefined) {
    if (at - state.startedAt >= nearPart * (deadline - state.startedAt)) near.add("time")
  }
  return near.size === (state.near?.length ?? 0) ? state : { ...state, near: [...near] }
}

/**
 * What is left of the bounds, for a run below.
 *
 * @stability experimental
 * @category bounds
 * @since 0.1.0
 */
export const remaining = ({ bounds, spent: own, turn }: State): Bounds => {
  const spent = (turn?.calls ?? []).reduce(
    (sum, { nested }) => nested === undefined ? sum : plus(sum, nested.spent),
    own
  )
  const left = (limit: number | undefined, used: number) => limit === undefined ? undefined : Math.max(0, limit - used)
  return {
    maxSteps: left(bounds.maxSteps ?? defaultMaxSteps, spent.steps),
    maxToolCalls: left(bounds.maxToolCalls, spent.toolCalls),
    maxTokens: left(bounds.maxTokens, tokensOf(spent)),
    maxCost: left(bounds.maxCost, spent.cost ?? 0),
    deadline: bounds.deadline
  }
}
