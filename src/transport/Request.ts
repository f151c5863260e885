/**
 * A call as a request of Effect's HTTP client.
 *
 * @since 0.1.0
 */
import * as Headers from "effect/http/Headers"
import * as HttpBody from "effect/http/HttpBody"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as UrlParams from "effect/http/UrlParams"
import * as Option from "effect/Option"
import type { Call, JsonCall } from "./Call.ts"

/**
 * The request of a call. Made in one go: each combinator of a request would copy its headers.
 *
 * @category constructors
 * @since 0.1.0
 */
export const requestOf = (
  method: "GET" | "POST" | "DELETE",
  call: Call | JsonCall
): HttpClientRequest.HttpClientRequest => {
  const { body, headers, url } = call
  if (typeof body !== "string") {
    return HttpClientRequest.make(method)(url, {
      headers,
      ...(body === undefined ? undefined : { body: bodyOf(body) })
    })
  }
  const sent = Headers.fromInput({ ...headers, "content-type": jsonType })
  return HttpClientRequest.makeWith(method, url, UrlParams.empty, Option.none(), sent, bodyOf(body))
}

const jsonType = "application/json"

const bodyOf = (body: NonNullable<JsonCall["body"]>): HttpBody.HttpBody =>
  typeof body === "string"
    ? HttpBody.raw(body, { contentType: jsonType })
    : body instanceof FormData
    ? HttpBody.formData(body)
    : HttpBody.uint8Array(body.bytes, body.mediaType)
