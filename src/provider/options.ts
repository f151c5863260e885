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
  type Check,
  type Fields,
  fields,
  filledText,
  flag,
  isRecord,
  type Issue,
  optional,
  positive,
  problem,
  recordOf,
  text,
  under
} from "../validation/values.ts"

type Texts = { readonly [name: string]: string | undefined }

/** Headers that can be sent. @category checks @since 0.1.0 */
const sendableHeaders: Check = all(headers, (value) => headerIssue(value as Texts))

const effect: Check = (value) => Effect.isEffect(value) ? undefined : problem("Must be an effect.")

/** A key, an effect that gives one, or such effects to get and to refresh one. @category checks @since 0.1.0 */
export const credentials: Check = (value) => {
  if (Effect.isEffect(value)) return undefined
  return isRecord(value) && "get" in value ? fields({ get: effect, refresh: effect })(value) : credential(value)
}

/** A name that becomes a segment of a path. @category checks @since 0.1.0 */
export const pathName: Check = (value) => {
  const message = nameIssue(value)
  return message === undefined ? undefined : problem(message)
}

/** A name that becomes part of a host name. @category checks @since 0.1.0 */
export const hostName: Check = (value) => {
  const message = hostLabelIssue(value)
  return message === undefined ? undefined : problem(message)
}

const modelFacts = recordOf(
  fields({
    name: optional(text),
    contextWindow: optional(positive),
    maxOutputTokens: optional(positive),
    capabilities: optional(recordOf(optional(flag))),
    thinkingLevels: optional(recordOf(optional(text))),
    prices: optional(prices)
  }),
  "Must be an object of facts by model."
)

const requestDefaults = all(defaults, (value) => {
  const { headers } = value as { readonly headers?: Texts }
  const issue = headerIssue(headers)
  return issue === undefined ? undefined : under(".headers", issue)
})

/** Options of every layer. @category checks @since 0.1.0 */
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
 * @category validation
 * @since 0.1.0
 */
export const issueOf = (options: unknown, own: Fields = {}): Issue | undefined =>
  optionsIssue(fields({ ...common, ...own }, "Must be an object of options."), options)
