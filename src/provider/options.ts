/**
 * What the options of a provider layer may be, checked when the layer is made.
 *
 * An option that cannot be is a `Configuration` error of the layer with its path, such as `defaults.temperature`, so that no call is
 * made to find out. Options that only one provider has are checked by what that provider gives to `Provider.define`.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import { hostLabelIssue, nameIssue } from "../address/paths.ts"
import { prices } from "../model/pricing.ts"
import { optionsIssue } from "../service/checked.ts"
import { credential } from "../validation/credential.ts"
import { headerIssue, headers } from "../validation/headers.ts"
import { defaults, timeouts } from "../validation/request.ts"
import {
  all,
  anything,
  type Check,
  type Fields,
  fields,
  filledText,
  finite,
  flag,
  isRecord,
  type Issue,
  listOf,
  oneOf,
  optional,
  positive,
  problem,
  recordOf,
  text,
  under
} from "../validation/values.ts"

type Texts = { readonly [name: string]: string | undefined }

/** Headers that can be sent. @stability stable @category checks @since 0.1.0 */
const sendableHeaders: Check = all(headers, (value) => headerIssue(value as Texts))

const effect: Check = (value) => Effect.isEffect(value) ? undefined : problem("Must be an effect.")

/** A key, an effect that gives one, or such effects to get and to refresh one. @stability stable @category checks @since 0.1.0 */
export const credentials: Check = (value) => {
  if (Effect.isEffect(value)) return undefined
  return isRecord(value) && "get" in value ? fields({ get: effect, refresh: effect })(value) : credential(value)
}

/** A name that becomes a segment of a path. @stability stable @category checks @since 0.1.0 */
export const pathName: Check = (value) => {
  const message = nameIssue(value)
  return message === undefined ? undefined : problem(message)
}

/** A name that becomes part of a host name. @stability stable @category checks @since 0.1.0 */
export const hostName: Check = (value) => {
  const message = hostLabelIssue(value)
  return message === undefined ? undefined : problem(message)
}

const names = listOf(text)
const option: Check = (value) => typeof value === "string" ? undefined : names(value)
const said = { because: optional(text), url: optional(text) }
const values = optional(listOf(anything))

/** Rules of options; a name that no option has fits no request. */
const rules: Check = fields({
  refuses: optional(listOf(fields({ ...said, option, but: values, instead: optional(recordOf(anything)) }))),
  excludes: optional(listOf(fields({ ...said, option, by: option, but: values, from: optional(finite) }))),
  needs: optional(listOf(fields({ ...said, option, beside: text }))),
  only: optional(listOf(fields({ ...said, option, from: optional(finite), to: optional(finite) })))
}, "Must be an object of rules: refuses, excludes, needs, only.")

const thinkingFacts: Check = fields({
  default: optional(oneOf("on", "off")),
  off: optional(flag),
  byEffort: optional(flag),
  replay: optional(flag),
  smallestBudget: optional(positive),
  largestBudget: optional(positive),
  url: optional(text)
}, "Must be an object of facts about thinking.")

const modelFacts = recordOf(
  fields({
    name: optional(text),
    contextWindow: optional(positive),
    maxOutputTokens: optional(positive),
    capabilities: optional(recordOf(optional(flag))),
    thinkingLevels: optional(recordOf(optional(text))),
    thinking: optional(thinkingFacts),
    limitsCompletion: optional(flag),
    rules: optional(rules),
    prices: optional(prices)
  }),
  "Must be an object of facts by model."
)

const requestDefaults = all(defaults, (value) => {
  const { headers } = value as { readonly headers?: Texts }
  const issue = headerIssue(headers)
  return issue === undefined ? undefined : under(".headers", issue)
})

/** Options of every layer. @stability stable @category checks @since 0.1.0 */
export const common: Fields = {
  apiKey: optional(credentials),
  baseUrl: optional(text),
  model: optional(filledText),
  label: optional(text),
  headers: optional(sendableHeaders),
  timeouts: optional(timeouts),
  models: optional(modelFacts),
  defaults: optional(requestDefaults)
}

/**
 * The first problem of the options of a layer, `own` being those that only its provider has.
 *
 * @stability stable
 * @category validation
 * @since 0.1.0
 */
export const issueOf = (options: unknown, own: Fields = {}): Issue | undefined =>
  optionsIssue(fields({ ...common, ...own }, "Must be an object of options."), options)
