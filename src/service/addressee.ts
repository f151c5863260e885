/**
 * Whom a request's credential, headers and model are for.
 *
 * A company is a provider id together with the origin of its base URL. What a request says of `apiKey`, `headers` and `model` is for
 * the company that the call is first meant for, what it says in `providers` for those named there. Every policy that
 * chooses between services gives each candidate its own view of a request, made here: to anybody else key and headers are left out, and
 * the model's name too, so that the candidate's own model answers. What a policy in between or a rewriting puts into a view is for
 * the candidate that gets it. Who gets to see a view remembers what was left out, for the warnings of the response.
 *
 * @since 0.1.0
 */
import { isObject } from "effect/Predicate"
import type * as Redacted from "effect/Redacted"
import type { LlmRequest, ProviderRequest } from "../LlmRequest.ts"
import type { Warning } from "../LlmResponse.ts"
import type { Service, ServiceInfo } from "../LlmService.ts"
import { personal } from "../validation/request.ts"

/**
 * A company.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export type Address = Pick<ServiceInfo, "provider" | "origin">

const isSame = (a: Address, b: Address): boolean => a.provider === b.provider && a.origin === b.origin

/**
 * A company's name for people: the provider, with the origin where the service names one.
 *
 * @stability stable
 * @category accessors
 * @since 0.1.0
 */
export const nameOf = ({ origin, provider }: Address): string =>
  origin === undefined ? provider : `${provider} (${origin})`

// =============================================================================
// Who is behind a service
// =============================================================================

const behind = Symbol.for("effect-llm/Behind")

type Infos = readonly [ServiceInfo, ...Array<ServiceInfo>]

/**
 * Everybody that may answer for a service, whom a call is first meant for first.
 *
 * @stability stable
 * @category accessors
 * @since 0.1.0
 */
export const infosOf = (service: Service): Infos =>
  (service as { readonly [behind]?: () => Infos })[behind]?.() ?? [service.info]

/**
 * The companies among them, each once.
 *
 * @stability stable
 * @category accessors
 * @since 0.1.0
 */
export const companiesOf = (services: ReadonlyArray<Service>): ReadonlyArray<Address> => {
  const companies: Array<Address> = []
  for (const service of services) {
    for (const info of infosOf(service)) {
      if (!companies.some((company) => isSame(company, info))) companies.push(info)
    }
  }
  return companies
}

/**
 * A service that any of the candidates may answer for.
 *
 * @stability stable
 * @category combinators
 * @since 0.1.0
 */
export const answeredBy = (service: Service, candidates: ReadonlyArray<Service>): Service =>
  ({ ...service, [behind]: () => [...new Set(candidates.flatMap(infosOf))] }) as Service

/**
 * A service that stands for another one, which can be exchanged: who is behind it is asked each time, also of copies of it.
 *
 * @stability stable
 * @category combinators
 * @since 0.1.0
 */
export const standingFor = (service: Service, current: () => Service | undefined): Service => {
  let last: Infos | undefined
  return Object.defineProperty(service, behind, {
    enumerable: true,
    value: () => {
      const now = current()
      return last = now === undefined ? last ?? [service.info] : infosOf(now)
    }
  })
}

// =============================================================================
// Whom a request is for
// =============================================================================

const fields = ["apiKey", "headers", "model"] as const
type Field = typeof fields[number]
type Personal = { readonly [F in Field]?: LlmRequest[F] }

interface Entry {
  readonly to: Address
  readonly given: Personal
}

/** What a view remembers: everything that was given, what of it is shown and to whom, and what the caller itself asked for. */
interface Memory {
  readonly entries: ReadonlyArray<Entry>
  readonly shown: Personal
  readonly asked: Personal
  readonly first: Address
  /** A credential of the application's that a pool of keys has put in. */
  readonly lent?: Redacted.Redacted<string> | undefined
}

const memory = Symbol.for("effect-llm/Addressed")

/** Kept apart from the views, which show a note only: whoever gets a view and prints it must not find what is not for it. */
const memories = new WeakMap<object, Memory>()

const memoryOf = (request: LlmRequest): Memory | undefined => {
  const note = (request as { readonly [memory]?: object })[memory]
  return note === undefined ? undefined : memories.get(note)
}

const remembering = (request: object, known: Memory): LlmRequest => {
  const note = {}
  memories.set(note, known)
  return Object.assign(request, { [memory]: note }) as unknown as LlmRequest
}

const personalOf = (request: Personal): Personal => {
  const { apiKey, headers, model } = request
  return {
    ...(apiKey === undefined ? undefined : { apiKey }),
    ...(headers === undefined ? undefined : { headers }),
    ...(model === undefined ? undefined : { model })
  }
}

/** One over the other; headers one by one. */
const over = (above: Personal, below: Personal): Personal => {
  const headers = above.headers === undefined || below.headers === undefined
    ? above.headers ?? below.headers
    : { ...below.headers, ...above.headers }
  return { ...below, ...above, ...(headers === undefined ? undefined : { headers }) }
}

const isNamed = (address: Address, id: string, named: ProviderRequest): boolean =>
  address.provider === id && (named.origin === undefined || originOf(named.origin) === address.origin)

/** What is not of the form is left in a view, so that the validation of whoever gets it refuses the request. */
const isReadable = (providers: LlmRequest["providers"]): boolean =>
  isObject(providers) && Object.values(providers).every(isObject)

/** An origin as URLs spell it, whether or not it came with a path. */
const originOf = (text: string): string => URL.parse(text)?.origin ?? text

const shownTo = (entries: ReadonlyArray<Entry>, address: Address): Personal =>
  entries.find(({ to }) => isSame(to, address))?.given ?? {}

const add = (entries: ReadonlyArray<Entry>, to: Address, given: Personal): ReadonlyArray<Entry> => {
  const before = shownTo(entries, to)
  return [...entries.filter((entry) => !isSame(entry.to, to)), { to, given: over(given, before) }]
}

/** What was put into a view since it was made; of headers those that are not as they were shown. */
const changesOf = (request: LlmRequest, { shown }: Memory): Personal => {
  const given: { -readonly [F in Field]?: LlmRequest[F] } = {}
  for (const field of fields) {
    if (request[field] !== shown[field]) Object.assign(given, { [field]: request[field] })
  }
  const { headers } = given
  if (headers === undefined || shown.headers === undefined) return given
  const added = Object.entries(headers).filter(([name, value]) => shown.headers?.[name] !== value)
  return { ...given, headers: added.length === 0 ? undefined : Object.fromEntries(added) }
}

/** What has changed since a view was made is meant for whoever got it. */
const withChanges = (request: LlmRequest, known: Memory, first: Address): ReadonlyArray<Entry> => {
  const { entries, shown } = known
  if (fields.every((field) => request[field] === shown[field])) return entries
  // What was left out in between is left out for the one that it was shown to; nobody else is told what it was.
  const given = isSame(known.first, first)
    ? personalOf(request)
    : over(personalOf(changesOf(request, known)), shownTo(entries, first))
  return [...entries.filter((entry) => !isSame(entry.to, first)), { to: first, given }]
}

const remember = (request: LlmRequest, candidates: ReadonlyArray<Service>): Memory => {
  const [first] = infosOf(candidates[0]!)
  const before = memoryOf(request)
  const own = personalOf(request)
  let entries = before === undefined ? add([], first, own) : withChanges(request, before, first)
  if (request.providers !== undefined && isReadable(request.providers)) {
    const companies = companiesOf(candidates)
    for (const [id, named] of Object.entries(request.providers)) {
      const to = companies.find((company) => isNamed(company, id, named))
      if (to !== undefined) entries = add(entries, to, personalOf(named))
    }
  }
  return { ...before, entries, shown: {}, asked: before === undefined ? own : { ...before.asked, ...own }, first }
}

const viewOf = (request: LlmRequest, known: Memory, address: Address): LlmRequest => {
  const shown = shownTo(known.entries, address)
  const { apiKey: _, headers: __, model: ___, providers, ...rest } = request
  const view = { ...rest, ...shown, ...(providers === undefined || isReadable(providers) ? undefined : { providers }) }
  return remembering(view, { ...known, shown, first: address })
}

/**
 * How each of several candidates sees a request. Where one company is behind all of them, or nothing is anybody's, as it is.
 *
 * @stability stable
 * @category combinators
 * @since 0.1.0
 */
export const viewsOf = (
  request: LlmRequest,
  candidates: ReadonlyArray<Service>
): (candidate: Service) => LlmRequest => {
  const same = () => request
  if (!isObject(request)) return same
  const { apiKey, headers, model, providers } = request
  const personal = apiKey !== undefined || headers !== undefined || model !== undefined || providers !== undefined
  if (!personal && memoryOf(request) === undefined) return same
  if (companiesOf(candidates).length === 1) return same
  const known = remember(request, candidates)
  // Whoever it is all for sees it as it is.
  const isWhole = memoryOf(request) === undefined && providers === undefined
  return (candidate) => {
    const [address] = infosOf(candidate)
    return isWhole && isSame(address, known.first) ? request : viewOf(request, known, address)
  }
}

// =============================================================================
// One company
// =============================================================================

/**
 * A request as the one company that gets it is to read it: what `providers` says of it goes over what the request says at large.
 *
 * @stability stable
 * @category combinators
 * @since 0.1.0
 */
export const addressedTo = (request: LlmRequest, address: Address): LlmRequest => {
  try {
    return overlaid(request, address)
  } catch {
    // Whatever came in place of a request, a proxy that throws say, is refused by validation, further in.
    return request
  }
}

/**
 * Whether what a view shows is for somebody at another host: the service that it was made for has been exchanged since, or sends its
 * requests elsewhere than its `info` says. Names alone do not tell, because an application may call a service as it likes.
 */
const isForeign = ({ first }: Memory, { origin }: Address): boolean =>
  first.origin !== undefined && origin !== undefined && first.origin !== origin

const withoutShown = (request: LlmRequest, known: Memory): LlmRequest => {
  const { apiKey: _, headers: __, model: ___, ...rest } = request
  return { ...rest, ...personalOf(changesOf(request, known)) } as LlmRequest
}

const overlaid = (given: LlmRequest, address: Address): LlmRequest => {
  const known = isObject(given) ? memoryOf(given) : undefined
  const request = known !== undefined && isForeign(known, address) ? withoutShown(given, known) : given
  // Laid over each other, a legal field would hide one that is not: validation, further in, is to see both.
  if (request?.providers === undefined || personal(request) !== undefined) return request
  const { providers, ...rest } = request
  const named = providers[address.provider]
  return named === undefined || !isNamed(address, address.provider, named)
    ? rest as LlmRequest
    : { ...rest, ...over(personalOf(named), personalOf(request)) } as LlmRequest
}

/**
 * A request with a credential of the application's for one company. It makes nobody a tenant, and whoever is at another host does not
 * get it.
 *
 * @stability stable
 * @category combinators
 * @since 0.1.0
 */
export const lentTo = (request: LlmRequest, address: Address, apiKey: Redacted.Redacted<string>): LlmRequest => {
  const known = memoryOf(request) ?? { entries: [], shown: {}, asked: personalOf(request), first: address }
  return remembering({ ...request, apiKey }, {
    ...known,
    entries: add(known.entries, address, { apiKey }),
    shown: { ...known.shown, apiKey },
    lent: apiKey
  })
}

/**
 * Whether the credential of a request is the application's.
 *
 * @stability stable
 * @category guards
 * @since 0.1.0
 */
export const isLent = (request: LlmRequest): boolean =>
  request.apiKey !== undefined && memoryOf(request)?.lent === request.apiKey

/**
 * A request as an application would write it for the one that gets it, without what policies remember along with it.
 *
 * @stability stable
 * @category combinators
 * @since 0.1.0
 */
export const received = (request: LlmRequest, address: Address): LlmRequest => {
  const read = addressedTo(request, address)
  try {
    if (!isObject(read) || Object.getOwnPropertySymbols(read).length === 0) return read
    return Object.fromEntries(Object.entries(read)) as unknown as LlmRequest
  } catch {
    return read
  }
}

/**
 * The model that a service is asked for by a request.
 *
 * @stability stable
 * @category accessors
 * @since 0.1.0
 */
export const modelOf = (request: LlmRequest, info: ServiceInfo): string => {
  const { model, providers } = request
  const asked = providers === undefined ? model : addressedTo(request, info).model
  return asked ?? info.model
}

/**
 * The model the caller itself asked for, whomever it is for.
 *
 * @stability stable
 * @category accessors
 * @since 0.1.0
 */
export const askedModel = (request: LlmRequest): string | undefined => request.model ?? memoryOf(request)?.asked.model

/**
 * What of a request was left out on the way to the one that answers, as warnings of its response.
 *
 * @stability stable
 * @category accessors
 * @since 0.1.0
 */
export const leftOut = (request: LlmRequest, address: Address): ReadonlyArray<Warning> => {
  const known = memoryOf(request)
  if (known === undefined) return []
  const { headers } = request
  const isMissing = (field: Field): boolean =>
    field === "headers"
      ? Object.keys(known.asked.headers ?? {}).some((name) => headers?.[name] === undefined)
      : known.asked[field] !== undefined &&
        (request[field] === undefined || (field === "apiKey" && isLent(request)))
  return fields.flatMap((field) =>
    !isMissing(field) ? [] : [{
      field,
      message: `Was for another provider, so ${nameOf(address)} ${
        field === "model" ? "answered with its own model" : "did not get it"
      }. Name whom it is for in providers.${address.provider}.${field}.`
    }]
  )
}
