/**
 * A request under the defaults of its layer.
 *
 * `undefined` is no value: a default stands where a request says nothing, or says nothing by saying `undefined`. What is made of parts that
 * mean something each on its own is merged part by part: headers, time limits, cache, scope, metadata, and options by provider. Everything
 * else is the request's or the default as a whole.
 *
 * @since 0.1.0
 */
import { setOwn } from "../json/own.ts"
import type { LlmRequest, RequestOptions } from "../LlmRequest.ts"
import { joinedHeaders } from "../validation/headers.ts"
import type { Options } from "./definition.ts"

type Part = { readonly [name: string]: unknown }

/** One over the other, without what is `undefined`; neither where there is neither. */
const over = <A extends object>(below: A | undefined, above: A | undefined): A | undefined => {
  if (below === undefined || above === undefined) return above ?? below
  const out: { [name: string]: unknown } = {}
  for (const layer of [below, above] as ReadonlyArray<Part>) {
    for (const name of Object.keys(layer)) if (layer[name] !== undefined) setOwn(out, name, layer[name] as never)
  }
  return out as A
}

const optionsOver = (
  below: RequestOptions["providerOptions"],
  above: RequestOptions["providerOptions"]
): RequestOptions["providerOptions"] => {
  const all = over<object>(below, above)
  if (all === undefined || below === undefined || above === undefined) return all
  const out: { [provider: string]: unknown } = {}
  for (const provider of Object.keys(all)) {
    const merged = over(
      (below as { readonly [id: string]: Part })[provider],
      (above as { readonly [id: string]: Part })[provider]
    )
    setOwn(out, provider, merged as never)
  }
  return out
}

/**
 * The request with the defaults of a layer.
 *
 * @stability stable
 * @category combinators
 * @since 0.1.0
 */
export const merged = (
  request: LlmRequest,
  { defaults, timeouts }: Pick<Options, "defaults" | "timeouts">
): LlmRequest => {
  if (defaults === undefined && timeouts === undefined) return request
  const { cache, headers, metadata, providerOptions, scope } = defaults ?? {}
  const parts: { -readonly [K in keyof RequestOptions]: RequestOptions[K] } = {
    timeouts: over(over(timeouts, defaults?.timeouts), request.timeouts) ?? {}
  }
  if (headers !== undefined) parts.headers = joinedHeaders(headers, request.headers)
  if (cache !== undefined) parts.cache = over(cache, request.cache)
  if (metadata !== undefined) parts.metadata = over(metadata, request.metadata)
  if (scope !== undefined) parts.scope = over(scope, request.scope)
  if (providerOptions !== undefined) parts.providerOptions = optionsOver(providerOptions, request.providerOptions)
  return { ...over<object>(defaults, request), ...parts } as LlmRequest
}
