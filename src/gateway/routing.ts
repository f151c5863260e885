/**
 * Where a client's name of a model leads: a route of the configuration, an instance by name or label, `provider/model`, or the model
 * of an instance.
 *
 * @since 0.1.0
 */
import type { Instance, LlmConfig } from "../config/schema.ts"
import { type Route, targetsOf } from "./config.ts"

/**
 * What a name leads to.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Target {
  /** Name of the instance. */
  readonly instance: string
  /** The model that is asked there; the instance's own when absent. */
  readonly model?: string | undefined
  /** The route that says so, if one does. */
  readonly route?: Route | undefined
}

/**
 * What the `*` of a pattern stands for in a name: a text, which is empty for a pattern without one; `undefined` when the name does
 * not match. Linear.
 *
 * @stability experimental
 * @category matching
 * @since 0.1.0
 */
export const matched = (pattern: string, name: string): string | undefined => {
  const star = pattern.indexOf("*")
  if (star === -1) return pattern === name ? "" : undefined
  const [before, after] = [pattern.slice(0, star), pattern.slice(star + 1)]
  return name.length >= before.length + after.length && name.startsWith(before) && name.endsWith(after)
    ? name.slice(before.length, name.length - after.length)
    : undefined
}

/**
 * Whether a name is among patterns.
 *
 * @stability experimental
 * @category matching
 * @since 0.1.0
 */
export const isAmong = (patterns: ReadonlyArray<string> | undefined, name: string): boolean =>
  patterns === undefined || patterns.some((pattern) => matched(pattern, name) !== undefined)

/** A route whose pattern is no pattern comes before those that are. */
const routeOf = (routes: ReadonlyArray<Route>, name: string): Target | undefined => {
  const route = routes.find(({ model }) => model === name) ??
    routes.find(({ model }) => matched(model, name) !== undefined)
  if (route === undefined) return undefined
  const star = matched(route.model, name) ?? name
  return { instance: route.to, model: route.as?.split("*").join(star), route }
}

const instanceOf = (
  { instances }: LlmConfig,
  is: (instance: Instance, name: string) => boolean
): string | undefined => Object.keys(instances).find((name) => is(instances[name]!, name))

/**
 * What a name leads to; `undefined` when it is none. A request without one goes to the default instance.
 *
 * @stability experimental
 * @category matching
 * @since 0.1.0
 */
export const targetOf = (config: LlmConfig, routes: ReadonlyArray<Route>, name: string): Target | undefined => {
  const routed = routeOf(routes, name)
  if (routed !== undefined) return routed
  if (name === "") return { instance: config.default }
  const names = targetsOf(config)
  if (names.includes(name)) return { instance: name }
  const labelled = instanceOf(config, ({ label }) => label === name)
  if (labelled !== undefined) return { instance: labelled }
  const slash = name.indexOf("/")
  if (slash > 0 && slash < name.length - 1) {
    const [company, model] = [name.slice(0, slash), name.slice(slash + 1)]
    const served = names.includes(company)
      ? company
      : instanceOf(config, (instance) => instance.provider === company && instance.model === model) ??
        instanceOf(config, ({ provider }) => provider === company)
    if (served !== undefined) return { instance: served, model }
  }
  const own = instanceOf(config, ({ model }) => model === name)
  return own === undefined ? undefined : { instance: own }
}

/**
 * Names that clients can ask for, each once: routes without a `*`, and instances.
 *
 * @stability experimental
 * @category listing
 * @since 0.1.0
 */
export const namesOf = (config: LlmConfig, routes: ReadonlyArray<Route>): ReadonlyArray<string> => [
  ...new Set([
    ...routes.map(({ model }) => model).filter((model) => !model.includes("*")),
    ...targetsOf(config)
  ])
]
